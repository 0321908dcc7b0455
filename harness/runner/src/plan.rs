use std::{collections::BTreeSet, sync::Arc};

use easrig_eas::Version;
use easrig_persona::Persona;
use easrig_scenario::{
    CellId, Role, Scenario, StepKind,
    model::{Effects, Need},
    variables::FOLDERS,
};

use crate::{
    lease::{Leases, Pair},
    orders::{Allowed, Orders, Target, Versions},
    survey::Found,
};

/// What the target can do for a scenario that not every target can.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Means {
    pub(crate) partner: bool,
    pub(crate) address: bool,
    pub(crate) control: bool,
    pub(crate) allowed: Allowed,
}

/// One cell that will be tried.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) id: CellId,
    pub(crate) scenario: Arc<Scenario>,
    pub(crate) persona: Arc<Persona>,
    /// The version to force on the persona; `None` lets it pick.
    pub(crate) forced: Option<Version>,
    /// Why nothing is sent, if so.
    pub(crate) skip: Option<String>,
}

/// The cells of one persona, in the order of the scenarios: whatever else is selected, a cell is the same.
pub(crate) fn cells(orders: &Orders, persona: &Arc<Persona>, pair: &Pair, found: &Found) -> Vec<Planned> {
    let means = Means::of(orders, pair);
    let (picked, offered) = (found.version, found.offered.as_slice());
    let able = persona.versions();
    let wanted: Vec<(Option<Version>, Option<Version>)> = match &orders.versions {
        Versions::Own => vec![(picked, None)],
        Versions::List(list) => list.iter().map(|v| (Some(*v), Some(*v))).collect(),
        Versions::All => {
            let common = offered.iter().filter(|v| able.contains(v));
            let mut all: Vec<_> = common.map(|v| (Some(*v), Some(*v))).collect();
            if all.is_empty() {
                all.push((picked, None));
            }
            all
        }
    };
    let cell = |scenario: &Arc<Scenario>, (version, forced): (Option<Version>, Option<Version>)| Planned {
        id: CellId { scenario: scenario.id.clone(), persona: persona.id().to_owned(), version },
        skip: unfit(version, forced, offered, able)
            .or_else(|| lacking(scenario, version, means))
            .or_else(|| unable(scenario, persona))
            .or_else(|| homeless(scenario, found.folders.as_deref())),
        scenario: Arc::clone(scenario),
        persona: Arc::clone(persona),
        forced,
    };
    orders.scenarios.iter().flat_map(|s| wanted.iter().map(move |w| (s, *w))).map(|(s, w)| cell(s, w)).collect()
}

impl Means {
    fn of(orders: &Orders, pair: &Pair) -> Self {
        Self {
            partner: pair.partner.is_some(),
            address: orders.server.control().is_some() || matches!(orders.target, Target::Address(_)),
            control: orders.server.control().is_some(),
            allowed: orders.allowed,
        }
    }
}

fn unfit(version: Option<Version>, forced: Option<Version>, offered: &[Version], able: &[Version]) -> Option<String> {
    let version = version?;
    if !offered.is_empty() && forced.is_some() && !offered.contains(&version) {
        return Some(format!("version not offered: the server does not announce {version}"));
    }
    (forced.is_some() && !able.contains(&version))
        .then(|| format!("version not offered: this persona never speaks {version}"))
}

fn lacking(scenario: &Scenario, version: Option<Version>, means: Means) -> Option<String> {
    if let Some(version) = version.filter(|v| !scenario.versions.contains(v)) {
        return Some(format!("not for protocol {version}"));
    }
    let need = |need: Need, there: bool, reason: &str| (scenario.needs(need) && !there).then(|| reason.to_owned());
    let partner = scenario.needs(Need::Partner) || scenario.roles().contains(&Role::Partner);
    None.or_else(|| (partner && !means.partner).then(|| "needs a second account".to_owned()))
        .or_else(|| need(Need::Address, means.address, "needs a target given as an address, to be discovered"))
        .or_else(|| need(Need::Control, means.control, "needs a server that can be told to change"))
        .or_else(|| need(Need::Reference, means.control, "needs the reference server"))
        .or_else(|| {
            need(Need::Heartbeat, means.allowed.heartbeats, "waits out a long heartbeat; ask for it with --heartbeats")
        })
        .or_else(|| forbidden(scenario.effects, means.allowed))
}

/// A folder that the scenario uses and the server does not have.
fn homeless(scenario: &Scenario, folders: Option<&[&str]>) -> Option<String> {
    let there = folders?;
    let (_, missing) = scenario.folders.iter().find(|(_, folder)| !there.contains(folder))?;
    let name = FOLDERS.iter().find(|(variable, _)| variable == missing).map_or(*missing, |(_, name)| name);
    Some(format!("the server has no {name} folder"))
}

/// A habit the persona is known not to have.
fn unable(scenario: &Scenario, persona: &Persona) -> Option<String> {
    let habit = scenario.steps.iter().find_map(|step| match &step.kind {
        StepKind::Do(habit) if !persona.ability(habit.name).value => Some(habit.name),
        _ => None,
    })?;
    Some(format!("this device cannot do `{habit}`"))
}

fn forbidden(effects: Effects, allowed: Allowed) -> Option<String> {
    match effects {
        Effects::Reads => None,
        Effects::Writes => (!allowed.writes).then(|| "writes to the mailbox; allow it with --allow writes".into()),
        Effects::Destroys => {
            (!allowed.destroys).then(|| "may destroy data; allow it with --allow destroys and --disposable HOST".into())
        }
    }
}

/// What a run will do, before anything is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline {
    /// How many device partnerships it will make on the server, at most.
    pub partnerships: usize,
    /// How many cells it will try, with one version per persona unless versions are named.
    pub cells: usize,
}

/// What a run will do; the server is not asked.
pub fn outline(orders: &Orders) -> Outline {
    let pairs = Leases::new(&orders.accounts);
    let mut partnerships = BTreeSet::new();
    let mut count = 0;
    for (index, persona) in orders.personas.iter().enumerate() {
        let pair = pairs.look(index);
        let planned = cells(orders, persona, &pair, &Found::default());
        for planned in planned.iter().filter(|planned| planned.skip.is_none()) {
            count += 1;
            for role in planned.scenario.roles() {
                partnerships.insert((index, role == Role::Partner, role));
            }
        }
    }
    Outline { partnerships: partnerships.len(), cells: count }
}
