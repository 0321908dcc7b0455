use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct BaselineArgs {
    #[command(subcommand)]
    pub(crate) command: BaselineCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BaselineCommand {
    /// Make a run the baseline
    ///
    /// Writes what the run says as snapshots (`.snap`, in insta's format) to DIR/NAME: one that says what every cell came to,
    /// and one per cell with what was said. Keys, ids, dates, addresses and everything else that differs from run to run is
    /// named by its kind only. Snapshots of cells that the run does not have are removed.
    ///
    /// Example: easrig baseline approve reports/monday --name mail
    Approve(ApproveArgs),
    /// Hold a run against the baseline
    ///
    /// Says what differs, and writes it beside the approved snapshots as `.snap.new`, where `cargo insta review` finds it
    /// if that is below a Cargo package.
    /// Exits 0 when nothing differs, 1 when something does, 3 when cells are gone or could not be told.
    ///
    /// Example: easrig baseline check reports/tuesday --name mail
    Check(CheckArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ApproveArgs {
    /// The folder of the run
    ///
    /// Its exchanges have to be in it. Example: easrig baseline approve reports/monday --name mail
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,

    #[command(flatten)]
    pub(crate) baseline: BaselineName,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The folder of the run
    ///
    /// Its exchanges have to be in it. Example: easrig baseline check reports/tuesday --name mail
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,

    #[command(flatten)]
    pub(crate) baseline: BaselineName,

    /// Deviations of this target that are known and accepted
    ///
    /// A cell that changed into one is shown and does not count. Example: --known known/mail.example.org.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) known: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct BaselineName {
    /// The name of the baseline
    ///
    /// A folder of this name in --dir. Letters, digits, dots, dashes and underscores. Example: --name mail
    #[arg(long, value_name = "NAME", value_parser = baseline_name)]
    pub(crate) name: String,

    /// The folder of all baselines
    ///
    /// Example: --dir tests/baselines
    #[arg(long, value_name = "DIR", default_value = BASELINES)]
    pub(crate) dir: PathBuf,
}

/// The folder of all baselines, where nobody names another.
pub(crate) const BASELINES: &str = "reports/baselines";

/// Whether a text can be the name of a baseline.
///
/// # Errors
/// What a name is made of.
pub(crate) fn baseline_name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_');
    if text.is_empty() || text.starts_with('.') || !text.chars().all(plain) {
        return Err("a name has letters, digits, dots, dashes and underscores, and begins with no dot".to_owned());
    }
    Ok(text.to_owned())
}
