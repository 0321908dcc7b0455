//! How long a device waits for an answer, and what it does when the server is busy.

use std::{collections::BTreeMap, time::Duration};

use easrig_eas::{Command, headers};
use easrig_exchange::{ExchangeNumber, Failure, Origin, Outcome, Phase};

use super::{
    Seen,
    facts::{Facts, Row},
};
use crate::{Confidence, answer::Answer};

/// The waits of a device for answers.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// The seconds after which it gave up, by key: how often, and where first.
    given_up: BTreeMap<&'static str, BTreeMap<u64, (u64, ExchangeNumber)>>,
    /// The longest wait that was answered, by key, in microseconds.
    answered: BTreeMap<&'static str, (u64, ExchangeNumber)>,
    busy: Option<Busy>,
}

/// A command that found the server busy.
#[derive(Debug)]
struct Busy {
    command: Command,
    retries: u32,
    at: ExchangeNumber,
    done: i64,
    /// The server said when to come back.
    is_asked: bool,
}

/// Less is no timeout: somebody changed their mind.
const SHORTEST: u64 = 3;

/// The longest timeout of a persona file, in seconds.
const LONGEST: u64 = 7200;

/// The most different timeouts of one key that are told apart.
const MOST_TIMES: usize = 64;

impl Waiting {
    /// An exchange for `key` whose answer may take `held` seconds by the device's own wish.
    pub(super) fn look(&mut self, key: &'static str, held: u32, seen: &Seen<'_>) {
        let times = seen.exchange.times;
        match &seen.exchange.outcome {
            Outcome::Answered(_) => {
                let longest = self.answered.entry(key).or_insert((0, seen.at));
                if times.done > longest.0 {
                    *longest = (times.done, seen.at);
                }
            }
            Outcome::Failed(failure) => {
                let Some((key, seconds)) = gave_up(key, failure, seen) else { return };
                let seconds = seconds.saturating_sub(u64::from(held));
                let known = self.given_up.entry(key).or_default();
                if known.len() < MOST_TIMES && (1..=LONGEST).contains(&seconds) {
                    known.entry(seconds).or_insert((0, seen.at)).0 += 1;
                }
            }
        }
    }

    /// A command, as far as the server may be busy.
    pub(super) fn command(&mut self, seen: &Seen<'_>, command: Command, facts: &mut Facts) {
        let busy = self.busy.take_if(|busy| busy.done <= seen.started());
        let mut retries = 0;
        if let Some(busy) = busy {
            if busy.command == command {
                retries = busy.retries.saturating_add(1);
                let paused = u64::try_from(seen.started().saturating_sub(busy.done)).unwrap_or_default();
                let seconds = nearest_second(paused);
                if !busy.is_asked && (1..=LONGEST).contains(&seconds) {
                    facts.note("timeouts.busy_wait", whole(seconds), seen.at, Confidence::Med);
                }
            } else {
                facts.note("timeouts.busy_retries", i64::from(busy.retries), busy.at, Confidence::Med);
            }
        }
        let Some(answer) = &seen.answer else { return };
        if answer.is_busy() {
            let is_asked = answer.headers.get(headers::RETRY_AFTER).is_some();
            self.busy = Some(Busy { command, retries, at: seen.at, done: seen.done(), is_asked });
        } else if retries > 0 && is_served(answer) {
            // It was let in and had no need to try more often.
            facts.note("timeouts.busy_retries", i64::from(retries), seen.at, Confidence::Low);
        }
    }

    /// What follows from everything that was seen.
    pub(super) fn row(&self, key: &str) -> Option<Row> {
        let times = self.given_up.get(key)?;
        let (seconds, (count, at)) = times.iter().rev().max_by_key(|(_, (count, _))| *count)?;
        let confidence = if *count > 1 { Confidence::Med } else { Confidence::Low };
        let how_often = if *count > 1 { format!(", {count} times") } else { String::new() };
        let evidence = format!("exchange {}{how_often}: given up unanswered", at.0);
        Some(Row { value: whole(*seconds).into(), evidence, confidence })
    }

    /// Why a key has no row.
    pub(super) fn aside(&self, key: &str) -> Option<String> {
        let (longest, at) = self.answered.get(key)?;
        let seconds = Duration::from_micros(*longest).as_secs_f64();
        Some(format!("nothing was given up; the longest wait, {seconds:.1} s, was answered (exchange {})", at.0))
    }
}

/// How long the device waited before it gave up, in seconds, and what for.
fn gave_up(key: &'static str, failure: &Failure, seen: &Seen<'_>) -> Option<(&'static str, u64)> {
    let live = seen.exchange.origin == Origin::Live;
    match failure {
        // easrig counts a device's patience itself; in a capture this is where the capture ends.
        Failure::Timeout { phase: Phase::Connect | Phase::Handshake, seconds } if live => {
            Some(("timeouts.connect", *seconds))
        }
        Failure::Timeout { seconds, .. } if live => Some((key, *seconds)),
        // The device closed the connection; what easrig cancels, its scenario wanted so.
        Failure::Cancelled if !live => {
            let seconds = nearest_second(seen.exchange.times.done);
            (seconds >= SHORTEST).then_some((key, seconds))
        }
        _ => None,
    }
}

fn is_served(answer: &Answer) -> bool {
    answer.http == 200 && answer.trouble().is_none()
}

fn nearest_second(microseconds: u64) -> u64 {
    microseconds.saturating_add(500_000) / 1_000_000
}

/// Seconds as a file has them.
fn whole(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}
