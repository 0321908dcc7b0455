//! FolderUpdate: rename or move a folder (MS-ASCMD 2.2.1.6).

use easrig_wbxml::{Builder, Document, tags::folder_hierarchy as tag};

use super::{
    ShapeError,
    shape::{Reader, Write},
};
use crate::{CollectionId, SyncKey, Version, status::Status};

/// What a device asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The key of the folder list.
    pub sync_key: SyncKey,
    /// The folder.
    pub server_id: CollectionId,
    /// The parent from now on, `0` at the top.
    pub parent_id: CollectionId,
    /// The name from now on, at most 256 characters.
    pub display_name: String,
}

/// What the server answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status of the command.
    pub status: Status,
    /// The next key of the folder list.
    pub sync_key: Option<SyncKey>,
}

impl Request {
    /// The document.
    pub fn to_document(&self, _version: Version) -> Document {
        let mut out = Builder::new(tag::FOLDER_UPDATE);
        out.value(tag::SYNC_KEY, &self.sync_key)
            .value(tag::SERVER_ID, &self.server_id)
            .value(tag::PARENT_ID, &self.parent_id)
            .leaf(tag::DISPLAY_NAME, &self.display_name);
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another or a part is missing.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::FOLDER_UPDATE, "FolderHierarchy:FolderUpdate")?;
        Ok(Self {
            sync_key: root.need_text(tag::SYNC_KEY)?,
            server_id: root.need_text(tag::SERVER_ID)?,
            parent_id: root.need_text(tag::PARENT_ID)?,
            display_name: root.need_text(tag::DISPLAY_NAME)?,
        })
    }
}

impl Response {
    /// The document.
    pub fn to_document(&self, _version: Version) -> Document {
        let mut out = Builder::new(tag::FOLDER_UPDATE);
        out.value(tag::STATUS, self.status).maybe(tag::SYNC_KEY, self.sync_key.as_ref());
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another or the status is missing or no number.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::FOLDER_UPDATE, "FolderHierarchy:FolderUpdate")?;
        Ok(Self { status: root.need_status(tag::STATUS)?, sync_key: root.text(tag::SYNC_KEY) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_and_written() {
        let xml = "<FolderUpdate xmlns=\"FolderHierarchy\"><SyncKey>3</SyncKey><ServerId>9</ServerId><ParentId>0</ParentId><DisplayName>New</DisplayName></FolderUpdate>";
        let document = Document::from_xml(xml).unwrap();
        let request = Request::from_document(&document, Version::V14_1).unwrap();
        assert_eq!(request.sync_key, "3".into());
        assert_eq!(request.to_document(Version::V14_1).to_xml(), xml);
    }

    #[test]
    fn an_answer_is_read_and_written() {
        let xml = "<FolderUpdate xmlns=\"FolderHierarchy\"><Status>1</Status><SyncKey>4</SyncKey></FolderUpdate>";
        let response = Response::from_document(&Document::from_xml(xml).unwrap(), Version::V14_1).unwrap();
        assert_eq!(response.sync_key, Some("4".into()));
        assert_eq!(response.to_document(Version::V14_1).to_xml(), xml);
    }

    #[test]
    fn a_request_without_key_and_an_answer_without_status_are_refused() {
        let empty = Document::from_xml("<FolderUpdate xmlns=\"FolderHierarchy\"/>").unwrap();
        assert_eq!(Request::from_document(&empty, Version::V14_1).unwrap_err().path, "FolderUpdate/SyncKey");
        assert_eq!(Response::from_document(&empty, Version::V14_1).unwrap_err().path, "FolderUpdate/Status");
    }
}
