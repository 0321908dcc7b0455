use easrig_eas::Version;
use easrig_exchange::ExchangeNumber;
use easrig_scenario::{Confidence, DeviceError, Finding, Level, event};

use super::*;

pub(crate) fn started(scenarios: &[&str], personas: &[&str]) -> RunStarted {
    RunStarted {
        format: event::FORMAT,
        easrig: "0.1.0".into(),
        at: Timestamp(1_700_000_000_000_000),
        target: "https://mail.example.test/".into(),
        allowed: vec!["--allow writes".into()],
        seed: 7,
        repeat: 1,
        scenarios: scenarios.iter().map(|id| ((*id).to_owned(), "00".into())).collect(),
        personas: personas.iter().map(|id| ((*id).to_owned(), "00".into())).collect(),
        keep_content: false,
    }
}

pub(crate) fn cell(scenario: &str, persona: &str, verdict: Verdict) -> Cell {
    Cell {
        id: CellId { scenario: scenario.into(), persona: persona.into(), version: Some(Version::V14_1) },
        verdict,
        reason: if verdict == Verdict::Pass { String::new() } else { format!("why it is {verdict}") },
        blocked_by: None,
        device_error: None,
        findings: Vec::new(),
        notes: Vec::new(),
        exchanges: vec![ExchangeNumber(3), ExchangeNumber(4)],
    }
}

pub(crate) fn blocked(scenario: &str, persona: &str, code: &str) -> Cell {
    let error = DeviceError {
        code: code.into(),
        message: "The server wants security policies that this phone cannot apply.".into(),
        remedy: "drop RequireDeviceEncryption from the policy, or set AllowNonProvisionableDevices to $true".into(),
        confidence: Confidence::High,
    };
    Cell { device_error: Some(error), ..cell(scenario, persona, Verdict::Blocked) }
}

pub(crate) fn finding(level: Level) -> Finding {
    Finding {
        requirement: "MS-ASCMD_R3836".into(),
        level,
        expected: "no `Responses` without content".into(),
        actual: "an empty `Responses`".into(),
        exchange: Some(ExchangeNumber(4)),
    }
}

/// What a run file says of a scenario.
pub(crate) fn card(id: &str) -> ScenarioCard {
    ScenarioCard {
        id: id.into(),
        title: "A full window says that there is more".into(),
        level: Level::Must,
        requirements: vec!["MS-ASCMD_R3836".into()],
        commands: vec!["Sync".into()],
        why: Some("The owner misses mail.".into()),
        fix: Some("Update the server.".into()),
    }
}

/// A finished run of these cells, in this order.
pub(crate) fn run_of(cells: Vec<Cell>) -> Run {
    let mut scenarios: Vec<&str> = Vec::new();
    let mut personas: Vec<&str> = Vec::new();
    for cell in &cells {
        for (list, id) in [(&mut scenarios, &cell.id.scenario), (&mut personas, &cell.id.persona)] {
            if !list.contains(&id.as_str()) {
                list.push(id);
            }
        }
    }
    let mut events = vec![Event::RunStarted(started(&scenarios, &personas))];
    events.push(Event::Planned { cells: cells.iter().map(|cell| cell.id.clone()).collect() });
    events.extend(cells.into_iter().map(Event::CellFinished));
    events.push(Event::RunFinished { at: Timestamp(1_700_000_060_000_000) });
    Run::fold(events.into_iter().map(Ok)).unwrap()
}

/// A run that has something of everything.
pub(crate) fn sample() -> Run {
    let mut cells = Vec::new();
    for persona in ["wp7", "ios-17", "android-gmail", "outlook-mobile"] {
        let journey = "journeys/onboarding-by-server-name";
        cells.push(if persona == "wp7" {
            blocked(journey, persona, "86000C2B")
        } else {
            cell(journey, persona, Verdict::Pass)
        });
        let mut sync = cell("sync/more-available-is-true", persona, Verdict::Fail);
        sync.findings.push(finding(Level::Must));
        if persona == "wp7" {
            let first = CellId { scenario: journey.into(), persona: persona.into(), version: Some(Version::V14_1) };
            sync = Cell { blocked_by: Some(first), ..blocked("sync/more-available-is-true", persona, "86000C2B") };
        }
        cells.push(sync);
        let mut ping = cell("ping/limit", persona, Verdict::Pass);
        ping.findings.push(finding(Level::Should));
        ping.notes.push("ability unverified: ping".into());
        cells.push(ping);
        cells.push(cell("ping/wakes", persona, Verdict::Inconclusive));
        let mut search = cell("search/mailbox", persona, Verdict::Skipped);
        search.reason = "needs a second account".into();
        search.exchanges.clear();
        cells.push(search);
    }
    cells.push(cell("journeys/reply", "ios-17", Verdict::Degraded));
    let mut run = run_of(cells);
    run.scenarios = run.started.scenarios.iter().map(|(id, _)| (id.clone(), card(id))).collect();
    run.seen.push(TargetSeen {
        persona: "ios-17".into(),
        endpoint: "https://mail.example.test/Microsoft-Server-ActiveSync".into(),
        software: vec![("MS-Server-ActiveSync".into(), "14.3".into())],
        versions: vec![Version::V14_0, Version::V14_1],
        commands: vec!["Sync".into()],
        tls: "TLSv1.3 TLS_AES_256_GCM_SHA384".into(),
    });
    run.outages.push(Outage {
        from: Timestamp(0),
        to: Some(Timestamp(3_000_000)),
        cause: "it refused the connection".into(),
    });
    run
}

#[test]
fn causes_are_counted_once() {
    let totals = sample().totals();
    assert_eq!((totals.blocked, totals.causes), (2, 1));
    assert_eq!((totals.pass, totals.fail, totals.degraded, totals.skipped, totals.inconclusive), (7, 3, 1, 4, 4));
}

#[test]
fn a_run_cut_short_says_what_is_missing() {
    let cells = [cell("sync/a", "wp7", Verdict::Pass), cell("sync/b", "wp7", Verdict::Pass)];
    let [a, b] = cells.clone();
    let events = [
        Event::RunStarted(started(&["sync/a", "sync/b"], &["wp7"])),
        Event::Planned { cells: vec![a.id.clone(), b.id.clone()] },
        Event::CellFinished(a.clone()),
    ];
    let run = Run::fold(events.into_iter().map(Ok)).unwrap();
    assert_eq!((run.missing, run.finished, run.cells.len()), (1, None, 2));
    assert_eq!(run.cells[0], a);
    assert_eq!((run.cells[1].id.clone(), run.cells[1].verdict), (b.id, Verdict::Inconclusive));
}

#[test]
fn the_order_of_events_does_not_matter_for_the_order_of_cells() {
    let cells = vec![
        cell("sync/a", "wp7", Verdict::Pass),
        cell("sync/b", "wp7", Verdict::Pass),
        cell("sync/a", "ios-17", Verdict::Pass),
    ];
    let started = started(&["sync/a", "sync/b"], &["ios-17", "wp7"]);
    let fold = |cells: Vec<Cell>| {
        let events = [Event::RunStarted(started.clone())].into_iter().chain(cells.into_iter().map(Event::CellFinished));
        Run::fold(events.map(Ok)).unwrap().cells
    };
    let names: Vec<_> = fold(cells.clone()).iter().map(|cell| cell.id.to_string()).collect();
    assert_eq!(names, ["sync/a × ios-17 × 14.1", "sync/a × wp7 × 14.1", "sync/b × wp7 × 14.1"]);
    assert_eq!(fold(cells.iter().rev().cloned().collect()), fold(cells));
}

#[test]
fn a_file_without_its_first_line_is_refused() {
    let events = [Ok(Event::Resumed { at: Timestamp(1) })];
    assert!(matches!(Run::fold(events), Err(ReadError::NoStart)));
    assert!(matches!(Run::fold([]), Err(ReadError::NoStart)));
}

#[test]
fn every_exchange_keeps_its_line_with_its_cell() {
    let a = cell("sync/a", "wp7", Verdict::Pass);
    let card = |command: &str, took_us| ExchangeCard {
        command: command.into(),
        http: Some(200),
        took_us,
        ..Default::default()
    };
    let exchanged = |number, card| Event::Exchanged { cell: a.id.clone(), exchange: ExchangeNumber(number), card };
    let events = [
        Event::RunStarted(started(&["sync/a"], &["wp7"])),
        exchanged(1, card("OPTIONS", 10)),
        exchanged(2, card("Sync", 20)),
        Event::CellFinished(a.clone()),
    ];
    let run = Run::fold(events.into_iter().map(Ok)).unwrap();
    let lines: Vec<_> =
        run.exchanges.iter().map(|one| (one.number.0, &*one.command, one.took_us, &*one.cell)).collect();
    assert_eq!(lines, [(1, "OPTIONS", 10, &a.id), (2, "Sync", 20, &a.id)]);
    assert_eq!(run.more_exchanges, 0);
}

#[test]
fn a_run_cut_short_tells_the_invariants_that_were_broken() {
    let id = CellId { scenario: "invariant/headers".into(), persona: "wp7".into(), version: Some(Version::V14_1) };
    let broken = |exchange, level| Event::InvariantBroken {
        cell: id.clone(),
        finding: Finding { exchange: Some(ExchangeNumber(exchange)), ..finding(level) },
    };
    let events = [Event::RunStarted(started(&[], &["wp7"])), broken(1, Level::Must), broken(2, Level::Must)];
    let run = Run::fold(events.into_iter().map(Ok)).unwrap();
    let [cell] = run.cells.as_slice() else { panic!("{:?}", run.cells) };
    assert_eq!((&cell.id, cell.verdict, cell.findings.len()), (&id, Verdict::Fail, 1));
    assert_eq!(cell.exchanges, [ExchangeNumber(1), ExchangeNumber(2)]);

    // What the runner came to in the end holds.
    let mut end = cell.clone();
    end.findings.push(finding(Level::Should));
    let events = [Event::RunStarted(started(&[], &["wp7"])), broken(1, Level::Must), Event::CellFinished(end.clone())];
    assert_eq!(Run::fold(events.into_iter().map(Ok)).unwrap().cells, [end]);
}

#[test]
fn every_setting_that_a_phone_met_is_kept_once_however_often_the_policy_changes() {
    let met = |name: &str| event::SettingMet {
        name: name.into(),
        value: "1".into(),
        treatment: event::Treatment::Enforced,
        confidence: Confidence::High,
    };
    let policy = |settings: Vec<event::SettingMet>| {
        Event::PolicyMet(event::PolicyMet { persona: "wp7".into(), version: Some(Version::V14_0), settings })
    };
    let events = [
        Event::RunStarted(started(&[], &["wp7"])),
        policy(vec![met("A")]),
        policy(vec![met("B"), met("A")]),
        policy((0..1000).map(|n| met(&n.to_string())).collect()),
    ];
    let run = Run::fold(events.map(Ok)).unwrap();
    let names: Vec<&str> = run.policies["wp7"].iter().map(|setting| setting.name.as_str()).collect();
    assert_eq!((&names[..2], names.len()), (&["A", "B"][..], MAX_SETTINGS));
}
