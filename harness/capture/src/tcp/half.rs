use std::collections::BTreeMap;
use std::ops::Range;

use easrig_exchange::Timestamp;

use crate::{Gap, GapKind, Tally};

/// How many more segments of a connection are awaited before bytes that the peer has acknowledged count as lost to the
/// capture. Capturing on several queues can show an acknowledgement before what it acknowledges.
const PATIENCE: u32 = 128;

/// The most segments that wait in one direction, since each costs more than its bytes.
const MAX_WAITING: usize = 8192;

/// One direction of a connection: puts segments in order.
///
/// Positions are counted from the first byte of the stream, in 64 bits, so that sequence numbers may wrap.
#[derive(Default)]
pub(super) struct Half {
    /// Sequence number of the first byte, once it is known.
    first: Option<u32>,
    /// Whether the first byte is known from a SYN.
    from_syn: bool,
    /// Where the next byte to hand on lies.
    offset: u64,
    waiting: BTreeMap<u64, Waiting>,
    held: usize,
    /// The part of the segment in hand that is new and in order.
    fresh: Option<Range<usize>>,
    /// Where the stream ends, once its FIN was seen.
    end: Option<u64>,
    /// How far the peer has acknowledged.
    acknowledged: u64,
    /// Segments since the peer acknowledged bytes that are missing.
    overdue: u32,
    given_up: bool,
}

/// A segment that came too early.
pub(super) struct Waiting {
    pub(super) at: Timestamp,
    pub(super) acked: Option<u64>,
    pub(super) bytes: Vec<u8>,
}

/// What to hand on next.
pub(super) enum Step {
    /// A part of the segment in hand.
    Fresh { offset: u64, range: Range<usize> },
    /// A segment that had waited.
    Waited { offset: u64, piece: Waiting },
    /// Bytes that will not come.
    Missing { count: u64 },
    /// Nothing yet.
    Wait,
}

impl Half {
    /// Bytes in memory, with a share for what surrounds them.
    pub(super) fn held(&self) -> usize {
        self.held.saturating_add(self.waiting.len().saturating_mul(size_of::<Waiting>()))
    }

    pub(super) fn has_begun(&self) -> bool {
        self.first.is_some()
    }

    /// Whether the stream is known to have begun with another sequence number.
    pub(super) fn began_elsewhere(&self, first: u32) -> bool {
        self.first.is_some_and(|known| known != first)
    }

    /// Takes the sequence number of the first byte from a SYN.
    pub(super) fn begin(&mut self, first: u32) {
        if self.first.is_none() {
            self.first = Some(first);
            self.from_syn = true;
        }
    }

    /// The position up to which the peer has acknowledged, from its number.
    pub(super) fn acknowledged(&mut self, number: u32) -> Option<u64> {
        let position = self.position(number)?;
        let position = u64::try_from(position).ok()?;
        self.acknowledged = self.acknowledged.max(position);
        Some(position)
    }

    /// Whether bytes are missing that the peer has had for long.
    pub(super) fn is_overdue(&mut self) -> bool {
        let gap = self.waiting.first_key_value().is_some_and(|(first, _)| *first <= self.acknowledged);
        self.overdue = if gap { self.overdue.saturating_add(1) } else { 0 };
        self.overdue > PATIENCE
    }

    /// Takes a segment: what is in order is handed on by [`Half::step`], the rest waits.
    pub(super) fn receive(
        &mut self,
        sequence: u32,
        payload: &[u8],
        at: Timestamp,
        acked: Option<u64>,
        tally: &mut Tally,
    ) {
        self.fresh = None;
        if payload.is_empty() {
            return;
        }
        self.first.get_or_insert(sequence);
        let Some(position) = self.position(sequence) else { return };
        let skip = i64::try_from(self.offset).unwrap_or(i64::MAX).saturating_sub(position);
        match usize::try_from(skip) {
            Ok(skip) if skip >= payload.len() => {
                tally.tcp.repeated = tally.tcp.repeated.saturating_add(1);
                self.before_the_start(position, at, tally);
            }
            Ok(skip) => {
                if skip > 0 {
                    tally.tcp.overlapping = tally.tcp.overlapping.saturating_add(1);
                }
                self.fresh = Some(skip..payload.len());
            }
            Err(_) => {
                let position = u64::try_from(position).unwrap_or(u64::MAX);
                self.wait(position, Waiting { at, acked, bytes: payload.to_vec() }, tally);
            }
        }
    }

    /// Takes the position of the FIN behind `length` bytes at `sequence`.
    pub(super) fn ends_at(&mut self, sequence: u32, length: usize) {
        let sequence = sequence.wrapping_add(u32::try_from(length).unwrap_or(0));
        self.first.get_or_insert(sequence);
        self.end = self.position(sequence).and_then(|position| u64::try_from(position).ok()).or(self.end);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.end.is_some()
    }

    /// Whether everything up to the FIN was handed on.
    pub(super) fn is_finished(&self) -> bool {
        self.end.is_some_and(|end| self.offset >= end)
    }

    /// No more segments will come.
    pub(super) fn give_up(&mut self) {
        self.given_up = true;
    }

    pub(super) fn step(&mut self, payload: &[u8], window: usize) -> Step {
        if let Some(range) = self.fresh.take() {
            let offset = self.offset;
            let count = range.len().min(payload.len());
            self.offset = offset.saturating_add(count as u64);
            return Step::Fresh { offset, range };
        }
        while let Some(first) = self.waiting.first_key_value().map(|(first, _)| *first) {
            if first > self.offset {
                let too_much = self.held > window || self.waiting.len() > MAX_WAITING;
                if !(too_much || self.given_up || self.overdue > PATIENCE) {
                    return Step::Wait;
                }
                return self.jump(first);
            }
            let Some((_, mut piece)) = self.waiting.pop_first() else { break };
            self.held = self.held.saturating_sub(piece.bytes.len());
            let known = usize::try_from(self.offset - first).unwrap_or(usize::MAX);
            if known >= piece.bytes.len() {
                continue;
            }
            piece.bytes.drain(..known);
            let offset = self.offset;
            self.offset = offset.saturating_add(piece.bytes.len() as u64);
            return Step::Waited { offset, piece };
        }
        // Only a FIN, or the peer's acknowledgement, tells of bytes behind the last segment.
        let told = self.end.unwrap_or(0).max(self.acknowledged_data());
        if self.given_up && told > self.offset { self.jump(told) } else { Step::Wait }
    }

    fn jump(&mut self, to: u64) -> Step {
        let count = to.saturating_sub(self.offset);
        self.offset = to;
        self.overdue = 0;
        Step::Missing { count }
    }

    /// How many bytes of data the peer has acknowledged: a FIN counts as one more.
    fn acknowledged_data(&self) -> u64 {
        match self.end {
            Some(end) => self.acknowledged.min(end),
            // Without a FIN in the capture the last number may stand for it.
            None => self.acknowledged.saturating_sub(1),
        }
    }

    fn wait(&mut self, position: u64, piece: Waiting, tally: &mut Tally) {
        let length = piece.bytes.len();
        match self.waiting.get_mut(&position) {
            Some(known) if known.bytes.len() >= length => {
                tally.tcp.repeated = tally.tcp.repeated.saturating_add(1);
            }
            Some(known) => {
                tally.tcp.overlapping = tally.tcp.overlapping.saturating_add(1);
                let grown = length.saturating_sub(known.bytes.len());
                known.bytes.extend(piece.bytes.into_iter().skip(known.bytes.len()));
                self.held = self.held.saturating_add(grown);
            }
            None => {
                tally.tcp.reordered = tally.tcp.reordered.saturating_add(1);
                self.held = self.held.saturating_add(length);
                self.waiting.insert(position, piece);
            }
        }
    }

    /// A stream that was met in the middle can have a segment from before the first one that was seen.
    fn before_the_start(&self, position: i64, at: Timestamp, tally: &mut Tally) {
        // A single byte in front of the stream is a keep-alive probe.
        if !self.from_syn && position < -1 {
            let what = GapKind::Bytes(position.unsigned_abs());
            tally.gap(Gap { stream: "a stream met in the middle".to_owned(), at, what, exchange: None });
        }
    }

    /// Where a sequence number lies, seen from the bytes handed on so far: at most 2 GiB before or behind.
    fn position(&self, sequence: u32) -> Option<i64> {
        let first = self.first?;
        let low = u32::try_from(self.offset & u64::from(u32::MAX)).ok()?;
        let next = first.wrapping_add(low);
        let distance = i64::from(sequence.wrapping_sub(next).cast_signed());
        Some(i64::try_from(self.offset).ok()?.saturating_add(distance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds segments and returns what came out; missing bytes are dots.
    fn ordered(half: &mut Half, segments: &[(u32, &str)], tally: &mut Tally) -> String {
        let mut text = String::new();
        for (sequence, payload) in segments {
            half.receive(*sequence, payload.as_bytes(), Timestamp(0), None, tally);
            drain(half, payload, &mut text);
        }
        half.give_up();
        drain(half, "", &mut text);
        text
    }

    fn drain(half: &mut Half, payload: &str, text: &mut String) {
        loop {
            match half.step(payload.as_bytes(), 1000) {
                Step::Fresh { range, .. } => text.push_str(&payload[range]),
                Step::Waited { piece, .. } => text.push_str(std::str::from_utf8(&piece.bytes).unwrap()),
                Step::Missing { count } => text.extend(std::iter::repeat_n('.', usize::try_from(count).unwrap())),
                Step::Wait => return,
            }
        }
    }

    fn from_syn(first: u32) -> Half {
        let mut half = Half::default();
        half.begin(first);
        half
    }

    #[test]
    fn segments_out_of_order_repeated_and_overlapping_make_one_text() {
        let mut tally = Tally::default();
        let segments = [(13, "def"), (10, "abc"), (10, "abc"), (22, "mno"), (14, "efghij"), (19, "jklm")];
        assert_eq!(ordered(&mut from_syn(10), &segments, &mut tally), "abcdefghijklmno");
        assert_eq!((tally.tcp.reordered, tally.tcp.repeated, tally.tcp.overlapping), (2, 1, 2));
    }

    #[test]
    fn sequence_numbers_wrap() {
        let first = u32::MAX - 2;
        let segments = [(first, "abc"), (3, "ghi"), (0, "def")];
        assert_eq!(ordered(&mut from_syn(first), &segments, &mut Tally::default()), "abcdefghi");
    }

    #[test]
    fn a_place_in_the_stream_is_handed_on_once_even_where_segments_disagree() {
        let segments = [(13, "DEF"), (13, "XXX"), (10, "abcxx")];
        assert_eq!(ordered(&mut from_syn(10), &segments, &mut Tally::default()), "abcxxF");
    }

    #[test]
    fn a_hole_is_declared_at_the_end_with_its_length() {
        assert_eq!(ordered(&mut from_syn(10), &[(10, "abc"), (18, "ijk")], &mut Tally::default()), "abc.....ijk");
    }

    #[test]
    fn a_hole_is_declared_when_too_much_waits_behind_it() {
        let (mut half, mut tally, mut text) = (from_syn(0), Tally::default(), String::new());
        let long = "x".repeat(600);
        for sequence in [1, 601] {
            half.receive(sequence, long.as_bytes(), Timestamp(0), None, &mut tally);
            drain(&mut half, &long, &mut text);
        }
        assert_eq!(text, format!(".{long}{long}"));
        assert_eq!(half.held(), 0);
    }

    #[test]
    fn a_hole_that_the_peer_has_acknowledged_is_declared_after_a_while() {
        let (mut half, mut tally, mut text) = (from_syn(0), Tally::default(), String::new());
        half.receive(3, b"def", Timestamp(0), None, &mut tally);
        assert_eq!(half.acknowledged(6), Some(6));
        let waited = (0..1000).take_while(|_| !half.is_overdue()).count();
        drain(&mut half, "", &mut text);
        assert_eq!((waited, text.as_str()), (PATIENCE as usize, "...def"));
    }

    #[test]
    fn a_lost_last_segment_is_told_by_the_fin() {
        let mut half = from_syn(0);
        half.ends_at(6, 0);
        assert_eq!(ordered(&mut half, &[(0, "abc")], &mut Tally::default()), "abc...");
    }
}
