//! Scrubbing keeps the shape of what it replaces. The first byte chooses content type, coding and what a document is put
//! around: nothing panics, lengths stay, what could be decoded can be decoded to the same elements, and a marked text in a
//! document, a message, a query, a header or a certificate is gone.
#![no_main]

use easrig_eas::encoding::{gunzip, gzip};
use easrig_exchange::{
    EascapReader, EascapWriter, Exchange, ExchangeNumber, Failure, Headers, Origin, Outcome, Request, Response,
    Scrubber, Sender, Times, Timestamp, TlsSession,
};
use easrig_wbxml::{Builder, Document, tags};
use libfuzzer_sys::fuzz_target;

const CANARY: &str = "Kanarienvogel";
const WBXML: &str = "application/vnd.ms-sync.wbxml";
const TYPES: [&str; 9] = [
    WBXML,
    "application/vnd.ms-sync.multipart",
    "message/rfc822",
    "application/json",
    "text/xml; charset=utf-8",
    "text/html",
    "application/x-www-form-urlencoded",
    "text/plain",
    "",
];
const LIMIT: usize = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let [choice, body @ ..] = bytes else { return };
    let kind = TYPES[usize::from(choice & 15) % TYPES.len()];
    shape_stays(kind, *choice >= 128, body);
    content_goes(body);
});

fn shape_stays(kind: &str, packed: bool, body: &[u8]) {
    let (coding, sent) = if packed { ("gzip", gzip(body)) } else { ("", body.to_vec()) };
    let after = scrubbed(exchange(kind, coding, sent, body));
    let after = if packed { gunzip(&after.request.body, LIMIT).expect("gzip stays gzip") } else { after.request.body };
    assert_eq!(after.len(), body.len());
    if kind == WBXML
        && let Ok(document) = Document::decode(body)
    {
        let after = Document::decode(&after).expect("a document stays one");
        let tags = |document: &Document| document.root().descendants().map(|e| e.tag()).collect::<Vec<_>>();
        assert_eq!(tags(&after), tags(&document));
    }
    if kind == TYPES[3] && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok() {
        let text = String::from_utf8_lossy(&after);
        assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&after).is_ok(), "JSON stays JSON: {text}");
    }
}

/// A marked text is put beside the input wherever contents stand.
fn content_goes(input: &[u8]) {
    if input.to_ascii_lowercase().windows(6).any(|window| window == b"kanari") {
        return;
    }
    let message =
        [&b"Subject: "[..], CANARY.as_bytes(), b"\r\nX: ", input, b"\r\n\r\n", CANARY.as_bytes(), b" ", input].concat();
    let mut builder = Builder::new(tags::air_sync::SYNC);
    builder.leaf(tags::email::SUBJECT, CANARY).open(tags::air_sync_base::BODY);
    builder.leaf(tags::air_sync_base::TYPE, "4").opaque(tags::air_sync_base::DATA, &message).close();
    builder.opaque(tags::email::TO, &[CANARY.as_bytes(), b" ", input].concat());
    let body = builder.finish().encode();
    let text = format!("{CANARY} {}", String::from_utf8_lossy(input));
    let mut exchange = exchange(WBXML, "", body.clone(), input);
    exchange.request.headers.push("X-Odd", &text);
    exchange.request.headers.push("Location", format!("https://{CANARY}.example/{CANARY}?User={text}"));
    exchange.request.url.set_query(Some(&format!("Cmd=Sync&User={CANARY}&Odd={text}")));
    let after = scrubbed(exchange);
    assert_eq!(after.request.body.len(), body.len());
    if Document::decode(&body).is_ok() {
        Document::decode(&after.request.body).expect("a document stays one");
    }
    let mut writer = EascapWriter::new(Vec::new()).expect("a Vec takes every byte");
    writer.write(&after).expect("it fits");
    let written = writer.into_inner();
    assert!(!holds(&written), "{}", String::from_utf8_lossy(&written));
    let again: Result<Vec<_>, _> = EascapReader::new(written.as_slice()).expect("it has a head").collect();
    assert_eq!(again.expect("it can be read"), [after]);
}

fn scrubbed(exchange: Exchange) -> Exchange {
    let mut scrubber = Scrubber::new([7; 32]).keep_domain("kept.example").keep_map();
    scrubber.learn(&exchange).expect("few names");
    scrubber.scrub(exchange).expect("few names")
}

fn exchange(kind: &str, coding: &str, body: Vec<u8>, certificate: &[u8]) -> Exchange {
    let headers: Headers = [("Content-Type", kind), ("Content-Encoding", coding)]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let url = format!("https://mail.kept.example/{kind}?{CANARY}").parse().expect("a URL");
    let request = Request { method: "POST".to_owned(), url, headers: headers.clone(), body: body.clone() };
    let outcome = if coding.is_empty() {
        Outcome::Answered(Response { status: 200, reason: CANARY.to_owned(), headers, body, cut: None })
    } else {
        Outcome::Failed(Failure::NotHttp { detail: String::from_utf8_lossy(certificate).into_owned() })
    };
    Exchange {
        number: ExchangeNumber(1),
        origin: Origin::Imported,
        sender: Sender::default(),
        started: Timestamp(0),
        request,
        outcome,
        times: Times::default(),
        tls: Some(TlsSession { chain: vec![certificate.to_vec()], ..TlsSession::default() }),
    }
}

fn holds(bytes: &[u8]) -> bool {
    let canary = CANARY.to_ascii_lowercase();
    bytes.to_ascii_lowercase().windows(canary.len()).any(|window| window == canary.as_bytes())
}
