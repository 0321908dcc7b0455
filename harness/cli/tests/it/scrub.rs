use std::{fs, path::Path};

use serde_json::Value;

use crate::easrig::easrig;

fn run(dir: &Path) -> String {
    let out = dir.join("run").to_str().unwrap().to_owned();
    let target =
        ["--target", "embedded:exchange-2010-sp1", "--persona", "wp7,ios-17", "--allow", "writes", "--keep-content"];
    let scenarios = ["run", "journeys/onboarding-by-server-name", "journeys/reply", "--out", &out];
    let ended = easrig(&[&scenarios[..], &target[..]].concat());
    assert_eq!(ended.code, 0, "{}{}", ended.text(), ended.stderr);
    out
}

fn exchanges(capture: &str) -> Vec<Value> {
    let ended = easrig(&["show", capture, "--format", "json"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let value: Value = serde_json::from_str(ended.text()).unwrap();
    value["exchanges"].as_array().unwrap().clone()
}

/// The XML without its texts.
fn structure(xml: &str) -> String {
    let mut tags = String::new();
    for piece in xml.split('<').skip(1) {
        tags.push_str(piece.split('>').next().unwrap_or_default().split_whitespace().next().unwrap_or_default());
        tags.push(' ');
    }
    tags
}

#[test]
fn a_scrubbed_run_is_decoded_as_the_run_was() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path());
    let out = dir.path().join("s.eascap").to_str().unwrap().to_owned();
    let ended = easrig(&["scrub", &run, "-o", &out]);
    assert_eq!((ended.code, ended.text()), (0, ""), "{}", ended.stderr);
    assert!(ended.stderr.contains("device ids: ") && ended.stderr.contains("exchanges in "), "{}", ended.stderr);
    let (before, after) = (exchanges(&run), exchanges(&out));
    assert_eq!(before.len(), after.len());
    let mut keys = Vec::new();
    for (before, after) in before.iter().zip(&after) {
        for field in ["number", "command", "version", "started", "summary", "statuses", "policies"] {
            assert_eq!(before[field], after[field], "{field} of {}", before["number"]);
        }
        assert_eq!(before["response"]["status"], after["response"]["status"]);
        for side in ["request", "response"] {
            let xml = |exchange: &Value| exchange[side]["body"]["xml"].as_str().map(structure);
            assert_eq!(xml(before), xml(after), "{side} of {}", before["number"]);
            assert_eq!(before[side]["body"]["kind"], after[side]["body"]["kind"], "{side} of {}", before["number"]);
        }
        let device = |exchange: &Value| exchange["request"]["query"]["device_id"].as_str().map(str::to_owned);
        keys.push((device(before), device(after)));
    }
    // One device is one device, and two are two.
    for (one, its) in &keys {
        assert!(one.is_none() || one != its);
        assert!(keys.iter().all(|(other, theirs)| (one == other) == (its == theirs)), "{keys:?}");
    }
    let text = |exchanges: &[Value]| serde_json::to_string(exchanges).unwrap();
    assert!(text(&before).contains("easrig.test") && !text(&after).contains("easrig.test"));
}

#[test]
fn what_was_replaced_is_said_and_the_map_is_kept_for_oneself() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path());
    let (out, map) = (dir.path().join("s.eascap"), dir.path().join("map.tsv"));
    let (out, map) = (out.to_str().unwrap(), map.to_str().unwrap());
    let ended = easrig(&["scrub", &run, "-o", out, "--keep-domain", "easrig.test", "--map", map, "--format", "json"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let report: Value = serde_json::from_str(ended.text()).unwrap();
    // The embedded server's certificate is by an authority of its own.
    assert_eq!((&report["format"], &report["kept_issuers"]), (&1.into(), &Value::Array(Vec::new())));
    let kinds: Vec<&str> =
        report["replaced"].as_array().unwrap().iter().filter_map(|line| line["kind"].as_str()).collect();
    assert!(kinds.contains(&"device") && kinds.contains(&"address") && kinds.contains(&"text"), "{kinds:?}");
    assert!(!ended.text().contains("owner1"), "{}", ended.text());

    let table = fs::read_to_string(map).unwrap();
    let line = table.lines().find(|line| line.ends_with("\towner1@easrig.test")).unwrap();
    let pseudonym = line.split('\t').nth(1).unwrap();
    assert!(pseudonym.ends_with("@easrig.test"), "{line}");
    let shown = easrig(&["show", out]);
    assert!(shown.text().contains(pseudonym) && !shown.text().contains("owner1@"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(map).unwrap().permissions().mode() & 0o077, 0);
    }
}

#[test]
fn wrong_input_to_scrub_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let (empty, out) = (dir.path().join("empty"), dir.path().join("o.eascap"));
    fs::write(&empty, "").unwrap();
    let (empty, out) = (empty.to_str().unwrap(), out.to_str().unwrap());
    for args in
        [&["scrub", empty, "-o", out][..], &["scrub", out, "-o", out], &["scrub", empty, "-o", out, "--map", out]]
    {
        let ended = easrig(args);
        assert_eq!((ended.code, ended.text()), (2, ""), "{args:?}: {}", ended.stderr);
    }
    assert!(!Path::new(out).exists());
}
