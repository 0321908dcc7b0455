use std::path::PathBuf;

use clap::Args;

use super::{Format, PageArgs};

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The folder of the run, or its run.jsonl
    ///
    /// Without the exchanges beside it the report is the same but for the exchanges. Example: easrig report reports/monday
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,

    /// human, html, json, junit, markdown, tap, github or prometheus
    ///
    /// `html` is the page report.html, `markdown` is for a pull request, `tap` is TAP 14, `github` are annotations for a step of GitHub Actions, `prometheus`
    /// is for the text file collector of a nightly job. Example: --format prometheus
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) format: Format,

    /// The file to write instead of stdout
    ///
    /// Example: -o results.tap
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Deviations of this target that are known and accepted
    ///
    /// As with `easrig run`. Example: --known known/mail.example.org.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) known: Option<PathBuf>,

    /// Let a broken `should` count as not well
    ///
    /// As with `easrig run`; it changes the exit code only, for the verdicts were given when the run was made.
    /// Example: --strict
    #[arg(long)]
    pub(crate) strict: bool,

    #[command(flatten)]
    pub(crate) page: PageArgs,
}
