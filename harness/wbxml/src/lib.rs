//! WBXML as Exchange ActiveSync uses it: tokens, code pages and bytes.
//!
//! Four views of one document, and the ways between them: bytes, borrowed [`Event`]s ([`Decoder`], [`Encoder`]), an
//! owned tree ([`Document`], [`Element`], [`Builder`]) and XML text ([`xml`]). Whatever the bytes hold, the answer is a
//! value or a [`DecodeError`] with its offset; depth and sizes are bounded by [`Limits`].
//!
//! The room does no I/O and gives no element a meaning. Tokens and pages that the standard does not name are data.

mod decode;
mod document;
mod encode;
mod tag;
pub mod tags;
pub mod xml;

pub use decode::{DecodeError, DecodeErrorKind, Decoder, Event, Limits};
pub use document::{Builder, Content, Document, Element};
pub use encode::Encoder;
pub use tag::Tag;
pub use xml::{XmlError, XmlErrorKind};
