//! The run for a pull request: the verdict, a table, and everything that is wrong once.

pub(crate) mod text;

use std::{collections::BTreeMap, fmt::Write as _};

use easrig_scenario::{Cell, Confidence, Requirement, Verdict};

use crate::{
    Run, policy, sentence,
    trouble::{Cause, accepted, causes, groups, names, unexpected},
};
use text::{block, code, inline, table_cell};

/// The most things of one kind that are told in full: what GitHub shows of a comment has an end.
const TOLD_MOST: usize = 20;

/// The most columns of the table; more personas become rows.
const COLUMNS_MOST: usize = 12;

/// The run as GitHub's Markdown.
pub fn markdown(run: &Run) -> String {
    let mut out = format!("## easrig: {}\n\n**{}**\n\n", code(&run.started.target), inline(&sentence(run)));
    out.push_str(&target(run));
    out.push_str(&table(run));
    section(&mut out, "What owners see", &causes(run), |cause| blocked(cause));
    section(&mut out, "Policy settings that not every phone applies", &policy::lines(run), |line| {
        Some(format!("- {}\n", inline(line)))
    });
    section(&mut out, "Requirements broken", &groups(run, Verdict::Fail), |group| fail(run, group));
    section(&mut out, "Could not be told", &groups(run, Verdict::Inconclusive), |group| unclear(group));
    section(&mut out, "Worked, with a loss", &groups(run, Verdict::Degraded), |group| unclear(group));
    section(&mut out, "Known deviations that are gone", &unexpected(run), |(cell, because)| {
        Some(format!("- {}: {}; it was known because: {}\n", code(&cell.id.to_string()), cell.verdict, inline(because)))
    });
    out.push_str(&known(run));
    out.push_str(&format!("<sub>easrig {}, {}</sub>\n", inline(&run.started.easrig), when(run)));
    out
}

/// What the target says of itself, and how the run was allowed to go.
fn target(run: &Run) -> String {
    let software = run.seen.iter().flat_map(|seen| &seen.software).map(|(name, value)| format!("{name}: {value}"));
    let software: Vec<String> = software.collect();
    let (software, _) = names(software.iter().map(String::as_str), 8);
    let mut lines: Vec<String> = software.into_iter().map(code).collect();
    lines.extend(run.started.allowed.iter().map(|words| code(words)));
    if lines.is_empty() { String::new() } else { format!("{}\n\n", lines.join(" · ")) }
}

/// Command family × persona, or the other way round when there are many personas.
fn table(run: &Run) -> String {
    let mut counts: BTreeMap<(&str, &str), BTreeMap<Verdict, usize>> = BTreeMap::new();
    for cell in &run.cells {
        let count = counts.entry((family(cell), &cell.id.persona)).or_default().entry(cell.verdict).or_default();
        *count = count.saturating_add(1);
    }
    let (mut personas, _) = names(run.cells.iter().map(|cell| cell.id.persona.as_str()), usize::MAX);
    let (mut families, _) = names(run.cells.iter().map(family), usize::MAX);
    families.sort_by_key(|family| (*family == "invariant", *family != "journeys", *family));
    if personas.is_empty() {
        return String::new();
    }
    let is_wide = personas.len() > COLUMNS_MOST;
    if is_wide {
        std::mem::swap(&mut personas, &mut families);
    }
    let (columns, rows) = (personas, families);
    let heads: String = columns.iter().map(|column| format!(" {} |", table_cell(column))).collect();
    let mut out = format!("| |{heads}\n|---|{}\n", "---|".repeat(columns.len()));
    for row in rows {
        let _ = write!(out, "| {} |", table_cell(row));
        for column in &columns {
            let at = if is_wide { (*column, row) } else { (row, *column) };
            let _ = write!(out, " {} |", counts.get(&at).map(tally).unwrap_or_default());
        }
        out.push('\n');
    }
    out.push('\n');
    out
}

/// `pass`, or what is worst and how many of all that is: `**fail** 2/14`.
fn tally(counts: &BTreeMap<Verdict, usize>) -> String {
    let all: usize = counts.values().sum();
    match counts.last_key_value() {
        None => String::new(),
        Some((verdict @ (Verdict::Pass | Verdict::Skipped), _)) => verdict.to_string(),
        Some((verdict, _)) if all == 1 => format!("**{verdict}**"),
        Some((verdict, count)) => format!("**{verdict}** {count}/{all}"),
    }
}

fn family(cell: &Cell) -> &str {
    cell.id.scenario.split('/').next().unwrap_or_default()
}

/// A heading and what is told below it; nothing when there is nothing to tell.
fn section<T>(out: &mut String, title: &str, all: &[T], tell: impl Fn(&T) -> Option<String>) {
    let told: Vec<String> = all.iter().filter_map(tell).collect();
    if told.is_empty() {
        return;
    }
    let _ = write!(out, "### {title}\n\n{}", told.iter().take(TOLD_MOST).map(String::as_str).collect::<String>());
    if let Some(left) = told.len().checked_sub(TOLD_MOST).filter(|left| *left > 0) {
        let _ = writeln!(out, "- and {left} more, in the full report");
    }
    out.push('\n');
}

fn blocked(cause: &Cause<'_>) -> Option<String> {
    let cells = &cause.cells;
    let first = cause.firsts.first()?;
    let error = first.device_error.as_ref().or_else(|| cells.iter().find_map(|cell| cell.device_error.as_ref()));
    let Some(error) = error else {
        return Some(format!("- on {}: {}\n", who(cells), inline(&first.reason)));
    };
    let shown = if error.code.is_empty() { String::new() } else { format!(" {}", code(&error.code)) };
    let doubt = match error.confidence {
        Confidence::High | Confidence::Med => "",
        Confidence::Low | Confidence::Unverified => " (nobody has read this on a device)",
    };
    let mut out = format!("- owners of **{}** see{shown} “{}”{doubt}\n", who(cells), inline(error.message.trim()));
    if !error.remedy.trim().is_empty() {
        let _ = write!(out, "\n{}", block("  ", error.remedy.trim()));
    }
    let _ = writeln!(out, "\n  in {}", scenarios(cells));
    Some(out)
}

fn fail(run: &Run, cells: &[&Cell]) -> Option<String> {
    let first = cells.first()?;
    let title = run.scenarios.get(&first.id.scenario).map(|card| format!(": {}", inline(&card.title)));
    let mut out = format!("- {}{}\n", code(&first.id.scenario), title.unwrap_or_default());
    let _ = writeln!(out, "  - on {}", who(cells));
    if first.findings.is_empty() {
        let _ = writeln!(out, "  - {}", inline(&first.reason));
    }
    for finding in first.findings.iter().take(TOLD_MOST) {
        let says = Requirement::find(&finding.requirement).map(|row| format!(" ({})", inline(row.paraphrase)));
        let _ = writeln!(
            out,
            "  - {}{}: expected {}; seen: {}",
            code(&finding.requirement),
            says.unwrap_or_default(),
            inline(&finding.expected),
            inline(&finding.actual)
        );
    }
    if let Some(fix) = run.scenarios.get(&first.id.scenario).and_then(|card| card.fix.as_ref()) {
        let _ = writeln!(out, "  - what helps: {}", inline(fix));
    }
    Some(out)
}

fn unclear(cells: &[&Cell]) -> Option<String> {
    let first = cells.first()?;
    Some(format!("- on {}: {} (in {})\n", who(cells), inline(&first.reason), scenarios(cells)))
}

/// Deviations that are known, folded away.
fn known(run: &Run) -> String {
    let all = accepted(run);
    if all.is_empty() {
        return String::new();
    }
    let count: usize = all.iter().map(|one| one.cells.len()).sum();
    let mut out = format!("<details><summary>Known deviations: {count}</summary>\n\n");
    for one in all.iter().take(TOLD_MOST) {
        let link = one.link.as_ref().map(|link| format!(", {}", code(link))).unwrap_or_default();
        let _ =
            writeln!(out, "- on {}: {}{link} (in {})", who(&one.cells), inline(&one.because), scenarios(&one.cells));
    }
    out.push_str("\n</details>\n\n");
    out
}

fn scenarios(cells: &[&Cell]) -> String {
    let (scenarios, more) = names(cells.iter().map(|cell| cell.id.scenario.as_str()), 8);
    format!("{}{}", scenarios.into_iter().map(code).collect::<Vec<_>>().join(", "), beyond(more))
}

fn who(cells: &[&Cell]) -> String {
    let (personas, more) = names(cells.iter().map(|cell| cell.id.persona.as_str()), 12);
    format!("{}{}", personas.into_iter().map(inline).collect::<Vec<_>>().join(", "), beyond(more))
}

fn beyond(more: usize) -> String {
    if more == 0 { String::new() } else { format!(" and {more} more") }
}

fn when(run: &Run) -> String {
    jiff::Timestamp::from_microsecond(run.started.at.0).map(|at| format!("{at:.0}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Known,
        run::tests::{cell, run_of, sample},
    };

    #[test]
    fn a_run_becomes_a_comment() {
        insta::assert_snapshot!(markdown(&sample()));
    }

    #[test]
    fn what_is_known_is_folded_away_and_what_is_gone_is_told() {
        let mut run = run_of(vec![cell("sync/a", "wp7", Verdict::Fail), cell("sync/b", "wp7", Verdict::Pass)]);
        let known =
            "[[known]]\npattern = \"sync/*\"\nverdict = \"fail\"\nbecause = \"ticket\"\nlink = \"https://x.test/1\"\n";
        run.hold_against(&Known::parse("known.toml", known).unwrap());
        insta::assert_snapshot!(markdown(&run));
    }

    #[test]
    fn many_personas_become_rows() {
        let cells = (0..20).map(|n| cell("sync/a", &format!("phone-{n}"), Verdict::Pass)).collect();
        assert!(markdown(&run_of(cells)).contains("\n| phone-19 | pass |\n"));
    }

    #[test]
    fn a_thousand_failures_still_fit_into_a_comment() {
        let cells = (0..1000)
            .map(|n| {
                let mut cell = cell(&format!("family-{}/{n}", n % 30), "wp7", Verdict::Fail);
                cell.reason = format!("{n} {}", "long ".repeat(20));
                cell
            })
            .collect();
        let text = markdown(&run_of(cells));
        assert!(text.len() < 60_000 && text.contains("and 980 more"), "{}", text.len());
    }
}
