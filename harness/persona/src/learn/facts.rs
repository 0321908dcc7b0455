use std::collections::BTreeMap;

use easrig_eas::Version;
use easrig_exchange::ExchangeNumber;
use toml::Value;

use super::value;
use crate::Confidence;

/// What was seen, by its key in a persona file (`sync.email.window_size`); what was seen first holds.
#[derive(Debug, Default)]
pub(super) struct Facts(BTreeMap<String, Fact>);

/// A value with where it was seen.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    pub(super) value: Value,
    pub(super) at: ExchangeNumber,
    pub(super) confidence: Confidence,
    /// The version it was seen at, for values that differ by version.
    pub(super) version: Option<Version>,
    /// It was seen otherwise later.
    pub(super) wavers: Option<ExchangeNumber>,
}

impl Facts {
    /// Seen on the wire.
    pub(super) fn seen(&mut self, key: &str, seen: impl Into<Value>, at: ExchangeNumber) {
        self.note(key, seen, at, Confidence::High);
    }

    /// Concluded from the wire.
    pub(super) fn note(&mut self, key: &str, seen: impl Into<Value>, at: ExchangeNumber, confidence: Confidence) {
        let seen = value(seen);
        match self.0.get_mut(key) {
            Some(known) if known.value != seen => {
                known.wavers.get_or_insert(at);
            }
            Some(_) => {}
            None => {
                let fact = Fact { value: seen, at, confidence, version: None, wavers: None };
                self.0.insert(key.to_owned(), fact);
            }
        }
    }

    /// A word that holds at a version.
    pub(super) fn by_version(&mut self, key: &str, version: Version, word: &str, at: ExchangeNumber) {
        if !self.0.contains_key(key) {
            self.seen(key, word, at);
            if let Some(fact) = self.0.get_mut(key) {
                fact.version = Some(version);
            }
        }
    }

    /// What was seen last holds.
    pub(super) fn replace(&mut self, key: &str, seen: impl Into<Value>, at: ExchangeNumber, confidence: Confidence) {
        let fact = Fact { value: value(seen), at, confidence, version: None, wavers: None };
        self.0.insert(key.to_owned(), fact);
    }

    pub(super) fn get(&self, key: &str) -> Option<&Fact> {
        self.0.get(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Fact)> {
        self.0.iter().map(|(key, fact)| (key.as_str(), fact))
    }
}

impl Fact {
    /// Where it was seen, in words.
    pub(super) fn evidence(&self) -> String {
        match self.wavers {
            Some(other) => format!("exchange {}; otherwise in exchange {}", self.at.0, other.0),
            None => format!("exchange {}", self.at.0),
        }
    }

    /// A value that the device does not keep to is not certain.
    pub(super) fn confidence(&self) -> Confidence {
        if self.wavers.is_some() { self.confidence.min(Confidence::Med) } else { self.confidence }
    }
}
