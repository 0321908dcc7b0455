//! Text files as Windows writes them.

use std::io::{self, BufRead, Read};

/// The longest line that is read; a longer one is cut into several.
const MAX_LINE: u64 = 32 << 20;

/// A text in UTF-8, with or without a byte order mark, or in UTF-16 with one, as UTF-8.
pub(crate) struct TextReader<R> {
    input: R,
    encoding: Option<Encoding>,
    /// Bytes of the file that are not decoded yet.
    raw: Vec<u8>,
    /// A first surrogate whose second did not come yet.
    high: Option<u16>,
    out: Vec<u8>,
    given: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

impl<R: Read> TextReader<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input, encoding: None, raw: Vec::new(), high: None, out: Vec::new(), given: 0 }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.out.clear();
        self.given = 0;
        while self.out.is_empty() {
            let before = self.raw.len();
            (&mut self.input).take(64 << 10).read_to_end(&mut self.raw)?;
            let is_end = self.raw.len() == before;
            let encoding = match self.encoding {
                Some(encoding) => encoding,
                None => self.begin(),
            };
            match encoding {
                Encoding::Utf8 => self.out.append(&mut self.raw),
                Encoding::Utf16Le => self.decode(u16::from_le_bytes),
                Encoding::Utf16Be => self.decode(u16::from_be_bytes),
            }
            if is_end {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Takes the byte order mark off.
    fn begin(&mut self) -> Encoding {
        let (encoding, mark) = match self.raw.as_slice() {
            [0xFF, 0xFE, ..] => (Encoding::Utf16Le, 2),
            [0xFE, 0xFF, ..] => (Encoding::Utf16Be, 2),
            [0xEF, 0xBB, 0xBF, ..] => (Encoding::Utf8, 3),
            _ => (Encoding::Utf8, 0),
        };
        self.raw.drain(..mark);
        self.encoding = Some(encoding);
        encoding
    }

    fn decode(&mut self, number: impl Fn([u8; 2]) -> u16) {
        let units = self
            .high
            .take()
            .into_iter()
            .chain(self.raw.chunks_exact(2).filter_map(|pair| pair.first_chunk::<2>().map(|pair| number(*pair))));
        let mut text = String::new();
        let mut last = None;
        for character in char::decode_utf16(units) {
            last = character.as_ref().err().map(|lone| lone.unpaired_surrogate());
            text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        if let Some(high @ 0xD800..0xDC00) = last {
            text.pop();
            self.high = Some(high);
        }
        let rest = self.raw.len() % 2;
        self.raw.drain(..self.raw.len() - rest);
        self.out = text.into_bytes();
    }
}

impl<R: Read> Read for TextReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.out.len() {
            self.refill()?;
        }
        let rest = self.out.get(self.given..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.given += count;
        Ok(count)
    }
}

/// The next line without its end; `None` at the end of the text. Bytes that are no UTF-8 are shown as such.
pub(crate) fn next_line(input: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    if input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    while matches!(line.last(), Some(b'\r' | b'\n')) {
        line.pop();
    }
    Ok(Some(String::from_utf8_lossy(&line).into_owned()))
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn lines(bytes: &[u8]) -> Vec<String> {
        let mut input = BufReader::new(TextReader::new(bytes));
        std::iter::from_fn(|| next_line(&mut input).unwrap()).collect()
    }

    #[test]
    fn every_encoding_gives_the_same_lines() {
        let text = "Zürich\r\n📱 phone\n\nend";
        let wide = |order: fn(u16) -> [u8; 2], mark: u16| -> Vec<u8> {
            std::iter::once(mark).chain(text.encode_utf16()).flat_map(order).collect()
        };
        let expected = ["Zürich", "📱 phone", "", "end"];
        assert_eq!(lines(text.as_bytes()), expected);
        assert_eq!(lines(&[b"\xef\xbb\xbf", text.as_bytes()].concat()), expected);
        assert_eq!(lines(&wide(u16::to_le_bytes, 0xFEFF)), expected);
        assert_eq!(lines(&wide(u16::to_be_bytes, 0xFEFF)), expected);
    }

    #[test]
    fn a_surrogate_pair_over_two_blocks_is_one_character() {
        let text = format!("x{}", "📱".repeat(50_000));
        let bytes: Vec<u8> = [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(lines(&bytes), [text]);
    }
}
