use std::{borrow::Cow, fmt, fmt::Write as _, str::FromStr};

use easrig_wbxml::{Builder, Document, Element, Tag};
use thiserror::Error;

use super::Flag;
use crate::status::Status;

/// A document that lacks the shape of its command.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{path}` {kind} at byte {offset}")]
pub struct ShapeError {
    /// The elements from the root down to the one that is wrong or missing, with `/` between them.
    pub path: String,
    /// What is wrong.
    pub kind: ShapeErrorKind,
    /// Where the element, or the one that lacks it, begins in the document.
    pub offset: usize,
}

/// What is wrong with an element.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ShapeErrorKind {
    /// It is not there.
    #[error("is missing")]
    Missing,
    /// Its text is no number of the expected size.
    #[error("holds `{0}`, expected a number")]
    NotANumber(String),
    /// Its text or tag is something else than the command allows.
    #[error("is `{found}`, expected {expected}")]
    Unexpected {
        /// What was found, cut to 64 characters.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
}

/// An element with the way to it, so that errors can name it.
#[derive(Clone, Copy)]
pub(super) struct Reader<'d, 'p> {
    element: Element<'d>,
    parent: Option<&'p Reader<'d, 'p>>,
}

impl<'d, 'p> Reader<'d, 'p> {
    /// The root of `document`, which must be `tag`.
    pub(super) fn root(document: &'d Document, tag: Tag, name: &'static str) -> Result<Self, ShapeError> {
        let root = Reader { element: document.root(), parent: None };
        match root.tag() == tag {
            true => Ok(root),
            false => Err(root.unexpected(&root.tag().to_string(), name)),
        }
    }

    /// The root of `document`, whatever it is.
    pub(super) fn any_root(document: &'d Document) -> Self {
        Reader { element: document.root(), parent: None }
    }

    pub(super) fn tag(&self) -> Tag {
        self.element.tag()
    }

    pub(super) fn element(&self) -> Element<'d> {
        self.element
    }

    /// The first child with this tag.
    pub(super) fn child<'s>(&'s self, tag: Tag) -> Option<Reader<'d, 's>> {
        self.element.child(tag).map(|element| Reader { element, parent: Some(self) })
    }

    /// The first child with this tag, which must be there.
    pub(super) fn need<'s>(&'s self, tag: Tag) -> Result<Reader<'d, 's>, ShapeError> {
        self.child(tag).ok_or_else(|| self.missing(tag))
    }

    /// Every child.
    pub(super) fn children<'s>(&'s self) -> impl Iterator<Item = Reader<'d, 's>> {
        self.element.children().map(move |element| Reader { element, parent: Some(self) })
    }

    /// Every child with this tag.
    pub(super) fn all<'s>(&'s self, tag: Tag) -> impl Iterator<Item = Reader<'d, 's>> {
        self.children().filter(move |child| child.tag() == tag)
    }

    pub(super) fn has(&self, tag: Tag) -> bool {
        self.element.child(tag).is_some()
    }

    pub(super) fn own_text(&self) -> Cow<'d, str> {
        self.element.text()
    }

    /// The text of the first child with this tag.
    pub(super) fn text<T: From<String>>(&self, tag: Tag) -> Option<T> {
        self.element.child_text(tag).map(|text| T::from(text.into_owned()))
    }

    /// The text of the first child with this tag, which must be there.
    pub(super) fn need_text<T: From<String>>(&self, tag: Tag) -> Result<T, ShapeError> {
        self.text(tag).ok_or_else(|| self.missing(tag))
    }

    /// The texts of every child with this tag.
    pub(super) fn texts<T: From<String>>(&self, tag: Tag) -> Vec<T> {
        self.all(tag).map(|child| T::from(child.own_text().into_owned())).collect()
    }

    /// The text of the first child with this tag, read as something that has a text form.
    pub(super) fn parsed<T: FromStr>(&self, tag: Tag, expected: &'static str) -> Result<Option<T>, ShapeError> {
        let Some(child) = self.child(tag) else { return Ok(None) };
        let text = child.own_text();
        text.trim().parse().map(Some).map_err(|_| child.unexpected(&text, expected))
    }

    /// The number in this element.
    pub(super) fn own_number<T: FromStr>(&self) -> Result<T, ShapeError> {
        let text = self.own_text();
        text.trim().parse().map_err(|_| self.error(ShapeErrorKind::NotANumber(cut(&text))))
    }

    /// The number in the first child with this tag.
    pub(super) fn number<T: FromStr>(&self, tag: Tag) -> Result<Option<T>, ShapeError> {
        self.child(tag).map(|child| child.own_number()).transpose()
    }

    /// The number in the first child with this tag, which must be there.
    pub(super) fn need_number<T: FromStr>(&self, tag: Tag) -> Result<T, ShapeError> {
        self.need(tag)?.own_number()
    }

    pub(super) fn status(&self, tag: Tag) -> Result<Option<Status>, ShapeError> {
        Ok(self.number(tag)?.map(Status))
    }

    pub(super) fn need_status(&self, tag: Tag) -> Result<Status, ShapeError> {
        self.need_number(tag).map(Status)
    }

    /// The switch in the first child with this tag.
    pub(super) fn flag(&self, tag: Tag) -> Result<Option<Flag>, ShapeError> {
        let Some(child) = self.child(tag) else { return Ok(None) };
        let text = child.own_text();
        match text.trim() {
            "" => Ok(Some(Flag::Empty)),
            "0" | "false" => Ok(Some(Flag::Value(false))),
            "1" | "true" => Ok(Some(Flag::Value(true))),
            other => Err(child.unexpected(other, "0 or 1")),
        }
    }

    /// The switch in the first child with this tag, where nobody cares how it was written.
    pub(super) fn switch(&self, tag: Tag) -> Result<Option<bool>, ShapeError> {
        Ok(self.flag(tag)?.map(Flag::is_on))
    }

    pub(super) fn unexpected(&self, found: &str, expected: &'static str) -> ShapeError {
        self.error(ShapeErrorKind::Unexpected { found: cut(found), expected })
    }

    pub(super) fn missing(&self, tag: Tag) -> ShapeError {
        let path = format!("{}/{}", self.path(), local(tag));
        ShapeError { path, kind: ShapeErrorKind::Missing, offset: self.element.offset() }
    }

    fn error(&self, kind: ShapeErrorKind) -> ShapeError {
        ShapeError { path: self.path(), kind, offset: self.element.offset() }
    }

    fn path(&self) -> String {
        let mut path = self.parent.map(|parent| parent.path() + "/").unwrap_or_default();
        path.push_str(&local(self.tag()));
        path
    }
}

/// The name alone: a path reads better without namespaces.
fn local(tag: Tag) -> Cow<'static, str> {
    tag.name().map_or_else(|| tag.to_string().into(), Cow::Borrowed)
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

/// Elements written only when there is something to write.
pub(super) trait Write {
    /// A leaf with the text of `value`.
    fn value(&mut self, tag: Tag, value: impl fmt::Display) -> &mut Self;
    /// A leaf with the text of `value`, if any.
    fn maybe(&mut self, tag: Tag, value: Option<impl fmt::Display>) -> &mut Self;
    /// `0` or `1`, if any.
    fn switch(&mut self, tag: Tag, value: Option<bool>) -> &mut Self;
    /// A switch as its owner writes it, if any.
    fn flag(&mut self, tag: Tag, value: Option<Flag>) -> &mut Self;
    /// The empty element, if `present`.
    fn present(&mut self, tag: Tag, present: bool) -> &mut Self;
}

impl Write for Builder {
    fn value(&mut self, tag: Tag, value: impl fmt::Display) -> &mut Self {
        let mut text = String::new();
        write!(text, "{value}").expect("a String takes any text");
        self.leaf(tag, &text)
    }

    fn maybe(&mut self, tag: Tag, value: Option<impl fmt::Display>) -> &mut Self {
        match value {
            Some(value) => self.value(tag, value),
            None => self,
        }
    }

    fn switch(&mut self, tag: Tag, value: Option<bool>) -> &mut Self {
        self.maybe(tag, value.map(u8::from))
    }

    fn flag(&mut self, tag: Tag, value: Option<Flag>) -> &mut Self {
        match value {
            Some(Flag::Empty) => self.empty(tag),
            Some(Flag::Value(value)) => self.value(tag, u8::from(value)),
            None => self,
        }
    }

    fn present(&mut self, tag: Tag, present: bool) -> &mut Self {
        if present { self.empty(tag) } else { self }
    }
}
