use easrig_eas::{
    CollectionId, Command, SyncKey,
    command::{
        folder_create, folder_delete,
        folder_sync::{Change, FolderType},
        folder_update,
    },
    status::Status,
};

use super::rig::*;
use crate::Kind;

fn create(world: &mut World, key: &SyncKey, name: &str) -> folder_create::Response {
    create_as(world, key, name, 12)
}

fn create_as(world: &mut World, key: &SyncKey, name: &str, folder_type: u16) -> folder_create::Response {
    let request = folder_create::Request {
        sync_key: key.clone(),
        parent_id: "0".into(),
        display_name: name.to_owned(),
        folder_type: FolderType(folder_type),
    };
    let document = world.document(ALICE, Command::FolderCreate, request.to_document(ALICE.version));
    folder_create::Response::from_document(&document, ALICE.version).unwrap()
}

fn remove(world: &mut World, key: &SyncKey, id: &CollectionId) -> folder_delete::Response {
    let request = folder_delete::Request { sync_key: key.clone(), server_id: id.clone() };
    let document = world.document(ALICE, Command::FolderDelete, request.to_document(ALICE.version));
    folder_delete::Response::from_document(&document, ALICE.version).unwrap()
}

#[test]
fn the_whole_list_comes_for_key_0_and_nothing_for_the_next() {
    let mut world = World::new();
    let first = world.folder_sync(ALICE, &SyncKey::initial());
    assert_eq!(first.changes.unwrap().changes.len(), Kind::BUILT_IN.len());
    let second = world.folder_sync(ALICE, &first.sync_key.unwrap());
    assert_eq!(second.changes.unwrap().changes, []);
}

#[test]
fn a_made_up_or_empty_key_is_refused() {
    let mut world = World::new();
    for (key, status) in [("777", 9), ("", 9), ("no key", 10)] {
        assert_eq!(world.folder_sync(ALICE, &key.into()).status, Status(status));
    }
}

#[test]
fn a_folder_made_on_one_device_reaches_the_other_once() {
    let mut world = World::new();
    let phone = world.folder_sync(ALICE, &SyncKey::initial()).sync_key.unwrap();
    let tablet = world.folder_sync(TABLET, &SyncKey::initial()).sync_key.unwrap();
    let made = create(&mut world, &phone, "Tea");
    assert_eq!(made.status, Status::SUCCESS);
    let own = world.folder_sync(ALICE, &made.sync_key.unwrap());
    assert_eq!(own.changes.unwrap().changes, []);
    let told = world.folder_sync(TABLET, &tablet).changes.unwrap().changes;
    assert!(matches!(told.as_slice(), [Change::Add(folder)] if folder.display_name == "Tea"));
}

#[test]
fn names_are_taken_once_per_parent_and_built_in_folders_stay() {
    let mut world = World::new();
    let key = world.folder_sync(ALICE, &SyncKey::initial()).sync_key.unwrap();
    let made = create(&mut world, &key, "Tea");
    let key = made.sync_key.unwrap();
    assert_eq!(create(&mut world, &key, "tea").status, Status(2));
    let inbox = world.folder(ALICE, Kind::Inbox);
    assert_eq!(remove(&mut world, &key, &inbox).status, Status(3));
    assert_eq!(remove(&mut world, &key, &"999".into()).status, Status(4));
    assert_eq!(remove(&mut world, &"1".into(), &inbox).status, Status(9));
    assert_eq!(remove(&mut world, &key, &made.server_id.unwrap()).status, Status::SUCCESS);
}

#[test]
fn a_renamed_folder_is_an_update_for_the_other_device() {
    let mut world = World::new();
    let key = world.folder_sync(ALICE, &SyncKey::initial()).sync_key.unwrap();
    let made = create(&mut world, &key, "Tea");
    let tablet = world.folder_sync(TABLET, &SyncKey::initial()).sync_key.unwrap();
    let request = folder_update::Request {
        sync_key: made.sync_key.unwrap(),
        server_id: made.server_id.unwrap(),
        parent_id: "0".into(),
        display_name: "Coffee".to_owned(),
    };
    let document = world.document(ALICE, Command::FolderUpdate, request.to_document(ALICE.version));
    let done = folder_update::Response::from_document(&document, ALICE.version).unwrap();
    assert_eq!(done.status, Status::SUCCESS);
    let told = world.folder_sync(TABLET, &tablet).changes.unwrap().changes;
    assert!(matches!(told.as_slice(), [Change::Update(folder)] if folder.display_name == "Coffee"));
}

#[test]
fn ids_stay_the_same_over_a_resync() {
    let mut world = World::new();
    let first = world.folder_sync(ALICE, &SyncKey::initial()).changes;
    assert_eq!(world.folder_sync(ALICE, &SyncKey::initial()).changes, first);
}

#[test]
fn only_user_made_types_can_be_made_and_below_parents_that_are_there() {
    let mut world = World::new();
    let key = world.folder_sync(ALICE, &SyncKey::initial()).sync_key.unwrap();
    for (folder_type, status) in [(2, 10), (19, 3), (13, 1)] {
        assert_eq!(create_as(&mut world, &key, "Tea", folder_type).status, Status(status));
    }
    let request = folder_create::Request {
        sync_key: key,
        parent_id: "999".into(),
        display_name: "Cup".to_owned(),
        folder_type: FolderType(12),
    };
    let document = world.document(ALICE, Command::FolderCreate, request.to_document(ALICE.version));
    assert_eq!(folder_create::Response::from_document(&document, ALICE.version).unwrap().status, Status(5));
}
