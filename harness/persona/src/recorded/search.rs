use easrig_eas::autodiscover::{JSON_PATH, MAX_REDIRECTS, POX_PATH, PoxRequest, Trail};
use easrig_exchange::{Exchange, ExchangeNumber, Failure, Origin, Outcome};
use url::Url;

use crate::{
    Condition, Confidence, Persona,
    discovery::{self, Found, Fruitless, Question, ends_the_search},
    persona::word::Candidate,
};

/// The most places of one search that are kept in mind.
const MOST_PLACES: usize = 64;

/// A search for the server (Autodiscover) as a recording shows it.
///
/// A phone asks one place after another and tells its owner of the worst failure when none has the server. A recording
/// shows neither the name service nor connections that did not come about: whether the device looked everywhere is known
/// only when every place that its persona asks is there.
#[derive(Clone, Debug, Default)]
pub(super) struct Search {
    places: Vec<Place>,
    addresses: Trail,
    found: bool,
}

/// The last answer of one place.
#[derive(Clone, Debug)]
struct Place {
    url: Url,
    question: Question,
    exchange: ExchangeNumber,
    came: Came,
}

#[derive(Clone, Debug)]
enum Came {
    Nothing(Condition),
    Elsewhere(Url),
    /// The recording does not say it, for this reason.
    Unknown(&'static str),
}

/// What a search came to that found no server.
pub(super) struct Fruit {
    pub(super) condition: Condition,
    /// The places asked, in their order.
    pub(super) exchanges: Vec<ExchangeNumber>,
    pub(super) confidence: Confidence,
    pub(super) doubt: Option<String>,
}

/// What a request asks for when it looks for a server; `None` for every other request, also those for other programs.
pub(crate) fn question(exchange: &Exchange) -> Option<Question> {
    let request = &exchange.request;
    let path = request.url.path().to_ascii_lowercase();
    if path == JSON_PATH || path.strip_prefix(JSON_PATH).is_some_and(|rest| rest.starts_with('/')) {
        return Some(Question::Json);
    }
    if path != POX_PATH {
        return None;
    }
    match request.method.as_str() {
        "GET" => Some(Question::Way),
        "POST" => {
            let other = PoxRequest::parse(&request.body).is_ok_and(|asked| !asked.asks_for_mobile_sync());
            (!other).then_some(Question::Document)
        }
        _ => None,
    }
}

impl Search {
    /// Takes in what the next place brought; what ends the search at once, when it does.
    pub(super) fn look(
        &mut self,
        persona: Option<&Persona>,
        question: Question,
        exchange: &Exchange,
    ) -> Option<Condition> {
        let request = &exchange.request;
        if self.places.is_empty()
            && let Ok(asked) = PoxRequest::parse(&request.body)
        {
            // An address that was redirected to is noted already.
            let _ = self.addresses.visit(&asked.email);
        }
        let imported = exchange.origin == Origin::Imported;
        let came = match &exchange.outcome {
            Outcome::Failed(Failure::Cancelled) => Came::Unknown("the device gave a request up"),
            Outcome::Failed(_) if imported => Came::Unknown("an answer is not in the recording"),
            Outcome::Failed(failure) => Came::Nothing(Condition::of_failure(failure)),
            Outcome::Answered(response) if response.cut.is_some() && imported => {
                Came::Unknown("an answer is not whole in the recording")
            }
            // The first leg of signing in is answered so as well.
            Outcome::Answered(response)
                if response.status == 401
                    && question == Question::Document
                    && request.headers.get("Authorization").is_none() =>
            {
                Came::Unknown("the device was asked to sign in, and the recording does not show that it did")
            }
            Outcome::Answered(response) => {
                let found = match persona {
                    Some(persona) => persona.found(question, &request.url, response),
                    None => discovery::found(question, &request.url, response, |_| true),
                };
                match found {
                    Found::Endpoint(_) => {
                        self.found = true;
                        return None;
                    }
                    Found::Address(other) => {
                        let goes_on = self.addresses.visit(&other).is_ok();
                        self.places.clear();
                        return (!goes_on).then_some(Condition::TooManyRedirects);
                    }
                    Found::Nothing(condition) if ends_the_search(&condition) => return Some(condition),
                    Found::Nothing(condition) => Came::Nothing(condition),
                    Found::Elsewhere(url) => Came::Elsewhere(url),
                }
            }
        };
        let place = Place { url: request.url.clone(), question, exchange: exchange.number, came };
        // A place that is asked again, with credentials for example, has said its last word then.
        self.places.retain(|known| known.question != question || !same_place(&known.url, &place.url));
        if self.places.len() < MOST_PLACES {
            self.places.push(place);
        }
        None
    }

    /// What it came to when nothing more was asked; `None` when it found a server or the recording says too little.
    pub(super) fn fruit(&self, persona: Option<&Persona>) -> Option<Fruit> {
        if self.found {
            return None;
        }
        let (mut fruitless, mut known, mut doubt) = (Fruitless::default(), false, None);
        let first_asked: Vec<&Place> = self.first_asked().collect();
        for place in &first_asked {
            match self.last_word(place) {
                Came::Nothing(condition) => {
                    known = true;
                    fruitless.add(condition);
                }
                Came::Unknown(why) => doubt = doubt.or(Some(why.to_owned())),
                Came::Elsewhere(url) => {
                    let host = url.host_str().unwrap_or_default();
                    doubt = doubt
                        .or_else(|| Some(format!("the device was sent to `{host}`, which is not in the recording")));
                }
            }
        }
        let candidates = persona.map(|persona| &persona.autodiscover.candidates);
        let asked = candidates_of(&first_asked);
        let missing = candidates.into_iter().flat_map(|all| &all.value).filter(|one| !asked.contains(one));
        // Without a request to a host that it named, the name service named none.
        let missing: Vec<&str> = missing.filter(|one| **one != Candidate::Srv).map(|one| words(*one)).collect();
        if doubt.is_none() && !missing.is_empty() {
            doubt = Some(format!(
                "the recording does not show every place where this device looks ({} is missing)",
                missing.join(" and ")
            ));
        }
        known.then(|| Fruit {
            condition: fruitless.condition(),
            exchanges: self.places.iter().map(|place| place.exchange).collect(),
            confidence: candidates.map_or(Confidence::High, |all| all.confidence),
            doubt,
        })
    }

    /// The places that no other one led to.
    fn first_asked(&self) -> impl Iterator<Item = &Place> {
        self.places
            .iter()
            .enumerate()
            .filter(|(index, place)| {
                let mut before = self.places.iter().take(*index);
                !before.any(|other| matches!(&other.came, Came::Elsewhere(to) if same_place(to, &place.url)))
            })
            .map(|(_, place)| place)
    }

    /// What came of a place in the end, wherever it led.
    fn last_word(&self, place: &Place) -> Came {
        let mut at = place;
        for _ in 0..=MAX_REDIRECTS {
            let Came::Elsewhere(to) = &at.came else { return at.came.clone() };
            let next = self.places.iter().find(|known| same_place(&known.url, to) && known.question != Question::Way);
            let Some(next) = next else { return at.came.clone() };
            at = next;
        }
        Came::Nothing(Condition::TooManyRedirects)
    }
}

/// Which of a device's places these are.
fn candidates_of(places: &[&Place]) -> Vec<Candidate> {
    let mut known: Vec<Candidate> = Vec::new();
    for place in places {
        let below = place.url.host_str().is_some_and(|host| host.starts_with("autodiscover."));
        known.push(match (place.question, below) {
            (Question::Way, _) => Candidate::HttpRedirect,
            (Question::Json, true) => Candidate::JsonSubdomain,
            (Question::Json, false) => Candidate::JsonDomain,
            (Question::Document, true) => Candidate::Subdomain,
            (Question::Document, false) if known.contains(&Candidate::Domain) => Candidate::Srv,
            (Question::Document, false) => Candidate::Domain,
        });
    }
    known
}

/// A place in words.
fn words(candidate: Candidate) -> &'static str {
    match candidate {
        Candidate::Domain => "https at the domain",
        Candidate::Subdomain => "https at `autodiscover.` and the domain",
        Candidate::HttpRedirect => "plain http at `autodiscover.` and the domain",
        Candidate::Srv => "the name service",
        Candidate::JsonDomain => "the JSON document at the domain",
        Candidate::JsonSubdomain => "the JSON document at `autodiscover.` and the domain",
    }
}

/// Whether two URLs are one place: a recording behind a proxy that ends TLS has another scheme.
fn same_place(one: &Url, other: &Url) -> bool {
    one.host_str() == other.host_str() && one.path().eq_ignore_ascii_case(other.path())
}
