//! Several servers side by side, phone by phone.

mod human;
mod json;
mod markdown;
mod page;

use easrig_eas::Version;
use easrig_scenario::{DeviceError, Verdict};

pub use human::servers_terminal;
pub use json::{servers_json, servers_schema};
pub use markdown::servers_markdown;
pub use page::servers_html;

use crate::{Run, Totals, compare::shown};

/// Servers × personas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Servers<'r> {
    /// A column each, in the order given.
    pub servers: Vec<Server<'r>>,
    /// Persona id and family, in the order in which the runs have them.
    pub personas: Vec<(&'r str, &'r str)>,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server<'r> {
    /// Its folder.
    pub folder: &'r str,
    /// What it came to.
    pub run: &'r Run,
    /// What each persona came to, in the order of [`Servers::personas`]; `None` when it is not in the run.
    pub spots: Vec<Option<Spot<'r>>>,
}

/// One persona on one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot<'r> {
    /// The worst that any of its cells came to.
    pub worst: Verdict,
    /// How many cells came to what, invariants included. Causes are not counted here.
    pub totals: Totals,
    /// What its owner sees in most of the cells that are blocked.
    pub error: Option<&'r DeviceError>,
    /// The newest version that it spoke.
    pub version: Option<Version>,
}

impl<'r> Servers<'r> {
    /// The table of these runs, each with its folder.
    pub fn of(runs: impl IntoIterator<Item = (&'r str, &'r Run)>) -> Self {
        let runs: Vec<(&str, &Run)> = runs.into_iter().collect();
        let mut personas: Vec<(&str, &str)> = Vec::new();
        for (_, run) in &runs {
            for cell in &run.cells {
                let id = cell.id.persona.as_str();
                if !personas.iter().any(|(known, _)| *known == id) {
                    personas.push((id, run.personas.get(id).map_or(id, |card| card.family.as_str())));
                }
            }
        }
        // Families stand together, in the order in which they come.
        let order: Vec<&str> = personas.iter().map(|(_, family)| *family).collect();
        personas.sort_by_key(|(_, family)| order.iter().position(|known| known == family));
        let server = |(folder, run): (&'r str, &'r Run)| Server {
            folder,
            run,
            spots: personas.iter().map(|(persona, _)| spot(run, persona)).collect(),
        };
        Self { servers: runs.into_iter().map(server).collect(), personas }
    }
}

impl Spot<'_> {
    /// How many cells were judged or tried, without the skipped ones.
    pub fn tried(&self) -> usize {
        let Totals { pass, fail, blocked, degraded, inconclusive, .. } = self.totals;
        pass + fail + blocked + degraded + inconclusive
    }

    /// How many cells came to the worst.
    pub fn times(&self) -> usize {
        match self.worst {
            Verdict::Pass => self.totals.pass,
            Verdict::Fail => self.totals.fail,
            Verdict::Blocked => self.totals.blocked,
            Verdict::Degraded => self.totals.degraded,
            Verdict::Inconclusive => self.totals.inconclusive,
            Verdict::Skipped => self.totals.skipped,
        }
    }
}

fn spot<'r>(run: &'r Run, persona: &str) -> Option<Spot<'r>> {
    let cells = || run.cells.iter().filter(|cell| cell.id.persona == persona);
    let count = |verdict| cells().filter(|cell| cell.verdict == verdict).count();
    Some(Spot {
        worst: cells().map(|cell| cell.verdict).max()?,
        totals: Totals {
            pass: count(Verdict::Pass),
            fail: count(Verdict::Fail),
            blocked: count(Verdict::Blocked),
            degraded: count(Verdict::Degraded),
            skipped: count(Verdict::Skipped),
            inconclusive: count(Verdict::Inconclusive),
            causes: 0,
        },
        error: shown(run, persona),
        version: cells().filter_map(|cell| cell.id.version).max(),
    })
}

/// The name of a phone for people; its id where no run says.
fn title<'s>(servers: &'s Servers<'_>, persona: &'s str) -> &'s str {
    let card = servers.servers.iter().find_map(|server| server.run.personas.get(persona));
    card.map_or(persona, |card| &card.title)
}

/// A name for each column: the target; the folder too where several have the same.
fn names(servers: &Servers<'_>) -> Vec<String> {
    let target = |server: &Server<'_>| server.run.started.target.clone();
    let name = |server: &Server<'_>| {
        let same = servers.servers.iter().filter(|other| target(other) == target(server)).count();
        if same > 1 { server.folder.to_owned() } else { target(server) }
    };
    servers.servers.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Palette, View,
        run::tests::{blocked, cell, run_of, sample},
    };

    #[test]
    fn each_phone_has_its_worst_verdict_on_each_server() {
        let good = run_of(vec![cell("sync/a", "wp7", Verdict::Pass), cell("sync/b", "wp7", Verdict::Skipped)]);
        let bad = run_of(vec![blocked("sync/a", "wp7", "86000C2B"), cell("sync/a", "nokia", Verdict::Fail)]);
        let mixed = sample();
        let runs = [("runs/good", &good), ("runs/bad", &bad), ("runs/mixed", &mixed)];
        let servers = Servers::of(runs);
        let worst = |server: usize| -> Vec<Option<Verdict>> {
            servers.servers[server].spots.iter().map(|spot| spot.as_ref().map(|spot| spot.worst)).collect()
        };
        assert_eq!(worst(0)[..2], [Some(Verdict::Pass), None]);
        assert_eq!(worst(1)[..2], [Some(Verdict::Blocked), Some(Verdict::Fail)]);
        let view = View { palette: &Palette::plain(), width: 100, folder: "" };
        insta::assert_snapshot!("terminal", servers_terminal(&servers, view));
        insta::assert_snapshot!("narrow", servers_terminal(&servers, View { width: 48, ..view }));
        insta::assert_snapshot!("markdown", servers_markdown(&servers));
        insta::assert_snapshot!("json", servers_json(&servers));
    }
}
