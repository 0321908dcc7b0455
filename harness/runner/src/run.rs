use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use easrig_eas::Version;
use easrig_exchange::{Content, Exchange, Redactor, Secret};
use easrig_persona::Persona;
use easrig_scenario::{
    Cell, CellId, DeviceError, Role, Scenario, Verdict,
    event::{self, Event, PersonaCard, RunStarted, ScenarioCard},
};
use easrig_transport::Client;
use thiserror::Error;
use tokio::{sync::Semaphore, task::JoinSet};
use url::Url;

use crate::{
    Account, cell,
    clock::now,
    control::Control,
    folder::{FolderError, RunFolder, Unfinished},
    heed::Partnerships,
    journal::{Journal, Observer},
    lease::{Leases, Pair},
    plan::{self, Allowed, Means, Planned, Versions},
    survey, trust,
    watch::{Presence, Watch},
};

/// Where the server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Here.
    Url(Url),
    /// Where Autodiscover says for this address.
    Address(String),
}

/// What a run is to do.
#[derive(Clone)]
pub struct Orders {
    /// The target.
    pub target: Target,
    /// Whether Autodiscover leads from the accounts' addresses to a target given by URL: then scenarios about discovery run
    /// too.
    pub discoverable: bool,
    /// The target as the user wrote it.
    pub target_name: String,
    /// The mailboxes, owner and partner in turn; at least one.
    pub accounts: Vec<Account>,
    /// The devices, in the order of the report.
    pub personas: Vec<Arc<Persona>>,
    /// The scenarios, in the order of the report.
    pub scenarios: Vec<Arc<Scenario>>,
    /// The protocol versions.
    pub versions: Versions,
    /// What may be done to the target.
    pub allowed: Allowed,
    /// Whether scenarios that wait out a long heartbeat run too.
    pub heartbeats: bool,
    /// How many account pairs are busy at once; at least one.
    pub jobs: usize,
    /// How often each cell runs; at least once.
    pub repeat: u32,
    /// Whether a broken `should` fails a cell.
    pub strict: bool,
    /// The seed of everything that differs from run to run.
    pub seed: u64,
    /// Whether contents are written down.
    pub keep_content: bool,
    /// Whether what the scenarios made stays in the mailboxes (`--leave`), for a second look by other means.
    pub leave: bool,
    /// Trust and names.
    pub client: Client,
    /// What was allowed and how trust was widened, in words, for the run file.
    pub trust: Vec<String>,
    /// A server that can be told to change.
    pub control: Option<Arc<dyn Control>>,
    /// Whether the target is the reference server.
    pub reference: bool,
    /// How long an outage of a target that has answered before is waited out.
    pub outage: Duration,
}

impl Orders {
    /// The first line of the run file.
    pub fn started(&self) -> RunStarted {
        let scenario = |s: &Arc<Scenario>| (s.id.clone(), s.hash().to_owned());
        RunStarted {
            format: event::FORMAT,
            easrig: env!("CARGO_PKG_VERSION").to_owned(),
            at: now(),
            target: self.target_name.clone(),
            allowed: self.trust.clone(),
            seed: self.seed,
            repeat: self.repeat,
            scenarios: self.scenarios.iter().map(scenario).collect(),
            personas: self.personas.iter().map(|p| p.id().to_owned()).collect(),
            keep_content: self.keep_content,
        }
    }

    /// The second line: what the ids of the first stand for.
    fn described(&self) -> Event {
        let persona = |persona: &Arc<Persona>| PersonaCard {
            id: persona.id().to_owned(),
            title: persona.title().to_owned(),
            family: persona.family().to_owned(),
        };
        Event::Described {
            scenarios: self.scenarios.iter().map(|scenario| ScenarioCard::from(&**scenario)).collect(),
            personas: self.personas.iter().map(persona).collect(),
        }
    }

    fn means(&self, partner: bool) -> Means {
        Means {
            partner,
            address: self.discoverable || matches!(self.target, Target::Address(_)),
            control: self.control.is_some(),
            reference: self.reference,
            heartbeat: self.heartbeats,
            allowed: self.allowed,
        }
    }
}

/// What a run will do, before anything is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline {
    /// How many device partnerships it will make on the server, at most.
    pub partnerships: usize,
    /// How many cells it will try, with one version per persona unless versions are named.
    pub cells: usize,
}

/// What a run will do; the server is not asked.
pub fn outline(orders: &Orders) -> Outline {
    let pairs = Leases::new(&orders.accounts);
    let mut partnerships = BTreeSet::new();
    let mut cells = 0;
    for (index, persona) in orders.personas.iter().enumerate() {
        let pair = pairs.look(index);
        let planned = planned(orders, persona, &pair, &survey::Found::default());
        for planned in planned.iter().filter(|planned| planned.skip.is_none()) {
            cells += 1;
            for role in planned.scenario.roles() {
                partnerships.insert((index, role == Role::Partner, role));
            }
        }
    }
    Outline { partnerships: partnerships.len(), cells }
}

/// Why a run cannot go on; everything recorded so far is kept.
#[derive(Debug, Error)]
pub enum RunError {
    /// The run folder cannot be written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// No account was given.
    #[error("a run needs at least one account (--account USER:SECRET)")]
    NoAccount,
}

/// What the lanes of a run share.
pub(crate) struct Shared {
    pub(crate) orders: Orders,
    pub(crate) journal: Journal,
    pub(crate) watch: Watch,
    leases: Leases,
    done: BTreeSet<CellId>,
    causes: Mutex<Causes>,
    stopped: Mutex<BTreeMap<String, String>>,
    partnerships: Mutex<Partnerships>,
    tokens: AtomicU64,
    lockout_spent: AtomicBool,
}

impl Shared {
    /// The mark in everything that a cell makes.
    pub(crate) fn tag(&self, cell: &CellId) -> String {
        let mut rng = fastrand::Rng::with_seed(self.orders.seed ^ seed(&cell.to_string()));
        let number = self.tokens.fetch_add(1, Ordering::Relaxed);
        format!("easrig-{:08x}", rng.u32(..) ^ (number as u32).rotate_left(16))
    }

    /// A text no other step has.
    pub(crate) fn unique(&self) -> String {
        let number = self.tokens.fetch_add(1, Ordering::Relaxed);
        format!("{:08x}{number:08x}", self.orders.seed as u32)
    }

    /// The cell of this persona and version that met the same error first, if it was another one.
    pub(crate) fn first_cause(&self, cell: &CellId, error: &DeviceError) -> Option<CellId> {
        let mut causes = self.causes.lock().unwrap_or_else(PoisonError::into_inner);
        let first = causes.entry(cause(cell, error)).or_insert_with(|| cell.clone());
        (first != cell).then(|| first.clone())
    }

    /// The devices that this run has registered so far.
    pub(crate) fn partnerships(&self) -> MutexGuard<'_, Partnerships> {
        self.partnerships.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No more attempts with an account whose password was refused: servers lock accounts that try too often.
    pub(crate) fn stop_account(&self, exchange: &Exchange, cell: &CellId) {
        let sent = exchange.request.headers.get("Authorization").unwrap_or_default().to_owned();
        let why = format!("its password was refused (HTTP 401) in {cell}, and another try could lock the account");
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).entry(sent).or_insert(why);
    }

    /// Whether the one wrong password that `--allow lockout` permits is still to be spent; asking spends it.
    pub(crate) fn lockout_left(&self) -> bool {
        !self.lockout_spent.swap(true, Ordering::Relaxed)
    }

    fn account_stopped(&self, pair: &Pair) -> Option<String> {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        [Some(&pair.owner), pair.partner.as_ref()].into_iter().flatten().find_map(|account| {
            let why = account.authorizations().find_map(|sent| stopped.get(&sent).cloned())?;
            Some(format!("the account `{}` is not used any more: {why}", account.user))
        })
    }
}

/// The cell that met an error first, by persona, version and what the owner sees.
type Causes = BTreeMap<(String, Option<Version>, String), CellId>;

fn cause(cell: &CellId, error: &DeviceError) -> (String, Option<Version>, String) {
    let what = if error.code.is_empty() { error.message.clone() } else { error.code.clone() };
    (cell.persona.clone(), cell.version, what)
}

/// The causes that an earlier part of the run has found.
fn causes(finished: &[Cell]) -> Causes {
    let first = finished.iter().filter(|cell| cell.verdict == Verdict::Blocked && cell.blocked_by.is_none());
    first.filter_map(|cell| Some((cause(&cell.id, cell.device_error.as_ref()?), cell.id.clone()))).collect()
}

/// Runs every cell and writes down what happens. Returns when all are done, or the folder cannot be written any more.
///
/// # Errors
/// When there is no account, or the run folder cannot be written. What the target does is never an error.
pub async fn run(
    orders: Orders,
    folder: Arc<RunFolder>,
    unfinished: Option<Unfinished>,
    observer: Arc<dyn Observer>,
) -> Result<(), RunError> {
    if orders.accounts.is_empty() {
        return Err(RunError::NoAccount);
    }
    let journal = Journal::new(folder, observer, redactor(&orders));
    let (mut done, mut known, mut tokens) = (BTreeSet::new(), BTreeMap::new(), 0);
    match &unfinished {
        Some(unfinished) => {
            journal.record(&Event::Resumed { at: now() })?;
            journal.remember(&unfinished.events);
            done = unfinished.done();
            known = causes(&unfinished.finished);
            // The seed is that of the first part, which took fewer tokens than this: none of them comes again.
            tokens = unfinished.last_exchange().0.saturating_add(1) << 8;
        }
        None => {
            journal.record(&Event::RunStarted(orders.started()))?;
            journal.record(&orders.described())?;
        }
    }
    let shared = Arc::new(Shared {
        watch: Watch::new(orders.outage),
        leases: Leases::new(&orders.accounts),
        journal,
        done,
        causes: Mutex::new(known),
        stopped: Mutex::default(),
        partnerships: Mutex::default(),
        tokens: AtomicU64::new(tokens),
        lockout_spent: AtomicBool::new(false),
        orders,
    });
    let jobs = Arc::new(Semaphore::new(shared.orders.jobs.max(1)));
    let mut lanes = JoinSet::new();
    for lane in 0..shared.leases.len() {
        let (shared, jobs) = (Arc::clone(&shared), Arc::clone(&jobs));
        lanes.spawn(async move {
            let _permit = jobs.acquire_owned().await.expect("the semaphore is never closed");
            run_lane(&shared, lane).await
        });
    }
    while let Some(ended) = lanes.join_next().await {
        match ended {
            Ok(result) => result?,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    for cell in shared.journal.invariant_cells(shared.orders.strict) {
        shared.journal.record(&Event::CellFinished(cell))?;
    }
    shared.journal.record(&Event::RunFinished { at: now() })
}

/// The rules of the tap, with a salt that is never written.
fn redactor(orders: &Orders) -> Redactor {
    let content = if orders.keep_content { Content::Kept } else { Content::Masked };
    let mut salt = [0; 32];
    getrandom::fill(&mut salt).expect("the operating system gives random bytes");
    orders.accounts.iter().fold(Redactor::new(salt, content), |redactor, account| {
        let address = account.address.as_deref().unwrap_or_default();
        let tokens = account.authorizations().filter_map(|sent| Some(Secret::new(sent.split_once(' ')?.1)));
        let redactor = tokens.fold(redactor, Redactor::forget);
        redactor.keep_name(&account.user).keep_name(address).forget(account.secret.clone())
    })
}

/// The personas that use one account pair, one after the other.
async fn run_lane(shared: &Shared, lane: usize) -> Result<(), RunError> {
    let personas = shared.orders.personas.iter().skip(lane).step_by(shared.leases.len());
    for persona in personas {
        let mut pair = shared.leases.take(lane).await;
        let there = shared.watch.ready(&shared.orders.client, &shared.journal).await? == Presence::There;
        let found = match there && shared.account_stopped(&pair).is_none() {
            true => survey::run(shared, persona, &mut pair).await?,
            false => survey::Found::default(),
        };
        let cells = planned(&shared.orders, persona, &pair, &found);
        shared.journal.record(&Event::Planned { cells: cells.iter().map(|c| c.id.clone()).collect() })?;
        // A root that was added (`--ca`) is on every phone of the run.
        if let Some(tls) = found.tls.as_ref().filter(|_| !shared.orders.client.has_own_roots()) {
            let id = CellId { scenario: String::new(), persona: persona.id().to_owned(), version: found.version };
            if let Some(cell) = trust::cell(persona, tls, id).filter(|cell| !shared.done.contains(&cell.id)) {
                shared.journal.record(&Event::CellFinished(cell))?;
            }
        }
        let mut tried = 0;
        for planned in &cells {
            if shared.done.contains(&planned.id) {
                continue;
            }
            shared.journal.record(&Event::CellStarted { cell: planned.id.clone(), at: now() })?;
            // A target that nobody has reached gets a second look, but not one for every cell: each may take minutes.
            let unreached = found.unreached.as_ref().filter(|_| tried > 0 && !shared.watch.has_answered());
            let cell = match unreached {
                Some(why) if planned.skip.is_none() => {
                    let reason = format!("the target was never reached: {why}");
                    Cell { exchanges: found.exchanges.clone(), ..untried(planned, Verdict::Inconclusive, reason) }
                }
                _ => run_cell(shared, planned, &pair).await?,
            };
            tried += usize::from(planned.skip.is_none());
            shared.journal.record(&Event::CellFinished(cell))?;
        }
    }
    Ok(())
}

async fn run_cell(shared: &Shared, planned: &Planned, pair: &Pair) -> Result<Cell, RunError> {
    if let Some(reason) = &planned.skip {
        return Ok(untried(planned, Verdict::Skipped, reason.clone()));
    }
    if let Presence::Gone(cause) = shared.watch.ready(&shared.orders.client, &shared.journal).await? {
        let reason = format!("the target does not answer any more: {cause}");
        return Ok(untried(planned, Verdict::Inconclusive, reason));
    }
    if let Some(why) = shared.account_stopped(pair) {
        return Ok(untried(planned, Verdict::Inconclusive, why));
    }
    let mut worst = cell::run(shared, planned, pair).await?;
    let mut seen = vec![worst.verdict];
    for _ in 1..shared.orders.repeat {
        let back = shared.watch.ready(&shared.orders.client, &shared.journal).await?;
        if back != Presence::There || shared.account_stopped(pair).is_some() {
            break;
        }
        let again = cell::run(shared, planned, pair).await?;
        seen.push(again.verdict);
        let exchanges = [worst.exchanges.clone(), again.exchanges.clone()].concat();
        if again.verdict > worst.verdict {
            worst = again;
        }
        worst.exchanges = exchanges;
    }
    if seen.iter().any(|verdict| *verdict != seen[0]) {
        let count = |verdict: Verdict| seen.iter().filter(|v| **v == verdict).count();
        let said: Vec<_> =
            seen.iter().collect::<BTreeSet<_>>().into_iter().map(|v| format!("{} {v}", count(*v))).collect();
        worst.notes.push(format!("flaky: {} of {} tries", said.join(", "), seen.len()));
    }
    Ok(worst)
}

/// A cell for which nothing was sent.
fn untried(planned: &Planned, verdict: Verdict, reason: String) -> Cell {
    Cell {
        id: planned.id.clone(),
        verdict,
        reason,
        blocked_by: None,
        device_error: None,
        findings: Vec::new(),
        notes: Vec::new(),
        exchanges: Vec::new(),
    }
}

fn planned(orders: &Orders, persona: &Arc<Persona>, pair: &Pair, found: &survey::Found) -> Vec<Planned> {
    let means = orders.means(pair.partner.is_some());
    plan::cells(&orders.scenarios, persona, found, &orders.versions, means)
}

fn seed(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
