//! FolderSync, and folders by the names people give them.

use easrig_eas::{
    CollectionId, Command, SyncKey,
    command::folder_sync::{Change, Changes, Folder as Listed, Request, Response},
};

use crate::{
    Condition, Folder, FolderKind, FolderRef, OwnerView,
    phone::{
        line::{Line, Stop},
        memory::Core,
        request::Call,
    },
    reaction::own_statuses,
};

/// The most folders a phone keeps.
const MOST_FOLDERS: usize = 10_000;

impl Line {
    /// Brings the folder list up to date; starts over where the server demands it.
    pub(super) async fn folder_sync(&self) -> Result<(), Stop> {
        let version = self.version().await?;
        for _ in 0..3 {
            let request = Request { sync_key: self.with(|core| core.folder_key.clone()) };
            let call = Call::new(Command::FolderSync, request.to_document(version).encode());
            let answer = self.command_but(call, own_statuses(Command::FolderSync)).await?;
            let document = answer.document.as_ref().ok_or_else(|| self.stop(&Condition::BadAnswer))?;
            let said = Response::from_document(document, version)
                .map_err(|error| Stop::GaveUp(format!("the answer to FolderSync: {error}")))?;
            match said.status.0 {
                1 => {
                    self.with(|core| core.keep_folders(said.sync_key, said.changes.unwrap_or_default()));
                    return Ok(());
                }
                9 | 10 | 132 | 134..=136 if !request.sync_key.is_initial() => {
                    self.with(|core| core.forget_folders());
                }
                status => return Err(Stop::GaveUp(format!("FolderSync was answered with Status {status}"))),
            }
        }
        Err(Stop::GaveUp("the server keeps asking for FolderSync from the beginning".to_owned()))
    }

    /// The folder a name means.
    pub(super) fn folder(&self, name: &FolderRef) -> Result<CollectionId, Stop> {
        let found = self.with(|core| core.owner.resolve(name).map(|folder| folder.id.clone()));
        found.ok_or_else(|| Stop::GaveUp(format!("the phone has no folder `{}`", name.0)))
    }
}

impl Core {
    fn keep_folders(&mut self, key: Option<SyncKey>, changes: Changes) {
        if let Some(key) = key {
            self.folder_key = key;
        }
        let mut gone = Vec::new();
        let view = self.owner();
        for change in changes.changes {
            match change {
                Change::Add(folder) | Change::Update(folder) => keep(&mut view.folders, folder),
                Change::Delete(id) => {
                    view.folders.retain(|folder| folder.id != id);
                    view.items.retain(|item| item.folder != id);
                    gone.push(id);
                }
            }
        }
        gone.iter().for_each(|id| drop(self.collections.remove(id)));
    }

    pub(super) fn forget_folder(&mut self, id: &CollectionId) {
        self.collections.remove(id);
        let view = self.owner();
        view.folders.retain(|folder| folder.id != *id);
        view.items.retain(|item| item.folder != *id);
    }

    fn forget_folders(&mut self) {
        self.folder_key = SyncKey::initial();
        self.collections.clear();
        let view = self.owner();
        view.folders.clear();
        view.items.clear();
    }
}

fn keep(folders: &mut Vec<Folder>, listed: Listed) {
    let folder = Folder {
        id: listed.server_id,
        parent: listed.parent_id,
        name: listed.display_name,
        kind: FolderKind(listed.folder_type.0),
    };
    let room = folders.len() < MOST_FOLDERS;
    match folders.iter_mut().find(|known| known.id == folder.id) {
        Some(known) => *known = folder,
        None if room => folders.push(folder),
        None => {}
    }
}

impl OwnerView {
    /// The folder a name means: a word of [`FolderKind::WORDS`], the server's name for it, or the name on the screen.
    pub fn resolve(&self, name: &FolderRef) -> Option<&Folder> {
        let by_kind = FolderKind::from_word(&name.0).and_then(|kind| self.folders.iter().find(|f| f.kind == kind));
        by_kind
            .or_else(|| self.folders.iter().find(|folder| folder.id.0 == name.0))
            .or_else(|| self.folders.iter().find(|folder| folder.name == name.0))
    }
}
