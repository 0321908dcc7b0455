use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use easrig_exchange::{EascapError, Exchange, ExchangeNumber};
use easrig_scenario::{
    Cell, CellId,
    event::{self, Event, RunStarted},
};
use thiserror::Error;

use crate::tape::Tape;

/// The folder of one run: `run.jsonl` (events, one a line) and `exchanges.eascap` (the bytes, by number).
///
/// Both only grow. Every event is flushed when it is written, and the disk is waited for when a cell is finished, so that
/// a run that is cut short keeps everything up to that moment.
pub struct RunFolder {
    path: PathBuf,
    files: Mutex<Files>,
}

struct Files {
    log: BufWriter<File>,
    tape: Tape,
}

/// What an earlier, unfinished run left in the folder.
#[derive(Debug)]
pub struct Unfinished {
    /// Its first line.
    pub started: RunStarted,
    /// The cells it finished; `--resume` does not run them again.
    pub finished: Vec<Cell>,
    /// Exchanges and broken invariants it had seen, with the cells they belong to.
    pub events: Vec<Event>,
}

/// Why a run folder cannot be used.
#[derive(Debug, Error)]
pub enum FolderError {
    /// There is a run in it already.
    #[error("`{0}` already holds a run; name another folder with --out, or go on with it by --resume")]
    Occupied(PathBuf),
    /// `--resume` without a run.
    #[error("`{0}` holds no run to resume (there is no run.jsonl in it)")]
    NothingToResume(PathBuf),
    /// The run there is another one.
    #[error("the run in `{path}` cannot be resumed: {why}; start a new one in another folder")]
    Different {
        /// The folder.
        path: PathBuf,
        /// What differs.
        why: String,
    },
    /// A line that is no event.
    #[error("`{path}` line {line}: {why}")]
    BadLine {
        /// The file.
        path: PathBuf,
        /// Line number from 1.
        line: u64,
        /// What was wrong with it.
        why: String,
    },
    /// The file of exchanges cannot be read or written.
    #[error("`{path}`: {source}")]
    Tape {
        /// The file.
        path: PathBuf,
        /// What was wrong with it.
        source: EascapError,
    },
    /// The system said no.
    #[error("`{path}`: {source}")]
    Io {
        /// What was opened or written.
        path: PathBuf,
        /// The system's own words.
        source: io::Error,
    },
}

impl RunFolder {
    /// Makes the folder, which must not hold a run yet.
    ///
    /// # Errors
    /// [`FolderError::Occupied`] when it does, [`FolderError::Io`] when the system says no.
    pub fn create(path: &Path) -> Result<Self, FolderError> {
        let log_path = path.join("run.jsonl");
        if holds_run(&log_path)? {
            return Err(FolderError::Occupied(path.to_owned()));
        }
        std::fs::create_dir_all(path).map_err(|source| FolderError::Io { path: path.to_owned(), source })?;
        let log = OpenOptions::new().write(true).create(true).truncate(true).open(&log_path);
        let log = log.map_err(|source| FolderError::Io { path: log_path, source })?;
        let tape_path = path.join("exchanges.eascap");
        let tape = Tape::create(&tape_path).map_err(|source| FolderError::Tape { path: tape_path, source })?;
        Ok(Self { path: path.to_owned(), files: Mutex::new(Files { log: BufWriter::new(log), tape }) })
    }

    /// Opens a folder that holds a run to go on with; torn ends of both files are cut off first.
    ///
    /// # Errors
    /// When there is no run, when it was written by a newer version, or when target, scenarios or personas are not the
    /// same as in `wanted`.
    pub fn resume(path: &Path, wanted: &RunStarted) -> Result<(Self, Unfinished), FolderError> {
        let log_path = path.join("run.jsonl");
        if !holds_run(&log_path)? {
            return Err(FolderError::NothingToResume(path.to_owned()));
        }
        let io = |source| FolderError::Io { path: log_path.clone(), source };
        let mut file = OpenOptions::new().read(true).write(true).open(&log_path).map_err(io)?;
        let (unfinished, whole) = read_events(&mut file, &log_path)?;
        comparable(&unfinished.started, wanted).map_err(|why| FolderError::Different { path: path.to_owned(), why })?;
        file.set_len(whole).and_then(|()| file.seek(SeekFrom::End(0))).map_err(io)?;
        let tape_path = path.join("exchanges.eascap");
        let tape = Tape::append(&tape_path, unfinished.last_exchange())
            .map_err(|source| FolderError::Tape { path: tape_path, source })?;
        let files = Mutex::new(Files { log: BufWriter::new(file), tape });
        Ok((Self { path: path.to_owned(), files }, unfinished))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes one event and flushes it; waits for the disk when a cell is finished.
    ///
    /// # Errors
    /// When the disk is full or gone.
    pub fn record(&self, event: &Event) -> Result<(), FolderError> {
        let mut files = self.files();
        let line = serde_json::to_string(event).map_err(io::Error::from);
        line.and_then(|line| {
            writeln!(files.log, "{line}")?;
            files.log.flush()?;
            match event {
                // First the exchanges, then the line that says they are there.
                Event::CellFinished(_) | Event::RunFinished { .. } => {
                    files.tape.sync()?;
                    files.log.get_ref().sync_data()
                }
                _ => Ok(()),
            }
        })
        .map_err(|source| FolderError::Io { path: self.path.join("run.jsonl"), source })
    }

    /// Writes one Exchange, already redacted, under the next number.
    ///
    /// # Errors
    /// When the disk is full or gone.
    pub fn keep(&self, mut exchange: Exchange) -> Result<ExchangeNumber, FolderError> {
        let tape_error = |source| FolderError::Tape { path: self.path.join("exchanges.eascap"), source };
        self.files().tape.push(&mut exchange).map_err(tape_error)
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the file has a whole first line. A run that ended before that has recorded nothing.
fn holds_run(log: &Path) -> Result<bool, FolderError> {
    let io = |source| FolderError::Io { path: log.to_owned(), source };
    let file = match File::open(log) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        file => file.map_err(io)?,
    };
    let mut line = Vec::new();
    BufReader::new(file).take(MAX_LINE).read_until(b'\n', &mut line).map_err(io)?;
    Ok(line.last() == Some(&b'\n'))
}

/// Reads every whole line; also says how many bytes they take, so that a torn last line can be cut off.
fn read_events(file: &mut File, path: &Path) -> Result<(Unfinished, u64), FolderError> {
    let mut reader = BufReader::new(file);
    let (mut whole, mut number) = (0, 0);
    let (mut started, mut finished, mut events) = (None, Vec::new(), Vec::new());
    loop {
        let mut line = Vec::new();
        let read = io::Read::take(&mut reader, MAX_LINE).read_until(b'\n', &mut line);
        let read = read.map_err(|source| FolderError::Io { path: path.to_owned(), source })?;
        if read as u64 == MAX_LINE && line.last() != Some(&b'\n') {
            let why = format!("longer than {MAX_LINE} bytes");
            return Err(FolderError::BadLine { path: path.to_owned(), line: number + 1, why });
        }
        if read == 0 || line.last() != Some(&b'\n') {
            break;
        }
        number += 1;
        whole += read as u64;
        let bad = |why: String| FolderError::BadLine { path: path.to_owned(), line: number, why };
        match serde_json::from_slice::<Event>(&line) {
            Ok(Event::RunStarted(first)) if first.format > event::FORMAT => {
                return Err(bad(format!("written by a newer version (format {})", first.format)));
            }
            Ok(Event::RunStarted(first)) => started = Some(first),
            Ok(Event::CellFinished(cell)) => finished.push(cell),
            Ok(seen @ (Event::InvariantBroken { .. } | Event::InvariantMet { .. } | Event::Exchanged { .. })) => {
                events.push(seen);
            }
            Ok(_) => {}
            Err(error) => return Err(bad(format!("not an event of a run file: {error}"))),
        }
    }
    let started = started.ok_or_else(|| FolderError::BadLine {
        path: path.to_owned(),
        line: 1,
        why: "the file does not begin with `run_started`".into(),
    })?;
    Ok((Unfinished { started, finished, events }, whole))
}

fn comparable(there: &RunStarted, wanted: &RunStarted) -> Result<(), String> {
    if there.target != wanted.target {
        return Err(format!("its target is `{}`, not `{}`", there.target, wanted.target));
    }
    if !there.persona_ids().eq(wanted.persona_ids()) {
        let names = |run: &RunStarted| run.persona_ids().collect::<Vec<_>>().join(",");
        return Err(format!("its personas are {}, not {}", names(there), names(wanted)));
    }
    if let Some(((id, _), _)) = there.personas.iter().zip(&wanted.personas).find(|(there, wanted)| there != wanted) {
        return Err(format!("the file of the persona `{id}` is not the same"));
    }
    let ids = |run: &RunStarted| run.scenarios.iter().cloned().collect::<BTreeSet<_>>();
    match ids(there).symmetric_difference(&ids(wanted)).next() {
        Some((id, _)) => Err(format!("the scenario `{id}` is not the same")),
        None => Ok(()),
    }
}

impl Unfinished {
    /// The cells that need not run again.
    pub fn done(&self) -> BTreeSet<CellId> {
        self.finished.iter().map(|cell| cell.id.clone()).collect()
    }

    /// The highest number an exchange has; 0 when there was none.
    pub(crate) fn last_exchange(&self) -> ExchangeNumber {
        let numbers = self.events.iter().filter_map(|event| match event {
            Event::Exchanged { exchange, .. } => Some(*exchange),
            _ => None,
        });
        numbers.max().unwrap_or(ExchangeNumber(0))
    }
}

/// The longest line that is read back from a run file, in bytes.
const MAX_LINE: u64 = 16 << 20;
