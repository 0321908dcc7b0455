use std::fmt::Write as _;

use easrig_wbxml::{Element, Tag};
use serde::{Deserialize, Serialize};

/// What a value that the server owns (or a device chose once and for all) names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owned {
    /// SyncKey of a collection.
    SyncKey,
    /// SyncKey of the folder list.
    HierarchyKey,
    /// PolicyKey.
    PolicyKey,
    /// A folder: CollectionId, ParentId, ServerId in the folder list.
    Folder,
    /// An item: ServerId, MoveItems ids, RequestId, CalendarId.
    Item,
    /// An item for its device: ClientId.
    Client,
    /// A hit of a search: LongId.
    LongId,
    /// An attachment: FileReference, AttName.
    File,
    /// A conversation: ConversationId.
    Conversation,
    /// A meeting across mailboxes: UID, GlobalObjId.
    Meeting,
    /// A date that moved with the clock, and by which one occurrence of a series is named: InstanceId.
    Date,
}

impl Owned {
    /// Its name in the standard.
    pub fn name(self) -> &'static str {
        match self {
            Self::SyncKey => "SyncKey",
            Self::HierarchyKey => "SyncKey of the folder list",
            Self::PolicyKey => "PolicyKey",
            Self::Folder => "CollectionId",
            Self::Item => "ServerId",
            Self::Client => "ClientId",
            Self::LongId => "LongId",
            Self::File => "FileReference",
            Self::Conversation => "ConversationId",
            Self::Meeting => "UID",
            Self::Date => "InstanceId",
        }
    }

    /// Whether its values are valid inside one folder only.
    pub fn is_in_folder(self) -> bool {
        matches!(self, Self::SyncKey | Self::Item)
    }

    /// Whether this value stands for itself on every server: `0`, and no value at all.
    pub fn is_fixed(self, value: &str) -> bool {
        match self {
            Self::SyncKey | Self::HierarchyKey | Self::PolicyKey | Self::Folder => matches!(value, "0" | ""),
            _ => value.is_empty(),
        }
    }

    /// Whether one thing keeps this name for as long as a device knows it.
    pub(super) fn lasts(self) -> bool {
        matches!(self, Self::Folder | Self::Item)
    }
}

/// What the text of `tag` names, when it is such a value.
pub fn owned(tag: Tag) -> Option<Owned> {
    Some(match (tag.namespace()?, tag.name()?) {
        ("AirSync", "SyncKey") => Owned::SyncKey,
        ("FolderHierarchy", "SyncKey") => Owned::HierarchyKey,
        ("Provision", "PolicyKey") => Owned::PolicyKey,
        ("AirSync" | "GetItemEstimate" | "MeetingResponse", "CollectionId")
        | ("FolderHierarchy", "ServerId" | "ParentId")
        | ("Move", "SrcFldId" | "DstFldId")
        | ("ItemOperations", "DstFldId")
        | ("ComposeMail", "FolderId")
        | ("Ping", "Id" | "Folder") => Owned::Folder,
        ("AirSync", "ServerId")
        | ("Move", "SrcMsgId" | "DstMsgId")
        | ("MeetingResponse", "RequestId" | "CalendarId")
        | ("ComposeMail", "ItemId") => Owned::Item,
        ("AirSync" | "ComposeMail", "ClientId") => Owned::Client,
        ("Search" | "ComposeMail", "LongId") => Owned::LongId,
        ("AirSyncBase", "FileReference") | ("Email", "AttName") => Owned::File,
        ("Email2" | "ItemOperations" | "Search", "ConversationId") => Owned::Conversation,
        ("Calendar", "UID") | ("Email", "GlobalObjId") => Owned::Meeting,
        _ => return None,
    })
}

/// The value of such an element: its text, or the hexadecimal digits of its bytes when these are opaque.
pub fn owned_value(element: Element<'_>) -> String {
    if !element.is_opaque() {
        return element.text().trim().to_owned();
    }
    element.bytes().iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_that_names_something_of_the_server_is_known() {
        let names = [
            ("AirSync", "SyncKey"),
            ("FolderHierarchy", "SyncKey"),
            ("Provision", "PolicyKey"),
            ("AirSync", "CollectionId"),
            ("GetItemEstimate", "CollectionId"),
            ("MeetingResponse", "CollectionId"),
            ("FolderHierarchy", "ParentId"),
            ("Move", "SrcFldId"),
            ("ItemOperations", "DstFldId"),
            ("ComposeMail", "FolderId"),
            ("Ping", "Id"),
            ("Move", "DstMsgId"),
            ("MeetingResponse", "RequestId"),
            ("ComposeMail", "ItemId"),
            ("ComposeMail", "ClientId"),
            ("Search", "LongId"),
            ("AirSyncBase", "FileReference"),
            ("Email", "AttName"),
            ("Email2", "ConversationId"),
            ("Calendar", "UID"),
            ("Email", "GlobalObjId"),
        ];
        for (namespace, name) in names {
            let tag = Tag::lookup(namespace, name);
            let tag = tag.unwrap_or_else(|| panic!("{namespace}:{name} is no element"));
            assert!(owned(tag).is_some(), "{namespace}:{name}");
        }
        assert_eq!(owned(Tag::lookup("Email", "Subject").unwrap()), None);
    }
}
