//! Answers inside the time that the phone asked for.

use std::time::Duration;

use easrig_eas::Command;
use easrig_wbxml::tags::{air_sync, ping};

use crate::{Level, decoded::Decoded};

use super::{Context, Invariant, Slip};

pub(super) const INVARIANT: Invariant = Invariant {
    name: "answer-in-time",
    requirement: None,
    level: Level::Should,
    title: "A waiting request is answered when its time is over, not later and not for no reason",
    why: "A phone that waits longer than it asked for takes the connection for dead; one that is answered at once burns its battery.",
    fix: "Look at the time limits of the proxy or load balancer: they have to be longer than the phone's heartbeat.",
    concerns: |context| asked(context).is_some(),
    check,
};

fn check(context: &Context<'_>) -> Vec<Slip> {
    let Some(asked) = asked(context) else { return Vec::new() };
    let took = Duration::from_micros(context.exchange.times.done);
    let words = || format!("the answer after {:.0} s", took.as_secs_f64());
    if took > asked + GRACE {
        return vec![Slip::new(format!("an answer within the {} s that were asked for", asked.as_secs()), words())];
    }
    let nothing_new = context.decoded.status.is_some_and(|(_, status)| status.0 == 1);
    if context.command() == Some(Command::Ping) && nothing_new && took < asked / 2 {
        let expected = format!("\"nothing new\" only after the {} s that were asked for", asked.as_secs());
        return vec![Slip::new(expected, words()).at_level(Level::Robust)];
    }
    Vec::new()
}

fn asked(context: &Context<'_>) -> Option<Duration> {
    let seconds = match context.command()? {
        Command::Ping => ping_heartbeat(context.decoded).or(context.history.ping_heartbeat)?,
        Command::Sync => sync_wait(context.decoded)?,
        _ => return None,
    };
    Some(Duration::from_secs(u64::from(seconds)))
}

/// The heartbeat that a Ping request names, in seconds.
pub(super) fn ping_heartbeat(decoded: &Decoded) -> Option<u32> {
    number(&decoded.request.root()?.child_text(ping::HEARTBEAT_INTERVAL)?)
}

/// How long a Sync request lets the server wait, in seconds: Wait counts minutes.
fn sync_wait(decoded: &Decoded) -> Option<u32> {
    let root = decoded.request.root()?;
    let seconds = root.child_text(air_sync::HEARTBEAT_INTERVAL).and_then(|text| number(&text));
    let minutes = root.child_text(air_sync::WAIT).and_then(|text| number(&text));
    seconds.or(minutes.and_then(|minutes| minutes.checked_mul(60)))
}

fn number(text: &str) -> Option<u32> {
    text.trim().parse().ok()
}

/// What network, proxy and a busy server may add.
const GRACE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use crate::Decoded;

    use super::super::{
        History,
        tests::{PING_DONE, broken, broken_after, exchange, sync_answer},
    };
    use super::*;

    const REQUEST: &str = r#"<Ping xmlns="Ping"><HeartbeatInterval>300</HeartbeatInterval></Ping>"#;

    fn ping(request: &str, answer: &str, seconds: u64) -> easrig_exchange::Exchange {
        let mut exchange = exchange("Ping", "14.1", request, answer);
        exchange.times.done = seconds * 1_000_000;
        exchange
    }

    #[test]
    fn a_ping_ends_when_its_time_is_over() {
        assert!(broken(&INVARIANT, &ping(REQUEST, PING_DONE, 301)).is_empty());
        assert!(broken(&INVARIANT, &ping(REQUEST, PING_DONE, 280)).is_empty());
        assert_eq!(broken(&INVARIANT, &ping(REQUEST, PING_DONE, 400))[0].level, Level::Should);
        assert_eq!(broken(&INVARIANT, &ping(REQUEST, PING_DONE, 2))[0].level, Level::Robust);
    }

    #[test]
    fn a_change_ends_it_at_once() {
        let changed = r#"<Ping xmlns="Ping"><Status>2</Status><Folders><Folder>5</Folder></Folders></Ping>"#;
        assert!(broken(&INVARIANT, &ping(REQUEST, changed, 2)).is_empty());
    }

    #[test]
    fn an_empty_ping_means_the_heartbeat_before() {
        let first = ping(REQUEST, PING_DONE, 300);
        let mut history = History::default();
        assert!(broken_after(&history, &INVARIANT, &ping("", PING_DONE, 2)).is_empty());
        history.learn(&first, &Decoded::of(&first));
        assert_eq!(broken_after(&history, &INVARIANT, &ping("", PING_DONE, 2)).len(), 1);
    }

    #[test]
    fn a_hanging_sync_counts_its_wait_in_minutes_and_its_heartbeat_in_seconds() {
        let request = r#"<Sync xmlns="AirSync"><Collections></Collections><Wait>1</Wait></Sync>"#;
        let mut late = exchange("Sync", "14.1", request, &sync_answer("<Status>1</Status>"));
        late.times.done = 130_000_000;
        assert_eq!(broken(&INVARIANT, &late).len(), 1);
        late.times.done = 110_000_000;
        assert!(broken(&INVARIANT, &late).is_empty());
        let request = request.replace("<Wait>1</Wait>", "<HeartbeatInterval>120</HeartbeatInterval>");
        let mut late = exchange("Sync", "14.1", &request, &sync_answer("<Status>1</Status>"));
        late.times.done = 170_000_000;
        assert!(broken(&INVARIANT, &late).is_empty());
        late.times.done = 190_000_000;
        assert_eq!(broken(&INVARIANT, &late).len(), 1);
    }
}
