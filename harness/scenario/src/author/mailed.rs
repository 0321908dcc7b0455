use easrig_eas::Command;
use easrig_exchange::Exchange;

use super::{
    Author,
    draft::Step,
    told::{named, value},
};
use crate::{Content, Decoded};

/// The mail was sent before.
const DUPLICATE: u16 = 118;

/// The mail that is answered or forwarded is not there.
const NO_ORIGINAL: u16 = 150;

impl Author {
    /// A mail with other contents: to the owner, whose mailbox is the only one that is sure to be there.
    pub(super) fn mailed(
        &mut self,
        command: Command,
        exchange: &Exchange,
        decoded: &Decoded,
        status: u16,
    ) -> Result<(), String> {
        let root = decoded.request.root();
        let client = root.and_then(|root| value(root, "ClientId"));
        let known = client.as_ref().and_then(|client| self.draft.clients.get(client)).cloned();
        let mut step = Step::without_body(command.name());
        let original = if command == Command::SendMail { None } else { Some(self.original(decoded)?) };
        let is_understood = match status {
            1 => matches!(decoded.answer, Content::Empty),
            DUPLICATE => known.is_some(),
            NO_ORIGINAL => original.as_ref().is_some_and(|original| original.left),
            _ => false,
        };
        if !is_understood {
            return Err("it was refused for what was in it".to_owned());
        }
        self.draft.writes = true;
        let number = self.draft.fresh()?;
        let subject = format!("{{tag}} mail {number}");
        let opaque = root.and_then(|root| named(root, "Mime")).map(|mime| mime.bytes().into_owned());
        let mime = opaque.unwrap_or_else(|| if root.is_none() { exchange.request.body.clone() } else { Vec::new() });
        let more = forms_of(&mime);
        step.lines
            .push(format!("mail = {{ to = \"{{address}}\", subject = \"{subject}\", text = \"Recorded.\"{more} }}"));
        if let Some(original) = original {
            step.lines.push(original.line);
        }
        if root.is_some_and(|root| named(root, "ReplaceMime").is_some()) {
            step.lines.push("replace_mime = true".to_owned());
        }
        if let Some(client) = client {
            let name = known.unwrap_or_else(|| format!("{{tag}}-mail-{number}"));
            step.lines.push(format!("client_id = \"{name}\""));
            self.draft.clients.insert(client, name);
        }
        let kept = match root {
            Some(root) => named(root, "SaveInSentItems").is_some(),
            None => decoded.query.as_ref().and_then(|query| query.save_in_sent).unwrap_or(false),
        };
        step.lines.push(format!("save_in_sent = {kept}"));
        step.status = Some(status);
        if let Some(told) = subject_of(&mime).filter(|_| status == 1) {
            self.draft.travels.insert(told.clone());
            self.draft.subjects.insert(told, subject);
        }
        self.push(&step);
        Ok(())
    }

    /// The mail that is answered or forwarded.
    fn original(&mut self, decoded: &Decoded) -> Result<Original, String> {
        let source = decoded.request.root().and_then(|root| named(root, "Source"));
        let query = decoded.query.as_ref();
        let said = |name: &str| source.and_then(|source| value(source, name));
        let folder = said("FolderId").or_else(|| query.and_then(|query| query.collection_id.clone()));
        let item = said("ItemId").or_else(|| query.and_then(|query| query.item_id.clone()));
        let hit = said("LongId").or_else(|| query.and_then(|query| query.long_id.clone()));
        let occurrence = said("InstanceId").or_else(|| query.and_then(|query| query.occurrence.clone()));
        if occurrence.is_some_and(|occurrence| !occurrence.is_empty()) {
            return Err("it is about one occurrence of a series of the recorded mailbox".to_owned());
        }
        match (folder.zip(item), hit) {
            (Some((folder, item)), _) => {
                let variable = self.item(&folder, &item)?;
                let left = self.draft.made(&folder, &item).is_some_and(|made| made.left);
                let folder = self.folder(&folder)?;
                let line = format!("source = {{ folder = \"{{{folder}}}\", item = \"{{{variable}}}\" }}");
                Ok(Original { line, left })
            }
            (None, Some(hit)) => {
                let variable = self.hit(&hit)?;
                Ok(Original { line: format!("source = {{ long_id = \"{{{variable}}}\" }}"), left: false })
            }
            _ => Err("it does not name its original".to_owned()),
        }
    }
}

struct Original {
    line: String,
    /// Whether the sequence has moved or deleted it.
    left: bool,
}

/// What a message consists of besides its text, as a scenario writes it.
fn forms_of(mime: &[u8]) -> String {
    let text = String::from_utf8_lossy(mime.get(..mime.len().min(MIME_READ)).unwrap_or_default()).to_ascii_lowercase();
    let has = |header: &str, value: &str| {
        text.lines().filter_map(|line| line.strip_prefix(header)).any(|rest| rest.trim_start().starts_with(value))
    };
    let html = if has("content-type:", "text/html") { ", html = \"<p>Recorded.</p>\"" } else { "" };
    let file = match has("content-disposition:", "attachment") {
        true => ", attachment = { name = \"recorded.bin\", size = 2048 }",
        false => "",
    };
    format!("{html}{file}")
}

/// The subject of a mail, when it stands there as it is.
fn subject_of(mime: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(mime.get(..mime.len().min(SUBJECT_READ))?).into_owned();
    let mut lines = text.lines().take_while(|line| !line.is_empty());
    let subject = lines.find_map(|line| line.strip_prefix("Subject:"))?.trim();
    (!subject.is_empty() && !subject.starts_with("=?")).then(|| subject.to_owned())
}

/// How much of a message is looked at for its parts, in bytes.
const MIME_READ: usize = 1 << 20;

/// How much of a message is looked at for its subject, in bytes.
const SUBJECT_READ: usize = 8192;
