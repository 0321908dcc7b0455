use std::collections::HashMap;

use easrig_eas::date::EasDate;
use easrig_wbxml::{Element, Tag};

use super::leaf::{self, Side};
use super::walk::{Walk, folder_of};
use super::{Comparison, Contents, Difference, Kind, Owned, Rule, Stray, Terms, owned};
use crate::Decoded;

/// Fields that tell items apart for people.
const NAMING: [&str; 18] = [
    "Subject",
    "From",
    "To",
    "ThreadTopic",
    "DisplayName",
    "FileAs",
    "FirstName",
    "LastName",
    "Email1Address",
    "Location",
    "StartTime",
    "MessageClass",
    "Name",
    "EmailAddress",
    "Alias",
    "PolicyType",
    "Class",
    "UserName",
];

/// So many seconds may lie between the dates of an item that came twice.
const TWINS: u64 = 60;

/// Whether elements of this tag are things of a mailbox: one that is missing or too many is news.
pub(super) fn is_item(tag: Tag) -> bool {
    matches!(
        (tag.namespace(), tag.name()),
        (Some("AirSync"), Some("Add" | "Change" | "Delete" | "SoftDelete" | "Fetch"))
            | (Some("FolderHierarchy"), Some("Add" | "Update" | "Delete"))
            | (Some("Search" | "Find"), Some("Result"))
    )
}

/// Compares the children of one tag.
pub(super) fn compare(walk: &mut Walk<'_, '_>, path: &mut String, before: &[Element<'_>], after: &[Element<'_>]) {
    let Some(tag) = before.first().or(after.first()).map(|element| element.tag()) else { return };
    let mut matching = Matching::new(before.len(), after.len());
    by_id(walk, before, after, &mut matching);
    // What says nothing but its id, and has another here, is another.
    let said =
        |e| Some(signature(walk.terms, e, Side::Known)).filter(|said| !said.is_empty() || ids_now(walk, e).is_empty());
    by_signature(before, after, &mut matching, &said, &|e| Some(signature(walk.terms, e, Side::Judged)));
    by_signature(before, after, &mut matching, &|e| name(walk.terms, e, Side::Known), &|e| {
        name(walk.terms, e, Side::Judged)
    });
    by_signature(before, after, &mut matching, &built_in, &built_in);
    by_title(walk.terms, before, after, &mut matching);
    by_resemblance(walk.terms, before, after, &mut matching, is_item(tag));
    order(walk, path, tag, &matching);
    for (one, place) in before.iter().zip(&matching.of_before) {
        match place.and_then(|place| after.get(place)) {
            Some(two) => walk.elements(path, *one, *two),
            None if is_item(tag) => {
                let stray = stray(walk, path, *one, Side::Known, kind(*one, Kind::FolderLost, Kind::ItemLost));
                walk.out.lost.push(stray);
            }
            None => walk.alone(path, *one, Side::Known),
        }
    }
    for (index, two) in after.iter().enumerate().filter(|(index, _)| !matching.has_after(*index)) {
        if !is_item(tag) {
            walk.alone(path, *two, Side::Judged);
            continue;
        }
        // Two that the known answer has neither of are two that were not there.
        let known = after.iter().enumerate().filter(|(other, _)| *other != index && matching.is_joined(*other));
        let twice = known.map(|(_, e)| *e).any(|e| are_twins(walk.terms, e, *two));
        let kind = if twice { Kind::ItemDoubled } else { kind(*two, Kind::FolderAdded, Kind::ItemAdded) };
        let stray = stray(walk, path, *two, Side::Judged, kind);
        walk.out.extra.push(stray);
    }
}

/// Compares two strays, when they are the same thing.
pub(super) fn compare_strays(before: &Stray, after: &Stray, terms: Terms<'_>) -> Option<Comparison> {
    let (one, two) = (before.document.root(), after.document.root());
    let said = signature(terms, one, Side::Known);
    let named = || {
        let known = ids(one).into_iter().filter_map(|(owned, id)| {
            let folder = if owned.is_in_folder() { before.folder.as_str() } else { "" };
            Some((owned, terms.renamed.now(owned, folder, &id)?))
        });
        let judged = ids(two);
        known.into_iter().any(|id| judged.contains(&id))
    };
    let same = one.tag() == two.tag()
        && (if said.is_empty() { named() } else { said == signature(terms, two, Side::Judged) }
            || name(terms, one, Side::Known).is_some_and(|named| Some(named) == name(terms, two, Side::Judged))
            || title(terms, one, Side::Known).is_some_and(|said| Some(said) == title(terms, two, Side::Judged)));
    if !same {
        return None;
    }
    let mut comparison = Comparison::default();
    let mut walk = Walk::new(terms, &mut comparison);
    (walk.folder, walk.folder_now) = (before.folder.clone(), after.folder.clone());
    walk.elements(&mut before.path.clone(), one, two);
    Some(comparison)
}

/// Which belongs to which.
struct Matching {
    of_before: Vec<Option<usize>>,
    taken: Vec<bool>,
}

impl Matching {
    fn new(before: usize, after: usize) -> Self {
        Self { of_before: vec![None; before], taken: vec![false; after] }
    }

    fn join(&mut self, before: usize, after: usize) {
        if let (Some(one), Some(two)) = (self.of_before.get_mut(before), self.taken.get_mut(after)) {
            *one = Some(after);
            *two = true;
        }
    }

    fn has_before(&self, index: usize) -> bool {
        self.of_before.get(index).is_some_and(Option::is_some)
    }

    /// Whether the judged one of this index belongs to a known one.
    fn is_joined(&self, index: usize) -> bool {
        self.of_before.contains(&Some(index))
    }

    fn has_after(&self, index: usize) -> bool {
        self.taken.get(index).copied().unwrap_or(true)
    }
}

/// Those whose new id is known.
fn by_id(walk: &Walk<'_, '_>, before: &[Element<'_>], after: &[Element<'_>], matching: &mut Matching) {
    let mut places: HashMap<(Owned, String), usize> = HashMap::new();
    for (index, element) in after.iter().enumerate() {
        for key in ids(*element) {
            places.entry(key).or_insert(index);
        }
    }
    for (index, element) in before.iter().enumerate() {
        let place = ids_now(walk, *element).into_iter().find_map(|id| places.get(&id).copied());
        if let Some(place) = place.filter(|place| !matching.has_after(*place)) {
            matching.join(index, place);
        }
    }
}

/// What an element of the known answer is called by now, as far as that is known.
fn ids_now(walk: &Walk<'_, '_>, element: Element<'_>) -> Vec<(Owned, String)> {
    let folder = folder_of(element).unwrap_or_else(|| walk.folder.clone());
    let now = |(owned, id): (Owned, String)| {
        let folder = if owned.is_in_folder() { folder.as_str() } else { "" };
        Some((owned, walk.terms.renamed.now(owned, folder, &id)?))
    };
    ids(element).into_iter().filter_map(now).collect()
}

/// What an element is called by, the most lasting first.
fn ids(element: Element<'_>) -> Vec<(Owned, String)> {
    let is_id = |owned: &Owned| {
        matches!(owned, Owned::Client | Owned::Item | Owned::Folder | Owned::LongId | Owned::File | Owned::PolicyKey)
    };
    let children = element.children().filter(|child| child.tag().name() != Some("ParentId"));
    let own = std::iter::once(element).filter(|element| element.is_leaf());
    let id = |e: Element<'_>| Some((owned(e.tag()).filter(is_id)?, e.text().trim().to_owned()));
    let mut found: Vec<_> = own.chain(children).filter_map(id).collect();
    // `CollectionId` beside `ServerId` says where, not what.
    if found.len() > 1 && found.iter().any(|(owned, _)| *owned != Owned::Folder) {
        found.retain(|(owned, _)| *owned != Owned::Folder);
    }
    found
}

fn by_signature<'e>(
    before: &[Element<'e>],
    after: &[Element<'e>],
    matching: &mut Matching,
    known: &dyn Fn(Element<'e>) -> Option<String>,
    judged: &dyn Fn(Element<'e>) -> Option<String>,
) {
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, element) in after.iter().enumerate().rev().filter(|(index, _)| !matching.has_after(*index)) {
        if let Some(said) = judged(*element) {
            places.entry(said).or_default().push(index);
        }
    }
    for (index, element) in before.iter().enumerate() {
        if matching.has_before(index) {
            continue;
        }
        if let Some(place) = known(*element).and_then(|said| places.get_mut(&said)?.pop()) {
            matching.join(index, place);
        }
    }
}

/// Those whose title no other has on its side: servers write the names of people in their own way.
fn by_title(terms: Terms<'_>, before: &[Element<'_>], after: &[Element<'_>], matching: &mut Matching) {
    let alone = |elements: &[Element<'_>], side: Side, open: &dyn Fn(usize) -> bool| {
        let mut places: HashMap<String, Option<usize>> = HashMap::new();
        for (index, element) in elements.iter().enumerate().filter(|(index, _)| open(*index)) {
            if let Some(said) = title(terms, *element, side) {
                places.entry(said).and_modify(|place| *place = None).or_insert(Some(index));
            }
        }
        places
    };
    let known = alone(before, Side::Known, &|index| !matching.has_before(index));
    let judged = alone(after, Side::Judged, &|index| !matching.has_after(index));
    for (said, one) in known {
        if let (Some(one), Some(Some(two))) = (one, judged.get(&said)) {
            matching.join(one, *two);
        }
    }
}

/// What is left: where order is all there is, by order; a last pair of items when they share half of what they say.
fn by_resemblance(
    terms: Terms<'_>,
    before: &[Element<'_>],
    after: &[Element<'_>],
    matching: &mut Matching,
    are_items: bool,
) {
    let left: Vec<usize> = (0..before.len()).filter(|index| !matching.has_before(*index)).collect();
    let right: Vec<usize> = (0..after.len()).filter(|index| !matching.has_after(*index)).collect();
    if are_items && (left.len() != 1 || right.len() != 1) {
        return;
    }
    for (one, two) in left.into_iter().zip(right) {
        let alike = match (before.get(one), after.get(two)) {
            (Some(one), Some(two)) => !are_items || resemble(terms, *one, *two),
            _ => false,
        };
        if alike {
            matching.join(one, two);
        }
    }
}

fn resemble(terms: Terms<'_>, before: Element<'_>, after: Element<'_>) -> bool {
    let one = facts(terms, before, Side::Known);
    let mut two = facts(terms, after, Side::Judged);
    let longer = one.len().max(two.len());
    let shared =
        one.iter().filter(|fact| two.iter().position(|other| other == *fact).map(|at| two.swap_remove(at)).is_some());
    longer > 0 && shared.count().saturating_mul(2) >= longer
}

/// Whether two judged items are one that came twice: they say the same, of the same time. What comes every day with the same
/// words is another each day.
fn are_twins(terms: Terms<'_>, one: Element<'_>, two: Element<'_>) -> bool {
    let dates = |e: Element<'_>| {
        let leaves: Vec<EasDate> = e.descendants().filter_map(|leaf| leaf.text().trim().parse().ok()).collect();
        leaves
    };
    let near = |(one, two): (&EasDate, &EasDate)| one.at.as_second().abs_diff(two.at.as_second()) <= TWINS;
    let said = signature(terms, one, Side::Judged);
    let (first, second) = (dates(one), dates(two));
    !said.is_empty()
        && said == signature(terms, two, Side::Judged)
        && first.len() == second.len()
        && first.iter().zip(&second).all(near)
}

/// Everything that an element says and a server does not choose.
fn signature(terms: Terms<'_>, element: Element<'_>, side: Side) -> String {
    facts(terms, element, side).join("\n")
}

/// What people would call it; `None` where there is nothing of the kind.
fn name(terms: Terms<'_>, element: Element<'_>, side: Side) -> Option<String> {
    let naming = |fact: &String| NAMING.iter().any(|name| fact.split('=').next() == Some(name));
    let facts: Vec<String> = facts(terms, element, side).into_iter().filter(naming).collect();
    (!facts.is_empty()).then(|| facts.join("\n"))
}

/// The subject of a mail, an appointment or a task, the name of a contact, the address of a colleague. Filler is no title:
/// texts of equal length share it.
fn title(terms: Terms<'_>, element: Element<'_>, side: Side) -> Option<String> {
    let is_title = |e: &Element<'_>| e.is_leaf() && matches!(e.tag().name(), Some("Subject" | "FileAs"));
    let is_address = |e: &Element<'_>| (e.tag().namespace(), e.tag().name()) == (Some("GAL"), Some("EmailAddress"));
    let leaf = element.descendants().find(is_title).or_else(|| element.descendants().find(is_address))?;
    let text = leaf.text();
    let hidden = terms.contents == Contents::Filler && leaf::is_content(leaf.tag(), &text);
    let text = if side == Side::Known { terms.renamed.people(&text) } else { text };
    (!hidden && !text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// The type of a folder of which a mailbox has one, whatever it is called: `Sent Items` and `Sent` are the same to a phone.
fn built_in(element: Element<'_>) -> Option<String> {
    let is_folder = (element.tag().namespace(), element.tag().name()) == (Some("FolderHierarchy"), Some("Add"));
    let kind = element.children().find(|child| is_folder && child.tag().name() == Some("Type"))?.text().into_owned();
    matches!(kind.trim().parse::<u8>(), Ok(2..=11)).then_some(kind)
}

/// The fields of an element in a form in which they can be compared across both sides.
fn facts(terms: Terms<'_>, element: Element<'_>, side: Side) -> Vec<String> {
    let own = std::iter::once(element).filter(|element| element.is_leaf());
    let leaves = own.chain(element.descendants().filter(|element| element.is_leaf()));
    let fact = |leaf: Element<'_>| {
        let (tag, text) = (leaf.tag(), leaf.text());
        if owned(tag).is_some() || text.trim().parse::<EasDate>().is_ok() {
            return None;
        }
        let text = if side == Side::Known { terms.renamed.people(&text) } else { text };
        let name = tag.name().unwrap_or("?");
        let hidden = terms.contents == Contents::Filler && leaf::is_content(tag, &text);
        if hidden && leaf::is_name(tag) && terms.renamed.has_other_people() {
            return None;
        }
        Some(if hidden { format!("{name}=#{}", text.len()) } else { format!("{name}={}", text.trim()) })
    };
    let mut facts: Vec<String> = leaves.filter_map(fact).collect();
    facts.sort();
    facts
}

/// Whether the thing of a mailbox was made from filler that this program sent.
pub(super) fn is_made_from_filler(terms: Terms<'_>, element: Element<'_>) -> bool {
    if terms.contents != Contents::Filler {
        return false;
    }
    let ids = ids(element);
    if ids.is_empty() {
        return false;
    }
    let telling = |e: &Element<'_>| matches!(e.tag().name(), Some("Subject" | "FileAs" | "LastName" | "DisplayName"));
    ids.iter().any(|(owned, id)| *owned != Owned::Folder && terms.renamed.made_from_filler(*owned, id))
        || element.descendants().filter(telling).any(|e| terms.renamed.sent_as_filler(e.text().trim()))
}

/// Whether the answer is about such a thing.
pub(super) fn names_filler(terms: Terms<'_>, decoded: &Decoded) -> bool {
    let elements = decoded.answer.root().into_iter().flat_map(Element::descendants);
    elements.filter(|e| !e.is_leaf()).any(|e| is_made_from_filler(terms, e))
}

fn order(walk: &mut Walk<'_, '_>, path: &str, tag: Tag, matching: &Matching) {
    let places: Vec<usize> = matching.of_before.iter().flatten().copied().collect();
    if places.is_sorted() {
        return;
    }
    // Hits come best first.
    if tag.name() == Some("Result") {
        let words = |list: &[usize]| {
            let list: Vec<String> = list.iter().take(12).map(|place| (place + 1).to_string()).collect();
            list.join(", ")
        };
        let mut sorted = places.clone();
        sorted.sort_unstable();
        walk.tell(Kind::Reordered, path, words(&sorted), words(&places));
    } else {
        walk.out.allowed.count(Rule::Order);
    }
}

fn kind(element: Element<'_>, folder: Kind, item: Kind) -> Kind {
    if element.tag().namespace() == Some("FolderHierarchy") { folder } else { item }
}

fn stray(walk: &Walk<'_, '_>, path: &str, element: Element<'_>, side: Side, kind: Kind) -> Stray {
    let words = describe(walk.terms, element, side);
    let (before, after) = match side {
        Side::Known => (words, "nothing".to_owned()),
        Side::Judged => ("nothing".to_owned(), words),
    };
    let folder = if side == Side::Known { &walk.folder } else { &walk.folder_now };
    Stray {
        folder: folder.clone(),
        path: path.to_owned(),
        document: element.to_document(),
        difference: Difference { kind, path: path.to_owned(), before, after },
    }
}

/// An item in a few words.
fn describe(terms: Terms<'_>, element: Element<'_>, side: Side) -> String {
    let field = |names: &[&str]| {
        let named = |e: &Element<'_>| e.is_leaf() && e.tag().name().is_some_and(|name| names.contains(&name));
        element.descendants().find(named)
    };
    let quote = |e: Element<'_>| leaf::quote(terms, e.tag(), e.text().trim(), side);
    let told = field(&["Subject", "DisplayName", "FileAs"]);
    let type_of = element.children().find(|child| child.tag().name() == Some("Type"));
    match (told, type_of) {
        (Some(name), Some(kind)) => format!("a folder of type {} named by {}", kind.text(), quote(name)),
        (Some(name), None) => {
            format!("an item with the {} {}", name.tag().name().unwrap_or("name"), quote(name))
        }
        (None, _) => "an item".to_owned(),
    }
}
