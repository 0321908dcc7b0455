//! A judgement for people: the devices and what they did, then the server.

use std::{cell::RefCell, collections::BTreeMap, fmt::Write as _, path::Path};

use easrig_capture::Options;
use easrig_exchange::{Exchange, ExchangeNumber};
use easrig_report::{Run, Sources, safe, terminal};
use easrig_scenario::{Cell, Level, Verdict, recording::DEVICE};

use crate::{import::source::Source, output::Output};

/// The most exchanges that a report can show.
const MOST_SHOWN: usize = 64;

pub(super) fn draw(run: &Run, capture: &Path, options: &Options, output: &Output) -> String {
    let mut out = String::new();
    devices(run, &mut out);
    let mut server = run.clone();
    server.cells.retain(|cell| !cell.id.scenario.starts_with(DEVICE) || cell.verdict == Verdict::Fail);
    let shown = RefCell::new(shown(&server, capture, options));
    let sources = Sources { exchange: &|number| shown.borrow_mut().remove(&number) };
    let folder = capture.display().to_string();
    out.push_str(&terminal(&server, output.view(&folder), sources));
    out
}

/// Who is in the recording, and what each did otherwise than it should.
fn devices(run: &Run, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "devices");
    for card in run.personas.values() {
        let _ = writeln!(out, "  {}  {}", safe(&card.id), safe(&card.title));
        if !card.family.is_empty() {
            let _ = writeln!(out, "    {}", safe(&card.family));
        }
        let cells = run.cells.iter().filter(|cell| cell.id.persona == card.id && cell.id.scenario.starts_with(DEVICE));
        for cell in cells {
            slips(cell, out);
        }
    }
    out.push('\n');
}

fn slips(cell: &Cell, out: &mut String) {
    let rule = safe(&cell.id.scenario);
    for finding in &cell.findings {
        let level = match finding.level {
            Level::Must => "must",
            Level::Should => "should",
            Level::Robust => "robust",
        };
        let at = finding.exchange.map(|number| format!(" (exchange {})", number.0)).unwrap_or_default();
        let said = format!("expected {}, sent {}{at}", finding.expected, finding.actual);
        let _ = writeln!(out, "    the device: {rule} ({level}): {}", safe(&said));
    }
    if cell.verdict == Verdict::Inconclusive {
        let _ = writeln!(out, "    the device: {rule}: {}", safe(&cell.reason));
    }
}

/// The exchanges that failed cells name: of a capture, they are read once more.
fn shown(run: &Run, capture: &Path, options: &Options) -> BTreeMap<ExchangeNumber, Exchange> {
    let bad = run.cells.iter().filter(|cell| matches!(cell.verdict, Verdict::Fail | Verdict::Blocked));
    let named = bad.flat_map(|cell| {
        cell.findings.first().and_then(|finding| finding.exchange).or(cell.exchanges.first().copied())
    });
    let mut numbers: Vec<ExchangeNumber> = named.collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.truncate(MOST_SHOWN);
    let mut found = BTreeMap::new();
    if numbers.is_empty() {
        return found;
    }
    // It was read a moment ago; what cannot be read again is only not shown.
    if let Ok(source) = Source::open(capture) {
        let _ = source.read_some(&numbers, options, &mut |mut exchange| {
            if numbers.binary_search(&exchange.number).is_ok() {
                crate::show::hide_credentials(&mut exchange);
                found.insert(exchange.number, exchange);
            }
            Ok(())
        });
    }
    found
}
