//! What a device makes of an answer while it looks for its server (Autodiscover), and of a search that found none.
//!
//! A live phone and a reader of recorded traffic decide by the same functions.

use easrig_eas::{
    autodiscover::{JsonAnswer, PoxAction, PoxResponse, https_target},
    encoding::ContentEncoding,
    headers,
};
use easrig_exchange::Response;
use url::Url;

use crate::{Condition, Persona, persona::word::Which};

/// The most bytes of an Autodiscover answer that are read.
const MOST_BYTES: usize = 1 << 20;

/// What a device asks a place for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// The XML document (MS-ASCMD 2.2.1.1), by POST.
    Document,
    /// The way to an https place, by GET over plain HTTP.
    Way,
    /// The JSON document.
    Json,
}

/// What one place brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The endpoint.
    Endpoint(Url),
    /// Another address to begin again with.
    Address(String),
    /// Nothing, and why.
    Nothing(Condition),
    /// A document of the right kind at another place.
    Elsewhere(Url),
}

/// What a search that found nothing comes to for the owner: of all failures, the one that says most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fruitless(Condition);

impl Persona {
    /// What the answer of a place is to this device.
    pub(crate) fn found(&self, question: Question, url: &Url, response: &Response) -> Found {
        found(question, url, response, |status| {
            let rules = if status == 451 { &self.redirects.moved.value } else { &self.redirects.http.value };
            Which::covers(rules, Which::Autodiscover)
        })
    }
}

/// What the answer of a place is to a device that follows redirects of the statuses that `follows` names.
pub(crate) fn found(question: Question, url: &Url, response: &Response, follows: impl Fn(u16) -> bool) -> Found {
    let header = match (response.status, question) {
        (200, Question::Document) => return read_pox(response),
        (200, Question::Json) => return read_json(response),
        (200, Question::Way) => return Found::Nothing(Condition::BadAnswer),
        (301 | 302 | 307 | 308, _) => "Location",
        (451, _) => headers::LOCATION,
        (status, _) => return Found::Nothing(Condition::Http(status)),
    };
    let target = response.headers.get(header).filter(|_| follows(response.status));
    let target = target.and_then(|target| https_target(url, target).ok());
    target.map_or(Found::Nothing(Condition::Http(response.status)), Found::Elsewhere)
}

impl Default for Fruitless {
    fn default() -> Self {
        Self(Condition::AutodiscoverFailed)
    }
}

impl Fruitless {
    /// One more place brought nothing.
    pub(crate) fn add(&mut self, condition: Condition) {
        if weight(&condition) > weight(&self.0) {
            self.0 = condition;
        }
    }

    /// What the owner is told of.
    pub(crate) fn condition(self) -> Condition {
        self.0
    }
}

/// Whether a device looks nowhere else after this: the account itself is the trouble.
pub(crate) fn ends_the_search(condition: &Condition) -> bool {
    matches!(condition, Condition::Http(456 | 457))
}

/// How much a failure tells the owner more than that nothing was found.
fn weight(condition: &Condition) -> u8 {
    match condition {
        Condition::Http(456 | 457) => 4,
        Condition::Http(401) => 3,
        Condition::Tls(_) => 2,
        Condition::AutodiscoverFailed => 1,
        _ => 0,
    }
}

fn body(response: &Response) -> Vec<u8> {
    let coding = response.headers.get("Content-Encoding").unwrap_or("identity");
    ContentEncoding::parse(coding).decode(&response.body, MOST_BYTES).unwrap_or_default()
}

fn read_pox(response: &Response) -> Found {
    let Ok(said) = PoxResponse::parse(&body(response)) else { return Found::Nothing(Condition::BadAnswer) };
    match &said.action {
        PoxAction::Redirect(address) => Found::Address(address.clone()),
        PoxAction::Settings(_) => endpoint(said.mobile_sync_url()),
        PoxAction::Error(_) | PoxAction::Framework(_) | PoxAction::Nothing => {
            Found::Nothing(Condition::AutodiscoverFailed)
        }
    }
}

fn read_json(response: &Response) -> Found {
    match JsonAnswer::parse(&body(response)) {
        Ok(JsonAnswer::Found { url, .. }) => endpoint(Some(&url)),
        Ok(JsonAnswer::Refused { .. }) => Found::Nothing(Condition::AutodiscoverFailed),
        Err(_) => Found::Nothing(Condition::BadAnswer),
    }
}

/// An endpoint the device would send its password to: over https.
fn endpoint(url: Option<&str>) -> Found {
    let url = url.and_then(|url| Url::parse(url.trim()).ok()).filter(|url| url.scheme() == "https" && url.has_host());
    url.map_or(Found::Nothing(Condition::AutodiscoverFailed), Found::Endpoint)
}
