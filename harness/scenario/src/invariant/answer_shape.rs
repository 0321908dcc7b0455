//! Every element of an answer stands where the standard puts it, as often as it may, with a value of its type.

use easrig_eas::schema::{self, Direction, Problem, ProblemKind};

use crate::Level;

use super::{Context, Invariant, Slip, documents};

pub(super) const INVARIANT: Invariant = Invariant {
    name: "answer-shape",
    requirement: None,
    level: Level::Must,
    title: "Every element stands in its place, with a value of its type, in a version that has it",
    why: "Phones skip what they do not expect, or drop the whole answer: items are missing or the account stops.",
    fix: "The finding names the element; this is a matter for whoever makes the server.",
    concerns: documents,
    check,
};

fn check(context: &Context<'_>) -> Vec<Slip> {
    let (Some(document), Some(command), Some(version)) =
        (context.decoded.answer.document(), context.command(), context.version())
    else {
        return Vec::new();
    };
    schema::check(document, command, Direction::Answer, version)
        .into_iter()
        .filter(|problem| !(context.history.masked && is_filler(problem)))
        .map(|problem| Slip::new("the shape that the standard gives", format!("{problem}")))
        .collect()
}

/// Whether a value of the wrong type may be what redaction, or a log that leaves contents out, put in its place.
pub(crate) fn is_filler(problem: &Problem) -> bool {
    let ProblemKind::BadValue { found, .. } = &problem.kind else { return false };
    let hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    found.len() >= SHORTEST_FILLER && (found.chars().all(hex) || found.chars().all(|c| c == 'x'))
}

/// Shorter texts are too likely to be a server's own.
const SHORTEST_FILLER: usize = 8;

#[cfg(test)]
mod tests {
    use super::super::{
        History,
        tests::{PING_DONE, broken, broken_after, exchange, sync_answer},
    };
    use super::*;

    #[test]
    fn filler_in_a_recording_is_no_bad_value() {
        let birthday = |text: &str| {
            let item = format!(
                "<ServerId>2:1</ServerId><ApplicationData><Birthday xmlns=\"Contacts\">{text}</Birthday></ApplicationData>"
            );
            let commands = format!("<Commands><Add>{item}</Add></Commands>");
            exchange(
                "Sync",
                "14.1",
                "",
                &sync_answer(&format!(
                    "<SyncKey>2</SyncKey><CollectionId>2</CollectionId><Status>1</Status>{commands}"
                )),
            )
        };
        let masked = |text: &str| broken_after(&History::of_recording(), &INVARIANT, &birthday(text)).len();
        assert_eq!(
            (masked("f89f85a7de45f04b2c37da9d"), broken(&INVARIANT, &birthday("f89f85a7de45f04b2c37da9d")).len()),
            (0, 1)
        );
        assert_eq!(masked("next Monday"), 1);
    }

    #[test]
    fn a_misplaced_element_is_named() {
        assert!(broken(&INVARIANT, &exchange("Ping", "14.1", "", PING_DONE)).is_empty());
        let wrong = r#"<Ping xmlns="Ping"><Status>two</Status></Ping>"#;
        let findings = broken(&INVARIANT, &exchange("Ping", "14.1", "", wrong));
        assert!(findings[0].actual.contains("Status"), "{findings:?}");
    }
}
