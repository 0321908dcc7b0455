//! Every element of an answer stands where the standard puts it, as often as it may, with a value of its type.

use easrig_eas::schema::{self, Direction};

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
        .map(|problem| Slip::new("the shape that the standard gives", format!("{problem}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{PING_DONE, broken, exchange};
    use super::*;

    #[test]
    fn a_misplaced_element_is_named() {
        assert!(broken(&INVARIANT, &exchange("Ping", "14.1", "", PING_DONE)).is_empty());
        let wrong = r#"<Ping xmlns="Ping"><Status>two</Status></Ping>"#;
        let findings = broken(&INVARIANT, &exchange("Ping", "14.1", "", wrong));
        assert!(findings[0].actual.contains("Status"), "{findings:?}");
    }
}
