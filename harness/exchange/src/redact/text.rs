use crate::salt::Salt;

/// Filler word by word. Punctuation stands, `kept` names stand (lower case, longest first), a `%XX` stands where it means
/// punctuation; the number of bytes stays.
pub(super) fn words(text: &str, kept: &[String], salt: &Salt) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut begins = true;
    while let Some(first) = rest.chars().next() {
        if begins && let Some(length) = kept_at(rest, kept) {
            let (name, behind) = rest.split_at(length);
            out.push_str(name);
            rest = behind;
        } else if let Some((escape, behind)) = escaped_punctuation(rest) {
            out.push_str(escape);
            rest = behind;
            begins = true;
            continue;
        } else if is_word(first) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(end);
            // Lower case in ASCII alone: other letters can change their length.
            out.push_str(&salt.scramble(&word.to_ascii_lowercase()));
            rest = behind;
        } else {
            out.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            begins = true;
            continue;
        }
        begins = false;
    }
    out
}

/// Whether everything is a number, a date or a time: digits and what stands between them.
pub fn is_plain(text: &str) -> bool {
    text.len() <= 32 && text.chars().all(|c| c.is_ascii_digit() || "TZ:.+- ".contains(c))
}

/// The length of the kept name that `text` begins with, when it ends where a word ends.
fn kept_at(text: &str, kept: &[String]) -> Option<usize> {
    let fits = |name: &&String| {
        let same = text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        let behind = text.get(name.len()..).and_then(|rest| rest.chars().next());
        // `alice` of `alice@elsewhere.example` belongs to another address.
        same && behind.is_none_or(|c| !is_word(c) && !"@.-".contains(c))
    };
    kept.iter().find(fits).map(String::len)
}

fn escaped_punctuation(text: &str) -> Option<(&str, &str)> {
    let (escape, behind) = text.split_at_checked(3)?;
    let byte = u8::from_str_radix(escape.strip_prefix('%')?, 16).ok()?;
    byte.is_ascii_punctuation().then_some((escape, behind))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || !c.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(text: &str) -> String {
        let kept = ["alice@easrig.test", "alice%40easrig.test", "alice"].map(str::to_owned);
        words(text, &kept, &Salt::new([1; 32]))
    }

    #[test]
    fn the_test_accounts_stand_and_others_do_not() {
        let masked = mask("\"Bob Ünal\" <Bob@corp.example>, Alice@easrig.test");
        assert_eq!(masked.len(), "\"Bob Ünal\" <Bob@corp.example>, Alice@easrig.test".len());
        assert!(masked.ends_with(">, Alice@easrig.test"), "{masked}");
        assert!(!masked.contains("Bob") && !masked.contains("corp") && !masked.contains('Ü'), "{masked}");
        assert_eq!(mask("bob@corp.example"), mask("BOB@CORP.EXAMPLE"));
    }

    #[test]
    fn a_name_inside_another_does_not_stand() {
        for other in ["malice", "alice2", "alice@elsewhere.example", "alice@easrig.test.evil.example"] {
            assert!(!mask(other).starts_with("alice"), "{}", mask(other));
        }
        assert_eq!(mask("alice%40easrig.test"), "alice%40easrig.test");
        assert!(mask("DOM%5Calice").ends_with("%5Calice"));
    }
}
