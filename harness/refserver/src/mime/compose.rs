use jiff::{Timestamp, tz::TimeZone};
use mail_builder::{
    MessageBuilder,
    headers::{HeaderType, content_type::ContentType, raw::Raw as RawHeader},
    mime::MimePart,
};

use super::{Invitation, Verb, View, header::Raw};

/// Whose message it is and when it goes.
#[derive(Clone, Copy)]
pub(crate) struct Sender<'a> {
    pub(crate) name: &'a str,
    pub(crate) address: &'a str,
    pub(crate) now: Timestamp,
    /// What the message id is made of; never the same twice.
    pub(crate) number: u64,
}

impl Sender<'_> {
    fn message_id(&self) -> String {
        let domain = self.address.rsplit('@').next().unwrap_or("localhost");
        format!("{:016x}@{domain}", self.number)
    }
}

/// Adds what a message needs on its way: sender, date and message id where they are missing; blind receivers go.
pub(crate) fn prepare(mime: &[u8], sender: Sender<'_>, keep_bcc: bool) -> Vec<u8> {
    let raw = Raw::split(mime);
    let mut out = Vec::with_capacity(mime.len() + 256);
    let drop: &[&str] = if keep_bcc { &[] } else { &["Bcc"] };
    for field in raw.without(drop) {
        out.extend_from_slice(field);
        if !field.ends_with(b"\n") {
            out.extend_from_slice(b"\r\n");
        }
    }
    let mut add = |name: &str, value: String| {
        if !raw.has(name) {
            out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
    };
    add("From", format!("\"{}\" <{}>", sender.name, sender.address));
    add("Date", rfc2822(sender.now));
    add("Message-ID", format!("<{}>", sender.message_id()));
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(raw.body);
    out
}

/// The new message with the original below it; what a forward carries goes along (MS-ASCMD 2.2.1.19, 2.2.1.20).
pub(crate) fn original(new: &[u8], source: &[u8], verb: Verb) -> Vec<u8> {
    let (Some(view), Some(old)) = (View::parse(new), View::parse(source)) else { return new.to_vec() };
    let raw = Raw::split(new);
    let mut out = Vec::with_capacity(new.len() + source.len());
    for field in raw.without(&["Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "MIME-Version"]) {
        out.extend_from_slice(field);
    }
    out.extend_from_slice(reference_fields(&raw, &old).as_bytes());
    out.extend_from_slice(b"MIME-Version: 1.0\r\n");
    let mut body = MessageBuilder::new().text_body(format!("{}\r\n\r\n{}{}", view.text(), quoted(&old), old.text()));
    if view.is_html() || old.is_html() {
        let head = mail_parser::decoders::html::text_to_html(&quoted(&old));
        body = body.html_body(format!("{}<hr>{head}{}", view.html(), old.html()));
    }
    let (mine, theirs) = (view.attachments(), old.attachments());
    let theirs = if verb == Verb::Forward { theirs } else { Vec::new() };
    for file in mine.iter().chain(&theirs) {
        body = match (file.inline, file.content_id) {
            (true, Some(id)) => body.inline(file.content_type.clone(), id.to_owned(), file.bytes.to_vec()),
            _ => body.attachment(file.content_type.clone(), file.name.clone(), file.bytes.to_vec()),
        };
    }
    body.serialize_body(&mut out);
    out
}

fn reference_fields(raw: &Raw<'_>, old: &View<'_>) -> String {
    let Some(id) = old.message_id() else { return String::new() };
    let mut fields = String::new();
    if !raw.has("In-Reply-To") {
        fields += &format!("In-Reply-To: <{id}>\r\n");
    }
    if !raw.has("References") {
        let chain: Vec<String> = old.references().into_iter().chain([id]).map(|id| format!("<{id}>")).collect();
        fields += &format!("References: {}\r\n", chain.join("\r\n "));
    }
    fields
}

fn quoted(old: &View<'_>) -> String {
    let cc = match old.cc() {
        cc if cc.is_empty() => String::new(),
        cc => format!("Cc: {cc}\r\n"),
    };
    let head = "-----Original Message-----";
    format!("{head}\r\nFrom: {}\r\nTo: {}\r\n{cc}Subject: {}\r\n\r\n", old.from(), old.to(), old.subject())
}

/// The report that some receivers of a message could not be reached.
pub(crate) fn bounce(sent: &[u8], failed: &[String], sender: Sender<'_>, domain: &str) -> Vec<u8> {
    let view = View::parse(sent);
    let subject = view.as_ref().map(|view| view.subject().to_owned()).unwrap_or_default();
    let list = failed.join("\r\n");
    let text = format!(
        "Your message could not be delivered to:\r\n\r\n{list}\r\n\r\nThere is no such mailbox here, and this server sends nothing to others.\r\n"
    );
    let status = failed.iter().fold(format!("Reporting-MTA: dns; {domain}\r\n"), |text, address| {
        text + &format!("\r\nFinal-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: 5.1.1\r\n")
    });
    let report = ContentType::new("multipart/report").attribute("report-type", "delivery-status");
    let headers: Vec<u8> = Raw::split(sent).fields.concat();
    let parts = vec![
        MimePart::new("text/plain", text),
        MimePart::new("message/delivery-status", status),
        MimePart::new("text/rfc822-headers", String::from_utf8_lossy(&headers).into_owned()),
    ];
    let message = MessageBuilder::new()
        .from(("Mail Delivery".to_owned(), format!("postmaster@{domain}")))
        .to(sender.address.to_owned())
        .subject(format!("Undeliverable: {subject}"))
        .body(MimePart::new(report, parts));
    serialize(message, Sender { address: &format!("postmaster@{domain}"), ..sender })
}

/// A message being written, as the elements of a draft say it (16.0+).
pub(crate) struct Draft<'a> {
    pub(crate) to: &'a str,
    pub(crate) cc: &'a str,
    pub(crate) bcc: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) importance: u8,
    pub(crate) html: bool,
    pub(crate) text: &'a str,
    /// Name, type, bytes and, where the text shows it, content id.
    pub(crate) files: Vec<(String, String, Vec<u8>, Option<String>)>,
}

/// The message of a draft.
pub(crate) fn draft(draft: &Draft<'_>, sender: Sender<'_>) -> Vec<u8> {
    let mut message = MessageBuilder::new()
        .from((sender.name.to_owned(), sender.address.to_owned()))
        .subject(one_line(draft.subject));
    for (name, value) in [("To", draft.to), ("Cc", draft.cc), ("Bcc", draft.bcc)] {
        if !value.is_empty() {
            message = message.header(name, HeaderType::Raw(RawHeader::new(one_line(value))));
        }
    }
    if draft.importance != 1 {
        let word = if draft.importance == 2 { "high" } else { "low" };
        message = message.header("Importance", HeaderType::Raw(RawHeader::new(word)));
    }
    message = match draft.html {
        true => message.html_body(draft.text.to_owned()),
        false => message.text_body(draft.text.to_owned()),
    };
    for (name, kind, bytes, content_id) in &draft.files {
        message = match content_id {
            Some(id) => message.inline(kind.clone(), id.clone(), bytes.clone()),
            None => message.attachment(kind.clone(), name.clone(), bytes.clone()),
        };
    }
    serialize(message, sender)
}

/// The message that carries an invitation, an answer or a cancellation.
pub(crate) fn meeting_message(
    meeting: &Invitation,
    subject: &str,
    text: &str,
    to: &[String],
    sender: Sender<'_>,
) -> Vec<u8> {
    let calendar =
        ContentType::new("text/calendar").attribute("charset", "utf-8").attribute("method", meeting.method.name());
    let parts = vec![MimePart::new("text/plain", text.to_owned()), MimePart::new(calendar, meeting.to_ical())];
    let message = MessageBuilder::new()
        .from((sender.name.to_owned(), sender.address.to_owned()))
        .to(to.to_vec())
        .subject(one_line(subject))
        .body(MimePart::new("multipart/alternative", parts));
    serialize(message, sender)
}

fn serialize(message: MessageBuilder<'_>, sender: Sender<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    message.date(sender.now.as_second()).message_id(sender.message_id()).serialize(&mut out);
    out
}

/// Header values come from the network: no line ends.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn rfc2822(at: Timestamp) -> String {
    jiff::fmt::rfc2822::to_string(&at.to_zoned(TimeZone::UTC)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender() -> Sender<'static> {
        Sender { name: "Alice", address: "alice@easrig.test", now: Timestamp::UNIX_EPOCH, number: 7 }
    }

    #[test]
    fn blind_receivers_are_removed_and_missing_fields_added() {
        let out = String::from_utf8(prepare(b"To: b@x\r\nBcc: c@x\r\n\r\nhi", sender(), false)).unwrap();
        assert!(!out.contains("c@x") && out.contains("From: \"Alice\" <alice@easrig.test>\r\n"));
        assert!(out.contains("Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n") && out.ends_with("\r\n\r\nhi"), "{out}");
    }

    #[test]
    fn a_forward_carries_text_and_files_of_the_original() {
        let old = b"From: b@x\r\nSubject: tea\r\nMessage-ID: <1@x>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nwhite or green\r\n--b\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename=a.csv\r\n\r\n1,2\r\n--b--\r\n";
        let new = original(b"To: c@x\r\nSubject: Fw: tea\r\n\r\nsee below", old, Verb::Forward);
        let view = View::parse(&new).unwrap();
        assert!(view.text().contains("see below") && view.text().contains("white or green"));
        assert_eq!(
            view.attachments().first().map(|file| (file.name.clone(), file.bytes.to_vec())),
            Some(("a.csv".to_owned(), b"1,2".to_vec()))
        );
        assert_eq!((view.references(), view.subject()), (vec!["1@x".to_owned()], "Fw: tea"));
        assert!(
            View::parse(&original(b"To: c@x\r\n\r\nyes", old, Verb::ReplyToSender)).unwrap().attachments().is_empty()
        );
    }

    #[test]
    fn a_bounce_names_who_was_not_reached() {
        let report = bounce(b"Subject: tea\r\n\r\nhi", &["nobody@easrig.test".to_owned()], sender(), "easrig.test");
        let view = View::parse(&report).unwrap();
        assert!(view.subject() == "Undeliverable: tea" && view.text().contains("nobody@easrig.test"));
        assert_eq!(view.recipients(), ["alice@easrig.test"]);
    }
}
