use easrig_exchange::{Exchange, ExchangeNumber};
use easrig_persona::{Condition, Sight};
use easrig_runner::{confidence, device_error};
use easrig_scenario::{Cell, CellId, CellOutcome, Decoded, Verdict};
use easrig_wbxml::tags;

/// The cell about what the owner of a device saw.
pub(super) const OWNER: &str = "recording/owner-sees-no-error";

/// What the owner of one device saw, as far as it was not over at the end.
#[derive(Debug, Default)]
pub(super) struct Owner {
    looked: bool,
    /// The last error.
    last: Option<Sight>,
    count: u64,
    /// The device was served again after it.
    served: Option<ExchangeNumber>,
    exchanges: Vec<ExchangeNumber>,
    version: Option<easrig_eas::Version>,
}

/// The most exchanges that a cell lists.
const MOST_EXCHANGES: usize = 1000;

impl Owner {
    pub(super) fn look(&mut self, exchange: &Exchange, sight: Option<Sight>) {
        let decoded = Decoded::of(exchange);
        self.version = decoded.version.or(self.version);
        self.looked |= decoded.http.is_some();
        match sight {
            Some(sight) => self.end(sight),
            None if is_served(&decoded) && !self.is_held(&decoded) => {
                self.served.get_or_insert(exchange.number);
            }
            None => {}
        }
    }

    /// Whether what was served says nothing: a device in quarantine may ask as it likes, and gets no more mail.
    fn is_held(&self, decoded: &Decoded) -> bool {
        let quarantined = self.last.as_ref().is_some_and(|sight| sight.condition == Condition::Quarantined);
        let brings = || decoded.answer.root()?.descendants().find(|element| element.tag() == tags::air_sync::ADD);
        quarantined && brings().is_none()
    }

    /// Something that is clear only later.
    pub(super) fn end(&mut self, sight: Sight) {
        self.count += 1;
        if self.exchanges.len() < MOST_EXCHANGES {
            self.exchanges.push(sight.exchange);
        }
        (self.last, self.served) = (Some(sight), None);
    }

    /// `None` when nothing was answered.
    pub(super) fn cell(&self, device: &str) -> Option<Cell> {
        if !self.looked {
            return None;
        }
        let id = CellId { scenario: OWNER.to_owned(), persona: device.to_owned(), version: self.version };
        let mut cell = Cell {
            id,
            verdict: Verdict::Pass,
            reason: String::new(),
            blocked_by: None,
            device_error: None,
            findings: Vec::new(),
            notes: Vec::new(),
            exchanges: self.exchanges.clone(),
        };
        let Some(sight) = &self.last else { return Some(cell) };
        let at = format!("exchange {}", sight.exchange.0);
        let seen = sight.error.as_ref().map_or_else(|| sight.condition.to_string(), ToString::to_string);
        let mut outcome = CellOutcome { sent: true, ..CellOutcome::default() };
        match (&sight.error, &sight.doubt, self.served) {
            (_, _, Some(served)) => {
                let times = if self.count > 1 { format!("{} times, last ", self.count) } else { String::new() };
                outcome.degraded =
                    Some(format!("the owner saw {times}“{seen}” ({at}); from exchange {} it worked again", served.0));
            }
            (Some(error), None, None) => {
                outcome.device_error = Some(device_error(error));
                outcome.confidence = Some(confidence(sight.confidence));
            }
            (_, doubt, None) => {
                let why = doubt.as_deref().unwrap_or("what its owner saw is not known");
                outcome.inconclusive = Some(format!("{seen} ({at}); {why}"));
            }
        }
        let conclusion = outcome.conclude();
        (cell.verdict, cell.reason, cell.notes) = (conclusion.verdict, conclusion.reason, conclusion.notes);
        cell.device_error = sight.error.as_ref().map(device_error);
        Some(cell)
    }
}

/// Whether a command was served: then the device is let in.
fn is_served(decoded: &Decoded) -> bool {
    let refused = |status: u16| (101..=199).contains(&status);
    let lets_in = decoded.command().is_some_and(|command| command != easrig_eas::Command::Provision);
    lets_in && decoded.http == Some(200) && !decoded.status.is_some_and(|(_, status)| refused(status.0))
}
