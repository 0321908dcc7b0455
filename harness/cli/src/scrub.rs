//! `easrig scrub`: a capture without anything that names people or says what they wrote.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    path::Path,
};

use easrig_exchange::{EascapError, EascapWriter, Exchange, Replaced, Scrubber};
use easrig_report::{Exit, safe};
use miette::{IntoDiagnostic as _, WrapErr as _, miette};
use serde_json::json;

use crate::{
    args::{ListFormat, ScrubArgs},
    import::{
        refused,
        source::{self, Source},
    },
    library::Library,
    output::Output,
    output_file::OutputFile,
};

pub(crate) fn scrub(args: &ScrubArgs, library: &Library, output: &Output) -> miette::Result<Exit> {
    if args.map.as_ref().is_some_and(|map| same_place(map, &args.output)) {
        return Err(miette!("--map and -o name the same file `{}`", args.output.display()));
    }
    let options = source::options(&args.keys)?;
    let inputs = std::slice::from_ref(&args.capture);
    let mut scrubber = scrubber(args);
    // Whether a device trusts a chain must be told from what is left of it.
    for persona in library.personas(&["all".to_owned()])? {
        let companies = persona.trusted_companies().into_iter().flat_map(|known| &known.value);
        scrubber = companies.fold(scrubber, |scrubber, company| scrubber.keep_issuer(company));
    }

    // Names first: they are looked for in what stands otherwise.
    let source = Source::open(&args.capture)?;
    let name = source.name();
    let learned = source.read(&options, &mut |exchange| scrubber.learn(&exchange).map_err(io::Error::other));
    learned.map_err(|error| refused(&name, &args.output, error))?;

    let named = || format!("cannot write `{}`", args.output.display());
    let file = OutputFile::begin(&args.output, inputs)?;
    let mut writer = EascapWriter::new(file).into_diagnostic().wrap_err_with(named)?;
    let mut written = 0_u64;
    let mut sink = |exchange: Exchange| {
        let exchange = scrubber.scrub(exchange).map_err(io::Error::other)?;
        written = written.saturating_add(1);
        writer.write(&exchange).map_err(|error| match error {
            EascapError::Io(error) => error,
            error => io::Error::other(error),
        })
    };
    let seen = Source::open(&args.capture)?.read(&options, &mut sink);
    let seen = seen.map_err(|error| refused(&name, &args.output, error))?.words(&name);
    if let Some(map) = &args.map {
        write_map(map, inputs, &scrubber)?;
    }
    writer.into_inner().finish()?;

    if !seen.is_empty() {
        output.say(&seen);
    }
    let replaced: Vec<Replaced> = scrubber.tally().replaced().collect();
    match args.format {
        ListFormat::Human => output.say(&words(&replaced, &scrubber)),
        ListFormat::Json => {
            let issuers: Vec<&str> = scrubber.issuers().collect();
            let report = json!({ "format": 1, "exchanges": written, "replaced": replaced, "kept_issuers": issuers });
            output.write(format!("{report}\n").as_bytes())?;
        }
    }
    output.say(&format!("{written} exchanges in {}", args.output.display()));
    Ok(if written == 0 { Exit::Nothing } else { Exit::Well })
}

/// The rules, with a salt that is never written.
fn scrubber(args: &ScrubArgs) -> Scrubber {
    let mut salt = [0; 32];
    getrandom::fill(&mut salt).expect("the operating system gives random bytes");
    let scrubber = args.keep_domain.iter().fold(Scrubber::new(salt), |scrubber, domain| scrubber.keep_domain(domain));
    if args.map.is_some() { scrubber.keep_map() } else { scrubber }
}

/// What was replaced, a line for each kind, and what stands of certificates.
fn words(replaced: &[Replaced], scrubber: &Scrubber) -> String {
    let mut out = String::from("replaced:");
    if replaced.is_empty() {
        out.push_str(" nothing");
    }
    for line in replaced {
        let least = if line.at_least { "at least " } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(out, "\n  {}: {least}{} in {} places", line.kind, line.distinct, line.occurrences);
    }
    for (index, issuer) in scrubber.issuers().enumerate() {
        let head = if index == 0 { "\nissuers of certificates that everybody knows, kept:" } else { "" };
        let _ = write!(out, "{head}\n  {}", safe(issuer));
    }
    out
}

fn write_map(path: &Path, inputs: &[std::path::PathBuf], scrubber: &Scrubber) -> miette::Result<()> {
    let named = || format!("cannot write `{}`", path.display());
    let mut file = OutputFile::begin(path, inputs)?;
    let mut write = || -> io::Result<()> {
        writeln!(file, "kind\tpseudonym\toriginal")?;
        for name in scrubber.pseudonyms() {
            let cell = |text: &str| text.replace(|c: char| c.is_control(), " ");
            writeln!(file, "{}\t{}\t{}", name.kind, cell(name.pseudonym), cell(name.original))?;
        }
        Ok(())
    };
    write().into_diagnostic().wrap_err_with(named)?;
    file.finish()
}

fn same_place(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    place(one) == place(other)
}
