use std::time::Duration;

use easrig_exchange::Headers;
use easrig_runner::Orders;
use easrig_scenario::{Verdict, event::Event};
use easrig_transport::{Act, Authority, BadServer, ClientConfig, Resolve, ServerResponse, ServerTls, Validity};

use crate::rig::{self, Deed, Record, Way, http};

const WBXML: &str = "application/vnd.ms-sync.wbxml";

/// An explicit request, a habit and a ladder, on phones that have errors of their own for everything on the wire.
fn everything(url: &str) -> Orders {
    let scenarios = vec![rig::explicit("probe/explicit"), rig::habit("probe/habit"), rig::ladder("probe/ladder")];
    let personas = ["android-4", "wp7"].map(rig::persona).to_vec();
    Orders { personas, accounts: vec![rig::account("alice")], ..rig::orders(url, scenarios) }
}

/// Whatever the target does: every cell has its verdict and reason, every request its record, and the run its end.
fn is_whole(record: &Record, name: &str) {
    assert!(record.is_finished(), "{name}");
    assert_eq!(record.cells().len(), 6, "{name}");
    let noted = record.count(|event| matches!(event, Event::Exchanged { .. }));
    assert_eq!(noted, record.exchanges.len(), "{name}: every exchange is in both files");
    for cell in record.cells() {
        assert!(cell.verdict == Verdict::Pass || !cell.reason.is_empty(), "{name}: {cell:?}");
        let known = |number| record.exchanges.iter().any(|exchange| exchange.number == number);
        assert!(cell.verdict == Verdict::Skipped || !cell.exchanges.is_empty(), "{name}: {cell:?}");
        assert!(cell.exchanges.iter().all(|n| known(*n)), "{name}: {cell:?}");
    }
}

/// Nobody can say anything about a target that gives no answer.
fn says_nothing(record: &Record, name: &str, cause: &str) {
    is_whole(record, name);
    for cell in record.cells() {
        assert_eq!(cell.verdict, Verdict::Inconclusive, "{name}: {cell:?}");
        assert!(cell.reason.contains(cause), "{name}: `{}` does not hold `{cause}`", cell.reason);
    }
}

async fn against(acts: Vec<Act>) -> Record {
    let server = BadServer::start(acts).await.unwrap();
    rig::run(everything(&format!("http://{}/Microsoft-Server-ActiveSync", server.address()))).await
}

#[tokio::test]
async fn a_server_without_an_answer_leaves_every_cell_inconclusive_with_the_cause() {
    let head = || Act::Send(b"HTTP/1.1 200 OK\r\n".to_vec());
    let page = http("HTTP/1.1 200 OK\nContent-Length: 90", &[b'a'; 90]);
    let cases = [
        ("closes", vec![], "the connection was closed before an answer"),
        ("closes after the request", vec![Act::ReadHead], "the connection was closed before an answer"),
        ("resets", vec![Act::ReadHead, Act::Reset], "the connection was closed before an answer"),
        ("speaks mail", vec![Act::Send(b"220 mail.example.org ESMTP\r\n".to_vec())], "the answer is not HTTP"),
        ("headers without end", vec![head(), Act::Repeat(b"X-A: b\r\n".to_vec())], "longer than 65536 bytes"),
        ("says nothing", vec![Act::ReadHead, Act::Hang], "no answer within 2 s"),
        ("byte by byte", vec![Act::ReadHead, Act::Drip(page, Duration::from_millis(100))], "within 2 s"),
    ];
    for (name, acts, cause) in cases {
        says_nothing(&against(acts).await, name, cause);
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_or_never_ends_is_inconclusive_and_its_beginning_is_kept() {
    let cut =
        http("HTTP/1.1 200 OK\nContent-Type: application/vnd.ms-sync.wbxml\nContent-Length: 100", b"\x03\x01\x6a\x00");
    let endless = vec![Act::ReadHead, Act::Send(http("HTTP/1.1 200 OK", b"")), Act::Repeat(vec![b'a'; 1 << 16])];
    says_nothing(
        &against(vec![Act::ReadHead, Act::Send(cut)]).await,
        "cut",
        "cut short: the connection was closed 96 bytes",
    );
    let record = against(endless).await;
    says_nothing(&record, "endless", "the body is longer than");
    let bodies = record.exchanges.iter().filter_map(|exchange| exchange.response());
    for response in bodies {
        assert_eq!(response.body.len(), 1 << 20);
        assert!(response.cut.as_ref().unwrap().contains("the first 1048576 are kept"), "{:?}", response.cut);
    }
}

#[tokio::test]
async fn answers_that_are_no_answers_fail_what_the_standard_demands_and_block_the_phone() {
    let server = rig::good(|_| {}).await;
    type Case = (&'static str, fn() -> Deed, &'static str);
    let cases: [Case; 6] = [
        (
            "cut in a string",
            || rig::says(200, WBXML, b"\x03\x01\x6a\x00\x00\x07\x56\x52\x03"),
            "not WBXML: string without its terminating NUL at byte 8",
        ),
        ("a login page", || rig::says(200, "text/html", b"<html>Log in</html>"), "a body of type text/html"),
        ("nothing", || rig::says(200, WBXML, b""), "HTTP 200 without a body"),
        ("nothing of no type", || rig::says(200, "", b""), "HTTP 200 without a body"),
        ("not found", || rig::says(404, "text/html", b"<html></html>"), "HTTP 404"),
        ("broken", || rig::says(500, "text/html", b"<html></html>"), "HTTP 500"),
    ];
    for (name, deed, seen) in cases {
        let way = Way::to(&server, move |request| if request.method == "POST" { deed() } else { Deed::Pass }).await;
        let record = rig::run(everything(&way.url)).await;
        is_whole(&record, name);
        for cell in record.cells() {
            match cell.id.scenario.as_str() {
                "probe/explicit" => {
                    assert_eq!(cell.verdict, Verdict::Fail, "{name}: {cell:?}");
                    assert!(cell.reason.contains(seen), "{name}: {}", cell.reason);
                }
                // What the owner sees does not say what the server did; the note does.
                _ => {
                    assert_eq!(cell.verdict, Verdict::Blocked, "{name}: {cell:?}");
                    let wire = cell.notes.iter().find(|note| note.starts_with("behind it on the wire: FolderSync"));
                    assert!(wire.unwrap().contains(seen), "{name}: {:?}", cell.notes);
                }
            }
        }
    }
}

#[tokio::test]
async fn another_document_than_the_commands_own_is_told_with_its_place() {
    let server = rig::good(|_| {}).await;
    let sync = b"\x03\x01\x6a\x00\x45\x01";
    let spoil = |request: &_| if is_post(request) { rig::says(200, WBXML, sync) } else { Deed::Pass };
    let record = rig::run(everything(&Way::to(&server, spoil).await.url)).await;
    is_whole(&record, "foreign");
    assert_eq!(
        record.cell("probe/explicit").reason,
        "expected Status 1 (Hierarchy delivered); seen: HTTP 200 with a Sync document"
    );
    assert_eq!(record.cell("probe/ladder").verdict, Verdict::Inconclusive);
    assert!(record.cell("probe/ladder").reason.contains("expected FolderHierarchy:FolderSync at byte 4"));
}

#[tokio::test]
async fn a_wrong_content_type_is_one_red_row_and_fails_no_scenario() {
    let server = rig::good(|_| {}).await;
    let folders = b"\x03\x01\x6a\x00\x00\x07\x56\x4c\x03\x31\x00\x01\x52\x03\x31\x00\x01\x01";
    let spoil = |request: &_| if is_post(request) { rig::says(200, "text/plain", folders) } else { Deed::Pass };
    let way = Way::to(&server, spoil).await;
    let record = rig::run(rig::orders(&way.url, vec![rig::explicit("probe/explicit")])).await;
    assert_eq!(record.cell("probe/explicit").verdict, Verdict::Pass);
    let broken: Vec<_> = record
        .events
        .iter()
        .filter_map(|event| match event {
            Event::CellFinished(cell) if cell.verdict == Verdict::Fail => Some(cell.id.scenario.as_str()),
            _ => None,
        })
        .collect();
    assert!(broken.contains(&"invariant/headers"), "{broken:?}");
}

#[tokio::test]
async fn an_answer_that_comes_too_late_for_the_phone_is_inconclusive() {
    let server = rig::good(|_| {}).await;
    let way =
        Way::to(&server, |request| if is_post(request) { Deed::Late(Duration::from_secs(4)) } else { Deed::Pass })
            .await;
    let record = rig::run(everything(&way.url)).await;
    assert!(record.is_finished());
    // Three commands without an answer are an outage, whatever OPTIONS says; the cells behind it have sent nothing.
    for cell in record.cells() {
        assert_eq!(cell.verdict, Verdict::Inconclusive, "{cell:?}");
        assert!(cell.reason.contains("no answer within 2 s"), "{}", cell.reason);
    }
    // What the phone makes of it is worth knowing all the same.
    assert!(record.cell("probe/ladder").reason.contains("(the owner sees: "), "{}", record.cell("probe/ladder").reason);
}

#[tokio::test]
async fn a_redirect_to_a_place_where_nobody_is_counts_against_the_server() {
    let server = rig::good(|_| {}).await;
    let moved = |request: &_| match is_post(request) {
        true => Deed::Say(ServerResponse {
            status: 451,
            headers: Headers::from_iter([("X-MS-Location", "http://127.0.0.1:1/Microsoft-Server-ActiveSync")]),
            body: Vec::new(),
        }),
        false => Deed::Pass,
    };
    let way = Way::to(&server, moved).await;
    let record = rig::run(rig::orders(&way.url, vec![rig::habit("probe/habit")])).await;
    let cell = record.cell("probe/habit");
    assert_eq!(cell.verdict, Verdict::Blocked, "{cell:?}");
    assert!(cell.notes.iter().any(|note| note.contains("127.0.0.1:1 refused the connection")), "{:?}", cell.notes);
    assert_eq!(record.count(|event| matches!(event, Event::TargetLost { .. })), 0);
}

#[tokio::test]
async fn a_certificate_that_easrig_does_not_trust_is_inconclusive_by_its_reason() {
    let authority = Authority::new().unwrap();
    let certify = |name, validity| authority.certify(&[name], validity).unwrap();
    let cases: [(&str, ServerTls, bool); 4] = [
        ("the certificate has expired", certify("127.0.0.1", Validity::Expired), true),
        ("the certificate is not valid yet", certify("127.0.0.1", Validity::NotYet), true),
        ("it is for: mail.example.org", certify("mail.example.org", Validity::Current), true),
        ("the certificate's issuer is not trusted", certify("127.0.0.1", Validity::Current), false),
    ];
    for (cause, tls, trusted) in cases {
        let server = BadServer::start_tls(vec![Act::ReadHead], tls).await.unwrap();
        let extra_roots = trusted.then(|| authority.root()).into_iter().collect();
        let client = rig::client(ClientConfig { extra_roots, ..ClientConfig::default() });
        let url = format!("https://{}/Microsoft-Server-ActiveSync", server.address());
        let record = rig::run(Orders { client, ..everything(&url) }).await;
        says_nothing(&record, cause, cause);
    }
    let plain = BadServer::start(vec![Act::Send(b"220 hello\r\n".to_vec())]).await.unwrap();
    let record = rig::run(everything(&format!("https://{}/", plain.address()))).await;
    says_nothing(&record, "no TLS", "TLS with 127.0.0.1 failed");
}

#[tokio::test]
async fn names_without_address_and_closed_ports_are_inconclusive_by_their_names() {
    let record = rig::run(everything("http://mail.nowhere.test/")).await;
    says_nothing(&record, "DNS", "host name `mail.nowhere.test` could not be resolved");
    let record = rig::run(everything("http://127.0.0.1:1/")).await;
    says_nothing(&record, "closed", "127.0.0.1:1 refused the connection");
    let resolve: Resolve = "mail.nowhere.test:80=127.0.0.1:1".parse().unwrap();
    let client = rig::client(ClientConfig { resolve: vec![resolve], ..ClientConfig::default() });
    let record = rig::run(Orders { client, ..everything("http://mail.nowhere.test/") }).await;
    says_nothing(&record, "--resolve", "mail.nowhere.test:80 refused the connection");
}

#[tokio::test]
async fn damage_anywhere_in_a_good_answer_ends_every_cell_in_a_verdict() {
    let folders = b"\x03\x01\x6a\x00\x00\x07\x56\x4c\x03\x31\x00\x01\x52\x03\x31\x00\x01\x01";
    let head = "HTTP/1.1 200 OK\nContent-Type: application/vnd.ms-sync.wbxml\nMS-ASProtocolVersions: 2.5,12.1,14.0,14.1\nContent-Length: 18";
    let good = http(head, folders);
    for seed in 0..24 {
        let acts = if seed % 2 == 0 { Act::seeded_damage(&good, seed) } else { Act::seeded_cut(&good, seed) };
        is_whole(&against(acts).await, &format!("seed {seed}"));
    }
}

fn is_post(request: &easrig_transport::ServerRequest) -> bool {
    request.method == "POST"
}
