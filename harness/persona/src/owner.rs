use easrig_eas::{CollectionId, ServerId};

use crate::DeviceError;

/// What the owner sees on the phone.
#[derive(Clone, Debug, Default)]
pub struct OwnerView {
    /// Every item of every folder the phone has synchronised.
    pub items: Vec<OwnerItem>,
    /// The folders.
    pub folders: Vec<Folder>,
    /// The subjects the last search brought.
    pub found: Vec<String>,
    /// The error on the screen.
    pub error: Option<DeviceError>,
}

/// A folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// The server's name for it.
    pub id: CollectionId,
    /// Its parent, `0` at the top.
    pub parent: CollectionId,
    /// Its name on the screen.
    pub name: String,
    /// What it is for.
    pub kind: FolderKind,
}

/// What a folder is for: the number of MS-ASCMD 2.2.3.186.3 Type, kept when unnamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FolderKind(pub u16);

/// One item.
#[derive(Clone, Debug)]
pub struct OwnerItem {
    /// What it is.
    pub kind: ItemKind,
    /// The server's name for its folder.
    pub folder: CollectionId,
    /// The server's name for it.
    pub server_id: ServerId,
    /// Its subject; the name of a contact.
    pub subject: String,
    /// The sender of a message, the organiser of a meeting; empty for others.
    pub from: String,
    /// Whether it is read.
    pub read: bool,
    /// Whether it is flagged.
    pub flagged: bool,
    /// Its text as far as the phone has it.
    pub body: String,
    /// Whether its text is formatted (HTML).
    pub html: bool,
    /// Whether the phone has only a part of the text.
    pub truncated: bool,
    /// The UID of the meeting an invitation is for, where the server says it.
    pub meeting_uid: Option<String>,
    /// Its attachments.
    pub attachments: Vec<OwnerAttachment>,
}

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ItemKind {
    /// A message.
    Mail,
    /// An appointment or meeting.
    Event,
    /// A contact.
    Contact,
    /// A task.
    Task,
    /// A note.
    Note,
    /// Anything else.
    Other,
}

/// A file in a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnerAttachment {
    /// Its name.
    pub name: String,
    /// The server's name for it.
    pub reference: String,
    /// Its size as the server says it, in bytes.
    pub size: u64,
    /// Its bytes, once opened.
    pub content: Option<Vec<u8>>,
}

impl FolderKind {
    /// The words of scenario files, with their numbers.
    pub const WORDS: [(&'static str, Self); 9] = [
        ("inbox", Self(2)),
        ("drafts", Self(3)),
        ("deleted", Self(4)),
        ("sent", Self(5)),
        ("outbox", Self(6)),
        ("tasks", Self(7)),
        ("calendar", Self(8)),
        ("contacts", Self(9)),
        ("notes", Self(10)),
    ];

    /// The folder kind a word names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(name, _)| *name == word).map(|(_, kind)| *kind)
    }

    /// What its items are.
    pub fn items(self) -> ItemKind {
        match self.0 {
            1..=6 | 12 => ItemKind::Mail,
            7 | 15 => ItemKind::Task,
            8 | 13 => ItemKind::Event,
            9 | 14 => ItemKind::Contact,
            10 | 17 => ItemKind::Note,
            _ => ItemKind::Other,
        }
    }
}
