//! ValidateCert: check certificates (MS-ASCMD 2.2.1.22).

use crate::status::Status;

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
