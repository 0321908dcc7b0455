//! How a device synchronises, read from its Sync requests.

use std::collections::BTreeMap;

use easrig_eas::{
    Version,
    command::{
        Class, Flag,
        folder_sync::{Change, Response},
        sync::{Collection, Options, Request},
    },
};
use easrig_exchange::ExchangeNumber;
use easrig_wbxml::{Document, tags};

use super::facts::Facts;
use crate::FolderKind;

/// The folders that the device knows, and what it first asked of them.
#[derive(Debug, Default)]
pub(super) struct Folders {
    kinds: BTreeMap<String, u16>,
    first: Vec<String>,
    first_at: Option<ExchangeNumber>,
    /// Something else came after the first ones: what is synchronised from now on is somebody's wish.
    closed: bool,
}

/// The most folders that are remembered.
const MOST_FOLDERS: usize = 10_000;

impl Folders {
    /// The device did something else.
    pub(super) fn turn_away(&mut self) {
        self.closed |= !self.first.is_empty();
    }

    pub(super) fn look(
        &mut self,
        at: ExchangeNumber,
        version: Version,
        request: &Document,
        answer: Option<&Document>,
        facts: &mut Facts,
    ) {
        if request.root().tag() == tags::air_sync::SYNC {
            if let Ok(asked) = Request::from_document(request, version) {
                self.sync(at, version, &asked, facts);
            }
        } else if let Some(said) = answer.and_then(|answer| Response::from_document(answer, version).ok()) {
            for change in said.changes.into_iter().flat_map(|changes| changes.changes) {
                if let Change::Add(folder) | Change::Update(folder) = change
                    && self.kinds.len() < MOST_FOLDERS
                {
                    self.kinds.insert(folder.server_id.0, folder.folder_type.0);
                }
            }
        }
    }

    fn sync(&mut self, at: ExchangeNumber, version: Version, asked: &Request, facts: &mut Facts) {
        if asked.collections.len() > 1 {
            facts.seen("sync.multi_collection", true, at);
        }
        if let Some(size) = asked.window_size {
            facts.seen("sync.window_size", i64::from(size), at);
        }
        if let Some(wait) = asked.heartbeat_interval.or(asked.wait.map(|minutes| minutes.saturating_mul(60))) {
            facts.seen("push.mode", "hanging-sync", at);
            facts.seen("push.start", i64::from(wait), at);
        }
        for collection in &asked.collections {
            self.collection(at, version, collection, facts);
        }
    }

    fn collection(&mut self, at: ExchangeNumber, version: Version, asked: &Collection, facts: &mut Facts) {
        let kind = self.kinds.get(&asked.collection_id.0).copied();
        let class = kind.and_then(|kind| easrig_eas::command::folder_sync::FolderType(kind).class());
        let key = |key: &str| format!("sync.{key}");
        let is_first = asked.sync_key.is_initial();
        if is_first {
            facts.seen(&key("first_with_options"), !asked.options.is_empty(), at);
            facts.seen("abilities.first_sync", true, at);
            self.first_sync(at, kind, facts);
        } else if kind != Some(4) {
            // In Deleted Items what is deleted is gone, whatever the habit.
            facts.seen(&key("deletes_as_moves"), spelling(asked.deletes_as_moves), at);
            facts.seen(&key("get_changes"), spelling(asked.get_changes), at);
        }
        let Some(class) = class.as_ref().and_then(word) else { return };
        let key = |key: &str| format!("sync.{class}.{key}");
        if let Some(size) = asked.window_size {
            facts.seen(&key("window_size"), i64::from(size), at);
        }
        if let Some(options) = asked.options.first() {
            self::options(options, version, at, &key, facts);
        }
    }

    /// The folders that a new phone synchronises by itself, in their order.
    fn first_sync(&mut self, at: ExchangeNumber, kind: Option<u16>, facts: &mut Facts) {
        if self.closed {
            return;
        }
        let word = FolderKind::WORDS.iter().find(|(_, known)| Some(known.0) == kind).map(|(word, _)| *word);
        let Some(word) = word.filter(|word| !self.first.iter().any(|known| known == word)) else { return };
        self.first.push(word.to_owned());
        let at = *self.first_at.get_or_insert(at);
        facts.replace("sync.folders", self.first.clone(), at, crate::Confidence::Med);
    }
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
