//! `easrig compare`: what an upgrade did.

use easrig_report::{Both, Comparison, Exit, Sources, compare_json, compare_junit, compare_markdown, compare_terminal};

use crate::{
    args::{CompareArgs, CompareFormat},
    output::Output,
    report::Recorded,
};

pub(crate) fn compare(args: &CompareArgs, output: &Output) -> miette::Result<Exit> {
    let [before, after] = [Recorded::read(&args.before)?, Recorded::read(&args.after)?];
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
