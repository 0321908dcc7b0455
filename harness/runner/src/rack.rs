use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use easrig_exchange::{Exchange, ExchangeNumber, Failure, Origin, Outcome, Request, Sender, Timestamp};
use easrig_persona::{
    Confidence, End, Ending, Input, Machine, Output, Patience, Persona, Phone, RequestId, Rests, SrvTarget, Task,
    TaskId, TimerId,
};
use easrig_scenario::Role;
use easrig_transport::{Attempt, Client, Session, SrvEntry};
use futures_util::{
    StreamExt,
    future::{AbortHandle, Abortable, BoxFuture, FutureExt},
    stream::FuturesUnordered,
};

use crate::{clock::now, folder::FolderError, journal::CellJournal};

/// A task of one phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Errand {
    pub(crate) role: Role,
    task: TaskId,
}

/// The phones of one cell on the network: carries out what their machines ask for and tells them what came of it.
///
/// Whatever is awaited, all phones go on: a Ping waits while another phone sends.
pub(crate) struct Rack<'r> {
    client: &'r Client,
    journal: &'r CellJournal<'r>,
    persona: String,
    stations: BTreeMap<Role, Station>,
    flight: FuturesUnordered<BoxFuture<'r, Arrival>>,
    cancel: HashMap<(Role, RequestId), AbortHandle>,
    errands: HashMap<Errand, Progress>,
}

struct Station {
    phone: Phone,
    session: Arc<Session>,
}

#[derive(Default)]
struct Progress {
    exchanges: Vec<Exchange>,
    ending: Option<Ending>,
}

/// What came of an errand.
pub(crate) struct Report {
    pub(crate) ending: Ending,
    pub(crate) exchanges: Vec<Exchange>,
}

enum Arrival {
    Http(Box<Answered>),
    Srv { role: Role, id: RequestId, found: Vec<SrvEntry> },
    Timer { role: Role, id: TimerId },
}

/// What became of a request; without an attempt the phone gave it up.
struct Answered {
    role: Role,
    id: RequestId,
    errand: Errand,
    request: Request,
    attempt: Option<Attempt>,
    started: Timestamp,
}

impl<'r> Rack<'r> {
    pub(crate) fn new(client: &'r Client, persona: &Persona, journal: &'r CellJournal<'r>) -> Self {
        Self {
            persona: persona.id().to_owned(),
            client,
            journal,
            stations: BTreeMap::new(),
            flight: FuturesUnordered::new(),
            cancel: HashMap::new(),
            errands: HashMap::new(),
        }
    }

    pub(crate) fn add(&mut self, role: Role, phone: Phone) {
        self.stations.insert(role, Station { phone, session: Arc::new(self.client.session()) });
    }

    pub(crate) fn phone(&self, role: Role) -> Option<&Phone> {
        self.stations.get(&role).map(|station| &station.phone)
    }

    pub(crate) fn phone_mut(&mut self, role: Role) -> Option<&mut Phone> {
        self.stations.get_mut(&role).map(|station| &mut station.phone)
    }

    /// Starts a task; it goes on whenever anything is awaited.
    pub(crate) fn begin(&mut self, role: Role, task: Task) -> Result<Errand, FolderError> {
        let mut out = Vec::new();
        let station = self.stations.get_mut(&role).expect("roles are added before steps run");
        let errand = Errand { role, task: station.phone.begin(task, now(), &mut out) };
        self.errands.insert(errand, Progress::default());
        self.carry_out(role, out)?;
        Ok(errand)
    }

    /// Starts a task and waits for its end.
    pub(crate) async fn run(&mut self, role: Role, task: Task) -> Result<Report, FolderError> {
        let errand = self.begin(role, task)?;
        self.wait_for(errand).await
    }

    /// Waits for the end of a task.
    pub(crate) async fn wait_for(&mut self, errand: Errand) -> Result<Report, FolderError> {
        loop {
            if let Some(ending) = self.errands.get_mut(&errand).and_then(|progress| progress.ending.take()) {
                let progress = self.errands.remove(&errand).unwrap_or_default();
                return Ok(Report { ending, exchanges: progress.exchanges });
            }
            if !self.next().await? {
                let why = "the device waits for nothing and never said it was done".to_owned();
                let rests = Rests { lowest: Confidence::High, assumed: Vec::new() };
                return Ok(Report { ending: Ending { end: End::GaveUp(why), rests }, exchanges: Vec::new() });
            }
        }
    }

    /// Lets `time` pass while the phones go on.
    pub(crate) async fn pause(&mut self, time: Duration) -> Result<(), FolderError> {
        let over = tokio::time::sleep(time);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return Ok(()),
                Some(arrival) = self.flight.next() => self.arrived(arrival)?,
            }
        }
    }

    /// Gives up a task that goes on in the background.
    pub(crate) fn abandon(&mut self, errand: Errand) -> Result<(), FolderError> {
        let mut out = Vec::new();
        if let Some(station) = self.stations.get_mut(&errand.role) {
            station.phone.abandon(errand.task, &mut out);
        }
        self.carry_out(errand.role, out)?;
        self.errands.remove(&errand);
        Ok(())
    }

    /// Hangs up whatever is still under way, and writes it down: every request is an exchange, answered or not. What the
    /// phones did with their policies is written down too.
    pub(crate) fn hang_up(&mut self) -> Result<(), FolderError> {
        self.cancel.drain().for_each(|(_, handle)| handle.abort());
        while let Some(Some(arrival)) = self.flight.next().now_or_never() {
            if let Arrival::Http(answered) = arrival {
                let Answered { role, request, attempt, started, .. } = *answered;
                let exchange = self.exchange(role, request, attempt, started);
                self.journal.exchanged(exchange)?;
            }
        }
        for station in self.stations.values() {
            self.journal.journal.policy(&self.persona, &station.phone)?;
        }
        Ok(())
    }

    /// Handles the next arrival; false when nothing is under way.
    async fn next(&mut self) -> Result<bool, FolderError> {
        match self.flight.next().await {
            Some(arrival) => self.arrived(arrival).map(|()| true),
            None => Ok(false),
        }
    }

    fn arrived(&mut self, arrival: Arrival) -> Result<(), FolderError> {
        let (role, input) = match arrival {
            Arrival::Timer { role, id } => (role, Input::TimerFired(id)),
            Arrival::Srv { role, id, found } => {
                let found = found.into_iter().map(srv_target).collect();
                (role, Input::SrvFound(id, found))
            }
            Arrival::Http(answered) => {
                let Answered { role, id, errand, request, attempt, started } = *answered;
                self.cancel.remove(&(role, id));
                let exchange = self.exchange(role, request, attempt, started);
                let exchange = self.journal.exchanged(exchange)?;
                let input = match &exchange.outcome {
                    Outcome::Answered(response) => Input::Answered(id, Box::new(response.clone())),
                    Outcome::Failed(Failure::Cancelled) => {
                        self.note(errand, exchange);
                        return Ok(());
                    }
                    Outcome::Failed(failure) => Input::Failed(id, failure.clone()),
                };
                self.note(errand, exchange);
                (role, input)
            }
        };
        let mut out = Vec::new();
        if let Some(station) = self.stations.get_mut(&role) {
            station.phone.step(input, now(), &mut out);
        }
        self.carry_out(role, out)
    }

    fn note(&mut self, errand: Errand, exchange: Exchange) {
        if let Some(progress) = self.errands.get_mut(&errand) {
            progress.exchanges.push(exchange);
        }
    }

    fn exchange(&self, role: Role, request: Request, attempt: Option<Attempt>, started: Timestamp) -> Exchange {
        let given_up = || Attempt {
            outcome: Outcome::Failed(Failure::Cancelled),
            times: easrig_exchange::Times { done: micros_since(started), ..Default::default() },
            tls: None,
            started,
            retried: false,
        };
        let attempt = attempt.unwrap_or_else(given_up);
        Exchange {
            number: ExchangeNumber(0),
            origin: Origin::Live,
            sender: Sender { persona: self.persona.clone(), role: role.name().to_owned() },
            started: attempt.started,
            request,
            outcome: attempt.outcome,
            times: attempt.times,
            tls: attempt.tls,
        }
    }

    fn carry_out(&mut self, role: Role, out: Vec<Output>) -> Result<(), FolderError> {
        for output in out {
            match output {
                Output::Send { id, request, patience, task } => self.send(role, id, *request, &patience, task),
                Output::LookUpSrv { id, domain } => {
                    let client = self.client;
                    // A name service that does not answer is, for the device, one that knows nothing.
                    let ask = async move {
                        let found = client.autodiscover_srv(&domain, SRV_PATIENCE).await.unwrap_or_default();
                        Arrival::Srv { role, id, found }
                    };
                    self.flight.push(ask.boxed());
                }
                Output::Wait(id, time) => {
                    self.flight.push(tokio::time::sleep(time).map(move |()| Arrival::Timer { role, id }).boxed());
                }
                Output::Cancel(id) => {
                    if let Some(handle) = self.cancel.remove(&(role, id)) {
                        handle.abort();
                    }
                }
                Output::ShowOwner(error) => self.journal.owner_sees(role, &error),
                Output::Done(task, ending) => {
                    if let Some(progress) = self.errands.get_mut(&Errand { role, task }) {
                        progress.ending = Some(ending);
                    }
                }
            }
        }
        Ok(())
    }

    fn send(&mut self, role: Role, id: RequestId, request: Request, patience: &Patience, task: TaskId) {
        let station = self.stations.get(&role).expect("only phones on the rack send");
        let session = Arc::clone(&station.session);
        let patience = easrig_transport::Patience {
            connect: patience.connect,
            handshake: patience.handshake,
            first_byte: patience.first_byte,
            body: patience.body,
        };
        let (handle, registration) = AbortHandle::new_pair();
        self.cancel.insert((role, id), handle);
        self.journal.sending(role, &request);
        let started = now();
        let copy = request.clone();
        let going = async move { session.send(&copy, &patience).await };
        let errand = Errand { role, task };
        let arrival = Abortable::new(going, registration).map(move |attempt| {
            let attempt = attempt.ok();
            Arrival::Http(Box::new(Answered { role, id, errand, request, attempt, started }))
        });
        self.flight.push(arrival.boxed());
    }
}

fn micros_since(started: Timestamp) -> u64 {
    u64::try_from(now().0.saturating_sub(started.0)).unwrap_or(0)
}

fn srv_target(entry: SrvEntry) -> SrvTarget {
    SrvTarget { priority: entry.priority, weight: entry.weight, port: entry.port, host: entry.target }
}

/// How long the name service may take.
const SRV_PATIENCE: Duration = Duration::from_secs(10);
