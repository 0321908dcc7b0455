//! `easrig report`, and the way from a run folder to its pictures.

use std::{
    cell::RefCell,
    fs::File,
    io::{BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
};

use easrig_exchange::{EascapFile, Exchange, ExchangeNumber};
use easrig_report::{
    Exit, Known, Palette, Parts, ReadError, Run, Snapshot, Sources, Unused, View, github, html, junit, markdown,
    prometheus, read_events, snapshots, summary, tap, terminal,
};
use easrig_scenario::event::Event;
use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use crate::{
    args::{Format, PageArgs, ReportArgs, strictness},
    baseline::folder_of,
    output::Output,
};

/// The columns of a report for people that goes into a file.
pub(crate) const FILE_WIDTH: usize = 100;

/// The largest list of known deviations, in bytes.
const KNOWN_MOST: u64 = 16 << 20;

pub(crate) fn report(args: &ReportArgs, output: &Output) -> miette::Result<Exit> {
    let known = args.known.as_deref().map(read_known).transpose()?;
    let mut recorded = Recorded::read(&args.run)?;
    if let Some(known) = &known {
        recorded.hold_against(known, output);
    }
    match &args.output {
        Some(path) => {
            let folder = recorded.folder.display().to_string();
            let view = View { palette: &Palette::plain(), width: FILE_WIDTH, folder: &folder };
            write_file(path, &recorded.draw(args.format, view, &args.page))?;
        }
        None => recorded.print(args.format, &args.page, output)?,
    }
    Ok(easrig_report::exit(&recorded.run, strictness(args.strict)))
}

fn events(log: &Path) -> miette::Result<impl Iterator<Item = Result<Event, ReadError>>> {
    let file = File::open(log).into_diagnostic().wrap_err_with(|| unreadable(log))?;
    Ok(read_events(BufReader::new(file)))
}

fn unreadable(log: &Path) -> String {
    format!("cannot read `{}`", log.display())
}

/// The known deviations of a target.
///
/// # Errors
/// When the file cannot be read, and everything that is wrong in it.
pub(crate) fn read_known(path: &Path) -> miette::Result<Known> {
    let named = || format!("cannot read `{}`", path.display());
    let mut text = String::new();
    let file = File::open(path).into_diagnostic().wrap_err_with(named)?;
    file.take(KNOWN_MOST).read_to_string(&mut text).into_diagnostic().wrap_err_with(named)?;
    Ok(Known::parse(&path.display().to_string(), &text)?)
}

/// The run in that form; `human` draws it for people, `page` for a browser.
pub(crate) fn picture(
    run: &Run,
    format: Format,
    human: impl FnOnce(&Run) -> String,
    page: impl FnOnce(&Run) -> String,
) -> String {
    match format {
        Format::Human => human(run),
        Format::Html => page(run),
        Format::Json => summary(run),
        Format::Junit => junit(run),
        Format::Markdown => markdown(run),
        Format::Tap => tap(run),
        Format::Github => github(run),
        Format::Prometheus => prometheus(run),
    }
}

pub(crate) fn write_file(path: &Path, text: &str) -> miette::Result<()> {
    std::fs::write(path, text).into_diagnostic().wrap_err_with(|| format!("cannot write `{}`", path.display()))
}

/// A finished or unfinished run in its folder.
pub(crate) struct Recorded {
    pub(crate) run: Run,
    folder: PathBuf,
    log: PathBuf,
    exchanges: Option<RefCell<EascapFile<BufReader<File>>>>,
}

impl Recorded {
    /// Reads the folder of a run, or the run file itself, beside which its exchanges are looked for.
    ///
    /// # Errors
    /// When the run file cannot be read. Without its exchanges a run is still a run.
    pub(crate) fn read(path: &Path) -> miette::Result<Self> {
        if let Some(folder) = folder_of(path) {
            let help = "a baseline holds no run; `easrig compare` takes it as what was before";
            return Err(miette!(help = help, "`{}` is a baseline, not the folder of a run", folder.display()));
        }
        let (folder, log) = if path.is_file() {
            (path.parent().unwrap_or(Path::new("")).to_owned(), path.to_owned())
        } else {
            (path.to_owned(), path.join("run.jsonl"))
        };
        let run = Run::fold(events(&log)?).into_diagnostic().wrap_err_with(|| unreadable(&log))?;
        let tape = File::open(folder.join("exchanges.eascap")).ok();
        let exchanges = tape.and_then(|file| EascapFile::open(BufReader::new(file)).ok()).map(RefCell::new);
        Ok(Self { run, folder, log, exchanges })
    }

    /// Holds the run against what is known of the target; a pattern that no cell has to do with is said.
    pub(crate) fn hold_against(&mut self, known: &Known, output: &Output) {
        for unused in self.run.hold_against(known) {
            let near = unused.near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            let Unused { pattern, line, .. } = unused;
            output.say(&format!("known deviation `{pattern}` (line {line}) is about no cell of this run{near}"));
        }
    }

    /// The run as snapshots.
    ///
    /// # Errors
    /// When the run has no exchanges beside it, or its run file cannot be read again.
    pub(crate) fn snapshots(&self) -> miette::Result<Vec<Snapshot>> {
        if self.exchanges.is_none() {
            let help = "a baseline says what was said; keep the whole folder of a run";
            return Err(miette!(help = help, "`{}` has no readable exchanges.eascap", self.folder.display()));
        }
        let parts = Parts::fold(events(&self.log)?).into_diagnostic().wrap_err_with(|| unreadable(&self.log))?;
        Ok(snapshots(&self.run, &parts, &|number| self.exchange(number)))
    }

    /// Writes the pictures that stand beside the events in every run folder.
    ///
    /// # Errors
    /// When the disk says no.
    pub(crate) fn write(&self, page: &PageArgs) -> miette::Result<()> {
        let pictures =
            [("summary.json", summary(&self.run)), ("junit.xml", junit(&self.run)), ("report.html", self.page(page))];
        pictures.iter().try_for_each(|(name, text)| write_file(&self.folder.join(name), text))
    }

    /// The run in that form; a person's has the colours and the width of `view`.
    pub(crate) fn draw(&self, format: Format, view: View<'_>, page: &PageArgs) -> String {
        let human = |run: &Run| terminal(run, view, Sources { exchange: &|number| self.exchange(number) });
        picture(&self.run, format, human, |_| self.page(page))
    }

    /// The run in that form on stdout.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub(crate) fn print(&self, format: Format, page: &PageArgs, output: &Output) -> miette::Result<()> {
        let folder = self.folder.display().to_string();
        output.write(self.draw(format, output.view(&folder), page).as_bytes())
    }

    /// Tells GitHub, when it is GitHub that runs us: annotations where its runner reads them without mixing them into the
    /// result on stdout, and the summary of the step.
    ///
    /// # Errors
    /// When the summary cannot be written.
    pub(crate) fn tell_github(&self, format: Format, output: &Output) -> miette::Result<()> {
        let is_there = |name| std::env::var(name).is_ok_and(|value| value == "true");
        if is_there("GITHUB_ACTIONS") && format != Format::Github {
            output.say(github(&self.run).trim_end());
        }
        let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else { return Ok(()) };
        let path = PathBuf::from(path);
        let mut options = File::options();
        let file = options.append(true).create(true).open(&path);
        file.and_then(|mut file| file.write_all(markdown(&self.run).as_bytes()))
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot write the summary of the step, `{}`", path.display()))
    }

    /// The run as a page.
    pub(crate) fn page(&self, page: &PageArgs) -> String {
        let folder = self.folder.display().to_string();
        html(&self.run, page.of(&folder), &|number| self.exchange(number))
    }

    /// An exchange of the run, where its bytes are at hand.
    pub(crate) fn exchange(&self, number: ExchangeNumber) -> Option<Exchange> {
        self.exchanges.as_ref()?.borrow_mut().get(number).ok().flatten()
    }
}
