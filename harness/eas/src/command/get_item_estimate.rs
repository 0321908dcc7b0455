//! GetItemEstimate: how many changes a Sync would bring (MS-ASCMD 2.2.1.9).

use super::{Class, Flag};
use crate::{CollectionId, SyncKey, status::Status};

/// What a device asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The folders.
    pub collections: Vec<Collection>,
}

/// One folder of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collection {
    /// The class; written up to 12.1 only, later it stands in the options.
    pub class: Option<Class>,
    /// The key of the last Sync.
    pub sync_key: SyncKey,
    /// The folder.
    pub collection_id: CollectionId,
    /// Whether the filter works on conversations (14.0+).
    pub conversation_mode: Option<Flag>,
    /// What counts. Up to 12.1 only the first one's `filter_type` is written.
    pub options: Vec<Options>,
}

/// What counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The age filter, 0 (all) to 8 (incomplete tasks).
    pub filter_type: Option<u32>,
    /// The class these options are for (14.0+).
    pub class: Option<Class>,
    /// The most items of a recipient information cache (14.0+).
    pub max_items: Option<u32>,
}

/// What the server answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// An error of the whole command (14.0+).
    pub status: Option<Status>,
    /// The folders.
    pub responses: Vec<EstimateResponse>,
}

/// One folder of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EstimateResponse {
    /// The outcome.
    pub status: Option<Status>,
    /// The class (up to 12.1).
    pub class: Option<Class>,
    /// The folder.
    pub collection_id: Option<CollectionId>,
    /// The number of changes.
    pub estimate: Option<u32>,
}
