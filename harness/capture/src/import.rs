use std::io::{self, Read, Seek, SeekFrom};

use easrig_exchange::{Exchange, ExchangeNumber, Origin, Outcome, Request, Sender, Times, Timestamp, TlsSession};
use serde::Serialize;
use thiserror::Error;

use crate::tls::{KeyLog, ServerKey};
use crate::{Tally, har, mailbox_log, pcap, saz};

/// Bytes at the head of a file that tell its format.
const HEAD: usize = 4096;

/// Reads a file of any format that holds whole exchanges, and hands every exchange to `sink` as soon as it is complete.
///
/// Memory stays within [`Limits`], however long the file is. A file that is damaged is read up to the damage, see
/// [`Tally::damage`].
///
/// # Errors
/// [`ImportError::Unknown`] when the head of the file is of no known format, [`ImportError::Io`] when it cannot be read,
/// [`ImportError::Sink`] with the first error of `sink`.
pub fn import<R: Read + Seek>(mut input: R, options: &Options, sink: Sink<'_>) -> Result<Tally, ImportError> {
    let mut head = Vec::with_capacity(HEAD);
    let start = input.stream_position()?;
    (&mut input).take(HEAD as u64).read_to_end(&mut head)?;
    input.seek(SeekFrom::Start(start))?;
    let format = Format::of(&head).ok_or(ImportError::Unknown)?;
    let mut out = Output::new(sink, options.first_number);
    match format {
        Format::PcapNg => pcap::import_file(input, options, &mut out)?,
        Format::Pcap => pcap::import(input, options, &mut out)?,
        Format::Har => har::import(input, options, &mut out)?,
        Format::Saz => saz::import(input, options, &mut out)?,
        Format::MailboxLog => mailbox_log::import(input, options, &mut out)?,
    }
    Ok(out.tally)
}

/// Reads pcap or pcapng from something that cannot seek, such as a pipe.
///
/// # Errors
/// As [`import`]; [`ImportError::Unknown`] also for the other formats.
pub fn import_packets<R: Read>(input: R, options: &Options, sink: Sink<'_>) -> Result<Tally, ImportError> {
    let mut out = Output::new(sink, options.first_number);
    pcap::import(input, options, &mut out)?;
    Ok(out.tally)
}

/// Takes the exchanges; its error ends the import.
pub type Sink<'a> = &'a mut dyn FnMut(Exchange) -> io::Result<()>;

/// What an import needs to know beside the file.
#[derive(Debug)]
pub struct Options {
    /// TLS secrets by connection (`--keylog`); those inside the file are added to them.
    pub key_log: KeyLog,
    /// Private keys of servers (`--server-key`), for RSA key exchange.
    pub server_keys: Vec<ServerKey>,
    /// Bounds on memory.
    pub limits: Limits,
    /// The number of the first exchange; more than 1 when several files become one capture.
    pub first_number: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { key_log: KeyLog::default(), server_keys: Vec::new(), limits: Limits::default(), first_number: 1 }
    }
}

/// Bounds on what an import holds at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest message body that is kept, in bytes; longer ones are cut and say so.
    pub body_bytes: usize,
    /// Connections that are followed at the same time; the ones quiet for longest go first.
    pub streams: usize,
    /// Bytes held for all connections together; the ones that hold most go first.
    pub held_bytes: usize,
    /// Bytes held for one direction of a connection while bytes before them are missing.
    pub window_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes: 32 << 20, streams: 16_384, held_bytes: 48 << 20, window_bytes: 4 << 20 }
    }
}

/// The formats that hold whole exchanges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// libpcap's classic format, in microseconds or nanoseconds and either byte order.
    Pcap,
    /// pcapng.
    PcapNg,
    /// HTTP archive, as browsers and proxies write it.
    Har,
    /// Fiddler's session archive.
    Saz,
    /// The log that Exchange keeps in a mailbox for a device.
    MailboxLog,
}

impl Format {
    /// The format of a file with this head (4096 bytes are enough), if it is one of them.
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x0A, 0x0D, 0x0D, 0x0A, ..] => Some(Self::PcapNg),
            [0xD4, 0xC3, 0xB2, 0xA1, ..] | [0xA1, 0xB2, 0xC3, 0xD4, ..] => Some(Self::Pcap),
            [0x4D, 0x3C, 0xB2, 0xA1, ..] | [0xA1, 0xB2, 0x3C, 0x4D, ..] => Some(Self::Pcap),
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Some(Self::Saz),
            _ if mailbox_log::is_head(head) => Some(Self::MailboxLog),
            _ if har::is_head(head) => Some(Self::Har),
            _ => None,
        }
    }
}

/// Why a file cannot be imported.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The bytes could not be read.
    #[error("the capture could not be read: {0}")]
    Io(#[from] io::Error),
    /// The head of the file is of no format that is known.
    #[error("not a capture: the file begins as none of pcap, pcapng, HAR, SAZ or an ActiveSync mailbox log does")]
    Unknown,
    /// The file cannot be read from its first structure on.
    #[error("the capture cannot be read at byte {offset}: {what}")]
    Unreadable {
        /// Offset in the file, in bytes.
        offset: u64,
        /// What was found there.
        what: String,
    },
    /// The exchanges could not be handed on.
    #[error("an exchange could not be written: {0}")]
    Sink(io::Error),
}

/// Numbers exchanges, hands them on, and keeps the tally.
pub(crate) struct Output<'a> {
    sink: Sink<'a>,
    next: u64,
    pub(crate) tally: Tally,
}

impl<'a> Output<'a> {
    pub(crate) fn new(sink: Sink<'a>, first: u64) -> Self {
        Self { sink, next: first, tally: Tally::default() }
    }

    /// The number that the next exchange will have.
    pub(crate) fn upcoming(&self) -> ExchangeNumber {
        ExchangeNumber(self.next)
    }

    pub(crate) fn exchange(&mut self, found: Found) -> Result<(), ImportError> {
        let exchange = Exchange {
            number: self.upcoming(),
            origin: Origin::Imported,
            sender: Sender::default(),
            started: found.started,
            request: found.request,
            outcome: found.outcome,
            times: found.times,
            tls: found.tls,
        };
        self.next = self.next.saturating_add(1);
        self.tally.exchanges = self.tally.exchanges.saturating_add(1);
        (self.sink)(exchange).map_err(ImportError::Sink)
    }
}

/// An exchange before it has its number.
pub(crate) struct Found {
    pub(crate) started: Timestamp,
    pub(crate) request: Request,
    pub(crate) outcome: Outcome,
    pub(crate) times: Times,
    pub(crate) tls: Option<TlsSession>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_known_by_its_head() {
        assert_eq!(Format::of(b"\x0a\x0d\x0d\x0a...."), Some(Format::PcapNg));
        assert_eq!(Format::of(b"\xa1\xb2\x3c\x4d...."), Some(Format::Pcap));
        assert_eq!(Format::of(b"PK\x03\x04"), Some(Format::Saz));
        assert_eq!(Format::of(b"\xef\xbb\xbf { \"log\": {"), Some(Format::Har));
        assert_eq!(Format::of(b"EASCAP\r\n"), None);
        assert_eq!(Format::of(b""), None);
    }

    #[test]
    fn what_is_no_capture_is_refused_with_what_would_be_one() {
        let file = io::Cursor::new(b"hello".to_vec());
        let error = import(file, &Options::default(), &mut |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("none of pcap, pcapng"), "{error}");
    }
}
