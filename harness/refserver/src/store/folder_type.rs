use easrig_eas::command::{Class, folder_sync::FolderType};

/// The folders every mailbox has (MS-ASCMD 2.2.3.186.3 Type).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Where mail arrives.
    Inbox,
    /// Mail being written.
    Drafts,
    /// Deleted Items.
    Deleted,
    /// Sent Items.
    Sent,
    /// Mail on its way out; always empty here.
    Outbox,
    /// Tasks.
    Tasks,
    /// The calendar.
    Calendar,
    /// People.
    Contacts,
    /// Notes.
    Notes,
}

impl Kind {
    /// The folders of a new mailbox, in the order they are made.
    pub const BUILT_IN: &[(Self, &str)] = &[
        (Self::Calendar, "Calendar"),
        (Self::Contacts, "Contacts"),
        (Self::Deleted, "Deleted Items"),
        (Self::Drafts, "Drafts"),
        (Self::Inbox, "Inbox"),
        (Self::Notes, "Notes"),
        (Self::Outbox, "Outbox"),
        (Self::Sent, "Sent Items"),
        (Self::Tasks, "Tasks"),
    ];

    /// The number FolderSync gives.
    pub const fn folder_type(self) -> FolderType {
        FolderType(match self {
            Self::Inbox => 2,
            Self::Drafts => 3,
            Self::Deleted => 4,
            Self::Sent => 5,
            Self::Outbox => 6,
            Self::Tasks => 7,
            Self::Calendar => 8,
            Self::Contacts => 9,
            Self::Notes => 10,
        })
    }
}

/// The class of the items in a folder of this type.
pub(crate) fn class_of(folder_type: FolderType) -> Class {
    match folder_type.0 {
        7 | 15 => Class::Tasks,
        8 | 13 => Class::Calendar,
        9 | 14 | 19 => Class::Contacts,
        10 | 17 => Class::Notes,
        _ => Class::Email,
    }
}

/// Whether folders of this type come with the mailbox and cannot be changed.
pub(crate) fn is_built_in(folder_type: FolderType) -> bool {
    !is_user_made(folder_type)
}

/// Whether a client may make folders of this type.
pub(crate) fn is_user_made(folder_type: FolderType) -> bool {
    matches!(folder_type.0, 1 | 12..=17)
}
