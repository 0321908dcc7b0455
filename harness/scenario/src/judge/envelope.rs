use easrig_eas::{Status, StatusScope};
use sha2::{Digest, Sha256};

use crate::{
    decoded::{Content, Decoded, http_equivalents, scope_of, status_words},
    model::{Expect, HeaderExpect, PartExpect},
    parse::hex,
    path::local_name,
};

use super::Bench;

impl Bench<'_> {
    /// HTTP status, main Status, time. True when a Status was said by its HTTP form, so that no document is due.
    pub(super) fn envelope(&mut self, expect: &Expect) -> bool {
        let Some(decoded) = self.decoded() else { return false };
        let in_http_form = self.said_by_http(expect, decoded);
        if !expect.http.is_empty() && !in_http_form && !self.http_holds(expect, decoded) {
            let expected = format!("HTTP {}", either(&expect.http));
            self.find(None, None, expected, decoded.words());
        }
        if !expect.status.is_empty() && !in_http_form {
            let seen = decoded.status.map(|(_, status)| status.0);
            if !seen.is_some_and(|seen| expect.status.contains(&seen)) {
                let scope = scope(decoded);
                let words: Vec<_> = expect.status.iter().map(|value| status_words(scope, Status(*value))).collect();
                self.find(None, None, words.join(" or "), decoded.words());
            }
        }
        if let Some(within) = expect.within {
            self.in_time(within);
        }
        in_http_form
    }

    fn in_time(&mut self, within: std::time::Duration) {
        let Some((exchange, decoded)) = self.evidence.exchange else { return };
        let took = std::time::Duration::from_micros(exchange.times.done);
        if decoded.http.is_none() || took > within {
            let what = if decoded.http.is_none() { "no answer after" } else { "the answer after" };
            let expected = format!("an answer within {} s", within.as_secs());
            self.find(None, None, expected, format!("{what} {:.1} s", took.as_secs_f64()));
        }
    }

    fn said_by_http(&mut self, expect: &Expect, decoded: &Decoded) -> bool {
        let Some(http) = decoded.http.filter(|http| *http != 200 && decoded.status.is_none()) else { return false };
        let meant = expect.status.iter().copied().find(|status| equivalents(decoded, *status).contains(&http));
        if let Some(status) = meant {
            let words = status_words(scope(decoded), Status(status));
            self.seen.notes.push(format!("HTTP {http} seen, which stands for {words}"));
        }
        meant.is_some()
    }

    fn http_holds(&mut self, expect: &Expect, decoded: &Decoded) -> bool {
        let Some(http) = decoded.http else { return false };
        if expect.http.contains(&http) {
            return true;
        }
        let Some((scope, status)) = decoded.status.filter(|_| http == 200) else { return false };
        let equivalent = http_equivalents(scope, status).into_iter().find(|code| expect.http.contains(code));
        if let Some(code) = equivalent {
            self.seen.notes.push(format!("{} seen in band, which stands for HTTP {code}", status_words(scope, status)));
        }
        equivalent.is_some()
    }

    pub(super) fn body(&mut self, expect: &Expect) {
        let Some(decoded) = self.decoded() else { return };
        if let Some(empty) = expect.empty
            && matches!(decoded.answer, Content::Empty) != empty
        {
            let expected = if empty { "no body" } else { "a body" };
            self.find(None, None, expected.to_owned(), decoded.words());
        }
        if let Some(root) = &expect.root {
            let seen = decoded.answer.root().map(|element| local_name(element.tag()));
            if seen.as_deref() != Some(root.as_str()) {
                let actual = seen.map_or_else(|| decoded.words(), |seen| format!("a {seen} document"));
                self.find(None, None, format!("a {root} document"), actual);
            }
        }
        if self.can_be_looked_into(expect, decoded) {
            for element in &expect.elements {
                self.element(element, decoded);
            }
        }
        if let Some(parts) = expect.parts
            && decoded.parts.len() != parts
        {
            let actual = match decoded.parts.len() {
                0 => format!("no multipart answer: {}", decoded.words()),
                n => format!("{n} parts"),
            };
            self.find(None, None, format!("a multipart answer of {parts} parts"), actual);
        }
        for part in &expect.part {
            self.part(part, decoded);
        }
    }

    /// Whether elements can be looked for. An error page has none of those that must not be there, and is no better for it.
    fn can_be_looked_into(&mut self, expect: &Expect, decoded: &Decoded) -> bool {
        let has_elements = match decoded.answer {
            Content::Document(_) => true,
            Content::Empty => decoded.http == Some(200),
            _ => false,
        };
        let as_the_file_says = decoded.http.is_some_and(|http| expect.http.contains(&http));
        let judged = has_elements || as_the_file_says;
        if !judged && let Some(first) = expect.elements.first() {
            let expected = first.say.clone().unwrap_or_else(|| format!("a document, to look for `{}` in", first.at));
            self.find(first.requirement.as_deref(), first.level, expected, decoded.words());
        }
        judged
    }

    fn part(&mut self, expect: &PartExpect, decoded: &Decoded) {
        let Some(part) = decoded.parts.get(expect.index) else {
            self.find(None, None, format!("a part {}", expect.index), format!("{} parts", decoded.parts.len()));
            return;
        };
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        if let Some(bytes) = expect.bytes.filter(|bytes| *bytes != length) {
            self.find(None, None, format!("{bytes} bytes in part {}", expect.index), format!("{length} bytes"));
        }
        if let Some(name) = &expect.sha256_of {
            let known = self.variables.get(self.step.role, name).unwrap_or(name).to_ascii_lowercase();
            let seen = hex(&Sha256::digest(part));
            if known != seen {
                let expected = format!("part {} with the SHA-256 {known}", expect.index);
                self.find(None, None, expected, format!("SHA-256 {seen} ({length} bytes)"));
            }
        }
        if let Some(text) = expect.contains.as_ref().and_then(|text| self.text(text))
            && !String::from_utf8_lossy(part).contains(&text)
        {
            self.find(None, None, format!("`{text}` in part {}", expect.index), "it is not there".to_owned());
        }
    }

    pub(super) fn header(&mut self, expect: &HeaderExpect) {
        let Some((exchange, decoded)) = self.evidence.exchange else { return };
        let Some(response) = exchange.response() else { return };
        let values: Vec<_> = response.headers.all(&expect.name).collect();
        let value = values.join(", ");
        let (requirement, level) = (expect.requirement.as_deref(), expect.level);
        match (values.is_empty(), expect.absent) {
            (true, true) => {}
            (true, false) => {
                let actual = format!("it is missing from the answer (HTTP {})", decoded.http.unwrap_or_default());
                self.find(requirement, level, format!("a header {}", expect.name), actual);
            }
            (false, true) => {
                let expected = format!("no header {}", expect.name);
                self.find(requirement, level, expected, format!("{}: {value}", expect.name));
            }
            (false, false) => {
                for test in &expect.tests {
                    if let Some(wanted) = self.broken(test, &value, false) {
                        let expected = format!("header {} {wanted}", expect.name);
                        self.find(requirement, level, expected, format!("`{value}`"));
                    }
                }
                if let Some(name) = &expect.save {
                    self.save(name, &value);
                }
            }
        }
    }
}

/// The HTTP codes that stand for `status` in the answer to this request.
pub(super) fn equivalents(decoded: &Decoded, status: u16) -> Vec<u16> {
    http_equivalents(scope(decoded), Status(status))
}

fn scope(decoded: &Decoded) -> StatusScope {
    decoded.status.map(|(scope, _)| scope).or(decoded.command().map(scope_of)).unwrap_or(StatusScope::Common)
}

fn either(codes: &[u16]) -> String {
    codes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}
