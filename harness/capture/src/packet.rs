//! From a frame to a TCP segment: link layers, IP, fragments.

use std::net::{IpAddr, SocketAddr};

use etherparse::{EtherType, IpNumber, Ipv6ExtensionSlice, LaxNetSlice, LaxSlicedPacket, TcpSlice, TransportSlice};

use crate::import::Output;
use crate::pcap::Frame;
use crate::tcp::{Flows, Segment};
use crate::{ImportError, Options, Skip};
use fragments::{Fragment, FragmentId, Fragments};

mod fragments;

/// How a frame begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkType {
    Ethernet,
    LinuxCooked,
    LinuxCooked2,
    RawIp,
    /// BSD loopback: an address family in the byte order of the capturing host, or big-endian.
    Loopback,
    Unknown,
}

impl LinkType {
    /// By its number in the registry of link types.
    pub(crate) fn of_number(number: u32) -> Self {
        match number {
            0 | 108 => Self::Loopback,
            1 => Self::Ethernet,
            12 | 14 | 101 | 228 | 229 => Self::RawIp,
            113 => Self::LinuxCooked,
            276 => Self::LinuxCooked2,
            _ => Self::Unknown,
        }
    }
}

/// Takes frames, gives segments to the flows.
pub(crate) struct Packets<'a> {
    flows: Flows<'a>,
    fragments: Fragments,
}

impl<'a> Packets<'a> {
    pub(crate) fn new(options: &'a Options) -> Self {
        Self { flows: Flows::new(options), fragments: Fragments::default() }
    }

    /// Adds lines of a key log that the capture file brings along.
    pub(crate) fn add_keys(&mut self, text: &[u8]) {
        self.flows.add_keys(text);
    }

    pub(crate) fn frame(&mut self, frame: &Frame<'_>, out: &mut Output<'_>) -> Result<(), ImportError> {
        let packet = match sliced(frame.link, frame.bytes) {
            Ok(packet) => packet,
            Err(reason) => {
                out.tally.skip(reason);
                return Ok(());
            }
        };
        let Some((source, destination)) = addresses(&packet) else {
            out.tally.skip(Skip::NotIp);
            return Ok(());
        };
        match &packet.transport {
            Some(TransportSlice::Tcp(tcp)) => self.flows.segment(frame.at, &segment(source, destination, tcp), out),
            Some(_) => {
                out.tally.skip(Skip::NotTcp);
                Ok(())
            }
            None => match fragment(&packet, source, destination) {
                Some((id, part)) if id.protocol == IpNumber::TCP.0 => {
                    let whole = self.fragments.add(id, &part, &mut out.tally);
                    match whole.as_deref().map(TcpSlice::from_slice) {
                        Some(Ok(tcp)) => self.flows.segment(frame.at, &segment(source, destination, &tcp), out),
                        Some(Err(_)) => {
                            out.tally.skip(Skip::BadPacket);
                            Ok(())
                        }
                        None => Ok(()),
                    }
                }
                _ => {
                    let is_tcp = packet.ip_payload().is_some_and(|payload| payload.ip_number == IpNumber::TCP);
                    out.tally.skip(if is_tcp { Skip::BadPacket } else { Skip::NotTcp });
                    Ok(())
                }
            },
        }
    }

    pub(crate) fn finish(mut self, out: &mut Output<'_>) -> Result<(), ImportError> {
        self.fragments.finish(&mut out.tally);
        self.flows.finish(out)
    }
}

fn sliced(link: LinkType, bytes: &[u8]) -> Result<LaxSlicedPacket<'_>, Skip> {
    match link {
        LinkType::Ethernet => LaxSlicedPacket::from_ethernet(bytes).map_err(|_| Skip::BadPacket),
        LinkType::LinuxCooked => after_link(bytes, 14, 16),
        LinkType::LinuxCooked2 => after_link(bytes, 0, 20),
        LinkType::RawIp => LaxSlicedPacket::from_ip(bytes).map_err(|_| Skip::NotIp),
        LinkType::Loopback => LaxSlicedPacket::from_ip(bytes.get(4..).unwrap_or_default()).map_err(|_| Skip::NotIp),
        LinkType::Unknown => Err(Skip::LinkType),
    }
}

/// A link header that names an EtherType at `kind` and is `length` bytes long.
fn after_link(bytes: &[u8], kind: usize, length: usize) -> Result<LaxSlicedPacket<'_>, Skip> {
    let kind = bytes.get(kind..).and_then(|rest| rest.first_chunk::<2>()).ok_or(Skip::BadPacket)?;
    let rest = bytes.get(length..).ok_or(Skip::BadPacket)?;
    Ok(LaxSlicedPacket::from_ether_type(EtherType(u16::from_be_bytes(*kind)), rest))
}

fn addresses(packet: &LaxSlicedPacket<'_>) -> Option<(IpAddr, IpAddr)> {
    match packet.net.as_ref()? {
        LaxNetSlice::Ipv4(ip) => {
            let header = ip.header();
            Some((header.source_addr().into(), header.destination_addr().into()))
        }
        LaxNetSlice::Ipv6(ip) => {
            let header = ip.header();
            Some((header.source_addr().into(), header.destination_addr().into()))
        }
        LaxNetSlice::Arp(_) => None,
    }
}

fn segment<'p>(source: IpAddr, destination: IpAddr, tcp: &TcpSlice<'p>) -> Segment<'p> {
    Segment {
        source: SocketAddr::new(source, tcp.source_port()),
        destination: SocketAddr::new(destination, tcp.destination_port()),
        sequence: tcp.sequence_number(),
        acknowledged: tcp.ack().then(|| tcp.acknowledgment_number()),
        syn: tcp.syn(),
        fin: tcp.fin(),
        rst: tcp.rst(),
        payload: tcp.payload(),
    }
}

/// The fragment in a packet, if it holds one.
fn fragment<'p>(
    packet: &LaxSlicedPacket<'p>,
    source: IpAddr,
    destination: IpAddr,
) -> Option<(FragmentId, Fragment<'p>)> {
    let (number, offset, more, payload) = match packet.net.as_ref()? {
        LaxNetSlice::Ipv4(ip) if ip.is_payload_fragmented() => {
            let header = ip.header();
            let number = u32::from(header.identification());
            (number, header.fragments_offset().byte_offset(), header.more_fragments(), ip.payload())
        }
        LaxNetSlice::Ipv6(ip) if ip.is_payload_fragmented() => {
            let extension = ip.extensions().clone().into_iter().find_map(|extension| match extension {
                Ipv6ExtensionSlice::Fragment(fragment) => Some(fragment.to_header()),
                _ => None,
            })?;
            (extension.identification, extension.fragment_offset.byte_offset(), extension.more_fragments, ip.payload())
        }
        _ => return None,
    };
    if payload.incomplete {
        return None;
    }
    let id = FragmentId { source, destination, number, protocol: payload.ip_number.0 };
    Some((id, Fragment { offset: usize::from(offset), more, bytes: payload.payload }))
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;

    use super::*;

    fn ip_packet() -> Vec<u8> {
        let mut bytes = Vec::new();
        PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .tcp(51000, 80, 7, 1024)
            .write(&mut bytes, b"hello")
            .unwrap();
        bytes
    }

    fn payload(link: LinkType, frame: &[u8]) -> Option<Vec<u8>> {
        let packet = sliced(link, frame).ok()?;
        match packet.transport? {
            TransportSlice::Tcp(tcp) => Some(tcp.payload().to_vec()),
            _ => None,
        }
    }

    #[test]
    fn every_link_type_leads_to_the_segment() {
        let ip = ip_packet();
        let with = |head: &[u8]| [head, &ip].concat();
        let ethernet = [[2_u8; 12].as_slice(), &[8, 0]].concat();
        let vlan = [[2_u8; 12].as_slice(), &[0x81, 0, 0, 5, 8, 0]].concat();
        let cooked = [[0_u8; 14].as_slice(), &[8, 0]].concat();
        let cooked2 = [[8_u8, 0].as_slice(), &[0; 18]].concat();
        for (link, head) in [
            (LinkType::Ethernet, ethernet),
            (LinkType::Ethernet, vlan),
            (LinkType::LinuxCooked, cooked),
            (LinkType::LinuxCooked2, cooked2),
            (LinkType::RawIp, Vec::new()),
            (LinkType::Loopback, vec![2, 0, 0, 0]),
            (LinkType::Loopback, vec![0, 0, 0, 2]),
        ] {
            assert_eq!(payload(link, &with(&head)).as_deref(), Some(b"hello".as_slice()), "{link:?}");
        }
    }

    #[test]
    fn ethernet_padding_is_not_payload() {
        let mut frame = [[2_u8; 12].as_slice(), &[8, 0]].concat();
        frame.extend(ip_packet());
        frame.extend([0; 6]);
        assert_eq!(payload(LinkType::Ethernet, &frame).as_deref(), Some(b"hello".as_slice()));
    }
}
