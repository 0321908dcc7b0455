//! The paths by which expectations name elements: `Sync/Collections/Collection[CollectionId={inbox}]/SyncKey`.

use std::{borrow::Cow, fmt, ops::Range};

use easrig_wbxml::{Element, Tag};
use thiserror::Error;

use crate::variables::UnknownVariable;

/// The way from the root of a document to some of its elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    text: String,
    segments: Vec<Segment>,
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// The place and kind of the first slip; a name that no code page has is one.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let segments = Reader { text, at: 0 }.segments(End::Text)?;
        Ok(Self { text: text.to_owned(), segments })
    }

    /// This path with the variables of its predicates replaced by `value_of`.
    ///
    /// # Errors
    /// What `value_of` says of a variable without a value.
    pub fn bind(&self, value_of: &dyn Fn(&str) -> Result<String, UnknownVariable>) -> Result<Self, UnknownVariable> {
        Ok(Self { text: value_of(&self.text)?, segments: bind(&self.segments, value_of)? })
    }

    /// Every element the path leads to, in the document's order.
    pub fn find_all<'d>(&self, root: Element<'d>) -> Vec<Element<'d>> {
        let Some((first, rest)) = self.segments.split_first() else { return Vec::new() };
        let start: Vec<_> =
            if first.deep { std::iter::once(root).chain(root.descendants()).collect() } else { vec![root] };
        rest.iter().fold(first.pick(start), |found, segment| segment.below(found))
    }

    /// The texts that may hold variables.
    pub(crate) fn templates(&self) -> Vec<&str> {
        let mut out = Vec::new();
        collect_templates(&self.segments, &mut out);
        out
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// What is wrong with a path, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind}")]
pub struct PathError {
    /// The bytes of the path it is about.
    pub range: Range<usize>,
    /// What is wrong.
    pub kind: PathErrorKind,
}

/// What is wrong with a path.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PathErrorKind {
    /// Nothing where a name belongs.
    #[error("a name is missing in the path")]
    NoName,
    /// No code page has this name.
    #[error("unknown element `{found}`")]
    UnknownName {
        /// The name as written.
        found: String,
        /// The name most like it.
        suggestion: Option<String>,
    },
    /// A bracket without its partner.
    #[error("`[` is never closed")]
    Unclosed,
    /// Something after a predicate that is neither `/` nor `[`.
    #[error("expected `/`, `[` or the end of the path")]
    Trailing,
    /// `**` twice, or at the end.
    #[error("`**` may stand once in a path, and a name must follow it")]
    Deep,
    /// `[0]`.
    #[error("positions are counted from 1")]
    Zero,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Segment {
    /// Any number of elements may lie between.
    deep: bool,
    name: Name,
    predicates: Vec<Predicate>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    Any,
    Local(String),
    Full { namespace: String, local: String },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Predicate {
    Position(usize),
    Exists(Vec<Segment>),
    Equals(Vec<Segment>, String),
    Differs(Vec<Segment>, String),
}

impl Segment {
    fn below<'d>(&self, parents: Vec<Element<'d>>) -> Vec<Element<'d>> {
        let step = |parent: Element<'d>| {
            self.pick(if self.deep { parent.descendants().collect() } else { parent.children().collect() })
        };
        parents.into_iter().flat_map(step).collect()
    }

    fn pick<'d>(&self, mut candidates: Vec<Element<'d>>) -> Vec<Element<'d>> {
        candidates.retain(|element| self.name.fits(element.tag()));
        for predicate in &self.predicates {
            match predicate {
                Predicate::Position(n) => {
                    candidates = candidates.get(n - 1).copied().into_iter().collect();
                }
                Predicate::Exists(path) => candidates.retain(|e| !below_all(path, *e).is_empty()),
                Predicate::Equals(path, value) => {
                    candidates.retain(|e| below_all(path, *e).iter().any(|found| found.text() == value.as_str()));
                }
                Predicate::Differs(path, value) => {
                    candidates.retain(|e| !below_all(path, *e).iter().any(|found| found.text() == value.as_str()));
                }
            }
        }
        candidates
    }
}

fn below_all<'d>(path: &[Segment], from: Element<'d>) -> Vec<Element<'d>> {
    path.iter().fold(vec![from], |found, segment| segment.below(found))
}

impl Name {
    fn fits(&self, tag: Tag) -> bool {
        match self {
            Self::Any => true,
            Self::Local(local) => local_name(tag) == local.as_str(),
            Self::Full { namespace, local } => {
                namespace_of(tag).eq_ignore_ascii_case(namespace) && local_name(tag) == local.as_str()
            }
        }
    }
}

/// The local name of a tag; the contract's `token-3F` for one that has no name.
pub(crate) fn local_name(tag: Tag) -> Cow<'static, str> {
    tag.name().map_or_else(|| format!("token-{:02X}", tag.token()).into(), Cow::Borrowed)
}

fn namespace_of(tag: Tag) -> Cow<'static, str> {
    tag.namespace().map_or_else(|| format!("page-{}", tag.page()).into(), Cow::Borrowed)
}

/// Every name of every code page.
pub(crate) fn known_names() -> impl Iterator<Item = (&'static str, &'static str)> {
    (0..=25u8)
        .flat_map(|page| (0x05..=0x3Fu8).map(move |token| Tag::new(page, token)))
        .filter_map(|tag| Some((tag.namespace()?, tag.name()?)))
}

fn bind(
    segments: &[Segment],
    value_of: &dyn Fn(&str) -> Result<String, UnknownVariable>,
) -> Result<Vec<Segment>, UnknownVariable> {
    let predicate = |predicate: &Predicate| {
        Ok(match predicate {
            Predicate::Position(n) => Predicate::Position(*n),
            Predicate::Exists(path) => Predicate::Exists(bind(path, value_of)?),
            Predicate::Equals(path, value) => Predicate::Equals(bind(path, value_of)?, value_of(value)?),
            Predicate::Differs(path, value) => Predicate::Differs(bind(path, value_of)?, value_of(value)?),
        })
    };
    segments
        .iter()
        .map(|segment| {
            let predicates = segment.predicates.iter().map(predicate).collect::<Result<_, UnknownVariable>>()?;
            Ok(Segment { deep: segment.deep, name: segment.name.clone(), predicates })
        })
        .collect()
}

fn collect_templates<'p>(segments: &'p [Segment], out: &mut Vec<&'p str>) {
    for predicate in segments.iter().flat_map(|segment| &segment.predicates) {
        match predicate {
            Predicate::Position(_) => {}
            Predicate::Exists(path) => collect_templates(path, out),
            Predicate::Equals(path, value) | Predicate::Differs(path, value) => {
                collect_templates(path, out);
                out.push(value);
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Text,
    Bracket,
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn segments(&mut self, end: End) -> Result<Vec<Segment>, PathError> {
        let mut out: Vec<Segment> = Vec::new();
        loop {
            let mut deep = false;
            if self.eat("**") {
                if out.iter().any(|segment| segment.deep) || !self.eat("/") {
                    return Err(self.error(self.at.saturating_sub(2)..self.at, PathErrorKind::Deep));
                }
                deep = true;
                if self.rest().starts_with("**") {
                    return Err(self.error(self.at..self.at + 2, PathErrorKind::Deep));
                }
            }
            let name = self.name()?;
            let mut predicates = Vec::new();
            while self.rest().starts_with('[') {
                predicates.push(self.predicate()?);
            }
            out.push(Segment { deep, name, predicates });
            if self.eat("/") {
                continue;
            }
            let stop = match end {
                End::Text => self.rest().is_empty(),
                End::Bracket => self.rest().starts_with([']', '=', '!']),
            };
            let kind = if self.rest().is_empty() { PathErrorKind::Unclosed } else { PathErrorKind::Trailing };
            return if stop { Ok(out) } else { Err(self.error(self.at..self.text.len(), kind)) };
        }
    }

    fn name(&mut self) -> Result<Name, PathError> {
        let start = self.at;
        if self.eat("*") {
            return Ok(Name::Any);
        }
        let rest = self.rest();
        let length = rest.find(['/', '[', ']', '=', '!']).unwrap_or(rest.len());
        let written = rest.get(..length).unwrap_or_default();
        self.at += length;
        if written.is_empty() {
            return Err(self.error(start..(start + 1).min(self.text.len()), PathErrorKind::NoName));
        }
        let name = match written.rsplit_once(':') {
            Some((namespace, local)) => Name::Full { namespace: namespace.to_owned(), local: local.to_owned() },
            None => Name::Local(written.to_owned()),
        };
        if is_known(&name) {
            return Ok(name);
        }
        let kind = PathErrorKind::UnknownName { found: written.to_owned(), suggestion: suggest(written) };
        Err(self.error(start..self.at, kind))
    }

    fn predicate(&mut self) -> Result<Predicate, PathError> {
        let open = self.at;
        self.at += 1;
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 && self.rest().get(digits..).is_some_and(|rest| rest.starts_with(']')) {
            let position = self.rest().get(..digits).and_then(|n| n.parse().ok()).unwrap_or(usize::MAX);
            self.at += digits + 1;
            return match position {
                0 => Err(self.error(open..self.at, PathErrorKind::Zero)),
                n => Ok(Predicate::Position(n)),
            };
        }
        let path = self.segments(End::Bracket)?;
        let make: fn(Vec<Segment>, String) -> Predicate = if self.eat("!=") {
            Predicate::Differs
        } else if self.eat("=") {
            Predicate::Equals
        } else if self.eat("]") {
            return Ok(Predicate::Exists(path));
        } else {
            return Err(self.error(self.at..self.text.len(), PathErrorKind::Trailing));
        };
        let rest = self.rest();
        let Some(length) = rest.find(']') else {
            return Err(self.error(open..self.text.len(), PathErrorKind::Unclosed));
        };
        let value = rest.get(..length).unwrap_or_default().to_owned();
        self.at += length + 1;
        Ok(make(path, value))
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn eat(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    fn error(&self, range: Range<usize>, kind: PathErrorKind) -> PathError {
        PathError { range: range.start.min(self.text.len())..range.end.min(self.text.len()), kind }
    }
}

fn is_known(name: &Name) -> bool {
    let of_token = |local: &str| local.strip_prefix("token-").is_some_and(|hex| u8::from_str_radix(hex, 16).is_ok());
    match name {
        Name::Any => true,
        Name::Local(local) => of_token(local) || known_names().any(|(_, known)| known == local),
        Name::Full { namespace, local } => {
            of_token(local) || Tag::lookup(namespace, local).is_some_and(|tag| tag.name() == Some(local))
        }
    }
}

pub(crate) fn suggest(written: &str) -> Option<String> {
    let local = written.rsplit_once(':').map_or(written, |(_, local)| local);
    known_names()
        .map(|(_, known)| (strsim::jaro_winkler(known, local), known))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known.to_owned())
}

#[cfg(test)]
mod tests {
    use easrig_wbxml::Document;

    use super::*;

    const ANSWER: &str = r#"<Sync xmlns="AirSync"><Collections>
        <Collection><SyncKey>a</SyncKey><CollectionId>5</CollectionId><Status>1</Status><Commands>
          <Add><ServerId>5:1</ServerId><ApplicationData><Subject xmlns="Email">one</Subject></ApplicationData></Add>
          <Add><ServerId>5:2</ServerId><ApplicationData><Subject xmlns="Email">two</Subject></ApplicationData></Add>
        </Commands></Collection>
        <Collection><SyncKey>b</SyncKey><CollectionId>6</CollectionId><Status>3</Status></Collection>
        </Collections></Sync>"#;

    fn found(path: &str) -> Vec<String> {
        let compact: String = ANSWER.lines().map(str::trim).collect();
        let document = Document::from_xml(&compact).expect("well-formed");
        let path = Path::parse(path).expect("a path");
        path.find_all(document.root()).into_iter().map(|element| element.text().into_owned()).collect()
    }

    #[test]
    fn names_lead_down_from_the_root() {
        assert_eq!(found("Sync/Collections/Collection/SyncKey"), ["a", "b"]);
        assert!(found("Collections/Collection").is_empty());
        assert!(found("Ping/Status").is_empty());
    }

    #[test]
    fn stars_stand_for_one_or_for_any_depth() {
        assert_eq!(found("Sync/*/*/Status"), ["1", "3"]);
        assert_eq!(found("**/Status"), ["1", "3"]);
        assert_eq!(found("Sync/**/ServerId"), ["5:1", "5:2"]);
        assert_eq!(found("**/Add/ApplicationData/Subject"), ["one", "two"]);
        assert_eq!(found("**/Sync/Collections/Collection[2]/SyncKey"), ["b"]);
    }

    #[test]
    fn predicates_choose_by_value_by_presence_and_by_place() {
        assert_eq!(found("Sync/Collections/Collection[CollectionId=6]/SyncKey"), ["b"]);
        assert_eq!(found("Sync/Collections/Collection[CollectionId!=6]/SyncKey"), ["a"]);
        assert_eq!(found("Sync/Collections/Collection[Commands]/SyncKey"), ["a"]);
        assert_eq!(found("**/Add[ApplicationData/Subject=two]/ServerId"), ["5:2"]);
        assert_eq!(found("**/Add[2]/ServerId"), ["5:2"]);
        assert!(found("**/Add[3]/ServerId").is_empty());
    }

    #[test]
    fn a_namespace_tells_equal_names_apart() {
        assert_eq!(found("**/Email:Subject").len(), 2);
        assert!(found("**/Calendar:Subject").is_empty());
    }

    #[test]
    fn predicates_are_bound_before_use() {
        let path = Path::parse("**/Add[ApplicationData/Subject={subject}]/ServerId").expect("a path");
        assert_eq!(path.templates(), ["{subject}"]);
        let bound = path.bind(&|text| Ok(text.replace("{subject}", "a ] b"))).expect("known");
        assert_eq!(bound.templates(), ["a ] b"]);
    }

    #[test]
    fn slips_are_shown_where_they_are() {
        let slip = |text: &str| Path::parse(text).map(|_| ()).expect_err("a slip");
        let unknown = slip("Sync/Colections/Collection");
        assert_eq!(unknown.range, 5..15);
        assert_eq!(unknown.kind.to_string(), "unknown element `Colections`");
        assert!(matches!(unknown.kind, PathErrorKind::UnknownName { suggestion: Some(s), .. } if s == "Collections"));
        assert_eq!(slip("").kind, PathErrorKind::NoName);
        assert_eq!(slip("Sync//Status").kind, PathErrorKind::NoName);
        assert_eq!(slip("Sync/").kind, PathErrorKind::NoName);
        assert_eq!(slip("Sync[0]").kind, PathErrorKind::Zero);
        assert_eq!(slip("Sync[Status=1").kind, PathErrorKind::Unclosed);
        assert_eq!(slip("Sync[Status").kind, PathErrorKind::Unclosed);
        assert_eq!(slip("Sync]").kind, PathErrorKind::Trailing);
        assert_eq!(slip("**").kind, PathErrorKind::Deep);
        assert_eq!(slip("**/Sync/**/Status").kind, PathErrorKind::Deep);
    }
}
