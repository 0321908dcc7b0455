//! The headers of MS-ASHTTP: their names, and the values that have a structure of their own.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{Timestamp, fmt::rfc2822};
use thiserror::Error;
use url::Url;

use crate::Version;

mod challenge;
mod content_type;

pub use challenge::{Challenge, challenges};
pub use content_type::ContentType;

/// Protocol version of a request.
pub const PROTOCOL_VERSION: &str = "MS-ASProtocolVersion";
/// Versions a server offers, a comma list.
pub const PROTOCOL_VERSIONS: &str = "MS-ASProtocolVersions";
/// Commands a server offers, a comma list.
pub const PROTOCOL_COMMANDS: &str = "MS-ASProtocolCommands";
/// Whether an ItemOperations answer may be multipart: `T` or `F`.
pub const ACCEPT_MULTIPART: &str = "MS-ASAcceptMultiPart";
/// The server's own version text.
pub const SERVER_VERSION: &str = "MS-Server-ActiveSync";
/// The policy key, decimal.
pub const POLICY_KEY: &str = "X-MS-PolicyKey";
/// "Start over", with the versions the server supports now.
pub const RP: &str = "X-MS-RP";
/// With 451: the URL for all later requests.
pub const LOCATION: &str = "X-MS-Location";
/// With 457: where the user may change the password.
pub const CREDENTIAL_SERVICE_URL: &str = "X-MS-Credential-Service-Url";
/// Days until the password expires. MS-ASHTTP prints it both ways.
pub const CREDENTIALS_EXPIRE: [&str; 2] = ["X-MS-Credentials-Expire", "X-MS-Credential-Expire"];
/// The throttling condition that was met.
pub const THROTTLE: &str = "X-MS-ASThrottle";
/// With 503: how long to wait.
pub const RETRY_AFTER: &str = "Retry-After";
/// With 401: how to authenticate.
pub const WWW_AUTHENTICATE: &str = "WWW-Authenticate";

/// The most entries that are read from one comma list.
pub const MAX_LIST: usize = 256;

/// What a server offers in its answer to OPTIONS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// The versions, in the server's order.
    pub versions: Vec<Version>,
    /// Entries of the version list that are no versions.
    pub unknown_versions: Vec<String>,
    /// The commands by name, in the server's order; legacy names are kept.
    pub commands: Vec<String>,
}

impl Offer {
    /// Reads the values of `MS-ASProtocolVersions` and `MS-ASProtocolCommands`; a missing header is an empty text.
    pub fn parse(versions: &str, commands: &str) -> Self {
        let mut offer = Self { commands: list(commands).map(str::to_owned).collect(), ..Self::default() };
        for entry in list(versions) {
            match entry.parse() {
                Ok(version) => offer.versions.push(version),
                Err(_) => offer.unknown_versions.push(entry.to_owned()),
            }
        }
        offer
    }

    /// The highest version both sides speak.
    pub fn highest_common(&self, spoken: &[Version]) -> Option<Version> {
        self.versions.iter().copied().filter(|version| spoken.contains(version)).max()
    }

    /// The value of `MS-ASProtocolVersions`.
    pub fn versions_header(&self) -> String {
        self.versions.iter().map(Version::to_string).collect::<Vec<_>>().join(",")
    }

    /// The value of `MS-ASProtocolCommands`.
    pub fn commands_header(&self) -> String {
        self.commands.join(",")
    }
}

/// The trimmed entries of a comma list, empty ones left out, at most [`MAX_LIST`].
pub fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|entry| !entry.is_empty()).take(MAX_LIST)
}

/// How a device writes user and password as bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BasicCharset {
    /// UTF-8.
    #[default]
    Utf8,
    /// ISO 8859-1, as phones before about 2010.
    Latin1,
}

/// A user or password that the charset cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the credentials hold a character that ISO 8859-1 has not")]
pub struct NotLatin1;

/// The value of `Authorization` for Basic.
///
/// # Errors
///
/// [`BasicCharset::Latin1`] and a character above U+00FF. The error does not name it: it may be of the password.
pub fn basic(user: &str, password: &str, charset: BasicCharset) -> Result<String, NotLatin1> {
    let text = format!("{user}:{password}");
    let bytes = match charset {
        BasicCharset::Utf8 => text.into_bytes(),
        BasicCharset::Latin1 => {
            text.chars().map(|c| u8::try_from(u32::from(c)).map_err(|_| NotLatin1)).collect::<Result<_, _>>()?
        }
    };
    Ok(format!("Basic {}", STANDARD.encode(bytes)))
}

/// The value of `Authorization` for Bearer; an empty token asks for the challenge (MS-XOAUTH).
pub fn bearer(token: &str) -> String {
    format!("Bearer {token}").trim_end().to_owned()
}

/// User and password of a Basic `Authorization`, read as UTF-8, else as ISO 8859-1. `None` if it is not Basic.
pub fn read_basic(value: &str) -> Option<(String, String)> {
    let (scheme, token) = value.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let bytes = STANDARD.decode(token.trim()).ok()?;
    let text =
        String::from_utf8(bytes).unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect());
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// When to come back (RFC 9110 10.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// After so many seconds.
    Seconds(u32),
    /// At a point in time.
    At(Timestamp),
}

impl RetryAfter {
    /// Reads the value; `None` if it is neither seconds nor a date. Seconds beyond 32 bits are the largest number.
    pub fn parse(value: &str) -> Option<Self> {
        let value = value.trim();
        if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Self::Seconds(value.parse().unwrap_or(u32::MAX)));
        }
        rfc2822::DateTimeParser::new().parse_timestamp(value).ok().map(Self::At)
    }
}

/// Why the value of `X-MS-Location` leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LocationError {
    /// Not an absolute URL.
    #[error("`{0}` is not an absolute URL")]
    NotAUrl(String),
    /// Neither http nor https.
    #[error("`{0}` is not an http address")]
    NotHttp(String),
}

/// Reads the value of `X-MS-Location` or `Location`. Whether plain http may be followed is the device's decision.
///
/// # Errors
///
/// A text that is no absolute http or https URL.
pub fn location(value: &str) -> Result<Url, LocationError> {
    let value = value.trim();
    let url = Url::parse(value).map_err(|_| LocationError::NotAUrl(value.to_owned()))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => Err(LocationError::NotHttp(value.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_keeps_what_it_does_not_know() {
        let offer = Offer::parse("2.5,12.1, 14.1,banana,17.0,", "Sync,FolderSync,GetHierarchy");
        assert_eq!(offer.versions_header(), "2.5,12.1,14.1,17.0");
        assert_eq!(offer.unknown_versions, ["banana"]);
        assert_eq!(offer.commands_header(), "Sync,FolderSync,GetHierarchy");
        assert_eq!(offer.highest_common(&Version::ALL), Some(Version::V14_1));
        assert_eq!(offer.highest_common(&[Version::V16_0]), None);
    }

    #[test]
    fn a_list_is_bounded() {
        assert_eq!(list(&"a,".repeat(10_000)).count(), MAX_LIST);
    }

    #[test]
    fn basic_credentials_depend_on_the_charset() {
        assert_eq!(basic("Aladdin", "open sesame", BasicCharset::Utf8).unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        let utf8 = basic("jürgen", "pä:ss", BasicCharset::Utf8).unwrap();
        let latin1 = basic("jürgen", "pä:ss", BasicCharset::Latin1).unwrap();
        assert_eq!(latin1, "Basic avxyZ2VuOnDkOnNz");
        for value in [utf8, latin1] {
            assert_eq!(read_basic(&value), Some(("jürgen".to_owned(), "pä:ss".to_owned())));
        }
        assert_eq!(basic("a", "€", BasicCharset::Latin1), Err(NotLatin1));
        assert_eq!(read_basic("Bearer abc"), None);
        assert_eq!(bearer(""), "Bearer");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(RetryAfter::parse(" 120 "), Some(RetryAfter::Seconds(120)));
        assert_eq!(RetryAfter::parse("99999999999999"), Some(RetryAfter::Seconds(u32::MAX)));
        let at = "2015-10-21T07:28:00Z".parse().unwrap();
        assert_eq!(RetryAfter::parse("Wed, 21 Oct 2015 07:28:00 GMT"), Some(RetryAfter::At(at)));
        assert_eq!(RetryAfter::parse("soon"), None);
        assert_eq!(RetryAfter::parse("-1"), None);
    }

    #[test]
    fn a_location_is_an_absolute_http_url() {
        let url = location(" https://mail2.example.com/Microsoft-Server-ActiveSync ").unwrap();
        assert_eq!(url.host_str(), Some("mail2.example.com"));
        assert_eq!(location("/other"), Err(LocationError::NotAUrl("/other".to_owned())));
        assert_eq!(location("ftp://x/"), Err(LocationError::NotHttp("ftp://x/".to_owned())));
    }
}
