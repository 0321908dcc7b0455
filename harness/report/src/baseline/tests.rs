use easrig_exchange::{Headers, Origin, Outcome, Request, Response, Sender, Times, Timestamp};
use easrig_scenario::{CellId, event::Event};
use easrig_wbxml::Document;

use super::*;
use crate::{
    Exit, Known, Palette,
    run::tests::{blocked, cell, run_of, sample},
};

/// What a server answered to a Sync, with everything that differs from run to run made from `n`.
fn answered(number: ExchangeNumber, n: u32, items: &[&str]) -> Exchange {
    let item = |subject: &&str| {
        format!(
            "<Add><ServerId>5:{n}{}</ServerId><ApplicationData><Subject xmlns=\"Email\">{subject}{n}</Subject>\
             <DateReceived xmlns=\"Email\">2026-11-22T05:28:{n:02}.000Z</DateReceived><Read xmlns=\"Email\">0</Read>\
             </ApplicationData></Add>",
            subject.len()
        )
    };
    let commands: String = items.iter().map(item).collect();
    let xml = format!(
        "<Sync xmlns=\"AirSync\"><Collections><Collection><SyncKey>{{{n}}}2</SyncKey><CollectionId>{n}</CollectionId>\
         <Status>1</Status><Commands>{commands}</Commands></Collection></Collections></Sync>"
    );
    let headers = Headers::from_iter([
        ("Content-Type", "application/vnd.ms-sync.wbxml".to_owned()),
        ("Date", format!("Sun, 22 Nov 2026 05:28:{n:02} GMT")),
        ("MS-ASProtocolVersions", if n.is_multiple_of(2) { "14.0,14.1" } else { "14.1, 14.0" }.to_owned()),
    ]);
    Exchange {
        number,
        origin: Origin::Live,
        sender: Sender { persona: "ios-17".into(), role: "phone".into() },
        started: Timestamp(i64::from(n)),
        request: Request {
            method: "POST".into(),
            url: format!(
                "https://127.0.0.1:4{n}/Microsoft-Server-ActiveSync?Cmd=Sync&User=a&DeviceId=b{n}&DeviceType=c"
            )
            .parse()
            .unwrap(),
            headers: Headers::from_iter([("MS-ASProtocolVersion", "14.1")]),
            body: Vec::new(),
        },
        outcome: Outcome::Answered(Response {
            status: 200,
            reason: "OK".into(),
            headers,
            body: Document::from_xml(&xml).unwrap().encode(),
            cut: None,
        }),
        times: Times::default(),
        tls: None,
    }
}

fn steps(cell: &CellId, numbers: &[(usize, &str, u64)]) -> Parts {
    let events = numbers.iter().flat_map(|(step, title, number)| {
        let step = Event::StepStarted { cell: cell.clone(), step: *step, title: (*title).to_owned() };
        let exchange = ExchangeNumber(*number);
        [step, Event::Exchanged { cell: cell.clone(), exchange, card: Default::default() }]
    });
    Parts::fold(events.map(Ok)).unwrap()
}

/// A run of one cell: the ladder, two polls and an answer, and the clearing up.
fn one(n: u32, items: &[&str]) -> (Run, Vec<Snapshot>) {
    let mut cell = cell("sync/a", "ios-17", Verdict::Fail);
    cell.exchanges = (1..=5).map(ExchangeNumber).collect();
    cell.reason = format!(
        "the key {{4a7b2c1d-0001-4f3e-9a8b-0000000000{n}}}7 of `easrig-{n:08x} hello` at 2026-11-22T05:28:{n:02}.123Z"
    );
    let told = [
        (0, "the phone: setting up", 1),
        (1, "the mail comes", 2),
        (1, "the mail comes", 3),
        (2, "and again", 4),
        (2, "the phone removes what the scenario made", 5),
    ];
    let parts = steps(&cell.id, &told);
    let run = run_of(vec![cell]);
    let all = snapshots(&run, &parts, &|number| Some(answered(number, n, items)));
    (run, all)
}

fn files(snapshots: &[Snapshot]) -> BTreeMap<String, String> {
    snapshots.iter().map(|one| (one.path.to_string(), one.to_text())).collect()
}

#[test]
fn a_cell_is_told_step_by_step_without_what_differs_from_run_to_run() {
    let (_, all) = one(17, &["hello", "a longer one"]);
    let texts: Vec<String> = all.iter().map(|one| format!("{}\n{}", one.path, one.to_text())).collect();
    insta::assert_snapshot!(texts.join("\n======\n"));
}

#[test]
fn another_run_of_the_same_server_says_the_same() {
    let (_, approved) = one(17, &["hello", "a longer one"]);
    let approved = files(&approved);
    for n in [18, 42, 59] {
        let (run, now) = one(n, &["other", "more", "and more"]);
        let checked = check(&now, &approved);
        assert!(checked.differences.is_empty(), "{}", checked.draw(&run, &Palette::plain()));
        assert_eq!(checked.exit(&run), Exit::Well, "what was approved is well, also when it fails");
    }
}

#[test]
fn what_differs_is_drawn_and_counts() {
    let (_, approved) = one(17, &["hello"]);
    let mut approved = files(&approved);
    let (run, now) = one(18, &[]);
    let checked = check(&now, &approved);
    assert_eq!(checked.exit(&run), Exit::Broken);
    insta::assert_snapshot!(checked.draw(&run, &Palette::plain()));

    let mut known = run.clone();
    let text = "[[known]]\npattern = \"sync/a\"\nverdict = \"fail\"\nbecause = \"ticket\"\n";
    known.hold_against(&Known::parse("known.toml", text).unwrap());
    assert_eq!(checked.exit(&known), Exit::Well, "a known deviation is no news");

    let (same, now) = one(18, &["hello"]);
    approved.insert("sync/gone/ios-17.snap".into(), approved["sync/a/ios-17.snap"].clone());
    let checked = check(&now, &approved);
    assert_eq!((checked.exit(&same), checked.differences.len()), (Exit::Unclear, 1));
    let overview = approved.insert("verdicts.snap".into(), "---\n---\nother\n".into()).unwrap();
    approved.remove("sync/gone/ios-17.snap");
    let checked = check(&now, &approved);
    assert_eq!((checked.exit(&same), checked.differences.len()), (Exit::Broken, 1), "the overview alone counts");
    approved.insert("verdicts.snap".into(), overview);
    approved.remove("sync/a/ios-17.snap");
    assert_eq!(check(&now, &approved).exit(&same), Exit::Broken, "nobody has approved the cell");
}

#[test]
fn the_overview_has_a_line_for_every_cell_and_cells_that_say_nothing_have_no_file() {
    let mut cells = sample().cells;
    cells.push(cell("invariant/headers", "wp7", Verdict::Pass));
    cells.push(blocked("journeys/b", "wp7", ""));
    let all = snapshots(&run_of(cells), &Parts::default(), &|_| None);
    insta::assert_snapshot!(all.iter().find(|one| one.cell.is_none()).unwrap().to_text());
    assert!(all.iter().all(|one| !one.path.as_str().starts_with("invariant/")));
    assert!(all.iter().all(|one| !one.path.as_str().starts_with("search/")), "skipped cells have no file");
}

#[test]
fn insta_reads_what_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let (_, all) = one(17, &["hello"]);
    for snapshot in &all {
        let path = dir.path().join("one.snap.new");
        std::fs::write(&path, snapshot.to_text()).unwrap();
        let read = insta::Snapshot::from_file(&path).unwrap();
        let insta::internals::SnapshotContents::Text(contents) = read.contents() else { panic!("it is text") };
        assert_eq!(contents.to_string().trim_end(), snapshot.contents.trim_end());
        let source = snapshot.cell.as_ref().map(|_| "scenarios/sync/a.toml");
        assert_eq!(read.metadata().source(), source);
        // What insta writes when somebody accepts it is taken as well.
        let accepted = dir.path().join("one.snap");
        read.save(&accepted).unwrap();
        let text = std::fs::read_to_string(&accepted).unwrap();
        assert!(snapshot.is_in(&text));
        assert_eq!(Snapshot::head_of(&text).unwrap().about, snapshot.about, "{text}");
    }
}
