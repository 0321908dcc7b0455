//! The page of a large run: 40 phones in 500 scenarios, 200 cells of which do not pass: `cargo bench -p easrig-report`.
//! The goals are 2 seconds and 8 MB.

use divan::{Bencher, counter::ItemsCount};
use easrig_eas::Version;
use easrig_exchange::{
    Exchange, ExchangeNumber, Headers, Origin, Outcome, Request, Response, Sender, Times, Timestamp,
};
use easrig_report::{
    Both, CompareHtml, Comparison, Contents, Embed, Html, Language, Run, Servers, Sources, compare_html, html,
    servers_html,
};
use easrig_scenario::{
    Cell, CellId, Level, Verdict,
    event::{Event, ExchangeCard, FORMAT, PersonaCard, RunStarted, ScenarioCard},
};
use easrig_wbxml::Document;

fn main() {
    divan::main();
}

const PERSONAS: usize = 40;
const SCENARIOS: usize = 500;

/// Of how many cells one does not pass.
const BAD: usize = 100;

#[divan::bench(sample_count = 10, sample_size = 1)]
fn run(bencher: Bencher<'_, '_>) {
    let run = large(BAD);
    let of = Html { language: english(), embed: Embed::NotPassing, content: Contents::Hidden, folder: "reports/x" };
    assert!(html(&run, of, &found).len() < 8_000_000, "the page is small enough for a mail");
    bencher.counter(ItemsCount::new(run.cells.len())).bench(|| html(&run, of, &found));
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn comparison(bencher: Bencher<'_, '_>) {
    let (before, after) = (large(usize::MAX), large(BAD));
    let sources = Sources { exchange: &found };
    let of = CompareHtml {
        language: english(),
        content: Contents::Hidden,
        both: Both { before: (sources, "reports/before"), after: (sources, "reports/after") },
    };
    let comparison = Comparison::of(&before, &after);
    assert!(compare_html(&comparison, of).len() < 8_000_000, "the page is small enough for a mail");
    bencher.counter(ItemsCount::new(after.cells.len())).bench_local(|| compare_html(&comparison, of));
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn servers(bencher: Bencher<'_, '_>) {
    let (one, other) = (large(usize::MAX), large(BAD));
    let servers = Servers::of([("reports/one", &one), ("reports/other", &other)]);
    bencher.bench(|| servers_html(&servers, english()));
}

fn english() -> &'static Language {
    Language::find("en").expect("there is English")
}

fn persona(number: usize) -> String {
    format!("persona-{number}")
}

fn scenario(number: usize) -> String {
    format!("command-{}/what-the-server-does-when-{number}", number / 20)
}

/// A run in which one cell of `bad` does not pass.
fn large(bad: usize) -> Run {
    let mut events = vec![Event::RunStarted(started()), described()];
    for place in 0..PERSONAS * SCENARIOS {
        let is_bad = bad != usize::MAX && place % bad == 0;
        let cell = cell(place, if is_bad { Verdict::Fail } else { Verdict::Pass });
        for number in &cell.exchanges {
            let card = ExchangeCard { command: "Sync".into(), http: Some(200), status: Some(1), ..Default::default() };
            events.push(Event::Exchanged { cell: cell.id.clone(), exchange: *number, card });
        }
        events.push(Event::CellFinished(cell));
    }
    events.push(Event::RunFinished { at: Timestamp(1_700_000_060_000_000) });
    Run::fold(events.into_iter().map(Ok)).expect("these events are a run")
}

fn started() -> RunStarted {
    let named = |id: String| (id, "00".to_owned());
    RunStarted {
        format: FORMAT,
        easrig: "0.1.0".into(),
        at: Timestamp(1_700_000_000_000_000),
        target: "https://mail.example.test/".into(),
        allowed: vec!["--allow writes".into()],
        seed: 7,
        repeat: 1,
        scenarios: (0..SCENARIOS).map(scenario).map(named).collect(),
        personas: (0..PERSONAS).map(persona).map(named).collect(),
        keep_content: false,
    }
}

fn described() -> Event {
    let scenarios = (0..SCENARIOS).map(|number| ScenarioCard {
        id: scenario(number),
        title: "What the server does when it is right, in one line of this length".into(),
        level: Level::Must,
        requirements: vec!["MS-ASCMD_R3836".into(), "MS-ASCMD_R113".into()],
        commands: vec!["Sync".into()],
        why: Some("What happens to the owner of the phone when it is not, in one line of this length.".into()),
        fix: None,
    });
    let personas = (0..PERSONAS).map(|number| PersonaCard {
        id: persona(number),
        title: format!("Phone {number}"),
        family: format!("Family {}", number / 8),
        versions: vec![Version::V14_1],
        tokens: None,
    });
    Event::Described { scenarios: scenarios.collect(), personas: personas.collect() }
}

fn cell(place: usize, verdict: Verdict) -> Cell {
    let first = place * 4;
    Cell {
        id: CellId {
            scenario: scenario(place % SCENARIOS),
            persona: persona(place / SCENARIOS),
            version: Some(Version::V14_1),
        },
        verdict,
        reason: if verdict == Verdict::Pass { String::new() } else { "MS-ASCMD_R3836 is broken".into() },
        blocked_by: None,
        device_error: None,
        findings: Vec::new(),
        notes: Vec::new(),
        exchanges: (first..first + 4).filter_map(|number| Some(ExchangeNumber(u64::try_from(number).ok()?))).collect(),
    }
}

/// An exchange of any number: a Sync that brings 50 mails.
fn found(number: ExchangeNumber) -> Option<Exchange> {
    let body = |xml: &str| Document::from_xml(xml).map(|document| document.encode()).unwrap_or_default();
    let headers = || Headers::from_iter([("Content-Type", "application/vnd.ms-sync.wbxml")]);
    let mails: String = (0..50)
        .map(|mail| {
            format!(
                "<Add><ServerId>5:{mail}</ServerId><ApplicationData><Subject xmlns=\"Email\">A subject of some \
                 length, number {number} of its kind</Subject></ApplicationData></Add>",
                number = number.0
            )
        })
        .collect();
    let answer = format!(
        "<Sync xmlns=\"AirSync\"><Collections><Collection><SyncKey>2</SyncKey><CollectionId>5</CollectionId>\
         <Status>1</Status><Commands>{mails}</Commands></Collection></Collections></Sync>"
    );
    let url = "https://mail.example.test/Microsoft-Server-ActiveSync?Cmd=Sync&User=a&DeviceId=b&DeviceType=c";
    Some(Exchange {
        number,
        origin: Origin::Live,
        sender: Sender { persona: "persona-1".into(), role: "phone".into() },
        started: Timestamp(0),
        request: Request {
            method: "POST".into(),
            url: url.parse().ok()?,
            headers: headers(),
            body: body(
                "<Sync xmlns=\"AirSync\"><Collections><Collection><SyncKey>1</SyncKey></Collection></Collections></Sync>",
            ),
        },
        outcome: Outcome::Answered(Response {
            status: 200,
            reason: "OK".into(),
            headers: headers(),
            body: body(&answer),
            cut: None,
        }),
        times: Times { connected: Some(900), secured: Some(4_000), first_byte: Some(11_000), done: 12_345 },
        tls: None,
    })
}
