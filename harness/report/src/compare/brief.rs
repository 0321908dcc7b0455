use super::Comparison;
use crate::{safe, terminal::layout::pad, terminal::layout::width};

/// Every changed cell in a line: `wp7  journeys/reply  blocked (86000C2B) → pass`.
pub fn compare_brief(comparison: &Comparison<'_>) -> String {
    let row = |change: &super::Change<'_>| {
        [safe(&change.id.persona).into_owned(), safe(&change.id.scenario).into_owned(), change.transition()]
    };
    let rows: Vec<[String; 3]> = comparison.changes().map(row).collect();
    if rows.is_empty() {
        return "nothing changed\n".to_owned();
    }
    let widest =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|text| width(text)).max().unwrap_or(0);
    let [persona, scenario] = [widest(0), widest(1)];
    rows.iter().map(|[who, what, how]| format!("{}  {}  {how}\n", pad(who, persona), pad(what, scenario))).collect()
}
