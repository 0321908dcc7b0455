//! What can be wrong with the bytes of a document, and where.

use thiserror::Error;

/// A document that cannot be read, with the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{kind} at byte {offset}")]
pub struct DecodeError {
    /// Bytes before the token that is wrong; the length of the input when more was expected.
    pub offset: usize,
    /// What is wrong.
    pub kind: DecodeErrorKind,
}

/// What is wrong with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The input ends before the four header fields are complete; an empty input too.
    #[error("document ends inside the WBXML header")]
    TruncatedHeader,
    /// The first byte is not WBXML 1.3: XML, HTML and MIME end here.
    #[error("version byte 0x{found:02X} found, WBXML 1.3 (0x03) expected")]
    Version {
        /// The first byte.
        found: u8,
    },
    /// A public identifier other than 1, "unknown or missing".
    #[error("public identifier {found} found, 1 expected")]
    PublicId {
        /// The identifier; 0 would be followed by a string table index.
        found: u32,
    },
    /// A character set other than UTF-8.
    #[error("character set {found} found, 106 (UTF-8) expected")]
    Charset {
        /// The MIBenum number.
        found: u32,
    },
    /// A string table, which ActiveSync does not use.
    #[error("string table of {found} bytes found, none expected")]
    StringTable {
        /// The declared length in bytes.
        found: u32,
    },
    /// Nothing but the header.
    #[error("document has no root element")]
    NoRoot,
    /// The input ends inside an element.
    #[error("document ends inside an element")]
    UnexpectedEof,
    /// The input ends after SWITCH_PAGE.
    #[error("document ends inside SWITCH_PAGE")]
    TruncatedSwitchPage,
    /// The input ends inside the length of an OPAQUE.
    #[error("document ends inside a multi-byte integer")]
    TruncatedMbUint,
    /// An integer of more than 32 bits or five groups.
    #[error("multi-byte integer exceeds 32 bits or five bytes")]
    MbUintOverflow,
    /// No NUL ends the string.
    #[error("string without its terminating NUL")]
    UnterminatedString,
    /// A string that is not UTF-8.
    #[error("string is not valid UTF-8")]
    InvalidUtf8,
    /// An OPAQUE longer than the rest of the document.
    #[error("OPAQUE declares {declared} bytes, {left} are left,")]
    OpaqueOverrun {
        /// The declared length.
        declared: u32,
        /// The bytes behind the length.
        left: usize,
    },
    /// END before any element.
    #[error("END without an open element")]
    UnexpectedEnd,
    /// Text or bytes before the root.
    #[error("content outside the root element")]
    ContentOutsideRoot,
    /// Something other than SWITCH_PAGE after the root.
    #[error("data after the root element")]
    TrailingData,
    /// A global token that MS-ASWBXML 2.1.3 leaves out.
    #[error("token 0x{token:02X} is not used by ActiveSync, found")]
    ForbiddenToken {
        /// The token.
        token: u8,
    },
    /// A tag whose attribute bit is set.
    #[error("tag byte 0x{byte:02X} announces attributes, which ActiveSync does not use,")]
    Attributes {
        /// The whole byte.
        byte: u8,
    },
    /// Elements nested deeper than [`Limits::depth`](crate::Limits::depth).
    #[error("elements nest deeper than {limit}")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// An input beyond [`Limits::document_bytes`](crate::Limits::document_bytes).
    #[error("document exceeds {limit} bytes")]
    DocumentTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// More than [`Limits::nodes`](crate::Limits::nodes).
    #[error("document has more than {limit} elements and values")]
    TooManyNodes {
        /// The limit.
        limit: usize,
    },
    /// A string beyond [`Limits::text_bytes`](crate::Limits::text_bytes).
    #[error("string exceeds {limit} bytes")]
    TextTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// An OPAQUE beyond [`Limits::opaque_bytes`](crate::Limits::opaque_bytes).
    #[error("OPAQUE exceeds {limit} bytes")]
    OpaqueTooLong {
        /// The limit in bytes.
        limit: usize,
    },
}

impl DecodeError {
    #[cold]
    pub(super) fn new(offset: usize, kind: DecodeErrorKind) -> DecodeError {
        DecodeError { offset, kind }
    }
}

impl DecodeErrorKind {
    /// A short constant name for machines, as in `opaque-overrun`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            DecodeErrorKind::TruncatedHeader => "truncated-header",
            DecodeErrorKind::Version { .. } => "version",
            DecodeErrorKind::PublicId { .. } => "public-id",
            DecodeErrorKind::Charset { .. } => "charset",
            DecodeErrorKind::StringTable { .. } => "string-table",
            DecodeErrorKind::NoRoot => "no-root",
            DecodeErrorKind::UnexpectedEof => "unexpected-eof",
            DecodeErrorKind::TruncatedSwitchPage => "truncated-switch-page",
            DecodeErrorKind::TruncatedMbUint => "truncated-mbuint",
            DecodeErrorKind::MbUintOverflow => "mbuint-overflow",
            DecodeErrorKind::UnterminatedString => "unterminated-string",
            DecodeErrorKind::InvalidUtf8 => "invalid-utf8",
            DecodeErrorKind::OpaqueOverrun { .. } => "opaque-overrun",
            DecodeErrorKind::UnexpectedEnd => "unexpected-end",
            DecodeErrorKind::ContentOutsideRoot => "content-outside-root",
            DecodeErrorKind::TrailingData => "trailing-data",
            DecodeErrorKind::ForbiddenToken { .. } => "forbidden-token",
            DecodeErrorKind::Attributes { .. } => "attributes",
            DecodeErrorKind::TooDeep { .. } => "depth",
            DecodeErrorKind::DocumentTooLong { .. } => "document-too-long",
            DecodeErrorKind::TooManyNodes { .. } => "too-many-nodes",
            DecodeErrorKind::TextTooLong { .. } => "text-too-long",
            DecodeErrorKind::OpaqueTooLong { .. } => "opaque-too-long",
        }
    }
}
