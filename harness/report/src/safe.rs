use std::{borrow::Cow, fmt::Write as _};

/// The text without characters that could steer a terminal: controls but line breaks and tabs, and marks that turn the
/// direction of writing. Each becomes visible as `\u{1b}`. What a server sends is shown, never obeyed.
pub fn safe(text: &str) -> Cow<'_, str> {
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) {
            // Writing to a String cannot fail.
            let _ = write!(out, "{}", c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Whether a character could make a reader see something else than what is there.
pub(crate) fn steers(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn escape_sequences_become_visible() {
        assert_eq!(safe("a\u{1b}[31mb\r\n"), "a\\u{1b}[31mb\\u{d}\n");
        assert_eq!(safe("x\u{202e}y"), "x\\u{202e}y");
        assert!(matches!(safe("plain\n\ttext é"), std::borrow::Cow::Borrowed(_)));
    }
}
