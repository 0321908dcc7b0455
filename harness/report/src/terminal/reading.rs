//! What an exchange says beyond its bytes: the meaning of every Status, and the settings of a policy that bind a device.

use easrig_eas::{
    Command, Status, StatusScope, Version,
    command::provision::{PolicyData, PolicyResponse, Response},
    policy::{Binding, PolicyDocument},
    status,
};
use easrig_scenario::{Decoded, decoded::scope_below};
use easrig_wbxml::{Document, Element};
use serde::Serialize;

/// The most different Status elements that are named of one exchange; a document can have a thousand of the same.
const STATUSES_MOST: usize = 256;

/// The version whose form a Provision answer is read in when the request names none; the reader takes every form.
const ANY_VERSION: Version = Version::V14_1;

/// What an exchange says, in the terms of the standard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// Every Status, request before answer, in document order; equal ones at the same place are one.
    pub statuses: Vec<NamedStatus>,
    /// Every policy that a Provision answer brings.
    pub policies: Vec<PolicyReading>,
}

/// A Status element and what it means at its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedStatus {
    /// Whose it is.
    pub side: Side,
    /// Where it stands: `Sync/Collections/Collection/Status`; `HTTP` for the status line.
    pub path: String,
    /// Its text as on the wire.
    pub value: String,
    /// The scope of the table of Status values that applies.
    pub scope: &'static str,
    /// Its name in that table; `None` when nobody knows the value.
    pub name: Option<&'static str>,
    /// What it means.
    pub meaning: Option<&'static str>,
    /// How often it stands at this place with this value.
    pub count: usize,
}

/// Which of the two messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The device's.
    Request,
    /// The server's.
    Answer,
}

/// A policy as a device would have to apply it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyReading {
    /// `MS-EAS-Provisioning-WBXML` or `MS-WAP-Provisioning-XML`.
    pub policy_type: String,
    /// The settings that a device must do something about.
    pub binding: Vec<BindingSetting>,
    /// How many settings there are in all, those that bind nobody included.
    pub settings: usize,
    /// Elements and parameters that are no setting, by name.
    pub unknown: Vec<String>,
    /// Why the policy cannot be read, when it cannot.
    pub unreadable: Option<String>,
}

/// A setting that binds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BindingSetting {
    /// Its element.
    pub setting: String,
    /// Its value as on the wire; for a list, how many entries it has.
    pub value: String,
    /// The values it may have.
    pub allowed: &'static str,
}

impl Reading {
    /// Reads a decoded exchange.
    pub fn of(decoded: &Decoded) -> Self {
        let mut statuses = Statuses(Vec::new());
        let command = decoded.command();
        if let (Some(command), Some(document)) = (command, decoded.request.document()) {
            statuses.walk(document.root(), &mut String::new(), &Place { command, side: Side::Request });
        }
        if let Some(http) = decoded.http {
            statuses.add(Side::Answer, "HTTP".to_owned(), http.to_string(), StatusScope::Http);
        }
        if let (Some(command), Some(document)) = (command, decoded.answer.document()) {
            statuses.walk(document.root(), &mut String::new(), &Place { command, side: Side::Answer });
        }
        let answer = decoded.answer.document().filter(|_| command == Some(Command::Provision));
        let policies = answer.map(|document| policies(document, decoded.version)).unwrap_or_default();
        Self { statuses: statuses.0, policies }
    }
}

/// Which message of which command is walked through.
struct Place {
    command: Command,
    side: Side,
}

/// Those found so far.
struct Statuses(Vec<NamedStatus>);

impl Statuses {
    /// `path` is where the parent stands, and is so again afterwards. Depth is bounded by the decoder.
    fn walk(&mut self, element: Element<'_>, path: &mut String, place: &Place) {
        let parent = path.len();
        let name = element.tag().name().unwrap_or("?");
        // The Status of a flag on a mail is a property of the mail.
        let is_status = name == "Status" && element.tag().namespace() != Some("Email");
        let scope = is_status.then(|| scope(place, path));
        if parent > 0 {
            path.push('/');
        }
        path.push_str(name);
        if let Some(scope) = scope {
            self.add(place.side, path.clone(), element.text().trim().to_owned(), scope);
        } else {
            for child in element.children() {
                self.walk(child, path, place);
            }
        }
        path.truncate(parent);
    }

    fn add(&mut self, side: Side, path: String, value: String, scope: StatusScope) {
        let known = |seen: &&mut NamedStatus| seen.side == side && seen.path == path && seen.value == value;
        if let Some(seen) = self.0.iter_mut().find(known) {
            seen.count = seen.count.saturating_add(1);
        } else if self.0.len() < STATUSES_MOST {
            let meaning = Status::parse(&value).and_then(|value| status::meaning(scope, value));
            self.0.push(NamedStatus {
                side,
                path,
                value,
                scope: meaning.map_or(scope, |meaning| meaning.scope).name(),
                name: meaning.map(|meaning| meaning.name),
                meaning: meaning.map(|meaning| meaning.meaning),
                count: 1,
            });
        }
    }
}

/// The scope of a Status below `above`; what a device says of a policy or a wipe has values of its own.
fn scope(place: &Place, above: &str) -> StatusScope {
    let inner = |name: &str| match (place.command, place.side, name) {
        (Command::Provision, Side::Request, "Policy") => Some(StatusScope::ProvisionPolicyRequest),
        (Command::Provision, Side::Request, "RemoteWipe") => Some(StatusScope::ProvisionRemoteWipeRequest),
        _ => None,
    };
    above.rsplit('/').find_map(inner).unwrap_or_else(|| scope_below(place.command, above))
}

fn policies(document: &Document, version: Option<Version>) -> Vec<PolicyReading> {
    let read = Response::from_document(document, version.unwrap_or(ANY_VERSION));
    read.map(|answer| answer.policies.iter().filter_map(policy).collect()).unwrap_or_default()
}

fn policy(policy: &PolicyResponse) -> Option<PolicyReading> {
    let read = match policy.data.as_ref()? {
        PolicyData::Wbxml(document) => Ok(PolicyDocument::from_element(document.root())),
        PolicyData::Wap(text) => PolicyDocument::from_wap_xml(text),
    };
    let (document, unreadable) = match read {
        Ok(document) => (document, None),
        Err(error) => (PolicyDocument::default(), Some(error.to_string())),
    };
    let unknown = document.unknown.iter().map(|(tag, _)| tag.to_string());
    let unknown = unknown.chain(document.unknown_parameters.iter().map(|(name, _)| name.clone()));
    Some(PolicyReading {
        policy_type: policy.policy_type.as_ref().map(ToString::to_string).unwrap_or_default(),
        binding: document.binding().into_iter().map(binding).collect(),
        settings: document.values.len(),
        unknown: unknown.collect(),
        unreadable,
    })
}

fn binding(Binding { setting, value }: Binding) -> BindingSetting {
    BindingSetting { setting: setting.name().to_owned(), value, allowed: setting.text().allowed }
}

#[cfg(test)]
mod tests;
