//! Runs of the binary against its own reference server, many at once: they mostly wait.

use std::{
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use easrig_refserver::Switch;
use serde_json::Value;

/// How many runs go on at once.
const AT_ONCE: usize = 16;

/// Which phones at which versions.
#[derive(Clone, Copy)]
pub(crate) enum Phones {
    /// One, at the version that most servers speak.
    One,
    /// That one, and one that packs its request line, at an old, the common and the newest version.
    Two,
}

/// One cell that did not go as on an honest server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Broken {
    pub(crate) scenario: String,
    pub(crate) verdict: String,
    pub(crate) requirements: Vec<String>,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) passed: Vec<String>,
    pub(crate) broken: Vec<Broken>,
}

/// Runs these scenarios, or all of them, against a server with this switch.
pub(crate) fn run(switch: Option<Switch>, scenarios: &[String], phones: Phones) -> Ran {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let target = format!("embedded:{}", profile(switch));
    let mut command = easrig(&["run", "--target", &target, "--format", "json", "--strict", "--out"]);
    command.arg(&out).args(scenarios);
    let (personas, versions) = match phones {
        Phones::One => ("ios-17", "14.1"),
        Phones::Two => ("ios-17,wp7.5", "12.1,14.1,16.1"),
    };
    command.args(["--persona", personas]);
    // Phones that choose for themselves fall for a version that is offered and not served.
    if switch != Some(Switch::OptionsVersionsOverstated) {
        command.args(["--version", versions]);
    }
    if let Some(switch) = switch {
        command.args(["--dishonest", switch.name()]);
    }
    let ended = command.output().unwrap();
    let summary: Value = serde_json::from_slice(&ended.stdout)
        .unwrap_or_else(|why| panic!("{switch:?}: {why}: {}", String::from_utf8_lossy(&ended.stderr)));
    let cells = summary["cells"].as_array().unwrap();
    let scenario = |cell: &Value| cell["scenario"].as_str().unwrap().to_owned();
    Ran {
        passed: cells.iter().filter(|cell| cell["verdict"] == "pass").map(scenario).collect(),
        broken: cells.iter().filter_map(broken).collect(),
    }
}

/// A cell with another verdict than `pass`, or with a finding of any level.
fn broken(cell: &Value) -> Option<Broken> {
    let findings = cell["findings"].as_array().unwrap();
    let verdict = cell["verdict"].as_str().unwrap();
    let is_well = matches!(verdict, "pass" | "skipped") && findings.is_empty();
    (!is_well).then(|| Broken {
        scenario: cell["scenario"].as_str().unwrap().to_owned(),
        verdict: verdict.to_owned(),
        requirements: findings.iter().map(|finding| finding["requirement"].as_str().unwrap().to_owned()).collect(),
    })
}

/// The server that can be dishonest in this way: to offer a version too many, there must be one it does not serve.
fn profile(switch: Option<Switch>) -> &'static str {
    match switch {
        Some(Switch::OptionsVersionsOverstated) => "exchange-2010-sp1",
        _ => "exchange-2019",
    }
}

/// Every scenario in the binary.
pub(crate) fn scenario_ids() -> Vec<String> {
    let listed = easrig(&["list", "scenarios", "--format", "json"]).output().unwrap();
    let rows: Vec<Value> = serde_json::from_slice(&listed.stdout).unwrap();
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

fn easrig(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_easrig"));
    command.args(args).stdin(Stdio::null()).env_remove("EASRIG_ACCOUNTS");
    command
}

/// Does the same with each of them, several at once, and gathers what came of it.
pub(crate) fn at_once<T: Sync, R: Send>(tasks: &[T], work: impl Fn(&T) -> Vec<R> + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let gathered = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = work(task);
                    gathered.lock().unwrap().extend(found);
                }
            });
        }
    });
    gathered.into_inner().unwrap()
}
