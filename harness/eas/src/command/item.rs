use std::{borrow::Cow, fmt};

use easrig_wbxml::{Builder, Document, Element, Tag};

/// The content of an item as the document carries it: an owned subtree, so that nothing a server sends is lost.
///
/// The root is `AirSync:ApplicationData` in Sync, and the `Properties` element of its own page in Search, Find and
/// ItemOperations. Written, only what is inside the root is copied: the command names the root.
#[derive(Clone, PartialEq)]
pub struct Item(pub Document);

impl Item {
    /// The content of an element of a received document.
    pub fn from_element(element: Element<'_>) -> Self {
        Self(element.to_document())
    }

    /// The content that `write` builds inside `root`.
    pub fn build(root: Tag, write: impl FnOnce(&mut Builder)) -> Self {
        let mut builder = Builder::new(root);
        write(&mut builder);
        Self(builder.finish())
    }

    /// The element that holds the properties.
    pub fn root(&self) -> Element<'_> {
        self.0.root()
    }

    /// The text of the first property with this tag.
    pub fn text(&self, tag: Tag) -> Option<Cow<'_, str>> {
        self.root().child_text(tag)
    }

    /// The first property with this tag.
    pub fn child(&self, tag: Tag) -> Option<Element<'_>> {
        self.root().child(tag)
    }

    /// Writes the properties inside `tag`; without properties the element has no content.
    pub(super) fn write(&self, out: &mut Builder, tag: Tag) {
        if !self.root().has_content() {
            out.empty(tag);
            return;
        }
        out.open(tag);
        for child in self.root().children() {
            out.append(child);
        }
        out.close();
    }
}

impl From<Document> for Item {
    fn from(document: Document) -> Self {
        Self(document)
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
