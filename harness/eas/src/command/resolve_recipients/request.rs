use easrig_wbxml::{Builder, Document, tags::resolve_recipients as tag};

use super::{AvailabilityOptions, Options, Request};
use crate::{
    Version,
    command::{
        PictureOptions, ShapeError,
        preference::PictureTags,
        shape::{Reader, Write},
    },
};

impl Request {
    /// The document; free/busy is left out before 14.0, pictures before 14.1.
    pub fn to_document(&self, version: Version) -> Document {
        let mut out = Builder::new(tag::RESOLVE_RECIPIENTS);
        for to in &self.to {
            out.leaf(tag::TO, to);
        }
        if let Some(options) = &self.options {
            options.write(&mut out, version);
        }
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another, free/busy has no beginning or a number is none.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::RESOLVE_RECIPIENTS, "ResolveRecipients:ResolveRecipients")?;
        Ok(Self {
            to: root.texts(tag::TO),
            options: root.child(tag::OPTIONS).map(|at| Options::read(&at)).transpose()?,
        })
    }
}

impl Options {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self {
            certificate_retrieval: at.number(tag::CERTIFICATE_RETRIEVAL)?,
            max_certificates: at.number(tag::MAX_CERTIFICATES)?,
            max_ambiguous_recipients: at.number(tag::MAX_AMBIGUOUS_RECIPIENTS)?,
            availability: at.child(tag::AVAILABILITY).map(|at| AvailabilityOptions::read(&at)).transpose()?,
            picture: PictureOptions::read(at, PICTURE)?,
        })
    }

    fn write(&self, out: &mut Builder, version: Version) {
        out.open(tag::OPTIONS)
            .maybe(tag::CERTIFICATE_RETRIEVAL, self.certificate_retrieval)
            .maybe(tag::MAX_CERTIFICATES, self.max_certificates)
            .maybe(tag::MAX_AMBIGUOUS_RECIPIENTS, self.max_ambiguous_recipients);
        if let Some(availability) = self.availability.as_ref().filter(|_| version >= Version::V14_0) {
            out.open(tag::AVAILABILITY)
                .leaf(tag::START_TIME, &availability.start_time)
                .maybe(tag::END_TIME, availability.end_time.as_ref())
                .close();
        }
        if let Some(picture) = self.picture.as_ref().filter(|_| version >= Version::V14_1) {
            picture.write(out, PICTURE);
        }
        out.close();
    }
}

impl AvailabilityOptions {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self { start_time: at.need_text(tag::START_TIME)?, end_time: at.text(tag::END_TIME) })
    }
}

const PICTURE: PictureTags =
    PictureTags { picture: tag::PICTURE, max_size: tag::MAX_SIZE, max_pictures: tag::MAX_PICTURES };
