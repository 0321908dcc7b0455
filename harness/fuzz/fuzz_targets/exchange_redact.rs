//! Redaction keeps the shape of what it hides. The first byte chooses content type, coding and whether contents are kept,
//! the second where a secret is put into the rest: the secret is gone afterwards, lengths stay, and what could be read before can be read after.
#![no_main]

use easrig_eas::{
    encoding::{gunzip, gzip},
    multipart::Multipart,
};
use easrig_exchange::{
    Content, Exchange, ExchangeNumber, Headers, Origin, Outcome, Redactor, Request, Response, Secret, Sender, Times,
    Timestamp,
};
use easrig_wbxml::{Builder, Document, tags};
use libfuzzer_sys::fuzz_target;

const SECRET: &str = "C4n4ry-S3cret";
const CANARY: &str = "Kanarienvogel";
const WBXML: &str = "application/vnd.ms-sync.wbxml";
const TYPES: [&str; 7] = [
    WBXML,
    "application/vnd.ms-sync.multipart",
    "message/rfc822",
    "application/json",
    "text/xml; charset=utf-8",
    "text/html",
    "",
];
const CODINGS: [&str; 4] = ["", "gzip", "deflate", "br"];
const LIMIT: usize = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let [choice, place, body @ ..] = bytes else { return };
    let kind = TYPES[usize::from(choice & 31) % TYPES.len()];
    let coding = CODINGS[usize::from(choice >> 6)];
    let content = if choice & 32 == 0 { Content::Masked } else { Content::Kept };
    let redactor = Redactor::new([7; 32], content).keep_name("alice@easrig.test").forget(Secret::new(SECRET));
    shape_stays(&redactor, kind, body);
    secret_goes(&redactor, kind, coding, body, usize::from(*place));
    if let Ok(document) = Document::decode(body) {
        content_goes(&document);
    }
});

fn shape_stays(redactor: &Redactor, kind: &str, body: &[u8]) {
    if holds(body, SECRET) {
        return;
    }
    let masked = redacted(redactor, kind, "", body.to_vec());
    assert_eq!(masked.len(), body.len());
    if kind == WBXML
        && let Ok(document) = Document::decode(body)
    {
        let after = Document::decode(&masked).expect("a document stays one");
        let tags = |document: &Document| document.root().descendants().map(|e| e.tag()).collect::<Vec<_>>();
        assert_eq!(tags(&after), tags(&document));
    }
    if kind == TYPES[1]
        && let Ok(parts) = Multipart::parse(body)
        && parts.oddities.is_empty()
    {
        let after = Multipart::parse(&masked).expect("the table of parts stays");
        let lengths = |body: &Multipart<'_>| body.parts.iter().map(|part| part.len()).collect::<Vec<_>>();
        assert_eq!(lengths(&after), lengths(&parts));
    }
    if kind == TYPES[3] && json(body) {
        assert!(json(&masked), "JSON stays JSON: {}", String::from_utf8_lossy(&masked));
    }
}

/// A secret that is put anywhere into a body, a header or the URL is gone.
fn secret_goes(redactor: &Redactor, kind: &str, coding: &str, body: &[u8], place: usize) {
    let at = place.min(body.len());
    let marked = [&body[..at], SECRET.as_bytes(), &body[at..]].concat();
    let length = marked.len();
    let text = String::from_utf8_lossy(&marked).into_owned();
    let sent = if coding == "gzip" { gzip(&marked) } else { marked };
    let mut exchange = exchange(kind, coding, sent);
    exchange.request.url.set_query(Some(&text));
    exchange.request.headers.push("X-Odd", &text);
    exchange.request.headers.push("Location", &text);
    if let Outcome::Answered(response) = &mut exchange.outcome {
        response.reason = text.clone();
        response.cut = Some(text);
    }
    let after = redactor.redact(exchange);
    let Outcome::Answered(response) = &after.outcome else { panic!("an answer stays one") };
    for body in [&after.request.body, &response.body] {
        let body = if coding == "gzip" { gunzip(body, LIMIT).expect("gzip stays gzip") } else { body.clone() };
        assert_eq!(body.len(), length);
        assert!(!holds(&body, SECRET), "{}", String::from_utf8_lossy(&body));
    }
    assert!(!after.request.url.as_str().contains(SECRET), "{}", after.request.url);
    for (name, value) in after.request.headers.iter().chain(response.headers.iter()) {
        assert!(!value.contains(SECRET), "{name}: {value}");
    }
    assert!(!response.reason.contains(SECRET) && !response.cut.as_deref().unwrap_or_default().contains(SECRET));
}

/// A subject beside whatever else is in a document does not survive.
fn content_goes(document: &Document) {
    let mut builder = Builder::new(document.root().tag());
    builder.append(document.root()).leaf(tags::email::SUBJECT, CANARY);
    builder.open(tags::settings::DEVICE_PASSWORD).leaf(tags::settings::PASSWORD, SECRET).close();
    let body = builder.finish().encode();
    let masked = redacted(&Redactor::new([7; 32], Content::Masked), WBXML, "", body.clone());
    if Document::decode(&body).is_ok() {
        Document::decode(&masked).expect("a document stays one");
    }
    let expected = |word: &str| document.encode().windows(word.len()).any(|window| window == word.as_bytes());
    assert!(expected(CANARY) || !holds(&masked, CANARY));
    assert!(expected(SECRET) || !holds(&masked, SECRET));
}

fn redacted(redactor: &Redactor, kind: &str, coding: &str, body: Vec<u8>) -> Vec<u8> {
    redactor.redact(exchange(kind, coding, body)).request.body
}

fn exchange(kind: &str, coding: &str, body: Vec<u8>) -> Exchange {
    let headers: Headers = [("Content-Type", kind), ("Content-Encoding", coding)]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let url = "https://mail.easrig.test/Microsoft-Server-ActiveSync".parse().expect("a URL");
    let request = Request { method: "POST".to_owned(), url, headers: headers.clone(), body: body.clone() };
    Exchange {
        number: ExchangeNumber(1),
        origin: Origin::Live,
        sender: Sender::default(),
        started: Timestamp(0),
        request,
        outcome: Outcome::Answered(Response { status: 200, reason: String::new(), headers, body, cut: None }),
        times: Times::default(),
        tls: None,
    }
}

fn holds(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

fn json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}
