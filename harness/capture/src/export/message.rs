use easrig_exchange::{Headers, Request, Response};
use url::Position;

use crate::http::request_url;

/// A message as bytes of HTTP/1.1, and what had to be written otherwise than it was for that.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) bytes: Vec<u8>,
    pub(super) changes: Vec<&'static str>,
}

/// How the end of a body shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// As the headers say, or by the end of the connection.
    Plain,
    /// In chunks; `true` when the last one is there.
    Chunked(bool),
    /// By a length that the headers do not give, or give wrongly.
    Length,
}

impl Message {
    pub(super) fn request(request: &Request) -> Self {
        let mut message = Self::default();
        let url = &request.url;
        let target = &url[Position::BeforePath..Position::AfterQuery];
        // Over TLS the scheme is what differs, and nothing in a message names it.
        let plain = request_url(target, &request.headers, "", url.scheme() == "https");
        let target = if plain.as_ref() == Some(url) {
            target
        } else {
            message.changes.push("the target names the host, since no header does");
            url.as_str()
        };
        let method: String = request.method.chars().map(|c| if is_token(c) { c } else { '_' }).collect();
        let framing = match length(&request.headers, request.body.len()) {
            _ if is_chunked(&request.headers) => Framing::Chunked(true),
            Length::Fits | Length::Longer => Framing::Plain,
            Length::None if request.body.is_empty() => Framing::Plain,
            Length::None | Length::Shorter => Framing::Length,
        };
        message.line(&[&method, target, "HTTP/1.1"]);
        message.rest(&request.headers, &request.body, framing);
        message
    }

    /// The answer to a request of this method.
    pub(super) fn answer(response: &Response, method: &str) -> Self {
        let mut message = Self::default();
        let is_cut = response.cut.is_some();
        let bodiless = method.eq_ignore_ascii_case("HEAD") || matches!(response.status, 101 | 204 | 304);
        let body = if bodiless { &[] } else { response.body.as_slice() };
        if bodiless && !response.body.is_empty() {
            message.changes.push("a body that cannot be there is left out");
        }
        let framing = match length(&response.headers, body.len()) {
            _ if bodiless => Framing::Plain,
            _ if is_chunked(&response.headers) => Framing::Chunked(!is_cut),
            Length::Longer if !is_cut => Framing::Length,
            Length::Shorter => Framing::Length,
            _ => Framing::Plain,
        };
        message.line(&["HTTP/1.1", &response.status.to_string(), &response.reason]);
        message.rest(&response.headers, body, framing);
        message
    }

    fn line(&mut self, words: &[&str]) {
        self.text(words.join(" ").trim_end());
    }

    fn rest(&mut self, headers: &Headers, body: &[u8], framing: Framing) {
        let is_length = |name: &str| name.eq_ignore_ascii_case("content-length");
        let mut given = false;
        for (name, value) in headers.iter() {
            if framing == Framing::Length && is_length(name) {
                if !std::mem::replace(&mut given, true) {
                    self.text(&format!("{name}: {}", body.len()));
                }
                continue;
            }
            self.text(&format!("{name}: {value}"));
        }
        if framing == Framing::Length {
            self.changes.push("Content-Length is that of the body in this file");
            if !given {
                self.text(&format!("Content-Length: {}", body.len()));
            }
        }
        self.bytes.extend_from_slice(b"\r\n");
        match framing {
            Framing::Chunked(ends) => {
                if !body.is_empty() {
                    self.bytes.extend_from_slice(format!("{:X}\r\n", body.len()).as_bytes());
                    self.bytes.extend_from_slice(body);
                    self.bytes.extend_from_slice(b"\r\n");
                }
                if ends {
                    self.bytes.extend_from_slice(b"0\r\n");
                    headers.trailers().for_each(|(name, value)| self.text(&format!("{name}: {value}")));
                    self.bytes.extend_from_slice(b"\r\n");
                }
            }
            Framing::Plain | Framing::Length => {
                self.bytes.extend_from_slice(body);
                if headers.trailers().next().is_some() {
                    self.changes.push("trailers are left out, since they have a place behind chunks only");
                }
            }
        }
    }

    /// One line, whatever is in the text.
    fn text(&mut self, line: &str) {
        self.bytes.extend(line.bytes().map(|byte| if matches!(byte, b'\r' | b'\n' | 0) { b' ' } else { byte }));
        self.bytes.extend_from_slice(b"\r\n");
    }
}

/// What `Content-Length` says, against the body that is there.
enum Length {
    None,
    Fits,
    Longer,
    Shorter,
}

fn length(headers: &Headers, body: usize) -> Length {
    match headers.get("content-length").and_then(|value| value.trim().parse::<usize>().ok()) {
        None => Length::None,
        Some(said) => match said.cmp(&body) {
            std::cmp::Ordering::Equal => Length::Fits,
            std::cmp::Ordering::Greater => Length::Longer,
            std::cmp::Ordering::Less => Length::Shorter,
        },
    }
}

fn is_chunked(headers: &Headers) -> bool {
    headers
        .all("transfer-encoding")
        .flat_map(|value| value.split(','))
        .any(|word| word.trim().eq_ignore_ascii_case("chunked"))
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}
