use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Seek};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use easrig_exchange::{Exchange, ExchangeNumber, Origin, Outcome, Request, Sender, Times};
use easrig_scenario::{
    Decoded,
    difference::{Owned, owned, owned_value},
};
use easrig_transport::{ServerRequest, ServerResponse, Service};
use easrig_wbxml::Element;
use url::Url;

use super::Recording;
use crate::clock::now;

/// Answers that took longer than this in the recording are waited for as long: a Ping that is answered at once is asked
/// again at once.
const WORTH_WAITING: Duration = Duration::from_millis(500);

/// Headers that belong to the recorded transfer.
const LEFT_OUT: [&str; 5] = ["content-length", "transfer-encoding", "connection", "keep-alive", "date"];

/// Elements whose presence in a request says what is wanted.
const TELLING: [&str; 15] = [
    "Add",
    "Change",
    "Delete",
    "Fetch",
    "Get",
    "Set",
    "Oof",
    "UserInformation",
    "DeviceInformation",
    "DevicePassword",
    "EmptyFolderContents",
    "Move",
    "RemoteWipe",
    "Availability",
    "Picture",
];

/// Texts that say what is wanted.
const WORDS: [&str; 10] = [
    "Query",
    "FreeText",
    "To",
    "DisplayName",
    "Name",
    "PolicyType",
    "UserResponse",
    "Range",
    "DeleteSubFolders",
    "Type",
];

/// A server that answers from a recording.
///
/// A request is matched by its command and what it asks for: the folders, keys and ids in it, the commands inside a Sync,
/// the words of a search. Since the keys handed out are the recorded ones, a client that goes the recorded way finds the
/// recorded answers, one after the other; the last of several goes on being given.
pub struct Recorded<R: Read + Seek> {
    state: Mutex<State<R>>,
    hears: Arc<dyn Fn(Unanswered) + Send + Sync>,
}

struct State<R: Read + Seek> {
    recording: Recording<R>,
    offers: Vec<Offer>,
    /// Which recorded device answers which client.
    cast: BTreeMap<String, String>,
    given: BTreeMap<(String, String), usize>,
}

/// An answer of the recording, and what it answers.
struct Offer {
    number: ExchangeNumber,
    device: String,
    id: Option<String>,
    agent: Option<String>,
    meaning: String,
}

/// Who asks.
struct Client {
    id: String,
    agent: Option<String>,
}

/// A request that the recording has no answer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// The command, or the method.
    pub command: String,
    /// What it asked for.
    pub meaning: String,
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing like it was recorded: {} ({})", self.command, self.meaning)
    }
}

impl<R: Read + Seek> Recorded<R> {
    /// Looks through the recording once; `hears` is told of every request that it has no answer to.
    ///
    /// # Errors
    /// When the recording cannot be read.
    pub fn new(
        mut recording: Recording<R>,
        hears: Arc<dyn Fn(Unanswered) + Send + Sync>,
    ) -> Result<Self, easrig_exchange::EascapError> {
        let mut offers = Vec::new();
        for entry in recording.entries().to_vec() {
            let Some(exchange) = recording.get(entry.number)?.filter(|exchange| exchange.response().is_some()) else {
                continue;
            };
            let decoded = Decoded::of(&exchange);
            let device = match entry.sender.persona.is_empty() {
                true => entry.device.clone().unwrap_or_default(),
                false => format!("{} {}", entry.sender.persona, entry.sender.role),
            };
            let meaning = meaning(&exchange.request, &decoded);
            offers.push(Offer {
                number: entry.number,
                device,
                id: entry.device,
                agent: agent(&exchange.request),
                meaning,
            });
        }
        let state = State { recording, offers, cast: BTreeMap::new(), given: BTreeMap::new() };
        Ok(Self { state: Mutex::new(state), hears })
    }

    fn state(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The recorded exchange that answers a request.
    fn answer(&self, request: Request) -> Result<Exchange, Unanswered> {
        let asked = exchange_of(request);
        let decoded = Decoded::of(&asked);
        let meaning = meaning(&asked.request, &decoded);
        let client = decoded.query.as_ref().map(|query| query.device_id.to_string()).unwrap_or_default();
        let mut state = self.state();
        let client = Client { id: client, agent: agent(&asked.request) };
        let found = state.choose(&client, &meaning).and_then(|number| state.recording.get(number).ok().flatten());
        let command = decoded.verb.map_or_else(|| asked.request.method.clone(), |verb| verb.to_string());
        found.ok_or(Unanswered { command, meaning })
    }
}

impl<R: Read + Seek> State<R> {
    /// Whose way a client goes: its own, else that of a recorded device that nobody goes yet.
    fn stand_in(&self, client: &Client, meaning: &str) -> Option<&Offer> {
        let fitting = || self.offers.iter().filter(|offer| offer.meaning == meaning);
        let is_own = |offer: &&Offer| offer.id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(&client.id));
        let is_free = |offer: &&Offer| !self.cast.values().any(|taken| *taken == offer.device);
        let is_kind = |offer: &&Offer| offer.agent == client.agent;
        let own = fitting().find(is_own);
        own.or_else(|| fitting().find(|offer| is_kind(offer) && is_free(offer)))
            .or_else(|| fitting().find(is_kind))
            .or_else(|| fitting().find(is_free))
            .or_else(|| fitting().next())
    }

    fn choose(&mut self, client: &Client, meaning: &str) -> Option<ExchangeNumber> {
        let known = self.cast.get(&client.id).cloned();
        let of = |device: &str| -> Vec<ExchangeNumber> {
            let fits = |offer: &&Offer| offer.device == device && offer.meaning == meaning;
            self.offers.iter().filter(fits).map(|offer| offer.number).collect()
        };
        let device = match known {
            Some(device) if !of(&device).is_empty() => device,
            // A new client, or one that goes another recorded way than before.
            _ => self.stand_in(client, meaning)?.device.clone(),
        };
        let numbers = of(&device);
        let key = (client.id.clone(), meaning.to_owned());
        let is_over = self.given.get(&key).is_some_and(|given| *given >= numbers.len());
        if is_over && meaning.starts_with("FolderSync") && meaning.ends_with("SyncKey=0") {
            // A client that sets up its account again begins the recording again.
            self.given.retain(|(other, _), _| *other != client.id);
        }
        if !client.id.is_empty() {
            self.cast.insert(client.id.clone(), device);
        }
        let given = self.given.entry(key).or_default();
        let number = numbers.get(*given).or(numbers.last()).copied();
        *given = given.saturating_add(1);
        number
    }
}

impl<R: Read + Seek + Send + 'static> Service for Recorded<R> {
    async fn call(&self, request: ServerRequest) -> ServerResponse {
        let Some(request) = read(request) else { return plain(400, "the request line is no URL") };
        match self.answer(request) {
            Ok(exchange) => {
                let took = Duration::from_micros(exchange.times.done);
                if took >= WORTH_WAITING {
                    tokio::time::sleep(took).await;
                }
                recorded(exchange)
            }
            Err(unanswered) => {
                let text = unanswered.to_string();
                (self.hears)(unanswered);
                plain(501, &text)
            }
        }
    }
}

fn agent(request: &Request) -> Option<String> {
    request.headers.get("User-Agent").map(str::to_owned)
}

fn read(request: ServerRequest) -> Option<Request> {
    let base: Url = "http://recorded.invalid".parse().ok()?;
    let url = base.join(&request.path_and_query).ok()?;
    Some(Request { method: request.method, url, headers: request.headers, body: request.body })
}

fn exchange_of(request: Request) -> Exchange {
    Exchange {
        number: ExchangeNumber(0),
        origin: Origin::Live,
        sender: Sender::default(),
        started: now(),
        request,
        outcome: Outcome::Failed(easrig_exchange::Failure::Cancelled),
        times: Times::default(),
        tls: None,
    }
}

fn recorded(exchange: Exchange) -> ServerResponse {
    let Outcome::Answered(response) = exchange.outcome else { return plain(501, "there is no recorded answer") };
    let kept = response.headers.iter().filter(|(name, _)| !LEFT_OUT.contains(&name.to_ascii_lowercase().as_str()));
    ServerResponse { status: response.status, headers: kept.collect(), body: response.body }
}

fn plain(status: u16, text: &str) -> ServerResponse {
    ServerResponse {
        status,
        headers: [("Content-Type", "text/plain; charset=utf-8")].into_iter().collect(),
        body: format!("{text}\n").into_bytes(),
    }
}

/// What a request asks for, in one line: equal for requests that deserve the same answer.
fn meaning(request: &Request, decoded: &Decoded) -> String {
    let mut parts = vec![match decoded.verb {
        Some(verb) => verb.to_string(),
        None => format!("{} {}", request.method, request.url.path().to_ascii_lowercase()),
    }];
    if request.headers.get("Authorization").is_none() {
        parts.push("without login".to_owned());
    }
    if let Some(query) = &decoded.query {
        let ids = [&query.collection_id, &query.item_id, &query.long_id, &query.attachment_name, &query.occurrence];
        parts.extend(ids.into_iter().flatten().cloned());
    }
    let mut details: Vec<String> =
        decoded.request.root().into_iter().flat_map(Element::descendants).filter_map(detail).collect();
    details.sort();
    parts.extend(details);
    parts.join("; ")
}

fn detail(element: Element<'_>) -> Option<String> {
    let name = element.tag().name()?;
    match owned(element.tag()).filter(|_| element.is_leaf()) {
        // What the client chose for itself is another each time.
        Some(Owned::Client | Owned::Meeting) => None,
        Some(_) => Some(format!("{name}={}", owned_value(element))),
        None if element.is_leaf() && WORDS.contains(&name) && !is_wish(element) => {
            Some(format!("{name}={}", element.text().trim()))
        }
        // A Provision that says how the policy was taken is another than the one that asks for it.
        None if name == "Status" => Some(format!("Status={}", element.text().trim())),
        None if TELLING.contains(&name) => Some(name.to_owned()),
        None => None,
    }
}

/// Whether the element says how a thing should look (`Type` of a body) and not which thing.
fn is_wish(element: Element<'_>) -> bool {
    element.tag().namespace() == Some("AirSyncBase")
}
