use std::{fs, path::Path};

use quick_xml::events::Event;
use serde_json::Value;

use crate::easrig::{Ended, easrig};

const POLICY: &str = "[policy]\nRequireDeviceEncryption = true\nAllowNonProvisionableDevices = false\n";

/// A run in which Windows Phone 7 is blocked by a policy and an iPhone is not.
fn run(dir: &Path) -> (String, Ended) {
    let (out, policy) = (dir.join("run"), dir.join("strict.toml"));
    fs::write(&policy, POLICY).unwrap();
    let (out, policy) = (out.to_str().unwrap(), policy.to_str().unwrap());
    let scenario = "journeys/onboarding-by-server-name";
    let target = ["--target", "embedded:exchange-2010-sp1", "--policy", policy, "--persona", "wp7,ios-17"];
    let ended = easrig(&[&["run", scenario, "--out", out], &target[..]].concat());
    assert_eq!(ended.code, 1, "{}{}", ended.text(), ended.stderr);
    (out.to_owned(), ended)
}

fn json(args: &[&str]) -> Vec<Value> {
    let ended = easrig(&[&["show"], args, &["--format", "json"]].concat());
    assert_eq!(ended.code, 0, "{args:?}: {}", ended.stderr);
    let value: Value = serde_json::from_str(ended.text()).unwrap();
    assert_eq!(value["format"], 1);
    value["exchanges"].as_array().unwrap().clone()
}

#[test]
fn a_run_is_shown_as_a_report_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, ended) = run(dir.path());
    let named = ended.text().lines().find_map(|line| Some(&line[line.find("easrig show ")?..])).unwrap();
    let words: Vec<&str> = named.split(' ').collect();
    assert_eq!(words[..4], ["easrig", "show", &folder, "--exchange"], "{named}");
    let shown = easrig(&words[1..]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    let head = format!("exchange {}  ", words[4]);
    assert!(shown.text().starts_with(&head) && shown.text().contains(" × wp7 × "), "{}", shown.text());
    assert!(!shown.text().contains('\u{1b}'), "{}", shown.text());
}

#[test]
fn every_http_request_of_a_run_is_one_exchange_of_its_cell() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, _) = run(dir.path());
    let all = json(&[&folder]);
    assert!(all.len() > 20, "{}", all.len());
    assert!(all.iter().all(|exchange| exchange["cell"]["scenario"].is_string()), "{all:?}");
    let log = fs::read_to_string(format!("{folder}/run.jsonl")).unwrap();
    assert_eq!(all.len(), log.lines().filter(|line| line.contains("\"event\":\"exchanged\"")).count());

    let one = json(&[&folder, "--cell", "journeys/onboarding-by-server-name,wp7"]);
    assert!(!one.is_empty() && one.len() < all.len());
    assert!(one.iter().all(|exchange| exchange["cell"]["persona"] == "wp7"));

    let number = one[0]["number"].as_u64().unwrap().to_string();
    let single = json(&[&folder, "--exchange", &number, "--cell", "journeys/onboarding-by-server-name"]);
    assert_eq!(single, [one[0].clone()]);

    let id = all.iter().find_map(|exchange| exchange["request"]["query"]["device_id"].as_str()).unwrap();
    let device = json(&[&folder, "--device", &id.to_ascii_uppercase(), "--command", "foldersync,OPTIONS,Provision"]);
    assert!(!device.is_empty() && device.iter().all(|exchange| exchange["request"]["query"]["device_id"] == *id));
}

#[test]
fn statuses_have_names_and_a_policy_says_what_binds() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, _) = run(dir.path());
    let provision = json(&[&folder, "--command", "Provision"]);
    let policies: Vec<&Value> = provision.iter().flat_map(|one| one["policies"].as_array().unwrap()).collect();
    let binding = policies.iter().find(|policy| !policy["binding"].as_array().unwrap().is_empty()).unwrap();
    assert_eq!(binding["binding"][0]["setting"], "RequireDeviceEncryption", "{binding}");
    assert_eq!(binding["binding"][0]["value"], "1");
    let statuses: Vec<&Value> = provision.iter().flat_map(|one| one["statuses"].as_array().unwrap()).collect();
    let named = |path: &str, name: &str| statuses.iter().any(|one| one["path"] == path && one["name"] == name);
    assert!(named("HTTP", "OK") && named("Provision/Policies/Policy/Status", "Success"), "{statuses:?}");
    let human = easrig(&["show", &folder, "--command", "Provision"]);
    assert!(human.text().contains("1 of 40 settings bind"), "{}", human.text());
    assert!(human.text().contains("RequireDeviceEncryption = 1"), "{}", human.text());
}

#[test]
fn the_xml_is_well_formed_with_documents_inside() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, _) = run(dir.path());
    let ended = easrig(&["show", &folder, "--format", "xml"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let mut reader = quick_xml::Reader::from_str(ended.text());
    let (mut exchanges, mut documents) = (0, 0);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) if start.name().as_ref() == "exchange" => exchanges += 1,
            Event::Start(start) if start.name().as_ref() == "FolderSync" => documents += 1,
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(exchanges, json(&[&folder]).len());
    assert!(documents >= 2, "{documents}");
}

#[test]
fn what_cannot_be_shown_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, _) = run(dir.path());
    let tape = format!("{folder}/exchanges.eascap");
    let wrong: &[&[&str]] = &[
        &[&folder, "--command", "Snyc"],
        &[&folder, "--cell", "journeys/onboarding"],
        &[&folder, "--cell", "journeys/onboarding-by-server-name,nokia"],
        &[&folder, "--exchange", "0"],
        &[&tape, "--cell", "journeys/onboarding-by-server-name"],
        &[dir.path().to_str().unwrap()],
        &["/nowhere/at/all"],
    ];
    for args in wrong {
        let ended = easrig(&[&["show"], *args].concat());
        assert_eq!((ended.code, ended.text()), (2, ""), "{args:?}: {}", ended.stderr);
    }
    let nothing = easrig(&["show", &folder, "--exchange", "999999", "--format", "json"]);
    assert_eq!((nothing.code, nothing.text()), (4, "{\"format\":1,\"exchanges\":[\n]}\n"), "{}", nothing.stderr);
    assert_eq!(easrig(&["show", &folder, "--device", "nobody"]).code, 4);

    fs::write(format!("{folder}/run.jsonl"), "nonsense\n").unwrap();
    assert_eq!(easrig(&["show", &folder]).code, 2);
    fs::remove_file(&tape).unwrap();
    assert_eq!(easrig(&["show", &folder]).code, 2);
}

#[test]
fn what_the_owner_saw_stands_at_the_exchange_that_decided_it() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, _) = run(dir.path());
    let summary: Value = serde_json::from_str(&fs::read_to_string(format!("{folder}/summary.json")).unwrap()).unwrap();
    let cells = summary["cells"].as_array().unwrap();
    let blocked: Vec<&Value> = cells.iter().filter(|cell| cell["verdict"] == "blocked").collect();
    assert_eq!(blocked.len(), 1, "{blocked:?}");

    // The run says what its phone showed; the same is read from the wire alone.
    let seen = |args: &[&str]| -> Vec<Value> {
        json(args).iter().flat_map(|exchange| exchange["owner_saw"].as_array().unwrap().clone()).collect()
    };
    let saw = seen(&[&folder, "--cell", "journeys/onboarding-by-server-name,wp7"]);
    let saw = saw.last().unwrap();
    for key in ["code", "message"] {
        assert_eq!(saw[key], blocked[0]["device_error"][key], "{saw}");
    }
    assert_eq!((&saw["persona"], &saw["confidence"], &saw["doubt"]), (&"wp7".into(), &"high".into(), &Value::Null));
    assert_eq!(seen(&[&folder, "--cell", "journeys/onboarding-by-server-name,ios-17"]), [] as [Value; 0]);

    // A capture of the same bytes, which knows of no cells.
    let tape = format!("{folder}/exchanges.eascap");
    assert!(seen(&[&tape]).iter().any(|saw| saw["code"] == "86000C2B"), "{:?}", seen(&[&tape]));
    let human = easrig(&["show", &tape]);
    assert!(human.text().contains("the owner saw  86000C2B: "), "{}", human.text());
    assert!(human.text().contains("since the policy asks for what the device cannot apply: RequireDeviceEncryption"));
}
