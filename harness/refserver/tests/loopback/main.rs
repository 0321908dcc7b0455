//! The reference server over a real socket, as a client meets it.

#![expect(clippy::unwrap_used, reason = "tests end where something is not as they expect")]

mod access;
mod commands;
mod discovery;
mod phone;
mod provisioning;
mod waiting;
