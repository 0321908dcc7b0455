//! What a run came to, as pictures: `summary.json`, `junit.xml` and text for a terminal.
//!
//! Every picture is a pure function of the [`Run`], which is folded from the events of a run file, wherever that came from.
//! This room opens no files and knows neither runner nor network: whoever has the bytes of an exchange hands them in.

mod compare;
mod exit;
mod junit;
mod read;
mod run;
mod safe;
mod summary;
mod terminal;

pub use compare::{Change, changes, compare_brief};
pub use exit::{Exit, Strictness, exit};
pub use junit::junit;
pub use read::{ReadError, read_events};
pub use run::{Exchanged, Outage, Run, RunBuilder, Totals};
pub use safe::safe;
pub use summary::{summary, summary_schema};
pub use terminal::{
    BindingSetting, NamedStatus, Palette, PolicyReading, Reading, Side, Sources, View, exchange, exchange_in_full,
    terminal,
};
