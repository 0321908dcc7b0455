use std::{sync::Arc, time::Duration};

use easrig_eas::Version;
use easrig_exchange::Content;
use easrig_persona::Persona;
use easrig_scenario::{
    Scenario, Strictness,
    event::{self, Event, PersonaCard, RunStarted, ScenarioCard},
};
use easrig_transport::Client;
use url::Url;

use crate::{Account, clock::now, control::Control};

/// What a run is to do.
#[derive(Clone)]
pub struct Orders {
    /// The target.
    pub target: Target,
    /// Whose it is.
    pub server: Server,
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
    /// How many account pairs are busy at once; at least one.
    pub jobs: usize,
    /// How often each cell runs; at least once.
    pub repeat: u32,
    /// Which findings fail a cell.
    pub strictness: Strictness,
    /// The seed of everything that differs from run to run.
    pub seed: u64,
    /// Whether contents are written down.
    pub content: Content,
    /// Trust and names.
    pub client: Client,
    /// What was allowed and how trust was widened, in words, for the run file.
    pub trust: Vec<String>,
    /// How long an outage of a target that has answered before is waited out.
    pub outage: Duration,
}

/// Where the server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Here.
    Url(Url),
    /// Where Autodiscover says for this address.
    Address(String),
}

/// Whose server it is, and with that what it can be asked for.
#[derive(Clone)]
pub enum Server {
    /// Somebody's own: it is as it is.
    Foreign,
    /// The reference server. It can be told to change, and Autodiscover leads from the accounts' addresses to it, so that
    /// scenarios about discovery run although its URL is known.
    Reference(Arc<dyn Control>),
}

impl Server {
    /// The way to change it.
    pub(crate) fn control(&self) -> Option<&Arc<dyn Control>> {
        match self {
            Self::Foreign => None,
            Self::Reference(control) => Some(control),
        }
    }
}

/// Which protocol versions a run speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Versions {
    /// One per persona: the one it picks from the server's header.
    #[default]
    Own,
    /// Each of these.
    List(Vec<Version>),
    /// Each that server and persona both know.
    All,
}

/// What may be done to the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Scenarios that make things of their own and remove them again.
    pub writes: bool,
    /// Scenarios that may cost what they did not make; the target was named as disposable.
    pub destroys: bool,
    /// One wrong password against a real account.
    pub lockout: bool,
    /// Scenarios that wait out a long heartbeat.
    pub heartbeats: bool,
    /// To leave what the scenarios made in the mailboxes (`--leave`), for a second look by other means.
    pub leave: bool,
}

impl Orders {
    /// The first line of the run file.
    pub fn started(&self) -> RunStarted {
        let scenario = |s: &Arc<Scenario>| (s.id.clone(), s.hash().to_owned());
        let persona = |p: &Arc<Persona>| (p.id().to_owned(), p.hash().to_owned());
        RunStarted {
            format: event::FORMAT,
            easrig: env!("CARGO_PKG_VERSION").to_owned(),
            at: now(),
            target: self.target_name.clone(),
            allowed: self.trust.clone(),
            seed: self.seed,
            repeat: self.repeat,
            scenarios: self.scenarios.iter().map(scenario).collect(),
            personas: self.personas.iter().map(persona).collect(),
            keep_content: self.content == Content::Kept,
        }
    }

    /// The second line: what the ids of the first stand for.
    pub(crate) fn described(&self) -> Event {
        let persona = |persona: &Arc<Persona>| PersonaCard {
            id: persona.id().to_owned(),
            title: persona.title().to_owned(),
            family: persona.family().to_owned(),
            versions: persona.versions().to_vec(),
            tokens: Some(persona.has_tokens()),
        };
        Event::Described {
            scenarios: self.scenarios.iter().map(|scenario| ScenarioCard::from(&**scenario)).collect(),
            personas: self.personas.iter().map(persona).collect(),
        }
    }
}
