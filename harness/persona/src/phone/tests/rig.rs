//! What the tests of the phone share, their imports among it.

pub(super) use std::{collections::VecDeque, path::PathBuf, time::Duration};

pub(super) use easrig_eas::{
    Command,
    command::{folder_sync, ping, provision, settings, sync},
    policy::{PolicyDocument, Setting},
    query::QueryLine,
    status::Status,
};
pub(super) use easrig_exchange::{Failure, Headers, Request, Response};
pub(super) use easrig_wbxml::{Builder, Document, tags};

pub(super) use super::super::*;
pub(super) use crate::{ExplicitSend, FolderRef, Habit, Persona, RequestId, Server, TimerId};

/// A phone on a table, with somebody who writes the answers by hand.
pub(super) struct Table {
    pub(super) phone: Phone,
    pub(super) outputs: VecDeque<Output>,
    pub(super) now: Timestamp,
    pub(super) version: Version,
}

/// One request the phone has sent.
pub(super) struct Sent {
    pub(super) id: RequestId,
    pub(super) request: Request,
    pub(super) command: Option<Command>,
}

impl Table {
    pub(super) fn new(persona: &str, version: Version) -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../scenarios/personas/{persona}.toml"));
        let persona = Arc::new(Persona::parse(persona, &std::fs::read_to_string(path).unwrap()).unwrap());
        let setup = Setup {
            device_id: persona.device_id("phone", "alice"),
            persona,
            role: "phone".to_owned(),
            user: "alice".to_owned(),
            address: Some("alice@easrig.test".to_owned()),
            secret: Some(Secret::new("sesame")),
            server: Server::Url(Url::parse("https://mail.easrig.test").unwrap()),
            version: Some(version),
            seed: 7,
            bearer: None,
        };
        let now = Timestamp(1_767_225_600_000_000);
        Self { phone: Phone::new(setup), outputs: VecDeque::new(), now, version }
    }

    pub(super) fn begin(&mut self, habit: Habit) -> TaskId {
        self.start(Task::Habit(habit))
    }

    pub(super) fn start(&mut self, task: Task) -> TaskId {
        let mut out = Vec::new();
        let id = self.phone.begin(task, self.now, &mut out);
        self.outputs.extend(out);
        id
    }

    pub(super) fn step(&mut self, input: Input) {
        let mut out = Vec::new();
        self.phone.step(input, self.now, &mut out);
        self.outputs.extend(out);
    }

    /// The next request, which must be there.
    pub(super) fn sent(&mut self) -> Sent {
        match self.outputs.pop_front() {
            Some(Output::Send { id, request, .. }) => {
                let command = match request.query() {
                    "" => None,
                    query => QueryLine::parse(query).unwrap().command.known(),
                };
                Sent { id, request: *request, command }
            }
            other => panic!("expected a request, found {other:?}"),
        }
    }

    /// The next request, which goes elsewhere than to the endpoint.
    pub(super) fn sent_raw(&mut self) -> Sent {
        match self.outputs.pop_front() {
            Some(Output::Send { id, request, .. }) => Sent { id, request: *request, command: None },
            other => panic!("expected a request, found {other:?}"),
        }
    }

    pub(super) fn expect(&mut self, command: Command) -> Sent {
        let sent = self.sent();
        assert_eq!(sent.command, Some(command));
        sent
    }

    pub(super) fn answer(&mut self, sent: &Sent, document: &Document) {
        self.reply(sent, 200, document.encode());
    }

    pub(super) fn reply(&mut self, sent: &Sent, status: u16, body: Vec<u8>) {
        self.reply_with(sent, status, Headers::new(), body);
    }

    pub(super) fn reply_with(&mut self, sent: &Sent, status: u16, headers: Headers, body: Vec<u8>) {
        let response = Response { status, reason: String::new(), headers, body, cut: None };
        self.step(Input::Answered(sent.id, Box::new(response)));
    }

    pub(super) fn ended(&mut self) -> Ending {
        while let Some(output) = self.outputs.pop_front() {
            match output {
                Output::Done(_, ending) => return ending,
                Output::ShowOwner(_) => {}
                other => panic!("expected the end, found {other:?}"),
            }
        }
        panic!("the task goes on without asking for anything");
    }

    pub(super) fn timer(&mut self) -> (TimerId, Duration) {
        match self.outputs.pop_front() {
            Some(Output::Wait(id, time)) => (id, time),
            other => panic!("expected a wait, found {other:?}"),
        }
    }

    pub(super) fn policy(&self, demands: &[Setting]) -> Document {
        let mut policy = PolicyDocument::permissive();
        demands.iter().for_each(|setting| policy.set(*setting, "1"));
        let mut data = Builder::new(tags::provision::DATA);
        policy.to_builder(&mut data, self.version);
        let data = data.finish();
        let document = data.root().child(tags::provision::EAS_PROVISION_DOC).unwrap().to_document();
        self.provisioned(111, Some(provision::PolicyData::Wbxml(document)))
    }

    pub(super) fn provisioned(&self, key: u32, data: Option<provision::PolicyData>) -> Document {
        let policy = provision::PolicyResponse {
            policy_type: Some(provision::PolicyType::Wbxml),
            status: Some(Status(1)),
            policy_key: Some(PolicyKey(key)),
            data,
        };
        let said = provision::Response { status: Some(Status(1)), policies: vec![policy], ..Default::default() };
        said.to_document(self.version)
    }

    pub(super) fn folders(&self) -> Document {
        let folder = |id: &str, name: &str, kind| {
            folder_sync::Change::Add(folder_sync::Folder {
                server_id: id.into(),
                parent_id: "0".into(),
                display_name: name.to_owned(),
                folder_type: folder_sync::FolderType(kind),
            })
        };
        let changes = vec![folder("5", "Inbox", 2), folder("7", "Trash", 4)];
        let changes = folder_sync::Changes { count: Some(2), changes };
        let said = folder_sync::Response { status: Status(1), sync_key: Some("f1".into()), changes: Some(changes) };
        said.to_document(self.version)
    }

    pub(super) fn synced(&self, key: &str, more_available: bool, commands: Vec<sync::ServerCommand>) -> Document {
        let collection = sync::CollectionResponse {
            sync_key: Some(key.into()),
            collection_id: Some("5".into()),
            status: Some(Status(1)),
            more_available,
            commands,
            ..Default::default()
        };
        sync::Response { collections: vec![collection], ..Default::default() }.to_document(self.version)
    }

    pub(super) fn mail(subject: &str, id: &str) -> sync::ServerCommand {
        let content = easrig_eas::command::Item::build(tags::air_sync::APPLICATION_DATA, |out| {
            out.leaf(tags::email::SUBJECT, subject).leaf(tags::email::READ, "0");
        });
        sync::ServerCommand::Add { server_id: id.into(), class: None, application_data: content }
    }

    /// Through FolderSync to a synchronised inbox.
    pub(super) fn with_inbox(persona: &str, version: Version, mails: &[(&str, &str)]) -> Self {
        let mut table = Self::new(persona, version);
        table.begin(Habit::Sync { folder: FolderRef::from("inbox") });
        let sent = table.expect(Command::FolderSync);
        let folders = table.folders();
        table.answer(&sent, &folders);
        let sent = table.expect(Command::Sync);
        let first = table.synced("s1", false, Vec::new());
        table.answer(&sent, &first);
        let sent = table.expect(Command::Sync);
        let mails = mails.iter().map(|(subject, id)| Self::mail(subject, id)).collect();
        let second = table.synced("s2", false, mails);
        table.answer(&sent, &second);
        assert_eq!(table.ended().end, End::Finished);
        table
    }
}

pub(super) fn status_only(root: easrig_wbxml::Tag, status: easrig_wbxml::Tag, value: u16) -> Document {
    let mut out = Builder::new(root);
    out.leaf(status, &value.to_string());
    out.finish()
}

pub(super) fn folder_status(value: u16) -> Document {
    status_only(tags::folder_hierarchy::FOLDER_SYNC, tags::folder_hierarchy::STATUS, value)
}

pub(super) fn request_of(sent: &Sent, version: Version) -> provision::Request {
    provision::Request::from_document(&Document::decode(&sent.request.body).unwrap(), version).unwrap()
}
