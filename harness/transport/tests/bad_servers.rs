//! Every way in which a server can fail, and the name the client gives it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use easrig_exchange::{Failure, Headers, Outcome, Phase, Request, Response, TlsFailure};
use easrig_transport::{
    Act, Attempt, Authority, BadServer, Client, ClientConfig, ClientLimits, Patience, Resolve, Validity,
};
use tokio::net::TcpListener;

const HOST: &str = "mail.easrig.test";
const SHORT: Duration = Duration::from_millis(150);

fn patience() -> Patience {
    let long = Duration::from_secs(10);
    Patience { connect: long, handshake: long, first_byte: long, body: long }
}

fn client(port_and_server: Option<&BadServer>, root: Option<&Authority>, insecure: bool) -> Client {
    let resolve = port_and_server.map(|server| Resolve {
        host: HOST.to_owned(),
        port: server.address().port(),
        addr: server.address(),
    });
    Client::new(ClientConfig {
        extra_roots: root.map(Authority::root).into_iter().collect(),
        system_roots: false,
        insecure,
        resolve: resolve.into_iter().collect(),
        system_names: false,
        limits: ClientLimits { header_bytes: 2000, body_bytes: 5000 },
        ..ClientConfig::default()
    })
    .unwrap()
}

fn request(url: &str) -> Request {
    let headers = Headers::from_iter([("Host", HOST), ("Content-Length", "0")]);
    Request { method: "POST".to_owned(), url: url.parse().unwrap(), headers, body: Vec::new() }
}

async fn ask_with(acts: Vec<Act>, patience: Patience) -> Attempt {
    let server = BadServer::start(acts).await.unwrap();
    let url = format!("http://{HOST}:{}/", server.address().port());
    client(Some(&server), None, false).session().send(&request(&url), &patience).await
}

async fn ask(acts: Vec<Act>) -> Attempt {
    ask_with(acts, patience()).await
}

/// What comes of a server that reads the request, sends these bytes and closes.
async fn told(bytes: &[u8]) -> Attempt {
    ask(vec![Act::ReadHead, Act::Send(bytes.to_vec())]).await
}

fn failure(attempt: Attempt) -> Failure {
    match attempt.outcome {
        Outcome::Failed(failure) => failure,
        Outcome::Answered(response) => panic!("answered: {response:?}"),
    }
}

fn response(attempt: Attempt) -> Response {
    match attempt.outcome {
        Outcome::Answered(response) => response,
        Outcome::Failed(failure) => panic!("no answer: {failure}"),
    }
}

async fn tls(authority: &Authority, names: &[&str], validity: Validity, trusted: bool, insecure: bool) -> Attempt {
    let acts = vec![Act::ReadHead, Act::Send(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec())];
    let server = BadServer::start_tls(acts, authority.certify(names, validity).unwrap()).await.unwrap();
    let url = format!("https://{HOST}:{}/", server.address().port());
    let client = client(Some(&server), trusted.then_some(authority), insecure);
    client.session().send(&request(&url), &patience()).await
}

fn tls_kind(attempt: Attempt) -> TlsFailure {
    match failure(attempt) {
        Failure::Tls { host, kind } if host == HOST => kind,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_unknown_name_is_a_dns_failure() {
    for url in ["http://nowhere.easrig.test/", "https://nonexistent.invalid/"] {
        let attempt = client(None, None, false).session().send(&request(url), &patience()).await;
        assert!(matches!(failure(attempt), Failure::Dns { .. }), "{url}");
    }
}

#[tokio::test]
async fn a_closed_port_is_refused() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let ask = request(&format!("http://127.0.0.1:{port}/"));
    let attempt = client(None, None, false).session().send(&ask, &patience()).await;
    assert_eq!(failure(attempt), Failure::Refused { host: "127.0.0.1".to_owned(), port });
}

#[tokio::test]
async fn another_scheme_is_unreachable() {
    let attempt = client(None, None, false).session().send(&request("ftp://127.0.0.1/"), &patience()).await;
    assert!(matches!(failure(attempt), Failure::Unreachable { .. }));
}

#[tokio::test]
async fn chains_that_cannot_be_trusted_have_names() {
    let authority = Authority::new().unwrap();
    let good = tls(&authority, &[HOST], Validity::Current, true, false).await;
    assert!(good.tls.clone().unwrap().verified);
    assert_eq!(response(good).status, 204);
    assert_eq!(tls_kind(tls(&authority, &[HOST], Validity::Current, false, false).await), TlsFailure::UnknownIssuer);
    assert_eq!(tls_kind(tls(&authority, &[HOST], Validity::Expired, true, false).await), TlsFailure::Expired);
    assert_eq!(tls_kind(tls(&authority, &[HOST], Validity::NotYet, true, false).await), TlsFailure::NotYetValid);
    assert_eq!(
        tls_kind(tls(&authority, &["other.test", "10.1.2.3"], Validity::Current, true, false).await),
        TlsFailure::WrongName { names: vec!["other.test".to_owned(), "10.1.2.3".to_owned()] }
    );
}

#[tokio::test]
async fn an_insecure_session_is_recorded_as_not_verified() {
    let authority = Authority::new().unwrap();
    let attempt = tls(&authority, &["other.test"], Validity::Expired, false, true).await;
    let session = attempt.tls.clone().unwrap();
    assert_eq!((session.verified, session.chain.len()), (false, 1));
    assert_eq!(response(attempt).status, 204);
}

#[tokio::test]
async fn a_tls_port_without_tls_says_so() {
    let server = BadServer::start(vec![Act::Send(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())]).await.unwrap();
    let url = format!("https://{HOST}:{}/", server.address().port());
    let attempt = client(Some(&server), None, false).session().send(&request(&url), &patience()).await;
    let kind = tls_kind(attempt);
    assert_eq!(kind, TlsFailure::Handshake("the server does not speak TLS on this port".to_owned()));
}

#[tokio::test]
async fn alerts_closings_and_silence_in_the_handshake_are_told_apart() {
    let handshake = async |acts, patience| {
        let server = BadServer::start(acts).await.unwrap();
        let url = format!("https://{HOST}:{}/", server.address().port());
        failure(client(Some(&server), None, false).session().send(&request(&url), &patience).await)
    };
    let tls = |kind| Failure::Tls { host: HOST.to_owned(), kind };
    let alert = vec![Act::Send(vec![0x15, 3, 3, 0, 2, 2, 40]), Act::Hang];
    assert_eq!(handshake(alert, patience()).await, tls(TlsFailure::Alert("handshake_failure".to_owned())));
    let Failure::Tls { kind: TlsFailure::Handshake(why), .. } = handshake(vec![Act::Reset], patience()).await else {
        panic!("not a TLS failure")
    };
    assert!(why.contains("reset") || why.contains("closed"), "{why}");
    let silent = handshake(vec![Act::Hang], Patience { handshake: SHORT, ..patience() }).await;
    assert_eq!(silent, Failure::Timeout { phase: Phase::Handshake, seconds: 1 });
}

#[tokio::test]
async fn no_answer_is_closed_or_late() {
    assert_eq!(failure(ask(vec![Act::ReadHead]).await), Failure::Closed);
    assert_eq!(failure(ask(vec![Act::ReadHead, Act::Reset]).await), Failure::Closed);
    let silent = ask_with(vec![Act::Hang], Patience { first_byte: SHORT, ..patience() }).await;
    assert_eq!(silent.times.first_byte, None);
    assert_eq!(failure(silent), Failure::Timeout { phase: Phase::FirstByte, seconds: 1 });
    let drip = vec![Act::ReadHead, Act::Drip(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), Duration::from_millis(40))];
    let slow = ask_with(drip, Patience { body: SHORT, ..patience() }).await;
    assert!(slow.times.first_byte.is_some());
    assert_eq!(failure(slow), Failure::Timeout { phase: Phase::Body, seconds: 1 });
}

#[tokio::test]
async fn what_is_not_http_is_called_so() {
    let cases: [(&[u8], &str); 7] = [
        (b"<html>login</html>", "a page without headers"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "this port speaks TLS"),
        (b"HTTP/2 200\r\n\r\n", "not version 1"),
        (b"\x00\xFF\x00\xFF garbage", "found bytes 00 ff 00 ff"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "closed inside the headers, after 27 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "two Content-Length"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "status"),
    ];
    for (bytes, why) in cases {
        match failure(told(bytes).await) {
            Failure::NotHttp { detail } => assert!(detail.contains(why), "{detail}"),
            other => panic!("{other:?}"),
        }
    }
    let mut long = b"HTTP/1.1 200 OK\r\nX: ".to_vec();
    long.extend([b'a'; 5000]);
    let Failure::NotHttp { detail } = failure(told(&long).await) else { panic!("not the header limit") };
    assert!(detail.contains("longer than 2000 bytes"), "{detail}");
}

#[tokio::test]
async fn cut_bodies_keep_what_came_and_say_why() {
    let cut = |attempt: Attempt| {
        let response = response(attempt);
        (response.body.len(), response.cut.unwrap_or_default())
    };
    let short = cut(told(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").await);
    assert_eq!(short, (3, "the connection was closed 7 bytes before the end of the body".to_owned()));
    let chunk = cut(told(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n").await);
    assert_eq!(chunk, (3, "the connection was closed between two chunks of the body".to_owned()));
    let head = Act::Send(b"HTTP/1.1 200 OK\r\n\r\n".to_vec());
    let endless = cut(ask(vec![Act::ReadHead, head, Act::Repeat(vec![b'x'; 999])]).await);
    assert_eq!(endless, (5000, "the body is longer than 5000 bytes".to_owned()));
    let head = Act::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab".to_vec());
    let stalled = vec![Act::ReadHead, head, Act::Hang];
    let stalled = cut(ask_with(stalled, Patience { body: SHORT, ..patience() }).await);
    assert_eq!(stalled, (2, "the body had no end within 1 s".to_owned()));
}

#[tokio::test]
async fn odd_but_whole_answers_are_read() {
    let old = response(told(b"HTTP/1.0 200 OK\nContent-Type: text/html\n\n<html>").await);
    assert_eq!((old.status, old.body.as_slice(), old.cut), (200, &b"<html>"[..], None));
    let interim =
        told(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Busy\r\n\r\nHTTP/1.1 449 Retry\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(response(interim.await).status, 449);
    let empty = response(told(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n").await);
    assert_eq!((empty.body.len(), empty.cut), (0, None));
}

#[tokio::test]
async fn an_answer_cut_anywhere_never_hangs_or_panics() {
    let good = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
    for seed in 0..60 {
        for acts in [Act::seeded_cut(good, seed), Act::seeded_damage(good, seed)] {
            let attempt = tokio::time::timeout(Duration::from_secs(5), ask(acts)).await.unwrap();
            assert!(!matches!(attempt.outcome, Outcome::Failed(Failure::Timeout { .. })), "seed {seed}");
        }
    }
}
