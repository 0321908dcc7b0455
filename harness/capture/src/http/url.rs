use std::fmt;

use easrig_exchange::Headers;
use url::Url;

/// The URL of a request: its target, at the host that its header names, else at the one it went to.
pub(crate) fn request_url(target: &str, headers: &Headers, server: impl fmt::Display, secure: bool) -> Option<Url> {
    let scheme = if secure { "https" } else { "http" };
    if !target.starts_with('/') && target != "*" {
        if let Ok(url) = Url::parse(target)
            && url.has_host()
        {
            return Some(url);
        }
        // CONNECT names a host and a port.
        return Url::parse(&format!("{scheme}://{target}/")).ok();
    }
    let path = if target == "*" { "/" } else { target };
    let at = |host: &str| Url::parse(&format!("{scheme}://{host}{path}")).ok();
    headers.get("host").filter(|host| is_authority(host)).and_then(at).or_else(|| at(&server.to_string()))
}

/// Whether a `Host` header holds nothing but a host and a port.
fn is_authority(host: &str) -> bool {
    !host.is_empty() && !host.contains(['/', '?', '#', '@', '\\', ' '])
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn url(target: &str, host: Option<&str>, secure: bool) -> Option<String> {
        let headers: Headers = host.map(|host| ("HOST", host)).into_iter().collect();
        request_url(target, &headers, SocketAddr::from(([10, 0, 0, 5], 8443)), secure).map(String::from)
    }

    #[test]
    fn the_host_header_names_the_host_and_the_address_stands_in() {
        let target = "/Microsoft-Server-ActiveSync?Cmd=Sync&User=a%40b";
        assert_eq!(url(target, Some("mail.test"), true).unwrap(), format!("https://mail.test{target}"));
        assert_eq!(url(target, None, false).unwrap(), format!("http://10.0.0.5:8443{target}"));
        assert_eq!(url(target, Some("a b"), false).unwrap(), format!("http://10.0.0.5:8443{target}"));
    }

    #[test]
    fn absolute_targets_and_stars_are_targets_too() {
        assert_eq!(url("http://proxy.test/x", Some("other"), false).unwrap(), "http://proxy.test/x");
        assert_eq!(url("*", Some("mail.test"), false).unwrap(), "http://mail.test/");
        assert_eq!(url("mail.test:443", None, false).unwrap(), "http://mail.test:443/");
        assert_eq!(url("not a url", None, false), None);
    }
}
