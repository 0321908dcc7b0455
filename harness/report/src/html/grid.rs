//! The matrix: an overview of phones by commands, and below it every scenario of a command by every phone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use easrig_eas::{Command, Version};
use easrig_scenario::{Cell, Verdict};

use super::{Maker, Mark, cell::anchor};
use crate::words::{Text, Words};

pub(super) struct Grid<'r> {
    pub(super) columns: Vec<Column<'r>>,
    /// The columns of a family stand together; a family with how many it has.
    pub(super) families: Vec<(&'r str, usize)>,
    pub(super) groups: Vec<Group<'r>>,
    pub(super) overview: Vec<Family<'r>>,
}

/// A phone, and the version when it has cells in several.
pub(super) struct Column<'r> {
    pub(super) id: &'r str,
    pub(super) title: &'r str,
    pub(super) family: &'r str,
    pub(super) version: Option<Version>,
}

/// The scenarios about one command.
pub(super) struct Group<'r> {
    /// The folder of the scenarios.
    pub(super) id: &'r str,
    /// The command by the standard's name; `None` for folders that are about none.
    pub(super) command: Option<&'static str>,
    pub(super) rows: Vec<Row<'r>>,
    /// Whether anything in it does not pass.
    pub(super) open: bool,
    pub(super) tally: Vec<(Mark, usize)>,
}

/// A scenario.
pub(super) struct Row<'r> {
    pub(super) id: &'r str,
    pub(super) title: &'r str,
    /// By column; `None` where there is no such cell.
    pub(super) spots: Vec<Option<Spot>>,
}

/// A cell of the matrix.
pub(super) struct Spot {
    pub(super) mark: Mark,
    /// The address of what there is to say about it; `None` when it passes or was skipped.
    pub(super) anchor: Option<String>,
}

/// The lines of the overview about one family.
pub(super) struct Family<'r> {
    pub(super) name: &'r str,
    pub(super) lines: Vec<Line<'r>>,
}

/// A column of the matrix, as a line of the overview.
pub(super) struct Line<'r> {
    pub(super) title: &'r str,
    pub(super) version: Option<Version>,
    /// By group: the worst verdict, how many cells came to it, and how many were tried.
    pub(super) sums: Vec<Option<(Mark, usize, usize)>>,
}

impl<'r> Grid<'r> {
    pub(super) fn of(maker: &Maker<'r>) -> Self {
        let run = maker.run;
        let columns = columns(maker);
        let places: HashMap<(&str, Option<Version>), usize> =
            columns.iter().enumerate().map(|(place, column)| ((column.id, column.version), place)).collect();
        let several: BTreeSet<&str> =
            columns.iter().filter(|column| column.version.is_some()).map(|column| column.id).collect();
        let mut groups: Vec<Group<'r>> = Vec::new();
        let mut group_of: BTreeMap<&str, usize> = BTreeMap::new();
        let mut row_of: HashMap<&str, (usize, usize)> = HashMap::new();
        let mut sums: HashMap<(usize, usize), Vec<Verdict>> = HashMap::new();
        for cell in &run.cells {
            let id = cell.id.scenario.as_str();
            let (group, row) = *row_of.entry(id).or_insert_with(|| {
                let folder = id.split_once('/').map_or("", |(folder, _)| folder);
                let group = *group_of.entry(folder).or_insert_with(|| {
                    groups.push(Group {
                        id: folder,
                        command: command(folder),
                        rows: Vec::new(),
                        open: false,
                        tally: Vec::new(),
                    });
                    groups.len() - 1
                });
                let rows = groups.get_mut(group).map(|group| {
                    let title = run.scenarios.get(id).map_or("", |card| &card.title);
                    let spots = columns.iter().map(|_| None).collect();
                    group.rows.push(Row { id, title, spots });
                    group.rows.len() - 1
                });
                (group, rows.unwrap_or(0))
            });
            let version = cell.id.version.filter(|_| several.contains(cell.id.persona.as_str()));
            let Some(column) = places.get(&(cell.id.persona.as_str(), version)).copied() else { continue };
            let spot = groups.get_mut(group).and_then(|group| group.rows.get_mut(row)?.spots.get_mut(column));
            if let Some(spot) = spot {
                *spot = Some(Spot::of(cell));
            }
            sums.entry((column, group)).or_default().push(cell.verdict);
        }
        let overview = overview(&columns, groups.len(), &sums);
        let mut order: Vec<usize> = (0..groups.len()).collect();
        for (place, group) in groups.iter_mut().enumerate() {
            let verdicts = || (0..columns.len()).filter_map(|column| sums.get(&(column, place))).flatten();
            group.open = verdicts().any(|verdict| !matches!(verdict, Verdict::Pass | Verdict::Skipped));
            group.tally = tally(verdicts());
        }
        // Journeys are what owners live through: they come first. Invariants are about all the others: they come last.
        order.sort_by_key(|place| match groups.get(*place).map(|group| group.id) {
            Some("journeys") => 0,
            Some("invariant") => 2,
            _ => 1,
        });
        let overview = overview.into_iter().map(|family| family.sorted(&order)).collect();
        let mut slots: Vec<Option<Group<'r>>> = groups.into_iter().map(Some).collect();
        let groups = order.iter().filter_map(|place| slots.get_mut(*place)?.take()).collect();
        Self { families: families(&columns), columns, groups, overview }
    }
}

impl Group<'_> {
    /// What it is called.
    pub(super) fn name(&self, words: Words) -> Text {
        match (self.command, self.id) {
            (Some(command), _) => words.one("list.all", "names", command),
            (None, "journeys") => words.say("group.journeys"),
            (None, "invariant") => words.say("group.invariants"),
            (None, other) => words.one("list.all", "names", other),
        }
    }
}

impl Spot {
    fn of(cell: &Cell) -> Self {
        let quiet = matches!(cell.verdict, Verdict::Pass | Verdict::Skipped);
        Self { mark: cell.verdict.into(), anchor: (!quiet).then(|| anchor(&cell.id)) }
    }
}

impl Family<'_> {
    fn sorted(mut self, order: &[usize]) -> Self {
        for line in &mut self.lines {
            line.sums = order.iter().map(|place| line.sums.get(*place).copied().flatten()).collect();
        }
        self
    }
}

fn columns<'r>(maker: &Maker<'r>) -> Vec<Column<'r>> {
    let run = maker.run;
    let mut versions: BTreeMap<&str, BTreeSet<Option<Version>>> = BTreeMap::new();
    let mut order: Vec<&str> = Vec::new();
    let mut families: Vec<&str> = Vec::new();
    for cell in &run.cells {
        let known = versions.entry(&cell.id.persona).or_insert_with(|| {
            order.push(&cell.id.persona);
            BTreeSet::new()
        });
        known.insert(cell.id.version);
    }
    for id in &order {
        let family = maker.family(id);
        if !families.contains(&family) {
            families.push(family);
        }
    }
    order.sort_by_key(|id| families.iter().position(|family| *family == maker.family(id)));
    let mut columns = Vec::new();
    for id in order {
        let all = versions.remove(id).unwrap_or_default();
        let several = all.iter().flatten().count() > 1;
        let versions: Vec<_> = if several { all.into_iter().collect() } else { vec![None] };
        columns.extend(versions.into_iter().map(|version| Column {
            id,
            title: maker.phone(id),
            family: maker.family(id),
            version,
        }));
    }
    columns
}

fn families<'r>(columns: &[Column<'r>]) -> Vec<(&'r str, usize)> {
    let mut families: Vec<(&str, usize)> = Vec::new();
    for column in columns {
        match families.last_mut() {
            Some((name, count)) if *name == column.family => *count += 1,
            _ => families.push((column.family, 1)),
        }
    }
    families
}

fn overview<'r>(
    columns: &[Column<'r>],
    groups: usize,
    sums: &HashMap<(usize, usize), Vec<Verdict>>,
) -> Vec<Family<'r>> {
    let mut families: Vec<Family<'r>> = Vec::new();
    for (place, column) in columns.iter().enumerate() {
        let sum = |group| {
            let verdicts = sums.get(&(place, group))?;
            let worst = verdicts.iter().max()?;
            let count = verdicts.iter().filter(|verdict| *verdict == worst).count();
            let tried = verdicts.iter().filter(|verdict| **verdict != Verdict::Skipped).count();
            Some(((*worst).into(), count, if tried == 0 { verdicts.len() } else { tried }))
        };
        let line = Line { title: column.title, version: column.version, sums: (0..groups).map(sum).collect() };
        match families.last_mut() {
            Some(family) if family.name == column.family => family.lines.push(line),
            _ => families.push(Family { name: column.family, lines: vec![line] }),
        }
    }
    families
}

fn tally<'v>(verdicts: impl Iterator<Item = &'v Verdict>) -> Vec<(Mark, usize)> {
    let mut counts: BTreeMap<Verdict, usize> = BTreeMap::new();
    verdicts.for_each(|verdict| *counts.entry(*verdict).or_default() += 1);
    counts.into_iter().rev().map(|(verdict, count)| (verdict.into(), count)).collect()
}

/// The command whose scenarios are in the folder of its name: `folder-sync`.
fn command(folder: &str) -> Option<&'static str> {
    let plain = folder.replace('-', "");
    Command::all().map(Command::name).find(|name| name.eq_ignore_ascii_case(&plain))
}
