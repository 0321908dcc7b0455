//! The reference server inside this process: for `serve`, `demo` and `--target embedded:PROFILE`.

use std::{net::SocketAddr, path::Path, sync::Arc};

use easrig_eas::DeviceId;
use easrig_exchange::{Secret, TlsVersion};
use easrig_refserver::{AccountConfig, Arrangement, Latency, Policy, Profile, Scheme, Server, ServerConfig, Switches};
use easrig_runner::{Account, Change, Control};
use easrig_transport::{ClientConfig, Resolve, read_certificates};
use futures_util::future::{BoxFuture, FutureExt as _, ready};
use miette::{IntoDiagnostic as _, WrapErr as _, miette};
use url::Url;

use crate::{
    args::{ServeArgs, ServerArgs},
    input,
    library::Library,
    suggest,
};

/// The domain of accounts that nobody gave an address.
const DOMAIN: &str = "easrig.test";

/// The port that Autodiscover asks.
const HTTPS: u16 = 443;

/// The path of every ActiveSync server.
const PATH: &str = "/Microsoft-Server-ActiveSync";

/// What the server is to be.
pub(crate) struct Plan {
    profile: Profile,
    listen: SocketAddr,
    tls: bool,
    tls_floor: TlsVersion,
    domain: String,
    policy: Policy,
    accounts: Vec<Account>,
    switches: Switches,
    latency: Latency,
}

impl Plan {
    /// For `--target embedded:PROFILE`, with `pairs` pairs of accounts.
    ///
    /// # Errors
    /// When the profile is unknown or the policy file cannot be read.
    pub(crate) fn in_process(id: &str, args: &ServerArgs, pairs: usize, library: &Library) -> miette::Result<Self> {
        let policy = policy_file(args.policy.as_deref())?;
        let switches = args.dishonest.iter().copied().collect();
        let latency = args.latency.iter().copied().collect();
        Ok(Self { policy, switches, latency, ..Self::new(id, pairs, library)? })
    }

    /// For the demo: these settings are in force for everybody.
    ///
    /// # Errors
    /// When the profile or a setting is unknown.
    pub(crate) fn demo(id: &str, settings: &[(&str, &str)], pairs: usize, library: &Library) -> miette::Result<Self> {
        let mut policy = Policy::default();
        for (name, value) in settings {
            policy.set(name, value).map_err(|why| miette!("{why}"))?;
        }
        Ok(Self { policy, ..Self::new(id, pairs, library)? })
    }

    /// For `serve`; alice and bob when there are no accounts.
    ///
    /// # Errors
    /// When the profile is unknown or the policy file cannot be read.
    pub(crate) fn served(args: &ServeArgs, accounts: Vec<Account>, library: &Library) -> miette::Result<Self> {
        let given = if accounts.is_empty() { ["alice", "bob"].map(generated).to_vec() } else { accounts };
        Ok(Self {
            listen: args.listen,
            tls: !args.plain,
            tls_floor: args.tls_floor.into(),
            policy: policy_file(args.server.policy.as_deref())?,
            accounts: given.into_iter().map(|account| addressed(account, &args.domain)).collect(),
            domain: args.domain.clone(),
            switches: args.server.dishonest.iter().copied().collect(),
            latency: args.server.latency.iter().copied().collect(),
            ..Self::new(&args.profile, 0, library)?
        })
    }

    fn new(id: &str, pairs: usize, library: &Library) -> miette::Result<Self> {
        let Some((_, text)) = library.profiles().find(|(known, _)| *known == id) else {
            let help = suggest::help(id, library.profiles().map(|(known, _)| known), "easrig list profiles");
            return Err(miette!(help = help, "there is no profile `{id}`"));
        };
        let profile = profile(id, text)?;
        let names = (1..=pairs).flat_map(|pair| [format!("owner{pair}"), format!("partner{pair}")]);
        let accounts = names.map(|name| addressed(generated(&name), DOMAIN));
        // Where no password is good for anything, whoever can use a token has one.
        let modern = !profile.takes(Scheme::Basic);
        let accounts =
            accounts.map(|account| Account { token: account.secret.clone().filter(|_| modern), ..account }).collect();
        Ok(Self {
            profile,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: true,
            tls_floor: TlsVersion::V1_2,
            domain: DOMAIN.to_owned(),
            policy: Policy::default(),
            accounts,
            switches: Switches::default(),
            latency: Latency::default(),
        })
    }
}

fn policy_file(path: Option<&Path>) -> miette::Result<Policy> {
    match path {
        None => Ok(Policy::default()),
        Some(path) => Ok(Policy::parse(&path.display().to_string(), &input::read_text(Some(path))?)?),
    }
}

fn generated(user: &str) -> Account {
    let secret: String = std::iter::repeat_with(fastrand::alphanumeric).take(16).collect();
    Account { user: user.to_owned(), address: None, secret: Some(Secret::new(secret)), token: None }
}

fn addressed(account: Account, domain: &str) -> Account {
    let address = account.address.unwrap_or_else(|| match account.user.contains('@') {
        true => account.user.clone(),
        false => format!("{}@{domain}", account.user),
    });
    Account { address: Some(address), ..account }
}

/// Reads a profile file.
///
/// # Errors
/// When it is wrong.
pub(crate) fn profile(id: &str, text: &str) -> miette::Result<Profile> {
    Profile::parse(text).into_diagnostic().wrap_err_with(|| format!("profile `{id}`"))
}

/// The hosts that Autodiscover asks for a domain.
fn discovery_names(domain: &str) -> [String; 2] {
    [domain.to_owned(), format!("autodiscover.{domain}")]
}

/// The names in the server's certificate: this machine's, where it listens, and those that Autodiscover asks.
fn names(domain: &str, listen: SocketAddr) -> Vec<String> {
    let mut names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    names.extend(Some(listen.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified()).map(|ip| ip.to_string()));
    names.extend(discovery_names(domain));
    names
}

/// The running server.
pub(crate) struct Embedded {
    server: Arc<Server>,
    endpoint: Url,
    domain: String,
    accounts: Vec<Account>,
}

impl Embedded {
    /// Starts it.
    ///
    /// # Errors
    /// When it cannot listen, or the policy is wrong.
    pub(crate) async fn start(plan: Plan) -> miette::Result<Self> {
        let account = |account: &Account| AccountConfig {
            user: account.user.clone(),
            address: account.address.clone(),
            // The reference server knows one proof per account, and takes it as password or as token.
            secret: account.secret.clone().or_else(|| account.token.clone()).unwrap_or_else(|| Secret::new("")),
        };
        let config = ServerConfig {
            names: names(&plan.domain, plan.listen),
            profile: plan.profile,
            listen: plan.listen,
            tls: plan.tls,
            tls_floor: plan.tls_floor,
            domain: plan.domain.clone(),
            accounts: plan.accounts.iter().map(account).collect(),
            policy: Some(plan.policy),
            switches: plan.switches,
            latency: plan.latency,
            ..ServerConfig::default()
        };
        let server = Server::start(config).await.into_diagnostic()?;
        let endpoint = Url::parse(server.url()).and_then(|url| url.join(PATH)).into_diagnostic()?;
        Ok(Self { server: Arc::new(server), endpoint, domain: plan.domain, accounts: plan.accounts })
    }

    /// Scheme, name and port.
    pub(crate) fn url(&self) -> &str {
        self.server.url()
    }

    /// The URL for ActiveSync.
    pub(crate) fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    /// Its root certificate, PEM; `None` over plain HTTP.
    pub(crate) fn root_pem(&self) -> Option<&str> {
        self.server.ca_pem()
    }

    /// Its accounts, owner and partner in turn.
    pub(crate) fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// What changes it while it runs.
    pub(crate) fn control(&self) -> Arc<dyn Control> {
        Arc::new(Hand(Arc::clone(&self.server)))
    }

    /// A client that trusts this server and asks nobody for names.
    ///
    /// # Errors
    /// When the root cannot be read, which would be our own fault.
    pub(crate) fn client(&self) -> miette::Result<ClientConfig> {
        let extra_roots = match self.root_pem() {
            Some(pem) => read_certificates(pem.as_bytes()).map_err(|why| miette!("the server's own root: {why}"))?,
            None => Vec::new(),
        };
        let addr = self.server.address();
        let resolve = |host: String| Resolve { host, port: HTTPS, addr };
        let resolve = discovery_names(&self.domain).into_iter().map(resolve).collect();
        Ok(ClientConfig { extra_roots, system_roots: false, system_names: false, resolve, ..ClientConfig::default() })
    }

    /// Ends it; whoever still holds its control keeps it running a moment longer.
    pub(crate) async fn stop(self) {
        if let Ok(server) = Arc::try_unwrap(self.server) {
            server.stop().await;
        }
    }
}

/// The hand of an administrator inside the process.
struct Hand(Arc<Server>);

impl Control for Hand {
    fn change<'c>(&'c self, user: &'c str, device: &'c DeviceId, change: Change) -> BoxFuture<'c, Result<(), String>> {
        let done = self.0.arrange(user, Some(device.as_str()), arrangement(change));
        ready(done.map_err(|error| error.to_string())).boxed()
    }

    fn undo<'c>(&'c self, user: &'c str) -> BoxFuture<'c, Result<(), String>> {
        self.0.reset(user);
        ready(Ok(())).boxed()
    }
}

fn arrangement(change: Change) -> Arrangement {
    match change {
        Change::Policy(settings) => Arrangement::Policy(settings),
        Change::Strict(on) => Arrangement::Strict(on),
        Change::Throttle { status, retry_after, times } => Arrangement::Throttle { status, retry_after, times },
        Change::Moved => Arrangement::Moved,
        Change::Block => Arrangement::Block,
        Change::Quarantine => Arrangement::Quarantine,
        Change::Password(secret) => Arrangement::Password(secret),
        Change::Deliver { mime } => Arrangement::Deliver(mime),
        Change::ExpirePolicyKey => Arrangement::ExpirePolicyKey,
    }
}
