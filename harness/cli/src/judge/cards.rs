//! What the cells of a judgement are about, in words, so that every report can be made from its run file.

use easrig_exchange::Timestamp;
use easrig_scenario::{
    CONDUCTS, INVARIANTS, Level,
    event::{FORMAT, PersonaCard, RunStarted, ScenarioCard},
    recording::{COMPLETE, DEVICE},
};

use super::{Defendant, owner::OWNER};

/// The first line of the run file.
pub(super) fn started(recording: &str, at: Timestamp, allowed: Vec<String>) -> RunStarted {
    RunStarted {
        format: FORMAT,
        easrig: env!("CARGO_PKG_VERSION").to_owned(),
        at,
        target: recording.to_owned(),
        allowed,
        seed: 0,
        repeat: 1,
        scenarios: Vec::new(),
        personas: Vec::new(),
        keep_content: false,
    }
}

/// A device as reports name it.
pub(super) fn device(label: &str, defendant: &Defendant) -> PersonaCard {
    PersonaCard {
        id: label.to_owned(),
        title: defendant.words.clone(),
        family: defendant.likeness.clone(),
        versions: Vec::new(),
        tokens: None,
    }
}

/// Everything that is judged.
pub(super) fn scenarios() -> Vec<ScenarioCard> {
    let card = |id: String, title: &str, level, why: &str, fix: Option<&str>| ScenarioCard {
        id,
        title: title.to_owned(),
        level,
        requirements: Vec::new(),
        commands: Vec::new(),
        why: Some(why.to_owned()),
        fix: fix.map(str::to_owned),
    };
    let mut cards = vec![
        card(
            OWNER.to_owned(),
            "The device's owner sees no error",
            Level::Must,
            "Whoever sees it has no mail.",
            Some("The remedy stands with the error."),
        ),
        card(
            COMPLETE.to_owned(),
            "The recording holds every exchange in full",
            Level::Robust,
            "What is missing cannot be judged.",
            Some("Record longer, at the server, with the TLS keys."),
        ),
    ];
    cards.extend(INVARIANTS.iter().map(ScenarioCard::from));
    cards.extend(CONDUCTS.iter().map(|rule| {
        let fix = "This is a matter for whoever makes the device; the server is not at fault.";
        card(format!("{DEVICE}{}", rule.name), rule.title, Level::Must, rule.why, Some(fix))
    }));
    cards
}
