//! What is worth knowing and changes no verdict: slips below `must`, doubts, outages, what was not run.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use easrig_scenario::{Cell, Finding, Level, Verdict};

use super::{View, layout::hang};
use crate::{Run, policy, safe, trouble::accepted};

/// How the runner begins a note on values of a persona that nobody has checked; their names follow, with commas between.
const UNVERIFIED: &str = "ability unverified: ";

pub(super) fn draw(run: &Run, view: View<'_>) -> String {
    let mut lines = lines(run);
    lines.extend(policy::lines(run).into_iter().map(|line| Note::plain(format!("policy {line}"))));
    let skipped = run.cells.iter().filter(|cell| cell.verdict == Verdict::Skipped);
    let skipped: Vec<_> = skipped.map(|cell| (format!("skipped: {}", cell.reason), cell)).collect();
    lines.extend(counted(&skipped, personas(run).len()));
    if lines.is_empty() {
        return String::new();
    }
    let strong = view.palette.strong;
    let list: String = lines.iter().map(|line| hang("- ", &safe(&line.to_string()), 0, view.width)).collect();
    format!("{strong}notes{strong:#}\n{list}")
}

/// Something worth knowing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    /// The scenario that it was said of, when it is one.
    pub(crate) scenario: Option<String>,
    pub(crate) text: String,
    /// How many scenarios it was said of.
    pub(crate) scenarios: usize,
    pub(crate) who: Who,
}

/// Whom a note is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// The note says it itself.
    Nobody,
    /// All phones of the run, when it has several.
    Every,
    /// These, by their ids.
    Some(String),
}

impl Note {
    fn plain(text: String) -> Self {
        Self { scenario: None, text, scenarios: 0, who: Who::Nobody }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scenario) = &self.scenario {
            write!(f, "{scenario}: ")?;
        }
        f.write_str(&self.text)?;
        let who = match &self.who {
            Who::Nobody => return Ok(()),
            Who::Every => "every phone",
            Who::Some(ids) => ids,
        };
        match self.scenarios {
            0 | 1 => write!(f, " ({who})"),
            several => write!(f, " ({several} scenarios; {who})"),
        }
    }
}

/// Everything worth knowing, but for what was skipped.
pub(crate) fn lines(run: &Run) -> Vec<Note> {
    let personas = personas(run);
    let counted = |said: Vec<(String, &Cell)>| counted(&said, personas.len());
    let mut lines = Vec::new();
    lines.extend(run.outages.iter().map(|outage| {
        let end = match outage.to {
            Some(to) => format!("for {} s", to.0.saturating_sub(outage.from.0).max(0) / 1_000_000),
            None => "to the end".to_owned(),
        };
        Note::plain(format!("the target did not answer {end}: {}", outage.cause))
    }));
    lines.extend(counted(slips(run)));
    let known = accepted(run).into_iter().flat_map(|one| {
        let link = one.link.map(|link| format!(" ({link})")).unwrap_or_default();
        let said = move |cell: &Cell| format!("known to be {}: {}{link}", cell.verdict, one.because);
        one.cells.into_iter().map(move |cell| (said(cell), cell))
    });
    lines.extend(counted(known.collect()));
    let noted = run.cells.iter().flat_map(|cell| cell.notes.iter().map(move |note| (note.clone(), cell)));
    lines.extend(counted(noted.filter(|(note, _)| !note.starts_with(UNVERIFIED)).collect()));
    lines.extend(personas.iter().filter_map(|persona| unverified(run, persona)).map(Note::plain));
    lines
}

fn personas(run: &Run) -> Vec<&str> {
    let mut personas: Vec<&str> = run.cells.iter().map(|cell| cell.id.persona.as_str()).collect();
    personas.dedup();
    personas
}

/// Everything a persona assumes, in one line.
fn unverified(run: &Run, persona: &str) -> Option<String> {
    let cells = run.cells.iter().filter(|cell| cell.id.persona == persona);
    let notes = cells.flat_map(|cell| &cell.notes).filter_map(|note| note.strip_prefix(UNVERIFIED));
    let values: BTreeSet<&str> = notes.flat_map(|values| values.split(", ")).collect();
    let values: Vec<&str> = values.into_iter().collect();
    (!values.is_empty()).then(|| format!("{persona} rests on what nobody has verified: {}", values.join(", ")))
}

/// Findings that did not fail their cell.
fn slips(run: &Run) -> Vec<(String, &Cell)> {
    let slight = |finding: &&Finding| finding.level != Level::Must;
    let cells = run.cells.iter().filter(|cell| cell.verdict != Verdict::Fail);
    let found = cells.flat_map(|cell| cell.findings.iter().filter(slight).map(move |finding| (finding, cell)));
    let said = |finding: &Finding| {
        let level = if finding.level == Level::Should { "should" } else { "robust" };
        format!("{} ({level}): expected {}, got {}", finding.requirement, finding.expected, finding.actual)
    };
    found.map(|(finding, cell)| (said(finding), cell)).collect()
}

/// Each text once, in the order met, with the scenario where it is one and the phones it was said of.
fn counted(said: &[(String, &Cell)], phones: usize) -> Vec<Note> {
    let mut order: Vec<&str> = Vec::new();
    let mut of: BTreeMap<&str, Vec<&Cell>> = BTreeMap::new();
    for (text, cell) in said {
        of.entry(text).or_insert_with(|| {
            order.push(text);
            Vec::new()
        });
        of.entry(text).and_modify(|cells| cells.push(cell));
    }
    order.into_iter().map(|text| line(text, of.get(text).map(Vec::as_slice).unwrap_or_default(), phones)).collect()
}

fn line(text: &str, cells: &[&Cell], phones: usize) -> Note {
    let mut personas: Vec<&str> = cells.iter().map(|cell| cell.id.persona.as_str()).collect();
    personas.dedup();
    let scenarios: BTreeSet<&str> = cells.iter().map(|cell| cell.id.scenario.as_str()).collect();
    Note {
        scenario: scenarios.first().filter(|_| scenarios.len() == 1).map(|id| (*id).to_owned()),
        text: text.to_owned(),
        scenarios: scenarios.len(),
        who: match personas.len() {
            all if all == phones && phones > 1 => Who::Every,
            _ => Who::Some(personas.join(", ")),
        },
    }
}
