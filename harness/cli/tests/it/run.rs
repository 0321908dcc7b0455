use std::{fs, net::TcpListener};

use serde_json::Value;

use crate::easrig::{Ended, command, easrig};

fn run(out: &std::path::Path, args: &[&str]) -> Ended {
    let mut all = vec!["run", "--out", out.to_str().unwrap()];
    all.extend(args);
    easrig(&all)
}

#[test]
fn a_run_writes_its_folder_and_prints_what_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let args = ["options", "folder-sync", "--target", "embedded:exchange-2019", "--persona", "ios-17,wp7", "--format"];
    let ended = run(&out, &[&args[..], &["json"]].concat());
    assert_eq!(ended.code, 0, "{}{}", ended.text(), ended.stderr);
    assert_eq!(ended.text(), fs::read_to_string(out.join("summary.json")).unwrap());
    let summary: Value = serde_json::from_str(ended.text()).unwrap();
    assert_eq!(summary["format"], 1);
    assert_eq!(summary["target"]["given"], "embedded:exchange-2019");
    assert!(summary["totals"]["pass"].as_u64().unwrap() > 2, "{}", summary["totals"]);
    assert_eq!(summary["totals"]["fail"], 0);

    // The same folder again is refused; resumed, nothing is left to do and the answer is the same.
    assert_eq!(run(&out, &[&args[..], &["junit"]].concat()).code, 2);
    let resumed = run(&out, &[&args[..], &["junit", "--resume"]].concat());
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    assert_eq!(resumed.text(), fs::read_to_string(out.join("junit.xml")).unwrap());
    assert!(resumed.text().contains("<testsuite "), "{}", resumed.text());
    let again: Value = serde_json::from_str(&fs::read_to_string(out.join("summary.json")).unwrap()).unwrap();
    assert_eq!(again["totals"], summary["totals"]);
}

#[test]
fn where_no_password_is_taken_the_phones_with_tokens_pass_and_the_others_see_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let args =
        ["folder-sync/initial", "--target", "embedded:exchange-online", "--persona", "ios-17,wp7", "--format", "json"];
    let ended = run(&dir.path().join("run"), &args);
    assert_eq!(ended.code, 1, "{}{}", ended.text(), ended.stderr);
    let summary: Value = serde_json::from_str(ended.text()).unwrap();
    let cells = summary["cells"].as_array().unwrap();
    let verdict = |persona: &str| {
        let of = |cell: &&Value| cell["persona"] == persona && cell["scenario"] == "folder-sync/initial-hierarchy";
        cells.iter().find(of).map(|cell| (cell["verdict"].clone(), cell["device_error"]["code"].clone())).unwrap()
    };
    assert_eq!(verdict("ios-17").0, "pass");
    assert_eq!(verdict("wp7"), ("blocked".into(), "85010002".into()));
}

#[test]
fn a_dishonest_server_fails_and_says_where() {
    let dir = tempfile::tempdir().unwrap();
    let ended = run(
        &dir.path().join("run"),
        &["sync", "--target", "embedded:exchange-2019", "--persona", "ios-17", "--dishonest", "more-available-dropped"],
    );
    assert_eq!(ended.code, 1, "{}{}", ended.text(), ended.stderr);
    assert!(ended.text().contains("FAIL") && ended.text().contains("expected"), "{}", ended.text());
    let last = ended.text().lines().last().unwrap();
    assert!(last.contains("fail"), "{last}");
}

#[test]
fn nobody_there_is_inconclusive() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let dir = tempfile::tempdir().unwrap();
    let target = format!("http://127.0.0.1:{port}");
    let ended = run(
        &dir.path().join("run"),
        &["options", "--target", &target, "--persona", "ios-17", "--account", "alice:sesame-canary"],
    );
    assert!(matches!(ended.code, 1 | 3), "{}{}", ended.text(), ended.stderr);
    assert!(ended.text().contains("refused the connection"), "{}", ended.text());
    assert!(!ended.text().contains("sesame-canary") && !ended.stderr.contains("sesame-canary"));
    for file in ["run.jsonl", "exchanges.eascap", "summary.json", "junit.xml", "report.html"] {
        let bytes = fs::read(dir.path().join("run").join(file)).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("sesame-canary"), "{file}");
    }
}

#[test]
fn wrong_input_is_two_and_nothing_selected_is_four() {
    let wrong: &[&[&str]] = &[
        &["run", "--target", "x.test", "--persona", "nokia"],
        &["run", "nowhere/", "--target", "x.test"],
        &["run", "--target", "http://mail.example.org", "--account", "a:b"],
        &["run", "--target", "x.test"],
        &["run", "--target", "x.test", "--version", "13.0"],
        &["run", "--target", "x.test", "--command", "Snyc"],
        &["run", "--target", "x.test", "--account", "nosecret"],
        &["run", "--target", "x.test", "--account", "a:b", "--allow", "destroys"],
        &["run", "--target", "x.test", "--account", "a:b", "--allow", "destroys", "--disposable", "y.test"],
        &["run", "--target", "x.test", "--account", "a:b", "--dishonest", "ping-never-wakes"],
        &["run", "--target", "embedded:exchange-2049"],
        &["capture", "live", "-i", "nosuch", "-o", "/nowhere/x.pcapng"],
        &["run", "--target", "embedded:exchange-2019", "--account", "a:b"],
        &["run", "--target", "x.test", "--account", "a:b", "--resume"],
    ];
    for args in wrong {
        let ended = easrig(args);
        assert_eq!((ended.code, ended.text()), (2, ""), "{args:?}: {}", ended.stderr);
        assert!(!ended.stderr.contains("nosecret:"), "{args:?}");
    }
    assert_eq!(easrig(&["run", "--req", "MS-NOTHING", "--target", "x.test", "--account", "a:b"]).code, 4);
}

#[test]
fn a_dry_run_sends_nothing_and_makes_no_folder() {
    let dir = tempfile::tempdir().unwrap();
    let ended =
        run(&dir.path().join("run"), &["journeys/reply", "--target", "x.test", "--dry-run", "--persona", "wp7"]);
    assert_eq!((ended.code, ended.text()), (0, "journeys/reply\non wp7\n"), "{}", ended.stderr);
    assert!(!dir.path().join("run").exists());
}

#[test]
fn accounts_come_from_the_environment_too() {
    let args = ["run", "options", "--target", "x.test", "--dry-run"];
    for (value, code) in
        [("[[account]]\nuser = \"a\"\nsecret = \"b\"\n", 0), ("[[account]]\nuser = \"a\"\n", 2), ("/nowhere", 2)]
    {
        let status = command(&args).env("EASRIG_ACCOUNTS", value).status().unwrap();
        assert_eq!(status.code(), Some(code), "{value}");
    }
}

#[test]
fn colours_are_for_those_who_want_them() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["options", "--target", "embedded:generic", "--persona", "ios-17"];
    let plain = run(&dir.path().join("a"), &args);
    assert!(!plain.text().contains('\u{1b}') && !plain.stderr.contains('\u{1b}'), "{}", plain.text());
    let coloured = run(&dir.path().join("b"), &[&args[..], &["--color", "always"]].concat());
    assert!(coloured.text().contains("\u{1b}[32m"), "{}", coloured.text());
}
