/// How well a value of a persona is evidenced, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// Nobody has checked it; an assumption.
    Unverified,
    /// Inferred.
    Low,
    /// One indirect source.
    Med,
    /// Read in source code or a verbatim log.
    High,
}

impl Confidence {
    /// Every word with its meaning, worst first.
    pub const WORDS: [(&'static str, Self); 4] =
        [("unverified", Self::Unverified), ("low", Self::Low), ("med", Self::Med), ("high", Self::High)];

    /// The word of persona files and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unverified => "unverified",
            Self::Low => "low",
            Self::Med => "med",
            Self::High => "high",
        }
    }
}

/// A value with where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it was seen; empty for an assumption.
    pub evidence: String,
    /// How far to trust it.
    pub confidence: Confidence,
    /// Its key in the file, such as `provisioning.cannot`.
    pub key: String,
}

impl<T> Sourced<T> {
    /// A value the file does not give: taken all the same, and marked.
    pub fn assumed(key: impl Into<String>, value: T) -> Self {
        Self { value, evidence: String::new(), confidence: Confidence::Unverified, key: key.into() }
    }

    /// Another value that rests on the same.
    pub(crate) fn with<U>(&self, value: U) -> Sourced<U> {
        Sourced { value, evidence: self.evidence.clone(), confidence: self.confidence, key: self.key.clone() }
    }
}
