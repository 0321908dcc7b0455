use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use crate::redact::{REMOVED, SECRET_WORDS};
use crate::salt::Salt;
use crate::{Exchange, Failure, Headers, Outcome, TlsFailure};
use text::Voice;

mod body;
mod charset;
mod der;
mod link;
mod mime;
mod phone;
mod pseudonym;
mod tally;
mod text;
mod vocabulary;

pub use tally::{Kind, Replaced, Tally};

/// How many names and words of names are kept in mind.
const MAX_NAMES: usize = 1 << 18;

/// How many words with their pseudonyms are kept at hand.
const MAX_READY: usize = 1 << 16;

/// Words of names shorter than this are not searched for in protocol texts: they would be found everywhere.
const SHORTEST_NAME: usize = 4;

/// Longer words are no names, and are not kept in mind.
const LONGEST_NAME: usize = 256;

/// Makes an [`Exchange`] fit to be shown to strangers.
///
/// Everything that is not known to be protocol is replaced: names, addresses, hosts, texts, attachments, device ids, keys,
/// tokens. Each word becomes another word of the same length, the same one everywhere, whether it stands in a header, a
/// query, a document, a message inside it or a certificate; so the same person stays the same person, equal ids stay equal,
/// different ones different, and what could be decoded can be decoded afterwards. Dates, statuses, options and what says
/// which device or server it was stand.
///
/// It takes two passes: [`Scrubber::learn`] with every exchange, so that names are found where protocol stands
/// otherwise (a device id in a User-Agent), then [`Scrubber::scrub`] with every exchange. Pseudonyms depend on the salt, which
/// is never written: without it nobody can try names.
#[derive(Debug)]
pub struct Scrubber {
    salt: Salt,
    /// Domains that stand, in lower case.
    domains: Vec<String>,
    /// Companies whose names stand as issuers of certificates, beside those that everybody knows.
    companies: Vec<String>,
    /// The issuers that stand.
    issuers: BTreeSet<String>,
    /// Words of names, in lower case.
    names: HashSet<String>,
    ready: HashMap<String, String>,
    tally: Tally,
    pseudonyms: Option<BTreeMap<(Kind, String), String>>,
    pass: Pass,
    full: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    Learn,
    Replace,
}

/// A name and what stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pseudonym<'s> {
    /// What it is.
    pub kind: Kind,
    /// As it was.
    pub original: &'s str,
    /// As it is now.
    pub pseudonym: &'s str,
}

/// Why a capture cannot be scrubbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ScrubError {
    /// There are more names than are kept in mind.
    #[error("more than {MAX_NAMES} different names are in the capture; scrub it in parts")]
    TooManyNames,
}

impl Scrubber {
    /// Rules with a random salt, made once for a capture and never written.
    pub fn new(salt: [u8; 32]) -> Self {
        Self {
            salt: Salt::new(salt),
            domains: Vec::new(),
            companies: Vec::new(),
            issuers: BTreeSet::new(),
            names: HashSet::new(),
            ready: HashMap::new(),
            tally: Tally::default(),
            pseudonyms: None,
            pass: Pass::Replace,
            full: false,
        }
    }

    /// Lets the name of a domain stand, also behind other labels and in addresses.
    pub fn keep_domain(mut self, domain: &str) -> Self {
        let domain = domain.trim_matches('.').to_ascii_lowercase();
        if !domain.is_empty() {
            self.domains.push(domain);
            // The longest first: a domain before one that it ends in.
            self.domains.sort_by_key(|domain| std::cmp::Reverse(domain.len()));
        }
        self
    }

    /// Lets the name of a company stand where it issued a certificate, as those that everybody knows do.
    pub fn keep_issuer(mut self, company: &str) -> Self {
        self.companies.push(company.to_owned());
        self
    }

    /// Keeps names with their pseudonyms, see [`Scrubber::pseudonyms`].
    pub fn keep_map(mut self) -> Self {
        self.pseudonyms = Some(BTreeMap::new());
        self
    }

    /// Takes note of the names in an exchange.
    ///
    /// # Errors
    /// [`ScrubError::TooManyNames`].
    pub fn learn(&mut self, exchange: &Exchange) -> Result<(), ScrubError> {
        self.pass = Pass::Learn;
        self.rewrite(exchange.clone());
        self.pass = Pass::Replace;
        if self.full { Err(ScrubError::TooManyNames) } else { Ok(()) }
    }

    /// The exchange as it may be shown.
    ///
    /// # Errors
    /// [`ScrubError::TooManyNames`].
    pub fn scrub(&mut self, exchange: Exchange) -> Result<Exchange, ScrubError> {
        let exchange = self.rewrite(exchange);
        if self.full { Err(ScrubError::TooManyNames) } else { Ok(exchange) }
    }

    /// What was replaced so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Names that were replaced, if they were to be kept ([`Scrubber::keep_map`]): for the eyes of their owner.
    pub fn pseudonyms(&self) -> impl Iterator<Item = Pseudonym<'_>> {
        let all = self.pseudonyms.iter().flatten();
        all.map(|((kind, original), pseudonym)| Pseudonym { kind: *kind, original, pseudonym })
    }

    fn rewrite(&mut self, mut exchange: Exchange) -> Exchange {
        let request = &mut exchange.request;
        let length = request.body.len();
        request.body = self.body(&request.headers, std::mem::take(&mut request.body));
        request.url = self.url(&request.url);
        self.headers(&mut request.headers, length, request.body.len());
        match &mut exchange.outcome {
            Outcome::Answered(response) => {
                let length = response.body.len();
                response.body = self.body(&response.headers, std::mem::take(&mut response.body));
                self.headers(&mut response.headers, length, response.body.len());
                response.reason = self.replaced(Kind::Text, &response.reason, Voice::Protocol);
                response.cut = response.cut.take().map(|why| self.own(&why));
            }
            Outcome::Failed(failure) => self.failure(failure),
        }
        if let Some(tls) = &mut exchange.tls {
            self.chain(&mut tls.chain);
        }
        exchange
    }

    fn headers(&mut self, headers: &mut Headers, before: usize, after: usize) {
        headers.rewrite(|name, value| Some(self.header(&name.to_ascii_lowercase(), value, before, after)));
    }

    fn header(&mut self, name: &str, value: &str, before: usize, after: usize) -> String {
        match name {
            // A body that was packed has another length now; a wrong length stays wrong.
            "content-length" if value.trim() == before.to_string() => after.to_string(),
            "host" | "x-forwarded-host" => self.authority(value),
            "x-ms-policykey" => self.policy_key_text(value),
            "authorization" | "proxy-authorization" => self.authorization(value),
            "www-authenticate" | "proxy-authenticate" => self.replaced(Kind::Text, value, Voice::Protocol),
            "location" | "x-ms-location" | "content-location" | "referer" | "x-ms-credential-service-url" => {
                self.link(value)
            }
            "content-type" | "content-disposition" => self.parameters_text(value),
            _ if SECRET_WORDS.iter().any(|word| name.contains(word)) && !name.starts_with("x-ms-credential") => {
                self.count(Kind::Credential, value);
                REMOVED.to_owned()
            }
            _ if PROTOCOL_HEADERS.contains(&name) => self.replaced(Kind::Text, value, Voice::Protocol),
            _ if PRODUCT_HEADERS.contains(&name) => self.replaced(Kind::Text, value, Voice::Product),
            "x-ms-user" | "x-user-identity" | "from" => self.replaced(Kind::Address, value, Voice::Content),
            _ => self.replaced(Kind::Text, value, Voice::Content),
        }
    }

    /// The scheme stands; user and password are names to look for elsewhere.
    fn authorization(&mut self, value: &str) -> String {
        let (scheme, rest) = value.split_once(' ').unwrap_or(("", value));
        if rest != REMOVED {
            self.count(Kind::Credential, rest);
        }
        let basic = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(rest.trim()).ok()).flatten();
        if let Some(text) = basic.and_then(|bytes| String::from_utf8(bytes).ok()) {
            self.note(&text);
        }
        match scheme {
            "" => REMOVED.to_owned(),
            scheme => format!("{} {REMOVED}", self.text(scheme, Voice::Protocol)),
        }
    }

    fn policy_key_text(&mut self, text: &str) -> String {
        match text.trim().parse::<u32>() {
            Ok(0) => text.to_owned(),
            // A key with signs, zeros or spaces around it is odd, and the odd spelling is worth keeping.
            Ok(key) => {
                self.count(Kind::PolicyKey, &key.to_string());
                text.replace(&key.to_string(), &self.salt.policy_key(key).to_string())
            }
            Err(_) => self.replaced(Kind::PolicyKey, text, Voice::Content),
        }
    }

    fn failure(&mut self, failure: &mut Failure) {
        match failure {
            Failure::Dns { host, detail } | Failure::Unreachable { host, detail, .. } => {
                *host = self.host(host);
                *detail = self.own(detail);
            }
            Failure::Refused { host, .. } => *host = self.host(host),
            Failure::Tls { host, kind } => {
                *host = self.host(host);
                match kind {
                    TlsFailure::WrongName { names } => names.iter_mut().for_each(|name| *name = self.host(name)),
                    TlsFailure::BadCertificate(detail) | TlsFailure::Alert(detail) | TlsFailure::Handshake(detail) => {
                        *detail = self.own(detail);
                    }
                    TlsFailure::UnknownIssuer | TlsFailure::Expired | TlsFailure::NotYetValid => {}
                }
            }
            Failure::NotHttp { detail } => *detail = self.own(detail),
            Failure::Timeout { .. } | Failure::Closed | Failure::Cancelled => {}
        }
    }

    /// A sentence of easrig or of the system: names in it go, and everything in quotes.
    fn own(&mut self, text: &str) -> String {
        let parts: Vec<String> = text
            .split_inclusive('`')
            .enumerate()
            .map(|(index, part)| {
                let voice = if index % 2 == 0 { Voice::Product } else { Voice::Content };
                self.replaced(Kind::Text, part, voice)
            })
            .collect();
        parts.concat()
    }

    /// Counts a value; nothing is counted while names are learned.
    fn count(&mut self, kind: Kind, original: &str) {
        self.count_bytes(kind, original.as_bytes());
    }

    fn count_bytes(&mut self, kind: Kind, original: &[u8]) {
        if self.pass == Pass::Replace {
            self.tally.count(kind, self.salt.mark(original));
        }
    }

    /// Takes note of the words of a name; the last label of a domain, and words that name products, are none.
    fn note(&mut self, name: &str) {
        for word in name.split(|c: char| !text::is_word(c)) {
            if !(SHORTEST_NAME..=LONGEST_NAME).contains(&word.len()) {
                continue;
            }
            let word = word.to_lowercase();
            if vocabulary::is_product(&word) || vocabulary::is_protocol(&word) {
                continue;
            }
            if self.names.len() < MAX_NAMES {
                self.names.insert(word);
            } else if !self.names.contains(&word) {
                self.full = true;
            }
        }
    }

    /// Puts a name and its pseudonym into the map.
    fn enter(&mut self, kind: Kind, original: &str, pseudonym: &str) {
        let replaces = self.pass == Pass::Replace && original != pseudonym;
        let Some(map) = self.pseudonyms.as_mut().filter(|_| replaces) else { return };
        if map.len() < MAX_NAMES {
            map.insert((kind, original.to_lowercase()), pseudonym.to_lowercase());
        } else {
            self.full = true;
        }
    }
}

/// Headers whose values are words of the protocols; any other word in them is content.
const PROTOCOL_HEADERS: [&str; 30] = [
    "accept-ranges",
    "age",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-transfer-encoding",
    "date",
    "dnt",
    "expect",
    "expires",
    "keep-alive",
    "last-modified",
    "ms-asprotocolversion",
    "ms-asprotocolversions",
    "ms-server-activesync",
    "pragma",
    "proxy-connection",
    "public",
    "retry-after",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-ms-asacceptmultipart",
    "x-ms-credential-expire",
    "x-ms-credentials-expire",
    "x-ms-rp",
    "x-ms-wl",
    "x-owa-version",
];

/// Headers that say in words of a maker which program it is; only names are looked for in them.
const PRODUCT_HEADERS: [&str; 19] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "allow",
    "content-language",
    "mime-version",
    "ms-asprotocolcommands",
    "ms-asprotocolrevisions",
    "server",
    "strict-transport-security",
    "user-agent",
    "vary",
    "x-aspnet-version",
    "x-content-type-options",
    "x-frame-options",
    "x-ms-asthrottle",
    "x-powered-by",
    "x-xss-protection",
];
