use std::collections::{HashMap, HashSet};

use easrig_eas::date::EasDate;
use easrig_scenario::difference::{Owned, Pair};
use sha2::{Digest, Sha256};

/// The names that one recorded device's things have on the target.
#[derive(Debug, Default)]
pub(super) struct Bindings {
    exact: HashMap<(Owned, String, String), String>,
    /// Without the folder; `None` when there are several.
    anywhere: HashMap<(Owned, String), Option<String>>,
    /// By the moment, in milliseconds.
    dates: HashMap<i64, EasDate>,
    withheld: HashMap<(Owned, String), Withheld>,
    /// Ids on the target of what this replay itself made.
    made: HashSet<String>,
}

/// Why a value of the recording has no counterpart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Withheld {
    /// The exchange whose recorded answer held it.
    pub(super) exchange: u64,
    /// What became of that exchange.
    pub(super) because: Because,
}

/// What became of an exchange whose values are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Because {
    LeftOut,
    Untold,
    Differs,
}

/// A value that cannot be sent, since its counterpart is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unbound {
    pub(super) owned: Owned,
    pub(super) withheld: Option<Withheld>,
}

impl Bindings {
    pub(super) fn bind(&mut self, pair: &Pair) {
        let Pair { owned, folder, before, after, .. } = pair;
        if *owned == Owned::Date {
            if let (Ok(before), Ok(after)) = (before.parse::<EasDate>(), after.parse::<EasDate>()) {
                self.dates.insert(before.at.as_millisecond(), after);
            }
            return;
        }
        self.exact.insert((*owned, folder.clone(), before.clone()), after.clone());
        let anywhere = self.anywhere.entry((*owned, before.clone())).or_insert_with(|| Some(after.clone()));
        if anywhere.as_ref().is_some_and(|known| known != after) {
            // The same thing may get another name in time; things in several folders may not share one.
            *anywhere = if owned.is_in_folder() { None } else { Some(after.clone()) };
        }
    }

    /// The value's counterpart; what stands for itself on every server is its own.
    pub(super) fn now(&self, owned: Owned, folder: &str, before: &str) -> Option<String> {
        if owned.is_fixed(before) {
            return Some(before.to_owned());
        }
        let exact = self.exact.get(&(owned, folder.to_owned(), before.to_owned()));
        // Keys of one folder mean nothing in another.
        let anywhere = || {
            self.anywhere
                .get(&(owned, before.to_owned()))
                .filter(|_| owned != Owned::SyncKey || folder.is_empty())?
                .as_ref()
        };
        exact.or_else(anywhere).cloned()
    }

    /// As [`Bindings::now`], for a value that has to be sent.
    pub(super) fn need(&self, owned: Owned, folder: &str, before: &str) -> Result<String, Unbound> {
        self.now(owned, folder, before)
            .ok_or_else(|| Unbound { owned, withheld: self.withheld.get(&(owned, before.to_owned())).cloned() })
    }

    /// The date on the target that stands for a recorded one; the device's own dates stand for themselves.
    pub(super) fn date(&self, text: &str) -> Option<String> {
        let date: EasDate = text.trim().parse().ok()?;
        let now = self.dates.get(&date.at.as_millisecond())?;
        Some(EasDate { at: now.at, form: date.form }.to_string())
    }

    /// Values that an answer of the recording held and that found no counterpart.
    pub(super) fn withhold(&mut self, owned: Owned, value: &str, why: &Withheld) {
        if !owned.is_fixed(value) && !self.anywhere.contains_key(&(owned, value.to_owned())) {
            self.withheld.entry((owned, value.to_owned())).or_insert_with(|| why.clone());
        }
    }

    pub(super) fn note_made(&mut self, id: String) {
        self.made.insert(id);
    }

    /// Whether this replay made what the target calls `now`.
    pub(super) fn has_made(&self, now: &str) -> bool {
        self.made.contains(now)
    }

    /// Whether this replay made the thing that the recording calls `before`.
    pub(super) fn is_made(&self, owned: Owned, folder: &str, before: &str) -> bool {
        self.now(owned, folder, before).is_some_and(|id| self.made.contains(&id))
    }
}

impl Unbound {
    /// What became of the exchange that needs it, and why.
    pub(super) fn words(&self) -> (Because, String) {
        let name = self.owned.name();
        match &self.withheld {
            Some(Withheld { exchange, because: Because::LeftOut }) => {
                (Because::LeftOut, format!("it needs the {name} of exchange {exchange}, which was left out"))
            }
            Some(Withheld { exchange, because: Because::Untold }) => {
                (Because::Untold, format!("it needs the {name} of exchange {exchange}, which has no answer"))
            }
            Some(Withheld { exchange, because: Because::Differs }) => {
                (Because::Differs, format!("it needs the {name} of exchange {exchange}, which the target did not give"))
            }
            None => (Because::Untold, format!("nothing in the recording says where its {name} comes from")),
        }
    }
}

/// A name of the same length with the same kinds of characters, always the same for the same words.
pub(super) fn lookalike(name: &str, words: &[&str]) -> String {
    let mut hash = Sha256::new();
    for word in words.iter().chain(&[name.to_ascii_lowercase().as_str()]) {
        hash.update(word.as_bytes());
        hash.update([0]);
    }
    let draws = hash.finalize();
    let map = |(c, draw): (char, &u8)| match c {
        '0'..='9' => char::from(b'0' + draw % 10),
        'a'..='z' => char::from(b'a' + draw % 26),
        'A'..='Z' => char::from(b'A' + draw % 26),
        other => other,
    };
    name.chars().zip(draws.iter().cycle()).map(map).collect()
}
