use std::time::Duration;

use easrig_eas::Command;
use easrig_exchange::Secret;
use easrig_wbxml::Document;

use crate::{Letter, Patience, Source};

/// What a phone can be asked to do.
#[derive(Clone, Debug)]
pub enum Task {
    /// Something the device does in its own way.
    Habit(Habit),
    /// One request with given contents; only how it travels is the device's own.
    Send(Box<ExplicitSend>),
}

/// Something a device does in its own way.
#[derive(Clone, Debug)]
pub enum Habit {
    /// Finds its server from the owner's address.
    Discover,
    /// Asks for versions and commands.
    Options,
    /// Asks for the policy and acknowledges it, or does not.
    Provision,
    /// Brings the folder list up to date.
    FolderSync,
    /// Synchronises folders for the first time.
    FirstSync {
        /// Which; those the device synchronises by itself when empty.
        folders: Vec<FolderRef>,
    },
    /// Brings one folder up to date.
    Sync {
        /// Which.
        folder: FolderRef,
    },
    /// Everything a new phone does, in its own order.
    Connect,
    /// Synchronises until a message is there.
    Receive {
        /// Its subject.
        subject: String,
        /// Where it is expected.
        folder: FolderRef,
        /// How long to go on.
        within: Duration,
    },
    /// Opens a message and its attachments, and marks it read.
    ReadMail {
        /// Its subject.
        subject: String,
    },
    /// Sends a message.
    SendMail(Letter),
    /// Answers a message.
    Reply {
        /// The subject of the message.
        subject: String,
        /// The text of the answer.
        text: String,
    },
    /// Forwards a message.
    Forward {
        /// The subject of the message.
        subject: String,
        /// To whom.
        to: String,
        /// The text above it.
        text: String,
    },
    /// Moves a message.
    Move {
        /// Its subject.
        subject: String,
        /// Where to.
        to: FolderRef,
    },
    /// Deletes a message.
    Delete {
        /// Its subject.
        subject: String,
    },
    /// Marks a message read or unread.
    MarkRead {
        /// Its subject.
        subject: String,
        /// Whether it is read from now on.
        read: bool,
    },
    /// Flags a message for follow-up.
    Flag {
        /// Its subject.
        subject: String,
    },
    /// Waits for a change, then fetches it.
    Ping {
        /// How long to wait.
        within: Duration,
    },
    /// Searches the mailbox.
    Search {
        /// The words.
        text: String,
    },
    /// Answers an invitation.
    Meeting {
        /// Its subject.
        subject: String,
        /// The answer.
        answer: MeetingAnswer,
    },
    /// Makes a meeting and invites somebody.
    Invite {
        /// Whom.
        to: String,
        /// The subject.
        subject: String,
    },
    /// Makes an appointment.
    CreateEvent {
        /// The subject.
        subject: String,
    },
    /// Makes a contact.
    CreateContact {
        /// The name.
        name: String,
    },
    /// Switches the out-of-office answer on.
    SetOof {
        /// Its text.
        text: String,
    },
    /// Removes for good everything that carries a mark, and nothing else.
    Tidy {
        /// The mark, at least eight characters.
        tag: String,
    },
}

impl Habit {
    /// Every habit by the name that scenario files and persona files use.
    pub const NAMES: [&'static str; 24] = [
        "discover",
        "options",
        "provision",
        "folder_sync",
        "first_sync",
        "sync",
        "connect",
        "receive",
        "read_mail",
        "send_mail",
        "reply",
        "forward",
        "move",
        "delete",
        "mark_read",
        "flag",
        "ping",
        "search",
        "meeting",
        "invite",
        "create_event",
        "create_contact",
        "set_oof",
        "tidy",
    ];

    /// The name of this habit.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Discover => "discover",
            Self::Options => "options",
            Self::Provision => "provision",
            Self::FolderSync => "folder_sync",
            Self::FirstSync { .. } => "first_sync",
            Self::Sync { .. } => "sync",
            Self::Connect => "connect",
            Self::Receive { .. } => "receive",
            Self::ReadMail { .. } => "read_mail",
            Self::SendMail(_) => "send_mail",
            Self::Reply { .. } => "reply",
            Self::Forward { .. } => "forward",
            Self::Move { .. } => "move",
            Self::Delete { .. } => "delete",
            Self::MarkRead { .. } => "mark_read",
            Self::Flag { .. } => "flag",
            Self::Ping { .. } => "ping",
            Self::Search { .. } => "search",
            Self::Meeting { .. } => "meeting",
            Self::Invite { .. } => "invite",
            Self::CreateEvent { .. } => "create_event",
            Self::CreateContact { .. } => "create_contact",
            Self::SetOof { .. } => "set_oof",
            Self::Tidy { .. } => "tidy",
        }
    }
}

/// A folder as people name it: `inbox`, `sent` …, a display name, or the server's own name for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FolderRef(pub String);

impl From<&str> for FolderRef {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

/// The owner's answer to an invitation; the number is that of MeetingResponse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MeetingAnswer {
    /// 1.
    Accept = 1,
    /// 2.
    Tentative = 2,
    /// 3.
    Decline = 3,
}

/// Exactly one HTTP exchange: no provisioning and no redirect follows by itself.
#[derive(Clone, Debug, Default)]
pub struct ExplicitSend {
    /// The command; `None` is the OPTIONS method.
    pub command: Option<Command>,
    /// What is sent.
    pub body: Body,
    /// Parameters of the query, such as `CollectionId`.
    pub params: Vec<(String, String)>,
    /// Headers to set or, with `None`, to leave out.
    pub headers: Vec<(String, Option<String>)>,
    /// Other credentials.
    pub login: Option<Login>,
    /// Another form of the query than the device's own.
    pub query: Option<QueryHabit>,
    /// Another patience than the device's own.
    pub patience: Option<Patience>,
}

/// Other credentials than the account's.
#[derive(Clone, Debug)]
pub struct Login {
    /// The user.
    pub user: String,
    /// The password.
    pub secret: Secret,
}

/// The body of an explicit request.
#[derive(Clone, Debug, Default)]
pub enum Body {
    /// None at all.
    #[default]
    None,
    /// A document.
    Wbxml(Document),
    /// Bytes as they are.
    Raw(Vec<u8>),
    /// A message: as it is up to 12.1, in a document from 14.0 on.
    Mail(MailBody),
}

/// A message of SendMail, SmartReply or SmartForward.
#[derive(Clone, Debug, Default)]
pub struct MailBody {
    /// The message.
    pub letter: Letter,
    /// The name of this sending (14.0+).
    pub client_id: Option<String>,
    /// Whether a copy goes to Sent Items.
    pub save_in_sent: bool,
    /// The message that is answered or forwarded.
    pub source: Option<Source>,
    /// Whether the message is whole, so that the server adds nothing of the original (14.0+).
    pub replace_mime: bool,
}

/// The form of the request line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueryHabit {
    /// Names and values.
    Plain,
    /// One base64 value.
    Base64,
}
