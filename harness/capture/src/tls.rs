//! TLS: from records to plain text, with keys that somebody has handed over. Nothing is ever guessed or broken.

mod handshake;
mod hello;
mod key_log;
mod keys;
mod lane;
mod open;
mod private_key;
mod schedule;
mod session;
mod suite;

pub use key_log::{KeyLog, KeyLogError};
pub(crate) use keys::Keys;
pub use private_key::{ServerKey, ServerKeyError};
pub(crate) use session::{Session, TlsEvent};
