use easrig_eas::{command::Class, date::EasDate};
use easrig_wbxml::tags::{calendar, tasks};
use jiff::{SignedDuration, Timestamp};

use crate::{Content, Fields, StoredItem};

/// Which items of a folder a device wants (MS-ASCMD 2.2.3.68.2 FilterType).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    /// All of them.
    All,
    /// Mail that arrived, or appointments that end, after this.
    Since(Timestamp),
    /// Tasks that are not done.
    Incomplete,
}

impl Filter {
    /// The filter of a number; `None` for one that the class does not have.
    pub(crate) fn of(class: &Class, number: u32, now: Timestamp) -> Option<Self> {
        let since = |days: i64| {
            let back = SignedDuration::from_hours(days * 24);
            Self::Since(now.checked_sub(back).unwrap_or(Timestamp::MIN))
        };
        Some(match (class, number) {
            (_, 0) => Self::All,
            (Class::Email, 1) => since(1),
            (Class::Email, 2) => since(3),
            (Class::Email, 3) => since(7),
            (Class::Email | Class::Calendar, 4) => since(14),
            (Class::Email | Class::Calendar, 5) => since(31),
            (Class::Calendar, 6) => since(92),
            (Class::Calendar, 7) => since(183),
            (Class::Tasks, 8) => Self::Incomplete,
            (Class::Contacts | Class::Notes, _) => Self::All,
            _ => return None,
        })
    }

    /// Whether the device wants the item.
    pub(crate) fn lets_in(self, item: &StoredItem) -> bool {
        match (self, &item.content) {
            (Self::All, _) => true,
            (Self::Since(since), Content::Mail(mail)) => mail.received >= since,
            (Self::Since(since), Content::Fields(fields)) => end_of(fields).is_none_or(|end| end >= since),
            (Self::Incomplete, Content::Fields(fields)) => fields.text(tasks::COMPLETE).as_deref() != Some("1"),
            (Self::Incomplete, Content::Mail(_)) => true,
        }
    }
}

/// When an appointment is over for good; `None` when never.
fn end_of(fields: &Fields) -> Option<Timestamp> {
    let time = |text: &str| text.parse::<EasDate>().ok().map(|date| date.at);
    match fields.get(calendar::RECURRENCE) {
        Some(recurrence) => recurrence.child_text(calendar::UNTIL).and_then(|until| time(&until)),
        None => fields.text(calendar::END_TIME).and_then(|end| time(&end)),
    }
}
