//! What an Exchange says once its layers are off: request line, content coding, multipart, WBXML, main Status.

use easrig_eas::{
    Command, Status, StatusScope, Version,
    encoding::ContentEncoding,
    headers::{self, ContentType},
    multipart::Multipart,
    query::{CommandName, QueryLine},
    status,
};
use easrig_exchange::{Exchange, Response};
use easrig_wbxml::{DecodeError, Document, Element, Limits};

use crate::model::Verb;

/// The most bytes that a compressed body may unfold to.
pub const MAX_BODY: usize = 64 << 20;

/// An Exchange without its layers; a pure function of the Exchange.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// What was asked; `None` for requests that are not ActiveSync commands (Autodiscover, unknown commands).
    pub verb: Option<Verb>,
    /// The request line, when it could be read.
    pub query: Option<QueryLine>,
    /// The protocol version of the request, from the packed query or from the header.
    pub version: Option<Version>,
    /// The request's body.
    pub request: Content,
    /// HTTP status code; `None` when there was no answer.
    pub http: Option<u16>,
    /// Media type of the answer; `None` when the header is missing.
    pub content_type: Option<ContentType>,
    /// The answer's body.
    pub answer: Content,
    /// The parts of a multipart answer, part 0 included.
    pub parts: Vec<Vec<u8>>,
    /// The answer's body without its content coding.
    pub body: Vec<u8>,
    /// Bytes after the root element of the answer.
    pub trailing: usize,
    /// What is strange about the multipart structure.
    pub oddities: Vec<String>,
    /// The main Status, with the place whose meanings apply. An empty 200 where that means success counts as 1.
    pub status: Option<(StatusScope, Status)>,
}

/// What a body holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// There is no message at all.
    Missing,
    /// A message without a body.
    Empty,
    /// A document.
    Document(Box<Document>),
    /// Says it is WBXML, or looks like it, and is not.
    Undecodable(DecodeError),
    /// Its content coding or multipart structure is broken.
    Broken(String),
    /// Something else: HTML, MIME, an attachment.
    Other,
}

impl Content {
    /// The document, when it is one.
    pub fn document(&self) -> Option<&Document> {
        if let Self::Document(document) = self { Some(document) } else { None }
    }

    /// The root of the document, when it is one.
    pub fn root(&self) -> Option<Element<'_>> {
        self.document().map(Document::root)
    }
}

impl Decoded {
    /// Takes the layers of an Exchange off.
    pub fn of(exchange: &Exchange) -> Self {
        let request = &exchange.request;
        let query = QueryLine::parse(request.query()).ok();
        let verb = verb(&request.method, query.as_ref());
        let header_version = request.headers.get(headers::PROTOCOL_VERSION).and_then(|v| v.trim().parse().ok());
        let version = query.as_ref().and_then(|query| query.version).or(header_version);
        let sent_type = request.headers.get("Content-Type").map(ContentType::parse);
        let (sent, _) = content(&request.body, sent_type.as_ref(), verb);
        let mut decoded = Self {
            verb,
            query,
            version,
            request: sent,
            http: None,
            content_type: None,
            answer: Content::Missing,
            parts: Vec::new(),
            body: Vec::new(),
            trailing: 0,
            oddities: Vec::new(),
            status: None,
        };
        if let Some(response) = exchange.response() {
            decoded.read_answer(response);
        }
        decoded
    }

    /// The command, when one was sent.
    pub fn command(&self) -> Option<Command> {
        match self.verb {
            Some(Verb::Command(command)) => Some(command),
            _ => None,
        }
    }

    /// The main Status as a sentence: `Status 3 (collection key wrong or state lost)`.
    pub fn status_words(&self) -> Option<String> {
        self.status.map(|(scope, value)| status_words(scope, value))
    }

    /// The answer in a few words: HTTP status, and the main Status or what the body is.
    pub fn words(&self) -> String {
        let Some(http) = self.http else { return "no answer".to_owned() };
        let body = match &self.answer {
            Content::Missing => String::new(),
            Content::Empty => " without a body".to_owned(),
            Content::Document(document) => match self.status_words() {
                Some(status) => format!(" with {status}"),
                None => format!(" with a {} document", crate::path::local_name(document.root().tag())),
            },
            Content::Undecodable(error) => format!(" with a body that is not WBXML: {error}"),
            Content::Broken(why) => format!(" with a body that cannot be read: {why}"),
            Content::Other => match &self.content_type {
                Some(kind) => format!(" with a body of type {}", kind.as_str()),
                None => " with a body of no type".to_owned(),
            },
        };
        format!("HTTP {http}{body}")
    }

    fn read_answer(&mut self, response: &Response) {
        self.http = Some(response.status);
        self.content_type = response.headers.get("Content-Type").map(ContentType::parse);
        let coding = ContentEncoding::parse(response.headers.get("Content-Encoding").unwrap_or_default());
        let body = match coding.decode(&response.body, MAX_BODY) {
            Ok(body) => body,
            Err(error) => {
                self.answer = Content::Broken(error.to_string());
                return;
            }
        };
        if self.content_type == Some(ContentType::Multipart) && !body.is_empty() {
            self.read_multipart(&body);
        } else {
            (self.answer, self.trailing) = content(&body, self.content_type.as_ref(), self.verb);
        }
        self.body = body;
        self.status = main_status(self.verb, self.http, &self.answer);
    }

    fn read_multipart(&mut self, body: &[u8]) {
        match Multipart::parse(body) {
            Ok(multipart) => {
                self.oddities = multipart.oddities.iter().map(ToString::to_string).collect();
                self.parts = multipart.parts.iter().map(|part| part.to_vec()).collect();
                let answer = self.parts.first().map(Vec::as_slice).unwrap_or_default();
                (self.answer, self.trailing) = content(answer, Some(&ContentType::Wbxml), self.verb);
            }
            Err(error) => self.answer = Content::Broken(error.to_string()),
        }
    }
}

/// `Status 3 (collection key wrong or state lost)`; only the number when nobody knows its meaning.
pub fn status_words(scope: StatusScope, value: Status) -> String {
    match status::meaning(scope, value) {
        Some(meaning) => format!("Status {value} ({})", meaning.meaning),
        None => format!("Status {value}"),
    }
}

/// The HTTP status codes by which a server may say the same as `value`, most usual first.
///
/// For provisioning, blocks and throttling both forms are taken in every version; for the rest as the table says for
/// versions before 14.0, where servers of later versions keep the habit.
pub fn http_equivalents(scope: StatusScope, value: Status) -> Vec<u16> {
    let mut codes = status::meaning(scope, value).map(status::Meaning::http_statuses).unwrap_or_default();
    let more: &[u16] = match value.0 {
        111 => &[503],
        112 | 125 | 126 | 127 | 128 | 129 | 130 | 131 => &[403],
        140 => &[449, 403],
        141..=144 => &[449],
        177 => &[403],
        _ => &[],
    };
    codes.extend(more);
    let mut seen = Vec::new();
    codes.retain(|code| {
        !seen.contains(code) && {
            seen.push(*code);
            true
        }
    });
    codes
}

/// The scope of a command's own Status values.
pub fn scope_of(command: Command) -> StatusScope {
    StatusScope::from_name(command.name()).unwrap_or(StatusScope::Common)
}

/// The scope of a Status in an answer below the elements of `path` (`Provision/Policies/Policy`): that of the nearest one
/// which has values of its own, else the command's.
pub fn scope_below(command: Command, path: &str) -> StatusScope {
    let inner = |name: &str| match (command, name) {
        (_, "BodyPart") => Some(StatusScope::BodyPart),
        (Command::Provision, "Policy") => Some(StatusScope::ProvisionPolicy),
        (Command::Provision, "DeviceInformation") => Some(StatusScope::ProvisionDeviceInformation),
        (Command::Search, "Store") => Some(StatusScope::SearchStore),
        (Command::Search, "Picture") => Some(StatusScope::SearchPicture),
        (Command::ResolveRecipients, "Response") => Some(StatusScope::ResolveRecipientsResponse),
        (Command::ResolveRecipients, "Availability") => Some(StatusScope::ResolveRecipientsAvailability),
        (Command::ResolveRecipients, "Certificates") => Some(StatusScope::ResolveRecipientsCertificates),
        (Command::ResolveRecipients, "Picture") => Some(StatusScope::ResolveRecipientsPicture),
        (Command::Settings, "DevicePassword") => Some(StatusScope::SettingsDevicePassword),
        _ => None,
    };
    path.rsplit('/').find_map(inner).unwrap_or_else(|| scope_of(command))
}

fn verb(method: &str, query: Option<&QueryLine>) -> Option<Verb> {
    if method.eq_ignore_ascii_case("OPTIONS") {
        return Some(Verb::Options);
    }
    match query.map(|query| &query.command) {
        Some(CommandName::Known(command)) => Some(Verb::Command(*command)),
        _ => None,
    }
}

fn content(body: &[u8], kind: Option<&ContentType>, verb: Option<Verb>) -> (Content, usize) {
    if body.is_empty() {
        return (Content::Empty, 0);
    }
    let said = kind.is_some_and(ContentType::is_wbxml);
    let looks = body.starts_with(WBXML_1_3) && verb != Some(Verb::Command(Command::GetAttachment));
    if !said && !looks {
        return (Content::Other, 0);
    }
    match Document::decode_prefix(body, Limits::default()) {
        Ok((document, consumed)) => (Content::Document(Box::new(document)), body.len().saturating_sub(consumed)),
        Err(error) => (Content::Undecodable(error), 0),
    }
}

/// How every ActiveSync document begins: WBXML 1.3, unknown public identifier, UTF-8.
const WBXML_1_3: &[u8] = &[0x03, 0x01, 0x6A];

fn main_status(verb: Option<Verb>, http: Option<u16>, answer: &Content) -> Option<(StatusScope, Status)> {
    let Some(Verb::Command(command)) = verb else { return None };
    let scope = scope_of(command);
    match answer {
        Content::Empty if http == Some(200) && empty_is_success(command) => Some((scope, Status::SUCCESS)),
        Content::Other if http == Some(200) && command == Command::GetAttachment => Some((scope, Status::SUCCESS)),
        Content::Document(document) => status_of(command, document.root()),
        _ => None,
    }
}

/// Whether an HTTP 200 without a body is how `command` says that all is well.
pub fn empty_is_success(command: Command) -> bool {
    matches!(command, Command::Sync | Command::SendMail | Command::SmartReply | Command::SmartForward)
}

/// The root's own Status; where it has none, the first one at the place that stands for the whole.
fn status_of(command: Command, root: Element<'_>) -> Option<(StatusScope, Status)> {
    let scope = scope_of(command);
    let whole = child_status(root).map(|status| (scope, status));
    // A Sync that was understood as a whole may say so beside what became of its collection, which is the news.
    let is_last_word = |(_, status): &(_, Status)| command != Command::Sync || *status != Status::SUCCESS;
    if let Some(whole) = whole.filter(is_last_word) {
        return Some(whole);
    }
    let (scope, way): (_, &[&str]) = match command {
        Command::Sync => (scope, &["Collections", "Collection"]),
        Command::MoveItems | Command::GetItemEstimate | Command::Find => (scope, &["Response"]),
        Command::MeetingResponse => (scope, &["Result"]),
        Command::Search => (StatusScope::SearchStore, &["Response", "Store"]),
        Command::ItemOperations => (scope, &["Response", "*"]),
        Command::Provision => (StatusScope::ProvisionPolicy, &["Policies", "Policy"]),
        Command::ResolveRecipients => (StatusScope::ResolveRecipientsResponse, &["Response"]),
        Command::ValidateCert => (scope, &["Certificate"]),
        _ => return None,
    };
    let inner = way.iter().try_fold(root, |at, name| child_called(at, name)).and_then(child_status);
    inner.map(|status| (scope, status)).or(whole)
}

fn child_called<'d>(element: Element<'d>, name: &str) -> Option<Element<'d>> {
    element.children().find(|child| name == "*" || child.tag().name() == Some(name))
}

fn child_status(element: Element<'_>) -> Option<Status> {
    element.children().find(|child| child.tag().name() == Some("Status")).and_then(|child| Status::parse(&child.text()))
}

#[cfg(test)]
pub(crate) mod tests;
