//! What an archive holds is written as packets and as an archive again, and both are read: whatever stands in it, one
//! exchange never becomes part of another.
#![no_main]

use std::io::Cursor;

use easrig_capture::export::{HarWriter, PcapngWriter, Written};
use easrig_capture::{Options, import};
use easrig_exchange::Exchange;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let exchanges = read(text.as_bytes().to_vec());
    let mut archive = HarWriter::new(Vec::new(), "0").expect("memory can be written");
    for exchange in &exchanges {
        let body = exchange.response().map(|response| response.body.as_slice()).unwrap_or_default();
        archive.write(exchange, body, &()).expect("memory can be written");
    }
    let again = read(archive.finish().expect("memory can be written"));
    assert_eq!(again.len(), exchanges.len());
    let all = |list: &[Exchange]| list.iter().map(|exchange| exchange.request.clone()).collect::<Vec<_>>();
    assert_eq!(all(&again), all(&exchanges));

    let mut packets = PcapngWriter::new(Vec::new(), "0").expect("memory can be written");
    let mut written = 0;
    for exchange in &exchanges {
        written += usize::from(packets.write(exchange, "", "x").expect("memory can be written") == Written::Packets);
    }
    assert!(read(packets.finish().expect("memory can be written")).len() <= written);
});

fn read(bytes: Vec<u8>) -> Vec<Exchange> {
    let mut found = Vec::new();
    let mut sink = |exchange| {
        found.push(exchange);
        Ok(())
    };
    // What is no archive holds nothing.
    let _ = import(Cursor::new(bytes), &Options::default(), &mut sink);
    found
}
