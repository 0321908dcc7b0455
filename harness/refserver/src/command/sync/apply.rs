use std::collections::BTreeMap;

use easrig_eas::{
    ClientId, ServerId, Version,
    command::{
        Class, Item,
        sync::{Collection, Command, CommandResponse},
    },
    date::EasDate,
    status::Status,
};
use easrig_wbxml::{
    Element, Tag,
    tags::{calendar, contacts, email, email2},
};

use super::{changes, draft, instance, state::CollectionState};
use crate::{
    Aspect, Caller, Content, Fields, Kind, Stamps, Switch,
    command::send_mail::Outgoing,
    core::Desk,
    mime::{Invitation, Person, Sender, meeting_message},
    store::LeftOut,
};

/// An item that is malformed or that a client may not send.
const CONVERSION: u16 = 6;

/// The server's copy won.
const CONFLICT: u16 = 7;

/// An item that is not there.
const NOT_FOUND: u16 = 8;

/// An occurrence of something that does not come again.
const NO_RECURRENCE: u16 = 146;

/// What a dishonest server forgets of a new item.
const LOST: [(Switch, Tag); 3] = [
    (Switch::ContactNumberLost, contacts::MOBILE_PHONE_NUMBER),
    (Switch::EventReminderLost, calendar::REMINDER),
    (Switch::SeriesFlattened, calendar::RECURRENCE),
];

/// What the client's changes work on.
pub(super) struct Hand<'a, 'd> {
    pub(super) desk: &'a mut Desk<'d>,
    pub(super) caller: &'a Caller,
    pub(super) asked: &'a Collection,
    pub(super) class: &'a Class,
    pub(super) state: &'a CollectionState,
    /// What the device has, kept up to date with its own changes.
    pub(super) known: &'a mut BTreeMap<ServerId, Stamps>,
}

/// What one change of the client's led to.
#[derive(Default)]
pub(super) struct Done {
    pub(super) response: Option<CommandResponse>,
    pub(super) added: Option<(ClientId, ServerId)>,
    pub(super) outgoing: Vec<Outgoing>,
}

impl Hand<'_, '_> {
    /// Takes one change; `added` are the items an earlier attempt of the same request made.
    pub(super) fn take(&mut self, command: &Command, added: &[(ClientId, ServerId)]) -> Done {
        let mut done = Done::default();
        match command {
            Command::Add { client_id, application_data, class } => {
                let made = added.iter().find(|(known, _)| known == client_id).map(|(_, id)| id.clone());
                let outcome = match made {
                    Some(id) => Ok(Some(id)),
                    None => self.add(application_data, &mut done.outgoing),
                };
                let (server_id, status) = match outcome {
                    Ok(id) => (id, Status::SUCCESS),
                    Err(status) => (None, Status(status)),
                };
                if let Some(id) = &server_id {
                    self.settle(id, None);
                    done.added = Some((client_id.clone(), id.clone()));
                }
                done.response = Some(CommandResponse::Add {
                    client_id: Some(client_id.clone()),
                    server_id,
                    class: class.clone(),
                    status: Some(status),
                    application_data: None,
                });
            }
            Command::Change { server_id, instance_id, application_data } => {
                let outcome = match instance_id {
                    Some(instance) => self.change_instance(server_id, instance, Some(application_data)),
                    None => self.change(server_id, application_data, &mut done.outgoing),
                };
                done.response = outcome.err().map(|status| CommandResponse::Change {
                    server_id: Some(server_id.clone()),
                    instance_id: instance_id.clone(),
                    class: None,
                    status: Some(Status(status)),
                    application_data: None,
                });
            }
            Command::Delete { server_id, instance_id } => {
                let outcome = match instance_id {
                    Some(instance) => self.change_instance(server_id, instance, None),
                    None => self.delete(server_id),
                };
                done.response = outcome.err().map(|status| CommandResponse::Delete {
                    server_id: Some(server_id.clone()),
                    instance_id: instance_id.clone(),
                    class: None,
                    status: Some(Status(status)),
                });
            }
            Command::Fetch { server_id } => done.response = Some(self.fetch(server_id)),
        }
        done
    }

    fn add(&mut self, data: &Item, outgoing: &mut Vec<Outgoing>) -> Result<Option<ServerId>, u16> {
        let folder = &self.asked.collection_id;
        if *self.class == Class::Email {
            return draft::add(self.desk, self.caller, folder, data, outgoing);
        }
        if *self.class == Class::Notes && self.caller.version < Version::V14_0 {
            return Err(CONVERSION);
        }
        let mut fields = Fields::read(data);
        if fields.elements().next().is_none() && fields.note.is_none() {
            return Err(CONVERSION);
        }
        for (switch, tag) in LOST {
            if self.desk.switches.has(switch) {
                fields.drop_tag(tag);
            }
        }
        if *self.class == Class::Calendar {
            check_times(&fields)?;
            fields.get(calendar::START_TIME).and(fields.get(calendar::END_TIME)).ok_or(CONVERSION)?;
            self.complete_event(&mut fields);
            outgoing.extend(self.invite(&fields));
        }
        self.desk.mailbox.add(folder, Content::Fields(fields)).map(Some).ok_or(CONVERSION)
    }

    fn change(&mut self, id: &ServerId, data: &Item, outgoing: &mut Vec<Outgoing>) -> Result<(), u16> {
        let folder = &self.asked.collection_id;
        let item = self.desk.mailbox.item(folder, id).ok_or(NOT_FOUND)?;
        match &item.content {
            Content::Mail(mail) if mail.draft && touches_draft(data) => {
                draft::change(self.desk, self.caller, folder, id, data, outgoing)?;
                self.settle(id, None);
                Ok(())
            }
            Content::Mail(_) => self.change_mail(id, data),
            Content::Fields(_) => self.change_fields(id, data),
        }
    }

    /// A client may change read mark, flag and categories of a mail and nothing else (MS-ASEMAIL 3.1.5).
    fn change_mail(&mut self, id: &ServerId, data: &Item) -> Result<(), u16> {
        let children = || data.0.root().children();
        let allowed = |tag: Tag| matches!(tag, email::READ | email::FLAG | email::CATEGORIES);
        if !children().all(|child| allowed(child.tag())) {
            return Err(CONVERSION);
        }
        for child in children() {
            let (aspect, lost) = match child.tag() {
                email::READ => (Aspect::Read, Some(Switch::ReadFlagLost)),
                email::FLAG => (Aspect::Flag, Some(Switch::FlagLost)),
                _ => (Aspect::Categories, None),
            };
            let honest = lost.is_none_or(|switch| !self.desk.switches.has(switch));
            if honest {
                let folder = &self.asked.collection_id;
                self.desk.mailbox.change(folder, id, aspect, |content| set_mark(content, child));
            }
            self.settle(id, Some(aspect));
        }
        Ok(())
    }

    fn change_fields(&mut self, id: &ServerId, data: &Item) -> Result<(), u16> {
        let folder = &self.asked.collection_id;
        let item = self.desk.mailbox.item(folder, id).ok_or(NOT_FOUND)?;
        let unseen = self.known.get(id).is_some_and(|known| known.content != item.stamps.content);
        let server_wins = self.state.options_for(self.class).and_then(|options| options.conflict) != Some(0);
        if unseen && server_wins {
            return if self.desk.switches.has(Switch::ConflictUnreported) { Ok(()) } else { Err(CONFLICT) };
        }
        let mut change = Fields::read(data);
        if *self.class == Class::Calendar {
            check_times(&change)?;
        }
        if self.desk.switches.has(Switch::EventExceptionLost) && change.get(calendar::EXCEPTIONS).is_none() {
            change.put(easrig_wbxml::Builder::new(calendar::EXCEPTIONS).finish());
        }
        let wiped = self.desk.switches.has(Switch::ContactGhostWiped);
        let rule = if wiped { LeftOut::Goes } else { left_out(self.state, self.class, self.caller.version) };
        let folder = &self.asked.collection_id;
        self.desk.mailbox.change(folder, id, Aspect::Content, |content| {
            if let Content::Fields(fields) = content {
                keep_identity(fields, &mut change);
                fields.merge(change, rule);
            }
        });
        self.settle(id, None);
        Ok(())
    }

    fn change_instance(&mut self, id: &ServerId, instance: &str, data: Option<&Item>) -> Result<(), u16> {
        let start: EasDate = instance.parse().map_err(|_| CONVERSION)?;
        let folder = &self.asked.collection_id;
        let item = self.desk.mailbox.item(folder, id).ok_or(NOT_FOUND)?;
        item.fields().and_then(|fields| fields.get(calendar::RECURRENCE)).ok_or(NO_RECURRENCE)?;
        self.desk.mailbox.change(folder, id, Aspect::Content, |content| {
            if let Content::Fields(fields) = content {
                instance::set(fields, start.at, data);
            }
        });
        self.settle(id, None);
        Ok(())
    }

    fn delete(&mut self, id: &ServerId) -> Result<(), u16> {
        let folder = &self.asked.collection_id;
        self.desk.mailbox.item(folder, id).ok_or(NOT_FOUND)?;
        let as_moves = self.asked.deletes_as_moves.is_none_or(|flag| flag.is_on());
        let as_moves = as_moves && !self.desk.switches.has(Switch::DeleteIgnoresDeletesAsMoves);
        let bin = self.desk.mailbox.built_in(Kind::Deleted).filter(|bin| as_moves && *bin != folder).cloned();
        match bin {
            Some(bin) => self.desk.mailbox.relocate(folder, id, &bin, false).map(|_| ()),
            None => self.desk.mailbox.remove(folder, id).map(|_| ()),
        };
        self.known.remove(id);
        Ok(())
    }

    fn fetch(&self, id: &ServerId) -> CommandResponse {
        let item = self.desk.mailbox.item(&self.asked.collection_id, id);
        let options = self.state.options_for(self.class);
        CommandResponse::Fetch {
            server_id: Some(id.clone()),
            status: Some(Status(if item.is_some() { 1 } else { NOT_FOUND })),
            application_data: item
                .map(|item| changes::fetched(item, self.class, self.caller, options, self.desk.switches)),
        }
    }

    /// Notes that the device has its own change; of one aspect only, so that others are still told.
    fn settle(&mut self, id: &ServerId, aspect: Option<Aspect>) {
        if self.desk.switches.has(Switch::OwnChangeEchoed) {
            if let Some(known) = self.known.get_mut(id) {
                *known.of(aspect.unwrap_or(Aspect::Content)) = u64::MAX;
            }
            return;
        }
        let Some(item) = self.desk.mailbox.item(&self.asked.collection_id, id) else { return };
        let mut now = item.stamps;
        let known = self.known.entry(id.clone()).or_insert(now);
        match aspect {
            Some(aspect) => *known.of(aspect) = *now.of(aspect),
            None => *known = now,
        }
    }

    /// What an event has although the client did not send it.
    fn complete_event(&mut self, fields: &mut Fields) {
        if fields.text(calendar::UID).is_none_or(|uid| uid.is_empty()) {
            let uid = format!("{:016X}{:016X}", self.desk.device.keys.number(), self.desk.device.keys.number());
            fields.set(calendar::UID, &uid);
        }
        if fields.get(calendar::DT_STAMP).is_none() {
            fields.set(calendar::DT_STAMP, &EasDate::compact(self.caller.now).to_string());
        }
        if fields.get(calendar::ATTENDEES).is_some() && fields.get(calendar::ORGANIZER_EMAIL).is_none() {
            fields.set(calendar::ORGANIZER_EMAIL, self.desk.address);
            fields.set(calendar::ORGANIZER_NAME, self.desk.name);
        }
    }

    /// From 16.0 on it is the server that invites (MS-ASCAL 3.2.4.5).
    fn invite(&mut self, fields: &Fields) -> Option<Outgoing> {
        let sender = Sender {
            name: self.desk.name,
            address: self.desk.address,
            now: self.caller.now,
            number: self.desk.device.keys.number(),
        };
        let organizer =
            Person { name: sender.name.to_owned(), address: sender.address.to_owned(), partstat: String::new() };
        let meeting = Invitation::from_appointment(fields, organizer, self.caller.now)
            .filter(|_| self.caller.version >= Version::V16_0)?;
        let to: Vec<String> = meeting.attendees.iter().map(|person| person.address.clone()).collect();
        let text = fields.note.as_ref().map(|note| note.data.clone()).unwrap_or_default();
        Some(Outgoing { mime: meeting_message(&meeting, &meeting.summary, &text, &to, sender), save: true })
    }
}

/// What leaving a field out means (MS-ASCMD 2.2.3.179 Supported; 16.0 events: only what changed is sent).
fn left_out<'a>(state: &'a CollectionState, class: &Class, version: Version) -> LeftOut<'a> {
    match (class, &state.supported) {
        (Class::Calendar, _) if version >= Version::V16_0 => LeftOut::Stays,
        (Class::Contacts | Class::Calendar, Some(supported)) => LeftOut::GoesIfSupported(supported),
        _ => LeftOut::Goes,
    }
}

fn set_mark(content: &mut Content, mark: Element<'_>) {
    let Content::Mail(mail) = content else { return };
    match mark.tag() {
        email::READ => mail.read = mark.text().trim() == "1",
        email::FLAG => mail.flag = mark.children().next().is_some().then(|| mark.to_document()),
        _ => mail.categories = mark.all(email::CATEGORY).map(|one| one.text().into_owned()).collect(),
    }
}

/// Whether a change of a draft is about the message and not only about its marks.
fn touches_draft(data: &Item) -> bool {
    let marks = |tag: Tag| matches!(tag, email::READ | email::FLAG | email::CATEGORIES);
    data.0.root().children().any(|child| !marks(child.tag()) || child.tag() == email2::SEND)
}

fn check_times(fields: &Fields) -> Result<(), u16> {
    let time = |tag| fields.text(tag).map(|text| text.parse::<EasDate>().map(|date| date.at));
    match (time(calendar::START_TIME), time(calendar::END_TIME)) {
        (Some(Err(_)), _) | (_, Some(Err(_))) => Err(CONVERSION),
        (Some(Ok(start)), Some(Ok(end))) if start > end => Err(CONVERSION),
        _ => Ok(()),
    }
}

/// What names an event stays although a client may leave it out of a change.
fn keep_identity(old: &Fields, change: &mut Fields) {
    for tag in [
        calendar::UID,
        calendar::DT_STAMP,
        calendar::ORGANIZER_EMAIL,
        calendar::ORGANIZER_NAME,
        calendar::START_TIME,
        calendar::END_TIME,
    ] {
        let had = old.get(tag).filter(|_| change.get(tag).is_none());
        if let Some(had) = had {
            change.put(had.to_document());
        }
    }
}
