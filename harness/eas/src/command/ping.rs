//! Ping: wait for changes (MS-ASCMD 2.2.1.13).
//!
//! A request without a body repeats the last one and is no document.

use super::Class;
use crate::{CollectionId, status::Status};

/// What a device asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// How long to wait, in seconds; left out, the last one holds.
    pub heartbeat_interval: Option<u32>,
    /// The folders to watch; none at all repeats the last list.
    pub folders: Vec<Folder>,
}

/// A watched folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// The folder.
    pub id: CollectionId,
    /// Its class, which the standard requires.
    pub class: Option<Class>,
}

/// What the server answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// 1 nothing happened, 2 changes, others are errors.
    pub status: Status,
    /// The folders with changes (Status 2).
    pub folders: Vec<CollectionId>,
    /// The nearest interval the server allows, in seconds (Status 5).
    pub heartbeat_interval: Option<u32>,
    /// The most folders the server watches (Status 6).
    pub max_folders: Option<u32>,
}
