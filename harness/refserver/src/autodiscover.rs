//! Autodiscover in both of its forms: the documents of the standard over the accounts of this server.

use easrig_eas::{
    MarkupError,
    autodiscover::{
        INVALID_REQUEST, JsonAnswer, JsonRequest, NO_PROVIDER, OUTER_SCHEMA, POX_PATH, PoxAction, PoxError, PoxRequest,
        PoxRequestError, PoxResponse, REQUEST_SCHEMA, RESPONSE_SCHEMA,
    },
};

use crate::{Answer, State, Switch, UserName};

/// What the JSON form offers.
const PROTOCOLS: [&str; 2] = ["ActiveSync", "AutodiscoverV1"];

/// `Status` of a request that breaks a rule (MS-ASCMD Autodiscover).
const PROTOCOL_ERROR: u16 = 2;

/// Where the server is, as the client calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base {
    /// Scheme, host and port.
    pub(crate) origin: String,
}

impl Base {
    /// The ActiveSync endpoint, or the one a moved mailbox has.
    pub(crate) fn endpoint(&self, moved: bool) -> String {
        let prefix = if moved { crate::http::MOVED_PREFIX } else { "" };
        format!("{}{prefix}{}", self.origin, crate::http::ENDPOINT)
    }
}

/// Answers the XML form for the user who is logged on.
pub(crate) fn pox(state: &State, user: &UserName, body: &[u8], base: &Base) -> Answer {
    let response = match PoxRequest::parse(body) {
        // Some phones post nothing and rely on the name they log on with.
        Err(PoxRequestError::Markup(MarkupError::Empty)) => settings(state, user, None, base),
        Err(_) => PoxResponse::framework_error(INVALID_REQUEST, "Invalid Request"),
        Ok(request) if !request.asks_for_mobile_sync() => {
            PoxResponse::framework_error(NO_PROVIDER, "Provider is not available")
        }
        Ok(request) => settings(state, user, Some(&request.email), base),
    };
    let mut text = response.to_string();
    if state.switches.has(Switch::AutodiscoverWrongNamespace) {
        text = text.replace(RESPONSE_SCHEMA, REQUEST_SCHEMA).replace(OUTER_SCHEMA, REQUEST_SCHEMA);
    }
    Answer::body("text/xml; charset=utf-8", text.into_bytes())
}

fn settings(state: &State, user: &UserName, email: Option<&str>, base: &Base) -> PoxResponse {
    let Some(account) = state.account(user) else { return unknown() };
    let asked = email.map(|email| email.trim().to_lowercase());
    if let Some(target) = asked.as_ref().and_then(|asked| state.site.redirects.get(asked)) {
        return PoxResponse { action: PoxAction::Redirect(target.clone()), ..PoxResponse::default() };
    }
    if asked.is_some_and(|asked| asked != account.address) {
        return unknown();
    }
    let mut url = base.endpoint(account.standing.moved);
    if state.switches.has(Switch::AutodiscoverHttpUrl) {
        url = url.replacen("https://", "http://", 1);
    }
    PoxResponse::mobile_sync(&account.address, &account.display_name, &url)
}

fn unknown() -> PoxResponse {
    let error = PoxError {
        status: Some(PROTOCOL_ERROR),
        message: Some("The e-mail address cannot be found".to_owned()),
        ..PoxError::default()
    };
    PoxResponse { action: PoxAction::Error(error), ..PoxResponse::default() }
}

/// Answers the JSON form, which needs no credentials and so says nothing about who exists.
pub(crate) fn json(request: &JsonRequest, base: &Base) -> Answer {
    let refused = |answer: JsonAnswer| Answer {
        status: 400,
        ..Answer::body("application/json; charset=utf-8", answer.to_json().into_bytes())
    };
    let found = |protocol: &str, url: String| {
        let answer = JsonAnswer::Found { protocol: protocol.to_owned(), url };
        Answer::body("application/json; charset=utf-8", answer.to_json().into_bytes())
    };
    if request.is_for(PROTOCOLS[0]) && request.email.contains('@') {
        return found(PROTOCOLS[0], base.endpoint(false));
    }
    if request.is_for(PROTOCOLS[1]) {
        return found(PROTOCOLS[1], format!("{}{POX_PATH}", base.origin));
    }
    if request.is_for(PROTOCOLS[0]) {
        let message = "The Email parameter is missing or no address".to_owned();
        return refused(JsonAnswer::Refused { code: "InvalidRequest".to_owned(), message });
    }
    refused(JsonAnswer::invalid_protocol(&request.protocol, &PROTOCOLS))
}
