//! SendMail, SmartReply and SmartForward: send a message (MS-ASCMD 2.2.1.17, 2.2.1.19, 2.2.1.20).
//!
//! Up to 12.1 the body of the request is the message itself and everything else stands in the request line; from 14.0 on
//! it is a document of the ComposeMail page. Success has no body in any version.

use easrig_wbxml::Document;

use crate::status::Status;

/// What is done with the message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Verb {
    /// SendMail.
    #[default]
    Send,
    /// SmartReply.
    Reply,
    /// SmartForward.
    Forward,
}

/// A message to send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Which of the three commands.
    pub verb: Verb,
    /// The client's name for this sending, by which a server refuses a repetition (Status 118); at most 40 characters.
    pub client_id: Option<String>,
    /// The account to send from (14.1+).
    pub account_id: Option<String>,
    /// Whether a copy goes to Sent Items.
    pub save_in_sent_items: bool,
    /// The message that is answered or forwarded.
    pub source: Option<Source>,
    /// Whether the text of the source is left out.
    pub replace_mime: bool,
    /// The message.
    pub mime: Vec<u8>,
    /// The rights policy template (14.1+).
    pub template_id: Option<String>,
    /// Who receives a forwarded meeting (16.0+).
    pub forwardees: Vec<Forwardee>,
}

/// The message that is answered or forwarded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// Its folder.
    pub folder_id: Option<String>,
    /// The item.
    pub item_id: Option<String>,
    /// Instead of both: the item as Search named it.
    pub long_id: Option<String>,
    /// The occurrence of a series.
    pub instance_id: Option<String>,
}

/// One receiver of a forwarded meeting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forwardee {
    /// Their name.
    pub name: Option<String>,
    /// Their address.
    pub email: String,
}

/// The body of the HTTP request.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// 14.0+.
    Wbxml(Document),
    /// Up to 12.1: `message/rfc822`.
    Mime(Vec<u8>),
}

/// What the server answers, if anything (14.0+).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// Which of the three commands.
    pub verb: Verb,
    /// What went wrong.
    pub status: Status,
}
