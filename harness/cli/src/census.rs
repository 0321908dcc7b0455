//! `easrig census`: which devices there are, from logs, tables and captures.

use std::{collections::BTreeMap, fmt::Display};

use easrig_capture::census::{Census, Device};
use easrig_exchange::Timestamp;
use easrig_report::{Exit, safe};
use easrig_scenario::Decoded;
use miette::{IntoDiagnostic as _, WrapErr as _};
use serde::Serialize;

use crate::{
    args::{CensusArgs, CensusFormat},
    import::source::{self, Kind, Source},
    output::Output,
};

mod page;

/// The widest cell of the table, in characters; what is longer is cut, and whole in JSON.
const CELL_MOST: usize = 32;

pub(crate) fn census(args: &CensusArgs, output: &Output) -> miette::Result<Exit> {
    let options = source::options(&args.keys)?;
    let mut census = Census::default();
    for path in &args.files {
        let source = Source::open(path)?;
        let name = source.name();
        let named = || format!("cannot read `{name}`");
        if source.kind() == Kind::Other {
            census.add(source.into_file()).into_diagnostic().wrap_err_with(named)?;
            continue;
        }
        let read = source.read(&options, &mut |exchange| {
            census.add_exchange(&exchange, Decoded::of(&exchange).status.map(|(_, status)| status));
            Ok(())
        });
        let words = read.into_diagnostic().wrap_err_with(named)?.words(&name);
        if !words.is_empty() {
            output.say(&words);
        }
    }
    let text = match args.format {
        CensusFormat::Json => {
            serde_json::to_string_pretty(&Whole { format: 1, census: &census }).into_diagnostic()? + "\n"
        }
        CensusFormat::Human => table(&census.devices),
        CensusFormat::Html => page::page(&census, &sources(args)),
    };
    output.write(text.as_bytes())?;
    output.say(&tally(&census));
    Ok(if census.devices.is_empty() { Exit::Nothing } else { Exit::Well })
}

/// Where the devices were seen, without the folders.
fn sources(args: &CensusArgs) -> String {
    let names = args.files.iter().map(|path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy());
    names.collect::<Vec<_>>().join(", ")
}

/// A census with the number of its form.
#[derive(Serialize)]
struct Whole<'c> {
    format: u32,
    #[serde(flatten)]
    census: &'c Census,
}

fn tally(census: &Census) -> String {
    let mut out = format!("{} devices in {} lines and requests", census.devices.len(), census.lines);
    let rest = [
        (census.other, "about something else"),
        (census.unreadable, "that cannot be read"),
        (census.beyond, "of devices beyond the most that are listed"),
    ];
    rest.into_iter()
        .filter(|(count, _)| *count > 0)
        .for_each(|(count, what)| out.push_str(&format!(", {count} {what}")));
    out
}

const HEADS: [&str; 10] =
    ["DEVICE", "TYPE", "OWNER", "SYSTEM", "VERSIONS", "REQUESTS", "HTTP", "TROUBLE", "ACCESS", "LAST SUCCESS"];

/// A device a line, the one seen last on top; a column that nobody fills is left out.
fn table(devices: &[Device]) -> String {
    let mut devices: Vec<&Device> = devices.iter().collect();
    devices.sort_by_key(|device| std::cmp::Reverse(device.last.max(device.last_success)));
    let rows: Vec<[String; 10]> = devices.into_iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..HEADS.len()).map(|column| width(column).unwrap_or(0)).collect();
    let line = |cells: Vec<&str>| {
        let columns = cells.into_iter().zip(&widths).zip(HEADS).filter(|((_, width), _)| **width > 0);
        let padded = columns.map(|((cell, width), head)| format!("{cell:<0$}  ", (*width).max(head.len())));
        padded.collect::<String>().trim_end().to_owned() + "\n"
    };
    let head = line(HEADS.to_vec());
    rows.iter().map(|row| line(row.iter().map(String::as_str).collect())).fold(head, |table, line| table + &line)
}

fn row(device: &Device) -> [String; 10] {
    let last = device.last_success.map(day).unwrap_or_default();
    let id = if device.id.is_empty() { "(none)" } else { &device.id };
    [
        cell(id),
        cell(&device.kind),
        cell(&joined(&device.users)),
        cell(&about(device)),
        cell(&joined(&device.versions)),
        cell(&counted(&device.commands)),
        cell(&counted(&device.statuses)),
        cell(&counted(&device.troubles())),
        cell(&joined(&device.access)),
        last,
    ]
}

/// The best that is known of what it is: the table's words, else how it introduces itself.
fn about(device: &Device) -> String {
    let about: Vec<&str> = [&device.models, &device.systems].into_iter().flatten().map(String::as_str).collect();
    if about.is_empty() { joined(&device.agents) } else { about.join(", ") }
}

fn joined<'v>(values: impl IntoIterator<Item = &'v String>) -> String {
    values.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// The most frequent first.
fn counted<K: Display>(counts: &BTreeMap<K, u64>) -> String {
    let mut counts: Vec<(&K, &u64)> = counts.iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    counts.into_iter().map(|(what, count)| format!("{what} {count}")).collect::<Vec<_>>().join(", ")
}

fn day(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0).map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}

/// In one line and no longer than a cell may be.
fn cell(text: &str) -> String {
    let text = safe(&text.replace(['\n', '\t'], " ")).into_owned();
    match text.char_indices().nth(CELL_MOST) {
        Some(_) => text.chars().take(CELL_MOST - 1).chain(['…']).collect(),
        None => text,
    }
}
