//! `easrig replay`: a recording against a server, and a server from a recording.

use std::{
    fs::File,
    io::{BufReader, IsTerminal as _, Write as _},
    path::Path,
    sync::Arc,
    time::Duration,
};

use easrig_report::Exit;
use easrig_runner::{Account, Allowed, Mode, Recording, ReplayObserver, ReplayOrders, Replayed, RunFolder, Target};
use easrig_transport::Client;
use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use crate::{
    args::{ListFormat, ReachArgs, ReplayArgs},
    embedded::{Embedded, Plan},
    import::source::{Kind, Source},
    library::Library,
    output::Output,
    run::{fresh_folder, runtime},
    show::{Cells, Selection},
    target::Named,
};

mod serve;
mod told;

pub(crate) fn replay(args: ReplayArgs, library: &Library, output: &Output) -> miette::Result<Exit> {
    let recording = open(&args)?;
    if recording.entries().is_empty() {
        output.say("nothing was selected: no exchange fits");
        return Ok(Exit::Nothing);
    }
    if args.serve {
        return serve::serve(&args, recording, output);
    }
    let named = args.reach.target(args.target.as_deref().unwrap_or_default())?;
    runtime()?.block_on(async {
        match named {
            Named::Outside(target) => perform(&args, outside(&args, target)?, recording, output).await,
            Named::Embedded(profile) => {
                let plan = Plan::in_process(&profile, &args.reach.server, recording.pairs(), library)?;
                let server = Embedded::start(plan).await?;
                let orders = embedded(&args, &server)?;
                let exit = perform(&args, orders, recording, output).await;
                server.stop().await;
                exit
            }
        }
    })
}

/// The exchanges that were chosen.
fn open(args: &ReplayArgs) -> miette::Result<Recording<BufReader<File>>> {
    let path = &args.recording;
    let source = Source::open(path)?;
    let cells = match source.kind() {
        Kind::Run => Some(Cells::read(path, args.select.cell.as_deref())?),
        Kind::Eascap if args.select.cell.is_some() => {
            return Err(miette!("--cell needs the folder of a run; `{}` is a capture", path.display()));
        }
        Kind::Eascap => None,
        Kind::Capture | Kind::Other => {
            return Err(miette!(
                help = format!("easrig import {} -o recording.eascap", path.display()),
                "`{}` is no recording that can be replayed as it is; import it first",
                path.display()
            ));
        }
    };
    let selection = Selection::of(&args.select, cells.as_ref())?;
    let read = Recording::read(BufReader::new(source.into_file()), &mut |exchange| selection.takes(exchange));
    read.into_diagnostic().wrap_err_with(|| format!("cannot read `{}`", path.display()))
}

fn outside(args: &ReplayArgs, target: Target) -> miette::Result<ReplayOrders> {
    let allowed = args.reach.allowed(&target)?;
    let Target::Url(endpoint) = target else {
        return Err(miette!(
            help = "write --target https://mail.example.org",
            "a replay needs the URL of its target: an address would have to be discovered"
        ));
    };
    let accounts = args.reach.given_accounts()?;
    if accounts.is_empty() {
        return Err(ReachArgs::no_account("replay"));
    }
    Ok(orders(args, endpoint, accounts, allowed, args.reach.client()?))
}

fn embedded(args: &ReplayArgs, server: &Embedded) -> miette::Result<ReplayOrders> {
    let everything = Allowed { writes: true, destroys: true, ..Allowed::default() };
    let mut accounts = server.accounts().to_vec();
    if args.reach.bearer {
        accounts = accounts.into_iter().map(Account::with_token).collect();
    }
    Ok(orders(args, server.endpoint().clone(), accounts, everything, args.reach.client_of(server)?))
}

fn orders(
    args: &ReplayArgs,
    endpoint: url::Url,
    accounts: Vec<Account>,
    allowed: Allowed,
    client: Client,
) -> ReplayOrders {
    ReplayOrders {
        recording: args.recording.display().to_string(),
        target_name: args.target.clone().unwrap_or_default(),
        endpoint,
        accounts,
        mode: if args.as_recorded { Mode::AsRecorded } else { Mode::Rebound },
        pace: args.pace.into(),
        allowed,
        keep_content: args.reach.keep_content,
        client,
        trust: args.reach.words(),
        wait: Duration::from_secs(args.wait),
    }
}

async fn perform(
    args: &ReplayArgs,
    orders: ReplayOrders,
    recording: Recording<BufReader<File>>,
    output: &Output,
) -> miette::Result<Exit> {
    args.reach.warn(output);
    let path = args.out.clone().unwrap_or_else(|| fresh_folder("replay-"));
    let folder = Arc::new(RunFolder::create(&path).into_diagnostic()?);
    let stop = async {
        // Where the system has no such signal, nobody can give it.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Progress.end();
        output.say("interrupted; what came of it up to then is reported");
    };
    let replayed =
        easrig_runner::replay(orders, recording, folder, Arc::new(Progress), stop).await.into_diagnostic()?;
    let json = serde_json::to_string_pretty(&replayed).into_diagnostic()? + "\n";
    write(&path.join("replay.json"), json.as_bytes())?;
    match args.format {
        ListFormat::Json => output.write(json.as_bytes())?,
        ListFormat::Human => {
            output.write(told::told(&replayed).as_bytes())?;
            output.say(&format!("kept in {}", path.display()));
        }
    }
    Ok(exit(&replayed))
}

/// What the result means to a script.
fn exit(replayed: &Replayed) -> Exit {
    let totals = replayed.totals;
    let compared = totals.same.saturating_add(totals.allowed).saturating_add(totals.different);
    match (totals.different, totals.inconclusive, compared) {
        (1.., _, _) => Exit::Broken,
        (_, 1.., _) | (_, _, 0) => Exit::Unclear,
        _ if replayed.cut_short.is_some() => Exit::Unclear,
        _ => Exit::Well,
    }
}

fn write(path: &Path, bytes: &[u8]) -> miette::Result<()> {
    let written = File::create(path).and_then(|mut file| file.write_all(bytes));
    written.into_diagnostic().wrap_err_with(|| format!("cannot write `{}`", path.display()))
}

/// A line on a terminal that says how far it is.
struct Progress;

impl Progress {
    /// Lets what is said next begin on a line of its own.
    fn end(&self) {
        let mut err = std::io::stderr();
        if err.is_terminal() {
            let _ = writeln!(err);
        }
    }
}

impl ReplayObserver for Progress {
    fn progress(&self, done: usize, of: usize) {
        let mut err = std::io::stderr();
        if err.is_terminal() {
            // Whoever closed stderr does not want to hear it.
            let _ = write!(err, "\r{done} of {of} exchanges{}", if done == of { "\n" } else { "" });
        }
    }
}
