//! HTTP/2: streams of one connection, as an onlooker sees them (RFC 9113).
//!
//! Header compression keeps state from one message to the next, so a direction is read up to where bytes are missing (but
//! for those inside a body): what lies behind is counted and never guessed at. Of a connection whose beginning is not
//! there, headers that refer to earlier ones are counted.

use std::collections::BTreeMap;

use easrig_exchange::{Timestamp, TlsSession};

use crate::http::head::Head;
use crate::http::{Ending, Link, Message, OVERHEAD, Part};
use crate::tcp::{Context, End, Side};
use crate::{GapKind, ImportError, Skip};
use frame::{FrameReader, PREFACE};
use lane::{Lane, Said};

mod frame;
mod head;
mod lane;
mod unpack;

/// Streams that are open at the same time; servers allow a few hundred.
const MAX_STREAMS: usize = 1000;

/// Streams of which only the answer was seen that are kept for requests which come late.
const MAX_UNASKED: usize = 250;

/// Whether these are the first bytes of a client.
pub(crate) fn begins_requests(head: &[u8]) -> bool {
    head.len() >= 8 && PREFACE.iter().zip(head).all(|(a, b)| a == b)
}

/// Whether these are the first bytes of a server.
pub(crate) fn begins_answers(head: &[u8]) -> bool {
    frame::begins_answers(head)
}

/// Bytes in which frames are looked for before a stream is given up as something else.
pub(crate) const MAX_SEARCH: usize = 16 << 10;

/// Whether frames begin somewhere in these bytes out of the middle of a connection.
pub(crate) fn holds_frames(bytes: &[u8]) -> bool {
    frame::find_run(bytes).is_some()
}

/// Whether the frames in these bytes are a client's, if their headers tell.
pub(crate) fn is_client(bytes: &[u8]) -> Option<bool> {
    frame::is_client(bytes)
}

/// One connection: requests one way, answers the other, many at a time.
pub(crate) struct Conversation {
    link: Link,
    requests: Lane,
    answers: Lane,
    streams: BTreeMap<u32, Stream>,
    /// The highest stream that a request was seen on: those below it that are not open are over.
    last: u32,
    /// The first one that was.
    first: Option<u32>,
    held: usize,
    ignored: bool,
    /// Whether its beginning is not in the capture.
    inside: bool,
}

/// One request and its answer, so far.
#[derive(Default)]
struct Stream {
    request: Half,
    answer: Half,
}

/// One message, so far.
#[derive(Default)]
struct Half {
    message: Option<Box<Message>>,
    ended: bool,
    /// Whether its headers were there and could not be told.
    unreadable: bool,
}

impl Conversation {
    pub(crate) fn new(link: Link) -> Self {
        Self {
            link,
            requests: Lane::new(FrameReader::of_client()),
            answers: Lane::new(FrameReader::of_server()),
            streams: BTreeMap::new(),
            last: 0,
            first: None,
            held: 0,
            ignored: false,
            inside: false,
        }
    }

    /// A connection whose beginning is not in the capture.
    pub(crate) fn inside(link: Link) -> Self {
        Self { requests: Lane::inside(), answers: Lane::inside(), inside: true, ..Self::new(link) }
    }

    /// A connection that began in HTTP/1: the request that asked for HTTP/2 is answered on stream 1.
    pub(crate) fn upgraded(link: Link, request: Option<Box<Message>>) -> Self {
        let mut conversation = Self { last: 1, ..Self::new(link) };
        conversation.held = request.as_deref().map_or(0, weight);
        let request = Half { message: request, ended: true, unreadable: false };
        conversation.streams.insert(1, Stream { request, answer: Half::default() });
        conversation
    }

    /// What the TLS handshake agreed on.
    pub(crate) fn secured(&mut self, tls: TlsSession) {
        self.link.tls = Some(tls);
    }

    /// Bytes in memory.
    pub(crate) fn held(&self) -> usize {
        self.held.saturating_add(self.requests.held()).saturating_add(self.answers.held())
    }

    pub(crate) fn data(&mut self, part: &Part<'_>, context: &mut Context<'_, '_, '_>) -> Result<(), ImportError> {
        if self.ignored {
            return Ok(());
        }
        let (side, at) = (part.side, part.at);
        let was_over = self.lane(side).is_over();
        for (at, one) in self.lane(side).feed(part.bytes, at) {
            self.hear(side, one, at, context)?;
        }
        self.close_unasked(context)?;
        if self.streams.len() > MAX_STREAMS {
            self.ignored = true;
            self.streams.clear();
            self.held = 0;
            context.out.tally.skip(Skip::TooMuch);
        }
        if !was_over && self.lane(side).is_over() { self.give_up(side, context) } else { Ok(()) }
    }

    /// Bytes of a side are missing; how many is not always known.
    pub(crate) fn missing(
        &mut self,
        side: Side,
        count: Option<u64>,
        at: Timestamp,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), ImportError> {
        if let Some(stream) = self.lane(side).missing(count, at)
            && let Some(message) = self.message(side, stream)
        {
            message.cut(&format!("{} bytes are missing in the capture", count.unwrap_or(0)));
        }
        if self.lane(side).is_over() { self.give_up(side, context) } else { Ok(()) }
    }

    /// The connection is over: what is left has no counterpart.
    pub(crate) fn finish(
        &mut self,
        end: End,
        at: Timestamp,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), ImportError> {
        let (ending, why) = match end.closer {
            Some((side, at)) if side == self.link.client => (Ending::Cancelled(at), "the connection ends"),
            _ if end.closed => (Ending::Closed, "the connection ends"),
            _ => (Ending::CaptureEnds(at), "the capture ends"),
        };
        for side in [self.link.client, self.link.client.other()] {
            for (at, one) in self.lane(side).finish() {
                self.hear(side, one, at, context)?;
            }
        }
        while let Some(number) = self.streams.keys().next().copied() {
            self.close(number, why, ending, context)?;
        }
        for side in [self.link.client, self.link.client.other()] {
            let unread: Vec<_> = self.lane(side).unread().collect();
            for (what, at) in unread {
                self.link.gap(side, at, what, None, context);
            }
        }
        Ok(())
    }

    fn lane(&mut self, side: Side) -> &mut Lane {
        if side == self.link.client { &mut self.requests } else { &mut self.answers }
    }

    fn half(&mut self, side: Side, stream: u32) -> Option<&mut Half> {
        let is_client = side == self.link.client;
        let stream = self.streams.get_mut(&stream)?;
        Some(if is_client { &mut stream.request } else { &mut stream.answer })
    }

    fn message(&mut self, side: Side, stream: u32) -> Option<&mut Message> {
        self.half(side, stream)?.message.as_deref_mut()
    }

    fn hear(
        &mut self,
        side: Side,
        said: Said,
        at: Timestamp,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), ImportError> {
        match said {
            Said::Headers { stream, fields, ends, begun } => {
                if self.has_head(side, stream) {
                    self.trailers(side, stream, fields);
                } else if side == self.link.client {
                    self.request(stream, fields, (begun, at), context)?;
                } else {
                    self.answer(stream, fields, (begun, at));
                }
                if ends { self.end(side, stream, at, context) } else { Ok(()) }
            }
            Said::Unreadable { stream, ends } => {
                self.unreadable(side, stream, at, context)?;
                if ends { self.end(side, stream, at, context) } else { Ok(()) }
            }
            Said::Data { stream, bytes } => {
                let limit = context.options.limits.body_bytes;
                let Some(message) = self.message(side, stream) else { return Ok(()) };
                let before = message.body.len();
                message.take(u64::MAX, &bytes, limit);
                message.done = at;
                let more = message.body.len().saturating_sub(before);
                self.held = self.held.saturating_add(more);
                Ok(())
            }
            Said::End { stream } => self.end(side, stream, at, context),
            Said::Reset { stream } => {
                let ending = if side == self.link.client { Ending::Cancelled(at) } else { Ending::Closed };
                self.close(stream, "the stream was reset", ending, context)
            }
            Said::Pushed => {
                context.out.tally.skip(Skip::Pushed);
                Ok(())
            }
        }
    }

    /// Whether a side has a message on this stream already: what follows are its trailers.
    fn has_head(&mut self, side: Side, stream: u32) -> bool {
        self.half(side, stream).is_some_and(|half| half.message.is_some())
    }

    fn trailers(&mut self, side: Side, stream: u32, fields: head::Fields) {
        let Some(message) = self.half(side, stream).filter(|half| !half.ended).and_then(|half| half.message.as_mut())
        else {
            return;
        };
        let before = weight(message);
        fields.headers().iter().for_each(|(name, value)| message.head.headers.push_trailer(name, value));
        let more = weight(message).saturating_sub(before);
        self.held = self.held.saturating_add(more);
    }

    fn request(
        &mut self,
        stream: u32,
        fields: head::Fields,
        times: (Timestamp, Timestamp),
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), ImportError> {
        // What comes behind the end.
        if stream <= self.last {
            return Ok(());
        }
        self.begin_request(stream, context)?;
        match fields.request() {
            Some(head) => self.keep(self.link.client, stream, head, times),
            None => context.out.tally.skip(Skip::BadUrl),
        }
        Ok(())
    }

    /// A request begins: those before it that only an answer was seen of have none in the capture.
    fn begin_request(&mut self, stream: u32, context: &mut Context<'_, '_, '_>) -> Result<(), ImportError> {
        self.last = stream;
        self.first.get_or_insert(stream);
        if !self.inside {
            return Ok(());
        }
        let earlier: Vec<u32> = self.streams.range(..stream).map(|(number, _)| *number).collect();
        for number in earlier {
            if let Some(stream) = self.streams.get_mut(&number)
                && stream.request.message.is_none()
            {
                stream.request.ended = true;
            }
            self.settle(number, context)?;
        }
        Ok(())
    }

    /// A side has sent headers that refer to some from before the capture.
    fn unreadable(
        &mut self,
        side: Side,
        stream: u32,
        at: Timestamp,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), ImportError> {
        self.link.gap(side, at, GapKind::Headers, None, context);
        if self.has_head(side, stream) || stream.is_multiple_of(2) {
            return Ok(());
        }
        if side == self.link.client {
            if stream <= self.last {
                return Ok(());
            }
            self.begin_request(stream, context)?;
        }
        let is_past = stream <= self.last;
        let known = self.streams.entry(stream).or_insert_with(|| Stream::met_by_its_answer(is_past));
        if side == self.link.client {
            known.request = Half { unreadable: true, ..Half::default() };
        } else {
            known.answer.unreadable = true;
        }
        Ok(())
    }

    fn answer(&mut self, stream: u32, fields: head::Fields, times: (Timestamp, Timestamp)) {
        let server = self.link.client.other();
        let is_known = self.streams.contains_key(&stream);
        // Pushed ones were counted; of those that are over nothing is news.
        if stream.is_multiple_of(2) || !is_known && stream <= self.last && !self.inside {
            return;
        }
        if !is_known && self.inside {
            self.streams.insert(stream, Stream::met_by_its_answer(stream <= self.last));
        }
        // 100 to 199: the answer proper follows. Without a status it is none.
        if let Some(status) = fields.status().filter(|status| *status >= 200) {
            self.keep(server, stream, fields.answer(status), times);
        }
    }

    fn keep(&mut self, side: Side, stream: u32, head: Head, (begun, done): (Timestamp, Timestamp)) {
        let message = Message { head, body: Vec::new(), cut: None, begun, done, offset: 0, acked: None };
        self.held = self.held.saturating_add(weight(&message));
        self.streams.entry(stream).or_default();
        if let Some(half) = self.half(side, stream) {
            half.message = Some(Box::new(message));
        }
    }

    /// A side has said everything on a stream.
    fn end(
        &mut self,
        side: Side,
        stream: u32,
        at: Timestamp,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), ImportError> {
        self.end_of_unseen(side, stream, at, context);
        if let Some(half) = self.half(side, stream) {
            half.ended = true;
            if let Some(message) = &mut half.message {
                message.done = at;
            }
        }
        self.settle(stream, context)
    }

    /// Hands on answers that wait for requests which do not come: those of a direction that nobody captured.
    fn close_unasked(&mut self, context: &mut Context<'_, '_, '_>) -> Result<(), ImportError> {
        if !self.inside || self.streams.len() <= MAX_UNASKED {
            return Ok(());
        }
        let is_unasked = |stream: &Stream| stream.request.message.is_none() && stream.answer.ended;
        let unasked: Vec<u32> =
            self.streams.iter().filter(|(_, stream)| is_unasked(stream)).map(|(number, _)| *number).collect();
        unasked.into_iter().try_for_each(|number| self.close(number, LOST, Ending::Lost, context))
    }

    /// Counts a message of which the beginning is not in the capture.
    fn end_of_unseen(&mut self, side: Side, stream: u32, at: Timestamp, context: &mut Context<'_, '_, '_>) {
        let is_seen = self.half(side, stream).is_some_and(|half| half.message.is_some() || half.unreadable);
        let is_earlier = self.first.is_none_or(|first| stream < first) && !stream.is_multiple_of(2);
        if self.inside && !is_seen && is_earlier {
            self.link.gap(side, at, GapKind::Headers, None, context);
        }
    }

    /// A side can be read no further: what it has not said is lost.
    fn give_up(&mut self, side: Side, context: &mut Context<'_, '_, '_>) -> Result<(), ImportError> {
        let open: Vec<u32> = self.streams.keys().copied().collect();
        for stream in open {
            if let Some(half) = self.half(side, stream).filter(|half| !half.ended)
                && let Some(message) = &mut half.message
            {
                message.cut(LOST);
            }
            self.settle(stream, context)?;
        }
        Ok(())
    }

    /// Hands on a stream when nothing more can come of it.
    fn settle(&mut self, number: u32, context: &mut Context<'_, '_, '_>) -> Result<(), ImportError> {
        let (requests, answers) = (self.requests.is_over(), self.answers.is_over());
        let is_done = |stream: &Stream| (stream.request.ended || requests) && (stream.answer.ended || answers);
        if !self.streams.get(&number).is_some_and(is_done) {
            return Ok(());
        }
        self.close(number, LOST, Ending::Lost, context)
    }

    /// Hands on a stream as it is.
    fn close(
        &mut self,
        number: u32,
        why: &str,
        ending: Ending,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), ImportError> {
        let Some(Stream { request, answer }) = self.streams.remove(&number) else { return Ok(()) };
        for half in [&request, &answer] {
            let bytes = half.message.as_ref().map_or(0, |message| weight(message));
            self.held = self.held.saturating_sub(bytes);
        }
        // What became of it may have been said where nothing can be read.
        let lost = answer.unreadable || (self.answers.is_over() || self.requests.is_over()) && !answer.ended;
        match (request.whole(why), answer.whole(why)) {
            (Some(request), Some(answer)) => self.link.answered(*request, *answer, context),
            (Some(request), None) => self.link.unanswered(*request, if lost { Ending::Lost } else { ending }, context),
            (None, Some(answer)) => {
                self.link.gap(self.link.client, answer.begun, GapKind::Request, None, context);
                Ok(())
            }
            (None, None) => Ok(()),
        }
    }
}

/// What a message takes in memory, roughly.
fn weight(message: &Message) -> usize {
    let headers: usize = message.head.headers.iter().map(|(name, value)| name.len().saturating_add(value.len())).sum();
    OVERHEAD.saturating_add(headers).saturating_add(message.body.len())
}

/// Why a message ends where a direction could be read no further.
const LOST: &str = "bytes are missing in the capture";

impl Stream {
    /// One whose request was not seen, and is not to come when later ones are there.
    fn met_by_its_answer(is_past: bool) -> Self {
        Self { request: Half { ended: is_past, ..Half::default() }, answer: Half::default() }
    }
}

impl Half {
    /// The message; marked as cut when its end was not seen.
    fn whole(self, why: &str) -> Option<Box<Message>> {
        let mut message = self.message?;
        if !self.ended {
            message.cut(why);
        }
        Some(message)
    }
}

impl Message {
    fn cut(&mut self, why: &str) {
        let had = self.body.len();
        self.cut.get_or_insert_with(|| format!("{why} behind byte {had}"));
    }
}
