//! The storage of a tree: nodes in document order, text and bytes in one buffer each.

use crate::{Event, Tag};

/// One element, text or opaque part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// The index behind the node's last descendant.
    pub(super) next: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Element {
        tag: Tag,
        has_content: bool,
        offset: usize,
    },
    /// A range of [`Arena::texts`].
    Text {
        start: usize,
        end: usize,
    },
    /// A range of [`Arena::blobs`].
    Opaque {
        start: usize,
        end: usize,
    },
}

/// The nodes of one document; the first is its root.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arena {
    nodes: Vec<Node>,
    texts: String,
    blobs: Vec<u8>,
    /// The elements still open, outermost first; empty once the document is complete.
    open: Vec<usize>,
}

impl Arena {
    /// An empty arena with room for what `bytes` bytes of a document usually hold.
    pub(super) fn for_source(bytes: usize) -> Arena {
        // A dense document has a node every nine bytes; text is never longer than its source. Growing is cheap
        // beside reserving too much for a hostile length, so the guess is bounded.
        let nodes = (bytes / 9).clamp(8, 1 << 15);
        let texts = bytes.min(1 << 20);
        Arena {
            nodes: Vec::with_capacity(nodes),
            texts: String::with_capacity(texts),
            blobs: Vec::new(),
            open: Vec::with_capacity(16),
        }
    }

    #[inline]
    pub(crate) fn start(&mut self, tag: Tag, has_content: bool, offset: usize) {
        let index = self.nodes.len();
        self.nodes.push(Node { kind: Kind::Element { tag, has_content, offset }, next: index + 1 });
        if has_content {
            self.open.push(index);
        }
    }

    #[inline]
    pub(crate) fn end(&mut self) {
        if let Some(index) = self.open.pop() {
            let next = self.nodes.len();
            if let Some(node) = self.nodes.get_mut(index) {
                node.next = next;
            }
        }
    }

    /// Adds text, which must be free of U+0000.
    #[inline]
    pub(crate) fn text(&mut self, text: &str) {
        let start = self.texts.len();
        self.texts.push_str(text);
        self.leaf(Kind::Text { start, end: self.texts.len() });
    }

    #[inline]
    pub(crate) fn opaque(&mut self, bytes: &[u8]) {
        let start = self.blobs.len();
        self.blobs.extend_from_slice(bytes);
        self.leaf(Kind::Opaque { start, end: self.blobs.len() });
    }

    /// Appends the subtree at `index` of another arena, with its offsets.
    pub(super) fn copy(&mut self, from: &Arena, index: usize) {
        from.replay_from(index, |event, offset| match event {
            Event::Start { tag, has_content } => self.start(tag, has_content, offset),
            Event::End => self.end(),
            Event::Text(text) => self.text(text),
            Event::Opaque(bytes) => self.opaque(bytes),
        });
    }

    /// The open elements, outermost first.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Ends every open element.
    pub(super) fn close(mut self) -> Arena {
        while !self.open.is_empty() {
            self.end();
        }
        self
    }

    pub(super) fn node(&self, index: usize) -> Option<&Node> {
        self.nodes.get(index)
    }

    pub(super) fn text_of(&self, start: usize, end: usize) -> &str {
        self.texts.get(start..end).unwrap_or_default()
    }

    pub(super) fn blob_of(&self, start: usize, end: usize) -> &[u8] {
        self.blobs.get(start..end).unwrap_or_default()
    }

    /// An upper estimate of the document's size in bytes.
    pub(super) fn encoded_size(&self) -> usize {
        self.nodes.len() * 6 + self.texts.len() + self.blobs.len()
    }

    /// The whole document as events.
    #[inline]
    pub(crate) fn replay<'a>(&'a self, mut take: impl FnMut(Event<'a>)) {
        self.replay_from(0, |event, _| take(event));
    }

    /// The subtree at `index` as events with offsets; only those of starts have a meaning.
    #[inline]
    pub(crate) fn replay_from<'a>(&'a self, index: usize, mut take: impl FnMut(Event<'a>, usize)) {
        let Some(root) = self.nodes.get(index) else { return };
        let mut ends: Vec<usize> = Vec::with_capacity(16);
        let subtree = self.nodes.get(index..root.next).unwrap_or_default();
        for (position, node) in (index..).zip(subtree) {
            while ends.last() == Some(&position) {
                ends.pop();
                take(Event::End, 0);
            }
            match node.kind {
                Kind::Element { tag, has_content, offset } => {
                    take(Event::Start { tag, has_content }, offset);
                    if has_content {
                        ends.push(node.next);
                    }
                }
                Kind::Text { start, end } => take(Event::Text(self.text_of(start, end)), 0),
                Kind::Opaque { start, end } => take(Event::Opaque(self.blob_of(start, end)), 0),
            }
        }
        for _ in ends {
            take(Event::End, 0);
        }
    }

    #[inline]
    fn leaf(&mut self, kind: Kind) {
        let next = self.nodes.len() + 1;
        self.nodes.push(Node { kind, next });
    }
}

impl PartialEq for Arena {
    fn eq(&self, other: &Arena) -> bool {
        // Texts and blobs lie in document order, so the ranges agree where the contents do.
        self.texts == other.texts
            && self.blobs == other.blobs
            && self.nodes.len() == other.nodes.len()
            && self.nodes.iter().zip(&other.nodes).all(|(one, two)| one.next == two.next && one.kind == two.kind)
    }
}

/// Equal but for the offset.
impl PartialEq for Kind {
    fn eq(&self, other: &Kind) -> bool {
        match (self, other) {
            (
                Kind::Element { tag, has_content, offset: _ },
                Kind::Element { tag: other_tag, has_content: other_has_content, offset: _ },
            ) => tag == other_tag && has_content == other_has_content,
            (Kind::Text { start, end }, Kind::Text { start: other_start, end: other_end })
            | (Kind::Opaque { start, end }, Kind::Opaque { start: other_start, end: other_end }) => {
                start == other_start && end == other_end
            }
            _ => false,
        }
    }
}
