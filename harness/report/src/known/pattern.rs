use std::fmt;

use easrig_scenario::CellId;
use thiserror::Error;

/// Which cells are meant: `SCENARIO[,PERSONA[,VERSION]]`, where `*` stands for any text, also none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    scenario: String,
    persona: Option<String>,
    version: Option<String>,
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PatternError {
    /// One of its parts is empty.
    #[error("a part of the pattern is empty; it is `SCENARIO[,PERSONA[,VERSION]]`, and `*` stands for any text")]
    Empty,
    /// It has more than three parts.
    #[error("the pattern has {0} parts; it is `SCENARIO[,PERSONA[,VERSION]]`")]
    TooManyParts(usize),
}

impl Pattern {
    /// Whether a cell is meant.
    pub fn matches(&self, cell: &CellId) -> bool {
        let fits = |pattern: &Option<String>, text: &str| pattern.as_ref().is_none_or(|pattern| glob(pattern, text));
        let version = cell.version.map(|version| version.to_string()).unwrap_or_default();
        glob(&self.scenario, &cell.scenario) && fits(&self.persona, &cell.persona) && fits(&self.version, &version)
    }

    /// The part about the scenario.
    pub fn scenario(&self) -> &str {
        &self.scenario
    }
}

impl std::str::FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        if parts.iter().any(|part| part.is_empty()) {
            return Err(PatternError::Empty);
        }
        let part = |at: usize| parts.get(at).map(|part| (*part).to_owned());
        match parts.len() {
            1..=3 => Ok(Self { scenario: part(0).unwrap_or_default(), persona: part(1), version: part(2) }),
            parts => Err(PatternError::TooManyParts(parts)),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scenario)?;
        [&self.persona, &self.version].into_iter().flatten().try_for_each(|part| write!(f, ",{part}"))
    }
}

/// Whether `text` is `pattern`, where `*` stands for anything. Each part between stars is found as early as it can be, so
/// that no pattern takes longer than its length times that of the text.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let head = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(head) else { return false };
    let Some(tail) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at.saturating_add(part.len())..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(tail)
}

/// The one of `known` most like `wanted`, when one is like it at all.
pub(super) fn nearest<'k>(wanted: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let near = known.into_iter().map(|name| (strsim::jaro_winkler(name, wanted), name));
    near.filter(|(likeness, _)| *likeness > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use easrig_eas::Version;

    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, fits) in [
            ("sync/a", "sync/a", true),
            ("sync/a", "sync/ab", false),
            ("sync/*", "sync/", true),
            ("*", "", true),
            ("s*c/*b", "sync/ab", true),
            ("s*c/*b", "sync/a", false),
            ("a*a", "a", false),
            ("*a*b*", "xaybz", true),
            ("*a*b*", "xbya", false),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn parts_that_are_not_there_are_any() {
        let cell = CellId { scenario: "sync/a".into(), persona: "wp7.5".into(), version: Some(Version::V14_1) };
        for (pattern, fits) in
            [("sync/a", true), ("sync/a,wp7*", true), ("sync/a, wp7.5, 14.1", true), ("sync/a,*,12.1", false)]
        {
            assert_eq!(pattern.parse::<Pattern>().unwrap().matches(&cell), fits, "{pattern}");
        }
        assert_eq!("a,,b".parse::<Pattern>(), Err(PatternError::Empty));
        assert_eq!("a,b,c,d".parse::<Pattern>(), Err(PatternError::TooManyParts(4)));
        assert_eq!("a, b".parse::<Pattern>().unwrap().to_string(), "a,b");
    }
}
