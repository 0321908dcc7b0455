use easrig_wbxml::Document;
use jiff::Timestamp;

/// A message and what the mailbox notes about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Mail {
    /// The message as it came, headers and all.
    pub mime: Vec<u8>,
    /// When it arrived.
    pub received: Timestamp,
    /// Whether it was read.
    pub read: bool,
    /// The follow-up flag, an `Email:Flag` element.
    pub flag: Option<Document>,
    /// The categories.
    pub categories: Vec<String>,
    /// What was last done with it, and when.
    pub verb: Option<(Verb, Timestamp)>,
    /// Which conversation it belongs to (16 bytes, MS-ASEMAIL ConversationId).
    pub conversation_id: [u8; 16],
    /// Where in the conversation it stands (MS-ASEMAIL ConversationIndex).
    pub conversation_index: Vec<u8>,
    /// Whether it is still being written (16.0+).
    pub draft: bool,
    /// Who also receives a draft (16.0+); sent mail carries no Bcc.
    pub bcc: Option<String>,
}

/// What was last done with a message (MS-ASEMAIL 2.2.2.43 LastVerbExecuted).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Replied to the sender.
    ReplyToSender,
    /// Replied to all.
    ReplyToAll,
    /// Forwarded.
    Forward,
}
