//! A small tree for the small XML documents of Autodiscover and WAP provisioning, read with bounds: names with their
//! namespaces, attributes, and text with its entities resolved. Document types are refused, so nothing can expand.

use quick_xml::{
    NsReader, XmlVersion,
    escape::{escape, resolve_predefined_entity},
    events::{BytesRef, BytesStart, Event},
    name::ResolveResult,
};
use thiserror::Error;

/// The largest document that is read, in bytes.
pub const MAX_DOCUMENT: usize = 256 * 1024;
const MAX_DEPTH: usize = 32;
const MAX_NODES: usize = 4096;

/// An element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Node {
    /// Empty where it has none.
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Node>,
    text: String,
}

/// Why a document cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MarkupError {
    /// Nothing but white space.
    #[error("the document is empty")]
    Empty,
    /// Longer than [`MAX_DOCUMENT`], deeper or wider than any real one.
    #[error("the document is larger than any real one")]
    TooLarge,
    /// Not well-formed.
    #[error("the document is not well-formed XML at byte {at}: {reason}")]
    Malformed {
        /// Where the reader stood.
        at: u64,
        /// What it met.
        reason: String,
    },
}

impl Node {
    pub(crate) fn parse(text: &str) -> Result<Self, MarkupError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim().is_empty() {
            return Err(MarkupError::Empty);
        }
        if text.len() > MAX_DOCUMENT {
            return Err(MarkupError::TooLarge);
        }
        let mut reader = NsReader::from_str(text);
        let mut tree = Tree::default();
        while tree.root.is_none() || !tree.open.is_empty() {
            let malformed = |at, reason: String| MarkupError::Malformed { at, reason };
            let event = match reader.read_event() {
                Ok(event) => event,
                Err(error) => return Err(malformed(reader.error_position(), error.to_string())),
            };
            let at = reader.buffer_position();
            match event {
                Event::Start(start) => tree.start(node(&reader, &start).map_err(|reason| malformed(at, reason))?)?,
                Event::Empty(start) => {
                    tree.start(node(&reader, &start).map_err(|reason| malformed(at, reason))?)?;
                    tree.end();
                }
                Event::End(_) => tree.end(),
                Event::Text(text) => tree.text(&text.xml_content(XmlVersion::Implicit1_0)),
                Event::CData(text) => tree.text(&text.xml_content(XmlVersion::Implicit1_0)),
                Event::GeneralRef(reference) => {
                    tree.text(&referred(&reference).map_err(|reason| malformed(at, reason))?);
                }
                Event::DocType(_) => return Err(malformed(at, "a document type is not read".to_owned())),
                Event::Eof => return Err(malformed(at, "the document ends inside an element".to_owned())),
                Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            }
        }
        tree.root.ok_or(MarkupError::Empty)
    }

    /// The text between the tags, without the white space around it.
    pub(crate) fn text(&self) -> &str {
        self.text.trim()
    }

    /// The children of that name, whatever their namespace.
    pub(crate) fn all<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n Node> {
        self.children.iter().filter(move |child| child.name == name)
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(crate) fn child_text(&self, name: &str) -> Option<String> {
        self.child(name).map(|child| child.text().to_owned())
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The text for an element's content or an attribute's value; what XML 1.0 cannot hold is left out.
pub(crate) fn escaped(text: &str) -> String {
    let legal: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r')).collect();
    escape(legal).into_owned()
}

fn node(reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<Node, String> {
    let (namespace, name) = reader.resolver().resolve_element(start.name());
    let namespace = match namespace {
        ResolveResult::Bound(namespace) => namespace.0.to_owned(),
        ResolveResult::Unbound => String::new(),
        ResolveResult::Unknown(prefix) => return Err(format!("prefix `{prefix:?}` is not declared")),
    };
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| error.to_string())?;
        attributes.push((attribute.key.0.to_owned(), value.into_owned()));
    }
    Ok(Node { namespace, name: name.into_inner().to_owned(), attributes, ..Node::default() })
}

fn referred(reference: &BytesRef<'_>) -> Result<String, String> {
    match reference.resolve_char_ref() {
        Ok(Some(c)) => Ok(c.to_string()),
        Ok(None) => resolve_predefined_entity(reference)
            .map(str::to_owned)
            .ok_or_else(|| "an entity that XML does not define".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[derive(Default)]
struct Tree {
    open: Vec<Node>,
    root: Option<Node>,
    nodes: usize,
}

impl Tree {
    fn start(&mut self, node: Node) -> Result<(), MarkupError> {
        self.nodes += 1;
        if self.open.len() >= MAX_DEPTH || self.nodes > MAX_NODES {
            return Err(MarkupError::TooLarge);
        }
        self.open.push(node);
        Ok(())
    }

    fn end(&mut self) {
        let Some(node) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => self.root = Some(node),
        }
    }

    /// Text outside the root belongs to nobody.
    fn text(&mut self, text: &str) {
        if let Some(open) = self.open.last_mut() {
            open.text.push_str(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_attributes_and_text_are_read() {
        let node = Node::parse(
            "\u{feff}<?xml version=\"1.0\"?>\n<!-- c --><a xmlns=\"u:1\" t=\"x &amp; y\"><p:b xmlns:p=\"u:2\"> 1 &lt; &#50;<![CDATA[ & ]]></p:b><c/></a>\n",
        )
        .unwrap();
        assert_eq!((node.namespace.as_str(), node.name.as_str()), ("u:1", "a"));
        assert_eq!(node.attribute("t"), Some("x & y"));
        assert_eq!(node.child_text("b").as_deref(), Some("1 < 2 &"));
        assert_eq!(node.child("b").unwrap().namespace, "u:2");
        assert_eq!(node.all("c").count(), 1);
    }

    #[test]
    fn hostile_documents_are_refused() {
        assert_eq!(Node::parse(" \n"), Err(MarkupError::Empty));
        assert_eq!(Node::parse(&"<a>".repeat(33)), Err(MarkupError::TooLarge));
        assert_eq!(Node::parse(&format!("<a>{}</a>", "<b/>".repeat(4096))), Err(MarkupError::TooLarge));
        assert_eq!(Node::parse(&" x".repeat(MAX_DOCUMENT)), Err(MarkupError::TooLarge));
        for text in [
            "plain",
            "<a>",
            "<a></b>",
            "<a>&bomb;</a>",
            "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
            "<p:a/>",
            "<a b=\"1\" b=\"2\"/>",
        ] {
            assert!(matches!(Node::parse(text), Err(MarkupError::Malformed { .. })), "{text}");
        }
    }

    #[test]
    fn escaped_text_reads_back() {
        let text = "a<b>&\"'\u{1}ü";
        assert_eq!(Node::parse(&format!("<a>{}</a>", escaped(text))).unwrap().text(), "a<b>&\"'ü");
    }
}
