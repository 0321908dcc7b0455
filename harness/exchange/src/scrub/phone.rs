use super::pseudonym::NUMBER;

/// No telephone number has more digits (E.164 has 15), with the two zeros that dial out.
const LONGEST: usize = 17;

/// The most characters between two groups of digits: `) `, ` - `.
const WIDEST: usize = 3;

/// The digits of a telephone number in groups that `text` begins with, and its length in bytes. `before` is what stands in
/// front of it. Numbers in one group are words like others.
///
/// One is known by `+`, `(` or 0 before its first group, or by groups as in North America; dates are none.
pub(super) fn telephone(text: &str, before: Option<char>) -> Option<(String, usize)> {
    let mut digits = String::new();
    let mut groups: Vec<usize> = Vec::new();
    let (mut at, mut end) = (0, 0);
    loop {
        let rest = text.get(at..)?;
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        let group = rest.get(..length).filter(|group| !group.is_empty())?;
        let behind = rest.get(length..)?;
        if behind.starts_with(super::text::is_word) || digits.len().saturating_add(length) > LONGEST {
            break;
        }
        // `+49 (0)30`: dialled inside the country only, and no part of the number.
        if !(group == "0" && behind.starts_with(')') && text.get(..at).is_some_and(|text| text.ends_with('('))) {
            digits.push_str(group);
            groups.push(length);
        }
        end = at.saturating_add(length);
        let gap: usize = behind.chars().take(WIDEST).take_while(|c| is_between(*c)).map(char::len_utf8).sum();
        at = end.saturating_add(gap);
        if gap == 0 || !text.get(at..).is_some_and(|next| next.starts_with(|c: char| c.is_ascii_digit())) {
            break;
        }
    }
    let date = matches!(groups.as_slice(), [1 | 2, 1 | 2, 4, ..] | [4, 1 | 2, 1 | 2, ..]) && !digits.starts_with("00");
    let marked = before == Some('+') || (before == Some('(') || digits.starts_with('0')) && !date;
    let american = matches!(groups.as_slice(), [3, 4] | [3, 3, 4] | [1, 3, 3, 4]);
    let is_one = groups.len() > 1 && digits.len() >= NUMBER && (marked || american);
    is_one.then_some((digits, end))
}

/// Puts other digits where those of a number stand; the rest stands, `(0)` among it.
pub(super) fn spelled(text: &str, digits: &str) -> String {
    let mut digits = digits.chars();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (piece, behind) = match rest.strip_prefix("(0)") {
            Some(behind) => ("(0)", behind),
            None => rest.split_at(first.len_utf8()),
        };
        match digits.as_str().is_empty() || piece.len() > 1 || !first.is_ascii_digit() {
            true => out.push_str(piece),
            false => out.extend(digits.next()),
        }
        rest = behind;
    }
    out
}

fn is_between(c: char) -> bool {
    " -./()\u{a0}".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_known_by_how_people_write_them() {
        let digits = |text: &str, before| telephone(text, before).map(|(digits, _)| digits);
        assert_eq!(digits("49 30 1234", Some('+')).as_deref(), Some("49301234"));
        assert_eq!(digits("49 (0)30 1234", Some('+')).as_deref(), Some("49301234"));
        assert_eq!(digits("030) 1234 and", Some('(')).as_deref(), Some("0301234"));
        assert_eq!(digits("030/12 34-5", None).as_deref(), Some("03012345"));
        assert_eq!(digits("01 23 45 67 89", None).as_deref(), Some("0123456789"));
        assert_eq!(digits("0049 30 12 34", None).as_deref(), Some("0049301234"));
        assert_eq!(digits("555-123-4567.", None).as_deref(), Some("5551234567"));
        for none in
            ["2024-01-01", "01.02.2024 10:00", "192.168.1.20", "12 34 56 78", "0301234", "555-12 34", "030 12ab"]
        {
            assert_eq!(digits(none, None), None, "{none}");
        }
    }

    #[test]
    fn a_spelling_keeps_its_form() {
        assert_eq!(spelled("49 (0)30 12-34", "58716233"), "58 (0)71 62-33");
    }
}
