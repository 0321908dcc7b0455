//! TCP connections: which segments belong together, and what to forget when it becomes too much.

use std::collections::HashMap;
use std::net::SocketAddr;

use easrig_exchange::Timestamp;

use crate::import::Output;
use crate::stream::{Piece, Stream};
use crate::tls::Keys;
use crate::{Gap, GapKind, ImportError, Options, Skip};
use half::{Half, Step};
pub(crate) use side::{Both, Side, in_turn};

mod half;
mod side;

/// One TCP segment.
pub(crate) struct Segment<'a> {
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) sequence: u32,
    pub(crate) acknowledged: Option<u32>,
    pub(crate) syn: bool,
    pub(crate) fin: bool,
    pub(crate) rst: bool,
    pub(crate) payload: &'a [u8],
}

/// All connections of a capture.
pub(crate) struct Flows<'a> {
    options: &'a Options,
    keys: Keys<'a>,
    open: HashMap<Both<SocketAddr>, Connection>,
    /// Counts segments, to know who was quiet for longest.
    clock: u64,
    held: usize,
    now: Timestamp,
}

impl<'a> Flows<'a> {
    pub(crate) fn new(options: &'a Options) -> Self {
        Self { options, keys: Keys::new(options), open: HashMap::new(), clock: 0, held: 0, now: Timestamp(0) }
    }

    pub(crate) fn add_keys(&mut self, text: &[u8]) {
        self.keys.add_log(text);
    }

    pub(crate) fn segment(
        &mut self,
        at: Timestamp,
        segment: &Segment<'_>,
        out: &mut Output<'_>,
    ) -> Result<(), ImportError> {
        self.clock = self.clock.saturating_add(1);
        self.now = at;
        let (pair, side) = Both::ordered(segment.source, segment.destination);
        let opens = segment.syn && segment.acknowledged.is_none();
        if opens && self.open.get(&pair).is_some_and(|known| known.is_over_before(side, segment)) {
            self.close(pair, out)?;
        }
        if !self.open.contains_key(&pair) {
            // Bare acknowledgements and resets of a connection that nobody saw say nothing.
            if !segment.syn && segment.payload.is_empty() {
                return Ok(());
            }
            self.make_room(out)?;
        }
        let Self { options, keys, open, clock, held, .. } = self;
        let connection = open.entry(pair).or_insert_with(|| Connection::new(pair));
        connection.last = *clock;
        let before = connection.held();
        connection.segment(side, at, segment, &mut Context { options, keys, out })?;
        *held = held.saturating_sub(before).saturating_add(connection.held());
        if *held > options.limits.held_bytes {
            self.drop_largest(out)?;
        }
        Ok(())
    }

    /// Ends every connection, oldest first, so that what comes out does not depend on chance.
    pub(crate) fn finish(mut self, out: &mut Output<'_>) -> Result<(), ImportError> {
        let mut pairs: Vec<_> = self.open.iter().map(|(pair, connection)| (connection.last, *pair)).collect();
        pairs.sort_unstable_by_key(|(last, _)| *last);
        pairs.into_iter().try_for_each(|(_, pair)| self.close(pair, out))
    }

    fn close(&mut self, pair: Both<SocketAddr>, out: &mut Output<'_>) -> Result<(), ImportError> {
        let Some(mut connection) = self.open.remove(&pair) else { return Ok(()) };
        self.held = self.held.saturating_sub(connection.held());
        connection.finish(self.now, &mut Context { options: self.options, keys: &mut self.keys, out })
    }

    /// When all places are taken, the quarter that was quiet for longest goes.
    fn make_room(&mut self, out: &mut Output<'_>) -> Result<(), ImportError> {
        if self.open.len() < self.options.limits.streams.max(1) {
            return Ok(());
        }
        let mut pairs: Vec<_> = self.open.iter().map(|(pair, connection)| (connection.last, *pair)).collect();
        pairs.sort_unstable_by_key(|(last, _)| *last);
        pairs.truncate(pairs.len().div_ceil(4));
        for (_, pair) in pairs {
            if self.open.get(&pair).is_some_and(|connection| !connection.over && connection.held() > 0) {
                out.tally.skip(Skip::TooMuch);
            }
            self.close(pair, out)?;
        }
        Ok(())
    }

    /// Gives up the connections that hold most, until a quarter of the memory is free.
    fn drop_largest(&mut self, out: &mut Output<'_>) -> Result<(), ImportError> {
        let goal = self.options.limits.held_bytes / 4 * 3;
        let mut pairs: Vec<_> = self.open.iter().map(|(pair, connection)| (connection.held(), *pair)).collect();
        pairs.sort_unstable_by_key(|(held, pair)| (std::cmp::Reverse(*held), *pair));
        for (_, pair) in pairs {
            if self.held <= goal {
                break;
            }
            out.tally.skip(Skip::TooMuch);
            self.close(pair, out)?;
        }
        Ok(())
    }
}

/// What a connection needs from the import around it.
pub(crate) struct Context<'c, 'a, 'o> {
    pub(crate) options: &'a Options,
    pub(crate) keys: &'c mut Keys<'a>,
    pub(crate) out: &'c mut Output<'o>,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    /// Whether a side said that it has sent everything.
    pub(crate) closed: bool,
    /// Who closed or broke it first, and when; `None` when the capture ended before.
    pub(crate) closer: Option<(Side, Timestamp)>,
}

/// One connection: two halves, and what they say to each other.
struct Connection {
    halves: [Half; 2],
    stream: Stream,
    /// Who closed it first, and when.
    closer: Option<(Side, Timestamp)>,
    last: u64,
    has_data: bool,
    over: bool,
}

impl Connection {
    fn new(pair: Both<SocketAddr>) -> Self {
        Self {
            halves: [Half::default(), Half::default()],
            stream: Stream::new(pair),
            closer: None,
            last: 0,
            has_data: false,
            over: false,
        }
    }

    fn held(&self) -> usize {
        let [low, high] = &self.halves;
        low.held().saturating_add(high.held()).saturating_add(self.stream.held())
    }

    /// Whether a SYN begins a new connection between the same ports.
    fn is_over_before(&self, side: Side, segment: &Segment<'_>) -> bool {
        let half = side.of(&self.halves);
        self.over || half.began_elsewhere(segment.sequence.wrapping_add(1))
    }

    fn segment(
        &mut self,
        side: Side,
        at: Timestamp,
        segment: &Segment<'_>,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), ImportError> {
        if self.over {
            // Retransmissions after the end.
            return Ok(());
        }
        if segment.syn {
            side.of_mut(&mut self.halves).begin(segment.sequence.wrapping_add(1));
            self.stream.opened_by(if segment.acknowledged.is_some() { side.other() } else { side });
        }
        if !segment.payload.is_empty() && !self.has_data {
            self.has_data = true;
            context.out.tally.streams = context.out.tally.streams.saturating_add(1);
            if !side.of(&self.halves).has_begun() {
                context.out.tally.tcp.mid_stream = context.out.tally.tcp.mid_stream.saturating_add(1);
            }
        }
        let peer = side.other().of_mut(&mut self.halves);
        let acked = segment.acknowledged.and_then(|number| peer.acknowledged(number));
        let sequence = segment.sequence.wrapping_add(u32::from(segment.syn));
        let half = side.of_mut(&mut self.halves);
        half.receive(sequence, segment.payload, at, acked, &mut context.out.tally);
        if segment.fin {
            half.ends_at(sequence, segment.payload.len());
        }
        if segment.fin || segment.rst {
            self.closer.get_or_insert((side, at));
        }
        self.deliver(side, segment.payload, at, acked, context)?;
        self.deliver_late(at, context)?;
        if segment.rst || self.halves.iter().all(Half::is_finished) {
            self.finish(at, context)?;
        }
        Ok(())
    }

    /// Hands on what is in order now, the new segment first.
    fn deliver(
        &mut self,
        side: Side,
        payload: &[u8],
        at: Timestamp,
        acked: Option<u64>,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), ImportError> {
        let window = context.options.limits.window_bytes;
        loop {
            let half = side.of_mut(&mut self.halves);
            match half.step(payload, window) {
                Step::Fresh { offset, range } => {
                    let bytes = payload.get(range).unwrap_or_default();
                    self.stream.data(&Piece { side, at, offset, acked, bytes }, context)?;
                }
                Step::Waited { offset, piece } => {
                    let piece = Piece { side, at: piece.at, offset, acked: piece.acked, bytes: &piece.bytes };
                    self.stream.data(&piece, context)?;
                }
                Step::Missing { count } => self.missing(side, count, at, context)?,
                Step::Wait => return Ok(()),
            }
        }
    }

    /// The other half may have been waiting for bytes that this acknowledgement proves to be lost to the capture.
    fn deliver_late(&mut self, at: Timestamp, context: &mut Context<'_, '_, '_>) -> Result<(), ImportError> {
        for side in [Side::Low, Side::High] {
            if side.of_mut(&mut self.halves).is_overdue() {
                self.deliver(side, &[], at, None, context)?;
            }
        }
        Ok(())
    }

    fn missing(
        &mut self,
        side: Side,
        count: u64,
        at: Timestamp,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), ImportError> {
        let stream = self.stream.name(side);
        context.out.tally.gap(Gap { stream, at, what: GapKind::Bytes(count), exchange: None });
        self.stream.missing(side, count, at, context)
    }

    fn finish(&mut self, at: Timestamp, context: &mut Context<'_, '_, '_>) -> Result<(), ImportError> {
        if self.over {
            return Ok(());
        }
        let end = End { closed: self.halves.iter().any(Half::is_closing), closer: self.closer };
        for side in [Side::Low, Side::High] {
            side.of_mut(&mut self.halves).give_up();
            self.deliver(side, &[], at, None, context)?;
        }
        self.over = true;
        self.stream.finish(end, at, context)?;
        self.halves = [Half::default(), Half::default()];
        Ok(())
    }
}
