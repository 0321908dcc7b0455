use easrig_wbxml::{Builder, tags::air_sync_base as base};

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
