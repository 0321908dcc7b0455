use miette::{GraphicalReportHandler, GraphicalTheme};

use super::*;
use crate::model::{Body, Effects, Send, Start, StepKind};

const GOOD: &str = r#"
id       = "sync/more-available"
title    = "A window of two brings MoreAvailable, and paging ends"
req      = ["MS-ASCMD_R4771"]
versions = ["16.1", "14.1"]
start    = "synced"
effects  = "writes"
needs    = ["partner"]

[[step]]
role  = "partner"
do    = "send_mail"
to    = "{address}"
subject = "{tag} hi"
setup = true

[[step]]
send = "Sync"
params = { CollectionId = "{inbox}" }
body = '''
<Sync xmlns="AirSync"><Collections><Collection>
  <SyncKey>{inbox_key}</SyncKey><CollectionId>{inbox}</CollectionId>
</Collection></Collections></Sync>
'''
poll_s = 30
[step.expect]
http   = [200, 449]
status = 1
element = [
  { at = "Sync/Collections/Collection/SyncKey", not = 0, save = "key" },
  { at = "**/Add[ApplicationData/Subject={subject}]/ServerId", save = "item" },
  { at = "**/MoreAvailable", absent = true, level = "should" },
]
owner = [ { sees = "mail", subject = "{subject}", read = false } ]
[[step.any]]
name = "in band"
status = 111
[[step.any]]
name = "as HTTP"
http = 503

[[step]]
send = "Ping"
empty = true
background = "ping"

[[step]]
await = "ping"
[step.expect]
element = [{ at = "Ping/Status", one_of = [1, "2"], type = "integer" }]

[[cleanup]]
do = "tidy"
"#;

fn parse(text: &str) -> Result<Scenario, ScenarioError> {
    Scenario::parse("scenarios/sync/more-available.toml", text)
}

fn drawn(text: &str) -> String {
    let error = parse(text).expect_err("the file has a slip");
    let mut out = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(110)
        .with_context_lines(1)
        .render_report(&mut out, &error)
        .expect("a String takes everything");
    out
}

/// The good file with one text replaced.
fn with(old: &str, new: &str) -> String {
    assert!(GOOD.contains(old), "{old} is not in the file");
    GOOD.replacen(old, new, 1)
}

#[test]
fn a_good_file_becomes_a_scenario() {
    let scenario = parse(GOOD).map_err(|e| format!("{e:?}")).expect("a good file");
    assert_eq!(scenario.id, "sync/more-available");
    assert_eq!((scenario.start, scenario.effects, scenario.level), (Start::Synced, Effects::Writes, Level::Must));
    assert_eq!(scenario.versions, [Version::V14_1, Version::V16_1]);
    assert_eq!(scenario.commands, [Command::Sync, Command::Ping]);
    assert_eq!(scenario.roles(), [Role::Phone, Role::Partner]);
    assert_eq!(scenario.folders, [(Role::Phone, "inbox")]);
    assert_eq!(scenario.hash().len(), 64);
    let [mail, sync, ping, wait] = scenario.steps.as_slice() else { panic!("four steps") };
    assert!(mail.setup && mail.subject() == Some("{tag} hi"));
    assert_eq!(mail.title, "send mail");
    let StepKind::Send(Send { command, body: Body::Xml(_), params, .. }) = &sync.kind else { panic!("a document") };
    assert_eq!(*command, Verb::Command(Command::Sync));
    assert_eq!(params, &[("CollectionId".to_owned(), "{inbox}".to_owned())]);
    let expect = sync.expect.as_ref().expect("given");
    assert_eq!((expect.http.as_slice(), expect.status.as_slice()), ([200, 449].as_slice(), [1].as_slice()));
    assert_eq!(expect.elements[2].count.most, Some(0));
    assert_eq!(sync.alternatives.len(), 2);
    assert_eq!(ping.background.as_deref(), Some("ping"));
    assert!(matches!(&wait.kind, StepKind::Await(name) if name == "ping"));
}

#[test]
fn the_hash_follows_the_text() {
    let hash = |text: &str| parse(text).map(|s| s.hash().to_owned()).ok();
    assert_eq!(hash(GOOD), hash(GOOD));
    assert_ne!(hash(GOOD), hash(&format!("{GOOD}# a comment\n")));
}

#[test]
fn each_slip_is_drawn_at_its_place() {
    let slips = [
        ("toml", with("effects  = \"writes\"", "effects  = writes")),
        ("unknown-key", with("poll_s", "pol_s")),
        ("unknown-value", with("effects  = \"writes\"", "effects  = \"write\"")),
        ("missing-key", with("effects  = \"writes\"", "")),
        ("number-out-of-range", with("[200, 449]", "[200, 70000]")),
        ("wrong-id", with("sync/more-available", "sync/moreavailable")),
        ("unknown-requirement", with("MS-ASCMD_R4771", "MS-ASCDM_R4771")),
        ("unknown-version", with("\"14.1\"", "\"14.2\"")),
        ("unknown-command", with("send = \"Sync\"", "send = \"Sinc\"")),
        ("unknown-habit", with("\"send_mail\"", "\"sendmail\"")),
        ("missing-parameter", with("to    = \"{address}\"\n", "")),
        ("misplaced-parameter", with("setup = true", "answer = \"accept\"")),
        ("two-deeds", with("send = \"Ping\"", "send = \"Ping\"\ndo = \"ping\"")),
        ("no-deed", with("do = \"tidy\"", "title = \"nothing\"")),
        ("two-bodies", with("empty = true", "empty = true\nraw = \"03 01\"")),
        ("no-body", with("empty = true\n", "")),
        ("bad-hex", with("empty = true", "raw = \"03 01 6\"")),
        ("unknown-variable", with("{inbox_key}", "{inbox_kee}")),
        ("variable-too-early", with("start    = \"synced\"", "start    = \"foldered\"")),
        ("bad-variable", with("{tag} hi", "{Tag} {now+1y}")),
        ("open-brace", with("{tag} hi", "{tag hi")),
        ("unknown-role", with("{inbox_key}", "{parter.inbox}")),
        ("unknown-element-in-body", with("<CollectionId>{inbox}</CollectionId>", "<ColectionId>{inbox}</ColectionId>")),
        ("broken-xml", with("</Collections></Sync>", "</Sync>")),
        ("unknown-element-in-path", with("**/MoreAvailable", "**/MoreAvialable")),
        ("open-predicate", with("{subject}]/ServerId", "{subject}/ServerId")),
        ("bad-regex", with("one_of = [1, \"2\"]", "matches = \"(\"")),
        ("contradiction", with("absent = true", "absent = true, count = 2")),
        ("need-missing", with("needs    = [\"partner\"]", "")),
        ("need-control", with("do = \"tidy\"", "arrange = \"block\"")),
        ("unknown-arrangement", with("do = \"tidy\"", "arrange = \"blok\"")),
        ("not-in-background", with("await = \"ping\"", "await = \"pong\"")),
        ("no-alternative-name", with("name = \"in band\"\n", "")),
        ("bad-save", with("save = \"item\"", "save = \"Item\"")),
    ];
    for (name, text) in slips {
        insta::assert_snapshot!(name, drawn(&text));
    }
}

#[test]
fn several_slips_are_told_at_once() {
    let text =
        with("\"14.1\"", "\"14.2\"").replace("**/MoreAvailable", "**/MoreAvialable").replace("{inbox_key}", "{x}");
    let error = parse(&text).expect_err("three slips");
    assert_eq!(error.problems.len(), 3);
    assert_eq!(error.to_string(), "scenario `scenarios/sync/more-available.toml` has 3 slips");
    assert!(error.problems.is_sorted_by_key(Problem::offset));
}

#[test]
fn a_file_cut_anywhere_is_an_error_or_a_scenario_but_no_panic() {
    for (at, _) in GOOD.char_indices() {
        let _ = parse(&GOOD[..at]);
        let _ = parse(&GOOD[at..]);
    }
    for path in ["Sync/**/Add[ServerId=5][2]/Status", "**", "*[[", "Sync[Status!=", "AirSync:[1]", "//", "[]=!"] {
        for (at, _) in path.char_indices() {
            let _ = crate::path::Path::parse(&path[..at]);
            let _ = crate::path::Path::parse(&path[at..]);
        }
    }
}

#[test]
fn the_published_schema_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/scenario.schema.json");
    if std::env::var_os("EASRIG_WRITE_SCHEMA").is_some() {
        std::fs::write(path, crate::json_schema()).expect("the schema can be written");
    }
    let published = std::fs::read_to_string(path).expect("the schema is in the tree");
    assert!(published == crate::json_schema(), "run the test again with EASRIG_WRITE_SCHEMA=1");
}

#[test]
fn every_shipped_scenario_parses() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let (mut folders, mut slips) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                if !["personas", "profiles"].iter().any(|data| entry.ends_with(data)) {
                    folders.push(entry);
                }
            } else if entry.extension().is_some_and(|extension| extension == "toml") {
                let name = entry.strip_prefix(&root).expect("below the root").to_string_lossy().into_owned();
                let text = std::fs::read_to_string(&entry).expect("readable");
                if let Err(error) = Scenario::parse(&name, &text) {
                    slips.push(format!("{:?}", miette::Report::new(error)));
                }
            }
        }
    }
    assert!(slips.is_empty(), "{}", slips.join("\n"));
}

#[test]
fn the_guide_lists_every_habit_and_arrangement() {
    let guide = include_str!("../../../../docs/scenarios.md");
    for signature in crate::HABITS.iter().chain(&crate::ARRANGEMENTS) {
        let optional = signature.optional.iter().map(|name| format!("[{name}]"));
        let parameters: Vec<_> = signature.required.iter().map(|name| (*name).to_owned()).chain(optional).collect();
        let row = format!("| `{}` | {} | {} |", signature.name, parameters.join(" "), signature.about);
        assert!(guide.contains(&row), "missing in the guide: {row}");
    }
}

#[test]
fn every_whole_example_of_the_guide_parses() {
    let guide = include_str!("../../../../docs/scenarios.md");
    let examples: Vec<_> = guide.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let whole: Vec<_> = examples.into_iter().filter(|text| text.starts_with("id ")).collect();
    assert!(whole.len() >= 3);
    for text in whole {
        let id = text.split('"').nth(1).expect("an id");
        if let Err(error) = Scenario::parse(id, text) {
            panic!("{:?}", miette::Report::new(error));
        }
    }
}
