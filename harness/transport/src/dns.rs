use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use easrig_exchange::Failure;
use hickory_resolver::TokioResolver;
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
            let domain = domain.to_owned();
            entries = timeout(patience, lookup(&domain))
                .await
                .map_err(|_| SrvError::Timeout { domain: domain.clone(), seconds: patience.as_secs().max(1) })??;
        }
        entries.sort_by_key(|entry| (entry.priority, u16::MAX - entry.weight));
        entries.truncate(MAX_SRV);
        Ok(entries)
    }
}

async fn lookup(domain: &str) -> Result<Vec<SrvEntry>, SrvError> {
    let failed = |detail: String| SrvError::Lookup { domain: domain.to_owned(), detail };
    let resolver = TokioResolver::builder_tokio().and_then(|builder| builder.build());
    let resolver = resolver.map_err(|error| failed(error.to_string()))?;
    // The dot at the end keeps the search list of this machine out of it.
    let name = format!("_autodiscover._tcp.{}.", domain.trim_end_matches('.'));
    let answer = match resolver.lookup(name, RecordType::SRV).await {
        Ok(answer) => answer,
        Err(error) if error.is_no_records_found() => return Ok(Vec::new()),
        Err(error) => return Err(failed(error.to_string())),
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
mod tests {
    use super::*;

    #[test]
    fn a_resolve_entry_is_read_and_a_wrong_one_says_why() {
        let entry: Resolve = "Mail.example.com:443=[::1]:8443".parse().unwrap();
        assert_eq!((entry.host.as_str(), entry.port, entry.addr.port()), ("mail.example.com", 443, 8443));
        let wrong = [
            ("mail:443", "no `=`"),
            ("mail=1.2.3.4:5", "no port"),
            ("mail:443=host:5", "numeric"),
            (":443=1.2.3.4:5", "empty"),
            ("mail:x=1.2.3.4:5", "number"),
        ];
        for (text, why) in wrong {
            assert!(text.parse::<Resolve>().unwrap_err().to_string().contains(why), "{text}");
        }
    }

    #[tokio::test]
    async fn without_the_system_only_the_tables_answer() {
        let names = Names {
            table: vec!["a.test:443=127.0.0.1:1".parse().unwrap()],
            srv: [(20, 0), (10, 1), (10, 9)]
                .map(|(priority, weight)| SrvEntry {
                    domain: "a.test".to_owned(),
                    priority,
                    weight,
                    target: format!("t{priority}{weight}.a.test"),
                    port: 443,
                })
                .to_vec(),
            system: false,
        };
        assert_eq!(names.addresses("A.test", 443).await.unwrap(), ["127.0.0.1:1".parse().unwrap()]);
        assert!(matches!(names.addresses("a.test", 80).await, Err(Failure::Dns { .. })));
        let second = Duration::from_secs(1);
        let found = names.autodiscover_srv("A.TEST", second).await.unwrap();
        assert_eq!(
            found.iter().map(|e| e.target.as_str()).collect::<Vec<_>>(),
            ["t109.a.test", "t101.a.test", "t200.a.test"]
        );
        assert_eq!(names.autodiscover_srv("b.test", second).await.unwrap(), []);
    }
}
