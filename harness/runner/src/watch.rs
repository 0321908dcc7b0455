use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use easrig_exchange::Failure;
use easrig_scenario::event::Event;
use easrig_transport::Client;
use tokio::net::TcpStream;
use url::Url;

use crate::{clock::now, journal::Journal, run::RunError};

/// How long one look whether the target is back may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// Watches over the target: an outage is reported once, and the cells wait until it is over.
pub(crate) struct Watch {
    state: Mutex<State>,
    patience: Duration,
}

#[derive(Clone, Debug)]
enum State {
    /// It has never answered, so there is nothing to wait for.
    Unknown,
    Answers,
    Lost {
        endpoint: Url,
        cause: String,
        since: Instant,
    },
}

impl Watch {
    pub(crate) fn new(patience: Duration) -> Self {
        Self { state: Mutex::new(State::Unknown), patience }
    }

    /// An HTTP answer came.
    pub(crate) fn answered(&self) {
        let mut state = self.lock();
        if matches!(*state, State::Unknown) {
            *state = State::Answers;
        }
    }

    /// A request failed; says so once when it means that nobody is there any more.
    pub(crate) fn failed(&self, endpoint: &Url, failure: &Failure, journal: &Journal) -> Result<(), RunError> {
        let gone = matches!(failure, Failure::Refused { .. } | Failure::Unreachable { .. } | Failure::Dns { .. });
        let mut state = self.lock();
        if !gone || !matches!(*state, State::Answers) {
            return Ok(());
        }
        let cause = failure.to_string();
        *state = State::Lost { endpoint: endpoint.clone(), cause: cause.clone(), since: Instant::now() };
        drop(state);
        journal.record(&Event::TargetLost { at: now(), cause })
    }

    /// Waits until the target answers again.
    ///
    /// # Errors
    /// The inner error is the cause when it did not come back in time.
    pub(crate) async fn ready(&self, client: &Client, journal: &Journal) -> Result<Result<(), String>, RunError> {
        loop {
            let State::Lost { endpoint, cause, since } = self.lock().clone() else { return Ok(Ok(())) };
            if reachable(client, &endpoint).await {
                let mut state = self.lock();
                if matches!(*state, State::Lost { .. }) {
                    *state = State::Answers;
                    drop(state);
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
