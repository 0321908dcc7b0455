use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

/// How many distinct values of all kinds together are told apart.
const MAX_DISTINCT: usize = 1 << 20;

/// What was replaced: how many different values of each kind, and how often; never the values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    kinds: BTreeMap<Kind, Seen>,
    distinct: usize,
}

/// The values of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    marks: BTreeSet<u64>,
    occurrences: u64,
    /// There were more distinct values than are told apart.
    beyond: bool,
}

/// A line of the tally.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Replaced {
    /// What it was.
    pub kind: Kind,
    /// How many different values.
    pub distinct: u64,
    /// True when there were more different values than could be told apart; `distinct` is then the least.
    pub at_least: bool,
    /// How many places.
    pub occurrences: u64,
}

/// What a replaced value was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A user name or mail address.
    Address,
    /// The name of a host.
    Host,
    /// An IP address.
    Ip,
    /// A device id, IMEI or phone number of a device.
    Device,
    /// A password, cookie or token.
    Credential,
    /// A policy key.
    PolicyKey,
    /// A key or id that a server or a client chose.
    Identifier,
    /// A subject, a name, a body or another text.
    Text,
    /// Bytes that are no text: attachments, pictures, and what nobody can look into.
    Bytes,
    /// A certificate.
    Certificate,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "user names and addresses",
            Self::Host => "host names",
            Self::Ip => "IP addresses",
            Self::Device => "device ids",
            Self::Credential => "passwords, cookies and tokens",
            Self::PolicyKey => "policy keys",
            Self::Identifier => "ids of items and folders",
            Self::Text => "texts",
            Self::Bytes => "attachments and other bytes",
            Self::Certificate => "certificates",
        })
    }
}

impl Tally {
    /// What was replaced, by kind.
    pub fn replaced(&self) -> impl Iterator<Item = Replaced> {
        self.kinds.iter().map(|(kind, seen)| Replaced {
            kind: *kind,
            distinct: u64::try_from(seen.marks.len()).unwrap_or(u64::MAX),
            at_least: seen.beyond,
            occurrences: seen.occurrences,
        })
    }

    pub(super) fn count(&mut self, kind: Kind, mark: u64) {
        let seen = self.kinds.entry(kind).or_default();
        seen.occurrences = seen.occurrences.saturating_add(1);
        if self.distinct < MAX_DISTINCT {
            self.distinct = self.distinct.saturating_add(usize::from(seen.marks.insert(mark)));
        } else if !seen.marks.contains(&mark) {
            seen.beyond = true;
        }
    }
}
