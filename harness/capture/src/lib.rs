//! Importers: what real devices did, read from whatever was recorded of them, as [`easrig_exchange::Exchange`]s.
//!
//! [`import()`] reads packet captures (with TLS, where keys are at hand), HTTP archives and ActiveSync mailbox logs, one
//! exchange after the other in bounded memory. Nothing is dropped silently: a [`Tally`] says what was missing, what could
//! not be decrypted and what was passed over. [`census`] reads logs and tables that know devices and not exchanges. The
//! room judges nothing and redacts nothing; whoever writes exchanges does.

mod har;
mod http;
mod http2;
mod import;
#[cfg(feature = "live-capture")]
pub mod live;
mod mailbox_log;
mod packet;
mod pcap;
mod saz;
mod stream;
mod talk;
mod tally;
mod tcp;
mod text;
mod tls;

pub mod census;
pub mod export;

pub use import::{Format, ImportError, Limits, Options, Sink, import, import_packets};
pub use tally::{Damage, Gap, GapKind, Skip, Tally, TcpTally, Undecryptable};
pub use tls::{KeyLog, KeyLogError, ServerKey, ServerKeyError};
