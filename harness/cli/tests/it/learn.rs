use std::{fs, path::Path};

use easrig_persona::Persona;
use serde_json::Value;

use crate::easrig::easrig;

const PERSONAS: [&str; 8] =
    ["android-4", "android-gmail", "blackberry-10", "ios-11", "ios-17", "outlook-mobile", "wp7", "wp7.5"];

/// A recording of one phone that sets up its account, as a tool that knows nothing of easrig would have it.
fn recording(dir: &Path, persona: &str) -> (String, String) {
    let (run, har) = (dir.join("run").to_str().unwrap().to_owned(), dir.join("x.har").to_str().unwrap().to_owned());
    let what = ["run", "journeys/onboarding-by-server-name", "--persona", persona];
    let ended = easrig(&[&what[..], &["--target", "embedded:exchange-2019", "--out", &run]].concat());
    assert_eq!(ended.code, 0, "{persona}: {}", ended.stderr);
    let cell = format!("journeys/onboarding-by-server-name,{persona}");
    let ended = easrig(&["export", &run, "--cell", &cell, "-o", &har]);
    assert_eq!(ended.code, 0, "{persona}: {}", ended.stderr);
    let shown = easrig(&["show", &run, "--cell", &cell, "--format", "json"]);
    let shown: Value = serde_json::from_str(shown.text()).unwrap();
    let phone = shown["exchanges"].as_array().unwrap().iter().find_map(|one| {
        (one["sender"]["role"] == "phone").then_some(one["request"]["query"]["device_id"].as_str()).flatten()
    });
    (har, phone.unwrap().to_owned())
}

/// The value of a key, plain or with its evidence, and where it was seen.
fn row(value: &toml::Value) -> Option<(&toml::Value, &str)> {
    let table = value.as_table()?;
    Some((table.get("value")?, table.get("evidence")?.as_str()?))
}

/// Every value that was seen on the wire, by its key.
fn seen(table: &toml::Table, path: &str, out: &mut Vec<(String, toml::Value)>) {
    for (key, value) in table {
        let path = format!("{path}{key}");
        match row(value) {
            Some((value, evidence)) if evidence.starts_with("exchange ") => out.push((path, value.clone())),
            Some(_) => {}
            None => value.as_table().into_iter().for_each(|table| seen(table, &format!("{path}."), out)),
        }
    }
}

fn at<'v>(table: &'v toml::Table, path: &str) -> Option<&'v toml::Value> {
    let mut parts = path.split('.');
    let mut found = table.get(parts.next()?)?;
    for part in parts {
        found = found.get(part)?;
    }
    Some(found.get("value").unwrap_or(found))
}

#[test]
fn every_persona_is_learned_back_from_its_recording() {
    for id in PERSONAS {
        let dir = tempfile::tempdir().unwrap();
        let ((har, phone), file) = (recording(dir.path(), id), dir.path().join("learned.toml"));
        let ended = easrig(&["persona", "learn", &har, "--device", &phone, "-o", file.to_str().unwrap()]);
        assert_eq!(ended.code, 0, "{id}: {}", ended.stderr);
        assert!(ended.stderr.contains(&format!("nearest to {id}: ")), "{id}: {}", ended.stderr);
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(Persona::parse("learned", &text).unwrap().id(), "learned");
        let own = format!("{}/../../scenarios/personas/{id}.toml", env!("CARGO_MANIFEST_DIR"));
        let own: toml::Table = toml::from_str(&fs::read_to_string(own).unwrap()).unwrap();
        let mut learned = Vec::new();
        seen(&toml::from_str(&text).unwrap(), "", &mut learned);
        assert!(learned.len() > 25, "{id}: {learned:?}");
        for (key, value) in learned {
            // What the file leaves to its default is not there to be compared.
            if let Some(expected) = at(&own, &key) {
                assert_eq!(&value, expected, "{id}: {key}");
            }
        }
    }
}

#[test]
fn a_device_that_no_persona_fits_is_learned_with_a_stand_in() {
    let log = format!("{}/../capture/tests/data/mailbox-log.txt", env!("CARGO_MANIFEST_DIR"));
    let ended = easrig(&["persona", "learn", &log, "--id", "wp8"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("no persona fits DeviceType `WP8`"), "{}", ended.stderr);
    let persona = Persona::parse("wp8", ended.text()).unwrap();
    assert_eq!((persona.device_type(), persona.user_agent()), ("WP8", "MSFT-WP/8.0.10211"));
    assert!(ended.text().contains("confidence = \"unverified\""), "{}", ended.text());

    // It can be run at once.
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("wp8.toml"), ended.text()).unwrap();
    let (personas, out) = (dir.path().to_str().unwrap(), dir.path().join("run"));
    let scenario = "journeys/onboarding-by-server-name";
    let run = easrig(&[
        "run",
        scenario,
        "--personas",
        personas,
        "--persona",
        "wp8",
        "--target",
        "embedded:exchange-2019",
        "--format",
        "json",
        "--out",
        out.to_str().unwrap(),
    ]);
    let summary: Value = serde_json::from_str(run.text()).unwrap();
    assert_eq!((run.code, &summary["cells"][0]["verdict"]), (0, &"pass".into()), "{summary:#}");
}

#[test]
fn what_cannot_be_learned_from_is_said() {
    let capture = |name: &str| format!("{}/../../captures/{name}", env!("CARGO_MANIFEST_DIR"));
    let several = easrig(&["persona", "learn", &capture("cooked.pcapng")]);
    assert_eq!((several.code, several.text()), (2, ""));
    assert!(several.stderr.contains("--device 0cb1e29c658cda1495e60af593bd04cf"), "{}", several.stderr);
    let one = easrig(&["persona", "learn", &capture("cooked.pcapng"), "--device", "0CB1E29C658CDA1495E60AF593BD04CF"]);
    assert_eq!(one.code, 0, "{}", one.stderr);
    assert!(one.text().contains("evidence = \"exchange "), "{}", one.text());
    assert_eq!(easrig(&["persona", "learn", &capture("cooked.pcapng"), "--device", "nobody"]).code, 4);
    assert_eq!(easrig(&["persona", "learn", "/nowhere/at/all"]).code, 2);
}
