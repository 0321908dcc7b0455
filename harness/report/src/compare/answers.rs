//! What the lines about single exchanges add up to.

use std::collections::{BTreeMap, HashMap};

use easrig_exchange::ExchangeNumber;
use easrig_scenario::CellId;

use crate::Run;

/// The most times of one command in one cell; the first ones are taken.
const TIMES_MOST: usize = 256;

/// The ways of signing in that were offered with each HTTP 401.
pub(super) struct Refusals<'r>(HashMap<ExchangeNumber, &'r [String]>);

impl<'r> Refusals<'r> {
    pub(super) fn of(run: &'r Run) -> Self {
        let refused = run.exchanges.iter().filter(|exchange| exchange.http == Some(401));
        Self(refused.map(|exchange| (exchange.number, exchange.challenges.as_slice())).collect())
    }

    /// `None` when the exchange came to anything else.
    pub(super) fn at(&self, exchange: ExchangeNumber) -> Option<&'r [String]> {
        self.0.get(&exchange).copied()
    }
}

/// How long the answers to each command took in a cell, in microseconds and in the order of the run.
pub(super) struct Times<'r>(HashMap<&'r CellId, BTreeMap<&'r str, Vec<u64>>>);

impl<'r> Times<'r> {
    pub(super) fn of(run: &'r Run) -> Self {
        let mut cells: HashMap<&CellId, BTreeMap<&str, Vec<u64>>> = HashMap::new();
        // What was not answered says how long the phone waits, and nothing about the server's pace.
        for exchange in run.exchanges.iter().filter(|exchange| exchange.http.is_some()) {
            let commands = cells.entry(&exchange.cell).or_default();
            let times = commands.entry(&exchange.command).or_default();
            if times.len() < TIMES_MOST {
                times.push(exchange.took_us);
            }
        }
        Self(cells)
    }

    /// Of this cell, by command.
    pub(super) fn at(&self, cell: &CellId) -> impl Iterator<Item = (&'r str, &[u64])> {
        self.0.get(cell).into_iter().flatten().map(|(command, times)| (*command, times.as_slice()))
    }
}
