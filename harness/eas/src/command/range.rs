use std::{fmt, str::FromStr};

use thiserror::Error;

/// A range `first-last`, both counted from 0 and both inside (MS-ASCMD 2.2.3.143 Range).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Range {
    /// The first one.
    pub first: u32,
    /// The last one.
    pub last: u32,
}

/// A text that is no range.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a range (expected `first-last`, such as `0-99`)")]
pub struct RangeError(pub String);

impl FromStr for Range {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let wrong = || RangeError(text.chars().take(64).collect());
        let (first, last) = text.split_once('-').ok_or_else(wrong)?;
        let number = |text: &str| text.trim().parse::<u32>().map_err(|_| wrong());
        let (first, last) = (number(first)?, number(last)?);
        if first <= last { Ok(Self { first, last }) } else { Err(wrong()) }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_reads_and_prints_alike() {
        assert_eq!("0-99".parse(), Ok(Range { first: 0, last: 99 }));
        assert_eq!(Range { first: 3, last: 3 }.to_string(), "3-3");
    }

    #[test]
    fn a_backward_or_broken_range_is_refused() {
        for text in ["", "1", "2-1", "-", "a-b", "0-4294967296"] {
            assert!(text.parse::<Range>().is_err(), "{text}");
        }
    }
}
