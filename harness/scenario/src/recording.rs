//! Recorded traffic, judged: the invariants over what the server answered, the rules of conduct over what the device sent.
//!
//! The invariants are those of live runs. What the recording does not hold in full is not judged, and said to be missing:
//! a gap is nobody's fault.

use std::collections::BTreeMap;

use easrig_eas::Version;
use easrig_exchange::{Exchange, ExchangeNumber, Origin, Outcome};

use crate::{
    Cell, CellId, Decoded, Finding, Strictness, Verdict,
    conduct::{CONDUCTS, Remark, Seen, Watch},
    invariant::{self, Context, History, INVARIANTS},
};

/// How the ids of cells about devices begin.
pub const DEVICE: &str = "device/";

/// The cell that says whether a recording is whole.
pub const COMPLETE: &str = "recording/complete";

/// The most devices that are told apart; those beyond are one.
const MOST_DEVICES: usize = 10_000;

/// The most reasons that are listed one by one.
const MOST_REASONS: usize = 5;

/// The most exchanges that a cell lists.
const MOST_EXCHANGES: usize = 100_000;

/// Whose faults fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Party {
    /// The server's; those of a device are told, and degrade a cell of their own.
    #[default]
    Server,
    /// The devices' as well: for whoever makes one.
    Devices,
}

/// Judges the exchanges of a recording, device by device.
#[derive(Debug)]
pub struct Judge {
    strictness: Strictness,
    party: Party,
    devices: BTreeMap<String, Device>,
}

/// What a device is in the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender<'s> {
    /// A device: its requests are its own.
    Device {
        /// Tells apart phones that bear one name one after another, as in the cells of a run; else empty.
        life: &'s str,
    },
    /// A phone that was made to send what a scenario says: only the server is judged.
    Scripted {
        /// As above.
        life: &'s str,
    },
}

#[derive(Debug, Default)]
struct Device {
    life: String,
    history: History,
    watches: Vec<Box<dyn Watch>>,
    version: Option<Version>,
    gap: Option<ExchangeNumber>,
    judged: u64,
    missing: Vec<(ExchangeNumber, String)>,
    missing_count: u64,
    /// By name of the invariant.
    server: BTreeMap<(&'static str, Option<Version>), Vec<Finding>>,
    /// By name of the rule.
    conduct: BTreeMap<&'static str, Conducted>,
}

#[derive(Debug, Default)]
struct Conducted {
    broken: Vec<Finding>,
    unclear: Vec<(ExchangeNumber, String)>,
    unclear_count: u64,
}

impl Judge {
    /// A judge that has heard nothing yet.
    pub fn new(strictness: Strictness, party: Party) -> Self {
        Self { strictness, party, devices: BTreeMap::new() }
    }

    /// Judges the next exchange of a device.
    pub fn judge(&mut self, device: &str, sender: Sender<'_>, exchange: &Exchange) {
        let crowded = self.devices.len() >= MOST_DEVICES && !self.devices.contains_key(device);
        let name = if crowded { "other devices" } else { device };
        self.devices.entry(name.to_owned()).or_default().judge(sender, exchange);
    }

    /// Something of a device is missing that no exchange stands for.
    pub fn missing(&mut self, device: &str, at: ExchangeNumber, why: String) {
        self.devices.entry(device.to_owned()).or_default().miss(at, why);
    }

    /// The cells: device by device, what the server did, whether the recording is whole, what the device did.
    pub fn cells(self) -> Vec<Cell> {
        let (strictness, party) = (self.strictness, self.party);
        self.devices.into_iter().flat_map(|(name, device)| device.cells(&name, strictness, party)).collect()
    }
}

impl Device {
    fn judge(&mut self, sender: Sender<'_>, exchange: &Exchange) {
        let (Sender::Device { life } | Sender::Scripted { life }) = sender;
        if self.watches.is_empty() || self.life != life {
            life.clone_into(&mut self.life);
            (self.history, self.gap) = (History::of_recording(), None);
            self.watches = CONDUCTS.iter().map(|conduct| conduct.begin()).collect();
        }
        let decoded = Decoded::of(exchange);
        self.version = decoded.version.or(self.version);
        let lack = lack(exchange);
        match &lack {
            None => self.answer(exchange, &decoded),
            Some(why) => self.miss(exchange.number, why.clone()),
        }
        self.history.learn(exchange, &decoded);
        if let Sender::Device { .. } = sender {
            self.request(exchange, &decoded, lack.is_none());
        }
        if lack.is_some() {
            self.gap = Some(exchange.number);
        }
    }

    fn answer(&mut self, exchange: &Exchange, decoded: &Decoded) {
        self.judged = self.judged.saturating_add(1);
        let retold = is_retold(exchange);
        for rule in INVARIANTS.iter().filter(|rule| !retold || RETOLD.contains(&rule.name)) {
            let context = Context { exchange, decoded, history: &self.history };
            if rule.concerns(&context) {
                let version = decoded.version.or(self.version);
                self.server.entry((rule.name, version)).or_default().extend(rule.check(&context));
            }
        }
    }

    fn request(&mut self, exchange: &Exchange, decoded: &Decoded, whole: bool) {
        let seen = Seen { exchange, decoded, gap: self.gap, whole };
        for (conduct, watch) in CONDUCTS.iter().zip(&mut self.watches) {
            let mut remarks = Vec::new();
            watch.look(&seen, &mut remarks);
            if remarks.is_empty() {
                continue;
            }
            let kept = self.conduct.entry(conduct.name).or_default();
            for remark in remarks {
                match remark {
                    Remark::Kept => {}
                    Remark::Broken { level, expected, actual } => kept.broken.push(Finding {
                        requirement: format!("{DEVICE}{}", conduct.name),
                        level,
                        expected: expected.into_owned(),
                        actual,
                        exchange: Some(exchange.number),
                    }),
                    Remark::Unclear(why) => {
                        kept.unclear_count = kept.unclear_count.saturating_add(1);
                        if kept.unclear.len() < MOST_REASONS {
                            kept.unclear.push((exchange.number, why));
                        }
                    }
                }
            }
        }
    }

    fn miss(&mut self, at: ExchangeNumber, why: String) {
        self.missing_count = self.missing_count.saturating_add(1);
        if self.missing.len() < MOST_REASONS {
            self.missing.push((at, why));
        }
    }

    fn cells(mut self, name: &str, strictness: Strictness, party: Party) -> Vec<Cell> {
        let mut cells = Vec::new();
        let complete = self.complete(name);
        // What came before the device had chosen a version belongs to the first that it chose.
        let first = self.server.keys().filter_map(|(_, version)| *version).min();
        let mut server: BTreeMap<(&str, Option<Version>), Vec<Finding>> = BTreeMap::new();
        for ((rule, version), findings) in self.server {
            server.entry((rule, version.or(first))).or_default().extend(findings);
        }
        for ((rule, version), broken) in server {
            let id = CellId { scenario: format!("invariant/{rule}"), persona: name.to_owned(), version };
            cells.push(invariant::cell(id, broken, strictness));
        }
        cells.extend(complete);
        for conduct in &CONDUCTS {
            if let Some(conducted) = self.conduct.remove(conduct.name) {
                let scenario = format!("{DEVICE}{}", conduct.name);
                let id = CellId { scenario, persona: name.to_owned(), version: self.version };
                cells.push(conducted.cell(id, strictness, party));
            }
        }
        cells
    }

    fn complete(&self, name: &str) -> Option<Cell> {
        if self.judged == 0 && self.missing_count == 0 {
            return None;
        }
        let id = CellId { scenario: COMPLETE.to_owned(), persona: name.to_owned(), version: self.version };
        let reason = told("not judged, since the recording is not whole", &self.missing, self.missing_count);
        let verdict = if reason.is_empty() { Verdict::Pass } else { Verdict::Inconclusive };
        let exchanges = self.missing.iter().map(|(number, _)| *number).collect();
        Some(Cell { exchanges, ..empty(id, verdict, reason) })
    }
}

impl Conducted {
    fn cell(self, id: CellId, strictness: Strictness, party: Party) -> Cell {
        let fails = |finding: &Finding| strictness.fails(finding.level);
        let worst = self.broken.iter().find(|finding| fails(finding)).or(self.broken.first());
        let reason = worst.map_or_else(
            || told("it could not be told", &self.unclear, self.unclear_count),
            |first| {
                let count = self.broken.len();
                format!("the device did otherwise in {count} places; the first: {}", first.actual)
            },
        );
        let verdict = match (self.broken.iter().any(fails), party) {
            (true, Party::Devices) => Verdict::Fail,
            (true, Party::Server) => Verdict::Degraded,
            (false, _) if self.unclear_count > 0 && self.broken.is_empty() => Verdict::Inconclusive,
            (false, _) => Verdict::Pass,
        };
        let mut exchanges: Vec<ExchangeNumber> = self.broken.iter().filter_map(|finding| finding.exchange).collect();
        exchanges.dedup();
        exchanges.truncate(MOST_EXCHANGES);
        let findings = invariant::gathered(self.broken);
        Cell { findings, exchanges, ..empty(id, verdict, reason) }
    }
}

fn empty(id: CellId, verdict: Verdict, reason: String) -> Cell {
    Cell {
        id,
        verdict,
        reason,
        blocked_by: None,
        device_error: None,
        findings: Vec::new(),
        notes: Vec::new(),
        exchanges: Vec::new(),
    }
}

/// One sentence from its reasons; empty when there are none.
fn told(what: &str, reasons: &[(ExchangeNumber, String)], count: u64) -> String {
    if reasons.is_empty() {
        return String::new();
    }
    let said: Vec<String> = reasons.iter().map(|(number, why)| format!("exchange {}: {why}", number.0)).collect();
    let more = count.saturating_sub(u64::try_from(reasons.len()).unwrap_or(u64::MAX));
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{what}: {}{more}", said.join("; "))
}

/// What of an exchange is not in the recording. What easrig itself saw fail or end early is no gap.
fn lack(exchange: &Exchange) -> Option<String> {
    let response = match &exchange.outcome {
        Outcome::Failed(_) if exchange.origin != Origin::Imported => return None,
        Outcome::Failed(failure) => return Some(format!("its answer is not there ({failure})")),
        Outcome::Answered(response) => response,
    };
    if exchange.origin != Origin::Imported {
        return None;
    }
    if let Some(why) = &response.cut {
        return Some(format!("its answer is not whole ({why})"));
    }
    let request = &exchange.request;
    let announced = request.headers.get("Content-Length").and_then(|length| length.trim().parse::<usize>().ok());
    let short = announced.filter(|length| *length > request.body.len());
    short.map(|length| format!("its request is not whole ({} of {length} bytes)", request.body.len()))
}

/// Whether the exchange was told by a log that keeps neither bytes nor all headers, such as a mailbox log: an HTTP answer
/// with a body says where it ends.
fn is_retold(exchange: &Exchange) -> bool {
    let Some(response) = exchange.response().filter(|_| exchange.origin == Origin::Imported) else { return false };
    let framing = ["Content-Length", "Transfer-Encoding", "Connection", "Content-Type", "Date"];
    framing.iter().all(|name| response.headers.get(name).is_none())
}

/// The invariants that such an exchange can be held against: those of meaning, not of bytes and headers.
const RETOLD: [&str; 4] = ["http-status", "one-status", "new-sync-key", "advertised-is-served"];

#[cfg(test)]
mod tests;
