use std::collections::HashMap;
use std::io::{Read, Seek};

use easrig_eas::{Command, Status};
use easrig_exchange::Exchange;
use easrig_scenario::{Content, Decoded};
use easrig_wbxml::{Element, Tag, tags};

use super::stage::Stage;
use super::{Entry, Mode, Pace};

/// The first wait that is tried; a target that wants a longer one says so.
const FIRST: u32 = 1;

/// A Ping whose interval is out of bounds.
const PING_OUT_OF_BOUNDS: Status = Status(5);

/// A Sync whose wait is out of bounds.
const SYNC_OUT_OF_BOUNDS: Status = Status(14);

/// How long a request asks the server to wait: the element that says it, and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) tag: Tag,
    pub(super) value: u32,
}

impl Span {
    fn seconds(self) -> u64 {
        u64::from(self.value).saturating_mul(if self.tag == tags::air_sync::WAIT { 60 } else { 1 })
    }
}

/// A recorded Ping or Sync, which the server may have kept until something changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    command: Command,
    /// How long, when it says so itself.
    asked: Option<Span>,
    /// Whether it waits as long as the one before.
    repeats: bool,
    /// Whether nothing changed.
    is_quiet: bool,
}

impl Wait {
    pub(super) fn of(decoded: &Decoded) -> Option<Self> {
        let command = decoded.command()?;
        let root = decoded.request.root();
        let span = |tag: Tag| Some(Span { tag, value: root?.child_text(tag)?.trim().parse().ok()? });
        let (asked, repeats) = match command {
            Command::Ping => {
                let asked = span(tags::ping::HEARTBEAT_INTERVAL);
                (asked, asked.is_none())
            }
            Command::Sync => {
                let asked = span(tags::air_sync::WAIT).or_else(|| span(tags::air_sync::HEARTBEAT_INTERVAL));
                let is_partial = root.is_none_or(|root| root.child(tags::air_sync::PARTIAL).is_some());
                (asked, asked.is_none() && is_partial)
            }
            _ => return None,
        };
        Some(Self { command, asked, repeats, is_quiet: is_quiet(command, decoded) })
    }
}

/// Whether the answer says that nothing has changed.
fn is_quiet(command: Command, decoded: &Decoded) -> bool {
    if decoded.http != Some(200) || decoded.status.is_some_and(|(_, status)| status != Status(1)) {
        return false;
    }
    let is_news =
        |e: Element<'_>| matches!(e.tag().name(), Some("Commands" | "Responses" | "MoreAvailable" | "Folder"));
    match &decoded.answer {
        Content::Empty => command == Command::Sync,
        Content::Document(document) => !document.root().descendants().any(is_news),
        _ => false,
    }
}

/// A wait that is not the recorded one, or was not the last time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heartbeat {
    /// How long the recorded device wanted to wait.
    meant: Span,
    /// How long it waits now.
    sent: Span,
    /// Whether the request has to say so.
    is_told: bool,
}

impl Heartbeat {
    /// What the request has to say.
    pub(super) fn told(&self) -> Option<Span> {
        self.is_told.then_some(self.sent)
    }
}

/// The waits that a device and the target remember.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The last interval of a Ping in the recording.
    ping_meant: Option<Span>,
    /// The last interval of a Ping that the target was told.
    ping_sent: Option<Span>,
    /// What became of the last Sync that said how long it waits.
    sync: Option<Heartbeat>,
}

/// The shortest waits that the target takes, as far as it has said.
#[derive(Debug, Default)]
pub(super) struct Shortest(HashMap<Tag, u32>);

impl Shortest {
    fn of(&self, tag: Tag) -> u32 {
        self.0.get(&tag).copied().unwrap_or(FIRST)
    }

    /// Learns from a refusal. A target that refuses its own bound, or names none, is not asked again.
    fn learn(&mut self, refused: Span, bound: Option<u32>) {
        let is_news = !self.0.contains_key(&refused.tag);
        let bound = bound.filter(|bound| is_news && *bound > refused.value);
        self.0.insert(refused.tag, bound.unwrap_or(u32::MAX));
    }

    /// How long a wait takes in which nothing happens.
    fn shorten(&self, meant: Span) -> Span {
        Span { value: meant.value.min(self.of(meant.tag)), ..meant }
    }
}

impl<R: Read + Seek> Stage<R> {
    /// The wait that a request gets in place of its own: where the recording has waited in vain, the shortest that the target
    /// takes; where something happened, the recorded one, even if the target was told another meanwhile.
    pub(super) fn heartbeat(&mut self, entry: &Entry, recorded: &Exchange) -> Option<Heartbeat> {
        if self.orders.mode != Mode::Rebound || self.orders.pace != Pace::Fast {
            return None;
        }
        let wait = entry.wait?;
        let is_woken_later = self.is_woken_later(entry);
        let key = self.key(entry, recorded);
        self.device(&key);
        let Self { devices, shortest, .. } = self;
        let memory = &mut devices.get_mut(&key).expect("made above").waits;
        if wait.command == Command::Sync {
            if !wait.repeats {
                memory.sync = wait.asked.filter(|_| wait.is_quiet && !is_woken_later).and_then(|meant| {
                    let sent = shortest.shorten(meant);
                    (sent != meant && has_waited(entry, sent)).then_some(Heartbeat { meant, sent, is_told: true })
                });
                return memory.sync;
            }
            return memory.sync.map(|heartbeat| Heartbeat { is_told: false, ..heartbeat });
        }
        let meant = wait.asked.or(memory.ping_meant)?;
        memory.ping_meant = Some(meant);
        let known = wait.asked.or(memory.ping_sent)?;
        let short = shortest.shorten(meant);
        let sent = if wait.is_quiet && has_waited(entry, short) { short } else { meant };
        memory.ping_sent = Some(sent);
        (sent != meant || sent != known).then_some(Heartbeat { meant, sent, is_told: sent != known })
    }

    /// Whether a Sync without a body, which waits as long as this one, brings something.
    fn is_woken_later(&self, entry: &Entry) -> bool {
        let later = self.recording.entries().get(self.begun..).unwrap_or_default().iter();
        let own = later.filter(|other| other.sender == entry.sender && other.device == entry.device);
        let waits = own.filter_map(|other| other.wait).filter(|wait| wait.command == Command::Sync);
        waits.take_while(|wait| wait.repeats).any(|wait| !wait.is_quiet)
    }

    /// The next wait to try where the target finds this one too short.
    pub(super) fn longer(&mut self, key: &str, tried: Heartbeat, answer: &Decoded) -> Option<Heartbeat> {
        let (refusal, bound) = match answer.command() {
            Some(Command::Ping) => (PING_OUT_OF_BOUNDS, tags::ping::HEARTBEAT_INTERVAL),
            _ => (SYNC_OUT_OF_BOUNDS, tags::air_sync::LIMIT),
        };
        let is_refused = answer.status.is_some_and(|(_, status)| status == refusal);
        if !is_refused || tried.sent.value >= tried.meant.value {
            return None;
        }
        let bound = answer.answer.root().and_then(|root| root.child_text(bound)?.trim().parse().ok());
        self.shortest.learn(tried.sent, bound);
        let next = Heartbeat { sent: self.shortest.shorten(tried.meant), is_told: true, ..tried };
        let memory = &mut self.devices.get_mut(key)?.waits;
        match answer.command() {
            Some(Command::Ping) => memory.ping_sent = Some(next.sent),
            _ => memory.sync = Some(next).filter(|next| next.sent != next.meant),
        }
        Some(next)
    }
}

/// Whether the recorded device has waited longer than that.
fn has_waited(entry: &Entry, short: Span) -> bool {
    let took = u64::try_from(entry.done.saturating_sub(entry.started)).unwrap_or(0);
    took / 1_000_000 > short.seconds()
}
