use base64::{Engine, engine::general_purpose::STANDARD};
use easrig_exchange::{Content, Headers};
use easrig_runner::Orders;
use easrig_transport::{Act, BadServer, ServerRequest, ServerResponse};

use crate::rig::{self, Deed, Record, SECRET, Way, http};

/// Neither the password nor what stands for it on the wire.
fn holds_no_secret(record: &Record) {
    let written = record.written();
    let tokens = ["alice", "bob"].map(|user| STANDARD.encode(format!("{user}:{SECRET}")));
    for secret in tokens.iter().map(String::as_str).chain([SECRET]) {
        let found = written.windows(secret.len()).position(|window| window == secret.as_bytes());
        let around = found.map(|at| String::from_utf8_lossy(&written[at.saturating_sub(200)..at + secret.len()]));
        assert_eq!(around, None, "`{secret}` was written");
    }
}

#[tokio::test]
async fn a_whole_run_writes_no_password() {
    let server = rig::good(|_| {}).await;
    let way = Way::to(&server, |_| Deed::Pass).await;
    let ids = ["journeys/onboarding-by-server-name", "journeys/send", "folder-sync/unknown-user-refused"];
    let personas = ["android-4", "wp7", "ios-17"].map(rig::persona).to_vec();
    for content in [Content::Masked, Content::Kept] {
        let scenarios = ids.map(rig::shipped).to_vec();
        let orders = Orders { personas: personas.clone(), content, ..rig::orders(&way.url, scenarios) };
        let record = rig::run(orders).await;
        assert!(record.exchanges.len() > 30);
        holds_no_secret(&record);
    }
}

#[tokio::test]
async fn a_password_that_the_server_echoes_is_not_written_either() {
    let server = rig::good(|_| {}).await;
    let echo = |request: &ServerRequest| {
        let sent = request.headers.get("Authorization").unwrap_or_default().to_owned();
        // FolderSync with a Status that is no number: findings quote it.
        let mut body = b"\x03\x01\x6a\x00\x00\x07\x56\x4c\x03".to_vec();
        body.extend(format!("{SECRET} {sent}").bytes());
        body.extend(b"\x00\x01\x52\x031\x00\x01\x01");
        let headers = Headers::from_iter([
            ("Content-Type".to_owned(), "application/vnd.ms-sync.wbxml".to_owned()),
            ("Server".to_owned(), format!("echo/{SECRET}")),
            ("MS-ASProtocolVersions".to_owned(), "12.1,14.0,14.1".to_owned()),
            ("MS-ASProtocolCommands".to_owned(), format!("Sync,FolderSync,{SECRET}")),
            ("X-Debug".to_owned(), sent),
        ]);
        Deed::Say(ServerResponse { status: 200, headers, body })
    };
    let way = Way::to(&server, echo).await;
    let quoting = rig::scenario(
        "probe/quoting",
        "effects = \"reads\"",
        r#"[[step]]
send = "FolderSync"
body = '''<FolderSync xmlns="FolderHierarchy"><SyncKey>0</SyncKey></FolderSync>'''
[step.expect]
element = [{ at = "FolderSync/Status", equals = "1" }]
header = [{ name = "X-Debug", equals = "1" }]"#,
    );
    for content in [Content::Masked, Content::Kept] {
        let orders = rig::orders(&way.url, vec![quoting.clone(), rig::habit("probe/habit")]);
        let record = rig::run(Orders { content, ..orders }).await;
        assert!(record.cell("probe/quoting").reason.contains("****"), "{}", record.cell("probe/quoting").reason);
        holds_no_secret(&record);
    }
}

#[tokio::test]
async fn a_page_with_the_password_in_it_is_not_written() {
    let page = format!("<html>alice, your password {SECRET} is wrong</html>");
    let head = format!("HTTP/1.1 500 wrong {SECRET}\nContent-Type: text/html\nContent-Length: {}", page.len());
    let server = BadServer::start(vec![Act::ReadHead, Act::Send(http(&head, page.as_bytes()))]).await.unwrap();
    let url = format!("http://{}/Microsoft-Server-ActiveSync", server.address());
    let scenarios = vec![rig::explicit("probe/explicit"), rig::habit("probe/habit")];
    let record = rig::run(Orders { content: Content::Kept, ..rig::orders(&url, scenarios) }).await;
    assert!(!record.exchanges.is_empty());
    holds_no_secret(&record);
}

#[tokio::test]
async fn findings_quote_no_contents_and_no_keys() {
    let server = rig::good(|_| {}).await;
    let way = Way::to(&server, |_| Deed::Pass).await;
    let quoting = rig::scenario(
        "probe/quoting",
        "effects = \"reads\"\nstart = \"foldered\"",
        r#"[[step]]
send = "Sync"
body = '''<Sync xmlns="AirSync"><Collections><Collection><SyncKey>0</SyncKey><CollectionId>{inbox}</CollectionId>
</Collection></Collections></Sync>'''
[step.expect]
element = [{ at = "Sync/Collections/Collection/SyncKey", save = "key" }]

[[step]]
send = "Sync"
body = '''<Sync xmlns="AirSync"><Collections><Collection><SyncKey>{key}</SyncKey><CollectionId>{inbox}</CollectionId>
</Collection></Collections></Sync>'''
[step.expect]
element = [
  { at = "Sync/Collections/Collection/Status", equals = "99" },
  { at = "**/Subject", equals = "Nobody", each = true },
]"#,
    );
    let run = async |content| {
        let record = rig::run(Orders { content, ..rig::orders(&way.url, vec![quoting.clone()]) }).await;
        record.cell("probe/quoting").findings.clone()
    };
    let (kept, masked) = (run(Content::Kept).await, run(Content::Masked).await);
    assert!(kept.len() > 1 && kept.len() == masked.len(), "{kept:?}");
    // What is the protocol's own is quoted as it is.
    assert_eq!(kept[0].actual, masked[0].actual);
    for (kept, masked) in kept.iter().zip(&masked).skip(1) {
        assert_eq!(kept.expected, masked.expected);
        assert_ne!(kept.actual, masked.actual, "a sentence says no more than the bytes");
        assert_eq!(kept.actual.len(), masked.actual.len());
    }
}
