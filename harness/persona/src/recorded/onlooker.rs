use std::{collections::BTreeMap, sync::Arc};

use easrig_eas::{
    Command, Version,
    command::provision::{Request, Response},
    headers,
    query::{CommandName, QueryLine},
    status::Status,
};
use easrig_exchange::{Exchange, ExchangeNumber, Failure, Origin, Outcome};
use easrig_wbxml::{Document, Element, Limits, tags};

use super::{
    DeviceName, Likeness, Traits,
    search::{self, Search},
};
use crate::{
    Condition, Confidence, DeviceError, Obeyed, Persona, PolicySetting, Wipe,
    answer::Answer,
    persona::word::{Cannot, Which},
    reaction::{self, MOST_REDIRECTS},
};

/// The most devices that are followed at once; more are not looked at.
const MOST_DEVICES: usize = 10_000;

/// Something the owner of a recorded device would have seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The exchange that decided it.
    pub exchange: ExchangeNumber,
    /// Earlier exchanges it rests on.
    pub because: Vec<ExchangeNumber>,
    /// What was on the wire.
    pub condition: Condition,
    /// What stood on the screen; `None` when that is not known.
    pub error: Option<DeviceError>,
    /// The persona it was read as; `None` when none fits.
    pub persona: Option<String>,
    /// The worst confidence among the values it rests on.
    pub confidence: Confidence,
    /// What keeps it from being certain, or why the screen is not known.
    pub doubt: Option<String>,
}

/// Follows recorded devices and says what their owners saw.
#[derive(Debug)]
pub struct Onlooker {
    personas: Vec<Arc<Persona>>,
    devices: BTreeMap<(DeviceName, String), Device>,
}

#[derive(Debug, Default)]
struct Device {
    traits: Traits,
    likeness: Option<Likeness>,
    life: Life,
}

/// What has happened to the device so far.
#[derive(Clone, Debug, Default)]
struct Life {
    /// A policy it cannot apply and has not acknowledged.
    unapplied: Option<Unapplied>,
    /// Challenges answered with Provision since it was last served.
    rounds: u32,
    /// It has provisioned since the last challenge.
    provisioned: bool,
    busy: u32,
    hops: u32,
    set_up: bool,
    /// How it looks for its server; over once it has one.
    search: Search,
    has_server: bool,
    /// The order to delete what it holds, which it has not answered yet.
    wipe: Option<ExchangeNumber>,
    /// The settings that bound in the policy that came last.
    policy: Vec<PolicySetting>,
}

#[derive(Clone, Debug)]
struct Unapplied {
    settings: Vec<String>,
    confidence: Confidence,
    exchange: ExchangeNumber,
}

impl Onlooker {
    /// An onlooker who knows these personas.
    pub fn new(personas: Vec<Arc<Persona>>) -> Self {
        Self { personas, devices: BTreeMap::new() }
    }

    /// Looks at the next exchange of a device. `life` tells apart phones that bear one name one after another, as those of
    /// the cells of a run; it is empty otherwise.
    pub fn watch(&mut self, device: &DeviceName, life: &str, exchange: &Exchange) -> Option<Sight> {
        let key = (device.clone(), life.to_owned());
        if self.devices.len() >= MOST_DEVICES && !self.devices.contains_key(&key) {
            return None;
        }
        let device = self.devices.entry(key).or_default();
        if device.traits.learn(exchange) {
            device.likeness = device.traits.likenesses(&self.personas).into_iter().find(Likeness::fits);
        }
        let persona = device.likeness.as_ref().map(|likeness| likeness.persona.as_ref());
        let seen = match search::question(exchange) {
            Some(_) if device.life.has_server => return None,
            Some(question) => {
                device.life.search.look(persona, question, exchange).map(|ends| Seen::new(exchange.number, ends))
            }
            None => device.life.look(persona, exchange),
        };
        Some(seen?.sight(persona, &device.traits))
    }

    /// The settings that bound in the policy that a device was last sent, and what the persona it is read as does with
    /// each; empty before one came, and when no persona fits.
    pub fn policy(&self, device: &DeviceName, life: &str) -> &[PolicySetting] {
        self.devices
            .get(&(device.clone(), life.to_owned()))
            .map(|device| device.life.policy.as_slice())
            .unwrap_or_default()
    }

    /// The persona that a device is read as so far, and why.
    pub fn likeness(&self, device: &DeviceName, life: &str) -> Option<&Likeness> {
        self.devices.get(&(device.clone(), life.to_owned()))?.likeness.as_ref()
    }

    /// What a device shows of itself so far: DeviceType and User-Agent.
    pub fn traits(&self, device: &DeviceName, life: &str) -> Option<&Traits> {
        self.devices.get(&(device.clone(), life.to_owned())).map(|device| &device.traits)
    }

    /// What the owners see whose devices looked for a server to the end and found none.
    pub fn searches(&self) -> Vec<(DeviceName, Sight)> {
        let searched = |((name, _), device): (&(DeviceName, String), &Device)| {
            let persona = device.likeness.as_ref().map(|likeness| likeness.persona.as_ref());
            let fruit = device.life.search.fruit(persona)?;
            let (last, because) = fruit.exchanges.split_last()?;
            let mut seen = Seen::new(*last, fruit.condition);
            (seen.because, seen.confidence, seen.doubt) = (because.to_vec(), fruit.confidence, fruit.doubt);
            Some((name.clone(), seen.sight(persona, &device.traits)))
        };
        self.devices.iter().filter_map(searched).collect()
    }

    /// What the owners see at the end of the recording, when nothing more is to come.
    pub fn finish(&mut self) -> Vec<(DeviceName, Sight)> {
        let mut sights = self.searches();
        let ended = std::mem::take(&mut self.devices).into_iter();
        sights.extend(ended.filter_map(|((name, _), device)| {
            let persona = device.likeness.as_ref().map(|likeness| likeness.persona.as_ref())?;
            let left = device.life.unapplied?;
            if persona.provisioning.cannot.value != Cannot::Silent {
                return None;
            }
            let mut seen = Seen::new(left.exchange, Condition::PolicyNotApplicable { settings: left.settings });
            seen.confidence = left.confidence;
            seen.doubt = Some("the recording ends before the server served or refused the device again".to_owned());
            Some((name, seen.sight(Some(persona), &device.traits)))
        }));
        sights
    }
}

/// What an exchange is for the device, before it has a name.
struct Seen {
    exchange: ExchangeNumber,
    because: Vec<ExchangeNumber>,
    condition: Condition,
    confidence: Confidence,
    doubt: Option<String>,
}

impl Seen {
    fn new(exchange: ExchangeNumber, condition: Condition) -> Self {
        Self { exchange, because: Vec::new(), condition, confidence: Confidence::High, doubt: None }
    }

    fn sight(self, persona: Option<&Persona>, traits: &Traits) -> Sight {
        let error = match persona {
            Some(persona) => persona.error_for(&self.condition),
            None => self.condition.by_itself(),
        };
        let confidence = error.as_ref().map_or(self.confidence, |error| error.confidence.min(self.confidence));
        let doubt = match (persona, &error) {
            (_, Some(_)) => self.doubt,
            (None, None) => Some(format!("no persona fits {}: what stood on its screen is not known", traits.words())),
            (Some(persona), None) => Some(format!("what {} shows then is not known", persona.title())),
        };
        Sight {
            exchange: self.exchange,
            because: self.because,
            condition: self.condition,
            error,
            persona: persona.map(|persona| persona.id().to_owned()),
            confidence,
            doubt,
        }
    }
}

impl Life {
    /// What this exchange is for the device, when it stops something.
    fn look(&mut self, persona: Option<&Persona>, exchange: &Exchange) -> Option<Seen> {
        let which = which(exchange)?;
        // Whoever asks a server for something has one.
        (self.has_server, self.search) = (true, Search::default());
        let seen = |condition| Some(Seen::new(exchange.number, condition));
        let response = match &exchange.outcome {
            Outcome::Answered(response) => response,
            // A capture without an answer says nothing about the wire; the device's own wish is no error.
            Outcome::Failed(Failure::Cancelled) => return None,
            Outcome::Failed(_) if exchange.origin == Origin::Imported => return None,
            Outcome::Failed(failure) => return seen(Condition::of_failure(failure)),
        };
        if response.cut.is_some() && exchange.origin == Origin::Imported {
            return None;
        }
        // The first leg of signing in is answered so as well.
        if response.status == 401 && exchange.request.headers.get("Authorization").is_none() {
            return None;
        }
        let answer = Answer::of(response.clone());
        if answer.unreadable.is_some() {
            return None;
        }
        if persona.is_none_or(|persona| persona.elsewhere(&answer, which).is_some())
            && matches!(answer.http, 301 | 302 | 307 | 308 | 451)
        {
            self.hops += 1;
            return if self.hops > MOST_REDIRECTS { seen(Condition::TooManyRedirects) } else { None };
        }
        self.hops = 0;
        if answer.is_busy() {
            self.busy += 1;
            if self.busy <= persona.map_or(1, |persona| persona.timeouts.busy_retries.value) {
                return None;
            }
        } else {
            self.busy = 0;
        }
        match which {
            Which::Command(Command::Provision) => self.provision(persona, exchange, &answer),
            Which::Command(command) => self.command(persona, exchange, &answer, command),
            _ => {
                let listed = answer.headers.get(headers::PROTOCOL_VERSIONS).is_some();
                answer.trouble().or((!listed).then_some(Condition::BadAnswer)).and_then(seen)
            }
        }
    }

    fn command(
        &mut self,
        persona: Option<&Persona>,
        exchange: &Exchange,
        answer: &Answer,
        command: Command,
    ) -> Option<Seen> {
        let own = reaction::own_statuses(command);
        let trouble = answer.trouble().filter(|trouble| !matches!(trouble, Condition::Status(n) if own.contains(n)));
        let Some(condition) = trouble else {
            return self.served(exchange, answer, command);
        };
        let challenged = match persona {
            Some(persona) => persona.is_challenge(&condition, self.set_up),
            None => matches!(condition, Condition::Http(449) | Condition::Status(140..=144)),
        };
        if !challenged {
            return Some(Seen::new(exchange.number, condition));
        }
        if let Some(left) = self.unapplied.take() {
            let condition = Condition::PolicyNotApplicable { settings: left.settings };
            let mut seen = Seen::new(exchange.number, condition);
            (seen.because, seen.confidence) = (vec![left.exchange], left.confidence);
            return Some(seen);
        }
        self.rounds += u32::from(std::mem::take(&mut self.provisioned));
        let most = persona.map_or(u32::MAX, |persona| persona.provisioning.rounds.value);
        (self.rounds >= most).then(|| Seen::new(exchange.number, condition))
    }

    /// An answer without trouble: the device is let in, unless the answer is none.
    fn served(&mut self, exchange: &Exchange, answer: &Answer, command: Command) -> Option<Seen> {
        (self.rounds, self.unapplied) = (0, None);
        let needs_document = match command {
            Command::FolderSync => true,
            Command::Sync | Command::Ping => !answer.body.is_empty(),
            _ => false,
        };
        if needs_document && answer.document.is_none() {
            return Some(Seen::new(exchange.number, Condition::BadAnswer));
        }
        self.set_up |= command == Command::Sync;
        let quarantined =
            command == Command::Sync && answer.document.as_ref().is_some_and(|said| holds(said, exchange));
        quarantined.then(|| Seen::new(exchange.number, Condition::Quarantined))
    }

    fn provision(&mut self, persona: Option<&Persona>, exchange: &Exchange, answer: &Answer) -> Option<Seen> {
        self.provisioned = true;
        let seen = |condition| Some(Seen::new(exchange.number, condition));
        if let Some(condition) = answer.trouble() {
            return seen(condition);
        }
        let Some(document) = &answer.document else { return seen(Condition::BadAnswer) };
        let said = Response::from_document(document, ANY_VERSION).ok()?;
        let asked = asked(exchange);
        if let Some(seen) = self.wiping(exchange, asked.as_ref(), &said) {
            return Some(seen);
        }
        let policy = said.policies.first()?;
        match asked.and_then(|asked| asked.policies.first()?.status) {
            None => {
                let treated = persona?.treated(policy.data.as_ref()?);
                self.policy = treated.iter().map(PolicySetting::from).collect();
                let confidence = treated.iter().map(|one| one.treatment.confidence).min().unwrap_or(Confidence::High);
                let settings = reaction::unable(treated);
                let exchange = exchange.number;
                self.unapplied = (!settings.is_empty()).then_some(Unapplied { settings, confidence, exchange });
                None
            }
            Some(status) => {
                let left = self.unapplied.take();
                let has_key = policy.policy_key.is_some() && policy.status.is_none_or(|status| status.0 == 1);
                if has_key || status.0 == 1 || !persona?.provisioning.key_required.value {
                    return None;
                }
                let left = left?;
                let mut seen = Seen::new(exchange.number, Condition::PolicyRefused { settings: left.settings });
                (seen.because, seen.confidence) = (vec![left.exchange], left.confidence);
                Some(seen)
            }
        }
    }

    /// The order to delete what the device holds, and what it answered.
    fn wiping(&mut self, exchange: &Exchange, asked: Option<&Request>, said: &Response) -> Option<Seen> {
        let answered = |status: Option<Status>, what| Some((what, status?));
        let answered = asked.and_then(|asked| {
            answered(asked.remote_wipe, Wipe::Device).or(answered(asked.account_only_remote_wipe, Wipe::Account))
        });
        if let Some((what, status)) = answered {
            let obeyed = if status.0 == 1 { Obeyed::Done } else { Obeyed::Failed };
            let mut seen = Seen::new(exchange.number, Condition::Wipe(what, obeyed));
            seen.because.extend(self.wipe.take());
            return Some(seen);
        }
        let what = reaction::wipe(said)?;
        self.wipe = Some(exchange.number);
        Some(Seen::new(exchange.number, Condition::Wipe(what, Obeyed::NotYet)))
    }
}

/// The readers of Provision take the form of every version.
const ANY_VERSION: Version = Version::V14_1;

/// Device ids shorter than this may stand in any text.
const SHORTEST_ID: usize = 8;

/// Whether a Sync brings the mail by which Exchange tells an owner that this very device is in quarantine. It goes to all
/// devices of its owner, and is known by the id of the one that it means; in other languages than English it is not known.
fn holds(said: &Document, exchange: &Exchange) -> bool {
    let Ok(line) = QueryLine::parse(exchange.request.query()) else { return false };
    let id = line.device_id.to_string().to_ascii_lowercase();
    let mails = || said.root().descendants().filter(|element| element.tag() == tags::air_sync::APPLICATION_DATA);
    let says = |text: &str| text.contains("quarantine") && text.contains("activesync") && text.contains(&id);
    let texts = |mail: Element<'_>| mail.descendants().any(|one| one.is_leaf() && says(&one.text().to_lowercase()));
    id.len() >= SHORTEST_ID && mails().any(texts)
}

/// What a Provision request says.
fn asked(exchange: &Exchange) -> Option<Request> {
    let (document, _) = Document::decode_prefix(&exchange.request.body, Limits::default()).ok()?;
    Request::from_document(&document, ANY_VERSION).ok()
}

fn which(exchange: &Exchange) -> Option<Which> {
    if exchange.request.method.eq_ignore_ascii_case("OPTIONS") {
        return Some(Which::Options);
    }
    match QueryLine::parse(exchange.request.query()).ok()?.command {
        CommandName::Known(command) => Some(Which::Command(command)),
        _ => None,
    }
}
