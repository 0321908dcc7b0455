//! Where a device looks for its server, and which redirects it follows.

use std::collections::{BTreeMap, BTreeSet};

use easrig_eas::{
    autodiscover::{PoxRequest, domain_of},
    headers,
};
use easrig_exchange::{Exchange, ExchangeNumber};
use url::Url;

use super::{
    Seen,
    facts::{Facts, Row},
};
use crate::{
    Confidence,
    discovery::{self, Found, Question},
};

/// The places a device was seen at.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The search that is under way.
    search: Search,
    /// The search with the most places.
    longest: Search,
    redirect: Option<Redirect>,
    /// By `http` and `moved`: requests that followed, and requests that did not.
    followed: BTreeMap<&'static str, BTreeMap<String, ExchangeNumber>>,
    left: BTreeMap<&'static str, BTreeMap<String, ExchangeNumber>>,
}

/// The places of one search, in order.
#[derive(Clone, Debug, Default)]
struct Search {
    places: Vec<&'static str>,
    at: Option<ExchangeNumber>,
    /// A place was only concluded.
    guessed: bool,
    /// The last place had the server.
    found: bool,
}

/// An answer that sends the device elsewhere.
#[derive(Debug)]
struct Redirect {
    key: &'static str,
    which: String,
    target: Url,
    at: ExchangeNumber,
    done: i64,
}

impl Places {
    /// Anything the device does: does it follow where it was sent?
    pub(super) fn look(&mut self, seen: &Seen<'_>, which: &str) -> bool {
        let mut follows = false;
        if let Some(redirect) = self.redirect.take_if(|redirect| redirect.done <= seen.started()) {
            let url = &seen.exchange.request.url;
            let same = |target: &Url| {
                target.host_str() == url.host_str() && target.port_or_known_default() == url.port_or_known_default()
            };
            follows = same(&redirect.target) && redirect.which == which;
            let list = if follows { &mut self.followed } else { &mut self.left };
            list.entry(redirect.key).or_default().entry(redirect.which).or_insert(redirect.at);
        }
        self.redirect = sent_on(seen, which);
        follows
    }

    /// A request of Autodiscover; `follows` when a redirect led here.
    pub(super) fn autodiscover(&mut self, seen: &Seen<'_>, question: Question, follows: bool, facts: &mut Facts) {
        facts.seen("abilities.discover", true, seen.at);
        if self.search.found {
            self.over();
        }
        let url = &seen.exchange.request.url;
        let came = seen.exchange.response().map(|response| discovery::found(question, url, response, |_| true));
        self.search.found = matches!(came, Some(Found::Endpoint(_)));
        self.search.at.get_or_insert(seen.at);
        if follows {
            return;
        }
        let (place, guessed) = place(seen.exchange, question, self.search.places.is_empty());
        // A place is asked again when it wants to be signed in to otherwise.
        if !self.search.places.contains(&place) {
            self.search.places.push(place);
            self.search.guessed |= guessed;
        }
    }

    /// The search is over: the device speaks to its server, or the recording ends.
    pub(super) fn over(&mut self) {
        let search = std::mem::take(&mut self.search);
        if search.places.len() > self.longest.places.len() {
            self.longest = search;
        }
    }

    /// What follows from everything that was seen.
    pub(super) fn row(&self, key: &str) -> Option<Row> {
        match key {
            "autodiscover.candidates" => {
                let longest = [&self.longest, &self.search].into_iter().max_by_key(|search| search.places.len())?;
                let at = longest.at.filter(|_| !longest.places.is_empty())?;
                let rest = match longest.found {
                    true => "the last place had the server, and what it would have tried then does not show",
                    false => "a place whose name does not resolve leaves no trace",
                };
                let confidence = if longest.guessed { Confidence::Low } else { Confidence::Med };
                let value: Vec<String> = longest.places.iter().map(|place| (*place).to_owned()).collect();
                Some(Row { value: value.into(), evidence: format!("exchange {} and after; {rest}", at.0), confidence })
            }
            "redirects.http" => self.redirects("http"),
            "redirects.moved" => self.redirects("moved"),
            _ => None,
        }
    }

    /// A device that follows with one command and refuses with none follows with all.
    fn redirects(&self, key: &str) -> Option<Row> {
        let none = BTreeMap::new();
        let (followed, left) = (self.followed.get(key).unwrap_or(&none), self.left.get(key).unwrap_or(&none));
        if followed.is_empty() && left.is_empty() {
            return None;
        }
        let is_command = |which: &&String| !["OPTIONS", "Autodiscover"].contains(&which.as_str());
        let kept: Vec<&String> = followed.keys().filter(|which| !left.contains_key(*which)).collect();
        let all = kept.iter().any(is_command) && left.keys().all(|which| which == "Autodiscover");
        let mut value: BTreeSet<String> = kept.iter().map(|which| (**which).clone()).collect();
        if all {
            value.retain(|which| which == "Autodiscover");
            value.insert("*".to_owned());
        }
        let told = |list: &BTreeMap<String, ExchangeNumber>, words: &str| -> Vec<String> {
            list.iter().map(|(which, at)| format!("exchange {}: {which} {words}", at.0)).collect()
        };
        let mut evidence = told(followed, "followed");
        evidence.extend(told(left, "did not follow"));
        let value: Vec<String> = value.into_iter().collect();
        Some(Row { value: value.into(), evidence: evidence.join("; "), confidence: Confidence::Med })
    }
}

/// Where an answer sends the device.
fn sent_on(seen: &Seen<'_>, which: &str) -> Option<Redirect> {
    let response = seen.exchange.response()?;
    let (key, header) = match response.status {
        301 | 302 | 307 | 308 => ("http", "Location"),
        451 => ("moved", headers::LOCATION),
        _ => return None,
    };
    let target = seen.exchange.request.url.join(response.headers.get(header)?.trim()).ok()?;
    Some(Redirect { key, which: which.to_owned(), target, at: seen.at, done: seen.done() })
}

/// Which of the places a persona knows this is, and whether that is a guess.
fn place(exchange: &Exchange, question: Question, is_first: bool) -> (&'static str, bool) {
    let request = &exchange.request;
    let host = request.url.host_str().unwrap_or_default().to_ascii_lowercase();
    let address = PoxRequest::parse(&request.body).map(|asked| asked.email).unwrap_or_default();
    let domain = domain_of(&address).unwrap_or_default();
    match (question, host.starts_with("autodiscover.")) {
        (Question::Json, true) => ("json-autodiscover", false),
        (Question::Json, false) => ("json-domain", false),
        (Question::Way, _) => ("http-redirect", false),
        (Question::Document, true) => ("https-autodiscover", false),
        (Question::Document, false) if domain.eq_ignore_ascii_case(&host) => ("https-domain", false),
        (Question::Document, false) if is_first => ("https-domain", true),
        // A host that neither the address nor a redirect names: the name service does.
        (Question::Document, false) => ("srv", true),
    }
}
