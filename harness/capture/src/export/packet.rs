use std::net::Ipv4Addr;

use easrig_exchange::Timestamp;

/// Bytes of TCP payload in one packet, as on an Ethernet.
pub(super) const SEGMENT: usize = 1460;

/// Packets of data between two acknowledgements.
const BURST: usize = 16;

const FIN: u8 = 1;
const SYN: u8 = 2;
const PUSH: u8 = 8;
const ACK: u8 = 16;

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Client,
    Server,
}

/// One TCP connection that is written packet by packet.
pub(super) struct Connection {
    addresses: [(Ipv4Addr, u16); 2],
    next: [u32; 2],
    identification: u16,
}

impl Connection {
    /// `number` makes the sequence numbers differ from those of others.
    pub(super) fn new(client: (Ipv4Addr, u16), server: (Ipv4Addr, u16), number: u64) -> Self {
        let first = |step: u64| (number.wrapping_mul(step) & 0xFFFF_FFFF) as u32;
        Self { addresses: [client, server], next: [first(0x9E37_79B1), first(0x85EB_CA77)], identification: 0 }
    }

    /// SYN, SYN and ACK, ACK.
    pub(super) fn open(&mut self, at: Timestamp) -> [Packet; 3] {
        let syn = self.packet(End::Client, SYN, &[], at);
        let answer = self.packet(End::Server, SYN | ACK, &[], at);
        [syn, answer, self.packet(End::Client, ACK, &[], at)]
    }

    /// A message: its first byte at `from`, its last one at `to`, and what the other end acknowledges.
    pub(super) fn say(
        &mut self,
        end: End,
        message: &[u8],
        (from, to): (Timestamp, Timestamp),
        out: &mut dyn FnMut(Packet) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        // Two packets at least, when the first byte and the last one have times of their own.
        let most = if from < to { message.len().div_ceil(2).clamp(1, SEGMENT) } else { SEGMENT };
        let count = message.len().div_ceil(most);
        for (index, part) in message.chunks(most).enumerate() {
            let is_last = index + 1 == count;
            let at = between(from, to, index, count);
            out(self.packet(end, if is_last { PUSH | ACK } else { ACK }, part, at))?;
            if is_last || index % BURST == BURST - 1 {
                out(self.packet(end.other(), ACK, &[], at))?;
            }
        }
        Ok(())
    }

    /// FIN from `first`, then from the other.
    pub(super) fn close(&mut self, first: End, at: Timestamp) -> [Packet; 3] {
        let one = self.packet(first, FIN | ACK, &[], at);
        let other = self.packet(first.other(), FIN | ACK, &[], at);
        [one, other, self.packet(first, ACK, &[], at)]
    }

    fn packet(&mut self, end: End, flags: u8, payload: &[u8], at: Timestamp) -> Packet {
        let ([client, server], [ours, theirs]) = (self.addresses, self.next);
        let (source, target, sequence, acknowledged) = match end {
            End::Client => (client, server, ours, theirs),
            End::Server => (server, client, theirs, ours),
        };
        let acknowledged = if flags & ACK == 0 { 0 } else { acknowledged };
        self.identification = self.identification.wrapping_add(1);
        let frame = frame(source, target, (sequence, acknowledged), flags, self.identification, payload);
        let [ours, theirs] = &mut self.next;
        let next = if end == End::Client { ours } else { theirs };
        let counted = payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        *next = next.wrapping_add(counted);
        Packet { at, frame }
    }
}

impl End {
    fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// An Ethernet frame and when it was seen.
pub(super) struct Packet {
    pub(super) at: Timestamp,
    pub(super) frame: Vec<u8>,
}

/// The time of packet `index` of `count`: the first at `from`, the last at `to`.
fn between(from: Timestamp, to: Timestamp, index: usize, count: usize) -> Timestamp {
    let span = i128::from(to.0.saturating_sub(from.0));
    let (index, last) = (index as i128, (count.saturating_sub(1)).max(1) as i128);
    Timestamp(from.0.saturating_add(i64::try_from(span * index / last).unwrap_or(0)))
}

fn frame(
    (source, source_port): (Ipv4Addr, u16),
    (target, target_port): (Ipv4Addr, u16),
    (sequence, acknowledged): (u32, u32),
    flags: u8,
    identification: u16,
    payload: &[u8],
) -> Vec<u8> {
    let mut tcp = Vec::with_capacity(20 + payload.len());
    tcp.extend_from_slice(&source_port.to_be_bytes());
    tcp.extend_from_slice(&target_port.to_be_bytes());
    tcp.extend_from_slice(&sequence.to_be_bytes());
    tcp.extend_from_slice(&acknowledged.to_be_bytes());
    // Header length 5 words; the widest window; checksum and urgent pointer.
    tcp.extend_from_slice(&[5 << 4, flags, 0xFF, 0xFF, 0, 0, 0, 0]);
    tcp.extend_from_slice(payload);
    let length = tcp.len() as u16;
    let mut pseudo = [0_u8; 12];
    pseudo[..4].copy_from_slice(&source.octets());
    pseudo[4..8].copy_from_slice(&target.octets());
    pseudo[9] = 6;
    pseudo[10..].copy_from_slice(&length.to_be_bytes());
    let sum = checksum(&[&pseudo, &tcp]);
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());

    let mut ip = [0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    ip[2..4].copy_from_slice(&(length + 20).to_be_bytes());
    ip[4..6].copy_from_slice(&identification.to_be_bytes());
    ip[12..16].copy_from_slice(&source.octets());
    ip[16..].copy_from_slice(&target.octets());
    let sum = checksum(&[&ip]);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());

    let mut frame = Vec::with_capacity(34 + tcp.len());
    // Locally administered addresses that hold the IP address; EtherType IPv4.
    for address in [target, source] {
        frame.extend_from_slice(&[2, 0]);
        frame.extend_from_slice(&address.octets());
    }
    frame.extend_from_slice(&[8, 0]);
    frame.extend_from_slice(&ip);
    frame.extend_from_slice(&tcp);
    frame
}

/// The Internet checksum (RFC 1071) of parts of which all but the last have an even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let sum = words.fold(0_u32, |sum, word| {
        let word = u16::from_be_bytes([word[0], word.get(1).copied().unwrap_or(0)]);
        sum.wrapping_add(u32::from(word))
    });
    let folded = (sum & 0xFFFF) + (sum >> 16);
    !((folded & 0xFFFF) + (folded >> 16)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_that_of_the_standard() {
        // RFC 1071, section 3.
        assert_eq!(checksum(&[&[0x00, 0x01, 0xF2, 0x03], &[0xF4, 0xF5, 0xF6, 0xF7]]), !0xDDF2);
        assert_eq!(checksum(&[&[0x12, 0x34], &[0x56]]), !0x6834);
    }

    #[test]
    fn packets_of_a_message_fill_the_time_from_its_first_byte_to_its_last() {
        let mut connection = Connection::new((Ipv4Addr::LOCALHOST, 1), (Ipv4Addr::LOCALHOST, 2), 1);
        let mut times = Vec::new();
        let span = (Timestamp(100), Timestamp(400));
        let mut out = |packet: Packet| {
            times.push((packet.at.0, packet.frame.len() - 54));
            Ok(())
        };
        connection.say(End::Server, &[7; 4000], span, &mut out).unwrap();
        connection.say(End::Server, b"ab", span, &mut out).unwrap();
        let expected = [(100, 1460), (250, 1460), (400, 1080), (400, 0), (100, 1), (400, 1), (400, 0)];
        assert_eq!(times, expected);
    }
}
