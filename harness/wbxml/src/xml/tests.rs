use super::*;
use crate::tags::{air_sync, air_sync_base, email};
use crate::{Builder, Document};

fn kind(text: &str) -> XmlErrorKind {
    parse(text).expect_err(text).kind
}

fn round_trip(bytes: &[u8], expected: &str) {
    assert_eq!(from_wbxml(bytes).unwrap(), expected);
    assert_eq!(to_wbxml(expected).unwrap(), bytes);
}

fn subject(text: &str) -> Document {
    let mut builder = Builder::new(email::SUBJECT);
    builder.text(text);
    builder.finish()
}

#[test]
fn carriage_returns_are_references_and_line_feeds_are_not() {
    let document = subject("a\r\nb\rc\td");
    assert_eq!(document.to_xml(), "<Subject xmlns=\"Email\">a&#13;\nb&#13;c\td</Subject>");
    assert_eq!(parse(&document.to_xml()).unwrap(), document);
}

#[test]
fn text_outside_the_range_of_xml_is_written_in_hex() {
    for (text, hex) in [("a<\u{1}", "613c01"), ("\u{FFFE}", "efbfbe"), ("x\u{FFFF}", "78efbfbf")] {
        let document = subject(text);
        assert_eq!(document.to_xml(), format!("<Subject xmlns=\"Email\"><?text {hex}?></Subject>"));
        assert_eq!(parse(&document.to_xml()).unwrap(), document);
    }
    assert_eq!(subject("\u{FFFD}\u{F000}\u{7F}").to_xml(), "<Subject xmlns=\"Email\">\u{FFFD}\u{F000}\u{7F}</Subject>");
}

#[test]
fn lone_white_space_stays_as_it_is() {
    round_trip(b"\x03\x01\x6A\x00\x4B\x03 \n\x00\x01", "<SyncKey xmlns=\"AirSync\"> \n</SyncKey>");
    round_trip(b"\x03\x01\x6A\x00\x4B\x03\r\x00\x01", "<SyncKey xmlns=\"AirSync\">&#13;</SyncKey>");
}

#[test]
fn white_space_beside_other_content_is_protected() {
    round_trip(
        b"\x03\x01\x6A\x00\x45\x03 \t\x00\x13\x03\n\n\x00\x01",
        "<Sync xmlns=\"AirSync\">&#32;\t<GetChanges/>&#10;\n</Sync>",
    );
    round_trip(
        b"\x03\x01\x6A\x00\x45\x03\r\n\x00\x13\x03\r \x00\x01",
        "<Sync xmlns=\"AirSync\">&#13;\n<GetChanges/>&#13; </Sync>",
    );
    round_trip(b"\x03\x01\x6A\x00\x45\x03 \x00\xC3\x01\x42\x01", "<Sync xmlns=\"AirSync\">&#32;<?opaque 42?></Sync>");
}

#[test]
fn layout_is_dropped_when_read() {
    let pretty = "<?xml version=\"1.0\"?>\n<Sync xmlns=\"AirSync\">\n  <!-- first -->\n  <SyncKey> </SyncKey>\n  <GetChanges/>\n</Sync>\n";
    let mut builder = Builder::new(air_sync::SYNC);
    builder.leaf(air_sync::SYNC_KEY, " ").empty(air_sync::GET_CHANGES);
    assert_eq!(parse(pretty).unwrap(), builder.finish());
}

#[test]
fn prefixes_colons_references_and_cdata_are_read() {
    let text =
        "\u{FEFF}<Sync xmlns='AirSync:' xmlns:b=\"airsyncbase\"><b:Data>a&lt;&#x41;<![CDATA[<&]]>\r\n</b:Data></Sync>";
    let mut builder = Builder::new(air_sync::SYNC);
    builder.leaf(air_sync_base::DATA, "a<A<&\n");
    assert_eq!(parse(text).unwrap(), builder.finish());
}

#[test]
fn pretty_xml_indents_elements_and_keeps_leaves_whole() {
    let text = "<Sync xmlns=\"AirSync\"><SyncKey>0</SyncKey><GetChanges/><Options><Type xmlns=\"AirSyncBase\">1</Type>\
                </Options><MoreAvailable></MoreAvailable></Sync>";
    let document = parse(text).unwrap();
    assert_eq!(
        document.to_xml_pretty(),
        "<Sync xmlns=\"AirSync\">\n  <SyncKey>0</SyncKey>\n  <GetChanges/>\n  <Options>\n    \
         <Type xmlns=\"AirSyncBase\">1</Type>\n  </Options>\n  <MoreAvailable></MoreAvailable>\n</Sync>\n"
    );
    assert_eq!(parse(&document.to_xml_pretty()).unwrap(), document);
    assert_eq!(subject("x").to_xml_pretty(), "<Subject xmlns=\"Email\">x</Subject>\n");
}

#[test]
fn an_error_shows_its_line_and_column() {
    let error = parse("<Sync xmlns=\"AirSync\">\n  <Ünknown/>\n</Sync>").unwrap_err();
    assert_eq!((error.line, error.column, error.offset), (2, 3, 25));
    assert_eq!(error.to_string(), "unknown element `Ünknown` in namespace `AirSync` at line 2, column 3");
}

#[test]
fn what_is_no_document_is_refused() {
    use XmlErrorKind as Kind;
    assert_eq!(kind(""), Kind::NoRoot);
    assert_eq!(kind("<Sync/>"), Kind::NoNamespace("Sync".to_owned()));
    assert_eq!(kind("<x:Sync/>"), Kind::NoNamespace("Sync".to_owned()));
    assert_eq!(kind("<Sync xmlns='Nowhere'/>"), Kind::UnknownNamespace("Nowhere".to_owned()));
    assert_eq!(kind("<Sync xmlns='AirSync'>"), Kind::Unclosed("Sync".to_owned()));
    assert_eq!(kind("<Sync xmlns='AirSync'/>x"), Kind::OutsideRoot);
    assert_eq!(kind("<Sync xmlns='AirSync'/><Sync xmlns='AirSync'/>"), Kind::OutsideRoot);
    assert_eq!(kind("<Sync xmlns='AirSync' a='1'/>"), Kind::Attribute("a".to_owned()));
    assert_eq!(kind("<!DOCTYPE a><Sync xmlns='AirSync'/>"), Kind::DocumentType);
    assert_eq!(kind("<Sync xmlns='AirSync'>&nbsp;</Sync>"), Kind::UnknownEntity("nbsp".to_owned()));
    assert_eq!(kind("<Sync xmlns='AirSync'><?php?></Sync>"), Kind::UnknownInstruction("php".to_owned()));
    assert_eq!(kind("<Sync xmlns='AirSync'><?opaque 4?></Sync>"), Kind::BadHex("opaque".to_owned()));
    assert_eq!(kind("<Sync xmlns='AirSync'><?opaque é0?></Sync>"), Kind::BadHex("opaque".to_owned()));
    assert_eq!(kind("<Sync xmlns='AirSync'><?text ff?></Sync>"), Kind::TextNotUtf8);
    assert_eq!(kind("<Sync xmlns='AirSync'><?text 00?></Sync>"), Kind::NulInText);
    assert!(matches!(kind("<Sync xmlns='AirSync'></Sink>"), Kind::Malformed(_)));
    assert!(matches!(kind("<html><p>no</html>"), Kind::NoNamespace(_)));
}

#[test]
fn depth_is_bounded() {
    let nested = |levels| "<And xmlns='Search'>".repeat(levels) + &"</And>".repeat(levels);
    assert!(parse(&nested(256)).is_ok());
    assert_eq!(kind(&nested(257)), XmlErrorKind::TooDeep { limit: 256 });
}
