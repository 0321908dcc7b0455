use easrig_scenario::{Finding, Level, Strictness};

use super::*;
use crate::{
    Exit, exit,
    run::tests::{blocked, cell, finding, run_of},
};

fn known(text: &str) -> Known {
    Known::parse("known.toml", text).unwrap()
}

fn drawn(text: &str) -> String {
    let report = miette::Report::new(Known::parse("known.toml", text).unwrap_err());
    let mut out = String::new();
    let theme = miette::GraphicalTheme::unicode_nocolor();
    miette::GraphicalReportHandler::new_themed(theme).render_report(&mut out, report.as_ref()).unwrap();
    out
}

fn outcomes(text: &str, cells: Vec<Cell>) -> (Vec<Outcome>, Exit) {
    let mut run = run_of(cells);
    run.hold_against(&known(text));
    (run.cells.iter().map(|cell| run.outcome(cell)).collect(), exit(&run, Strictness::Musts))
}

const FAIL: &str = "[[known]]\npattern = \"sync/a\"\nverdict = \"fail\"\nbecause = \"old\"\n";

#[test]
fn every_slip_is_drawn() {
    insta::assert_snapshot!(drawn(
        "[[known]]\npattern = \"sync/*,,\"\nverdict = \"failed\"\nbecause = \" \"\nlink = \"see wiki\"\ncode = \"1\"\n\
         req = [\"MS-ASCDM_R3836\"]\n\n[[known]]\npattern = \"a\"\nverdict = \"pass\"\nbecause = \"x\"\n"
    ));
    insta::assert_snapshot!(drawn("[[known]]\npatern = \"sync/a\"\nverdict = \"fail\"\nbecause = \"x\"\n"));
    insta::assert_snapshot!(drawn("[[known]]\npattern = \"sync/a\"\nverdict = \"fail\"\n"));
}

#[test]
fn a_failure_that_is_known_is_no_news_and_any_other_is() {
    let cells = vec![cell("sync/a", "wp7", Verdict::Fail), cell("sync/a", "ios-17", Verdict::Fail)];
    let (outcomes_of_both, both) = outcomes(FAIL, cells.clone());
    assert!(outcomes_of_both.iter().all(|outcome| matches!(outcome, Outcome::KnownDeviation { .. })));
    assert_eq!(both, Exit::Well);
    let (one, exit) = outcomes(&FAIL.replace("sync/a", "sync/a,wp7"), cells);
    assert_eq!((&one[1], exit), (&Outcome::NewFailure(Verdict::Fail), Exit::Broken));
}

#[test]
fn a_pass_where_a_deviation_is_known_is_bad_news_and_a_skipped_cell_is_not() {
    for (verdict, bad) in
        [(Verdict::Pass, Exit::Broken), (Verdict::Degraded, Exit::Broken), (Verdict::Skipped, Exit::Well)]
    {
        assert_eq!(outcomes(FAIL, vec![cell("sync/a", "wp7", verdict)]).1, bad, "{verdict}");
    }
    assert_eq!(outcomes(FAIL, vec![cell("sync/a", "wp7", Verdict::Inconclusive)]).1, Exit::Unclear);
}

#[test]
fn another_verdict_code_or_requirement_is_news() {
    let entry = "[[known]]\npattern = \"*\"\nverdict = \"blocked\"\ncode = \"86000C2B\"\nbecause = \"policy\"\n";
    assert_eq!(outcomes(entry, vec![blocked("sync/a", "wp7", "86000C2B")]).1, Exit::Well);
    assert_eq!(outcomes(entry, vec![blocked("sync/a", "wp7", "85010013")]).1, Exit::Broken);
    assert_eq!(outcomes(entry, vec![cell("sync/a", "wp7", Verdict::Fail)]).1, Exit::Broken);

    let mut failing = cell("sync/a", "wp7", Verdict::Fail);
    failing.findings = vec![finding(Level::Must), finding(Level::Should)];
    failing.findings[1].requirement = "MS-ASCMD_R115".into();
    let entry = format!("{FAIL}req = [\"MS-ASCMD_R3836\"]\n");
    assert_eq!(outcomes(&entry, vec![failing.clone()]).1, Exit::Well);
    failing.findings.push(Finding { requirement: "MS-ASCMD_R4013".into(), ..finding(Level::Must) });
    assert_eq!(outcomes(&entry, vec![failing]).1, Exit::Broken);
}

#[test]
fn what_a_known_error_blocks_is_known() {
    let first = blocked("journeys/onboarding", "wp7", "86000C2B");
    let second = Cell { blocked_by: Some(first.id.clone()), ..blocked("sync/a", "wp7", "86000C2B") };
    let entry = "[[known]]\npattern = \"journeys/onboarding,wp7\"\nverdict = \"blocked\"\nbecause = \"policy\"\n";
    let (outcomes, exit) = outcomes(entry, vec![first, second]);
    assert_eq!((&outcomes[0], exit), (&outcomes[1], Exit::Well));
}

#[test]
fn a_pattern_that_no_cell_has_to_do_with_is_named() {
    let mut run = run_of(vec![cell("sync/more-available", "wp7", Verdict::Pass)]);
    let text = "\n[[known]]\npattern = \"sync/more-availabel\"\nverdict = \"fail\"\nbecause = \"x\"\n";
    let unused = run.hold_against(&known(text));
    let near = Some("sync/more-available".to_owned());
    assert_eq!(unused, [Unused { pattern: "sync/more-availabel".into(), line: 3, near }]);
}

#[test]
fn a_broken_should_that_is_part_of_a_known_deviation_does_not_count_when_strict() {
    let mut failing = cell("sync/a", "wp7", Verdict::Fail);
    failing.findings = vec![finding(Level::Must), finding(Level::Should)];
    let mut run = run_of(vec![failing]);
    run.hold_against(&known(FAIL));
    assert_eq!(exit(&run, Strictness::Shoulds), Exit::Well);
}
