//! What is wrong, in full and each thing once.

use easrig_exchange::ExchangeNumber;
use easrig_scenario::{Cell, Confidence, Finding, Level, Requirement, Verdict, event::ScenarioCard};

use super::{
    Sources, View,
    exchange::{exchange, show_command},
    layout::hang,
};
use crate::{
    Run, safe,
    trouble::{self, Cause, causes, deciding, groups, unexpected},
};

pub(super) fn draw(run: &Run, view: View<'_>, sources: Sources<'_>) -> String {
    let mut parts = Vec::new();
    for group in groups(run, Verdict::Fail) {
        parts.push(fail(run, &group, view, sources));
    }
    for cause in causes(run) {
        parts.push(blocked(&cause, view, sources));
    }
    for (cell, because) in unexpected(run) {
        parts.push(gone(cell, &because, view));
    }
    for verdict in [Verdict::Inconclusive, Verdict::Degraded] {
        for group in groups(run, verdict) {
            parts.push(unclear(&group, view, sources));
        }
    }
    parts.join("\n")
}

fn fail(run: &Run, cells: &[&Cell], view: View<'_>, sources: Sources<'_>) -> String {
    let Some(first) = cells.first() else { return String::new() };
    let style = view.palette.fail;
    let mut out = format!("{style}FAIL{style:#}  {}\n", safe(&first.id.scenario));
    out.push_str(&who(cells, view));
    out.push_str(&about(run.scenarios.get(&first.id.scenario), view));
    if first.findings.is_empty() {
        out.push_str(&hang("reason    ", &safe(&first.reason), 2, view.width));
    }
    for finding in &first.findings {
        out.push_str(&self::finding(finding, view));
    }
    out.push_str(&exchanges(first, view, sources));
    out
}

fn blocked(cause: &Cause<'_>, view: View<'_>, sources: Sources<'_>) -> String {
    let Some(first) = cause.firsts.first() else { return String::new() };
    let style = view.palette.blocked;
    let error = first.device_error.as_ref().or_else(|| cause.cells.iter().find_map(|cell| cell.device_error.as_ref()));
    let shown = error.map_or("an error", |error| if error.code.is_empty() { "a message" } else { &error.code });
    let mut out = format!("{style}BLOCKED{style:#}  {}\n", safe(shown));
    out.push_str(&who(&cause.firsts, view));
    if let Some(error) = error {
        let mark = match error.confidence {
            Confidence::High | Confidence::Med => "",
            Confidence::Low => "  (text inferred, not read on a device)",
            Confidence::Unverified => "  (unverified: nobody has read this on a device)",
        };
        out.push_str(&hang("sees      ", &format!("“{}”{mark}", safe(error.message.trim())), 2, view.width));
        out.push_str(&hang("remedy    ", safe(&error.remedy).trim_end(), 2, view.width));
    }
    if !error.is_some_and(|error| first.reason.contains(&error.message)) {
        out.push_str(&hang("reason    ", &safe(&first.reason), 2, view.width));
    }
    let scenarios = cause.cells.iter().map(|cell| cell.id.scenario.as_str());
    out.push_str(&hang("scenarios ", &listed(scenarios), 2, view.width));
    for finding in &first.findings {
        out.push_str(&self::finding(finding, view));
    }
    out.push_str(&exchanges(first, view, sources));
    out
}

/// A cell that is well although a deviation is known.
fn gone(cell: &Cell, because: &str, view: View<'_>) -> String {
    let style = view.palette.fail;
    let mut out = format!("{style}UNEXPECTED PASS{style:#}  {}\n", safe(&cell.id.to_string()));
    out.push_str(&hang("known     ", &safe(because), 2, view.width));
    out.push_str(&hang(
        "remedy    ",
        "take the entry out of the known deviations: it is not true any more",
        2,
        view.width,
    ));
    out
}

fn unclear(cells: &[&Cell], view: View<'_>, sources: Sources<'_>) -> String {
    let Some(first) = cells.first() else { return String::new() };
    let style = view.palette.of(first.verdict);
    let mut out = format!("{style}{}{style:#}  ", first.verdict);
    if cells.len() == 1 {
        out.push_str(&format!("{}\n", safe(&first.id.to_string())));
    } else {
        out.push_str(&format!("{} cells\n", cells.len()));
    }
    out.push_str(&hang("reason    ", &safe(&first.reason), 2, view.width));
    if cells.len() > 1 {
        out.push_str(&who(cells, view));
        out.push_str(&hang("scenarios ", &listed(cells.iter().map(|cell| cell.id.scenario.as_str())), 2, view.width));
    }
    if first.verdict == Verdict::Degraded {
        out.push_str(&exchanges(first, view, sources));
    } else if let Some(number) = first.exchanges.last() {
        out.push_str(&format!("  exchange  {}{}\n", number.0, at(*number, view)));
    }
    out
}

fn who(cells: &[&Cell], view: View<'_>) -> String {
    let personas = cells.iter().map(|cell| match cell.id.version {
        Some(version) => format!("{} [{version}]", cell.id.persona),
        None => cell.id.persona.clone(),
    });
    let personas: Vec<String> = personas.collect();
    hang("personas  ", &listed(personas.iter().map(String::as_str)), 2, view.width)
}

fn about(card: Option<&ScenarioCard>, view: View<'_>) -> String {
    let Some(card) = card else { return String::new() };
    let mut out = hang("should    ", &safe(&card.title), 2, view.width);
    if let Some(why) = &card.why {
        out.push_str(&hang("matters   ", &safe(why), 2, view.width));
    }
    if let Some(fix) = &card.fix {
        out.push_str(&hang("fix       ", &safe(fix), 2, view.width));
    }
    out
}

fn finding(finding: &Finding, view: View<'_>) -> String {
    let level = match finding.level {
        Level::Must => "must",
        Level::Should => "should",
        Level::Robust => "robust",
    };
    let says = Requirement::find(&finding.requirement).map(|row| format!(": {}", row.paraphrase)).unwrap_or_default();
    let mut out = hang("broken    ", &format!("{} ({level}){says}", safe(&finding.requirement)), 2, view.width);
    out.push_str(&hang("expected  ", &safe(&finding.expected), 4, view.width));
    out.push_str(&hang("actual    ", &safe(&finding.actual), 4, view.width));
    if let Some(number) = finding.exchange {
        // Whole, however narrow the terminal: a command that is broken up cannot be pasted.
        out.push_str(&format!("    exchange  {}{}\n", number.0, at(number, view)));
    }
    out
}

/// The exchanges that decided.
fn exchanges(cell: &Cell, view: View<'_>, sources: Sources<'_>) -> String {
    deciding(cell, sources.exchange).iter().map(|found| exchange(found, view)).collect()
}

/// How to see an exchange that is only named.
fn at(number: ExchangeNumber, view: View<'_>) -> String {
    match show_command(view, number.0) {
        command if command.is_empty() => command,
        command => format!(": {command}"),
    }
}

/// Every name once, in order; no more than twelve of them.
fn listed<'t>(names: impl Iterator<Item = &'t str>) -> String {
    let (names, more) = trouble::names(names, 12);
    let head = names.into_iter().map(safe).collect::<Vec<_>>().join(", ");
    if more == 0 { head } else { format!("{head} and {more} more") }
}
