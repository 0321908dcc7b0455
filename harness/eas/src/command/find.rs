//! Find: the search of 16.1 (MS-ASCMD 2.2.1.2).

use easrig_wbxml::{
    Builder, Document, Tag,
    tags::{air_sync, find as tag, item_operations},
};

use super::{
    Class, Flag, Item, PictureOptions, Range, ShapeError,
    preference::PictureTags,
    shape::{Reader, Write},
};
use crate::{CollectionId, ServerId, Version, status::Status};

/// What a device looks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The client's name for the search, a GUID; the same for all pages of it.
    pub search_id: String,
    /// Where and what.
    pub criterion: Criterion,
}

/// Where and what to look for.
#[derive(Clone, Debug, PartialEq)]
pub enum Criterion {
    /// Messages.
    Mailbox {
        /// The class.
        class: Option<Class>,
        /// The folder; all without.
        collection_id: Option<CollectionId>,
        /// The words, in the keyword query language.
        free_text: Option<String>,
        /// How the results are wanted.
        options: Option<Options>,
    },
    /// The global address list.
    Gal {
        /// The beginning of a name or address.
        query: String,
        /// How the results are wanted.
        options: Option<Options>,
    },
}

/// How results are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The results wanted, counted from 0.
    pub range: Option<Range>,
    /// Whether subfolders count: messages.
    pub deep_traversal: Option<Flag>,
    /// Contact photos: address list.
    pub picture: Option<PictureOptions>,
}

/// What the server answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response {
    /// The status of the command.
    pub status: Option<Status>,
    /// The store's answer.
    pub response: Option<StoreResponse>,
}

/// The store's answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoreResponse {
    /// `Mailbox` or `GAL`.
    pub store: Option<String>,
    /// The status of the store.
    pub status: Option<Status>,
    /// The results.
    pub results: Vec<FindResult>,
    /// The results sent, counted from 0.
    pub range: Option<Range>,
    /// The number of results there are.
    pub total: Option<u32>,
}

/// One result.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FindResult {
    /// The class.
    pub class: Option<Class>,
    /// The item.
    pub server_id: Option<ServerId>,
    /// The folder.
    pub collection_id: Option<CollectionId>,
    /// The content, with root `Find:Properties`.
    pub properties: Option<Item>,
}

impl Request {
    /// The document.
    pub fn to_document(&self, _version: Version) -> Document {
        let mut out = Builder::new(tag::FIND);
        out.leaf(tag::SEARCH_ID, &self.search_id).open(tag::EXECUTE_SEARCH);
        self.criterion.write(&mut out);
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another, the name of the search or the criterion is missing, or a number or range is none.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::FIND, "Find:Find")?;
        let search = root.need(tag::EXECUTE_SEARCH)?;
        Ok(Self { search_id: root.need_text(tag::SEARCH_ID)?, criterion: Criterion::read(&search)? })
    }
}

impl Criterion {
    fn read(search: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        if let Some(at) = search.child(tag::GAL_SEARCH_CRITERION) {
            return Ok(Self::Gal { query: at.need_text(tag::QUERY)?, options: Options::read(&at)? });
        }
        let at = search.need(tag::MAIL_BOX_SEARCH_CRITERION)?;
        let query = at.need(tag::QUERY)?;
        Ok(Self::Mailbox {
            class: query.text(air_sync::CLASS),
            collection_id: query.text(air_sync::COLLECTION_ID),
            free_text: query.text(tag::FREE_TEXT),
            options: Options::read(&at)?,
        })
    }

    fn write(&self, out: &mut Builder) {
        let options = match self {
            Self::Mailbox { class, collection_id, free_text, options } => {
                out.open(tag::MAIL_BOX_SEARCH_CRITERION)
                    .open(tag::QUERY)
                    .maybe(air_sync::CLASS, class.as_ref())
                    .maybe(air_sync::COLLECTION_ID, collection_id.as_ref())
                    .maybe(tag::FREE_TEXT, free_text.as_ref())
                    .close();
                options
            }
            Self::Gal { query, options } => {
                out.open(tag::GAL_SEARCH_CRITERION).leaf(tag::QUERY, query);
                options
            }
        };
        if let Some(options) = options {
            options.write(out);
        }
        out.close();
    }
}

impl Options {
    fn read(at: &Reader<'_, '_>) -> Result<Option<Self>, ShapeError> {
        let Some(at) = at.child(tag::OPTIONS) else { return Ok(None) };
        let old = PictureOptions::read(&at, OLD_PICTURE)?;
        Ok(Some(Self {
            range: at.parsed(tag::RANGE, "a range `first-last`")?,
            deep_traversal: at.flag(tag::DEEP_TRAVERSAL)?,
            picture: PictureOptions::read(&at, PICTURE)?.or(old),
        }))
    }

    fn write(&self, out: &mut Builder) {
        out.open(tag::OPTIONS).maybe(tag::RANGE, self.range).flag(tag::DEEP_TRAVERSAL, self.deep_traversal);
        if let Some(picture) = &self.picture {
            picture.write(out, PICTURE);
        }
        out.close();
    }
}

impl Response {
    /// The document.
    pub fn to_document(&self, _version: Version) -> Document {
        let mut out = Builder::new(tag::FIND);
        out.maybe(tag::STATUS, self.status);
        if let Some(response) = &self.response {
            out.open(tag::RESPONSE)
                .maybe(item_operations::STORE, response.store.as_ref())
                .maybe(tag::STATUS, response.status);
            response.results.iter().for_each(|result| result.write(&mut out));
            out.maybe(tag::RANGE, response.range).maybe(tag::TOTAL, response.total).close();
        }
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another, or a number or range is none.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::FIND, "Find:Find")?;
        Ok(Self {
            status: root.status(tag::STATUS)?,
            response: root.child(tag::RESPONSE).map(|at| StoreResponse::read(&at)).transpose()?,
        })
    }
}

impl StoreResponse {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self {
            store: at.text(item_operations::STORE),
            status: at.status(tag::STATUS)?,
            results: at.all(tag::RESULT).map(|at| FindResult::read(&at)).collect(),
            range: at.parsed(tag::RANGE, "a range `first-last`")?,
            total: at.number(tag::TOTAL)?,
        })
    }
}

impl FindResult {
    fn read(at: &Reader<'_, '_>) -> Self {
        Self {
            class: at.text(air_sync::CLASS),
            server_id: at.text(air_sync::SERVER_ID),
            collection_id: at.text(air_sync::COLLECTION_ID),
            properties: at.child(tag::PROPERTIES).map(|at| Item::from_element(at.element())),
        }
    }

    fn write(&self, out: &mut Builder) {
        out.open(tag::RESULT)
            .maybe(air_sync::CLASS, self.class.as_ref())
            .maybe(air_sync::SERVER_ID, self.server_id.as_ref())
            .maybe(air_sync::COLLECTION_ID, self.collection_id.as_ref());
        if let Some(properties) = &self.properties {
            properties.write(out, tag::PROPERTIES);
        }
        out.close();
    }
}

const PICTURE: PictureTags =
    PictureTags { picture: tag::PICTURE, max_size: tag::MAX_SIZE, max_pictures: tag::MAX_PICTURES };

/// The numbers of older code pages (0x1A to 0x1C), which some clients still write.
const OLD_PICTURE: PictureTags =
    PictureTags { picture: Tag::new(25, 0x1C), max_size: Tag::new(25, 0x1B), max_pictures: Tag::new(25, 0x1A) };

#[cfg(test)]
mod tests {
    use super::*;

    const MAILBOX: &str = "<Find xmlns=\"Find\"><SearchId>ABCD</SearchId><ExecuteSearch><MailBoxSearchCriterion><Query>\
        <Class xmlns=\"AirSync\">Email</Class><CollectionId xmlns=\"AirSync\">5</CollectionId><FreeText>tag</FreeText>\
        </Query><Options><Range>0-4</Range><DeepTraversal/></Options></MailBoxSearchCriterion></ExecuteSearch></Find>";

    #[test]
    fn a_search_for_messages_is_read_and_written() {
        let document = Document::from_xml(MAILBOX).unwrap();
        let request = Request::from_document(&document, Version::V16_1).unwrap();
        assert!(matches!(&request.criterion, Criterion::Mailbox { free_text: Some(text), .. } if text == "tag"));
        assert_eq!(request.to_document(Version::V16_1), document);
    }

    #[test]
    fn a_search_for_people_is_read_and_written() {
        let options = Options { picture: Some(PictureOptions::default()), ..Options::default() };
        let criterion = Criterion::Gal { query: "ann".into(), options: Some(options) };
        let request = Request { search_id: "1".into(), criterion };
        let document = request.to_document(Version::V16_1);
        assert_eq!(
            document.to_xml(),
            "<Find xmlns=\"Find\"><SearchId>1</SearchId><ExecuteSearch><GalSearchCriterion><Query>ann</Query><Options>\
             <Picture/></Options></GalSearchCriterion></ExecuteSearch></Find>"
        );
        assert_eq!(Request::from_document(&document, Version::V16_1), Ok(request));
    }

    #[test]
    fn an_answer_is_read_and_written() {
        let xml = "<Find xmlns=\"Find\"><Status>1</Status><Response><Store xmlns=\"ItemOperations\">Mailbox</Store>\
            <Status>1</Status><Result><Class xmlns=\"AirSync\">Email</Class><ServerId xmlns=\"AirSync\">5:1</ServerId>\
            <CollectionId xmlns=\"AirSync\">5</CollectionId><Properties><Preview>hi</Preview></Properties></Result>\
            <Range>0-0</Range><Total>1</Total></Response></Find>";
        let document = Document::from_xml(xml).unwrap();
        let response = Response::from_document(&document, Version::V16_1).unwrap();
        let store = response.response.as_ref().unwrap();
        assert_eq!(store.results[0].properties.as_ref().unwrap().text(tag::PREVIEW).as_deref(), Some("hi"));
        assert_eq!(response.to_document(Version::V16_1), document);
    }

    #[test]
    fn a_search_without_name_is_refused() {
        let document = Document::from_xml(&MAILBOX.replace("<SearchId>ABCD</SearchId>", "")).unwrap();
        assert_eq!(Request::from_document(&document, Version::V16_1).unwrap_err().path, "Find/SearchId");
    }
}
