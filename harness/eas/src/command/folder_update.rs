//! FolderUpdate: rename or move a folder (MS-ASCMD 2.2.1.6).

use crate::{CollectionId, SyncKey, status::Status};

/// What a device asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The key of the folder list.
    pub sync_key: SyncKey,
    /// The folder.
    pub server_id: CollectionId,
    /// The parent from now on, `0` at the top.
    pub parent_id: CollectionId,
    /// The name from now on, at most 256 characters.
    pub display_name: String,
}

/// What the server answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status of the command.
    pub status: Status,
    /// The next key of the folder list.
    pub sync_key: Option<SyncKey>,
}
