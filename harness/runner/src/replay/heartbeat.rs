use std::collections::HashMap;
use std::io::{Read, Seek};
use std::time::Duration;

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

/// A wait that is shorter than the recorded one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heartbeat {
    /// How long the recorded device wanted to wait.
    meant: Span,
    /// How long it waits now.
    sent: Span,
    /// Whether the request says so; otherwise the target remembers it.
    is_told: bool,
    /// When it was sent first, in microseconds since 1970, if it is sent again and again.
    since: Option<i64>,
    /// How long it is held back: a server that answers at once is not asked again at once.
    pub(super) pause: Duration,
}

impl Heartbeat {
    /// What the request has to say.
    pub(super) fn told(&self) -> Option<Span> {
        self.is_told.then_some(self.sent)
    }
}

/// What became of the last Ping and Sync that said how long they wait: those that do not say it wait as long.
#[derive(Debug, Default)]
pub(super) struct Memory {
    ping: Option<Heartbeat>,
    sync: Option<Heartbeat>,
}

impl Memory {
    fn of(&mut self, command: Command) -> &mut Option<Heartbeat> {
        if command == Command::Ping { &mut self.ping } else { &mut self.sync }
    }
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
    /// The wait that a request gets in place of its own: the shortest that the target takes, where the recording has waited in
    /// vain.
    pub(super) fn heartbeat(&mut self, entry: &Entry, recorded: &Exchange) -> Option<Heartbeat> {
        if self.orders.mode != Mode::Rebound || self.orders.pace != Pace::Fast {
            return None;
        }
        let wait = entry.wait?;
        let is_repeated = self.is_repeated_and_woken(entry);
        let key = self.key(entry, recorded);
        self.device(&key);
        let Self { devices, shortest, .. } = self;
        let memory = devices.get_mut(&key).expect("made above").waits.of(wait.command);
        if wait.repeats {
            return memory.map(|heartbeat| Heartbeat { is_told: false, ..heartbeat });
        }
        *memory = wait.asked.filter(|_| wait.is_quiet && !is_repeated).and_then(|meant| {
            let sent = shortest.shorten(meant);
            let is_worth_it = sent != meant && has_waited(entry, sent);
            is_worth_it.then_some(Heartbeat { meant, sent, is_told: true, since: None, pause: Duration::ZERO })
        });
        *memory
    }

    /// Whether a Sync without a body, which waits as long as this one, brings something: it cannot be sent again.
    fn is_repeated_and_woken(&self, entry: &Entry) -> bool {
        let later = self.recording.entries().get(self.begun..).unwrap_or_default().iter();
        let own = later.filter(|other| other.sender == entry.sender && other.device == entry.device);
        let waits = own.filter_map(|other| other.wait).filter(|wait| wait.command == Command::Sync);
        entry.wait.is_some_and(|wait| wait.command == Command::Sync)
            && waits.take_while(|wait| wait.repeats).any(|wait| !wait.is_quiet)
    }

    /// What is sent again: a longer wait where the target finds this one too short, and a Ping to which nothing came in its
    /// short time, but something did in its recorded one.
    pub(super) fn again(
        &mut self,
        entry: &Entry,
        recorded: &Exchange,
        tried: Heartbeat,
        (exchange, answer): (&Exchange, &Decoded),
    ) -> Option<Heartbeat> {
        let command = answer.command()?;
        let refusal = if command == Command::Ping { PING_OUT_OF_BOUNDS } else { SYNC_OUT_OF_BOUNDS };
        if tried.is_told && tried.sent != tried.meant && answer.status.is_some_and(|(_, status)| status == refusal) {
            let key = self.key(entry, recorded);
            return self.longer(&key, command, tried, answer);
        }
        let is_missed =
            command == Command::Ping && entry.wait.is_some_and(|wait| !wait.is_quiet) && is_quiet(command, answer);
        let since = tried.since.unwrap_or(exchange.started.0);
        let passed = exchange.started.0.saturating_sub(since).saturating_add_unsigned(exchange.times.done);
        let recorded_wait = entry.done.saturating_sub(entry.started);
        let limit = recorded_wait.saturating_add(i64::try_from(self.orders.wait.as_micros()).unwrap_or(i64::MAX));
        let meant = i64::try_from(tried.meant.seconds().saturating_mul(1_000_000)).unwrap_or(i64::MAX);
        let is_answered = recorded.response().is_some() && !entry.is_given_up;
        let took = Duration::from_micros(exchange.times.done);
        let pause = Duration::from_secs(tried.sent.seconds()).saturating_sub(took);
        (is_missed && is_answered && passed < limit.min(meant)).then_some(Heartbeat {
            since: Some(since),
            pause,
            ..tried
        })
    }

    fn longer(&mut self, key: &str, command: Command, tried: Heartbeat, answer: &Decoded) -> Option<Heartbeat> {
        let bound = if command == Command::Ping { tags::ping::HEARTBEAT_INTERVAL } else { tags::air_sync::LIMIT };
        let bound = answer.answer.root().and_then(|root| root.child_text(bound)?.trim().parse().ok());
        self.shortest.learn(tried.sent, bound);
        let next = Heartbeat { sent: self.shortest.shorten(tried.meant), ..tried };
        *self.devices.get_mut(key)?.waits.of(command) = Some(next).filter(|next| next.sent != next.meant);
        Some(next)
    }
}

/// Whether the recorded device has waited longer than that.
fn has_waited(entry: &Entry, short: Span) -> bool {
    let took = u64::try_from(entry.done.saturating_sub(entry.started)).unwrap_or(0);
    took / 1_000_000 > short.seconds()
}
