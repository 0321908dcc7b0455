use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use easrig_exchange::{Failure, Phase};
use easrig_scenario::event::Event;
use easrig_transport::Client;
use tokio::net::TcpStream;
use url::{Origin, Url};

use crate::{clock::now, journal::Journal, run::RunError};

/// How long one look whether the target is back may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// Watches over the target: an outage is reported once, and the cells wait until it is over.
pub(crate) struct Watch {
    state: Mutex<State>,
    patience: Duration,
}

#[derive(Debug, Default)]
struct State {
    /// Who has answered before. Nobody else can be lost: the places where Autodiscover finds nobody are none of them.
    known: HashSet<Origin>,
    lost: Option<Lost>,
}

#[derive(Clone, Debug)]
struct Lost {
    endpoint: Url,
    cause: String,
    since: Instant,
}

impl Watch {
    pub(crate) fn new(patience: Duration) -> Self {
        Self { state: Mutex::default(), patience }
    }

    /// An HTTP answer came.
    pub(crate) fn answered(&self, endpoint: &Url) {
        self.lock().known.insert(endpoint.origin());
    }

    /// Whether anybody has ever answered.
    pub(crate) fn has_answered(&self) -> bool {
        !self.lock().known.is_empty()
    }

    /// A request failed; says so once when it means that nobody is there any more.
    pub(crate) fn failed(&self, endpoint: &Url, failure: &Failure, journal: &Journal) -> Result<(), RunError> {
        let gone = matches!(
            failure,
            Failure::Refused { .. }
                | Failure::Unreachable { .. }
                | Failure::Dns { .. }
                | Failure::Timeout { phase: Phase::Connect, .. }
        );
        let mut state = self.lock();
        if !gone || state.lost.is_some() || !state.known.contains(&endpoint.origin()) {
            return Ok(());
        }
        let cause = failure.to_string();
        state.lost = Some(Lost { endpoint: endpoint.clone(), cause: cause.clone(), since: Instant::now() });
        drop(state);
        journal.record(&Event::TargetLost { at: now(), cause })
    }

    /// Waits until the target answers again.
    ///
    /// # Errors
    /// The inner error is the cause when it did not come back in time.
    pub(crate) async fn ready(&self, client: &Client, journal: &Journal) -> Result<Result<(), String>, RunError> {
        loop {
            let Some(Lost { endpoint, cause, since }) = self.lock().lost.clone() else { return Ok(Ok(())) };
            if reachable(client, &endpoint).await {
                let lost = self.lock().lost.take();
                if lost.is_some() {
                    journal.record(&Event::TargetBack { at: now() })?;
                }
                return Ok(Ok(()));
            }
            if since.elapsed() > self.patience {
                return Ok(Err(cause));
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether somebody takes a connection there; nothing is sent.
async fn reachable(client: &Client, endpoint: &Url) -> bool {
    let (Some(host), Some(port)) = (endpoint.host_str(), endpoint.port_or_known_default()) else { return false };
    let Ok(addresses) = client.names().addresses(host, port).await else { return false };
    let connect = TcpStream::connect(addresses.as_slice());
    matches!(tokio::time::timeout(CONNECT_WITHIN, connect).await, Ok(Ok(_)))
}
