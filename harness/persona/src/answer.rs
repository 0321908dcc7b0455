//! What an HTTP answer says, as far as a phone reads it: the same for a live phone and for a recorded one.

use easrig_eas::{
    encoding::{ContentEncoding, EncodingError},
    headers::ContentType,
    multipart::Multipart,
};
use easrig_exchange::{Headers, Response};
use easrig_wbxml::{Document, Limits};

use crate::Condition;

/// The most bytes of an unpacked answer.
const MOST_BYTES: usize = 64 << 20;

/// An answer, unpacked.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) http: u16,
    pub(crate) headers: Headers,
    /// The body without content coding.
    pub(crate) body: Vec<u8>,
    /// The document, where the body is or holds one.
    pub(crate) document: Option<Document>,
    /// The parts of a multipart answer after the document.
    pub(crate) parts: Vec<Vec<u8>>,
    /// The body ended too early, or its coding is broken.
    pub(crate) broken: bool,
    /// A coding the device announced and this tool cannot read: nobody's fault but ours.
    pub(crate) unreadable: Option<String>,
}

impl Answer {
    pub(crate) fn of(response: Response) -> Self {
        let coding = response.headers.get("Content-Encoding").unwrap_or_default();
        let decoded = ContentEncoding::parse(coding).decode(&response.body, MOST_BYTES);
        let unreadable = match &decoded {
            Err(EncodingError::Unknown(name)) => Some(name.clone()),
            _ => None,
        };
        let mut answer = Self {
            http: response.status,
            broken: response.cut.is_some() || decoded.is_err(),
            body: decoded.unwrap_or_default(),
            headers: response.headers,
            document: None,
            parts: Vec::new(),
            unreadable,
        };
        answer.open();
        answer
    }

    /// The Status that stands below the root, in the root's own page.
    pub(crate) fn status(&self) -> Option<u16> {
        let root = self.document.as_ref()?.root();
        let page = root.tag().page();
        let status =
            root.children().find(|child| child.tag().page() == page && child.tag().name() == Some("Status"))?;
        status.text().trim().parse().ok()
    }

    /// What stands between this answer and its use.
    pub(crate) fn trouble(&self) -> Option<Condition> {
        match self.status() {
            _ if self.http != 200 => Some(Condition::Http(self.http)),
            _ if self.broken => Some(Condition::Closed),
            Some(status @ 101..=199) => Some(Condition::Status(status)),
            _ => None,
        }
    }

    /// Whether the server asks the device to come back later.
    pub(crate) fn is_busy(&self) -> bool {
        self.http == 503 || self.http == 200 && self.status() == Some(111)
    }

    fn open(&mut self) {
        let kind = self.headers.get("Content-Type").map(ContentType::parse);
        if kind == Some(ContentType::Multipart) {
            let Ok(multipart) = Multipart::parse(&self.body) else {
                self.broken = true;
                return;
            };
            self.document = decode(multipart.answer());
            self.parts = (1..64).map_while(|part| multipart.data(part)).map(<[u8]>::to_vec).collect();
        } else if self.http == 200 {
            self.document = decode(&self.body);
        }
    }
}

fn decode(bytes: &[u8]) -> Option<Document> {
    Document::decode_prefix(bytes, Limits::default()).ok().map(|(document, _)| document)
}
