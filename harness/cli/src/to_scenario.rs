//! `easrig to-scenario`: a scenario file from a recorded sequence.

use std::{fs, io::Write as _, path::Path};

use easrig_exchange::Exchange;
use easrig_persona::{DeviceName, Sorter};
use easrig_report::{Exit, safe};
use easrig_scenario::{Author, Authored, Scenario};
use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use crate::{
    args::ToScenarioArgs,
    import::source::{self, Source},
    output::Output,
    output_file::OutputFile,
};

pub(crate) fn to_scenario(args: &ToScenarioArgs, output: &Output) -> miette::Result<Exit> {
    let range = args.exchanges.as_deref().map(range).transpose()?;
    let source = Source::open(&args.capture)?;
    let (name, options) = (source.name(), source::options(&args.keys)?);
    let mut sorter = Sorter::default();
    let mut choice = Choice::new(range, args.device.as_deref().map(DeviceName::new));
    let read = source.read(&options, &mut |exchange| {
        sorter.push(exchange).iter().for_each(|(device, exchange)| choice.take(device.as_ref(), exchange));
        Ok(())
    });
    let seen = read.into_diagnostic().wrap_err_with(|| format!("cannot read `{name}`"))?.words(&name);
    sorter.finish().iter().for_each(|(device, exchange)| choice.take(device.as_ref(), exchange));
    if !seen.is_empty() {
        output.say(&seen);
    }
    let authored = choice.finish(output);
    if authored.written() == 0 {
        output.say("nothing was selected: no exchange can be made a step");
        return Ok(Exit::Nothing);
    }
    let id = args.id.clone().unwrap_or_else(|| id(&args.output));
    let text = authored.file(&id);
    // What cannot be loaded again is not written.
    Scenario::parse(&format!("{id}.toml"), &text)?;
    // A scenario lies in the folder of its command, which a new library does not have yet.
    if let Some(folder) = args.output.parent() {
        let named = || format!("cannot make the folder `{}`", folder.display());
        fs::create_dir_all(folder).into_diagnostic().wrap_err_with(named)?;
    }
    let mut file = OutputFile::begin(&args.output, std::slice::from_ref(&args.capture))?;
    let named = || format!("cannot write `{}`", args.output.display());
    file.write_all(text.as_bytes()).into_diagnostic().wrap_err_with(named)?;
    file.finish()?;
    let requests = if authored.written() == 1 { "request" } else { "requests" };
    output.say(&format!("{} {requests} in {} as `{id}`", authored.written(), args.output.display()));
    Ok(Exit::Well)
}

/// The exchanges that are made steps: those of one device, inside a range.
struct Choice {
    range: Option<(u64, u64)>,
    wanted: Option<DeviceName>,
    author: Author,
    others: u64,
    nameless: u64,
}

impl Choice {
    fn new(range: Option<(u64, u64)>, wanted: Option<DeviceName>) -> Self {
        Self { range, wanted, author: Author::default(), others: 0, nameless: 0 }
    }

    fn take(&mut self, device: Option<&DeviceName>, exchange: &Exchange) {
        let inside = self.range.is_none_or(|(first, last)| (first..=last).contains(&exchange.number.0));
        // Without a name, the device of the first chosen request is meant.
        if inside && self.wanted.is_none() {
            self.wanted = device.cloned();
        }
        match (&self.wanted, device) {
            // What comes before is known; before the account is set up, requests need not say whose they are.
            (None, _) => self.author.look(exchange, inside),
            (Some(wanted), Some(device)) if wanted == device => self.author.look(exchange, inside),
            (_, Some(_)) => self.others += u64::from(inside),
            (Some(_), None) => self.nameless += u64::from(inside),
        }
    }

    /// What was written; what was not is told.
    fn finish(self, output: &Output) -> Authored {
        let authored = self.author.finish();
        for (number, why) in authored.left_out() {
            output.say(&safe(&format!("left out: exchange {number}: {why}")));
        }
        if authored.unnamed() > 0 {
            output.say(&format!("left out: {} more", authored.unnamed()));
        }
        if self.others > 0 {
            output.say(&format!("left out: {} exchanges of other devices; --device chooses", self.others));
        }
        if self.nameless > 0 {
            output.say(&format!("left out: {} exchanges that name no device", self.nameless));
        }
        authored
    }
}

/// Folder and name of the file: the id that it has when the folder above is given to --scenarios.
fn id(path: &Path) -> String {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let folder = path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    format!("{}/{stem}", folder.unwrap_or_else(|| "recorded".to_owned()))
}

/// `12-20`, or one number.
fn range(text: &str) -> miette::Result<(u64, u64)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let numbers = first.trim().parse().ok().zip(last.trim().parse().ok());
    numbers
        .filter(|(first, last)| first <= last)
        .ok_or_else(|| miette!("`{text}` is no range of exchanges such as 12-20"))
}
