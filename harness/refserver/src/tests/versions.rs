use easrig_eas::{
    Version,
    command::sync::{Collection, Options},
};
use easrig_wbxml::tags::{air_sync_base as base, calendar, contacts, email, email2, notes, tasks};

use super::rig::*;
use crate::{Content, Fields, Kind, UserName};

const INVITATION: &str = "From: carol@else.test\r\nTo: alice@easrig.test\r\nCc: \"B, C\" <b@else.test>\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\nReply-To: d@else.test\r\nImportance: high\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\nContent-Type: text/plain; charset=utf-8\r\n\r\ntext\r\n--i\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>html</p>\r\n--i\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTAMP:20240601T000000Z\r\nDTSTART:20240701T080000Z\r\nDTEND:20240701T090000Z\r\nLOCATION:Room 1\r\nSUMMARY:tea\r\nORGANIZER;CN=Carol:mailto:carol@else.test\r\nATTENDEE:mailto:alice@easrig.test\r\nRRULE:FREQ=MONTHLY;BYDAY=2TU;UNTIL=20241231T000000Z\r\nBEGIN:VALARM\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n--i--\r\n--o\r\nContent-Type: image/png\r\nContent-ID: <p@x>\r\nContent-Disposition: inline; filename=p.png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--o--\r\n";

const EVENT: &str = r#"<Timezone xmlns="Calendar">AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==</Timezone><AllDayEvent xmlns="Calendar">0</AllDayEvent><DtStamp xmlns="Calendar">20240601T000000Z</DtStamp><StartTime xmlns="Calendar">20240701T080000Z</StartTime><EndTime xmlns="Calendar">20240701T090000Z</EndTime><Subject xmlns="Calendar">tea</Subject><UID xmlns="Calendar">u2</UID><Location xmlns="Calendar">Room 2</Location><Body xmlns="AirSyncBase"><Type>1</Type><Data>with cake</Data></Body>"#;

fn fill(world: &mut World) {
    let alice = UserName::from("alice");
    world.state.deliver(&alice, INVITATION.into(), world.now).unwrap();
    let items = [
        (Kind::Calendar, EVENT),
        (
            Kind::Contacts,
            r#"<FirstName xmlns="Contacts">Ann</FirstName><NickName xmlns="Contacts2">A</NickName><Body xmlns="AirSyncBase"><Type>1</Type><Data>nice</Data></Body>"#,
        ),
        (
            Kind::Tasks,
            r#"<Subject xmlns="Tasks">shop</Subject><Complete xmlns="Tasks">0</Complete><Importance xmlns="Tasks">1</Importance>"#,
        ),
        (
            Kind::Notes,
            r#"<Subject xmlns="Notes">list</Subject><Body xmlns="AirSyncBase"><Type>1</Type><Data>milk</Data></Body>"#,
        ),
    ];
    for (kind, inner) in items {
        let folder = world.folder(ALICE, kind);
        let fields = Content::Fields(Fields::read(&data(inner)));
        world.state.account_mut(&alice).unwrap().mailbox.add(&folder, fields).unwrap();
    }
}

#[test]
fn every_version_gets_every_item_in_its_own_form() {
    for version in Version::ALL {
        let mut world = World::new();
        fill(&mut world);
        let phone = ALICE.speaking(version);
        world.folder_sync(phone, &"0".into());
        for (kind, tag, text) in [
            (Kind::Inbox, email::SUBJECT, "café"),
            (Kind::Calendar, calendar::SUBJECT, "tea"),
            (Kind::Contacts, contacts::FIRST_NAME, "Ann"),
            (Kind::Tasks, tasks::SUBJECT, "shop"),
        ] {
            let data = first(&mut world, phone, kind);
            assert_eq!(data.text(tag).as_deref(), Some(text), "{version} {kind:?}");
        }
        if version >= Version::V14_0 {
            assert_eq!(first(&mut world, phone, Kind::Notes).text(notes::SUBJECT).as_deref(), Some("list"));
        }
    }
}

#[test]
fn what_a_version_does_not_have_does_not_come() {
    let mut world = World::new();
    fill(&mut world);
    let mail = |world: &mut World, version| first(world, ALICE.speaking(version), Kind::Inbox);
    let old = mail(&mut world, Version::V2_5);
    assert!(old.child(email::BODY).is_some() && old.child(base::BODY).is_none() && old.child(email::FLAG).is_none());
    let middle = mail(&mut world, Version::V12_1);
    assert!(middle.child(base::BODY).is_some() && middle.child(email2::CONVERSATION_ID).is_none());
    let new = mail(&mut world, Version::V16_1);
    let request = new.child(email::MEETING_REQUEST).unwrap();
    assert!(request.child(base::LOCATION).is_some() && request.child(email::GLOBAL_OBJ_ID).is_none());
    assert_eq!(request.child_text(calendar::UID).as_deref(), Some("u"));
}

fn first(world: &mut World, phone: Phone, kind: Kind) -> easrig_eas::command::Item {
    let folder = world.folder(phone, kind);
    let key = world.prime(phone, &folder);
    let options = if phone.version >= Version::V12_0 { text_bodies(Some(1000)) } else { vec![Options::default()] };
    only_data(&world.sync(phone, Collection { options, ..collection(&folder, &key) }).unwrap())
}
