//! ResolveRecipients: who a name means, with free/busy, certificates and pictures (MS-ASCMD 2.2.1.15).

mod availability;

use easrig_eas::{
    Version,
    command::resolve_recipients::{
        Availability, Certificates, Options, Picture, Recipient, RecipientsResponse, Request, Response,
    },
    status::Status,
};
use easrig_wbxml::{Document, tags::contacts};

use super::search::people;
use crate::{Account, Answer, Caller, Kind, State, Switch};

use availability::{Period, merged};

/// A parameter is bad or over a limit.
const PROTOCOL_ERROR: u16 = 5;

/// Every suggestion is given, or only some are.
const AMBIGUOUS: Status = Status(2);
const AMBIGUOUS_PARTIAL: Status = Status(3);

/// Nobody.
const UNRESOLVED: Status = Status(4);

/// Nobody here has an S/MIME certificate.
const NO_CERTIFICATE: Status = Status(7);

/// Nobody here has a photo.
const NO_PICTURE: Status = Status(173);

/// Free/busy is known of local accounts only.
const AVAILABILITY_FAILED: Status = Status(163);

/// The most names of one request (MS-ASCMD To).
const NAMES_MOST: usize = 1000;

/// The longest name, in characters.
const NAME_LENGTH_MOST: usize = 256;

/// How many suggestions are given where the request does not say.
const SUGGESTIONS_DEFAULT: usize = 19;

/// The largest number of a limit in the request.
const LIMIT_MOST: u32 = 9999;

/// From the address list, or from the owner's contacts.
const FROM_LIST: u32 = 1;
const FROM_CONTACTS: u32 = 2;

/// Says whom each name means.
pub(crate) fn run(state: &mut State, caller: &Caller, document: Option<&Document>) -> Answer {
    let request = document.and_then(|document| Request::from_document(document, caller.version).ok());
    match request.and_then(|request| answer(state, caller, &request)) {
        Some(response) => Answer::wbxml(&response.to_document(caller.version)),
        None => caller.status(PROTOCOL_ERROR),
    }
}

fn answer(state: &State, caller: &Caller, request: &Request) -> Option<Response> {
    let too_long = request.to.iter().any(|name| name.chars().count() > NAME_LENGTH_MOST);
    if request.to.is_empty() || request.to.len() > NAMES_MOST || too_long {
        return None;
    }
    let options = request.options.clone().unwrap_or_default();
    let limits = [options.max_certificates, options.max_ambiguous_recipients];
    if limits.into_iter().flatten().any(|limit| limit > LIMIT_MOST) {
        return None;
    }
    if options.certificate_retrieval.is_some_and(|wish| !(1..=3).contains(&wish)) {
        return None;
    }
    let period = match options.availability.as_ref().filter(|_| caller.version >= Version::V14_0) {
        Some(asked) => Some(Period::read(asked)?),
        None => None,
    };
    let desk = Desk { state, caller, options: &options, period };
    Some(Response {
        status: Some(Status::SUCCESS),
        responses: request.to.iter().map(|name| desk.resolve(name)).collect(),
    })
}

struct Desk<'a> {
    state: &'a State,
    caller: &'a Caller,
    options: &'a Options,
    period: Option<Period>,
}

impl Desk<'_> {
    fn resolve(&self, name: &str) -> RecipientsResponse {
        let mut found = self.candidates(name);
        if self.state.switches.has(Switch::ResolveAmbiguousHidden) {
            found.truncate(1);
        }
        let count = u32::try_from(found.len()).ok();
        let most = self.options.max_ambiguous_recipients.map_or(SUGGESTIONS_DEFAULT, |most| most as usize);
        let status = match found.len() {
            0 => UNRESOLVED,
            1 => Status::SUCCESS,
            many if many > most => AMBIGUOUS_PARTIAL,
            _ => AMBIGUOUS,
        };
        if found.len() > 1 {
            found.truncate(most);
        }
        let sure = status == Status::SUCCESS;
        RecipientsResponse {
            to: Some(name.to_owned()),
            status: Some(status),
            recipient_count: count.filter(|count| *count > 0),
            recipients: found.into_iter().map(|one| self.describe(one, sure)).collect(),
        }
    }

    /// A whole address means one person; anything else may mean many.
    fn candidates(&self, name: &str) -> Vec<Recipient> {
        let recipient = |recipient_type, name: String, address: String| Recipient {
            recipient_type: Some(recipient_type),
            display_name: Some(name),
            email_address: Some(address),
            ..Recipient::default()
        };
        if let Some(account) = self.state.account_by_address(name) {
            return vec![recipient(FROM_LIST, account.display_name.clone(), account.address.clone())];
        }
        let mut found: Vec<Recipient> = people(self.state, name)
            .into_iter()
            .map(|person| recipient(FROM_LIST, person.display_name, person.address))
            .collect();
        let owner = self.state.account(&self.caller.user);
        let own = owner.map(|owner| own_contacts(owner, name)).unwrap_or_default();
        found.extend(own.into_iter().map(|(name, address)| recipient(FROM_CONTACTS, name, address)));
        found
    }

    /// Adds what the request wants of each; free/busy and certificates only of who is meant for sure.
    fn describe(&self, mut recipient: Recipient, sure: bool) -> Recipient {
        if self.options.certificate_retrieval.is_some_and(|wish| wish > 1) {
            recipient.certificates = Some(Certificates {
                status: Some(NO_CERTIFICATE),
                certificate_count: Some(0),
                ..Certificates::default()
            });
        }
        if self.options.picture.is_some() {
            recipient.pictures = vec![Picture { status: Some(NO_PICTURE), data: None }];
        }
        if let Some(period) = self.period.filter(|_| sure) {
            let account = recipient.email_address.as_deref().and_then(|address| self.state.account_by_address(address));
            recipient.availability = Some(match account {
                Some(account) => Availability {
                    status: Some(Status::SUCCESS),
                    merged_free_busy: Some(merged(&account.mailbox, period)),
                },
                None => Availability { status: Some(AVAILABILITY_FAILED), merged_free_busy: None },
            });
        }
        recipient
    }
}

fn own_contacts(owner: &Account, name: &str) -> Vec<(String, String)> {
    let name = name.trim().to_lowercase();
    let Some(folder) = owner.mailbox.built_in(Kind::Contacts) else { return Vec::new() };
    let mut found = Vec::new();
    for fields in owner.mailbox.items(folder).filter_map(|item| item.fields()) {
        let Some(address) = fields.text(contacts::EMAIL1_ADDRESS).filter(|address| !address.is_empty()) else {
            continue;
        };
        let text = |tag| fields.text(tag).unwrap_or_default();
        let (first, last) = (text(contacts::FIRST_NAME), text(contacts::LAST_NAME));
        let full = format!("{first} {last}").trim().to_owned();
        let names = [&full, &first, &last, &text(contacts::FILE_AS), &bare(&address)].map(|text| text.to_lowercase());
        if names.iter().any(|known| known.starts_with(&name)) {
            found.push((full, bare(&address)));
        }
    }
    found
}

/// The address of `"Name" <address>`.
fn bare(text: &str) -> String {
    let inner = text.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(text, |(inner, _)| inner);
    inner.trim().to_owned()
}
