//! A baseline read back: the run that was approved, as far as its snapshots say what that came to.

use std::collections::{BTreeMap, HashMap};

use easrig_exchange::Timestamp;
use easrig_scenario::{
    Cell, CellId, DeviceError, Finding, Level, Verdict,
    event::{self, RunStarted},
};
use thiserror::Error;

use super::{Snapshot, SnapshotPath, about, overview_lines};
use crate::Run;

/// The most cells of a baseline.
const CELLS_MOST: usize = 1_000_000;

/// A baseline, to compare a run with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved {
    /// What the user calls it: the path of its folder.
    pub name: String,
    /// The run, as far as the snapshots say: verdicts, reasons, findings and what owners saw; no exchange and no time.
    pub run: Run,
    /// What each cell said, and where that stands.
    told: HashMap<CellId, Told>,
    /// What the overview says of each cell, without its address.
    lines: HashMap<CellId, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    path: String,
    contents: String,
}

/// Why files are no baseline. Lines count from 1, after the head.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ApprovedError {
    /// There is no overview.
    #[error("no baseline: it has no `verdicts.snap`")]
    NoOverview,
    /// A file without the head that insta gives every snapshot.
    #[error("`{0}` is no snapshot: it does not begin with a head between two lines `---`")]
    NoHead(String),
    /// A line of the overview says nothing about a cell.
    #[error("line {line} of `verdicts.snap` says `{found}`, not what a cell came to: `persona version verdict`")]
    Line {
        /// Which one.
        line: usize,
        /// What it says.
        found: String,
    },
    /// The head of a cell's snapshot does not name the cell.
    #[error("`{0}` does not say which cell it is about: its `expression` is no `scenario × persona × version`")]
    NoCell(String),
    /// A cell's snapshot does not begin with its verdict.
    #[error("`{0}` does not begin with `verdict:` and one of the six verdicts")]
    NoVerdict(String),
    /// More cells than any run has.
    #[error("it has more than {CELLS_MOST} cells")]
    TooMany,
}

impl Approved {
    /// Reads the files of a baseline, given by their paths below its folder.
    ///
    /// # Errors
    /// When they are not what `easrig baseline approve` writes.
    pub fn read(name: &str, files: &BTreeMap<String, String>) -> Result<Self, ApprovedError> {
        let overview = files.get(SnapshotPath::overview().as_str()).ok_or(ApprovedError::NoOverview)?;
        let head = Snapshot::head_of(overview).ok_or_else(|| no_head(SnapshotPath::overview().as_str()))?;
        let mut run = empty(&head.about);
        let mut lines = HashMap::new();
        let mut cells: BTreeMap<CellId, Cell> = BTreeMap::new();
        for (id, text) in overview_cells(head.contents)? {
            let Some(cell) = cell_of_line(&id, &text) else { continue };
            cells.insert(id.clone(), cell);
            lines.insert(id, text);
        }
        let mut told = HashMap::new();
        for (path, text) in files.iter().filter(|(path, _)| *path != SnapshotPath::overview().as_str()) {
            let head = Snapshot::head_of(text).ok_or_else(|| no_head(path))?;
            let id = head.expression.as_deref().and_then(cell_id).ok_or_else(|| ApprovedError::NoCell(path.clone()))?;
            let cell = cell(&id, &head.contents.replace('\r', ""), &lines, about::confidence(&head.about));
            cells.insert(id.clone(), cell.ok_or_else(|| ApprovedError::NoVerdict(path.clone()))?);
            let [scenario, persona] = about::sums(&head.about);
            run.started.scenarios.extend(scenario.map(|sum| (id.scenario.clone(), sum.clone())));
            run.started.personas.extend(persona.map(|sum| (id.persona.clone(), sum.clone())));
            told.insert(id, Told { path: path.clone(), contents: head.contents.to_owned() });
        }
        if cells.len() > CELLS_MOST {
            return Err(ApprovedError::TooMany);
        }
        run.cells = cells.into_values().collect();
        Ok(Self { name: name.to_owned(), run, told, lines })
    }

    /// Where the snapshot of a cell stands below the baseline's folder, and what it says.
    pub(crate) fn told(&self, id: &CellId) -> Option<(&str, &str)> {
        self.told.get(id).map(|told| (told.path.as_str(), told.contents.as_str()))
    }

    /// What the overview says of a cell.
    pub(crate) fn line(&self, id: &CellId) -> Option<&str> {
        self.lines.get(id).map(String::as_str)
    }
}

fn no_head(path: &str) -> ApprovedError {
    ApprovedError::NoHead(path.to_owned())
}

/// A run of which nothing is known but the head of the overview.
fn empty(about: &about::About) -> Run {
    let [easrig, target] = about::origin(about);
    Run {
        started: RunStarted {
            format: event::FORMAT,
            easrig,
            at: Timestamp(0),
            target,
            allowed: Vec::new(),
            seed: 0,
            repeat: 0,
            scenarios: Vec::new(),
            personas: Vec::new(),
            keep_content: false,
        },
        scenarios: BTreeMap::new(),
        personas: BTreeMap::new(),
        seen: about::seen(about).into_iter().collect(),
        policies: BTreeMap::new(),
        limits: Default::default(),
        tls: Vec::new(),
        cells: Vec::new(),
        missing: 0,
        exchanges: Vec::new(),
        more_exchanges: 0,
        outages: Vec::new(),
        finished: Some(Timestamp(0)),
        outcomes: BTreeMap::new(),
    }
}

/// Every cell that the overview names, with the rest of its line.
fn overview_cells(contents: &str) -> Result<Vec<(CellId, String)>, ApprovedError> {
    let mut cells = Vec::new();
    let mut scenario = String::new();
    for (place, line) in contents.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let Some(own) = line.strip_prefix("  ") else {
            line.trim_end().clone_into(&mut scenario);
            continue;
        };
        let odd = || ApprovedError::Line { line: place + 1, found: line.trim().chars().take(80).collect() };
        let (persona, rest) = own.trim().split_once(char::is_whitespace).ok_or_else(odd)?;
        let rest = rest.trim_start();
        let (version, rest) = match rest.split_once(char::is_whitespace).map(|(word, rest)| (word.parse(), rest)) {
            Some((Ok(version), rest)) => (Some(version), rest.trim_start()),
            _ => (None, rest),
        };
        let id = CellId { scenario: scenario.clone(), persona: persona.to_owned(), version };
        cell_of_line(&id, rest).ok_or_else(odd)?;
        cells.push((id, rest.to_owned()));
        if cells.len() > CELLS_MOST {
            return Err(ApprovedError::TooMany);
        }
    }
    Ok(cells)
}

/// A cell of which only its line in the overview is known: `skipped: needs a second account`.
fn cell_of_line(id: &CellId, line: &str) -> Option<Cell> {
    let (word, why) = line.split_once(':').unwrap_or((line, ""));
    Some(Cell { reason: why.trim().to_owned(), ..bare(id, verdict(word)?) })
}

fn bare(id: &CellId, verdict: Verdict) -> Cell {
    Cell {
        id: id.clone(),
        verdict,
        reason: String::new(),
        blocked_by: None,
        device_error: None,
        findings: Vec::new(),
        notes: Vec::new(),
        exchanges: Vec::new(),
    }
}

/// A cell as its snapshot tells it; `None` without a verdict.
fn cell(
    id: &CellId,
    contents: &str,
    lines: &HashMap<CellId, String>,
    confidence: easrig_scenario::Confidence,
) -> Option<Cell> {
    let mut told = contents.lines();
    let mut cell = bare(id, verdict(told.next()?.strip_prefix("verdict: ")?)?);
    // The facts end where the transcript begins.
    for line in told.take_while(|line| !line.is_empty() && !line.starts_with(' ')) {
        let Some((key, value)) = line.split_once(": ") else { continue };
        match key {
            "reason" => value.clone_into(&mut cell.reason),
            "blocked by" => cell.blocked_by = cell_id(value),
            "owner sees" => cell.device_error = Some(screen(id, value, lines, confidence)),
            "remedy" => {
                if let Some(error) = &mut cell.device_error {
                    value.clone_into(&mut error.remedy);
                }
            }
            "finding" => cell.findings.extend(finding(value)),
            "note" => cell.notes.push(value.to_owned()),
            _ => {}
        }
    }
    Some(cell)
}

/// The overview says the code alone, where there is one.
fn screen(
    id: &CellId,
    text: &str,
    lines: &HashMap<CellId, String>,
    confidence: easrig_scenario::Confidence,
) -> DeviceError {
    let alone = lines.get(id).and_then(|line| line.strip_prefix("blocked: "));
    let split = alone.and_then(|code| Some((code, text.strip_prefix(code)?.strip_prefix(' ')?)));
    let (code, message) = split.unwrap_or(("", text));
    DeviceError { code: code.to_owned(), message: message.to_owned(), remedy: String::new(), confidence }
}

/// `MS-ASCMD_R115 (must): expected one key; seen: none`.
fn finding(text: &str) -> Option<Finding> {
    let (requirement, rest) = text.split_once(" (")?;
    let (level, rest) = rest.split_once("): expected ")?;
    let (expected, actual) = rest.split_once("; seen: ")?;
    let level = match level {
        "must" => Level::Must,
        "should" => Level::Should,
        _ => Level::Robust,
    };
    let [requirement, expected, actual] = [requirement, expected, actual].map(str::to_owned);
    Some(Finding { requirement, level, expected, actual, exchange: None })
}

fn verdict(word: &str) -> Option<Verdict> {
    use Verdict::{Blocked, Degraded, Fail, Inconclusive, Pass, Skipped};
    [Skipped, Pass, Degraded, Inconclusive, Blocked, Fail].into_iter().find(|one| one.to_string() == word.trim())
}

/// `sync/more-available × wp7.5 × 14.1`, as cells are written.
fn cell_id(text: &str) -> Option<CellId> {
    let mut parts = text.split(" × ");
    let (scenario, persona, version) = (parts.next()?, parts.next()?, parts.next());
    let version = version.map(str::parse).transpose().ok()?;
    let id = CellId { scenario: scenario.to_owned(), persona: persona.to_owned(), version };
    parts.next().is_none().then_some(id)
}

/// What a run and a baseline say otherwise of one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said<'r> {
    /// Where the approved snapshot of the cell stands below the baseline's folder; empty when there is none.
    pub path: &'r str,
    /// What was approved; empty when the cell has no snapshot.
    pub before: &'r str,
    /// What is said now; empty when nothing was sent.
    pub after: &'r str,
}

/// A baseline with what a later run says.
#[derive(Debug)]
pub(crate) struct Transcripts<'r> {
    approved: &'r Approved,
    now: HashMap<&'r CellId, &'r str>,
    lines: HashMap<CellId, String>,
}

impl<'r> Transcripts<'r> {
    pub(crate) fn of(approved: &'r Approved, after: &Run, snapshots: &'r [Snapshot]) -> Self {
        let told = |snapshot: &'r Snapshot| Some((snapshot.cell.as_ref()?, snapshot.contents.as_str()));
        Self { approved, now: snapshots.iter().filter_map(told).collect(), lines: overview_lines(after) }
    }

    /// What is said otherwise; `None` when the cell is as approved.
    pub(crate) fn differ(&self, was: Option<&Cell>, is: Option<&Cell>) -> Option<Said<'r>> {
        let before = was.and_then(|was| self.approved.told(&was.id));
        let after = is.and_then(|is| self.now.get(&is.id)).copied();
        let line = |id: Option<&CellId>| id.and_then(|id| self.approved.line(id));
        let now = is.and_then(|is| self.lines.get(&is.id)).map(|line| line.trim());
        let same = match (before, after) {
            (Some((_, was)), Some(is)) => Snapshot::same(was, is),
            (None, None) => line(was.map(|was| &was.id)) == now,
            _ => false,
        };
        let (path, before) = before.unwrap_or_default();
        (!same).then_some(Said { path, before, after: after.unwrap_or_default() })
    }
}
