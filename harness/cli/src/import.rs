//! `easrig import`: captures of every kind as one `.eascap` file.

use std::{
    io,
    path::{Path, PathBuf},
};

use easrig_exchange::{Content, EascapError, EascapWriter, Exchange, ExchangeNumber, Redactor};
use easrig_report::Exit;
use miette::{IntoDiagnostic as _, WrapErr as _};

use crate::{args::ImportArgs, output::Output, output_file::OutputFile};

pub(crate) mod source;

use source::{Source, SourceError};

pub(crate) fn import(args: &ImportArgs, output: &Output) -> miette::Result<Exit> {
    let mut options = source::options(&args.keys)?;
    let sources = args.files.iter().map(|path| Source::open(path)).collect::<miette::Result<Vec<_>>>()?;
    let mut tape = Tape::begin(&args.output, &args.files, redactor(args.keep_content))?;
    for source in sources {
        let name = source.name();
        // Gaps name exchanges by the numbers that they have in the new file.
        options.first_number = tape.next;
        let seen = source.read(&options, &mut |exchange| tape.write(exchange));
        let seen = seen.map_err(|error| refused(&name, &args.output, error))?;
        output.say(&seen.words(&name));
    }
    let written = tape.next.saturating_sub(1);
    tape.finish()?;
    output.say(&format!("{written} exchanges in {}", args.output.display()));
    Ok(if written == 0 { Exit::Nothing } else { Exit::Well })
}

/// The rules of a run's tap, with a salt that is never written.
pub(crate) fn redactor(keep_content: bool) -> Redactor {
    let mut salt = [0; 32];
    getrandom::fill(&mut salt).expect("the operating system gives random bytes");
    Redactor::new(salt, if keep_content { Content::Kept } else { Content::Masked })
}

pub(crate) fn refused(input: &str, output: &Path, error: SourceError) -> miette::Report {
    let place = match &error {
        SourceError::Sink(_) => format!("cannot write `{}`", output.display()),
        SourceError::Eascap(_) | SourceError::Import(_) => format!("cannot read `{input}`"),
    };
    Err::<(), _>(error).into_diagnostic().wrap_err(place).expect_err("made from an error")
}

/// The new file.
struct Tape {
    writer: EascapWriter<OutputFile>,
    redactor: Redactor,
    /// The number of the next exchange.
    next: u64,
}

impl Tape {
    fn begin(path: &Path, inputs: &[PathBuf], redactor: Redactor) -> miette::Result<Self> {
        let file = OutputFile::begin(path, inputs)?;
        let named = || format!("cannot write `{}`", path.display());
        let writer = EascapWriter::new(file).into_diagnostic().wrap_err_with(named)?;
        Ok(Self { writer, redactor, next: 1 })
    }

    fn write(&mut self, exchange: Exchange) -> io::Result<()> {
        let mut exchange = self.redactor.redact(exchange);
        exchange.number = ExchangeNumber(self.next);
        self.next = self.next.saturating_add(1);
        self.writer.write(&exchange).map_err(|error| match error {
            EascapError::Io(error) => error,
            error => io::Error::other(error),
        })
    }

    fn finish(self) -> miette::Result<()> {
        self.writer.into_inner().finish()
    }
}
