use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The longest record a server may send: 2^14 bytes and what encryption may add (RFC 5246 6.2.3).
const MAX_RECORD: usize = (1 << 14) + 2048;

/// How much of a handshake is read: chains are a few kilobytes.
const MAX_HANDSHAKE: usize = 256 << 10;

/// How many certificates are kept.
const MAX_CHAIN: usize = 16;

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

/// What a device of its era says first.
///
/// Only versions up to TLS 1.2 can be probed: what follows the hello of TLS 1.3 is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelloSpec {
    /// The highest version offered: 0x0300 (SSL 3) to 0x0303 (TLS 1.2).
    pub legacy_version: u16,
    /// Cipher suites by IANA number, best first.
    pub suites: Vec<u16>,
    /// Signature algorithms; empty leaves the extension out, as devices before TLS 1.2 do.
    pub sig_algs: Vec<u16>,
    /// Elliptic curves; empty leaves the extension out.
    pub groups: Vec<u16>,
    /// Whether the host is named (SNI).
    pub sni: bool,
}

/// What the server answered to the hello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeSeen {
    /// The version it chose.
    pub version: u16,
    /// The cipher suite it chose.
    pub suite: u16,
    /// The chain it showed, leaf first, DER; empty when the suite has none.
    pub chain: Vec<Vec<u8>>,
}

/// Why the server did not agree.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProbeFailure {
    /// No connection.
    #[error("no connection to {addr}: {detail}")]
    Connect {
        /// Where to.
        addr: SocketAddr,
        /// The system's own words.
        detail: String,
    },
    /// No answer in time.
    #[error("no answer to the TLS hello within {seconds} s")]
    Timeout {
        /// The time that was allowed.
        seconds: u64,
    },
    /// The server refused by an alert: 40 `handshake_failure` and 70 `protocol_version` mean that nothing fits.
    #[error("the server refused with alert {number} ({})", alert_name(*.number))]
    Alert {
        /// Its number (IANA TLS Alerts).
        number: u8,
    },
    /// The server closed the connection without a word, as some do when nothing fits.
    #[error("the server closed the connection at the TLS hello")]
    Closed,
    /// What came back is not TLS.
    #[error("the answer to the TLS hello is not TLS")]
    NotTls,
    /// What came back is TLS, but broken.
    #[error("the server's TLS handshake is malformed: {0}")]
    Malformed(&'static str),
}

/// Says hello as `spec` has it, reads what the server chose and the chain it shows, and leaves.
///
/// The handshake is never completed: nothing is agreed, and no secret is sent. `patience` covers connection and answer
/// together.
///
/// # Errors
/// [`ProbeFailure`].
pub async fn probe(
    addr: SocketAddr,
    host: &str,
    spec: &HelloSpec,
    patience: Duration,
) -> Result<ProbeSeen, ProbeFailure> {
    let talk = async {
        let connect = |error: io::Error| ProbeFailure::Connect { addr, detail: error.to_string() };
        let mut tcp = TcpStream::connect(addr).await.map_err(connect)?;
        tcp.write_all(&client_hello(host, spec)).await.map_err(|_| ProbeFailure::Closed)?;
        listen(&mut tcp).await
    };
    let late = |_| ProbeFailure::Timeout { seconds: patience.as_secs().max(1) };
    timeout(patience, talk).await.map_err(late)?
}

async fn listen(tcp: &mut TcpStream) -> Result<ProbeSeen, ProbeFailure> {
    let mut handshake = Vec::new();
    let mut first = true;
    while handshake.len() <= MAX_HANDSHAKE {
        let mut head = [0_u8; 5];
        tcp.read_exact(&mut head).await.map_err(|_| ProbeFailure::Closed)?;
        let [kind, major, _, high, low] = head;
        if major != 3 || !matches!(kind, ALERT | HANDSHAKE) {
            let broken = ProbeFailure::Malformed("a record of another kind came before the chain");
            return Err(if first { ProbeFailure::NotTls } else { broken });
        }
        first = false;
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > MAX_RECORD {
            return Err(ProbeFailure::Malformed("a record is too long"));
        }
        let mut record = vec![0_u8; length];
        tcp.read_exact(&mut record).await.map_err(|_| ProbeFailure::Closed)?;
        match (kind, record.as_slice()) {
            // A warning (that the name is not known, for one) is not the end.
            (ALERT, [1, number]) if *number != 0 => {}
            (ALERT, [_, number]) => return Err(ProbeFailure::Alert { number: *number }),
            (ALERT, _) => return Err(ProbeFailure::Malformed("an alert has two bytes")),
            _ => handshake.extend_from_slice(&record),
        }
        if let Some(seen) = read_handshake(&handshake)? {
            return Ok(seen);
        }
    }
    Err(ProbeFailure::Malformed("the handshake has no end"))
}

/// Reads the messages so far; `None` while the chain is still to come.
fn read_handshake(bytes: &[u8]) -> Result<Option<ProbeSeen>, ProbeFailure> {
    let mut reader = Reader(bytes);
    let mut seen = None;
    loop {
        let message = reader.number(1).zip(reader.vector(3));
        let Some((kind, body)) = message else { return Ok(None) };
        match (kind, &mut seen) {
            (2, None) => seen = Some(server_hello(body)?),
            (11, Some(seen)) => {
                seen.chain = chain(body)?;
                return Ok(Some(seen.clone()));
            }
            // The server's key or the end of its flight: a suite without certificates.
            (12 | 14, Some(seen)) => return Ok(Some(seen.clone())),
            (_, Some(_)) => {}
            (_, None) => return Err(ProbeFailure::Malformed("the first message is no server hello")),
        }
    }
}

fn server_hello(body: &[u8]) -> Result<ProbeSeen, ProbeFailure> {
    let mut reader = Reader(body);
    let mut read = || {
        let version = reader.number(2)?;
        reader.bytes(32)?;
        reader.vector(1)?;
        let suite = reader.number(2)?;
        Some(ProbeSeen { version: u16::try_from(version).ok()?, suite: u16::try_from(suite).ok()?, chain: Vec::new() })
    };
    read().ok_or(ProbeFailure::Malformed("the server hello is too short"))
}

fn chain(body: &[u8]) -> Result<Vec<Vec<u8>>, ProbeFailure> {
    let broken = ProbeFailure::Malformed("the chain does not end where it says");
    let mut list = Reader(Reader(body).vector(3).ok_or_else(|| broken.clone())?);
    let mut chain = Vec::new();
    while !list.0.is_empty() && chain.len() < MAX_CHAIN {
        chain.push(list.vector(3).ok_or_else(|| broken.clone())?.to_vec());
    }
    Ok(chain)
}

/// Takes big-endian numbers and what is counted by them from the front.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn bytes(&mut self, count: usize) -> Option<&'b [u8]> {
        let (front, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(front)
    }

    /// A number of up to four bytes.
    fn number(&mut self, width: usize) -> Option<u32> {
        Some(self.bytes(width)?.iter().fold(0, |sum, byte| (sum << 8) | u32::from(*byte)))
    }

    /// Bytes behind their count; the count has `width` bytes.
    fn vector(&mut self, width: usize) -> Option<&'b [u8]> {
        let count = usize::try_from(self.number(width)?).ok()?;
        self.bytes(count)
    }
}

fn client_hello(host: &str, spec: &HelloSpec) -> Vec<u8> {
    let mut extensions = Vec::new();
    if spec.sni && host.parse::<std::net::IpAddr>().is_err() {
        let name = [&[0], counted(2, host.as_bytes()).as_slice()].concat();
        extensions.extend(extension(0, &counted(2, &name)));
    }
    if !spec.groups.is_empty() {
        extensions.extend(extension(10, &counted(2, &numbers(&spec.groups))));
        // Uncompressed points, the one form everybody speaks.
        extensions.extend(extension(11, &[1, 0]));
    }
    if !spec.sig_algs.is_empty() {
        extensions.extend(extension(13, &counted(2, &numbers(&spec.sig_algs))));
    }
    let mut body = spec.legacy_version.to_be_bytes().to_vec();
    body.extend_from_slice(&random());
    body.push(0);
    body.extend(counted(2, &numbers(&spec.suites)));
    body.extend_from_slice(&[1, 0]);
    if !extensions.is_empty() {
        body.extend(counted(2, &extensions));
    }
    let message = [&[1], counted(3, &body).as_slice()].concat();
    // Records of a first hello carry at most TLS 1.0: old servers refuse more.
    let record_version = spec.legacy_version.min(0x0301).to_be_bytes();
    [&[HANDSHAKE], record_version.as_slice(), counted(2, &message).as_slice()].concat()
}

fn extension(number: u16, content: &[u8]) -> Vec<u8> {
    [number.to_be_bytes().as_slice(), counted(2, content).as_slice()].concat()
}

fn numbers(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// `bytes` behind their count of `width` bytes; what the count cannot hold is left out.
fn counted(width: usize, bytes: &[u8]) -> Vec<u8> {
    let most = if width >= 3 { 0xFF_FFFF } else { 0xFFFF };
    let kept = bytes.get(..bytes.len().min(most)).unwrap_or_default();
    let count = u32::try_from(kept.len()).unwrap_or(0).to_be_bytes();
    let count = count.get(count.len().saturating_sub(width)..).unwrap_or_default();
    [count, kept].concat()
}

/// 32 bytes that differ each time; nothing is secured by them.
fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    for part in bytes.chunks_mut(8) {
        part.copy_from_slice(&RandomState::new().build_hasher().finish().to_be_bytes());
    }
    bytes
}

fn alert_name(number: u8) -> &'static str {
    match number {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        40 => "handshake_failure",
        42 => "bad_certificate",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        50 => "decode_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        109 => "missing_extension",
        112 => "unrecognized_name",
        _ => "without a name here",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_of_the_era_has_no_extensions() {
        let spec = HelloSpec {
            legacy_version: 0x0301,
            suites: vec![0x002F, 0x000A],
            sig_algs: Vec::new(),
            groups: Vec::new(),
            sni: false,
        };
        let hello = client_hello("mail.easrig.test", &spec);
        assert_eq!(hello[..11], [22, 3, 1, 0, 47, 1, 0, 0, 43, 3, 1]);
        assert_eq!(hello[43..], [0, 0, 4, 0, 0x2F, 0, 0x0A, 1, 0]);
    }

    #[test]
    fn a_handshake_that_breaks_off_anywhere_never_panics() {
        let mut hello = vec![2, 0, 0, 38, 3, 3];
        hello.extend([7; 32]);
        hello.extend([0, 0xC0, 0x2B, 0]);
        hello.extend([11, 0, 0, 8, 0, 0, 5, 0, 0, 2, 0x30, 0]);
        let seen = ProbeSeen { version: 0x0303, suite: 0xC02B, chain: vec![vec![0x30, 0]] };
        assert_eq!(read_handshake(&hello), Ok(Some(seen)));
        for cut in 0..hello.len() {
            assert_eq!(read_handshake(&hello[..cut]), Ok(None));
        }
        for at in 0..hello.len() {
            let mut damaged = hello.clone();
            damaged[at] ^= 0xFF;
            let _ = read_handshake(&damaged);
        }
    }
}
