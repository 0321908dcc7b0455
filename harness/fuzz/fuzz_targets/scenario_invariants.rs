//! No exchange panics what decodes and judges exchanges. An input is up to four exchanges, `\n==\n` between them; in
//! each, `\n--\n` stands between the request's first line with its headers, its body, the answer's status with its
//! headers, and its body. A body that reads as XML in the standard's notation is sent as WBXML.
#![no_main]

use easrig_exchange::{
    Exchange, ExchangeNumber, Headers, Origin, Outcome, Request, Response, Sender, Times, Timestamp,
};
use easrig_scenario::{Context, Decoded, History, INVARIANTS};
use easrig_wbxml::Document;
use libfuzzer_sys::fuzz_target;
use url::Url;

fuzz_target!(|bytes: &[u8]| {
    let mut history = History::default();
    for part in split(bytes, b"\n==\n").into_iter().take(4) {
        let exchange = exchange(part);
        let decoded = Decoded::of(&exchange);
        let _ = (decoded.words(), decoded.status_words(), decoded.command());
        let context = Context { exchange: &exchange, decoded: &decoded, history: &history };
        for invariant in &INVARIANTS {
            let _ = invariant.check(&context);
        }
        history.learn(&exchange, &decoded);
    }
});

fn exchange(bytes: &[u8]) -> Exchange {
    let parts = split(bytes, b"\n--\n");
    let part = |index: usize| parts.get(index).copied().unwrap_or_default();
    let (line, request_headers) = head(part(0));
    let (status, response_headers) = head(part(2));
    let (method, query) = line.split_once(' ').unwrap_or(("POST", &line));
    let mut url: Url = "https://mail.easrig.test/Microsoft-Server-ActiveSync".parse().expect("a URL");
    url.set_query(Some(query));
    let request = Request { method: method.to_owned(), url, headers: request_headers, body: body(part(1)) };
    let answer = Response {
        status: status.trim().parse().unwrap_or(200),
        reason: "OK".to_owned(),
        headers: response_headers,
        body: body(part(3)),
        cut: None,
    };
    Exchange {
        number: ExchangeNumber(1),
        origin: Origin::Imported,
        sender: Sender::default(),
        started: Timestamp(0),
        request,
        outcome: Outcome::Answered(answer),
        times: Times { done: 60_000_000, ..Times::default() },
        tls: None,
    }
}

fn head(bytes: &[u8]) -> (String, Headers) {
    let text = String::from_utf8_lossy(bytes);
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    (first.to_owned(), rest.lines().filter_map(|line| line.split_once(": ")).collect())
}

fn body(bytes: &[u8]) -> Vec<u8> {
    let document = std::str::from_utf8(bytes).ok().and_then(|text| Document::from_xml(text).ok());
    document.map_or_else(|| bytes.to_vec(), |document| document.encode())
}

fn split<'a>(bytes: &'a [u8], mark: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(mark.len()).position(|window| window == mark) {
        parts.push(&rest[..at]);
        rest = &rest[at + mark.len()..];
    }
    parts.push(rest);
    parts
}
