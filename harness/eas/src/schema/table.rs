use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use easrig_wbxml::{Tag, tags};

use super::{Direction, value::Form};
use crate::Version;

/// What the standard says about one element inside another.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) presence: Presence,
    pub(super) form: Form,
    pub(super) first: Version,
    pub(super) last: Version,
    /// Whether nobody could confirm the row: then it yields no problem.
    pub(super) unsure: bool,
}

/// How often an element may stand inside its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Optional,
    Required,
    Many,
    AtLeastOne,
}

impl Row {
    pub(super) fn exists_in(&self, version: Version) -> bool {
        // The newest version of the tables stands for what comes after it.
        version >= self.first && (version <= self.last || self.last == Version::V16_1)
    }

    fn merge(self, other: Self) -> Self {
        let presence = if self.presence == other.presence { self.presence } else { Presence::Many };
        Self {
            presence,
            form: self.form.wider(other.form),
            first: self.first.min(other.first),
            last: self.last.max(other.last),
            unsure: self.unsure || other.unsure,
        }
    }
}

/// How strictly the children of an element are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parent {
    /// Nothing is known, or anything may stand there.
    Open,
    /// Every child is known.
    Closed,
    /// The properties of an item: every class is known, but the pages of commands add to it.
    Properties,
    /// Inside a property.
    Property,
}

/// Both tables, keyed for one look per element.
pub(super) struct Table {
    rows: HashMap<(Direction, Option<Tag>, Tag, Tag), Row>,
    required: HashMap<(Direction, Option<Tag>, Tag), Vec<Tag>>,
    children: HashMap<Tag, Vec<Tag>>,
    parents: HashMap<Tag, Parent>,
    placed: HashSet<Tag>,
}

impl Table {
    /// The tables that are compiled in.
    pub(super) fn get() -> &'static Self {
        static TABLE: LazyLock<Table> = LazyLock::new(Table::load);
        &TABLE
    }

    /// The row of `child` inside `parent`, which is inside `grand`.
    pub(super) fn row(&self, direction: Direction, grand: Option<Tag>, parent: Tag, child: Tag) -> Option<&Row> {
        let exact = grand.and_then(|grand| self.rows.get(&(direction, Some(grand), parent, child)));
        exact.or_else(|| self.rows.get(&(direction, None, parent, child)))
    }

    /// The children that must be inside `parent`.
    pub(super) fn required(&self, direction: Direction, grand: Option<Tag>, parent: Tag) -> impl Iterator<Item = Tag> {
        let list = move |grand| self.required.get(&(direction, grand, parent)).into_iter().flatten().copied();
        list(None).chain(grand.into_iter().flat_map(move |grand| list(Some(grand))))
    }

    /// Every child that `parent` has in either direction.
    pub(super) fn children(&self, parent: Tag) -> &[Tag] {
        self.children.get(&parent).map_or(&[], Vec::as_slice)
    }

    pub(super) fn parent(&self, tag: Tag) -> Parent {
        self.parents.get(&tag).copied().unwrap_or(Parent::Open)
    }

    /// Whether any row says where `tag` belongs.
    pub(super) fn is_placed(&self, tag: Tag) -> bool {
        self.placed.contains(&tag)
    }

    fn load() -> Self {
        let mut table = Self {
            rows: HashMap::new(),
            required: HashMap::new(),
            children: HashMap::new(),
            parents: HashMap::new(),
            placed: HashSet::new(),
        };
        table.load_items(ITEMS);
        table.load_commands(COMMANDS);
        let required = table
            .rows
            .iter()
            .filter(|(_, row)| !row.unsure && matches!(row.presence, Presence::Required | Presence::AtLeastOne));
        for (&(direction, grand, parent, child), _) in required {
            table.required.entry((direction, grand, parent)).or_default().push(child);
        }
        // A map has no order; problems are to come in the same one every time.
        table.required.values_mut().for_each(|list| list.sort_unstable());
        table
    }

    fn load_commands(&mut self, text: &str) {
        for line in text.lines().skip(1) {
            let columns: Vec<&str> = line.split('\t').collect();
            let [_, direction, parent, element, presence, form, first, last, unsure] = columns[..] else { continue };
            let (grand, parent) = match parent.split_once('/') {
                Some((grand, parent)) => (named(grand), named(parent)),
                None => (None, named(parent)),
            };
            let Some(parent) = parent else { continue };
            let (Some(child), Ok(first), Ok(last)) = (named(element), first.parse(), last.parse()) else {
                self.parents.insert(parent, Parent::Open);
                continue;
            };
            let presence = match presence {
                "1" => Presence::Required,
                "0-n" => Presence::Many,
                "1-n" => Presence::AtLeastOne,
                _ => Presence::Optional,
            };
            let row = Row { presence, form: Form::parse(form), first, last, unsure: unsure == "?" };
            for &direction in directions(direction) {
                self.insert((direction, grand, parent, child), row.clone());
            }
            self.parents.entry(parent).or_insert(Parent::Closed);
        }
    }

    fn load_items(&mut self, text: &str) {
        let lines: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split('\t').collect()).collect();
        for columns in &lines {
            let [class, element, path, _, namespace, _, form, presence, first, last, ..] = columns[..] else {
                continue;
            };
            let Some(child) = Tag::lookup(namespace, element) else { continue };
            let unsure = first.parse::<Version>().is_err() || last.parse::<Version>().is_err();
            let row = Row {
                presence: item_presence(path, form, presence),
                form: Form::parse(form),
                first: first.parse().unwrap_or(Version::V2_5),
                last: last.parse().unwrap_or(Version::V16_1),
                unsure,
            };
            let roots = path == "ApplicationData";
            let parents =
                if roots { PROPERTIES.to_vec() } else { item_parent(&lines, class, path).into_iter().collect() };
            for parent in parents {
                self.parents.insert(parent, if roots { Parent::Properties } else { Parent::Property });
                for direction in [Direction::Request, Direction::Answer] {
                    self.insert((direction, None, parent, child), row.clone());
                }
            }
        }
    }

    fn insert(&mut self, key: (Direction, Option<Tag>, Tag, Tag), row: Row) {
        let (_, _, parent, child) = key;
        self.placed.insert(child);
        let children = self.children.entry(parent).or_default();
        if !children.contains(&child) {
            children.push(child);
        }
        let merged = match self.rows.remove(&key) {
            Some(other) => other.merge(row),
            None => row,
        };
        self.rows.insert(key, merged);
    }
}

fn named(text: &str) -> Option<Tag> {
    let (namespace, name) = text.split_once(':')?;
    Tag::lookup(namespace, name)
}

fn directions(text: &str) -> &'static [Direction] {
    match text {
        "request" => &[Direction::Request],
        "answer" => &[Direction::Answer],
        _ => &[Direction::Request, Direction::Answer],
    }
}

/// The element that a path of the item table ends in.
fn item_parent(lines: &[Vec<&str>], class: &str, path: &str) -> Option<Tag> {
    let (outer, name) = path.rsplit_once('/').unwrap_or(("", path));
    let row = lines.iter().find(|columns| columns.get(..3) == Some(&[class, name, outer]));
    let namespace = row.and_then(|columns| columns.get(4)).copied().unwrap_or("AirSyncBase");
    Tag::lookup(namespace, name)
}

/// A property of an item is never required, since a change carries only what changed; what is inside of one may be, where
/// the table says so without a condition.
fn item_presence(path: &str, form: &str, presence: &str) -> Presence {
    let inside = path.rsplit('/').next().unwrap_or(path);
    let many = form.ends_with("[]") || (form == "container" && inside.ends_with('s'));
    let required = presence.strip_prefix("required in ") == Some(inside);
    match (many, required) {
        (true, true) => Presence::AtLeastOne,
        (true, false) => Presence::Many,
        (false, true) => Presence::Required,
        (false, false) => Presence::Optional,
    }
}

/// The elements that hold the properties of an item.
const PROPERTIES: [Tag; 4] = [
    tags::air_sync::APPLICATION_DATA,
    tags::item_operations::PROPERTIES,
    tags::search::PROPERTIES,
    tags::find::PROPERTIES,
];

const ITEMS: &str = include_str!("../../data/elements.tsv");
const COMMANDS: &str = include_str!("../../data/command-elements.tsv");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_command_table_is_read() {
        for line in COMMANDS.lines().skip(1) {
            let columns: Vec<&str> = line.split('\t').collect();
            assert_eq!(columns.len(), 9, "{line}");
            for part in columns[2].split('/') {
                assert!(named(part).is_some(), "{line}");
            }
            assert!(columns[3] == "*" || named(columns[3]).is_some(), "{line}");
            assert!(["0-1", "1", "0-n", "1-n"].contains(&columns[4]), "{line}");
            assert!(columns[5] == "any" || Form::parse(columns[5]) != Form::Any, "{line}");
            assert!(columns[6].parse::<Version>().is_ok() && columns[7].parse::<Version>().is_ok(), "{line}");
        }
    }

    #[test]
    fn every_row_of_the_item_table_finds_its_element_and_its_parent() {
        let lines: Vec<Vec<&str>> = ITEMS.lines().skip(1).map(|line| line.split('\t').collect()).collect();
        assert!(lines.len() > 300);
        for columns in &lines {
            assert!(Tag::lookup(columns[4], columns[1]).is_some(), "{columns:?}");
            assert!(
                columns[2] == "ApplicationData" || item_parent(&lines, columns[0], columns[2]).is_some(),
                "{columns:?}"
            );
        }
    }

    #[test]
    fn a_row_with_a_grandparent_goes_before_one_without() {
        use tags::air_sync as tag;
        let table = Table::get();
        let row = |grand| table.row(Direction::Answer, Some(grand), tag::ADD, tag::SERVER_ID).unwrap().presence;
        assert_eq!(row(tag::COMMANDS), Presence::Required);
        assert_eq!(row(tag::RESPONSES), Presence::Optional);
    }
}
