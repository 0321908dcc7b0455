//! The log that Exchange keeps in a mailbox for a device: requests and answers as text, bodies as XML.
//!
//! An entry is a list of named parts (`RequestTime : `, `RequestHeader : `, `RequestBody : ` …), each with its value behind
//! the name or on the lines after it. Unless the server logs verbosely, the contents of elements are left out and only
//! counted, as in `<Subject xmlns="Email:" bytes="19"/>`; here they become filler of that length.

use std::collections::BTreeMap;
use std::io::{BufReader, Read};

use easrig_exchange::{Failure, Outcome, Request, Response, Times};
use easrig_wbxml::Document;

use crate::http::head::Head;
use crate::http::request_url;
use crate::import::{Found, Output};
use crate::text::{TextReader, next_line};
use crate::{Gap, GapKind, ImportError, Options, Skip};
pub(crate) use time::log_time;

mod markup;
mod time;

/// Whether a file begins as such a log does.
pub(crate) fn is_head(head: &[u8]) -> bool {
    let text: String = String::from_utf8_lossy(head).chars().filter(|c| *c != '\0').collect();
    text.contains("Log Entry:") || (text.contains("RequestTime :") && text.contains("RequestHeader :"))
}

/// Reads every entry of a log.
pub(crate) fn import<R: Read>(input: R, options: &Options, out: &mut Output<'_>) -> Result<(), ImportError> {
    let mut lines = BufReader::new(TextReader::new(input));
    let mut entry = Entry::default();
    let mut number = 0_u64;
    let limit = options.limits.body_bytes;
    while let Some(line) = next_line(&mut lines)? {
        if line.trim_start().starts_with("Log Entry:") {
            std::mem::take(&mut entry).hand_on(number, limit, out)?;
            number = number.saturating_add(1);
        } else {
            // Without the line between entries, the next one begins with its time.
            if line.starts_with("RequestTime :") && entry.parts.contains_key("RequestTime") {
                std::mem::take(&mut entry).hand_on(number, limit, out)?;
            }
            entry.line(&line, limit);
        }
    }
    entry.hand_on(number, limit, out)
}

/// One entry, part by part.
#[derive(Default)]
struct Entry {
    parts: BTreeMap<String, String>,
    current: Option<String>,
    bytes: usize,
}

impl Entry {
    fn line(&mut self, line: &str, limit: usize) {
        let is_rule = line.len() >= 5 && line.bytes().all(|byte| byte == b'-');
        if is_rule || self.bytes > limit.saturating_mul(2) {
            return;
        }
        self.bytes = self.bytes.saturating_add(line.len());
        if let Some((name, value)) = part_name(line) {
            self.current = Some(name.to_owned());
            self.parts.insert(name.to_owned(), value.to_owned());
        } else if let Some(text) = self.current.as_ref().and_then(|name| self.parts.get_mut(name)) {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            text.push_str(line);
        }
    }

    fn part(&self, name: &str) -> &str {
        self.parts.get(name).map(|text| text.trim()).unwrap_or_default()
    }

    fn hand_on(self, number: u64, limit: usize, out: &mut Output<'_>) -> Result<(), ImportError> {
        if self.parts.is_empty() {
            return Ok(());
        }
        let started = log_time(self.part("RequestTime"));
        let server = match self.part("ServerName") {
            name if !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)) =>
            {
                name
            }
            _ => "mailbox-log.invalid",
        };
        let found = Head::request(self.part("RequestHeader").as_bytes())
            .and_then(|head| Some((request_url(&head.target, &head.headers, server, true)?, head)));
        let (Some((url, head)), Some(started)) = (found, started) else {
            out.tally.skip(Skip::BadEntry);
            return Ok(());
        };
        let body = self.body("RequestBody", limit, out);
        let request = Request { method: head.method, url, headers: head.headers, body };
        let done = log_time(self.part("ResponseTime")).map_or(0, |end| end.0.saturating_sub(started.0));
        let times = Times { done: u64::try_from(done).unwrap_or(0), ..Times::default() };
        let outcome = match Head::answer(self.part("ResponseHeader").as_bytes()) {
            Some(head) => {
                let body = self.body("ResponseBody", limit, out);
                let Head { status, reason, headers, .. } = head;
                Outcome::Answered(Response { status, reason, headers, body, cut: None })
            }
            None => {
                let (stream, exchange) = (format!("log entry {number}"), Some(out.upcoming()));
                out.tally.gap(Gap { stream, at: started, what: GapKind::Answer, exchange });
                Outcome::Failed(Failure::Closed)
            }
        };
        out.exchange(Found { started, request, outcome, times, tls: None })
    }

    /// The bytes that the XML of a part stands for.
    fn body(&self, name: &str, limit: usize, out: &mut Output<'_>) -> Vec<u8> {
        let text = self.part(name);
        // `[No XmlResponse]` and the like.
        if text.is_empty() || text.starts_with('[') {
            return Vec::new();
        }
        let document = markup::restored(text, limit).and_then(|xml| Document::from_xml(&xml).ok());
        match document {
            Some(document) => document.encode(),
            None => {
                out.tally.skip(Skip::BadBody);
                text.as_bytes().to_vec()
            }
        }
    }
}

/// A line that begins a part: one word, a space, a colon.
fn part_name(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(" :")?;
    let is_name = !name.is_empty() && name.len() <= 80 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_name.then(|| (name, value.trim()))
}

#[cfg(test)]
mod tests {
    use easrig_exchange::Exchange;

    use super::*;
    use crate::Tally;

    const LOG: &str = include_str!("../tests/data/mailbox-log.txt");

    fn read(bytes: &[u8]) -> (Vec<Exchange>, Tally) {
        let mut found = Vec::new();
        let file = std::io::Cursor::new(bytes);
        let tally = crate::import(file, &Options::default(), &mut |exchange| {
            found.push(exchange);
            Ok(())
        });
        (found, tally.unwrap())
    }

    #[test]
    fn entries_become_exchanges_with_wbxml_again() {
        let (found, tally) = read(LOG.as_bytes());
        let [sync, ping, options] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(sync.request.url.host_str(), Some("mail01"));
        assert_eq!(sync.request.headers.get("user-agent"), Some("MSFT-WP/8.0.10211"));
        let xml = Document::decode(&sync.response().unwrap().body).unwrap().to_xml();
        assert!(xml.contains(r#"<Subject xmlns="Email">xxxxxxxxxxxxxxxxxxx</Subject>"#), "{xml}");
        assert_eq!(sync.times.done, 1_000_000);
        assert_eq!(ping.outcome, Outcome::Failed(Failure::Closed));
        assert_eq!((options.request.method.as_str(), options.response().unwrap().status), ("OPTIONS", 200));
        assert_eq!((tally.exchanges, tally.gap_count, tally.skipped.len()), (3, 1, 0), "{tally}");
    }

    #[test]
    fn a_log_in_utf_16_reads_the_same() {
        let wide: Vec<u8> = [0xFEFF].into_iter().chain(LOG.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(&wide).0, read(LOG.as_bytes()).0);
    }

    #[test]
    fn a_body_that_is_no_document_stays_as_text_and_is_counted() {
        let (found, tally) = read(LOG.replace("<Ping xmlns=\"Ping:\">", "<Pong xmlns=\"Ping:\">").as_bytes());
        assert!(found.get(1).unwrap().request.body.starts_with(b"<?xml"));
        assert_eq!(tally.skipped.get(&Skip::BadBody), Some(&1));
    }
}
