//! Bytes to borrowed events, with the offset of everything that is wrong.

mod error;
mod scan;

pub use error::{DecodeError, DecodeErrorKind};

use crate::Tag;
use DecodeErrorKind as Kind;

/// One piece of a document, borrowed from its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// An element begins.
    Start {
        /// Its page and token, named or not.
        tag: Tag,
        /// Whether content and an [`Event::End`] follow; without it the element is complete.
        has_content: bool,
    },
    /// The innermost open element ends.
    End,
    /// One STR_I; two in a row are two events.
    Text(&'a str),
    /// One OPAQUE.
    Opaque(&'a [u8]),
}

/// What a document may cost. Every bound is inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open elements at once.
    pub depth: usize,
    /// Bytes of the whole input, what follows the root included.
    pub document_bytes: usize,
    /// Elements, texts and opaque parts together.
    pub nodes: usize,
    /// Bytes of one STR_I.
    pub text_bytes: usize,
    /// Bytes of one OPAQUE.
    pub opaque_bytes: usize,
}

/// Depth 256, documents of 128 MiB, 4 Mi nodes, texts and opaques of 64 MiB.
impl Default for Limits {
    fn default() -> Limits {
        Limits { depth: 256, document_bytes: 128 << 20, nodes: 4 << 20, text_bytes: 64 << 20, opaque_bytes: 64 << 20 }
    }
}

/// Reads one document, event by event, without copying.
///
/// ```
/// use easrig_wbxml::{Decoder, Event, tags::air_sync::SYNC};
///
/// let mut decoder = Decoder::new(b"\x03\x01\x6A\x00\x05");
/// assert_eq!(decoder.next_event(), Ok(Some(Event::Start { tag: SYNC, has_content: false })));
/// assert_eq!(decoder.next_event(), Ok(None));
/// ```
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    bytes: &'a [u8],
    limits: Limits,
    position: usize,
    depth: usize,
    nodes: usize,
    page: u8,
    stage: Stage,
    tail: Tail,
}

impl<'a> Decoder<'a> {
    /// A decoder with the default [`Limits`], for which anything but SWITCH_PAGE after the root is an error.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Decoder<'a> {
        Decoder::with_limits(bytes, Limits::default())
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(bytes: &'a [u8], limits: Limits) -> Decoder<'a> {
        Decoder { bytes, limits, position: 0, depth: 0, nodes: 0, page: 0, stage: Stage::Header, tail: Tail::Refused }
    }

    /// A decoder that stops after the root and the SWITCH_PAGEs behind it; [`Decoder::trailing`] is what is left.
    #[must_use]
    pub fn prefix(bytes: &'a [u8], limits: Limits) -> Decoder<'a> {
        Decoder { tail: Tail::Left, ..Decoder::with_limits(bytes, limits) }
    }

    /// The next event, or `None` when the document is complete.
    ///
    /// # Errors
    ///
    /// Whatever breaks the subset of WBXML that MS-ASWBXML uses, and every bound of [`Limits`] exceeded. The decoder
    /// does not move past an error: asked again, it gives the same one.
    #[inline]
    pub fn next_event(&mut self) -> Result<Option<Event<'a>>, DecodeError> {
        if self.stage != Stage::Inside {
            match self.stage {
                Stage::Header => self.header()?,
                _ => return self.after_root(),
            }
        }
        loop {
            let at = self.position;
            let Some(&byte) = self.bytes.get(at) else { return Err(self.early_end()) };
            match byte {
                token::SWITCH_PAGE => {
                    let Some(&page) = self.bytes.get(at + 1) else {
                        return Err(DecodeError::new(at, Kind::TruncatedSwitchPage));
                    };
                    self.page = page;
                    self.position = at + 2;
                }
                token::END => {
                    if self.depth == 0 {
                        return Err(DecodeError::new(at, Kind::UnexpectedEnd));
                    }
                    self.depth -= 1;
                    if self.depth == 0 {
                        self.stage = Stage::After;
                    }
                    self.position = at + 1;
                    return Ok(Some(Event::End));
                }
                token::STR_I => return self.text(at).map(Some),
                token::OPAQUE => return self.opaque(at).map(Some),
                _ if is_tag(byte) => return self.start(at, byte).map(Some),
                _ => return Err(refused(at, byte)),
            }
        }
    }

    /// The offset of the next unread byte; after the last event, of what follows the document.
    #[inline]
    #[must_use]
    pub fn offset(&self) -> usize {
        self.position
    }

    /// What has not been read: after the last event of [`Decoder::prefix`], what follows the document.
    #[must_use]
    pub fn trailing(&self) -> &'a [u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }

    #[inline]
    fn start(&mut self, at: usize, byte: u8) -> Result<Event<'a>, DecodeError> {
        let has_content = byte & token::CONTENT != 0;
        if self.depth >= self.limits.depth {
            return Err(DecodeError::new(at, Kind::TooDeep { limit: self.limits.depth }));
        }
        self.count(at)?;
        if has_content {
            self.depth += 1;
        } else if self.depth == 0 {
            self.stage = Stage::After;
        }
        self.position = at + 1;
        Ok(Event::Start { tag: Tag::from_wire(self.page, byte), has_content })
    }

    #[inline]
    fn text(&mut self, at: usize) -> Result<Event<'a>, DecodeError> {
        if self.depth == 0 {
            return Err(DecodeError::new(at, Kind::ContentOutsideRoot));
        }
        let rest = self.bytes.get(at + 1..).unwrap_or_default();
        let Some(raw) = scan::until_nul(rest) else {
            return Err(DecodeError::new(at, Kind::UnterminatedString));
        };
        if raw.len() > self.limits.text_bytes {
            return Err(DecodeError::new(at, Kind::TextTooLong { limit: self.limits.text_bytes }));
        }
        self.count(at)?;
        let Some(text) = scan::utf8(raw) else { return Err(scan::invalid_utf8(at + 1, raw)) };
        self.position = at + 1 + raw.len() + 1;
        Ok(Event::Text(text))
    }

    #[inline]
    fn opaque(&mut self, at: usize) -> Result<Event<'a>, DecodeError> {
        if self.depth == 0 {
            return Err(DecodeError::new(at, Kind::ContentOutsideRoot));
        }
        let (length, start) = mb_u_int32(self.bytes, at + 1).map_err(|kind| DecodeError::new(at, kind))?;
        let left = self.bytes.len() - start;
        let declared = usize::try_from(length).unwrap_or(usize::MAX);
        let Some(bytes) = self.bytes.get(start..).and_then(|rest| rest.get(..declared)) else {
            return Err(DecodeError::new(at, Kind::OpaqueOverrun { declared: length, left }));
        };
        if declared > self.limits.opaque_bytes {
            return Err(DecodeError::new(at, Kind::OpaqueTooLong { limit: self.limits.opaque_bytes }));
        }
        self.count(at)?;
        self.position = start + declared;
        Ok(Event::Opaque(bytes))
    }

    /// Counts a node that begins at `at`.
    #[inline]
    fn count(&mut self, at: usize) -> Result<(), DecodeError> {
        if self.nodes >= self.limits.nodes {
            return Err(DecodeError::new(at, Kind::TooManyNodes { limit: self.limits.nodes }));
        }
        self.nodes += 1;
        Ok(())
    }

    /// Version, public identifier, character set and string table, each with the one value ActiveSync uses.
    #[cold]
    fn header(&mut self) -> Result<(), DecodeError> {
        if self.bytes.len() > self.limits.document_bytes {
            let limit = self.limits.document_bytes;
            return Err(DecodeError::new(limit, Kind::DocumentTooLong { limit }));
        }
        let Some(&version) = self.bytes.first() else { return Err(DecodeError::new(0, Kind::TruncatedHeader)) };
        if version != VERSION {
            return Err(DecodeError::new(0, Kind::Version { found: version }));
        }
        let mut at = 1;
        for field in [HeaderField::PublicId, HeaderField::Charset, HeaderField::StringTable] {
            let (value, next) = mb_u_int32(self.bytes, at).map_err(|kind| {
                let kind = if kind == Kind::TruncatedMbUint { Kind::TruncatedHeader } else { kind };
                DecodeError::new(at, kind)
            })?;
            field.expect(value).map_err(|kind| DecodeError::new(at, kind))?;
            at = next;
        }
        self.position = at;
        self.stage = Stage::Inside;
        Ok(())
    }

    /// Steps over the SWITCH_PAGEs behind the root and judges what follows them.
    #[cold]
    fn after_root(&mut self) -> Result<Option<Event<'a>>, DecodeError> {
        while let [token::SWITCH_PAGE, page, ..] = *self.trailing() {
            self.page = page;
            self.position += 2;
        }
        match (self.tail, self.trailing()) {
            (Tail::Left, _) | (_, []) => Ok(None),
            (Tail::Refused, [token::SWITCH_PAGE]) => Err(DecodeError::new(self.position, Kind::TruncatedSwitchPage)),
            (Tail::Refused, _) => Err(DecodeError::new(self.position, Kind::TrailingData)),
        }
    }

    #[cold]
    fn early_end(&self) -> DecodeError {
        let kind = if self.depth == 0 { Kind::NoRoot } else { Kind::UnexpectedEof };
        DecodeError::new(self.bytes.len(), kind)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Header,
    Inside,
    After,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    Refused,
    Left,
}

#[derive(Clone, Copy)]
enum HeaderField {
    PublicId,
    Charset,
    StringTable,
}

impl HeaderField {
    fn expect(self, value: u32) -> Result<(), DecodeErrorKind> {
        match (self, value) {
            (HeaderField::PublicId, 1) | (HeaderField::Charset, 106) | (HeaderField::StringTable, 0) => Ok(()),
            (HeaderField::PublicId, found) => Err(Kind::PublicId { found }),
            (HeaderField::Charset, found) => Err(Kind::Charset { found }),
            (HeaderField::StringTable, found) => Err(Kind::StringTable { found }),
        }
    }
}

/// Global tokens of WBXML that ActiveSync uses, and the content bit of a tag.
pub(crate) mod token {
    pub(crate) const SWITCH_PAGE: u8 = 0x00;
    pub(crate) const END: u8 = 0x01;
    pub(crate) const STR_I: u8 = 0x03;
    pub(crate) const OPAQUE: u8 = 0xC3;
    pub(crate) const CONTENT: u8 = 0x40;
}

const VERSION: u8 = 0x03;
/// Five groups of seven bits hold 32 bits.
const MB_UINT_GROUPS: usize = 5;

/// Whether the byte is a tag without attributes, once the global tokens in use are ruled out.
#[inline]
fn is_tag(byte: u8) -> bool {
    byte < 0x80 && byte & 0x3F >= 0x05
}

/// Why a byte that begins nothing is refused: a global token ActiveSync does not use, or a tag with attributes.
#[cold]
fn refused(at: usize, byte: u8) -> DecodeError {
    let kind = if byte & 0x3F < 0x05 { Kind::ForbiddenToken { token: byte } } else { Kind::Attributes { byte } };
    DecodeError::new(at, kind)
}

/// The mb_u_int32 at `at` and the offset behind it.
#[inline]
fn mb_u_int32(bytes: &[u8], at: usize) -> Result<(u32, usize), DecodeErrorKind> {
    let mut value = 0_u64;
    for group in 0..MB_UINT_GROUPS {
        let Some(&byte) = bytes.get(at + group) else { return Err(Kind::TruncatedMbUint) };
        value = value << 7 | u64::from(byte & 0x7F);
        if byte < 0x80 {
            return match u32::try_from(value) {
                Ok(value) => Ok((value, at + group + 1)),
                Err(_) => Err(Kind::MbUintOverflow),
            };
        }
    }
    Err(Kind::MbUintOverflow)
}

#[cfg(test)]
mod tests;
