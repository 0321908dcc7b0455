use easrig_exchange::Failure;

use super::*;
use crate::decoded::tests::{answer, exchange};

const REQUEST: &str = r#"<Ping xmlns="Ping"><HeartbeatInterval>300</HeartbeatInterval></Ping>"#;

const DEVICE_SENT: Sender<'_> = Sender::Device { life: "" };

fn imported(request: &str, answered: &str) -> Exchange {
    let mut exchange = exchange("Ping", "14.1", request, answered);
    exchange.origin = Origin::Imported;
    exchange.times.done = 300_000_000;
    exchange
}

fn cells(exchanges: &[Exchange]) -> Vec<(String, Verdict)> {
    let mut judge = Judge::new(Strictness::Musts, Party::Server);
    exchanges.iter().for_each(|exchange| judge.judge("phone", DEVICE_SENT, exchange));
    judge.cells().into_iter().map(|cell| (cell.id.scenario, cell.verdict)).collect()
}

fn verdict(cells: &[(String, Verdict)], id: &str) -> Option<Verdict> {
    cells.iter().find(|(scenario, _)| scenario == id).map(|(_, verdict)| *verdict)
}

#[test]
fn server_and_device_are_judged_apart() {
    let good = imported(REQUEST, r#"<Ping xmlns="Ping"><Status>1</Status></Ping>"#);
    assert!(cells(&[good]).iter().all(|(_, verdict)| *verdict == Verdict::Pass));
    let server = imported(REQUEST, r#"<Ping xmlns="Ping"><MaxFolders>9</MaxFolders></Ping>"#);
    let said = cells(&[server]);
    assert_eq!(verdict(&said, "invariant/one-status"), Some(Verdict::Fail));
    assert_eq!(verdict(&said, "device/request-shape"), Some(Verdict::Pass));
    let soon = REQUEST.replace("300", "soon");
    let device = imported(&soon, r#"<Ping xmlns="Ping"><Status>1</Status></Ping>"#);
    assert_eq!(verdict(&cells(&[device]), "device/request-shape"), Some(Verdict::Degraded));
}

#[test]
fn a_gap_is_nobodys_fault() {
    let bad = r#"<Ping xmlns="Ping"><MaxFolders>9</MaxFolders></Ping>"#;
    let mut cut = imported(REQUEST, bad);
    answer(&mut cut).cut = Some("the capture ends".to_owned());
    let mut gone = imported(REQUEST, bad);
    gone.outcome = Outcome::Failed(Failure::Closed);
    let mut short = imported(REQUEST, bad);
    short.request.body.truncate(5);
    for exchange in [cut, gone, short] {
        let said = cells(std::slice::from_ref(&exchange));
        assert_eq!(verdict(&said, COMPLETE), Some(Verdict::Inconclusive));
        assert!(said.iter().all(|(_, verdict)| *verdict != Verdict::Fail && *verdict != Verdict::Degraded), "{said:?}");
    }
}

#[test]
fn a_log_that_leaves_headers_out_is_not_held_against_the_server() {
    let mut retold = imported(REQUEST, r#"<Ping xmlns="Ping"><Status>1</Status></Ping>"#);
    answer(&mut retold).headers = [("MS-Server-ActiveSync", "15.0")].into_iter().collect();
    let said = cells(&[retold]);
    assert_eq!(verdict(&said, "invariant/headers"), None);
    assert_eq!(verdict(&said, "invariant/one-status"), Some(Verdict::Pass));
}
