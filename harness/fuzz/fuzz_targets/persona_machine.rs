//! No answers panic a phone, and each of its tasks ends. An input begins with a line `persona habit habit …`; what the
//! server does to one request after the other stands behind it, `\n--\n` between. Each of these is `ok`, `fail N`, or a
//! status with header lines, an empty line and a body, sent as WBXML if it reads as XML in the standard's notation. After
//! the last, no request is answered.
#![no_main]

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, LazyLock},
    time::Duration,
};

use easrig_eas::{
    Command, PolicyKey, Status, SyncKey, Version,
    autodiscover::PoxResponse,
    command::{folder_sync, provision, sync},
    policy::{PolicyDocument, Setting},
    query::QueryLine,
};
use easrig_exchange::{Failure, Headers, Phase, Request, Response, Secret, Timestamp, TlsFailure};
use easrig_persona::{
    Attachment, FolderRef, Habit, Input, Letter, Machine, MeetingAnswer, Output, Persona, Phone, RequestId, Server,
    Setup, SrvTarget, Task, TaskId, TimerId,
};
use easrig_wbxml::{Builder, Document, tags};
use libfuzzer_sys::fuzz_target;

/// A task ends within this many answers and timers; it may send 2,000 requests, with a wait before each.
const STEPS_MOST: usize = 10_000;
const TASKS_MOST: usize = 4;
const SUBJECT: &str = "hello";

static PERSONAS: LazyLock<Vec<Arc<Persona>>> = LazyLock::new(|| {
    let files = [
        ("wp7", include_str!("../../../scenarios/personas/wp7.toml")),
        ("wp7.5", include_str!("../../../scenarios/personas/wp7.5.toml")),
        ("ios-11", include_str!("../../../scenarios/personas/ios-11.toml")),
        ("ios-17", include_str!("../../../scenarios/personas/ios-17.toml")),
        ("android-4", include_str!("../../../scenarios/personas/android-4.toml")),
        ("android-gmail", include_str!("../../../scenarios/personas/android-gmail.toml")),
        ("blackberry-10", include_str!("../../../scenarios/personas/blackberry-10.toml")),
        ("outlook-mobile", include_str!("../../../scenarios/personas/outlook-mobile.toml")),
    ];
    files.iter().map(|(name, text)| Arc::new(Persona::parse(name, text).expect("the project's own file"))).collect()
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (line, answers) = text.split_once('\n').unwrap_or((text, ""));
    let mut words = line.split_whitespace();
    let wanted = words.next().unwrap_or_default();
    let Some(persona) = PERSONAS.iter().find(|persona| persona.id() == wanted).or(PERSONAS.first()) else { return };
    let mut table = Table::new(persona, answers);
    for habit in words.take(TASKS_MOST).filter_map(habit) {
        table.run(Task::Habit(habit));
    }
});

/// One phone, with a server that follows the script, and a clock that goes from event to event.
struct Table<'s> {
    phone: Phone,
    now: Timestamp,
    script: VecDeque<&'s str>,
    requests: VecDeque<(RequestId, Request)>,
    questions: VecDeque<RequestId>,
    timers: BTreeMap<(Timestamp, TimerId), ()>,
    steps: usize,
}

impl<'s> Table<'s> {
    fn new(persona: &Arc<Persona>, script: &'s str) -> Self {
        let phone = Phone::new(Setup {
            persona: Arc::clone(persona),
            role: "phone".to_owned(),
            device_id: persona.device_id("phone", "alice"),
            user: "alice".to_owned(),
            address: Some("alice@easrig.test".to_owned()),
            secret: Some(Secret::new("sesame")),
            server: match script.starts_with("discover") {
                true => Server::Discover { address: "alice@easrig.test".to_owned() },
                false => Server::Url("https://mail.easrig.test".parse().expect("a URL")),
            },
            version: None,
            seed: 7,
            bearer: None,
        });
        Self {
            phone,
            now: Timestamp(1_767_225_600_000_000),
            script: script.split("\n--\n").collect(),
            requests: VecDeque::new(),
            questions: VecDeque::new(),
            timers: BTreeMap::new(),
            steps: 0,
        }
    }

    fn run(&mut self, task: Task) {
        self.steps = 0;
        let mut out = Vec::new();
        let id = self.phone.begin(task, self.now, &mut out);
        let mut ended = self.carry_out(id, out);
        while !ended {
            self.steps += 1;
            assert!(self.steps < STEPS_MOST, "the task does not end");
            let input = self.next();
            let mut out = Vec::new();
            self.phone.step(input, self.now, &mut out);
            ended = self.carry_out(id, out);
        }
        assert!(!self.phone.is_running(id));
    }

    /// The next thing that happens: an answer, or the timer that is due first.
    fn next(&mut self) -> Input {
        if let Some(id) = self.questions.pop_front() {
            let target = SrvTarget { priority: 0, weight: 0, port: 443, host: "srv.easrig.test".to_owned() };
            return Input::SrvFound(id, if self.steps.is_multiple_of(2) { vec![target] } else { Vec::new() });
        }
        let Some((id, request)) = self.requests.pop_front() else {
            let ((due, timer), ()) = self.timers.pop_first().expect("the task goes on without waiting for anything");
            self.now = self.now.max(due);
            return Input::TimerFired(timer);
        };
        self.now = self.now.after(Duration::from_secs(1));
        let Some(word) = self.script.pop_front() else { return Input::Failed(id, Failure::Closed) };
        match answer(word.trim_start_matches("discover\n"), &request) {
            Ok(response) => Input::Answered(id, Box::new(response)),
            Err(failure) => Input::Failed(id, failure),
        }
    }

    /// Takes what is to be done, and says whether the task is over.
    fn carry_out(&mut self, task: TaskId, out: Vec<Output>) -> bool {
        let mut over = false;
        for output in out {
            match output {
                Output::Send { id, request, .. } => self.requests.push_back((id, *request)),
                Output::LookUpSrv { id, .. } => self.questions.push_back(id),
                Output::Cancel(id) => self.requests.retain(|(other, _)| *other != id),
                Output::Wait(id, time) => {
                    self.timers.insert((self.now.after(time), id), ());
                }
                Output::ShowOwner(error) => assert!(!error.to_string().is_empty()),
                Output::Done(done, _) => over |= done == task,
            }
        }
        over
    }
}

fn habit(name: &str) -> Option<Habit> {
    let subject = || SUBJECT.to_owned();
    let inbox = || FolderRef::from("inbox");
    let letter = Letter {
        to: vec!["bob@easrig.test".to_owned()],
        subject: subject(),
        text: Some("text".to_owned()),
        attachment: Some(Attachment { name: "a.txt".to_owned(), content: b"attached".to_vec() }),
        ..Letter::default()
    };
    Some(match name {
        "discover" => Habit::Discover,
        "options" => Habit::Options,
        "provision" => Habit::Provision,
        "folder_sync" => Habit::FolderSync,
        "first_sync" => Habit::FirstSync { folders: vec![inbox(), FolderRef::from("calendar")] },
        "sync" => Habit::Sync { folder: inbox() },
        "connect" => Habit::Connect,
        "receive" => Habit::Receive { subject: subject(), folder: inbox(), within: Duration::from_secs(60) },
        "read_mail" => Habit::ReadMail { subject: subject() },
        "send_mail" => Habit::SendMail(letter),
        "reply" => Habit::Reply { subject: subject(), text: "text".to_owned() },
        "forward" => Habit::Forward { subject: subject(), to: "bob@easrig.test".to_owned(), text: "text".to_owned() },
        "move" => Habit::Move { subject: subject(), to: FolderRef::from("trash") },
        "delete" => Habit::Delete { subject: subject() },
        "mark_read" => Habit::MarkRead { subject: subject(), read: true },
        "flag" => Habit::Flag { subject: subject() },
        "ping" => Habit::Ping { within: Duration::from_secs(600) },
        "search" => Habit::Search { text: "hello".to_owned() },
        "meeting" => Habit::Meeting { subject: subject(), answer: MeetingAnswer::Tentative },
        "invite" => Habit::Invite { to: "bob@easrig.test".to_owned(), subject: subject() },
        "create_event" => Habit::CreateEvent { subject: subject() },
        "create_contact" => Habit::CreateContact { name: "Carol".to_owned() },
        "set_oof" => Habit::SetOof { text: "away".to_owned() },
        "tidy" => Habit::Tidy { tag: "easrig-0815-hello".to_owned() },
        _ => return None,
    })
}

/// What the script says about a request.
fn answer(word: &str, request: &Request) -> Result<Response, Failure> {
    if word.trim() == "ok" {
        return Ok(friendly(request));
    }
    if let Some(number) = word.strip_prefix("fail ") {
        return Err(failure(number.trim().parse().unwrap_or(0)));
    }
    let (head, body) = word.split_once("\n\n").unwrap_or((word, ""));
    let (status, lines) = head.split_once('\n').unwrap_or((head, ""));
    let (status, cut) = status.split_once(' ').map_or((status, None), |(status, why)| (status, Some(why.to_owned())));
    let body = Document::from_xml(body).map_or_else(|_| body.as_bytes().to_vec(), |document| document.encode());
    let headers = lines.lines().filter_map(|line| line.split_once(": ")).collect();
    Ok(Response { status: status.trim().parse().unwrap_or(200), reason: String::new(), headers, body, cut })
}

fn failure(number: u8) -> Failure {
    let host = "mail.easrig.test".to_owned();
    match number {
        0 => Failure::Closed,
        1 => Failure::Dns { host, detail: String::new() },
        2 => Failure::Refused { host, port: 443 },
        3 => Failure::Unreachable { host, port: 443, detail: String::new() },
        4 => Failure::Tls { host, kind: TlsFailure::UnknownIssuer },
        5 => Failure::Tls { host, kind: TlsFailure::Expired },
        6 => Failure::Tls { host, kind: TlsFailure::Handshake(String::new()) },
        7 => Failure::Timeout { phase: Phase::FirstByte, seconds: 30 },
        8 => Failure::NotHttp { detail: String::new() },
        _ => Failure::Cancelled,
    }
}

/// What a server without faults would answer.
fn friendly(request: &Request) -> Response {
    let headers: Headers = [
        ("MS-ASProtocolVersions", "2.5,12.0,12.1,14.0,14.1,16.0,16.1"),
        ("MS-ASProtocolCommands", "Sync,SendMail,SmartForward,SmartReply,FolderSync,Provision,Ping,ItemOperations"),
    ]
    .into_iter()
    .collect();
    let version = request.headers.get("MS-ASProtocolVersion").and_then(|text| text.parse().ok());
    let line = QueryLine::parse(request.query()).ok();
    let version = line.as_ref().and_then(|line| line.version).or(version).unwrap_or(Version::V14_1);
    let sent = Document::decode(&request.body).ok();
    let document = match line.and_then(|line| line.command.known()) {
        Some(Command::Provision) => Some(provisioned(sent.as_ref(), version)),
        Some(Command::FolderSync) => Some(folders(version)),
        Some(Command::Sync) => sent.and_then(|sent| synchronised(&sent, version)),
        Some(Command::Ping) => Document::from_xml("<Ping xmlns=\"Ping\"><Status>1</Status></Ping>").ok(),
        Some(Command::Settings) => {
            Document::from_xml("<Settings xmlns=\"Settings\"><Status>1</Status></Settings>").ok()
        }
        Some(_) | None => None,
    };
    let discovers = request.url.path().to_ascii_lowercase().ends_with(".xml");
    let pox = || PoxResponse::mobile_sync("alice@easrig.test", "Alice", "https://mail.easrig.test/x").to_string();
    let body = document.map(|document| document.encode()).or_else(|| discovers.then(|| pox().into_bytes()));
    Response { status: 200, reason: "OK".to_owned(), headers, body: body.unwrap_or_default(), cut: None }
}

fn provisioned(sent: Option<&Document>, version: Version) -> Document {
    let asked = sent.and_then(|sent| provision::Request::from_document(sent, version).ok()).unwrap_or_default();
    let acknowledges = asked.policies.iter().any(|policy| policy.status.is_some());
    let policy_type = asked.policies.first().map_or(provision::PolicyType::of(version), |p| p.policy_type.clone());
    let mut policy = PolicyDocument::permissive();
    policy.set(Setting::DevicePasswordEnabled, "1");
    let data = match policy_type {
        provision::PolicyType::Wap => provision::PolicyData::Wap(policy.to_wap_xml()),
        _ => {
            let mut data = Builder::new(tags::provision::DATA);
            policy.to_builder(&mut data, version);
            let data = data.finish();
            let element = data.root().children().next().expect("the policy was written");
            provision::PolicyData::Wbxml(element.to_document())
        }
    };
    let policy = provision::PolicyResponse {
        policy_type: Some(policy_type),
        status: Some(Status(1)),
        policy_key: Some(PolicyKey(if acknowledges { 222 } else { 111 })),
        data: (!acknowledges).then_some(data),
    };
    provision::Response { status: Some(Status(1)), policies: vec![policy], ..provision::Response::default() }
        .to_document(version)
}

fn folders(version: Version) -> Document {
    let folder = |id: &str, name: &str, number: u16| {
        format!(
            "<Add><ServerId>{id}</ServerId><ParentId>0</ParentId><DisplayName>{name}</DisplayName><Type>{number}</Type></Add>"
        )
    };
    let rows = [
        ("5", "Inbox", 2),
        ("4", "Deleted Items", 4),
        ("6", "Sent Items", 5),
        ("1", "Calendar", 8),
        ("2", "Contacts", 9),
    ];
    let rows: String = rows.iter().map(|(id, name, number)| folder(id, name, *number)).collect();
    let xml = format!(
        "<FolderSync xmlns=\"FolderHierarchy\"><Status>1</Status><SyncKey>1</SyncKey><Changes><Count>5</Count>{rows}</Changes>\
         </FolderSync>"
    );
    let document = Document::from_xml(&xml).expect("well-formed");
    folder_sync::Response::from_document(&document, version).expect("a FolderSync answer").to_document(version)
}

fn synchronised(sent: &Document, version: Version) -> Option<Document> {
    let asked = sync::Request::from_document(sent, version).ok()?;
    let mail = format!(
        "<ApplicationData xmlns=\"AirSync\" xmlns:e=\"Email\"><e:Subject>{SUBJECT}</e:Subject><e:From>bob@easrig.test</e:From>\
         <e:Read>0</e:Read><e:MessageClass>IPM.Note</e:MessageClass></ApplicationData>"
    );
    let item = easrig_eas::command::Item(Document::from_xml(&mail).expect("well-formed"));
    let collections = asked.collections.into_iter().map(|collection| {
        let number: u64 = collection.sync_key.as_str().parse().unwrap_or(0);
        let add = sync::ServerCommand::Add { server_id: "5:1".into(), class: None, application_data: item.clone() };
        sync::CollectionResponse {
            sync_key: Some(SyncKey::from(number.saturating_add(1).to_string().as_str())),
            collection_id: Some(collection.collection_id),
            status: Some(Status(1)),
            commands: if number == 1 { vec![add] } else { Vec::new() },
            ..sync::CollectionResponse::default()
        }
    });
    let collections = collections.collect();
    Some(sync::Response { collections, ..sync::Response::default() }.to_document(version))
}
