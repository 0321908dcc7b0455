//! pcapng: sections of blocks, each with its length at both ends.

use std::io::{self, Read, Seek};

use easrig_exchange::Timestamp;

use super::{Frame, MAX_BLOCK, Order, frame, torn};
use crate::import::Output;
use crate::packet::{LinkType, Packets};
use crate::pcap::window::Window;
use crate::{ImportError, Skip};

const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const SECRETS: u32 = 10;

/// Secrets that are a TLS key log, in a Decryption Secrets Block (`TLSK`).
const TLS_KEY_LOG: u32 = 0x544C_534B;

/// The most interfaces of one section that are remembered.
const MAX_INTERFACES: usize = 1024;

pub(super) fn read<R: Read>(
    window: &mut Window<R>,
    packets: &mut Packets<'_>,
    out: &mut Output<'_>,
) -> Result<(), ImportError> {
    let mut section = Section { order: Order::Little, interfaces: Vec::new() };
    while window.fill(12)? {
        let head = window.peek(12);
        if Order::Little.u32(head, 0) == SECTION {
            let Some(next) = Section::of_magic(head.get(8..).unwrap_or_default()) else {
                return damage(window, out, "a section without its byte order".to_owned());
            };
            section = next;
        }
        let head = window.peek(12);
        let kind = section.order.u32(head, 0);
        let length = section.order.u32(head, 4) as usize;
        if !(12..=MAX_BLOCK).contains(&length) || !length.is_multiple_of(4) {
            return damage(window, out, format!("a block of {length} bytes"));
        }
        if !window.fill(length)? {
            section.torn_secrets(kind, window.peek(length), packets);
            torn(window, out, "a block");
            return Ok(());
        }
        let block = window.peek(length);
        if section.order.u32(block, length - 4) as usize != length {
            return damage(window, out, format!("a block whose two lengths differ, the first is {length}"));
        }
        let body = block.get(8..length - 4).unwrap_or_default();
        section.block(kind, body, packets, out)?;
        window.advance(length);
    }
    if !window.is_empty() {
        torn(window, out, "the head of a block");
    }
    Ok(())
}

/// The text of every key log inside a file, whatever else it holds; the reader is left anywhere.
pub(super) fn all_keys<R: Read + Seek>(input: &mut io::BufReader<R>) -> io::Result<Vec<u8>> {
    let mut keys = Vec::new();
    let mut order = Order::Little;
    let mut head = [0; 12];
    while keys.len() < MAX_BLOCK && read_whole(input, &mut head)? {
        if Order::Little.u32(&head, 0) == SECTION {
            let Some(section) = Section::of_magic(head.get(8..).unwrap_or_default()) else { break };
            order = section.order;
        }
        let length = order.u32(&head, 4) as usize;
        if !(12..=MAX_BLOCK).contains(&length) {
            break;
        }
        let mut rest = i64::try_from(length - 12).unwrap_or(0);
        if order.u32(&head, 0) == SECRETS && order.u32(&head, 8) == TLS_KEY_LOG && length >= 20 {
            let mut text = Vec::new();
            input.take(length as u64 - 12).read_to_end(&mut text)?;
            let kept = order.u32(&text, 0) as usize;
            let text = text.get(4..).unwrap_or_default();
            keys.extend_from_slice(text.get(..kept).unwrap_or(text));
            keys.push(b'\n');
            rest = 0;
        }
        input.seek_relative(rest)?;
    }
    Ok(keys)
}

fn read_whole(input: &mut impl Read, into: &mut [u8]) -> io::Result<bool> {
    match input.read_exact(into) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn damage<R: Read>(window: &Window<R>, out: &mut Output<'_>, what: String) -> Result<(), ImportError> {
    match window.offset() {
        0 => Err(ImportError::Unreadable { offset: 0, what }),
        offset => {
            out.tally.damaged(offset, what);
            Ok(())
        }
    }
}

/// A section and the interfaces it has named so far.
struct Section {
    order: Order,
    interfaces: Vec<Interface>,
}

impl Section {
    fn of_magic(magic: &[u8]) -> Option<Self> {
        let order = match magic {
            [0x4D, 0x3C, 0x2B, 0x1A, ..] => Order::Little,
            [0x1A, 0x2B, 0x3C, 0x4D, ..] => Order::Big,
            _ => return None,
        };
        Some(Self { order, interfaces: Vec::new() })
    }

    fn block(
        &mut self,
        kind: u32,
        body: &[u8],
        packets: &mut Packets<'_>,
        out: &mut Output<'_>,
    ) -> Result<(), ImportError> {
        let order = self.order;
        match kind {
            INTERFACE if self.interfaces.len() < MAX_INTERFACES => self.interfaces.push(Interface::read(order, body)),
            INTERFACE => out.tally.skip(Skip::BadBlock),
            ENHANCED_PACKET => self.packet(order.u32(body, 0), body, packets, out)?,
            OLD_PACKET => self.packet(u32::from(order.u16(body, 0)), body, packets, out)?,
            SIMPLE_PACKET => {
                let Some(link) = self.interfaces.first().map(|interface| interface.link) else {
                    out.tally.skip(Skip::BadBlock);
                    return Ok(());
                };
                let length = order.u32(body, 0) as usize;
                let data = body.get(4..).unwrap_or_default();
                let bytes = data.get(..length).unwrap_or(data);
                frame(&Frame { link, at: Timestamp(0), bytes, length }, packets, out)?;
            }
            SECRETS => self.secrets(body, packets, out),
            _ => {}
        }
        Ok(())
    }

    fn packet(
        &self,
        interface: u32,
        body: &[u8],
        packets: &mut Packets<'_>,
        out: &mut Output<'_>,
    ) -> Result<(), ImportError> {
        let interface = usize::try_from(interface).ok().and_then(|number| self.interfaces.get(number));
        let kept = self.order.u32(body, 12) as usize;
        let bytes = body.get(20..).and_then(|rest| rest.get(..kept));
        let (Some(interface), Some(bytes)) = (interface, bytes) else {
            out.tally.skip(Skip::BadBlock);
            return Ok(());
        };
        let ticks = u64::from(self.order.u32(body, 4)) << 32 | u64::from(self.order.u32(body, 8));
        let length = self.order.u32(body, 16) as usize;
        frame(&Frame { link: interface.link, at: interface.time(ticks), bytes, length }, packets, out)
    }

    fn secrets(&self, body: &[u8], packets: &mut Packets<'_>, out: &mut Output<'_>) {
        let length = self.order.u32(body, 4) as usize;
        match body.get(8..).and_then(|rest| rest.get(..length)) {
            Some(text) if self.order.u32(body, 0) == TLS_KEY_LOG => packets.add_keys(text),
            Some(_) => {}
            None => out.tally.skip(Skip::BadBlock),
        }
    }

    /// The keys of a block that the end of the file cut: whole lines still count.
    fn torn_secrets(&self, kind: u32, block: &[u8], packets: &mut Packets<'_>) {
        if kind == SECRETS && self.order.u32(block, 8) == TLS_KEY_LOG {
            packets.add_keys(block.get(16..).unwrap_or_default());
        }
    }
}

/// What an interface says about its frames.
struct Interface {
    link: LinkType,
    ticks_per_second: u64,
    /// Seconds to add to every time.
    offset: i64,
}

impl Interface {
    fn read(order: Order, body: &[u8]) -> Self {
        let link = LinkType::of_number(u32::from(order.u16(body, 0)));
        let mut interface = Self { link, ticks_per_second: 1_000_000, offset: 0 };
        let mut options = body.get(8..).unwrap_or_default();
        while options.len() >= 4 {
            let (code, length) = (order.u16(options, 0), usize::from(order.u16(options, 2)));
            let value = options.get(4..).and_then(|rest| rest.get(..length)).unwrap_or_default();
            match (code, value) {
                (0, _) => break,
                (9, [resolution]) => interface.ticks_per_second = ticks(*resolution),
                (14, [_, _, _, _, _, _, _, _]) => interface.offset = seconds(order, value),
                _ => {}
            }
            let next = length.next_multiple_of(4).saturating_add(4);
            options = options.get(next..).unwrap_or_default();
        }
        interface
    }

    fn time(&self, ticks: u64) -> Timestamp {
        let micros = u128::from(ticks) * 1_000_000 / u128::from(self.ticks_per_second);
        let offset = i128::from(self.offset) * 1_000_000;
        let sum = i128::try_from(micros).unwrap_or(i128::MAX).saturating_add(offset);
        Timestamp(i64::try_from(sum).unwrap_or(i64::MAX))
    }
}

/// `if_tsresol`: a power of 10, or of 2 with the upper bit set.
fn ticks(resolution: u8) -> u64 {
    let exponent = u32::from(resolution & 0x7F);
    let base: u64 = if resolution & 0x80 == 0 { 10 } else { 2 };
    base.checked_pow(exponent).unwrap_or(u64::MAX)
}

fn seconds(order: Order, value: &[u8]) -> i64 {
    let (first, second) = (u64::from(order.u32(value, 0)), u64::from(order.u32(value, 4)));
    let raw = match order {
        Order::Little => second << 32 | first,
        Order::Big => first << 32 | second,
    };
    raw.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_follow_the_resolution_of_their_interface() {
        let interface = |resolution: u8, offset| Interface {
            link: LinkType::Ethernet,
            ticks_per_second: ticks(resolution),
            offset,
        };
        assert_eq!(interface(6, 0).time(1_500_000), Timestamp(1_500_000));
        assert_eq!(interface(9, 0).time(1_500_000_000), Timestamp(1_500_000));
        assert_eq!(interface(0x8A, 0).time(1536), Timestamp(1_500_000));
        assert_eq!(interface(0, 10).time(2), Timestamp(12_000_000));
        assert_eq!(interface(0x7F, 0).time(u64::MAX), Timestamp(1_000_000));
    }
}
