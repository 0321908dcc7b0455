//! No recording panics what writes scenarios and personas from it and judges devices, and what is written can be loaded
//! again. An input is a `.eascap` file, or, after a zero byte, the payloads of its records with `\n==\n` between them,
//! which then get their lengths and checksums.
#![no_main]

use easrig_exchange::EascapReader;
use easrig_persona::{Learner, Persona, Sorter, Traits};
use easrig_scenario::{
    Author, Scenario, Strictness,
    recording::{Judge, Party, Sender},
};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

fuzz_target!(|bytes: &[u8]| {
    match bytes.split_first() {
        Some((0, payloads)) => read(&with_frames(payloads)),
        _ => read(bytes),
    }
});

fn read(file: &[u8]) {
    let Ok(reader) = EascapReader::new(file) else { return };
    let (mut sorter, mut author, mut learner) = (Sorter::default(), Author::default(), Learner::default());
    let (mut judge, mut traits) = (Judge::new(Strictness::Shoulds, Party::Devices), Traits::default());
    for exchange in reader.map_while(Result::ok).take(64) {
        for (device, exchange) in sorter.push(exchange) {
            author.look(&exchange, true);
            learner.look(&exchange);
            let _ = traits.learn(&exchange);
            let name = device.as_ref().map_or_else(String::new, ToString::to_string);
            judge.judge(&name, Sender::Device { life: "" }, &exchange);
        }
    }
    let _ = judge.cells();
    let authored = author.finish();
    if authored.written() > 0 {
        let text = authored.file("fuzz/written");
        Scenario::parse("fuzz/written.toml", &text).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    }
    if let Ok(proposal) = learner.propose("learned", &traits.words()) {
        let text = proposal.text;
        Persona::parse("learned", &text).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    }
}

fn with_frames(payloads: &[u8]) -> Vec<u8> {
    let mut file = b"EASCAP\r\n\x01\0\0\0".to_vec();
    let mut rest = payloads;
    loop {
        let end = rest.windows(4).position(|window| window == b"\n==\n");
        let payload = end.map_or(rest, |end| &rest[..end]);
        file.extend(u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
        file.extend(payload);
        file.extend(Sha256::digest(payload).iter().take(8));
        let Some(end) = end else { return file };
        rest = &rest[end + 4..];
    }
}
