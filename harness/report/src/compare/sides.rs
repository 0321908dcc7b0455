//! The exchanges that a change is about, line beside line.

use std::collections::{BTreeSet, HashMap};

use easrig_exchange::{Exchange, ExchangeNumber, Outcome};
use easrig_scenario::{
    Cell, Content, Decoded, Verdict,
    difference::{self, Contents, Difference, Terms, Unknown},
};

use super::{Comparison, change::Change, normal::normal};
use crate::{Run, safe};

/// A line of two exchanges side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line of the earlier exchange.
    pub before: Option<String>,
    /// The line of the later exchange.
    pub after: Option<String>,
    /// Whether they say the same but for what changes from run to run.
    pub is_same: bool,
}

/// The most lines of a body that are compared.
const LINES_MOST: usize = 400;

/// How far apart the clocks of two runs and of their targets may be, in seconds.
const CLOCKS: i64 = 600;

/// What the later exchange's answer means otherwise than the earlier one's. What a server may choose anew (ids, keys,
/// dates, the order of items and headers) is no difference; contents are compared by length where a run does not keep them.
pub fn differences(comparison: &Comparison<'_>, before: &Exchange, after: &Exchange) -> Vec<Difference> {
    let kept = comparison.before.started.keep_content && comparison.after.started.keep_content;
    let gap = after.started.0.saturating_sub(before.started.0) / 1_000_000;
    let terms = Terms {
        contents: if kept { Contents::Told } else { Contents::Filler },
        later: (gap.saturating_sub(CLOCKS), gap.saturating_add(CLOCKS)),
        renamed: &Unknown,
    };
    difference::compare(before, after, terms).all().cloned().collect()
}

/// Two exchanges line beside line: what was asked, with its body as XML, and what came back. What means the same stands
/// in one row; ids, keys and dates may differ there.
pub fn side_by_side(before: Option<&Exchange>, after: Option<&Exchange>) -> Vec<Row> {
    let [was, is] = [before, after].map(|exchange| exchange.map(Lines::of).unwrap_or_default());
    let mut rows = align(&was.asked, &is.asked);
    rows.extend(align(&was.answered, &is.answered));
    rows
}

/// An exchange as lines.
#[derive(Default)]
struct Lines {
    asked: Vec<String>,
    answered: Vec<String>,
}

impl Lines {
    fn of(exchange: &Exchange) -> Self {
        let decoded = Decoded::of(exchange);
        let request = &exchange.request;
        let verb = decoded.verb.map(|verb| verb.to_string()).filter(|verb| *verb != request.method);
        let verb = verb.map(|verb| format!(" {verb}")).unwrap_or_default();
        let mut asked = vec![format!("{} {}{verb}", request.method, request.url.path())];
        asked.extend(body(&decoded.request));
        let mut answered = vec![match &exchange.outcome {
            Outcome::Answered(_) => decoded.words(),
            Outcome::Failed(failure) => format!("no answer: {failure}"),
        }];
        answered.extend(body(&decoded.answer));
        Self { asked, answered }.checked()
    }

    fn checked(self) -> Self {
        let checked =
            |lines: Vec<String>| lines.iter().map(|line| safe(&line.replace('\t', " ")).into_owned()).collect();
        Self { asked: checked(self.asked), answered: checked(self.answered) }
    }
}

fn body(content: &Content) -> Vec<String> {
    match content {
        Content::Document(document) => document.to_xml_pretty().lines().take(LINES_MOST).map(str::to_owned).collect(),
        Content::Missing | Content::Empty => Vec::new(),
        Content::Undecodable(_) | Content::Broken(_) | Content::Other => {
            vec!["(a body that is no document)".to_owned()]
        }
    }
}

/// The longest common sequence of both, and between its members what only one side has.
fn align(was: &[String], is: &[String]) -> Vec<Row> {
    let plain = |lines: &[String]| lines.iter().map(|line| normal(line).into_owned()).collect::<Vec<_>>();
    let (left, right) = (plain(was), plain(is));
    let width = right.len() + 1;
    let mut longest = vec![0_usize; (left.len() + 1) * width];
    for row in (0..left.len()).rev() {
        for column in (0..right.len()).rev() {
            let at = |row: usize, column: usize| longest.get(row * width + column).copied().unwrap_or(0);
            let best = if alike(left.get(row), right.get(column)) {
                at(row + 1, column + 1) + 1
            } else {
                at(row + 1, column).max(at(row, column + 1))
            };
            if let Some(cell) = longest.get_mut(row * width + column) {
                *cell = best;
            }
        }
    }
    let at = |row: usize, column: usize| longest.get(row * width + column).copied().unwrap_or(0);
    let mut rows = Vec::new();
    let (mut row, mut column) = (0, 0);
    while let (Some(one), Some(other)) = (was.get(row), is.get(column)) {
        if alike(left.get(row), right.get(column)) {
            rows.push(Row { before: Some(one.clone()), after: Some(other.clone()), is_same: true });
            row += 1;
            column += 1;
        } else if at(row + 1, column) >= at(row, column + 1) {
            rows.push(Row { before: Some(one.clone()), after: None, is_same: false });
            row += 1;
        } else {
            rows.push(Row { before: None, after: Some(other.clone()), is_same: false });
            column += 1;
        }
    }
    rows.extend(was.iter().skip(row).map(|one| Row { before: Some(one.clone()), after: None, is_same: false }));
    rows.extend(is.iter().skip(column).map(|one| Row { before: None, after: Some(one.clone()), is_same: false }));
    beside(rows)
}

/// Whether two lines say the same; the text of an element that is filler in both is compared by its length.
fn alike(one: Option<&String>, other: Option<&String>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return false };
    let filler = |line: &str| {
        let (head, rest) = line.split_once('>')?;
        let (text, tail) = rest.split_once('<')?;
        let is_hash = text.len() >= FILLER_LEAST && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash.then(|| (head.to_owned(), text.len(), tail.to_owned()))
    };
    one == other || filler(one).is_some_and(|one| filler(other) == Some(one))
}

/// The shortest text that is taken for filler.
const FILLER_LEAST: usize = 6;

/// Puts what only one side has beside what only the other has.
fn beside(rows: Vec<Row>) -> Vec<Row> {
    let mut out: Vec<Row> = Vec::with_capacity(rows.len());
    let mut open: Vec<usize> = Vec::new();
    for row in rows {
        if row.is_same {
            open.clear();
            out.push(row);
        } else if let (None, Some(after), Some(place)) = (&row.before, &row.after, open.first().copied()) {
            if let Some(free) = out.get_mut(place) {
                free.after = Some(after.clone());
            }
            open.remove(0);
        } else {
            if row.before.is_some() {
                open.push(out.len());
            }
            out.push(row);
        }
    }
    out
}

/// Writes into each change which exchanges of both runs it is about.
pub(super) fn find(changes: &mut [Change<'_>], before: &Run, after: &Run) {
    let was = Index::of(before, changes.iter().filter_map(|change| change.before));
    let is = Index::of(after, changes.iter().filter_map(|change| change.after));
    for change in changes {
        let (later, earlier) = (change.after, change.before);
        change.exchanges = match (earlier, later) {
            // What broke is in the later cell; what healed was in the earlier one.
            (Some(cell), Some(other)) if change.class == super::Class::Improvement => {
                let number = was.telling(cell);
                [number, number.and_then(|number| is.counterpart(other, was.place(cell, number)?))]
            }
            (other, Some(cell)) => {
                let number = is.telling(cell);
                let place = number.and_then(|number| is.place(cell, number));
                [other.zip(place).and_then(|(other, place)| was.counterpart(other, place)), number]
            }
            (Some(cell), None) => [was.telling(cell), None],
            (None, None) => [None, None],
        };
    }
}

/// The lines about the exchanges of some cells.
struct Index<'r>(HashMap<ExchangeNumber, (&'r str, Option<u16>)>);

/// Which of the exchanges with that command it is, from 0.
type Place<'r> = (&'r str, usize);

impl<'r> Index<'r> {
    fn of<'c>(run: &'r Run, cells: impl Iterator<Item = &'c Cell>) -> Self {
        let wanted: BTreeSet<ExchangeNumber> = cells.flat_map(|cell| cell.exchanges.iter().copied()).collect();
        let own = run.exchanges.iter().filter(|exchange| wanted.contains(&exchange.number));
        Self(own.map(|exchange| (exchange.number, (&*exchange.command, exchange.http))).collect())
    }

    /// The exchange that the cell is about: of its last finding; of what did not go well the last that was refused; or the
    /// last one.
    fn telling(&self, cell: &Cell) -> Option<ExchangeNumber> {
        let found = cell.findings.iter().rev().find_map(|finding| finding.exchange);
        let refused = |number: &&ExchangeNumber| self.0.get(*number).is_some_and(|(_, http)| *http != Some(200));
        let is_well = matches!(cell.verdict, Verdict::Pass | Verdict::Degraded);
        let bad = cell.exchanges.iter().rev().find(refused).filter(|_| !is_well);
        found.or_else(|| bad.or(cell.exchanges.last()).copied())
    }

    fn place(&self, cell: &Cell, number: ExchangeNumber) -> Option<Place<'r>> {
        let (command, _) = self.0.get(&number)?;
        let before = cell.exchanges.iter().take_while(|other| **other != number);
        Some((command, before.filter(|other| self.0.get(other).is_some_and(|(other, _)| other == command)).count()))
    }

    fn counterpart(&self, cell: &Cell, (command, place): Place<'_>) -> Option<ExchangeNumber> {
        let same =
            cell.exchanges.iter().filter(|number| self.0.get(number).is_some_and(|(other, _)| *other == command));
        let all: Vec<_> = same.copied().collect();
        all.get(place).or_else(|| all.last()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn what_means_the_same_stands_in_one_row_and_what_differs_beside_each_other() {
        let was =
            lines("HTTP 200\n<SyncKey>{4a7b2c1d-0001-4f3e-9a8b-000000000012}3</SyncKey>\n<Status>1</Status>\n<A/>");
        let is = lines(
            "HTTP 200\n<SyncKey>{11111111-0001-4f3e-9a8b-000000000099}7</SyncKey>\n<Status>5</Status>\n<A/>\n<B/>",
        );
        let rows = align(&was, &is);
        let same: Vec<bool> = rows.iter().map(|row| row.is_same).collect();
        assert_eq!(same, [true, true, false, true, false]);
        assert_eq!(rows[2].before.as_deref(), Some("<Status>1</Status>"));
        assert_eq!(rows[2].after.as_deref(), Some("<Status>5</Status>"));
        assert_eq!((rows[4].before.as_deref(), rows[4].after.as_deref()), (None, Some("<B/>")));
    }
}
