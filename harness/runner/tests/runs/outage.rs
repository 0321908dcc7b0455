use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use easrig_runner::{Orders, Target};
use easrig_scenario::{Scenario, Verdict, event::Event};
use easrig_transport::{ClientConfig, Resolve};
use tokio::sync::Mutex;

use crate::rig::{self, Deed, Way};

fn lost(event: &Event) -> bool {
    matches!(event, Event::TargetLost { .. })
}

fn back(event: &Event) -> bool {
    matches!(event, Event::TargetBack { .. })
}

#[tokio::test]
async fn a_server_that_dies_is_reported_once_and_the_rest_goes_on_when_it_is_back() {
    let server = rig::good(|_| {}).await;
    let posts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&posts);
    let way = Way::to(&server, move |request| {
        // A phone asks twice, before and after provisioning; the third phone is not answered: the server dies.
        let folders = rig::command(&request.path_and_query) == "FolderSync";
        if folders && counted.fetch_add(1, Ordering::SeqCst) == 4 { Deed::Hang } else { Deed::Pass }
    })
    .await;
    let url = way.url.clone();
    let way = Arc::new(Mutex::new(way));
    let (dying, died) = (Arc::clone(&way), Arc::clone(&posts));
    tokio::spawn(async move {
        while died.load(Ordering::SeqCst) < 5 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        dying.lock().await.die().await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        dying.lock().await.come_back().await;
    });
    let ids = ["probe/a", "probe/b", "probe/c", "probe/d", "probe/e", "probe/f"];
    let record = rig::run(rig::orders(&url, ids.map(rig::ladder).to_vec())).await;
    assert!(record.is_finished());
    assert_eq!((record.count(lost), record.count(back)), (1, 1), "{:?}", record.verdicts());
    let verdicts: Vec<_> = record.cells().iter().map(|cell| cell.verdict).collect();
    assert_eq!(verdicts[..2], [Verdict::Pass; 2]);
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Pass).count(), 4, "{:?}", record.verdicts());
    assert_eq!(verdicts[4..], [Verdict::Pass; 2], "after the outage all goes on: {:?}", record.verdicts());
}

#[tokio::test]
async fn a_server_that_never_comes_back_costs_one_wait_and_every_other_cell_says_why() {
    let server = rig::good(|_| {}).await;
    let way = Way::to(&server, |_| Deed::Pass).await;
    let url = way.url.clone();
    let way = Arc::new(Mutex::new(way));
    let dying = Arc::clone(&way);
    let step = "[[step]]\ndo = \"folder_sync\"\n\n[[step]]\ndo = \"folder_sync\"\npause_s = 2\n";
    let long = rig::scenario("probe/a", "effects = \"reads\"\nstart = \"foldered\"", step);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        dying.lock().await.die().await;
    });
    let scenarios = vec![long, rig::ladder("probe/b"), rig::ladder("probe/c")];
    let personas = ["android-4", "wp7"].map(rig::persona).to_vec();
    let record = rig::run(Orders { outage: Duration::from_secs(1), personas, ..rig::orders(&url, scenarios) }).await;
    assert_eq!((record.count(lost), record.count(back)), (1, 0));
    assert_eq!(record.cells().len(), 6);
    for cell in record.cells() {
        assert_eq!(cell.verdict, Verdict::Inconclusive, "{cell:?}");
        assert!(cell.reason.contains("refused the connection"), "{}", cell.reason);
    }
}

#[tokio::test]
async fn the_dead_ends_of_autodiscover_are_no_outage() {
    let server = rig::good(|config| config.tls = true).await;
    let root = easrig_transport::read_certificates(server.ca_pem().unwrap().as_bytes()).unwrap();
    let own = server.address();
    // Nobody is at the domain itself; the server is at the second place that is asked.
    let resolve: Vec<Resolve> = [
        "easrig.test:443=127.0.0.1:1".to_owned(),
        format!("autodiscover.easrig.test:443={own}"),
        format!("127.0.0.1:{}={own}", own.port()),
    ]
    .iter()
    .map(|entry| entry.parse().unwrap())
    .collect();
    let client = rig::client(ClientConfig { extra_roots: root, resolve, insecure: true, ..ClientConfig::default() });
    let scenarios = ["probe/a", "probe/b", "probe/c"].map(rig::ladder).to_vec();
    let orders = Orders {
        target: Target::Address("alice@easrig.test".to_owned()),
        client,
        outage: Duration::from_secs(1),
        ..rig::orders("https://easrig.test/", scenarios)
    };
    let record = rig::run(orders).await;
    assert_eq!(record.count(lost), 0, "{:?}", record.verdicts());
    let refused = record.exchanges.iter().filter(|exchange| exchange.response().is_none()).count();
    assert!(refused >= 3, "every cell tried the domain itself first");
    for cell in record.cells() {
        assert_eq!(cell.verdict, Verdict::Pass, "{cell:?}");
    }
}

/// FolderSync from a phone that needs no other request before.
fn folders(ids: &[&str]) -> Vec<Arc<Scenario>> {
    ids.iter().map(|id| rig::explicit(id)).collect()
}

const SIX: [&str; 6] = ["probe/a", "probe/b", "probe/c", "probe/d", "probe/e", "probe/f"];

#[tokio::test]
async fn a_server_that_takes_requests_and_answers_none_is_lost_after_three_of_them() {
    let server = rig::good(|_| {}).await;
    let posts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&posts);
    let way = Way::to(&server, move |request| {
        let silent = counted.load(Ordering::SeqCst) >= 1;
        counted.fetch_add(usize::from(request.method == "POST"), Ordering::SeqCst);
        if silent { Deed::Hang } else { Deed::Pass }
    })
    .await;
    let personas = ["android-4", "wp7"].map(rig::persona).to_vec();
    let orders = Orders { outage: Duration::from_secs(3), personas, ..rig::orders(&way.url, folders(&SIX)) };
    let record = rig::run(orders).await;
    assert_eq!((record.count(lost), record.count(back)), (1, 0), "{:?}", record.verdicts());
    let unanswered = record.exchanges.iter().filter(|exchange| exchange.response().is_none()).count();
    assert_eq!(unanswered, 3, "the fourth is not sent");
    let cells = record.cells();
    assert_eq!(cells.len(), 12);
    for cell in &cells[1..] {
        assert_eq!(cell.verdict, Verdict::Inconclusive, "{cell:?}");
    }
    let reason = &cells[11].reason;
    assert!(reason.contains("3 commands in a row were taken and never answered"), "{reason}");
}

#[tokio::test]
async fn a_silent_server_that_speaks_again_is_used_again() {
    let server = rig::good(|_| {}).await;
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&seen);
    // Four requests of phones are left waiting at most; the looks for a sign of life carry no credentials.
    let way = Way::to(&server, move |request| {
        let silent = (2..5).contains(&counted.load(Ordering::SeqCst));
        counted.fetch_add(usize::from(request.headers.get("Authorization").is_some()), Ordering::SeqCst);
        if silent { Deed::Hang } else { Deed::Pass }
    })
    .await;
    let record = rig::run(rig::orders(&way.url, folders(&SIX))).await;
    assert_eq!((record.count(lost), record.count(back)), (1, 1), "{:?}", record.verdicts());
    let verdicts: Vec<_> = record.cells().iter().map(|cell| cell.verdict).collect();
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Inconclusive).count(), 3, "{verdicts:?}");
    assert_ne!(verdicts[5], Verdict::Inconclusive, "{verdicts:?}");
}

#[tokio::test]
async fn a_proxy_that_answers_for_a_server_that_hangs_misleads_once() {
    let server = rig::good(|_| {}).await;
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&seen);
    let way = Way::to(&server, move |request| match request.headers.get("Authorization") {
        None => rig::says(401, "", b""),
        Some(_) if counted.fetch_add(1, Ordering::SeqCst) >= 2 => Deed::Hang,
        Some(_) => Deed::Pass,
    })
    .await;
    let ids: Vec<_> = (0..20).map(|n| format!("probe/n{n}")).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let record = rig::run(Orders { outage: Duration::from_secs(1), ..rig::orders(&way.url, folders(&ids)) }).await;
    assert_eq!((record.count(lost), record.count(back)), (1, 0), "{:?}", record.verdicts());
    let unanswered = record.exchanges.iter().filter(|exchange| exchange.response().is_none()).count();
    assert_eq!(unanswered, 4, "three, and one more on the proxy's word");
}

/// Every cell begins with OPTIONS, and goes on with a command.
#[tokio::test]
async fn a_server_that_answers_options_and_hangs_at_every_command_is_lost_after_three_of_them() {
    let server = rig::good(|_| {}).await;
    let way = Way::to(&server, |request| if request.method == "POST" { Deed::Hang } else { Deed::Pass }).await;
    let ids: Vec<_> = (0..20).map(|n| format!("probe/n{n}")).collect();
    let personas = ["android-4", "wp7"].map(rig::persona).to_vec();
    let scenarios = ids.iter().map(|id| rig::habit(id)).collect();
    let orders = Orders { outage: Duration::from_secs(1), personas, ..rig::orders(&way.url, scenarios) };
    let record = rig::run(orders).await;
    assert_eq!((record.count(lost), record.count(back)), (1, 0), "{:?}", record.verdicts());
    let unanswered = record.exchanges.iter().filter(|exchange| exchange.response().is_none()).count();
    assert_eq!(unanswered, 4, "three, and one more on the word of OPTIONS");
    let cells = record.cells();
    assert_eq!(cells.len(), 40);
    assert!(cells.iter().all(|cell| cell.verdict == Verdict::Inconclusive), "{:?}", record.verdicts());
    let reason = &cells[39].reason;
    assert!(reason.contains("3 commands in a row were taken and never answered"), "{reason}");
}

/// One command that hangs is that command's own fault, as long as others are answered.
#[tokio::test]
async fn a_server_that_hangs_at_one_command_and_answers_the_others_is_no_outage() {
    let server = rig::good(|_| {}).await;
    let way = Way::to(&server, |request| match rig::command(&request.path_and_query).as_str() {
        "Search" => Deed::Hang,
        _ => Deed::Pass,
    })
    .await;
    let search = |id: &&str| {
        let body = r#"<Search xmlns="Search"><Store><Name>GAL</Name><Query>a</Query></Store></Search>"#;
        let step =
            format!("[[step]]\nsend = \"Search\"\ntimeout_s = 1\nbody = '''{body}'''\n[step.expect]\nhttp = 200");
        rig::scenario(id, "effects = \"reads\"\nstart = \"foldered\"", &step)
    };
    let record = rig::run(rig::orders(&way.url, SIX.iter().map(search).collect())).await;
    assert_eq!(record.exchanges.iter().filter(|exchange| exchange.response().is_none()).count(), 6);
    assert_eq!(record.count(lost), 0, "{:?}", record.verdicts());
}

#[tokio::test]
async fn a_ping_that_waits_is_no_outage() {
    let server = rig::good(|_| {}).await;
    let way = Way::to(&server, |request| match rig::command(&request.path_and_query).as_str() {
        "Ping" => Deed::Hang,
        _ => Deed::Pass,
    })
    .await;
    let ping = |id: &&str| {
        let body = r#"<Ping xmlns="Ping"><HeartbeatInterval>60</HeartbeatInterval><Folders><Folder><Id>5</Id><Class>Email</Class></Folder></Folders></Ping>"#;
        let step = format!("[[step]]\nsend = \"Ping\"\ntimeout_s = 1\nbody = '''{body}'''\n[step.expect]\nhttp = 200");
        rig::scenario(id, "effects = \"reads\"", &step)
    };
    let record = rig::run(rig::orders(&way.url, SIX.iter().map(ping).collect())).await;
    assert_eq!(record.exchanges.iter().filter(|exchange| exchange.response().is_none()).count(), 6);
    assert_eq!(record.count(lost), 0, "{:?}", record.verdicts());
}
