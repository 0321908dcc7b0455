use crate::salt::Salt;
use crate::{Exchange, Headers, Outcome, Secret};
pub use table::{Masking, masking};
pub use text::is_plain;

pub(crate) mod body;
pub(crate) mod mime;
pub(crate) mod query;
pub(crate) mod table;
pub(crate) mod text;

/// What stands where a header's credential stood.
pub(crate) const REMOVED: &str = "[removed]";

/// Secrets shorter than this are not searched for: they would be found everywhere.
const SHORTEST_SECRET: usize = 4;

/// Whether contents are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// As filler of the same length, made from a salted hash.
    Masked,
    /// As they are (`--keep-content`).
    Kept,
}

/// Makes an [`Exchange`] fit to be written: the rules of the tap.
///
/// Credentials, cookies and tokens go; policy keys and device ids become pseudonyms that keep equality; contents become
/// filler unless they are to be kept. Everything is rewritten in place, so that lengths and structure stay, also those of
/// a damaged body. What is not known to be protocol is content.
///
/// Pseudonyms and filler depend on the salt: equal texts are equal after it only within one salt, hence within one run.
#[derive(Clone, Debug)]
pub struct Redactor {
    salt: Salt,
    content: Content,
    kept: Vec<String>,
    secrets: Vec<Secret>,
}

impl Redactor {
    /// Rules with a random salt, made once for a run and never written.
    pub fn new(salt: [u8; 32], content: Content) -> Self {
        Self { salt: Salt::new(salt), content, kept: Vec::new(), secrets: Vec::new() }
    }

    /// Rules for showing what was written already: contents become filler that says nothing about them, pseudonyms stand.
    pub fn hiding() -> Self {
        Self { salt: Salt::none(), content: Content::Masked, kept: Vec::new(), secrets: Vec::new() }
    }

    /// Lets a user name or address of a test account stand.
    pub fn keep_name(mut self, name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        if !name.is_empty() {
            self.kept.push(name.replace('@', "%40"));
            self.kept.push(name);
            // The longest first: an address before the user name that begins it.
            self.kept.sort_by_key(|name| std::cmp::Reverse(name.len()));
        }
        self
    }

    /// Removes this very text wherever it stands, beside what the rules remove anyway.
    pub fn forget(mut self, secret: Secret) -> Self {
        if secret.expose().len() >= SHORTEST_SECRET {
            self.secrets.push(secret);
        }
        self
    }

    /// The exchange as it may be written.
    pub fn redact(&self, mut exchange: Exchange) -> Exchange {
        let request = &mut exchange.request;
        request.body = self.body(&request.headers, std::mem::take(&mut request.body));
        request.url = self.url(&request.url);
        self.headers(&mut request.headers);
        if let Outcome::Answered(response) = &mut exchange.outcome {
            response.body = self.body(&response.headers, std::mem::take(&mut response.body));
            self.headers(&mut response.headers);
            response.reason = self.forgotten(&response.reason);
            response.cut = response.cut.take().map(|why| self.forgotten(&why));
        }
        exchange
    }

    /// The pseudonym of a policy key: as many digits, and 0 stays 0.
    pub fn policy_key(&self, key: u32) -> u32 {
        self.salt.policy_key(key)
    }

    /// The pseudonym of a device id: as long, with letters and digits where they were; case does not count.
    pub fn device_id(&self, id: &str) -> String {
        self.salt.device_id(id)
    }

    fn headers(&self, headers: &mut Headers) {
        headers.rewrite(|name, value| Some(self.forgotten(&self.header(&name.to_ascii_lowercase(), value))));
    }

    fn header(&self, name: &str, value: &str) -> String {
        match name {
            "www-authenticate" | "proxy-authenticate" | "x-ms-credentials-expire" | "x-ms-credential-expire" => {
                value.to_owned()
            }
            "x-ms-policykey" => self.policy_key_text(value),
            "authorization" | "proxy-authorization" => match value.split_once(' ') {
                Some((scheme, _)) if scheme.chars().all(|c| c.is_ascii_alphanumeric()) => format!("{scheme} {REMOVED}"),
                _ => REMOVED.to_owned(),
            },
            "location" | "x-ms-location" | "content-location" | "referer" | "x-ms-credential-service-url" => {
                self.url_text(value)
            }
            _ if SECRET_WORDS.iter().any(|word| name.contains(word)) => REMOVED.to_owned(),
            _ if PERSON_WORDS.iter().any(|word| name.contains(word)) => self.words(value),
            "content-disposition" => self.words(value),
            _ => value.to_owned(),
        }
    }

    fn policy_key_text(&self, text: &str) -> String {
        match text.trim().parse::<u32>() {
            // A key with signs, zeros or spaces around it is odd, and the odd spelling is worth keeping.
            Ok(key) => text.replace(&key.to_string(), &self.policy_key(key).to_string()),
            Err(_) => self.salt.scramble(text),
        }
    }

    /// Content word by word: punctuation and the names of the test accounts stand.
    fn words(&self, text: &str) -> String {
        match self.content {
            Content::Kept => text.to_owned(),
            Content::Masked => text::words(text, &self.kept, &self.salt),
        }
    }

    /// A text of ours about an exchange, without the texts to be forgotten: a server may have echoed them.
    pub fn forgotten(&self, text: &str) -> String {
        let cut = |text: String, secret: &Secret| text.replace(secret.expose(), &"*".repeat(secret.expose().len()));
        self.secrets.iter().fold(text.to_owned(), cut)
    }
}

/// Parts of header names whose values are credentials.
pub(crate) const SECRET_WORDS: [&str; 12] = [
    "auth",
    "token",
    "cookie",
    "secret",
    "password",
    "session",
    "canary",
    "credential",
    "signature",
    "jwt",
    "assertion",
    "api-key",
];

/// Parts of header names whose values name people.
const PERSON_WORDS: [&str; 5] = ["user-name", "x-user", "mailbox", "forwarded-user", "identity"];
