//! What only a client says does not come back in the answer.

use std::collections::BTreeSet;

use easrig_wbxml::{
    Tag,
    tags::{air_sync, air_sync_base as base, item_operations, ping, search},
};

use crate::Level;

use super::{Context, Invariant, Slip, documents};

pub(super) const INVARIANT: Invariant = Invariant {
    name: "no-echo",
    requirement: None,
    level: Level::Must,
    title: "Nothing of the request comes back as part of the answer",
    why: "A server that sends the request back has not done what was asked, though it looks like success.",
    fix: "Look for something between phone and server that answers by itself; else ask whoever makes the server.",
    concerns: documents,
    check,
};

fn check(context: &Context<'_>) -> Vec<Slip> {
    let (Some(request), Some(answer)) = (context.decoded.request.document(), context.decoded.answer.document()) else {
        return Vec::new();
    };
    // A Ping or FolderSync request is never a whole answer: those have a Status.
    if request == answer {
        return vec![Slip::new("an answer", "the request, sent back as it came")];
    }
    let asked: BTreeSet<Tag> = request.root().descendants().map(|element| element.tag()).collect();
    let mut told = BTreeSet::new();
    answer
        .root()
        .descendants()
        .map(|element| element.tag())
        .filter(|tag| CLIENT_ONLY.contains(tag) && asked.contains(tag) && told.insert(*tag))
        .map(|tag| {
            Slip::new("an answer without elements that only clients send", format!("{tag} of the request is in it"))
        })
        .collect()
}

/// Elements that no answer may hold, in any version.
const CLIENT_ONLY: [Tag; 17] = [
    air_sync::OPTIONS,
    air_sync::WINDOW_SIZE,
    air_sync::GET_CHANGES,
    air_sync::DELETES_AS_MOVES,
    air_sync::SUPPORTED,
    air_sync::FILTER_TYPE,
    air_sync::CONFLICT,
    air_sync::WAIT,
    air_sync::HEARTBEAT_INTERVAL,
    air_sync::PARTIAL,
    base::BODY_PREFERENCE,
    base::BODY_PART_PREFERENCE,
    base::ALL_OR_NONE,
    item_operations::OPTIONS,
    item_operations::SCHEMA,
    ping::CLASS,
    search::QUERY,
];

#[cfg(test)]
mod tests {
    use super::super::tests::{broken, exchange, sync_answer, sync_request};
    use super::*;

    #[test]
    fn a_request_sent_back_is_no_answer() {
        let request = sync_request("<SyncKey>1</SyncKey><CollectionId>5</CollectionId><WindowSize>10</WindowSize>");
        let good = sync_answer("<SyncKey>2</SyncKey><CollectionId>5</CollectionId><Status>1</Status>");
        assert!(broken(&INVARIANT, &exchange("Sync", "14.1", &request, &good)).is_empty());
        assert_eq!(broken(&INVARIANT, &exchange("Sync", "14.1", &request, &request)).len(), 1);
        let mixed = sync_answer(
            "<SyncKey>2</SyncKey><CollectionId>5</CollectionId><Status>1</Status><WindowSize>10</WindowSize>",
        );
        let findings = broken(&INVARIANT, &exchange("Sync", "14.1", &request, &mixed));
        assert_eq!(findings[0].actual, "AirSync:WindowSize of the request is in it");
    }

    #[test]
    fn a_request_without_any_such_element_sent_back_is_no_answer_either() {
        let request = r#"<FolderSync xmlns="FolderHierarchy"><SyncKey>1</SyncKey></FolderSync>"#;
        let findings = broken(&INVARIANT, &exchange("FolderSync", "14.1", request, request));
        assert_eq!(findings[0].actual, "the request, sent back as it came");
    }

    #[test]
    fn every_element_that_only_clients_send_is_noticed_and_only_where_the_request_has_it() {
        let names = [
            (
                "AirSync",
                "Options WindowSize GetChanges DeletesAsMoves Supported FilterType Conflict Wait HeartbeatInterval Partial",
            ),
            ("AirSyncBase", "BodyPreference BodyPartPreference AllOrNone"),
            ("ItemOperations", "Options Schema"),
            ("Ping", "Class"),
            ("Search", "Query"),
        ];
        for (page, element) in names.iter().flat_map(|(page, names)| names.split(' ').map(move |name| (*page, name))) {
            let name = format!("{page}:{element}");
            let with = |rest: &str| format!(r#"<Sync xmlns="AirSync">{rest}<{element} xmlns="{page}"/></Sync>"#);
            let [request, answer] = [with(""), with("<Status>1</Status>")];
            let findings = broken(&INVARIANT, &exchange("Sync", "14.1", &request, &answer));
            assert_eq!(findings.len(), 1, "{name}");
            assert_eq!(findings[0].actual, format!("{name} of the request is in it"));
            let other = r#"<Sync xmlns="AirSync"><Limit/></Sync>"#;
            assert!(broken(&INVARIANT, &exchange("Sync", "14.1", other, &answer)).is_empty(), "{name}");
        }
    }
}
