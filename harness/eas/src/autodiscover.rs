//! Finding the server of an address: the documents of Autodiscover in its XML form ("POX", MS-ASCMD) and its
//! JSON form (v2), and the places where a device looks for them. Who asks where, and in which order, is the device's
//! own habit; nothing here sends.

mod candidate;
mod json;
mod request;
mod response;
mod trail;

pub use candidate::{AddressError, Candidate, SrvRecord, Step, domain_of, srv_targets};
pub use json::{JsonAnswer, JsonError, JsonForm, JsonRequest};
pub use request::{PoxRequest, PoxRequestError};
pub use response::{
    FrameworkError, PoxAction, PoxError, PoxOddity, PoxResponse, PoxResponseError, PoxServer, ServerType,
};
pub use trail::{MAX_REDIRECTS, RedirectError, Trail, https_target};

/// Namespace of a request for ActiveSync.
pub const REQUEST_SCHEMA: &str = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006";
/// Namespace of the inner `Response`, and the AcceptableResponseSchema of a request for ActiveSync.
pub const RESPONSE_SCHEMA: &str = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006";
/// Namespace of the outer `Autodiscover` of an answer, and of the `Response` of a framework error.
pub const OUTER_SCHEMA: &str = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006";
/// The path of the XML form; servers compare it without regard to case.
pub const POX_PATH: &str = "/autodiscover/autodiscover.xml";
/// The path of the JSON form.
pub const JSON_PATH: &str = "/autodiscover/autodiscover.json";

/// ErrorCode "the request is invalid".
pub const INVALID_REQUEST: u16 = 600;
/// ErrorCode "no provider for the schema asked for".
pub const NO_PROVIDER: u16 = 601;

/// Whether a body is an HTML page: a login form or an error of something in front of the server.
pub fn is_html(body: &str) -> bool {
    let start = body.trim_start_matches('\u{feff}').trim_start();
    let begins = |with: &str| start.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with));
    ["<!doctype html", "<html", "<head", "<body"].into_iter().any(begins)
}
