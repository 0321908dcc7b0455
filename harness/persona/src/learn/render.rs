//! From what was seen, and the nearest persona, to the text of a persona file.

use std::{collections::BTreeSet, fmt::Write as _};

use easrig_eas::Version;
use thiserror::Error;
use toml::{Table, Value};

use super::{Learner, facts::Fact, headers::name};
use crate::{Confidence, Persona, persona::pattern_length};

/// The persona that fills what was not seen.
#[derive(Clone, Copy, Debug)]
pub struct Nearest<'n> {
    /// It.
    pub persona: &'n Persona,
    /// The text of its file.
    pub text: &'n str,
    /// Why it is the nearest, or that it does not fit.
    pub because: &'n str,
}

/// Why no file can be proposed.
#[derive(Debug, Error)]
pub enum LearnError {
    /// The device sent no ActiveSync command.
    #[error("the device was seen to send no ActiveSync command; there is nothing to learn from")]
    NothingSeen,
    /// The nearest persona's text is no TOML.
    #[error("the file of the nearest persona cannot be read: {0}")]
    Nearest(#[from] toml::de::Error),
    /// The proposal is no persona: our own mistake.
    #[error("the proposal is no persona file: {0}")]
    Proposal(String),
}

/// The tables of a persona file, in its order.
const SECTIONS: [&str; 21] = [
    "identity",
    "identity.device_information",
    "protocol",
    "headers",
    "onboarding",
    "provisioning",
    "sync",
    "sync.email",
    "sync.calendar",
    "sync.contacts",
    "sync.tasks",
    "sync.notes",
    "mail",
    "push",
    "timeouts",
    "autodiscover",
    "auth",
    "redirects",
    "tls",
    "search",
    "abilities",
];

impl Learner {
    /// The text of a persona file with the id `id`.
    ///
    /// # Errors
    /// When there is nothing to learn from, or the result would be no persona.
    pub fn propose(&self, id: &str, nearest: Nearest<'_>) -> Result<String, LearnError> {
        if self.spoken.is_none() {
            return Err(LearnError::NothingSeen);
        }
        let base: Table = toml::from_str(nearest.text)?;
        let writer = Writer { learner: self, nearest, base: &base };
        let text = writer.file(id);
        Persona::parse(id, &text).map_err(|error| LearnError::Proposal(error.to_string()))?;
        Ok(text)
    }
}

struct Writer<'w> {
    learner: &'w Learner,
    nearest: Nearest<'w>,
    base: &'w Table,
}

/// A value, where it comes from, and how far it goes.
type Row = (Value, String, Confidence);

impl Writer<'_> {
    fn file(&self, id: &str) -> String {
        let nearest = self.nearest.persona;
        let mut out = format!(
            "# Proposed from recorded traffic. `exchange N` is what was seen there; what is assumed was not seen, and is taken\n\
             # from `{}`, the persona that the device is most like ({}).\n",
            nearest.id(),
            self.nearest.because.replace(|c: char| c.is_control(), " "),
        );
        let title = self.learner.facts.get("identity.user_agent").or(self.learner.facts.get("identity.device_type"));
        let title = title.map_or_else(|| Value::from(id), |fact| fact.value.clone());
        let head = [
            ("id", Value::from(id)),
            ("title", title),
            ("family", Value::from(nearest.family())),
            ("evidence", Value::from(self.assumed())),
            ("confidence", Value::from("unverified")),
        ];
        for (key, value) in head {
            line(&mut out, key, &value);
        }
        for section in SECTIONS {
            self.section(section, &mut out);
        }
        self.errors(&mut out);
        out
    }

    fn assumed(&self) -> String {
        format!("assumed: not seen; as {}", self.nearest.persona.id())
    }

    fn section(&self, section: &str, out: &mut String) {
        let prefix = format!("{section}.");
        let own = |key: &str| key.strip_prefix(&prefix).filter(|rest| !rest.contains('.')).map(str::to_owned);
        let seen = self.learner.facts.iter().filter_map(|(key, _)| own(key));
        let mut keys: BTreeSet<String> = seen.collect();
        keys.extend(self.derived(section).into_iter().map(str::to_owned));
        let base = at(self.base, section).and_then(Value::as_table);
        let known = base.into_iter().flatten().filter(|(_, value)| is_leaf(value));
        keys.extend(known.map(|(key, _)| key.clone()));
        let mut body = String::new();
        for key in keys {
            let path = format!("{section}.{key}");
            let assumed = base.and_then(|base| base.get(&key)).filter(|value| is_leaf(value)).map(plain);
            let row = self.row(&path).or(assumed.map(|value| (value, self.assumed(), Confidence::Unverified)));
            let Some((value, evidence, confidence)) = row else { continue };
            if path == "provisioning.rounds" {
                line(&mut body, &key, &value);
                continue;
            }
            let table = [
                ("value", value),
                ("evidence", Value::from(evidence)),
                ("confidence", Value::from(confidence.as_str())),
            ];
            let inner: Vec<String> = table.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            let _ = writeln!(body, "{key} = {{ {} }}", inner.join(", "));
        }
        if !body.is_empty() {
            let _ = writeln!(out, "\n[{section}]\n{}", body.trim_end());
        }
    }

    /// Keys that follow from several observations.
    fn derived(&self, section: &str) -> Vec<&'static str> {
        match section {
            "identity" => vec!["user_agent_on"],
            "protocol" => vec!["versions"],
            "onboarding" => vec!["order"],
            _ => Vec::new(),
        }
    }

    /// What was seen for a key.
    fn row(&self, path: &str) -> Option<Row> {
        match path {
            "identity.user_agent_on" => return self.agents(),
            "protocol.versions" => return self.versions(),
            "onboarding.order" => return self.order(),
            _ => {}
        }
        let fact = self.learner.facts.get(path)?;
        let seen = |value: Value| Some((value, fact.evidence(), fact.confidence()));
        match path {
            "identity.device_id" => self.device_id(fact),
            "headers.options" | "headers.post" | "headers.ping" | "headers.autodiscover" => self.headers(path, fact),
            "auth.schemes" => self.superset(path, fact),
            "push.start" => seen(fact.value.clone()),
            _ if fact.version.is_some() => self.by_version(path, fact),
            _ => seen(fact.value.clone()),
        }
    }

    fn base(&self, path: &str) -> Option<Value> {
        at(self.base, path).filter(|value| is_leaf(value)).map(plain)
    }

    /// The nearest persona's pattern, when the id has its length; else letters and digits of that length.
    fn device_id(&self, fact: &Fact) -> Option<Row> {
        let id = fact.value.as_str()?;
        let pattern = self.base("identity.device_id")?;
        if pattern_length(pattern.as_str()?) == Some(id.len()) {
            let evidence = format!("{}: of this length; the pattern as {}", fact.evidence(), self.nearest.persona.id());
            return Some((pattern, evidence, Confidence::Med));
        }
        let kind = match id {
            id if id.chars().all(|c| c.is_ascii_digit()) => "digits",
            id if id.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')) => "hex",
            _ => "alnum",
        };
        let pattern = format!("{{{kind}{}}}", id.len().clamp(1, 32));
        Some((Value::from(pattern), format!("{}: its length", fact.evidence()), Confidence::Low))
    }

    fn agents(&self) -> Option<Row> {
        let seen = self.learner.headers.agents();
        let known = self.base("identity.user_agent_on");
        let assumed = |situation: &str| known.as_ref().is_some_and(|list| holds(list, situation));
        let all = ["options", "plain-post", "base64-post", "autodiscover"];
        let there = all.into_iter().filter(|situation| seen.get(situation).copied().unwrap_or(assumed(situation)));
        let value = Value::from(there.map(str::to_owned).collect::<Vec<_>>());
        let names: Vec<&str> = seen.keys().copied().collect();
        let first = self.learner.facts.get("identity.user_agent").map_or(0, |fact| fact.at.0);
        let unseen = if names.len() == all.len() { "" } else { "; the others assumed" };
        let evidence = format!("exchange {first}; seen: {}{unseen}", names.join(", "));
        (!seen.is_empty()).then_some((value, evidence, Confidence::Med))
    }

    /// The nearest persona's list, when its rule picks what was spoken; else what was spoken comes first.
    fn versions(&self) -> Option<Row> {
        let (spoken, at) = self.learner.spoken?;
        let nearest = self.nearest.persona;
        let offered = &self.learner.offered;
        let common: Vec<Version> = nearest.versions().iter().copied().filter(|v| offered.contains(v)).collect();
        let list = |versions: Vec<Version>| Value::from(versions.iter().map(Version::to_string).collect::<Vec<_>>());
        if nearest.versions().contains(&spoken) && (common.is_empty() || common.contains(&spoken)) {
            let evidence = format!("exchange {}: speaks {spoken}; the others as {}", at.0, nearest.id());
            return Some((list(nearest.versions().to_vec()), evidence, Confidence::Med));
        }
        let below = nearest.versions().iter().copied().filter(|version| *version < spoken);
        let versions = std::iter::once(spoken).chain(below).collect();
        Some((list(versions), format!("exchange {}: speaks {spoken}; the others assumed", at.0), Confidence::Low))
    }

    fn order(&self) -> Option<Row> {
        let order = &self.learner.order;
        // A recording that does not show the account being set up says nothing about it.
        let whole = order.first() == Some(&"options") && order.last() == Some(&"first-sync");
        let at = self.learner.order_at.filter(|_| whole)?;
        let value = Value::from(order.iter().map(|step| (*step).to_owned()).collect::<Vec<_>>());
        Some((value, format!("exchange {} and after", at.0), Confidence::Med))
    }

    /// Lines that some requests leave out by rule are kept where the nearest persona has them.
    fn headers(&self, path: &str, fact: &Fact) -> Option<Row> {
        let seen: Vec<String> = strings(&fact.value);
        // A log that leaves out what every request has says nothing about order.
        if !seen.iter().any(|line| name(line).eq_ignore_ascii_case("host")) {
            return None;
        }
        let known =
            self.base(path).or_else(|| self.base("headers.post")).map(|list| strings(&list)).unwrap_or_default();
        let has = |line: &String| seen.iter().any(|seen| name(seen).eq_ignore_ascii_case(name(line)));
        let optional = |line: &&String| OPTIONAL.iter().any(|placeholder| line.ends_with(placeholder));
        let same: Vec<&String> = known.iter().filter(|line| has(line) || !optional(line)).collect();
        if same.len() == seen.len() && same.iter().zip(&seen).all(|(known, seen)| **known == *seen) {
            return Some((Value::from(known), fact.evidence(), fact.confidence()));
        }
        let missing = known.iter().filter(|line| optional(line) && !has(line)).cloned();
        let lines: Vec<String> = missing.chain(seen.iter().cloned()).collect();
        Some((Value::from(lines), fact.evidence(), fact.confidence()))
    }

    /// What the nearest persona can do beside what was seen stays.
    fn superset(&self, path: &str, fact: &Fact) -> Option<Row> {
        let mut all = strings(&fact.value);
        all.extend(self.base(path).map(|list| strings(&list)).unwrap_or_default());
        let mut once = BTreeSet::new();
        all.retain(|one| once.insert(one.clone()));
        let order = self.base(path).map(|list| strings(&list)).filter(|known| known.len() == all.len());
        Some((Value::from(order.unwrap_or(all)), format!("{}; others assumed", fact.evidence()), Confidence::Med))
    }

    /// The word seen at its version; below it, the nearest persona's.
    fn by_version(&self, path: &str, fact: &Fact) -> Option<Row> {
        let (version, word) = (fact.version?, fact.value.as_str()?);
        let known = self.base(path).map(|list| strings(&list)).unwrap_or_default();
        let rows = |list: &[String]| -> Vec<(Version, String)> {
            let read = |row: &String| {
                let (version, word) = row.split_once(' ')?;
                Some((version.parse().ok()?, word.to_owned()))
            };
            list.iter().filter_map(read).collect()
        };
        let at_version = rows(&known).into_iter().rfind(|(from, _)| *from <= version).map(|(_, word)| word);
        let evidence = format!("{} at {version}; other versions assumed", fact.evidence());
        if at_version.as_deref() == Some(word) {
            return Some((Value::from(known), evidence, Confidence::Med));
        }
        let below = rows(&known).into_iter().filter(|(from, _)| *from < version);
        let rows = below.chain([(version, word.to_owned())]).map(|(from, word)| format!("{from} {word}"));
        Some((Value::from(rows.collect::<Vec<_>>()), evidence, Confidence::Med))
    }

    /// The words of the nearest persona's screen: nothing on the wire shows them.
    fn errors(&self, out: &mut String) {
        let rows = self.base.get("error").and_then(Value::as_array);
        for row in rows.into_iter().flatten().filter_map(Value::as_table) {
            out.push_str("\n[[error]]\n");
            for key in ["kind", "when", "code", "message", "remedy"] {
                if let Some(value) = row.get(key) {
                    line(out, key, value);
                }
            }
        }
    }
}

/// Placeholders of lines that a device leaves out where they do not belong.
const OPTIONAL: [&str; 6] =
    ["{version}", "{policy_key}", "{multipart}", "{user_agent}", "{content_type}", "{authorization}"];

fn line(out: &mut String, key: &str, value: &Value) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{key} = {value}");
}

fn at<'v>(table: &'v Table, path: &str) -> Option<&'v Value> {
    let mut parts = path.split('.');
    let mut found = table.get(parts.next()?)?;
    for part in parts {
        found = found.as_table()?.get(part)?;
    }
    Some(found)
}

/// A value, plain or with its evidence; other tables are sections.
fn is_leaf(value: &Value) -> bool {
    value.as_table().is_none_or(|table| table.contains_key("value"))
}

fn plain(value: &Value) -> Value {
    value.as_table().and_then(|table| table.get("value")).unwrap_or(value).clone()
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn holds(list: &Value, word: &str) -> bool {
    strings(list).iter().any(|one| one == word)
}
