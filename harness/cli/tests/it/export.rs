use std::{fs, path::PathBuf};

use serde_json::Value;

use crate::easrig::{Ended, easrig};

fn capture(name: &str) -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../captures", name].iter().collect();
    path.to_str().unwrap().to_owned()
}

fn exchanges(path: &str) -> Vec<Value> {
    let ended = easrig(&["show", path, "--format", "json"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let value: Value = serde_json::from_str(ended.text()).unwrap();
    value["exchanges"].as_array().unwrap().clone()
}

fn well(args: &[&str]) -> Ended {
    let ended = easrig(args);
    assert_eq!((ended.code, ended.text()), (0, ""), "{args:?}: {}", ended.stderr);
    ended
}

/// What an exchange is beside its place in a file.
fn message(exchange: &Value) -> [Value; 6] {
    ["request", "response", "started", "times", "statuses", "policies"].map(|key| exchange[key].clone())
}

#[test]
fn what_is_exported_is_what_is_imported_again() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (eascap, har, packets) = (file("x.eascap"), file("x.har"), file("x.pcapng"));
    well(&["import", &capture("plain-disordered.pcapng"), "-o", &eascap]);
    let original: Vec<_> = exchanges(&eascap).iter().map(message).collect();
    assert_eq!(original.len(), 18);
    for out in [&har, &packets] {
        let ended = well(&["export", &eascap, "-o", out]);
        assert!(ended.stderr.contains("18 exchanges in"), "{}", ended.stderr);
        assert_eq!(exchanges(out).iter().map(message).collect::<Vec<_>>(), original, "{out}");
    }
}

#[test]
fn an_archive_holds_every_exchange_decoded() {
    let dir = tempfile::tempdir().unwrap();
    let har = dir.path().join("x.HAR");
    let tls = [&capture("tls12.pcapng"), "--keylog", &capture("tls12.keys")].map(ToOwned::to_owned);
    let tls = tls.each_ref().map(String::as_str);
    well(&[&["export"], tls.as_slice(), &["--command", "Provision", "-o", har.to_str().unwrap()]].concat());
    let value: Value = serde_json::from_slice(&fs::read(&har).unwrap()).unwrap();
    let entries = value["log"]["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 3);
    let own = &entries[0]["_easrig"];
    assert_eq!((&own["command"], &own["tls"]["version"]), (&"Provision".into(), &"TLSv1.2".into()));
    assert!(own["request_xml"].as_str().unwrap().starts_with("<Provision"), "{own}");
    assert!(own["response_xml"].as_str().unwrap().starts_with("<Provision"), "{own}");
    assert!(own["statuses"].as_array().is_some_and(|statuses| !statuses.is_empty()), "{own}");
}

#[test]
fn a_run_is_exported_cell_by_cell() {
    let dir = tempfile::tempdir().unwrap();
    let (run, packets) = (dir.path().join("run"), dir.path().join("x.pcapng"));
    let (run, packets) = (run.to_str().unwrap(), packets.to_str().unwrap());
    let target = ["--target", "embedded:exchange-2019", "--persona", "ios-17", "--out", run];
    assert_eq!(easrig(&[&["run", "folder-sync/initial"], target.as_slice()].concat()).code, 0);
    well(&["export", run, "--cell", "folder-sync/initial-hierarchy,ios-17", "-o", packets]);
    let bytes = fs::read(packets).unwrap();
    let comment = b"folder-sync/initial-hierarchy \xc3\x97 ios-17";
    assert!(bytes.windows(comment.len()).any(|window| window == comment));
    assert!(!exchanges(packets).is_empty());
}

#[test]
fn what_is_exported_from_packets_is_redacted() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("x.har");
    let entry = r#"{"startedDateTime":"2026-11-22T05:00:00Z","time":1,"request":{"method":"POST",
        "url":"https://mail.test/Microsoft-Server-ActiveSync?Cmd=SendMail&User=person-canary&DeviceId=CANARY17&DeviceType=x",
        "headers":[{"name":"Authorization","value":"Basic c2VzYW1lLWNhbmFyeQ=="},{"name":"Content-Type","value":"message/rfc822"}],
        "postData":{"mimeType":"message/rfc822","text":"Subject: subject-canary\r\n\r\nHello"}},
        "response":{"status":200,"statusText":"OK","headers":[{"name":"Set-Cookie","value":"cookie-canary"}],"content":{"size":0}}}"#;
    fs::write(&source, format!(r#"{{"log":{{"entries":[{entry}]}}}}"#)).unwrap();
    let source = source.to_str().unwrap();
    let words = ["person-canary", "CANARY17", "subject-canary", "c2VzYW1l", "cookie-canary"];
    for name in ["y.har", "y.pcapng"] {
        let out = dir.path().join(name);
        let found = |args: &[&str]| {
            well(&[&["export", source, "-o", out.to_str().unwrap()], args].concat());
            let text = String::from_utf8_lossy(&fs::read(&out).unwrap()).into_owned();
            words.map(|word| text.contains(word))
        };
        assert_eq!(found(&[]), [false; 5], "{name}");
        assert_eq!(found(&["--keep-content"]), [true, false, true, false, false], "{name}");
    }
}

#[test]
fn a_format_that_is_not_written_and_a_selection_of_nothing_leave_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let source = capture("cooked.pcapng");
    let ended = easrig(&["export", &source, "-o", &file("x.saz")]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains(".har or .pcapng"), "{}", ended.stderr);
    assert_eq!(easrig(&["export", &source, "--device", "nobody", "-o", &file("x.har")]).code, 4);
    assert_eq!(easrig(&["export", &source, "--cell", "a/b", "-o", &file("x.har")]).code, 2);
    assert_eq!(easrig(&["export", &file("none"), "-o", &file("x.har")]).code, 2);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_key_log_is_written_only_when_asked_for_and_the_report_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let (run, keys) = (dir.path().join("run"), dir.path().join("keys.log"));
    let (run, keys) = (run.to_str().unwrap(), keys.to_str().unwrap());
    let args =
        ["run", "folder-sync/initial", "--target", "embedded:exchange-2019", "--persona", "ios-17", "--keylog", keys];
    assert_eq!(easrig(&[args.as_slice(), &["--dry-run"]].concat()).code, 0);
    assert!(fs::metadata(keys).is_err(), "nothing is written in a dry run");
    let ended = easrig(&[args.as_slice(), &["--out", run]].concat());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("WARNING: --keylog") && ended.text().contains("--keylog"), "{}", ended.text());
    let log = fs::read_to_string(keys).unwrap();
    assert!(log.lines().any(|line| line.starts_with("CLIENT_TRAFFIC_SECRET_0 ")), "{log}");
    let mut unwritable = args;
    unwritable[7] = "/nowhere/keys.log";
    let refused = easrig(&unwritable);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("cannot write the key log"), "{}", refused.stderr);
}
