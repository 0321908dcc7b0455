//! A run against an approved baseline.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Write as _,
};

use easrig_scenario::{CellId, Verdict};
use similar::TextDiff;

use super::{Snapshot, SnapshotPath};
use crate::{Exit, Outcome, Palette, Run, safe, trouble::unexpected};

/// The most lines of one difference that are shown.
const LINES_MOST: usize = 60;

/// What a run says otherwise than its baseline.
#[derive(Debug)]
pub struct Checked<'s> {
    /// Everything that differs, in the order of the paths; the overview first, when it does.
    pub differences: Vec<Difference<'s>>,
    /// How many snapshots say the same.
    pub same: usize,
}

/// One snapshot that is not as it was approved.
#[derive(Debug)]
pub enum Difference<'s> {
    /// It says something else.
    Changed {
        /// What it says now.
        snapshot: &'s Snapshot,
        /// What was approved.
        before: &'s str,
    },
    /// Nobody has approved it yet.
    New(&'s Snapshot),
    /// It was approved, and the run has no such cell, or nothing was sent in it.
    Gone(&'s str),
}

/// Holds the snapshots of a run against the approved files, by their paths.
pub fn check<'s>(snapshots: &'s [Snapshot], approved: &'s BTreeMap<String, String>) -> Checked<'s> {
    let mut checked = Checked { differences: Vec::new(), same: 0 };
    for snapshot in snapshots {
        match approved.get(snapshot.path.as_str()) {
            Some(text) if snapshot.is_in(text) => checked.same = checked.same.saturating_add(1),
            Some(text) => {
                let before = Snapshot::contents_of(text).unwrap_or(text);
                checked.differences.push(Difference::Changed { snapshot, before });
            }
            None => checked.differences.push(Difference::New(snapshot)),
        }
    }
    let paths: BTreeSet<&str> = snapshots.iter().map(|snapshot| snapshot.path.as_str()).collect();
    let gone = approved.keys().filter(|path| !paths.contains(path.as_str()));
    checked.differences.extend(gone.map(|path| Difference::Gone(path)));
    checked.differences.sort_by_key(|difference| {
        (difference.path() != SnapshotPath::overview().as_str(), difference.path().to_owned())
    });
    checked
}

impl Difference<'_> {
    /// Where it is.
    pub fn path(&self) -> &str {
        match self {
            Self::Changed { snapshot, .. } | Self::New(snapshot) => snapshot.path.as_str(),
            Self::Gone(path) => path,
        }
    }

    fn cell(&self) -> Option<&CellId> {
        match self {
            Self::Changed { snapshot, .. } | Self::New(snapshot) => snapshot.cell.as_ref(),
            Self::Gone(_) => None,
        }
    }

    fn is_overview(&self) -> bool {
        self.path() == SnapshotPath::overview().as_str()
    }
}

impl Checked<'_> {
    /// What the check exits with: a difference is bad news, unless it is a known deviation; what is gone or could not be told
    /// is unclear.
    pub fn exit(&self, run: &Run) -> Exit {
        let outcomes = Outcomes::of(run);
        let news: Vec<Exit> = self.differences.iter().map(|difference| weight(difference, &outcomes)).collect();
        // The overview repeats what the cells say; alone, it is about cells in which nothing was sent.
        let alone = !news.is_empty() && self.differences.iter().all(Difference::is_overview);
        if news.contains(&Exit::Broken) || alone || !unexpected(run).is_empty() {
            Exit::Broken
        } else if news.contains(&Exit::Unclear) || run.finished.is_none() {
            Exit::Unclear
        } else {
            Exit::Well
        }
    }

    /// Everything that differs, for people; the last line says how much.
    pub fn draw(&self, run: &Run, palette: &Palette) -> String {
        // What every cell came to is told cell by cell, unless nothing else tells it.
        let cells = self.differences.iter().any(|difference| !difference.is_overview());
        let told = self.differences.iter().filter(|difference| !(cells && difference.is_overview()));
        let outcomes = Outcomes::of(run);
        let mut out: String = told.map(|difference| drawn(difference, &outcomes, palette)).collect();
        for (cell, because) in unexpected(run) {
            let text = format!("unexpected pass  {}: it was known because: {because}\n", cell.id);
            out.push_str(&safe(&text));
        }
        let count = |of: fn(&Difference<'_>) -> bool| self.differences.iter().filter(|d| of(d)).count();
        let [changed, new, gone] = [
            count(|d| matches!(d, Difference::Changed { .. })),
            count(|d| matches!(d, Difference::New(_))),
            count(|d| matches!(d, Difference::Gone(_))),
        ];
        let _ = writeln!(out, "{} as approved, {changed} changed, {new} new, {gone} gone", self.same);
        out
    }
}

/// What the cells of a run came to, by their ids.
struct Outcomes<'r>(HashMap<&'r CellId, (Verdict, Outcome)>);

impl<'r> Outcomes<'r> {
    fn of(run: &'r Run) -> Self {
        Self(run.cells.iter().map(|cell| (&cell.id, (cell.verdict, run.outcome(cell)))).collect())
    }

    fn of_cell(&self, difference: &Difference<'_>) -> Option<&(Verdict, Outcome)> {
        difference.cell().and_then(|id| self.0.get(id))
    }
}

fn weight(difference: &Difference<'_>, outcomes: &Outcomes<'_>) -> Exit {
    match (difference, outcomes.of_cell(difference)) {
        (Difference::Gone(_), _) | (_, Some((Verdict::Inconclusive, Outcome::NewFailure(_)))) => Exit::Unclear,
        (_, None | Some((_, Outcome::KnownDeviation { .. }))) => Exit::Well,
        _ => Exit::Broken,
    }
}

fn drawn(difference: &Difference<'_>, outcomes: &Outcomes<'_>, palette: &Palette) -> String {
    let strong = palette.strong;
    let name = match difference.cell() {
        Some(cell) => cell.to_string(),
        None => difference.path().to_owned(),
    };
    let known = match outcomes.of_cell(difference) {
        Some((_, Outcome::KnownDeviation { because, .. })) => format!(" (known: {because})"),
        _ => String::new(),
    };
    let head = |word: &str, how: &str| {
        format!("{strong}{word}{strong:#}  {}{}\n", safe(&name), safe(&format!("{how}{known}")))
    };
    match difference {
        Difference::Gone(_) => head("gone   ", ": it was approved, and nothing was sent in it now"),
        Difference::New(snapshot) => head("new    ", &format!(": {}", verdict(&snapshot.contents))),
        Difference::Changed { snapshot, before } => {
            let (was, is) = (verdict(before), verdict(&snapshot.contents));
            let how = if was == is { String::new() } else { format!(": {was} → {is}") };
            head("changed", &how) + &lines(before, &snapshot.contents, palette)
        }
    }
}

fn verdict(contents: &str) -> &str {
    contents.lines().next().and_then(|line| line.strip_prefix("verdict: ")).unwrap_or_default()
}

fn lines(before: &str, now: &str, palette: &Palette) -> String {
    let (before, now) = (ended(before), ended(now));
    let diff = TextDiff::from_lines(&before, &now);
    let text = diff.unified_diff().context_radius(2).to_string();
    let mut out = String::new();
    let mut all = text.lines();
    for line in all.by_ref().take(LINES_MOST) {
        let style = match line.as_bytes().first() {
            Some(b'+') => palette.pass,
            Some(b'-') => palette.fail,
            _ => palette.dim,
        };
        let _ = writeln!(out, "    {style}{}{style:#}", safe(line));
    }
    let left = all.count();
    if left > 0 {
        let _ = writeln!(out, "    … {left} more lines");
    }
    out
}

fn ended(text: &str) -> String {
    format!("{}\n", text.replace("\r\n", "\n").trim_end())
}
