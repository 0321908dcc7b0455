use base64::{Engine, prelude::BASE64_STANDARD};
use easrig_eas::{
    Version,
    date::{EasDate, ZoneBlob},
};
use easrig_wbxml::{
    Builder,
    tags::{air_sync_base as base, calendar, email, email2},
};
use jiff::Timestamp;

use super::{Invitation, Method, Person, render::extended};
use crate::Fields;

/// The head of every GlobalObjId (MS-ASEMAIL 2.2.2.37).
const OBJECT_ID_HEAD: [u8; 16] = [0x04, 0, 0, 0, 0x82, 0, 0xE0, 0, 0x74, 0xC5, 0xB7, 0x10, 0x1A, 0x82, 0xE0, 0x08];

/// What a meeting message is called.
pub(super) fn message_class(meeting: &Invitation) -> &'static str {
    let answer = meeting.attendees.first().map(|person| person.partstat.as_str()).unwrap_or_default();
    match (meeting.method, answer) {
        (Method::Request, _) => "IPM.Schedule.Meeting.Request",
        (Method::Cancel, _) => "IPM.Schedule.Meeting.Canceled",
        (Method::Reply, "ACCEPTED") => "IPM.Schedule.Meeting.Resp.Pos",
        (Method::Reply, "TENTATIVE") => "IPM.Schedule.Meeting.Resp.Tent",
        (Method::Reply, _) => "IPM.Schedule.Meeting.Resp.Neg",
        (Method::Other, _) => "IPM.Note",
    }
}

/// The `MeetingRequest` of a message (MS-ASEMAIL 2.2.2.48).
pub(super) fn write_request(meeting: &Invitation, version: Version, into: &mut Builder) {
    into.open(email::MEETING_REQUEST);
    into.leaf(email::ALL_DAY_EVENT, if meeting.all_day { "1" } else { "0" });
    into.leaf(email::START_TIME, &extended(meeting.start));
    into.leaf(email::DT_STAMP, &extended(meeting.stamp));
    into.leaf(email::END_TIME, &extended(meeting.end));
    let instance = match (&meeting.recurrence, meeting.recurrence_id) {
        (_, Some(_)) => "2",
        (Some(_), None) => "1",
        (None, None) => "0",
    };
    into.leaf(email::INSTANCE_TYPE, instance);
    if !meeting.location.is_empty() {
        if version >= Version::V16_0 {
            into.open(base::LOCATION).leaf(base::DISPLAY_NAME, &meeting.location).close();
        } else {
            into.leaf(email::LOCATION, &meeting.location);
        }
    }
    into.leaf(email::ORGANIZER, &format!("\"{}\" <{}>", meeting.organizer.name, meeting.organizer.address));
    if let Some(at) = meeting.recurrence_id {
        into.leaf(email::RECURRENCE_ID, &extended(at));
    }
    if let Some(minutes) = meeting.reminder {
        into.leaf(email::REMINDER, &minutes.to_string());
    }
    into.leaf(email::RESPONSE_REQUESTED, "1");
    if let Some(recurrence) = &meeting.recurrence {
        recurrence.write_email(into);
    }
    into.leaf(email::SENSITIVITY, "0").leaf(email::BUSY_STATUS, "2");
    into.leaf(email::TIME_ZONE, &ZoneBlob::utc().to_string());
    if version < Version::V16_0 {
        into.leaf(email::GLOBAL_OBJ_ID, &global_object_id(&meeting.uid));
    }
    if version >= Version::V14_0 {
        into.leaf(email::DISALLOW_NEW_TIME_PROPOSAL, "0");
    }
    if version >= Version::V14_1 {
        into.leaf(email2::MEETING_MESSAGE_TYPE, "1");
    }
    if version >= Version::V16_0 {
        into.leaf(calendar::UID, &meeting.uid);
    }
    into.close();
}

/// A foreign UID wrapped as Outlook does it.
fn global_object_id(uid: &str) -> String {
    let mut data = b"vCal-Uid\x01\0\0\0".to_vec();
    data.extend_from_slice(uid.as_bytes());
    data.push(0);
    let mut id = OBJECT_ID_HEAD.to_vec();
    id.extend_from_slice(&[0; 20]);
    id.extend_from_slice(&u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes());
    id.extend_from_slice(&data);
    BASE64_STANDARD.encode(id)
}

impl Invitation {
    /// The appointment that accepting makes: `response` 2 tentative, 3 accepted (MS-ASCAL ResponseType).
    pub(crate) fn to_appointment(&self, response: u8) -> Fields {
        let mut out = Fields::builder();
        out.leaf(calendar::TIMEZONE, &ZoneBlob::utc().to_string());
        out.leaf(calendar::ALL_DAY_EVENT, if self.all_day { "1" } else { "0" });
        out.leaf(calendar::BUSY_STATUS, if response == 3 { "2" } else { "1" });
        out.leaf(calendar::ORGANIZER_NAME, &self.organizer.name);
        out.leaf(calendar::ORGANIZER_EMAIL, &self.organizer.address);
        out.leaf(calendar::DT_STAMP, &compact(self.stamp));
        out.leaf(calendar::END_TIME, &compact(self.end));
        out.leaf(calendar::LOCATION, &self.location);
        if let Some(minutes) = self.reminder {
            out.leaf(calendar::REMINDER, &minutes.to_string());
        }
        out.leaf(calendar::SENSITIVITY, "0");
        out.leaf(calendar::SUBJECT, &self.summary);
        out.leaf(calendar::START_TIME, &compact(self.start));
        out.leaf(calendar::UID, &self.uid);
        out.leaf(calendar::MEETING_STATUS, "3");
        write_attendees(&self.attendees, &mut out);
        if let Some(recurrence) = &self.recurrence {
            recurrence.write_calendar(&mut out);
        }
        out.leaf(calendar::RESPONSE_REQUESTED, "1").leaf(calendar::RESPONSE_TYPE, &response.to_string());
        Fields::from_builder(out)
    }

    /// The meeting an appointment describes, to invite people to it; `None` without beginning or people.
    pub(crate) fn from_appointment(fields: &Fields, organizer: Person, now: Timestamp) -> Option<Self> {
        let time = |tag| fields.text(tag)?.parse::<EasDate>().ok().map(|date| date.at);
        let attendees = fields.get(calendar::ATTENDEES)?.all(calendar::ATTENDEE).filter_map(|attendee| {
            Some(Person {
                address: attendee.child_text(calendar::EMAIL)?.to_lowercase(),
                name: attendee.child_text(calendar::NAME).unwrap_or_default().into_owned(),
                partstat: "NEEDS-ACTION".to_owned(),
            })
        });
        let attendees: Vec<Person> = attendees.collect();
        let start = time(calendar::START_TIME)?;
        let place = fields.get(base::LOCATION).and_then(|place| place.child_text(base::DISPLAY_NAME).map(String::from));
        (!attendees.is_empty()).then(|| Self {
            method: Method::Request,
            uid: fields.text(calendar::UID).unwrap_or_default(),
            start,
            end: time(calendar::END_TIME).unwrap_or(start),
            all_day: fields.text(calendar::ALL_DAY_EVENT).as_deref() == Some("1"),
            stamp: now,
            summary: fields.text(calendar::SUBJECT).unwrap_or_default(),
            location: place.or_else(|| fields.text(calendar::LOCATION)).unwrap_or_default(),
            organizer,
            attendees,
            ..Self::default()
        })
    }
}

fn write_attendees(attendees: &[Person], out: &mut Builder) {
    if attendees.is_empty() {
        return;
    }
    out.open(calendar::ATTENDEES);
    for person in attendees {
        out.open(calendar::ATTENDEE).leaf(calendar::EMAIL, &person.address);
        let name = if person.name.is_empty() { &person.address } else { &person.name };
        out.leaf(calendar::NAME, name).leaf(calendar::ATTENDEE_TYPE, "1").close();
    }
    out.close();
}

/// Notes an attendee's answer in the organiser's appointment; false when it names nobody who was invited.
pub(crate) fn note_answer(fields: &mut Fields, answer: &Person) -> bool {
    let Some(old) = fields.get(calendar::ATTENDEES) else { return false };
    let status = match answer.partstat.as_str() {
        "ACCEPTED" => "3",
        "TENTATIVE" => "2",
        "DECLINED" => "4",
        _ => return false,
    };
    let mut found = false;
    let mut out = Builder::new(calendar::ATTENDEES);
    for attendee in old.all(calendar::ATTENDEE) {
        let theirs =
            attendee.child_text(calendar::EMAIL).is_some_and(|known| known.eq_ignore_ascii_case(&answer.address));
        out.open(calendar::ATTENDEE);
        for child in attendee.children().filter(|child| !(theirs && child.tag() == calendar::ATTENDEE_STATUS)) {
            out.append(child);
        }
        if theirs {
            out.leaf(calendar::ATTENDEE_STATUS, status);
            found = true;
        }
        out.close();
    }
    let attendees = out.finish();
    fields.put(attendees);
    found
}

fn compact(at: Timestamp) -> String {
    EasDate::compact(at).to_string()
}
