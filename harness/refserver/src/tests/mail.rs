use easrig_eas::{
    Command, Version,
    command::send_mail::{Body, Request, Response, Source, Verb},
    status::Status,
};
use easrig_wbxml::{Document, tags::email2};

use super::rig::*;
use crate::{Answer, Kind, Mail, Reply, UserName, mime::View};

const TO_BOB: &str = "To: bob@easrig.test\r\nSubject: tea\r\n\r\nnow?\r\n";

fn status(answer: &Answer) -> Option<Status> {
    let document = Document::decode(&answer.body).ok()?;
    Response::from_document(&document, ALICE.version).ok().map(|response| response.status)
}

/// The newest mail of a folder.
fn last(world: &World, phone: Phone, kind: Kind) -> Mail {
    let folder = world.folder(phone, kind);
    let account = world.state.account(&UserName::from(phone.user)).unwrap();
    let newest = account.mailbox.items(&folder).max_by_key(|item| item.stamps.content).unwrap();
    newest.mail().unwrap().clone()
}

fn follow_up(world: &mut World, phone: Phone, verb: Verb, client_id: &str, source: Source, replace: bool) -> Answer {
    let request = Request {
        verb,
        client_id: Some(client_id.to_owned()),
        source: Some(source),
        replace_mime: replace,
        mime: TO_BOB.as_bytes().to_vec(),
        ..Request::default()
    };
    let command = if verb == Verb::Reply { Command::SmartReply } else { Command::SmartForward };
    world.answer(phone, command, Some(request.to_document(phone.version)))
}

#[test]
fn mail_sent_is_mail_received_and_kept() {
    let mut world = World::new();
    let answer = world.send_mail(ALICE, "1", TO_BOB);
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    let mail = last(&world, BOB, Kind::Inbox);
    let view = View::parse(&mail.mime).unwrap();
    assert_eq!((view.subject(), view.from().as_str()), ("tea", "\"Alice\" <alice@easrig.test>"));
    assert!(!mail.read && last(&world, ALICE, Kind::Sent).read);
}

#[test]
fn up_to_12_1_the_body_is_the_message_and_the_query_says_what_to_keep() {
    let mut world = World::new();
    let old = ALICE.speaking(Version::V12_1);
    assert_eq!(world.send_mail(old, "", TO_BOB), Answer::empty());
    assert_eq!((world.count(BOB, Kind::Inbox), world.count(ALICE, Kind::Sent)), (1, 0));
    let mut call = world.call(old, Command::SendMail, TO_BOB.as_bytes().to_vec());
    call.query.save_in_sent = Some(true);
    world.send(call);
    assert_eq!((world.count(BOB, Kind::Inbox), world.count(ALICE, Kind::Sent)), (2, 1));
}

#[test]
fn a_repeated_client_id_is_refused_with_118() {
    let mut world = World::new();
    world.send_mail(ALICE, "1", TO_BOB);
    assert_eq!(status(&world.send_mail(ALICE, "1", TO_BOB)), Some(Status(118)));
    assert_eq!(world.count(BOB, Kind::Inbox), 1);
    assert_eq!(world.send_mail(TABLET, "1", TO_BOB), Answer::empty());
}

#[test]
fn a_message_nobody_receives_or_nobody_can_read_is_refused() {
    let mut world = World::new();
    assert_eq!(status(&world.send_mail(ALICE, "1", "Subject: x\r\n\r\nhi")), Some(Status(119)));
    assert_eq!(status(&world.send_mail(ALICE, "2", "")), Some(Status(107)));
    assert_eq!(world.send_mail(ALICE.speaking(Version::V12_1), "", "").status, 400);
}

#[test]
fn mail_to_nobody_comes_back() {
    let mut world = World::new();
    world.send_mail(ALICE, "1", "To: nobody@easrig.test, far@example.com\r\nSubject: tea\r\n\r\nhi");
    let report = last(&world, ALICE, Kind::Inbox);
    let view = View::parse(&report.mime).unwrap();
    assert_eq!(view.subject(), "Undeliverable: tea");
    assert!(view.text().contains("nobody@easrig.test") && view.text().contains("far@example.com"));
}

#[test]
fn a_blind_receiver_gets_mail_that_does_not_name_anybody_blind() {
    let mut world = World::new();
    world.send_mail(ALICE, "1", "To: alice@easrig.test\r\nBcc: bob@easrig.test\r\nSubject: x\r\n\r\nhi");
    let mail = last(&world, BOB, Kind::Inbox);
    assert!(mail.received_as_bcc && View::parse(&mail.mime).unwrap().bcc().is_empty());
    assert!(!last(&world, ALICE, Kind::Inbox).received_as_bcc);
}

#[test]
fn a_reply_quotes_its_original_and_marks_it() {
    let mut world = World::new();
    let id = world.deliver(ALICE, "cake");
    let inbox = world.folder(ALICE, Kind::Inbox);
    let key = world.catch_up(TABLET, &inbox);
    let source = Source { folder_id: Some(inbox.0.clone()), item_id: Some(id.0.clone()), ..Source::default() };
    assert_eq!(follow_up(&mut world, ALICE, Verb::Reply, "1", source.clone(), false), Answer::empty());
    let reply = View::parse(&last(&world, BOB, Kind::Inbox).mime).unwrap().text();
    assert!(reply.contains("now?") && reply.contains("body of cake"));
    let told = only_data(&world.sync(TABLET, collection(&inbox, &key)).unwrap());
    assert_eq!(told.text(email2::LAST_VERB_EXECUTED).as_deref(), Some("1"));
    follow_up(&mut world, ALICE, Verb::Reply, "2", source, true);
    assert!(!View::parse(&last(&world, BOB, Kind::Inbox).mime).unwrap().text().contains("cake"));
}

#[test]
fn a_reply_to_nothing_is_refused() {
    let mut world = World::new();
    let source = Source { item_id: Some("9:9".to_owned()), ..Source::default() };
    assert_eq!(status(&follow_up(&mut world, ALICE, Verb::Reply, "1", source, false)), Some(Status(150)));
    assert_eq!(world.count(BOB, Kind::Inbox), 0);
}

#[test]
fn an_old_phone_forwards_by_the_query() {
    let mut world = World::new();
    let id = world.deliver(ALICE, "cake");
    let old = ALICE.speaking(Version::V12_1);
    let mut call = world.call(old, Command::SmartForward, TO_BOB.as_bytes().to_vec());
    call.query.item_id = Some(id.0);
    call.query.collection_id = Some(world.folder(ALICE, Kind::Inbox).0);
    assert_eq!(world.send(call), Reply::Now(Answer::empty()));
    assert!(View::parse(&last(&world, BOB, Kind::Inbox).mime).unwrap().text().contains("body of cake"));
}

#[test]
fn a_body_that_is_a_message_where_a_document_belongs_is_refused() {
    let mut world = World::new();
    let call = world.call(ALICE, Command::SendMail, TO_BOB.as_bytes().to_vec());
    let Reply::Now(answer) = world.send(call) else { panic!("it waits") };
    assert_eq!(status(&answer), Some(Status(102)));
    let Body::Wbxml(document) = Request::default().body(ALICE.version) else { panic!("no document") };
    assert_eq!(status(&world.answer(ALICE, Command::SendMail, Some(document))), Some(Status(103)));
}
