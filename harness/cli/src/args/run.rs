use std::{num::NonZeroU32, path::PathBuf};

use clap::{Args, ValueEnum};

use super::{PageArgs, ReachArgs};

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Ids or beginnings of ids of scenarios; everything when none is given
    ///
    /// Several are added together; the other selectors narrow what they give. Example: easrig run journeys sync/
    #[arg(value_name = "SELECTOR")]
    pub(crate) selectors: Vec<String>,

    /// The server: a URL, a host or a mail address
    ///
    /// A URL may lack its path. With an address the phones look for their server by Autodiscover. `embedded:PROFILE` is
    /// the reference server inside this process, with accounts of its own.
    /// Examples: --target `https://mail.example.org`, --target alice@example.org, --target embedded:exchange-2019
    #[arg(long, value_name = "URL|ADDRESS", help_heading = "Target")]
    pub(crate) target: String,

    /// Phones, separated by commas; or all
    ///
    /// `easrig list personas` names them; a path that ends in .toml is a persona file.
    /// Example: --persona wp7,ios-17,my-phones/nokia-n9.toml
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "all", help_heading = "Selection")]
    pub(crate) persona: Vec<String>,

    /// Protocol versions, separated by commas; or all
    ///
    /// Without it each phone speaks the version it picks itself; with it there is one cell for each version that both
    /// phone and server speak. Example: --version 12.1,14.1
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Selection")]
    pub(crate) version: Vec<String>,

    /// Only scenarios about these commands
    ///
    /// Names of ActiveSync commands, separated by commas. Example: --command Sync,Ping
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Selection")]
    pub(crate) command: Vec<String>,

    /// Only scenarios that rest on these requirements
    ///
    /// Ids or beginnings of ids, separated by commas. Example: --req MS-ASPROV
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Selection")]
    pub(crate) req: Vec<String>,

    /// Only scenarios of these levels: must, should, robust
    ///
    /// Separated by commas. Example: --level must
    #[arg(
        long,
        value_name = "LIST",
        value_enum,
        value_delimiter = ',',
        hide_possible_values = true,
        help_heading = "Selection"
    )]
    pub(crate) level: Vec<LevelWord>,

    /// Run scenarios that wait out a long heartbeat too
    ///
    /// They take minutes each. Example: easrig run ping --heartbeats --target …
    #[arg(long, help_heading = "Selection")]
    pub(crate) heartbeats: bool,

    /// Leave what scenarios made in the mailboxes
    ///
    /// For a second look by other means; everything carries a tag that begins with `easrig-`. Example: --leave
    #[arg(long, help_heading = "Care")]
    pub(crate) leave: bool,

    /// How many account pairs are busy at once
    ///
    /// Cells that share a mailbox never run at the same time, so that more than there are pairs is no use.
    /// Example: --jobs 4
    #[arg(long, value_name = "N", help_heading = "Run")]
    pub(crate) jobs: Option<NonZeroU32>,

    /// Run every cell this often
    ///
    /// The worst verdict counts, and the notes say when they differ. Example: --repeat 10
    #[arg(long, value_name = "N", default_value = "1", help_heading = "Run")]
    pub(crate) repeat: NonZeroU32,

    /// Let a broken `should` fail its cell
    ///
    /// Without it only what the standard demands fails. Example: --strict
    #[arg(long, help_heading = "Run")]
    pub(crate) strict: bool,

    /// The seed of everything that differs from run to run
    ///
    /// Drawn when not given; the run file holds it. Example: --seed 42
    #[arg(long, value_name = "N", help_heading = "Run")]
    pub(crate) seed: Option<u64>,

    /// How long to wait for a server that went away, in seconds
    ///
    /// An outage is reported once, and the rest goes on when the server is back. A server that takes three requests in a
    /// row and answers none of them counts as gone, too (a Ping may wait). Example: --outage 120
    #[arg(long, value_name = "SECONDS", default_value = "30", help_heading = "Run")]
    pub(crate) outage: u64,

    /// Go on with the run in --out
    ///
    /// Cells that are finished there are not run again; target, personas and scenarios must be the same.
    /// Example: easrig run --resume --out reports/monday --target …
    #[arg(long, requires = "out", help_heading = "Run")]
    pub(crate) resume: bool,

    /// The run folder
    ///
    /// Without it reports/TIME. A folder that holds a run is refused unless --resume. Example: --out reports/before
    #[arg(long, value_name = "DIR", help_heading = "Run")]
    pub(crate) out: Option<PathBuf>,

    /// human, html, json, junit, markdown, tap, github or prometheus on stdout
    ///
    /// `html`, `json` and `junit` are the texts of report.html, summary.json and junit.xml; these files are written in any
    /// case, and `easrig report` makes the others of a run later. Example: --format junit > results.xml
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", hide_possible_values = true, help_heading = "Run")]
    pub(crate) format: Format,

    /// Deviations of this target that are known and accepted
    ///
    /// A TOML file with a table `[[known]]` per deviation: `pattern`, `verdict`, `because`. What is known does not fail the
    /// run; a failure that is not known does, and so does a pass where a deviation is known. docs/baselines.md says more.
    /// Example: --known known/mail.example.org.toml
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    pub(crate) known: Option<PathBuf>,

    /// Only say what would be run
    ///
    /// Nothing is sent and no folder is made. Example: easrig run journeys --dry-run --target …
    #[arg(long, help_heading = "Run")]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) page: PageArgs,

    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

/// How binding a scenario is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LevelWord {
    Must,
    Should,
    Robust,
}

impl From<LevelWord> for easrig_scenario::Level {
    fn from(word: LevelWord) -> Self {
        match word {
            LevelWord::Must => Self::Must,
            LevelWord::Should => Self::Should,
            LevelWord::Robust => Self::Robust,
        }
    }
}

/// What a run is made into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Human,
    Html,
    Json,
    Junit,
    Markdown,
    Tap,
    Github,
    Prometheus,
}
