//! The Exchange: one HTTP request with its answer, its times and where it comes from.
//!
//! Everything that was ever on a wire, live, imported or replayed, is an [`Exchange`]; expectations judge Exchanges and
//! nothing else. The room also holds secrets as types, the redaction rules of the tap and the `.eascap` format.
//! It opens no sockets and no files: readers and writers are handed in.

mod eascap;
mod escape;
mod exchange;
mod failure;
mod headers;
mod message;
mod redact;
mod salt;
mod scrub;
mod secret;
mod tls_offer;
mod walk;

pub use eascap::{EascapError, EascapFile, EascapReader, EascapWriter};
pub use exchange::{ClientHello, Exchange, ExchangeNumber, Origin, Outcome, Sender, Times, Timestamp, TlsSession};
pub use failure::{Failure, Phase, TlsFailure};
pub use headers::Headers;
pub use message::{Request, Response};
pub use redact::{Content, Masking, Redactor, is_plain, masking};
pub use scrub::{Kind, Pseudonym, Replaced, ScrubError, Scrubber, Tally};
pub use secret::Secret;
pub use tls_offer::{OfferAnswer, TlsOffer, TlsVersion, UnknownTlsVersion};
