//! Web server logs: W3C (IIS) with its list of fields, and the combined form of Apache and nginx.

use std::collections::HashMap;
use std::io::BufRead;

use easrig_exchange::Timestamp;

use super::{Census, CensusError, Sighting};
use crate::text::next_line;

/// Reads lines to the end; the first one was read already.
pub(super) fn read(first: Option<String>, mut lines: impl BufRead, census: &mut Census) -> Result<(), CensusError> {
    let mut fields = HashMap::new();
    let mut next = first;
    let mut known = 0_u64;
    while let Some(line) = next {
        if let Some(list) = line.strip_prefix("#Fields:") {
            fields =
                list.split_ascii_whitespace().enumerate().map(|(at, name)| (name.to_ascii_lowercase(), at)).collect();
            known = known.saturating_add(1);
        } else if !line.starts_with('#') && !line.trim().is_empty() {
            census.lines = census.lines.saturating_add(1);
            let read = if fields.is_empty() { combined(&line, census) } else { w3c(&line, &fields, census) };
            match read {
                Some(()) => known = known.saturating_add(1),
                None => census.unreadable = census.unreadable.saturating_add(1),
            }
        }
        next = next_line(&mut lines)?;
    }
    if known == 0 { Err(CensusError::Unknown) } else { Ok(()) }
}

/// One line of a W3C log: words in the order of `#Fields:`, `+` for spaces, `-` for nothing.
fn w3c(line: &str, fields: &HashMap<String, usize>, census: &mut Census) -> Option<()> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let word = |name: &str| fields.get(name).and_then(|at| words.get(*at)).copied().filter(|word| *word != "-");
    let agent = word("cs(user-agent)").map(|agent| agent.replace('+', " "));
    let at = word("date").zip(word("time")).and_then(|(date, time)| format!("{date}T{time}Z").parse().ok());
    let query = word("cs-uri-query").unwrap_or_default();
    let seen = Sighting {
        path: word("cs-uri-stem")?,
        query,
        method: word("cs-method").unwrap_or_default(),
        agent: agent.as_deref(),
        user: word("cs-username"),
        version: None,
        http: word("sc-status").and_then(|status| status.parse().ok()),
        status: None,
        at: at.map(|at: jiff::Timestamp| Timestamp(at.as_microsecond())),
    };
    census.sighting(&seen);
    Some(())
}

/// `address - user [time] "METHOD target HTTP/1.1" status bytes "referer" "agent"`
fn combined(line: &str, census: &mut Census) -> Option<()> {
    let (front, rest) = line.split_once(" \"")?;
    let (request, rest) = rest.split_once("\" ")?;
    let (before, time) = front.split_once('[')?;
    let mut words = request.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let status = rest.split(' ').next()?.parse().ok()?;
    let agent = rest.rsplit('"').nth(1);
    let at = jiff::fmt::strtime::parse("%d/%b/%Y:%H:%M:%S %z", time.trim_end_matches(']'));
    let at = at.and_then(|broken| broken.to_timestamp()).ok();
    let seen = Sighting {
        path,
        query,
        method,
        agent,
        user: before.split_ascii_whitespace().nth(2),
        version: None,
        http: Some(status),
        status: None,
        at: at.map(|at| Timestamp(at.as_microsecond())),
    };
    census.sighting(&seen);
    Some(())
}
