//! Replays whose recordings waited for longer than a test may take.

use std::{
    io::Cursor,
    sync::Arc,
    time::{Duration, Instant},
};

use easrig_exchange::{EascapWriter, Exchange};
use easrig_refserver::{Profile, Server, Switch};
use easrig_runner::{Allowed, Came, Mode, Pace, Recording, ReplayOrders, Replayed, RunFolder};
use easrig_scenario::{
    Content, Decoded,
    difference::{Kind, Rule},
};
use easrig_transport::ClientConfig;

use crate::rig::{self, Deed, Way, account, client, command, good, orders, run, scenario};

/// What every wait of two seconds becomes in the recording, in seconds.
const LONG: u64 = 840;

/// A phone that waits in vain three times, is woken once, and looks.
const WAITS: &str = r#"
[[step]]
send   = "Sync"
body   = '''<Sync xmlns="AirSync"><Collections><Collection>
  <SyncKey>{inbox_key}</SyncKey><CollectionId>{inbox}</CollectionId>
</Collection></Collections></Sync>'''
poll_s = 30
[step.expect]
element = [
  { at = "Sync/Collections/Collection/SyncKey", min_count = 0, save = "inbox_key" },
  { at = "**/Commands", absent = true },
]

[[step]]
send = "Ping"
body = '''<Ping xmlns="Ping"><HeartbeatInterval>2</HeartbeatInterval>
  <Folders><Folder><Id>{inbox}</Id><Class>Email</Class></Folder></Folders></Ping>'''
timeout_s = 20
[step.expect]
status = 1

[[step]]
send  = "Ping"
empty = true
timeout_s = 20
[step.expect]
status = 1

[[step]]
send = "Sync"
body = '''<Sync xmlns="AirSync"><Collections><Collection>
  <SyncKey>{inbox_key}</SyncKey><CollectionId>{inbox}</CollectionId>
</Collection></Collections><HeartbeatInterval>2</HeartbeatInterval></Sync>'''
timeout_s = 20
[step.expect]
http  = 200
empty = true

[[step]]
send       = "Ping"
empty      = true
background = "push"
timeout_s  = 20

[[step]]
role = "partner"
send = "SendMail"
mail = { to = "{address}", subject = "{tag} ring", text = "Hello." }
[step.expect]
http = 200

[[step]]
await = "push"
[step.expect]
status = 2

[[step]]
send   = "Sync"
body   = '''<Sync xmlns="AirSync"><Collections><Collection>
  <SyncKey>{inbox_key}</SyncKey><CollectionId>{inbox}</CollectionId>
</Collection></Collections></Sync>'''
poll_s = 30
[step.expect]
element = [{ at = "**/Add[ApplicationData/Subject={tag} ring]/ServerId", save = "mail" }]
"#;

/// A server that takes waits of `least` seconds.
async fn server(least: u32, switch: Option<Switch>) -> Server {
    let profile = include_str!("../../../../scenarios/profiles/exchange-2019.toml");
    let profile = profile.replace("_heartbeat   = [60,", &format!("_heartbeat   = [{least},"));
    assert!(profile.contains(&format!("[{least}, 3540]")));
    good(|config| {
        config.profile = Profile::parse(&profile).unwrap();
        config.switches = switch.into_iter().collect();
    })
    .await
}

fn url(server: &Server) -> String {
    format!("{}/Microsoft-Server-ActiveSync", server.url())
}

/// The phone's exchanges, as if everything that took two seconds had taken a quarter of an hour.
async fn recording() -> Vec<Exchange> {
    let server = server(2, None).await;
    let head = "effects = \"writes\"\nneeds = [\"partner\"]\nstart = \"synced\"";
    let record = run(orders(&url(&server), vec![scenario("ping/waits", head, WAITS)])).await;
    let cell = record.cell("ping/waits");
    assert_eq!(cell.verdict.to_string(), "pass", "{}", cell.reason);
    let mut passed = 0;
    let mut exchanges = record.exchanges.clone();
    exchanges.sort_by_key(|exchange| exchange.started);
    for exchange in &mut exchanges {
        exchange.started.0 += passed;
        let decoded = Decoded::of(exchange);
        if let Content::Document(document) = &decoded.request {
            let short = ">2</HeartbeatInterval>";
            let xml = document.to_xml();
            if xml.contains(short) {
                let long = xml.replace(short, &format!(">{LONG}</HeartbeatInterval>"));
                exchange.request.body = easrig_wbxml::Document::from_xml(&long).unwrap().encode();
            }
        }
        if exchange.times.done > 1_900_000 {
            let more = LONG * 1_000_000 - exchange.times.done;
            exchange.times.done += more;
            passed += i64::try_from(more).unwrap();
        }
    }
    assert!(passed > 3 * 800_000_000, "three long waits");
    exchanges
}

async fn replay(exchanges: &[Exchange], target: &str, pace: Pace) -> (Replayed, Vec<Exchange>) {
    let mut writer = EascapWriter::new(Vec::new()).unwrap();
    exchanges.iter().for_each(|exchange| writer.write(exchange).unwrap());
    let recording = Recording::read(Cursor::new(writer.into_inner()), &mut |_| true).unwrap();
    let orders = ReplayOrders {
        recording: "test".to_owned(),
        target_name: target.to_owned(),
        endpoint: target.parse().unwrap(),
        accounts: vec![account("alice"), account("bob")],
        mode: Mode::Rebound,
        pace,
        allowed: Allowed { writes: true, ..Allowed::default() },
        keep_content: false,
        client: client(ClientConfig::default()),
        trust: Vec::new(),
        wait: Duration::from_secs(5),
    };
    let folder = tempfile::tempdir().unwrap();
    let kept = Arc::new(RunFolder::create(&folder.path().join("run")).unwrap());
    let replayed = easrig_runner::replay(orders, recording, kept, Arc::new(()), std::future::pending());
    let replayed = replayed.await.unwrap();
    (replayed, rig::read(folder).exchanges)
}

/// The waits of Ping and Sync that went out, in their order; `None` for an empty Ping.
fn waits(exchanges: &[Exchange]) -> Vec<Option<String>> {
    let mut found = Vec::new();
    for exchange in exchanges {
        let decoded = Decoded::of(exchange);
        let root = decoded.request.root();
        let interval = root.and_then(|root| {
            let interval = root.children().find(|e| e.tag().name() == Some("HeartbeatInterval"))?;
            Some(interval.text().into_owned())
        });
        if interval.is_some() || decoded.command() == Some(easrig_eas::Command::Ping) {
            found.push(interval);
        }
    }
    found
}

#[tokio::test]
async fn a_fast_replay_does_not_wait_where_the_recording_waited_in_vain() {
    let recorded = recording().await;
    for least in [1, 2] {
        let server = server(least, None).await;
        let begun = Instant::now();
        let (replayed, exchanges) = replay(&recorded, &url(&server), Pace::Fast).await;
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
        let told: Vec<_> = replayed.exchanges.iter().filter(|row| row.came > Came::Allowed).collect();
        assert!(told.is_empty(), "{told:#?}");
        assert!(replayed.allowed.iter().any(|(rule, count)| rule == Rule::Heartbeat && count == 4));
        // What the target does not take is asked once; a Ping without body stays one, and is repeated until it is woken.
        let refused = (least == 2).then(|| Some("1".to_owned()));
        let short = || Some(least.to_string());
        let mut expected: Vec<_> = refused.clone().into_iter().chain([short(), None]).collect();
        expected.extend(refused);
        expected.extend([short(), None]);
        let mut sent = waits(&exchanges);
        let last = sent.iter().rposition(Option::is_some).unwrap();
        sent.truncate(last + 2);
        assert_eq!(sent, expected);
    }
}

#[tokio::test]
async fn what_a_shorter_wait_may_have_missed_is_not_called_lost() {
    let recorded = recording().await;
    let lossy = server(1, Some(Switch::SentMailLost)).await;
    // Nothing wakes the last Ping: the recorded wait is the limit of what is waited for.
    let mut awake = recorded.clone();
    awake.retain(|exchange| !is_woken(exchange));
    let (replayed, _) = replay(&awake, &url(&lossy), Pace::Fast).await;
    let lost: Vec<_> = replayed
        .exchanges
        .iter()
        .filter(|row| row.differences.iter().any(|difference| difference.kind == Kind::ItemLost))
        .collect();
    assert!(!lost.is_empty() && lost.iter().all(|row| row.came == Came::Inconclusive), "{lost:#?}");
    let why = lost[0].why.as_deref().unwrap();
    assert!(why.contains("heartbeats were shortened") && why.contains("--pace real"), "{why}");
}

fn is_woken(exchange: &Exchange) -> bool {
    let decoded = Decoded::of(exchange);
    decoded.command() == Some(easrig_eas::Command::Ping)
        && decoded.status.is_some_and(|(_, status)| status == easrig_eas::Status(2))
}

#[tokio::test]
async fn what_comes_after_a_shortened_heartbeat_is_still_seen() {
    let recorded = recording().await;
    let server = server(1, None).await;
    // The mail is sent three seconds after the phone began to wait, behind several short heartbeats.
    let slow = Way::to(&server, |request| match command(&request.path_and_query) {
        name if name == "SendMail" => Deed::Late(Duration::from_secs(3)),
        _ => Deed::Pass,
    })
    .await;
    let (replayed, exchanges) = replay(&recorded, &slow.url, Pace::Fast).await;
    let told: Vec<_> = replayed.exchanges.iter().filter(|row| row.came > Came::Allowed).collect();
    assert!(told.is_empty(), "{told:#?}");
    assert!(waits(&exchanges).iter().filter(|wait| wait.is_none()).count() > 2, "{:?}", waits(&exchanges));
}
