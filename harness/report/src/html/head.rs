//! The top of the page: the verdict in a sentence, what was tested, what was allowed, what could not be tested.

use std::collections::{BTreeMap, BTreeSet};

use easrig_scenario::{Cell, Verdict};

use super::{Maker, Mark, moment};
use crate::{
    Run, Totals,
    told::Told,
    trouble::{is_known, unexpected},
    words::Text,
};

pub(super) struct Head {
    pub(super) sentence: Text,
    /// What else there is to say at once.
    pub(super) lead: Vec<Text>,
    /// Every verdict there is, with how many cells came to it.
    pub(super) tally: Vec<(Mark, usize)>,
    pub(super) mark: Mark,
    pub(super) target: String,
    pub(super) started: String,
    /// How long it took; `None` when it was cut short.
    pub(super) took: Option<String>,
    pub(super) servers: Vec<Server>,
    pub(super) allowed: Vec<Told>,
    pub(super) phones: usize,
    pub(super) scenarios: usize,
    pub(super) cells: usize,
    pub(super) untested: Vec<Untested>,
    pub(super) missing: usize,
}

/// What the target says it is, and to whom.
pub(super) struct Server {
    pub(super) endpoint: String,
    pub(super) software: Vec<(String, String)>,
    pub(super) versions: String,
}

/// What was not tested, and why.
pub(super) struct Untested {
    pub(super) reason: Told,
    pub(super) cells: usize,
    /// The scenarios, the first few of them.
    pub(super) scenarios: String,
}

/// The most scenarios that are named of one reason.
const NAMED_MOST: usize = 6;

impl Head {
    pub(super) fn of(maker: &Maker<'_>) -> Self {
        let run = maker.run;
        let totals = run.totals();
        let news = news(run);
        let (sentence, verdict) = sentence(maker, &news);
        let scenarios =
            run.cells.iter().map(|cell| cell.id.scenario.as_str()).filter(|id| !id.starts_with("invariant/"));
        Self {
            sentence,
            lead: lead(maker, &news),
            tally: tally(&totals),
            mark: verdict.into(),
            target: run.started.target.clone(),
            started: moment(run.started.at),
            took: run.finished.map(|end| length(end.0.saturating_sub(run.started.at.0))),
            servers: servers(run),
            allowed: run.started.allowed.iter().map(|text| maker.words.told(text)).collect(),
            phones: phones(run).len(),
            scenarios: scenarios.collect::<BTreeSet<_>>().len(),
            cells: run.cells.len(),
            untested: untested(maker),
            missing: run.missing,
        }
    }
}

/// The one thing to know, and the verdict that it stands for.
fn sentence(maker: &Maker<'_>, totals: &Totals) -> (Text, Verdict) {
    let run = maker.run;
    let all = phones(run).len();
    let of = |verdict| phones_with(run, verdict).len();
    let say = |key: &str, n: usize| maker.words.with(key, vec![("n", n.into()), ("all", all.into())]);
    if run.cells.is_empty() {
        (maker.words.say("sentence.nothing"), Verdict::Inconclusive)
    } else if totals.blocked > 0 {
        (say("sentence.blocked", of(Verdict::Blocked)), Verdict::Blocked)
    } else if totals.fail > 0 {
        (say("sentence.fail", of(Verdict::Fail)), Verdict::Fail)
    } else if totals.inconclusive > 0 {
        (say("sentence.inconclusive", totals.inconclusive), Verdict::Inconclusive)
    } else if totals.pass + totals.degraded == 0 {
        (maker.words.say("sentence.skipped"), Verdict::Skipped)
    } else if totals.degraded > 0 {
        (say("sentence.degraded", of(Verdict::Degraded)), Verdict::Degraded)
    } else {
        (say("sentence.pass", all), Verdict::Pass)
    }
}

fn lead(maker: &Maker<'_>, totals: &Totals) -> Vec<Text> {
    let run = maker.run;
    let words = maker.words;
    let mut lead = Vec::new();
    let blocked = phones_with(run, Verdict::Blocked);
    if !blocked.is_empty() {
        let names: Vec<&str> = blocked.iter().map(|id| maker.phone(id)).collect();
        lead.push(words.with("lead.blocked", vec![("phones", names.join(", ").into())]));
    }
    if totals.fail > 0 {
        let broken: BTreeSet<&str> = cells(run, Verdict::Fail).map(|cell| cell.id.scenario.as_str()).collect();
        lead.push(words.count("lead.fail", broken.len()));
    }
    if totals.blocked + totals.fail > 0 && totals.degraded > 0 {
        lead.push(words.count("lead.degraded", totals.degraded));
    }
    if totals.inconclusive > 0 && totals.blocked + totals.fail > 0 {
        lead.push(words.count("lead.inconclusive", totals.inconclusive));
    }
    if run.finished.is_none() {
        lead.push(words.count("lead.cut", run.missing));
    }
    let known = run.cells.iter().filter(|cell| is_known(run, cell)).count();
    if known > 0 {
        lead.push(words.count("lead.known", known));
    }
    let unexpected = unexpected(run).len();
    if unexpected > 0 {
        lead.push(words.count("lead.unexpected", unexpected));
    }
    lead
}

/// How many cells came to what, without the deviations that are known.
fn news(run: &Run) -> Totals {
    let count = |verdict| cells(run, verdict).count();
    Totals {
        fail: count(Verdict::Fail),
        blocked: count(Verdict::Blocked),
        degraded: count(Verdict::Degraded),
        inconclusive: count(Verdict::Inconclusive),
        ..run.totals()
    }
}

fn tally(totals: &Totals) -> Vec<(Mark, usize)> {
    let all = [
        (Verdict::Blocked, totals.blocked),
        (Verdict::Fail, totals.fail),
        (Verdict::Degraded, totals.degraded),
        (Verdict::Inconclusive, totals.inconclusive),
        (Verdict::Pass, totals.pass),
        (Verdict::Skipped, totals.skipped),
    ];
    all.into_iter().filter(|(_, count)| *count > 0).map(|(verdict, count)| (verdict.into(), count)).collect()
}

fn servers(run: &Run) -> Vec<Server> {
    let mut servers: Vec<Server> = Vec::new();
    for seen in &run.seen {
        let versions: Vec<String> = seen.versions.iter().map(ToString::to_string).collect();
        let server =
            Server { endpoint: seen.endpoint.clone(), software: seen.software.clone(), versions: versions.join(", ") };
        let known = |other: &Server| other.endpoint == server.endpoint && other.software == server.software;
        if !servers.iter().any(known) {
            servers.push(server);
        }
    }
    servers
}

fn untested(maker: &Maker<'_>) -> Vec<Untested> {
    let mut reasons: Vec<(&str, Vec<&Cell>)> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for cell in cells(maker.run, Verdict::Skipped) {
        let place = *places.entry(&cell.reason).or_insert_with(|| {
            reasons.push((&cell.reason, Vec::new()));
            reasons.len() - 1
        });
        if let Some((_, cells)) = reasons.get_mut(place) {
            cells.push(cell);
        }
    }
    let told = |(reason, cells): (&str, Vec<&Cell>)| {
        let names: BTreeSet<&str> = cells.iter().map(|cell| cell.id.scenario.as_str()).collect();
        let more = if names.len() > NAMED_MOST { " …" } else { "" };
        let named: Vec<&str> = names.into_iter().take(NAMED_MOST).collect();
        Untested { reason: maker.words.told(reason), cells: cells.len(), scenarios: named.join(", ") + more }
    };
    reasons.into_iter().map(told).collect()
}

/// The cells of a verdict, without the deviations that are known.
fn cells(run: &Run, verdict: Verdict) -> impl Iterator<Item = &Cell> {
    run.cells.iter().filter(move |cell| cell.verdict == verdict && !is_known(run, cell))
}

/// The phones of the run that came to something, each once, in the order of the run.
pub(super) fn phones(run: &Run) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    run.cells.iter().map(|cell| cell.id.persona.as_str()).filter(|id| seen.insert(*id)).collect()
}

fn phones_with(run: &Run, verdict: Verdict) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    cells(run, verdict).map(|cell| cell.id.persona.as_str()).filter(|id| seen.insert(*id)).collect()
}

/// Microseconds as `12 s` or `3 min 05 s`.
fn length(micros: i64) -> String {
    let seconds = micros.max(0) / 1_000_000;
    if seconds < 60 { format!("{seconds} s") } else { format!("{} min {:02} s", seconds / 60, seconds % 60) }
}
