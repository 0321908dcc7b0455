use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use easrig_exchange::Timestamp;

/// A message as its writer means it; the phone makes the MIME text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letter {
    /// The recipients' addresses.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: Option<String>,
    /// The same as HTML.
    pub html: Option<String>,
    /// A file.
    pub attachment: Option<Attachment>,
    /// An iCalendar object, for invitations and their answers.
    pub calendar: Option<String>,
}

/// A file in a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// The message that is answered or forwarded, as the server names it: by folder and item, or by a hit of a search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// Its folder.
    pub folder: Option<String>,
    /// The item.
    pub item: Option<String>,
    /// Instead of both: the LongId of a search.
    pub long_id: Option<String>,
    /// The occurrence of a series.
    pub instance: Option<String>,
}

/// What the phone adds to a letter.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    /// The sender's address.
    pub(crate) from: String,
    /// The time of sending.
    pub(crate) at: Timestamp,
    /// A text that no other message has: letters and digits, at most 40.
    pub(crate) id: String,
    /// X-Mailer, where the device writes one.
    pub(crate) mailer: Option<String>,
}

impl Letter {
    /// The message as RFC 5322 text; the same letter and stamp give the same bytes.
    pub(crate) fn to_mime(&self, stamp: &Stamp) -> Vec<u8> {
        let mut out = String::new();
        header(&mut out, "From", &stamp.from);
        header(&mut out, "To", &self.to.join(", "));
        header(&mut out, "Subject", &encoded_word(&one_line(&self.subject)));
        header(&mut out, "Date", &date(stamp.at));
        let domain = stamp.from.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
        header(&mut out, "Message-ID", &format!("<{}@{}>", stamp.id, one_line(domain)));
        if let Some(mailer) = &stamp.mailer {
            header(&mut out, "X-Mailer", mailer);
        }
        header(&mut out, "MIME-Version", "1.0");
        self.content().write(&mut out, &stamp.id);
        out.into_bytes()
    }

    fn content(&self) -> Part {
        let text = self.text.as_deref().or(self.html.is_none().then_some(""));
        let mut readable: Vec<_> = text.map(|text| Part::text("text/plain", text)).into_iter().collect();
        readable.extend(self.html.as_deref().map(|html| Part::text("text/html", html)));
        readable.extend(self.calendar.as_deref().map(Part::calendar));
        let mut parts = vec![Part::joined("alternative", readable)];
        parts.extend(self.attachment.as_ref().map(Part::file));
        Part::joined("mixed", parts)
    }
}

/// A part of a message.
enum Part {
    Leaf { headers: Vec<(&'static str, String)>, content: Vec<u8> },
    Many { kind: &'static str, parts: Vec<Part> },
}

impl Part {
    fn text(kind: &str, text: &str) -> Self {
        let headers = vec![("Content-Type", format!("{kind}; charset=utf-8"))];
        Self::Leaf { headers, content: text.as_bytes().to_vec() }
    }

    fn calendar(text: &str) -> Self {
        let method = text.lines().find_map(|line| line.strip_prefix("METHOD:")).unwrap_or("REQUEST").trim();
        let headers = vec![("Content-Type", format!("text/calendar; charset=utf-8; method={}", one_line(method)))];
        Self::Leaf { headers, content: text.as_bytes().to_vec() }
    }

    fn file(file: &Attachment) -> Self {
        let name = one_line(&file.name).replace(['"', '\\'], "_");
        let headers = vec![
            ("Content-Type", format!("application/octet-stream; name=\"{name}\"")),
            ("Content-Disposition", format!("attachment; filename=\"{name}\"")),
        ];
        Self::Leaf { headers, content: file.content.clone() }
    }

    /// One part is not wrapped.
    fn joined(kind: &'static str, mut parts: Vec<Self>) -> Self {
        match (parts.len(), parts.pop()) {
            (1, Some(only)) => only,
            (_, last) => {
                parts.extend(last);
                Self::Many { kind, parts }
            }
        }
    }

    fn write(&self, out: &mut String, id: &str) {
        match self {
            Self::Leaf { headers, content } => {
                headers.iter().for_each(|(name, value)| header(out, name, value));
                header(out, "Content-Transfer-Encoding", "base64");
                out.push_str("\r\n");
                let text = STANDARD.encode(content);
                for line in text.as_bytes().chunks(76) {
                    out.extend(line.iter().copied().map(char::from));
                    out.push_str("\r\n");
                }
            }
            Self::Many { kind, parts } => {
                let boundary = format!("{kind}-{id}");
                header(out, "Content-Type", &format!("multipart/{kind}; boundary=\"{boundary}\""));
                out.push_str("\r\n");
                for part in parts {
                    let _ = write!(out, "--{boundary}\r\n");
                    part.write(out, id);
                }
                let _ = write!(out, "--{boundary}--\r\n");
            }
        }
    }
}

fn header(out: &mut String, name: &str, value: &str) {
    let _ = write!(out, "{name}: {}\r\n", one_line(value));
}

/// No line break of a value may begin another header.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// RFC 2047, for texts beyond ASCII; at most 45 bytes a word.
fn encoded_word(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut words = vec![String::new()];
    for c in text.chars() {
        match words.last_mut() {
            Some(word) if word.len() + c.len_utf8() <= 45 => word.push(c),
            _ => words.push(c.to_string()),
        }
    }
    let words: Vec<_> = words.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word))).collect();
    words.join("\r\n ").replace("\r\n ", " ")
}

fn date(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_microsecond(at.0).unwrap_or_default();
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp() -> Stamp {
        let at = Timestamp(1_767_225_600_000_000);
        Stamp { from: "alice@easrig.test".to_owned(), at, id: "abc1".to_owned(), mailer: None }
    }

    #[test]
    fn the_same_letter_gives_the_same_message() {
        let letter = Letter {
            to: vec!["bob@easrig.test".to_owned()],
            subject: "hi".to_owned(),
            text: Some("hello".to_owned()),
            ..Letter::default()
        };
        let expected = "From: alice@easrig.test\r\nTo: bob@easrig.test\r\nSubject: hi\r\n\
            Date: Thu, 01 Jan 2026 00:00:00 +0000\r\nMessage-ID: <abc1@easrig.test>\r\nMIME-Version: 1.0\r\n\
            Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n";
        assert_eq!(String::from_utf8(letter.to_mime(&stamp())).unwrap(), expected);
    }

    #[test]
    fn a_reader_finds_text_html_and_file() {
        let content: Vec<u8> = (0..=255).collect();
        let letter = Letter {
            to: vec!["bob@easrig.test".to_owned()],
            subject: "Grüße aus der Werkstatt, mit einem sehr langen Betreff über fünfzig Zeichen".to_owned(),
            text: Some("text".to_owned()),
            html: Some("<p>html</p>".to_owned()),
            attachment: Some(Attachment { name: "a.bin".to_owned(), content: content.clone() }),
            calendar: None,
        };
        let mime = letter.to_mime(&stamp());
        let message = mail_parser::MessageParser::default().parse(&mime).unwrap();
        assert_eq!(message.subject(), Some(letter.subject.as_str()));
        assert_eq!(message.body_text(0).as_deref(), Some("text"));
        assert_eq!(message.body_html(0).as_deref(), Some("<p>html</p>"));
        let file = message.attachments().next().unwrap();
        assert_eq!((mail_parser::MimeHeaders::attachment_name(file), file.contents()), (Some("a.bin"), &content[..]));
    }

    #[test]
    fn a_subject_cannot_smuggle_a_header() {
        let letter = Letter { subject: "a\r\nBcc: eve@easrig.test".to_owned(), ..Letter::default() };
        let mime = String::from_utf8(letter.to_mime(&stamp())).unwrap();
        assert!(!mime.contains("\r\nBcc"), "{mime}");
    }
}
