//! The headers of an answer: media type, multipart only when asked for, the two lists of OPTIONS.

use easrig_eas::{
    Command,
    headers::{self, ContentType},
};

use crate::{Level, decoded::Content, model::Verb};

use super::{Context, Invariant, Slip, every_answer};

pub(super) const INVARIANT: Invariant = Invariant {
    name: "headers",
    requirement: Some("MS-ASHTTP_R218"),
    level: Level::Must,
    title: "Answers carry the headers that phones go by",
    why: "Many phones look at the content type first and drop an answer that has another one.",
    fix: "Send `Content-Type: application/vnd.ms-sync.wbxml` with every document; look for a proxy that changes it.",
    concerns: every_answer,
    check,
};

fn check(context: &Context<'_>) -> Vec<Slip> {
    if context.decoded.http != Some(200) {
        return Vec::new();
    }
    match context.decoded.verb {
        Some(Verb::Options) => options(context),
        Some(Verb::Command(command)) if command != Command::GetAttachment => command_answer(context),
        _ => Vec::new(),
    }
}

fn command_answer(context: &Context<'_>) -> Vec<Slip> {
    let decoded = context.decoded;
    let is_document = matches!(decoded.answer, Content::Document(_));
    match &decoded.content_type {
        _ if !is_document => Vec::new(),
        None => vec![Slip::new("a Content-Type header with the document", "it is missing")],
        Some(ContentType::Multipart) if !asked_for_multipart(context) => {
            vec![Slip::new("a multipart answer only when it is asked for", "it was not asked for")]
        }
        Some(kind) if kind.is_wbxml() || *kind == ContentType::Multipart => Vec::new(),
        Some(kind) => {
            let actual = format!("content type {}", kind.as_str());
            vec![Slip::new("content type application/vnd.ms-sync.wbxml", actual).of("MS-ASHTTP_R522")]
        }
    }
}

fn asked_for_multipart(context: &Context<'_>) -> bool {
    let header = context.exchange.request.headers.get(headers::ACCEPT_MULTIPART);
    let in_query = context.decoded.query.as_ref().and_then(|query| query.accept_multipart);
    header.is_some_and(|value| value.trim().eq_ignore_ascii_case("T")) || in_query == Some(true)
}

fn options(context: &Context<'_>) -> Vec<Slip> {
    let Some(response) = context.exchange.response() else { return Vec::new() };
    let missing = |name: &&str| response.headers.get(name).is_none_or(|value| value.trim().is_empty());
    [headers::PROTOCOL_VERSIONS, headers::PROTOCOL_COMMANDS]
        .iter()
        .filter(|name| missing(name))
        .map(|name| {
            Slip::new(format!("a header {name} in the answer to OPTIONS"), "it is missing").of("MS-ASHTTP_R1107")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{PING_DONE, broken, exchange, retyped};
    use super::*;

    #[test]
    fn the_content_type_of_a_document_is_judged() {
        let answer = exchange("Ping", "14.1", "", PING_DONE);
        assert!(broken(&INVARIANT, &answer).is_empty());
        assert!(broken(&INVARIANT, &retyped(&answer, Some("application/vnd.ms-sync; charset=utf-8"))).is_empty());
        assert_eq!(broken(&INVARIANT, &retyped(&answer, Some("application/octet-stream"))).len(), 1);
        assert_eq!(broken(&INVARIANT, &retyped(&answer, None)).len(), 1);
    }

    #[test]
    fn options_brings_both_lists() {
        let mut answer = exchange("Ping", "14.1", "", "");
        answer.request.method = "OPTIONS".to_owned();
        assert_eq!(broken(&INVARIANT, &answer).len(), 2);
        let headers = &mut super::super::tests::answer(&mut answer).headers;
        headers.push("MS-ASProtocolVersions", "14.1");
        headers.push("MS-ASProtocolCommands", "Sync");
        assert!(broken(&INVARIANT, &answer).is_empty());
    }
}
