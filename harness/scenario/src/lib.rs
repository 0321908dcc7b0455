//! Scenario files, expectations, invariants, findings and verdicts.
//!
//! Expectations judge Exchanges, wherever they come from: this room cannot see sockets, clocks or files. What a run says,
//! it says in the [`event::Event`]s defined here, and every report is a pure function of those.

pub mod event;

mod verdict;

pub use verdict::{Cell, CellId, Confidence, DeviceError, Finding, Level, Verdict};
