//! SendMail, SmartReply and SmartForward: send a message (MS-ASCMD 2.2.1.17, 2.2.1.19, 2.2.1.20).
//!
//! Up to 12.1 the body of the request is the message itself and everything else stands in the request line; from 14.0 on
//! it is a document of the ComposeMail page. Success has no body in any version.

use easrig_wbxml::{
    Builder, Document, Tag,
    tags::{compose_mail as tag, rights_management as rights},
};

use super::{
    ShapeError,
    shape::{Reader, Write},
};
use crate::{Command, Version, status::Status};

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

impl Verb {
    /// The command of the request line.
    pub const fn command(self) -> Command {
        match self {
            Self::Send => Command::SendMail,
            Self::Reply => Command::SmartReply,
            Self::Forward => Command::SmartForward,
        }
    }

    fn tag(self) -> Tag {
        match self {
            Self::Send => tag::SEND_MAIL,
            Self::Reply => tag::SMART_REPLY,
            Self::Forward => tag::SMART_FORWARD,
        }
    }

    fn of(root: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        [Self::Send, Self::Reply, Self::Forward]
            .into_iter()
            .find(|verb| verb.tag() == root.tag())
            .ok_or_else(|| root.unexpected(&root.tag().to_string(), "ComposeMail:SendMail, SmartReply or SmartForward"))
    }
}

impl Request {
    /// The body of the HTTP request: the message itself up to 12.1, a document later. Up to 12.1 the source and the copy in
    /// Sent Items belong in the request line.
    pub fn body(&self, version: Version) -> Body {
        if version < Version::V14_0 { Body::Mime(self.mime.clone()) } else { Body::Wbxml(self.to_document(version)) }
    }

    /// The document of 14.0 and later; before, see [`Request::body`].
    pub fn to_document(&self, version: Version) -> Document {
        let mut out = Builder::new(self.verb.tag());
        out.maybe(tag::CLIENT_ID, self.client_id.as_ref())
            .maybe(tag::ACCOUNT_ID, self.account_id.as_ref().filter(|_| version >= Version::V14_1));
        if let Some(source) = &self.source {
            source.write(&mut out);
        }
        out.present(tag::SAVE_IN_SENT_ITEMS, self.save_in_sent_items)
            .present(tag::REPLACE_MIME, self.replace_mime)
            .opaque(tag::MIME, &self.mime)
            .maybe(rights::TEMPLATE_ID, self.template_id.as_ref().filter(|_| version >= Version::V14_1));
        if !self.forwardees.is_empty() && version >= Version::V16_0 {
            out.open(tag::FORWARDEES);
            for forwardee in &self.forwardees {
                out.open(tag::FORWARDEE)
                    .maybe(tag::NAME, forwardee.name.as_ref())
                    .leaf(tag::EMAIL, &forwardee.email)
                    .close();
            }
            out.close();
        }
        out.finish()
    }

    /// Reads the document of 14.0 and later.
    ///
    /// # Errors
    /// When the root is another or a receiver of a forwarded meeting has no address.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::any_root(document);
        let forwardees = match root.child(tag::FORWARDEES) {
            Some(at) => at.all(tag::FORWARDEE).map(|at| Forwardee::read(&at)).collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        Ok(Self {
            verb: Verb::of(&root)?,
            client_id: root.text(tag::CLIENT_ID),
            account_id: root.text(tag::ACCOUNT_ID),
            save_in_sent_items: root.has(tag::SAVE_IN_SENT_ITEMS),
            source: root.child(tag::SOURCE).map(|at| Source::read(&at)),
            replace_mime: root.has(tag::REPLACE_MIME),
            mime: root.child(tag::MIME).map(|at| at.element().bytes().into_owned()).unwrap_or_default(),
            template_id: root.text(rights::TEMPLATE_ID),
            forwardees,
        })
    }
}

impl Source {
    fn read(at: &Reader<'_, '_>) -> Self {
        Self {
            folder_id: at.text(tag::FOLDER_ID),
            item_id: at.text(tag::ITEM_ID),
            long_id: at.text(tag::LONG_ID),
            instance_id: at.text(tag::INSTANCE_ID),
        }
    }

    fn write(&self, out: &mut Builder) {
        out.open(tag::SOURCE)
            .maybe(tag::FOLDER_ID, self.folder_id.as_ref())
            .maybe(tag::ITEM_ID, self.item_id.as_ref())
            .maybe(tag::LONG_ID, self.long_id.as_ref())
            .maybe(tag::INSTANCE_ID, self.instance_id.as_ref())
            .close();
    }
}

impl Forwardee {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self { name: at.text(tag::NAME), email: at.need_text(tag::EMAIL)? })
    }
}

impl Response {
    /// The document; success is no document at all.
    pub fn to_document(&self, _version: Version) -> Document {
        let mut out = Builder::new(self.verb.tag());
        out.value(tag::STATUS, self.status);
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another or the status is missing or no number.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::any_root(document);
        Ok(Self { verb: Verb::of(&root)?, status: root.need_status(tag::STATUS)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply() -> Request {
        Request {
            verb: Verb::Reply,
            client_id: Some("id-1".into()),
            source: Some(Source { folder_id: Some("5".into()), item_id: Some("5:1".into()), ..Source::default() }),
            save_in_sent_items: true,
            mime: b"a\r\nb".to_vec(),
            ..Request::default()
        }
    }

    #[test]
    fn a_reply_is_a_document_from_14_0_on() {
        let Body::Wbxml(document) = reply().body(Version::V14_1) else { panic!("no document") };
        assert_eq!(
            document.to_xml(),
            "<SmartReply xmlns=\"ComposeMail\"><ClientId>id-1</ClientId><Source><FolderId>5</FolderId>\
             <ItemId>5:1</ItemId></Source><SaveInSentItems/><Mime><?opaque 610d0a62?></Mime></SmartReply>"
        );
        assert_eq!(Request::from_document(&document, Version::V14_1), Ok(reply()));
    }

    #[test]
    fn a_reply_is_the_message_itself_up_to_12_1() {
        assert_eq!(reply().body(Version::V12_1), Body::Mime(b"a\r\nb".to_vec()));
    }

    #[test]
    fn a_forwarded_meeting_names_its_receivers_at_16_0() {
        let forwardees = vec![Forwardee { name: None, email: "a@x.test".into() }];
        let request = Request { verb: Verb::Forward, forwardees, ..Request::default() };
        let document = request.to_document(Version::V16_0);
        assert!(document.to_xml().contains("<Forwardees><Forwardee><Email>a@x.test</Email></Forwardee></Forwardees>"));
        assert_eq!(Request::from_document(&document, Version::V16_0), Ok(request.clone()));
        assert!(!request.to_document(Version::V14_1).to_xml().contains("Forwardees"));
    }

    #[test]
    fn an_error_keeps_its_number() {
        let response = Response { verb: Verb::Send, status: Status(120) };
        let document = response.to_document(Version::V14_1);
        assert_eq!(document.to_xml(), "<SendMail xmlns=\"ComposeMail\"><Status>120</Status></SendMail>");
        assert_eq!(Response::from_document(&document, Version::V14_1), Ok(response));
        let other = Document::from_xml("<Sync xmlns=\"AirSync\"/>").unwrap();
        assert!(Response::from_document(&other, Version::V14_1).is_err());
    }
}
