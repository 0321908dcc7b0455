//! An exchange as it stands in a cell: request and answer decoded, the raw bytes behind them, and its times.

use std::collections::BTreeSet;

use easrig_exchange::{Exchange, Headers, Outcome};
use easrig_scenario::{Content, Decoded};

use crate::{
    terminal::{NamedStatus, Reading},
    told::Told,
    words::Words,
};

/// The most bytes of a body that are also shown raw.
const RAW_MOST: usize = 512;

/// How wide the drawing of times is.
const WIDTH: f64 = 400.0;

pub(crate) struct ExchangeView {
    pub(crate) number: u64,
    /// Whether it is unfolded.
    pub(crate) open: bool,
    pub(crate) role: String,
    pub(crate) verb: String,
    pub(crate) outcome: Told,
    pub(crate) took: String,
    pub(crate) line: String,
    /// The request line in words.
    pub(crate) query: String,
    pub(crate) sent_headers: Vec<HeaderView>,
    pub(crate) sent: Body,
    pub(crate) came_headers: Vec<HeaderView>,
    pub(crate) came: Body,
    /// Why the answer is not whole.
    pub(crate) cut: Told,
    pub(crate) statuses: Vec<NamedStatus>,
}

/// A header.
pub(crate) struct HeaderView {
    pub(crate) name: String,
    pub(crate) value: String,
    /// Whether the exchange beside it says something else there.
    pub(crate) differs: bool,
}

/// A body in what room there was.
#[derive(Default)]
pub(crate) struct Body {
    pub(crate) text: String,
    /// How many bytes of the text are left out.
    pub(crate) hidden: usize,
    pub(crate) raw: String,
    /// How many bytes the body has.
    pub(crate) bytes: usize,
    pub(crate) raw_hidden: usize,
}

impl ExchangeView {
    /// Takes what it shows off `room`, which counts bytes.
    pub(crate) fn of(exchange: &Exchange, room: &mut usize, words: Words) -> Self {
        let decoded = Decoded::of(exchange);
        let request = &exchange.request;
        let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let squeeze = |line: &str| line.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        let in_words = decoded.query.as_ref();
        let in_words = in_words.map(|query| query.describe().lines().map(squeeze).collect::<Vec<_>>().join("; "));
        let sent_headers = headers(&request.headers, room);
        let came_headers = exchange.response().map(|response| headers(&response.headers, room)).unwrap_or_default();
        // The answer decides more often than the request: a long request leaves half of the room to it.
        let mut half = *room / 2;
        let sent = body(&decoded.request, &request.body, &mut half);
        *room = room.saturating_sub(sent.text.len() + sent.raw.len());
        let came = body(&decoded.answer, &decoded.body, room);
        Self {
            number: exchange.number.0,
            open: false,
            role: exchange.sender.role.clone(),
            verb: decoded.verb.map_or_else(|| request.method.clone(), |verb| verb.to_string()),
            outcome: words.told(&match &exchange.outcome {
                Outcome::Answered(_) => decoded.words(),
                Outcome::Failed(failure) => failure.to_string(),
            }),
            took: milliseconds(exchange.times.done),
            line: format!("{} {}{query}", request.method, request.url.path()),
            query: in_words.unwrap_or_default(),
            sent_headers,
            sent,
            came_headers,
            came,
            cut: exchange
                .response()
                .and_then(|response| response.cut.as_ref())
                .map(|why| words.told(why))
                .unwrap_or_default(),
            statuses: Reading::of(&decoded)
                .statuses
                .into_iter()
                .filter(|status| status.path != "HTTP")
                .take(12)
                .collect(),
        }
    }
}

impl ExchangeView {
    /// Marks the headers of the request and of the answer that say something else than those of the exchange beside it.
    pub(crate) fn mark(&mut self, sent: &BTreeSet<String>, came: &BTreeSet<String>) {
        for (headers, differing) in [(&mut self.sent_headers, sent), (&mut self.came_headers, came)] {
            for header in headers {
                header.differs = differing.contains(&header.name.to_ascii_lowercase());
            }
        }
    }

    /// Whether a header of the request is marked.
    pub(crate) fn asks_otherwise(&self) -> bool {
        self.sent_headers.iter().any(|header| header.differs)
    }

    /// Whether a header of the answer is marked.
    pub(crate) fn answers_otherwise(&self) -> bool {
        self.came_headers.iter().any(|header| header.differs)
    }
}

fn headers(headers: &Headers, room: &mut usize) -> Vec<HeaderView> {
    let fits = |(name, value): &(&str, &str)| {
        let fits = name.len() + value.len() <= *room;
        *room = room.saturating_sub(name.len() + value.len());
        fits
    };
    let view =
        |(name, value): (&str, &str)| HeaderView { name: name.to_owned(), value: value.to_owned(), differs: false };
    headers.all_fields().take_while(fits).map(view).collect()
}

fn body(content: &Content, bytes: &[u8], room: &mut usize) -> Body {
    let text = match content {
        Content::Missing | Content::Empty => return Body::default(),
        Content::Document(document) => document.to_xml_pretty(),
        Content::Undecodable(_) | Content::Broken(_) => String::new(),
        Content::Other => std::str::from_utf8(bytes).map(str::to_owned).unwrap_or_default(),
    };
    let shown = cut(&text, *room);
    *room = room.saturating_sub(shown.len());
    // A line of the dump is 74 bytes for 16.
    let raw = bytes.len().min(RAW_MOST).min(*room / 5);
    let dump = bytes.get(..raw).map(dump).unwrap_or_default();
    *room = room.saturating_sub(dump.len());
    Body {
        hidden: text.len() - shown.len(),
        text: shown.to_owned(),
        raw: dump,
        bytes: bytes.len(),
        raw_hidden: bytes.len() - raw,
    }
}

/// The beginning of the text, no longer than `most` bytes.
fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Sixteen bytes a line: offset, hexadecimal, and what is printable.
fn dump(bytes: &[u8]) -> String {
    let line = |(number, line): (usize, &[u8])| {
        let hex: String = line.iter().map(|byte| format!("{byte:02x} ")).collect();
        let text: String =
            line.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' }).collect();
        format!("{:04x}  {hex:<48} {text}\n", number * 16)
    };
    bytes.chunks(16).enumerate().map(line).collect()
}

/// Times of an exchange in the drawing of its cell.
pub(super) struct Bar {
    pub(super) number: u64,
    pub(super) verb: String,
    pub(super) took: String,
    /// Where its line is.
    pub(super) y: usize,
    /// The parts of the bar, of what is longer than nothing.
    pub(super) parts: Vec<Part>,
}

/// A part of a bar: connecting, TLS, waiting, receiving.
pub(super) struct Part {
    pub(super) class: &'static str,
    pub(super) x: String,
    pub(super) width: String,
}

/// The times of exchanges on one scale; pauses between them are left out, for a phone that waits an hour would leave the
/// rest without width.
pub(super) fn bars(exchanges: &[Exchange]) -> Vec<Bar> {
    let all: u64 = exchanges.iter().map(|exchange| exchange.times.done).sum();
    let scale = |micros: u64| micros as f64 / all.max(1) as f64 * WIDTH;
    let mut before = 0;
    let mut drawn = Vec::new();
    for (place, exchange) in exchanges.iter().enumerate() {
        let times = exchange.times;
        let connected = times.connected.unwrap_or(0).min(times.done);
        let secured = times.secured.unwrap_or(connected).clamp(connected, times.done);
        let first = times.first_byte.unwrap_or(times.done).clamp(secured, times.done);
        let ends =
            [("t1", 0, connected), ("t2", connected, secured), ("t3", secured, first), ("t4", first, times.done)];
        let part = |(class, from, to): (&'static str, u64, u64)| Part {
            class,
            x: format!("{:.1}", scale(before + from)),
            width: format!("{:.1}", scale(to - from).max(0.6)),
        };
        drawn.push(Bar {
            number: exchange.number.0,
            verb: Decoded::of(exchange).verb.map_or_else(|| exchange.request.method.clone(), |verb| verb.to_string()),
            took: milliseconds(times.done),
            y: place * 18,
            parts: ends.into_iter().filter(|(_, from, to)| to > from).map(part).collect(),
        });
        before += times.done;
    }
    drawn
}

/// Microseconds as `12 ms`, below ten with one decimal.
pub(super) fn milliseconds(micros: u64) -> String {
    match micros {
        0..10_000 => format!("{}.{} ms", micros / 1000, micros % 1000 / 100),
        10_000..10_000_000 => format!("{} ms", micros / 1000),
        _ => format!("{} s", micros / 1_000_000),
    }
}
