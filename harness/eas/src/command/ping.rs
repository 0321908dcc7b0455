//! Ping: wait for changes (MS-ASCMD 2.2.1.13).
//!
//! A request without a body repeats the last one and is no document.

use easrig_wbxml::{Builder, Document, tags::ping as tag};

use super::{
    Class, ShapeError,
    shape::{Reader, Write},
};
use crate::{CollectionId, Version, status::Status};

/// What a device asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// How long to wait, in seconds; left out, the last one holds.
    pub heartbeat_interval: Option<u32>,
    /// The folders to watch; none at all repeats the last list.
    pub folders: Vec<Folder>,
}

/// A watched folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// The folder.
    pub id: CollectionId,
    /// Its class, which the standard requires.
    pub class: Option<Class>,
}

/// What the server answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// 1 nothing happened, 2 changes, others are errors.
    pub status: Status,
    /// The folders with changes (Status 2).
    pub folders: Vec<CollectionId>,
    /// The nearest interval the server allows, in seconds (Status 5).
    pub heartbeat_interval: Option<u32>,
    /// The most folders the server watches (Status 6).
    pub max_folders: Option<u32>,
}

impl Request {
    /// The document.
    pub fn to_document(&self, _version: Version) -> Document {
        let mut out = Builder::new(tag::PING);
        out.maybe(tag::HEARTBEAT_INTERVAL, self.heartbeat_interval);
        if !self.folders.is_empty() {
            out.open(tag::FOLDERS);
            for folder in &self.folders {
                out.open(tag::FOLDER).value(tag::ID, &folder.id).maybe(tag::CLASS, folder.class.as_ref()).close();
            }
            out.close();
        }
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another, a folder has no id or a number is none.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::PING, "Ping:Ping")?;
        let folders = match root.child(tag::FOLDERS) {
            Some(at) => at.all(tag::FOLDER).map(|at| Folder::read(&at)).collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        Ok(Self { heartbeat_interval: root.number(tag::HEARTBEAT_INTERVAL)?, folders })
    }
}

impl Folder {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self { id: at.need_text(tag::ID)?, class: at.text(tag::CLASS) })
    }
}

impl Response {
    /// The document.
    pub fn to_document(&self, _version: Version) -> Document {
        let mut out = Builder::new(tag::PING);
        out.value(tag::STATUS, self.status);
        if !self.folders.is_empty() {
            out.open(tag::FOLDERS);
            for folder in &self.folders {
                out.value(tag::FOLDER, folder);
            }
            out.close();
        }
        out.maybe(tag::HEARTBEAT_INTERVAL, self.heartbeat_interval).maybe(tag::MAX_FOLDERS, self.max_folders);
        out.finish()
    }

    /// Reads the document. A folder of an answer is text; where a server writes it as in a request, its `Id` counts.
    ///
    /// # Errors
    /// When the root is another, the status is missing or a number is none.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::PING, "Ping:Ping")?;
        let folder = |at: Reader<'_, '_>| at.text(tag::ID).unwrap_or_else(|| at.own_text().into_owned().into());
        Ok(Self {
            status: root.need_status(tag::STATUS)?,
            folders: root.child(tag::FOLDERS).map(|at| at.all(tag::FOLDER).map(folder).collect()).unwrap_or_default(),
            heartbeat_interval: root.number(tag::HEARTBEAT_INTERVAL)?,
            max_folders: root.number(tag::MAX_FOLDERS)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_and_written() {
        let xml = "<Ping xmlns=\"Ping\"><HeartbeatInterval>480</HeartbeatInterval><Folders><Folder><Id>5</Id>\
            <Class>Email</Class></Folder><Folder><Id>1</Id><Class>Calendar</Class></Folder></Folders></Ping>";
        let document = Document::from_xml(xml).unwrap();
        let request = Request::from_document(&document, Version::V14_1).unwrap();
        assert_eq!(request.heartbeat_interval, Some(480));
        assert_eq!(request.folders[1], Folder { id: "1".into(), class: Some(Class::Calendar) });
        assert_eq!(request.to_document(Version::V14_1), document);
    }

    #[test]
    fn an_answer_names_the_changed_folders() {
        let xml = "<Ping xmlns=\"Ping\"><Status>2</Status><Folders><Folder>5</Folder></Folders></Ping>";
        let document = Document::from_xml(xml).unwrap();
        let response = Response::from_document(&document, Version::V14_1).unwrap();
        assert_eq!(response, Response { status: Status(2), folders: vec!["5".into()], ..Default::default() });
        assert_eq!(response.to_document(Version::V14_1), document);
    }

    #[test]
    fn an_answer_tells_the_nearest_interval_and_the_most_folders() {
        let response =
            Response { status: Status(5), heartbeat_interval: Some(60), max_folders: Some(200), ..Default::default() };
        let document = response.to_document(Version::V12_1);
        assert_eq!(
            document.to_xml(),
            "<Ping xmlns=\"Ping\"><Status>5</Status><HeartbeatInterval>60</HeartbeatInterval>\
             <MaxFolders>200</MaxFolders></Ping>"
        );
        assert_eq!(Response::from_document(&document, Version::V12_1), Ok(response));
    }

    #[test]
    fn an_answer_without_status_or_with_a_strange_interval_is_refused() {
        for xml in ["<Ping xmlns=\"Ping\"/>", "<Ping xmlns=\"Ping\"><Status>1</Status><HeartbeatInterval/></Ping>"] {
            assert!(Response::from_document(&Document::from_xml(xml).unwrap(), Version::V14_1).is_err(), "{xml}");
        }
    }
}
