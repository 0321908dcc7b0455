use std::collections::BTreeMap;
use std::fmt;

use easrig_exchange::{ExchangeNumber, Timestamp};
use serde::Serialize;

/// The most gaps that are listed one by one; the others are only counted.
const MAX_GAPS: usize = 1000;

/// The most different remarks of a source that are kept.
const MAX_SAID: usize = 32;

/// What an import saw: everything that is not in an exchange is counted here, with the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Packets in the file, of every kind.
    pub packets: u64,
    /// TCP connections that carried data.
    pub streams: u64,
    /// Of these, the ones that spoke TLS.
    pub encrypted: u64,
    /// Exchanges handed over.
    pub exchanges: u64,
    /// How TCP had to be put in order.
    pub tcp: TcpTally,
    /// What is missing, in the order it was noticed; at most 1000, see [`Tally::gap_count`].
    pub gaps: Vec<Gap>,
    /// All gaps, also those beyond the list.
    pub gap_count: u64,
    /// TLS connections whose contents stay unknown, by reason.
    pub undecryptable: BTreeMap<Undecryptable, u64>,
    /// What was passed over, by reason.
    pub skipped: BTreeMap<Skip, u64>,
    /// What the source itself says of its exchanges and an exchange has no place for (`access state Blocked (Policy)`), with
    /// how often; at most 32 different ones.
    pub said: BTreeMap<String, u64>,
    /// Where the file stops making sense; what stands before it was read.
    pub damage: Option<Damage>,
}

impl Tally {
    /// Whether every byte of the conversations in the file was there and was understood.
    pub fn is_complete(&self) -> bool {
        self.gap_count == 0 && self.undecryptable.is_empty() && self.damage.is_none() && !self.skipped_content()
    }

    pub(crate) fn gap(&mut self, gap: Gap) {
        self.gap_count = self.gap_count.saturating_add(1);
        if self.gaps.len() < MAX_GAPS {
            self.gaps.push(gap);
        }
    }

    pub(crate) fn skip(&mut self, reason: Skip) {
        let count = self.skipped.entry(reason).or_default();
        *count = count.saturating_add(1);
    }

    pub(crate) fn says(&mut self, what: String) {
        if self.said.len() < MAX_SAID || self.said.contains_key(&what) {
            let count = self.said.entry(what).or_default();
            *count = count.saturating_add(1);
        }
    }

    pub(crate) fn undecryptable(&mut self, reason: Undecryptable) {
        let count = self.undecryptable.entry(reason).or_default();
        *count = count.saturating_add(1);
    }

    /// Notes the first damage; what follows from it is no news.
    pub(crate) fn damaged(&mut self, offset: u64, what: impl Into<String>) {
        self.damage.get_or_insert_with(|| Damage { offset, what: what.into() });
    }

    fn skipped_content(&self) -> bool {
        self.skipped.keys().any(|reason| reason.is_content())
    }
}

/// In plain words, one line for each kind of news.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.packets > 0 {
            write!(f, "{} packets, {} streams ({} encrypted), ", self.packets, self.streams, self.encrypted)?;
        }
        write!(f, "{} exchanges, {} gaps", self.exchanges, self.gap_count)?;
        let tcp = &self.tcp;
        if *tcp != TcpTally::default() {
            write!(f, "\nTCP: {} segments out of order, {} repeated", tcp.reordered, tcp.repeated)?;
            write!(f, ", {} overlapping, {} streams begin in the middle", tcp.overlapping, tcp.mid_stream)?;
        }
        for (reason, count) in &self.undecryptable {
            write!(f, "\nnot decrypted: {count} streams: {reason}")?;
        }
        for (reason, count) in &self.skipped {
            write!(f, "\nskipped: {count} × {reason}")?;
        }
        for (what, count) in &self.said {
            write!(f, "\nthe source says: {count} × {what}")?;
        }
        if let Some(damage) = &self.damage {
            write!(f, "\n{damage}")?;
        }
        Ok(())
    }
}

/// How TCP segments arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TcpTally {
    /// Segments that came before one that belongs in front of them.
    pub reordered: u64,
    /// Segments that brought nothing new.
    pub repeated: u64,
    /// Segments that brought some bytes a second time.
    pub overlapping: u64,
    /// Streams whose beginning is not in the capture.
    pub mid_stream: u64,
}

/// Something that was on the wire, or must have been, and is not in the capture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The connection (`10.0.0.1:51000 > 10.0.0.5:443`), or the place in a file.
    pub stream: String,
    /// When it was noticed, in the time of the capture.
    pub at: Timestamp,
    /// What is missing.
    pub what: GapKind,
    /// The exchange that is not whole because of it, if there is one.
    pub exchange: Option<ExchangeNumber>,
}

/// What is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// Bytes of a TCP stream.
    Bytes(u64),
    /// The rest of a request.
    RequestCut,
    /// The rest of an answer.
    AnswerCut,
    /// The request of an answer.
    Request,
    /// The answer of a request.
    Answer,
    /// A part between messages that is no HTTP, of this many bytes.
    NotHttp(u64),
    /// HTTP/2 behind missing bytes, this much of it: without the bytes before it, its headers cannot be told.
    Unreadable(u64),
    /// The headers of an HTTP/2 message: they, or some that they refer to, stand before the capture.
    Headers,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.stream)?;
        match self.what {
            GapKind::Bytes(count) => write!(f, "{count} bytes are not in the capture")?,
            GapKind::RequestCut => f.write_str("a request is not whole")?,
            GapKind::AnswerCut => f.write_str("an answer is not whole")?,
            GapKind::Request => f.write_str("an answer without its request")?,
            GapKind::Answer => f.write_str("a request without its answer")?,
            GapKind::NotHttp(count) => write!(f, "{count} bytes are not HTTP")?,
            GapKind::Unreadable(count) => {
                write!(f, "{count} bytes of HTTP/2 cannot be read, since bytes before them are missing")?;
            }
            GapKind::Headers => f.write_str(
                "an HTTP/2 message cannot be read: its headers, or some that they refer to, stand before the capture",
            )?,
        }
        match self.exchange {
            Some(number) => write!(f, " (exchange {})", number.0),
            None => Ok(()),
        }
    }
}

/// Why the contents of a TLS connection stay unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Undecryptable {
    /// Neither the key log nor a server key opens it.
    NoKeys,
    /// Its handshake is not in the capture.
    NoHandshake,
    /// The server refused the handshake, or the device gave it up.
    Refused,
    /// Cipher suite that this version cannot open.
    Suite,
    /// Protocol version that this version cannot open (SSL 2 and 3).
    Version,
    /// A key was found and does not fit.
    WrongKey,
    /// Bytes are missing and the records behind them could not be taken up again.
    Lost,
    /// What stands there is not a TLS record or handshake.
    Malformed,
}

impl fmt::Display for Undecryptable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoKeys => "no key in the key log, and no server key that opens it",
            Self::NoHandshake => "the handshake is not in the capture",
            Self::Refused => "the handshake was refused",
            Self::Suite => "cipher suite not supported",
            Self::Version => "protocol version not supported",
            Self::WrongKey => "the key does not fit",
            Self::Lost => "bytes are missing inside the encrypted stream",
            Self::Malformed => "not a TLS handshake",
        })
    }
}

/// Why something was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// Packets that carry no IP.
    NotIp,
    /// Packets that carry no TCP.
    NotTcp,
    /// Packets whose headers are damaged.
    BadPacket,
    /// Packets of a link type that this version does not know.
    LinkType,
    /// Packets that the capturing program cut short.
    CutPacket,
    /// IP fragments whose siblings never came.
    Fragments,
    /// Streams that speak something else.
    NotHttp,
    /// Answers that a server pushes without a request (HTTP/2).
    Pushed,
    /// Streams, or entries of an archive, given up since too many were open at once or they held too much.
    TooMuch,
    /// Requests whose target is no URL.
    BadUrl,
    /// Entries of a log or archive that cannot be read.
    BadEntry,
    /// Bodies of a log that could not be turned back into WBXML; their text is kept.
    BadBody,
    /// Blocks of a capture file that cannot be read.
    BadBlock,
}

impl Skip {
    /// Whether what was passed over may have held exchanges.
    pub fn is_content(self) -> bool {
        !matches!(self, Self::NotIp | Self::NotTcp | Self::NotHttp)
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotIp => "packet without IP",
            Self::NotTcp => "packet without TCP",
            Self::BadPacket => "packet with damaged headers",
            Self::LinkType => "packet of an unknown link type",
            Self::CutPacket => "packet cut short by the capturing program",
            Self::Fragments => "IP packet of which fragments are missing",
            Self::NotHttp => "stream that is not HTTP",
            Self::Pushed => "answer that the server pushed without a request",
            Self::TooMuch => "stream or entry given up for memory's sake",
            Self::BadUrl => "request without a usable URL",
            Self::BadEntry => "entry that cannot be read",
            Self::BadBody => "body that is not the XML of a WBXML document, kept as text",
            Self::BadBlock => "block that cannot be read",
        })
    }
}

/// Where a file stops making sense.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// Offset in the file, in bytes.
    pub offset: u64,
    /// What was found there.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the file is damaged at byte {}: {}; what stands before it was read", self.offset, self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_beyond_the_list_are_still_counted() {
        let mut tally = Tally::default();
        for _ in 0..MAX_GAPS + 5 {
            let stream = String::new();
            tally.gap(Gap { stream, at: Timestamp(0), what: GapKind::Bytes(1), exchange: None });
        }
        assert_eq!((tally.gaps.len(), tally.gap_count), (MAX_GAPS, 1005));
        assert!(!tally.is_complete());
    }

    #[test]
    fn traffic_that_was_never_ours_does_not_make_a_capture_incomplete() {
        let mut tally = Tally::default();
        tally.skip(Skip::NotTcp);
        assert!(tally.is_complete());
        tally.skip(Skip::Pushed);
        assert!(!tally.is_complete());
    }
}
