//! HTTP around the core: a listener, a clock, and the requests that wait.
//!
//! The protocol's own decisions are in `front`, which is as pure as the core; this room only holds the state in a mutex,
//! wakes those who wait when a mailbox changes, and starts and stops.

mod front;
mod latency;

use std::{
    collections::BTreeMap,
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use easrig_exchange::{Secret, TlsVersion};
use easrig_transport::{
    Authority, ServerHandle, ServerRequest, ServerResponse, ServerTlsError, Service, Validity, serve,
};
use jiff::Timestamp;
use thiserror::Error;
use tokio::{net::TcpListener, sync::watch, time::sleep};

use crate::{
    Account, Arrangement, ArrangementError, DeviceKey, Policy, Profile, State, Switches, UserName, WaiterId, arrange,
    core,
};

pub use latency::{Delay, DelayError, Latency};

pub(crate) use front::{ENDPOINT, MOVED_PREFIX};
use front::{Finish, Place, Routed};

/// What a server is made of.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The product it behaves like.
    pub profile: Profile,
    /// Where it listens; loopback unless told otherwise.
    pub listen: SocketAddr,
    /// Whether it speaks TLS, with a certificate made for `names`.
    pub tls: bool,
    /// The lowest TLS version it takes; rustls has none below TLS 1.2.
    pub tls_floor: TlsVersion,
    /// The names and addresses clients call it by; the first one is in [`Server::url`].
    pub names: Vec<String>,
    /// The domain of its addresses.
    pub domain: String,
    /// Who has a mailbox.
    pub accounts: Vec<AccountConfig>,
    /// The policy of every account; `None` is no policy at all.
    pub policy: Option<Policy>,
    /// The dishonest switches that are on.
    pub switches: Switches,
    /// How much later than it could it answers.
    pub latency: Latency,
    /// Addresses that Autodiscover sends on to other addresses.
    pub redirects: BTreeMap<String, String>,
    /// Whether mailboxes begin with something in them.
    pub furnished: bool,
    /// What keys and ids are drawn from.
    pub seed: u64,
    /// What time it is.
    pub clock: Clock,
}

/// Somebody with a mailbox.
#[derive(Clone, Debug)]
pub struct AccountConfig {
    /// The name they log on with.
    pub user: String,
    /// Their address; `None` is the name itself, or the name at the server's domain.
    pub address: Option<String>,
    /// Their password or token.
    pub secret: Secret,
}

impl Default for ServerConfig {
    /// TLS on a free port of 127.0.0.1, furnished mailboxes at `easrig.test`, a policy that binds nobody, no accounts.
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tls: true,
            tls_floor: TlsVersion::V1_2,
            names: vec!["127.0.0.1".to_owned(), "localhost".to_owned()],
            domain: "easrig.test".to_owned(),
            accounts: Vec::new(),
            policy: Some(Policy::default()),
            switches: Switches::default(),
            latency: Latency::default(),
            redirects: BTreeMap::new(),
            furnished: true,
            seed: 1,
            clock: Clock::system(),
        }
    }
}

/// What time it is: the system's clock, or one a test turns by hand.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The clock of the system.
    pub fn system() -> Self {
        Self::new(Timestamp::now)
    }

    /// A clock of one's own.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// Why a server does not start.
#[derive(Debug, Error)]
pub enum ServerError {
    /// The address is taken, or is not this machine's.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A name cannot stand in a certificate.
    #[error(transparent)]
    Tls(#[from] ServerTlsError),
    /// Two accounts have one name or address.
    #[error("there are two accounts with the name or address `{0}`")]
    SameAccount(String),
}

/// A running server; dropping it stops the server at once.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    handle: ServerHandle,
    url: String,
    ca_pem: Option<String>,
}

impl Server {
    /// Starts to listen; needs a tokio runtime with its drivers.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub async fn start(config: ServerConfig) -> Result<Self, ServerError> {
        let (mut state, address) = (furnished_state(&config)?, config.listen);
        let listener = TcpListener::bind(address).await.map_err(|source| ServerError::Listen { address, source })?;
        let bound = listener.local_addr().map_err(|source| ServerError::Listen { address, source })?;
        let (mut tls, mut ca_pem) = (None, None);
        if config.tls {
            let authority = Authority::new()?;
            let mut names: Vec<&str> = config.names.iter().map(String::as_str).collect();
            let own = bound.ip().to_string();
            if !bound.ip().is_unspecified() && !names.contains(&own.as_str()) {
                names.push(&own);
            }
            tls = Some(authority.certify(&names, Validity::Current)?.with_floor(config.tls_floor)?);
            ca_pem = Some(authority.pem());
            state.site.roots.push(authority.root().to_vec());
        }
        let scheme = if config.tls { "https" } else { "http" };
        let place = Place { scheme, names: config.names.clone(), address: bound };
        let url = place.own_origin();
        let inner = Mutex::new(Inner { state, bells: BTreeMap::new() });
        let shared = Arc::new(Shared { inner, place, clock: config.clock, latency: config.latency });
        let handle = serve(listener, tls, Front(Arc::clone(&shared)))
            .map_err(|source| ServerError::Listen { address, source })?;
        Ok(Self { shared, handle, url, ca_pem })
    }

    /// Scheme, name and port.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.handle.address()
    }

    /// The root that its certificate is trusted by, PEM; `None` without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// Makes a change for one account, or one device of it; those who wait are woken.
    ///
    /// # Errors
    /// See [`ArrangementError`].
    pub fn arrange(&self, user: &str, device: Option<&str>, arrangement: Arrangement) -> Result<(), ArrangementError> {
        let (now, device) = (self.shared.clock.now(), device.map(DeviceKey::from));
        self.with_state(|state| state.arrange(&UserName::from(user), device.as_ref(), arrangement, now))
    }

    /// Takes back every arrangement made for an account; see [`State::reset`].
    pub fn reset(&self, user: &str) {
        self.with_state(|state| state.reset(&UserName::from(user)));
    }

    /// Looks at the state, or changes it; those who wait are woken.
    pub fn with_state<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let mut inner = self.shared.lock();
        let outcome = work(&mut inner.state);
        inner.ring();
        outcome
    }

    /// Accepts nothing more and ends what runs.
    pub async fn stop(self) {
        self.handle.shutdown().await;
    }
}

fn furnished_state(config: &ServerConfig) -> Result<State, ServerError> {
    let now = config.clock.now();
    let mut state = State::new(config.seed, &config.domain);
    state.behaviour = config.profile.behaviour.clone();
    state.switches = config.switches.clone();
    state.site.profile = config.profile.clone();
    state.site.policy.clone_from(&config.policy);
    state.site.redirects = config.redirects.iter().map(|(from, to)| (from.to_lowercase(), to.clone())).collect();
    for one in &config.accounts {
        let user = UserName::from(one.user.as_str());
        let address = one.address.clone().unwrap_or_else(|| match user.as_str().contains('@') {
            true => user.as_str().to_owned(),
            false => format!("{user}@{}", config.domain),
        });
        if state.account(&user).is_some() || state.account_by_address(&address).is_some() {
            return Err(ServerError::SameAccount(one.user.clone()));
        }
        let mut account = Account::new(&one.user, &address, one.secret.clone(), now);
        if config.furnished {
            arrange::furnish(&mut account, &config.domain, now);
        }
        state.add_account(account);
    }
    Ok(state)
}

#[derive(Debug)]
struct Shared {
    inner: Mutex<Inner>,
    place: Place,
    clock: Clock,
    latency: Latency,
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// One for every user somebody ever waited for.
    bells: BTreeMap<UserName, watch::Sender<()>>,
}

impl Shared {
    /// The core does not panic; if it ever did, the others go on with the state as it is.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn ring(&mut self) {
        for user in self.state.take_changed() {
            if let Some(bell) = self.bells.get(&user) {
                bell.send_replace(());
            }
        }
    }

    fn bell(&mut self, user: UserName) -> watch::Receiver<()> {
        self.bells.entry(user).or_insert_with(|| watch::channel(()).0).subscribe()
    }
}

struct Front(Arc<Shared>);

impl Service for Front {
    async fn call(&self, request: ServerRequest) -> ServerResponse {
        let delay = self.0.latency.before(&request);
        if !delay.is_zero() {
            sleep(delay).await;
        }
        let parked = {
            let mut inner = self.0.lock();
            let routed = front::route(&mut inner.state, request, &self.0.place, self.0.clock.now());
            inner.ring();
            match routed {
                Routed::Done(response) => return response,
                Routed::Wait { waiter, user, until, finish } => {
                    let bell = inner.bell(user);
                    Parked { shared: Arc::clone(&self.0), waiter, until, bell, finish }
                }
            }
        };
        parked.wait().await
    }
}

/// A request that waits. Dropped when its caller hangs up: then the core forgets it.
struct Parked {
    shared: Arc<Shared>,
    waiter: WaiterId,
    until: Timestamp,
    bell: watch::Receiver<()>,
    finish: Finish,
}

impl Parked {
    async fn wait(mut self) -> ServerResponse {
        loop {
            if let Some(response) = self.look() {
                return response;
            }
            let left = self.until.duration_since(self.shared.clock.now());
            let left = Duration::try_from(left).unwrap_or(Duration::ZERO);
            tokio::select! {
                // The sender lives as long as the state does.
                _ = self.bell.changed() => {}
                () = sleep(left) => {}
            }
        }
    }

    fn look(&mut self) -> Option<ServerResponse> {
        self.bell.mark_unchanged();
        let mut inner = self.shared.lock();
        let answer = core::wake(&mut inner.state, self.waiter, self.shared.clock.now());
        inner.ring();
        answer.map(|answer| self.finish.response(&inner.state, answer))
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        core::cancel(&mut self.shared.lock().state, self.waiter);
    }
}
