use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::{Exchange, ExchangeNumber, Outcome, Request, Response, TlsSession};

/// What every `.eascap` file begins with; the line break shows a transfer that rewrote line ends.
const MAGIC: &[u8; 8] = b"EASCAP\r\n";

/// The format this build writes, and the newest it reads.
const FORMAT: u32 = 1;

/// Bytes of a record beside its payload: the length before it and the checksum behind it.
const CHECKSUM: usize = 8;

/// The longest payload that is read: two bodies of 64 MiB, and room.
const MAX_PAYLOAD: u32 = 256 << 20;

/// Bytes of a payload before its JSON: the number and the length of the JSON.
const FIXED: usize = 12;

/// Why a file of exchanges cannot be written or read. Every offset counts from the start of the file.
#[derive(Debug, Error)]
pub enum EascapError {
    /// The bytes could not be moved.
    #[error("the capture could not be read or written: {0}")]
    Io(#[from] io::Error),
    /// It does not begin as such a file does.
    #[error("not an .eascap file: it does not begin with `EASCAP`")]
    NotEascap,
    /// It is of a format that this build does not know yet.
    #[error("made by a newer version: it has format {found}, this version reads up to {FORMAT}")]
    Newer {
        /// The format of the file.
        found: u32,
    },
    /// A record in the middle is not what was written; what follows it is not read.
    #[error("the record at byte {at} is damaged: {detail}")]
    Damaged {
        /// Where the record begins.
        at: u64,
        /// What is wrong.
        detail: String,
    },
    /// An exchange is longer than a record may be.
    #[error("exchange {number} has {bytes} bytes, more than the {MAX_PAYLOAD} a record may have")]
    TooLong {
        /// Which one.
        number: u64,
        /// How long its record would be.
        bytes: usize,
    },
}

/// Appends exchanges to a file or any other writer; one write per record, so that a crash can only tear the last one.
///
/// It writes what it is given: redaction comes before it ([`crate::Redactor`]).
#[derive(Debug)]
pub struct EascapWriter<W: Write> {
    out: W,
}

impl<W: Write> EascapWriter<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// [`EascapError::Io`].
    pub fn new(mut out: W) -> Result<Self, EascapError> {
        out.write_all(MAGIC)?;
        out.write_all(&FORMAT.to_le_bytes())?;
        Ok(Self { out })
    }

    /// Continues a file; `out` must stand at [`EascapFile::end`] of it, with nothing behind.
    pub fn append(out: W) -> Self {
        Self { out }
    }

    /// Appends one exchange and flushes.
    ///
    /// # Errors
    /// [`EascapError::TooLong`] when it fits no record, else [`EascapError::Io`].
    pub fn write(&mut self, exchange: &Exchange) -> Result<(), EascapError> {
        let record = record(exchange)?;
        self.out.write_all(&record)?;
        Ok(self.out.flush()?)
    }

    /// The writer underneath, for syncing it.
    pub fn get_ref(&self) -> &W {
        &self.out
    }

    /// Gives the writer back.
    pub fn into_inner(self) -> W {
        self.out
    }
}

/// Reads exchanges one after the other.
///
/// A record torn at the end of the file (a crash while writing) ends the sequence without an error, see
/// [`EascapReader::torn`]. After an error the sequence ends.
#[derive(Debug)]
pub struct EascapReader<R: Read> {
    input: R,
    at: u64,
    torn: Option<u64>,
    over: bool,
}

impl<R: Read> EascapReader<R> {
    /// Reads the head of the file.
    ///
    /// # Errors
    /// [`EascapError::NotEascap`], [`EascapError::Newer`] or [`EascapError::Io`].
    pub fn new(mut input: R) -> Result<Self, EascapError> {
        let at = read_head(&mut input)?;
        Ok(Self { input, at, torn: None, over: false })
    }

    /// Where a torn record begins, once the sequence has ended at one.
    pub fn torn(&self) -> Option<u64> {
        self.torn
    }

    fn advance(&mut self) -> Result<Option<Exchange>, EascapError> {
        let at = self.at;
        let mut length = [0_u8; 4];
        match read_up_to(&mut self.input, &mut length)? {
            0 => return Ok(None),
            4 => {}
            _ => return Ok(self.tear(at)),
        }
        let length = u32::from_le_bytes(length);
        // Nothing valid is shorter than its fixed part; zeros are what a crash leaves where a record was promised.
        if length == 0 {
            return Ok(self.tear(at));
        }
        let wanted = payload_length(length, at)?;
        let mut bytes = Vec::new();
        let whole = wanted.saturating_add(CHECKSUM);
        (&mut self.input).take(u64::try_from(whole).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
        if bytes.len() < whole {
            return Ok(self.tear(at));
        }
        let Some(payload) = checked(&bytes) else {
            let last = read_up_to(&mut self.input, &mut [0_u8; 1])? == 0;
            return if last { Ok(self.tear(at)) } else { Err(damaged(at, "its checksum is wrong")) };
        };
        self.at = at.saturating_add(4).saturating_add(u64::try_from(whole).unwrap_or(u64::MAX));
        parse(payload, at).map(Some)
    }

    fn tear(&mut self, at: u64) -> Option<Exchange> {
        self.torn = Some(at);
        None
    }
}

impl<R: Read> Iterator for EascapReader<R> {
    type Item = Result<Exchange, EascapError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.advance();
        self.over = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}

/// A file whose exchanges are read by number.
#[derive(Debug)]
pub struct EascapFile<R: Read + Seek> {
    input: R,
    offsets: BTreeMap<ExchangeNumber, u64>,
    end: u64,
}

impl<R: Read + Seek> EascapFile<R> {
    /// Finds every record in one pass that skips the payloads; when a number occurs twice the later one holds.
    ///
    /// # Errors
    /// As [`EascapReader::new`], and [`EascapError::Damaged`] for a length that no record can have.
    pub fn open(mut input: R) -> Result<Self, EascapError> {
        let length = input.seek(SeekFrom::End(0))?;
        input.seek(SeekFrom::Start(0))?;
        let mut at = read_head(&mut input)?;
        let mut offsets = BTreeMap::new();
        let mut last = None;
        while let Some((number, next)) = peek(&mut input, at, length)? {
            last = Some((number, at, offsets.insert(number, at)));
            at = next;
            input.seek(SeekFrom::Start(at))?;
        }
        let mut file = Self { input, offsets, end: at };
        // Only the last record can be torn with its length intact.
        if let Some((number, begin, earlier)) = last
            && file.read_at(begin).is_err()
        {
            file.offsets.remove(&number);
            file.offsets.extend(earlier.map(|earlier| (number, earlier)));
            file.end = begin;
        }
        Ok(file)
    }

    /// The numbers in the file and where their records begin.
    pub fn offsets(&self) -> &BTreeMap<ExchangeNumber, u64> {
        &self.offsets
    }

    /// Where the last whole record ends: what lies behind is torn and may be cut off.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// The exchange of this number; `None` when the file has none.
    ///
    /// # Errors
    /// [`EascapError::Damaged`] or [`EascapError::Io`].
    pub fn get(&mut self, number: ExchangeNumber) -> Result<Option<Exchange>, EascapError> {
        match self.offsets.get(&number) {
            Some(at) => self.read_at(*at).map(Some),
            None => Ok(None),
        }
    }

    fn read_at(&mut self, at: u64) -> Result<Exchange, EascapError> {
        self.input.seek(SeekFrom::Start(at))?;
        let mut reader = EascapReader { input: &mut self.input, at, torn: None, over: false };
        reader.advance()?.ok_or_else(|| damaged(at, "it is cut short"))
    }
}

/// The JSON of a record: the exchange without its bodies and certificates, and how long each of these is.
#[derive(Serialize, Deserialize)]
struct Header {
    exchange: Exchange,
    request_body: usize,
    response_body: usize,
    chain: Vec<usize>,
}

fn record(exchange: &Exchange) -> Result<Vec<u8>, EascapError> {
    let response_body = exchange.response().map(|response| response.body.as_slice()).unwrap_or_default();
    let chain = exchange.tls.as_ref().map(|tls| tls.chain.as_slice()).unwrap_or_default();
    let header = Header {
        exchange: bare(exchange),
        request_body: exchange.request.body.len(),
        response_body: response_body.len(),
        chain: chain.iter().map(Vec::len).collect(),
    };
    let json = serde_json::to_vec(&header).map_err(io::Error::from)?;
    let certificates: usize = header.chain.iter().sum();
    let bytes = FIXED + json.len() + exchange.request.body.len() + response_body.len() + certificates;
    let number = exchange.number.0;
    let too_long = || EascapError::TooLong { number, bytes };
    let length = u32::try_from(bytes).ok().filter(|length| *length <= MAX_PAYLOAD).ok_or_else(too_long)?;
    let json_length = u32::try_from(json.len()).map_err(|_| too_long())?;
    let mut record = Vec::with_capacity(bytes.saturating_add(4 + CHECKSUM));
    record.extend_from_slice(&length.to_le_bytes());
    record.extend_from_slice(&number.to_le_bytes());
    record.extend_from_slice(&json_length.to_le_bytes());
    record.extend_from_slice(&json);
    record.extend_from_slice(&exchange.request.body);
    record.extend_from_slice(response_body);
    chain.iter().for_each(|certificate| record.extend_from_slice(certificate));
    let sum = Sha256::digest(record.get(4..).unwrap_or_default());
    record.extend(sum.iter().take(CHECKSUM));
    Ok(record)
}

/// The exchange without what is stored beside the JSON.
fn bare(exchange: &Exchange) -> Exchange {
    let outcome = match &exchange.outcome {
        Outcome::Failed(failure) => Outcome::Failed(failure.clone()),
        Outcome::Answered(response) => Outcome::Answered(Response {
            status: response.status,
            reason: response.reason.clone(),
            headers: response.headers.clone(),
            body: Vec::new(),
            cut: response.cut.clone(),
        }),
    };
    Exchange {
        number: exchange.number,
        origin: exchange.origin,
        sender: exchange.sender.clone(),
        started: exchange.started,
        request: Request {
            method: exchange.request.method.clone(),
            url: exchange.request.url.clone(),
            headers: exchange.request.headers.clone(),
            body: Vec::new(),
        },
        outcome,
        times: exchange.times,
        tls: exchange.tls.as_ref().map(|tls| TlsSession {
            version: tls.version.clone(),
            cipher_suite: tls.cipher_suite.clone(),
            chain: Vec::new(),
            verified: tls.verified,
            hello: tls.hello.clone(),
        }),
    }
}

fn parse(payload: &[u8], at: u64) -> Result<Exchange, EascapError> {
    let short = || damaged(at, "its parts are longer than itself");
    let number = payload.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes)).ok_or_else(short)?;
    let length = payload.get(8..).and_then(|rest| rest.first_chunk::<4>()).ok_or_else(short)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| short())?;
    let rest = payload.get(FIXED..).unwrap_or_default();
    let (json, mut rest) = rest.split_at_checked(length).ok_or_else(short)?;
    let header: Header = serde_json::from_slice(json).map_err(|error| damaged(at, &error.to_string()))?;
    let mut cut = |length: usize| -> Result<Vec<u8>, EascapError> {
        let (part, behind) = rest.split_at_checked(length).ok_or_else(short)?;
        rest = behind;
        Ok(part.to_vec())
    };
    let mut exchange = header.exchange;
    exchange.number = ExchangeNumber(number);
    exchange.request.body = cut(header.request_body)?;
    let body = cut(header.response_body)?;
    if let Outcome::Answered(response) = &mut exchange.outcome {
        response.body = body;
    }
    let chain = header.chain.into_iter().map(cut).collect::<Result<Vec<_>, _>>()?;
    if let Some(tls) = &mut exchange.tls {
        tls.chain = chain;
    }
    Ok(exchange)
}

fn read_head(input: &mut impl Read) -> Result<u64, EascapError> {
    let mut head = [0_u8; 12];
    let got = read_up_to(input, &mut head)?;
    let format = head.strip_prefix(MAGIC).and_then(|rest| rest.first_chunk::<4>()).filter(|_| got == head.len());
    match format.map(|bytes| u32::from_le_bytes(*bytes)) {
        None | Some(0) => Err(EascapError::NotEascap),
        Some(found) if found > FORMAT => Err(EascapError::Newer { found }),
        Some(_) => Ok(12),
    }
}

/// The number of the record at `at` and where the next begins; `None` at the end or at a torn record.
fn peek(input: &mut impl Read, at: u64, file: u64) -> Result<Option<(ExchangeNumber, u64)>, EascapError> {
    let mut fixed = [0_u8; 12];
    if read_up_to(input, &mut fixed)? < fixed.len() {
        return Ok(None);
    }
    let length = fixed.first_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    let number = fixed.last_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    if length == 0 {
        return Ok(None);
    }
    let whole = payload_length(length, at)?.saturating_add(4 + CHECKSUM);
    let next = at.saturating_add(u64::try_from(whole).unwrap_or(u64::MAX));
    Ok((next <= file).then_some((ExchangeNumber(number), next)))
}

fn payload_length(length: u32, at: u64) -> Result<usize, EascapError> {
    let fits = usize::try_from(length).ok().filter(|bytes| length <= MAX_PAYLOAD && *bytes >= FIXED);
    fits.ok_or_else(|| damaged(at, &format!("its length {length} is impossible")))
}

/// The payload in front of its checksum, if they fit.
fn checked(bytes: &[u8]) -> Option<&[u8]> {
    let (payload, sum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM)?)?;
    Sha256::digest(payload).iter().take(CHECKSUM).eq(sum).then_some(payload)
}

fn read_up_to(input: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while let Some(rest) = into.get_mut(got..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(count) => got = got.saturating_add(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

fn damaged(at: u64, detail: &str) -> EascapError {
    EascapError::Damaged { at, detail: detail.to_owned() }
}
