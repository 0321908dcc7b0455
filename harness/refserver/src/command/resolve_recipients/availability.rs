use easrig_eas::{command::resolve_recipients::AvailabilityOptions, date::EasDate};
use easrig_wbxml::{Element, tags::calendar};
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned, tz::TimeZone};

use crate::{Fields, Kind, Mailbox};

/// One digit stands for this long.
const SLOT: SignedDuration = SignedDuration::from_mins(30);

/// The most slots of one answer (MS-ASCMD MergedFreeBusy: 32 KB).
const SLOTS_MOST: i64 = 32 * 1024;

/// The most occurrences of a series that are looked at.
const OCCURRENCES_MOST: u32 = 20_000;

/// The time that is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period {
    start: Timestamp,
    slots: usize,
}

impl Period {
    /// Reads the times; `None` when one is none, or the period is too long or ends before it begins.
    pub(super) fn read(asked: &AvailabilityOptions) -> Option<Self> {
        let start = asked.start_time.parse::<EasDate>().ok()?.at;
        let end = match &asked.end_time {
            Some(end) => end.parse::<EasDate>().ok()?.at,
            None => start.checked_add(SignedDuration::from_hours(7 * 24)).ok()?,
        };
        let seconds = end.duration_since(start).as_secs();
        let slots = seconds.checked_add(SLOT.as_secs() - 1)? / SLOT.as_secs();
        (seconds > 0 && slots <= SLOTS_MOST).then_some(Self { start, slots: usize::try_from(slots).ok()? })
    }

    fn end(self) -> Timestamp {
        let slots = i32::try_from(self.slots).unwrap_or(i32::MAX);
        SLOT.checked_mul(slots).and_then(|length| self.start.checked_add(length).ok()).unwrap_or(Timestamp::MAX)
    }
}

/// One digit for every half hour: 0 free, 1 tentative, 2 busy, 3 out of office.
pub(super) fn merged(mailbox: &Mailbox, period: Period) -> String {
    let mut slots = vec![0_u8; period.slots];
    let folder = mailbox.built_in(Kind::Calendar);
    let events = folder.into_iter().flat_map(|folder| mailbox.items(folder)).filter_map(|item| item.fields());
    for event in events {
        mark(event, period, &mut slots);
    }
    slots.into_iter().map(|digit| char::from(b'0' + digit)).collect()
}

fn mark(event: &Fields, period: Period, slots: &mut [u8]) {
    let time = |tag| event.text(tag).and_then(|text| text.parse::<EasDate>().ok()).map(|date| date.at);
    let (Some(start), Some(end)) = (time(calendar::START_TIME), time(calendar::END_TIME)) else { return };
    let busy = event.text(calendar::BUSY_STATUS).and_then(|text| text.parse().ok()).unwrap_or(2_u8);
    let length = end.duration_since(start);
    // 4 is working elsewhere, which counts as free.
    if !(1..=3).contains(&busy) || length.is_negative() {
        return;
    }
    let gone = exceptions(event);
    for start in occurrences(start, event.get(calendar::RECURRENCE), period.end()) {
        if !gone.contains(&start) {
            mark_one(start, length, busy, period, slots);
        }
    }
}

fn mark_one(start: Timestamp, length: SignedDuration, busy: u8, period: Period, slots: &mut [u8]) {
    let from = start.duration_since(period.start).as_secs();
    let to = from.saturating_add(length.as_secs());
    if to <= 0 {
        return;
    }
    let slot = SLOT.as_secs();
    let first = usize::try_from(from.div_euclid(slot).max(0)).unwrap_or(usize::MAX);
    let after = usize::try_from(to.saturating_add(slot - 1) / slot).unwrap_or(usize::MAX).min(slots.len());
    for digit in slots.get_mut(first..after).into_iter().flatten() {
        *digit = busy.max(*digit);
    }
}

fn exceptions(event: &Fields) -> Vec<Timestamp> {
    let list = event.get(calendar::EXCEPTIONS);
    let each = list.into_iter().flat_map(|list| list.all(calendar::EXCEPTION));
    let start = |one: Element<'_>| one.child_text(calendar::EXCEPTION_START_TIME)?.parse::<EasDate>().ok();
    each.filter_map(start).map(|date| date.at).collect()
}

/// The beginnings of an event up to `until`. Daily and weekly series are followed; of monthly and yearly ones those that
/// keep the day of the month.
fn occurrences(first: Timestamp, recurrence: Option<Element<'_>>, until: Timestamp) -> Vec<Timestamp> {
    let Some(recurrence) = recurrence else { return vec![first] };
    let number = |tag| recurrence.child_text(tag).and_then(|text| text.parse::<u32>().ok());
    let last = recurrence.child_text(calendar::UNTIL).and_then(|text| text.parse::<EasDate>().ok());
    let until = last.map_or(until, |last| last.at.min(until));
    let most = number(calendar::OCCURRENCES).unwrap_or(OCCURRENCES_MOST).min(OCCURRENCES_MOST) as usize;
    let every = i64::from(number(calendar::INTERVAL).unwrap_or(1).clamp(1, 999));
    let days = number(calendar::DAY_OF_WEEK);
    let start = first.to_zoned(TimeZone::UTC);
    let nth = |n: i64| -> Option<Zoned> {
        match number(calendar::TYPE)? {
            0 | 1 if days.is_some() => start.checked_add(n.days()).ok(),
            0 => start.checked_add((n * every).days()).ok(),
            1 => start.checked_add((n * every).weeks()).ok(),
            2 => start.checked_add((n * every).months()).ok(),
            5 => start.checked_add((n * every).years()).ok(),
            _ => (n == 0).then(|| start.clone()),
        }
    };
    let falls = |day: &Zoned, n: i64| {
        let bit = 1_u32 << u32::try_from(day.weekday().to_sunday_zero_offset()).unwrap_or(0);
        let weeks = (n + i64::from(start.weekday().to_sunday_zero_offset())) / 7;
        days.is_none_or(|days| days & bit != 0 && weeks % every == 0)
    };
    let limit = i64::from(OCCURRENCES_MOST);
    let all = (0..limit).map_while(|n| nth(n).map(|day| (n, day))).take_while(|(_, day)| day.timestamp() <= until);
    all.filter(|(n, day)| falls(day, *n)).take(most).map(|(_, day)| day.timestamp()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Content;

    fn period(start: &str, end: Option<&str>) -> Option<Period> {
        Period::read(&AvailabilityOptions { start_time: start.to_owned(), end_time: end.map(str::to_owned) })
    }

    fn mailbox(recurrence: Option<&str>) -> Mailbox {
        let mut mailbox = Mailbox::new(Timestamp::UNIX_EPOCH);
        let mut event = Fields::default();
        event.set(calendar::START_TIME, "20240101T100000Z");
        event.set(calendar::END_TIME, "20240101T104500Z");
        event.set(calendar::BUSY_STATUS, "2");
        if let Some(days) = recurrence {
            let mut out = easrig_wbxml::Builder::new(calendar::RECURRENCE);
            out.leaf(calendar::TYPE, "1").leaf(calendar::INTERVAL, "1").leaf(calendar::DAY_OF_WEEK, days);
            event.put(out.finish());
        }
        let folder = mailbox.built_in(Kind::Calendar).unwrap().clone();
        mailbox.add(&folder, Content::Fields(event)).unwrap();
        mailbox
    }

    #[test]
    fn an_event_fills_every_half_hour_it_touches() {
        let asked = period("2024-01-01T09:30:00.000Z", Some("2024-01-01T11:30:00.000Z")).unwrap();
        assert_eq!(merged(&mailbox(None), asked), "0220");
    }

    #[test]
    fn a_weekly_series_comes_back_on_its_days() {
        let asked = period("2024-01-03T10:00:00.000Z", Some("2024-01-03T11:00:00.000Z")).unwrap();
        assert_eq!(merged(&mailbox(Some("10")), asked), "22", "Mondays and Wednesdays");
        assert_eq!(merged(&mailbox(Some("2")), asked), "00", "Mondays only");
    }

    #[test]
    fn a_period_without_end_is_a_week_and_a_backward_one_is_none() {
        assert_eq!(period("2024-01-01T00:00:00.000Z", None).map(|period| period.slots), Some(7 * 48));
        assert_eq!(period("2024-01-02T00:00:00.000Z", Some("2024-01-01T00:00:00.000Z")), None);
        assert_eq!(period("tomorrow", None), None);
    }
}
