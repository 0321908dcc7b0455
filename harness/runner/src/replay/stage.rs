use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{Read, Seek};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use easrig_exchange::{Content as Kept, Exchange, ExchangeNumber, Origin, Outcome, Redactor, Request};
use easrig_scenario::{
    CellId, Decoded,
    difference::{Allowed, Rule},
    event::{Event, ExchangeCard},
};
use easrig_transport::{Attempt, Patience};
use futures_util::{
    StreamExt,
    future::{AbortHandle, Abortable, BoxFuture, Either, FutureExt, select},
    stream::FuturesUnordered,
};

use super::binding::{Because, Bindings, Unbound, Withheld};
use super::care::{Care, asks_with_filler, is_invitation, subjects};
use super::cast::Cast;
use super::compose::Composer;
use super::device::{Device, acknowledges_nothing, drop_policy_keys, is_refused_key, keep_wrong_keys, withhold};
use super::heartbeat::{Heartbeat, Memory, Shortest, Span};
use super::ledger::Ledger;
use super::rename::Person;
use super::{Came, Entry, Mode, Pace, Recording, ReplayError, ReplayObserver, ReplayOrders, Replayed, Row};
use crate::{RunFolder, account::redactor, clock::now};

/// How many requests may be under way at once.
const IN_FLIGHT: usize = 64;

/// The longest that an answer is waited for: longer than any heartbeat.
const LONGEST: Duration = Duration::from_secs(2 * 3600);

/// Everything that a replay knows while it goes on.
pub(super) struct Stage<R: Read + Seek> {
    pub(super) orders: ReplayOrders,
    pub(super) recording: Recording<R>,
    pub(super) folder: Arc<RunFolder>,
    pub(super) observer: Arc<dyn ReplayObserver>,
    pub(super) redactor: Redactor,
    pub(super) cast: Cast,
    pub(super) people: Vec<Person>,
    pub(super) devices: BTreeMap<String, Device>,
    pub(super) stopped: BTreeMap<usize, String>,
    pub(super) rows: Vec<Row>,
    /// Rows that cannot be told for sure, with the reason.
    pub(super) doubts: BTreeMap<usize, String>,
    /// Rows whose request means something else on the target, with the reason.
    pub(super) unlike: BTreeMap<usize, String>,
    /// How many commands were left out, by pair of mailboxes.
    pub(super) left_out: BTreeMap<usize, u64>,
    pub(super) sent: HashSet<String>,
    pub(super) fillers: HashMap<u64, u64>,
    /// Seconds between recorded and present answers, least and most.
    pub(super) later: Option<(i64, i64)>,
    pub(super) seed: String,
    flight: FuturesUnordered<BoxFuture<'static, Arrival>>,
    pub(super) under_way: BTreeMap<usize, (i64, Option<AbortHandle>)>,
    pub(super) inquired: bool,
    pub(super) shortest: Shortest,
    /// How much earlier than in the recording everything comes because waits were shortened, by pair of mailboxes.
    pub(super) hurried: BTreeMap<usize, Duration>,
    /// Rows in which something may be missing because of it, with the reason.
    pub(super) early: BTreeMap<usize, String>,
    /// How many exchanges of the recording were begun.
    pub(super) begun: usize,
    /// Rows of the last requests, as far as the target answered none of them.
    pub(super) unanswered: Vec<usize>,
    /// Why nothing is sent any more, whoever asks.
    pub(super) gone: Option<String>,
    /// Why not everything was sent that could have been.
    pub(super) cut_short: Option<String>,
}

/// A request that has its answer.
struct Arrival {
    row: usize,
    entry: Entry,
    account: usize,
    recorded: Box<Exchange>,
    request: Request,
    heartbeat: Option<Heartbeat>,
    /// `None` when it was given up, as in the recording.
    attempt: Option<Box<Attempt>>,
}

impl<R: Read + Seek> Stage<R> {
    pub(super) fn new(
        orders: ReplayOrders,
        recording: Recording<R>,
        folder: Arc<RunFolder>,
        observer: Arc<dyn ReplayObserver>,
    ) -> Self {
        let cast = Cast::new(recording.entries(), &orders.accounts);
        let people = people(&cast, recording.entries(), &orders);
        let mut seed = [0; 8];
        getrandom::fill(&mut seed).expect("the operating system gives random bytes");
        Self {
            redactor: redactor(&orders.accounts, if orders.keep_content { Kept::Kept } else { Kept::Masked }),
            seed: u64::from_le_bytes(seed).to_string(),
            orders,
            recording,
            folder,
            observer,
            cast,
            people,
            devices: BTreeMap::new(),
            stopped: BTreeMap::new(),
            rows: Vec::new(),
            doubts: BTreeMap::new(),
            unlike: BTreeMap::new(),
            left_out: BTreeMap::new(),
            sent: HashSet::new(),
            fillers: HashMap::new(),
            later: None,
            flight: FuturesUnordered::new(),
            under_way: BTreeMap::new(),
            inquired: false,
            shortest: Shortest::default(),
            hurried: BTreeMap::new(),
            early: BTreeMap::new(),
            begun: 0,
            unanswered: Vec::new(),
            gone: None,
            cut_short: None,
        }
    }

    /// Replays everything, or up to the moment at which `stop` is over.
    pub(super) async fn play(mut self, stop: impl Future<Output = ()>) -> Result<Replayed, ReplayError> {
        let ended = match select(pin!(self.act()), pin!(stop)).await {
            Either::Left((ended, _)) => Some(ended),
            Either::Right(_) => None,
        };
        match ended {
            Some(ended) => {
                ended?;
                self.folder.record(&Event::RunFinished { at: now() })?;
            }
            None => self.leave_the_rest()?,
        }
        Ok(self.finish())
    }

    async fn act(&mut self) -> Result<(), ReplayError> {
        let entries = self.recording.entries().to_vec();
        let begun = (entries.first().map_or(0, |entry| entry.started), now().0);
        for (index, entry) in entries.iter().enumerate() {
            self.settle(entry.started).await?;
            if self.orders.pace == Pace::Real {
                let due = entry.started.saturating_sub(begun.0).saturating_sub(now().0.saturating_sub(begun.1));
                self.pause(Duration::from_micros(u64::try_from(due).unwrap_or(0))).await?;
            }
            self.begun = index.saturating_add(1);
            let Some(recorded) = self.recording.get(entry.number)? else { continue };
            self.begin(entry, recorded);
            self.observer.progress(self.begun, entries.len());
        }
        self.settle(i64::MAX).await
    }

    /// Waits for everything that was answered before `moment` in the recording.
    async fn settle(&mut self, moment: i64) -> Result<(), ReplayError> {
        for (done, handle) in self.under_way.values_mut() {
            // The device gave it up then; it does so again.
            if *done <= moment
                && let Some(handle) = handle.take()
            {
                handle.abort();
            }
        }
        let waits = |stage: &Self| {
            stage.under_way.values().any(|(done, _)| *done <= moment) || stage.under_way.len() >= IN_FLIGHT
        };
        while waits(self) {
            match self.flight.next().await {
                Some(arrival) => self.arrived(arrival).await?,
                None => break,
            }
        }
        Ok(())
    }

    async fn pause(&mut self, time: Duration) -> Result<(), ReplayError> {
        let over = tokio::time::sleep(time);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return Ok(()),
                Some(arrival) = self.flight.next() => self.arrived(arrival).await?,
            }
        }
    }

    /// Sends a request, or says why not.
    fn begin(&mut self, entry: &Entry, recorded: Exchange) {
        let decoded = Decoded::of(&recorded);
        let row = self.rows.len();
        self.rows.push(row_of(entry, &recorded, &decoded));
        match self.prepare(entry, &recorded, &decoded) {
            Ok((account, request, heartbeat)) => {
                self.sent.extend(subjects(&recorded, &decoded));
                self.send(row, entry, account, recorded, request, heartbeat);
            }
            Err((because, why)) => self.hold_back(row, entry, &recorded, &decoded, because, why),
        }
    }

    /// Who sends the request, and how it goes to the target.
    fn prepare(
        &mut self,
        entry: &Entry,
        recorded: &Exchange,
        decoded: &Decoded,
    ) -> Result<(usize, Request, Option<Heartbeat>), (Because, String)> {
        let account = self.cast.account(entry).map_err(|why| (Because::LeftOut, why))?;
        if let Some(objection) = self.objection(account, entry, recorded, decoded) {
            return Err(objection);
        }
        let heartbeat = self.heartbeat(entry, recorded);
        let wait = heartbeat.and_then(|heartbeat| heartbeat.told());
        let composed = match self.compose(account, entry, recorded, decoded, wait) {
            Err(unbound) if unbound.withheld.is_none() && is_refused_key(decoded) => {
                let key = self.key(entry, recorded);
                keep_wrong_keys(&mut self.device(&key).bindings, decoded);
                self.compose(account, entry, recorded, decoded, wait)
            }
            composed => composed,
        };
        composed.map(|request| (account, request, heartbeat)).map_err(|unbound| unbound.words())
    }

    /// Why a request is not sent.
    fn objection(
        &mut self,
        account: usize,
        entry: &Entry,
        recorded: &Exchange,
        decoded: &Decoded,
    ) -> Option<(Because, String)> {
        let is_eas = decoded.query.is_some() || recorded.request.method.eq_ignore_ascii_case("OPTIONS");
        if !is_eas || recorded.request.url.path().to_ascii_lowercase().contains("autodiscover") {
            return Some((Because::LeftOut, "it is no ActiveSync request; the target is named by its URL".to_owned()));
        }
        let status = recorded.response().map(|response| response.status);
        if status == Some(401) && recorded.request.headers.get("Authorization").is_some() {
            let why = "its password was refused in the recording, and a replay tries no wrong passwords";
            return Some((Because::LeftOut, why.to_owned()));
        }
        if status.is_none() && !entry.is_given_up {
            return Some((Because::LeftOut, "the recording has no answer to it".to_owned()));
        }
        let key = self.key(entry, recorded);
        self.device(&key);
        let device = self.devices.get_mut(&key).expect("made above");
        if self.orders.mode == Mode::Rebound && acknowledges_nothing(&device.bindings, decoded) {
            drop_policy_keys(&mut device.bindings, decoded);
            let why = "it acknowledges a policy, and the target has none for this device";
            return Some((Because::LeftOut, why.to_owned()));
        }
        let care = Care { bindings: &device.bindings, accounts: &self.orders.accounts, people: &self.people };
        let effect = care.effect(recorded, decoded);
        if let Some(why) = effect.refusal(self.orders.allowed) {
            self.note_left_out(account);
            return Some((Because::LeftOut, why));
        }
        if !self.recording.has_contents() && is_invitation(recorded, decoded) {
            self.note_left_out(account);
            return Some((
                Because::LeftOut,
                "it is an invitation, and its contents are not in the recording".to_owned(),
            ));
        }
        if !self.recording.has_contents() && asks_with_filler(decoded, &self.orders.accounts, &self.people) {
            return Some((Because::LeftOut, "the words it asks for are not in the recording".to_owned()));
        }
        let why = self.gone.as_ref().or(self.stopped.get(&account))?;
        self.cut_short.get_or_insert_with(|| why.clone());
        Some((Because::Untold, why.clone()))
    }

    fn note_left_out(&mut self, account: usize) {
        let count = self.left_out.entry(account / 2).or_default();
        *count = count.saturating_add(1);
    }

    /// Notes that a request is not sent; what its recorded answer handed out is missing from then on.
    fn hold_back(
        &mut self,
        row: usize,
        entry: &Entry,
        recorded: &Exchange,
        decoded: &Decoded,
        because: Because,
        why: String,
    ) {
        let key = self.key(entry, recorded);
        let withheld = Withheld { exchange: entry.number.0, because };
        withhold(&mut self.device(&key).bindings, decoded, &withheld);
        if let Some(row) = self.rows.get_mut(row) {
            row.why = Some(why);
            row.came = match because {
                Because::LeftOut | Because::Differs => Came::Skipped,
                Because::Untold => Came::Inconclusive,
            };
        }
    }

    fn compose(
        &mut self,
        account: usize,
        entry: &Entry,
        recorded: &Exchange,
        decoded: &Decoded,
        wait: Option<Span>,
    ) -> Result<Request, Unbound> {
        let key = self.key(entry, recorded);
        self.device(&key);
        let Self { devices, orders, people, seed, .. } = self;
        let device = devices.get_mut(&key).expect("made above");
        let account = orders.accounts.get(account).expect("the cast names given accounts");
        let mut composer = Composer {
            endpoint: &orders.endpoint,
            account,
            mode: orders.mode,
            bindings: &mut device.bindings,
            people,
            cookies: &device.cookies,
            seed,
            wait,
        };
        composer.request(recorded, decoded)
    }

    fn send(
        &mut self,
        row: usize,
        entry: &Entry,
        account: usize,
        recorded: Exchange,
        request: Request,
        heartbeat: Option<Heartbeat>,
    ) {
        let key = self.key(entry, &recorded);
        let session = Arc::clone(&self.device(&key).session);
        let took = Duration::from_micros(u64::try_from(entry.done.saturating_sub(entry.started)).unwrap_or(0));
        let first_byte = took.saturating_add(self.orders.wait).min(LONGEST);
        let patience = Patience { first_byte, ..Patience::default() };
        let (handle, registration) = AbortHandle::new_pair();
        self.under_way.insert(row, (entry.done, entry.is_given_up.then_some(handle)));
        let entry = entry.clone();
        let going = async move {
            let sending = async {
                if let Some(Heartbeat { pause, .. }) = heartbeat.filter(|heartbeat| !heartbeat.pause.is_zero()) {
                    tokio::time::sleep(pause).await;
                }
                session.send(&request, &patience).await
            };
            let attempt = Abortable::new(sending, registration).await.ok().map(Box::new);
            Arrival { row, entry, account, recorded: Box::new(recorded), request, heartbeat, attempt }
        };
        self.flight.push(going.boxed());
    }

    async fn arrived(&mut self, arrival: Arrival) -> Result<(), ReplayError> {
        let Arrival { row, entry, account, recorded, request, heartbeat, attempt } = arrival;
        self.under_way.remove(&row);
        let Some(attempt) = attempt else {
            if let Some(row) = self.rows.get_mut(row) {
                row.after = Some("given up by the device, as in the recording".to_owned());
            }
            return Ok(());
        };
        let exchange = sent_again(&recorded, request, *attempt);
        let decoded = Decoded::of(&exchange);
        let number = self.keep(&entry, &recorded, &exchange, &decoded)?;
        let again = heartbeat.and_then(|tried| self.again(&entry, &recorded, tried, (&exchange, &decoded)));
        if let Some(again) = again
            && let Ok(request) = self.compose(account, &entry, &recorded, &Decoded::of(&recorded), again.told())
        {
            self.send(row, &entry, account, *recorded, request, Some(again));
            return Ok(());
        }
        if let Some(row) = self.rows.get_mut(row) {
            row.replayed = Some(number.0);
            row.after = Some(match &exchange.outcome {
                Outcome::Answered(_) => decoded.words(),
                Outcome::Failed(failure) => failure.to_string(),
            });
        }
        if let Some(row) = self.rows.get_mut(row).filter(|_| heartbeat.is_some()) {
            row.allowed.count(Rule::Heartbeat);
        }
        self.judge(row, &entry, account, &recorded, (&exchange, &decoded));
        if heartbeat.is_some() {
            let took = |exchange: &Exchange| Duration::from_micros(exchange.times.done);
            let saved = self.hurried.entry(account / 2).or_default();
            *saved = saved.saturating_add(took(&recorded).saturating_sub(took(&exchange)));
        }
        self.heed(row, &entry, account, &recorded, &exchange).await
    }

    /// Writes an exchange down as it may be written.
    pub(super) fn keep(
        &self,
        entry: &Entry,
        recorded: &Exchange,
        exchange: &Exchange,
        decoded: &Decoded,
    ) -> Result<ExchangeNumber, ReplayError> {
        let number = self.folder.keep(self.redactor.redact(exchange.clone()))?;
        let persona = match entry.sender.persona.is_empty() {
            true => name_of(entry, recorded),
            false => entry.sender.persona.clone(),
        };
        let cell = CellId { scenario: "replay".to_owned(), persona, version: decoded.version };
        let card = ExchangeCard::of(exchange, decoded);
        self.folder.record(&Event::Exchanged { cell, exchange: number, card })?;
        Ok(number)
    }

    /// By what a device is known: persona and role, its id, or what it calls itself.
    pub(super) fn key(&self, entry: &Entry, recorded: &Exchange) -> String {
        if !entry.sender.persona.is_empty() {
            return format!("{}/{}", entry.sender.persona, entry.sender.role);
        }
        name_of(entry, recorded)
    }

    pub(super) fn device(&mut self, key: &str) -> &mut Device {
        let client = &self.orders.client;
        self.devices.entry(key.to_owned()).or_insert_with(|| Device {
            session: Arc::new(client.session()),
            bindings: Bindings::default(),
            ledger: Ledger::default(),
            cookies: Vec::new(),
            waits: Memory::default(),
            latest: HashMap::new(),
        })
    }
}

/// An exchange of which nothing is known yet.
pub(super) fn row_of(entry: &Entry, recorded: &Exchange, decoded: &Decoded) -> Row {
    Row {
        recorded: entry.number.0,
        replayed: None,
        device: name_of(entry, recorded),
        command: ExchangeCard::of(recorded, decoded).command,
        before: match recorded.response() {
            Some(_) => decoded.words(),
            None => "no answer".to_owned(),
        },
        after: None,
        came: Came::Same,
        why: None,
        allowed: Allowed::default(),
        differences: Vec::new(),
    }
}

/// Which users of the recording have which addresses now.
fn people(cast: &Cast, entries: &[Entry], orders: &ReplayOrders) -> Vec<Person> {
    let mut seen = BTreeSet::new();
    let mut people = Vec::new();
    for entry in entries {
        let (Some(user), Ok(index)) = (&entry.user, cast.account(entry)) else { continue };
        let Some(address) = orders.accounts.get(index).and_then(|account| account.address.clone()) else { continue };
        if seen.insert(user.clone()) {
            let user = user.rsplit('\\').next().unwrap_or(user).to_owned();
            people.push(Person { user, address });
        }
    }
    people
}

/// A sender in a word.
fn name_of(entry: &Entry, recorded: &Exchange) -> String {
    if !entry.sender.persona.is_empty() {
        return format!("{} {}", entry.sender.persona, entry.sender.role);
    }
    let agent = || recorded.request.headers.get("User-Agent").unwrap_or("a device without a name").to_owned();
    entry.device.clone().unwrap_or_else(agent)
}

/// What became of a recorded exchange on the target; its number is given when it is kept.
pub(super) fn sent_again(recorded: &Exchange, request: Request, attempt: Attempt) -> Exchange {
    Exchange {
        number: ExchangeNumber(0),
        origin: Origin::Replayed,
        sender: recorded.sender.clone(),
        started: attempt.started,
        request,
        outcome: attempt.outcome,
        times: attempt.times,
        tls: attempt.tls,
    }
}
