//! Which headers a device sends, in which order and spelling.

use std::{collections::BTreeMap, fmt::Write as _};

use easrig_eas::Command;
use easrig_exchange::{Exchange, ExchangeNumber};

use super::facts::Row;
use crate::Confidence;

/// The header lists, as they grow: a header that only some requests have finds its place between its neighbours.
#[derive(Debug, Default)]
pub(super) struct Lines {
    lists: BTreeMap<&'static str, List>,
    /// Whether the User-Agent is there, by situation, and where that was seen first.
    agents: BTreeMap<&'static str, (bool, ExchangeNumber)>,
}

/// The headers of one kind of request.
#[derive(Debug, Default)]
struct List {
    lines: Vec<String>,
    at: Option<ExchangeNumber>,
    /// Where they stood in another order, or one of them said something else.
    otherwise: Option<ExchangeNumber>,
}

/// The most headers of a list.
const MOST_HEADERS: usize = 64;

impl Lines {
    pub(super) fn options(&mut self, exchange: &Exchange) {
        self.add("headers.options", "options", exchange);
    }

    pub(super) fn post(&mut self, exchange: &Exchange, base64: bool, command: Command) {
        let situation = if base64 { "base64-post" } else { "plain-post" };
        let list = if command == Command::Ping { "headers.ping" } else { "headers.post" };
        self.add(list, situation, exchange);
    }

    pub(super) fn autodiscover(&mut self, exchange: &Exchange) {
        self.add("headers.autodiscover", "autodiscover", exchange);
    }

    /// In which situations the User-Agent is there, among those seen.
    pub(super) fn agents(&self) -> &BTreeMap<&'static str, (bool, ExchangeNumber)> {
        &self.agents
    }

    /// The lines of a kind of request.
    pub(super) fn row(&self, key: &str) -> Option<Row> {
        let list = self.lists.get(key)?;
        let mut evidence = format!("exchange {}", list.at?.0);
        if let Some(other) = list.otherwise {
            // Writing to a String cannot fail.
            let _ = write!(evidence, " and after; otherwise in exchange {}", other.0);
        }
        let confidence = if list.otherwise.is_some() { Confidence::Med } else { Confidence::High };
        Some(Row { value: list.lines.clone().into(), evidence, confidence })
    }

    fn add(&mut self, list: &'static str, situation: &'static str, exchange: &Exchange) {
        let sent = &exchange.request.headers;
        // A log that leaves out what every request has says nothing about order.
        if sent.get("Host").is_none() {
            return;
        }
        self.agents.entry(situation).or_insert_with(|| (sent.get("User-Agent").is_some(), exchange.number));
        let lines: Vec<String> = sent.iter().filter_map(|(name, value)| line(name, value, list)).collect();
        let known = self.lists.entry(list).or_default();
        known.at.get_or_insert(exchange.number);
        merge(&mut known.lines, &lines);
        let mut rest = known.lines.iter();
        if known.otherwise.is_none() && !lines.iter().all(|line| rest.any(|known| known == line)) {
            known.otherwise = Some(exchange.number);
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
        "content-length" if list == "headers.options" => value,
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
fn name(line: &str) -> &str {
    line.split(':').next().unwrap_or_default()
}

/// Adds what is new behind the line that stands before it.
fn merge(known: &mut Vec<String>, lines: &[String]) {
    let mut place = 0;
    for line in lines {
        match known.iter().position(|old| name(old).eq_ignore_ascii_case(name(line))) {
            Some(found) => place = found + 1,
            None if known.len() < MOST_HEADERS => {
                known.insert(place.min(known.len()), line.clone());
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
        let lines = |names: &[&str]| names.iter().map(|name| format!("{name}: x")).collect::<Vec<_>>();
        merge(&mut known, &lines(&["A", "D"]));
        merge(&mut known, &lines(&["A", "B", "D", "E"]));
        merge(&mut known, &lines(&["C", "D"]));
        assert_eq!(known, ["C: x", "A: x", "B: x", "D: x", "E: x"]);
    }
}
