//! A run as snapshots: what it came to and what was said, without anything that differs from run to run.
//!
//! The snapshots are files in insta's format, so that `cargo insta review` reads them; they are also plain text that reads well
//! in a pull request. One says what every cell came to; each cell that sent something has one of its own.

mod about;
mod approved;
mod cell;
mod check;
mod parts;
mod shape;
mod snapshot;
mod value;

use std::collections::{BTreeMap, HashMap};

use easrig_exchange::{Exchange, ExchangeNumber};
use easrig_scenario::{Cell, CellId, Verdict};

pub(crate) use about::shortened;
pub(crate) use approved::Transcripts;
pub use approved::{Approved, ApprovedError, Said};
pub use check::{Checked, Difference, check};
pub use parts::Parts;
pub use snapshot::{Snapshot, SnapshotPath};

use crate::{Run, compare::normal, safe};

/// The snapshots of a run, each once, in the order of their paths.
///
/// `exchange` gives the exchange of a number; of one that is not there, the snapshot says so.
pub fn snapshots(run: &Run, parts: &Parts, exchange: &dyn Fn(ExchangeNumber) -> Option<Exchange>) -> Vec<Snapshot> {
    let mut all: BTreeMap<SnapshotPath, Snapshot> = BTreeMap::new();
    let mut add = |snapshot: Snapshot| {
        all.entry(snapshot.path.clone()).or_insert(snapshot);
    };
    add(overview(run));
    let versions = versions(run);
    for cell in run.cells.iter().filter(|cell| speaks(cell)) {
        let several = versions.get(&(cell.id.scenario.as_str(), cell.id.persona.as_str())).is_some_and(|n| *n > 1);
        let version = cell.id.version.filter(|_| several).map(|version| version.to_string());
        let path = SnapshotPath::of_cell(&cell.id.scenario, &cell.id.persona, version.as_deref());
        add(Snapshot {
            path,
            cell: Some(cell.id.clone()),
            title: run.scenarios.get(&cell.id.scenario).map(|card| card.title.clone()).unwrap_or_default(),
            about: about::of_cell(cell, run),
            contents: cell::contents(cell, parts, exchange),
        });
    }
    all.into_values().collect()
}

/// Whether a cell has a snapshot of its own: skipped ones and invariants that hold have nothing to say.
fn speaks(cell: &Cell) -> bool {
    let is_invariant = cell.id.scenario.starts_with("invariant/");
    cell.verdict != Verdict::Skipped && !(is_invariant && cell.verdict == Verdict::Pass && cell.findings.is_empty())
}

fn versions(run: &Run) -> BTreeMap<(&str, &str), usize> {
    let mut versions = BTreeMap::new();
    for cell in &run.cells {
        let count: &mut usize = versions.entry((cell.id.scenario.as_str(), cell.id.persona.as_str())).or_default();
        *count = count.saturating_add(1);
    }
    versions
}

/// What every cell came to, scenario by scenario.
fn overview(run: &Run) -> Snapshot {
    let mut by_scenario: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for cell in &run.cells {
        by_scenario.entry(&cell.id.scenario).or_default().push(line(cell));
    }
    let mut contents = String::new();
    for (scenario, mut lines) in by_scenario {
        lines.sort_unstable();
        contents.push_str(&format!("{}\n{}", safe(scenario), lines.concat()));
    }
    let title = "what every cell came to".to_owned();
    Snapshot { path: SnapshotPath::overview(), cell: None, title, about: about::of_run(run), contents }
}

/// What the overview of a run says of each cell, without its address.
fn overview_lines(run: &Run) -> HashMap<CellId, String> {
    run.cells.iter().map(|cell| (cell.id.clone(), came_to(cell))).collect()
}

fn line(cell: &Cell) -> String {
    let version = cell.id.version.map(|version| version.to_string()).unwrap_or_default();
    format!("  {:<15} {version:<5} {}\n", safe(&cell.id.persona), came_to(cell))
}

fn came_to(cell: &Cell) -> String {
    let shown = cell.device_error.as_ref().filter(|_| cell.verdict == Verdict::Blocked);
    let shown = shown.map(|error| if error.code.is_empty() { &error.message } else { &error.code });
    let why = match (cell.verdict, shown) {
        (_, Some(shown)) => format!(": {}", flat(shown)),
        (Verdict::Skipped | Verdict::Inconclusive, None) => format!(": {}", flat(&cell.reason)),
        _ => String::new(),
    };
    format!("{}{why}", cell.verdict)
}

/// In one line, without what differs from run to run.
pub(crate) fn flat(text: &str) -> String {
    let text = safe(text);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    value::without_counts(&normal(&line))
}

#[cfg(test)]
mod tests;
