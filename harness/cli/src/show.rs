//! `easrig show`: every exchange of a capture or a run, decoded.

use std::io;

use easrig_exchange::{Exchange, Outcome};
use easrig_report::Exit;
use miette::{IntoDiagnostic as _, WrapErr as _};

use crate::{args::ShowArgs, import::source::SourceError, library::Library, output::Output};

mod cells;
mod chosen;
mod entry;
mod printer;
mod selection;
mod sights;
mod steps;
mod xml;

pub(crate) use cells::Cells;
pub(crate) use chosen::Chosen;
pub(crate) use entry::Entry;
use printer::Printer;
pub(crate) use selection::Selection;
use sights::Sights;
pub(crate) use steps::Steps;

pub(crate) fn show(args: &ShowArgs, library: &Library, output: &Output) -> miette::Result<Exit> {
    let chosen = Chosen::open(&args.capture, &args.select, &args.keys)?;
    let name = chosen.name();
    // What an owner saw depends on everything before: all exchanges are looked through first.
    let sights = Sights::of(&args.capture, chosen.options(), chosen.cells(), library)?;
    let mut printer = Printer::new(args.format, output);
    let mut shown = 0_u64;
    let read = chosen.read(&mut |mut exchange, cell| {
        hide_credentials(&mut exchange);
        printer.exchange(&exchange, cell, sights.of_exchange(exchange.number))?;
        shown = shown.saturating_add(1);
        Ok(())
    });
    // What could be read is shown, and the result is whole in its form, also when the rest cannot be read.
    let ended = match &read {
        Err(SourceError::Sink(_)) => Ok(()),
        Err(_) if !printer.has_begun() => Ok(()),
        _ => printer.end(),
    };
    let seen = match (read, ended) {
        (Err(SourceError::Sink(error)), _) | (_, Err(error)) => return unwritten(error),
        (Err(error), Ok(())) => {
            return Err(error).into_diagnostic().wrap_err_with(|| format!("cannot read `{name}`"));
        }
        (Ok(seen), Ok(())) => seen.words(&name),
    };
    if !seen.is_empty() {
        output.say(&seen);
    }
    if shown == 0 {
        output.say("nothing was selected: no exchange fits");
        return Ok(Exit::Nothing);
    }
    Ok(Exit::Well)
}

/// What is shown is pasted elsewhere: the header that holds a password, or stands in for one, is never part of it.
pub(crate) fn hide_credentials(exchange: &mut Exchange) {
    let hide = |name: &str, value: &str| match name.to_ascii_lowercase().as_str() {
        "authorization" | "proxy-authorization" => {
            let scheme = value.split_once(' ').map(|(scheme, _)| format!("{scheme} ")).unwrap_or_default();
            Some(format!("{scheme}[removed]"))
        }
        "cookie" | "set-cookie" => Some("[removed]".to_owned()),
        _ => None,
    };
    exchange.request.headers.rewrite(hide);
    if let Outcome::Answered(response) = &mut exchange.outcome {
        response.headers.rewrite(hide);
    }
}

/// A reader that goes away early (`| head`) is no error.
fn unwritten(error: io::Error) -> miette::Result<Exit> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(Exit::Well),
        _ => Err(error).into_diagnostic().wrap_err("the result could not be written to stdout"),
    }
}
