//! One direction of HTTP/1: from bytes to messages.

use std::collections::VecDeque;

use easrig_exchange::Timestamp;

use super::Part;
use super::head::Head;

/// The longest head that is read.
const MAX_HEAD: usize = 64 << 10;

/// The longest line of a chunk's size, or all lines of a trailer.
const MAX_LINE: usize = 8 << 10;

/// What is reserved for a body at once; longer ones grow.
const RESERVE: usize = 64 << 10;

/// What a message costs beside its body, roughly: its headers.
pub(crate) const OVERHEAD: usize = 2 << 10;

/// Which way the messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    Answer,
}

/// What came out of a direction.
#[derive(Debug)]
pub(super) enum Item {
    Message(Box<Message>),
    /// Here messages may be missing.
    Lost,
    /// Bytes that belong to no message.
    Junk {
        count: u64,
        at: Timestamp,
    },
    /// The server goes on in HTTP/2 (`101` with `Upgrade: h2c`); nothing follows.
    Upgraded,
}

impl Item {
    pub(super) fn held(&self) -> usize {
        match self {
            Self::Message(message) => message.body.len().saturating_add(OVERHEAD),
            _ => size_of::<Self>(),
        }
    }
}

/// A whole message, or what there is of it.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
    /// Why the body is not whole, if so.
    pub(crate) cut: Option<String>,
    pub(crate) begun: Timestamp,
    pub(crate) done: Timestamp,
    /// Where it begins in its direction.
    pub(crate) offset: u64,
    /// How far the other direction had arrived when it began.
    pub(crate) acked: Option<u64>,
}

/// Cuts one direction into messages.
pub(super) struct Reader {
    kind: Kind,
    state: State,
    done: VecDeque<Item>,
    /// The next answer is to a HEAD request.
    pub(super) answers_head: bool,
}

enum State {
    /// Between messages, or in a head.
    Head(Start),
    Body(Box<Message>, Framing),
    /// Bytes are missing: only a segment that begins as a message does is a new start.
    Seek {
        junk: u64,
        at: Timestamp,
    },
    /// What follows is HTTP/2.
    Over(Vec<Behind>),
}

/// What came behind the end of HTTP/1.
#[derive(Debug)]
pub(crate) enum Behind {
    Bytes(Timestamp, Vec<u8>),
    /// Bytes are missing here; how many is not always known.
    Missing(Timestamp, Option<u64>),
}

impl Behind {
    pub(crate) fn at(&self) -> Timestamp {
        match self {
            Self::Bytes(at, _) | Self::Missing(at, _) => *at,
        }
    }

    fn held(&self) -> usize {
        match self {
            Self::Bytes(_, bytes) => bytes.len(),
            Self::Missing(..) => 0,
        }
        .saturating_add(size_of::<Self>())
    }
}

/// The bytes of a head so far, and where it began.
#[derive(Default)]
struct Start {
    bytes: Vec<u8>,
    begun: Option<(Timestamp, u64, Option<u64>)>,
}

#[derive(Debug)]
enum Framing {
    /// So many more bytes.
    Length(u64),
    UntilClose,
    /// In the line with a chunk's size.
    ChunkSize(Vec<u8>),
    /// So many more bytes of a chunk.
    Chunk(u64),
    /// In the line end behind a chunk.
    ChunkEnd,
    /// In the lines behind the last chunk.
    Trailer(Trailer),
    Done,
}

/// The lines behind the last chunk, up to an empty one.
#[derive(Debug, Default)]
struct Trailer {
    text: Vec<u8>,
    /// Bytes in the line so far.
    line: usize,
}

impl Reader {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, state: State::Head(Start::default()), done: VecDeque::new(), answers_head: false }
    }

    pub(super) fn next_item(&mut self) -> Option<Item> {
        self.done.pop_front()
    }

    /// Bytes in memory, without the finished messages.
    pub(super) fn held(&self) -> usize {
        match &self.state {
            State::Head(start) => start.bytes.len(),
            State::Body(message, _) => message.body.len().saturating_add(OVERHEAD),
            State::Seek { .. } => 0,
            State::Over(behind) => behind.iter().map(Behind::held).sum(),
        }
    }

    /// Whether HTTP/1 has ended and HTTP/2 follows.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over(_))
    }

    /// Whether bytes are missing and nothing behind them could be taken up again.
    pub(super) fn is_seeking(&self) -> bool {
        matches!(self.state, State::Seek { .. })
    }

    /// What came behind the end of HTTP/1.
    pub(super) fn take_behind(&mut self) -> Vec<Behind> {
        match &mut self.state {
            State::Over(behind) => std::mem::take(behind),
            _ => Vec::new(),
        }
    }

    /// Takes the next bytes; bodies are kept up to `limit` bytes.
    pub(super) fn feed(&mut self, part: &Part<'_>, limit: usize) {
        if let State::Seek { junk, at } = self.state {
            if !begins(self.kind, part.bytes) {
                self.state = State::Seek { junk: junk.saturating_add(part.bytes.len() as u64), at: part.at };
                return;
            }
            self.leave_seek(junk, at);
        }
        let mut rest = part.bytes;
        while !rest.is_empty() {
            let at = part.offset.saturating_add((part.bytes.len() - rest.len()) as u64);
            rest = match std::mem::replace(&mut self.state, State::Head(Start::default())) {
                State::Head(start) => self.feed_head(start, rest, part, at),
                State::Body(message, framing) => self.feed_body(message, framing, rest, part.at, limit),
                State::Seek { junk, at } => {
                    self.state = State::Seek { junk: junk.saturating_add(rest.len() as u64), at };
                    &[]
                }
                State::Over(mut behind) => {
                    behind.push(Behind::Bytes(part.at, rest.to_vec()));
                    self.state = State::Over(behind);
                    &[]
                }
            };
        }
    }

    /// Bytes are missing here, if it is known how many.
    pub(super) fn missing(&mut self, count: Option<u64>, at: Timestamp) {
        let state = std::mem::replace(&mut self.state, State::Seek { junk: 0, at });
        match state {
            State::Body(mut message, framing) => {
                let had = message.body.len();
                message.cut.get_or_insert_with(|| match count {
                    Some(count) => format!("{count} bytes are missing in the capture behind byte {had}"),
                    None => format!("bytes are missing in the capture behind byte {had}"),
                });
                let count = count.unwrap_or(u64::MAX);
                message.done = at;
                match framing {
                    Framing::Length(left) if count < left => {
                        self.state = State::Body(message, Framing::Length(left - count));
                    }
                    Framing::Length(left) if count == left => {
                        self.complete(message);
                        self.state = State::Head(Start::default());
                    }
                    Framing::Chunk(left) if count < left => {
                        self.state = State::Body(message, Framing::Chunk(left - count));
                    }
                    Framing::UntilClose => self.state = State::Body(message, Framing::UntilClose),
                    _ => {
                        self.complete(message);
                        self.done.push_back(Item::Lost);
                    }
                }
            }
            State::Head(_) => self.done.push_back(Item::Lost),
            State::Seek { junk, at } => self.state = State::Seek { junk, at },
            State::Over(mut behind) => {
                behind.push(Behind::Missing(at, count));
                self.state = State::Over(behind);
            }
        }
    }

    /// Nothing more will come; `closed` when the sender said so.
    pub(super) fn finish(&mut self, closed: bool, at: Timestamp) {
        match std::mem::replace(&mut self.state, State::Head(Start::default())) {
            State::Body(message, Framing::UntilClose) if closed => self.complete(message),
            State::Body(mut message, _) => {
                let had = message.body.len();
                let end = if closed { "the connection ends" } else { "the capture ends" };
                message.cut.get_or_insert_with(|| format!("{end} behind byte {had}"));
                self.complete(message);
            }
            State::Head(start) if !start.bytes.is_empty() => {
                self.done.push_back(Item::Junk { count: start.bytes.len() as u64, at });
            }
            State::Head(_) => {}
            State::Seek { junk, at } => self.leave_seek(junk, at),
            State::Over(behind) => self.state = State::Over(behind),
        }
    }

    fn leave_seek(&mut self, junk: u64, at: Timestamp) {
        if junk > 0 {
            self.done.push_back(Item::Junk { count: junk, at });
        }
        self.state = State::Head(Start::default());
    }

    fn feed_head<'b>(&mut self, mut start: Start, rest: &'b [u8], part: &Part<'_>, at: u64) -> &'b [u8] {
        let mut rest = rest;
        if start.bytes.is_empty() {
            // Empty lines between messages are allowed.
            let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            rest = rest.get(blank..).unwrap_or_default();
            if rest.is_empty() {
                return rest;
            }
            start.begun = Some((part.at, at.saturating_add(blank as u64), part.acked));
        }
        let known = start.bytes.len();
        let found = if known == 0 {
            head_end(rest, 0)
        } else {
            let room = MAX_HEAD.saturating_sub(known).min(rest.len());
            start.bytes.extend_from_slice(rest.get(..room).unwrap_or_default());
            head_end(&start.bytes, known.saturating_sub(3))
        };
        match found {
            Some(end) => {
                let behind = rest.get(end.saturating_sub(known)..).unwrap_or_default();
                let bytes = if known == 0 { rest } else { start.bytes.as_slice() };
                let head = bytes.get(..end).unwrap_or_default();
                self.begin(head, start.begun, part.at);
                behind
            }
            None if known.saturating_add(rest.len()) >= MAX_HEAD
                || !could_begin(self.kind, if known == 0 { rest } else { &start.bytes }) =>
            {
                self.done.push_back(Item::Lost);
                self.state = State::Seek { junk: known.saturating_add(rest.len()) as u64, at: part.at };
                &[]
            }
            None => {
                if known == 0 {
                    start.bytes = rest.to_vec();
                }
                self.state = State::Head(start);
                &[]
            }
        }
    }

    /// A head is complete: what follows is its body.
    fn begin(&mut self, bytes: &[u8], begun: Option<(Timestamp, u64, Option<u64>)>, now: Timestamp) {
        let (begun, offset, acked) = begun.unwrap_or((now, 0, None));
        let head = match self.kind {
            Kind::Request => Head::request(bytes),
            Kind::Answer => Head::answer(bytes),
        };
        let Some(head) = head else {
            self.done.push_back(Item::Lost);
            self.state = State::Seek { junk: bytes.len() as u64, at: now };
            return;
        };
        if self.kind == Kind::Request && head.method == "PRI" && head.target == "*" {
            self.state = State::Over(vec![Behind::Bytes(begun, bytes.to_vec())]);
            return;
        }
        if self.kind == Kind::Answer && head.status == 101 && head.lists("upgrade", "h2c") {
            self.done.push_back(Item::Upgraded);
            self.state = State::Over(Vec::new());
            return;
        }
        // 100, 102, 103: the answer proper follows. 101 is final.
        if self.kind == Kind::Answer && (100..200).contains(&head.status) && head.status != 101 {
            self.state = State::Head(Start::default());
            return;
        }
        let framing = self.framing(&head);
        let body = match framing {
            Framing::Length(length) => Vec::with_capacity(usize::try_from(length).unwrap_or(RESERVE).min(RESERVE)),
            _ => Vec::new(),
        };
        let message = Message { head, body, cut: None, begun, done: now, offset, acked };
        self.continue_with(Box::new(message), framing);
    }

    /// RFC 9112, 6.3, in its order.
    fn framing(&self, head: &Head) -> Framing {
        let is_answer = self.kind == Kind::Answer;
        if is_answer && (self.answers_head || matches!(head.status, 101 | 204 | 304)) {
            return Framing::Done;
        }
        if head.lists("transfer-encoding", "chunked") {
            return Framing::ChunkSize(Vec::new());
        }
        match head.headers.get("content-length").and_then(|length| length.trim().parse().ok()) {
            Some(0) => Framing::Done,
            Some(length) => Framing::Length(length),
            None if is_answer => Framing::UntilClose,
            None => Framing::Done,
        }
    }

    fn feed_body<'b>(
        &mut self,
        mut message: Box<Message>,
        framing: Framing,
        rest: &'b [u8],
        at: Timestamp,
        limit: usize,
    ) -> &'b [u8] {
        message.done = at;
        let (framing, rest) = match framing {
            Framing::Length(left) => {
                let (left, rest) = message.take(left, rest, limit);
                (if left == 0 { Framing::Done } else { Framing::Length(left) }, rest)
            }
            Framing::UntilClose => (Framing::UntilClose, message.take(u64::MAX, rest, limit).1),
            Framing::Chunk(left) => {
                let (left, rest) = message.take(left, rest, limit);
                (if left == 0 { Framing::ChunkEnd } else { Framing::Chunk(left) }, rest)
            }
            Framing::ChunkEnd => {
                let end = rest.iter().take(2).position(|byte| *byte == b'\n');
                match (end, rest) {
                    (Some(end), _) => (Framing::ChunkSize(Vec::new()), rest.get(end + 1..).unwrap_or_default()),
                    (None, [b'\r']) => (Framing::ChunkEnd, &[] as &[u8]),
                    _ => return self.bad_chunk(message, rest, at),
                }
            }
            Framing::ChunkSize(mut line) => match memchr::memchr(b'\n', rest) {
                Some(end) if line.len().saturating_add(end) <= MAX_LINE => {
                    line.extend_from_slice(rest.get(..end).unwrap_or_default());
                    let rest = rest.get(end + 1..).unwrap_or_default();
                    match chunk_size(&line) {
                        Some(0) => (Framing::Trailer(Trailer::default()), rest),
                        Some(size) => (Framing::Chunk(size), rest),
                        None => return self.bad_chunk(message, rest, at),
                    }
                }
                None if line.len().saturating_add(rest.len()) <= MAX_LINE => {
                    line.extend_from_slice(rest);
                    (Framing::ChunkSize(line), &[] as &[u8])
                }
                _ => return self.bad_chunk(message, rest, at),
            },
            Framing::Trailer(mut trailer) => match trailer.feed(rest) {
                Some(behind) => {
                    message.head.trailers(&trailer.text);
                    (Framing::Done, behind)
                }
                None => (Framing::Trailer(trailer), &[] as &[u8]),
            },
            Framing::Done => (Framing::Done, rest),
        };
        self.continue_with(message, framing);
        rest
    }

    fn continue_with(&mut self, message: Box<Message>, framing: Framing) {
        match framing {
            Framing::Done => {
                self.complete(message);
                self.state = State::Head(Start::default());
            }
            framing => self.state = State::Body(message, framing),
        }
    }

    fn bad_chunk<'b>(&mut self, mut message: Box<Message>, rest: &'b [u8], at: Timestamp) -> &'b [u8] {
        let had = message.body.len();
        message.cut.get_or_insert_with(|| format!("the chunk behind byte {had} has no size"));
        self.complete(message);
        self.done.push_back(Item::Lost);
        self.state = State::Seek { junk: rest.len() as u64, at };
        &[]
    }

    fn complete(&mut self, message: Box<Message>) {
        self.done.push_back(Item::Message(message));
    }
}

impl Message {
    /// Adds up to `left` bytes of `from`; returns what is left to add, and what follows.
    pub(crate) fn take<'b>(&mut self, left: u64, from: &'b [u8], limit: usize) -> (u64, &'b [u8]) {
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(from.len());
        let (mine, rest) = from.split_at_checked(count).unwrap_or((from, &[]));
        if self.cut.is_none() {
            let room = limit.saturating_sub(self.body.len());
            self.body.extend_from_slice(mine.get(..room).unwrap_or(mine));
            if mine.len() > room {
                self.cut = Some(format!("longer than the {limit} bytes that an import keeps"));
            }
        }
        (left.saturating_sub(count as u64), rest)
    }
}

impl Trailer {
    /// Takes its part of the next bytes; what follows it, once it is over.
    fn feed<'b>(&mut self, rest: &'b [u8]) -> Option<&'b [u8]> {
        for (index, byte) in rest.iter().enumerate() {
            if self.text.len() <= MAX_LINE {
                self.text.push(*byte);
            }
            match byte {
                b'\n' if self.line == 0 || self.text.len() > MAX_LINE => return rest.get(index + 1..),
                b'\n' => self.line = 0,
                b'\r' => {}
                _ => self.line = self.line.saturating_add(1),
            }
        }
        None
    }
}

/// The size in front of a `;` with extensions.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(line).ok()?;
    let digits = text.split(';').next()?.trim();
    u64::from_str_radix(digits, 16).ok()
}

/// Where the head ends: behind its empty line.
fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    memchr::memchr_iter(b'\n', bytes.get(from..)?).find_map(|at| match bytes.get(from + at + 1..)? {
        [b'\n', ..] => Some(from + at + 2),
        [b'\r', b'\n', ..] => Some(from + at + 3),
        _ => None,
    })
}

/// Whether these bytes begin a message of this kind.
fn begins(kind: Kind, bytes: &[u8]) -> bool {
    match kind {
        Kind::Answer => bytes.starts_with(b"HTTP/"),
        Kind::Request => {
            let method = bytes.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
            (3..=20).contains(&method) && matches!(bytes.get(method..), Some([b' ', b'/' | b'*' | b'h' | b'H', ..]))
        }
    }
}

/// Whether these bytes can still become the head of a message.
fn could_begin(kind: Kind, bytes: &[u8]) -> bool {
    let head = bytes.get(..32).unwrap_or(bytes);
    match kind {
        Kind::Answer => head.iter().zip(b"HTTP/").all(|(a, b)| a == b),
        Kind::Request => {
            let method = head.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
            method == head.len() || (method > 0 && head.get(method) == Some(&b' '))
        }
    }
}

#[cfg(test)]
mod tests;
