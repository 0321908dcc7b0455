use easrig_scenario::{Cell, Level, Strictness, Verdict};

use crate::{Outcome, Run};

/// What the process says when it ends; the numbers never change meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exit {
    /// Nothing is wrong.
    Well,
    /// The target broke a requirement, or an owner would see an error.
    Broken,
    /// A scenario, a persona, a flag or another input is wrong.
    Input,
    /// It could not be told.
    Unclear,
    /// Nothing was selected.
    Nothing,
}

impl Exit {
    /// The number of the process.
    pub const fn code(self) -> u8 {
        match self {
            Self::Well => 0,
            Self::Broken => 1,
            Self::Input => 2,
            Self::Unclear => 3,
            Self::Nothing => 4,
        }
    }
}

/// What a run exits with. Deviations that are known change nothing; one that is known and not there is bad news.
pub fn exit(run: &Run, strictness: Strictness) -> Exit {
    let outcomes: Vec<Outcome> = run.cells.iter().map(|cell| run.outcome(cell)).collect();
    let judged = |cell: &Cell| !matches!(cell.verdict, Verdict::Inconclusive | Verdict::Skipped);
    let slips = |cell: &Cell| judged(cell) && cell.findings.iter().any(|finding| finding.level == Level::Should);
    let known = |outcome: &Outcome| matches!(outcome, Outcome::KnownDeviation { .. });
    let slipped = run.cells.iter().zip(&outcomes).any(|(cell, outcome)| slips(cell) && !known(outcome));
    if outcomes.iter().any(Outcome::is_bad_news) || (slipped && strictness == Strictness::Shoulds) {
        Exit::Broken
    } else if outcomes.contains(&Outcome::NewFailure(Verdict::Inconclusive)) || run.finished.is_none() {
        Exit::Unclear
    } else if run.cells.is_empty() {
        Exit::Nothing
    } else {
        Exit::Well
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::{cell, finding, run_of};

    fn code(cells: Vec<Cell>, strictness: Strictness) -> u8 {
        exit(&run_of(cells), strictness).code()
    }

    #[test]
    fn the_worst_news_decide() {
        let [pass, skipped, blocked, unclear, fail] =
            [Verdict::Pass, Verdict::Skipped, Verdict::Blocked, Verdict::Inconclusive, Verdict::Fail]
                .map(|verdict| cell(&format!("sync/{verdict}"), "wp7", verdict));
        let code = |cells: &[&Cell]| code(cells.iter().map(|c| (*c).clone()).collect(), Strictness::Musts);
        assert_eq!(code(&[]), 4);
        assert_eq!(code(&[&pass, &skipped]), 0);
        assert_eq!(code(&[&pass, &unclear]), 3);
        assert_eq!(code(&[&unclear, &blocked]), 1);
        assert_eq!(code(&[&unclear, &fail]), 1);
    }

    #[test]
    fn a_broken_should_counts_only_when_strict() {
        let mut slip = cell("sync/a", "wp7", Verdict::Pass);
        slip.findings.push(finding(Level::Should));
        assert_eq!(code(vec![slip.clone()], Strictness::Musts), 0);
        assert_eq!(code(vec![slip], Strictness::Shoulds), 1);
    }

    #[test]
    fn a_run_cut_short_is_never_well() {
        let mut run = run_of(vec![cell("sync/a", "wp7", Verdict::Pass)]);
        run.finished = None;
        assert_eq!(exit(&run, Strictness::Musts), Exit::Unclear);
    }
}
