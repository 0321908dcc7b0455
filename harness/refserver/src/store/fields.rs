use easrig_eas::{Version, command::Item};
use easrig_wbxml::{Builder, Content as Part, Document, Element, Tag, tags};

use tags::{air_sync, air_sync_base as base, calendar, contacts, tasks};

/// What an appointment, contact, task or note consists of: its elements as the client sent them, and its text apart.
///
/// Elements are kept whole, so that a field nobody here knows comes back as it went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields {
    elements: Vec<Document>,
    /// The text.
    pub note: Option<Note>,
}

/// The text of an item that is no mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// 1 plain text, 2 HTML, 3 RTF.
    pub body_type: u32,
    /// The text.
    pub data: String,
}

/// What a change does to elements it leaves out (MS-ASCMD 2.2.3.179 Supported).
#[derive(Clone, Copy, Debug)]
pub(crate) enum LeftOut<'a> {
    /// They stay: the client sends what changed.
    Stays,
    /// They go.
    Goes,
    /// Those in the list go, since the client manages them; the others are ghosted and stay.
    GoesIfSupported(&'a [Tag]),
}

impl Fields {
    /// Reads the content of an item.
    pub fn read(item: &Item) -> Self {
        Self::from_elements(item.0.root().children())
    }

    fn from_elements<'d>(children: impl Iterator<Item = Element<'d>>) -> Self {
        let mut fields = Self::default();
        for child in children {
            match child.tag() {
                base::BODY => {
                    let data = child.child(base::DATA).map(|data| data.text().into_owned());
                    let body_type = child.child_text(base::TYPE).and_then(|text| text.parse().ok()).unwrap_or(1);
                    fields.note = data.map(|data| Note { body_type, data });
                }
                calendar::BODY | contacts::BODY | tasks::BODY => {
                    fields.note = Some(Note { body_type: 1, data: child.text().into_owned() });
                }
                base::NATIVE_BODY_TYPE
                | calendar::BODY_TRUNCATED
                | contacts::BODY_SIZE
                | contacts::BODY_TRUNCATED
                | tasks::BODY_SIZE
                | tasks::BODY_TRUNCATED => {}
                _ => fields.elements.push(child.to_document()),
            }
        }
        fields
    }

    /// The element with this tag.
    pub fn get(&self, tag: Tag) -> Option<Element<'_>> {
        self.elements().find(|element| element.tag() == tag)
    }

    /// The text of the element with this tag.
    pub fn text(&self, tag: Tag) -> Option<String> {
        self.get(tag).map(|element| element.text().into_owned())
    }

    /// Every element, in the order it came.
    pub fn elements(&self) -> impl Iterator<Item = Element<'_>> {
        self.elements.iter().map(Document::root)
    }

    /// Sets an element to a text.
    pub fn set(&mut self, tag: Tag, text: &str) {
        let mut builder = Builder::new(tag);
        builder.text(text);
        self.put(builder.finish());
    }

    /// Sets an element, in the place of an earlier one with its tag.
    pub fn put(&mut self, element: Document) {
        let tag = element.root().tag();
        match self.elements.iter_mut().find(|known| known.root().tag() == tag) {
            Some(known) => *known = element,
            None => self.elements.push(element),
        }
    }

    /// Removes the elements with this tag.
    pub fn drop_tag(&mut self, tag: Tag) {
        self.elements.retain(|element| element.root().tag() != tag);
    }

    /// Takes a change: what it has replaces, what it leaves out stays or goes by `left_out`.
    ///
    /// Text, picture and exceptions that are left out always stay (MS-ASCMD 2.2.3.24 Change).
    pub(crate) fn merge(&mut self, change: Self, left_out: LeftOut<'_>) {
        self.elements.retain(|element| {
            let tag = element.root().tag();
            let stays = matches!(tag, calendar::EXCEPTIONS | contacts::PICTURE | base::ATTACHMENTS);
            stays
                || change.get(tag).is_some()
                || match left_out {
                    LeftOut::Stays => true,
                    LeftOut::Goes => false,
                    LeftOut::GoesIfSupported(supported) => !supported.contains(&tag),
                }
        });
        if change.note.is_some() {
            self.note = change.note;
        }
        for element in change.elements {
            if is_emptied(&element) {
                self.drop_tag(element.root().tag());
            } else {
                self.put(element);
            }
        }
    }

    /// Writes the elements that exist in `version` into the open element; the text is written apart.
    pub(crate) fn write(&self, version: Version, into: &mut Builder) {
        for element in self.elements() {
            match element.tag() {
                base::LOCATION if version < Version::V16_0 => {
                    if let Some(name) = element.child_text(base::DISPLAY_NAME) {
                        into.leaf(calendar::LOCATION, &name);
                    }
                }
                calendar::LOCATION if version >= Version::V16_0 => {
                    into.open(base::LOCATION).leaf(base::DISPLAY_NAME, &element.text()).close();
                }
                _ => copy(element, version, into),
            }
        }
    }

    /// As the content of a new item.
    pub(crate) fn from_builder(mut builder: Builder) -> Self {
        Self::read(&Item(builder.finish()))
    }

    /// A builder to be read by [`Fields::from_builder`].
    pub(crate) fn builder() -> Builder {
        Builder::new(air_sync::APPLICATION_DATA)
    }
}

/// An element without content in a change empties the field.
fn is_emptied(element: &Document) -> bool {
    let root = element.root();
    root.children().next().is_none() && root.text().is_empty()
}

/// Copies an element without what does not exist in `version`.
pub(crate) fn copy(element: Element<'_>, version: Version, into: &mut Builder) {
    if !exists(element.tag(), version) {
        return;
    }
    if !element.has_content() {
        into.empty(element.tag());
        return;
    }
    into.open(element.tag());
    for part in element.contents() {
        match part {
            Part::Element(child) => copy(child, version, into),
            Part::Text(text) => {
                into.text(text);
            }
            Part::Opaque(bytes) => {
                into.bytes(bytes);
            }
        }
    }
    into.close();
}

fn exists(tag: Tag, version: Version) -> bool {
    let Some((first, last)) = tag.versions() else { return true };
    let bound = |text: &str| text.parse::<Version>().ok();
    bound(first).is_none_or(|first| first <= version) && bound(last).is_none_or(|last| version <= last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(xml: &str) -> Fields {
        Fields::read(&Item(Document::from_xml(xml).unwrap()))
    }

    fn contact() -> Fields {
        fields(
            r#"<ApplicationData xmlns="AirSync"><FirstName xmlns="Contacts">Ann</FirstName><LastName xmlns="Contacts">Lee</LastName><AssistantName xmlns="Contacts">Bo</AssistantName></ApplicationData>"#,
        )
    }

    #[test]
    fn ghosted_fields_stay_and_supported_ones_go() {
        let change = || {
            fields(r#"<ApplicationData xmlns="AirSync"><FirstName xmlns="Contacts">Anna</FirstName></ApplicationData>"#)
        };
        let mut ghosted = contact();
        ghosted.merge(change(), LeftOut::GoesIfSupported(&[contacts::LAST_NAME]));
        assert_eq!(ghosted.text(contacts::FIRST_NAME).as_deref(), Some("Anna"));
        assert_eq!(ghosted.text(contacts::LAST_NAME), None);
        assert_eq!(ghosted.text(contacts::ASSISTANT_NAME).as_deref(), Some("Bo"));
        let mut wiped = contact();
        wiped.merge(change(), LeftOut::Goes);
        assert_eq!(wiped.text(contacts::ASSISTANT_NAME), None);
    }

    #[test]
    fn a_location_changes_its_form_with_the_version() {
        let event = fields(
            r#"<ApplicationData xmlns="AirSync"><Location xmlns="Calendar">Room 1</Location></ApplicationData>"#,
        );
        let mut new = Fields::builder();
        event.write(Version::V16_0, &mut new);
        let new = new.finish();
        assert_eq!(
            new.root().child(base::LOCATION).and_then(|location| location.child_text(base::DISPLAY_NAME)).as_deref(),
            Some("Room 1")
        );
        let mut old = Fields::builder();
        Fields::read(&Item(new)).write(Version::V14_1, &mut old);
        assert_eq!(old.finish().root().child_text(calendar::LOCATION).as_deref(), Some("Room 1"));
    }
}
