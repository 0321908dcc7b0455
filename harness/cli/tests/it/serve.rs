use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
};

use crate::easrig::{Ended, Running, command, easrig};

#[test]
fn a_server_says_where_it_is_and_a_run_against_it_passes() {
    let mut child = command(&["serve", "--profile", "exchange-2016", "--listen", "127.0.0.1:0"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let _running = Running(child);
    let mut line = || lines.next().unwrap().unwrap();
    let ready = line();
    let (url, root) = ready.strip_prefix("ready ").unwrap().split_once(" CA=").unwrap();
    let accounts: Vec<String> = [line(), line()].map(|line| line.strip_prefix("account ").unwrap().to_owned()).to_vec();
    assert!(accounts[0].starts_with("alice=alice@easrig.test:"), "{accounts:?}");

    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let mut args = vec!["run", "options", "--target", url, "--ca", root, "--persona", "ios-17", "--out"];
    args.push(out.to_str().unwrap());
    for account in &accounts {
        args.extend(["--account", account]);
    }
    let ended = easrig(&args);
    assert_eq!(ended.code, 0, "{}{}", ended.text(), ended.stderr);
    // Without its root nobody believes it.
    let again = dir.path().join("again");
    args.retain(|arg| *arg != "--ca" && *arg != root);
    let at = args.iter().position(|arg| *arg == out.to_str().unwrap()).unwrap();
    args[at] = again.to_str().unwrap();
    let ended = easrig(&args);
    assert!(matches!(ended.code, 1 | 3), "{}{}", ended.text(), ended.stderr);
    assert!(ended.text().contains("not trusted"), "{}", ended.text());
}

#[test]
fn a_wrong_profile_or_policy_is_wrong_input() {
    let dir = tempfile::tempdir().unwrap();
    let policy = dir.path().join("policy.toml");
    fs::write(&policy, "[policy]\nRequireDeviceEncription = true\n").unwrap();
    let ended = easrig(&["serve", "--listen", "127.0.0.1:0", "--policy", policy.to_str().unwrap()]);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("RequireDeviceEncryption"), "{}", ended.stderr);
    assert_eq!(easrig(&["serve", "--profile", "exchange-2091"]).code, 2);
}

#[test]
fn an_upgrade_that_raises_the_tls_floor_is_named_with_the_phones_it_may_lose() {
    let dir = tempfile::tempdir().unwrap();
    let [before, after] = ["before", "after"].map(|name| dir.path().join(name));
    let ended = run_against(&[], &before);
    assert_eq!(ended.code, 0, "{}{}", ended.text(), ended.stderr);
    let ended = run_against(&["--tls-floor", "1.3"], &after);
    assert_eq!(ended.code, 3, "{}{}", ended.text(), ended.stderr);
    // Nobody has verified what iOS 11 speaks: so nothing is said to be broken, and nothing to be well.
    let said = ended.text().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("unverified: this phone is said to speak TLS 1.2 at most and the server refuses it"),
        "{}",
        ended.text()
    );
    let asked = |folder: &Path| {
        let events = fs::read_to_string(folder.join("run.jsonl")).unwrap();
        let lines: Vec<_> = events.lines().filter(|line| line.contains(r#""event":"tls_asked""#)).collect();
        assert_eq!(lines.len(), 1, "each server is asked once: {lines:?}");
        lines[0].matches("\"answer\":\"accepted\"").count()
    };
    assert_eq!((asked(&before), asked(&after)), (2, 1));
    let page = fs::read_to_string(after.join("report.html")).unwrap();
    let panel = page.split_once("by a hello for each").unwrap().1.split_once("</ul>").unwrap().0;
    for (version, word) in [("TLS 1.0", "refused"), ("TLS 1.2", "refused"), ("TLS 1.3", "accepted")] {
        let row = panel.split("<li>").find(|row| row.starts_with(version)).unwrap();
        assert!(row.contains(word), "{row}");
    }

    let ended = easrig(&["compare", before.to_str().unwrap(), after.to_str().unwrap()]);
    assert_eq!(ended.code, 3, "{}", ended.text());
    assert!(ended.text().contains("TLS 1.2 is no longer accepted"), "{}", ended.text());
    assert!(ended.text().contains("phones    iPhone, iOS 11\n"), "{}", ended.text());
}

/// What iOS 11 and iOS 17 find at a server started with these options.
fn run_against(options: &[&str], out: &Path) -> Ended {
    let arguments = [&["serve", "--listen", "127.0.0.1:0", "--account", "alice:secret"], options].concat();
    let mut child = command(&arguments).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let _running = Running(child);
    let ready = lines.next().unwrap().unwrap();
    let (url, root) = ready.strip_prefix("ready ").unwrap().split_once(" CA=").unwrap();
    let account = "alice=alice@easrig.test:secret";
    easrig(&[
        "run",
        "options",
        "--target",
        url,
        "--ca",
        root,
        "--persona",
        "ios-11",
        "--persona",
        "ios-17",
        "--account",
        account,
        "--out",
        out.to_str().unwrap(),
    ])
}
