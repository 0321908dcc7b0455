use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use easrig_eas::encoding::{ContentEncoding, gzip};
use easrig_wbxml::{Tag, tags};

use super::text::{Voice, is_number_or_date, is_word};
use super::{Kind, Scrubber, vocabulary};
use crate::Headers;
use crate::redact::body::{MAX_UNPACKED, SECRET};
use crate::redact::mime::looks_like_message;
use crate::redact::table::{Rule, rule};
use crate::walk::{self, JsonPiece, PartPiece, XmlPiece};

/// Elements of Autodiscover and keys of JSON whose values are words of the protocol.
const PROTOCOL: [&str; 14] = [
    "AcceptableResponseSchema",
    "Action",
    "Culture",
    "ErrorCode",
    "Protocol",
    "Status",
    "Type",
    "error",
    "expires_in",
    "scope",
    "token_type",
    "AuthPackage",
    "SSL",
    "AuthRequired",
];

/// The type of a body, as it stands before its data (MS-ASAIRS Type).
#[derive(Clone, Copy, PartialEq, Eq)]
enum BodyType {
    Plain,
    Html,
    Rtf,
    Message,
}

impl Scrubber {
    /// The body as it may be shown, of the same length unless it is packed.
    pub(super) fn body(&mut self, headers: &Headers, mut body: Vec<u8>) -> Vec<u8> {
        if body.is_empty() {
            return body;
        }
        let coding = headers.get("Content-Encoding").map(|value| value.trim().to_ascii_lowercase());
        match coding.as_deref() {
            None | Some("" | "identity") => self.plain_body(headers, &mut body),
            Some("gzip" | "x-gzip") => match ContentEncoding::parse("gzip").decode(&body, MAX_UNPACKED) {
                Ok(mut unpacked) => {
                    self.plain_body(headers, &mut unpacked);
                    body = gzip(&unpacked);
                }
                Err(_) => self.fill(&mut body),
            },
            Some(_) => self.fill(&mut body),
        }
        body
    }

    fn plain_body(&mut self, headers: &Headers, body: &mut [u8]) {
        let value = headers.get("Content-Type").unwrap_or_default().to_ascii_lowercase();
        let kind = value.split(';').next().unwrap_or_default().trim();
        match kind {
            "application/vnd.ms-sync.multipart" => self.multipart(body),
            "message/rfc822" => self.message(body, 0),
            _ if body.starts_with(&[3, 1, 0x6A]) || kind.starts_with("application/vnd.ms-sync") => self.wbxml(body),
            _ if kind.ends_with("json") => self.json(body),
            "text/html" => self.with_text(body, None, Kind::Text, |scrubber, text| scrubber.html(text)),
            _ if kind.ends_with("/xml") || kind.ends_with("+xml") || body.starts_with(b"<?xml") => self.xml(body),
            "application/x-www-form-urlencoded" => self.form(body),
            _ => self.content(body, None, Kind::Text),
        }
    }

    fn multipart(&mut self, body: &mut [u8]) {
        let whole = walk::multipart(body, |piece, bytes| match piece {
            PartPiece::Answer => self.wbxml(bytes),
            PartPiece::Data if looks_like_message(bytes) => self.message(bytes, 0),
            PartPiece::Data => self.data(bytes),
            // It is filler by the time the parts are put back, and no value of its own.
            PartPiece::Between => self.salt.fill(bytes),
        });
        if !whole {
            self.fill(body);
        }
    }

    fn wbxml(&mut self, body: &mut [u8]) {
        let mut body_type = BodyType::Plain;
        walk::wbxml(body, |tag, bytes| match tag {
            None => self.content(bytes, None, Kind::Text),
            Some(tag) => {
                if tag == tags::air_sync_base::TYPE {
                    body_type = match &*bytes {
                        b"2" => BodyType::Html,
                        b"3" => BodyType::Rtf,
                        b"4" => BodyType::Message,
                        _ => BodyType::Plain,
                    };
                }
                self.element(tag, bytes, body_type);
            }
        });
    }

    fn element(&mut self, tag: Tag, bytes: &mut [u8], body_type: BodyType) {
        match rule(tag) {
            Rule::Secret => self.stars(bytes),
            Rule::PolicyKey => self.in_place(bytes, Self::policy_key_text),
            Rule::Device => self.in_place(bytes, Self::device),
            _ if tag == tags::provision::DATA => self.policy(bytes),
            Rule::Keep if is_time_zone(tag, bytes) => {}
            Rule::Keep | Rule::Plain => {
                self.in_place(bytes, |scrubber, text| scrubber.replaced(Kind::Text, text, Voice::Protocol));
            }
            Rule::Id => self.in_place(bytes, |scrubber, text| scrubber.percent(text, Voice::Id, Kind::Identifier)),
            Rule::Product if tag == tags::settings::MOBILE_OPERATOR => self.content(bytes, None, Kind::Text),
            Rule::Product => self.in_place(bytes, |scrubber, text| scrubber.replaced(Kind::Text, text, Voice::Product)),
            _ if tag == tags::settings::PHONE_NUMBER => self.content(bytes, None, Kind::Device),
            Rule::Message if tag == tags::air_sync_base::DATA => self.body_data(bytes, body_type),
            Rule::Message if looks_like_message(bytes) => self.message(bytes, 0),
            Rule::Base64 => self.base64_data(bytes),
            Rule::Words | Rule::Message | Rule::Fill => self.data(bytes),
        }
    }

    fn body_data(&mut self, bytes: &mut [u8], body_type: BodyType) {
        match body_type {
            BodyType::Message if looks_like_message(bytes) => self.message(bytes, 0),
            BodyType::Html => self.with_text(bytes, None, Kind::Text, |scrubber, text| scrubber.html(text)),
            BodyType::Rtf => self.base64_data(bytes),
            BodyType::Plain | BodyType::Message => self.content(bytes, None, Kind::Text),
        }
    }

    /// A text or the bytes of something else, in base64 or as they are.
    fn base64_data(&mut self, bytes: &mut [u8]) {
        if STANDARD.decode(&*bytes).is_ok() { self.base64(bytes, Self::data) } else { self.data(bytes) }
    }

    fn data(&mut self, bytes: &mut [u8]) {
        if looks_like_message(bytes) { self.message(bytes, 1) } else { self.content(bytes, None, Kind::Text) }
    }

    /// The policy of a Provision answer: values of settings, or a provisioning document of 2.5.
    fn policy(&mut self, bytes: &mut [u8]) {
        if !bytes.starts_with(b"<") {
            return self.in_place(bytes, |scrubber, text| scrubber.replaced(Kind::Text, text, Voice::Protocol));
        }
        walk::xml(bytes, |piece, _, bytes| match piece {
            XmlPiece::Markup => self.in_place(bytes, |scrubber, text| scrubber.markup(text, Markup::Policy)),
            XmlPiece::Text | XmlPiece::Comment => self.content(bytes, None, Kind::Text),
        });
    }

    /// Replaces a text in place; what would change its length becomes filler.
    fn in_place(&mut self, bytes: &mut [u8], change: impl FnOnce(&mut Self, &str) -> String) {
        match std::str::from_utf8(bytes).map(|text| change(self, text)) {
            Ok(new) if new.len() == bytes.len() => bytes.copy_from_slice(new.as_bytes()),
            _ => self.fill(bytes),
        }
    }

    fn xml(&mut self, body: &mut [u8]) {
        walk::xml(body, |piece, name, bytes| match piece {
            XmlPiece::Markup => self.in_place(bytes, |scrubber, text| scrubber.markup(text, Markup::Xml)),
            XmlPiece::Text => self.named(name, bytes, Self::entities),
            XmlPiece::Comment => self.content(bytes, None, Kind::Text),
        });
    }

    fn json(&mut self, body: &mut [u8]) {
        walk::json(body, |piece, key, bytes| match piece {
            JsonPiece::Key => self.in_place(bytes, |scrubber, text| {
                let plain =
                    text.len() <= 40 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.@:$".contains(&b));
                if plain && !text.contains('@') {
                    scrubber.text(text, Voice::Product)
                } else {
                    scrubber.json_text(text)
                }
            }),
            JsonPiece::Between => self.between(bytes),
            JsonPiece::Text => self.named(key, bytes, Self::json_text),
        });
    }

    /// What stands between the strings of JSON; a long number may be anything.
    fn between(&mut self, bytes: &mut [u8]) {
        for piece in bytes.split_mut(|b| !b.is_ascii_alphanumeric()) {
            let known = [&b"true"[..], b"false", b"null"].contains(&&*piece);
            if piece.len() > 6 || (!known && piece.iter().any(u8::is_ascii_alphabetic)) {
                self.content(piece, None, Kind::Text);
                // No number begins with 0.
                if let Some(first) = piece.first_mut().filter(|b| **b == b'0') {
                    *first = b'1';
                }
            }
        }
    }

    /// Rewrites the text that stands under a name in XML or JSON, `escapes` being its way to write what would end it.
    fn named(&mut self, name: &str, bytes: &mut [u8], escapes: fn(&mut Self, &str) -> String) {
        let lower = name.to_ascii_lowercase();
        if bytes.trim_ascii().is_empty() {
            return;
        }
        if SECRET.iter().any(|word| lower.contains(word)) && name != "token_type" {
            return self.stars(bytes);
        }
        self.in_place(bytes, |scrubber, text| match text.trim() {
            known if vocabulary::is_namespace(known) => text.to_owned(),
            short if short.len() <= 6 && short.bytes().all(|b| b.is_ascii_digit()) => text.to_owned(),
            date if date.contains('T') && is_number_or_date(date) => text.to_owned(),
            link if link.contains("://") && !link.contains(['&', '\\', ' ']) => {
                let new = scrubber.link(text);
                if new.len() == text.len() { new } else { scrubber.replaced(Kind::Text, text, Voice::Content) }
            }
            _ if PROTOCOL.contains(&name) => scrubber.replaced(Kind::Text, text, Voice::Protocol),
            _ => escapes(scrubber, text),
        });
    }

    /// Text with entities in it: named ones stand, numbered ones become other letters.
    fn entities(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('&') {
            let (before, entity) = rest.split_at(at);
            out.push_str(&self.replaced(Kind::Text, before, Voice::Content));
            let end = entity.bytes().take(9).position(|b| b == b';').map_or(1, |end| end.saturating_add(1));
            let (entity, behind) = entity.split_at(end);
            out.push_str(&other_entity(entity));
            rest = behind;
        }
        out.push_str(&self.replaced(Kind::Text, rest, Voice::Content));
        out
    }

    /// The inside of a JSON string: its escapes stand, but for characters written as numbers.
    fn json_text(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('\\') {
            let (before, escape) = rest.split_at(at);
            out.push_str(&self.replaced(Kind::Text, before, Voice::Content));
            let unicode = escape.starts_with("\\u")
                && escape.get(2..6).is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
            let length = escape.char_indices().nth(2).map_or(escape.len(), |(at, _)| at);
            let (escape, behind) = escape.split_at(if unicode { 6 } else { length });
            out.push_str(if unicode { "\\u4e00" } else { escape });
            rest = behind;
        }
        out.push_str(&self.replaced(Kind::Text, rest, Voice::Content));
        out
    }

    /// HTML: its elements stand, text and values of attributes do not.
    pub(super) fn html(&mut self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        walk::xml(&mut bytes, |piece, _, bytes| match piece {
            XmlPiece::Markup => self.in_place(bytes, |scrubber, text| scrubber.markup(text, Markup::Html)),
            XmlPiece::Text => self.in_place(bytes, Self::entities),
            XmlPiece::Comment => self.content(bytes, None, Kind::Text),
        });
        String::from_utf8(bytes).unwrap_or_default()
    }

    /// A tag: names that are known stand, and so do namespaces; other values of attributes are content.
    fn markup(&mut self, text: &str, markup: Markup) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        let mut outside = true;
        while !rest.is_empty() {
            let end = rest.find(['"', '\'']).unwrap_or(rest.len());
            let (part, behind) = rest.split_at(end);
            let declaration = text.starts_with("<?xml ");
            out.push_str(&match outside {
                true => self.markup_names(part, markup),
                false if vocabulary::is_namespace(part) => part.to_owned(),
                false if declaration || markup == Markup::Policy => self.replaced(Kind::Text, part, Voice::Protocol),
                false => self.entities(part),
            });
            let quote = behind.get(..1).unwrap_or_default();
            out.push_str(quote);
            rest = behind.get(quote.len()..).unwrap_or_default();
            outside = !outside;
        }
        out
    }

    fn markup_names(&mut self, text: &str, markup: Markup) -> String {
        let mut out = String::with_capacity(text.len());
        for piece in text.split_inclusive(|c: char| !is_name(c)) {
            let name = piece.trim_end_matches(|c| !is_name(c));
            let known = match markup {
                Markup::Html => vocabulary::is_html(&name.to_ascii_lowercase()),
                Markup::Xml | Markup::Policy => name.len() <= 40 && name.is_ascii(),
            };
            let new = if known { name.to_owned() } else { self.replaced(Kind::Text, name, Voice::Content) };
            out.push_str(&new);
            out.push_str(piece.get(name.len()..).unwrap_or_default());
        }
        out
    }

    /// A form, as token requests are sent: parameters like those of a query.
    fn form(&mut self, bytes: &mut [u8]) {
        for part in bytes.split_mut(|b| *b == b'&') {
            let equals = memchr::memchr(b'=', part).map_or(0, |at| at.saturating_add(1));
            let (name, value) = part.split_at_mut(equals);
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            if crate::redact::query::SECRET.iter().any(|word| name.contains(word)) {
                self.stars(value);
            } else {
                self.in_place(value, |scrubber, text| scrubber.percent(text, Voice::Content, Kind::Text));
            }
        }
    }
}

/// Whose tags they are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Markup {
    Html,
    Xml,
    Policy,
}

fn is_name(c: char) -> bool {
    is_word(c) || "_-.:".contains(c)
}

/// A time zone of the standard: 172 bytes in base64 (MS-ASDTYPE TimeZone).
fn is_time_zone(tag: Tag, bytes: &[u8]) -> bool {
    let named = tag == tags::calendar::TIMEZONE || tag == tags::email::TIME_ZONE;
    named && STANDARD.decode(bytes).is_ok_and(|zone| zone.len() == 172)
}

/// What stands for an entity: itself when it is a sign of the language, else another letter as long.
fn other_entity(entity: &str) -> String {
    if ["&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&nbsp;", "&#13;", "&#10;", "&#9;", "&"].contains(&entity) {
        return entity.to_owned();
    }
    let hexadecimal = entity.starts_with("&#x") || entity.starts_with("&#X");
    let number = entity.starts_with("&#");
    let digits = entity.bytes().filter(|b| b.is_ascii_alphanumeric()).count().saturating_sub(usize::from(hexadecimal));
    let new = match (number, hexadecimal, digits) {
        (true, false, 2) => "&#88;",
        (true, false, 3) => "&#120;",
        (true, false, 4) => "&#1093;",
        (true, false, 5) => "&#19990;",
        (true, true, 2) => "&#x78;",
        (true, true, 3) => "&#x445;",
        (true, true, 4) => "&#x4e16;",
        // A named letter (`&uuml;`): a text of as many bytes.
        _ => return "x".repeat(entity.len()),
    };
    if new.len() == entity.len() { new.to_owned() } else { "x".repeat(entity.len()) }
}
