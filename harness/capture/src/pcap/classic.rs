//! libpcap's classic format: one header, then frames.

use std::io::Read;

use easrig_exchange::Timestamp;

use super::{Frame, MAX_BLOCK, Order, frame, torn};
use crate::ImportError;
use crate::import::Output;
use crate::packet::{LinkType, Packets};
use crate::pcap::window::Window;

const FILE_HEADER: usize = 24;
const FRAME_HEADER: usize = 16;

/// What the magic number says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    order: Order,
    nanoseconds: bool,
}

impl Header {
    pub(super) fn of_magic(magic: &[u8]) -> Option<Self> {
        let (order, nanoseconds) = match magic {
            [0xD4, 0xC3, 0xB2, 0xA1] => (Order::Little, false),
            [0xA1, 0xB2, 0xC3, 0xD4] => (Order::Big, false),
            [0x4D, 0x3C, 0xB2, 0xA1] => (Order::Little, true),
            [0xA1, 0xB2, 0x3C, 0x4D] => (Order::Big, true),
            _ => return None,
        };
        Some(Self { order, nanoseconds })
    }

    fn time(self, head: &[u8]) -> Timestamp {
        let (seconds, fraction) = (self.order.u32(head, 0), self.order.u32(head, 4));
        let micros = if self.nanoseconds { fraction / 1000 } else { fraction };
        Timestamp(i64::from(seconds) * 1_000_000 + i64::from(micros))
    }
}

pub(super) fn read<R: Read>(
    header: Header,
    window: &mut Window<R>,
    packets: &mut Packets<'_>,
    out: &mut Output<'_>,
) -> Result<(), ImportError> {
    if !window.fill(FILE_HEADER)? {
        return Err(ImportError::Unreadable { offset: 0, what: "the file ends inside its header".to_owned() });
    }
    // The upper bits of the link type hold the length of the frame check sequence.
    let link = LinkType::of_number(header.order.u32(window.peek(FILE_HEADER), 20) & 0xFFFF);
    window.advance(FILE_HEADER);
    while window.fill(FRAME_HEADER)? {
        let head = window.peek(FRAME_HEADER);
        let at = header.time(head);
        let kept = header.order.u32(head, 8) as usize;
        let length = header.order.u32(head, 12) as usize;
        if kept > MAX_BLOCK {
            out.tally.damaged(window.offset(), format!("a frame of {kept} bytes"));
            return Ok(());
        }
        let whole = FRAME_HEADER + kept;
        if !window.fill(whole)? {
            torn(window, out, "a frame");
            return Ok(());
        }
        let bytes = window.peek(whole).get(FRAME_HEADER..).unwrap_or_default();
        frame(&Frame { link, at, bytes, length }, packets, out)?;
        window.advance(whole);
    }
    if !window.is_empty() {
        torn(window, out, "the header of a frame");
    }
    Ok(())
}
