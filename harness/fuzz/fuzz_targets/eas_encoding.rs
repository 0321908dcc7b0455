//! No compressed body panics or unfolds beyond its bound. The first byte chooses the coding and the bound.
#![no_main]

use easrig_eas::encoding::{ContentEncoding, gunzip, gzip};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, body)) = bytes.split_first() else { return };
    let coding = match choice & 3 {
        0 => ContentEncoding::Gzip,
        1 => ContentEncoding::Deflate,
        2 => ContentEncoding::Identity,
        _ => ContentEncoding::Other("br".to_owned()),
    };
    let limit = 1_usize << (choice >> 4);
    if let Ok(decoded) = coding.decode(body, limit) {
        assert!(decoded.len() <= limit);
        if decoded.len() < limit {
            assert_eq!(
                coding.decode(body, limit - 1).ok(),
                (decoded.len() < limit - 1 || decoded.len() == limit - 1).then_some(decoded)
            );
        }
    }
    assert_eq!(gunzip(&gzip(body), body.len()).expect("what was packed can be unpacked"), body);
});
