use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Failure, Request, Response, TlsVersion};

/// One HTTP request with its answer, or with the reason why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// Its place in the file or run it belongs to, from 1.
    pub number: ExchangeNumber,
    /// How it came to be.
    pub origin: Origin,
    /// Which simulated or recorded device sent it.
    pub sender: Sender,
    /// When the first byte of the request was due to leave.
    pub started: Timestamp,
    /// What was sent.
    pub request: Request,
    /// What came back.
    pub outcome: Outcome,
    /// How long each part took.
    pub times: Times,
    /// What the TLS handshake agreed on; `None` over plain HTTP or when no handshake completed.
    pub tls: Option<TlsSession>,
}

impl Exchange {
    /// The answer, when there was one.
    pub fn response(&self) -> Option<&Response> {
        match &self.outcome {
            Outcome::Answered(response) => Some(response),
            Outcome::Failed(_) => None,
        }
    }
}

/// The number of an Exchange inside its run or capture, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExchangeNumber(pub u64);

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This instant, `by` later; saturates at the ends of the range.
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }
}

/// How an Exchange came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// easrig sent it and waited for the answer.
    Live,
    /// It was read from a capture.
    Imported,
    /// easrig sent it again from a recording.
    Replayed,
}

/// Who sent a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sender {
    /// Persona id (`wp7`), empty for recorded traffic of an unknown device.
    pub persona: String,
    /// Role in the scenario (`phone`, `tablet`, `partner`), empty for recorded traffic.
    pub role: String,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// An HTTP answer; it may still be cut short, see [`Response::cut`].
    Answered(Response),
    /// No HTTP answer.
    Failed(Failure),
}

/// How long the parts of an Exchange took, each counted from [`Exchange::started`], in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// TCP connected; `None` when an open connection was used again.
    pub connected: Option<u64>,
    /// TLS agreed; `None` on an open connection or plain HTTP.
    pub secured: Option<u64>,
    /// First byte of the answer.
    pub first_byte: Option<u64>,
    /// Last byte of the answer, or the moment it was given up.
    pub done: u64,
}

/// What a completed TLS handshake agreed on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsSession {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: String,
    /// IANA name of the cipher suite.
    pub cipher_suite: String,
    /// The certificate chain as sent, leaf first, DER.
    pub chain: Vec<Vec<u8>>,
    /// False when `--insecure` let an untrusted chain pass.
    pub verified: bool,
    /// What the client offered, where the recording has its ClientHello.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hello: Option<Box<ClientHello>>,
}

/// What a client says of itself when it begins TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientHello {
    /// The versions it speaks, best first; the highest alone where it says no more (up to TLS 1.2).
    pub versions: Vec<TlsVersion>,
    /// The numbers of its cipher suites, in its order.
    pub cipher_suites: Vec<u16>,
    /// Whether it names the server it wants (SNI).
    pub names_server: bool,
}
