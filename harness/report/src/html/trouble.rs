//! What is wrong: what owners see with its remedy, broken requirements, losses, and what could not be told.

use std::collections::BTreeSet;

use easrig_scenario::{Cell, Confidence, DeviceError, Finding, Level, Requirement, Verdict};

use super::{Embed, Maker, Mark, cell::CellView, head::phones};
use crate::{
    told::Told,
    trouble::{self, Cause, causes, groups},
    words::{Text, Words},
};

pub(super) struct Trouble {
    /// Every phone of the run, in its order.
    pub(super) phones: Vec<Phone>,
    pub(super) causes: Vec<CauseView>,
    pub(super) broken: Vec<Group>,
    pub(super) degraded: Vec<Group>,
    pub(super) unclear: Vec<Group>,
    /// Deviations that are known: why they were accepted, where that is written, and the cells.
    pub(super) known: Vec<Accepted>,
    /// Cells that are well although a deviation is known, with why it was accepted.
    pub(super) unexpected: Vec<(String, String)>,
    /// Cells that pass; only when everything is embedded.
    pub(super) passing: Vec<CellView>,
}

/// A deviation that is known.
pub(super) struct Accepted {
    pub(super) because: String,
    pub(super) link: String,
    pub(super) phones: Vec<String>,
    pub(super) scenarios: Vec<Named>,
}

/// What the owner of one kind of phone is in for.
pub(super) struct Phone {
    pub(super) title: String,
    pub(super) id: String,
    pub(super) mark: Mark,
    /// How many cells came to the verdict of its mark, and how many there are.
    pub(super) count: Text,
    /// The key of what its owner is in for, where that is no error.
    pub(super) sees: &'static str,
    /// The first device error that its owner sees.
    pub(super) error: Option<(String, String)>,
    /// What it means for its owner beyond that sentence; may be empty.
    pub(super) suffers: Told,
    /// How many other things break for it, where that sentence is about one of several.
    pub(super) more: Option<Text>,
}

/// One thing that owners see.
pub(super) struct CauseView {
    pub(super) code: String,
    pub(super) message: String,
    /// The key of a doubt about code or text.
    pub(super) doubt: Option<&'static str>,
    pub(super) remedy: Vec<Line>,
    pub(super) phones: Vec<String>,
    pub(super) reason: Told,
    pub(super) scenarios: Vec<Named>,
    pub(super) findings: Vec<FindingView>,
    pub(super) cells: Vec<CellView>,
    /// How many cells are only in the matrix.
    pub(super) more: usize,
}

/// A line of a remedy.
pub(crate) struct Line {
    pub(crate) text: Told,
    /// It is a command for a shell.
    pub(crate) command: bool,
}

/// A scenario by name.
pub(super) struct Named {
    pub(super) id: String,
    pub(super) title: String,
}

/// Cells that say the same.
pub(super) struct Group {
    pub(super) scenarios: Vec<Named>,
    pub(super) why: Option<String>,
    pub(super) fix: Option<String>,
    pub(super) reason: Told,
    pub(super) phones: Vec<String>,
    pub(super) findings: Vec<FindingView>,
    pub(super) cells: Vec<CellView>,
    pub(super) more: usize,
}

/// What the target did otherwise than required.
pub(crate) struct FindingView {
    pub(crate) requirement: String,
    /// What the standard says, in our words, and its section.
    pub(crate) says: Option<(&'static str, &'static str)>,
    pub(crate) level: &'static str,
    pub(crate) expected: Told,
    pub(crate) actual: Told,
    pub(crate) exchange: Option<usize>,
}

/// The most scenarios that are listed of one cause.
const SCENARIOS_MOST: usize = 60;

impl Trouble {
    pub(super) fn of(maker: &Maker<'_>) -> Self {
        let mut room = Room { cells: if maker.of.embed == Embed::All { usize::MAX } else { super::CELLS_MOST } };
        let run = maker.run;
        let causes = causes(run).iter().map(|found| cause(found, maker, &mut room)).collect();
        let mut of = |verdict| groups(run, verdict).iter().map(|cells| group(cells, maker, &mut room)).collect();
        let [broken, degraded, unclear] = [Verdict::Fail, Verdict::Degraded, Verdict::Inconclusive].map(&mut of);
        let passing = match maker.of.embed {
            Embed::NotPassing => Vec::new(),
            Embed::All => {
                let passing = run.cells.iter().filter(|cell| cell.verdict == Verdict::Pass);
                passing.map(|cell| CellView::of(cell, maker)).collect()
            }
        };
        Self {
            phones: self::phones(run).into_iter().map(|id| phone(id, maker)).collect(),
            causes,
            known: trouble::accepted(run).iter().map(|one| accepted(one, maker)).collect(),
            unexpected: trouble::unexpected(run).into_iter().map(|(cell, why)| (cell.id.to_string(), why)).collect(),
            broken,
            degraded,
            unclear,
            passing,
        }
    }
}

/// How many cells may still be drawn each by itself.
struct Room {
    cells: usize,
}

impl Room {
    fn take(&mut self, cells: &[&Cell], maker: &Maker<'_>) -> (Vec<CellView>, usize) {
        let drawn = cells.len().min(self.cells);
        self.cells -= drawn;
        let views = cells.iter().take(drawn).map(|cell| CellView::of(cell, maker)).collect();
        (views, cells.len() - drawn)
    }
}

fn phone(id: &str, maker: &Maker<'_>) -> Phone {
    let cells: Vec<&Cell> = maker.run.cells.iter().filter(|cell| cell.id.persona == id).collect();
    let owner = |verdict| match verdict {
        // An owner's error is worse news for an owner than a server's slip.
        Verdict::Blocked => 6,
        Verdict::Fail => 5,
        Verdict::Degraded => 4,
        Verdict::Inconclusive => 3,
        Verdict::Pass => 2,
        Verdict::Skipped => 1,
    };
    let worst = cells.iter().map(|cell| cell.verdict).max_by_key(|verdict| owner(*verdict));
    let worst = worst.unwrap_or(Verdict::Skipped);
    let mut bad = cells.iter().filter(|cell| cell.verdict == worst);
    let count = bad.clone().count();
    let error = bad.find_map(|cell| cell.device_error.as_ref()).filter(|_| worst == Verdict::Blocked);
    Phone {
        title: maker.run.personas.get(id).map_or_else(|| id.to_owned(), |card| card.title.clone()),
        id: id.to_owned(),
        mark: worst.into(),
        sees: match worst {
            Verdict::Pass => "sees.pass",
            Verdict::Fail => "sees.fail",
            Verdict::Blocked => "sees.blocked",
            Verdict::Degraded => "sees.degraded",
            Verdict::Skipped => "sees.skipped",
            Verdict::Inconclusive => "sees.inconclusive",
        },
        count: maker.words.with("phones.count", vec![("n", count.into()), ("all", cells.len().into())]),
        error: error.map(|error| (error.code.clone(), error.message.clone())),
        suffers: suffers(worst, &cells, maker),
        more: more(worst, &cells, maker),
    }
}

/// What that means for the phone's owner, in the words of the first cell that has any.
fn suffers(worst: Verdict, cells: &[&Cell], maker: &Maker<'_>) -> Told {
    let mut of = cells.iter().filter(|cell| cell.verdict == worst);
    let text = match worst {
        Verdict::Fail => of.find_map(|cell| maker.run.scenarios.get(&cell.id.scenario)?.why.clone()),
        Verdict::Degraded | Verdict::Inconclusive => of.next().map(|cell| cell.reason.clone()),
        Verdict::Pass | Verdict::Blocked | Verdict::Skipped => None,
    };
    text.map(|text| maker.words.told(&text)).unwrap_or_default()
}

/// How many scenarios came to the same verdict beside the one that is told.
fn more(worst: Verdict, cells: &[&Cell], maker: &Maker<'_>) -> Option<Text> {
    let told = matches!(worst, Verdict::Fail | Verdict::Degraded | Verdict::Inconclusive);
    let alike = cells.iter().filter(|cell| told && cell.verdict == worst);
    let scenarios: BTreeSet<&str> = alike.map(|cell| cell.id.scenario.as_str()).collect();
    (scenarios.len() > 1).then(|| maker.words.count("phones.more", scenarios.len() - 1))
}

fn cause(cause: &Cause<'_>, maker: &Maker<'_>, room: &mut Room) -> CauseView {
    let first = cause.firsts.first();
    let shown = first.and_then(|cell| cell.device_error.as_ref());
    let error = shown.or_else(|| cause.cells.iter().find_map(|cell| cell.device_error.as_ref()));
    let reason = first.map(|cell| cell.reason.clone()).unwrap_or_default();
    let said = error.is_some_and(|error| reason.contains(&error.message));
    let (cells, more) = room.take(&cause.cells, maker);
    CauseView {
        code: error.map(|error| error.code.clone()).unwrap_or_default(),
        message: error.map(|error| error.message.trim().to_owned()).unwrap_or_default(),
        doubt: error.and_then(doubt),
        remedy: error.map(|error| remedy(&error.remedy, maker.words)).unwrap_or_default(),
        phones: every(cause.firsts.iter().map(|cell| maker.who(cell))),
        reason: if said { Told::default() } else { maker.words.told(&reason) },
        scenarios: named(&cause.cells, maker),
        findings: first.map(|cell| findings(cell, maker.words)).unwrap_or_default(),
        cells,
        more,
    }
}

fn accepted(one: &trouble::Accepted<'_>, maker: &Maker<'_>) -> Accepted {
    Accepted {
        because: one.because.clone(),
        link: one.link.clone().unwrap_or_default(),
        phones: every(one.cells.iter().map(|cell| maker.who(cell))),
        scenarios: named(&one.cells, maker),
    }
}

fn doubt(error: &DeviceError) -> Option<&'static str> {
    match error.confidence {
        Confidence::High | Confidence::Med => None,
        Confidence::Low => Some("doubt.low"),
        Confidence::Unverified => Some("doubt.unverified"),
    }
}

fn group(cells: &[&Cell], maker: &Maker<'_>, room: &mut Room) -> Group {
    let first = cells.first();
    let card = first.and_then(|cell| maker.run.scenarios.get(&cell.id.scenario));
    let alone = cells.iter().all(|cell| first.is_some_and(|first| first.id.scenario == cell.id.scenario));
    let card = card.filter(|_| alone);
    let (views, more) = room.take(cells, maker);
    Group {
        scenarios: named(cells, maker),
        why: card.and_then(|card| card.why.clone()),
        fix: card.and_then(|card| card.fix.clone()),
        reason: first.map(|cell| maker.words.told(&cell.reason)).unwrap_or_default(),
        phones: every(cells.iter().map(|cell| maker.who(cell))),
        findings: first.map(|cell| findings(cell, maker.words)).unwrap_or_default(),
        cells: views,
        more,
    }
}

pub(super) fn findings(cell: &Cell, words: Words) -> Vec<FindingView> {
    cell.findings.iter().map(|finding| FindingView::of(finding, words)).collect()
}

impl FindingView {
    pub(crate) fn of(finding: &Finding, words: Words) -> Self {
        Self {
            requirement: finding.requirement.clone(),
            says: Requirement::find(&finding.requirement).map(|row| (row.paraphrase, row.section)),
            level: match finding.level {
                Level::Must => "level.must",
                Level::Should => "level.should",
                Level::Robust => "level.robust",
            },
            expected: words.told(&finding.expected),
            actual: words.told(&finding.actual),
            exchange: finding.exchange.and_then(|number| usize::try_from(number.0).ok()),
        }
    }
}

/// A remedy line by line; what begins with a cmdlet is a command.
pub(crate) fn remedy(text: &str, words: Words) -> Vec<Line> {
    let line = |text: &str| match is_command(text) {
        true => Line { text: Told::Foreign(text.to_owned()), command: true },
        false => Line { text: words.told(text), command: false },
    };
    text.lines().map(str::trim).filter(|text| !text.is_empty()).map(line).collect()
}

fn is_command(line: &str) -> bool {
    let Some((verb, rest)) = line.split_once(' ').map_or(line, |(word, _)| word).split_once('-') else { return false };
    matches!(verb, "Set" | "New" | "Get" | "Remove" | "Enable" | "Disable" | "Import") && !rest.is_empty()
}

/// Each scenario of the cells once.
fn named(cells: &[&Cell], maker: &Maker<'_>) -> Vec<Named> {
    let mut seen = BTreeSet::new();
    let once = cells.iter().map(|cell| cell.id.scenario.as_str()).filter(|id| seen.insert(*id));
    let title = |id: &str| maker.run.scenarios.get(id).map(|card| card.title.clone()).unwrap_or_default();
    once.take(SCENARIOS_MOST).map(|id| Named { id: id.to_owned(), title: title(id) }).collect()
}

fn every(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names.filter(|name| seen.insert(name.clone())).collect()
}
