//! What was seen, by its key in a persona file, with the exchanges it was seen in.

use std::collections::BTreeMap;

use easrig_eas::Version;
use easrig_exchange::ExchangeNumber;
use toml::Value;

use crate::Confidence;

/// The evidence for every key (`sync.email.window_size`).
#[derive(Debug, Default)]
pub(super) struct Facts {
    known: BTreeMap<String, Fact>,
    /// Words that hold at a version, for keys that differ by version.
    versions: BTreeMap<String, BTreeMap<Version, Fact>>,
    /// What was seen of a key without telling its value.
    asides: BTreeMap<String, String>,
}

/// The evidence for one value: everything it was seen to be.
#[derive(Clone, Debug, Default)]
pub(super) struct Fact(Vec<Sight>);

/// One thing a value was seen to be.
#[derive(Clone, Debug)]
struct Sight {
    value: Value,
    at: ExchangeNumber,
    times: u64,
    confidence: Confidence,
}

/// A value, where it comes from, and how far it goes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) value: Value,
    pub(super) evidence: String,
    pub(super) confidence: Confidence,
}

/// The most different values of one key that are told apart.
const MOST_SIGHTS: usize = 16;

/// The longest other value that is shown.
const LONGEST_OTHER: usize = 80;

impl Facts {
    /// Seen on the wire.
    pub(super) fn seen(&mut self, key: &str, value: impl Into<Value>, at: ExchangeNumber) {
        self.note(key, value, at, Confidence::High);
    }

    /// Concluded from the wire.
    pub(super) fn note(&mut self, key: &str, value: impl Into<Value>, at: ExchangeNumber, confidence: Confidence) {
        self.known.entry(key.to_owned()).or_default().add(value.into(), at, confidence);
    }

    /// A word that holds at a version.
    pub(super) fn by_version(
        &mut self,
        key: &str,
        version: Version,
        word: &str,
        at: ExchangeNumber,
        confidence: Confidence,
    ) {
        let words = self.versions.entry(key.to_owned()).or_default();
        words.entry(version).or_default().add(word.into(), at, confidence);
    }

    /// What was seen of a key that does not tell its value; what is said last holds.
    pub(super) fn aside(&mut self, key: &str, text: String) {
        self.asides.insert(key.to_owned(), text);
    }

    /// What was seen of a key without telling its value.
    pub(super) fn get_aside(&self, key: &str) -> Option<&str> {
        self.asides.get(key).map(String::as_str)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Fact> {
        self.known.get(key)
    }

    /// What is to stand in the file for a key.
    pub(super) fn row(&self, key: &str) -> Option<Row> {
        self.versions.get(key).and_then(row_by_version).or_else(|| self.known.get(key)?.row())
    }
}

impl Fact {
    fn add(&mut self, value: Value, at: ExchangeNumber, confidence: Confidence) {
        let has_room = self.0.len() < MOST_SIGHTS;
        match self.0.iter_mut().find(|sight| sight.value == value) {
            Some(sight) => {
                sight.times = sight.times.saturating_add(1);
                sight.confidence = sight.confidence.max(confidence);
            }
            None if has_room => self.0.push(Sight { value, at, times: 1, confidence }),
            None => {}
        }
    }

    /// What was seen best; of that, what was seen most often; of that, what was seen first.
    fn best(&self) -> Option<&Sight> {
        let rank = |sight: &&Sight| (sight.confidence, sight.times);
        self.0.iter().rev().max_by_key(rank)
    }

    /// The value that holds.
    pub(super) fn value(&self) -> Option<&Value> {
        self.best().map(|sight| &sight.value)
    }

    /// The exchange it was seen in first.
    pub(super) fn at(&self) -> Option<ExchangeNumber> {
        self.best().map(|sight| sight.at)
    }

    /// What the device was seen to do otherwise, as well evidenced as what holds.
    fn others(&self) -> Vec<&Sight> {
        let best = self.best();
        let confidence = best.map(|best| best.confidence);
        self.0
            .iter()
            .filter(|sight| Some(sight.confidence) == confidence && best.is_none_or(|best| best.value != sight.value))
            .collect()
    }

    /// The value with its evidence. A value that the device does not keep to is not certain.
    pub(super) fn row(&self) -> Option<Row> {
        let best = self.best()?;
        let others = self.others();
        let mut evidence = seen_in(best);
        for other in &others {
            evidence.push_str(&format!("; otherwise in {}", seen_in(other)));
            let shown = other.value.to_string();
            if shown.len() <= LONGEST_OTHER {
                evidence.push_str(&format!(": {shown}"));
            }
        }
        let confidence = if others.is_empty() { best.confidence } else { best.confidence.min(Confidence::Med) };
        Some(Row { value: best.value.clone(), evidence, confidence })
    }
}

fn seen_in(sight: &Sight) -> String {
    match sight.times {
        1 => format!("exchange {}", sight.at.0),
        times => format!("exchange {}, {times} times", sight.at.0),
    }
}

/// A row for each version at which the word changes; between versions that were seen nothing is known.
fn row_by_version(words: &BTreeMap<Version, Fact>) -> Option<Row> {
    let mut rows: Vec<String> = Vec::new();
    let mut evidence: Vec<String> = Vec::new();
    let mut last: Option<Value> = None;
    let mut confidence = Confidence::Med;
    for (version, fact) in words {
        let row = fact.row()?;
        confidence = confidence.min(row.confidence);
        if last.as_ref() != Some(&row.value) {
            rows.push(format!("{version} {}", row.value.as_str()?));
            evidence.push(format!("{} at {version}", row.evidence));
        }
        last = Some(row.value);
    }
    Some(Row { value: rows.into(), evidence: evidence.join("; "), confidence })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(number: u64) -> ExchangeNumber {
        ExchangeNumber(number)
    }

    #[test]
    fn what_is_seen_most_often_holds_and_the_rest_is_told() {
        let mut facts = Facts::default();
        facts.seen("k", 5, at(3));
        facts.seen("k", 7, at(4));
        facts.seen("k", 7, at(9));
        let row = facts.row("k").unwrap();
        assert_eq!(row.value, Value::from(7));
        assert_eq!(row.evidence, "exchange 4, 2 times; otherwise in exchange 3: 5");
        assert_eq!(row.confidence, Confidence::Med);
    }

    #[test]
    fn what_is_seen_wins_over_what_is_concluded() {
        let mut facts = Facts::default();
        facts.note("k", false, at(1), Confidence::Low);
        facts.note("k", false, at(2), Confidence::Low);
        facts.seen("k", true, at(3));
        let row = facts.row("k").unwrap();
        assert_eq!((row.value, row.evidence.as_str()), (Value::from(true), "exchange 3"));
        assert_eq!(row.confidence, Confidence::High);
    }

    #[test]
    fn of_two_values_seen_alike_the_first_holds() {
        let mut facts = Facts::default();
        facts.seen("k", "a", at(1));
        facts.seen("k", "b", at(2));
        assert_eq!(facts.row("k").unwrap().value, Value::from("a"));
    }

    #[test]
    fn a_word_stands_at_every_version_where_it_changes() {
        let mut facts = Facts::default();
        for (version, word, number) in
            [(Version::V14_1, "b", 4), (Version::V2_5, "a", 1), (Version::V12_0, "a", 2), (Version::V16_1, "b", 5)]
        {
            facts.by_version("k", version, word, at(number), Confidence::High);
        }
        let row = facts.row("k").unwrap();
        assert_eq!(row.value, Value::from(vec!["2.5 a", "14.1 b"]));
        assert_eq!(row.evidence, "exchange 1 at 2.5; exchange 4 at 14.1");
    }
}
