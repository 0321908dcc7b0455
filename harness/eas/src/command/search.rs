//! Search: the mailbox, the address list, document libraries (MS-ASCMD 2.2.1.16).

mod query;
mod request;
mod response;
#[cfg(test)]
mod tests;

use std::fmt;

use super::{BodyPartPreference, BodyPreference, Class, Flag, Item, PictureOptions, Range};
use crate::{CollectionId, status::Status};

/// What a device looks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Where.
    pub store: Store,
    /// What.
    pub query: Query,
    /// How the results are wanted.
    pub options: Option<Options>,
}

/// Where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// The mailbox (12.0+).
    Mailbox,
    /// The global address list.
    Gal,
    /// A document library (12.0+).
    DocumentLibrary,
    /// Anything else, as on the wire.
    Other(String),
}

impl Store {
    /// The name as on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Mailbox => "Mailbox",
            Self::Gal => "GAL",
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
            "gal" => Self::Gal,
            "documentlibrary" | "document library" => Self::DocumentLibrary,
            _ => Self::Other(name),
        }
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// The beginning of a name or address: GAL.
    Text(String),
    /// Criteria over messages: Mailbox.
    Criteria(Criteria),
    /// One document or folder: DocumentLibrary.
    LinkId(String),
}

/// Criteria over messages, joined by `operator`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Criteria {
    /// How the criteria are joined.
    pub operator: Operator,
    /// The classes of items.
    pub classes: Vec<Class>,
    /// The folders.
    pub collection_ids: Vec<CollectionId>,
    /// The words.
    pub free_text: Option<String>,
    /// The conversation (14.0+).
    pub conversation_id: Option<Vec<u8>>,
    /// Received after this time.
    pub received_after: Option<String>,
    /// Received before this time.
    pub received_before: Option<String>,
}

/// How criteria are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Operator {
    /// All of them.
    #[default]
    And,
    /// Any of them; servers of today refuse it.
    Or,
    /// No operator around them, as some clients write it.
    Bare,
}

/// How results are wanted.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// 0 never, 1 signed and encrypted messages only, 2 all messages as MIME.
    pub mime_support: Option<u32>,
    /// The wanted bodies.
    pub body_preferences: Vec<BodyPreference>,
    /// The wanted part of a conversation's message (14.1+).
    pub body_part_preference: Option<BodyPartPreference>,
    /// Whether protected messages come decrypted (14.1+).
    pub rights_management_support: Option<bool>,
    /// The results wanted, counted from 0.
    pub range: Option<Range>,
    /// The user for a document library (12.1+).
    pub user_name: Option<String>,
    /// The password for it (12.1+).
    pub password: Option<String>,
    /// Whether subfolders count.
    pub deep_traversal: Option<Flag>,
    /// Whether a remembered result is thrown away.
    pub rebuild_results: Option<Flag>,
    /// Contact photos (14.1+).
    pub picture: Option<PictureOptions>,
}

/// What the server answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response {
    /// The status of the command.
    pub status: Option<Status>,
    /// The store's answer.
    pub store: Option<StoreResponse>,
}

/// The store's answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoreResponse {
    /// The status of the store.
    pub status: Option<Status>,
    /// The results. A server that found nothing sends one that is empty.
    pub results: Vec<SearchResult>,
    /// The results sent, counted from 0.
    pub range: Option<Range>,
    /// The number of results there are.
    pub total: Option<u32>,
}

/// One result.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchResult {
    /// The class: Mailbox.
    pub class: Option<Class>,
    /// The name of the item for ItemOperations: Mailbox.
    pub long_id: Option<String>,
    /// The folder: Mailbox.
    pub collection_id: Option<CollectionId>,
    /// The content, with root `Search:Properties`.
    pub properties: Option<Item>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("mime_support", &self.mime_support)
            .field("body_preferences", &self.body_preferences)
            .field("body_part_preference", &self.body_part_preference)
            .field("rights_management_support", &self.rights_management_support)
            .field("range", &self.range)
            .field("user_name", &self.user_name)
            .field("password", &self.password.as_ref().map(|_| "[redacted]"))
            .field("deep_traversal", &self.deep_traversal)
            .field("rebuild_results", &self.rebuild_results)
            .field("picture", &self.picture)
            .finish()
    }
}
