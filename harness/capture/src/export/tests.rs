use std::io::Cursor;

use easrig_exchange::{
    Exchange, ExchangeNumber, Failure, Headers, Origin, Outcome, Phase, Request, Response, Sender, Times, Timestamp,
    TlsSession,
};
use serde_json::{Value, json};

use super::*;
use crate::{Options, Tally, import};

fn read(bytes: Vec<u8>) -> (Vec<Exchange>, Tally) {
    let mut found = Vec::new();
    let mut sink = |exchange| {
        found.push(exchange);
        Ok(())
    };
    let tally = import(Cursor::new(bytes), &Options::default(), &mut sink).unwrap();
    (found, tally)
}

fn har(exchanges: &[Exchange]) -> Vec<u8> {
    let mut writer = HarWriter::new(Vec::new(), "1.0").unwrap();
    for exchange in exchanges {
        let body = exchange.response().map(|response| response.body.clone()).unwrap_or_default();
        writer.write(exchange, &body, &json!({ "command": "Sync" })).unwrap();
    }
    writer.finish().unwrap()
}

fn packets(exchanges: &[Exchange]) -> Vec<u8> {
    let mut writer = PcapngWriter::new(Vec::new(), "1.0").unwrap();
    for exchange in exchanges {
        assert_eq!(writer.write(exchange, "device", "exchange 1 · sync/first").unwrap(), Written::Packets);
    }
    writer.finish().unwrap()
}

fn headers(lines: &[(&str, &str)]) -> Headers {
    lines.iter().copied().collect()
}

/// An exchange over HTTP/1.1 as an import gives it.
fn exchange(number: u64, request: (&[(&str, &str)], &[u8]), answer: (&[(&str, &str)], &[u8])) -> Exchange {
    let started = Timestamp(1_790_000_000_000_000 + i64::try_from(number).unwrap() * 1_000_003);
    let url = "http://mail.test/Microsoft-Server-ActiveSync?Cmd=Sync&User=a%40b&DeviceId=X&DeviceType=Y";
    let body = answer.1.to_vec();
    Exchange {
        number: ExchangeNumber(number),
        origin: Origin::Imported,
        sender: Sender::default(),
        started,
        request: Request {
            method: "POST".into(),
            url: url.parse().unwrap(),
            headers: headers(request.0),
            body: request.1.to_vec(),
        },
        outcome: Outcome::Answered(Response {
            status: 200,
            reason: "OK".into(),
            headers: headers(answer.0),
            body,
            cut: None,
        }),
        times: Times { connected: None, secured: None, first_byte: Some(20_007), done: 1_234_567 },
        tls: None,
    }
}

/// Exchanges of every framing, with a body of many packets.
fn exchanges() -> Vec<Exchange> {
    let long: Vec<u8> = (0..200_000_u32).map(|n| (n * 7 % 251) as u8).collect();
    let mail = b"Subject: caf\xc3\xa9\r\n\r\nHello\r\n";
    let host = ("Host", "mail.test");
    let wbxml = ("Content-Type", "application/vnd.ms-sync.wbxml");
    let chunked = ("transfer-encoding", "Chunked");
    vec![
        exchange(
            1,
            (&[host, wbxml, ("Content-Length", "4")], b"\x03\x01j\0"),
            (&[wbxml, ("Content-Length", "3")], b"abc"),
        ),
        exchange(2, (&[host, ("Content-Length", "200000")], &long), (&[wbxml, chunked], &long)),
        exchange(3, (&[host, chunked, ("Content-Type", "message/rfc822")], mail), (&[("Server", "x")], &long)),
        exchange(4, (&[host], b""), (&[("Content-Length", "0"), ("X", "Käse")], b"")),
        exchange(5, (&[host, wbxml, chunked], "é".as_bytes()), (&[wbxml, chunked], "é".as_bytes())),
    ]
}

#[test]
fn packets_give_the_same_exchanges_again() {
    let exchanges = exchanges();
    let (found, tally) = read(packets(&exchanges));
    assert!(tally.is_complete(), "{tally}");
    assert_eq!((tally.streams, tally.tcp.repeated, tally.tcp.reordered, tally.tcp.overlapping), (5, 0, 0, 0));
    assert_eq!(found, exchanges);
}

#[test]
fn an_archive_gives_the_same_exchanges_again() {
    let mut exchanges = exchanges();
    exchanges[0].request.url = "https://mail.test:8443/x?a=b".parse().unwrap();
    exchanges[0].tls = Some(TlsSession {
        version: "TLSv1.3".into(),
        cipher_suite: "S".into(),
        chain: vec![],
        verified: true,
        hello: None,
    });
    exchanges[1].times = Times { connected: Some(11), secured: Some(23), first_byte: Some(47), done: 99 };
    let (found, tally) = read(har(&exchanges));
    assert!(tally.is_complete(), "{tally}");
    assert_eq!(found, exchanges);
}

#[test]
fn an_archive_says_why_an_answer_is_cut_or_missing() {
    let mut exchanges = exchanges();
    exchanges.truncate(2);
    let Outcome::Answered(response) = &mut exchanges[0].outcome else { panic!() };
    response.cut = Some("the capture ends behind byte 3".into());
    exchanges[1].outcome = Outcome::Failed(Failure::Timeout { phase: Phase::FirstByte, seconds: 60 });
    let (found, tally) = read(har(&exchanges));
    assert_eq!(found, exchanges);
    assert_eq!(tally.gap_count, 1, "{tally}");
}

#[test]
fn an_archive_is_what_others_read() {
    let value: Value = serde_json::from_slice(&har(&exchanges())).unwrap();
    let log = &value["log"];
    assert_eq!((&log["version"], &log["creator"]["name"]), (&"1.2".into(), &"easrig".into()));
    let entry = &log["entries"][0];
    assert_eq!(entry["startedDateTime"], "2026-09-21T14:13:21.000003Z");
    assert_eq!(entry["time"], 1234.567);
    assert_eq!(entry["timings"]["wait"], 20.007);
    assert_eq!(entry["request"]["queryString"][1], json!({ "name": "User", "value": "a@b" }));
    assert_eq!(entry["request"]["postData"]["encoding"], "base64");
    assert_eq!(
        entry["response"]["content"],
        json!({ "size": 3, "mimeType": "application/vnd.ms-sync.wbxml", "text": "YWJj", "encoding": "base64" })
    );
    assert_eq!(entry["_easrig"]["command"], "Sync");
    assert_eq!(log["entries"][4]["response"]["content"]["encoding"], "base64");
}

#[test]
fn an_archive_without_exchanges_is_one() {
    let (found, tally) = read(har(&[]));
    assert!(found.is_empty() && tally.is_complete());
}

#[test]
fn requests_without_answer_are_closed_connections() {
    let mut exchanges = exchanges();
    exchanges[0].outcome = Outcome::Failed(Failure::Cancelled);
    exchanges[0].times = Times { done: 61_000_000, ..Times::default() };
    exchanges[1].outcome = Outcome::Failed(Failure::Closed);
    let (found, tally) = read(packets(&exchanges[..2]));
    assert!(tally.is_complete(), "{tally}");
    assert_eq!(
        found.iter().map(|found| &found.request).collect::<Vec<_>>(),
        [&exchanges[0].request, &exchanges[1].request]
    );
    // Who closed the connection, and when a device gave up, is in the packets.
    assert_eq!(found[0].outcome, Outcome::Failed(Failure::Cancelled));
    assert_eq!(found[0].times.done, 61_000_000);
    assert_eq!(found[1].outcome, Outcome::Failed(Failure::Closed));
}

#[test]
fn what_was_never_sent_has_no_packets() {
    let mut lost = exchanges().remove(0);
    let host = "mail.test".to_owned();
    for failure in [
        Failure::Refused { host: host.clone(), port: 443 },
        Failure::Dns { host, detail: "none".into() },
        Failure::Timeout { phase: Phase::Handshake, seconds: 30 },
    ] {
        lost.outcome = Outcome::Failed(failure);
        let mut writer = PcapngWriter::new(Vec::new(), "1.0").unwrap();
        assert_eq!(writer.write(&lost, "", "").unwrap(), Written::NeverSent);
        assert_eq!(read(writer.finish().unwrap()).0, []);
    }
}

#[test]
fn a_cut_answer_stays_cut() {
    for lines in [[("Content-Length", "9")], [("Transfer-Encoding", "chunked")]] {
        let mut cut = exchange(1, (&[("Host", "mail.test")], b""), (&lines, b"abc"));
        let Outcome::Answered(response) = &mut cut.outcome else { panic!() };
        response.cut = Some("cut".into());
        let (found, tally) = read(packets(&[cut]));
        let response = found[0].response().unwrap();
        assert_eq!(response.body, b"abc");
        assert!(response.cut.is_some() && tally.gap_count == 1, "{tally}");
    }
}

#[test]
fn lengths_that_do_not_fit_and_lines_that_are_none_harm_nobody_else() {
    let host = ("Host", "mail.test");
    let strange = [
        exchange(
            1,
            (&[host, ("Content-Length", "2")], b"abc"),
            (&[("Content-Length", "1"), ("content-length", "1")], b"abc"),
        ),
        exchange(2, (&[host], b"abc"), (&[("X", "a\r\n\r\nHTTP/1.1 200 OK")], b"abc")),
        exchange(3, (&[host, ("Content-Length", "3")], b"abc"), (&[("Content-Length", "9")], b"abc")),
    ];
    let (found, tally) = read(packets(&strange));
    assert!(tally.is_complete(), "{tally}");
    let bodies: Vec<_> =
        found.iter().map(|one| (one.request.body.as_slice(), one.response().unwrap().body.as_slice())).collect();
    assert_eq!(bodies, [(b"abc".as_slice(), b"abc".as_slice()); 3]);
}

#[test]
fn a_host_that_no_header_names_stands_in_the_target() {
    let mut bare = exchanges().remove(0);
    bare.request.headers = headers(&[("Content-Length", "4")]);
    let (found, _) = read(packets(&[bare.clone()]));
    assert_eq!(found, [bare]);
}

#[test]
fn over_tls_only_the_scheme_is_lost() {
    let mut secure = exchanges().remove(0);
    secure.request.url.set_scheme("https").unwrap();
    secure.tls = Some(TlsSession::default());
    let (found, _) = read(packets(&[secure]));
    assert_eq!(found, [exchanges().remove(0)]);
}

#[test]
fn trailers_survive_where_they_have_a_place() {
    let [_, mut chunked, mut plain, ..] = <[Exchange; 5]>::try_from(exchanges()).unwrap();
    for exchange in [&mut chunked, &mut plain] {
        let Outcome::Answered(answer) = &mut exchange.outcome else { panic!("no answer") };
        answer.headers.push_trailer("X-Sum", "1");
    }
    let trailers = |exchange: &Exchange| -> Vec<String> {
        let trailers = exchange.response().unwrap().headers.trailers();
        trailers.map(|(name, value)| format!("{name}={value}")).collect()
    };
    let (found, _) = read(har(&[chunked.clone(), plain.clone()]));
    assert_eq!(found.iter().map(trailers).collect::<Vec<_>>(), [["X-Sum=1"], ["X-Sum=1"]]);
    let capture = packets(&[chunked, plain]);
    assert!(capture.windows(8).any(|text| text == b"trailers"), "what is left out is said");
    let (found, tally) = read(capture);
    assert!(tally.is_complete(), "{tally}");
    assert_eq!(found.iter().map(trailers).collect::<Vec<_>>(), [vec!["X-Sum=1".to_owned()], Vec::new()]);
}
