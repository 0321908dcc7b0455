use super::*;
use crate::decoded::tests::exchange;

pub(crate) use crate::decoded::tests::answer;

/// What a rule says of one exchange after another; every second takes a second.
pub(crate) fn remarks(conduct: &Conduct, exchanges: &[Exchange]) -> Vec<Remark> {
    let mut watch = conduct.begin();
    let mut out = Vec::new();
    for (place, exchange) in exchanges.iter().enumerate() {
        let mut exchange = exchange.clone();
        if exchange.started == Timestamp(0) {
            exchange.started = Timestamp(i64::try_from(place).expect("few") * 1_000_000);
        }
        let decoded = Decoded::of(&exchange);
        watch.look(&Seen { exchange: &exchange, decoded: &decoded, gap: None, whole: true }, &mut out);
    }
    out
}

fn broken(conduct: &Conduct, exchanges: &[Exchange]) -> Vec<(Level, String)> {
    let told = |remark| match remark {
        Remark::Broken { level, actual, .. } => Some((level, actual)),
        Remark::Kept | Remark::Unclear(_) => None,
    };
    remarks(conduct, exchanges).into_iter().filter_map(told).collect()
}

fn rule(name: &str) -> &'static Conduct {
    Conduct::find(name).expect("listed")
}

fn sync(old: &str, new: &str) -> Exchange {
    let collection = |key: &str, more: &str| {
        format!(
            r#"<Sync xmlns="AirSync"><Collections><Collection><SyncKey>{key}</SyncKey><CollectionId>5</CollectionId>{more}</Collection></Collections></Sync>"#
        )
    };
    exchange("Sync", "14.1", &collection(old, ""), &collection(new, "<Status>1</Status>"))
}

fn folders(old: &str) -> Exchange {
    let answer = r#"<FolderSync xmlns="FolderHierarchy"><Status>1</Status><SyncKey>1</SyncKey><Changes><Count>1</Count><Add><ServerId>5</ServerId><ParentId>0</ParentId><DisplayName>Inbox</DisplayName><Type>2</Type></Add></Changes></FolderSync>"#;
    let request = format!(r#"<FolderSync xmlns="FolderHierarchy"><SyncKey>{old}</SyncKey></FolderSync>"#);
    exchange("FolderSync", "14.1", &request, answer)
}

#[test]
fn names_are_unique_and_texts_are_there() {
    for conduct in &CONDUCTS {
        assert!(std::ptr::eq(rule(conduct.name), conduct));
        assert!([conduct.title, conduct.why].iter().all(|text| !text.is_empty()));
    }
}

#[test]
fn an_old_key_is_told_and_a_repeated_one_is_not() {
    let keys = |all: &[(&str, &str)]| {
        let all: Vec<Exchange> = all.iter().map(|(old, new)| sync(old, new)).collect();
        broken(rule("sync-key"), &all).len()
    };
    assert_eq!(keys(&[("0", "a"), ("a", "b"), ("b", "c")]), 0);
    assert_eq!(keys(&[("0", "a"), ("a", "b"), ("a", "b"), ("b", "c")]), 0, "the answer never reached the phone");
    assert_eq!(keys(&[("0", "a"), ("a", "b"), ("b", "c"), ("a", "b")]), 1);
    assert_eq!(keys(&[("0", "a"), ("a", "b"), ("b", "c"), ("0", "d"), ("d", "e")]), 0);
    assert_eq!(keys(&[("0", "a"), ("made-up", "b")]), 1);
}

#[test]
fn a_key_from_before_the_recording_cannot_be_judged() {
    let said = remarks(rule("sync-key"), &[sync("a", "b"), sync("b", "c")]);
    assert!(matches!(said[..], [Remark::Unclear(_), Remark::Kept]), "{said:?}");
    let mut imported = [sync("0", "a"), sync("made-up", "b")];
    imported.iter_mut().for_each(|one| one.origin = Origin::Imported);
    assert!(matches!(remarks(rule("sync-key"), &imported)[..], [Remark::Kept, Remark::Unclear(_)]));
}

#[test]
fn a_request_that_was_under_way_when_its_key_was_replaced_is_fine() {
    let mut held = sync("a", "a");
    held.started = Timestamp(1_500_000);
    let all = [sync("0", "a"), sync("a", "b"), sync("b", "c"), sync("c", "d"), held];
    assert_eq!(broken(rule("sync-key"), &all), []);
}

#[test]
fn a_folder_nobody_told_of_is_told() {
    assert_eq!(broken(rule("folder-id"), &[folders("0"), sync("0", "a")]), []);
    let other = r#"<Ping xmlns="Ping"><HeartbeatInterval>300</HeartbeatInterval><Folders><Folder><Id>99</Id><Class>Email</Class></Folder></Folders></Ping>"#;
    let ping = exchange("Ping", "14.1", other, r#"<Ping xmlns="Ping"><Status>1</Status></Ping>"#);
    assert_eq!(broken(rule("folder-id"), &[folders("0"), ping.clone()]), [(Level::Must, "folder `99`".to_owned())]);
    assert_eq!(remarks(rule("folder-id"), &[folders("1"), ping]), [], "a list seen from the middle is none");
}

#[test]
fn a_policy_key_that_was_given_is_sent() {
    let policy = |inner: &str| {
        format!(
            r#"<Provision xmlns="Provision"><Policies><Policy><PolicyType>MS-EAS-Provisioning-WBXML</PolicyType>{inner}</Policy></Policies></Provision>"#
        )
    };
    let acknowledge = policy("<PolicyKey>7</PolicyKey><Status>1</Status>");
    let provision = exchange("Provision", "14.1", &acknowledge, &policy("<Status>1</Status><PolicyKey>9</PolicyKey>"));
    let with = |key: &str| {
        let mut sent = sync("0", "a");
        sent.request.headers.push("X-MS-PolicyKey", key);
        sent
    };
    let told = |after: Exchange| broken(rule("policy-key"), &[provision.clone(), after]);
    assert_eq!(told(with("9")), []);
    assert_eq!(told(sync("0", "a"))[0].0, Level::Must);
    assert_eq!(told(with("8"))[0].0, Level::Should);
    assert_eq!(told(folders("0")), [], "an account that is set up anew");
}

#[test]
fn a_named_limit_holds_for_the_next_ping() {
    let ping = |seconds: u32, answer: &str| {
        let request = format!(r#"<Ping xmlns="Ping"><HeartbeatInterval>{seconds}</HeartbeatInterval></Ping>"#);
        exchange("Ping", "14.1", &request, &format!(r#"<Ping xmlns="Ping">{answer}</Ping>"#))
    };
    let limit = ping(3540, "<Status>5</Status><HeartbeatInterval>600</HeartbeatInterval>");
    let fine = "<Status>1</Status>";
    assert_eq!(broken(rule("heartbeat"), &[limit.clone(), ping(600, fine)]), []);
    assert_eq!(broken(rule("heartbeat"), &[limit, ping(900, fine)]).len(), 1);
    assert_eq!(remarks(rule("heartbeat"), &[ping(9000, fine)]), []);
}

#[test]
fn a_version_that_is_not_offered_is_told() {
    let mut options = sync("0", "a");
    options.request.method = "OPTIONS".to_owned();
    answer(&mut options).headers.push("MS-ASProtocolVersions", "12.1,16.1");
    assert_eq!(broken(rule("version"), &[options.clone(), sync("0", "a")])[0].0, Level::Must);
    assert_eq!(broken(rule("version"), &[sync("0", "a")]), []);
    let mut nameless = sync("0", "a");
    nameless.request.headers = [("Content-Type", "application/vnd.ms-sync.wbxml")].into_iter().collect();
    assert_eq!(broken(rule("version"), &[nameless]).len(), 1);
}

#[test]
fn bodies_are_what_they_say() {
    let mut mail = exchange("SendMail", "12.1", r#"<SendMail xmlns="ComposeMail"/>"#, "");
    assert_eq!(broken(rule("request-body"), std::slice::from_ref(&mail)).len(), 1);
    mail.request.body = b"Subject: x\r\n\r\n".to_vec();
    mail.request.headers = [("Content-Type", "message/rfc822")].into_iter().collect();
    assert_eq!(broken(rule("request-body"), &[mail]), []);
    let mut odd = sync("0", "a");
    odd.request.body.truncate(12);
    assert_eq!(broken(rule("request-body"), &[odd]).len(), 1);
    let shape = r#"<Sync xmlns="AirSync"><Collections><Collection><SyncKey>0</SyncKey><CollectionId>5</CollectionId><WindowSize>soon</WindowSize></Collection></Collections></Sync>"#;
    assert!(!broken(rule("request-shape"), &[exchange("Sync", "14.1", shape, "")]).is_empty());
    assert_eq!(broken(rule("request-shape"), &[sync("0", "a")]), []);
}
