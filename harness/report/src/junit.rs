use std::collections::BTreeSet;

use easrig_scenario::{Cell, CellId, Finding, Verdict};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::{Outcome, Run};

/// The bytes of `junit.xml`: a suite per persona, a testcase per scenario and version.
///
/// `failure` is a broken requirement or a blocked owner, `error` what could not be told, `skipped` always says why.
/// Characters that XML cannot hold are left out. A known deviation passes and says why in `system-out`; a cell that is well
/// although one is known is a `failure`.
pub fn junit(run: &Run) -> String {
    let mut report = Report::new("easrig");
    let personas: Vec<&str> = run.cells.iter().map(|cell| cell.id.persona.as_str()).collect();
    let mut seen = BTreeSet::new();
    for persona in personas.into_iter().filter(|persona| seen.insert(*persona)) {
        let mut suite = TestSuite::new(clean(&format!("{} {persona}", run.started.target)));
        let own = run.cells.iter().filter(|cell| cell.id.persona == persona);
        suite.add_test_cases(own.map(|cell| test_case(cell, &run.outcome(cell))));
        report.add_test_suite(suite);
    }
    written(&report)
}

/// The bytes of a report.
pub(crate) fn written(report: &Report) -> String {
    // Writing into memory cannot fail, and what XML cannot hold is gone.
    let mut text = report.to_string().unwrap_or_default();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn test_case(cell: &Cell, outcome: &Outcome) -> TestCase {
    let mut case = TestCase::new(name(&cell.id), status(cell, outcome));
    case.set_classname(class_name(&cell.id));
    let notes = notes(cell, outcome);
    if !notes.is_empty() {
        case.set_system_out(clean(&notes));
    }
    case
}

/// The name of a testcase: its scenario and, where one was chosen, its version.
pub(crate) fn name(id: &CellId) -> String {
    clean(&match id.version {
        Some(version) => format!("{} [{version}]", id.scenario),
        None => id.scenario.clone(),
    })
}

/// Dots in a class name make packages in most viewers: `wp7.5` must not become a package of its own.
pub(crate) fn class_name(id: &CellId) -> String {
    let folder = id.scenario.split('/').next().unwrap_or_default();
    clean(&format!("{}.{folder}", id.persona.replace('.', "_")))
}

fn status(cell: &Cell, outcome: &Outcome) -> TestCaseStatus {
    match outcome {
        Outcome::KnownDeviation { .. } => return TestCaseStatus::success(),
        Outcome::UnexpectedPass { because } => return unexpected_pass(because),
        Outcome::AsExpected(_) | Outcome::NewFailure(_) => {}
    }
    let mut status = match cell.verdict {
        Verdict::Pass | Verdict::Degraded => return TestCaseStatus::success(),
        Verdict::Skipped => TestCaseStatus::skipped(),
        Verdict::Fail | Verdict::Blocked => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Inconclusive => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    let reason = if cell.reason.is_empty() { "no reason was recorded" } else { &cell.reason };
    status.set_message(clean(reason));
    if cell.verdict != Verdict::Skipped {
        status.set_type(cell.verdict.to_string());
        status.set_description(clean(&description(cell)));
    }
    status
}

/// Of a cell that is well although a deviation is known.
pub(crate) fn unexpected_pass(because: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type("unexpected pass");
    status.set_message(clean(&format!("it is well although a deviation is known here: {because}")));
    status
}

fn description(cell: &Cell) -> String {
    let mut lines = vec![cell.reason.clone()];
    if let Some(first) = &cell.blocked_by {
        lines.push(format!("blocked by: {first}"));
    }
    if let Some(error) = &cell.device_error {
        lines.push(format!("the owner sees: {} {}", error.code, error.message).replace(":  ", ": "));
        lines.push(format!("remedy: {}", error.remedy));
    }
    lines.extend(cell.findings.iter().map(finding));
    lines.join("\n")
}

fn finding(finding: &Finding) -> String {
    let at = finding.exchange.map(|number| format!("\n  exchange: {}", number.0)).unwrap_or_default();
    format!("{}\n  expected: {}\n  actual: {}{at}", finding.requirement, finding.expected, finding.actual)
}

/// What is worth knowing of a cell that does not fail by it.
fn notes(cell: &Cell, outcome: &Outcome) -> String {
    let mut lines = cell.notes.clone();
    if let Outcome::KnownDeviation { verdict, because, link } = outcome {
        let link = link.as_ref().map(|link| format!(" ({link})")).unwrap_or_default();
        lines.push(format!("known deviation: {verdict}: {because}{link}"));
        lines.push(description(cell));
    }
    if cell.verdict == Verdict::Degraded {
        lines.push(format!("degraded: {}", cell.reason));
    }
    if matches!(cell.verdict, Verdict::Pass | Verdict::Degraded) {
        lines.extend(cell.findings.iter().map(finding));
        lines
            .extend(cell.device_error.iter().map(|e| format!("the owner sees, as expected: {} {}", e.code, e.message)));
    }
    lines.join("\n")
}

/// The text without characters that XML 1.0 cannot hold, not even escaped.
pub(crate) fn clean(text: &str) -> String {
    let legal = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    text.chars().filter(|c| legal(*c) && !matches!(c, '\u{7f}'..='\u{9f}')).collect()
}

#[cfg(test)]
pub(crate) mod tests;
