//! Servers that keep a phone busy without ever bringing it further.

use easrig_exchange::Headers;
use easrig_runner::Orders;
use easrig_scenario::Verdict;
use easrig_transport::{ServerRequest, ServerResponse};

use crate::rig::{self, Deed, Record, Way};

const WBXML: &str = "application/vnd.ms-sync.wbxml";

async fn against(rule: impl Fn(&ServerRequest) -> Deed + Send + Sync + 'static) -> Record {
    let server = rig::good(|_| {}).await;
    let way = Way::to(&server, rule).await;
    let inbox =
        rig::scenario("probe/inbox", "effects = \"reads\"\nstart = \"foldered\"", "[[step]]\ndo = \"first_sync\"");
    let personas = ["android-4", "wp7", "blackberry-10"].map(rig::persona).to_vec();
    rig::run(Orders { personas, ..rig::orders(&way.url, vec![inbox]) }).await
}

fn says(request: &ServerRequest, command: &str, answer: impl Fn() -> Deed) -> Deed {
    if rig::command(&request.path_and_query) == command { answer() } else { Deed::Pass }
}

fn ends(record: &Record, most: usize) {
    assert!(record.is_finished());
    assert_eq!(record.cells().len(), 3);
    for cell in record.cells() {
        assert!(cell.verdict > Verdict::Pass && !cell.reason.is_empty(), "{cell:?}");
    }
    assert!(record.exchanges.len() < most, "{} exchanges", record.exchanges.len());
}

/// `<Sync><Collections><Collection><SyncKey>k</SyncKey><CollectionId>5</CollectionId><Status>n</Status>…`.
fn sync(status: u8, tail: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x03\x01\x6a\x00\x45\x5c\x4f\x4b\x03k\x00\x01\x52\x035\x00\x01\x4e\x03".to_vec();
    bytes.push(b'0' + status);
    bytes.extend(b"\x00\x01");
    bytes.extend(tail);
    bytes.extend(b"\x01\x01\x01");
    bytes
}

#[tokio::test]
async fn a_server_that_always_has_more_and_sends_nothing_is_left() {
    ends(&against(|request| says(request, "Sync", || rig::says(200, WBXML, &sync(1, b"\x14")))).await, 100);
}

#[tokio::test]
async fn a_server_that_never_takes_its_own_key_is_left() {
    ends(&against(|request| says(request, "Sync", || rig::says(200, WBXML, &sync(3, b"")))).await, 100);
}

#[tokio::test]
async fn a_server_that_always_wants_the_folders_first_is_left() {
    ends(&against(|request| says(request, "Sync", || rig::says(200, WBXML, &sync(9 + 3, b"")))).await, 100);
}

#[tokio::test]
async fn a_server_that_always_wants_provisioning_is_left() {
    ends(&against(|request| says(request, "FolderSync", || rig::says(449, "", b""))).await, 100);
}

#[tokio::test]
async fn a_server_that_moves_the_mailbox_to_itself_is_left() {
    let moved = |request: &ServerRequest| {
        let here = request.headers.get("Host").unwrap_or_default().to_owned();
        says(request, "FolderSync", || {
            let place = format!("http://{here}/Microsoft-Server-ActiveSync");
            Deed::Say(ServerResponse {
                status: 451,
                headers: Headers::from_iter([("X-MS-Location", place)]),
                body: vec![],
            })
        })
    };
    ends(&against(moved).await, 200);
}
