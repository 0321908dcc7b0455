use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$head:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $words:literal,)* }) => {
        $(#[$head])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $words)] $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name for people.
            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$variant => $words,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.words())
            }
        }
    };
}

words! {
    /// What a difference is about, named after what a user or an administrator would call it.
    Kind {
        /// There was an answer, and now there is none (or the other way round).
        AnswerMissing = "no answer",
        /// Another HTTP status code.
        HttpChanged = "http changed",
        /// A way to log in that the device used is refused.
        LoginRefused = "login refused",
        /// A protocol version is not offered any more.
        VersionGone = "version gone",
        /// A command is not offered any more.
        CommandGone = "command gone",
        /// A header that devices read is missing.
        HeaderVanished = "header vanished",
        /// A header that devices read says something else.
        HeaderChanged = "header changed",
        /// The body is of another media type.
        ContentTypeChanged = "content type changed",
        /// A Status has another value.
        StatusChanged = "status changed",
        /// A folder is not in the list any more.
        FolderLost = "folder lost",
        /// There is a folder that was not there.
        FolderAdded = "folder added",
        /// A folder has another type: the phone shows it as something else.
        FolderTypeChanged = "folder type changed",
        /// An item does not come any more.
        ItemLost = "item lost",
        /// An item comes that did not.
        ItemAdded = "item added",
        /// An item comes twice.
        ItemDoubled = "item doubled",
        /// An item says something else.
        ItemChanged = "item changed",
        /// Things whose order matters come in another order.
        Reordered = "reordered",
        /// A body comes in another type than before.
        BodyType = "body type",
        /// A body is cut where it was not, or the other way round, or says so differently.
        Truncation = "truncation",
        /// The server says that there is more where it did not, or the other way round.
        MoreAvailableChanged = "more-available changed",
        /// A key was handed out anew where there must be a new one, or is 0 where there must be one.
        KeyNotAdvanced = "key not advanced",
        /// A folder or item has another id than a moment ago: devices load it again.
        IdChanged = "id changed",
        /// A setting of the policy has another value.
        PolicyChanged = "policy changed",
        /// Anything else.
        DocumentDiffers = "document differs",
    }
}

words! {
    /// Why something that is not the same is no difference. Each is counted.
    Rule {
        /// Synchronisation keys are the server's to choose; only whether there is one, and whether it is new, matters.
        Keys = "key is another",
        /// Ids of folders, items, attachments, conversations and search results are the server's to choose; that the same
        /// thing keeps its id is checked where the new id is known.
        Ids = "id is another",
        /// Ids that a device chose for what it made: they are drawn anew so that servers do not take it for a repetition.
        ClientIds = "client id is another",
        /// A date moved by as much as lies between the two answers: the server gave it when something arrived.
        Dates = "date moved with the clock",
        /// The same moment, or the same value, written in another way.
        Forms = "written in another way",
        /// Headers about the machine: Server, Date, X-Powered-By, request ids, caching, cookies.
        MachineHeaders = "header about the machine",
        /// Transfer: lengths, chunks, compression, connections.
        Transfer = "other transfer of the same body",
        /// A version or command more than before is offered.
        MoreOffered = "more is offered",
        /// The order of headers and of items where it does not matter.
        Order = "order where it does not matter",
        /// An item came in another window of the same synchronisation.
        OtherWindow = "item in another window",
        /// Filler of the same length as the text that stands there now: contents were not recorded.
        Filler = "contents not recorded",
        /// A Ping or Sync that waited in vain asks for a shorter wait than in the recording, and those that repeat it wait as long.
        Heartbeat = "heartbeat is another",
        /// What a server makes of a text that was sent as filler: sizes and previews say nothing.
        SentAsFiller = "made from contents not recorded",
    }
}
