//! What `--target` names, and whether easrig may talk to it.

use std::net::IpAddr;

use easrig_runner::Target;
use miette::Diagnostic;
use thiserror::Error;
use url::{Host, Url};

/// The path of every ActiveSync server.
const PATH: &str = "/Microsoft-Server-ActiveSync";

/// What `--target` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// A server out there.
    Outside(Target),
    /// The reference server in this process, with this profile.
    Embedded(String),
}

/// Why a target is refused.
#[derive(Debug, PartialEq, Eq, Error, Diagnostic)]
pub(crate) enum TargetError {
    #[error("`{0}` is no URL, host or mail address")]
    #[diagnostic(
        code(target::unreadable),
        help("write --target https://mail.example.org or --target alice@example.org")
    )]
    Unreadable(String),
    #[error("`{0}` would send passwords over the net unprotected")]
    #[diagnostic(code(target::plain), help("use https://, or say --insecure if that is what you want"))]
    Plain(String),
    #[error("`--allow destroys` needs `--disposable HOST` to name the target's host, `{expected}`")]
    #[diagnostic(code(target::not_disposable))]
    NotDisposable { expected: String },
}

/// Reads `--target`.
///
/// # Errors
/// [`TargetError::Unreadable`]; [`TargetError::Plain`] for `http://` beyond this machine without `insecure`.
pub(crate) fn parse(text: &str, trust: Trust) -> Result<Named, TargetError> {
    if let Some(profile) = text.strip_prefix("embedded:") {
        return Ok(Named::Embedded(profile.to_owned()));
    }
    if !text.contains("://") && text.contains('@') {
        return Ok(Named::Outside(Target::Address(text.to_owned())));
    }
    let unreadable = || TargetError::Unreadable(text.to_owned());
    let full = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let mut url = Url::parse(&full).map_err(|_| unreadable())?;
    let host = url.host().ok_or_else(unreadable)?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&host) || trust == Trust::Anything => {}
        "http" => return Err(TargetError::Plain(text.to_owned())),
        _ => return Err(unreadable()),
    }
    if url.path().trim_end_matches('/').is_empty() {
        url.set_path(PATH);
    }
    Ok(Named::Outside(Target::Url(url)))
}

/// Whether certificates and plain text are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    Verified,
    Anything,
}

/// Checks that whoever allows `destroys` knows which host it is.
///
/// # Errors
/// [`TargetError::NotDisposable`].
pub(crate) fn check_disposable(target: &Target, disposable: Option<&str>) -> Result<(), TargetError> {
    let expected = match target {
        Target::Url(url) => url.host_str().unwrap_or_default().to_owned(),
        // Where Autodiscover leads is not known yet; the domain is all that is named.
        Target::Address(address) => address.rsplit('@').next().unwrap_or_default().to_owned(),
    };
    match disposable {
        Some(host) if host.eq_ignore_ascii_case(&expected) => Ok(()),
        _ => Err(TargetError::NotDisposable { expected }),
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
        Host::Ipv4(ip) => IpAddr::from(*ip).is_loopback(),
        Host::Ipv6(ip) => IpAddr::from(*ip).is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> String {
        match parse(text, Trust::Verified).unwrap() {
            Named::Outside(Target::Url(url)) => url.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_url_may_lack_its_path_and_its_scheme() {
        assert_eq!(url("https://mail.example.org"), "https://mail.example.org/Microsoft-Server-ActiveSync");
        assert_eq!(url("mail.example.org:8443/"), "https://mail.example.org:8443/Microsoft-Server-ActiveSync");
        assert_eq!(url("https://x.test/SOGo/as"), "https://x.test/SOGo/as");
        assert_eq!(url("http://127.0.0.1:8080"), "http://127.0.0.1:8080/Microsoft-Server-ActiveSync");
    }

    #[test]
    fn plain_text_beyond_this_machine_has_to_be_asked_for() {
        assert!(matches!(parse("http://mail.example.org", Trust::Verified), Err(TargetError::Plain(_))));
        assert!(parse("http://mail.example.org", Trust::Anything).is_ok());
        assert!(matches!(parse("ftp://mail.example.org", Trust::Anything), Err(TargetError::Unreadable(_))));
    }

    #[test]
    fn only_the_host_of_the_target_is_disposable() {
        let Named::Outside(target) = parse("https://lab.test", Trust::Verified).unwrap() else { panic!() };
        assert!(check_disposable(&target, Some("LAB.test")).is_ok());
        assert!(check_disposable(&target, Some("mail.test")).is_err());
        assert!(check_disposable(&target, None).is_err());
    }
}
