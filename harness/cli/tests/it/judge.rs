use std::{fs, path::Path};

use serde_json::Value;

use crate::easrig::{Ended, easrig};

fn judged(args: &[&str]) -> (i32, Value) {
    let ended = easrig(&[&["judge"], args, &["--format", "json"]].concat());
    let value = serde_json::from_str(ended.text()).unwrap_or_else(|_| panic!("{}{}", ended.text(), ended.stderr));
    (ended.code, value)
}

fn cells<'v>(summary: &'v Value, verdict: &str) -> Vec<&'v str> {
    let cells = summary["cells"].as_array().unwrap().iter().filter(|cell| cell["verdict"] == verdict);
    cells.map(|cell| cell["scenario"].as_str().unwrap()).collect()
}

/// A run of a few journeys and conformance scenarios.
fn run(dir: &Path, more: &[&str]) -> String {
    let out = dir.join("run").to_str().unwrap().to_owned();
    let what =
        ["run", "journeys/onboarding-by-server-name", "sync", "folder-sync", "--target", "embedded:exchange-2019"];
    let how = ["--persona", "wp7.5,ios-17", "--allow", "writes", "--out", &out];
    let ended = easrig(&[&what[..], &how[..], more].concat());
    assert!(ended.code < 2, "{}", ended.stderr);
    out
}

fn capture(name: &str) -> String {
    format!("{}/../../captures/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_run_read_back_is_judged_as_it_was_when_it_ran() {
    let dir = tempfile::tempdir().unwrap();
    let folder = run(dir.path(), &[]);
    let (code, summary) = judged(&[&folder]);
    assert_eq!(
        (code, &summary["totals"]["fail"], &summary["totals"]["degraded"]),
        (0, &0.into(), &0.into()),
        "{summary:#}"
    );
    let held = |summary: &Value| {
        let cells = summary["cells"].as_array().unwrap().iter().filter_map(|cell| cell["scenario"].as_str());
        let mut held: Vec<String> = cells.filter(|id| id.starts_with("invariant/")).map(str::to_owned).collect();
        held.sort();
        held.dedup();
        held
    };
    let live: Value = serde_json::from_str(&fs::read_to_string(format!("{folder}/summary.json")).unwrap()).unwrap();
    assert_eq!(held(&summary), held(&live));
}

#[test]
fn a_dishonest_server_is_found_out_from_its_recording() {
    let dir = tempfile::tempdir().unwrap();
    let folder = run(dir.path(), &["--dishonest", "sync-key-not-advanced"]);
    let tape = format!("{folder}/exchanges.eascap");
    for recording in [&folder, &tape] {
        let (code, summary) = judged(&[recording]);
        assert_eq!(code, 1);
        assert!(cells(&summary, "fail").contains(&"invariant/new-sync-key"), "{summary:#}");
        assert!(cells(&summary, "fail").iter().all(|id| !id.starts_with("device/")), "{summary:#}");
    }
    let human = easrig(&["judge", &tape]);
    assert!(
        human.text().starts_with("devices\n") && human.text().contains("FAIL  invariant/new-sync-key"),
        "{}",
        human.text()
    );
    assert!(human.text().contains("read as ios-17"), "{}", human.text());
}

#[test]
fn a_blocked_phone_is_blocked_in_its_recording() {
    let dir = tempfile::tempdir().unwrap();
    let policy = dir.path().join("strict.toml");
    fs::write(&policy, "[policy]\nRequireDeviceEncryption = true\nAllowNonProvisionableDevices = false\n").unwrap();
    let folder = run(dir.path(), &["--policy", policy.to_str().unwrap()]);
    let (code, summary) = judged(&[&format!("{folder}/exchanges.eascap")]);
    assert_eq!(code, 1);
    let blocked = summary["cells"].as_array().unwrap().iter().find(|cell| cell["verdict"] == "blocked").unwrap();
    assert_eq!(blocked["scenario"], "recording/owner-sees-no-error");
    assert_eq!(blocked["device_error"]["code"], "86000C2B");
}

#[test]
fn what_a_device_does_wrong_is_told_apart_and_fails_only_when_asked() {
    let plain = capture("cooked.pcapng");
    let (code, summary) = judged(&[&plain]);
    assert_eq!((code, cells(&summary, "fail")), (0, Vec::new()), "{summary:#}");
    assert_eq!(cells(&summary, "degraded"), ["device/folder-id"; 2]);
    let (code, summary) = judged(&[&plain, "--strict-devices", "--device", "0CB1E29C658CDA1495E60AF593BD04CF"]);
    assert_eq!((code, cells(&summary, "fail")), (1, vec!["device/folder-id"]));
    let human = easrig(&["judge", &plain]);
    assert!(human.text().contains("the device: device/folder-id (must): expected a folder"), "{}", human.text());
}

#[test]
fn what_is_missing_is_inconclusive_and_nobodys_fault() {
    let log = format!("{}/../capture/tests/data/mailbox-log.txt", env!("CARGO_MANIFEST_DIR"));
    for recording in [capture("vlan-cut.pcap"), log] {
        let (code, summary) = judged(&[&recording]);
        assert_eq!((code, cells(&summary, "fail")), (3, Vec::new()), "{summary:#}");
        assert!(cells(&summary, "inconclusive").contains(&"recording/complete"), "{summary:#}");
    }
    assert_eq!(easrig(&["judge", &capture("tls13-no-keys.pcapng")]).code, 4);
}

#[test]
fn a_judgement_is_kept_as_a_run_with_pseudonyms() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("kept");
    let out = out.to_str().unwrap();
    let kept =
        |format: &str| -> Ended { easrig(&["judge", &capture("cooked.pcapng"), "--out", out, "--format", format]) };
    let ended = kept("junit");
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.text().contains("<testsuites") && !ended.text().contains("0cb1e29c658cda1495e60af593bd04cf"));
    let log = fs::read_to_string(format!("{out}/run.jsonl")).unwrap();
    assert!(log.starts_with("{\"event\":\"run_started\"") && log.contains("invariant/one-status"), "{log}");
    assert!(!log.contains("0cb1e29c658cda1495e60af593bd04cf"));
    assert_eq!(easrig(&["show", out, "--command", "FolderSync"]).code, 0);
    assert_eq!(judged(&[out]).0, 0);
    let again = kept("human");
    assert_eq!((again.code, again.text()), (2, ""), "{}", again.stderr);
    assert!(again.stderr.contains("already holds a run"), "{}", again.stderr);
}
