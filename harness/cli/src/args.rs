//! The command line: every flag in a line for `-h` and in a paragraph with an example for `--help`.

mod baseline;
mod capture;
mod compare;
mod page;
mod reach;
mod replay;
mod report;
mod run;

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use easrig_exchange::TlsVersion;
use easrig_refserver::{Delay, Switch};
use easrig_runner::Account;
use easrig_scenario::Strictness;

use crate::output::Color;
pub(crate) use baseline::{
    ApproveArgs, BASELINES, BaselineArgs, BaselineCommand, BaselineName, CheckArgs, baseline_name,
};
pub(crate) use capture::{
    CaptureCommand, CensusArgs, CensusFormat, ExportArgs, ImportArgs, JudgeArgs, KeyArgs, LearnArgs, LiveArgs,
    PersonaCommand, ScrubArgs, SelectArgs, ShowArgs, ShowFormat, ToScenarioArgs,
};
pub(crate) use compare::{CompareArgs, CompareFormat, MatrixArgs, MatrixFormat};
pub(crate) use page::{LanguageArgs, PageArgs};
pub(crate) use reach::{Effect, ReachArgs};
pub(crate) use replay::ReplayArgs;
pub(crate) use report::ReportArgs;
pub(crate) use run::{Format, RunArgs};

/// A rack of phones for your Exchange ActiveSync server
///
/// easrig sends scripted phones (Windows Phone 7, iOS, Android, BlackBerry, Outlook mobile) through Autodiscover,
/// provisioning and synchronisation against your server, exactly as those devices do on the wire, and says what each owner
/// would see: mail arriving, or "86000C2B".
///
/// Begin with `easrig demo`: it needs no server. Exit codes: 0 well, 1 the target broke a requirement or an owner would see
/// an error, 2 wrong input, 3 it could not be told, 4 nothing was selected, 101 our own bug.
#[derive(Debug, Parser)]
#[command(name = "easrig", version, propagate_version = false, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// When to use colours
    ///
    /// `auto` uses them on a terminal unless NO_COLOR is set. Example: --color never
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", hide_possible_values = true)]
    pub(crate) color: Color,

    /// A folder of scenarios to add
    ///
    /// Every FILE.toml below it is a scenario whose id is its path without ending; one with the id of a built-in scenario
    /// stands in for that. Example: --scenarios ./my-scenarios
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) scenarios: Option<PathBuf>,

    /// A folder of personas to add
    ///
    /// Every FILE.toml in it is a persona whose id is its file name without ending; one with the id of a built-in persona
    /// stands in for that. Example: --personas ./my-phones
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) personas: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what easrig does, on a server of its own
    ///
    /// Starts the reference server as an Exchange 2010 SP1 with a policy that requires device encryption, lets every phone
    /// set up its account there, and shows which owners see which error and what helps; then applies the remedy and shows
    /// what changed. Needs no network, no account and less than 20 seconds. Exits 0 only if it showed that picture.
    Demo(DemoArgs),
    /// Run scenarios on phones against a server
    ///
    /// Lets every chosen phone act every chosen scenario against the target and says what came of it. Everything that
    /// happens is kept in the run folder (--out): events, exchanges (redacted), summary.json and junit.xml.
    ///
    /// Example: easrig run journeys --target mail.example.org --account alice:secret --account bob:secret --allow writes
    Run(Box<RunArgs>),
    /// Compare two runs: what an upgrade did, and what to change
    ///
    /// Says in a sentence for each kind of phone what its owners get, then every cause of a change once, with the cells it
    /// changed and what helps. Keys, ids, dates and the order of things are never a difference. Exits 1 for a regression,
    /// 3 when something can no longer be told, else 0. Example: easrig compare reports/before reports/after
    Compare(CompareArgs),
    /// Several servers side by side, phone by phone
    ///
    /// What each phone came to at worst on each server, in how many cells, and what its owner sees. Takes the folders of
    /// runs. Example: easrig matrix reports/sogo reports/exchange
    Matrix(MatrixArgs),
    /// List scenarios, personas, profiles, requirements or switches
    ///
    /// Example: easrig list scenarios --format json
    List(ListArgs),
    /// Explain a scenario, requirement, status, error code, switch or persona
    ///
    /// Takes a scenario id, a requirement id (MS-ASCMD_R115), a status (142, or status:Sync:3 for one place), a code on a
    /// phone's screen (86000C2B), a dishonest switch or a persona. Example: easrig explain 86000C2B
    Explain(ExplainArgs),
    /// Run the reference server
    ///
    /// Serves real mailboxes over Exchange ActiveSync until Ctrl-C. Prints `ready URL CA=FILE` once it accepts, then the
    /// accounts. Example: easrig serve --profile exchange-2019 --listen 127.0.0.1:8443
    Serve(ServeArgs),
    /// Turn WBXML into XML, and request lines into words
    ///
    /// Reads a WBXML document, or it in hexadecimal or base64, and prints XML that `easrig encode` turns into the same
    /// document. A packed (base64) query string, a plain one, or a line of a server's log that holds one, is explained
    /// instead. Example: echo 03016a00000756520330000101 | easrig decode
    Decode(DecodeArgs),
    /// Turn XML into WBXML
    ///
    /// Reads the XML that `easrig decode` prints and writes the canonical WBXML bytes. On a terminal they are shown in
    /// hexadecimal. Example: easrig decode message.wbxml | easrig encode > again.wbxml
    Encode(EncodeArgs),
    /// Make any report of a run
    ///
    /// From the run folder alone, also of a run that was cut short: the same bytes that `easrig run` gives. Exits as the run
    /// does: 1 when something is not well, 3 when something could not be told.
    ///
    /// Example: easrig report reports/monday --format markdown -o comment.md
    Report(ReportArgs),
    /// Approve a run, and hold later ones against it
    ///
    /// A baseline is what a run came to and what was said in it, as plain text in a folder that is kept with your files: a
    /// change of the server shows as a difference in a pull request. docs/baselines.md says more.
    ///
    /// Example: easrig baseline check reports/tuesday --name mail
    Baseline(BaselineArgs),
    /// Show what a capture or a run holds
    ///
    /// Every exchange decoded: request line and query in words, headers, bodies as XML, every Status by name, and of a
    /// policy the settings that bind a device. Example: easrig show reports/monday --exchange 12
    Show(ShowArgs),
    /// Judge recorded traffic: what did the server do wrong, what did the device
    ///
    /// The invariants of live runs over every answer, rules of conduct over every request, and what each owner saw, device by
    /// device. What is missing in the recording is nobody's fault, and said. Example: easrig judge monday.eascap --format junit
    Judge(JudgeArgs),
    /// Write a scenario from a recorded sequence
    ///
    /// The device's requests become steps, its answers expectations. Keys and ids are saved and used by name, items of the
    /// recorded mailbox are replaced by some that the scenario makes, contents by others. What is left out is said, and stands
    /// in the file. Example: easrig to-scenario monday.eascap --exchanges 12-20 -o my-scenarios/sync/after-upgrade.toml
    ToScenario(ToScenarioArgs),
    /// Make personas
    ///
    /// A persona is a file that says all in which one device differs from others.
    /// Example: easrig persona learn monday.eascap --device ApplF17K9PT
    #[command(subcommand)]
    Persona(PersonaCommand),
    /// Record packets from a network interface
    ///
    /// Example: easrig capture live -i eth0 --filter 'tcp port 443' -o trace.pcapng
    Capture {
        #[command(subcommand)]
        command: CaptureCommand,
    },
    /// Turn captures into one .eascap file
    ///
    /// Reads packets (with TLS, where keys are at hand), HTTP archives and mailbox logs, and says everything that is missing
    /// in them. What is written is redacted as in a run. Example: easrig import trace.pcapng --keylog keys.log -o x.eascap
    Import(ImportArgs),
    /// Write a capture or a run for other tools
    ///
    /// As an HTTP archive (.har) with every exchange decoded in the field `_easrig`, or as packets (.pcapng) for Wireshark,
    /// with cell and exchange number as comments. Example: easrig export reports/monday --cell sync/first,wp7 -o x.pcapng
    Export(ExportArgs),
    /// Make a capture fit to be shared
    ///
    /// Replaces names, addresses, hosts, texts, attachments, device ids, keys and tokens, each by the same pseudonym everywhere
    /// and of the same length, and says how many were replaced. What is not known to be protocol counts as content.
    /// Example: easrig scrub phones.eascap -o shared.eascap
    Scrub(ScrubArgs),
    /// Replay a recording against a server, or answer from it
    ///
    /// Sends what a recorded device asked to another server, with every key and id that the server owns taken from its own
    /// answers, and compares the answers in meaning: what differs is named, what may differ is counted by rule. With
    /// --serve it does the reverse and answers a real client from the recording. Exits 1 when something differs, 3 when it
    /// cannot be told.
    ///
    /// Example: easrig replay phones.eascap --target `https://new.example.org` --account alice:secret
    Replay(Box<ReplayArgs>),
    /// List the devices in logs, tables and captures
    ///
    /// Who would be hit by an upgrade or a policy: every device with its owner, system, protocol versions, requests,
    /// statuses, access state and last success. Example: easrig census u_ex261122.log devices.csv
    Census(CensusArgs),
    /// Print a script for completion in your shell
    ///
    /// Example: easrig completions bash > ~/.local/share/bash-completion/completions/easrig
    Completions {
        /// The shell
        ///
        /// One of bash, elvish, fish, powershell, zsh. Example: easrig completions zsh
        #[arg(value_enum, hide_possible_values = true)]
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where to keep both runs
    ///
    /// The runs go to DIR/strict and DIR/remedy; without this flag to reports/demo-TIME. Example: --out ./demo
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) language: LanguageArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// What to list: scenarios, personas, profiles, requirements or switches
    ///
    /// Example: easrig list personas
    #[arg(value_enum, hide_possible_values = true)]
    pub(crate) what: ListWhat,

    /// human or json
    ///
    /// `json` prints an array of objects. Example: --format json
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) format: ListFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListWhat {
    Scenarios,
    Personas,
    Profiles,
    Requirements,
    Switches,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    #[default]
    Human,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A scenario, requirement, status, error code, switch or persona
    ///
    /// Examples: journeys/reply, MS-ASCMD_R115, 142, status:Sync:3, 86000C2B, ping-never-wakes, wp7
    #[arg(value_name = "WHAT")]
    pub(crate) what: String,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Which server to be like
    ///
    /// `easrig list profiles` names them. Example: --profile exchange-2010-sp1
    #[arg(long, value_name = "NAME", default_value = "exchange-2019")]
    pub(crate) profile: String,

    /// Address and port to listen at
    ///
    /// Port 0 takes a free one; the `ready` line says which. Anything but loopback lets others in.
    /// Example: --listen 127.0.0.1:0
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8443")]
    pub(crate) listen: SocketAddr,

    /// Speak HTTP without TLS
    ///
    /// Only for loopback and behind a proxy that ends TLS. Example: --plain --listen 127.0.0.1:8080
    #[arg(long)]
    pub(crate) plain: bool,

    /// The lowest TLS version to speak
    ///
    /// 1.2 or 1.3: what an upgrade that raises the floor does to phones. Example: --tls-floor 1.3
    #[arg(long, value_name = "VERSION", value_enum, default_value = "1.2", conflicts_with = "plain")]
    pub(crate) tls_floor: TlsFloor,

    /// The mail domain of accounts without address
    ///
    /// An account `alice` then has the address alice@DOMAIN. Example: --domain corp.test
    #[arg(long, value_name = "DOMAIN", default_value = "easrig.test")]
    pub(crate) domain: String,

    #[command(flatten)]
    pub(crate) server: ServerArgs,

    #[command(flatten)]
    pub(crate) accounts: AccountArgs,
}

/// The TLS versions that easrig's own server can be told to begin at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TlsFloor {
    /// TLS 1.2 and 1.3
    #[value(name = "1.2")]
    V1_2,
    /// TLS 1.3 only
    #[value(name = "1.3")]
    V1_3,
}

impl From<TlsFloor> for TlsVersion {
    fn from(floor: TlsFloor) -> Self {
        match floor {
            TlsFloor::V1_2 => Self::V1_2,
            TlsFloor::V1_3 => Self::V1_3,
        }
    }
}

/// How the reference server behaves.
#[derive(Debug, Default, Args)]
pub(crate) struct ServerArgs {
    /// The policy that devices must accept
    ///
    /// A TOML file with a table `[policy]` of MS-ASPROV settings, and AllowNonProvisionableDevices.
    /// Example: --policy strict.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,

    /// Make the server dishonest in one way; repeatable
    ///
    /// `easrig list switches` names them all. Example: --dishonest ping-never-wakes
    #[arg(long, value_name = "SWITCH", value_parser = switch)]
    pub(crate) dishonest: Vec<Switch>,

    /// Answer so many milliseconds later; repeatable
    ///
    /// As a server that is far away or under load does: everything, or one command. To see what a client makes of it, or whether
    /// `easrig compare` tells it. Example: --latency 80 --latency Sync=400
    #[arg(long, value_name = "[COMMAND=]MS")]
    pub(crate) latency: Vec<Delay>,
}

impl ServerArgs {
    /// Whether nothing was said about the server.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { policy, dishonest, latency } = self;
        policy.is_none() && dishonest.is_empty() && latency.is_empty()
    }

    /// What makes the server unlike the one of its profile, as it was ordered.
    pub(crate) fn orders(&self) -> impl Iterator<Item = String> {
        let switches = self.dishonest.iter().map(|switch| format!("--dishonest {switch}"));
        switches.chain(self.latency.iter().map(|delay| format!("--latency {delay}")))
    }
}

/// The mailboxes.
#[derive(Debug, Args)]
pub(crate) struct AccountArgs {
    /// A mailbox: USER[=ADDRESS]:SECRET; repeatable
    ///
    /// Accounts pair up: the first owns the phone, the second is the partner who writes to it; the third and fourth are
    /// the next pair. The secret is everything behind the first colon. Since other users of the machine can see command
    /// lines, --accounts or EASRIG_ACCOUNTS are better for real ones. Example: --account alice=alice@example.org:secret
    #[arg(long = "account", value_name = "USER[=ADDRESS]:SECRET", value_parser = account)]
    pub(crate) account: Vec<Account>,

    /// A file with mailboxes
    ///
    /// TOML with a table `[[account]]` per mailbox that holds `user`, `secret` (its password), `token` (an OAuth token)
    /// or both and, if it has another address, `address`.
    /// They come behind those of --account. EASRIG_ACCOUNTS may hold the name of such a file or its text.
    /// Example: --accounts ~/.config/easrig/accounts.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) accounts: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DecodeArgs {
    /// The file to read; `-` or nothing is stdin
    ///
    /// Example: easrig decode answer.wbxml
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// The input is hexadecimal text
    ///
    /// White space does not count. Example: echo 03 01 6a 00 05 | easrig decode --hex
    #[arg(long, conflicts_with = "base64")]
    pub(crate) hex: bool,

    /// The input is base64 text
    ///
    /// Of a WBXML document or of a packed query string; padding may be missing.
    /// Example: echo jQkJBAtIQVJORVNTMDAwMQAHVGVzdERldg== | easrig decode --base64
    #[arg(long)]
    pub(crate) base64: bool,

    /// xml, json or tree
    ///
    /// `xml` can be encoded again and has no white space of its own; `tree` shows byte offsets; `json` holds everything.
    /// Example: --format tree
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) format: DecodeFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum DecodeFormat {
    #[default]
    Xml,
    Json,
    Tree,
}

#[derive(Debug, Args)]
pub(crate) struct EncodeArgs {
    /// The file to read; `-` or nothing is stdin
    ///
    /// Example: easrig encode request.xml
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// Write hexadecimal text
    ///
    /// Example: easrig encode request.xml --hex
    #[arg(long, conflicts_with = "base64")]
    pub(crate) hex: bool,

    /// Write base64 text
    ///
    /// Example: easrig encode request.xml --base64
    #[arg(long)]
    pub(crate) base64: bool,
}

/// What `--strict` means.
pub(crate) fn strictness(is_strict: bool) -> Strictness {
    if is_strict { Strictness::Shoulds } else { Strictness::Musts }
}

fn switch(name: &str) -> Result<Switch, String> {
    name.parse::<Switch>().map_err(|error| {
        let known = Switch::ALL.iter().map(|switch| switch.name());
        format!("{error}; {}", crate::suggest::help(name, known, "easrig list switches"))
    })
}

fn account(text: &str) -> Result<Account, easrig_runner::AccountError> {
    text.parse()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_has_a_line_and_a_paragraph_with_an_example() {
        fn check(command: &clap::Command) {
            let own = command.get_arguments().filter(|arg| !matches!(arg.get_id().as_str(), "help" | "version"));
            for arg in own {
                let long = arg.get_long_help().map(ToString::to_string).unwrap_or_default();
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(!help.is_empty() && !help.contains('\n'), "{}: {help:?}", arg.get_id());
                assert!(long.contains("xample"), "{} of {} has no example", arg.get_id(), command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
