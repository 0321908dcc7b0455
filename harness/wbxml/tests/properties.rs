//! What holds for every input: no bytes panic, and documents survive every way through the codec.

#![expect(clippy::unwrap_used, reason = "a broken property must fail the test")]

use easrig_wbxml::{Builder, Decoder, Document, Encoder, Event, Limits, Tag, xml};
use proptest::prelude::*;

/// One call to a builder.
#[derive(Clone, Debug)]
enum Call {
    Open(Tag),
    Close,
    Empty(Tag),
    Text(String),
    Bytes(Vec<u8>),
}

fn tag() -> impl Strategy<Value = Tag> {
    let page = prop_oneof![4 => 0..26_u8, 1 => any::<u8>()];
    (page, 0x05..=0x3F_u8).prop_map(|(page, token)| Tag::new(page, token))
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ \t\r\n]{1,4}", "[a-z<>&\"\r\n ]{1,80}", "\\PC{1,40}", "[\u{1}-\u{1F}\u{FFFE}\u{FFFF}a]{1,6}"]
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        3 => tag().prop_map(Call::Open),
        3 => Just(Call::Close),
        2 => tag().prop_map(Call::Empty),
        3 => text().prop_map(Call::Text),
        1 => prop::collection::vec(any::<u8>(), 0..300).prop_map(Call::Bytes),
    ]
}

/// A document in which no two texts are neighbours: XML would join them.
fn document() -> impl Strategy<Value = Document> {
    (tag(), prop::collection::vec(call(), 0..120)).prop_map(|(root, calls)| {
        let mut builder = Builder::new(root);
        let mut after_text = false;
        for call in calls {
            let (is_text, is_close) = (matches!(call, Call::Text(_)), matches!(call, Call::Close));
            match call {
                Call::Open(tag) => builder.open(tag),
                Call::Close => builder.close(),
                Call::Empty(tag) => builder.empty(tag),
                Call::Text(text) if !after_text => builder.text(&text),
                Call::Text(_) => &mut builder,
                Call::Bytes(bytes) => builder.bytes(&bytes),
            };
            // Closing the root does nothing: what follows is still a neighbour of the text before.
            after_text = is_text || (after_text && is_close);
        }
        builder.finish()
    })
}

/// Bytes that look like a document for a while.
fn plausible() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => (0x45..=0x7F_u8).prop_map(|tag| vec![tag]),
        1 => (0x05..=0x3F_u8).prop_map(|tag| vec![tag]),
        4 => Just(vec![0x01]),
        2 => any::<u8>().prop_map(|page| vec![0x00, page]),
        2 => "[a-zé]{0,12}".prop_map(|text| [b"\x03", text.as_bytes(), b"\0"].concat()),
        1 => prop::collection::vec(any::<u8>(), 0..9).prop_map(|bytes| [&[0xC3, bytes.len() as u8], &*bytes].concat()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| [b"\x03\x01\x6A\x00".to_vec(), pieces.concat()].concat())
}

/// Everything that reads bytes, none of which may panic; what decodes must survive.
fn examine(bytes: &[u8]) {
    let limits = Limits { depth: 16, document_bytes: 4096, nodes: 64, text_bytes: 32, opaque_bytes: 32 };
    let _ = Document::decode_with(bytes, limits);
    let document = match Document::decode(bytes) {
        Ok(document) => document,
        Err(error) => {
            assert!(error.offset <= bytes.len());
            assert_eq!(xml::from_wbxml(bytes), Err(error));
            return;
        }
    };
    assert_eq!(Document::decode_prefix(bytes, Limits::default()).unwrap(), (document.clone(), bytes.len()));
    assert_eq!(Document::decode(&document.encode()).unwrap(), document);
    let text = document.to_xml();
    assert_eq!(xml::from_wbxml(bytes).unwrap(), text);
    let again = Document::from_xml(&text).unwrap();
    assert_eq!(again.to_xml(), text);
    for element in document.root().descendants() {
        assert!(element.offset() < bytes.len() && bytes[element.offset()] & 0x3F == element.tag().token());
        let _ = (element.text(), element.bytes());
    }
    let _ = document.to_xml_pretty();
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        examine(&bytes);
        examine(&[b"\x03\x01\x6A\x00", &*bytes].concat());
    }

    #[test]
    fn plausible_bytes_never_panic_and_survive_when_valid(bytes in plausible()) {
        examine(&bytes);
        // Close what is open, so that many of them are whole.
        for ends in 1..4 {
            examine(&[&*bytes, &vec![0x01; ends]].concat());
        }
    }

    #[test]
    fn random_documents_survive_bytes_and_xml(document in document()) {
        let bytes = document.encode();
        prop_assert_eq!(&Document::decode(&bytes).unwrap(), &document);
        prop_assert_eq!(&Document::from_xml(&document.to_xml()).unwrap(), &document);
        prop_assert_eq!(xml::from_wbxml(&bytes).unwrap(), document.to_xml());
        prop_assert_eq!(document.root().to_document(), document);
    }

    #[test]
    fn events_written_again_are_the_canonical_bytes(document in document()) {
        let bytes = document.encode();
        let (mut decoder, mut encoder) = (Decoder::new(&bytes), Encoder::new());
        while let Some(event) = decoder.next_event().unwrap() {
            match event {
                Event::Start { tag, has_content } => encoder.start(tag, has_content),
                Event::End => encoder.end(),
                Event::Text(text) => encoder.text(text),
                Event::Opaque(part) => encoder.opaque(part),
            }
        }
        prop_assert_eq!(encoder.finish(), bytes);
    }

    #[test]
    fn arbitrary_text_never_panics_the_xml_reader(text in "\\PC{0,200}", layout in "[<>/?!a-z&;#=\" \r\n]{0,200}") {
        let _ = Document::from_xml(&text);
        let _ = Document::from_xml(&layout);
        let _ = Document::from_xml(&format!("<Sync xmlns=\"AirSync\">{layout}</Sync>"));
    }
}
