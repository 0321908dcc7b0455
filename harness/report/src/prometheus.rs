//! Prometheus' text format, for the text file collector of a nightly job.

use std::{collections::BTreeMap, fmt::Write as _};

use easrig_scenario::{Cell, Strictness, Verdict};

use crate::{Outcome, Run, exit, safe};

/// The most cells that have a series of their own.
const CELLS_MOST: usize = 20_000;

/// The run as metrics. Labels are those of the run's own ids, never texts of a server; cells beyond the first 20,000 are
/// only counted.
pub fn prometheus(run: &Run) -> String {
    let target = [("target", run.started.target.as_str())];
    let mut out = Metrics(String::new());
    out.family("easrig_run_start_time_seconds", "When the run began, in seconds since 1970.");
    out.sample("easrig_run_start_time_seconds", &target, &seconds(run.started.at.0));
    out.family("easrig_run_end_time_seconds", "When the run ended, in seconds since 1970; 0 when it was cut short.");
    out.sample("easrig_run_end_time_seconds", &target, &seconds(run.finished.map_or(0, |at| at.0)));
    out.family(
        "easrig_run_exit_code",
        "What the run exits with: 0 well, 1 not well, 3 not clear, 4 nothing was tried.",
    );
    out.sample("easrig_run_exit_code", &target, &exit(run, Strictness::Musts).code().to_string());
    out.family("easrig_blocking_errors", "Errors on screens that block cells, each counted once.");
    out.sample("easrig_blocking_errors", &target, &run.totals().causes.to_string());
    out.family("easrig_cells", "How many cells of a persona came to a verdict.");
    for ((persona, verdict), count) in counts(run) {
        let labels = [target[0], ("persona", persona), ("verdict", word(verdict))];
        out.sample("easrig_cells", &labels, &count.to_string());
    }
    out.family(
        "easrig_cell_verdict",
        "What a cell came to: 0 pass, 1 degraded, 2 inconclusive, 3 blocked, 4 fail, -1 skipped.",
    );
    for cell in run.cells.iter().take(CELLS_MOST) {
        out.cell("easrig_cell_verdict", target[0], cell, number(cell.verdict));
    }
    if !run.outcomes.is_empty() {
        out.family("easrig_cell_news", "Whether a cell is news against the known deviations: 1 bad news, 0 none.");
        let news = |outcome: &Outcome| if outcome.is_bad_news() { "1" } else { "0" };
        for cell in run.cells.iter().take(CELLS_MOST) {
            out.cell("easrig_cell_news", target[0], cell, news(&run.outcome(cell)));
        }
    }
    out.family("easrig_cells_without_series", "Cells that have no series of their own because there are too many.");
    out.sample("easrig_cells_without_series", &target, &run.cells.len().saturating_sub(CELLS_MOST).to_string());
    out.0
}

/// Every verdict of every persona, also those that nothing came to: a series that vanishes raises no alert.
fn counts(run: &Run) -> BTreeMap<(&str, Verdict), usize> {
    let mut counts = BTreeMap::new();
    for cell in &run.cells {
        VERDICTS.iter().for_each(|verdict| {
            counts.entry((cell.id.persona.as_str(), *verdict)).or_insert(0);
        });
        let count: &mut usize = counts.entry((cell.id.persona.as_str(), cell.verdict)).or_insert(0);
        *count = count.saturating_add(1);
    }
    counts
}

const VERDICTS: [Verdict; 6] =
    [Verdict::Pass, Verdict::Fail, Verdict::Blocked, Verdict::Degraded, Verdict::Skipped, Verdict::Inconclusive];

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Blocked => "blocked",
        Verdict::Degraded => "degraded",
        Verdict::Skipped => "skipped",
        Verdict::Inconclusive => "inconclusive",
    }
}

/// The worse, the higher.
fn number(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Skipped => "-1",
        Verdict::Pass => "0",
        Verdict::Degraded => "1",
        Verdict::Inconclusive => "2",
        Verdict::Blocked => "3",
        Verdict::Fail => "4",
    }
}

/// Microseconds as seconds, without the rounding of a float.
fn seconds(micros: i64) -> String {
    format!("{}.{:06}", micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000))
}

type Label<'a> = (&'static str, &'a str);

/// The text as it grows.
struct Metrics(String);

impl Metrics {
    fn family(&mut self, name: &str, help: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge");
    }

    fn sample(&mut self, name: &str, labels: &[Label<'_>], value: &str) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let _ = writeln!(self.0, "{name}{{{}}} {value}", labels.join(","));
    }

    fn cell(&mut self, name: &str, target: Label<'_>, cell: &Cell, value: &str) {
        let version = cell.id.version.map(|version| version.to_string()).unwrap_or_default();
        let labels =
            [target, ("persona", &cell.id.persona), ("scenario", &cell.id.scenario), ("version", version.as_str())];
        self.sample(name, &labels, value);
    }
}

fn escaped(text: &str) -> String {
    safe(text).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::{cell, run_of, sample};

    #[test]
    fn a_run_becomes_metrics() {
        insta::assert_snapshot!(prometheus(&sample()));
    }

    #[test]
    fn every_line_has_the_form_of_the_text_format_and_no_series_stands_twice() {
        let mut odd = sample();
        odd.started.target = "a\"b\\c\nd\u{7}".into();
        let text = prometheus(&odd);
        let mut seen = std::collections::BTreeSet::new();
        for line in text.lines().filter(|line| !line.starts_with("# HELP ") && !line.starts_with("# TYPE ")) {
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            assert!(series.starts_with("easrig_") && series.ends_with("\"}"), "{line}");
            assert!(series.contains(r#"target="a\"b\\c\nd\\u{7}""#), "{line}");
            assert!(seen.insert(series.to_owned()), "{line}");
        }
    }

    #[test]
    fn there_is_a_bound_on_series() {
        let cells = (0..CELLS_MOST + 5).map(|n| cell(&format!("sync/{n}"), "wp7", Verdict::Pass)).collect();
        let text = prometheus(&run_of(cells));
        assert_eq!(text.lines().filter(|line| line.starts_with("easrig_cell_verdict{")).count(), CELLS_MOST);
        assert!(text.ends_with("easrig_cells_without_series{target=\"https://mail.example.test/\"} 5\n"));
    }
}
