/// How the bytes of a text stand for characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    Utf8,
    /// ISO 8859-1 and -15, Windows-1252: a byte each.
    Latin,
    Utf16 {
        order: Endian,
    },
    /// Any other.
    Unknown,
}

/// Which byte of two comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endian {
    Big,
    Little,
}

impl Charset {
    /// The charset of this name; without one it is guessed from the bytes.
    pub(super) fn of(name: Option<&str>, bytes: &[u8]) -> Self {
        let name = name.map(str::to_ascii_lowercase);
        match name.as_deref() {
            Some("iso-8859-1" | "iso-8859-15" | "latin1" | "windows-1252" | "cp1252") => Self::Latin,
            Some("utf-16be") => Self::Utf16 { order: Endian::Big },
            Some("utf-16le") => Self::Utf16 { order: Endian::Little },
            Some("utf-16" | "unicode") | None => Self::guess(bytes),
            Some("utf-8" | "us-ascii" | "ascii" | "utf8") => Self::Utf8,
            Some(_) => Self::Unknown,
        }
    }

    /// UTF-16 by its mark or by the zeros of its ASCII letters, else UTF-8.
    fn guess(bytes: &[u8]) -> Self {
        let zeros = |odd: usize| bytes.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
        let half = bytes.len() / 2;
        match bytes {
            [0xFE, 0xFF, ..] => Self::Utf16 { order: Endian::Big },
            [0xFF, 0xFE, ..] => Self::Utf16 { order: Endian::Little },
            _ if half == 0 || bytes.len() % 2 == 1 => Self::Utf8,
            _ if zeros(0) > half / 2 && zeros(1) == 0 => Self::Utf16 { order: Endian::Big },
            _ if zeros(1) > half / 2 && zeros(0) == 0 => Self::Utf16 { order: Endian::Little },
            _ => Self::Utf8,
        }
    }

    /// The text, when the bytes are one: without control characters but those that lay out lines.
    pub(super) fn decode(self, bytes: &[u8]) -> Option<String> {
        let text = match self {
            Self::Utf8 => std::str::from_utf8(bytes).ok()?.to_owned(),
            Self::Latin => bytes.iter().map(|byte| char::from(*byte)).collect(),
            Self::Utf16 { order } => {
                let (pairs, rest) = bytes.as_chunks::<2>();
                let unit = |pair: &[u8; 2]| match order {
                    Endian::Big => u16::from_be_bytes(*pair),
                    Endian::Little => u16::from_le_bytes(*pair),
                };
                let units: Vec<u16> = pairs.iter().map(unit).collect();
                String::from_utf16(&units).ok().filter(|_| rest.is_empty())?
            }
            Self::Unknown => return None,
        };
        let lays_out = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{b}' | '\u{c}');
        text.chars().all(|c| !c.is_ascii_control() || lays_out(c)).then_some(text)
    }

    /// The bytes of a text; `None` when it holds what the charset does not have.
    pub(super) fn encode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Utf8 => Some(text.as_bytes().to_vec()),
            Self::Latin => text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect(),
            Self::Utf16 { order } => Some(
                text.encode_utf16()
                    .flat_map(|unit| match order {
                        Endian::Big => unit.to_be_bytes(),
                        Endian::Little => unit.to_le_bytes(),
                    })
                    .collect(),
            ),
            Self::Unknown => None,
        }
    }
}
