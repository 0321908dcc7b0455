//! How a device waits for changes: by what, how long, and how it finds out how long it may.

use easrig_eas::{
    Command,
    command::{ping, sync},
};
use easrig_exchange::ExchangeNumber;

use super::{
    Seen,
    facts::{Facts, Row},
};
use crate::Confidence;

/// The waits of a device, one after another.
#[derive(Debug, Default)]
pub(super) struct Waits {
    last: Option<Wait>,
    /// Whether it ever waited longer than before.
    grows: bool,
    /// The longest wait that ended quietly and was not followed by a longer one.
    ceiling: Option<(u32, ExchangeNumber)>,
    /// The shortest wait that followed a longer one.
    floor: Option<(u32, ExchangeNumber)>,
    /// The server named another heartbeat, and so many commands later the device has not waited again.
    refused: Option<(ExchangeNumber, u8)>,
}

/// A wait and how it ended.
#[derive(Debug)]
struct Wait {
    seconds: u32,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The time was over and nothing had changed.
    Quiet,
    /// The server wants another heartbeat, perhaps this one.
    Limit(Option<u32>),
    /// In any other way.
    Other,
}

/// The commands after which a device that does not wait again has given up waiting.
const PATIENCE: u8 = 5;

impl Waits {
    /// The account is set up anew: the device begins with its first heartbeat.
    pub(super) fn begin_anew(&mut self) {
        self.last = None;
    }

    /// Anything else the device does.
    pub(super) fn pass(&mut self) {
        if let Some((_, passed)) = &mut self.refused {
            *passed = passed.saturating_add(1);
        }
    }

    /// A Ping; the seconds it waits at most.
    pub(super) fn ping(&mut self, seen: &Seen<'_>, facts: &mut Facts) -> Option<u32> {
        facts.seen("push.mode", "ping", seen.at);
        let asked = seen.request.as_ref().and_then(|it| ping::Request::from_document(it, seen.version()).ok());
        // Without a heartbeat the last one holds.
        let named = asked.and_then(|asked| asked.heartbeat_interval);
        let seconds = named.or(self.last.as_ref().map(|last| last.seconds))?;
        let said = seen.answer.as_ref().and_then(|answer| answer.document.as_ref());
        let said = said.and_then(|said| ping::Response::from_document(said, seen.version()).ok());
        let end = match said.map(|said| (said.status.0, said.heartbeat_interval)) {
            Some((1, _)) => End::Quiet,
            Some((5, named)) => End::Limit(named),
            _ => End::Other,
        };
        self.wait(Wait { seconds, end }, seen.at, facts);
        Some(seconds)
    }

    /// A Sync that the server holds back; the seconds it waits at most.
    pub(super) fn sync(&mut self, seen: &Seen<'_>, asked: &sync::Request, facts: &mut Facts) -> Option<u32> {
        let seconds = asked.heartbeat_interval.or(asked.wait.map(|minutes| minutes.saturating_mul(60)))?;
        facts.seen("push.mode", "hanging-sync", seen.at);
        let end = match seen.answer.as_ref().filter(|answer| answer.http == 200) {
            Some(answer) if answer.body.is_empty() => End::Quiet,
            Some(answer) => {
                let said = answer.document.as_ref();
                let said = said.and_then(|said| sync::Response::from_document(said, seen.version()).ok());
                let limit = |said: &sync::Response| said.status.is_some_and(|status| status.0 == 14);
                said.filter(limit).map_or(End::Other, |said| End::Limit(said.limit))
            }
            None => End::Other,
        };
        self.wait(Wait { seconds, end }, seen.at, facts);
        Some(seconds)
    }

    fn wait(&mut self, wait: Wait, at: ExchangeNumber, facts: &mut Facts) {
        self.refused = matches!(wait.end, End::Limit(_)).then_some((at, 0));
        let seconds = wait.seconds;
        let Some(last) = self.last.replace(wait) else {
            facts.seen("push.start", i64::from(seconds), at);
            return;
        };
        match last.end {
            End::Limit(Some(named)) if named == seconds => {
                facts.seen("push.on_limit", "take-server-value", at);
                return;
            }
            End::Quiet if seconds > last.seconds => {
                self.grows = true;
                facts.note("push.step", i64::from(seconds - last.seconds), at, Confidence::Med);
            }
            End::Quiet if seconds == last.seconds && self.ceiling.is_none_or(|(known, _)| known < seconds) => {
                self.ceiling = Some((seconds, at));
            }
            _ => {}
        }
        if seconds < last.seconds && self.floor.is_none_or(|(known, _)| seconds < known) {
            self.floor = Some((seconds, at));
        }
    }

    /// What follows from everything that was seen.
    pub(super) fn row(&self, key: &str) -> Option<Row> {
        let (number, at, words, confidence) = match key {
            "push.step" => {
                let (_, at) = self.ceiling.filter(|_| !self.grows)?;
                (0, at, "the same again after a quiet end", Confidence::Med)
            }
            "push.max" => {
                let (seconds, at) = self.ceiling.filter(|_| self.grows)?;
                (seconds, at, "no longer after a quiet end", Confidence::Med)
            }
            "push.min" => {
                let (seconds, at) = self.floor?;
                (seconds, at, "the shortest after a longer one", Confidence::Low)
            }
            "push.on_limit" => {
                let (at, _) = self.refused.filter(|(_, passed)| *passed >= PATIENCE)?;
                let evidence = format!("exchange {}: it did not wait again", at.0);
                return Some(Row { value: "give-up".into(), evidence, confidence: Confidence::Low });
            }
            _ => return None,
        };
        let evidence = format!("exchange {}: {words}", at.0);
        Some(Row { value: i64::from(number).into(), evidence, confidence })
    }
}

/// Whether this is a command that the server may hold back.
pub(super) fn may_wait(command: Command, sync: Option<&sync::Request>) -> bool {
    command == Command::Ping || sync.is_some_and(super::sync::waits)
}
