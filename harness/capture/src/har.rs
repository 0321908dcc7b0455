//! HTTP archives: one JSON document, read entry by entry.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufReader, Read};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use easrig_exchange::{Failure, Headers, Outcome, Request, Response, Times, Timestamp, TlsSession};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use url::Url;

use crate::import::{Found, Output};
use crate::text::TextReader;
use crate::{Gap, GapKind, ImportError, Options, Skip};
use tree::Budget;

mod tree;

/// The longest entry that is read, in bytes of JSON.
const MAX_ENTRY: u64 = 128 << 20;

/// Whether a file begins as JSON with a `log` does.
pub(crate) fn is_head(head: &[u8]) -> bool {
    let text: String = String::from_utf8_lossy(head).chars().filter(|c| !matches!(c, '\0' | '\u{FEFF}')).collect();
    let text = text.trim_start_matches(['\u{FFFD}', ' ', '\t', '\r', '\n']);
    text.starts_with('{') && text.contains("\"log\"")
}

/// Reads an archive to its end, or to where it is damaged.
pub(crate) fn import<R: Read>(input: R, options: &Options, out: &mut Output<'_>) -> Result<(), ImportError> {
    let meter = Meter::default();
    let reader = BufReader::new(Metered { input: TextReader::new(input), meter: &meter });
    let mut archive = Archive { options, out, meter: &meter, stopped: None };
    let mut json = serde_json::Deserializer::from_reader(reader);
    let read = Level::Root(&mut archive).deserialize(&mut json).and_then(|()| json.end());
    match (archive.stopped.take(), read) {
        (Some(error), _) => Err(error),
        (None, Ok(())) => Ok(()),
        (None, Err(error)) => {
            out.tally.damaged(meter.read.get(), error.to_string());
            Ok(())
        }
    }
}

/// Where the entries of an archive go.
struct Archive<'i, 'o> {
    options: &'i Options,
    out: &'i mut Output<'o>,
    meter: &'i Meter,
    /// What ended the import from outside the JSON.
    stopped: Option<ImportError>,
}

/// The way down to the entries: `{"log": {"entries": [ … ]}}`; everything beside it is passed over.
enum Level<'l, 'i, 'o> {
    Root(&'l mut Archive<'i, 'o>),
    Log(&'l mut Archive<'i, 'o>),
    Entries(&'l mut Archive<'i, 'o>),
}

impl<'de> DeserializeSeed<'de> for Level<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        match self {
            Self::Entries(_) => json.deserialize_seq(self),
            _ => json.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for Level<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an HTTP archive")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match (&self, key.as_str()) {
                (Self::Root(_), "log") | (Self::Log(_), "entries") => {}
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            }
            match self {
                Self::Root(archive) => {
                    map.next_value_seed(Level::Log(archive))?;
                    return rest(map);
                }
                Self::Log(archive) => {
                    map.next_value_seed(Level::Entries(archive))?;
                    return rest(map);
                }
                Self::Entries(_) => return Err(A::Error::custom("a list was expected")),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self::Entries(archive) = self else { return Err(A::Error::custom("no list was expected")) };
        archive.meter.start_entry();
        loop {
            let budget = Budget::new();
            let Some(value) = list.next_element_seed(&budget)? else { break };
            archive.meter.start_entry();
            if budget.is_spent() {
                archive.out.tally.skip(Skip::TooMuch);
                continue;
            }
            if let Err(error) = archive.entry(value) {
                archive.stopped = Some(error);
                return Err(A::Error::custom("stopped"));
            }
        }
        archive.meter.end_entries();
        Ok(())
    }
}

fn rest<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

impl Archive<'_, '_> {
    fn entry(&mut self, value: Value) -> Result<(), ImportError> {
        let limit = self.options.limits.body_bytes;
        let entry: Option<Entry> = serde_json::from_value(value).ok();
        let Some((found, gaps)) = entry.and_then(|entry| entry.found(limit)) else {
            self.out.tally.skip(Skip::BadEntry);
            return Ok(());
        };
        for what in gaps {
            let (stream, exchange) = ("HTTP archive".to_owned(), Some(self.out.upcoming()));
            self.out.tally.gap(Gap { stream, at: found.started, what, exchange });
        }
        self.out.exchange(found)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    started_date_time: String,
    #[serde(default)]
    time: f64,
    request: HarRequest,
    response: HarResponse,
    #[serde(default)]
    timings: Timings,
    /// What our own export adds.
    #[serde(default, rename = "_easrig")]
    own: Value,
}

/// What our own export says beside what HAR has a place for.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Own {
    cut: Option<String>,
    failure: Option<Failure>,
    times: Option<Times>,
    tls: Option<OwnTls>,
}

#[derive(Deserialize)]
struct OwnTls {
    version: String,
    cipher_suite: String,
    verified: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Timings {
    receive: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HarRequest {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(default)]
    post_data: Option<Content>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HarResponse {
    status: i64,
    #[serde(default)]
    status_text: String,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(default)]
    content: Content,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Content {
    text: Option<String>,
    encoding: Option<String>,
    #[serde(rename = "mimeType")]
    mime_type: String,
    size: i64,
}

impl Entry {
    /// The exchange, and what the archive does not hold of it.
    fn found(self, limit: usize) -> Option<(Found, Vec<GapKind>)> {
        let started: jiff::Timestamp = self.started_date_time.parse().ok()?;
        let url = Url::parse(&self.request.url).ok()?;
        let mut gaps = Vec::new();
        let announced = self.request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
        let announced = announced.and_then(|header| header.value.trim().parse().ok());
        let posted = self.request.post_data.map_or(Some(Vec::new()), |content| content.bytes(announced));
        if posted.as_ref().is_none_or(|body| body.len() > limit) {
            gaps.push(GapKind::RequestCut);
        }
        let mut body = posted.unwrap_or_default();
        body.truncate(limit);
        let request = Request { method: self.request.method, url, headers: headers(self.request.headers, &body), body };
        let micros = |milliseconds: f64| -> u64 { (milliseconds.max(0.0) * 1000.0).round().min(1e15) as u64 };
        let own: Own = serde_json::from_value(self.own).unwrap_or_default();
        let done = micros(self.time);
        let (outcome, first_byte) = match u16::try_from(self.response.status) {
            Ok(status @ 100..=999) => {
                let expected = self.response.content.size;
                let held = self.response.content.bytes(usize::try_from(expected).ok());
                let replaced =
                    held.is_none().then(|| "the archive has other characters in place of its bytes".to_owned());
                let mut body = held.unwrap_or_default();
                let whole = !(body.is_empty() && expected > 0) && body.len() <= limit;
                body.truncate(limit);
                let short = (!whole).then(|| format!("the archive holds {} of {expected} bytes", body.len()));
                let cut = own.cut.or(replaced).or(short);
                if cut.is_some() {
                    gaps.push(GapKind::AnswerCut);
                }
                let headers = headers(self.response.headers, &body);
                let response = Response { status, reason: self.response.status_text, headers, body, cut };
                (Outcome::Answered(response), Some(done.saturating_sub(micros(self.timings.receive))))
            }
            _ => (Outcome::Failed(own.failure.unwrap_or(Failure::Closed)), None),
        };
        let times = own.times.unwrap_or(Times { connected: None, secured: None, first_byte, done });
        let tls = own.tls.map(|tls| {
            let OwnTls { version, cipher_suite, verified } = tls;
            TlsSession { version, cipher_suite, chain: Vec::new(), verified, hello: None }
        });
        Some((Found { started: Timestamp(started.as_microsecond()), request, outcome, times, tls }, gaps))
    }
}

/// The headers as on the wire, without what the archive has undone: pseudo-headers of HTTP/2, and the coding of a body
/// that is no longer coded.
fn headers(list: Vec<Header>, body: &[u8]) -> Headers {
    let is_coded = body.starts_with(&[0x1F, 0x8B]);
    list.into_iter()
        .filter(|header| !header.name.starts_with(':'))
        .filter(|header| is_coded || !header.name.eq_ignore_ascii_case("content-encoding"))
        .map(|header| (header.name, header.value))
        .collect()
}

impl Content {
    /// The body: base64 where it says so; else text, which tools make of binary bodies in two ways: a character a byte, or
    /// read as UTF-8. Where both are possible, `announced` bytes decide. `None` when bytes that are no text were replaced.
    fn bytes(self, announced: Option<usize>) -> Option<Vec<u8>> {
        let Some(text) = self.text else { return Some(Vec::new()) };
        if self.encoding.is_some_and(|name| name.eq_ignore_ascii_case("base64"))
            && let Ok(bytes) = STANDARD.decode(text.trim())
        {
            return Some(bytes);
        }
        if !(self.mime_type.contains("wbxml") || self.mime_type.contains("octet-stream")) {
            return Some(text.into_bytes());
        }
        if text.contains(char::REPLACEMENT_CHARACTER) {
            return None;
        }
        let narrow: Result<Vec<u8>, _> = text.chars().map(|c| u8::try_from(u32::from(c))).collect();
        match narrow {
            Ok(bytes) if announced != Some(text.len()) => Some(bytes),
            _ => Some(text.into_bytes()),
        }
    }
}

/// How far a file was read, and how far it may be read before the next entry.
#[derive(Default)]
struct Meter {
    read: Cell<u64>,
    entry: Cell<Option<u64>>,
}

impl Meter {
    fn start_entry(&self) {
        self.entry.set(Some(self.read.get()));
    }

    fn end_entries(&self) {
        self.entry.set(None);
    }
}

struct Metered<'m, R> {
    input: R,
    meter: &'m Meter,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.meter.read.get();
        if self.meter.entry.get().is_some_and(|start| read.saturating_sub(start) > MAX_ENTRY) {
            return Err(io::Error::other(format!("an entry is longer than {MAX_ENTRY} bytes")));
        }
        let count = self.input.read(buffer)?;
        self.meter.read.set(read.saturating_add(count as u64));
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use easrig_exchange::Exchange;

    use super::*;
    use crate::Tally;

    fn read(text: &str) -> (Vec<Exchange>, Tally) {
        let mut found = Vec::new();
        let mut sink = |exchange| {
            found.push(exchange);
            Ok(())
        };
        let mut out = Output::new(&mut sink, 1);
        import(text.as_bytes(), &Options::default(), &mut out).unwrap();
        let tally = out.tally;
        (found, tally)
    }

    const ENTRY: &str = r#"{"startedDateTime":"2026-01-02T03:04:05.678+01:00","time":12.5,
        "request":{"method":"POST","url":"https://mail.test/Microsoft-Server-ActiveSync?Cmd=Sync",
            "headers":[{"name":":authority","value":"mail.test"},{"name":"User-Agent","value":"x"}],
            "postData":{"mimeType":"application/vnd.ms-sync.wbxml","text":"\u0003\u0001j\u0000\u00ff"}},
        "response":{"status":200,"statusText":"OK","headers":[{"name":"Content-Encoding","value":"gzip"}],
            "content":{"size":3,"text":"AwFq","encoding":"base64"}},
        "timings":{"receive":2.5}}"#;

    #[test]
    fn an_entry_becomes_an_exchange_with_its_bytes() {
        let (found, tally) = read(&format!(r#"{{"log":{{"version":"1.2","entries":[{ENTRY},{{"x":1}}]}},"y":[1]}}"#));
        let [exchange] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(exchange.request.body, [3, 1, b'j', 0, 255]);
        assert_eq!(exchange.request.headers.iter().collect::<Vec<_>>(), [("User-Agent", "x")]);
        let response = exchange.response().unwrap();
        assert_eq!((response.status, response.body.as_slice()), (200, b"\x03\x01j".as_slice()));
        assert_eq!(response.headers.get("content-encoding"), None);
        assert_eq!((exchange.times.first_byte, exchange.times.done), (Some(10_000), 12_500));
        assert_eq!(exchange.started, Timestamp(1_767_319_445_678_000));
        assert_eq!(tally.skipped.get(&Skip::BadEntry), Some(&1));
    }

    #[test]
    fn text_in_place_of_bytes_is_read_by_its_length_and_never_guessed_where_bytes_are_lost() {
        let content = |text: &str, announced| {
            let mime_type = "application/vnd.ms-sync.wbxml".to_owned();
            Content { text: Some(text.to_owned()), mime_type, ..Content::default() }.bytes(announced)
        };
        assert_eq!(content("j\u{e9}", Some(2)), Some(vec![b'j', 0xE9]));
        assert_eq!(content("j\u{e9}", None), Some(vec![b'j', 0xE9]));
        assert_eq!(content("j\u{e9}", Some(3)), Some("j\u{e9}".as_bytes().to_vec()));
        assert_eq!(content("j\u{20ac}", None), Some("j\u{20ac}".as_bytes().to_vec()));
        let (found, tally) = read(&format!(r#"{{"log":{{"entries":[{}]}}}}"#, ENTRY.replace("\\u00ff", "\\ufffd")));
        assert!(found.first().unwrap().request.body.is_empty());
        assert_eq!(tally.gaps.first().map(|gap| gap.what), Some(GapKind::RequestCut));
    }

    #[test]
    fn a_torn_archive_keeps_the_entries_before_the_tear() {
        let (found, tally) = read(&format!(r#"{{"log":{{"entries":[{ENTRY},{ENTRY},{{"started"#));
        assert_eq!(found.len(), 2);
        assert!(tally.damage.is_some_and(|damage| damage.what.contains("EOF")));
    }

    #[test]
    fn what_is_nested_without_end_is_refused_without_harm() {
        let (found, tally) = read(&format!(r#"{{"log":{{"entries":[{}"#, "[".repeat(100_000)));
        assert!(found.is_empty() && tally.damage.is_some());
    }
}
