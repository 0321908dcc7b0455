//! What decodes comes back: through its canonical bytes as it was, through XML with the same texts in the same tree.
//! What reads as XML comes back through bytes, and as the same XML.
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
        // Texts that stand side by side come back as one.
        assert!(same(&document, &again), "{text}");
        settled(&again);
    }
    if let Some(document) = std::str::from_utf8(bytes).ok().and_then(|text| Document::from_xml(text).ok()) {
        assert_eq!(Document::decode(&document.encode()).as_ref(), Ok(&document));
        settled(&document);
    }
});

/// What was read from XML comes back from its XML.
fn settled(document: &Document) {
    let text = document.to_xml();
    let again = Document::from_xml(&text).expect("what was written can be read");
    assert_eq!(&again, document);
    assert_eq!(again.to_xml(), text);
}

fn same(one: &Document, other: &Document) -> bool {
    let elements = |document: &Document| -> Vec<_> {
        document.root().descendants().map(|element| (element.tag(), element.bytes().into_owned())).collect()
    };
    elements(one) == elements(other)
}
