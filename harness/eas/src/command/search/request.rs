use easrig_wbxml::{
    Builder, Document,
    tags::{air_sync, rights_management as rights, search as tag},
};

use super::{Options, Query, Request};
use crate::{
    Version,
    command::{
        BodyPartPreference, BodyPreference, PictureOptions, ShapeError,
        preference::PictureTags,
        shape::{Reader, Write},
    },
};

impl Request {
    /// The document; what is newer than `version` is left out of the options.
    pub fn to_document(&self, version: Version) -> Document {
        let mut out = Builder::new(tag::SEARCH);
        out.open(tag::STORE).value(tag::NAME, &self.store);
        self.query.write(&mut out, version);
        if let Some(options) = &self.options {
            options.write(&mut out, version);
        }
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another, the store or the query is missing, or a number or range is none.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::SEARCH, "Search:Search")?;
        let store = root.need(tag::STORE)?;
        Ok(Self {
            store: store.need_text(tag::NAME)?,
            query: Query::read(&store.need(tag::QUERY)?)?,
            options: store.child(tag::OPTIONS).map(|at| Options::read(&at)).transpose()?,
        })
    }
}

impl Options {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self {
            mime_support: at.number(air_sync::MIME_SUPPORT)?,
            body_preferences: BodyPreference::read_all(at)?,
            body_part_preference: BodyPartPreference::read(at)?,
            rights_management_support: at.switch(rights::RIGHTS_MANAGEMENT_SUPPORT)?,
            range: at.parsed(tag::RANGE, "a range `first-last`")?,
            user_name: at.text(tag::USER_NAME),
            password: at.text(tag::PASSWORD),
            deep_traversal: at.flag(tag::DEEP_TRAVERSAL)?,
            rebuild_results: at.flag(tag::REBUILD_RESULTS)?,
            picture: PictureOptions::read(at, PICTURE)?,
        })
    }

    fn write(&self, out: &mut Builder, version: Version) {
        out.open(tag::OPTIONS).maybe(air_sync::MIME_SUPPORT, self.mime_support);
        if version >= Version::V12_0 {
            self.body_preferences.iter().for_each(|preference| preference.write(out));
        }
        if let Some(preference) = self.body_part_preference.as_ref().filter(|_| version >= Version::V14_1) {
            preference.write(out);
        }
        out.switch(
            rights::RIGHTS_MANAGEMENT_SUPPORT,
            self.rights_management_support.filter(|_| version >= Version::V14_1),
        )
        .maybe(tag::RANGE, self.range)
        .maybe(tag::USER_NAME, self.user_name.as_ref().filter(|_| version >= Version::V12_1))
        .maybe(tag::PASSWORD, self.password.as_ref().filter(|_| version >= Version::V12_1))
        .flag(tag::DEEP_TRAVERSAL, self.deep_traversal.filter(|_| version >= Version::V12_0))
        .flag(tag::REBUILD_RESULTS, self.rebuild_results.filter(|_| version >= Version::V12_0));
        if let Some(picture) = self.picture.as_ref().filter(|_| version >= Version::V14_1) {
            picture.write(out, PICTURE);
        }
        out.close();
    }
}

const PICTURE: PictureTags =
    PictureTags { picture: tag::PICTURE, max_size: tag::MAX_SIZE, max_pictures: tag::MAX_PICTURES };
