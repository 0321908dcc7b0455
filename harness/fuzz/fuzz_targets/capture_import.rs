//! No bytes panic, whatever importer takes them, and what is handed over is what was counted.
#![no_main]

use std::io::Cursor;

use easrig_capture::{Limits, Options, import};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { body_bytes: 64 << 10, streams: 64, held_bytes: 256 << 10, window_bytes: 32 << 10 };
    let options = Options { limits, ..Options::default() };
    let mut count = 0;
    let tally = import(Cursor::new(bytes), &options, &mut |exchange| {
        count += 1;
        assert_eq!(exchange.number.0, count);
        assert!(exchange.request.body.len() <= bytes.len().saturating_mul(1100).max(limits.body_bytes));
        Ok(())
    });
    if let Ok(tally) = tally {
        assert_eq!(tally.exchanges, count);
        let _ = tally.to_string();
    }
});
