use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use easrig_exchange::Headers;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

mod certificate;
mod connection;

pub use certificate::{Authority, ServerTls, ServerTlsError, Validity};

/// A request as the server read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerRequest {
    /// `POST`, `OPTIONS`, `GET`.
    pub method: String,
    /// The target of the request line, exactly as sent.
    pub path_and_query: String,
    /// Every header, in wire order and spelling.
    pub headers: Headers,
    /// The body without transfer coding, at most [`ServerLimits::body_bytes`].
    pub body: Vec<u8>,
    /// Who sent it.
    pub peer: SocketAddr,
}

/// An answer for the server to write.
///
/// Headers go out in the order and spelling given; `Content-Length` is added unless they hold it or `Transfer-Encoding`.
/// With `Connection: close` among them the connection is closed afterwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerResponse {
    /// HTTP status code.
    pub status: u16,
    /// Every header, in wire order and spelling.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

/// What answers requests.
///
/// The future of [`Service::call`] is dropped when the client closes its connection first: that is how the server learns
/// that a phone gave up a Ping. Dropping it must leave the state whole.
pub trait Service: Send + Sync + 'static {
    /// Answers one request.
    fn call(&self, request: ServerRequest) -> impl Future<Output = ServerResponse> + Send;
}

/// The bounds of a server.
#[derive(Clone, Copy, Debug)]
pub struct ServerLimits {
    /// Connections at one time; more wait to be accepted.
    pub connections: usize,
    /// Bytes of request line and headers; more is answered 431.
    pub header_bytes: usize,
    /// Bytes of a request body; more is answered 413.
    pub body_bytes: usize,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How long a connection may be idle, and how long a request may take to arrive.
    pub arrival: Duration,
    /// How long running requests are waited for at shutdown.
    pub grace: Duration,
}

impl Default for ServerLimits {
    /// 1024 connections, 64 KiB of headers, 64 MiB of body, 10 s for TLS, 120 s to arrive, 2 s of grace.
    fn default() -> Self {
        Self {
            connections: 1024,
            header_bytes: 64 << 10,
            body_bytes: 64 << 20,
            handshake: Duration::from_secs(10),
            arrival: Duration::from_secs(120),
            grace: Duration::from_secs(2),
        }
    }
}

/// A server before it runs.
#[derive(Debug)]
pub struct Server<S> {
    service: S,
    tls: Option<ServerTls>,
    limits: ServerLimits,
}

impl<S: Service> Server<S> {
    /// A plain HTTP server.
    pub fn new(service: S) -> Self {
        Self { service, tls: None, limits: ServerLimits::default() }
    }

    /// Speaks TLS.
    pub fn tls(mut self, tls: ServerTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Other bounds than the usual ones.
    pub fn limits(mut self, limits: ServerLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Begins to accept; must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn start(self, listener: TcpListener) -> io::Result<ServerHandle> {
        let address = listener.local_addr()?;
        let (stop, stopping) = watch::channel(false);
        let shared = Arc::new(self);
        let task = tokio::spawn(accept(shared, listener, stopping));
        Ok(ServerHandle { address, stop, task: Some(task) })
    }
}

/// Serves with the usual bounds; see [`Server`] for others.
///
/// # Errors
/// When the listener has no address.
pub fn serve(listener: TcpListener, tls: Option<ServerTls>, service: impl Service) -> io::Result<ServerHandle> {
    let server = Server::new(service);
    match tls {
        Some(tls) => server.tls(tls).start(listener),
        None => server.start(listener),
    }
}

/// A running server; dropping it stops the server at once.
#[derive(Debug)]
pub struct ServerHandle {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl ServerHandle {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts nothing more, closes idle connections, and waits for running requests within the grace of the limits.
    pub async fn shutdown(mut self) {
        let _ = self.stop.send(true);
        if let Some(task) = self.task.take() {
            // A panic in the accept loop has been reported by the runtime; shutdown still succeeds.
            let _ = task.await;
        }
    }
}

impl Drop for ServerHandle {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn accept<S: Service>(server: Arc<Server<S>>, listener: TcpListener, mut stopping: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(server.limits.connections));
    // Aborts what is left in it when it is dropped.
    let mut running = JoinSet::new();
    let stop = stopping.clone();
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            () = stopped(&mut stopping) => break,
            (Ok(place), accepted) = next => match accepted {
                Ok((tcp, peer)) => {
                    let (server, stopping) = (Arc::clone(&server), stop.clone());
                    running.spawn(async move {
                        connection::run(&*server, tcp, peer, stopping).await;
                        drop(place);
                    });
                }
                // Out of file handles, or the peer was gone already: neither ends the server.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
        }
        while running.try_join_next().is_some() {}
    }
    drop(listener);
    let _ = timeout(server.limits.grace, async { while running.join_next().await.is_some() {} }).await;
}

/// Returns when the server is told to stop, or nobody is left who could tell it.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}
