use base64::{Engine, prelude::BASE64_STANDARD};
use easrig_eas::{CollectionId, ServerId, Version, command::Item};
use easrig_wbxml::tags::{air_sync_base as base, email, email2};

use crate::{
    Aspect, Caller, Content, Kind, Mail,
    command::send_mail::Outgoing,
    core::Desk,
    mime::{Draft, Sender, View, draft},
};

/// An item that is malformed or that a client may not send.
const CONVERSION: u16 = 6;

/// An item that is not there.
const NOT_FOUND: u16 = 8;

/// A draft to be sent that goes to nobody.
const NO_RECIPIENT: u16 = 183;

/// Makes a draft, or sends it at once when it says `Send` (16.0+); other mail cannot be added.
pub(super) fn add(
    desk: &mut Desk<'_>,
    caller: &Caller,
    folder: &CollectionId,
    data: &Item,
    outgoing: &mut Vec<Outgoing>,
) -> Result<Option<ServerId>, u16> {
    if caller.version < Version::V16_0 || desk.mailbox.built_in(Kind::Drafts) != Some(folder) {
        return Err(CONVERSION);
    }
    let mime = compose(desk, caller, data, None);
    if data.child(email2::SEND).is_some() {
        outgoing.push(send(mime)?);
        return Ok(None);
    }
    desk.mailbox.add(folder, Content::Mail(Box::new(as_draft(mime, caller)))).map(Some).ok_or(CONVERSION)
}

/// Changes a draft: what the change leaves out stays; with `Send` it goes.
pub(super) fn change(
    desk: &mut Desk<'_>,
    caller: &Caller,
    folder: &CollectionId,
    id: &ServerId,
    data: &Item,
    outgoing: &mut Vec<Outgoing>,
) -> Result<(), u16> {
    let old = desk.mailbox.item(folder, id).and_then(|item| item.mail()).map(|mail| mail.mime.clone());
    let mime = compose(desk, caller, data, Some(&old.ok_or(NOT_FOUND)?));
    if data.child(email2::SEND).is_some() {
        outgoing.push(send(mime)?);
        desk.mailbox.remove(folder, id);
        return Ok(());
    }
    desk.mailbox.change(folder, id, Aspect::Content, |content| {
        if let Content::Mail(mail) = content {
            **mail = as_draft(mime, caller);
        }
    });
    Ok(())
}

fn send(mime: Vec<u8>) -> Result<Outgoing, u16> {
    let has_recipients = View::parse(&mime).is_some_and(|view| !view.recipients().is_empty());
    if has_recipients { Ok(Outgoing { mime, save: true }) } else { Err(NO_RECIPIENT) }
}

fn as_draft(mime: Vec<u8>, caller: &Caller) -> Mail {
    Mail { draft: true, read: true, ..Mail::new(mime, caller.now) }
}

fn compose(desk: &mut Desk<'_>, caller: &Caller, data: &Item, old: Option<&[u8]>) -> Vec<u8> {
    let number = desk.device.keys.number();
    let old = old.and_then(View::parse);
    let text = |tag, old: Option<String>| data.text(tag).map(|text| text.into_owned()).or(old).unwrap_or_default();
    let before = |read: fn(&View<'_>) -> String| old.as_ref().map(read);
    let body = data.child(base::BODY).filter(|body| body.child(base::DATA).is_some());
    let (html, words) = match (body, &old) {
        (Some(body), _) => (
            body.child_text(base::TYPE).as_deref() == Some("2"),
            body.child_text(base::DATA).unwrap_or_default().into_owned(),
        ),
        (None, Some(old)) if old.is_html() => (true, old.html()),
        (None, old) => (false, old.as_ref().map(|old| old.text()).unwrap_or_default()),
    };
    let importance = data.text(email::IMPORTANCE).and_then(|text| text.parse().ok());
    draft(
        &Draft {
            to: &text(email::TO, before(|view| view.to())),
            cc: &text(email::CC, before(|view| view.cc())),
            bcc: &text(email2::BCC, before(|view| view.bcc())),
            subject: &text(email::SUBJECT, before(|view| view.subject().to_owned())),
            importance: importance.or(old.as_ref().map(View::importance)).unwrap_or(1),
            html,
            text: &words,
            files: files(data, old.as_ref()),
        },
        Sender { name: desk.name, address: desk.address, now: caller.now, number },
    )
}

type File = (String, String, Vec<u8>, Option<String>);

/// The files the draft had, without those the change deletes and with those it adds (MS-ASAIRS Attachments Add, Delete).
fn files(data: &Item, old: Option<&View<'_>>) -> Vec<File> {
    let changes = data.child(base::ATTACHMENTS);
    let deleted: Vec<usize> = changes
        .iter()
        .flat_map(|changes| changes.all(base::DELETE))
        .filter_map(|delete| Mail::resolve_reference(&delete.child_text(base::FILE_REFERENCE)?))
        .map(|(_, index)| index)
        .collect();
    let kept = old.into_iter().flat_map(View::attachments).enumerate().filter(|(index, _)| !deleted.contains(index));
    let mut files: Vec<File> = Vec::new();
    for (_, file) in kept {
        files.push((file.name, file.content_type, file.bytes.to_vec(), file.content_id.map(str::to_owned)));
    }
    for add in changes.iter().flat_map(|changes| changes.all(base::ADD)) {
        let text = |tag| add.child_text(tag).map(|text| text.into_owned());
        let content = add.child(base::CONTENT);
        let bytes = content.map(|content| match content.is_opaque() {
            true => content.bytes().into_owned(),
            false => BASE64_STANDARD.decode(content.text().trim()).unwrap_or_else(|_| content.bytes().into_owned()),
        });
        files.push((
            text(base::DISPLAY_NAME).unwrap_or_else(|| "attachment".to_owned()),
            text(base::CONTENT_TYPE).unwrap_or_else(|| "application/octet-stream".to_owned()),
            bytes.unwrap_or_default(),
            text(base::CONTENT_ID),
        ));
    }
    files
}
