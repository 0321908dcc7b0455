//! The exchanges that a change is about, line beside line.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
};

use easrig_exchange::{Exchange, ExchangeNumber, Headers, Outcome};
use easrig_scenario::{
    Cell, Content, Decoded, Verdict,
    difference::{self, Contents, Difference, Terms, Unknown},
};
use similar::{Algorithm, DiffTag, capture_diff_slices};

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

/// The headers of two exchanges that mean something else, by their names in small letters.
#[derive(Default)]
pub(super) struct DifferingHeaders {
    /// Of the requests.
    pub(super) sent: BTreeSet<String>,
    /// Of the answers.
    pub(super) came: BTreeSet<String>,
}

/// Headers of requests that say nothing about what was asked.
const BESIDE_THE_POINT: [&str; 7] =
    ["authorization", "content-length", "cookie", "date", "host", "user-agent", "x-ms-policykey"];

/// Which headers mean something else; those that may differ are not among them.
pub(super) fn differing_headers(comparison: &Comparison<'_>, before: &Exchange, after: &Exchange) -> DifferingHeaders {
    let found = differences(comparison, before, after);
    let names = found.iter().map(|difference| difference.path.to_ascii_lowercase());
    let [was, is] = [before, after].map(|exchange| &exchange.request.headers);
    let all: BTreeSet<String> = was.iter().chain(is.iter()).map(|(name, _)| name.to_ascii_lowercase()).collect();
    let values = |headers: &Headers, name: &str| -> Vec<String> {
        headers.all(name).map(|value| normal(value).into_owned()).collect()
    };
    let mut sent = all;
    sent.retain(|name| !BESIDE_THE_POINT.contains(&name.as_str()) && values(was, name) != values(is, name));
    DifferingHeaders { sent, came: names.collect() }
}

/// Two exchanges line beside line: what was asked, with its body as XML, and what came back, each with the headers that
/// mean something else. What means the same stands in one row; ids, keys and dates may differ there.
pub fn side_by_side(comparison: &Comparison<'_>, before: Option<&Exchange>, after: Option<&Exchange>) -> Vec<Row> {
    let [was, is] = [before, after].map(|exchange| exchange.map(Lines::of).unwrap_or_default());
    let marks = before.zip(after).map(|(was, is)| differing_headers(comparison, was, is)).unwrap_or_default();
    let mut rows = align(&was.asked, &is.asked);
    rows.extend(header_rows(&marks.sent, [before, after].map(|exchange| Some(&exchange?.request.headers))));
    rows.extend(align(&was.sent, &is.sent));
    rows.extend(align(&was.answered, &is.answered));
    rows.extend(header_rows(&marks.came, [before, after].map(|exchange| Some(&exchange?.response()?.headers))));
    rows.extend(align(&was.came, &is.came));
    rows
}

fn header_rows(names: &BTreeSet<String>, [was, is]: [Option<&Headers>; 2]) -> Vec<Row> {
    let line = |headers: Option<&Headers>, wanted: &str| {
        let (name, _) = headers?.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
        let values: Vec<&str> = headers?.all(wanted).collect();
        Some(one_line(&format!("{name}: {}", values.join(", "))))
    };
    let rows = names.iter().map(|name| Row { before: line(was, name), after: line(is, name), is_same: false });
    rows.filter(|row| row.before.is_some() || row.after.is_some()).collect()
}

/// An exchange as lines.
#[derive(Default)]
struct Lines {
    asked: Vec<String>,
    sent: Vec<String>,
    answered: Vec<String>,
    came: Vec<String>,
}

impl Lines {
    fn of(exchange: &Exchange) -> Self {
        let decoded = Decoded::of(exchange);
        let request = &exchange.request;
        let verb = decoded.verb.map(|verb| verb.to_string()).filter(|verb| *verb != request.method);
        let verb = verb.map(|verb| format!(" {verb}")).unwrap_or_default();
        let answered = match &exchange.outcome {
            Outcome::Answered(_) => decoded.words(),
            Outcome::Failed(failure) => format!("no answer: {failure}"),
        };
        let checked = |lines: Vec<String>| lines.iter().map(|line| one_line(line)).collect();
        Self {
            asked: checked(vec![format!("{} {}{verb}", request.method, request.url.path())]),
            sent: checked(body(&decoded.request)),
            answered: checked(vec![answered]),
            came: checked(body(&decoded.answer)),
        }
    }
}

fn one_line(text: &str) -> String {
    safe(&text.replace('\t', " ")).into_owned()
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

/// The most lines of a snapshot that are compared.
const TEXT_MOST: usize = 4000;

/// Two snapshots of a cell line beside line; what differs in meaning is all that differs in them.
pub(crate) fn texts_side_by_side(before: &str, after: &str) -> Vec<Row> {
    let [was, is] = [before, after].map(|text| {
        let mut lines: Vec<String> = text.lines().take(TEXT_MOST).map(|line| safe(line).into_owned()).collect();
        if text.lines().nth(TEXT_MOST).is_some() {
            lines.push("… more lines than are compared".to_owned());
        }
        lines
    });
    align(&was, &is)
}

/// What both have, in rows; between those what only one has, beside what only the other has.
fn align(was: &[String], is: &[String]) -> Vec<Row> {
    let [left, right] = [was, is].map(|lines| lines.iter().map(|line| meaning(line)).collect::<Vec<_>>());
    let row =
        |was: Option<&String>, is: Option<&String>, is_same| Row { before: was.cloned(), after: is.cloned(), is_same };
    let mut rows = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, &left, &right) {
        let lines = |all: &[String], range: Range<usize>| all.get(range).unwrap_or_default().to_vec();
        let (was, is) = (lines(was, op.old_range()), lines(is, op.new_range()));
        let is_same = op.tag() == DiffTag::Equal;
        rows.extend((0..was.len().max(is.len())).map(|place| row(was.get(place), is.get(place), is_same)));
    }
    rows
}

/// What a line says; the text of an element that is filler is its length.
fn meaning(line: &str) -> String {
    let filler = || {
        let (head, rest) = line.split_once('>')?;
        let (text, tail) = rest.split_once('<')?;
        let is_hash = text.len() >= FILLER_LEAST && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash.then(|| format!("{head}>\0{}<{tail}", text.len()))
    };
    filler().unwrap_or_else(|| normal(line).into_owned())
}

/// The shortest text that is taken for filler.
const FILLER_LEAST: usize = 6;

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
