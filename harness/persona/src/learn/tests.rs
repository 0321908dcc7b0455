use std::collections::BTreeSet;

use easrig_exchange::{
    ClientHello, Exchange, ExchangeNumber, Failure, Headers, Origin, Outcome, Request, Response, Sender, Times,
    Timestamp, TlsSession, TlsVersion,
};
use easrig_wbxml::Document;
use toml::{Table, Value};

use super::{Learner, fields::TABLES};
use crate::Persona;

const SECOND: u64 = 1_000_000;

const FOLDERS: &str = r#"<FolderSync xmlns="FolderHierarchy"><SyncKey>0</SyncKey></FolderSync>"#;

const ASK: &str = r#"<Provision xmlns="Provision"><Policies><Policy><PolicyType>MS-EAS-Provisioning-WBXML</PolicyType></Policy></Policies></Provision>"#;

const PING_QUIET: &str = r#"<Ping xmlns="Ping"><Status>1</Status></Ping>"#;

/// A recorded device, request by request.
struct Tape {
    learner: Learner,
    number: u64,
    now: u64,
    host: &'static str,
}

/// What comes back.
enum Back {
    Http(u16, &'static [(&'static str, &'static str)], String),
    /// The device closes the connection after so many seconds.
    GivenUp(u64),
}

fn ok(xml: &str) -> Back {
    Back::Http(200, &[("Content-Type", "application/vnd.ms-sync.wbxml")], xml.to_owned())
}

fn http(status: u16) -> Back {
    Back::Http(status, &[], String::new())
}

impl Tape {
    fn new() -> Self {
        Self { learner: Learner::default(), number: 0, now: 0, host: "mail.easrig.test" }
    }

    fn options(&mut self, versions: &'static str) {
        let url = format!("https://{}/Microsoft-Server-ActiveSync", self.host);
        let mut exchange = self.exchange("OPTIONS", &url, &[], "");
        let headers: Headers = [("MS-ASProtocolVersions", versions)].into_iter().collect();
        exchange.outcome = Outcome::Answered(response(200, headers, ""));
        self.learner.look(&exchange);
    }

    fn send(&mut self, command: &str, xml: &str, back: Back) {
        self.send_as("14.1", "0", command, xml, back);
    }

    /// A command at a version with a policy key.
    fn send_as(&mut self, version: &str, key: &str, command: &str, xml: &str, back: Back) {
        let query = format!("Cmd={command}&User=u%40easrig.test&DeviceId=abc123&DeviceType=Nokia");
        let url = format!("https://{}/Microsoft-Server-ActiveSync?{query}", self.host);
        let mut exchange =
            self.exchange("POST", &url, &[("MS-ASProtocolVersion", version), ("X-MS-PolicyKey", key)], xml);
        self.answer(&mut exchange, back);
        self.learner.look(&exchange);
    }

    fn other(&mut self, method: &str, url: &str, body: &str, back: Back) {
        let mut exchange = self.exchange(method, url, &[], "");
        exchange.request.body = body.as_bytes().to_vec();
        self.answer(&mut exchange, back);
        self.learner.look(&exchange);
    }

    fn answer(&mut self, exchange: &mut Exchange, back: Back) {
        match back {
            Back::Http(status, headers, xml) => {
                exchange.outcome = Outcome::Answered(response(status, headers.iter().copied().collect(), &xml));
            }
            Back::GivenUp(seconds) => {
                exchange.outcome = Outcome::Failed(Failure::Cancelled);
                exchange.times.done = seconds * SECOND;
                self.now += seconds * SECOND;
            }
        }
    }

    fn exchange(&mut self, method: &str, url: &str, more: &[(&str, &str)], xml: &str) -> Exchange {
        self.number += 1;
        self.now += SECOND;
        let own = [("Host", self.host), ("User-Agent", "Nokia/1.0"), ("Authorization", "Basic [removed]")];
        let headers: Headers = own.iter().chain(more).copied().collect();
        Exchange {
            number: ExchangeNumber(self.number),
            origin: Origin::Imported,
            sender: Sender::default(),
            started: Timestamp(i64::try_from(self.now).unwrap()),
            request: Request { method: method.to_owned(), url: url.parse().unwrap(), headers, body: wbxml(xml) },
            outcome: Outcome::Failed(Failure::Closed),
            times: Times { done: SECOND / 2, ..Times::default() },
            tls: None,
        }
    }

    /// The text of the file, and its tables.
    fn learned(self) -> (String, Table) {
        let text = self.learner.propose("nokia", "like nothing").unwrap().text;
        let table = text.parse().unwrap();
        (text, table)
    }
}

fn response(status: u16, headers: Headers, xml: &str) -> Response {
    Response { status, reason: String::new(), headers, body: wbxml(xml), cut: None }
}

fn wbxml(xml: &str) -> Vec<u8> {
    if xml.is_empty() { Vec::new() } else { Document::from_xml(xml).unwrap().encode() }
}

/// The value of a key and where it was seen.
fn row(table: &Table, path: &str) -> (Value, String) {
    let (section, key) = path.rsplit_once('.').unwrap();
    let found = section.split('.').fold(Value::Table(table.clone()), |at, part| at[part].clone());
    let row = found.get(key).unwrap_or_else(|| panic!("{path} is not in the file"));
    (row["value"].clone(), row["evidence"].as_str().unwrap().to_owned())
}

fn value(table: &Table, path: &str) -> Value {
    row(table, path).0
}

fn ping(seconds: u32) -> String {
    format!(r#"<Ping xmlns="Ping"><HeartbeatInterval>{seconds}</HeartbeatInterval></Ping>"#)
}

fn policy(settings: &str) -> String {
    format!(
        r#"<Provision xmlns="Provision"><Status>1</Status><Policies><Policy><PolicyType>MS-EAS-Provisioning-WBXML</PolicyType><Status>1</Status><PolicyKey>111</PolicyKey><Data><EASProvisionDoc>{settings}</EASProvisionDoc></Data></Policy></Policies></Provision>"#
    )
}

fn acknowledgement(status: u16) -> String {
    format!(
        r#"<Provision xmlns="Provision"><Policies><Policy><PolicyType>MS-EAS-Provisioning-WBXML</PolicyType><PolicyKey>111</PolicyKey><Status>{status}</Status></Policy></Policies></Provision>"#
    )
}

const FINAL: &str = r#"<Provision xmlns="Provision"><Status>1</Status><Policies><Policy><PolicyType>MS-EAS-Provisioning-WBXML</PolicyType><Status>1</Status><PolicyKey>222</PolicyKey></Policy></Policies></Provision>"#;

const NO_KEY: &str = r#"<Provision xmlns="Provision"><Status>1</Status><Policies><Policy><PolicyType>MS-EAS-Provisioning-WBXML</PolicyType><Status>1</Status></Policy></Policies></Provision>"#;

const SYNC: &str = r#"<Sync xmlns="AirSync"><Collections><Collection><SyncKey>0</SyncKey><CollectionId>5</CollectionId></Collection></Collections></Sync>"#;

#[test]
fn every_key_of_a_persona_file_is_in_the_tables_of_the_learner() {
    let name = format!("{}/../../scenarios/personas/wp7.toml", env!("CARGO_MANIFEST_DIR"));
    let asked = Persona::keys(&std::fs::read_to_string(name).unwrap());
    let tables: BTreeSet<String> = TABLES.iter().map(|table| table.name.to_owned()).collect();
    let known: BTreeSet<String> =
        TABLES.iter().flat_map(|table| table.keys.iter().map(|(key, _)| format!("{}.{key}", table.name))).collect();
    // A value with its evidence is a table as well; the head of the file and the words on the screen are not learned.
    let is_part =
        |key: &String| known.iter().any(|known| key.strip_prefix(known).is_some_and(|rest| rest.starts_with('.')));
    let head = ["id", "title", "family", "evidence", "confidence", "error"];
    let wanted: BTreeSet<String> = asked
        .into_iter()
        .filter(|key| !tables.contains(key) && !is_part(key) && !key.starts_with("error."))
        .filter(|key| !head.contains(&key.as_str()))
        .collect();
    // `notes` is no table of that file, and has the keys of the other classes.
    let known: BTreeSet<String> = known.into_iter().filter(|key| !key.starts_with("sync.notes.")).collect();
    assert_eq!(wanted, known);
}

#[test]
fn a_wait_that_ended_quietly_tells_how_the_heartbeat_grows_and_where_it_ends() {
    let mut tape = Tape::new();
    for seconds in [300, 420, 540, 600, 600] {
        tape.send("Ping", &ping(seconds), ok(PING_QUIET));
    }
    let (_, learned) = tape.learned();
    assert_eq!(value(&learned, "push.start"), 300.into());
    assert_eq!(row(&learned, "push.step"), (120.into(), "exchange 2, 2 times; otherwise in exchange 4: 60".to_owned()));
    assert_eq!(row(&learned, "push.max"), (600.into(), "exchange 5: no longer after a quiet end".to_owned()));
}

#[test]
fn a_heartbeat_that_the_server_names_is_taken_or_not() {
    let limit = r#"<Ping xmlns="Ping"><Status>5</Status><HeartbeatInterval>200</HeartbeatInterval></Ping>"#;
    let mut tape = Tape::new();
    tape.send("Ping", &ping(900), ok(limit));
    tape.send("Ping", &ping(200), ok(PING_QUIET));
    let (_, learned) = tape.learned();
    assert_eq!(row(&learned, "push.on_limit"), ("take-server-value".into(), "exchange 2".to_owned()));

    // The device goes down by itself after waits that came to nothing.
    let mut tape = Tape::new();
    tape.send("Ping", &ping(900), Back::GivenUp(930));
    tape.send("Ping", &ping(480), ok(PING_QUIET));
    assert_eq!(value(&tape.learned().1, "push.min"), 480.into());

    let mut tape = Tape::new();
    tape.send("Ping", &ping(900), ok(limit));
    (0..5).for_each(|_| tape.send("Sync", SYNC, ok("")));
    assert_eq!(value(&tape.learned().1, "push.on_limit"), "give-up".into());
}

#[test]
fn a_device_that_gives_up_tells_its_patience() {
    let mut tape = Tape::new();
    tape.send("FolderSync", FOLDERS, Back::GivenUp(61));
    tape.send("Settings", "", Back::GivenUp(61));
    tape.send("Settings", "", Back::GivenUp(1));
    tape.send("Sync", SYNC, Back::GivenUp(120));
    tape.send("Ping", &ping(300), Back::GivenUp(330));
    let (text, learned) = tape.learned();
    let given_up = |path| row(&learned, path);
    assert_eq!(given_up("timeouts.command"), (61.into(), "exchange 1, 2 times: given up unanswered".to_owned()));
    assert_eq!(value(&learned, "timeouts.first_sync"), 120.into());
    assert_eq!(value(&learned, "timeouts.push_extra"), 30.into());
    assert!(text.contains("# connect: cannot be seen; "), "{text}");
}

#[test]
fn a_device_whose_requests_are_all_answered_tells_no_patience() {
    let mut tape = Tape::new();
    tape.send("FolderSync", FOLDERS, ok(""));
    let (text, _) = tape.learned();
    let told = "# command: not seen; nothing was given up; the longest wait, 0.5 s, was answered (exchange 1)";
    assert!(text.contains(told), "{text}");
}

#[test]
fn a_busy_server_shows_how_often_and_when_the_device_comes_back() {
    let mut tape = Tape::new();
    tape.send("FolderSync", FOLDERS, http(503));
    tape.now += 9 * SECOND + SECOND / 2;
    tape.send("FolderSync", FOLDERS, http(503));
    tape.now += 9 * SECOND + SECOND / 2;
    tape.send("FolderSync", FOLDERS, http(503));
    tape.send("Settings", "", ok(""));
    let (_, learned) = tape.learned();
    assert_eq!(row(&learned, "timeouts.busy_wait"), (10.into(), "exchange 2, 2 times".to_owned()));
    assert_eq!(row(&learned, "timeouts.busy_retries"), (2.into(), "exchange 3".to_owned()));
}

#[test]
fn a_device_that_provisions_unasked_does_so_when_it_is_set_up() {
    let mut tape = Tape::new();
    tape.options("12.1,14.0,14.1");
    tape.send("Provision", ASK, ok(&policy("<DevicePasswordEnabled>1</DevicePasswordEnabled>")));
    tape.send_as("14.1", "111", "Provision", &acknowledgement(1), ok(FINAL));
    tape.send_as("14.1", "222", "FolderSync", FOLDERS, ok(""));
    tape.send_as("14.1", "222", "Sync", SYNC, ok(""));
    let (text, learned) = tape.learned();
    let order = ["options", "provision", "folder-sync", "first-sync"];
    assert_eq!(row(&learned, "onboarding.order"), (order.to_vec().into(), "exchange 1 and after".to_owned()));
    assert_eq!(value(&learned, "provisioning.enforces"), vec!["DevicePasswordEnabled"].into());
    assert_eq!(value(&learned, "provisioning.device_information"), vec!["14.1 nowhere"].into());
    assert!(text.contains("# challenges: not seen; nothing sent it to Provision"), "{text}");
    assert!(text.contains("# cannot: not seen; "), "{text}");
}

#[test]
fn a_policy_that_is_applied_in_part_names_what_may_be_refused() {
    let both = "<DevicePasswordEnabled>1</DevicePasswordEnabled><RequireDeviceEncryption>1</RequireDeviceEncryption>";
    for status in [2_u16, 3] {
        let mut tape = Tape::new();
        tape.send("FolderSync", FOLDERS, http(449));
        tape.send("Provision", ASK, ok(&policy("<DevicePasswordEnabled>1</DevicePasswordEnabled>")));
        tape.send("Provision", &acknowledgement(1), ok(FINAL));
        tape.send("FolderSync", FOLDERS, http(449));
        tape.send("Provision", ASK, ok(&policy(both)));
        tape.send("Provision", &acknowledgement(status), ok(NO_KEY));
        tape.send("FolderSync", FOLDERS, ok(""));
        let (_, learned) = tape.learned();
        assert_eq!(row(&learned, "provisioning.cannot"), (format!("status:{status}").into(), "exchange 6".to_owned()));
        // What was said to be applied before is not what is refused now.
        let refuses = (vec!["RequireDeviceEncryption"].into(), "exchange 6".to_owned());
        assert_eq!(row(&learned, "provisioning.refuses"), refuses);
        assert_eq!(value(&learned, "provisioning.key_required"), false.into());
        assert!(row(&learned, "onboarding.challenges").1.starts_with("exchange 1 (http:449)"));
    }
}

#[test]
fn a_device_that_goes_on_without_acknowledging_keeps_silent() {
    let mut tape = Tape::new();
    tape.send("FolderSync", FOLDERS, http(449));
    let hard = "<RequireDeviceEncryption>1</RequireDeviceEncryption><AllowCamera>0</AllowCamera>";
    tape.send("Provision", ASK, ok(&policy(hard)));
    tape.send("FolderSync", FOLDERS, http(449));
    tape.send("Settings", "", ok(""));
    let (_, learned) = tape.learned();
    assert_eq!(value(&learned, "provisioning.cannot"), "silent".into());
    let (refused, evidence) = row(&learned, "provisioning.refuses");
    assert_eq!(
        (refused, evidence.as_str()),
        (vec!["AllowCamera", "RequireDeviceEncryption"].into(), "exchange 2: one of these at least")
    );
    assert_eq!(value(&learned, "provisioning.rounds"), 1.into());
}

#[test]
fn a_device_describes_itself_in_a_settings_after_provision() {
    let settings =
        r#"<Settings xmlns="Settings"><DeviceInformation><Set><Model>N9</Model></Set></DeviceInformation></Settings>"#;
    let mut tape = Tape::new();
    tape.send_as("12.1", "0", "FolderSync", FOLDERS, http(449));
    tape.send_as("12.1", "0", "Provision", ASK, ok(&policy("<DevicePasswordEnabled>1</DevicePasswordEnabled>")));
    tape.send_as("12.1", "111", "Provision", &acknowledgement(1), ok(FINAL));
    tape.send_as("12.1", "222", "Settings", settings, ok(""));
    tape.send_as("12.1", "222", "FolderSync", FOLDERS, ok(""));
    tape.send_as("12.1", "222", "Sync", SYNC, ok(""));
    let (_, learned) = tape.learned();
    assert_eq!(value(&learned, "provisioning.device_information"), vec!["12.1 settings-after"].into());
    assert_eq!(value(&learned, "onboarding.order"), vec!["folder-sync", "first-sync"].into());
    assert_eq!(value(&learned, "identity.device_information.model"), "N9".into());
}

#[test]
fn redirects_that_are_followed_and_those_that_are_not_are_told_apart() {
    const MOVED: &[(&str, &str)] = &[("X-MS-Location", "https://new.easrig.test/Microsoft-Server-ActiveSync")];
    const FOUND: &[(&str, &str)] = &[("Location", "https://other.easrig.test/Microsoft-Server-ActiveSync")];
    let mut tape = Tape::new();
    tape.send("FolderSync", FOLDERS, Back::Http(451, MOVED, String::new()));
    tape.host = "new.easrig.test";
    tape.send("FolderSync", FOLDERS, Back::Http(302, FOUND, String::new()));
    tape.send("Settings", "", ok(""));
    let (_, learned) = tape.learned();
    assert_eq!(row(&learned, "redirects.moved"), (vec!["*"].into(), "exchange 1: FolderSync followed".to_owned()));
    let none: Vec<String> = Vec::new();
    assert_eq!(row(&learned, "redirects.http"), (none.into(), "exchange 2: FolderSync did not follow".to_owned()));
}

#[test]
fn the_places_of_autodiscover_are_told_in_their_order() {
    let pox = "<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006\">\
        <Request><EMailAddress>anna@corp.test</EMailAddress><AcceptableResponseSchema>\
        http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006</AcceptableResponseSchema>\
        </Request></Autodiscover>";
    const AWAY: &[(&str, &str)] = &[("Location", "https://hosted.test/autodiscover/autodiscover.xml")];
    let mut tape = Tape::new();
    tape.other("POST", "https://corp.test/autodiscover/autodiscover.xml", pox, http(404));
    tape.other("POST", "https://autodiscover.corp.test/autodiscover/autodiscover.xml", pox, http(503));
    tape.other(
        "GET",
        "http://autodiscover.corp.test/autodiscover/autodiscover.xml",
        "",
        Back::Http(302, AWAY, String::new()),
    );
    tape.other("POST", "https://hosted.test/autodiscover/autodiscover.xml", pox, http(404));
    tape.other("POST", "https://srv.test/autodiscover/autodiscover.xml", pox, http(200));
    tape.send("FolderSync", FOLDERS, ok(""));
    let (_, learned) = tape.learned();
    let places = ["https-domain", "https-autodiscover", "http-redirect", "srv"];
    assert_eq!(value(&learned, "autodiscover.candidates"), places.to_vec().into());
    assert_eq!(value(&learned, "redirects.http"), vec!["Autodiscover"].into());

    let mut tape = Tape::new();
    let json = "https://corp.test/autodiscover/autodiscover.json?Email=anna%40corp.test&Protocol=ActiveSync";
    tape.other("GET", json, "", http(200));
    tape.send("FolderSync", FOLDERS, ok(""));
    assert_eq!(value(&tape.learned().1, "autodiscover.candidates"), vec!["json-domain"].into());
}

#[test]
fn a_client_hello_tells_the_versions_of_tls_and_easrigs_own_tells_nothing() {
    let hello = ClientHello { versions: vec![TlsVersion::V1_0], cipher_suites: vec![0x2F, 5], names_server: false };
    let tls = TlsSession {
        version: "TLSv1.0".to_owned(),
        cipher_suite: "TLS_RSA_WITH_AES_128_CBC_SHA".to_owned(),
        hello: Some(Box::new(hello)),
        ..TlsSession::default()
    };
    for (origin, seen) in [(Origin::Imported, true), (Origin::Live, false)] {
        let mut tape = Tape::new();
        let url = "https://mail.easrig.test/Microsoft-Server-ActiveSync?Cmd=FolderSync&User=u&DeviceId=a&DeviceType=N";
        let mut exchange = tape.exchange("POST", url, &[("MS-ASProtocolVersion", "14.1")], FOLDERS);
        (exchange.tls, exchange.origin) = (Some(tls.clone()), origin);
        tape.learner.look(&exchange);
        let (text, learned) = tape.learned();
        assert_eq!(
            text.contains("without the server's name (SNI) and the suites 002F 0005; agreed on TLSv1.0"),
            seen,
            "{text}"
        );
        assert_eq!(text.contains("# versions: not seen; easrig sent this itself"), !seen, "{text}");
        if seen {
            assert_eq!(row(&learned, "tls.versions"), (vec!["TLSv1.0"].into(), "exchange 1".to_owned()));
        }
    }
}

#[test]
fn the_rule_by_which_a_version_is_picked_shows_when_only_one_explains_it() {
    let mut tape = Tape::new();
    tape.options("2.5,12.1,14.1");
    tape.send_as("14.1", "0", "FolderSync", FOLDERS, ok(""));
    tape.options("14.1,12.1");
    tape.send_as("12.1", "0", "FolderSync", FOLDERS, ok(""));
    tape.options("16.0");
    tape.send_as("2.5", "0", "FolderSync", FOLDERS, ok(""));
    let (_, learned) = tape.learned();
    assert_eq!(value(&learned, "protocol.pick"), "last-exact-token".into());
    assert_eq!(row(&learned, "protocol.fallback"), ("2.5".into(), "exchange 6: the server offered 16.0".to_owned()));

    let mut tape = Tape::new();
    tape.options("2.5,12.1,14.1");
    tape.send_as("14.1", "0", "FolderSync", FOLDERS, ok(""));
    let (text, learned) = tape.learned();
    assert_eq!(value(&learned, "protocol.versions"), vec!["14.1"].into());
    assert!(text.contains("# pick: not seen; after the one list of the server every rule picks the same"), "{text}");
}

#[test]
fn a_command_that_never_has_the_key_is_told_from_a_device_that_has_none() {
    let mut tape = Tape::new();
    tape.send_as("14.1", "222", "FolderSync", FOLDERS, ok(""));
    let query = "Cmd=Ping&User=u&DeviceId=abc123&DeviceType=Nokia";
    let url = format!("https://mail.easrig.test/Microsoft-Server-ActiveSync?{query}");
    let exchange = tape.exchange("POST", &url, &[("MS-ASProtocolVersion", "14.1")], &ping(300));
    tape.learner.look(&exchange);
    tape.send_as("14.1", "222", "Sync", SYNC, ok(""));
    let (text, learned) = tape.learned();
    assert_eq!(row(&learned, "protocol.policy_key_not_on"), (vec!["Ping"].into(), "exchange 2 (Ping)".to_owned()));
    assert!(text.contains("# empty_key: not seen; "), "{text}");
}

#[test]
fn a_message_that_is_read_in_part_is_never_fetched() {
    let brought = r#"<Sync xmlns="AirSync"><Collections><Collection><SyncKey>2</SyncKey><CollectionId>5</CollectionId><Status>1</Status><Commands><Add><ServerId>5:1</ServerId><ApplicationData><Subject xmlns="Email">s</Subject><Body xmlns="AirSyncBase"><Type>1</Type><Truncated>1</Truncated><Data>x</Data></Body></ApplicationData></Add></Commands></Collection></Collections></Sync>"#;
    let read = r#"<Sync xmlns="AirSync"><Collections><Collection><SyncKey>2</SyncKey><CollectionId>5</CollectionId><Commands><Change><ServerId>5:1</ServerId><ApplicationData><Read xmlns="Email">1</Read></ApplicationData></Change></Commands></Collection></Collections></Sync>"#;
    let mut tape = Tape::new();
    tape.send("Sync", SYNC, ok(brought));
    tape.send("Sync", read, ok(""));
    assert_eq!(value(&tape.learned().1, "mail.full_body"), "never".into());
}
