use easrig_wbxml::{
    Builder, Document,
    tags::{air_sync, air_sync_base as base, document_library as library, item_operations as tag, search},
};

use super::{FetchResponse, OperationResponse, Response};
use crate::{
    Version,
    command::{
        Item, ShapeError,
        shape::{Reader, Write},
    },
};

impl Response {
    /// The document.
    pub fn to_document(&self, _version: Version) -> Document {
        let mut out = Builder::new(tag::ITEM_OPERATIONS);
        out.maybe(tag::STATUS, self.status);
        if !self.responses.is_empty() {
            out.open(tag::RESPONSE);
            self.responses.iter().for_each(|response| response.write(&mut out));
            out.close();
        }
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another or a status is no number.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::ITEM_OPERATIONS, "ItemOperations:ItemOperations")?;
        let responses = match root.child(tag::RESPONSE) {
            Some(at) => {
                at.children().filter_map(|at| OperationResponse::read(&at).transpose()).collect::<Result<_, _>>()?
            }
            None => Vec::new(),
        };
        Ok(Self { status: root.status(tag::STATUS)?, responses })
    }
}

impl OperationResponse {
    fn read(at: &Reader<'_, '_>) -> Result<Option<Self>, ShapeError> {
        let status = at.status(tag::STATUS)?;
        Ok(match at.tag() {
            tag::EMPTY_FOLDER_CONTENTS => {
                Some(Self::EmptyFolderContents { status, collection_id: at.text(air_sync::COLLECTION_ID) })
            }
            tag::FETCH => Some(Self::Fetch(Box::new(FetchResponse::read(at)?))),
            tag::MOVE => Some(Self::Move {
                status,
                conversation_id: at.child(tag::CONVERSATION_ID).map(|at| at.element().bytes().into_owned()),
            }),
            _ => None,
        })
    }

    fn write(&self, out: &mut Builder) {
        match self {
            Self::EmptyFolderContents { status, collection_id } => {
                out.open(tag::EMPTY_FOLDER_CONTENTS)
                    .maybe(tag::STATUS, *status)
                    .maybe(air_sync::COLLECTION_ID, collection_id.as_ref());
            }
            Self::Fetch(fetch) => {
                out.open(tag::FETCH);
                fetch.write(out);
            }
            Self::Move { status, conversation_id } => {
                out.open(tag::MOVE).maybe(tag::STATUS, *status);
                if let Some(conversation) = conversation_id {
                    out.opaque(tag::CONVERSATION_ID, conversation);
                }
            }
        }
        out.close();
    }
}

impl FetchResponse {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self {
            status: at.status(tag::STATUS)?,
            link_id: at.text(library::LINK_ID),
            long_id: at.text(search::LONG_ID),
            collection_id: at.text(air_sync::COLLECTION_ID),
            server_id: at.text(air_sync::SERVER_ID),
            file_reference: at.text(base::FILE_REFERENCE),
            class: at.text(air_sync::CLASS),
            properties: at.child(tag::PROPERTIES).map(|at| Item::from_element(at.element())),
        })
    }

    fn write(&self, out: &mut Builder) {
        out.maybe(tag::STATUS, self.status)
            .maybe(air_sync::COLLECTION_ID, self.collection_id.as_ref())
            .maybe(air_sync::SERVER_ID, self.server_id.as_ref())
            .maybe(search::LONG_ID, self.long_id.as_ref())
            .maybe(air_sync::CLASS, self.class.as_ref())
            .maybe(library::LINK_ID, self.link_id.as_ref())
            .maybe(base::FILE_REFERENCE, self.file_reference.as_ref());
        if let Some(properties) = &self.properties {
            properties.write(out, tag::PROPERTIES);
        }
    }
}
