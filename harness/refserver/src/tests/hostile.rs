use easrig_eas::{
    Command, Version,
    command::{
        folder_sync,
        sync::{Collection, Options, Request},
    },
};

use super::rig::*;
use crate::{Kind, UserName};

/// Bytes that mean nothing, and documents with a few bytes changed, never bring the server down.
#[test]
fn broken_bodies_are_refused_without_a_panic() {
    let mut rng = fastrand::Rng::with_seed(1);
    let mut world = World::new();
    let inbox = world.folder(ALICE, Kind::Inbox);
    let id = world.deliver(ALICE, "tea");
    let key = world.catch_up(ALICE, &inbox);
    let commands = vec![change(&id, r#"<Read xmlns="Email">1</Read>"#), add("c", r#"<To xmlns="Email">a</To>"#)];
    let options = vec![Options { filter_type: Some(2), ..Options::default() }];
    let collections = vec![Collection { commands, options, ..collection(&inbox, &key) }];
    let sync = Request { collections, ..Request::default() }.to_document(Version::V16_1).encode();
    let folders = folder_sync::Request { sync_key: "0".into() }.to_document(Version::V14_1).encode();
    for round in 0..4000 {
        let mut body = match round % 3 {
            0 => (0..rng.usize(..64)).map(|_| rng.u8(..)).collect(),
            1 => sync.clone(),
            _ => folders.clone(),
        };
        for _ in 0..rng.usize(1..4) {
            let at = rng.usize(..body.len().max(1));
            if let Some(byte) = body.get_mut(at) {
                *byte = rng.u8(..);
            }
        }
        for command in Command::all() {
            let version = Version::ALL[rng.usize(..Version::ALL.len())];
            let call = world.call(ALICE.speaking(version), command, body.clone());
            world.send(call);
        }
    }
}

#[test]
fn broken_messages_are_shown_as_well_as_can_be() {
    let mut rng = fastrand::Rng::with_seed(2);
    let whole = b"From: \"a\" <a@x>\r\nTo: b@x\r\nSubject: =?utf-8?q?x?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<b>x</b>\r\n--b\r\nContent-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nDTSTART:20240101T000000Z\nRRULE:FREQ=WEEKLY\nEND:VEVENT\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\nz\r\n--b--\r\n";
    for _ in 0..400 {
        let mut world = World::new();
        let mut mime = whole.to_vec();
        for _ in 0..rng.usize(1..8) {
            let at = rng.usize(..mime.len());
            mime[at] = rng.u8(..);
        }
        mime.truncate(rng.usize(1..=mime.len()));
        world.state.deliver(&UserName::from("alice"), mime, world.now).unwrap();
        for version in [Version::V2_5, Version::V14_1, Version::V16_1] {
            let phone = ALICE.speaking(version);
            let inbox = world.folder(phone, Kind::Inbox);
            let key = world.prime(phone, &inbox);
            assert_eq!(world.sync(phone, collection(&inbox, &key)).unwrap().commands.len(), 1);
        }
    }
}
