//! A run for people: the matrix, every cause in full, notes, and the summary as the last line.

pub(crate) mod exchange;
mod failure;
pub(crate) mod layout;
mod matrix;
pub(crate) mod notes;
mod palette;
mod reading;

use easrig_exchange::{Exchange, ExchangeNumber};
use easrig_scenario::Verdict;

pub(crate) use exchange::word;
pub use exchange::{exchange, exchange_in_full};
pub use palette::Palette;
pub use reading::{BindingSetting, NamedStatus, PolicyReading, Reading, Side};

use crate::{Run, safe, trouble};

/// How a run is drawn.
#[derive(Clone, Copy, Debug)]
pub struct View<'v> {
    /// The colours.
    pub palette: &'v Palette,
    /// How many columns there are; less than 40 counts as 40.
    pub width: usize,
    /// The run folder, for the command that shows an exchange; empty when there is none.
    pub folder: &'v str,
}

/// Where a report finds what the run file only names.
#[derive(Clone, Copy)]
pub struct Sources<'s> {
    /// The exchange of a number.
    pub exchange: &'s dyn Fn(ExchangeNumber) -> Option<Exchange>,
}

impl std::fmt::Debug for Sources<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources").finish_non_exhaustive()
    }
}

/// The whole run for a terminal.
pub fn terminal(run: &Run, view: View<'_>, sources: Sources<'_>) -> String {
    let view = View { width: view.width.max(40), ..view };
    let parts = [head(run, view), matrix::draw(run, view), failure::draw(run, view, sources), notes::draw(run, view)];
    let mut out: String = parts.into_iter().filter(|part| !part.is_empty()).map(|part| part + "\n").collect();
    out.push_str(&last_line(run, view));
    out
}

fn head(run: &Run, view: View<'_>) -> String {
    let Palette { strong, dim, .. } = view.palette;
    let mut out = format!("{strong}{}{strong:#}\n", safe(&run.started.target));
    let mut said: Vec<String> = Vec::new();
    for seen in &run.seen {
        let software: Vec<_> = seen.software.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let line = [seen.endpoint.clone(), software.join(", ")];
        let line = line.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(" · ");
        if !line.is_empty() && !said.contains(&line) {
            said.push(line);
        }
    }
    for line in said {
        out.push_str(&layout::wrap(&safe(&line), 2, view.width));
    }
    for allowed in &run.started.allowed {
        out.push_str(&format!("  {dim}{}{dim:#}\n", safe(allowed)));
    }
    out
}

fn last_line(run: &Run, view: View<'_>) -> String {
    let totals = run.totals();
    let counts = [
        (Verdict::Fail, totals.fail),
        (Verdict::Blocked, totals.blocked),
        (Verdict::Inconclusive, totals.inconclusive),
        (Verdict::Degraded, totals.degraded),
        (Verdict::Pass, totals.pass),
        (Verdict::Skipped, totals.skipped),
    ];
    let mut words = Vec::new();
    for (verdict, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        let style = view.palette.of(verdict);
        let causes = match (verdict, totals.causes) {
            (Verdict::Blocked, 1) => " (1 cause)".to_owned(),
            (Verdict::Blocked, causes) => format!(" ({causes} causes)"),
            _ => String::new(),
        };
        words.push(format!("{style}{count} {verdict}{causes}{style:#}"));
    }
    if words.is_empty() {
        words.push("no cells".to_owned());
    }
    let cut = match (run.finished, run.missing) {
        (Some(_), _) => String::new(),
        (None, 0) => "; the run was cut short".to_owned(),
        (None, missing) => format!("; the run was cut short, {missing} of these cells were never run"),
    };
    let known = trouble::accepted(run).iter().map(|one| one.cells.len()).sum::<usize>();
    let known = if known > 0 { format!("; {known} of them known") } else { String::new() };
    format!("{}{known}{cut}\n", words.join(", "))
}

#[cfg(test)]
mod tests;
