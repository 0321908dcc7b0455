use easrig_exchange::Timestamp;

/// What a client says before its first frame (RFC 9113, 3.4).
pub(super) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The longest block of headers that is read, over all of its frames, in bytes.
const MAX_BLOCK: usize = 64 << 10;

/// The longest payload of frames that are read whole and hold no headers.
const MAX_SMALL: usize = 1 << 10;

/// Bytes of a frame before its payload.
const HEAD: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY_FRAME: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;

/// What one direction says, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A whole block of headers, still packed.
    Block { stream: u32, block: Vec<u8>, ends: bool, pushed: bool, begun: Timestamp },
    /// A part of a body.
    Data { stream: u32, bytes: Vec<u8> },
    /// Nothing more will come on this stream in this direction.
    End { stream: u32 },
    /// The stream is given up.
    Reset { stream: u32 },
}

/// What is no HTTP/2, or more than is read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Cuts one direction into frames.
pub(super) struct FrameReader {
    state: State,
    /// A block whose last frame has not come.
    open: Option<Open>,
}

enum State {
    /// So many bytes of the preface were seen.
    Preface(usize),
    Head(Vec<u8>, Timestamp),
    Whole(Head, Vec<u8>, Timestamp),
    /// In the body part of a frame: bytes of it and of its padding that are left; `None` before the length of the padding.
    Body {
        stream: u32,
        left: usize,
        padding: Option<usize>,
        ends: bool,
    },
    Skip(usize),
}

#[derive(Clone, Copy, Debug)]
struct Head {
    length: usize,
    kind: u8,
    flags: u8,
    stream: u32,
}

struct Open {
    stream: u32,
    block: Vec<u8>,
    ends: bool,
    pushed: bool,
    begun: Timestamp,
}

impl FrameReader {
    /// Of a client, which begins with the preface.
    pub(super) fn of_client() -> Self {
        Self { state: State::Preface(0), open: None }
    }

    pub(super) fn of_server() -> Self {
        Self { state: State::Head(Vec::new(), Timestamp(0)), open: None }
    }

    /// From a frame somewhere inside of a connection on.
    pub(super) fn inside() -> Self {
        Self::of_server()
    }

    /// Bytes in memory.
    pub(super) fn held(&self) -> usize {
        let open = self.open.as_ref().map_or(0, |open| open.block.len());
        open.saturating_add(match &self.state {
            State::Head(bytes, _) | State::Whole(_, bytes, _) => bytes.len(),
            _ => 0,
        })
    }

    /// Passes over bytes that are missing, when they can only be part of a body or of nothing: the stream it was, if any.
    pub(super) fn pass_over(&mut self, count: usize) -> Option<Option<u32>> {
        match &mut self.state {
            State::Skip(left) if count <= *left => {
                *left -= count;
                Some(None)
            }
            State::Body { stream, left, padding: Some(_), .. } if count <= *left => {
                *left -= count;
                Some(Some(*stream))
            }
            _ => None,
        }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// When they cannot be HTTP/2; then nothing that follows can be read.
    pub(super) fn feed(&mut self, mut rest: &[u8], at: Timestamp, out: &mut Vec<Event>) -> Result<(), Malformed> {
        loop {
            let state = std::mem::replace(&mut self.state, State::Skip(0));
            let before = rest.len();
            let done = self.step(state, &mut rest, at, out)?;
            if !done && rest.len() == before {
                return Ok(());
            }
        }
    }

    /// One step; true when the state changed although no byte was taken.
    fn step(&mut self, state: State, rest: &mut &[u8], at: Timestamp, out: &mut Vec<Event>) -> Result<bool, Malformed> {
        match state {
            State::Preface(seen) => {
                let part = take(rest, PREFACE.len() - seen);
                if PREFACE.get(seen..seen + part.len()) != Some(part) {
                    return Err(Malformed);
                }
                let seen = seen + part.len();
                self.state = if seen < PREFACE.len() { State::Preface(seen) } else { State::Head(Vec::new(), at) };
                Ok(false)
            }
            State::Head(mut bytes, mut begun) => {
                if bytes.is_empty() {
                    begun = at;
                }
                bytes.extend_from_slice(take(rest, HEAD - bytes.len()));
                match Head::read(&bytes) {
                    Some(head) => {
                        self.state = self.begin(head, begun)?;
                        Ok(true)
                    }
                    None => {
                        self.state = State::Head(bytes, begun);
                        Ok(false)
                    }
                }
            }
            State::Whole(head, mut bytes, begun) => {
                bytes.extend_from_slice(take(rest, head.length - bytes.len()));
                if bytes.len() < head.length {
                    self.state = State::Whole(head, bytes, begun);
                    return Ok(false);
                }
                self.state = State::Head(Vec::new(), at);
                self.whole(head, &bytes, begun, out)?;
                Ok(true)
            }
            State::Body { stream, left, padding: None, ends } => {
                let [padding] = take(rest, 1) else {
                    self.state = State::Body { stream, left, padding: None, ends };
                    return Ok(false);
                };
                let padding = usize::from(*padding);
                let left = left.checked_sub(1 + padding).ok_or(Malformed)?;
                self.state = State::Body { stream, left, padding: Some(padding), ends };
                Ok(true)
            }
            State::Body { stream, left, padding: Some(padding), ends } => {
                let part = take(rest, left);
                if !part.is_empty() {
                    out.push(Event::Data { stream, bytes: part.to_vec() });
                }
                let left = left - part.len();
                if left > 0 {
                    self.state = State::Body { stream, left, padding: Some(padding), ends };
                    return Ok(false);
                }
                if ends {
                    out.push(Event::End { stream });
                }
                self.state = State::Skip(padding);
                Ok(true)
            }
            State::Skip(left) => {
                let left = left - take(rest, left).len();
                self.state = if left > 0 { State::Skip(left) } else { State::Head(Vec::new(), at) };
                // Behind the last byte of a frame there is nothing to do until the next comes.
                Ok(left == 0 && !rest.is_empty())
            }
        }
    }

    /// What to do with the payload that follows.
    fn begin(&self, head: Head, begun: Timestamp) -> Result<State, Malformed> {
        if self.open.as_ref().is_some_and(|open| head.kind != CONTINUATION || open.stream != head.stream) {
            return Err(Malformed);
        }
        let limit = match head.kind {
            DATA => {
                let padding = (head.flags & PADDED == 0).then_some(0);
                let ends = head.flags & END_STREAM != 0;
                return Ok(State::Body { stream: head.stream, left: head.length, padding, ends });
            }
            HEADERS | PUSH_PROMISE | CONTINUATION => MAX_BLOCK,
            RST_STREAM => MAX_SMALL,
            // An onlooker need not know what was agreed on: the encoder says how large its table is.
            SETTINGS if head.stream != 0 => return Err(Malformed),
            _ => return Ok(State::Skip(head.length)),
        };
        if head.length > limit || head.stream == 0 {
            return Err(Malformed);
        }
        Ok(State::Whole(head, Vec::with_capacity(head.length), begun))
    }

    fn whole(&mut self, head: Head, payload: &[u8], begun: Timestamp, out: &mut Vec<Event>) -> Result<(), Malformed> {
        let Head { kind, flags, stream, .. } = head;
        match kind {
            RST_STREAM => out.push(Event::Reset { stream }),
            CONTINUATION => {
                let open = self.open.as_mut().ok_or(Malformed)?;
                open.block.extend_from_slice(payload);
            }
            _ => {
                let mut block = unpadded(payload, flags & PADDED != 0).ok_or(Malformed)?;
                let pushed = kind == PUSH_PROMISE;
                let extra = match kind {
                    PUSH_PROMISE => 4,
                    _ if flags & PRIORITY != 0 => 5,
                    _ => 0,
                };
                block = block.get(extra..).ok_or(Malformed)?;
                let ends = !pushed && flags & END_STREAM != 0;
                self.open = Some(Open { stream, block: block.to_vec(), ends, pushed, begun });
            }
        }
        if self.open.as_ref().is_some_and(|open| open.block.len() > MAX_BLOCK) {
            return Err(Malformed);
        }
        if kind != RST_STREAM
            && flags & END_HEADERS != 0
            && let Some(Open { stream, block, ends, pushed, begun }) = self.open.take()
        {
            out.push(Event::Block { stream, block, ends, pushed, begun });
        }
        Ok(())
    }
}

impl Head {
    fn read(bytes: &[u8]) -> Option<Self> {
        let [a, b, c, kind, flags, s @ ..] = bytes.first_chunk::<HEAD>()?;
        let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        let stream = u32::from_be_bytes(*s) & 0x7FFF_FFFF;
        Some(Self { length, kind: *kind, flags: *flags, stream })
    }

    /// Whether an ordinary endpoint would send it: what RFC 9113, 6, says of its kind, and no more than the default length.
    fn is_plausible(&self) -> bool {
        let is_alone = self.stream == 0;
        let (flags, fits) = match self.kind {
            DATA => (END_STREAM | PADDED, !is_alone),
            HEADERS => (END_STREAM | END_HEADERS | PADDED | PRIORITY, !is_alone && self.length > 0),
            PRIORITY_FRAME => (0, !is_alone && self.length == 5),
            RST_STREAM => (0, !is_alone && self.length == 4),
            SETTINGS => (END_STREAM, is_alone && self.length.is_multiple_of(6) && self.length <= MAX_SMALL),
            PUSH_PROMISE => (END_HEADERS | PADDED, !is_alone && self.length > 4),
            PING => (END_STREAM, is_alone && self.length == 8),
            GOAWAY => (0, is_alone && self.length >= 8),
            WINDOW_UPDATE => (0, self.length == 4),
            CONTINUATION => (END_HEADERS, !is_alone),
            _ => (0, false),
        };
        fits && self.flags & !flags == 0 && self.length <= PLAIN_LENGTH && self.stream <= PLAIN_STREAM
    }
}

/// The longest payload that a frame has unless both ends agree otherwise (RFC 9113, 4.2).
const PLAIN_LENGTH: usize = 16 << 10;

/// Streams beyond this one are not taken for such: a connection has at most a few thousand.
const PLAIN_STREAM: u32 = 0xFF_FFFF;

/// Heads of frames in a row that chance does not make: each is one of about 2^20 texts of its length.
const RUN: usize = 3;

/// The most bytes that it takes to tell whether frames begin somewhere.
pub(super) const RUN_BYTES: usize = (RUN - 1) * (HEAD + PLAIN_LENGTH) + HEAD;

/// Where frames begin in bytes out of the middle of a connection: the heads of three in a row, or of two with nothing
/// behind them.
pub(super) fn find_run(bytes: &[u8]) -> Option<usize> {
    (0..bytes.len()).find(|at| bytes.get(*at..).is_some_and(is_run))
}

fn is_run(bytes: &[u8]) -> bool {
    let (mut rest, mut count) = (bytes, 0);
    while let Some(head) = Head::read(rest).filter(Head::is_plausible) {
        // Headers that go on from a frame before this one begin in no table.
        if count == 0 && head.kind == CONTINUATION {
            return false;
        }
        count += 1;
        match rest.get(HEAD.saturating_add(head.length)..) {
            Some([]) => return count + 1 >= RUN,
            _ if count == RUN => return true,
            Some(behind) => rest = behind,
            None => return false,
        }
    }
    false
}

/// Whether the frames in these bytes are a client's, if their headers tell.
pub(super) fn is_client(bytes: &[u8]) -> Option<bool> {
    let (mut reader, mut out) = (FrameReader::inside(), Vec::new());
    let fed = reader.feed(bytes.get(find_run(bytes)?..)?, Timestamp(0), &mut out);
    out.iter().filter(|_| fed.is_ok()).find_map(|event| match event {
        Event::Block { pushed: true, .. } => Some(false),
        Event::Block { block, .. } => super::unpack::is_request(block),
        _ => None,
    })
}

/// Whether these are the first bytes of a server: a SETTINGS frame of its own.
pub(super) fn begins_answers(head: &[u8]) -> bool {
    matches!(head, [0, 0, length, SETTINGS, 0, 0, 0, 0, ..] if length % 6 == 0)
}

fn take<'b>(rest: &mut &'b [u8], count: usize) -> &'b [u8] {
    let (part, behind) = rest.split_at_checked(count).unwrap_or((rest, &[]));
    *rest = behind;
    part
}

fn unpadded(payload: &[u8], is_padded: bool) -> Option<&[u8]> {
    if !is_padded {
        return Some(payload);
    }
    let (padding, rest) = payload.split_first()?;
    rest.get(..rest.len().checked_sub(usize::from(*padding))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0, (payload.len() >> 8) as u8, payload.len() as u8, kind, flags, 0, 0, 0, stream];
        frame.extend_from_slice(payload);
        frame
    }

    /// Reads the frames whole, then byte by byte: the same must come of both.
    fn read(frames: &[Vec<u8>]) -> Result<Vec<Event>, Malformed> {
        let bytes = frames.concat();
        let feed = |size: usize| {
            let (mut reader, mut out) = (FrameReader::of_server(), Vec::new());
            let fed = bytes.chunks(size).try_for_each(|part| reader.feed(part, Timestamp(7), &mut out));
            fed.map(|()| out)
        };
        let whole = feed(bytes.len().max(1));
        let body = |events: &[Event]| -> Vec<u8> {
            let parts = events.iter().filter_map(|event| match event {
                Event::Data { bytes, .. } => Some(bytes.as_slice()),
                _ => None,
            });
            parts.collect::<Vec<_>>().concat()
        };
        assert_eq!(feed(1).as_deref().map(body), whole.as_deref().map(body));
        whole
    }

    fn block(stream: u32, block: &[u8], ends: bool) -> Event {
        Event::Block { stream, block: block.to_vec(), ends, pushed: false, begun: Timestamp(7) }
    }

    #[test]
    fn padding_and_priority_are_no_part_of_headers() {
        let padded = frame(HEADERS, END_HEADERS | PADDED | PRIORITY, 1, b"\x02\0\0\0\0\0abc\0\0");
        assert_eq!(read(&[padded]), Ok(vec![block(1, b"abc", false)]));
        let data = frame(DATA, END_STREAM | PADDED, 1, b"\x03hello\0\0\0");
        let hello = Event::Data { stream: 1, bytes: b"hello".to_vec() };
        assert_eq!(read(&[data]), Ok(vec![hello, Event::End { stream: 1 }]));
        assert_eq!(read(&[frame(DATA, END_STREAM, 3, b"")]), Ok(vec![Event::End { stream: 3 }]));
    }

    #[test]
    fn a_block_may_go_on_in_other_frames_and_nothing_may_come_between() {
        let begin = frame(HEADERS, END_STREAM, 1, b"ab");
        let more = frame(CONTINUATION, 0, 1, b"cd");
        let end = frame(CONTINUATION, END_HEADERS, 1, b"ef");
        assert_eq!(read(&[begin.clone(), more, end]), Ok(vec![block(1, b"abcdef", true)]));
        assert_eq!(read(&[begin.clone(), frame(DATA, 0, 1, b"x")]), Err(Malformed));
        assert_eq!(read(&[begin, frame(CONTINUATION, END_HEADERS, 3, b"x")]), Err(Malformed));
        assert_eq!(read(&[frame(CONTINUATION, END_HEADERS, 1, b"x")]), Err(Malformed));
    }

    #[test]
    fn lengths_that_lie_end_the_reading() {
        for wrong in [
            frame(HEADERS, END_HEADERS | PADDED, 1, b"\x09abc"),
            frame(DATA, PADDED, 1, b"\x09abc"),
            frame(DATA, PADDED, 1, b""),
            frame(HEADERS, END_HEADERS | PRIORITY, 1, b"abc"),
            frame(HEADERS, END_HEADERS, 0, b"abc"),
            vec![0xFF, 0xFF, 0xFF, HEADERS, END_HEADERS, 0, 0, 0, 1],
        ] {
            assert_eq!(read(&[wrong.clone(), frame(DATA, 0, 1, b"x")]), Err(Malformed), "{wrong:?}");
        }
        let endless = std::iter::repeat_n(frame(CONTINUATION, 0, 1, &[0; 16_000]), 5);
        let frames: Vec<_> = std::iter::once(frame(HEADERS, 0, 1, b"")).chain(endless).collect();
        assert_eq!(read(&frames), Err(Malformed));
    }

    #[test]
    fn frames_of_other_kinds_are_passed_over() {
        let frames = [
            frame(SETTINGS, 0, 0, &[0; 12]),
            frame(6, 0, 0, &[0; 8]),
            frame(99, 0xFF, 7, b"?"),
            frame(RST_STREAM, 0, 5, &[0; 4]),
        ];
        assert_eq!(read(&frames), Ok(vec![Event::Reset { stream: 5 }]));
    }
}
