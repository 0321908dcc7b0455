//! No bytes panic, whatever reads them, and an error lies inside its input.
#![no_main]

use easrig_wbxml::{Document, Limits, xml};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { depth: 16, document_bytes: 4096, nodes: 64, text_bytes: 32, opaque_bytes: 32 };
    let _ = Document::decode_with(bytes, limits);
    if let Ok((_, read)) = Document::decode_prefix(bytes, Limits::default()) {
        assert!(read <= bytes.len());
    }
    match Document::decode(bytes) {
        Ok(document) => {
            for element in document.root().descendants() {
                let _ = (element.text(), element.bytes(), element.tag().to_string());
            }
            let _ = document.to_xml_pretty();
        }
        Err(error) => {
            assert!(error.offset <= bytes.len());
            assert_eq!(xml::from_wbxml(bytes), Err(error));
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Document::from_xml(text);
    }
});
