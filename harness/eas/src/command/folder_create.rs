//! FolderCreate: make a folder (MS-ASCMD 2.2.1.3).

use super::folder_sync::FolderType;
use crate::{CollectionId, SyncKey, status::Status};

/// What a device asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The key of the folder list.
    pub sync_key: SyncKey,
    /// The parent, `0` at the top.
    pub parent_id: CollectionId,
    /// The name, at most 256 characters.
    pub display_name: String,
    /// What it is for: 1 or 12 to 17.
    pub folder_type: FolderType,
}

/// What the server answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status of the command.
    pub status: Status,
    /// The next key of the folder list.
    pub sync_key: Option<SyncKey>,
    /// The new folder.
    pub server_id: Option<CollectionId>,
}
