use easrig_scenario::Verdict;

use crate::{Outcome, Run, Totals};

/// The run in one sentence for people, with what is known of the target taken into account.
pub fn sentence(run: &Run) -> String {
    let counts = Counts::of(run);
    let mut parts = Vec::new();
    if counts.fail > 0 {
        parts.push(format!(
            "{} {} a requirement",
            cells(counts.fail),
            if counts.fail == 1 { "breaks" } else { "break" }
        ));
    }
    if counts.blocked > 0 {
        let is = if counts.blocked == 1 { "is" } else { "are" };
        parts.push(format!("{} {is} blocked by an error that owners see", cells(counts.blocked)));
    }
    if counts.unexpected > 0 {
        let (is, deviation) =
            if counts.unexpected == 1 { ("is", "a known deviation") } else { ("are", "known deviations") };
        parts.push(format!("{} {is} well despite {deviation}", cells(counts.unexpected)));
    }
    let judged = run.totals();
    let others = [judged.skipped, counts.unclear, counts.known].into_iter().sum();
    let told = run.cells.len().saturating_sub(others);
    let verdict = match (parts.is_empty(), counts.unclear, told) {
        (false, ..) => format!("Not well: {}", list(&parts)),
        (true, 0, 0) if counts.known > 0 => "Nothing new".to_owned(),
        (true, 0, 0) => "Nothing was tried".to_owned(),
        (true, 0, _) if run.finished.is_none() => "Well as far as it came".to_owned(),
        (true, 0, _) => format!("Well: {} as expected", cells(told)),
        (true, unclear, _) => format!("Not clear: {} could not be told", cells(unclear)),
    };
    let rest = rest(run, &judged, &counts, parts.is_empty());
    format!("{verdict}{rest}.")
}

/// What is worth saying behind the verdict.
fn rest(run: &Run, totals: &Totals, counts: &Counts, told: bool) -> String {
    let mut rest = Vec::new();
    if counts.unclear > 0 && !told {
        rest.push(format!("{} could not be told", counts.unclear));
    }
    if counts.known > 0 {
        let deviate = if counts.known == 1 { "deviates" } else { "deviate" };
        rest.push(format!("{} {deviate} as is known", counts.known));
    }
    if totals.degraded > 0 {
        rest.push(format!("{} lost something on the way", totals.degraded));
    }
    if totals.skipped > 0 {
        rest.push(format!("{} skipped", totals.skipped));
    }
    match (run.finished, run.missing) {
        (Some(_), _) => {}
        (None, 0) => rest.push("the run was cut short".to_owned()),
        (None, missing) => rest.push(format!("the run was cut short, {} never run", cells(missing))),
    }
    rest.into_iter().map(|part| format!("; {part}")).collect()
}

/// News by kind.
#[derive(Default)]
struct Counts {
    fail: usize,
    blocked: usize,
    unclear: usize,
    unexpected: usize,
    known: usize,
}

impl Counts {
    fn of(run: &Run) -> Self {
        let mut counts = Self::default();
        for cell in &run.cells {
            let count = match run.outcome(cell) {
                Outcome::NewFailure(Verdict::Fail) => &mut counts.fail,
                Outcome::NewFailure(Verdict::Blocked) => &mut counts.blocked,
                Outcome::NewFailure(_) => &mut counts.unclear,
                Outcome::UnexpectedPass { .. } => &mut counts.unexpected,
                Outcome::KnownDeviation { .. } => &mut counts.known,
                Outcome::AsExpected(_) => continue,
            };
            *count = count.saturating_add(1);
        }
        counts
    }
}

fn cells(count: usize) -> String {
    if count == 1 { "1 cell".to_owned() } else { format!("{count} cells") }
}

/// `a`, `a and b`, `a, b and c`.
fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::{cell, run_of, sample};

    #[test]
    fn the_worst_stands_first_and_the_rest_behind() {
        assert_eq!(
            sentence(&sample()),
            "Not well: 3 cells break a requirement and 2 cells are blocked by an error that owners see; \
             4 could not be told; 1 lost something on the way; 4 skipped."
        );
        assert_eq!(sentence(&run_of(Vec::new())), "Nothing was tried.");
        let one = |verdict| sentence(&run_of(vec![cell("sync/a", "wp7", verdict)]));
        assert_eq!(one(Verdict::Pass), "Well: 1 cell as expected.");
        assert_eq!(one(Verdict::Skipped), "Nothing was tried; 1 skipped.");
        assert_eq!(one(Verdict::Inconclusive), "Not clear: 1 cell could not be told.");
        assert_eq!(one(Verdict::Fail), "Not well: 1 cell breaks a requirement.");
    }

    #[test]
    fn a_run_cut_short_is_never_called_well() {
        let mut run = run_of(vec![cell("sync/a", "wp7", Verdict::Pass)]);
        run.finished = None;
        assert_eq!(sentence(&run), "Well as far as it came; the run was cut short.");
    }
}
