use std::collections::BTreeSet;

use easrig_eas::query::{CommandName, QueryLine};
use easrig_exchange::{Exchange, ExchangeNumber};
use easrig_scenario::model::Verb;

use super::cells::Cells;
use crate::{args::SelectArgs, run};

/// Which exchanges are shown: those that every selector agrees on.
pub(crate) struct Selection {
    device: Option<String>,
    verbs: Vec<Verb>,
    numbers: Option<BTreeSet<ExchangeNumber>>,
}

impl Selection {
    /// # Errors
    /// When a command is none.
    pub(crate) fn of(args: &SelectArgs, cells: Option<&Cells>) -> miette::Result<Self> {
        let asked: BTreeSet<_> = args.exchange.iter().map(|number| ExchangeNumber(number.get())).collect();
        let numbers = match cells.and_then(Cells::chosen) {
            Some(chosen) if asked.is_empty() => Some(chosen.clone()),
            Some(chosen) => Some(chosen.intersection(&asked).copied().collect()),
            None => (!asked.is_empty()).then_some(asked),
        };
        let verbs = args.command.iter().map(|name| verb(name)).collect::<miette::Result<_>>()?;
        Ok(Self { device: args.device.clone(), verbs, numbers })
    }

    /// The only numbers that can be taken, in order; `None` when it is not about numbers.
    pub(crate) fn numbers(&self) -> Option<Vec<ExchangeNumber>> {
        self.numbers.as_ref().map(|numbers| numbers.iter().copied().collect())
    }

    pub(crate) fn takes(&self, exchange: &Exchange) -> bool {
        if self.numbers.as_ref().is_some_and(|numbers| !numbers.contains(&exchange.number)) {
            return false;
        }
        if self.device.is_none() && self.verbs.is_empty() {
            return true;
        }
        let line = QueryLine::parse(exchange.request.query()).ok();
        let device =
            |id: &String| line.as_ref().is_some_and(|line| line.device_id.to_string().eq_ignore_ascii_case(id.trim()));
        let verb = || {
            if exchange.request.method.eq_ignore_ascii_case("OPTIONS") {
                return Some(Verb::Options);
            }
            match line.as_ref().map(|line| &line.command) {
                Some(CommandName::Known(command)) => Some(Verb::Command(*command)),
                _ => None,
            }
        };
        self.device.as_ref().is_none_or(device)
            && (self.verbs.is_empty() || verb().is_some_and(|verb| self.verbs.contains(&verb)))
    }
}

fn verb(name: &str) -> miette::Result<Verb> {
    if name.trim().eq_ignore_ascii_case("OPTIONS") {
        return Ok(Verb::Options);
    }
    run::command(name).map(Verb::Command)
}
