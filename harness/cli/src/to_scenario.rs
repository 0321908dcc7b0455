//! `easrig to-scenario`: a scenario file from a recorded sequence.

use std::{io::Write as _, path::Path};

use easrig_persona::{DeviceName, Sorter};
use easrig_report::{Exit, safe};
use easrig_scenario::{Author, Scenario};
use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use crate::{
    args::ToScenarioArgs,
    import::source::{self, Source},
    output::Output,
    output_file::OutputFile,
};

pub(crate) fn to_scenario(args: &ToScenarioArgs, output: &Output) -> miette::Result<Exit> {
    let range = args.exchanges.as_deref().map(range).transpose()?;
    let mut wanted = args.device.as_deref().map(DeviceName::new);
    let source = Source::open(&args.capture)?;
    let (name, options) = (source.name(), source::options(&args.keys)?);
    let (mut sorter, mut author) = (Sorter::default(), Author::default());
    let mut others = 0_u64;
    let read = source.read(&options, &mut |exchange| {
        for (device, exchange) in sorter.push(exchange) {
            let Some(device) = device else { continue };
            let number = exchange.number.0;
            let inside = range.is_none_or(|(first, last)| (first..=last).contains(&number));
            // Without a name, the device of the first chosen request is meant.
            if inside && wanted.is_none() {
                wanted = Some(device.clone());
            }
            match &wanted {
                Some(wanted) if *wanted != device => others += u64::from(inside),
                _ => author.look(&exchange, inside),
            }
        }
        Ok(())
    });
    let seen = read.into_diagnostic().wrap_err_with(|| format!("cannot read `{name}`"))?.words(&name);
    if !seen.is_empty() {
        output.say(&seen);
    }
    for (number, why) in author.left_out() {
        output.say(&safe(&format!("left out: exchange {number}: {why}")));
    }
    if author.unnamed() > 0 {
        output.say(&format!("left out: {} more", author.unnamed()));
    }
    if others > 0 {
        output.say(&format!("left out: {others} exchanges of other devices; --device chooses"));
    }
    if author.written() == 0 {
        output.say("nothing was selected: no exchange can be made a step");
        return Ok(Exit::Nothing);
    }
    let id = args.id.clone().unwrap_or_else(|| id(&args.output));
    let text = author.file(&id);
    // What cannot be loaded again is not written.
    Scenario::parse(&format!("{id}.toml"), &text)?;
    let mut file = OutputFile::begin(&args.output, std::slice::from_ref(&args.capture))?;
    let named = || format!("cannot write `{}`", args.output.display());
    file.write_all(text.as_bytes()).into_diagnostic().wrap_err_with(named)?;
    file.finish()?;
    output.say(&format!("{} requests in {} as `{id}`", author.written(), args.output.display()));
    Ok(Exit::Well)
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
