use easrig_wbxml::{Builder, Tag, tags::air_sync_base as base};

use super::shape::{Reader, ShapeError, Write};

/// How a client wants the bodies of items (MS-ASAIRS 2.2.2.12 BodyPreference, 12.0+).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyPreference {
    /// 1 plain text, 2 HTML, 3 RTF, 4 MIME.
    pub body_type: u32,
    /// The most bytes of body data; `None` is all of it.
    pub truncation_size: Option<u32>,
    /// Whether the server leaves a body out that it would have to cut.
    pub all_or_none: Option<bool>,
    /// The most characters of preview, at most 255 (14.0+).
    pub preview: Option<u32>,
}

/// How a client wants the part of a message that is new in its conversation (MS-ASAIRS 2.2.2.11, 14.1+).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyPartPreference {
    /// 2, HTML, is the only one the standard names.
    pub body_type: u32,
    /// The most bytes of body data.
    pub truncation_size: Option<u32>,
    /// Whether the server leaves a part out that it would have to cut.
    pub all_or_none: Option<bool>,
    /// The most characters of preview, at most 255.
    pub preview: Option<u32>,
}

/// How large and how many contact photos a client wants (`Picture` of Search, Find and ResolveRecipients, 14.1+).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PictureOptions {
    /// The most bytes of one picture.
    pub max_size: Option<u32>,
    /// The most pictures in the answer.
    pub max_pictures: Option<u32>,
}

impl BodyPreference {
    pub(super) fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self {
            body_type: at.need_number(base::TYPE)?,
            truncation_size: at.number(base::TRUNCATION_SIZE)?,
            all_or_none: at.switch(base::ALL_OR_NONE)?,
            preview: at.number(base::PREVIEW)?,
        })
    }

    pub(super) fn read_all(at: &Reader<'_, '_>) -> Result<Vec<Self>, ShapeError> {
        at.all(base::BODY_PREFERENCE).map(|child| Self::read(&child)).collect()
    }

    pub(super) fn write(&self, out: &mut Builder) {
        out.open(base::BODY_PREFERENCE)
            .value(base::TYPE, self.body_type)
            .maybe(base::TRUNCATION_SIZE, self.truncation_size)
            .switch(base::ALL_OR_NONE, self.all_or_none)
            .maybe(base::PREVIEW, self.preview)
            .close();
    }
}

impl BodyPartPreference {
    pub(super) fn read(at: &Reader<'_, '_>) -> Result<Option<Self>, ShapeError> {
        let Some(at) = at.child(base::BODY_PART_PREFERENCE) else { return Ok(None) };
        Ok(Some(Self {
            body_type: at.need_number(base::TYPE)?,
            truncation_size: at.number(base::TRUNCATION_SIZE)?,
            all_or_none: at.switch(base::ALL_OR_NONE)?,
            preview: at.number(base::PREVIEW)?,
        }))
    }

    pub(super) fn write(&self, out: &mut Builder) {
        out.open(base::BODY_PART_PREFERENCE)
            .value(base::TYPE, self.body_type)
            .maybe(base::TRUNCATION_SIZE, self.truncation_size)
            .switch(base::ALL_OR_NONE, self.all_or_none)
            .maybe(base::PREVIEW, self.preview)
            .close();
    }
}

impl PictureOptions {
    /// Reads it with the tags of the command's own page.
    pub(super) fn read(at: &Reader<'_, '_>, tags: PictureTags) -> Result<Option<Self>, ShapeError> {
        let Some(at) = at.child(tags.picture) else { return Ok(None) };
        Ok(Some(Self { max_size: at.number(tags.max_size)?, max_pictures: at.number(tags.max_pictures)? }))
    }

    pub(super) fn write(&self, out: &mut Builder, tags: PictureTags) {
        if *self == Self::default() {
            out.empty(tags.picture);
            return;
        }
        out.open(tags.picture).maybe(tags.max_size, self.max_size).maybe(tags.max_pictures, self.max_pictures).close();
    }
}

/// The three tags of a `Picture` option: every page has its own.
#[derive(Clone, Copy)]
pub(super) struct PictureTags {
    pub(super) picture: Tag,
    pub(super) max_size: Tag,
    pub(super) max_pictures: Tag,
}
