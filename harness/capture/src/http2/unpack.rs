//! Header compression (HPACK, RFC 7541), also from the middle of a connection.
//!
//! A table that is not known from its beginning still has its newest entries known, and those come first: what stands in
//! the table since the reading began is found by its number, and a number beyond is one of those that nobody saw.

use loona_hpack::Decoder;
use loona_hpack::decoder::DecoderError;

use super::frame::Malformed;
use super::head::Fields;

/// The largest header table that an encoder may ask for, in bytes; what browsers offer.
const MAX_TABLE: usize = 64 << 10;

/// How much more memory a table takes than it counts.
const TABLE_COST: usize = 2;

/// Stands for a name that nobody saw.
const UNKNOWN: u8 = 0;

/// A literal that enters the table, with the name [`UNKNOWN`]; its value follows.
const UNKNOWN_NAME: [u8; 3] = [0x40, 1, UNKNOWN];

/// Unpacks the headers of one direction.
pub(super) struct Unpacker {
    decoder: Box<Decoder<'static>>,
    /// Whether the connection began before the reading.
    inside: bool,
    /// Bytes that were unpacked, for an estimate of the table.
    unpacked: usize,
}

impl Unpacker {
    /// From the first block of a direction on.
    pub(super) fn new() -> Self {
        let mut decoder = Box::new(Decoder::new());
        decoder.set_max_allowed_table_size(MAX_TABLE);
        Self { decoder, inside: false, unpacked: 0 }
    }

    /// From some later block on. The size of the table is not known then: one that forgets later does no harm.
    pub(super) fn inside() -> Self {
        let mut unpacker = Self { inside: true, ..Self::new() };
        unpacker.decoder.set_max_table_size(MAX_TABLE);
        unpacker
    }

    /// Bytes in memory.
    pub(super) fn held(&self) -> usize {
        // An entry has at least one byte on the wire and counts 32 bytes more than its text.
        self.unpacked.saturating_mul(32).min(MAX_TABLE).saturating_mul(TABLE_COST)
    }

    /// The fields of a block; `None` when it refers to entries of the table from before the reading.
    ///
    /// # Errors
    /// When it is no such block; then none after it can be unpacked.
    pub(super) fn unpack(&mut self, block: &[u8]) -> Result<Option<Fields>, Malformed> {
        self.unpacked = self.unpacked.saturating_add(block.len());
        let mut fields = Fields::default();
        if !self.inside {
            self.decoder.decode_with_cb(block, |name, value| fields.push(&name, &value)).map_err(|_| Malformed)?;
            return Ok(Some(fields));
        }
        let (mut rest, mut known) = (block, true);
        while !rest.is_empty() {
            let length = Entry::read(rest).ok_or(Malformed)?.length;
            let (entry, behind) = rest.split_at_checked(length).ok_or(Malformed)?;
            known &= self.entry(entry, &mut fields)?;
            rest = behind;
        }
        Ok(known.then_some(fields))
    }

    /// One entry of a block; false when it is not known.
    fn entry(&mut self, bytes: &[u8], fields: &mut Fields) -> Result<bool, Malformed> {
        let mut known = true;
        let unpacked = self.decoder.decode_with_cb(bytes, |name, value| {
            known = *name != [UNKNOWN];
            fields.push(&name, &value);
        });
        match unpacked {
            // A change of the table's size is an entry here, and has been made.
            Ok(()) | Err(DecoderError::SizeUpdateAtEnd) => Ok(known),
            Err(DecoderError::HeaderIndexOutOfBounds) => {
                if let Some(value) = Entry::read(bytes).filter(|entry| entry.enters).and_then(|e| bytes.get(e.value..))
                {
                    let named = [UNKNOWN_NAME.as_slice(), value].concat();
                    self.decoder.decode_with_cb(&named, |_, _| {}).map_err(|_| Malformed)?;
                }
                Ok(false)
            }
            Err(_) => Err(Malformed),
        }
    }
}

/// Whether a block is that of a request, as far as its first entry tells: pseudo-headers come first, and the table that
/// everybody has begins with them (RFC 7541, appendix A).
pub(super) fn is_request(block: &[u8]) -> Option<bool> {
    let mut rest = block;
    loop {
        let entry = Entry::read(rest)?;
        match entry.index {
            Some(1..=7) => return Some(true),
            Some(8..=14) => return Some(false),
            None => rest = rest.get(entry.length..)?,
            _ => return None,
        }
    }
}

/// Where the parts of one entry of a block are (RFC 7541, 6).
struct Entry {
    /// Its number in the table, or that of its name; `None` of a change of the table's size.
    index: Option<usize>,
    /// Whether it is put into the table.
    enters: bool,
    /// Where its value begins, of one that has its own.
    value: usize,
    length: usize,
}

impl Entry {
    fn read(bytes: &[u8]) -> Option<Self> {
        let first = *bytes.first()?;
        let bits = match first {
            0x80.. => 7,
            0x40.. => 6,
            0x20.. => 5,
            _ => 4,
        };
        let (index, mut at) = integer(bytes, bits)?;
        let is_literal = bits == 6 || bits == 4;
        if is_literal && index == 0 {
            at = at.checked_add(string(bytes.get(at..)?)?)?;
        }
        let value = at;
        if is_literal {
            at = at.checked_add(string(bytes.get(at..)?)?)?;
        }
        Some(Self { index: (bits != 5).then_some(index), enters: bits == 6, value, length: at })
    }
}

/// The length of a string with its own length before it (RFC 7541, 5.2).
fn string(bytes: &[u8]) -> Option<usize> {
    let (length, at) = integer(bytes, 7)?;
    at.checked_add(length).filter(|end| *end <= bytes.len())
}

/// A number in the low bits of the first byte and, if those are all set, in the bytes behind it (RFC 7541, 5.1), and its
/// length in bytes.
fn integer(bytes: &[u8], bits: u32) -> Option<(usize, usize)> {
    let mask = (1_usize << bits) - 1;
    let first = usize::from(*bytes.first()?) & mask;
    if first < mask {
        return Some((first, 1));
    }
    let mut value = first;
    for (index, byte) in bytes.iter().skip(1).take(4).enumerate() {
        value = value.checked_add(usize::from(byte & 0x7F) << (7 * index))?;
        if byte & 0x80 == 0 {
            return Some((value, index + 2));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use loona_hpack::Encoder;

    use super::*;

    fn said(fields: Option<Fields>) -> Option<Vec<(String, String)>> {
        Some(fields?.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    fn one(name: &str, value: &str) -> Option<Vec<(String, String)>> {
        Some(vec![(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn entries_that_were_seen_are_told_and_older_ones_are_never_guessed() {
        let mut encoder = Encoder::new();
        // Enters the table before the reading begins.
        encoder.encode([(b"x-old".as_slice(), b"1".as_slice())]);
        let mut unpacker = Unpacker::inside();
        let mut ask = |name: &str, value: &str| {
            said(unpacker.unpack(&encoder.encode([(name.as_bytes(), value.as_bytes())])).unwrap())
        };
        assert_eq!(ask("x-new", "2"), one("x-new", "2"));
        assert_eq!(ask("x-old", "1"), None);
        assert_eq!(ask("x-new", "2"), one("x-new", "2"));
        // The name is an old one, the value is new, and both enter the table.
        assert_eq!(ask("x-old", "3"), None);
        assert_eq!(ask("x-old", "3"), None);
        assert_eq!(ask("x-new", "2"), one("x-new", "2"));
        assert_eq!(ask("x-last", "4"), one("x-last", "4"));
        assert_eq!(ask("x-last", "4"), one("x-last", "4"));
    }

    #[test]
    fn entries_are_cut_apart_as_the_decoder_reads_them() {
        let block = [
            0x3F, 0xE1, 0x1F, // the table gets 4096 bytes
            0x82, // :method GET
            0x00, 1, b'a', 1, b'b', // a literal
            0x7F, 0x00, 1, b'c', // its name is number 63, which nobody saw
            0x10, 1, b'd', 0x81, 0x1F, // a literal that is never indexed; `a`, packed
        ];
        let mut unpacker = Unpacker::inside();
        assert!(unpacker.unpack(&block).unwrap().is_none());
        // What entered the table is there, without its name.
        assert!(unpacker.unpack(&[0xBE]).unwrap().is_none());
        assert_eq!(said(unpacker.unpack(&[0x10, 1, b'd', 0x81, 0x1F]).unwrap()), one("d", "a"));
    }

    #[test]
    fn lengths_that_lie_are_malformed() {
        for block in [&[0x40, 9, b'a'][..], &[0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], &[0x00, 1, b'a', 0x7F], &[0x3F]] {
            assert!(Unpacker::inside().unpack(block).is_err(), "{block:?}");
            assert!(Unpacker::new().unpack(block).is_err(), "{block:?}");
        }
    }

    #[test]
    fn the_first_entry_tells_a_request_from_an_answer() {
        assert_eq!(is_request(&[0x83, 0x86]), Some(true));
        assert_eq!(is_request(&[0x20, 0x3F, 0xE1, 0x1F, 0x42, 1, b'X']), Some(true));
        assert_eq!(is_request(&[0x88]), Some(false));
        assert_eq!(is_request(&[0x48, 3, b'4', b'4', b'9']), Some(false));
        assert_eq!(is_request(&[0xBE]), None);
        assert_eq!(is_request(&[]), None);
    }
}
