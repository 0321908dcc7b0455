//! Fiddler's session archives: a zip with three files for each session.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

use easrig_exchange::{Failure, Outcome, Request, Response, Times, Timestamp};
use zip::ZipArchive;

use crate::http::{answer_in, request_in, request_url};
use crate::import::{Found, Output};
use crate::{Gap, GapKind, ImportError, Options, Skip};

/// How many of the longest bodies an archive may inflate to in all.
const MAX_INFLATED: u64 = 128;

/// The longest metadata file that is read.
const MAX_METADATA: usize = 1 << 20;

/// The most bytes that are read to list the files of an archive: some fifty thousand sessions.
const MAX_LIST: u64 = 16 << 20;

/// Room for a head beside a body.
const HEAD: usize = 128 << 10;

/// Reads every session of an archive, in the order of their numbers.
pub(crate) fn import<R: Read + Seek>(input: R, options: &Options, out: &mut Output<'_>) -> Result<(), ImportError> {
    let list = Cell::new(Some(MAX_LIST));
    let zip = ZipArchive::new(Listing { input, left: &list })
        .map_err(|error| ImportError::Unreadable { offset: 0, what: error.to_string() })?;
    list.set(None);
    let sessions = Sessions::of(&zip);
    let limit = options.limits.body_bytes;
    let most = MAX_INFLATED.saturating_mul(limit.saturating_add(HEAD) as u64);
    let mut archive = Archive { zip, limit, inflated: 0 };
    for (number, names) in sessions.0 {
        if archive.inflated > most {
            out.tally.damaged(0, format!("the archive inflates to more than {most} bytes"));
            break;
        }
        match archive.session(&names) {
            Some(found) => {
                let cut = matches!(&found.outcome, Outcome::Answered(Response { cut: Some(_), .. }));
                if cut {
                    let exchange = Some(out.upcoming());
                    let stream = format!("session {number}");
                    out.tally.gap(Gap { stream, at: found.started, what: GapKind::AnswerCut, exchange });
                }
                out.exchange(found)?;
            }
            None => out.tally.skip(Skip::BadEntry),
        }
    }
    Ok(())
}

/// An archive, of which no more than so many bytes are read.
struct Listing<'l, R> {
    input: R,
    left: &'l Cell<Option<u64>>,
}

impl<R: Read> Read for Listing<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        if let Some(left) = self.left.get() {
            let left = left.checked_sub(count as u64);
            self.left.set(Some(
                left.ok_or_else(|| io::Error::other(format!("the list of its files is longer than {MAX_LIST} bytes")))?,
            ));
        }
        Ok(count)
    }
}

impl<R: Seek> Seek for Listing<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.input.seek(to)
    }
}

/// The files of every session, by its number: `raw/12_c.txt`, `raw/12_s.txt`, `raw/12_m.xml`.
#[derive(Default)]
struct Sessions(BTreeMap<u64, Names>);

#[derive(Default)]
struct Names {
    request: Option<usize>,
    answer: Option<usize>,
    metadata: Option<usize>,
}

impl Sessions {
    fn of<R: Read + Seek>(zip: &ZipArchive<R>) -> Self {
        let mut sessions = Self::default();
        for (index, name) in zip.file_names_raw().enumerate() {
            let name = String::from_utf8_lossy(name).to_ascii_lowercase().replace('\\', "/");
            let Some((number, kind)) = name.strip_prefix("raw/").and_then(|name| name.split_once('_')) else {
                continue;
            };
            let Ok(number) = number.parse() else { continue };
            let names = sessions.0.entry(number).or_default();
            match kind {
                "c.txt" => names.request = Some(index),
                "s.txt" => names.answer = Some(index),
                "m.xml" => names.metadata = Some(index),
                _ => {}
            }
        }
        sessions
    }
}

struct Archive<R: Read + Seek> {
    zip: ZipArchive<R>,
    limit: usize,
    inflated: u64,
}

impl<R: Read + Seek> Archive<R> {
    fn session(&mut self, names: &Names) -> Option<Found> {
        let whole = self.limit.saturating_add(HEAD);
        let request = self.file(names.request?, whole)?;
        let (head, body) = request_in(&request, self.limit)?;
        let answer = names.answer.and_then(|index| self.file(index, whole)).unwrap_or_default();
        let metadata = names.metadata.and_then(|index| self.file(index, MAX_METADATA)).unwrap_or_default();
        let timers = Timers(String::from_utf8_lossy(&metadata).into_owned());
        let url = request_url(&head.target, &head.headers, "session.invalid", true)?;
        let started = timers.at("ClientBeginRequest").unwrap_or(Timestamp(0));
        let since = |name| timers.at(name).and_then(|at| u64::try_from(at.0.saturating_sub(started.0)).ok());
        let times = Times {
            connected: None,
            secured: None,
            first_byte: since("ServerBeginResponse"),
            done: since("ServerDoneResponse").unwrap_or(0),
        };
        let outcome = match self.answer(&answer) {
            Some(response) => Outcome::Answered(response),
            None => Outcome::Failed(Failure::Closed),
        };
        let request = Request { method: head.method, url, headers: head.headers, body };
        Some(Found { started, request, outcome, times, tls: None })
    }

    fn answer(&self, bytes: &[u8]) -> Option<Response> {
        let (head, mut body, mut cut) = answer_in(bytes, self.limit)?;
        // Fiddler can store a body without its chunks, under a header that still names them.
        if cut.is_some() && head.lists("transfer-encoding", "chunked") {
            let end = memchr::memmem::find(bytes, b"\r\n\r\n").map_or(bytes.len(), |at| at.saturating_add(4));
            body = bytes.get(end..).unwrap_or_default().to_vec();
            cut =
                (body.len() > self.limit).then(|| format!("longer than the {} bytes that an import keeps", self.limit));
            body.truncate(self.limit);
        }
        Some(Response { status: head.status, reason: head.reason, headers: head.headers, body, cut })
    }

    /// A file of the archive, up to `limit` bytes of it.
    fn file(&mut self, index: usize, limit: usize) -> Option<Vec<u8>> {
        let file = self.zip.by_index(index).ok()?;
        let mut bytes = Vec::new();
        let read = file.take(limit as u64).read_to_end(&mut bytes);
        self.inflated = self.inflated.saturating_add(bytes.len() as u64);
        // What could be inflated before an error is still worth reading.
        (read.is_ok() || !bytes.is_empty()).then_some(bytes)
    }
}

/// The attributes of `<SessionTimers …/>`.
struct Timers(String);

impl Timers {
    fn at(&self, name: &str) -> Option<Timestamp> {
        let (_, rest) = self.0.split_once(&format!(" {name}=\""))?;
        let (value, _) = rest.split_once('"')?;
        let at: jiff::Timestamp = value.parse().ok()?;
        // Fiddler writes the year 1 for what did not happen.
        (at.as_microsecond() > 0).then(|| Timestamp(at.as_microsecond()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use easrig_exchange::Exchange;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;
    use crate::{Tally, import};

    fn read(files: &[(&str, &[u8])]) -> (Vec<Exchange>, Tally) {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        let file = Cursor::new(zip.finish().unwrap().into_inner());
        let mut found = Vec::new();
        let tally = import(file, &Options::default(), &mut |exchange| {
            found.push(exchange);
            Ok(())
        });
        (found, tally.unwrap())
    }

    const REQUEST: &[u8] =
        b"POST https://mail.test/Microsoft-Server-ActiveSync?Cmd=Ping HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi";
    const METADATA: &[u8] = br#"<Session><SessionTimers ClientConnected="0001-01-01T00:00:00"
        ClientBeginRequest="2026-01-02T03:04:05.5+00:00" ServerBeginResponse="2026-01-02T03:04:06+00:00" /></Session>"#;

    #[test]
    fn sessions_come_in_the_order_of_their_numbers() {
        let (found, tally) = read(&[
            ("raw/10_c.txt", b"GET https://mail.test/b HTTP/1.1\r\n\r\n"),
            ("raw/2_c.txt", REQUEST),
            ("raw/2_m.xml", METADATA),
            ("raw/2_s.txt", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
            ("raw/3_c.txt", b"garbage"),
            ("_index.htm", b"<html>"),
        ]);
        let [first, second] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(first.request.url.query(), Some("Cmd=Ping"));
        assert_eq!(
            (first.request.body.as_slice(), first.response().unwrap().body.as_slice()),
            (&b"hi"[..], &b"ok"[..])
        );
        assert_eq!(first.times.first_byte, Some(500_000));
        assert_eq!(second.outcome, Outcome::Failed(Failure::Closed));
        assert_eq!(tally.skipped.get(&Skip::BadEntry), Some(&1));
    }

    #[test]
    fn a_body_without_the_chunks_its_header_names_is_taken_as_it_is() {
        let answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\x03\x01j\x00not chunks";
        let (found, tally) = read(&[("raw/1_c.txt", REQUEST), ("raw/1_s.txt", answer)]);
        assert_eq!(found.first().unwrap().response().unwrap().body, b"\x03\x01j\x00not chunks");
        assert!(tally.is_complete());
    }

    #[test]
    fn a_compression_bomb_is_cut_and_says_so() {
        let head = b"HTTP/1.1 200 OK\r\n\r\n".as_slice();
        let bomb = [head, &vec![0; 64 << 20]].concat();
        let (found, _) = read(&[("raw/1_c.txt", REQUEST), ("raw/1_s.txt", &bomb)]);
        let response = found.first().unwrap().response().unwrap().clone();
        assert_eq!(response.body.len(), Options::default().limits.body_bytes);
        assert!(response.cut.is_some());
    }
}
