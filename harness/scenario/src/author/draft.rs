use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// How many things of its own a scenario makes at most.
const MOST_MADE: usize = 200;

/// What the scenario has made and saved so far, by what it is called in the recording.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    /// Folders that the scenario makes, by recorded id: their variables.
    pub(super) folders: BTreeMap<String, String>,
    /// Names of folders, by recorded name.
    pub(super) names: BTreeMap<String, String>,
    /// Items that the scenario has, by recorded folder and id.
    pub(super) items: BTreeMap<(String, String), Made>,
    /// Subjects, by recorded subject.
    pub(super) subjects: BTreeMap<String, String>,
    /// Variables of attachments, by recorded FileReference.
    pub(super) files: BTreeMap<String, String>,
    /// Variables of search hits, by recorded LongId.
    pub(super) hits: BTreeMap<String, String>,
    /// Variables of folders that have a key.
    pub(super) keys: BTreeSet<String>,
    /// Variables of folders to be removed at the end.
    pub(super) remains: Vec<String>,
    pub(super) number: usize,
    pub(super) foldered: bool,
    pub(super) partner: bool,
    pub(super) tablet: bool,
    /// Variables of folders that the tablet has a key of.
    pub(super) tablet_keys: BTreeSet<String>,
    /// Variables of conversations, by recorded ConversationId.
    pub(super) conversations: BTreeMap<String, Talk>,
    /// What scenarios write for the ClientId of a mail, by recorded ClientId.
    pub(super) clients: BTreeMap<String, String>,
    /// Recorded subjects of mail that the sequence itself sent, moved or deleted: it turns up somewhere.
    pub(super) travels: BTreeSet<String>,
    /// Those of them that a folder may have told of while the scenario read it to its end.
    pub(super) passed: BTreeSet<(String, String)>,
    /// Recorded ids of folders that the sequence removed.
    pub(super) gone: BTreeSet<String>,
    /// The request that the server has in mind, as far as the scenario goes: which one, and how long it waits.
    pub(super) sync_in_mind: Option<(u64, u32)>,
    pub(super) ping_in_mind: Option<(u64, u32)>,
    /// Requests that waited for nothing once.
    pub(super) idled: BTreeSet<(u64, &'static str)>,
    pub(super) writes: bool,
    pub(super) destroys: bool,
    /// The scenario switches the out-of-office answer on.
    pub(super) away: bool,
    /// Whether a search of the address list has to find somebody.
    pub(super) found_people: bool,
    /// The subject of the mail that a search has to find.
    pub(super) searched: Option<String>,
}

/// A conversation of the scenario.
#[derive(Clone, Debug)]
pub(super) struct Talk {
    /// The variable of its ConversationId.
    pub(super) variable: String,
    /// The subject of its only mail.
    pub(super) subject: String,
}

/// An item of the scenario.
#[derive(Clone, Debug)]
pub(super) struct Made {
    /// The variable of its ServerId.
    pub(super) variable: String,
    /// Its subject, as the scenario writes it.
    pub(super) subject: Option<String>,
    /// What the scenario has written into it, by place: the recorded value and its own.
    pub(super) fields: BTreeMap<String, (String, String)>,
    /// Whether the scenario moved it away from its folder, and the server has not told so yet.
    pub(super) left: bool,
    /// Whether the device knows it since it last began with the folder.
    pub(super) known: bool,
}

impl Draft {
    /// A fresh number for a thing that the scenario makes.
    pub(super) fn fresh(&mut self) -> Result<usize, String> {
        if self.number >= MOST_MADE {
            return Err(format!("the scenario would need more than {MOST_MADE} things of its own"));
        }
        self.number += 1;
        Ok(self.number)
    }

    pub(super) fn made(&self, folder: &str, id: &str) -> Option<&Made> {
        self.items.get(&(folder.to_owned(), id.to_owned()))
    }

    pub(super) fn made_mut(&mut self, folder: &str, id: &str) -> Option<&mut Made> {
        self.items.get_mut(&(folder.to_owned(), id.to_owned()))
    }

    /// The device begins afresh with a folder: everything in it is told again.
    pub(super) fn begin(&mut self, folder: &str) {
        self.items.iter_mut().filter(|((of, _), _)| of == folder).for_each(|(_, made)| made.known = false);
        self.passed.retain(|(of, _)| of != folder);
    }

    /// The scenario reads a folder to its end, for whatever is in it.
    pub(super) fn pass(&mut self, folder: &str) {
        let subjects = self.travels.iter().map(|subject| (folder.to_owned(), subject.clone()));
        self.passed.extend(subjects);
    }

    /// Everything that the scenario has in a folder is gone from it.
    pub(super) fn empty(&mut self, folder: &str) {
        self.items.iter_mut().filter(|((of, _), _)| of == folder).for_each(|(_, made)| made.left = true);
    }

    pub(super) fn bind(&mut self, folder: &str, id: &str, variable: &str, subject: Option<String>) {
        let made = Made { variable: variable.to_owned(), subject, fields: BTreeMap::new(), left: false, known: true };
        self.items.insert((folder.to_owned(), id.to_owned()), made);
    }
}

/// One step as it stands in the file.
#[derive(Debug, Default)]
pub(super) struct Step {
    pub(super) command: String,
    pub(super) title: Option<String>,
    /// Who acts, when it is not the phone.
    pub(super) role: Option<&'static str>,
    pub(super) body: Option<String>,
    /// Further lines: `mail`, `params`, `background` …
    pub(super) lines: Vec<String>,
    pub(super) setup: bool,
    pub(super) poll: Option<u32>,
    pub(super) judged: bool,
    /// The main Status.
    pub(super) status: Option<u16>,
    /// Another Status that conforms as well.
    pub(super) or_status: Option<u16>,
    pub(super) elements: Vec<String>,
}

impl Step {
    pub(super) fn new(command: impl Into<String>, body: impl Into<String>) -> Self {
        Self { command: command.into(), body: Some(body.into()), judged: true, ..Self::default() }
    }

    pub(super) fn without_body(command: impl Into<String>) -> Self {
        Self { command: command.into(), judged: true, ..Self::default() }
    }

    /// A request without a body.
    pub(super) fn empty(command: impl Into<String>) -> Self {
        Self { lines: vec!["empty = true".to_owned()], ..Self::without_body(command) }
    }

    /// A step that only prepares.
    pub(super) fn setup(mut self, title: &str) -> Self {
        self.setup = true;
        self.title = Some(title.to_owned());
        self
    }

    pub(super) fn write(&self, out: &mut String) {
        let _ = write!(out, "\n[[step]]\n");
        if let Some(title) = &self.title {
            let _ = writeln!(out, "title = \"{title}\"");
        }
        let _ = match self.command.strip_prefix('@') {
            Some(name) => writeln!(out, "await = \"{name}\""),
            None => writeln!(out, "send = \"{}\"", self.command),
        };
        if let Some(role) = self.role {
            let _ = writeln!(out, "role = \"{role}\"");
        }
        if let Some(body) = &self.body {
            let _ = writeln!(out, "body = '''\n{}\n'''", body.trim());
        }
        for line in &self.lines {
            let _ = writeln!(out, "{line}");
        }
        if let Some(seconds) = self.poll {
            let _ = writeln!(out, "poll_s = {seconds}");
        }
        if self.setup {
            out.push_str("setup = true\n");
        }
        if !self.judged {
            return;
        }
        out.push_str("[step.expect]\nhttp   = 200\n");
        let _ = match (self.status, self.or_status) {
            (None, _) => Ok(()),
            (Some(status), None) => writeln!(out, "status = {status}"),
            (Some(status), Some(other)) => writeln!(out, "status = [{status}, {other}]"),
        };
        if !self.elements.is_empty() {
            let _ = writeln!(out, "element = [\n  {},\n]", self.elements.join(",\n  "));
        }
    }
}
