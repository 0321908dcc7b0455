//! From what was seen to the text of a persona file.

use std::{collections::BTreeSet, fmt::Write as _};

use thiserror::Error;
use toml::Value;

use super::{
    Learner,
    facts::Row,
    fields::{TABLES, Table, Why},
};
use crate::{Confidence, Persona, persona::word::HeaderLine};

/// A persona file that holds what was seen and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The text of the file.
    pub text: String,
    /// How many values it holds.
    pub seen: usize,
    /// How many keys it names without a value.
    pub unseen: usize,
}

/// Why no file can be proposed.
#[derive(Debug, Error)]
pub enum LearnError {
    /// The device sent no ActiveSync command.
    #[error("the device was seen to send no ActiveSync command; there is nothing to learn from")]
    NothingSeen,
    /// The proposal is no persona: our own mistake.
    #[error("the proposal is no persona file: {0}")]
    Proposal(String),
}

impl Learner {
    /// The text of a persona file with the id `id`; `likeness` tells which known persona the device is most like.
    ///
    /// # Errors
    /// When there is nothing to learn from, or the result would be no persona.
    pub fn propose(mut self, id: &str, likeness: &str) -> Result<Proposal, LearnError> {
        if self.speech.is_silent() {
            return Err(LearnError::NothingSeen);
        }
        self.setup.close(self.sync.first());
        let proposal = self.file(id, likeness);
        Persona::parse(id, &proposal.text).map_err(|error| LearnError::Proposal(error.to_string()))?;
        Ok(proposal)
    }

    fn file(&self, id: &str, likeness: &str) -> Proposal {
        let likeness = likeness.replace(|c: char| c.is_control(), " ");
        let text = format!(
            "# Learned from recorded traffic: `exchange N` is where a value was seen. What was not seen is not here: it is\n\
             # assumed when the persona runs, as docs/personas.md has it, and unverified. What stands on the screen of the\n\
             # device is never on the wire: without [[error]] rows its troubles are `inconclusive`.\n\
             # {likeness}\n"
        );
        let mut proposal = Proposal { text, seen: 0, unseen: 0 };
        let text = |key: &str| self.facts.get(key).and_then(|fact| fact.value()?.as_str().map(str::to_owned));
        let kind = text("identity.device_type");
        let title = text("identity.user_agent").or_else(|| kind.clone()).unwrap_or_else(|| id.to_owned());
        let head = [
            ("id", id.to_owned()),
            ("title", title),
            ("family", kind.unwrap_or_else(|| id.to_owned())),
            ("evidence", "not seen".to_owned()),
            ("confidence", Confidence::Unverified.as_str().to_owned()),
        ];
        for (key, value) in head {
            // Writing to a String cannot fail.
            let _ = writeln!(proposal.text, "{key} = {}", Value::from(value));
        }
        for table in &TABLES {
            self.table(table, &mut proposal);
        }
        proposal
    }

    fn table(&self, table: &Table, out: &mut Proposal) {
        let mut body = String::new();
        let mut silent = Vec::new();
        for (key, why) in table.keys {
            let path = format!("{}.{key}", table.name);
            if let Some(row) = self.row(&path) {
                let fields = [
                    ("value", row.value),
                    ("evidence", Value::from(row.evidence)),
                    ("confidence", Value::from(row.confidence.as_str())),
                ];
                let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name} = {value}")).collect();
                let _ = writeln!(body, "{key} = {{ {} }}", fields.join(", "));
                out.seen += 1;
                continue;
            }
            match why {
                Why::Silent => silent.push(*key),
                Why::Unseen(why) => {
                    let _ =
                        writeln!(body, "# {key}: not seen; {}", self.aside(&path).unwrap_or_else(|| (*why).to_owned()));
                }
                Why::Never(why) => {
                    let _ = writeln!(body, "# {key}: cannot be seen; {why}");
                }
            }
            out.unseen += 1;
        }
        // A class that was not synchronised has no table.
        if body.is_empty() {
            return;
        }
        if !silent.is_empty() {
            let _ = writeln!(body, "# not seen: {}", silent.join(", "));
        }
        if let Some(hello) = self.facts.get_aside("tls.hello").filter(|_| table.name == "tls") {
            let _ = writeln!(body, "# {}", comment(hello));
        }
        let _ = write!(out.text, "\n[{}]\n{body}", table.name);
    }

    /// What is to stand in the file for a key.
    fn row(&self, path: &str) -> Option<Row> {
        match path {
            "identity.device_id" => self.device_id(),
            "identity.user_agent_on" => self.agents(),
            "abilities.connect" => self.setup.row("onboarding.order").map(|row| Row { value: true.into(), ..row }),
            "headers.options" | "headers.post" | "headers.ping" | "headers.autodiscover" => self.headers(path),
            _ => self
                .speech
                .row(path)
                .or_else(|| self.setup.row(path))
                .or_else(|| self.sync.row(path))
                .or_else(|| self.facts.row(path))
                .or_else(|| self.waits.row(path))
                .or_else(|| self.waiting.row(path))
                .or_else(|| self.places.row(path)),
        }
    }

    /// What was seen of a key that has no row.
    fn aside(&self, path: &str) -> Option<String> {
        let told = self.facts.get_aside(path).map(str::to_owned);
        let told = told.or_else(|| self.speech.aside(path)).or_else(|| self.sync.aside(path));
        told.or_else(|| self.waiting.aside(path)).map(|text| comment(&text))
    }

    /// The kind and number of its characters; one id does not tell more.
    fn device_id(&self) -> Option<Row> {
        let fact = self.facts.get("identity.device_id")?;
        let (id, at) = (fact.value()?.as_str()?, fact.at()?);
        let evidence = format!("exchange {}: the kind and number of its characters", at.0);
        Some(Row { value: pattern(id)?.into(), evidence, confidence: Confidence::Low })
    }

    /// Where the User-Agent is; where nothing was seen, as everywhere else if that is one and the same.
    fn agents(&self) -> Option<Row> {
        let seen = self.headers.agents();
        let at = seen.values().map(|(_, at)| at.0).min()?;
        let everywhere = seen.values().all(|(there, _)| *there);
        let all = ["options", "plain-post", "base64-post", "autodiscover"];
        let is_there = |situation: &&str| seen.get(*situation).map_or(everywhere, |(there, _)| *there);
        let value: Vec<String> = all.iter().filter(|it| is_there(it)).map(|it| (*it).to_owned()).collect();
        let unseen: Vec<&str> = all.into_iter().filter(|situation| !seen.contains_key(situation)).collect();
        let rest = if unseen.is_empty() { String::new() } else { format!("; not seen: {}", unseen.join(", ")) };
        Some(Row {
            value: value.into(),
            evidence: format!("exchange {at} and after{rest}"),
            confidence: Confidence::Med,
        })
    }

    /// The lines of a kind of request. A base64 query says version, key and multipart itself: the lines that say them with
    /// a plain query do not show then, and are put behind the others as MS-ASHTTP has them.
    fn headers(&self, path: &str) -> Option<Row> {
        let mut row = self.headers.row(path)?;
        let mut lines = strings(&row.value);
        if path == "headers.ping" {
            let post = self.headers.row("headers.post").map(|row| strings(&row.value)).unwrap_or_default();
            let shown = |line: &&String| lines.contains(line) || !is_optional(line);
            if post.iter().filter(shown).eq(lines.iter()) {
                return None;
            }
        }
        if path == "headers.post" && !self.headers.agents().contains_key("plain-post") {
            for (name, value) in PLAIN_ONLY {
                if !lines.iter().any(|line| line.ends_with(value)) {
                    lines.push(format!("{name}: {value}"));
                }
            }
            row.evidence
                .push_str("; the lines of a plain query, which a base64 query leaves out, as MS-ASHTTP has them");
        }
        // Logs and recordings leave credentials out; a device that is served has some.
        if !lines.iter().any(|line| line.ends_with("{authorization}")) {
            lines.push("Authorization: {authorization}".to_owned());
            row.evidence.push_str("; Authorization is not in the recording");
        }
        row.value = lines.into();
        Some(row)
    }
}

/// The lines that a request with a base64 query leaves out.
const PLAIN_ONLY: [(&str, &str); 3] = [
    ("MS-ASProtocolVersion", "{version}"),
    ("X-MS-PolicyKey", "{policy_key}"),
    ("MS-ASAcceptMultiPart", "{multipart}"),
];

/// Whether a device leaves the line out where it has nothing to say.
fn is_optional(line: &str) -> bool {
    HeaderLine::PLACEHOLDERS.iter().any(|placeholder| *placeholder != "{host}" && line.ends_with(placeholder))
}

/// A pattern that gives ids like this one; `None` for one that no persona can have.
fn pattern(id: &str) -> Option<String> {
    let length = id.len();
    if !(1..=32).contains(&length) || !id.chars().all(|c| c.is_ascii_alphanumeric()) {
        return None;
    }
    let kind = |c: char| match c {
        '0'..='9' => 0,
        'A'..='F' => 2,
        'G'..='V' => 3,
        'W'..='Z' => 4,
        'a'..='f' => 1,
        _ => 5,
    };
    let kinds: BTreeSet<u8> = id.chars().map(kind).filter(|kind| *kind > 0).collect();
    let word = match (kinds.contains(&1), kinds.last()) {
        (_, None) => Some("digits"),
        (true, Some(1)) => Some("hex"),
        (false, Some(2)) => Some("HEX"),
        (false, Some(3)) => Some("crock"),
        (false, Some(4)) => Some("alnum"),
        _ => None,
    };
    if let Some(word) = word {
        return Some(format!("{{{word}{length}}}"));
    }
    // A maker's letters before the device's number.
    let letters = id.find(|c: char| c.is_ascii_digit()).unwrap_or(length);
    let (maker, number) = id.split_at(letters);
    if !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()) {
        return Some(format!("{maker}{{digits{}}}", number.len()));
    }
    Some(format!("{{alnum{length}}}"))
}

/// Text of the recording that may stand in a comment.
fn comment(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn an_id_tells_the_kind_and_number_of_its_characters() {
        let ids = [
            ("0123456789abcdef0123456789abcdef", "{hex32}"),
            ("androidc123456789", "androidc{digits9}"),
            ("BB1234ABCD", "{HEX10}"),
            ("5VQK0N1D2P0000000000000000", "{crock26}"),
            ("ApplDLXJ1234F18X", "{alnum16}"),
            ("358240051111110", "{digits15}"),
        ];
        for (id, expected) in ids {
            assert_eq!(pattern(id).as_deref(), Some(expected), "{id}");
        }
        assert_eq!((pattern(""), pattern("a-b"), pattern(&"a".repeat(33))), (None, None, None));
    }
}
