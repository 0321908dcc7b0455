//! Which headers a device sends, in which order and spelling.

use std::collections::BTreeMap;

use easrig_eas::Command;
use easrig_exchange::{Exchange, ExchangeNumber};

use super::facts::Facts;
use crate::Confidence;

/// The header lists, as they grow: a header that only some requests have finds its place between its neighbours.
#[derive(Debug, Default)]
pub(super) struct Lines {
    lists: BTreeMap<&'static str, (Vec<String>, Option<ExchangeNumber>)>,
    /// The situations in which the User-Agent was there, and those in which it was not.
    agents: BTreeMap<&'static str, bool>,
}

/// The most headers of a list.
const MOST_HEADERS: usize = 64;

impl Lines {
    pub(super) fn options(&mut self, exchange: &Exchange, facts: &mut Facts) {
        self.add("options", "options", exchange, facts);
    }

    pub(super) fn post(&mut self, exchange: &Exchange, base64: bool, command: Command, facts: &mut Facts) {
        let situation = if base64 { "base64-post" } else { "plain-post" };
        let list = if command == Command::Ping { "ping" } else { "post" };
        self.add(list, situation, exchange, facts);
    }

    pub(super) fn autodiscover(&mut self, exchange: &Exchange, facts: &mut Facts) {
        if exchange.request.url.path().to_ascii_lowercase().contains("autodiscover") {
            self.add("autodiscover", "autodiscover", exchange, facts);
        }
    }

    /// In which situations the User-Agent is there, among those seen.
    pub(super) fn agents(&self) -> &BTreeMap<&'static str, bool> {
        &self.agents
    }

    fn add(&mut self, list: &'static str, situation: &'static str, exchange: &Exchange, facts: &mut Facts) {
        let sent = &exchange.request.headers;
        self.agents.entry(situation).or_insert_with(|| sent.get("User-Agent").is_some());
        let lines: Vec<String> = sent.iter().filter_map(|(name, value)| line(name, value, list)).collect();
        let (known, at) = self.lists.entry(list).or_default();
        let before = known.len();
        merge(known, lines);
        if known.len() != before {
            at.get_or_insert(exchange.number);
            let at = at.unwrap_or(exchange.number);
            facts.replace(&format!("headers.{list}"), known.clone(), at, Confidence::High);
        }
    }
}

/// A header as a persona file has it: what differs from request to request is a placeholder.
fn line(name: &str, value: &str, list: &str) -> Option<String> {
    let value = match name.to_ascii_lowercase().as_str() {
        "cookie" | "proxy-authorization" | "x-forwarded-for" | "via" => return None,
        "host" => "{host}",
        "authorization" => "{authorization}",
        "user-agent" => "{user_agent}",
        "ms-asprotocolversion" => "{version}",
        "x-ms-policykey" => "{policy_key}",
        "content-type" => "{content_type}",
        "content-length" if list == "options" => value,
        "content-length" => "{content_length}",
        "ms-asacceptmultipart" => "{multipart}",
        _ => value,
    };
    let printable = !value.is_empty() && !value.chars().any(char::is_control);
    let token = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let unsafe_brace = value.starts_with('{') && !crate::persona::word::HeaderLine::PLACEHOLDERS.contains(&value);
    (printable && token && !name.is_empty() && !unsafe_brace).then(|| format!("{name}: {value}"))
}

/// The name of a line.
pub(super) fn name(line: &str) -> &str {
    line.split(':').next().unwrap_or_default()
}

/// Adds what is new behind the line that stands before it.
fn merge(known: &mut Vec<String>, lines: Vec<String>) {
    let mut place = 0;
    for line in lines {
        match known.iter().position(|old| name(old).eq_ignore_ascii_case(name(&line))) {
            Some(found) => place = found + 1,
            None if known.len() < MOST_HEADERS => {
                known.insert(place.min(known.len()), line);
                place += 1;
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::merge;

    #[test]
    fn a_header_that_only_some_requests_have_finds_its_place() {
        let mut known = Vec::new();
        let lines = |names: &[&str]| names.iter().map(|name| format!("{name}: x")).collect();
        merge(&mut known, lines(&["A", "D"]));
        merge(&mut known, lines(&["A", "B", "D", "E"]));
        merge(&mut known, lines(&["C", "D"]));
        assert_eq!(known, ["C: x", "A: x", "B: x", "D: x", "E: x"]);
    }
}
