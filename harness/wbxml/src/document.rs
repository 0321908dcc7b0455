//! A document as an owned tree: one flat list of nodes in document order, all text in one string.
//!
//! A node knows where its subtree ends, so that children, descendants and copies are walks over a slice.

mod arena;
mod builder;
mod element;

pub use builder::Builder;
pub use element::{Content, Element};

use std::fmt;

use crate::xml::{self, XmlError};
use crate::{DecodeError, Decoder, Encoder, Event, Limits};
pub(crate) use arena::Arena;

/// One document, owned.
///
/// Two documents are equal when their elements, content bits and parts are; offsets do not count.
#[derive(Clone)]
pub struct Document {
    arena: Arena,
}

impl Document {
    /// Reads a document with the default [`Limits`].
    ///
    /// # Errors
    ///
    /// As [`Decoder::next_event`]; anything but SWITCH_PAGE after the root is an error.
    pub fn decode(bytes: &[u8]) -> Result<Document, DecodeError> {
        Document::decode_with(bytes, Limits::default())
    }

    /// Reads a document with other limits.
    ///
    /// # Errors
    ///
    /// As [`Document::decode`].
    pub fn decode_with(bytes: &[u8], limits: Limits) -> Result<Document, DecodeError> {
        Document::read(Decoder::with_limits(bytes, limits)).map(|(document, _)| document)
    }

    /// Reads a document that other bytes may follow; also gives the bytes read, SWITCH_PAGEs after the root included.
    ///
    /// # Errors
    ///
    /// As [`Document::decode`], but for what follows the root.
    pub fn decode_prefix(bytes: &[u8], limits: Limits) -> Result<(Document, usize), DecodeError> {
        Document::read(Decoder::prefix(bytes, limits))
    }

    /// Reads a document in the XML form of [`xml`].
    ///
    /// # Errors
    ///
    /// What [`xml::parse`] gives.
    pub fn from_xml(text: &str) -> Result<Document, XmlError> {
        xml::parse(text)
    }

    /// The canonical bytes: no redundant SWITCH_PAGE, STR_I for text, OPAQUE for bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::with_capacity(self.arena.encoded_size());
        self.arena.replay(|event| match event {
            Event::Start { tag, has_content } => encoder.start(tag, has_content),
            Event::End => encoder.end(),
            Event::Text(text) => encoder.inline_text(text),
            Event::Opaque(bytes) => encoder.opaque(bytes),
        });
        encoder.finish()
    }

    /// The root element.
    #[must_use]
    pub fn root(&self) -> Element<'_> {
        Element::root(&self.arena)
    }

    /// The document in the XML form of [`xml`], without added white space; [`Document::from_xml`] reads it back.
    #[must_use]
    pub fn to_xml(&self) -> String {
        xml::from_events(&self.arena)
    }

    /// Indented XML for people; the white space it adds is not part of the document.
    #[must_use]
    pub fn to_xml_pretty(&self) -> String {
        xml::pretty(&self.arena)
    }

    fn read(mut decoder: Decoder<'_>) -> Result<(Document, usize), DecodeError> {
        let mut arena = Arena::for_source(decoder.trailing().len());
        loop {
            let event = decoder.next_event()?;
            match event {
                Some(Event::Start { tag, has_content }) => arena.start(tag, has_content, decoder.offset() - 1),
                Some(Event::End) => arena.end(),
                Some(Event::Text(text)) => arena.text(text),
                Some(Event::Opaque(bytes)) => arena.opaque(bytes),
                None => return Ok((Document { arena: arena.close() }, decoder.offset())),
            }
        }
    }

    pub(crate) fn from_arena(arena: Arena) -> Document {
        Document { arena }
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Document) -> bool {
        self.arena == other.arena
    }
}

impl Eq for Document {}

/// Prints the XML form.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_xml())
    }
}

#[cfg(test)]
mod tests;
