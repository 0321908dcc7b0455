use easrig_persona::{Confidence, FolderKind, ItemKind, OwnerView, Phone};
use easrig_scenario::{DeviceError, OwnerFolder, OwnerItem, model::OwnerKind};

/// What the owner sees, in the scenario room's words.
pub(crate) struct Seen<'p> {
    view: &'p OwnerView,
    phone: &'p Phone,
}

impl<'p> Seen<'p> {
    pub(crate) fn of(phone: &'p Phone) -> Self {
        Self { view: phone.owner(), phone }
    }
}

/// The word scenario files use for a built-in folder.
pub(crate) fn word(kind: FolderKind) -> Option<&'static str> {
    FolderKind::WORDS.iter().find(|(_, k)| *k == kind).map(|(word, _)| *word)
}

impl easrig_scenario::OwnerView for Seen<'_> {
    fn items(&self) -> Vec<OwnerItem> {
        let item = |item: &easrig_persona::OwnerItem| {
            Some(OwnerItem {
                kind: match item.kind {
                    ItemKind::Mail => OwnerKind::Mail,
                    ItemKind::Event => OwnerKind::Event,
                    ItemKind::Contact => OwnerKind::Contact,
                    ItemKind::Task => OwnerKind::Task,
                    ItemKind::Note => OwnerKind::Note,
                    ItemKind::Other => return None,
                },
                folder: item.folder.to_string(),
                subject: item.subject.clone(),
                from: item.from.clone(),
                read: item.read,
                flagged: item.flagged,
                body: item.body.clone(),
                formatted: self.phone.asks_for_html().then_some(item.html),
                attachments: item.attachments.iter().map(|a| a.name.clone()).collect(),
                enclosed: item.attachments.iter().filter_map(easrig_persona::OwnerAttachment::mail_text).collect(),
            })
        };
        self.view.items.iter().filter_map(item).collect()
    }

    fn folders(&self) -> Vec<OwnerFolder> {
        let folder = |folder: &easrig_persona::Folder| OwnerFolder {
            id: folder.id.to_string(),
            name: folder.name.clone(),
            kind: u8::try_from(folder.kind.0).unwrap_or(0),
        };
        self.view.folders.iter().map(folder).collect()
    }

    fn synchronises(&self, word: &str) -> bool {
        self.phone.synchronises(word)
    }
}

/// The scenario room's words for what the persona room found.
pub fn device_error(error: &easrig_persona::DeviceError) -> DeviceError {
    DeviceError {
        code: error.code.clone(),
        message: error.message.clone(),
        remedy: error.remedy.clone(),
        confidence: confidence(error.confidence),
    }
}

/// The same for how well it is known.
pub fn confidence(confidence: Confidence) -> easrig_scenario::Confidence {
    match confidence {
        Confidence::Unverified => easrig_scenario::Confidence::Unverified,
        Confidence::Low => easrig_scenario::Confidence::Low,
        Confidence::Med => easrig_scenario::Confidence::Med,
        Confidence::High => easrig_scenario::Confidence::High,
    }
}
