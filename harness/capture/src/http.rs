//! HTTP/1: which answer belongs to which request.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use easrig_exchange::{Failure, Outcome, Phase, Request, Response, Times, Timestamp, TlsSession};

use crate::import::Found;
use crate::tcp::{Both, Context, Side};
use crate::{Gap, GapKind, ImportError, Skip};
use message::{Item, Kind, Message, Reader};
pub(crate) use url::request_url;
pub(crate) use whole::{answer_in, request_in};

pub(crate) mod head;
mod message;
mod url;
mod whole;

/// Messages of one direction that wait for their counterpart.
const MAX_WAITING: usize = 1000;

/// Bytes of one side, in order and in plain text.
pub(crate) struct Part<'b> {
    pub(crate) side: Side,
    pub(crate) at: Timestamp,
    pub(crate) offset: u64,
    pub(crate) acked: Option<u64>,
    pub(crate) bytes: &'b [u8],
}

/// One connection: requests one way, answers the other.
pub(crate) struct Dialogue {
    pair: Both<SocketAddr>,
    client: Side,
    secure: bool,
    tls: Option<TlsSession>,
    requests: Queue,
    answers: Queue,
    ignored: bool,
}

struct Queue {
    reader: Reader,
    waiting: VecDeque<Item>,
    held: usize,
}

impl Dialogue {
    pub(crate) fn new(pair: Both<SocketAddr>, client: Side, secure: bool) -> Self {
        Self {
            pair,
            client,
            secure,
            tls: None,
            requests: Queue::new(Kind::Request),
            answers: Queue::new(Kind::Answer),
            ignored: false,
        }
    }

    /// What the TLS handshake agreed on.
    pub(crate) fn secured(&mut self, tls: TlsSession) {
        self.tls = Some(tls);
    }

    /// What follows is of another protocol.
    pub(crate) fn ignore(&mut self) {
        self.ignored = true;
    }

    /// Bytes in memory.
    pub(crate) fn held(&self) -> usize {
        self.requests.held().saturating_add(self.answers.held())
    }

    pub(crate) fn data(&mut self, part: &Part<'_>, context: &mut Context<'_, '_, '_>) -> Result<(), ImportError> {
        if self.ignored {
            return Ok(());
        }
        let limit = context.options.limits.body_bytes;
        if part.side != self.client {
            self.answers.reader.answers_head = self.requests.is_head_next();
        }
        self.queue(part.side).feed(part, limit);
        self.pair_up(context)?;
        self.requests.bound(&mut self.ignored);
        self.answers.bound(&mut self.ignored);
        if self.ignored {
            context.out.tally.skip(Skip::TooMuch);
        }
        Ok(())
    }

    /// Bytes of a side are missing; how many is not always known.
    pub(crate) fn missing(
        &mut self,
        side: Side,
        count: Option<u64>,
        at: Timestamp,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), ImportError> {
        let queue = self.queue(side);
        queue.reader.missing(count, at);
        queue.collect();
        self.pair_up(context)
    }

    /// The connection is over: what is left has no counterpart.
    pub(crate) fn finish(
        &mut self,
        closed: bool,
        at: Timestamp,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), ImportError> {
        if self.ignored {
            return Ok(());
        }
        for queue in [&mut self.requests, &mut self.answers] {
            queue.reader.finish(closed, at);
            queue.collect();
        }
        self.pair_up(context)?;
        let mut ending = if closed { Ending::Closed } else { Ending::CaptureEnds(at) };
        while let Some(item) = self.answers.take() {
            if matches!(item, Item::Lost) {
                ending = Ending::Lost;
            }
            self.lone_answer(item, context);
        }
        while let Some(item) = self.requests.take() {
            if let Item::Message(request) = item {
                self.unanswered(*request, ending, context)?;
            }
        }
        Ok(())
    }

    fn queue(&mut self, side: Side) -> &mut Queue {
        if side == self.client { &mut self.requests } else { &mut self.answers }
    }

    /// Hands on every request whose answer is complete, as long as both are known to belong together.
    fn pair_up(&mut self, context: &mut Context<'_, '_, '_>) -> Result<(), ImportError> {
        loop {
            // Bytes between messages that are no HTTP, on either side.
            for side in [self.client, self.client.other()] {
                while let Some(Item::Junk { count, at }) = self.queue(side).waiting.front() {
                    let (count, at) = (*count, *at);
                    self.gap(side, at, GapKind::NotHttp(count), None, context);
                    self.queue(side).take();
                }
            }
            match (self.requests.waiting.front(), self.answers.waiting.front()) {
                // The request may be among the lost ones.
                (Some(Item::Lost), Some(Item::Message(answer))) => {
                    let Some(Item::Message(next)) = self.requests.waiting.get(1) else { return Ok(()) };
                    if answer.acked.is_some_and(|acked| acked <= next.offset) {
                        self.take_lone_answer(context);
                    } else {
                        self.requests.take();
                    }
                }
                (Some(Item::Message(request)), Some(Item::Message(answer))) => {
                    if answer.acked.is_some_and(|acked| acked <= request.offset) {
                        self.take_lone_answer(context);
                        continue;
                    }
                    if let (Some(Item::Message(request)), Some(Item::Message(answer))) =
                        (self.requests.take(), self.answers.take())
                    {
                        self.answered(*request, *answer, context)?;
                    }
                }
                (Some(Item::Message(_)), Some(Item::Lost)) => {
                    let Some(Item::Message(answer)) = self.answers.waiting.get(1) else { return Ok(()) };
                    // After lost answers, the next one belongs to the last request that had arrived.
                    let later = self.requests.waiting.get(1);
                    let is_later = match (later, answer.acked) {
                        (Some(Item::Message(later)), Some(acked)) => acked > later.offset,
                        _ => false,
                    };
                    if !is_later {
                        self.answers.take();
                    } else if let Some(Item::Message(request)) = self.requests.take() {
                        self.unanswered(*request, Ending::Lost, context)?;
                    }
                }
                (Some(Item::Lost), Some(Item::Lost)) => {
                    self.requests.take();
                    self.answers.take();
                }
                _ => return Ok(()),
            }
        }
    }

    fn take_lone_answer(&mut self, context: &mut Context<'_, '_, '_>) {
        if let Some(item) = self.answers.take() {
            self.lone_answer(item, context);
        }
    }

    fn lone_answer(&self, item: Item, context: &mut Context<'_, '_, '_>) {
        match item {
            Item::Message(answer) => {
                self.gap(self.client, answer.begun, GapKind::Request, None, context);
            }
            Item::Junk { count, at } => {
                self.gap(self.client.other(), at, GapKind::NotHttp(count), None, context);
            }
            Item::Lost => {}
        }
    }

    fn answered(
        &self,
        request: Message,
        answer: Message,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), ImportError> {
        let since = |at: Timestamp| u64::try_from(at.0.saturating_sub(request.begun.0)).unwrap_or(0);
        let times =
            Times { connected: None, secured: None, first_byte: Some(since(answer.begun)), done: since(answer.done) };
        if answer.cut.is_some() {
            let number = Some(context.out.upcoming());
            self.gap(self.client.other(), answer.done, GapKind::AnswerCut, number, context);
        }
        let response = Response {
            status: answer.head.status,
            reason: answer.head.reason,
            headers: answer.head.headers,
            body: answer.body,
            cut: answer.cut,
        };
        self.exchange(
            request.head,
            request.body,
            request.begun,
            Outcome::Answered(response),
            times,
            request.cut,
            context,
        )
    }

    fn unanswered(
        &self,
        request: Message,
        ending: Ending,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), ImportError> {
        let waited = |end: Timestamp| u64::try_from(end.0.saturating_sub(request.begun.0)).unwrap_or(0);
        let (failure, done) = match ending {
            Ending::Closed => (Failure::Closed, request.done),
            Ending::CaptureEnds(end) => {
                let seconds = Duration::from_micros(waited(end)).as_secs();
                (Failure::Timeout { phase: Phase::FirstByte, seconds }, end)
            }
            Ending::Lost => (Failure::NotHttp { detail: "it is missing from the capture".to_owned() }, request.done),
        };
        if !matches!(ending, Ending::Closed) {
            let number = Some(context.out.upcoming());
            self.gap(self.client.other(), done, GapKind::Answer, number, context);
        }
        let times = Times { done: waited(done), ..Times::default() };
        let Message { head, body, begun, cut, .. } = request;
        self.exchange(head, body, begun, Outcome::Failed(failure), times, cut, context)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of an exchange, taken apart by both callers")]
    fn exchange(
        &self,
        head: head::Head,
        body: Vec<u8>,
        started: Timestamp,
        outcome: Outcome,
        times: Times,
        cut: Option<String>,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), ImportError> {
        let server = self.pair.of(self.client.other());
        let Some(url) = request_url(&head.target, &head.headers, server, self.secure) else {
            context.out.tally.skip(Skip::BadUrl);
            return Ok(());
        };
        if cut.is_some() {
            let number = Some(context.out.upcoming());
            self.gap(self.client, started, GapKind::RequestCut, number, context);
        }
        let request = Request { method: head.method, url, headers: head.headers, body };
        context.out.exchange(Found { started, request, outcome, times, tls: self.tls.clone() })
    }

    fn gap(
        &self,
        side: Side,
        at: Timestamp,
        what: GapKind,
        exchange: Option<easrig_exchange::ExchangeNumber>,
        context: &mut Context<'_, '_, '_>,
    ) {
        let stream = format!("{} > {}", self.pair.of(side), self.pair.of(side.other()));
        context.out.tally.gap(Gap { stream, at, what, exchange });
    }
}

/// How a request came to have no answer.
#[derive(Clone, Copy)]
enum Ending {
    Closed,
    CaptureEnds(Timestamp),
    Lost,
}

impl Queue {
    fn new(kind: Kind) -> Self {
        Self { reader: Reader::new(kind), waiting: VecDeque::new(), held: 0 }
    }

    fn held(&self) -> usize {
        self.reader.held().saturating_add(self.held)
    }

    fn feed(&mut self, part: &Part<'_>, limit: usize) {
        self.reader.feed(part, limit);
        self.collect();
    }

    fn collect(&mut self) {
        while let Some(item) = self.reader.next_item() {
            self.held = self.held.saturating_add(item.held());
            self.waiting.push_back(item);
        }
    }

    /// Whether the next request that waits for its answer wants no body in it.
    fn is_head_next(&self) -> bool {
        matches!(self.waiting.front(), Some(Item::Message(request)) if request.head.method == "HEAD")
    }

    fn take(&mut self) -> Option<Item> {
        let item = self.waiting.pop_front()?;
        self.held = self.held.saturating_sub(item.held());
        Some(item)
    }

    fn bound(&mut self, exceeded: &mut bool) {
        if self.waiting.len() > MAX_WAITING {
            *exceeded = true;
            self.waiting.clear();
            self.held = 0;
        }
    }
}
