//! Live capture from a network interface, with libpcap, into a pcapng file that [`crate::import()`] reads.

use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pcap::{Active, Capture, Device};
use serde::Serialize;
use thiserror::Error;

/// The longest part of a packet that is kept.
const SNAPLEN: i32 = 262_144;

/// How long packets may stay with the system before it hands them over, in milliseconds.
const RETIRE: i32 = 100;

/// Bytes that the system keeps for us while we write.
const BUFFER: i32 = 64 << 20;

/// How long to wait for packets before looking again, and whether to stop.
const PATIENCE: Duration = Duration::from_millis(50);

/// What to capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveOptions {
    /// Name of the interface (`eth0`).
    pub interface: String,
    /// Filter in libpcap's language (`tcp port 443`).
    pub filter: Option<String>,
}

/// What was captured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LiveTally {
    /// Packets written.
    pub packets: u64,
    /// Packets that came faster than they could be taken.
    pub dropped: u64,
    /// Packets that the interface itself lost.
    pub interface_dropped: u64,
}

/// Why nothing can be captured.
#[derive(Debug, Error)]
pub enum LiveError {
    /// No such interface.
    #[error("no interface `{wanted}`; there are: {}", known.join(", "))]
    NoInterface {
        /// The name that was given.
        wanted: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// The system does not let this user capture.
    #[error("capturing on `{interface}` needs a privilege (root, or CAP_NET_RAW on the program): {detail}")]
    NotAllowed {
        /// The interface.
        interface: String,
        /// The system's own words.
        detail: String,
    },
    /// The filter is not understood.
    #[error("the filter is not understood: {0}")]
    BadFilter(String),
    /// Anything else that libpcap says.
    #[error("the capture failed: {0}")]
    Pcap(#[from] pcap::Error),
    /// The file cannot be written, or the key log cannot be read.
    #[error("the capture could not be written: {0}")]
    Io(#[from] io::Error),
}

/// Captures until `stop` is set, then adds what stands in `key_log`, so that the file opens by itself.
///
/// # Errors
/// [`LiveError`]; what was captured before it is in `out`.
pub fn capture(
    options: &LiveOptions,
    key_log: Option<&mut dyn Read>,
    mut out: impl Write,
    stop: &AtomicBool,
) -> Result<LiveTally, LiveError> {
    let mut capture = open(options)?;
    let link = u16::try_from(capture.get_datalink().0).unwrap_or(u16::MAX);
    out.write_all(&block(0x0A0D_0D0A, &section()))?;
    out.write_all(&block(1, &interface(link)))?;
    let mut tally = LiveTally::default();
    while !stop.load(Ordering::Relaxed) {
        match capture.next_packet() {
            Ok(packet) => {
                let seconds = packet.header.ts.tv_sec.cast_unsigned();
                let micros = packet.header.ts.tv_usec.cast_unsigned();
                let at = seconds.wrapping_mul(1_000_000).wrapping_add(micros);
                out.write_all(&block(6, &enhanced(at, packet.header.len, packet.data)))?;
                tally.packets = tally.packets.saturating_add(1);
            }
            Err(pcap::Error::TimeoutExpired) => {
                out.flush()?;
                std::thread::sleep(PATIENCE);
            }
            Err(pcap::Error::NoMorePackets) => break,
            Err(error) => return Err(error.into()),
        }
    }
    let stats = capture.stats()?;
    tally.dropped = u64::from(stats.dropped);
    tally.interface_dropped = u64::from(stats.if_dropped);
    if let Some(log) = key_log {
        let mut text = Vec::new();
        log.read_to_end(&mut text)?;
        out.write_all(&block(10, &secrets(&text)))?;
    }
    out.flush()?;
    Ok(tally)
}

fn open(options: &LiveOptions) -> Result<Capture<Active>, LiveError> {
    let interface = &options.interface;
    let known: Vec<String> = Device::list().unwrap_or_default().into_iter().map(|device| device.name).collect();
    // Without the privilege some systems list nothing, and say so only on opening.
    if !known.is_empty() && !known.contains(interface) {
        return Err(LiveError::NoInterface { wanted: interface.clone(), known });
    }
    let inactive =
        Capture::from_device(interface.as_str())?.snaplen(SNAPLEN).timeout(RETIRE).buffer_size(BUFFER).promisc(false);
    let mut capture = inactive.open().map_err(|error| {
        let detail = error.to_string();
        let lower = detail.to_ascii_lowercase();
        if lower.contains("permi") || lower.contains("privil") {
            LiveError::NotAllowed { interface: interface.clone(), detail }
        } else {
            LiveError::Pcap(error)
        }
    })?;
    if let Some(filter) = &options.filter {
        capture.filter(filter, true).map_err(|error| LiveError::BadFilter(error.to_string()))?;
    }
    // On Linux the timeout of libpcap does not end a wait in which nothing comes at all.
    Ok(capture.setnonblock()?)
}

/// A block of pcapng: its type, its length, its body on a multiple of four bytes, its length again.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let length = u32::try_from(padded.saturating_add(12)).unwrap_or(u32::MAX).to_le_bytes();
    let mut block = [&kind.to_le_bytes()[..], &length, body].concat();
    block.resize(padded.saturating_add(8), 0);
    block.extend_from_slice(&length);
    block
}

fn section() -> Vec<u8> {
    [&0x1A2B_3C4D_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xFF; 8]].concat()
}

fn interface(link: u16) -> Vec<u8> {
    [&link.to_le_bytes()[..], &[0, 0], &SNAPLEN.to_le_bytes()].concat()
}

fn enhanced(at: u64, length: u32, data: &[u8]) -> Vec<u8> {
    let kept = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let [high, low] = [at >> 32, at & u64::from(u32::MAX)].map(|half| u32::try_from(half).unwrap_or(0));
    let head: Vec<u8> = [0, high, low, kept, length].into_iter().flat_map(u32::to_le_bytes).collect();
    [&head, data].concat()
}

fn secrets(text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    [&0x544C_534B_u32.to_le_bytes()[..], &length.to_le_bytes(), text].concat()
}
