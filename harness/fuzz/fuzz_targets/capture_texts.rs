//! Key logs, server keys, web server logs and tables of devices: no bytes panic.
#![no_main]

use easrig_capture::census::Census;
use easrig_capture::{KeyLog, ServerKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = KeyLog::read(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = ServerKey::from_pem(text);
    }
    let mut census = Census::default();
    let _ = census.add(bytes);
});
