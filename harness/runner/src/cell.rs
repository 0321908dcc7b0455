use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use easrig_exchange::{Exchange, ExchangeNumber, Secret};
use easrig_persona::{Confidence, End, Ending, Habit, Phone, Server, Setup, Task};
use easrig_scenario::{
    Cell, CellOutcome, Decoded, DeviceError, Evidence, Finding, Judgement, Level, OwnerView, Role, Step, StepKind,
    UnknownVariable, Variables, judge,
    model::{Arrangement, Attachment, Body, Effects, LoginKind, Need, Send, Start},
};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::{
    Account,
    clock::now,
    control::Change,
    deed::{DeedError, Fill, file, wrong_login},
    heed::{Login, Passwords},
    journal::CellJournal,
    lease::Pair,
    owner::{Seen, word},
    plan::Planned,
    rack::{Errand, Rack, Report},
    reach::{on_the_wire, out_of_reach},
    run::{RunError, Shared, Target},
};

/// The longest a cell may take; a target that keeps it busy for longer is not judged.
const CELL_LIMIT: Duration = Duration::from_secs(15 * 60);
/// The longest the end of a cell may take: cleanup steps and the removal of what the scenario made.
const TIDY_LIMIT: Duration = Duration::from_secs(60);
/// The pauses between two tries of a step that polls: the first, and the longest.
const POLL_PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(1500));

/// Runs one cell and says what it came to.
pub(crate) async fn run(shared: &Shared, planned: &Planned, pair: &Pair) -> Result<Cell, RunError> {
    let journal = CellJournal::new(&shared.journal, planned.id.clone());
    let mut stage = Stage::new(shared, planned, pair, &journal);
    let stopped = match tokio::time::timeout(CELL_LIMIT, stage.play()).await {
        Ok(played) => played?.err(),
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
}

/// What the cell has come to so far.
#[derive(Default)]
struct Tally {
    findings: Vec<Finding>,
    notes: Vec<String>,
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
            seed: self.shared.orders.seed ^ hash(&self.tag),
            bearer: None,
        });
        self.rack.add(role, phone);
    }

    /// Whether the phones know an address and no URL.
    fn discovers(&self) -> bool {
        match self.shared.orders.target {
            Target::Address(_) => true,
            Target::Url(_) => self.shared.orders.discoverable && self.planned.scenario.needs(Need::Address),
        }
    }

    fn account(&self, role: Role) -> &'s Account {
        match (role, &self.pair.partner) {
            (Role::Partner, Some(partner)) => partner,
            _ => &self.pair.owner,
        }
    }

    /// Climbs the ladder and goes through the steps.
    async fn play(&mut self) -> Result<Result<(), Stop>, RunError> {
        for role in self.planned.scenario.roles() {
            if let Err(stop) = self.climb(role).await? {
                return Ok(Err(stop));
            }
        }
        self.climbed = true;
        for (index, step) in self.planned.scenario.steps.iter().enumerate() {
            self.journal.step(index + 1, &step.title)?;
            if let Err(stop) = self.step(step).await? {
                return Ok(Err(stop));
            }
        }
        Ok(Ok(()))
    }

    /// Brings one phone as far as the scenario starts.
    async fn climb(&mut self, role: Role) -> Result<Result<(), Stop>, RunError> {
        let start = self.planned.scenario.start;
        let mut rungs = Vec::new();
        if start >= Start::Options {
            if self.discovers() {
                rungs.push(("finding its server", Habit::Discover));
            }
            rungs.push(("asking for versions", Habit::Options));
        }
        // A phone provisions when its habits or the server say so; whether it was let in shows when it asks for folders.
        if start >= Start::Provisioned {
            rungs.push(("setting up", Habit::FolderSync));
        }
        if start >= Start::Synced {
            rungs.push(("reading the inbox", Habit::FirstSync { folders: vec!["inbox".into()] }));
        }
        for (what, habit) in rungs {
            self.journal.step(0, &format!("the {role}: {what}"))?;
            let report = self.rack.run(role, Task::Habit(habit)).await?;
            self.watch(&report.exchanges)?;
            let unclear = self.unclear(&report);
            let Ending { end, rests } = report.ending;
            self.tally.assumed.extend(rests.assumed);
            if let Some(why) = unclear.filter(|_| end != End::Finished) {
                return Ok(Err(Stop::Unclear(format!("the {role} did not get through {what}: {why}"))));
            }
            match end {
                End::Finished => {}
                End::OwnerSees(error) => {
                    let error = device_error(&error);
                    return Ok(Err(match role {
                        Role::Partner => {
                            Stop::Unclear(format!("the partner's phone cannot be set up: {}", said(&error)))
                        }
                        _ => {
                            self.tally.rest_on(rests.lowest);
                            self.tally.notes.extend(on_the_wire(&report.exchanges));
                            Stop::Blocked(error)
                        }
                    }));
                }
                End::GaveUp(why) | End::CannotDo(why) => {
                    return Ok(Err(Stop::Unclear(format!("the {role} did not get through {what}: {why}"))));
                }
            }
        }
        self.learn(role);
        Ok(Ok(()))
    }

    /// Makes what the phone knows known to the steps: folders, keys, the policy key.
    fn learn(&mut self, role: Role) {
        let Some(phone) = self.rack.phone(role) else { return };
        let key = phone.policy_key().map_or_else(|| "0".to_owned(), |key| key.to_string());
        self.vars.set(role, "policy_key", key);
        self.vars.set(role, "folder_key", phone.folder_key().as_str());
        for folder in phone.folders() {
            let Some(name) = word(folder.kind) else { continue };
            self.vars.set(role, name, folder.id.as_str());
            if let Some(key) = phone.sync_key(&folder.id) {
                self.vars.set(role, format!("{name}_key"), key.as_str());
            }
        }
    }

    async fn step(&mut self, step: &Step) -> Result<Result<(), Stop>, RunError> {
        if let Some(pause) = step.pause {
            self.rack.pause(pause).await?;
        }
        self.vars.set_now(now());
        self.vars.set_common("unique", self.shared.unique());
        if let Some(template) = step.subject() {
            match self.vars.substitute(step.role, template) {
                Ok(subject) => self.vars.set_common("subject", subject),
                Err(unknown) => return Ok(Err(missing(&unknown))),
            }
        }
        if let Some(attachment) = attachment(step) {
            let hash = Sha256::digest(&file(attachment).content);
            self.vars.set_common("attachment", hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        }
        match &step.kind {
            StepKind::Arrange(arrangement) => self.arrange(step, arrangement).await,
            StepKind::Await(name) => {
                let Some((errand, role)) = self.background.remove(name) else {
                    return Ok(Err(Stop::Unclear(format!("nothing runs in the background as `{name}`"))));
                };
                let report = self.rack.wait_for(errand).await?;
                self.judged(step, role, report).await
            }
            StepKind::Send(_) | StepKind::Do(_) => self.act(step).await,
        }
    }

    /// A step that sends; again and again until it holds, when it polls.
    async fn act(&mut self, step: &Step) -> Result<Result<(), Stop>, RunError> {
        let deadline = step.poll.map(|time| Instant::now() + time);
        let mut pause = POLL_PAUSES.0;
        loop {
            let task = match self.task(step) {
                Ok(task) => task,
                Err(stop) => return Ok(Err(stop)),
            };
            if let Some(name) = &step.background {
                let errand = self.rack.begin(step.role, task)?;
                self.background.insert(name.clone(), (errand, step.role));
                // The others go on when its request is on the wire, not before.
                self.rack.pause(Duration::from_millis(200)).await?;
                return Ok(Ok(()));
            }
            let report = self.rack.run(step.role, task).await?;
            let (judgement, stop) = self.judge(step, step.role, &report)?;
            // A password that was refused is not sent again, however long the step may poll.
            let over = stop.is_none() && judgement.findings.is_empty() || self.login == Login::Refused;
            if over || deadline.is_none_or(|deadline| Instant::now() + pause > deadline) {
                return Ok(self.settle(step, judgement, stop));
            }
            self.rack.pause(pause).await?;
            pause = (pause * 2).min(POLL_PAUSES.1);
            self.vars.set_now(now());
            self.vars.set_common("unique", self.shared.unique());
        }
    }

    fn task(&self, step: &Step) -> Result<Task, Stop> {
        let fill = Fill { vars: &self.vars, role: step.role };
        match &step.kind {
            StepKind::Send(send) => {
                let user = &self.account(step.role).user;
                let lockout = |kind| {
                    kind == LoginKind::WrongPassword && self.shared.orders.allowed.lockout && self.shared.lockout_left()
                };
                let wrong = |kind| wrong_login(kind, user, &self.tag, lockout(kind));
                fill.explicit(send, wrong).map_err(|error| match error {
                    DeedError::Variable(unknown) => missing(&unknown),
                    DeedError::Xml(error) => Stop::Unclear(format!("step `{}`: {error}", step.title)),
                })
            }
            StepKind::Do(habit) => fill.habit(habit.name, &habit.params).map_err(|unknown| missing(&unknown)),
            StepKind::Arrange(_) | StepKind::Await(_) => unreachable!("only steps that send become tasks"),
        }
    }

    async fn judged(&mut self, step: &Step, role: Role, report: Report) -> Result<Result<(), Stop>, RunError> {
        let (judgement, stop) = self.judge(step, role, &report)?;
        Ok(self.settle(step, judgement, stop))
    }

    /// Holds what came of a step against what the file expects.
    fn judge(&mut self, step: &Step, role: Role, report: &Report) -> Result<(Judgement, Option<Stop>), RunError> {
        self.watch(&report.exchanges)?;
        let Ending { end, rests } = &report.ending;
        self.tally.assumed.extend(rests.assumed.iter().cloned());
        let last = report.exchanges.last();
        let decoded = last.map(Decoded::of);
        let error = match end {
            End::OwnerSees(error) => Some(device_error(error)),
            End::Finished | End::GaveUp(_) | End::CannotDo(_) => None,
        };
        let seen = self.rack.phone(role).map(Seen::of);
        let evidence = Evidence {
            exchange: last.zip(decoded.as_ref()),
            owner: seen.as_ref().map(|seen| seen as &dyn OwnerView),
            device_error: error.as_ref(),
        };
        let mut judgement = judge(&self.planned.scenario, step, &evidence, &mut self.vars);
        let unclear = judgement.inconclusive.take().or_else(|| judgement.skipped.take());
        let unheard = self.unclear(report).filter(|_| *end != End::Finished || !judgement.findings.is_empty());
        let stop = match end {
            _ if unheard.is_some() => {
                judgement = Judgement::default();
                unheard.map(Stop::Unclear)
            }
            End::OwnerSees(_) if judgement.expected_error => {
                self.tally.expected_error = error;
                None
            }
            End::OwnerSees(_) => {
                judgement.findings.clear();
                judgement.notes.extend(on_the_wire(&report.exchanges));
                error.map(Stop::Blocked)
            }
            End::CannotDo(why) => Some(Stop::Unclear(format!("this device cannot do it: {why}"))),
            End::GaveUp(why) => {
                if judgement.findings.is_empty() {
                    judgement.findings.push(self.gave_up(step, why, report));
                }
                None
            }
            End::Finished => unclear.map(Stop::Unclear),
        };
        if let Some(last) = last {
            self.shared.journal.mask(&mut judgement.findings, last);
        }
        let wrong = stop.is_some() || !judgement.findings.is_empty();
        // An explicit request is the file's own; only what the device does of itself rests on the persona's values.
        if wrong && matches!(step.kind, StepKind::Do(_) | StepKind::Await(_)) {
            self.tally.rest_on(rests.lowest);
        }
        Ok((judgement, stop))
    }

    fn gave_up(&self, step: &Step, why: &str, report: &Report) -> Finding {
        Finding {
            requirement: self.planned.scenario.requirements.first().cloned().unwrap_or_default(),
            level: step.level,
            expected: step.title.clone(),
            actual: why.to_owned(),
            exchange: report.exchanges.last().map(|exchange| exchange.number),
        }
    }

    /// Takes a judgement into the tally; a step that does not hold ends the cell, since later steps stand on it.
    fn settle(&mut self, step: &Step, judgement: Judgement, stop: Option<Stop>) -> Result<(), Stop> {
        let broken = judgement.findings.iter().any(|finding| finding.level == Level::Must);
        if step.setup && (broken || stop.is_some()) {
            let why = match stop {
                Some(Stop::Unclear(why)) => why,
                Some(Stop::Blocked(error)) => said(&error),
                Some(Stop::Found) | None => judgement.findings.first().map(|f| f.actual.clone()).unwrap_or_default(),
            };
            return Err(Stop::Unclear(format!("the preparation `{}` did not succeed: {why}", step.title)));
        }
        self.tally.notes.extend(judgement.notes);
        self.tally.findings.extend(judgement.findings);
        match stop {
            Some(stop) => Err(stop),
            None if broken => Err(Stop::Found),
            None => Ok(()),
        }
    }

    async fn arrange(&mut self, step: &Step, arrangement: &Arrangement) -> Result<Result<(), Stop>, RunError> {
        let Some(control) = self.shared.orders.control.clone() else {
            return Ok(Err(Stop::Unclear("this server cannot be told to change".into())));
        };
        let account = self.account(step.role);
        let change = match self.change(step, arrangement) {
            Ok(Some(change)) => change,
            Ok(None) => return Ok(Ok(())),
            Err(unknown) => return Ok(Err(missing(&unknown))),
        };
        let id = self.planned.persona.device_id(step.role.name(), &account.user);
        Ok(control.change(&account.user, &id, change).await.map_err(Stop::Unclear))
    }

    /// The change an arrangement asks for; none when only the phone has something to learn.
    fn change(&mut self, step: &Step, arrangement: &Arrangement) -> Result<Option<Change>, UnknownVariable> {
        let fill = Fill { vars: &self.vars, role: step.role };
        Ok(Some(match arrangement {
            Arrangement::Policy { set } => {
                Change::Policy(set.iter().map(|(n, v)| Ok((n.clone(), fill.text(v)?))).collect::<Result<_, _>>()?)
            }
            Arrangement::Strict { on } => Change::Strict(*on),
            Arrangement::Throttle { status, retry_after, times } => {
                Change::Throttle { status: *status, retry_after: *retry_after, times: *times }
            }
            Arrangement::Moved => Change::Moved,
            Arrangement::Block => Change::Block,
            Arrangement::Quarantine => Change::Quarantine,
            Arrangement::ExpirePolicyKey => Change::ExpirePolicyKey,
            Arrangement::Deliver(mail) => Change::Deliver { mime: fill.outside_mail(mail)? },
            Arrangement::Password { told } => {
                let secret = self
                    .new_secret
                    .get_or_insert_with(|| Secret::new(format!("changed-{:016x}", fastrand::u64(..))))
                    .clone();
                if *told {
                    if let Some(phone) = self.rack.phone_mut(step.role) {
                        phone.change_secret(secret);
                    }
                    return Ok(None);
                }
                Change::Password(secret)
            }
        }))
    }

    /// Keeps an eye on the target and on the accounts after every errand.
    fn watch(&mut self, exchanges: &[Exchange]) -> Result<(), RunError> {
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

    /// Cleanup steps, then everything that carries the tag; failures are noted and change nothing.
    async fn clean_up(&mut self, went_through: bool) -> Result<(), RunError> {
        for (_, (errand, _)) in std::mem::take(&mut self.background) {
            self.rack.abandon(errand)?;
        }
        let scenario = &self.planned.scenario;
        if self.login == Login::Taken && (self.climbed || went_through) {
            for step in &scenario.cleanup {
                if let Ok(task) = self.task(step) {
                    self.journal.step(scenario.steps.len() + 1, &step.title)?;
                    let report = self.rack.run(step.role, task).await?;
                    self.watch(&report.exchanges)?;
                }
            }
            if scenario.effects > Effects::Reads && !self.shared.orders.leave {
                for role in self.journal.roles() {
                    self.tidy(role).await?;
                }
            }
        }
        if scenario.needs(Need::Control)
            && let Some(control) = &self.shared.orders.control
        {
            for account in [Some(&self.pair.owner), self.pair.partner.as_ref()].into_iter().flatten() {
                if let Err(why) = control.undo(&account.user).await {
                    self.tally.notes.push(format!("the server could not be changed back: {why}"));
                }
            }
        }
        Ok(())
    }

    async fn tidy(&mut self, role: Role) -> Result<(), RunError> {
        if role == Role::Tablet {
            return Ok(());
        }
        self.journal
            .step(self.planned.scenario.steps.len() + 1, &format!("the {role} removes what the scenario made"))?;
        let report = self.rack.run(role, Task::Habit(Habit::Tidy { tag: self.tag.clone() })).await?;
        self.watch(&report.exchanges)?;
        if let End::GaveUp(why) | End::CannotDo(why) = report.ending.end {
            self.tally.notes.push(format!("what the scenario made may be left behind: {why}"));
        }
        Ok(())
    }

    fn conclude(self, stopped: Option<Stop>, exchanges: Vec<ExchangeNumber>) -> Cell {
        let Tally { findings, mut notes, expected_error, assumed, confidence } = self.tally;
        let mut outcome = CellOutcome {
            findings,
            error_expected: expected_error.is_some(),
            device_error: expected_error,
            sent: !exchanges.is_empty(),
            confidence,
            strict: self.shared.orders.strict,
            ..CellOutcome::default()
        };
        let mut blocked_by = None;
        match stopped {
            None | Some(Stop::Found) => {}
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

/// The file that a step sends; its hash is the variable `{attachment}` from then on.
fn attachment(step: &Step) -> Option<&Attachment> {
    match &step.kind {
        StepKind::Send(Send { body: Body::Mail(mail), .. }) => mail.attachment.as_ref(),
        StepKind::Do(habit) => habit.params.attachment.as_ref(),
        StepKind::Arrange(Arrangement::Deliver(mail)) => mail.attachment.as_ref(),
        _ => None,
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

fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The scenario room's words for what the persona room found.
pub(crate) fn device_error(error: &easrig_persona::DeviceError) -> DeviceError {
    DeviceError {
        code: error.code.clone(),
        message: error.message.clone(),
        remedy: error.remedy.clone(),
        confidence: confidence(error.confidence),
    }
}

pub(crate) fn confidence(confidence: Confidence) -> easrig_scenario::Confidence {
    match confidence {
        Confidence::Unverified => easrig_scenario::Confidence::Unverified,
        Confidence::Low => easrig_scenario::Confidence::Low,
        Confidence::Med => easrig_scenario::Confidence::Med,
        Confidence::High => easrig_scenario::Confidence::High,
    }
}
