//! HTTP/2 as it comes beside the plain way: by `Upgrade`, with trailers, and from the middle of a connection.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::io::Cursor;

use easrig_capture::{GapKind, Options, Skip, Tally, import};
use easrig_exchange::{Exchange, Failure, Outcome};
use loona_hpack::Encoder;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Client,
    Server,
}
use End::{Client, Server};

/// A connection, written as packets (classic pcap, raw IP) in pieces of a size.
struct Wire {
    packets: Vec<Vec<u8>>,
    sequence: [u32; 2],
    piece: usize,
}

impl Wire {
    fn new(piece: usize) -> Self {
        let mut wire = Self { packets: Vec::new(), sequence: [1000, 7000], piece };
        wire.packet(Client, 2, &[]);
        wire.packet(Server, 0x12, &[]);
        wire
    }

    fn say(&mut self, end: End, bytes: &[u8]) {
        bytes.chunks(self.piece).for_each(|part| self.packet(end, 0x10, part));
    }

    fn packet(&mut self, end: End, flags: u8, payload: &[u8]) {
        let from = usize::from(end == Server);
        let ports: [u16; 2] = if end == Server { [80, 50_000] } else { [50_000, 80] };
        let acknowledged = self.sequence[1 - from] * u32::from(flags & 0x10 != 0);
        let mut packet = vec![0x45, 0];
        packet.extend(((40 + payload.len()) as u16).to_be_bytes());
        packet.extend([0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1 + from as u8, 10, 0, 0, 2 - from as u8]);
        ports.iter().for_each(|port| packet.extend(port.to_be_bytes()));
        packet.extend(self.sequence[from].to_be_bytes());
        packet.extend(acknowledged.to_be_bytes());
        packet.extend([0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0]);
        packet.extend(payload);
        self.packets.push(packet);
        self.sequence[from] += payload.len() as u32 + u32::from(flags & 3 != 0);
    }

    fn close(&mut self) {
        self.packet(Server, 0x11, &[]);
        self.packet(Client, 0x11, &[]);
    }

    /// What an import of the packets that `keep` lets through gives.
    fn read(&self, keep: impl Fn(usize) -> bool) -> (Vec<Exchange>, Tally) {
        let mut file = Vec::new();
        for number in [0xA1B2_C3D4_u32, 0x0004_0002, 0, 0, 262_144, 101] {
            file.extend(number.to_le_bytes());
        }
        for (at, packet) in self.packets.iter().enumerate().filter(|(at, _)| keep(*at)) {
            for number in [1000 + at as u32, 0, packet.len() as u32, packet.len() as u32] {
                file.extend(number.to_le_bytes());
            }
            file.extend(packet);
        }
        let mut found = Vec::new();
        let tally = import(Cursor::new(file), &Options::default(), &mut |exchange| {
            found.push(exchange);
            Ok(())
        });
        (found, tally.unwrap())
    }
}

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0, (payload.len() >> 8) as u8, payload.len() as u8, kind, flags, 0, 0, 0, stream];
    frame.extend_from_slice(payload);
    frame
}

/// How an end packs its headers.
enum Packer {
    /// With a table of those it has sent before.
    Table(Encoder<'static>),
    /// Each in full, as some do with what is secret.
    Plain,
}

impl Packer {
    fn pack(&mut self, headers: &[(&str, &str)]) -> Vec<u8> {
        match self {
            Self::Table(encoder) => encoder.encode(headers.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes()))),
            Self::Plain => headers.iter().flat_map(|(name, value)| literal(name, value)).collect(),
        }
    }

    fn request(&mut self, stream: u8, command: &str, body: &str) -> Vec<u8> {
        let path = format!("/Microsoft-Server-ActiveSync?Cmd={command}&User=u&DeviceId=d&DeviceType=WP");
        let head =
            [(":method", "POST"), (":scheme", "http"), (":authority", "mail.test"), (":path", &path), ("x-n", body)];
        [frame(HEADERS, END_HEADERS, stream, &self.pack(&head)), frame(DATA, END_STREAM, stream, body.as_bytes())]
            .concat()
    }

    fn answer(&mut self, stream: u8, body: &str) -> Vec<u8> {
        let head = [(":status", "200"), ("server", "x"), ("x-of", "this connection")];
        [frame(HEADERS, END_HEADERS, stream, &self.pack(&head)), frame(DATA, END_STREAM, stream, body.as_bytes())]
            .concat()
    }
}

/// A field that enters no table (RFC 7541, 6.2.3); `:method` and `:status` by their number, as every packer has them.
fn literal(name: &str, value: &str) -> Vec<u8> {
    let mut out = match name {
        ":method" => vec![0x12],
        ":status" => vec![0x18],
        _ => [&[0x10, name.len() as u8], name.as_bytes()].concat(),
    };
    out.push(value.len() as u8);
    assert!(value.len() < 127);
    out.extend(value.as_bytes());
    out
}

fn table() -> Packer {
    Packer::Table(Encoder::new())
}

/// Command, body and what came of it.
fn told(exchanges: &[Exchange]) -> Vec<String> {
    let one = |exchange: &Exchange| {
        let command = exchange.request.query().split('&').next().unwrap().replace("Cmd=", "");
        let body = String::from_utf8_lossy(&exchange.request.body).into_owned();
        match &exchange.outcome {
            Outcome::Answered(answer) => {
                let cut = if answer.cut.is_some() { " (cut)" } else { "" };
                format!("{command} {body} > {} {}{cut}", answer.status, String::from_utf8_lossy(&answer.body))
            }
            Outcome::Failed(Failure::NotHttp { .. }) => format!("{command} {body} > lost"),
            Outcome::Failed(_) => format!("{command} {body} > none"),
        }
    };
    exchanges.iter().map(one).collect()
}

/// A connection that begins in HTTP/1.1 and goes on in HTTP/2.
fn upgraded(piece: usize) -> Wire {
    let (mut wire, mut client, mut server) = (Wire::new(piece), table(), table());
    wire.say(Client, b"OPTIONS /Microsoft-Server-ActiveSync?Cmd=none HTTP/1.1\r\nHost: mail.test\r\n\r\n");
    wire.say(Server, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    wire.say(
        Client,
        b"POST /Microsoft-Server-ActiveSync?Cmd=FolderSync HTTP/1.1\r\nHost: mail.test\r\n\
        Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: 5\r\n\r\nfirst",
    );
    wire.say(Server, b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
    wire.say(Server, &frame(SETTINGS, 0, 0, &[]));
    wire.say(Client, &[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat());
    wire.say(Client, &client.request(3, "Ping", "second"));
    wire.say(Server, &server.answer(1, "one"));
    wire.say(Server, &server.answer(3, "two"));
    wire.close();
    wire
}

const UPGRADED: [&str; 3] = ["none  > 200 ", "FolderSync first > 200 one", "Ping second > 200 two"];

#[test]
fn a_connection_may_be_upgraded_to_http2_however_it_is_cut() {
    for piece in (1..80).chain([1460]) {
        let (exchanges, tally) = upgraded(piece).read(|_| true);
        assert_eq!(told(&exchanges), UPGRADED, "{piece}: {tally}");
        assert!(tally.is_complete(), "{piece}: {tally}");
        let asked = &exchanges[1].request;
        assert_eq!((asked.url.scheme(), asked.url.host_str()), ("http", Some("mail.test")));
        assert_eq!(asked.headers.get("http2-settings"), Some("AAMAAABkAAQAAP__"));
        assert_eq!(exchanges[1].response().unwrap().headers.get("server"), Some("x"));
    }
}

#[test]
fn any_packet_of_an_upgrade_may_be_missing_and_nothing_is_lost_in_silence() {
    for piece in [40, 1460] {
        let wire = upgraded(piece);
        for missing in 0..wire.packets.len() {
            let (exchanges, tally) = wire.read(|at| at != missing);
            let found = told(&exchanges);
            let right = found.iter().filter(|one| UPGRADED.contains(&one.as_str())).count();
            assert!(right == 3 || !tally.is_complete(), "{piece}, without {missing}: {found:?}, {tally}");
        }
    }
}

#[test]
fn a_server_that_does_not_upgrade_is_answered_in_http1() {
    let mut wire = Wire::new(1460);
    for _ in 0..2 {
        wire.say(Client, b"POST /?Cmd=Ping HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\na");
        wire.say(Server, b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb");
    }
    wire.close();
    let (exchanges, tally) = wire.read(|_| true);
    assert_eq!(told(&exchanges), ["Ping a > 200 b"; 2], "{tally}");
    assert!(tally.is_complete());
}

#[test]
fn trailers_are_kept_beside_headers() {
    let (mut wire, mut client, mut server) = (Wire::new(1460), table(), table());
    wire.say(Client, &[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat());
    let request =
        client.pack(&[(":method", "POST"), (":scheme", "http"), (":authority", "x"), (":path", "/?Cmd=Ping")]);
    wire.say(Client, &[frame(HEADERS, END_HEADERS, 1, &request), frame(DATA, 0, 1, b"a")].concat());
    wire.say(Client, &frame(HEADERS, END_HEADERS | END_STREAM, 1, &client.pack(&[("x-sum", "1")])));
    let answer = server.pack(&[(":status", "200"), ("server", "x")]);
    wire.say(Server, &[frame(HEADERS, END_HEADERS, 1, &answer), frame(DATA, 0, 1, b"b")].concat());
    let trailers = [("x-sum", "2"), ("server", "y")];
    wire.say(Server, &frame(HEADERS, END_HEADERS | END_STREAM, 1, &server.pack(&trailers)));
    wire.close();
    let (exchanges, tally) = wire.read(|_| true);
    assert_eq!(told(&exchanges), ["Ping a > 200 b"]);
    assert!(tally.is_complete(), "{tally}");
    assert_eq!(exchanges[0].request.headers.trailers().collect::<Vec<_>>(), [("x-sum", "1")]);
    let headers = &exchanges[0].response().unwrap().headers;
    assert_eq!(headers.trailers().collect::<Vec<_>>(), trailers);
    assert_eq!(headers.iter().collect::<Vec<_>>(), [("server", "x")]);
}

/// Eight requests and their answers, each in two packets, after the opening in four.
fn long(mut client: Packer, mut server: Packer) -> Wire {
    let mut wire = Wire::new(1460);
    wire.say(Client, &[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat());
    wire.say(Server, &frame(SETTINGS, 0, 0, &[]));
    for number in 0..8 {
        wire.say(Client, &client.request(2 * number + 1, "Ping", &format!("ask {number}")));
        wire.say(Server, &server.answer(2 * number + 1, &format!("told {number}")));
    }
    wire.close();
    wire
}

fn gaps(tally: &Tally, what: GapKind) -> usize {
    tally.gaps.iter().filter(|gap| gap.what == what).count()
}

#[test]
fn http2_from_the_middle_is_read_where_no_header_refers_to_earlier_ones() {
    let wire = long(Packer::Plain, Packer::Plain);
    for first in 4..wire.packets.len() - 6 {
        let (exchanges, tally) = wire.read(|at| at >= first);
        let whole = (wire.packets.len() - 2 - first) / 2;
        let expected: Vec<_> = (8 - whole..8).map(|n| format!("Ping ask {n} > 200 told {n}")).collect();
        assert_eq!(told(&exchanges), expected, "from {first}: {tally}");
        // The capture begins with an answer: its request is not there.
        assert_eq!((tally.gap_count, gaps(&tally, GapKind::Request)), (first as u64 % 2, first % 2), "{tally}");
        assert_eq!(exchanges[0].request.url.host_str(), Some("mail.test"));
    }
}

#[test]
fn headers_that_refer_to_some_before_the_capture_are_counted_and_never_guessed() {
    let (exchanges, tally) = long(table(), Packer::Plain).read(|at| at >= 8);
    assert!(exchanges.is_empty(), "{exchanges:?}");
    assert_eq!((gaps(&tally, GapKind::Headers), gaps(&tally, GapKind::Request)), (6, 6), "{tally}");
    let (exchanges, tally) = long(Packer::Plain, table()).read(|at| at >= 8);
    let expected: Vec<_> = (2..8).map(|n| format!("Ping ask {n} > lost")).collect();
    assert_eq!((told(&exchanges), gaps(&tally, GapKind::Headers)), (expected, 6), "{tally}");
    let said = tally.gaps[0].to_string();
    assert!(said.contains("its headers, or some that they refer to, stand before the capture"), "{said}");
}

#[test]
fn one_direction_alone_and_a_torn_beginning_are_http2_too() {
    let wire = long(Packer::Plain, Packer::Plain);
    let (exchanges, tally) = wire.read(|at| at >= 8 && at % 2 == 0);
    let expected: Vec<_> = (2..8).map(|n| format!("Ping ask {n} > none")).collect();
    assert_eq!(told(&exchanges), expected, "{tally}");
    // The packet with the preface alone is missing, and that is known.
    let (exchanges, tally) = wire.read(|at| at != 2);
    let expected: Vec<_> = (0..8).map(|n| format!("Ping ask {n} > 200 told {n}")).collect();
    assert_eq!(told(&exchanges), expected, "{tally}");
    assert!(!tally.is_complete());
}

#[test]
fn a_body_whose_headers_stand_before_the_capture_is_counted() {
    let mut wire = Wire::new(1460);
    wire.packets.clear();
    wire.say(
        Server,
        &[frame(DATA, 0, 5, &[7; 900]), frame(PING, 0, 0, &[0; 8]), frame(DATA, END_STREAM, 5, &[7; 10])].concat(),
    );
    wire.close();
    let (exchanges, tally) = wire.read(|_| true);
    assert_eq!((exchanges.len(), gaps(&tally, GapKind::Headers)), (0, 1), "{tally}");
}

#[test]
fn other_protocols_from_the_middle_are_not_taken_for_http2() {
    let mut dice = 1_u32;
    let mut chance = |length: usize| -> Vec<u8> {
        let mut next = || {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (dice >> 24) as u8
        };
        (0..length).map(|_| next()).collect()
    };
    for bytes in [chance(30_000), vec![0; 30_000], b"\0\0\0\x04abcd".repeat(4000), chance(100)] {
        for piece in [1, 10, 1460] {
            let mut wire = Wire::new(piece);
            wire.packets.clear();
            let bytes = if piece == 1 { &bytes[..bytes.len().min(3000)] } else { bytes.as_slice() };
            wire.say(Server, bytes);
            wire.close();
            let (exchanges, tally) = wire.read(|_| true);
            assert_eq!(
                (exchanges.len(), tally.gap_count, tally.skipped.get(&Skip::NotHttp)),
                (0, 0, Some(&1)),
                "{tally}"
            );
        }
    }
}
