//! Answers that are known to be right break no invariant.

use std::path::Path;

use easrig_exchange::{
    Exchange, ExchangeNumber, Headers, Origin, Outcome, Request, Response, Sender, Times, Timestamp,
};
use easrig_scenario::{Content, Context, Decoded, History, INVARIANTS};

fn exchange(command: &str, request: Vec<u8>, answer: Vec<u8>) -> Exchange {
    let wbxml = || [("Content-Type", "application/vnd.ms-sync.wbxml")].into_iter().collect::<Headers>();
    let mut headers = wbxml();
    headers.push("MS-ASProtocolVersion", "14.1");
    let url =
        format!("https://mail.easrig.test/Microsoft-Server-ActiveSync?Cmd={command}&User=a&DeviceId=d&DeviceType=t");
    let request = Request { method: "POST".to_owned(), url: url.parse().expect("a URL"), headers, body: request };
    let answer = Response { status: 200, reason: "OK".to_owned(), headers: wbxml(), body: answer, cut: None };
    Exchange {
        number: ExchangeNumber(1),
        origin: Origin::Imported,
        sender: Sender::default(),
        started: Timestamp(0),
        request,
        outcome: Outcome::Answered(answer),
        times: Times { done: 300_000_000, ..Times::default() },
        tls: None,
    }
}

#[test]
fn the_corpus_breaks_no_invariant() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wbxml/tests/corpus");
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let rows = [
        ("FolderSync", "req_foldersync.wbxml", "rsp_foldersync_200.wbxml"),
        ("Ping", "req_ping.wbxml", "rsp_ping.wbxml"),
        ("Provision", "req_provision.wbxml", "rsp_provision.wbxml"),
        ("Sync", "req_sync.wbxml", "rsp_sync_calendar.wbxml"),
        ("Sync", "req_sync.wbxml", "rsp_sync_contacts.wbxml"),
        ("Sync", "req_sync.wbxml", "rsp_sync_mail_0.wbxml"),
        ("Sync", "req_sync.wbxml", "rsp_sync_mail_headers.wbxml"),
    ];
    for (command, request, answer) in rows {
        let exchange = exchange(command, read(request), read(answer));
        let decoded = Decoded::of(&exchange);
        assert!(matches!(decoded.answer, Content::Document(_)), "{answer}");
        let history = History::default();
        let context = Context { exchange: &exchange, decoded: &decoded, history: &history };
        for invariant in &INVARIANTS {
            let findings = invariant.check(&context);
            assert!(findings.is_empty(), "{answer}: {} {:?}", invariant.name, findings.first());
        }
    }
}
