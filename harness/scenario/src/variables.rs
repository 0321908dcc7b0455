//! Variables in the texts of a scenario: `{tag}`, `{inbox}`, `{partner.inbox}`, `{now+1d:long}`.

use std::{collections::BTreeMap, ops::Range};

use easrig_exchange::Timestamp;
use jiff::{SignedDuration, tz::TimeZone};
use thiserror::Error;

use crate::model::Role;

/// What the variables of a cell stand for at this moment.
///
/// A name without a role is looked up with the role that acts, then among what any step saved, then among the cell's own.
#[derive(Clone, Debug)]
pub struct Variables {
    common: BTreeMap<String, String>,
    saved: BTreeMap<String, String>,
    roles: BTreeMap<Role, BTreeMap<String, String>>,
    /// When the cell began: what is said of a week stays the same in it.
    start: Timestamp,
    now: Timestamp,
}

impl Variables {
    /// The variables of a new cell; `tag` stands in the subject of everything the scenario makes.
    pub fn new(tag: impl Into<String>, now: Timestamp) -> Self {
        let common = BTreeMap::from([("tag".to_owned(), tag.into())]);
        Self { common, saved: BTreeMap::new(), roles: BTreeMap::new(), start: now, now }
    }

    /// Sets a variable that is the same for every role: `user`, `address`, `partner_user`, `partner_address`, `unique`,
    /// `subject`.
    pub fn set_common(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.common.insert(name.into(), value.into());
    }

    /// Sets a variable of one role: `device_id`, `policy_key`, `folder_key`, `inbox`, `inbox_key` …
    pub fn set(&mut self, role: Role, name: impl Into<String>, value: impl Into<String>) {
        self.roles.entry(role).or_default().insert(name.into(), value.into());
    }

    /// Keeps a value that a step of `role` saved.
    pub fn save(&mut self, role: Role, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        self.saved.insert(name.clone(), value.clone());
        self.set(role, name, value);
    }

    /// Moves the clock of `{now}`.
    pub fn set_now(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// The value of `name` as `role` sees it.
    pub fn get(&self, role: Role, name: &str) -> Option<&str> {
        self.of_role(role, name).or_else(|| self.saved.get(name)).or_else(|| self.common.get(name)).map(String::as_str)
    }

    /// `text` with every variable replaced.
    ///
    /// # Errors
    /// A variable without a value: the server does not have that folder, or the step that saves it saved nothing.
    pub fn substitute(&self, role: Role, text: &str) -> Result<String, UnknownVariable> {
        self.fill(role, text, |value| value.to_owned())
    }

    /// `text`, which is XML, with every variable replaced; the values are escaped.
    ///
    /// # Errors
    /// As [`Variables::substitute`].
    pub fn substitute_xml(&self, role: Role, text: &str) -> Result<String, UnknownVariable> {
        self.fill(role, text, |value| value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
    }

    fn fill(&self, role: Role, text: &str, write: impl Fn(&str) -> String) -> Result<String, UnknownVariable> {
        let unknown = |name: &str| UnknownVariable { name: name.to_owned() };
        let mut out = String::with_capacity(text.len());
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Reference { name, .. } => {
                    let value = match Reference::parse(name).map_err(|_| unknown(name))? {
                        Reference::Now(moment) => moment.print(self.start, self.now).ok_or_else(|| unknown(name))?,
                        Reference::Name { role: Some(role), name: of } => {
                            self.of_role(role, of).cloned().ok_or_else(|| unknown(name))?
                        }
                        Reference::Name { role: None, name: of } => {
                            self.get(role, of).map(str::to_owned).ok_or_else(|| unknown(name))?
                        }
                    };
                    out.push_str(&write(&value));
                }
                Piece::Unclosed { .. } => return Err(unknown("{")),
            }
        }
        Ok(out)
    }

    fn of_role(&self, role: Role, name: &str) -> Option<&String> {
        self.roles.get(&role).and_then(|values| values.get(name))
    }
}

/// A variable that has no value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{{{name}}}` has no value{}", folder_of(name).map(|f| format!(": the server has no {f} folder")).unwrap_or_default())]
pub struct UnknownVariable {
    /// Its name as written, without the braces.
    pub name: String,
}

impl UnknownVariable {
    /// The folder the server does not have, when that is why: `Notes`. The cell is then skipped.
    pub fn missing_folder(&self) -> Option<&'static str> {
        folder_of(&self.name)
    }
}

fn folder_of(name: &str) -> Option<&'static str> {
    let name = name.rsplit_once('.').map_or(name, |(_, name)| name);
    FOLDERS.iter().find(|(variable, _)| *variable == name).map(|(_, folder)| *folder)
}

/// The variables that name a folder from `start = "foldered"`, with what people call it.
pub const FOLDERS: [(&str, &str); 9] = [
    ("inbox", "Inbox"),
    ("drafts", "Drafts"),
    ("sent", "Sent Items"),
    ("deleted", "Deleted Items"),
    ("outbox", "Outbox"),
    ("calendar", "Calendar"),
    ("contacts", "Contacts"),
    ("tasks", "Tasks"),
    ("notes", "Notes"),
];

/// A piece of a text with variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'t> {
    /// Plain text; a doubled brace is already one.
    Text(&'t str),
    /// A variable, with the place of its braces in the text.
    Reference { name: &'t str, range: Range<usize> },
    /// A brace that is never closed.
    Unclosed { at: usize },
}

/// Cuts `text` into plain pieces and variables.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(open) = rest.find('{').map(|n| at + n) else {
            out.push(Piece::Text(rest));
            break;
        };
        if let Some(before) = text.get(at..open).filter(|before| !before.is_empty()) {
            out.push(Piece::Text(before));
        }
        let inside = text.get(open + 1..).unwrap_or_default();
        if inside.starts_with('{') {
            out.push(Piece::Text("{"));
            at = open + 2;
        } else if let Some(close) = inside.find('}') {
            let range = open..open + close + 2;
            out.push(Piece::Reference { name: inside.get(..close).unwrap_or_default(), range });
            at = open + close + 2;
        } else {
            out.push(Piece::Unclosed { at: open });
            break;
        }
    }
    out
}

/// What stands between two braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reference<'t> {
    /// A moment.
    Now(Now),
    /// A value by its name.
    Name { role: Option<Role>, name: &'t str },
}

impl<'t> Reference<'t> {
    pub(crate) fn parse(text: &'t str) -> Result<Self, BadReference> {
        let is_moment = |rest: &str| rest.is_empty() || rest.starts_with(['+', '-', ':']);
        if Base::ALL.iter().any(|(word, _)| text.strip_prefix(word).is_some_and(is_moment)) {
            return Now::parse(text).map(Self::Now);
        }
        let (role, name) = match text.split_once('.') {
            None => (None, text),
            Some((role, name)) => match Role::ALL.into_iter().find(|r| r.name() == role) {
                Some(role) => (Some(role), name),
                None => return Err(BadReference::Role(role.to_owned())),
            },
        };
        let well_formed = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if well_formed { Ok(Self::Name { role, name }) } else { Err(BadReference::Name) }
    }
}

/// Why the text between two braces is no variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BadReference {
    /// The word before the dot is no role.
    Role(String),
    /// Not a name of small letters, digits and underscores.
    Name,
    /// Not a moment such as `now+1d:long` or `monday+8w9h`.
    Now,
}

/// A moment, counted from the clock of the cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Now {
    base: Base,
    seconds: i64,
    form: NowForm,
}

/// What the offset counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base {
    Now,
    /// Midnight (UTC) of this week's Monday: recurrences need a weekday that is known.
    Monday,
}

impl Base {
    const ALL: [(&'static str, Self); 2] = [("now", Self::Now), ("monday", Self::Monday)];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NowForm {
    Compact,
    Long,
    Seconds,
    Day,
    Date,
}

impl Now {
    fn parse(text: &str) -> Result<Self, BadReference> {
        let base = |(word, base): &(&str, Base)| text.strip_prefix(word).map(|rest| (*base, rest));
        let (base, rest) = Base::ALL.iter().find_map(base).ok_or(BadReference::Now)?;
        let (offset, form) = match rest.split_once(':') {
            None => (rest, NowForm::Compact),
            Some((offset, "long")) => (offset, NowForm::Long),
            Some((offset, "seconds")) => (offset, NowForm::Seconds),
            Some((offset, "day")) => (offset, NowForm::Day),
            Some((offset, "date")) => (offset, NowForm::Date),
            Some(_) => return Err(BadReference::Now),
        };
        let seconds = if offset.is_empty() { 0 } else { offset_seconds(offset).ok_or(BadReference::Now)? };
        Ok(Self { base, seconds, form })
    }

    fn print(self, start: Timestamp, now: Timestamp) -> Option<String> {
        let base = match self.base {
            Base::Now => jiff::Timestamp::from_microsecond(now.0).ok()?,
            Base::Monday => {
                let today = jiff::Timestamp::from_microsecond(start.0).ok()?.to_zoned(TimeZone::UTC).date();
                let since = i64::from(today.weekday().to_monday_zero_offset());
                let monday = today.checked_sub(SignedDuration::from_hours(24 * since)).ok()?;
                monday.to_zoned(TimeZone::UTC).ok()?.timestamp()
            }
        };
        let instant = base.checked_add(SignedDuration::from_secs(self.seconds)).ok()?.to_zoned(TimeZone::UTC);
        let format = match self.form {
            NowForm::Compact => "%Y%m%dT%H%M%SZ",
            NowForm::Long => "%Y-%m-%dT%H:%M:%S.000Z",
            NowForm::Seconds => "%Y-%m-%dT%H:%M:%SZ",
            NowForm::Day => "%Y%m%dT000000Z",
            NowForm::Date => "%Y%m%d",
        };
        Some(instant.strftime(format).to_string())
    }
}

/// `+1d`, `-3h`, `+8w9h30m`.
fn offset_seconds(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let mut sum = 0_i64;
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, more) = rest.split_at_checked(digits).filter(|_| (1..=6).contains(&digits))?;
        let (unit, more) = more.split_at_checked(1)?;
        let unit = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            "w" => 604_800,
            _ => return None,
        };
        sum = sum.checked_add(number.parse::<i64>().ok()?.checked_mul(unit)?)?;
        if more.is_empty() {
            return sum.checked_mul(sign);
        }
        rest = more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        // 2026-01-01T09:30:15Z
        let mut variables = Variables::new("easrig-0000abcd", Timestamp(1_767_259_815_000_000));
        variables.set(Role::Phone, "inbox", "5");
        variables.set(Role::Partner, "inbox", "7");
        variables.set_common("address", "alice@easrig.test");
        variables
    }

    fn phone(text: &str) -> Result<String, UnknownVariable> {
        variables().substitute(Role::Phone, text)
    }

    #[test]
    fn a_name_means_the_acting_role_unless_it_names_one() {
        assert_eq!(
            phone("{tag} {inbox}/{partner.inbox} {address}"),
            Ok("easrig-0000abcd 5/7 alice@easrig.test".to_owned())
        );
        assert_eq!(variables().substitute(Role::Partner, "{inbox}"), Ok("7".to_owned()));
    }

    #[test]
    fn times_come_in_three_forms() {
        assert_eq!(phone("{now}"), Ok("20260101T093015Z".to_owned()));
        assert_eq!(phone("{now+1d}"), Ok("20260102T093015Z".to_owned()));
        assert_eq!(phone("{now-10h}"), Ok("20251231T233015Z".to_owned()));
        assert_eq!(phone("{now+2w:day}"), Ok("20260115T000000Z".to_owned()));
        assert_eq!(phone("{now:seconds}"), Ok("2026-01-01T09:30:15Z".to_owned()));
        assert_eq!(phone("{now+90s:long}"), Ok("2026-01-01T09:31:45.000Z".to_owned()));
    }

    #[test]
    fn a_monday_is_a_monday_on_every_day_of_the_week() {
        // 2026-01-01 is a Thursday.
        assert_eq!(phone("{monday}"), Ok("20251229T000000Z".to_owned()));
        assert_eq!(phone("{monday+8w9h30m}"), Ok("20260223T093000Z".to_owned()));
        assert_eq!(phone("{monday+1w:date}T {monday+1w1d:day}"), Ok("20260105T 20260106T000000Z".to_owned()));
        for day in 0..7 {
            let mut variables = Variables::new("t", Timestamp(1_767_571_200_000_000 + day * 86_400_000_000));
            variables.set_now(Timestamp(1_797_571_200_000_000));
            assert_eq!(variables.substitute(Role::Phone, "{monday:date}"), Ok("20260105".to_owned()), "day {day}");
        }
        assert!(phone("{monday+8w9}").is_err() && phone("{mondays}").is_err());
    }

    #[test]
    fn a_doubled_brace_is_a_brace() {
        assert_eq!(phone("{{tag} {{{tag}}"), Ok("{tag} {easrig-0000abcd}".to_owned()));
    }

    #[test]
    fn what_is_saved_by_one_role_is_known_to_all() {
        let mut variables = variables();
        variables.save(Role::Partner, "key", "1");
        variables.save(Role::Phone, "key", "2");
        assert_eq!(variables.substitute(Role::Tablet, "{key} {partner.key} {phone.key}"), Ok("2 1 2".to_owned()));
    }

    #[test]
    fn a_missing_folder_is_told_from_a_missing_value() {
        let missing = phone("{notes}").expect_err("there is no such folder");
        assert_eq!(missing.missing_folder(), Some("Notes"));
        assert_eq!(missing.to_string(), "`{notes}` has no value: the server has no Notes folder");
        assert_eq!(phone("{nothing}").map_err(|e| e.missing_folder()), Err(None));
        assert!(phone("{now+1x}").is_err());
        assert!(phone("{unclosed").is_err());
    }

    #[test]
    fn values_are_escaped_in_xml() {
        let mut variables = variables();
        variables.save(Role::Phone, "key", "<a>&");
        assert_eq!(variables.substitute_xml(Role::Phone, "<b>{key}</b>"), Ok("<b>&lt;a&gt;&amp;</b>".to_owned()));
    }

    #[test]
    fn a_moment_out_of_range_is_no_panic() {
        let mut variables = variables();
        variables.set_now(Timestamp(i64::MAX));
        assert!(variables.substitute(Role::Phone, "{now+999999w}").is_err());
    }
}
