use std::net::SocketAddr;

use easrig_exchange::Headers;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::{Server, ServerLimits, ServerRequest, ServerResponse, Service, stopped};
use crate::wire::{self, BodyEnd, Framing, Incoming};

/// How much a client may send ahead of the answer to its last request before it is taken for gone mad.
const MAX_AHEAD: usize = 64 << 10;

/// Serves one connection until either side has had enough.
pub(super) async fn run<S: Service>(
    server: &Server<S>,
    tcp: TcpStream,
    peer: SocketAddr,
    stopping: watch::Receiver<bool>,
) {
    // A socket that refuses the option still works.
    let _ = tcp.set_nodelay(true);
    match &server.tls {
        None => Talk::new(server, tcp, peer).until_done(stopping).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = timeout(server.limits.handshake, tls.acceptor().accept(tcp)).await {
                Talk::new(server, stream, peer).until_done(stopping).await;
            }
        }
    }
}

struct Talk<'s, S, T> {
    server: &'s Server<S>,
    incoming: Incoming<ReadHalf<T>>,
    writer: WriteHalf<T>,
    peer: SocketAddr,
}

/// Why a request was not read.
enum Refusal {
    /// The client is gone, or said nothing for too long.
    Gone,
    /// The client is told so.
    Status(u16),
}

enum Next {
    KeepOpen,
    Close,
}

impl<'s, S: Service, T: AsyncRead + AsyncWrite + Unpin + Send> Talk<'s, S, T> {
    fn new(server: &'s Server<S>, stream: T, peer: SocketAddr) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self { server, incoming: Incoming::new(reader), writer, peer }
    }

    async fn until_done(&mut self, mut stopping: watch::Receiver<bool>) {
        loop {
            let request = tokio::select! {
                () = stopped(&mut stopping), if self.incoming.is_empty() => break,
                request = timeout(self.server.limits.arrival, self.request()) => request,
            };
            let next = match request {
                Err(_) | Ok(Err(Refusal::Gone)) => break,
                Ok(Err(Refusal::Status(status))) => {
                    self.write(&refusal(status), true, false).await;
                    self.drain().await;
                    Next::Close
                }
                Ok(Ok((request, keep_open))) => self.answer(request, keep_open && !*stopping.borrow()).await,
            };
            if matches!(next, Next::Close) {
                break;
            }
        }
        let _ = self.writer.shutdown().await;
    }

    /// Reads on for a moment, so that a client still sending finds the answer and not a reset.
    async fn drain(&mut self) {
        let drain = async {
            while matches!(self.incoming.fill().await, Ok(1..)) {
                self.incoming.consume(usize::MAX);
            }
        };
        let _ = timeout(std::time::Duration::from_millis(500), drain).await;
    }

    async fn answer(&mut self, request: ServerRequest, keep_open: bool) -> Next {
        let head_only = request.method == "HEAD";
        let answered = {
            let call = self.server.service.call(request);
            tokio::pin!(call);
            tokio::select! {
                biased;
                answered = &mut call => Some(answered),
                () = gone(&mut self.incoming) => None,
            }
        };
        let Some(answer) = answered else { return Next::Close };
        let close = !keep_open || wire::has_token(&answer.headers, "Connection", "close");
        match self.write(&answer, close, head_only).await && !close {
            true => Next::KeepOpen,
            false => Next::Close,
        }
    }

    async fn request(&mut self) -> Result<(ServerRequest, bool), Refusal> {
        let limits = self.server.limits;
        let Head { method, target, headers, http_1_0 } = self.head(&limits).await?;
        let framing = match wire::framing(&headers) {
            Ok(Some(Framing::UntilClose)) | Err(_) => return Err(Refusal::Status(400)),
            Ok(framing) => framing.unwrap_or(Framing::Length(0)),
        };
        if let Framing::Length(length) = framing
            && usize::try_from(length).map_or(true, |length| length > limits.body_bytes)
        {
            return Err(Refusal::Status(413));
        }
        if wire::has_token(&headers, "Expect", "100-continue") && self.incoming.is_empty() {
            let interim = self.writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await;
            interim.map_err(|_| Refusal::Gone)?;
            self.writer.flush().await.map_err(|_| Refusal::Gone)?;
        }
        let mut body = Vec::new();
        match self.incoming.body(&framing, limits.body_bytes, limits.header_bytes, &mut body).await {
            BodyEnd::Complete => {}
            BodyEnd::Cut(_) if body.len() >= limits.body_bytes => return Err(Refusal::Status(413)),
            BodyEnd::Cut(_) => return Err(Refusal::Status(400)),
        }
        let keep_open = if http_1_0 {
            wire::has_token(&headers, "Connection", "keep-alive")
        } else {
            !wire::has_token(&headers, "Connection", "close")
        };
        Ok((ServerRequest { method, path_and_query: target, headers, body, peer: self.peer }, keep_open))
    }

    async fn head(&mut self, limits: &ServerLimits) -> Result<Head, Refusal> {
        let mut searched = 0;
        loop {
            // Some clients send an empty line after a body (RFC 9112 2.2).
            while searched == 0 && self.incoming.buffered().starts_with(b"\r\n") {
                self.incoming.consume(2);
            }
            if let Some(end) = wire::head_end(self.incoming.buffered(), searched) {
                if end > limits.header_bytes {
                    return Err(Refusal::Status(431));
                }
                let head = parse_head(self.incoming.buffered().get(..end).unwrap_or_default());
                self.incoming.consume(end);
                return head.ok_or(Refusal::Status(400));
            }
            let here = self.incoming.buffered().len();
            if here > limits.header_bytes {
                return Err(Refusal::Status(431));
            }
            searched = here.saturating_sub(3);
            match self.incoming.fill().await {
                Ok(1..) => {}
                Ok(0) | Err(_) => return Err(Refusal::Gone),
            }
        }
    }

    /// Writes an answer; false when the client is gone.
    async fn write(&mut self, answer: &ServerResponse, close: bool, head_only: bool) -> bool {
        let mut bytes = head_bytes(answer, close);
        if !head_only {
            bytes.extend_from_slice(&answer.body);
        }
        let written = async {
            self.writer.write_all(&bytes).await?;
            self.writer.flush().await
        };
        matches!(timeout(self.server.limits.arrival, written).await, Ok(Ok(())))
    }
}

/// Returns when the client closes its side; what it sends ahead is kept for later.
async fn gone<R: AsyncRead + Unpin>(incoming: &mut Incoming<R>) {
    while incoming.buffered().len() <= MAX_AHEAD {
        match incoming.fill().await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return,
        }
    }
}

struct Head {
    method: String,
    target: String,
    headers: Headers,
    http_1_0: bool,
}

fn parse_head(bytes: &[u8]) -> Option<Head> {
    let mut slots = [httparse::EMPTY_HEADER; wire::MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut slots);
    parsed.parse(bytes).ok()?.is_complete().then_some(())?;
    Some(Head {
        method: parsed.method?.to_owned(),
        target: parsed.path?.to_owned(),
        headers: wire::headers_of(parsed.headers),
        http_1_0: parsed.version == Some(0),
    })
}

fn head_bytes(answer: &ServerResponse, close: bool) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} {}\r\n", answer.status, reason(answer.status));
    for (name, value) in answer.headers.iter() {
        for part in [name, ": ", value] {
            head.extend(part.chars().map(|c| if matches!(c, '\r' | '\n') { ' ' } else { c }));
        }
        head.push_str("\r\n");
    }
    let bodiless = matches!(answer.status, 100..=199 | 204 | 304);
    let framed = answer.headers.get("Content-Length").or(answer.headers.get("Transfer-Encoding")).is_some();
    if !framed && !bodiless {
        head.push_str(&format!("Content-Length: {}\r\n", answer.body.len()));
    }
    if close && !wire::has_token(&answer.headers, "Connection", "close") {
        head.push_str("Connection: close\r\n");
    }
    head.push_str("\r\n");
    head.into_bytes()
}

fn refusal(status: u16) -> ServerResponse {
    ServerResponse { status, ..ServerResponse::default() }
}

/// The usual words; ActiveSync's own statuses beside those of HTTP.
fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        200 => "OK",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        449 => "Retry after sending a PROVISION command",
        451 => "Redirect",
        456 => "Account blocked",
        457 => "Password expired",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        507 => "Insufficient Storage",
        _ => "Status",
    }
}
