//! No query panics; what was read from one form is written and read back the same.
#![no_main]

use easrig_eas::query::{Escape, MAX_PARAMETERS, MAX_QUERY, PlainField, QueryLine};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(line) = QueryLine::from_bytes(bytes) {
        use_all(&line);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(line) = QueryLine::parse(text) else { return };
    use_all(&line);
    for escape in [Escape::All, Escape::Lenient] {
        let written = line.to_plain(&PlainField::STANDARD, escape);
        if written.len() > MAX_QUERY || written.split('&').count() > MAX_PARAMETERS {
            continue;
        }
        // The user moves into the field every plain query has, so the second turn is the first that must not change.
        let Ok(again) = QueryLine::parse(&written) else { panic!("{written} cannot be read again") };
        assert_eq!(again.to_plain(&PlainField::STANDARD, escape), written);
        assert_eq!(again.command.known(), line.command.known());
        assert_eq!(again.device_type, line.device_type);
    }
});

fn use_all(line: &QueryLine) {
    let _ = (line.describe(), line.command.known(), line.device_id.to_string());
    if let Ok(base64) = line.to_base64() {
        let again = QueryLine::parse(&base64).expect("what was written can be read");
        assert_eq!(again.to_base64().as_ref(), Ok(&base64));
    }
}
