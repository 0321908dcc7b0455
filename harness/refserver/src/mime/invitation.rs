use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};

use super::recurrence::Recurrence;

/// The longest invitation that is read, in bytes.
const MOST: usize = 256 * 1024;

/// A meeting as iCalendar mail carries it (RFC 5545, RFC 5546): the first event of the calendar.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Invitation {
    pub(crate) method: Method,
    pub(crate) uid: String,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) all_day: bool,
    pub(crate) stamp: Timestamp,
    pub(crate) summary: String,
    pub(crate) location: String,
    pub(crate) organizer: Person,
    pub(crate) attendees: Vec<Person>,
    pub(crate) recurrence: Option<Recurrence>,
    /// The occurrence that is meant.
    pub(crate) recurrence_id: Option<Timestamp>,
    /// Minutes before the beginning.
    pub(crate) reminder: Option<u32>,
}

/// Somebody in a meeting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) address: String,
    /// `NEEDS-ACTION`, `ACCEPTED`, `TENTATIVE`, `DECLINED`.
    pub(crate) partstat: String,
}

/// What a meeting message is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Method {
    /// Invites.
    Request,
    /// Answers.
    Reply,
    /// Calls off.
    Cancel,
    /// Something else: shown as plain mail.
    #[default]
    Other,
}

impl Method {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Request => "REQUEST",
            Self::Reply => "REPLY",
            Self::Cancel => "CANCEL",
            Self::Other => "PUBLISH",
        }
    }
}

impl Invitation {
    /// Reads a calendar; `None` when there is no event with a beginning in it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.get(..text.floor_char_boundary(MOST))?;
        let mut found = Self::default();
        let (mut start, mut end, mut within) = (None, None, Vec::new());
        for line in unfold(text).lines() {
            let Some(line) = Line::parse(line) else { continue };
            match line.name.as_str() {
                "BEGIN" => within.push(line.value.to_uppercase()),
                "END" => {
                    let block = within.pop();
                    if block.as_deref() == Some("VEVENT") {
                        break;
                    }
                }
                _ => match within.last().map(String::as_str) {
                    Some("VCALENDAR") if line.name == "METHOD" => found.method = method(&line.value),
                    Some("VEVENT") => found.take(&line, &mut start, &mut end),
                    Some("VALARM") if line.name == "TRIGGER" => found.reminder = minutes_before(&line.value),
                    _ => {}
                },
            }
        }
        found.start = start?;
        let length = SignedDuration::from_hours(if found.all_day { 24 } else { 0 });
        found.end = end.or(found.start.checked_add(length).ok()).unwrap_or(found.start);
        Some(found)
    }

    fn take(&mut self, line: &Line, start: &mut Option<Timestamp>, end: &mut Option<Timestamp>) {
        match line.name.as_str() {
            "UID" => self.uid = line.value.clone(),
            "SUMMARY" => self.summary = unescape(&line.value),
            "LOCATION" => self.location = unescape(&line.value),
            "DTSTART" => {
                self.all_day = line.parameter("VALUE") == Some("DATE");
                *start = line.time();
            }
            "DTEND" => *end = line.time(),
            "DTSTAMP" => self.stamp = line.time().unwrap_or_default(),
            "RECURRENCE-ID" => self.recurrence_id = line.time(),
            "RRULE" => self.recurrence = Recurrence::parse(&line.value),
            "ORGANIZER" => self.organizer = line.person(),
            "ATTENDEE" if self.attendees.len() < 1000 => self.attendees.push(line.person()),
            _ => {}
        }
    }

    /// The calendar as text.
    pub(crate) fn to_ical(&self) -> String {
        let time = |at: Timestamp| at.strftime("%Y%m%dT%H%M%SZ").to_string();
        let person = |kind: &str, person: &Person| {
            let name = person.name.replace(['"', '\r', '\n'], "");
            let status = match person.partstat.as_str() {
                "" => String::new(),
                status => format!(";PARTSTAT={status}"),
            };
            format!("{kind};CN=\"{name}\"{status}:mailto:{}\r\n", person.address.replace(['\r', '\n'], ""))
        };
        let mut out = format!(
            "BEGIN:VCALENDAR\r\nPRODID:-//easrig//reference server//EN\r\nVERSION:2.0\r\nMETHOD:{}\r\nBEGIN:VEVENT\r\n",
            self.method.name()
        );
        out += &format!("UID:{}\r\nDTSTAMP:{}\r\n", self.uid.replace(['\r', '\n'], ""), time(self.stamp));
        if self.all_day {
            let date = |at: Timestamp| at.strftime("%Y%m%d").to_string();
            out += &format!("DTSTART;VALUE=DATE:{}\r\nDTEND;VALUE=DATE:{}\r\n", date(self.start), date(self.end));
        } else {
            out += &format!("DTSTART:{}\r\nDTEND:{}\r\n", time(self.start), time(self.end));
        }
        if let Some(at) = self.recurrence_id {
            out += &format!("RECURRENCE-ID:{}\r\n", time(at));
        }
        if let Some(rule) = &self.recurrence {
            out += &format!("RRULE:{}\r\n", rule.to_rrule());
        }
        out += &format!("SUMMARY:{}\r\nLOCATION:{}\r\n", escape(&self.summary), escape(&self.location));
        out += &person("ORGANIZER", &self.organizer);
        for attendee in &self.attendees {
            out += &person("ATTENDEE", attendee);
        }
        out + "END:VEVENT\r\nEND:VCALENDAR\r\n"
    }
}

struct Line {
    name: String,
    parameters: Vec<(String, String)>,
    value: String,
}

impl Line {
    fn parse(line: &str) -> Option<Self> {
        let mut quoted = false;
        let colon = line.find(|c| {
            quoted ^= c == '"';
            c == ':' && !quoted
        })?;
        let (head, value) = line.split_at(colon);
        let mut words = head.split(';');
        let name = words.next()?.to_uppercase();
        let parameters = words.filter_map(|word| word.split_once('='));
        let parameters = parameters.map(|(name, value)| (name.to_uppercase(), value.trim_matches('"').to_owned()));
        Some(Self { name, parameters: parameters.collect(), value: value.get(1..)?.trim_end().to_owned() })
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A time in UTC, in a named zone, or a date; floating times and unknown zones are taken as UTC.
    fn time(&self) -> Option<Timestamp> {
        let digits: String = self.value.chars().filter(char::is_ascii_digit).collect();
        let number = |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse::<i8>().ok());
        let year = digits.get(..4)?.parse().ok()?;
        let hour = number(8, 10).unwrap_or(0);
        let (minute, second) = (number(10, 12).unwrap_or(0), number(12, 14).unwrap_or(0));
        let at = civil::DateTime::new(year, number(4, 6)?, number(6, 8)?, hour, minute, second, 0).ok()?;
        let zone = match self.parameter("TZID") {
            Some(name) if !self.value.ends_with('Z') => TimeZone::get(name).unwrap_or(TimeZone::UTC),
            _ => TimeZone::UTC,
        };
        zone.to_timestamp(at).ok()
    }

    fn person(&self) -> Person {
        let value = self.value.trim();
        let address = match value.get(..7) {
            Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => value.get(7..).unwrap_or_default(),
            _ => value,
        };
        Person {
            name: self.parameter("CN").unwrap_or_default().to_owned(),
            address: address.to_lowercase(),
            partstat: self.parameter("PARTSTAT").unwrap_or_default().to_uppercase(),
        }
    }
}

fn method(value: &str) -> Method {
    match value.to_uppercase().as_str() {
        "REQUEST" => Method::Request,
        "REPLY" => Method::Reply,
        "CANCEL" => Method::Cancel,
        _ => Method::Other,
    }
}

/// The minutes of a duration before the beginning, such as `-PT15M`.
fn minutes_before(value: &str) -> Option<u32> {
    let span: jiff::Span = value.strip_prefix('-')?.parse().ok()?;
    let minutes = span.to_duration(civil::date(2000, 1, 1)).ok()?.as_secs() / 60;
    u32::try_from(minutes).ok()
}

fn unfold(text: &str) -> String {
    text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "")
}

fn escape(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,");
    text.replace("\r\n", "\\n").replace(['\r', '\n'], "\\n")
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            (c, _) => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ICAL: &str = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:u1\r\nDTSTAMP:20240101T000000Z\r\nDTSTART;TZID=Europe/Berlin:20240701T100000\r\nDTEND;TZID=Europe/Berlin:20240701T110000\r\nSUMMARY:Tea\\, gr\r\n een\r\nORGANIZER;CN=\"A: B\":mailto:a@x\r\nATTENDEE;PARTSTAT=NEEDS-ACTION:MAILTO:B@x\r\nRRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=3\r\nBEGIN:VALARM\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    #[test]
    fn an_invitation_is_read_with_zone_folding_and_alarm() {
        let meeting = Invitation::parse(ICAL).unwrap();
        assert_eq!(meeting.start.to_string(), "2024-07-01T08:00:00Z");
        assert_eq!((meeting.summary.as_str(), meeting.reminder), ("Tea, green", Some(15)));
        assert_eq!((meeting.organizer.name.as_str(), meeting.organizer.address.as_str()), ("A: B", "a@x"));
        assert_eq!(meeting.attendees.first().map(|person| person.address.as_str()), Some("b@x"));
    }

    #[test]
    fn what_is_written_reads_alike() {
        let mut meeting = Invitation::parse(ICAL).unwrap();
        meeting.reminder = None;
        assert_eq!(Invitation::parse(&meeting.to_ical()), Some(meeting));
    }

    #[test]
    fn nonsense_is_no_invitation() {
        for text in ["", "BEGIN:VEVENT", "BEGIN:VEVENT\nDTSTART:2024\nEND:VEVENT", "BEGIN:VEVENT\nDTSTART:99999999\n"] {
            assert_eq!(Invitation::parse(text), None, "{text}");
        }
    }
}
