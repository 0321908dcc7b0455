use easrig_wbxml::{Document, Element, Tag, tags};

use super::{
    Problem, ProblemKind,
    table::{Parent, Presence, Row, Table},
};
use crate::{Command, Version};

/// The most problems of one document that are told: past that, more say nothing new.
pub const MAX_PROBLEMS: usize = 256;

/// Which way a document went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client to the server.
    Request,
    /// From the server to the client.
    Answer,
}

/// Judges a document against the standard; at most [`MAX_PROBLEMS`] problems, those of the outer elements' tags in the
/// order of the document.
pub fn check(document: &Document, command: Command, direction: Direction, version: Version) -> Vec<Problem> {
    let root = document.root();
    let mut checker = Checker { table: Table::get(), direction, version, problems: Vec::new() };
    let place = Place { element: root, outer: None };
    match root_of(command) {
        Some(expected) if root.tag() != expected => checker.wrong_root(&place, expected),
        _ => {}
    }
    checker.inside(&place);
    checker.problems
}

/// The root that a command's documents have, in both directions.
fn root_of(command: Command) -> Option<Tag> {
    Some(match command {
        Command::Sync => tags::air_sync::SYNC,
        Command::SendMail => tags::compose_mail::SEND_MAIL,
        Command::SmartForward => tags::compose_mail::SMART_FORWARD,
        Command::SmartReply => tags::compose_mail::SMART_REPLY,
        Command::GetAttachment => return None,
        Command::FolderSync => tags::folder_hierarchy::FOLDER_SYNC,
        Command::FolderCreate => tags::folder_hierarchy::FOLDER_CREATE,
        Command::FolderDelete => tags::folder_hierarchy::FOLDER_DELETE,
        Command::FolderUpdate => tags::folder_hierarchy::FOLDER_UPDATE,
        Command::MoveItems => tags::move_items::MOVE_ITEMS,
        Command::GetItemEstimate => tags::get_item_estimate::GET_ITEM_ESTIMATE,
        Command::MeetingResponse => tags::meeting_response::MEETING_RESPONSE,
        Command::Search => tags::search::SEARCH,
        Command::Settings => tags::settings::SETTINGS,
        Command::Ping => tags::ping::PING,
        Command::ItemOperations => tags::item_operations::ITEM_OPERATIONS,
        Command::Provision => tags::provision::PROVISION,
        Command::ResolveRecipients => tags::resolve_recipients::RESOLVE_RECIPIENTS,
        Command::ValidateCert => tags::validate_cert::VALIDATE_CERT,
        Command::Find => tags::find::FIND,
    })
}

/// An element with the way to it.
struct Place<'d, 'p> {
    element: Element<'d>,
    outer: Option<&'p Place<'d, 'p>>,
}

impl Place<'_, '_> {
    fn path(&self) -> String {
        let mut path = self.outer.map(|outer| outer.path() + "/").unwrap_or_default();
        path.push_str(&local(self.element.tag()));
        path
    }
}

struct Checker {
    table: &'static Table,
    direction: Direction,
    version: Version,
    problems: Vec<Problem>,
}

impl Checker {
    fn inside(&mut self, at: &Place<'_, '_>) {
        let parent = at.element.tag();
        let grand = at.outer.map(|outer| outer.element.tag());
        let mut counts: Vec<(Tag, usize, usize)> = Vec::new();
        for element in at.element.children() {
            if self.problems.len() >= MAX_PROBLEMS {
                return;
            }
            let place = Place { element, outer: Some(at) };
            let tag = element.tag();
            if tag.name().is_none() {
                self.tell(&place, ProblemKind::UnknownElement);
                continue;
            }
            match self.table.row(self.direction, grand, parent, tag) {
                Some(row) if row.unsure => {}
                Some(row) => {
                    self.judge(&place, row);
                    if matches!(row.presence, Presence::Optional | Presence::Required) {
                        match counts.iter_mut().find(|(counted, ..)| *counted == tag) {
                            Some((_, count, _)) => *count += 1,
                            None => counts.push((tag, 1, element.offset())),
                        }
                    }
                }
                None => self.misplaced(&place, parent),
            }
            self.inside(&place);
        }
        for (tag, found, offset) in counts {
            if found > 1 {
                self.push(format!("{}/{}", at.path(), local(tag)), offset, ProblemKind::TooMany { found });
            }
        }
        self.missing(at, grand, parent);
    }

    fn judge(&mut self, place: &Place<'_, '_>, row: &Row) {
        if !row.exists_in(self.version) {
            self.tell(place, ProblemKind::NotInVersion { first: row.first, last: row.last });
            return;
        }
        if !place.element.is_leaf() || place.element.is_opaque() {
            return;
        }
        let text = place.element.text();
        if !row.form.accepts(&text) {
            let found = text.chars().take(64).collect();
            self.tell(place, ProblemKind::BadValue { found, expected: row.form.to_string() });
        }
    }

    fn misplaced(&mut self, place: &Place<'_, '_>, parent: Tag) {
        let tag = place.element.tag();
        let known = self.table.children(parent);
        if known.contains(&tag) || !self.is_strange(tag, parent) {
            return;
        }
        // Among the properties of an item every class has its `Subject`: there the name says nothing about the page.
        let same_name = known.iter().find(|child| child.name() == tag.name());
        let kind = match same_name.filter(|_| self.table.parent(parent) == Parent::Closed) {
            Some(&expected) => ProblemKind::WrongPage { expected },
            None => ProblemKind::WrongParent { parent },
        };
        self.tell(place, kind);
    }

    /// Whether `tag` is positively known not to belong inside `parent`.
    fn is_strange(&self, tag: Tag, parent: Tag) -> bool {
        let from_a_class = !PAGES_BESIDE_CLASSES.contains(&tag.page());
        match self.table.parent(parent) {
            Parent::Open => false,
            Parent::Closed => self.table.is_placed(tag),
            Parent::Properties => self.table.is_placed(tag) && from_a_class,
            Parent::Property => self.table.is_placed(tag) && from_a_class && tag.page() != parent.page(),
        }
    }

    fn missing(&mut self, at: &Place<'_, '_>, grand: Option<Tag>, parent: Tag) {
        for tag in self.table.required(self.direction, grand, parent) {
            // A row with a grandparent goes before one without, also where it asks for less.
            let row = self.table.row(self.direction, grand, parent, tag);
            let wanted = row.is_some_and(|row| {
                row.exists_in(self.version) && matches!(row.presence, Presence::Required | Presence::AtLeastOne)
            });
            if wanted && at.element.child(tag).is_none() {
                let path = format!("{}/{}", at.path(), local(tag));
                self.push(path, at.element.offset(), ProblemKind::Missing);
            }
        }
    }

    fn wrong_root(&mut self, place: &Place<'_, '_>, expected: Tag) {
        let tag = place.element.tag();
        let kind = match tag.name() {
            None => ProblemKind::UnknownElement,
            name if name == expected.name() => ProblemKind::WrongPage { expected },
            _ => ProblemKind::WrongParent { parent: expected },
        };
        self.tell(place, kind);
    }

    fn tell(&mut self, place: &Place<'_, '_>, kind: ProblemKind) {
        self.push(place.path(), place.element.offset(), kind);
    }

    fn push(&mut self, path: String, offset: usize, kind: ProblemKind) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { path, offset, kind });
        }
    }
}

fn local(tag: Tag) -> String {
    tag.name().map_or_else(|| tag.to_string(), str::to_owned)
}

/// Pages whose elements stand among an item's properties without being of its class: MeetingResponse, Search, GAL,
/// AirSyncBase, DocumentLibrary, ItemOperations, ComposeMail, RightsManagement, Find.
const PAGES_BESIDE_CLASSES: [u8; 9] = [8, 15, 16, 17, 19, 20, 21, 24, 25];
