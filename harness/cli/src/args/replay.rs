use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};
use easrig_runner::Pace;
use easrig_transport::Resolve;

use super::{AccountArgs, Effect, ListFormat, SelectArgs, ServerArgs};

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
    pub(crate) accounts: AccountArgs,

    /// The secrets of --account are OAuth tokens, not passwords
    ///
    /// They go out as Bearer, also where the recorded device had a password. For both, write `secret` and `token` in
    /// --accounts FILE. Example: --bearer
    #[arg(long, conflicts_with = "serve", help_heading = "Target")]
    pub(crate) bearer: bool,

    /// Install this root certificate on every phone
    ///
    /// PEM or DER. The system's roots stay trusted. Example: --ca corporate-root.pem
    #[arg(long, value_name = "FILE", help_heading = "Target")]
    pub(crate) ca: Vec<PathBuf>,

    /// Believe any certificate, and allow http:// beyond this machine
    ///
    /// Passwords then go to whoever answers. The record says so. Example: --insecure
    #[arg(long, help_heading = "Target")]
    pub(crate) insecure: bool,

    /// Use this address for a host: HOST:PORT=ADDR:PORT; repeatable
    ///
    /// Stands in for DNS, to test a server before its name points to it.
    /// Example: --resolve mail.example.org:443=192.0.2.7:443
    #[arg(long, value_name = "HOST:PORT=ADDR:PORT", help_heading = "Target")]
    pub(crate) resolve: Vec<Resolve>,

    #[command(flatten)]
    pub(crate) select: SelectArgs,

    /// Change nothing but host, login and length
    ///
    /// Keys, ids and DeviceIds go out as they were recorded, and every byte of the bodies.
    /// Example: --as-recorded
    #[arg(long, help_heading = "Replay")]
    pub(crate) as_recorded: bool,

    /// fast or real
    ///
    /// `fast` sends a request as soon as everything is answered that was answered before it in the recording, `real` also
    /// waits as long as the device did. Example: --pace real
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

    /// Allow effects: writes or destroys; repeatable
    ///
    /// `writes` lets commands through that make or change things, `destroys` those that may cost what the replay did not
    /// make, or that reach people beside the accounts; it needs --disposable. What is not allowed is left out and counted,
    /// with what depends on it. Example: --allow writes
    #[arg(
        long,
        value_name = "EFFECT",
        value_enum,
        value_delimiter = ',',
        hide_possible_values = true,
        help_heading = "Care"
    )]
    pub(crate) allow: Vec<Effect>,

    /// The host that may lose everything
    ///
    /// Must be the host of the target, or `--allow destroys` is refused. Example: --disposable lab.example.org
    #[arg(long, value_name = "HOST", help_heading = "Care")]
    pub(crate) disposable: Option<String>,

    /// Keep subjects, bodies and addresses in the record
    ///
    /// Otherwise they are replaced by filler of the same length before anything is written, and differences tell their
    /// length only. Example: --keep-content
    #[arg(long, help_heading = "Care")]
    pub(crate) keep_content: bool,

    /// The folder for the record
    ///
    /// Without it reports/replay-TIME. It holds the exchanges, for `easrig show`, and replay.json.
    /// Example: --out reports/new-server
    #[arg(long, value_name = "DIR", help_heading = "Replay")]
    pub(crate) out: Option<PathBuf>,

    /// human or json on stdout
    ///
    /// `json` is the text of replay.json. Example: --format json
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) format: ListFormat,

    /// Answer a real client from the recording, until Ctrl-C
    ///
    /// Prints `ready URL CA=FILE` on stdout once it accepts. A request is matched by its command and what it asks for; the
    /// keys handed out are the recorded ones. What was never recorded gets HTTP 501 and a line on stderr.
    /// Example: easrig replay phones.eascap --serve
    #[arg(long, conflicts_with_all = ["target", "account", "accounts", "allow", "out", "as_recorded"], help_heading = "Serve")]
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

    #[command(flatten, next_help_heading = "Target embedded:PROFILE")]
    pub(crate) server: ServerArgs,
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
