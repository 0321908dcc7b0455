//! The run file's lines: what happened, in the order it happened (`run.jsonl`, `format` 1).

use easrig_eas::Version;
use easrig_exchange::{ExchangeNumber, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Cell, CellId, Finding};

/// The number in the first line of every run file.
pub const FORMAT: u32 = 1;

/// One line of the run file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The first line.
    RunStarted(RunStarted),
    /// The plan: every cell that will be tried, so that a run cut short can say what is missing.
    Planned {
        /// The cells, in plan order.
        cells: Vec<CellId>,
    },
    /// What the target says of itself, seen once per persona.
    TargetSeen(TargetSeen),
    /// A cell begins.
    CellStarted {
        /// Which one.
        cell: CellId,
        /// When.
        at: Timestamp,
    },
    /// A step begins; exchanges that follow belong to it.
    StepStarted {
        /// Which cell.
        cell: CellId,
        /// Step number from 1; 0 while the ladder is climbed.
        step: usize,
        /// What it does, in words.
        title: String,
    },
    /// An Exchange was written to `exchanges.eascap`.
    Exchanged {
        /// Which cell.
        cell: CellId,
        /// Its number in `exchanges.eascap`.
        exchange: ExchangeNumber,
    },
    /// A cell is finished; the file is synced after this line.
    CellFinished(Cell),
    /// An exchange was the first that an invariant had anything to say about; without one, it has no cell.
    InvariantMet {
        /// The invariant's cell.
        cell: CellId,
    },
    /// An invariant was broken by an exchange; the invariant's own cell gathers these at the end of the run.
    InvariantBroken {
        /// The invariant's cell.
        cell: CellId,
        /// What was wrong.
        finding: Finding,
    },
    /// The target stopped answering, said once per outage.
    TargetLost {
        /// When.
        at: Timestamp,
        /// Why we think so.
        cause: String,
    },
    /// The target answers again.
    TargetBack {
        /// When.
        at: Timestamp,
    },
    /// The run went on in the same folder after an interruption.
    Resumed {
        /// When.
        at: Timestamp,
    },
    /// The last line of a run that was not cut short.
    RunFinished {
        /// When.
        at: Timestamp,
    },
}

/// The first line of a run file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStarted {
    /// [`FORMAT`].
    pub format: u32,
    /// Version of easrig that wrote it.
    pub easrig: String,
    /// When.
    pub at: Timestamp,
    /// The target as given on the command line: URL, or address, or `embedded:PROFILE`.
    pub target: String,
    /// What was allowed, and how trust was widened (`--allow writes`, `--insecure`, `--ca`).
    pub allowed: Vec<String>,
    /// The seed of everything random.
    pub seed: u64,
    /// Scenario id and SHA-256 of its file, in plan order: `--resume` compares them.
    pub scenarios: Vec<(String, String)>,
    /// Persona ids, in plan order.
    pub personas: Vec<String>,
    /// Whether contents were kept (`--keep-content`).
    pub keep_content: bool,
}

/// What the target says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetSeen {
    /// Persona that saw it.
    pub persona: String,
    /// Endpoint URL, without credentials.
    pub endpoint: String,
    /// `Server`, `MS-Server-ActiveSync`, `X-Powered-By` … as seen.
    pub software: Vec<(String, String)>,
    /// Versions offered.
    pub versions: Vec<Version>,
    /// Commands offered.
    pub commands: Vec<String>,
    /// TLS version and suite, empty over plain HTTP.
    pub tls: String,
}
