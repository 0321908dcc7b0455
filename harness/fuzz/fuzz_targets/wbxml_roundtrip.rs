//! What decodes comes back: through its canonical bytes as it was, through XML with the same XML.
//! What reads as XML comes back through bytes.
#![no_main]

use easrig_wbxml::{Document, xml};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(document) = Document::decode(bytes) {
        let canonical = document.encode();
        assert_eq!(Document::decode(&canonical).as_ref(), Ok(&document));

        let text = document.to_xml();
        assert_eq!(xml::from_wbxml(bytes).as_ref(), Ok(&text));
        let again = Document::from_xml(&text).expect("what was written can be read");
        assert_eq!(again.to_xml(), text);
    }
    if let Ok(document) =
        std::str::from_utf8(bytes).map_err(drop).and_then(|text| Document::from_xml(text).map_err(drop))
    {
        assert_eq!(Document::decode(&document.encode()).as_ref(), Ok(&document));
        assert_eq!(Document::from_xml(&document.to_xml()).as_ref(), Ok(&document));
    }
});
