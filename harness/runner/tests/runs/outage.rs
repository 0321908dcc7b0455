use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use easrig_runner::{Orders, Target};
use easrig_scenario::{Verdict, event::Event};
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
