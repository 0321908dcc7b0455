//! `easrig compare`: what an upgrade did; `easrig matrix`: several servers side by side.

use easrig_report::{
    Both, Comparison, Exit, Servers, Sources, compare_json, compare_junit, compare_markdown, compare_terminal,
    servers_json, servers_markdown, servers_terminal,
};

use crate::{
    args::{CompareArgs, CompareFormat, MatrixArgs, MatrixFormat},
    output::Output,
    report::{Recorded, read_known},
};

pub(crate) fn compare(args: &CompareArgs, output: &Output) -> miette::Result<Exit> {
    let known = args.known.as_deref().map(read_known).transpose()?;
    let [before, mut after] = [Recorded::read(&args.before)?, Recorded::read(&args.after)?];
    if let Some(known) = &known {
        after.hold_against(known, output);
    }
    let comparison = Comparison::of(&before.run, &after.run);
    let text = match args.format {
        CompareFormat::Human => {
            let [was, is] = [&args.before, &args.after].map(|folder| folder.display().to_string());
            let (earlier, later) = (|number| before.exchange(number), |number| after.exchange(number));
            let both =
                Both { before: (Sources { exchange: &earlier }, &was), after: (Sources { exchange: &later }, &is) };
            compare_terminal(&comparison, output.view(""), both)
        }
        CompareFormat::Json => compare_json(&comparison),
        CompareFormat::Junit => compare_junit(&comparison),
        CompareFormat::Markdown => compare_markdown(&comparison),
    };
    output.write(text.as_bytes())?;
    Ok(comparison.exit())
}

pub(crate) fn matrix(args: &MatrixArgs, output: &Output) -> miette::Result<Exit> {
    let runs = args.runs.iter().map(|folder| Ok((folder.display().to_string(), Recorded::read(folder)?)));
    let runs = runs.collect::<miette::Result<Vec<(String, Recorded)>>>()?;
    let servers = Servers::of(runs.iter().map(|(folder, recorded)| (folder.as_str(), &recorded.run)));
    let text = match args.format {
        MatrixFormat::Human => servers_terminal(&servers, output.view("")),
        MatrixFormat::Json => servers_json(&servers),
        MatrixFormat::Markdown => servers_markdown(&servers),
    };
    output.write(text.as_bytes())?;
    Ok(Exit::Well)
}
