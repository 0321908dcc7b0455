//! The client against the server of this room: what phones and servers do every day.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use easrig_exchange::{Failure, Headers, Outcome, Request, Response};
use easrig_transport::{
    Act, Attempt, Authority, BadServer, Client, ClientConfig, Patience, Resolve, Server, ServerHandle, ServerLimits,
    ServerRequest, ServerResponse, Service, Session, Validity,
};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// Echoes the body, and holds a `/ping` until it is given up.
#[derive(Clone, Default)]
struct Echo {
    seen: Arc<AtomicUsize>,
    given_up: Arc<Notify>,
}

struct OnDrop(Arc<Notify>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Service for Echo {
    async fn call(&self, request: ServerRequest) -> ServerResponse {
        self.seen.fetch_add(1, Ordering::SeqCst);
        if request.path_and_query == "/ping" {
            let _held = OnDrop(Arc::clone(&self.given_up));
            std::future::pending::<()>().await;
        }
        let mut headers = Headers::new();
        headers.push("x-Seen-As", request.path_and_query);
        headers.push("X-Host", request.headers.get("host").unwrap_or_default());
        ServerResponse { status: 200, headers, body: request.body }
    }
}

async fn start(service: Echo, tls: bool, limits: ServerLimits) -> (ServerHandle, Session) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let authority = Authority::new().unwrap();
    let mut server = Server::new(service).limits(limits);
    if tls {
        server = server.tls(authority.certify(&["mail.easrig.test"], Validity::Current).unwrap());
    }
    let handle = server.start(listener).unwrap();
    let host = "mail.easrig.test".to_owned();
    let config = ClientConfig {
        extra_roots: vec![authority.root()],
        system_roots: false,
        resolve: vec![Resolve { host, port: handle.address().port(), addr: handle.address() }],
        system_names: false,
        ..ClientConfig::default()
    };
    (handle, Client::new(config).unwrap().session())
}

fn request(server: &ServerHandle, scheme: &str, path: &str, body: &[u8]) -> Request {
    let url = format!("{scheme}://mail.easrig.test:{}{path}", server.address().port());
    let mut headers = Headers::new();
    headers.push("HOST", "mail.easrig.test");
    headers.push("Content-Length", body.len().to_string());
    Request { method: "POST".to_owned(), url: url.parse().unwrap(), headers, body: body.to_vec() }
}

fn answered(attempt: &Attempt) -> &Response {
    match &attempt.outcome {
        Outcome::Answered(response) => response,
        Outcome::Failed(failure) => panic!("no answer: {failure}"),
    }
}

#[tokio::test]
async fn a_tls_connection_is_kept_and_its_handshake_recorded() {
    let (server, session) = start(Echo::default(), true, ServerLimits::default()).await;
    let ask = request(&server, "https", "/Microsoft-Server-ActiveSync?jAAJ+BAp2==", b"hello");
    let first = session.send(&ask, &Patience::default()).await;
    let response = answered(&first);
    assert_eq!((response.status, response.body.as_slice(), response.cut.as_ref()), (200, &b"hello"[..], None));
    let headers: Vec<_> = response.headers.iter().collect();
    assert_eq!(headers[0], ("x-Seen-As", "/Microsoft-Server-ActiveSync?jAAJ+BAp2=="));
    let tls = first.tls.as_ref().unwrap();
    assert_eq!((tls.version.as_str(), tls.verified, tls.chain.len()), ("TLSv1.3", true, 1));
    assert!(tls.cipher_suite.starts_with("TLS_"), "{}", tls.cipher_suite);
    assert!(first.times.connected.is_some() && first.times.secured.is_some() && first.times.first_byte.is_some());

    let second = session.send(&ask, &Patience::default()).await;
    assert_eq!(answered(&second).status, 200);
    assert_eq!((second.times.connected, second.times.secured, second.retried), (None, None, false));
    assert_eq!(second.tls, first.tls);
}

#[tokio::test]
async fn a_waiting_ping_holds_its_connection_and_the_server_learns_when_it_is_given_up() {
    let echo = Echo::default();
    let (server, session) = start(echo.clone(), true, ServerLimits::default()).await;
    let ping = request(&server, "https", "/ping", b"");
    let sync = request(&server, "https", "/sync", b"x");
    let patience = Patience::default();
    {
        let waiting = session.send(&ping, &patience);
        tokio::pin!(waiting);
        tokio::select! {
            _ = &mut waiting => panic!("the ping was answered"),
            done = async {
                while echo.seen.load(Ordering::SeqCst) == 0 { tokio::task::yield_now().await; }
                session.send(&sync, &patience).await
            } => assert!(done.times.connected.is_some(), "the busy connection was used"),
        }
    }
    tokio::time::timeout(Duration::from_secs(5), echo.given_up.notified()).await.unwrap();
    server.shutdown().await;
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_is_replaced_without_a_word() {
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec();
    // Reads the second request too, then closes instead of answering it.
    let server = BadServer::start(vec![Act::ReadHead, Act::Send(answer), Act::ReadHead]).await.unwrap();
    let session = Client::new(ClientConfig::default()).unwrap().session();
    let ask = Request {
        method: "OPTIONS".to_owned(),
        url: format!("http://{}/", server.address()).parse().unwrap(),
        headers: Headers::from_iter([("Host", "x")]),
        body: Vec::new(),
    };
    let first = session.send(&ask, &Patience::default()).await;
    assert!(!first.retried);
    let second = session.send(&ask, &Patience::default()).await;
    assert_eq!(answered(&second).body, b"ok");
    assert!(second.retried && second.times.connected.is_some());
}

#[tokio::test]
async fn a_body_over_the_limit_is_answered_413_and_headers_431() {
    let limits = ServerLimits { body_bytes: 10, header_bytes: 1000, ..ServerLimits::default() };
    let echo = Echo::default();
    let (server, session) = start(echo.clone(), false, limits).await;
    let long = session.send(&request(&server, "http", "/", &[b'x'; 1 << 20]), &Patience::default()).await;
    assert_eq!(answered(&long).status, 413);
    let mut wordy = request(&server, "http", "/", b"");
    wordy.headers.push("X", "y".repeat(3000));
    assert_eq!(answered(&session.send(&wordy, &Patience::default()).await).status, 431);
    assert_eq!(echo.seen.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_chunked_request_is_joined() {
    let (server, session) = start(Echo::default(), false, ServerLimits::default()).await;
    let mut ask = request(&server, "http", "/", b"");
    ask.headers = Headers::from_iter([("Host", "x"), ("Transfer-Encoding", "chunked")]);
    ask.body = b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n".to_vec();
    assert_eq!(answered(&session.send(&ask, &Patience::default()).await).body, b"abc");
}

#[tokio::test]
async fn shutdown_waits_for_no_idle_connection_and_then_refuses() {
    let (server, session) = start(Echo::default(), false, ServerLimits::default()).await;
    let ask = request(&server, "http", "/", b"1");
    assert_eq!(answered(&session.send(&ask, &Patience::default()).await).status, 200);
    let began = std::time::Instant::now();
    server.shutdown().await;
    assert!(began.elapsed() < Duration::from_secs(1));
    let after = session.send(&ask, &Patience::default()).await;
    assert!(matches!(after.outcome, Outcome::Failed(Failure::Refused { .. })), "{:?}", after.outcome);
}
