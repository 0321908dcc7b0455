//! What differs *in meaning* between two answers to the same request.
//!
//! The first answer is the one that is known (a recording, the run before an upgrade), the second the one that is judged.
//! What a server may choose anew (ids, keys, dates of what it made itself, the order of items, headers about its machines)
//! is no difference, but it is counted by the [`Rule`] that allows it; nothing is left out silently. Items are matched by
//! what they say, not by their ids. Texts that one side holds as filler only (records are made without contents unless
//! told otherwise) are compared by length, and by which of them are equal.

mod headers;
mod items;
mod kind;
mod leaf;
mod owned;
mod walk;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use easrig_eas::Command;
use easrig_exchange::Exchange;
use easrig_wbxml::Document;
use serde::{Deserialize, Serialize};

use crate::{Content, Decoded};
pub use kind::{Kind, Rule};
pub use owned::{Owned, owned, owned_value};

/// One difference in meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What happened, by its name.
    pub kind: Kind,
    /// Where: `HTTP`, a header's name, or the path of an element from the root (`Sync/Collections/Collection/Status`).
    pub path: String,
    /// What the known answer says there, in words.
    pub before: String,
    /// What the judged answer says there, in words.
    pub after: String,
}

/// `item lost at Sync/…/Add: a mail of 5 fields, now nothing`
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}, now {}", self.kind, self.path, self.before, self.after)
    }
}

/// How often each rule allowed something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Allowed(BTreeMap<Rule, u64>);

impl Allowed {
    /// Counts one.
    pub fn count(&mut self, rule: Rule) {
        let count = self.0.entry(rule).or_default();
        *count = count.saturating_add(1);
    }

    /// Adds what another answer needed.
    pub fn add(&mut self, other: &Self) {
        for (rule, more) in &other.0 {
            let count = self.0.entry(*rule).or_default();
            *count = count.saturating_add(*more);
        }
    }

    /// Every rule that was needed, with how often.
    pub fn iter(&self) -> impl Iterator<Item = (Rule, u64)> {
        self.0.iter().map(|(rule, count)| (*rule, *count))
    }

    /// How much was allowed in all.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }
}

/// Which contents the known answer holds, and which of them may be quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// They are there, and quoted.
    Quoted,
    /// They are there, and only their length is told.
    Told,
    /// They are filler of the same length.
    Filler,
}

/// What a value that the server owned before is called now.
pub trait Renamed {
    /// The value that took the place of `before` in the folder that the known answer calls `folder` (empty where there is
    /// none); `None` when none is known.
    fn now(&self, owned: Owned, folder: &str, before: &str) -> Option<String>;

    /// The text with the people of the judged answer in place of those of the known one: accounts may differ.
    fn people<'a>(&self, text: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(text)
    }

    /// Whether other people than the known ones own the mailboxes: names that are filler cannot have the same length.
    fn has_other_people(&self) -> bool {
        false
    }

    /// Whether this program itself sent the text, as filler: what a server makes of that says nothing about contents.
    fn sent_as_filler(&self, text: &str) -> bool {
        let _ = text;
        false
    }

    /// Whether the judged answer's id names something that was made from filler that this program sent.
    fn made_from_filler(&self, owned: Owned, now: &str) -> bool {
        let _ = (owned, now);
        false
    }
}

/// Nothing has another name, or nobody knows which.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unknown;

impl Renamed for Unknown {
    fn now(&self, _: Owned, _: &str, _: &str) -> Option<String> {
        None
    }
}

/// On what terms two answers are compared.
#[derive(Clone, Copy)]
pub struct Terms<'t> {
    /// What is known of contents.
    pub contents: Contents,
    /// How many seconds later the second answer was made than the first, at least and at most: dates that a server gave
    /// when something arrived may have moved by as much.
    pub later: (i64, i64),
    /// The new names of what the server owns.
    pub renamed: &'t dyn Renamed,
}

/// A value of the known answer with the one at the same meaning in the judged answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Its path.
    pub path: String,
    /// What it names.
    pub owned: Owned,
    /// The folder it is valid in, as the known answer names it; empty where there is none.
    pub folder: String,
    /// The known value.
    pub before: String,
    /// The judged value.
    pub after: String,
}

/// A text that is filler in the known answer. The same filler always stands for the same text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filler {
    /// Its path.
    pub path: String,
    /// A hash of the filler.
    pub before: u64,
    /// A hash of the text that stands there now.
    pub after: u64,
}

/// An item or folder that only one of two answers has.
#[derive(Clone, Debug)]
pub struct Stray {
    /// The folder it stands in, as its own answer names it; empty where there is none.
    pub folder: String,
    /// Its path.
    pub path: String,
    /// The element.
    pub document: Document,
    /// What is reported when it stays alone.
    pub difference: Difference,
}

/// What came of a comparison.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// The differences, in the order of the document, but for the [`Stray`]s.
    pub differences: Vec<Difference>,
    /// What was allowed.
    pub allowed: Allowed,
    /// Values of the server's own at the same meaning.
    pub pairs: Vec<Pair>,
    /// Items of the known answer that the judged one has not.
    pub lost: Vec<Stray>,
    /// Items of the judged answer that the known one has not.
    pub extra: Vec<Stray>,
    /// Texts that are filler in the known answer.
    pub fillers: Vec<Filler>,
}

impl Comparison {
    /// Every difference, those of strays included.
    pub fn all(&self) -> impl Iterator<Item = &Difference> {
        let strays = self.lost.iter().chain(&self.extra).map(|stray| &stray.difference);
        self.differences.iter().chain(strays)
    }

    /// Whether the answers mean the same.
    pub fn is_same(&self) -> bool {
        self.all().next().is_none()
    }
}

/// Compares two answers to the same request.
pub fn compare(before: &Exchange, after: &Exchange, terms: Terms<'_>) -> Comparison {
    compare_decoded((before, &Decoded::of(before)), (after, &Decoded::of(after)), terms)
}

/// As [`compare`], for exchanges whose layers are off already.
pub fn compare_decoded(before: (&Exchange, &Decoded), after: (&Exchange, &Decoded), terms: Terms<'_>) -> Comparison {
    let mut comparison = Comparison::default();
    headers::compare(before, after, &mut comparison);
    let ((_, before), (_, after)) = (before, after);
    match (&before.answer, &after.answer) {
        (Content::Document(_), Content::Document(_)) => {
            walk::documents(before, after, terms, &mut comparison);
        }
        (Content::Empty, Content::Document(_)) | (Content::Document(_), Content::Empty)
            if before.command() == Some(Command::Sync) && before.http == after.http =>
        {
            walk::quiet(before, after, terms, &mut comparison);
        }
        (one, two) if std::mem::discriminant(one) == std::mem::discriminant(two) => {
            if let Content::Other = one {
                leaf::bodies(&before.body, &after.body, terms, &mut comparison);
            }
        }
        // Without an answer, or with another status, what the body is has been said already.
        _ if before.http != after.http => {}
        _ => comparison.differences.push(Difference {
            kind: Kind::DocumentDiffers,
            path: "body".to_owned(),
            before: before.words(),
            after: after.words(),
        }),
    }
    if before.parts.len() == after.parts.len() {
        let made = items::names_filler(terms, after);
        for (one, two) in before.parts.iter().zip(&after.parts).skip(1) {
            if made {
                comparison.allowed.count(Rule::SentAsFiller);
                continue;
            }
            leaf::bodies(one, two, terms, &mut comparison);
        }
    } else {
        comparison.differences.push(Difference {
            kind: Kind::DocumentDiffers,
            path: "multipart".to_owned(),
            before: format!("{} parts", before.parts.len()),
            after: format!("{} parts", after.parts.len()),
        });
    }
    comparison
}

/// Compares two items of answers that came at different times: one that was lost where it was known, and turned up later.
pub fn compare_strays(before: &Stray, after: &Stray, terms: Terms<'_>) -> Option<Comparison> {
    items::compare_strays(before, after, terms)
}

#[cfg(test)]
mod tests;
