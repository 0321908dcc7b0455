//! Columns and lines.

use unicode_width::UnicodeWidthStr;

/// How many columns `text` takes.
pub(crate) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// `text` with spaces behind it, up to `columns`.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The text in at most `columns` columns; what is cut off shows as `…`.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        if width(&out) + 2 > columns {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// `text` at `indent`, broken between words so that no line is longer than `columns` where that can be done; it ends
/// with a line break.
pub(crate) fn wrap(text: &str, indent: usize, columns: usize) -> String {
    hang("", text, indent, columns)
}

/// As [`wrap`], with `label` before the first line and the others indented as deep.
pub(crate) fn hang(label: &str, text: &str, indent: usize, columns: usize) -> String {
    let room = columns.saturating_sub(indent + width(label)).max(16);
    let margin = " ".repeat(indent + width(label));
    let mut out = String::new();
    for (number, line) in text.lines().flat_map(|line| fold(line, room)).enumerate() {
        if number == 0 {
            out.push_str(&" ".repeat(indent));
            out.push_str(label);
        } else {
            out.push_str(&margin);
        }
        out.push_str(&line);
        out.push('\n');
    }
    out
}

fn fold(line: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let Some(last) = lines.last_mut() else { break };
        if last.is_empty() {
            last.push_str(word);
        } else if width(last) + 1 + width(word) <= room {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_hang_below_their_label() {
        assert_eq!(hang("why  ", "one two three four five six", 2, 24), "  why  one two three\n       four five six\n");
        assert_eq!(wrap("averyveryverylongwordthatfitsnowhere b", 0, 20), "averyveryverylongwordthatfitsnowhere\nb\n");
    }
}
