//! What is known to trip real phones, as far as it shows on any exchange.

use std::collections::BTreeMap;

use easrig_eas::{Command, Version};
use easrig_wbxml::{
    Element, Tag,
    tags::{air_sync, air_sync_base as base, folder_hierarchy as hierarchy, move_items},
};

use crate::Level;

use super::{Context, Invariant, Slip, documents, sync_key::collections};

pub(super) const EMPTY_NODES: Invariant = Invariant {
    name: "no-empty-nodes",
    requirement: Some("MS-ASCMD_R3836"),
    level: Level::Must,
    title: "Lists of an answer are left out rather than sent empty",
    why: "Phones count on something inside; some crash, some ask again without end.",
    fix: "This is a matter for whoever makes the server.",
    concerns: documents,
    check: empty_nodes,
};

pub(super) const DOUBLE_CHANGES: Invariant = Invariant {
    name: "changes-once",
    requirement: None,
    level: Level::Robust,
    title: "One answer adds or deletes an item or folder once",
    why: "The phone shows folders or mails twice, or stops at a folder it has already removed.",
    fix: "This is a matter for whoever makes the server; a repair of the mailbox's index often helps.",
    concerns: |context| matches!(context.command(), Some(Command::Sync | Command::FolderSync)) && documents(context),
    check: double_changes,
};

pub(super) const CLIENT_TRAPS: Invariant = Invariant {
    name: "client-traps",
    requirement: None,
    level: Level::Robust,
    title: "Nothing that is known to trip phones, though the standard lets it pass",
    why: "Each of these once kept a family of phones from synchronising.",
    fix: "The finding names it; newer releases of most servers have it mended.",
    concerns: documents,
    check: client_traps,
};

fn empty_nodes(context: &Context<'_>) -> Vec<Slip> {
    let Some(root) = context.decoded.answer.root().filter(|root| root.tag() == air_sync::SYNC) else {
        return Vec::new();
    };
    let is_empty = |element: &Element<'_>| element.children().next().is_none();
    let mut slips = Vec::new();
    for collection in collections(root) {
        if collection.all(air_sync::RESPONSES).any(|e| is_empty(&e)) {
            slips.push(Slip::new("no Responses where there are none", "an empty Responses"));
        }
        if collection.all(air_sync::COMMANDS).any(|e| is_empty(&e)) {
            slips.push(Slip::new("no Commands where there are none", "an empty Commands").of("MS-ASCMD_R2053"));
        }
    }
    if root.all(air_sync::COLLECTIONS).any(|e| is_empty(&e)) {
        slips.push(Slip::new("no Collections where there are none", "an empty Collections").at_level(Level::Robust));
    }
    slips
}

fn double_changes(context: &Context<'_>) -> Vec<Slip> {
    let Some(root) = context.decoded.answer.root() else { return Vec::new() };
    let mut slips = Vec::new();
    if root.tag() == hierarchy::FOLDER_SYNC
        && let Some(changes) = root.child(hierarchy::CHANGES)
    {
        slips.extend(doubles(changes, &[hierarchy::ADD, hierarchy::DELETE], hierarchy::SERVER_ID));
        slips.extend(miscounted(changes));
    }
    if root.tag() == air_sync::SYNC {
        for commands in collections(root).flat_map(|collection| collection.all(air_sync::COMMANDS)) {
            slips.extend(doubles(commands, &[air_sync::ADD, air_sync::DELETE], air_sync::SERVER_ID));
        }
    }
    slips
}

fn doubles(changes: Element<'_>, tags: &[Tag], id: Tag) -> Vec<Slip> {
    let mut seen: BTreeMap<(Tag, String), usize> = BTreeMap::new();
    for change in changes.children().filter(|change| tags.contains(&change.tag())) {
        // With an InstanceId it is one occurrence of a series: several of them share the ServerId.
        let of_series = change.child(base::INSTANCE_ID).is_some();
        if let Some(id) = change.child_text(id).filter(|_| !of_series) {
            *seen.entry((change.tag(), id.into_owned())).or_default() += 1;
        }
    }
    let told = |((tag, id), count): ((Tag, String), usize)| {
        let name = tag.name().unwrap_or_default();
        Slip::new(format!("one {name} of `{id}`"), format!("{count} in one answer"))
    };
    seen.into_iter().filter(|(_, count)| *count > 1).map(told).collect()
}

fn miscounted(changes: Element<'_>) -> Option<Slip> {
    let said: usize = changes.child_text(hierarchy::COUNT)?.trim().parse().ok()?;
    let there = changes.children().filter(|change| change.tag() != hierarchy::COUNT).count();
    (said != there).then(|| Slip::new(format!("{said} changes, as Count says"), format!("{there} changes")))
}

fn client_traps(context: &Context<'_>) -> Vec<Slip> {
    let Some(root) = context.decoded.answer.root() else { return Vec::new() };
    let mut slips = Vec::new();
    for collection in collections(root) {
        if context.version().is_some_and(|version| version >= Version::V12_1)
            && collection.child(air_sync::CLASS).is_some()
        {
            slips
                .push(Slip::new("no Class in the answer's Collection from 12.1 (Windows Mobile stops)", "it is there"));
        }
        if collection.child_text(air_sync::STATUS).as_deref() == Some("12") {
            let expected = "Status 12 (folder list changed) directly below Sync (BlackBerry misses it elsewhere)";
            slips.push(Slip::new(expected, "it stands in a Collection"));
        }
    }
    let unsized_attachment = |element: &Element<'_>| {
        element.tag() == base::ATTACHMENT
            && element.child(base::FILE_REFERENCE).is_some()
            && element.child(base::ESTIMATED_DATA_SIZE).is_none()
    };
    if root.descendants().any(|element| unsized_attachment(&element)) {
        slips.push(Slip::new("EstimatedDataSize with every attachment (Android 6 hides the others)", "it is missing"));
    }
    let moved = |element: Element<'_>| {
        element.child_text(move_items::STATUS).as_deref() == Some("3")
            && element.child(move_items::DST_MSG_ID).is_none()
    };
    if root.tag() == move_items::MOVE_ITEMS && root.all(move_items::RESPONSE).any(moved) {
        slips.push(Slip::new("DstMsgId with every moved item (Android 4 crashes)", "it is missing"));
    }
    slips
}

#[cfg(test)]
mod tests {
    use super::super::tests::{broken, exchange, sync_answer};
    use super::*;

    fn sync(invariant: &Invariant, inner: &str) -> usize {
        let answer =
            sync_answer(&format!("<SyncKey>2</SyncKey><CollectionId>5</CollectionId><Status>1</Status>{inner}"));
        broken(invariant, &exchange("Sync", "14.1", "", &answer)).len()
    }

    #[test]
    fn empty_lists_are_told() {
        assert_eq!(sync(&EMPTY_NODES, ""), 0);
        assert_eq!(sync(&EMPTY_NODES, "<Responses/>"), 1);
        assert_eq!(sync(&EMPTY_NODES, "<Commands></Commands>"), 1);
        let empty = r#"<Sync xmlns="AirSync"><Collections/></Sync>"#;
        assert_eq!(broken(&EMPTY_NODES, &exchange("Sync", "14.1", "", empty))[0].level, Level::Robust);
    }

    #[test]
    fn changes_that_come_twice_are_told() {
        let delete = "<Delete><ServerId>5:1</ServerId></Delete>";
        assert_eq!(sync(&DOUBLE_CHANGES, &format!("<Commands>{delete}</Commands>")), 0);
        assert_eq!(sync(&DOUBLE_CHANGES, &format!("<Commands>{delete}{delete}</Commands>")), 1);
        let occurrence = |day: u8| {
            let id = format!("<InstanceId xmlns=\"AirSyncBase\">2026-01-0{day}T10:00:00.000Z</InstanceId>");
            format!("<Delete><ServerId>5:1</ServerId>{id}</Delete>")
        };
        let series = format!("<Commands>{}{}</Commands>", occurrence(1), occurrence(2));
        assert_eq!(sync(&DOUBLE_CHANGES, &series), 0, "two occurrences of one series are two items");
        let folders = |count: usize, changes: &str| {
            let answer = format!(
                r#"<FolderSync xmlns="FolderHierarchy"><Status>1</Status><SyncKey>2</SyncKey><Changes><Count>{count}</Count>{changes}</Changes></FolderSync>"#
            );
            broken(&DOUBLE_CHANGES, &exchange("FolderSync", "14.1", "", &answer)).len()
        };
        let delete = "<Delete><ServerId>4</ServerId></Delete>";
        assert_eq!(folders(1, delete), 0);
        assert_eq!(folders(2, &format!("{delete}{delete}")), 1);
        assert_eq!(folders(3, delete), 1);
    }

    #[test]
    fn known_traps_are_told() {
        assert_eq!(sync(&CLIENT_TRAPS, ""), 0);
        assert_eq!(sync(&CLIENT_TRAPS, "<Class>Email</Class>"), 1);
        let hierarchy = sync_answer("<CollectionId>5</CollectionId><Status>12</Status>");
        assert_eq!(broken(&CLIENT_TRAPS, &exchange("Sync", "14.1", "", &hierarchy)).len(), 1);
        let attachment = |inner: &str| {
            sync(
                &CLIENT_TRAPS,
                &format!(
                    "<Commands><Add><ServerId>5:1</ServerId><ApplicationData><Attachments xmlns=\"AirSyncBase\"><Attachment>\
                     <FileReference>f</FileReference>{inner}</Attachment></Attachments></ApplicationData></Add></Commands>"
                ),
            )
        };
        assert_eq!(attachment("<EstimatedDataSize>9</EstimatedDataSize>"), 0);
        assert_eq!(attachment(""), 1);
        let moved = |inner: &str| {
            let answer = format!(
                r#"<MoveItems xmlns="Move"><Response><SrcMsgId>1</SrcMsgId><Status>3</Status>{inner}</Response></MoveItems>"#
            );
            broken(&CLIENT_TRAPS, &exchange("MoveItems", "14.1", "", &answer)).len()
        };
        assert_eq!(moved("<DstMsgId>2</DstMsgId>"), 0);
        assert_eq!(moved(""), 1);
    }
}
