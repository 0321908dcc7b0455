use easrig_eas::{
    CollectionId, Command, SyncKey,
    command::{
        Class,
        ping::{Folder, Request, Response},
    },
    status::Status,
};
use easrig_wbxml::Document;

use super::rig::*;
use crate::{Answer, Kind, Reply, WaiterId};

fn ping(world: &mut World, interval: Option<u32>, folders: &[CollectionId]) -> Reply {
    let folders = folders.iter().map(|id| Folder { id: id.clone(), class: Some(Class::Email) }).collect();
    let request = Request { heartbeat_interval: interval, folders };
    world.reply(ALICE, Command::Ping, Some(request.to_document(ALICE.version)))
}

fn foldered() -> World {
    let mut world = World::new();
    world.folder_sync(ALICE, &SyncKey::initial());
    world
}

fn read(answer: &Answer) -> Response {
    Response::from_document(&Document::decode(&answer.body).unwrap(), ALICE.version).unwrap()
}

fn now(reply: Reply) -> Response {
    match reply {
        Reply::Now(answer) => read(&answer),
        Reply::Wait { .. } => panic!("it waits"),
    }
}

fn waiter(reply: &Reply) -> WaiterId {
    match reply {
        Reply::Wait { waiter, .. } => *waiter,
        Reply::Now(answer) => panic!("{:?}", read(answer)),
    }
}

#[test]
fn a_ping_names_the_folder_that_changed() {
    let mut world = foldered();
    let (inbox, calendar) = (world.folder(ALICE, Kind::Inbox), world.folder(ALICE, Kind::Calendar));
    world.catch_up(ALICE, &inbox);
    let waiting = waiter(&ping(&mut world, Some(300), &[calendar, inbox.clone()]));
    assert_eq!(world.wake(waiting), None);
    world.state.take_changed();
    world.deliver(ALICE, "tea");
    assert_eq!(world.state.take_changed(), ["alice".into()]);
    let news = read(&world.wake(waiting).unwrap());
    assert_eq!((news.status, news.folders), (Status(2), vec![inbox.clone()]));
    assert_eq!(now(ping(&mut world, Some(300), &[inbox])).status, Status(2));
}

#[test]
fn a_ping_without_news_ends_with_1() {
    let mut world = foldered();
    let inbox = world.folder(ALICE, Kind::Inbox);
    let waiting = waiter(&ping(&mut world, Some(60), &[inbox]));
    world.pass(61);
    assert_eq!(read(&world.wake(waiting).unwrap()).status, Status(1));
}

#[test]
fn an_interval_out_of_bounds_names_the_nearest() {
    let mut world = World::new();
    let inbox = world.folder(ALICE, Kind::Inbox);
    for (asked, nearest) in [(5, 60), (9999, 3540)] {
        let refused = now(ping(&mut world, Some(asked), std::slice::from_ref(&inbox)));
        assert_eq!((refused.status, refused.heartbeat_interval), (Status(5), Some(nearest)));
    }
}

#[test]
fn too_many_folders_name_the_most() {
    let mut world = World::new();
    world.state.behaviour.ping_folders = 1;
    let folders = [world.folder(ALICE, Kind::Inbox), world.folder(ALICE, Kind::Notes)];
    let refused = now(ping(&mut world, Some(60), &folders));
    assert_eq!((refused.status, refused.max_folders), (Status(6), Some(1)));
}

#[test]
fn an_empty_ping_repeats_the_last_one_or_asks_for_it() {
    let mut world = foldered();
    assert_eq!(now(world.reply(ALICE, Command::Ping, None)).status, Status(3));
    let inbox = world.folder(ALICE, Kind::Inbox);
    waiter(&ping(&mut world, Some(60), &[inbox]));
    let waiting = waiter(&world.reply(ALICE, Command::Ping, None));
    world.deliver(ALICE, "tea");
    assert_eq!(read(&world.wake(waiting).unwrap()).status, Status(2));
}

#[test]
fn a_newer_ping_ends_the_one_before() {
    let mut world = foldered();
    let inbox = world.folder(ALICE, Kind::Inbox);
    let first = waiter(&ping(&mut world, Some(60), std::slice::from_ref(&inbox)));
    world.state.take_changed();
    let second = waiter(&ping(&mut world, Some(60), &[inbox]));
    assert_eq!(world.state.take_changed(), ["alice".into()]);
    assert_eq!(world.wake(first).map(|answer| read(&answer).status), Some(Status(1)));
    assert_eq!(world.wake(second), None);
}

#[test]
fn a_new_folder_sends_the_device_to_folder_sync() {
    let mut world = World::new();
    let inbox = world.folder(ALICE, Kind::Inbox);
    world.folder_sync(ALICE, &SyncKey::initial());
    let waiting = waiter(&ping(&mut world, Some(60), &[inbox]));
    let mailbox = &mut world.state.account_mut(&"alice".into()).unwrap().mailbox;
    mailbox.add_folder(&"0".into(), "Tea", easrig_eas::command::folder_sync::FolderType(12));
    assert_eq!(read(&world.wake(waiting).unwrap()).status, Status(7));
}

#[test]
fn a_device_that_never_asked_for_folders_is_sent_to_folder_sync() {
    let mut world = World::new();
    let inbox = world.folder(ALICE, Kind::Inbox);
    assert_eq!(now(ping(&mut world, Some(60), &[inbox])).status, Status(7));
}
