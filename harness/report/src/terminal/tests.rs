use easrig_exchange::{Headers, Origin, Outcome, Request, Response, Sender, Times, Timestamp};
use easrig_scenario::{CellId, Verdict};
use easrig_wbxml::Document;

use super::*;
use crate::run::tests::{cell, run_of, sample};

fn found(number: ExchangeNumber) -> Option<Exchange> {
    let document = |xml: &str| Document::from_xml(xml).unwrap().encode();
    let headers = || Headers::from_iter([("Content-Type", "application/vnd.ms-sync.wbxml")]);
    Some(Exchange {
        number,
        origin: Origin::Live,
        sender: Sender { persona: "ios-17".into(), role: "phone".into() },
        started: Timestamp(0),
        request: Request {
            method: "POST".into(),
            url: "https://mail.example.test/Microsoft-Server-ActiveSync?Cmd=FolderSync&User=a&DeviceId=b&DeviceType=c"
                .parse()
                .unwrap(),
            headers: headers(),
            body: document("<FolderSync xmlns=\"FolderHierarchy\"><SyncKey>0</SyncKey></FolderSync>"),
        },
        outcome: Outcome::Answered(Response {
            status: 200,
            reason: "OK".into(),
            headers: headers(),
            body: document("<FolderSync xmlns=\"FolderHierarchy\"><Status>9</Status></FolderSync>"),
            cut: None,
        }),
        times: Times { done: 12_345, ..Times::default() },
        tls: None,
    })
}

fn draw(run: &Run, width: usize, palette: &Palette) -> String {
    let sources = Sources { exchange: &found };
    terminal(run, View { palette, width, folder: "reports/x" }, sources)
}

#[test]
fn a_run_fits_a_wide_terminal() {
    let text = draw(&sample(), 120, &Palette::plain());
    assert!(text.ends_with("skipped\n"), "the summary is the last line");
    insta::assert_snapshot!(text);
}

#[test]
fn a_run_fits_eighty_columns() {
    let text = draw(&sample(), 80, &Palette::plain());
    for line in text.lines().filter(|line| !line.starts_with("    >") && !line.starts_with("    <")) {
        assert!(layout::width(line) <= 80, "{line}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_narrow_terminal_gets_a_list_per_persona() {
    insta::assert_snapshot!(draw(&sample(), 50, &Palette::plain()));
}

#[test]
fn colours_add_nothing_but_escapes() {
    let run = sample();
    let coloured = draw(&run, 120, &Palette::coloured());
    assert!(coloured.contains("\u{1b}[1m\u{1b}[31mFAIL"), "{coloured:?}");
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    assert_eq!(plain, draw(&run, 120, &Palette::plain()));
}

#[test]
fn zero_cells_are_one_line_and_a_target() {
    insta::assert_snapshot!(draw(&run_of(Vec::new()), 80, &Palette::plain()), @r"
    https://mail.example.test/
      --allow writes

    no cells
    ");
}

#[test]
fn a_run_cut_short_says_so_last() {
    let mut run = run_of(vec![cell("sync/a", "wp7", Verdict::Pass)]);
    run.finished = None;
    run.missing = 3;
    let text = draw(&run, 80, &Palette::plain());
    assert!(text.ends_with("1 pass; the run was cut short, 3 of these cells were never run\n"), "{text}");
}

#[test]
fn long_names_are_cut_and_hostile_text_does_not_steer() {
    let long = format!("sync/{}", "very-long-".repeat(12));
    let mut odd = cell(&long, "wp7", Verdict::Fail);
    odd.reason = "\u{1b}]0;title\u{7} from the server".into();
    let text = draw(&run_of(vec![odd, cell(&long, &"p".repeat(200), Verdict::Pass)]), 80, &Palette::plain());
    assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
    insta::assert_snapshot!(text);
}

#[test]
fn versions_are_columns_when_a_persona_has_several() {
    let older = |scenario: &str, verdict| {
        let newer = cell(scenario, "ios-17", verdict);
        let id = CellId { version: Some("12.1".parse().unwrap()), ..newer.id };
        easrig_scenario::Cell { id, ..newer }
    };
    let run = run_of(vec![older("sync/a", Verdict::Fail), cell("sync/a", "ios-17", Verdict::Pass)]);
    insta::assert_snapshot!(matrix::draw(&run, View { palette: &Palette::plain(), width: 80, folder: "" }), @r"
                              ios-17 12.1  ios-17 14.1
    sync
      a                       FAIL         pass
    ");
}

#[test]
fn a_long_body_is_cut_where_everybody_sees_it() {
    let mut long = found(ExchangeNumber(1)).unwrap();
    if let Outcome::Answered(response) = &mut long.outcome {
        response.headers = Headers::from_iter([("Content-Type", "text/html")]);
        response.body = "é".repeat(5000).into_bytes();
    }
    let text = exchange(&long, View { palette: &Palette::plain(), width: 80, folder: "" });
    assert!(text.ends_with("    < … 5904 more bytes\n"), "{}", text.len());
}

#[test]
fn an_exchange_in_full_has_its_headers_statuses_and_time() {
    let view = View { palette: &Palette::plain(), width: 80, folder: "" };
    insta::assert_snapshot!(exchange_in_full(&found(ExchangeNumber(7)).unwrap(), "sync/a × wp7", view));
}

#[test]
fn a_folder_with_odd_characters_can_be_pasted_into_a_shell() {
    let palette = Palette::plain();
    let view = |folder| View { palette: &palette, width: 80, folder };
    assert_eq!(exchange::show_command(view("reports/x"), 3), "easrig show reports/x --exchange 3");
    assert_eq!(exchange::show_command(view("it's $(here)"), 3), "easrig show 'it'\\''s $(here)' --exchange 3");
    assert_eq!(exchange::show_command(view(""), 3), "");
}

#[test]
fn what_is_known_is_a_note_and_what_is_gone_is_told_in_full() {
    let mut run = run_of(vec![cell("sync/a", "wp7", Verdict::Fail), cell("sync/b", "wp7", Verdict::Pass)]);
    let known = "[[known]]\npattern = \"sync/*\"\nverdict = \"fail\"\nbecause = \"ticket 7\"\n";
    run.hold_against(&crate::Known::parse("known.toml", known).unwrap());
    insta::assert_snapshot!(draw(&run, 80, &Palette::plain()));
}
