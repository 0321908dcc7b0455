use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An ActiveSync protocol version (MS-ASHTTP `MS-ASProtocolVersion`), kept as version × 10.
///
/// Any `N.N` parses, so that a server which offers `17.0` is shown as such.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(u8);

impl Version {
    /// Exchange 2003 SP2.
    pub const V2_5: Self = Self(25);
    /// Exchange 2007.
    pub const V12_0: Self = Self(120);
    /// Exchange 2007 SP1.
    pub const V12_1: Self = Self(121);
    /// Exchange 2010.
    pub const V14_0: Self = Self(140);
    /// Exchange 2010 SP1.
    pub const V14_1: Self = Self(141);
    /// Exchange 2016.
    pub const V16_0: Self = Self(160);
    /// Exchange 2016 CU and Exchange Online.
    pub const V16_1: Self = Self(161);

    /// Every version with a public specification, oldest first.
    pub const ALL: [Self; 7] =
        [Self::V2_5, Self::V12_0, Self::V12_1, Self::V14_0, Self::V14_1, Self::V16_0, Self::V16_1];

    /// The byte of the base64 query (MS-ASHTTP 2.2.1.1.1.1): version × 10.
    pub const fn byte(self) -> u8 {
        self.0
    }

    /// The version written as version × 10.
    pub const fn from_byte(byte: u8) -> Self {
        Self(byte)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not a protocol version.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a protocol version (expected N.N, such as `14.1`)")]
pub struct VersionError(pub String);

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let wrong = || VersionError(text.to_owned());
        let (major, minor) = text.split_once('.').ok_or_else(wrong)?;
        let number = |s: &str| match s.len() {
            1..=2 if s.bytes().all(|b| b.is_ascii_digit()) => s.parse::<u8>().ok(),
            _ => None,
        };
        match (number(major), number(minor)) {
            (Some(major @ 0..=24), Some(minor @ 0..=9)) if text.len() - major.to_string().len() == 2 => {
                Ok(Self(major * 10 + minor))
            }
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<String> for Version {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_read_and_print_alike() {
        for version in Version::ALL {
            assert_eq!(version.to_string().parse(), Ok(version));
        }
        assert_eq!("17.0".parse::<Version>().map(Version::byte), Ok(170));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "14", "14.", "14.10", ".1", "1e.1", "014.1", "25.6", "14.1 "] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }
}
