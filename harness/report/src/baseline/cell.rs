//! One cell: what it came to, then what was said, step by step.

use std::fmt::Write as _;

use easrig_exchange::{Exchange, ExchangeNumber, Outcome};
use easrig_scenario::{Cell, Content, Decoded, Finding, Level};

use super::{Parts, flat, shape};

/// The most exchanges of a cell that are told; a run that polls can have thousands.
const EXCHANGES_MOST: usize = 2000;

pub(super) fn contents(cell: &Cell, parts: &Parts, exchange: &dyn Fn(ExchangeNumber) -> Option<Exchange>) -> String {
    let mut out = format!("verdict: {}\n", cell.verdict);
    let mut line = |name: &str, text: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{name}: {}", flat(text));
    };
    if let Some(version) = cell.id.version {
        line("version", &version.to_string());
    }
    if !cell.reason.is_empty() {
        line("reason", &cell.reason);
    }
    if let Some(first) = &cell.blocked_by {
        line("blocked by", &first.to_string());
    }
    if let Some(error) = &cell.device_error {
        line("owner sees", format!("{} {}", error.code, error.message).trim());
        line("remedy", &error.remedy);
    }
    cell.findings.iter().for_each(|finding| line("finding", &found(finding)));
    cell.notes.iter().for_each(|note| line("note", note));
    out.push_str(&transcript(cell, parts, exchange));
    out
}

fn found(finding: &Finding) -> String {
    let level = match finding.level {
        Level::Must => "must",
        Level::Should => "should",
        Level::Robust => "robust",
    };
    format!("{} ({level}): expected {}; seen: {}", finding.requirement, finding.expected, finding.actual)
}

/// The exchanges by step. Those of the ladder, which all cells climb, and those that clear up afterwards are left out; where
/// there are no others, the ladder is what happened.
fn transcript(cell: &Cell, parts: &Parts, exchange: &dyn Fn(ExchangeNumber) -> Option<Exchange>) -> String {
    let own =
        |number: &&ExchangeNumber| parts.of(**number).is_some_and(|part| part.step > 0 && !clears_up(&part.title));
    let mut numbers: Vec<ExchangeNumber> = cell.exchanges.iter().filter(own).copied().collect();
    if numbers.is_empty() {
        numbers.clone_from(&cell.exchanges);
    }
    let mut out = String::new();
    let mut title = None;
    let mut last = String::new();
    for number in numbers.iter().take(EXCHANGES_MOST) {
        let here = parts.of(*number).map(|part| (part.step, part.title.as_str()));
        if here != title {
            if let Some((step, words)) = here {
                let _ = write!(out, "\n{}{}\n", if step > 0 { format!("{step} ") } else { String::new() }, flat(words));
            }
            title = here;
            last.clear();
        }
        let told = exchange(*number).map_or_else(|| "  ? the exchange is missing\n".to_owned(), |found| told(&found));
        // How often a phone has to ask before something comes depends on time alone.
        if told != last {
            out.push_str(&told);
            last = told;
        }
    }
    if numbers.len() > EXCHANGES_MOST {
        out.push_str("  … more exchanges than are told\n");
    }
    out
}

/// How the runner names what it does after the last step.
fn clears_up(title: &str) -> bool {
    title.ends_with("removes what the scenario made")
}

fn told(exchange: &Exchange) -> String {
    let decoded = Decoded::of(exchange);
    let role = match exchange.sender.role.as_str() {
        "" | "phone" => String::new(),
        role => format!(" ({})", flat(role)),
    };
    let mut out = format!("  > {}{role}\n", asked(exchange, &decoded));
    match &exchange.outcome {
        Outcome::Failed(failure) => {
            let _ = writeln!(out, "  < no answer: {}", flat(&failure.to_string()));
        }
        Outcome::Answered(response) => {
            // Which byte is wrong says nothing of a body that was recorded as filler.
            let words = match &decoded.answer {
                Content::Undecodable(_) => format!("HTTP {} with a body that is not WBXML", response.status),
                _ => decoded.words(),
            };
            let _ = writeln!(out, "  < {}", flat(&words));
            out.push_str(&shape::headers(decoded.verb, &response.headers));
            if let Content::Document(document) = &decoded.answer {
                out.push_str(&shape::document(document.root()));
            }
        }
    }
    out
}

/// What was asked, without who and where.
fn asked(exchange: &Exchange, decoded: &Decoded) -> String {
    let request = &exchange.request;
    match decoded.verb {
        Some(verb) => {
            let version = decoded.version.map(|version| format!(" {version}")).unwrap_or_default();
            format!("{verb}{version}")
        }
        None => {
            let segment =
                |part: &str| if part.contains('@') || part.contains("%40") { "{address}".into() } else { flat(part) };
            let path: Vec<String> = request.url.path().split('/').map(segment).collect();
            format!("{} {}", flat(&request.method), path.join("/"))
        }
    }
}
