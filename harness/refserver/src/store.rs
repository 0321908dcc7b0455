//! The mailbox: folders and items, each change with the next number of one sequence.

mod fields;
mod folder_type;
mod item;

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use easrig_eas::{
    CollectionId, ServerId,
    command::folder_sync::{Folder, FolderType},
};
use jiff::Timestamp;

pub(crate) use fields::LeftOut;
pub use fields::{Fields, Note};
pub use folder_type::Kind;
pub(crate) use folder_type::{class_of, is_built_in, is_user_made};
pub use item::{Aspect, Content, Stamps, StoredItem};

/// The most items of one folder; more are refused, so that nobody fills the memory.
const ITEMS_MOST: usize = 100_000;

/// The most folders of one mailbox.
const FOLDERS_MOST: usize = 2_000;

/// What one account has: folders with items.
#[derive(Clone, Debug)]
pub struct Mailbox {
    sequence: u64,
    next_id: u64,
    shelves: BTreeMap<CollectionId, Shelf>,
    /// Where the later messages of a conversation go.
    following: BTreeMap<[u8; 16], CollectionId>,
}

#[derive(Clone, Debug)]
struct Shelf {
    folder: Folder,
    items: BTreeMap<ServerId, StoredItem>,
    changed: u64,
}

impl Mailbox {
    /// A mailbox with the built-in folders and nothing in them.
    pub fn new(_now: Timestamp) -> Self {
        let mut mailbox = Self { sequence: 0, next_id: 0, shelves: BTreeMap::new(), following: BTreeMap::new() };
        for (kind, name) in Kind::BUILT_IN {
            mailbox.add_folder(&top(), name, kind.folder_type());
        }
        mailbox
    }

    /// The number of the last change.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Every folder.
    pub fn folders(&self) -> impl Iterator<Item = &Folder> {
        self.shelves.values().map(|shelf| &shelf.folder)
    }

    /// One folder.
    pub fn folder(&self, id: &CollectionId) -> Option<&Folder> {
        self.shelves.get(id).map(|shelf| &shelf.folder)
    }

    /// The folder that was built in for `kind`.
    pub fn built_in(&self, kind: Kind) -> Option<&CollectionId> {
        self.folders().find(|folder| folder.folder_type == kind.folder_type()).map(|folder| &folder.server_id)
    }

    /// Makes a folder and gives its id; `None` when the mailbox has too many.
    pub fn add_folder(&mut self, parent: &CollectionId, name: &str, folder_type: FolderType) -> Option<CollectionId> {
        if self.shelves.len() >= FOLDERS_MOST {
            return None;
        }
        let id = CollectionId(self.fresh_number().to_string());
        let folder =
            Folder { server_id: id.clone(), parent_id: parent.clone(), display_name: name.to_owned(), folder_type };
        let changed = self.tick();
        self.shelves.insert(id.clone(), Shelf { folder, items: BTreeMap::new(), changed });
        Some(id)
    }

    /// Gives a folder another name and parent; `false` when there is no such folder.
    pub fn rename_folder(&mut self, id: &CollectionId, parent: &CollectionId, name: &str) -> bool {
        self.tick();
        let Some(shelf) = self.shelves.get_mut(id) else { return false };
        shelf.folder.parent_id = parent.clone();
        shelf.folder.display_name = name.to_owned();
        true
    }

    /// Removes a folder with everything below it.
    pub fn remove_folder(&mut self, id: &CollectionId) {
        self.tick();
        for gone in self.below(id) {
            self.shelves.remove(&gone);
        }
        self.shelves.remove(id);
    }

    /// Every folder below `id`, at any depth.
    pub fn below(&self, id: &CollectionId) -> Vec<CollectionId> {
        let mut children: BTreeMap<&CollectionId, Vec<&CollectionId>> = BTreeMap::new();
        for folder in self.folders() {
            children.entry(&folder.parent_id).or_default().push(&folder.server_id);
        }
        let (mut found, mut open) = (Vec::new(), vec![id]);
        while let Some(parent) = open.pop() {
            // Taking the entry out makes a loop of parents end.
            for child in children.remove(parent).unwrap_or_default() {
                found.push(child.clone());
                open.push(child);
            }
        }
        found
    }

    /// Gives every user-made and built-in folder a new id, as a server that lost its id table would.
    pub(crate) fn renumber_folders(&mut self) {
        let old = std::mem::take(&mut self.shelves);
        let mut ids = BTreeMap::new();
        for id in old.keys() {
            ids.insert(id.clone(), CollectionId(self.fresh_number().to_string()));
        }
        for (id, mut shelf) in old {
            let Some(new) = ids.get(&id) else { continue };
            shelf.folder.server_id = new.clone();
            if let Some(parent) = ids.get(&shelf.folder.parent_id) {
                shelf.folder.parent_id = parent.clone();
            }
            self.shelves.insert(new.clone(), shelf);
        }
        self.tick();
    }

    /// The items of a folder, oldest first; nothing for a folder that is not there.
    pub fn items(&self, folder: &CollectionId) -> impl Iterator<Item = &StoredItem> {
        self.shelves.get(folder).into_iter().flat_map(|shelf| shelf.items.values())
    }

    /// One item of a folder.
    pub fn item(&self, folder: &CollectionId, id: &ServerId) -> Option<&StoredItem> {
        self.shelves.get(folder)?.items.get(id)
    }

    /// An item wherever it is.
    pub fn find(&self, id: &ServerId) -> Option<(&CollectionId, &StoredItem)> {
        self.shelves.iter().find_map(|(folder, shelf)| shelf.items.get(id).map(|item| (folder, item)))
    }

    /// The number of the last change inside a folder.
    pub fn changed(&self, folder: &CollectionId) -> u64 {
        self.shelves.get(folder).map_or(0, |shelf| shelf.changed)
    }

    /// Puts a new item into a folder and gives its id; `None` when the folder is gone or full.
    pub fn add(&mut self, folder: &CollectionId, content: Content) -> Option<ServerId> {
        let number = self.fresh_number();
        let sequence = self.tick();
        let shelf = self.shelves.get_mut(folder).filter(|shelf| shelf.items.len() < ITEMS_MOST)?;
        let id = ServerId(format!("{folder}:{number}"));
        shelf.items.insert(id.clone(), StoredItem::new(id.clone(), content, sequence));
        shelf.changed = sequence;
        Some(id)
    }

    /// Changes one aspect of an item; `None` when there is no such item.
    pub fn change<T>(
        &mut self,
        folder: &CollectionId,
        id: &ServerId,
        aspect: Aspect,
        change: impl FnOnce(&mut Content) -> T,
    ) -> Option<T> {
        let sequence = self.tick();
        let shelf = self.shelves.get_mut(folder)?;
        let item = shelf.items.get_mut(id)?;
        let outcome = change(&mut item.content);
        item.stamps.touch(aspect, sequence);
        shelf.changed = sequence;
        Some(outcome)
    }

    /// Takes an item out of a folder.
    pub fn remove(&mut self, folder: &CollectionId, id: &ServerId) -> Option<StoredItem> {
        let sequence = self.tick();
        let shelf = self.shelves.get_mut(folder)?;
        let item = shelf.items.remove(id)?;
        shelf.changed = sequence;
        Some(item)
    }

    /// Moves an item to another folder and gives its id there; `None` when item or folder is missing.
    pub fn relocate(
        &mut self,
        from: &CollectionId,
        id: &ServerId,
        to: &CollectionId,
        keep_id: bool,
    ) -> Option<ServerId> {
        if !self.shelves.contains_key(to) {
            return None;
        }
        let item = self.remove(from, id)?;
        if !keep_id {
            return self.add(to, item.content);
        }
        let sequence = self.tick();
        let shelf = self.shelves.get_mut(to)?;
        shelf.items.insert(id.clone(), item);
        shelf.changed = sequence;
        Some(id.clone())
    }

    /// Has the later messages of a conversation go to `folder` instead of the inbox.
    pub(crate) fn follow(&mut self, conversation: [u8; 16], folder: &CollectionId) {
        self.following.insert(conversation, folder.clone());
    }

    /// Where a new message of a conversation goes.
    pub(crate) fn arrival(&self, conversation: &[u8; 16]) -> Option<&CollectionId> {
        let followed = self.following.get(conversation).filter(|folder| self.shelves.contains_key(*folder));
        followed.or_else(|| self.built_in(Kind::Inbox))
    }

    /// The name of an item that Search and Find give and ItemOperations, SmartReply and MeetingResponse take.
    pub fn long_id(folder: &CollectionId, id: &ServerId) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(format!("{folder}\n{id}"))
    }

    /// The folder and item behind a long id.
    pub fn resolve_long_id(&self, long_id: &str) -> Option<(CollectionId, &StoredItem)> {
        let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(long_id).ok()?).ok()?;
        let (folder, id) = text.split_once('\n')?;
        let folder = CollectionId::from(folder);
        self.item(&folder, &ServerId::from(id)).map(|item| (folder, item))
    }

    fn fresh_number(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn tick(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }
}

/// The parent of the folders at the top.
pub(crate) fn top() -> CollectionId {
    CollectionId::from("0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_mailbox_has_every_built_in_folder_once() {
        let mailbox = Mailbox::new(Timestamp::UNIX_EPOCH);
        for (kind, name) in Kind::BUILT_IN {
            let id = mailbox.built_in(*kind).unwrap();
            assert_eq!(mailbox.folder(id).unwrap().display_name, *name);
        }
    }

    #[test]
    fn a_folder_goes_with_all_below_it() {
        let mut mailbox = Mailbox::new(Timestamp::UNIX_EPOCH);
        let before = mailbox.folders().count();
        let a = mailbox.add_folder(&top(), "a", FolderType(12)).unwrap();
        let b = mailbox.add_folder(&a, "b", FolderType(12)).unwrap();
        mailbox.add_folder(&b, "c", FolderType(12)).unwrap();
        mailbox.remove_folder(&a);
        assert_eq!(mailbox.folders().count(), before);
    }

    #[test]
    fn a_long_id_leads_back_to_its_item() {
        let mut mailbox = Mailbox::new(Timestamp::UNIX_EPOCH);
        let notes = mailbox.built_in(Kind::Notes).unwrap().clone();
        let id = mailbox.add(&notes, Content::Fields(Fields::default())).unwrap();
        let long = Mailbox::long_id(&notes, &id);
        assert_eq!(mailbox.resolve_long_id(&long).map(|(folder, item)| (folder, item.id.clone())), Some((notes, id)));
        assert!(mailbox.resolve_long_id("bm9uc2Vuc2U").is_none());
    }
}
