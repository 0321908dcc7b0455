use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};

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

/// A recording of two phones that look for their server: a Windows Phone everywhere, an iPhone at one place of two.
fn lost(dir: &Path) -> String {
    let path = "/autodiscover/autodiscover.xml";
    let schema = "http://schemas.microsoft.com/exchange/autodiscover";
    let asked = format!(
        "<Autodiscover xmlns=\"{schema}/mobilesync/requestschema/2006\"><Request><EMailAddress>bob@corp.test</EMailAddress>\
         <AcceptableResponseSchema>{schema}/mobilesync/responseschema/2006</AcceptableResponseSchema></Request></Autodiscover>"
    );
    let refused = format!(
        "<Autodiscover xmlns=\"{schema}/responseschema/2006\"><Response><Error Time=\"12:00:00\" Id=\"1\">\
         <ErrorCode>600</ErrorCode><Message>Invalid Request</Message></Error></Response></Autodiscover>"
    );
    let entry = |second: u32, agent: &str, url: &str, status: u16, body: &str| {
        let (method, headers) = match url.starts_with("http:") {
            true => ("GET", json!([{ "name": "User-Agent", "value": agent }])),
            false => {
                let login = json!({ "name": "Authorization", "value": "Basic eDp5" });
                ("POST", json!([{ "name": "User-Agent", "value": agent }, login]))
            }
        };
        let mut request = json!({ "method": method, "url": url, "httpVersion": "HTTP/1.1", "headers": headers });
        if method == "POST" {
            request["postData"] = json!({ "mimeType": "text/xml", "text": asked });
        }
        let content = json!({ "size": body.len(), "mimeType": "text/xml", "text": body });
        let response =
            json!({ "status": status, "statusText": "", "httpVersion": "HTTP/1.1", "headers": [], "content": content });
        json!({ "startedDateTime": format!("2026-01-05T10:00:{second:02}Z"), "time": 5, "request": request, "response": response })
    };
    let (phone, other) = ("MSFT-WP/7.0.7390", "Apple-iPhone12C1/1501.99");
    let entries = [
        entry(1, phone, &format!("https://corp.test{path}"), 200, "<html><body>A shop</body></html>"),
        entry(2, phone, &format!("https://autodiscover.corp.test{path}"), 200, &refused),
        entry(3, phone, &format!("http://autodiscover.corp.test{path}"), 404, ""),
        entry(4, other, &format!("https://corp.test{path}"), 404, ""),
    ];
    let har = json!({ "log": { "version": "1.2", "creator": { "name": "t", "version": "1" }, "entries": entries } });
    let file = dir.join("lost.har");
    fs::write(&file, har.to_string()).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn a_phone_that_found_no_server_is_blocked_though_it_never_said_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let har = lost(dir.path());
    let shown = easrig(&["show", &har, "--exchange", "3"]);
    assert!(shown.text().contains("the owner saw  80004005: No server was found"), "{}", shown.text());
    assert!(shown.text().contains("see exchange 1, 2"), "{}", shown.text());
    let shown = easrig(&["show", &har, "--exchange", "4"]);
    assert!(
        shown.text().contains("the owner may have seen") && shown.text().contains("is missing"),
        "{}",
        shown.text()
    );
    let (code, summary) = judged(&[&har]);
    assert_eq!(code, 1);
    let blocked = summary["cells"].as_array().unwrap().iter().find(|cell| cell["verdict"] == "blocked").unwrap();
    assert_eq!(blocked["persona"], "no device id, MSFT-WP/7.0.7390");
    assert_eq!(cells(&summary, "inconclusive"), ["recording/owner-sees-no-error"]);
    // What is kept is redacted, and says the same.
    let out = dir.path().join("kept").to_str().unwrap().to_owned();
    let (_, kept) = judged(&[&har, "--out", &out]);
    assert_eq!(kept["totals"], summary["totals"]);
}

#[test]
fn the_policy_that_a_recorded_phone_met_stands_in_its_report() {
    let dir = tempfile::tempdir().unwrap();
    let policy = dir.path().join("strict.toml");
    fs::write(&policy, "[policy]\nRequireDeviceEncryption = true\nAllowNonProvisionableDevices = false\n").unwrap();
    let folder = run(dir.path(), &["--policy", policy.to_str().unwrap()]);
    let out = dir.path().join("kept").to_str().unwrap().to_owned();
    let page = easrig(&["judge", &format!("{folder}/exchanges.eascap"), "--out", &out, "--format", "html"]);
    let events = fs::read_to_string(format!("{out}/run.jsonl")).unwrap();
    let met: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let met: Vec<&Value> = met.iter().filter(|event| event["event"] == "policy_met").collect();
    // A device each, however often it provisioned.
    let devices: BTreeSet<&str> = met.iter().map(|met| met["persona"].as_str().unwrap()).collect();
    assert!(devices.len() == met.len() && met.len() >= 2, "{met:#?}");
    let treatments: Vec<&str> = met.iter().map(|met| met["settings"][0]["treatment"].as_str().unwrap()).collect();
    assert!(treatments.contains(&"refused") && treatments.contains(&"enforced"), "{met:#?}");
    assert!(page.text().contains("RequireDeviceEncryption"), "the page has no panel of policies");
}
