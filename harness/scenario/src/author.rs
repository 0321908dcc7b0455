//! A scenario file, written from recorded exchanges.
//!
//! Only what can be done again on any mailbox is written: what the server owns (keys, folder ids) is saved and used by name,
//! what the ladder does anyway is left to it, contents are replaced. Everything else is named as left out, with the reason.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use easrig_eas::{
    Command, Version,
    command::{
        folder_sync::{self, Change},
        sync,
    },
};
use easrig_exchange::Exchange;

use crate::{Decoded, decoded::empty_is_success, model::Verb};

/// Writes a scenario file, exchange by exchange.
#[derive(Debug, Default)]
pub struct Author {
    /// The kind of every folder the recording tells of.
    kinds: BTreeMap<String, u16>,
    steps: String,
    saved: BTreeSet<String>,
    /// The folders whose saved key was used up.
    used: BTreeSet<&'static str>,
    commands: usize,
    left_out: Vec<(u64, String)>,
    version: Option<Version>,
    writes: bool,
}

impl Author {
    /// Takes the next exchange in; only those that are `chosen` become steps.
    pub fn look(&mut self, exchange: &Exchange, chosen: bool) {
        let decoded = Decoded::of(exchange);
        self.learn(&decoded);
        if !chosen {
            return;
        }
        if let Err(why) = self.write(exchange, &decoded) {
            self.left_out.push((exchange.number.0, why));
        }
    }

    /// How many recorded requests became steps.
    pub fn written(&self) -> usize {
        self.commands
    }

    /// The exchanges that became no step, and why.
    pub fn left_out(&self) -> &[(u64, String)] {
        &self.left_out
    }

    /// The text of the file.
    pub fn file(&self, id: &str) -> String {
        let mut out = String::from("# Written from recorded traffic.");
        for (number, why) in &self.left_out {
            let _ = write!(out, "\n# Left out: exchange {number}: {}", why.replace(char::is_control, " "));
        }
        let version = self.version.unwrap_or(Version::V14_1);
        let effects = if self.writes { "writes" } else { "reads" };
        let _ = write!(
            out,
            "\nid       = \"{id}\"\ntitle    = \"The server answers a recorded sequence as it did\"\nreq      = []\n\
             versions = [\"{version}\"]\nstart    = \"foldered\"\neffects  = \"{effects}\"\n{}",
            self.steps
        );
        if self.writes {
            out.push_str("\n[[cleanup]]\ndo = \"tidy\"\n");
        }
        out
    }

    fn learn(&mut self, decoded: &Decoded) {
        let Some(document) = decoded.answer.document().filter(|_| decoded.command() == Some(Command::FolderSync))
        else {
            return;
        };
        let said = folder_sync::Response::from_document(document, Version::V14_1).unwrap_or_default();
        for change in said.changes.into_iter().flat_map(|changes| changes.changes) {
            if let Change::Add(folder) | Change::Update(folder) = change {
                self.kinds.insert(folder.server_id.0, folder.folder_type.0);
            }
        }
    }

    fn write(&mut self, exchange: &Exchange, decoded: &Decoded) -> Result<(), String> {
        let command = match decoded.verb {
            Some(Verb::Command(command)) => command,
            Some(Verb::Options) => return Err("OPTIONS is part of the ladder".to_owned()),
            None => return Err("it is no ActiveSync command".to_owned()),
        };
        if command == Command::Provision {
            return Err("Provision is part of the ladder".to_owned());
        }
        let version = decoded.version.ok_or("it names no version")?;
        if *self.version.get_or_insert(version) != version {
            return Err(format!("it speaks {version}, the sequence another version"));
        }
        let whole = exchange.response().is_some_and(|response| response.cut.is_none());
        let status = decoded.status.map(|(_, status)| status.0);
        if !whole || decoded.http != Some(200) || status.is_none_or(|status| status >= 100) {
            return Err(format!("it was not served ({})", decoded.words()));
        }
        let status = status.unwrap_or(1);
        match command {
            Command::FolderSync => self.folder_sync(decoded, version, status)?,
            Command::Sync => self.sync(decoded, version, status)?,
            Command::SendMail if empty_is_success(command) && status == 1 => self.send_mail(),
            _ => return Err(format!("{command} is about things that only the recorded mailbox has")),
        }
        self.commands += 1;
        Ok(())
    }

    fn folder_sync(&mut self, decoded: &Decoded, version: Version, status: u16) -> Result<(), String> {
        let document = decoded.request.document().ok_or("its request cannot be read")?;
        let mut asked = folder_sync::Request::from_document(document, version).map_err(|error| error.to_string())?;
        if !asked.sync_key.is_initial() {
            let saved = self.saved.contains("hierarchy_key");
            asked.sync_key = if saved { "{hierarchy_key}" } else { "{folder_key}" }.into();
        }
        let mut elements = Vec::new();
        if status == 1 {
            self.saved.insert("hierarchy_key".to_owned());
            elements.push("{ at = \"FolderSync/SyncKey\", not = \"0\", save = \"hierarchy_key\" }".to_owned());
        }
        self.step("FolderSync", &asked.to_document(version).to_xml_pretty(), status, &elements, false);
        Ok(())
    }

    fn sync(&mut self, decoded: &Decoded, version: Version, status: u16) -> Result<(), String> {
        let document = decoded.request.document().ok_or("it repeats a request that the server has cached")?;
        let mut asked = sync::Request::from_document(document, version).map_err(|error| error.to_string())?;
        if asked.wait.is_some() || asked.heartbeat_interval.is_some() {
            return Err("it waits for a change".to_owned());
        }
        if asked.partial || asked.collections.is_empty() {
            return Err("it repeats a request that the server has cached".to_owned());
        }
        if asked.collections.iter().any(|collection| !collection.commands.is_empty()) {
            return Err("it changes items that only the recorded mailbox has".to_owned());
        }
        let words: Vec<&'static str> = asked
            .collections
            .iter()
            .map(|collection| self.word(&collection.collection_id.0))
            .collect::<Option<_>>()
            .ok_or("it is about a folder that is none of the built-in ones, or that the recording does not tell of")?;
        // Whether an answer brings a key depends on what has changed: only the first one is sure to.
        let used = |one: &sync::Collection, word: &str| !one.sync_key.is_initial() && self.used.contains(word);
        if asked.collections.iter().zip(&words).any(|(one, word)| used(one, word)) {
            return Err("its key depends on what had changed in the recorded mailbox".to_owned());
        }
        let mut elements = Vec::new();
        for (collection, word) in asked.collections.iter_mut().zip(words) {
            let key = format!("{word}_recorded");
            if collection.sync_key.is_initial() {
                if status == 1 {
                    elements.push(saves(word));
                    self.saved.insert(key);
                }
                self.used.remove(word);
            } else {
                if !self.saved.contains(&key) {
                    self.prime(word, collection.class.clone(), version);
                }
                collection.sync_key = format!("{{{key}}}").as_str().into();
                self.used.insert(word);
            }
            collection.collection_id = format!("{{{word}}}").as_str().into();
        }
        self.step("Sync", &asked.to_document(version).to_xml_pretty(), status, &elements, false);
        Ok(())
    }

    /// The first synchronisation of a folder whose earlier keys are not part of the sequence.
    fn prime(&mut self, word: &str, class: Option<easrig_eas::command::Class>, version: Version) {
        let collection = sync::Collection {
            class,
            sync_key: easrig_eas::SyncKey::initial(),
            collection_id: format!("{{{word}}}").as_str().into(),
            ..sync::Collection::default()
        };
        let asked = sync::Request { collections: vec![collection], ..sync::Request::default() };
        self.step("Sync", &asked.to_document(version).to_xml_pretty(), 1, &[saves(word)], true);
        self.saved.insert(format!("{word}_recorded"));
    }

    fn send_mail(&mut self) {
        self.writes = true;
        let _ = write!(
            self.steps,
            "\n[[step]]\nsend = \"SendMail\"\nmail = {{ to = \"{{address}}\", subject = \"{{tag}} recorded\", text = \
             \"Recorded.\" }}\n[step.expect]\nhttp   = 200\nstatus = 1\n"
        );
    }

    fn step(&mut self, command: &str, body: &str, status: u16, elements: &[String], setup: bool) {
        let out = &mut self.steps;
        let _ = write!(out, "\n[[step]]\nsend = \"{command}\"\n");
        if setup {
            out.push_str("setup = true\n");
        }
        let _ = write!(out, "body = '''\n{}\n'''\n[step.expect]\nhttp   = 200\nstatus = {status}\n", body.trim());
        if !elements.is_empty() {
            let _ = write!(out, "element = [\n  {},\n]\n", elements.join(",\n  "));
        }
    }

    fn word(&self, id: &str) -> Option<&'static str> {
        let kind = self.kinds.get(id)?;
        BUILT_IN.iter().find(|(known, _)| known == kind).map(|(_, word)| *word)
    }
}

fn saves(word: &str) -> String {
    format!(
        "{{ at = \"Sync/Collections/Collection[CollectionId={{{word}}}]/SyncKey\", not = \"0\", save = \"{word}_recorded\" }}"
    )
}

/// The folders that every mailbox has, by the variables of scenarios.
const BUILT_IN: [(u16, &str); 9] = [
    (2, "inbox"),
    (3, "drafts"),
    (4, "deleted"),
    (5, "sent"),
    (6, "outbox"),
    (7, "tasks"),
    (8, "calendar"),
    (9, "contacts"),
    (10, "notes"),
];
