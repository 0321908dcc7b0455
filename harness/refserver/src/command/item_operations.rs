//! ItemOperations: fetch items and attachments, empty folders, move conversations (MS-ASCMD 2.2.1.10).

use base64::{Engine, prelude::BASE64_STANDARD};
use easrig_eas::{
    CollectionId, ServerId, Version,
    command::{
        Class, Item, Range,
        item_operations::{Fetch, FetchResponse, Operation, OperationResponse, Options, Request, Response, Store},
    },
    multipart::Multipart,
    status::Status,
};
use easrig_wbxml::{
    Document, Tag,
    tags::{air_sync_base as base, item_operations as tag},
};

use super::get_attachment::attachment;
use crate::{
    Answer, Call, Caller, Content, Kind, Mailbox, State, StoredItem, Switch,
    mime::{Parts, Wanted, write_fields, write_mail},
    store::class_of,
};

/// The request breaks a rule.
const PROTOCOL_ERROR: u16 = 2;

/// The object is not there.
const NOT_FOUND: u16 = 6;

/// The range lies outside the data.
const BAD_RANGE: u16 = 8;

/// A store that does not exist.
const UNKNOWN_STORE: u16 = 9;

/// An attachment that is not there.
const BAD_ATTACHMENT: u16 = 15;

/// The move of a conversation does not say that later messages follow.
const NO_MOVE_ALWAYS: u16 = 155;

/// The move of a conversation goes somewhere else than to a mail folder.
const BAD_DESTINATION: u16 = 156;

/// A message part in another type than HTML.
const BAD_PART_TYPE: u16 = 164;

/// Does the operations in order; each has its own outcome.
pub(crate) fn run(state: &mut State, caller: &Caller, call: &Call, document: Option<&Document>) -> Answer {
    let Some(Ok(request)) = document.map(|document| Request::from_document(document, caller.version)) else {
        return caller.status(PROTOCOL_ERROR);
    };
    if document.is_some_and(names_two_files) {
        return caller.status(PROTOCOL_ERROR);
    }
    let header = call.headers.get("MS-ASAcceptMultiPart").is_some_and(|value| value.trim().eq_ignore_ascii_case("T"));
    let mut parts = (header || call.query.accept_multipart == Some(true)).then(Parts::default);
    let responses = request.operations.iter().map(|operation| operate(state, caller, operation, &mut parts)).collect();
    let document = Response { status: Some(Status::SUCCESS), responses }.to_document(caller.version);
    let Some(parts) = parts else { return Answer::wbxml(&document) };
    let document = document.encode();
    let all: Vec<&[u8]> = std::iter::once(&document).chain(&parts.0).map(Vec::as_slice).collect();
    match Multipart::build(&all) {
        Some(body) => Answer::body("application/vnd.ms-sync.multipart", body),
        None => caller.refuse(Status::SERVER_ERROR),
    }
}

fn names_two_files(document: &Document) -> bool {
    document.root().all(tag::FETCH).any(|fetch| fetch.all(base::FILE_REFERENCE).count() > 1)
}

fn operate(state: &mut State, caller: &Caller, operation: &Operation, parts: &mut Option<Parts>) -> OperationResponse {
    match operation {
        Operation::Fetch(asked) => {
            let mut response = named_like(asked);
            let outcome = fetch(state, caller, asked, parts, &mut response);
            response.status = Some(Status(outcome.err().unwrap_or(1)));
            OperationResponse::Fetch(Box::new(response))
        }
        Operation::EmptyFolderContents { collection_id, delete_sub_folders } => {
            let deep = delete_sub_folders.is_some_and(|flag| flag.is_on());
            let outcome = empty(state, caller, collection_id, deep);
            OperationResponse::EmptyFolderContents {
                status: Some(Status(outcome.err().unwrap_or(1))),
                collection_id: Some(collection_id.clone()),
            }
        }
        Operation::Move { conversation_id, dst_fld_id, move_always } => {
            let outcome = match move_always {
                Some(_) => move_conversation(state, caller, conversation_id, dst_fld_id),
                None => Err(NO_MOVE_ALWAYS),
            };
            OperationResponse::Move {
                status: Some(Status(outcome.err().unwrap_or(1))),
                conversation_id: Some(conversation_id.clone()),
            }
        }
    }
}

fn named_like(asked: &Fetch) -> FetchResponse {
    FetchResponse {
        link_id: asked.link_id.clone(),
        long_id: asked.long_id.clone(),
        collection_id: asked.collection_id.clone(),
        server_id: asked.server_id.clone(),
        file_reference: asked.file_reference.clone(),
        ..FetchResponse::default()
    }
}

fn fetch(
    state: &mut State,
    caller: &Caller,
    asked: &Fetch,
    parts: &mut Option<Parts>,
    response: &mut FetchResponse,
) -> Result<(), u16> {
    match asked.store {
        Store::Mailbox => {}
        Store::DocumentLibrary => return Err(NOT_FOUND),
        Store::Other(_) => return Err(UNKNOWN_STORE),
    }
    let none = Options::default();
    let options = asked.options.as_ref().unwrap_or(&none);
    if let Some(reference) = &asked.file_reference {
        let found = attachment(state, caller, reference).ok_or(BAD_ATTACHMENT)?;
        response.properties = Some(file_properties(found, options.range, parts)?);
        return Ok(());
    }
    if options.body_part_preference.as_ref().is_some_and(|part| part.body_type != 2) {
        return Err(BAD_PART_TYPE);
    }
    let desk = state.desk(caller).ok_or(NOT_FOUND)?;
    let (folder, item) = find(desk.mailbox, asked)?;
    let item = if desk.switches.has(Switch::FetchWrongItem) { neighbour(desk.mailbox, &folder, item) } else { item };
    let class = desk.mailbox.folder(&folder).map_or(Class::Email, |folder| class_of(folder.folder_type));
    let wanted = Wanted {
        version: caller.version,
        preferences: &options.body_preferences,
        part: options.body_part_preference.as_ref(),
        mime_support: options.mime_support.unwrap_or(0),
        truncation: None,
        mime_truncation: None,
        switches: desk.switches,
    };
    let properties = Item::build(tag::PROPERTIES, |out| match &item.content {
        Content::Mail(mail) => write_mail(mail, &item.id, &wanted, parts.as_mut(), out),
        Content::Fields(fields) => write_fields(fields, &class, &wanted, parts.as_mut(), out),
    });
    response.properties = Some(match &options.schema {
        Some(schema) if !schema.is_empty() => only(&properties, schema),
        _ => properties,
    });
    response.class = Some(class);
    Ok(())
}

fn find<'m>(mailbox: &'m Mailbox, asked: &Fetch) -> Result<(CollectionId, &'m StoredItem), u16> {
    if let Some(long_id) = &asked.long_id {
        return mailbox.resolve_long_id(long_id).ok_or(NOT_FOUND);
    }
    let id = asked.server_id.as_ref().ok_or(PROTOCOL_ERROR)?;
    let folder = asked.collection_id.as_ref().ok_or(PROTOCOL_ERROR)?;
    mailbox.item(folder, id).map(|item| (folder.clone(), item)).ok_or(NOT_FOUND)
}

fn neighbour<'m>(mailbox: &'m Mailbox, folder: &CollectionId, item: &'m StoredItem) -> &'m StoredItem {
    mailbox.items(folder).find(|other| other.id != item.id).unwrap_or(item)
}

/// The elements the client asked for by name.
fn only(properties: &Item, schema: &[Tag]) -> Item {
    Item::build(tag::PROPERTIES, |out| {
        for child in properties.root().children().filter(|child| schema.contains(&child.tag())) {
            out.append(child);
        }
    })
}

/// An attachment, whole or the bytes of a range; in the document it is base64, as a part it is raw.
fn file_properties(
    (content_type, bytes): (String, Vec<u8>),
    range: Option<Range>,
    parts: &mut Option<Parts>,
) -> Result<Item, u16> {
    let total = bytes.len();
    let (first, last) = match range {
        None => (0, total),
        Some(range) if range.first as usize >= total => return Err(BAD_RANGE),
        Some(range) => (range.first as usize, (range.last as usize).saturating_add(1).min(total)),
    };
    let data = bytes.get(first..last).ok_or(BAD_RANGE)?.to_vec();
    Ok(Item::build(tag::PROPERTIES, |out| {
        out.leaf(base::CONTENT_TYPE, &content_type);
        if range.is_some() {
            out.leaf(tag::RANGE, &format!("{first}-{}", last.saturating_sub(1)));
            out.leaf(tag::TOTAL, &total.to_string());
        }
        match parts {
            Some(parts) => out.leaf(tag::PART, &parts.add(data).to_string()),
            None => out.leaf(tag::DATA, &BASE64_STANDARD.encode(data)),
        };
    }))
}

fn empty(state: &mut State, caller: &Caller, folder: &CollectionId, deep: bool) -> Result<(), u16> {
    let desk = state.desk(caller).ok_or(NOT_FOUND)?;
    desk.mailbox.folder(folder).ok_or(NOT_FOUND)?;
    let ids: Vec<ServerId> = desk.mailbox.items(folder).map(|item| item.id.clone()).collect();
    for id in ids {
        desk.mailbox.remove(folder, &id);
    }
    if deep {
        for below in desk.mailbox.below(folder) {
            desk.mailbox.remove_folder(&below);
        }
    }
    Ok(())
}

/// Moves every message of a conversation; later ones follow (14.0+).
fn move_conversation(state: &mut State, caller: &Caller, id: &[u8], to: &CollectionId) -> Result<(), u16> {
    if caller.version < Version::V14_0 {
        return Err(PROTOCOL_ERROR);
    }
    let keep_id = state.behaviour.move_keeps_id;
    let desk = state.desk(caller).ok_or(NOT_FOUND)?;
    let target = desk.mailbox.folder(to).filter(|folder| class_of(folder.folder_type) == Class::Email);
    target.ok_or(BAD_DESTINATION)?;
    let drafts = desk.mailbox.built_in(Kind::Drafts).cloned();
    let folders: Vec<CollectionId> = desk.mailbox.folders().map(|folder| folder.server_id.clone()).collect();
    let mut conversation = None;
    for folder in folders.iter().filter(|folder| *folder != to && Some(*folder) != drafts.as_ref()) {
        let members =
            desk.mailbox.items(folder).filter(|item| item.mail().is_some_and(|mail| mail.conversation_id == id));
        let members: Vec<ServerId> = members.map(|item| item.id.clone()).collect();
        for member in members {
            conversation = conversation.or(desk
                .mailbox
                .item(folder, &member)
                .and_then(|item| item.mail())
                .map(|mail| mail.conversation_id));
            desk.mailbox.relocate(folder, &member, to, keep_id);
        }
    }
    desk.mailbox.follow(conversation.ok_or(NOT_FOUND)?, to);
    Ok(())
}
