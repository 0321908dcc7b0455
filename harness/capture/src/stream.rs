//! What a TCP connection speaks: plain HTTP, TLS around it, or nothing of interest.

use std::net::SocketAddr;

use easrig_exchange::Timestamp;

use crate::http::{Link, Part};
use crate::http2;
use crate::talk::Talk;
use crate::tcp::{Both, Context, End, Side, in_turn};
use crate::tls::{Session, TlsEvent};
use crate::{ImportError, Skip, Undecryptable};

/// Bytes that are looked at before a stream is given up as something else.
const MAX_UNKNOWN: usize = 64 << 10;

/// Bytes that tell what a stream is, if it begins with them.
const ENOUGH: usize = 8;

/// Bytes of one side, in order.
pub(crate) struct Piece<'b> {
    pub(crate) side: Side,
    pub(crate) at: Timestamp,
    /// Where they begin in what this side said.
    pub(crate) offset: u64,
    /// How much of what the other side said had arrived when they were sent.
    pub(crate) acked: Option<u64>,
    pub(crate) bytes: &'b [u8],
}

/// One connection above TCP.
pub(crate) struct Stream {
    pair: Both<SocketAddr>,
    /// Who sent the SYN, if that was seen.
    opener: Option<Side>,
    state: State,
}

enum State {
    /// Nothing yet, or too little to tell.
    Unknown(Unknown),
    Http(Talk),
    Tls(Box<Session>, Talk),
    Ignored,
}

#[derive(Default)]
struct Unknown {
    held: Vec<Held>,
    /// What was passed over, of a connection whose beginning is not there: it may be HTTP/2.
    older: Vec<Held>,
    /// How many bytes of it there were at the last look.
    looked: usize,
    bytes: usize,
    passed: usize,
    /// Whether bytes are missing at its beginning.
    torn: bool,
    /// Whether too much was passed over to look at it.
    unsearchable: bool,
}

struct Held {
    side: Side,
    at: Timestamp,
    offset: u64,
    acked: Option<u64>,
    bytes: Vec<u8>,
}

impl Stream {
    pub(crate) fn new(pair: Both<SocketAddr>) -> Self {
        Self { pair, opener: None, state: State::Unknown(Unknown::default()) }
    }

    /// Learns which side opened the connection.
    pub(crate) fn opened_by(&mut self, side: Side) {
        self.opener.get_or_insert(side);
    }

    /// The connection as seen from one side.
    pub(crate) fn name(&self, side: Side) -> String {
        format!("{} > {}", self.pair.of(side), self.pair.of(side.other()))
    }

    /// Bytes in memory.
    pub(crate) fn held(&self) -> usize {
        match &self.state {
            State::Unknown(unknown) => unknown.bytes,
            State::Http(talk) => talk.held(),
            State::Tls(session, talk) => session.held().saturating_add(talk.held()),
            State::Ignored => 0,
        }
    }

    pub(crate) fn data(&mut self, piece: &Piece<'_>, context: &mut Context<'_, '_, '_>) -> Result<(), ImportError> {
        match &mut self.state {
            State::Unknown(_) => self.look(piece, context),
            State::Http(talk) => talk.data(&part(piece), context),
            State::Tls(session, talk) => {
                session.data(piece, context);
                relay(session, talk, context)
            }
            State::Ignored => Ok(()),
        }
    }

    pub(crate) fn missing(
        &mut self,
        side: Side,
        count: u64,
        at: Timestamp,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), ImportError> {
        match &mut self.state {
            State::Unknown(unknown) => {
                unknown.lose(side);
                Ok(())
            }
            State::Http(talk) => talk.missing(side, Some(count), at, context),
            State::Tls(session, talk) => {
                session.missing(side, at, context);
                relay(session, talk, context)
            }
            State::Ignored => Ok(()),
        }
    }

    /// The connection is over.
    pub(crate) fn finish(
        &mut self,
        end: End,
        at: Timestamp,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), ImportError> {
        match std::mem::replace(&mut self.state, State::Ignored) {
            State::Unknown(mut unknown) => {
                unknown.older = unknown.all();
                if unknown.may_begin_before(self.opener)
                    && let Some(client) = unknown.http2(&self.pair, self.opener)
                {
                    self.state = self.inside_http2(client);
                    unknown.older.into_iter().try_for_each(|held| self.data(&held.piece(), context))?;
                    return self.finish(end, at, context);
                }
                if unknown.bytes > 0 || unknown.passed > 0 {
                    context.out.tally.skip(Skip::NotHttp);
                }
                Ok(())
            }
            State::Http(mut talk) => talk.finish(end, at, context),
            State::Tls(mut session, mut talk) => {
                session.finish(context);
                relay(&mut session, &mut talk, context)?;
                talk.finish(end, at, context)
            }
            State::Ignored => Ok(()),
        }
    }

    /// Looks at the first bytes until they tell what this is.
    fn look(&mut self, piece: &Piece<'_>, context: &mut Context<'_, '_, '_>) -> Result<(), ImportError> {
        let State::Unknown(unknown) = &mut self.state else { return Ok(()) };
        unknown.hold(piece);
        let (kind, client) = match unknown.kind(piece.side, self.opener) {
            Verdict::Known(kind, client) => (kind, client),
            Verdict::TooShort => return Ok(()),
            Verdict::Other => {
                let inside = unknown.may_begin_before(self.opener);
                unknown.pass_over(piece.side, inside);
                if inside
                    && unknown.is_worth_a_look()
                    && let Some(client) = unknown.http2(&self.pair, self.opener)
                {
                    let held = unknown.all();
                    self.state = self.inside_http2(client);
                    return held.into_iter().try_for_each(|held| self.data(&held.piece(), context));
                }
                if unknown.passed > MAX_UNKNOWN {
                    self.ignore(Skip::NotHttp, context);
                }
                return Ok(());
            }
        };
        let held = std::mem::take(&mut unknown.held);
        let secure = matches!(kind, Kind::Tls);
        let link = Link { pair: self.pair, client, secure, tls: None };
        self.state = match kind {
            Kind::Http => State::Http(Talk::http1(link)),
            Kind::Http2 => State::Http(Talk::http2(link)),
            Kind::Tls => {
                context.out.tally.encrypted = context.out.tally.encrypted.saturating_add(1);
                State::Tls(Box::new(Session::new(client)), Talk::undecided(link))
            }
            Kind::Sealed(reason) => {
                context.out.tally.encrypted = context.out.tally.encrypted.saturating_add(1);
                context.out.tally.undecryptable(reason);
                State::Ignored
            }
        };
        held.into_iter().try_for_each(|held| self.data(&held.piece(), context))
    }

    fn inside_http2(&self, client: Side) -> State {
        State::Http(Talk::inside_http2(Link { pair: self.pair, client, secure: false, tls: None }))
    }

    fn ignore(&mut self, reason: Skip, context: &mut Context<'_, '_, '_>) {
        context.out.tally.skip(reason);
        self.state = State::Ignored;
    }
}

/// Gives to HTTP what TLS has opened.
fn relay(session: &mut Session, talk: &mut Talk, context: &mut Context<'_, '_, '_>) -> Result<(), ImportError> {
    while let Some(event) = session.next_event() {
        match event {
            TlsEvent::Agreed(agreed) => talk.secured(agreed),
            TlsEvent::Data { side, at, offset, acked, bytes } => {
                talk.data(&Part { side, at, offset, acked, bytes: &bytes }, context)?;
                session.recycle(bytes);
            }
            TlsEvent::Missing { side, at } => talk.missing(side, None, at, context)?,
        }
    }
    Ok(())
}

fn part<'b>(piece: &Piece<'b>) -> Part<'b> {
    Part { side: piece.side, at: piece.at, offset: piece.offset, acked: piece.acked, bytes: piece.bytes }
}

enum Verdict {
    Known(Kind, Side),
    TooShort,
    Other,
}

enum Kind {
    Http,
    Http2,
    Tls,
    /// TLS that will never open.
    Sealed(Undecryptable),
}

impl Unknown {
    fn hold(&mut self, piece: &Piece<'_>) {
        self.bytes = self.bytes.saturating_add(piece.bytes.len());
        let Piece { side, at, offset, acked, bytes } = piece;
        self.held.push(Held { side: *side, at: *at, offset: *offset, acked: *acked, bytes: bytes.to_vec() });
    }

    /// The next segment of this side may be one that tells; what was held of it is kept for a closer look, if there is to be
    /// one.
    fn pass_over(&mut self, side: Side, keep: bool) {
        let mut passed: Vec<_> = self.held.extract_if(.., |held| held.side == side).collect();
        let size = |list: &[Held]| list.iter().map(|held| held.bytes.len()).sum::<usize>();
        self.passed = self.passed.saturating_add(size(&passed));
        if keep && size(&self.older) < http2::MAX_SEARCH {
            self.older.append(&mut passed);
        } else {
            // Without these, what was kept is not whole.
            self.older.clear();
            self.unsearchable = true;
        }
        self.bytes = size(&self.older).saturating_add(size(&self.held));
    }

    /// Bytes of a side are missing behind what is there of it.
    fn lose(&mut self, side: Side) {
        for list in [&mut self.held, &mut self.older] {
            list.retain(|held| held.side != side);
        }
        self.bytes = [&self.held, &self.older].into_iter().flatten().map(|held| held.bytes.len()).sum();
        self.torn = true;
    }

    /// Whether something may have been said before what was seen.
    fn may_begin_before(&self, opener: Option<Side>) -> bool {
        !self.unsearchable && (self.torn || opener.is_none())
    }

    /// Looking costs as much as there is: only when there is an eighth more.
    fn is_worth_a_look(&mut self) -> bool {
        let kept: usize = self.older.iter().map(|held| held.bytes.len()).sum();
        let is_worth = kept > self.looked.saturating_add(self.looked / 8);
        if is_worth {
            self.looked = kept;
        }
        is_worth
    }

    /// Everything that is there, in the order it came.
    fn all(&mut self) -> Vec<Held> {
        let all = std::mem::take(&mut self.older).into_iter().chain(std::mem::take(&mut self.held));
        let (low, high) = all.partition(|held| held.side == Side::Low);
        in_turn(low, high, |held| held.at)
    }

    /// Who is the client, when this is HTTP/2 from the middle of a connection. Where neither the handshake nor headers
    /// tell, a server has the lower port.
    fn http2(&self, pair: &Both<SocketAddr>, opener: Option<Side>) -> Option<Side> {
        let of = |side: Side| -> Vec<u8> {
            let pieces = self.older.iter().filter(|held| held.side == side);
            pieces.flat_map(|held| held.bytes.iter().copied()).collect()
        };
        let sides = [Side::Low, Side::High].map(|side| (side, of(side)));
        if !sides.iter().any(|(_, bytes)| http2::holds_frames(bytes)) {
            return None;
        }
        let told = sides.iter().find_map(|(side, bytes)| {
            http2::is_client(bytes).map(|is_client| if is_client { *side } else { side.other() })
        });
        let by_port = if pair.of(Side::Low).port() > pair.of(Side::High).port() { Side::Low } else { Side::High };
        Some(opener.or(told).unwrap_or(by_port))
    }

    fn kind(&self, side: Side, opener: Option<Side>) -> Verdict {
        let head: Vec<u8> = self
            .held
            .iter()
            .filter(|held| held.side == side)
            .flat_map(|held| held.bytes.iter().copied())
            .take(ENOUGH)
            .collect();
        let client = opener.unwrap_or(side);
        match head.as_slice() {
            [b'H', b'T', b'T', b'P', b'/', ..] => Verdict::Known(Kind::Http, side.other()),
            [b'P', b'R', b'I', b' ', b'*', ..] => Verdict::Known(Kind::Http2, side),
            head if is_method(head) => Verdict::Known(Kind::Http, side),
            [0x16, 3, _, _, _, 1, ..] => Verdict::Known(Kind::Tls, side),
            [0x16, 3, _, _, _, 2, ..] => Verdict::Known(Kind::Tls, side.other()),
            // An SSL 2 hello that offers more; without it in its own format there is no transcript.
            [first, _, 1, 3, 0..=3, ..] if first & 0x80 != 0 => {
                Verdict::Known(Kind::Sealed(Undecryptable::Version), client)
            }
            [0x14..=0x17, 3, 0..=4, high, ..] if *high <= 0x48 => {
                Verdict::Known(Kind::Sealed(Undecryptable::NoHandshake), client)
            }
            head if head.len() < ENOUGH => Verdict::TooShort,
            // A server that speaks first; the client's first bytes tell.
            head if http2::begins_answers(head) && self.bytes <= MAX_UNKNOWN => Verdict::TooShort,
            _ => Verdict::Other,
        }
    }
}

impl Held {
    fn piece(&self) -> Piece<'_> {
        Piece { side: self.side, at: self.at, offset: self.offset, acked: self.acked, bytes: &self.bytes }
    }
}

/// Whether this begins as a request does.
fn is_method(head: &[u8]) -> bool {
    const METHODS: [&[u8]; 12] = [
        b"POST ",
        b"OPTIONS ",
        b"GET ",
        b"HEAD ",
        b"PUT ",
        b"DELETE ",
        b"PROPFIND",
        b"CONNECT ",
        b"PATCH ",
        b"TRACE ",
        b"REPORT ",
        b"SEARCH ",
    ];
    METHODS.iter().any(|method| head.starts_with(method))
}
