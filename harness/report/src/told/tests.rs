use std::collections::BTreeSet;

use super::*;

fn french(sentence: &str) -> Option<String> {
    match Words(Language::find("fr").unwrap()).told(sentence) {
        Told::Known(text) => Some(text.plain()),
        Told::Foreign(_) => None,
    }
}

#[test]
fn a_sentence_of_the_record_is_said_again_with_what_was_put_in() {
    assert_eq!(
        french("version not offered: the server does not announce 2.5").unwrap(),
        "version non proposée : le serveur n’annonce pas 2.5"
    );
    assert_eq!(
        french(
            "expected Status 9 (Key wrong (or lost)) or Status 10 (Bad); seen: it is not there: HTTP 200 without a body"
        )
        .unwrap(),
        "attendu : Status 9 (« Key wrong (or lost) ») ou Status 10 (« Bad ») ; vu : absent : HTTP 200 sans corps"
    );
    assert_eq!(
        french("expected the mail that was waiting; seen: 2 of them: `a; seen: b`").unwrap(),
        "attendu : « the mail that was waiting » ; vu : il y en a 2 : `a; seen: b`"
    );
}

#[test]
fn what_the_catalogue_does_not_have_stays_and_is_marked_as_english() {
    let told = Words(Language::find("fr").unwrap()).told("the <mail> that was waiting");
    assert_eq!(told.to_string(), "<span lang=\"en\">the &#60;mail&#62; that was waiting</span>");
    assert_eq!(serde_json::to_string(&told).unwrap(), "\"the <mail> that was waiting\"");
}

#[test]
fn in_english_every_sentence_stays_what_it_was() {
    for sentence in [
        "the target was never reached: no answer within 30 s",
        "expected one `Sync/MoreAvailable` or no body; seen: `{why}` (seen 3 times)",
        "it is read, it has no flag, it is from `x`",
        "{told} {n}",
    ] {
        let told = Words::english().told(sentence);
        let said = match told {
            Told::Known(text) => text.plain(),
            Told::Foreign(text) => text,
        };
        assert_eq!(said, sentence);
    }
}

#[test]
fn no_two_sentences_of_the_catalogue_are_the_same() {
    let mut seen = BTreeSet::new();
    for pattern in PATTERNS.iter() {
        let shape: Vec<&str> =
            pattern.pieces.iter().map(|piece| if let Piece::Own(own) = piece { own.as_str() } else { "{}" }).collect();
        assert!(seen.insert(shape.concat()), "{} is there twice", pattern.key);
        let apart = pattern.pieces.windows(2).all(|two| !matches!(two, [Piece::Hole(_), Piece::Hole(_)]));
        assert!(apart, "{}: nothing tells its holes apart", pattern.key);
        assert!(pattern.own() > 0, "{} would be every sentence", pattern.key);
    }
    let english = Language::find("en").unwrap().entries();
    let said = english.keys().filter(|key| key.starts_with("said."));
    assert_eq!(said.count(), PATTERNS.len(), "one of them has a plural form, which is not looked for");
}

#[test]
fn a_sentence_made_to_take_long_is_given_up() {
    let hostile = " or Status 1 (".repeat(290);
    assert!(matches!(Words::english().told(&hostile), Told::Foreign(_)));
    assert!(matches!(Words::english().told(&"x; seen: ".repeat(10_000)), Told::Foreign(_)));
}

/// The lines of a file's remedies, or of a scenario's losses, with something in place of what is filled in.
fn lines_of(folder: &str, gather: fn(&toml::Table) -> Vec<String>) -> Vec<String> {
    let folder = format!("{}/../../scenarios/{folder}", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let files = files.filter(|file| file.extension().is_some_and(|ending| ending == "toml"));
    let tables = files.map(|file| std::fs::read_to_string(file).unwrap().parse::<toml::Table>().unwrap());
    tables.flat_map(|table| gather(&table)).collect()
}

fn texts(table: &toml::Table, list: &str, key: &str) -> Vec<String> {
    let rows = table.get(list).and_then(toml::Value::as_array).into_iter().flatten();
    rows.filter_map(|row| Some(row.get(key)?.as_str()?.to_owned())).collect()
}

#[test]
fn every_remedy_of_a_phone_is_in_the_catalogue() {
    let remedies = lines_of("personas", |table| texts(table, "error", "remedy"));
    assert!(remedies.len() > 80, "{}", remedies.len());
    for line in remedies.iter().flat_map(|remedy| remedy.lines()).map(str::trim).filter(|line| !line.is_empty()) {
        let is_command = line == "{cmdlets}" || line.starts_with("Set-");
        let filled = line.replace("{http}", "503").replace("{status}", "129");
        assert!(is_command || french(&filled).is_some(), "no language but English has `{line}`");
    }
}

#[test]
fn every_loss_of_a_journey_is_in_the_catalogue() {
    let losses = lines_of("journeys", |table| {
        let steps = table.get("step").and_then(toml::Value::as_array).into_iter().flatten();
        steps.filter_map(toml::Value::as_table).flat_map(|step| texts(step, "loss", "name")).collect()
    });
    assert!(losses.len() > 3, "{}", losses.len());
    for loss in losses {
        assert!(french(&format!("{loss} (it is not on the device)")).is_some(), "no language but English has `{loss}`");
    }
}

#[test]
fn every_remedy_of_a_comparison_is_in_the_catalogue() {
    for remedy in crate::compare::REMEDIES {
        assert!(french(remedy).is_some(), "no language but English has `{remedy}`");
    }
}

#[test]
fn a_number_is_a_number_and_what_nobody_knows_is_quoted() {
    assert_eq!(
        french("expected no `A/B`; seen: 1 of them: `x`").unwrap(),
        "attendu : pas de `A/B` ; vu : il y en a 1 : `x`"
    );
    assert_eq!(
        french("the preparation `x` did not succeed: expected `A[B=2]/C` to be `4`, found `5`").unwrap(),
        "la préparation `x` n’a pas réussi : attendu `A[B=2]/C` égal à `4`, obtenu `5`"
    );
    assert_eq!(
        french("expected the shape that is there; seen: HTTP 200 without a body (and 3 more findings)").unwrap(),
        "attendu : « the shape that is there » ; vu : HTTP 200 sans corps (et 3 autres constats)"
    );
}
