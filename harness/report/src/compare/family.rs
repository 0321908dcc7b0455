//! What an upgrade means for the owners of a kind of phone: one sentence a family.

use std::collections::{BTreeMap, BTreeSet};

use easrig_eas::Version;
use easrig_scenario::{Cell, DeviceError, Verdict};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    cause::{Cause, CauseKind, list, screen},
    change::{Change, Class},
    target,
};
use crate::Run;

/// A kind of phone, as an administrator groups them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family<'r> {
    /// Its name: `Windows Phone`; the persona's id where the runs do not say.
    pub name: String,
    /// Its personas, in the order of the run.
    pub members: Vec<Member<'r>>,
    /// What became of it.
    pub fate: Fate,
    /// The same for people who do not read tables: what became of it, what its owners see, and why.
    pub sentence: String,
    /// What the administrator can change, when it is cut off and somebody knows.
    pub remedy: Option<String>,
}

/// One persona in both runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member<'r> {
    /// Its id.
    pub persona: &'r str,
    /// How it stood before.
    pub before: Standing,
    /// How it stands now.
    pub after: Standing,
    /// What most of its blocked cells show now.
    pub error: Option<&'r DeviceError>,
    /// The versions that it chose before and chooses now, when they are not the same.
    pub versions: Option<(Version, Version)>,
    /// How many of its cells changed for the worse.
    pub regressions: usize,
    /// How many changed for the better.
    pub improvements: usize,
    /// How many can no longer be told.
    pub unclear: usize,
    /// How many are otherwise, neither better nor worse.
    pub news: usize,
}

/// How a persona stands in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is not in the run, or everything was skipped.
    Absent,
    /// Its owner has what was tried, or most of it.
    Works,
    /// More of what was tried ends in an error on its screen than works.
    CutOff,
    /// Nothing could be told.
    Untold,
}

/// What became of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It worked, and all of it is cut off now.
    CutOff,
    /// Part of it is cut off now.
    PartlyCutOff,
    /// It works on, and something broke.
    Hurt,
    /// It worked, and cannot be told any more, or part of that.
    Unclear,
    /// It was cut off and still is.
    StillOut,
    /// It was cut off, and works now.
    LetIn,
    /// It works on, and something that was broken works now.
    Better,
    /// It is only in the later run.
    New,
    /// It is only in the earlier run.
    Gone,
    /// Nothing changed for its owners.
    Same,
}

impl Fate {
    /// In two words at most.
    pub fn word(self) -> &'static str {
        match self {
            Self::CutOff => "cut off",
            Self::PartlyCutOff => "partly cut off",
            Self::Hurt => "something broke",
            Self::Unclear => "cannot be told",
            Self::StillOut => "still cut off",
            Self::LetIn => "works again",
            Self::Better => "better",
            Self::New => "new",
            Self::Gone => "not tried",
            Self::Same => "no difference",
        }
    }
}

pub(super) fn families<'r>(before: &'r Run, after: &'r Run, causes: &[Cause<'r>]) -> Vec<Family<'r>> {
    let mut order: Vec<&str> = Vec::new();
    for cell in after.cells.iter().chain(&before.cells) {
        if !order.contains(&cell.id.persona.as_str()) {
            order.push(&cell.id.persona);
        }
    }
    let mut families: Vec<(String, Vec<Member<'r>>)> = Vec::new();
    for persona in order {
        let card = after.personas.get(persona).or_else(|| before.personas.get(persona));
        let name = card.map_or_else(|| persona.to_owned(), |card| card.family.clone());
        let member = member(persona, before, after, causes);
        match families.iter_mut().find(|(known, _)| *known == name) {
            Some((_, members)) => members.push(member),
            None => families.push((name, vec![member])),
        }
    }
    let family = |(name, members): (String, Vec<Member<'r>>)| {
        let fate = fate(&members);
        let teller = Teller { before, after, causes, members: &members };
        let (sentence, remedy) = (teller.sentence(&name, fate), teller.remedy(fate));
        Family { name, members, fate, sentence, remedy }
    };
    families.into_iter().map(family).collect()
}

fn member<'r>(persona: &'r str, before: &'r Run, after: &'r Run, causes: &[Cause<'r>]) -> Member<'r> {
    let count = |class| {
        let changes = causes.iter().flat_map(|cause| &cause.changes);
        changes.filter(|change| change.class == class && change.id.persona == persona).count()
    };
    Member {
        persona,
        before: standing(before, persona),
        after: standing(after, persona),
        error: shown(after, persona),
        versions: chosen(before, persona).zip(chosen(after, persona)).filter(|(was, is)| was != is),
        regressions: count(Class::Regression),
        improvements: count(Class::Improvement),
        unclear: count(Class::Unclear),
        news: count(Class::News),
    }
}

/// The scenarios of a persona; invariants tell about exchanges, not about owners.
fn cells<'r>(run: &'r Run, persona: &str) -> impl Iterator<Item = &'r Cell> {
    run.cells.iter().filter(move |cell| cell.id.persona == persona && !cell.id.scenario.starts_with("invariant/"))
}

pub(super) fn standing(run: &Run, persona: &str) -> Standing {
    let count = |wanted: &[Verdict]| cells(run, persona).filter(|cell| wanted.contains(&cell.verdict)).count();
    let works = count(&[Verdict::Pass, Verdict::Degraded, Verdict::Fail]);
    let blocked = count(&[Verdict::Blocked]);
    if blocked > works {
        Standing::CutOff
    } else if works > 0 {
        Standing::Works
    } else if count(&[Verdict::Inconclusive]) > 0 {
        Standing::Untold
    } else {
        Standing::Absent
    }
}

/// The error that most blocked cells show.
pub(crate) fn shown<'r>(run: &'r Run, persona: &str) -> Option<&'r DeviceError> {
    let blocked = cells(run, persona).filter(|cell| cell.verdict == Verdict::Blocked);
    let mut count: BTreeMap<(&str, &str), (usize, &DeviceError)> = BTreeMap::new();
    for error in blocked.filter_map(|cell| cell.device_error.as_ref()) {
        count.entry((&error.code, &error.message)).or_insert((0, error)).0 += 1;
    }
    count.into_values().max_by_key(|(times, _)| *times).map(|(_, error)| error)
}

/// The one version that it speaks in all of its cells.
fn chosen(run: &Run, persona: &str) -> Option<Version> {
    let spoken: BTreeSet<Version> = cells(run, persona).filter_map(|cell| cell.id.version).collect();
    spoken.first().copied().filter(|_| spoken.len() == 1)
}

fn fate(members: &[Member<'_>]) -> Fate {
    use Standing::{Absent, CutOff, Untold, Works};
    let all = |test: fn(&Member<'_>) -> bool| members.iter().all(test);
    let any = |test: fn(&Member<'_>) -> bool| members.iter().any(test);
    let is_lost = |member: &Member<'_>| member.before == Works && member.after == CutOff;
    if all(|member| member.before == Absent) {
        Fate::New
    } else if all(|member| member.after == Absent) {
        Fate::Gone
    } else if any(is_lost) {
        if all(|member| member.after == CutOff) { Fate::CutOff } else { Fate::PartlyCutOff }
    } else if any(|member| member.regressions > 0) {
        Fate::Hurt
    } else if any(|member| member.before == Works && matches!(member.after, Untold | Absent)) {
        Fate::Unclear
    } else if all(|member| member.before == CutOff && member.after == CutOff) {
        Fate::StillOut
    } else if any(|member| member.before == CutOff && member.after == Works) {
        Fate::LetIn
    } else if any(|member| member.unclear > 0) {
        Fate::Unclear
    } else if any(|member| member.improvements > 0) {
        Fate::Better
    } else {
        Fate::Same
    }
}

/// Whether somebody cannot get in.
fn is_out(fate: Fate) -> bool {
    matches!(fate, Fate::CutOff | Fate::PartlyCutOff | Fate::StillOut)
}

/// Puts it into words.
struct Teller<'t, 'r> {
    before: &'r Run,
    after: &'r Run,
    causes: &'t [Cause<'r>],
    members: &'t [Member<'r>],
}

impl<'r> Teller<'_, 'r> {
    fn sentence(&self, name: &str, fate: Fate) -> String {
        let head = |words: &str| format!("{name}: {words}.");
        let mut parts = vec![match fate {
            Fate::CutOff => head("cut off"),
            Fate::PartlyCutOff => {
                let mut words = format!("{} cut off", self.names(|m| m.after == Standing::CutOff));
                let (works, rest) = (Standing::Works, [Standing::Absent, Standing::Untold]);
                for (names, what) in [
                    (self.names(|m| m.after == works), "not"),
                    (self.names(|m| rest.contains(&m.after)), "cannot be told"),
                ] {
                    if !names.is_empty() {
                        words.push_str(&format!("; {names} {what}"));
                    }
                }
                head(&words)
            }
            Fate::Hurt => head(&format!("works, but {}", self.told(Class::Regression, "broke", "things broke"))),
            Fate::Unclear if self.members.iter().all(|m| m.after == Standing::Works) => {
                let unclear = self.told(Class::Unclear, "can no longer be told", "things can no longer be told");
                head(&format!("works, but {unclear}"))
            }
            Fate::Unclear => head("cannot be told any more, or not all of it"),
            Fate::StillOut => head("cut off, as before"),
            Fate::LetIn => head(&format!("works again ({})", self.names(|m| m.after == Standing::Works))),
            Fate::Better => head("what was broken works now, or part of it"),
            Fate::New => head("only in the later run, so that nothing can be said about it"),
            Fate::Gone => head("not in the later run"),
            Fate::Same if self.members.iter().any(|member| member.news > 0) => head("works as before"),
            Fate::Same => head("no difference"),
        }];
        if is_out(fate) {
            parts.extend(self.seen(self.after));
            parts.extend(self.reason());
            parts.extend(self.floor());
        }
        if fate == Fate::LetIn {
            parts.extend(self.seen(self.before).map(|text| text.replace("Its owners see", "Before, its owners saw")));
        }
        if !matches!(fate, Fate::CutOff | Fate::StillOut) {
            parts.extend(self.versions());
        }
        parts.join(" ")
    }

    fn names(&self, test: impl Fn(&Member<'_>) -> bool) -> String {
        let names: Vec<&str> = self.members.iter().filter(|member| test(member)).map(|member| member.persona).collect();
        names.join(", ")
    }

    fn is_mine(&self, persona: &str) -> bool {
        self.members.iter().any(|member| member.persona == persona)
    }

    /// The causes that made it worse, the one with most of its cells first.
    fn worse(&self) -> Vec<&Cause<'r>> {
        let is_mine = |change: &&Change<'r>| change.class == Class::Regression && self.is_mine(&change.id.persona);
        let mine = |cause: &&Cause<'r>| cause.changes.iter().filter(is_mine).count();
        let mut causes: Vec<&Cause<'r>> = self.causes.iter().collect();
        causes.retain(|cause| mine(cause) > 0);
        causes.sort_by_key(|cause| std::cmp::Reverse(mine(cause)));
        causes
    }

    /// Which of its scenarios changed in this way.
    fn told(&self, class: Class, one: &str, several: &str) -> String {
        let changes = self.causes.iter().flat_map(|cause| &cause.changes);
        let own = changes.filter(|change| change.class == class && self.is_mine(&change.id.persona));
        let scenarios: BTreeSet<&str> = own.map(|change| change.id.scenario.as_str()).collect();
        match (scenarios.first(), scenarios.len()) {
            (Some(scenario), 1) => format!("{scenario} {one}"),
            (_, count) => format!("{count} {several} ({})", first(scenarios, 3)),
        }
    }

    /// What its owners read on the screen.
    fn seen(&self, run: &Run) -> Option<String> {
        let errors: BTreeSet<String> =
            self.members.iter().filter_map(|member| shown(run, member.persona)).map(screen).collect();
        let errors: Vec<String> = errors.into_iter().collect();
        (!errors.is_empty()).then(|| format!("Its owners see {}.", errors.join(" or ")))
    }

    /// Why, where what they see does not say it.
    fn reason(&self) -> Option<String> {
        let cause = self.worse().into_iter().next()?;
        let is_basic_off = matches!(&cause.kind, CauseKind::SignIn { offered }
            if !offered.is_empty() && !offered.iter().any(|scheme| scheme.eq_ignore_ascii_case("basic")));
        let tokens = if is_basic_off { self.tokens() } else { String::new() };
        (!matches!(cause.kind, CauseKind::Device(_))).then(|| format!("Why: {}.{tokens}", cause.title()))
    }

    fn remedy(&self, fate: Fate) -> Option<String> {
        if !is_out(fate) {
            return None;
        }
        let known =
            || self.members.iter().filter_map(|member| member.error).map(|error| error.remedy.trim().to_owned());
        self.worse()
            .into_iter()
            .find_map(|cause| cause.remedy(self.after))
            .or_else(|| known().find(|text| !text.is_empty()))
    }

    /// Which of them could sign in with tokens, as far as the persona files know.
    fn tokens(&self) -> String {
        let knows = |member: &Member<'_>| self.after.personas.get(member.persona).and_then(|card| card.tokens);
        let able = self.names(|member| member.after == Standing::CutOff && knows(member) == Some(true));
        let unable = self.names(|member| member.after == Standing::CutOff && knows(member) == Some(false));
        match (able.is_empty(), unable.is_empty()) {
            (true, true) => String::new(),
            (true, false) => format!(" As far as is known, {unable} cannot sign in with tokens."),
            (false, true) => format!(" As far as is known, {able} can sign in with tokens; this run used a password."),
            (false, false) => format!(" As far as is known, {able} can sign in with tokens, and {unable} cannot."),
        }
    }

    /// Phones that have no version in common with the server would not be helped by signing in.
    fn floor(&self) -> Option<String> {
        let lacks = |member: &Member<'_>| {
            if member.after != Standing::CutOff {
                return false;
            }
            let speaks =
                self.after.personas.get(member.persona).map(|card| card.versions.as_slice()).unwrap_or_default();
            let offered = target::offered(self.after, member.persona);
            !speaks.is_empty() && offered.is_some_and(|offered| !speaks.iter().any(|version| offered.contains(version)))
        };
        let out: Vec<&Member<'_>> = self.members.iter().filter(|member| lacks(member)).collect();
        let offered = target::offered(self.after, out.first()?.persona)?;
        let spoken = out.iter().filter_map(|member| self.after.personas.get(member.persona)?.versions.iter().max());
        let newest = spoken.max()?;
        Some(format!(
            "The server speaks only {}, and {} nothing above {newest}: no setting of the phone helps.",
            list(offered),
            self.names(lacks)
        ))
    }

    fn versions(&self) -> Option<String> {
        let mut shifts: BTreeMap<(Version, Version), Vec<&str>> = BTreeMap::new();
        for member in self.members {
            if let Some(shift) = member.versions {
                shifts.entry(shift).or_default().push(member.persona);
            }
        }
        let told = shifts.into_iter().map(|((was, is), names)| {
            let who = if names.len() == self.members.len() { "It".to_owned() } else { names.join(" and ") };
            let verb = if who == "It" || names.len() == 1 { "speaks" } else { "speak" };
            format!("{who} now {verb} protocol {is} instead of {was}.")
        });
        let told: Vec<String> = told.collect();
        (!told.is_empty()).then(|| told.join(" "))
    }
}

/// The first of them, and how many more there are.
fn first<'t>(names: impl IntoIterator<Item = &'t str>, most: usize) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let more = names.len().saturating_sub(most);
    let head = names.iter().take(most).copied().collect::<Vec<_>>().join(", ");
    if more == 0 { head } else { format!("{head} and {more} more") }
}
