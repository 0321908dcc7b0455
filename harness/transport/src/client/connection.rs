use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use easrig_exchange::{Failure, Phase, TlsFailure, TlsSession};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::pool::Endpoint;
use super::{Clock, Patience, seconds};
use crate::dns::Names;
use crate::tls::Trust;

/// A byte stream to a server, TLS or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

/// An open connection on which no request is waiting.
pub(super) struct Connection {
    pub(super) stream: Box<dyn Stream>,
    pub(super) tls: Option<TlsSession>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("tls", &self.tls.is_some()).finish_non_exhaustive()
    }
}

impl Connection {
    /// Whether the server neither closed the connection nor said anything unasked.
    pub(super) fn is_quiet(&mut self) -> bool {
        let mut byte = [0_u8; 1];
        let mut context = Context::from_waker(Waker::noop());
        Pin::new(&mut self.stream).poll_read(&mut context, &mut ReadBuf::new(&mut byte)).is_pending()
    }
}

/// A fresh connection and when its parts were done, in microseconds of the request's clock.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) connected: u64,
    pub(super) secured: Option<u64>,
}

pub(super) async fn open(
    endpoint: &Endpoint,
    names: &Names,
    trust: &Trust,
    patience: &Patience,
    clock: &Clock,
) -> Result<Opened, Failure> {
    let late = |phase, allowed| Failure::Timeout { phase, seconds: seconds(allowed) };
    let tcp = match timeout(patience.connect, connect(endpoint, names, patience.connect)).await {
        Err(_) => return Err(late(Phase::Connect, patience.connect)),
        Ok(connected) => connected?,
    };
    // Small requests must not wait for Nagle; a socket that refuses the option still works.
    let _ = tcp.set_nodelay(true);
    let connected = clock.micros();
    if !endpoint.tls {
        return Ok(Opened { connection: Connection { stream: Box::new(tcp), tls: None }, connected, secured: None });
    }
    let (stream, session) = match timeout(patience.handshake, trust.handshake(&endpoint.host, tcp)).await {
        Err(_) => return Err(late(Phase::Handshake, patience.handshake)),
        Ok(Err(kind)) => return Err(tls_failure(endpoint, kind)),
        Ok(Ok(secured)) => secured,
    };
    let connection = Connection { stream: Box::new(stream), tls: Some(session) };
    Ok(Opened { connection, connected, secured: Some(clock.micros()) })
}

fn tls_failure(endpoint: &Endpoint, kind: TlsFailure) -> Failure {
    Failure::Tls { host: endpoint.host.clone(), kind }
}

/// Tries every address in turn; each gets its share of the time that is left, so that one dead address of several does not
/// use up all of it.
async fn connect(endpoint: &Endpoint, names: &Names, patience: Duration) -> Result<TcpStream, Failure> {
    let deadline = Instant::now() + patience;
    let addresses = names.addresses(&endpoint.host, endpoint.port).await?;
    let mut last = Failure::Dns { host: endpoint.host.clone(), detail: "the name has no address".to_owned() };
    for (index, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let shares = u32::try_from(addresses.len().saturating_sub(index)).unwrap_or(u32::MAX).max(1);
        let failure = match timeout(left / shares, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => refusal(endpoint, *address, &error),
            Err(_) => Failure::Timeout { phase: Phase::Connect, seconds: seconds(patience) },
        };
        // A refusal says more than an address family that this machine does not have.
        if !matches!(last, Failure::Refused { .. }) {
            last = failure;
        }
    }
    Err(last)
}

fn refusal(endpoint: &Endpoint, address: SocketAddr, error: &io::Error) -> Failure {
    let (host, port) = (endpoint.host.clone(), endpoint.port);
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Failure::Refused { host, port },
        _ => Failure::Unreachable { host, port, detail: format!("{address}: {error}") },
    }
}
