use std::{num::NonZeroU64, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::{Format, ListFormat};

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// A capture, or the folder of a run
    ///
    /// An .eascap file, or a pcap, pcapng, HAR, SAZ or ActiveSync mailbox log; which it is shows in its first bytes. A run
    /// folder knows which exchange belongs to which cell. Example: easrig show reports/monday --cell sync/first,wp7
    #[arg(value_name = "CAPTURE|RUN")]
    pub(crate) capture: PathBuf,

    #[command(flatten)]
    pub(crate) select: SelectArgs,

    /// human, json or xml
    ///
    /// `json` is one object whose `exchanges` has an entry for every HTTP request, `xml` the same for XML tools, with the
    /// documents as elements. Example: --format json
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) format: ShowFormat,

    #[command(flatten)]
    pub(crate) keys: KeyArgs,
}

/// Which exchanges of a capture or run; together they narrow.
#[derive(Debug, Args)]
pub(crate) struct SelectArgs {
    /// Only what this device sent
    ///
    /// The DeviceId in the query, in any letter case; in a run folder and in an import without --keep-content that is its
    /// pseudonym. Example: --device ApplF17K9PT
    #[arg(long, value_name = "ID", help_heading = "Selection")]
    pub(crate) device: Option<String>,

    /// Only these commands
    ///
    /// Names of ActiveSync commands and OPTIONS, separated by commas. Example: --command Sync,Ping
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Selection")]
    pub(crate) command: Vec<String>,

    /// Only the exchanges of one cell of a run
    ///
    /// The scenario, and behind a comma the persona. Example: --cell journeys/reply,wp7
    #[arg(long, value_name = "SCENARIO[,PERSONA]", help_heading = "Selection")]
    pub(crate) cell: Option<String>,

    /// Only the exchanges of these numbers
    ///
    /// Separated by commas; reports name exchanges by their number. Example: --exchange 12,13
    #[arg(long, value_name = "N[,N…]", value_delimiter = ',', help_heading = "Selection")]
    pub(crate) exchange: Vec<NonZeroU64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowFormat {
    #[default]
    Human,
    Json,
    Xml,
}

#[derive(Debug, Args)]
pub(crate) struct ToScenarioArgs {
    /// A capture, or the folder of a run
    ///
    /// An .eascap file, or a pcap, pcapng, HAR, SAZ or ActiveSync mailbox log. Example: easrig to-scenario x.eascap -o mine/x.toml
    #[arg(value_name = "CAPTURE|RUN")]
    pub(crate) capture: PathBuf,

    /// The device whose requests become steps
    ///
    /// The DeviceId in the query, in any letter case; else that of the first chosen request. Example: --device ApplF17K9PT
    #[arg(long, value_name = "ID")]
    pub(crate) device: Option<String>,

    /// Only these exchanges
    ///
    /// A range of numbers, both ends included, or one number. Example: --exchanges 12-20
    #[arg(long, value_name = "N-M")]
    pub(crate) exchanges: Option<String>,

    /// The id of the scenario
    ///
    /// Without it, the folder and the name of the output file. Example: --id sync/after-upgrade
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,

    /// The file to write
    ///
    /// It runs with the folder above it as --scenarios. Example: -o my-scenarios/sync/after-upgrade.toml
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    pub(crate) keys: KeyArgs,
}

/// What is done with personas.
#[derive(Debug, Subcommand)]
pub(crate) enum PersonaCommand {
    /// Propose a persona file from a recorded device
    ///
    /// What was seen on the wire stands in the file with the exchange it was seen in; what was not seen stands there as a
    /// comment that says why. Example: easrig persona learn monday.eascap -o my-phones/nokia.toml
    Learn(LearnArgs),
}

#[derive(Debug, Args)]
pub(crate) struct LearnArgs {
    /// A capture, or the folder of a run
    ///
    /// An .eascap file, or a pcap, pcapng, HAR, SAZ or ActiveSync mailbox log. The beginning of an account (OPTIONS,
    /// Provision, FolderSync, first Sync) teaches most. Example: easrig persona learn new-phone.pcapng
    #[arg(value_name = "CAPTURE|RUN")]
    pub(crate) capture: PathBuf,

    /// The device to learn from
    ///
    /// The DeviceId in the query, in any letter case; needed when there are several. Example: --device ApplF17K9PT
    #[arg(long, value_name = "ID")]
    pub(crate) device: Option<String>,

    /// The name of the persona
    ///
    /// Without it the name of the output file, else the DeviceType. It must be the name of its file.
    /// Example: --id nokia-n9
    #[arg(long, value_name = "NAME")]
    pub(crate) id: Option<String>,

    /// The file to write
    ///
    /// Without it the file goes to stdout. An older one of that name is replaced once the new one is whole.
    /// Example: -o my-phones/nokia-n9.toml
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) keys: KeyArgs,
}

#[derive(Debug, Args)]
pub(crate) struct JudgeArgs {
    /// A capture, or the folder of a run
    ///
    /// An .eascap file, or a pcap, pcapng, HAR, SAZ or ActiveSync mailbox log. Example: easrig judge monday.eascap
    #[arg(value_name = "CAPTURE|RUN")]
    pub(crate) capture: PathBuf,

    /// Only this device
    ///
    /// The DeviceId in the query, in any letter case. Example: --device ApplF17K9PT
    #[arg(long, value_name = "ID")]
    pub(crate) device: Option<String>,

    /// Broken recommendations fail too
    ///
    /// Findings of level `should` make the exit code 1. Example: --strict
    #[arg(long)]
    pub(crate) strict: bool,

    /// What the devices do wrong fails too
    ///
    /// For whoever makes a device or a client library: without it, only the server's faults fail. Example: --strict-devices
    #[arg(long)]
    pub(crate) strict_devices: bool,

    /// human, json, junit, markdown, tap, github or prometheus on stdout
    ///
    /// As of `easrig run`: `json` is the text of summary.json, `junit` that of junit.xml.
    /// Example: --format junit > results.xml
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) format: Format,

    /// A folder to write the judgement to
    ///
    /// It becomes a run folder, with the exchanges redacted as by `easrig import`: `easrig show` and `compare` read it. One
    /// that holds a run is refused. Example: --out reports/field
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// With --out, keep subjects, bodies and addresses
    ///
    /// Otherwise they are replaced by filler of the same length. Example: --out reports/field --keep-content
    #[arg(long, requires = "out")]
    pub(crate) keep_content: bool,

    #[command(flatten)]
    pub(crate) keys: KeyArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The captures to read, in this order
    ///
    /// pcap, pcapng, HAR, SAZ, ActiveSync mailbox logs, .eascap files and run folders.
    /// Example: easrig import monday.pcapng tuesday.har -o week.eascap
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// The file to write
    ///
    /// It appears when the import is complete; an older one of that name is replaced. Example: -o week.eascap
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// Keep subjects, bodies and addresses
    ///
    /// Otherwise they are replaced by filler of the same length. Credentials are removed in any case, and device ids and
    /// policy keys are pseudonyms. Example: --keep-content
    #[arg(long)]
    pub(crate) keep_content: bool,

    #[command(flatten)]
    pub(crate) keys: KeyArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// A capture, or the folder of a run
    ///
    /// Everything that `easrig show` reads. Example: easrig export reports/monday -o monday.pcapng
    #[arg(value_name = "CAPTURE|RUN")]
    pub(crate) capture: PathBuf,

    /// The file to write: FILE.har or FILE.pcapng
    ///
    /// Its ending says the format. It appears when it is complete; an older one of that name is replaced.
    /// Example: -o monday.har
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    pub(crate) select: SelectArgs,

    /// Keep subjects, bodies and addresses
    ///
    /// Otherwise those of packets, archives and logs are replaced by filler of the same length. An .eascap file and a run are
    /// written as they are: what they hold was decided when they were made. Example: --keep-content
    #[arg(long)]
    pub(crate) keep_content: bool,

    #[command(flatten)]
    pub(crate) keys: KeyArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ScrubArgs {
    /// A capture, or the folder of a run
    ///
    /// Everything that `easrig show` reads. Example: easrig scrub reports/monday -o monday.eascap
    #[arg(value_name = "CAPTURE|RUN")]
    pub(crate) capture: PathBuf,

    /// The file to write
    ///
    /// An .eascap file. It appears when it is complete; an older one of that name is replaced. Example: -o shared.eascap
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// Let a domain stand; repeatable
    ///
    /// In addresses and host names that end in it; what stands before it is replaced all the same.
    /// Example: --keep-domain outlook.com
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) keep_domain: Vec<String>,

    /// Also write which pseudonym stands for which name
    ///
    /// A table (kind, pseudonym, original) of addresses, hosts and device ids, readable by you alone. Whoever has it can undo
    /// the scrubbing: keep it to yourself. Example: --map private.tsv
    #[arg(long, value_name = "FILE")]
    pub(crate) map: Option<PathBuf>,

    /// human or json
    ///
    /// How to say what was replaced: `human` in words on stderr, `json` as an object on stdout. Example: --format json
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) format: ListFormat,

    #[command(flatten)]
    pub(crate) keys: KeyArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CensusArgs {
    /// Logs, tables of devices and captures; all count together
    ///
    /// IIS and reverse proxy logs, CSV of `Get-MobileDevice` or `Get-MobileDeviceStatistics`, and everything that `easrig
    /// import` reads. Example: easrig census u_ex*.log devices.csv
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// human, json or html
    ///
    /// `json` holds everything that was learned, with times in microseconds since 1970; `html` is one page that needs
    /// nothing else, with the phones worth a look on top. Example: --format html > phones.html
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) format: CensusFormat,

    #[command(flatten)]
    pub(crate) keys: KeyArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum CensusFormat {
    #[default]
    Human,
    Json,
    Html,
}

/// What opens TLS in packet captures.
#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    /// A TLS key log, to open encrypted packets
    ///
    /// As programs write it to SSLKEYLOGFILE; a pcapng may hold one itself. Example: --keylog keys.log
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    pub(crate) keylog: Option<PathBuf>,

    /// The server's RSA key, to open encrypted packets; repeatable
    ///
    /// PEM without passphrase. It opens TLS 1.0 to 1.2 with RSA key exchange only, as old devices use it.
    /// Example: --server-key exchange.pem
    #[arg(long, value_name = "PEM", help_heading = "TLS")]
    pub(crate) server_key: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CaptureCommand {
    /// Capture until Ctrl-C
    ///
    /// Writes a pcapng file that `easrig import` and Wireshark read, and says how many packets were lost. Needs a build with
    /// libpcap (the cargo feature live-capture) and the privilege to capture: root, or CAP_NET_RAW on the program.
    /// Example: easrig capture live -i eth0 --filter 'tcp port 443' --keylog keys.log -o trace.pcapng
    Live(LiveArgs),
}

#[derive(Debug, Args)]
pub(crate) struct LiveArgs {
    /// The interface
    ///
    /// A wrong name is answered with those there are. Example: -i eth0
    #[arg(short, long, value_name = "IFACE")]
    pub(crate) interface: String,

    /// Only packets that pass this filter
    ///
    /// In the language of tcpdump. Example: --filter 'tcp port 443 and host 192.0.2.7'
    #[arg(long, value_name = "BPF")]
    pub(crate) filter: Option<String>,

    /// TLS keys to put into the file
    ///
    /// In the format of SSLKEYLOGFILE, as it stands when the capture ends; the file then opens by itself, for everybody who
    /// has it. Example: --keylog keys.log
    #[arg(long, value_name = "FILE")]
    pub(crate) keylog: Option<PathBuf>,

    /// The file to write; one that exists is refused
    ///
    /// Example: -o trace.pcapng
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}
