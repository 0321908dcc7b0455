use std::sync::Arc;

use easrig_eas::{Command, Version, command::settings, headers::Offer};
use easrig_exchange::{Exchange, Outcome, TlsSession};
use easrig_persona::{Body, End, ExplicitSend, Habit, Persona, Phone, Server, Setup, Task};
use easrig_scenario::{
    CellId, Decoded, Role,
    event::{Event, TargetSeen},
};

use crate::{
    Account,
    journal::CellJournal,
    lease::Pair,
    owner::word,
    rack::Rack,
    run::{RunError, Shared, Target},
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
    /// The built-in folders the server has, by the scenario's word; `None` when the phone got no list.
    pub(crate) folders: Option<Vec<&'static str>>,
}

/// Headers that say what the server is.
const SOFTWARE: [&str; 6] =
    ["Server", "MS-Server-ActiveSync", "X-Powered-By", "X-AspNet-Version", "X-FEServer", "X-OWA-Version"];

/// Lets the persona look for the server and ask for its versions, and asks for the addresses of accounts that came
/// without one.
pub(crate) async fn run(shared: &Shared, persona: &Arc<Persona>, pair: &mut Pair) -> Result<Found, RunError> {
    let id = CellId { scenario: "survey".into(), persona: persona.id().to_owned(), version: None };
    let journal = CellJournal::new(&shared.journal, id);
    journal.step(0, "finding out what the server is")?;
    let mut rack = Rack::new(&shared.orders.client, persona, &journal);
    let accounts = [Some((Role::Phone, &pair.owner)), pair.partner.as_ref().map(|p| (Role::Partner, p))];
    for (role, account) in accounts.into_iter().flatten() {
        rack.add(role, phone(shared, persona, role, account));
    }
    let mut exchanges = Vec::new();
    let mut reached = true;
    if let Target::Address(_) = shared.orders.target {
        let report = rack.run(Role::Phone, Task::Habit(Habit::Discover)).await?;
        reached = report.ending.end == End::Finished;
        exchanges.extend(report.exchanges);
    }
    let mut found = Found::default();
    if reached {
        let report = rack.run(Role::Phone, Task::Habit(Habit::Options)).await?;
        if let Some(seen) = report.exchanges.iter().rev().find_map(|exchange| target_seen(persona, exchange)) {
            found.offered.clone_from(&seen.versions);
            shared.journal.record(&Event::TargetSeen(seen))?;
        }
        reached = report.ending.end == End::Finished;
        exchanges.extend(report.exchanges);
    }
    found.version = rack.phone(Role::Phone).and_then(Phone::version);
    if reached && shared.orders.scenarios.iter().any(|scenario| !scenario.folders.is_empty()) {
        let report = rack.run(Role::Phone, Task::Habit(Habit::FolderSync)).await?;
        if let (End::Finished, Some(phone)) = (&report.ending.end, rack.phone(Role::Phone)) {
            found.folders = Some(phone.folders().iter().filter_map(|folder| word(folder.kind)).collect());
        }
        exchanges.extend(report.exchanges);
    }
    if reached {
        learn_addresses(&mut rack, pair).await?;
    }
    found.tls = exchanges.iter().rev().find_map(|exchange| exchange.tls.clone());
    for exchange in &exchanges {
        match &exchange.outcome {
            Outcome::Answered(_) => shared.watch.answered(),
            Outcome::Failed(failure) => shared.watch.failed(&exchange.request.url, failure, &shared.journal)?,
        }
    }
    Ok(found)
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
        bearer: None,
    })
}

fn target_seen(persona: &Persona, exchange: &Exchange) -> Option<TargetSeen> {
    let response = exchange.response()?;
    let offer = Offer::parse(
        response.headers.get("MS-ASProtocolVersions").unwrap_or_default(),
        response.headers.get("MS-ASProtocolCommands").unwrap_or_default(),
    );
    let software =
        SOFTWARE.iter().filter_map(|name| Some(((*name).to_owned(), response.headers.get(name)?.to_owned())));
    let mut endpoint = exchange.request.url.clone();
    endpoint.set_query(None);
    (!offer.versions.is_empty()).then(|| TargetSeen {
        persona: persona.id().to_owned(),
        endpoint: endpoint.into(),
        software: software.collect(),
        versions: offer.versions,
        commands: offer.commands,
        tls: exchange.tls.as_ref().map(|tls| format!("{} {}", tls.version, tls.cipher_suite)).unwrap_or_default(),
    })
}

/// Asks Settings UserInformation for the addresses that were not given.
async fn learn_addresses(rack: &mut Rack<'_>, pair: &mut Pair) -> Result<(), RunError> {
    if pair.owner.address.is_none() {
        pair.owner.address = own_address(rack, Role::Phone).await?;
    }
    if let Some(partner) = pair.partner.as_mut().filter(|partner| partner.address.is_none()) {
        rack.run(Role::Partner, Task::Habit(Habit::Options)).await?;
        partner.address = own_address(rack, Role::Partner).await?;
    }
    Ok(())
}

async fn own_address(rack: &mut Rack<'_>, role: Role) -> Result<Option<String>, RunError> {
    // A phone that is not set up is not served everywhere.
    rack.run(role, Task::Habit(Habit::FolderSync)).await?;
    let Some(version) = rack.phone(role).and_then(Phone::version) else { return Ok(None) };
    let request = settings::Request { user_information: true, ..settings::Request::default() };
    let ask = ExplicitSend {
        command: Some(Command::Settings),
        body: Body::Wbxml(request.to_document(version)),
        ..ExplicitSend::default()
    };
    let report = rack.run(role, Task::Send(Box::new(ask))).await?;
    let answer = report.exchanges.last().map(Decoded::of);
    let document = answer.as_ref().and_then(|answer| answer.answer.document());
    let response = document.and_then(|document| settings::Response::from_document(document, version).ok());
    let account = response.and_then(|response| response.user_information?.accounts.into_iter().next());
    Ok(account.and_then(|account| account.primary_smtp_address.or_else(|| account.smtp_addresses.into_iter().next())))
}
