use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use easrig_eas::encoding::{ContentEncoding, gzip};
use easrig_eas::multipart::Multipart;
use easrig_wbxml::{Decoder, Event, Limits, Tag, tags};

use super::table::{Rule, rule};
use super::{Content, Redactor, mime, text};
use crate::Headers;

/// How much a gzip body may unfold to.
const MAX_UNPACKED: usize = 128 << 20;

/// Elements of Autodiscover whose text is the protocol's own.
const XML_KEEP: [&str; 9] =
    ["Url", "Name", "Type", "Culture", "AcceptableResponseSchema", "Status", "ErrorCode", "ServerData", "Action"];

/// Elements of Autodiscover that name people.
const XML_WORDS: [&str; 4] = ["EMailAddress", "Redirect", "RedirectAddr", "LoginName"];

/// Keys of JSON whose values are the protocol's own.
const JSON_KEEP: [&str; 5] = ["Protocol", "Url", "ErrorCode", "error", "token_type"];

/// Parts of names (in XML and JSON) whose values are credentials.
const SECRET: [&str; 5] = ["token", "password", "secret", "assertion", "credential"];

impl Redactor {
    /// The body as it may be written, of the same length unless it is packed.
    pub(super) fn body(&self, headers: &Headers, mut body: Vec<u8>) -> Vec<u8> {
        if body.is_empty() {
            return body;
        }
        let encoding = headers.get("Content-Encoding").map(|value| value.trim().to_ascii_lowercase());
        match encoding.as_deref() {
            None | Some("" | "identity") => self.plain_body(headers, &mut body),
            Some("gzip" | "x-gzip") => match ContentEncoding::parse("gzip").decode(&body, MAX_UNPACKED) {
                Ok(mut unpacked) => {
                    self.plain_body(headers, &mut unpacked);
                    body = gzip(&unpacked);
                }
                Err(_) => self.salt.fill(&mut body),
            },
            // What nobody can look into may hold a credential, also where contents are kept.
            Some(_) => self.salt.fill(&mut body),
        }
        body
    }

    fn plain_body(&self, headers: &Headers, body: &mut [u8]) {
        let kind = headers.get("Content-Type").unwrap_or_default().to_ascii_lowercase();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        match kind {
            "application/vnd.ms-sync.multipart" => self.multipart(body),
            "message/rfc822" => self.message(body),
            _ if body.starts_with(&[3, 1, 0x6A]) || kind.starts_with("application/vnd.ms-sync") => self.wbxml(body),
            _ if kind.ends_with("json") => self.json(body),
            _ if kind.ends_with("/xml") || kind.ends_with("+xml") || body.starts_with(b"<?xml") => self.xml(body),
            _ => self.unknown(body),
        }
        for secret in &self.secrets {
            let needle = secret.expose().as_bytes();
            let found: Vec<usize> = memchr::memmem::find_iter(body, needle).collect();
            for at in found {
                stars(body.get_mut(at..at.saturating_add(needle.len())).unwrap_or_default());
            }
        }
    }

    fn unknown(&self, bytes: &mut [u8]) {
        if self.content == Content::Masked {
            self.salt.fill(bytes);
        }
    }

    fn message(&self, bytes: &mut [u8]) {
        if self.content == Content::Masked {
            mime::mask(bytes, &self.kept, &self.salt);
        }
    }

    /// Masks each part where it stands; the table of parts stands, and what lies between parts is unknown.
    fn multipart(&self, body: &mut [u8]) {
        let before = body.to_vec();
        let Ok(multipart) = Multipart::parse(&before) else { return self.unknown(body) };
        let data = (1..).map_while(|part| multipart.data(part));
        let parts: Vec<&[u8]> = std::iter::once(multipart.answer()).chain(data).collect();
        let together = parts.iter().fold(0_usize, |sum, part| sum.saturating_add(part.len()));
        if together > before.len() {
            // Parts that overlap are no answer anybody reads, and masking each would take its toll.
            return self.unknown(body);
        }
        // One number for the count, two for each part.
        let table = parts.len().saturating_mul(8).saturating_add(4);
        self.unknown(body.get_mut(table..).unwrap_or_default());
        for (index, part) in parts.into_iter().enumerate() {
            let mut masked = part.to_vec();
            match index {
                0 => self.wbxml(&mut masked),
                _ if mime::looks_like_message(part) => self.message(&mut masked),
                _ => self.unknown(&mut masked),
            }
            if let Some(place) = place(&before, part).and_then(|range| body.get_mut(range)) {
                place.copy_from_slice(&masked);
            }
        }
    }

    /// Rewrites the texts of a document where they stand; from where it cannot be decoded on, all is unknown.
    fn wbxml(&self, body: &mut [u8]) {
        let found = texts(body);
        let mut is_message = false;
        for (tag, range) in found.texts {
            let Some(bytes) = body.get_mut(range) else { continue };
            match tag {
                // The Type of a body stands before its Data; 4 is a whole message (MS-ASAIRS Type).
                tags::air_sync_base::TYPE => is_message = bytes == b"4",
                tags::air_sync_base::DATA if !is_message => {
                    self.unknown(bytes);
                    continue;
                }
                _ => {}
            }
            self.element(tag, bytes);
        }
        if let Some(rest) = body.get_mut(found.end..) {
            self.unknown(rest);
        }
    }

    fn element(&self, tag: Tag, bytes: &mut [u8]) {
        match rule(tag) {
            Rule::Secret => stars(bytes),
            Rule::PolicyKey => self.rewrite(bytes, |text| self.policy_key_text(text)),
            Rule::Device => self.rewrite(bytes, |text| self.device_id(text)),
            Rule::Keep => {}
            _ if self.content == Content::Kept => {}
            Rule::Plain if std::str::from_utf8(bytes).is_ok_and(text::is_plain) => {}
            Rule::Words => self.rewrite(bytes, |text| self.words(text)),
            Rule::Message if mime::looks_like_message(bytes) => self.message(bytes),
            Rule::Base64 if std::str::from_utf8(bytes).is_ok_and(|text| STANDARD.decode(text).is_ok()) => {
                // Hexadecimal digits are Base64 as well; the padding stays where it was.
                let padding = bytes.iter().rev().take_while(|b| **b == b'=').count();
                let (digits, _) = bytes.split_at_mut(bytes.len().saturating_sub(padding));
                // The last digit before the padding must leave the spare bits zero.
                self.salt.fill(digits);
                if padding > 0
                    && let Some(last) = digits.last_mut()
                {
                    *last = b'A';
                }
            }
            Rule::Plain | Rule::Message | Rule::Base64 | Rule::Fill => self.salt.fill(bytes),
        }
    }

    /// Replaces a text in place; what would change its length becomes filler.
    fn rewrite(&self, bytes: &mut [u8], change: impl Fn(&str) -> String) {
        match std::str::from_utf8(bytes).map(change) {
            Ok(new) if new.len() == bytes.len() => bytes.copy_from_slice(new.as_bytes()),
            _ => self.salt.fill(bytes),
        }
    }

    /// Rewrites the text between the tags of an XML document; tags and attributes stand.
    fn xml(&self, body: &mut [u8]) {
        let mut name = String::new();
        let mut at = 0;
        while at < body.len() {
            let rest = body.get(at..).unwrap_or_default();
            let comment = rest.starts_with(b"<!--");
            let cdata = rest.starts_with(b"<![CDATA[");
            if rest.first() == Some(&b'<') && !comment && !cdata {
                let end = memchr::memchr(b'>', rest).map_or(rest.len(), |end| end.saturating_add(1));
                if let Some(opened) = opened(rest.get(..end).unwrap_or_default()) {
                    name = opened;
                }
                at = at.saturating_add(end);
                continue;
            }
            let (skip, stop) = match (comment, cdata) {
                (true, _) => (4, &b"-->"[..]),
                (_, true) => (9, &b"]]>"[..]),
                _ => (0, &b"<"[..]),
            };
            let text = rest.get(skip..).unwrap_or_default();
            let length = memchr::memmem::find(text, stop).unwrap_or(text.len());
            let begin = at.saturating_add(skip);
            at = begin.saturating_add(length);
            let text = body.get_mut(begin..at).unwrap_or_default();
            if comment {
                self.unknown(text);
            } else {
                self.named(&name, text, &XML_KEEP, &XML_WORDS);
            }
            if comment || cdata {
                at = at.saturating_add(3);
            }
        }
    }

    /// Rewrites the string values of a JSON document; keys, numbers and structure stand.
    fn json(&self, body: &mut [u8]) {
        let mut key = String::new();
        let mut at = 0;
        while let Some(quote) = body.get(at..).and_then(|rest| memchr::memchr(b'"', rest)) {
            let begin = at.saturating_add(quote).saturating_add(1);
            let length = string_length(body.get(begin..).unwrap_or_default());
            let end = begin.saturating_add(length);
            at = end.saturating_add(1);
            let behind = body.get(at..).unwrap_or_default().trim_ascii_start().first();
            let is_key = behind == Some(&b':');
            let string = body.get_mut(begin..end).unwrap_or_default();
            if is_key {
                key = String::from_utf8_lossy(string).into_owned();
            } else {
                self.named(&key, string, &JSON_KEEP, &["Email"]);
            }
        }
    }

    /// Rewrites the text that stands under a name in XML or JSON.
    fn named(&self, name: &str, text: &mut [u8], keep: &[&str], words: &[&str]) {
        let lower = name.to_ascii_lowercase();
        if text.trim_ascii().is_empty() || keep.contains(&name) {
            return;
        }
        if SECRET.iter().any(|word| lower.contains(word)) {
            stars(text);
        } else if words.contains(&name) {
            self.rewrite(text, |text| self.words(text));
        } else if !std::str::from_utf8(text).is_ok_and(text::is_plain) {
            self.unknown(text);
        }
    }
}

/// Where the texts of a document stand, and up to where it could be decoded.
struct Texts {
    texts: Vec<(Tag, Range<usize>)>,
    end: usize,
}

fn texts(body: &[u8]) -> Texts {
    let mut decoder = Decoder::prefix(body, Limits::default());
    let mut found = Texts { texts: Vec::new(), end: 0 };
    let mut open: Vec<Tag> = Vec::new();
    loop {
        found.end = decoder.offset().min(body.len());
        let text = match decoder.next_event() {
            Ok(Some(Event::Start { tag, .. })) => {
                open.push(tag);
                continue;
            }
            Ok(Some(Event::End)) => {
                open.pop();
                continue;
            }
            Ok(Some(Event::Text(text))) => text.as_bytes(),
            Ok(Some(Event::Opaque(bytes))) => bytes,
            // What follows the document is no document.
            Ok(None) => {
                found.end = body.len().saturating_sub(decoder.trailing().len());
                return found;
            }
            Err(_) => return found,
        };
        let (Some(tag), Some(range)) = (open.last(), place(body, text)) else { return found };
        found.texts.push((*tag, range));
    }
}

/// Where `part` stands in `whole`, when it is a part of it.
fn place(whole: &[u8], part: &[u8]) -> Option<Range<usize>> {
    if part.is_empty() {
        return Some(0..0);
    }
    let begin = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    let end = begin.checked_add(part.len())?;
    (end <= whole.len()).then_some(begin..end)
}

/// The local name of an opening tag.
fn opened(tag: &[u8]) -> Option<String> {
    let inner = tag.strip_prefix(b"<")?;
    let name: Vec<u8> = inner.iter().copied().take_while(|b| !b.is_ascii_whitespace() && !b"/>".contains(b)).collect();
    let local = name.rsplit(|b| *b == b':').next().unwrap_or_default();
    (!local.is_empty() && !inner.starts_with(b"?")).then(|| String::from_utf8_lossy(local).into_owned())
}

/// The length of a JSON string without its closing quote.
fn string_length(bytes: &[u8]) -> usize {
    let mut escaped = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' if !escaped => return at,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    bytes.len()
}

fn stars(bytes: &mut [u8]) {
    bytes.fill(b'*');
}
