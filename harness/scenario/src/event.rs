//! The run file's lines: what happened, in the order it happened (`run.jsonl`, `format` 1).

use easrig_eas::{
    Version,
    headers::{Offer, WWW_AUTHENTICATE, challenges},
};
use easrig_exchange::{Exchange, ExchangeNumber, OfferAnswer, Response, Timestamp, TlsOffer, TlsVersion};
use serde::{Deserialize, Serialize};

use crate::{Cell, CellId, Confidence, Decoded, Finding, Invariant, Level, Limit, Scenario};

/// The number in the first line of every run file.
pub const FORMAT: u32 = 1;

/// One line of the run file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The first line.
    RunStarted(RunStarted),
    /// What the ids of the first line stand for, so that every report can be made from the run file alone.
    Described {
        /// The scenarios, in plan order.
        scenarios: Vec<ScenarioCard>,
        /// The personas, in plan order.
        personas: Vec<PersonaCard>,
    },
    /// The plan: every cell that will be tried, so that a run cut short can say what is missing.
    Planned {
        /// The cells, in plan order.
        cells: Vec<CellId>,
    },
    /// What the target says of itself, seen once per persona.
    TargetSeen(TargetSeen),
    /// The target was asked which versions of TLS it takes, once per host and port.
    TlsAsked(TlsAsked),
    /// A persona met a policy that it had not met before.
    PolicyMet(PolicyMet),
    /// A cell begins.
    CellStarted {
        /// Which one.
        cell: CellId,
        /// When.
        at: Timestamp,
    },
    /// A step begins; exchanges that follow belong to it.
    StepStarted {
        /// Which cell.
        cell: CellId,
        /// Step number from 1; 0 while the ladder is climbed.
        step: usize,
        /// What it does, in words.
        title: String,
    },
    /// An Exchange was written to `exchanges.eascap`.
    Exchanged {
        /// Which cell.
        cell: CellId,
        /// Its number in `exchanges.eascap`.
        exchange: ExchangeNumber,
        /// It in a line.
        #[serde(flatten)]
        card: ExchangeCard,
    },
    /// A cell is finished; the file is synced after this line.
    CellFinished(Cell),
    /// An exchange was the first that an invariant had anything to say about; without one, it has no cell.
    InvariantMet {
        /// The invariant's cell.
        cell: CellId,
    },
    /// An invariant was broken by an exchange; the invariant's own cell gathers these at the end of the run.
    InvariantBroken {
        /// The invariant's cell.
        cell: CellId,
        /// What was wrong.
        finding: Finding,
    },
    /// The target stopped answering, said once per outage.
    TargetLost {
        /// When.
        at: Timestamp,
        /// Why we think so.
        cause: String,
    },
    /// The target answers again.
    TargetBack {
        /// When.
        at: Timestamp,
    },
    /// The run went on in the same folder after an interruption.
    Resumed {
        /// When.
        at: Timestamp,
    },
    /// The last line of a run that was not cut short.
    RunFinished {
        /// When.
        at: Timestamp,
    },
}

/// The first line of a run file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStarted {
    /// [`FORMAT`].
    pub format: u32,
    /// Version of easrig that wrote it.
    pub easrig: String,
    /// When.
    pub at: Timestamp,
    /// The target as given on the command line: URL, or address, or `embedded:PROFILE`.
    pub target: String,
    /// What was allowed, and how trust was widened (`--allow writes`, `--insecure`, `--ca`).
    pub allowed: Vec<String>,
    /// The seed of everything random.
    pub seed: u64,
    /// How often each cell was to run; times are compared only when that is often enough.
    pub repeat: u32,
    /// Scenario id and SHA-256 of its file, in plan order: `--resume` compares them.
    pub scenarios: Vec<(String, String)>,
    /// Persona id and SHA-256 of its file, in plan order; `--resume` compares them, too.
    pub personas: Vec<(String, String)>,
    /// Whether contents were kept (`--keep-content`).
    pub keep_content: bool,
}

impl RunStarted {
    /// The personas, in plan order.
    pub fn persona_ids(&self) -> impl Iterator<Item = &str> {
        self.personas.iter().map(|(id, _)| id.as_str())
    }
}

/// A scenario as reports name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioCard {
    /// Its id.
    pub id: String,
    /// What the server does when it is right, in one line.
    pub title: String,
    /// How binding it is.
    pub level: Level,
    /// Requirement ids; the first names the findings.
    pub requirements: Vec<String>,
    /// The commands it is about, by the standard's names.
    pub commands: Vec<String>,
    /// What happens to the phone's owner when it breaks.
    pub why: Option<String>,
    /// What to change on the server.
    pub fix: Option<String>,
}

impl From<&Scenario> for ScenarioCard {
    fn from(scenario: &Scenario) -> Self {
        Self {
            id: scenario.id.clone(),
            title: scenario.title.clone(),
            level: scenario.level,
            requirements: scenario.requirements.clone(),
            commands: scenario.commands.iter().map(|command| command.name().to_owned()).collect(),
            why: scenario.why.clone(),
            fix: scenario.fix.clone(),
        }
    }
}

impl ScenarioCard {
    /// The card of an invariant by the id of its cells; `None` when no rule has that name.
    pub fn of_invariant(id: &str) -> Option<Self> {
        let name = id.strip_prefix("invariant/")?;
        let connects = |title: &str, why: &str, fix: &str| Self {
            id: id.to_owned(),
            title: title.to_owned(),
            level: Level::Must,
            requirements: Vec::new(),
            commands: Vec::new(),
            why: Some(why.to_owned()),
            fix: Some(fix.to_owned()),
        };
        match name {
            "trusted-chain" => Some(connects(
                "The phone trusts the server's certificates",
                "A phone that does not trust them does not connect, or asks its owner whether to go on.",
                "Send the whole chain, from a company whose root the phone has; or install the root on the phone.",
            )),
            "tls-version" => Some(connects(
                "Phone and server have a TLS version in common",
                "Without one the phone cannot connect at all.",
                "Let the server, or a reverse proxy for these phones, take a version that they speak. TLS 1.0 and 1.1 are \
                 obsolete: the lasting way is another phone.",
            )),
            _ => Invariant::find(name).map(Self::from),
        }
    }
}

impl From<&Invariant> for ScenarioCard {
    fn from(invariant: &Invariant) -> Self {
        Self {
            id: format!("invariant/{}", invariant.name),
            title: invariant.title.to_owned(),
            level: invariant.level,
            requirements: invariant.requirement.into_iter().map(str::to_owned).collect(),
            commands: Vec::new(),
            why: Some(invariant.why.to_owned()),
            fix: Some(invariant.fix.to_owned()),
        }
    }
}

/// A persona as reports name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonaCard {
    /// Its id.
    pub id: String,
    /// Its name for people: `Windows Phone 7.5`.
    pub title: String,
    /// The family it belongs to: `Windows Phone`.
    pub family: String,
    /// The protocol versions it can speak; empty in files of older builds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<Version>,
    /// Whether it can sign in with a token in place of a password; `None` in files of older builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<bool>,
}

/// An Exchange in a line: enough for the statuses and times of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeCard {
    /// What was asked: a command, `OPTIONS`, or the HTTP method of anything else.
    pub command: String,
    /// HTTP status code; `None` when there was no answer.
    pub http: Option<u16>,
    /// The main Status of the answer, where it has one.
    pub status: Option<u16>,
    /// From the first byte due to leave until the last one that came, in microseconds.
    pub took_us: u64,
    /// The ways of signing in that an answer with HTTP 401 offers, as it writes them (`Basic`, `Bearer`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub challenges: Vec<String>,
    /// The limit that the answer names, when the request was beyond it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
}

impl ExchangeCard {
    /// The line about an Exchange.
    pub fn of(exchange: &Exchange, decoded: &Decoded) -> Self {
        Self {
            command: decoded.verb.map_or_else(|| exchange.request.method.clone(), |verb| verb.to_string()),
            http: decoded.http,
            status: decoded.status.map(|(_, status)| status.0),
            took_us: exchange.times.done,
            challenges: exchange.response().map(offered).unwrap_or_default(),
            limit: Limit::of(decoded),
        }
    }
}

/// The most ways of signing in that are kept of one answer, and the most characters of each.
const CHALLENGES_MOST: (usize, usize) = (8, 32);

fn offered(response: &Response) -> Vec<String> {
    if response.status != 401 {
        return Vec::new();
    }
    let lines = response.headers.all(WWW_AUTHENTICATE);
    let (most, longest) = CHALLENGES_MOST;
    let schemes = lines.flat_map(challenges).take(most);
    schemes.map(|challenge| challenge.scheme.chars().take(longest).collect()).collect()
}

/// A policy as a phone met it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyMet {
    /// The persona.
    pub persona: String,
    /// The version it spoke.
    pub version: Option<Version>,
    /// The settings that bind, with what the phone did with each.
    pub settings: Vec<SettingMet>,
}

/// A setting of a policy, and what a phone did with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingMet {
    /// Its name (MS-ASPROV 2.2.2).
    pub name: String,
    /// Its value as on the wire; for a list, how many entries it has.
    pub value: String,
    /// What the phone did with it.
    pub treatment: Treatment,
    /// How far that is known of the device.
    pub confidence: Confidence,
}

/// What a phone does with a setting of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// It cannot apply it, and does not say that it has.
    Refused,
    /// It takes no notice, and says that it has applied the policy.
    Ignored,
    /// It applies it.
    Enforced,
}

/// What the target says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetSeen {
    /// Persona that saw it.
    pub persona: String,
    /// Endpoint URL, without credentials.
    pub endpoint: String,
    /// `Server`, `MS-Server-ActiveSync`, `X-Powered-By` … as seen.
    pub software: Vec<(String, String)>,
    /// Versions offered.
    pub versions: Vec<Version>,
    /// Commands offered.
    pub commands: Vec<String>,
    /// TLS version and suite, empty over plain HTTP.
    pub tls: String,
}

/// Which versions of TLS a server takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsAsked {
    /// Host and port.
    pub endpoint: String,
    /// What it made of each version, oldest first.
    pub offers: Vec<TlsOffer>,
}

impl TlsAsked {
    /// The scenario under which reports show whether a phone has a version in common with the server.
    pub const CELL: &'static str = "invariant/tls-version";

    /// What the server made of a version; `None` when it was not asked.
    pub fn offer(&self, version: TlsVersion) -> Option<&TlsOffer> {
        self.offers.iter().find(|offer| offer.version == version)
    }

    /// The versions that it takes, oldest first.
    pub fn accepted(&self) -> impl Iterator<Item = TlsVersion> {
        let accepted = self.offers.iter().filter(|offer| offer.answer == OfferAnswer::Accepted);
        accepted.map(|offer| offer.version)
    }
}

impl TargetSeen {
    /// What an answer that offers versions says; `None` for others.
    pub fn of(persona: &str, exchange: &Exchange) -> Option<Self> {
        let response = exchange.response()?;
        let offer = Offer::parse(
            response.headers.get("MS-ASProtocolVersions").unwrap_or_default(),
            response.headers.get("MS-ASProtocolCommands").unwrap_or_default(),
        );
        let software =
            SOFTWARE.iter().filter_map(|name| Some(((*name).to_owned(), response.headers.get(name)?.to_owned())));
        let mut endpoint = exchange.request.url.clone();
        endpoint.set_query(None);
        (!offer.versions.is_empty()).then(|| TargetSeen {
            persona: persona.to_owned(),
            endpoint: endpoint.into(),
            software: software.collect(),
            versions: offer.versions,
            commands: offer.commands,
            tls: exchange.tls.as_ref().map(|tls| format!("{} {}", tls.version, tls.cipher_suite)).unwrap_or_default(),
        })
    }
}

/// Headers that say what the server is.
const SOFTWARE: [&str; 6] =
    ["Server", "MS-Server-ActiveSync", "X-Powered-By", "X-AspNet-Version", "X-FEServer", "X-OWA-Version"];
