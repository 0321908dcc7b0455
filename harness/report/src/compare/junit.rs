use std::collections::BTreeMap;

use easrig_scenario::CellId;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Cause, Change, Class, Comparison};
use crate::junit::{class_name, clean, name, unexpected_pass, written};

/// The comparison as JUnit: a suite per persona, a testcase per cell of either run. `failure` is a regression, `error`
/// what can no longer be told, an unexpected pass a `failure` too; improvements and news pass and say so in `system-out`.
pub fn compare_junit(comparison: &Comparison<'_>) -> String {
    let mut changed: BTreeMap<&CellId, (&Cause<'_>, &Change<'_>)> = BTreeMap::new();
    for cause in &comparison.causes {
        changed.extend(cause.changes.iter().map(|change| (change.id, (cause, change))));
    }
    let mut suites: Vec<(&str, TestSuite)> = Vec::new();
    let gone = comparison.changes().filter(|change| change.after.is_none()).map(|change| change.id);
    for id in comparison.after.cells.iter().map(|cell| &cell.id).chain(gone) {
        let place = suites.iter().position(|(persona, _)| *persona == id.persona).unwrap_or_else(|| {
            let target = &comparison.after.started.target;
            suites.push((&id.persona, TestSuite::new(clean(&format!("{target} {}", id.persona)))));
            suites.len() - 1
        });
        if let Some((_, suite)) = suites.get_mut(place) {
            suite.add_test_case(test_case(id, changed.get(id).copied(), comparison));
        }
    }
    let mut report = Report::new("easrig compare");
    report.add_test_suites(suites.into_iter().map(|(_, suite)| suite));
    written(&report)
}

fn test_case(id: &CellId, changed: Option<(&Cause<'_>, &Change<'_>)>, comparison: &Comparison<'_>) -> TestCase {
    let status = match changed {
        Some((cause, change)) => status(cause, change, comparison),
        None => TestCaseStatus::success(),
    };
    let unexpected = comparison.unexpected.iter().find(|(cell, _)| cell.id == *id);
    let status = unexpected.map_or(status, |(_, because)| unexpected_pass(because));
    let mut case = TestCase::new(name(id), status);
    case.set_classname(class_name(id));
    if let Some((cause, change)) = changed
        && matches!(change.class, Class::Improvement | Class::News)
    {
        case.set_system_out(clean(&format!("{}: {}; {}", change.class, change.transition(), cause.title())));
    }
    case
}

fn status(cause: &Cause<'_>, change: &Change<'_>, comparison: &Comparison<'_>) -> TestCaseStatus {
    let mut status = match change.class {
        Class::Regression => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Class::Unclear => TestCaseStatus::non_success(NonSuccessKind::Error),
        Class::Improvement | Class::News => return TestCaseStatus::success(),
    };
    let mut lines = vec![cause.title()];
    lines.extend(change.after.map(|cell| cell.reason.clone()).filter(|reason| !reason.is_empty()));
    for finding in change.fresh() {
        lines.push(format!("{}\n  expected: {}\n  actual: {}", finding.requirement, finding.expected, finding.actual));
    }
    lines.extend(cause.remedy(comparison.after).map(|remedy| format!("remedy: {remedy}")));
    status.set_message(clean(&change.transition()));
    status.set_type(change.class.to_string());
    status.set_description(clean(&lines.join("\n")));
    status
}
