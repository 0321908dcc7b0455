//! Recorded traffic, read as the persona that sent it would have lived it.
//!
//! Exchanges are sorted by device ([`Sorter`]); each device is likened to the personas that are known ([`Traits`]); and an
//! [`Onlooker`] says what its owner would have seen, with the rules and the vocabulary of a live phone. Where no persona
//! fits, or the recording is not whole, nothing is guessed.

mod identify;
mod onlooker;
mod search;
mod sorter;

pub use identify::{Likeness, Traits};
pub use onlooker::{Onlooker, Sight};
pub(crate) use search::question;
pub use sorter::{DeviceName, Sorter};

#[cfg(test)]
mod tests;
