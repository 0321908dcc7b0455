use easrig_exchange::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A time in a log, in UTC, as the server's locale writes it: year, month, day where the year is first; day first where
/// dots part it or the first number is no month; else month, day, year.
pub(crate) fn log_time(text: &str) -> Option<Timestamp> {
    if let Ok(exact) = text.parse::<jiff::Timestamp>() {
        return Some(Timestamp(exact.as_microsecond()));
    }
    let numbers: Vec<i32> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .take(6)
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    let [a, b, c, hour, minute, second] = match numbers.as_slice() {
        [a, b, c, hour, minute] => [*a, *b, *c, *hour, *minute, 0],
        _ => *numbers.first_chunk()?,
    };
    let (year, month, day) = match (a, b) {
        (1000.., _) => (a, b, c),
        _ if text.contains('.') || a > 12 => (c, b, a),
        _ => (c, a, b),
    };
    let upper = text.to_ascii_uppercase();
    let hour = match hour {
        12 if upper.ends_with("AM") => 0,
        1..12 if upper.ends_with("PM") => hour + 12,
        _ => hour,
    };
    let small = |number: i32| i8::try_from(number).ok();
    let year = i16::try_from(year).ok()?;
    let time = DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    let at = TimeZone::UTC.to_timestamp(time).ok()?;
    Some(Timestamp(at.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_time_is_the_same_time() {
        let expected = Some(Timestamp(1_363_708_907_000_000));
        for text in [
            "03/19/2013 16:01:47",
            "3/19/2013 4:01:47 PM",
            "19/03/2013 16:01:47",
            "19.03.2013 16:01:47",
            "2013-03-19 16:01:47",
            "2013-03-19T16:01:47Z",
        ] {
            assert_eq!(log_time(text), expected, "{text}");
        }
        assert_eq!(log_time("12/31/2025 12:00:00 AM"), log_time("2025-12-31T00:00:00Z"));
        assert_eq!(log_time("yesterday"), None);
        assert_eq!(log_time("99/99/9999 99:99:99"), None);
    }
}
