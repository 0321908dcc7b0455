//! Making a tree.

use super::arena::Arena;
use super::{Document, Element};
use crate::Tag;

/// Writes a document from the root down.
///
/// ```
/// use easrig_wbxml::{Builder, tags::folder_hierarchy as fh};
///
/// let mut builder = Builder::new(fh::FOLDER_SYNC);
/// builder.leaf(fh::SYNC_KEY, "0");
/// assert_eq!(builder.finish().to_xml(), r#"<FolderSync xmlns="FolderHierarchy"><SyncKey>0</SyncKey></FolderSync>"#);
/// ```
#[derive(Clone, Debug)]
pub struct Builder {
    arena: Arena,
    root: Tag,
}

impl Builder {
    /// Begins a document; its root is open.
    #[must_use]
    pub fn new(root: Tag) -> Builder {
        let mut arena = Arena::default();
        arena.start(root, true, 0);
        Builder { arena, root }
    }

    /// A document of nothing but a root without content, `<a/>`.
    #[must_use]
    pub fn empty_root(root: Tag) -> Document {
        let mut arena = Arena::default();
        arena.start(root, false, 0);
        Document::from_arena(arena)
    }

    /// Opens a child of the open element.
    pub fn open(&mut self, tag: Tag) -> &mut Builder {
        self.arena.start(tag, true, 0);
        self
    }

    /// Closes the open element. The root stays open until [`Builder::finish`]: closing it does nothing.
    pub fn close(&mut self) -> &mut Builder {
        if self.arena.depth() > 1 {
            self.arena.end();
        }
        self
    }

    /// Adds a child with text; with empty text a child with its content bit set and nothing inside.
    pub fn leaf(&mut self, tag: Tag, text: &str) -> &mut Builder {
        self.open(tag).text(text).close()
    }

    /// Adds a child with one opaque part, also when it is empty.
    pub fn opaque(&mut self, tag: Tag, bytes: &[u8]) -> &mut Builder {
        self.open(tag).bytes(bytes).close()
    }

    /// Adds a child without content, `<a/>`.
    pub fn empty(&mut self, tag: Tag) -> &mut Builder {
        self.arena.start(tag, false, 0);
        self
    }

    /// Adds text to the open element. Empty text adds nothing; text with U+0000, which STR_I cannot hold, becomes one
    /// opaque part of the same bytes.
    pub fn text(&mut self, text: &str) -> &mut Builder {
        if memchr::memchr(0, text.as_bytes()).is_some() {
            self.arena.opaque(text.as_bytes());
        } else if !text.is_empty() {
            self.arena.text(text);
        }
        self
    }

    /// Adds an opaque part to the open element.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Builder {
        self.arena.opaque(bytes);
        self
    }

    /// Adds a copy of an element, with all that is below it, to the open element.
    pub fn append(&mut self, element: Element<'_>) -> &mut Builder {
        element.copy_into(&mut self.arena);
        self
    }

    /// Closes what is open and gives the document; the builder begins anew with the same root.
    #[must_use]
    pub fn finish(&mut self) -> Document {
        let done = std::mem::replace(self, Builder::new(self.root));
        Document::from_arena(done.arena.close())
    }
}
