//! From what the server sends to what the owner sees.

use easrig_eas::{
    CollectionId, ServerId,
    command::{Item, sync::ServerCommand},
};
use easrig_wbxml::{
    Element, Tag,
    tags::{air_sync_base as base, calendar, contacts, email, notes, tasks},
};

use crate::{ItemKind, OwnerAttachment, OwnerItem, phone::memory::Core};

/// The most items of all folders together.
const MOST_ITEMS: usize = 100_000;

/// The most characters of a text.
const MOST_TEXT: usize = 256 * 1024;

/// The most attachments of an item.
const MOST_ATTACHMENTS: usize = 256;

impl Core {
    /// Applies what the server changed in a folder.
    pub(super) fn apply(&mut self, folder: &CollectionId, commands: &[ServerCommand]) {
        if commands.is_empty() {
            return;
        }
        let kind = self.kind(folder).items();
        let view = self.owner();
        for command in commands {
            let place = |id: &ServerId, items: &[OwnerItem]| {
                items.iter().position(|item| item.folder == *folder && item.server_id == *id)
            };
            match command {
                ServerCommand::Add { server_id, application_data, .. }
                | ServerCommand::Change { server_id, application_data, .. } => {
                    let room = view.items.len() < MOST_ITEMS;
                    match place(server_id, &view.items).and_then(|at| view.items.get_mut(at)) {
                        Some(known) => known.learn(application_data.root()),
                        None if room => {
                            let mut item = OwnerItem::new(kind, folder.clone(), server_id.clone());
                            item.learn(application_data.root());
                            view.items.push(item);
                        }
                        None => {}
                    }
                }
                ServerCommand::Delete { server_id, .. } | ServerCommand::SoftDelete { server_id } => {
                    if let Some(at) = place(server_id, &view.items) {
                        view.items.remove(at);
                    }
                }
            }
        }
    }

    /// Adds to an item what was fetched of it.
    pub(super) fn learn(&mut self, folder: &CollectionId, item: &ServerId, content: &Item) {
        let known = |known: &&mut OwnerItem| known.folder == *folder && known.server_id == *item;
        if let Some(known) = self.owner().items.iter_mut().find(known) {
            known.learn(content.root());
        }
    }
}

impl OwnerItem {
    pub(super) fn new(kind: ItemKind, folder: CollectionId, server_id: ServerId) -> Self {
        Self {
            kind,
            folder,
            server_id,
            subject: String::new(),
            from: String::new(),
            read: false,
            flagged: false,
            body: String::new(),
            html: false,
            truncated: false,
            meeting_uid: None,
            attachments: Vec::new(),
        }
    }

    /// Takes over what a document says; what it does not speak of stays.
    pub(super) fn learn(&mut self, content: Element<'_>) {
        for child in content.children() {
            match child.tag() {
                email::SUBJECT | calendar::SUBJECT | tasks::SUBJECT | notes::SUBJECT => self.subject = text(child),
                contacts::FILE_AS => self.subject = text(child),
                contacts::FIRST_NAME | contacts::LAST_NAME if self.subject.is_empty() => self.subject = text(child),
                email::FROM | calendar::ORGANIZER_EMAIL => self.from = text(child),
                email::READ => self.read = text(child) == "1",
                email::FLAG => {
                    self.flagged = child.child_text(email::STATUS).is_some_and(|status| status.trim() == "2")
                }
                base::BODY => self.learn_body(child),
                email::BODY | calendar::BODY | tasks::BODY => self.body = text(child),
                email::MEETING_REQUEST => self.meeting_uid = uid(child),
                email::BODY_TRUNCATED => self.truncated = text(child) == "1",
                base::ATTACHMENTS | email::ATTACHMENTS => self.learn_attachments(child),
                _ => {}
            }
        }
    }

    fn learn_body(&mut self, body: Element<'_>) {
        let kind = body.child_text(base::TYPE).unwrap_or_default();
        let Some(data) = body.child(base::DATA) else {
            self.truncated = true;
            return;
        };
        self.truncated = body.child_text(base::TRUNCATED).is_some_and(|cut| cut.trim() == "1");
        (self.body, self.html) = match kind.trim() {
            "4" => mime_text(&data.bytes()),
            kind => (text(data), kind == "2"),
        };
    }

    fn learn_attachments(&mut self, list: Element<'_>) {
        let said = |element: Element<'_>, tags: [Tag; 2]| {
            tags.into_iter().find_map(|tag| element.child_text(tag)).unwrap_or_default().into_owned()
        };
        self.attachments = list
            .children()
            .filter(|child| matches!(child.tag(), base::ATTACHMENT | email::ATTACHMENT))
            .take(MOST_ATTACHMENTS)
            .map(|child| OwnerAttachment {
                name: said(child, [base::DISPLAY_NAME, email::DISPLAY_NAME]),
                reference: said(child, [base::FILE_REFERENCE, email::ATT_NAME]),
                size: said(child, [base::ESTIMATED_DATA_SIZE, email::ATT_SIZE]).trim().parse().unwrap_or_default(),
                content: None,
            })
            .collect();
    }
}

fn text(element: Element<'_>) -> String {
    let mut text = element.text().into_owned();
    if text.len() > MOST_TEXT {
        let end = (0..=MOST_TEXT).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        text.truncate(end);
    }
    text
}

/// The UID of a meeting: itself from 16.0 on, before that inside GlobalObjId (MS-ASEMAIL 2.2.2.37).
fn uid(meeting: Element<'_>) -> Option<String> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    if let Some(uid) = meeting.child_text(calendar::UID) {
        return Some(uid.into_owned());
    }
    let id = STANDARD.decode(meeting.child_text(email::GLOBAL_OBJ_ID)?.trim()).ok()?;
    // Behind 40 bytes of head: `vCal-Uid`, four bytes, and the UID of another calendar program, ended by a zero.
    if let Some(rest) = id.get(40..).filter(|rest| rest.starts_with(b"vCal-Uid")).and_then(|rest| rest.get(12..)) {
        let text = rest.split(|byte| *byte == 0).next().unwrap_or_default();
        return Some(String::from_utf8_lossy(text).into_owned());
    }
    Some(id.iter().map(|byte| format!("{byte:02X}")).collect())
}

/// The texts a reader of the message would see, and whether they are formatted.
fn mime_text(bytes: &[u8]) -> (String, bool) {
    let Some(message) = mail_parser::MessageParser::default().parse(bytes) else { return (String::new(), false) };
    let formatted = message.html_bodies().any(|part| part.is_text_html());
    (text_of(&message), formatted)
}

impl OwnerAttachment {
    /// The text of a mail attached as such (`message/rfc822`); `None` when it was not opened or is another kind of file. ActiveSync
    /// tells no media type of a listed attachment, so a mail is what begins with the fields that every mail has: From and Date
    /// (RFC 5322 3.6).
    pub fn mail_text(&self) -> Option<String> {
        let message = mail_parser::MessageParser::default().parse(self.content.as_deref()?)?;
        let is_mail = message.from().is_some() && message.date().is_some();
        is_mail.then(|| text_of(&message))
    }
}

/// The texts of a message, one below the other.
fn text_of(message: &mail_parser::Message<'_>) -> String {
    let texts = (0..message.text_body_count()).filter_map(|at| message.body_text(at));
    texts.map(|part| part.chars().take(MOST_TEXT).collect::<String>()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attached_mail_has_a_text_and_any_other_file_has_none() {
        let text = |content: &[u8]| {
            OwnerAttachment { content: Some(content.to_vec()), ..OwnerAttachment::default() }.mail_text()
        };
        let mail = b"Received: from x\r\nFrom: bob@example.test\r\nDate: Sun, 22 Nov 2026 11:14:04 +0000\r\n\
            Content-Transfer-Encoding: base64\r\n\r\nVGhlIG1pbnV0ZXMu\r\n";
        assert_eq!(text(mail).as_deref(), Some("The minutes."));
        assert_eq!(text(b"The minutes."), None);
        assert_eq!(text(&[0, 159, 146, 150]), None);
        assert_eq!(OwnerAttachment::default().mail_text(), None);
    }
}
