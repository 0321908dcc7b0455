//! The multipart body of an ItemOperations answer: a table of offsets and lengths, then the parts; part 0 is the WBXML
//! answer, the others are what its `Part` elements point at (MS-ASCMD, ItemOperations).
//!
//! The standard says "integer" only; little-endian is what known servers write.

use std::ops::Range;

use thiserror::Error;

/// The most parts that are read; a phone asks for some dozens of attachments at once.
pub const MAX_PARTS: usize = 65_536;

/// The parts of a body, borrowed from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Multipart<'a> {
    /// Every part, in the order of the table; there is at least one.
    pub parts: Vec<&'a [u8]>,
    /// What is strange without keeping the parts from being read.
    pub oddities: Vec<MultipartOddity>,
}

/// Something strange in a body that can be read all the same.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MultipartOddity {
    /// Part 0 does not begin as WBXML does.
    #[error("part 0 does not begin as WBXML does")]
    NotWbxml,
    /// The first part does not follow the table at once.
    #[error("part 0 starts at byte {found}, the table ends at byte {expected}")]
    FirstOffset {
        /// Where it starts.
        found: usize,
        /// Where the table ends.
        expected: usize,
    },
    /// Two parts share bytes.
    #[error("parts {first} and {second} overlap")]
    Overlap {
        /// The part that starts first.
        first: usize,
        /// The part that starts inside it.
        second: usize,
    },
    /// Bytes after the last part.
    #[error("{0} bytes follow the last part")]
    Trailing(usize),
}

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MultipartError {
    /// Fewer than four bytes.
    #[error("a multipart body has at least 4 bytes, this one has {0}")]
    NoCount(usize),
    /// The count is 0: there is not even an answer.
    #[error("the multipart body says that it has no parts")]
    NoParts,
    /// More than [`MAX_PARTS`], or more than the body has room for.
    #[error("the multipart body says that it has {count} parts, its {length} bytes hold at most {most}")]
    TooManyParts {
        /// The count of the body.
        count: u32,
        /// The size of the body in bytes.
        length: usize,
        /// The most parts whose table entries fit.
        most: usize,
    },
    /// A part reaches beyond the end.
    #[error("part {part} (offset {offset}, length {length}) ends beyond the body of {body} bytes")]
    BeyondBody {
        /// The index of the part.
        part: usize,
        /// Its offset.
        offset: u32,
        /// Its length.
        length: u32,
        /// The size of the body.
        body: usize,
    },
    /// A part that is not empty starts inside the table.
    #[error("part {part} starts at byte {offset}, inside the table of parts")]
    InsideTable {
        /// The index of the part.
        part: usize,
        /// Its offset.
        offset: u32,
    },
}

impl<'a> Multipart<'a> {
    /// Reads a body that the server says is multipart, after any gzip is removed.
    ///
    /// # Errors
    ///
    /// A count or a part that the body cannot hold. Overlaps and gaps are oddities.
    pub fn parse(body: &'a [u8]) -> Result<Self, MultipartError> {
        let (&count, table) = body.split_first_chunk::<4>().ok_or(MultipartError::NoCount(body.len()))?;
        let count = u32::from_le_bytes(count);
        let most = (table.len() / 8).min(MAX_PARTS);
        let parts = match usize::try_from(count) {
            Ok(0) => return Err(MultipartError::NoParts),
            Ok(parts) if parts <= most => parts,
            _ => return Err(MultipartError::TooManyParts { count, length: body.len(), most }),
        };
        let table_end = 4 + 8 * parts;
        let ranges = table
            .chunks_exact(8)
            .take(parts)
            .enumerate()
            .map(|(part, entry)| range(part, entry, body.len(), table_end))
            .collect::<Result<Vec<_>, _>>()?;
        let parts: Vec<&[u8]> = ranges.iter().map(|range| body.get(range.clone()).unwrap_or_default()).collect();
        let oddities = oddities(&parts, &ranges, table_end, body.len());
        Ok(Self { parts, oddities })
    }

    /// The WBXML answer.
    pub fn answer(&self) -> &'a [u8] {
        self.parts.first().copied().unwrap_or_default()
    }

    /// The data that `Part` points at; `None` for part 0, which is the answer itself, and beyond the last.
    pub fn data(&self, part: usize) -> Option<&'a [u8]> {
        if part == 0 { None } else { self.parts.get(part).copied() }
    }

    /// The bytes of a body with these parts, one after another; `None` above 4 GiB or [`MAX_PARTS`].
    pub fn build(parts: &[&[u8]]) -> Option<Vec<u8>> {
        if parts.len() > MAX_PARTS {
            return None;
        }
        let mut out = u32::try_from(parts.len()).ok()?.to_le_bytes().to_vec();
        let mut offset = u32::try_from(4 + 8 * parts.len()).ok()?;
        for part in parts {
            let length = u32::try_from(part.len()).ok()?;
            out.extend(offset.to_le_bytes());
            out.extend(length.to_le_bytes());
            offset = offset.checked_add(length)?;
        }
        parts.iter().for_each(|part| out.extend_from_slice(part));
        Some(out)
    }
}

fn range(part: usize, entry: &[u8], body: usize, table_end: usize) -> Result<Range<usize>, MultipartError> {
    let number = |at: Range<usize>| entry.get(at).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes);
    let (offset, length) = (number(0..4), number(4..8));
    let beyond = MultipartError::BeyondBody { part, offset, length, body };
    let start = usize::try_from(offset).map_err(|_| beyond)?;
    let end = usize::try_from(length).ok().and_then(|length| start.checked_add(length)).ok_or(beyond)?;
    match start {
        _ if end > body => Err(beyond),
        _ if start < table_end && length > 0 => Err(MultipartError::InsideTable { part, offset }),
        _ => Ok(start..end),
    }
}

fn oddities(parts: &[&[u8]], ranges: &[Range<usize>], table_end: usize, body: usize) -> Vec<MultipartOddity> {
    let mut found = Vec::new();
    if parts.first().is_some_and(|answer| !answer.starts_with(&[0x03, 0x01, 0x6A])) {
        found.push(MultipartOddity::NotWbxml);
    }
    if let Some(first) = ranges.first().filter(|first| first.start != table_end) {
        found.push(MultipartOddity::FirstOffset { found: first.start, expected: table_end });
    }
    let mut order: Vec<(usize, &Range<usize>)> = ranges.iter().enumerate().filter(|(_, r)| !r.is_empty()).collect();
    order.sort_by_key(|(_, range)| (range.start, range.end));
    let mut reach: Option<(usize, usize)> = None;
    for (index, range) in order {
        if let Some((first, _)) = reach.filter(|(_, end)| range.start < *end) {
            found.push(MultipartOddity::Overlap { first, second: index });
        }
        if reach.is_none_or(|(_, end)| range.end > end) {
            reach = Some((index, range.end));
        }
    }
    let end = reach.map_or(table_end, |(_, end)| end.max(table_end));
    if end < body {
        found.push(MultipartOddity::Trailing(body - end));
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ANSWER: &[u8] = &[0x03, 0x01, 0x6A, 0x00, 0x05];

    fn body(count: u32, table: &[(u32, u32)], rest: &[u8]) -> Vec<u8> {
        let mut out = count.to_le_bytes().to_vec();
        table.iter().for_each(|(offset, length)| {
            out.extend(offset.to_le_bytes());
            out.extend(length.to_le_bytes());
        });
        out.extend(rest);
        out
    }

    #[test]
    fn two_parts_read_and_write_alike() {
        let bytes = body(2, &[(20, 5), (25, 3)], b"\x03\x01\x6A\x00\x05abc");
        let multipart = Multipart::parse(&bytes).unwrap();
        assert_eq!(multipart.parts, [ANSWER, b"abc"]);
        assert_eq!(multipart.oddities, []);
        assert_eq!((multipart.answer(), multipart.data(1)), (ANSWER, Some(&b"abc"[..])));
        assert_eq!((multipart.data(0), multipart.data(2)), (None, None));
        assert_eq!(Multipart::build(&multipart.parts), Some(bytes));
    }

    #[test]
    fn a_count_that_the_body_cannot_hold_is_an_error() {
        assert_eq!(Multipart::parse(b"\x01\x00"), Err(MultipartError::NoCount(2)));
        assert_eq!(Multipart::parse(&[0; 12]), Err(MultipartError::NoParts));
        let huge = body(u32::MAX, &[(20, 5)], ANSWER);
        assert_eq!(Multipart::parse(&huge), Err(MultipartError::TooManyParts { count: u32::MAX, length: 17, most: 1 }));
    }

    #[test]
    fn a_part_beyond_the_body_or_inside_the_table_is_an_error() {
        for (offset, length) in [(12, 6), (u32::MAX, 1), (12, u32::MAX), (u32::MAX, u32::MAX), (18, 0)] {
            let bytes = body(1, &[(offset, length)], ANSWER);
            assert_eq!(Multipart::parse(&bytes), Err(MultipartError::BeyondBody { part: 0, offset, length, body: 17 }));
        }
        let bytes = body(1, &[(4, 5)], ANSWER);
        assert_eq!(Multipart::parse(&bytes), Err(MultipartError::InsideTable { part: 0, offset: 4 }));
    }

    #[test]
    fn strange_bodies_are_read_and_said_to_be_strange() {
        let bytes = body(2, &[(21, 5), (24, 3)], b"?\x03\x01\x6A\x00\x05abc");
        let multipart = Multipart::parse(&bytes).unwrap();
        assert_eq!(
            multipart.oddities,
            [
                MultipartOddity::FirstOffset { found: 21, expected: 20 },
                MultipartOddity::Overlap { first: 0, second: 1 },
                MultipartOddity::Trailing(2),
            ]
        );
        let bytes = body(1, &[(12, 6)], b"<html>");
        assert_eq!(Multipart::parse(&bytes).unwrap().oddities, [MultipartOddity::NotWbxml]);
    }

    proptest! {
        #[test]
        fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), count in 0u8..4) {
            let _ = Multipart::parse(&bytes);
            let mut few = vec![count, 0, 0, 0];
            few.extend(bytes);
            let _ = Multipart::parse(&few);
        }

        #[test]
        fn what_is_built_is_read(parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..9), 1..9)) {
            let slices: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let bytes = Multipart::build(&slices).unwrap();
            prop_assert_eq!(Multipart::parse(&bytes).unwrap().parts, slices);
        }
    }
}
