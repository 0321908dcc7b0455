//! How many requests one device gets through over loopback TLS, on a kept connection and on fresh ones.

use easrig_exchange::{Headers, Outcome, Request};
use easrig_transport::{
    Authority, Client, ClientConfig, Patience, Resolve, ServerHandle, ServerRequest, ServerResponse, Service, Session,
    Validity, serve,
};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

fn main() {
    divan::main();
}

struct Echo;

impl Service for Echo {
    async fn call(&self, request: ServerRequest) -> ServerResponse {
        ServerResponse { status: 200, headers: Headers::new(), body: request.body }
    }
}

struct Bench {
    runtime: Runtime,
    client: Client,
    request: Request,
    _server: ServerHandle,
}

impl Bench {
    fn new(body: usize) -> Self {
        let runtime = Runtime::new().expect("a runtime starts");
        let authority = Authority::new().expect("an authority is made");
        let tls = authority.certify(&["mail.easrig.test"], Validity::Current).expect("a name of our own fits");
        let server = runtime.block_on(async {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("the loopback has a free port");
            serve(listener, Some(tls), Echo).expect("the listener has an address")
        });
        let port = server.address().port();
        let config = ClientConfig {
            extra_roots: vec![authority.root()],
            system_roots: false,
            resolve: vec![Resolve { host: "mail.easrig.test".to_owned(), port, addr: server.address() }],
            system_names: false,
            ..ClientConfig::default()
        };
        let url = format!("https://mail.easrig.test:{port}/Microsoft-Server-ActiveSync");
        let request = Request {
            method: "POST".to_owned(),
            url: url.parse().expect("the URL is well formed"),
            headers: Headers::from_iter([
                ("Host", "mail.easrig.test".to_owned()),
                ("Content-Length", body.to_string()),
            ]),
            body: vec![0x55; body],
        };
        Self { runtime, client: Client::new(config).expect("our own root is good"), request, _server: server }
    }

    fn send(&self, session: &Session) {
        let attempt = self.runtime.block_on(session.send(&self.request, &Patience::default()));
        assert!(matches!(attempt.outcome, Outcome::Answered(_)), "{:?}", attempt.outcome);
    }
}

#[divan::bench(args = [0, 1 << 10, 1 << 20])]
fn kept_connection(bencher: divan::Bencher, body: usize) {
    let bench = Bench::new(body);
    let session = bench.client.session();
    bencher.bench(|| bench.send(&session));
}

#[divan::bench]
fn fresh_connection(bencher: divan::Bencher) {
    let bench = Bench::new(0);
    bencher.bench(|| bench.send(&bench.client.session()));
}
