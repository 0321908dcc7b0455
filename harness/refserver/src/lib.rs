//! The reference server: a real mailbox store behind Exchange ActiveSync, to run clients against and to judge scenarios by.
//!
//! Inside is one pure core: [`handle`] takes a call and the time and gives an answer or a waiter; HTTP, sockets and clocks
//! stand around it. Keys, ids and contents are state, never echoes; a [`Switch`] makes exactly one honest decision
//! dishonest, so that the scenarios that should notice can be tested.

mod account;
mod admission;
mod answer;
mod arrange;
mod autodiscover;
mod behaviour;
mod core;
mod http;
mod mime;
mod partnership;
mod persist;
mod profile;
mod store;
mod switch;

mod command;

#[cfg(test)]
mod tests;

pub use account::{Account, UserName};
pub use admission::{BadValue, Policy, PolicyFileError, UnknownName};
pub use answer::Answer;
pub use arrange::{Arrangement, ArrangementError};
pub use behaviour::Behaviour;
pub use core::{Call, Caller, Credentials, Reply, State, WaiterId, cancel, handle, wake};
pub use http::{AccountConfig, Clock, Delay, DelayError, Latency, Server, ServerConfig, ServerError};
pub use mime::{Mail, Verb};
pub use partnership::{DeviceKey, Partnership};
pub use persist::{InMemory, Persistence};
pub use profile::{Profile, ProfileError, Scheme, Signals};
pub use store::{Aspect, Content, Fields, Kind, Mailbox, Note, Stamps, StoredItem};
pub use switch::{Risk, Switch, Switches, UnknownSwitch};
