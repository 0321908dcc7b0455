use std::collections::BTreeMap;

use easrig_exchange::{Masking, Timestamp, is_plain, masking};
use easrig_wbxml::{Builder, Content, Document, Element};

use super::{
    Author,
    asked::{certificate, moment},
};
use crate::difference::{Owned, owned, owned_value};

/// What stands for texts of people in one request.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    /// For every text of an item.
    pub(super) item: String,
    /// For what is searched.
    pub(super) query: String,
    /// For the names that are looked up, in their order.
    pub(super) people: Vec<String>,
    /// Whether a key is to be one that the server never gave.
    pub(super) wrong_key: bool,
    /// How many items are added in this request, and of how many the id was written.
    pub(super) adds: usize,
    /// How many items are added or changed.
    pub(super) changes: usize,
    pub(super) added: usize,
    /// Folders of the scenario's own, by the recorded folders that they stand for.
    pub(super) stand_ins: BTreeMap<String, String>,
    /// When the request was sent.
    pub(super) at: Option<Timestamp>,
    /// Whether a search found something.
    pub(super) finds: bool,
    /// Whether a date is an upper bound.
    pub(super) is_upper: bool,
}

impl Words {
    /// What makes a key a wrong one.
    fn ending(&self) -> &'static str {
        if self.wrong_key { "77" } else { "" }
    }
}

impl Author {
    /// The document with everything that the server owns by name, and other contents.
    ///
    /// # Errors
    /// What it is about that only the recorded mailbox has.
    pub(super) fn rewritten(&mut self, root: Element<'_>, words: &mut Words) -> Result<Document, String> {
        if !root.has_content() {
            return Ok(Builder::empty_root(root.tag()));
        }
        let mut builder = Builder::new(root.tag());
        let folder = folder_of(root).unwrap_or_default();
        self.contents(&mut builder, root, &folder, words)?;
        Ok(builder.finish())
    }

    /// Depth is bounded by the decoder.
    fn contents(
        &mut self,
        builder: &mut Builder,
        element: Element<'_>,
        folder: &str,
        words: &mut Words,
    ) -> Result<(), String> {
        for part in element.contents() {
            if let Content::Element(child) = part {
                self.element(builder, child, folder, words)?;
            }
        }
        Ok(())
    }

    fn element(
        &mut self,
        builder: &mut Builder,
        element: Element<'_>,
        folder: &str,
        words: &mut Words,
    ) -> Result<(), String> {
        let tag = element.tag();
        let name = tag.name().ok_or("it has an element that the standard does not name")?;
        if LEFT_OUT.contains(&name) {
            return Ok(());
        }
        if let Some((_, why)) = FOREIGN.iter().find(|(foreign, _)| *foreign == name) {
            return Err((*why).to_owned());
        }
        if !element.has_content() {
            builder.empty(tag);
        } else if !element.is_leaf() {
            let inside = folder_of(element);
            builder.open(tag);
            words.is_upper = name == "LessThan";
            self.contents(builder, element, inside.as_deref().unwrap_or(folder), words)?;
            builder.close();
        } else if let Some(text) = self.text(element, folder, words)? {
            builder.leaf(tag, &text);
        }
        Ok(())
    }

    /// What stands in an element; nothing when the element is left out.
    fn text(&mut self, element: Element<'_>, folder: &str, words: &mut Words) -> Result<Option<String>, String> {
        let before = owned_value(element);
        if let Some(owned) = owned(element.tag()) {
            let value = self.named_value(owned, folder, &before, words)?;
            let is_bytes = owned == Owned::Conversation && element.is_opaque();
            return Ok(Some(if is_bytes { format!("<?opaque {value}?>") } else { value }));
        }
        let (tag, name) = (element.tag(), element.tag().name().unwrap_or_default());
        let namespace = tag.namespace().unwrap_or_default();
        match (namespace, name) {
            ("Search", "Query" | "FreeText") | ("Find", "Query" | "FreeText") => return Ok(Some(words.query.clone())),
            ("Find", "SearchId") => return Ok(Some("{unique}".to_owned())),
            ("Search", "Value") => {
                if let Some(moment) = moment(&before, words.at) {
                    // What the scenario makes is newer than anything the recording had.
                    return Ok(Some(if words.finds && words.is_upper { "{now+1d:long}".to_owned() } else { moment }));
                }
            }
            ("ValidateCert", "Certificate") => return Ok(Some(certificate())),
            ("Settings", "Password") => return Ok(Some("Recorded-1".to_owned())),
            ("ResolveRecipients", "To") if !words.people.is_empty() => return Ok(Some(words.people.remove(0))),
            _ => {}
        }
        match masking(tag) {
            Masking::Pseudonym | Masking::Removed => Ok(None),
            Masking::Stands => kept(&before).map(Some),
            Masking::StandsWhenPlain | Masking::Filler if is_plain(&before) && !is_date_of_a_person(name) => {
                // Numbers of people and places are as private as their names.
                if masking(tag) == Masking::Filler && !matches!(namespace, "Search" | "Find" | "ItemOperations") {
                    return Ok(replacement(namespace, name, words));
                }
                kept(&before).map(Some)
            }
            Masking::StandsWhenPlain => Ok(None),
            Masking::Filler if matches!(namespace, "Search" | "Find") => {
                Err(format!("it searches by {name} of the recorded mailbox"))
            }
            Masking::Filler => Ok(replacement(namespace, name, words)),
        }
    }

    fn named_value(&mut self, owned: Owned, folder: &str, before: &str, words: &mut Words) -> Result<String, String> {
        if owned.is_fixed(before) {
            return kept(before);
        }
        match owned {
            Owned::SyncKey => self.key_of(folder).map(|key| key + words.ending()),
            Owned::HierarchyKey => {
                self.draft.foldered = true;
                Ok(format!("{{folder_key}}{}", words.ending()))
            }
            Owned::Folder => match words.stand_ins.get(before) {
                Some(name) => Ok(format!("{{{name}}}")),
                None => self.folder(before).map(|name| format!("{{{name}}}")),
            },
            Owned::Item => self.item(folder, before).map(|name| format!("{{{name}}}")),
            Owned::File => self.attachment(before).map(|name| format!("{{{name}}}")),
            Owned::LongId => self.hit(before).map(|name| format!("{{{name}}}")),
            Owned::Client => {
                words.added += 1;
                let id = if words.adds > 1 { format!("{{unique}}-{}", words.added) } else { "{unique}".to_owned() };
                Ok(id)
            }
            Owned::Meeting => Ok(format!("{{unique}}-{}", words.added)),
            Owned::Conversation => self.conversation(before).map(|name| format!("{{{name}}}")),
            Owned::Date => kept(before),
            Owned::PolicyKey => Err("it is about a policy".to_owned()),
        }
    }
}

/// A text of the protocol, in the form that a scenario writes it.
fn kept(text: &str) -> Result<String, String> {
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || " ._:;,+/=@()-{}[]".contains(c));
    if !is_plain || text.len() > 4096 {
        return Err("a value of the protocol in it is none that a scenario can write".to_owned());
    }
    Ok(text.replace('{', "{{"))
}

/// What stands for a text of people.
fn replacement(namespace: &str, name: &str, words: &Words) -> Option<String> {
    let number = ["Number", "Pager", "PhoneNumber"].iter().any(|end| name.ends_with(end));
    match (namespace, name) {
        ("Settings", "ReplyMessage") => Some("{tag} away".to_owned()),
        ("Settings", _) => None,
        ("Calendar", "ClientUid") => Some("{unique}".to_owned()),
        (_, "Data" | "Body") => Some("Recorded.".to_owned()),
        _ if is_date_of_a_person(name) => None,
        _ if number => Some("+15550100".to_owned()),
        _ if name.ends_with("Address") || name.ends_with("Email") => Some("{address}".to_owned()),
        _ => Some(words.item.clone()),
    }
}

fn is_date_of_a_person(name: &str) -> bool {
    matches!(name, "Birthday" | "Anniversary")
}

/// The folder whose items an element names, as the recording calls it.
pub(super) fn folder_of(element: Element<'_>) -> Option<String> {
    let is_folder = |child: &Element<'_>| matches!(child.tag().name(), Some("CollectionId" | "SrcFldId" | "FolderId"));
    element.children().find(is_folder).map(owned_value)
}

/// Private, or of no use without what is private: guests would get mail, pictures are faces.
const LEFT_OUT: [&str; 13] = [
    "CertificateChain",
    "Attendees",
    "Picture",
    "Attachments",
    "MIMEData",
    "OrganizerName",
    "OrganizerEmail",
    "GlobalObjId",
    "ConversationIndex",
    "Children",
    "Categories",
    "Exceptions",
    "Pictures",
];

/// What a request is left out for.
const FOREIGN: [(&str, &str); 2] =
    [("LinkId", "it is about a document library"), ("UserName", "it signs in elsewhere")];
