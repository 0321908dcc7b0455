use std::collections::{BTreeMap, HashMap};

use easrig_eas::{
    Command, Version,
    command::folder_sync::{self, Change},
};
use easrig_wbxml::Element;

use crate::{Decoded, difference::owned_value};

/// How many items are kept in mind; what is told beyond is not known.
const MOST: usize = 100_000;

/// What the recording tells of the recorded mailbox.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The kind of every folder.
    pub(super) kinds: BTreeMap<String, u16>,
    /// The name of every folder.
    pub(super) names: BTreeMap<String, String>,
    /// By folder and ServerId.
    items: HashMap<(String, String), Fact>,
    /// The item that a file belongs to.
    files: HashMap<String, (String, String)>,
    /// How many items have a subject: only one that is the only one stands for its item.
    subjects: HashMap<String, usize>,
    /// The same by folder.
    in_folders: HashMap<(String, String), usize>,
    /// The last key of every folder.
    keys: HashMap<String, String>,
    /// Every key that the recording shows the server give, by folder, and how old it is; the folder list has none.
    given: HashMap<(String, String), u64>,
    /// The age of the newest key of every folder.
    newest: HashMap<String, u64>,
    /// Folder and id of a mail of every conversation.
    conversations: HashMap<String, (String, String)>,
    /// The folders for which the last request showed an older key: what is told then was told before.
    repeated: Vec<String>,
}

/// What is told of one item.
#[derive(Clone, Debug, Default)]
pub(super) struct Fact {
    pub(super) subject: Option<String>,
    pub(super) invitation: bool,
    pub(super) files: Vec<String>,
    /// Whether the id of its conversation is wanted.
    pub(super) talks: bool,
}

impl Told {
    /// Takes in what an answer tells.
    pub(super) fn learn(&mut self, decoded: &Decoded) {
        self.repeats(decoded);
        let Some(root) = decoded.answer.root() else { return };
        match decoded.command() {
            Some(Command::FolderSync | Command::FolderCreate | Command::FolderUpdate | Command::FolderDelete) => {
                let asked = decoded.request.root();
                if let Some(key) = value(root, "SyncKey") {
                    self.give("", key, asked);
                }
                match decoded.command() {
                    Some(Command::FolderSync) => self.folders(decoded),
                    Some(Command::FolderCreate) => self.folder_made(asked, root),
                    _ => {}
                }
            }
            Some(Command::Sync) => {
                for collection in within(root, &["Collections", "Collection"]) {
                    let Some(folder) = value(collection, "CollectionId") else { continue };
                    if let Some(key) = value(collection, "SyncKey").filter(|_| self.keys.len() < MOST) {
                        let asked = decoded.request.root().and_then(|asked| asked_of(asked, &folder));
                        self.give(&folder, key.clone(), asked);
                        self.keys.insert(folder.clone(), key);
                    }
                    for change in within(collection, &["Commands", "*"]).chain(within(collection, &["Responses", "*"]))
                    {
                        let id = value(change, "ServerId");
                        if let Some((id, data)) = id.zip(named(change, "ApplicationData")) {
                            self.item(&folder, id, data);
                        }
                    }
                }
            }
            Some(Command::ItemOperations) => {
                for fetch in within(root, &["Response", "Fetch"]) {
                    let id = value(fetch, "CollectionId").zip(value(fetch, "ServerId"));
                    if let Some(((folder, id), data)) = id.zip(named(fetch, "Properties")) {
                        self.item(&folder, id, data);
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether the answer repeats what was told before, since the request showed an older key of this folder.
    pub(super) fn is_repeated(&self, folder: &str) -> bool {
        self.repeated.iter().any(|repeated| repeated == folder)
    }

    /// Whether the recording shows the server give this key.
    pub(super) fn was_given(&self, folder: &str, key: &str) -> bool {
        self.given.contains_key(&(folder.to_owned(), key.to_owned()))
    }

    /// Whether the key is one that no server takes any more: two newer ones were given, or the device began afresh.
    pub(super) fn is_past(&self, folder: &str, key: &str) -> bool {
        let given = self.given.get(&(folder.to_owned(), key.to_owned()));
        given.zip(self.newest.get(folder)).is_some_and(|(given, newest)| given + 1 < *newest)
    }

    /// `asked` is what the key was the answer to.
    fn give(&mut self, folder: &str, key: String, asked: Option<Element<'_>>) {
        let place = (folder.to_owned(), key);
        if self.given.len() >= MOST || self.given.contains_key(&place) {
            return;
        }
        let is_afresh = asked.is_some_and(|asked| value(asked, "SyncKey").is_none_or(|key| key == "0"));
        let newest = self.newest.entry(folder.to_owned()).or_default();
        *newest += if is_afresh { 2 } else { 1 };
        self.given.insert(place, *newest);
    }

    fn folder_made(&mut self, asked: Option<Element<'_>>, answer: Element<'_>) {
        let Some((asked, id)) = asked.zip(value(answer, "ServerId")) else { return };
        let kind = value(asked, "Type").and_then(|kind| kind.parse().ok());
        if let Some(kind) = kind.filter(|_| self.kinds.len() < MOST) {
            self.kinds.insert(id.clone(), kind);
            self.names.insert(id, value(asked, "DisplayName").unwrap_or_default());
        }
    }

    /// Folder and id of a mail of this conversation.
    pub(super) fn conversation_of(&self, id: &str) -> Option<&(String, String)> {
        self.conversations.get(id)
    }

    fn repeats(&mut self, decoded: &Decoded) {
        self.repeated.clear();
        let Some(root) = decoded.request.root().filter(|_| decoded.command() == Some(Command::Sync)) else { return };
        for collection in within(root, &["Collections", "Collection"]) {
            let Some((folder, key)) = value(collection, "CollectionId").zip(value(collection, "SyncKey")) else {
                continue;
            };
            if key != "0" && self.keys.get(&folder).is_some_and(|last| *last != key) {
                self.repeated.push(folder);
            }
        }
    }

    pub(super) fn item_of(&self, folder: &str, id: &str) -> Option<&Fact> {
        self.items.get(&(folder.to_owned(), id.to_owned()))
    }

    /// Folder and id of the item that this file belongs to.
    pub(super) fn owner_of(&self, file: &str) -> Option<&(String, String)> {
        self.files.get(file)
    }

    /// Whether several recorded items have this subject.
    pub(super) fn is_common(&self, subject: &str) -> bool {
        self.subjects.get(subject).is_some_and(|count| *count > 1)
    }

    /// Whether several recorded items of this folder have this subject.
    pub(super) fn is_twice(&self, folder: &str, subject: &str) -> bool {
        self.in_folders.get(&(folder.to_owned(), subject.to_owned())).is_some_and(|count| *count > 1)
    }

    fn folders(&mut self, decoded: &Decoded) {
        let Some(document) = decoded.answer.document() else { return };
        let said = folder_sync::Response::from_document(document, Version::V14_1).unwrap_or_default();
        for change in said.changes.into_iter().flat_map(|changes| changes.changes) {
            if let Change::Add(folder) | Change::Update(folder) = change
                && self.kinds.len() < MOST
            {
                self.names.insert(folder.server_id.0.clone(), folder.display_name);
                self.kinds.insert(folder.server_id.0, folder.folder_type.0);
            }
        }
    }

    fn item(&mut self, folder: &str, id: String, data: Element<'_>) {
        let key = (folder.to_owned(), id);
        if self.items.len() >= MOST && !self.items.contains_key(&key) {
            return;
        }
        let class = value(data, "MessageClass").unwrap_or_default();
        let files = data.descendants().filter(|e| matches!(e.tag().name(), Some("FileReference" | "AttName")));
        let files: Vec<String> = files.take(16).map(owned_value).filter(|file| !file.is_empty()).collect();
        for file in &files {
            self.files.insert(file.clone(), key.clone());
        }
        if let Some(talk) = value(data, "ConversationId").filter(|_| self.conversations.len() < MOST) {
            self.conversations.insert(talk, key.clone());
        }
        let is_new = !self.items.contains_key(&key);
        let fact = self.items.entry(key).or_default();
        let subject = value(data, "Subject").filter(|subject| !subject.is_empty());
        if let Some(subject) = subject.as_ref().filter(|_| is_new) {
            *self.subjects.entry(subject.clone()).or_default() += 1;
            *self.in_folders.entry((folder.to_owned(), subject.clone())).or_default() += 1;
        }
        fact.subject = subject.or(fact.subject.take());
        fact.invitation |= class.starts_with("IPM.Schedule.Meeting.Request") || named(data, "MeetingRequest").is_some();
        if !files.is_empty() {
            fact.files = files;
        }
    }
}

/// The collection of a request that is about this folder.
fn asked_of<'d>(asked: Element<'d>, folder: &str) -> Option<Element<'d>> {
    within(asked, &["Collections", "Collection"]).find(|one| value(*one, "CollectionId").is_some_and(|id| id == folder))
}

/// The child of this local name.
pub(super) fn named<'d>(element: Element<'d>, name: &str) -> Option<Element<'d>> {
    element.children().find(|child| child.tag().name() == Some(name))
}

/// The text of the child of this local name.
pub(super) fn value(element: Element<'_>, name: &str) -> Option<String> {
    named(element, name).map(owned_value)
}

/// The elements on this way down; `*` is any.
pub(super) fn within<'d>(element: Element<'d>, way: &[&str]) -> std::vec::IntoIter<Element<'d>> {
    let mut found = vec![element];
    for name in way {
        let fits = |child: &Element<'d>| *name == "*" || child.tag().name() == Some(name);
        found = found.into_iter().flat_map(|at| at.children().filter(fits).collect::<Vec<_>>()).collect();
    }
    found.into_iter()
}
