use std::sync::Arc;

use easrig_eas::{Command, Version, command::settings};
use easrig_exchange::{Exchange, ExchangeNumber, TlsSession};
use easrig_persona::{Body, End, ExplicitSend, Habit, Persona, Phone, Server, Setup, Task};
use easrig_scenario::{
    CellId, Decoded, Role,
    event::{Event, TargetSeen},
};
use url::Url;

use crate::{
    Account,
    folder::FolderError,
    heed::{Login, Passwords},
    journal::CellJournal,
    lease::Pair,
    orders::Target,
    owner::word,
    rack::{Rack, Report},
    reach::out_of_reach,
    shared::Shared,
    tls,
};

/// What a persona learns of the target before its first cell.
#[derive(Default)]
pub(crate) struct Found {
    /// The version it picks.
    pub(crate) version: Option<Version>,
    /// The versions the server announces.
    pub(crate) offered: Vec<Version>,
    /// What TLS agreed on, over TLS.
    pub(crate) tls: Option<TlsSession>,
    /// Where it spoke TLS last, or tried to.
    pub(crate) secure: Option<Url>,
    /// Why nobody answered at all, if so.
    pub(crate) unreached: Option<String>,
    /// What was seen meanwhile.
    pub(crate) exchanges: Vec<ExchangeNumber>,
    /// The built-in folders the server has, by the scenario's word; `None` when the phone got no list.
    pub(crate) folders: Option<Vec<&'static str>>,
}

/// Lets the persona look for the server and ask for its versions, and asks for the addresses of accounts that came
/// without one.
pub(crate) async fn run(shared: &Shared, persona: &Arc<Persona>, pair: &mut Pair) -> Result<Found, FolderError> {
    let id = CellId { scenario: "survey".into(), persona: persona.id().to_owned(), version: None };
    let journal = CellJournal::new(&shared.journal, id.clone());
    journal.step(0, "finding out what the server is")?;
    let mut rack = Rack::new(&shared.orders.client, persona, &journal);
    let accounts = [Some((Role::Phone, &pair.owner)), pair.partner.as_ref().map(|p| (Role::Partner, p))];
    for (role, account) in accounts.into_iter().flatten() {
        rack.add(role, phone(shared, persona, role, account));
    }
    let mut survey = Survey { shared, rack, id, accounts: pair.clone(), login: Login::Taken, seen: Vec::new() };
    let found = survey.look(persona).await?;
    survey.drop_token(pair);
    if found.unreached.is_none() && found.version.is_some() {
        survey.learn_addresses(pair).await?;
    }
    Ok(Found { exchanges: journal.numbers(), ..found })
}

/// The phones that look around, and what they have seen.
struct Survey<'s> {
    shared: &'s Shared,
    rack: Rack<'s>,
    id: CellId,
    accounts: Pair,
    login: Login,
    seen: Vec<Exchange>,
}

impl Survey<'_> {
    async fn look(&mut self, persona: &Persona) -> Result<Found, FolderError> {
        let mut found = Found::default();
        let mut reached = true;
        if let Target::Address(_) = self.shared.orders.target {
            reached = self.does(Role::Phone, Habit::Discover).await?;
        }
        if reached {
            reached = self.does(Role::Phone, Habit::Options).await?;
            if let Some(seen) = self.seen.iter().rev().find_map(|exchange| TargetSeen::of(persona.id(), exchange)) {
                found.offered.clone_from(&seen.versions);
                self.shared.journal.record(&Event::TargetSeen(seen))?;
            }
        }
        found.version = self.rack.phone(Role::Phone).and_then(Phone::version);
        if reached
            && self.shared.orders.scenarios.iter().any(|scenario| !scenario.folders.is_empty())
            && self.does(Role::Phone, Habit::FolderSync).await?
            && let Some(phone) = self.rack.phone(Role::Phone)
        {
            found.folders = Some(phone.folders().iter().filter_map(|folder| word(folder.kind)).collect());
        }
        found.secure = tls::endpoint(&self.seen);
        found.tls = self.seen.iter().rev().find_map(|exchange| exchange.tls.clone());
        if self.seen.iter().all(|exchange| exchange.response().is_none()) {
            found.unreached = out_of_reach(&self.seen);
        }
        Ok(found)
    }

    /// Lets a phone do something; whether it got to the end of it.
    async fn does(&mut self, role: Role, habit: Habit) -> Result<bool, FolderError> {
        let report = self.ask(role, Task::Habit(habit)).await?;
        Ok(report.is_some_and(|report| report.ending.end == End::Finished))
    }

    /// Lets a phone do something, unless the server has refused a password before.
    async fn ask(&mut self, role: Role, task: Task) -> Result<Option<Report>, FolderError> {
        if self.login == Login::Refused {
            return Ok(None);
        }
        let report = self.rack.run(role, task).await?;
        self.login = self.shared.heed(&report.exchanges, &self.accounts, Passwords::Good, &self.id)?;
        self.seen.extend(report.exchanges.iter().cloned());
        Ok(Some(report))
    }

    /// Forgets the tokens where the server wants passwords instead: no cell has to find that out again.
    fn drop_token(&self, pair: &mut Pair) {
        let has_token = pair.owner.token.is_some() && pair.owner.secret.is_some();
        let able = |phone: &Phone| phone.can_sign_in_by_token() && !phone.signs_in_by_token();
        if has_token && self.rack.phone(Role::Phone).is_some_and(able) {
            for account in [Some(&mut pair.owner), pair.partner.as_mut()].into_iter().flatten() {
                account.token = account.token.take().filter(|_| account.secret.is_none());
            }
        }
    }

    /// Asks Settings UserInformation for the addresses that were not given.
    async fn learn_addresses(&mut self, pair: &mut Pair) -> Result<(), FolderError> {
        if pair.owner.address.is_none() {
            pair.owner.address = self.own_address(Role::Phone).await?;
        }
        if let Some(partner) = pair.partner.as_mut().filter(|partner| partner.address.is_none()) {
            self.does(Role::Partner, Habit::Options).await?;
            partner.address = self.own_address(Role::Partner).await?;
        }
        Ok(())
    }

    async fn own_address(&mut self, role: Role) -> Result<Option<String>, FolderError> {
        // A phone that is not set up is not served everywhere.
        self.does(role, Habit::FolderSync).await?;
        let Some(version) = self.rack.phone(role).and_then(Phone::version) else { return Ok(None) };
        let request = settings::Request { user_information: true, ..settings::Request::default() };
        let ask = ExplicitSend {
            command: Some(Command::Settings),
            body: Body::Wbxml(request.to_document(version)),
            ..ExplicitSend::default()
        };
        let Some(report) = self.ask(role, Task::Send(Box::new(ask))).await? else { return Ok(None) };
        let answer = report.exchanges.last().map(Decoded::of);
        let document = answer.as_ref().and_then(|answer| answer.answer.document());
        let response = document.and_then(|document| settings::Response::from_document(document, version).ok());
        let account = response.and_then(|response| response.user_information?.accounts.into_iter().next());
        Ok(account
            .and_then(|account| account.primary_smtp_address.or_else(|| account.smtp_addresses.into_iter().next())))
    }
}

fn phone(shared: &Shared, persona: &Arc<Persona>, role: Role, account: &Account) -> Phone {
    let server = match &shared.orders.target {
        Target::Url(url) => Server::Url(url.clone()),
        Target::Address(given) => {
            Server::Discover { address: account.address.clone().unwrap_or_else(|| given.clone()) }
        }
    };
    Phone::new(Setup {
        persona: Arc::clone(persona),
        role: role.name().to_owned(),
        device_id: persona.device_id(role.name(), &account.user),
        user: account.user.clone(),
        address: account.address.clone(),
        secret: account.secret.clone(),
        server,
        version: None,
        seed: shared.orders.seed,
        bearer: account.token.clone(),
    })
}
