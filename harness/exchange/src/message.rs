use serde::{Deserialize, Serialize};
use url::Url;

use crate::Headers;

/// An HTTP request as it goes on the wire, before TLS.
///
/// `Host`, `Content-Length` and `Authorization` are ordinary headers here: the persona says where they stand and how they
/// are spelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// `POST`, `OPTIONS`, `GET`.
    pub method: String,
    /// Absolute URL; path and query go out exactly as written here.
    pub url: Url,
    /// Every header, in wire order and spelling.
    pub headers: Headers,
    /// The body as sent.
    pub body: Vec<u8>,
}

impl Request {
    /// The query after `?`, undecoded; empty when there is none.
    pub fn query(&self) -> &str {
        self.url.query().unwrap_or_default()
    }
}

/// An HTTP answer with transfer coding removed and content coding (gzip) still in place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// HTTP status code.
    pub status: u16,
    /// Reason phrase as sent.
    pub reason: String,
    /// Every header, in wire order and spelling.
    pub headers: Headers,
    /// The body as received, up to the limit of the client.
    pub body: Vec<u8>,
    /// Why the body is not the whole body the server announced, if so.
    pub cut: Option<String>,
}
