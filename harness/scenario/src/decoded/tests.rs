use easrig_exchange::{ExchangeNumber, Headers, Origin, Outcome, Request, Sender, Times, Timestamp};

use super::*;

/// An Exchange of `command` at `version` whose bodies are given as XML; empty texts are empty bodies.
pub(crate) fn exchange(command: &str, version: &str, request: &str, answer: &str) -> Exchange {
    let wbxml = |xml: &str| match xml {
        "" => Vec::new(),
        xml => Document::from_xml(xml).expect("well-formed").encode(),
    };
    let typed = |body: &[u8]| {
        let kind = (!body.is_empty()).then_some(("Content-Type", "application/vnd.ms-sync.wbxml".to_owned()));
        kind.into_iter().chain([("Content-Length", body.len().to_string())]).collect::<Headers>()
    };
    let (sent, received) = (wbxml(request), wbxml(answer));
    let mut headers = typed(&sent);
    headers.push("MS-ASProtocolVersion", version);
    let url = format!(
        "https://mail.easrig.test/Microsoft-Server-ActiveSync?Cmd={command}&User=alice&DeviceId=easrig01&DeviceType=T"
    );
    Exchange {
        number: ExchangeNumber(7),
        origin: Origin::Live,
        sender: Sender::default(),
        started: Timestamp(0),
        request: Request { method: "POST".to_owned(), url: url.parse().expect("a URL"), headers, body: sent },
        outcome: Outcome::Answered(Response {
            status: 200,
            reason: "OK".to_owned(),
            headers: typed(&received),
            body: received,
            cut: None,
        }),
        times: Times { done: 1000, ..Times::default() },
        tls: None,
    }
}

/// The answer of an Exchange, to be changed.
pub(crate) fn answer(exchange: &mut Exchange) -> &mut Response {
    match &mut exchange.outcome {
        Outcome::Answered(response) => response,
        Outcome::Failed(_) => panic!("it has an answer"),
    }
}

fn status(command: &str, answer: &str) -> Option<u16> {
    Decoded::of(&exchange(command, "14.1", "", answer)).status.map(|(_, status)| status.0)
}

#[test]
fn the_main_status_is_the_roots_own_or_the_first_that_stands_for_the_whole() {
    let ns = |name: &str| format!(r#"xmlns="{name}""#);
    assert_eq!(status("Sync", &format!("<Sync {}><Status>8</Status></Sync>", ns("AirSync"))), Some(8));
    let collection = "<Collections><Collection><SyncKey>1</SyncKey><Status>3</Status></Collection></Collections>";
    assert_eq!(status("Sync", &format!("<Sync {}>{collection}</Sync>", ns("AirSync"))), Some(3));
    let moved = "<Response><SrcMsgId>1</SrcMsgId><Status>3</Status></Response>";
    assert_eq!(status("MoveItems", &format!("<MoveItems {}>{moved}</MoveItems>", ns("Move"))), Some(3));
    let policy = "<Status>1</Status><Policies><Policy><Status>3</Status></Policy></Policies>";
    assert_eq!(status("Provision", &format!("<Provision {}>{policy}</Provision>", ns("Provision"))), Some(1));
    let fetch = "<Response><Fetch><Status>6</Status></Fetch></Response>";
    assert_eq!(
        status("ItemOperations", &format!("<ItemOperations {}>{fetch}</ItemOperations>", ns("ItemOperations"))),
        Some(6)
    );
    assert_eq!(status("Ping", &format!("<Ping {}/>", ns("Ping"))), None);
}

#[test]
fn a_sync_that_is_well_as_a_whole_is_judged_by_its_collection() {
    let sync = |root: u16, inner: &str| {
        status("Sync", &format!("<Sync xmlns=\"AirSync\"><Status>{root}</Status>{inner}</Sync>"))
    };
    let bad_key = "<Collections><Collection><SyncKey>0</SyncKey><CollectionId>5</CollectionId><Status>3</Status></Collection></Collections>";
    assert_eq!(sync(1, bad_key), Some(3));
    assert_eq!(sync(12, bad_key), Some(12));
    assert_eq!(sync(1, ""), Some(1));
}

#[test]
fn an_empty_200_is_success_only_where_the_standard_says_so() {
    assert_eq!(status("SendMail", ""), Some(1));
    assert_eq!(status("Sync", ""), Some(1));
    assert_eq!(status("FolderSync", ""), None);
}

#[test]
fn gzip_is_taken_off_first() {
    let mut exchange = exchange("Ping", "14.1", "", r#"<Ping xmlns="Ping"><Status>2</Status></Ping>"#);
    let response = answer(&mut exchange);
    response.body = easrig_eas::encoding::gzip(&response.body);
    response.headers.push("Content-Encoding", "gzip");
    assert_eq!(Decoded::of(&exchange).status.map(|(_, s)| s.0), Some(2));
    answer(&mut exchange).body.truncate(12);
    assert!(matches!(Decoded::of(&exchange).answer, Content::Broken(_)));
}

#[test]
fn what_is_no_wbxml_is_told_apart_from_broken_wbxml() {
    let mut exchange = exchange("Ping", "14.1", "", r#"<Ping xmlns="Ping"><Status>2</Status></Ping>"#);
    answer(&mut exchange).body = b"<html>".to_vec();
    assert!(matches!(Decoded::of(&exchange).answer, Content::Undecodable(_)));
    answer(&mut exchange).headers = [("Content-Type", "text/html; charset=utf-8")].into_iter().collect();
    let decoded = Decoded::of(&exchange);
    assert!(matches!(decoded.answer, Content::Other));
    assert_eq!(decoded.words(), "HTTP 200 with a body of type text/html");
}

#[test]
fn a_status_and_its_http_form_are_known_to_be_alike() {
    assert!(http_equivalents(StatusScope::FolderSync, Status(142)).contains(&449));
    assert!(http_equivalents(StatusScope::Sync, Status(111)).contains(&503));
    assert!(http_equivalents(StatusScope::Sync, Status(129)).contains(&403));
    assert!(http_equivalents(StatusScope::Sync, Status(1)).is_empty());
}
