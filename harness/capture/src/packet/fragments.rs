use std::collections::HashMap;
use std::net::IpAddr;

use crate::{Skip, Tally};

/// The longest payload an IP packet can have.
const MAX_PAYLOAD: usize = 65_535;

/// Packets that are put together at the same time; the oldest goes first.
const MAX_OPEN: usize = 64;

/// The most pieces of one packet.
const MAX_PIECES: usize = 128;

/// Puts IP packets together. What arrives first holds where fragments overlap.
#[derive(Default)]
pub(super) struct Fragments {
    open: HashMap<FragmentId, Packet>,
    clock: u64,
}

/// Which packet a fragment belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FragmentId {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) number: u32,
    pub(super) protocol: u8,
}

/// A part of a packet's payload.
pub(super) struct Fragment<'a> {
    pub(super) offset: usize,
    pub(super) more: bool,
    pub(super) bytes: &'a [u8],
}

struct Packet {
    /// Sorted by offset, without overlap.
    pieces: Vec<(usize, Vec<u8>)>,
    length: Option<usize>,
    last: u64,
}

impl Fragments {
    /// The whole payload, once `part` was the last piece that was missing.
    pub(super) fn add(&mut self, id: FragmentId, part: &Fragment<'_>, tally: &mut Tally) -> Option<Vec<u8>> {
        self.clock = self.clock.saturating_add(1);
        if !self.open.contains_key(&id) && self.open.len() >= MAX_OPEN {
            self.drop_oldest(tally);
        }
        let last = self.clock;
        let packet = self.open.entry(id).or_insert_with(|| Packet { pieces: Vec::new(), length: None, last });
        packet.last = last;
        let end = part.offset.saturating_add(part.bytes.len());
        if end > MAX_PAYLOAD || packet.pieces.len() >= MAX_PIECES {
            self.open.remove(&id);
            tally.skip(Skip::BadPacket);
            return None;
        }
        if !part.more {
            packet.length.get_or_insert(end);
        }
        packet.insert(part);
        let whole = packet.whole()?;
        self.open.remove(&id);
        Some(whole)
    }

    /// Counts what stayed incomplete.
    pub(super) fn finish(&mut self, tally: &mut Tally) {
        self.open.drain().for_each(|_| tally.skip(Skip::Fragments));
    }

    fn drop_oldest(&mut self, tally: &mut Tally) {
        let oldest = self.open.iter().min_by_key(|(_, packet)| packet.last).map(|(id, _)| *id);
        if let Some(id) = oldest {
            self.open.remove(&id);
            tally.skip(Skip::Fragments);
        }
    }
}

impl Packet {
    fn insert(&mut self, part: &Fragment<'_>) {
        let at = self.pieces.partition_point(|(offset, _)| *offset <= part.offset);
        let before = at.checked_sub(1).and_then(|index| self.pieces.get(index));
        let covered = before.map_or(0, |(offset, bytes)| offset.saturating_add(bytes.len()));
        let start = part.offset.max(covered);
        let end = part.offset.saturating_add(part.bytes.len());
        let end = self.pieces.get(at).map_or(end, |(offset, _)| end.min(*offset));
        if start < end
            && let Some(bytes) = part.bytes.get(start - part.offset..end - part.offset)
        {
            self.pieces.insert(at, (start, bytes.to_vec()));
        }
    }

    fn whole(&self) -> Option<Vec<u8>> {
        let length = self.length?;
        let mut whole = Vec::with_capacity(length);
        for (offset, bytes) in &self.pieces {
            if *offset != whole.len() {
                return None;
            }
            whole.extend_from_slice(bytes);
        }
        (whole.len() >= length).then(|| {
            whole.truncate(length);
            whole
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn id(number: u32) -> FragmentId {
        let address = IpAddr::from(Ipv4Addr::LOCALHOST);
        FragmentId { source: address, destination: address, number, protocol: 6 }
    }

    fn part(offset: usize, bytes: &[u8], more: bool) -> Fragment<'_> {
        Fragment { offset, more, bytes }
    }

    #[test]
    fn fragments_in_any_order_make_the_packet() {
        let (mut fragments, mut tally) = (Fragments::default(), Tally::default());
        assert_eq!(fragments.add(id(1), &part(16, b"end", false), &mut tally), None);
        assert_eq!(fragments.add(id(2), &part(0, b"other---", true), &mut tally), None);
        assert_eq!(fragments.add(id(1), &part(8, b"middle--", true), &mut tally), None);
        assert_eq!(fragments.add(id(1), &part(8, b"MIDDLE--", true), &mut tally), None);
        let whole = fragments.add(id(1), &part(0, b"begin---", true), &mut tally);
        assert_eq!(whole.as_deref(), Some(b"begin---middle--end".as_slice()));
        fragments.finish(&mut tally);
        assert_eq!(tally.skipped.get(&Skip::Fragments), Some(&1));
    }

    #[test]
    fn packets_that_are_never_completed_are_counted_and_forgotten() {
        let (mut fragments, mut tally) = (Fragments::default(), Tally::default());
        for number in 0..1000 {
            fragments.add(id(number), &part(0, b"12345678", true), &mut tally);
        }
        assert_eq!(fragments.open.len(), MAX_OPEN);
        assert_eq!(tally.skipped.get(&Skip::Fragments), Some(&936));
    }
}
