//! What is behind the changes: one row for each thing that an administrator can act on.

use std::collections::{BTreeSet, HashMap};

use easrig_eas::Version;
use easrig_exchange::TlsVersion;
use easrig_scenario::{Cell, CellId, Confidence, DeviceError, Finding, Requirement, Verdict, event::TlsAsked};

use super::{
    answers::Refusals,
    change::{Change, Class},
    normal::normal,
    sides::{Row, texts_side_by_side},
    target::TargetChange,
};
use crate::{
    Run,
    baseline::flat,
    words::{Argument, Text, Words},
};

/// One thing to act on, with every cell that it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause<'r> {
    /// What it means at worst. Improvements are among themselves.
    pub class: Class,
    /// What it is.
    pub kind: CauseKind<'r>,
    /// The cells, in the order of the later run. Never empty.
    pub changes: Vec<Change<'r>>,
}

/// What is behind a change: of an improvement what was there before, otherwise what is there now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CauseKind<'r> {
    /// HTTP 401 where the same phones were let in.
    SignIn {
        /// The ways of signing in that the server offers instead; empty when it names none.
        offered: Vec<String>,
    },
    /// The server and these phones have no protocol version in common any more.
    VersionFloor {
        /// What the server offers.
        offered: Vec<Version>,
    },
    /// The server does not take these TLS versions any more.
    TlsGone(Vec<TlsVersion>),
    /// The server takes these TLS versions, which it refused before.
    TlsBack(Vec<TlsVersion>),
    /// The server does not offer this protocol version any more.
    VersionGone(Version),
    /// The server does not offer this command any more.
    CommandGone(String),
    /// Phones show an error.
    Device(&'r DeviceError),
    /// A requirement is broken.
    Finding(&'r Finding),
    /// It works with a loss; the reason says which.
    Loss(&'r str),
    /// It could not be told; the reason says why.
    Untold(&'r str),
    /// Nothing was sent; the reason says why.
    Skipped(&'r str),
    /// Only what was said is otherwise than approved: the first line that is.
    Said(Row),
    /// The later run does not have the cells.
    Gone,
    /// The earlier run did not have the cells.
    New,
    /// What was not told or not tried before passes now.
    Tried,
}

impl Cause<'_> {
    /// The personas concerned, each once, in the order of the run.
    pub fn personas(&self) -> Vec<&str> {
        once(self.changes.iter().map(|change| change.id.persona.as_str()))
    }

    /// The scenarios and invariants concerned, each once, in the order of the run.
    pub fn scenarios(&self) -> Vec<&str> {
        once(self.changes.iter().map(|change| change.id.scenario.as_str()))
    }

    /// How many of its cells changed in this way.
    pub fn count(&self, class: Class) -> usize {
        self.changes.iter().filter(|change| change.class == class).count()
    }

    /// Why its cells are accepted, each reason once; empty where no cell is a known deviation.
    pub fn known(&self) -> Vec<&str> {
        once(self.changes.iter().filter_map(|change| change.known))
    }

    /// What it is, as one sentence without a full stop.
    pub fn title(&self) -> String {
        self.said(Words::english()).plain()
    }

    /// The same in the language of `words`.
    pub(crate) fn said(&self, words: Words) -> Text {
        let no_more = self.class == Class::Improvement;
        let reasoned = |key: &str, reason: &str| words.with(key, vec![("reason", words.told(reason).into())]);
        let either = |better: &'static str, worse: &'static str| if no_more { better } else { worse };
        match &self.kind {
            CauseKind::SignIn { .. } if no_more => words.say("cause.let_in"),
            CauseKind::SignIn { offered } if offered.is_empty() => words.say("cause.password"),
            CauseKind::SignIn { offered } if offered.iter().any(|scheme| scheme.eq_ignore_ascii_case("basic")) => {
                words.say("cause.password_basic")
            }
            CauseKind::SignIn { offered } => words.one("cause.basic_off", "schemes", &offered.join(", ")),
            CauseKind::VersionFloor { offered } => words.one("cause.floor", "versions", &list(offered)),
            CauseKind::TlsGone(versions) => words.with("cause.tls_gone", counted(versions)),
            CauseKind::TlsBack(versions) => words.with("cause.tls_back", counted(versions)),
            CauseKind::VersionGone(version) => words.one("cause.version_gone", "version", &version.to_string()),
            CauseKind::CommandGone(command) => words.one("cause.command_gone", "command", command),
            CauseKind::Device(error) => words.with(
                either("cause.screen_no_more", "cause.screen"),
                vec![("screen", words.told(&screen(error)).into())],
            ),
            CauseKind::Finding(finding) => {
                let what = if no_more { &finding.expected } else { &finding.actual };
                let arguments =
                    vec![("requirement", finding.requirement.as_str().into()), ("what", words.told(what).into())];
                words.with(either("cause.held", "cause.broken"), arguments)
            }
            CauseKind::Loss(reason) => reasoned(either("cause.lost_no_more", "cause.lost"), reason),
            CauseKind::Untold(reason) => reasoned("cause.untold", reason),
            CauseKind::Skipped(reason) => reasoned("cause.skipped", reason),
            CauseKind::Said(row) => match (&row.before, &row.after) {
                (Some(was), Some(is)) => {
                    words.with("cause.said_instead", vec![("was", was.trim().into()), ("is", is.trim().into())])
                }
                (None, Some(is)) => words.one("cause.said_more", "is", is.trim()),
                (Some(was), None) => words.one("cause.said_less", "was", was.trim()),
                (None, None) => words.say("change.otherwise"),
            },
            CauseKind::Gone => words.say("cause.gone"),
            CauseKind::New => words.say("cause.new"),
            CauseKind::Tried => words.say("cause.tried"),
        }
    }

    /// What to change, for the administrator; `None` where nobody knows, or nothing has to be done.
    pub fn remedy(&self, after: &Run) -> Option<String> {
        if matches!(self.class, Class::Improvement) {
            return None;
        }
        let text = match &self.kind {
            CauseKind::SignIn { offered } if offered.iter().any(|scheme| scheme.eq_ignore_ascii_case("basic")) => {
                PASSWORD.to_owned()
            }
            CauseKind::SignIn { .. } => BASIC_OFF.to_owned(),
            CauseKind::VersionFloor { .. } | CauseKind::VersionGone(_) => VERSIONS.to_owned(),
            CauseKind::TlsGone(_) => TLS.to_owned(),
            CauseKind::CommandGone(_) => COMMANDS.to_owned(),
            CauseKind::Device(error) => error.remedy.trim_end().to_owned(),
            CauseKind::Finding(_) | CauseKind::Loss(_) => {
                let card = self.scenarios().into_iter().find_map(|id| after.scenarios.get(id)?.fix.clone());
                card.unwrap_or_default()
            }
            _ => String::new(),
        };
        (!text.is_empty()).then_some(text)
    }

    /// The broken requirement in plain words, where it is one of the standard's.
    pub fn requirement(&self) -> Option<&'static str> {
        let CauseKind::Finding(finding) = &self.kind else { return None };
        Requirement::find(&finding.requirement).map(|row| row.paraphrase)
    }
}

const PASSWORD: &str = "See whether the test account's password still holds, and whether the account is locked. If it \
    does: the sign-in of the server, or of what stands before it, does not accept what it did before.";

const BASIC_OFF: &str = "Allow Basic for ActiveSync where the server can: Get-ActiveSyncVirtualDirectory | \
    Set-ActiveSyncVirtualDirectory -BasicAuthEnabled $true, and no authentication policy with BlockLegacyAuthActiveSync \
    on these users. Exchange Online cannot switch it on again: these owners need a phone or a program that signs in with \
    tokens.";

const VERSIONS: &str = "See which versions the server announces (MS-ASProtocolVersions) and whether a proxy shortens the \
    list. Where the product has dropped them, phones that speak nothing newer have to be replaced.";

const TLS: &str = "Phones that speak nothing newer cannot connect. Whoever must keep them for a while can let them in by a \
    reverse proxy of their own that still takes the old version; TLS 1.0 and 1.1 are obsolete (RFC 8996), so the lasting \
    way is another phone.";

const COMMANDS: &str = "See whether the product still has this command, and whether a proxy shortens the list \
    (MS-ASProtocolCommands).";

/// Those of them that are not a phone's or a scenario's own.
#[cfg(test)]
pub(crate) const REMEDIES: [&str; 5] = [PASSWORD, BASIC_OFF, VERSIONS, COMMANDS, TLS];

/// What the owner reads: code and text, as far as there are both, and whether that is certain.
pub(crate) fn screen(error: &DeviceError) -> String {
    let mark = match error.confidence {
        Confidence::High | Confidence::Med => "",
        Confidence::Low => " (inferred, not read on a device)",
        Confidence::Unverified => " (unverified)",
    };
    match (error.code.is_empty(), error.message.trim().trim_end_matches('.')) {
        (true, text) => format!("“{text}”{mark}"),
        (false, "") => format!("{}{mark}", error.code),
        (false, text) => format!("{} “{text}”{mark}", error.code),
    }
}

pub(super) fn list(versions: &[Version]) -> String {
    versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn counted(versions: &[TlsVersion]) -> Vec<(&'static str, Argument)> {
    let names: Vec<String> = versions.iter().map(ToString::to_string).collect();
    vec![("n", versions.len().into()), ("versions", names.join(", ").into())]
}

fn once<'t>(names: impl Iterator<Item = &'t str>) -> Vec<&'t str> {
    let mut seen = BTreeSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}

/// Every change under its cause, the worst first and then those that change most cells.
pub(super) fn causes<'r>(
    before: &'r Run,
    after: &'r Run,
    changes: &[Change<'r>],
    target: &TargetChange,
) -> Vec<Cause<'r>> {
    let finder = Finder::of(before, after, target);
    let mut causes: Vec<Cause<'r>> = Vec::new();
    let mut places: HashMap<(bool, Key), usize> = HashMap::new();
    for change in changes {
        let kind = finder.kind(change);
        let better = change.class == Class::Improvement;
        let place = *places.entry((better, key(&kind))).or_insert_with(|| {
            causes.push(Cause { class: change.class, kind, changes: Vec::new() });
            causes.len() - 1
        });
        if let Some(cause) = causes.get_mut(place) {
            cause.class = cause.class.min(change.class);
            cause.changes.push(*change);
        }
    }
    causes.sort_by_key(|cause| (cause.class, std::cmp::Reverse(cause.count(cause.class))));
    causes
}

/// What makes two changes have the same cause.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    SignIn,
    Versions(Vec<Version>),
    Tls(bool, Vec<TlsVersion>),
    Command(String),
    /// What helps; where nobody knows what does, what is shown.
    Device(String),
    Finding(String, String),
    Reason(u8, String),
    /// What was said, and what is.
    Said(Option<String>, Option<String>),
}

fn key(kind: &CauseKind<'_>) -> Key {
    let plain = |text: &str| normal(text).into_owned();
    match kind {
        CauseKind::SignIn { .. } => Key::SignIn,
        CauseKind::VersionFloor { offered } => Key::Versions(offered.clone()),
        CauseKind::VersionGone(version) => Key::Versions(vec![*version, *version]),
        CauseKind::TlsGone(versions) => Key::Tls(false, versions.clone()),
        CauseKind::TlsBack(versions) => Key::Tls(true, versions.clone()),
        CauseKind::CommandGone(command) => Key::Command(command.clone()),
        CauseKind::Device(error) if error.remedy.trim().is_empty() => Key::Device(screen(error)),
        CauseKind::Device(error) => Key::Device(error.remedy.trim().to_owned()),
        CauseKind::Finding(finding) => Key::Finding(finding.requirement.clone(), plain(&finding.actual)),
        CauseKind::Loss(reason) => Key::Reason(0, plain(reason)),
        CauseKind::Untold(reason) => Key::Reason(1, plain(reason)),
        CauseKind::Skipped(reason) => Key::Reason(2, plain(reason)),
        CauseKind::Said(row) => Key::Said(row.before.clone(), row.after.clone()),
        CauseKind::Gone => Key::Reason(3, String::new()),
        CauseKind::New => Key::Reason(4, String::new()),
        CauseKind::Tried => Key::Reason(5, String::new()),
    }
}

/// Finds out what is behind a change.
struct Finder<'r, 't> {
    before: Side<'r>,
    after: Side<'r>,
    target: &'t TargetChange,
}

/// A run, with its cells at hand.
struct Side<'r> {
    run: &'r Run,
    refusals: Refusals<'r>,
    cells: HashMap<&'r CellId, &'r Cell>,
}

impl<'r> Side<'r> {
    fn of(run: &'r Run) -> Self {
        Self { run, refusals: Refusals::of(run), cells: run.cells.iter().map(|cell| (&cell.id, cell)).collect() }
    }

    /// The cell that met the device error first.
    fn first(&self, cell: &'r Cell) -> &'r Cell {
        cell.blocked_by.as_ref().and_then(|id| self.cells.get(id)).copied().unwrap_or(cell)
    }

    /// The ways of signing in that are offered, when the cell ended in HTTP 401.
    fn refusal(&self, cell: &'r Cell) -> Option<&'r [String]> {
        let last = self.first(cell).exchanges.last().or_else(|| cell.exchanges.last())?;
        self.refusals.at(*last)
    }

    fn bad(&self, cell: &'r Cell) -> Option<CauseKind<'r>> {
        match cell.verdict {
            Verdict::Blocked => {
                if let Some(offered) = self.refusal(cell) {
                    return Some(CauseKind::SignIn { offered: offered.to_vec() });
                }
                let error = self.first(cell).device_error.as_ref().or(cell.device_error.as_ref());
                Some(error.map_or(CauseKind::Loss(&cell.reason), CauseKind::Device))
            }
            Verdict::Inconclusive => match self.refusal(cell) {
                Some(offered) => Some(CauseKind::SignIn { offered: offered.to_vec() }),
                None => Some(CauseKind::Untold(&cell.reason)),
            },
            Verdict::Skipped => Some(CauseKind::Skipped(&cell.reason)),
            Verdict::Fail | Verdict::Degraded | Verdict::Pass => None,
        }
    }
}

impl<'r, 't> Finder<'r, 't> {
    fn of(before: &'r Run, after: &'r Run, target: &'t TargetChange) -> Self {
        Self { before: Side::of(before), after: Side::of(after), target }
    }

    fn kind(&self, change: &Change<'r>) -> CauseKind<'r> {
        match (change.before, change.after) {
            (Some(was), Some(is)) if change.is_only_said() => CauseKind::Said(first_otherwise(change, was, is)),
            (_, None) => CauseKind::Gone,
            (Some(_), Some(is))
                if change.id.scenario == TlsAsked::CELL
                    && is.verdict == Verdict::Pass
                    && !self.target.tls_won.is_empty() =>
            {
                CauseKind::TlsBack(self.target.tls_won.clone())
            }
            (Some(was), Some(_)) if change.class == Class::Improvement => self.was(was, &change.healed()),
            (_, Some(is)) => self.is(is, change),
        }
    }

    fn was(&self, was: &'r Cell, healed: &[&'r Finding]) -> CauseKind<'r> {
        let finding = || worst(healed).map(CauseKind::Finding);
        self.before.bad(was).or_else(finding).unwrap_or(CauseKind::Loss(&was.reason))
    }

    fn is(&self, is: &'r Cell, change: &Change<'r>) -> CauseKind<'r> {
        if let Some(kind) = self.announced(is, change) {
            return kind;
        }
        if let Some(kind) = self.after.bad(is) {
            return kind;
        }
        match worst(&change.fresh()) {
            Some(finding) => CauseKind::Finding(finding),
            None if matches!(is.verdict, Verdict::Degraded) => CauseKind::Loss(&is.reason),
            None if change.before.is_none() => CauseKind::New,
            None if is.verdict == Verdict::Pass => CauseKind::Tried,
            None => is.findings.first().map_or(CauseKind::Loss(&is.reason), CauseKind::Finding),
        }
    }

    /// What the server itself says it has no more, when that is what the cell is about.
    fn announced(&self, is: &'r Cell, change: &Change<'r>) -> Option<CauseKind<'r>> {
        if matches!(is.verdict, Verdict::Pass | Verdict::Degraded) || change.class == Class::News {
            return None;
        }
        if is.id.scenario == TlsAsked::CELL && !self.target.tls_lost.is_empty() {
            return Some(CauseKind::TlsGone(self.target.tls_lost.clone()));
        }
        // Only what this phone was told itself: one that cannot sign in never gets as far.
        let seen = self.after.run.seen.iter().find(|seen| seen.persona == is.id.persona);
        let speaks =
            self.after.run.personas.get(&is.id.persona).map(|card| card.versions.as_slice()).unwrap_or_default();
        if let Some(seen) = seen
            && !speaks.is_empty()
            && !speaks.iter().any(|version| seen.versions.contains(version))
        {
            return Some(CauseKind::VersionFloor { offered: seen.versions.clone() });
        }
        if let (Verdict::Skipped, Some(version)) = (is.verdict, is.id.version)
            && self.target.versions_lost.contains(&version)
        {
            return Some(CauseKind::VersionGone(version));
        }
        let commands = self.after.run.scenarios.get(&is.id.scenario).map(|card| card.commands.as_slice());
        let lost = commands.unwrap_or_default().iter().find(|command| self.target.commands_lost.contains(*command))?;
        Some(CauseKind::CommandGone(lost.clone()))
    }
}

/// The first line that is otherwise; of a cell in which nothing was sent, why.
fn first_otherwise(change: &Change<'_>, was: &Cell, is: &Cell) -> Row {
    let rows = change.said.map(|said| texts_side_by_side(said.before, said.after)).unwrap_or_default();
    let why = |cell: &Cell| Some(format!("{}: {}", cell.verdict, flat(&cell.reason)));
    let alone = || Row { before: why(was), after: why(is), is_same: false };
    rows.into_iter().find(|row| !row.is_same).unwrap_or_else(alone)
}

/// The most binding of the findings.
fn worst<'r>(findings: &[&'r Finding]) -> Option<&'r Finding> {
    findings.iter().copied().min_by_key(|finding| finding.level)
}
