//! Care for mailboxes in use: no lockouts, constant devices, one cell at a time.

use std::{collections::BTreeSet, sync::Arc};

use easrig_exchange::{Headers, Secret};
use easrig_refserver::{DeviceKey, Profile};
use easrig_runner::{Account, Allowed, Orders};
use easrig_scenario::{Scenario, Verdict};
use easrig_transport::{ServerRequest, ServerResponse};

use crate::rig::{self, Deed, Record, Seen, Way};

fn unauthorised(challenge: &str) -> Deed {
    let headers =
        Headers::from_iter([("WWW-Authenticate", challenge)].into_iter().filter(|(_, value)| !value.is_empty()));
    Deed::Say(ServerResponse { status: 401, headers, body: Vec::new() })
}

fn ladders() -> Vec<Arc<Scenario>> {
    ["probe/a", "probe/b", "probe/c"].map(rig::ladder).to_vec()
}

#[tokio::test]
async fn the_first_refused_password_stops_the_account() {
    let server = rig::good(|_| {}).await;
    for challenge in ["Basic realm=\"x\"", "Negotiate, Basic realm=\"x\"", ""] {
        let way = Way::to(&server, move |_| unauthorised(challenge)).await;
        let personas = ["android-4", "wp7", "ios-17"].map(rig::persona).to_vec();
        let orders = Orders { personas, repeat: 3, ..rig::orders(&way.url, ladders()) };
        let record = rig::run(orders).await;
        assert_eq!(way.seen().len(), 1, "{challenge}: {:?}", way.seen());
        assert_eq!(record.cells().len(), 9);
        for cell in record.cells() {
            assert_eq!(cell.verdict, Verdict::Inconclusive, "{cell:?}");
            assert!(cell.reason.contains("password was refused (HTTP 401)"), "{}", cell.reason);
            assert!(cell.reason.contains("`alice`"), "{}", cell.reason);
        }
    }
}

#[tokio::test]
async fn a_password_refused_in_the_middle_of_a_cell_is_not_sent_again_to_clean_up() {
    let server = rig::good(|_| {}).await;
    let way = Way::to(&server, |request| match rig::command(&request.path_and_query).as_str() {
        "Sync" => unauthorised("Basic realm=\"x\""),
        _ => Deed::Pass,
    })
    .await;
    let steps = "[[step]]\ndo = \"first_sync\"\npoll_s = 9\nfolders = [\"inbox\"]\n[[cleanup]]\ndo = \"folder_sync\"";
    let writes = rig::scenario("probe/writes", "effects = \"writes\"\nstart = \"foldered\"", steps);
    let record = rig::run(rig::orders(&way.url, vec![writes, rig::ladder("probe/z")])).await;
    let last = way.seen().pop().unwrap();
    assert_eq!(rig::command(&last.query), "Sync", "nothing is sent after the refusal");
    assert_eq!(way.seen().iter().filter(|seen| rig::command(&seen.query) == "Sync").count(), 1);
    assert!(record.cell("probe/writes").reason.contains("HTTP 401"), "{:?}", record.cell("probe/writes"));
    assert_eq!(record.cell("probe/z").verdict, Verdict::Inconclusive);
}

#[tokio::test]
async fn a_server_without_basic_has_refused_no_password_and_blocks_the_phone() {
    let server = rig::good(|_| {}).await;
    let way = Way::to(&server, |_| unauthorised("Bearer authorization_uri=\"https://login.example.org\"")).await;
    let record = rig::run(rig::orders(&way.url, ladders())).await;
    for cell in record.cells() {
        assert_eq!(cell.verdict, Verdict::Blocked, "{cell:?}");
    }
}

#[tokio::test]
async fn one_account_that_is_stopped_leaves_the_others_alone() {
    let server = rig::good(|_| {}).await;
    let way = Way::to(&server, |_| Deed::Pass).await;
    let mut accounts: Vec<Account> = ["alice", "bob", "carol", "dave"].map(rig::account).to_vec();
    accounts[0] = "alice=alice@easrig.test:not-this-one".parse().unwrap();
    let personas = ["android-4", "wp7"].map(rig::persona).to_vec();
    let record = rig::run(Orders { accounts, personas, jobs: 2, ..rig::orders(&way.url, ladders()) }).await;
    for cell in record.cells() {
        let wanted = if cell.id.persona == "wp7" { Verdict::Pass } else { Verdict::Inconclusive };
        assert_eq!(cell.verdict, wanted, "{cell:?}");
    }
    let wrong: BTreeSet<_> = way.seen().into_iter().map(|seen| seen.authorization).collect();
    assert_eq!(wrong.len(), 2);
}

fn wrong_password(id: &str) -> Arc<Scenario> {
    let steps = r#"[[step]]
send = "OPTIONS"
[step.expect]
http = 200

[[step]]
send = "FolderSync"
login = "wrong-password"
body = '''<FolderSync xmlns="FolderHierarchy"><SyncKey>0</SyncKey></FolderSync>'''
[step.expect]
http = 401"#;
    rig::scenario(id, "effects = \"reads\"\nstart = \"options\"", steps)
}

/// The users of the requests whose password was none of ours.
async fn tried(allowed: Allowed) -> (Record, Vec<String>) {
    let server = rig::good(|_| {}).await;
    let way = Way::to(&server, |_| Deed::Pass).await;
    let scenarios = ["probe/a", "probe/b"].map(wrong_password).to_vec();
    let record = rig::run(Orders { allowed, ..rig::orders(&way.url, scenarios) }).await;
    let user = |seen: &Seen| {
        use base64::Engine;
        let token = seen.authorization.strip_prefix("Basic ")?;
        let plain = String::from_utf8(base64::engine::general_purpose::STANDARD.decode(token).ok()?).ok()?;
        plain.split_once(':').filter(|(_, secret)| *secret != rig::SECRET).map(|(user, _)| user.to_owned())
    };
    let users = way.seen().iter().filter_map(user).collect();
    (record, users)
}

#[tokio::test]
async fn wrong_passwords_are_tried_on_nobody_and_stop_no_account() {
    let (record, users) = tried(Allowed::default()).await;
    assert!(users.len() == 2 && users.iter().all(|user| user.starts_with("nobody-easrig-")), "{users:?}");
    assert!(record.cells().iter().all(|cell| cell.verdict == Verdict::Pass), "{:?}", record.verdicts());
}

#[tokio::test]
async fn a_permitted_lockout_is_tried_once_in_a_run() {
    let (record, users) = tried(Allowed { lockout: true, ..Allowed::default() }).await;
    assert_eq!(users.iter().filter(|user| *user == "alice").count(), 1, "{users:?}");
    assert_eq!(users[0], "alice");
    assert!(record.cells().iter().all(|cell| cell.verdict == Verdict::Pass), "{:?}", record.verdicts());
}

/// The devices that the server saw, by their ids.
fn devices(way: &Way) -> BTreeSet<String> {
    let id = |seen: Seen| {
        let query = seen.query.split_once('?')?.1.to_owned();
        let line = easrig_eas::query::QueryLine::parse(&query).ok()?;
        Some(DeviceKey::from(&line.device_id).to_string())
    };
    way.seen().into_iter().filter_map(id).collect()
}

#[tokio::test]
async fn devices_are_the_same_in_every_run() {
    let server = rig::good(|_| {}).await;
    let mut runs = Vec::new();
    for seed in [1, 99] {
        let way = Way::to(&server, |_| Deed::Pass).await;
        let personas = ["android-4", "wp7", "ios-17"].map(rig::persona).to_vec();
        let orders = Orders { personas, seed, jobs: seed as usize, ..rig::orders(&way.url, ladders()) };
        let outline = easrig_runner::outline(&orders);
        rig::run(orders).await;
        assert_eq!(devices(&way).len(), outline.partnerships);
        runs.push(devices(&way));
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test]
async fn one_pair_of_accounts_is_busy_with_one_cell_at_a_time() {
    let server = rig::good(|_| {}).await;
    let personas = || ["android-4", "wp7", "ios-17", "ios-11"].map(rig::persona).to_vec();
    let late = |_: &ServerRequest| Deed::Pass;
    let way = Way::to(&server, late).await;
    rig::run(Orders { personas: personas(), jobs: 8, ..rig::orders(&way.url, ladders()) }).await;
    assert_eq!(way.busiest(), 1);
    let way = Way::to(&server, late).await;
    let accounts = ["alice", "bob", "carol", "dave"].map(rig::account).to_vec();
    rig::run(Orders { personas: personas(), accounts, jobs: 8, ..rig::orders(&way.url, ladders()) }).await;
    assert!(way.busiest() <= 2, "{}", way.busiest());
}

#[tokio::test]
async fn a_limit_of_devices_that_the_run_itself_met_is_inconclusive() {
    let limited = |most| {
        move |config: &mut easrig_refserver::ServerConfig| {
            config.profile = Profile { partnerships: Some(most), ..config.profile.clone() };
        }
    };
    let server = rig::good(limited(2)).await;
    let way = Way::to(&server, |_| Deed::Pass).await;
    let personas = ["android-4", "wp7", "ios-17"].map(rig::persona).to_vec();
    let scenarios = vec![rig::ladder("probe/a"), rig::explicit_set_up("probe/b")];
    let record = rig::run(Orders { personas, ..rig::orders(&way.url, scenarios) }).await;
    for cell in record.cells() {
        if cell.id.persona != "ios-17" {
            assert_eq!(cell.verdict, Verdict::Pass, "{cell:?}");
            continue;
        }
        assert_eq!(cell.verdict, Verdict::Inconclusive, "{cell:?}");
        assert!(cell.reason.contains("has registered 2: android-4 (phone), wp7 (phone)"), "{}", cell.reason);
    }
    // Devices of others are the server's affair: the owner of this one is blocked.
    let server = rig::good(limited(0)).await;
    let way = Way::to(&server, |_| Deed::Pass).await;
    let record = rig::run(rig::orders(&way.url, vec![rig::ladder("probe/a")])).await;
    assert_eq!(record.cell("probe/a").verdict, Verdict::Blocked, "{:?}", record.cell("probe/a"));
}

/// A token, and no password.
fn with_token(user: &str) -> Account {
    rig::account(user).with_token()
}

#[tokio::test]
async fn a_phone_that_can_signs_in_with_the_token_and_no_other_phone_is_shown_it() {
    let server = rig::good(|config| config.profile = "exchange-online".parse().unwrap()).await;
    let way = Way::to(&server, |_| Deed::Pass).await;
    let accounts = ["alice", "bob"].map(with_token).to_vec();
    let personas = ["android-4", "ios-17"].map(rig::persona).to_vec();
    let record = rig::run(Orders { accounts, personas, ..rig::orders(&way.url, ladders()) }).await;
    for cell in record.cells() {
        let wanted = if cell.id.persona == "ios-17" { Verdict::Pass } else { Verdict::Blocked };
        assert_eq!(cell.verdict, wanted, "{cell:?}");
    }
    let sent: BTreeSet<_> = way.seen().into_iter().map(|seen| seen.authorization).collect();
    assert_eq!(sent, [String::new(), format!("Bearer {}", rig::SECRET)].into());
}

#[tokio::test]
async fn a_phone_without_its_password_says_nothing_about_a_server_that_wants_one() {
    let server = rig::good(|_| {}).await;
    let way = Way::to(&server, |_| Deed::Pass).await;
    let accounts = ["alice", "bob"].map(with_token).to_vec();
    let record = rig::run(Orders { accounts, ..rig::orders(&way.url, ladders()) }).await;
    for cell in record.cells() {
        assert_eq!(cell.verdict, Verdict::Inconclusive, "{cell:?}");
        assert!(cell.reason.contains("`alice` was given with a token only"), "{}", cell.reason);
    }
}

#[tokio::test]
async fn a_server_that_takes_no_tokens_gets_the_password_in_every_cell() {
    let server = rig::good(|_| {}).await;
    let way = Way::to(&server, |_| Deed::Pass).await;
    let both = |user| Account { token: Some(Secret::new("ey-Canary-token")), ..rig::account(user) };
    let accounts = ["alice", "bob"].map(both).to_vec();
    let personas = vec![rig::persona("ios-17")];
    let step = "[[step]]\nsend = \"OPTIONS\"\n[step.expect]\nhttp = 200";
    let explicit = rig::scenario("probe/explicit", "effects = \"reads\"", step);
    let scenarios = vec![explicit, rig::ladder("probe/ladder")];
    let record = rig::run(Orders { accounts, personas, ..rig::orders(&way.url, scenarios) }).await;
    for cell in record.cells() {
        assert!(matches!(cell.verdict, Verdict::Pass), "{cell:?}");
    }
    let tokens = way.seen().into_iter().filter(|seen| seen.authorization.starts_with("Bearer")).count();
    assert_eq!(tokens, 1, "it is tried once in a run");
    assert!(!String::from_utf8_lossy(&record.written()).contains("ey-Canary"));
}

#[tokio::test]
async fn a_token_that_is_refused_is_not_sent_again() {
    let server = rig::good(|config| config.profile = "exchange-online".parse().unwrap()).await;
    let way = Way::to(&server, |_| Deed::Pass).await;
    let accounts = vec!["alice:expired".parse::<Account>().unwrap().with_token()];
    let personas = vec![rig::persona("ios-17")];
    let record = rig::run(Orders { accounts, personas, ..rig::orders(&way.url, ladders()) }).await;
    assert_eq!(way.seen().len(), 1);
    assert!(record.cells().iter().all(|cell| cell.verdict == Verdict::Inconclusive), "{:?}", record.verdicts());
}
