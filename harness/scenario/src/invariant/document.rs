//! What is sent as a document is one.

use easrig_eas::Command;

use crate::{Level, decoded::Content};

use super::{Context, Invariant, Slip, commands};

pub(super) const INVARIANT: Invariant = Invariant {
    name: "document",
    requirement: Some("MS-ASWBXML_R8"),
    level: Level::Must,
    title: "An answer with HTTP 200 is a document that can be decoded",
    why: "A phone that cannot read the answer stops synchronising, or asks for the same again and again.",
    fix: "A page in HTML comes from a proxy or login portal in front of the server; broken WBXML from the server itself.",
    concerns: commands,
    check,
};

fn check(context: &Context<'_>) -> Vec<Slip> {
    let decoded = context.decoded;
    let Some(command) = context.command().filter(|command| *command != Command::GetAttachment) else {
        return Vec::new();
    };
    if decoded.http != Some(200) {
        return Vec::new();
    }
    let mut slips = Vec::new();
    if matches!(decoded.answer, Content::Undecodable(_) | Content::Broken(_) | Content::Other) {
        slips.push(Slip::new(format!("a WBXML document as answer to {command}"), decoded.words()));
    }
    if decoded.trailing > 0 {
        let actual = format!("{} bytes after the end of the document", decoded.trailing);
        slips.push(Slip::new("nothing after the document", actual).at_level(Level::Robust));
    }
    let odd = |oddity: &String| Slip::new("a regular multipart answer", oddity.clone()).at_level(Level::Robust);
    slips.extend(decoded.oddities.iter().map(odd));
    slips
}

#[cfg(test)]
mod tests {
    use super::super::tests::{PING_DONE, answer, broken, exchange, retyped};
    use super::*;

    #[test]
    fn a_page_in_html_or_broken_wbxml_is_no_answer() {
        let good = exchange("Ping", "14.1", "", PING_DONE);
        assert!(broken(&INVARIANT, &good).is_empty());
        let mut cut = good.clone();
        answer(&mut cut).body.truncate(6);
        assert_eq!(broken(&INVARIANT, &cut).len(), 1);
        let mut html = retyped(&good, Some("text/html"));
        answer(&mut html).body = b"<html>sign in</html>".to_vec();
        assert_eq!(broken(&INVARIANT, &html)[0].actual, "HTTP 200 with a body of type text/html");
        answer(&mut html).status = 500;
        assert!(broken(&INVARIANT, &html).is_empty());
    }

    #[test]
    fn bytes_after_the_document_are_told() {
        let mut padded = exchange("Ping", "14.1", "", PING_DONE);
        answer(&mut padded).body.extend([1, 2, 3]);
        let findings = broken(&INVARIANT, &padded);
        assert_eq!((findings[0].level, findings.len()), (Level::Robust, 1));
    }
}
