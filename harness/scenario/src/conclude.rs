//! From everything a cell has seen to its one verdict.

use crate::{Confidence, DeviceError, Finding, Level, Strictness, Verdict};

/// Everything that counts for a cell's verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CellOutcome {
    /// What was wrong. Findings of `setup` steps do not belong here but into `inconclusive`.
    pub findings: Vec<Finding>,
    /// The error on the device.
    pub device_error: Option<DeviceError>,
    /// The scenario expects an error, and `device_error` is the one.
    pub error_expected: bool,
    /// Why we could not tell: no answer, a failed setup step, a ladder that broke.
    pub inconclusive: Option<String>,
    /// What the owner lost although it worked.
    pub degraded: Option<String>,
    /// Why nothing was sent.
    pub skipped: Option<String>,
    /// A step of the scenario sent something to the target; the ladder, which all cells share, does not count.
    pub sent: bool,
    /// The least confidence among the persona's values that the cell rests on.
    pub confidence: Option<Confidence>,
    /// Which findings count as failures.
    pub strictness: Strictness,
}

/// A verdict with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conclusion {
    /// The verdict.
    pub verdict: Verdict,
    /// One sentence; empty only for a `pass` about which there is nothing to say.
    pub reason: String,
    /// What has to stand in the cell's notes, such as `rests on an unverified value of the persona`.
    pub notes: Vec<String>,
}

impl CellOutcome {
    /// The verdict, by the precedence fail > blocked > inconclusive > degraded > pass; `skipped` only if nothing was
    /// sent.
    ///
    /// What rests on a value of the persona that is of `low` confidence or `unverified` is never a `fail`, and a
    /// `blocked` only with a note that says so.
    pub fn conclude(&self) -> Conclusion {
        if let Some(reason) = self.skipped.as_ref().filter(|_| !self.sent) {
            return conclusion(Verdict::Skipped, reason.clone());
        }
        let doubtful = self.confidence.is_some_and(|confidence| confidence <= Confidence::Low);
        let failure = self.findings.iter().find(|finding| self.fails(finding));
        if let Some(finding) = failure.filter(|_| !doubtful) {
            return conclusion(Verdict::Fail, self.failure(finding));
        }
        if let Some(error) = self.device_error.as_ref().filter(|_| !self.error_expected) {
            return blocked(error, doubtful);
        }
        if let Some(finding) = failure {
            let reason = format!("{}; but {DOUBT}", self.failure(finding));
            return conclusion(Verdict::Inconclusive, reason);
        }
        // A cell that had sent something when it met a missing folder has nothing to say either.
        if let Some(why) = self.inconclusive.as_ref().or(self.skipped.as_ref()) {
            return conclusion(Verdict::Inconclusive, why.clone());
        }
        if let Some(loss) = &self.degraded {
            return conclusion(Verdict::Degraded, loss.clone());
        }
        conclusion(Verdict::Pass, self.minor_findings())
    }

    fn fails(&self, finding: &Finding) -> bool {
        self.strictness.fails(finding.level)
    }

    fn failure(&self, first: &Finding) -> String {
        let others = self.findings.iter().filter(|finding| self.fails(finding)).count().saturating_sub(1);
        let more = match others {
            0 => String::new(),
            1 => " (and one more finding)".to_owned(),
            n => format!(" (and {n} more findings)"),
        };
        format!("expected {}; seen: {}{more}", first.expected, first.actual)
    }

    fn minor_findings(&self) -> String {
        let count = |level| self.findings.iter().filter(|finding| finding.level == level).count();
        let words = [("should", count(Level::Should)), ("robust", count(Level::Robust))];
        let words: Vec<_> =
            words.into_iter().filter(|(_, n)| *n > 0).map(|(level, n)| format!("{n} of level `{level}`")).collect();
        if words.is_empty() { String::new() } else { format!("findings: {}", words.join(", ")) }
    }
}

fn blocked(error: &DeviceError, doubtful: bool) -> Conclusion {
    let shown = [error.code.as_str(), error.message.as_str()];
    let shown: Vec<_> = shown.into_iter().filter(|text| !text.is_empty()).collect();
    let mut conclusion = conclusion(Verdict::Blocked, format!("the owner sees: {}", shown.join(" ")));
    if doubtful || error.confidence <= Confidence::Low {
        conclusion.notes.push(DOUBT.to_owned());
    }
    conclusion
}

fn conclusion(verdict: Verdict, reason: String) -> Conclusion {
    Conclusion { verdict, reason, notes: Vec::new() }
}

const DOUBT: &str = "it rests on a value of the persona that is not verified";

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(level: Level) -> Finding {
        Finding {
            requirement: "MS-ASCMD_R4771".to_owned(),
            level,
            expected: "Status 1".to_owned(),
            actual: "Status 3".to_owned(),
            exchange: None,
        }
    }

    fn error(confidence: Confidence) -> DeviceError {
        DeviceError {
            code: "86000C2B".to_owned(),
            message: "cannot sync".to_owned(),
            remedy: String::new(),
            confidence,
        }
    }

    fn outcome(change: impl Fn(&mut CellOutcome)) -> Conclusion {
        let mut outcome = CellOutcome { sent: true, ..CellOutcome::default() };
        change(&mut outcome);
        outcome.conclude()
    }

    fn why(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn the_worst_wins() {
        type Change = fn(&mut CellOutcome);
        let fail: Change = |o| o.findings.push(finding(Level::Must));
        let blocked: Change = |o| o.device_error = Some(error(Confidence::High));
        let unsure: Change = |o| o.inconclusive = why("no answer");
        let loss: Change = |o| o.degraded = why("no pictures");
        let minor: Change = |o| o.findings.push(finding(Level::Should));
        let rows: &[(&[Change], Verdict)] = &[
            (&[], Verdict::Pass),
            (&[minor], Verdict::Pass),
            (&[loss], Verdict::Degraded),
            (&[loss, minor], Verdict::Degraded),
            (&[loss, unsure], Verdict::Inconclusive),
            (&[loss, unsure, blocked], Verdict::Blocked),
            (&[loss, unsure, blocked, fail], Verdict::Fail),
            (&[unsure, fail], Verdict::Fail),
            (&[loss, fail], Verdict::Fail),
            (&[loss, blocked], Verdict::Blocked),
            (&[minor, blocked], Verdict::Blocked),
        ];
        for (number, (changes, verdict)) in rows.iter().enumerate() {
            let seen = outcome(|o| changes.iter().for_each(|change| change(o)));
            assert_eq!(seen.verdict, *verdict, "row {number}");
            assert!(seen.verdict == Verdict::Pass || !seen.reason.is_empty(), "row {number}");
        }
    }

    #[test]
    fn should_fails_only_when_strict_and_robust_never() {
        for (level, verdict) in [(Level::Should, Verdict::Fail), (Level::Robust, Verdict::Pass)] {
            let lax = outcome(|o| o.findings.push(finding(level)));
            assert_eq!(lax.verdict, Verdict::Pass);
            assert!(lax.reason.starts_with("findings: 1 of level"));
            let strict = outcome(|o| {
                o.findings.push(finding(level));
                o.strictness = Strictness::Shoulds;
            });
            assert_eq!(strict.verdict, verdict);
        }
    }

    #[test]
    fn an_expected_error_passes_and_nothing_else_is_excused_by_it() {
        let expected = |o: &mut CellOutcome| {
            o.device_error = Some(error(Confidence::High));
            o.error_expected = true;
        };
        assert_eq!(outcome(expected).verdict, Verdict::Pass);
        let failing = outcome(|o| {
            expected(o);
            o.findings.push(finding(Level::Must));
        });
        assert_eq!(failing.verdict, Verdict::Fail);
    }

    #[test]
    fn an_unverified_value_yields_neither_fail_nor_an_unmarked_blocked() {
        for doubt in [Confidence::Low, Confidence::Unverified] {
            let failing = outcome(|o| {
                o.confidence = Some(doubt);
                o.findings.push(finding(Level::Must));
            });
            assert_eq!(failing.verdict, Verdict::Inconclusive);
            assert!(failing.reason.contains(DOUBT));
            let blocked = outcome(|o| {
                o.confidence = Some(doubt);
                o.device_error = Some(error(Confidence::High));
            });
            assert_eq!((blocked.verdict, blocked.notes), (Verdict::Blocked, vec![DOUBT.to_owned()]));
            let by_the_error = outcome(|o| o.device_error = Some(error(doubt)));
            assert_eq!(by_the_error.notes, [DOUBT]);
        }
        let sure = outcome(|o| {
            o.confidence = Some(Confidence::Med);
            o.findings.push(finding(Level::Must));
        });
        assert_eq!(sure.verdict, Verdict::Fail);
        assert!(outcome(|o| o.device_error = Some(error(Confidence::High))).notes.is_empty());
    }

    #[test]
    fn skipped_is_only_what_sent_nothing() {
        let skipped = |sent| {
            outcome(|o| {
                o.sent = sent;
                o.skipped = why("the server has no Notes folder");
            })
        };
        assert_eq!(skipped(false).verdict, Verdict::Skipped);
        assert_eq!(skipped(true).verdict, Verdict::Inconclusive);
        assert_eq!(skipped(true).reason, "the server has no Notes folder");
    }

    #[test]
    fn the_reason_of_a_failure_gives_both_sides_and_counts_the_rest() {
        let failing =
            outcome(|o| o.findings = vec![finding(Level::Should), finding(Level::Must), finding(Level::Must)]);
        assert_eq!(failing.reason, "expected Status 1; seen: Status 3 (and one more finding)");
    }
}
