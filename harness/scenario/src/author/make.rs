use easrig_eas::Version;

use super::{Author, BUILT_IN, draft::Step};

impl Author {
    /// The variable of a recorded folder.
    pub(super) fn folder(&mut self, id: &str) -> Result<String, String> {
        if let Some(made) = self.draft.folders.get(id) {
            return Ok(made.clone());
        }
        let kind = self.told.kinds.get(id).ok_or("it is about a folder that the recording does not tell of")?;
        let word = BUILT_IN.iter().find(|(known, _)| known == kind).map(|(_, word)| (*word).to_owned());
        let word = word.ok_or("it is about a folder that the owner made, and that the sequence does not make")?;
        self.draft.foldered = true;
        Ok(word)
    }

    /// The key of a folder; one that has none yet is synchronised first.
    pub(super) fn key_of(&mut self, folder: &str) -> Result<String, String> {
        let word = self.folder(folder)?;
        self.prime(&word, folder);
        Ok(format!("{{{}}}", key(&word)))
    }

    /// The variable of a recorded item; one that the scenario does not have yet is made.
    pub(super) fn item(&mut self, folder: &str, id: &str) -> Result<String, String> {
        if let Some(made) = self.draft.made(folder, id) {
            return Ok(made.variable.clone());
        }
        if folder.is_empty() {
            return Err("it names an item without its folder".to_owned());
        }
        let fact = self.told.item_of(folder, id).cloned();
        let fact = fact.ok_or("it names an item that the recording does not tell of")?;
        let word = self.folder(folder)?;
        let number = self.draft.fresh()?;
        let (variable, subject) = (format!("item_{number}"), format!("{{tag}} item {number}"));
        self.draft.writes = true;
        match self.kind_of(folder) {
            8 | 13 => self.event(&word, folder, &variable, &subject)?,
            9 | 14 => self.contact(&word, folder, &variable, &subject),
            2..=6 | 1 | 12 => self.mail(&word, folder, number, &fact)?,
            _ => return Err("it names a task or a note of the recorded mailbox".to_owned()),
        }
        let has_subject = !matches!(self.kind_of(folder), 9 | 14);
        if let Some(told) = fact.subject.filter(|told| has_subject && !self.told.is_common(told)) {
            self.draft.subjects.insert(told, subject.clone());
        }
        self.draft.bind(folder, id, &variable, has_subject.then_some(subject));
        Ok(variable)
    }

    /// The variable of a recorded attachment; its mail is made when the scenario has none.
    pub(super) fn attachment(&mut self, file: &str) -> Result<String, String> {
        if let Some(name) = self.draft.files.get(file) {
            return Ok(name.clone());
        }
        let owner = self.told.owner_of(file).cloned();
        let (folder, id) = owner.ok_or("it names a file that the recording does not tell of")?;
        self.item(&folder, &id)?;
        self.draft
            .files
            .get(file)
            .cloned()
            .ok_or_else(|| "it names a file of a mail that is no longer there".to_owned())
    }

    fn kind_of(&self, folder: &str) -> u16 {
        // A folder that the sequence makes holds mail, unless the recording says otherwise.
        self.told.kinds.get(folder).copied().unwrap_or(12)
    }

    /// The first synchronisation of a folder whose earlier keys are not part of the sequence.
    pub(super) fn prime(&mut self, word: &str, folder: &str) {
        if !self.draft.keys.insert(word.to_owned()) {
            return;
        }
        let mut step = Step::new("Sync", self.collection(word, folder, "0", ""));
        step.status = Some(1);
        step.elements.push(saves(word));
        self.push(&step.setup("the folder is synchronised for the first time"));
    }

    /// A Sync of one folder, with more inside its collection.
    fn collection(&self, word: &str, folder: &str, key: &str, more: &str) -> String {
        let class = match (self.version, self.kind_of(folder)) {
            (Some(version), _) if version > Version::V12_1 => "",
            (_, 8 | 13) => "<Class>Calendar</Class>",
            (_, 9 | 14) => "<Class>Contacts</Class>",
            (_, 7 | 15) => "<Class>Tasks</Class>",
            _ => "<Class>Email</Class>",
        };
        format!(
            "<Sync xmlns=\"AirSync\"><Collections><Collection>{class}\n  <SyncKey>{key}</SyncKey>\n  \
             <CollectionId>{{{word}}}</CollectionId>\n{more}</Collection></Collections></Sync>"
        )
    }

    /// A mail from the owner to themselves, or an invitation from the partner, found in its folder.
    fn mail(&mut self, word: &str, folder: &str, number: usize, fact: &super::told::Fact) -> Result<(), String> {
        let (variable, subject) = (format!("item_{number}"), format!("{{tag}} item {number}"));
        self.send(&subject, !fact.files.is_empty(), fact.invitation);
        let inbox = self.told.kinds.iter().find(|(_, kind)| **kind == 2).map(|(id, _)| id.clone());
        let inbox = inbox.ok_or("the recording does not tell of the inbox")?;
        self.draft.foldered = true;
        self.prime("inbox", &inbox);
        self.find("inbox", &inbox, &variable, &subject, if word == "inbox" { &fact.files } else { &[] });
        if word != "inbox" {
            let body = format!(
                "<MoveItems xmlns=\"Move\"><Move><SrcMsgId>{{{variable}}}</SrcMsgId><SrcFldId>{{inbox}}</SrcFldId>\
                 <DstFldId>{{{word}}}</DstFldId></Move></MoveItems>"
            );
            let mut step = Step::new("MoveItems", body);
            step.status = Some(3);
            self.push(&step.setup("it is put where it was"));
            self.prime(word, folder);
            self.find(word, folder, &variable, &subject, &fact.files);
        }
        Ok(())
    }

    /// Sends a mail that the sequence needs.
    pub(super) fn send(&mut self, subject: &str, with_file: bool, invitation: bool) {
        self.draft.writes = true;
        let mut step = Step::without_body("SendMail");
        let file = if with_file { ", attachment = { name = \"recorded.bin\", size = 2048 }" } else { "" };
        let meeting = if invitation { format!(", calendar = \"\"\"{}\"\"\"", meeting(subject)) } else { String::new() };
        step.lines = vec![format!(
            "mail = {{ to = \"{{address}}\", subject = \"{subject}\", text = \"Recorded.\"{file}{meeting} }}"
        )];
        if invitation {
            self.draft.partner = true;
            step.lines.push("role = \"partner\"".to_owned());
        }
        step.status = Some(1);
        self.push(&step.setup("what the sequence is about is made"));
    }

    /// Synchronises a folder until an item of this subject is there.
    fn find(&mut self, word: &str, folder: &str, variable: &str, subject: &str, files: &[String]) {
        let more = "  <GetChanges>1</GetChanges>\n  <WindowSize>100</WindowSize>\n";
        let key_name = key(word);
        let mut step = Step::new("Sync", self.collection(word, folder, &format!("{{{key_name}}}"), more));
        let add = format!("Sync/Collections/Collection/Commands/Add[ApplicationData/Subject={subject}]");
        step.elements = vec![keeps(word), format!("{{ at = \"{add}/ServerId\", save = \"{variable}\" }}")];
        if let Some(file) = files.first() {
            let name = format!("file_{}", self.draft.number);
            let at = match self.version {
                Some(version) if version >= Version::V12_0 => "Attachments/Attachment/FileReference",
                _ => "Attachments/Attachment/AttName",
            };
            step.elements.push(format!("{{ at = \"{add}/ApplicationData/{at}\", save = \"{name}\" }}"));
            self.draft.files.insert(file.clone(), name);
        }
        step.poll = Some(60);
        self.push(&step.setup("and is there"));
    }

    /// Synchronises a folder to its end, so that only what comes later is a change.
    pub(super) fn settle(&mut self, word: &str, folder: &str) {
        self.prime(word, folder);
        let more = "  <GetChanges>1</GetChanges>\n  <WindowSize>100</WindowSize>\n";
        let mut step = Step::new("Sync", self.collection(word, folder, &format!("{{{}}}", key(word)), more));
        step.elements = vec![keeps(word), "{ at = \"**/MoreAvailable\", absent = true }".to_owned()];
        step.poll = Some(60);
        self.push(&step.setup("the folder is read to its end"));
    }

    fn event(&mut self, word: &str, folder: &str, variable: &str, subject: &str) -> Result<(), String> {
        let version = self.version.ok_or("it names no version")?;
        let old = match version < Version::V16_0 {
            true => "<DtStamp>{now}</DtStamp><UID>{unique}-event</UID>",
            false => "",
        };
        let zone = format!("{}==", "A".repeat(230));
        let data = format!(
            "<Timezone>{zone}</Timezone>{old}<StartTime>20350305T090000Z</StartTime>\
             <EndTime>20350305T100000Z</EndTime><Subject>{subject}</Subject>"
        );
        self.add(word, folder, variable, "Calendar", &data);
        Ok(())
    }

    fn contact(&mut self, word: &str, folder: &str, variable: &str, name: &str) {
        let data = format!("<FileAs>{name}</FileAs><LastName>{name}</LastName>");
        self.add(word, folder, variable, "Contacts", &data);
    }

    fn add(&mut self, word: &str, folder: &str, variable: &str, namespace: &str, data: &str) {
        self.prime(word, folder);
        let more = format!(
            "  <Commands><Add><ClientId>{{unique}}</ClientId><ApplicationData xmlns:i=\"{namespace}\">{}\
             </ApplicationData></Add></Commands>\n",
            data.replace("</", "\u{1}").replace('<', "<i:").replace('\u{1}', "</i:")
        );
        let mut step = Step::new("Sync", self.collection(word, folder, &format!("{{{}}}", key(word)), &more));
        step.status = Some(1);
        step.elements = vec![keeps(word), format!("{{ at = \"**/Responses/Add/ServerId\", save = \"{variable}\" }}")];
        self.push(&step.setup("what the sequence is about is made"));
    }
}

/// The variable of a folder's key.
pub(super) fn key(word: &str) -> String {
    format!("{word}_recorded")
}

/// A first key is sure to come.
pub(super) fn saves(word: &str) -> String {
    format!(
        "{{ at = \"Sync/Collections/Collection[CollectionId={{{word}}}]/SyncKey\", not = \"0\", save = \"{}\" }}",
        key(word)
    )
}

/// A later key comes only when something changed.
pub(super) fn keeps(word: &str) -> String {
    format!(
        "{{ at = \"Sync/Collections/Collection[CollectionId={{{word}}}]/SyncKey\", min_count = 0, save = \"{}\" }}",
        key(word)
    )
}

fn meeting(subject: &str) -> String {
    let lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//easrig//EN",
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        "UID:{unique}",
        "DTSTAMP:{now}",
        "DTSTART:20350305T090000Z",
        "DTEND:20350305T100000Z",
        &format!("SUMMARY:{subject}"),
        "SEQUENCE:0",
        "ORGANIZER:mailto:{partner_address}",
        "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{address}",
        "END:VEVENT",
        "END:VCALENDAR",
    ];
    lines.iter().fold(String::from("\\\n"), |out, line| out + line + "\\r\\n\\\n")
}
