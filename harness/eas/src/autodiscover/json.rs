use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{JSON_PATH, is_html};
use crate::MAX_DOCUMENT;

const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// As `QUERY`, and the `@` of an address stays.
const PATH: &AsciiSet = &QUERY.remove(b'@');

/// A request in the JSON form, which is a GET without credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonRequest {
    /// The address.
    pub email: String,
    /// What is looked for: `ActiveSync`; see [`JsonRequest::is_for`].
    pub protocol: String,
    /// How often the device was redirected, where it says so.
    pub redirect_count: Option<u32>,
}

/// The two shapes of its URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JsonForm {
    /// `/autodiscover/autodiscover.json?Email=…&Protocol=…`
    Query,
    /// `/autodiscover/autodiscover.json/v1.0/USER@DOMAIN?Protocol=…`
    Path,
}

impl JsonRequest {
    /// The request of an ActiveSync device.
    pub fn active_sync(email: &str) -> Self {
        Self { email: email.to_owned(), protocol: "ActiveSync".to_owned(), redirect_count: None }
    }

    /// Whether it asks for `protocol`, in any letter case: clients write it as they like.
    pub fn is_for(&self, protocol: &str) -> bool {
        self.protocol.eq_ignore_ascii_case(protocol)
    }

    /// Path and query of the URL.
    pub fn path_and_query(&self, form: JsonForm) -> String {
        let protocol = utf8_percent_encode(&self.protocol, QUERY);
        let mut out = match form {
            JsonForm::Query => {
                format!("{JSON_PATH}?Email={}&Protocol={protocol}", utf8_percent_encode(&self.email, QUERY))
            }
            JsonForm::Path => {
                format!("{JSON_PATH}/v1.0/{}?Protocol={protocol}", utf8_percent_encode(&self.email, PATH))
            }
        };
        if let Some(count) = self.redirect_count {
            out.push_str(&format!("&RedirectCount={count}"));
        }
        out
    }

    /// Reads path and query of either form; letter case counts neither in the path nor in the names.
    ///
    /// `None` if the path is another one. A missing address or protocol is empty: what to answer is the server's
    /// decision.
    pub fn parse(path_and_query: &str) -> Option<Self> {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let head = path.get(..JSON_PATH.len()).filter(|head| head.eq_ignore_ascii_case(JSON_PATH))?;
        let mut request = Self { email: String::new(), protocol: String::new(), redirect_count: None };
        match path.get(head.len()..)?.trim_end_matches('/').split('/').collect::<Vec<_>>()[..] {
            [""] => {}
            ["", version, email] if version.eq_ignore_ascii_case("v1.0") => request.email = decode(email),
            _ => return None,
        }
        for pair in query.split('&').take(64) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name.to_ascii_lowercase().as_str() {
                "email" => request.email = decode(value),
                "protocol" => request.protocol = decode(value),
                "redirectcount" => request.redirect_count = value.parse().ok(),
                _ => {}
            }
        }
        Some(request)
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// An answer in the JSON form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonAnswer {
    /// The endpoint.
    Found {
        /// The protocol as the server spells it.
        protocol: String,
        /// Its URL.
        url: String,
    },
    /// A refusal, with HTTP 400.
    Refused {
        /// `InvalidProtocol`; other codes have no public text.
        code: String,
        /// Words for people.
        message: String,
    },
}

/// Why a body is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum JsonError {
    /// Nothing: how some servers say that they have no URL.
    #[error("the answer is empty")]
    Empty,
    /// A web page.
    #[error("the answer is a web page, not JSON")]
    Html,
    /// Not JSON, or more than [`MAX_DOCUMENT`].
    #[error("the answer cannot be read as JSON: {0}")]
    NotJson(String),
    /// JSON without a Url and without an ErrorCode.
    #[error("the answer has neither Url nor ErrorCode")]
    Nothing,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Fields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    protocol: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl JsonAnswer {
    /// The refusal of a protocol the server does not offer.
    pub fn invalid_protocol(asked: &str, supported: &[&str]) -> Self {
        let supported = supported.join(",");
        Self::Refused {
            code: "InvalidProtocol".to_owned(),
            message: format!("The given protocol value '{asked}' is invalid. Supported values are '{supported}'"),
        }
    }

    /// Reads a body, whatever its content type says. White space around the URL does not count.
    ///
    /// # Errors
    ///
    /// Nothing, a web page, or JSON that says neither where nor why not.
    pub fn parse(body: &[u8]) -> Result<Self, JsonError> {
        if body.len() > MAX_DOCUMENT {
            return Err(JsonError::NotJson(format!("it has {} bytes", body.len())));
        }
        let text = String::from_utf8_lossy(body);
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Err(JsonError::Empty);
        }
        if is_html(text) {
            return Err(JsonError::Html);
        }
        // A derived reader would take an array as the fields in their order.
        if !text.starts_with('{') {
            return Err(JsonError::NotJson("it is no object".to_owned()));
        }
        let fields: Fields = serde_json::from_str(text).map_err(|error| JsonError::NotJson(error.to_string()))?;
        match fields {
            Fields { url: Some(url), protocol, .. } if !url.trim().is_empty() => {
                Ok(Self::Found { protocol: protocol.unwrap_or_default(), url: url.trim().to_owned() })
            }
            Fields { error_code: Some(code), error_message, .. } => {
                Ok(Self::Refused { code, message: error_message.unwrap_or_default() })
            }
            _ => Err(JsonError::Nothing),
        }
    }

    /// The body. Apostrophes are escaped, as Exchange does.
    pub fn to_json(&self) -> String {
        let fields = match self.clone() {
            Self::Found { protocol, url } => Fields { protocol: Some(protocol), url: Some(url), ..Fields::default() },
            Self::Refused { code, message } => {
                Fields { error_code: Some(code), error_message: Some(message), ..Fields::default() }
            }
        };
        serde_json::to_string(&fields).expect("four texts are always JSON").replace('\'', "\\u0027")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_url_read_and_write_alike() {
        let mut request = JsonRequest::active_sync("anna@example.com");
        assert_eq!(
            request.path_and_query(JsonForm::Path),
            "/autodiscover/autodiscover.json/v1.0/anna@example.com?Protocol=ActiveSync"
        );
        request.redirect_count = Some(1);
        assert_eq!(
            request.path_and_query(JsonForm::Query),
            "/autodiscover/autodiscover.json?Email=anna%40example.com&Protocol=ActiveSync&RedirectCount=1"
        );
        for form in [JsonForm::Query, JsonForm::Path] {
            assert_eq!(JsonRequest::parse(&request.path_and_query(form)), Some(request.clone()));
        }
    }

    #[test]
    fn letter_case_does_not_count_in_a_request() {
        let request =
            JsonRequest::parse("/Autodiscover/AutoDiscover.json?email=a%2Bb%40c&protocol=activesync").unwrap();
        assert_eq!(request.email, "a+b@c");
        assert!(request.is_for("ActiveSync") && !request.is_for("Ews"));
        assert_eq!(JsonRequest::parse("/autodiscover/autodiscover.xml"), None);
        assert_eq!(JsonRequest::parse("/autodiscover/autodiscover.json/v2.0/a@b"), None);
        assert_eq!(JsonRequest::parse("/autodiscover/autodiscover.jsonp"), None);
        assert_eq!(JsonRequest::parse("/autodiscover/autodiscover.json").unwrap().email, "");
        assert_eq!(JsonRequest::parse("é"), None);
    }

    #[test]
    fn answers_read_and_write_alike() {
        let found = JsonAnswer::Found {
            protocol: "ActiveSync".to_owned(),
            url: "https://h/Microsoft-Server-ActiveSync".to_owned(),
        };
        assert_eq!(found.to_json(), r#"{"Protocol":"ActiveSync","Url":"https://h/Microsoft-Server-ActiveSync"}"#);
        let refused = JsonAnswer::invalid_protocol("Foo", &["ActiveSync", "AutodiscoverV1"]);
        assert_eq!(
            refused.to_json(),
            r#"{"ErrorCode":"InvalidProtocol","ErrorMessage":"The given protocol value \u0027Foo\u0027 is invalid. Supported values are \u0027ActiveSync,AutodiscoverV1\u0027"}"#
        );
        for answer in [found, refused] {
            assert_eq!(JsonAnswer::parse(answer.to_json().as_bytes()), Ok(answer));
        }
    }

    #[test]
    fn what_is_no_answer_is_told_apart() {
        for (body, error) in [
            ("", JsonError::Empty),
            (" \n", JsonError::Empty),
            ("<!DOCTYPE html>", JsonError::Html),
            ("{}", JsonError::Nothing),
            ("{\"Protocol\":\"ActiveSync\",\"Url\":\" \"}", JsonError::Nothing),
        ] {
            assert_eq!(JsonAnswer::parse(body.as_bytes()), Err(error), "{body}");
        }
        for body in ["[]", "{\"Url\":1}", "{\"Url\"", &"[".repeat(100_000)] {
            assert!(matches!(JsonAnswer::parse(body.as_bytes()), Err(JsonError::NotJson(_))));
        }
        assert!(matches!(JsonAnswer::parse(&vec![b' '; MAX_DOCUMENT + 1]), Err(JsonError::NotJson(_))));
    }
}
