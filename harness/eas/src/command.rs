//! The commands of MS-ASCMD, one module each, with their requests and answers as types.

pub mod find;
pub mod folder_create;
pub mod folder_delete;
pub mod folder_sync;
pub mod folder_update;
pub mod get_item_estimate;
pub mod item_operations;
pub mod meeting_response;
pub mod move_items;
pub mod ping;
pub mod provision;
pub mod resolve_recipients;
pub mod search;
pub mod send_mail;
pub mod settings;
pub mod sync;
pub mod validate_cert;

mod class;
mod flag;
mod item;
mod preference;
mod range;
mod shape;
#[cfg(test)]
mod total;

pub use class::Class;
pub use flag::Flag;
pub use item::Item;
pub use preference::{BodyPartPreference, BodyPreference, PictureOptions};
pub use range::{Range, RangeError};
pub use shape::{ShapeError, ShapeErrorKind};

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Version;

/// A command of the request line (MS-ASHTTP 2.2.1.1.1.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Command {
    /// Items of one or more folders.
    Sync,
    /// Send a new message.
    SendMail,
    /// Forward a message.
    SmartForward,
    /// Answer a message.
    SmartReply,
    /// Download an attachment (up to 12.1).
    GetAttachment,
    /// The list of folders and its changes.
    FolderSync,
    /// Make a folder.
    FolderCreate,
    /// Remove a folder.
    FolderDelete,
    /// Rename or move a folder.
    FolderUpdate,
    /// Move items between folders.
    MoveItems,
    /// How many changes a Sync would bring.
    GetItemEstimate,
    /// Accept or decline an invitation.
    MeetingResponse,
    /// Search the mailbox, the address list or document libraries.
    Search,
    /// Out of office, own addresses, device description.
    Settings,
    /// Wait for changes.
    Ping,
    /// Fetch, empty a folder, move a conversation.
    ItemOperations,
    /// Policies and their acknowledgement.
    Provision,
    /// Names, certificates, free/busy and pictures of recipients.
    ResolveRecipients,
    /// Check certificates.
    ValidateCert,
    /// Search (16.1).
    Find,
}

struct Row(Command, &'static str, u8, Version, Version);

const TABLE: [Row; 20] = {
    use Command as C;
    use Version as V;
    [
        Row(C::Sync, "Sync", 0, V::V2_5, V::V16_1),
        Row(C::SendMail, "SendMail", 1, V::V2_5, V::V16_1),
        Row(C::SmartForward, "SmartForward", 2, V::V2_5, V::V16_1),
        Row(C::SmartReply, "SmartReply", 3, V::V2_5, V::V16_1),
        Row(C::GetAttachment, "GetAttachment", 4, V::V2_5, V::V12_1),
        Row(C::FolderSync, "FolderSync", 9, V::V2_5, V::V16_1),
        Row(C::FolderCreate, "FolderCreate", 10, V::V2_5, V::V16_1),
        Row(C::FolderDelete, "FolderDelete", 11, V::V2_5, V::V16_1),
        Row(C::FolderUpdate, "FolderUpdate", 12, V::V2_5, V::V16_1),
        Row(C::MoveItems, "MoveItems", 13, V::V2_5, V::V16_1),
        Row(C::GetItemEstimate, "GetItemEstimate", 14, V::V2_5, V::V16_1),
        Row(C::MeetingResponse, "MeetingResponse", 15, V::V2_5, V::V16_1),
        Row(C::Search, "Search", 16, V::V2_5, V::V16_1),
        Row(C::Settings, "Settings", 17, V::V12_0, V::V16_1),
        Row(C::Ping, "Ping", 18, V::V2_5, V::V16_1),
        Row(C::ItemOperations, "ItemOperations", 19, V::V12_0, V::V16_1),
        Row(C::Provision, "Provision", 20, V::V2_5, V::V16_1),
        Row(C::ResolveRecipients, "ResolveRecipients", 21, V::V2_5, V::V16_1),
        Row(C::ValidateCert, "ValidateCert", 22, V::V2_5, V::V16_1),
        Row(C::Find, "Find", 23, V::V16_1, V::V16_1),
    ]
};

impl Command {
    /// Every command, in the order of its code.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.0)
    }

    /// The name as in `Cmd=`.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The byte of the base64 query.
    pub fn code(self) -> u8 {
        self.row().2
    }

    /// The command of a base64 query byte.
    pub fn from_code(code: u8) -> Option<Self> {
        TABLE.iter().find(|row| row.2 == code).map(|row| row.0)
    }

    /// Whether the command exists in `version`.
    pub fn exists_in(self, version: Version) -> bool {
        (self.row().3..=self.row().4).contains(&version)
    }

    fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.0 == self).expect("every command has a row: tested")
    }
}

/// A name that is no command.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown command `{0}`")]
pub struct UnknownCommand(pub String);

impl FromStr for Command {
    type Err = UnknownCommand;

    fn from_str(name: &str) -> Result<Self, UnknownCommand> {
        TABLE.iter().find(|row| row.1 == name).map(|row| row.0).ok_or_else(|| UnknownCommand(name.to_owned()))
    }
}

impl TryFrom<String> for Command {
    type Error = UnknownCommand;

    fn try_from(name: String) -> Result<Self, UnknownCommand> {
        name.parse()
    }
}

impl From<Command> for String {
    fn from(command: Command) -> Self {
        command.name().to_owned()
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_its_row() {
        for command in Command::all() {
            assert_eq!(command.name().parse(), Ok(command));
            assert_eq!(Command::from_code(command.code()), Some(command));
        }
        assert_eq!(Command::Find.code(), 23);
        assert_eq!(Command::from_code(5), None);
    }
}
