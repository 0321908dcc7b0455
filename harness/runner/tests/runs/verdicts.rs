use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use easrig_exchange::{Failure, Outcome};
use easrig_runner::{Orders, RunError, RunFolder};
use easrig_scenario::Verdict;

use crate::rig::{self, Deed, Way};

#[tokio::test]
async fn the_order_of_the_cells_changes_no_verdict() {
    let ids = [
        "journeys/onboarding-by-server-name",
        "folder-sync/bad-key",
        "folder-create/name-clash",
        "sync/bad-key",
        "sync/more-available",
        "send-mail/delivered",
        "provision/policy-handshake",
        "get-item-estimate/estimate",
    ];
    let mut seen: Vec<BTreeMap<_, _>> = Vec::new();
    for order in 0..3 {
        let server = rig::good(|_| {}).await;
        let mut scenarios: Vec<_> = ids.map(rig::shipped).to_vec();
        let mut personas = ["android-4", "ios-17"].map(rig::persona).to_vec();
        match order {
            1 => {
                scenarios.reverse();
                personas.reverse();
            }
            2 => scenarios.rotate_left(3),
            _ => {}
        }
        let url = format!("{}/Microsoft-Server-ActiveSync", server.url());
        let record = rig::run(Orders { personas, seed: order, ..rig::orders(&url, scenarios) }).await;
        seen.push(record.verdicts());
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
    assert!(seen[0].values().filter(|verdict| *verdict == "pass").count() > 10, "{:?}", seen[0]);
}

#[tokio::test]
async fn a_cell_that_is_not_the_same_in_every_try_is_called_flaky() {
    let server = rig::good(|_| {}).await;
    let count = AtomicUsize::new(0);
    let way = Way::to(&server, move |request| match rig::command(&request.path_and_query).as_str() {
        "FolderSync" if count.fetch_add(1, Ordering::SeqCst) == 1 => rig::says(500, "text/html", b"<html></html>"),
        _ => Deed::Pass,
    })
    .await;
    let blunt = rig::scenario(
        "probe/blunt",
        "effects = \"reads\"",
        r#"[[step]]
send = "FolderSync"
body = '''<FolderSync xmlns="FolderHierarchy"><SyncKey>0</SyncKey></FolderSync>'''
[step.expect]
http = [200, 449]"#,
    );
    let record = rig::run(Orders { repeat: 3, ..rig::orders(&way.url, vec![blunt]) }).await;
    let cell = record.cell("probe/blunt");
    assert_eq!(cell.verdict, Verdict::Fail, "the worst of the tries counts");
    assert!(cell.notes.contains(&"flaky: 2 pass, 1 fail of 3 tries".to_owned()), "{:?}", cell.notes);
    assert_eq!(cell.exchanges.len(), 3, "and every try is shown");
}

#[tokio::test]
async fn the_cells_behind_a_device_error_name_the_one_that_met_it_first() {
    let server = rig::good(|_| {}).await;
    let way = Way::to(&server, |request| match rig::command(&request.path_and_query).as_str() {
        "FolderSync" => rig::says(403, "", b""),
        _ => Deed::Pass,
    })
    .await;
    let scenarios = ["probe/a", "probe/b", "probe/c"].map(rig::ladder).to_vec();
    let record = rig::run(rig::orders(&way.url, scenarios)).await;
    let causes: Vec<_> = record.cells().iter().map(|c| c.blocked_by.as_ref().map(|c| c.scenario.clone())).collect();
    assert_eq!(causes, [None, Some("probe/a".to_owned()), Some("probe/a".to_owned())]);
}

#[tokio::test]
async fn a_run_without_accounts_is_refused_before_anything_is_written() {
    struct Silent;
    impl easrig_runner::Observer for Silent {}
    let folder = tempfile::tempdir().unwrap();
    let orders = Orders { accounts: Vec::new(), ..rig::orders("http://127.0.0.1:1/", vec![rig::ladder("probe/a")]) };
    let run = RunFolder::create(&folder.path().join("run")).unwrap();
    let refused = easrig_runner::run(orders, Arc::new(run), None, Arc::new(Silent)).await;
    assert!(matches!(refused, Err(RunError::NoAccount)), "{refused:?}");
}

#[tokio::test]
async fn a_ping_that_waits_when_its_cell_ends_is_hung_up_and_written_down() {
    let server = rig::good(|_| {}).await;
    let way = Way::to(&server, |_| Deed::Pass).await;
    let waiting = rig::scenario(
        "probe/ping",
        "effects = \"reads\"\nstart = \"synced\"",
        r#"[[step]]
do = "ping"
within_s = 60
background = "ping"

[[step]]
send = "OPTIONS"
[step.expect]
http = 418

[[step]]
await = "ping""#,
    );
    let record = rig::run(rig::orders(&way.url, vec![waiting])).await;
    assert_eq!(record.cell("probe/ping").verdict, Verdict::Fail, "{:?}", record.cell("probe/ping"));
    let cancelled = record.exchanges.iter().filter(|exchange| exchange.outcome == Outcome::Failed(Failure::Cancelled));
    assert_eq!(cancelled.count(), 1);
    assert_eq!(way.seen().len(), record.exchanges.len(), "every request is an exchange");
}
