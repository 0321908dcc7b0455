use std::fs;

use easrig_runner::{FolderError, Orders, RunFolder};
use easrig_scenario::event::Event;

use crate::rig::{self, Deed, Record, Way};

fn ids() -> Vec<std::sync::Arc<easrig_scenario::Scenario>> {
    ["probe/a", "probe/b", "probe/c"].map(rig::ladder).to_vec()
}

fn orders(url: &str) -> Orders {
    Orders { personas: ["android-4", "wp7"].map(rig::persona).to_vec(), ..rig::orders(url, ids()) }
}

async fn whole(way: &Way) -> Record {
    rig::run(orders(&way.url)).await
}

fn refusal(result: Result<(RunFolder, easrig_runner::Unfinished), FolderError>) -> String {
    result.map(drop).unwrap_err().to_string()
}

/// Where the lines of a file end.
fn ends(text: &[u8]) -> Vec<u64> {
    text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at as u64 + 1).collect()
}

#[tokio::test]
async fn a_run_that_is_cut_anywhere_goes_on_and_no_finished_cell_runs_again() {
    let server = rig::good(|_| {}).await;
    let way = Way::to(&server, |_| Deed::Pass).await;
    let record = whole(&way).await;
    let text = fs::read(record.path().join("run.jsonl")).unwrap();
    let ends = ends(&text);
    let places = (1..ends.len()).step_by(7).flat_map(|line| [ends[line], ends[line] + 9]);
    for place in places.filter(|place| *place < text.len() as u64) {
        let folder = rig::copy(&record);
        rig::cut(folder.path(), "run.jsonl", place);
        let kept = text[..place as usize].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
        let before = text[..kept].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let finished: Vec<Event> = before
            .map(|line| serde_json::from_slice(line).unwrap())
            .filter(|event| matches!(event, Event::CellFinished(_)))
            .collect();
        let resumed = rig::resume(orders(&way.url), folder).await;
        assert!(resumed.is_finished(), "cut at {place}");
        assert_eq!(resumed.verdicts(), record.verdicts(), "cut at {place}");
        assert_eq!(resumed.cells().len(), record.cells().len(), "cut at {place}: each cell is finished once");
        for event in &finished {
            assert!(resumed.events.contains(event), "cut at {place}: {event:?} stands as it was");
        }
        numbers_are_unique(&resumed);
    }
}

fn numbers_are_unique(record: &Record) {
    let mut numbers: Vec<u64> = record.exchanges.iter().map(|exchange| exchange.number.0).collect();
    let all = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), all);
}

#[tokio::test]
async fn a_torn_tape_is_cut_at_its_last_whole_record_and_no_number_is_given_twice() {
    let server = rig::good(|_| {}).await;
    let way = Way::to(&server, |_| Deed::Pass).await;
    let record = whole(&way).await;
    let length = fs::metadata(record.path().join("exchanges.eascap")).unwrap().len();
    let lines = fs::read(record.path().join("run.jsonl")).unwrap();
    let before_the_end = ends(&lines)[ends(&lines).len() * 3 / 4];
    let kept = lines[..before_the_end as usize].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let number = |line: &[u8]| match serde_json::from_slice(line).unwrap() {
        Event::Exchanged { exchange, .. } => Some(exchange.0),
        _ => None,
    };
    let noted = kept.filter_map(number).max().unwrap();
    for keep in [0, 5, 12, 13, length / 3, length / 2, length - 1] {
        let folder = rig::copy(&record);
        rig::cut(folder.path(), "exchanges.eascap", keep);
        rig::cut(folder.path(), "run.jsonl", before_the_end);
        let resumed = rig::resume(orders(&way.url), folder).await;
        assert!(resumed.is_finished(), "{keep}");
        assert_eq!(resumed.verdicts(), record.verdicts(), "{keep}");
        numbers_are_unique(&resumed);
        // What the first part noted under a number is that exchange or gone, and never another one.
        for exchange in resumed.exchanges.iter().filter(|exchange| exchange.number.0 <= noted) {
            assert!(record.exchanges.contains(exchange), "{keep}: {:?}", exchange.number);
        }
    }
}

#[tokio::test]
async fn a_run_that_ended_before_its_first_line_has_recorded_nothing() {
    let server = rig::good(|_| {}).await;
    let way = Way::to(&server, |_| Deed::Pass).await;
    let record = whole(&way).await;
    for length in [0, 40] {
        let folder = rig::copy(&record);
        rig::cut(folder.path(), "run.jsonl", length);
        rig::cut(folder.path(), "exchanges.eascap", 0);
        let path = folder.path().join("run");
        let refused = refusal(RunFolder::resume(&path, &orders(&way.url).started()));
        assert!(refused.contains("no run to resume"), "{refused}");
        RunFolder::create(&path).unwrap();
    }
}

#[tokio::test]
async fn another_target_persona_or_scenario_is_refused_and_the_run_stays_as_it_is() {
    let server = rig::good(|_| {}).await;
    let way = Way::to(&server, |_| Deed::Pass).await;
    let record = whole(&way).await;
    let before = record.written();
    let other_target = orders("http://mail.example.org/");
    let other_persona = Orders { personas: vec![rig::persona("wp7")], ..orders(&way.url) };
    let edited = Orders { personas: vec![rig::persona("android-4"), rig::edited("wp7")], ..orders(&way.url) };
    let fewer = Orders { scenarios: ids()[..2].to_vec(), ..orders(&way.url) };
    let mut changed = ids();
    changed[1] = rig::habit("probe/b");
    let changed = Orders { scenarios: changed, ..orders(&way.url) };
    let cases = [
        (other_target, "its target is"),
        (other_persona, "its personas are android-4,wp7, not wp7"),
        (edited, "the file of the persona `wp7` is not the same"),
        (fewer, "`probe/c` is not the same"),
        (changed, "`probe/b` is not the same"),
    ];
    for (orders, why) in cases {
        let refused = refusal(RunFolder::resume(&record.path(), &orders.started()));
        assert!(refused.contains(why), "{refused}");
    }
    let refused = RunFolder::create(&record.path()).map(drop).unwrap_err().to_string();
    assert!(refused.contains("already holds a run"), "{refused}");
    assert_eq!(record.written(), before);
}

#[tokio::test]
async fn a_line_that_is_no_event_is_named_and_a_newer_run_is_not_touched() {
    let server = rig::good(|_| {}).await;
    let way = Way::to(&server, |_| Deed::Pass).await;
    let record = whole(&way).await;
    let path = record.path().join("run.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let spoilt = text.replacen("\"event\":\"planned\"", "\"event\":\"plotted\"", 1);
    fs::write(&path, &spoilt).unwrap();
    let refused = refusal(RunFolder::resume(&record.path(), &orders(&way.url).started()));
    assert!(refused.contains("line ") && refused.contains("plotted"), "{refused}");
    fs::write(&path, text.replacen("\"format\":1", "\"format\":2", 1)).unwrap();
    let refused = refusal(RunFolder::resume(&record.path(), &orders(&way.url).started()));
    assert!(refused.contains("newer version"), "{refused}");
}

#[tokio::test]
async fn invariants_remember_what_the_first_part_met() {
    let server = rig::good(|_| {}).await;
    let spoil = |request: &easrig_transport::ServerRequest| match rig::command(&request.path_and_query).as_str() {
        "FolderSync" => rig::says(200, "text/plain", FOLDERS),
        _ => Deed::Pass,
    };
    let way = Way::to(&server, spoil).await;
    let record = whole(&way).await;
    let lines = ends(&fs::read(record.path().join("run.jsonl")).unwrap());
    let folder = rig::copy(&record);
    rig::cut(folder.path(), "run.jsonl", lines[lines.len() / 2]);
    let resumed = rig::resume(orders(&way.url), folder).await;
    let broken = |record: &Record| invariants(record).map(|c| (c.id.clone(), c.verdict)).collect::<Vec<_>>();
    assert_eq!(broken(&resumed), broken(&record));
}

fn invariants(record: &Record) -> impl Iterator<Item = &easrig_scenario::Cell> {
    record.events.iter().filter_map(|event| match event {
        Event::CellFinished(cell) if cell.id.scenario.starts_with("invariant/") => Some(cell),
        _ => None,
    })
}

/// An empty folder list.
const FOLDERS: &[u8] = b"\x03\x01\x6a\x00\x00\x07\x56\x4c\x03\x31\x00\x01\x52\x03\x31\x00\x01\x01";
