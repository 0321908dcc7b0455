use std::fmt;

use easrig_eas::Version;
use easrig_exchange::ExchangeNumber;
use serde::{Deserialize, Serialize};

/// What a cell came to. Exactly six words, in the order of their precedence inside a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing was sent, and the reason says why.
    Skipped,
    /// Everything that was expected was seen.
    Pass,
    /// It worked, but the owner lost something on the way.
    Degraded,
    /// easrig could not tell.
    Inconclusive,
    /// The device's owner would see an error.
    Blocked,
    /// The target broke a requirement of level `must`.
    Fail,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Skipped => "skipped",
            Self::Pass => "pass",
            Self::Degraded => "degraded",
            Self::Inconclusive => "inconclusive",
            Self::Blocked => "blocked",
            Self::Fail => "fail",
        })
    }
}

/// How binding a requirement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The standard demands it: breaking it fails the cell.
    Must,
    /// The standard recommends it: breaking it fails the cell under `--strict`.
    Should,
    /// The standard is silent, clients suffer all the same: breaking it is told and fails no cell.
    Robust,
}

/// Which findings break a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strictness {
    /// Those of level `must`.
    #[default]
    Musts,
    /// Those of level `should` too (`--strict`).
    Shoulds,
}

impl Strictness {
    /// Whether a finding of this level breaks its cell.
    pub fn fails(self, level: Level) -> bool {
        level == Level::Must || self == Self::Shoulds && level == Level::Should
    }
}

/// How well a persona's value is evidenced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Nobody has checked it.
    Unverified,
    /// Inferred.
    Low,
    /// One indirect source.
    Med,
    /// Read in source code or a verbatim log.
    High,
}

/// One thing the target did otherwise than required.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Requirement id (`MS-ASCMD_R115`) or, for an invariant without one, the invariant's name.
    pub requirement: String,
    /// How binding it is.
    pub level: Level,
    /// What should have been there, in words.
    pub expected: String,
    /// What was there, in words.
    pub actual: String,
    /// Where it was seen.
    pub exchange: Option<ExchangeNumber>,
}

/// What the device's owner sees when it does not work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceError {
    /// The code on the screen (`86000C2B`); empty when the device shows only text.
    pub code: String,
    /// The text on the screen.
    pub message: String,
    /// What to change on the server, in the administrator's words.
    pub remedy: String,
    /// How well the facts support code and text.
    pub confidence: Confidence,
}

/// The address of a cell: one scenario, one persona, one protocol version.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CellId {
    /// Scenario id, or `invariant/<name>`.
    pub scenario: String,
    /// Persona id.
    pub persona: String,
    /// The version spoken; `None` when the persona never got as far as choosing one.
    pub version: Option<Version>,
}

impl fmt::Display for CellId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {}", self.scenario, self.persona)?;
        self.version.map_or(Ok(()), |version| write!(f, " × {version}"))
    }
}

/// One finished cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Which one.
    #[serde(flatten)]
    pub id: CellId,
    /// What it came to.
    pub verdict: Verdict,
    /// One sentence for people; never empty unless the verdict is `pass`.
    pub reason: String,
    /// The cell that met the same device error first, when the ladder ended in it.
    pub blocked_by: Option<CellId>,
    /// What the owner would see; also filled when the scenario expected it.
    pub device_error: Option<DeviceError>,
    /// What was wrong, in the order seen.
    pub findings: Vec<Finding>,
    /// Things worth knowing that change nothing: `ability unverified`, which of two legal answers was seen.
    pub notes: Vec<String>,
    /// The exchanges of this cell, first to last.
    pub exchanges: Vec<ExchangeNumber>,
}
