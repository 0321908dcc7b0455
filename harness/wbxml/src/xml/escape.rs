//! Characters of text that XML cannot hold as they are.

/// Whether XML 1.0 can hold a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It was written.
    Written,
    /// It has a character outside XML's range; what was written of it must go.
    Impossible,
}

/// Appends `text` with its markup characters and CR escaped.
pub(super) fn escape_into(out: &mut String, text: &str) -> Fit {
    let bytes = text.as_bytes();
    let mut copied = 0;
    let mut at = 0;
    while let Some(ahead) = bytes.get(at..).and_then(|rest| rest.iter().position(|b| special(*b))) {
        at += ahead;
        let replacement = match bytes.get(at) {
            Some(b'<') => "&lt;",
            Some(b'>') => "&gt;",
            Some(b'&') => "&amp;",
            Some(b'\r') => "&#13;",
            Some(&NONCHARACTER_LEAD) if !is_noncharacter(bytes, at) => {
                at += 1;
                continue;
            }
            _ => return Fit::Impossible,
        };
        out.push_str(text.get(copied..at).unwrap_or_default());
        out.push_str(replacement);
        at += 1;
        copied = at;
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Fit::Written
}

/// Appends `<?target HEX?>`.
pub(super) fn hex_instruction(out: &mut String, target: &str, bytes: &[u8]) {
    out.reserve(bytes.len() * 2 + target.len() + 5);
    out.push_str("<?");
    out.push_str(target);
    out.push(' ');
    for byte in bytes {
        for digit in [byte >> 4, byte & 0x0F] {
            out.push(char::from(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }));
        }
    }
    out.push_str("?>");
}

/// Whether text is not empty and nothing but XML's white space.
pub(super) fn is_white_space(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'))
}

#[inline]
fn special(byte: u8) -> bool {
    SPECIAL[usize::from(byte)]
}

/// Whether U+FFFE or U+FFFF begins at `at`.
fn is_noncharacter(bytes: &[u8], at: usize) -> bool {
    matches!(bytes.get(at + 1..at + 3), Some([0xBF, 0xBE | 0xBF]))
}

/// The first byte of U+FFFE and U+FFFF, and of many harmless characters.
const NONCHARACTER_LEAD: u8 = 0xEF;

/// Bytes that cannot simply be copied.
static SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        special[byte] = !matches!(byte as u8, b'\t' | b'\n');
        byte += 1;
    }
    special[b'<' as usize] = true;
    special[b'>' as usize] = true;
    special[b'&' as usize] = true;
    special[NONCHARACTER_LEAD as usize] = true;
    special
};
