//! Tidying up: everything that carries a mark goes for good, and nothing else.

use easrig_eas::{
    CollectionId, Command, ServerId,
    command::{folder_delete, sync},
};

use super::sync::Changes;
use crate::{
    Condition, ItemKind,
    phone::{
        line::{Line, Stop},
        request::Call,
    },
};

/// A shorter mark could stand in somebody's own mail.
const SHORTEST_MARK: usize = 8;

/// The most items deleted with one Sync.
const AT_ONCE: usize = 100;

impl Line {
    pub(super) async fn tidy(&self, tag: &str) -> Result<(), Stop> {
        if tag.len() < SHORTEST_MARK {
            return Err(Stop::GaveUp(format!("`{tag}` is too short a mark to delete by")));
        }
        let _hold = self.hold().await;
        self.folder_sync().await?;
        let (marked, mut others): (Vec<_>, Vec<_>) = self.with(|core| {
            let folders = core.owner.folders.iter().filter(|folder| folder.kind.items() != ItemKind::Other);
            folders.cloned().partition(|folder| folder.name.contains(tag) && matches!(folder.kind.0, 1 | 12..=17))
        });
        for folder in marked {
            self.delete_folder(&folder.id).await?;
        }
        // Last of all Deleted Items, since a server may put there what is deleted elsewhere.
        others.sort_by_key(|folder| folder.kind.0 == 4);
        for folder in others {
            self.tidy_folder(&folder.id, tag).await?;
        }
        Ok(())
    }

    async fn tidy_folder(&self, folder: &CollectionId, tag: &str) -> Result<(), Stop> {
        self.sync(vec![folder.clone()], None).await?;
        let marked: Vec<ServerId> = self.with(|core| {
            let items = core.owner.items.iter().filter(|item| item.folder == *folder && item.subject.contains(tag));
            items.map(|item| item.server_id.clone()).collect()
        });
        for chunk in marked.chunks(AT_ONCE) {
            let delete = |id: &ServerId| sync::Command::Delete { server_id: id.clone(), instance_id: None };
            let commands = chunk.iter().map(delete).collect();
            let changes = Changes { folder: folder.clone(), commands, deletes_as_moves: Some(false) };
            self.sync(vec![folder.clone()], Some(changes)).await?;
            self.with(|core| {
                core.owner().items.retain(|item| item.folder != *folder || !chunk.contains(&item.server_id));
            });
        }
        Ok(())
    }

    async fn delete_folder(&self, folder: &CollectionId) -> Result<(), Stop> {
        let version = self.version().await?;
        let sync_key = self.with(|core| core.folder_key.clone());
        let request = folder_delete::Request { sync_key, server_id: folder.clone() };
        let answer = self.command(Call::new(Command::FolderDelete, request.to_document(version).encode())).await?;
        let document = answer.document.as_ref().ok_or_else(|| self.stop(&Condition::BadAnswer))?;
        let said = folder_delete::Response::from_document(document, version)
            .map_err(|error| Stop::GaveUp(format!("the answer to FolderDelete: {error}")))?;
        // 4: somebody else was quicker.
        if !matches!(said.status.0, 1 | 4) {
            return Err(Stop::GaveUp(format!("FolderDelete was answered with Status {}", said.status)));
        }
        if let Some(key) = said.sync_key {
            self.with(|core| core.folder_key = key);
        }
        self.with(|core| core.forget_folder(folder));
        Ok(())
    }
}
