//! One changed cell: what it came to before and now, and both exchanges line beside line.

use easrig_exchange::Exchange;
use easrig_scenario::{Cell, Verdict};

use super::Maker;
use crate::{
    Palette, View,
    compare::{
        Change, Class, Row, differences, side_by_side,
        sides::{differing_headers, texts_side_by_side},
    },
    html::{CELL_MOST, ExchangeView, FindingView, Mark, anchor},
    terminal::exchange::show_command,
    told::Told,
    words::{Text, Words},
};

/// How many lines that are the same stand around a difference.
const CONTEXT: usize = 3;

/// The most differences in meaning that are told of two exchanges.
const DIFFERENCES_MOST: usize = 12;

/// The longest line, in characters.
const LINE_MOST: usize = 400;

pub(super) struct ChangeView {
    pub(super) anchor: String,
    pub(super) mark: Mark,
    pub(super) family: String,
    pub(super) phone: String,
    pub(super) scenario: String,
    pub(super) title: String,
    /// What it came to before; `None` when it is new.
    pub(super) before: Option<Standing>,
    /// What it comes to now; `None` when it is gone.
    pub(super) after: Option<Standing>,
    /// What is otherwise where both came to the same.
    pub(super) otherwise: Option<Text>,
    pub(super) versions: Option<(String, String)>,
    pub(super) rewritten: bool,
    pub(super) known: String,
    pub(super) findings: Vec<FindingView>,
    /// The commands that show the exchanges of both runs.
    pub(super) commands: [String; 2],
    /// What differs in meaning, by name.
    pub(super) differs: Vec<Told>,
    /// How many more differences there are.
    pub(super) more: usize,
    /// Where the approved snapshot stands, when it is compared with a baseline.
    pub(super) approved: String,
    /// The exchanges in full, each under the key of its side.
    pub(super) whole: Vec<(&'static str, ExchangeView)>,
    pub(super) rows: Vec<Line>,
    /// How many lines found no room.
    pub(super) cut: usize,
    pub(super) open: bool,
}

/// What a cell came to in one of the runs.
pub(super) struct Standing {
    pub(super) mark: Mark,
    pub(super) code: String,
    pub(super) reason: Told,
}

/// A line of two exchanges.
pub(super) struct Line {
    pub(super) before: String,
    pub(super) after: String,
    pub(super) is_same: bool,
    /// How many lines that are the same in both were left out instead.
    pub(super) skipped: usize,
}

impl ChangeView {
    pub(super) fn of(change: &Change<'_>, maker: &Maker<'_, '_>) -> Self {
        let fetched = maker.fetch(change.exchanges);
        let [was, is] = &fetched;
        let (differs, more) = match (was, is) {
            (Some(was), Some(is)) => named(maker, was, is),
            _ => (Vec::new(), 0),
        };
        let beside = match change.said {
            Some(said) => texts_side_by_side(said.before, said.after),
            None => side_by_side(maker.comparison, was.as_ref(), is.as_ref()),
        };
        let (rows, cut) = drawn(&beside, maker);
        let path = change.said.map_or("", |said| said.path);
        let findings = if change.class == Class::Improvement { change.healed() } else { change.fresh() };
        let both = maker.of.both;
        let command = |exchange: &Option<Exchange>, folder: &str| {
            let view = View { palette: &Palette::plain(), width: 100, folder };
            exchange.as_ref().map(|exchange| show_command(view, exchange.number.0)).unwrap_or_default()
        };
        Self {
            anchor: anchor(change.id),
            mark: change.class.into(),
            family: maker.family(&change.id.persona).to_owned(),
            phone: maker.phone(&change.id.persona),
            scenario: change.id.scenario.clone(),
            title: maker.scenario(&change.id.scenario),
            before: change.before.map(|cell| standing(cell, maker.words)),
            after: change.after.map(|cell| standing(cell, maker.words)),
            otherwise: otherwise(change, maker),
            versions: change.versions().map(|(was, is)| (was.to_string(), is.to_string())),
            rewritten: change.rewritten,
            known: change.known.unwrap_or_default().to_owned(),
            findings: findings.into_iter().map(|finding| FindingView::of(finding, maker.words)).collect(),
            commands: [command(was, both.before.1), command(is, both.after.1)],
            approved: if path.is_empty() { String::new() } else { format!("{}/{path}", both.before.1) },
            whole: whole(maker, was.as_ref(), is.as_ref()),
            differs,
            more,
            rows,
            cut,
            open: false,
        }
    }
}

/// Both exchanges in full as far as there is room, which every cause still to come gets for one cell.
fn whole(maker: &Maker<'_, '_>, was: Option<&Exchange>, is: Option<&Exchange>) -> Vec<(&'static str, ExchangeView)> {
    let kept = maker.causes.get().saturating_mul(CHANGE_MOST);
    if maker.bytes.get() < kept.saturating_add(CHANGE_MOST) {
        return Vec::new();
    }
    let marks = was.zip(is).map(|(was, is)| differing_headers(maker.comparison, was, is)).unwrap_or_default();
    let view = |(side, exchange): (&'static str, Option<&Exchange>)| {
        let mut room = CELL_MOST;
        let mut view = ExchangeView::of(exchange?, &mut room, maker.words);
        view.open = true;
        view.mark(&marks.sent, &marks.came);
        maker.bytes.set(maker.bytes.get().saturating_sub(CELL_MOST - room));
        Some((side, view))
    };
    [("upgrade.before", was), ("upgrade.after", is)].into_iter().filter_map(view).collect()
}

/// The most bytes of one changed cell: its lines, and both exchanges.
const CHANGE_MOST: usize = 3 * CELL_MOST;

fn standing(cell: &Cell, words: Words) -> Standing {
    let error = cell.device_error.as_ref().filter(|_| cell.verdict == Verdict::Blocked);
    Standing {
        mark: cell.verdict.into(),
        code: error.map(|error| error.code.clone()).unwrap_or_default(),
        reason: words.told(&cell.reason),
    }
}

/// What to say where the verdict, and the code on the screen, are what they were.
fn otherwise(change: &Change<'_>, maker: &Maker<'_, '_>) -> Option<Text> {
    let (was, is) = (standing(change.before?, maker.words), standing(change.after?, maker.words));
    if (was.mark, &was.code) != (is.mark, &is.code) {
        return None;
    }
    let words = maker.words;
    Some(match (change.fresh().first(), change.healed().first()) {
        (Some(finding), _) => words.one("change.breaks", "requirement", &finding.requirement),
        (None, Some(finding)) => words.one("change.heals", "requirement", &finding.requirement),
        (None, None) => words.say("change.otherwise"),
    })
}

fn named(maker: &Maker<'_, '_>, was: &Exchange, is: &Exchange) -> (Vec<Told>, usize) {
    let found = differences(maker.comparison, was, is);
    let more = found.len().saturating_sub(DIFFERENCES_MOST);
    (found.iter().take(DIFFERENCES_MOST).map(|one| maker.words.told(&one.to_string())).collect(), more)
}

/// The rows near a difference as far as there is room, and how many were left out for want of it.
fn drawn(rows: &[Row], maker: &Maker<'_, '_>) -> (Vec<Line>, usize) {
    let all = CELL_MOST.min(maker.bytes.get());
    let mut room = all;
    let near = |place: usize| {
        let around = place.saturating_sub(CONTEXT)..rows.len().min(place + CONTEXT + 1);
        rows.get(around).is_some_and(|some| some.iter().any(|row| !row.is_same))
    };
    // Where nothing differs, as in exchanges that decide by what is not in them, the beginning says what they are.
    let differs = rows.iter().any(|row| !row.is_same);
    let mut lines: Vec<Line> = Vec::new();
    let (mut skipped, mut cut) = (0, 0);
    for (place, row) in rows.iter().enumerate() {
        if differs && !near(place) {
            skipped += 1;
            continue;
        }
        let line = Line {
            before: short(row.before.as_deref()),
            after: short(row.after.as_deref()),
            is_same: row.is_same,
            skipped: 0,
        };
        let bytes = ROW_BYTES + size(&line.before) + size(&line.after);
        if bytes > room {
            cut = rows.len() - place;
            break;
        }
        room -= bytes;
        if skipped > 0 {
            lines.push(Line { before: String::new(), after: String::new(), is_same: true, skipped });
            skipped = 0;
        }
        lines.push(line);
    }
    if skipped > 0 {
        lines.push(Line { before: String::new(), after: String::new(), is_same: true, skipped });
    }
    maker.bytes.set(maker.bytes.get().saturating_sub(all - room));
    (lines, cut)
}

/// How many bytes a row has beside its text.
const ROW_BYTES: usize = 70;

/// How many bytes the text has in the page, where some characters are written as five.
fn size(text: &str) -> usize {
    text.bytes().map(|byte| if matches!(byte, b'<' | b'>' | b'&' | b'"' | b'\'') { 5 } else { 1 }).sum()
}

fn short(line: Option<&str>) -> String {
    let line = line.unwrap_or_default();
    match line.char_indices().nth(LINE_MOST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}
