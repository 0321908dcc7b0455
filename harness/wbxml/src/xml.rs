//! Documents as XML text, both ways, so that a document survives the detour.
//!
//! The default namespace is the page's name, written on the root and wherever it changes. `<a/>` has no content bit,
//! `<a></a>` has it and nothing inside. OPAQUE is `<?opaque HEX?>`; text with characters that XML 1.0 cannot hold is
//! `<?text HEX?>`, the UTF-8 bytes of the whole part; CR is `&#13;`. Tokens and pages without a name are the element
//! `token-3F` (hexadecimal) and the namespace `page-26` (decimal).
//!
//! No white space is added. When XML is read, white space that stands literally beside elements or opaque parts is
//! layout and dropped; where a document really holds such text, its first character is written as `&#32;` and stays.

mod escape;
mod pretty;
mod read;
mod write;

pub use read::{XmlError, XmlErrorKind, parse};

pub(crate) use pretty::pretty;

use crate::document::Arena;
use crate::{DecodeError, Decoder, Limits};
use write::Writer;

/// The XML text of a WBXML document, made without a tree between.
///
/// # Errors
///
/// As [`Decoder::next_event`].
pub fn from_wbxml(bytes: &[u8]) -> Result<String, DecodeError> {
    from_wbxml_with(bytes, Limits::default())
}

/// The same with other limits.
///
/// # Errors
///
/// As [`Decoder::next_event`].
pub fn from_wbxml_with(bytes: &[u8], limits: Limits) -> Result<String, DecodeError> {
    let mut decoder = Decoder::with_limits(bytes, limits);
    let mut writer = Writer::for_source(bytes.len());
    while let Some(event) = decoder.next_event()? {
        writer.event(event);
    }
    Ok(writer.finish())
}

/// The canonical WBXML bytes of XML text.
///
/// # Errors
///
/// As [`parse`].
pub fn to_wbxml(text: &str) -> Result<Vec<u8>, XmlError> {
    parse(text).map(|document| document.encode())
}

/// The XML text of a tree.
pub(crate) fn from_events(arena: &Arena) -> String {
    from_subtree(arena, 0)
}

/// The XML text of the subtree at `index`.
pub(crate) fn from_subtree(arena: &Arena, index: usize) -> String {
    let mut writer = Writer::for_source(0);
    arena.replay_from(index, |event, _| writer.event(event));
    writer.finish()
}

#[cfg(test)]
mod tests;
