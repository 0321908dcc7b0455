//! How a device reads, sends, searches and answers, and what it was seen to be able to do.

use easrig_eas::{
    Command, Version,
    command::{
        Class, find,
        item_operations::{self, Fetch, Operation},
        meeting_response, search, send_mail, settings, sync,
    },
};
use easrig_exchange::ExchangeNumber;
use easrig_wbxml::tags::{calendar, email};

use super::{Seen, facts::Facts, sync::Synchronising};
use crate::Confidence;

/// What waits for the device's next steps to be told.
#[derive(Debug, Default)]
pub(super) struct Mail {
    /// A meeting was made or answered: does the device write to the others?
    told: Option<Telling>,
}

#[derive(Debug)]
struct Telling {
    key: &'static str,
    version: Version,
    at: ExchangeNumber,
    patience: u8,
}

/// The commands after which a device that has written to nobody leaves it to the server.
const PATIENCE: u8 = 3;

impl Mail {
    pub(super) fn look(&mut self, seen: &Seen<'_>, command: Command, sync: &mut Synchronising, facts: &mut Facts) {
        let (at, version) = (seen.at, seen.version());
        ability(command, at, facts);
        if !matches!(command, Command::SendMail | Command::Ping | Command::Provision) {
            self.wait(facts);
        }
        let document = seen.request.as_ref();
        match command {
            Command::SendMail | Command::SmartReply | Command::SmartForward => self.send(seen, command, facts),
            Command::GetAttachment => {
                facts.by_version("mail.attachments", version, "get-attachment", at, Confidence::High);
            }
            Command::ItemOperations => {
                let asked = document.and_then(|it| item_operations::Request::from_document(it, version).ok());
                for operation in asked.into_iter().flat_map(|asked| asked.operations) {
                    if let Operation::Fetch(fetch) = operation {
                        fetched(at, version, &fetch, sync, facts);
                    }
                }
            }
            Command::MeetingResponse => {
                let asked = document.and_then(|it| meeting_response::Request::from_document(it, version).ok());
                let Some(first) = asked.as_ref().and_then(|asked| asked.requests.first()) else { return };
                let key = "mail.meeting_replies";
                match first.send_response {
                    Some(_) => facts.by_version(key, version, "send-response", at, Confidence::High),
                    None => self.told = Some(Telling { key, version, at, patience: PATIENCE }),
                }
            }
            Command::Search => {
                facts.by_version("search.by", version, "search", at, Confidence::High);
                let asked = document.and_then(|it| search::Request::from_document(it, version).ok());
                asked.iter().for_each(|asked| searched(at, asked, facts));
            }
            Command::Find => {
                let asked = document.and_then(|it| find::Request::from_document(it, version).ok());
                if let Some(find::Criterion::Mailbox { options, .. }) = asked.map(|asked| asked.criterion) {
                    facts.by_version("search.by", version, "find", at, Confidence::High);
                    if let Some(range) = options.and_then(|options| options.range) {
                        facts.seen("search.last", i64::from(range.last), at);
                    }
                }
            }
            Command::Settings => {
                let asked = document.and_then(|it| settings::Request::from_document(it, version).ok());
                if asked.is_some_and(|asked| matches!(asked.oof, Some(settings::OofRequest::Set(_)))) {
                    facts.seen("abilities.set_oof", true, at);
                }
            }
            _ => {}
        }
    }

    /// The owner's changes that go with a Sync.
    pub(super) fn changes(&mut self, seen: &Seen<'_>, asked: &sync::Request, sync: &Synchronising, facts: &mut Facts) {
        let (at, version) = (seen.at, seen.version());
        let mut can = |habit: &str| facts.seen(&format!("abilities.{habit}"), true, at);
        for collection in &asked.collections {
            let class = sync.class_of(collection);
            for command in &collection.commands {
                match (command, &class) {
                    (sync::Command::Delete { .. }, Some(Class::Email)) => can("delete"),
                    (sync::Command::Change { application_data, .. }, Some(Class::Email)) => {
                        if application_data.child(email::READ).is_some() {
                            can("mark_read");
                        }
                        if application_data.child(email::FLAG).is_some() {
                            can("flag");
                        }
                    }
                    (sync::Command::Add { .. }, Some(Class::Contacts)) => can("create_contact"),
                    (sync::Command::Add { application_data, .. }, Some(Class::Calendar)) => {
                        can("create_event");
                        if application_data.child(calendar::ATTENDEES).is_some() {
                            can("invite");
                            let key = "mail.invitations";
                            self.told = Some(Telling { key, version, at, patience: PATIENCE });
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    fn send(&mut self, seen: &Seen<'_>, command: Command, facts: &mut Facts) {
        let document = seen.request.as_ref();
        let asked = document.and_then(|it| send_mail::Request::from_document(it, seen.version()).ok());
        let saves = match &asked {
            Some(asked) => asked.save_in_sent_items,
            None => seen.line.as_ref().is_some_and(|line| line.save_in_sent == Some(true)),
        };
        facts.seen("mail.save_in_sent", saves, seen.at);
        let body = asked.map_or_else(|| seen.exchange.request.body.clone(), |asked| asked.mime);
        let text = String::from_utf8_lossy(&body).into_owned();
        let calendar = text.to_ascii_lowercase().contains("text/calendar");
        if calendar
            && command == Command::SendMail
            && let Some(told) = self.told.take()
        {
            facts.by_version(told.key, told.version, "device", seen.at, Confidence::High);
        }
        match mailer(&text) {
            Some(name) if is_filler(name) => {
                let text = format!("there is one in exchange {}, whose text is not in the recording", seen.at.0);
                facts.aside("mail.mailer", text);
            }
            Some(name) => facts.seen("mail.mailer", name.to_owned(), seen.at),
            None => facts.aside("mail.mailer", format!("exchange {} has no X-Mailer", seen.at.0)),
        }
    }

    /// A step of the device that tells nobody.
    fn wait(&mut self, facts: &mut Facts) {
        let Some(told) = &mut self.told else { return };
        told.patience = told.patience.saturating_sub(1);
        if told.patience == 0
            && let Some(told) = self.told.take()
        {
            facts.by_version(told.key, told.version, "server", told.at, Confidence::Med);
        }
    }
}

fn ability(command: Command, at: ExchangeNumber, facts: &mut Facts) {
    let habit = match command {
        Command::Provision => "provision",
        Command::FolderSync => "folder_sync",
        Command::Sync => "sync",
        Command::Ping => "ping",
        Command::SendMail => "send_mail",
        Command::SmartReply => "reply",
        Command::SmartForward => "forward",
        Command::Search | Command::Find => "search",
        Command::MeetingResponse => "meeting",
        Command::MoveItems => "move",
        _ => return,
    };
    facts.seen(&format!("abilities.{habit}"), true, at);
}

fn fetched(at: ExchangeNumber, version: Version, fetch: &Fetch, sync: &mut Synchronising, facts: &mut Facts) {
    if fetch.file_reference.is_some() {
        facts.by_version("mail.attachments", version, "item-operations", at, Confidence::High);
        return;
    }
    let Some(id) = &fetch.server_id else { return };
    sync.fetched(&id.0);
    facts.seen("mail.full_body", "item-operations", at);
    facts.seen("abilities.read_mail", true, at);
    let preference = fetch.options.as_ref().and_then(|options| options.body_preferences.first());
    let Some(preference) = preference else { return };
    facts.seen("mail.full_body_type", i64::from(preference.body_type), at);
    if let Some(size) = preference.truncation_size {
        facts.seen("mail.full_body_truncation", i64::from(size), at);
    }
}

/// A search of the mailbox; one of the address list says nothing about it.
fn searched(at: ExchangeNumber, asked: &search::Request, facts: &mut Facts) {
    let search::Query::Criteria(criteria) = &asked.query else { return };
    match criteria.collection_ids.first() {
        // Any other folder is one of that server's.
        Some(id) if id.0 == "0" => facts.seen("search.collection", "0", at),
        Some(_) => facts.aside("search.collection", format!("exchange {} names a folder of that server", at.0)),
        None => facts.aside("search.collection", format!("exchange {} names no folder", at.0)),
    }
    let Some(options) = &asked.options else { return };
    if let Some(range) = &options.range {
        facts.seen("search.last", i64::from(range.last), at);
    }
    if let Some(size) = options.body_preferences.first().and_then(|preference| preference.truncation_size) {
        facts.seen("search.truncation_size", i64::from(size), at);
    }
}

/// The X-Mailer of a message.
fn mailer(text: &str) -> Option<&str> {
    let head = text.lines().take_while(|line| !line.is_empty()).take(200);
    let mut named = head.filter_map(|line| line.split_once(':'));
    let (_, value) = named.find(|(name, _)| name.eq_ignore_ascii_case("x-mailer"))?;
    let value = value.trim();
    (!value.is_empty() && value.len() <= 200 && !value.chars().any(char::is_control)).then_some(value)
}

/// What stands where the contents of a recording were not kept.
fn is_filler(text: &str) -> bool {
    text.chars().all(|c| c == 'x') || text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}
