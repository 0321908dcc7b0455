use std::{
    io::{BufRead as _, BufReader},
    path::Path,
};

use serde_json::Value;

use crate::easrig::{Ended, Running, command, easrig};

/// What a phone does of itself, without anybody who changes the server meanwhile.
const JOURNEYS: [&str; 9] = [
    "journeys/read-mail",
    "journeys/send",
    "journeys/reply",
    "journeys/forward",
    "journeys/delete",
    "journeys/move",
    "journeys/two-devices",
    "journeys/calendar-and-contacts",
    "sync/more-available",
];

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Records scenarios against a profile.
fn record(out: &Path, profile: &str, persona: &str, scenarios: &[&str], flags: &[&str]) {
    let target = format!("embedded:{profile}");
    let mut args = vec!["run", "--target", &target, "--persona", persona, "--out", text(out)];
    args.extend(scenarios);
    args.extend(flags);
    let ended = easrig(&args);
    assert_eq!(ended.code, 0, "{}{}", ended.text(), ended.stderr);
}

/// Replays a recording against a profile; gives replay.json too.
fn replay(recording: &Path, profile: &str, out: &Path, flags: &[&str]) -> (Ended, Value) {
    let target = format!("embedded:{profile}");
    let mut args = vec!["replay", text(recording), "--target", &target, "--out", text(out)];
    args.extend(flags);
    let ended = easrig(&args);
    let json = std::fs::read(out.join("replay.json")).unwrap_or_else(|why| panic!("{why}: {}", ended.stderr));
    (ended, serde_json::from_slice(&json).unwrap())
}

/// The differences of everything that is different, as `kind at path`.
fn differences(replayed: &Value) -> Vec<String> {
    let rows = replayed["exchanges"].as_array().unwrap().iter().filter(|row| row["came"] == "different");
    let all = rows.flat_map(|row| row["differences"].as_array().unwrap());
    all.map(|one| format!("{} at {}", one["kind"].as_str().unwrap(), one["path"].as_str().unwrap())).collect()
}

#[test]
fn a_replay_to_the_same_server_differs_in_nothing_with_and_without_contents() {
    let dir = tempfile::tempdir().unwrap();
    for (name, flags) in [("masked", &[][..]), ("kept", &["--keep-content"][..])] {
        let recording = dir.path().join(name);
        record(&recording, "exchange-2019", "ios-17,wp7.5", &JOURNEYS, flags);
        let out = dir.path().join(format!("{name}-replayed"));
        let (ended, replayed) = replay(&recording, "exchange-2019", &out, flags);
        assert_eq!(ended.code, 0, "{}{}", ended.text(), ended.stderr);
        assert_eq!(differences(&replayed), Vec::<String>::new());
        assert_eq!(replayed["contents"], name == "kept");
        let totals = &replayed["totals"];
        let compared = totals["same"].as_u64().unwrap() + totals["allowed"].as_u64().unwrap();
        assert_eq!(compared, replayed["exchanges"].as_array().unwrap().len() as u64, "{totals}");
        // What a replay leaves is a run folder like any other.
        let shown = easrig(&["show", text(&out), "--exchange", "2"]);
        assert!(shown.code == 0 && shown.text().contains("replay × "), "{}{}", shown.text(), shown.stderr);
        assert!(!ended.text().contains("[removed]") && !ended.text().contains("Basic "), "{}", ended.text());
    }
}

#[test]
fn a_phone_of_2010_is_told_that_basic_is_refused_and_which_version_is_demanded() {
    let dir = tempfile::tempdir().unwrap();
    let recording = dir.path().join("run");
    record(&recording, "exchange-2010-sp1", "ios-11", &["journeys/read-mail"], &[]);
    let (ended, replayed) = replay(&recording, "exchange-online", &dir.path().join("out"), &[]);
    assert_eq!(ended.code, 1, "{}{}", ended.text(), ended.stderr);
    for words in [
        "Basic is refused, the server takes Bearer",
        "14.1, which the device speaks, is offered",
        "16.1 is demanded of every device",
    ] {
        assert!(ended.text().contains(words), "{words}: {}", ended.text());
    }
    // The first refused login is the last of its account: one request for each, and one question about versions.
    let sent = replayed["exchanges"].as_array().unwrap().iter().filter(|row| !row["replayed"].is_null()).count();
    assert_eq!(sent, 2, "{}", ended.text());
}

#[test]
fn what_is_not_allowed_is_left_out_with_what_depends_on_it() {
    let dir = tempfile::tempdir().unwrap();
    let recording = dir.path().join("run");
    record(&recording, "exchange-2019", "ios-17", &["journeys/send"], &[]);
    let ended = easrig(&["replay", text(&recording), "--target", "https://127.0.0.1:9", "--account", "alice:x"]);
    assert_eq!(ended.code, 3, "{}{}", ended.text(), ended.stderr);
    assert!(ended.text().contains("it sends mail to 1 people beside the accounts"), "{}", ended.text());
    assert!(ended.text().contains("it needs a second account"), "{}", ended.text());
    let refused = easrig(&["replay", text(&recording), "--target", "https://127.0.0.1:9", "--allow", "destroys"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("--disposable"), "{}", refused.stderr);
}

#[test]
fn a_recording_answers_the_device_that_made_it() {
    let dir = tempfile::tempdir().unwrap();
    let recording = dir.path().join("run");
    record(&recording, "exchange-2019", "wp7.5,ios-17", &["journeys/read-mail", "journeys/delete"], &[]);
    let mut child = command(&["replay", text(&recording), "--serve", "--plain"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut complaints = BufReader::new(child.stderr.take().unwrap()).lines();
    let _running = Running(child);
    let ready = lines.next().unwrap().unwrap();
    let url = ready.strip_prefix("ready ").unwrap().strip_suffix(" CA=-").unwrap();

    let mut args = vec!["replay", text(&recording), "--target", url, "--as-recorded"];
    args.extend(["--allow", "destroys", "--disposable", "127.0.0.1"]);
    let accounts = ["owner1", "partner1", "owner2", "partner2"].map(|user| format!("{user}={user}@easrig.test:x"));
    args.extend(accounts.iter().flat_map(|account| ["--account", account.as_str()]));
    let out = dir.path().join("out");
    args.extend(["--out", text(&out)]);
    let ended = easrig(&args);
    assert_eq!(ended.code, 0, "{}{}", ended.text(), ended.stderr);

    // A key that nobody was given was never asked with.
    let other = dir.path().join("other");
    record(&other, "exchange-2016", "android-4", &["journeys/delete"], &[]);
    let out = dir.path().join("out2");
    let place = args.iter().position(|arg| *arg == text(&recording)).unwrap();
    args[place] = text(&other);
    *args.last_mut().unwrap() = text(&out);
    assert_eq!(easrig(&args).code, 1);
    let complaint = complaints.next().unwrap().unwrap();
    assert!(complaint.starts_with("nothing like it was recorded: "), "{complaint}");
}

#[test]
fn what_is_no_recording_is_wrong_input() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.txt");
    std::fs::write(&path, "hello").unwrap();
    let ended = easrig(&["replay", text(&path), "--target", "embedded:exchange-2019"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("easrig import"), "{}", ended.stderr);
    assert_eq!(easrig(&["replay", text(&path)]).code, 2);
}
