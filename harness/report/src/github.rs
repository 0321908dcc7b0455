//! Annotations as GitHub's runner reads them from the output of a step.

use easrig_scenario::{Cell, Verdict};

use crate::{
    Run, safe, sentence,
    trouble::{causes, groups, names, unexpected},
};

/// GitHub shows no more than ten annotations of a kind for a step; the last is for those that are left out.
const MOST: usize = 10;

/// The longest message, in characters.
const MESSAGE_MOST: usize = 2000;

/// What is wrong as GitHub annotations: an error for everything that fails the run, a warning for what could not be told, a
/// notice with the run in one sentence. Everything is told once, however many cells it breaks.
pub fn github(run: &Run) -> String {
    let failing = groups(run, Verdict::Fail);
    let failing = failing.iter().filter_map(|cells| Some((cells.first()?, cells)));
    let mut errors: Vec<(String, String)> =
        failing.map(|(first, cells)| (format!("{} breaks", first.id.scenario), said(first, cells))).collect();
    errors.extend(causes(run).iter().filter_map(|cause| {
        let first = cause.firsts.first()?;
        let code = first.device_error.as_ref().map(|error| error.code.as_str()).filter(|code| !code.is_empty());
        Some((format!("owners see {}", code.unwrap_or("an error")), said(first, &cause.cells)))
    }));
    errors.extend(unexpected(run).into_iter().map(|(cell, because)| {
        ("a known deviation is gone".to_owned(), format!("{} is {}: {because}", cell.id, cell.verdict))
    }));
    let unclear = groups(run, Verdict::Inconclusive);
    let unclear = unclear.iter().filter_map(|cells| Some((cells.first()?, cells)));
    let warnings: Vec<_> =
        unclear.map(|(first, cells)| ("it could not be told".to_owned(), said(first, cells))).collect();
    let mut out = annotations("error", &errors);
    out.push_str(&annotations("warning", &warnings));
    out.push_str(&annotation("notice", &format!("easrig: {}", run.started.target), &sentence(run)));
    out
}

/// What the first of these cells came to, for everybody who meets the same.
fn said(cell: &Cell, cells: &[&Cell]) -> String {
    let (personas, more) = names(cells.iter().map(|cell| cell.id.persona.as_str()), 8);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let mut lines = vec![format!("{}{more}: {}", personas.join(", "), cell.reason)];
    if let Some(error) = &cell.device_error {
        lines.push(format!("remedy: {}", error.remedy));
    }
    lines.extend(
        cell.findings.iter().take(3).map(|finding| format!("{}: expected {}", finding.requirement, finding.expected)),
    );
    lines.join("\n")
}

fn annotations(kind: &str, all: &[(String, String)]) -> String {
    let shown = if all.len() > MOST { MOST.saturating_sub(1) } else { all.len() };
    let mut out: String = all.iter().take(shown).map(|(title, message)| annotation(kind, title, message)).collect();
    let left = all.len().saturating_sub(shown);
    if left > 0 {
        out.push_str(&annotation(kind, "and more", &format!("{left} more of this kind are in the report")));
    }
    out
}

fn annotation(kind: &str, title: &str, message: &str) -> String {
    let message: String = message.chars().take(MESSAGE_MOST).collect();
    format!("::{kind} title={}::{}\n", property(&safe(title)), data(&safe(&message)))
}

/// What a line can hold: without it, a server's text could give GitHub orders of its own.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::{cell, run_of, sample};

    #[test]
    fn everything_that_is_wrong_is_told_once() {
        insta::assert_snapshot!(github(&sample()));
    }

    #[test]
    fn hostile_text_gives_no_orders() {
        let mut odd = cell("sync/odd", "wp7", Verdict::Fail);
        odd.reason = "100%\r\n::stop-commands::x".into();
        let text = github(&run_of(vec![odd]));
        assert!(text.contains("::error title=sync/odd breaks::wp7: 100%25\\u{d}%0A::stop-commands::x\n"), "{text}");
        assert_eq!(text.lines().count(), 2);
    }

    #[test]
    fn there_are_never_more_than_github_shows() {
        let cells = (0..30).map(|n| cell(&format!("sync/{n}"), "wp7", Verdict::Fail)).collect();
        let text = github(&run_of(cells));
        assert_eq!(text.lines().filter(|line| line.starts_with("::error ")).count(), 10);
        assert!(text.contains("21 more of this kind"), "{text}");
    }
}
