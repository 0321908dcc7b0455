use std::path::PathBuf;

use clap::{Args, ValueEnum};
use easrig_transport::Resolve;

use super::{AccountArgs, ServerArgs};

/// How a target is reached, whom it knows, and what may be done to it: the same for `run` and `replay`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub(crate) struct ReachArgs {
    #[command(flatten)]
    pub(crate) accounts: AccountArgs,

    /// The secrets of --account are OAuth tokens, not passwords
    ///
    /// Phones that can sign in with a token do; the others have no password then, and say what their owner sees where
    /// the server takes none. A replay sends tokens also where the recorded device had a password. For both, write `secret`
    /// and `token` in --accounts FILE. Example: --bearer --account "alice@example.org:$TOKEN"
    #[arg(long)]
    pub(crate) bearer: bool,

    /// Install this root certificate on every phone
    ///
    /// PEM or DER. The system's roots stay trusted. Example: --ca corporate-root.pem
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Vec<PathBuf>,

    /// Believe any certificate, and allow http:// beyond this machine
    ///
    /// Passwords then go to whoever answers. The report says so. Example: --insecure
    #[arg(long)]
    pub(crate) insecure: bool,

    /// Write the TLS secrets of every connection to this file
    ///
    /// In the form of SSLKEYLOGFILE, at the end of what is in it. Whoever has it and a capture (tcpdump) of what went over
    /// the net reads everything, passwords included; the report says so. Example: --keylog keys.log
    #[arg(long, value_name = "FILE")]
    pub(crate) keylog: Option<PathBuf>,

    /// Use this address for a host: HOST:PORT=ADDR:PORT; repeatable
    ///
    /// Stands in for DNS, to test a server before its name points to it, or one node of several.
    /// Example: --resolve mail.example.org:443=192.0.2.7:443
    #[arg(long, value_name = "HOST:PORT=ADDR:PORT")]
    pub(crate) resolve: Vec<Resolve>,

    /// Allow effects: writes, destroys or lockout; repeatable
    ///
    /// `writes` lets things be made and changed (scenarios remove again what they made); `destroys` lets things be lost
    /// that were there before, and mail go to people beside the accounts, and needs --disposable; `lockout` permits one
    /// wrong password (a replay never sends one). What is not allowed is left out and counted, with what depends on it.
    /// Example: --allow writes
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
    /// Otherwise they are replaced by filler of the same length before anything is written, and what is said of them tells
    /// their length only. Example: --keep-content
    #[arg(long, help_heading = "Care")]
    pub(crate) keep_content: bool,

    #[command(flatten, next_help_heading = "Target embedded:PROFILE")]
    pub(crate) server: ServerArgs,
}

/// What may be done to the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Effect {
    Writes,
    Destroys,
    Lockout,
}

impl Effect {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Writes => "writes",
            Self::Destroys => "destroys",
            Self::Lockout => "lockout",
        }
    }
}
