//! FolderSync: the list of folders and its changes (MS-ASCMD 2.2.1.5).

use std::fmt;

use crate::{CollectionId, SyncKey, status::Status};

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
