use std::fmt;

use easrig_scenario::difference::{Allowed, Difference};
use serde::{Deserialize, Serialize};

/// What came of a replay (`replay.json`, `format` 1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    /// 1.
    pub format: u32,
    /// What was replayed.
    pub recording: String,
    /// Where.
    pub target: String,
    /// `re-bound` or `as-recorded`.
    pub mode: String,
    /// Whether the recording holds contents; without them only lengths and equality were compared.
    pub contents: bool,
    /// One entry for each exchange of the recording, in the order of time.
    pub exchanges: Vec<Row>,
    /// How often each rule allowed something, over all.
    pub allowed: Allowed,
    /// Why not everything was sent that could have been: it was interrupted, the target refused a login or went out of
    /// reach; `None` when the replay went to its end.
    #[serde(default)]
    pub cut_short: Option<String>,
    /// How many exchanges came to what.
    pub totals: Totals,
}

/// One exchange of the recording and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its number in the recording.
    pub recorded: u64,
    /// Its number in the `exchanges.eascap` of the replay; `None` when it was not sent.
    pub replayed: Option<u64>,
    /// Who sent it: persona and role, or the recorded device id.
    pub device: String,
    /// The command, `OPTIONS`, or the method.
    pub command: String,
    /// The recorded answer in a few words.
    pub before: String,
    /// The answer of the target in a few words.
    pub after: Option<String>,
    /// What came of it.
    pub came: Came,
    /// Why it was not sent, or why it, or something beside its differences, cannot be told.
    pub why: Option<String>,
    /// What was allowed.
    pub allowed: Allowed,
    /// What is different.
    pub differences: Vec<Difference>,
}

/// What an exchange came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Came {
    /// The answers are the same in everything that is compared.
    Same,
    /// They differ in nothing but what rules allow.
    Allowed,
    /// It was left out, and the reason says why.
    Skipped,
    /// It cannot be told.
    Inconclusive,
    /// They differ.
    Different,
}

impl fmt::Display for Came {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Same => "same",
            Self::Allowed => "allowed",
            Self::Skipped => "skipped",
            Self::Inconclusive => "inconclusive",
            Self::Different => "different",
        })
    }
}

/// How many exchanges came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// [`Came::Same`].
    pub same: u64,
    /// [`Came::Allowed`].
    pub allowed: u64,
    /// [`Came::Different`].
    pub different: u64,
    /// [`Came::Skipped`].
    pub skipped: u64,
    /// [`Came::Inconclusive`].
    pub inconclusive: u64,
}

impl Totals {
    /// Counts the rows.
    pub fn of(rows: &[Row]) -> Self {
        let count = |came: Came| u64::try_from(rows.iter().filter(|row| row.came == came).count()).unwrap_or(u64::MAX);
        Self {
            same: count(Came::Same),
            allowed: count(Came::Allowed),
            different: count(Came::Different),
            skipped: count(Came::Skipped),
            inconclusive: count(Came::Inconclusive),
        }
    }
}

/// `12 the same, 3 with allowed differences, 1 different, 2 skipped`
impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.same, "the same"),
            (self.allowed, "with allowed differences"),
            (self.different, "different"),
            (self.skipped, "skipped"),
            (self.inconclusive, "inconclusive"),
        ];
        let words = parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
        f.write_str(&words.collect::<Vec<_>>().join(", "))
    }
}
