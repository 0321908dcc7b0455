use std::collections::BTreeMap;

use easrig_eas::{
    ClientId, ServerId, SyncKey,
    command::{
        Class,
        sync::{CollectionResponse, Command, Options},
    },
};
use easrig_wbxml::Tag;

use crate::{Stamps, Switches, mime::Wanted};

/// What a device has of one folder.
#[derive(Clone, Debug)]
pub(crate) struct CollectionState {
    pub(crate) current: Known,
    /// Kept until the device uses the current key, since the answer that carried it may be lost.
    pub(crate) previous: Option<Known>,
    /// How items are wanted; holds until the device says otherwise.
    pub(crate) options: Vec<Options>,
    /// The elements the device manages itself.
    pub(crate) supported: Option<Vec<Tag>>,
    /// What led from the previous key to the current one.
    pub(crate) step: Option<Step>,
}

/// The items one key stands for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(crate) key: SyncKey,
    pub(crate) items: BTreeMap<ServerId, Stamps>,
}

/// One answered request, to be answered alike when it is repeated.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) commands: Vec<Command>,
    pub(crate) response: CollectionResponse,
    /// What the client's names for new items became.
    pub(crate) added: Vec<(ClientId, ServerId)>,
}

impl CollectionState {
    /// The state after a request with key 0.
    pub(crate) fn primed(key: SyncKey) -> Self {
        Self {
            current: Known { key, items: BTreeMap::new() },
            previous: None,
            options: Vec::new(),
            supported: None,
            step: None,
        }
    }

    /// The options for a class.
    pub(crate) fn options_for(&self, class: &Class) -> Option<&Options> {
        let own = self.options.iter().find(|options| options.class.as_ref() == Some(class));
        own.or_else(|| self.options.iter().find(|options| options.class.is_none())).or(self.options.first())
    }

    /// The age filter for a class.
    pub(crate) fn filter_type(&self, class: &Class) -> u32 {
        self.options_for(class).and_then(|options| options.filter_type).unwrap_or(0)
    }
}

/// How a device wants items, by its options.
pub(crate) fn wanted<'a>(
    options: Option<&'a Options>,
    version: easrig_eas::Version,
    switches: &'a Switches,
) -> Wanted<'a> {
    Wanted {
        version,
        preferences: options.map_or(&[], |options| options.body_preferences.as_slice()),
        part: options.and_then(|options| options.body_part_preference.as_ref()),
        mime_support: options.and_then(|options| options.mime_support).unwrap_or(0),
        truncation: options.and_then(|options| options.truncation),
        mime_truncation: options.and_then(|options| options.mime_truncation),
        switches,
    }
}
