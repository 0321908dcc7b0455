use super::*;
use crate::tcp::Side;

fn part(bytes: &[u8], offset: u64) -> Part<'_> {
    Part { side: Side::Low, at: Timestamp(0), offset, acked: None, bytes }
}

/// Feeds bytes in pieces of a size, and describes what comes out.
fn read(kind: Kind, bytes: &[u8], step: usize) -> Vec<String> {
    let mut reader = Reader::new(kind);
    let mut offset = 0;
    for piece in bytes.chunks(step) {
        reader.feed(&part(piece, offset), 1 << 20);
        offset += piece.len() as u64;
    }
    reader.finish(true, Timestamp(0));
    items(&mut reader)
}

fn items(reader: &mut Reader) -> Vec<String> {
    std::iter::from_fn(|| reader.next_item())
        .map(|item| match item {
            Item::Message(message) => {
                let Message { head, body, cut, offset, .. } = *message;
                let body = String::from_utf8(body).unwrap();
                let cut = cut.map(|why| format!(" ({why})")).unwrap_or_default();
                format!("{offset}: {}{} {body:?}{cut}", head.method, head.status)
            }
            Item::Lost => "lost".to_owned(),
            Item::Upgraded => "upgraded".to_owned(),
            Item::Junk { count, .. } => format!("{count} bytes of junk"),
        })
        .collect()
}

#[test]
fn pipelined_requests_are_told_apart_however_they_are_cut() {
    let bytes = b"OPTIONS /a HTTP/1.1\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello\r\nGET /c HTTP/1.1\n\n";
    for step in 1..=bytes.len() {
        assert_eq!(read(Kind::Request, bytes, step), ["0: OPTIONS0 \"\"", "23: POST0 \"hello\"", "69: GET0 \"\""]);
    }
}

#[test]
fn chunks_extensions_and_trailers_are_taken_off_however_they_are_cut() {
    let bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5;x=y\r\nhello\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n\
        HTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\n\r\nto the end";
    for step in 1..=bytes.len() {
        let found = read(Kind::Answer, bytes, step);
        assert_eq!(found, ["0: 200 \"hello0123456789\"", "93: 204 \"\"", "112: 200 \"to the end\""], "{step}");
    }
}

#[test]
fn interim_answers_are_not_answers() {
    let bytes = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    assert_eq!(read(Kind::Answer, bytes, 7), ["25: 200 \"ok\""]);
}

#[test]
fn missing_bytes_inside_a_body_cost_that_body_only() {
    let mut reader = Reader::new(Kind::Answer);
    reader.feed(&part(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", 0), 100);
    reader.missing(Some(4), Timestamp(0));
    reader.feed(&part(b"hijHTTP/1.1 201 Yes\r\nContent-Length: 1\r\n\r\nx", 46), 100);
    let cut = "4 bytes are missing in the capture behind byte 3";
    assert_eq!(items(&mut reader), [format!("0: 200 \"abc\" ({cut})"), "49: 201 \"x\"".to_owned()]);
}

#[test]
fn behind_a_hole_only_a_segment_that_begins_a_message_counts() {
    let mut reader = Reader::new(Kind::Request);
    reader.feed(&part(b"POST /a HTTP/1.1\r\nContent-Len", 0), 100);
    reader.missing(Some(100), Timestamp(0));
    reader.feed(&part(b"rest of a body", 130), 100);
    reader.feed(&part(b"GET /b HTTP/1.1\r\n\r\n", 144), 100);
    assert_eq!(items(&mut reader), ["lost", "14 bytes of junk", "144: GET0 \"\""]);
}

#[test]
fn a_body_beyond_the_limit_is_cut_and_says_so() {
    let mut reader = Reader::new(Kind::Request);
    reader.feed(&part(b"POST /a HTTP/1.1\r\nContent-Length: 6\r\n\r\nabcdefGET /b HTTP/1.1\r\n\r\n", 0), 4);
    let found = items(&mut reader);
    assert_eq!(found, ["0: POST0 \"abcd\" (longer than the 4 bytes that an import keeps)", "45: GET0 \"\""]);
}

#[test]
fn a_body_that_the_connection_cuts_says_so() {
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc";
    assert_eq!(read(Kind::Answer, bytes, 9), ["0: 200 \"abc\" (the connection ends behind byte 3)"]);
}

#[test]
fn endless_heads_and_other_protocols_are_given_up() {
    let head = [b"GET /".as_slice(), &vec![b'x'; MAX_HEAD * 2]].concat();
    assert_eq!(read(Kind::Request, &head, 1000), ["lost", "131077 bytes of junk"]);
    assert_eq!(read(Kind::Request, b"\x00\x01binary", 3), ["lost", "8 bytes of junk"]);
}

#[test]
fn lines_behind_the_last_chunk_are_trailers_however_they_are_cut() {
    let bytes = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\nEtag: \"b\"\r\n\r\n";
    for step in 1..=bytes.len() {
        let mut reader = Reader::new(Kind::Request);
        bytes.chunks(step).for_each(|piece| reader.feed(&part(piece, 0), 100));
        let Some(Item::Message(message)) = reader.next_item() else { panic!("no message, {step}") };
        let headers = message.head.headers;
        assert_eq!(headers.trailers().collect::<Vec<_>>(), [("X-Sum", "1"), ("Etag", "\"b\"")], "{step}");
        assert_eq!(headers.iter().count(), 2);
    }
}

#[test]
fn endless_trailers_are_bounded() {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n".as_slice();
    let mut reader = Reader::new(Kind::Answer);
    reader.feed(&part(&[head, &vec![b'x'; 1 << 20]].concat(), 0), 100);
    assert!(reader.held() <= OVERHEAD + MAX_LINE + 1);
    reader.feed(&part(b"\r\nHTTP/1.1 204 No\r\n\r\n", 0), 100);
    assert_eq!(items(&mut reader), ["0: 200 \"\"", "2: 204 \"\""]);
}
