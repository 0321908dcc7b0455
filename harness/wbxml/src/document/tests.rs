use super::*;
use crate::Tag;
use crate::tags::{air_sync, air_sync_base, compose_mail, folder_hierarchy as fh};

fn two_folders() -> Document {
    let mut builder = Builder::new(fh::FOLDER_SYNC);
    builder.leaf(fh::STATUS, "1").open(fh::CHANGES).leaf(fh::COUNT, "2");
    builder.open(fh::ADD).leaf(fh::SERVER_ID, "1").leaf(fh::DISPLAY_NAME, "Inbox").close();
    builder.open(fh::ADD).leaf(fh::SERVER_ID, "2").leaf(fh::DISPLAY_NAME, "Kalender für Ö").close();
    builder.finish()
}

#[test]
fn children_are_found_by_tag_and_in_order() {
    let document = two_folders();
    let changes = document.root().child(fh::CHANGES).unwrap();
    let names: Vec<_> = changes.all(fh::ADD).map(|add| add.child_text(fh::DISPLAY_NAME).unwrap()).collect();
    assert_eq!(names, ["Inbox", "Kalender für Ö"]);
    assert_eq!(document.root().children().map(Element::tag).collect::<Vec<_>>(), [fh::STATUS, fh::CHANGES]);
    assert!(document.root().child(fh::ADD).is_none(), "a grandchild is no child");
    assert_eq!(document.root().descendants().count(), 9);
    assert_eq!(document.root().descendants().filter(|element| element.tag() == fh::SERVER_ID).count(), 2);
}

#[test]
fn text_joins_parts_and_reads_opaque_bytes_as_utf8() {
    let document = Document::decode(b"\x03\x01\x6A\x00\x00\x15\x50\x03A\x00\xC3\x02B\xFF\x03C\x00\x01").unwrap();
    let mime = document.root();
    assert_eq!(mime.tag(), compose_mail::MIME);
    assert_eq!(mime.text(), "AB\u{FFFD}C");
    assert_eq!(&*mime.bytes(), b"AB\xFFC");
    assert!(mime.is_opaque() && mime.is_leaf());
    assert_eq!(mime.contents().count(), 3);
}

#[test]
fn an_element_knows_its_content_bit_and_where_it_began() {
    let document = Document::decode(b"\x03\x01\x6A\x00\x45\x13\x54\x01\x00\x11\x46\x01\x01").unwrap();
    let root = document.root();
    let [changes, more, data] = root.children().collect::<Vec<_>>().try_into().unwrap();
    assert_eq!((changes.tag(), changes.has_content(), changes.offset()), (air_sync::GET_CHANGES, false, 5));
    assert_eq!((more.tag(), more.has_content(), more.offset()), (air_sync::MORE_AVAILABLE, true, 6));
    assert_eq!((data.tag(), data.offset()), (air_sync_base::TYPE, 10), "the tag byte, not the switch before it");
    assert_eq!(two_folders().root().offset(), 0);
}

#[test]
fn a_subtree_becomes_a_document_of_its_own() {
    let document = two_folders();
    let add = document.root().child(fh::CHANGES).unwrap().all(fh::ADD).nth(1).unwrap();
    let own = add.to_document();
    assert_eq!(own.to_xml(), add.to_xml());
    assert_eq!(own.root().child_text(fh::SERVER_ID).unwrap(), "2");
    assert_eq!(Document::decode(&own.encode()).unwrap(), own);
}

#[test]
fn append_copies_a_subtree() {
    let document = two_folders();
    let mut builder = Builder::new(fh::FOLDER_SYNC);
    for child in document.root().children() {
        builder.append(child);
    }
    assert_eq!(builder.finish(), document);
}

#[test]
fn equality_sees_every_difference_but_offsets() {
    let built = |name: &str| {
        let mut builder = Builder::new(air_sync::SYNC);
        builder.leaf(air_sync::SYNC_KEY, name).empty(air_sync::GET_CHANGES);
        builder.finish()
    };
    assert_eq!(Document::decode(&built("1").encode()).unwrap(), built("1"));
    assert_ne!(built("1"), built("2"));
    let mut deeper = Builder::new(air_sync::SYNC);
    deeper.open(air_sync::SYNC_KEY).text("1").empty(air_sync::GET_CHANGES);
    assert_ne!(deeper.finish(), built("1"), "the same nodes, nested otherwise");
    let mut with_content = Builder::new(air_sync::SYNC);
    with_content.leaf(air_sync::SYNC_KEY, "1").leaf(air_sync::GET_CHANGES, "");
    assert_ne!(with_content.finish(), built("1"));
    let mut opaque = Builder::new(air_sync::SYNC);
    opaque.opaque(air_sync::SYNC_KEY, b"1").empty(air_sync::GET_CHANGES);
    assert_ne!(opaque.finish(), built("1"));
}

#[test]
fn a_builder_turns_text_with_a_nul_into_bytes_and_begins_anew_after_finish() {
    let mut builder = Builder::new(air_sync::SYNC);
    builder.leaf(air_sync::SYNC_KEY, "a\0b").close().close();
    builder.empty(air_sync::GET_CHANGES);
    assert_eq!(
        builder.finish().to_xml(),
        r#"<Sync xmlns="AirSync"><SyncKey><?opaque 610062?></SyncKey><GetChanges/></Sync>"#
    );
    assert_eq!(builder.finish().to_xml(), r#"<Sync xmlns="AirSync"></Sync>"#);
    assert_eq!(Builder::empty_root(air_sync::SYNC).to_xml(), r#"<Sync xmlns="AirSync"/>"#);
}

#[test]
fn a_prefix_says_how_much_was_read() {
    let bytes = b"\x03\x01\x6A\x00\x45\x01\x00\x07\x05";
    let (document, read) = Document::decode_prefix(bytes, Limits::default()).unwrap();
    assert_eq!((document.to_xml().as_str(), read), (r#"<Sync xmlns="AirSync"></Sync>"#, 8));
}

#[test]
fn encoding_switches_pages_only_where_they_change() {
    let noisy = b"\x03\x01\x6A\x00\x00\x00\x00\x00\x45\x00\x11\x00\x00\x4B\x031\x00\x00\x07\x01\x01\x00\x11";
    assert_eq!(Document::decode(noisy).unwrap().encode(), b"\x03\x01\x6A\x00\x45\x4B\x031\x00\x01\x01");
}

#[test]
fn a_tree_of_any_depth_can_be_built_and_written() {
    let mut builder = Builder::new(Tag::new(15, 0x13));
    for _ in 0..20_000 {
        builder.open(Tag::new(15, 0x13));
    }
    let document = builder.finish();
    assert_eq!(document.root().descendants().count(), 20_000);
    assert!(Document::decode(&document.encode()).is_err());
    assert!(document.to_xml_pretty().len() > document.to_xml().len());
}
