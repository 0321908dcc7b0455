//! A census of devices: who they are and how they fare, from logs and tables that hold no whole exchanges.
//!
//! Web server logs (IIS in W3C form, reverse proxies in the combined form or that of HAProxy) name the device in the query; the tables of
//! `Get-MobileDevice` and `Get-MobileDeviceStatistics` name it in a column. Exchanges count too.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Read};

use easrig_eas::Version;
use easrig_eas::query::{CommandName, DeviceIdForm, QueryLine};
use easrig_eas::status::Status;
use easrig_exchange::{Exchange, Timestamp};
use serde::Serialize;
use thiserror::Error;

use crate::text::TextReader;

mod log;
mod logged;
mod table;

use logged::Logged;

/// The most devices that are told apart.
const MAX_DEVICES: usize = 100_000;

/// The most different values that are kept of one device, in each respect.
const MAX_VALUES: usize = 32;

/// The longest value that is kept, in bytes; ids of devices have at most 32, and longer ones than this are none.
const MAX_VALUE: usize = 512;

/// Everything that was learned about devices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Census {
    /// The devices by id and type.
    pub devices: Vec<Device>,
    #[serde(skip)]
    places: BTreeMap<(String, String), usize>,
    /// Lines and rows that were read.
    pub lines: u64,
    /// Of these, the ones about something other than ActiveSync.
    pub other: u64,
    /// Of these, the ones that could not be read.
    pub unreadable: u64,
    /// Sightings of devices beyond the first 100,000, which are not listed.
    pub beyond: u64,
}

/// What is known about one device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Device {
    /// DeviceId as the device sends it; empty when a request names none.
    pub id: String,
    /// DeviceType (`iPhone`, `WP8`).
    pub kind: String,
    /// Names of its owners, from queries or the table.
    pub users: BTreeSet<String>,
    /// User-Agents.
    pub agents: BTreeSet<String>,
    /// Models.
    pub models: BTreeSet<String>,
    /// Operating systems.
    pub systems: BTreeSet<String>,
    /// Protocol versions.
    pub versions: BTreeSet<String>,
    /// Requests by command.
    pub commands: BTreeMap<String, u64>,
    /// Answers by HTTP status.
    pub statuses: BTreeMap<u16, u64>,
    /// Answers by command and its Status (`Sync:142`).
    pub eas_statuses: BTreeMap<String, u64>,
    /// Failures by the name that the server gave them in its log (`DeviceNotProvisioned`).
    pub errors: BTreeMap<String, u64>,
    /// Access states (`Allowed`, `Blocked`, `Quarantined`), and their reasons.
    pub access: BTreeSet<String>,
    /// Policies, and how far they are applied.
    pub policies: BTreeSet<String>,
    /// First sign of life.
    pub first: Option<Timestamp>,
    /// Last sign of life.
    pub last: Option<Timestamp>,
    /// Last synchronisation that succeeded: from the table, or the last 200 of a Sync of which neither Status nor log say
    /// otherwise.
    pub last_success: Option<Timestamp>,
}

/// Why a file tells nothing about devices.
#[derive(Debug, Error)]
pub enum CensusError {
    /// It could not be read.
    #[error("the file could not be read: {0}")]
    Io(#[from] std::io::Error),
    /// No line of it is of a known form.
    #[error("neither a web server log with ActiveSync requests nor a table of devices (CSV with a column `DeviceId`)")]
    Unknown,
}

impl Census {
    /// Adds a log or a table, whichever it is; UTF-8 or UTF-16.
    ///
    /// # Errors
    /// [`CensusError::Unknown`] when it is neither, [`CensusError::Io`].
    pub fn add<R: Read>(&mut self, input: R) -> Result<(), CensusError> {
        let mut lines = BufReader::with_capacity(64 << 10, TextReader::new(input));
        match table::columns(&mut lines)? {
            table::Start::Table(head) => table::read(&head, lines, self),
            table::Start::Other(first) => log::read(first, lines, self),
        }
    }

    /// Adds an exchange, if it is one of ActiveSync; `status` is the main Status of its answer.
    pub fn add_exchange(&mut self, exchange: &Exchange, status: Option<Status>) {
        self.lines = self.lines.saturating_add(1);
        let request = &exchange.request;
        let sighting = Sighting {
            path: request.url.path(),
            query: request.query(),
            agent: request.headers.get("user-agent").map(Into::into),
            user: None,
            version: request.headers.get("ms-asprotocolversion").map(str::to_owned),
            method: &request.method,
            http: exchange.response().map(|response| response.status),
            status,
            at: Some(exchange.started),
        };
        self.sighting(&sighting);
    }

    fn sighting(&mut self, seen: &Sighting<'_>) {
        if !seen.path.to_ascii_lowercase().contains("/microsoft-server-activesync") {
            self.other = self.other.saturating_add(1);
            return;
        }
        let (query, logged) = Logged::split(seen.query);
        let line = QueryLine::parse(query).ok();
        let (id, kind) =
            line.as_ref().map_or_else(Default::default, |line| (device_id(line), line.device_type.clone()));
        let command = match line.as_ref().map(|line| &line.command) {
            Some(CommandName::Known(command)) => command.name().to_owned(),
            Some(CommandName::Unknown(name)) => name.clone(),
            Some(CommandName::UnknownCode(code)) => format!("command {code}"),
            Some(CommandName::Absent) | None => seen.method.to_ascii_uppercase(),
        };
        let asked = line.as_ref().and_then(|line| line.version).map(|version: Version| version.to_string());
        let version = asked.or_else(|| seen.version.clone()).or(logged.version);
        let user = line.as_ref().and_then(|line| line.user.clone());
        let status = seen.status.or(logged.status);
        let Some(device) = self.device(id, kind) else { return };
        keep(&mut device.users, user.as_deref().or(seen.user));
        keep(&mut device.agents, seen.agent.as_deref());
        keep(&mut device.versions, version.as_deref());
        keep(&mut device.systems, logged.system.as_deref());
        keep(&mut device.access, logged.access.as_deref());
        keep(&mut device.access, logged.access_reason);
        device.seen(seen.at);
        let well = logged.error.is_none() && status.is_none_or(|status| status == Status::SUCCESS);
        if seen.http == Some(200) && command == "Sync" && well {
            device.last_success = device.last_success.max(seen.at);
        }
        let command = shortened(&command).to_owned();
        if let Some(status) = status {
            count(&mut device.eas_statuses, format!("{command}:{status}"));
        }
        if let Some(error) = logged.error {
            count(&mut device.errors, shortened(&error).to_owned());
        }
        count(&mut device.commands, command);
        if let Some(http) = seen.http {
            count(&mut device.statuses, http);
        }
    }

    /// The device of this id and type; ids compare without case.
    fn device(&mut self, id: String, kind: String) -> Option<&mut Device> {
        if id.len() > MAX_VALUE || kind.len() > MAX_VALUE {
            self.unreadable = self.unreadable.saturating_add(1);
            return None;
        }
        let key = (id.to_ascii_lowercase(), kind.to_ascii_lowercase());
        let place = match self.places.get(&key) {
            Some(place) => *place,
            None if self.devices.len() >= MAX_DEVICES => {
                self.beyond = self.beyond.saturating_add(1);
                return None;
            }
            None => {
                self.devices.push(Device { id, kind, ..Device::default() });
                self.places.insert(key, self.devices.len() - 1);
                self.devices.len() - 1
            }
        };
        self.devices.get_mut(place)
    }
}

impl Device {
    /// What went wrong by the server's own word, with how often: every Status that is no success, and the names in its log.
    pub fn troubles(&self) -> BTreeMap<String, u64> {
        let success = |what: &str| what.ends_with(":1") || matches!(what, "Ping:2" | "MoveItems:3");
        let statuses = self.eas_statuses.iter().filter(|(what, _)| !success(what));
        statuses.chain(&self.errors).map(|(what, count)| (what.clone(), *count)).collect()
    }

    fn seen(&mut self, at: Option<Timestamp>) {
        self.first = [self.first, at].into_iter().flatten().min();
        self.last = self.last.max(at);
    }
}

/// One request, as a log line tells it.
#[derive(Default)]
struct Sighting<'l> {
    path: &'l str,
    query: &'l str,
    method: &'l str,
    agent: Option<Cow<'l, str>>,
    user: Option<&'l str>,
    version: Option<String>,
    http: Option<u16>,
    status: Option<Status>,
    at: Option<Timestamp>,
}

fn device_id(line: &QueryLine) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    match &line.device_id {
        DeviceIdForm::Text(text) => text.clone(),
        DeviceIdForm::Guid(bytes) => hex(bytes),
        DeviceIdForm::Bytes(bytes) => hex(bytes),
    }
}

fn keep(values: &mut BTreeSet<String>, value: Option<&str>) {
    if let Some(value) = value.map(str::trim).filter(|value| !value.is_empty() && *value != "-")
        && values.len() < MAX_VALUES
    {
        values.insert(shortened(value).to_owned());
    }
}

fn count<K: Ord>(counts: &mut BTreeMap<K, u64>, what: K) {
    if counts.len() < MAX_VALUES || counts.contains_key(&what) {
        *counts.entry(what).or_default() += 1;
    }
}

/// No more of a text than is kept.
fn shortened(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_VALUE)).unwrap_or(text)
}

#[cfg(test)]
mod tests;
