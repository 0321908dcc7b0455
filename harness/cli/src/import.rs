//! `easrig import`: captures of every kind as one `.eascap` file.

use std::{
    fs::File,
    io::{self, BufWriter},
    path::Path,
};

use easrig_exchange::{Content, EascapError, EascapWriter, Exchange, ExchangeNumber, Redactor};
use easrig_report::Exit;
use miette::{IntoDiagnostic as _, WrapErr as _, miette};
use tempfile::NamedTempFile;

use crate::{args::ImportArgs, output::Output};

pub(crate) mod source;

use source::{Source, SourceError};

pub(crate) fn import(args: &ImportArgs, output: &Output) -> miette::Result<Exit> {
    let mut options = source::options(&args.keys)?;
    let sources = args.files.iter().map(|path| Source::open(path)).collect::<miette::Result<Vec<_>>>()?;
    check_output(&args.output, &args.files)?;
    let mut tape = Tape::begin(&args.output, redactor(args))?;
    for source in sources {
        let name = source.name();
        // Gaps name exchanges by the numbers that they have in the new file.
        options.first_number = tape.next;
        let seen = source.read(&options, &mut |exchange| tape.write(exchange));
        let seen = seen.map_err(|error| refused(&name, &args.output, error))?;
        output.say(&seen.words(&name));
    }
    let written = tape.next.saturating_sub(1);
    tape.finish(&args.output)?;
    output.say(&format!("{written} exchanges in {}", args.output.display()));
    Ok(if written == 0 { Exit::Nothing } else { Exit::Well })
}

/// The rules of a run's tap, with a salt that is never written.
fn redactor(args: &ImportArgs) -> Redactor {
    let mut salt = [0; 32];
    getrandom::fill(&mut salt).expect("the operating system gives random bytes");
    Redactor::new(salt, if args.keep_content { Content::Kept } else { Content::Masked })
}

/// Nobody wants a capture overwritten by its own redaction.
fn check_output(output: &Path, inputs: &[std::path::PathBuf]) -> miette::Result<()> {
    let Ok(there) = output.canonicalize() else { return Ok(()) };
    let same = |input: &Path| input.canonicalize().is_ok_and(|input| input == there);
    if there.is_dir() {
        return Err(miette!("`{}` is a folder; a file is needed to write to", output.display()));
    }
    match inputs.iter().find(|input| same(input) || same(&input.join("exchanges.eascap"))) {
        Some(input) => Err(miette!("`{}` is an input too; it would be overwritten", input.display())),
        None => Ok(()),
    }
}

fn refused(input: &str, output: &Path, error: SourceError) -> miette::Report {
    let place = match &error {
        SourceError::Sink(_) => format!("cannot write `{}`", output.display()),
        SourceError::Eascap(_) | SourceError::Import(_) => format!("cannot read `{input}`"),
    };
    Err::<(), _>(error).into_diagnostic().wrap_err(place).expect_err("made from an error")
}

/// The new file, under another name until it is whole.
struct Tape {
    writer: EascapWriter<BufWriter<NamedTempFile<File>>>,
    redactor: Redactor,
    /// The number of the next exchange.
    next: u64,
}

impl Tape {
    fn begin(path: &Path, redactor: Redactor) -> miette::Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let named = || format!("cannot write `{}`", path.display());
        let file = NamedTempFile::new_in(folder).into_diagnostic().wrap_err_with(named)?;
        let writer = EascapWriter::new(BufWriter::new(file)).into_diagnostic().wrap_err_with(named)?;
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

    fn finish(self, path: &Path) -> miette::Result<()> {
        let named = || format!("cannot write `{}`", path.display());
        let file = self.writer.into_inner().into_inner().map_err(io::IntoInnerError::into_error);
        let file = file.into_diagnostic().wrap_err_with(named)?;
        file.persist(path).map_err(|error| error.error).into_diagnostic().wrap_err_with(named)?;
        Ok(())
    }
}
