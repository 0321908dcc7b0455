//! The reference server: a real mailbox store behind Exchange ActiveSync, to run clients against and to judge scenarios by.
//!
//! Inside is one pure core: [`handle`] takes a call and the time and gives an answer or a waiter; HTTP, sockets and clocks
//! stand around it. Keys, ids and contents are state, never echoes; a [`Switch`] makes exactly one honest decision
//! dishonest, so that the scenarios that should notice can be tested.

mod account;
mod answer;
mod behaviour;
mod core;
mod mime;
mod partnership;
mod persist;
mod store;
mod switch;

mod command;

#[cfg(test)]
mod tests;

pub use account::{Account, UserName};
pub use answer::Answer;
pub use behaviour::Behaviour;
pub use core::{Call, Caller, Credentials, Reply, State, WaiterId, cancel, handle, wake};
pub use mime::{Mail, Verb};
pub use partnership::{DeviceKey, Partnership};
pub use persist::{InMemory, Persistence};
pub use store::{Aspect, Content, Fields, Kind, Mailbox, Note, Stamps, StoredItem};
pub use switch::{Switch, Switches, UnknownSwitch};
