//! `easrig persona learn`: what a recorded phone did gives back the persona file that made it.

use std::{collections::BTreeMap, fs, path::Path};

use easrig_persona::Persona;
use serde_json::Value;
use toml::Table;

use crate::easrig::easrig;

const PERSONAS: [&str; 8] =
    ["android-4", "android-gmail", "blackberry-10", "ios-11", "ios-17", "outlook-mobile", "wp7", "wp7.5"];

/// Keys of persona files that these recordings do not show, and why.
const UNSEEN: [(&str, &str); 41] = [
    ("identity.device_information.imei", "it is the owner's"),
    ("identity.device_information.friendly_name", "it is the owner's"),
    ("identity.device_information.phone_number", "it is the owner's"),
    ("protocol.pick", "one server offers one list"),
    ("protocol.fallback", "a version is in common"),
    ("protocol.base64_device_id", "the query is plain"),
    ("protocol.locale", "the query is plain"),
    ("protocol.query_order", "the query is base64"),
    ("protocol.escape", "the accounts have no character that is escaped"),
    ("headers.ping", "this phone waits by Sync"),
    ("onboarding.challenges_later", "this server has other challenges"),
    ("provisioning.ignores", "a phone says that it applies what it ignores"),
    ("provisioning.refuses", "the policy asks for nothing that it refuses"),
    ("provisioning.cannot", "the policy asks for nothing that it refuses"),
    ("provisioning.others", "no policy asks for everything"),
    ("provisioning.key_required", "every acknowledgement is answered with a key"),
    ("provisioning.rounds", "the server is content with one"),
    ("sync.class_up_to", "one version is spoken"),
    ("sync.email.truncation", "only before 12.0"),
    ("sync.email.mime_truncation", "only before 12.0"),
    ("sync.email.old_mime_support", "only before 12.0"),
    ("mail.full_body", "it takes the whole message at once"),
    ("mail.full_body_type", "it does not fetch"),
    ("mail.full_body_truncation", "it does not fetch"),
    ("search.collection", "Find names none"),
    ("search.truncation_size", "Find asks for no bodies"),
    ("push.min", "no wait ends early"),
    ("push.max", "no wait ends quietly"),
    ("push.step", "no wait ends quietly"),
    ("push.on_limit", "the server allows the first heartbeat"),
    ("timeouts.connect", "every connection comes about"),
    ("timeouts.command", "every command is answered"),
    ("timeouts.first_sync", "every command is answered"),
    ("timeouts.push_extra", "every command is answered"),
    ("timeouts.busy_wait", "the server says when to come back"),
    ("auth.charset", "passwords are not in a recording"),
    ("redirects.http", "the server moves phones by 451"),
    ("tls.versions", "the recording is easrig's own, under its own TLS"),
    ("tls.roots", "in no packet"),
    ("abilities.set_oof", "the scenarios leave the owner's text alone"),
    ("abilities.tidy", "not the phone's"),
];

/// Values of a persona file by their key, without their evidence; and where each was seen.
fn rows(text: &str) -> BTreeMap<String, (toml::Value, String)> {
    fn walk(table: &Table, path: &str, out: &mut BTreeMap<String, (toml::Value, String)>) {
        for (key, value) in table.iter().filter(|(key, _)| *key != "error") {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            match value.as_table() {
                Some(row) if row.contains_key("value") => {
                    let evidence = row.get("evidence").and_then(toml::Value::as_str).unwrap_or_default();
                    out.insert(path, (row["value"].clone(), evidence.to_owned()));
                }
                Some(table) => walk(table, &path, out),
                None => drop(out.insert(path, (value.clone(), String::new()))),
            }
        }
    }
    let mut out = BTreeMap::new();
    walk(&text.parse().unwrap(), "", &mut out);
    out
}

fn strings(value: &toml::Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect()
}

/// A recording of a phone with everything that a phone does for its owner.
fn recording(dir: &Path, persona: &str) -> (String, String) {
    let run = dir.join("run").to_str().unwrap().to_owned();
    let (field, policy) = (format!("{}/tests/it/field", env!("CARGO_MANIFEST_DIR")), dir.join("policy.toml"));
    fs::write(&policy, "[policy]\nDevicePasswordEnabled = true\n").unwrap();
    let what = ["run", "field", "journeys", "--scenarios", &field, "--persona", persona, "--out", &run];
    let where_ = ["--target", "embedded:exchange-2019", "--policy", policy.to_str().unwrap()];
    let ended = easrig(&[&what[..], &where_, &["--allow", "writes", "--keep-content", "--format", "json"]].concat());
    let summary: Value = serde_json::from_str(ended.text()).unwrap();
    for cell in summary["cells"].as_array().unwrap() {
        let is_field = cell["scenario"].as_str().unwrap().starts_with("field/");
        assert!(!is_field || cell["verdict"] == "pass" || cell["verdict"] == "skipped", "{persona}: {cell:#}");
    }
    let cell = format!("journeys/onboarding-by-server-name,{persona}");
    (run.clone(), device(&run, &cell))
}

/// The DeviceId of the phone of a cell.
fn device(run: &str, cell: &str) -> String {
    let shown = easrig(&["show", run, "--cell", cell, "--format", "json"]);
    let shown: Value = serde_json::from_str(shown.text()).unwrap();
    let phone = shown["exchanges"].as_array().unwrap().iter().find_map(|one| {
        (one["sender"]["role"] == "phone").then_some(one["request"]["query"]["device_id"].as_str()).flatten()
    });
    phone.unwrap().to_owned()
}

/// Whether a learned value is what the file has, as far as a recording goes.
fn agrees(key: &str, learned: &toml::Value, evidence: &str, own: &BTreeMap<String, (toml::Value, String)>) -> bool {
    let list = |key: &str| own.get(key).map(|(value, _)| strings(value)).unwrap_or_default();
    let named = |key: &str, name: &&str| list(key).contains(name);
    let others = own.get("provisioning.others").map(|(value, _)| value.as_str().unwrap());
    let treated = |name: &str| {
        ["refuses", "enforces", "ignores"].iter().any(|kind| named(&format!("provisioning.{kind}"), &name))
    };
    let is_refused = |name: &str| named("provisioning.refuses", &name) || !treated(name) && others == Some("refuse");
    match key {
        // Lists that grow with what happens: everything seen is in the file.
        "protocol.versions" | "identity.user_agent_on" | "auth.schemes" => {
            strings(learned).iter().all(|one| list(key).contains(one))
        }
        // The pseudonym of a recording keeps the length.
        "identity.device_id" => true,
        "autodiscover.candidates" => list(key).starts_with(&strings(learned)),
        "onboarding.challenges" => {
            let seen = evidence.split(['(', ')']).skip(1).step_by(2);
            seen.into_iter().all(|word| list(key).contains(&word))
        }
        "provisioning.enforces" => strings(learned).iter().all(|name| !is_refused(name)),
        "provisioning.refuses" => strings(learned).iter().any(|name| is_refused(name)),
        "redirects.http" | "redirects.moved" => {
            strings(learned).iter().all(|one| list(key).contains(one) || list(key).contains(&"*"))
        }
        // A line that has nothing to say is not there; a base64 query leaves out three.
        "headers.options" | "headers.post" | "headers.ping" | "headers.autodiscover" => {
            let has = |line: &&str| strings(learned).contains(line);
            let kept: Vec<&str> = list(key).into_iter().filter(has).collect();
            let left: Vec<&str> = list(key).into_iter().filter(|line| !has(line)).collect();
            let seen: Vec<&str> = strings(learned).into_iter().filter(|line| kept.contains(line)).collect();
            let silent = ["{version}", "{policy_key}", "{multipart}", "{user_agent}"];
            let moved = |line: &&str| silent.iter().any(|one| line.ends_with(one));
            kept.iter().filter(|line| !moved(line)).eq(seen.iter().filter(|line| !moved(line)))
                && left.iter().all(moved)
        }
        // A word at a version.
        "provisioning.device_information"
        | "mail.attachments"
        | "mail.meeting_replies"
        | "mail.invitations"
        | "search.by" => {
            let version = |row: &str| {
                let (major, minor) = row.split_once(' ').unwrap().0.split_once('.').unwrap();
                (major.parse::<u8>().unwrap(), minor.parse::<u8>().unwrap())
            };
            strings(learned).iter().all(|row| {
                let known = list(key).into_iter().rfind(|own| version(own) <= version(row));
                known.is_some_and(|own| own.split_once(' ').unwrap().1 == row.split_once(' ').unwrap().1)
            })
        }
        _ => own.get(key).is_some_and(|(value, _)| value == learned),
    }
}

/// What a file that leaves a key out means.
fn is_default(key: &str, learned: &toml::Value) -> bool {
    match key {
        "protocol.policy_key_not_on" => strings(learned).is_empty(),
        "sync.first_with_options" | "protocol.multipart" => learned.as_bool() == Some(false),
        _ => key.starts_with("abilities.") && learned.as_bool() == Some(true),
    }
}

#[test]
fn every_persona_is_learned_back_from_its_recording() {
    let learn = |id: &str| {
        let dir = tempfile::tempdir().unwrap();
        let ((run, phone), file) = (recording(dir.path(), id), dir.path().join("learned.toml"));
        let ended = easrig(&["persona", "learn", &run, "--device", &phone, "-o", file.to_str().unwrap()]);
        assert_eq!(ended.code, 0, "{id}: {}", ended.stderr);
        assert!(ended.stderr.contains(&format!("most like {id}: ")), "{id}: {}", ended.stderr);
        let text = fs::read_to_string(&file).unwrap();
        let own = format!("{}/../../scenarios/personas/{id}.toml", env!("CARGO_MANIFEST_DIR"));
        compare(id, &text, &rows(&fs::read_to_string(own).unwrap()));
        onboards_alike(id, file.to_str().unwrap(), dir.path());
    };
    std::thread::scope(|scope| {
        let two = PERSONAS.chunks(4).map(|ids| scope.spawn(|| ids.iter().for_each(|id| learn(id)))).collect::<Vec<_>>();
        two.into_iter().for_each(|one| one.join().unwrap());
    });
}

/// Field by field: equal, or not seen for a reason that is listed.
fn compare(id: &str, text: &str, own: &BTreeMap<String, (toml::Value, String)>) {
    let learned = rows(text);
    let head = ["id", "title", "family", "evidence", "confidence"];
    let count = learned.values().filter(|(_, evidence)| evidence.starts_with("exchange ")).count();
    assert!(count >= 65, "{id}: only {count} values were seen\n{text}");
    for (key, (value, evidence)) in learned.iter().filter(|(key, _)| !head.contains(&key.as_str())) {
        assert!(evidence.starts_with("exchange "), "{id}: {key} does not say where it was seen");
        let known = own.contains_key(key) || key == "provisioning.enforces";
        let right = if known { agrees(key, value, evidence, own) } else { is_default(key, value) };
        assert!(right, "{id}: {key} is {:?}, learned as {value} from {evidence}", own.get(key));
    }
    for key in own.keys().filter(|key| !head.contains(&key.as_str()) && !learned.contains_key(*key)) {
        assert!(UNSEEN.iter().any(|(unseen, _)| unseen == key), "{id}: {key} was not learned\n{text}");
        let (_, name) = key.rsplit_once('.').unwrap();
        let said = text.lines().any(|line| {
            line.starts_with(&format!("# {name}: "))
                || line.strip_prefix("# not seen: ").is_some_and(|list| list.split(", ").any(|one| one == name))
        });
        assert!(said, "{id}: the file does not say why {key} is not there\n{text}");
    }
}

/// The learned phone sets its account up as the one that it was learned from.
fn onboards_alike(id: &str, file: &str, dir: &Path) {
    let verdicts = |persona: &str, out: &str| -> Vec<(String, String)> {
        let out = dir.join(out);
        let what = ["run", "journeys/onboarding", "--persona", persona, "--target", "embedded:exchange-2019"];
        let ended =
            easrig(&[&what[..], &["--allow", "writes", "--format", "json", "--out", out.to_str().unwrap()]].concat());
        let summary: Value =
            serde_json::from_str(ended.text()).unwrap_or_else(|_| panic!("{persona}: {}", ended.stderr));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let cells = summary["cells"].as_array().unwrap().iter();
        cells.map(|cell| (text(&cell["scenario"]), text(&cell["verdict"]))).collect()
    };
    let (own, learned) = (verdicts(id, "own"), verdicts(file, "learned"));
    assert!(own.len() > 2 && own.contains(&("journeys/onboarding-by-address".into(), "pass".into())), "{id}: {own:?}");
    assert_eq!(learned, own, "{id}");
}

#[test]
fn a_recording_at_every_version_tells_what_differs_between_them() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run").to_str().unwrap().to_owned();
    let field = format!("{}/tests/it/field", env!("CARGO_MANIFEST_DIR"));
    let what =
        ["run", "field/mail", "journeys/onboarding-by-server-name", "--scenarios", &field, "--persona", "android-4"];
    let ended = easrig(
        &[&what[..], &["--version", "all", "--target", "embedded:exchange-2019", "--allow", "writes", "--out", &run]]
            .concat(),
    );
    assert!(ended.stderr.contains("kept in") || ended.text().contains("kept in"), "{}", ended.stderr);
    let phone = device(&run, "journeys/onboarding-by-server-name,android-4");
    let ended = easrig(&["persona", "learn", &run, "--device", &phone, "--id", "android"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let learned = rows(ended.text());
    let value = |key: &str| learned[key].0.clone();
    assert_eq!(value("protocol.versions"), vec!["14.1", "14.0", "12.1", "12.0", "2.5"].into());
    assert_eq!(value("sync.class_up_to"), "12.0".into());
    assert_eq!(value("mail.attachments"), vec!["2.5 get-attachment", "14.0 item-operations"].into());
    let placed = ["2.5 nowhere", "12.1 settings-after", "14.1 provision"];
    assert_eq!(value("provisioning.device_information"), placed.to_vec().into());
    assert_eq!((value("sync.email.old_mime_support"), value("sync.email.mime_truncation")), (2.into(), 7.into()));
    let pick = "# pick: not seen; the device answered one and the same list with different versions";
    assert!(ended.text().contains(pick), "{}", ended.text());
    // Contents were not kept, and their filler is no name of a mail program.
    assert!(!ended.text().contains("mailer = "), "{}", ended.text());
}

#[test]
fn a_file_that_is_there_is_replaced_by_a_whole_one_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let log = format!("{}/../capture/tests/data/mailbox-log.txt", env!("CARGO_MANIFEST_DIR"));
    let capture = dir.path().join("log.txt");
    fs::copy(log, &capture).unwrap();
    let (capture, file) = (capture.to_str().unwrap(), dir.path().join("wp8.toml"));
    fs::write(&file, "mine").unwrap();
    let nobody = easrig(&["persona", "learn", capture, "--device", "nobody", "-o", file.to_str().unwrap()]);
    assert_eq!((nobody.code, fs::read_to_string(&file).unwrap().as_str()), (4, "mine"));
    assert_eq!(easrig(&["persona", "learn", capture, "-o", file.to_str().unwrap()]).code, 0);
    assert_eq!(Persona::parse("wp8", &fs::read_to_string(&file).unwrap()).unwrap().device_type(), "WP8");
    let itself = easrig(&["persona", "learn", capture, "--id", "wp8", "-o", capture]);
    assert!(itself.code == 2 && itself.stderr.contains("would be overwritten"), "{}", itself.stderr);
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn a_device_that_no_persona_fits_is_learned_from_what_it_did_alone() {
    let log = format!("{}/../capture/tests/data/mailbox-log.txt", env!("CARGO_MANIFEST_DIR"));
    let ended = easrig(&["persona", "learn", &log]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("no known persona fits DeviceType `WP8`"), "{}", ended.stderr);
    let persona = Persona::parse("wp8", ended.text()).unwrap();
    assert_eq!((persona.device_type(), persona.user_agent()), ("WP8", "MSFT-WP/8.0.10211"));
    assert!(ended.text().contains("# candidates: not seen; no Autodiscover"), "{}", ended.text());

    // It can be run at once.
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (dir.path().join("wp8.toml"), dir.path().join("run"));
    fs::write(&file, ended.text()).unwrap();
    let what = ["run", "journeys/onboarding-by-server-name", "--persona", file.to_str().unwrap()];
    let to = ["--target", "embedded:exchange-2019", "--format", "json", "--out", out.to_str().unwrap()];
    let run = easrig(&[&what[..], &to].concat());
    let summary: Value = serde_json::from_str(run.text()).unwrap();
    assert_eq!((run.code, &summary["cells"][0]["verdict"]), (0, &"pass".into()), "{summary:#}");
    let named_wrong = dir.path().join("n9.toml");
    fs::write(&named_wrong, ended.text()).unwrap();
    let wrong = easrig(&["run", "--persona", named_wrong.to_str().unwrap(), "--target", "embedded:exchange-2019"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("its name says `n9`"), "{}", wrong.stderr);
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

#[test]
fn a_packet_capture_tells_the_tls_of_the_device() {
    let capture = |name: &str| format!("{}/../../captures/{name}", env!("CARGO_MANIFEST_DIR"));
    let (packets, key) = (capture("tls10-rsa-cbc.pcap"), capture("server-key.pem"));
    let device = "1e398f1012bd4acefaecbd389be4bcfc";
    let ended = easrig(&["persona", "learn", &packets, "--server-key", &key, "--device", device]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let (versions, evidence) = rows(ended.text())["tls.versions"].clone();
    assert_eq!(versions, vec!["TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1.0"].into());
    assert!(evidence.starts_with("exchange "), "{evidence}");
    assert!(ended.text().contains("agreed on TLSv1.0 with TLS_RSA_WITH_AES_256_CBC_SHA"), "{}", ended.text());
}
