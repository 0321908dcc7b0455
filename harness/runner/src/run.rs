use std::{collections::BTreeSet, sync::Arc};

use easrig_persona::Persona;
use easrig_scenario::{Cell, CellId, Verdict, event::Event};
use thiserror::Error;
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    account::redactor,
    cell,
    clock::now,
    folder::{FolderError, RunFolder, Unfinished},
    journal::{Journal, Observer},
    lease::Pair,
    orders::Orders,
    plan::{self, Planned},
    shared::Shared,
    survey, tls, trust,
    watch::Presence,
};

/// Runs every cell and writes down what happens. Returns when all are done, or the folder cannot be written any more.
///
/// # Errors
/// When there is no account, or the run folder cannot be written. What the target does is never an error.
pub async fn run(
    orders: Orders,
    folder: Arc<RunFolder>,
    unfinished: Option<Unfinished>,
    observer: Arc<dyn Observer>,
) -> Result<(), RunError> {
    if orders.accounts.is_empty() {
        return Err(RunError::NoAccount);
    }
    let journal = Journal::new(folder, observer, redactor(&orders.accounts, orders.content));
    match &unfinished {
        Some(unfinished) => {
            journal.record(&Event::Resumed { at: now() })?;
            journal.remember(&unfinished.events);
        }
        None => {
            journal.record(&Event::RunStarted(orders.started()))?;
            journal.record(&orders.described())?;
        }
    }
    let shared = Arc::new(Shared::new(orders, journal, unfinished.as_ref()));
    let jobs = Arc::new(Semaphore::new(shared.orders.jobs.max(1)));
    let mut lanes = JoinSet::new();
    for lane in 0..shared.leases.len() {
        let (shared, jobs) = (Arc::clone(&shared), Arc::clone(&jobs));
        lanes.spawn(async move {
            let _permit = jobs.acquire_owned().await.expect("the semaphore is never closed");
            run_lane(&shared, lane).await
        });
    }
    while let Some(ended) = lanes.join_next().await {
        match ended {
            Ok(result) => result?,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    for cell in shared.journal.invariant_cells(shared.orders.strictness) {
        shared.journal.record(&Event::CellFinished(cell))?;
    }
    shared.journal.record(&Event::RunFinished { at: now() }).map_err(RunError::from)
}

/// Why a run cannot go on; everything recorded so far is kept.
#[derive(Debug, Error)]
pub enum RunError {
    /// The run folder cannot be written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// No account was given.
    #[error("a run needs at least one account (--account USER:SECRET)")]
    NoAccount,
}

/// The personas that use one account pair, one after the other.
async fn run_lane(shared: &Shared, lane: usize) -> Result<(), FolderError> {
    let personas = shared.orders.personas.iter().skip(lane).step_by(shared.leases.len());
    for persona in personas {
        let mut pair = shared.leases.take(lane).await;
        let there = shared.watch.ready(&shared.orders.client, &shared.journal).await? == Presence::There;
        let found = match there && shared.account_stopped(&pair).is_none() {
            true => survey::run(shared, persona, &mut pair).await?,
            false => survey::Found::default(),
        };
        let cells = plan::cells(&shared.orders, persona, &pair, &found);
        shared.journal.record(&Event::Planned { cells: cells.iter().map(|c| c.id.clone()).collect() })?;
        let id = CellId { scenario: String::new(), persona: persona.id().to_owned(), version: found.version };
        if let Some(cell) = tls_cell(shared, persona, &found, id.clone()).await? {
            shared.journal.record(&Event::CellFinished(cell))?;
        }
        // A root that was added (`--ca`) is on every phone of the run.
        if let Some(tls) = found.tls.as_ref().filter(|_| !shared.orders.client.has_own_roots())
            && let Some(cell) = trust::cell(persona, tls, id).filter(|cell| !shared.done.contains(&cell.id))
        {
            shared.journal.record(&Event::CellFinished(cell))?;
        }
        let mut tried = 0;
        for planned in &cells {
            if shared.done.contains(&planned.id) {
                continue;
            }
            shared.journal.record(&Event::CellStarted { cell: planned.id.clone(), at: now() })?;
            // A target that nobody has reached gets a second look, but not one for every cell: each may take minutes.
            let unreached = found.unreached.as_ref().filter(|_| tried > 0 && !shared.watch.has_answered());
            let cell = match unreached {
                Some(why) if planned.skip.is_none() => {
                    let reason = format!("the target was never reached: {why}");
                    Cell { exchanges: found.exchanges.clone(), ..untried(planned, Verdict::Inconclusive, reason) }
                }
                _ => run_cell(shared, planned, &pair).await?,
            };
            tried += usize::from(planned.skip.is_none());
            shared.journal.record(&Event::CellFinished(cell))?;
        }
    }
    Ok(())
}

/// Whether the phone could agree on TLS with somebody's own server. Of the reference server it is known what it speaks:
/// that is TLS of today, and not what a profile's product did in its time.
async fn tls_cell(
    shared: &Shared,
    persona: &Persona,
    found: &survey::Found,
    id: CellId,
) -> Result<Option<Cell>, FolderError> {
    let Some(url) = found.secure.as_ref().filter(|_| shared.orders.server.control().is_none()) else { return Ok(None) };
    let asked = shared.tls.of(url, &shared.orders.client, &shared.journal).await?;
    let cell = asked.and_then(|asked| tls::cell(persona, &asked, id));
    Ok(cell.filter(|cell| !shared.done.contains(&cell.id)))
}

async fn run_cell(shared: &Shared, planned: &Planned, pair: &Pair) -> Result<Cell, FolderError> {
    if let Some(reason) = &planned.skip {
        return Ok(untried(planned, Verdict::Skipped, reason.clone()));
    }
    if let Presence::Gone(cause) = shared.watch.ready(&shared.orders.client, &shared.journal).await? {
        let reason = format!("the target does not answer any more: {cause}");
        return Ok(untried(planned, Verdict::Inconclusive, reason));
    }
    if let Some(why) = shared.account_stopped(pair) {
        return Ok(untried(planned, Verdict::Inconclusive, why));
    }
    let mut worst = cell::run(shared, planned, pair).await?;
    let mut seen = vec![worst.verdict];
    for _ in 1..shared.orders.repeat {
        let back = shared.watch.ready(&shared.orders.client, &shared.journal).await?;
        if back != Presence::There || shared.account_stopped(pair).is_some() {
            break;
        }
        let again = cell::run(shared, planned, pair).await?;
        seen.push(again.verdict);
        let exchanges = [worst.exchanges.clone(), again.exchanges.clone()].concat();
        if again.verdict > worst.verdict {
            worst = again;
        }
        worst.exchanges = exchanges;
    }
    if seen.iter().any(|verdict| *verdict != seen[0]) {
        let count = |verdict: Verdict| seen.iter().filter(|v| **v == verdict).count();
        let said: Vec<_> =
            seen.iter().collect::<BTreeSet<_>>().into_iter().map(|v| format!("{} {v}", count(*v))).collect();
        worst.notes.push(format!("flaky: {} of {} tries", said.join(", "), seen.len()));
    }
    Ok(worst)
}

/// A cell for which nothing was sent.
fn untried(planned: &Planned, verdict: Verdict, reason: String) -> Cell {
    Cell {
        id: planned.id.clone(),
        verdict,
        reason,
        blocked_by: None,
        device_error: None,
        findings: Vec::new(),
        notes: Vec::new(),
        exchanges: Vec::new(),
    }
}
