use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::LanguageArgs;

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// The folder of the earlier run, or an approved baseline
    ///
    /// Of `easrig run --out`; or the folder of `easrig baseline approve`, or its name below reports/baselines. A baseline has no
    /// times: all else is compared. Examples: easrig compare reports/before reports/after, easrig compare mail reports/tuesday
    #[arg(value_name = "BEFORE")]
    pub(crate) before: PathBuf,

    /// The folder of the later run
    ///
    /// It may be of another server. Example: easrig compare reports/sogo reports/exchange
    #[arg(value_name = "AFTER")]
    pub(crate) after: PathBuf,

    /// Known deviations of the later run's target
    ///
    /// As for `easrig run --known`: what it lists is told and is no regression, and what is well although it is listed exits 1.
    /// Example: --known known.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) known: Option<PathBuf>,

    /// human, html, json, junit or markdown
    ///
    /// `html` is one page for a browser, `json` has a published schema, in `junit` a regression is a failure and what cannot be told an error, `markdown`
    /// is for a pull request. Example: --format markdown
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) format: CompareFormat,

    /// The file to write instead of stdout
    ///
    /// Example: --format html -o upgrade.html
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) language: LanguageArgs,

    /// Show subjects, bodies and addresses in the page
    ///
    /// Only runs with --keep-content have them; without this flag the page has filler of the same length in their place.
    /// Example: --with-content
    #[arg(long, help_heading = "Page")]
    pub(crate) with_content: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompareFormat {
    #[default]
    Human,
    Html,
    Json,
    Junit,
    Markdown,
}

#[derive(Debug, Args)]
pub(crate) struct MatrixArgs {
    /// The folders of the runs
    ///
    /// Of `easrig run --out`, a column each. Example: easrig matrix reports/sogo reports/exchange reports/zpush
    #[arg(value_name = "RUN", required = true)]
    pub(crate) runs: Vec<PathBuf>,

    /// human, html, json or markdown
    ///
    /// `html` is one page for a browser, `json` has a published schema, `markdown` is for a pull request or a wiki. Example: --format markdown
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) format: MatrixFormat,

    /// The file to write instead of stdout
    ///
    /// Example: --format html -o servers.html
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) language: LanguageArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum MatrixFormat {
    #[default]
    Human,
    Html,
    Json,
    Markdown,
}
