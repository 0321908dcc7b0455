//! An HTTP 200 without a body only where that says something.

use easrig_eas::{Command, Version};
use easrig_wbxml::{Element, tags::air_sync};

use crate::{
    Level,
    decoded::{Content, empty_is_success},
};

use super::{Context, Invariant, Slip, commands, sync_key::collections};

pub(super) const INVARIANT: Invariant = Invariant {
    name: "empty-answer",
    requirement: Some("MS-ASCMD_R656"),
    level: Level::Must,
    title: "An empty answer is sent only where it means that all is well",
    why: "A phone that gets nothing where it waits for a key or an id starts over, or gives up.",
    fix: "Send a document; an empty HTTP 200 is for sent mail and for a Sync without changes.",
    concerns: commands,
    check,
};

fn check(context: &Context<'_>) -> Vec<Slip> {
    let decoded = context.decoded;
    let Some(command) = context.command() else { return Vec::new() };
    let is_empty = decoded.http == Some(200) && matches!(decoded.answer, Content::Empty);
    // An attachment may have no bytes, and before 12.1 nobody wrote down what an empty answer means.
    if !is_empty || command == Command::GetAttachment || context.version().is_none_or(|v| v < Version::V12_1) {
        return Vec::new();
    }
    if !empty_is_success(command) {
        return vec![Slip::new(format!("a document as answer to {command}"), "HTTP 200 without a body")];
    }
    if command == Command::Sync
        && let Some(root) = decoded.request.root()
    {
        return collections(root)
            .filter_map(needs_an_answer)
            .map(|why| Slip::new(why, "HTTP 200 without a body"))
            .collect();
    }
    Vec::new()
}

/// Why a collection of a request cannot do without an answer.
fn needs_an_answer(collection: Element<'_>) -> Option<&'static str> {
    if collection.child_text(air_sync::SYNC_KEY).as_deref() == Some("0") {
        return Some("a key in the answer to SyncKey 0");
    }
    let commands = collection.child(air_sync::COMMANDS)?;
    let names_ids = commands.children().any(|command| [air_sync::ADD, air_sync::FETCH].contains(&command.tag()));
    names_ids.then_some("an answer to what the phone adds or fetches")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{broken, exchange, sync_request};
    use super::*;

    fn count(command: &str, version: &str, request: &str) -> usize {
        broken(&INVARIANT, &exchange(command, version, request, "")).len()
    }

    #[test]
    fn sent_mail_and_a_sync_without_changes_may_be_empty() {
        assert_eq!(count("SendMail", "14.1", ""), 0);
        assert_eq!(count("Sync", "14.1", ""), 0);
        assert_eq!(count("Sync", "14.1", &sync_request("<SyncKey>4</SyncKey><CollectionId>5</CollectionId>")), 0);
    }

    #[test]
    fn nothing_else_may_be_empty() {
        assert_eq!(count("FolderSync", "14.1", ""), 1);
        assert_eq!(count("Ping", "12.1", ""), 1);
        assert_eq!(count("FolderSync", "2.5", ""), 0);
        assert_eq!(count("Sync", "14.1", &sync_request("<SyncKey>0</SyncKey><CollectionId>5</CollectionId>")), 1);
        let adds =
            "<SyncKey>4</SyncKey><CollectionId>5</CollectionId><Commands><Add><ClientId>1</ClientId></Add></Commands>";
        assert_eq!(count("Sync", "14.1", &sync_request(adds)), 1);
        let fetches = adds.replace("<Add><ClientId>1</ClientId></Add>", "<Fetch><ServerId>5:1</ServerId></Fetch>");
        assert_eq!(count("Sync", "14.1", &sync_request(&fetches)), 1);
    }
}
