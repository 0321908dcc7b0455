use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use easrig_eas::Version;
use easrig_exchange::{Exchange, ExchangeNumber, Outcome, Redactor, Request};
use easrig_persona::{Ability, DeviceError, Phone, PolicySetting};
use easrig_scenario::{
    Cell, CellId, Decoded, Finding, Role, Strictness,
    event::{Event, ExchangeCard, PolicyMet, SettingMet, Treatment},
    invariant::{Context, History, INVARIANTS, cell},
};

use crate::{
    folder::{FolderError, RunFolder},
    mask::mask,
    owner::confidence,
};

/// Hears what a run does while it does it.
pub trait Observer: Send + Sync {
    /// An event was written to the run file.
    fn event(&self, event: &Event) {
        let _ = event;
    }

    /// A persona does something now; for people, and not kept.
    fn doing(&self, persona: &str, what: &str) {
        let _ = (persona, what);
    }
}

/// Where everything a run sees is written down, and where the invariants are kept.
pub(crate) struct Journal {
    folder: Arc<RunFolder>,
    observer: Arc<dyn Observer>,
    redactor: Redactor,
    /// The invariants that any exchange concerned, with what was broken.
    met: Mutex<BTreeMap<CellId, Vec<Finding>>>,
    /// The policies that personas have met.
    policies: Mutex<Vec<PolicyMet>>,
}

impl Journal {
    pub(crate) fn new(folder: Arc<RunFolder>, observer: Arc<dyn Observer>, redactor: Redactor) -> Self {
        Self { folder, observer, redactor, met: Mutex::default(), policies: Mutex::default() }
    }

    pub(crate) fn record(&self, event: &Event) -> Result<(), FolderError> {
        let event = &self.without_secrets(event);
        self.folder.record(event)?;
        self.observer.event(event);
        Ok(())
    }

    /// Writes down what a phone did with its policy, once for each policy that a persona meets.
    pub(crate) fn policy(&self, persona: &str, phone: &Phone) -> Result<(), FolderError> {
        let met = policy_met(persona, phone.version(), phone.policy());
        {
            let mut known = self.policies.lock().unwrap_or_else(PoisonError::into_inner);
            let is_known = |known: &PolicyMet| known.persona == persona && known.settings == met.settings;
            if met.settings.is_empty() || known.len() >= POLICIES_MOST || known.iter().any(is_known) {
                return Ok(());
            }
            known.push(met.clone());
        }
        self.record(&Event::PolicyMet(met))
    }

    /// The event as it may be written: what a server said may hold the password it was sent.
    fn without_secrets(&self, event: &Event) -> Event {
        let mut event = event.clone();
        let finding = |finding: &mut Finding| {
            for text in [&mut finding.expected, &mut finding.actual] {
                *text = self.redactor.forgotten(text);
            }
        };
        match &mut event {
            Event::CellFinished(cell) => {
                cell.findings.iter_mut().for_each(finding);
                let error = cell.device_error.iter_mut().flat_map(|error| [&mut error.message, &mut error.remedy]);
                for text in cell.notes.iter_mut().chain([&mut cell.reason]).chain(error) {
                    *text = self.redactor.forgotten(text);
                }
            }
            Event::InvariantBroken { finding: broken, .. } => finding(broken),
            Event::TargetSeen(seen) => {
                let software = seen.software.iter_mut().map(|(_, value)| value);
                for text in software.chain(&mut seen.commands).chain([&mut seen.endpoint]) {
                    *text = self.redactor.forgotten(text);
                }
            }
            Event::PolicyMet(met) => {
                for setting in &mut met.settings {
                    setting.value = self.redactor.forgotten(&setting.value);
                }
            }
            _ => {}
        }
        event
    }

    /// Takes contents out of what findings quote of an exchange.
    pub(crate) fn mask(&self, findings: &mut [Finding], exchange: &Exchange) {
        mask(findings, exchange, &self.redactor);
    }

    pub(crate) fn doing(&self, persona: &str, what: &str) {
        self.observer.doing(persona, what);
    }

    /// Takes over what an earlier part of the run saw.
    pub(crate) fn remember(&self, events: &[Event]) {
        for event in events {
            match event {
                Event::InvariantBroken { cell, finding } => {
                    self.met().entry(cell.clone()).or_default().push(finding.clone());
                }
                Event::InvariantMet { cell } => {
                    self.met().entry(cell.clone()).or_default();
                }
                _ => {}
            }
        }
    }

    /// The cells of the invariants, one each per persona and version that met it.
    pub(crate) fn invariant_cells(&self, strictness: Strictness) -> Vec<Cell> {
        std::mem::take(&mut *self.met()).into_iter().map(|(id, broken)| cell(id, broken, strictness)).collect()
    }

    fn met(&self) -> MutexGuard<'_, BTreeMap<CellId, Vec<Finding>>> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The most policies that are told of a run; a server that makes up another one each time would fill the file.
const POLICIES_MOST: usize = 1_000;

/// The longest value of a setting that is told, in characters.
const VALUE_MOST: usize = 64;

/// A policy as a phone met it, live or in a recording, in the words of run files.
pub fn policy_met(persona: &str, version: Option<Version>, settings: &[PolicySetting]) -> PolicyMet {
    PolicyMet { persona: persona.to_owned(), version, settings: settings.iter().map(setting_met).collect() }
}

fn setting_met(setting: &PolicySetting) -> SettingMet {
    SettingMet {
        name: setting.name.clone(),
        value: setting.value.trim().chars().take(VALUE_MOST).collect(),
        treatment: match setting.ability {
            Ability::Enforces => Treatment::Enforced,
            Ability::Ignores => Treatment::Ignored,
            Ability::Refuses => Treatment::Refused,
        },
        confidence: confidence(setting.confidence),
    }
}

/// The journal of one cell.
pub(crate) struct CellJournal<'j> {
    pub(crate) journal: &'j Journal,
    cell: CellId,
    step: AtomicUsize,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    numbers: Vec<ExchangeNumber>,
    histories: BTreeMap<String, History>,
}

impl<'j> CellJournal<'j> {
    pub(crate) fn new(journal: &'j Journal, cell: CellId) -> Self {
        Self { journal, cell, step: AtomicUsize::new(0), seen: Mutex::default() }
    }

    pub(crate) fn step(&self, number: usize, title: &str) -> Result<(), FolderError> {
        self.step.store(number, Ordering::Relaxed);
        self.journal.doing(&self.cell.persona, &format!("{}: {title}", self.cell.scenario));
        self.journal.record(&Event::StepStarted { cell: self.cell.clone(), step: number, title: title.to_owned() })
    }

    /// Something is about to be sent.
    pub(crate) fn sending(&self, role: Role, request: &Request) {
        let what = match request.query() {
            "" => format!("{} {} → {} {}", self.cell.scenario, role, request.method, request.url.path()),
            query => format!("{} {} → {}", self.cell.scenario, role, command(query)),
        };
        self.journal.doing(&self.cell.persona, &what);
    }

    /// The owner of the phone sees an error.
    pub(crate) fn owner_sees(&self, role: Role, error: &DeviceError) {
        self.journal.doing(&self.cell.persona, &format!("{}: the {role} shows {error}", self.cell.scenario));
    }

    /// Writes an Exchange down, holds it against every invariant and gives it back with its number.
    pub(crate) fn exchanged(&self, mut exchange: Exchange) -> Result<Exchange, FolderError> {
        exchange.number = self.journal.folder.keep(self.journal.redactor.redact(shortened(exchange.clone())))?;
        let decoded = Decoded::of(&exchange);
        let card = ExchangeCard::of(&exchange, &decoded);
        self.journal.record(&Event::Exchanged { cell: self.cell.clone(), exchange: exchange.number, card })?;
        let mut seen = self.seen();
        seen.numbers.push(exchange.number);
        let history = seen.histories.entry(exchange.sender.role.clone()).or_default();
        let mut events = Vec::new();
        for rule in &INVARIANTS {
            // Before a version is chosen there is no cell to put it in; every ladder asks for versions again.
            let Some(version) = decoded.version.or(self.cell.version) else { break };
            let context = Context { exchange: &exchange, decoded: &decoded, history };
            if !rule.concerns(&context) {
                continue;
            }
            let mut findings = rule.check(&context);
            self.journal.mask(&mut findings, &exchange);
            let cell = invariant(rule.name, &self.cell.persona, version);
            let mut met = self.journal.met();
            if !met.contains_key(&cell) {
                events.push(Event::InvariantMet { cell: cell.clone() });
            }
            met.entry(cell.clone()).or_default().extend(findings.iter().cloned());
            events.extend(findings.into_iter().map(|finding| Event::InvariantBroken { cell: cell.clone(), finding }));
        }
        history.learn(&exchange, &decoded);
        drop(seen);
        for event in &events {
            self.journal.record(event)?;
        }
        Ok(exchange)
    }

    /// The numbers of the cell's exchanges so far.
    pub(crate) fn numbers(&self) -> Vec<ExchangeNumber> {
        self.seen().numbers.clone()
    }

    /// The roles that have sent anything.
    pub(crate) fn roles(&self) -> Vec<Role> {
        let seen = self.seen();
        Role::ALL.into_iter().filter(|role| seen.histories.contains_key(role.name())).collect()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of an answer without an end the beginning is kept: a run of many cells would fill the disk with the rest.
fn shortened(mut exchange: Exchange) -> Exchange {
    if let Outcome::Answered(response) = &mut exchange.outcome
        && let Some(why) = &mut response.cut
        && response.body.len() > MAX_KEPT
    {
        let _ = write!(why, "; {} bytes came, the first {MAX_KEPT} are kept", response.body.len());
        response.body.truncate(MAX_KEPT);
    }
    exchange
}

/// How much of an answer without an end is kept, in bytes.
const MAX_KEPT: usize = 1 << 20;

/// The cell of an invariant.
fn invariant(rule: &str, persona: &str, version: Version) -> CellId {
    CellId { scenario: format!("invariant/{rule}"), persona: persona.to_owned(), version: Some(version) }
}

fn command(query: &str) -> String {
    easrig_eas::query::QueryLine::parse(query).map_or_else(|_| "a request".into(), |line| line.command.to_string())
}
