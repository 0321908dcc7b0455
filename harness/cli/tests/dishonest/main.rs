//! The self test: a suite that cannot fail proves nothing, so the reference server is made dishonest in one way after
//! the other, and the scenarios that each way lists have to notice, and no others.
#![expect(clippy::unwrap_used, reason = "a test that cannot start the binary or read its output must fail")]

mod rig;

use std::{collections::BTreeSet, sync::Mutex};

use easrig_refserver::Switch;

use crate::rig::{Broken, Changed, Named, Phones, at_once, run, run_honest, scenario_ids};

/// Scenarios and invariants that no switch breaks, each with the reason. What stands here is broken by an exchange in the
/// tests of the invariants instead (`every_invariant_that_the_reference_server_cannot_break_is_broken_by_an_exchange`).
const BROKEN_BY_NONE: &[(&str, &str)] = &[
    (
        "ping/interval-too-long",
        "only with --heartbeats; a server without a limit gives no answer in time, which is inconclusive by design",
    ),
    ("invariant/answer-in-time", "a late server is judged by the runner's own tests: it costs a heartbeat"),
    ("invariant/http-status", "the reference server has no other statuses; unit tests have"),
    ("invariant/answer-shape", "the typed answers cannot be of another root; unit tests are"),
    ("invariant/empty-answer", "the typed answers cannot be empty in the wrong place; unit tests are"),
    ("invariant/no-echo", "a server never writes what the device sent as markup; unit tests do"),
    ("invariant/no-empty-nodes", "the encoder of typed answers leaves empty nodes out; unit tests do not"),
    ("invariant/changes-once", "the answers are made from maps, which hold an item once; unit tests do not"),
];

#[test]
fn an_honest_server_breaks_nothing() {
    let honest = run(None, &[], Phones::Two);
    assert!(honest.passed.len() > 60, "{:?}", honest.passed);
    assert_eq!(honest.broken, Vec::new());
}

/// Quick enough for every day: of each list only the first scenario is run.
#[test]
fn each_switch_is_noticed_by_the_first_scenario_that_it_lists() {
    let slips = at_once(Switch::ALL, |switch| {
        let witness = switch.risk().scenarios[0];
        let ran = run(Some(*switch), &[witness.to_owned()], Phones::One);
        let mut slips = outside(*switch, &ran.broken);
        // What notices may also be an invariant on what the scenario exchanged.
        if !ran.broken.iter().any(|broken| switch.risk().may_break(&broken.scenario)) {
            slips.push(format!("{switch}: {witness} does not notice"));
        }
        let honest = run_honest(*switch, &[witness.to_owned()], Phones::One);
        slips.extend(misnamed(*switch, &ran.compared_with(&honest)));
        slips.extend(disagreed(*switch, &ran.named_beside(&honest)));
        slips
    });
    assert!(slips.is_empty(), "{}", slips.join("\n"));
}

#[test]
fn every_list_names_scenarios_and_invariants_that_exist() {
    let known = scenario_ids();
    for switch in Switch::ALL {
        for listed in switch.risk().scenarios {
            let exists = match listed.strip_prefix("invariant/") {
                Some(name) => easrig_scenario::Invariant::find(name).is_some(),
                None => known.iter().any(|id| id == listed || (listed.ends_with('/') && id.starts_with(listed))),
            };
            assert!(exists, "{switch} lists {listed}");
        }
    }
}

#[test]
fn runs_of_the_same_server_do_not_differ() {
    assert_eq!(differing(3), Vec::new());
}

#[test]
#[ignore = "the whole suite twenty times: `just self`"]
fn twenty_runs_of_the_same_server_do_not_differ() {
    assert_eq!(differing(20), Vec::new());
}

/// What later runs of an honest server have otherwise than the first of them.
fn differing(runs: usize) -> Vec<Changed> {
    let first = run(None, &[], Phones::Two);
    let others: Vec<usize> = (1..runs).collect();
    at_once(&others, |_| run(None, &[], Phones::Two).compared_with(&first))
}

/// All of the suite under every switch. What a switch lists may wait long for what never comes and runs by itself.
#[test]
#[ignore = "minutes of waiting for what never comes: `just self`"]
fn each_switch_breaks_what_it_lists_and_nothing_else() {
    let known = scenario_ids();
    // One switch by itself, while it is worked on: EASRIG_SWITCH=html-error-page.
    let only = std::env::var("EASRIG_SWITCH").ok().map(|name| name.parse::<Switch>().unwrap());
    let switches: Vec<Switch> =
        Switch::ALL.iter().copied().filter(|one| only.is_none_or(|only| only == *one)).collect();
    let tasks: Vec<(Switch, Vec<String>)> = switches
        .iter()
        .flat_map(|switch| {
            let (listed, others): (Vec<_>, Vec<_>) = known.iter().cloned().partition(|id| switch.risk().may_break(id));
            listed.into_iter().map(|id| vec![id]).chain([others]).map(|ids| (*switch, ids))
        })
        .collect();
    let honest = run(None, &[], Phones::Two);
    let misnaming = Mutex::new(Vec::new());
    let seen = at_once(&tasks, |(switch, ids)| {
        let ran = run(Some(*switch), ids, Phones::Two);
        // What this task does not run is gone, which says nothing about the switch; and there must be a run to compare with.
        if *switch != Switch::OptionsVersionsOverstated {
            let mut changed = ran.compared_with(&honest);
            changed.retain(|one| !one.transition.ends_with("gone"));
            // A switch may break what it lists; where it does, the comparison has to tell.
            let noticed = ran.broken.iter().any(|one| one.counts && switch.risk().may_break(&one.scenario));
            let wrong = misnamed(*switch, &changed).into_iter();
            misnaming.lock().unwrap().extend(wrong.filter(|slip| noticed || !slip.ends_with(MISSED)));
        }
        ran.broken.into_iter().map(|broken| (*switch, broken)).collect()
    });

    let mut slips = misnaming.into_inner().unwrap();
    for switch in &switches {
        let broken: Vec<Broken> = seen.iter().filter(|(by, _)| by == switch).map(|(_, one)| one.clone()).collect();
        slips.extend(outside(*switch, &broken));
        if !broken.iter().any(|one| switch.risk().may_break(&one.scenario)) {
            slips.push(format!("{switch}: nobody notices"));
        }
    }
    if only.is_some() {
        println!("{}", witnesses(&seen));
    }
    let noticing: BTreeSet<&str> = seen.iter().map(|(_, broken)| broken.scenario.as_str()).collect();
    let invariants = easrig_scenario::INVARIANTS.iter().map(|one| format!("invariant/{}", one.name));
    for id in known.iter().cloned().chain(invariants).filter(|_| only.is_none()) {
        let excused = BROKEN_BY_NONE.iter().any(|(known, _)| *known == id);
        if excused == noticing.contains(id.as_str()) {
            slips.push(format!(
                "{id}: {}",
                if excused { "excused, and some switch breaks it" } else { "nobody can fail it" }
            ));
        }
    }
    assert!(slips.is_empty(), "{}", slips.join("\n"));
}

/// What the comparison with an honest server says and should not, and what it fails to say.
fn misnamed(switch: Switch, changed: &[Changed]) -> Vec<String> {
    let outside = changed.iter().filter(|one| !switch.risk().may_break(&one.scenario));
    let mut slips: Vec<String> = outside
        .map(|one| format!("{switch}: the comparison names {} ({}: {})", one.scenario, one.class, one.transition))
        .collect();
    let is_told = |one: &&Changed| matches!(one.class.as_str(), "regression" | "unclear");
    if !changed.iter().filter(is_told).any(|one| switch.risk().may_break(&one.scenario)) {
        slips.push(format!("{switch}: {MISSED}"));
    }
    slips
}

/// What a check against a baseline names and the comparison with it does not, or the other way round. Of cells that say
/// nothing by themselves, the check shows the line in the overview.
fn disagreed(switch: Switch, named: &Named) -> Vec<String> {
    let missed = named.by_check.difference(&named.by_compare).map(|cell| ("the comparison", cell));
    let beyond = named.by_compare.difference(&named.by_check).filter(|cell| named.told.contains(*cell));
    let slips = missed.chain(beyond.map(|cell| ("the check", cell)));
    let mut slips: Vec<String> =
        slips.map(|(who, cell)| format!("{switch}: {who} does not name {} × {}", cell.0, cell.1)).collect();
    if named.by_check.is_empty() {
        slips.push(format!("{switch}: the check against a baseline names nothing"));
    }
    slips
}

const MISSED: &str = "the comparison does not tell";

/// Who noticed, one a line.
fn witnesses(seen: &[(Switch, Broken)]) -> String {
    let lines: BTreeSet<String> = seen
        .iter()
        .map(|(_, one)| format!("{} {} {}", one.scenario, one.verdict, one.requirements.join(",")))
        .collect();
    lines.into_iter().collect::<Vec<_>>().join("\n")
}

/// What broke and is not on the switch's list.
fn outside(switch: Switch, broken: &[Broken]) -> Vec<String> {
    let risk = switch.risk();
    let mut slips = BTreeSet::new();
    for one in broken {
        if !risk.may_break(&one.scenario) {
            slips.insert(format!("{switch}: breaks {} ({}), which it does not list", one.scenario, one.verdict));
        }
        for requirement in one.requirements.iter().filter(|id| id.starts_with("MS-")) {
            if !risk.requirements.contains(&requirement.as_str()) {
                slips.insert(format!("{switch}: breaks {requirement} in {}, which it does not list", one.scenario));
            }
        }
    }
    slips.into_iter().collect()
}
