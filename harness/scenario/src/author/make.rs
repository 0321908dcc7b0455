use easrig_eas::Version;

use super::{
    Author, BUILT_IN,
    draft::{Step, Talk},
    told::Fact,
};

impl Author {
    /// The variable of a recorded folder.
    pub(super) fn folder(&mut self, id: &str) -> Result<String, String> {
        if let Some(made) = self.draft.folders.get(id) {
            return Ok(made.clone());
        }
        let kind = self.told.kinds.get(id).ok_or("it is about a folder that the recording does not tell of")?;
        if let Some((_, word)) = BUILT_IN.iter().find(|(known, _)| known == kind) {
            self.draft.foldered = true;
            return Ok((*word).to_owned());
        }
        match *kind {
            // Generic folders hold mail.
            1 => self.own_folder(id, 12),
            kind @ 12..=17 => self.own_folder(id, kind),
            _ => Err("it is about a folder of a kind that scenarios do not know".to_owned()),
        }
    }

    /// A folder like one that the owner of the recorded mailbox has made.
    fn own_folder(&mut self, id: &str, kind: u16) -> Result<String, String> {
        let number = self.draft.fresh()?;
        let shown = format!("{{tag}} folder {number}");
        let variable = self.make_folder(&shown, kind, number);
        if let Some(name) = self.told.names.get(id) {
            self.draft.names.insert(name.clone(), shown);
        }
        self.draft.folders.insert(id.to_owned(), variable.clone());
        Ok(variable)
    }

    /// Makes a folder of this name, to be removed at the end.
    pub(super) fn make_folder(&mut self, shown: &str, kind: u16, number: usize) -> String {
        (self.draft.foldered, self.draft.writes) = (true, true);
        let variable = format!("folder_{number}");
        let body = format!(
            "<FolderCreate xmlns=\"FolderHierarchy\"><SyncKey>{{folder_key}}</SyncKey><ParentId>0</ParentId>\
             <DisplayName>{shown}</DisplayName><Type>{kind}</Type></FolderCreate>"
        );
        let mut step = Step::new("FolderCreate", body);
        step.status = Some(1);
        step.elements = vec![
            "{ at = \"FolderCreate/SyncKey\", save = \"folder_key\" }".to_owned(),
            format!("{{ at = \"FolderCreate/ServerId\", save = \"{variable}\" }}"),
        ];
        self.push(&step.setup("a folder like the one that the sequence is about is made"));
        self.draft.remains.insert(0, variable.clone());
        variable
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
            2..=6 | 1 | 12 => self.mail(&word, folder, number, &fact)?,
            kind => {
                self.prime(&word, folder);
                let data = self.fields(kind, &subject)?;
                self.add(&word, folder, &data, Some(&variable), None);
            }
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

    /// A mail of its own conversation: the recorded conversation and its mail stand for it from now on.
    pub(super) fn conversation(&mut self, id: &str) -> Result<String, String> {
        if let Some(talk) = self.draft.conversations.get(id) {
            return Ok(talk.variable.clone());
        }
        let place = self.told.conversation_of(id).cloned();
        let (folder, item) = place.ok_or("it names a conversation that the recording does not tell of")?;
        let fact = self.told.item_of(&folder, &item).cloned().unwrap_or_default();
        let word = self.folder(&folder)?;
        let number = self.draft.fresh()?;
        self.mail(&word, &folder, number, &Fact { talks: true, ..fact.clone() })?;
        let (variable, subject) = (format!("item_{number}"), format!("{{tag}} item {number}"));
        if let Some(told) = fact.subject.filter(|told| !self.told.is_common(told)) {
            self.draft.subjects.insert(told, subject.clone());
        }
        self.draft.bind(&folder, &item, &variable, Some(subject.clone()));
        let talk = Talk { variable: format!("conversation_{number}"), subject };
        self.draft.conversations.insert(id.to_owned(), talk.clone());
        Ok(talk.variable)
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
            (_, 10 | 17) => "<Class>Notes</Class>",
            _ => "<Class>Email</Class>",
        };
        format!(
            "<Sync xmlns=\"AirSync\"><Collections><Collection>{class}\n  <SyncKey>{key}</SyncKey>\n  \
             <CollectionId>{{{word}}}</CollectionId>\n{more}</Collection></Collections></Sync>"
        )
    }

    /// A Sync of one folder of the scenario's own.
    pub(super) fn one_sync(&self, word: &str) -> String {
        self.collection(word, "", &format!("{{{}}}", key(word)), "  <GetChanges>1</GetChanges>\n")
    }

    /// A mail from the owner to themselves, or an invitation from the partner, found in its folder.
    pub(super) fn mail(&mut self, word: &str, folder: &str, number: usize, fact: &Fact) -> Result<(), String> {
        let (variable, subject) = (format!("item_{number}"), format!("{{tag}} item {number}"));
        let nothing = Fact::default();
        self.send(&subject, !fact.files.is_empty(), fact.invitation);
        let inbox = self.told.kinds.iter().find(|(_, kind)| **kind == 2).map(|(id, _)| id.clone());
        let inbox = inbox.ok_or("the recording does not tell of the inbox")?;
        self.draft.foldered = true;
        self.prime("inbox", &inbox);
        self.find("inbox", &inbox, number, if word == "inbox" { fact } else { &nothing });
        if word != "inbox" {
            let body = format!(
                "<MoveItems xmlns=\"Move\"><Move><SrcMsgId>{{{variable}}}</SrcMsgId><SrcFldId>{{inbox}}</SrcFldId>\
                 <DstFldId>{{{word}}}</DstFldId></Move></MoveItems>"
            );
            let mut step = Step::new("MoveItems", body);
            step.status = Some(3);
            self.push(&step.setup("it is put where it was"));
            self.prime(word, folder);
            self.find(word, folder, number, fact);
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
            step.role = Some("partner");
        }
        step.status = Some(1);
        self.push(&step.setup("what the sequence is about is made"));
    }

    /// Sends a mail of which a copy is in Sent Items.
    pub(super) fn send_and_keep(&mut self, subject: &str) {
        self.draft.writes = true;
        let mut step = Step::without_body("SendMail");
        step.lines = vec![
            format!("mail = {{ to = \"{{address}}\", subject = \"{subject}\", text = \"Recorded.\" }}"),
            "save_in_sent = true".to_owned(),
        ];
        step.status = Some(1);
        self.push(&step.setup("what the sequence is about is made"));
    }

    /// Synchronises a folder until an item of this subject is there.
    fn find(&mut self, word: &str, folder: &str, number: usize, fact: &Fact) {
        let (variable, subject) = (format!("item_{number}"), format!("{{tag}} item {number}"));
        let more = "  <GetChanges>1</GetChanges>\n  <WindowSize>100</WindowSize>\n";
        let key_name = key(word);
        let mut step = Step::new("Sync", self.collection(word, folder, &format!("{{{key_name}}}"), more));
        let add = format!("Sync/Collections/Collection/Commands/Add[ApplicationData/Subject={subject}]");
        step.elements = vec![keeps(word), format!("{{ at = \"{add}/ServerId\", save = \"{variable}\" }}")];
        if fact.talks {
            let data = format!("{add}/ApplicationData/ConversationId");
            step.elements.push(format!("{{ at = \"{data}\", save = \"conversation_{number}\" }}"));
        }
        if let Some(file) = fact.files.first() {
            let name = format!("file_{number}");
            let at = match self.version {
                Some(version) if version >= Version::V12_0 => "Attachments/Attachment/FileReference",
                _ => "Attachments/Attachment/AttName",
            };
            step.elements.push(format!("{{ at = \"{add}/ApplicationData/{at}\", save = \"{name}\" }}"));
            self.draft.files.insert(file.clone(), name);
        }
        step.poll = Some(60);
        self.draft.pass(folder);
        self.push(&step.setup("and is there"));
    }

    /// Synchronises a folder to its end, so that only what comes later is a change.
    pub(super) fn settle(&mut self, word: &str, folder: &str) {
        self.prime(word, folder);
        self.draft.pass(folder);
        let more = "  <GetChanges>1</GetChanges>\n  <WindowSize>100</WindowSize>\n";
        let mut step = Step::new("Sync", self.collection(word, folder, &format!("{{{}}}", key(word)), more));
        step.elements = vec![keeps(word), "{ at = \"**/MoreAvailable\", absent = true }".to_owned()];
        step.poll = Some(60);
        self.push(&step.setup("the folder is read to its end"));
    }

    /// The texts of an item of this kind of folder.
    fn fields(&self, kind: u16, subject: &str) -> Result<Fields, String> {
        let version = self.version.ok_or("it names no version")?;
        Ok(match kind {
            8 | 13 => {
                let old = match version < Version::V16_0 {
                    true => "<DtStamp>{now}</DtStamp><UID>{unique}-event</UID>",
                    false => "",
                };
                let zone = format!("{}==", "A".repeat(230));
                let data = format!(
                    "<Timezone>{zone}</Timezone>{old}<StartTime>20350305T090000Z</StartTime>\
                     <EndTime>20350305T100000Z</EndTime><Subject>{subject}</Subject>"
                );
                Fields { namespace: "Calendar", data, body: false }
            }
            9 | 14 => {
                let data = format!("<FileAs>{subject}</FileAs><LastName>{subject}</LastName>");
                Fields { namespace: "Contacts", data, body: false }
            }
            7 | 15 => {
                let data = format!(
                    "<Complete>0</Complete><Importance>1</Importance><Sensitivity>0</Sensitivity>\
                     <Subject>{subject}</Subject>"
                );
                Fields { namespace: "Tasks", data, body: false }
            }
            10 | 17 => {
                let data = format!("<Subject>{subject}</Subject><MessageClass>IPM.StickyNote</MessageClass>");
                Fields { namespace: "Notes", data, body: true }
            }
            _ => return Err("it names an item of a kind that scenarios do not make".to_owned()),
        })
    }

    /// Adds an item with the key that a device has of the folder, and saves its id.
    fn add(&mut self, word: &str, folder: &str, fields: &Fields, variable: Option<&str>, role: Option<&'static str>) {
        let key = if role.is_some() { tablet_key(word) } else { key(word) };
        let marked = fields.data.replace("</", "\u{1}").replace('<', "<i:").replace('\u{1}', "</i:");
        let body =
            if fields.body { "<Body xmlns=\"AirSyncBase\"><Type>1</Type><Data>Recorded.</Data></Body>" } else { "" };
        let more = format!(
            "  <Commands><Add><ClientId>{{unique}}</ClientId><ApplicationData xmlns:i=\"{}\">{marked}{body}\
             </ApplicationData></Add></Commands>\n",
            fields.namespace
        );
        let mut step = Step::new("Sync", self.collection(word, folder, &format!("{{{key}}}"), &more));
        (step.status, step.role) = (Some(1), role);
        let place = format!("Sync/Collections/Collection[CollectionId={{{word}}}]");
        step.elements = vec![format!("{{ at = \"{place}/SyncKey\", min_count = 0, save = \"{key}\" }}")];
        if let Some(variable) = variable {
            step.elements.push(format!("{{ at = \"**/Responses/Add/ServerId\", save = \"{variable}\" }}"));
        }
        self.push(&step.setup("what the sequence is about is made"));
    }

    /// The second device of the owner synchronises a folder for the first time.
    pub(super) fn tablet_opens(&mut self, word: &str, folder: &str) {
        self.draft.tablet = true;
        if !self.draft.tablet_keys.insert(word.to_owned()) {
            return;
        }
        let mut step = Step::new("Sync", self.collection(word, folder, "0", ""));
        (step.status, step.role) = (Some(1), Some("tablet"));
        let place = format!("Sync/Collections/Collection[CollectionId={{{word}}}]/SyncKey");
        step.elements.push(format!("{{ at = \"{place}\", not = \"0\", save = \"{}\" }}", tablet_key(word)));
        self.push(&step.setup("the second device opens the folder"));
    }

    /// The second device of the owner adds an item to a folder that it has opened.
    pub(super) fn tablet_adds(&mut self, word: &str, folder: &str, subject: &str) -> Result<(), String> {
        self.draft.writes = true;
        let fields = self.fields(self.kind_of(folder), subject)?;
        self.add(word, folder, &fields, None, Some("tablet"));
        Ok(())
    }

    /// Two contacts of one name.
    pub(super) fn namesakes(&mut self) -> Result<String, String> {
        let number = self.draft.fresh()?;
        let name = format!("{{tag}} item {number}");
        (self.draft.writes, self.draft.foldered) = (true, true);
        let contacts = self.told.kinds.iter().find(|(_, kind)| **kind == 9).map(|(id, _)| id.clone());
        let contacts = contacts.ok_or("the recording does not tell of the contacts")?;
        self.prime("contacts", &contacts);
        for first in ["One", "Two"] {
            let data = format!(
                "<Email1Address>{}@example.org</Email1Address><FileAs>{name}</FileAs><FirstName>{first}</FirstName>\
                 <LastName>{name}</LastName>",
                first.to_lowercase()
            );
            let fields = Fields { namespace: "Contacts", data, body: false };
            self.add("contacts", &contacts, &fields, None, None);
        }
        Ok(name)
    }
}

/// What an item of the scenario consists of.
struct Fields {
    namespace: &'static str,
    data: String,
    /// Whether it needs a body as well.
    body: bool,
}

/// The variable of a folder's key as the second device has it.
fn tablet_key(word: &str) -> String {
    format!("{word}_tablet")
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
