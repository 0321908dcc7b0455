use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use easrig_exchange::{Failure, Outcome, Request, Times, Timestamp, TlsSession};
use rustls_pki_types::CertificateDer;
use thiserror::Error;

use crate::dns::{Names, Resolve, SrvEntry, SrvError};
use crate::key_log::KeyLog;
use crate::tls::Trust;
use connection::Opened;
use pool::{Endpoint, Pool};

mod answer;
mod connection;
mod pool;

/// How soon a kept connection shows that the server had closed it before.
const STALE_WITHIN: Duration = Duration::from_secs(1);

/// What every connection of a client has in common.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Roots trusted beside those of the system (`--ca`).
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Whether the roots of the system are trusted.
    pub system_roots: bool,
    /// Whether an untrusted chain passes (`--insecure`); such a session is recorded with `verified: false`.
    pub insecure: bool,
    /// What stands in for DNS (`--resolve`).
    pub resolve: Vec<Resolve>,
    /// What stands in for SRV lookups.
    pub srv: Vec<SrvEntry>,
    /// Whether names outside these two tables are asked of the system; without it nothing leaves the machine for a name.
    pub system_names: bool,
    /// Where the secrets of every connection are written (`--keylog`).
    pub key_log: Option<Arc<KeyLog>>,
    /// How much of an answer is read.
    pub limits: ClientLimits,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            extra_roots: Vec::new(),
            system_roots: true,
            insecure: false,
            resolve: Vec::new(),
            srv: Vec::new(),
            system_names: true,
            key_log: None,
            limits: ClientLimits::default(),
        }
    }
}

/// How much of an answer is read.
#[derive(Clone, Copy, Debug)]
pub struct ClientLimits {
    /// Bytes of status line and headers together; more is [`Failure::NotHttp`].
    pub header_bytes: usize,
    /// Bytes of the body after transfer coding; more is cut, see [`easrig_exchange::Response::cut`].
    pub body_bytes: usize,
}

impl Default for ClientLimits {
    /// 64 KiB of headers, 64 MiB of body.
    fn default() -> Self {
        Self { header_bytes: 64 << 10, body_bytes: 64 << 20 }
    }
}

/// How long each phase of a request may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Name lookup and TCP connection together.
    pub connect: Duration,
    /// TLS handshake.
    pub handshake: Duration,
    /// From the start of the request to the first byte of its answer: a Ping needs its heartbeat and more.
    pub first_byte: Duration,
    /// From the first byte of the answer to its last.
    pub body: Duration,
}

impl Default for Patience {
    /// 30 s to connect, 30 s for TLS, 60 s for the first byte, 120 s for the body.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            handshake: Duration::from_secs(30),
            first_byte: Duration::from_secs(60),
            body: Duration::from_secs(120),
        }
    }
}

/// Why no client could be made.
#[derive(Debug, Error)]
pub enum ClientError {
    /// An extra root is no certificate that can be trusted.
    #[error("root certificate {number} cannot be used: {detail}")]
    Root {
        /// Which of the extra roots, from 1.
        number: usize,
        /// What is wrong with it.
        detail: String,
    },
    /// TLS could not be set up.
    #[error("TLS could not be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// Trust, names and limits; the mother of [`Session`]s.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    trust: Trust,
    own_roots: bool,
    names: Names,
    limits: ClientLimits,
}

impl Client {
    /// Reads the roots and makes the client; opens nothing.
    ///
    /// # Errors
    /// [`ClientError`] when an extra root is unusable. Unreadable roots of the system are left out silently, as every TLS
    /// client does.
    pub fn new(config: ClientConfig) -> Result<Self, ClientError> {
        let own_roots = !config.extra_roots.is_empty();
        let trust = Trust::new(&config.extra_roots, config.system_roots, config.insecure, config.key_log)?;
        let names = Names { table: config.resolve, srv: config.srv, system: config.system_names };
        Ok(Self { shared: Arc::new(Shared { trust, own_roots, names, limits: config.limits }) })
    }

    /// The connections of one device; two devices never share one.
    pub fn session(&self) -> Session {
        Session { shared: Arc::clone(&self.shared), pool: Pool::default() }
    }

    /// The targets of `_autodiscover._tcp.DOMAIN`, best first; empty when there are none.
    ///
    /// # Errors
    /// [`SrvError`] when the lookup itself failed.
    pub async fn autodiscover_srv(&self, domain: &str, patience: Duration) -> Result<Vec<SrvEntry>, SrvError> {
        self.shared.names.autodiscover_srv(domain, patience).await
    }

    /// Whether roots were added to those of the system (`--ca`).
    pub fn has_own_roots(&self) -> bool {
        self.shared.own_roots
    }

    /// How names become addresses, for a look whether anybody is there.
    pub fn names(&self) -> &Names {
        &self.shared.names
    }
}

/// The connections of one device.
///
/// Idle connections are kept per scheme, host and port and used again; while one is busy (a Ping holds its connection for
/// minutes) another is opened. Requests may run at the same time. Dropping the future of [`Session::send`] closes its
/// connection, which is how a phone gives up a Ping.
#[derive(Debug)]
pub struct Session {
    shared: Arc<Shared>,
    pool: Pool,
}

/// What became of one request.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The answer, or why there is none.
    pub outcome: Outcome,
    /// How long each part took, counted from `started`.
    pub times: Times,
    /// What the handshake agreed on, also when it happened for an earlier request of this connection.
    pub tls: Option<TlsSession>,
    /// When the request was begun.
    pub started: Timestamp,
    /// Whether a kept connection turned out closed before any byte of the answer, so that the request was sent a second
    /// time on a fresh one, as HTTP stacks of phones do.
    pub retried: bool,
}

impl Session {
    /// Sends `request` and reads its answer.
    ///
    /// Headers go out in the order and spelling given, with nothing added: `Host` and `Content-Length` are the caller's.
    /// CR and LF inside a header become spaces. When a kept connection was closed by the server before any byte of the
    /// answer, the request is sent once more on a fresh connection ([`Attempt::retried`]).
    pub async fn send(&self, request: &Request, patience: &Patience) -> Attempt {
        let clock = Clock::start();
        let mut attempt = Attempt {
            outcome: Outcome::Failed(Failure::Cancelled),
            times: Times::default(),
            tls: None,
            started: clock.wall,
            retried: false,
        };
        attempt.outcome = match self.carry(request, patience, &clock, &mut attempt).await {
            Ok(response) => Outcome::Answered(response),
            Err(failure) => Outcome::Failed(failure),
        };
        attempt.times.done = clock.micros();
        attempt
    }

    async fn carry(
        &self,
        request: &Request,
        patience: &Patience,
        clock: &Clock,
        attempt: &mut Attempt,
    ) -> Result<easrig_exchange::Response, Failure> {
        let endpoint = Endpoint::of(&request.url)?;
        if let Some(mut kept) = self.pool.take(&endpoint) {
            attempt.tls.clone_from(&kept.tls);
            let read = answer::exchange(&mut kept, request, patience, self.shared.limits, clock, attempt).await;
            match read {
                // Later than that the server has let the request wait and then hung up: news, not a stale connection.
                Err(Failure::Closed) if attempt.times.first_byte.is_none() && clock.elapsed() < STALE_WITHIN => {
                    attempt.retried = true;
                }
                Err(failure) => return Err(failure),
                Ok(done) => return Ok(self.finish(endpoint, kept, done)),
            }
        }
        let Opened { mut connection, connected, secured } =
            connection::open(&endpoint, &self.shared.names, &self.shared.trust, patience, clock).await?;
        attempt.times.connected = Some(connected);
        attempt.times.secured = secured;
        attempt.tls.clone_from(&connection.tls);
        let done = answer::exchange(&mut connection, request, patience, self.shared.limits, clock, attempt).await?;
        Ok(self.finish(endpoint, connection, done))
    }

    fn finish(
        &self,
        endpoint: Endpoint,
        connection: connection::Connection,
        done: answer::Done,
    ) -> easrig_exchange::Response {
        if done.reusable {
            self.pool.put(endpoint, connection);
        }
        done.response
    }
}

/// One start, two clocks: the wall for the record, the monotonic one for durations.
struct Clock {
    wall: Timestamp,
    start: Instant,
}

impl Clock {
    fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { wall: Timestamp(0).after(wall), start: Instant::now() }
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// Seconds of a patience as a person reads them: rounded up.
fn seconds(patience: Duration) -> u64 {
    patience.as_secs().saturating_add(u64::from(patience.subsec_nanos() > 0))
}
