use std::collections::HashMap;

use easrig_exchange::ExchangeNumber;
use easrig_scenario::{CellId, event::Event};

use crate::ReadError;

/// The most steps, and the most exchanges whose steps are kept; what is beyond belongs to no step.
const MOST: usize = 1_000_000;

/// Which step of its cell each exchange belongs to, as the run file says.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    titles: Vec<Part>,
    of: HashMap<ExchangeNumber, usize>,
}

/// A step, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its number in the scenario, from 1; 0 while the ladder is climbed.
    pub(crate) step: usize,
    /// What happens in it.
    pub(crate) title: String,
}

impl Parts {
    /// Folds the events of a run file.
    ///
    /// # Errors
    /// The first error of `events`.
    pub fn fold(events: impl IntoIterator<Item = Result<Event, ReadError>>) -> Result<Self, ReadError> {
        let mut parts = Self::default();
        let mut at: HashMap<CellId, usize> = HashMap::new();
        for event in events {
            match event? {
                Event::StepStarted { cell, step, title } if parts.titles.len() < MOST => {
                    at.insert(cell, parts.titles.len());
                    parts.titles.push(Part { step, title });
                }
                Event::Exchanged { cell, exchange, .. } if parts.of.len() < MOST => {
                    if let Some(place) = at.get(&cell) {
                        parts.of.insert(exchange, *place);
                    }
                }
                _ => {}
            }
        }
        Ok(parts)
    }

    /// The step that sent an exchange.
    pub(crate) fn of(&self, number: ExchangeNumber) -> Option<&Part> {
        self.of.get(&number).and_then(|place| self.titles.get(*place))
    }
}
