use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use url::Url;

use super::{Content, REMOVED, Redactor};
use crate::escape::Escaped;
use crate::walk::{self, QueryField};

/// Parameters whose values are the protocol's own.
pub(crate) const KNOWN: [&str; 12] = [
    "cmd",
    "devicetype",
    "collectionid",
    "itemid",
    "longid",
    "occurrence",
    "saveinsent",
    "protocol",
    "redirectcount",
    "collectionname",
    "parentid",
    "api-version",
];

/// The tag of AttachmentName in a base64 query (MS-ASHTTP 2.2.1.1.1.1.3).
const ATTACHMENT_NAME: u8 = 0;

/// Parts of parameter names whose values are credentials.
pub(crate) const SECRET: [&str; 9] = ["token", "password", "pass", "secret", "code", "sig", "key", "auth", "assertion"];

impl Redactor {
    /// The URL without credentials, with pseudonyms, and with masked names of people.
    pub(super) fn url(&self, url: &Url) -> Url {
        let mut out = url.clone();
        // Both fail only for URLs that cannot hold credentials.
        let _ = out.set_username("");
        let _ = out.set_password(None);
        out.set_fragment(None);
        if url.path().contains('@') || url.path().contains("%40") {
            let masked: Vec<String> = url.path().split('/').map(|part| self.segment(part)).collect();
            out.set_path(&masked.join("/"));
        }
        if let Some(query) = url.query() {
            out.set_query(Some(&self.forgotten(&self.query(query))));
        }
        out
    }

    /// A URL that stands in a text; what is none is masked.
    pub(super) fn url_text(&self, text: &str) -> String {
        match Url::parse(text.trim()) {
            // The form of the sender stays when there was nothing to remove.
            Ok(url) if self.url(&url) == url => text.to_owned(),
            Ok(url) => self.url(&url).to_string(),
            Err(_) => match text.split_once('?') {
                Some((path, query)) => format!("{path}?{}", self.query(query)),
                None => text.to_owned(),
            },
        }
    }

    /// The query: base64 when it names no command and is base64 as a whole, else parameters.
    fn query(&self, query: &str) -> String {
        self.base64_query(query).unwrap_or_else(|| {
            let parts: Vec<String> = query.split('&').map(|part| self.parameter(part)).collect();
            parts.join("&")
        })
    }

    fn parameter(&self, part: &str) -> String {
        let Some((name, value)) = part.split_once('=') else { return self.words(part) };
        let lower = name.to_ascii_lowercase();
        let value = match lower.as_str() {
            "deviceid" => self.device_id(value),
            known if KNOWN.contains(&known) => value.to_owned(),
            "attachmentname" => self.attachment_name(value),
            _ if SECRET.iter().any(|word| lower.contains(word)) => REMOVED.to_owned(),
            _ => self.words(value),
        };
        format!("{name}={value}")
    }

    /// Filler for an attachment's name, the same as where the mail tells it (AttName of 2.5): there no `%XX` stands.
    fn attachment_name(&self, text: &str) -> String {
        if self.content == Content::Kept {
            return text.to_owned();
        }
        let mut escaped = Escaped::read(text.as_bytes(), b'%');
        self.salt.fill(&mut escaped.bytes);
        let mut out = text.as_bytes().to_vec();
        match (escaped.write(&mut out), String::from_utf8(out)) {
            (true, Ok(out)) => out,
            _ => self.salt.scramble(text),
        }
    }

    fn segment(&self, segment: &str) -> String {
        let person = segment.contains('@') || segment.contains("%40");
        if person { self.words(segment) } else { segment.to_owned() }
    }

    /// A base64 query with its fields rewritten; `None` when it is none. A broken rest of its fields is masked.
    fn base64_query(&self, query: &str) -> Option<String> {
        let decoded = STANDARD.decode(query).map(|bytes| (bytes, true));
        let decoded = decoded.or_else(|_| STANDARD_NO_PAD.decode(query).map(|bytes| (bytes, false)));
        let (mut bytes, padded) = decoded.ok()?;
        if bytes.len() < 5 {
            return None;
        }
        let known = self.fields(&mut bytes);
        if let Some(rest) = bytes.get_mut(known..).filter(|rest| !rest.is_empty()) {
            self.salt.fill(rest);
        }
        Some(if padded { STANDARD.encode(bytes) } else { STANDARD_NO_PAD.encode(bytes) })
    }

    /// Rewrites what it understands and says how far that reaches.
    fn fields(&self, bytes: &mut [u8]) -> usize {
        walk::query(bytes, |field, value| match field {
            QueryField::DeviceId => match std::str::from_utf8(value).map(|text| self.device_id(text)) {
                Ok(other) if other.len() == value.len() && value.iter().all(u8::is_ascii_graphic) => {
                    value.copy_from_slice(other.as_bytes());
                }
                _ => self.salt.device_bytes(value),
            },
            QueryField::PolicyKey => match <[u8; 4]>::try_from(&*value) {
                Ok(number) => value.copy_from_slice(&self.policy_key(u32::from_le_bytes(number)).to_le_bytes()),
                Err(_) => self.salt.fill(value),
            },
            // 1 to 7 but 2 are ids and options; attachment names, users and the unknown are people's own.
            QueryField::DeviceType | QueryField::Parameter(1 | 3..=7) => {}
            QueryField::Parameter(_) if self.content == Content::Kept => {}
            QueryField::Parameter(ATTACHMENT_NAME) => self.salt.fill(value),
            QueryField::Parameter(_) => match std::str::from_utf8(value).map(|text| self.words(text)) {
                Ok(masked) if masked.len() == value.len() => value.copy_from_slice(masked.as_bytes()),
                _ => self.salt.fill(value),
            },
        })
    }
}
