use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{Read, Seek};
use std::sync::Arc;
use std::time::Duration;

use easrig_eas::{
    Command, Version,
    headers::{self, challenges},
};
use easrig_exchange::{
    Content as Kept, Exchange, ExchangeNumber, Failure, Origin, Outcome, Phase, Redactor, Request, Secret,
};
use easrig_scenario::{
    CellId, Content, Decoded,
    difference::{
        Allowed, Comparison, Contents, Difference, Kind, Owned, Pair, Terms, compare_decoded, owned, owned_value,
    },
    event::{Event, ExchangeCard},
};
use easrig_transport::{Attempt, Patience, Session};
use easrig_wbxml::Element;
use futures_util::{
    StreamExt,
    future::{AbortHandle, Abortable, BoxFuture, FutureExt},
    stream::FuturesUnordered,
};

use super::binding::{Because, Bindings, Unbound, Withheld};
use super::care::{Care, Effect, asks_with_filler, is_invitation, subjects};
use super::cast::Cast;
use super::compose::{Composer, folder_of};
use super::ledger::Ledger;
use super::rename::{Names, Person, is_sent};
use super::{Came, Entry, Mode, Pace, Recording, ReplayError, ReplayObserver, ReplayOrders, Replayed, Row, Totals};
use crate::{RunFolder, clock::now};

/// How far apart the clocks of two servers may be, in seconds.
const CLOCKS: i64 = 120;

/// How many requests may be under way at once.
const IN_FLIGHT: usize = 64;

/// The longest that an answer is waited for: longer than any heartbeat.
const LONGEST: Duration = Duration::from_secs(2 * 3600);

/// Everything that a replay knows while it goes on.
pub(super) struct Stage<R: Read + Seek> {
    orders: ReplayOrders,
    recording: Recording<R>,
    folder: Arc<RunFolder>,
    observer: Arc<dyn ReplayObserver>,
    redactor: Redactor,
    cast: Cast,
    people: Vec<Person>,
    devices: BTreeMap<String, Device>,
    stopped: BTreeMap<usize, String>,
    rows: Vec<Row>,
    /// Rows that cannot be told for sure, with the reason.
    doubts: BTreeMap<usize, String>,
    left_out: u64,
    sent: HashSet<String>,
    fillers: HashMap<u64, u64>,
    /// Seconds between recorded and present answers, least and most.
    later: Option<(i64, i64)>,
    seed: String,
    flight: FuturesUnordered<BoxFuture<'static, Arrival>>,
    under_way: BTreeMap<usize, (i64, Option<AbortHandle>)>,
    inquired: bool,
}

/// One recorded device.
struct Device {
    session: Arc<Session>,
    bindings: Bindings,
    ledger: Ledger,
    cookies: Vec<(String, String)>,
    version: Option<Version>,
}

/// A request that has its answer.
struct Arrival {
    row: usize,
    entry: Entry,
    account: usize,
    recorded: Box<Exchange>,
    request: Request,
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
            redactor: redactor(&orders),
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
            left_out: 0,
            sent: HashSet::new(),
            fillers: HashMap::new(),
            later: None,
            flight: FuturesUnordered::new(),
            under_way: BTreeMap::new(),
            inquired: false,
        }
    }

    pub(super) async fn play(mut self) -> Result<Replayed, ReplayError> {
        let entries = self.recording.entries().to_vec();
        let begun = (entries.first().map_or(0, |entry| entry.started), now().0);
        for (index, entry) in entries.iter().enumerate() {
            self.settle(entry.started).await?;
            if self.orders.pace == Pace::Real {
                let due = entry.started.saturating_sub(begun.0).saturating_sub(now().0.saturating_sub(begun.1));
                self.pause(Duration::from_micros(u64::try_from(due).unwrap_or(0))).await?;
            }
            let Some(recorded) = self.recording.get(entry.number)? else { continue };
            self.begin(entry, recorded);
            self.observer.progress(index.saturating_add(1), entries.len());
        }
        self.settle(i64::MAX).await?;
        Ok(self.finish())
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
        self.rows.push(Row {
            recorded: entry.number.0,
            replayed: None,
            device: name_of(entry, &recorded),
            command: ExchangeCard::of(&recorded, &decoded).command,
            before: match recorded.response() {
                Some(_) => decoded.words(),
                None => "no answer".to_owned(),
            },
            after: None,
            came: Came::Same,
            why: None,
            allowed: Allowed::default(),
            differences: Vec::new(),
        });
        match self.prepare(entry, &recorded, &decoded) {
            Ok((account, request)) => {
                self.sent.extend(subjects(&recorded, &decoded));
                self.send(row, entry, account, recorded, request);
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
    ) -> Result<(usize, Request), (Because, String)> {
        let account = self.cast.account(entry).map_err(|why| (Because::LeftOut, why))?;
        if let Some(objection) = self.objection(account, entry, recorded, decoded) {
            return Err(objection);
        }
        let composed = match self.compose(account, entry, recorded, decoded) {
            Err(unbound) if unbound.withheld.is_none() && is_refused_key(decoded) => {
                let key = self.key(entry, recorded);
                keep_wrong_keys(&mut self.device(&key).bindings, decoded);
                self.compose(account, entry, recorded, decoded)
            }
            composed => composed,
        };
        composed.map(|request| (account, request)).map_err(|unbound| unbound.words())
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
        if let Some(why) = self.stopped.get(&account) {
            return Some((Because::Untold, why.clone()));
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
        let device = self.devices.get(&key).expect("made above");
        let care = Care { bindings: &device.bindings, accounts: &self.orders.accounts, people: &self.people };
        let effect = care.effect(recorded, decoded);
        if let Some(why) = effect.refusal(self.orders.allowed) {
            self.left_out = self.left_out.saturating_add(u64::from(effect != Effect::Reads));
            return Some((Because::LeftOut, why));
        }
        if !self.recording.has_contents() && is_invitation(recorded, decoded) {
            self.left_out = self.left_out.saturating_add(1);
            return Some((
                Because::LeftOut,
                "it is an invitation, and its contents are not in the recording".to_owned(),
            ));
        }
        if !self.recording.has_contents() && asks_with_filler(decoded) {
            return Some((Because::LeftOut, "the words it asks for are not in the recording".to_owned()));
        }
        None
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
    ) -> Result<Request, Unbound> {
        let key = self.key(entry, recorded);
        self.device(&key);
        let Self { devices, orders, people, seed, .. } = self;
        let device = devices.get_mut(&key).expect("made above");
        device.version = decoded.version.or(device.version);
        let account = orders.accounts.get(account).expect("the cast names given accounts");
        let mut composer = Composer {
            endpoint: &orders.endpoint,
            account,
            mode: orders.mode,
            bindings: &mut device.bindings,
            people,
            cookies: &device.cookies,
            seed,
        };
        composer.request(recorded, decoded)
    }

    fn send(&mut self, row: usize, entry: &Entry, account: usize, recorded: Exchange, request: Request) {
        let key = self.key(entry, &recorded);
        let session = Arc::clone(&self.device(&key).session);
        let took = Duration::from_micros(u64::try_from(entry.done.saturating_sub(entry.started)).unwrap_or(0));
        let first_byte = took.saturating_add(self.orders.wait).min(LONGEST);
        let patience = Patience { first_byte, ..Patience::default() };
        let (handle, registration) = AbortHandle::new_pair();
        self.under_way.insert(row, (entry.done, entry.is_given_up.then_some(handle)));
        let entry = entry.clone();
        let going = async move {
            let sending = async { session.send(&request, &patience).await };
            let attempt = Abortable::new(sending, registration).await.ok().map(Box::new);
            Arrival { row, entry, account, recorded: Box::new(recorded), request, attempt }
        };
        self.flight.push(going.boxed());
    }

    async fn arrived(&mut self, arrival: Arrival) -> Result<(), ReplayError> {
        let Arrival { row, entry, account, recorded, request, attempt } = arrival;
        self.under_way.remove(&row);
        let Some(attempt) = attempt else {
            if let Some(row) = self.rows.get_mut(row) {
                row.after = Some("given up by the device, as in the recording".to_owned());
            }
            return Ok(());
        };
        let exchange = Exchange {
            number: ExchangeNumber(0),
            origin: Origin::Replayed,
            sender: recorded.sender.clone(),
            started: attempt.started,
            request,
            outcome: attempt.outcome,
            times: attempt.times,
            tls: attempt.tls,
        };
        let decoded = Decoded::of(&exchange);
        let number = self.keep(&entry, &recorded, &exchange, &decoded)?;
        if let Some(row) = self.rows.get_mut(row) {
            row.replayed = Some(number.0);
            row.after = Some(match &exchange.outcome {
                Outcome::Answered(_) => decoded.words(),
                Outcome::Failed(failure) => failure.to_string(),
            });
        }
        self.judge(row, &entry, &recorded, (&exchange, &decoded));
        self.heed(row, &entry, account, &recorded, &exchange).await
    }

    /// Writes an exchange down as it may be written.
    fn keep(
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

    /// Compares an answer with the recorded one, and learns what the target calls things.
    fn judge(&mut self, row: usize, entry: &Entry, recorded: &Exchange, (exchange, decoded): (&Exchange, &Decoded)) {
        if entry.is_given_up {
            return;
        }
        let before = Decoded::of(recorded);
        let key = self.key(entry, recorded);
        let moved = exchange.started.0.saturating_sub(recorded.started.0) / 1_000_000;
        let (least, most) = self.later.unwrap_or((moved, moved));
        let later = (least.min(moved), most.max(moved));
        self.later = Some(later);
        let contents = match (self.recording.has_contents(), self.orders.keep_content) {
            (false, _) => Contents::Filler,
            (true, true) => Contents::Quoted,
            (true, false) => Contents::Told,
        };
        let Self { devices, people, sent, orders, .. } = self;
        let device = devices.get_mut(&key).expect("it has sent the request");
        restart(device, &before, decoded);
        let sends_filler = contents == Contents::Filler && orders.mode == Mode::Rebound;
        let names = Names { bindings: &device.bindings, people, sent, sends_filler };
        let terms = Terms {
            contents,
            later: (later.0.saturating_sub(CLOCKS), later.1.saturating_add(CLOCKS)),
            renamed: &names,
        };
        let mut comparison = compare_decoded((recorded, &before), (exchange, decoded), terms);
        device.ledger.take(row, &mut comparison);
        device.ledger.remember(decoded.answer.root());
        device.ledger.note_promises(before.answer.root());
        let joined = device.ledger.join(terms);
        let mut learned = vec![(row, comparison)];
        learned.extend(joined);
        for (row, comparison) in learned {
            self.learn(row, &key, comparison);
        }
        let withheld = Withheld { exchange: entry.number.0, because: Because::Differs };
        let sent = &self.sent;
        if let Some(device) = self.devices.get_mut(&key) {
            note_made(&mut device.bindings, decoded, sent);
            carry_keys(&mut device.bindings, &before, decoded);
            withhold(&mut device.bindings, &before, &withheld);
        }
        if self.left_out > 0 {
            let why = format!("{} commands were left out before, and this may follow from it", self.left_out);
            self.doubts.insert(row, why);
        }
    }

    fn learn(&mut self, row: usize, key: &str, comparison: Comparison) {
        let Comparison { differences, allowed, pairs, fillers, .. } = comparison;
        if let Some(device) = self.devices.get_mut(key) {
            pairs.iter().for_each(|pair| device.bindings.bind(pair));
        }
        let mut broken = Vec::new();
        for filler in fillers {
            let known = *self.fillers.entry(filler.before).or_insert(filler.after);
            if known != filler.after {
                broken.push(Difference {
                    kind: Kind::ItemChanged,
                    path: filler.path,
                    before: "a text that stood elsewhere too".to_owned(),
                    after: "another text than stands there".to_owned(),
                    requirement: None,
                });
            }
        }
        if let Some(row) = self.rows.get_mut(row) {
            row.differences.extend(differences);
            row.differences.extend(broken);
            row.allowed.add(&allowed);
        }
    }

    /// Takes from an answer what concerns everything that follows: cookies, a refused login, a target out of reach.
    async fn heed(
        &mut self,
        row: usize,
        entry: &Entry,
        account: usize,
        recorded: &Exchange,
        exchange: &Exchange,
    ) -> Result<(), ReplayError> {
        let Some(answer) = exchange.response() else {
            // A server that keeps a request for longer than it did has answered otherwise; one out of reach has not.
            let is_silent =
                matches!(&exchange.outcome, Outcome::Failed(Failure::Timeout { phase: Phase::FirstByte, .. }));
            if recorded.response().is_some() && !is_silent {
                let why = format!(
                    "the target gave no answer: {}",
                    self.rows.get(row).and_then(|row| row.after.clone()).unwrap_or_default()
                );
                self.doubts.insert(row, why);
            }
            return Ok(());
        };
        let key = self.key(entry, recorded);
        for cookie in answer.headers.all("Set-Cookie") {
            let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
            if let (Some((name, value)), Some(device)) = (pair, self.devices.get_mut(&key)) {
                device.cookies.retain(|(known, _)| known != name.trim());
                device.cookies.push((name.trim().to_owned(), value.trim().to_owned()));
            }
        }
        let had_login = exchange.request.headers.get("Authorization").is_some();
        if answer.status == 401 && had_login {
            let name = self.orders.accounts.get(account).map(|account| account.user.clone()).unwrap_or_default();
            let why = format!(
                "the account `{name}` is not used any more: the target refused its login (HTTP 401) at exchange {}, and \
                 another try could lock the account",
                entry.number.0
            );
            self.stopped.entry(account).or_insert(why);
            let offered: Vec<_> = answer.headers.all(headers::WWW_AUTHENTICATE).flat_map(challenges).collect();
            let only_bearer = offered.iter().any(|c| c.is("Bearer")) && !offered.iter().any(|c| c.is("Basic"));
            if only_bearer && !self.inquired {
                self.inquired = true;
                self.inquire(row, &key, account, entry, recorded, exchange).await?;
            }
        }
        Ok(())
    }

    /// Asks a target that takes tokens alone which versions it speaks: the device's own may be refused too. No password is
    /// tried by it; an account without a token asks as nobody, which some servers answer.
    async fn inquire(
        &mut self,
        row: usize,
        key: &str,
        account: usize,
        entry: &Entry,
        recorded: &Exchange,
        refused: &Exchange,
    ) -> Result<(), ReplayError> {
        let token = self.orders.accounts.get(account).and_then(|account| account.token.clone());
        let bearer = token.map(|token| headers::bearer(token.expose()));
        let mut request = refused.request.clone();
        request.method = "OPTIONS".to_owned();
        request.url = self.orders.endpoint.clone();
        request.body = Vec::new();
        let kept = refused.request.headers.iter().filter(|(name, _)| {
            !matches!(name.to_ascii_lowercase().as_str(), "content-length" | "content-type" | "ms-asprotocolversion")
        });
        request.headers = kept
            .filter_map(|(name, value)| match name.eq_ignore_ascii_case("Authorization") {
                true => Some((name.to_owned(), bearer.clone()?)),
                false => Some((name.to_owned(), value.to_owned())),
            })
            .collect();
        let session = Arc::clone(&self.device(key).session);
        let attempt = session.send(&request, &Patience::default()).await;
        let exchange = Exchange {
            number: ExchangeNumber(0),
            origin: Origin::Replayed,
            sender: recorded.sender.clone(),
            started: attempt.started,
            request,
            outcome: attempt.outcome,
            times: attempt.times,
            tls: attempt.tls,
        };
        let decoded = Decoded::of(&exchange);
        self.keep(entry, recorded, &exchange, &decoded)?;
        let spoken = self.spoken(recorded)?;
        let offered = exchange.response().and_then(|answer| answer.headers.get(headers::PROTOCOL_VERSIONS));
        if let (Some(spoken), Some(offered)) = (spoken, offered)
            && !headers::list(offered).any(|version| version == spoken.to_string())
            && let Some(row) = self.rows.get_mut(row)
        {
            row.differences.push(Difference {
                kind: Kind::VersionGone,
                path: headers::PROTOCOL_VERSIONS.to_owned(),
                before: format!("{spoken}, which the device speaks, is offered"),
                after: format!("{offered} is demanded of every device"),
                requirement: None,
            });
        }
        Ok(())
    }

    /// The version that the sender of an exchange speaks in the recording.
    fn spoken(&mut self, recorded: &Exchange) -> Result<Option<Version>, ReplayError> {
        let numbers: Vec<ExchangeNumber> = self
            .recording
            .entries()
            .iter()
            .filter(|entry| entry.sender == recorded.sender)
            .map(|entry| entry.number)
            .take(64)
            .collect();
        for number in numbers {
            if let Some(version) = self.recording.get(number)?.and_then(|exchange| Decoded::of(&exchange).version) {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    fn finish(mut self) -> Replayed {
        for device in self.devices.values_mut() {
            let Device { ledger, bindings, .. } = device;
            for row in ledger.close(&mut self.rows, &|folder| bindings.now(Owned::Folder, "", folder)) {
                let why = "the target has more for this folder than the recording asks for; it may be among that";
                self.doubts.entry(row).or_insert_with(|| why.to_owned());
            }
        }
        let mut allowed = Allowed::default();
        for (index, row) in self.rows.iter_mut().enumerate() {
            allowed.add(&row.allowed);
            if row.why.is_some() {
                continue;
            }
            let doubt = self.doubts.remove(&index);
            row.came = match (row.differences.is_empty(), row.allowed.total()) {
                (true, 0) => Came::Same,
                (true, _) => Came::Allowed,
                (false, _) => Came::Different,
            };
            if let Some(why) = doubt.filter(|_| row.came == Came::Different && row.differences.iter().all(may_follow)) {
                row.came = Came::Inconclusive;
                row.why = Some(why);
            }
        }
        Replayed {
            format: 1,
            recording: self.orders.recording,
            target: self.orders.target_name,
            mode: self.orders.mode.name().to_owned(),
            contents: self.recording.has_contents(),
            totals: Totals::of(&self.rows),
            exchanges: self.rows,
            allowed,
        }
    }

    /// By what a device is known: persona and role, its id, or what it calls itself.
    fn key(&self, entry: &Entry, recorded: &Exchange) -> String {
        if !entry.sender.persona.is_empty() {
            return format!("{}/{}", entry.sender.persona, entry.sender.role);
        }
        name_of(entry, recorded)
    }

    fn device(&mut self, key: &str) -> &mut Device {
        let client = &self.orders.client;
        self.devices.entry(key.to_owned()).or_insert_with(|| Device {
            session: Arc::new(client.session()),
            bindings: Bindings::default(),
            ledger: Ledger::default(),
            cookies: Vec::new(),
            version: None,
        })
    }
}

impl Unbound {
    fn words(&self) -> (Because, String) {
        let name = self.owned.name();
        match &self.withheld {
            Some(Withheld { exchange, because: Because::LeftOut }) => {
                (Because::LeftOut, format!("it needs the {name} of exchange {exchange}, which was left out"))
            }
            Some(Withheld { exchange, because: Because::Untold }) => {
                (Because::Untold, format!("it needs the {name} of exchange {exchange}, which has no answer"))
            }
            Some(Withheld { exchange, because: Because::Differs }) => {
                (Because::Differs, format!("it needs the {name} of exchange {exchange}, which the target did not give"))
            }
            None => (Because::Untold, format!("nothing in the recording says where its {name} comes from")),
        }
    }
}

/// Whether the recording's server said that it does not know the key.
fn is_refused_key(decoded: &Decoded) -> bool {
    let status = decoded.status.map(|(_, status)| status.0);
    matches!((decoded.command(), status), (Some(Command::Sync), Some(3)) | (Some(Command::FolderSync), Some(9)))
}

/// A key that no answer gave and that was refused is a wrong key of the device's own, and stays one.
fn keep_wrong_keys(bindings: &mut Bindings, decoded: &Decoded) {
    for (folder, value) in wrong_keys(decoded) {
        for owned in [Owned::SyncKey, Owned::HierarchyKey] {
            if bindings.now(owned, &folder, &value).is_none() {
                let (before, after, folder) = (value.clone(), value.clone(), folder.clone());
                bindings.bind(&Pair { path: String::new(), owned, folder, before, after });
            }
        }
    }
}

/// The keys of a request, with the folder they are for.
fn wrong_keys(decoded: &Decoded) -> Vec<(String, String)> {
    match decoded.command() {
        Some(Command::Sync) => keys(&decoded.request),
        _ => {
            let children = decoded.request.root().into_iter().flat_map(Element::children);
            let keys = children.filter(|e| e.tag().name() == Some("SyncKey"));
            keys.map(|key| (String::new(), owned_value(key))).collect()
        }
    }
}

/// Whether a difference may follow from something that was not done before.
fn may_follow(difference: &Difference) -> bool {
    !matches!(
        difference.kind,
        Kind::LoginRefused
            | Kind::VersionGone
            | Kind::CommandGone
            | Kind::ContentTypeChanged
            | Kind::FolderTypeChanged
            | Kind::PolicyChanged
            | Kind::KeyNotAdvanced
    )
}

/// Keys of a Sync that only one side answered with nothing: where nothing changed, the key of the request goes on.
fn carry_keys(bindings: &mut Bindings, before: &Decoded, after: &Decoded) {
    let both = before.command() == Some(Command::Sync) && (before.http, after.http) == (Some(200), Some(200));
    let (known, now) = match (&before.answer, &after.answer) {
        (Content::Document(_), Content::Empty) if both => (keys(&before.answer), keys(&after.request)),
        (Content::Empty, Content::Document(_)) if both => (keys(&before.request), keys(&after.answer)),
        _ => return,
    };
    for (folder, key) in known {
        let place = bindings.now(Owned::Folder, "", &folder);
        if let Some((_, new)) = now.iter().find(|(other, _)| Some(other) == place.as_ref()) {
            bindings.bind(&Pair {
                path: String::new(),
                owned: Owned::SyncKey,
                folder,
                before: key,
                after: new.clone(),
            });
        }
    }
}

/// The key of each folder in a Sync.
fn keys(content: &Content) -> Vec<(String, String)> {
    let collections = content.root().into_iter().flat_map(Element::descendants);
    let key = |e: Element<'_>| {
        let key = e.children().find(|child| child.tag().name() == Some("SyncKey"))?;
        Some((folder_of(e)?, owned_value(key)))
    };
    collections.filter_map(key).collect()
}

/// Everything that a recorded answer handed out and that has no counterpart.
fn withhold(bindings: &mut Bindings, decoded: &Decoded, why: &Withheld) {
    for element in decoded.answer.root().into_iter().flat_map(Element::descendants).filter(|e| e.is_leaf()) {
        if let Some(owned) = owned(element.tag()) {
            bindings.withhold(owned, &owned_value(element), why);
        }
    }
}

/// A collection that starts over brings everything again.
fn restart(device: &mut Device, before: &Decoded, after: &Decoded) {
    for decoded in [before, after] {
        let elements = decoded.request.root().into_iter().flat_map(Element::descendants);
        for element in elements {
            let starts = element.children().any(|e| e.tag().name() == Some("SyncKey") && e.text() == "0");
            if let Some(folder) = folder_of(element).filter(|_| starts) {
                device.ledger.restart(&folder);
            }
        }
    }
}

/// Remembers the ids of what this replay made on the target.
fn note_made(bindings: &mut Bindings, answer: &Decoded, sent: &HashSet<String>) {
    let Some(root) = answer.answer.root() else { return };
    if root.tag().name() == Some("FolderCreate") {
        let ids = root.children().filter(|e| e.tag().name() == Some("ServerId"));
        ids.for_each(|id| bindings.note_made(owned_value(id)));
    }
    let is_item = |e: &Element<'_>| matches!(e.tag().name(), Some("Add" | "Fetch" | "Result")) && !e.is_leaf();
    for item in root.descendants().filter(is_item) {
        let subject = |e: &Element<'_>| e.tag().name() == Some("Subject") && is_sent(sent, e.text().trim());
        let is_response = item.children().any(|e| e.tag().name() == Some("ClientId"));
        if is_response || item.descendants().any(|e| subject(&e)) {
            let ids = item.descendants().filter(|e| e.is_leaf());
            let ids = ids.filter(|e| matches!(owned(e.tag()), Some(Owned::Item | Owned::File | Owned::LongId)));
            ids.for_each(|id| bindings.note_made(owned_value(id)));
        }
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

/// The rules of a run's tap, with a salt that is never written.
fn redactor(orders: &ReplayOrders) -> Redactor {
    let content = if orders.keep_content { Kept::Kept } else { Kept::Masked };
    let mut salt = [0; 32];
    getrandom::fill(&mut salt).expect("the operating system gives random bytes");
    orders.accounts.iter().fold(Redactor::new(salt, content), |redactor, account| {
        let address = account.address.as_deref().unwrap_or_default();
        let tokens = account.authorizations().filter_map(|sent| Some(Secret::new(sent.split_once(' ')?.1)));
        let redactor = tokens.fold(redactor, Redactor::forget);
        account.secrets().cloned().fold(redactor.keep_name(&account.user).keep_name(address), Redactor::forget)
    })
}
