//! HTTP over TLS, both ends: what carries requests to a target and what carries them to the reference server.
//!
//! The client writes every request byte for byte as its caller spells it and reads whatever comes back within bounds: a
//! server may be slow, endless, cut short or no HTTP server at all, and each of these has a name
//! ([`easrig_exchange::Failure`]). The room knows nothing of ActiveSync; it neither redacts nor stores.

mod client;
mod dns;
mod fault;
mod hello;
mod key_log;
mod server;
mod tls;
mod wire;

pub use client::{Attempt, Client, ClientConfig, ClientError, ClientLimits, Patience, Session};
pub use dns::{Names, Resolve, ResolveError, SrvEntry, SrvError};
pub use fault::{Act, BadServer};
pub use hello::tls_offers;
pub use key_log::KeyLog;
pub use server::{
    Authority, Server, ServerHandle, ServerLimits, ServerRequest, ServerResponse, ServerTls, ServerTlsError, Service,
    Validity, serve,
};
pub use tls::{certificate_issuer, certificate_names, read_certificates};
