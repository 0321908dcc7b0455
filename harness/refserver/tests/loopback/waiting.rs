use std::time::{Duration, Instant};

use easrig_eas::Command;
use easrig_refserver::Arrangement;
use tokio::time::timeout;

use crate::phone::{Phone, server, text};

fn ping(folder: &str) -> String {
    format!(
        "<Ping xmlns=\"Ping\"><HeartbeatInterval>60</HeartbeatInterval><Folders><Folder><Id>{folder}</Id>\
         <Class>Email</Class></Folder></Folders></Ping>"
    )
}

/// Takes the inbox as it is, so that only what comes later is new.
async fn settle(phone: &Phone, folder: &str) {
    let mut key = "0".to_owned();
    loop {
        let xml = format!(
            "<Sync xmlns=\"AirSync\"><Collections><Collection><SyncKey>{key}</SyncKey><CollectionId>{folder}</CollectionId>\
             </Collection></Collections></Sync>"
        );
        let answer = phone.say(Command::Sync, &xml).await;
        let first = key == "0";
        match text(&answer, "SyncKey") {
            Some(next) => key = next,
            None => return,
        }
        if !first && !answer.contains("MoreAvailable") {
            return;
        }
    }
}

#[tokio::test]
async fn a_ping_wakes_as_soon_as_mail_arrives() {
    let server = server(|_| {}).await;
    let phone = Phone::alice(&server);
    let inbox = phone.folder(2).await;
    settle(&phone, &inbox).await;
    let wait = ping(&inbox);
    let started = Instant::now();
    let (answer, ()) = tokio::join!(phone.say(Command::Ping, &wait), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mail = b"From: x@example.test\r\nTo: alice@easrig.test\r\nSubject: hello\r\n\r\nhi\r\n".to_vec();
        server.arrange("alice", None, Arrangement::Deliver(mail)).unwrap();
    });
    assert_eq!((text(&answer, "Status").as_deref(), text(&answer, "Folder")), (Some("2"), Some(inbox)), "{answer}");
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_ping_whose_phone_hangs_up_is_forgotten() {
    let server = server(|_| {}).await;
    let phone = Phone::alice(&server);
    let inbox = phone.folder(2).await;
    settle(&phone, &inbox).await;
    let wait = ping(&inbox);
    assert!(timeout(Duration::from_millis(200), phone.say(Command::Ping, &wait)).await.is_err(), "it waits");
    assert_eq!(phone.folders().await.0, 200, "and the server goes on");
    timeout(Duration::from_secs(5), server.stop()).await.unwrap();
}

#[tokio::test]
async fn a_ping_ends_at_its_time() {
    let now = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(1_700_000_000));
    let clock = {
        let now = std::sync::Arc::clone(&now);
        easrig_refserver::Clock::new(move || {
            jiff::Timestamp::from_second(now.load(std::sync::atomic::Ordering::SeqCst)).unwrap()
        })
    };
    let server = server(|config| config.clock = clock).await;
    let phone = Phone::alice(&server);
    let inbox = phone.folder(2).await;
    settle(&phone, &inbox).await;
    let wait = ping(&inbox);
    let (answer, ()) = tokio::join!(phone.say(Command::Ping, &wait), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        now.fetch_add(61, std::sync::atomic::Ordering::SeqCst);
        // Whatever changes in the mailbox has the server look at its clock.
        server.with_state(|state| {
            let user = "alice".into();
            let mailbox = &mut state.account_mut(&user).unwrap().mailbox;
            let notes = mailbox.built_in(easrig_refserver::Kind::Notes).unwrap().clone();
            mailbox.add(&notes, easrig_refserver::Content::Fields(Default::default()));
        });
    });
    assert_eq!(text(&answer, "Status").as_deref(), Some("1"), "{answer}");
}
