use easrig_wbxml::{Document, Element};

use super::{
    Author, FORGOTTEN, NOT_RECORDED,
    cache::{Form, Kept, again, form, shortened, wait_s},
    draft::Step,
    make::keeps,
    rewrite::folder_of,
    told::{value, within},
};
use crate::Decoded;

/// The longest that a scenario waits for nothing, in seconds: servers take no shorter wait for granted.
const LONGEST_S: u32 = 60;

/// Of each request only the first wait for nothing is kept, or the scenario would take as long as the recording.
const IDLE_AGAIN: &str = "it waits for nothing once more";

/// The wait ended with something that the scenario cannot make happen.
const FOREIGN_NEWS: &str = "it waits for what only happened to the recorded mailbox";

impl Author {
    /// Ping: one that was woken waits in the background for something new; one that was refused is refused again.
    pub(super) fn ping(&mut self, decoded: &Decoded, status: u16) -> Result<(), String> {
        let form = form(decoded);
        let kept = self.cache.ping().cloned().ok_or(NOT_RECORDED)?;
        let root = kept.document.root();
        let waited = folders_of_ping(root);
        match status {
            1 => {
                self.settle_all(&waited)?;
                self.remember_ping(form, &kept, &waited, Some(LONGEST_S))?;
                if !self.draft.idled.insert((kept.number, form.name())) {
                    return Err(IDLE_AGAIN.to_owned());
                }
                let (mut step, seconds) = self.ping_step(form, decoded, &kept, Some(LONGEST_S))?;
                step.lines.push(format!("timeout_s = {}", seconds.saturating_add(30)));
                step.status = Some(1);
                // A server may want longer waits than this one, and say so.
                step.or_status = (interval(root) > seconds).then_some(5);
                self.push(&step);
                self.draft.ping_in_mind = Some((kept.number, seconds));
            }
            2 => {
                let said = decoded.answer.root().map(|root| within(root, &["Folders", "Folder"]).collect::<Vec<_>>());
                let folders = said.unwrap_or_default().into_iter().map(crate::difference::owned_value);
                let (folder, word) = self.place_of_news(folders)?;
                self.settle_all(&waited)?;
                self.remember_ping(form, &kept, &waited, None)?;
                let (step, seconds) = self.ping_step(form, decoded, &kept, None)?;
                let element = format!(
                    "{{ at = \"Ping/Folders[Folder={{{word}}}]\", say = \"the folder with news among those named\" }}"
                );
                self.woken(step, seconds, (&folder, &word), 2, vec![element])?;
                self.draft.ping_in_mind = Some((kept.number, seconds));
            }
            3 if form != Form::Whole => return Err(FORGOTTEN.to_owned()),
            7 => return Err("the folder list had changed meanwhile".to_owned()),
            8 => return Err("the server failed, which does not happen again by itself".to_owned()),
            _ => {
                self.remember_ping(form, &kept, &waited, None)?;
                let (mut step, _) = self.ping_step(form, decoded, &kept, None)?;
                step.status = Some(status);
                let bound = if status == 5 { "HeartbeatInterval" } else { "MaxFolders" };
                if matches!(status, 5 | 6) && decoded.answer.root().is_some_and(|root| value(root, bound).is_some()) {
                    step.elements.push(format!("{{ at = \"Ping/{bound}\", type = \"integer\", say = \"the bound\" }}"));
                }
                self.push(&step);
                self.draft.ping_in_mind = None;
            }
        }
        Ok(())
    }

    /// The step of a Ping in its recorded form, and for how long the server is asked to wait.
    fn ping_step(
        &mut self,
        form: Form,
        decoded: &Decoded,
        kept: &Kept,
        most: Option<u32>,
    ) -> Result<(Step, u32), String> {
        let most = most.unwrap_or(u32::MAX);
        let sent = decoded.request.root().filter(|_| form != Form::Empty);
        let own = sent.and_then(|root| value(root, "HeartbeatInterval")).is_some();
        let in_mind = self.draft.ping_in_mind.map(|(_, seconds)| seconds).filter(|_| form != Form::Whole && !own);
        let seconds = in_mind.unwrap_or_else(|| interval(kept.document.root()).min(most));
        let Some(root) = sent else { return Ok((Step::empty("Ping"), seconds)) };
        let body = self.rewritten(shortened(root, most).root(), &mut self.words("", 0))?.to_xml_pretty();
        Ok((Step::new("Ping", body), seconds))
    }

    /// What a Ping that is not whole is completed from has to be in the server's mind; `most` bounds how long it waits.
    fn remember_ping(&mut self, form: Form, kept: &Kept, folders: &[String], most: Option<u32>) -> Result<(), String> {
        let most = most.unwrap_or(u32::MAX);
        if form == Form::Whole || self.draft.ping_in_mind.is_some_and(|(n, s)| n == kept.number && s <= most) {
            return Ok(());
        }
        let document = shortened(kept.document.root(), LONGEST_S);
        let body = self.rewritten(document.root(), &mut self.words("", 0))?.to_xml_pretty();
        let mut step = Step::new("Ping", body);
        step.lines.push(format!("timeout_s = {}", LONGEST_S + 30));
        step.status = Some(1);
        self.push(&step.setup("the phone waits, and the server keeps in mind for what"));
        self.draft.ping_in_mind = Some((kept.number, interval(document.root())));
        self.settle_all(folders)
    }

    /// A Sync that waits, with everything said.
    pub(super) fn waiting_sync(&mut self, asked: &Document, decoded: &Decoded, status: u16) -> Result<(), String> {
        let root = asked.root();
        if status != 1 {
            let body = self.rewritten(root, &mut self.words("", 0))?.to_xml_pretty();
            self.refused_wait(Step::new("Sync", body), decoded, status);
            return Ok(());
        }
        let folders = folders_of_sync(root);
        match self.news(decoded)? {
            None => {
                let kept = self.cache.sync().cloned().ok_or(NOT_RECORDED)?;
                if !self.draft.idled.insert((kept.number, Form::Whole.name())) {
                    return Err(IDLE_AGAIN.to_owned());
                }
                self.settle_as(root)?;
                let seconds = wait_s(root).unwrap_or(0).min(LONGEST_S);
                let body = self.rewritten(shortened(root, LONGEST_S).root(), &mut self.words("", 0))?.to_xml_pretty();
                self.idle(Step::new("Sync", body), &folders, seconds);
                self.draft.sync_in_mind = Some((kept.number, seconds));
            }
            Some((folder, word)) => {
                self.settle_as(root)?;
                let body = self.rewritten(root, &mut self.words("", 0))?.to_xml_pretty();
                let seconds = wait_s(root).unwrap_or(0);
                let elements = self.told_to_sync(&folders, &word);
                self.woken(Step::new("Sync", body), seconds, (&folder, &word), 1, elements)?;
                self.draft.sync_in_mind = self.cache.sync().map(|kept| (kept.number, seconds));
            }
        }
        Ok(())
    }

    /// A Sync without a body, or with what is other than before.
    pub(super) fn repeated_sync(&mut self, decoded: &Decoded, status: u16) -> Result<(), String> {
        let form = form(decoded);
        let meant = self.cache.sync().cloned().ok_or(NOT_RECORDED)?;
        let before = self.cache.sync_before(form).cloned().ok_or(NOT_RECORDED)?;
        let repeated = again(meant.document.root(), u32::MAX);
        let root = repeated.root();
        let folders = folders_of_sync(root);
        let waits = wait_s(root);
        if status == 13 {
            return Err(FORGOTTEN.to_owned());
        }
        let news = if waits.is_some() && status == 1 { self.news(decoded)? } else { None };
        let is_idle = waits.is_some() && status == 1 && news.is_none();
        if is_idle && !self.draft.idled.insert((meant.number, form.name())) {
            return Err(IDLE_AGAIN.to_owned());
        }
        let own_wait = decoded.request.root().and_then(wait_s).is_some();
        self.remember_sync(&before, (is_idle && !own_wait).then_some(LONGEST_S))?;
        let in_mind = self.draft.sync_in_mind.map_or(0, |(_, seconds)| seconds);
        let most = if is_idle { LONGEST_S } else { u32::MAX };
        let seconds = if own_wait { waits.unwrap_or(0).min(most) } else { in_mind };
        let mut step = match decoded.request.root().filter(|_| form == Form::Part) {
            Some(part) => {
                let mut words = self.words("", 0);
                Step::new("Sync", self.rewritten(shortened(part, most).root(), &mut words)?.to_xml_pretty())
            }
            None => Step::empty("Sync"),
        };
        // Nothing may stand between the two: the server keeps the last request in mind.
        if self.draft.sync_in_mind.map(|(number, _)| number) != Some(before.number) {
            return Err("what it leaves out cannot be brought to the server's mind".to_owned());
        }
        match news {
            _ if waits.is_some() && status != 1 => self.refused_wait(step, decoded, status),
            Some((folder, word)) => {
                let elements = self.told_to_sync(&folders, &word);
                self.woken(step, seconds, (&folder, &word), 1, elements)?;
            }
            None if is_idle => self.idle(step, &folders, seconds),
            None => {
                step.status = Some(status);
                self.sync_answer(root, root, decoded, &self.words("", 0), &mut step);
                self.push(&step);
            }
        }
        self.draft.sync_in_mind = Some((meant.number, seconds));
        Ok(())
    }

    /// Brings a request to the server's mind, unless it is the last one that the scenario sends anyway.
    fn remember_sync(&mut self, kept: &Kept, most: Option<u32>) -> Result<(), String> {
        let most = most.unwrap_or(u32::MAX);
        if self.draft.sync_in_mind.is_some_and(|(number, seconds)| number == kept.number && seconds <= most) {
            return Ok(());
        }
        let document = again(kept.document.root(), LONGEST_S);
        let root = document.root();
        self.settle_as(root)?;
        let seconds = wait_s(root).unwrap_or(0);
        let body = self.rewritten(root, &mut self.words("", 0))?.to_xml_pretty();
        let mut step = Step::new("Sync", body);
        if seconds > 0 {
            step.lines.push(format!("timeout_s = {}", seconds.saturating_add(30)));
        }
        step.status = Some(1);
        step.elements = self.keeps_of(&folders_of_sync(root));
        self.push(&step.setup("the server is told what later requests leave out"));
        self.draft.sync_in_mind = Some((kept.number, seconds));
        Ok(())
    }

    fn refused_wait(&mut self, mut step: Step, decoded: &Decoded, status: u16) {
        step.status = Some(status);
        if matches!(status, 14 | 15) && decoded.answer.root().is_some_and(|root| value(root, "Limit").is_some()) {
            step.elements.push("{ at = \"Sync/Limit\", type = \"integer\", say = \"the bound\" }".to_owned());
        }
        self.push(&step);
    }

    fn idle(&mut self, mut step: Step, folders: &[String], seconds: u32) {
        step.lines.push(format!("timeout_s = {}", seconds.saturating_add(30)));
        step.status = Some(1);
        step.elements = self.keeps_of(folders);
        self.push(&step);
    }

    fn keeps_of(&mut self, folders: &[String]) -> Vec<String> {
        folders.iter().filter_map(|folder| self.folder(folder).ok()).map(|word| keeps(&word)).collect()
    }

    fn told_to_sync(&mut self, folders: &[String], word: &str) -> Vec<String> {
        let mut elements = self.keeps_of(folders);
        elements.push(format!(
            "{{ at = \"Sync/Collections/Collection[CollectionId={{{word}}}]/Commands/Add\", say = \"the new item\" }}"
        ));
        elements
    }

    /// The folder in which a wait was answered with something new, when it was.
    fn news(&mut self, decoded: &Decoded) -> Result<Option<(String, String)>, String> {
        let said = decoded.answer.root().map(|root| within(root, &["Collections", "Collection"]).collect::<Vec<_>>());
        let said = said.unwrap_or_default();
        let is_told = |one: &Element<'_>| within(*one, &["Commands", "*"]).next().is_some();
        if !said.iter().any(is_told) {
            return Ok(None);
        }
        let is_new = |one: &Element<'_>| within(*one, &["Commands", "Add"]).next().is_some();
        let folders: Vec<_> = said.into_iter().filter(is_new).filter_map(folder_of).collect();
        self.place_of_news(folders.into_iter()).map(Some)
    }

    /// The first of the folders in which the scenario can make something happen: its recorded id and its variable.
    fn place_of_news(&mut self, folders: impl Iterator<Item = String>) -> Result<(String, String), String> {
        let can = |kind: Option<&u16>| matches!(kind, Some(2 | 5 | 7 | 8 | 9 | 10));
        let mut folders: Vec<_> = folders.filter(|id| can(self.told.kinds.get(id))).collect();
        // Mail is what happens most, and needs no second device.
        folders.sort_by_key(|id| !matches!(self.told.kinds.get(id), Some(2 | 5)));
        let folder = folders.into_iter().next().ok_or(FOREIGN_NEWS)?;
        let word = self.folder(&folder)?;
        Ok((folder, word))
    }

    fn settle_all(&mut self, folders: &[String]) -> Result<(), String> {
        for folder in folders {
            let word = self.folder(folder)?;
            self.settle(&word, folder);
        }
        Ok(())
    }

    /// Synchronises the folders of a request to their end, asking for the same as it does.
    fn settle_as(&mut self, root: Element<'_>) -> Result<(), String> {
        let document = again(root, 0);
        let body = self.rewritten(document.root(), &mut self.words("", 0))?.to_xml_pretty();
        let mut step = Step::new("Sync", body);
        let folders = folders_of_sync(root);
        folders.iter().for_each(|folder| self.draft.pass(folder));
        step.elements = self.keeps_of(&folders);
        step.elements.push("{ at = \"**/MoreAvailable\", absent = true }".to_owned());
        step.poll = Some(LONGEST_S);
        self.push(&step.setup("what is there already is read to its end"));
        Ok(())
    }

    /// The request waits in the background, something happens, and it is answered.
    fn woken(
        &mut self,
        mut step: Step,
        seconds: u32,
        (folder, word): (&str, &str),
        status: u16,
        elements: Vec<String>,
    ) -> Result<(), String> {
        let name = format!("waiting_{}", self.steps.len());
        step.judged = false;
        step.lines.push(format!("timeout_s = {}", seconds.saturating_add(30).clamp(60, 3600)));
        step.lines.push(format!("background = \"{name}\""));
        let kind = self.told.kinds.get(folder).copied().unwrap_or_default();
        // The second device has to know the folder before the wait begins.
        if !matches!(kind, 2 | 5) {
            self.tablet_opens(word, folder);
        }
        self.push(&step);
        let subject = format!("{{tag}} wakes {}", self.draft.fresh()?);
        match kind {
            2 => self.send(&subject, false, false),
            5 => self.send_and_keep(&subject),
            _ => self.tablet_adds(word, folder, &subject)?,
        }
        let mut step = Step::without_body(format!("@{name}"));
        step.status = Some(status);
        step.elements = elements;
        self.push(&step);
        Ok(())
    }
}

fn interval(root: Element<'_>) -> u32 {
    value(root, "HeartbeatInterval").and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn folders_of_ping(root: Element<'_>) -> Vec<String> {
    within(root, &["Folders", "Folder"]).filter_map(|one| value(one, "Id")).collect()
}

fn folders_of_sync(root: Element<'_>) -> Vec<String> {
    within(root, &["Collections", "Collection"]).filter_map(folder_of).collect()
}
