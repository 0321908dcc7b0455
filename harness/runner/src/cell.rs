mod arrange;
mod end;
mod ladder;
mod step;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use easrig_exchange::{Exchange, ExchangeNumber, Secret};
use easrig_persona::{Confidence, End, Phone, Server, Setup};
use easrig_scenario::{Cell, CellOutcome, DeviceError, Finding, Role, UnknownVariable, Variables, model::Need};

use crate::{
    Account,
    clock::now,
    folder::FolderError,
    heed::{Login, Passwords},
    journal::CellJournal,
    lease::Pair,
    orders::Target,
    owner::{confidence, device_error},
    plan::Planned,
    rack::{Errand, Rack, Report},
    reach::out_of_reach,
    seed,
    shared::Shared,
};

/// Runs one cell and says what it came to.
pub(crate) async fn run(shared: &Shared, planned: &Planned, pair: &Pair) -> Result<Cell, FolderError> {
    let journal = CellJournal::new(&shared.journal, planned.id.clone());
    let mut stage = Stage::new(shared, planned, pair, &journal);
    let stopped = match tokio::time::timeout(CELL_LIMIT, stage.play()).await {
        Ok(Ok(())) => None,
        Ok(Err(Stop::Unwritten(error))) => return Err(error),
        Ok(Err(stop)) => Some(stop),
        Err(_) => Some(Stop::Unclear(format!("the scenario was not done after {} s", CELL_LIMIT.as_secs()))),
    };
    let exchanges = journal.numbers();
    if let Ok(cleaned) = tokio::time::timeout(TIDY_LIMIT, stage.clean_up(stopped.is_none())).await {
        cleaned?;
    } else {
        stage.tally.notes.push(format!("cleaning up was not done after {} s", TIDY_LIMIT.as_secs()));
    }
    stage.rack.hang_up()?;
    Ok(stage.conclude(stopped, exchanges))
}

/// Why a cell ends before its last step.
enum Stop {
    /// The owner sees an error nobody expected.
    Blocked(DeviceError),
    /// easrig cannot tell.
    Unclear(String),
    /// A step found something wrong, and the steps after it stand on it.
    Found,
    /// What was seen cannot be written down; the run ends with it.
    Unwritten(FolderError),
}

impl From<FolderError> for Stop {
    fn from(error: FolderError) -> Self {
        Self::Unwritten(error)
    }
}

/// What the cell has come to so far.
#[derive(Default)]
struct Tally {
    findings: Vec<Finding>,
    notes: Vec<String>,
    losses: Vec<String>,
    expected_error: Option<DeviceError>,
    assumed: BTreeSet<String>,
    confidence: Option<easrig_scenario::Confidence>,
}

impl Tally {
    /// What is wrong rests on a value of this confidence, among others.
    fn rest_on(&mut self, lowest: Confidence) {
        let lowest = confidence(lowest);
        self.confidence = Some(self.confidence.map_or(lowest, |so_far| so_far.min(lowest)));
    }
}

struct Stage<'s> {
    shared: &'s Shared,
    planned: &'s Planned,
    pair: &'s Pair,
    journal: &'s CellJournal<'s>,
    rack: Rack<'s>,
    vars: Variables,
    tag: String,
    background: BTreeMap<String, (Errand, Role)>,
    new_secret: Option<Secret>,
    climbed: bool,
    login: Login,
    tally: Tally,
}

impl<'s> Stage<'s> {
    fn new(shared: &'s Shared, planned: &'s Planned, pair: &'s Pair, journal: &'s CellJournal<'s>) -> Self {
        let tag = shared.tag(&planned.id);
        let mut vars = Variables::new(tag.clone(), now());
        let address = |account: &Account| account.address.clone();
        vars.set_common("user", pair.owner.user.clone());
        if let Some(address) = address(&pair.owner) {
            vars.set_common("address", address);
        }
        if let Some(partner) = &pair.partner {
            vars.set_common("partner_user", partner.user.clone());
            if let Some(address) = address(partner) {
                vars.set_common("partner_address", address);
            }
        }
        let mut stage = Self {
            shared,
            planned,
            pair,
            journal,
            rack: Rack::new(&shared.orders.client, &planned.persona, journal),
            vars,
            tag,
            background: BTreeMap::new(),
            new_secret: None,
            climbed: false,
            login: Login::Taken,
            tally: Tally::default(),
        };
        for role in planned.scenario.roles() {
            stage.cast(role);
        }
        stage
    }

    /// Puts the phone of a role on the rack.
    fn cast(&mut self, role: Role) {
        let account = self.account(role).clone();
        let persona = &self.planned.persona;
        let id = persona.device_id(role.name(), &account.user);
        self.vars.set(role, "device_id", id.as_str());
        let server = match &self.shared.orders.target {
            Target::Url(url) if !self.discovers() => Server::Url(url.clone()),
            Target::Url(_) => Server::Discover { address: account.address.clone().unwrap_or_default() },
            Target::Address(given) => {
                Server::Discover { address: account.address.clone().unwrap_or_else(|| given.clone()) }
            }
        };
        let phone = Phone::new(Setup {
            persona: persona.clone(),
            role: role.name().to_owned(),
            device_id: id,
            user: account.user,
            address: account.address,
            secret: account.secret,
            server,
            version: self.planned.forced,
            seed: self.shared.orders.seed ^ seed::of(&self.tag),
            bearer: account.token,
        });
        self.rack.add(role, phone);
    }

    /// Whether the phones know an address and no URL.
    fn discovers(&self) -> bool {
        match self.shared.orders.target {
            Target::Address(_) => true,
            Target::Url(_) => {
                self.shared.orders.server.control().is_some() && self.planned.scenario.needs(Need::Address)
            }
        }
    }

    fn account(&self, role: Role) -> &'s Account {
        match (role, &self.pair.partner) {
            (Role::Partner, Some(partner)) => partner,
            _ => &self.pair.owner,
        }
    }

    /// Climbs the ladder and goes through the steps.
    async fn play(&mut self) -> Result<(), Stop> {
        for role in self.planned.scenario.roles() {
            self.climb(role).await?;
        }
        self.climbed = true;
        for (index, step) in self.planned.scenario.steps.iter().enumerate() {
            self.journal.step(index + 1, &step.title)?;
            self.step(step).await?;
        }
        Ok(())
    }

    /// Keeps an eye on the target and on the accounts after every errand.
    fn watch(&mut self, exchanges: &[Exchange]) -> Result<(), FolderError> {
        let passwords = if self.new_secret.is_some() { Passwords::Changed } else { Passwords::Good };
        if self.shared.heed(exchanges, self.pair, passwords, &self.planned.id)? == Login::Refused {
            self.login = Login::Refused;
        }
        Ok(())
    }

    /// Why what an errand came to is no news about the target, whatever the phone makes of it.
    fn unclear(&self, report: &Report) -> Option<String> {
        let why = match self.login {
            Login::Refused => Some("the server refuses the account's user or password (HTTP 401)".to_owned()),
            Login::Taken if self.pair.lacks_password(&report.exchanges).is_some() => {
                self.pair.lacks_password(&report.exchanges)
            }
            Login::Taken => {
                // Whether a request that has done its part was answered, and in time, is for the judge to say.
                let unheard = out_of_reach(&report.exchanges).filter(|_| report.ending.end != End::Finished);
                unheard.or_else(|| self.shared.own_limit(&report.exchanges, self.pair))
            }
        }?;
        Some(match &report.ending.end {
            End::OwnerSees(error) => format!("{why} (the owner sees: {})", said(&device_error(error))),
            End::Finished | End::GaveUp(_) | End::CannotDo(_) => why,
        })
    }

    fn conclude(self, stopped: Option<Stop>, exchanges: Vec<ExchangeNumber>) -> Cell {
        let Tally { findings, mut notes, losses, expected_error, assumed, confidence } = self.tally;
        let mut outcome = CellOutcome {
            findings,
            error_expected: expected_error.is_some(),
            device_error: expected_error,
            degraded: (!losses.is_empty()).then(|| losses.join("; ")),
            sent: !exchanges.is_empty(),
            confidence,
            strictness: self.shared.orders.strictness,
            ..CellOutcome::default()
        };
        let mut blocked_by = None;
        match stopped {
            None | Some(Stop::Found | Stop::Unwritten(_)) => {}
            Some(Stop::Unclear(why)) => outcome.inconclusive = Some(why),
            Some(Stop::Blocked(error)) => {
                blocked_by = self.shared.first_cause(&self.planned.id, &error);
                outcome.error_expected = false;
                outcome.device_error = Some(error);
            }
        }
        if !assumed.is_empty() {
            let keys: Vec<_> = assumed.into_iter().collect();
            notes.push(format!("ability unverified: {}", keys.join(", ")));
        }
        let conclusion = outcome.conclude();
        notes.extend(conclusion.notes);
        Cell {
            id: self.planned.id.clone(),
            verdict: conclusion.verdict,
            reason: conclusion.reason,
            blocked_by,
            device_error: outcome.device_error,
            findings: outcome.findings,
            notes,
            exchanges,
        }
    }
}

fn missing(unknown: &UnknownVariable) -> Stop {
    Stop::Unclear(unknown.to_string())
}

fn said(error: &DeviceError) -> String {
    match error.code.as_str() {
        "" => error.message.clone(),
        code => format!("{code}: {}", error.message),
    }
}

/// The longest a cell may take; a target that keeps it busy for longer is not judged.
const CELL_LIMIT: Duration = Duration::from_secs(15 * 60);
/// The longest the end of a cell may take: cleanup steps and the removal of what the scenario made.
const TIDY_LIMIT: Duration = Duration::from_secs(60);
