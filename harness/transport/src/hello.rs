use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use easrig_exchange::{OfferAnswer, TlsOffer, TlsVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

mod write;

use write::client_hello;

/// Asks a server which versions of TLS it takes, oldest first: one hello for each that offers this version and no other,
/// with the cipher suites of its time.
///
/// No handshake is completed: nothing is agreed, nobody is trusted, and no secret is sent. Up to TLS 1.2 a version counts
/// as taken when the server's whole first flight came, since some name a version and then break off; of TLS 1.3 more than
/// the first message is encrypted. `patience` bounds each of the hellos, which leave at the same time.
pub async fn tls_offers(addresses: &[SocketAddr], host: &str, patience: Duration) -> Vec<TlsOffer> {
    let ask = |version| ask(addresses, host, version, patience);
    let [one, two, three, four] = TlsVersion::ALL.map(ask);
    let (one, two, three, four) = tokio::join!(one, two, three, four);
    let heard = [one, two, three, four];
    // A server that takes another version is there and speaks TLS: whatever it does instead of going on is a refusal.
    let speaks = heard.contains(&Heard::Flight);
    TlsVersion::ALL.into_iter().zip(heard).map(|(version, heard)| heard.offer(version, speaks)).collect()
}

/// What came back to a hello.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Heard {
    /// The version offered, and all that belongs to it.
    Flight,
    /// Another version.
    Other(u16),
    /// A fatal alert.
    Alert(u8),
    /// The connection was taken, and closed at the hello.
    Closed,
    /// Nothing that says anything about the version.
    Nothing(String),
}

impl Heard {
    fn offer(self, version: TlsVersion, speaks: bool) -> TlsOffer {
        let refusal = if speaks { OfferAnswer::Refused } else { OfferAnswer::Unclear };
        let (answer, how) = match self {
            Self::Flight => (OfferAnswer::Accepted, String::new()),
            Self::Other(other) => (OfferAnswer::Refused, format!("chose {} instead", version_name(other))),
            Self::Alert(number) => {
                let answer = if is_refusal(number) { OfferAnswer::Refused } else { refusal };
                (answer, format!("alert {number} ({})", alert_name(number)))
            }
            Self::Closed => (refusal, "closed the connection at the hello".to_owned()),
            Self::Nothing(why) => (OfferAnswer::Unclear, why),
        };
        TlsOffer { version, answer, how }
    }
}

async fn ask(addresses: &[SocketAddr], host: &str, version: TlsVersion, patience: Duration) -> Heard {
    let talk = async {
        let mut tcp = match TcpStream::connect(addresses).await {
            Ok(tcp) => tcp,
            Err(error) => return Heard::Nothing(format!("no connection: {error}")),
        };
        // Who closes before the hello has left is heard of below.
        let _ = tcp.write_all(&client_hello(name(host), version, random())).await;
        listen(&mut tcp, version).await
    };
    let late = |_| Heard::Nothing(format!("no answer to the hello within {} s", patience.as_secs().max(1)));
    timeout(patience, talk).await.unwrap_or_else(late)
}

/// The name a hello may hold: addresses are none.
fn name(host: &str) -> Option<&str> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().is_err().then_some(host)
}

async fn listen(tcp: &mut TcpStream, version: TlsVersion) -> Heard {
    let mut handshake = Vec::new();
    let mut first = true;
    while handshake.len() <= MAX_HANDSHAKE {
        let mut head = [0_u8; 5];
        if tcp.read_exact(&mut head).await.is_err() {
            return Heard::Closed;
        }
        let [kind, major, _, high, low] = head;
        let length = usize::from(u16::from_be_bytes([high, low]));
        if major != 3 || !matches!(kind, ALERT | HANDSHAKE) || length > MAX_RECORD {
            return Heard::Nothing(
                if first { "what came is not TLS" } else { "the handshake is malformed" }.to_owned(),
            );
        }
        first = false;
        let mut record = vec![0_u8; length];
        if tcp.read_exact(&mut record).await.is_err() {
            return Heard::Closed;
        }
        match (kind, record.as_slice()) {
            // A warning (that the name is not known, for one) is not the end; but the end of the connection is announced
            // by one.
            (ALERT, [1, number]) if *number != CLOSE_NOTIFY => {}
            (ALERT, [_, CLOSE_NOTIFY]) => return Heard::Closed,
            (ALERT, [_, number]) => return Heard::Alert(*number),
            (ALERT, _) => return Heard::Nothing("an alert that is none".to_owned()),
            _ => handshake.extend_from_slice(&record),
        }
        if let Some(heard) = read_flight(&handshake, version) {
            return heard;
        }
    }
    Heard::Nothing("the handshake has no end".to_owned())
}

/// Reads the messages so far; `None` while more are to come.
fn read_flight(bytes: &[u8], offered: TlsVersion) -> Option<Heard> {
    let mut reader = Reader(bytes);
    let mut greeted = false;
    loop {
        let kind = reader.number(1)?;
        let body = reader.vector(3)?;
        match kind {
            SERVER_HELLO if !greeted => {
                let Some(chosen) = chosen_version(body) else {
                    return Some(Heard::Nothing("the server hello is malformed".to_owned()));
                };
                if chosen != number(offered) {
                    return Some(Heard::Other(chosen));
                }
                if offered == TlsVersion::V1_3 {
                    return Some(Heard::Flight);
                }
                greeted = true;
            }
            SERVER_HELLO_DONE if greeted => return Some(Heard::Flight),
            _ if greeted => {}
            _ => return Some(Heard::Nothing("the first message is no server hello".to_owned())),
        }
    }
}

/// The version of a server hello: that of its extension `supported_versions`, where it has one (RFC 8446 4.2.1).
fn chosen_version(body: &[u8]) -> Option<u16> {
    let mut reader = Reader(body);
    let legacy = reader.number(2)?;
    reader.bytes(32)?;
    reader.vector(1)?;
    reader.bytes(3)?;
    let mut extensions = Reader(if reader.0.is_empty() { &[] } else { reader.vector(2)? });
    let mut chosen = legacy;
    while !extensions.0.is_empty() {
        let kind = extensions.number(2)?;
        let content = extensions.vector(2)?;
        if kind == SUPPORTED_VERSIONS {
            chosen = Reader(content).number(2)?;
        }
    }
    u16::try_from(chosen).ok()
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

fn number(version: TlsVersion) -> u16 {
    match version {
        TlsVersion::V1_0 => 0x0301,
        TlsVersion::V1_1 => 0x0302,
        TlsVersion::V1_2 => 0x0303,
        TlsVersion::V1_3 => 0x0304,
    }
}

fn version_name(found: u16) -> String {
    let known = TlsVersion::ALL.into_iter().find(|version| number(*version) == found);
    match (known, found) {
        (Some(version), _) => version.to_string(),
        (None, 0x0300) => "SSL 3.0".to_owned(),
        (None, _) => format!("version {found:04x}"),
    }
}

/// 32 bytes that differ each time; nothing is secured by them.
fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    for part in bytes.chunks_mut(8) {
        part.copy_from_slice(&RandomState::new().build_hasher().finish().to_be_bytes());
    }
    bytes
}

/// Whether an alert means that nothing offered fits, whoever sends it.
fn is_refusal(alert: u8) -> bool {
    matches!(alert, 40 | 70 | 71 | 86)
}

fn alert_name(number: u8) -> &'static str {
    match number {
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

/// The longest record a server may send: 2^14 bytes and what encryption may add (RFC 5246 6.2.3).
const MAX_RECORD: usize = (1 << 14) + 2048;
/// How much of a handshake is read: chains are a few kilobytes.
const MAX_HANDSHAKE: usize = 256 << 10;

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const CLOSE_NOTIFY: u8 = 0;
const SERVER_HELLO: u32 = 2;
const SERVER_HELLO_DONE: u32 = 14;
const SUPPORTED_VERSIONS: u32 = 43;

#[cfg(test)]
mod tests {
    use super::*;

    /// A server's first flight up to TLS 1.2: hello, a chain, done.
    fn flight(version: u16) -> Vec<u8> {
        let mut flight = vec![2, 0, 0, 38];
        flight.extend(version.to_be_bytes());
        flight.extend([7; 32]);
        flight.extend([0, 0xC0, 0x2B, 0]);
        flight.extend([11, 0, 0, 8, 0, 0, 5, 0, 0, 2, 0x30, 0]);
        flight.extend([14, 0, 0, 0]);
        flight
    }

    /// What a server of TLS 1.3 answers to a hello without a key share: HelloRetryRequest.
    fn retry() -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend([9; 32]);
        body.extend([0, 0x13, 1, 0, 0, 6, 0, 43, 0, 2, 3, 4]);
        [vec![2, 0, 0, u8::try_from(body.len()).unwrap()], body].concat()
    }

    #[test]
    fn a_version_counts_when_the_whole_flight_came_and_never_before() {
        for (version, number) in [(TlsVersion::V1_0, 0x0301), (TlsVersion::V1_2, 0x0303)] {
            let flight = flight(number);
            assert_eq!(read_flight(&flight, version), Some(Heard::Flight));
            for cut in 0..flight.len() {
                assert_eq!(read_flight(&flight[..cut], version), None, "{cut}");
            }
        }
        assert_eq!(read_flight(&flight(0x0301), TlsVersion::V1_2), Some(Heard::Other(0x0301)));
        assert_eq!(read_flight(&retry(), TlsVersion::V1_3), Some(Heard::Flight));
        assert_eq!(read_flight(&flight(0x0303), TlsVersion::V1_3), Some(Heard::Other(0x0303)));
        assert_eq!(read_flight(&retry(), TlsVersion::V1_2), Some(Heard::Other(0x0304)));
    }

    #[test]
    fn a_damaged_flight_never_panics() {
        for (good, version) in [(flight(0x0303), TlsVersion::V1_2), (retry(), TlsVersion::V1_3)] {
            for at in 0..good.len() {
                for change in [0x01, 0x80, 0xFF] {
                    let mut damaged = good.clone();
                    damaged[at] ^= change;
                    let _ = read_flight(&damaged, version);
                }
            }
        }
    }

    #[test]
    fn a_close_is_a_refusal_only_of_a_server_that_takes_another_version() {
        let answer = |heard: Heard, speaks| heard.offer(TlsVersion::V1_0, speaks).answer;
        assert_eq!(answer(Heard::Closed, true), OfferAnswer::Refused);
        assert_eq!(answer(Heard::Closed, false), OfferAnswer::Unclear);
        assert_eq!(answer(Heard::Alert(80), true), OfferAnswer::Refused);
        assert_eq!(answer(Heard::Alert(80), false), OfferAnswer::Unclear);
        assert_eq!(answer(Heard::Alert(70), false), OfferAnswer::Refused);
        assert_eq!(answer(Heard::Nothing(String::new()), true), OfferAnswer::Unclear);
        assert_eq!(Heard::Other(0x0300).offer(TlsVersion::V1_0, false).how, "chose SSL 3.0 instead");
    }
}
