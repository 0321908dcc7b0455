use std::collections::HashSet;

use easrig_eas::Command;
use easrig_exchange::Exchange;
use easrig_scenario::{
    Content, Decoded,
    difference::{Owned, owned_value},
};
use easrig_wbxml::Element;

use super::binding::Bindings;
use super::compose::folder_of;
use super::rename::{Person, readdressed};
use crate::{Account, orders::Allowed};

/// What a request does to a mailbox, as `easrig run` counts it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effect {
    /// It leaves no trace.
    Reads,
    /// It makes or changes things; in words, what.
    Writes(&'static str),
    /// It may cost what this replay did not make, or reach people beside the accounts; in words, what.
    Destroys(String),
}

impl Effect {
    /// Why it is left out, unless it is allowed.
    pub(super) fn refusal(&self, allowed: Allowed) -> Option<String> {
        match self {
            Self::Reads => None,
            Self::Writes(_) if allowed.writes || allowed.destroys => None,
            Self::Destroys(_) if allowed.destroys => None,
            Self::Writes(what) => Some(format!("it {what}, which needs --allow writes")),
            Self::Destroys(what) => Some(format!("it {what}, which needs --allow destroys and --disposable HOST")),
        }
    }
}

/// Who looks at a request before it is sent.
pub(super) struct Care<'c> {
    pub(super) bindings: &'c Bindings,
    pub(super) accounts: &'c [Account],
    pub(super) people: &'c [Person],
}

impl Care<'_> {
    /// What a recorded request would do.
    pub(super) fn effect(&self, recorded: &Exchange, decoded: &Decoded) -> Effect {
        let Some(command) = decoded.command() else { return unnamed(recorded, decoded) };
        let root = decoded.request.root();
        match command {
            Command::Sync => self.sync(root),
            Command::SendMail | Command::SmartReply | Command::SmartForward => self.mail(recorded, root),
            Command::MoveItems => Effect::Writes("moves items"),
            Command::FolderCreate => Effect::Writes("makes a folder"),
            Command::FolderUpdate | Command::FolderDelete => self.folder(command, root),
            Command::MeetingResponse => self.meeting(root),
            Command::Settings => settings(root),
            Command::ItemOperations => operations(root),
            Command::Provision => provision(root),
            _ => match &decoded.request {
                Content::Undecodable(_) | Content::Broken(_) => Effect::Writes("cannot be read"),
                _ => Effect::Reads,
            },
        }
    }

    fn sync(&self, root: Option<Element<'_>>) -> Effect {
        let named =
            |e: &Element<'_>, name: &str| e.tag().namespace() == Some("AirSync") && e.tag().name() == Some(name);
        let mut effect = Effect::Reads;
        let collections = root.into_iter().flat_map(Element::descendants).filter(|e| named(e, "Collection"));
        for collection in collections {
            let folder = folder_of(collection).unwrap_or_default();
            let commands = collection.children().filter(|e| named(e, "Commands")).flat_map(Element::children);
            for command in commands {
                effect = effect.max(self.change(command, &folder));
            }
        }
        effect
    }

    fn change(&self, command: Element<'_>, folder: &str) -> Effect {
        let id = command.children().find(|e| e.tag().name() == Some("ServerId")).map(owned_value);
        let is_own = id.is_some_and(|id| self.bindings.is_made(Owned::Item, folder, &id));
        let fields: Vec<&str> = command
            .children()
            .filter(|e| e.tag().name() == Some("ApplicationData"))
            .flat_map(Element::children)
            .filter_map(|e| e.tag().name())
            .collect();
        match command.tag().name() {
            Some("Fetch") => Effect::Reads,
            Some("Add") if self.invites(command) => Effect::Destroys("invites people beside the accounts".to_owned()),
            Some("Add") => Effect::Writes("makes items"),
            Some("Change") if is_own || fields.iter().all(|field| matches!(*field, "Read" | "Flag")) => {
                Effect::Writes("changes items")
            }
            Some("Change") => Effect::Destroys("changes items that this replay did not make".to_owned()),
            Some("Delete") if is_own => Effect::Writes("deletes what it made"),
            Some("Delete") => Effect::Destroys("deletes items that this replay did not make".to_owned()),
            _ => Effect::Destroys("does something unknown to items".to_owned()),
        }
    }

    fn invites(&self, item: Element<'_>) -> bool {
        let is_address = |e: &Element<'_>| e.is_leaf() && e.tag().name() == Some("Email");
        item.descendants().filter(is_address).any(|e| !self.is_ours(&e.text()))
    }

    fn mail(&self, recorded: &Exchange, root: Option<Element<'_>>) -> Effect {
        let mime = root.into_iter().flat_map(Element::descendants).find(|e| e.tag().name() == Some("Mime"));
        let mime = mime.map_or(recorded.request.body.clone(), |e| e.bytes().into_owned());
        let mut others: Vec<String> = recipients(&mime);
        others.retain(|address| !self.is_ours(address));
        // A forward without recipients of its own goes nowhere; the server takes them from the message alone.
        match others.len() {
            0 => Effect::Writes("sends mail"),
            count => Effect::Destroys(format!("sends mail to {count} people beside the accounts")),
        }
    }

    fn is_ours(&self, address: &str) -> bool {
        let address = readdressed(address.trim(), self.people);
        self.accounts.iter().any(|account| match &account.address {
            Some(own) => own.eq_ignore_ascii_case(&address),
            None => account.user.eq_ignore_ascii_case(&address),
        })
    }

    fn folder(&self, command: Command, root: Option<Element<'_>>) -> Effect {
        let id = root.into_iter().flat_map(Element::children).find(|e| e.tag().name() == Some("ServerId"));
        let is_own = id.is_some_and(|id| self.bindings.is_made(Owned::Folder, "", &owned_value(id)));
        match (command, is_own) {
            (Command::FolderDelete, true) => Effect::Writes("deletes a folder that it made"),
            (_, true) => Effect::Writes("renames a folder that it made"),
            (Command::FolderDelete, false) => {
                Effect::Destroys("deletes a folder that this replay did not make".to_owned())
            }
            (_, false) => Effect::Destroys("renames a folder that this replay did not make".to_owned()),
        }
    }

    fn meeting(&self, root: Option<Element<'_>>) -> Effect {
        let mut requests = root.into_iter().flat_map(Element::children);
        let own = |request: Element<'_>| {
            let folder = folder_of(request).unwrap_or_default();
            let id = request.children().find(|e| e.tag().name() == Some("RequestId"));
            id.is_some_and(|id| self.bindings.is_made(Owned::Item, &folder, &owned_value(id)))
        };
        match requests.all(own) {
            true => Effect::Writes("answers invitations of this replay"),
            false => Effect::Destroys("answers invitations of other people".to_owned()),
        }
    }
}

/// A request that names no command we know.
fn unnamed(recorded: &Exchange, decoded: &Decoded) -> Effect {
    match decoded.verb.is_none() && recorded.request.method.eq_ignore_ascii_case("POST") {
        true => Effect::Writes("names a command that easrig does not know"),
        false => Effect::Reads,
    }
}

fn settings(root: Option<Element<'_>>) -> Effect {
    let parent_sets = |name: &str| {
        let parts = root.into_iter().flat_map(Element::children);
        parts.filter(|e| e.tag().name() == Some(name)).any(|e| e.children().any(|e| e.tag().name() == Some("Set")))
    };
    if parent_sets("DevicePassword") {
        return Effect::Destroys("stores a recovery password".to_owned());
    }
    match parent_sets("Oof") {
        true => Effect::Writes("sets out of office"),
        false => Effect::Reads,
    }
}

fn operations(root: Option<Element<'_>>) -> Effect {
    let names: Vec<&str> = root.into_iter().flat_map(Element::children).filter_map(|e| e.tag().name()).collect();
    if names.contains(&"EmptyFolderContents") {
        return Effect::Destroys("empties a folder".to_owned());
    }
    match names.contains(&"Move") {
        true => Effect::Destroys("moves conversations".to_owned()),
        false => Effect::Reads,
    }
}

fn provision(root: Option<Element<'_>>) -> Effect {
    let wipes = |e: &Element<'_>| matches!(e.tag().name(), Some("RemoteWipe" | "AccountOnlyRemoteWipe"));
    match root.into_iter().flat_map(Element::children).any(|e| wipes(&e)) {
        true => Effect::Destroys("says that the device was wiped".to_owned()),
        false => Effect::Reads,
    }
}

/// The addresses in the fields `To`, `Cc` and `Bcc` of a message; what stands there and is no address counts as one.
fn recipients(mime: &[u8]) -> Vec<String> {
    let head = String::from_utf8_lossy(mime);
    let mut found = HashSet::new();
    let mut is_recipient = false;
    for line in head.lines().take_while(|line| !line.is_empty()) {
        let value = if line.starts_with([' ', '\t']) {
            line
        } else {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            is_recipient = ["to", "cc", "bcc"].iter().any(|field| name.trim().eq_ignore_ascii_case(field));
            value
        };
        if !is_recipient {
            continue;
        }
        for part in value.split([',', ';']).map(str::trim).filter(|part| part.contains('@')) {
            let address = part.rsplit('<').next().unwrap_or(part).trim_end_matches('>');
            found.insert(address.trim().to_owned());
        }
    }
    found.into_iter().collect()
}

/// The subject of a message that is sent, or of an item that is made.
pub(super) fn subjects(recorded: &Exchange, decoded: &Decoded) -> Vec<String> {
    let telling = |e: &Element<'_>| matches!(e.tag().name(), Some("Subject" | "FileAs" | "LastName" | "DisplayName"));
    let root = || decoded.request.root().into_iter().flat_map(Element::descendants);
    let mut found: Vec<String> = root().filter(telling).map(|e| e.text().trim().to_owned()).collect();
    let mime = root().find(|e| e.tag().name() == Some("Mime")).map(|e| e.bytes().into_owned());
    let mime = mime.unwrap_or_else(|| recorded.request.body.clone());
    let head = String::from_utf8_lossy(&mime);
    let subject = head.lines().take_while(|line| !line.is_empty()).find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("Subject").then(|| value.trim().to_owned())
    });
    found.extend(subject);
    found.retain(|subject| !subject.is_empty());
    found
}

/// Whether a message that is sent holds a meeting: filler is none.
pub(super) fn is_invitation(recorded: &Exchange, decoded: &Decoded) -> bool {
    if !matches!(decoded.command(), Some(Command::SendMail | Command::SmartReply | Command::SmartForward)) {
        return false;
    }
    let has = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
        text.contains("text/calendar")
    };
    let mime =
        decoded.request.root().into_iter().flat_map(Element::descendants).find(|e| e.tag().name() == Some("Mime"));
    mime.map_or_else(|| has(&recorded.request.body), |e| has(&e.bytes()))
}

/// Whether the answer depends on words of the request that a recording without contents does not hold. The addresses of its
/// accounts stand in it; who has no account here may not be anybody on the target.
pub(super) fn asks_with_filler(decoded: &Decoded, accounts: &[Account], people: &[Person]) -> bool {
    let asks = matches!(
        decoded.command(),
        Some(Command::Search | Command::Find | Command::ResolveRecipients | Command::ValidateCert)
    );
    let is_account = |text: &str| {
        let now = readdressed(text.trim(), people);
        let address = |account: &Account| account.address.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(&now));
        accounts.iter().any(|account| address(account) || account.user.eq_ignore_ascii_case(&now))
    };
    let filler = |e: Element<'_>| {
        let text = e.text();
        e.is_leaf()
            && !text.is_empty()
            && !is_account(&text)
            && match easrig_exchange::masking(e.tag()) {
                easrig_exchange::Masking::Filler => true,
                easrig_exchange::Masking::StandsWhenPlain => !easrig_exchange::is_plain(&text),
                _ => false,
            }
    };
    asks && decoded.request.root().into_iter().flat_map(Element::descendants).any(filler)
}
