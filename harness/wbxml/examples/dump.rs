//! Prints a document one event a line, by numbers: `start PAGE TOKEN`, `text HEX`, `opaque HEX`, `end`.
//!
//! `tests/foreign` compares this with what other decoders read.

use std::error::Error;
use std::io::Write;

use easrig_wbxml::{Decoder, Event};

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(path)?;
        let mut decoder = Decoder::new(&bytes);
        while let Some(event) = decoder.next_event()? {
            match event {
                Event::Start { tag, has_content } => {
                    writeln!(out, "start {} {}", tag.page(), tag.token())?;
                    if !has_content {
                        writeln!(out, "end")?;
                    }
                }
                Event::End => writeln!(out, "end")?,
                Event::Text(text) => writeln!(out, "text {}", hex(text.as_bytes()))?,
                Event::Opaque(bytes) => writeln!(out, "opaque {}", hex(bytes))?,
            }
        }
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
