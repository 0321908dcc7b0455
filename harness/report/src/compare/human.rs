//! Two runs for a terminal: the verdict, the owners, the causes in full, and the summary as the last line.

use std::collections::BTreeMap;

use anstyle::Style;

use easrig_exchange::{Exchange, ExchangeNumber};
use easrig_scenario::Cell;

use super::{
    Cause, CauseKind, Change, Class, Comparison, Fate, Pace, Row, differences, side_by_side, sides::texts_side_by_side,
};
use crate::{
    Palette, Sources, View,
    html::show_cell,
    safe,
    terminal::{
        exchange::show_command,
        layout::{cut, hang, pad, wrap},
    },
};

/// The most names in a list.
const NAMES_MOST: usize = 12;

/// The most changes of one cause among which exchanges are looked for.
const SEARCH_MOST: usize = 32;

/// The most lines of two exchanges side by side.
const ROWS_MOST: usize = 24;

/// The most differences in meaning that are told of two exchanges.
const DIFFERENCES_MOST: usize = 6;

/// How many lines that are the same stand around a difference.
const CONTEXT: usize = 2;

/// The most transitions of one cause that are told apart.
const TRANSITIONS_MOST: usize = 6;

/// Where both runs are, for the exchanges that changes are about.
#[derive(Clone, Copy, Debug)]
pub struct Both<'s> {
    /// The exchanges of the earlier run, and the folder of the command that shows them.
    pub before: (Sources<'s>, &'s str),
    /// Those of the later run.
    pub after: (Sources<'s>, &'s str),
}

/// The whole comparison for a terminal.
pub fn compare_terminal(comparison: &Comparison<'_>, view: View<'_>, both: Both<'_>) -> String {
    let view = View { width: view.width.max(40), ..view };
    let parts = [
        head(comparison, view),
        families(comparison, view),
        causes(comparison, view, both),
        unexpected(comparison, view),
        target(comparison, view),
        paces(comparison, view),
        cautions(comparison, view),
    ];
    let mut out: String = parts.into_iter().filter(|part| !part.is_empty()).map(|part| part + "\n").collect();
    out.push_str(&last_line(comparison, view));
    out
}

fn head(comparison: &Comparison<'_>, view: View<'_>) -> String {
    let strong = view.palette.strong;
    let side = |run: &crate::Run| {
        if let Some(text) = baseline(comparison).filter(|_| std::ptr::eq(run, comparison.before)) {
            return text;
        }
        let at = jiff::Timestamp::from_microsecond(run.started.at.0);
        let at = at.map_or_else(|_| String::new(), |at| format!("  {}", at.strftime("%Y-%m-%d %H:%M")));
        format!("{}{at}", safe(&run.started.target))
    };
    let mut out = hang("before  ", &side(comparison.before), 0, view.width);
    out.push_str(&hang("after   ", &side(comparison.after), 0, view.width));
    let sentence = wrap(&safe(&comparison.sentence()), 0, view.width);
    out.push_str(&format!("\n{strong}{}{strong:#}\n", sentence.trim_end()));
    out
}

/// What stands for the earlier side when it is a baseline: `baseline reports/baselines/mail (https://mail.example.org)`.
pub(super) fn baseline(comparison: &Comparison<'_>) -> Option<String> {
    let approved = comparison.approved?;
    let target = &approved.run.started.target;
    let target = if target.is_empty() { String::new() } else { format!(" ({})", safe(target)) };
    Some(format!("baseline {}{target}", safe(&approved.name)))
}

fn families(comparison: &Comparison<'_>, view: View<'_>) -> String {
    let mut out = String::new();
    let mut told: Vec<(&str, &str)> = Vec::new();
    for family in &comparison.families {
        let style = fate(view.palette, family.fate);
        let lines = hang("- ", &safe(&family.sentence), 0, view.width);
        // The name stands first; only it is coloured.
        match lines.split_once(&*family.name) {
            Some((before, behind)) => {
                out.push_str(&format!("{before}{style}{}{style:#}{behind}", safe(&family.name)));
            }
            None => out.push_str(&lines),
        }
        let Some(remedy) = family.remedy.as_deref() else { continue };
        // What helps several kinds of phones is said once.
        match told.iter().find(|(known, _)| *known == remedy) {
            Some((_, first)) => out.push_str(&hang("change  ", &format!("as for {}", safe(first)), 2, view.width)),
            None => {
                told.push((remedy, &family.name));
                out.push_str(&hang("change  ", &safe(remedy), 2, view.width));
            }
        }
    }
    out
}

fn fate(palette: &Palette, fate: Fate) -> Style {
    match fate {
        Fate::CutOff | Fate::PartlyCutOff | Fate::StillOut => palette.blocked,
        Fate::Hurt => palette.fail,
        Fate::Unclear | Fate::Gone => palette.inconclusive,
        Fate::LetIn | Fate::Better => palette.pass,
        Fate::New | Fate::Same => palette.strong,
    }
}

fn style(palette: &Palette, class: Class) -> Style {
    match class {
        Class::Regression => palette.fail,
        Class::Unclear => palette.inconclusive,
        Class::Improvement => palette.pass,
        Class::News => palette.strong,
    }
}

fn causes(comparison: &Comparison<'_>, view: View<'_>, both: Both<'_>) -> String {
    let draw = |cause: &Cause<'_>| draw(cause, comparison, view) + &exchanges(cause, comparison, view, both);
    let parts: Vec<String> = comparison.causes.iter().map(draw).collect();
    parts.join("\n")
}

fn draw(cause: &Cause<'_>, comparison: &Comparison<'_>, view: View<'_>) -> String {
    let style = style(view.palette, cause.class);
    let label = match cause.class {
        Class::Regression => "REGRESSION".to_owned(),
        class => class.to_string(),
    };
    let title = hang(&format!("{label}  "), &safe(&cause.title()), 0, view.width);
    let mut out = match title.split_once(&label) {
        Some((_, rest)) => format!("{style}{label}{style:#}{rest}"),
        None => title,
    };
    let mut line = |label: &str, text: &str| out.push_str(&hang(label, &safe(text), 2, view.width));
    line("phones    ", &listed(&phones(cause, comparison), "; "));
    line("scenarios ", &listed(&cause.scenarios(), ", "));
    line("changes   ", &transitions(&cause.changes));
    for because in cause.known() {
        line("known     ", because);
    }
    if let CauseKind::Finding(finding) = &cause.kind {
        if let Some(says) = cause.requirement() {
            line("requires  ", says);
        }
        line("expected  ", &finding.expected);
        line("actual    ", &finding.actual);
    }
    if let Some(why) = why(cause, comparison) {
        line("matters   ", &why);
    }
    if let Some(remedy) = cause.remedy(comparison.after) {
        line("change    ", &remedy);
    }
    out
}

/// What a baseline says of the first change, beside what is said now.
fn transcripts(cause: &Cause<'_>, view: View<'_>, both: Both<'_>) -> String {
    let Some((change, said)) = cause.changes.iter().find_map(|change| Some((change, change.said?))) else {
        return String::new();
    };
    let dim = view.palette.dim;
    let mut out = String::new();
    if !said.path.is_empty() {
        let file = format!("{}/{}", both.before.1.trim_end_matches('/'), said.path);
        out.push_str(&format!("  {dim}before    {}{dim:#}\n", safe(&file)));
    }
    let command = show_cell(change.id, both.after.1);
    if !command.is_empty() && change.after.is_some_and(|cell| !cell.exchanges.is_empty()) {
        out.push_str(&format!("  {dim}after     {}{dim:#}\n", safe(&command)));
    }
    out + &columns(&texts_side_by_side(said.before, said.after), view)
}

/// Both exchanges of the first change that has them.
fn exchanges(cause: &Cause<'_>, comparison: &Comparison<'_>, view: View<'_>, both: Both<'_>) -> String {
    if comparison.approved.is_some() {
        return transcripts(cause, view, both);
    }
    if cause.class == Class::News {
        return String::new();
    }
    let fetch = |(sources, _): (Sources<'_>, &str), number: Option<ExchangeNumber>| (sources.exchange)(number?);
    let pair = |change: &Change<'_>| {
        let [was, is] = change.exchanges;
        (fetch(both.before, was), fetch(both.after, is))
    };
    // One that has both says more.
    let changes = || cause.changes.iter().take(SEARCH_MOST).map(pair);
    let found = changes().find(|(was, is)| was.is_some() && is.is_some());
    let found = found.or_else(|| changes().find(|(was, is)| was.is_some() || is.is_some()));
    let Some((was, is)) = found else { return String::new() };
    let dim = view.palette.dim;
    let named = |exchange: Option<&Exchange>, folder: &str| {
        exchange.map(|exchange| show_command(View { folder, ..view }, exchange.number.0)).unwrap_or_default()
    };
    let mut out = String::new();
    for (side, command) in
        [("before", named(was.as_ref(), both.before.1)), ("after ", named(is.as_ref(), both.after.1))]
    {
        if !command.is_empty() {
            out.push_str(&format!("  {dim}{side}    {command}{dim:#}\n"));
        }
    }
    if let (Some(was), Some(is)) = (&was, &is) {
        let found = differences(comparison, was, is);
        for difference in found.iter().take(DIFFERENCES_MOST) {
            out.push_str(&hang("differs   ", &safe(&difference.to_string()), 2, view.width));
        }
        let more = found.len().saturating_sub(DIFFERENCES_MOST);
        if more > 0 {
            out.push_str(&format!("  differs   in {more} more places\n"));
        }
    }
    let rows = side_by_side(comparison, was.as_ref(), is.as_ref());
    out.push_str(&columns(&rows, view));
    out
}

/// Two columns; what differs is marked with `≠` and stands out, what is the same far from a difference is left out.
fn columns(rows: &[Row], view: View<'_>) -> String {
    let Palette { dim, strong, .. } = view.palette;
    let room = view.width.saturating_sub(9) / 2;
    let near = |place: usize| {
        let from = place.saturating_sub(CONTEXT);
        rows.get(from..rows.len().min(place + CONTEXT + 1)).is_some_and(|some| some.iter().any(|row| !row.is_same))
    };
    let mut out = String::new();
    let (mut drawn, mut hidden) = (0, false);
    for (place, row) in rows.iter().enumerate() {
        if !near(place) || drawn == ROWS_MOST {
            hidden = true;
            continue;
        }
        if std::mem::take(&mut hidden) {
            out.push_str(&format!("    {dim}…{dim:#}\n"));
        }
        drawn += 1;
        let text = |side: &Option<String>| cut(side.as_deref().unwrap_or_default(), room);
        let line = format!("{} │ {}", pad(&text(&row.before), room), text(&row.after));
        let (mark, style) = if row.is_same { (" ", dim) } else { ("≠", strong) };
        out.push_str(&format!("  {mark} {style}{}{style:#}\n", line.trim_end()));
    }
    if hidden {
        out.push_str(&format!("    {dim}…{dim:#}\n"));
    }
    out
}

/// What it means for owners, where the cause is in one scenario.
fn why(cause: &Cause<'_>, comparison: &Comparison<'_>) -> Option<String> {
    let [scenario] = cause.scenarios()[..] else { return None };
    let is_broken =
        matches!(cause.kind, CauseKind::Finding(_) | CauseKind::Loss(_)) && cause.class == Class::Regression;
    comparison.after.scenarios.get(scenario).filter(|_| is_broken)?.why.clone()
}

/// How many cells changed how: `pass → fail (12), degraded → fail`.
fn transitions(changes: &[Change<'_>]) -> String {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for change in changes {
        *count.entry(change.transition()).or_default() += 1;
    }
    let mut rows: Vec<(String, usize)> = count.into_iter().collect();
    rows.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    let more = rows.len().saturating_sub(TRANSITIONS_MOST);
    let cells = |times: usize| if times == 1 { "1 cell".to_owned() } else { format!("{times} cells") };
    let told: Vec<String> =
        rows.into_iter().take(TRANSITIONS_MOST).map(|(text, times)| format!("{text} ({})", cells(times))).collect();
    if more == 0 { told.join(", ") } else { format!("{} and {more} other ways", told.join(", ")) }
}

/// The names of the phones, which may have commas in them.
pub(super) fn phones<'c>(cause: &'c Cause<'_>, comparison: &'c Comparison<'_>) -> Vec<&'c str> {
    cause.personas().into_iter().map(|id| comparison.phone(id)).collect()
}

fn listed(names: &[&str], between: &str) -> String {
    let more = names.len().saturating_sub(NAMES_MOST);
    let head = names.iter().take(NAMES_MOST).copied().collect::<Vec<_>>().join(between);
    if more == 0 { head } else { format!("{head} and {more} more") }
}

/// Cells that are well although a deviation is known.
fn unexpected(comparison: &Comparison<'_>, view: View<'_>) -> String {
    let line = |(cell, because): &(&Cell, String)| format!("{}: it was known because: {because}", cell.id);
    let lines: Vec<String> = comparison.unexpected.iter().map(line).collect();
    section("known deviations that are gone: take their entries out", &lines, view)
}

fn target(comparison: &Comparison<'_>, view: View<'_>) -> String {
    let change = &comparison.target;
    let mut lines: Vec<String> = Vec::new();
    for software in &change.software {
        let said = |values: &[String]| if values.is_empty() { "nothing".to_owned() } else { values.join(", ") };
        lines.push(format!("{}: {} → {}", software.name, said(&software.before), said(&software.after)));
    }
    let mut list = |what: &str, names: Vec<String>| {
        if !names.is_empty() {
            lines.push(format!("{what}: {}", names.join(", ")));
        }
    };
    let texts = |versions: &[easrig_eas::Version]| versions.iter().map(ToString::to_string).collect();
    list("versions no longer offered", texts(&change.versions_lost));
    list("versions offered now", texts(&change.versions_won));
    list("TLS versions no longer accepted", change.tls_lost.iter().map(ToString::to_string).collect());
    list("TLS versions accepted now", change.tls_won.iter().map(ToString::to_string).collect());
    list("commands no longer offered", change.commands_lost.clone());
    list("commands offered now", change.commands_won.clone());
    lines.extend(change.limits.iter().map(ToString::to_string));
    section("what the target says of itself", &lines, view)
}

fn paces(comparison: &Comparison<'_>, view: View<'_>) -> String {
    let line = |pace: &Pace<'_>| {
        let word = if pace.is_slower() { "slower" } else { "faster" };
        let half = |[low, high]: [u64; 2]| format!("{} to {}", milliseconds(low), milliseconds(high));
        format!(
            "{} on {} is {word}: {} → {} in the middle; half of them {}, then {} ({} times in {} scenarios)",
            pace.command,
            comparison.phone(pace.persona),
            milliseconds(pace.before),
            milliseconds(pace.after),
            half(pace.half_before),
            half(pace.half_after),
            pace.times,
            pace.scenarios
        )
    };
    section("times", &comparison.paces.iter().map(line).collect::<Vec<_>>(), view)
}

fn milliseconds(micros: u64) -> String {
    format!("{} ms", micros.saturating_add(500) / 1000)
}

fn cautions(comparison: &Comparison<'_>, view: View<'_>) -> String {
    section("keep in mind", &comparison.cautions(), view)
}

fn section(title: &str, lines: &[String], view: View<'_>) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let strong = view.palette.strong;
    let list: String = lines.iter().map(|line| hang("- ", &safe(line), 0, view.width)).collect();
    format!("{strong}{title}{strong:#}\n{list}")
}

fn last_line(comparison: &Comparison<'_>, view: View<'_>) -> String {
    let counts = [
        (Class::Regression, "regression", "regressions"),
        (Class::Unclear, "unclear", "unclear"),
        (Class::Improvement, "improvement", "improvements"),
        (Class::News, "otherwise", "otherwise"),
    ];
    let mut words: Vec<String> = Vec::new();
    for (class, one, more) in counts {
        let count = comparison.count(class);
        if count > 0 {
            let style = style(view.palette, class);
            words.push(format!("{style}{count} {}{style:#}", if count == 1 { one } else { more }));
        }
    }
    let unexpected = comparison.unexpected.len();
    if unexpected > 0 {
        let style = view.palette.fail;
        words.push(format!("{style}{unexpected} unexpected pass{}{style:#}", if unexpected == 1 { "" } else { "es" }));
    }
    words.push(format!("{} the same", comparison.same));
    format!("{}\n", words.join(", "))
}
