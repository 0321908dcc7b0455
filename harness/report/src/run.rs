use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use easrig_exchange::{ExchangeNumber, Timestamp};
use easrig_scenario::{
    Cell, CellId, Finding, Limit, Strictness, Verdict,
    event::{Event, ExchangeCard, PersonaCard, PolicyMet, RunStarted, ScenarioCard, SettingMet, TargetSeen, TlsAsked},
    invariant,
};
use serde::Serialize;

use crate::{Outcome, ReadError};

/// The most cells a run file may hold: 1,000 scenarios on 100 personas in 10 versions.
const MAX_CELLS: usize = 1_000_000;

/// The most exchanges whose lines are kept in memory; a report says when there were more.
const MAX_EXCHANGES: usize = 1_000_000;

/// The most personas whose policies are kept, and the most settings of each; the standard has fewer than 60.
const MAX_POLICIES: usize = 1_000;
const MAX_SETTINGS: usize = 200;

/// The most hosts of which it is kept what TLS they take, and the most answers of each.
const MAX_TLS: (usize, usize) = (64, 8);

/// The most limits that are kept: a server has one of each kind, as a rule.
const MAX_LIMITS: usize = 64;

/// The most exchanges by which one invariant is said to be broken.
const MAX_BROKEN: usize = 10_000;

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its first line.
    pub started: RunStarted,
    /// Its scenarios by id, invariants that have a cell among them.
    pub scenarios: BTreeMap<String, ScenarioCard>,
    /// Its personas by id.
    pub personas: BTreeMap<String, PersonaCard>,
    /// What the target said of itself, once per persona.
    pub seen: Vec<TargetSeen>,
    /// Which versions of TLS each host and port takes, in the order in which they were asked.
    pub tls: Vec<TlsAsked>,
    /// What each persona did with the settings of the policies that it met, by its id; the first of each name.
    pub policies: BTreeMap<String, Vec<SettingMet>>,
    /// The limits that the target named to devices that asked for more or less.
    pub limits: BTreeSet<Limit>,
    /// Every cell: persona by persona in plan order, scenarios in plan order, invariants behind them. Cells that were
    /// planned and never finished are here as `inconclusive`; see [`Run::missing`].
    pub cells: Vec<Cell>,
    /// How many of the cells were planned and never finished.
    pub missing: usize,
    /// The exchanges in a line each, in the order of the run file; the first million of them.
    pub exchanges: Vec<Exchanged>,
    /// How many exchanges there were beyond those.
    pub more_exchanges: usize,
    /// When the target did not answer.
    pub outages: Vec<Outage>,
    /// When it ended; `None` when it was cut short.
    pub finished: Option<Timestamp>,
    /// What its cells came to, held against what is known of the target; empty before [`Run::hold_against`].
    pub outcomes: BTreeMap<CellId, Outcome>,
}

/// An exchange in a line, as the run file holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchanged {
    /// Its number in `exchanges.eascap`.
    pub number: ExchangeNumber,
    /// The cell that sent it; shared by all of its exchanges.
    pub cell: Arc<CellId>,
    /// What was asked: a command, `OPTIONS`, or the HTTP method of anything else.
    pub command: Arc<str>,
    /// HTTP status code; `None` when there was no answer.
    pub http: Option<u16>,
    /// The main Status of the answer, where it has one.
    pub status: Option<u16>,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// The ways of signing in that an answer with HTTP 401 offers.
    pub challenges: Vec<String>,
}

/// A time in which the target did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When it was noticed.
    pub from: Timestamp,
    /// When the target answered again; `None` when it never did.
    pub to: Option<Timestamp>,
    /// How it was noticed.
    pub cause: String,
}

/// How many cells came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Totals {
    /// Everything that was expected was seen.
    pub pass: usize,
    /// The target broke a requirement.
    pub fail: usize,
    /// The device's owner would see an error.
    pub blocked: usize,
    /// It worked, with a loss.
    pub degraded: usize,
    /// Nothing was sent.
    pub skipped: usize,
    /// easrig could not tell.
    pub inconclusive: usize,
    /// Device errors behind the blocked cells, each counted once however many cells it blocks.
    pub causes: usize,
}

impl Run {
    /// Folds the events of a run file.
    ///
    /// # Errors
    /// The first error of `events`; [`ReadError::NoStart`] when there is no first line.
    pub fn fold(events: impl IntoIterator<Item = Result<Event, ReadError>>) -> Result<Self, ReadError> {
        let mut builder = RunBuilder::default();
        for event in events {
            builder.push(event?)?;
        }
        builder.finish()
    }

    /// How many cells came to what.
    pub fn totals(&self) -> Totals {
        let count = |verdict| self.cells.iter().filter(|cell| cell.verdict == verdict).count();
        let causes: BTreeSet<_> = self.blocked().map(|cell| cause(cell).to_string()).collect();
        Totals {
            pass: count(Verdict::Pass),
            fail: count(Verdict::Fail),
            blocked: count(Verdict::Blocked),
            degraded: count(Verdict::Degraded),
            skipped: count(Verdict::Skipped),
            inconclusive: count(Verdict::Inconclusive),
            causes: causes.len(),
        }
    }

    /// The blocked cells by the cell that met the error first, in the order of the run.
    pub(crate) fn causes(&self) -> Vec<(&Cell, Vec<&Cell>)> {
        let mut order: Vec<(&Cell, Vec<&Cell>)> = Vec::new();
        let mut places: HashMap<&CellId, usize> = HashMap::new();
        let by_id: HashMap<_, _> = self.cells.iter().map(|cell| (&cell.id, cell)).collect();
        for cell in self.blocked() {
            let first = cause(cell);
            let place = *places.entry(first).or_insert_with(|| {
                order.push((by_id.get(first).copied().unwrap_or(cell), Vec::new()));
                order.len() - 1
            });
            if let Some((_, cells)) = order.get_mut(place) {
                cells.push(cell);
            }
        }
        order
    }

    fn blocked(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter().filter(|cell| cell.verdict == Verdict::Blocked)
    }
}

/// Gathers events, in the order of the run file; what is kept is bounded by the number of cells.
#[derive(Debug, Default)]
pub struct RunBuilder {
    started: Option<RunStarted>,
    scenarios: BTreeMap<String, ScenarioCard>,
    personas: BTreeMap<String, PersonaCard>,
    planned: BTreeMap<String, Vec<CellId>>,
    known: usize,
    seen: Vec<TargetSeen>,
    tls: Vec<TlsAsked>,
    policies: BTreeMap<String, Vec<SettingMet>>,
    limits: BTreeSet<Limit>,
    finished: HashMap<CellId, Cell>,
    broken: BTreeMap<CellId, Vec<Finding>>,
    exchanges: Vec<Exchanged>,
    more_exchanges: usize,
    cells: HashMap<CellId, Arc<CellId>>,
    commands: BTreeSet<Arc<str>>,
    outages: Vec<Outage>,
    end: Option<Timestamp>,
}

impl RunBuilder {
    /// Takes the next event.
    ///
    /// # Errors
    /// [`ReadError::NoStart`] when it is the first and not `run_started`, [`ReadError::TooManyCells`].
    pub fn push(&mut self, event: Event) -> Result<(), ReadError> {
        match event {
            Event::RunStarted(started) => {
                self.started.get_or_insert(started);
            }
            _ if self.started.is_none() => return Err(ReadError::NoStart),
            Event::Described { scenarios, personas } => {
                self.scenarios = scenarios.into_iter().map(|card| (card.id.clone(), card)).collect();
                self.personas = personas.into_iter().map(|card| (card.id.clone(), card)).collect();
            }
            Event::Planned { cells } => self.plan(cells)?,
            Event::TargetSeen(seen) => {
                self.seen.retain(|before| before.persona != seen.persona);
                self.seen.push(seen);
            }
            Event::TlsAsked(asked) => self.tls(asked),
            Event::PolicyMet(met) => self.policy(met),
            Event::CellFinished(cell) => {
                self.count(1)?;
                self.finished.insert(cell.id.clone(), cell);
            }
            Event::Exchanged { cell, exchange, card } => self.keep(cell, exchange, card),
            Event::TargetLost { at, cause } => self.outages.push(Outage { from: at, to: None, cause }),
            Event::TargetBack { at } => {
                if let Some(outage) = self.outages.last_mut() {
                    outage.to = Some(at);
                }
            }
            Event::Resumed { .. } => self.end = None,
            Event::RunFinished { at } => self.end = Some(at),
            Event::InvariantBroken { cell, finding } => self.broken(cell, finding)?,
            Event::CellStarted { .. } | Event::StepStarted { .. } | Event::InvariantMet { .. } => {}
        }
        Ok(())
    }

    /// What the run came to, as far as it came.
    ///
    /// # Errors
    /// [`ReadError::NoStart`] when there was no event at all.
    pub fn finish(mut self) -> Result<Run, ReadError> {
        let started = self.started.ok_or(ReadError::NoStart)?;
        let mut cells: Vec<Cell> = Vec::new();
        let mut missing = 0;
        for id in self.planned.into_values().flatten() {
            cells.push(self.finished.remove(&id).unwrap_or_else(|| {
                missing += 1;
                never_run(id)
            }));
        }
        // A run that was cut short never came to its invariants; those that were broken are broken all the same.
        let told = |(id, _): &(CellId, Vec<Finding>)| !self.finished.contains_key(id);
        cells.extend(
            self.broken.into_iter().filter(told).map(|(id, findings)| invariant::cell(id, findings, Strictness::Musts)),
        );
        // Invariants are not planned: they are what the exchanges of all the others came to.
        cells.extend(self.finished.into_values());
        sort(&mut cells, &started);
        for id in cells.iter().map(|cell| &cell.id.scenario).filter(|id| id.starts_with("invariant/")) {
            if !self.scenarios.contains_key(id) {
                self.scenarios.extend(ScenarioCard::of_invariant(id).map(|card| (id.clone(), card)));
            }
        }
        Ok(Run {
            started,
            scenarios: self.scenarios,
            personas: self.personas,
            seen: self.seen,
            tls: self.tls,
            policies: self.policies,
            limits: self.limits,
            cells,
            missing,
            exchanges: self.exchanges,
            more_exchanges: self.more_exchanges,
            outages: self.outages,
            finished: self.end,
            outcomes: BTreeMap::new(),
        })
    }

    /// The latest answer of a host holds: a resumed run may have asked again.
    fn tls(&mut self, mut asked: TlsAsked) {
        let (hosts, answers) = MAX_TLS;
        asked.offers.truncate(answers);
        self.tls.retain(|before| before.endpoint != asked.endpoint);
        if self.tls.len() < hosts {
            self.tls.push(asked);
        }
    }

    /// A scenario may change the policy on the way: every setting that was met counts, each once.
    fn policy(&mut self, met: PolicyMet) {
        if self.policies.len() >= MAX_POLICIES && !self.policies.contains_key(&met.persona) {
            return;
        }
        let known = self.policies.entry(met.persona).or_default();
        for setting in met.settings {
            if known.len() < MAX_SETTINGS && !known.iter().any(|other| other.name == setting.name) {
                known.push(setting);
            }
        }
    }

    fn broken(&mut self, cell: CellId, finding: Finding) -> Result<(), ReadError> {
        if !self.broken.contains_key(&cell) {
            self.count(1)?;
        }
        let findings = self.broken.entry(cell).or_default();
        if findings.len() < MAX_BROKEN {
            findings.push(finding);
        }
        Ok(())
    }

    /// The latest plan of a persona holds: a resumed run plans anew.
    fn plan(&mut self, cells: Vec<CellId>) -> Result<(), ReadError> {
        self.count(cells.len())?;
        let mut latest: BTreeMap<String, Vec<CellId>> = BTreeMap::new();
        let mut twice = BTreeSet::new();
        for cell in cells {
            if twice.insert(cell.to_string()) {
                latest.entry(cell.persona.clone()).or_default().push(cell);
            }
        }
        self.planned.extend(latest);
        Ok(())
    }

    fn keep(&mut self, cell: CellId, number: ExchangeNumber, card: ExchangeCard) {
        self.limits.extend(card.limit.filter(|_| self.limits.len() < MAX_LIMITS));
        if self.exchanges.len() >= MAX_EXCHANGES {
            self.more_exchanges += 1;
            return;
        }
        let cell = Arc::clone(self.cells.entry(cell).or_insert_with_key(|cell| Arc::new(cell.clone())));
        let command = self.commands.get(card.command.as_str()).cloned().unwrap_or_else(|| card.command.into());
        self.commands.insert(Arc::clone(&command));
        let ExchangeCard { http, status, took_us, challenges, .. } = card;
        self.exchanges.push(Exchanged { number, cell, command, http, status, took_us, challenges });
    }

    fn count(&mut self, more: usize) -> Result<(), ReadError> {
        self.known = self.known.saturating_add(more);
        if self.known > MAX_CELLS { Err(ReadError::TooManyCells(MAX_CELLS)) } else { Ok(()) }
    }
}

fn never_run(id: CellId) -> Cell {
    Cell {
        id,
        verdict: Verdict::Inconclusive,
        reason: "not run: the run was cut short before it".to_owned(),
        blocked_by: None,
        device_error: None,
        findings: Vec::new(),
        notes: Vec::new(),
        exchanges: Vec::new(),
    }
}

fn sort(cells: &mut [Cell], started: &RunStarted) {
    let personas: HashMap<_, _> = started.persona_ids().enumerate().map(|(n, id)| (id, n)).collect();
    let scenarios: HashMap<_, _> = started.scenarios.iter().enumerate().map(|(n, (id, _))| (id.as_str(), n)).collect();
    let place = |map: &HashMap<&str, usize>, id: &str| map.get(id).copied().unwrap_or(usize::MAX);
    cells.sort_by_cached_key(|cell| {
        let id = &cell.id;
        (
            place(&personas, &id.persona),
            id.persona.clone(),
            place(&scenarios, &id.scenario),
            id.scenario.clone(),
            id.version,
        )
    });
}

fn cause(cell: &Cell) -> &CellId {
    cell.blocked_by.as_ref().unwrap_or(&cell.id)
}

#[cfg(test)]
pub(crate) mod tests;
