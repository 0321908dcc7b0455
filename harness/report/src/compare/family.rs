//! What an upgrade means for the owners of a kind of phone: one sentence a family.

use std::collections::{BTreeMap, BTreeSet};

use easrig_eas::Version;
use easrig_scenario::{Cell, DeviceError, Verdict};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    cause::{Cause, CauseKind, list, screen},
    change::{Change, Class},
    phone, target,
};
use crate::{
    Run,
    words::{Argument, Text, Words},
};

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
    /// The parts of the sentence, for those who read another language.
    pub(crate) said: Vec<Text>,
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
    pub fn word(self) -> String {
        Words::english().say(self.key()).plain()
    }

    /// The key of its word in the catalogue.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::CutOff => "fate.cut_off",
            Self::PartlyCutOff => "fate.partly_cut_off",
            Self::Hurt => "fate.hurt",
            Self::Unclear => "fate.unclear",
            Self::StillOut => "fate.still_out",
            Self::LetIn => "fate.let_in",
            Self::Better => "fate.better",
            Self::New => "fate.new",
            Self::Gone => "fate.gone",
            Self::Same => "fate.same",
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
        let teller = Teller { before, after, causes, members: &members, words: Words::english() };
        let (said, remedy) = (teller.said(&name, fate), teller.remedy(fate));
        let sentence = said.iter().map(Text::plain).collect::<Vec<_>>().join(" ");
        Family { name, members, fate, sentence, said, remedy }
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
    /// Those that the sentence is made with; its parts can be said in any language.
    words: Words,
}

impl<'r> Teller<'_, 'r> {
    fn said(&self, name: &str, fate: Fate) -> Vec<Text> {
        let works = |member: &Member<'_>| member.after == Standing::Works;
        let told = |what: Argument| self.words.with("family.but", vec![("name", name.into()), ("what", what)]);
        let head = |key: &str| self.words.with(key, vec![("name", name.into())]);
        let mut said = vec![match fate {
            Fate::CutOff => head("family.cut_off"),
            Fate::PartlyCutOff => self.partly(name),
            Fate::Hurt => told(self.told(Class::Regression, "family.broke_one", "family.broke").into()),
            Fate::Unclear if self.members.iter().all(works) => {
                told(self.told(Class::Unclear, "family.untold_one", "family.untold").into())
            }
            Fate::Unclear => head("family.unclear"),
            Fate::StillOut => head("family.still_out"),
            Fate::LetIn => self.words.with("family.let_in", vec![("name", name.into()), ("names", self.names(works))]),
            Fate::Better => head("family.better"),
            Fate::New => head("family.new"),
            Fate::Gone => head("family.gone"),
            Fate::Same if self.members.iter().any(|member| member.news > 0) => head("family.otherwise"),
            Fate::Same => head("family.same"),
        }];
        if fate == Fate::Unclear {
            said.extend(self.tls());
        }
        if is_out(fate) {
            said.extend(self.seen("family.sees", self.after));
            said.extend(self.reason());
            said.extend(self.floor());
        }
        if fate == Fate::LetIn {
            said.extend(self.seen("family.saw", self.before));
        }
        if !matches!(fate, Fate::CutOff | Fate::StillOut) {
            said.extend(self.versions());
        }
        said
    }

    /// Who is cut off, who is not, and of whom it cannot be told.
    fn partly(&self, name: &str) -> Text {
        let part = |key: &str, names: Argument| -> Argument {
            if names.is_empty() { names } else { self.words.with(key, vec![("names", names)]).into() }
        };
        let rest = [Standing::Absent, Standing::Untold];
        self.words.with(
            "family.partly",
            vec![
                ("name", name.into()),
                ("names", self.names(|m| m.after == Standing::CutOff)),
                ("not", part("family.partly_not", self.names(|m| m.after == Standing::Works))),
                ("rest", part("family.partly_untold", self.names(|m| rest.contains(&m.after)))),
            ],
        )
    }

    /// The phones for which it holds, by their names for people: `A`, `A and B`. Names may have commas in them.
    fn names(&self, test: impl Fn(&Member<'_>) -> bool) -> Argument {
        self.called(self.members.iter().filter(|member| test(member)).map(|member| member.persona))
    }

    fn called<'p>(&self, personas: impl Iterator<Item = &'p str>) -> Argument {
        let both = |so_far: Argument, next: Argument| -> Argument {
            self.words.with("family.and", vec![("one", so_far), ("other", next)]).into()
        };
        let names = personas.map(|id| Argument::from(phone(self.before, self.after, id)));
        names.reduce(both).unwrap_or_else(|| "".into())
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
    fn told(&self, class: Class, one: &str, several: &str) -> Text {
        let changes = self.causes.iter().flat_map(|cause| &cause.changes);
        let own = changes.filter(|change| change.class == class && self.is_mine(&change.id.persona));
        let scenarios: BTreeSet<&str> = own.map(|change| change.id.scenario.as_str()).collect();
        let scenarios: Vec<&str> = scenarios.into_iter().collect();
        match scenarios[..] {
            [scenario] => self.words.one(one, "scenario", scenario),
            _ => {
                let names = self.words.list(&scenarios, NAMES_MOST);
                self.words.with(several, vec![("n", scenarios.len().into()), ("names", names.into())])
            }
        }
    }

    /// What its owners read on the screen.
    fn seen(&self, key: &str, run: &Run) -> Option<Text> {
        let errors: BTreeSet<String> =
            self.members.iter().filter_map(|member| shown(run, member.persona)).map(screen).collect();
        let either = |so_far: Argument, next: String| -> Argument {
            self.words.with("family.or", vec![("one", so_far), ("other", self.words.told(&next).into())]).into()
        };
        let mut errors = errors.into_iter();
        let first = Argument::from(self.words.told(&errors.next()?));
        Some(self.words.with(key, vec![("screen", errors.fold(first, either))]))
    }

    /// Why, where what they see does not say it.
    fn reason(&self) -> Vec<Text> {
        let Some(cause) = self.worse().into_iter().next() else { return Vec::new() };
        if matches!(cause.kind, CauseKind::Device(_)) {
            return Vec::new();
        }
        let is_basic_off = matches!(&cause.kind, CauseKind::SignIn { offered }
            if !offered.is_empty() && !offered.iter().any(|scheme| scheme.eq_ignore_ascii_case("basic")));
        let why = self.words.with("family.why", vec![("cause", cause.said(self.words).into())]);
        std::iter::once(why).chain(is_basic_off.then(|| self.tokens()).flatten()).collect()
    }

    /// Whether what cannot be told any more is whether they can still connect at all.
    fn tls(&self) -> Option<Text> {
        let is_mine = |change: &Change<'r>| change.class == Class::Unclear && self.is_mine(&change.id.persona);
        let is_it =
            |cause: &&Cause<'r>| matches!(cause.kind, CauseKind::TlsGone(_)) && cause.changes.iter().any(is_mine);
        let cause = self.causes.iter().find(is_it)?;
        Some(self.words.with("family.why", vec![("cause", cause.said(self.words).into())]))
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
    fn tokens(&self) -> Option<Text> {
        let knows = |member: &Member<'_>| self.after.personas.get(member.persona).and_then(|card| card.tokens);
        let able = self.names(|member| member.after == Standing::CutOff && knows(member) == Some(true));
        let unable = self.names(|member| member.after == Standing::CutOff && knows(member) == Some(false));
        let key = match (able.is_empty(), unable.is_empty()) {
            (true, true) => return None,
            (true, false) => "family.tokens_none",
            (false, true) => "family.tokens_all",
            (false, false) => "family.tokens_some",
        };
        Some(self.words.with(key, vec![("able", able), ("unable", unable)]))
    }

    /// Phones that have no version in common with the server would not be helped by signing in.
    fn floor(&self) -> Option<Text> {
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
        let arguments = vec![
            ("versions", list(offered).into()),
            ("names", self.names(lacks)),
            ("newest", newest.to_string().into()),
        ];
        Some(self.words.with("family.floor", arguments))
    }

    fn versions(&self) -> Vec<Text> {
        let mut shifts: BTreeMap<(Version, Version), Vec<&str>> = BTreeMap::new();
        for member in self.members {
            if let Some(shift) = member.versions {
                shifts.entry(shift).or_default().push(member.persona);
            }
        }
        let told = |((was, is), names): ((Version, Version), Vec<&str>)| {
            let mut arguments = vec![("was", was.to_string().into()), ("is", is.to_string().into())];
            if names.len() == self.members.len() {
                return self.words.with("family.speaks_all", arguments);
            }
            arguments.push(("n", names.len().into()));
            arguments.push(("names", self.called(names.into_iter())));
            self.words.with("family.speaks", arguments)
        };
        shifts.into_iter().map(told).collect()
    }
}

/// The most scenarios that are named in a sentence.
const NAMES_MOST: usize = 3;
