use easrig_exchange::Timestamp;
use loona_hpack::Decoder;

use super::frame::{Event, FrameReader};
use super::head::Fields;
use crate::GapKind;

/// The largest header table that an encoder may ask for, in bytes; what browsers offer.
const MAX_TABLE: usize = 64 << 10;

/// How much more memory a table takes than it counts.
const TABLE_COST: usize = 2;

/// One direction: frames, and the state of its header compression.
pub(super) struct Lane {
    state: State,
    /// Bytes of blocks that were unpacked, for an estimate of the table.
    unpacked: usize,
}

enum State {
    Open(Box<FrameReader>, Box<Decoder<'static>>),
    /// It cannot be read any more.
    Over(Over),
}

/// Why and since when a direction cannot be read.
#[derive(Clone, Copy, Debug)]
struct Over {
    malformed: bool,
    bytes: u64,
    at: Timestamp,
}

/// What a direction says, with headers unpacked.
pub(super) enum Said {
    Headers {
        stream: u32,
        fields: Fields,
        ends: bool,
        begun: Timestamp,
    },
    Data {
        stream: u32,
        bytes: Vec<u8>,
    },
    End {
        stream: u32,
    },
    Reset {
        stream: u32,
    },
    /// The server answers what was not asked.
    Pushed,
}

impl Lane {
    pub(super) fn new(reader: FrameReader) -> Self {
        let mut decoder = Decoder::new();
        decoder.set_max_allowed_table_size(MAX_TABLE);
        Self { state: State::Open(Box::new(reader), Box::new(decoder)), unpacked: 0 }
    }

    /// Bytes in memory.
    pub(super) fn held(&self) -> usize {
        match &self.state {
            State::Open(reader, _) => {
                // An entry has at least one byte on the wire and counts 32 bytes more than its text.
                let table = self.unpacked.saturating_mul(32).min(MAX_TABLE);
                reader.held().saturating_add(table.saturating_mul(TABLE_COST))
            }
            State::Over(_) => 0,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over(_))
    }

    /// Takes the next bytes; what cannot be HTTP/2 ends the direction.
    pub(super) fn feed(&mut self, bytes: &[u8], at: Timestamp) -> Vec<Said> {
        let mut said = Vec::new();
        let (reader, decoder) = match &mut self.state {
            State::Open(reader, decoder) => (reader, decoder),
            State::Over(over) => {
                over.bytes = over.bytes.saturating_add(bytes.len() as u64);
                return said;
            }
        };
        let mut events = Vec::new();
        let mut broken = reader.feed(bytes, at, &mut events).is_err();
        for event in events {
            said.push(match event {
                Event::Data { stream, bytes } => Said::Data { stream, bytes },
                Event::End { stream } => Said::End { stream },
                Event::Reset { stream } => Said::Reset { stream },
                Event::Block { stream, block, ends, pushed, begun } => {
                    self.unpacked = self.unpacked.saturating_add(block.len());
                    let mut fields = Fields::default();
                    let unpacked = decoder.decode_with_cb(&block, |name, value| fields.push(&name, &value));
                    if unpacked.is_err() {
                        broken = true;
                        break;
                    }
                    if pushed { Said::Pushed } else { Said::Headers { stream, fields, ends, begun } }
                }
            });
        }
        if broken {
            self.state = State::Over(Over { malformed: true, bytes: bytes.len() as u64, at });
        }
        said
    }

    /// Bytes are missing, if it is known how many. Inside a body that can be passed over: the stream it belongs to, if any.
    pub(super) fn missing(&mut self, count: Option<u64>, at: Timestamp) -> Option<u32> {
        let State::Open(reader, _) = &mut self.state else { return None };
        let passed = count.and_then(|count| usize::try_from(count).ok()).and_then(|count| reader.pass_over(count));
        if let Some(stream) = passed {
            return stream;
        }
        self.state = State::Over(Over { malformed: false, bytes: 0, at });
        None
    }

    /// What could not be read of it, if anything.
    pub(super) fn unread(&self) -> Option<(GapKind, Timestamp)> {
        match &self.state {
            State::Over(Over { bytes, malformed, at }) if *bytes > 0 => {
                let what = if *malformed { GapKind::NotHttp(*bytes) } else { GapKind::Unreadable(*bytes) };
                Some((what, *at))
            }
            _ => None,
        }
    }
}
