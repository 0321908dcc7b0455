//! Tables of devices: `Get-MobileDevice`, `Get-MobileDeviceStatistics` and their older names, as `Export-Csv` writes them.

use std::cell::Cell;
use std::collections::HashMap;
use std::io::{self, BufRead, Read};

use easrig_exchange::Timestamp;

use super::{Census, CensusError, keep};
use crate::mailbox_log::log_time;
use crate::text::next_line;

/// The longest row that is read, in bytes; a quote that is never closed makes one of everything behind it.
const MAX_ROW: usize = 4 << 20;

/// Columns that are looked at; Exchange writes some sixty.
const MAX_COLUMNS: usize = 1024;

/// What a file begins with.
pub(super) enum Start {
    /// The line with the names of the columns.
    Table(String),
    /// Anything else: the line itself.
    Other(Option<String>),
}

/// Reads on to the first line that is no remark of PowerShell.
pub(super) fn columns(lines: &mut impl BufRead) -> Result<Start, CensusError> {
    loop {
        match next_line(lines)? {
            Some(line) if line.starts_with("#TYPE") || line.trim().is_empty() => {}
            Some(line) if is_table(&line) => return Ok(Start::Table(line)),
            other => return Ok(Start::Other(other)),
        }
    }
}

fn is_table(line: &str) -> bool {
    line.split([',', ';', '\t']).any(|name| name.trim().trim_matches('"').eq_ignore_ascii_case("deviceid"))
}

/// Reads the rows under a line of columns.
pub(super) fn read(head: &str, rows: impl Read, census: &mut Census) -> Result<(), CensusError> {
    let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(|mark| head.bytes().filter(|byte| byte == mark).count());
    let mut csv = csv::ReaderBuilder::new();
    csv.delimiter(delimiter.unwrap_or(b',')).flexible(true).has_headers(false);
    let mut names = HashMap::new();
    for row in csv.from_reader(head.as_bytes()).byte_records().flatten() {
        names = row
            .iter()
            .take(MAX_COLUMNS)
            .enumerate()
            .map(|(at, name)| (text(name).trim().to_ascii_lowercase(), at))
            .collect();
    }
    let since = Cell::new(0);
    for row in csv.from_reader(Rows { rows, since: &since }).into_byte_records() {
        census.lines = census.lines.saturating_add(1);
        match row {
            Ok(row) => {
                let is_endless = since.take() > MAX_ROW;
                if is_endless {
                    census.unreadable = census.unreadable.saturating_add(1);
                    break;
                }
                add(&names, &row, census);
            }
            Err(error) if error.is_io_error() => return Err(CensusError::Io(io::Error::other(error))),
            Err(_) => census.unreadable = census.unreadable.saturating_add(1),
        }
    }
    Ok(())
}

/// The rows, up to one that is too long.
struct Rows<'r, R> {
    rows: R,
    /// Bytes that were read since the last row ended.
    since: &'r Cell<usize>,
}

impl<R: Read> Read for Rows<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since.get() > MAX_ROW {
            return Ok(0);
        }
        let count = self.rows.read(buffer)?;
        self.since.set(self.since.get().saturating_add(count));
        Ok(count)
    }
}

fn add(names: &HashMap<String, usize>, row: &csv::ByteRecord, census: &mut Census) {
    let cell =
        |name: &str| names.get(name).and_then(|at| row.get(*at)).map(text).filter(|cell| !cell.trim().is_empty());
    let Some(id) = cell("deviceid") else {
        census.unreadable = census.unreadable.saturating_add(1);
        return;
    };
    let Some(device) = census.device(id, cell("devicetype").unwrap_or_default()) else { return };
    for name in ["userdisplayname", "user", "primarysmtpaddress", "userprincipalname"] {
        keep(&mut device.users, cell(name).as_deref());
    }
    keep(&mut device.agents, cell("deviceuseragent").as_deref());
    keep(&mut device.models, cell("devicemodel").as_deref());
    keep(&mut device.systems, cell("deviceos").as_deref());
    keep(&mut device.versions, cell("deviceactivesyncversion").or_else(|| cell("clientversion")).as_deref());
    for name in ["deviceaccessstate", "deviceaccessstatereason", "status"] {
        keep(&mut device.access, cell(name).as_deref());
    }
    for name in ["devicepolicyapplied", "devicepolicyapplicationstatus"] {
        keep(&mut device.policies, cell(name).as_deref());
    }
    let time = |name: &str| cell(name).and_then(|cell| log_time(&cell));
    device.seen(time("firstsynctime"));
    device.seen(time("lastsyncattempttime"));
    let success: Option<Timestamp> = time("lastsuccesssync");
    device.seen(success);
    device.last_success = device.last_success.max(success);
}

fn text(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).into_owned()
}
