use std::io::{BufRead as _, BufReader};

use crate::easrig::{Running, command, easrig};

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
    std::fs::write(&policy, "[policy]\nRequireDeviceEncription = true\n").unwrap();
    let ended = easrig(&["serve", "--listen", "127.0.0.1:0", "--policy", policy.to_str().unwrap()]);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("RequireDeviceEncryption"), "{}", ended.stderr);
    assert_eq!(easrig(&["serve", "--profile", "exchange-2091"]).code, 2);
}
