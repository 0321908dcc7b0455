use std::collections::BTreeMap;

use quick_xml::{Reader, events::Event};

use super::*;
use crate::run::tests::{cell, run_of, sample};

/// Which elements may stand where, the attributes each must have, and those it may have besides: the rules that the common
/// JUnit schemas (Jenkins, Surefire) agree on.
const RULES: &[(&str, &str, &[&str], &[&str])] = &[
    ("", "testsuites", &["name", "tests", "failures", "errors"], &["skipped", "time", "disabled"]),
    (
        "testsuites",
        "testsuite",
        &["name", "tests", "failures", "errors", "skipped"],
        &["time", "timestamp", "hostname", "id", "package", "disabled"],
    ),
    ("testsuite", "testcase", &["name", "classname"], &["time", "status", "assertions", "file", "line"]),
    ("testcase", "failure", &["message", "type"], &[]),
    ("testcase", "error", &["message", "type"], &[]),
    ("testcase", "skipped", &["message"], &["type"]),
    ("testcase", "system-out", &[], &[]),
];

/// What an element counts, and what it says it counts.
#[derive(Default)]
struct Counts {
    said: BTreeMap<String, usize>,
    seen: BTreeMap<&'static str, usize>,
}

/// Checks the document against the rules, its counts against what is in it, and gives the number of testcases.
pub(crate) fn check(xml: &str) -> usize {
    let mut reader = Reader::from_str(xml);
    let mut open = Vec::<(String, Counts, Vec<String>)>::new();
    let mut cases = 0;
    loop {
        let event = reader.read_event().unwrap();
        let (element, closed) = match &event {
            Event::Start(element) => (element, false),
            Event::Empty(element) => (element, true),
            Event::End(_) => {
                let (name, counts, _) = open.pop().unwrap();
                counted(&name, &counts);
                continue;
            }
            Event::Eof => return cases,
            _ => continue,
        };
        let name = element.name().as_ref().to_owned();
        let parent = open.last().map_or("", |(name, ..)| name.as_str());
        let rule = RULES.iter().find(|(above, this, ..)| *above == parent && *this == name);
        let (_, _, needed, more) = rule.unwrap_or_else(|| panic!("<{name}> inside <{parent}>"));
        let there: BTreeMap<String, String> = element
            .attributes()
            .map(|a| a.unwrap())
            .map(|a| (a.key.as_ref().to_owned(), a.value.as_ref().to_owned()))
            .collect();
        for attribute in *needed {
            assert!(there.contains_key(*attribute), "<{name}> has no `{attribute}`: {there:?}");
        }
        for (attribute, value) in &there {
            let known = needed.iter().chain(*more).any(|known| known == attribute);
            assert!(known, "<{name}> has `{attribute}`");
            assert!(
                attribute != "name" && attribute != "classname" || !value.is_empty(),
                "<{name}> {attribute} is empty"
            );
        }
        if name == "testsuites" || name == "testsuite" {
            for attribute in ["tests", "failures", "errors", "skipped"] {
                let number = there.get(attribute).map(|value| value.parse::<usize>().unwrap());
                assert!(number.is_some() || attribute == "skipped", "{attribute}");
            }
        }
        let counts = |name: &str| match name {
            "testcase" => Some("tests"),
            "failure" => Some("failures"),
            "error" => Some("errors"),
            "skipped" => Some("skipped"),
            _ => None,
        };
        if let Some(what) = counts(&name) {
            open.iter_mut().for_each(|(_, of, _)| *of.seen.entry(what).or_default() += 1);
        }
        if let Some((above, _, children)) = open.last_mut() {
            // A testcase came to one thing, and its output stands behind that.
            let results = children.iter().filter(|child| *child != "system-out").count();
            assert!(above != "testcase" || (name == "system-out" || results == 0), "<{name}> behind {children:?}");
            assert!(above != "testcase" || !children.contains(&"system-out".to_owned()), "<{name}> behind output");
            children.push(name.clone());
        }
        cases += usize::from(name == "testcase");
        let said = there.iter().filter_map(|(name, value)| Some((name.clone(), value.parse().ok()?))).collect();
        let counts = Counts { said, seen: BTreeMap::new() };
        if closed {
            counted(&name, &counts);
        } else {
            open.push((name, counts, Vec::new()));
        }
    }
}

fn counted(name: &str, counts: &Counts) {
    if name == "testsuites" || name == "testsuite" {
        for what in ["tests", "failures", "errors", "skipped"] {
            let seen = counts.seen.get(what).copied().unwrap_or(0);
            assert_eq!(counts.said.get(what).copied().unwrap_or(0), seen, "{what} of <{name}>");
        }
    }
}

#[test]
fn a_run_keeps_the_rules_of_the_schema() {
    let run = sample();
    assert_eq!(check(&junit(&run)), run.cells.len());
    assert_eq!(check(&junit(&run_of(Vec::new()))), 0);
}

#[test]
fn characters_that_xml_cannot_hold_are_left_out() {
    let mut odd = cell("sync/odd", "wp7", Verdict::Fail);
    odd.reason = "a\u{0}b\u{1b}[31mc\u{ffff}d <&\">".into();
    let xml = junit(&run_of(vec![odd]));
    assert_eq!(check(&xml), 1);
    assert!(!xml.contains(['\u{0}', '\u{1b}', '\u{ffff}']), "{xml}");
    assert!(xml.contains("ab[31mcd &lt;&amp;"), "{xml}");
}

#[test]
fn a_run_becomes_suites() {
    insta::assert_snapshot!(junit(&sample()));
}

#[test]
fn a_known_deviation_passes_and_one_that_is_gone_fails() {
    let mut run = run_of(vec![cell("sync/a", "wp7", Verdict::Fail), cell("sync/b", "wp7", Verdict::Pass)]);
    let known = "[[known]]\npattern = \"sync/*\"\nverdict = \"fail\"\nbecause = \"ticket 7\"\n";
    run.hold_against(&crate::Known::parse("known.toml", known).unwrap());
    let xml = junit(&run);
    assert_eq!(check(&xml), 2);
    assert!(xml.contains("failures=\"1\"") && xml.contains("type=\"unexpected pass\""), "{xml}");
    assert!(xml.contains("known deviation: fail: ticket 7"), "{xml}");
}
