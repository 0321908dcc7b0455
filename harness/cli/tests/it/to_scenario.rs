use std::fs;

use crate::easrig::easrig;

#[test]
fn a_recorded_sequence_becomes_a_scenario_that_passes_where_it_was_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (run, file) = (at("run"), at("mine/recorded/onboarding.toml"));
    fs::create_dir_all(dir.path().join("mine/recorded")).unwrap();
    let target = ["--target", "embedded:exchange-2019", "--persona", "ios-17", "--allow", "writes"];
    let journey = [&["run", "journeys/onboarding-by-server-name", "--out", &run], &target[..]].concat();
    assert_eq!(easrig(&journey).code, 0);
    let written = easrig(&["to-scenario", &run, "-o", &file]);
    assert_eq!(written.code, 0, "{}", written.stderr);
    assert!(written.stderr.contains("Provision is part of the ladder"), "{}", written.stderr);
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("id       = \"recorded/onboarding\"") && text.contains("save = \"inbox_recorded\""),
        "{text}"
    );
    let (mine, out) = (at("mine"), at("again"));
    let again = [&["run", "recorded", "--scenarios", &mine, "--out", &out], &target[..]].concat();
    let ended = easrig(&again);
    assert_eq!(ended.code, 0, "{text}\n{}{}", ended.text(), ended.stderr);
    assert!(ended.text().contains(" pass"), "{}", ended.text());

    assert_eq!(easrig(&["to-scenario", &run, "-o", &file, "--exchanges", "9-x"]).code, 2);
    assert_eq!(easrig(&["to-scenario", &run, "-o", &file, "--exchanges", "999999"]).code, 4);
}

/// Records a journey on the reference server, writes a scenario from it, and runs that: on an honest server, and with each
/// switch.
#[track_caller]
fn round_trip(persona: &str, what: &str, holds: &[&str], switches: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (recording, mine, file) = (at("run"), at("mine"), at("mine/recorded/it.toml"));
    fs::create_dir_all(dir.path().join("mine/recorded")).unwrap();
    let target = ["--target", "embedded:exchange-2019", "--persona", persona, "--allow", "writes"];
    assert_eq!(easrig(&[&["run", what, "--out", &recording], &target[..]].concat()).code, 0);
    let written = easrig(&["to-scenario", &recording, "-o", &file]);
    assert_eq!(written.code, 0, "{}", written.stderr);
    let text = fs::read_to_string(&file).unwrap();
    for part in holds {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let run = |out: &str, more: &[&str]| {
        let out = at(out);
        easrig(&[&["run", "recorded", "--scenarios", &mine, "--out", &out], &target[..], more].concat())
    };
    let honest = run("honest", &[]);
    assert_eq!(honest.code, 0, "{text}\n{}{}", honest.text(), honest.stderr);
    for switch in switches {
        let ended = run(switch, &["--dishonest", switch]);
        assert_eq!(ended.code, 1, "{switch} goes unnoticed by\n{text}\n{}", ended.text());
        assert!(ended.text().contains("FAIL  recorded/it"), "{switch}: {}", ended.text());
    }
}

#[test]
fn a_mail_that_is_moved_is_missed_when_the_server_loses_it() {
    let holds = ["send = \"MoveItems\"", "<SrcMsgId>{item_1}</SrcMsgId>", "say = \"the item, once\""];
    round_trip("ios-17", "journeys/move", &holds, &["move-loses-item"]);
    round_trip("wp7.5", "journeys/move", &holds, &[]);
}

#[test]
fn a_mail_that_is_deleted_is_missed_when_it_does_not_reach_the_bin() {
    let holds = ["<ServerId>{item_", "DeletesAsMoves"];
    round_trip("wp7.5", "journeys/delete", &holds, &["delete-ignores-deletes-as-moves"]);
    round_trip("ios-17", "journeys/delete", &holds, &[]);
}

#[test]
fn mail_that_is_sent_and_answered_has_to_be_in_sent_items() {
    round_trip("ios-17", "journeys/send", &["send = \"SendMail\"", "{sent}"], &["sent-items-empty"]);
    round_trip("wp7.5", "journeys/reply", &["send = \"SmartReply\"", "source = {"], &[]);
    round_trip("wp7.5", "journeys/read-mail", &["item_"], &[]);
    round_trip("ios-17", "journeys/calendar-and-contacts", &["{calendar}", "{contacts}"], &[]);
}

#[test]
fn what_is_asked_for_once_is_asked_for_again() {
    round_trip("ios-17", "item-operations/fetch-mail-and-attachment", &["{file_1}"], &["fetch-wrong-item"]);
    round_trip("ios-17", "meeting-response/accept-gives-calendar-id", &["needs    = [\"partner\"]"], &[]);
    round_trip("wp7.5", "ping/new-mail-wakes", &["background = ", "await = "], &["ping-wrong-folder"]);
    round_trip("ios-17", "search/mailbox", &["{tag}", "the mail that was searched"], &[]);
    round_trip("ios-17", "folder-update/rename", &["send = \"FolderUpdate\"", "[[cleanup]]"], &[]);
    round_trip("ios-17", "sync/bad-key", &["{inbox_recorded}77", "status = 3"], &["stale-sync-key-accepted"]);
    round_trip("ios-17", "resolve-recipients/lookup", &["effects  = \"reads\"", "<To>{address}</To>"], &[]);
}
