use easrig_exchange::Timestamp;

use super::Part;
use super::head::Head;
use super::message::{Item, Kind, Message, Reader};
use crate::tcp::Side;

/// The one request that a text holds, and its body without transfer coding.
pub(crate) fn request_in(bytes: &[u8], limit: usize) -> Option<(Head, Vec<u8>)> {
    let message = message_in(Kind::Request, bytes, limit)?;
    Some((message.head, message.body))
}

/// The one answer that a text holds, its body, and why that is not whole, if so.
pub(crate) fn answer_in(bytes: &[u8], limit: usize) -> Option<(Head, Vec<u8>, Option<String>)> {
    let message = message_in(Kind::Answer, bytes, limit)?;
    Some((message.head, message.body, message.cut))
}

fn message_in(kind: Kind, bytes: &[u8], limit: usize) -> Option<Message> {
    let mut reader = Reader::new(kind);
    let part = Part { side: Side::Low, at: Timestamp(0), offset: 0, acked: None, bytes };
    reader.feed(&part, limit);
    reader.finish(true, Timestamp(0));
    std::iter::from_fn(|| reader.next_item()).find_map(|item| match item {
        Item::Message(message) => Some(*message),
        _ => None,
    })
}
