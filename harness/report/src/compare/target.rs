//! What the target says of itself, before and after.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use easrig_eas::Version;
use easrig_exchange::{OfferAnswer, TlsVersion};
use easrig_scenario::Bound;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Run;

/// What the target says of itself in one run and not in the other, all personas together. Empty lists: the same, or it
/// did not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetChange {
    /// Headers that name software, and TLS (`TLS`), whose values differ.
    pub software: Vec<SoftwareChange>,
    /// Protocol versions that are offered no more.
    pub versions_lost: Vec<Version>,
    /// Protocol versions that are offered for the first time.
    pub versions_won: Vec<Version>,
    /// TLS versions that were taken and are refused now.
    pub tls_lost: Vec<TlsVersion>,
    /// TLS versions that were refused and are taken now.
    pub tls_won: Vec<TlsVersion>,
    /// Commands that are offered no more.
    pub commands_lost: Vec<String>,
    /// Commands that are offered for the first time.
    pub commands_won: Vec<String>,
    /// Limits that it named in both runs, with other values.
    pub limits: Vec<LimitChange>,
    /// Whether it said anything in the earlier run.
    pub spoke_before: bool,
    /// Whether it said anything in the later run.
    pub spoke_after: bool,
}

/// One thing that names software, before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SoftwareChange {
    /// The header, or `TLS`.
    pub name: String,
    /// Its values before; empty when there were none.
    pub before: Vec<String>,
    /// Its values after; empty when there are none.
    pub after: Vec<String>,
}

/// A limit that the target names, before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LimitChange {
    /// What it bounds.
    pub of: Bound,
    /// Its values before, seconds or a number of folders; never empty.
    pub before: Vec<u32>,
    /// Its values after; never empty.
    pub after: Vec<u32>,
}

impl LimitChange {
    /// Its values before and after, with their unit.
    pub(super) fn values(&self) -> [String; 2] {
        [&self.before, &self.after].map(|values| {
            let values: Vec<_> = values.iter().map(|value| format!("{value}{}", self.of.unit())).collect();
            values.join(", ")
        })
    }
}

impl fmt::Display for LimitChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [before, after] = self.values();
        write!(f, "{}: {before} → {after}", self.of)
    }
}

impl TargetChange {
    pub(super) fn of(before: &Run, after: &Run) -> Self {
        let spoke = |run: &Run| !run.seen.is_empty();
        let (spoke_before, spoke_after) = (spoke(before), spoke(after));
        if !spoke_before || !spoke_after {
            let (limits, tls_lost, tls_won) = (limits(before, after), gone(before, after), gone(after, before));
            return Self { limits, tls_lost, tls_won, spoke_before, spoke_after, ..Self::default() };
        }
        let [was, is] = [before, after].map(|run| {
            let seen = &run.seen;
            let versions: BTreeSet<Version> = seen.iter().flat_map(|seen| seen.versions.iter().copied()).collect();
            let commands: BTreeSet<String> = seen.iter().flat_map(|seen| seen.commands.iter().cloned()).collect();
            (versions, commands)
        });
        Self {
            software: software(before, after),
            versions_lost: was.0.difference(&is.0).copied().collect(),
            versions_won: is.0.difference(&was.0).copied().collect(),
            tls_lost: gone(before, after),
            tls_won: gone(after, before),
            commands_lost: was.1.difference(&is.1).cloned().collect(),
            commands_won: is.1.difference(&was.1).cloned().collect(),
            limits: limits(before, after),
            spoke_before,
            spoke_after,
        }
    }

    /// Whether it says the same of itself.
    pub fn is_same(&self) -> bool {
        self.software.is_empty()
            && self.versions_lost.is_empty()
            && self.versions_won.is_empty()
            && self.tls_lost.is_empty()
            && self.tls_won.is_empty()
            && self.commands_lost.is_empty()
            && self.commands_won.is_empty()
            && self.limits.is_empty()
            && self.spoke_before == self.spoke_after
    }
}

/// The versions that a run's target offers: to this persona or, where that never saw them, to the others.
pub(super) fn offered<'r>(run: &'r Run, persona: &str) -> Option<&'r [Version]> {
    let own = run.seen.iter().find(|seen| seen.persona == persona);
    own.or_else(|| run.seen.first()).map(|seen| seen.versions.as_slice()).filter(|versions| !versions.is_empty())
}

/// TLS versions that somebody takes in one run, and that are refused in the other, where nobody takes them. What was not
/// asked or not answered says nothing.
fn gone(here: &Run, there: &Run) -> Vec<TlsVersion> {
    let any = |run: &Run, version, answer| {
        run.tls.iter().any(|asked| asked.offer(version).is_some_and(|offer| offer.answer == answer))
    };
    let is_gone = |version: &TlsVersion| {
        any(here, *version, OfferAnswer::Accepted)
            && any(there, *version, OfferAnswer::Refused)
            && !any(there, *version, OfferAnswer::Accepted)
    };
    TlsVersion::ALL.into_iter().filter(is_gone).collect()
}

/// A limit that only one run came up against says nothing about the other.
fn limits(before: &Run, after: &Run) -> Vec<LimitChange> {
    let values = |run: &Run, of: Bound| -> Vec<u32> {
        run.limits.iter().filter(|limit| limit.of == of).map(|limit| limit.value).collect()
    };
    let bounds: BTreeSet<Bound> = before.limits.iter().map(|limit| limit.of).collect();
    let change = |of| LimitChange { of, before: values(before, of), after: values(after, of) };
    bounds.into_iter().map(change).filter(|change| !change.after.is_empty() && change.before != change.after).collect()
}

fn software(before: &Run, after: &Run) -> Vec<SoftwareChange> {
    let gather = |run: &Run| {
        let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for seen in &run.seen {
            let tls = Some(("TLS".to_owned(), seen.tls.clone())).filter(|(_, tls)| !tls.is_empty());
            for (name, value) in seen.software.iter().cloned().chain(tls) {
                values.entry(name).or_default().insert(value);
            }
        }
        values
    };
    let (was, is) = (gather(before), gather(after));
    let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let values = |of: &BTreeMap<String, BTreeSet<String>>, name: &String| -> Vec<String> {
        of.get(name).into_iter().flatten().cloned().collect()
    };
    let change =
        |name: &String| SoftwareChange { name: name.clone(), before: values(&was, name), after: values(&is, name) };
    names.into_iter().map(change).filter(|change| change.before != change.after).collect()
}
