//! `easrig compare`: what an upgrade did; `easrig matrix`: several servers side by side.

use std::path::Path;

use easrig_exchange::{Exchange, ExchangeNumber};
use easrig_report::{
    Approved, Both, CompareHtml, Comparison, Contents, Exit, Palette, Servers, Sources, View, compare_html,
    compare_json, compare_junit, compare_markdown, compare_terminal, servers_html, servers_json, servers_markdown,
    servers_terminal,
};

use miette::miette;

use crate::{
    args::{CompareArgs, CompareFormat, MatrixArgs, MatrixFormat},
    baseline::{self, folder_of},
    output::Output,
    report::{FILE_WIDTH, Recorded, read_known, write_file},
};

/// What a file is written with.
const PLAIN: Palette = Palette::plain();

pub(crate) fn compare(args: &CompareArgs, output: &Output) -> miette::Result<Exit> {
    let known = args.known.as_deref().map(read_known).transpose()?;
    let before = Earlier::read(&args.before)?;
    let mut after = match folder_of(&args.after) {
        None => Recorded::read(&args.after)?,
        Some(folder) => {
            let help = format!("the baseline stands first: easrig compare {} RUN", folder.display());
            return Err(miette!(help = help, "`{}` is a baseline; the later side is a run", args.after.display()));
        }
    };
    if let Some(known) = &known {
        after.hold_against(known, output);
    }
    let snapshots = match &before {
        Earlier::Run(_) => Vec::new(),
        Earlier::Approved(_) => after.snapshots()?,
    };
    let comparison = match &before {
        Earlier::Run(before) => Comparison::of(&before.run, &after.run),
        Earlier::Approved(before) => Comparison::with(before, &after.run, &snapshots),
    };
    let (was, is) = (before.name(&args.before), args.after.display().to_string());
    let (earlier, later) = (|number| before.exchange(number), |number| after.exchange(number));
    let both = Both { before: (Sources { exchange: &earlier }, &was), after: (Sources { exchange: &later }, &is) };
    let text = match args.format {
        CompareFormat::Human => compare_terminal(&comparison, view(args.output.as_deref(), output), both),
        CompareFormat::Html => {
            let content = if args.with_content { Contents::Shown } else { Contents::Hidden };
            compare_html(&comparison, CompareHtml { language: args.language.lang, content, both })
        }
        CompareFormat::Json => compare_json(&comparison),
        CompareFormat::Junit => compare_junit(&comparison),
        CompareFormat::Markdown => compare_markdown(&comparison),
    };
    write(&text, args.output.as_deref(), output)?;
    Ok(comparison.exit())
}

/// What a run is compared with.
enum Earlier {
    Run(Box<Recorded>),
    Approved(Box<Approved>),
}

impl Earlier {
    fn read(path: &Path) -> miette::Result<Self> {
        match folder_of(path) {
            Some(folder) => Ok(Self::Approved(Box::new(baseline::read(&folder)?))),
            None if !path.exists() => {
                let help =
                    "BEFORE is the folder of `easrig run --out`, of `easrig baseline approve`, or a baseline's name";
                Err(miette!(help = help, "there is neither a run nor a baseline `{}`", path.display()))
            }
            None => Ok(Self::Run(Box::new(Recorded::read(path)?))),
        }
    }

    fn name(&self, given: &Path) -> String {
        match self {
            Self::Run(_) => given.display().to_string(),
            Self::Approved(approved) => approved.name.clone(),
        }
    }

    fn exchange(&self, number: ExchangeNumber) -> Option<Exchange> {
        match self {
            Self::Run(recorded) => recorded.exchange(number),
            Self::Approved(_) => None,
        }
    }
}

pub(crate) fn matrix(args: &MatrixArgs, output: &Output) -> miette::Result<Exit> {
    let runs = args.runs.iter().map(|folder| Ok((folder.display().to_string(), Recorded::read(folder)?)));
    let runs = runs.collect::<miette::Result<Vec<(String, Recorded)>>>()?;
    let servers = Servers::of(runs.iter().map(|(folder, recorded)| (folder.as_str(), &recorded.run)));
    let text = match args.format {
        MatrixFormat::Human => servers_terminal(&servers, view(args.output.as_deref(), output)),
        MatrixFormat::Html => servers_html(&servers, args.language.lang),
        MatrixFormat::Json => servers_json(&servers),
        MatrixFormat::Markdown => servers_markdown(&servers),
    };
    write(&text, args.output.as_deref(), output)?;
    Ok(Exit::Well)
}

/// The terminal's colours and width; a file has neither.
fn view<'o>(file: Option<&Path>, output: &'o Output) -> View<'o> {
    match file {
        Some(_) => View { width: FILE_WIDTH, palette: &PLAIN, folder: "" },
        None => output.view(""),
    }
}

fn write(text: &str, file: Option<&Path>, output: &Output) -> miette::Result<()> {
    match file {
        Some(path) => write_file(path, text),
        None => output.write(text.as_bytes()),
    }
}
