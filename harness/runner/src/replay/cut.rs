use std::io::{Read, Seek};

use easrig_exchange::{Exchange, Failure, Outcome, Phase};
use easrig_scenario::Decoded;

use super::stage::{Stage, row_of};
use super::{Came, Entry, ReplayError};

/// So many requests in a row without an answer, and the target is out of reach. What follows would rest on what was not
/// done, so that nothing is sent any more.
const OUTAGE: usize = 3;

/// A request that was answered later than this in the recording, in microseconds, was meant to wait.
const PATIENT: i64 = 10_000_000;

impl<R: Read + Seek> Stage<R> {
    /// Takes note that the target gave no answer where the recording has one.
    pub(super) fn note_silence(&mut self, row: usize, entry: &Entry, exchange: &Exchange) {
        let is_late = matches!(&exchange.outcome, Outcome::Failed(Failure::Timeout { phase: Phase::FirstByte, .. }));
        let said = self.rows.get(row).and_then(|row| row.after.clone()).unwrap_or_default();
        // A server that keeps a request for longer than it did has answered otherwise; one out of reach has not.
        if !is_late {
            self.doubts.insert(row, format!("the target gave no answer: {said}"));
        }
        // A Ping that is not woken says nothing about the server.
        if is_late && entry.done.saturating_sub(entry.started) >= PATIENT {
            return;
        }
        self.unanswered.push(row);
        if self.unanswered.len() < OUTAGE || self.gone.is_some() {
            return;
        }
        let why = format!(
            "the target is out of reach: it answered none of {OUTAGE} requests in a row, the last at exchange {} ({said})",
            entry.number.0
        );
        for row in self.unanswered.drain(..) {
            self.doubts.entry(row).or_insert_with(|| why.clone());
        }
        self.gone = Some(why);
    }

    /// Says of everything that was not done that it was not done.
    pub(super) fn leave_the_rest(&mut self) -> Result<(), ReplayError> {
        self.cut_short = Some("it was interrupted".to_owned());
        let unheard = "the replay was interrupted before the answer came; whether the target acted on it is not known";
        for row in std::mem::take(&mut self.under_way).into_keys() {
            if let Some(row) = self.rows.get_mut(row) {
                (row.came, row.why) = (Came::Inconclusive, Some(unheard.to_owned()));
            }
        }
        for entry in self.recording.entries().to_vec().get(self.begun..).unwrap_or_default() {
            let Some(recorded) = self.recording.get(entry.number)? else { continue };
            let mut row = row_of(entry, &recorded, &Decoded::of(&recorded));
            (row.came, row.why) = (Came::Inconclusive, Some("the replay was interrupted before it".to_owned()));
            self.rows.push(row);
        }
        Ok(())
    }
}
