//! ValidateCert: check certificates (MS-ASCMD 2.2.1.22).

use easrig_wbxml::{Builder, Document, tags::validate_cert as tag};

use super::{
    ShapeError,
    shape::{Reader, Write},
};
use crate::{Version, status::Status};

/// The certificates to check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Intermediate certificates, base64 DER.
    pub certificate_chain: Vec<String>,
    /// The certificates, base64 DER.
    pub certificates: Vec<String>,
    /// Whether revocation is checked.
    pub check_crl: Option<bool>,
}

/// What the server answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status of the command.
    pub status: Option<Status>,
    /// The outcome per certificate, in the order of the request.
    pub certificates: Vec<Status>,
}

impl Request {
    /// The document.
    pub fn to_document(&self, _version: Version) -> Document {
        let mut out = Builder::new(tag::VALIDATE_CERT);
        if !self.certificate_chain.is_empty() {
            out.open(tag::CERTIFICATE_CHAIN);
            for certificate in &self.certificate_chain {
                out.leaf(tag::CERTIFICATE, certificate);
            }
            out.close();
        }
        out.open(tag::CERTIFICATES);
        for certificate in &self.certificates {
            out.leaf(tag::CERTIFICATE, certificate);
        }
        out.close().switch(tag::CHECK_CRL, self.check_crl);
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another or the switch is neither 0 nor 1.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::VALIDATE_CERT, "ValidateCert:ValidateCert")?;
        let list = |wanted| root.child(wanted).map(|at| at.texts(tag::CERTIFICATE)).unwrap_or_default();
        Ok(Self {
            certificate_chain: list(tag::CERTIFICATE_CHAIN),
            certificates: list(tag::CERTIFICATES),
            check_crl: root.switch(tag::CHECK_CRL)?,
        })
    }
}

impl Response {
    /// The document.
    pub fn to_document(&self, _version: Version) -> Document {
        let mut out = Builder::new(tag::VALIDATE_CERT);
        out.maybe(tag::STATUS, self.status);
        for &status in &self.certificates {
            out.open(tag::CERTIFICATE).value(tag::STATUS, status).close();
        }
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another, or a status is missing or no number.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::VALIDATE_CERT, "ValidateCert:ValidateCert")?;
        let certificates =
            root.all(tag::CERTIFICATE).map(|at| at.need_status(tag::STATUS)).collect::<Result<_, _>>()?;
        Ok(Self { status: root.status(tag::STATUS)?, certificates })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_and_written() {
        let xml = "<ValidateCert xmlns=\"ValidateCert\"><CertificateChain><Certificate>YQ==</Certificate></CertificateChain>\
            <Certificates><Certificate>Yg==</Certificate></Certificates><CheckCRL>1</CheckCRL></ValidateCert>";
        let document = Document::from_xml(xml).unwrap();
        let request = Request::from_document(&document, Version::V14_1).unwrap();
        assert_eq!(request.certificates, ["Yg=="]);
        assert_eq!(request.check_crl, Some(true));
        assert_eq!(request.to_document(Version::V14_1), document);
    }

    #[test]
    fn an_answer_has_one_status_per_certificate() {
        let xml = "<ValidateCert xmlns=\"ValidateCert\"><Status>1</Status><Certificate><Status>1</Status></Certificate>\
            <Certificate><Status>4</Status></Certificate></ValidateCert>";
        let document = Document::from_xml(xml).unwrap();
        let response = Response::from_document(&document, Version::V14_1).unwrap();
        assert_eq!(response.certificates, [Status(1), Status(4)]);
        assert_eq!(response.to_document(Version::V14_1), document);
    }

    #[test]
    fn a_certificate_without_status_is_refused() {
        let document =
            Document::from_xml("<ValidateCert xmlns=\"ValidateCert\"><Certificate/></ValidateCert>").unwrap();
        let error = Response::from_document(&document, Version::V14_1).unwrap_err();
        assert_eq!(error.path, "ValidateCert/Certificate/Status");
    }
}
