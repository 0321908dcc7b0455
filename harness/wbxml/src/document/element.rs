//! Looking at a tree.

use std::borrow::Cow;
use std::fmt;

use super::Document;
use super::arena::{Arena, Kind, Node};
use crate::{Tag, xml};

/// One element of a [`Document`]: a place in it, cheap to copy.
#[derive(Clone, Copy)]
pub struct Element<'d> {
    arena: &'d Arena,
    index: usize,
    tag: Tag,
    has_content: bool,
    offset: usize,
    end: usize,
}

/// One piece of an element's content.
#[derive(Clone, Copy, Debug)]
pub enum Content<'d> {
    /// A child element.
    Element(Element<'d>),
    /// A text part, as one STR_I holds it.
    Text(&'d str),
    /// An opaque part.
    Opaque(&'d [u8]),
}

impl<'d> Element<'d> {
    /// Its page and token.
    #[must_use]
    pub fn tag(self) -> Tag {
        self.tag
    }

    /// Whether the content bit is set: `<a></a>` has it, `<a/>` has not.
    #[must_use]
    pub fn has_content(self) -> bool {
        self.has_content
    }

    /// The byte offset of its tag in the source; 0 in a document that was not decoded.
    #[must_use]
    pub fn offset(self) -> usize {
        self.offset
    }

    /// Its content in order: elements, texts, opaque parts.
    pub fn contents(self) -> impl Iterator<Item = Content<'d>> + Clone {
        let (arena, end) = (self.arena, self.end);
        let mut index = self.index + 1;
        std::iter::from_fn(move || {
            let node = if index < end { arena.node(index) } else { None }?;
            let content = content(arena, index, node);
            index = node.next;
            Some(content)
        })
    }

    /// Its child elements in order.
    pub fn children(self) -> impl Iterator<Item = Element<'d>> + Clone {
        self.contents().filter_map(|content| match content {
            Content::Element(element) => Some(element),
            Content::Text(_) | Content::Opaque(_) => None,
        })
    }

    /// Every element below it, in document order.
    pub fn descendants(self) -> impl Iterator<Item = Element<'d>> + Clone {
        let arena = self.arena;
        (self.index + 1..self.end).filter_map(move |index| element(arena, index))
    }

    /// Its first child with this tag.
    #[must_use]
    pub fn child(self, tag: Tag) -> Option<Element<'d>> {
        self.all(tag).next()
    }

    /// Its children with this tag.
    pub fn all(self, tag: Tag) -> impl Iterator<Item = Element<'d>> + Clone {
        self.children().filter(move |child| child.tag == tag)
    }

    /// Its own text: all text parts joined, opaque parts read as UTF-8 with replacement characters for the rest.
    #[must_use]
    pub fn text(self) -> Cow<'d, str> {
        let mut joined = Cow::Borrowed("");
        for part in self.contents() {
            let part = match part {
                Content::Text(text) => Cow::Borrowed(text),
                Content::Opaque(bytes) => String::from_utf8_lossy(bytes),
                Content::Element(_) => continue,
            };
            if joined.is_empty() {
                joined = part;
            } else {
                joined.to_mut().push_str(&part);
            }
        }
        joined
    }

    /// Its own text and opaque parts, joined as bytes.
    #[must_use]
    pub fn bytes(self) -> Cow<'d, [u8]> {
        let mut joined: Cow<'d, [u8]> = Cow::Borrowed(&[]);
        for part in self.contents() {
            let part = match part {
                Content::Text(text) => text.as_bytes(),
                Content::Opaque(bytes) => bytes,
                Content::Element(_) => continue,
            };
            if joined.is_empty() {
                joined = Cow::Borrowed(part);
            } else {
                joined.to_mut().extend_from_slice(part);
            }
        }
        joined
    }

    /// The text of its first child with this tag.
    #[must_use]
    pub fn child_text(self, tag: Tag) -> Option<Cow<'d, str>> {
        self.child(tag).map(Element::text)
    }

    /// Whether it has no child elements.
    #[must_use]
    pub fn is_leaf(self) -> bool {
        self.children().next().is_none()
    }

    /// Whether one of its own parts is opaque.
    #[must_use]
    pub fn is_opaque(self) -> bool {
        self.contents().any(|part| matches!(part, Content::Opaque(_)))
    }

    /// The element and what is below it as a document of its own; offsets stay those of the source.
    #[must_use]
    pub fn to_document(self) -> Document {
        let mut arena = Arena::default();
        self.copy_into(&mut arena);
        Document::from_arena(arena)
    }

    /// The element as a document of its own in the XML form of [`xml`].
    #[must_use]
    pub fn to_xml(self) -> String {
        xml::from_subtree(self.arena, self.index)
    }

    pub(super) fn root(arena: &'d Arena) -> Element<'d> {
        element(arena, 0).expect("a document is made with its root")
    }

    pub(super) fn copy_into(self, arena: &mut Arena) {
        arena.copy(self.arena, self.index);
    }
}

/// Prints the XML form.
impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_xml())
    }
}

fn element(arena: &Arena, index: usize) -> Option<Element<'_>> {
    let node = arena.node(index)?;
    match node.kind {
        Kind::Element { tag, has_content, offset } => {
            Some(Element { arena, index, tag, has_content, offset, end: node.next })
        }
        Kind::Text { .. } | Kind::Opaque { .. } => None,
    }
}

fn content<'d>(arena: &'d Arena, index: usize, node: &Node) -> Content<'d> {
    match node.kind {
        Kind::Element { tag, has_content, offset } => {
            Content::Element(Element { arena, index, tag, has_content, offset, end: node.next })
        }
        Kind::Text { start, end } => Content::Text(arena.text_of(start, end)),
        Kind::Opaque { start, end } => Content::Opaque(arena.blob_of(start, end)),
    }
}
