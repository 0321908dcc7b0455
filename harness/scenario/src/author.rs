//! A scenario file, written from recorded exchanges.
//!
//! Only what can be done again on any mailbox is written: what the server owns (keys, ids) is saved and used by name, items
//! of the recorded mailbox are replaced by some that the scenario makes, what the ladder does anyway is left to it, contents
//! are replaced. Everything else is named as left out, with the reason. What is expected is what the recorded answer says
//! of these things: statuses, and values that the sequence itself has set.

mod answer;
mod draft;
mod make;
mod rewrite;
mod told;
mod wait;

use std::fmt::Write as _;

use easrig_eas::{Command, Version};
use easrig_exchange::{Exchange, Response};
use easrig_wbxml::{Document, Element};

use crate::{Content, Decoded, decoded::empty_is_success, model::Verb};
use draft::{Draft, Step};
use rewrite::Words;
use told::{Told, named, value, within};

/// How many requests become steps at most; a longer sequence is no regression test.
const MOST_REQUESTS: usize = 300;

/// How many exchanges that were left out are named.
const MOST_NAMED: usize = 1000;

/// Writes a scenario file, exchange by exchange.
#[derive(Debug, Default)]
pub struct Author {
    told: Told,
    draft: Draft,
    steps: String,
    commands: usize,
    left_out: Vec<(u64, String)>,
    unnamed: usize,
    version: Option<Version>,
    last_ping: Option<Document>,
    /// Provision before the first step, which the ladder does.
    provision: bool,
    /// The last step is a Provision, whose second half is not another one.
    provisioning: bool,
}

impl Author {
    /// Takes the next exchange in; only those that are `chosen` become steps.
    pub fn look(&mut self, exchange: &Exchange, chosen: bool) {
        let decoded = Decoded::of(exchange);
        self.told.learn(&decoded);
        if !chosen {
            return;
        }
        let (before, length) = (self.draft.clone(), self.steps.len());
        if let Err(why) = self.take(exchange, &decoded) {
            self.draft = before;
            self.steps.truncate(length);
            if self.left_out.len() < MOST_NAMED {
                self.left_out.push((exchange.number.0, why));
            } else {
                self.unnamed += 1;
            }
        }
    }

    /// How many recorded requests became steps.
    pub fn written(&self) -> usize {
        self.commands + usize::from(self.is_provision_alone())
    }

    /// The exchanges that became no step, and why; beyond the first thousand they are only counted.
    pub fn left_out(&self) -> &[(u64, String)] {
        &self.left_out
    }

    /// How many more became no step.
    pub fn unnamed(&self) -> usize {
        self.unnamed
    }

    /// The text of the file.
    pub fn file(&self, id: &str) -> String {
        let mut out = String::from("# Written from recorded traffic.");
        for (number, why) in &self.left_out {
            let _ = write!(out, "\n# Left out: exchange {number}: {}", why.replace(char::is_control, " "));
        }
        if self.unnamed > 0 {
            let _ = write!(out, "\n# Left out: {} more", self.unnamed);
        }
        let version = self.version.unwrap_or(Version::V14_1);
        let draft = &self.draft;
        let effects = match (draft.destroys, draft.writes) {
            (true, _) => "destroys",
            (false, true) => "writes",
            (false, false) => "reads",
        };
        let start = match (self.is_provision_alone(), draft.foldered || draft.writes) {
            (true, _) => "options",
            (false, true) => "foldered",
            (false, false) => "provisioned",
        };
        let needs = if draft.partner { "needs    = [\"partner\"]\n" } else { "" };
        let _ = write!(
            out,
            "\nid       = \"{id}\"\ntitle    = \"The server answers a recorded sequence as it did\"\nreq      = []\n\
             versions = [\"{version}\"]\nstart    = \"{start}\"\neffects  = \"{effects}\"\n{needs}{}",
            self.steps
        );
        if self.is_provision_alone() {
            out.push_str("\n[[step]]\ndo = \"provision\"\n");
        }
        for folder in &draft.remains {
            let _ = write!(
                out,
                "\n[[cleanup]]\nsend = \"FolderDelete\"\nbody = '''\n<FolderDelete xmlns=\"FolderHierarchy\">\
                 <SyncKey>{{folder_key}}</SyncKey><ServerId>{{{folder}}}</ServerId></FolderDelete>\n'''\n"
            );
        }
        if draft.destroys {
            out.push_str(OOF_OFF);
        }
        if draft.writes {
            out.push_str("\n[[cleanup]]\ndo = \"tidy\"\n");
        }
        out
    }

    fn is_provision_alone(&self) -> bool {
        self.commands == 0 && self.provision
    }

    fn take(&mut self, exchange: &Exchange, decoded: &Decoded) -> Result<(), String> {
        let command = match decoded.verb {
            Some(Verb::Command(command)) => command,
            Some(Verb::Options) => return Err("OPTIONS is part of the ladder".to_owned()),
            None => return Err("it is no ActiveSync command".to_owned()),
        };
        let version = decoded.version.ok_or("it names no version")?;
        if *self.version.get_or_insert(version) != version {
            return Err(format!("it speaks {version}, the sequence another version"));
        }
        if command == Command::Provision {
            return self.provision();
        }
        if self.commands >= MOST_REQUESTS {
            return Err(format!("the scenario has {MOST_REQUESTS} requests already; --exchanges chooses others"));
        }
        let whole = exchange.response().is_some_and(is_whole);
        let status = decoded.status.map(|(_, status)| status.0);
        // What the server says of account, device and policy is the ladder's to find out.
        let is_served = !status.is_some_and(|status| matches!(status, 110..=113 | 125..=145 | 177));
        let answered = status.is_some() || answers_without_status(command, decoded);
        if !whole || decoded.http != Some(200) || !is_served || !answered {
            return Err(format!("it was not served ({})", decoded.words()));
        }
        self.command(command, decoded, status)?;
        self.provisioning = false;
        self.commands += 1;
        Ok(())
    }

    fn command(&mut self, command: Command, decoded: &Decoded, status: Option<u16>) -> Result<(), String> {
        let number = status.unwrap_or(1);
        match command {
            Command::SendMail | Command::SmartReply | Command::SmartForward => self.mailed(command, decoded, number),
            Command::Ping => self.ping(decoded, number),
            Command::Sync => self.sync(decoded, number),
            Command::GetAttachment => {
                let file = decoded.query.as_ref().and_then(|query| query.attachment_name.clone());
                let file = self.attachment(&file.ok_or("it names no attachment")?)?;
                let mut step = Step::without_body("GetAttachment");
                step.lines.push(format!("params = {{ AttachmentName = \"{{{file}}}\" }}"));
                self.push(&step);
                Ok(())
            }
            Command::FolderSync => self.folder_sync(decoded, number),
            Command::FolderCreate | Command::FolderUpdate | Command::FolderDelete => {
                self.folder_changed(command, decoded, number)
            }
            Command::MoveItems
            | Command::ItemOperations
            | Command::GetItemEstimate
            | Command::MeetingResponse
            | Command::Search
            | Command::Find
            | Command::Settings
            | Command::ResolveRecipients => self.asked(command, decoded, status),
            _ => Err(format!("{command} is about things that only the recorded mailbox has")),
        }
    }

    fn provision(&mut self) -> Result<(), String> {
        if self.commands == 0 {
            self.provision = true;
            return Err("Provision is part of the ladder".to_owned());
        }
        if !self.provisioning {
            self.steps.push_str("\n[[step]]\ndo = \"provision\"\n");
            self.provisioning = true;
            self.commands += 1;
        }
        Ok(())
    }

    fn folder_sync(&mut self, decoded: &Decoded, status: u16) -> Result<(), String> {
        let asked = decoded.request.root().ok_or("its request cannot be read")?;
        let is_first = value(asked, "SyncKey").is_none_or(|key| key == "0");
        let mut words = self.words("", 0);
        if !is_first && status != 1 {
            let key = value(asked, "SyncKey").unwrap_or_default();
            words.wrong_key = status == 9 && !self.told.was_given("", &key);
            if !words.wrong_key {
                return Err(KEY_REFUSED.to_owned());
            }
        }
        let body = self.rewritten(asked, &mut words)?.to_xml_pretty();
        let mut step = Step::new("FolderSync", body);
        step.status = Some(status);
        if status == 1 {
            self.draft.foldered = true;
            step.elements.push("{ at = \"FolderSync/SyncKey\", not = \"0\", save = \"folder_key\" }".to_owned());
        }
        if let Some(answer) = decoded.answer.root().filter(|_| is_first && status == 1) {
            let kinds: Vec<_> = within(answer, &["Changes", "Add"])
                .filter_map(|folder| value(folder, "Type")?.parse::<u16>().ok())
                .collect();
            for (kind, word) in BUILT_IN.iter().filter(|(kind, _)| EVERYWHERE.contains(kind) && kinds.contains(kind)) {
                let test = format!("say = \"the {word} folder\"");
                step.elements.push(format!("{{ at = \"FolderSync/Changes/Add[Type={kind}]/ServerId\", {test} }}"));
            }
        }
        self.push(&step);
        Ok(())
    }

    fn sync(&mut self, decoded: &Decoded, status: u16) -> Result<(), String> {
        let document = decoded.request.document().ok_or("it repeats a request that the server has cached")?;
        let asked = document.root();
        let collections: Vec<_> = within(asked, &["Collections", "Collection"]).collect();
        if collections.is_empty() || named(asked, "Partial").is_some() {
            return Err("it repeats a request that the server has cached".to_owned());
        }
        if matches!(status, 3 | 12) {
            return self.refused_sync(asked, status);
        }
        if named(asked, "Wait").is_some() || named(asked, "HeartbeatInterval").is_some() {
            return self.waiting_sync(document, decoded, status);
        }
        let adds = collections.iter().flat_map(|one| within(*one, &["Commands", "Add"])).count();
        let changes =
            collections.iter().any(|one| within(*one, &["Commands", "*"]).any(|c| c.tag().name() != Some("Fetch")));
        self.draft.writes |= changes;
        let number = if changes { self.draft.fresh()? } else { 0 };
        let mut words = self.words(&format!("{{tag}} item {number}"), adds);
        let body = self.rewritten(asked, &mut words)?.to_xml_pretty();
        let mut step = Step::new("Sync", body);
        // Which collection is the first of the answer is told only when there is one.
        step.status =
            (collections.len() == 1 || status == 1 || decoded.answer.root().is_some_and(own_status)).then_some(status);
        if !decoded.answer.root().is_some_and(own_status) {
            self.sync_answer(asked, decoded, &words, &mut step);
        }
        self.push(&step);
        Ok(())
    }

    /// A Sync with a key that the server never gave; why it refused one of its own cannot be repeated.
    fn refused_sync(&mut self, asked: Element<'_>, status: u16) -> Result<(), String> {
        let collections: Vec<_> = within(asked, &["Collections", "Collection"]).collect();
        let [collection] = collections.as_slice() else { return Err(KEY_REFUSED.to_owned()) };
        let folder = rewrite::folder_of(*collection).unwrap_or_default();
        let key = value(*collection, "SyncKey").unwrap_or_default();
        let changes = within(*collection, &["Commands", "*"]).next().is_some();
        if status != 3 || changes || key == "0" || self.told.was_given(&folder, &key) {
            return Err(KEY_REFUSED.to_owned());
        }
        let mut words = self.words("", 0);
        words.wrong_key = true;
        let mut step = Step::new("Sync", self.rewritten(asked, &mut words)?.to_xml_pretty());
        step.status = Some(status);
        let word = self.folder(&folder)?;
        self.draft.keys.remove(&word);
        self.push(&step);
        Ok(())
    }

    /// A mail with other contents: to the owner, whose mailbox is the only one that is sure to be there.
    fn mailed(&mut self, command: Command, decoded: &Decoded, status: u16) -> Result<(), String> {
        if status != 1 || !matches!(decoded.answer, Content::Empty) {
            return Err("it was refused for what was in it".to_owned());
        }
        let root = decoded.request.root();
        let mut step = Step::without_body(command.name());
        if command != Command::SendMail {
            let source = root.and_then(|root| named(root, "Source"));
            let query = decoded.query.as_ref();
            let folder = source.and_then(|source| value(source, "FolderId"));
            let item = source.and_then(|source| value(source, "ItemId"));
            let folder = folder.or_else(|| query.and_then(|query| query.collection_id.clone()));
            let item = item.or_else(|| query.and_then(|query| query.item_id.clone()));
            let (folder, item) = folder.zip(item).ok_or("it names its original in a way that scenarios do not")?;
            let item = self.item(&folder, &item)?;
            let folder = self.folder(&folder)?;
            step.lines.push(format!("source = {{ folder = \"{{{folder}}}\", item = \"{{{item}}}\" }}"));
        }
        self.draft.writes = true;
        let number = self.draft.fresh()?;
        let subject = format!("{{tag}} mail {number}");
        let mail = format!("mail = {{ to = \"{{address}}\", subject = \"{subject}\", text = \"Recorded.\" }}");
        step.lines.insert(0, mail);
        let kept = match root {
            Some(root) => named(root, "SaveInSentItems").is_some(),
            None => decoded.query.as_ref().and_then(|query| query.save_in_sent).unwrap_or(false),
        };
        step.lines.push(format!("save_in_sent = {kept}"));
        step.status = Some(1);
        let mime = root.and_then(|root| named(root, "Mime")).map(|mime| mime.bytes().into_owned());
        if let Some(told) = mime.as_deref().and_then(subject_of) {
            self.draft.subjects.insert(told, subject);
        }
        self.push(&step);
        Ok(())
    }

    fn folder_changed(&mut self, command: Command, decoded: &Decoded, status: u16) -> Result<(), String> {
        let asked = decoded.request.root().ok_or("its request cannot be read")?;
        let name = value(asked, "DisplayName");
        let known = name.as_ref().and_then(|name| self.draft.names.get(name)).cloned();
        let target = value(asked, "ServerId");
        if let Some(target) = &target
            && !self.draft.folders.contains_key(target)
        {
            return Err("it is about a folder of the owner, which the sequence did not make".to_owned());
        }
        if status != 1 && known.is_none() {
            return Err("it was refused for what only the recorded mailbox has".to_owned());
        }
        self.draft.writes = true;
        let number = self.draft.fresh()?;
        let shown = known.unwrap_or_else(|| format!("{{tag}} folder {number}"));
        let body = self.rewritten(asked, &mut self.words(&shown, 0))?.to_xml_pretty();
        let mut step = Step::new(command.name(), body);
        step.status = Some(status);
        if status == 1 {
            let at = format!("{}/SyncKey", command.name());
            step.elements.push(format!("{{ at = \"{at}\", not = \"{{folder_key}}\", save = \"folder_key\" }}"));
            if let Some(name) = name {
                self.draft.names.insert(name, shown);
            }
        }
        match (command, decoded.answer.root().and_then(|root| value(root, "ServerId")), target) {
            (Command::FolderCreate, Some(id), _) => {
                let variable = format!("folder_{number}");
                step.elements.push(format!("{{ at = \"FolderCreate/ServerId\", save = \"{variable}\" }}"));
                self.draft.remains.insert(0, variable.clone());
                self.draft.folders.insert(id, variable);
            }
            (Command::FolderDelete, _, Some(id)) if status == 1 => {
                let gone = self.draft.folders.get(&id).cloned();
                self.draft.remains.retain(|folder| Some(folder) != gone.as_ref());
            }
            _ => {}
        }
        self.push(&step);
        Ok(())
    }

    /// The commands that are one question and one answer.
    fn asked(&mut self, command: Command, decoded: &Decoded, status: Option<u16>) -> Result<(), String> {
        let asked = decoded.request.root().ok_or("its request cannot be read")?;
        let answer = decoded.answer.root();
        let mut words = self.words("", 0);
        match command {
            Command::ItemOperations if within(asked, &["Move"]).next().is_some() => {
                return Err("it moves a conversation of the recorded mailbox".to_owned());
            }
            Command::Settings if within(asked, &["Oof", "Set"]).next().is_some() => {
                // It writes over the text that the owner may have had.
                self.draft.destroys = true;
            }
            Command::Search | Command::Find => words.query = self.query(asked, answer)?,
            Command::ResolveRecipients => words.people = people(answer)?,
            Command::MoveItems | Command::MeetingResponse => self.draft.writes = true,
            _ => {}
        }
        let body = self.rewritten(asked, &mut words)?.to_xml_pretty();
        let mut step = Step::new(command.name(), body);
        let is_multipart = decoded.query.as_ref().is_some_and(|query| query.accept_multipart == Some(true));
        if command == Command::ItemOperations && (is_multipart || !decoded.parts.is_empty()) {
            step.lines.push("headers = { MS-ASAcceptMultiPart = \"T\" }".to_owned());
        }
        step.status = status;
        if let Some(answer) = answer {
            self.answer(command, asked, answer, &mut step);
        }
        self.push(&step);
        Ok(())
    }

    /// What is searched instead: the owner in the address list, a mail of the scenario in the mailbox.
    fn query(&mut self, asked: Element<'_>, answer: Option<Element<'_>>) -> Result<String, String> {
        let names: Vec<_> = asked.descendants().filter_map(|element| element.tag().name()).collect();
        let store = within(asked, &["Store"]).find_map(|store| value(store, "Name")).unwrap_or_default();
        if store.eq_ignore_ascii_case("GAL") || names.contains(&"GalSearchCriterion") {
            return Ok("{address}".to_owned());
        }
        if !store.eq_ignore_ascii_case("Mailbox") && !names.contains(&"MailBoxSearchCriterion") {
            return Err("it is about a document library".to_owned());
        }
        let found = answer.is_some_and(|answer| answer.descendants().any(|e| e.tag().name() == Some("Properties")));
        if !found {
            return Ok("{unique}".to_owned());
        }
        let folder =
            asked.descendants().find(|e| e.tag().name() == Some("CollectionId")).map(|e| e.text().into_owned());
        if folder.is_some_and(|folder| self.told.kinds.get(&folder) != Some(&2)) {
            return Err("it searches in a folder where the scenario can put no mail".to_owned());
        }
        let number = self.draft.fresh()?;
        let subject = format!("{{tag}} item {number}");
        self.send(&subject, false, false);
        self.draft.searched = Some(subject);
        Ok("{tag}".to_owned())
    }

    fn words(&self, item: &str, adds: usize) -> Words {
        Words { item: item.to_owned(), query: String::new(), people: Vec::new(), wrong_key: false, adds, added: 0 }
    }

    fn push(&mut self, step: &Step) {
        step.write(&mut self.steps);
    }
}

/// Whom to look up instead: the owner for who was found, nobody for who was not.
fn people(answer: Option<Element<'_>>) -> Result<Vec<String>, String> {
    let answer = answer.ok_or("its answer cannot be read")?;
    let person = |(n, response)| match value(response, "Status").as_deref() {
        Some("1") => Ok("{address}".to_owned()),
        Some("4") => Ok(format!("{{tag}}-nobody-{n}")),
        _ => Err("it looks somebody up of whom the recorded address list has several".to_owned()),
    };
    within(answer, &["Response"]).enumerate().map(person).collect()
}

fn is_whole(response: &Response) -> bool {
    response.cut.is_none()
}

fn answers_without_status(command: Command, decoded: &Decoded) -> bool {
    match command {
        Command::GetAttachment => true,
        Command::Sync | Command::Ping => matches!(decoded.answer, Content::Empty),
        _ => empty_is_success(command) || decoded.answer.document().is_some(),
    }
}

fn own_status(root: Element<'_>) -> bool {
    named(root, "Status").is_some()
}

/// The subject of a mail, when it stands there as it is.
fn subject_of(mime: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(mime.get(..mime.len().min(8192))?).ok()?;
    let mut lines = text.lines().take_while(|line| !line.is_empty());
    let subject = lines.find_map(|line| line.strip_prefix("Subject:"))?.trim();
    (!subject.is_empty() && !subject.starts_with("=?")).then(|| subject.to_owned())
}

const KEY_REFUSED: &str = "a key that the server had given was refused, which does not happen again by itself";

const OOF_OFF: &str = "\n[[cleanup]]\nsend = \"Settings\"\nbody = '''\n<Settings xmlns=\"Settings\"><Oof><Set>\
                       <OofState>0</OofState></Set></Oof></Settings>\n'''\n";

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

/// Those of them that no server leaves out.
const EVERYWHERE: [u16; 5] = [2, 4, 5, 8, 9];
