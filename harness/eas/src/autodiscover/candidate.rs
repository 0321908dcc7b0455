use thiserror::Error;
use url::Url;

use super::POX_PATH;

/// One way to look for the server of a domain; which ways a device knows, and in which order, is its habit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// POST to the domain itself.
    Domain,
    /// POST to `autodiscover.` and the domain.
    Subdomain,
    /// Unauthenticated GET over plain http, for a redirect to https.
    HttpRedirect,
    /// The SRV record of the domain.
    Srv,
}

impl Step {
    /// The order of the Exchange developer guide.
    pub const STANDARD: [Self; 4] = [Self::Domain, Self::Subdomain, Self::HttpRedirect, Self::Srv];

    /// Where this step looks for `domain`.
    ///
    /// # Errors
    ///
    /// A domain that no host can have.
    pub fn candidate(self, domain: &str) -> Result<Candidate, AddressError> {
        let host = host(domain)?;
        let url = |start: &str| {
            Url::parse(&format!("{start}{host}{POX_PATH}")).map_err(|_| AddressError::Domain(domain.to_owned()))
        };
        Ok(match self {
            Self::Domain => Candidate::Post(url("https://")?),
            Self::Subdomain => Candidate::Post(url("https://autodiscover.")?),
            Self::HttpRedirect => Candidate::GetRedirect(url("http://autodiscover.")?),
            Self::Srv => Candidate::Srv(format!("_autodiscover._tcp.{host}")),
        })
    }
}

/// What to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Candidate {
    /// POST the request there, with credentials.
    Post(Url),
    /// GET there without credentials; a redirect to https is where to post.
    GetRedirect(Url),
    /// Ask DNS for the SRV records of this name.
    Srv(String),
}

/// An address nothing can be found for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Not `user@domain`.
    #[error("`{0}` is not an e-mail address")]
    Address(String),
    /// The part behind `@` is no host name.
    #[error("`{0}` is not a domain name")]
    Domain(String),
}

/// The domain of an address.
///
/// # Errors
///
/// No `@`, or nothing on one side of it.
pub fn domain_of(email: &str) -> Result<&str, AddressError> {
    match email.trim().rsplit_once('@') {
        Some((user, domain)) if !user.is_empty() && !domain.is_empty() => Ok(domain),
        _ => Err(AddressError::Address(email.chars().take(320).collect())),
    }
}

/// An SRV record (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SrvRecord {
    /// Lower is tried first.
    pub priority: u16,
    /// Higher is tried first among equals.
    pub weight: u16,
    /// The port; devices that follow the guide use 443 only.
    pub port: u16,
    /// The host, with or without the final dot; `.` = "the service does not exist".
    pub target: String,
}

impl SrvRecord {
    /// Where to post; the certificate is checked against the target's name. `None` for `.` and for no host name.
    pub fn url(&self) -> Option<Url> {
        let host = host(self.target.trim_end_matches('.')).ok()?;
        let mut url = Url::parse(&format!("https://{host}{POX_PATH}")).ok()?;
        url.set_port(Some(self.port)).ok()?;
        Some(url)
    }
}

/// The records on port 443 with a target, in the order they are tried. Among equals the heavier goes first: a draw by
/// weight would make runs differ.
pub fn srv_targets(mut records: Vec<SrvRecord>) -> Vec<SrvRecord> {
    records.retain(|record| record.port == 443 && record.url().is_some());
    records.sort_by_key(|record| (record.priority, std::cmp::Reverse(record.weight)));
    records
}

/// The name in its ASCII form.
fn host(domain: &str) -> Result<String, AddressError> {
    let wrong = || AddressError::Domain(domain.chars().take(320).collect());
    let url = Url::parse(&format!("https://{domain}/")).map_err(|_| wrong())?;
    let bare = url.port().is_none() && url.username().is_empty() && url.path() == "/" && url.query().is_none();
    let bare = bare && url.fragment().is_none() && url.password().is_none() && !domain.contains([':', '/', '\\']);
    url.domain().filter(|host| bare && !host.is_empty()).map(str::to_owned).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_looks_in_its_place() {
        let found: Vec<Candidate> = Step::STANDARD.iter().map(|step| step.candidate("example.com").unwrap()).collect();
        let url = |text: &str| Url::parse(text).unwrap();
        assert_eq!(
            found,
            [
                Candidate::Post(url("https://example.com/autodiscover/autodiscover.xml")),
                Candidate::Post(url("https://autodiscover.example.com/autodiscover/autodiscover.xml")),
                Candidate::GetRedirect(url("http://autodiscover.example.com/autodiscover/autodiscover.xml")),
                Candidate::Srv("_autodiscover._tcp.example.com".to_owned()),
            ]
        );
    }

    #[test]
    fn the_domain_stands_behind_the_last_at() {
        assert_eq!(domain_of(" \"a@b\"@example.com "), Ok("example.com"));
        for email in ["", "anna", "@example.com", "anna@"] {
            assert!(matches!(domain_of(email), Err(AddressError::Address(_))), "{email}");
        }
        let Ok(Candidate::Post(url)) = Step::Domain.candidate("bücher.example") else { panic!() };
        assert_eq!(url.host_str(), Some("xn--bcher-kva.example"));
        for domain in ["", "a/b", "a:8443", "a b", "a?b", "x@y", "a#", "192.0.2.1", "a\\b"] {
            assert!(Step::Domain.candidate(domain).is_err(), "{domain}");
        }
    }

    #[test]
    fn only_secure_srv_targets_are_tried_best_first() {
        let record =
            |priority, weight, port, target: &str| SrvRecord { priority, weight, port, target: target.to_owned() };
        let order = srv_targets(vec![
            record(10, 1, 443, "c.example.com."),
            record(0, 1, 443, "b.example.com"),
            record(0, 9, 443, "a.example.com."),
            record(0, 0, 8443, "odd.example.com"),
            record(0, 0, 443, "."),
        ]);
        let urls: Vec<String> = order.iter().map(|record| record.url().unwrap().to_string()).collect();
        assert_eq!(
            urls,
            ["a", "b", "c"].map(|host| format!("https://{host}.example.com/autodiscover/autodiscover.xml"))
        );
        assert_eq!(record(0, 0, 8443, "odd.example.com").url().unwrap().port(), Some(8443));
    }
}
