//! Captures on disk, whatever they are: `.eascap` files, run folders, and what the importers read.

use std::{
    fs::File,
    io::{self, BufReader, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use easrig_capture::{Format, ImportError, KeyLog, Options, ServerKey, Sink, Tally};
use easrig_exchange::{EascapError, EascapFile, EascapReader, ExchangeNumber};
use miette::{IntoDiagnostic as _, WrapErr as _, miette};
use thiserror::Error;

use crate::{args::KeyArgs, input};

/// How every `.eascap` file begins.
const EASCAP: &[u8] = b"EASCAP";

/// Bytes at the head of a file that tell its format.
const HEAD: u64 = 4096;

/// A file that is open, and what it is.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    file: File,
    kind: Kind,
}

/// What a file is by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The exchanges of a run folder.
    Run,
    /// A file of exchanges.
    Eascap,
    /// A capture that is imported.
    Capture,
    /// None of these: a log or a table perhaps.
    Other,
}

/// What reading brought beside the exchanges.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// What an import saw.
    tally: Option<Tally>,
    /// Where the torn last record of an `.eascap` file begins.
    torn: Option<u64>,
}

/// Why reading ended early.
#[derive(Debug, Error)]
pub(crate) enum SourceError {
    /// The file of exchanges is damaged.
    #[error(transparent)]
    Eascap(#[from] EascapError),
    /// The capture cannot be read.
    #[error(transparent)]
    Import(ImportError),
    /// The exchanges could not be handed on.
    #[error("an exchange could not be written: {0}")]
    Sink(io::Error),
}

impl Source {
    /// Opens a file or a run folder.
    ///
    /// # Errors
    /// When it cannot be opened or its head cannot be read.
    pub(crate) fn open(path: &Path) -> miette::Result<Self> {
        let named = || format!("cannot read `{}`", path.display());
        if path.is_dir() {
            if !path.join("run.jsonl").is_file() {
                return Err(miette!("`{}` is no run folder: there is no run.jsonl in it", path.display()));
            }
            let tape = path.join("exchanges.eascap");
            let file = File::open(&tape);
            let file = file.into_diagnostic().wrap_err_with(|| format!("cannot read `{}`", tape.display()))?;
            return Ok(Self { path: path.to_owned(), file, kind: Kind::Run });
        }
        let mut file = File::open(path).into_diagnostic().wrap_err_with(named)?;
        let mut head = Vec::new();
        let read = (&mut file).take(HEAD).read_to_end(&mut head).and_then(|_| file.seek(SeekFrom::Start(0)));
        read.into_diagnostic().wrap_err_with(named)?;
        let kind = match Format::of(&head) {
            _ if head.starts_with(EASCAP) => Kind::Eascap,
            Some(_) => Kind::Capture,
            None => Kind::Other,
        };
        Ok(Self { path: path.to_owned(), file, kind })
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The file itself, for whoever reads what is no capture.
    pub(crate) fn into_file(self) -> File {
        self.file
    }

    /// Hands every exchange to `sink`, one after the other; at most one of them is held.
    ///
    /// # Errors
    /// [`SourceError::Sink`] with the first error of `sink`; the others when the file cannot be read (any further).
    pub(crate) fn read(self, options: &Options, sink: Sink<'_>) -> Result<Seen, SourceError> {
        let input = BufReader::new(self.file);
        match self.kind {
            Kind::Run | Kind::Eascap => {
                let mut reader = EascapReader::new(input)?;
                for exchange in &mut reader {
                    sink(exchange?).map_err(SourceError::Sink)?;
                }
                Ok(Seen { tally: None, torn: reader.torn() })
            }
            Kind::Capture | Kind::Other => match easrig_capture::import(input, options, sink) {
                Ok(tally) => Ok(Seen { tally: Some(tally), torn: None }),
                Err(ImportError::Sink(error)) => Err(SourceError::Sink(error)),
                Err(error) => Err(SourceError::Import(error)),
            },
        }
    }

    /// As [`Source::read`], but only the exchanges of these numbers are wanted: the others are left out where that saves
    /// reading them.
    ///
    /// # Errors
    /// As [`Source::read`].
    pub(crate) fn read_some(
        self,
        numbers: &[ExchangeNumber],
        options: &Options,
        sink: Sink<'_>,
    ) -> Result<Seen, SourceError> {
        if self.kind == Kind::Run || self.kind == Kind::Eascap {
            let mut file = EascapFile::open(BufReader::new(self.file))?;
            for number in numbers {
                if let Some(exchange) = file.get(*number)? {
                    sink(exchange).map_err(SourceError::Sink)?;
                }
            }
            return Ok(Seen::default());
        }
        self.read(options, sink)
    }

    /// How it is named to people.
    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }
}

impl Seen {
    /// What is missing that no exchange stands for, in a sentence; gaps inside an exchange are the exchange's own.
    pub(crate) fn lacks(&self) -> Option<String> {
        let mut parts = Vec::new();
        if let Some(tally) = self.tally.as_ref().filter(|tally| !tally.is_complete()) {
            let unnamed = tally.gaps.iter().filter(|gap| gap.exchange.is_none()).count();
            let encrypted: u64 = tally.undecryptable.values().sum();
            let counted =
                [(encrypted, "streams stayed encrypted"), (u64::try_from(unnamed).unwrap_or(u64::MAX), "gaps")];
            parts.extend(counted.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
            let skipped = tally.skipped.iter().filter(|(reason, _)| reason.is_content());
            parts.extend(skipped.map(|(reason, count)| format!("{count} × {reason}")));
            parts.extend(tally.damage.as_ref().map(ToString::to_string));
        }
        parts.extend(self.torn.map(|at| format!("the last record, at byte {at}, is torn")));
        (!parts.is_empty()).then(|| format!("what is missing in the file may hold more: {}", parts.join("; ")))
    }

    /// Everything that is worth saying about `name`: the tally and every gap, or the torn end. Empty when nothing is.
    pub(crate) fn words(&self, name: &str) -> String {
        let mut lines = Vec::new();
        if let Some(tally) = &self.tally {
            lines.extend(tally.to_string().lines().map(|line| format!("{name}: {line}")));
            lines.extend(tally.gaps.iter().map(|gap| format!("{name}: gap: {gap}")));
            let listed = u64::try_from(tally.gaps.len()).unwrap_or(u64::MAX);
            let more = tally.gap_count.saturating_sub(listed);
            if more > 0 {
                lines.push(format!("{name}: and {more} gaps more"));
            }
        }
        if let Some(at) = self.torn {
            lines.push(format!("{name}: the last record, at byte {at}, is torn; what stands before it was read"));
        }
        easrig_report::safe(&lines.join("\n")).into_owned()
    }
}

/// The keys that open TLS, read from their files.
///
/// # Errors
/// When a file cannot be read or holds no key.
pub(crate) fn options(args: &KeyArgs) -> miette::Result<Options> {
    let mut options = Options::default();
    if let Some(path) = &args.keylog {
        let named = || format!("cannot read the key log `{}`", path.display());
        let file = File::open(path).into_diagnostic().wrap_err_with(named)?;
        options.key_log = KeyLog::read(BufReader::new(file)).into_diagnostic().wrap_err_with(named)?;
    }
    for path in &args.server_key {
        let named = || format!("cannot read the server key `{}`", path.display());
        let text = input::read_text(Some(path))?;
        options.server_keys.push(ServerKey::from_pem(&text).into_diagnostic().wrap_err_with(named)?);
    }
    Ok(options)
}
