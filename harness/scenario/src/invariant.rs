//! What has to hold on every exchange, whatever the scenario: one file per invariant, one list of them all.
//!
//! A wrong verdict about somebody's server is the worst mistake this room can make. So an invariant speaks only of
//! answers that it understands, and where the standard leaves something open, both ways pass.

mod advertised;
pub(crate) mod answer_shape;
mod body_size;
mod content_type;
mod discovery;
mod document;
mod echo;
mod empty_answer;
mod http_status;
mod patience;
mod robustness;
mod status;
mod sync_key;

use std::{borrow::Cow, collections::BTreeSet};

use easrig_eas::{Command, Version, headers};
use easrig_exchange::{Exchange, ExchangeNumber};

use crate::{Cell, CellId, Finding, Level, Strictness, Verdict, decoded::Decoded};

/// A rule for every exchange.
#[derive(Clone, Copy)]
pub struct Invariant {
    /// Its name; its cells are `invariant/<name>`.
    pub name: &'static str,
    /// The requirement its findings name; an invariant without one is named by its own name.
    pub requirement: Option<&'static str>,
    /// How binding it is, unless a finding says otherwise.
    pub level: Level,
    /// What holds when all is well, in one line.
    pub title: &'static str,
    /// What happens to the phone's owner when it breaks.
    pub why: &'static str,
    /// What to change on the server.
    pub fix: &'static str,
    concerns: fn(&Context<'_>) -> bool,
    check: fn(&Context<'_>) -> Vec<Slip>,
}

/// Every invariant, in the order of the report.
pub static INVARIANTS: [Invariant; 15] = [
    http_status::INVARIANT,
    content_type::INVARIANT,
    document::INVARIANT,
    answer_shape::INVARIANT,
    status::INVARIANT,
    empty_answer::INVARIANT,
    sync_key::INVARIANT,
    echo::INVARIANT,
    body_size::INVARIANT,
    advertised::INVARIANT,
    patience::INVARIANT,
    robustness::EMPTY_NODES,
    robustness::DOUBLE_CHANGES,
    robustness::CLIENT_TRAPS,
    discovery::INVARIANT,
];

impl Invariant {
    /// The invariant of this name.
    pub fn find(name: &str) -> Option<&'static Invariant> {
        INVARIANTS.iter().find(|invariant| invariant.name == name)
    }

    /// Whether the rule says anything about this exchange; an exchange without a whole answer is nobody's concern. A rule
    /// that concerned no exchange of a run has held nothing.
    pub fn concerns(&self, context: &Context<'_>) -> bool {
        whole(context) && (self.concerns)(context)
    }

    /// What this exchange does against the rule. An exchange without a whole answer breaks none.
    pub fn check(&self, context: &Context<'_>) -> Vec<Finding> {
        if !self.concerns(context) {
            return Vec::new();
        }
        let finding = |slip: Slip| Finding {
            requirement: slip.requirement.or(self.requirement).unwrap_or(self.name).to_owned(),
            level: slip.level.unwrap_or(self.level),
            expected: slip.expected.into_owned(),
            actual: slip.actual,
            exchange: Some(context.exchange.number),
        };
        (self.check)(context).into_iter().map(finding).collect()
    }
}

/// The cell of an invariant: what broke it, each way once.
pub fn cell(id: CellId, broken: Vec<Finding>, strictness: Strictness) -> Cell {
    let fails = |f: &Finding| strictness.fails(f.level);
    let exchanges: Vec<ExchangeNumber> = broken.iter().filter_map(|finding| finding.exchange).collect();
    let verdict = if broken.iter().any(fails) { Verdict::Fail } else { Verdict::Pass };
    let reason = broken
        .first()
        .map_or(String::new(), |first| format!("broken by {} exchanges; the first: {}", exchanges.len(), first.actual));
    let findings = gathered(broken);
    Cell { id, verdict, reason, blocked_by: None, device_error: None, findings, notes: Vec::new(), exchanges }
}

/// One finding for each way in which the rule was broken, at the exchange that showed it first.
pub(crate) fn gathered(broken: Vec<Finding>) -> Vec<Finding> {
    let mut ways: Vec<(Finding, usize)> = Vec::new();
    for finding in broken {
        let same = |(way, _): &&mut (Finding, usize)| {
            (&way.requirement, way.level, &way.expected, &way.actual)
                == (&finding.requirement, finding.level, &finding.expected, &finding.actual)
        };
        match ways.iter_mut().find(same) {
            Some((_, times)) => *times += 1,
            None => ways.push((finding, 1)),
        }
    }
    let told = |(mut finding, times): (Finding, usize)| {
        if times > 1 {
            finding.actual.push_str(&format!(" (seen {times} times)"));
        }
        finding
    };
    ways.into_iter().map(told).collect()
}

fn whole(context: &Context<'_>) -> bool {
    context.exchange.response().is_some_and(|response| response.cut.is_none())
}

/// Every whole answer.
fn every_answer(_: &Context<'_>) -> bool {
    true
}

/// Every answer to a command.
fn commands(context: &Context<'_>) -> bool {
    context.command().is_some()
}

/// Every answer that is a document.
fn documents(context: &Context<'_>) -> bool {
    context.decoded.answer.document().is_some()
}

impl std::fmt::Debug for Invariant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Invariant").field(&self.name).finish()
    }
}

/// One exchange as the invariants see it.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The exchange.
    pub exchange: &'a Exchange,
    /// The exchange with its layers off.
    pub decoded: &'a Decoded,
    /// What the same device exchanged before.
    pub history: &'a History,
}

impl Context<'_> {
    /// The version, where the request named one.
    fn version(&self) -> Option<Version> {
        self.decoded.version
    }

    fn command(&self) -> Option<Command> {
        self.decoded.command()
    }
}

/// What a device exchanged before, as far as invariants need it. One per device and version; after an exchange was
/// checked, [`History::learn`] takes it in.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Commands of the last `MS-ASProtocolCommands` seen.
    offered_commands: BTreeSet<String>,
    /// Versions of the last `MS-ASProtocolVersions` seen.
    offered_versions: BTreeSet<Version>,
    /// Contents may be filler: what is read back was redacted when it was written.
    masked: bool,
    /// The heartbeat of the last Ping that named one, in seconds: an empty Ping means it again.
    ping_heartbeat: Option<u32>,
}

impl History {
    /// The past of a device in a recording, whose contents may have been replaced by filler.
    pub fn of_recording() -> Self {
        Self { masked: true, ..Self::default() }
    }

    /// Takes an exchange in; also those that were not checked, in the order in which they were answered.
    pub fn learn(&mut self, exchange: &Exchange, decoded: &Decoded) {
        let Some(response) = exchange.response() else { return };
        if let Some(commands) = response.headers.get(headers::PROTOCOL_COMMANDS) {
            self.offered_commands = headers::list(commands).map(str::to_owned).collect();
        }
        if let Some(versions) = response.headers.get(headers::PROTOCOL_VERSIONS) {
            self.offered_versions = headers::list(versions).filter_map(|version| version.parse().ok()).collect();
        }
        if decoded.command() == Some(Command::Ping)
            && let Some(seconds) = patience::ping_heartbeat(decoded)
        {
            self.ping_heartbeat = Some(seconds);
        }
    }
}

/// One thing against the rule.
#[derive(Clone, Debug)]
struct Slip {
    expected: Cow<'static, str>,
    actual: String,
    requirement: Option<&'static str>,
    level: Option<Level>,
}

impl Slip {
    fn new(expected: impl Into<Cow<'static, str>>, actual: impl Into<String>) -> Self {
        Self { expected: expected.into(), actual: actual.into(), requirement: None, level: None }
    }

    fn of(mut self, requirement: &'static str) -> Self {
        self.requirement = Some(requirement);
        self
    }

    fn at_level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }
}

#[cfg(test)]
pub(crate) mod tests;
