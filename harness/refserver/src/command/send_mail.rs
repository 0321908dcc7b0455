//! SendMail, SmartReply and SmartForward: mail between the accounts of this server; none ever leaves it
//! (MS-ASCMD 2.2.1.17, 2.2.1.19, 2.2.1.20).

use easrig_eas::{
    CollectionId, Command, ServerId, Version,
    command::send_mail::{Request, Source},
    date::EasDate,
    query::QueryLine,
    status::Status,
};
use easrig_wbxml::{Document, tags::calendar};

use crate::{
    Answer, Aspect, Call, Caller, Content, Kind, Mail, Mailbox, State, StoredItem, Switch, UserName,
    mime::{Invitation, Method, Person, Sender, Verb, View, bounce, meeting_message, note_answer, original, prepare},
};

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub(crate) mime: Vec<u8>,
    /// Whether a copy goes to Sent Items.
    pub(crate) save: bool,
}

/// Sends a message; success has no body.
pub(crate) fn run(state: &mut State, caller: &Caller, call: &Call, document: Option<&Document>) -> Answer {
    match try_run(state, caller, call, document) {
        Ok(()) => Answer::empty(),
        Err(status) => caller.refuse(Status(status)),
    }
}

fn try_run(state: &mut State, caller: &Caller, call: &Call, document: Option<&Document>) -> Result<(), u16> {
    let request = match document {
        Some(document) => Request::from_document(document, caller.version).map_err(|_| 103_u16)?,
        None if caller.version < Version::V14_0 => from_query(&call.query, &call.body),
        None => return Err(101),
    };
    if request.mime.len() > state.behaviour.message_most {
        return Err(122);
    }
    let client_id = request.client_id.as_deref();
    if caller.version >= Version::V14_0 && client_id.is_none_or(str::is_empty) {
        return Err(103);
    }
    if request.account_id.as_deref().is_some_and(|id| !id.is_empty()) {
        // Nobody here has a second account to send from.
        return Err(166);
    }
    let instance = request.source.as_ref().and_then(|source| source.instance_id.as_deref());
    if instance.is_some_and(|text| text.parse::<EasDate>().is_err()) {
        return Err(104);
    }
    let view = View::parse(&request.mime).ok_or(107_u16)?;
    if view.recipients().is_empty() && request.forwardees.is_empty() {
        return Err(119);
    }
    let everybody = view.recipients().len() > 1;
    let mime = match (caller.command, request.source.as_ref()) {
        (Command::SmartReply | Command::SmartForward, Some(source)) => with_source(state, caller, &request, source)?,
        (Command::SmartReply | Command::SmartForward, None) => return Err(150),
        _ => request.mime.clone(),
    };
    let honest = !state.switches.has(Switch::SentMailDoubled);
    let desk = state.desk(caller).ok_or(110_u16)?;
    if client_id.is_some_and(|id| !desk.device.remember_sent(id)) && honest {
        return Err(118);
    }
    if let Some(source) = &request.source {
        note_verb(state, caller, source, everybody);
    }
    submit(state, caller, &Outgoing { mime, save: request.save_in_sent_items });
    Ok(())
}

/// Up to 12.1 everything but the message stands in the request line.
fn from_query(query: &QueryLine, body: &[u8]) -> Request {
    let source = Source {
        folder_id: query.collection_id.clone(),
        item_id: query.item_id.clone(),
        long_id: query.long_id.clone(),
        instance_id: query.occurrence.clone(),
    };
    let named = source.item_id.is_some() || source.long_id.is_some();
    Request {
        save_in_sent_items: query.save_in_sent.unwrap_or(false),
        source: named.then_some(source),
        mime: body.to_vec(),
        ..Request::default()
    }
}

/// The message with what it answers or forwards.
fn with_source(state: &mut State, caller: &Caller, request: &Request, source: &Source) -> Result<Vec<u8>, u16> {
    let without = request.replace_mime || state.switches.has(Switch::ReplyWithoutOriginal);
    let desk = state.desk(caller).ok_or(110_u16)?;
    let sender = Sender { name: desk.name, address: desk.address, now: caller.now, number: desk.device.keys.number() };
    let (_, item) = find_source(desk.mailbox, source).ok_or(150_u16)?;
    let verb = if caller.command == Command::SmartForward { Verb::Forward } else { Verb::ReplyToSender };
    match &item.content {
        Content::Mail(_) if without => Ok(request.mime.clone()),
        Content::Mail(mail) => Ok(original(&request.mime, &mail.mime, verb)),
        Content::Fields(fields) => {
            let people = forwardees(request);
            let organizer =
                Person { name: sender.name.to_owned(), address: sender.address.to_owned(), partstat: String::new() };
            let mut fields = fields.clone();
            fields.put(attendees(&people));
            let meeting = Invitation::from_appointment(&fields, organizer, caller.now).ok_or(150_u16)?;
            let view = View::parse(&request.mime).ok_or(107_u16)?;
            Ok(meeting_message(&meeting, view.subject(), &view.text(), &people, sender))
        }
    }
}

fn forwardees(request: &Request) -> Vec<String> {
    let named: Vec<String> = request.forwardees.iter().map(|one| one.email.clone()).collect();
    match View::parse(&request.mime) {
        Some(view) if named.is_empty() => view.recipients(),
        _ => named,
    }
}

fn attendees(people: &[String]) -> Document {
    let mut out = easrig_wbxml::Builder::new(calendar::ATTENDEES);
    for address in people {
        out.open(calendar::ATTENDEE).leaf(calendar::EMAIL, address).leaf(calendar::NAME, address).close();
    }
    out.finish()
}

fn find_source<'m>(mailbox: &'m Mailbox, source: &Source) -> Option<(CollectionId, &'m StoredItem)> {
    if let Some(long_id) = &source.long_id {
        return mailbox.resolve_long_id(long_id);
    }
    let id = ServerId::from(source.item_id.as_deref()?);
    match &source.folder_id {
        Some(folder) => {
            let folder = CollectionId::from(folder.as_str());
            mailbox.item(&folder, &id).map(|item| (folder, item))
        }
        None => mailbox.find(&id).map(|(folder, item)| (folder.clone(), item)),
    }
}

/// Notes in the original what was done with it.
fn note_verb(state: &mut State, caller: &Caller, source: &Source, everybody: bool) {
    let Some(desk) = state.desk(caller) else { return };
    let Some((folder, item)) = find_source(desk.mailbox, source) else { return };
    let id = item.id.clone();
    let verb = match (caller.command, everybody) {
        (Command::SmartForward, _) => Verb::Forward,
        (_, true) => Verb::ReplyToAll,
        (_, false) => Verb::ReplyToSender,
    };
    if item.mail().is_some() {
        desk.mailbox.change(&folder, &id, Aspect::Verb, |content| {
            if let Content::Mail(mail) = content {
                mail.verb = Some((verb, caller.now));
            }
        });
    }
}

/// Sends several messages.
pub(crate) fn submit_all(state: &mut State, caller: &Caller, outgoing: Vec<Outgoing>) {
    outgoing.iter().for_each(|message| submit(state, caller, message));
}

/// Puts a message into the inboxes of its receivers and, if asked, into Sent Items; who is not known here is reported
/// to the sender.
pub(crate) fn submit(state: &mut State, caller: &Caller, message: &Outgoing) {
    let Some(desk) = state.desk(caller) else { return };
    let number = desk.device.keys.number();
    let (name, address) = (desk.name.to_owned(), desk.address.to_owned());
    let sender = Sender { name: &name, address: &address, now: caller.now, number };
    let kept = prepare(&message.mime, sender, true);
    let going = prepare(&message.mime, sender, false);
    let Some(view) = View::parse(&kept) else { return };
    let open = view.open_recipients();
    let mut failed = Vec::new();
    for recipient in view.recipients() {
        let known = state.account_by_address(&recipient).map(|account| account.user.clone());
        match known {
            Some(user) if !state.switches.has(Switch::SentMailLost) => {
                let blind = !open.contains(&recipient);
                deliver(state, &user, Mail { received_as_bcc: blind, ..Mail::new(going.clone(), caller.now) });
            }
            Some(_) => {}
            None => failed.push(recipient),
        }
    }
    if message.save && !state.switches.has(Switch::SentItemsEmpty) {
        keep(state, &caller.user, Mail { read: true, ..Mail::new(kept.clone(), caller.now) });
    }
    if !failed.is_empty() {
        let report = bounce(&kept, &failed, Sender { number: number.wrapping_add(1), ..sender }, &state.domain);
        deliver(state, &caller.user, Mail::new(report, caller.now));
    }
}

/// A message arrives.
pub(crate) fn deliver(state: &mut State, user: &UserName, mail: Mail) -> Option<ServerId> {
    let meeting = View::parse(&mail.mime).and_then(|view| view.invitation());
    if let (Some(meeting), Some(account)) = (&meeting, state.accounts.get_mut(user)) {
        match meeting.method {
            Method::Reply => note_reply(&mut account.mailbox, meeting),
            Method::Cancel => note_cancel(&mut account.mailbox, meeting),
            Method::Request | Method::Other => {}
        }
    }
    let mailbox = &mut state.accounts.get_mut(user)?.mailbox;
    let folder = mailbox.arrival(&mail.conversation_id)?.clone();
    mailbox.add(&folder, Content::Mail(Box::new(mail)))
}

fn keep(state: &mut State, user: &UserName, mail: Mail) -> Option<ServerId> {
    let mailbox = &mut state.accounts.get_mut(user)?.mailbox;
    let folder = mailbox.built_in(Kind::Sent)?.clone();
    mailbox.add(&folder, Content::Mail(Box::new(mail)))
}

/// The appointment with this UID.
pub(crate) fn appointment(mailbox: &Mailbox, uid: &str) -> Option<(CollectionId, ServerId)> {
    let calendar_folder = mailbox.built_in(Kind::Calendar)?;
    let found = mailbox
        .items(calendar_folder)
        .find(|item| item.fields().and_then(|fields| fields.text(calendar::UID)).is_some_and(|known| known == uid))?;
    Some((calendar_folder.clone(), found.id.clone()))
}

fn note_reply(mailbox: &mut Mailbox, meeting: &Invitation) {
    let Some((folder, id)) = appointment(mailbox, &meeting.uid) else { return };
    let Some(Content::Fields(fields)) = mailbox.item(&folder, &id).map(|item| &item.content) else { return };
    let mut fields = fields.clone();
    let noted = meeting.attendees.iter().filter(|person| note_answer(&mut fields, person)).count();
    if noted > 0 {
        mailbox.change(&folder, &id, Aspect::Content, |content| *content = Content::Fields(fields));
    }
}

fn note_cancel(mailbox: &mut Mailbox, meeting: &Invitation) {
    let Some((folder, id)) = appointment(mailbox, &meeting.uid) else { return };
    mailbox.change(&folder, &id, Aspect::Content, |content| {
        if let Content::Fields(fields) = content {
            // Received, meeting, cancelled (MS-ASCAL MeetingStatus).
            fields.set(calendar::MEETING_STATUS, "7");
        }
    });
}

impl State {
    /// Puts a message into an inbox as if it had come from outside; `None` when there is no such account.
    pub fn deliver(&mut self, user: &UserName, mime: Vec<u8>, now: jiff::Timestamp) -> Option<ServerId> {
        deliver(self, user, Mail::new(mime, now))
    }
}
