use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a request has no HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The host name could not be resolved.
    #[error("host name `{host}` could not be resolved: {detail}")]
    Dns {
        /// The name asked for.
        host: String,
        /// The resolver's own words.
        detail: String,
    },
    /// The port is closed.
    #[error("{host}:{port} refused the connection")]
    Refused {
        /// Host as in the URL.
        host: String,
        /// Port as in the URL.
        port: u16,
    },
    /// Any other failure to open a connection.
    #[error("no connection to {host}:{port}: {detail}")]
    Unreachable {
        /// Host as in the URL.
        host: String,
        /// Port as in the URL.
        port: u16,
        /// The system's own words.
        detail: String,
    },
    /// The handshake failed, or easrig does not trust the chain.
    #[error("TLS with {host} failed: {kind}")]
    Tls {
        /// Host as in the URL.
        host: String,
        /// What went wrong.
        kind: TlsFailure,
    },
    /// The time for this phase was over.
    #[error("no {phase} within {seconds} s")]
    Timeout {
        /// What was waited for.
        phase: Phase,
        /// The time that was allowed.
        seconds: u64,
    },
    /// The peer closed the connection before an answer began.
    #[error("the connection was closed before an answer")]
    Closed,
    /// What came back is not HTTP/1.
    #[error("the answer is not HTTP: {detail}")]
    NotHttp {
        /// What was found, and at which byte.
        detail: String,
    },
    /// The machine gave up the request itself (a cancelled Ping).
    #[error("given up by the device")]
    Cancelled,
}

/// What went wrong in a TLS handshake.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsFailure {
    /// The chain ends in no trusted root.
    #[error("the certificate's issuer is not trusted")]
    UnknownIssuer,
    /// The certificate is past its end.
    #[error("the certificate has expired")]
    Expired,
    /// The certificate is not valid yet.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// The certificate is for other names.
    #[error("the certificate is not for this name (it is for: {})", names.join(", "))]
    WrongName {
        /// The names in the certificate.
        names: Vec<String>,
    },
    /// The certificate is revoked, malformed or not for servers.
    #[error("the certificate is not acceptable: {0}")]
    BadCertificate(String),
    /// The peer sent an alert (no common version or suite, among others).
    #[error("the server sent alert `{0}`")]
    Alert(String),
    /// The peer does not speak TLS, or closed in the middle.
    #[error("{0}")]
    Handshake(String),
}

/// What was waited for when the time was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// TCP connection.
    #[error("connection")]
    Connect,
    /// TLS handshake.
    #[error("TLS handshake")]
    Handshake,
    /// First byte of the answer.
    #[error("answer")]
    FirstByte,
    /// The rest of the answer.
    #[error("end of the answer")]
    Body,
}
