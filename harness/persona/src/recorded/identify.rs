//! Which persona a recorded device is most like, and why one thinks so.

use std::{collections::BTreeSet, sync::Arc};

use easrig_eas::{
    Version, headers,
    query::{QueryForm, QueryLine},
};
use easrig_exchange::{Exchange, ExchangeNumber};

use crate::{
    Persona,
    persona::{pattern_length, word::Query},
};

/// The score from which on a persona fits.
const FITS: u32 = 50;

/// What a recorded device shows of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// The persona that easrig recorded it as.
    persona: Option<String>,
    device_type: Option<(String, ExchangeNumber)>,
    user_agent: Option<(String, ExchangeNumber)>,
    device_id: Option<String>,
    query: Option<QueryForm>,
    versions: BTreeSet<Version>,
}

/// How much a device is like a persona.
#[derive(Clone, Debug)]
pub struct Likeness {
    /// The persona.
    pub persona: Arc<Persona>,
    /// From 0 to 100.
    pub score: u32,
    /// What speaks for it and what against, in words.
    pub evidence: Vec<String>,
}

impl Likeness {
    /// Whether the device may be read as this persona.
    pub fn fits(&self) -> bool {
        self.score >= FITS
    }
}

impl Traits {
    /// Takes an exchange of the device in; whether it said anything new.
    pub fn learn(&mut self, exchange: &Exchange) -> bool {
        let before = self.clone();
        let (request, number) = (&exchange.request, exchange.number);
        if !exchange.sender.persona.is_empty() {
            self.persona.get_or_insert_with(|| exchange.sender.persona.clone());
        }
        if let Some(agent) = request.headers.get("User-Agent") {
            self.user_agent.get_or_insert_with(|| (agent.to_owned(), number));
        }
        if let Ok(line) = QueryLine::parse(request.query()) {
            if !line.device_type.is_empty() {
                self.device_type.get_or_insert((line.device_type, number));
            }
            self.device_id.get_or_insert_with(|| line.device_id.to_string());
            if line.command.known().is_some() {
                self.query.get_or_insert(line.form);
            }
            let header = || request.headers.get(headers::PROTOCOL_VERSION)?.trim().parse().ok();
            self.versions.extend(line.version.or_else(header));
        }
        *self != before
    }

    /// The DeviceType, once it is known.
    pub fn device_type(&self) -> Option<&str> {
        self.device_type.as_ref().map(|(kind, _)| kind.as_str())
    }

    /// DeviceType and User-Agent, as far as they are known.
    pub fn words(&self) -> String {
        let part = |name: &str, value: &Option<(String, _)>| match value {
            Some((value, _)) => format!("{name} `{value}`"),
            None => format!("no {name}"),
        };
        format!("{}, {}", part("DeviceType", &self.device_type), part("User-Agent", &self.user_agent))
    }

    /// Every persona, the likest first; those in doubt in the order given.
    pub fn likenesses(&self, personas: &[Arc<Persona>]) -> Vec<Likeness> {
        let mut all: Vec<Likeness> = personas.iter().map(|persona| self.likeness(persona)).collect();
        all.sort_by_key(|likeness| std::cmp::Reverse(likeness.score));
        all
    }

    fn likeness(&self, persona: &Arc<Persona>) -> Likeness {
        let mut sum = Sum::default();
        if let Some(id) = &self.persona {
            let (points, sign) = if id == persona.id() { (100, "") } else { (0, "against: ") };
            let evidence = vec![format!("{sign}easrig recorded it as `{id}`")];
            return Likeness { persona: Arc::clone(persona), score: points, evidence };
        }
        if let Some((kind, at)) = &self.device_type {
            let same = kind == persona.device_type();
            sum.add(if same { 40 } else { -10 }, format!("DeviceType `{kind}` (exchange {})", at.0));
        }
        if let Some((agent, at)) = &self.user_agent {
            let (points, how) = compare(agent, persona.user_agent());
            // Before a device has a server, its User-Agent is all that it says of itself.
            let points = if self.device_type.is_none() { points.saturating_mul(2) } else { points };
            sum.add(points, format!("User-Agent `{agent}` {how} (exchange {})", at.0));
        }
        if let Some(id) = self.device_id.as_ref().filter(|id| !id.is_empty()) {
            let same = pattern_length(&persona.identity.device_id.value) == Some(id.len());
            sum.add(if same { 10 } else { -5 }, format!("DeviceId of {} characters", id.len()));
        }
        if let Some(form) = self.query {
            let same = (form == QueryForm::Base64) == (persona.protocol.query.value == Query::Base64);
            let name = if form == QueryForm::Base64 { "base64" } else { "plain" };
            sum.add(if same { 5 } else { -5 }, format!("{name} query"));
        }
        if let Some(version) = self.versions.last() {
            let speaks = persona.versions().contains(version);
            sum.add(if speaks { 5 } else { -10 }, format!("speaks {version}"));
        }
        Likeness {
            persona: Arc::clone(persona),
            score: sum.points.clamp(0, 100).unsigned_abs(),
            evidence: sum.evidence,
        }
    }
}

#[derive(Default)]
struct Sum {
    points: i32,
    evidence: Vec<String>,
}

impl Sum {
    fn add(&mut self, points: i32, what: String) {
        self.points = self.points.saturating_add(points);
        let sign = if points < 0 { "against: " } else { "" };
        self.evidence.push(format!("{sign}{what}"));
    }
}

/// How near two User-Agents are: the same, the same product with another number, the same maker, or strangers.
fn compare(seen: &str, known: &str) -> (i32, &'static str) {
    if seen == known {
        return (40, "is the very one");
    }
    let product = |agent: &str| agent.find(|c: char| c.is_ascii_digit() || c == '/').map_or(agent.len(), |end| end);
    let maker = |agent: &str| agent.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(agent.len());
    if seen.get(..product(seen)) == known.get(..product(known)) {
        return (25 + nearness(seen, known), "is of its kind");
    }
    if maker(seen) > 0 && seen.get(..maker(seen)) == known.get(..maker(known)) {
        return (10, "is by the same maker");
    }
    (-20, "is of another kind")
}

/// From 0 to 14: how near the version numbers behind the product's name are.
fn nearness(seen: &str, known: &str) -> i32 {
    let (seen, known) = (numbers(seen), numbers(known));
    let ratio = |a: u32, b: u32| match (a.min(b), a.max(b)) {
        (_, 0) => 1.0,
        (low, high) => f64::from(low) / f64::from(high),
    };
    let mut points = 0.0;
    for (place, weight) in [(0, 9.0), (1, 5.0)] {
        let (Some(a), Some(b)) = (seen.get(place), known.get(place)) else { break };
        points += weight * ratio(*a, *b);
        if a != b {
            break;
        }
    }
    // At most 14, and never negative.
    #[expect(clippy::cast_possible_truncation, reason = "a number between 0 and 14")]
    let points = points as i32;
    points
}

/// The numbers behind the first `/`.
fn numbers(agent: &str) -> Vec<u32> {
    let (_, version) = agent.split_once('/').unwrap_or_default();
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::compare;

    #[test]
    fn the_nearest_version_of_the_same_product_is_preferred() {
        let seen = "Apple-iPhone9C1/1402.100";
        assert!(compare(seen, "Apple-iPhone8C4/1504.100") > compare(seen, "Apple-iPhone14C2/2101.329"));
        assert!(compare("MSFT-WP/7.10.8107", "MSFT-WP/7.10.7720") > compare("MSFT-WP/7.10.8107", "MSFT-WP/7.0.7390"));
    }

    #[test]
    fn another_product_is_not_taken_for_it() {
        assert_eq!(compare("Samsung-GT/101.403", "Android/4.0.4-EAS-1.3").0, -20);
        assert_eq!(compare("Android-Mail/2021", "Android/4.0.4-EAS-1.3").0, 10);
        assert_eq!(compare("RIM-Q10-SQN100-3/10.2", "RIM-Passport-SQW100-1/10.3.1.2726").0, 10);
    }
}
