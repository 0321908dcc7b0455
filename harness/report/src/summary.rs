use std::collections::BTreeSet;

use easrig_exchange::{ExchangeNumber, Timestamp};
use easrig_scenario::{Cell, CellId, Confidence, DeviceError, Finding, Level, Verdict, event::TargetSeen};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Outcome, Run, Totals};

/// The number in every `summary.json`.
const FORMAT: u32 = 1;

/// The bytes of `summary.json`: the whole run in one document, in the order of the run.
pub fn summary(run: &Run) -> String {
    let summary = Summary {
        format: FORMAT,
        target: target(run),
        cells: run.cells.iter().map(|of| cell(run, of)).collect(),
        totals: run.totals(),
    };
    // Nothing in it has a map with keys other than strings, which is all that can fail.
    let mut text = serde_json::to_string_pretty(&summary).unwrap_or_default();
    text.push('\n');
    text
}

/// The JSON Schema of `summary.json`, as published.
pub fn summary_schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(Summary)).unwrap_or_default();
    text.push('\n');
    text
}

/// What a run of easrig came to.
#[derive(Serialize, JsonSchema)]
struct Summary<'r> {
    /// 1; a reader refuses any other number.
    format: u32,
    /// The server under test.
    target: Target<'r>,
    /// Every cell: one scenario, one persona, one protocol version.
    cells: Vec<CellRow<'r>>,
    /// How many cells came to what.
    totals: Totals,
}

/// The server under test.
#[derive(Serialize, JsonSchema)]
struct Target<'r> {
    /// As given on the command line: URL, address or `embedded:PROFILE`.
    given: &'r str,
    /// The ActiveSync URLs the personas ended at.
    endpoints: Vec<&'r str>,
    /// What it says it is: header name and value.
    software: Vec<(&'r str, &'r str)>,
    /// Protocol versions it announces.
    versions: Vec<String>,
    /// TLS versions and suites seen.
    tls: Vec<&'r str>,
    /// When the run began, microseconds since 1970-01-01T00:00:00Z.
    started: i64,
    /// When the run ended; null when it was cut short.
    finished: Option<i64>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Cell")]
struct CellRow<'r> {
    /// Persona id.
    persona: &'r str,
    /// Scenario id, or `invariant/NAME`.
    scenario: &'r str,
    /// The protocol version spoken; null when the persona never got as far as choosing one.
    version: Option<String>,
    /// What it came to.
    #[schemars(with = "VerdictWord")]
    verdict: Verdict,
    /// Why, in one sentence.
    reason: &'r str,
    /// The cell that met the same device error first.
    blocked_by: Option<CellRef<'r>>,
    /// What the owner of the device would see.
    device_error: Option<DeviceErrorRow<'r>>,
    /// What the target did otherwise than required.
    findings: Vec<FindingRow<'r>>,
    /// Things worth knowing that change nothing.
    notes: &'r [String],
    /// Numbers of its exchanges in `exchanges.eascap`.
    #[schemars(with = "Vec<u64>")]
    exchanges: &'r [ExchangeNumber],
    /// Only when the run was held against known deviations and this cell has to do with one, or would need one.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<OutcomeRow>,
}

/// A cell, held against the known deviations of the target.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Outcome")]
struct OutcomeRow {
    /// What it is.
    kind: OutcomeKind,
    /// Why the deviation was accepted.
    because: Option<String>,
    /// Where it is discussed.
    link: Option<String>,
}

/// What a cell is, held against the known deviations.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum OutcomeKind {
    /// It deviates as is known.
    KnownDeviation,
    /// It deviates, and nobody said so before.
    NewFailure,
    /// It is well although a deviation is known.
    UnexpectedPass,
}

#[derive(Serialize, JsonSchema)]
struct CellRef<'r> {
    persona: &'r str,
    scenario: &'r str,
    version: Option<String>,
}

/// What the owner of the device would see.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DeviceError")]
struct DeviceErrorRow<'r> {
    /// The code on the screen; empty when there is only text.
    code: &'r str,
    /// The text on the screen.
    message: &'r str,
    /// What to change on the server.
    remedy: &'r str,
    /// How well the facts support code and text.
    confidence: Confidence,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Finding")]
struct FindingRow<'r> {
    /// Requirement id or name of the invariant.
    requirement: &'r str,
    /// How binding it is.
    level: Level,
    /// What should have been there.
    expected: &'r str,
    /// What was there.
    actual: &'r str,
    /// Number of the exchange in `exchanges.eascap`.
    exchange: Option<u64>,
}

/// The six words.
#[derive(JsonSchema)]
#[schemars(rename = "Verdict", rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum VerdictWord {
    Pass,
    Fail,
    Blocked,
    Degraded,
    Skipped,
    Inconclusive,
}

fn target(run: &Run) -> Target<'_> {
    fn gather<'r, T: Ord>(run: &'r Run, of: impl Fn(&'r TargetSeen) -> Vec<T>) -> Vec<T> {
        run.seen.iter().flat_map(of).collect::<BTreeSet<_>>().into_iter().collect()
    }
    let micros = |at: Timestamp| at.0;
    Target {
        given: &run.started.target,
        endpoints: gather(run, |seen| vec![seen.endpoint.as_str()]),
        software: gather(run, |seen| seen.software.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect()),
        versions: gather(run, |seen| seen.versions.clone()).iter().map(ToString::to_string).collect(),
        tls: gather(run, |seen| Some(seen.tls.as_str()).filter(|tls| !tls.is_empty()).into_iter().collect()),
        started: micros(run.started.at),
        finished: run.finished.map(micros),
    }
}

fn cell<'r>(run: &Run, cell: &'r Cell) -> CellRow<'r> {
    CellRow {
        persona: &cell.id.persona,
        scenario: &cell.id.scenario,
        version: cell.id.version.map(|version| version.to_string()),
        verdict: cell.verdict,
        reason: &cell.reason,
        blocked_by: cell.blocked_by.as_ref().map(cell_ref),
        device_error: cell.device_error.as_ref().map(device_error),
        findings: cell.findings.iter().map(finding).collect(),
        notes: &cell.notes,
        exchanges: &cell.exchanges,
        outcome: run.outcomes.get(&cell.id).and_then(outcome),
    }
}

fn outcome(outcome: &Outcome) -> Option<OutcomeRow> {
    let (kind, link) = match outcome {
        Outcome::AsExpected(_) => return None,
        Outcome::KnownDeviation { link, .. } => (OutcomeKind::KnownDeviation, link.clone()),
        Outcome::NewFailure(_) => (OutcomeKind::NewFailure, None),
        Outcome::UnexpectedPass { .. } => (OutcomeKind::UnexpectedPass, None),
    };
    Some(OutcomeRow { kind, because: outcome.because().map(str::to_owned), link })
}

fn cell_ref(id: &CellId) -> CellRef<'_> {
    CellRef { persona: &id.persona, scenario: &id.scenario, version: id.version.map(|version| version.to_string()) }
}

fn device_error(error: &DeviceError) -> DeviceErrorRow<'_> {
    DeviceErrorRow { code: &error.code, message: &error.message, remedy: &error.remedy, confidence: error.confidence }
}

fn finding(finding: &Finding) -> FindingRow<'_> {
    FindingRow {
        requirement: &finding.requirement,
        level: finding.level,
        expected: &finding.expected,
        actual: &finding.actual,
        exchange: finding.exchange.map(|number| number.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::{run_of, sample};

    #[test]
    fn the_published_schema_is_the_one_of_this_build() {
        let published = include_str!("../../../docs/schema/summary.schema.json");
        assert_eq!(
            published,
            summary_schema(),
            "write the new one: cargo run -p easrig-report --example summary_schema"
        );
    }

    #[test]
    fn every_key_of_the_contract_is_there_even_when_it_is_empty() {
        let value: serde_json::Value = serde_json::from_str(&summary(&run_of(Vec::new()))).unwrap();
        assert_eq!(value["format"], 1);
        assert_eq!(value["cells"], serde_json::json!([]));
        let keys: Vec<_> = value["totals"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["blocked", "causes", "degraded", "fail", "inconclusive", "pass", "skipped"]);
    }

    #[test]
    fn a_run_becomes_one_document() {
        insta::assert_snapshot!(summary(&sample()));
    }
}
