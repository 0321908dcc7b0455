use std::sync::Arc;

use easrig_exchange::ExchangeNumber;
use easrig_scenario::{Cell, Level, Verdict};

use super::*;
use crate::{
    Exchanged, Sources,
    compare::tests::upgrade,
    html::tests::found,
    run::tests::{blocked, cell, finding, run_of},
};

fn page(before: &Run, after: &Run, language: &str, content: Contents) -> String {
    let language = Language::find(language).unwrap();
    let sources = Sources { exchange: &found };
    let both = Both { before: (sources, "runs/before"), after: (sources, "runs/after") };
    compare_html(&Comparison::of(before, after), CompareHtml { language, content, both })
}

fn english(before: &Run, after: &Run) -> String {
    page(before, after, "en", Contents::Hidden)
}

#[test]
fn the_verdict_stands_first_then_each_kind_of_phone_then_the_causes() {
    let (before, after) = upgrade();
    let page = english(&before, &after);
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is not there"));
    let sentence = Comparison::of(&before, &after).sentence();
    assert!(at(&format!(">{sentence}</span></h1>")) < at("id=\"families\""));
    assert!(at("id=\"families\"") < at("id=\"causes\""));
}

#[test]
fn it_is_said_in_every_language() {
    let (before, after) = upgrade();
    for (was, is) in [(&before, &after), (&after, &before), (&after, &after)] {
        for language in Language::all() {
            let page = page(was, is, language.code(), Contents::Hidden);
            assert!(!page.contains('⟦'), "{language:?}: {:?}", page.split('⟦').nth(1));
        }
    }
    let french = page(&before, &after, "fr", Contents::Hidden);
    let head = french.split("<h1").nth(1).unwrap().split("</h1>").next().unwrap();
    assert!(head.contains("type de téléphone sur"), "{head}");
}

/// Two runs of one cell: exchange 3 before, exchange 4 after.
fn exchanged(was: Cell, is: Cell) -> (Run, Run) {
    let run = |mut cell: Cell, number| {
        cell.exchanges = vec![ExchangeNumber(number)];
        let sent = Exchanged {
            number: ExchangeNumber(number),
            cell: Arc::new(cell.id.clone()),
            command: "Sync".into(),
            http: Some(200),
            status: Some(1),
            took_us: 1_000,
            challenges: Vec::new(),
        };
        Run { exchanges: vec![sent], ..run_of(vec![cell]) }
    };
    (run(was, 3), run(is, 4))
}

#[test]
fn a_changed_cell_has_both_exchanges_and_the_commands_that_show_them() {
    let was = cell("sync/a", "wp7", Verdict::Pass);
    let is = blocked("sync/a", "wp7", "86000C2B");
    let (before, mut after) = exchanged(was, is);
    after.started.keep_content = true;
    let page = page(&before, &after, "en", Contents::Hidden);
    assert!(page.contains("id=\"cell=sync/a~wp7~14.1\""), "{page}");
    assert!(
        page.contains("easrig show runs/before --exchange 3") && page.contains("easrig show runs/after --exchange 4")
    );
    assert!(!page.contains("canary"), "contents that a run keeps are hidden");
    assert!(page.contains("lines that mean the same") || page.contains("more lines</span>"));
}

#[test]
fn both_exchanges_stand_in_full_and_only_headers_that_mean_something_else_are_marked() {
    let was = cell("sync/a", "wp7", Verdict::Pass);
    let is = cell("sync/a", "wp7", Verdict::Fail);
    let (before, after) = exchanged(was, is);
    let find = |number: ExchangeNumber| {
        let mut exchange = found(number)?;
        let later = number.0 == 4;
        let versions = if later { "14.1" } else { "14.0,14.1" };
        exchange.request.headers.push("MS-ASProtocolVersion", if later { "14.1" } else { "14.0" });
        exchange.request.headers.push("X-MS-PolicyKey", if later { "111" } else { "222" });
        let easrig_exchange::Outcome::Answered(response) = &mut exchange.outcome else { unreachable!() };
        response.headers.push("MS-ASProtocolVersions", versions);
        response.headers.push("Date", if later { "today" } else { "yesterday" });
        response.headers.push("X-FEServer", if later { "one" } else { "two" });
        Some(exchange)
    };
    let sources = Sources { exchange: &find };
    let both = Both { before: (sources, "runs/before"), after: (sources, "runs/after") };
    let language = Language::find("en").unwrap();
    let made =
        compare_html(&Comparison::of(&before, &after), CompareHtml { language, content: Contents::Hidden, both });
    let marked: Vec<&str> = made.split("<mark>").skip(1).map(|rest| rest.split("</mark>").next().unwrap()).collect();
    assert_eq!(
        marked,
        [
            "MS-ASProtocolVersion: 14.0",
            "MS-ASProtocolVersions: 14.0,14.1",
            "MS-ASProtocolVersion: 14.1",
            "MS-ASProtocolVersions: 14.1"
        ]
    );
    assert!(made.contains("<del>MS-ASProtocolVersions: 14.0,14.1</del>"), "they stand in the rows as well");
    assert!(made.contains("Date: today") && !made.contains("<del>Date"));
    let [whole, rest] = made.split("<details class=\"unfold whole\">").collect::<Vec<_>>()[..] else {
        panic!("one cell")
    };
    assert!(!whole.contains("Cmd=Sync") && rest.matches("Cmd=Sync").count() == 2, "the request lines");
    assert!(rest.matches("<details class=\"raw\">").count() >= 2 && rest.contains("more bytes</"), "cut visibly");
    let rest = rest.split("<script").next().unwrap();
    assert!(rest.len() < 6 * crate::html::CELL_MOST, "{} bytes", rest.len());
}

#[test]
fn contents_are_shown_only_when_they_are_asked_for() {
    let is = blocked("sync/a", "wp7", "86000C2B");
    let (before, after) = (run_of(Vec::new()), run_of(vec![is]));
    assert!(!english(&before, &after).contains("canary"));
    assert!(page(&before, &after, "en", Contents::Shown).contains("canary"));
}

#[test]
fn what_a_server_says_cannot_become_part_of_the_page() {
    let hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\" onload=\"x\u{202e}\u{1b}[0m";
    let before = run_of(vec![cell(hostile, hostile, Verdict::Pass)]);
    let mut odd = cell(hostile, hostile, Verdict::Fail);
    odd.reason = hostile.into();
    odd.findings.push(easrig_scenario::Finding { actual: hostile.into(), ..finding(Level::Must) });
    let mut after = run_of(vec![odd, blocked("sync/b", hostile, hostile)]);
    after.started.target = hostile.into();
    for (was, is) in [(&before, &after), (&after, &before)] {
        let page = english(was, is);
        assert_eq!((page.matches("<script").count(), page.matches("</script").count()), (2, 2));
        assert!(!page.contains("<img") && !page.contains(" style=\""));
        assert!(!page.contains(['\u{202e}', '\u{1b}']));
    }
}

#[test]
fn many_changed_cells_leave_the_page_small() {
    let many = |verdict| {
        let cells = (0..3000).map(|n| {
            let mut cell = cell(&format!("sync/s{n}"), "wp7", verdict);
            cell.exchanges = vec![ExchangeNumber(n)];
            cell
        });
        run_of(cells.collect())
    };
    let page = english(&many(Verdict::Pass), &many(Verdict::Fail));
    assert!(page.len() < 8 << 20, "{} bytes", page.len());
    assert!(page.contains("2500 more cells are not drawn"), "and says so");
}
