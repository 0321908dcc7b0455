use std::collections::VecDeque;

use easrig_exchange::Timestamp;

use super::open::Opener;

/// The longest record: 16 KiB, and what encryption may add (RFC 5246, 6.2.3).
const MAX_RECORD: usize = (16 << 10) + 2048;

const HEADER: usize = 5;

/// One direction of a TLS connection.
#[derive(Default)]
pub(super) struct Lane {
    /// Opens the records from here on; none before the first encrypted one.
    pub(super) opener: Option<Opener>,
    /// Openers that may follow, where records do not say when (TLS 1.3).
    pub(super) next: Vec<Opener>,
    /// The opener that ChangeCipherSpec puts in place (TLS 1.2 and before).
    pub(super) pending: Option<Opener>,
    /// Handshake messages that go over several records.
    pub(super) handshake: Vec<u8>,
    /// Whole records that wait.
    pub(super) records: VecDeque<Record>,
    /// Whether records are missing before the next one.
    pub(super) jumped: bool,
    partial: Vec<u8>,
    begun: Option<(Timestamp, u64, Option<u64>)>,
    held: usize,
    /// Bytes are missing: only a segment that begins as a record does is a new start.
    seeking: bool,
}

/// A record as it was on the wire.
pub(super) struct Record {
    pub(super) header: [u8; 5],
    pub(super) bytes: Vec<u8>,
    pub(super) at: Timestamp,
    pub(super) offset: u64,
    pub(super) acked: Option<u64>,
}

impl Record {
    pub(super) fn kind(&self) -> u8 {
        let [kind, ..] = self.header;
        kind
    }
}

/// What stands there is no record.
pub(super) struct NotARecord;

impl Lane {
    /// Bytes in memory.
    pub(super) fn held(&self) -> usize {
        self.held.saturating_add(self.partial.len()).saturating_add(self.handshake.len())
    }

    /// Cuts bytes into records; `spare` gives buffers that were used before.
    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        meta: (Timestamp, u64, Option<u64>),
        spare: &mut Vec<Vec<u8>>,
    ) -> Result<(), NotARecord> {
        if self.seeking {
            if !is_header(bytes) {
                return Ok(());
            }
            self.seeking = false;
            self.jumped = true;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.partial.is_empty() {
                let behind = (bytes.len() - rest.len()) as u64;
                self.begun = Some((meta.0, meta.1.saturating_add(behind), meta.2));
                if self.partial.capacity() == 0 {
                    self.partial = spare.pop().unwrap_or_default();
                }
            }
            let wanted = self.wanted()?;
            let count = wanted.saturating_sub(self.partial.len()).min(rest.len());
            let (mine, behind) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            self.partial.extend_from_slice(mine);
            rest = behind;
            if self.partial.len() >= HEADER && self.partial.len() == self.wanted()? {
                self.complete(meta.0);
            }
        }
        Ok(())
    }

    /// Bytes are missing here.
    pub(super) fn missing(&mut self) {
        self.partial.clear();
        self.seeking = true;
    }

    pub(super) fn pop(&mut self) -> Option<Record> {
        let record = self.records.pop_front()?;
        self.held = self.held.saturating_sub(record.bytes.len());
        Some(record)
    }

    /// Forgets everything: the connection will not be opened.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// How long the record in `partial` is with its header, as far as that is known.
    fn wanted(&self) -> Result<usize, NotARecord> {
        match self.partial.as_slice() {
            [kind, major, _, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                let fits = (0x14..=0x18).contains(kind) && *major == 3 && length <= MAX_RECORD;
                if fits { Ok(HEADER + length) } else { Err(NotARecord) }
            }
            _ => Ok(HEADER),
        }
    }

    fn complete(&mut self, at: Timestamp) {
        let mut bytes = std::mem::take(&mut self.partial);
        let header = bytes.first_chunk::<HEADER>().copied().unwrap_or_default();
        bytes.drain(..HEADER);
        let (_, offset, acked) = self.begun.take().unwrap_or((at, 0, None));
        self.held = self.held.saturating_add(bytes.len());
        self.records.push_back(Record { header, bytes, at, offset, acked });
    }
}

/// Whether these bytes begin as a record does.
fn is_header(bytes: &[u8]) -> bool {
    match bytes {
        [kind, 3, 0..=4, high, low, ..] => {
            (0x14..=0x18).contains(kind) && usize::from(u16::from_be_bytes([*high, *low])) <= MAX_RECORD
        }
        _ => false,
    }
}
