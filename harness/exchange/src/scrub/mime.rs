use std::ops::Range;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::text::Voice;
use super::{Kind, Scrubber};
use crate::escape::Escaped;
use crate::redact::mime::{MAX_BOUNDARIES, STRUCTURE, is_boundary, is_field_name, looks_like_message};

/// How deep messages inside messages are opened.
const MAX_DEPTH: usize = 8;

/// Base64 of every sender: with and without padding, whatever its spare bits are.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What the header of a part says about its body.
#[derive(Default)]
struct Part {
    kind: String,
    charset: Option<String>,
    coding: String,
}

/// A message on the way: where the current piece begins, and what it is.
struct Walk {
    part: Part,
    boundaries: Vec<Vec<u8>>,
    in_head: bool,
    /// Where the field or the body began.
    from: usize,
}

impl Scrubber {
    /// Rewrites a message in place: fields, encoded words, and every part in its own coding and charset.
    pub(super) fn message(&mut self, bytes: &mut [u8], depth: usize) {
        if depth > MAX_DEPTH {
            return self.fill(bytes);
        }
        let mut walk = Walk { part: Part::default(), boundaries: Vec::new(), in_head: true, from: 0 };
        let mut at = 0;
        while at < bytes.len() {
            let rest = bytes.get(at..).unwrap_or_default();
            let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end.saturating_add(1));
            let line = rest.get(..length).unwrap_or_default();
            let text = line.trim_ascii_end();
            let end = at.saturating_add(length);
            if is_boundary(text, &walk.boundaries) {
                let last = text.ends_with(b"--");
                // Without its dashes it stands in the field that announced it, too.
                let text = at.saturating_add(2)..at.saturating_add(text.len());
                self.field_or_part(&mut walk, bytes, at, depth);
                self.content(bytes.get_mut(text).unwrap_or_default(), None, Kind::Text);
                walk = Walk { part: Part::default(), in_head: !last, from: end, ..walk };
            } else if walk.in_head && text.is_empty() {
                self.field_or_part(&mut walk, bytes, at, depth);
                // A message in a message begins with fields again.
                let nested = walk.part.kind == "message/rfc822" && is_identity(&walk.part.coding);
                walk.in_head = nested;
                walk.from = end;
                if nested {
                    walk.part = Part::default();
                }
            } else if walk.in_head && !line.first().is_some_and(|b| b" \t".contains(b)) {
                self.field_or_part(&mut walk, bytes, at, depth);
            }
            at = end;
        }
        let end = bytes.len();
        self.field_or_part(&mut walk, bytes, end, depth);
    }

    /// Rewrites the field or the body that ends at `end`.
    fn field_or_part(&mut self, walk: &mut Walk, bytes: &mut [u8], end: usize, depth: usize) {
        let Some(piece) = bytes.get_mut(walk.from..end) else { return };
        walk.from = end;
        if walk.in_head {
            self.mime_field(piece, &mut walk.part, &mut walk.boundaries);
        } else {
            self.part(piece, &walk.part, depth);
        }
    }

    fn mime_field(&mut self, field: &mut [u8], part: &mut Part, boundaries: &mut Vec<Vec<u8>>) {
        let colon = memchr::memchr(b':', field).filter(|at| field.get(..*at).is_some_and(is_field_name));
        let Some(colon) = colon else { return self.words(field) };
        let (name, value) = field.split_at_mut(colon);
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        match name.as_str() {
            "content-type" | "content-disposition" => {
                let is_type = name == "content-type";
                self.parameters(value.get_mut(1..).unwrap_or_default(), |name, value| match name {
                    "" if is_type => part.kind = value.to_ascii_lowercase(),
                    "charset" if is_type => part.charset = Some(value.to_owned()),
                    "boundary" if boundaries.len() < MAX_BOUNDARIES => boundaries.push(value.as_bytes().to_vec()),
                    _ => {}
                });
            }
            name if STRUCTURE.contains(&name) => {
                if name == "content-transfer-encoding" {
                    part.coding =
                        String::from_utf8_lossy(value).trim_matches([':', ' ', '\r', '\n', '\t']).to_ascii_lowercase();
                }
                self.with_text(value, None, Kind::Text, |scrubber, text| scrubber.text(text, Voice::Protocol));
            }
            _ => self.words(value),
        }
    }

    /// A header's value of `type; name=value`, as text.
    pub(super) fn parameters_text(&mut self, value: &str) -> String {
        let mut bytes = value.as_bytes().to_vec();
        self.parameters(&mut bytes, |_, _| {});
        String::from_utf8(bytes).unwrap_or_default()
    }

    /// `type/subtype; name=value`: the type and the parameters of the structure stand. Each is told as it was; the type
    /// has no name.
    fn parameters(&mut self, value: &mut [u8], mut tell: impl FnMut(&str, &str)) {
        for (index, part) in value.split_mut(|b| *b == b';').enumerate() {
            let equals = memchr::memchr(b'=', part);
            let (name, value) = match equals {
                Some(at) => part.split_at_mut(at.saturating_add(1)),
                None => (&mut [][..], part),
            };
            let label = String::from_utf8_lossy(name).trim().trim_end_matches('=').trim().to_ascii_lowercase();
            let text = String::from_utf8_lossy(value).trim().trim_matches('"').to_owned();
            if index == 0 && equals.is_none() {
                tell("", &text);
                self.with_text(value, None, Kind::Text, |scrubber, text| scrubber.media(text));
                continue;
            }
            tell(&label, &text);
            self.with_text(name, None, Kind::Text, |scrubber, text| scrubber.parameter_name(text));
            match label.as_str() {
                "charset" | "type" | "format" | "delsp" | "method" | "micalg" | "protocol" | "smime-type" => {
                    self.with_text(value, None, Kind::Text, |scrubber, text| scrubber.media(text));
                }
                // RFC 2231: percent signs, behind a charset and a language.
                _ if label.ends_with('*') => self.percent_bytes(value),
                _ => self.words(value),
            }
        }
    }

    /// A media type, a charset or the like: short, and made of few signs.
    fn media(&mut self, text: &str) -> String {
        let voice = if text.trim().len() <= 80 { Voice::Product } else { Voice::Content };
        self.text(text, voice)
    }

    fn parameter_name(&mut self, text: &str) -> String {
        if text.trim().len() <= 16 { text.to_owned() } else { self.text(text, Voice::Protocol) }
    }

    fn percent_bytes(&mut self, value: &mut [u8]) {
        let new = std::str::from_utf8(value).map(|text| self.percent(text, Voice::Content, Kind::Text));
        match new {
            Ok(new) if new.len() == value.len() => value.copy_from_slice(new.as_bytes()),
            _ => self.fill(value),
        }
    }

    /// The value of a field: words, and encoded words (RFC 2047) in their own coding and charset.
    fn words(&mut self, value: &mut [u8]) {
        let mut at = 0;
        for encoded in encoded_words(value) {
            self.content(value.get_mut(at..encoded.whole.start).unwrap_or_default(), None, Kind::Text);
            let charset = encoded.charset;
            if let Some(text) = value.get_mut(encoded.text) {
                if encoded.base64 {
                    self.base64(text, |scrubber, bytes| scrubber.content(bytes, Some(&charset), Kind::Text));
                } else {
                    self.quoted(text, |scrubber, bytes| scrubber.content(bytes, Some(&charset), Kind::Text));
                }
            }
            at = encoded.whole.end;
        }
        self.content(value.get_mut(at..).unwrap_or_default(), None, Kind::Text);
    }

    fn part(&mut self, bytes: &mut [u8], part: &Part, depth: usize) {
        match part.coding.as_str() {
            "base64" => self.base64(bytes, |scrubber, bytes| scrubber.leaf(bytes, part, depth)),
            "quoted-printable" => self.quoted(bytes, |scrubber, bytes| scrubber.leaf(bytes, part, depth)),
            coding if is_identity(coding) => self.leaf(bytes, part, depth),
            _ => self.fill(bytes),
        }
    }

    fn leaf(&mut self, bytes: &mut [u8], part: &Part, depth: usize) {
        let charset = part.charset.as_deref();
        match part.kind.as_str() {
            "message/rfc822" => self.message(bytes, depth.saturating_add(1)),
            "text/html" => self.with_text(bytes, charset, Kind::Text, |scrubber, text| scrubber.html(text)),
            "text/calendar" => self.with_text(bytes, charset, Kind::Text, |scrubber, text| scrubber.calendar(text)),
            _ if looks_like_message(bytes) && depth > 0 => self.message(bytes, depth.saturating_add(1)),
            _ => self.content(bytes, charset, Kind::Text),
        }
    }

    /// Rewrites what base64 digits stand for; blanks and line ends stay where they are.
    pub(super) fn base64(&mut self, bytes: &mut [u8], change: impl FnOnce(&mut Self, &mut [u8])) {
        let digits: Vec<u8> = bytes.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
        let padding = digits.iter().rev().take_while(|b| **b == b'=').count();
        let count = digits.len().saturating_sub(padding);
        // One digit behind the last four stands for nothing yet: a text that was cut.
        let whole = if count % 4 == 1 { count.saturating_sub(1) } else { count };
        let decoded = BASE64.decode(digits.get(..whole).unwrap_or_default());
        let Ok(mut decoded) = decoded else { return self.fill(bytes) };
        change(self, &mut decoded);
        let mut encoded = BASE64.encode(decoded).into_bytes();
        encoded.truncate(whole);
        encoded.resize(count, b'A');
        encoded.resize(digits.len(), b'=');
        let places = bytes.iter_mut().filter(|b| !b.is_ascii_whitespace());
        places.zip(encoded).for_each(|(place, digit)| *place = digit);
    }

    fn quoted(&mut self, bytes: &mut [u8], change: impl FnOnce(&mut Self, &mut [u8])) {
        let mut escaped = Escaped::read(bytes, b'=');
        change(self, &mut escaped.bytes);
        if !escaped.write(bytes) {
            self.salt.fill(bytes);
        }
    }

    /// A calendar (RFC 5545): the properties of its structure stand, with their dates.
    fn calendar(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut voice = Voice::Content;
        for line in text.split_inclusive('\n') {
            if line.starts_with([' ', '\t']) {
                out.push_str(&self.text(line, voice));
                continue;
            }
            let (name, rest) = line.split_at(line.find([':', ';', '\r', '\n']).unwrap_or(line.len()));
            let structure = CALENDAR_PROTOCOL.contains(&name);
            voice = if structure { Voice::Protocol } else { Voice::Content };
            if structure || CALENDAR_CONTENT.contains(&name) {
                out.push_str(name);
            } else {
                out.push_str(&self.text(name, Voice::Content));
            }
            // The value of a date has digits that a text of its kind may not have.
            match rest.rsplit_once(':').filter(|_| structure) {
                Some((parameters, value)) => {
                    out.push_str(&self.text(parameters, Voice::Protocol));
                    out.push(':');
                    out.push_str(&self.text(value, Voice::Protocol));
                }
                None => out.push_str(&self.text(rest, voice)),
            }
        }
        out
    }
}

const CALENDAR_PROTOCOL: [&str; 22] = [
    "BEGIN",
    "END",
    "VERSION",
    "METHOD",
    "CALSCALE",
    "DTSTART",
    "DTEND",
    "DTSTAMP",
    "DUE",
    "DURATION",
    "CREATED",
    "LAST-MODIFIED",
    "RECURRENCE-ID",
    "EXDATE",
    "RRULE",
    "PRIORITY",
    "SEQUENCE",
    "STATUS",
    "TRANSP",
    "CLASS",
    "TZOFFSETFROM",
    "TZOFFSETTO",
];

const CALENDAR_CONTENT: [&str; 12] = [
    "SUMMARY",
    "DESCRIPTION",
    "LOCATION",
    "ATTENDEE",
    "ORGANIZER",
    "UID",
    "COMMENT",
    "CONTACT",
    "CATEGORIES",
    "TZID",
    "PRODID",
    "ATTACH",
];

/// An encoded word, and where its text stands.
struct EncodedWord {
    whole: Range<usize>,
    text: Range<usize>,
    charset: String,
    base64: bool,
}

/// The encoded words in a field.
fn encoded_words(value: &[u8]) -> Vec<EncodedWord> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(begin) = value.get(at..).and_then(|rest| memchr::memmem::find(rest, b"=?")) {
        let begin = at.saturating_add(begin);
        let word = encoded_word(value, begin);
        at = word.as_ref().map_or(begin.saturating_add(2), |word| word.whole.end);
        words.extend(word);
    }
    words
}

/// The encoded word at `begin`: `=?charset?B?text?=`.
fn encoded_word(value: &[u8], begin: usize) -> Option<EncodedWord> {
    let from = begin.checked_add(2)?;
    let mut parts = value.get(from..)?.splitn(4, |b| *b == b'?');
    let (charset, coding, text, behind) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let blank = |bytes: &[u8]| bytes.iter().any(u8::is_ascii_whitespace);
    if !behind.starts_with(b"=") || charset.is_empty() || blank(charset) || blank(text) || charset.len() > 24 {
        return None;
    }
    let base64 = match coding {
        b"B" | b"b" => true,
        b"Q" | b"q" => false,
        _ => return None,
    };
    let start = from.checked_add(charset.len())?.checked_add(3)?;
    let end = start.checked_add(text.len())?;
    // A language behind the charset (RFC 2231).
    let charset = String::from_utf8_lossy(charset).split('*').next().unwrap_or_default().to_owned();
    Some(EncodedWord { whole: begin..end.checked_add(2)?, text: start..end, charset, base64 })
}

fn is_identity(coding: &str) -> bool {
    ["", "7bit", "8bit", "binary"].contains(&coding)
}
