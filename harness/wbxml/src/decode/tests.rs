use super::*;
use crate::tags::{air_sync, folder_hierarchy};

fn events(bytes: &[u8]) -> Result<Vec<Event<'_>>, DecodeError> {
    let mut decoder = Decoder::new(bytes);
    let mut events = Vec::new();
    while let Some(event) = decoder.next_event()? {
        events.push(event);
    }
    Ok(events)
}

#[test]
fn a_first_folder_sync_is_six_events() {
    let start = |tag| Event::Start { tag, has_content: true };
    assert_eq!(
        events(b"\x03\x01\x6A\x00\x00\x07\x56\x52\x030\x00\x01\x01").unwrap(),
        [
            start(folder_hierarchy::FOLDER_SYNC),
            start(folder_hierarchy::SYNC_KEY),
            Event::Text("0"),
            Event::End,
            Event::End,
        ]
    );
}

#[test]
fn an_error_names_its_offset_and_is_given_again() {
    let mut decoder = Decoder::new(b"\x03\x01\x6A\x00\x45\x4B\x03ab\xFF\x00");
    decoder.next_event().unwrap();
    decoder.next_event().unwrap();
    let error = decoder.next_event().unwrap_err();
    assert_eq!(error, DecodeError { offset: 9, kind: Kind::InvalidUtf8 });
    assert_eq!(error.to_string(), "string is not valid UTF-8 at byte 9");
    assert_eq!(decoder.next_event(), Err(error));
    assert_eq!(decoder.offset(), 6);
}

#[test]
fn a_prefix_stops_before_what_is_not_a_page_switch() {
    let bytes = b"\x03\x01\x6A\x00\x05\x00\x07\x00\x11\x05rest";
    let mut decoder = Decoder::prefix(bytes, Limits::default());
    assert!(decoder.next_event().unwrap().is_some());
    assert_eq!(decoder.next_event(), Ok(None));
    assert_eq!(decoder.offset(), 9);
    assert_eq!(decoder.trailing(), b"\x05rest");
    assert_eq!(events(bytes).unwrap_err(), DecodeError { offset: 9, kind: Kind::TrailingData });
}

#[test]
fn depth_is_inclusive() {
    let limits = Limits { depth: 2, ..Limits::default() };
    let count = |bytes: &[u8]| {
        let mut decoder = Decoder::with_limits(bytes, limits);
        while decoder.next_event()?.is_some() {}
        Ok::<_, DecodeError>(())
    };
    assert_eq!(count(b"\x03\x01\x6A\x00\x45\x46\x01\x01"), Ok(()));
    let too_deep = DecodeError { offset: 6, kind: Kind::TooDeep { limit: 2 } };
    assert_eq!(count(b"\x03\x01\x6A\x00\x45\x46\x07\x01\x01"), Err(too_deep));
}

#[test]
fn every_size_is_bounded() {
    let bytes = b"\x03\x01\x6A\x00\x45\x4B\x031234\x00\xC3\x04abcd\x01\x01";
    let with = |limits| {
        let mut decoder = Decoder::with_limits(bytes, limits);
        loop {
            match decoder.next_event() {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(()),
                Err(error) => return Err((error.offset, error.kind)),
            }
        }
    };
    let limits = Limits { depth: 2, document_bytes: bytes.len(), nodes: 4, text_bytes: 4, opaque_bytes: 4 };
    assert_eq!(with(limits), Ok(()));
    assert_eq!(with(Limits { nodes: 3, ..limits }), Err((12, Kind::TooManyNodes { limit: 3 })));
    assert_eq!(with(Limits { text_bytes: 3, ..limits }), Err((6, Kind::TextTooLong { limit: 3 })));
    assert_eq!(with(Limits { opaque_bytes: 3, ..limits }), Err((12, Kind::OpaqueTooLong { limit: 3 })));
    assert_eq!(with(Limits { document_bytes: 19, ..limits }), Err((19, Kind::DocumentTooLong { limit: 19 })));
}

#[test]
fn every_unused_global_token_is_refused() {
    for token in [0x02, 0x04, 0x40, 0x41, 0x42, 0x43, 0x44, 0x80, 0x81, 0x82, 0x83, 0x84, 0xC0, 0xC1, 0xC2, 0xC4] {
        let error = events(&[0x03, 0x01, 0x6A, 0x00, 0x45, token, 0x01]).unwrap_err();
        assert_eq!(error, DecodeError { offset: 5, kind: Kind::ForbiddenToken { token } });
    }
}

#[test]
fn the_page_survives_the_end_of_an_element() {
    let read = events(b"\x03\x01\x6A\x00\x45\x00\x11\x45\x01\x06\x01").unwrap();
    assert_eq!(read[0], Event::Start { tag: air_sync::SYNC, has_content: true });
    assert_eq!(read[3], Event::Start { tag: Tag::new(17, 0x06), has_content: false });
}
