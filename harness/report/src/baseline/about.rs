//! What the heads of snapshots say beside what is approved: where a baseline comes from, and what it was made with.

use std::collections::{BTreeMap, BTreeSet};

use easrig_eas::Version;
use easrig_scenario::{Cell, Confidence, event::TargetSeen};

use crate::Run;

/// How many letters of a checksum are kept: enough to tell files apart.
pub(crate) const SUM: usize = 16;

const EASRIG: &str = "easrig";
const TARGET: &str = "target";
const VERSIONS: &str = "versions";
const COMMANDS: &str = "commands";
const TLS: &str = "tls";
/// Before the names of headers that name software.
const HEADER: &str = "header ";
const SCENARIO: &str = "scenario";
const PERSONA: &str = "persona";
const CONFIDENCE: &str = "confidence";

/// What the head of a snapshot says, by key.
pub(super) type About = BTreeMap<String, String>;

/// Of the whole run: the target and what that says of itself.
pub(super) fn of_run(run: &Run) -> About {
    let seen = &run.seen;
    let versions: BTreeSet<Version> = seen.iter().flat_map(|seen| seen.versions.iter().copied()).collect();
    let commands: BTreeSet<&str> = seen.iter().flat_map(|seen| &seen.commands).map(String::as_str).collect();
    let tls: BTreeSet<&str> = seen.iter().map(|seen| seen.tls.as_str()).collect();
    let texts = [
        (EASRIG, run.started.easrig.clone()),
        (TARGET, target(&run.started.target)),
        (VERSIONS, joined(versions.iter().map(ToString::to_string))),
        (COMMANDS, joined(commands.into_iter().map(str::to_owned))),
        (TLS, joined(tls.into_iter().map(str::to_owned))),
    ];
    let mut about: About = texts.into_iter().map(|(key, text)| (key.to_owned(), text)).collect();
    let mut software: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in seen.iter().flat_map(|seen| &seen.software) {
        software.entry(name).or_default().insert(value);
    }
    about.extend(
        software
            .into_iter()
            .map(|(name, values)| (format!("{HEADER}{name}"), joined(values.into_iter().map(str::to_owned)))),
    );
    about.retain(|_, text| !text.is_empty());
    about
}

/// An address belongs to somebody; its domain says which server it is.
fn target(given: &str) -> String {
    match given.rsplit_once('@') {
        Some((_, domain)) if !given.contains("://") => format!("@{domain}"),
        _ => given.to_owned(),
    }
}

fn joined(values: impl Iterator<Item = String>) -> String {
    values.filter(|value| !value.is_empty()).collect::<Vec<_>>().join(", ")
}

/// Of a cell: the checksums of its scenario and its persona, and how sure it is what the owner sees.
pub(super) fn of_cell(cell: &Cell, run: &Run) -> About {
    let sum = |list: &[(String, String)], id: &str| {
        let (_, sum) = list.iter().find(|(known, _)| known == id)?;
        (!sum.is_empty()).then(|| shortened(sum).to_owned())
    };
    let texts = [
        (SCENARIO, sum(&run.started.scenarios, &cell.id.scenario)),
        (PERSONA, sum(&run.started.personas, &cell.id.persona)),
        (CONFIDENCE, cell.device_error.as_ref().map(|error| word(error.confidence).to_owned())),
    ];
    texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text?))).collect()
}

/// As much of a checksum as baselines keep.
pub(crate) fn shortened(sum: &str) -> &str {
    sum.get(..SUM).unwrap_or(sum)
}

const CONFIDENCES: [Confidence; 4] = [Confidence::Unverified, Confidence::Low, Confidence::Med, Confidence::High];

fn word(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Unverified => "unverified",
        Confidence::Low => "low",
        Confidence::Med => "med",
        Confidence::High => "high",
    }
}

/// How sure it was what the owner sees; where nobody wrote that down, nobody knows.
pub(super) fn confidence(about: &About) -> Confidence {
    let said = about.get(CONFIDENCE);
    CONFIDENCES.into_iter().find(|one| said.is_some_and(|said| said == word(*one))).unwrap_or(Confidence::Unverified)
}

/// The checksums of the scenario and of the persona, as far as the head has them.
pub(super) fn sums(about: &About) -> [Option<&String>; 2] {
    [about.get(SCENARIO), about.get(PERSONA)]
}

/// The version of easrig, and the target, as far as the head has them.
pub(super) fn origin(about: &About) -> [String; 2] {
    [EASRIG, TARGET].map(|key| about.get(key).cloned().unwrap_or_default())
}

/// What the target said of itself to all phones together; `None` where the head does not say.
pub(super) fn seen(about: &About) -> Option<TargetSeen> {
    let list = |key: &str| about.get(key).into_iter().flat_map(|text| text.split(", ")).map(str::to_owned);
    let header = |(key, value): (&String, &String)| Some((key.strip_prefix(HEADER)?.to_owned(), value.clone()));
    let seen = TargetSeen {
        persona: String::new(),
        endpoint: String::new(),
        software: about.iter().filter_map(header).collect(),
        versions: list(VERSIONS).filter_map(|text| text.parse().ok()).collect(),
        commands: list(COMMANDS).collect(),
        tls: about.get(TLS).cloned().unwrap_or_default(),
    };
    (!seen.versions.is_empty()).then_some(seen)
}
