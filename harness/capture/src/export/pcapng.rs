use std::collections::HashMap;
use std::io::{self, Write};
use std::net::Ipv4Addr;

use easrig_exchange::{Exchange, Failure, Outcome, Phase, Timestamp};

use super::message::Message;
use super::packet::{Connection, End, Packet};

/// The longest comment of a packet, in bytes.
const MAX_COMMENT: usize = 8 << 10;

/// Where requests go to: Wireshark takes this port for HTTP.
const PORT: u16 = 80;

/// Ports of clients: those that nobody else has a meaning for.
const CLIENT_PORTS: std::ops::Range<u16> = 49152..65535;

/// Addresses that are told apart at most: devices and hosts beyond them share the last.
const MAX_ADDRESSES: u16 = 4000;

/// Writes exchanges as packets (pcapng, Ethernet), each on a TCP connection of its own, with the times they had.
///
/// The packets are made up from handshake to close, checksums and all; addresses stand for devices (10.0.0.0/8) and hosts
/// (172.16.0.0/12). Everything is plain HTTP/1.1 to port 80: what went over TLS is as if it had not, so that `https` is
/// `http` when the file is imported, and TLS sessions, senders and the time a connection took are not in it. A request that
/// was given up counts as a connection that was closed before an answer.
#[derive(Debug)]
pub struct PcapngWriter<W: Write> {
    out: W,
    devices: HashMap<String, u16>,
    hosts: HashMap<String, u16>,
    connections: u64,
}

/// What became of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It has its packets.
    Packets,
    /// No byte of it ever reached a server, hence it has none.
    NeverSent,
}

impl<W: Write> PcapngWriter<W> {
    /// Begins a file; `version` is that of the program.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(mut out: W, version: &str) -> io::Result<Self> {
        let mut section = Vec::new();
        section.extend_from_slice(&0x1A2B_3C4D_u32.to_le_bytes());
        section.extend_from_slice(&[1, 0, 0, 0]);
        section.extend_from_slice(&(-1_i64).to_le_bytes());
        option(&mut section, USER_APPLICATION, &format!("easrig {version}"));
        end_options(&mut section);
        block(&mut out, SECTION_HEADER, &section)?;
        // Ethernet, whole packets; times in microseconds, as is the rule.
        block(&mut out, INTERFACE, &[1, 0, 0, 0, 0, 0, 0, 0])?;
        Ok(Self { out, devices: HashMap::new(), hosts: HashMap::new(), connections: 0 })
    }

    /// Adds an exchange. `device` tells whose address it gets, `comment` stands at its first packet with data.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, exchange: &Exchange, device: &str, comment: &str) -> io::Result<Written> {
        if let Outcome::Failed(failure) = &exchange.outcome
            && !was_sent(failure)
        {
            return Ok(Written::NeverSent);
        }
        let mut connection = self.connect(exchange, device);
        let at = Timestamp(exchange.started.0.max(0));
        let done = at.after(std::time::Duration::from_micros(exchange.times.done));
        let request = Message::request(&exchange.request);
        let mut comment = remarks(comment, &request);
        let out = &mut self.out;
        let mut put = |packet: Packet| {
            // The handshake and bare acknowledgements hold nothing to comment on.
            let has_data = packet.frame.len() > BARE;
            let comment = if has_data { comment.take() } else { None };
            enhanced_packet(out, &packet, comment.as_deref())
        };
        connection.open(at).into_iter().try_for_each(&mut put)?;
        connection.say(End::Client, &request.bytes, (at, at), &mut put)?;
        let closer = match &exchange.outcome {
            Outcome::Answered(response) => {
                let answer = Message::answer(response, &exchange.request.method);
                let first = exchange.times.first_byte.map(std::time::Duration::from_micros);
                let first = first.map_or(done, |first| at.after(first)).min(done);
                let mut remark = remarks("", &answer);
                let mut put = |packet: Packet| {
                    let has_data = packet.frame.len() > BARE;
                    let remark = if has_data { remark.take() } else { None };
                    enhanced_packet(out, &packet, remark.as_deref())
                };
                connection.say(End::Server, &answer.bytes, (first, done), &mut put)?;
                End::Server
            }
            Outcome::Failed(Failure::Timeout { .. } | Failure::Cancelled) => End::Client,
            Outcome::Failed(_) => End::Server,
        };
        for packet in connection.close(closer, done) {
            enhanced_packet(out, &packet, None)?;
        }
        Ok(Written::Packets)
    }

    /// Ends the file and gives the writer back.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn connect(&mut self, exchange: &Exchange, device: &str) -> Connection {
        let number = self.connections;
        self.connections = number.wrapping_add(1);
        let ports = u64::from(CLIENT_PORTS.end - CLIENT_PORTS.start);
        let port = CLIENT_PORTS.start + u16::try_from(number % ports).unwrap_or(0);
        let url = &exchange.request.url;
        let host = format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0));
        let [high, low] = place(&mut self.devices, device).to_be_bytes();
        let client = Ipv4Addr::new(10, 0, high, low);
        let [high, low] = place(&mut self.hosts, &host).to_be_bytes();
        Connection::new((client, port), (Ipv4Addr::new(172, 16, high, low), PORT), number)
    }
}

const SECTION_HEADER: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const COMMENT: u16 = 1;
const USER_APPLICATION: u16 = 4;

/// The length of a frame without data.
const BARE: usize = 54;

/// The number of a name among those seen so far, from 1.
fn place(known: &mut HashMap<String, u16>, name: &str) -> u16 {
    if let Some(place) = known.get(name) {
        return *place;
    }
    let next = u16::try_from(known.len()).map_or(MAX_ADDRESSES, |count| count.saturating_add(1));
    if next < MAX_ADDRESSES {
        known.insert(name.to_owned(), next);
    }
    next.min(MAX_ADDRESSES)
}

/// Whether a request went out before this happened.
fn was_sent(failure: &Failure) -> bool {
    match failure {
        Failure::Dns { .. } | Failure::Refused { .. } | Failure::Unreachable { .. } | Failure::Tls { .. } => false,
        Failure::Timeout { phase, .. } => !matches!(phase, Phase::Connect | Phase::Handshake),
        Failure::Closed | Failure::NotHttp { .. } | Failure::Cancelled => true,
    }
}

/// What is said at the first packet of a message.
fn remarks(comment: &str, message: &Message) -> Option<String> {
    let own = message.changes.iter().map(|change| (*change).to_owned());
    let said = (!comment.is_empty()).then(|| comment.to_owned());
    let lines: Vec<String> = said.into_iter().chain(own).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn enhanced_packet(out: &mut impl Write, packet: &Packet, comment: Option<&str>) -> io::Result<()> {
    let at = u64::try_from(packet.at.0).unwrap_or(0);
    let length = u32::try_from(packet.frame.len()).unwrap_or(u32::MAX);
    let mut body = Vec::with_capacity(packet.frame.len() + 64);
    body.extend_from_slice(&0_u32.to_le_bytes());
    body.extend_from_slice(&((at >> 32) as u32).to_le_bytes());
    body.extend_from_slice(&((at & 0xFFFF_FFFF) as u32).to_le_bytes());
    body.extend_from_slice(&length.to_le_bytes());
    body.extend_from_slice(&length.to_le_bytes());
    body.extend_from_slice(&packet.frame);
    pad(&mut body);
    if let Some(comment) = comment {
        option(&mut body, COMMENT, comment);
        end_options(&mut body);
    }
    block(out, ENHANCED_PACKET, &body)
}

fn option(body: &mut Vec<u8>, code: u16, text: &str) {
    let end = (0..=text.len().min(MAX_COMMENT)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let text = text.get(..end).unwrap_or_default();
    body.extend_from_slice(&code.to_le_bytes());
    body.extend_from_slice(&u16::try_from(text.len()).unwrap_or(0).to_le_bytes());
    body.extend_from_slice(text.as_bytes());
    pad(body);
}

fn end_options(body: &mut Vec<u8>) {
    body.extend_from_slice(&[0; 4]);
}

/// Everything in a block begins at a multiple of four bytes.
fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

fn block(out: &mut impl Write, kind: u32, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len() + 12).unwrap_or(u32::MAX).to_le_bytes();
    out.write_all(&kind.to_le_bytes())?;
    out.write_all(&length)?;
    out.write_all(body)?;
    out.write_all(&length)
}
