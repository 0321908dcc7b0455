//! Exchanges in formats that other tools read: HTTP archives ([`HarWriter`]) and packets ([`PcapngWriter`]).
//!
//! Both take one exchange after the other and hold no more than that one. What a format cannot hold is said at its writer;
//! everything else comes back as it was when [`crate::import()`] reads the file. Like all writers of captures they write
//! what they are given: redaction comes before them.

mod har;
mod message;
mod packet;
mod pcapng;

pub use har::HarWriter;
pub use pcapng::{PcapngWriter, Written};

#[cfg(test)]
mod tests;
