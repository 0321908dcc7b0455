//! Find: the search of 16.1 (MS-ASCMD 2.2.1.2).

use super::{Class, Flag, Item, PictureOptions, Range};
use crate::{CollectionId, ServerId, status::Status};

/// What a device looks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The client's name for the search, a GUID; the same for all pages of it.
    pub search_id: String,
    /// Where and what.
    pub criterion: Criterion,
}

/// Where and what to look for.
#[derive(Clone, Debug, PartialEq)]
pub enum Criterion {
    /// Messages.
    Mailbox {
        /// The class.
        class: Option<Class>,
        /// The folder; all without.
        collection_id: Option<CollectionId>,
        /// The words, in the keyword query language.
        free_text: Option<String>,
        /// How the results are wanted.
        options: Option<Options>,
    },
    /// The global address list.
    Gal {
        /// The beginning of a name or address.
        query: String,
        /// How the results are wanted.
        options: Option<Options>,
    },
}

/// How results are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The results wanted, counted from 0.
    pub range: Option<Range>,
    /// Whether subfolders count: messages.
    pub deep_traversal: Option<Flag>,
    /// Contact photos: address list.
    pub picture: Option<PictureOptions>,
}

/// What the server answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response {
    /// The status of the command.
    pub status: Option<Status>,
    /// The store's answer.
    pub response: Option<StoreResponse>,
}

/// The store's answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoreResponse {
    /// `Mailbox` or `GAL`.
    pub store: Option<String>,
    /// The status of the store.
    pub status: Option<Status>,
    /// The results.
    pub results: Vec<FindResult>,
    /// The results sent, counted from 0.
    pub range: Option<Range>,
    /// The number of results there are.
    pub total: Option<u32>,
}

/// One result.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FindResult {
    /// The class.
    pub class: Option<Class>,
    /// The item.
    pub server_id: Option<ServerId>,
    /// The folder.
    pub collection_id: Option<CollectionId>,
    /// The content, with root `Find:Properties`.
    pub properties: Option<Item>,
}
