//! The log that Exchange keeps in a mailbox for a device: requests and answers as text, bodies as XML.
//!
//! An entry is a list of named parts (`RequestTime : `, `RequestHeader : `, `RequestBody : ` …), each with its value behind
//! the name or on the lines after it. Unless the server logs verbosely, the contents of elements are left out and only
//! counted, as in `<Subject xmlns="Email:" bytes="19"/>`; here they become filler of that length.

use std::collections::BTreeMap;
use std::io::{BufReader, Read};

use easrig_exchange::{Failure, Headers, Outcome, Request, Response, Times};
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
    /// Whether lines were left out since there are too many.
    cut: bool,
}

impl Entry {
    fn line(&mut self, line: &str, limit: usize) {
        let is_rule = line.len() >= 5 && line.bytes().all(|byte| byte == b'-');
        self.cut |= self.bytes > limit.saturating_mul(2);
        if is_rule || self.cut {
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
        self.say(out);
        if self.cut {
            let (stream, exchange) = (format!("log entry {number}"), Some(out.upcoming()));
            out.tally.gap(Gap { stream, at: started, what: GapKind::AnswerCut, exchange });
        }
        let body = self.body("RequestBody", limit, out);
        let request = Request { method: head.method, url, headers: measured(head.headers, &body), body };
        let done = log_time(self.part("ResponseTime")).map_or(0, |end| end.0.saturating_sub(started.0));
        let times = Times { done: u64::try_from(done).unwrap_or(0), ..Times::default() };
        let outcome = match Head::answer(self.part("ResponseHeader").as_bytes()) {
            Some(head) => {
                let body = self.body("ResponseBody", limit, out);
                let Head { status, reason, headers, .. } = head;
                Outcome::Answered(Response { status, reason, headers: measured(headers, &body), body, cut: None })
            }
            None => {
                let (stream, exchange) = (format!("log entry {number}"), Some(out.upcoming()));
                out.tally.gap(Gap { stream, at: started, what: GapKind::Answer, exchange });
                Outcome::Failed(Failure::Closed)
            }
        };
        out.exchange(Found { started, request, outcome, times, tls: None })
    }

    /// What Exchange says of the request besides headers and bodies: whether the phone is let in, and what went wrong inside.
    fn say(&self, out: &mut Output<'_>) {
        let word = |name: &str| Some(self.part(name)).filter(|text| !text.is_empty()).map(first_line);
        if let Some(state) = word("AccessState") {
            let reason = word("AccessStateReason").map(|reason| format!(" ({reason})")).unwrap_or_default();
            out.tally.says(format!("access state {state}{reason}"));
        }
        for text in self.parts.iter().filter(|(name, _)| name.ends_with("Exception")).map(|(_, text)| text.as_str()) {
            out.tally.says(format!("exception {}", exception(text)));
        }
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

/// A body made from XML is as long as we write it, not as long as it was on the wire; the header follows, so that whoever
/// reads or sends the exchange does not wait for bytes that nobody has.
fn measured(mut headers: Headers, body: &[u8]) -> Headers {
    headers.rewrite(|name, _| name.eq_ignore_ascii_case("content-length").then(|| body.len().to_string()));
    headers
}

/// The protocol's word for an exception, its type, or how its text begins.
fn exception(text: &str) -> &str {
    let field = |name: &str| text.lines().find_map(|line| line.trim().strip_prefix(name)).map(str::trim);
    let kind = || field("Exception type:").map(|kind| kind.rsplit('.').next().unwrap_or(kind));
    let named = field("ProtocolError:").filter(|error| !error.is_empty()).or_else(kind);
    first_line(named.unwrap_or_else(|| text.trim()))
}

/// Short enough for a line of a list.
fn first_line(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default().trim();
    line.char_indices().nth(80).and_then(|(at, _)| line.get(..at)).unwrap_or(line)
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
    fn what_the_server_says_of_a_phone_is_counted_and_lengths_are_those_of_the_new_bodies() {
        let thrown = "Command_WorkerThread_Exception : \n--- Exception start ---\nException type: A.B.AirSyncException\n\
            Exception message: Exception of type 'x : y' was thrown.\nProtocolError: DeviceNotProvisioned\n\
            --- Exception end ---\nResponseHeader : \n";
        let log = LOG.replacen("X-MS-PolicyKey:", "Content-Length: 999\nX-MS-PolicyKey:", 1);
        let (found, tally) = read(log.replacen("ResponseHeader : \n", thrown, 1).as_bytes());
        let said: Vec<_> = tally.said.iter().map(|(what, count)| (what.as_str(), *count)).collect();
        assert_eq!(said, [("access state Allowed (Global)", 1), ("exception DeviceNotProvisioned", 1)]);
        let request = &found.first().unwrap().request;
        assert_eq!(request.headers.get("content-length"), Some(request.body.len().to_string().as_str()));
        assert_eq!(exception("Exception type: A.B.AirSyncException\n"), "AirSyncException");
        assert_eq!(exception("boom\nat x"), "boom");
    }

    #[test]
    fn a_body_that_is_no_document_stays_as_text_and_is_counted() {
        let (found, tally) = read(LOG.replace("<Ping xmlns=\"Ping:\">", "<Pong xmlns=\"Ping:\">").as_bytes());
        assert!(found.get(1).unwrap().request.body.starts_with(b"<?xml"));
        assert_eq!(tally.skipped.get(&Skip::BadBody), Some(&1));
    }
}
