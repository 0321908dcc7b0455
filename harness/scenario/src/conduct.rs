//! What a device has to hold, whoever it talks to: one file per rule, one list of them all.
//!
//! The counterpart of the invariants: those judge answers, these judge requests. A rule speaks only of what the recording
//! shows; what an exchange that is missing could explain is unclear, never broken.

mod body;
mod folder;
mod heartbeat;
mod policy_key;
mod shape;
mod sync_key;
mod version;

use std::borrow::Cow;

use easrig_exchange::{Exchange, ExchangeNumber, Origin, Timestamp};

use crate::{Decoded, Level};

/// A rule for every request of a device.
#[derive(Clone, Copy, Debug)]
pub struct Conduct {
    /// Its name; its cells are `device/<name>`.
    pub name: &'static str,
    /// What a device does that is right, in one line.
    pub title: &'static str,
    /// What happens to its owner when it does not.
    pub why: &'static str,
    /// A fresh watch over one device.
    watch: fn() -> Box<dyn Watch>,
}

/// Every rule, in the order of the report.
pub static CONDUCTS: [Conduct; 7] = [
    body::CONDUCT,
    shape::CONDUCT,
    version::CONDUCT,
    policy_key::CONDUCT,
    sync_key::CONDUCT,
    folder::CONDUCT,
    heartbeat::CONDUCT,
];

impl Conduct {
    /// The rule of this name.
    pub fn find(name: &str) -> Option<&'static Conduct> {
        CONDUCTS.iter().find(|conduct| conduct.name == name)
    }

    /// Begins to watch a device.
    pub(crate) fn begin(&self) -> Box<dyn Watch> {
        (self.watch)()
    }
}

/// Watches one device by one rule; is shown every exchange in the order of the recording.
pub(crate) trait Watch: std::fmt::Debug + Send {
    /// What the rule says of this exchange; nothing when it does not concern it.
    fn look(&mut self, seen: &Seen<'_>, out: &mut Vec<Remark>);
}

/// One exchange as the rules see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) exchange: &'a Exchange,
    pub(crate) decoded: &'a Decoded,
    /// The last exchange before it of which a part is missing.
    pub(crate) gap: Option<ExchangeNumber>,
    /// Request and answer are whole.
    pub(crate) whole: bool,
}

/// What a rule says of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Remark {
    /// It holds.
    Kept,
    /// It is broken.
    Broken { level: Level, expected: Cow<'static, str>, actual: String },
    /// It cannot be told.
    Unclear(String),
}

impl Remark {
    fn broken(level: Level, expected: impl Into<Cow<'static, str>>, actual: impl Into<String>) -> Self {
        Self::Broken { level, expected: expected.into(), actual: actual.into() }
    }
}

impl Seen<'_> {
    /// When the request left.
    fn sent(&self) -> Timestamp {
        self.exchange.started
    }

    /// When the answer was there.
    fn done(&self) -> Timestamp {
        Timestamp(self.exchange.started.0.saturating_add_unsigned(self.exchange.times.done))
    }

    /// Why something that the recording does not show may have been before, if it may.
    fn excuse(&self) -> Option<String> {
        if let Some(gap) = self.gap {
            return Some(format!("exchange {} is not whole", gap.0));
        }
        // What easrig recorded itself is complete by construction.
        (self.exchange.origin == Origin::Imported).then(|| "a capture may lack whole exchanges".to_owned())
    }
}

#[cfg(test)]
pub(crate) mod tests;
