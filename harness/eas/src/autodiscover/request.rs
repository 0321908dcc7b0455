use std::fmt;

use thiserror::Error;

use super::{INVALID_REQUEST, REQUEST_SCHEMA, RESPONSE_SCHEMA};
use crate::markup::{MarkupError, Node, escaped};

/// A request in the XML form. Display is the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoxRequest {
    /// Namespace of the document; [`REQUEST_SCHEMA`] for ActiveSync.
    pub namespace: String,
    /// The address to find the server of.
    pub email: String,
    /// The document the device wants; [`RESPONSE_SCHEMA`] for ActiveSync.
    pub acceptable_response_schema: String,
}

/// Why a request cannot be served. Every one of them is ErrorCode 600 to a device.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PoxRequestError {
    /// Not text in UTF-8.
    #[error("the request is not UTF-8 text")]
    NotText,
    /// Not XML, or too much of it. Some devices post no body at all: that is [`MarkupError::Empty`].
    #[error("the request cannot be read")]
    Markup(#[from] MarkupError),
    /// Another root element.
    #[error("the request's root is `{0}`, expected `Autodiscover`")]
    Root(String),
    /// None, or more than one.
    #[error("the request has {0} Request elements, expected exactly one")]
    NotOneRequest(usize),
    /// No address.
    #[error("the request has no EMailAddress")]
    NoAddress,
    /// No schema.
    #[error("the request has no AcceptableResponseSchema")]
    NoSchema,
}

impl PoxRequest {
    /// The request of an ActiveSync device.
    pub fn mobile_sync(email: &str) -> Self {
        Self {
            namespace: REQUEST_SCHEMA.to_owned(),
            email: email.to_owned(),
            acceptable_response_schema: RESPONSE_SCHEMA.to_owned(),
        }
    }

    /// Whether ActiveSync settings are asked for; a server without a provider for another schema answers 601.
    pub fn asks_for_mobile_sync(&self) -> bool {
        self.acceptable_response_schema == RESPONSE_SCHEMA
    }

    /// Reads a body.
    ///
    /// # Errors
    ///
    /// Anything but one Request with an address and a schema (MS-ASCMD_R2287).
    pub fn parse(body: &[u8]) -> Result<Self, PoxRequestError> {
        let root = Node::parse(std::str::from_utf8(body).map_err(|_| PoxRequestError::NotText)?)?;
        if root.name != "Autodiscover" {
            return Err(PoxRequestError::Root(root.name));
        }
        let mut requests = root.all("Request");
        let (Some(request), None) = (requests.next(), requests.next()) else {
            return Err(PoxRequestError::NotOneRequest(root.all("Request").count()));
        };
        let some = |name: &str| request.child_text(name).filter(|text| !text.is_empty());
        Ok(Self {
            email: some("EMailAddress").ok_or(PoxRequestError::NoAddress)?,
            acceptable_response_schema: some("AcceptableResponseSchema").ok_or(PoxRequestError::NoSchema)?,
            namespace: root.namespace.clone(),
        })
    }
}

impl PoxRequestError {
    /// The ErrorCode of the answer.
    pub fn error_code(&self) -> u16 {
        INVALID_REQUEST
    }
}

impl fmt::Display for PoxRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><Autodiscover xmlns=\"{}\"><Request><EMailAddress>{}\
             </EMailAddress><AcceptableResponseSchema>{}</AcceptableResponseSchema></Request></Autodiscover>",
            escaped(&self.namespace),
            escaped(&self.email),
            escaped(&self.acceptable_response_schema)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reads_and_writes_alike() {
        let request = PoxRequest::mobile_sync("anna&b@example.com");
        let text = request.to_string();
        assert!(text.contains("<EMailAddress>anna&amp;b@example.com</EMailAddress>"));
        assert_eq!(PoxRequest::parse(text.as_bytes()), Ok(request.clone()));
        assert!(request.asks_for_mobile_sync());
    }

    #[test]
    fn prefixes_and_white_space_do_not_count() {
        let text = format!(
            "<x:Autodiscover xmlns:x=\"{REQUEST_SCHEMA}\">\n <x:Request><x:EMailAddress> a@b </x:EMailAddress>\n\
             <x:AcceptableResponseSchema>other</x:AcceptableResponseSchema></x:Request></x:Autodiscover>"
        );
        let request = PoxRequest::parse(text.as_bytes()).unwrap();
        assert_eq!((request.email.as_str(), request.namespace.as_str()), ("a@b", REQUEST_SCHEMA));
        assert!(!request.asks_for_mobile_sync());
    }

    #[test]
    fn anything_but_one_whole_request_is_refused() {
        let whole = PoxRequest::mobile_sync("a@b").to_string();
        let start = whole.find("<Request>").unwrap();
        let end = whole.find("</Autodiscover>").unwrap();
        let twice = format!("{}{}{}", &whole[..end], &whole[start..end], &whole[end..]);
        for (text, error) in [
            (twice, PoxRequestError::NotOneRequest(2)),
            ("<Autodiscover/>".to_owned(), PoxRequestError::NotOneRequest(0)),
            ("<Autodiscover><Request/></Autodiscover>".to_owned(), PoxRequestError::NoAddress),
            (whole.replace(RESPONSE_SCHEMA, ""), PoxRequestError::NoSchema),
            (String::new(), PoxRequestError::Markup(MarkupError::Empty)),
            ("<a/>".to_owned(), PoxRequestError::Root("a".to_owned())),
        ] {
            assert_eq!(PoxRequest::parse(text.as_bytes()), Err(error), "{text}");
        }
        assert_eq!(PoxRequest::parse(&[0xff]), Err(PoxRequestError::NotText));
        assert_eq!(PoxRequestError::NoSchema.error_code(), 600);
    }
}
