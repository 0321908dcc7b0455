//! Mail: messages as bytes, what the mailbox notes about them, and how they look to a client.

mod body;
mod compose;
mod header;
mod invitation;
mod mail;
mod meeting;
mod recurrence;
mod render;
mod view;

pub(crate) use body::Wanted;
pub(crate) use compose::{Draft, Sender, bounce, draft, meeting_message, original, prepare};
pub(crate) use invitation::{Invitation, Method, Person};
pub use mail::{Mail, Verb};
pub(crate) use meeting::note_answer;
pub(crate) use render::{Parts, write_changed, write_fields, write_mail};
pub(crate) use view::{Attachment, View};
