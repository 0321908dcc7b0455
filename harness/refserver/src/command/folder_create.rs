use easrig_eas::{
    CollectionId,
    command::{
        folder_create::{Request, Response},
        folder_sync::FolderType,
    },
    status::Status,
};
use easrig_wbxml::Document;

use super::folder_sync::{BAD_KEY, MALFORMED, advance, known_folders};
use crate::{
    Answer, Caller, State, Switch,
    core::Desk,
    store::{is_user_made, top},
};

/// The name is taken under that parent.
const EXISTS: u16 = 2;

/// The recipient cache is the server's own.
const SPECIAL: u16 = 3;

/// See the standard's list of folder types.
const RECIPIENT_CACHE: FolderType = FolderType(19);

/// There is no such parent.
const NO_PARENT: u16 = 5;

/// The longest name, in characters.
const NAME_MOST: usize = 256;

/// Makes a folder.
pub(crate) fn run(state: &mut State, caller: &Caller, document: Option<&Document>) -> Answer {
    let Some(Ok(request)) = document.map(|document| Request::from_document(document, caller.version)) else {
        return caller.status(MALFORMED);
    };
    let Some(mut desk) = state.desk(caller) else { return caller.refuse(Status::SERVER_ERROR) };
    match create(&mut desk, &request) {
        Ok(response) => Answer::wbxml(&response.to_document(caller.version)),
        Err(status) => caller.status(status),
    }
}

fn create(desk: &mut Desk<'_>, request: &Request) -> Result<Response, u16> {
    let base = known_folders(desk, &request.sync_key).ok_or(BAD_KEY)?;
    let name = request.display_name.trim();
    if request.folder_type == RECIPIENT_CACHE {
        return Err(SPECIAL);
    }
    if !is_user_made(request.folder_type) || name.is_empty() || name.chars().count() > NAME_MOST {
        return Err(MALFORMED);
    }
    let parent = &request.parent_id;
    if *parent != top() && desk.mailbox.folder(parent).is_none() {
        return Err(NO_PARENT);
    }
    if name_is_taken(desk, parent, name, None) && !desk.switches.has(Switch::FolderCreateDuplicate) {
        return Err(EXISTS);
    }
    let id = desk.mailbox.add_folder(parent, name, request.folder_type).ok_or(6_u16)?;
    let mut folders = base.folders.clone();
    folders.extend(desk.mailbox.folder(&id).map(|folder| (id.clone(), folder.clone())));
    let key = advance(desk, Some(base), folders);
    Ok(Response { status: Status::SUCCESS, sync_key: Some(key), server_id: Some(id) })
}

/// Whether another folder than `but` has this name under that parent.
pub(super) fn name_is_taken(desk: &Desk<'_>, parent: &CollectionId, name: &str, but: Option<&CollectionId>) -> bool {
    let name = name.to_lowercase();
    desk.mailbox.folders().any(|folder| {
        folder.parent_id == *parent && folder.display_name.to_lowercase() == name && Some(&folder.server_id) != but
    })
}
