//! Points in time as ActiveSync writes them, and the time zone of a calendar item (MS-ASDTYPE).

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil, tz::TimeZone};
use thiserror::Error;

mod zone;

pub use zone::{SystemTime, Transition, ZoneBlob, ZoneError};

/// A point in time in UTC, with the form it is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EasDate {
    /// The point in time; written to the second (compact) or millisecond (extended).
    pub at: Timestamp,
    /// The form.
    pub form: DateForm,
}

/// The two forms of a date and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DateForm {
    /// `20240101T000000Z`: calendar items.
    Compact,
    /// `2024-01-01T00:00:00.000Z`: mail, tasks, contacts. Milliseconds may be absent when read, and are written.
    Extended,
}

/// A text that is neither form.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DateError {
    /// It does not look like a date.
    #[error("`{0}` is not a date such as `20240101T000000Z` or `2024-01-01T00:00:00.000Z`")]
    Form(String),
    /// There is no such day or time.
    #[error("`{0}` is no day and time of the calendar")]
    Calendar(String),
}

impl EasDate {
    /// `at` in the compact form.
    pub fn compact(at: Timestamp) -> Self {
        Self { at, form: DateForm::Compact }
    }

    /// `at` in the extended form.
    pub fn extended(at: Timestamp) -> Self {
        Self { at, form: DateForm::Extended }
    }
}

impl FromStr for EasDate {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let wrong = || DateError::Form(text.chars().take(64).collect());
        let form = if text.contains('-') { DateForm::Extended } else { DateForm::Compact };
        let (whole, fraction) = match text.strip_suffix('Z').ok_or_else(wrong)?.split_once('.') {
            Some((whole, fraction)) if form == DateForm::Extended => (whole, nanoseconds(fraction).ok_or_else(wrong)?),
            Some(_) => return Err(wrong()),
            None => (text.strip_suffix('Z').unwrap_or(text), 0),
        };
        let pattern = match form {
            DateForm::Compact => "ddddddddTdddddd",
            DateForm::Extended => "dddd-dd-ddTdd:dd:dd",
        };
        let digits = matching_digits(whole, pattern).ok_or_else(wrong)?;
        let at = point(&digits, fraction).ok_or_else(|| DateError::Calendar(text.to_owned()))?;
        Ok(Self { at, form })
    }
}

impl fmt::Display for EasDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = TimeZone::UTC.to_datetime(self.at);
        let (year, month, day) = (time.year(), time.month(), time.day());
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        match self.form {
            DateForm::Compact => write!(f, "{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z"),
            DateForm::Extended => {
                let milli = time.millisecond();
                write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
            }
        }
    }
}

/// The digits of `text` if it has a digit where `pattern` has `d`, and else the pattern's own character.
fn matching_digits(text: &str, pattern: &str) -> Option<String> {
    if text.len() != pattern.len() {
        return None;
    }
    let fits = text.chars().zip(pattern.chars()).all(|(c, p)| if p == 'd' { c.is_ascii_digit() } else { c == p });
    fits.then(|| text.chars().filter(char::is_ascii_digit).collect())
}

/// `YYYYMMDDhhmmss`
fn point(digits: &str, nanoseconds: i32) -> Option<Timestamp> {
    let year = digits.get(0..4)?.parse().ok()?;
    let pair = |at: usize| digits.get(at..at + 2)?.parse::<i8>().ok();
    let time = civil::DateTime::new(year, pair(4)?, pair(6)?, pair(8)?, pair(10)?, pair(12)?, nanoseconds).ok()?;
    TimeZone::UTC.to_timestamp(time).ok()
}

fn nanoseconds(fraction: &str) -> Option<i32> {
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<9}").parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_forms_read_and_write_alike() {
        for text in ["20240101T000000Z", "2024-01-01T00:00:00.000Z", "2024-05-06T07:08:09.120Z", "00010203T040506Z"] {
            assert_eq!(text.parse::<EasDate>().unwrap().to_string(), text);
        }
        let date: EasDate = "20240229T235959Z".parse().unwrap();
        assert_eq!(date.at.as_second(), 1_709_251_199);
        assert_eq!(EasDate::extended(date.at).to_string(), "2024-02-29T23:59:59.000Z");
        assert_eq!("2024-02-29T23:59:59Z".parse(), Ok(EasDate::extended(date.at)));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "Z",
            "2024",
            "20240101",
            "20240101T000000",
            "2024-01-01",
            "20240101T000000.5Z",
            "2024-01-01T00:00:00.Z",
            "２０240101T000000Z",
        ] {
            assert!(matches!(text.parse::<EasDate>(), Err(DateError::Form(_))), "{text}");
        }
        for text in ["20230229T000000Z", "20240101T240000Z", "20241301T000000Z", "20240101T006000Z"] {
            assert_eq!(text.parse::<EasDate>(), Err(DateError::Calendar(text.to_owned())), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_second_survives_both_forms(second in -62_135_596_800i64..253_402_000_000) {
            let at = Timestamp::from_second(second).unwrap();
            for date in [EasDate::compact(at), EasDate::extended(at)] {
                prop_assert_eq!(date.to_string().parse(), Ok(date));
            }
        }

        #[test]
        fn no_text_panics(text in "[0-9TZ:.\\-é]{0,30}") {
            let _ = text.parse::<EasDate>();
        }
    }
}
