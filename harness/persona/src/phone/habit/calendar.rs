//! Appointments, meetings and contacts the owner makes on the phone (MS-ASCAL, MS-ASCNTC).

use easrig_eas::{
    ClientId, CollectionId, Command, ServerId, Version,
    command::{
        Item, meeting_response as meeting,
        sync::{self, CommandResponse},
    },
    date::{EasDate, ZoneBlob},
};
use easrig_wbxml::{
    Builder,
    tags::{air_sync, calendar, contacts},
};

use super::mail::Place;
use crate::{
    Condition, FolderRef, Letter, MeetingAnswer, OwnerItem,
    persona::word::Replies,
    phone::{
        line::{Line, Stop},
        request::Call,
    },
};

/// An hour of tomorrow.
struct Slot {
    now: jiff::Timestamp,
    start: jiff::Timestamp,
    end: jiff::Timestamp,
}

impl Line {
    pub(super) async fn create_event(&self, subject: String) -> Result<(), Stop> {
        let uid = self.with(|core| core.fresh());
        self.add_event(&subject, &uid, None).await
    }

    /// Makes a meeting; who writes to the guest depends on version and device.
    pub(super) async fn invite(&self, to: String, subject: String) -> Result<(), Stop> {
        let version = self.version().await?;
        let uid = self.with(|core| core.fresh());
        self.add_event(&subject, &uid, Some(&to)).await?;
        if self.rest(|core| &core.persona.mail.invitations).at(version) != Some(Replies::Device) {
            return Ok(());
        }
        let organiser = self.with(|core| core.setup.address.clone().unwrap_or_else(|| core.setup.user.clone()));
        let slot = self.slot();
        let calendar = ics("REQUEST", &uid, &subject, &organiser, &format!("ATTENDEE;RSVP=TRUE:mailto:{to}"), &slot);
        let text = Some(subject.clone());
        self.send_letter(Letter { to: vec![to], subject, text, calendar: Some(calendar), ..Letter::default() }).await
    }

    pub(super) async fn create_contact(&self, name: String) -> Result<(), Stop> {
        let folder = self.folder(&FolderRef::from("contacts"))?;
        let (first, last) = name.rsplit_once(' ').unwrap_or(("", &name));
        self.add(folder, |out| {
            out.leaf(contacts::FILE_AS, &name);
            if !first.is_empty() {
                out.leaf(contacts::FIRST_NAME, first);
            }
            out.leaf(contacts::LAST_NAME, last);
        })
        .await
    }

    /// Answers an invitation, and has the organiser told.
    pub(super) async fn answer_meeting(&self, subject: &str, answer: MeetingAnswer) -> Result<(), Stop> {
        let version = self.version().await?;
        let place = self.find_mail(subject).await?;
        let replies = self.rest(|core| &core.persona.mail.meeting_replies).at(version).unwrap_or(Replies::Device);
        let invitation = self.with(|core| core.item(&place).cloned());
        let request = meeting::Request {
            requests: vec![meeting::Invitation {
                user_response: answer as u32,
                collection_id: Some(place.folder.clone()),
                request_id: Some(place.item.clone()),
                send_response: (replies == Replies::SendResponse).then(meeting::SendResponse::default),
                ..meeting::Invitation::default()
            }],
        };
        let said = self.command(Call::new(Command::MeetingResponse, request.to_document(version).encode())).await?;
        let document = said.document.as_ref().ok_or_else(|| self.stop(&Condition::BadAnswer))?;
        let said = meeting::Response::from_document(document, version)
            .map_err(|error| Stop::GaveUp(format!("the answer to MeetingResponse: {error}")))?;
        match said.results.first().and_then(|result| result.status).or(said.status) {
            Some(status) if status.0 == 1 => {}
            Some(status) => return Err(Stop::GaveUp(format!("MeetingResponse was answered with Status {status}"))),
            None => return Err(Stop::GaveUp("MeetingResponse was answered without a status".to_owned())),
        }
        if let Some(invitation) = invitation.filter(|_| replies == Replies::Device) {
            self.tell_organiser(&invitation, answer).await?;
        }
        self.look_again(place).await
    }

    async fn tell_organiser(&self, invitation: &OwnerItem, answer: MeetingAnswer) -> Result<(), Stop> {
        let Some(uid) = invitation.meeting_uid.clone() else { return Ok(()) };
        let (word, said) = match answer {
            MeetingAnswer::Accept => ("Accepted", "ACCEPTED"),
            MeetingAnswer::Tentative => ("Tentative", "TENTATIVE"),
            MeetingAnswer::Decline => ("Declined", "DECLINED"),
        };
        let me = self.with(|core| core.setup.address.clone().unwrap_or_else(|| core.setup.user.clone()));
        let organiser = address(&invitation.from);
        let attendee = format!("ATTENDEE;PARTSTAT={said}:mailto:{me}");
        let calendar = ics("REPLY", &uid, &invitation.subject, organiser, &attendee, &self.slot());
        self.send_letter(Letter {
            to: vec![organiser.to_owned()],
            subject: format!("{word}: {}", invitation.subject),
            text: Some(word.to_owned()),
            calendar: Some(calendar),
            ..Letter::default()
        })
        .await
    }

    /// The invitation is gone and the calendar has changed.
    async fn look_again(&self, place: Place) -> Result<(), Stop> {
        let _hold = self.hold().await;
        self.sync(vec![place.folder], None).await?;
        match self.folder(&FolderRef::from("calendar")) {
            Ok(calendar) => self.sync(vec![calendar], None).await.map(drop),
            Err(_) => Ok(()),
        }
    }

    async fn add_event(&self, subject: &str, uid: &str, guest: Option<&str>) -> Result<(), Stop> {
        let version = self.version().await?;
        let folder = self.folder(&FolderRef::from("calendar"))?;
        let slot = self.slot();
        self.add(folder, |out| write_event(out, version, subject, uid, guest, &slot)).await
    }

    /// Adds an item; the phone shows it under the name the server gives.
    async fn add(&self, folder: CollectionId, write: impl FnOnce(&mut Builder)) -> Result<(), Stop> {
        let content = Item::build(air_sync::APPLICATION_DATA, write);
        let client_id = ClientId(self.with(|core| core.fresh()));
        let command =
            sync::Command::Add { client_id: client_id.clone(), class: None, application_data: content.clone() };
        let outcomes = self.change(&folder, command).await?;
        let given = outcomes.into_iter().find_map(|outcome| match outcome {
            CommandResponse::Add { server_id, client_id: said, .. } if said.as_ref() == Some(&client_id) => server_id,
            _ => None,
        });
        let given: ServerId =
            given.ok_or_else(|| Stop::GaveUp("the new item was answered without a name".to_owned()))?;
        self.with(|core| {
            let kind = core.kind(&folder).items();
            let mut item = OwnerItem::new(kind, folder.clone(), given.clone());
            item.learn(content.root());
            core.owner().items.retain(|known| known.folder != folder || known.server_id != given);
            core.owner().items.push(item);
        });
        Ok(())
    }

    fn slot(&self) -> Slot {
        const HOUR: i64 = 3600;
        let now = self.with(|core| core.now.0).div_euclid(1_000_000);
        let start = (now.div_euclid(HOUR) + 25) * HOUR;
        let at = |second| jiff::Timestamp::from_second(second).unwrap_or_default();
        Slot { now: at(now), start: at(start), end: at(start + HOUR) }
    }
}

/// From 16.0 on the server says who the organiser is and when the item was made (MS-ASCAL 2.2.2).
fn write_event(out: &mut Builder, version: Version, subject: &str, uid: &str, guest: Option<&str>, slot: &Slot) {
    let compact = |at| EasDate::compact(at).to_string();
    out.leaf(calendar::TIMEZONE, &ZoneBlob::utc().to_string())
        .leaf(calendar::ALL_DAY_EVENT, "0")
        .leaf(calendar::BUSY_STATUS, "2");
    if version < Version::V16_0 {
        out.leaf(calendar::DT_STAMP, &compact(slot.now));
    }
    out.leaf(calendar::END_TIME, &compact(slot.end))
        .leaf(calendar::SENSITIVITY, "0")
        .leaf(calendar::SUBJECT, subject)
        .leaf(calendar::START_TIME, &compact(slot.start))
        .leaf(if version < Version::V16_0 { calendar::UID } else { calendar::CLIENT_UID }, uid)
        .leaf(calendar::MEETING_STATUS, if guest.is_some() { "1" } else { "0" });
    if let Some(guest) = guest {
        out.open(calendar::ATTENDEES).open(calendar::ATTENDEE);
        out.leaf(calendar::EMAIL, guest).leaf(calendar::NAME, guest);
        if version >= Version::V12_0 {
            out.leaf(calendar::ATTENDEE_TYPE, "1");
        }
        out.close().close();
    }
}

/// An iCalendar object (RFC 5545, RFC 5546).
fn ics(method: &str, uid: &str, subject: &str, organiser: &str, attendee: &str, slot: &Slot) -> String {
    let compact = |at| EasDate::compact(at).to_string();
    let subject: String = subject.chars().filter(|c| !c.is_control()).collect();
    let subject = subject.replace('\\', "\\\\").replace(',', "\\,").replace(';', "\\;");
    [
        "BEGIN:VCALENDAR".to_owned(),
        "PRODID:-//easrig//phone//EN".to_owned(),
        "VERSION:2.0".to_owned(),
        format!("METHOD:{method}"),
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{uid}"),
        format!("DTSTAMP:{}", compact(slot.now)),
        format!("DTSTART:{}", compact(slot.start)),
        format!("DTEND:{}", compact(slot.end)),
        format!("SUMMARY:{subject}"),
        format!("ORGANIZER:mailto:{organiser}"),
        attendee.to_owned(),
        "END:VEVENT".to_owned(),
        "END:VCALENDAR".to_owned(),
        String::new(),
    ]
    .join("\r\n")
}

/// The bare address of `"Name" <address>`.
fn address(from: &str) -> &str {
    from.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(from, |(address, _)| address).trim()
}
