//! One cell by itself: why, and the exchanges that decided, with their times.

use easrig_exchange::Exchange;
use easrig_scenario::{Cell, CellId};

use super::{
    Embed, Maker, Mark,
    exchange::{Bar, ExchangeView, bars},
    trouble::{FindingView, findings},
};
use crate::{terminal::word, told::Told, trouble::deciding};

/// The most exchanges whose times are drawn of one cell; the last ones.
const BARS_MOST: usize = 16;

/// The most exchanges that are shown of a cell when everything is embedded.
const EXCHANGES_MOST: usize = 64;

pub(super) struct CellView {
    /// Its address in the page, without `#`.
    pub(super) anchor: String,
    pub(super) who: String,
    pub(super) scenario: String,
    pub(super) mark: Mark,
    pub(super) reason: Told,
    /// The address of the cell that met the same error first.
    pub(super) first: Option<(String, String)>,
    pub(super) findings: Vec<FindingView>,
    pub(super) notes: Vec<Told>,
    pub(super) bars: Vec<Bar>,
    /// How many exchanges came before those that are drawn.
    pub(super) earlier: usize,
    pub(super) exchanges: Vec<ExchangeView>,
    /// The command that shows all of its exchanges.
    pub(super) show: String,
}

impl CellView {
    pub(super) fn of(cell: &Cell, maker: &Maker<'_>) -> Self {
        let first = cell.blocked_by.as_ref();
        let last = cell.exchanges.len().saturating_sub(BARS_MOST);
        let recent = cell.exchanges.iter().skip(last).filter_map(|number| (maker.find)(*number));
        Self {
            anchor: anchor(&cell.id),
            who: maker.who(cell),
            scenario: cell.id.scenario.clone(),
            mark: cell.verdict.into(),
            reason: maker.words.told(&cell.reason),
            first: first.filter(|first| **first != cell.id).map(|first| (anchor(first), first.to_string())),
            findings: findings(cell, maker.words),
            notes: cell.notes.iter().map(|note| maker.words.told(note)).collect(),
            bars: bars(&recent.collect::<Vec<_>>()),
            earlier: last,
            exchanges: exchanges(cell, maker),
            show: show_cell(&cell.id, maker.of.folder),
        }
    }
}

fn exchanges(cell: &Cell, maker: &Maker<'_>) -> Vec<ExchangeView> {
    let shown: Vec<Exchange> = match maker.of.embed {
        Embed::NotPassing => deciding(cell, maker.find),
        Embed::All => cell.exchanges.iter().take(EXCHANGES_MOST).filter_map(|number| (maker.find)(*number)).collect(),
    };
    let (mut room, total) = match maker.of.embed {
        Embed::NotPassing => (super::CELL_MOST.min(maker.left.get()), super::CELL_MOST.min(maker.left.get())),
        Embed::All => (usize::MAX, usize::MAX),
    };
    let mut views: Vec<ExchangeView> =
        shown.iter().map(|exchange| ExchangeView::of(exchange, &mut room, maker.words)).collect();
    if let Some(last) = views.last_mut() {
        last.open = true;
    }
    maker.left.set(maker.left.get().saturating_sub(total - room));
    views
}

/// The address of a cell in the page: `cell=sync/more-available~wp7~14.1`.
pub(crate) fn anchor(id: &CellId) -> String {
    let version = id.version.map(|version| version.to_string()).unwrap_or_default();
    format!("cell={}~{}~{version}", plain(&id.scenario), plain(&id.persona))
}

/// With everything but letters, digits and `/._-` written as `%XX`, so that an address is one in every browser.
fn plain(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// The command that shows the exchanges of a cell; empty when there is no folder.
pub(crate) fn show_cell(id: &CellId, folder: &str) -> String {
    if folder.is_empty() {
        return String::new();
    }
    format!("easrig show {} --cell {}", word(folder), word(&format!("{},{}", id.scenario, id.persona)))
}
