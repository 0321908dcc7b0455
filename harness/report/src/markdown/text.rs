//! Text of others inside Markdown: shown as it is, whatever it holds.

use crate::safe;

/// The longest text that stands in a line, in characters.
const LINE_MOST: usize = 600;

/// Words in a line of prose. What GitHub would turn into a mention or a reference becomes code, where it does not.
pub(crate) fn inline(text: &str) -> String {
    let text = line(text);
    let calls = |text: &str| {
        let mut pairs = text.chars().zip(text.chars().skip(1));
        text.contains('@') || pairs.any(|(mark, next)| mark == '#' && next.is_ascii_digit())
    };
    if calls(&text) {
        return code(&text);
    }
    let mut out = String::with_capacity(text.len());
    // A pair of backticks is code in our own words as well.
    let mut pieces = text.split('`').peekable();
    let mut is_code = false;
    while let Some(piece) = pieces.next() {
        match (is_code, pieces.peek().is_some()) {
            (true, true) if !piece.is_empty() => out.push_str(&code(piece)),
            (true, _) => out.push_str(&format!("\\`{}", escaped(piece))),
            (false, _) => out.push_str(&escaped(piece)),
        }
        is_code = !is_code;
    }
    out
}

/// A name as code.
pub(crate) fn code(text: &str) -> String {
    let text = line(text);
    let fence = "`".repeat(longest_run(&text).saturating_add(1));
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A name inside a table.
pub(crate) fn table_cell(text: &str) -> String {
    inline(text).replace('|', "\\|")
}

/// Lines to be copied, each behind `margin`.
pub(crate) fn block(margin: &str, text: &str) -> String {
    let text = safe(text);
    let fence = "`".repeat(longest_run(&text).saturating_add(1).max(3));
    let lines: String = text.lines().map(|line| format!("{margin}{line}\n")).collect();
    format!("{margin}{fence}text\n{lines}{margin}{fence}\n")
}

fn line(text: &str) -> String {
    let text = safe(text).split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = text.chars().take(LINE_MOST).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_stays_text() {
        assert_eq!(inline("<b>*a*</b> [x](y)\n# | z"), r"\<b\>\*a\*\</b\> \[x\](y) # \| z");
        assert_eq!(inline("thanks @team, see #12"), "`thanks @team, see #12`");
        assert_eq!(inline("no `Responses` here"), "no `Responses` here");
        assert_eq!(inline("an odd ` tick"), r"an odd \` tick");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(block("  ", "a\n```\nb"), "  ````text\n  a\n  ```\n  b\n  ````\n");
        assert!(inline(&"x".repeat(5000)).chars().count() < 700);
    }
}
