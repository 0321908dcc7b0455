//! No multipart body panics; its parts lie inside it, and a body built of them has them again.
#![no_main]

use easrig_eas::multipart::{Multipart, MultipartOddity};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(body) = Multipart::parse(bytes) else { return };
    assert_eq!(body.answer(), body.parts[0]);
    assert!(body.parts.iter().all(|part| part.len() <= bytes.len()));
    assert!(body.data(0).is_none() && body.data(body.parts.len()).is_none());
    let together: usize = body.parts.iter().map(|part| part.len()).sum();
    if together > 1 << 20 {
        return;
    }
    let built = Multipart::build(&body.parts).expect("the parts fit");
    let again = Multipart::parse(&built).expect("what was built can be read");
    assert_eq!(again.parts, body.parts);
    assert!(again.oddities.iter().all(|oddity| *oddity == MultipartOddity::NotWbxml));
});
