use easrig_eas::{
    command::folder_delete::{Request, Response},
    status::Status,
};
use easrig_wbxml::Document;

use super::folder_sync::{BAD_KEY, MALFORMED, advance, known_folders};
use crate::{Answer, Caller, State, Switch, core::Desk, store::is_built_in};

/// Built-in folders stay.
const SPECIAL: u16 = 3;

/// There is no such folder.
const NOT_FOUND: u16 = 4;

/// Removes a folder with everything below it.
pub(crate) fn run(state: &mut State, caller: &Caller, document: Option<&Document>) -> Answer {
    let Some(Ok(request)) = document.map(|document| Request::from_document(document, caller.version)) else {
        return caller.status(MALFORMED);
    };
    let Some(mut desk) = state.desk(caller) else { return caller.refuse(Status::SERVER_ERROR) };
    match delete(&mut desk, &request) {
        Ok(response) => Answer::wbxml(&response.to_document(caller.version)),
        Err(status) => caller.status(status),
    }
}

fn delete(desk: &mut Desk<'_>, request: &Request) -> Result<Response, u16> {
    let base = known_folders(desk, &request.sync_key).ok_or(BAD_KEY)?;
    let id = &request.server_id;
    let folder = desk.mailbox.folder(id).ok_or(NOT_FOUND)?;
    if is_built_in(folder.folder_type) {
        if !desk.switches.has(Switch::FolderDeleteBuiltin) {
            return Err(SPECIAL);
        }
        let folders = base.folders.clone();
        let key = advance(desk, Some(base), folders);
        return Ok(Response { status: Status::SUCCESS, sync_key: Some(key) });
    }
    let below = desk.mailbox.below(id);
    desk.mailbox.remove_folder(id);
    let mut folders = base.folders.clone();
    folders.retain(|known, _| known != id && !below.contains(known));
    desk.device.collections.retain(|known, _| known != id && !below.contains(known));
    let key = advance(desk, Some(base), folders);
    Ok(Response { status: Status::SUCCESS, sync_key: Some(key) })
}
