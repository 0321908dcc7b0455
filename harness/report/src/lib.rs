//! What a run came to, as pictures: a page (`report.html`), `summary.json`, `junit.xml`, text for a terminal, a pull
//! request, a harness or a metrics collector.
//!
//! Every picture is a pure function of the [`Run`], which is folded from the events of a run file, wherever that came from.
//! This room opens no files and knows neither runner nor network: whoever has the bytes of an exchange hands them in.

mod baseline;
mod census;
mod compare;
mod exit;
mod github;
mod html;
mod junit;
mod known;
mod markdown;
mod policy;
mod prometheus;
mod read;
mod run;
mod safe;
mod sentence;
mod servers;
mod summary;
mod tap;
mod terminal;
mod told;
mod trouble;
mod words;

pub use baseline::{
    Approved, ApprovedError, Checked, Difference, Parts, Said, Snapshot, SnapshotPath, check, snapshots,
};
pub use census::{Phone, census_page};
pub use compare::{
    Both, Cause, CauseKind, Change, Class, CompareHtml, Comparison, Family, Fate, LimitChange, Member, Pace,
    REPEAT_LEAST, Row, SoftwareChange, Standing, TargetChange, compare_brief, compare_html, compare_json,
    compare_junit, compare_markdown, compare_schema, compare_terminal, differences, side_by_side,
};
pub use exit::{Exit, exit};
pub use github::github;
pub use html::{Contents, Embed, Html, html};
pub use junit::junit;
pub use known::{Deviation, Known, KnownError, KnownProblem, Outcome, Pattern, PatternError, Unused};
pub use markdown::markdown;
pub use prometheus::prometheus;
pub use read::{ReadError, read_events};
pub use run::{Exchanged, Outage, Run, RunBuilder, Totals};
pub use safe::safe;
pub use sentence::sentence;
pub use servers::{
    Server, Servers, Spot, servers_html, servers_json, servers_markdown, servers_schema, servers_terminal,
};
pub use summary::{summary, summary_schema};
pub use tap::tap;
pub use terminal::{
    BindingSetting, NamedStatus, Palette, PolicyReading, Reading, Side, Sources, View, exchange, exchange_in_full,
    terminal,
};
pub use words::Language;
