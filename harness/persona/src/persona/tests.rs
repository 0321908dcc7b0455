use std::path::PathBuf;

use super::*;
use crate::{Condition, TlsTrouble};

fn shipped(id: &str) -> Persona {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../scenarios/personas/{id}.toml"));
    let text = std::fs::read_to_string(path).unwrap();
    Persona::parse(id, &text).unwrap_or_else(|error| panic!("{id}: {}", shown(&error)))
}

fn shown(error: &PersonaError) -> String {
    let mut out = String::new();
    let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor());
    handler.render_report(&mut out, error).unwrap();
    out
}

/// The shipped file of Windows Phone 7 with one place changed.
fn broken(from: &str, to: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/personas/wp7.toml");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from}");
    shown(&Persona::parse("wp7.toml", &text.replacen(from, to, 1)).unwrap_err())
}

#[test]
fn every_shipped_persona_is_read_and_named_after_its_file() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/personas");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let id = path.file_stem().unwrap().to_str().unwrap().to_owned();
        assert_eq!(shipped(&id).id(), id);
        count += 1;
    }
    assert!(count >= 8, "{count}");
}

#[test]
fn a_misspelt_key_is_shown_with_a_suggestion() {
    insta::assert_snapshot!(broken("key_required       =", "key_requird        ="));
}

#[test]
fn a_misspelt_word_is_shown_with_a_suggestion() {
    insta::assert_snapshot!(broken("\"highest-common\"", "\"highest-comon\""));
}

#[test]
fn a_setting_that_does_not_exist_is_shown_with_a_suggestion() {
    insta::assert_snapshot!(broken("\"AllowIrDA\"", "\"AllowIrda\""));
}

#[test]
fn a_missing_key_is_shown_with_its_table() {
    insta::assert_snapshot!(broken("device_type   =", "nothing_alike ="));
}

#[test]
fn a_slip_in_a_key_or_table_that_must_be_there_is_shown_as_a_slip() {
    for (old, new, wanted) in [("empty_key  ", "emptykey   ", "empty_key"), ("[timeouts]", "[timeout]", "timeouts")] {
        let shown = broken(old, new);
        assert!(shown.contains("unknown key") && shown.contains(&format!("did you mean `{wanted}`?")), "{shown}");
    }
}

#[test]
fn a_broken_file_is_shown_where_it_breaks() {
    insta::assert_snapshot!(broken("[protocol]", "[protocol"));
}

#[test]
fn a_pattern_that_makes_no_device_id_is_refused() {
    assert!(broken("{hex32}", "{hex33}").contains("length from 1 to 32"));
    assert!(broken("{hex32}", "{bin8}").contains("none of"));
    assert!(broken("{hex32}", "a-b").contains("not a letter or digit"));
}

#[test]
fn a_device_id_is_constant_and_differs_by_role_and_account() {
    let wp7 = shipped("wp7");
    let id = wp7.device_id("phone", "alice@easrig.test");
    assert_eq!(id, wp7.device_id("phone", "Alice@easrig.test"));
    assert_ne!(id, wp7.device_id("tablet", "alice@easrig.test"));
    assert_ne!(id, wp7.device_id("phone", "bob@easrig.test"));
    assert_ne!(id, shipped("wp7.5").device_id("phone", "alice@easrig.test"));
    assert!(id.as_str().len() == 32 && id.as_str().chars().all(|c| c.is_ascii_hexdigit()));
    let droid = shipped("android-4").device_id("phone", "alice@easrig.test");
    assert!(droid.as_str().starts_with("androidc") && droid.as_str()[8..].chars().all(|c| c.is_ascii_digit()));
    assert!(shipped("blackberry-10").device_id("phone", "a").as_str().starts_with("BB"));
}

#[test]
fn windows_phone_counts_its_codes_from_the_status() {
    let wp7 = shipped("wp7");
    let code = |condition| wp7.error_for(&condition).unwrap().code;
    for (status, expected) in [(111, "86000C0A"), (114, "86000C0D"), (123, "86000C16"), (142, "86000C29")] {
        assert_eq!(code(Condition::Status(status)), expected);
    }
    for (status, expected) in [(143, "86000C2A"), (144, "86000C2B"), (177, "86000C4C"), (101, "86000C00")] {
        assert_eq!(code(Condition::Status(status)), expected);
    }
    for (http, expected) in
        [(401, "85010002"), (403, "85010004"), (404, "85010005"), (500, "85010014"), (503, "85010017")]
    {
        assert_eq!(code(Condition::Http(http)), expected);
    }
    assert_eq!(code(Condition::Tls(TlsTrouble::UnknownCa)), "80072F0D");
    assert_eq!(code(Condition::Dns), "80072EE7");
    assert_eq!(wp7.error_for(&Condition::Http(418)), None);
}

#[test]
fn a_policy_that_cannot_be_applied_names_settings_and_commands() {
    let settings = vec!["RequireDeviceEncryption".to_owned()];
    let error = shipped("wp7").error_for(&Condition::PolicyNotApplicable { settings }).unwrap();
    assert_eq!(error.code, "86000C2B");
    assert_eq!(error.confidence, Confidence::High);
    assert!(
        error.remedy.contains("Set-ActiveSyncMailboxPolicy 'Default' -RequireDeviceEncryption $false"),
        "{}",
        error.remedy
    );
    assert!(error.remedy.contains("Set-MobileDeviceMailboxPolicy 'Default' -RequireDeviceEncryption $false"));
    assert!(error.remedy.contains("AllowNonProvisionableDevices"));
}

#[test]
fn every_word_of_a_condition_can_stand_in_a_file() {
    let trouble = [
        TlsTrouble::UnknownCa,
        TlsTrouble::Date,
        TlsTrouble::WrongName,
        TlsTrouble::BadCertificate,
        TlsTrouble::Handshake,
    ];
    let conditions = trouble.into_iter().map(Condition::Tls).chain([
        Condition::Dns,
        Condition::Refused,
        Condition::Unreachable,
        Condition::Timeout,
        Condition::Closed,
        Condition::BadAnswer,
        Condition::AutodiscoverFailed,
        Condition::TooManyRedirects,
    ]);
    for condition in conditions {
        let word = condition.word().unwrap();
        assert_eq!(When::parse(word), Some(When::Word(word)));
    }
    assert_eq!(When::parse("status:101..199"), Some(When::Status(101, 199)));
    assert_eq!(When::parse("status:199..101"), None);
    assert_eq!(When::parse("http:"), None);
}

#[test]
fn what_the_file_does_not_say_is_assumed_and_unverified() {
    let ability = shipped("wp7").ability("set_oof");
    assert!(ability.value);
    assert_eq!(ability.confidence, Confidence::Unverified);
    assert!(!shipped("android-4").ability("set_oof").value);
}
