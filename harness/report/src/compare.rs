use std::collections::{BTreeMap, BTreeSet};

use easrig_scenario::{Cell, CellId, Verdict};

use crate::{Run, safe};

/// A cell that came to something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<'r> {
    /// The cell of the earlier run; `None` when it is new.
    pub before: Option<&'r Cell>,
    /// The cell of the later run; `None` when it is gone.
    pub after: Option<&'r Cell>,
}

/// The cells that came to something else, in the order of the later run, gone ones behind.
pub fn changes<'r>(before: &'r Run, after: &'r Run) -> Vec<Change<'r>> {
    let earlier: BTreeMap<Key<'_>, &Cell> = before.cells.iter().map(|cell| (key(&cell.id), cell)).collect();
    let later: BTreeSet<Key<'_>> = after.cells.iter().map(|cell| key(&cell.id)).collect();
    let changed = after.cells.iter().filter_map(|cell| {
        let was = earlier.get(&key(&cell.id)).copied();
        let same = was.is_some_and(|was| outcome(was) == outcome(cell));
        (!same).then_some(Change { before: was, after: Some(cell) })
    });
    let gone = before.cells.iter().filter(|cell| !later.contains(&key(&cell.id)));
    changed.chain(gone.map(|cell| Change { before: Some(cell), after: None })).collect()
}

/// What changed from one run to the next, a line per cell: `blocked (86000C2B) → pass`.
pub fn compare_brief(before: &Run, after: &Run) -> String {
    let changes = changes(before, after);
    if changes.is_empty() {
        return "nothing changed\n".to_owned();
    }
    let rows: Vec<[String; 3]> = changes.iter().map(line).collect();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let [persona, scenario] = [0, 1].map(|column| width(column).unwrap_or(0));
    rows.iter().map(|[who, what, how]| format!("{who:<persona$}  {what:<scenario$}  {how}\n")).collect()
}

type Key<'r> = (&'r str, &'r str, Option<easrig_eas::Version>);

fn key(id: &CellId) -> Key<'_> {
    (&id.persona, &id.scenario, id.version)
}

/// The verdict, with the code that the owner sees when the cell is blocked by it.
fn outcome(cell: &Cell) -> (Verdict, Option<&str>) {
    let shown = cell.device_error.as_ref().filter(|_| cell.verdict == Verdict::Blocked);
    (cell.verdict, shown.map(|error| if error.code.is_empty() { error.message.as_str() } else { error.code.as_str() }))
}

fn line(change: &Change<'_>) -> [String; 3] {
    let word = |cell: Option<&Cell>, absent: &str| match cell.map(outcome) {
        None => absent.to_owned(),
        Some((verdict, None)) => verdict.to_string(),
        Some((verdict, Some(code))) => format!("{verdict} ({})", safe(code)),
    };
    let cell = change.after.or(change.before);
    let name = |of: fn(&CellId) -> &String| cell.map(|cell| safe(of(&cell.id)).into_owned()).unwrap_or_default();
    let how = format!("{} → {}", word(change.before, "new"), word(change.after, "gone"));
    [name(|id| &id.persona), name(|id| &id.scenario), how]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::{blocked, cell, run_of};

    #[test]
    fn every_transition_has_its_line() {
        let before = run_of(vec![
            blocked("journeys/a", "wp7", "86000C2B"),
            cell("journeys/b", "wp7", Verdict::Pass),
            cell("journeys/c", "wp7", Verdict::Fail),
        ]);
        let after = run_of(vec![
            cell("journeys/a", "wp7", Verdict::Pass),
            cell("journeys/b", "wp7", Verdict::Pass),
            cell("journeys/d", "wp7", Verdict::Skipped),
        ]);
        insta::assert_snapshot!(compare_brief(&before, &after), @r"
        wp7  journeys/a  blocked (86000C2B) → pass
        wp7  journeys/d  new → skipped
        wp7  journeys/c  fail → gone
        ");
        assert_eq!(compare_brief(&before, &before), "nothing changed\n");
    }
}
