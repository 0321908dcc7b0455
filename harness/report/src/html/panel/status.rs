//! Every status that was seen, and every error that an owner would have seen.

use std::collections::{BTreeMap, BTreeSet};

use easrig_eas::{Command, Status, StatusScope, status};
use easrig_scenario::decoded::scope_of;

use crate::html::Maker;

pub(in crate::html) struct Statuses {
    pub(in crate::html) rows: Vec<Row>,
    pub(in crate::html) errors: Vec<Shown>,
}

pub(in crate::html) struct Row {
    pub(in crate::html) command: String,
    /// `200`, or empty when there was no answer.
    pub(in crate::html) http: String,
    pub(in crate::html) status: String,
    pub(in crate::html) means: &'static str,
    pub(in crate::html) count: usize,
}

/// What stood on a screen.
pub(in crate::html) struct Shown {
    pub(in crate::html) code: String,
    pub(in crate::html) message: String,
    pub(in crate::html) phones: String,
    pub(in crate::html) cells: usize,
}

/// The most different statuses in the table; a target that makes them up would fill the page.
const ROWS_MOST: usize = 200;

impl Statuses {
    pub(super) fn of(maker: &Maker<'_>) -> Self {
        let mut counts: BTreeMap<(&str, Option<u16>, Option<u16>), usize> = BTreeMap::new();
        for seen in &maker.run.exchanges {
            *counts.entry((&seen.command, seen.http, seen.status)).or_default() += 1;
        }
        let row = |((command, http, status), count): ((&str, Option<u16>, Option<u16>), usize)| Row {
            command: command.to_owned(),
            http: http.map(|http| http.to_string()).unwrap_or_default(),
            status: status.map(|status| status.to_string()).unwrap_or_default(),
            means: means(command, http, status),
            count,
        };
        Self { rows: counts.into_iter().map(row).take(ROWS_MOST).collect(), errors: errors(maker) }
    }
}

fn means(command: &str, http: Option<u16>, status: Option<u16>) -> &'static str {
    let of = |scope, value| status::meaning(scope, Status(value)).map(|row| row.meaning);
    let command = Command::all().find(|known| known.name() == command);
    let status = status.and_then(|status| of(command.map_or(StatusScope::Common, scope_of), status));
    status.or_else(|| http.and_then(|http| of(StatusScope::Http, http))).unwrap_or("")
}

fn errors(maker: &Maker<'_>) -> Vec<Shown> {
    let mut shown: BTreeMap<(&str, &str), (BTreeSet<&str>, usize)> = BTreeMap::new();
    for cell in &maker.run.cells {
        if let Some(error) = &cell.device_error {
            let (phones, cells) = shown.entry((&error.code, error.message.trim())).or_default();
            phones.insert(maker.phone(&cell.id.persona));
            *cells += 1;
        }
    }
    let row = |((code, message), (phones, cells)): ((&str, &str), (BTreeSet<&str>, usize))| Shown {
        code: code.to_owned(),
        message: message.to_owned(),
        phones: phones.into_iter().collect::<Vec<_>>().join(", "),
        cells,
    };
    shown.into_iter().map(row).collect()
}
