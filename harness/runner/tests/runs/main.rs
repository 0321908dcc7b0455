//! Runs from end to end against servers that are good, bad, slow, gone or in the way.
//!
//! Every server is on the loopback and every wait is short: nothing here may take longer than a few seconds, and
//! [`rig::run`] fails a test whose run does.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod bad_servers;
mod endless;
mod outage;
mod production;
mod replayed;
mod resume;
mod rig;
mod secrets;
mod verdicts;
