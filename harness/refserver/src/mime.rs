//! Mail: messages as bytes, what the mailbox notes about them, and how they look to a client.

mod mail;

pub use mail::Mail;
