use easrig_eas::{ServerId, Version, command::Class, date::EasDate};
use easrig_wbxml::{
    Builder,
    tags::{air_sync_base as base, calendar, contacts, email, email2, notes, tasks},
};
use jiff::{SignedDuration, Timestamp};

use super::{
    Attachment, Mail, View, Wanted,
    body::{Body, cut_at, old_mime_limit, old_text_limit},
    meeting,
};
use crate::{Fields, Note, Stamps, Switch};

/// The parts of a multipart answer, behind the document.
#[derive(Debug, Default)]
pub(crate) struct Parts(pub(crate) Vec<Vec<u8>>);

impl Parts {
    /// Keeps the bytes and gives their number; the document is number 0.
    pub(crate) fn add(&mut self, bytes: Vec<u8>) -> usize {
        self.0.push(bytes);
        self.0.len()
    }
}

/// Writes everything about a message into the open element.
pub(crate) fn write_mail(
    mail: &Mail,
    id: &ServerId,
    wanted: &Wanted<'_>,
    parts: Option<&mut Parts>,
    into: &mut Builder,
) {
    let Some(view) = View::parse(&mail.mime) else { return };
    let version = wanted.version;
    write_addresses(&view, mail, into);
    into.leaf(email::IMPORTANCE, &view.importance().to_string());
    into.leaf(email::READ, flag(mail.read));
    let meeting = view.invitation().filter(|meeting| meeting.method != super::Method::Other);
    if version >= Version::V12_0 {
        write_files(&files(&view, wanted), id, into);
        write_body(&wanted.mail_body(&view, &mail.mime), parts, into);
        write_body_part(&view, wanted, into);
    } else {
        write_old_files(&files(&view, wanted), id, into);
        write_old_body(&view, &mail.mime, wanted, into);
    }
    into.leaf(email::MESSAGE_CLASS, message_class(&view, meeting.as_ref()));
    if let Some(meeting) = &meeting {
        meeting::write_request(meeting, version, into);
    }
    into.leaf(email::INTERNET_CPID, "65001");
    if version >= Version::V12_0 {
        write_flag(mail, into);
        let class =
            if meeting.is_some() { "urn:content-classes:calendarmessage" } else { "urn:content-classes:message" };
        into.leaf(email::CONTENT_CLASS, class);
        into.leaf(base::NATIVE_BODY_TYPE, if view.is_html() { "2" } else { "1" });
    }
    if version >= Version::V14_0 {
        into.opaque(email2::CONVERSATION_ID, &mail.conversation_id);
        into.opaque(email2::CONVERSATION_INDEX, &mail.conversation_index);
        write_verb(mail, into);
        write_categories(mail, into);
        if mail.received_as_bcc {
            into.leaf(email2::RECEIVED_AS_BCC, "1");
        }
    }
    if version >= Version::V16_0 {
        into.leaf(email2::IS_DRAFT, flag(mail.draft));
        if mail.draft && !view.bcc().is_empty() {
            into.leaf(email2::BCC, &view.bcc());
        }
    }
}

/// Writes only what changed since `known`; false when the message itself did, so that all of it has to go.
pub(crate) fn write_changed(mail: &Mail, known: Stamps, now: Stamps, version: Version, into: &mut Builder) -> bool {
    if known.content != now.content {
        return false;
    }
    if known.read != now.read {
        into.leaf(email::READ, flag(mail.read));
    }
    if known.flag != now.flag && version >= Version::V12_0 {
        write_flag(mail, into);
    }
    if version >= Version::V14_0 {
        if known.verb != now.verb {
            write_verb(mail, into);
        }
        if known.categories != now.categories {
            write_categories(mail, into);
        }
    }
    true
}

/// Writes an appointment, contact, task or note into the open element.
pub(crate) fn write_fields(
    fields: &Fields,
    class: &Class,
    wanted: &Wanted<'_>,
    parts: Option<&mut Parts>,
    into: &mut Builder,
) {
    let version = wanted.version;
    let shifted = wanted.switches.has(Switch::AllDayShifted).then(|| shifted(fields)).flatten();
    shifted.as_ref().unwrap_or(fields).write(version, into);
    if *class == Class::Notes && fields.get(notes::MESSAGE_CLASS).is_none() {
        into.leaf(notes::MESSAGE_CLASS, "IPM.StickyNote");
    }
    let Some(note) = &fields.note else { return };
    if version >= Version::V12_0 {
        write_body(&wanted.note_body(note), parts, into);
        into.leaf(base::NATIVE_BODY_TYPE, &note.body_type.to_string());
    } else {
        write_old_note(note, class, wanted, into);
    }
}

/// An all-day event that begins an hour late.
fn shifted(fields: &Fields) -> Option<Fields> {
    if fields.text(calendar::ALL_DAY_EVENT).as_deref() != Some("1") {
        return None;
    }
    let start: EasDate = fields.text(calendar::START_TIME)?.parse().ok()?;
    let mut shifted = fields.clone();
    let later = start.at.checked_add(SignedDuration::from_hours(1)).ok()?;
    shifted.set(calendar::START_TIME, &EasDate::compact(later).to_string());
    Some(shifted)
}

fn write_addresses(view: &View<'_>, mail: &Mail, into: &mut Builder) {
    for (tag, value) in [
        (email::TO, view.to()),
        (email::CC, view.cc()),
        (email::FROM, view.from()),
        (email::SUBJECT, view.subject().to_owned()),
        (email::REPLY_TO, view.reply_to()),
        (email::DATE_RECEIVED, extended(mail.received)),
        (email::DISPLAY_TO, view.display_to()),
        (email::THREAD_TOPIC, view.topic()),
    ] {
        if !value.is_empty() {
            into.leaf(tag, &value);
        }
    }
}

fn files<'v>(view: &'v View<'_>, wanted: &Wanted<'_>) -> Vec<Attachment<'v>> {
    if wanted.switches.has(Switch::AttachmentsHidden) { Vec::new() } else { view.attachments() }
}

fn write_files(files: &[Attachment<'_>], id: &ServerId, into: &mut Builder) {
    if files.is_empty() {
        return;
    }
    into.open(base::ATTACHMENTS);
    for (index, file) in files.iter().enumerate() {
        into.open(base::ATTACHMENT);
        into.leaf(base::DISPLAY_NAME, &file.name);
        into.leaf(base::FILE_REFERENCE, &Mail::file_reference(id, index));
        into.leaf(base::METHOD, if file.is_message { "5" } else { "1" });
        into.leaf(base::ESTIMATED_DATA_SIZE, &file.bytes.len().to_string());
        if let Some(content_id) = file.content_id {
            into.leaf(base::CONTENT_ID, content_id);
        }
        if file.inline {
            into.leaf(base::IS_INLINE, "1");
        }
        into.close();
    }
    into.close();
}

fn write_old_files(files: &[Attachment<'_>], id: &ServerId, into: &mut Builder) {
    if files.is_empty() {
        return;
    }
    into.open(email::ATTACHMENTS);
    for (index, file) in files.iter().enumerate() {
        into.open(email::ATTACHMENT);
        into.leaf(email::ATT_METHOD, if file.is_message { "5" } else { "1" });
        into.leaf(email::ATT_SIZE, &file.bytes.len().to_string());
        into.leaf(email::DISPLAY_NAME, &file.name);
        into.leaf(email::ATT_NAME, &Mail::file_reference(id, index));
        into.close();
    }
    into.close();
}

/// Writes a body; with `parts`, its data goes there and the document says where.
fn write_body(body: &Body, parts: Option<&mut Parts>, into: &mut Builder) {
    into.open(base::BODY).leaf(base::TYPE, &body.body_type.to_string());
    into.leaf(base::ESTIMATED_DATA_SIZE, &body.whole.to_string());
    if body.truncated {
        into.leaf(base::TRUNCATED, "1");
    }
    match (&body.data, parts) {
        (Some(data), Some(parts)) => {
            let number = parts.add(data.clone());
            into.leaf(easrig_wbxml::tags::item_operations::PART, &number.to_string());
        }
        (Some(data), None) => write_data(data, into),
        (None, _) => {}
    }
    if let Some(preview) = &body.preview {
        into.leaf(base::PREVIEW, preview);
    }
    into.close();
}

fn write_data(data: &[u8], into: &mut Builder) {
    match std::str::from_utf8(data) {
        Ok(text) => into.leaf(base::DATA, text),
        Err(_) => into.opaque(base::DATA, data),
    };
}

/// The part of a conversation's message: here the whole message as HTML (MS-ASCON 2.2.2.1, 14.1+).
fn write_body_part(view: &View<'_>, wanted: &Wanted<'_>, into: &mut Builder) {
    let Some(part) = wanted.part.filter(|_| wanted.version >= Version::V14_1) else { return };
    let html = view.html();
    let most = part.truncation_size.map_or(usize::MAX, |most| most as usize);
    let cut = cut_at(html.as_bytes(), most);
    let truncated = cut.len() < html.len();
    into.open(base::BODY_PART).leaf(base::STATUS, "1").leaf(base::TYPE, "2");
    into.leaf(base::ESTIMATED_DATA_SIZE, &html.len().to_string());
    if truncated {
        into.leaf(base::TRUNCATED, "1");
    }
    if !(truncated && part.all_or_none == Some(true)) {
        write_data(cut, into);
    }
    if let Some(most) = part.preview {
        let preview: String = view.text().chars().take(most.min(255) as usize).collect();
        into.leaf(base::PREVIEW, &preview);
    }
    into.close();
}

fn write_old_body(view: &View<'_>, mime: &[u8], wanted: &Wanted<'_>, into: &mut Builder) {
    let as_mime = wanted.mime_support == 2 || (wanted.mime_support == 1 && view.is_smime());
    let ignored = wanted.switches.has(Switch::TruncationIgnored);
    let limit = |most: Option<usize>| if ignored { usize::MAX } else { most.unwrap_or(usize::MAX) };
    if as_mime {
        let cut = cut_at(mime, limit(old_mime_limit(wanted.mime_truncation)));
        into.leaf(email::MIME_TRUNCATED, flag(cut.len() < mime.len()));
        into.leaf(email::MIME_DATA, &String::from_utf8_lossy(cut));
        into.leaf(email::MIME_SIZE, &mime.len().to_string());
        return;
    }
    let text = view.text();
    let cut = cut_at(text.as_bytes(), limit(old_text_limit(wanted.truncation)));
    into.leaf(email::BODY_TRUNCATED, flag(cut.len() < text.len()));
    into.leaf(email::BODY, &String::from_utf8_lossy(cut));
    into.leaf(email::BODY_SIZE, &text.len().to_string());
}

fn write_old_note(note: &Note, class: &Class, wanted: &Wanted<'_>, into: &mut Builder) {
    let (body, size, truncated) = match class {
        Class::Contacts => (contacts::BODY, Some(contacts::BODY_SIZE), contacts::BODY_TRUNCATED),
        Class::Tasks => (tasks::BODY, Some(tasks::BODY_SIZE), tasks::BODY_TRUNCATED),
        Class::Calendar => (calendar::BODY, None, calendar::BODY_TRUNCATED),
        _ => return,
    };
    let cut = cut_at(note.data.as_bytes(), old_text_limit(wanted.truncation).unwrap_or(usize::MAX));
    into.leaf(body, &String::from_utf8_lossy(cut));
    if let Some(size) = size {
        into.leaf(size, &note.data.len().to_string());
    }
    into.leaf(truncated, flag(cut.len() < note.data.len()));
}

fn write_flag(mail: &Mail, into: &mut Builder) {
    match &mail.flag {
        Some(flag) => into.append(flag.root()),
        None => into.empty(email::FLAG),
    };
}

fn write_verb(mail: &Mail, into: &mut Builder) {
    if let Some((verb, at)) = mail.verb {
        into.leaf(email2::LAST_VERB_EXECUTED, &verb.number().to_string());
        into.leaf(email2::LAST_VERB_EXECUTION_TIME, &extended(at));
    }
}

fn write_categories(mail: &Mail, into: &mut Builder) {
    if mail.categories.is_empty() {
        into.empty(email::CATEGORIES);
        return;
    }
    into.open(email::CATEGORIES);
    for category in &mail.categories {
        into.leaf(email::CATEGORY, category);
    }
    into.close();
}

fn message_class(view: &View<'_>, meeting: Option<&super::Invitation>) -> &'static str {
    match meeting {
        Some(meeting) => meeting::message_class(meeting),
        None if view.subject().starts_with("Undeliverable:") => "REPORT.IPM.Note.NDR",
        None if view.is_smime() => "IPM.Note.SMIME",
        None => "IPM.Note",
    }
}

/// `2024-01-01T00:00:00.000Z`, the form of the mail classes.
pub(super) fn extended(at: Timestamp) -> String {
    EasDate::extended(at).to_string()
}

fn flag(value: bool) -> &'static str {
    if value { "1" } else { "0" }
}
