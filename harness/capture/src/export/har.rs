use std::borrow::Cow;
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use easrig_exchange::{Exchange, Failure, Headers, Outcome, Response, Times, TlsSession};
use serde::Serialize;

/// Writes an HTTP archive (HAR 1.2), one entry for each exchange.
///
/// An archive holds bodies without their content coding, hence `Content-Encoding` is gone when one is imported. Certificates,
/// numbers, senders and origins are not in it. What HAR has no place for and easrig needs (why an answer is cut or missing,
/// when the connection stood, what TLS agreed on) stands in the field `_easrig` of each entry, beside whatever else the
/// caller has to say about it.
#[derive(Debug)]
pub struct HarWriter<W: Write> {
    out: W,
    begun: bool,
}

impl<W: Write> HarWriter<W> {
    /// Begins an archive; `version` is that of the program.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(mut out: W, version: &str) -> io::Result<Self> {
        let version = serde_json::to_string(version)?;
        let head =
            format!(r#"{{"log":{{"version":"1.2","creator":{{"name":"easrig","version":{version}}},"entries":["#);
        out.write_all(head.as_bytes())?;
        Ok(Self { out, begun: false })
    }

    /// Adds an exchange. `body` is the body of its answer without content coding, `notes` (a map or struct) what is added to
    /// `_easrig`; its keys must not be `cut`, `failure`, `times` or `tls`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write<N: Serialize>(&mut self, exchange: &Exchange, body: &[u8], notes: &N) -> io::Result<()> {
        self.out.write_all(if self.begun { b",\n" } else { b"\n" })?;
        self.begun = true;
        Ok(serde_json::to_writer(&mut self.out, &Entry::of(exchange, body, notes))?)
    }

    /// Ends the archive and gives the writer back.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.write_all(b"\n]}}\n")?;
        self.out.flush()?;
        Ok(self.out)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'e, N> {
    started_date_time: String,
    /// Milliseconds, as all times here.
    time: f64,
    request: Request<'e>,
    response: Answer<'e>,
    cache: Empty,
    timings: Timings,
    #[serde(rename = "_easrig")]
    own: Own<'e, N>,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'e> {
    method: &'e str,
    url: &'e str,
    http_version: &'static str,
    cookies: [Empty; 0],
    headers: Vec<Pair<'e>>,
    query_string: Vec<Pair<'e>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_data: Option<Text<'e>>,
    headers_size: i64,
    body_size: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'e> {
    /// 0 when there was none.
    status: u16,
    status_text: &'e str,
    http_version: &'static str,
    cookies: [Empty; 0],
    headers: Vec<Pair<'e>>,
    content: Text<'e>,
    #[serde(rename = "redirectURL")]
    redirect_url: &'e str,
    headers_size: i64,
    body_size: usize,
    #[serde(rename = "_error", skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
struct Pair<'e> {
    name: Cow<'e, str>,
    value: Cow<'e, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Text<'e> {
    /// Only of answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<usize>,
    mime_type: &'e str,
    /// Only of requests, where the standard wants a list of parameters or a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<[Empty; 0]>,
    text: Cow<'e, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
}

#[derive(Serialize)]
struct Timings {
    blocked: f64,
    dns: f64,
    connect: f64,
    ssl: f64,
    send: f64,
    wait: f64,
    receive: f64,
}

/// What `_easrig` holds for our own importer, and the notes of the caller.
#[derive(Serialize)]
struct Own<'e, N> {
    cut: Option<&'e str>,
    failure: Option<&'e Failure>,
    times: Times,
    tls: Option<Tls<'e>>,
    #[serde(flatten)]
    notes: &'e N,
}

#[derive(Serialize)]
struct Tls<'e> {
    version: &'e str,
    cipher_suite: &'e str,
    verified: bool,
}

impl<'e, N> Entry<'e, N> {
    fn of(exchange: &'e Exchange, body: &'e [u8], notes: &'e N) -> Self {
        let request = &exchange.request;
        let (response, failure) = match &exchange.outcome {
            Outcome::Answered(response) => (Some(response), None),
            Outcome::Failed(failure) => (None, Some(failure)),
        };
        let started = jiff::Timestamp::from_microsecond(exchange.started.0).unwrap_or_default();
        Self {
            started_date_time: started.to_string(),
            time: milliseconds(exchange.times.done),
            request: Request {
                method: &request.method,
                url: request.url.as_str(),
                http_version: "HTTP/1.1",
                cookies: [],
                headers: pairs(&request.headers),
                query_string: request.url.query_pairs().map(|(name, value)| Pair { name, value }).collect(),
                post_data: (!request.body.is_empty()).then(|| {
                    let text = Text::of(Some(&request.headers), &request.body);
                    Text { size: None, params: Some([]), ..text }
                }),
                headers_size: -1,
                body_size: request.body.len(),
            },
            response: Answer::of(response, failure, body),
            cache: Empty {},
            timings: Timings::of(&exchange.times),
            own: Own {
                cut: response.and_then(|response| response.cut.as_deref()),
                failure,
                times: exchange.times,
                tls: exchange.tls.as_ref().map(Tls::of),
                notes,
            },
        }
    }
}

impl<'e> Answer<'e> {
    fn of(response: Option<&'e Response>, failure: Option<&'e Failure>, body: &'e [u8]) -> Self {
        let headers = response.map(|response| &response.headers);
        Self {
            status: response.map_or(0, |response| response.status),
            status_text: response.map_or("", |response| &response.reason),
            http_version: if response.is_some() { "HTTP/1.1" } else { "" },
            cookies: [],
            headers: headers.map(pairs).unwrap_or_default(),
            content: Text::of(headers, body),
            redirect_url: headers.and_then(|headers| headers.get("location")).unwrap_or_default(),
            headers_size: -1,
            body_size: response.map_or(0, |response| response.body.len()),
            error: failure.map(ToString::to_string),
        }
    }
}

impl<'e> Text<'e> {
    /// Text where it is one in any reader's eyes, else base64.
    fn of(headers: Option<&'e Headers>, body: &'e [u8]) -> Self {
        let mime_type = headers.and_then(|headers| headers.get("content-type")).unwrap_or_default();
        let is_binary = ["wbxml", "octet-stream"].iter().any(|word| mime_type.contains(word));
        let text = std::str::from_utf8(body).ok().filter(|text| text.is_empty() || !is_binary);
        let (text, encoding) = match text {
            Some(text) => (Cow::Borrowed(text), None),
            None => (Cow::Owned(STANDARD.encode(body)), Some("base64")),
        };
        Self { size: Some(body.len()), mime_type, params: None, text, encoding }
    }
}

impl Timings {
    /// -1 is what does not apply. `connect` holds `ssl`, and `send` is part of `wait`, since nobody measures it.
    fn of(times: &Times) -> Self {
        let connect = times.secured.or(times.connected);
        let ssl = times.secured.zip(times.connected).map(|(secured, connected)| secured.saturating_sub(connected));
        let first = times.first_byte.unwrap_or(times.done);
        Self {
            blocked: -1.0,
            dns: -1.0,
            connect: connect.map_or(-1.0, milliseconds),
            ssl: ssl.map_or(-1.0, milliseconds),
            send: 0.0,
            wait: milliseconds(first.saturating_sub(connect.unwrap_or(0))),
            receive: milliseconds(times.done.saturating_sub(first)),
        }
    }
}

impl<'e> Tls<'e> {
    fn of(tls: &'e TlsSession) -> Self {
        Self { version: &tls.version, cipher_suite: &tls.cipher_suite, verified: tls.verified }
    }
}

fn pairs(headers: &Headers) -> Vec<Pair<'_>> {
    headers.all_fields().map(|(name, value)| Pair { name: name.into(), value: value.into() }).collect()
}

fn milliseconds(micros: u64) -> f64 {
    micros as f64 / 1000.0
}
