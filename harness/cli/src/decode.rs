//! `easrig decode`: WBXML as XML, JSON or a tree, and request lines in words.

use base64::{
    Engine as _,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use easrig_eas::query::QueryLine;
use easrig_report::{Exit, safe};
use easrig_wbxml::{Content, Document, Element, xml};
use miette::{IntoDiagnostic as _, miette};
use serde_json::{Value, json};

use crate::{
    args::{DecodeArgs, DecodeFormat},
    input,
    output::Output,
};

/// How every ActiveSync document begins, in hexadecimal and in base64.
const WBXML_HEX: &str = "03016a";
const WBXML_BASE64: &str = "AwFq";

pub(crate) fn decode(args: &DecodeArgs, output: &Output) -> miette::Result<Exit> {
    let bytes = input::read(args.file.as_deref())?;
    let text = match understand(&bytes, args)? {
        Subject::Query(line) => line.describe(),
        Subject::Document(bytes) => document(&bytes, args.format)?,
    };
    output.write(text.as_bytes())?;
    if output.is_screen() && !text.ends_with('\n') {
        output.write(b"\n")?;
    }
    Ok(Exit::Well)
}

/// What the input turned out to be.
enum Subject {
    Document(Vec<u8>),
    Query(Box<QueryLine>),
}

fn understand(bytes: &[u8], args: &DecodeArgs) -> miette::Result<Subject> {
    if args.hex {
        return Ok(Subject::Document(from_hex(&as_text(bytes)?)?));
    }
    if args.base64 {
        return from_base64(&as_text(bytes)?);
    }
    // Text can be no WBXML: that begins with the byte 3.
    match std::str::from_utf8(bytes).map(str::trim) {
        Ok(text) if text.bytes().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) => {
            guess(text, bytes)
        }
        _ => Ok(Subject::Document(bytes.to_vec())),
    }
}

/// Text without a flag: only what can be nothing else.
fn guess(text: &str, bytes: &[u8]) -> miette::Result<Subject> {
    let joined: String = text.split_ascii_whitespace().collect();
    if joined.to_ascii_lowercase().starts_with(WBXML_HEX) && joined.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(Subject::Document(from_hex(&joined)?));
    }
    if joined.starts_with(WBXML_BASE64) {
        return from_base64(&joined);
    }
    // A line of a server's log holds the query between `?` and the next blank.
    let query =
        text.split_once('?').map_or(text, |(_, query)| query.split_ascii_whitespace().next().unwrap_or_default());
    match QueryLine::parse(query) {
        Ok(line) if !text.starts_with('<') => Ok(Subject::Query(Box::new(line))),
        _ => Ok(Subject::Document(bytes.to_vec())),
    }
}

fn as_text(bytes: &[u8]) -> miette::Result<String> {
    let text = std::str::from_utf8(bytes).map_err(|error| miette!("byte {} is no text", error.valid_up_to()))?;
    Ok(text.split_ascii_whitespace().collect())
}

fn from_hex(text: &str) -> miette::Result<Vec<u8>> {
    let digits = text.strip_prefix("0x").unwrap_or(text).as_bytes();
    if !digits.len().is_multiple_of(2) {
        return Err(miette!("{} hexadecimal digits found, an even number expected", digits.len()));
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |(number, pair): (usize, &[u8])| match pair {
        [high, low] => match (digit(*high), digit(*low)) {
            (Some(high), Some(low)) => Ok(high << 4 | low),
            _ => Err(miette!("digit {} or the one behind it is not hexadecimal", number * 2 + 1)),
        },
        _ => Err(miette!("an odd digit")),
    };
    digits.chunks(2).enumerate().map(pair).collect()
}

fn from_base64(text: &str) -> miette::Result<Subject> {
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    let bytes = GeneralPurpose::new(alphabet, lenient).decode(text).into_diagnostic()?;
    // WBXML begins with its version, 1 to 3; a packed query with the protocol version, 25 at least.
    match bytes.first() {
        Some(first) if *first > 15 => Ok(Subject::Query(Box::new(QueryLine::from_bytes(&bytes).into_diagnostic()?))),
        _ => Ok(Subject::Document(bytes)),
    }
}

fn document(bytes: &[u8], format: DecodeFormat) -> miette::Result<String> {
    let wrong = |error: easrig_wbxml::DecodeError| {
        let report = miette!("not a WBXML document: {error}");
        match hint(bytes) {
            Some(hint) => report.wrap_err(hint),
            None => report,
        }
    };
    Ok(match format {
        DecodeFormat::Xml => xml::from_wbxml(bytes).map_err(wrong)?,
        DecodeFormat::Json => {
            let document = Document::decode(bytes).map_err(wrong)?;
            format!("{}\n", serde_json::to_string_pretty(&to_json(document.root())).into_diagnostic()?)
        }
        DecodeFormat::Tree => {
            let mut out = String::new();
            tree(Document::decode(bytes).map_err(wrong)?.root(), 0, &mut out);
            out
        }
    })
}

fn hint(bytes: &[u8]) -> Option<&'static str> {
    let head = bytes.get(..256.min(bytes.len())).unwrap_or_default().to_ascii_lowercase();
    let has = |word: &[u8]| head.windows(word.len()).any(|window| window == word);
    if bytes.is_empty() {
        Some("the input is empty")
    } else if has(b"<html") || has(b"<!doctype html") {
        Some("this is HTML, the error page of a server or proxy perhaps")
    } else if head.starts_with(b"<") {
        Some("this is XML text already; `easrig encode` turns it into WBXML")
    } else if head.starts_with(&[0x1f, 0x8b]) {
        Some("this is compressed with gzip; unpack it first")
    } else if bytes.starts_with(b"EASCAP") {
        Some("this is a file of exchanges, not one document")
    } else if head.is_ascii() && !head.contains(&0) {
        Some("this is text; if it stands for bytes, say --hex or --base64")
    } else {
        None
    }
}

/// An element as JSON: `content` is null without the content bit, else a list of elements, texts and opaque parts.
fn to_json(element: Element<'_>) -> Value {
    let tag = element.tag();
    let part = |content: Content<'_>| match content {
        Content::Element(child) => to_json(child),
        Content::Text(text) => json!({ "text": text }),
        Content::Opaque(bytes) => json!({ "opaque": hex(bytes) }),
    };
    json!({
        "name": tag.name(),
        "namespace": tag.namespace(),
        "page": tag.page(),
        "token": tag.token(),
        "offset": element.offset(),
        "content": element.has_content().then(|| element.contents().map(part).collect::<Vec<_>>()),
    })
}

/// One line per element and part, with the byte offset of its tag.
fn tree(element: Element<'_>, depth: usize, out: &mut String) {
    let margin = "  ".repeat(depth);
    let mark = if element.has_content() { "" } else { " /" };
    out.push_str(&format!("{:>6}  {margin}{}{mark}\n", element.offset(), element.tag()));
    for content in element.contents() {
        match content {
            Content::Element(child) => tree(child, depth + 1, out),
            Content::Text(text) => out.push_str(&format!("        {margin}  {}\n", safe(&format!("{text:?}")))),
            Content::Opaque(bytes) => {
                out.push_str(&format!("        {margin}  opaque {} bytes: {}\n", bytes.len(), hex(bytes)));
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
