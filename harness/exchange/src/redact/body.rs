use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use easrig_eas::encoding::{ContentEncoding, gzip};
use easrig_wbxml::{Tag, tags};

use super::table::{Rule, rule};
use super::{Content, Redactor, mime, text};
use crate::Headers;
use crate::walk::{self, JsonPiece, PartPiece, XmlPiece};

/// How much a gzip body may unfold to.
pub(crate) const MAX_UNPACKED: usize = 128 << 20;

/// Elements of Autodiscover whose text is the protocol's own.
const XML_KEEP: [&str; 9] =
    ["Url", "Name", "Type", "Culture", "AcceptableResponseSchema", "Status", "ErrorCode", "ServerData", "Action"];

/// Elements of Autodiscover that name people.
const XML_WORDS: [&str; 4] = ["EMailAddress", "Redirect", "RedirectAddr", "LoginName"];

/// Keys of JSON whose values are the protocol's own.
const JSON_KEEP: [&str; 5] = ["Protocol", "Url", "ErrorCode", "error", "token_type"];

/// Parts of names (in XML and JSON) whose values are credentials.
pub(crate) const SECRET: [&str; 5] = ["token", "password", "secret", "assertion", "credential"];

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
        let whole = walk::multipart(body, |piece, bytes| match piece {
            PartPiece::Answer => self.wbxml(bytes),
            PartPiece::Data if mime::looks_like_message(bytes) => self.message(bytes),
            PartPiece::Data | PartPiece::Between => self.unknown(bytes),
        });
        if !whole {
            self.unknown(body);
        }
    }

    /// Rewrites the texts of a document where they stand; from where it cannot be decoded on, all is unknown.
    fn wbxml(&self, body: &mut [u8]) {
        let mut is_message = false;
        walk::wbxml(body, |tag, bytes| match tag {
            None => self.unknown(bytes),
            Some(tags::air_sync_base::DATA) if !is_message => self.unknown(bytes),
            Some(tag) => {
                // The Type of a body stands before its Data; 4 is a whole message (MS-ASAIRS Type).
                if tag == tags::air_sync_base::TYPE {
                    is_message = bytes == b"4";
                }
                self.element(tag, bytes);
            }
        });
    }

    fn element(&self, tag: Tag, bytes: &mut [u8]) {
        match rule(tag) {
            Rule::Secret => stars(bytes),
            Rule::PolicyKey => self.rewrite(bytes, |text| self.policy_key_text(text)),
            Rule::Device => self.rewrite(bytes, |text| self.device_id(text)),
            Rule::Keep | Rule::Id | Rule::Product => {}
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
        walk::xml(body, |piece, name, bytes| match piece {
            XmlPiece::Markup => {}
            XmlPiece::Text => self.named(name, bytes, &XML_KEEP, &XML_WORDS),
            XmlPiece::Comment => self.unknown(bytes),
        });
    }

    /// Rewrites the string values of a JSON document; keys, numbers and structure stand.
    fn json(&self, body: &mut [u8]) {
        walk::json(body, |piece, key, bytes| match piece {
            JsonPiece::Key | JsonPiece::Between => {}
            JsonPiece::Text => self.named(key, bytes, &JSON_KEEP, &["Email"]),
        });
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

fn stars(bytes: &mut [u8]) {
    bytes.fill(b'*');
}
