//! FolderDelete: remove a folder (MS-ASCMD 2.2.1.4).

use crate::{CollectionId, SyncKey, status::Status};

/// What a device asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The key of the folder list.
    pub sync_key: SyncKey,
    /// The folder.
    pub server_id: CollectionId,
}

/// What the server answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status of the command.
    pub status: Status,
    /// The next key of the folder list.
    pub sync_key: Option<SyncKey>,
}
