//! One cell in both runs, and what to make of the difference.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
};

use easrig_eas::Version;
use easrig_exchange::ExchangeNumber;
use easrig_scenario::{Cell, CellId, Finding, Level, Verdict};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    Run, Said,
    baseline::{Transcripts, flat, shortened},
    safe,
};

/// What a difference means, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// It worked, and does not any more; or it breaks more than it did.
    Regression,
    /// What was known before cannot be told any more.
    Unclear,
    /// It did not work, and does now; or it breaks less than it did.
    Improvement,
    /// It is otherwise, and neither better nor worse as far as can be told.
    News,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Regression => "regression",
            Self::Unclear => "unclear",
            Self::Improvement => "improvement",
            Self::News => "news",
        })
    }
}

/// A cell that came to something else, is new or is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<'r> {
    /// The address of the later cell, or of the earlier one when that is gone.
    pub id: &'r CellId,
    /// The cell of the earlier run; `None` when it is new.
    pub before: Option<&'r Cell>,
    /// The cell of the later run; `None` when it is gone.
    pub after: Option<&'r Cell>,
    /// What it means.
    pub class: Class,
    /// Whether the file of the scenario or of the persona is not the same in both runs, so that the target may not be the
    /// reason.
    pub rewritten: bool,
    /// Why it is accepted, when the later run was held against known deviations and it is one.
    pub known: Option<&'r str>,
    /// What it said and says, when the earlier side is a baseline.
    pub said: Option<Said<'r>>,
    /// The exchanges that it is about, of the earlier and of the later run, as far as there are any.
    pub exchanges: [Option<ExchangeNumber>; 2],
}

impl<'r> Change<'r> {
    /// What it was and what it is: `pass → blocked (86000C2B)`, `new → pass`, `fail → gone`.
    pub fn transition(&self) -> String {
        let (was, is) = (word(self.before, "new"), word(self.after, "gone"));
        if was != is {
            return format!("{was} → {is}");
        }
        let more = self.fresh().into_iter().next();
        let less = self.healed().into_iter().next();
        match (more, less) {
            (Some(finding), _) => format!("{was} → {is}, breaks {}", safe(&finding.requirement)),
            (None, Some(finding)) => format!("{was} → {is}, breaks {} no more", safe(&finding.requirement)),
            (None, None) => format!("{was} → {is}, otherwise"),
        }
    }

    /// Whether the verdict, the findings and what the owner sees are the same, and only what was said is not.
    pub(super) fn is_only_said(&self) -> bool {
        let (Some(was), Some(is)) = (self.before, self.after) else { return false };
        let same = was.verdict == is.verdict && shown(was).map(flat) == shown(is).map(flat);
        self.said.is_some() && same && self.fresh().is_empty() && self.healed().is_empty()
    }

    /// The versions spoken before and after, when they are not the same.
    pub fn versions(&self) -> Option<(Version, Version)> {
        let (before, after) = (self.before?.id.version?, self.after?.id.version?);
        (before != after).then_some((before, after))
    }

    /// The findings of the later cell that the earlier one did not have.
    pub fn fresh(&self) -> Vec<&'r Finding> {
        only_in(self.after, self.before)
    }

    /// The findings of the earlier cell that the later one does not have.
    pub fn healed(&self) -> Vec<&'r Finding> {
        only_in(self.before, self.after)
    }
}

/// The verdict, with the code that the owner sees when the cell is blocked by it.
fn word(cell: Option<&Cell>, absent: &str) -> String {
    let Some(cell) = cell else { return absent.to_owned() };
    let error = cell.device_error.as_ref().filter(|error| cell.verdict == Verdict::Blocked && !error.code.is_empty());
    error.map_or_else(|| cell.verdict.to_string(), |error| format!("{} ({})", cell.verdict, safe(&error.code)))
}

/// The code on the screen of a blocked cell, or its text where there is no code.
fn shown(cell: &Cell) -> Option<&str> {
    let error = cell.device_error.as_ref().filter(|_| cell.verdict == Verdict::Blocked)?;
    Some(if error.code.is_empty() { &error.message } else { &error.code })
}

fn only_in<'r>(here: Option<&'r Cell>, there: Option<&Cell>) -> Vec<&'r Finding> {
    let known: BTreeSet<_> = there.into_iter().flat_map(|cell| &cell.findings).map(said).collect();
    let own = here.into_iter().flat_map(|cell| &cell.findings);
    own.filter(|finding| !known.contains(&said(finding))).collect()
}

/// A finding without what changes from run to run.
fn said(finding: &Finding) -> (String, Level, String, String) {
    let [expected, actual] = [&finding.expected, &finding.actual].map(|text| flat(text));
    (finding.requirement.clone(), finding.level, expected, actual)
}

/// Every cell of both runs that is not the same, in the order of the later run, gone ones behind; and how many are. With
/// a baseline, the same is what its snapshots say.
pub(super) fn changes<'r>(
    before: &'r Run,
    after: &'r Run,
    transcripts: Option<&Transcripts<'r>>,
) -> (Vec<Change<'r>>, usize) {
    let scenarios = rewritten(&before.started.scenarios, &after.started.scenarios);
    let personas = rewritten(&before.started.personas, &after.started.personas);
    let orders = before.started.allowed == after.started.allowed;
    let mut changes = Vec::new();
    let mut same = 0;
    for (was, is) in pairs(before, after) {
        let Some(id) = is.or(was).map(|cell| &cell.id) else { continue };
        let rewritten = scenarios.contains(id.scenario.as_str()) || personas.contains(id.persona.as_str());
        let judge = Judge { before, after, rewritten, same_orders: transcripts.is_some() || orders };
        let said = transcripts.map(|transcripts| transcripts.differ(was, is));
        let class = match said {
            // What no verdict shows is news all the same.
            Some(Some(said))
                if !said.before.is_empty() || !said.after.is_empty() || (was.is_some() && is.is_some()) =>
            {
                Some(judge.class(was, is).unwrap_or(Class::News))
            }
            Some(None) => None,
            _ => judge.class(was, is),
        };
        let Some(class) = class else {
            same += 1;
            continue;
        };
        let known = is.and_then(|is| after.known(is));
        let class = if known.is_some() { Class::News } else { class };
        let (exchanges, said) = ([None, None], said.flatten());
        changes.push(Change { id, before: was, after: is, class, rewritten, known, said, exchanges });
    }
    (changes, same)
}

/// Ids whose files differ, by the checksums of both runs; where one has none, they pass for the same.
fn rewritten<'r>(before: &'r [(String, String)], after: &'r [(String, String)]) -> BTreeSet<&'r str> {
    let earlier: BTreeMap<&str, &str> = before.iter().map(|(id, sum)| (&**id, &**sum)).collect();
    // Of a baseline only the beginnings are known.
    let differs = |was: &&str, is: &str| !was.is_empty() && !is.is_empty() && shortened(was) != shortened(is);
    let later = after.iter().filter(|(id, sum)| earlier.get(&**id).is_some_and(|was| differs(was, sum)));
    later.map(|(id, _)| id.as_str()).collect()
}

type Pair<'r> = (Option<&'r Cell>, Option<&'r Cell>);

/// The cells of both runs that belong together. A phone that chose its version itself is the same with another one; where
/// a run has several versions, each is a cell of its own.
pub(super) fn pairs<'r>(before: &'r Run, after: &'r Run) -> Vec<Pair<'r>> {
    type Key<'r> = (&'r str, &'r str);
    fn key(cell: &Cell) -> Key<'_> {
        (&cell.id.persona, &cell.id.scenario)
    }
    let mut earlier: HashMap<Key<'_>, Vec<&Cell>> = HashMap::new();
    for cell in &before.cells {
        earlier.entry(key(cell)).or_default().push(cell);
    }
    let mut count: HashMap<Key<'_>, usize> = HashMap::new();
    for cell in &after.cells {
        *count.entry(key(cell)).or_default() += 1;
    }
    let mut out: Vec<Pair<'r>> = Vec::with_capacity(after.cells.len());
    let mut open: Vec<usize> = Vec::new();
    for cell in &after.cells {
        let was = earlier.get_mut(&key(cell)).and_then(|cells| {
            let alone = cells.len() == 1 && count.get(&key(cell)) == Some(&1);
            let place = cells.iter().position(|was| alone || was.id.version == cell.id.version)?;
            Some(cells.remove(place))
        });
        if was.is_none() {
            open.push(out.len());
        }
        out.push((was, Some(cell)));
    }
    // A cell without version is one whose phone never got as far as choosing: it stands for the one that is left.
    for place in open {
        let Some(pair) = out.get_mut(place) else { continue };
        let Some(cells) = pair.1.and_then(|cell| earlier.get_mut(&key(cell))) else { continue };
        let vague = pair.1.is_some_and(|cell| cell.id.version.is_none());
        if let [left] = cells[..]
            && (vague || left.id.version.is_none())
        {
            cells.clear();
            pair.0 = Some(left);
        }
    }
    let left: BTreeSet<_> = earlier.values().flatten().map(|cell| &cell.id).collect();
    out.extend(before.cells.iter().filter(|cell| left.contains(&cell.id)).map(|cell| (Some(cell), None)));
    out
}

/// What a pair of cells comes to.
struct Judge<'r> {
    before: &'r Run,
    after: &'r Run,
    rewritten: bool,
    /// Whether both runs were allowed the same.
    same_orders: bool,
}

impl Judge<'_> {
    /// `None` when it is the same.
    fn class(&self, was: Option<&Cell>, is: Option<&Cell>) -> Option<Class> {
        let class = match (was, is) {
            (Some(was), Some(is)) => self.transition(was, is)?,
            (Some(was), None) if Self::holds_on(was, self.after) => return None,
            (Some(_), None) => Class::Unclear,
            (None, Some(is)) if Self::holds_on(is, self.before) => return None,
            (None, Some(is)) => self.appeared(is),
            (None, None) => return None,
        };
        // Another scenario, or another phone: what broke may be what it asks for.
        Some(if self.rewritten && class == Class::Regression { Class::Unclear } else { class })
    }

    /// An invariant has a cell where an exchange concerns it. One that was kept, and in the other run had nothing to be kept
    /// by, was broken in neither.
    fn holds_on(cell: &Cell, other: &Run) -> bool {
        cell.verdict == Verdict::Pass && ran_without(cell, other)
    }

    /// An invariant that had no cell was not broken.
    fn appeared(&self, is: &Cell) -> Class {
        if is.verdict == Verdict::Fail && ran_without(is, self.before) { Class::Regression } else { Class::News }
    }

    fn transition(&self, was: &Cell, is: &Cell) -> Option<Class> {
        use Verdict::{Blocked, Degraded, Fail, Inconclusive, Pass, Skipped};
        match (was.verdict, is.verdict) {
            (Skipped, Skipped) | (Inconclusive, Inconclusive) => None,
            (Pass | Degraded, Skipped) => Some(self.skipped(was, is)),
            (Skipped, _) | (_, Skipped) => Some(Class::News),
            (Pass | Degraded, Inconclusive) => Some(Class::Unclear),
            (Inconclusive, _) | (_, Inconclusive) => Some(Class::News),
            (Pass, Pass) | (Degraded, Degraded) => slips(was, is),
            (Pass, Degraded) | (Pass | Degraded, Blocked | Fail) | (Fail, Blocked) => Some(Class::Regression),
            (Degraded | Blocked | Fail, Pass) | (Blocked | Fail, Degraded) => Some(Class::Improvement),
            // It got further, and what it met there may have been there all along.
            (Blocked, Fail) => Some(Class::News),
            (Blocked, Blocked) => (shown(was) != shown(is)).then_some(Class::News),
            (Fail, Fail) => fails(was, is),
        }
    }

    /// It was tried, and is not any more.
    fn skipped(&self, was: &Cell, is: &Cell) -> Class {
        let offers = |run: &Run| {
            let seen = run.seen.iter().find(|seen| seen.persona == is.id.persona);
            seen.map(|seen| is.id.version.is_some_and(|version| seen.versions.contains(&version)))
        };
        if was.id.version == is.id.version && offers(self.before) == Some(true) && offers(self.after) == Some(false) {
            Class::Regression
        } else if was.id.version == is.id.version && self.same_orders {
            // Same phone, same version, same orders: the target has not what it takes any more.
            Class::Unclear
        } else {
            Class::News
        }
    }
}

/// Whether it is an invariant, and its persona was in the other run.
fn ran_without(cell: &Cell, other: &Run) -> bool {
    cell.id.scenario.starts_with("invariant/") && other.cells.iter().any(|one| one.id.persona == cell.id.persona)
}

/// Two cells that do not fail: slips below `must` are told.
fn slips(was: &Cell, is: &Cell) -> Option<Class> {
    let (more, less) = (broken(is, was), broken(was, is));
    if more {
        Some(Class::News)
    } else if less {
        Some(Class::Improvement)
    } else {
        None
    }
}

/// Two cells that fail: by which requirements, and then in which words.
fn fails(was: &Cell, is: &Cell) -> Option<Class> {
    if broken(is, was) {
        Some(Class::Regression)
    } else if broken(was, is) {
        Some(Class::Improvement)
    } else {
        let words = |cell: &Cell| cell.findings.iter().map(said).collect::<BTreeSet<_>>();
        (words(was) != words(is)).then_some(Class::News)
    }
}

/// Whether `here` breaks a requirement that `there` does not.
fn broken(here: &Cell, there: &Cell) -> bool {
    let breaks = |cell: &Cell, wanted: &Finding| {
        cell.findings.iter().any(|one| (&one.requirement, one.level) == (&wanted.requirement, wanted.level))
    };
    here.findings.iter().any(|finding| !breaks(there, finding))
}
