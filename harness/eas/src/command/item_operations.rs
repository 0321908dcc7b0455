//! ItemOperations: fetch items and attachments, empty a folder, move a conversation (MS-ASCMD 2.2.1.10, 12.0+).
//!
//! In a multipart answer `Part` stands for the data and counts from 1; the parts themselves are not the document's.

mod request;
mod response;
#[cfg(test)]
mod tests;

use std::fmt;

use easrig_wbxml::Tag;

use super::{BodyPartPreference, BodyPreference, Class, Flag, Item, Range};
use crate::{CollectionId, ServerId, status::Status};

/// What a device asks for, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// The operations.
    pub operations: Vec<Operation>,
}

/// One operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Remove everything from a folder.
    EmptyFolderContents {
        /// The folder.
        collection_id: CollectionId,
        /// Whether its subfolders go as well.
        delete_sub_folders: Option<Flag>,
    },
    /// Fetch one item, document or attachment.
    Fetch(Box<Fetch>),
    /// Move a conversation (14.0+).
    Move {
        /// The conversation.
        conversation_id: Vec<u8>,
        /// Where to.
        dst_fld_id: CollectionId,
        /// Whether later messages follow.
        move_always: Option<Flag>,
    },
}

/// What to fetch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fetch {
    /// `Mailbox` or `DocumentLibrary`.
    pub store: Store,
    /// The item.
    pub server_id: Option<ServerId>,
    /// The folder of the item.
    pub collection_id: Option<CollectionId>,
    /// Instead: a document.
    pub link_id: Option<String>,
    /// Instead: the item as Search named it.
    pub long_id: Option<String>,
    /// Instead: an attachment.
    pub file_reference: Option<String>,
    /// How it is wanted.
    pub options: Option<Options>,
    /// Whether the rights protection is taken off (14.1+).
    pub remove_rights_management_protection: bool,
}

/// Where the item is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Store {
    /// The mailbox.
    #[default]
    Mailbox,
    /// A document library.
    DocumentLibrary,
    /// Anything else, as on the wire.
    Other(String),
}

impl Store {
    /// The name as on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Mailbox => "Mailbox",
            Self::DocumentLibrary => "DocumentLibrary",
            Self::Other(name) => name,
        }
    }
}

impl From<String> for Store {
    fn from(name: String) -> Self {
        // Phones write the name in either case, and every server takes both.
        match name.to_ascii_lowercase().as_str() {
            "mailbox" => Self::Mailbox,
            "documentlibrary" => Self::DocumentLibrary,
            _ => Self::Other(name),
        }
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How an item is wanted.
#[derive(Clone, Default, PartialEq)]
pub struct Options {
    /// The only elements wanted.
    pub schema: Option<Vec<Tag>>,
    /// The bytes wanted of an attachment or document.
    pub range: Option<Range>,
    /// The user for a document library (12.1+).
    pub user_name: Option<String>,
    /// The password for it (12.1+).
    pub password: Option<String>,
    /// 0 never, 1 signed and encrypted messages only, 2 all messages as MIME.
    pub mime_support: Option<u32>,
    /// The wanted bodies.
    pub body_preferences: Vec<BodyPreference>,
    /// The wanted part of a conversation's message (14.1+).
    pub body_part_preference: Option<BodyPartPreference>,
    /// Whether protected messages come decrypted (14.1+).
    pub rights_management_support: Option<bool>,
}

/// What the server answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response {
    /// The status of the command.
    pub status: Option<Status>,
    /// The outcome of the operations, in order.
    pub responses: Vec<OperationResponse>,
}

/// The outcome of one operation.
#[derive(Clone, Debug, PartialEq)]
pub enum OperationResponse {
    /// A folder was emptied.
    EmptyFolderContents {
        /// The outcome.
        status: Option<Status>,
        /// The folder.
        collection_id: Option<CollectionId>,
    },
    /// Something was fetched.
    Fetch(Box<FetchResponse>),
    /// A conversation was moved.
    Move {
        /// The outcome.
        status: Option<Status>,
        /// The conversation.
        conversation_id: Option<Vec<u8>>,
    },
}

/// What was fetched.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FetchResponse {
    /// The outcome.
    pub status: Option<Status>,
    /// The document.
    pub link_id: Option<String>,
    /// The item as Search named it.
    pub long_id: Option<String>,
    /// The folder of the item.
    pub collection_id: Option<CollectionId>,
    /// The item.
    pub server_id: Option<ServerId>,
    /// The attachment.
    pub file_reference: Option<String>,
    /// The class of the item.
    pub class: Option<Class>,
    /// The content, with root `ItemOperations:Properties`.
    pub properties: Option<Item>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("schema", &self.schema)
            .field("range", &self.range)
            .field("user_name", &self.user_name)
            .field("password", &self.password.as_ref().map(|_| "[redacted]"))
            .field("mime_support", &self.mime_support)
            .field("body_preferences", &self.body_preferences)
            .field("body_part_preference", &self.body_part_preference)
            .field("rights_management_support", &self.rights_management_support)
            .finish()
    }
}
