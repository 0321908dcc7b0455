use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use easrig_exchange::Failure;
use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::{RData, RecordType};
use thiserror::Error;
use tokio::time::timeout;

/// How many SRV targets are looked at; more are left out.
const MAX_SRV: usize = 32;

/// One name that is not asked of DNS: `--resolve HOST:PORT=ADDR:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolve {
    /// The host of the URL, compared without case.
    pub host: String,
    /// The port of the URL.
    pub port: u16,
    /// Where to connect instead.
    pub addr: SocketAddr,
}

/// Why a `--resolve` entry cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{found}` is not HOST:PORT=ADDR:PORT: {why}")]
pub struct ResolveError {
    /// The entry.
    pub found: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl FromStr for Resolve {
    type Err = ResolveError;

    fn from_str(text: &str) -> Result<Self, ResolveError> {
        let wrong = |why| ResolveError { found: text.to_owned(), why };
        let (name, addr) = text.split_once('=').ok_or_else(|| wrong("there is no `=`"))?;
        let (host, port) = name.rsplit_once(':').ok_or_else(|| wrong("the name has no port"))?;
        let port = port.parse().map_err(|_| wrong("the port of the name is not a number up to 65535"))?;
        let addr =
            addr.parse().map_err(|_| wrong("the address must be ADDR:PORT or [ADDR]:PORT, with a numeric ADDR"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if host.is_empty() {
            return Err(wrong("the host is empty"));
        }
        Ok(Self { host, port, addr })
    }
}

/// One target of an SRV record, looked up or handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SrvEntry {
    /// The mail domain it was asked for, without `_autodiscover._tcp.`.
    pub domain: String,
    /// Lower is better.
    pub priority: u16,
    /// Share among targets of one priority.
    pub weight: u16,
    /// Host to contact, without a dot at the end.
    pub target: String,
    /// Port to contact.
    pub port: u16,
}

/// Why an SRV lookup gave no answer; no such record is an answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SrvError {
    /// Nothing came in time.
    #[error("no answer about the SRV record of `{domain}` within {seconds} s")]
    Timeout {
        /// The mail domain.
        domain: String,
        /// The time that was allowed.
        seconds: u64,
    },
    /// The resolver said something else than an answer.
    #[error("the SRV record of `{domain}` could not be looked up: {detail}")]
    Lookup {
        /// The mail domain.
        domain: String,
        /// The resolver's own words.
        detail: String,
    },
}

/// How names become addresses: tables first, then, unless forbidden, the system.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Hosts that stand in for DNS.
    pub table: Vec<Resolve>,
    /// SRV records that stand in for DNS.
    pub srv: Vec<SrvEntry>,
    /// Whether the system is asked for what the tables do not hold.
    pub system: bool,
}

impl Names {
    /// The addresses of `host`, in the order to try; never empty.
    ///
    /// # Errors
    /// [`Failure::Dns`] when the name is unknown.
    pub async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
        let known = |entry: &&Resolve| entry.port == port && entry.host.eq_ignore_ascii_case(host);
        let table: Vec<SocketAddr> = self.table.iter().filter(known).map(|entry| entry.addr).collect();
        if !table.is_empty() {
            return Ok(table);
        }
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, port)]);
        }
        let unknown = |detail: String| Failure::Dns { host: host.to_owned(), detail };
        if host.eq_ignore_ascii_case("localhost") {
            return Ok(vec![
                SocketAddr::from(([127, 0, 0, 1], port)),
                SocketAddr::new(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]), port),
            ]);
        }
        if !self.system {
            return Err(unknown("it is not among the names given, and DNS is not asked".to_owned()));
        }
        let found = tokio::net::lookup_host((host, port)).await.map_err(|error| unknown(error.to_string()))?;
        let found: Vec<SocketAddr> = found.collect();
        if found.is_empty() { Err(unknown("the name has no address".to_owned())) } else { Ok(found) }
    }

    /// The targets of `_autodiscover._tcp.DOMAIN`, best first (priority up, then weight down); empty when there are none.
    ///
    /// # Errors
    /// [`SrvError`] when the lookup itself failed.
    pub async fn autodiscover_srv(&self, domain: &str, patience: Duration) -> Result<Vec<SrvEntry>, SrvError> {
        let given = self.srv.iter().filter(|entry| entry.domain.eq_ignore_ascii_case(domain)).cloned();
        let mut entries: Vec<SrvEntry> = given.collect();
        if entries.is_empty() && self.system {
            let failed = |error: NetError| SrvError::Lookup { domain: domain.to_owned(), detail: error.to_string() };
            let resolver = TokioResolver::builder_tokio().and_then(|builder| builder.build()).map_err(failed)?;
            entries = lookup(&resolver, domain, patience).await?;
        }
        entries.sort_by_key(|entry| (entry.priority, u16::MAX - entry.weight));
        entries.truncate(MAX_SRV);
        Ok(entries)
    }
}

/// What a resolver knows, in no order.
async fn lookup(resolver: &TokioResolver, domain: &str, patience: Duration) -> Result<Vec<SrvEntry>, SrvError> {
    // The dot at the end keeps the search list of this machine out of it.
    let name = format!("_autodiscover._tcp.{}.", domain.trim_end_matches('.'));
    let late = |_| SrvError::Timeout { domain: domain.to_owned(), seconds: patience.as_secs().max(1) };
    let answer = match timeout(patience, resolver.lookup(name, RecordType::SRV)).await.map_err(late)? {
        Ok(answer) => answer,
        Err(error) if error.is_no_records_found() => return Ok(Vec::new()),
        Err(error) => return Err(SrvError::Lookup { domain: domain.to_owned(), detail: error.to_string() }),
    };
    let targets = answer.answers().iter().filter_map(|record| match &record.data {
        RData::SRV(srv) => Some(SrvEntry {
            domain: domain.to_owned(),
            priority: srv.priority,
            weight: srv.weight,
            target: srv.target.to_ascii().trim_end_matches('.').to_owned(),
            port: srv.port,
        }),
        _ => None,
    });
    // A target of `.` says that the service is not offered (RFC 2782).
    Ok(targets.filter(|entry| !entry.target.is_empty()).collect())
}

#[cfg(test)]
mod tests;
