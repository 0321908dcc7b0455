//! Sync: folders brought up to date, and the owner's changes sent along.

use easrig_eas::{
    CollectionId, Command as Name, SyncKey, Version,
    command::{
        BodyPreference, Class, Flag,
        sync::{Collection, CollectionResponse, Command, CommandResponse, Options, Request, Response},
    },
};

use crate::{
    Condition, FolderKind, FolderRef, ItemKind, Patience,
    answer::Answer,
    persona::{ClassHabits, SyncHabits, word::Spelling},
    phone::{
        line::{Line, Stop},
        memory::Core,
        request::Call,
    },
    reaction::own_statuses,
};

/// The most answers a phone takes for one wish: 512 items each.
const MOST_WINDOWS: u32 = 1_000;

/// The most times a folder starts over in one wish.
const MOST_RESTARTS: u32 = 3;

/// The owner's changes to one folder, sent with its next Sync.
pub(super) struct Changes {
    pub(super) folder: CollectionId,
    pub(super) commands: Vec<Command>,
    /// Another wish than the device's own about where deleted items go.
    pub(super) deletes_as_moves: Option<bool>,
}

/// What one wish has come to so far.
#[derive(Default)]
struct Progress {
    due: Vec<CollectionId>,
    changes: Option<Changes>,
    outcomes: Vec<CommandResponse>,
    restarts: u32,
    stuck: u32,
}

impl Line {
    /// The first Sync of folders; of those the device follows by itself when none are named.
    pub(super) async fn first_sync(&self, names: &[FolderRef]) -> Result<(), Stop> {
        let named = match names {
            [] => self.with(|core| core.own_folders()),
            names => names.iter().map(|name| self.folder(name)).collect::<Result<_, _>>()?,
        };
        self.with(|core| named.iter().for_each(|id| core.start_over(id)));
        self.sync(named, None).await.map(drop)
    }

    pub(super) async fn sync_named(&self, name: &FolderRef) -> Result<(), Stop> {
        let folder = self.folder(name)?;
        self.sync(vec![folder], None).await.map(drop)
    }

    /// Sends changes to one folder, and takes what the server changed.
    pub(super) async fn send_changes(&self, changes: Changes) -> Result<Vec<CommandResponse>, Stop> {
        // A folder that was never synchronised has no key to send changes with.
        let fresh = self.with(|core| core.sync_key(&changes.folder).is_initial());
        if fresh {
            self.sync(vec![changes.folder.clone()], None).await?;
        }
        self.sync(vec![changes.folder.clone()], Some(changes)).await
    }

    /// Brings folders up to date, window after window, as many at once as the device takes.
    pub(super) async fn sync(
        &self,
        folders: Vec<CollectionId>,
        changes: Option<Changes>,
    ) -> Result<Vec<CommandResponse>, Stop> {
        let version = self.version().await?;
        let mut progress = Progress { due: folders, changes, ..Progress::default() };
        for _ in 0..MOST_WINDOWS {
            if progress.due.is_empty() {
                return Ok(progress.outcomes);
            }
            let at_once =
                if self.with(|core| core.persona.sync.multi_collection.value) { progress.due.len() } else { 1 };
            let chunk: Vec<_> = progress.due.iter().take(at_once).cloned().collect();
            let request = self.with(|core| core.sync_request(&chunk, &mut progress.changes, version));
            let mut call = Call::new(Name::Sync, request.to_document(version).encode());
            call.patience = Some(self.with(|core| core.sync_patience(&chunk)));
            let answer = self.command_but(call, own_statuses(Name::Sync)).await?;
            self.take(&answer, &request, &mut progress, version).await?;
        }
        Err(Stop::GaveUp(format!("the server had more to send after {MOST_WINDOWS} answers to Sync")))
    }

    /// Applies one answer.
    async fn take(
        &self,
        answer: &Answer,
        request: &Request,
        progress: &mut Progress,
        version: Version,
    ) -> Result<(), Stop> {
        let asked = || request.collections.iter().map(|collection| &collection.collection_id);
        let Some(said) = self.read_sync(answer, version)? else {
            if request.collections.iter().any(|collection| collection.sync_key.is_initial()) {
                return Err(Stop::GaveUp("the first Sync of a folder was answered without a document".to_owned()));
            }
            asked().for_each(|id| progress.due.retain(|due| due != id));
            return Ok(());
        };
        match said.status.map_or(1, |status| status.0) {
            1 => {}
            3 | 132 | 134..=136 => {
                return self.restart(asked().cloned().collect(), progress);
            }
            12 => return self.refresh_folders(progress).await,
            status => return Err(Stop::GaveUp(format!("Sync was answered with Status {status}"))),
        }
        let mut moved = false;
        for collection in &request.collections {
            let id = &collection.collection_id;
            let mine = said.collections.iter().find(|said| said.collection_id.as_ref() == Some(id));
            let alone = (request.collections.len() == 1).then(|| said.collections.first()).flatten();
            match mine.or(alone) {
                None => progress.due.retain(|due| due != id),
                Some(said) => moved |= self.take_folder(collection, said, progress).await?,
            }
        }
        progress.stuck = if moved { 0 } else { progress.stuck + 1 };
        match progress.stuck > 5 {
            true => Err(Stop::GaveUp("the server announces more and sends nothing".to_owned())),
            false => Ok(()),
        }
    }

    /// Applies one folder of an answer; whether it brought the folder on.
    async fn take_folder(
        &self,
        asked: &Collection,
        said: &CollectionResponse,
        progress: &mut Progress,
    ) -> Result<bool, Stop> {
        let id = &asked.collection_id;
        match said.status.map_or(1, |status| status.0) {
            1 => {}
            3 | 132 | 134..=136 => return self.restart(vec![id.clone()], progress).map(|()| true),
            12 => return self.refresh_folders(progress).await.map(|()| true),
            status => return Err(Stop::GaveUp(format!("Sync of folder `{id}` was answered with Status {status}"))),
        }
        let key = said.sync_key.clone().unwrap_or_else(|| asked.sync_key.clone());
        if key.is_initial() {
            return Err(Stop::GaveUp(format!("Sync of folder `{id}` brought no key")));
        }
        let moved = key != asked.sync_key || !said.commands.is_empty();
        let unfinished = asked.sync_key.is_initial() || said.more_available;
        self.with(|core| {
            core.collections.entry(id.clone()).or_default().key = key;
            core.apply(id, &said.commands);
        });
        progress.outcomes.extend(said.responses.iter().cloned());
        if !unfinished {
            progress.due.retain(|due| due != id);
        }
        Ok(moved)
    }

    /// The document of an answer to Sync; `None` when it has no body and nothing changed.
    pub(super) fn read_sync(&self, answer: &Answer, version: Version) -> Result<Option<Response>, Stop> {
        if answer.body.is_empty() {
            return Ok(None);
        }
        let document = answer.document.as_ref().ok_or_else(|| self.stop(&Condition::BadAnswer))?;
        Response::from_document(document, version)
            .map(Some)
            .map_err(|error| Stop::GaveUp(format!("the answer to Sync: {error}")))
    }

    fn restart(&self, folders: Vec<CollectionId>, progress: &mut Progress) -> Result<(), Stop> {
        progress.restarts += 1;
        if progress.restarts > MOST_RESTARTS {
            return Err(Stop::GaveUp("the server keeps refusing the key of Sync".to_owned()));
        }
        self.with(|core| folders.iter().for_each(|id| core.start_over(id)));
        Ok(())
    }

    async fn refresh_folders(&self, progress: &mut Progress) -> Result<(), Stop> {
        progress.restarts += 1;
        if progress.restarts > MOST_RESTARTS {
            return Err(Stop::GaveUp("the server keeps asking for FolderSync".to_owned()));
        }
        self.folder_sync().await?;
        self.with(|core| progress.due.retain(|due| core.owner.folders.iter().any(|folder| folder.id == *due)));
        Ok(())
    }
}

impl Core {
    pub(super) fn sync_key(&self, folder: &CollectionId) -> SyncKey {
        self.collections.get(folder).map_or_else(SyncKey::initial, |known| match known.key.0.as_str() {
            "" => SyncKey::initial(),
            _ => known.key.clone(),
        })
    }

    pub(super) fn start_over(&mut self, folder: &CollectionId) {
        self.collections.entry(folder.clone()).or_default().key = SyncKey::initial();
        self.owner().items.retain(|item| item.folder != *folder);
    }

    /// The folders the device follows by itself, as far as the server has them.
    pub(super) fn own_folders(&self) -> Vec<CollectionId> {
        let names = self.persona.sync.folders.value.iter();
        names.filter_map(|name| self.owner.resolve(&FolderRef(name.clone()))).map(|folder| folder.id.clone()).collect()
    }

    pub(super) fn kind(&self, folder: &CollectionId) -> FolderKind {
        self.owner.folders.iter().find(|known| known.id == *folder).map_or(FolderKind(18), |known| known.kind)
    }

    /// The request for these folders; changes go along once their folder has a key.
    pub(super) fn sync_request(
        &self,
        folders: &[CollectionId],
        changes: &mut Option<Changes>,
        version: Version,
    ) -> Request {
        let collections = folders
            .iter()
            .map(|id| {
                let ready = !self.sync_key(id).is_initial();
                let mine = changes.take_if(|changes| ready && changes.folder == *id);
                self.collection(id, mine, version)
            })
            .collect();
        let window_size = self.persona.sync.window_size.as_ref().map(|size| size.value);
        Request { collections, window_size, ..Request::default() }
    }

    fn collection(&self, id: &CollectionId, changes: Option<Changes>, version: Version) -> Collection {
        let habits = &self.persona.sync;
        let kind = self.kind(id);
        let class = class(kind.items());
        let sync_key = self.sync_key(id);
        let first = sync_key.is_initial();
        let mut collection = Collection {
            class: (version <= habits.class_up_to.value).then(|| class.clone()),
            sync_key,
            collection_id: id.clone(),
            ..Collection::default()
        };
        let own = habits.of(&class);
        if !first || habits.first_with_options.value {
            collection.options = own.and_then(|own| own.options(version)).into_iter().collect();
        }
        if !first {
            collection.deletes_as_moves = match kind {
                // What is deleted in Deleted Items is gone for good.
                FolderKind(4) => flag(habits.deletes_as_moves.value).map(|_| Flag::Value(false)),
                _ => flag(habits.deletes_as_moves.value),
            };
            collection.get_changes = flag(habits.get_changes.value);
            collection.window_size = own.and_then(|own| own.window_size.as_ref()).map(|size| size.value);
        }
        if let Some(changes) = changes {
            collection.commands = changes.commands;
            if let Some(wish) = changes.deletes_as_moves {
                collection.deletes_as_moves = Some(Flag::Value(wish));
            }
        }
        collection
    }

    fn sync_patience(&self, folders: &[CollectionId]) -> Patience {
        let patience = self.patience();
        let fresh = folders.iter().any(|id| !self.collections.contains_key(id) || self.sync_key(id).is_initial());
        let first = self.persona.timeouts.first_sync.value;
        if fresh { Patience { first_byte: first, body: first, ..patience } } else { patience }
    }
}

impl SyncHabits {
    pub(in crate::phone) fn of(&self, class: &Class) -> Option<&ClassHabits> {
        let name = match class {
            Class::Email => "email",
            Class::Calendar => "calendar",
            Class::Contacts => "contacts",
            Class::Tasks => "tasks",
            Class::Notes => "notes",
            Class::Sms | Class::Other(_) => return None,
        };
        self.classes.iter().find(|(known, _)| *known == name).map(|(_, habits)| habits)
    }
}

impl ClassHabits {
    /// The Options element; `None` when the device sends none.
    fn options(&self, version: Version) -> Option<Options> {
        let old = version < Version::V12_0;
        let number = |value: &Option<crate::Sourced<u32>>| value.as_ref().map(|value| value.value);
        let options = Options {
            filter_type: number(&self.filter_type),
            truncation: number(&self.truncation).filter(|_| old),
            conflict: number(&self.conflict),
            mime_support: number(if old { &self.old_mime_support } else { &self.mime_support }),
            mime_truncation: number(&self.mime_truncation).filter(|_| old),
            body_preferences: self.preference(version).into_iter().collect(),
            ..Options::default()
        };
        (options != Options::default()).then_some(options)
    }

    fn preference(&self, version: Version) -> Option<BodyPreference> {
        let body_type = self.body_type.as_ref().filter(|_| version >= Version::V12_0)?;
        Some(BodyPreference {
            body_type: body_type.value,
            truncation_size: self.truncation_size.as_ref().map(|size| size.value),
            all_or_none: self.all_or_none.as_ref().map(|all| all.value),
            preview: self.preview.as_ref().map(|length| length.value).filter(|_| version >= Version::V14_0),
        })
    }
}

/// The class of a folder's items, which a folder of unknown kind holds as mail.
pub(super) fn class(items: ItemKind) -> Class {
    match items {
        ItemKind::Mail | ItemKind::Other => Class::Email,
        ItemKind::Event => Class::Calendar,
        ItemKind::Contact => Class::Contacts,
        ItemKind::Task => Class::Tasks,
        ItemKind::Note => Class::Notes,
    }
}

fn flag(spelling: Spelling) -> Option<Flag> {
    match spelling {
        Spelling::Absent => None,
        Spelling::Empty => Some(Flag::Empty),
        Spelling::On => Some(Flag::Value(true)),
        Spelling::Off => Some(Flag::Value(false)),
    }
}
