//! Which HTTP a connection speaks: its client says so first.

use easrig_exchange::{Timestamp, TlsSession};

use crate::ImportError;
use crate::http::{Behind, Dialogue, Link, Part, Upgrade};
use crate::http2::{self, Conversation};
use crate::tcp::{Context, End, Side};

/// Bytes of a server that speaks first which are kept until its client does.
const MAX_HELD: usize = 64 << 10;

/// Requests and answers on a connection, in plain text.
pub(crate) enum Talk {
    /// The client has said nothing yet; the link is there until that is settled.
    Undecided(Option<Link>, Vec<Held>),
    /// HTTP/1.
    One(Box<Dialogue>),
    /// HTTP/2.
    Two(Box<Conversation>),
}

/// Bytes of the server that came before the first ones of the client.
pub(crate) struct Held {
    side: Side,
    at: Timestamp,
    offset: u64,
    acked: Option<u64>,
    bytes: Vec<u8>,
    /// Nothing is here: so many bytes are missing, if that is known.
    missing: Option<Option<u64>>,
}

impl Talk {
    pub(crate) fn undecided(link: Link) -> Self {
        Self::Undecided(Some(link), Vec::new())
    }

    pub(crate) fn http1(link: Link) -> Self {
        Self::One(Box::new(Dialogue::new(link)))
    }

    pub(crate) fn http2(link: Link) -> Self {
        Self::Two(Box::new(Conversation::new(link)))
    }

    /// HTTP/2 whose beginning is not in the capture.
    pub(crate) fn inside_http2(link: Link) -> Self {
        Self::Two(Box::new(Conversation::inside(link)))
    }

    /// What the TLS handshake agreed on.
    pub(crate) fn secured(&mut self, tls: TlsSession) {
        match self {
            Self::Undecided(link, _) => link.iter_mut().for_each(|link| link.tls = Some(tls.clone())),
            Self::One(dialogue) => dialogue.secured(tls),
            Self::Two(conversation) => conversation.secured(tls),
        }
    }

    /// Bytes in memory.
    pub(crate) fn held(&self) -> usize {
        match self {
            Self::Undecided(_, held) => held.iter().map(|held| held.bytes.len()).sum(),
            Self::One(dialogue) => dialogue.held(),
            Self::Two(conversation) => conversation.held(),
        }
    }

    pub(crate) fn data(&mut self, part: &Part<'_>, context: &mut Context<'_, '_, '_>) -> Result<(), ImportError> {
        match self {
            Self::Undecided(link, held) => {
                let is_client = link.as_ref().is_some_and(|link| link.client == part.side);
                let is_two = http2::begins_requests(part.bytes);
                let size: usize = held.iter().map(|held| held.bytes.len()).sum();
                if !is_client && size.saturating_add(part.bytes.len()) <= MAX_HELD {
                    held.push(Held::of(part));
                    return Ok(());
                }
                self.decide(is_client && is_two, context)?;
                self.data(part, context)
            }
            Self::One(dialogue) => {
                dialogue.data(part, context)?;
                self.upgrade(false, context)
            }
            Self::Two(conversation) => conversation.data(part, context),
        }
    }

    /// Bytes of a side are missing; how many is not always known.
    pub(crate) fn missing(
        &mut self,
        side: Side,
        count: Option<u64>,
        at: Timestamp,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), ImportError> {
        match self {
            Self::Undecided(link, held) => {
                if link.as_ref().is_some_and(|link| link.client != side) {
                    held.push(Held { side, at, offset: 0, acked: None, bytes: Vec::new(), missing: Some(count) });
                    return Ok(());
                }
                // Without the client's first bytes, those of the server have to tell.
                let first: Vec<u8> = held.iter().flat_map(|held| held.bytes.iter().copied()).take(8).collect();
                self.decide(http2::begins_answers(&first), context)?;
                self.missing(side, count, at, context)
            }
            Self::One(dialogue) => {
                dialogue.missing(side, count, at, context)?;
                self.upgrade(false, context)
            }
            Self::Two(conversation) => conversation.missing(side, count, at, context),
        }
    }

    /// The connection is over: what is left has no counterpart.
    pub(crate) fn finish(
        &mut self,
        end: End,
        at: Timestamp,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), ImportError> {
        if matches!(self, Self::Undecided(..)) {
            self.decide(false, context)?;
        }
        self.upgrade(true, context)?;
        match self {
            Self::Undecided(..) => Ok(()),
            Self::One(dialogue) => dialogue.finish(end, at, context),
            Self::Two(conversation) => conversation.finish(end, at, context),
        }
    }

    /// Goes over to HTTP/2 when both sides have done so.
    fn upgrade(&mut self, finishing: bool, context: &mut Context<'_, '_, '_>) -> Result<(), ImportError> {
        let Self::One(dialogue) = self else { return Ok(()) };
        let Some(Upgrade { link, request, lost, behind }) = dialogue.upgraded(finishing, context)? else {
            return Ok(());
        };
        let server = link.client.other();
        let mut conversation = Conversation::upgraded(link, request);
        if let Some((_, first)) = behind.first().filter(|_| lost) {
            conversation.missing(server, None, first.at(), context)?;
        }
        *self = Self::Two(Box::new(conversation));
        behind.into_iter().try_for_each(|(side, behind)| match behind {
            Behind::Missing(at, count) => self.missing(side, count, at, context),
            Behind::Bytes(at, bytes) => self.data(&Part { side, at, offset: 0, acked: None, bytes: &bytes }, context),
        })
    }

    fn decide(&mut self, is_two: bool, context: &mut Context<'_, '_, '_>) -> Result<(), ImportError> {
        let Self::Undecided(link, held) = self else { return Ok(()) };
        let (Some(link), held) = (link.take(), std::mem::take(held)) else { return Ok(()) };
        *self = if is_two { Self::http2(link) } else { Self::http1(link) };
        held.iter().try_for_each(|held| match held.missing {
            Some(count) => self.missing(held.side, count, held.at, context),
            None => self.data(&held.part(), context),
        })
    }
}

impl Held {
    fn of(part: &Part<'_>) -> Self {
        let Part { side, at, offset, acked, bytes } = *part;
        Self { side, at, offset, acked, bytes: bytes.to_vec(), missing: None }
    }

    fn part(&self) -> Part<'_> {
        Part { side: self.side, at: self.at, offset: self.offset, acked: self.acked, bytes: &self.bytes }
    }
}
