use std::net::SocketAddr;

use easrig_eas::{
    Command, Version,
    autodiscover::{JsonRequest, POX_PATH},
    encoding::{ContentEncoding, gzip},
    headers::{self, ContentType, Offer, read_basic},
    query::{CommandName, QueryLine},
    status::Status,
};
use easrig_exchange::{Headers, Secret};
use easrig_transport::{ServerRequest, ServerResponse};
use easrig_wbxml::{Document, tags::folder_hierarchy};
use jiff::{Timestamp, fmt::rfc2822};

use crate::{
    Answer, Call, Credentials, Reply, Scheme, State, Switch, UserName, WaiterId,
    answer::{WBXML, status_document},
    autodiscover::{self, Base},
    core,
};

/// Where ActiveSync is, in any letter case.
pub(crate) const ENDPOINT: &str = "/Microsoft-Server-ActiveSync";

/// What stands before [`ENDPOINT`] for a mailbox that has moved: the server's other address.
pub(crate) const MOVED_PREFIX: &str = "/moved";

/// The largest body after decompression, in bytes.
const BODY_MOST: usize = 64 << 20;

/// The resource that tokens are for (MS-XOAUTH client_id of Exchange).
const BEARER_CHALLENGE: &str = "Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", \
    trusted_issuers=\"00000001-0000-0000-c000-000000000000@*\", token_types=\"app_asserted_user_v1 service_asserted_app_v1\"";

/// Where the server can be reached.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) scheme: &'static str,
    pub(crate) names: Vec<String>,
    pub(crate) address: SocketAddr,
}

impl Place {
    /// Its address by its first name.
    pub(crate) fn own_origin(&self) -> String {
        let own = self.address.ip().to_string();
        let host = self.names.first().map_or(own.as_str(), String::as_str);
        let brackets = host.contains(':') && !host.starts_with('[');
        let host = if brackets { format!("[{host}]") } else { host.to_owned() };
        format!("{}://{host}:{}", self.scheme, self.address.port())
    }

    /// The address as the client wrote it, if it is one of ours: another port may lead here.
    fn origin(&self, request: &ServerRequest) -> Base {
        let host = request.headers.get("Host").unwrap_or_default().trim();
        let (name, port) = host.rsplit_once(':').unwrap_or((host, ""));
        let known =
            self.names.iter().any(|one| one.eq_ignore_ascii_case(name)) || name == self.address.ip().to_string();
        let plain = port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
        let origin = if known && plain { format!("{}://{host}", self.scheme) } else { self.own_origin() };
        Base { origin }
    }
}

/// What becomes of a request.
pub(crate) enum Routed {
    /// It is answered.
    Done(ServerResponse),
    /// It waits.
    Wait { waiter: WaiterId, user: UserName, until: Timestamp, finish: Finish },
}

/// What an answer needs to become a response.
#[derive(Clone, Debug, Default)]
pub(crate) struct Finish {
    accepts_gzip: bool,
    /// Whether versions and commands go along.
    offers: bool,
    now: Timestamp,
}

/// Takes a request to where it belongs.
pub(crate) fn route(state: &mut State, request: ServerRequest, place: &Place, now: Timestamp) -> Routed {
    let finish = Finish { accepts_gzip: accepts_gzip(&request.headers), offers: false, now };
    let (path, query) = request.path_and_query.split_once('?').unwrap_or((&request.path_and_query, ""));
    let is = |wanted: &str| path.trim_end_matches('/').eq_ignore_ascii_case(wanted);
    let at_moved = path.get(..MOVED_PREFIX.len()).is_some_and(|head| head.eq_ignore_ascii_case(MOVED_PREFIX));
    if is(ENDPOINT) || (at_moved && is(&format!("{MOVED_PREFIX}{ENDPOINT}"))) {
        let query = query.to_owned();
        return active_sync(state, Visit { request, place, now, at_moved }, &query, finish);
    }
    let answer = if is(POX_PATH) {
        pox(state, &request, place)
    } else {
        match JsonRequest::parse(&request.path_and_query).filter(|_| state.site.profile.json_autodiscover) {
            Some(asked) if request.method == "GET" => autodiscover::json(&asked, &place.origin(&request)),
            Some(_) => Answer::http(405),
            None => Answer::http(404),
        }
    };
    Routed::Done(finish.response(state, answer))
}

struct Visit<'p> {
    request: ServerRequest,
    place: &'p Place,
    now: Timestamp,
    at_moved: bool,
}

fn pox(state: &State, request: &ServerRequest, place: &Place) -> Answer {
    let Some((user, _)) = log_on(state, &request.headers) else { return challenge(state) };
    match request.method.as_str() {
        "POST" => autodiscover::pox(state, &user, &request.body, &place.origin(request)),
        _ => Answer::http(405).with_header("Allow", "POST"),
    }
}

fn active_sync(state: &mut State, visit: Visit<'_>, query: &str, mut finish: Finish) -> Routed {
    let outcome = match log_on(state, &visit.request.headers) {
        None => Err(challenge(state)),
        Some((user, credentials)) => turned_away(state, &user, &visit).map_or(Ok(credentials), Err),
    };
    let credentials = match outcome {
        Ok(credentials) => credentials,
        Err(answer) => return Routed::Done(finish.response(state, answer)),
    };
    let reply = match visit.request.method.as_str() {
        "OPTIONS" => {
            finish.offers = true;
            Err(Answer::empty().with_header("Allow", "OPTIONS,POST").with_header("Public", "OPTIONS,POST"))
        }
        "POST" => read_call(state, visit.request, query, credentials),
        _ => Err(Answer::http(405).with_header("Allow", "OPTIONS,POST")),
    };
    let call = match reply {
        Ok(call) => call,
        Err(answer) => return Routed::Done(finish.response(state, answer)),
    };
    finish.offers = begins_folder_list(&call);
    match core::handle(state, call, visit.now) {
        Reply::Now(answer) => Routed::Done(finish.response(state, answer)),
        Reply::Wait { waiter, user, until } => Routed::Wait { waiter, user, until, finish },
    }
}

/// Who calls, if they prove it in a way the product takes.
fn log_on(state: &State, headers: &Headers) -> Option<(UserName, Credentials)> {
    let value = headers.get("Authorization")?;
    let (scheme, credentials) = match read_basic(value) {
        Some((user, password)) => (Scheme::Basic, Credentials::Basic { user, secret: Secret::new(password) }),
        None => {
            let (scheme, token) = value.trim().split_once(' ')?;
            let token = token.trim();
            if !scheme.eq_ignore_ascii_case("Bearer") || token.is_empty() {
                return None;
            }
            (Scheme::Bearer, Credentials::Bearer(Secret::new(token)))
        }
    };
    if !state.site.profile.takes(scheme) {
        return None;
    }
    let user = state.authenticate(Some(&credentials))?;
    let barred = scheme == Scheme::Basic && state.account(&user)?.standing.basic_blocked;
    (!barred).then_some((user, credentials))
}

/// 401 with every way in.
fn challenge(state: &State) -> Answer {
    let profile = &state.site.profile;
    let mut answer = Answer::http(401);
    if profile.takes(Scheme::Bearer) {
        answer = answer.with_header(headers::WWW_AUTHENTICATE, BEARER_CHALLENGE);
    }
    if profile.takes(Scheme::Basic) {
        answer = answer.with_header(headers::WWW_AUTHENTICATE, &format!("Basic realm=\"{}\"", state.domain));
    }
    answer
}

/// What an account meets before any command: another address, or too many requests.
fn turned_away(state: &mut State, user: &UserName, visit: &Visit<'_>) -> Option<Answer> {
    let standing = &mut state.account_mut(user)?.standing;
    if standing.moved && !visit.at_moved {
        let location = visit.place.origin(&visit.request).endpoint(true);
        return Some(Answer::http(451).with_header(headers::LOCATION, &location));
    }
    if standing.throttle?.status != 503 {
        return None;
    }
    let throttle = standing.take_throttle()?;
    let answer = Answer::http(503);
    Some(match throttle.retry_after {
        Some(seconds) => answer.with_header(headers::RETRY_AFTER, &seconds.to_string()),
        None => answer,
    })
}

/// Takes HTTP apart, or says why not.
fn read_call(state: &State, request: ServerRequest, query: &str, credentials: Credentials) -> Result<Call, Answer> {
    let query = QueryLine::parse(query).map_err(|_| Answer::http(400))?;
    let version = version(state, &query, &request.headers)?;
    let refuse = |status| match query.command {
        CommandName::Known(command) => Answer::refusal(command, version, status),
        _ => Answer::http(400),
    };
    let encoding = ContentEncoding::parse(request.headers.get("Content-Encoding").unwrap_or_default());
    let body = encoding.decode(&request.body, BODY_MOST).map_err(|_| refuse(INVALID_CONTENT))?;
    if !body.is_empty() && !has_right_type(&query, version, &request.headers) {
        return Err(refuse(INVALID_CONTENT));
    }
    Ok(Call { credentials: Some(credentials), query, version, headers: request.headers, body })
}

/// The body cannot be used: of another type, or packed in a way nobody unpacks.
const INVALID_CONTENT: Status = Status(101);

/// The version of a request: in the query, or in its header.
///
/// What is not offered is refused in-band where the client understands it, by 505 where it speaks 1.0, else by 400.
fn version(state: &State, query: &QueryLine, headers: &Headers) -> Result<Version, Answer> {
    let header = || headers.get(headers::PROTOCOL_VERSION).and_then(|text| text.trim().parse::<Version>().ok());
    let version = query.version.or_else(header).ok_or_else(|| Answer::http(400))?;
    if state.site.profile.versions.contains(&version) {
        return Ok(version);
    }
    Err(match query.command {
        _ if version < Version::V2_5 => Answer::http(505),
        CommandName::Known(command) if version >= Version::V14_0 => {
            status_document(command, Status::VERSION_NOT_SUPPORTED)
                .map_or_else(|| Answer::http(400), |document| Answer::wbxml(&document))
        }
        _ => Answer::http(400),
    })
}

fn has_right_type(query: &QueryLine, version: Version, headers: &Headers) -> bool {
    let content_type = ContentType::parse(headers.get("Content-Type").unwrap_or_default());
    let is_message = version < Version::V14_0
        && matches!(query.command, CommandName::Known(Command::SendMail | Command::SmartReply | Command::SmartForward));
    if is_message { content_type.as_str().eq_ignore_ascii_case("message/rfc822") } else { content_type.is_wbxml() }
}

/// Versions and commands are told again with the first folder list (MS-ASHTTP).
fn begins_folder_list(call: &Call) -> bool {
    call.query.command == CommandName::Known(Command::FolderSync)
        && Document::decode(&call.body)
            .is_ok_and(|document| document.root().child_text(folder_hierarchy::SYNC_KEY).is_some_and(|key| key == "0"))
}

fn accepts_gzip(headers: &Headers) -> bool {
    headers.all("Accept-Encoding").flat_map(|value| value.split(',')).any(|one| {
        let (name, quality) = one.split_once(';').unwrap_or((one, ""));
        let off = matches!(quality.trim(), "q=0" | "q=0.0");
        name.trim().eq_ignore_ascii_case("gzip") && !off
    })
}

impl Finish {
    /// Puts around an answer what every response has.
    pub(crate) fn response(&self, state: &State, answer: Answer) -> ServerResponse {
        let (profile, switches) = (&state.site.profile, &state.switches);
        let mut response = ServerResponse { status: answer.status, headers: Headers::new(), body: answer.body };
        let out = &mut response.headers;
        if let Ok(date) = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&self.now) {
            out.push("Date", date);
        }
        profile.headers.iter().for_each(|(name, value)| out.push(name, value));
        out.push(headers::SERVER_VERSION, &profile.server_version);
        out.push("Cache-Control", "private");
        if self.offers && answer.status == 200 {
            let offer = offer(state);
            out.push(headers::PROTOCOL_VERSIONS, offer.versions_header());
            out.push(headers::PROTOCOL_COMMANDS, offer.commands_header());
        }
        for (name, value) in answer.headers.iter() {
            let wrong = value == WBXML && switches.has(Switch::WrongContentType);
            out.push(name, if wrong { "text/html" } else { value });
        }
        if matches!(answer.status, 401 | 403) && switches.has(Switch::HtmlErrorPage) {
            response.status = 200;
            response.body = b"<!DOCTYPE html><html><body><h1>Something went wrong</h1></body></html>".to_vec();
            response.headers.push("Content-Type", "text/html");
        }
        if self.accepts_gzip && !response.body.is_empty() {
            response.body = gzip(&response.body);
            response.headers.push("Content-Encoding", "gzip");
        }
        response
    }
}

fn offer(state: &State) -> Offer {
    let (profile, switches) = (&state.site.profile, &state.switches);
    let mut offer =
        Offer { versions: profile.versions.clone(), commands: profile.commands.clone(), ..Offer::default() };
    if switches.has(Switch::OptionsVersionsOverstated) {
        let next = Version::from_byte(170);
        let unserved = Version::ALL.into_iter().find(|version| !profile.versions.contains(version));
        offer.versions.push(unserved.unwrap_or(next));
    }
    if switches.has(Switch::OptionsCommandMissing) {
        offer.commands.retain(|name| name != Command::FolderSync.name());
    }
    offer
}
