use std::fmt;

use base64::{
    Engine,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// The form of an element's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Anything, or elements.
    Any,
    /// Nothing at all.
    Empty,
    /// `0` or `1` (MS-ASDTYPE 2.1).
    Boolean,
    /// A whole number within bounds.
    Integer(i64, i64),
    /// One of several whole numbers.
    OneOf(Vec<i64>),
    /// A number with a point.
    Double,
    /// UTC, either of the two forms of MS-ASDTYPE 2.3 and 2.7.2.
    DateTime,
    /// `first-last`.
    Range,
    /// Base64, with white space.
    Base64,
}

impl Form {
    /// Reads a form as the tables write it; what is not understood is anything.
    pub(super) fn parse(text: &str) -> Self {
        let (name, facets) = text.split_once('(').map_or((text, ""), |(name, rest)| (name, rest.trim_end_matches(')')));
        let bounds = match name {
            "boolean" => return Self::Boolean,
            "empty" => return Self::Empty,
            "double" => return Self::Double,
            "dateTime" | "Compact DateTime" => return Self::DateTime,
            "range" => return Self::Range,
            "base64" => return Self::Base64,
            "unsignedByte" | "uint8" => (0, i64::from(u8::MAX)),
            "unsignedShort" | "uint16" => (0, i64::from(u16::MAX)),
            "unsignedInt" | "uint32" => (0, i64::from(u32::MAX)),
            "int" | "integer" => (i64::MIN, i64::MAX),
            _ => return Self::Any,
        };
        Self::bounded(bounds, facets)
    }

    fn bounded((mut low, mut high): (i64, i64), facets: &str) -> Self {
        for facet in facets.split(',') {
            match facet.split_once('=') {
                Some(("enum", values)) => {
                    return Self::OneOf(values.split('|').filter_map(|v| v.parse().ok()).collect());
                }
                Some(("minInclusive", value)) => low = value.parse().unwrap_or(low),
                Some(("maxInclusive", value)) => high = value.parse().unwrap_or(high),
                _ => {}
            }
        }
        Self::Integer(low, high)
    }

    /// Whether `text` has this form. Nothing at all passes for everything.
    pub(super) fn accepts(&self, text: &str) -> bool {
        let text = text.trim();
        if text.is_empty() {
            return true;
        }
        let number = || text.parse::<i64>().ok();
        match self {
            Self::Any => true,
            Self::Empty => false,
            Self::Boolean => matches!(text, "0" | "1"),
            Self::Integer(low, high) => number().is_some_and(|value| (*low..=*high).contains(&value)),
            Self::OneOf(values) => number().is_some_and(|value| values.contains(&value)),
            Self::Double => text.parse::<f64>().is_ok(),
            Self::DateTime => is_date_time(text.as_bytes()),
            Self::Range => text.parse::<crate::command::Range>().is_ok(),
            Self::Base64 => is_base64(text),
        }
    }

    /// The one that accepts what either accepts, if one can say it.
    pub(super) fn wider(self, other: Self) -> Self {
        if self == other { self } else { Self::Any }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("anything"),
            Self::Empty => f.write_str("nothing"),
            Self::Boolean => f.write_str("`0` or `1`"),
            Self::Integer(i64::MIN, i64::MAX) => f.write_str("a whole number"),
            Self::Integer(low, high) => write!(f, "a whole number from {low} to {high}"),
            Self::OneOf(values) => write!(f, "one of {values:?}"),
            Self::Double => f.write_str("a number"),
            Self::DateTime => f.write_str("a time such as `2024-01-31T12:00:00.000Z`"),
            Self::Range => f.write_str("a range such as `0-99`"),
            Self::Base64 => f.write_str("base64"),
        }
    }
}

/// `2024-01-31T12:00:00[.0…]Z` or `20240131T120000Z`, digits within the calendar's widest bounds.
fn is_date_time(text: &[u8]) -> bool {
    let Some((b'Z', text)) = text.split_last() else { return false };
    let text = match text.iter().position(|&byte| byte == b'.') {
        Some(point) => match text.split_at_checked(point) {
            Some((whole, [b'.', fraction @ ..])) if !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit) => {
                whole
            }
            _ => return false,
        },
        None => text,
    };
    let pattern: &[u8] = if text.contains(&b'-') { b"dddd-dd-ddTdd:dd:dd" } else { b"ddddddddTdddddd" };
    let fits = |(&byte, &wanted): (&u8, &u8)| if wanted == b'd' { byte.is_ascii_digit() } else { byte == wanted };
    if text.len() != pattern.len() || !text.iter().zip(pattern).all(fits) {
        return false;
    }
    let digits: Vec<u32> =
        text.iter().filter(|byte| byte.is_ascii_digit()).map(|byte| u32::from(byte - b'0')).collect();
    let bounds = [(1, 12), (1, 31), (0, 23), (0, 59), (0, 60)];
    digits
        .get(4..)
        .unwrap_or_default()
        .chunks(2)
        .zip(bounds)
        .all(|(pair, (low, high))| (low..=high).contains(&pair.iter().fold(0, |value, digit| value * 10 + digit)))
}

fn is_base64(text: &str) -> bool {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let packed: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    GeneralPurpose::new(&base64::alphabet::STANDARD, config).decode(packed).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_bounds() {
        let month = Form::parse("unsignedByte(minInclusive=1,maxInclusive=12)");
        assert!(month.accepts("12") && month.accepts(" 1 ") && !month.accepts("13") && !month.accepts("x"));
        assert!(!Form::parse("uint8").accepts("256") && !Form::parse("uint8").accepts("-1"));
        assert!(Form::parse("integer").accepts("-7"));
        let kind = Form::parse("unsignedByte(enum=1|2|3)");
        assert!(kind.accepts("3") && !kind.accepts("0"));
    }

    #[test]
    fn times_are_utc_in_two_forms() {
        let time = Form::DateTime;
        for good in ["2024-02-29T23:59:60.000Z", "2024-01-01T00:00:00Z", "20240101T000000Z"] {
            assert!(time.accepts(good), "{good}");
        }
        for bad in [
            "2024-01-01T00:00:00.000",
            "2024-13-01T00:00:00.000Z",
            "2024-01-01",
            "20240101T0000Z",
            "2024-01-01T00:00:00.Z",
            "Mon, 1 Jan 2024 00:00:00 Z",
            "Z",
        ] {
            assert!(!time.accepts(bad), "{bad}");
        }
    }

    #[test]
    fn other_forms_are_told_apart() {
        assert!(Form::Boolean.accepts("1") && !Form::Boolean.accepts("true") && !Form::Boolean.accepts("2"));
        assert!(Form::Base64.accepts("YWJj\r\nZA==") && Form::Base64.accepts("YQ") && !Form::Base64.accepts("a*b"));
        assert!(Form::Range.accepts("0-9") && !Form::Range.accepts("9"));
        assert!(Form::Double.accepts("-1.5e3") && !Form::Double.accepts("1,5"));
        assert!(Form::Empty.accepts("") && !Form::Empty.accepts("1"));
        assert!(Form::parse("string(maxLength=300)").accepts("anything"));
    }

    #[test]
    fn an_empty_element_never_has_a_bad_value() {
        for form in [Form::Boolean, Form::Integer(1, 2), Form::DateTime, Form::Base64, Form::Range] {
            assert!(form.accepts(""), "{form}");
        }
    }
}
