//! From a run folder to its pictures.

use std::{
    cell::RefCell,
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

use easrig_exchange::{EascapFile, Exchange, ExchangeNumber};
use easrig_report::{Run, Sources, junit, read_events, summary, terminal};
use miette::{IntoDiagnostic as _, WrapErr as _};

use crate::{args::Format, library::Library, output::Output};

/// A finished or unfinished run in its folder.
pub(crate) struct Recorded {
    pub(crate) run: Run,
    folder: PathBuf,
    exchanges: Option<RefCell<EascapFile<BufReader<File>>>>,
}

impl Recorded {
    /// Reads the folder.
    ///
    /// # Errors
    /// When the run file cannot be read. Without its exchanges a run is still a run.
    pub(crate) fn read(folder: &Path) -> miette::Result<Self> {
        let log = folder.join("run.jsonl");
        let named = || format!("`{}`", log.display());
        let file = File::open(&log).into_diagnostic().wrap_err_with(named)?;
        let run = Run::fold(read_events(BufReader::new(file))).into_diagnostic().wrap_err_with(named)?;
        let tape = File::open(folder.join("exchanges.eascap")).ok();
        let exchanges = tape.and_then(|file| EascapFile::open(BufReader::new(file)).ok()).map(RefCell::new);
        Ok(Self { run, folder: folder.to_owned(), exchanges })
    }

    /// Writes `summary.json` and `junit.xml` beside the events.
    ///
    /// # Errors
    /// When the disk says no.
    pub(crate) fn write(&self) -> miette::Result<()> {
        for (name, text) in [("summary.json", summary(&self.run)), ("junit.xml", junit(&self.run))] {
            let path = self.folder.join(name);
            std::fs::write(&path, text).into_diagnostic().wrap_err_with(|| format!("`{}`", path.display()))?;
        }
        Ok(())
    }

    /// The run as `format` on stdout.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub(crate) fn print(&self, format: Format, library: &Library, output: &Output) -> miette::Result<()> {
        let text = match format {
            Format::Json => summary(&self.run),
            Format::Junit => junit(&self.run),
            Format::Human => self.draw(library, output),
        };
        output.write(text.as_bytes())
    }

    fn draw(&self, library: &Library, output: &Output) -> String {
        let folder = self.folder.display().to_string();
        let sources = Sources { scenario: &|id| library.scenario(id).ok(), exchange: &|number| self.exchange(number) };
        terminal(&self.run, output.view(&folder), sources)
    }

    fn exchange(&self, number: ExchangeNumber) -> Option<Exchange> {
        self.exchanges.as_ref()?.borrow_mut().get(number).ok().flatten()
    }
}
