use easrig_eas::ServerId;

use crate::{Fields, Mail};

/// An item with its id and the numbers of its last changes.
#[derive(Clone, Debug)]
pub struct StoredItem {
    /// Its id; unique in the mailbox.
    pub id: ServerId,
    /// What it is.
    pub content: Content,
    /// When it changed.
    pub stamps: Stamps,
}

impl StoredItem {
    pub(crate) fn new(id: ServerId, content: Content, sequence: u64) -> Self {
        Self { id, content, stamps: Stamps { content: sequence, ..Stamps::default() } }
    }

    /// The mail, if it is one.
    pub fn mail(&self) -> Option<&Mail> {
        match &self.content {
            Content::Mail(mail) => Some(mail),
            Content::Fields(_) => None,
        }
    }

    /// The fields, if it is no mail.
    pub fn fields(&self) -> Option<&Fields> {
        match &self.content {
            Content::Fields(fields) => Some(fields),
            Content::Mail(_) => None,
        }
    }
}

/// What an item is.
#[derive(Clone, Debug)]
pub enum Content {
    /// A message.
    Mail(Box<Mail>),
    /// An appointment, a contact, a task or a note.
    Fields(Fields),
}

/// What can change by itself, so that it travels by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aspect {
    /// Everything.
    Content,
    /// The read mark of a mail.
    Read,
    /// The follow-up flag of a mail.
    Flag,
    /// The categories of a mail.
    Categories,
    /// What was last done with a mail: reply, forward.
    Verb,
}

/// The number of the last change per aspect; also what a device is known to have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamps {
    /// See [`Aspect::Content`].
    pub content: u64,
    /// See [`Aspect::Read`].
    pub read: u64,
    /// See [`Aspect::Flag`].
    pub flag: u64,
    /// See [`Aspect::Categories`].
    pub categories: u64,
    /// See [`Aspect::Verb`].
    pub verb: u64,
}

impl Stamps {
    /// The number of one aspect.
    pub fn of(&mut self, aspect: Aspect) -> &mut u64 {
        match aspect {
            Aspect::Content => &mut self.content,
            Aspect::Read => &mut self.read,
            Aspect::Flag => &mut self.flag,
            Aspect::Categories => &mut self.categories,
            Aspect::Verb => &mut self.verb,
        }
    }

    pub(crate) fn touch(&mut self, aspect: Aspect, sequence: u64) {
        *self.of(aspect) = sequence;
    }
}
