//! How a device synchronises, read from its Sync requests.

use std::collections::{BTreeMap, BTreeSet};

use easrig_eas::{
    Version,
    command::{
        Class, Flag, Item,
        folder_sync::{Change, FolderType, Response as Folders},
        sync::{Collection, Command, Options, Request, Response, ServerCommand},
    },
};
use easrig_exchange::ExchangeNumber;
use easrig_wbxml::tags::{air_sync_base, email};

use super::{
    Seen,
    facts::{Facts, Row},
};
use crate::{Confidence, FolderKind};

/// The folders that the device knows, and what it asks of them.
#[derive(Debug, Default)]
pub(super) struct Synchronising {
    kinds: BTreeMap<String, u16>,
    first: FirstFolders,
    /// Something else came after the first ones: what is synchronised from now on is somebody's wish.
    closed: bool,
    /// The last version with a Class element, and the first without.
    class: Option<(Version, ExchangeNumber)>,
    no_class: Option<(Version, ExchangeNumber)>,
    /// Messages of which the device has a part only.
    cut: BTreeSet<String>,
}

/// The folders that a new phone synchronises by itself, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct FirstFolders {
    pub(super) words: Vec<String>,
    pub(super) at: Option<ExchangeNumber>,
}

/// The most folders that are remembered.
const MOST_FOLDERS: usize = 10_000;

/// The most messages that are remembered.
const MOST_MESSAGES: usize = 10_000;

impl Synchronising {
    /// The device did something else.
    pub(super) fn turn_away(&mut self) {
        self.closed |= !self.first.words.is_empty();
    }

    /// The account is set up anew: what was seen of the last time.
    pub(super) fn begin_anew(&mut self) -> FirstFolders {
        self.closed = false;
        std::mem::take(&mut self.first)
    }

    /// What was seen of setting up so far.
    pub(super) fn first(&self) -> FirstFolders {
        self.first.clone()
    }

    pub(super) fn folder_sync(&mut self, seen: &Seen<'_>) {
        let said = seen.answer.as_ref().and_then(|answer| answer.document.as_ref());
        let Some(said) = said.and_then(|said| Folders::from_document(said, seen.version()).ok()) else { return };
        for change in said.changes.into_iter().flat_map(|changes| changes.changes) {
            if let Change::Add(folder) | Change::Update(folder) = change
                && self.kinds.len() < MOST_FOLDERS
            {
                self.kinds.insert(folder.server_id.0, folder.folder_type.0);
            }
        }
    }

    pub(super) fn sync(&mut self, seen: &Seen<'_>, asked: &Request, facts: &mut Facts) {
        let at = seen.at;
        // A Sync that waits has every folder in it, whatever the habit.
        let several = asked.collections.len() > 1;
        if several && !waits(asked) {
            facts.seen("sync.multi_collection", true, at);
        }
        let begins = asked.collections.iter().any(|collection| collection.sync_key.is_initial());
        if begins && !several && !self.closed && !self.first.words.is_empty() {
            // Another folder was to be had and went alone.
            facts.note("sync.multi_collection", false, at, Confidence::Med);
        }
        if let Some(size) = asked.window_size {
            facts.seen("sync.window_size", i64::from(size), at);
        }
        for collection in &asked.collections {
            self.collection(at, seen.version(), collection, facts);
        }
        let said = seen.answer.as_ref().and_then(|answer| answer.document.as_ref());
        if let Some(said) = said.and_then(|said| Response::from_document(said, seen.version()).ok()) {
            self.brought(at, &said, facts);
        }
    }

    /// The class of a folder's items, as far as it is known.
    pub(super) fn class_of(&self, asked: &Collection) -> Option<Class> {
        let kind = self.kinds.get(&asked.collection_id.0);
        kind.and_then(|kind| FolderType(*kind).class()).or_else(|| asked.class.clone())
    }

    /// The device has this message as a whole.
    pub(super) fn fetched(&mut self, id: &str) {
        self.cut.remove(id);
    }

    fn collection(&mut self, at: ExchangeNumber, version: Version, asked: &Collection, facts: &mut Facts) {
        let kind = self.kinds.get(&asked.collection_id.0).copied();
        let is_first = asked.sync_key.is_initial();
        match asked.class {
            Some(_) if self.class.is_none_or(|(known, _)| known < version) => self.class = Some((version, at)),
            None if self.no_class.is_none_or(|(known, _)| known > version) => self.no_class = Some((version, at)),
            _ => {}
        }
        if is_first {
            facts.seen("sync.first_with_options", !asked.options.is_empty(), at);
            facts.seen("abilities.first_sync", true, at);
            self.first_sync(at, kind);
        } else if kind != Some(4) {
            // In Deleted Items what is deleted is gone, whatever the habit.
            facts.seen("sync.deletes_as_moves", spelling(asked.deletes_as_moves), at);
            facts.seen("sync.get_changes", spelling(asked.get_changes), at);
        }
        for command in &asked.commands {
            self.sent(at, command, facts);
        }
        let Some(class) = self.class_of(asked).as_ref().and_then(word) else { return };
        let key = |key: &str| format!("sync.{class}.{key}");
        if let Some(size) = asked.window_size {
            facts.seen(&key("window_size"), i64::from(size), at);
        }
        if let Some(options) = asked.options.first() {
            self::options(options, version, at, &key, facts);
        }
    }

    /// How messages are opened.
    fn sent(&mut self, at: ExchangeNumber, command: &Command, facts: &mut Facts) {
        match command {
            Command::Fetch { server_id } => {
                self.cut.remove(&server_id.0);
                facts.seen("mail.full_body", "sync-fetch", at);
                facts.seen("abilities.read_mail", true, at);
            }
            Command::Change { server_id, application_data, .. }
                if application_data.text(email::READ).is_some_and(|read| read == "1")
                    && self.cut.remove(&server_id.0) =>
            {
                facts.note("mail.full_body", "never", at, Confidence::Low);
                facts.note("abilities.read_mail", true, at, Confidence::Low);
            }
            _ => {}
        }
    }

    fn brought(&mut self, at: ExchangeNumber, said: &Response, facts: &mut Facts) {
        for command in said.collections.iter().flat_map(|collection| &collection.commands) {
            let (ServerCommand::Add { server_id, application_data, .. }
            | ServerCommand::Change { server_id, application_data, .. }) = command
            else {
                continue;
            };
            if application_data.child(email::SUBJECT).is_some() {
                facts.seen("abilities.receive", true, at);
            }
            if is_cut(application_data) && self.cut.len() < MOST_MESSAGES {
                self.cut.insert(server_id.0.clone());
            }
        }
    }

    fn first_sync(&mut self, at: ExchangeNumber, kind: Option<u16>) {
        if self.closed {
            return;
        }
        let word = FolderKind::WORDS.iter().find(|(_, known)| Some(known.0) == kind).map(|(word, _)| *word);
        let Some(word) = word.filter(|word| !self.first.words.iter().any(|known| known == word)) else { return };
        self.first.words.push(word.to_owned());
        self.first.at.get_or_insert(at);
    }

    /// What follows from everything that was seen.
    pub(super) fn row(&self, key: &str) -> Option<Row> {
        let (with, at) = self.class.filter(|_| key == "sync.class_up_to")?;
        let (evidence, confidence) = match self.no_class {
            Some((without, other)) => (
                format!("exchange {} at {with}; without it in exchange {} at {without}", at.0, other.0),
                Confidence::Med,
            ),
            None => (format!("exchange {} at {with}; no later version was spoken", at.0), Confidence::Low),
        };
        Some(Row { value: with.to_string().into(), evidence, confidence })
    }

    /// Why a key has no row.
    pub(super) fn aside(&self, key: &str) -> Option<String> {
        let (version, at) = self.no_class.filter(|_| key == "sync.class_up_to")?;
        Some(format!("no Class in exchange {} at {version}, and no earlier version was spoken", at.0))
    }
}

/// Whether the server is to hold the answer back.
pub(super) fn waits(asked: &Request) -> bool {
    asked.heartbeat_interval.is_some() || asked.wait.is_some()
}

fn is_cut(item: &Item) -> bool {
    let body = item.child(air_sync_base::BODY);
    let cut = body.is_some_and(|body| body.child_text(air_sync_base::TRUNCATED).is_some_and(|cut| cut == "1"));
    cut || [email::BODY_TRUNCATED, email::MIME_TRUNCATED]
        .iter()
        .any(|tag| item.text(*tag).is_some_and(|cut| cut == "1"))
}

fn options(asked: &Options, version: Version, at: ExchangeNumber, key: &dyn Fn(&str) -> String, facts: &mut Facts) {
    let old = version < Version::V12_0;
    let numbers = [
        ("filter_type", asked.filter_type),
        ("conflict", asked.conflict),
        ("truncation", asked.truncation),
        (if old { "old_mime_support" } else { "mime_support" }, asked.mime_support),
        ("mime_truncation", asked.mime_truncation),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            facts.seen(&key(name), i64::from(number), at);
        }
    }
    let Some(preference) = asked.body_preferences.first() else { return };
    facts.seen(&key("body_type"), i64::from(preference.body_type), at);
    if let Some(size) = preference.truncation_size {
        facts.seen(&key("truncation_size"), i64::from(size), at);
    }
    if let Some(all) = preference.all_or_none {
        facts.seen(&key("all_or_none"), all, at);
    }
    if let Some(length) = preference.preview {
        facts.seen(&key("preview"), i64::from(length), at);
    }
}

fn spelling(flag: Option<Flag>) -> &'static str {
    match flag {
        None => "absent",
        Some(Flag::Empty) => "empty",
        Some(Flag::Value(true)) => "1",
        Some(Flag::Value(false)) => "0",
    }
}

fn word(class: &Class) -> Option<&'static str> {
    Some(match class {
        Class::Email => "email",
        Class::Calendar => "calendar",
        Class::Contacts => "contacts",
        Class::Tasks => "tasks",
        Class::Notes => "notes",
        Class::Sms | Class::Other(_) => return None,
    })
}
