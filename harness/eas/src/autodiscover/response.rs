use std::fmt;

use thiserror::Error;

use super::{OUTER_SCHEMA, RESPONSE_SCHEMA, is_html};
use crate::markup::{MarkupError, Node, escaped};

/// An answer in the XML form. Display is the document, in the namespaces of the standard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoxResponse {
    /// `en:us`
    pub culture: Option<String>,
    /// The user's name.
    pub display_name: Option<String>,
    /// The user's primary address, which the device uses from now on.
    pub email: Option<String>,
    /// What the device is to do.
    pub action: PoxAction,
    /// Namespaces that are not those of the standard; some devices refuse such an answer.
    pub oddities: Vec<PoxOddity>,
}

/// What an answer says. Display of a response writes the same shape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PoxAction {
    /// The servers of the user.
    Settings(Vec<PoxServer>),
    /// Start again with this address.
    Redirect(String),
    /// Error inside Action.
    Error(PoxError),
    /// Error inside Response: the framework refused before any provider was asked.
    Framework(FrameworkError),
    /// No action at all, or an empty one.
    #[default]
    Nothing,
}

/// One Server element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoxServer {
    /// What it serves.
    pub kind: ServerType,
    /// The address of the endpoint, white space around it removed.
    pub url: Option<String>,
    /// For MobileSync the same address again.
    pub name: Option<String>,
    /// The certificate template of CertEnroll.
    pub server_data: Option<String>,
}

/// The Type of a Server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum ServerType {
    /// An ActiveSync endpoint.
    #[default]
    MobileSync,
    /// A certificate enrolment endpoint.
    CertEnroll,
    /// Anything else; empty where the type is absent.
    Other(String),
}

/// An Error inside Action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoxError {
    /// 2 = protocol error; 1 is never sent.
    pub status: Option<u16>,
    /// Words for people.
    pub message: Option<String>,
    /// Words for engineers.
    pub debug_data: Option<String>,
    /// The code.
    pub error_code: Option<u16>,
}

/// An Error inside Response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameworkError {
    /// 600 = invalid request, 601 = no provider for the schema.
    pub error_code: Option<u16>,
    /// Words for people.
    pub message: Option<String>,
    /// Words for engineers.
    pub debug_data: Option<String>,
    /// The server's time of day, as `12:34:56.789`.
    pub time: Option<String>,
    /// The server's number for the failure.
    pub id: Option<String>,
}

/// A namespace that is not the standard's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PoxOddity {
    /// Of the outer element.
    #[error("Autodiscover is in namespace `{0}`, expected `{OUTER_SCHEMA}`")]
    OuterNamespace(String),
    /// Of the inner element.
    #[error("Response is in namespace `{found}`, expected `{expected}`")]
    InnerNamespace {
        /// What it is.
        found: String,
        /// What it is to be, which depends on what it holds.
        expected: &'static str,
    },
    /// More than one of them; the first counts.
    #[error("the answer has {0} Response elements, the first is read")]
    SeveralResponses(usize),
}

/// Why a body is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PoxResponseError {
    /// Not text in UTF-8.
    #[error("the answer is not UTF-8 text")]
    NotText,
    /// A web page, usually a login form in front of the server.
    #[error("the answer is a web page, not an Autodiscover document")]
    Html,
    /// Not XML, or too much of it, or nothing.
    #[error("the answer cannot be read")]
    Markup(#[from] MarkupError),
    /// Another root element.
    #[error("the answer's root is `{0}`, expected `Autodiscover`")]
    Root(String),
    /// The root holds no Response.
    #[error("the answer has no Response")]
    NoResponse,
}

impl PoxResponse {
    /// The answer that names one ActiveSync endpoint.
    pub fn mobile_sync(email: &str, display_name: &str, url: &str) -> Self {
        let server = PoxServer { url: Some(url.to_owned()), name: Some(url.to_owned()), ..PoxServer::default() };
        Self {
            culture: Some("en:us".to_owned()),
            display_name: Some(display_name.to_owned()),
            email: Some(email.to_owned()),
            action: PoxAction::Settings(vec![server]),
            oddities: Vec::new(),
        }
    }

    /// The answer of the framework with this code.
    pub fn framework_error(error_code: u16, message: &str) -> Self {
        let error = FrameworkError {
            error_code: Some(error_code),
            message: Some(message.to_owned()),
            debug_data: Some(String::new()),
            ..FrameworkError::default()
        };
        Self { action: PoxAction::Framework(error), ..Self::default() }
    }

    /// Reads a body, whatever its content type says.
    ///
    /// # Errors
    ///
    /// A web page, no XML within bounds, or another document.
    pub fn parse(body: &[u8]) -> Result<Self, PoxResponseError> {
        let text = std::str::from_utf8(body).map_err(|_| PoxResponseError::NotText)?;
        if is_html(text) {
            return Err(PoxResponseError::Html);
        }
        let root = Node::parse(text)?;
        match root.name.as_str() {
            "Autodiscover" => {}
            name if name.eq_ignore_ascii_case("html") => return Err(PoxResponseError::Html),
            _ => return Err(PoxResponseError::Root(root.name)),
        }
        let response = root.child("Response").ok_or(PoxResponseError::NoResponse)?;
        let user = response.child("User");
        let user_text = |name| user.and_then(|user| user.child_text(name));
        let action = action(response);
        Ok(Self {
            culture: response.child_text("Culture"),
            display_name: user_text("DisplayName"),
            email: user_text("EMailAddress").filter(|email| !email.is_empty()),
            oddities: oddities(&root, response, &action),
            action,
        })
    }

    /// The first ActiveSync endpoint.
    pub fn mobile_sync_url(&self) -> Option<&str> {
        let PoxAction::Settings(servers) = &self.action else { return None };
        servers
            .iter()
            .filter(|server| server.kind == ServerType::MobileSync)
            .find_map(|server| server.url.as_deref().filter(|url| !url.is_empty()))
    }
}

fn action(response: &Node) -> PoxAction {
    if let Some(error) = response.child("Error") {
        return PoxAction::Framework(FrameworkError {
            error_code: number(error, "ErrorCode"),
            message: error.child_text("Message"),
            debug_data: error.child_text("DebugData"),
            time: error.attribute("Time").map(str::to_owned),
            id: error.attribute("Id").map(str::to_owned),
        });
    }
    let Some(action) = response.child("Action") else { return PoxAction::Nothing };
    if let Some(address) = action.child_text("Redirect") {
        return PoxAction::Redirect(address);
    }
    if let Some(settings) = action.child("Settings") {
        return PoxAction::Settings(settings.all("Server").map(server).collect());
    }
    action.child("Error").map_or(PoxAction::Nothing, |error| {
        PoxAction::Error(PoxError {
            status: number(error, "Status"),
            message: error.child_text("Message"),
            debug_data: error.child_text("DebugData"),
            error_code: number(error, "ErrorCode"),
        })
    })
}

fn server(server: &Node) -> PoxServer {
    let kind = server.child_text("Type").unwrap_or_default();
    PoxServer {
        kind: match kind.as_str() {
            "MobileSync" => ServerType::MobileSync,
            "CertEnroll" => ServerType::CertEnroll,
            _ => ServerType::Other(kind),
        },
        url: server.child_text("Url"),
        name: server.child_text("Name"),
        server_data: server.child_text("ServerData"),
    }
}

fn number(node: &Node, name: &str) -> Option<u16> {
    node.child(name)?.text().parse().ok()
}

fn oddities(root: &Node, response: &Node, action: &PoxAction) -> Vec<PoxOddity> {
    let mut found = Vec::new();
    if root.namespace != OUTER_SCHEMA {
        found.push(PoxOddity::OuterNamespace(root.namespace.clone()));
    }
    let expected = inner_schema(action);
    if response.namespace != expected {
        found.push(PoxOddity::InnerNamespace { found: response.namespace.clone(), expected });
    }
    match root.all("Response").count() {
        0 | 1 => {}
        several => found.push(PoxOddity::SeveralResponses(several)),
    }
    found
}

fn inner_schema(action: &PoxAction) -> &'static str {
    if matches!(action, PoxAction::Framework(_)) { OUTER_SCHEMA } else { RESPONSE_SCHEMA }
}

impl fmt::Display for PoxResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = inner_schema(&self.action);
        write!(f, "<?xml version=\"1.0\" encoding=\"utf-8\"?><Autodiscover xmlns=\"{OUTER_SCHEMA}\">")?;
        write!(f, "<Response xmlns=\"{inner}\">")?;
        leaf(f, "Culture", self.culture.as_deref())?;
        if self.display_name.is_some() || self.email.is_some() {
            f.write_str("<User>")?;
            leaf(f, "DisplayName", self.display_name.as_deref())?;
            leaf(f, "EMailAddress", self.email.as_deref())?;
            f.write_str("</User>")?;
        }
        write_action(f, &self.action)?;
        f.write_str("</Response></Autodiscover>")
    }
}

fn write_action(f: &mut fmt::Formatter<'_>, action: &PoxAction) -> fmt::Result {
    match action {
        PoxAction::Nothing => Ok(()),
        PoxAction::Framework(error) => write_framework(f, error),
        PoxAction::Redirect(address) => {
            f.write_str("<Action>")?;
            leaf(f, "Redirect", Some(address))?;
            f.write_str("</Action>")
        }
        PoxAction::Error(error) => {
            f.write_str("<Action><Error>")?;
            leaf(f, "Status", error.status.map(|status| status.to_string()).as_deref())?;
            leaf(f, "Message", error.message.as_deref())?;
            leaf(f, "DebugData", error.debug_data.as_deref())?;
            leaf(f, "ErrorCode", error.error_code.map(|code| code.to_string()).as_deref())?;
            f.write_str("</Error></Action>")
        }
        PoxAction::Settings(servers) => {
            f.write_str("<Action><Settings>")?;
            servers.iter().try_for_each(|server| write_server(f, server))?;
            f.write_str("</Settings></Action>")
        }
    }
}

fn write_framework(f: &mut fmt::Formatter<'_>, error: &FrameworkError) -> fmt::Result {
    f.write_str("<Error")?;
    for (name, value) in [("Time", &error.time), ("Id", &error.id)] {
        if let Some(value) = value {
            write!(f, " {name}=\"{}\"", escaped(value))?;
        }
    }
    f.write_str(">")?;
    leaf(f, "ErrorCode", error.error_code.map(|code| code.to_string()).as_deref())?;
    leaf(f, "Message", error.message.as_deref())?;
    leaf(f, "DebugData", error.debug_data.as_deref())?;
    f.write_str("</Error>")
}

fn write_server(f: &mut fmt::Formatter<'_>, server: &PoxServer) -> fmt::Result {
    f.write_str("<Server>")?;
    let kind = match &server.kind {
        ServerType::MobileSync => "MobileSync",
        ServerType::CertEnroll => "CertEnroll",
        ServerType::Other(other) => other,
    };
    leaf(f, "Type", Some(kind).filter(|kind| !kind.is_empty()))?;
    leaf(f, "Url", server.url.as_deref())?;
    leaf(f, "Name", server.name.as_deref())?;
    leaf(f, "ServerData", server.server_data.as_deref())?;
    f.write_str("</Server>")
}

fn leaf(f: &mut fmt::Formatter<'_>, name: &str, text: Option<&str>) -> fmt::Result {
    text.map_or(Ok(()), |text| write!(f, "<{name}>{}</{name}>", escaped(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://mail.example.com/Microsoft-Server-ActiveSync";

    fn read(text: &str) -> PoxResponse {
        PoxResponse::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn every_kind_of_answer_reads_and_writes_alike() {
        let good = PoxResponse::mobile_sync("anna@example.com", "Anna <A>", URL);
        let with = |action| PoxResponse { action, ..good.clone() };
        let enroll = PoxServer {
            kind: ServerType::CertEnroll,
            url: Some("https://ca.example.com/certsrv".to_owned()),
            name: Some(String::new()),
            server_data: Some("Template".to_owned()),
        };
        let error = PoxError {
            status: Some(2),
            message: Some("the directory is not there".to_owned()),
            debug_data: Some("MailUser".to_owned()),
            error_code: None,
        };
        let mut framework = PoxResponse::framework_error(600, "Invalid Request");
        if let PoxAction::Framework(error) = &mut framework.action {
            (error.time, error.id) = (Some("12:00:00.0".to_owned()), Some("1234".to_owned()));
        }
        for answer in [
            good.clone(),
            with(PoxAction::Settings(vec![enroll])),
            with(PoxAction::Redirect("anna@other.example".to_owned())),
            with(PoxAction::Error(error)),
            framework,
            PoxResponse::default(),
        ] {
            assert_eq!(read(&answer.to_string()), answer);
        }
        assert_eq!(good.mobile_sync_url(), Some(URL));
    }

    #[test]
    fn a_framework_error_sits_in_the_outer_namespace() {
        let text = PoxResponse::framework_error(601, "Provider is not available").to_string();
        assert_eq!(text.matches(OUTER_SCHEMA).count(), 2);
        assert!(!text.contains(RESPONSE_SCHEMA));
        let odd = read(&text.replace(
            &format!("<Response xmlns=\"{OUTER_SCHEMA}\">"),
            &format!("<Response xmlns=\"{RESPONSE_SCHEMA}\">"),
        ));
        assert!(matches!(odd.oddities[..], [PoxOddity::InnerNamespace { expected: OUTER_SCHEMA, .. }]));
    }

    #[test]
    fn white_space_around_the_url_does_not_count() {
        let text = PoxResponse::mobile_sync("a@b", "A", URL).to_string().replace(URL, &format!("\n  {URL}\n "));
        assert_eq!(read(&text).mobile_sync_url(), Some(URL));
    }

    #[test]
    fn only_a_mobile_sync_server_is_an_endpoint() {
        let text = PoxResponse::mobile_sync("a@b", "A", URL).to_string().replace("MobileSync</", "CertEnroll</");
        assert_eq!(read(&text).mobile_sync_url(), None);
    }

    #[test]
    fn wrong_namespaces_are_read_and_noted() {
        let text = PoxResponse::mobile_sync("a@b", "A", URL).to_string();
        let odd = read(&text.replace(OUTER_SCHEMA, "urn:x").replace(RESPONSE_SCHEMA, "urn:y"));
        assert_eq!(odd.mobile_sync_url(), Some(URL));
        assert_eq!(odd.oddities.len(), 2);
        assert_eq!(odd.oddities[0], PoxOddity::OuterNamespace("urn:x".to_owned()));
    }

    #[test]
    fn pages_and_nonsense_are_told_apart() {
        for page in ["<!DOCTYPE HTML>\n<html>", "\u{feff} <html><body>", "<?xml version=\"1.0\"?><html/>"] {
            assert_eq!(PoxResponse::parse(page.as_bytes()), Err(PoxResponseError::Html), "{page}");
        }
        assert_eq!(PoxResponse::parse(b""), Err(PoxResponseError::Markup(MarkupError::Empty)));
        assert_eq!(PoxResponse::parse(b"<a/>"), Err(PoxResponseError::Root("a".to_owned())));
        assert_eq!(PoxResponse::parse(b"<Autodiscover/>"), Err(PoxResponseError::NoResponse));
        assert_eq!(PoxResponse::parse(&[0xff, 0xfe]), Err(PoxResponseError::NotText));
        assert!(matches!(PoxResponse::parse(b"{}"), Err(PoxResponseError::Markup(_))));
    }
}
