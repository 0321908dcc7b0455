//! XML text to a tree.

use quick_xml::NsReader;
use quick_xml::events::{BytesPI, BytesRef, BytesStart, Event as Markup};
use quick_xml::name::ResolveResult;
use thiserror::Error;

use crate::document::{Arena, Document};
use crate::{Limits, Tag};
use XmlErrorKind as Kind;

/// XML that is no document, with the place.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind} at line {line}, column {column}")]
pub struct XmlError {
    /// Bytes before the markup that is wrong.
    pub offset: usize,
    /// The line, counted from 1.
    pub line: usize,
    /// The character in its line, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub kind: XmlErrorKind,
}

/// What is wrong with XML text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum XmlErrorKind {
    /// The text is not well-formed XML.
    #[error("not well-formed XML: {0}")]
    Malformed(String),
    /// No element at all.
    #[error("no root element")]
    NoRoot,
    /// The text ends inside an element.
    #[error("the text ends inside `{0}`")]
    Unclosed(String),
    /// More than one element, or text beside it.
    #[error("content outside the root element")]
    OutsideRoot,
    /// An element in no namespace.
    #[error("element `{0}` has no namespace: add an attribute as in `xmlns=\"AirSync\"`")]
    NoNamespace(String),
    /// A namespace that is no code page.
    #[error("unknown namespace `{0}`")]
    UnknownNamespace(String),
    /// A name its code page does not have.
    #[error("unknown element `{name}` in namespace `{namespace}`")]
    UnknownElement {
        /// The namespace as written.
        namespace: String,
        /// The local name.
        name: String,
    },
    /// An attribute other than a namespace declaration.
    #[error("attribute `{0}` found, only namespace declarations are allowed")]
    Attribute(String),
    /// A document type declaration.
    #[error("document type declarations are not allowed")]
    DocumentType,
    /// An entity other than XML's own five.
    #[error("unknown entity `&{0};`")]
    UnknownEntity(String),
    /// A processing instruction other than `opaque` and `text`.
    #[error("processing instruction `{0}` found, `opaque` or `text` expected")]
    UnknownInstruction(String),
    /// The content of `opaque` or `text` is not pairs of hexadecimal digits.
    #[error("`{0}` holds something other than pairs of hexadecimal digits")]
    BadHex(String),
    /// The bytes of `text` are not UTF-8.
    #[error("the bytes of `text` are not valid UTF-8")]
    TextNotUtf8,
    /// U+0000, which no text of WBXML can hold.
    #[error("text holds U+0000; write it as `<?opaque HEX?>`")]
    NulInText,
    /// Elements nested deeper than the limit.
    #[error("elements nest deeper than {limit}")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
}

/// Reads a document in the XML form of this module.
///
/// Prefixed names are read too, and comments, CDATA and an XML declaration. Adjacent texts become one.
///
/// # Errors
///
/// When the text is not well-formed, has more than a document of ActiveSync elements, or nests deeper than the
/// [`Limits`] that decoding has by default.
pub fn parse(text: &str) -> Result<Document, XmlError> {
    let mut source = Source { reader: NsReader::from_str(text), tree: Tree::default() };
    source.reader.resolver_mut().set_max_namespace_bindings(MOST_BINDINGS);
    loop {
        let at = usize::try_from(source.reader.buffer_position()).unwrap_or(text.len());
        match source.step() {
            Ok(Progress::More) => {}
            Ok(Progress::Finished) => return Ok(Document::from_arena(source.tree.arena)),
            Err(kind) => return Err(place(text, at, kind)),
        }
    }
}

enum Progress {
    More,
    Finished,
}

struct Source<'t> {
    reader: NsReader<&'t [u8]>,
    tree: Tree,
}

impl Source<'_> {
    /// Reads one piece of markup or text.
    fn step(&mut self) -> Result<Progress, Kind> {
        let markup = self.reader.read_event().map_err(|error| Kind::Malformed(error.to_string()))?;
        match markup {
            Markup::Start(start) => {
                let tag = self.tag(&start)?;
                self.tree.start(tag, HasContent::Yes, start.name().0)?;
            }
            Markup::Empty(start) => {
                let tag = self.tag(&start)?;
                self.tree.start(tag, HasContent::No, start.name().0)?;
            }
            Markup::End(_) => self.tree.end()?,
            Markup::Text(text) => self.tree.literal(&text.xml10_content())?,
            Markup::CData(text) => self.tree.explicit(&text.xml10_content())?,
            Markup::GeneralRef(reference) => self.tree.explicit(referred(&reference)?.encode_utf8(&mut [0; 4]))?,
            Markup::PI(instruction) => self.tree.instruction(&instruction)?,
            Markup::DocType(_) => return Err(Kind::DocumentType),
            Markup::Decl(_) | Markup::Comment(_) => {}
            Markup::Eof => return self.tree.finished().map(|()| Progress::Finished),
        }
        Ok(Progress::More)
    }

    fn tag(&self, start: &BytesStart<'_>) -> Result<Tag, Kind> {
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| Kind::Malformed(error.to_string()))?;
            if attribute.key.as_namespace_binding().is_none() {
                return Err(Kind::Attribute(attribute.key.0.to_owned()));
            }
        }
        let (namespace, name) = self.reader.resolver().resolve_element(start.name());
        let name = name.into_inner();
        let ResolveResult::Bound(namespace) = namespace else { return Err(Kind::NoNamespace(name.to_owned())) };
        let namespace = namespace.0;
        Tag::lookup(namespace, name).ok_or_else(|| match Tag::lookup(namespace, ANY_TOKEN) {
            Some(_) => Kind::UnknownElement { namespace: namespace.to_owned(), name: name.to_owned() },
            None => Kind::UnknownNamespace(namespace.to_owned()),
        })
    }
}

/// The tree so far, and the text that has not found its place yet.
#[derive(Default)]
struct Tree {
    arena: Arena,
    open: Vec<Open>,
    run: String,
    run_is_layout: bool,
    has_root: bool,
}

struct Open {
    name: String,
    /// Whether an element, opaque or text part lies in it already.
    has_parts: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum HasContent {
    Yes,
    No,
}

/// What comes behind a run of text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Behind {
    Part,
    End,
}

impl Tree {
    fn start(&mut self, tag: Tag, has_content: HasContent, name: &str) -> Result<(), Kind> {
        let limit = Limits::default().depth;
        if self.open.len() >= limit {
            return Err(Kind::TooDeep { limit });
        }
        if self.open.is_empty() && self.has_root {
            return Err(Kind::OutsideRoot);
        }
        self.has_root = true;
        self.settle(Behind::Part);
        self.arena.start(tag, has_content == HasContent::Yes, 0);
        if has_content == HasContent::Yes {
            self.open.push(Open { name: name.to_owned(), has_parts: false });
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Kind> {
        self.settle(Behind::End);
        self.open.pop();
        self.arena.end();
        Ok(())
    }

    /// Text as it stands in the file: white space of it may be layout.
    fn literal(&mut self, text: &str) -> Result<(), Kind> {
        let is_space = text.bytes().all(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'));
        if self.open.is_empty() {
            return if is_space || (!self.has_root && text == BYTE_ORDER_MARK) {
                Ok(())
            } else {
                Err(Kind::OutsideRoot)
            };
        }
        self.extend(text, is_space)
    }

    /// Text somebody took the trouble to mark up: never layout.
    fn explicit(&mut self, text: &str) -> Result<(), Kind> {
        if self.open.is_empty() {
            return Err(Kind::OutsideRoot);
        }
        self.extend(text, false)
    }

    fn extend(&mut self, text: &str, is_layout: bool) -> Result<(), Kind> {
        if memchr::memchr(0, text.as_bytes()).is_some() {
            return Err(Kind::NulInText);
        }
        self.run_is_layout = is_layout && (self.run.is_empty() || self.run_is_layout);
        self.run.push_str(text);
        Ok(())
    }

    fn instruction(&mut self, instruction: &BytesPI<'_>) -> Result<(), Kind> {
        let target = instruction.target();
        if !matches!(target, "opaque" | "text") {
            return Err(Kind::UnknownInstruction(target.to_owned()));
        }
        let bytes = unhex(instruction.content()).ok_or_else(|| Kind::BadHex(target.to_owned()))?;
        if target == "text" {
            return self.explicit(std::str::from_utf8(&bytes).map_err(|_| Kind::TextNotUtf8)?);
        }
        if self.open.is_empty() {
            return Err(Kind::OutsideRoot);
        }
        self.settle(Behind::Part);
        self.arena.opaque(&bytes);
        Ok(())
    }

    /// Gives the collected text its place, or drops it as layout.
    fn settle(&mut self, behind: Behind) {
        let Some(open) = self.open.last_mut() else { return };
        let is_alone = behind == Behind::End && !open.has_parts;
        open.has_parts = true;
        if !self.run.is_empty() && (is_alone || !self.run_is_layout) {
            self.arena.text(&self.run);
        }
        self.run.clear();
        self.run_is_layout = false;
    }

    fn finished(&self) -> Result<(), Kind> {
        match self.open.last() {
            Some(open) => Err(Kind::Unclosed(open.name.clone())),
            None if self.has_root => Ok(()),
            None => Err(Kind::NoRoot),
        }
    }
}

/// The character that a character reference or one of XML's five entities stands for.
fn referred(reference: &BytesRef<'_>) -> Result<char, Kind> {
    let character = reference.resolve_char_ref().map_err(|error| Kind::Malformed(error.to_string()))?;
    if let Some(character) = character {
        return Ok(character);
    }
    match &*reference.xml10_content() {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        other => Err(Kind::UnknownEntity(other.to_owned())),
    }
}

/// Bytes from pairs of hexadecimal digits; white space is ignored.
fn unhex(digits: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    let mut digits = digits.chars().filter(|c| !c.is_ascii_whitespace()).map(|c| c.to_digit(16));
    while let Some(high) = digits.next() {
        let low = digits.next()?;
        bytes.push(u8::try_from(high? << 4 | low?).ok()?);
    }
    Some(bytes)
}

fn place(text: &str, at: usize, kind: Kind) -> XmlError {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    XmlError {
        offset: before.len(),
        line: before.bytes().filter(|b| *b == b'\n').count() + 1,
        column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        kind,
    }
}

/// A name every page has, to ask whether a namespace is a page.
const ANY_TOKEN: &str = "token-05";
const BYTE_ORDER_MARK: &str = "\u{FEFF}";
/// Namespace declarations in force at once: one on each of the deepest elements and a prefix for every page.
const MOST_BINDINGS: usize = 512;
