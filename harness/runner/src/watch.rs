use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use easrig_eas::{Command, query::QueryLine};
use easrig_exchange::{Exchange, Failure, Headers, Outcome, Phase, Request, Timestamp};
use easrig_scenario::{Decoded, event::Event};
use easrig_transport::{Client, Patience};
use easrig_wbxml::tags::air_sync;
use tokio::net::TcpStream;
use url::{Origin, Url};

use crate::{clock::now, folder::FolderError, journal::Journal};

/// Watches over the target: an outage is reported once, and the cells wait until it is over.
///
/// There are two kinds. Nobody is there: the connection is refused, the host or its name is gone. Or somebody takes the
/// connection and says nothing, [`SILENCES`] times in a row; that OPTIONS is answered in between does not count for commands,
/// since many servers answer it in front of what hangs.
pub(crate) struct Watch {
    state: Mutex<State>,
    patience: Duration,
}

/// Whether it is worth asking the target anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// As far as can be seen.
    There,
    /// Nobody answers, for this reason, and it did not end in the time that an outage is waited out.
    Gone(String),
}

#[derive(Debug, Default)]
struct State {
    /// Who has answered before. Nobody else can be lost: the places where Autodiscover finds nobody are none of them.
    known: HashSet<Origin>,
    /// How many requests each has left without an answer since its last one of the kind.
    silences: HashMap<(Origin, Asked), u32>,
    lost: Option<Lost>,
}

#[derive(Clone, Debug)]
struct Lost {
    endpoint: Url,
    cause: String,
    since: Instant,
    at: Timestamp,
    kind: Kind,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Asked {
    /// What the mailbox has to answer.
    Command,
    /// Anything else: OPTIONS, Autodiscover.
    Front,
}

impl Asked {
    fn of(request: &Request) -> Self {
        let is_command = request.method == "POST" && QueryLine::parse(request.query()).is_ok();
        if is_command { Self::Command } else { Self::Front }
    }

    /// Whether an answer to `other` shows that this would be answered as well.
    fn is_served_with(self, other: Self) -> bool {
        self == Self::Front || other == Self::Command
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Nobody takes a connection.
    Unreachable,
    /// Connections are taken and requests are left without an answer.
    Silent(Asked, Trust),
}

/// What a sign of life of a silent target is worth: a proxy may go on answering for a server that hangs behind it.
#[derive(Clone, Copy, Debug)]
enum Trust {
    /// The next look is made at this moment; the one after that, if it misleads, so much later.
    Look { at: Instant, doubt: Duration },
    /// A look was answered, and the phones try it. The outage is over when one of them is answered.
    Trial { doubt: Duration },
}

impl Watch {
    pub(crate) fn new(patience: Duration) -> Self {
        Self { state: Mutex::default(), patience }
    }

    /// Whether anybody has ever answered.
    pub(crate) fn has_answered(&self) -> bool {
        !self.lock().known.is_empty()
    }

    /// What an exchange says about the target's presence; an outage and its end are recorded once.
    pub(crate) fn heed(&self, exchange: &Exchange, journal: &Journal) -> Result<(), FolderError> {
        let event = match &exchange.outcome {
            Outcome::Answered(_) => self.answered(exchange),
            Outcome::Failed(failure) if is_gone(failure) => {
                self.failed(&exchange.request.url, failure, Kind::Unreachable)
            }
            Outcome::Failed(failure) if is_silence(exchange, failure) => self.unanswered(&exchange.request, failure),
            Outcome::Failed(_) => None,
        };
        event.map_or(Ok(()), |event| journal.record(&event))
    }

    fn answered(&self, exchange: &Exchange) -> Option<Event> {
        let mut state = self.lock();
        let origin = exchange.request.url.origin();
        let asked = Asked::of(&exchange.request);
        state.silences.retain(|(from, left), _| *from != origin || !left.is_served_with(asked));
        // Phones of other lanes report later what they saw before.
        let done = exchange.started.after(Duration::from_micros(exchange.times.done));
        let over = state.lost.as_ref().is_some_and(|lost| {
            matches!(lost.kind, Kind::Silent(left, _) if left.is_served_with(asked))
                && lost.endpoint.origin() == origin
                && done > lost.at
        });
        state.known.insert(origin);
        over.then(|| state.lost = None).map(|()| Event::TargetBack { at: now() })
    }

    fn failed(&self, endpoint: &Url, failure: &Failure, kind: Kind) -> Option<Event> {
        let mut state = self.lock();
        if state.lost.is_some() || !state.known.contains(&endpoint.origin()) {
            return None;
        }
        let cause = match kind {
            Kind::Unreachable => failure.to_string(),
            Kind::Silent(Asked::Front, _) => {
                format!("{SILENCES} requests in a row were taken and never answered; the last: {failure}")
            }
            Kind::Silent(Asked::Command, _) => {
                format!("{SILENCES} commands in a row were taken and never answered; the last: {failure}")
            }
        };
        let (since, at) = (Instant::now(), now());
        state.lost = Some(Lost { endpoint: endpoint.clone(), cause: cause.clone(), since, at, kind });
        Some(Event::TargetLost { at, cause })
    }

    fn unanswered(&self, request: &Request, failure: &Failure) -> Option<Event> {
        let mut state = self.lock();
        if let Some(Lost { kind: Kind::Silent(_, trust @ Trust::Trial { .. }), .. }) = &mut state.lost {
            // Whoever answered the look was not the one whom the phones need.
            trust.disappoint();
            return None;
        }
        let asked = Asked::of(request);
        let silences = state.silences.entry((request.url.origin(), asked)).or_default();
        *silences += 1;
        let many = *silences >= SILENCES;
        drop(state);
        let trust = Trust::Look { at: Instant::now(), doubt: DOUBT };
        if many { self.failed(&request.url, failure, Kind::Silent(asked, trust)) } else { None }
    }

    /// Waits until the target answers again, or for as long as an outage is waited out.
    pub(crate) async fn ready(&self, client: &Client, journal: &Journal) -> Result<Presence, FolderError> {
        loop {
            let Some(Lost { endpoint, cause, since, kind, .. }) = self.lock().lost.clone() else {
                return Ok(Presence::There);
            };
            match kind {
                Kind::Silent(_, Trust::Trial { .. }) => return Ok(Presence::There),
                Kind::Silent(asked, Trust::Look { at, doubt }) => {
                    if at <= Instant::now() && answers(client, &endpoint).await {
                        if let Some(lost) = &mut self.lock().lost {
                            lost.kind = Kind::Silent(asked, Trust::Trial { doubt });
                        }
                        return Ok(Presence::There);
                    }
                }
                Kind::Unreachable => {
                    if reachable(client, &endpoint).await {
                        if self.lock().lost.take().is_some() {
                            journal.record(&Event::TargetBack { at: now() })?;
                        }
                        return Ok(Presence::There);
                    }
                }
            }
            if since.elapsed() > self.patience {
                return Ok(Presence::Gone(cause));
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Trust {
    /// A sign of life was none.
    fn disappoint(&mut self) {
        if let Self::Trial { doubt } = *self {
            *self = Self::Look { at: Instant::now() + doubt, doubt: doubt * 2 };
        }
    }
}

/// Whether nobody is there any more.
fn is_gone(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Refused { .. }
            | Failure::Unreachable { .. }
            | Failure::Dns { .. }
            | Failure::Timeout { phase: Phase::Connect, .. }
    )
}

/// Whether a connection was taken and nothing said where an answer was due at once.
fn is_silence(exchange: &Exchange, failure: &Failure) -> bool {
    match failure {
        Failure::Timeout { phase: Phase::Handshake, .. } => true,
        Failure::Timeout { phase: Phase::FirstByte, .. } => !waits(&Decoded::of(exchange)),
        _ => false,
    }
}

/// Whether the server may let the request wait: a Ping, a Sync that hangs, or a Sync without a body, which repeats one that
/// may have.
fn waits(decoded: &Decoded) -> bool {
    match decoded.command() {
        Some(Command::Ping) => true,
        Some(Command::Sync) => decoded.request.root().is_none_or(|root| {
            root.child_text(air_sync::WAIT).or_else(|| root.child_text(air_sync::HEARTBEAT_INTERVAL)).is_some()
        }),
        _ => false,
    }
}

/// Whether somebody takes a connection there; nothing is sent.
async fn reachable(client: &Client, endpoint: &Url) -> bool {
    let (Some(host), Some(port)) = (endpoint.host_str(), endpoint.port_or_known_default()) else { return false };
    let Ok(addresses) = client.names().addresses(host, port).await else { return false };
    let connect = TcpStream::connect(addresses.as_slice());
    matches!(tokio::time::timeout(LOOK_WITHIN, connect).await, Ok(Ok(_)))
}

/// Whether OPTIONS without credentials is answered there, whatever the answer is.
async fn answers(client: &Client, endpoint: &Url) -> bool {
    let Some(host) = endpoint.host_str() else { return false };
    let host = endpoint.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let mut url = endpoint.clone();
    url.set_query(None);
    let headers = Headers::from_iter([("Host", host.as_str()), ("User-Agent", "easrig"), ("Content-Length", "0")]);
    let request = Request { method: "OPTIONS".into(), url, headers, body: Vec::new() };
    let patience =
        Patience { connect: LOOK_WITHIN, handshake: LOOK_WITHIN, first_byte: LOOK_WITHIN, body: LOOK_WITHIN };
    matches!(client.session().send(&request, &patience).await.outcome, Outcome::Answered(_))
}

/// So many requests in a row without an answer are an outage.
const SILENCES: u32 = 3;
/// How long one look whether the target is back may take, and each part of it.
const LOOK_WITHIN: Duration = Duration::from_secs(2);
/// The time between two looks.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);
/// How long after a look that misled the next one is made; twice as long after each more.
const DOUBT: Duration = Duration::from_secs(30);
