use std::collections::BTreeMap;

use easrig_eas::{
    CollectionId, SyncKey,
    command::folder_sync::{Change, Changes, Folder, Request, Response},
    status::Status,
};
use easrig_wbxml::Document;

use crate::{Answer, Caller, Kind, State, Switch, core::Desk, partnership::KnownFolders};

/// A key that is malformed, stale or of a lost state.
pub(crate) const BAD_KEY: u16 = 9;

/// A request that breaks a rule.
pub(crate) const MALFORMED: u16 = 10;

type Folders = BTreeMap<CollectionId, Folder>;

/// The list of folders, or what changed in it since the key.
pub(crate) fn run(state: &mut State, caller: &Caller, document: Option<&Document>) -> Answer {
    let Some(Ok(request)) = document.map(|document| Request::from_document(document, caller.version)) else {
        return caller.status(MALFORMED);
    };
    if !request.sync_key.as_str().bytes().all(|byte| byte.is_ascii_digit()) {
        return caller.status(MALFORMED);
    }
    let Some(mut desk) = state.desk(caller) else { return caller.refuse(Status::SERVER_ERROR) };
    match answer(&mut desk, &request.sync_key) {
        Some(response) => Answer::wbxml(&response.to_document(caller.version)),
        None => caller.status(BAD_KEY),
    }
}

fn answer(desk: &mut Desk<'_>, key: &SyncKey) -> Option<Response> {
    let resync = key.is_initial() && desk.device.hierarchy.current.is_some();
    if resync && desk.switches.has(Switch::FolderIdsChangeOnResync) {
        desk.mailbox.renumber_folders();
    }
    let base = if key.is_initial() { None } else { Some(known_folders(desk, key)?) };
    let now = folders(desk);
    let nothing = Folders::new();
    let changes = difference(base.as_ref().map_or(&nothing, |base| &base.folders), &now);
    let key = match base {
        Some(base) if changes.is_empty() => base.key,
        base => advance(desk, base, now),
    };
    let count = u32::try_from(changes.len()).ok();
    Some(Response { status: Status::SUCCESS, sync_key: Some(key), changes: Some(Changes { count, changes }) })
}

/// The folder list `key` stands for; `None` refuses the key.
pub(crate) fn known_folders(desk: &Desk<'_>, key: &SyncKey) -> Option<KnownFolders> {
    let hierarchy = &desk.device.hierarchy;
    if desk.switches.has(Switch::StaleFolderKeyAccepted) {
        return hierarchy.known(key).or(hierarchy.current.as_ref()).cloned();
    }
    hierarchy.known(key).cloned()
}

/// Gives the device a new key for the list it will have.
pub(crate) fn advance(desk: &mut Desk<'_>, base: Option<KnownFolders>, folders: Folders) -> SyncKey {
    let key = desk.device.keys.sync_key();
    desk.device.hierarchy.advance(base, KnownFolders { key: key.clone(), folders });
    key
}

/// Whether the device has yet to hear of its folder list or of a change in it.
pub(crate) fn is_stale(desk: &Desk<'_>) -> bool {
    desk.device.hierarchy.current.as_ref().is_none_or(|known| known.folders != folders(desk))
}

fn folders(desk: &Desk<'_>) -> Folders {
    let without_tasks = desk.switches.has(Switch::TasksFolderMissing);
    let shown =
        desk.mailbox.folders().filter(|folder| !(without_tasks && folder.folder_type == Kind::Tasks.folder_type()));
    shown.map(|folder| (folder.server_id.clone(), folder.clone())).collect()
}

fn difference(old: &Folders, new: &Folders) -> Vec<Change> {
    let gone = old.keys().filter(|id| !new.contains_key(*id)).cloned().map(Change::Delete);
    let here = new.iter().filter_map(|(id, folder)| match old.get(id) {
        None => Some(Change::Add(folder.clone())),
        Some(known) if known != folder => Some(Change::Update(folder.clone())),
        Some(_) => None,
    });
    gone.chain(here).collect()
}
