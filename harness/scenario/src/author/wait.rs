use easrig_wbxml::{Document, Element};

use super::{
    Author,
    draft::Step,
    rewrite::folder_of,
    told::{value, within},
};
use crate::Decoded;

/// The longest that a scenario waits for nothing, in seconds.
const LONGEST_S: u32 = 60;

impl Author {
    /// Ping: one that was woken waits in the background for a mail; one that was refused is refused again.
    pub(super) fn ping(&mut self, decoded: &Decoded, status: u16) -> Result<(), String> {
        if let Some(document) = decoded.request.document() {
            self.last_ping = Some(document.clone());
        }
        let asked = self.last_ping.clone().ok_or("it repeats a request that the recording does not have")?;
        let seconds = value(asked.root(), "HeartbeatInterval").and_then(|text| text.parse::<u32>().ok());
        let body = self.rewritten(asked.root(), &mut self.words("", 0))?.to_xml_pretty();
        match status {
            1 if seconds.is_some_and(|seconds| seconds <= LONGEST_S) => {
                let mut step = Step::new("Ping", body);
                step.lines.push(format!("timeout_s = {}", LONGEST_S + 30));
                step.status = Some(1);
                self.push(&step);
            }
            1 => return Err(format!("it waits longer than {LONGEST_S} s for nothing to happen")),
            2 => {
                let said = decoded.answer.root().map(|root| within(root, &["Folders", "Folder"]).collect::<Vec<_>>());
                let folders = said.unwrap_or_default().into_iter().map(crate::difference::owned_value);
                self.inbox_of(folders)?;
                let waited =
                    within(asked.root(), &["Folders", "Folder"]).filter_map(|one| value(one, "Id")).collect::<Vec<_>>();
                let element =
                    "{ at = \"Ping/Folders[Folder={inbox}]\", say = \"the inbox among the folders with news\" }";
                self.woken("Ping", &body, &waited, seconds.unwrap_or(0), 2, vec![element.to_owned()]);
            }
            _ => {
                let mut step = Step::new("Ping", body);
                step.status = Some(status);
                let bound = if status == 5 { "HeartbeatInterval" } else { "MaxFolders" };
                if matches!(status, 5 | 6) && decoded.answer.root().is_some_and(|root| value(root, bound).is_some()) {
                    step.elements.push(format!("{{ at = \"Ping/{bound}\", type = \"integer\", say = \"the bound\" }}"));
                }
                self.push(&step);
            }
        }
        Ok(())
    }

    /// A Sync that waits.
    pub(super) fn waiting_sync(&mut self, asked: &Document, decoded: &Decoded, status: u16) -> Result<(), String> {
        let root = asked.root();
        let number = |name: &str| value(root, name).and_then(|text| text.parse::<u32>().ok());
        let seconds = number("HeartbeatInterval").or_else(|| number("Wait").map(|minutes| minutes.saturating_mul(60)));
        if status != 1 {
            let body = self.rewritten(root, &mut self.words("", 0))?.to_xml_pretty();
            let mut step = Step::new("Sync", body);
            step.status = Some(status);
            if matches!(status, 14 | 15) && decoded.answer.root().is_some_and(|root| value(root, "Limit").is_some()) {
                step.elements.push("{ at = \"Sync/Limit\", type = \"integer\", say = \"the bound\" }".to_owned());
            }
            self.push(&step);
            return Ok(());
        }
        if within(root, &["Collections", "Collection"]).any(|one| within(one, &["Commands", "*"]).next().is_some()) {
            return Err("it changes items and waits at once".to_owned());
        }
        let said = decoded.answer.root().map(|root| within(root, &["Collections", "Collection"]).collect::<Vec<_>>());
        let is_told = |one: &Element<'_>| within(*one, &["Commands", "Add"]).next().is_some();
        let folders = said.unwrap_or_default().into_iter().filter(is_told).filter_map(folder_of);
        self.inbox_of(folders)?;
        let waited: Vec<_> = within(root, &["Collections", "Collection"]).filter_map(folder_of).collect();
        let body = self.rewritten(root, &mut self.words("", 0))?.to_xml_pretty();
        let add = "{ at = \"Sync/Collections/Collection[CollectionId={inbox}]/Commands/Add\", say = \"the new mail\" }";
        let elements = vec![super::make::keeps("inbox"), add.to_owned()];
        self.woken("Sync", &body, &waited, seconds.unwrap_or(0), 1, elements);
        Ok(())
    }

    /// The inbox, when the news were there: a mail is what a scenario can make happen.
    fn inbox_of(&self, mut folders: impl Iterator<Item = String>) -> Result<(), String> {
        match folders.any(|id| self.told.kinds.get(&id) == Some(&2)) {
            true => Ok(()),
            false => Err("it waits for what only happened to the recorded mailbox".to_owned()),
        }
    }

    /// The request waits in the background, a mail comes, and it is answered.
    fn woken(
        &mut self,
        command: &str,
        body: &str,
        folders: &[String],
        seconds: u32,
        status: u16,
        elements: Vec<String>,
    ) {
        for folder in folders {
            let Ok(word) = self.folder(folder) else { continue };
            self.settle(&word, folder);
        }
        let name = format!("waiting_{}", self.steps.len());
        let mut step = Step::new(command, body);
        step.judged = false;
        step.lines = vec![
            format!("timeout_s = {}", seconds.saturating_add(30).clamp(60, 3600)),
            format!("background = \"{name}\""),
        ];
        self.push(&step);
        self.send(&format!("{{tag}} wakes {}", self.draft.number), false, false);
        let mut step = Step::without_body(format!("@{name}"));
        step.status = Some(status);
        step.elements = elements;
        self.push(&step);
    }
}
