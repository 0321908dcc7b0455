//! Where things stand in a body or a query: both ways of rewriting them, the tap's and the scrubber's, walk the same.
//!
//! Each walk hands out pieces to be rewritten in place, so that lengths and structure stay whatever is done to them.

use std::collections::BTreeSet;
use std::ops::Range;

use easrig_eas::multipart::Multipart;
use easrig_wbxml::{Decoder, Event, Limits, Tag};

/// What a piece of an XML document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum XmlPiece {
    /// A tag with its brackets, a declaration or a processing instruction.
    Markup,
    /// Text or a CDATA section inside the element last opened.
    Text,
    /// The inside of a comment.
    Comment,
}

/// What a string of a JSON document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonPiece {
    /// The name of a value.
    Key,
    /// A value that is a string.
    Text,
    /// What stands between the strings: numbers, names and brackets.
    Between,
}

/// What a piece of a multipart answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartPiece {
    /// Everything behind the table of parts, before the parts are put back: what lies between them.
    Between,
    /// The document that comes first.
    Answer,
    /// A part that the document refers to.
    Data,
}

/// A field of a base64 query (MS-ASHTTP 2.2.1.1.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueryField {
    /// The device.
    DeviceId,
    /// The policy key, four bytes or none.
    PolicyKey,
    /// The type of device.
    DeviceType,
    /// A parameter by its tag.
    Parameter(u8),
}

/// Hands out the texts of a WBXML document with their element, and with `None` what cannot be decoded: bytes of its string
/// table that nothing refers to, and everything from the first error on.
pub(crate) fn wbxml(body: &mut [u8], mut piece: impl FnMut(Option<Tag>, &mut [u8])) {
    let found = texts(body);
    for range in string_table(body).map(|table| loose(&table, &found.texts)).unwrap_or_default() {
        if let Some(bytes) = body.get_mut(range) {
            bytes.split_mut(|byte| *byte == 0).filter(|text| !text.is_empty()).for_each(|text| piece(None, text));
        }
    }
    // Two elements may share a string of the table, which is rewritten once.
    let mut seen = BTreeSet::new();
    for (tag, range) in found.texts {
        if seen.insert((range.start, range.end))
            && let Some(bytes) = body.get_mut(range)
        {
            piece(Some(tag), bytes);
        }
    }
    if let Some(rest) = body.get_mut(found.end..).filter(|rest| !rest.is_empty()) {
        piece(None, rest);
    }
}

/// Hands out the pieces of an XML document with the local name of the element last opened.
pub(crate) fn xml(body: &mut [u8], mut piece: impl FnMut(XmlPiece, &str, &mut [u8])) {
    let mut name = String::new();
    let mut at = 0;
    while at < body.len() {
        let rest = body.get(at..).unwrap_or_default();
        let comment = rest.starts_with(b"<!--");
        let cdata = rest.starts_with(b"<![CDATA[");
        if rest.first() == Some(&b'<') && !comment && !cdata {
            let length = memchr::memchr(b'>', rest).map_or(rest.len(), |end| end.saturating_add(1));
            if let Some(opened) = opened(rest.get(..length).unwrap_or_default()) {
                name = opened;
            }
            let end = at.saturating_add(length);
            piece(XmlPiece::Markup, &name, body.get_mut(at..end).unwrap_or_default());
            at = end;
            continue;
        }
        let (skip, stop) = match (comment, cdata) {
            (true, _) => (4, &b"-->"[..]),
            (_, true) => (9, &b"]]>"[..]),
            _ => (0, &b"<"[..]),
        };
        let text = rest.get(skip..).unwrap_or_default();
        let length = memchr::memmem::find(text, stop).unwrap_or(text.len());
        let begin = at.saturating_add(skip);
        at = begin.saturating_add(length);
        let kind = if comment { XmlPiece::Comment } else { XmlPiece::Text };
        piece(kind, &name, body.get_mut(begin..at).unwrap_or_default());
        if comment || cdata {
            at = at.saturating_add(3);
        }
    }
}

/// Hands out the strings of a JSON document without their quotes, each value with the key last seen.
pub(crate) fn json(body: &mut [u8], mut piece: impl FnMut(JsonPiece, &str, &mut [u8])) {
    let mut key = String::new();
    let mut at = 0;
    while let Some(quote) = body.get(at..).and_then(|rest| memchr::memchr(b'"', rest)) {
        let begin = at.saturating_add(quote).saturating_add(1);
        piece(JsonPiece::Between, &key, body.get_mut(at..begin.saturating_sub(1)).unwrap_or_default());
        let end = begin.saturating_add(string_length(body.get(begin..).unwrap_or_default()));
        at = end.saturating_add(1);
        let behind = body.get(at..).unwrap_or_default().trim_ascii_start().first();
        let is_key = behind == Some(&b':');
        let string = body.get_mut(begin..end).unwrap_or_default();
        if is_key {
            key = String::from_utf8_lossy(string).into_owned();
            piece(JsonPiece::Key, &key, string);
        } else {
            piece(JsonPiece::Text, &key, string);
        }
    }
    piece(JsonPiece::Between, &key, body.get_mut(at..).unwrap_or_default());
}

/// Hands out the parts of a multipart answer; false when it is none, or when its parts overlap.
///
/// The table of parts stands.
pub(crate) fn multipart(body: &mut [u8], mut piece: impl FnMut(PartPiece, &mut [u8])) -> bool {
    let before = body.to_vec();
    let Ok(multipart) = Multipart::parse(&before) else { return false };
    let data = (1..).map_while(|part| multipart.data(part));
    let parts: Vec<&[u8]> = std::iter::once(multipart.answer()).chain(data).collect();
    let together = parts.iter().fold(0_usize, |sum, part| sum.saturating_add(part.len()));
    if together > before.len() {
        // Parts that overlap are no answer anybody reads, and rewriting each would take its toll.
        return false;
    }
    // One number for the count, two for each part.
    let table = parts.len().saturating_mul(8).saturating_add(4);
    piece(PartPiece::Between, body.get_mut(table..).unwrap_or_default());
    for (index, part) in parts.into_iter().enumerate() {
        let mut changed = part.to_vec();
        piece(if index == 0 { PartPiece::Answer } else { PartPiece::Data }, &mut changed);
        if let Some(place) = place(&before, part).and_then(|range| body.get_mut(range)) {
            place.copy_from_slice(&changed);
        }
    }
    true
}

/// Hands out the fields of a decoded base64 query and says how far it could be understood.
pub(crate) fn query(bytes: &mut [u8], mut piece: impl FnMut(QueryField, &mut [u8])) -> usize {
    let mut walk = || -> Option<()> {
        let mut at = 4;
        for field in [QueryField::DeviceId, QueryField::PolicyKey, QueryField::DeviceType] {
            piece(field, take(bytes, &mut at)?);
        }
        while at < bytes.len() {
            let tag = *bytes.get(at)?;
            at = at.checked_add(1)?;
            piece(QueryField::Parameter(tag), take(bytes, &mut at)?);
        }
        Some(())
    };
    // What broke in the middle is rewritten as a whole by whoever asked, on top of the fields before it.
    if walk().is_some() { bytes.len() } else { 0 }
}

/// The field at `at`: one byte of length, and as many bytes.
fn take<'b>(bytes: &'b mut [u8], at: &mut usize) -> Option<&'b mut [u8]> {
    let length = usize::from(*bytes.get(*at)?);
    let begin = at.checked_add(1)?;
    let end = begin.checked_add(length)?;
    let field = bytes.get_mut(begin..end)?;
    *at = end;
    Some(field)
}

/// Where the string table of a document stands: behind version, public id and charset (WBXML 5.3).
fn string_table(body: &[u8]) -> Option<Range<usize>> {
    let mut at = 1;
    if number(body, &mut at)? == 0 {
        number(body, &mut at)?;
    }
    number(body, &mut at)?;
    let length = number(body, &mut at)?;
    let end = at.checked_add(length)?;
    (length > 0 && end <= body.len()).then_some(at..end)
}

fn number(body: &[u8], at: &mut usize) -> Option<usize> {
    let mut value = 0_usize;
    loop {
        let byte = *body.get(*at)?;
        *at = at.checked_add(1)?;
        value = value.checked_mul(128)?.checked_add(usize::from(byte & 0x7F))?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
}

/// What of the table none of the texts covers.
fn loose(table: &Range<usize>, texts: &[(Tag, Range<usize>)]) -> Vec<Range<usize>> {
    let mut used: Vec<&Range<usize>> = texts.iter().map(|(_, range)| range).filter(|r| r.start < table.end).collect();
    used.sort_by_key(|range| range.start);
    let mut at = table.start;
    let mut loose = Vec::new();
    for range in used {
        if range.start > at {
            loose.push(at..range.start);
        }
        at = at.max(range.end);
    }
    loose.push(at..table.end);
    loose.retain(|range| range.start < range.end);
    loose
}
/// Where the texts of a document stand, and up to where it could be decoded.
struct Texts {
    texts: Vec<(Tag, Range<usize>)>,
    end: usize,
}

fn texts(body: &[u8]) -> Texts {
    let mut decoder = Decoder::prefix(body, Limits::default());
    let mut found = Texts { texts: Vec::new(), end: 0 };
    let mut open: Vec<Tag> = Vec::new();
    loop {
        found.end = decoder.offset().min(body.len());
        let text = match decoder.next_event() {
            Ok(Some(Event::Start { tag, .. })) => {
                open.push(tag);
                continue;
            }
            Ok(Some(Event::End)) => {
                open.pop();
                continue;
            }
            Ok(Some(Event::Text(text))) => text.as_bytes(),
            Ok(Some(Event::Opaque(bytes))) => bytes,
            // What follows the document is no document.
            Ok(None) => {
                found.end = body.len().saturating_sub(decoder.trailing().len());
                return found;
            }
            Err(_) => return found,
        };
        let (Some(tag), Some(range)) = (open.last(), place(body, text)) else { return found };
        found.texts.push((*tag, range));
    }
}

/// Where `part` stands in `whole`, when it is a part of it.
fn place(whole: &[u8], part: &[u8]) -> Option<Range<usize>> {
    if part.is_empty() {
        return Some(0..0);
    }
    let begin = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    let end = begin.checked_add(part.len())?;
    (end <= whole.len()).then_some(begin..end)
}

/// The local name of an opening tag.
fn opened(tag: &[u8]) -> Option<String> {
    let inner = tag.strip_prefix(b"<")?;
    let name: Vec<u8> = inner.iter().copied().take_while(|b| !b.is_ascii_whitespace() && !b"/>".contains(b)).collect();
    let local = name.rsplit(|b| *b == b':').next().unwrap_or_default();
    (!local.is_empty() && !inner.starts_with(b"?")).then(|| String::from_utf8_lossy(local).into_owned())
}

/// The length of a JSON string without its closing quote.
fn string_length(bytes: &[u8]) -> usize {
    let mut escaped = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' if !escaped => return at,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    bytes.len()
}
