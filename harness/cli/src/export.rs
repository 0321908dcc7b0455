//! `easrig export`: a capture or a run for other tools.

use std::io;

use easrig_capture::export::{HarWriter, PcapngWriter, Written};
use easrig_exchange::{Exchange, Redactor};
use easrig_report::Exit;
use easrig_scenario::{CellId, Decoded};
use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use crate::{
    args::ExportArgs,
    import::{self, source::Kind},
    output::Output,
    output_file::OutputFile,
    show::{self, Chosen, Entry},
};

mod notes;

use notes::Notes;

/// How many exchanges are named one by one in a complaint.
const MAX_NAMED: usize = 20;

pub(crate) fn export(args: &ExportArgs, output: &Output) -> miette::Result<Exit> {
    let path = &args.output;
    let format = Format::of(args)?;
    let chosen = Chosen::open(&args.capture, &args.select, &args.keys)?;
    let name = chosen.name();
    let care = match chosen.kind() {
        Kind::Run | Kind::Eascap => Care::Hide,
        Kind::Capture | Kind::Other => Care::Redact(Box::new(import::redactor(args.keep_content))),
    };
    let file = OutputFile::begin(path, std::slice::from_ref(&args.capture))?;
    let named = || format!("cannot write `{}`", path.display());
    let mut writer = Writer::begin(format, file).into_diagnostic().wrap_err_with(named)?;
    let mut count = 0_u64;
    let mut unsent = Vec::new();
    let read = chosen.read(&mut |exchange, cell| {
        let exchange = care.of(exchange);
        count = count.saturating_add(1);
        if writer.write(&exchange, cell)? == Written::NeverSent {
            unsent.push(exchange.number.0);
        }
        Ok(())
    });
    let seen = read.map_err(|error| import::refused(&name, path, error))?.words(&name);
    if !seen.is_empty() {
        output.say(&seen);
    }
    if count == 0 {
        output.say("nothing was selected: no exchange fits");
        return Ok(Exit::Nothing);
    }
    writer.end().into_diagnostic().wrap_err_with(named)?.finish()?;
    let written = count.saturating_sub(u64::try_from(unsent.len()).unwrap_or(u64::MAX));
    output.say(&format!("{written} exchanges in {}", path.display()));
    if !unsent.is_empty() {
        let listed: Vec<String> = unsent.iter().take(MAX_NAMED).map(u64::to_string).collect();
        let more = if unsent.len() > MAX_NAMED { " …" } else { "" };
        output.say(&format!(
            "{} more never reached a server and have no packets: {}{more}",
            unsent.len(),
            listed.join(", ")
        ));
    }
    Ok(Exit::Well)
}

/// What the ending of the file says.
#[derive(Clone, Copy)]
enum Format {
    Har,
    Pcapng,
}

impl Format {
    fn of(args: &ExportArgs) -> miette::Result<Self> {
        let ending = args.output.extension().map(|ending| ending.to_ascii_lowercase());
        match ending.as_ref().and_then(|ending| ending.to_str()) {
            Some("har") => Ok(Self::Har),
            Some("pcapng") => Ok(Self::Pcapng),
            _ => Err(miette!(
                help = "for an .eascap file: easrig import",
                "`{}` says no format to write: it must end in .har or .pcapng",
                args.output.display()
            )),
        }
    }
}

/// What has to be done before an exchange may be written.
enum Care {
    /// It went through a tap or an import: only headers are looked at again.
    Hide,
    /// As an import does it.
    Redact(Box<Redactor>),
}

impl Care {
    fn of(&self, mut exchange: Exchange) -> Exchange {
        match self {
            Self::Hide => {
                show::hide_credentials(&mut exchange);
                exchange
            }
            Self::Redact(redactor) => redactor.redact(exchange),
        }
    }
}

enum Writer {
    Har(HarWriter<OutputFile>),
    Pcapng(PcapngWriter<OutputFile>),
}

impl Writer {
    fn begin(format: Format, file: OutputFile) -> io::Result<Self> {
        let version = env!("CARGO_PKG_VERSION");
        Ok(match format {
            Format::Har => Self::Har(HarWriter::new(file, version)?),
            Format::Pcapng => Self::Pcapng(PcapngWriter::new(file, version)?),
        })
    }

    fn write(&mut self, exchange: &Exchange, cell: Option<&CellId>) -> io::Result<Written> {
        let decoded = Decoded::of(exchange);
        let entry = Entry::of_decoded(exchange, &decoded, cell);
        match self {
            Self::Har(writer) => {
                let sent = exchange.response().map(|response| response.body.as_slice()).unwrap_or_default();
                // A body that cannot be unpacked is written packed.
                let body = if decoded.body.is_empty() { sent } else { decoded.body.as_slice() };
                writer.write(exchange, body, &Notes::of(&entry))?;
                Ok(Written::Packets)
            }
            Self::Pcapng(writer) => writer.write(exchange, &notes::device(&entry), &notes::comment(&entry)),
        }
    }

    fn end(self) -> io::Result<OutputFile> {
        match self {
            Self::Har(writer) => writer.finish(),
            Self::Pcapng(writer) => writer.finish(),
        }
    }
}
