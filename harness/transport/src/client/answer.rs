use std::io;
use std::time::Duration;

use easrig_exchange::{Failure, Headers, Phase, Request, Response};
use tokio::io::{AsyncRead, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use super::connection::Connection;
use super::{Attempt, ClientLimits, Clock, Patience, seconds};
use crate::wire::{self, BodyEnd, Framing, Incoming};

/// An answer, and whether its connection can carry another.
pub(super) struct Done {
    pub(super) response: Response,
    pub(super) reusable: bool,
}

/// Writes the request and reads its answer at the same time: a server may answer, and close, before it has read all.
pub(super) async fn exchange(
    connection: &mut Connection,
    request: &Request,
    patience: &Patience,
    limits: ClientLimits,
    clock: &Clock,
    attempt: &mut Attempt,
) -> Result<Done, Failure> {
    let (reader, mut writer) = tokio::io::split(&mut connection.stream);
    let bytes = request_head(request);
    let write = async {
        writer.write_all(&bytes).await?;
        writer.write_all(&request.body).await?;
        writer.flush().await
    };
    let mut answer = Answer::new(reader, request, patience, limits, clock);
    let read = answer.read(attempt);
    tokio::pin!(write, read);
    tokio::select! {
        biased;
        // Nothing more may be sent on a connection whose request is half written.
        done = &mut read => done.map(|done| Done { reusable: false, ..done }),
        written = &mut write => match written {
            Ok(()) => read.await,
            Err(_) => read.await.map(|done| Done { reusable: false, ..done }),
        },
    }
}

/// Request line and headers as they go on the wire.
fn request_head(request: &Request) -> Vec<u8> {
    let mut head = format!("{} {}", one_line(&request.method), request.url.path());
    if let Some(query) = request.url.query() {
        head.push('?');
        head.push_str(query);
    }
    head.push_str(" HTTP/1.1\r\n");
    for (name, value) in request.headers.iter() {
        head.push_str(&one_line(name));
        head.push_str(": ");
        head.push_str(&one_line(value));
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// A line break inside a header would smuggle in another header.
fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}

struct Answer<'a, R> {
    incoming: Incoming<R>,
    head_request: bool,
    wants_close: bool,
    limits: ClientLimits,
    patience: &'a Patience,
    clock: &'a Clock,
    deadline: Instant,
}

/// A status line with its headers.
struct Head {
    status: u16,
    reason: String,
    headers: Headers,
    http_1_0: bool,
}

impl<'a, R: AsyncRead + Unpin> Answer<'a, R> {
    fn new(reader: R, request: &Request, patience: &'a Patience, limits: ClientLimits, clock: &'a Clock) -> Self {
        Self {
            incoming: Incoming::new(reader),
            head_request: request.method.eq_ignore_ascii_case("HEAD"),
            wants_close: wire::has_token(&request.headers, "Connection", "close"),
            limits,
            patience,
            clock,
            deadline: far(patience.first_byte),
        }
    }

    async fn read(&mut self, attempt: &mut Attempt) -> Result<Done, Failure> {
        let head = loop {
            let head = self.head(attempt).await?;
            if (100..200).contains(&head.status) && head.status != 101 {
                // An interim answer: the patience for the real one still runs from the start.
                attempt.times.first_byte = None;
                continue;
            }
            break head;
        };
        let framing = self.framing(&head)?;
        let mut body = Vec::new();
        let end = {
            let read = self.incoming.body(&framing, self.limits.body_bytes, self.limits.header_bytes, &mut body);
            timeout_at(self.deadline, read).await
        };
        let cut = match end {
            Ok(BodyEnd::Complete) => None,
            Ok(BodyEnd::Cut(why)) => Some(why),
            Err(_) => Some(format!("the body had no end within {} s", seconds(self.patience.body))),
        };
        let kept_open = if head.http_1_0 {
            wire::has_token(&head.headers, "Connection", "keep-alive")
        } else {
            !wire::has_token(&head.headers, "Connection", "close")
        };
        let reusable = kept_open
            && !self.wants_close
            && cut.is_none()
            && head.status != 101
            && framing != Framing::UntilClose
            && self.incoming.is_empty();
        let response = Response { status: head.status, reason: head.reason, headers: head.headers, body, cut };
        Ok(Done { response, reusable })
    }

    async fn head(&mut self, attempt: &mut Attempt) -> Result<Head, Failure> {
        let mut searched = 0;
        loop {
            let mut end = None;
            if !self.incoming.is_empty() {
                if attempt.times.first_byte.is_none() {
                    attempt.times.first_byte = Some(self.clock.micros());
                    self.deadline = far(self.patience.body);
                }
                self.looks_like_http()?;
                end = wire::head_end(self.incoming.buffered(), searched);
                // The blank line may straddle two reads.
                searched = self.incoming.buffered().len().saturating_sub(3);
            }
            if end.unwrap_or(self.incoming.buffered().len()) > self.limits.header_bytes {
                return Err(not_http(format!("the headers are longer than {} bytes", self.limits.header_bytes)));
            }
            if let Some(end) = end {
                let head = parse_head(self.incoming.buffered().get(..end).unwrap_or_default())?;
                self.incoming.consume(end);
                return Ok(head);
            }
            self.more(attempt.times.first_byte.is_some()).await?;
        }
    }

    /// Reads once, with the patience of the phase; the end of the stream is an error here.
    async fn more(&mut self, begun: bool) -> Result<(), Failure> {
        match timeout_at(self.deadline, self.incoming.fill()).await {
            Err(_) if begun => Err(Failure::Timeout { phase: Phase::Body, seconds: seconds(self.patience.body) }),
            Err(_) => Err(Failure::Timeout { phase: Phase::FirstByte, seconds: seconds(self.patience.first_byte) }),
            Ok(Ok(0)) if self.incoming.is_empty() => Err(Failure::Closed),
            Ok(Ok(0)) => Err(not_http(format!(
                "the connection was closed inside the headers, after {} bytes",
                self.incoming.buffered().len()
            ))),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.broken(&error)),
        }
    }

    fn broken(&self, error: &io::Error) -> Failure {
        if self.incoming.is_empty() {
            return Failure::Closed;
        }
        not_http(format!(
            "the connection broke inside the headers, after {} bytes: {error}",
            self.incoming.buffered().len()
        ))
    }

    /// Says early that this is no HTTP, rather than wait for the end of headers that never come.
    fn looks_like_http(&self) -> Result<(), Failure> {
        let found = self.incoming.buffered();
        if found.iter().zip(b"HTTP/1.").all(|(a, b)| a == b) {
            return Ok(());
        }
        let start = found.get(..4).unwrap_or(found);
        let hint = match start {
            [b'<', ..] => " (a page without headers)",
            [0x15, 3, ..] => " (a TLS alert: this port speaks TLS)",
            b"HTTP" => " (HTTP, but not version 1)",
            _ => "",
        };
        let hex: Vec<String> = start.iter().map(|b| format!("{b:02x}")).collect();
        Err(not_http(format!("expected `HTTP/1.` at byte 0, found bytes {}{hint}", hex.join(" "))))
    }

    fn framing(&self, head: &Head) -> Result<Framing, Failure> {
        if self.head_request || matches!(head.status, 101 | 204 | 304) {
            return Ok(Framing::Length(0));
        }
        Ok(wire::framing(&head.headers).map_err(not_http)?.unwrap_or(Framing::UntilClose))
    }
}

fn parse_head(bytes: &[u8]) -> Result<Head, Failure> {
    let mut parser = httparse::ParserConfig::default();
    parser.allow_spaces_after_header_name_in_responses(true);
    parser.allow_obsolete_multiline_headers_in_responses(true);
    parser.allow_multiple_spaces_in_response_status_delimiters(true);
    let mut slots = [httparse::EMPTY_HEADER; wire::MAX_HEADERS];
    let mut parsed = httparse::Response::new(&mut slots);
    match parser.parse_response(&mut parsed, bytes) {
        Ok(httparse::Status::Complete(_)) => Ok(Head {
            status: parsed.code.unwrap_or_default(),
            reason: parsed.reason.unwrap_or_default().to_owned(),
            headers: wire::headers_of(parsed.headers),
            http_1_0: parsed.version == Some(0),
        }),
        Ok(httparse::Status::Partial) => Err(not_http("the headers end too early".to_owned())),
        Err(error) => Err(not_http(error.to_string())),
    }
}

fn not_http(detail: String) -> Failure {
    Failure::NotHttp { detail }
}

/// `patience` from now; a patience beyond what the clock can hold is a year.
fn far(patience: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 86_400);
    Instant::now() + patience.min(YEAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_written_in_the_order_and_spelling_given() {
        let request = Request {
            method: "POST".to_owned(),
            url: "http://h.test/Microsoft-Server-ActiveSync?jAAJ+BA==".parse().unwrap(),
            headers: Headers::from_iter([("hOST", "h.test"), ("X-B", "1\r\nX-C: 2"), ("X-A", "ü")]),
            body: Vec::new(),
        };
        let expected =
            "POST /Microsoft-Server-ActiveSync?jAAJ+BA== HTTP/1.1\r\nhOST: h.test\r\nX-B: 1  X-C: 2\r\nX-A: ü\r\n\r\n";
        assert_eq!(String::from_utf8(request_head(&request)).unwrap(), expected);
    }

    #[test]
    fn a_head_keeps_spelling_order_and_bytes_outside_ascii() {
        let head = parse_head(b"HTTP/1.0 449 Retry after\xE9\r\nms-AS: a\r\nX: \xFC\r\n\r\n");
        // A reason phrase outside ASCII is no reason to refuse the answer.
        let head = head.unwrap();
        assert_eq!((head.status, head.http_1_0), (449, true));
        assert_eq!(head.headers.iter().collect::<Vec<_>>(), [("ms-AS", "a"), ("X", "ü")]);
    }
}
