use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};
use easrig_runner::Pace;

use super::{ListFormat, ReachArgs, SelectArgs};

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// An .eascap file, or the folder of a run or replay
    ///
    /// Other captures become one by `easrig import`. Example: easrig replay reports/monday --target embedded:exchange-2019
    #[arg(value_name = "EASCAP|RUN")]
    pub(crate) recording: PathBuf,

    /// The server: a URL, a host, or embedded:PROFILE
    ///
    /// A URL may lack its path. `embedded:PROFILE` is the reference server inside this process, with accounts of its own.
    /// Examples: --target `https://new.example.org`, --target embedded:exchange-2019
    #[arg(long, value_name = "URL", required_unless_present = "serve", help_heading = "Target")]
    pub(crate) target: Option<String>,

    #[command(flatten)]
    pub(crate) select: SelectArgs,

    /// Change nothing but host, login and length
    ///
    /// Keys, ids and DeviceIds go out as they were recorded, and every byte of the bodies; heartbeats are waited out.
    /// Example: --as-recorded
    #[arg(long, help_heading = "Replay")]
    pub(crate) as_recorded: bool,

    /// fast or real
    ///
    /// `fast` sends a request as soon as everything is answered that was answered before it in the recording; a Ping or Sync
    /// that has waited in vain asks for the shortest wait that the target takes, unless --as-recorded. `real` waits as long
    /// as the device did. Example: --pace real
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "PACE",
        hide_possible_values = true,
        help_heading = "Replay"
    )]
    pub(crate) pace: PaceWord,

    /// How much longer than in the recording an answer may take, in seconds
    ///
    /// A Ping that was answered after a minute is waited for as long, and this much more. Example: --wait 60
    #[arg(long, value_name = "SECONDS", default_value = "30", help_heading = "Replay")]
    pub(crate) wait: u64,

    /// The folder for the record
    ///
    /// Without it reports/replay-TIME. It holds the exchanges, for `easrig show`, and replay.json.
    /// Example: --out reports/new-server
    #[arg(long, value_name = "DIR", help_heading = "Replay")]
    pub(crate) out: Option<PathBuf>,

    /// human or json on stdout
    ///
    /// `json` is the text of replay.json. Example: --format json
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        hide_possible_values = true,
        help_heading = "Replay"
    )]
    pub(crate) format: ListFormat,

    /// Answer a real client from the recording, until Ctrl-C
    ///
    /// Prints `ready URL CA=FILE` on stdout once it accepts. A request is matched by its command and what it asks for; the
    /// keys handed out are the recorded ones. What was never recorded gets HTTP 501 and a line on stderr.
    /// Example: easrig replay phones.eascap --serve
    #[arg(
        long,
        conflicts_with_all = [
            "target", "account", "accounts", "bearer", "ca", "insecure", "keylog", "resolve", "allow", "disposable",
            "keep_content", "policy", "dishonest", "latency", "out", "as_recorded",
        ],
        help_heading = "Serve"
    )]
    pub(crate) serve: bool,

    /// Address and port to listen at
    ///
    /// Port 0 takes a free one; the `ready` line says which. Anything but loopback lets others in.
    /// Example: --listen 127.0.0.1:8443
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0", requires = "serve", help_heading = "Serve")]
    pub(crate) listen: SocketAddr,

    /// Speak HTTP without TLS
    ///
    /// Only for loopback and behind a proxy that ends TLS. Example: --plain
    #[arg(long, requires = "serve", help_heading = "Serve")]
    pub(crate) plain: bool,

    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

/// How fast requests follow each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum PaceWord {
    #[default]
    Fast,
    Real,
}

impl From<PaceWord> for Pace {
    fn from(word: PaceWord) -> Self {
        match word {
            PaceWord::Fast => Self::Fast,
            PaceWord::Real => Self::Real,
        }
    }
}
