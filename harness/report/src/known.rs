//! Deviations of a target that somebody has looked at and accepted, and what that makes of its cells.

mod file;
mod pattern;

use std::collections::BTreeMap;

use easrig_scenario::{Cell, CellId, Level, Verdict};

pub use file::{KnownError, KnownProblem};
pub use pattern::{Pattern, PatternError};

use crate::Run;

/// The deviations of one target (`known.toml`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// In the order of the file.
    pub deviations: Vec<Deviation>,
}

/// One deviation that is no news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// The cells it is about.
    pub pattern: Pattern,
    /// What they come to: `fail`, `blocked`, `inconclusive` or `degraded`.
    pub verdict: Verdict,
    /// What the owner sees, when it has to be this code.
    pub code: Option<String>,
    /// The requirements that may be broken; any when there are none.
    pub requirements: Vec<String>,
    /// Why it is accepted.
    pub because: String,
    /// Where it is discussed.
    pub link: Option<String>,
    /// The line of the file on which its pattern stands, from 1.
    pub line: usize,
}

/// What a cell came to, held against what is known of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is wrong with it, or nothing was sent.
    AsExpected(Verdict),
    /// It deviates as is known.
    KnownDeviation {
        /// What it came to.
        verdict: Verdict,
        /// Why that is accepted.
        because: String,
        /// Where it is discussed.
        link: Option<String>,
    },
    /// It fails, blocks or cannot be told, and nobody said so before.
    NewFailure(Verdict),
    /// It is well although a deviation is known: the entry has to go.
    UnexpectedPass {
        /// Why it was accepted.
        because: String,
    },
}

impl Outcome {
    /// What a cell came to when nothing is known of the target.
    pub fn plain(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass | Verdict::Degraded | Verdict::Skipped => Self::AsExpected(verdict),
            Verdict::Fail | Verdict::Blocked | Verdict::Inconclusive => Self::NewFailure(verdict),
        }
    }

    /// Why the deviation was accepted, when one is known.
    pub fn because(&self) -> Option<&str> {
        match self {
            Self::KnownDeviation { because, .. } | Self::UnexpectedPass { because } => Some(because),
            Self::AsExpected(_) | Self::NewFailure(_) => None,
        }
    }

    /// Whether the run is not well because of it.
    pub fn is_bad_news(&self) -> bool {
        matches!(self, Self::NewFailure(Verdict::Fail | Verdict::Blocked) | Self::UnexpectedPass { .. })
    }
}

/// A deviation that no cell of a run has to do with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unused {
    /// Its pattern.
    pub pattern: String,
    /// Its line in the file.
    pub line: usize,
    /// The scenario that may have been meant.
    pub near: Option<String>,
}

impl Known {
    /// What a cell came to, by itself.
    fn judge(&self, cell: &Cell) -> Outcome {
        let mut about = self.deviations.iter().filter(|deviation| deviation.pattern.matches(&cell.id)).peekable();
        let Some(first) = about.peek().copied() else { return Outcome::plain(cell.verdict) };
        if let Some(deviation) = about.find(|deviation| deviation.covers(cell)) {
            return Outcome::KnownDeviation {
                verdict: cell.verdict,
                because: deviation.because.clone(),
                link: deviation.link.clone(),
            };
        }
        match cell.verdict {
            Verdict::Pass | Verdict::Degraded => Outcome::UnexpectedPass { because: first.because.clone() },
            verdict => Outcome::plain(verdict),
        }
    }

    fn unused(&self, run: &Run) -> Vec<Unused> {
        let idle = |deviation: &&Deviation| !run.cells.iter().any(|cell| deviation.pattern.matches(&cell.id));
        let near = |deviation: &Deviation| {
            let scenarios = run.cells.iter().map(|cell| cell.id.scenario.as_str());
            pattern::nearest(deviation.pattern.scenario(), scenarios).map(str::to_owned)
        };
        let unused = |deviation: &Deviation| Unused {
            pattern: deviation.pattern.to_string(),
            line: deviation.line,
            near: near(deviation),
        };
        self.deviations.iter().filter(idle).map(unused).collect()
    }
}

impl Deviation {
    /// Whether it is this very deviation that the cell shows.
    fn covers(&self, cell: &Cell) -> bool {
        let shown = cell.device_error.as_ref().map(|error| error.code.as_str());
        let code = self.code.as_deref().is_none_or(|code| shown.is_some_and(|shown| shown.eq_ignore_ascii_case(code)));
        let listed = |id: &String| self.requirements.iter().any(|known| known.eq_ignore_ascii_case(id));
        let mut broken = cell.findings.iter().filter(|finding| finding.level == Level::Must);
        let requirements = self.requirements.is_empty() || broken.all(|finding| listed(&finding.requirement));
        cell.verdict == self.verdict && code && requirements
    }
}

impl Run {
    /// Holds every cell against what is known of the target; every picture made of the run from then on says so.
    /// Gives the deviations that no cell has to do with.
    ///
    /// A cell that is blocked by another one is known when that is: the error is one, however many cells it blocks.
    pub fn hold_against(&mut self, known: &Known) -> Vec<Unused> {
        let own: BTreeMap<CellId, Outcome> =
            self.cells.iter().map(|cell| (cell.id.clone(), known.judge(cell))).collect();
        let explained = |cell: &Cell| {
            let first = cell.blocked_by.as_ref().and_then(|first| own.get(first));
            match (own.get(&cell.id), first) {
                (Some(Outcome::NewFailure(Verdict::Blocked)), Some(first @ Outcome::KnownDeviation { .. })) => {
                    Some((cell.id.clone(), first.clone()))
                }
                _ => None,
            }
        };
        let explained: Vec<_> = self.cells.iter().filter_map(explained).collect();
        self.outcomes = own;
        self.outcomes.extend(explained);
        known.unused(self)
    }

    /// Why the deviation that a cell of this run shows is accepted; `None` when it is not, or shows none.
    pub(crate) fn known(&self, cell: &Cell) -> Option<&str> {
        let outcome =
            self.outcomes.get(&cell.id).filter(|outcome| matches!(outcome, Outcome::KnownDeviation { .. }))?;
        outcome.because()
    }

    /// What a cell of this run came to.
    pub fn outcome(&self, cell: &Cell) -> Outcome {
        self.outcomes.get(&cell.id).cloned().unwrap_or_else(|| Outcome::plain(cell.verdict))
    }
}

#[cfg(test)]
mod tests;
