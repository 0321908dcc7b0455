//! Protocol versions: what the target offers, and what it then serves.

use std::collections::{BTreeMap, BTreeSet};

use easrig_eas::Version;
use easrig_scenario::Verdict;

use crate::html::Maker;

pub(in crate::html) struct Offer {
    pub(in crate::html) rows: Vec<Row>,
    /// Commands that it offers, where it says so.
    pub(in crate::html) commands: Vec<String>,
}

pub(in crate::html) struct Row {
    pub(in crate::html) version: String,
    /// Whether the target names it.
    pub(in crate::html) offered: bool,
    /// How many answers with HTTP 200 it gave to requests in this version, and to how many requests.
    pub(in crate::html) served: usize,
    pub(in crate::html) asked: usize,
    pub(in crate::html) phones: String,
    /// The key of what to make of it.
    pub(in crate::html) says: &'static str,
}

impl Offer {
    pub(super) fn of(maker: &Maker<'_>) -> Self {
        let run = maker.run;
        let offered: BTreeSet<Version> = run.seen.iter().flat_map(|seen| &seen.versions).copied().collect();
        let commands: BTreeSet<&String> = run.seen.iter().flat_map(|seen| &seen.commands).collect();
        let mut tried: BTreeMap<Version, (usize, usize)> = BTreeMap::new();
        for exchange in run.exchanges.iter().filter(|exchange| is_eas(&exchange.command)) {
            if let Some(version) = exchange.cell.version {
                let (served, asked) = tried.entry(version).or_default();
                *asked += 1;
                *served += usize::from(exchange.http == Some(200));
            }
        }
        let spoken = |version: Version| {
            let cells = run.cells.iter().filter(|cell| cell.id.version == Some(version));
            let cells = cells.filter(|cell| cell.verdict != Verdict::Skipped);
            let phones: BTreeSet<&str> = cells.map(|cell| maker.phone(&cell.id.persona)).collect();
            phones.into_iter().collect::<Vec<_>>().join(", ")
        };
        let all: BTreeSet<Version> = offered.iter().chain(tried.keys()).copied().collect();
        let row = |version: Version| {
            let (served, asked) = tried.get(&version).copied().unwrap_or_default();
            let is_offered = offered.contains(&version);
            Row {
                version: version.to_string(),
                offered: is_offered,
                served,
                asked,
                phones: spoken(version),
                says: match (is_offered, asked, served) {
                    (_, 0, _) => "offer.untried",
                    (true, _, 0) => "offer.unserved",
                    (true, ..) => "offer.served",
                    (false, _, 0) => "offer.refused",
                    (false, ..) => "offer.unannounced",
                },
            }
        };
        Self { rows: all.into_iter().map(row).collect(), commands: commands.into_iter().cloned().collect() }
    }
}

/// Whether a request speaks in a version: OPTIONS asks for them, and everything in capitals is plain HTTP.
fn is_eas(command: &str) -> bool {
    command.chars().any(|c| c.is_ascii_lowercase())
}
