use easrig_eas::{
    Command, Version,
    command::{
        BodyPreference,
        get_item_estimate::{self, EstimateResponse},
        item_operations::{self, Fetch, FetchResponse, Operation, OperationResponse, Options},
        move_items::{self, Move, MoveResponse},
        sync::Collection,
    },
    multipart::Multipart,
    status::Status,
};
use easrig_wbxml::{
    Document, Tag,
    tags::{air_sync_base as base, calendar, contacts, email, item_operations as tag},
};

use super::rig::*;
use crate::{Kind, Reply, UserName};

const WITH_FILE: &[u8] = b"From: c@x.test\r\nTo: alice@easrig.test\r\nSubject: file\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee file\r\n--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nMDEyMzQ1Njc4OQ==\r\n--b--\r\n";

fn move_one(world: &mut World, one: Move) -> MoveResponse {
    let request = move_items::Request { moves: vec![one] };
    let document = world.document(ALICE, Command::MoveItems, request.to_document(ALICE.version));
    move_items::Response::from_document(&document, ALICE.version).unwrap().responses.pop().unwrap()
}

fn fetch(world: &mut World, asked: Fetch) -> FetchResponse {
    let request = item_operations::Request { operations: vec![Operation::Fetch(Box::new(asked))] };
    let document = world.document(ALICE, Command::ItemOperations, request.to_document(ALICE.version));
    match item_operations::Response::from_document(&document, ALICE.version).unwrap().responses.pop() {
        Some(OperationResponse::Fetch(response)) => *response,
        other => panic!("{other:?}"),
    }
}

fn text(response: &FetchResponse, tag: Tag) -> Option<String> {
    response.properties.as_ref()?.text(tag).map(|text| text.into_owned())
}

#[test]
fn a_moved_mail_has_a_new_id_where_it_went() {
    let mut world = World::new();
    let id = world.deliver(ALICE, "tea");
    let (inbox, bin) = (world.folder(ALICE, Kind::Inbox), world.folder(ALICE, Kind::Deleted));
    let one = Move { src_msg_id: id.clone(), src_fld_id: inbox.clone(), dst_fld_id: bin.clone() };
    let moved = move_one(&mut world, one.clone());
    assert_eq!(moved.status, Some(Status(3)));
    let new = moved.dst_msg_id.unwrap();
    assert!(new != id && world.state.account(&"alice".into()).unwrap().mailbox.item(&bin, &new).is_some());
    assert_eq!(move_one(&mut world, one.clone()).status, Some(Status(1)));
    let same = Move { src_msg_id: new.clone(), src_fld_id: bin.clone(), dst_fld_id: bin.clone() };
    assert_eq!(move_one(&mut world, same).status, Some(Status(4)));
    let nowhere = Move { src_msg_id: new, src_fld_id: bin, dst_fld_id: "999".into() };
    assert_eq!(move_one(&mut world, nowhere).status, Some(Status(2)));
}

#[test]
fn a_move_to_two_places_fails() {
    let mut world = World::new();
    let id = world.deliver(ALICE, "tea");
    let (inbox, bin) = (world.folder(ALICE, Kind::Inbox), world.folder(ALICE, Kind::Deleted));
    let xml = format!(
        r#"<MoveItems xmlns="Move"><Move><SrcMsgId>{id}</SrcMsgId><SrcFldId>{inbox}</SrcFldId><DstFldId>{bin}</DstFldId><DstFldId>{inbox}</DstFldId></Move></MoveItems>"#
    );
    let document = world.document(ALICE, Command::MoveItems, Document::from_xml(&xml).unwrap());
    let response = move_items::Response::from_document(&document, ALICE.version).unwrap();
    assert_eq!(response.responses.first().and_then(|one| one.status), Some(Status(5)));
    assert_eq!(world.count(ALICE, Kind::Inbox), 1);
}

#[test]
fn a_server_may_keep_ids_over_a_move() {
    let mut world = World::new();
    world.state.behaviour.move_keeps_id = true;
    let id = world.deliver(ALICE, "tea");
    let (inbox, bin) = (world.folder(ALICE, Kind::Inbox), world.folder(ALICE, Kind::Deleted));
    let moved = move_one(&mut world, Move { src_msg_id: id.clone(), src_fld_id: inbox, dst_fld_id: bin });
    assert_eq!(moved.dst_msg_id, Some(id));
}

#[test]
fn an_estimate_is_what_the_next_sync_brings() {
    for version in [Version::V12_1, Version::V14_1] {
        let mut world = World::new();
        let phone = ALICE.speaking(version);
        let inbox = world.folder(phone, Kind::Inbox);
        world.deliver(phone, "one");
        world.deliver(phone, "two");
        let estimate = |world: &mut World, key: &str| -> EstimateResponse {
            let collection = get_item_estimate::Collection {
                class: Some(easrig_eas::command::Class::Email),
                sync_key: key.into(),
                collection_id: inbox.clone(),
                ..get_item_estimate::Collection::default()
            };
            let request = get_item_estimate::Request { collections: vec![collection] };
            let document = world.document(phone, Command::GetItemEstimate, request.to_document(version));
            get_item_estimate::Response::from_document(&document, version).unwrap().responses.pop().unwrap()
        };
        assert_eq!(estimate(&mut world, "1").status, Some(Status(3)));
        let key = world.prime(phone, &inbox);
        assert_eq!(estimate(&mut world, key.as_str()).estimate, Some(2));
        assert_eq!(estimate(&mut world, "12345").status, Some(Status(4)));
        assert_eq!(world.sync(phone, collection(&inbox, &key)).unwrap().commands.len(), 2);
    }
}

#[test]
fn a_fetch_gives_the_item_with_the_body_that_was_asked_for() {
    let mut world = World::new();
    let id = world.deliver(ALICE, "tea");
    let mime = BodyPreference { body_type: 4, ..BodyPreference::default() };
    let options = Options { body_preferences: vec![mime], mime_support: Some(2), ..Options::default() };
    let asked = Fetch {
        server_id: Some(id),
        collection_id: Some(world.folder(ALICE, Kind::Inbox)),
        options: Some(options),
        ..Fetch::default()
    };
    let got = fetch(&mut world, asked.clone());
    assert_eq!((got.status, text(&got, email::SUBJECT).as_deref()), (Some(Status(1)), Some("tea")));
    let properties = got.properties.unwrap();
    let body = properties.child(base::BODY).unwrap();
    assert!(body.child_text(base::DATA).unwrap().starts_with("From: carol@else.test"));
    let missing = fetch(&mut world, Fetch { server_id: Some("9:9".into()), ..asked });
    assert_eq!(missing.status, Some(Status(6)));
}

#[test]
fn an_attachment_comes_whole_or_in_ranges() {
    let mut world = World::new();
    let id = world.state.deliver(&UserName::from("alice"), WITH_FILE.to_vec(), world.now).unwrap();
    let inbox = world.folder(ALICE, Kind::Inbox);
    let key = world.prime(ALICE, &inbox);
    let mail = only_data(&world.sync(ALICE, collection(&inbox, &key)).unwrap());
    let file = mail.child(base::ATTACHMENTS).and_then(|all| all.child(base::ATTACHMENT)).unwrap();
    assert_eq!(file.child_text(base::ESTIMATED_DATA_SIZE).as_deref(), Some("10"));
    let reference = file.child_text(base::FILE_REFERENCE).unwrap().into_owned();
    assert!(reference.starts_with(id.as_str()));
    let asked = |range: Option<&str>| Fetch {
        file_reference: Some(reference.clone()),
        options: Some(Options { range: range.map(|text| text.parse().unwrap()), ..Options::default() }),
        ..Fetch::default()
    };
    assert_eq!(text(&fetch(&mut world, asked(None)), tag::DATA).as_deref(), Some("MDEyMzQ1Njc4OQ=="));
    let part = fetch(&mut world, asked(Some("3-99")));
    assert_eq!(text(&part, tag::DATA).as_deref(), Some("MzQ1Njc4OQ=="));
    assert_eq!((text(&part, tag::RANGE).as_deref(), text(&part, tag::TOTAL).as_deref()), (Some("3-9"), Some("10")));
    assert_eq!(fetch(&mut world, asked(Some("10-11"))).status, Some(Status(8)));
    let wrong = Fetch { file_reference: Some("9:9:9".to_owned()), ..Fetch::default() };
    assert_eq!(fetch(&mut world, wrong).status, Some(Status(15)));
}

#[test]
fn a_multipart_answer_has_the_bytes_outside_the_document() {
    let mut world = World::new();
    let id = world.state.deliver(&UserName::from("alice"), WITH_FILE.to_vec(), world.now).unwrap();
    let asked = Fetch { file_reference: Some(format!("{id}:0")), ..Fetch::default() };
    let request = item_operations::Request { operations: vec![Operation::Fetch(Box::new(asked))] };
    let mut call = world.call(ALICE, Command::ItemOperations, request.to_document(ALICE.version).encode());
    call.headers.push("MS-ASAcceptMultiPart", "T");
    let Reply::Now(answer) = world.send(call) else { panic!("it waits") };
    assert_eq!(answer.headers.get("content-type"), Some("application/vnd.ms-sync.multipart"));
    let multipart = Multipart::parse(&answer.body).unwrap();
    let document = Document::decode(multipart.answer()).unwrap();
    let part = document.root().descendants().find(|element| element.tag() == tag::PART).unwrap();
    assert_eq!(part.text(), "1");
    assert_eq!(multipart.data(1), Some(&b"0123456789"[..]));
}

#[test]
fn an_old_phone_downloads_an_attachment_by_its_name() {
    let mut world = World::new();
    let id = world.state.deliver(&UserName::from("alice"), WITH_FILE.to_vec(), world.now).unwrap();
    let mut call = world.call(ALICE.speaking(Version::V12_1), Command::GetAttachment, Vec::new());
    call.query.attachment_name = Some(format!("{id}:0"));
    let Reply::Now(answer) = world.send(call) else { panic!("it waits") };
    assert_eq!(
        (answer.headers.get("Content-Type"), answer.body.as_slice()),
        (Some("application/pdf"), &b"0123456789"[..])
    );
}

#[test]
fn a_fetch_that_names_two_files_breaks_the_rules() {
    let mut world = World::new();
    let xml = r#"<ItemOperations xmlns="ItemOperations"><Fetch><Store>Mailbox</Store><FileReference xmlns="AirSyncBase">1:1:0</FileReference><FileReference xmlns="AirSyncBase">1:1:1</FileReference></Fetch></ItemOperations>"#;
    let document = world.document(ALICE, Command::ItemOperations, Document::from_xml(xml).unwrap());
    let response = item_operations::Response::from_document(&document, ALICE.version).unwrap();
    assert_eq!((response.status, response.responses.len()), (Some(Status(2)), 0));
}

#[test]
fn a_folder_is_emptied() {
    let mut world = World::new();
    world.deliver(ALICE, "tea");
    let collection_id = world.folder(ALICE, Kind::Inbox);
    let operations = vec![Operation::EmptyFolderContents { collection_id, delete_sub_folders: None }];
    let request = item_operations::Request { operations };
    world.document(ALICE, Command::ItemOperations, request.to_document(ALICE.version));
    assert_eq!(world.count(ALICE, Kind::Inbox), 0);
}

#[test]
fn a_moved_conversation_keeps_moving() {
    let mut world = World::new();
    let first = b"Message-ID: <1@x>\r\nSubject: tea\r\n\r\nhi".to_vec();
    let later = b"Message-ID: <2@x>\r\nReferences: <1@x>\r\nSubject: Re: tea\r\n\r\nyes".to_vec();
    let alice = UserName::from("alice");
    let id = world.state.deliver(&alice, first, world.now).unwrap();
    let inbox = world.folder(ALICE, Kind::Inbox);
    let mail = world.state.account(&alice).unwrap().mailbox.item(&inbox, &id).unwrap().mail().unwrap().clone();
    let operation = |move_always| Operation::Move {
        conversation_id: mail.conversation_id.to_vec(),
        dst_fld_id: world.folder(ALICE, Kind::Deleted),
        move_always,
    };
    let always = Some(easrig_eas::command::Flag::Empty);
    let request = item_operations::Request { operations: vec![operation(None), operation(always)] };
    let document = world.document(ALICE, Command::ItemOperations, request.to_document(ALICE.version));
    let response = item_operations::Response::from_document(&document, ALICE.version).unwrap();
    let statuses = response.responses.iter().map(|one| match one {
        OperationResponse::Move { status, .. } => *status,
        other => panic!("{other:?}"),
    });
    assert_eq!(statuses.collect::<Vec<_>>(), [Some(Status(155)), Some(Status(1))]);
    world.state.deliver(&alice, later, world.now).unwrap();
    assert_eq!((world.count(ALICE, Kind::Inbox), world.count(ALICE, Kind::Deleted)), (0, 2));
}

#[test]
fn ghosted_contact_fields_survive_a_change() {
    let mut world = World::new();
    let folder = world.folder(ALICE, Kind::Contacts);
    let supported = Some(vec![contacts::JOB_TITLE]);
    let primed = world.sync(ALICE, Collection { supported, ..collection(&folder, &"0".into()) }).unwrap();
    let made = r#"<FirstName xmlns="Contacts">Ann</FirstName><JobTitle xmlns="Contacts">Boss</JobTitle><AssistantName xmlns="Contacts">Bo</AssistantName>"#;
    let key = primed.sync_key.unwrap();
    let made = world.sync(ALICE, Collection { commands: vec![add("c", made)], ..collection(&folder, &key) }).unwrap();
    let id = only_added(&made);
    let tablet = world.catch_up(TABLET, &folder);
    let renamed = change(&id, r#"<FirstName xmlns="Contacts">Anna</FirstName>"#);
    let key = made.sync_key.unwrap();
    world.sync(ALICE, Collection { commands: vec![renamed], ..collection(&folder, &key) }).unwrap();
    let told = only_data(&world.sync(TABLET, collection(&folder, &tablet)).unwrap());
    assert_eq!(told.text(contacts::ASSISTANT_NAME).as_deref(), Some("Bo"));
    assert_eq!(told.text(contacts::JOB_TITLE), None);
}

#[test]
fn exceptions_survive_an_unrelated_change() {
    let mut world = World::new();
    let folder = world.folder(ALICE, Kind::Calendar);
    let key = world.prime(ALICE, &folder);
    let event = r#"<StartTime xmlns="Calendar">20240701T080000Z</StartTime><EndTime xmlns="Calendar">20240701T090000Z</EndTime><Subject xmlns="Calendar">tea</Subject><Recurrence xmlns="Calendar"><Type>1</Type><Interval>1</Interval><DayOfWeek>2</DayOfWeek></Recurrence><Exceptions xmlns="Calendar"><Exception><Deleted>1</Deleted><ExceptionStartTime>20240708T080000Z</ExceptionStartTime></Exception></Exceptions>"#;
    let made = world.sync(ALICE, Collection { commands: vec![add("e", event)], ..collection(&folder, &key) }).unwrap();
    let id = only_added(&made);
    let tablet = world.catch_up(TABLET, &folder);
    let other = r#"<StartTime xmlns="Calendar">20240701T080000Z</StartTime><EndTime xmlns="Calendar">20240701T090000Z</EndTime><Subject xmlns="Calendar">coffee</Subject>"#;
    let key = made.sync_key.unwrap();
    world.sync(ALICE, Collection { commands: vec![change(&id, other)], ..collection(&folder, &key) }).unwrap();
    let told = only_data(&world.sync(TABLET, collection(&folder, &tablet)).unwrap());
    assert_eq!(told.text(calendar::SUBJECT).as_deref(), Some("coffee"));
    assert!(told.child(calendar::EXCEPTIONS).is_some_and(|all| all.children().count() == 1));
    assert!(told.text(calendar::UID).is_some());
}
