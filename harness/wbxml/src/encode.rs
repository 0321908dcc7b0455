//! Events to canonical bytes: SWITCH_PAGE only where the page changes, STR_I for text, OPAQUE for the rest.

use crate::Tag;
use crate::decode::token;

/// Writes one document, event by event.
///
/// It does not judge the order of events; [`Encoder::finish`] closes what is open.
#[derive(Clone, Debug)]
pub struct Encoder {
    out: Vec<u8>,
    page: u8,
    open: usize,
}

impl Encoder {
    /// An encoder that has written the header of every ActiveSync document, `03 01 6A 00`.
    #[must_use]
    pub fn new() -> Encoder {
        Encoder::with_capacity(0)
    }

    /// The same with room for `bytes` bytes of document.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Encoder {
        let mut out = Vec::with_capacity(bytes.saturating_add(HEADER.len()));
        out.extend_from_slice(&HEADER);
        Encoder { out, page: 0, open: 0 }
    }

    /// Begins an element. Without content it is complete at once and takes no [`Encoder::end`].
    #[inline]
    pub fn start(&mut self, tag: Tag, has_content: bool) {
        if tag.page() != self.page {
            self.page = tag.page();
            self.out.extend_from_slice(&[token::SWITCH_PAGE, self.page]);
        }
        let content = if has_content { token::CONTENT } else { 0 };
        self.open += usize::from(has_content);
        self.out.push(tag.token() | content);
    }

    /// Ends the innermost open element; does nothing when none is open.
    #[inline]
    pub fn end(&mut self) {
        if self.open > 0 {
            self.open -= 1;
            self.out.push(token::END);
        }
    }

    /// Writes text. STR_I cannot hold U+0000, so text with one goes out as OPAQUE.
    pub fn text(&mut self, text: &str) {
        if memchr::memchr(0, text.as_bytes()).is_some() { self.opaque(text.as_bytes()) } else { self.inline_text(text) }
    }

    /// Writes bytes as OPAQUE.
    ///
    /// A length above 32 bits, which OPAQUE cannot say, becomes several OPAQUE parts.
    pub fn opaque(&mut self, bytes: &[u8]) {
        let (part, rest) = bytes.split_at_checked(u32::MAX as usize).unwrap_or((bytes, &[]));
        self.out.push(token::OPAQUE);
        self.length(part.len() as u64);
        self.out.extend_from_slice(part);
        if !rest.is_empty() {
            self.opaque(rest);
        }
    }

    /// Ends the open elements and gives the bytes.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.out.resize(self.out.len() + self.open, token::END);
        self.out
    }

    /// Writes text known to be free of U+0000.
    #[inline]
    pub(crate) fn inline_text(&mut self, text: &str) {
        self.out.push(token::STR_I);
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(0);
    }

    /// An mb_u_int32: groups of seven bits, the highest first, the top bit set on all but the last.
    fn length(&mut self, length: u64) {
        let groups = (64 - length.leading_zeros()).div_ceil(7).max(1);
        for group in (0..groups).rev() {
            let bits = (length >> (7 * group)) as u8 & 0x7F;
            self.out.push(if group == 0 { bits } else { bits | 0x80 });
        }
    }
}

impl Default for Encoder {
    fn default() -> Encoder {
        Encoder::new()
    }
}

/// WBXML 1.3, unknown public identifier, UTF-8 (MIBenum 106), no string table.
const HEADER: [u8; 4] = [0x03, 0x01, 0x6A, 0x00];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tags::{air_sync, compose_mail, folder_hierarchy};

    #[test]
    fn a_first_folder_sync_has_the_bytes_of_the_standard() {
        let mut encoder = Encoder::new();
        encoder.start(folder_hierarchy::FOLDER_SYNC, true);
        encoder.start(folder_hierarchy::SYNC_KEY, true);
        encoder.text("0");
        encoder.end();
        encoder.end();
        assert_eq!(encoder.finish(), b"\x03\x01\x6A\x00\x00\x07\x56\x52\x03\x30\x00\x01\x01");
    }

    #[test]
    fn finish_closes_what_is_open_and_a_stray_end_writes_nothing() {
        let mut encoder = Encoder::new();
        encoder.end();
        encoder.start(air_sync::SYNC, true);
        encoder.start(air_sync::COLLECTIONS, true);
        assert_eq!(encoder.finish(), b"\x03\x01\x6A\x00\x45\x5C\x01\x01");
    }

    #[test]
    fn opaque_lengths_take_as_few_groups_as_they_need() {
        for (length, prefix) in
            [(0, &[0xC3, 0][..]), (127, &[0xC3, 0x7F]), (128, &[0xC3, 0x81, 0]), (16384, &[0xC3, 0x81, 0x80, 0])]
        {
            let mut encoder = Encoder::new();
            encoder.start(compose_mail::MIME, true);
            encoder.opaque(&vec![0x22; length]);
            assert_eq!(&encoder.finish()[7..7 + prefix.len()], prefix, "{length}");
        }
    }

    #[test]
    fn text_with_a_nul_goes_out_as_opaque() {
        let mut encoder = Encoder::new();
        encoder.start(air_sync::SYNC_KEY, true);
        encoder.text("a\0b");
        assert_eq!(encoder.finish(), b"\x03\x01\x6A\x00\x4B\xC3\x03a\0b\x01");
    }
}
