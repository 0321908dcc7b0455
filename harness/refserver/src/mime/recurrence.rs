use easrig_wbxml::{
    Builder,
    tags::{calendar, email},
};

/// How a meeting comes again, in the numbers of ActiveSync (MS-ASCAL 2.2.2.37 Recurrence).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recurrence {
    /// 0 daily, 1 weekly, 2 monthly, 3 monthly by weekday, 5 yearly, 6 yearly by weekday.
    pub(crate) kind: u8,
    pub(crate) interval: u32,
    pub(crate) occurrences: Option<u32>,
    /// As iCalendar writes it.
    pub(crate) until: Option<String>,
    /// Bits: Sunday 1, Monday 2 … Saturday 64.
    pub(crate) days: u8,
    /// 1 to 4, 5 is the last.
    pub(crate) week_of_month: Option<u8>,
    pub(crate) day_of_month: Option<u8>,
    pub(crate) month: Option<u8>,
}

const DAYS: [&str; 7] = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];

impl Recurrence {
    /// Reads an `RRULE`; `None` for what ActiveSync cannot say.
    pub(crate) fn parse(rule: &str) -> Option<Self> {
        let part = |name: &str| {
            rule.split(';').filter_map(|part| part.split_once('=')).find(|(key, _)| key.eq_ignore_ascii_case(name))
        };
        let value = |name| part(name).map(|(_, value)| value.trim().to_uppercase());
        let by_day = value("BYDAY").unwrap_or_default();
        let days = |text: &str| {
            text.split(',').fold(0, |bits, day| {
                let name = day.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
                DAYS.iter().position(|known| *known == name).map_or(bits, |at| bits | 1 << at)
            })
        };
        let nth = |text: &str| {
            let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            match number.parse::<i8>() {
                Ok(-1) => Some(5),
                Ok(week) => u8::try_from(week).ok().filter(|week| (1..=4).contains(week)),
                Err(_) => None,
            }
        };
        let week = nth(&by_day).or_else(|| nth(&value("BYSETPOS")?));
        let kind = match (value("FREQ")?.as_str(), week) {
            ("DAILY", _) => 0,
            ("WEEKLY", _) => 1,
            ("MONTHLY", None) => 2,
            ("MONTHLY", Some(_)) => 3,
            ("YEARLY", None) => 5,
            ("YEARLY", Some(_)) => 6,
            _ => return None,
        };
        Some(Self {
            kind,
            interval: value("INTERVAL").and_then(|text| text.parse().ok()).unwrap_or(1),
            occurrences: value("COUNT").and_then(|text| text.parse().ok()),
            until: value("UNTIL"),
            days: days(&by_day),
            week_of_month: week.filter(|_| matches!(kind, 3 | 6)),
            day_of_month: value("BYMONTHDAY").and_then(|text| text.parse().ok()),
            month: value("BYMONTH").and_then(|text| text.parse().ok()),
        })
    }

    /// As an `RRULE` value.
    pub(crate) fn to_rrule(&self) -> String {
        let frequency = match self.kind {
            0 => "DAILY",
            1 => "WEEKLY",
            2 | 3 => "MONTHLY",
            _ => "YEARLY",
        };
        let mut rule = format!("FREQ={frequency}");
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                rule += &format!(";{name}={value}");
            }
        };
        add("INTERVAL", (self.interval != 1).then(|| self.interval.to_string()));
        add("COUNT", self.occurrences.map(|count| count.to_string()));
        add("UNTIL", self.until.clone());
        let week = self.week_of_month.map(|week| if week == 5 { -1 } else { i16::from(week) });
        let days = DAYS.iter().enumerate().filter(|(at, _)| self.days & (1 << at) != 0);
        let days: Vec<String> =
            days.map(|(_, day)| format!("{}{day}", week.map_or(String::new(), |week| week.to_string()))).collect();
        add("BYDAY", (!days.is_empty()).then(|| days.join(",")));
        add("BYMONTHDAY", self.day_of_month.map(|day| day.to_string()));
        add("BYMONTH", self.month.map(|month| month.to_string()));
        rule
    }

    /// As the `Recurrences` of a meeting request.
    pub(crate) fn write_email(&self, into: &mut Builder) {
        into.open(email::RECURRENCES).open(email::RECURRENCE);
        into.leaf(email::TYPE, &self.kind.to_string()).leaf(email::INTERVAL, &self.interval.to_string());
        for (tag, value) in [
            (email::UNTIL, self.until.clone()),
            (email::OCCURRENCES, self.occurrences.map(|count| count.to_string())),
            (email::WEEK_OF_MONTH, self.week_of_month.map(|week| week.to_string())),
            (email::DAY_OF_MONTH, self.day_of_month.map(|day| day.to_string())),
            (email::DAY_OF_WEEK, (self.days != 0).then(|| self.days.to_string())),
            (email::MONTH_OF_YEAR, self.month.map(|month| month.to_string())),
        ] {
            if let Some(value) = value {
                into.leaf(tag, &value);
            }
        }
        into.close().close();
    }

    /// As the `Recurrence` of an appointment.
    pub(crate) fn write_calendar(&self, into: &mut Builder) {
        into.open(calendar::RECURRENCE);
        into.leaf(calendar::TYPE, &self.kind.to_string()).leaf(calendar::INTERVAL, &self.interval.to_string());
        for (tag, value) in [
            (calendar::UNTIL, self.until.clone()),
            (calendar::OCCURRENCES, self.occurrences.map(|count| count.to_string())),
            (calendar::WEEK_OF_MONTH, self.week_of_month.map(|week| week.to_string())),
            (calendar::DAY_OF_MONTH, self.day_of_month.map(|day| day.to_string())),
            (calendar::DAY_OF_WEEK, (self.days != 0).then(|| self.days.to_string())),
            (calendar::MONTH_OF_YEAR, self.month.map(|month| month.to_string())),
        ] {
            if let Some(value) = value {
                into.leaf(tag, &value);
            }
        }
        into.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_read_and_write_alike() {
        for rule in [
            "FREQ=DAILY;INTERVAL=2;COUNT=5",
            "FREQ=WEEKLY;UNTIL=20240801T000000Z;BYDAY=MO,WE",
            "FREQ=MONTHLY;BYDAY=-1FR",
            "FREQ=YEARLY;BYMONTHDAY=24;BYMONTH=12",
        ] {
            assert_eq!(Recurrence::parse(rule).map(|found| found.to_rrule()).as_deref(), Some(rule));
        }
        assert_eq!(Recurrence::parse("FREQ=WEEKLY;BYDAY=MO,WE").map(|rule| rule.days), Some(2 | 8));
        assert_eq!(Recurrence::parse("FREQ=HOURLY"), None);
    }
}
