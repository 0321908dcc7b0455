//! Scenario × persona × target → events.
//!
//! The runner plans the cells, leases the mailboxes, drives the phones over the network and lets the scenario room judge
//! what came back. It decides nothing about right and wrong itself, and what it knows it says in events only.

mod account;
mod cell;
mod clock;
mod control;
mod deed;
mod folder;
mod heed;
mod journal;
mod lease;
mod mask;
mod orders;
mod owner;
mod partnerships;
mod plan;
mod rack;
mod reach;
mod replay;
mod run;
mod seed;
mod shared;
mod survey;
mod tape;
mod tls;
mod trust;
mod watch;

pub use account::{Account, AccountError};
pub use control::{Change, Control};
pub use folder::{FolderError, RunFolder, Unfinished};
pub use journal::{Observer, policy_met};
pub use orders::{Allowed, Orders, Server, Target, Versions};
pub use owner::{confidence, device_error};
pub use plan::{Outline, outline};
pub use replay::{
    Came, Entry, Mode, Pace, Recorded, Recording, ReplayError, ReplayObserver, ReplayOrders, Replayed, Row, Totals,
    Unanswered, replay,
};
pub use run::{RunError, run};
