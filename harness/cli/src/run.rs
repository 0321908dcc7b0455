//! `easrig run`.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use easrig_eas::{Command, Version};
use easrig_exchange::{Content, Secret};
use easrig_report::{Exit, Known};
use easrig_runner::{Account, Allowed, Orders, RunFolder, Server, Target, Unfinished, Versions, outline};
use easrig_scenario::{Level, Scenario};
use easrig_transport::Client;
use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use crate::{
    args::{Format, ReachArgs, RunArgs, strictness},
    embedded::{Embedded, Plan},
    library::{Library, is_prefix},
    output::Output,
    progress::Progress,
    report::{Recorded, read_known},
    suggest,
    target::Named,
};

pub(crate) fn run(mut args: RunArgs, library: Library, output: &Output) -> miette::Result<Exit> {
    if args.dry_run {
        // Nothing is connected to, so that nothing is written there.
        args.reach.keylog = None;
    }
    let known = args.known.as_deref().map(read_known).transpose()?;
    let known = known.as_ref();
    let scenarios = select(&args, &library)?;
    let personas = library.personas(&args.persona)?;
    if scenarios.is_empty() || personas.is_empty() {
        output.say("nothing was selected: no scenario fits all of the selectors");
        return Ok(Exit::Nothing);
    }
    let versions = versions(&args.version)?;
    let mut draft = Draft { args: &args, scenarios, personas, versions };
    match args.reach.target(&args.target)? {
        Named::Outside(target) => {
            let orders = draft.outside(target)?;
            perform(&args, orders, known, output)
        }
        Named::Embedded(profile) => runtime()?.block_on(async {
            let plan = Plan::in_process(&profile, &args.reach.server, draft.pairs(), &library)?;
            let server = Embedded::start(plan).await?;
            let orders = draft.embedded(&server)?;
            let exit = perform_in(&args, orders, known, output).await;
            server.stop().await;
            exit
        }),
    }
}

/// The scenarios that every selector agrees on.
fn select(args: &RunArgs, library: &Library) -> miette::Result<Vec<Arc<Scenario>>> {
    for selector in &args.selectors {
        if !library.scenario_ids().any(|id| is_prefix(selector, id)) {
            let help = suggest::help(selector, library.scenario_ids(), "easrig list scenarios");
            return Err(miette!(help = help, "no scenario begins with `{selector}`"));
        }
    }
    let commands = args.command.iter().map(|name| command(name)).collect::<miette::Result<Vec<_>>>()?;
    let levels: Vec<Level> = args.level.iter().map(|word| Level::from(*word)).collect();
    let requirements: Vec<String> = args.req.iter().map(|id| id.trim().to_ascii_uppercase()).collect();
    let mut scenarios = library.scenarios(&args.selectors)?;
    scenarios.retain(|scenario| {
        (commands.is_empty() || scenario.commands.iter().any(|command| commands.contains(command)))
            && (levels.is_empty() || levels.contains(&scenario.level))
            && (requirements.is_empty()
                || scenario.requirements.iter().any(|id| requirements.iter().any(|wanted| id.starts_with(wanted))))
    });
    Ok(scenarios)
}

/// The command of that name, in any letter case.
///
/// # Errors
/// When there is none.
pub(crate) fn command(name: &str) -> miette::Result<Command> {
    let name = name.trim();
    let found = Command::all().find(|command| command.name().eq_ignore_ascii_case(name));
    found.ok_or_else(|| {
        let near = suggest::nearest(name, Command::all().map(Command::name));
        let help = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        miette!("`{name}` is no ActiveSync command{help}")
    })
}

fn versions(words: &[String]) -> miette::Result<Versions> {
    if words.is_empty() {
        return Ok(Versions::Own);
    }
    if words.iter().any(|word| word == "all") {
        return Ok(Versions::All);
    }
    let mut list: Vec<Version> = Vec::new();
    for word in words {
        let version: Version = word.trim().parse().into_diagnostic()?;
        if !Version::ALL.contains(&version) {
            let known = Version::ALL.map(|version| version.to_string()).join(", ");
            return Err(miette!("easrig does not speak protocol version {version}; it speaks {known}"));
        }
        if !list.contains(&version) {
            list.push(version);
        }
    }
    Ok(Versions::List(list))
}

/// What was selected, before the target is settled.
struct Draft<'a> {
    args: &'a RunArgs,
    scenarios: Vec<Arc<Scenario>>,
    personas: Vec<Arc<easrig_persona::Persona>>,
    versions: Versions,
}

impl Draft<'_> {
    fn outside(&mut self, target: Target) -> miette::Result<Orders> {
        let reach = &self.args.reach;
        let allowed = self.patient(reach.allowed(&target)?);
        let mut accounts = reach.given_accounts()?;
        if accounts.is_empty() {
            if !self.args.dry_run {
                return Err(ReachArgs::no_account("run"));
            }
            accounts.push(Account { user: "nobody".into(), address: None, secret: Some(Secret::new("")), token: None });
        }
        let client = reach.client()?;
        self.orders(target, accounts, client, allowed, Server::Foreign)
    }

    fn embedded(&mut self, server: &Embedded) -> miette::Result<Orders> {
        let everything = self.patient(Allowed { writes: true, destroys: true, lockout: true, ..Allowed::default() });
        let target = Target::Url(server.endpoint().clone());
        let mut accounts = server.accounts().to_vec();
        for account in accounts.iter_mut().filter(|_| self.args.reach.bearer) {
            account.token.clone_from(&account.secret);
        }
        let client = self.args.reach.client_of(server)?;
        self.orders(target, accounts, client, everything, Server::Reference(server.control()))
    }

    /// With what is allowed of the mailboxes' time and room, whatever the target.
    fn patient(&self, allowed: Allowed) -> Allowed {
        Allowed { heartbeats: self.args.heartbeats, leave: self.args.leave, ..allowed }
    }

    /// A pair for each persona, so that all of them can be busy at once.
    fn pairs(&self) -> usize {
        self.personas.len()
    }

    fn orders(
        &mut self,
        target: Target,
        accounts: Vec<Account>,
        client: Client,
        allowed: Allowed,
        server: Server,
    ) -> miette::Result<Orders> {
        let args = self.args;
        let pairs = accounts.len().div_ceil(2).max(1);
        let jobs = args.jobs.map_or(pairs, |jobs| usize::try_from(jobs.get()).unwrap_or(usize::MAX));
        Ok(Orders {
            target,
            server,
            target_name: args.target.clone(),
            accounts,
            personas: std::mem::take(&mut self.personas),
            scenarios: std::mem::take(&mut self.scenarios),
            versions: std::mem::take(&mut self.versions),
            allowed,
            jobs,
            repeat: args.repeat.get(),
            strictness: strictness(args.strict),
            seed: args.seed.unwrap_or_else(|| fastrand::u64(..)),
            content: if args.reach.keep_content { Content::Kept } else { Content::Masked },
            client,
            trust: args.reach.words(),
            outage: Duration::from_secs(args.outage),
        })
    }
}

fn perform(args: &RunArgs, orders: Orders, known: Option<&Known>, output: &Output) -> miette::Result<Exit> {
    runtime()?.block_on(perform_in(args, orders, known, output))
}

async fn perform_in(args: &RunArgs, orders: Orders, known: Option<&Known>, output: &Output) -> miette::Result<Exit> {
    let plan = outline(&orders);
    output.say(&format!(
        "{} scenarios on {} phones: about {} cells, at most {} device partnerships on the server",
        orders.scenarios.len(),
        orders.personas.len(),
        plan.cells,
        plan.partnerships
    ));
    args.reach.warn(output);
    if args.dry_run {
        return dry_run(args.format, &orders, output);
    }
    let path = args.out.clone().unwrap_or_else(|| fresh_folder(""));
    let (folder, unfinished) = if args.resume {
        let (folder, unfinished) = RunFolder::resume(&path, &orders.started()).into_diagnostic()?;
        (folder, Some(unfinished))
    } else {
        (RunFolder::create(&path).into_diagnostic()?, None)
    };
    let orders = match &unfinished {
        // The tags of a resumed run are those of its first part.
        Some(unfinished) => Orders { seed: unfinished.started.seed, ..orders },
        None => orders,
    };
    record(orders, folder, unfinished, output).await?;
    let mut recorded = Recorded::read(&path)?;
    if let Some(known) = known {
        recorded.hold_against(known, output);
    }
    recorded.write(&args.page)?;
    recorded.print(args.format, &args.page, output)?;
    recorded.tell_github(args.format, output)?;
    if args.format == Format::Human {
        output.say(&format!("kept in {}", path.display()));
    }
    Ok(easrig_report::exit(&recorded.run, strictness(args.strict)))
}

fn dry_run(format: Format, orders: &Orders, output: &Output) -> miette::Result<Exit> {
    let scenarios: Vec<&str> = orders.scenarios.iter().map(|scenario| scenario.id.as_str()).collect();
    let personas: Vec<&str> = orders.personas.iter().map(|persona| persona.id()).collect();
    let text = match format {
        Format::Json => {
            let plan = serde_json::json!({ "format": 1, "scenarios": scenarios, "personas": personas });
            serde_json::to_string_pretty(&plan).into_diagnostic()? + "\n"
        }
        _ => {
            let lines = scenarios.iter().map(|id| format!("{id}\n"));
            lines.chain([format!("on {}\n", personas.join(", "))]).collect()
        }
    };
    output.write(text.as_bytes())?;
    Ok(Exit::Well)
}

/// Runs to the end, or until Ctrl-C: what was recorded up to then is kept and reported.
///
/// # Errors
/// When the folder cannot be written any more.
pub(crate) async fn record(
    orders: Orders,
    folder: RunFolder,
    unfinished: Option<Unfinished>,
    output: &Output,
) -> miette::Result<()> {
    let progress = Arc::new(Progress::new());
    let run = easrig_runner::run(orders, Arc::new(folder), unfinished, progress.clone());
    let ended = tokio::select! {
        ended = run => ended.into_diagnostic(),
        _ = tokio::signal::ctrl_c() => {
            output.say("interrupted; what was recorded is reported, and --resume goes on with it");
            Ok(())
        }
    };
    progress.clear();
    ended
}

/// `reports/PREFIX20261122T052806Z`; with a number behind it when that is taken.
pub(crate) fn fresh_folder(prefix: &str) -> PathBuf {
    let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let name = |number: u32| match number {
        1 => format!("{prefix}{time}"),
        number => format!("{prefix}{time}-{number}"),
    };
    let folder = |number| Path::new("reports").join(name(number));
    (1..100)
        .map(folder)
        .find(|path| path.metadata().is_err_and(|e| e.kind() == ErrorKind::NotFound))
        .unwrap_or_else(|| folder(100))
}

/// What tasks run on.
///
/// # Errors
/// When the system gives no threads.
pub(crate) fn runtime() -> miette::Result<tokio::runtime::Runtime> {
    let built = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    built.into_diagnostic().wrap_err("no threads could be started")
}
