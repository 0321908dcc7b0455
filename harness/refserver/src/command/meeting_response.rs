use easrig_eas::{
    CollectionId, ServerId, Version,
    command::meeting_response::{Invitation as Asked, MeetingResult, Request, Response},
    date::EasDate,
    status::Status,
};
use easrig_wbxml::{Document, tags::calendar};

use super::send_mail::{Outgoing, appointment, submit};
use crate::{
    Answer, Aspect, Caller, Content, Fields, Kind, State, Switch,
    core::Desk,
    mime::{Invitation, Method, Person, Sender, View, meeting_message},
};

/// Not an invitation, or the owner's own meeting.
const INVALID: u16 = 2;

/// The most answers of one request.
const ANSWERS_MOST: usize = 100;

/// A time that is none.
const BAD_TIME: u16 = 104;

/// An occurrence of something that does not come again.
const NO_RECURRENCE: u16 = 146;

/// Takes the owner's answers to invitations (MS-ASCMD 2.2.1.11).
pub(crate) fn run(state: &mut State, caller: &Caller, document: Option<&Document>) -> Answer {
    let Some(Ok(request)) = document.map(|document| Request::from_document(document, caller.version)) else {
        return caller.refuse(Status(103));
    };
    if request.requests.len() > ANSWERS_MOST {
        return caller.refuse(Status(103));
    }
    let results = request.requests.iter().map(|asked| answer(state, caller, asked)).collect();
    Answer::wbxml(&Response { status: None, results }.to_document(caller.version))
}

fn answer(state: &mut State, caller: &Caller, asked: &Asked) -> MeetingResult {
    let (status, calendar_id) = match respond(state, caller, asked) {
        Ok(id) => (Status::SUCCESS, id),
        Err(status) => (Status(status), None),
    };
    MeetingResult { request_id: asked.request_id.clone(), status: Some(status), calendar_id }
}

fn respond(state: &mut State, caller: &Caller, asked: &Asked) -> Result<Option<ServerId>, u16> {
    let answer = Decision::of(asked.user_response).ok_or(INVALID)?;
    let mut desk = state.desk(caller).ok_or(110_u16)?;
    let instance = asked.instance_id.as_deref().map(str::parse::<EasDate>);
    if instance.is_some_and(|parsed| parsed.is_err()) {
        return Err(BAD_TIME);
    }
    let (meeting, source) = invitation(&desk, asked)?;
    if meeting.organizer.address == desk.address {
        return Err(INVALID);
    }
    if asked.instance_id.is_some() && meeting.recurrence.is_none() {
        return Err(NO_RECURRENCE);
    }
    if let Some((folder, id)) = source {
        if asked.instance_id.is_some() {
            return Err(INVALID);
        }
        settle_invitation(&mut desk, &folder, &id);
    }
    let calendar_id = note(&mut desk, &meeting, answer);
    let reply = asked.send_response.as_ref().filter(|_| caller.version >= Version::V16_0).map(|wanted| {
        let comment = wanted.body.as_ref().map(|body| body.data.clone()).unwrap_or_default();
        reply(&mut desk, caller, &meeting, answer, &comment)
    });
    if let Some(mime) = reply {
        submit(state, caller, &Outgoing { mime, save: true });
    }
    Ok(calendar_id)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Decision {
    Accept,
    Tentative,
    Decline,
}

impl Decision {
    fn of(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::Accept),
            2 => Some(Self::Tentative),
            3 => Some(Self::Decline),
            _ => None,
        }
    }

    fn partstat(self) -> &'static str {
        match self {
            Self::Accept => "ACCEPTED",
            Self::Tentative => "TENTATIVE",
            Self::Decline => "DECLINED",
        }
    }
}

/// The invitation has been answered and leaves the inbox.
fn settle_invitation(desk: &mut Desk<'_>, folder: &CollectionId, id: &ServerId) {
    if let Some(bin) = desk.mailbox.built_in(Kind::Deleted).filter(|bin| *bin != folder).cloned() {
        desk.mailbox.relocate(folder, id, &bin, false);
    }
}

/// The meeting that is meant, and where its invitation is when it was named by that and not by its appointment.
fn invitation(desk: &Desk<'_>, asked: &Asked) -> Result<(Invitation, Option<(CollectionId, ServerId)>), u16> {
    let found = match (&asked.long_id, &asked.request_id, &asked.collection_id) {
        (Some(long_id), _, _) => desk.mailbox.resolve_long_id(long_id),
        (None, Some(id), Some(folder)) => desk.mailbox.item(folder, id).map(|item| (folder.clone(), item)),
        (None, Some(id), None) => desk.mailbox.find(id).map(|(folder, item)| (folder.clone(), item)),
        (None, None, _) => None,
    };
    let (folder, item) = found.ok_or(INVALID)?;
    let id = item.id.clone();
    match &item.content {
        Content::Fields(fields) => from_calendar(fields).map(|meeting| (meeting, None)).ok_or(INVALID),
        Content::Mail(mail) => {
            let meeting = View::parse(&mail.mime).and_then(|view| view.invitation());
            let meeting = meeting.filter(|meeting| meeting.method == Method::Request).ok_or(INVALID)?;
            Ok((meeting, Some((folder, id))))
        }
    }
}

fn from_calendar(fields: &Fields) -> Option<Invitation> {
    let time = |tag| fields.text(tag)?.parse::<EasDate>().ok().map(|date| date.at);
    let organizer = Person {
        name: fields.text(calendar::ORGANIZER_NAME).unwrap_or_default(),
        address: fields.text(calendar::ORGANIZER_EMAIL)?.to_lowercase(),
        partstat: String::new(),
    };
    Some(Invitation {
        method: Method::Request,
        uid: fields.text(calendar::UID)?,
        start: time(calendar::START_TIME)?,
        end: time(calendar::END_TIME)?,
        summary: fields.text(calendar::SUBJECT).unwrap_or_default(),
        organizer,
        ..Invitation::default()
    })
}

/// Puts the meeting into the calendar or, declined, takes it out; gives the id of the appointment.
fn note(desk: &mut Desk<'_>, meeting: &Invitation, answer: Decision) -> Option<ServerId> {
    let known = appointment(desk.mailbox, &meeting.uid);
    let response = match answer {
        Decision::Accept => 3,
        Decision::Tentative => 2,
        Decision::Decline => {
            let (folder, id) = known?;
            desk.mailbox.remove(&folder, &id);
            return None;
        }
    };
    if desk.switches.has(Switch::AcceptedMeetingMissing) {
        return Some(ServerId(format!("0:{}", desk.mailbox.sequence())));
    }
    if let Some((folder, id)) = known {
        desk.mailbox.change(&folder, &id, Aspect::Content, |content| {
            if let Content::Fields(fields) = content {
                fields.set(calendar::RESPONSE_TYPE, &response.to_string());
                fields.set(calendar::BUSY_STATUS, if response == 3 { "2" } else { "1" });
            }
        });
        return Some(id);
    }
    let folder = desk.mailbox.built_in(Kind::Calendar)?.clone();
    desk.mailbox.add(&folder, Content::Fields(meeting.to_appointment(response)))
}

/// The message that tells the organiser; from 16.0 on it is the server that sends it.
fn reply(desk: &mut Desk<'_>, caller: &Caller, meeting: &Invitation, answer: Decision, comment: &str) -> Vec<u8> {
    let number = desk.device.keys.number();
    let sender = Sender { name: desk.name, address: desk.address, now: caller.now, number };
    let me =
        Person { name: desk.name.to_owned(), address: desk.address.to_owned(), partstat: answer.partstat().to_owned() };
    let reply = Invitation { method: Method::Reply, attendees: vec![me], stamp: caller.now, ..meeting.clone() };
    let word = match answer {
        Decision::Accept => "Accepted",
        Decision::Tentative => "Tentative",
        Decision::Decline => "Declined",
    };
    let subject = format!("{word}: {}", meeting.summary);
    meeting_message(&reply, &subject, comment, std::slice::from_ref(&meeting.organizer.address), sender)
}
