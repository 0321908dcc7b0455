//! What is wrong in a run, each thing once: every picture that lists failures lists these.

use std::collections::{BTreeSet, HashMap};

use easrig_exchange::{Exchange, ExchangeNumber};
use easrig_scenario::{Cell, Role, Verdict};

use crate::{Outcome, Run};

/// The most exchanges that are shown of one failure: the one that broke it, and what led there.
const EXCHANGES_MOST: usize = 2;

/// How far back the phone's own exchanges are looked for.
const SEARCH_MOST: usize = 64;

/// Cells of one verdict that say the same: of one scenario with the same findings, or inconclusive for the same reason.
/// Known deviations are not among them.
pub(crate) fn groups(run: &Run, verdict: Verdict) -> Vec<Vec<&Cell>> {
    let mut groups: Vec<Vec<&Cell>> = Vec::new();
    let mut places = HashMap::new();
    for cell in run.cells.iter().filter(|cell| cell.verdict == verdict && !is_known(run, cell)) {
        let place = *places.entry(Likeness::of(cell)).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(cell),
            None => groups.push(vec![cell]),
        }
    }
    groups
}

/// What two cells have in common that are told as one.
#[derive(PartialEq, Eq, Hash)]
struct Likeness<'r> {
    scenario: &'r str,
    reason: &'r str,
    findings: Vec<[&'r str; 3]>,
}

impl<'r> Likeness<'r> {
    fn of(cell: &'r Cell) -> Self {
        if cell.verdict == Verdict::Inconclusive {
            return Self { scenario: "", reason: &cell.reason, findings: Vec::new() };
        }
        let said = cell.findings.iter().map(|f| [f.requirement.as_str(), f.expected.as_str(), f.actual.as_str()]);
        Self { scenario: &cell.id.scenario, reason: &cell.reason, findings: said.collect() }
    }
}

/// One device error: the cells that met it first, one a persona, and every cell it blocks.
pub(crate) struct Cause<'r> {
    pub(crate) firsts: Vec<&'r Cell>,
    pub(crate) cells: Vec<&'r Cell>,
}

/// The device errors of a run but for those that are known; phones that show the same are one.
pub(crate) fn causes(run: &Run) -> Vec<Cause<'_>> {
    let mut causes: Vec<Cause<'_>> = Vec::new();
    for (first, mut cells) in run.causes() {
        cells.retain(|cell| !is_known(run, cell));
        if cells.is_empty() {
            continue;
        }
        let same = |cause: &&mut Cause<'_>| cause.firsts.iter().any(|known| known.device_error == first.device_error);
        match causes.iter_mut().find(same) {
            Some(cause) if first.device_error.is_some() => {
                cause.firsts.push(first);
                cause.cells.extend(cells);
            }
            _ => causes.push(Cause { firsts: vec![first], cells }),
        }
    }
    causes
}

/// Deviations that are known, by why they were accepted, in the order of the run.
pub(crate) struct Accepted<'r> {
    pub(crate) because: String,
    pub(crate) link: Option<String>,
    pub(crate) cells: Vec<&'r Cell>,
}

/// The known deviations that the run shows.
pub(crate) fn accepted(run: &Run) -> Vec<Accepted<'_>> {
    let mut all: Vec<Accepted<'_>> = Vec::new();
    for cell in &run.cells {
        let Outcome::KnownDeviation { because, link, .. } = run.outcome(cell) else { continue };
        match all.iter_mut().find(|one| one.because == because && one.link == link) {
            Some(one) => one.cells.push(cell),
            None => all.push(Accepted { because, link, cells: vec![cell] }),
        }
    }
    all
}

/// The cells that are well although a deviation is known, each with why it was accepted.
pub(crate) fn unexpected(run: &Run) -> Vec<(&Cell, String)> {
    let why = |cell| match run.outcome(cell) {
        Outcome::UnexpectedPass { because } => Some((cell, because)),
        _ => None,
    };
    run.cells.iter().filter_map(why).collect()
}

/// Whether a cell deviates as is known of the target.
pub(crate) fn is_known(run: &Run, cell: &Cell) -> bool {
    matches!(run.outcome(cell), Outcome::KnownDeviation { .. })
}

/// The exchanges that the findings of a cell name; where they name none, the last ones of the phone itself.
pub(crate) fn deciding(cell: &Cell, find: &dyn Fn(ExchangeNumber) -> Option<Exchange>) -> Vec<Exchange> {
    let named: BTreeSet<_> = cell.findings.iter().filter_map(|finding| finding.exchange).collect();
    let found = |number: &ExchangeNumber| find(*number);
    let mut shown: Vec<Exchange> = if named.is_empty() {
        let own = cell.exchanges.iter().rev().take(SEARCH_MOST).filter_map(found);
        own.filter(|exchange| exchange.sender.role == Role::Phone.name()).take(EXCHANGES_MOST).collect()
    } else {
        named.iter().rev().filter_map(found).take(EXCHANGES_MOST).collect()
    };
    shown.reverse();
    shown
}

/// Every name once, in order; no more than `most` of them, and how many there are beyond.
pub(crate) fn names<'t>(names: impl Iterator<Item = &'t str>, most: usize) -> (Vec<&'t str>, usize) {
    let mut seen = BTreeSet::new();
    let mut names: Vec<_> = names.filter(|name| seen.insert(*name)).collect();
    let more = names.len().saturating_sub(most);
    names.truncate(most);
    (names, more)
}
