use easrig_eas::Command;

use super::{
    Author, BUILT_IN, EVERYWHERE, KEY_REFUSED,
    draft::Step,
    told::{value, within},
};
use crate::Decoded;

/// The name is taken.
const NAME_TAKEN: u16 = 2;

/// The folder is one that every mailbox has.
const BUILT_IN_REFUSED: u16 = 3;

/// The folder is not there.
const NOT_THERE: u16 = 4;

/// The key is wrong.
const WRONG_KEY: u16 = 9;

impl Author {
    pub(super) fn folder_sync(&mut self, decoded: &Decoded, status: u16) -> Result<(), String> {
        let asked = decoded.request.root().ok_or("its request cannot be read")?;
        let is_first = value(asked, "SyncKey").is_none_or(|key| key == "0");
        let mut words = self.words("", 0);
        if !is_first && status != 1 {
            words.wrong_key =
                self.is_wrong_key("", &value(asked, "SyncKey").unwrap_or_default(), status == WRONG_KEY)?;
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
            for folder in within(answer, &["Changes", "Add"]) {
                let Some((id, name)) = value(folder, "ServerId").zip(value(folder, "DisplayName")) else { continue };
                let ours = self.draft.folders.get(&id).zip(self.draft.names.get(&name));
                if let Some((variable, shown)) = ours {
                    let place = format!("FolderSync/Changes/Add[ServerId={{{variable}}}]/DisplayName");
                    let test = format!("equals = \"{shown}\", say = \"the name of the folder\"");
                    step.elements.push(format!("{{ at = \"{place}\", {test} }}"));
                }
            }
        }
        self.push(&step);
        Ok(())
    }

    /// Whether a key is to be one that the server never gave, since it refused the recorded one.
    ///
    /// # Errors
    /// Why it refused the recorded one cannot be repeated.
    pub(super) fn is_wrong_key(&self, folder: &str, key: &str, refused: bool) -> Result<bool, String> {
        let can = refused && (!self.told.was_given(folder, key) || self.told.is_past(folder, key));
        if can { Ok(true) } else { Err(KEY_REFUSED.to_owned()) }
    }

    pub(super) fn folder_changed(&mut self, command: Command, decoded: &Decoded, status: u16) -> Result<(), String> {
        let asked = decoded.request.root().ok_or("its request cannot be read")?;
        let name = value(asked, "DisplayName");
        let target = value(asked, "ServerId");
        let is_built_in = |kind: &u16| BUILT_IN.iter().any(|(known, _)| known == kind);
        let on_built_in = target.as_ref().and_then(|id| self.told.kinds.get(id)).is_some_and(is_built_in);
        let mut words = self.words("", 0);
        match status {
            1 if on_built_in => return Err("it changes a folder that every mailbox has".to_owned()),
            1 => {}
            NAME_TAKEN => self.take_name(name.as_deref())?,
            // On a server that does not refuse it costs the owner's folder.
            BUILT_IN_REFUSED if on_built_in => self.draft.destroys = true,
            NOT_THERE if target.as_ref().is_some_and(|id| self.draft.gone.contains(id)) => {}
            WRONG_KEY => {
                let key = value(asked, "SyncKey").unwrap_or_default();
                words.wrong_key = self.is_wrong_key("", &key, true)?;
            }
            _ => return Err("it was refused for what only the recorded mailbox has".to_owned()),
        }
        self.draft.writes = true;
        let number = self.draft.fresh()?;
        // The folder itself first: it may be one that brings its name with it.
        target.as_ref().map(|id| self.folder(id)).transpose()?;
        let known = name.as_ref().and_then(|name| self.draft.names.get(name)).cloned();
        let shown = known.unwrap_or_else(|| format!("{{tag}} folder {number}"));
        words.item.clone_from(&shown);
        let body = self.rewritten(asked, &mut words)?.to_xml_pretty();
        let mut step = Step::new(command.name(), body);
        step.status = Some(status);
        if status == 1 {
            let at = format!("{}/SyncKey", command.name());
            step.elements.push(format!("{{ at = \"{at}\", not = \"{{folder_key}}\", save = \"folder_key\" }}"));
            if let Some(name) = name {
                self.draft.names.insert(name, shown);
            }
            self.folder_done(command, decoded, target, number, &mut step);
        }
        self.push(&step);
        Ok(())
    }

    /// A folder of the owner that has the name already.
    fn take_name(&mut self, name: Option<&str>) -> Result<(), String> {
        let Some(name) = name.filter(|name| !self.draft.names.contains_key(*name)) else { return Ok(()) };
        let own = self.told.names.iter().find(|(_, told)| *told == name).map(|(id, _)| id.clone());
        let own = own.ok_or("it was refused for what only the recorded mailbox has")?;
        // The names of the folders that every mailbox has are in the owner's language, and not the scenario's to use.
        match self.told.kinds.get(&own) {
            Some(1 | 12..=17) => self.folder(&own).map(drop),
            _ => Err("it gives a folder the name of one that every mailbox has".to_owned()),
        }
    }

    fn folder_done(
        &mut self,
        command: Command,
        decoded: &Decoded,
        target: Option<String>,
        number: usize,
        step: &mut Step,
    ) {
        match (command, decoded.answer.root().and_then(|root| value(root, "ServerId")), target) {
            (Command::FolderCreate, Some(id), _) => {
                let variable = format!("folder_{number}");
                step.elements.push(format!("{{ at = \"FolderCreate/ServerId\", save = \"{variable}\" }}"));
                self.draft.remains.insert(0, variable.clone());
                self.draft.folders.insert(id, variable);
            }
            (Command::FolderDelete, _, Some(id)) => {
                let variable = self.draft.folders.get(&id).cloned();
                self.draft.remains.retain(|folder| Some(folder) != variable.as_ref());
                self.draft.names.retain(|name, _| self.told.names.get(&id) != Some(name));
                self.draft.gone.insert(id);
            }
            _ => {}
        }
    }
}
