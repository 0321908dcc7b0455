//! No `.eascap` file panics; what was read is written and read back the same. The first byte says whether the rest is a
//! file as it is, or the payload of one record, which then gets its length and checksum.
#![no_main]

use std::io::Cursor;

use easrig_exchange::{EascapFile, EascapReader, EascapWriter, Exchange};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

fuzz_target!(|bytes: &[u8]| {
    match bytes.split_first() {
        Some((0, payload)) => read(&with_frame(payload)),
        _ => read(bytes),
    }
});

fn read(file: &[u8]) {
    if let Ok(mut file) = EascapFile::open(Cursor::new(file)) {
        let numbers: Vec<_> = file.offsets().keys().copied().collect();
        for number in numbers {
            let _ = file.get(number);
        }
    }
    let Ok(mut reader) = EascapReader::new(file) else { return };
    let exchanges: Vec<Exchange> = reader.by_ref().map_while(Result::ok).collect();
    assert!(reader.torn().is_none_or(|at| usize::try_from(at).is_ok_and(|at| at <= file.len())));
    let mut writer = EascapWriter::new(Vec::new()).expect("a Vec takes every byte");
    for exchange in &exchanges {
        writer.write(exchange).expect("what was read fits");
    }
    let written = writer.into_inner();
    let again: Result<Vec<_>, _> = EascapReader::new(written.as_slice()).expect("it has a head").collect();
    assert_eq!(again.expect("what was written can be read"), exchanges);
}

fn with_frame(payload: &[u8]) -> Vec<u8> {
    let mut file = b"EASCAP\r\n\x01\0\0\0".to_vec();
    file.extend(u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    file.extend(payload);
    file.extend(Sha256::digest(payload).iter().take(8));
    file
}
