//! What the owner of a device sees, as far as expectations ask for it.

use crate::model::OwnerKind;

/// The screen of a device: made by the runner out of what the persona keeps.
pub trait OwnerView {
    /// Everything the owner can open.
    fn items(&self) -> Vec<OwnerItem>;
    /// The folders on the screen.
    fn folders(&self) -> Vec<OwnerFolder>;
    /// Whether the device synchronises the built-in folder of this word: `tasks`, `notes` …
    fn synchronises(&self, word: &str) -> bool;
}

/// One thing the owner can open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerItem {
    /// What kind of thing.
    pub kind: OwnerKind,
    /// The id of its folder.
    pub folder: String,
    /// Its subject; a contact's name.
    pub subject: String,
    /// Name and address of the sender, as the device got them.
    pub from: String,
    /// Whether it is marked read.
    pub read: bool,
    /// Whether it is flagged.
    pub flagged: bool,
    /// As much of the body as the device has.
    pub body: String,
    /// Whether it shows formatting; `None` where the device does not ask for formatted mail.
    pub formatted: Option<bool>,
    /// The names of its attachments.
    pub attachments: Vec<String>,
    /// The texts of the mails attached to it, as far as they were opened.
    pub enclosed: Vec<String>,
}

/// A folder on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerFolder {
    /// Its id.
    pub id: String,
    /// Its display name.
    pub name: String,
    /// Its type (MS-ASCMD Type): 2 is the inbox.
    pub kind: u8,
}

impl OwnerFolder {
    /// Whether a scenario means this folder by `word`: `inbox`, `sent` …, its display name, or its id.
    pub fn is_called(&self, word: &str) -> bool {
        let well_known = match word {
            "inbox" => 2,
            "drafts" => 3,
            "deleted" => 4,
            "sent" => 5,
            "outbox" => 6,
            "tasks" => 7,
            "calendar" => 8,
            "contacts" => 9,
            "notes" => 10,
            _ => 0,
        };
        (well_known != 0 && self.kind == well_known) || self.name == word || self.id == word
    }
}
