use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
};

use serde_json::Value;

use crate::easrig::{Ended, Running, command, easrig};

/// What a phone does of itself, without anybody who changes the server meanwhile.
const JOURNEYS: [&str; 12] = [
    "journeys/read-mail",
    "journeys/send",
    "journeys/reply",
    "journeys/forward",
    "journeys/delete",
    "journeys/move",
    "journeys/two-devices",
    "journeys/calendar-and-contacts",
    "sync/more-available",
    "search/gal",
    "find/gal",
    "resolve-recipients/lookup",
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
    let why = replayed["cut_short"].as_str().unwrap();
    assert!(why.contains("refused its login (HTTP 401)"), "{why}");
    assert!(ended.text().contains(&format!("cut short: {why}")), "{}", ended.text());
}

/// A server that gives the first request the recorded answer, takes the second, and says nothing ever after; `taken` hears of
/// the second.
fn falls_silent(recording: &Path, taken: mpsc::Sender<()>) -> String {
    let shown = easrig(&["show", text(recording), "--exchange", "1", "--format", "json"]);
    let shown: Value = serde_json::from_str(shown.text()).unwrap();
    let mut answer = "HTTP/1.1 200 OK\r\n".to_owned();
    for header in shown["exchanges"][0]["response"]["headers"].as_array().unwrap() {
        answer += &format!("{}: {}\r\n", header[0].as_str().unwrap(), header[1].as_str().unwrap());
    }
    let answer = Arc::new(answer + "\r\n");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (asked, answer, taken) = (Arc::clone(&asked), Arc::clone(&answer), taken.clone());
            std::thread::spawn(move || serve(&stream.unwrap(), &asked, &answer, &taken));
        }
    });
    url
}

fn serve(mut stream: &TcpStream, asked: &AtomicUsize, answer: &str, taken: &mpsc::Sender<()>) {
    for line in BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok) {
        if line.is_empty() {
            match asked.fetch_add(1, Ordering::SeqCst) {
                0 => stream.write_all(answer.as_bytes()).unwrap(),
                _ => drop(taken.send(())),
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_replay_reports_what_it_did() {
    let dir = tempfile::tempdir().unwrap();
    let (recording, out) = (dir.path().join("run"), dir.path().join("out"));
    record(&recording, "exchange-2019", "ios-17", &["folder-sync/content-type"], &[]);
    let (taken, hears) = mpsc::channel();
    let url = falls_silent(&recording, taken);
    let args = ["replay", text(&recording), "--target", &url, "--account", "owner1:x", "--out", text(&out)];
    let child = command(&args).spawn().unwrap();
    hears.recv().unwrap();
    let pid = child.id().to_string();
    assert!(Command::new("sh").args(["-c", &format!("kill -INT {pid}")]).status().unwrap().success());
    let ended = child.wait_with_output().unwrap();
    let (said, complaint) = (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap());
    assert_eq!(ended.status.code(), Some(3), "{said}{complaint}");
    assert!(complaint.contains("interrupted; what came of it up to then is reported"), "{complaint}");
    assert!(said.contains("cut short: it was interrupted"), "{said}");

    let replayed: Value = serde_json::from_slice(&std::fs::read(out.join("replay.json")).unwrap()).unwrap();
    assert_eq!(replayed["cut_short"], "it was interrupted");
    let rows = replayed["exchanges"].as_array().unwrap();
    assert!(rows[0]["came"] == "same" || rows[0]["came"] == "allowed", "{}", rows[0]);
    assert!(rows[1]["why"].as_str().unwrap().contains("interrupted before the answer came"), "{}", rows[1]);
    assert!(rows.len() > 2 && rows[2..].iter().all(|row| row["came"] == "inconclusive"), "{said}");
    // The folder holds a run that was cut short.
    let shown = easrig(&["show", text(&out), "--exchange", "1"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
}

#[test]
fn a_target_out_of_reach_is_given_up_after_three_requests() {
    let dir = tempfile::tempdir().unwrap();
    let (recording, out) = (dir.path().join("run"), dir.path().join("out"));
    record(&recording, "exchange-2019", "ios-17", &["journeys/read-mail"], &[]);
    let (taken, _hears) = mpsc::channel();
    let silent = falls_silent(&recording, taken);
    for (name, target, heard) in [("refused", "https://127.0.0.1:9", 0), ("silent", silent.as_str(), 1)] {
        let out = out.join(name);
        let accounts = ["--account", "owner1:x", "--account", "partner1:x"];
        let flags = ["--target", target, "--out", text(&out), "--wait", "1", "--allow", "writes"];
        let ended = easrig(&[&["replay", text(&recording)], &accounts[..], &flags].concat());
        assert_eq!(ended.code, 3, "{name}: {}{}", ended.text(), ended.stderr);
        let replayed: Value = serde_json::from_slice(&std::fs::read(out.join("replay.json")).unwrap()).unwrap();
        let why = replayed["cut_short"].as_str().unwrap();
        assert!(why.contains("out of reach: it answered none of 3 requests in a row"), "{why}");
        let sent = replayed["exchanges"].as_array().unwrap().iter().filter(|row| !row["replayed"].is_null()).count();
        assert_eq!(sent, heard + 3, "{name}: {}", ended.text());
        assert_eq!(differences(&replayed), Vec::<String>::new());
    }
}

#[test]
fn what_is_not_allowed_is_left_out_with_what_depends_on_it() {
    let dir = tempfile::tempdir().unwrap();
    let recording = dir.path().join("run");
    record(&recording, "exchange-2019", "ios-17", &["journeys/send"], &[]);
    let out = dir.path().join("replayed");
    let away = ["replay", text(&recording), "--target", "https://127.0.0.1:9", "--account", "alice:x"];
    let ended = easrig(&[&away[..], &["--out", text(&out)]].concat());
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
fn other_accounts_on_a_server_with_other_ids_are_no_difference() {
    let dir = tempfile::tempdir().unwrap();
    let recording = dir.path().join("run");
    record(&recording, "exchange-2019", "ios-17", &JOURNEYS, &[]);
    let mut child = command(&["serve", "--plain", "--listen", "127.0.0.1:0"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let _running = Running(child);
    let mut line = || lines.next().unwrap().unwrap();
    let ready = line();
    let url = ready.strip_prefix("ready ").unwrap().strip_suffix(" CA=-").unwrap();
    let accounts = [line(), line()].map(|line| line.strip_prefix("account ").unwrap().to_owned());
    // The second time the mailboxes have other ids than the first.
    for name in ["once", "twice"] {
        let out = dir.path().join(name);
        let mut args = vec!["replay", text(&recording), "--target", url, "--out", text(&out)];
        args.extend(["--allow", "destroys", "--disposable", "127.0.0.1"]);
        args.extend(accounts.iter().flat_map(|account| ["--account", account.as_str()]));
        let ended = easrig(&args);
        assert_eq!(ended.code, 0, "{name}: {}{}", ended.text(), ended.stderr);
    }
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

/// Every switch that shows when a scenario is replayed against it, with what the difference is called.
const SHOWN: [(&str, &str, &str); 55] = [
    ("policy-key-late", "provision/asked-for-until-done", "status changed"),
    ("html-flattened", "sync/html-body", "body type"),
    ("attachments-hidden", "sync/attachment-reference", "item changed"),
    ("tasks-folder-missing", "journeys/onboarding-by-server-name", "folder lost"),
    ("item-lost-between-windows", "sync/paging-ends", "item lost"),
    ("sync-key-not-advanced", "sync/mail-prime-download-commit", "key not advanced"),
    ("more-available-dropped", "sync/more-available", "more-available changed"),
    ("item-doubled-between-windows", "sync/paging-ends", "item doubled"),
    ("read-flag-lost", "sync/read-mark-travels-alone", "item changed"),
    ("flag-lost", "sync/flag-travels-alone", "item changed"),
    ("delete-not-propagated", "sync/delete-reaches-other-device", "item lost"),
    ("delete-ignores-deletes-as-moves", "sync/delete-moves-to-bin", "item lost"),
    ("change-not-propagated", "sync/flag-travels-alone", "item lost"),
    ("stale-sync-key-accepted", "sync/bad-key", "status changed"),
    ("stale-folder-key-accepted", "folder-sync/bad-key", "status changed"),
    ("folder-ids-change-on-resync", "folder-sync/stable-ids", "id changed"),
    ("ping-never-wakes", "ping/new-mail-wakes", "no answer"),
    ("ping-wrong-folder", "ping/new-mail-wakes", "document differs"),
    ("ping-heartbeat-limit-ignored", "ping/heartbeat-limits", "status changed"),
    ("truncation-ignored", "sync/body-truncated", "truncation"),
    ("truncated-flag-missing", "sync/body-truncated", "truncation"),
    ("body-type-ignored", "sync/body-type-fallback", "body type"),
    ("mime-always", "sync/html-body", "body type"),
    ("attachment-corrupted", "item-operations/fetch-mail-and-attachment", "item changed"),
    ("fetch-wrong-item", "item-operations/fetch-mail-and-attachment", "item changed"),
    ("sent-mail-lost", "send-mail/delivered", "item lost"),
    ("sent-mail-doubled", "send-mail/duplicate-caught", "document differs"),
    ("reply-without-original", "smart-reply/arrives", "truncation"),
    ("move-loses-item", "move-items/move", "item lost"),
    ("folder-create-duplicate", "folder-create/name-clash", "folder added"),
    ("folder-delete-builtin", "folder-delete/built-in-refused", "status changed"),
    ("folder-rename-lost", "folder-update/rename", "item changed"),
    ("contact-number-lost", "sync/contact-fields-survive", "item changed"),
    ("event-reminder-lost", "sync/event-fields-survive", "item changed"),
    ("series-flattened", "sync/weekly-series-survives", "item changed"),
    ("contact-ghost-wiped", "sync/ghosted-contact-fields", "item changed"),
    ("event-exception-lost", "sync/exception-survives-change", "item changed"),
    ("all-day-shifted", "sync/all-day-survives", "item changed"),
    ("filter-ignored", "sync/calendar-age-filter", "item added"),
    ("estimate-wrong", "get-item-estimate/estimate", "document differs"),
    ("own-change-echoed", "sync/contact-round-trip", "item added"),
    ("conflict-unreported", "sync/conflict-server-wins", "document differs"),
    ("accepted-meeting-missing", "meeting-response/accepted-is-in-calendar", "item lost"),
    ("sent-items-empty", "journeys/send", "item lost"),
    ("policy-key-zero", "provision/policy-handshake", "key not advanced"),
    ("policy-key-not-checked", "provision/asked-for-until-done", "status changed"),
    ("unknown-policy-type-accepted", "provision/unknown-policy-type", "status changed"),
    ("options-command-missing", "options/versions-and-commands", "command gone"),
    ("wrong-content-type", "folder-sync/content-type", "content type changed"),
    ("gal-search-empty", "search/gal", "item lost"),
    ("mailbox-search-misses", "search/mailbox", "item lost"),
    ("oof-not-stored", "settings/oof", "document differs"),
    ("user-information-empty", "settings/user-information", "document differs"),
    ("resolve-ambiguous-hidden", "resolve-recipients/ambiguous", "status changed"),
    ("status-missing", "settings/user-information", "status changed"),
];

/// Those that cannot show in a replay, and why.
const HIDDEN: [(&str, &str); 7] = [
    ("block-not-enforced", "nobody blocks the device of a replay"),
    ("policy-refresh-never-asked", "nobody changes the policy during a replay"),
    ("options-versions-overstated", "exchange-2019 serves every version, there is none to overstate"),
    ("html-error-page", "requests with a wrong password are left out"),
    ("password-not-checked", "requests with a wrong password are left out"),
    ("autodiscover-wrong-namespace", "the target of a replay is named by its URL"),
    ("autodiscover-http-url", "the target of a replay is named by its URL"),
];

#[test]
fn each_switch_that_touches_what_was_recorded_is_a_named_difference() {
    let dir = tempfile::tempdir().unwrap();
    let next = AtomicUsize::new(0);
    let slips = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some((switch, scenario, kind)) = SHOWN.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let place = |name: &str| dir.path().join(format!("{switch}-{name}"));
                    let recording = place("run");
                    record(
                        &recording,
                        "exchange-2019",
                        "ios-17",
                        &[scenario],
                        &["--version", "14.1", "--keep-content"],
                    );
                    let (honest, replayed) = replay(&recording, "exchange-2019", &place("honest"), &[]);
                    let slip = |why: String| slips.lock().unwrap().push(format!("{switch}, {scenario}: {why}"));
                    if honest.code != 0 {
                        slip(format!("honest, and {:?}", differences(&replayed)));
                    }
                    // Longer than the one second for which a Ping is asked.
                    let flags = ["--dishonest", switch, "--wait", "4"];
                    let (ended, replayed) = replay(&recording, "exchange-2019", &place("dishonest"), &flags);
                    let found = differences(&replayed);
                    if ended.code != 1 || !found.iter().any(|one| one.starts_with(kind)) {
                        slip(format!("no {kind:?} among {found:?}"));
                    }
                }
            });
        }
    });
    let slips = slips.into_inner().unwrap();
    assert!(slips.is_empty(), "{}", slips.join("\n"));
}

#[test]
fn every_switch_is_shown_or_excused() {
    let listed = easrig(&["list", "switches", "--format", "json"]);
    let rows: Vec<Value> = serde_json::from_str(listed.text()).unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    let told: Vec<&str> = SHOWN.iter().map(|row| row.0).chain(HIDDEN.iter().map(|row| row.0)).collect();
    for name in &names {
        assert_eq!(told.iter().filter(|told| *told == name).count(), 1, "{name} has no row in SHOWN or HIDDEN");
    }
    assert_eq!(names.len(), told.len());
}

/// A mail with a file, opened by a phone of 2.5: there the file is asked for by a name in the query.
const OLD_FILE: &str = r#"
id       = "journeys/old-file"
title    = "A file in a mail is opened at 2.5"
req      = ["MS-ASEMAIL_R640"]
versions = ["2.5"]
effects  = "writes"
needs    = ["partner"]
start    = "foldered"

[[step]]
role       = "partner"
do         = "send_mail"
to         = "{address}"
subject    = "{tag} offer"
text       = "marigold"
attachment = { name = "our offer.bin", size = 600 }
setup      = true

[[step]]
do      = "receive"
subject = "{tag} offer"

[[step]]
do      = "read_mail"
subject = "{tag} offer"
[step.expect]
owner = [{ sees = "mail", folder = "inbox", subject = "{tag} offer", attachment = "our offer.bin" }]
"#;

#[test]
fn a_file_of_2_5_is_found_again_in_a_recording_without_contents() {
    let dir = tempfile::tempdir().unwrap();
    let scenarios = dir.path().join("scenarios");
    std::fs::create_dir_all(scenarios.join("journeys")).unwrap();
    std::fs::write(scenarios.join("journeys/old-file.toml"), OLD_FILE).unwrap();
    let out = dir.path().join("run");
    let target = ["--target", "embedded:exchange-2010-sp1"];
    let what = ["run", "journeys/old-file", "--scenarios", text(&scenarios), "--version", "2.5", "--allow", "writes"];
    let how = ["--persona", "android-4", "--out", text(&out)];
    let ended = easrig(&[&what[..], &how[..], &target[..]].concat());
    assert_eq!(ended.code, 0, "{}{}", ended.text(), ended.stderr);
    let (ended, told) = replay(&out, "exchange-2010-sp1", &dir.path().join("again"), &[]);
    assert_eq!(ended.code, 0, "{}{}", ended.text(), ended.stderr);
    let files = || told["exchanges"].as_array().unwrap().iter().filter(|one| one["command"] == "GetAttachment");
    assert!(files().count() > 0 && files().all(|one| one["came"] == "allowed"), "{told:#}");
}
