use std::collections::BTreeMap;

use easrig_exchange::{Exchange, Headers, Redactor};
use easrig_scenario::{Content, Decoded, Finding};

/// Rewrites what findings quote of `raw` as it stands in the written exchange: contents, policy keys and device ids are no
/// more to be read in a sentence than in the bytes.
pub(crate) fn mask(findings: &mut [Finding], raw: &Exchange, redactor: &Redactor) {
    if findings.is_empty() {
        return;
    }
    let written = redactor.redact(raw.clone());
    let mut quotes = BTreeMap::new();
    let (before, after) = (Decoded::of(raw), Decoded::of(&written));
    learn(&mut quotes, &leaves(&before.request), &leaves(&after.request));
    learn(&mut quotes, &leaves(&before.answer), &leaves(&after.answer));
    let headers = |exchange: &Exchange| exchange.response().map(|response| values(&response.headers));
    learn(&mut quotes, &headers(raw).unwrap_or_default(), &headers(&written).unwrap_or_default());
    for text in findings.iter_mut().flat_map(|finding| [&mut finding.expected, &mut finding.actual]) {
        for (quote, instead) in &quotes {
            if text.contains(quote) {
                *text = text.replace(quote, instead);
            }
        }
    }
}

/// Redaction works in place, so that the same leaf is at the same position before and after.
fn learn(quotes: &mut BTreeMap<String, String>, before: &[String], after: &[String]) {
    for (old, new) in before.iter().zip(after).filter(|(old, new)| old != new && !old.contains(OWN)) {
        quotes.insert(quoted(old), quoted(new));
    }
}

fn leaves(content: &Content) -> Vec<String> {
    let elements = content.root().into_iter().flat_map(|root| root.descendants());
    elements.filter(|element| element.is_leaf()).map(|element| element.text().into_owned()).collect()
}

fn values(headers: &Headers) -> Vec<String> {
    headers.all_fields().map(|(_, value)| value.to_owned()).collect()
}

/// A text as findings quote it.
fn quoted(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        Some((at, _)) => format!("`{}…`", text.get(..at).unwrap_or_default()),
        None => format!("`{text}`"),
    }
}

/// How the mark of this program's own things begins; what carries it is nobody's content.
const OWN: &str = "easrig-";

/// The most characters of a text that a finding quotes.
const MAX_QUOTED: usize = 120;
