use thiserror::Error;
use url::Url;

/// After this many redirects a device gives up. The number is that of Outlook's documents; none is given for
/// ActiveSync.
pub const MAX_REDIRECTS: usize = 10;

/// Where a discovery has been: URLs, or addresses of Redirect elements. Letter case does not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail(Vec<String>);

/// Why a redirect is not followed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RedirectError {
    /// It leads to where the discovery has been.
    #[error("the redirect to `{0}` leads in a circle")]
    Circle(String),
    /// It is one too many.
    #[error("more than {MAX_REDIRECTS} redirects")]
    TooMany,
    /// It leads to plain http, or away from http.
    #[error("the redirect leads to `{0}`, which is not https")]
    NotHttps(String),
    /// It is no URL.
    #[error("the redirect leads to `{0}`, which is not a URL")]
    NotAUrl(String),
}

impl Trail {
    /// Notes the place where the discovery goes next.
    ///
    /// # Errors
    ///
    /// It has been there, or has been redirected too often.
    pub fn visit(&mut self, place: &str) -> Result<(), RedirectError> {
        let place = place.trim().to_lowercase();
        if self.0.contains(&place) {
            return Err(RedirectError::Circle(place));
        }
        if self.0.len() > MAX_REDIRECTS {
            return Err(RedirectError::TooMany);
        }
        self.0.push(place);
        Ok(())
    }
}

/// Where a `Location` header leads, relative to `from` if it is relative. Credentials go to https only.
///
/// # Errors
///
/// No URL, or not https.
pub fn https_target(from: &Url, location: &str) -> Result<Url, RedirectError> {
    let location = location.trim();
    let url = from.join(location).map_err(|_| RedirectError::NotAUrl(location.to_owned()))?;
    if url.scheme() == "https" && url.has_host() { Ok(url) } else { Err(RedirectError::NotHttps(location.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_seen() {
        let mut trail = Trail::default();
        assert_eq!(trail.visit("a@example.com"), Ok(()));
        assert_eq!(trail.visit("b@example.com"), Ok(()));
        assert_eq!(trail.visit("A@Example.com "), Err(RedirectError::Circle("a@example.com".to_owned())));
    }

    #[test]
    fn the_eleventh_redirect_is_one_too_many() {
        let mut trail = Trail::default();
        assert!((0..=MAX_REDIRECTS).all(|n| trail.visit(&format!("https://{n}/")).is_ok()));
        assert_eq!(trail.visit("https://last/"), Err(RedirectError::TooMany));
    }

    #[test]
    fn only_https_is_followed() {
        let from = Url::parse("https://example.com/a/b.xml").unwrap();
        assert_eq!(https_target(&from, "/c").unwrap().as_str(), "https://example.com/c");
        assert_eq!(https_target(&from, "https://x.example/").unwrap().host_str(), Some("x.example"));
        assert!(matches!(https_target(&from, "http://x.example/"), Err(RedirectError::NotHttps(_))));
        assert!(matches!(https_target(&from, "https://"), Err(RedirectError::NotAUrl(_))));
    }
}
