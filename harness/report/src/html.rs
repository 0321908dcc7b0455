//! A run as one page: for the manager who wants a sentence, and the engineer who wants the bytes.
//!
//! The page needs no network and no script; with a script it can be searched, filtered and turned into another language.
//! Whatever comes from a server is escaped, and what could steer a reader's eye is made visible.

mod cell;
mod data;
mod exchange;
mod frame;
mod grid;
mod head;
mod panel;
mod trouble;

use std::cell::Cell as Counter;

use askama::Template;
use easrig_exchange::{Exchange, ExchangeNumber, Redactor};
use easrig_scenario::{Cell, Verdict};

pub(crate) use cell::{anchor, show_cell};
pub(crate) use exchange::ExchangeView;
pub(crate) use frame::{Frame, page_data};
pub(crate) use trouble::{FindingView, Line, remedy};

use crate::{
    Language, Run, safe,
    terminal::notes::{self, Note, Who},
    told::Told,
    words::{Text, Words},
};

const SCRIPT: &str = concat!(include_str!("../templates/frame.js"), include_str!("../templates/report.js"));

/// The most bytes of exchanges that are drawn of one cell.
pub(crate) const CELL_MOST: usize = 16 << 10;

/// The most bytes of exchanges in a page, unless everything is to be embedded.
pub(crate) const PAGE_MOST: usize = 3 << 20;

/// The most cells that are drawn each by itself, unless everything is to be embedded; the matrix has the rest.
pub(crate) const CELLS_MOST: usize = 500;

/// How a page is made.
#[derive(Clone, Copy, Debug)]
pub struct Html<'h> {
    /// The language it opens in; the others are in it too.
    pub language: &'static Language,
    /// Whose exchanges are in it.
    pub embed: Embed,
    /// Whether contents (subjects, bodies, addresses) are shown that the run has kept.
    pub content: Contents,
    /// The run folder, for the commands that show the rest; empty when there is none.
    pub folder: &'h str,
}

/// Whose exchanges are in a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Embed {
    /// Those of cells that do not pass, 16 KB a cell; a passing cell names the command that shows its own.
    #[default]
    NotPassing,
    /// Those of every cell, however big the page gets.
    All,
}

/// What is shown of contents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Contents {
    /// Filler, even where the run has kept them.
    #[default]
    Hidden,
    /// What the run has kept (`--keep-content`); filler where it has not.
    Shown,
}

/// The bytes of `report.html`.
pub fn html(run: &Run, of: Html<'_>, find: &dyn Fn(ExchangeNumber) -> Option<Exchange>) -> String {
    let hide = (run.started.keep_content && of.content == Contents::Hidden).then(Redactor::hiding);
    let find = |number| {
        let exchange = find(number)?;
        Some(match &hide {
            Some(redactor) => redactor.redact(exchange),
            None => exchange,
        })
    };
    let maker = Maker { run, of, words: Words(of.language), find: &find, left: Counter::new(PAGE_MOST) };
    let page = Page {
        w: maker.words,
        frame: Frame::of(of.language, SCRIPT, &run.started.easrig),
        head: head::Head::of(&maker),
        trouble: trouble::Trouble::of(&maker),
        grid: grid::Grid::of(&maker),
        notes: notes::lines(run).into_iter().map(|note| NoteView::of(note, maker.words)).collect(),
        panels: panel::Panels::of(&maker),
        data: data::data(&maker),
    };
    // Nothing in the template can fail, and writing into memory cannot either.
    let text = page.render().unwrap_or_default();
    safe(&text).into_owned()
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'r> {
    w: Words,
    frame: Frame<'r>,
    head: head::Head,
    trouble: trouble::Trouble,
    grid: grid::Grid<'r>,
    notes: Vec<NoteView>,
    panels: panel::Panels,
    /// What the script needs, as JSON that can stand in HTML.
    data: String,
}

/// Something worth knowing.
struct NoteView {
    scenario: String,
    text: Told,
    /// Of how many scenarios it was said, when it is not one.
    scenarios: Option<Text>,
    /// Whom it is about; empty when the text says it.
    who: Option<Text>,
}

impl NoteView {
    fn of(note: Note, words: Words) -> Self {
        Self {
            scenario: note.scenario.unwrap_or_default(),
            text: words.told(&note.text),
            scenarios: (note.scenarios > 1).then(|| words.count("n.scenario", note.scenarios)),
            who: match note.who {
                Who::Nobody => None,
                Who::Every => Some(words.say("notes.every")),
                Who::Some(ids) => Some(words.one("list.all", "names", &ids)),
            },
        }
    }
}

/// What every part of the page is made from.
struct Maker<'r> {
    run: &'r Run,
    of: Html<'r>,
    words: Words,
    find: &'r dyn Fn(ExchangeNumber) -> Option<Exchange>,
    /// How many bytes of exchanges the page may still hold.
    left: Counter<usize>,
}

impl<'r> Maker<'r> {
    /// The name of a phone for people.
    fn phone(&self, id: &'r str) -> &'r str {
        self.run.personas.get(id).map_or(id, |card| &card.title)
    }

    /// The family of a phone; one that is not described is its own.
    fn family(&self, id: &'r str) -> &'r str {
        self.run.personas.get(id).map_or(id, |card| &card.family)
    }

    /// The name of a cell's phone with the version it speaks.
    fn who(&self, cell: &'r Cell) -> String {
        let phone = self.phone(&cell.id.persona);
        cell.id.version.map_or_else(|| phone.to_owned(), |version| format!("{phone} [{version}]"))
    }
}

/// A verdict as the page shows it: its class in the style sheet and its word in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) class: &'static str,
    pub(crate) key: &'static str,
}

impl From<Verdict> for Mark {
    fn from(verdict: Verdict) -> Self {
        let (class, key) = match verdict {
            Verdict::Pass => ("p", "verdict.pass"),
            Verdict::Fail => ("f", "verdict.fail"),
            Verdict::Blocked => ("b", "verdict.blocked"),
            Verdict::Degraded => ("d", "verdict.degraded"),
            Verdict::Skipped => ("s", "verdict.skipped"),
            Verdict::Inconclusive => ("i", "verdict.inconclusive"),
        };
        Self { class, key }
    }
}

/// A time in UTC, to the minute.
pub(crate) fn moment(at: easrig_exchange::Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0)
        .map_or_else(|_| "?".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

#[cfg(test)]
pub(crate) mod tests;
