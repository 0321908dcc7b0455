//! Web server logs: W3C (IIS) with its list of fields, the combined form of Apache and nginx, and the HTTP form of HAProxy.

use std::collections::HashMap;
use std::io::BufRead;

use easrig_exchange::Timestamp;

use super::{Census, CensusError, Sighting};
use crate::text::next_line;

/// Fields of a line that are looked at; IIS knows some thirty.
const MAX_FIELDS: usize = 256;

/// Reads lines to the end; the first one was read already.
pub(super) fn read(first: Option<String>, mut lines: impl BufRead, census: &mut Census) -> Result<(), CensusError> {
    let mut fields = HashMap::new();
    let mut next = first;
    let mut known = 0_u64;
    while let Some(line) = next {
        if let Some(list) = line.strip_prefix("#Fields:") {
            let names = list.split_ascii_whitespace().take(MAX_FIELDS);
            fields = names.enumerate().map(|(at, name)| (name.to_ascii_lowercase(), at)).collect();
            known = known.saturating_add(1);
        } else if !line.starts_with('#') && !line.trim().is_empty() {
            census.lines = census.lines.saturating_add(1);
            let seen = match fields.is_empty() {
                true => combined(&line).or_else(|| haproxy(&line)),
                false => w3c(&line, &fields),
            };
            match seen.map(|seen| census.sighting(&seen)) {
                Some(()) => known = known.saturating_add(1),
                None => census.unreadable = census.unreadable.saturating_add(1),
            }
        }
        next = next_line(&mut lines)?;
    }
    if known == 0 { Err(CensusError::Unknown) } else { Ok(()) }
}

/// One line of a W3C log: words in the order of `#Fields:`, `+` for spaces, `-` for nothing.
fn w3c<'l>(line: &'l str, fields: &HashMap<String, usize>) -> Option<Sighting<'l>> {
    let words: Vec<&str> = line.split_ascii_whitespace().take(MAX_FIELDS).collect();
    let word = |name: &str| fields.get(name).and_then(|at| words.get(*at)).copied().filter(|word| *word != "-");
    let agent = word("cs(user-agent)").map(|agent| agent.replace('+', " ").into());
    let at = word("date").zip(word("time")).and_then(|(date, time)| format!("{date}T{time}Z").parse().ok());
    let query = word("cs-uri-query").unwrap_or_default();
    Some(Sighting {
        path: word("cs-uri-stem")?,
        query,
        method: word("cs-method").unwrap_or_default(),
        agent,
        user: word("cs-username"),
        version: None,
        http: word("sc-status").and_then(|status| status.parse().ok()),
        status: None,
        at: at.map(|at: jiff::Timestamp| Timestamp(at.as_microsecond())),
    })
}

/// `address - user [time] "METHOD target HTTP/1.1" status bytes "referer" "agent"`
fn combined(line: &str) -> Option<Sighting<'_>> {
    let (front, rest) = line.split_once(" \"")?;
    let (request, rest) = rest.split_once("\" ")?;
    let (before, time) = front.split_once('[')?;
    Some(Sighting {
        agent: rest.rsplit('"').nth(1).map(Into::into),
        user: before.split_ascii_whitespace().nth(2),
        http: Some(rest.split(' ').next()?.parse().ok()?),
        at: clock(time.trim_end_matches(']'), "%d/%b/%Y:%H:%M:%S %z"),
        ..asked(request)?
    })
}

/// `… haproxy[1]: address [time] frontend backend/server 0/0/1/2/3 status bytes … "METHOD target HTTP/1.1"`; the time has no
/// zone and is taken as UTC.
fn haproxy(line: &str) -> Option<Sighting<'_>> {
    let (front, request) = line.strip_suffix('"')?.rsplit_once(" \"")?;
    let (time, rest) = front.split_once(" [")?.1.split_once("] ")?;
    let mut words = rest.split_ascii_whitespace().skip(2);
    let timers = words.next()?;
    let is_timer = |timer: &str| timer.trim_start_matches(['-', '+']).bytes().all(|byte| byte.is_ascii_digit());
    if timers.split('/').count() != 5 || !timers.split('/').all(is_timer) {
        return None;
    }
    // -1: the backend never answered.
    let http = words.next()?.parse().ok();
    Some(Sighting { http, at: clock(&format!("{time} +0000"), "%d/%b/%Y:%H:%M:%S%.f %z"), ..asked(request)? })
}

/// `METHOD target HTTP/1.1`, or how far it goes.
fn asked(request: &str) -> Option<Sighting<'_>> {
    let mut words = request.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some(Sighting { path, query, method, ..Sighting::default() })
}

fn clock(time: &str, form: &str) -> Option<Timestamp> {
    let read = jiff::fmt::strtime::parse(form, time).and_then(|broken| broken.to_timestamp());
    read.ok().map(|at| Timestamp(at.as_microsecond()))
}
