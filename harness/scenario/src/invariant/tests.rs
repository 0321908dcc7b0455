use super::*;
use crate::Requirement;

pub(crate) use crate::decoded::tests::{answer, exchange};

/// A Ping whose time is over.
pub(crate) const PING_DONE: &str = r#"<Ping xmlns="Ping"><Status>1</Status></Ping>"#;

/// A Sync request with one collection.
pub(crate) fn sync_request(collection: &str) -> String {
    format!(r#"<Sync xmlns="AirSync"><Collections><Collection>{collection}</Collection></Collections></Sync>"#)
}

/// A Sync answer with one collection.
pub(crate) fn sync_answer(collection: &str) -> String {
    sync_request(collection)
}

/// An answer to FolderSync with this HTTP status and no body.
pub(crate) fn with_http(status: u16) -> Exchange {
    let mut exchange = exchange("FolderSync", "14.1", "", "");
    answer(&mut exchange).status = status;
    exchange
}

/// The same answer with another content type, or with none.
pub(crate) fn retyped(exchange: &Exchange, kind: Option<&str>) -> Exchange {
    let mut exchange = exchange.clone();
    answer(&mut exchange).headers = kind.into_iter().map(|kind| ("Content-Type", kind)).collect();
    exchange
}

/// The findings of one invariant about the first exchange of a device.
pub(crate) fn broken(invariant: &Invariant, exchange: &Exchange) -> Vec<Finding> {
    broken_after(&History::default(), invariant, exchange)
}

/// The findings of one invariant about an exchange with a past.
pub(crate) fn broken_after(history: &History, invariant: &Invariant, exchange: &Exchange) -> Vec<Finding> {
    let decoded = Decoded::of(exchange);
    invariant.check(&Context { exchange, decoded: &decoded, history })
}

#[test]
fn names_are_unique_and_requirements_exist() {
    for invariant in &INVARIANTS {
        assert!(std::ptr::eq(Invariant::find(invariant.name).expect("listed"), invariant));
        assert!(invariant.requirement.is_none_or(|id| Requirement::find(id).is_some()), "{}", invariant.name);
        assert!([invariant.title, invariant.why, invariant.fix].iter().all(|text| !text.is_empty()));
    }
}

#[test]
fn an_exchange_without_a_whole_answer_breaks_nothing() {
    let mut cut = exchange("Ping", "14.1", "", r#"<Ping xmlns="Ping"><MaxFolders>9</MaxFolders></Ping>"#);
    assert!(INVARIANTS.iter().any(|invariant| !broken(invariant, &cut).is_empty()));
    answer(&mut cut).cut = Some("connection closed".to_owned());
    assert!(INVARIANTS.iter().all(|invariant| broken(invariant, &cut).is_empty()));
}

#[test]
fn an_honest_sync_breaks_nothing() {
    let request = sync_request("<SyncKey>1</SyncKey><CollectionId>5</CollectionId>");
    let good = sync_answer(
        "<SyncKey>2</SyncKey><CollectionId>5</CollectionId><Status>1</Status><Commands><Add><ServerId>5:1</ServerId>\
         <ApplicationData><Subject xmlns=\"Email\">hi</Subject></ApplicationData></Add></Commands>",
    );
    let good = exchange("Sync", "14.1", &request, &good);
    for invariant in &INVARIANTS {
        let findings = broken(invariant, &good);
        assert!(findings.is_empty(), "{findings:?}");
    }
}

/// The self test breaks most invariants by a switch of the reference server. What no switch breaks is broken here, by an
/// exchange each: an invariant that nobody can fail says nothing.
#[test]
fn every_invariant_that_the_reference_server_cannot_break_is_broken_by_an_exchange() {
    let sync = |inner: &str| {
        let answer = format!("<SyncKey>2</SyncKey><CollectionId>5</CollectionId><Status>1</Status>{inner}");
        exchange("Sync", "14.1", "", &sync_answer(&answer))
    };
    let mut late =
        exchange("Ping", "14.1", r#"<Ping xmlns="Ping"><HeartbeatInterval>60</HeartbeatInterval></Ping>"#, PING_DONE);
    late.times.done = 600_000_000;
    let folders = r#"<FolderSync xmlns="FolderHierarchy"><SyncKey>1</SyncKey></FolderSync>"#;
    let twice =
        "<Commands><Delete><ServerId>5:1</ServerId></Delete><Delete><ServerId>5:1</ServerId></Delete></Commands>";
    let rows = [
        ("answer-in-time", late),
        ("http-status", with_http(520)),
        ("answer-shape", exchange("Ping", "14.1", "", r#"<Ping xmlns="Ping"><Status>two</Status></Ping>"#)),
        ("empty-answer", exchange("FolderSync", "14.1", folders, "")),
        ("no-echo", exchange("FolderSync", "14.1", folders, folders)),
        ("no-empty-nodes", sync("<Responses/>")),
        ("changes-once", sync(twice)),
    ];
    for (name, exchange) in rows {
        let invariant = Invariant::find(name).expect("listed");
        assert_eq!(broken(invariant, &exchange).len(), 1, "{name}");
    }
}
