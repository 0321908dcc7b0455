//! `easrig encode`: XML text as WBXML.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use easrig_report::Exit;
use easrig_wbxml::{XmlErrorKind, xml};
use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;

use crate::{args::EncodeArgs, input, output::Output};

/// XML text that is no document.
#[derive(Debug, Error, Diagnostic)]
#[error("this text is no ActiveSync document")]
#[diagnostic(code(encode::xml))]
struct EncodeError {
    kind: XmlErrorKind,
    #[source_code]
    source_text: NamedSource<String>,
    #[label("{kind}")]
    at: SourceSpan,
}

pub(crate) fn encode(args: &EncodeArgs, output: &Output) -> miette::Result<Exit> {
    let text = input::read_text(args.file.as_deref())?;
    let bytes = xml::to_wbxml(&text).map_err(|error| EncodeError {
        at: span(&text, error.offset),
        kind: error.kind,
        source_text: NamedSource::new(input::name(args.file.as_deref()), text.clone()),
    })?;
    let hex = || bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n";
    let written = if args.base64 {
        (BASE64_STANDARD.encode(&bytes) + "\n").into_bytes()
    } else if args.hex || output.is_screen() {
        hex().into_bytes()
    } else {
        bytes
    };
    output.write(&written)?;
    Ok(Exit::Well)
}

/// The markup that begins at `offset`, to the end of its name.
fn span(text: &str, offset: usize) -> SourceSpan {
    let offset = offset.min(text.len());
    let rest = text.get(offset..).unwrap_or_default();
    let end = rest.char_indices().skip(1).find(|(_, c)| c.is_whitespace() || matches!(c, '>' | '<' | '/'));
    (offset, end.map_or(rest.len(), |(at, _)| at).min(80)).into()
}
