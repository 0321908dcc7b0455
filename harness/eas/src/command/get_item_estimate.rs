//! GetItemEstimate: how many changes a Sync would bring (MS-ASCMD 2.2.1.9).

use easrig_wbxml::{
    Builder, Document,
    tags::{air_sync, get_item_estimate as tag},
};

use super::{
    Class, Flag, ShapeError,
    shape::{Reader, Write},
};
use crate::{CollectionId, SyncKey, Version, status::Status};

/// What a device asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The folders.
    pub collections: Vec<Collection>,
}

/// One folder of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collection {
    /// The class; written up to 12.1 only, later it stands in the options.
    pub class: Option<Class>,
    /// The key of the last Sync.
    pub sync_key: SyncKey,
    /// The folder.
    pub collection_id: CollectionId,
    /// Whether the filter works on conversations (14.0+).
    pub conversation_mode: Option<Flag>,
    /// What counts. Up to 12.1 only the first one's `filter_type` is written.
    pub options: Vec<Options>,
}

/// What counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The age filter, 0 (all) to 8 (incomplete tasks).
    pub filter_type: Option<u32>,
    /// The class these options are for (14.0+).
    pub class: Option<Class>,
    /// The most items of a recipient information cache (14.0+).
    pub max_items: Option<u32>,
}

/// What the server answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// An error of the whole command (14.0+).
    pub status: Option<Status>,
    /// The folders.
    pub responses: Vec<EstimateResponse>,
}

/// One folder of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EstimateResponse {
    /// The outcome.
    pub status: Option<Status>,
    /// The class (up to 12.1).
    pub class: Option<Class>,
    /// The folder.
    pub collection_id: Option<CollectionId>,
    /// The number of changes.
    pub estimate: Option<u32>,
}

impl Request {
    /// The document; its layout changed with 14.0.
    pub fn to_document(&self, version: Version) -> Document {
        let mut out = Builder::new(tag::GET_ITEM_ESTIMATE);
        out.open(tag::COLLECTIONS);
        for collection in &self.collections {
            out.open(tag::COLLECTION);
            if version < Version::V14_0 {
                collection.write_old(&mut out)
            } else {
                collection.write(&mut out)
            }
            out.close();
        }
        out.finish()
    }

    /// Reads the document, in either layout.
    ///
    /// # Errors
    /// When the root is another, a folder has no key or id, or a number is none.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::GET_ITEM_ESTIMATE, "GetItemEstimate:GetItemEstimate")?;
        let collections = match root.child(tag::COLLECTIONS) {
            Some(at) => at.all(tag::COLLECTION).map(|at| Collection::read(&at)).collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        Ok(Self { collections })
    }
}

impl Collection {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        let mut options = at.all(air_sync::OPTIONS).map(|at| Options::read(&at)).collect::<Result<Vec<_>, _>>()?;
        if options.is_empty() && at.has(air_sync::FILTER_TYPE) {
            options.push(Options { filter_type: at.number(air_sync::FILTER_TYPE)?, ..Options::default() });
        }
        let collection_id = at.text(tag::COLLECTION_ID).or_else(|| at.text(air_sync::COLLECTION_ID));
        Ok(Self {
            class: at.text(tag::CLASS).or_else(|| at.text(air_sync::CLASS)),
            sync_key: at.need_text(air_sync::SYNC_KEY)?,
            collection_id: collection_id.ok_or_else(|| at.missing(tag::COLLECTION_ID))?,
            conversation_mode: at.flag(air_sync::CONVERSATION_MODE)?,
            options,
        })
    }

    fn write(&self, out: &mut Builder) {
        out.value(air_sync::SYNC_KEY, &self.sync_key)
            .value(tag::COLLECTION_ID, &self.collection_id)
            .flag(air_sync::CONVERSATION_MODE, self.conversation_mode);
        for options in &self.options {
            out.open(air_sync::OPTIONS)
                .maybe(air_sync::FILTER_TYPE, options.filter_type)
                .maybe(air_sync::CLASS, options.class.as_ref())
                .maybe(air_sync::MAX_ITEMS, options.max_items)
                .close();
        }
    }

    fn write_old(&self, out: &mut Builder) {
        out.maybe(tag::CLASS, self.class.as_ref())
            .value(tag::COLLECTION_ID, &self.collection_id)
            .maybe(air_sync::FILTER_TYPE, self.options.first().and_then(|options| options.filter_type))
            .value(air_sync::SYNC_KEY, &self.sync_key);
    }
}

impl Options {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self {
            filter_type: at.number(air_sync::FILTER_TYPE)?,
            class: at.text(air_sync::CLASS),
            max_items: at.number(air_sync::MAX_ITEMS)?,
        })
    }
}

impl Response {
    /// The document; the class is left out from 14.0 on.
    pub fn to_document(&self, version: Version) -> Document {
        let mut out = Builder::new(tag::GET_ITEM_ESTIMATE);
        out.maybe(tag::STATUS, self.status);
        for response in &self.responses {
            out.open(tag::RESPONSE).maybe(tag::STATUS, response.status);
            if response.collection_id.is_some() || response.estimate.is_some() {
                out.open(tag::COLLECTION)
                    .maybe(tag::CLASS, response.class.as_ref().filter(|_| version < Version::V14_0))
                    .maybe(tag::COLLECTION_ID, response.collection_id.as_ref())
                    .maybe(tag::ESTIMATE, response.estimate)
                    .close();
            }
            out.close();
        }
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another or a number is none.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::GET_ITEM_ESTIMATE, "GetItemEstimate:GetItemEstimate")?;
        Ok(Self {
            status: root.status(tag::STATUS)?,
            responses: root.all(tag::RESPONSE).map(|at| EstimateResponse::read(&at)).collect::<Result<_, _>>()?,
        })
    }
}

impl EstimateResponse {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        let status = at.status(tag::STATUS)?;
        let Some(at) = at.child(tag::COLLECTION) else { return Ok(Self { status, ..Self::default() }) };
        Ok(Self {
            status,
            class: at.text(tag::CLASS),
            collection_id: at.text(tag::COLLECTION_ID),
            estimate: at.number(tag::ESTIMATE)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        let options = Options { filter_type: Some(3), class: Some(Class::Email), max_items: None };
        Request {
            collections: vec![Collection {
                class: Some(Class::Email),
                sync_key: "7".into(),
                collection_id: "5".into(),
                conversation_mode: None,
                options: vec![options],
            }],
        }
    }

    #[test]
    fn the_layout_up_to_12_1_has_the_class_of_its_own_page() {
        let document = request().to_document(Version::V12_1);
        assert_eq!(
            document.to_xml(),
            "<GetItemEstimate xmlns=\"GetItemEstimate\"><Collections><Collection><Class>Email</Class>\
             <CollectionId>5</CollectionId><FilterType xmlns=\"AirSync\">3</FilterType>\
             <SyncKey xmlns=\"AirSync\">7</SyncKey></Collection></Collections></GetItemEstimate>"
        );
        let read = Request::from_document(&document, Version::V12_1).unwrap();
        assert_eq!(read.collections[0].class, Some(Class::Email));
        assert_eq!(read.collections[0].options[0].filter_type, Some(3));
    }

    #[test]
    fn the_layout_from_14_0_on_has_options() {
        let document = request().to_document(Version::V14_0);
        assert_eq!(
            document.to_xml(),
            "<GetItemEstimate xmlns=\"GetItemEstimate\"><Collections><Collection>\
             <SyncKey xmlns=\"AirSync\">7</SyncKey><CollectionId>5</CollectionId><Options xmlns=\"AirSync\">\
             <FilterType>3</FilterType><Class>Email</Class></Options></Collection></Collections></GetItemEstimate>"
        );
        let read = Request::from_document(&document, Version::V14_0).unwrap();
        assert_eq!(read.collections[0].options, request().collections[0].options);
    }

    #[test]
    fn an_answer_counts_per_folder() {
        let xml = "<GetItemEstimate xmlns=\"GetItemEstimate\"><Response><Status>1</Status><Collection>\
            <CollectionId>5</CollectionId><Estimate>12</Estimate></Collection></Response>\
            <Response><Status>2</Status></Response></GetItemEstimate>";
        let document = Document::from_xml(xml).unwrap();
        let response = Response::from_document(&document, Version::V14_1).unwrap();
        assert_eq!(response.responses[0].estimate, Some(12));
        assert_eq!(response.responses[1], EstimateResponse { status: Some(Status(2)), ..Default::default() });
        assert_eq!(response.to_document(Version::V14_1), document);
    }

    #[test]
    fn a_folder_without_id_or_with_a_negative_count_is_refused() {
        let xml = "<GetItemEstimate xmlns=\"GetItemEstimate\"><Collections><Collection><SyncKey xmlns=\"AirSync\">1</SyncKey>\
            </Collection></Collections></GetItemEstimate>";
        assert!(Request::from_document(&Document::from_xml(xml).unwrap(), Version::V14_1).is_err());
        let xml = "<GetItemEstimate xmlns=\"GetItemEstimate\"><Response><Collection><Estimate>-1</Estimate></Collection>\
            </Response></GetItemEstimate>";
        assert!(Response::from_document(&Document::from_xml(xml).unwrap(), Version::V14_1).is_err());
    }
}
