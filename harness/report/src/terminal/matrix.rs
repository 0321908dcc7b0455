//! Scenario × persona, as a table where it fits and as a list per persona where it does not.

use std::collections::{BTreeMap, BTreeSet};

use easrig_eas::Version;
use easrig_scenario::{Cell, Verdict};

use super::{
    View,
    layout::{cut, pad, width},
};
use crate::{Run, safe};

/// The fewest columns for the names of scenarios; with less room there is no table.
const NAME_LEAST: usize = 24;

pub(super) fn draw(run: &Run, view: View<'_>) -> String {
    let table = Table::of(run);
    if table.rows.is_empty() {
        return String::new();
    }
    table.draw(view).unwrap_or_else(|| list(run, view))
}

/// A column: a persona, and the version when it has cells in several.
type Column<'r> = (&'r str, Option<Version>);

struct Table<'r> {
    columns: Vec<Column<'r>>,
    rows: Vec<(&'r str, BTreeMap<usize, Verdict>)>,
    /// How many invariants held everywhere.
    kept: usize,
}

impl<'r> Table<'r> {
    /// Rows whose every cell was skipped are left out: the notes say so once.
    fn of(run: &'r Run) -> Self {
        let mut versions: BTreeMap<&str, BTreeSet<Option<Version>>> = BTreeMap::new();
        for cell in &run.cells {
            versions.entry(&cell.id.persona).or_default().insert(cell.id.version);
        }
        let column = |cell: &'r Cell| {
            let several = versions.get(cell.id.persona.as_str()).is_some_and(|all| all.iter().flatten().count() > 1);
            (cell.id.persona.as_str(), cell.id.version.filter(|_| several))
        };
        let (mut columns, mut rows) = (Vec::new(), Vec::<(&str, BTreeMap<usize, Verdict>)>::new());
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for cell in &run.cells {
            let at = column(cell);
            let number = columns.iter().position(|known| *known == at).unwrap_or_else(|| {
                columns.push(at);
                columns.len() - 1
            });
            let place = *places.entry(&cell.id.scenario).or_insert_with(|| {
                rows.push((&cell.id.scenario, BTreeMap::new()));
                rows.len() - 1
            });
            if let Some((_, verdicts)) = rows.get_mut(place) {
                verdicts.insert(number, cell.verdict);
            }
        }
        rows.retain(|(_, verdicts)| verdicts.values().any(|verdict| *verdict != Verdict::Skipped));
        let kept = fold_invariants(&mut rows);
        // Scenarios of one folder stand together, in the order in which the folders come; invariants are last.
        let mut folders: Vec<&str> = Vec::new();
        for (scenario, _) in &rows {
            if !folders.contains(&folder(scenario)) {
                folders.push(folder(scenario));
            }
        }
        folders.sort_by_key(|folder| *folder == "invariant");
        rows.sort_by_key(|(scenario, _)| folders.iter().position(|known| *known == folder(scenario)));
        Self { columns, rows, kept }
    }

    /// `None` when it needs more than the width there is.
    fn draw(&self, view: View<'_>) -> Option<String> {
        let heads: Vec<[String; 2]> = self.columns.iter().map(|column| head(*column)).collect();
        let one_line: Vec<[String; 2]> =
            heads.iter().map(|[name, below]| [format!("{name}{below}"), String::new()]).collect();
        let longest = self.rows.iter().map(|(scenario, _)| width(leaf(scenario)) + 2).max().unwrap_or(0);
        let room = |heads: &[[String; 2]]| {
            view.width.saturating_sub(self.widths(heads).iter().map(|width| width + 2).sum::<usize>())
        };
        // Whole names before names of phones in one line; and cut names before no table.
        let heads = [&one_line, &heads]
            .into_iter()
            .find(|heads| room(heads) >= longest)
            .or_else(|| Some(&heads).filter(|heads| room(heads) >= NAME_LEAST))?;
        let names = longest.max(NAME_LEAST).min(room(heads));
        let widths = self.widths(heads);
        let mut out = String::new();
        for line in 0..2 {
            let cells = heads
                .iter()
                .zip(&widths)
                .filter_map(|(head, width)| Some(format!("  {}", pad(head.get(line)?, *width))));
            let text: String = cells.collect();
            if !text.trim().is_empty() {
                let strong = view.palette.strong;
                out.push_str(&format!("{}{strong}{}{strong:#}\n", " ".repeat(names), text.trim_end()));
            }
        }
        let mut last = "";
        for (scenario, verdicts) in &self.rows {
            if folder(scenario) != last {
                last = folder(scenario);
                out.push_str(&format!("{}\n", safe(last)));
            }
            out.push_str(&self.row(scenario, verdicts, names, &widths, view));
        }
        if self.kept > 0 {
            out.push_str(&format!("and {} invariants held on every exchange\n", self.kept));
        }
        Some(out)
    }

    fn row(
        &self,
        scenario: &str,
        verdicts: &BTreeMap<usize, Verdict>,
        names: usize,
        widths: &[usize],
        view: View<'_>,
    ) -> String {
        let mut out = pad(&format!("  {}", cut(&safe(leaf(scenario)), names.saturating_sub(2))), names);
        for (number, width) in widths.iter().enumerate() {
            out.push_str("  ");
            match verdicts.get(&number) {
                Some(verdict) => {
                    let style = view.palette.of(*verdict);
                    let last = number + 1 == widths.len();
                    let gap = if last { String::new() } else { pad("", width.saturating_sub(word(*verdict).len())) };
                    out.push_str(&format!("{style}{}{style:#}{gap}", word(*verdict)));
                }
                None if number + 1 == widths.len() => out.push('·'),
                None => out.push_str(&pad("·", *width)),
            }
        }
        out.push('\n');
        out
    }

    fn widths(&self, heads: &[[String; 2]]) -> Vec<usize> {
        let column = |(number, head): (usize, &[String; 2])| {
            let words = self.rows.iter().filter_map(|(_, verdicts)| verdicts.get(&number));
            let words = words.map(|verdict| word(*verdict).len()).max().unwrap_or(0);
            head.iter().map(|line| width(line)).max().unwrap_or(0).max(words)
        };
        heads.iter().enumerate().map(column).collect()
    }
}

/// Takes out the invariants that held everywhere, and counts them: a row each would hide the scenarios.
fn fold_invariants(rows: &mut Vec<(&str, BTreeMap<usize, Verdict>)>) -> usize {
    let before = rows.len();
    rows.retain(|(scenario, verdicts)| {
        folder(scenario) != "invariant" || verdicts.values().any(|verdict| *verdict != Verdict::Pass)
    });
    before - rows.len()
}

/// The name of a column in two lines, to be joined where there is room.
fn head((persona, version): Column<'_>) -> [String; 2] {
    let persona = safe(persona).into_owned();
    match version {
        Some(version) => [persona, format!(" {version}")],
        None => match persona.rsplit_once('-') {
            Some((family, rest)) => [format!("{family}-"), rest.to_owned()],
            None => [persona, String::new()],
        },
    }
}

/// Counts per persona, and every cell that is neither pass nor skipped.
fn list(run: &Run, view: View<'_>) -> String {
    let mut out = String::new();
    let mut personas: Vec<&str> = Vec::new();
    for cell in &run.cells {
        if !personas.contains(&cell.id.persona.as_str()) {
            personas.push(&cell.id.persona);
        }
    }
    for persona in personas {
        let cells: Vec<&Cell> = run.cells.iter().filter(|cell| cell.id.persona == persona).collect();
        let count = |verdict| cells.iter().filter(|cell| cell.verdict == verdict).count();
        let strong = view.palette.strong;
        let counts = [Verdict::Pass, Verdict::Skipped].map(|verdict| format!("{} {verdict}", count(verdict)));
        out.push_str(&format!("{strong}{}{strong:#}  {}\n", safe(persona), counts.join(", ")));
        for cell in cells.iter().filter(|cell| !matches!(cell.verdict, Verdict::Pass | Verdict::Skipped)) {
            let style = view.palette.of(cell.verdict);
            let version = cell.id.version.map(|version| format!(" [{version}]")).unwrap_or_default();
            let word = pad(word(cell.verdict), 8);
            out.push_str(&format!("  {style}{word}{style:#}  {}{version}\n", safe(&cell.id.scenario)));
        }
    }
    out
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "FAIL",
        Verdict::Blocked => "BLOCKED",
        Verdict::Degraded => "degraded",
        Verdict::Inconclusive => "inconcl.",
        Verdict::Skipped => "skip",
    }
}

fn folder(scenario: &str) -> &str {
    scenario.split_once('/').map_or("", |(folder, _)| folder)
}

fn leaf(scenario: &str) -> &str {
    scenario.split_once('/').map_or(scenario, |(_, leaf)| leaf)
}
