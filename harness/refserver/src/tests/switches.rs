use easrig_eas::{
    CollectionId, Command, SyncKey,
    command::{
        BodyPreference, Class, Flag, folder_create, folder_delete,
        folder_sync::{self, FolderType},
        get_item_estimate,
        item_operations::{self, Fetch, Operation, OperationResponse},
        meeting_response,
        move_items::{self, Move},
        ping,
        send_mail::{self, Source, Verb},
        sync::{Collection, CollectionResponse, Options},
    },
    status::Status,
};
use easrig_wbxml::{
    Document,
    tags::{air_sync_base as base, calendar, contacts, email},
};

use super::rig::*;
use crate::{Kind, Reply, Switch, UserName, mime::View};

type Symptom = fn(&mut World) -> bool;

/// Each switch with something its user would notice; without the switch nobody does.
const SYMPTOMS: &[(Switch, Symptom)] = &[
    (Switch::SyncKeyNotAdvanced, |world| {
        let (inbox, key) = primed(world, ALICE, 1);
        next(world, ALICE, &inbox, &key).sync_key == Some(key)
    }),
    (Switch::MoreAvailableDropped, |world| !windows(world).0),
    (Switch::ItemLostBetweenWindows, |world| windows(world).1.len() < 4),
    (Switch::ItemDoubledBetweenWindows, |world| windows(world).1.len() > 4),
    (Switch::ReadFlagLost, |world| {
        let told = mark(world, r#"<Read xmlns="Email">1</Read>"#);
        told.is_none_or(|data| data.text(email::READ).as_deref() != Some("1"))
    }),
    (Switch::FlagLost, |world| {
        let told = mark(world, r#"<Flag xmlns="Email"><Status>2</Status></Flag>"#);
        told.and_then(|data| data.child(email::FLAG)?.child_text(email::STATUS).map(String::from)).as_deref()
            != Some("2")
    }),
    (Switch::ChangeNotPropagated, |world| mark(world, r#"<Read xmlns="Email">1</Read>"#).is_none()),
    (Switch::DeleteNotPropagated, |world| {
        let (inbox, key) = primed(world, TABLET, 1);
        let tablet = next(world, TABLET, &inbox, &key).sync_key.unwrap();
        delete_all(world, ALICE, &inbox);
        world.sync(TABLET, collection(&inbox, &tablet)).is_none()
    }),
    (Switch::DeleteIgnoresDeletesAsMoves, |world| {
        let (inbox, _) = primed(world, ALICE, 1);
        delete_all(world, ALICE, &inbox);
        world.count(ALICE, Kind::Deleted) == 0
    }),
    (Switch::StaleSyncKeyAccepted, |world| {
        let (inbox, _) = primed(world, ALICE, 1);
        next(world, ALICE, &inbox, &"12345".into()).status == Some(Status(1))
    }),
    (Switch::StaleFolderKeyAccepted, |world| {
        world.folder_sync(ALICE, &SyncKey::initial());
        world.folder_sync(ALICE, &"12345".into()).status == Status::SUCCESS
    }),
    (Switch::FolderIdsChangeOnResync, |world| {
        let first = world.folder_sync(ALICE, &SyncKey::initial()).changes;
        world.folder_sync(ALICE, &SyncKey::initial()).changes != first
    }),
    (Switch::PingNeverWakes, |world| ping_after_mail(world, 60).is_none()),
    (Switch::PingWrongFolder, |world| {
        let inbox = world.folder(ALICE, Kind::Inbox);
        ping_after_mail(world, 60).is_some_and(|response| response.folders != [inbox])
    }),
    (Switch::PingHeartbeatLimitIgnored, |world| {
        ping_after_mail(world, 1).is_some_and(|response| response.status != Status(5))
    }),
    (Switch::TruncationIgnored, |world| body(world, Some(4)).0 != "body"),
    (Switch::TruncatedFlagMissing, |world| !body(world, Some(4)).1),
    (Switch::BodyTypeIgnored, |world| html_body(world, 2, 0) != Some(2)),
    (Switch::MimeAlways, |world| html_body(world, 1, 0) == Some(4)),
    (Switch::HtmlFlattened, |world| html_body(world, 2, 0) != Some(2)),
    (Switch::AttachmentsHidden, |world| !has_file(world)),
    (Switch::TasksFolderMissing, |world| !folder_types(world).contains(&FolderType::TASKS)),
    (Switch::AttachmentCorrupted, |world| file(world) != b"0123456789"),
    (Switch::FetchWrongItem, |world| {
        world.deliver(ALICE, "other");
        let id = world.deliver(ALICE, "tea");
        let collection_id = Some(world.folder(ALICE, Kind::Inbox));
        let fetch = Fetch { server_id: Some(id), collection_id, ..Fetch::default() };
        let request = item_operations::Request { operations: vec![Operation::Fetch(Box::new(fetch))] };
        let document = world.document(ALICE, Command::ItemOperations, request.to_document(ALICE.version));
        let response = item_operations::Response::from_document(&document, ALICE.version).unwrap();
        match response.responses.as_slice() {
            [OperationResponse::Fetch(got)] => {
                got.properties.as_ref().unwrap().text(email::SUBJECT).as_deref() != Some("tea")
            }
            other => panic!("{other:?}"),
        }
    }),
    (Switch::SentMailLost, |world| {
        world.send_mail(ALICE, "1", "To: bob@easrig.test\r\nSubject: x\r\n\r\nhi");
        world.count(BOB, Kind::Inbox) == 0
    }),
    (Switch::SentMailDoubled, |world| {
        world.send_mail(ALICE, "1", "To: bob@easrig.test\r\nSubject: x\r\n\r\nhi");
        world.send_mail(ALICE, "1", "To: bob@easrig.test\r\nSubject: x\r\n\r\nhi");
        world.count(BOB, Kind::Inbox) == 2
    }),
    (Switch::SentItemsEmpty, |world| {
        world.send_mail(ALICE, "1", "To: bob@easrig.test\r\nSubject: x\r\n\r\nhi");
        world.count(ALICE, Kind::Sent) == 0
    }),
    (Switch::ReplyWithoutOriginal, |world| {
        let id = world.deliver(ALICE, "cake");
        let request = send_mail::Request {
            verb: Verb::Reply,
            client_id: Some("1".to_owned()),
            source: Some(Source { item_id: Some(id.0), ..Source::default() }),
            mime: b"To: bob@easrig.test\r\nSubject: x\r\n\r\nhi".to_vec(),
            ..send_mail::Request::default()
        };
        world.answer(ALICE, Command::SmartReply, Some(request.to_document(ALICE.version)));
        let inbox = world.folder(BOB, Kind::Inbox);
        let bob = world.state.account(&UserName::from("bob")).unwrap();
        let mail = bob.mailbox.items(&inbox).next().unwrap().mail().unwrap();
        !View::parse(&mail.mime).unwrap().text().contains("body of cake")
    }),
    (Switch::MoveLosesItem, |world| {
        let src_msg_id = world.deliver(ALICE, "tea");
        let (src_fld_id, dst_fld_id) = (world.folder(ALICE, Kind::Inbox), world.folder(ALICE, Kind::Deleted));
        let request = move_items::Request { moves: vec![Move { src_msg_id, src_fld_id, dst_fld_id }] };
        world.document(ALICE, Command::MoveItems, request.to_document(ALICE.version));
        world.count(ALICE, Kind::Deleted) == 0
    }),
    (Switch::FolderCreateDuplicate, |world| {
        let key = world.folder_sync(ALICE, &SyncKey::initial()).sync_key.unwrap();
        let request = folder_create::Request {
            sync_key: key,
            parent_id: "0".into(),
            display_name: "Inbox".to_owned(),
            folder_type: FolderType(12),
        };
        let document = world.document(ALICE, Command::FolderCreate, request.to_document(ALICE.version));
        folder_create::Response::from_document(&document, ALICE.version).unwrap().status == Status::SUCCESS
    }),
    (Switch::FolderDeleteBuiltin, |world| {
        let key = world.folder_sync(ALICE, &SyncKey::initial()).sync_key.unwrap();
        let server_id = world.folder(ALICE, Kind::Inbox);
        let request = folder_delete::Request { sync_key: key, server_id };
        let document = world.document(ALICE, Command::FolderDelete, request.to_document(ALICE.version));
        folder_delete::Response::from_document(&document, ALICE.version).unwrap().status == Status::SUCCESS
    }),
    (Switch::ContactGhostWiped, |world| {
        let supported = Some(vec![contacts::JOB_TITLE]);
        let both = r#"<FirstName xmlns="Contacts">Ann</FirstName><AssistantName xmlns="Contacts">Bo</AssistantName>"#;
        let other = r#"<FirstName xmlns="Contacts">Anna</FirstName>"#;
        let contact = changed(world, Kind::Contacts, supported, both, other);
        contact.text(contacts::ASSISTANT_NAME).is_none()
    }),
    (Switch::EventExceptionLost, |world| {
        let series = r#"<StartTime xmlns="Calendar">20240701T080000Z</StartTime><EndTime xmlns="Calendar">20240701T090000Z</EndTime><Subject xmlns="Calendar">a</Subject><Exceptions xmlns="Calendar"><Exception><Deleted>1</Deleted><ExceptionStartTime>20240708T080000Z</ExceptionStartTime></Exception></Exceptions>"#;
        let event = changed(world, Kind::Calendar, None, series, r#"<Subject xmlns="Calendar">b</Subject>"#);
        event.child(calendar::EXCEPTIONS).is_none()
    }),
    (Switch::AllDayShifted, |world| {
        let day = r#"<AllDayEvent xmlns="Calendar">1</AllDayEvent><StartTime xmlns="Calendar">20240701T000000Z</StartTime><EndTime xmlns="Calendar">20240702T000000Z</EndTime>"#;
        let event = changed(world, Kind::Calendar, None, day, day);
        event.text(calendar::START_TIME).as_deref() != Some("20240701T000000Z")
    }),
    (Switch::FilterIgnored, |world| {
        world.deliver(ALICE, "old");
        world.pass(10 * 24 * 3600);
        let inbox = world.folder(ALICE, Kind::Inbox);
        let options = vec![Options { filter_type: Some(1), ..Options::default() }];
        let first = Collection { options, ..collection(&inbox, &SyncKey::initial()) };
        let key = world.sync(ALICE, first).unwrap().sync_key.unwrap();
        world.sync(ALICE, collection(&inbox, &key)).is_some()
    }),
    (Switch::EstimateWrong, |world| {
        let (collection_id, sync_key) = primed(world, ALICE, 2);
        let asked = get_item_estimate::Collection { sync_key, collection_id, ..Default::default() };
        let request = get_item_estimate::Request { collections: vec![asked] };
        let document = world.document(ALICE, Command::GetItemEstimate, request.to_document(ALICE.version));
        let response = get_item_estimate::Response::from_document(&document, ALICE.version).unwrap();
        response.responses.first().and_then(|one| one.estimate) != Some(2)
    }),
    (Switch::OwnChangeEchoed, |world| {
        let folder = world.folder(ALICE, Kind::Contacts);
        let key = world.prime(ALICE, &folder);
        let commands = vec![add("c", r#"<FirstName xmlns="Contacts">Ann</FirstName>"#)];
        !world.sync(ALICE, Collection { commands, ..collection(&folder, &key) }).unwrap().commands.is_empty()
    }),
    (Switch::ConflictUnreported, |world| {
        let folder = world.folder(ALICE, Kind::Contacts);
        let key = world.prime(ALICE, &folder);
        let commands = vec![add("c", r#"<FirstName xmlns="Contacts">Ann</FirstName>"#)];
        let made = world.sync(ALICE, Collection { commands, ..collection(&folder, &key) }).unwrap();
        let rename = vec![change(&only_added(&made), r#"<FirstName xmlns="Contacts">Bo</FirstName>"#)];
        let tablet = world.catch_up(TABLET, &folder);
        world.sync(TABLET, Collection { commands: rename.clone(), ..collection(&folder, &tablet) });
        let key = made.sync_key.unwrap();
        let lost = world.sync(ALICE, Collection { commands: rename, ..collection(&folder, &key) }).unwrap();
        lost.responses.is_empty()
    }),
    (Switch::AcceptedMeetingMissing, |world| {
        let mime = "From: carol@else.test\r\nTo: alice@easrig.test\r\nSubject: tea\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTART:20240701T080000Z\r\nORGANIZER:mailto:carol@else.test\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        let id = world.state.deliver(&"alice".into(), mime.into(), world.now).unwrap();
        let asked = meeting_response::Invitation {
            user_response: 1,
            collection_id: Some(world.folder(ALICE, Kind::Inbox)),
            request_id: Some(id),
            ..Default::default()
        };
        let request = meeting_response::Request { requests: vec![asked] };
        world.document(ALICE, Command::MeetingResponse, request.to_document(ALICE.version));
        world.count(ALICE, Kind::Calendar) == 0
    }),
];

#[test]
fn every_switch_has_its_symptom_and_honest_code_has_none() {
    for (switch, symptom) in SYMPTOMS {
        assert!(!symptom(&mut World::new()), "{switch} shows although it is off");
        assert!(symptom(&mut World::with(*switch)), "{switch} does not show");
    }
}

fn primed(world: &mut World, phone: Phone, mails: usize) -> (CollectionId, SyncKey) {
    for number in 0..mails {
        world.deliver(phone, &format!("mail {number}"));
    }
    let inbox = world.folder(phone, Kind::Inbox);
    let key = world.prime(phone, &inbox);
    (inbox, key)
}

fn next(world: &mut World, phone: Phone, folder: &CollectionId, key: &SyncKey) -> CollectionResponse {
    world.sync(phone, collection(folder, key)).unwrap()
}

/// Whether the first of two windows says that there is more, and what both bring.
fn windows(world: &mut World) -> (bool, Vec<String>) {
    let (inbox, key) = primed(world, ALICE, 4);
    let ask = |key: &SyncKey| Collection { window_size: Some(2), ..collection(&inbox, key) };
    let first = world.sync(ALICE, ask(&key)).unwrap();
    let mut seen = shape(&first);
    let mut key = first.sync_key.unwrap();
    for _ in 0..4 {
        let Some(response) = world.sync(ALICE, ask(&key)) else { break };
        seen.extend(shape(&response));
        key = response.sync_key.unwrap();
    }
    (first.more_available, seen)
}

/// What the tablet hears of a mark the phone sets.
fn mark(world: &mut World, mark: &str) -> Option<easrig_eas::command::Item> {
    let id = world.deliver(ALICE, "tea");
    let inbox = world.folder(ALICE, Kind::Inbox);
    let (phone, tablet) = (world.catch_up(ALICE, &inbox), world.catch_up(TABLET, &inbox));
    world.sync(ALICE, Collection { commands: vec![change(&id, mark)], ..collection(&inbox, &phone) });
    world.sync(TABLET, collection(&inbox, &tablet)).map(|response| only_data(&response))
}

fn delete_all(world: &mut World, phone: Phone, folder: &CollectionId) {
    let key = world.catch_up(phone, folder);
    let account = world.state.account(&UserName::from(phone.user)).unwrap();
    let commands = account.mailbox.items(folder).map(|item| delete(&item.id)).collect();
    let deletes_as_moves = Some(Flag::Value(true));
    world.sync(phone, Collection { commands, deletes_as_moves, ..collection(folder, &key) });
}

/// What a Ping says when mail comes; `None` when it goes on waiting.
fn ping_after_mail(world: &mut World, interval: u32) -> Option<ping::Response> {
    let inbox = world.folder(ALICE, Kind::Inbox);
    world.folder_sync(ALICE, &SyncKey::initial());
    world.catch_up(ALICE, &inbox);
    let folders = vec![ping::Folder { id: inbox, class: Some(Class::Email) }];
    let request = ping::Request { heartbeat_interval: Some(interval), folders };
    let answer = match world.reply(ALICE, Command::Ping, Some(request.to_document(ALICE.version))) {
        Reply::Now(answer) => answer,
        Reply::Wait { waiter, .. } => {
            world.deliver(ALICE, "tea");
            world.wake(waiter)?
        }
    };
    Some(ping::Response::from_document(&Document::decode(&answer.body).unwrap(), ALICE.version).unwrap())
}

/// The text of a plain mail cut to size, and whether it says so.
fn body(world: &mut World, truncation_size: Option<u32>) -> (String, bool) {
    let (inbox, key) = primed(world, ALICE, 1);
    let ask = Collection { options: text_bodies(truncation_size), ..collection(&inbox, &key) };
    let data = only_data(&world.sync(ALICE, ask).unwrap());
    let body = data.child(base::BODY).unwrap();
    (body.child_text(base::DATA).unwrap().into_owned(), body.child(base::TRUNCATED).is_some())
}

/// The type in which a plain mail comes when `body_type` is asked for.
fn html_body(world: &mut World, body_type: u32, mime_support: u32) -> Option<u32> {
    let (inbox, key) = primed(world, ALICE, 1);
    let body_preferences = vec![BodyPreference { body_type, ..BodyPreference::default() }];
    let options = vec![Options { body_preferences, mime_support: Some(mime_support), ..Options::default() }];
    let data = only_data(&world.sync(ALICE, Collection { options, ..collection(&inbox, &key) }).unwrap());
    data.child(base::BODY)?.child_text(base::TYPE)?.parse().ok()
}

fn folder_types(world: &mut World) -> Vec<FolderType> {
    let request = folder_sync::Request { sync_key: SyncKey::initial() };
    let document = world.document(ALICE, Command::FolderSync, request.to_document(ALICE.version));
    let response = folder_sync::Response::from_document(&document, ALICE.version).unwrap();
    let changes = response.changes.unwrap().changes;
    let added = changes.into_iter().filter_map(|change| match change {
        folder_sync::Change::Add(folder) => Some(folder.folder_type),
        _ => None,
    });
    added.collect()
}

fn has_file(world: &mut World) -> bool {
    let inbox = world.folder(ALICE, Kind::Inbox);
    let key = world.prime(ALICE, &inbox);
    world.state.deliver(&"alice".into(), WITH_FILE.into(), world.now).unwrap();
    only_data(&world.sync(ALICE, collection(&inbox, &key)).unwrap()).child(base::ATTACHMENTS).is_some()
}

const WITH_FILE: &str = "From: c@x.test\r\nSubject: f\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a\r\nContent-Transfer-Encoding: base64\r\n\r\nMDEyMzQ1Njc4OQ==\r\n--b--\r\n";

fn file(world: &mut World) -> Vec<u8> {
    let id = world.state.deliver(&"alice".into(), WITH_FILE.into(), world.now).unwrap();
    let old = ALICE.speaking(easrig_eas::Version::V12_1);
    let mut call = world.call(old, Command::GetAttachment, Vec::new());
    call.query.attachment_name = Some(format!("{id}:0"));
    match world.send(call) {
        Reply::Now(answer) => answer.body,
        Reply::Wait { .. } => panic!("it waits"),
    }
}

/// What the tablet hears of an item that the phone made and then changed.
fn changed(
    world: &mut World,
    kind: Kind,
    supported: Option<Vec<easrig_wbxml::Tag>>,
    made: &str,
    then: &str,
) -> easrig_eas::command::Item {
    let folder = world.folder(ALICE, kind);
    let primed = world.sync(ALICE, Collection { supported, ..collection(&folder, &SyncKey::initial()) }).unwrap();
    let ask = |key: Option<SyncKey>, commands| Collection { commands, ..collection(&folder, &key.unwrap()) };
    let made = world.sync(ALICE, ask(primed.sync_key, vec![add("c", made)])).unwrap();
    let id = only_added(&made);
    world.sync(ALICE, ask(made.sync_key, vec![change(&id, then)])).unwrap();
    let key = world.prime(TABLET, &folder);
    only_data(&world.sync(TABLET, collection(&folder, &key)).unwrap())
}
