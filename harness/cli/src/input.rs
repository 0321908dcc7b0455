//! Bytes from a file or from stdin.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use miette::{IntoDiagnostic as _, WrapErr as _, miette};

/// The most bytes that are read: the largest message of any server, and room.
const MAX_INPUT: u64 = 256 << 20;

/// Everything in `path`; `-` and nothing at all are stdin.
///
/// # Errors
/// When it cannot be opened or read, or is too long.
pub(crate) fn read(path: Option<&Path>) -> miette::Result<Vec<u8>> {
    match path.filter(|path| *path != Path::new("-")) {
        None => drain(io::stdin().lock()).wrap_err("cannot read from stdin"),
        Some(path) => {
            let file = File::open(path).into_diagnostic();
            file.and_then(drain).wrap_err_with(|| format!("cannot read `{}`", path.display()))
        }
    }
}

/// As [`read`], for text.
///
/// # Errors
/// As [`read`], and when it is not UTF-8.
pub(crate) fn read_text(path: Option<&Path>) -> miette::Result<String> {
    String::from_utf8(read(path)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        miette!("{} is not UTF-8 text: byte {at} is wrong", name(path))
    })
}

/// How `path` is named to people.
pub(crate) fn name(path: Option<&Path>) -> String {
    path.filter(|path| *path != Path::new("-")).map_or_else(|| "stdin".to_owned(), |path| path.display().to_string())
}

fn drain(input: impl Read) -> miette::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(MAX_INPUT + 1).read_to_end(&mut bytes).into_diagnostic()?;
    if bytes.len() as u64 > MAX_INPUT {
        return Err(miette!("it has more than {MAX_INPUT} bytes"));
    }
    Ok(bytes)
}
