//! Any bytes as the two sides of one HTTP/2 connection: two of them say how many are the client's, the rest is the server's.
//! With their highest bit set nothing stands before the client's: a connection from its middle, or one that begins in HTTP/1.
#![no_main]

use std::io::Cursor;

use easrig_capture::{Options, import};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((head, rest)) = bytes.split_first_chunk::<2>() else { return };
    let length = u16::from_le_bytes(*head);
    let (client, server) = rest.split_at(usize::from(length & 0x7FFF).min(rest.len()));
    let preface = if length & 0x8000 == 0 { b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice() } else { &[] };
    let client = [preface, client].concat();
    let mut file = Vec::new();
    for number in [0xA1B2_C3D4_u32, 0x0004_0002, 0, 0, 262_144, 101] {
        file.extend(number.to_le_bytes());
    }
    let mut sides = [(client.as_slice(), 1_u32), (server, 1)];
    while sides.iter().any(|(rest, _)| !rest.is_empty()) {
        for from_server in [false, true] {
            let (rest, sequence) = sides[usize::from(from_server)];
            let (payload, behind) = rest.split_at(rest.len().min(1400));
            if !payload.is_empty() {
                let packet = packet(from_server, sequence, sides[usize::from(!from_server)].1, payload);
                for number in [1, 0, packet.len() as u32, packet.len() as u32] {
                    file.extend(number.to_le_bytes());
                }
                file.extend(packet);
            }
            sides[usize::from(from_server)] = (behind, sequence.wrapping_add(payload.len() as u32));
        }
    }
    let mut found = 0;
    let mut sink = |_| {
        found += 1;
        Ok(())
    };
    let tally = import(Cursor::new(file), &Options::default(), &mut sink).expect("the file itself is sound");
    assert_eq!(tally.exchanges, found);
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
