use quick_xml::{Reader, events::Event};

use super::*;
use crate::run::tests::{cell, run_of, sample};

/// Which elements may stand where, and the attributes each must have: the rules of the JUnit schema that readers insist on.
const RULES: &[(&str, &str, &[&str])] = &[
    ("", "testsuites", &["name", "tests", "failures", "errors"]),
    ("testsuites", "testsuite", &["name", "tests", "failures", "errors", "skipped"]),
    ("testsuite", "testcase", &["name", "classname"]),
    ("testcase", "failure", &["message", "type"]),
    ("testcase", "error", &["message", "type"]),
    ("testcase", "skipped", &["message"]),
    ("testcase", "system-out", &[]),
];

fn check(xml: &str) -> usize {
    let mut reader = Reader::from_str(xml);
    let (mut open, mut cases) = (Vec::<String>::new(), 0);
    loop {
        let event = reader.read_event().unwrap();
        let (element, closed) = match &event {
            Event::Start(element) => (element, false),
            Event::Empty(element) => (element, true),
            Event::End(_) => {
                open.pop();
                continue;
            }
            Event::Eof => return cases,
            _ => continue,
        };
        let name = element.name().as_ref().to_owned();
        let parent = open.last().map_or("", String::as_str);
        let rule = RULES.iter().find(|(above, this, _)| *above == parent && *this == name);
        let (_, _, needed) = rule.unwrap_or_else(|| panic!("<{name}> inside <{parent}>"));
        let there: Vec<_> = element.attributes().map(|a| a.unwrap().key.as_ref().to_owned()).collect();
        for attribute in *needed {
            assert!(there.iter().any(|name| name == attribute), "<{name}> has no `{attribute}`: {there:?}");
        }
        cases += usize::from(name == "testcase");
        if !closed {
            open.push(name);
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
