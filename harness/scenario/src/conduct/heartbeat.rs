//! A device keeps to the limits that the server has named for waiting (Ping Status 5 and 6, Sync Status 14).

use easrig_eas::{
    Command, Version,
    command::{ping, sync},
};

use super::{Conduct, Remark, Seen, Watch};
use crate::{Bound, Level, Limit};

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
        self.learn(seen);
    }

    fn sync(&mut self, seen: &Seen<'_>, out: &mut Vec<Remark>) {
        let read = |document| sync::Request::from_document(document, Version::V14_1).ok();
        let Some(asked) = seen.decoded.request.document().and_then(read) else { return };
        let minutes = |minutes: u32| minutes.saturating_mul(60);
        let Some(wait) = asked.heartbeat_interval.or(asked.wait.map(minutes)) else { return };
        out.extend(self.sync.judge(wait));
        self.learn(seen);
    }

    fn learn(&mut self, seen: &Seen<'_>) {
        let Some(limit) = Limit::of(seen.decoded).filter(|_| seen.whole) else { return };
        let known = match limit.of {
            Bound::ShortestPing => &mut self.ping.shortest,
            Bound::LongestPing => &mut self.ping.longest,
            Bound::PingFolders => &mut self.folders,
            Bound::ShortestSync => &mut self.sync.shortest,
            Bound::LongestSync => &mut self.sync.longest,
        };
        *known = Some(limit.value);
    }
}

impl Range {
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
