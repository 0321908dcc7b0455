use easrig_eas::{
    ClientId, CollectionId, Command, ServerId, SyncKey, Version,
    command::{
        BodyPreference, Item, folder_sync,
        send_mail::{self, Body},
        sync::{self, Collection, CollectionResponse, Options, ServerCommand},
    },
    query::{CommandName, QueryLine},
    schema,
};
use easrig_exchange::{Headers, Secret};
use easrig_wbxml::Document;
use jiff::{SignedDuration, Timestamp};

use crate::{Account, Answer, Call, Credentials, Kind, Reply, State, Switch, UserName, WaiterId, handle, wake};

/// A server with the accounts alice and bob, and its clock.
pub(super) struct World {
    pub(super) state: State,
    pub(super) now: Timestamp,
}

/// A device of somebody.
#[derive(Clone, Copy)]
pub(super) struct Phone {
    pub(super) user: &'static str,
    pub(super) device: &'static str,
    pub(super) version: Version,
}

pub(super) const ALICE: Phone = Phone { user: "alice", device: "ALICE1", version: Version::V14_1 };
pub(super) const TABLET: Phone = Phone { user: "alice", device: "ALICE2", version: Version::V14_1 };
pub(super) const BOB: Phone = Phone { user: "bob", device: "BOB1", version: Version::V14_1 };

impl Phone {
    pub(super) fn speaking(self, version: Version) -> Self {
        Self { version, ..self }
    }
}

impl World {
    pub(super) fn new() -> Self {
        let now = "2024-07-01T12:00:00Z".parse().unwrap();
        let mut state = State::new(7, "easrig.test");
        for user in ["alice", "bob"] {
            state.add_account(Account::new(user, &format!("{user}@easrig.test"), Secret::new("s"), now));
        }
        Self { state, now }
    }

    pub(super) fn with(switch: Switch) -> Self {
        let mut world = Self::new();
        world.state.switches.turn_on(switch);
        world
    }

    pub(super) fn pass(&mut self, seconds: i64) {
        self.now = self.now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
    }

    pub(super) fn call(&self, phone: Phone, command: Command, body: Vec<u8>) -> Call {
        let query = format!("Cmd={command}&User={}&DeviceId={}&DeviceType=Test", phone.user, phone.device);
        Call {
            credentials: Some(Credentials::Basic { user: phone.user.to_owned(), secret: Secret::new("s") }),
            query: QueryLine::parse(&query).unwrap(),
            version: phone.version,
            headers: Headers::new(),
            body,
        }
    }

    pub(super) fn send(&mut self, call: Call) -> Reply {
        let now = self.now;
        let (version, name) = (call.version, call.query.command.clone());
        let reply = handle(&mut self.state, call, now);
        if let (Reply::Now(answer), CommandName::Known(command)) = (&reply, name) {
            assert_well_formed(answer, command, version);
        }
        reply
    }

    pub(super) fn reply(&mut self, phone: Phone, command: Command, document: Option<Document>) -> Reply {
        let body = document.map(|document| document.encode()).unwrap_or_default();
        let call = self.call(phone, command, body);
        self.send(call)
    }

    pub(super) fn answer(&mut self, phone: Phone, command: Command, document: Option<Document>) -> Answer {
        match self.reply(phone, command, document) {
            Reply::Now(answer) => answer,
            Reply::Wait { .. } => panic!("{command} waits"),
        }
    }

    pub(super) fn document(&mut self, phone: Phone, command: Command, document: Document) -> Document {
        let answer = self.answer(phone, command, Some(document));
        assert_eq!(answer.status, 200);
        Document::decode(&answer.body).unwrap()
    }

    pub(super) fn wake(&mut self, waiter: WaiterId) -> Option<Answer> {
        let now = self.now;
        wake(&mut self.state, waiter, now)
    }

    pub(super) fn folder(&self, phone: Phone, kind: Kind) -> CollectionId {
        self.state.account(&UserName::from(phone.user)).unwrap().mailbox.built_in(kind).unwrap().clone()
    }

    pub(super) fn count(&self, phone: Phone, kind: Kind) -> usize {
        let folder = self.folder(phone, kind);
        self.state.account(&UserName::from(phone.user)).unwrap().mailbox.items(&folder).count()
    }

    pub(super) fn deliver(&mut self, phone: Phone, subject: &str) -> ServerId {
        let mime = format!(
            "From: carol@else.test\r\nTo: {}@easrig.test\r\nSubject: {subject}\r\n\r\nbody of {subject}\r\n",
            phone.user
        );
        self.state.deliver(&UserName::from(phone.user), mime.into_bytes(), self.now).unwrap()
    }

    pub(super) fn folder_sync(&mut self, phone: Phone, key: &SyncKey) -> folder_sync::Response {
        let request = folder_sync::Request { sync_key: key.clone() };
        let document = self.document(phone, Command::FolderSync, request.to_document(phone.version));
        folder_sync::Response::from_document(&document, phone.version).unwrap()
    }

    /// Synchronises one folder; `None` is the empty answer.
    pub(super) fn sync(&mut self, phone: Phone, collection: Collection) -> Option<CollectionResponse> {
        let request = sync::Request { collections: vec![collection], ..sync::Request::default() };
        let answer = self.answer(phone, Command::Sync, Some(request.to_document(phone.version)));
        let mut response = sync_response(&answer, phone.version)?;
        assert_eq!(response.collections.len(), 1, "{response:?}");
        response.collections.pop()
    }

    /// The first key of a folder.
    pub(super) fn prime(&mut self, phone: Phone, folder: &CollectionId) -> SyncKey {
        let primed = self.sync(phone, collection(folder, &SyncKey::initial())).unwrap();
        assert!(primed.commands.is_empty());
        primed.sync_key.unwrap()
    }

    /// Primes a folder and takes all that is in it.
    pub(super) fn catch_up(&mut self, phone: Phone, folder: &CollectionId) -> SyncKey {
        let mut key = self.prime(phone, folder);
        while let Some(response) = self.sync(phone, collection(folder, &key)) {
            key = response.sync_key.unwrap();
        }
        key
    }

    pub(super) fn send_mail(&mut self, phone: Phone, client_id: &str, mime: &str) -> Answer {
        let request = send_mail::Request {
            client_id: Some(client_id.to_owned()),
            save_in_sent_items: true,
            mime: mime.as_bytes().to_vec(),
            ..send_mail::Request::default()
        };
        let body = match request.body(phone.version) {
            Body::Wbxml(document) => document.encode(),
            Body::Mime(mime) => mime,
        };
        let call = self.call(phone, Command::SendMail, body);
        match self.send(call) {
            Reply::Now(answer) => answer,
            Reply::Wait { .. } => panic!("SendMail waits"),
        }
    }
}

/// Every answer is held against the element tables.
fn assert_well_formed(answer: &Answer, command: Command, version: Version) {
    if answer.headers.get("Content-Type") == Some("application/vnd.ms-sync.wbxml") {
        let document = Document::decode(&answer.body).unwrap();
        let problems = schema::check(&document, command, schema::Direction::Answer, version);
        assert!(problems.is_empty(), "{problems:#?}\n{}", document.to_xml_pretty());
    }
}

pub(super) fn sync_response(answer: &Answer, version: Version) -> Option<sync::Response> {
    assert_eq!(answer.status, 200);
    if answer.body.is_empty() {
        return None;
    }
    Some(sync::Response::from_document(&Document::decode(&answer.body).unwrap(), version).unwrap())
}

pub(super) fn collection(folder: &CollectionId, key: &SyncKey) -> Collection {
    Collection { sync_key: key.clone(), collection_id: folder.clone(), ..Collection::default() }
}

pub(super) fn text_bodies(truncation_size: Option<u32>) -> Vec<Options> {
    let preference = BodyPreference { body_type: 1, truncation_size, all_or_none: None, preview: None };
    vec![Options { body_preferences: vec![preference], ..Options::default() }]
}

pub(super) fn data(inner: &str) -> Item {
    let xml = format!(r#"<ApplicationData xmlns="AirSync">{inner}</ApplicationData>"#);
    Item(Document::from_xml(&xml).unwrap())
}

pub(super) fn add(client_id: &str, inner: &str) -> sync::Command {
    sync::Command::Add { client_id: ClientId::from(client_id), class: None, application_data: data(inner) }
}

pub(super) fn change(id: &ServerId, inner: &str) -> sync::Command {
    sync::Command::Change { server_id: id.clone(), instance_id: None, application_data: data(inner) }
}

pub(super) fn delete(id: &ServerId) -> sync::Command {
    sync::Command::Delete { server_id: id.clone(), instance_id: None }
}

/// `+id`, `~id`, `-id`, `<id` per change.
pub(super) fn shape(response: &CollectionResponse) -> Vec<String> {
    let one = |command: &ServerCommand| match command {
        ServerCommand::Add { server_id, .. } => format!("+{server_id}"),
        ServerCommand::Change { server_id, .. } => format!("~{server_id}"),
        ServerCommand::Delete { server_id, .. } => format!("-{server_id}"),
        ServerCommand::SoftDelete { server_id } => format!("<{server_id}"),
    };
    response.commands.iter().map(one).collect()
}

/// The content of the only addition or change.
pub(super) fn only_data(response: &CollectionResponse) -> Item {
    match response.commands.as_slice() {
        [ServerCommand::Add { application_data, .. } | ServerCommand::Change { application_data, .. }] => {
            application_data.clone()
        }
        other => panic!("{other:?}"),
    }
}

/// The id the server gave to the only addition.
pub(super) fn only_added(response: &CollectionResponse) -> ServerId {
    match response.responses.as_slice() {
        [sync::CommandResponse::Add { server_id: Some(id), .. }] => id.clone(),
        other => panic!("{other:?}"),
    }
}
