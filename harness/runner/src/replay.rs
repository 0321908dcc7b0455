//! Replay: what a recorded device asked, asked again of another server, with the answers compared in meaning.
//!
//! Requests go out in the recorded device's own form and in the recorded order: what was answered before a request left
//! is answered before it leaves again, and what was under way at the same time is so again. What the server owns (keys,
//! ids) is taken from the answers of the target, found at the same meaning; what cannot be found is said, and never sent
//! wrong. The care for production is that of a run: effects must be allowed, the device is always the same, and the first
//! refused password stops its account.

mod binding;
mod care;
mod cast;
mod compose;
mod cut;
mod device;
mod heartbeat;
mod judge;
mod ledger;
mod outcome;
mod recording;
mod rename;
mod serve;
mod stage;

use std::io::{Read, Seek};
use std::sync::Arc;
use std::time::Duration;

use easrig_exchange::{EascapError, Timestamp};
use easrig_scenario::event::{self, Event, RunStarted};
use easrig_transport::Client;
use thiserror::Error;
use url::Url;

use crate::{Account, FolderError, RunFolder, clock::now, orders::Allowed};
pub use outcome::{Came, Replayed, Row, Totals};
pub use recording::{Entry, Recording};
pub use serve::{Recorded, Unanswered};
use stage::Stage;

/// What to replay where, and how.
#[derive(Clone, Debug)]
pub struct ReplayOrders {
    /// What the recording is called, for the record.
    pub recording: String,
    /// The target as it was named.
    pub target_name: String,
    /// The URL for ActiveSync.
    pub endpoint: Url,
    /// The mailboxes, owner and partner in turn.
    pub accounts: Vec<Account>,
    /// How much is changed in a request.
    pub mode: Mode,
    /// How fast.
    pub pace: Pace,
    /// What may be done to the target.
    pub allowed: Allowed,
    /// Whether contents are written down.
    pub keep_content: bool,
    /// Trust and names.
    pub client: Client,
    /// What was allowed and how trust was widened, in words.
    pub trust: Vec<String>,
    /// How much longer than in the recording an answer may take.
    pub wait: Duration,
}

/// How much is changed in a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// What the server owns is taken from the answers of the target; device ids are made for the account.
    #[default]
    Rebound,
    /// Nothing but the host, the login and the length.
    AsRecorded,
}

impl Mode {
    /// Its name on the command line and in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rebound => "re-bound",
            Self::AsRecorded => "as-recorded",
        }
    }
}

/// How fast requests follow each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// As soon as everything is answered that was answered before; and where a Ping or Sync has waited in vain, it waits no
    /// longer than it must.
    #[default]
    Fast,
    /// Not before as much time has passed as in the recording.
    Real,
}

/// Why a replay cannot go on; what was recorded up to then is kept.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The recording cannot be read.
    #[error(transparent)]
    Recording(#[from] EascapError),
    /// The folder cannot be written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// No account was given.
    #[error("a replay needs at least one account (--account USER:SECRET)")]
    NoAccount,
}

/// Hears of every exchange that is done with, in the order in which they are.
pub trait ReplayObserver: Send + Sync {
    /// So many of so many are done with.
    fn progress(&self, done: usize, of: usize) {
        let _ = (done, of);
    }
}

/// Nobody listens.
impl ReplayObserver for () {}

/// Replays a recording and writes what happens into the folder of a run; up to the moment at which `stop` is over, if that
/// comes first.
///
/// # Errors
/// When there is no account, the recording cannot be read, or the folder cannot be written. What the target does is never
/// an error.
pub async fn replay<R: Read + Seek>(
    orders: ReplayOrders,
    recording: Recording<R>,
    folder: Arc<RunFolder>,
    observer: Arc<dyn ReplayObserver>,
    stop: impl Future<Output = ()>,
) -> Result<Replayed, ReplayError> {
    if orders.accounts.is_empty() {
        return Err(ReplayError::NoAccount);
    }
    folder.record(&Event::RunStarted(started(&orders, now())))?;
    Stage::new(orders, recording, folder, observer).play(stop).await
}

/// A replay is a run without scenarios: its folder is shown, scrubbed and replayed like any other.
fn started(orders: &ReplayOrders, at: Timestamp) -> RunStarted {
    RunStarted {
        format: event::FORMAT,
        easrig: env!("CARGO_PKG_VERSION").to_owned(),
        at,
        target: orders.target_name.clone(),
        allowed: orders.trust.clone(),
        seed: 0,
        repeat: 1,
        scenarios: Vec::new(),
        personas: Vec::new(),
        keep_content: orders.keep_content,
    }
}
