use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::easrig::{Ended, easrig};

/// One of the captures that are committed.
fn capture(name: &str) -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../captures", name].iter().collect();
    path.to_str().unwrap().to_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn exchanges(ended: &Ended) -> Vec<Value> {
    let value: Value = serde_json::from_str(ended.text()).unwrap();
    assert_eq!(value["format"], 1);
    value["exchanges"].as_array().unwrap().clone()
}

fn numbers(exchanges: &[Value]) -> Vec<u64> {
    exchanges.iter().map(|exchange| exchange["number"].as_u64().unwrap()).collect()
}

/// An archive with one request whose header, query and body each hold something that nobody else should read.
const HAR: &str = r#"{"log":{"entries":[{"startedDateTime":"2026-11-22T05:00:00.000Z","time":12,
  "request":{"method":"POST",
    "url":"https://mail.example.test/Microsoft-Server-ActiveSync?Cmd=SendMail&User=person-canary&DeviceId=ApplCANARY17&DeviceType=iPhone",
    "headers":[{"name":"Authorization","value":"Basic c2VzYW1lLWNhbmFyeQ=="},{"name":"Cookie","value":"id=cookie-canary"},
      {"name":"Content-Type","value":"message/rfc822"}],
    "postData":{"mimeType":"message/rfc822","text":"Subject: subject-canary\r\n\r\nHello\r\n"}},
  "response":{"status":200,"statusText":"OK","headers":[],"content":{"size":0}}}]}}"#;

#[test]
fn several_captures_become_one_and_what_was_missing_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("x.eascap");
    let files = [capture("vlan-cut.pcap"), capture("tls12.pcapng"), capture("tls12.keys")];
    let [cut, encrypted, keys] = files.each_ref().map(String::as_str);
    let ended = easrig(&["import", cut, encrypted, "--keylog", keys, "-o", text(&out)]);
    assert_eq!((ended.code, ended.text()), (0, ""), "{}", ended.stderr);
    for words in
        ["17 exchanges, 0 gaps", "damaged at byte 37255", "3 streams (3 encrypted), 18 exchanges", "35 exchanges in"]
    {
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
    let shown = easrig(&["show", text(&out), "--format", "json"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert_eq!(numbers(&exchanges(&shown)), (1..=35).collect::<Vec<_>>());

    // Pseudonyms keep equality: the same device is the same in what was imported from both.
    let again = dir.path().join("y.eascap");
    assert_eq!(easrig(&["import", text(&out), encrypted, "--keylog", keys, "-o", text(&again)]).code, 0);
    assert_eq!(exchanges(&easrig(&["show", text(&again), "--format", "json"])).len(), 53);
}

#[test]
fn traffic_that_stays_closed_is_said_and_is_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("x.eascap");
    let ended = easrig(&["import", &capture("tls13-no-keys.pcapng"), "-o", text(&out)]);
    assert_eq!(ended.code, 4);
    assert!(ended.stderr.contains("not decrypted: 1 streams: no key"), "{}", ended.stderr);
    let opened = easrig(&["show", &capture("tls12-rsa-gcm.pcapng"), "--server-key", &capture("server-key.pem")]);
    assert_eq!(opened.code, 0, "{}", opened.stderr);
    assert!(opened.text().contains("status  HTTP 200"), "{}", opened.text());
}

#[test]
fn what_is_written_is_redacted_as_in_a_run() {
    let dir = tempfile::tempdir().unwrap();
    let (har, out) = (dir.path().join("x.har"), dir.path().join("x.eascap"));
    fs::write(&har, HAR).unwrap();
    let raw = easrig(&["show", text(&har), "--device", "applcanary17"]);
    assert_eq!(raw.code, 0, "{}", raw.stderr);
    assert!(raw.text().contains("subject-canary") && raw.text().contains("Basic [removed]"), "{}", raw.text());
    assert!(!raw.text().contains("c2VzYW1l") && !raw.text().contains("cookie-canary"), "{}", raw.text());

    let canaries = |args: &[&str]| {
        let ended = easrig(&[&["import", text(&har), "-o", text(&out)], args].concat());
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let bytes = String::from_utf8_lossy(&fs::read(&out).unwrap()).into_owned();
        ["person-canary", "CANARY17", "subject-canary", "c2VzYW1l", "cookie-canary"].map(|word| bytes.contains(word))
    };
    assert_eq!(canaries(&[]), [false; 5]);
    assert_eq!(canaries(&["--keep-content"]), [true, false, true, false, false]);
}

#[test]
fn an_import_that_fails_leaves_everything_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (out, bad) = (dir.path().join("x.eascap"), dir.path().join("bad.txt"));
    let good = capture("cooked.pcapng");
    assert_eq!(easrig(&["import", &good, "-o", text(&out)]).code, 0);
    let before = fs::read(&out).unwrap();
    fs::write(&bad, "hello").unwrap();
    for input in [text(&bad), "/nowhere/at/all", text(dir.path()), text(&out)] {
        let ended = easrig(&["import", &good, input, "-o", text(&out)]);
        assert_eq!((ended.code, ended.text()), (2, ""), "{input}: {}", ended.stderr);
    }
    assert_eq!(easrig(&["import", &good, "-o", text(&out), "--keylog", text(&bad)]).code, 2);
    assert_eq!(easrig(&["import", &good, "-o", text(&out), "--server-key", text(&bad)]).code, 2);
    assert_eq!(easrig(&["import", &good, "-o", text(dir.path())]).code, 2);
    assert_eq!(fs::read(&out).unwrap(), before);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no half file is left");
}

#[test]
fn a_damaged_file_is_shown_up_to_the_damage() {
    let dir = tempfile::tempdir().unwrap();
    let (out, hurt) = (dir.path().join("x.eascap"), dir.path().join("y.eascap"));
    assert_eq!(easrig(&["import", &capture("cooked.pcapng"), "-o", text(&out)]).code, 0);
    let bytes = fs::read(&out).unwrap();

    fs::write(&hurt, &bytes[..bytes.len() - 5]).unwrap();
    let torn = easrig(&["show", text(&hurt), "--format", "json"]);
    assert_eq!((torn.code, exchanges(&torn).len()), (0, 11), "{}", torn.stderr);
    assert!(torn.stderr.contains("is torn"), "{}", torn.stderr);

    let mut broken = bytes.clone();
    broken[bytes.len() / 2] ^= 1;
    fs::write(&hurt, broken).unwrap();
    let damaged = easrig(&["show", text(&hurt), "--format", "json"]);
    assert_eq!(damaged.code, 2);
    assert!((1..11).contains(&exchanges(&damaged).len()), "{}", damaged.stderr);
    assert!(damaged.stderr.contains("is damaged"), "{}", damaged.stderr);

    fs::write(&hurt, b"hello").unwrap();
    let strange = easrig(&["show", text(&hurt), "--format", "json"]);
    assert_eq!((strange.code, strange.text()), (2, ""), "{}", strange.stderr);
}

#[test]
fn a_census_counts_logs_and_captures_together() {
    let dir = tempfile::tempdir().unwrap();
    let (log, har, bad) = (dir.path().join("u.log"), dir.path().join("x.har"), dir.path().join("bad.txt"));
    let lines = "#Fields: date time cs-method cs-uri-stem cs-uri-query cs-username cs(User-Agent) sc-status\n\
        2026-11-22 05:00:00 POST /Microsoft-Server-ActiveSync/default.eas \
        User=alice&DeviceId=ApplF17K9PT&DeviceType=iPhone&Cmd=Sync alice Apple-iPhone9C1/1402.100 200\n\
        2026-11-22 05:00:01 GET /favicon.ico - - curl 404\n";
    fs::write(&log, lines).unwrap();
    fs::write(&har, HAR).unwrap();
    fs::write(&bad, "hello\n").unwrap();
    let ended = easrig(&["census", text(&log), text(&har)]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    insta::assert_snapshot!(ended.text(), @r"
    DEVICE        TYPE    OWNER          SYSTEM                    REQUESTS    HTTP   LAST SUCCESS
    ApplF17K9PT   iPhone  alice          Apple-iPhone9C1/1402.100  Sync 1      200 1  2026-11-22
    ApplCANARY17  iPhone  person-canary                            SendMail 1  200 1
    ");
    assert!(ended.stderr.contains("2 devices in 3 lines and requests, 1 about something else"), "{}", ended.stderr);
    let json: Value = serde_json::from_str(easrig(&["census", text(&log), "--format", "json"]).text()).unwrap();
    assert_eq!((&json["format"], &json["devices"][0]["commands"]["Sync"]), (&1.into(), &1.into()), "{json}");
    let page = easrig(&["census", text(&log), text(&har), "--format", "html"]);
    assert_eq!(page.code, 0, "{}", page.stderr);
    for words in ["<title>2 phones</title>", "ApplF17K9PT", "person-canary", "from u.log, x.har"] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    assert_eq!(easrig(&["census", text(&log), text(&bad)]).code, 2);
    assert_eq!(easrig(&["census", "/nowhere/at/all"]).code, 2);
    assert_eq!(easrig(&["census", &capture("tls13-no-keys.pcapng")]).code, 4);
}

/// The captures that are committed, with the flags that open them.
fn committed() -> Vec<(String, Vec<String>)> {
    let folder = capture("");
    let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.contains(".pcap")).collect();
    names.sort();
    let keys = |name: &str| match name {
        "tls12.pcapng" => vec!["--keylog".to_owned(), capture("tls12.keys")],
        _ if name.contains("-rsa-") => vec!["--server-key".to_owned(), capture("server-key.pem")],
        _ => Vec::new(),
    };
    names.into_iter().map(|name| (name.clone(), keys(&name))).collect()
}

#[test]
fn every_committed_capture_has_its_origin_and_shows_what_it_did() {
    let readme = fs::read_to_string(capture("README.md")).unwrap();
    assert!(readme.contains("all made by us"));
    for (name, keys) in committed() {
        assert!(readme.lines().any(|line| line.starts_with(&format!("| `{name}` |"))), "{name} has no line");
        let path = capture(&name);
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let shown = easrig(&[&["show", &path][..], &keys].concat());
        let told = |line: &&str| {
            let begins = ["exchange ", "    > POST", "    > OPTIONS", "    < HTTP", "    status "];
            begins.iter().any(|begin| line.starts_with(begin))
        };
        let lines: Vec<&str> = shown.text().lines().filter(told).collect();
        insta::assert_snapshot!(format!("show_{name}"), format!("exit {}\n{}", shown.code, lines.join("\n")));

        // Without its people and hosts it is the same conversation.
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("s.eascap");
        let scrubbed = easrig(&[&["scrub", &path, "-o", text(&out)][..], &keys].concat());
        assert_eq!(scrubbed.code, shown.code, "{name}: {}", scrubbed.stderr);
        if shown.code == 0 {
            let again = easrig(&["show", text(&out)]);
            let statuses = |text: &str| {
                text.lines().filter(|line| line.starts_with("    status ")).map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(statuses(again.text()), statuses(shown.text()), "{name}");
        }
    }
}

#[test]
fn a_census_page_puts_phones_on_top_that_a_change_may_hit() {
    let dir = tempfile::tempdir().unwrap();
    let (table, log) = (dir.path().join("devices.csv"), dir.path().join("u.log"));
    let rows = "DeviceId,DeviceType,DeviceOS,DeviceAccessState\nGOOD1,iPhone,iOS 17,Allowed\nHELD1,Android,Android 4,Quarantined\n";
    fs::write(&table, rows).unwrap();
    let query = "User=bob&DeviceId=OLD1&DeviceType=WP&Cmd=Sync&Ver=2.5";
    fs::write(
        &log,
        format!("#Fields: date time cs-method cs-uri-stem cs-uri-query cs(User-Agent) sc-status\n2026-11-22 05:00:00 POST /Microsoft-Server-ActiveSync/default.eas {query} MSFT 403\n"),
    )
    .unwrap();
    let page = easrig(&["census", text(&table), text(&log), "--format", "html"]);
    assert_eq!(page.code, 0, "{}", page.stderr);
    let page = page.text();
    assert!(page.contains("<title>3 phones, 2 worth a look</title>"), "{page}");
    assert!(page.contains("access: Quarantined") && page.contains("1 × HTTP 403 and no synchronisation"), "{page}");
    let phones = page.split("Every phone").nth(1).unwrap();
    assert!(phones.find("HELD1").unwrap() < phones.find("GOOD1").unwrap(), "{phones}");
}
