//! Scenario files, expectations, invariants, findings and verdicts.
//!
//! Expectations judge Exchanges, wherever they come from: this room cannot see sockets, clocks or files. What a run says,
//! it says in the [`event::Event`]s defined here, and every report is a pure function of those.

pub mod conduct;
pub mod decoded;
pub mod difference;
pub mod event;
pub mod invariant;
pub mod judge;
pub mod model;
pub mod owner;
pub mod path;
pub mod recording;
pub mod variables;

mod author;
mod conclude;
mod habit;
mod limit;
mod parse;
mod requirement;
mod syntax;
mod verdict;

pub use author::{Author, Authored};
pub use conclude::{CellOutcome, Conclusion};
pub use conduct::{CONDUCTS, Conduct};
pub use decoded::{Content, Decoded};
pub use habit::{ARRANGEMENTS, HABITS, Signature};
pub use invariant::{Context, History, INVARIANTS, Invariant};
pub use judge::{Evidence, Judgement, Loss, judge};
pub use limit::{Bound, Limit};
pub use model::{Role, Scenario, Step, StepKind};
pub use owner::{OwnerFolder, OwnerItem, OwnerView};
pub use parse::{Problem, ProblemKind, ScenarioError};
pub use requirement::Requirement;
pub use syntax::json_schema;
pub use variables::{UnknownVariable, Variables};
pub use verdict::{Cell, CellId, Confidence, DeviceError, Finding, Level, Strictness, Verdict};
