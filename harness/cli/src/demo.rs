//! `easrig demo`: one picture, from the error on the phone to the setting that causes it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use easrig_exchange::Content;
use easrig_report::{Comparison, Exit, Run, compare_brief};
use easrig_runner::{Allowed, Orders, RunFolder, Server, Target, Versions};
use easrig_scenario::{Strictness, Verdict};
use easrig_transport::Client;
use miette::IntoDiagnostic as _;

use crate::{
    args::{DemoArgs, Format, PageArgs},
    embedded::{Embedded, Plan},
    library::Library,
    output::Output,
    report::Recorded,
    run::{fresh_folder, record, runtime},
};

const PROFILE: &str = "exchange-2010-sp1";
const JOURNEY: &str = "journeys/onboarding-by-server-name";
const PHONE: &str = "wp7";
const CODE: &str = "86000C2B";

/// The policy of the first run, and the one setting that the second run changes.
const POLICY: &[(&str, &str)] = &[("RequireDeviceEncryption", "1"), ("AllowNonProvisionableDevices", "0")];
const REMEDY: &[(&str, &str)] = &[("RequireDeviceEncryption", "1"), ("AllowNonProvisionableDevices", "1")];

pub(crate) fn demo(args: &DemoArgs, library: &Library, output: &Output) -> miette::Result<Exit> {
    let out = args.out.clone().unwrap_or_else(|| fresh_folder("demo-"));
    runtime()?.block_on(async {
        output.write(INTRO.as_bytes())?;
        let strict = one(&out.join("strict"), POLICY, args, library, output).await?;
        output.write(b"\nThe remedy: AllowNonProvisionableDevices = true; everything else stays.\n\n")?;
        let remedy = one(&out.join("remedy"), REMEDY, args, library, output).await?;
        output.write(outro(&strict, &remedy, &out).as_bytes())?;
        Ok(if shows_the_picture(&strict, &remedy) { Exit::Well } else { Exit::Broken })
    })
}

async fn one(
    folder: &Path,
    policy: &[(&str, &str)],
    args: &DemoArgs,
    library: &Library,
    output: &Output,
) -> miette::Result<Run> {
    let page = PageArgs::from(args.language);
    let personas = library.personas(&["all".to_owned()])?;
    let server = Embedded::start(Plan::demo(PROFILE, policy, personas.len(), library)?).await?;
    let orders = Orders {
        target: Target::Url(server.endpoint().clone()),
        server: Server::Reference(server.control()),
        target_name: format!("embedded:{PROFILE}"),
        jobs: personas.len(),
        accounts: server.accounts().to_vec(),
        personas,
        scenarios: library.scenarios(&[JOURNEY.to_owned()])?,
        versions: Versions::Own,
        allowed: Allowed { writes: true, ..Allowed::default() },
        repeat: 1,
        strictness: Strictness::Musts,
        seed: 1,
        content: Content::Kept,
        client: Client::new(server.client()?).into_diagnostic()?,
        trust: policy.iter().map(|(name, value)| format!("policy {name} = {value}")).collect(),
        outage: Duration::from_secs(5),
    };
    record(orders, RunFolder::create(folder).into_diagnostic()?, None, output).await?;
    server.stop().await;
    let recorded = Recorded::read(folder)?;
    recorded.write(&page)?;
    recorded.print(Format::Human, &page, output)?;
    Ok(recorded.run)
}

const INTRO: &str = "\
An Exchange 2010 SP1 (the reference server inside easrig) has a policy that requires
device encryption, and lets no device in that cannot apply all of it. Every phone now
sets up its account and waits for a mail.

";

fn outro(strict: &Run, remedy: &Run, out: &Path) -> String {
    format!(
        "\nwhat changed\n{}\nThe other way is to drop RequireDeviceEncryption from the policy: then every phone can apply\n\
         all of it, and none gets in that cannot.\n\nBoth runs are kept: {} and {}\n",
        compare_brief(&Comparison::of(strict, remedy)),
        shown(out, "strict"),
        shown(out, "remedy"),
    )
}

fn shown(out: &Path, name: &str) -> String {
    let path: PathBuf = out.join(name);
    path.display().to_string()
}

/// Whether the runs are what the demo promises: the phone blocked with its code before, everybody well after.
fn shows_the_picture(strict: &Run, remedy: &Run) -> bool {
    let journeys = |run: &Run| run.cells.iter().filter(|cell| cell.id.scenario == JOURNEY).cloned().collect::<Vec<_>>();
    let is_blocked = |cell: &easrig_scenario::Cell| {
        cell.id.persona == PHONE
            && cell.verdict == Verdict::Blocked
            && cell.device_error.as_ref().is_some_and(|error| error.code == CODE)
    };
    let after = journeys(remedy);
    journeys(strict).iter().any(is_blocked)
        && !after.is_empty()
        && after.iter().all(|cell| cell.verdict == Verdict::Pass)
        && strict.finished.is_some()
        && remedy.finished.is_some()
}
