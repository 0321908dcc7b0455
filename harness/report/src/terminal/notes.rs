//! What is worth knowing and changes no verdict: slips below `must`, doubts, outages, what was not run.

use std::collections::BTreeMap;

use easrig_scenario::{Cell, Finding, Level, Verdict};

use super::{View, layout::hang};
use crate::{Run, safe};

pub(super) fn draw(run: &Run, view: View<'_>) -> String {
    let mut lines = Vec::new();
    lines.extend(run.outages.iter().map(|outage| {
        let end = match outage.to {
            Some(to) => format!("for {} s", to.0.saturating_sub(outage.from.0).max(0) / 1_000_000),
            None => "to the end".to_owned(),
        };
        format!("the target did not answer {end}: {}", outage.cause)
    }));
    lines.extend(slips(run));
    lines.extend(counted(run.cells.iter().flat_map(|cell| cell.notes.iter().map(move |note| (note.as_str(), cell)))));
    let skipped = run.cells.iter().filter(|cell| cell.verdict == Verdict::Skipped);
    lines.extend(
        counted(skipped.map(|cell| (cell.reason.as_str(), cell))).into_iter().map(|line| format!("skipped: {line}")),
    );
    if lines.is_empty() {
        return String::new();
    }
    let strong = view.palette.strong;
    let list: String = lines.iter().map(|line| hang("- ", &safe(line), 0, view.width)).collect();
    format!("{strong}notes{strong:#}\n{list}")
}

/// Findings that did not fail their cell, each once.
fn slips(run: &Run) -> Vec<String> {
    let slight = |finding: &&Finding| finding.level != Level::Must;
    let cells = run.cells.iter().filter(|cell| cell.verdict != Verdict::Fail);
    let found = cells.flat_map(|cell| cell.findings.iter().filter(slight).map(move |finding| (finding, cell)));
    let said: Vec<(String, &Cell)> = found
        .map(|(finding, cell)| {
            let level = if finding.level == Level::Should { "should" } else { "robust" };
            let said = format!(
                "{} ({level}) in {}: expected {}, got {}",
                finding.requirement, cell.id.scenario, finding.expected, finding.actual
            );
            (said, cell)
        })
        .collect();
    counted(said.iter().map(|(said, cell)| (said.as_str(), *cell)))
}

/// Each text once, in the order met, with the cells it was said of.
fn counted<'c>(said: impl Iterator<Item = (&'c str, &'c Cell)>) -> Vec<String> {
    let mut order: Vec<&str> = Vec::new();
    let mut of: BTreeMap<&str, Vec<&Cell>> = BTreeMap::new();
    for (text, cell) in said {
        of.entry(text)
            .or_insert_with(|| {
                order.push(text);
                Vec::new()
            })
            .push(cell);
    }
    let line = |text: &str| {
        let cells = of.get(text).map(Vec::as_slice).unwrap_or_default();
        match cells {
            [cell] => format!("{text} ({})", cell.id),
            _ => {
                let mut personas: Vec<_> = cells.iter().map(|cell| cell.id.persona.as_str()).collect();
                personas.dedup();
                format!("{text} ({} cells: {})", cells.len(), personas.join(", "))
            }
        }
    };
    order.into_iter().map(line).collect()
}
