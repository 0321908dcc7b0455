use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A version of TLS, oldest first. What came before 1.0 is not spoken by any server that matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TlsVersion {
    /// RFC 2246.
    #[serde(rename = "TLSv1.0")]
    V1_0,
    /// RFC 4346.
    #[serde(rename = "TLSv1.1")]
    V1_1,
    /// RFC 5246.
    #[serde(rename = "TLSv1.2")]
    V1_2,
    /// RFC 8446.
    #[serde(rename = "TLSv1.3")]
    V1_3,
}

impl TlsVersion {
    /// Every version, oldest first.
    pub const ALL: [Self; 4] = [Self::V1_0, Self::V1_1, Self::V1_2, Self::V1_3];

    /// Its name in persona files and run files.
    pub fn name(self) -> &'static str {
        match self {
            Self::V1_0 => "TLSv1.0",
            Self::V1_1 => "TLSv1.1",
            Self::V1_2 => "TLSv1.2",
            Self::V1_3 => "TLSv1.3",
        }
    }
}

impl fmt::Display for TlsVersion {
    /// As people write it: `TLS 1.0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TLS {}", self.name().trim_start_matches("TLSv"))
    }
}

/// No name of a TLS version.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is no TLS version: TLSv1.0, TLSv1.1, TLSv1.2 or TLSv1.3 is")]
pub struct UnknownTlsVersion(String);

impl FromStr for TlsVersion {
    type Err = UnknownTlsVersion;

    fn from_str(text: &str) -> Result<Self, UnknownTlsVersion> {
        let named = |version: &Self| version.name() == text;
        Self::ALL.into_iter().find(named).ok_or_else(|| UnknownTlsVersion(text.to_owned()))
    }
}

/// What a server made of a hello that offered one version of TLS and no other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsOffer {
    /// What was offered.
    pub version: TlsVersion,
    /// What the server made of it.
    pub answer: OfferAnswer,
    /// How it said so, in words; empty where it took the offer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub how: String,
}

/// Whether an offer was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferAnswer {
    /// The server went on with it.
    Accepted,
    /// The server would not.
    Refused,
    /// It could not be told: no connection, no answer, or none that is TLS.
    Unclear,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for version in TlsVersion::ALL {
            assert_eq!(version.name().parse(), Ok(version));
            assert_eq!(serde_json::to_string(&version).unwrap(), format!("\"{}\"", version.name()));
        }
        assert_eq!(TlsVersion::V1_0.to_string(), "TLS 1.0");
        assert!("SSLv3".parse::<TlsVersion>().unwrap_err().to_string().contains("`SSLv3` is no TLS version"));
    }
}
