use base64::{Engine, prelude::BASE64_STANDARD};
use easrig_eas::date::EasDate;
use easrig_wbxml::tags::{calendar, contacts, notes, tasks};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};

use crate::{Account, Content, Fields, Kind, Mail, Note};

/// Puts into a new mailbox what every mailbox has: mail of several kinds, an appointment, a contact, a task and a note.
pub(crate) fn furnish(account: &mut Account, domain: &str, now: Timestamp) {
    for (age, (name, body)) in (1_i64..).zip(letters()) {
        let received = now.checked_sub(SignedDuration::from_hours(age.saturating_mul(5))).unwrap_or(now);
        let mime = letter(account, domain, received, name, &body);
        put(account, Kind::Inbox, Content::Mail(Box::new(Mail::new(mime.into_bytes(), received))));
    }
    put(account, Kind::Calendar, Content::Fields(appointment(account, now)));
    put(account, Kind::Contacts, Content::Fields(contact(domain)));
    put(account, Kind::Tasks, Content::Fields(task(now)));
    put(account, Kind::Notes, Content::Fields(note()));
}

fn put(account: &mut Account, kind: Kind, content: Content) {
    if let Some(folder) = account.mailbox.built_in(kind).cloned() {
        account.mailbox.add(&folder, content);
    }
}

fn letter(account: &Account, domain: &str, sent: Timestamp, name: &str, rest: &str) -> String {
    let date = rfc2822::DateTimePrinter::new().timestamp_to_string(&sent).unwrap_or_default();
    format!(
        "From: \"Front Office\" <office@{domain}>\r\nTo: \"{}\" <{}>\r\nDate: {date}\r\n\
         Message-ID: <{name}.{}@{domain}>\r\nMIME-Version: 1.0\r\n{rest}",
        account.display_name,
        account.address,
        sent.as_second(),
    )
}

/// Name and the rest of each message, from its subject on.
fn letters() -> Vec<(&'static str, String)> {
    vec![
        ("plain", PLAIN.to_owned()),
        ("alternative", ALTERNATIVE.to_owned()),
        ("attachment", attachment()),
        ("umlauts", UMLAUTS.to_owned()),
        ("long", long()),
    ]
}

const PLAIN: &str = "Subject: Welcome\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
    Your mailbox is ready.\r\n\r\nWith kind regards\r\nthe front office\r\n";

const ALTERNATIVE: &str = "Subject: Canteen menu\r\n\
    Content-Type: multipart/alternative; boundary=\"menu\"\r\n\r\n\
    --menu\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nMonday: soup. Tuesday: fish.\r\n\
    --menu\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
    <html><body><h1>Menu</h1><p>Monday: <b>soup</b>. Tuesday: <i>fish</i>.</p></body></html>\r\n--menu--\r\n";

const UMLAUTS: &str = "Subject: =?utf-8?B?R3LDvMOfZSBhdXMgS8O2bG4g4oCTINCf0YDQuNCy0LXRgiwg5LuK5pel44Gv?=\r\n\
    Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
    Grüße aus Köln – Привет, 今日は 😀\r\n";

fn attachment() -> String {
    let file = BASE64_STANDARD.encode("Room,Seats\r\nOak,8\r\nElm,12\r\nAsh,4\r\n".repeat(40));
    let lines: Vec<&str> = file.as_bytes().chunks(76).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!(
        "Subject: List of rooms\r\nContent-Type: multipart/mixed; boundary=\"rooms\"\r\n\r\n\
         --rooms\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe list is attached.\r\n\
         --rooms\r\nContent-Type: text/csv; name=\"rooms.csv\"\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"rooms.csv\"\r\n\r\n{}\r\n--rooms--\r\n",
        lines.join("\r\n")
    )
}

fn long() -> String {
    let paragraph = "The committee went through every item of the agenda and wrote down what was said about it.\r\n";
    format!(
        "Subject: Minutes of the annual meeting\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}The end.\r\n",
        paragraph.repeat(600)
    )
}

fn appointment(account: &Account, now: Timestamp) -> Fields {
    let day = now.as_second().div_euclid(86_400).saturating_add(1).saturating_mul(86_400);
    let at = |hour: i64| {
        let time = Timestamp::from_second(day.saturating_add(hour.saturating_mul(3600))).unwrap_or(now);
        EasDate::compact(time).to_string()
    };
    fields(&[
        // A zone without name, offset and daylight saving: UTC (MS-ASDTYPE TimeZone).
        (calendar::TIMEZONE, &BASE64_STANDARD.encode([0_u8; 172])),
        (calendar::DT_STAMP, &EasDate::compact(now).to_string()),
        (calendar::START_TIME, &at(10)),
        (calendar::END_TIME, &at(11)),
        (calendar::SUBJECT, "Planning"),
        (calendar::UID, &format!("planning-{}", account.address)),
        (calendar::ORGANIZER_NAME, &account.display_name),
        (calendar::ORGANIZER_EMAIL, &account.address),
        (calendar::LOCATION, "Oak"),
        (calendar::SENSITIVITY, "0"),
        (calendar::BUSY_STATUS, "2"),
        (calendar::ALL_DAY_EVENT, "0"),
        (calendar::REMINDER, "15"),
        (calendar::MEETING_STATUS, "0"),
    ])
}

fn contact(domain: &str) -> Fields {
    fields(&[
        (contacts::FILE_AS, "Carter, Carol"),
        (contacts::FIRST_NAME, "Carol"),
        (contacts::LAST_NAME, "Carter"),
        (contacts::COMPANY_NAME, "Carter & Sons"),
        (contacts::EMAIL1_ADDRESS, &format!("\"Carol Carter\" <carol@{domain}>")),
        (contacts::MOBILE_PHONE_NUMBER, "+49 30 5550100"),
        (contacts::BUSINESS_PHONE_NUMBER, "+49 30 5550101"),
    ])
}

fn task(now: Timestamp) -> Fields {
    let due = now.checked_add(SignedDuration::from_hours(7 * 24)).unwrap_or(now);
    let due = EasDate::extended(due).to_string();
    let mut task = fields(&[
        (tasks::SUBJECT, "Book a room"),
        (tasks::IMPORTANCE, "1"),
        (tasks::UTC_DUE_DATE, &due),
        (tasks::DUE_DATE, &due),
        (tasks::COMPLETE, "0"),
        (tasks::SENSITIVITY, "0"),
        (tasks::REMINDER_SET, "0"),
    ]);
    task.note = Some(Note { body_type: 1, data: "For eight people.".to_owned() });
    task
}

fn note() -> Fields {
    let mut note = fields(&[(notes::SUBJECT, "Shopping list"), (notes::MESSAGE_CLASS, "IPM.StickyNote")]);
    note.note = Some(Note { body_type: 1, data: "Tea, milk, paper".to_owned() });
    note
}

fn fields(list: &[(easrig_wbxml::Tag, &str)]) -> Fields {
    let mut fields = Fields::default();
    list.iter().for_each(|(tag, text)| fields.set(*tag, text));
    fields
}

#[cfg(test)]
mod tests {
    use easrig_exchange::Secret;

    use super::*;

    #[test]
    fn a_furnished_mailbox_has_something_of_every_kind() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let mut account = Account::new("alice", "alice@easrig.test", Secret::new("x"), now);
        furnish(&mut account, "easrig.test", now);
        let count = |kind| account.mailbox.items(account.mailbox.built_in(kind).unwrap()).count();
        assert_eq!([Kind::Inbox, Kind::Calendar, Kind::Contacts, Kind::Tasks, Kind::Notes].map(count), [5, 1, 1, 1, 1]);
        let inbox = account.mailbox.built_in(Kind::Inbox).unwrap();
        for item in account.mailbox.items(inbox) {
            let view = crate::mime::View::parse(&item.mail().unwrap().mime).unwrap();
            assert!(!view.subject().is_empty() && view.recipients() == ["alice@easrig.test"], "{}", view.subject());
        }
    }
}
