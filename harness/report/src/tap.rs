//! TAP 14: a test point a cell, for harnesses that read nothing else.

use std::fmt::Write as _;

use easrig_scenario::{Cell, Verdict};

use crate::{Outcome, Run, safe, sentence};

/// The run as TAP, version 14.
///
/// Known deviations are `TODO`, skipped cells `SKIP`, both with the reason; everything else that is worth knowing of a cell is
/// YAML below it. A run that was cut short bails out at the end.
pub fn tap(run: &Run) -> String {
    let mut out = format!("TAP version 14\n1..{}\n", run.cells.len());
    comment(&mut out, &format!("easrig {} against {}", run.started.easrig, run.started.target));
    for (index, cell) in run.cells.iter().enumerate() {
        point(&mut out, index.saturating_add(1), cell, &run.outcome(cell));
    }
    comment(&mut out, &sentence(run));
    if run.finished.is_none() {
        out.push_str("Bail out! the run was cut short\n");
    }
    out
}

fn point(out: &mut String, number: usize, cell: &Cell, outcome: &Outcome) {
    let ok = match outcome {
        Outcome::AsExpected(_) => "ok",
        Outcome::KnownDeviation { .. } | Outcome::NewFailure(_) | Outcome::UnexpectedPass { .. } => "not ok",
    };
    let id = &cell.id;
    let version = id.version.map(|version| format!(" [{version}]")).unwrap_or_default();
    let name = escaped(&format!("{}: {}{version}", id.persona, id.scenario));
    let directive = match outcome {
        Outcome::KnownDeviation { because, .. } => format!(" # TODO known: {}", escaped(because)),
        _ if cell.verdict == Verdict::Skipped => format!(" # SKIP {}", escaped(&cell.reason)),
        _ => String::new(),
    };
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{ok} {number} - {name}{directive}");
    if cell.verdict != Verdict::Skipped {
        diagnostics(out, cell, outcome);
    }
}

/// What YAML says of a cell; nothing of one that passes without anything to say.
fn diagnostics(out: &mut String, cell: &Cell, outcome: &Outcome) {
    let quiet =
        cell.reason.is_empty() && cell.findings.is_empty() && cell.notes.is_empty() && cell.device_error.is_none();
    if quiet && outcome.because().is_none() {
        return;
    }
    out.push_str("  ---\n");
    line(out, "verdict", &cell.verdict.to_string());
    if !cell.reason.is_empty() {
        line(out, "reason", &cell.reason);
    }
    if let Outcome::UnexpectedPass { because } = outcome {
        line(out, "unexpected_pass", &format!("a deviation is known here, and it is not there any more: {because}"));
    }
    if let Outcome::KnownDeviation { link: Some(link), .. } = outcome {
        line(out, "link", link);
    }
    if let Some(first) = &cell.blocked_by {
        line(out, "blocked_by", &first.to_string());
    }
    if let Some(error) = &cell.device_error {
        out.push_str("  owner_sees:\n");
        [("code", &error.code), ("message", &error.message), ("remedy", &error.remedy)]
            .into_iter()
            .for_each(|(key, value)| line(out, &format!("  {key}"), value));
    }
    if !cell.findings.is_empty() {
        out.push_str("  findings:\n");
    }
    for finding in &cell.findings {
        line(out, "  - requirement", &finding.requirement);
        line(out, "    expected", &finding.expected);
        line(out, "    actual", &finding.actual);
        if let Some(number) = finding.exchange {
            let _ = writeln!(out, "      exchange: {}", number.0);
        }
    }
    if !cell.notes.is_empty() {
        out.push_str("  notes:\n");
        cell.notes.iter().for_each(|note| {
            let _ = writeln!(out, "    - {}", quoted(note));
        });
    }
    out.push_str("  ...\n");
}

fn line(out: &mut String, key: &str, value: &str) {
    let _ = writeln!(out, "  {key}: {}", quoted(value));
}

/// A YAML scalar: JSON's strings are a subset of YAML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(safe(text)).to_string()
}

fn comment(out: &mut String, text: &str) {
    let _ = writeln!(out, "# {}", flat(text));
}

/// In one line, with what TAP would take for its own escaped.
fn escaped(text: &str) -> String {
    flat(text).replace('\\', "\\\\").replace('#', "\\#")
}

fn flat(text: &str) -> String {
    safe(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Known,
        run::tests::{cell, run_of, sample},
    };

    #[test]
    fn a_run_becomes_test_points() {
        insta::assert_snapshot!(tap(&sample()));
    }

    #[test]
    fn hostile_text_makes_no_lines_and_no_directives() {
        let mut odd = cell("sync/odd", "wp7", Verdict::Skipped);
        odd.reason = "a\nok 2 - b # TODO \u{1b}[31m \\".into();
        let mut failing = cell("sync/bad", "wp7", Verdict::Fail);
        failing.reason = "x\n  ...\nBail out! y\u{85}".into();
        let text = tap(&run_of(vec![odd, failing]));
        assert!(text.contains("ok 1 - wp7: sync/odd [14.1] # SKIP a ok 2 - b \\# TODO \\\\u{1b}[31m \\\\\n"), "{text}");
        assert!(text.contains("  reason: \"x\\n  ...\\nBail out! y\\\\u{85}\"\n"), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("Bail")).count(), 0);
    }

    #[test]
    fn a_known_deviation_is_a_todo_and_a_run_cut_short_bails_out() {
        let mut run = run_of(vec![cell("sync/a", "wp7", Verdict::Fail), cell("sync/b", "wp7", Verdict::Pass)]);
        let text = "[[known]]\npattern = \"sync/*\"\nverdict = \"fail\"\nbecause = \"see #7\"\n";
        run.hold_against(&Known::parse("known.toml", text).unwrap());
        run.finished = None;
        let text = tap(&run);
        assert!(text.contains("not ok 1 - wp7: sync/a [14.1] # TODO known: see \\#7\n"), "{text}");
        assert!(
            text.contains("not ok 2 - wp7: sync/b [14.1]\n  ---\n  verdict: \"pass\"\n  unexpected_pass"),
            "{text}"
        );
        assert!(text.ends_with("Bail out! the run was cut short\n"), "{text}");
    }
}
