//! Any bytes as the two sides of one TCP connection: plain HTTP and TLS records without a file around them.
#![no_main]

use std::io::Cursor;

use easrig_capture::{KeyLog, Options, import};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|parts: Vec<(bool, u8, Vec<u8>)>| {
    let mut file = Vec::new();
    for number in [0xA1B2_C3D4_u32, 0x0004_0002, 0, 0, 262_144, 101] {
        file.extend(number.to_le_bytes());
    }
    let mut sequences = [1_u32, 1];
    for (at, (from_server, skip, payload)) in parts.iter().enumerate().take(64) {
        let payload = &payload[..payload.len().min(1400)];
        let side = usize::from(*from_server);
        // Mostly in order; sometimes bytes are missing.
        let sequence = sequences[side].wrapping_add(u32::from(skip.saturating_sub(250)));
        sequences[side] = sequence.wrapping_add(payload.len() as u32);
        let packet = packet(*from_server, sequence, sequences[1 - side], payload);
        for number in [at as u32, 0, packet.len() as u32, packet.len() as u32] {
            file.extend(number.to_le_bytes());
        }
        file.extend(packet);
    }
    let line = format!("CLIENT_RANDOM {} {}\n", "00".repeat(32), "11".repeat(48));
    let key_log = KeyLog::read(line.as_bytes()).expect("one key");
    let options = Options { key_log, ..Options::default() };
    import(Cursor::new(file), &options, &mut |_| Ok(())).expect("the file itself is sound");
});

fn packet(from_server: bool, sequence: u32, acknowledged: u32, payload: &[u8]) -> Vec<u8> {
    let (ends, ports) = if from_server { ([2, 1], [80, 50000]) } else { ([1, 2], [50000_u16, 80]) };
    let length = (40 + payload.len()) as u16;
    let mut packet = vec![0x45, 0];
    packet.extend(length.to_be_bytes());
    packet.extend([0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, ends[0], 10, 0, 0, ends[1]]);
    ports.iter().for_each(|port: &u16| packet.extend(port.to_be_bytes()));
    packet.extend(sequence.to_be_bytes());
    packet.extend(acknowledged.to_be_bytes());
    packet.extend([0x50, 0x10, 0xFF, 0xFF, 0, 0, 0, 0]);
    packet.extend(payload);
    packet
}
