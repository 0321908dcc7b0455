use std::io;

use easrig_exchange::Headers;
use tokio::io::{AsyncRead, AsyncReadExt};

/// How many headers one message may have.
pub(crate) const MAX_HEADERS: usize = 256;

/// The longest line before a chunk: its size and extensions nobody uses.
const MAX_CHUNK_LINE: usize = 4096;

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// By its length in bytes.
    Length(u64),
    /// By chunks.
    Chunked,
    /// By the end of the connection.
    UntilClose,
}

/// How reading a body ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BodyEnd {
    /// At the end the sender announced.
    Complete,
    /// Before it, for this reason.
    Cut(String),
}

/// The framing that the headers announce; `None` when they announce nothing.
pub(crate) fn framing(headers: &Headers) -> Result<Option<Framing>, String> {
    if headers.all("Transfer-Encoding").last().is_some() {
        // Transfer-Encoding outweighs Content-Length (RFC 9112 6.3).
        return Ok(Some(match has_token(headers, "Transfer-Encoding", "chunked") {
            true => Framing::Chunked,
            false => Framing::UntilClose,
        }));
    }
    let mut length = None;
    for value in headers.all("Content-Length").flat_map(|value| value.split(',')) {
        let value = value.trim();
        let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
        let parsed = value.parse::<u64>().ok().filter(|_| digits);
        let parsed = parsed.ok_or_else(|| "the Content-Length is not a number".to_owned())?;
        if length.is_some_and(|earlier| earlier != parsed) {
            return Err("there are two Content-Length headers that differ".to_owned());
        }
        length = Some(parsed);
    }
    Ok(length.map(Framing::Length))
}

/// Whether a comma list in `name` holds `token`.
pub(crate) fn has_token(headers: &Headers, name: &str, token: &str) -> bool {
    headers.all(name).flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
}

/// Where the head ends (after its blank line), searching from `from`.
pub(crate) fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    let tail = bytes.get(from..)?;
    memchr::memchr_iter(b'\n', tail).find_map(|at| {
        let rest = tail.get(at.saturating_add(1)..)?;
        let blank = if rest.starts_with(b"\r\n") { 2 } else { usize::from(rest.starts_with(b"\n")) };
        (blank > 0).then_some(from + at + 1 + blank)
    })
}

/// The headers with their spelling; what is not UTF-8 is read as Latin-1.
pub(crate) fn headers_of(parsed: &[httparse::Header<'_>]) -> Headers {
    parsed.iter().map(|header| (header.name, text(header.value))).collect()
}

fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|b| char::from(*b)).collect(), str::to_owned)
}

/// Bytes that arrive: what was read and not yet used.
pub(crate) struct Incoming<R> {
    reader: R,
    buffer: Vec<u8>,
    used: usize,
}

impl<R: AsyncRead + Unpin> Incoming<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), used: 0 }
    }

    pub(crate) fn buffered(&self) -> &[u8] {
        self.buffer.get(self.used..).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.buffered().is_empty()
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.used = self.used.saturating_add(count).min(self.buffer.len());
        if self.used == self.buffer.len() {
            self.buffer.clear();
            self.used = 0;
        }
    }

    /// Reads once; 0 is the end of the stream, also an end that TLS was not told about.
    pub(crate) async fn fill(&mut self) -> io::Result<usize> {
        if self.used > 0 {
            self.buffer.drain(..self.used);
            self.used = 0;
        }
        self.buffer.reserve(16 << 10);
        match self.reader.read_buf(&mut self.buffer).await {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
            other => other,
        }
    }

    /// Reads a body into `into`, at most `limit` bytes of it; `into` holds what came even when this future is dropped.
    pub(crate) async fn body(
        &mut self,
        framing: &Framing,
        limit: usize,
        trailer_limit: usize,
        into: &mut Vec<u8>,
    ) -> BodyEnd {
        let read = match framing {
            Framing::Length(length) => self.counted(*length, limit, into).await,
            Framing::Chunked => self.chunks(limit, trailer_limit, into).await,
            Framing::UntilClose => self.rest(limit, into).await,
        };
        read.map_or_else(BodyEnd::Cut, |()| BodyEnd::Complete)
    }

    async fn counted(&mut self, length: u64, limit: usize, into: &mut Vec<u8>) -> Result<(), String> {
        let mut left = length;
        while left > 0 {
            if self.is_empty() && self.fill_body().await? == 0 {
                return Err(format!("the connection was closed {left} bytes before the end of the body"));
            }
            let here = self.buffered().len();
            let part = usize::try_from(left).map_or(here, |left| left.min(here));
            self.take(part, limit, into)?;
            left = left.saturating_sub(u64::try_from(part).unwrap_or(u64::MAX));
        }
        Ok(())
    }

    async fn rest(&mut self, limit: usize, into: &mut Vec<u8>) -> Result<(), String> {
        loop {
            let here = self.buffered().len();
            self.take(here, limit, into)?;
            if self.fill_body().await? == 0 {
                return Ok(());
            }
        }
    }

    async fn chunks(&mut self, limit: usize, trailer_limit: usize, into: &mut Vec<u8>) -> Result<(), String> {
        loop {
            let line = self.line(MAX_CHUNK_LINE).await?;
            let size = line.split(|b| *b == b';').next().unwrap_or_default().trim_ascii();
            let size = std::str::from_utf8(size).ok().filter(|s| s.bytes().all(|b| b.is_ascii_hexdigit()));
            let size = size.and_then(|s| u64::from_str_radix(s, 16).ok());
            let Some(size) = size else {
                return Err(format!("the chunk after {} bytes of body has no size", into.len()));
            };
            if size == 0 {
                return self.trailers(trailer_limit).await;
            }
            self.counted(size, limit, into).await?;
            if !self.line(MAX_CHUNK_LINE).await?.is_empty() {
                return Err(format!("the chunk that ends after {} bytes of body is longer than it says", into.len()));
            }
        }
    }

    async fn trailers(&mut self, limit: usize) -> Result<(), String> {
        let mut left = limit;
        loop {
            let line = self.line(left).await?;
            if line.is_empty() {
                return Ok(());
            }
            left = left.saturating_sub(line.len());
        }
    }

    /// One line without its end; longer than `limit` is an error.
    async fn line(&mut self, limit: usize) -> Result<Vec<u8>, String> {
        loop {
            if let Some(at) = memchr::memchr(b'\n', self.buffered()) {
                let line = self.buffered().get(..at).unwrap_or_default();
                let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
                self.consume(at.saturating_add(1));
                return Ok(line);
            }
            if self.buffered().len() > limit {
                return Err(format!("a line of the chunked body is longer than {limit} bytes"));
            }
            if self.fill_body().await? == 0 {
                return Err("the connection was closed between two chunks of the body".to_owned());
            }
        }
    }

    async fn fill_body(&mut self) -> Result<usize, String> {
        self.fill().await.map_err(|error| format!("the connection broke inside the body: {error}"))
    }

    fn take(&mut self, count: usize, limit: usize, into: &mut Vec<u8>) -> Result<(), String> {
        let room = limit.saturating_sub(into.len());
        let part = count.min(room);
        into.extend_from_slice(self.buffered().get(..part).unwrap_or_default());
        self.consume(part);
        if count > room { Err(format!("the body is longer than {limit} bytes")) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(framing: Framing, bytes: &[u8]) -> (BodyEnd, Vec<u8>) {
        let mut body = Vec::new();
        let end = Incoming::new(bytes).body(&framing, 8, 64, &mut body).await;
        (end, body)
    }

    fn cut(why: &str) -> BodyEnd {
        BodyEnd::Cut(why.to_owned())
    }

    #[tokio::test]
    async fn chunks_are_joined_and_trailers_skipped() {
        let wire = b"3;x=y\r\nabc\r\n2\nde\n0\r\nX: y\r\n\r\n";
        assert_eq!(read(Framing::Chunked, wire).await, (BodyEnd::Complete, b"abcde".to_vec()));
    }

    #[tokio::test]
    async fn bodies_that_break_say_where() {
        let wrong = [
            (Framing::Length(5), &b"ab"[..], "the connection was closed 3 bytes before the end of the body"),
            (Framing::Length(9), b"123456789", "the body is longer than 8 bytes"),
            (Framing::UntilClose, b"123456789", "the body is longer than 8 bytes"),
            (Framing::Chunked, b"1\r\nab\r\n", "the chunk that ends after 1 bytes of body is longer than it says"),
            (Framing::Chunked, b"zz\r\n", "the chunk after 0 bytes of body has no size"),
            (Framing::Chunked, b"ffffffffffffffffff\r\n", "the chunk after 0 bytes of body has no size"),
            (Framing::Chunked, b"1\r\na\r\n", "the connection was closed between two chunks of the body"),
        ];
        for (framing, bytes, why) in wrong {
            assert_eq!(read(framing, bytes).await.0, cut(why));
        }
    }

    #[test]
    fn the_head_ends_at_the_first_blank_line() {
        assert_eq!(head_end(b"a\r\n\r\nb", 0), Some(5));
        assert_eq!(head_end(b"a\n\nb\n\n", 0), Some(3));
        assert_eq!(head_end(b"a\r\nb\r\n", 0), None);
    }

    #[test]
    fn lengths_that_disagree_are_refused() {
        let headers = |values: &[&str]| values.iter().map(|v| ("content-length", *v)).collect::<Headers>();
        assert_eq!(framing(&headers(&["5", "5"])), Ok(Some(Framing::Length(5))));
        assert_eq!(framing(&headers(&[])), Ok(None));
        assert!(framing(&headers(&["5", "6"])).is_err());
        assert!(framing(&headers(&["+5"])).is_err());
    }
}
