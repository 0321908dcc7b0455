use std::{collections::VecDeque, path::PathBuf, time::Duration};

use easrig_eas::{
    Command,
    command::{folder_sync, ping, provision, settings, sync},
    policy::{PolicyDocument, Setting},
    query::QueryLine,
    status::Status,
};
use easrig_exchange::{Failure, Headers, Request, Response};
use easrig_wbxml::{Builder, Document, tags};

use super::*;
use crate::{ExplicitSend, FolderRef, Habit, Persona, RequestId, Server, TimerId};

/// A phone on a table, with somebody who writes the answers by hand.
struct Table {
    phone: Phone,
    outputs: VecDeque<Output>,
    now: Timestamp,
    version: Version,
}

/// One request the phone has sent.
struct Sent {
    id: RequestId,
    request: Request,
    command: Option<Command>,
}

impl Table {
    fn new(persona: &str, version: Version) -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../scenarios/personas/{persona}.toml"));
        let persona = Arc::new(Persona::parse(persona, &std::fs::read_to_string(path).unwrap()).unwrap());
        let setup = Setup {
            device_id: persona.device_id("phone", "alice"),
            persona,
            role: "phone".to_owned(),
            user: "alice".to_owned(),
            address: Some("alice@easrig.test".to_owned()),
            secret: Secret::new("sesame"),
            server: Server::Url(Url::parse("https://mail.easrig.test").unwrap()),
            version: Some(version),
            seed: 7,
            bearer: None,
        };
        let now = Timestamp(1_767_225_600_000_000);
        Self { phone: Phone::new(setup), outputs: VecDeque::new(), now, version }
    }

    fn begin(&mut self, habit: Habit) -> TaskId {
        self.start(Task::Habit(habit))
    }

    fn start(&mut self, task: Task) -> TaskId {
        let mut out = Vec::new();
        let id = self.phone.begin(task, self.now, &mut out);
        self.outputs.extend(out);
        id
    }

    fn step(&mut self, input: Input) {
        let mut out = Vec::new();
        self.phone.step(input, self.now, &mut out);
        self.outputs.extend(out);
    }

    /// The next request, which must be there.
    fn sent(&mut self) -> Sent {
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
    fn sent_raw(&mut self) -> Sent {
        match self.outputs.pop_front() {
            Some(Output::Send { id, request, .. }) => Sent { id, request: *request, command: None },
            other => panic!("expected a request, found {other:?}"),
        }
    }

    fn expect(&mut self, command: Command) -> Sent {
        let sent = self.sent();
        assert_eq!(sent.command, Some(command));
        sent
    }

    fn answer(&mut self, sent: &Sent, document: &Document) {
        self.reply(sent, 200, document.encode());
    }

    fn reply(&mut self, sent: &Sent, status: u16, body: Vec<u8>) {
        self.reply_with(sent, status, Headers::new(), body);
    }

    fn reply_with(&mut self, sent: &Sent, status: u16, headers: Headers, body: Vec<u8>) {
        let response = Response { status, reason: String::new(), headers, body, cut: None };
        self.step(Input::Answered(sent.id, Box::new(response)));
    }

    fn ended(&mut self) -> Ending {
        while let Some(output) = self.outputs.pop_front() {
            match output {
                Output::Done(_, ending) => return ending,
                Output::ShowOwner(_) => {}
                other => panic!("expected the end, found {other:?}"),
            }
        }
        panic!("the task goes on without asking for anything");
    }

    fn timer(&mut self) -> (TimerId, Duration) {
        match self.outputs.pop_front() {
            Some(Output::Wait(id, time)) => (id, time),
            other => panic!("expected a wait, found {other:?}"),
        }
    }

    fn policy(&self, demands: &[Setting]) -> Document {
        let mut policy = PolicyDocument::permissive();
        demands.iter().for_each(|setting| policy.set(*setting, "1"));
        let mut data = Builder::new(tags::provision::DATA);
        policy.to_builder(&mut data, self.version);
        let data = data.finish();
        let document = data.root().child(tags::provision::EAS_PROVISION_DOC).unwrap().to_document();
        self.provisioned(111, Some(provision::PolicyData::Wbxml(document)))
    }

    fn provisioned(&self, key: u32, data: Option<provision::PolicyData>) -> Document {
        let policy = provision::PolicyResponse {
            policy_type: provision::PolicyType::Wbxml,
            status: Some(Status(1)),
            policy_key: Some(PolicyKey(key)),
            data,
        };
        let said = provision::Response { status: Some(Status(1)), policies: vec![policy], ..Default::default() };
        said.to_document(self.version)
    }

    fn folders(&self) -> Document {
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

    fn synced(&self, key: &str, more_available: bool, commands: Vec<sync::ServerCommand>) -> Document {
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

    fn mail(subject: &str, id: &str) -> sync::ServerCommand {
        let content = easrig_eas::command::Item::build(tags::air_sync::APPLICATION_DATA, |out| {
            out.leaf(tags::email::SUBJECT, subject).leaf(tags::email::READ, "0");
        });
        sync::ServerCommand::Add { server_id: id.into(), class: None, application_data: content }
    }

    /// Through FolderSync to a synchronised inbox.
    fn with_inbox(persona: &str, version: Version, mails: &[(&str, &str)]) -> Self {
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

fn status_only(root: easrig_wbxml::Tag, status: easrig_wbxml::Tag, value: u16) -> Document {
    let mut out = Builder::new(root);
    out.leaf(status, &value.to_string());
    out.finish()
}

fn folder_status(value: u16) -> Document {
    status_only(tags::folder_hierarchy::FOLDER_SYNC, tags::folder_hierarchy::STATUS, value)
}

fn request_of(sent: &Sent, version: Version) -> provision::Request {
    provision::Request::from_document(&Document::decode(&sent.request.body).unwrap(), version).unwrap()
}

#[test]
fn a_phone_answers_449_with_provision_and_asks_again() {
    let mut table = Table::new("ios-11", Version::V14_1);
    table.begin(Habit::FolderSync);
    let first = table.expect(Command::FolderSync);
    assert_eq!(first.request.headers.get("X-MS-PolicyKey"), Some("0"));
    table.reply(&first, 449, Vec::new());
    let ask = table.expect(Command::Provision);
    let policy = table.policy(&[]);
    table.answer(&ask, &policy);
    let acknowledge = table.expect(Command::Provision);
    assert_eq!(acknowledge.request.headers.get("X-MS-PolicyKey"), Some("111"));
    assert_eq!(request_of(&acknowledge, Version::V14_1).policies[0].status, Some(Status(1)));
    let done = table.provisioned(222, None);
    table.answer(&acknowledge, &done);
    let again = table.expect(Command::FolderSync);
    assert_eq!(again.request.headers.get("X-MS-PolicyKey"), Some("222"));
    let folders = table.folders();
    table.answer(&again, &folders);
    assert_eq!(table.ended().end, End::Finished);
    assert_eq!(table.phone.policy_key(), Some(PolicyKey(222)));
    assert_eq!(table.phone.folders().len(), 2);
}

#[test]
fn windows_phone_keeps_silent_and_shows_2b_whatever_the_server_answers() {
    for challenge in [0, 141, 142, 144] {
        let mut table = Table::new("wp7", Version::V14_0);
        table.begin(Habit::FolderSync);
        for round in 0..2 {
            let sent = table.expect(Command::FolderSync);
            match challenge {
                0 => table.reply(&sent, 449, Vec::new()),
                status => table.answer(&sent, &folder_status(status)),
            }
            if round == 0 {
                let ask = table.expect(Command::Provision);
                let policy = table.policy(&[Setting::RequireDeviceEncryption]);
                table.answer(&ask, &policy);
            }
        }
        let ending = table.ended();
        let End::OwnerSees(error) = ending.end else { panic!("{ending:?}") };
        assert_eq!(error.code, "86000C2B", "challenge {challenge}");
        assert!(error.remedy.contains("RequireDeviceEncryption"), "{}", error.remedy);
        assert_eq!(ending.rests.lowest, crate::Confidence::High, "{:?}", ending.rests);
        assert_eq!(table.phone.owner().error.as_ref(), Some(&error));
        assert_eq!(table.phone.policy_key(), None);
    }
}

#[test]
fn windows_phone_works_where_a_lenient_server_serves_it_after_its_silence() {
    let mut table = Table::new("wp7.5", Version::V14_1);
    table.begin(Habit::FolderSync);
    let sent = table.expect(Command::FolderSync);
    table.answer(&sent, &folder_status(142));
    let ask = table.expect(Command::Provision);
    let policy = table.policy(&[Setting::RequireDeviceEncryption]);
    table.answer(&ask, &policy);
    let again = table.expect(Command::FolderSync);
    let folders = table.folders();
    table.answer(&again, &folders);
    assert_eq!(table.ended().end, End::Finished);
}

#[test]
fn windows_phone_acknowledges_a_policy_within_its_twelve() {
    let mut table = Table::new("wp7", Version::V14_0);
    table.begin(Habit::Provision);
    let ask = table.expect(Command::Provision);
    let policy = table.policy(&[Setting::DevicePasswordEnabled]);
    table.answer(&ask, &policy);
    let acknowledge = table.expect(Command::Provision);
    assert_eq!(request_of(&acknowledge, Version::V14_0).policies[0].status, Some(Status(1)));
}

#[test]
fn android_acknowledges_in_part_and_goes_on_with_the_key_it_gets() {
    let mut table = Table::new("android-4", Version::V14_1);
    table.begin(Habit::Provision);
    let ask = table.expect(Command::Provision);
    assert!(request_of(&ask, Version::V14_1).device_information.is_some());
    let policy = table.policy(&[Setting::RequireSignedSmimeMessages]);
    table.answer(&ask, &policy);
    let acknowledge = table.expect(Command::Provision);
    assert_eq!(request_of(&acknowledge, Version::V14_1).policies[0].status, Some(Status(2)));
    let done = table.provisioned(9, None);
    table.answer(&acknowledge, &done);
    assert_eq!(table.ended().end, End::Finished);
    assert_eq!(table.phone.policy_key(), Some(PolicyKey(9)));
}

#[test]
fn android_refuses_the_account_when_its_partial_acknowledgement_brings_no_key() {
    let mut table = Table::new("android-4", Version::V14_1);
    table.begin(Habit::Provision);
    let ask = table.expect(Command::Provision);
    let policy = table.policy(&[Setting::RequireSignedSmimeMessages]);
    table.answer(&ask, &policy);
    let acknowledge = table.expect(Command::Provision);
    table.answer(&acknowledge, &status_only(tags::provision::PROVISION, tags::provision::STATUS, 139));
    let End::OwnerSees(error) = table.ended().end else { panic!("no error") };
    assert!(error.code.is_empty() && error.message.contains("RequireSignedSMIMEMessages"), "{error:?}");
}

#[test]
fn android_describes_itself_by_settings_after_provisioning_at_12_1() {
    let mut table = Table::new("android-4", Version::V12_1);
    table.begin(Habit::Provision);
    let ask = table.expect(Command::Provision);
    assert!(request_of(&ask, Version::V12_1).device_information.is_none());
    let policy = table.policy(&[]);
    table.answer(&ask, &policy);
    let acknowledge = table.expect(Command::Provision);
    let done = table.provisioned(9, None);
    table.answer(&acknowledge, &done);
    let described = table.expect(Command::Settings);
    let document = Document::decode(&described.request.body).unwrap();
    let said = settings::Request::from_document(&document, Version::V12_1).unwrap();
    assert!(said.device_information.is_some());
}

#[test]
fn a_server_that_challenges_for_ever_ends_in_an_error_and_not_in_a_circle() {
    let mut table = Table::new("ios-17", Version::V16_1);
    table.begin(Habit::FolderSync);
    for _ in 0..3 {
        let sent = table.expect(Command::FolderSync);
        table.answer(&sent, &folder_status(144));
        let ask = table.expect(Command::Provision);
        let policy = table.policy(&[]);
        table.answer(&ask, &policy);
        let acknowledge = table.expect(Command::Provision);
        let done = table.provisioned(222, None);
        table.answer(&acknowledge, &done);
    }
    let sent = table.expect(Command::FolderSync);
    table.answer(&sent, &folder_status(144));
    assert!(matches!(table.ended().end, End::OwnerSees(_)));
}

#[test]
fn redirects_in_a_circle_end_after_ten() {
    let mut table = Table::new("blackberry-10", Version::V14_1);
    table.begin(Habit::FolderSync);
    for _ in 0..11 {
        let sent = table.expect(Command::FolderSync);
        let headers = Headers::from_iter([("X-MS-Location", "https://other.easrig.test/Microsoft-Server-ActiveSync")]);
        table.reply_with(&sent, 451, headers, Vec::new());
    }
    assert!(!matches!(table.ended().end, End::Finished));
}

#[test]
fn a_moved_mailbox_is_found_at_its_new_place_and_stays_there() {
    let mut table = Table::new("android-4", Version::V14_1);
    table.begin(Habit::FolderSync);
    let sent = table.expect(Command::FolderSync);
    let headers = Headers::from_iter([("X-MS-Location", "https://new.easrig.test/Microsoft-Server-ActiveSync")]);
    table.reply_with(&sent, 451, headers, Vec::new());
    let again = table.expect(Command::FolderSync);
    assert_eq!(again.request.url.host_str(), Some("new.easrig.test"));
    assert_eq!(again.request.headers.get("Host"), Some("new.easrig.test"));
    assert_eq!(table.phone.endpoint().unwrap().host_str(), Some("new.easrig.test"));
}

#[test]
fn no_redirect_leads_from_https_to_plain_http() {
    let mut table = Table::new("blackberry-10", Version::V14_1);
    table.begin(Habit::FolderSync);
    let sent = table.expect(Command::FolderSync);
    let headers = Headers::from_iter([("X-MS-Location", "http://new.easrig.test/Microsoft-Server-ActiveSync")]);
    table.reply_with(&sent, 451, headers, Vec::new());
    assert!(matches!(table.ended().end, End::OwnerSees(_)));
}

#[test]
fn a_busy_server_is_given_the_time_it_asks_for() {
    let mut table = Table::new("ios-11", Version::V14_1);
    table.begin(Habit::FolderSync);
    let sent = table.expect(Command::FolderSync);
    table.reply_with(&sent, 503, Headers::from_iter([("Retry-After", "7")]), Vec::new());
    let (timer, time) = table.timer();
    assert_eq!(time, Duration::from_secs(7));
    table.step(Input::TimerFired(timer));
    let again = table.expect(Command::FolderSync);
    table.reply(&again, 503, Vec::new());
    assert!(matches!(table.ended().end, End::OwnerSees(_)));
}

#[test]
fn windows_phone_names_what_went_wrong_on_the_way() {
    let host = "mail.easrig.test".to_owned();
    let unknown_ca = Failure::Tls { host: host.clone(), kind: easrig_exchange::TlsFailure::UnknownIssuer };
    let refused = Failure::Refused { host: host.clone(), port: 443 };
    let dns = Failure::Dns { host, detail: String::new() };
    for (failure, code) in [(unknown_ca, "80072F0D"), (refused, "80072EFD"), (dns, "80072EE7")] {
        let mut table = Table::new("wp7", Version::V14_0);
        table.begin(Habit::FolderSync);
        let sent = table.expect(Command::FolderSync);
        table.step(Input::Failed(sent.id, failure));
        let End::OwnerSees(error) = table.ended().end else { panic!("no error") };
        assert_eq!(error.code, code);
    }
}

#[test]
fn sync_pages_until_nothing_more_is_available() {
    let mut table = Table::with_inbox("android-4", Version::V14_1, &[]);
    table.begin(Habit::Sync { folder: FolderRef::from("inbox") });
    let sent = table.expect(Command::Sync);
    let page = table.synced("s3", true, vec![Table::mail("one", "5:1")]);
    table.answer(&sent, &page);
    let sent = table.expect(Command::Sync);
    let page = table.synced("s4", false, vec![Table::mail("two", "5:2")]);
    table.answer(&sent, &page);
    assert_eq!(table.ended().end, End::Finished);
    let subjects: Vec<_> = table.phone.owner().items.iter().map(|item| item.subject.as_str()).collect();
    assert_eq!(subjects, ["one", "two"]);
    assert_eq!(table.phone.sync_key(&"5".into()), Some(&SyncKey::from("s4")));
}

#[test]
fn more_available_for_ever_without_anything_is_given_up() {
    let mut table = Table::with_inbox("android-4", Version::V14_1, &[]);
    table.begin(Habit::Sync { folder: FolderRef::from("inbox") });
    for _ in 0..6 {
        let sent = table.expect(Command::Sync);
        let page = table.synced("s2", true, Vec::new());
        table.answer(&sent, &page);
    }
    assert!(matches!(table.ended().end, End::GaveUp(_)));
}

#[test]
fn a_refused_key_starts_the_folder_over_once_and_not_for_ever() {
    let mut table = Table::with_inbox("android-4", Version::V14_1, &[("old", "5:1")]);
    table.begin(Habit::Sync { folder: FolderRef::from("inbox") });
    let refused = status_only(tags::air_sync::SYNC, tags::air_sync::STATUS, 3);
    for round in 0..4 {
        let sent = table.expect(Command::Sync);
        let document = Document::decode(&sent.request.body).unwrap();
        let asked = sync::Request::from_document(&document, Version::V14_1).unwrap();
        assert_eq!(asked.collections[0].sync_key.is_initial(), round > 0);
        table.answer(&sent, &refused);
    }
    assert!(matches!(table.ended().end, End::GaveUp(_)));
    assert!(table.phone.owner().items.is_empty());
}

#[test]
fn an_empty_answer_to_sync_means_that_nothing_changed() {
    let mut table = Table::with_inbox("ios-11", Version::V14_1, &[("kept", "5:1")]);
    table.begin(Habit::Sync { folder: FolderRef::from("inbox") });
    let sent = table.expect(Command::Sync);
    table.reply(&sent, 200, Vec::new());
    assert_eq!(table.ended().end, End::Finished);
    assert_eq!(table.phone.owner().items.len(), 1);
}

#[test]
fn a_web_page_instead_of_a_document_is_an_error_of_the_device() {
    let mut table = Table::with_inbox("wp7.5", Version::V14_1, &[]);
    table.begin(Habit::Sync { folder: FolderRef::from("inbox") });
    let sent = table.expect(Command::Sync);
    table.reply(&sent, 200, b"<html><body>login</body></html>".to_vec());
    assert!(matches!(table.ended().end, End::OwnerSees(_)));
}

#[test]
fn a_message_that_does_not_arrive_is_given_up_in_time() {
    let mut table = Table::with_inbox("android-4", Version::V14_1, &[]);
    table.begin(Habit::Receive {
        subject: "hi".to_owned(),
        folder: FolderRef::from("inbox"),
        within: Duration::from_secs(2),
    });
    for _ in 0..2 {
        let sent = table.expect(Command::Sync);
        table.reply(&sent, 200, Vec::new());
        let (timer, _) = table.timer();
        table.now = table.now.after(Duration::from_secs(1));
        table.step(Input::TimerFired(timer));
    }
    let sent = table.expect(Command::Sync);
    table.reply(&sent, 200, Vec::new());
    assert!(matches!(table.ended().end, End::GaveUp(_)));
}

#[test]
fn a_ping_wakes_and_fetches_while_the_phone_does_other_things() {
    let mut table = Table::with_inbox("android-4", Version::V14_1, &[]);
    let waiting = table.begin(Habit::Ping { within: Duration::from_secs(60) });
    let held = table.expect(Command::Ping);
    assert_eq!(held.request.headers.get("X-MS-PolicyKey"), None);
    assert_eq!(held.request.headers.get("Connection"), Some("close"));
    table.timer();
    table.begin(Habit::Sync { folder: FolderRef::from("inbox") });
    let other = table.expect(Command::Sync);
    let woken = ping::Response { status: Status(2), folders: vec!["5".into()], ..Default::default() };
    let woken = woken.to_document(Version::V14_1);
    table.answer(&held, &woken);
    assert!(table.outputs.is_empty(), "two Syncs of one folder at once: {:?}", table.outputs);
    table.reply(&other, 200, Vec::new());
    assert_eq!(table.ended().end, End::Finished);
    let fetch = table.expect(Command::Sync);
    let page = table.synced("s3", false, vec![Table::mail("new", "5:9")]);
    table.answer(&fetch, &page);
    assert_eq!(table.ended().end, End::Finished);
    assert!(!table.phone.is_running(waiting));
    assert_eq!(table.phone.owner().items[0].subject, "new");
}

#[test]
fn a_ping_takes_the_heartbeat_the_server_allows() {
    let mut table = Table::with_inbox("android-4", Version::V14_1, &[]);
    table.begin(Habit::Ping { within: Duration::from_secs(60) });
    let sent = table.expect(Command::Ping);
    table.timer();
    let limit = ping::Response { status: Status(5), heartbeat_interval: Some(120), ..Default::default() };
    table.answer(&sent, &limit.to_document(Version::V14_1));
    let again = table.expect(Command::Ping);
    let document = Document::decode(&again.request.body).unwrap();
    let asked = ping::Request::from_document(&document, Version::V14_1).unwrap();
    assert_eq!(asked.heartbeat_interval, Some(120));
}

#[test]
fn an_abandoned_task_cancels_its_request_and_lets_others_go_on() {
    let mut table = Table::with_inbox("android-4", Version::V14_1, &[]);
    let first = table.begin(Habit::Sync { folder: FolderRef::from("inbox") });
    let sent = table.expect(Command::Sync);
    table.begin(Habit::Sync { folder: FolderRef::from("inbox") });
    assert!(table.outputs.is_empty());
    let mut out = Vec::new();
    table.phone.abandon(first, &mut out);
    table.outputs.extend(out);
    assert!(matches!(table.outputs.pop_front(), Some(Output::Cancel(id)) if id == sent.id));
    table.expect(Command::Sync);
}

#[test]
fn mail_is_sent_as_a_message_up_to_12_1_and_in_a_document_from_14_0() {
    let letter =
        crate::Letter { to: vec!["bob@easrig.test".to_owned()], subject: "hi".to_owned(), ..Default::default() };
    let mut table = Table::new("android-4", Version::V12_1);
    table.begin(Habit::SendMail(letter.clone()));
    let sent = table.expect(Command::SendMail);
    assert_eq!(sent.request.headers.get("Content-Type"), Some("message/rfc822"));
    assert!(sent.request.query().contains("SaveInSent=T"), "{}", sent.request.query());
    assert!(sent.request.body.starts_with(b"From: alice@easrig.test\r\n"));
    table.reply(&sent, 200, Vec::new());
    assert_eq!(table.ended().end, End::Finished);

    let mut table = Table::new("android-4", Version::V14_0);
    table.begin(Habit::SendMail(letter));
    let sent = table.expect(Command::SendMail);
    assert_eq!(sent.request.headers.get("Content-Type"), Some("application/vnd.ms-sync.wbxml"));
    let document = Document::decode(&sent.request.body).unwrap();
    assert!(document.root().child(tags::compose_mail::SAVE_IN_SENT_ITEMS).is_some());
    table.reply(&sent, 200, Vec::new());
    assert_eq!(table.ended().end, End::Finished);
}

#[test]
fn tidying_deletes_for_good_what_carries_the_mark_and_nothing_else() {
    let mut table = Table::with_inbox("android-4", Version::V14_1, &[("easrig-abcdef12 hi", "5:1"), ("mine", "5:2")]);
    table.begin(Habit::Tidy { tag: "easrig-abcdef12".to_owned() });
    let sent = table.expect(Command::FolderSync);
    let unchanged = folder_sync::Response { status: Status(1), sync_key: Some("f1".into()), changes: None };
    table.answer(&sent, &unchanged.to_document(Version::V14_1));
    let look = table.expect(Command::Sync);
    table.reply(&look, 200, Vec::new());
    let delete = table.expect(Command::Sync);
    let document = Document::decode(&delete.request.body).unwrap();
    let asked = sync::Request::from_document(&document, Version::V14_1).unwrap();
    let deleted = sync::Command::Delete { server_id: "5:1".into(), instance_id: None };
    assert_eq!(asked.collections[0].commands, [deleted]);
    assert_eq!(asked.collections[0].deletes_as_moves, Some(easrig_eas::command::Flag::Value(false)));
}

#[test]
fn a_short_mark_is_never_deleted_by() {
    let mut table = Table::with_inbox("android-4", Version::V14_1, &[("a", "5:1")]);
    table.begin(Habit::Tidy { tag: "a".to_owned() });
    assert!(matches!(table.ended().end, End::GaveUp(_)));
}

#[test]
fn an_explicit_request_is_one_exchange_and_teaches_the_phone_nothing() {
    let mut table = Table::with_inbox("android-4", Version::V14_1, &[]);
    let body = Document::from_xml(r#"<FolderSync xmlns="FolderHierarchy"><SyncKey>0</SyncKey></FolderSync>"#).unwrap();
    let send = ExplicitSend {
        command: Some(Command::FolderSync),
        body: crate::Body::Wbxml(body),
        headers: vec![("X-MS-PolicyKey".to_owned(), Some("5".to_owned())), ("Accept-Encoding".to_owned(), None)],
        ..ExplicitSend::default()
    };
    table.start(Task::Send(Box::new(send)));
    let sent = table.expect(Command::FolderSync);
    assert_eq!(sent.request.headers.get("X-MS-PolicyKey"), Some("5"));
    assert_eq!(sent.request.headers.get("Accept-Encoding"), None);
    table.reply(&sent, 449, Vec::new());
    assert_eq!(table.ended().end, End::Finished);
    assert_eq!(table.phone.folder_key(), &SyncKey::from("f1"));
}

#[test]
fn a_wipe_is_acknowledged_only_where_that_was_allowed() {
    let wipe = provision::Response { status: Some(Status(1)), remote_wipe: true, ..Default::default() };
    for allowed in [false, true] {
        let mut table = Table::new("android-4", Version::V14_1);
        if allowed {
            table.phone.allow_wipe();
        }
        table.begin(Habit::Provision);
        let ask = table.expect(Command::Provision);
        table.answer(&ask, &wipe.to_document(Version::V14_1));
        if allowed {
            let acknowledge = table.expect(Command::Provision);
            assert_eq!(request_of(&acknowledge, Version::V14_1).remote_wipe, Some(Status(1)));
            table.answer(&acknowledge, &status_only(tags::provision::PROVISION, tags::provision::STATUS, 1));
        }
        assert!(matches!(table.ended().end, End::GaveUp(_)));
    }
}

#[test]
fn an_ability_the_facts_deny_is_not_tried() {
    let mut table = Table::new("android-4", Version::V14_1);
    table.begin(Habit::SetOof { text: "away".to_owned() });
    assert_eq!(table.ended().end, End::CannotDo("set_oof".to_owned()));
}

#[test]
fn an_assumed_ability_is_named_at_the_end() {
    let mut table = Table::new("blackberry-10", Version::V14_1);
    table.begin(Habit::SetOof { text: "away".to_owned() });
    let sent = table.expect(Command::Settings);
    table.answer(&sent, &status_only(tags::settings::SETTINGS, tags::settings::STATUS, 1));
    let ending = table.ended();
    assert_eq!(ending.end, End::Finished);
    assert_eq!(ending.rests.assumed, ["abilities.set_oof"]);
}

#[test]
fn a_plain_query_carries_in_headers_what_base64_carries_itself() {
    let mut table = Table::new("wp7", Version::V14_0);
    let send = ExplicitSend {
        command: Some(Command::Ping),
        query: Some(crate::QueryHabit::Plain),
        body: crate::Body::Raw(vec![3, 1, 106, 0]),
        ..ExplicitSend::default()
    };
    table.start(Task::Send(Box::new(send)));
    let sent = table.expect(Command::Ping);
    assert!(sent.request.query().starts_with("Cmd=Ping&User=alice&DeviceId="), "{}", sent.request.query());
    assert_eq!(sent.request.headers.get("MS-ASProtocolVersion"), Some("14.0"));
    assert_eq!(sent.request.headers.get("User-Agent"), Some("MSFT-WP/7.0.7390"));
    assert_eq!(sent.request.body, [3, 1, 106, 0]);
}

/// A phone that has to find its server.
fn lost(persona: &str) -> Table {
    let mut table = Table::new(persona, Version::V14_1);
    let setup = Setup {
        server: Server::Discover { address: "alice@easrig.test".to_owned() },
        ..memory::lock(&table.phone.core).setup.clone()
    };
    table.phone = Phone::new(setup);
    table
}

#[test]
fn a_phone_finds_its_server_by_the_address() {
    let mut table = lost("ios-17");
    table.begin(Habit::Discover);
    let first = table.sent_raw();
    assert_eq!(first.request.url.as_str(), "https://easrig.test/autodiscover/autodiscover.xml");
    assert!(first.request.headers.get("Authorization").is_some());
    table.reply(&first, 404, Vec::new());
    let second = table.sent_raw();
    assert_eq!(second.request.url.host_str(), Some("autodiscover.easrig.test"));
    let said = easrig_eas::autodiscover::PoxResponse::mobile_sync(
        "alice@easrig.test",
        "Alice",
        " https://eas.easrig.test/Microsoft-Server-ActiveSync ",
    );
    table.reply(&second, 200, said.to_string().into_bytes());
    assert_eq!(table.ended().end, End::Finished);
    assert_eq!(table.phone.endpoint().unwrap().as_str(), "https://eas.easrig.test/Microsoft-Server-ActiveSync");
}

#[test]
fn no_password_goes_over_plain_http_while_a_server_is_looked_for() {
    let mut table = lost("blackberry-10");
    table.begin(Habit::Discover);
    for _ in 0..2 {
        let sent = table.sent_raw();
        table.step(Input::Failed(sent.id, Failure::Closed));
    }
    let plain = table.sent_raw();
    assert_eq!((plain.request.method.as_str(), plain.request.url.scheme()), ("GET", "http"));
    assert_eq!(plain.request.headers.get("Authorization"), None);
    table.reply_with(&plain, 302, Headers::from_iter([("Location", "http://other.easrig.test/")]), Vec::new());
    let Some(Output::LookUpSrv { id, domain }) = table.outputs.pop_front() else { panic!("no look-up") };
    assert_eq!(domain, "easrig.test");
    let target = crate::SrvTarget { priority: 0, weight: 0, port: 443, host: "srv.easrig.test".to_owned() };
    table.step(Input::SrvFound(id, vec![target]));
    let by_name = table.sent_raw();
    assert_eq!(by_name.request.url.host_str(), Some("srv.easrig.test"));
    table.reply(&by_name, 401, Vec::new());
    assert!(matches!(table.ended().end, End::OwnerSees(_)));
}

#[test]
fn two_addresses_that_point_at_each_other_are_not_followed_for_ever() {
    let mut table = lost("ios-11");
    table.begin(Habit::Discover);
    for (from, to) in [("alice@easrig.test", "a@b.test"), ("a@b.test", "alice@easrig.test")] {
        let sent = table.sent_raw();
        assert!(String::from_utf8_lossy(&sent.request.body).contains(from));
        let said = easrig_eas::autodiscover::PoxResponse {
            action: easrig_eas::autodiscover::PoxAction::Redirect(to.to_owned()),
            ..Default::default()
        };
        table.reply(&sent, 200, said.to_string().into_bytes());
    }
    assert!(!matches!(table.ended().end, End::Finished));
}

#[test]
fn a_reader_opens_text_and_attachment_and_marks_the_mail_read() {
    let mut table = Table::with_inbox("ios-11", Version::V14_1, &[]);
    table.begin(Habit::ReadMail { subject: "hi".to_owned() });
    let sent = table.expect(Command::Sync);
    let xml = r#"<ApplicationData xmlns="AirSync"><Subject xmlns="Email">hi</Subject><Read xmlns="Email">0</Read>
        <Body xmlns="AirSyncBase"><Type>1</Type><Truncated>1</Truncated><Data>he</Data></Body>
        <Attachments xmlns="AirSyncBase"><Attachment><DisplayName>a.bin</DisplayName>
        <FileReference>5:1:0</FileReference><EstimatedDataSize>3</EstimatedDataSize></Attachment></Attachments>
        </ApplicationData>"#;
    let content = easrig_eas::command::Item(Document::from_xml(xml).unwrap());
    let add = sync::ServerCommand::Add { server_id: "5:1".into(), class: None, application_data: content };
    let page = table.synced("s3", false, vec![add]);
    table.answer(&sent, &page);
    let fetch = |inner: &str| {
        let xml = format!(
            r#"<ItemOperations xmlns="ItemOperations"><Status>1</Status><Response><Fetch><Status>1</Status>{inner}
            </Fetch></Response></ItemOperations>"#
        );
        Document::from_xml(&xml).unwrap()
    };
    let text = table.expect(Command::ItemOperations);
    let mime = "Subject: hi\r\nContent-Type: text/plain\r\n\r\nhello";
    let body =
        format!(r#"<Properties><Body xmlns="AirSyncBase"><Type>4</Type><Data>{mime}</Data></Body></Properties>"#);
    table.answer(&text, &fetch(&body));
    let file = table.expect(Command::ItemOperations);
    table.answer(&file, &fetch("<Properties><Data>AQID</Data></Properties>"));
    let mark = table.expect(Command::Sync);
    let page = table.synced("s4", false, Vec::new());
    table.answer(&mark, &page);
    assert_eq!(table.ended().end, End::Finished);
    let item = &table.phone.owner().items[0];
    assert_eq!((item.body.trim(), item.read), ("hello", true));
    assert_eq!(item.attachments[0].content.as_deref(), Some(&[1, 2, 3][..]));
}

#[test]
fn a_held_sync_wakes_a_windows_phone_and_brings_the_mail_itself() {
    let mut table = Table::with_inbox("wp7.5", Version::V14_1, &[]);
    table.begin(Habit::Ping { within: Duration::from_secs(60) });
    let held = table.expect(Command::Sync);
    let asked = sync::Request::from_document(&Document::decode(&held.request.body).unwrap(), Version::V14_1).unwrap();
    assert_eq!(asked.heartbeat_interval, Some(480));
    table.timer();
    let page = table.synced("s3", false, vec![Table::mail("new", "5:9")]);
    table.answer(&held, &page);
    let more = table.expect(Command::Sync);
    table.reply(&more, 200, Vec::new());
    assert_eq!(table.ended().end, End::Finished);
    assert_eq!(table.phone.owner().items[0].subject, "new");
    assert_eq!(table.phone.sync_key(&"5".into()), Some(&SyncKey::from("s3")));
}

#[test]
fn a_held_sync_that_brings_nothing_in_time_is_cancelled() {
    let mut table = Table::with_inbox("wp7.5", Version::V14_1, &[]);
    table.begin(Habit::Ping { within: Duration::from_secs(5) });
    let held = table.expect(Command::Sync);
    let (timer, time) = table.timer();
    assert_eq!(time, Duration::from_secs(5));
    table.step(Input::TimerFired(timer));
    assert!(matches!(table.outputs.pop_front(), Some(Output::Cancel(id)) if id == held.id));
    assert!(matches!(table.ended().end, End::GaveUp(_)));
    table.reply(&held, 200, Vec::new());
    assert!(table.outputs.is_empty(), "an answer to a cancelled request changes nothing");
}

#[test]
fn a_moved_message_leaves_its_folder_and_both_folders_are_looked_at() {
    let mut table = Table::with_inbox("ios-11", Version::V14_1, &[("hi", "5:1")]);
    table.begin(Habit::Move { subject: "hi".to_owned(), to: FolderRef::from("Trash") });
    let sent = table.expect(Command::MoveItems);
    let xml = r#"<MoveItems xmlns="Move"><Response><SrcMsgId>5:1</SrcMsgId><Status>3</Status><DstMsgId>7:1</DstMsgId>
        </Response></MoveItems>"#;
    table.answer(&sent, &Document::from_xml(xml).unwrap());
    assert!(table.phone.owner().items.is_empty());
    let inbox = table.expect(Command::Sync);
    table.reply(&inbox, 200, Vec::new());
    let trash = table.expect(Command::Sync);
    let asked = sync::Request::from_document(&Document::decode(&trash.request.body).unwrap(), Version::V14_1).unwrap();
    assert_eq!((asked.collections[0].collection_id.as_str(), asked.collections[0].sync_key.is_initial()), ("7", true));
}

#[test]
fn an_organiser_is_told_by_the_device_where_the_device_does_it() {
    let mut table = Table::with_inbox("android-4", Version::V14_1, &[]);
    table.begin(Habit::Meeting { subject: "plan".to_owned(), answer: crate::MeetingAnswer::Accept });
    let sent = table.expect(Command::Sync);
    let id: Vec<u8> = [0; 40].into_iter().chain(*b"vCal-Uid\x01\0\0\0uid-7\0").collect();
    let id = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, id);
    let content = easrig_eas::command::Item::build(tags::air_sync::APPLICATION_DATA, |out| {
        out.leaf(tags::email::SUBJECT, "plan").leaf(tags::email::FROM, "\"Bob\" <bob@easrig.test>");
        out.open(tags::email::MEETING_REQUEST).leaf(tags::email::GLOBAL_OBJ_ID, &id).close();
    });
    let add = sync::ServerCommand::Add { server_id: "5:1".into(), class: None, application_data: content };
    let page = table.synced("s3", false, vec![add]);
    table.answer(&sent, &page);
    let respond = table.expect(Command::MeetingResponse);
    let xml = r#"<MeetingResponse xmlns="MeetingResponse"><Result><RequestId>5:1</RequestId><Status>1</Status></Result>
        </MeetingResponse>"#;
    table.answer(&respond, &Document::from_xml(xml).unwrap());
    let told = table.expect(Command::SendMail);
    let document = Document::decode(&told.request.body).unwrap();
    let mime = document.root().child(tags::compose_mail::MIME).unwrap().bytes().into_owned();
    let message = mail_parser::MessageParser::default().parse(&mime).unwrap();
    assert_eq!(message.subject(), Some("Accepted: plan"));
    let calendar = message.parts.iter().find_map(|part| part.text_contents().filter(|text| text.contains("VEVENT")));
    let calendar = calendar.unwrap();
    assert!(calendar.contains("METHOD:REPLY") && calendar.contains("UID:uid-7"), "{calendar}");
    assert!(calendar.contains("PARTSTAT=ACCEPTED:mailto:alice@easrig.test"), "{calendar}");
}

#[test]
fn a_new_event_stands_in_the_calendar_under_the_name_the_server_gives() {
    for (version, uid) in [(Version::V14_1, tags::calendar::UID), (Version::V16_1, tags::calendar::CLIENT_UID)] {
        let mut table = Table::new("ios-17", version);
        table.begin(Habit::CreateEvent { subject: "plan".to_owned() });
        let sent = table.expect(Command::FolderSync);
        let folder = folder_sync::Folder {
            server_id: "5".into(),
            parent_id: "0".into(),
            display_name: "Calendar".to_owned(),
            folder_type: folder_sync::FolderType(8),
        };
        let changes = folder_sync::Changes { count: Some(1), changes: vec![folder_sync::Change::Add(folder)] };
        let said = folder_sync::Response { status: Status(1), sync_key: Some("f1".into()), changes: Some(changes) };
        table.answer(&sent, &said.to_document(version));
        for key in ["s1", "s2"] {
            let sent = table.expect(Command::Sync);
            let page = table.synced(key, false, Vec::new());
            table.answer(&sent, &page);
        }
        let sent = table.expect(Command::Sync);
        let document = Document::decode(&sent.request.body).unwrap();
        let mut asked = sync::Request::from_document(&document, version).unwrap();
        let Some(sync::Command::Add { client_id, application_data, .. }) = asked.collections[0].commands.pop() else {
            panic!("{document:?}")
        };
        assert!(application_data.child(uid).is_some(), "{version}: {application_data:?}");
        let response = sync::CommandResponse::Add {
            client_id: Some(client_id),
            server_id: Some("5:77".into()),
            class: None,
            status: Some(Status(1)),
            application_data: None,
        };
        let collection = sync::CollectionResponse {
            sync_key: Some("s3".into()),
            collection_id: Some("5".into()),
            status: Some(Status(1)),
            responses: vec![response],
            ..Default::default()
        };
        let said = sync::Response { collections: vec![collection], ..Default::default() };
        table.answer(&sent, &said.to_document(version));
        assert_eq!(table.ended().end, End::Finished);
        let item = &table.phone.owner().items[0];
        assert_eq!((item.subject.as_str(), item.server_id.as_str()), ("plan", "5:77"));
    }
}

/// Whatever a server sends, every task ends, and nothing panics.
#[test]
fn hostile_answers_end_every_task() {
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below as u64).unwrap()
    };
    let inbox = || FolderRef::from("inbox");
    let tag = || "easrig-abcdef12".to_owned();
    for persona in ["wp7.5", "ios-17", "android-4", "outlook-mobile"] {
        for version in [Version::V2_5, Version::V12_1, Version::V14_1, Version::V16_1] {
            for habit in [
                Habit::Discover,
                Habit::Connect,
                Habit::Sync { folder: inbox() },
                Habit::Receive { subject: tag(), folder: inbox(), within: Duration::from_secs(3) },
                Habit::ReadMail { subject: tag() },
                Habit::Ping { within: Duration::from_secs(30) },
                Habit::Search { text: tag() },
                Habit::Invite { to: "bob@easrig.test".to_owned(), subject: tag() },
                Habit::Meeting { subject: tag(), answer: crate::MeetingAnswer::Decline },
                Habit::CreateContact { name: tag() },
                Habit::SetOof { text: tag() },
                Habit::Move { subject: tag(), to: FolderRef::from("deleted") },
                Habit::Tidy { tag: tag() },
            ] {
                let mut table = Table::new(persona, version);
                table.begin(habit);
                let mut ended = false;
                for _ in 0..20_000 {
                    let Some(output) = table.outputs.pop_front() else { break };
                    match output {
                        Output::Send { id, request, .. } => table.step(answer_badly(id, &request, version, &mut next)),
                        Output::LookUpSrv { id, .. } => {
                            let host = ".".to_owned();
                            let target = crate::SrvTarget { priority: 1, weight: 1, port: 443, host };
                            table.step(Input::SrvFound(id, vec![target]));
                        }
                        Output::Wait(id, time) => {
                            table.now = table.now.after(time);
                            table.step(Input::TimerFired(id));
                        }
                        Output::Done(..) => ended = true,
                        Output::Cancel(_) | Output::ShowOwner(_) => {}
                    }
                }
                assert!(ended, "{persona} at {version}");
            }
        }
    }
}

fn answer_badly(id: RequestId, request: &Request, version: Version, next: &mut impl FnMut(usize) -> usize) -> Input {
    let table = Table::new("ios-11", version);
    let body = match next(12) {
        0 => Vec::new(),
        1 => b"<html>".to_vec(),
        2 => request.body.clone(),
        3 => table.folders().encode(),
        4 => table.synced("s", next(2) == 0, vec![Table::mail("easrig-abcdef12", "5:1")]).encode(),
        5 => table.provisioned(3, None).encode(),
        6 => folder_status(u16::try_from(next(200)).unwrap()).encode(),
        7 => (0..next(64)).map(|_| u8::try_from(next(256)).unwrap()).collect(),
        8 => [3, 1, 106, 0].into_iter().chain((0..next(40)).map(|_| u8::try_from(next(256)).unwrap())).collect(),
        9 => status_only(tags::air_sync::SYNC, tags::air_sync::STATUS, u16::try_from(next(200)).unwrap()).encode(),
        10 => table.policy(&[Setting::RequireDeviceEncryption, Setting::RequireSignedSmimeMessages]).encode(),
        _ => status_only(tags::ping::PING, tags::ping::STATUS, u16::try_from(next(9)).unwrap()).encode(),
    };
    if next(40) == 0 {
        return Input::Failed(id, Failure::Closed);
    }
    let status = [200, 200, 200, 200, 200, 200, 449, 451, 302, 401, 403, 500, 503][next(13)];
    let headers = Headers::from_iter([
        ("X-MS-Location", "https://other.easrig.test/x"),
        ("Location", "/again"),
        ("Retry-After", "99999999999999999999"),
        ("MS-ASProtocolVersions", "2.5,,x,99.9,14.1"),
        ("Content-Type", ["application/vnd.ms-sync.multipart", "application/vnd.ms-sync.wbxml"][next(2)]),
        ("Content-Encoding", ["", "gzip"][usize::from(next(8) == 0)]),
        ("Set-Cookie", "a=b; Path=/"),
    ]);
    let cut = (next(30) == 0).then(|| "cut".to_owned());
    Input::Answered(id, Box::new(Response { status, reason: String::new(), headers, body, cut }))
}
