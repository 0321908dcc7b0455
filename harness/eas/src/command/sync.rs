//! Sync: the items of folders, in both directions (MS-ASCMD 2.2.1.21).
//!
//! A request or answer without a body is no document: a request repeats the last one (12.1+), an answer says that
//! nothing changed. Who reads HTTP bodies handles that before coming here.

mod request;
mod response;
#[cfg(test)]
mod tests;

use easrig_wbxml::Tag;

use super::{BodyPartPreference, BodyPreference, Class, Flag, Item};
use crate::{ClientId, CollectionId, ServerId, SyncKey, status::Status};

/// What a device asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// The folders to synchronise.
    pub collections: Vec<Collection>,
    /// How long the server may hold the answer back, in minutes, 1 to 59 (12.1+).
    pub wait: Option<u32>,
    /// The same in seconds, 60 to 3540 (14.0+).
    pub heartbeat_interval: Option<u32>,
    /// The most changes of the whole answer.
    pub window_size: Option<u32>,
    /// Whether the collections of the last request are to be added by the server (12.1+).
    pub partial: bool,
}

/// One folder of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Collection {
    /// The class; written up to 12.1 only.
    pub class: Option<Class>,
    /// The key of the last answer for this folder.
    pub sync_key: SyncKey,
    /// The folder.
    pub collection_id: CollectionId,
    /// The elements the client manages itself; an empty list is the empty element.
    pub supported: Option<Vec<Tag>>,
    /// Whether a deleted item goes to Deleted Items.
    pub deletes_as_moves: Option<Flag>,
    /// Whether the server sends its changes.
    pub get_changes: Option<Flag>,
    /// The most changes of this folder, 1 to 512.
    pub window_size: Option<u32>,
    /// Whether the filter works on conversations (14.0+).
    pub conversation_mode: Option<Flag>,
    /// How items are wanted; up to two, one per class.
    pub options: Vec<Options>,
    /// What the client changed; no element when empty.
    pub commands: Vec<Command>,
}

/// How items are wanted (MS-ASCMD 2.2.3.125.5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The age filter, 0 (all) to 8 (incomplete tasks).
    pub filter_type: Option<u32>,
    /// The class these options are for (14.0+).
    pub class: Option<Class>,
    /// The wanted bodies, one per type (12.0+).
    pub body_preferences: Vec<BodyPreference>,
    /// The wanted part of a conversation's message (14.1+).
    pub body_part_preference: Option<BodyPartPreference>,
    /// The cut of bodies, 0 (all) to 9 (2.5).
    pub truncation: Option<u32>,
    /// Who wins: 0 the client, 1 the server.
    pub conflict: Option<u32>,
    /// 0 never, 1 signed and encrypted messages only, 2 all messages as MIME.
    pub mime_support: Option<u32>,
    /// The cut of MIME, 0 (all of it cut) to 8 (nothing).
    pub mime_truncation: Option<u32>,
    /// The most items of a recipient information cache (14.0+).
    pub max_items: Option<u32>,
    /// Whether protected messages come decrypted (14.1+).
    pub rights_management_support: Option<bool>,
}

/// One change of the client's.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A new item.
    Add {
        /// The client's name for it.
        client_id: ClientId,
        /// Its class (14.0+, for text messages).
        class: Option<Class>,
        /// Its content.
        application_data: Item,
    },
    /// A changed item.
    Change {
        /// The item.
        server_id: ServerId,
        /// The occurrence of a series (16.0+).
        instance_id: Option<String>,
        /// The changed content.
        application_data: Item,
    },
    /// A deleted item.
    Delete {
        /// The item.
        server_id: ServerId,
        /// The occurrence of a series (16.0+).
        instance_id: Option<String>,
    },
    /// An item the client wants in full.
    Fetch {
        /// The item.
        server_id: ServerId,
    },
}

/// What the server answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response {
    /// The status of the command; normally there only when something is wrong.
    pub status: Option<Status>,
    /// The bound that `Wait`, `HeartbeatInterval` or the number of folders broke (Status 14, 15).
    pub limit: Option<u32>,
    /// The folders.
    pub collections: Vec<CollectionResponse>,
}

/// One folder of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CollectionResponse {
    /// The class; written up to 12.0 only.
    pub class: Option<Class>,
    /// The next key.
    pub sync_key: Option<SyncKey>,
    /// The folder.
    pub collection_id: Option<CollectionId>,
    /// The status of the folder.
    pub status: Option<Status>,
    /// Whether there is more than the window holds.
    pub more_available: bool,
    /// What the server changed, in the order of the document.
    pub commands: Vec<ServerCommand>,
    /// The outcome of the client's changes; an outcome may be left out when it is success.
    pub responses: Vec<CommandResponse>,
}

/// One change of the server's.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerCommand {
    /// A new item.
    Add {
        /// The item.
        server_id: ServerId,
        /// Its class (14.0+, where a folder holds several).
        class: Option<Class>,
        /// Its content.
        application_data: Item,
    },
    /// A changed item.
    Change {
        /// The item.
        server_id: ServerId,
        /// Its class (14.0+, where a folder holds several).
        class: Option<Class>,
        /// The changed content.
        application_data: Item,
    },
    /// A deleted item.
    Delete {
        /// The item.
        server_id: ServerId,
        /// Its class (14.0+, where a folder holds several).
        class: Option<Class>,
    },
    /// An item that fell out of the filter and is still on the server.
    SoftDelete {
        /// The item.
        server_id: ServerId,
    },
}

/// The outcome of one change of the client's.
#[derive(Clone, Debug, PartialEq)]
pub enum CommandResponse {
    /// A new item.
    Add {
        /// The client's name for it.
        client_id: Option<ClientId>,
        /// The server's name for it; missing when it failed.
        server_id: Option<ServerId>,
        /// Its class (14.0+).
        class: Option<Class>,
        /// The outcome.
        status: Option<Status>,
        /// What the server added (16.0+).
        application_data: Option<Item>,
    },
    /// A changed item.
    Change {
        /// The item.
        server_id: Option<ServerId>,
        /// The occurrence of a series (16.0+).
        instance_id: Option<String>,
        /// Its class (14.0+).
        class: Option<Class>,
        /// The outcome.
        status: Option<Status>,
        /// What the server changed with it (16.0+).
        application_data: Option<Item>,
    },
    /// A deleted item.
    Delete {
        /// The item.
        server_id: Option<ServerId>,
        /// The occurrence of a series (16.0+).
        instance_id: Option<String>,
        /// Its class (14.0+).
        class: Option<Class>,
        /// The outcome.
        status: Option<Status>,
    },
    /// An item that was asked for.
    Fetch {
        /// The item.
        server_id: Option<ServerId>,
        /// The outcome.
        status: Option<Status>,
        /// Its content.
        application_data: Option<Item>,
    },
}
