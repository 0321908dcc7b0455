use easrig_exchange::Headers;

use crate::http::head::Head;

/// The most headers of a message that are kept.
const MAX_FIELDS: usize = 500;

/// The longest name and value together, and the most bytes of all headers of a message.
const MAX_BYTES: usize = 64 << 10;

/// The headers of a message, pseudo-headers (RFC 9113, 8.3) apart.
#[derive(Debug, Default)]
pub(super) struct Fields {
    method: Option<String>,
    scheme: Option<String>,
    authority: Option<String>,
    path: Option<String>,
    status: Option<String>,
    headers: Headers,
    count: usize,
    bytes: usize,
}

impl Fields {
    pub(super) fn push(&mut self, name: &[u8], value: &[u8]) {
        self.count = self.count.saturating_add(1);
        self.bytes = self.bytes.saturating_add(name.len()).saturating_add(value.len());
        if self.count > MAX_FIELDS || self.bytes > MAX_BYTES {
            return;
        }
        let (name, value) = (text(name), text(value));
        match name.as_str() {
            ":method" => self.method = Some(value),
            ":scheme" => self.scheme = Some(value),
            ":authority" => self.authority = Some(value),
            ":path" => self.path = Some(value),
            ":status" => self.status = Some(value),
            name if name.starts_with(':') => {}
            _ => self.headers.push(name, value),
        }
    }

    /// The head of a request; `None` when it is none.
    pub(super) fn request(self) -> Option<Head> {
        let method = self.method?;
        let target = match (self.authority, self.path) {
            (Some(authority), Some(path)) => {
                let scheme = self.scheme.filter(|scheme| scheme == "http" || scheme == "https");
                let path = if path == "*" { "/".to_owned() } else { path };
                match scheme {
                    Some(scheme) => format!("{scheme}://{authority}{path}"),
                    None => path,
                }
            }
            (None, Some(path)) => path,
            (Some(authority), None) => authority,
            (None, None) => return None,
        };
        Some(Head { method, target, headers: self.headers, ..Head::default() })
    }

    /// The headers alone, as of a trailer.
    pub(super) fn headers(self) -> Headers {
        self.headers
    }

    /// The status of an answer; `None` when it is none.
    pub(super) fn status(&self) -> Option<u16> {
        self.status.as_ref()?.parse().ok().filter(|status| (100..1000).contains(status))
    }

    /// The head of an answer with this status.
    pub(super) fn answer(self, status: u16) -> Head {
        Head { status, headers: self.headers, ..Head::default() }
    }
}

/// Text as UTF-8, or else one character per byte.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}
