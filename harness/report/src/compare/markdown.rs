use super::{
    Cause, CauseKind, Class, Comparison, Family,
    human::{baseline, phones},
    sides::texts_side_by_side,
};
use crate::{
    markdown::text::{block, code, inline, table_cell},
    safe,
};

/// The most cells of one cause that are listed.
const CELLS_MOST: usize = 50;

/// The comparison for a pull request: the verdict, a table of the kinds of phones, and every cause folded away.
pub fn compare_markdown(comparison: &Comparison<'_>) -> String {
    let mut out = format!("### {}\n\n", inline(&comparison.sentence()));
    let before = baseline(comparison).unwrap_or_else(|| comparison.before.started.target.clone());
    out.push_str(&format!("{} → {}\n\n", code(&before), code(&comparison.after.started.target)));
    if !comparison.families.is_empty() {
        out.push_str("| phones | | what became of them |\n|---|---|---|\n");
        out.extend(comparison.families.iter().map(row));
        out.push('\n');
    }
    out.extend(comparison.causes.iter().map(|cause| details(cause, comparison)));
    let unexpected = comparison.unexpected.iter();
    let unexpected = unexpected.map(|(cell, because)| inline(&format!("{}: it was known because: {because}", cell.id)));
    let unexpected: Vec<String> = unexpected.collect();
    if !unexpected.is_empty() {
        out.push_str(&format!("**Known deviations that are gone**\n\n{}\n", list(&unexpected)));
    }
    let target = target(comparison);
    if !target.is_empty() {
        out.push_str(&folded("What the target says of itself", &(list(&target) + "\n")));
    }
    let paces = comparison.paces.iter().map(|pace| {
        let word = if pace.is_slower() { "slower" } else { "faster" };
        let [before, after] = [pace.before, pace.after].map(|micros| micros / 1000);
        inline(&format!(
            "{} on {} is {word}: {before} → {after} ms in the middle",
            pace.command,
            comparison.phone(pace.persona)
        ))
    });
    let paces: Vec<String> = paces.collect();
    if !paces.is_empty() {
        out.push_str(&folded("Times", &(list(&paces) + "\n")));
    }
    let cautions: Vec<String> = comparison.cautions().iter().map(|line| inline(line)).collect();
    out.push_str(&list(&cautions));
    let count = |class| comparison.count(class);
    let unexpected = match unexpected.len() {
        0 => String::new(),
        1 => "1 unexpected pass, ".to_owned(),
        n => format!("{n} unexpected passes, "),
    };
    out.push_str(&format!(
        "\n{} regressions, {} unclear, {} improvements, {} otherwise, {unexpected}{} the same\n",
        count(Class::Regression),
        count(Class::Unclear),
        count(Class::Improvement),
        count(Class::News),
        comparison.same
    ));
    out
}

fn row(family: &Family<'_>) -> String {
    // The name has a column of its own.
    let name = format!("{}: ", family.name);
    let sentence = family.sentence.strip_prefix(&name).unwrap_or(&family.sentence);
    let remedy =
        family.remedy.as_deref().map(|remedy| format!("<br>**Change:** {}", table_cell(remedy))).unwrap_or_default();
    format!("| {} | **{}** | {}{remedy} |\n", table_cell(&family.name), family.fate.word(), table_cell(sentence))
}

fn details(cause: &Cause<'_>, comparison: &Comparison<'_>) -> String {
    let mut body = format!("- phones: {}\n", inline(&phones(cause, comparison).join("; ")));
    body.extend(cause.known().into_iter().map(|because| format!("- known: {}\n", inline(because))));
    if let CauseKind::Finding(finding) = &cause.kind {
        body.push_str(&format!("- expected: {}\n- actual: {}\n", inline(&finding.expected), inline(&finding.actual)));
    }
    if let Some(remedy) = cause.remedy(comparison.after) {
        body.push_str(&format!("- change: {}\n", inline(&remedy)));
    }
    body.push_str("\n| phone | scenario | |\n|---|---|---|\n");
    for change in cause.changes.iter().take(CELLS_MOST) {
        let [who, what, how] =
            [comparison.phone(&change.id.persona), &change.id.scenario, &change.transition()].map(table_cell);
        body.push_str(&format!("| {who} | {what} | {how} |\n"));
    }
    body.push_str(&otherwise(cause));
    let more = cause.changes.len().saturating_sub(CELLS_MOST);
    if more > 0 {
        body.push_str(&format!("\nand {more} more\n"));
    }
    let cells = if cause.changes.len() == 1 { "1 cell".to_owned() } else { format!("{} cells", cause.changes.len()) };
    folded(&format!("{}: {} ({cells})", cause.class, cause.title()), &body)
}

/// The most lines of a difference.
const LINES_MOST: usize = 40;

/// What the first cell says otherwise than its baseline, as a diff.
fn otherwise(cause: &Cause<'_>) -> String {
    let Some(said) = cause.changes.iter().find_map(|change| change.said) else { return String::new() };
    let rows = texts_side_by_side(said.before, said.after);
    let line = |mark: char, text: &Option<String>| text.as_ref().map(|text| format!("{mark} {text}\n"));
    let lines = rows.iter().filter(|row| !row.is_same).flat_map(|row| [line('-', &row.before), line('+', &row.after)]);
    let lines: Vec<String> = lines.flatten().collect();
    let more = lines.len().saturating_sub(LINES_MOST);
    let more = if more > 0 { format!("… {more} more lines\n") } else { String::new() };
    format!("\n{}", block("", &(lines.into_iter().take(LINES_MOST).collect::<String>() + &more)))
}

fn target(comparison: &Comparison<'_>) -> Vec<String> {
    let change = &comparison.target;
    let software = change
        .software
        .iter()
        .map(|one| inline(&format!("{}: {} → {}", one.name, one.before.join(", "), one.after.join(", "))));
    let mut lines: Vec<String> = software.collect();
    let mut named = |what: &str, names: Vec<String>| {
        if !names.is_empty() {
            lines.push(inline(&format!("{what}: {}", names.join(", "))));
        }
    };
    let words = |versions: &[easrig_eas::Version]| versions.iter().map(ToString::to_string).collect();
    named("versions no longer offered", words(&change.versions_lost));
    named("versions offered now", words(&change.versions_won));
    named("TLS versions no longer accepted", change.tls_lost.iter().map(ToString::to_string).collect());
    named("TLS versions accepted now", change.tls_won.iter().map(ToString::to_string).collect());
    named("commands no longer offered", change.commands_lost.clone());
    named("commands offered now", change.commands_won.clone());
    lines.extend(change.limits.iter().map(|limit| inline(&limit.to_string())));
    lines
}

fn folded(title: &str, body: &str) -> String {
    format!("<details><summary>{}</summary>\n\n{body}\n</details>\n\n", html(title))
}

fn list(lines: &[String]) -> String {
    lines.iter().map(|line| format!("- {line}\n")).collect()
}

/// Text inside an HTML element.
fn html(text: &str) -> String {
    safe(text).replace('&', "&amp;").replace('<', "&lt;").replace('\n', " ")
}
