use easrig_wbxml::{
    Builder, Document,
    tags::{air_sync, search as tag},
};

use super::{Response, SearchResult, StoreResponse};
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
        let mut out = Builder::new(tag::SEARCH);
        out.maybe(tag::STATUS, self.status);
        if let Some(store) = &self.store {
            out.open(tag::RESPONSE).open(tag::STORE).maybe(tag::STATUS, store.status);
            store.results.iter().for_each(|result| result.write(&mut out));
            out.maybe(tag::RANGE, store.range).maybe(tag::TOTAL, store.total).close().close();
        }
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another, or a number or range is none.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::SEARCH, "Search:Search")?;
        let response = root.child(tag::RESPONSE);
        let store = response.as_ref().and_then(|at| at.child(tag::STORE));
        Ok(Self { status: root.status(tag::STATUS)?, store: store.map(|at| StoreResponse::read(&at)).transpose()? })
    }
}

impl StoreResponse {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self {
            status: at.status(tag::STATUS)?,
            results: at.all(tag::RESULT).map(|at| SearchResult::read(&at)).collect(),
            range: at.parsed(tag::RANGE, "a range `first-last`")?,
            total: at.number(tag::TOTAL)?,
        })
    }
}

impl SearchResult {
    fn read(at: &Reader<'_, '_>) -> Self {
        Self {
            class: at.text(air_sync::CLASS),
            long_id: at.text(tag::LONG_ID),
            collection_id: at.text(air_sync::COLLECTION_ID),
            properties: at.child(tag::PROPERTIES).map(|at| Item::from_element(at.element())),
        }
    }

    fn write(&self, out: &mut Builder) {
        if *self == Self::default() {
            out.empty(tag::RESULT);
            return;
        }
        out.open(tag::RESULT)
            .maybe(air_sync::CLASS, self.class.as_ref())
            .maybe(tag::LONG_ID, self.long_id.as_ref())
            .maybe(air_sync::COLLECTION_ID, self.collection_id.as_ref());
        if let Some(properties) = &self.properties {
            properties.write(out, tag::PROPERTIES);
        }
        out.close();
    }
}
