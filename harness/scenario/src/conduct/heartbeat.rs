//! A device keeps to the limits that the server has named for waiting (Ping Status 5 and 6, Sync Status 14).

use easrig_eas::{
    Command, Version,
    command::{ping, sync},
};

use super::{Conduct, Remark, Seen, Watch};
use crate::Level;

pub(super) const CONDUCT: Conduct = Conduct {
    name: "heartbeat",
    title: "A device keeps to the shortest and longest wait, and the most folders, that the server has named",
    why: "Every wait is refused at once: the phone gets no push mail and burns its battery.",
    watch: || Box::new(Limits::default()),
};

/// What the server has named, in seconds.
#[derive(Debug, Default)]
struct Limits {
    ping: Range,
    sync: Range,
    folders: Option<u32>,
}

#[derive(Debug, Default)]
struct Range {
    shortest: Option<u32>,
    longest: Option<u32>,
}

impl Watch for Limits {
    fn look(&mut self, seen: &Seen<'_>, out: &mut Vec<Remark>) {
        match seen.decoded.command() {
            Some(Command::Ping) => self.ping(seen, out),
            Some(Command::Sync) => self.sync(seen, out),
            _ => {}
        }
    }
}

impl Limits {
    fn ping(&mut self, seen: &Seen<'_>, out: &mut Vec<Remark>) {
        let read = |document| ping::Request::from_document(document, Version::V14_1).ok();
        let Some(asked) = seen.decoded.request.document().and_then(read) else { return };
        out.extend(asked.heartbeat_interval.and_then(|seconds| self.ping.judge(seconds)));
        let count = u32::try_from(asked.folders.len()).unwrap_or(u32::MAX);
        if let Some(most) = self.folders.filter(|most| count > *most) {
            let expected = format!("at most {most} folders, as the server said");
            out.push(Remark::broken(Level::Should, expected, format!("a Ping of {count} folders")));
        }
        let read = |document| ping::Response::from_document(document, Version::V14_1).ok();
        let Some(said) = seen.decoded.answer.document().filter(|_| seen.whole).and_then(read) else { return };
        match (said.status.0, asked.heartbeat_interval, said.heartbeat_interval) {
            (5, Some(asked), Some(named)) => self.ping.learn(asked, named),
            (6, ..) => self.folders = said.max_folders,
            _ => {}
        }
    }

    fn sync(&mut self, seen: &Seen<'_>, out: &mut Vec<Remark>) {
        let read = |document| sync::Request::from_document(document, Version::V14_1).ok();
        let Some(asked) = seen.decoded.request.document().and_then(read) else { return };
        let in_minutes = asked.heartbeat_interval.is_none();
        let minutes = |minutes: u32| minutes.saturating_mul(60);
        let Some(wait) = asked.heartbeat_interval.or(asked.wait.map(minutes)) else { return };
        out.extend(self.sync.judge(wait));
        let read = |document| sync::Response::from_document(document, Version::V14_1).ok();
        let Some(said) = seen.decoded.answer.document().filter(|_| seen.whole).and_then(read) else { return };
        if let (Some(14), Some(limit)) = (said.status.map(|status| status.0), said.limit) {
            self.sync.learn(wait, if in_minutes { minutes(limit) } else { limit });
        }
    }
}

impl Range {
    fn learn(&mut self, asked: u32, named: u32) {
        if asked < named {
            self.shortest = Some(named);
        } else {
            self.longest = Some(named);
        }
    }

    /// Nothing as long as the server has named no limit.
    fn judge(&self, seconds: u32) -> Option<Remark> {
        if let Some(longest) = self.longest.filter(|longest| seconds > *longest) {
            let expected = format!("a wait of at most {longest} s, as the server said");
            return Some(Remark::broken(Level::Should, expected, format!("{seconds} s")));
        }
        if let Some(shortest) = self.shortest.filter(|shortest| seconds < *shortest) {
            let expected = format!("a wait of at least {shortest} s, as the server said");
            return Some(Remark::broken(Level::Should, expected, format!("{seconds} s")));
        }
        (self.longest.is_some() || self.shortest.is_some()).then_some(Remark::Kept)
    }
}
