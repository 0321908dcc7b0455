//! The whole onboarding of every persona against one scripted server, so that nobody changes a phone by accident.

#![expect(clippy::unwrap_used, reason = "a broken script is a broken test")]

use std::{fmt::Write as _, path::PathBuf, sync::Arc};

use easrig_eas::{
    Command, PolicyKey, Version,
    command::{folder_sync, provision, settings, sync},
    policy::PolicyDocument,
    query::QueryLine,
    status::Status,
};
use easrig_exchange::{Headers, Request, Response, Secret, Timestamp};
use easrig_persona::{End, Habit, Input, Letter, Machine, Output, Persona, Phone, Server, Setup, Task};
use easrig_wbxml::{Builder, Document, tags};
use url::Url;

/// A server that challenges once, has one folder of each kind and one message.
struct Script {
    version: Version,
    provisioned: bool,
    transcript: String,
}

impl Script {
    fn answer(&mut self, request: &Request) -> Response {
        self.write_down(request);
        let mut headers = Headers::new();
        if request.method == "OPTIONS" {
            headers.push("MS-ASProtocolVersions", "2.5,12.0,12.1,14.0,14.1,16.0,16.1");
            headers.push("MS-ASProtocolCommands", "Sync,SendMail,FolderSync,Provision,Settings,Ping");
            return Response { status: 200, reason: String::new(), headers, body: Vec::new(), cut: None };
        }
        let command = QueryLine::parse(request.query()).unwrap().command.known().unwrap();
        let (status, body) = self.serve(command, request);
        Response { status, reason: String::new(), headers, body, cut: None }
    }

    fn serve(&mut self, command: Command, request: &Request) -> (u16, Vec<u8>) {
        if !self.provisioned && command != Command::Provision {
            return (449, Vec::new());
        }
        let body = match command {
            Command::Provision => self.provision(request),
            Command::Settings => {
                settings::Response { status: Some(Status(1)), ..Default::default() }.to_document(self.version).encode()
            }
            Command::FolderSync => self.folders(),
            Command::Sync => self.sync(request),
            _ => Vec::new(),
        };
        (200, body)
    }

    fn provision(&mut self, request: &Request) -> Vec<u8> {
        let asked = provision::Request::from_document(&Document::decode(&request.body).unwrap(), self.version).unwrap();
        let acknowledged = asked.policies[0].status.is_some();
        self.provisioned |= acknowledged;
        let mut data = Builder::new(tags::provision::DATA);
        PolicyDocument::permissive().to_builder(&mut data, self.version);
        let document = data.finish().root().child(tags::provision::EAS_PROVISION_DOC).unwrap().to_document();
        let policy = provision::PolicyResponse {
            policy_type: Some(provision::PolicyType::Wbxml),
            status: Some(Status(1)),
            policy_key: Some(PolicyKey(if acknowledged { 222 } else { 111 })),
            data: (!acknowledged).then_some(provision::PolicyData::Wbxml(document)),
        };
        let said = provision::Response { status: Some(Status(1)), policies: vec![policy], ..Default::default() };
        said.to_document(self.version).encode()
    }

    fn folders(&self) -> Vec<u8> {
        let kinds = [(2, "Inbox"), (4, "Deleted"), (5, "Sent"), (7, "Tasks"), (8, "Calendar"), (9, "Contacts")];
        let changes: Vec<_> = kinds
            .into_iter()
            .map(|(kind, name)| {
                folder_sync::Change::Add(folder_sync::Folder {
                    server_id: kind.to_string().into(),
                    parent_id: "0".into(),
                    display_name: name.to_owned(),
                    folder_type: folder_sync::FolderType(kind),
                })
            })
            .collect();
        let changes = folder_sync::Changes { count: Some(6), changes };
        let said = folder_sync::Response { status: Status(1), sync_key: Some("1".into()), changes: Some(changes) };
        said.to_document(self.version).encode()
    }

    fn sync(&self, request: &Request) -> Vec<u8> {
        let asked = sync::Request::from_document(&Document::decode(&request.body).unwrap(), self.version).unwrap();
        let collections = asked
            .collections
            .iter()
            .map(|asked| sync::CollectionResponse {
                class: asked.class.clone(),
                sync_key: Some(format!("{}{}", asked.sync_key, asked.collection_id).into()),
                collection_id: Some(asked.collection_id.clone()),
                status: Some(Status(1)),
                ..Default::default()
            })
            .collect();
        sync::Response { collections, ..Default::default() }.to_document(self.version).encode()
    }

    fn write_down(&mut self, request: &Request) {
        let out = &mut self.transcript;
        let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        writeln!(out, "{} {}{query}", request.method, request.url.path()).unwrap();
        for (name, value) in request.headers.iter() {
            let shown = if name.eq_ignore_ascii_case("Authorization") { "[redacted]" } else { value };
            writeln!(out, "{name}: {shown}").unwrap();
        }
        match Document::decode(&request.body) {
            _ if request.body.is_empty() => {}
            Ok(document) => writeln!(out, "\n{}", document.to_xml_pretty().trim_end()).unwrap(),
            Err(_) => writeln!(out, "\n{}", String::from_utf8_lossy(&request.body).replace('\r', "")).unwrap(),
        }
        if !request.query().is_empty()
            && let Ok(line) = QueryLine::parse(request.query())
            && !request.query().contains("Cmd=")
        {
            writeln!(out, "\n({})", line.describe().trim_end().replace('\n', "; ")).unwrap();
        }
        out.push_str("\n----\n\n");
    }
}

fn phone(persona: &str, version: Option<Version>) -> Phone {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../scenarios/personas/{persona}.toml"));
    let persona = Arc::new(Persona::parse(persona, &std::fs::read_to_string(path).unwrap()).unwrap());
    Phone::new(Setup {
        device_id: persona.device_id("phone", "alice@easrig.test"),
        persona,
        role: "phone".to_owned(),
        user: "alice@easrig.test".to_owned(),
        address: Some("alice@easrig.test".to_owned()),
        secret: Some(Secret::new("sesame")),
        server: Server::Url(Url::parse("https://mail.easrig.test").unwrap()),
        version,
        seed: 1,
        bearer: None,
    })
}

fn play(phone: &mut Phone, script: &mut Script, habit: Habit) {
    let now = Timestamp(1_767_225_600_000_000);
    let mut outputs = Vec::new();
    phone.begin(Task::Habit(habit), now, &mut outputs);
    let mut at = 0;
    while let Some(output) = outputs.get(at).cloned() {
        at += 1;
        match output {
            Output::Send { id, request, .. } => {
                let response = script.answer(&request);
                phone.step(Input::Answered(id, Box::new(response)), now, &mut outputs);
            }
            Output::Done(_, ending) => assert_eq!(ending.end, End::Finished),
            other => panic!("{other:?}"),
        }
    }
}

/// Connects, then sends a message: the two things every phone does in its own way.
fn transcript(persona: &str, version: Version) -> String {
    let mut script = Script { version, provisioned: false, transcript: String::new() };
    let mut phone = phone(persona, Some(version));
    play(&mut phone, &mut script, Habit::Connect);
    let to = vec!["bob@easrig.test".to_owned()];
    let letter = Letter { to, subject: "hi".to_owned(), text: Some("hello".to_owned()), ..Letter::default() };
    play(&mut phone, &mut script, Habit::SendMail(letter));
    script.transcript
}

macro_rules! transcripts {
    ($($name:ident: $persona:literal at $version:ident;)+) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(transcript($persona, Version::$version));
        }
    )+};
}

transcripts! {
    wp7_at_14_0: "wp7" at V14_0;
    wp7_5_at_14_1: "wp7.5" at V14_1;
    ios_11_at_14_1: "ios-11" at V14_1;
    ios_17_at_14_1: "ios-17" at V14_1;
    ios_17_at_16_1: "ios-17" at V16_1;
    android_4_at_14_1: "android-4" at V14_1;
    android_4_at_12_1: "android-4" at V12_1;
    android_gmail_at_14_1: "android-gmail" at V14_1;
    blackberry_10_at_14_1: "blackberry-10" at V14_1;
    outlook_mobile_at_14_1: "outlook-mobile" at V14_1;
}

#[test]
fn each_phone_picks_its_version_from_the_list() {
    let picks = [
        ("wp7", Version::V14_0),
        ("wp7.5", Version::V14_1),
        ("ios-11", Version::V16_1),
        ("ios-17", Version::V16_1),
        ("android-4", Version::V14_1),
        ("android-gmail", Version::V16_1),
        ("blackberry-10", Version::V14_1),
        ("outlook-mobile", Version::V16_1),
    ];
    for (persona, expected) in picks {
        let mut script = Script { version: expected, provisioned: true, transcript: String::new() };
        let mut phone = phone(persona, None);
        play(&mut phone, &mut script, Habit::Options);
        assert_eq!(phone.version(), Some(expected), "{persona}");
    }
}

#[test]
fn no_transcript_names_the_password() {
    for persona in ["wp7", "ios-17", "android-4", "outlook-mobile"] {
        let said = transcript(persona, Version::V14_0);
        assert!(!said.contains("sesame") && !said.contains("c2VzYW1l"), "{persona}");
    }
}
