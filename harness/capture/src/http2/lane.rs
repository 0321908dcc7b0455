use easrig_exchange::Timestamp;

use super::frame::{self, Event, FrameReader, Malformed};
use super::head::Fields;
use super::unpack::Unpacker;
use crate::GapKind;

/// The most bytes from the middle of a connection that are kept to find a frame in.
const MAX_SEEK: usize = 64 << 10;

/// One direction: frames, and the state of its header compression.
pub(super) struct Lane {
    state: State,
    /// Bytes before the first frame, of a direction whose beginning is not there; and when it was found.
    before: u64,
    since: Timestamp,
}

enum State {
    /// Its beginning is not there: looking for frames.
    Seek(Seek),
    Open(Box<FrameReader>, Unpacker),
    /// It cannot be read any more.
    Over(Over),
}

/// Bytes in which no frames are found yet.
#[derive(Default)]
struct Seek {
    pieces: Vec<(Timestamp, Vec<u8>)>,
    bytes: usize,
    /// How many there were at the last look.
    looked: usize,
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
    /// Headers that refer to some from before the capture.
    Unreadable {
        stream: u32,
        ends: bool,
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
        Self::of(State::Open(Box::new(reader), Unpacker::new()))
    }

    /// A direction whose beginning is not there.
    pub(super) fn inside() -> Self {
        Self::of(State::Seek(Seek::default()))
    }

    fn of(state: State) -> Self {
        Self { state, before: 0, since: Timestamp(0) }
    }

    /// Bytes in memory.
    pub(super) fn held(&self) -> usize {
        match &self.state {
            State::Seek(seek) => seek.bytes.saturating_add(seek.pieces.len().saturating_mul(size_of::<Vec<u8>>())),
            State::Open(reader, unpacker) => reader.held().saturating_add(unpacker.held()),
            State::Over(_) => 0,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over(_))
    }

    /// Takes the next bytes; what cannot be HTTP/2 ends the direction.
    pub(super) fn feed(&mut self, bytes: &[u8], at: Timestamp) -> Vec<(Timestamp, Said)> {
        let mut said = Vec::new();
        match &mut self.state {
            State::Seek(seek) => {
                seek.hold(bytes, at);
                self.since = at;
                if seek.is_worth_a_look() {
                    self.look(&mut said);
                }
            }
            State::Open(reader, unpacker) => {
                if open(reader, unpacker, bytes, at, &mut said).is_err() {
                    self.state = State::Over(Over { malformed: true, bytes: bytes.len() as u64, at });
                }
            }
            State::Over(over) => over.bytes = over.bytes.saturating_add(bytes.len() as u64),
        }
        said
    }

    /// Looks once more for frames: nothing follows.
    pub(super) fn finish(&mut self) -> Vec<(Timestamp, Said)> {
        let mut said = Vec::new();
        self.look(&mut said);
        if let State::Seek(seek) = &mut self.state {
            self.before = self.before.saturating_add(std::mem::take(seek).bytes as u64);
        }
        said
    }

    /// Begins to read where frames begin.
    fn look(&mut self, said: &mut Vec<(Timestamp, Said)>) {
        let State::Seek(seek) = &mut self.state else { return };
        let Some(mut skip) = frame::find_run(&seek.all()) else {
            self.before = self.before.saturating_add(seek.shorten() as u64);
            return;
        };
        self.before = self.before.saturating_add(skip as u64);
        let pieces = std::mem::take(&mut seek.pieces);
        self.state = State::Open(Box::new(FrameReader::inside()), Unpacker::inside());
        for (at, bytes) in pieces {
            let (_, rest) = bytes.split_at_checked(skip).unwrap_or((&bytes, &[]));
            skip = skip.saturating_sub(bytes.len());
            said.extend(self.feed(rest, at));
        }
    }

    /// Bytes are missing, if it is known how many. Inside a body that can be passed over: the stream it belongs to, if any.
    pub(super) fn missing(&mut self, count: Option<u64>, at: Timestamp) -> Option<u32> {
        let reader = match &mut self.state {
            State::Seek(seek) => {
                self.before = self.before.saturating_add(std::mem::take(seek).bytes as u64);
                return None;
            }
            State::Open(reader, _) => reader,
            State::Over(_) => return None,
        };
        let passed = count.and_then(|count| usize::try_from(count).ok()).and_then(|count| reader.pass_over(count));
        if let Some(stream) = passed {
            return stream;
        }
        self.state = State::Over(Over { malformed: false, bytes: 0, at });
        None
    }

    /// What could not be read of it.
    pub(super) fn unread(&self) -> impl Iterator<Item = (GapKind, Timestamp)> {
        let over = match &self.state {
            State::Over(Over { bytes, malformed: true, at }) if *bytes > 0 => Some((GapKind::NotHttp(*bytes), *at)),
            State::Over(Over { bytes, at, .. }) if *bytes > 0 => Some((GapKind::Unreadable(*bytes), *at)),
            _ => None,
        };
        let before = (self.before > 0).then_some((GapKind::Unreadable(self.before), self.since));
        before.into_iter().chain(over)
    }
}

fn open(
    reader: &mut FrameReader,
    unpacker: &mut Unpacker,
    bytes: &[u8],
    at: Timestamp,
    said: &mut Vec<(Timestamp, Said)>,
) -> Result<(), Malformed> {
    let mut events = Vec::new();
    let fed = reader.feed(bytes, at, &mut events);
    for event in events {
        let one = match event {
            Event::Data { stream, bytes } => Said::Data { stream, bytes },
            Event::End { stream } => Said::End { stream },
            Event::Reset { stream } => Said::Reset { stream },
            Event::Block { stream, block, ends, pushed, begun } => match unpacker.unpack(&block)? {
                _ if pushed => Said::Pushed,
                Some(fields) => Said::Headers { stream, fields, ends, begun },
                None => Said::Unreadable { stream, ends },
            },
        };
        said.push((at, one));
    }
    fed
}

impl Seek {
    fn hold(&mut self, bytes: &[u8], at: Timestamp) {
        self.bytes = self.bytes.saturating_add(bytes.len());
        self.pieces.push((at, bytes.to_vec()));
    }

    /// Looking costs as much as there is: only when there is an eighth more.
    fn is_worth_a_look(&self) -> bool {
        self.bytes > self.looked.saturating_add(self.looked / 8)
    }

    fn all(&self) -> Vec<u8> {
        self.pieces.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect()
    }

    /// Forgets what cannot be the beginning of frames any more, in whole pieces: how many bytes.
    fn shorten(&mut self) -> usize {
        let had = self.bytes;
        if had > MAX_SEEK {
            let drop = self.pieces.iter().take_while(|(_, bytes)| {
                self.bytes = self.bytes.saturating_sub(bytes.len());
                self.bytes >= frame::RUN_BYTES
            });
            let drop = drop.count();
            self.pieces.drain(..drop);
            self.bytes = self.pieces.iter().map(|(_, bytes)| bytes.len()).sum();
        }
        self.looked = self.bytes;
        had.saturating_sub(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A SETTINGS frame that confirms, twice, and one that asks for headers of stream 9 to be reset.
    const FRAMES: &[u8] = b"\0\0\0\x04\x01\0\0\0\0\0\0\0\x04\x01\0\0\0\0\0\0\x04\x03\0\0\0\0\x09\0\0\0\x08";

    fn resets(said: &[(Timestamp, Said)]) -> usize {
        said.iter().filter(|(_, one)| matches!(one, Said::Reset { stream: 9 })).count()
    }

    #[test]
    fn frames_are_found_behind_any_bytes_in_pieces_of_any_size() {
        for (junk, size) in [(0, 1), (7, 1), (100, 3), (1000, 64), (70_000, 1460), (200_000, 1000)] {
            let bytes = [vec![0xA5; junk].as_slice(), FRAMES].concat();
            let mut lane = Lane::inside();
            let mut said: Vec<_> = bytes.chunks(size).flat_map(|piece| lane.feed(piece, Timestamp(1))).collect();
            assert!(lane.held() <= MAX_SEEK * 5 / 4 + size, "{junk}");
            said.extend(lane.finish());
            assert_eq!(resets(&said), 1, "{junk} in {size}");
            let unread: Vec<_> = lane.unread().map(|(what, _)| what).collect();
            let expected = if junk > 0 { vec![GapKind::Unreadable(junk as u64)] } else { Vec::new() };
            assert_eq!(unread, expected, "{junk} in {size}");
        }
    }

    #[test]
    fn bytes_that_hold_no_frames_are_counted() {
        let mut lane = Lane::inside();
        assert!(lane.feed(&[0; 10_000], Timestamp(1)).is_empty());
        assert_eq!(lane.missing(Some(5), Timestamp(1)), None);
        assert!(lane.feed(b"POST / HTTP/1.1\r\n\r\n", Timestamp(2)).is_empty());
        assert!(lane.finish().is_empty());
        assert_eq!(lane.unread().collect::<Vec<_>>(), [(GapKind::Unreadable(10_019), Timestamp(2))]);
    }
}
