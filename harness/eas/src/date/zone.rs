use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use thiserror::Error;

/// The size of the structure in bytes.
const SIZE: usize = 172;
/// UTF-16 units of a zone's name.
const NAME_UNITS: usize = 32;

/// The time zone of a calendar item: 172 bytes in base64 (MS-ASDTYPE, TimeZone).
///
/// Local time = UTC − (bias + the transition's own bias). Display is the base64 text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZoneBlob {
    /// UTC − local time, in minutes.
    pub bias: i32,
    /// When standard time begins, and what it adds.
    pub standard: Transition,
    /// When summer time begins, and what it adds (usually −60).
    pub daylight: Transition,
}

/// The begin of standard or summer time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transition {
    /// The name; at most 32 UTF-16 units are written.
    pub name: String,
    /// When it begins; all zero where a zone has no summer time.
    pub date: SystemTime,
    /// Minutes added to the zone's bias.
    pub bias: i32,
}

/// The structure of the same name. A year of 0 makes `day` the week of the month (5 = last) of that `day_of_week`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SystemTime {
    /// Year, or 0 for every year.
    pub year: u16,
    /// 1 to 12; 0 = no transition.
    pub month: u16,
    /// 0 = Sunday.
    pub day_of_week: u16,
    /// Day or week.
    pub day: u16,
    /// Hour.
    pub hour: u16,
    /// Minute.
    pub minute: u16,
    /// Second.
    pub second: u16,
    /// Millisecond.
    pub millisecond: u16,
}

/// Why a text is no time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ZoneError {
    /// Not base64.
    #[error("the time zone is not base64")]
    NotBase64,
    /// Another number of bytes.
    #[error("a time zone has {SIZE} bytes, this one has {0}")]
    Size(usize),
}

impl ZoneBlob {
    /// UTC, without summer time.
    pub fn utc() -> Self {
        let named = || Transition { name: "UTC".to_owned(), ..Transition::default() };
        Self { bias: 0, standard: named(), daylight: named() }
    }

    /// Reads the text of a TimeZone element; white space around it does not count.
    ///
    /// # Errors
    ///
    /// No base64, or not 172 bytes.
    pub fn parse(text: &str) -> Result<Self, ZoneError> {
        let text = text.trim();
        if text.len() > SIZE * 2 {
            return Err(ZoneError::Size(text.len() / 4 * 3));
        }
        let bytes = STANDARD.decode(text).map_err(|_| ZoneError::NotBase64)?;
        Self::read(&mut Words(&bytes)).filter(|_| bytes.len() == SIZE).ok_or(ZoneError::Size(bytes.len()))
    }

    fn read(words: &mut Words<'_>) -> Option<Self> {
        Some(Self { bias: words.long()?, standard: words.transition()?, daylight: words.transition()? })
    }
}

impl fmt::Display for ZoneBlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = self.bias.to_le_bytes().to_vec();
        for transition in [&self.standard, &self.daylight] {
            let units = transition.name.encode_utf16().chain(std::iter::repeat(0)).take(NAME_UNITS);
            out.extend(units.flat_map(u16::to_le_bytes));
            let t = &transition.date;
            let words = [t.year, t.month, t.day_of_week, t.day, t.hour, t.minute, t.second, t.millisecond];
            out.extend(words.into_iter().flat_map(u16::to_le_bytes));
            out.extend(transition.bias.to_le_bytes());
        }
        f.write_str(&STANDARD.encode(out))
    }
}

struct Words<'a>(&'a [u8]);

impl Words<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    fn word(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn long(&mut self) -> Option<i32> {
        self.array().map(i32::from_le_bytes)
    }

    fn transition(&mut self) -> Option<Transition> {
        let units = (0..NAME_UNITS).map(|_| self.word()).collect::<Option<Vec<u16>>>()?;
        let units = units.split(|unit| *unit == 0).next().unwrap_or_default();
        let name = String::from_utf16_lossy(units);
        let date = SystemTime {
            year: self.word()?,
            month: self.word()?,
            day_of_week: self.word()?,
            day: self.word()?,
            hour: self.word()?,
            minute: self.word()?,
            second: self.word()?,
            millisecond: self.word()?,
        };
        Some(Transition { name, date, bias: self.long()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// US Pacific, packed by hand: first Sunday of November, second Sunday of March, no names.
    const PACIFIC: &str = "4AEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAsAAAABAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAMAAAACAAIAAAAAAAAAxP///w==";

    #[test]
    fn the_pacific_zone_is_read_and_written_alike() {
        let zone = ZoneBlob::parse(PACIFIC).unwrap();
        assert_eq!(zone.bias, 480);
        assert_eq!((zone.standard.date.month, zone.standard.date.day, zone.standard.date.hour), (11, 1, 2));
        assert_eq!((zone.daylight.date.month, zone.daylight.date.day, zone.daylight.bias), (3, 2, -60));
        assert_eq!(zone.to_string(), PACIFIC);
    }

    #[test]
    fn utc_has_no_transition() {
        let text = ZoneBlob::utc().to_string();
        assert_eq!(text.len(), 232);
        assert!(text.starts_with("AAAAAFUAVABDAAAA"), "{text}");
        assert_eq!(ZoneBlob::parse(&text), Ok(ZoneBlob::utc()));
        assert_eq!(ZoneBlob::parse(&ZoneBlob::default().to_string()), Ok(ZoneBlob::default()));
    }

    #[test]
    fn other_sizes_are_refused() {
        assert_eq!(ZoneBlob::parse("AAAA"), Err(ZoneError::Size(3)));
        assert_eq!(ZoneBlob::parse("*"), Err(ZoneError::NotBase64));
        assert!(matches!(ZoneBlob::parse(&"AAAA".repeat(58)), Err(ZoneError::Size(174))));
        assert!(matches!(ZoneBlob::parse(&"AAAA".repeat(1_000_000)), Err(ZoneError::Size(_))));
    }
}
