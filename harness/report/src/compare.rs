//! What became of one run in the next: cell by cell, by cause, and for the owners of each kind of phone.
//!
//! Everything here is a pure function of two [`Run`]s. What differs from run to run without meaning (keys, ids, tags, dates,
//! ports, amounts in a text) is never a difference; what cannot be told apart is [`Class::Unclear`] and never a regression.

mod answers;
mod brief;
mod cause;
mod change;
mod family;
mod human;
mod json;
mod junit;
mod markdown;
mod normal;
mod pace;
mod page;
mod sides;
mod target;

#[cfg(test)]
pub(crate) use cause::REMEDIES;
pub(crate) use cause::screen;
pub(crate) use family::shown;

pub use brief::compare_brief;
pub use cause::{Cause, CauseKind};
pub use change::{Change, Class};
pub use family::{Family, Fate, Member, Standing};
pub use human::{Both, compare_terminal};
pub use json::{compare_json, compare_schema};
pub use junit::compare_junit;
pub use markdown::compare_markdown;
pub(crate) use normal::normal;
pub use pace::{Pace, REPEAT_LEAST};
pub use page::{CompareHtml, compare_html};
pub use sides::{Row, differences, side_by_side};
pub use target::{LimitChange, SoftwareChange, TargetChange};

use easrig_scenario::Cell;

use crate::{
    Approved, Exit, Run, Snapshot,
    baseline::Transcripts,
    trouble::unexpected,
    words::{Argument, Text, Words},
};

/// Two runs side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison<'r> {
    /// The earlier run; of a baseline what that says of it.
    pub before: &'r Run,
    /// The later run.
    pub after: &'r Run,
    /// The baseline, when the later run is compared with one.
    pub approved: Option<&'r Approved>,
    /// Every change under its cause, the worst first.
    pub causes: Vec<Cause<'r>>,
    /// Each kind of phone, in the order of the later run.
    pub families: Vec<Family<'r>>,
    /// What the target says of itself otherwise.
    pub target: TargetChange,
    /// What became slower or faster.
    pub paces: Vec<Pace<'r>>,
    /// How many cells came to the same.
    pub same: usize,
    /// The cells of the later run that are well although a deviation is known, each with why it was accepted.
    pub unexpected: Vec<(&'r Cell, String)>,
}

impl<'r> Comparison<'r> {
    /// Compares `after` with `before`.
    pub fn of(before: &'r Run, after: &'r Run) -> Self {
        Self::made(before, after, None, TargetChange::of(before, after))
    }

    /// Compares `after`, which says `snapshots`, with a baseline. What that does not hold is not compared: times, and what the
    /// target says of itself where its head is silent. Every cell is named that the baseline says otherwise.
    pub fn with(approved: &'r Approved, after: &'r Run, snapshots: &'r [Snapshot]) -> Self {
        let before = &approved.run;
        let transcripts = Transcripts::of(approved, after, snapshots);
        let target = if before.seen.is_empty() { TargetChange::default() } else { TargetChange::of(before, after) };
        Self { approved: Some(approved), ..Self::made(before, after, Some(&transcripts), target) }
    }

    fn made(before: &'r Run, after: &'r Run, transcripts: Option<&Transcripts<'r>>, target: TargetChange) -> Self {
        let (mut changes, same) = change::changes(before, after, transcripts);
        sides::find(&mut changes, before, after);
        let causes = cause::causes(before, after, &changes, &target);
        let families = family::families(before, after, &causes);
        let (paces, unexpected) = (pace::paces(before, after), unexpected(after));
        Self { before, after, approved: None, causes, families, target, paces, same, unexpected }
    }

    /// The name of a phone for people; its id where neither run says.
    pub fn phone<'s>(&'s self, id: &'s str) -> &'s str {
        phone(self.before, self.after, id)
    }

    /// Every change, cause by cause.
    pub fn changes(&self) -> impl Iterator<Item = &Change<'r>> {
        self.causes.iter().flat_map(|cause| &cause.changes)
    }

    /// How many cells changed in this way.
    pub fn count(&self, class: Class) -> usize {
        self.changes().filter(|change| change.class == class).count()
    }

    /// Whether nothing at all is otherwise: no cell, no time, and nothing that the target says of itself.
    pub fn is_same(&self) -> bool {
        self.causes.is_empty() && self.paces.is_empty() && self.target.is_same() && self.unexpected.is_empty()
    }

    /// What the process says when it ends: 1 for a regression, or for a deviation that is known and not there; 3 when something can no longer be told, else 0.
    pub fn exit(&self) -> Exit {
        if self.count(Class::Regression) > 0 || !self.unexpected.is_empty() {
            Exit::Broken
        } else if self.count(Class::Unclear) > 0 {
            Exit::Unclear
        } else {
            Exit::Well
        }
    }

    /// The verdict in one sentence.
    pub fn sentence(&self) -> String {
        self.said(Words::english()).plain()
    }

    /// The same in the language of `words`.
    pub(crate) fn said(&self, words: Words) -> Text {
        let cut: Vec<&str> = self.fated(&[Fate::CutOff, Fate::PartlyCutOff]);
        let hurt: Vec<&str> = self.fated(&[Fate::Hurt]);
        if !cut.is_empty() {
            let also: Argument =
                if hurt.is_empty() { "".into() } else { words.one("upgrade.also", "names", &hurt.join(", ")).into() };
            let key = match (self.families.len(), self.fated(&[Fate::PartlyCutOff]).is_empty()) {
                (1, true) => "upgrade.cut_only",
                (1, false) => "upgrade.cut_only_part",
                (_, true) => "upgrade.cut",
                (_, false) => "upgrade.cut_part",
            };
            let all = self.families.len().into();
            return words.with(
                key,
                vec![("n", cut.len().into()), ("all", all), ("names", cut.join(", ").into()), ("also", also)],
            );
        }
        let [regressions, unclear, better, news] =
            [Class::Regression, Class::Unclear, Class::Improvement, Class::News].map(|class| self.count(class));
        if regressions > 0 {
            let causes = self.causes.iter().filter(|cause| cause.class == Class::Regression).count();
            let causes = words.count("upgrade.causes", causes).into();
            words.with("upgrade.broke", vec![("n", regressions.into()), ("causes", causes)])
        } else if unclear > 0 {
            words.count("upgrade.unclear", unclear)
        } else if !self.unexpected.is_empty() {
            words.count("upgrade.unexpected", self.unexpected.len())
        } else if better > 0 {
            words.count("upgrade.better", better)
        } else if news > 0 {
            words.count("upgrade.news", news)
        } else {
            words.count("upgrade.same", self.same)
        }
    }

    /// What to keep in mind when reading it: in which the runs differ beyond the target.
    pub fn cautions(&self) -> Vec<String> {
        let (was, is) = (&self.before.started, &self.after.started);
        let mut out = Vec::new();
        for (run, name) in [(self.before, "earlier"), (self.after, "later")] {
            if run.finished.is_none() {
                out.push(format!("the {name} run was cut short; {} of its cells were never run", run.missing));
            }
            if !run.outages.is_empty() {
                out.push(format!("the target did not answer for a while in the {name} run"));
            }
        }
        if self.approved.is_some() {
            out.push("whether something became slower or faster is not known: a baseline has no times".to_owned());
            if self.before.seen.is_empty() {
                let text = "what the target said of itself before is not known: the baseline does not say";
                out.push(text.to_owned());
            }
        }
        if self.approved.is_some() && was.easrig.is_empty() {
            let text = "the baseline does not say which scenarios and personas it was made with; they may be others";
            out.push(format!("{text} (`easrig baseline approve` writes it down now)"));
        } else if was.easrig != is.easrig {
            out.push(format!("made by different versions of easrig: {} and {}", was.easrig, is.easrig));
        }
        let rewritten = self.changes().filter(|change| change.rewritten).count();
        if rewritten > 0 {
            out.push(format!(
                "of {rewritten} changed cells the scenario or the persona is not the same in both runs; what broke there is unclear"
            ));
        }
        if self.approved.is_none() && was.allowed != is.allowed {
            let said = |list: &[String]| if list.is_empty() { "nothing".to_owned() } else { list.join(", ") };
            out.push(format!("the runs had different orders: {}; then {}", said(&was.allowed), said(&is.allowed)));
        }
        if !self.target.spoke_after && self.target.spoke_before {
            out.push("in the later run the target said nothing of its versions and commands".to_owned());
        }
        out
    }

    fn fated(&self, fates: &[Fate]) -> Vec<&str> {
        self.families.iter().filter(|family| fates.contains(&family.fate)).map(|family| family.name.as_str()).collect()
    }
}

/// The name of a phone for people; its id where neither run says.
fn phone<'s>(before: &'s Run, after: &'s Run, id: &'s str) -> &'s str {
    after.personas.get(id).or_else(|| before.personas.get(id)).map_or(id, |card| &card.title)
}

#[cfg(test)]
mod tests;
