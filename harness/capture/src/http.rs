//! HTTP/1: which answer belongs to which request.

use std::collections::VecDeque;

use easrig_exchange::{Timestamp, TlsSession};

use crate::tcp::{Context, End, Side, in_turn};
use crate::{GapKind, ImportError, Skip};
pub(crate) use link::{Ending, Link};
pub(crate) use message::{Behind, Message, OVERHEAD};
use message::{Item, Kind, Reader};
pub(crate) use url::request_url;
pub(crate) use whole::{answer_in, request_in};

pub(crate) mod head;
mod link;
mod message;
mod url;
mod whole;

/// Messages of one direction that wait for their counterpart.
const MAX_WAITING: usize = 1000;

/// Bytes of HTTP/2 that are kept until it is known which request they follow.
const MAX_BEHIND: usize = 64 << 10;

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
    link: Link,
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
    pub(crate) fn new(link: Link) -> Self {
        Self { link, requests: Queue::new(Kind::Request), answers: Queue::new(Kind::Answer), ignored: false }
    }

    /// What the TLS handshake agreed on.
    pub(crate) fn secured(&mut self, tls: TlsSession) {
        self.link.tls = Some(tls);
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
        if part.side != self.link.client {
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
        end: End,
        at: Timestamp,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), ImportError> {
        if self.ignored {
            return Ok(());
        }
        for queue in [&mut self.requests, &mut self.answers] {
            queue.reader.finish(end.closed, at);
            queue.collect();
        }
        self.pair_up(context)?;
        let mut ending = match end.closer {
            Some((side, at)) if side == self.link.client => Ending::Cancelled(at),
            _ if end.closed => Ending::Closed,
            _ => Ending::CaptureEnds(at),
        };
        while let Some(item) = self.answers.take() {
            if matches!(item, Item::Lost) {
                ending = Ending::Lost;
            }
            self.lone_answer(item, context);
        }
        while let Some(item) = self.requests.take() {
            if let Item::Message(request) = item {
                self.link.unanswered(*request, ending, context)?;
            }
        }
        Ok(())
    }

    /// Ends HTTP/1 when both sides have gone over to HTTP/2 (`Upgrade: h2c`, RFC 7540, 3.2): what is left then.
    ///
    /// With `finishing`, nothing more will come.
    pub(crate) fn upgraded(
        &mut self,
        finishing: bool,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<Option<Upgrade>, ImportError> {
        let said = matches!(self.answers.waiting.back(), Some(Item::Upgraded));
        let preface = self.requests.reader.is_over();
        if self.ignored || !said && !preface {
            return Ok(None);
        }
        let held = self.requests.reader.held().saturating_add(self.answers.reader.held());
        let no_longer = preface && said || finishing || held > MAX_BEHIND;
        let is_next = said && self.answers.waiting.len() == 1;
        let is_ready = is_next && !self.requests.waiting.is_empty();
        if !(is_ready || no_longer || preface && self.answers.reader.is_seeking()) {
            return Ok(None);
        }
        if !preface && finishing {
            self.requests.reader.finish(false, Timestamp(0));
            self.requests.collect();
        }
        // A client goes over with the last request of its HTTP/1; answers to earlier ones are lost here.
        while !is_next && self.requests.waiting.len() > 1 {
            if let Some(Item::Message(request)) = self.requests.take() {
                self.link.unanswered(*request, Ending::Lost, context)?;
            }
        }
        let request = match self.requests.take() {
            Some(Item::Message(request)) => Some(request),
            _ => None,
        };
        let client = self.link.client;
        let [requests, answers] =
            [(client, &mut self.requests), (client.other(), &mut self.answers)].map(|(side, queue)| {
                let behind = queue.reader.take_behind();
                behind.into_iter().map(|behind| (side, behind)).collect::<Vec<_>>()
            });
        let behind = in_turn(requests, answers, |(_, behind)| behind.at());
        Ok(Some(Upgrade { link: self.link.clone(), request, lost: !said, behind }))
    }

    fn queue(&mut self, side: Side) -> &mut Queue {
        if side == self.link.client { &mut self.requests } else { &mut self.answers }
    }

    /// Hands on every request whose answer is complete, as long as both are known to belong together.
    fn pair_up(&mut self, context: &mut Context<'_, '_, '_>) -> Result<(), ImportError> {
        loop {
            // Bytes between messages that are no HTTP, on either side.
            for side in [self.link.client, self.link.client.other()] {
                while let Some(Item::Junk { count, at }) = self.queue(side).waiting.front() {
                    let (count, at) = (*count, *at);
                    self.link.gap(side, at, GapKind::NotHttp(count), None, context);
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
                        self.link.answered(*request, *answer, context)?;
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
                        self.link.unanswered(*request, Ending::Lost, context)?;
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
                self.link.gap(self.link.client, answer.begun, GapKind::Request, None, context);
            }
            Item::Junk { count, at } => {
                self.link.gap(self.link.client.other(), at, GapKind::NotHttp(count), None, context);
            }
            Item::Lost | Item::Upgraded => {}
        }
    }
}

/// A conversation that goes on in HTTP/2.
pub(crate) struct Upgrade {
    pub(crate) link: Link,
    /// The request that asked for it: it is answered in HTTP/2, on stream 1.
    pub(crate) request: Option<Box<Message>>,
    /// Whether the server's agreement, and what followed it, is missing.
    pub(crate) lost: bool,
    /// What both sides have said in HTTP/2.
    pub(crate) behind: Vec<(Side, Behind)>,
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
