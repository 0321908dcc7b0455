use std::collections::BTreeMap;
use std::fmt::Write as _;

use easrig_report::safe;
use easrig_runner::{Came, Replayed, Row};

/// The most exchanges that are named for one reason.
const MAX_NAMED: usize = 8;

/// A replay as people read it: a line for each exchange, then every difference with both sides.
pub(crate) fn told(replayed: &Replayed) -> String {
    let mut out = String::new();
    let contents = if replayed.contents { "" } else { "; the recording has no contents, only their length" };
    line(&mut out, &format!("{} at {} ({}{contents})", replayed.recording, replayed.target, replayed.mode));
    line(&mut out, "");
    let width = |of: fn(&Row) -> usize| replayed.exchanges.iter().map(of).max().unwrap_or(0).min(32);
    let (device, command) = (width(|row| row.device.chars().count()), width(|row| row.command.len()));
    for row in &replayed.exchanges {
        let came = match (row.came, row.allowed.total()) {
            (Came::Allowed, count) => format!("allowed ({count})"),
            (came, _) => came.to_string(),
        };
        line(&mut out, &format!("  {:>5}  {:device$}  {:command$}  {came}", row.recorded, row.device, row.command));
    }
    differences(&mut out, replayed);
    reasons(&mut out, replayed);
    if replayed.allowed.total() > 0 {
        line(&mut out, "\nallowed, and counted");
        for (rule, count) in replayed.allowed.iter() {
            line(&mut out, &format!("  {count:>5}  {rule}"));
        }
    }
    if let Some(why) = &replayed.cut_short {
        line(&mut out, &format!("\ncut short: {why}"));
    }
    line(&mut out, &format!("\n{}", replayed.totals));
    safe(&out).into_owned()
}

fn differences(out: &mut String, replayed: &Replayed) {
    for row in replayed.exchanges.iter().filter(|row| !row.differences.is_empty()) {
        let sent = row.replayed.map(|number| format!(", now exchange {number}")).unwrap_or_default();
        line(out, &format!("\nexchange {}{sent}: {} of {} is {}", row.recorded, row.command, row.device, row.came));
        line(out, &format!("  recorded  {}", row.before));
        line(out, &format!("  now       {}", row.after.as_deref().unwrap_or("no answer")));
        for difference in &row.differences {
            line(out, &format!("  {} at {}", difference.kind, difference.path));
            line(out, &format!("    - {}", difference.before));
            line(out, &format!("    + {}", difference.after));
        }
        if let Some(why) = &row.why {
            match row.came {
                Came::Inconclusive => line(out, &format!("  cannot be told: {why}")),
                _ => line(out, &format!("  besides: {why}")),
            }
        }
    }
}

/// What was not sent, by reason.
fn reasons(out: &mut String, replayed: &Replayed) {
    let mut reasons: BTreeMap<(Came, &str), Vec<u64>> = BTreeMap::new();
    for row in replayed.exchanges.iter().filter(|row| row.replayed.is_none()) {
        if let Some(why) = &row.why {
            reasons.entry((row.came, why)).or_default().push(row.recorded);
        }
    }
    for ((came, why), numbers) in reasons {
        let named: Vec<String> = numbers.iter().take(MAX_NAMED).map(u64::to_string).collect();
        let more = numbers.len().saturating_sub(MAX_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        line(out, &format!("\n{came}: exchange {}{more}: {why}", named.join(", ")));
    }
}

fn line(out: &mut String, text: &str) {
    // Writing to a text never fails.
    let _ = writeln!(out, "{text}");
}
