use easrig_eas::ServerId;
use easrig_wbxml::Document;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::View;

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
    /// Which conversation it belongs to (MS-ASEMAIL 2.2.2.21 ConversationId).
    pub conversation_id: [u8; 16],
    /// Where in the conversation it stands (MS-ASEMAIL 2.2.2.22 ConversationIndex).
    pub conversation_index: Vec<u8>,
    /// Whether it is still being written (16.0+).
    pub draft: bool,
    /// Whether the owner was a blind receiver.
    pub received_as_bcc: bool,
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

impl Verb {
    /// The number on the wire.
    pub fn number(self) -> u8 {
        match self {
            Self::ReplyToSender => 1,
            Self::ReplyToAll => 2,
            Self::Forward => 3,
        }
    }
}

impl Mail {
    /// An unread message that arrived at `received`.
    pub fn new(mime: Vec<u8>, received: Timestamp) -> Self {
        let thread = Thread::of(&mime);
        Self {
            conversation_id: thread.id(),
            conversation_index: thread.index(received),
            mime,
            received,
            read: false,
            flag: None,
            categories: Vec::new(),
            verb: None,
            draft: false,
            received_as_bcc: false,
        }
    }

    /// The name of an attachment that ItemOperations and GetAttachment take.
    pub(crate) fn file_reference(item: &ServerId, index: usize) -> String {
        format!("{item}:{index}")
    }

    /// The item and the attachment behind such a name.
    pub(crate) fn resolve_reference(reference: &str) -> Option<(ServerId, usize)> {
        let (item, index) = reference.rsplit_once(':')?;
        Some((ServerId::from(item), index.parse().ok()?))
    }
}

/// What a message says about its conversation.
struct Thread {
    root: String,
    depth: usize,
}

impl Thread {
    /// The first message that is referred to names the conversation; else the message itself does.
    fn of(mime: &[u8]) -> Self {
        let Some(view) = View::parse(mime) else { return Self { root: String::new(), depth: 0 } };
        let references = view.references();
        let root = references.first().cloned().or_else(|| view.message_id()).unwrap_or_else(|| view.topic());
        Self { root, depth: references.len() }
    }

    fn id(&self) -> [u8; 16] {
        let digest = Sha256::digest(self.root.as_bytes());
        std::array::from_fn(|at| digest.get(at).copied().unwrap_or_default())
    }

    /// Five bytes of time, then five for every message between the first and this one.
    fn index(&self, received: Timestamp) -> Vec<u8> {
        let minutes = u64::try_from(received.as_second()).unwrap_or_default() / 60;
        let time = minutes.to_be_bytes();
        let mut index: Vec<u8> = time.iter().skip(3).copied().collect();
        for level in 0..self.depth.min(32) {
            let [a, b] = u16::try_from(level).unwrap_or_default().to_be_bytes();
            index.extend([0, 0, a, b, 0]);
        }
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_joins_the_conversation_of_its_original() {
        let at = Timestamp::UNIX_EPOCH;
        let first = Mail::new(b"Message-ID: <1@x>\r\nSubject: tea\r\n\r\nhi".to_vec(), at);
        let reply = Mail::new(b"Message-ID: <2@x>\r\nReferences: <1@x>\r\nSubject: Re: tea\r\n\r\nyes".to_vec(), at);
        let other = Mail::new(b"Message-ID: <3@x>\r\nSubject: tea\r\n\r\nhi".to_vec(), at);
        assert_eq!(first.conversation_id, reply.conversation_id);
        assert_ne!(first.conversation_id, other.conversation_id);
        assert_eq!((first.conversation_index.len(), reply.conversation_index.len()), (5, 10));
    }

    #[test]
    fn a_file_reference_leads_back_to_item_and_attachment() {
        let item = ServerId::from("5:12");
        assert_eq!(Mail::resolve_reference(&Mail::file_reference(&item, 3)), Some((item, 3)));
        assert_eq!(Mail::resolve_reference("5"), None);
    }
}
