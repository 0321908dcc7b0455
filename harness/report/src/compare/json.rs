use easrig_exchange::ExchangeNumber;
use easrig_scenario::{Cell, CellId, Confidence, Verdict};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Cause, CauseKind, Change, Class, Comparison, Family, Fate, LimitChange, Member, Pace, Row, SoftwareChange,
    Standing, sides::texts_side_by_side,
};
use crate::{Approved, Run, Said, summary::VerdictWord};

/// The number in every comparison.
const FORMAT: u32 = 1;

/// The comparison as one JSON document.
pub fn compare_json(comparison: &Comparison<'_>) -> String {
    let document = Document {
        format: FORMAT,
        sentence: comparison.sentence(),
        exit: comparison.exit().code(),
        before: side(comparison.before, comparison.approved),
        after: side(comparison.after, None),
        totals: Totals {
            regression: comparison.count(Class::Regression),
            unclear: comparison.count(Class::Unclear),
            improvement: comparison.count(Class::Improvement),
            news: comparison.count(Class::News),
            same: comparison.same,
        },
        families: comparison.families.iter().map(family).collect(),
        causes: comparison.causes.iter().map(|one| cause(one, comparison.after)).collect(),
        target: target(comparison),
        times: comparison.paces.iter().map(pace).collect(),
        unexpected: comparison.unexpected.iter().map(|(cell, because)| unexpected(cell, because)).collect(),
        cautions: comparison.cautions(),
    };
    // Nothing in it has a map with keys other than strings, which is all that can fail.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// The JSON Schema of a comparison, as published.
pub fn compare_schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(Document)).unwrap_or_default();
    text.push('\n');
    text
}

/// Two runs of easrig side by side.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Comparison")]
struct Document<'r> {
    /// 1; a reader refuses any other number.
    format: u32,
    /// The verdict in one sentence.
    sentence: String,
    /// What `easrig compare` exits with: 1 for a regression or an unexpected pass, 3 when something can no longer be told, else 0.
    exit: u8,
    /// The earlier run.
    before: SideRow<'r>,
    /// The later run.
    after: SideRow<'r>,
    /// How many cells changed how.
    totals: Totals,
    /// Each kind of phone.
    families: Vec<FamilyRow<'r>>,
    /// What is behind the changes, the worst first; each changed cell stands under exactly one.
    causes: Vec<CauseRow<'r>>,
    /// What the target says of itself otherwise.
    target: TargetRow<'r>,
    /// What became slower or faster; empty unless both runs repeated each cell five times or more.
    times: Vec<TimeRow<'r>>,
    /// Cells of the later run that are well although `--known` lists a deviation: its entry has to go.
    unexpected: Vec<UnexpectedRow<'r>>,
    /// What to keep in mind: in which the runs differ beyond the target.
    cautions: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Side")]
struct SideRow<'r> {
    /// The target as given on the command line; empty when a baseline does not say.
    given: &'r str,
    /// The folder of the baseline; null when it is a run.
    baseline: Option<&'r str>,
    /// When the run began, microseconds since 1970-01-01T00:00:00Z; null for a baseline.
    started: Option<i64>,
    /// The version of easrig that made it; empty when a baseline does not say.
    easrig: &'r str,
    /// How often each cell was run; 0 for a baseline, which has no times.
    repeat: u32,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "UnexpectedPass")]
struct UnexpectedRow<'r> {
    persona: &'r str,
    scenario: &'r str,
    version: Option<String>,
    /// Why the deviation was accepted.
    because: &'r str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ComparisonTotals")]
struct Totals {
    /// It worked, and does not any more; or it breaks more than it did.
    regression: usize,
    /// What was known before cannot be told any more.
    unclear: usize,
    /// It did not work, and does now; or it breaks less than it did.
    improvement: usize,
    /// It is otherwise, and neither better nor worse as far as can be told.
    news: usize,
    /// It came to the same.
    same: usize,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Family")]
struct FamilyRow<'r> {
    /// Its name.
    name: &'r str,
    /// What became of it.
    fate: Fate,
    /// The same for people who do not read tables.
    sentence: &'r str,
    /// What the administrator can change.
    remedy: Option<&'r str>,
    /// Its personas.
    personas: Vec<PersonaRow<'r>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PersonaChange")]
struct PersonaRow<'r> {
    /// Its id.
    persona: &'r str,
    /// How it stood.
    before: Standing,
    /// How it stands.
    after: Standing,
    /// What its owner sees now in most of the cells that are blocked.
    device_error: Option<ErrorRow<'r>>,
    /// The version it chose before, when it is not the same.
    version_before: Option<String>,
    /// The version it chooses now, when it is not the same.
    version_after: Option<String>,
    regressions: usize,
    unclear: usize,
    improvements: usize,
    news: usize,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ShownError")]
struct ErrorRow<'r> {
    /// The code on the screen; empty when there is only text.
    code: &'r str,
    /// The text on the screen.
    message: &'r str,
    /// How well the facts support both.
    confidence: Confidence,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Cause")]
struct CauseRow<'r> {
    /// What it means at worst.
    class: Class,
    /// What kind of thing it is.
    kind: KindWord,
    /// What it is, in one sentence.
    title: String,
    /// What to change on the server.
    remedy: Option<String>,
    /// The requirement, when one is broken.
    requirement: Option<&'r str>,
    /// What should have been there, when a requirement is broken.
    expected: Option<&'r str>,
    /// What was there.
    actual: Option<&'r str>,
    /// The cells.
    changes: Vec<ChangeRow<'r>>,
}

/// What is behind a change.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CauseKind")]
#[serde(rename_all = "snake_case")]
enum KindWord {
    SignIn,
    VersionFloor,
    TlsVersionGone,
    TlsVersionBack,
    VersionGone,
    CommandGone,
    DeviceError,
    Finding,
    Loss,
    Untold,
    Skipped,
    /// Only what was said is otherwise than approved.
    Said,
    Gone,
    New,
    Tried,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Change")]
struct ChangeRow<'r> {
    persona: &'r str,
    scenario: &'r str,
    /// What it means.
    class: Class,
    /// What it was and what it is, in words.
    transition: String,
    /// The cell of the earlier run; null when it is new.
    before: Option<StateRow<'r>>,
    /// The cell of the later run; null when it is gone.
    after: Option<StateRow<'r>>,
    /// Whether the file of the scenario or of the persona is not the same in both runs.
    rewritten: bool,
    /// Why it is accepted, when it is a known deviation.
    known: Option<&'r str>,
    /// What it says otherwise than a baseline; null when runs are compared.
    said: Option<SaidRow<'r>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Said")]
struct SaidRow<'r> {
    /// Where the approved snapshot stands below the baseline's folder; empty when there is none.
    snapshot: &'r str,
    /// Lines that only the baseline has, the first hundred.
    before: Vec<String>,
    /// Lines that only the later run has, the first hundred.
    after: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CellState")]
struct StateRow<'r> {
    #[schemars(with = "VerdictWord")]
    verdict: Verdict,
    /// The protocol version spoken.
    version: Option<String>,
    /// Why, in one sentence.
    reason: &'r str,
    /// The code on the screen, when it is blocked.
    code: Option<&'r str>,
    /// The exchange that shows it, by number in `exchanges.eascap`.
    exchange: Option<u64>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TargetChange")]
struct TargetRow<'r> {
    /// Headers that name software, and TLS, whose values differ.
    software: &'r [SoftwareChange],
    versions_lost: Vec<String>,
    versions_won: Vec<String>,
    /// TLS versions that were taken and are refused now.
    tls_lost: Vec<&'static str>,
    /// TLS versions that were refused and are taken now.
    tls_won: Vec<&'static str>,
    commands_lost: &'r [String],
    commands_won: &'r [String],
    /// Limits that it named in both runs, with other values.
    limits: &'r [LimitChange],
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TimeChange")]
struct TimeRow<'r> {
    command: &'r str,
    persona: &'r str,
    /// The time in the middle before, in microseconds.
    before_us: u64,
    /// The time in the middle after, in microseconds.
    after_us: u64,
    /// The times between which the middle half lay before, in microseconds.
    half_before_us: [u64; 2],
    /// The times between which the middle half lies after, in microseconds.
    half_after_us: [u64; 2],
    /// In how many scenarios it was compared.
    scenarios: usize,
    /// How many times there are on both sides together.
    times: usize,
}

/// The most lines that are told of one side of a cell.
const LINES_MOST: usize = 100;

fn side<'r>(run: &'r Run, approved: Option<&'r Approved>) -> SideRow<'r> {
    let started = &run.started;
    SideRow {
        given: &started.target,
        baseline: approved.map(|approved| approved.name.as_str()),
        started: approved.is_none().then_some(started.at.0),
        easrig: &started.easrig,
        repeat: started.repeat,
    }
}

fn unexpected<'r>(cell: &'r Cell, because: &'r str) -> UnexpectedRow<'r> {
    let CellId { persona, scenario, version } = &cell.id;
    UnexpectedRow { persona, scenario, version: version.map(|version| version.to_string()), because }
}

fn said<'r>(said: &Said<'r>) -> SaidRow<'r> {
    let rows: Vec<Row> = texts_side_by_side(said.before, said.after).into_iter().filter(|row| !row.is_same).collect();
    let lines = |of: fn(&Row) -> Option<&String>| rows.iter().filter_map(of).take(LINES_MOST).cloned().collect();
    SaidRow { snapshot: said.path, before: lines(|row| row.before.as_ref()), after: lines(|row| row.after.as_ref()) }
}

fn family<'r>(family: &'r Family<'_>) -> FamilyRow<'r> {
    FamilyRow {
        name: &family.name,
        fate: family.fate,
        sentence: &family.sentence,
        remedy: family.remedy.as_deref(),
        personas: family.members.iter().map(persona).collect(),
    }
}

fn persona<'r>(member: &Member<'r>) -> PersonaRow<'r> {
    let error = member.error;
    PersonaRow {
        persona: member.persona,
        before: member.before,
        after: member.after,
        device_error: error.map(|e| ErrorRow { code: &e.code, message: &e.message, confidence: e.confidence }),
        version_before: member.versions.map(|(was, _)| was.to_string()),
        version_after: member.versions.map(|(_, is)| is.to_string()),
        regressions: member.regressions,
        unclear: member.unclear,
        improvements: member.improvements,
        news: member.news,
    }
}

fn cause<'r>(cause: &Cause<'r>, after: &Run) -> CauseRow<'r> {
    let finding = if let CauseKind::Finding(finding) = cause.kind { Some(finding) } else { None };
    CauseRow {
        class: cause.class,
        kind: kind(&cause.kind),
        title: cause.title(),
        remedy: cause.remedy(after),
        requirement: finding.map(|finding| finding.requirement.as_str()),
        expected: finding.map(|finding| finding.expected.as_str()),
        actual: finding.map(|finding| finding.actual.as_str()),
        changes: cause.changes.iter().map(change).collect(),
    }
}

fn kind(kind: &CauseKind<'_>) -> KindWord {
    match kind {
        CauseKind::SignIn { .. } => KindWord::SignIn,
        CauseKind::VersionFloor { .. } => KindWord::VersionFloor,
        CauseKind::TlsGone(_) => KindWord::TlsVersionGone,
        CauseKind::TlsBack(_) => KindWord::TlsVersionBack,
        CauseKind::VersionGone(_) => KindWord::VersionGone,
        CauseKind::CommandGone(_) => KindWord::CommandGone,
        CauseKind::Device(_) => KindWord::DeviceError,
        CauseKind::Finding(_) => KindWord::Finding,
        CauseKind::Loss(_) => KindWord::Loss,
        CauseKind::Untold(_) => KindWord::Untold,
        CauseKind::Skipped(_) => KindWord::Skipped,
        CauseKind::Said(_) => KindWord::Said,
        CauseKind::Gone => KindWord::Gone,
        CauseKind::New => KindWord::New,
        CauseKind::Tried => KindWord::Tried,
    }
}

fn change<'r>(change: &Change<'r>) -> ChangeRow<'r> {
    let [was, is] = change.exchanges;
    let state = |cell: &'r easrig_scenario::Cell, exchange: Option<ExchangeNumber>| StateRow {
        verdict: cell.verdict,
        version: cell.id.version.map(|version| version.to_string()),
        reason: &cell.reason,
        code: cell.device_error.as_ref().filter(|_| cell.verdict == Verdict::Blocked).map(|error| error.code.as_str()),
        exchange: exchange.map(|number| number.0),
    };
    ChangeRow {
        persona: &change.id.persona,
        scenario: &change.id.scenario,
        class: change.class,
        transition: change.transition(),
        before: change.before.map(|cell| state(cell, was)),
        after: change.after.map(|cell| state(cell, is)),
        rewritten: change.rewritten,
        known: change.known,
        said: change.said.as_ref().map(said),
    }
}

fn target<'r>(comparison: &'r Comparison<'_>) -> TargetRow<'r> {
    let change = &comparison.target;
    let words = |versions: &[easrig_eas::Version]| versions.iter().map(ToString::to_string).collect();
    TargetRow {
        software: &change.software,
        versions_lost: words(&change.versions_lost),
        versions_won: words(&change.versions_won),
        tls_lost: change.tls_lost.iter().map(|version| version.name()).collect(),
        tls_won: change.tls_won.iter().map(|version| version.name()).collect(),
        commands_lost: &change.commands_lost,
        commands_won: &change.commands_won,
        limits: &change.limits,
    }
}

fn pace<'r>(pace: &Pace<'r>) -> TimeRow<'r> {
    TimeRow {
        command: pace.command,
        persona: pace.persona,
        before_us: pace.before,
        after_us: pace.after,
        half_before_us: pace.half_before,
        half_after_us: pace.half_after,
        scenarios: pace.scenarios,
        times: pace.times,
    }
}

#[cfg(test)]
mod tests {
    use super::compare_schema;

    #[test]
    fn the_published_schema_is_the_one_of_this_build() {
        let published = include_str!("../../../../docs/schema/compare.schema.json");
        assert_eq!(
            published,
            compare_schema(),
            "write the new one: cargo run -p easrig-report --example compare_schema"
        );
    }
}
