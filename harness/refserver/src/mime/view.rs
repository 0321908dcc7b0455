use std::borrow::Cow;

use mail_parser::{
    Address, HeaderValue, Message, MessageParser, MessagePart, MimeHeaders, PartType,
    decoders::html::{html_to_text, text_to_html},
};

use super::Invitation;

/// A message taken apart.
pub(crate) struct View<'m> {
    message: Message<'m>,
    mime: &'m [u8],
}

/// A part of a message that a client shows as a file.
pub(crate) struct Attachment<'v> {
    /// The name people see.
    pub(crate) name: String,
    /// Its type.
    pub(crate) content_type: String,
    /// How the body refers to it.
    pub(crate) content_id: Option<&'v str>,
    /// Whether the body shows it.
    pub(crate) inline: bool,
    /// Whether it is a message itself.
    pub(crate) is_message: bool,
    /// The decoded bytes.
    pub(crate) bytes: &'v [u8],
}

impl<'m> View<'m> {
    /// Takes a message apart; `None` when it has not a single header.
    pub(crate) fn parse(mime: &'m [u8]) -> Option<Self> {
        let message = MessageParser::default().parse(mime)?;
        (!message.headers().is_empty()).then_some(Self { message, mime })
    }

    pub(crate) fn subject(&self) -> &str {
        self.message.subject().unwrap_or_default()
    }

    /// The subject without what replies and forwards put before it.
    pub(crate) fn topic(&self) -> String {
        self.message.thread_name().unwrap_or_default().to_owned()
    }

    pub(crate) fn message_id(&self) -> Option<String> {
        self.message.message_id().map(str::to_owned)
    }

    /// The messages this one follows, oldest first.
    pub(crate) fn references(&self) -> Vec<String> {
        let ids = |value: &HeaderValue<'_>| match value {
            HeaderValue::Text(id) => vec![id.to_string()],
            HeaderValue::TextList(ids) => ids.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        };
        let references = ids(self.message.references());
        if references.is_empty() { ids(self.message.in_reply_to()) } else { references }
    }

    pub(crate) fn from(&self) -> String {
        shown(self.message.from())
    }

    pub(crate) fn to(&self) -> String {
        shown(self.message.to())
    }

    pub(crate) fn cc(&self) -> String {
        shown(self.message.cc())
    }

    pub(crate) fn bcc(&self) -> String {
        shown(self.message.bcc())
    }

    pub(crate) fn reply_to(&self) -> String {
        shown(self.message.reply_to())
    }

    /// Everybody the message goes to, in lower case, each once.
    pub(crate) fn recipients(&self) -> Vec<String> {
        let mut all: Vec<String> =
            [self.message.to(), self.message.cc(), self.message.bcc()].into_iter().flat_map(bare).collect();
        all.sort();
        all.dedup();
        all
    }

    /// Everybody the message names openly, in lower case.
    pub(crate) fn open_recipients(&self) -> Vec<String> {
        [self.message.to(), self.message.cc()].into_iter().flat_map(bare).collect()
    }

    /// Names without addresses, for `DisplayTo`.
    pub(crate) fn display_to(&self) -> String {
        let list = self.message.to().into_iter().flat_map(Address::iter);
        let names = list.filter_map(|one| one.name().or_else(|| one.address()));
        names.collect::<Vec<_>>().join("; ")
    }

    /// 0 low, 1 normal, 2 high (MS-ASEMAIL Importance).
    pub(crate) fn importance(&self) -> u8 {
        let header = |name: &str| self.message.header_raw(name).unwrap_or_default().trim().to_lowercase();
        match (header("Importance").as_str(), header("X-Priority").chars().next()) {
            ("high", _) | ("", Some('1' | '2')) => 2,
            ("low", _) | ("", Some('4' | '5')) => 0,
            _ => 1,
        }
    }

    /// Whether the message was written in HTML.
    pub(crate) fn is_html(&self) -> bool {
        self.message.html_bodies().any(|part| matches!(part.body, PartType::Html(_)))
    }

    /// The text as HTML.
    pub(crate) fn html(&self) -> String {
        let parts = self.message.html_bodies().filter_map(|part| match &part.body {
            PartType::Html(html) => Some(Cow::Borrowed(html.as_ref())),
            PartType::Text(text) => Some(Cow::Owned(text_to_html(text))),
            _ => None,
        });
        parts.collect()
    }

    /// The text without markup.
    pub(crate) fn text(&self) -> String {
        let parts = self.message.text_bodies().filter_map(|part| match &part.body {
            PartType::Html(html) => Some(Cow::Owned(html_to_text(html))),
            PartType::Text(text) => Some(Cow::Borrowed(text.as_ref())),
            _ => None,
        });
        parts.collect()
    }

    /// Whether the message is signed or encrypted.
    pub(crate) fn is_smime(&self) -> bool {
        self.message.content_type().is_some_and(|kind| {
            let subtype = kind.subtype().unwrap_or_default().to_lowercase();
            matches!(subtype.as_str(), "signed" | "encrypted" | "pkcs7-mime" | "x-pkcs7-mime")
        })
    }

    /// The invitation, cancellation or answer it carries.
    pub(crate) fn invitation(&self) -> Option<Invitation> {
        let part = self.message.parts.iter().find(|part| is_calendar(part))?;
        Invitation::parse(&String::from_utf8_lossy(part.contents()))
    }

    /// The files, in the order of the message; what carries an invitation is no file.
    pub(crate) fn attachments(&self) -> Vec<Attachment<'_>> {
        let files = self.message.attachments().filter(|part| !is_calendar(part));
        files.map(|part| self.attachment(part)).collect()
    }

    fn attachment<'v>(&'v self, part: &'v MessagePart<'_>) -> Attachment<'v> {
        let is_message = part.is_message();
        let raw = || self.mime.get(part.raw_body_offset() as usize..part.raw_end_offset() as usize);
        let bytes = if is_message { raw().unwrap_or_default() } else { part.contents() };
        let content_type = part.content_type().map_or("application/octet-stream".to_owned(), |kind| {
            format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or("octet-stream"))
        });
        let fallback = || match part.message() {
            Some(message) => format!("{}.eml", message.subject().unwrap_or("message")),
            None => "attachment".to_owned(),
        };
        let disposed_inline = part.content_disposition().is_some_and(|disposition| disposition.is_inline());
        Attachment {
            name: part.attachment_name().map_or_else(fallback, str::to_owned),
            content_type,
            content_id: part.content_id(),
            inline: part.content_id().is_some() && (disposed_inline || matches!(part.body, PartType::InlineBinary(_))),
            is_message,
            bytes,
        }
    }
}

fn is_calendar(part: &MessagePart<'_>) -> bool {
    part.content_type().is_some_and(|kind| {
        kind.ctype().eq_ignore_ascii_case("text")
            && kind.subtype().is_some_and(|subtype| subtype.eq_ignore_ascii_case("calendar"))
    })
}

/// `"Name" <address>`, with commas between.
fn shown(address: Option<&Address<'_>>) -> String {
    let list = address.into_iter().flat_map(Address::iter);
    let one = list.filter_map(|one| match (one.name(), one.address()) {
        (Some(name), Some(address)) => Some(format!("\"{name}\" <{address}>")),
        (None, Some(address)) => Some(address.to_owned()),
        (Some(name), None) => Some(format!("\"{name}\"")),
        (None, None) => None,
    });
    one.collect::<Vec<_>>().join(", ")
}

fn bare(address: Option<&Address<'_>>) -> Vec<String> {
    let list = address.into_iter().flat_map(Address::iter);
    list.filter_map(|one| one.address()).map(|address| address.trim().to_lowercase()).collect()
}
