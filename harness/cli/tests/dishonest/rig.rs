//! Runs of the binary against its own reference server, many at once: they mostly wait.

use std::{
    collections::BTreeSet,
    path::Path,
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use easrig_refserver::Switch;
use serde_json::Value;
use tempfile::TempDir;

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
    /// Whether it goes beyond findings that fail nothing, under `--strict` either: a comparison passes those over.
    pub(crate) counts: bool,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) passed: Vec<String>,
    pub(crate) broken: Vec<Broken>,
    folder: TempDir,
}

impl Ran {
    /// Every cell that is not as it was in `honest`, and what that means, as `easrig compare` says.
    pub(crate) fn compared_with(&self, honest: &Self) -> Vec<Changed> {
        let [before, after] = [honest, self].map(|ran| ran.folder.path().join("run"));
        let ended = easrig(&["compare", "--format", "json"]).args([before, after]).output().unwrap();
        let text = String::from_utf8_lossy(&ended.stderr).into_owned();
        let comparison: Value = serde_json::from_slice(&ended.stdout).unwrap_or_else(|why| panic!("{why}: {text}"));
        assert_eq!(ended.status.code().map(i64::from), comparison["exit"].as_i64(), "{text}");
        let causes = comparison["causes"].as_array().unwrap();
        causes.iter().flat_map(|cause| cause["changes"].as_array().unwrap()).map(changed).collect()
    }
}

/// Cells by scenario and persona.
pub(crate) type Cells = BTreeSet<(String, String)>;

/// What `easrig baseline check` and `easrig compare` with a baseline name, each.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) by_check: Cells,
    pub(crate) by_compare: Cells,
    /// Cells that have a snapshot of their own, approved or now.
    pub(crate) told: Cells,
}

impl Ran {
    /// Makes `honest` the baseline and holds this run against it in both ways.
    pub(crate) fn named_beside(&self, honest: &Self) -> Named {
        let [before, after] = [honest, self].map(|ran| ran.folder.path().join("run"));
        let dir = tempfile::tempdir().unwrap();
        let baseline = |what: &str, run: &Path| {
            let mut command = easrig(&["baseline", what, "--name", "honest"]);
            command.arg(run).arg("--dir").arg(dir.path()).output().unwrap()
        };
        assert!(baseline("approve", &before).status.success());
        let checked = String::from_utf8(baseline("check", &after).stdout).unwrap();
        let compared =
            easrig(&["compare", "--format", "json"]).args([dir.path().join("honest"), after]).output().unwrap();
        let comparison: Value = serde_json::from_slice(&compared.stdout).unwrap();
        let causes = comparison["causes"].as_array().unwrap();
        let changes = causes.iter().flat_map(|cause| cause["changes"].as_array().unwrap());
        let cell = |change: &Value| ["scenario", "persona"].map(|key| change[key].as_str().unwrap().to_owned()).into();
        let mut told = Cells::new();
        snapshots(&dir.path().join("honest"), "", &mut told);
        Named { by_check: checked.lines().filter_map(named).collect(), by_compare: changes.map(cell).collect(), told }
    }
}

/// The cell that a line of `easrig baseline check` is about; `None` for other lines.
fn named(line: &str) -> Option<(String, String)> {
    let (what, rest) = line.split_once("  ")?;
    let rest = rest.trim_start();
    match what.trim_end() {
        "changed" | "new" => {
            let mut parts = rest.split(": ").next()?.split(" × ");
            Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
        }
        "gone" => of_path(rest.split(": ").next()?),
        _ => None,
    }
}

/// `sync/a/wp7@14.1.snap`, `sync/a/wp7.snap.new`.
fn of_path(path: &str) -> Option<(String, String)> {
    let (scenario, file) = path.trim_end_matches(".new").strip_suffix(".snap")?.rsplit_once('/')?;
    Some((scenario.to_owned(), file.split('@').next()?.to_owned()))
}

fn snapshots(folder: &Path, below: &str, found: &mut Cells) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = format!("{below}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            snapshots(&entry.path(), &format!("{name}/"), found);
        } else {
            found.extend(of_path(&name));
        }
    }
}

/// A cell that is not as it was.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Changed {
    pub(crate) scenario: String,
    pub(crate) class: String,
    pub(crate) transition: String,
}

fn changed(change: &Value) -> Changed {
    let text = |key: &str| change[key].as_str().unwrap().to_owned();
    Changed { scenario: text("scenario"), class: text("class"), transition: text("transition") }
}

/// Runs these scenarios, or all of them, against a server with this switch.
pub(crate) fn run(switch: Option<Switch>, scenarios: &[String], phones: Phones) -> Ran {
    run_on(switch, switch, scenarios, phones)
}

/// The same run as with this switch, against a server that is honest.
pub(crate) fn run_honest(switch: Switch, scenarios: &[String], phones: Phones) -> Ran {
    run_on(Some(switch), None, scenarios, phones)
}

fn run_on(like: Option<Switch>, switch: Option<Switch>, scenarios: &[String], phones: Phones) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let target = format!("embedded:{}", profile(like));
    let mut command = easrig(&["run", "--target", &target, "--format", "json", "--strict", "--out"]);
    command.arg(&out).args(scenarios);
    let (personas, versions) = match phones {
        Phones::One => ("ios-17", "14.1"),
        Phones::Two => ("ios-17,wp7.5", "12.1,14.1,16.1"),
    };
    command.args(["--persona", personas]);
    // Phones that choose for themselves fall for a version that is offered and not served.
    if like != Some(Switch::OptionsVersionsOverstated) {
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
        folder,
    }
}

/// A cell with another verdict than `pass`, or with a finding of any level.
fn broken(cell: &Value) -> Option<Broken> {
    let findings = cell["findings"].as_array().unwrap();
    let verdict = cell["verdict"].as_str().unwrap();
    let is_well = matches!(verdict, "pass" | "skipped") && findings.is_empty();
    let counts = verdict != "pass" || findings.iter().any(|finding| finding["level"] != "robust");
    (!is_well).then(|| Broken {
        counts,
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
