use easrig_eas::{
    Command, ServerId, Version,
    command::{
        meeting_response::{Invitation, MeetingResult, Request, Response, SendResponse},
        sync::Collection,
    },
    status::Status,
};
use easrig_wbxml::tags::{calendar, email};

use super::rig::*;
use crate::{Kind, UserName};

const EVENT: &str = r#"<StartTime xmlns="Calendar">20240702T080000Z</StartTime><EndTime xmlns="Calendar">20240702T090000Z</EndTime><Subject xmlns="Calendar">tea</Subject><UID xmlns="Calendar">u1</UID><Attendees xmlns="Calendar"><Attendee><Email>bob@easrig.test</Email><Name>Bob</Name></Attendee></Attendees>"#;

fn invite(world: &mut World) -> ServerId {
    let alice = ALICE.speaking(Version::V16_1);
    let folder = world.folder(alice, Kind::Calendar);
    let key = world.prime(alice, &folder);
    world.sync(alice, Collection { commands: vec![add("e", EVENT)], ..collection(&folder, &key) }).unwrap();
    let inbox = world.folder(BOB, Kind::Inbox);
    let account = world.state.account(&UserName::from("bob")).unwrap();
    account.mailbox.items(&inbox).next().unwrap().id.clone()
}

fn answer(world: &mut World, phone: Phone, id: &ServerId, user_response: u32) -> MeetingResult {
    let asked = Invitation {
        user_response,
        collection_id: Some(world.folder(phone, Kind::Inbox)),
        request_id: Some(id.clone()),
        send_response: (phone.version >= Version::V16_0).then(SendResponse::default),
        ..Invitation::default()
    };
    let request = Request { requests: vec![asked] };
    let document = world.document(phone, Command::MeetingResponse, request.to_document(phone.version));
    Response::from_document(&document, phone.version).unwrap().results.pop().unwrap()
}

#[test]
fn an_invitation_looks_like_one() {
    let mut world = World::new();
    invite(&mut world);
    let inbox = world.folder(BOB, Kind::Inbox);
    let key = world.prime(BOB, &inbox);
    let mail = only_data(&world.sync(BOB, collection(&inbox, &key)).unwrap());
    assert_eq!(mail.text(email::MESSAGE_CLASS).as_deref(), Some("IPM.Schedule.Meeting.Request"));
    let request = mail.child(email::MEETING_REQUEST).unwrap();
    assert_eq!(request.child_text(email::START_TIME).as_deref(), Some("2024-07-02T08:00:00.000Z"));
    assert!(request.child_text(email::ORGANIZER).unwrap().contains("alice@easrig.test"));
    assert!(request.child(email::GLOBAL_OBJ_ID).is_some());
}

#[test]
fn accepting_fills_the_calendar_and_tells_the_organiser() {
    let mut world = World::new();
    let id = invite(&mut world);
    let result = answer(&mut world, BOB.speaking(Version::V16_1), &id, 1);
    assert_eq!(result.status, Some(Status::SUCCESS));
    let folder = world.folder(BOB, Kind::Calendar);
    let bob = world.state.account(&UserName::from("bob")).unwrap();
    let event = bob.mailbox.item(&folder, &result.calendar_id.unwrap()).unwrap().fields().unwrap();
    assert_eq!(event.text(calendar::RESPONSE_TYPE).as_deref(), Some("3"));
    assert_eq!(event.text(calendar::UID).as_deref(), Some("u1"));
    assert_eq!((world.count(BOB, Kind::Inbox), world.count(BOB, Kind::Deleted)), (0, 1));
    let folder = world.folder(ALICE, Kind::Calendar);
    let alice = world.state.account(&UserName::from("alice")).unwrap();
    let own = alice.mailbox.items(&folder).next().unwrap().fields().unwrap();
    let status = own.get(calendar::ATTENDEES).and_then(|all| all.child(calendar::ATTENDEE)).unwrap();
    assert_eq!(status.child_text(calendar::ATTENDEE_STATUS).as_deref(), Some("3"));
    assert_eq!(world.count(ALICE, Kind::Inbox), 1);
}

#[test]
fn up_to_14_1_it_is_the_client_that_tells_the_organiser() {
    let mut world = World::new();
    let id = invite(&mut world);
    let result = answer(&mut world, BOB, &id, 2);
    assert!(result.calendar_id.is_some());
    assert_eq!(world.count(ALICE, Kind::Inbox), 0);
}

#[test]
fn declining_leaves_the_calendar_empty() {
    let mut world = World::new();
    let id = invite(&mut world);
    let result = answer(&mut world, BOB, &id, 3);
    assert_eq!((result.status, result.calendar_id), (Some(Status::SUCCESS), None));
    assert_eq!(world.count(BOB, Kind::Calendar), 0);
}

#[test]
fn plain_mail_is_no_invitation() {
    let mut world = World::new();
    let id = world.deliver(BOB, "tea");
    assert_eq!(answer(&mut world, BOB, &id, 1).status, Some(Status(2)));
    assert_eq!(answer(&mut world, BOB, &"9:9".into(), 1).status, Some(Status(2)));
}

#[test]
fn an_occurrence_needs_a_time_and_a_series() {
    let mut world = World::new();
    let id = invite(&mut world);
    for (instance, status) in [("soon", 104), ("2024-07-02T08:00:00.000Z", 146)] {
        let asked = Invitation {
            user_response: 1,
            collection_id: Some(world.folder(BOB, Kind::Inbox)),
            request_id: Some(id.clone()),
            instance_id: Some(instance.to_owned()),
            ..Invitation::default()
        };
        let request = Request { requests: vec![asked] };
        let document = world.document(BOB, Command::MeetingResponse, request.to_document(BOB.version));
        let result = Response::from_document(&document, BOB.version).unwrap().results.pop().unwrap();
        assert_eq!(result.status, Some(Status(status)));
    }
    assert_eq!(world.count(BOB, Kind::Inbox), 1);
}
