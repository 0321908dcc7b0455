use std::collections::{BTreeMap, BTreeSet};

use easrig_exchange::{Exchange, ExchangeNumber};
use easrig_scenario::StepKind;

use super::cells::Cells;
use crate::library::Library;

/// Which exchanges of a run a phone sent by itself, and which a scenario made it send.
///
/// No phone would send the latter of its own, so that neither its owner saw what came of them nor is their form its fault.
pub(crate) struct Steps<'c> {
    cells: &'c Cells,
    /// The numbers of the steps that send what the file says, by scenario; `None` for scenarios that are not known.
    sends: BTreeMap<&'c str, Option<BTreeSet<usize>>>,
}

impl<'c> Steps<'c> {
    pub(crate) fn of(cells: &'c Cells, library: &Library) -> Self {
        let mut sends = BTreeMap::new();
        for cell in cells.ids() {
            sends.entry(cell.scenario.as_str()).or_insert_with(|| {
                let steps = library.scenario(&cell.scenario).ok()?.steps.into_iter().enumerate();
                let sends = steps.filter(|(_, step)| matches!(step.kind, StepKind::Send(_)));
                Some(sends.map(|(index, _)| index + 1).collect())
            });
        }
        Self { cells, sends }
    }

    /// Whether the step that sent an exchange fixes it.
    pub(crate) fn is_explicit(&self, number: ExchangeNumber) -> bool {
        let step = self.cells.step(number);
        self.sends_of(number).is_some_and(|sends| step.is_some_and(|step| sends.contains(&step)))
    }

    /// Whether anything in its cell is fixed, or may be.
    pub(crate) fn is_scripted(&self, number: ExchangeNumber) -> bool {
        self.sends_of(number).is_none_or(|sends| !sends.is_empty())
    }

    /// What tells the phone of an exchange apart from those that bear its name in other cells.
    pub(crate) fn life(&self, exchange: &Exchange) -> String {
        let cell = self.cells.of(exchange.number);
        cell.map(|cell| format!("{cell} {}", exchange.sender.role)).unwrap_or_default()
    }

    fn sends_of(&self, number: ExchangeNumber) -> Option<&BTreeSet<usize>> {
        self.sends.get(self.cells.of(number)?.scenario.as_str())?.as_ref()
    }
}
