//! Events to XML text.

use super::escape::{Fit, escape_into, hex_instruction, is_white_space};
use crate::{Event, Tag};

/// Writes one document, event by event.
pub(super) struct Writer {
    out: String,
    open: Vec<Tag>,
    last: Last,
}

/// What was written last, as far as white space is concerned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// The start of an element with content, and nothing inside yet.
    Start,
    /// White space alone behind a start, at this offset: kept as it is only if the element ends now.
    LoneSpace { at: usize },
    /// Text: white space behind it joins it.
    Text,
    /// Anything else.
    Markup,
}

impl Writer {
    /// A writer with room for what `bytes` bytes of WBXML usually become.
    pub(super) fn for_source(bytes: usize) -> Writer {
        Writer { out: String::with_capacity(bytes.min(16 << 20) * 2), open: Vec::with_capacity(16), last: Last::Markup }
    }

    #[inline]
    pub(super) fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start { tag, has_content } => self.start(tag, has_content),
            Event::End => self.end(),
            Event::Text(text) => self.text(text),
            Event::Opaque(bytes) => self.opaque(bytes),
        }
    }

    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.end();
        }
        self.out
    }

    fn start(&mut self, tag: Tag, has_content: bool) {
        self.protect_lone_space();
        self.out.push('<');
        push_name(&mut self.out, tag);
        if self.open.last().is_none_or(|parent| parent.page() != tag.page()) {
            self.out.push_str(" xmlns=\"");
            push_namespace(&mut self.out, tag);
            self.out.push('"');
        }
        if has_content {
            self.out.push('>');
            self.open.push(tag);
            self.last = Last::Start;
        } else {
            self.out.push_str("/>");
            self.last = Last::Markup;
        }
    }

    fn end(&mut self) {
        if let Some(tag) = self.open.pop() {
            self.out.push_str("</");
            push_name(&mut self.out, tag);
            self.out.push('>');
        }
        self.last = Last::Markup;
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let at = self.out.len();
        if self.last != Last::Text
            && text.as_bytes().first().is_some_and(|b| b.is_ascii_whitespace())
            && is_white_space(text)
        {
            self.white_space(text, at);
            return;
        }
        self.protect_lone_space();
        let at = self.out.len();
        if escape_into(&mut self.out, text) == Fit::Impossible {
            self.out.truncate(at);
            hex_instruction(&mut self.out, "text", text.as_bytes());
        }
        self.last = Last::Text;
    }

    fn opaque(&mut self, bytes: &[u8]) {
        self.protect_lone_space();
        hex_instruction(&mut self.out, "opaque", bytes);
        self.last = Last::Markup;
    }

    /// Writes white space that no text stands before.
    fn white_space(&mut self, text: &str, at: usize) {
        if self.last == Last::Start {
            let written = escape_into(&mut self.out, text);
            debug_assert_eq!(written, Fit::Written, "white space fits XML");
            self.last = Last::LoneSpace { at };
        } else {
            self.protect_lone_space();
            self.out.push_str(reference(text.as_bytes().first().copied()));
            escape_into(&mut self.out, text.get(1..).unwrap_or_default());
            self.last = Last::Text;
        }
    }

    /// Makes the first character of lone white space a reference, since more content follows and a reader would take it
    /// for layout.
    #[inline]
    fn protect_lone_space(&mut self) {
        if let Last::LoneSpace { at } = self.last {
            let space = self.out.split_off(at);
            self.out.push_str(reference(space.bytes().next()));
            // A CR is written as a reference already, which the first one stands for.
            self.out.push_str(space.strip_prefix(reference(Some(b'\r'))).or(space.get(1..)).unwrap_or_default());
            self.last = Last::Text;
        }
    }
}

/// The element's name, or `token-3F`.
pub(super) fn push_name(out: &mut String, tag: Tag) {
    match tag.name() {
        Some(name) => out.push_str(name),
        None => out.push_str(&format!("token-{:02X}", tag.token())),
    }
}

/// The page's namespace, or `page-26`.
pub(super) fn push_namespace(out: &mut String, tag: Tag) {
    match tag.namespace() {
        Some(namespace) => out.push_str(namespace),
        None => out.push_str(&format!("page-{}", tag.page())),
    }
}

/// The character reference of a white space character.
fn reference(byte: Option<u8>) -> &'static str {
    match byte {
        Some(b'\t') => "&#9;",
        Some(b'\n') => "&#10;",
        // Lone space that begins with the reference of a CR begins with its `&`.
        Some(b'\r' | b'&') => "&#13;",
        _ => "&#32;",
    }
}
