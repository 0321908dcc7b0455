use easrig_eas::Version;
use easrig_exchange::{ExchangeNumber, OfferAnswer, Timestamp, TlsOffer, TlsVersion};
use easrig_scenario::{
    Bound, Cell, Level, Limit, Verdict,
    event::{Event, ExchangeCard, PersonaCard, TargetSeen, TlsAsked},
};

use super::*;
use crate::{
    Exit, Known, Palette, Parts, Snapshot, Sources, View,
    junit::tests::check as check_junit,
    run::tests::{blocked, cell, finding, run_of, started},
};

fn failing(scenario: &str, persona: &str, requirement: &str, actual: &str) -> Cell {
    let mut cell = cell(scenario, persona, Verdict::Fail);
    cell.findings.push(easrig_scenario::Finding {
        requirement: requirement.into(),
        actual: actual.into(),
        ..finding(Level::Must)
    });
    cell
}

fn classes(before: Vec<Cell>, after: Vec<Cell>) -> Vec<(String, Class)> {
    let (before, after) = (run_of(before), run_of(after));
    Comparison::of(&before, &after).changes().map(|change| (change.transition(), change.class)).collect()
}

fn class(before: Cell, after: Cell) -> Option<Class> {
    classes(vec![before], vec![after]).first().map(|(_, class)| *class)
}

fn plain() -> View<'static> {
    static PALETTE: Palette = Palette::plain();
    View { palette: &PALETTE, width: 100, folder: "" }
}

fn nothing() -> Both<'static> {
    let none = Sources { exchange: &|_| None };
    Both { before: (none, ""), after: (none, "") }
}

#[test]
fn every_transition_has_its_line() {
    let before = run_of(vec![
        blocked("journeys/a", "wp7", "86000C2B"),
        cell("journeys/b", "wp7", Verdict::Pass),
        cell("journeys/c", "wp7", Verdict::Fail),
    ]);
    let after = run_of(vec![
        cell("journeys/a", "wp7", Verdict::Pass),
        cell("journeys/b", "wp7", Verdict::Pass),
        cell("journeys/d", "wp7", Verdict::Skipped),
    ]);
    insta::assert_snapshot!(compare_brief(&Comparison::of(&before, &after)), @r"
    wp7  journeys/c  fail → gone
    wp7  journeys/a  blocked (86000C2B) → pass
    wp7  journeys/d  new → skipped
    ");
    let same = Comparison::of(&before, &before);
    assert!(same.is_same());
    assert_eq!(compare_brief(&same), "nothing changed\n");
}

#[test]
fn each_pair_of_verdicts_has_its_meaning() {
    use Class::{Improvement, News, Regression, Unclear};
    use Verdict::{Blocked, Degraded, Fail, Inconclusive, Pass, Skipped};
    for (was, is, expected) in [
        (Pass, Pass, None),
        (Pass, Degraded, Some(Regression)),
        (Pass, Blocked, Some(Regression)),
        (Degraded, Fail, Some(Regression)),
        (Fail, Blocked, Some(Regression)),
        (Pass, Inconclusive, Some(Unclear)),
        (Fail, Inconclusive, Some(News)),
        (Inconclusive, Fail, Some(News)),
        (Inconclusive, Inconclusive, None),
        (Blocked, Fail, Some(News)),
        (Blocked, Pass, Some(Improvement)),
        (Fail, Degraded, Some(Improvement)),
        (Skipped, Fail, Some(News)),
        (Skipped, Skipped, None),
        // Nothing of the run itself explains it: the target must have lost what it needs.
        (Pass, Skipped, Some(Unclear)),
    ] {
        assert_eq!(class(cell("sync/a", "wp7", was), cell("sync/a", "wp7", is)), expected, "{was} → {is}");
    }
}

#[test]
fn a_run_exits_as_the_contract_says() {
    let exit = |before: Vec<Cell>, after: Vec<Cell>| {
        let (before, after) = (run_of(before), run_of(after));
        Comparison::of(&before, &after).exit().code()
    };
    let [pass, fail, unclear] =
        [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive].map(|verdict| cell("sync/a", "wp7", verdict));
    assert_eq!(exit(vec![pass.clone()], vec![pass.clone()]), 0);
    assert_eq!(exit(vec![pass.clone()], vec![fail.clone()]), 1);
    assert_eq!(exit(vec![pass.clone()], vec![unclear]), 3);
    assert_eq!(exit(vec![pass.clone(), cell("sync/b", "wp7", Verdict::Pass)], vec![pass.clone()]), 3);
    assert_eq!(exit(vec![fail], vec![pass.clone()]), 0);
    assert_eq!(exit(vec![pass.clone()], vec![pass, cell("sync/b", "wp7", Verdict::Fail)]), 0);
}

#[test]
fn what_changes_from_run_to_run_is_no_change() {
    let before =
        failing("sync/a", "wp7", "MS-ASCMD_R1", "key `{4a7b2c1d-0001-4f3e-9a8b-000000000012}3` at 127.0.0.1:40605");
    let after =
        failing("sync/a", "wp7", "MS-ASCMD_R1", "key `{99999999-0001-4f3e-9a8b-0000000000ff}9` at 127.0.0.1:33333");
    assert_eq!(class(before.clone(), after), None);
    assert_eq!(class(before.clone(), failing("sync/a", "wp7", "MS-ASCMD_R1", "no key")), Some(Class::News));
    assert_eq!(class(before, failing("sync/a", "wp7", "MS-ASCMD_R2", "no key")), Some(Class::Regression));
}

#[test]
fn a_phone_that_chooses_another_version_is_the_same_phone() {
    let was = cell("sync/a", "ios-17", Verdict::Pass);
    let mut is = was.clone();
    is.id.version = Some(Version::V16_1);
    let (before, after) = (run_of(vec![was]), run_of(vec![is]));
    let comparison = Comparison::of(&before, &after);
    assert_eq!((comparison.same, comparison.exit().code()), (1, 0));
    let told = &comparison.families[0];
    assert_eq!(told.sentence, "ios-17: no difference. It now speaks protocol 16.1 instead of 14.1.");
}

#[test]
fn where_a_run_has_several_versions_each_is_a_cell_of_its_own() {
    let at = |version, verdict| {
        let mut cell = cell("sync/a", "ios-17", verdict);
        cell.id.version = Some(version);
        cell
    };
    let before = vec![at(Version::V12_1, Verdict::Pass), at(Version::V14_1, Verdict::Pass)];
    let after = vec![at(Version::V14_1, Verdict::Fail), at(Version::V16_1, Verdict::Pass)];
    let told = classes(before, after);
    assert_eq!(
        told,
        [
            ("pass → fail".to_owned(), Class::Regression),
            ("pass → gone".to_owned(), Class::Unclear),
            ("new → pass".to_owned(), Class::News),
        ]
    );
}

#[test]
fn a_scenario_that_was_rewritten_accuses_nobody() {
    let before = run_of(vec![cell("sync/a", "wp7", Verdict::Pass)]);
    let mut after = run_of(vec![cell("sync/a", "wp7", Verdict::Fail)]);
    after.started.scenarios[0].1 = "another".into();
    let comparison = Comparison::of(&before, &after);
    assert_eq!(comparison.exit().code(), 3);
    assert!(comparison.cautions()[0].contains("not the same in both runs"), "{:?}", comparison.cautions());
}

/// Two phones meet one setting.
pub(super) fn upgrade() -> (Run, Run) {
    let (mut was, mut is) = (Vec::new(), Vec::new());
    for persona in ["wp7", "wp7.5", "ios-17", "android-4"] {
        for scenario in ["journeys/onboarding", "sync/first", "ping/wakes"] {
            was.push(cell(scenario, persona, Verdict::Pass));
            is.push(if persona.starts_with("wp") {
                blocked(scenario, persona, "86000C2B")
            } else if scenario == "ping/wakes" {
                failing(scenario, persona, "MS-ASCMD_R5", "no answer after 61 s")
            } else {
                cell(scenario, persona, Verdict::Pass)
            });
        }
    }
    let (mut before, mut after) = (run_of(was), run_of(is));
    for run in [&mut before, &mut after] {
        for (id, family, title) in [
            ("wp7", "Windows Phone", "Windows Phone 7.0"),
            ("wp7.5", "Windows Phone", "Windows Phone 7.5"),
            ("ios-17", "iOS", "iPhone, iOS 17"),
            ("android-4", "Android", "Android 4.0 Email"),
        ] {
            let card = PersonaCard {
                id: id.into(),
                title: title.into(),
                family: family.into(),
                versions: vec![Version::V14_1],
                tokens: Some(false),
            };
            run.personas.insert(id.into(), card);
        }
    }
    before.seen.push(seen("14.3", &[Version::V12_1, Version::V14_1], &["Sync", "Ping"]));
    after.seen.push(seen("15.2", &[Version::V14_1, Version::V16_1], &["Sync", "Ping", "Find"]));
    (before, after)
}

fn seen(version: &str, versions: &[Version], commands: &[&str]) -> TargetSeen {
    TargetSeen {
        persona: "ios-17".into(),
        endpoint: "https://mail.example.test/Microsoft-Server-ActiveSync".into(),
        software: vec![("MS-Server-ActiveSync".into(), version.into())],
        versions: versions.to_vec(),
        commands: commands.iter().map(|name| (*name).to_owned()).collect(),
        tls: String::new(),
    }
}

#[test]
fn one_cause_is_one_row_however_many_phones_it_breaks() {
    let (before, after) = upgrade();
    let comparison = Comparison::of(&before, &after);
    let rows: Vec<_> = comparison.causes.iter().map(|cause| (cause.changes.len(), cause.personas())).collect();
    assert_eq!(rows, [(6, vec!["wp7", "wp7.5"]), (2, vec!["ios-17", "android-4"])]);
    insta::assert_snapshot!("terminal", compare_terminal(&comparison, plain(), nothing()));
    insta::assert_snapshot!("markdown", compare_markdown(&comparison));
    let junit = compare_junit(&comparison);
    assert_eq!(check_junit(&junit), after.cells.len());
    insta::assert_snapshot!("junit", junit);
    insta::assert_snapshot!("json", compare_json(&comparison));
}

#[test]
fn the_way_back_is_an_improvement_and_says_what_owners_saw() {
    let (before, after) = upgrade();
    let comparison = Comparison::of(&after, &before);
    assert_eq!(comparison.exit().code(), 0);
    assert_eq!(comparison.families[0].fate, Fate::LetIn);
    assert!(comparison.families[0].sentence.contains("Before, its owners saw 86000C2B"));
    assert_eq!(comparison.families[1].fate, Fate::Better);
}

#[test]
fn basic_switched_off_is_one_cause_and_tells_whose_phones_have_tokens() {
    let (before, after) = upgrade();
    let refused = |persona: &str, code: &str, number: u64| {
        let mut cell = blocked("journeys/onboarding", persona, code);
        cell.exchanges = vec![ExchangeNumber(number)];
        cell
    };
    let cells = vec![refused("wp7", "85010002", 1), refused("ios-17", "", 2)];
    let mut events = vec![Event::RunStarted(started(&["journeys/onboarding"], &["wp7", "ios-17"]))];
    for (number, cell) in (1..).zip(&cells) {
        let card = ExchangeCard { http: Some(401), challenges: vec!["Bearer".into()], ..Default::default() };
        events.push(Event::Exchanged { cell: cell.id.clone(), exchange: ExchangeNumber(number), card });
    }
    events.extend(cells.into_iter().map(Event::CellFinished));
    events.push(Event::RunFinished { at: Timestamp(1_700_000_060_000_000) });
    let mut run = Run::fold(events.into_iter().map(Ok)).unwrap();
    run.personas = after.personas.clone();
    run.personas.get_mut("ios-17").unwrap().tokens = Some(true);
    run.seen = vec![seen("15.20", &[Version::V16_1], &["Sync"])];
    run.personas.get_mut("ios-17").unwrap().versions.push(Version::V16_1);
    let comparison = Comparison::of(&before, &run);
    assert_eq!(comparison.causes[0].title(), "Basic sign-in is refused: the server offers only Bearer");
    assert_eq!(comparison.causes[0].count(Class::Regression), 2);
    let told: Vec<&str> = comparison.families.iter().map(|family| family.sentence.as_str()).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_server_without_a_common_version_is_a_floor() {
    let (before, _) = upgrade();
    let mut after = run_of(vec![cell("journeys/onboarding", "wp7", Verdict::Inconclusive)]);
    after.personas = before.personas.clone();
    after.seen = vec![TargetSeen { persona: "wp7".into(), ..seen("15.20", &[Version::V16_1], &["Sync"]) }];
    let comparison = Comparison::of(&before, &after);
    let floor = CauseKind::VersionFloor { offered: vec![Version::V16_1] };
    assert!(comparison.causes.iter().any(|cause| cause.kind == floor), "{:?}", comparison.causes);
}

#[test]
fn times_are_compared_when_both_runs_repeat_often_enough() {
    let run = |repeat: u32, slow: u64| {
        let one = cell("sync/a", "wp7", Verdict::Pass);
        let mut started = started(&["sync/a"], &["wp7"]);
        started.repeat = repeat;
        let mut events = vec![Event::RunStarted(started)];
        for number in 0..30 {
            let card = ExchangeCard {
                command: "Sync".into(),
                http: Some(200),
                took_us: slow * (40_000 + number * 100),
                ..Default::default()
            };
            events.push(Event::Exchanged { cell: one.id.clone(), exchange: ExchangeNumber(number), card });
        }
        events.push(Event::CellFinished(one));
        Run::fold(events.into_iter().map(Ok)).unwrap()
    };
    let told = |before: &Run, after: &Run| Comparison::of(before, after).paces.len();
    let (quick, slow) = (run(10, 1), run(10, 3));
    let text = compare_terminal(&Comparison::of(&quick, &slow), plain(), nothing());
    let wanted = "Sync on wp7 is slower: 42 ms → 125 ms in the middle; half of them 41 ms to 42 ms, then 122 ms to";
    assert!(text.contains(wanted), "{text}");
    assert_eq!(told(&run(10, 1), &run(10, 3)), 1);
    assert_eq!(told(&run(10, 1), &run(10, 1)), 0);
    assert_eq!(told(&run(4, 1), &run(10, 3)), 0);
}

#[test]
fn a_limit_that_the_target_names_otherwise_is_said_and_breaks_nothing() {
    let run = |longest: Option<u32>| {
        let one = cell("ping/interval-too-long", "wp7", Verdict::Pass);
        let limit = longest.map(|value| Limit { of: Bound::LongestPing, value });
        let card = ExchangeCard { command: "Ping".into(), http: Some(200), limit, ..Default::default() };
        let events = [
            Event::RunStarted(started(&["ping/interval-too-long"], &["wp7"])),
            Event::Exchanged { cell: one.id.clone(), exchange: ExchangeNumber(1), card },
            Event::CellFinished(one),
        ];
        Run::fold(events.into_iter().map(Ok)).unwrap()
    };
    let (before, after, silent) = (run(Some(120)), run(Some(60)), run(None));
    let changed = Comparison::of(&before, &after);
    assert_eq!((changed.exit(), changed.is_same()), (Exit::Well, false));
    let told = compare_terminal(&changed, plain(), nothing());
    assert!(told.contains("longest Ping served: 120 s → 60 s"), "{told}");
    assert!(Comparison::of(&before, &before).is_same());
    // A run in which no phone asked for too much says nothing about it.
    assert!(Comparison::of(&before, &silent).is_same());
}

#[test]
fn an_invariant_with_nothing_to_be_kept_by_is_not_broken() {
    let [phone, kept, broken] = [
        cell("sync/a", "wp7", Verdict::Pass),
        cell("invariant/one-status", "wp7", Verdict::Pass),
        cell("invariant/one-status", "wp7", Verdict::Fail),
    ];
    assert_eq!(classes(vec![phone.clone(), kept.clone()], vec![phone.clone()]), []);
    assert_eq!(classes(vec![phone.clone()], vec![phone.clone(), kept.clone()]), []);
    let told = classes(vec![phone.clone()], vec![phone.clone(), broken]);
    assert_eq!(told, [("new → fail".to_owned(), Class::Regression)]);
    // A persona that is not there at all is another matter.
    assert_eq!(classes(vec![kept], vec![cell("sync/a", "ios-17", Verdict::Pass)]).len(), 2);
}

#[test]
fn an_upgrade_that_switches_tls_1_0_off_is_a_cause_with_the_phones_concerned() {
    let run = |accepted: &[TlsVersion], old: Verdict| {
        let [wp7, android] = ["wp7", "android-4"].map(|persona| Cell {
            reason: if old == Verdict::Pass { String::new() } else { "unverified: too old".into() },
            ..cell(TlsAsked::CELL, persona, old)
        });
        let mut events = vec![Event::RunStarted(started(&["sync/a"], &["wp7", "android-4", "ios-17"]))];
        let offer = |version: TlsVersion| {
            let taken = accepted.contains(&version);
            let answer = if taken { OfferAnswer::Accepted } else { OfferAnswer::Refused };
            TlsOffer { version, answer, how: if taken { "" } else { "alert 70 (protocol_version)" }.to_owned() }
        };
        let offers = TlsVersion::ALL.map(offer).to_vec();
        events.push(Event::TlsAsked(TlsAsked { endpoint: "mail.example.test:443".into(), offers }));
        let rest = ["wp7", "android-4", "ios-17"].map(|persona| cell("sync/a", persona, Verdict::Pass));
        let modern = cell(TlsAsked::CELL, "ios-17", Verdict::Pass);
        events.extend(rest.into_iter().chain([wp7, android, modern]).map(Event::CellFinished));
        let mut run = Run::fold(events.into_iter().map(Ok)).unwrap();
        run.personas = upgrade().0.personas;
        run
    };
    let before = run(&TlsVersion::ALL, Verdict::Pass);
    let after = run(&TlsVersion::ALL[1..], Verdict::Inconclusive);
    let comparison = Comparison::of(&before, &after);
    let [cause] = &comparison.causes[..] else { panic!("{:?}", comparison.causes) };
    assert_eq!((cause.class, cause.title().as_str()), (Class::Unclear, "TLS 1.0 is no longer accepted"));
    assert_eq!(cause.personas(), ["wp7", "android-4"]);
    assert!(cause.remedy(&after).unwrap().contains("RFC 8996"));
    assert_eq!(comparison.exit().code(), 3);
    insta::assert_snapshot!("tls", compare_terminal(&comparison, plain(), nothing()));
    let back = Comparison::of(&after, &before);
    assert_eq!(back.causes[0].title(), "TLS 1.0 is accepted again");
    assert_eq!(back.exit().code(), 0);
    // A run that was made before anybody asked says nothing.
    let silent = Run { tls: Vec::new(), ..before.clone() };
    assert!(Comparison::of(&silent, &after).target.tls_lost.is_empty());
}

#[test]
fn junit_keeps_the_rules_of_the_schema_whatever_changed() {
    use Verdict::{Blocked, Degraded, Fail, Inconclusive, Pass, Skipped};
    let all = [Pass, Fail, Blocked, Degraded, Skipped, Inconclusive];
    let cells = |of: fn(usize, usize) -> usize| -> Vec<Cell> {
        let pairs = (0..6).flat_map(|was| (0..6).map(move |is| (was, is)));
        pairs.map(|(was, is)| cell(&format!("sync/s{was}{is}"), "wp7.5", all[of(was, is)])).collect()
    };
    let (mut was, mut is) = (cells(|was, _| was), cells(|_, is| is));
    was.push(cell("sync/gone", "wp7.5", Pass));
    is.push(failing("sync/new\u{0}\u{1b}", "ios-17", "MS-ASCMD_R1", "<&\"> \u{ffff}]]>"));
    let (before, mut after) = (run_of(was), run_of(is));
    let known = "[[known]]\npattern = \"sync/s*0\"\nverdict = \"fail\"\nbecause = \"ticket 7\"\n";
    after.hold_against(&Known::parse("known.toml", known).unwrap());
    let comparison = Comparison::of(&before, &after);
    assert_eq!(check_junit(&compare_junit(&comparison)), 38);
    assert!(compare_junit(&comparison).contains("type=\"unexpected pass\""));
    assert_eq!(check_junit(&compare_junit(&Comparison::of(&run_of(Vec::new()), &run_of(Vec::new())))), 0);
}

#[test]
fn what_is_well_although_it_is_known_not_to_be_is_bad_news_in_every_form() {
    let text = "[[known]]\npattern = \"sync/a\"\nverdict = \"fail\"\nbecause = \"ticket 7\"\n";
    let before = run_of(vec![cell("sync/a", "wp7", Verdict::Fail)]);
    for (is, code, unexpected) in [(Verdict::Pass, 1, 1), (Verdict::Fail, 0, 0), (Verdict::Skipped, 0, 0)] {
        let mut after = run_of(vec![cell("sync/a", "wp7", is)]);
        after.hold_against(&Known::parse("known.toml", text).unwrap());
        let comparison = Comparison::of(&before, &after);
        assert_eq!((comparison.exit().code(), comparison.unexpected.len()), (code, unexpected), "{is}");
    }
    let mut after = run_of(vec![cell("sync/a", "wp7", Verdict::Pass)]);
    assert_eq!(Comparison::of(&before, &after).exit(), Exit::Well, "nobody listed it");
    after.hold_against(&Known::parse("known.toml", text).unwrap());
    let comparison = Comparison::of(&before, &after);
    let told = compare_terminal(&comparison, plain(), nothing());
    assert!(told.contains("sync/a × wp7 × 14.1: it was known because: ticket 7"), "{told}");
    assert!(
        told.contains("1 cell is well where a deviation is known") && told.ends_with("1 unexpected pass, 0 the same\n")
    );
    let markdown = compare_markdown(&comparison);
    assert!(markdown.contains("ticket 7") && markdown.contains("1 unexpected pass"), "{markdown}");
    let json: serde_json::Value = serde_json::from_str(&compare_json(&comparison)).unwrap();
    assert_eq!((&json["exit"], &json["unexpected"][0]["because"]), (&1.into(), &"ticket 7".into()));
    let junit = compare_junit(&comparison);
    assert!(check_junit(&junit) == 1 && junit.contains("failures=\"1\""), "{junit}");
}

/// The baseline that somebody made of a run.
fn approved(run: &Run) -> Approved {
    let files = told(run).into_iter().map(|one| (one.path.to_string(), one.to_text())).collect();
    Approved::read("reports/baselines/mail", &files).unwrap()
}

fn told(run: &Run) -> Vec<Snapshot> {
    crate::snapshots(run, &Parts::default(), &|_| None)
}

#[test]
fn a_baseline_tells_the_same_changes_as_the_run_it_was_made_of() {
    let (mut before, mut after) = upgrade();
    before.cells.push(cell("sync/skipped", "ios-17", Verdict::Skipped));
    before.cells.push(failing(
        "sync/bad",
        "ios-17",
        "MS-ASCMD_R9",
        "key `{4a7b2c1d-0001-4f3e-9a8b-000000000012}3` (seen 3 times)",
    ));
    before.cells.push(cell("invariant/held", "ios-17", Verdict::Pass));
    after.cells.extend(before.cells[12..].iter().cloned());
    after.cells[13].findings[0].actual = "key `{99999999-0001-4f3e-9a8b-0000000000ff}3` (seen 9 times)".into();
    for (was, is) in [(&before, &after), (&after, &before)] {
        let (baseline, snapshots) = (approved(was), told(is));
        let [runs, approved] = [Comparison::of(was, is), Comparison::with(&baseline, is, &snapshots)];
        let changes = |comparison: &Comparison<'_>| -> Vec<_> {
            comparison.changes().map(|change| (change.id.clone(), change.class, change.transition())).collect()
        };
        assert_eq!(changes(&runs), changes(&approved));
        let titles = |comparison: &Comparison<'_>| comparison.causes.iter().map(Cause::title).collect::<Vec<_>>();
        assert_eq!(titles(&runs), titles(&approved));
        assert_eq!((runs.exit(), runs.same), (approved.exit(), approved.same));
        assert_eq!(runs.sentence(), approved.sentence());
        assert_eq!(runs.target.versions_lost, approved.target.versions_lost);
        assert_eq!(runs.target.software, approved.target.software);
    }
    let (baseline, snapshots) = (approved(&before), told(&after));
    let comparison = Comparison::with(&baseline, &after, &snapshots);
    let both = Both { before: (Sources { exchange: &|_| None }, &baseline.name), ..nothing() };
    insta::assert_snapshot!("baseline_terminal", compare_terminal(&comparison, plain(), both));
    insta::assert_snapshot!("baseline_markdown", compare_markdown(&comparison));
    insta::assert_snapshot!("baseline_json", compare_json(&comparison));
    assert_eq!(check_junit(&compare_junit(&comparison)), after.cells.len());
    let same = told(&before);
    let unchanged = Comparison::with(&baseline, &before, &same);
    assert!(unchanged.is_same(), "{}", compare_terminal(&unchanged, plain(), both));
}

#[test]
fn what_no_verdict_shows_is_told_of_a_baseline_all_the_same() {
    let was = run_of(vec![cell("sync/a", "wp7", Verdict::Pass), cell("sync/b", "wp7", Verdict::Skipped)]);
    let mut is = was.clone();
    is.cells[0].notes.push("HTTP 503 was taken for an answer".into());
    is.cells[1].reason = "needs a second account".into();
    let (baseline, snapshots) = (approved(&was), told(&is));
    let comparison = Comparison::with(&baseline, &is, &snapshots);
    let told: Vec<String> =
        comparison.causes.iter().map(|cause| format!("{}: {}", cause.class, cause.title())).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    news: it says “note: HTTP 503 was taken for an answer”, which is not approved
    news: it was approved that it says “skipped: why it is skipped”, and it says “skipped: needs a second account”
    ");
    assert_eq!((comparison.exit().code(), comparison.count(Class::News)), (0, 2));
    // A slip that was approved, of an invariant that nothing concerns now.
    let mut slipped = cell("invariant/headers", "wp7", Verdict::Pass);
    slipped.findings.push(finding(Level::Should));
    let was = run_of(vec![cell("sync/a", "wp7", Verdict::Pass), slipped]);
    let is = run_of(vec![cell("sync/a", "wp7", Verdict::Pass)]);
    let (baseline, snapshots) = (approved(&was), self::told(&is));
    let comparison = Comparison::with(&baseline, &is, &snapshots);
    assert_eq!((comparison.exit().code(), comparison.count(Class::News), comparison.same), (0, 1, 1));
}

#[test]
fn a_scenario_that_was_rewritten_since_the_approval_accuses_nobody() {
    let before = run_of(vec![cell("sync/a", "wp7", Verdict::Pass)]);
    let mut after = run_of(vec![cell("sync/a", "wp7", Verdict::Fail)]);
    let baseline = approved(&before);
    let snapshots = told(&after);
    assert_eq!(Comparison::with(&baseline, &after, &snapshots).exit().code(), 1);
    after.started.scenarios[0].1 = "another".into();
    assert_eq!(Comparison::with(&baseline, &after, &snapshots).exit().code(), 3);
}

#[test]
fn a_baseline_of_an_older_build_says_that_it_does_not_know() {
    let (before, after) = upgrade();
    let plain_text = |one: Snapshot| (one.path.to_string(), Snapshot { about: Default::default(), ..one }.to_text());
    let files = told(&before).into_iter().map(plain_text).collect();
    let baseline = Approved::read("mail", &files).unwrap();
    let snapshots = told(&after);
    let comparison = Comparison::with(&baseline, &after, &snapshots);
    assert_eq!(comparison.exit().code(), 1);
    assert!(comparison.target.is_same());
    let cautions = comparison.cautions().join("\n");
    for text in [
        "a baseline has no times",
        "what the target said of itself before is not known",
        "which scenarios and personas",
    ] {
        assert!(cautions.contains(text), "{cautions}");
    }
}

#[test]
fn files_that_are_no_baseline_are_refused_with_what_is_wrong() {
    let (before, _) = upgrade();
    let good: std::collections::BTreeMap<String, String> =
        told(&before).into_iter().map(|one| (one.path.to_string(), one.to_text())).collect();
    let one = good.keys().find(|path| path.starts_with("sync/")).unwrap();
    let mut wrong = Vec::new();
    for (path, text) in [
        ("verdicts.snap", "no head"),
        ("verdicts.snap", "---\n---\nsync/a\n  wp7 passt\n"),
        (one, "no head"),
        (one, "---\nexpression: nothing\n---\nverdict: pass\n"),
        (one, "---\nexpression: \"sync/a × wp7 × 14.1\"\n---\nverdict: passt\n"),
    ] {
        let mut files = good.clone();
        files.insert(path.to_owned(), text.to_owned());
        wrong.push(Approved::read("mail", &files).unwrap_err().to_string());
    }
    wrong.push(Approved::read("mail", &Default::default()).unwrap_err().to_string());
    insta::assert_snapshot!(wrong.join("\n"), @r"
    `verdicts.snap` is no snapshot: it does not begin with a head between two lines `---`
    line 2 of `verdicts.snap` says `wp7 passt`, not what a cell came to: `persona version verdict`
    `sync/first/android-4.snap` is no snapshot: it does not begin with a head between two lines `---`
    `sync/first/android-4.snap` does not say which cell it is about: its `expression` is no `scenario × persona × version`
    `sync/first/android-4.snap` does not begin with `verdict:` and one of the six verdicts
    no baseline: it has no `verdicts.snap`
    ");
}
