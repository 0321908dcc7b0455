//! The corpus comes back byte for byte, through the tree and through XML.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its data must fail")]

use std::path::PathBuf;

use easrig_wbxml::{Document, xml};

fn corpus() -> Vec<(PathBuf, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files: Vec<(PathBuf, Vec<u8>)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wbxml"))
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    assert_eq!(files.len(), 14);
    files
}

#[test]
fn decoding_and_encoding_is_the_identity() {
    for (path, bytes) in corpus() {
        assert!(Document::decode(&bytes).unwrap().encode() == bytes, "{}", path.display());
    }
}

#[test]
fn the_way_through_xml_is_the_identity() {
    for (path, bytes) in corpus() {
        let text = xml::from_wbxml(&bytes).unwrap();
        assert!(Document::decode(&bytes).unwrap().to_xml() == text, "{}", path.display());
        assert!(xml::to_wbxml(&text).unwrap() == bytes, "{}", path.display());
    }
}

#[test]
fn the_mails_hold_carriage_returns_that_the_xml_keeps() {
    let (_, bytes) = corpus().into_iter().find(|(path, _)| path.ends_with("rsp_sync_mail_0.wbxml")).unwrap();
    assert!(xml::from_wbxml(&bytes).unwrap().matches("&#13;\n").count() > 2000);
}
