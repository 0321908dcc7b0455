//! A new key whenever the state changed. A new key without a change is legal.

use easrig_eas::Command;
use easrig_wbxml::{
    Element,
    tags::{air_sync, folder_hierarchy as hierarchy},
};

use crate::Level;

use super::{Context, Invariant, Slip};

pub(super) const INVARIANT: Invariant = Invariant {
    name: "new-sync-key",
    requirement: Some("MS-ASCMD_R4602"),
    level: Level::Must,
    title: "Whatever changed comes with a new synchronisation key",
    why: "With the old key the phone gets the same changes again and again: battery, traffic, doubled items.",
    fix: "This is a matter for whoever makes the server; see whether its state is written to a full or slow disk.",
    concerns: |context| {
        use Command::{FolderCreate, FolderDelete, FolderSync, FolderUpdate, Sync};
        matches!(context.command(), Some(Sync | FolderSync | FolderCreate | FolderDelete | FolderUpdate))
            && context.decoded.answer.root().is_some()
    },
    check,
};

fn check(context: &Context<'_>) -> Vec<Slip> {
    let Some(answer) = context.decoded.answer.root() else { return Vec::new() };
    let request = context.decoded.request.root();
    match context.command() {
        Some(Command::Sync) => request.map(|request| sync(request, answer)).unwrap_or_default(),
        Some(Command::FolderSync | Command::FolderCreate | Command::FolderDelete | Command::FolderUpdate) => {
            request.and_then(|request| folders(request, answer)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The collections of a Sync request or answer.
pub(super) fn collections(root: Element<'_>) -> impl Iterator<Item = Element<'_>> {
    root.all(air_sync::COLLECTIONS).flat_map(|collections| collections.all(air_sync::COLLECTION))
}

fn sync(request: Element<'_>, answer: Element<'_>) -> Vec<Slip> {
    collections(answer).filter_map(|collection| collection_slip(request, collection)).collect()
}

fn collection_slip(request: Element<'_>, collection: Element<'_>) -> Option<Slip> {
    let id = collection.child_text(air_sync::COLLECTION_ID);
    let succeeded = collection.child_text(air_sync::STATUS).as_deref() == Some("1");
    let asked = match &id {
        Some(id) => collections(request).find(|c| c.child_text(air_sync::COLLECTION_ID).as_ref() == Some(id)),
        None => None,
    }?;
    if !succeeded {
        return None;
    }
    let old = asked.child_text(air_sync::SYNC_KEY)?;
    let new = collection.child_text(air_sync::SYNC_KEY).unwrap_or_default();
    let folder = id.unwrap_or_default();
    if new.is_empty() {
        return Some(Slip::new(format!("a SyncKey for collection {folder}"), "there is none").of("MS-ASCMD_R2842"));
    }
    if new != old && new != "0" {
        return None;
    }
    let slip = |cause| Slip::new(format!("a new SyncKey for collection {folder} {cause}"), format!("SyncKey `{new}`"));
    if let Some(cause) = change_of(collection).or((old == "0").then_some("after the first synchronisation")) {
        return Some(slip(cause));
    }
    // Seen from Exchange: nothing changes yet and more is announced. Legal perhaps; phones go round in circles.
    collection.child(air_sync::MORE_AVAILABLE).map(|_| slip("with MoreAvailable").at_level(Level::Robust))
}

fn change_of(collection: Element<'_>) -> Option<&'static str> {
    if collection.child(air_sync::COMMANDS).is_some_and(|commands| commands.children().next().is_some()) {
        return Some("after changes sent to the phone");
    }
    let added = |responses: Element<'_>| {
        responses.all(air_sync::ADD).any(|add| add.child_text(air_sync::STATUS).as_deref() == Some("1"))
    };
    collection
        .child(air_sync::RESPONSES)
        .filter(|responses| added(*responses))
        .map(|_| "after an item taken from the phone")
}

fn folders(request: Element<'_>, answer: Element<'_>) -> Option<Slip> {
    if answer.child_text(hierarchy::STATUS).as_deref() != Some("1") {
        return None;
    }
    let old = request.child_text(hierarchy::SYNC_KEY)?;
    let new = answer.child_text(hierarchy::SYNC_KEY).unwrap_or_default();
    if new.is_empty() {
        return Some(Slip::new("a SyncKey for the folder list", "there is none"));
    }
    let changes = answer.child(hierarchy::CHANGES);
    let lists_changes = changes.is_some_and(|changes| changes.children().any(|c| c.tag() != hierarchy::COUNT));
    // The three commands that change a folder change the state by themselves.
    let changed = lists_changes || answer.tag() != hierarchy::FOLDER_SYNC || old == "0";
    (changed && (new == old || new == "0"))
        .then(|| Slip::new("a new SyncKey after the folder list changed", format!("SyncKey `{new}`")))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{broken, exchange, sync_answer, sync_request};
    use super::*;

    fn sync_count(old: &str, new: &str, more: &str) -> usize {
        let request = sync_request(&format!("<SyncKey>{old}</SyncKey><CollectionId>5</CollectionId>"));
        let answer = sync_answer(&format!("{new}<CollectionId>5</CollectionId><Status>1</Status>{more}"));
        broken(&INVARIANT, &exchange("Sync", "14.1", &request, &answer)).len()
    }

    const ADD: &str = "<Commands><Add><ServerId>5:1</ServerId></Add></Commands>";

    #[test]
    fn changes_need_a_new_key() {
        assert_eq!(sync_count("1", "<SyncKey>2</SyncKey>", ADD), 0);
        assert_eq!(sync_count("1", "<SyncKey>1</SyncKey>", ADD), 1);
        assert_eq!(sync_count("1", "<SyncKey>1</SyncKey>", "<MoreAvailable/>"), 1);
        let taken =
            "<Responses><Add><ClientId>c</ClientId><ServerId>5:9</ServerId><Status>1</Status></Add></Responses>";
        assert_eq!(sync_count("1", "<SyncKey>1</SyncKey>", taken), 1);
        assert_eq!(sync_count("0", "<SyncKey>0</SyncKey>", ""), 1);
        assert_eq!(sync_count("1", "", ""), 1);
    }

    #[test]
    fn a_new_key_without_a_change_is_legal_and_so_is_the_old_one() {
        assert_eq!(sync_count("1", "<SyncKey>2</SyncKey>", ""), 0);
        assert_eq!(sync_count("1", "<SyncKey>1</SyncKey>", ""), 0);
        let refused = "<Responses><Add><ClientId>c</ClientId><Status>6</Status></Add></Responses>";
        assert_eq!(sync_count("1", "<SyncKey>1</SyncKey>", refused), 0);
    }

    #[test]
    fn the_folder_list_follows_the_same_rule() {
        let count = |old: &str, new: &str, changes: &str| {
            let request = format!(r#"<FolderSync xmlns="FolderHierarchy"><SyncKey>{old}</SyncKey></FolderSync>"#);
            let answer = format!(
                r#"<FolderSync xmlns="FolderHierarchy"><Status>1</Status><SyncKey>{new}</SyncKey><Changes>{changes}</Changes></FolderSync>"#
            );
            broken(&INVARIANT, &exchange("FolderSync", "14.1", &request, &answer)).len()
        };
        assert_eq!(count("0", "1", "<Count>0</Count>"), 0);
        assert_eq!(count("0", "0", "<Count>0</Count>"), 1);
        assert_eq!(count("1", "1", "<Count>0</Count>"), 0);
        assert_eq!(count("1", "1", "<Count>1</Count><Delete><ServerId>4</ServerId></Delete>"), 1);
    }
}
