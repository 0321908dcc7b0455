//! FolderSync: the list of folders and its changes (MS-ASCMD 2.2.1.5).

use std::fmt;

use easrig_wbxml::{Builder, Document, Tag, tags::folder_hierarchy as tag};

use super::{
    Class, ShapeError,
    shape::{Reader, Write},
};
use crate::{CollectionId, SyncKey, Version, status::Status};

/// What a device asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The key of the last answer, `0` for the whole list.
    pub sync_key: SyncKey,
}

/// What the server answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status of the command.
    pub status: Status,
    /// The next key; missing after an error.
    pub sync_key: Option<SyncKey>,
    /// The changes since the key of the request.
    pub changes: Option<Changes>,
}

/// Changes of the folder list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The number of changes, as the server says it.
    pub count: Option<u32>,
    /// The changes, in the order of the document.
    pub changes: Vec<Change>,
}

/// One change of the folder list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new folder.
    Add(Folder),
    /// A folder with another name, parent or type.
    Update(Folder),
    /// A folder that is gone.
    Delete(CollectionId),
}

/// A folder as FolderSync describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// The folder.
    pub server_id: CollectionId,
    /// Its parent, `0` at the top.
    pub parent_id: CollectionId,
    /// Its name.
    pub display_name: String,
    /// What it is for.
    pub folder_type: FolderType,
}

/// What a folder is for (MS-ASCMD 2.2.3.186.3 Type); a number without name is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FolderType(pub u16);

impl Request {
    /// The document.
    pub fn to_document(&self, _version: Version) -> Document {
        let mut out = Builder::new(tag::FOLDER_SYNC);
        out.value(tag::SYNC_KEY, &self.sync_key);
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another or the key is missing.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::FOLDER_SYNC, "FolderHierarchy:FolderSync")?;
        Ok(Self { sync_key: root.need_text(tag::SYNC_KEY)? })
    }
}

impl Response {
    /// The document.
    pub fn to_document(&self, _version: Version) -> Document {
        let mut out = Builder::new(tag::FOLDER_SYNC);
        out.value(tag::STATUS, self.status).maybe(tag::SYNC_KEY, self.sync_key.as_ref());
        if let Some(changes) = &self.changes {
            out.open(tag::CHANGES).maybe(tag::COUNT, changes.count);
            for change in &changes.changes {
                change.write(&mut out);
            }
            out.close();
        }
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another, the status is missing, a folder lacks a part or a number is none.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::FOLDER_SYNC, "FolderHierarchy:FolderSync")?;
        Ok(Self {
            status: root.need_status(tag::STATUS)?,
            sync_key: root.text(tag::SYNC_KEY),
            changes: root.child(tag::CHANGES).map(|at| Changes::read(&at)).transpose()?,
        })
    }
}

impl Changes {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        let changes = at.children().filter_map(|child| Change::read(&child).transpose()).collect::<Result<_, _>>()?;
        Ok(Self { count: at.number(tag::COUNT)?, changes })
    }
}

impl Change {
    fn read(at: &Reader<'_, '_>) -> Result<Option<Self>, ShapeError> {
        Ok(match at.tag() {
            tag::ADD => Some(Self::Add(Folder::read(at)?)),
            tag::UPDATE => Some(Self::Update(Folder::read(at)?)),
            tag::DELETE => Some(Self::Delete(at.need_text(tag::SERVER_ID)?)),
            _ => None,
        })
    }

    fn write(&self, out: &mut Builder) {
        match self {
            Self::Add(folder) => folder.write(out, tag::ADD),
            Self::Update(folder) => folder.write(out, tag::UPDATE),
            Self::Delete(folder) => {
                out.open(tag::DELETE).value(tag::SERVER_ID, folder).close();
            }
        }
    }
}

impl Folder {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self {
            server_id: at.need_text(tag::SERVER_ID)?,
            parent_id: at.need_text(tag::PARENT_ID)?,
            display_name: at.need_text(tag::DISPLAY_NAME)?,
            folder_type: FolderType(at.need_number(tag::TYPE)?),
        })
    }

    fn write(&self, out: &mut Builder, change: Tag) {
        out.open(change)
            .value(tag::SERVER_ID, &self.server_id)
            .value(tag::PARENT_ID, &self.parent_id)
            .leaf(tag::DISPLAY_NAME, &self.display_name)
            .value(tag::TYPE, self.folder_type)
            .close();
    }
}

impl FolderType {
    /// A folder of the owner's without purpose.
    pub const USER_GENERIC: Self = Self(1);
    /// The inbox.
    pub const INBOX: Self = Self(2);
    /// Drafts.
    pub const DRAFTS: Self = Self(3);
    /// Deleted Items.
    pub const DELETED_ITEMS: Self = Self(4);
    /// Sent Items.
    pub const SENT_ITEMS: Self = Self(5);
    /// The outbox.
    pub const OUTBOX: Self = Self(6);
    /// The default tasks.
    pub const TASKS: Self = Self(7);
    /// The default calendar.
    pub const CALENDAR: Self = Self(8);
    /// The default contacts.
    pub const CONTACTS: Self = Self(9);
    /// The default notes.
    pub const NOTES: Self = Self(10);
    /// The default journal.
    pub const JOURNAL: Self = Self(11);
    /// A mail folder of the owner's.
    pub const USER_MAIL: Self = Self(12);
    /// A calendar of the owner's.
    pub const USER_CALENDAR: Self = Self(13);
    /// Contacts of the owner's.
    pub const USER_CONTACTS: Self = Self(14);
    /// Tasks of the owner's.
    pub const USER_TASKS: Self = Self(15);
    /// A journal of the owner's.
    pub const USER_JOURNAL: Self = Self(16);
    /// Notes of the owner's.
    pub const USER_NOTES: Self = Self(17);
    /// Unknown.
    pub const UNKNOWN: Self = Self(18);
    /// The recipient information cache (14.0+).
    pub const RECIPIENT_INFORMATION: Self = Self(19);

    /// The class of its items, where the number fixes one.
    pub fn class(self) -> Option<Class> {
        match self.0 {
            2..=6 | 12 => Some(Class::Email),
            7 | 15 => Some(Class::Tasks),
            8 | 13 => Some(Class::Calendar),
            9 | 14 | 19 => Some(Class::Contacts),
            10 | 17 => Some(Class::Notes),
            _ => None,
        }
    }

    /// Whether a client may make such a folder (MS-ASCMD 2.2.3.186.2).
    pub fn is_creatable(self) -> bool {
        matches!(self.0, 1 | 12..=17)
    }
}

impl fmt::Display for FolderType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for FolderType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FolderType({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_and_written_in_order() {
        let xml = "<FolderSync xmlns=\"FolderHierarchy\"><Status>1</Status><SyncKey>2</SyncKey><Changes><Count>3</Count>\
            <Update><ServerId>7</ServerId><ParentId>0</ParentId><DisplayName>A &amp; B</DisplayName><Type>12</Type></Update>\
            <Delete><ServerId>9</ServerId></Delete>\
            <Add><ServerId>8</ServerId><ParentId>7</ParentId><DisplayName>New</DisplayName><Type>42</Type></Add>\
            </Changes></FolderSync>";
        let document = Document::from_xml(xml).unwrap();
        let response = Response::from_document(&document, Version::V14_1).unwrap();
        let changes = response.changes.as_ref().unwrap();
        assert_eq!(changes.count, Some(3));
        assert!(matches!(&changes.changes[0], Change::Update(folder) if folder.display_name == "A & B"));
        assert!(matches!(&changes.changes[1], Change::Delete(folder) if folder.as_str() == "9"));
        assert!(matches!(&changes.changes[2], Change::Add(folder) if folder.folder_type == FolderType(42)));
        assert_eq!(response.to_document(Version::V14_1), document);
    }

    #[test]
    fn an_error_needs_no_key() {
        let document =
            Document::from_xml("<FolderSync xmlns=\"FolderHierarchy\"><Status>142</Status></FolderSync>").unwrap();
        let response = Response::from_document(&document, Version::V14_1).unwrap();
        assert_eq!(response, Response { status: Status(142), ..Default::default() });
    }

    #[test]
    fn a_request_is_bytes_every_server_knows() {
        let request = Request { sync_key: SyncKey::initial() };
        let document = request.to_document(Version::V12_1);
        assert_eq!(document.encode(), b"\x03\x01\x6a\x00\x00\x07\x56\x52\x030\x00\x01\x01");
        assert_eq!(Request::from_document(&document, Version::V12_1), Ok(request));
    }

    #[test]
    fn a_request_without_key_is_refused() {
        let document = Document::from_xml("<FolderSync xmlns=\"FolderHierarchy\"/>").unwrap();
        let error = Request::from_document(&document, Version::V12_1).unwrap_err();
        assert_eq!(error.to_string(), "`FolderSync/SyncKey` is missing at byte 0");
        let document = Document::from_xml("<Ping xmlns=\"Ping\"/>").unwrap();
        let error = Request::from_document(&document, Version::V12_1).unwrap_err();
        assert_eq!(error.to_string(), "`Ping` is `Ping:Ping`, expected FolderHierarchy:FolderSync at byte 0");
    }

    #[test]
    fn a_folder_type_says_its_class() {
        assert_eq!(FolderType::INBOX.class(), Some(Class::Email));
        assert_eq!(FolderType::USER_GENERIC.class(), None);
        assert!(FolderType::USER_NOTES.is_creatable() && !FolderType::INBOX.is_creatable());
    }
}
