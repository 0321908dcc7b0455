use easrig_eas::{
    Command, SyncKey, Version,
    command::{
        Flag,
        sync::{self, Collection, CommandResponse, Options, Request},
    },
    status::Status,
};
use easrig_wbxml::tags::{air_sync_base as base, contacts, email};

use super::rig::*;
use crate::{Kind, Reply};

#[test]
fn a_first_sync_gives_a_key_and_only_the_next_one_mail() {
    let mut world = World::new();
    let id = world.deliver(ALICE, "tea");
    let inbox = world.folder(ALICE, Kind::Inbox);
    let key = world.prime(ALICE, &inbox);
    let first = world.sync(ALICE, collection(&inbox, &key)).unwrap();
    assert_eq!(shape(&first), [format!("+{id}")]);
    let data = only_data(&first);
    assert_eq!(data.text(email::SUBJECT).as_deref(), Some("tea"));
    assert_eq!(data.text(email::READ).as_deref(), Some("0"));
    let next = first.sync_key.unwrap();
    assert_ne!(next, key);
    assert_eq!(world.sync(ALICE, collection(&inbox, &next)), None);
}

#[test]
fn a_lost_answer_is_given_again_and_older_keys_are_refused() {
    let mut world = World::new();
    let inbox = world.folder(ALICE, Kind::Inbox);
    world.deliver(ALICE, "one");
    let first = world.prime(ALICE, &inbox);
    let answer = world.sync(ALICE, collection(&inbox, &first)).unwrap();
    world.deliver(ALICE, "two");
    assert_eq!(world.sync(ALICE, collection(&inbox, &first)).as_ref(), Some(&answer));
    let second = answer.sync_key.unwrap();
    let third = world.sync(ALICE, collection(&inbox, &second)).unwrap();
    assert_eq!(third.commands.len(), 1);
    let stale = world.sync(ALICE, collection(&inbox, &first)).unwrap();
    assert_eq!((stale.status, stale.sync_key), (Some(Status(3)), Some(SyncKey::initial())));
    let foreign = world.sync(ALICE, collection(&inbox, &SyncKey::from("12345"))).unwrap();
    assert_eq!(foreign.status, Some(Status(3)));
}

#[test]
fn an_add_that_is_repeated_after_a_lost_answer_makes_one_item() {
    let mut world = World::new();
    let folder = world.folder(ALICE, Kind::Contacts);
    let key = world.prime(ALICE, &folder);
    let one = add("c1", r#"<FirstName xmlns="Contacts">Ann</FirstName>"#);
    let ask = |commands| Collection { commands, ..collection(&folder, &key) };
    let first = world.sync(ALICE, ask(vec![one.clone()])).unwrap();
    let two = add("c2", r#"<FirstName xmlns="Contacts">Bo</FirstName>"#);
    let second = world.sync(ALICE, ask(vec![one, two])).unwrap();
    assert_eq!(world.count(ALICE, Kind::Contacts), 2);
    let names = |response: &CommandResponse| match response {
        CommandResponse::Add { server_id, .. } => server_id.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(second.responses.first().map(names), first.responses.first().map(names));
}

#[test]
fn windows_hand_out_every_item_once() {
    let mut world = World::new();
    let inbox = world.folder(ALICE, Kind::Inbox);
    for number in 0..7 {
        world.deliver(ALICE, &format!("mail {number}"));
    }
    let mut key = world.prime(ALICE, &inbox);
    let (mut seen, mut more) = (Vec::new(), Vec::new());
    while let Some(response) = world.sync(ALICE, Collection { window_size: Some(3), ..collection(&inbox, &key) }) {
        more.push(response.more_available);
        seen.extend(shape(&response));
        key = response.sync_key.unwrap();
    }
    assert_eq!(more, [true, true, false]);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 7);
}

#[test]
fn a_read_mark_of_one_device_reaches_the_other_alone() {
    let mut world = World::new();
    let inbox = world.folder(ALICE, Kind::Inbox);
    let id = world.deliver(ALICE, "tea");
    let phone = world.catch_up(ALICE, &inbox);
    let tablet = world.catch_up(TABLET, &inbox);
    let read =
        Collection { commands: vec![change(&id, r#"<Read xmlns="Email">1</Read>"#)], ..collection(&inbox, &phone) };
    let done = world.sync(ALICE, read).unwrap();
    assert!(done.responses.is_empty() && done.commands.is_empty());
    assert_eq!(world.sync(ALICE, collection(&inbox, &done.sync_key.unwrap())), None);
    let told = world.sync(TABLET, collection(&inbox, &tablet)).unwrap();
    assert_eq!(shape(&told), [format!("~{id}")]);
    let data = only_data(&told);
    assert_eq!((data.text(email::READ).as_deref(), data.text(email::SUBJECT)), (Some("1"), None));
}

#[test]
fn a_deleted_mail_goes_to_deleted_items_unless_told_otherwise() {
    let mut world = World::new();
    let inbox = world.folder(ALICE, Kind::Inbox);
    let (one, two) = (world.deliver(ALICE, "one"), world.deliver(ALICE, "two"));
    let key = world.catch_up(ALICE, &inbox);
    let tablet = world.catch_up(TABLET, &inbox);
    let done = world.sync(ALICE, Collection { commands: vec![delete(&one)], ..collection(&inbox, &key) }).unwrap();
    assert_eq!(world.count(ALICE, Kind::Deleted), 1);
    let for_good = Collection {
        commands: vec![delete(&two)],
        deletes_as_moves: Some(Flag::Value(false)),
        ..collection(&inbox, &done.sync_key.unwrap())
    };
    world.sync(ALICE, for_good).unwrap();
    assert_eq!((world.count(ALICE, Kind::Deleted), world.count(ALICE, Kind::Inbox)), (1, 0));
    let told = world.sync(TABLET, collection(&inbox, &tablet)).unwrap();
    assert_eq!(told.commands.len(), 2);
}

#[test]
fn mail_that_grows_too_old_for_the_filter_leaves_the_device_softly() {
    let mut world = World::new();
    let inbox = world.folder(ALICE, Kind::Inbox);
    let id = world.deliver(ALICE, "old");
    let options = vec![Options { filter_type: Some(1), ..Options::default() }];
    let key = world.sync(ALICE, Collection { options, ..collection(&inbox, &SyncKey::initial()) }).unwrap();
    let got = world.sync(ALICE, collection(&inbox, &key.sync_key.unwrap())).unwrap();
    assert_eq!(shape(&got), [format!("+{id}")]);
    world.pass(2 * 24 * 3600);
    let left = world.sync(ALICE, collection(&inbox, &got.sync_key.unwrap())).unwrap();
    assert_eq!(shape(&left), [format!("<{id}")]);
}

#[test]
fn when_both_sides_change_a_contact_the_server_wins_and_says_so() {
    let mut world = World::new();
    let folder = world.folder(ALICE, Kind::Contacts);
    let key = world.prime(ALICE, &folder);
    let made = Collection {
        commands: vec![add("c1", r#"<FirstName xmlns="Contacts">Ann</FirstName>"#)],
        ..collection(&folder, &key)
    };
    let made = world.sync(ALICE, made).unwrap();
    let id = only_added(&made);
    let tablet = world.catch_up(TABLET, &folder);
    let rename = |name: &str| vec![change(&id, &format!(r#"<FirstName xmlns="Contacts">{name}</FirstName>"#))];
    world.sync(TABLET, Collection { commands: rename("Tablet"), ..collection(&folder, &tablet) }).unwrap();
    let key = made.sync_key.unwrap();
    let lost = world.sync(ALICE, Collection { commands: rename("Phone"), ..collection(&folder, &key) }).unwrap();
    assert!(matches!(lost.responses.as_slice(), [CommandResponse::Change { status: Some(Status(7)), .. }]));
    assert_eq!(only_data(&lost).text(contacts::FIRST_NAME).as_deref(), Some("Tablet"));
}

#[test]
fn with_conflict_0_the_client_wins() {
    let mut world = World::new();
    let folder = world.folder(ALICE, Kind::Contacts);
    let options = vec![Options { conflict: Some(0), ..Options::default() }];
    let key = world.prime(ALICE, &folder);
    let made = Collection {
        options,
        commands: vec![add("c1", r#"<FirstName xmlns="Contacts">Ann</FirstName>"#)],
        ..collection(&folder, &key)
    };
    let made = world.sync(ALICE, made).unwrap();
    let id = only_added(&made);
    let tablet = world.catch_up(TABLET, &folder);
    let rename = |name: &str| vec![change(&id, &format!(r#"<FirstName xmlns="Contacts">{name}</FirstName>"#))];
    let key = made.sync_key.unwrap();
    let tablet = world.sync(TABLET, Collection { commands: rename("Tablet"), ..collection(&folder, &tablet) }).unwrap();
    let won = world.sync(ALICE, Collection { commands: rename("Phone"), ..collection(&folder, &key) }).unwrap();
    assert!(won.responses.is_empty() && won.commands.is_empty());
    let told = world.sync(TABLET, collection(&folder, &tablet.sync_key.unwrap())).unwrap();
    assert_eq!(only_data(&told).text(contacts::FIRST_NAME).as_deref(), Some("Phone"));
}

#[test]
fn get_changes_follows_its_rules() {
    let mut world = World::new();
    let inbox = world.folder(ALICE, Kind::Inbox);
    world.deliver(ALICE, "tea");
    for flag in [Flag::Empty, Flag::Value(true)] {
        let refused =
            world.sync(ALICE, Collection { get_changes: Some(flag), ..collection(&inbox, &SyncKey::initial()) });
        assert_eq!(refused.unwrap().status, Some(Status(4)));
    }
    let key = world.prime(ALICE, &inbox);
    let quiet = Collection { get_changes: Some(Flag::Value(false)), ..collection(&inbox, &key) };
    assert_eq!(world.sync(ALICE, quiet), None);
    let wanted = Collection { get_changes: Some(Flag::Empty), ..collection(&inbox, &key) };
    assert_eq!(world.sync(ALICE, wanted).unwrap().commands.len(), 1);
}

#[test]
fn an_empty_sync_repeats_the_last_one_or_asks_for_it() {
    let mut world = World::new();
    let answer = world.answer(ALICE, Command::Sync, None);
    assert_eq!(sync_response(&answer, ALICE.version).unwrap().status, Some(Status(13)));
    let inbox = world.folder(ALICE, Kind::Inbox);
    world.catch_up(ALICE, &inbox);
    let id = world.deliver(ALICE, "tea");
    let answer = world.answer(ALICE, Command::Sync, None);
    let response = sync_response(&answer, ALICE.version).unwrap();
    assert_eq!(response.collections.first().map(shape), Some(vec![format!("+{id}")]));
}

#[test]
fn a_wait_out_of_bounds_names_the_bound() {
    let mut world = World::new();
    let inbox = world.folder(ALICE, Kind::Inbox);
    let key = world.catch_up(ALICE, &inbox);
    for (wait, heartbeat_interval, limit) in [(Some(0), None, 1), (Some(60), None, 59), (None, Some(30), 60)] {
        let collections = vec![collection(&inbox, &key)];
        let request = Request { collections, wait, heartbeat_interval, ..Request::default() };
        let answer = world.answer(ALICE, Command::Sync, Some(request.to_document(ALICE.version)));
        let response = sync_response(&answer, ALICE.version).unwrap();
        assert_eq!((response.status, response.limit), (Some(Status(14)), Some(limit)));
    }
}

#[test]
fn a_hanging_sync_answers_when_mail_arrives() {
    let mut world = World::new();
    let inbox = world.folder(ALICE, Kind::Inbox);
    let key = world.catch_up(ALICE, &inbox);
    let request =
        Request { collections: vec![collection(&inbox, &key)], heartbeat_interval: Some(60), ..Request::default() };
    let Reply::Wait { waiter, .. } = world.reply(ALICE, Command::Sync, Some(request.to_document(ALICE.version))) else {
        panic!("it answers at once");
    };
    assert_eq!(world.wake(waiter), None);
    let id = world.deliver(ALICE, "tea");
    let response = sync_response(&world.wake(waiter).unwrap(), ALICE.version).unwrap();
    assert_eq!(response.collections.first().map(shape), Some(vec![format!("+{id}")]));
}

#[test]
fn a_newer_sync_ends_the_hanging_one() {
    let mut world = World::new();
    let inbox = world.folder(ALICE, Kind::Inbox);
    let key = world.catch_up(ALICE, &inbox);
    let collections = vec![collection(&inbox, &key)];
    let request = Request { collections, wait: Some(1), ..Request::default() };
    let Reply::Wait { waiter, .. } = world.reply(ALICE, Command::Sync, Some(request.to_document(ALICE.version))) else {
        panic!("it answers at once");
    };
    world.deliver(ALICE, "tea");
    assert_eq!(world.sync(ALICE, collection(&inbox, &key)).unwrap().commands.len(), 1);
    assert_eq!(world.wake(waiter), Some(crate::Answer::empty()));
}

#[test]
fn options_that_contradict_themselves_are_refused() {
    let mut world = World::new();
    let inbox = world.folder(ALICE, Kind::Inbox);
    let options = vec![Options::default(), Options::default()];
    let refused = world.sync(ALICE, Collection { options, ..collection(&inbox, &SyncKey::initial()) }).unwrap();
    assert_eq!(refused.status, Some(Status(4)));
    let tasks = world.folder(ALICE, Kind::Tasks);
    let conversation_mode = Some(Flag::Value(true));
    let refused =
        world.sync(ALICE, Collection { conversation_mode, ..collection(&tasks, &SyncKey::initial()) }).unwrap();
    assert_eq!(refused.status, Some(Status(4)));
}

#[test]
fn an_event_needs_a_beginning_and_an_end() {
    let mut world = World::new();
    let folder = world.folder(ALICE, Kind::Calendar);
    let key = world.prime(ALICE, &folder);
    let commands = vec![
        add("a", r#"<StartTime xmlns="Calendar">20240701T080000Z</StartTime>"#),
        add(
            "b",
            r#"<StartTime xmlns="Calendar">20240701T080000Z</StartTime><EndTime xmlns="Calendar">20240701T070000Z</EndTime>"#,
        ),
    ];
    let refused = world.sync(ALICE, Collection { commands, ..collection(&folder, &key) }).unwrap();
    let bad = |one: &CommandResponse| matches!(one, CommandResponse::Add { status: Some(Status(6)), .. });
    assert!(refused.responses.len() == 2 && refused.responses.iter().all(bad));
}

#[test]
fn bodies_are_cut_to_size_in_old_and_new_form() {
    let mut world = World::new();
    let inbox = world.folder(ALICE, Kind::Inbox);
    world.deliver(ALICE, "tea");
    let key = world.prime(ALICE, &inbox);
    let new = world.sync(ALICE, Collection { options: text_bodies(Some(4)), ..collection(&inbox, &key) }).unwrap();
    let data = only_data(&new);
    let body = data.child(base::BODY).unwrap();
    assert_eq!(body.child_text(base::DATA).as_deref(), Some("body"));
    assert_eq!(body.child_text(base::TRUNCATED).as_deref(), Some("1"));
    let old = ALICE.speaking(Version::V2_5);
    let old = Phone { device: "OLD", ..old };
    let key = world.prime(old, &inbox);
    let options = vec![Options { truncation: Some(0), ..Options::default() }];
    let cut = only_data(&world.sync(old, Collection { options, ..collection(&inbox, &key) }).unwrap());
    assert_eq!(cut.text(email::BODY_TRUNCATED).as_deref(), Some("1"));
    assert_eq!(cut.text(email::BODY_SIZE).as_deref(), Some("13"));
}

#[test]
fn a_folder_that_is_gone_or_never_was_is_told_apart() {
    let mut world = World::new();
    let never = world.sync(ALICE, collection(&"999".into(), &SyncKey::initial())).unwrap();
    assert_eq!(never.status, Some(Status(8)));
    world.folder_sync(ALICE, &SyncKey::initial());
    let notes = world.folder(ALICE, Kind::Notes);
    world.state.account_mut(&"alice".into()).unwrap().mailbox.remove_folder(&notes);
    let gone = world.sync(ALICE, collection(&notes, &SyncKey::initial())).unwrap();
    assert_eq!(gone.status, Some(Status(12)));
}

#[test]
fn a_filter_that_the_class_does_not_have_is_refused() {
    let mut world = World::new();
    let inbox = world.folder(ALICE, Kind::Inbox);
    let options = vec![Options { filter_type: Some(8), ..Options::default() }];
    let refused = world.sync(ALICE, Collection { options, ..collection(&inbox, &SyncKey::initial()) }).unwrap();
    assert_eq!(refused.status, Some(Status(4)));
}

#[test]
fn a_mail_cannot_be_added_before_16_and_only_as_draft_after() {
    let mut world = World::new();
    let subject = r#"<Subject xmlns="Email">tea</Subject><To xmlns="Email">bob@easrig.test</To>"#;
    for (phone, kind, allowed) in [
        (ALICE, Kind::Drafts, false),
        (TABLET.speaking(Version::V16_1), Kind::Inbox, false),
        (TABLET.speaking(Version::V16_1), Kind::Drafts, true),
    ] {
        let folder = world.folder(phone, kind);
        let key = world.prime(phone, &folder);
        let made =
            world.sync(phone, Collection { commands: vec![add("d", subject)], ..collection(&folder, &key) }).unwrap();
        let status = match made.responses.as_slice() {
            [CommandResponse::Add { status, .. }] => *status,
            other => panic!("{other:?}"),
        };
        assert_eq!(status == Some(Status(1)), allowed, "{kind:?}");
    }
}

#[test]
fn a_draft_that_says_send_arrives() {
    let mut world = World::new();
    let phone = ALICE.speaking(Version::V16_1);
    let folder = world.folder(phone, Kind::Drafts);
    let key = world.prime(phone, &folder);
    let draft = r#"<To xmlns="Email">bob@easrig.test</To><Subject xmlns="Email">tea</Subject><Body xmlns="AirSyncBase"><Type>1</Type><Data>now?</Data></Body>"#;
    let made = world.sync(phone, Collection { commands: vec![add("d", draft)], ..collection(&folder, &key) }).unwrap();
    let id = only_added(&made);
    let send = change(&id, r#"<Send xmlns="Email2"/>"#);
    let key = made.sync_key.unwrap();
    world.sync(phone, Collection { commands: vec![send], ..collection(&folder, &key) }).unwrap();
    assert_eq!((world.count(BOB, Kind::Inbox), world.count(phone, Kind::Drafts)), (1, 0));
    assert_eq!(world.count(phone, Kind::Sent), 1);
}

#[test]
fn a_sync_fetch_gives_the_whole_item() {
    let mut world = World::new();
    let inbox = world.folder(ALICE, Kind::Inbox);
    let id = world.deliver(ALICE, "tea");
    let key = world.prime(ALICE, &inbox);
    let ask = Collection { options: text_bodies(Some(0)), ..collection(&inbox, &key) };
    let key = world.sync(ALICE, ask).unwrap().sync_key.unwrap();
    let fetch = vec![sync::Command::Fetch { server_id: id }];
    let response = world.sync(ALICE, Collection { commands: fetch, ..collection(&inbox, &key) }).unwrap();
    match response.responses.as_slice() {
        [CommandResponse::Fetch { application_data: Some(data), .. }] => {
            let body = data.child(base::BODY).unwrap();
            assert_eq!(body.child_text(base::DATA).as_deref(), Some("body of tea\r\n"));
        }
        other => panic!("{other:?}"),
    }
}
