//! A scenario file, written from recorded exchanges.
//!
//! Only what can be done again on any mailbox is written: what the server owns (keys, ids) is saved and used by name, items
//! of the recorded mailbox are replaced by some that the scenario makes, what the ladder does anyway is left to it, contents
//! are replaced. Everything else is named as left out, with the reason. What is expected is what the recorded answer says
//! of these things: statuses, and values that the sequence itself has set.

mod answer;
mod asked;
mod cache;
mod draft;
mod file;
mod folders;
mod mailed;
mod make;
mod rewrite;
mod told;
mod wait;

use std::collections::BTreeMap;

use easrig_eas::{Command, Version};
use easrig_exchange::{Exchange, Response};
use easrig_wbxml::Element;

use crate::{Content, Decoded, decoded::empty_is_success, model::Verb};
use cache::{Cache, Form};
use draft::{Draft, Step};
pub use file::Authored;
use file::{OPTIONS, PROVISION, Rung};
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
    /// The exchanges that are in it.
    taken: Vec<u64>,
    left_out: Vec<(u64, String)>,
    unnamed: usize,
    version: Option<Version>,
    /// What was written in other versions.
    asides: BTreeMap<Version, Sheet>,
    cache: Cache,
    /// OPTIONS before the first step, which the ladder does.
    options: bool,
    /// Provision before the first step, which the ladder does.
    provision: bool,
    /// The last step is a Provision, whose second half is not another one.
    provisioning: bool,
}

/// What was written in one version of the protocol.
#[derive(Debug, Default)]
struct Sheet {
    draft: Draft,
    steps: String,
    commands: usize,
    taken: Vec<u64>,
}

impl Author {
    /// Takes the next exchange in; only those that are `chosen` become steps.
    pub fn look(&mut self, exchange: &Exchange, chosen: bool) {
        let decoded = Decoded::of(exchange);
        self.told.learn(&decoded);
        self.cache.learn(&decoded);
        if !chosen {
            return;
        }
        if let Some(version) = decoded.version.filter(|_| decoded.command().is_some()) {
            self.speak(version);
        }
        let (before, length) = (self.draft.clone(), self.steps.len());
        match self.take(exchange, &decoded) {
            Ok(()) => self.taken.push(exchange.number.0),
            Err(why) => {
                self.draft = before;
                self.steps.truncate(length);
                self.leave_out(exchange.number.0, why);
            }
        }
    }

    /// The file, once everything was looked at: in the version of the protocol that most steps have.
    pub fn finish(mut self) -> Authored {
        let best = self.asides.iter().max_by_key(|(_, sheet)| sheet.taken.len()).map(|(version, _)| *version);
        if let Some(best) = best.filter(|best| self.asides[best].taken.len() > self.taken.len()) {
            self.speak(best);
        }
        for (version, sheet) in std::mem::take(&mut self.asides) {
            for number in sheet.taken {
                self.leave_out(number, format!("it speaks {version}, most of the sequence another version"));
            }
        }
        self.left_out.sort_by_key(|(number, _)| *number);
        let ladder = match (self.commands, self.provision, self.options) {
            (0, true, _) => Some(Rung::Provision),
            (0, false, true) => Some(Rung::Options),
            _ => None,
        };
        Authored {
            version: self.version,
            draft: self.draft,
            steps: self.steps,
            commands: self.commands,
            left_out: self.left_out,
            unnamed: self.unnamed,
            ladder,
        }
    }

    fn leave_out(&mut self, number: u64, why: String) {
        if self.left_out.len() < MOST_NAMED {
            self.left_out.push((number, why));
        } else {
            self.unnamed += 1;
        }
    }

    /// From here on the device speaks this version; what was written in another one is laid aside.
    fn speak(&mut self, version: Version) {
        let Some(old) = self.version.replace(version).filter(|old| *old != version) else { return };
        let new = self.asides.remove(&version).unwrap_or_default();
        let laid_aside = Sheet {
            draft: std::mem::replace(&mut self.draft, new.draft),
            steps: std::mem::replace(&mut self.steps, new.steps),
            taken: std::mem::replace(&mut self.taken, new.taken),
            commands: std::mem::replace(&mut self.commands, new.commands),
        };
        self.asides.insert(old, laid_aside);
    }

    fn take(&mut self, exchange: &Exchange, decoded: &Decoded) -> Result<(), String> {
        let command = match decoded.verb {
            Some(Verb::Command(command)) => command,
            Some(Verb::Options) => return self.options(decoded),
            None => return Err("it is no ActiveSync command".to_owned()),
        };
        decoded.version.ok_or("it names no version")?;
        if command == Command::Provision {
            return self.provision();
        }
        self.provisioning = false;
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
        self.command(command, exchange, decoded, status)?;
        self.provisioning = false;
        self.commands += 1;
        Ok(())
    }

    fn command(
        &mut self,
        command: Command,
        exchange: &Exchange,
        decoded: &Decoded,
        status: Option<u16>,
    ) -> Result<(), String> {
        let number = status.unwrap_or(1);
        match command {
            Command::SendMail | Command::SmartReply | Command::SmartForward => {
                self.mailed(command, exchange, decoded, number)
            }
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
            | Command::ResolveRecipients
            | Command::ValidateCert => self.asked(command, decoded, status, exchange.started),
            Command::Provision => self.provision(),
        }
    }

    fn options(&mut self, decoded: &Decoded) -> Result<(), String> {
        if self.commands == 0 {
            self.options |= decoded.http == Some(200);
            return Err("OPTIONS is part of the ladder".to_owned());
        }
        if decoded.http != Some(200) {
            return Err(format!("it was not served ({})", decoded.words()));
        }
        self.steps.push_str(OPTIONS);
        self.commands += 1;
        Ok(())
    }

    fn provision(&mut self) -> Result<(), String> {
        if self.commands == 0 {
            self.provision = true;
            return Err("Provision is part of the ladder".to_owned());
        }
        if !self.provisioning {
            self.steps.push_str(PROVISION);
            self.provisioning = true;
            self.commands += 1;
        }
        Ok(())
    }

    fn sync(&mut self, decoded: &Decoded, status: u16) -> Result<(), String> {
        if cache::form(decoded) != Form::Whole {
            return self.repeated_sync(decoded, status);
        }
        let document = decoded.request.document().ok_or("its request cannot be read")?;
        let asked = document.root();
        let collections: Vec<_> = within(asked, &["Collections", "Collection"]).collect();
        if collections.is_empty() {
            return Err("it names no folder".to_owned());
        }
        if matches!(status, 3 | 12) {
            return self.refused_sync(asked, status);
        }
        let commands: Vec<_> = collections.iter().flat_map(|one| within(*one, &["Commands", "*"])).collect();
        // Changes are answered at once, whatever else is asked.
        if commands.is_empty() && cache::wait_s(asked).is_some() {
            return self.waiting_sync(document, decoded, status);
        }
        if other_device_won(decoded) {
            return Err("another device had changed the item in between".to_owned());
        }
        let adds = commands.iter().filter(|change| change.tag().name() == Some("Add")).count();
        let written = commands.iter().filter(|change| matches!(change.tag().name(), Some("Add" | "Change"))).count();
        let changes = commands.iter().any(|change| change.tag().name() != Some("Fetch"));
        self.draft.writes |= changes;
        let number = if changes { self.draft.fresh()? } else { 0 };
        let mut words = self.words(&format!("{{tag}} item {number}"), adds);
        words.changes = written;
        let document = self.rewritten(asked, &mut words)?;
        let mut step = Step::new("Sync", document.to_xml_pretty());
        // Which collection is the first of the answer is told only when there is one.
        step.status =
            (collections.len() == 1 || status == 1 || decoded.answer.root().is_some_and(own_status)).then_some(status);
        if !decoded.answer.root().is_some_and(own_status) {
            self.sync_answer(asked, document.root(), decoded, &words, &mut step);
        }
        self.push(&step);
        let seconds = cache::wait_s(asked).unwrap_or(0);
        self.draft.sync_in_mind = self.cache.sync().map(|kept| (kept.number, seconds));
        Ok(())
    }

    /// A Sync with a key that the server never gave; why it refused one of its own cannot be repeated.
    fn refused_sync(&mut self, asked: Element<'_>, status: u16) -> Result<(), String> {
        let collections: Vec<_> = within(asked, &["Collections", "Collection"]).collect();
        let [collection] = collections.as_slice() else { return Err(KEY_REFUSED.to_owned()) };
        let folder = rewrite::folder_of(*collection).unwrap_or_default();
        let key = value(*collection, "SyncKey").unwrap_or_default();
        let changes = within(*collection, &["Commands", "*"]).next().is_some();
        let mut words = self.words("", 0);
        words.wrong_key = self.is_wrong_key(&folder, &key, status == 3 && !changes && key != "0")?;
        let mut step = Step::new("Sync", self.rewritten(asked, &mut words)?.to_xml_pretty());
        step.status = Some(status);
        let word = self.folder(&folder)?;
        self.draft.keys.remove(&word);
        self.push(&step);
        Ok(())
    }

    fn words(&self, item: &str, adds: usize) -> Words {
        Words { item: item.to_owned(), adds, ..Words::default() }
    }

    fn push(&mut self, step: &Step) {
        // The server keeps the last request of a device in mind.
        if step.role.is_none() && step.command == "Sync" {
            self.draft.sync_in_mind = None;
        }
        step.write(&mut self.steps);
    }
}

/// Whether a change was refused since another device of the owner had changed the same item.
fn other_device_won(decoded: &Decoded) -> bool {
    let answers = decoded.answer.root().map(|root| within(root, &["Collections", "Collection", "Responses", "Change"]));
    answers.into_iter().flatten().any(|change| value(change, "Status").is_some_and(|status| status == "7"))
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

const NOT_RECORDED: &str = "it repeats a request that the recording does not have";

const FORGOTTEN: &str = "the server had forgotten the request that it repeats, which does not happen again by itself";

const KEY_REFUSED: &str = "a key that the server had given was refused, which does not happen again by itself";

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

#[cfg(test)]
mod tests;
