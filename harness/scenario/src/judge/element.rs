use easrig_eas::date::EasDate;
use easrig_wbxml::Element;

use crate::{
    decoded::Decoded,
    difference::{Owned, owned, owned_value},
    model::{ElementExpect, ElementType, Test},
};

use super::Bench;

impl Bench<'_> {
    pub(super) fn element(&mut self, expect: &ElementExpect, decoded: &Decoded) {
        let role = self.step.role;
        let path = match expect.at.bind(&|text| self.variables.substitute(role, text)) {
            Ok(path) => path,
            Err(unknown) => return self.unknown(&unknown),
        };
        let found = decoded.answer.root().map(|root| path.find_all(root)).unwrap_or_default();
        let (requirement, level) = (expect.requirement.as_deref(), expect.level);
        let say = |plain: String| expect.say.clone().unwrap_or(plain);
        let too_few = found.len() < expect.count.least;
        if too_few || expect.count.most.is_some_and(|most| found.len() > most) {
            let expected = match (expect.count.least, expect.count.most) {
                (_, Some(0)) => format!("no `{path}`"),
                (least, Some(most)) if least == most => format!("{} `{path}`", times(least)),
                (0, Some(most)) => format!("at most {} `{path}`", times(most)),
                (1, None) => format!("`{path}` in the answer"),
                (least, _) => format!("at least {} `{path}`", times(least)),
            };
            let actual = match found.len() {
                0 => format!("it is not there: {}", decoded.words()),
                n => format!("{} of them{}", n, shown(&found)),
            };
            return self.find(requirement, level, say(expected), actual);
        }
        let judged = if expect.each { found.as_slice() } else { found.get(..1).unwrap_or_default() };
        for element in judged {
            let text = element.text();
            for test in &expect.tests {
                let opaque = element.is_opaque();
                if let Some(wanted) = self.broken(test, &text, opaque) {
                    self.find(requirement, level, say(format!("`{path}` {wanted}")), quoted(&text));
                }
            }
        }
        if let (Some(name), Some(element)) = (&expect.save, found.first()) {
            // Its bytes are no text: in hex it fits into `<?opaque {name}?>`.
            let is_bytes = owned(element.tag()) == Some(Owned::Conversation);
            let value = if is_bytes { owned_value(*element) } else { element.text().into_owned() };
            self.save(name, &value);
        }
    }

    /// What the test wants, when `text` does not give it.
    pub(super) fn broken(&mut self, test: &Test, text: &str, opaque: bool) -> Option<String> {
        let (holds, wanted) = match test {
            Test::Equals(template) => {
                let value = self.text(template)?;
                (text == value, format!("to be {}", quoted(&value)))
            }
            Test::Not(template) => {
                let value = self.text(template)?;
                (text != value, format!("to be other than {}", quoted(&value)))
            }
            Test::OneOf(templates) => {
                let values: Vec<_> = templates.iter().filter_map(|template| self.text(template)).collect();
                let words: Vec<_> = values.iter().map(|value| quoted(value)).collect();
                (values.iter().any(|value| value == text), format!("to be one of {}", words.join(", ")))
            }
            Test::Matches(regex) => (regex.is_match(text), format!("to match `{regex}`")),
            Test::Contains(template) => {
                let value = self.text(template)?;
                (text.contains(&value), format!("to contain {}", quoted(&value)))
            }
            Test::Min(least) => {
                (number(text).is_some_and(|n| n >= *least), format!("to be a number of at least {least}"))
            }
            Test::Max(most) => (number(text).is_some_and(|n| n <= *most), format!("to be a number of at most {most}")),
            Test::Type(kind) => (is_of(*kind, text, opaque), format!("to be {}", words_of(*kind))),
            Test::Bytes(most) => {
                let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
                (length <= *most, format!("to have at most {most} bytes (it has {length})"))
            }
        };
        (!holds).then_some(wanted)
    }
}

fn number(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

fn is_of(kind: ElementType, text: &str, opaque: bool) -> bool {
    match kind {
        ElementType::Integer => number(text).is_some(),
        ElementType::Boolean => matches!(text, "0" | "1"),
        ElementType::Datetime => text.parse::<EasDate>().is_ok(),
        ElementType::Base64 => opaque || is_base64(text),
        ElementType::Opaque => opaque,
    }
}

/// Whether `text` is base64; line breaks inside are let pass, as the standard points to RFC 2045.
fn is_base64(text: &str) -> bool {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let body = digits.iter().rposition(|b| *b != b'=').map_or(0, |last| last + 1);
    digits.len().is_multiple_of(4)
        && digits.len() - body <= 2
        && digits.iter().take(body).all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
}

fn words_of(kind: ElementType) -> &'static str {
    match kind {
        ElementType::Integer => "a whole number",
        ElementType::Boolean => "`0` or `1`",
        ElementType::Datetime => "a date such as `20260101T090000Z` or `2026-01-01T09:00:00.000Z`",
        ElementType::Base64 => "base64",
        ElementType::Opaque => "OPAQUE data",
    }
}

fn times(count: usize) -> String {
    match count {
        1 => "one".to_owned(),
        n => n.to_string(),
    }
}

fn quoted(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        _ if text.is_empty() => "an empty text".to_owned(),
        Some((at, _)) => format!("`{}…`", text.get(..at).unwrap_or_default()),
        None => format!("`{text}`"),
    }
}

fn shown(found: &[Element<'_>]) -> String {
    let texts: Vec<_> = found.iter().filter(|e| e.is_leaf()).take(3).map(|e| quoted(&e.text())).collect();
    if texts.is_empty() { String::new() } else { format!(": {}", texts.join(", ")) }
}

/// The most characters of a text that stand in a finding.
const MAX_SHOWN: usize = 120;
