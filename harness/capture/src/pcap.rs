//! pcap and pcapng files: from bytes to frames with their link type and time.

use std::io::{BufReader, Read, Seek, SeekFrom};

use easrig_exchange::Timestamp;

use crate::import::Output;
use crate::packet::{LinkType, Packets};
use crate::{ImportError, Options, Skip};
use window::Window;

mod classic;
mod ng;
mod window;

/// The longest frame or block that is read; capture programs stop at 256 KiB.
const MAX_BLOCK: usize = 16 << 20;

/// How much is asked of a file at a time.
const STEP: usize = 256 << 10;

/// Reads a capture file to its end, or to where it is damaged.
///
/// The keys inside a pcapng count wherever they stand: they are gathered before.
pub(crate) fn import_file<R: Read + Seek>(
    input: R,
    options: &Options,
    out: &mut Output<'_>,
) -> Result<(), ImportError> {
    let mut input = BufReader::with_capacity(STEP, input);
    let start = input.stream_position()?;
    let keys = ng::all_keys(&mut input)?;
    input.seek(SeekFrom::Start(start))?;
    let mut packets = Packets::new(options);
    packets.add_keys(&keys);
    read(input, packets, out)
}

/// Reads a capture that cannot be read twice; keys inside count from where they stand.
pub(crate) fn import<R: Read>(input: R, options: &Options, out: &mut Output<'_>) -> Result<(), ImportError> {
    read(input, Packets::new(options), out)
}

fn read<R: Read>(input: R, mut packets: Packets<'_>, out: &mut Output<'_>) -> Result<(), ImportError> {
    let mut window = Window::new(input);
    if !window.fill(4)? {
        return Err(ImportError::Unknown);
    }
    match window.peek(4) {
        [0x0A, 0x0D, 0x0D, 0x0A] => ng::read(&mut window, &mut packets, out)?,
        magic => match classic::Header::of_magic(magic) {
            Some(header) => classic::read(header, &mut window, &mut packets, out)?,
            None => return Err(ImportError::Unknown),
        },
    }
    packets.finish(out)
}

/// One captured frame.
pub(crate) struct Frame<'a> {
    pub(crate) link: LinkType,
    pub(crate) at: Timestamp,
    pub(crate) bytes: &'a [u8],
    /// Length on the wire; more than `bytes` when the capturing program cut it.
    pub(crate) length: usize,
}

/// How the numbers of a file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let raw = bytes.get(at..).and_then(|rest| rest.first_chunk::<2>()).copied().unwrap_or_default();
        match self {
            Self::Little => u16::from_le_bytes(raw),
            Self::Big => u16::from_be_bytes(raw),
        }
    }

    fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let raw = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()).copied().unwrap_or_default();
        match self {
            Self::Little => u32::from_le_bytes(raw),
            Self::Big => u32::from_be_bytes(raw),
        }
    }
}

/// Says how much of the last structure was there, and that it is the end.
fn torn<R: Read>(window: &Window<R>, out: &mut Output<'_>, what: &str) {
    out.tally.damaged(window.offset(), format!("the file ends inside {what}"));
}

fn frame(frame: &Frame<'_>, packets: &mut Packets<'_>, out: &mut Output<'_>) -> Result<(), ImportError> {
    out.tally.packets = out.tally.packets.saturating_add(1);
    if frame.bytes.len() < frame.length {
        out.tally.skip(Skip::CutPacket);
    }
    packets.frame(frame, out)
}
