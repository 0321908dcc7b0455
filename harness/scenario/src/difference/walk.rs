use std::collections::BTreeSet;

use easrig_eas::{Command, Status, StatusScope, status};
use easrig_wbxml::{Element, Tag};

use super::leaf::Side;
use super::{Comparison, Difference, Kind, Owned, Rule, Terms, items, leaf, owned};
use crate::{Content, Decoded, decoded::scope_below};

/// Compares the documents of two answers.
pub(super) fn documents(before: &Decoded, after: &Decoded, terms: Terms<'_>, out: &mut Comparison) {
    let (Some(one), Some(two)) = (before.answer.root(), after.answer.root()) else { return };
    let mut walk = Walk::new(terms, out);
    walk.asked = (keys(&before.request), keys(&after.request));
    walk.command = before.command();
    if one.tag() != two.tag() {
        let name = |tag: Tag| format!("a {} document", crate::path::local_name(tag));
        return walk.tell(Kind::DocumentDiffers, "document", name(one.tag()), name(two.tag()));
    }
    let mut path = crate::path::local_name(one.tag()).to_string();
    walk.elements(&mut path, one, two);
}

/// Compares a Sync that was answered with nothing, which is to say that nothing changed, with one that was answered.
pub(super) fn quiet(before: &Decoded, after: &Decoded, terms: Terms<'_>, out: &mut Comparison) {
    let (root, side) = match (before.answer.root(), after.answer.root()) {
        (Some(root), _) => (root, Side::Known),
        (_, Some(root)) => (root, Side::Judged),
        _ => return,
    };
    let mut walk = Walk::new(terms, out);
    let named = |e: &Element<'_>, name: &str| e.tag().name() == Some(name);
    let mut said = false;
    for collection in root.descendants().filter(|e| named(e, "Collection")) {
        let folder = folder_of(collection).unwrap_or_default();
        (walk.folder, walk.folder_now) = (folder.clone(), folder);
        for child in collection.children() {
            let mut path = format!("Sync/Collections/Collection/{}", crate::path::local_name(child.tag()));
            match child.tag().name() {
                Some("SyncKey" | "CollectionId" | "Class") => continue,
                Some("Status") if child.text() == "1" => continue,
                Some("Commands" | "Responses") => walk.items_alone(&mut path, child, side),
                _ => walk.alone(&path, child, side),
            }
            said = true;
        }
    }
    if !said {
        walk.out.allowed.count(Rule::Forms);
    }
}

/// The keys that a request was made with.
fn keys(request: &Content) -> BTreeSet<String> {
    let elements = request.root().into_iter().flat_map(Element::descendants);
    let is_key = |e: &Element<'_>| matches!(owned(e.tag()), Some(Owned::SyncKey | Owned::HierarchyKey));
    elements.filter(is_key).map(|e| e.text().trim().to_owned()).filter(|key| key != "0").collect()
}

/// Two documents side by side.
pub(super) struct Walk<'t, 'o> {
    pub(super) terms: Terms<'t>,
    pub(super) out: &'o mut Comparison,
    /// The folder whose things are looked at, as the known answer names it.
    pub(super) folder: String,
    /// The same, as the judged answer names it.
    pub(super) folder_now: String,
    /// The keys that both requests were made with.
    pub(super) asked: (BTreeSet<String>, BTreeSet<String>),
    /// Whether the item looked at was made from filler that this program sent.
    pub(super) sent_as_filler: bool,
    command: Option<Command>,
}

impl<'t, 'o> Walk<'t, 'o> {
    pub(super) fn new(terms: Terms<'t>, out: &'o mut Comparison) -> Self {
        Self {
            terms,
            out,
            folder: String::new(),
            folder_now: String::new(),
            asked: Default::default(),
            sent_as_filler: false,
            command: None,
        }
    }

    /// Compares two elements of the same tag. `path` is theirs; depth is bounded by the decoder.
    pub(super) fn elements(&mut self, path: &mut String, before: Element<'_>, after: Element<'_>) {
        if before.is_leaf() && after.is_leaf() {
            if leaf::kind(path, before.tag(), false) == Kind::StatusChanged {
                return self.statuses(path, before, after);
            }
            return leaf::compare(self, path, before, after);
        }
        let outer = self.sent_as_filler;
        self.sent_as_filler = outer || items::is_made_from_filler(self.terms, after);
        let outside = (self.folder.clone(), self.folder_now.clone());
        if let (Some(one), Some(two)) = (folder_of(before), folder_of(after)) {
            (self.folder, self.folder_now) = (one, two);
        }
        let length = path.len();
        for tag in tags(before, after) {
            path.push('/');
            path.push_str(&crate::path::local_name(tag));
            self.children(path, tag, before, after);
            path.truncate(length);
        }
        (self.folder, self.folder_now) = outside;
        self.sent_as_filler = outer;
    }

    fn children(&mut self, path: &mut String, tag: Tag, before: Element<'_>, after: Element<'_>) {
        let (one, two): (Vec<_>, Vec<_>) = (before.all(tag).collect(), after.all(tag).collect());
        match (one.as_slice(), two.as_slice()) {
            ([one], [two]) if !items::is_item(tag) => self.elements(path, *one, *two),
            // The items may have come in another answer.
            ([one], []) if is_commands(tag) => self.items_alone(path, *one, Side::Known),
            ([], [two]) if is_commands(tag) => self.items_alone(path, *two, Side::Judged),
            ([one], []) if !items::is_item(tag) => self.alone(path, *one, Side::Known),
            ([], [two]) if !items::is_item(tag) => self.alone(path, *two, Side::Judged),
            _ => items::compare(self, path, &one, &two),
        }
    }

    /// The items of a list that only one side has.
    fn items_alone(&mut self, path: &mut String, list: Element<'_>, side: Side) {
        let length = path.len();
        for item in list.children() {
            path.push('/');
            path.push_str(&crate::path::local_name(item.tag()));
            let (one, two): (&[_], &[_]) = match side {
                Side::Known => (&[item], &[]),
                Side::Judged => (&[], &[item]),
            };
            items::compare(self, path, one, two);
            path.truncate(length);
        }
    }

    /// An element that only one side has.
    pub(super) fn alone(&mut self, path: &str, element: Element<'_>, side: Side) {
        let text = element.text();
        // Not to say that something is cut is to say that it is not.
        if matches!(element.tag().name(), Some("Truncated" | "BodyTruncated" | "MIMETruncated")) && text == "0" {
            return self.out.allowed.count(Rule::Forms);
        }
        if self.sent_as_filler && leaf::is_content(element.tag(), &text) {
            return self.out.allowed.count(Rule::SentAsFiller);
        }
        let words = if element.is_opaque() {
            format!("{} bytes", element.bytes().len())
        } else if element.is_leaf() && !text.is_empty() {
            leaf::quote(self.terms, element.tag(), &text, side)
        } else {
            "there".to_owned()
        };
        let kind = leaf::kind(path, element.tag(), false);
        match side {
            Side::Known => self.tell(kind, path, words, "nothing".to_owned()),
            Side::Judged => self.tell(kind, path, "nothing".to_owned(), words),
        }
    }

    fn statuses(&mut self, path: &str, before: Element<'_>, after: Element<'_>) {
        let (one, two) = (before.text(), after.text());
        let (one, two) = (one.trim(), two.trim());
        if one == two {
            return;
        }
        let scope = self.command.map_or(StatusScope::Common, |command| scope_below(command, path));
        let words = |text: &str| {
            let meaning = Status::parse(text).and_then(|value| status::meaning(scope, value));
            match meaning {
                Some(meaning) => format!("{text} ({})", meaning.meaning),
                None => text.to_owned(),
            }
        };
        let (one, two) = (words(one), words(two));
        self.tell(Kind::StatusChanged, path, one, two);
    }

    pub(super) fn tell(&mut self, kind: Kind, path: &str, before: String, after: String) {
        self.out.differences.push(Difference { kind, path: path.to_owned(), before, after });
    }
}

/// Whether it is the list of what a Sync changes on the phone.
fn is_commands(tag: Tag) -> bool {
    (tag.namespace(), tag.name()) == (Some("AirSync"), Some("Commands"))
}

/// The folder that an element says it is about.
pub(super) fn folder_of(element: Element<'_>) -> Option<String> {
    let child = element.children().find(|child| child.tag().name() == Some("CollectionId"))?;
    Some(child.text().trim().to_owned())
}

/// The tags of the children of both, in the order in which they come.
fn tags(before: Element<'_>, after: Element<'_>) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut seen = BTreeSet::new();
    for child in before.children().chain(after.children()) {
        if seen.insert(child.tag()) {
            tags.push(child.tag());
        }
    }
    tags
}
