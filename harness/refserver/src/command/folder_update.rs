use easrig_eas::{
    command::folder_update::{Request, Response},
    status::Status,
};
use easrig_wbxml::Document;

use super::{
    folder_create::name_is_taken,
    folder_sync::{BAD_KEY, MALFORMED, advance, known_folders},
};
use crate::{
    Answer, Caller, State, Switch,
    core::Desk,
    store::{is_built_in, top},
};

/// The name is taken under that parent, or the folder is built in.
const EXISTS_OR_SPECIAL: u16 = 2;

/// There is no such folder.
const NOT_FOUND: u16 = 4;

/// There is no such parent.
const NO_PARENT: u16 = 5;

/// Renames or moves a folder.
pub(crate) fn run(state: &mut State, caller: &Caller, document: Option<&Document>) -> Answer {
    let Some(Ok(request)) = document.map(|document| Request::from_document(document, caller.version)) else {
        return caller.status(MALFORMED);
    };
    let Some(mut desk) = state.desk(caller) else { return caller.refuse(Status::SERVER_ERROR) };
    match update(&mut desk, &request) {
        Ok(response) => Answer::wbxml(&response.to_document(caller.version)),
        Err(status) => caller.status(status),
    }
}

fn update(desk: &mut Desk<'_>, request: &Request) -> Result<Response, u16> {
    let base = known_folders(desk, &request.sync_key).ok_or(BAD_KEY)?;
    let (id, parent) = (&request.server_id, &request.parent_id);
    let folder = desk.mailbox.folder(id).ok_or(NOT_FOUND)?;
    let name = request.display_name.trim();
    if is_built_in(folder.folder_type) || name_is_taken(desk, parent, name, Some(id)) {
        return Err(EXISTS_OR_SPECIAL);
    }
    if *parent != top() && desk.mailbox.folder(parent).is_none() {
        return Err(NO_PARENT);
    }
    if name.is_empty() || parent == id || desk.mailbox.below(id).contains(parent) {
        return Err(MALFORMED);
    }
    if !desk.switches.has(Switch::FolderRenameLost) {
        desk.mailbox.rename_folder(id, parent, name);
    }
    let mut folders = base.folders.clone();
    folders.extend(desk.mailbox.folder(id).map(|folder| (id.clone(), folder.clone())));
    let key = advance(desk, Some(base), folders);
    Ok(Response { status: Status::SUCCESS, sync_key: Some(key) })
}
