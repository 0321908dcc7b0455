use super::rig::*;

#[test]
fn a_message_that_does_not_arrive_is_given_up_in_time() {
    let mut table = Table::with_inbox("android-4", Version::V14_1, &[]);
    table.begin(Habit::Receive {
        subject: "hi".to_owned(),
        folder: FolderRef::from("inbox"),
        within: Duration::from_secs(2),
    });
    for _ in 0..2 {
        let sent = table.expect(Command::Sync);
        table.reply(&sent, 200, Vec::new());
        let (timer, _) = table.timer();
        table.now = table.now.after(Duration::from_secs(1));
        table.step(Input::TimerFired(timer));
    }
    let sent = table.expect(Command::Sync);
    table.reply(&sent, 200, Vec::new());
    assert!(matches!(table.ended().end, End::GaveUp(_)));
}

#[test]
fn a_ping_wakes_and_fetches_while_the_phone_does_other_things() {
    let mut table = Table::with_inbox("android-4", Version::V14_1, &[]);
    let waiting = table.begin(Habit::Ping { within: Duration::from_secs(60) });
    let held = table.expect(Command::Ping);
    assert_eq!(held.request.headers.get("X-MS-PolicyKey"), None);
    assert_eq!(held.request.headers.get("Connection"), Some("close"));
    table.timer();
    table.begin(Habit::Sync { folder: FolderRef::from("inbox") });
    let other = table.expect(Command::Sync);
    let woken = ping::Response { status: Status(2), folders: vec!["5".into()], ..Default::default() };
    let woken = woken.to_document(Version::V14_1);
    table.answer(&held, &woken);
    assert!(table.outputs.is_empty(), "two Syncs of one folder at once: {:?}", table.outputs);
    table.reply(&other, 200, Vec::new());
    assert_eq!(table.ended().end, End::Finished);
    let fetch = table.expect(Command::Sync);
    let page = table.synced("s3", false, vec![Table::mail("new", "5:9")]);
    table.answer(&fetch, &page);
    assert_eq!(table.ended().end, End::Finished);
    assert!(!table.phone.is_running(waiting));
    assert_eq!(table.phone.owner().items[0].subject, "new");
}

#[test]
fn a_ping_takes_the_heartbeat_the_server_allows() {
    let mut table = Table::with_inbox("android-4", Version::V14_1, &[]);
    table.begin(Habit::Ping { within: Duration::from_secs(60) });
    let sent = table.expect(Command::Ping);
    table.timer();
    let limit = ping::Response { status: Status(5), heartbeat_interval: Some(120), ..Default::default() };
    table.answer(&sent, &limit.to_document(Version::V14_1));
    let again = table.expect(Command::Ping);
    let document = Document::decode(&again.request.body).unwrap();
    let asked = ping::Request::from_document(&document, Version::V14_1).unwrap();
    assert_eq!(asked.heartbeat_interval, Some(120));
}

#[test]
fn an_abandoned_task_cancels_its_request_and_lets_others_go_on() {
    let mut table = Table::with_inbox("android-4", Version::V14_1, &[]);
    let first = table.begin(Habit::Sync { folder: FolderRef::from("inbox") });
    let sent = table.expect(Command::Sync);
    table.begin(Habit::Sync { folder: FolderRef::from("inbox") });
    assert!(table.outputs.is_empty());
    let mut out = Vec::new();
    table.phone.abandon(first, &mut out);
    table.outputs.extend(out);
    assert!(matches!(table.outputs.pop_front(), Some(Output::Cancel(id)) if id == sent.id));
    table.expect(Command::Sync);
}

#[test]
fn a_held_sync_wakes_a_windows_phone_and_brings_the_mail_itself() {
    let mut table = Table::with_inbox("wp7.5", Version::V14_1, &[]);
    table.begin(Habit::Ping { within: Duration::from_secs(60) });
    let held = table.expect(Command::Sync);
    let asked = sync::Request::from_document(&Document::decode(&held.request.body).unwrap(), Version::V14_1).unwrap();
    assert_eq!(asked.heartbeat_interval, Some(480));
    table.timer();
    let page = table.synced("s3", false, vec![Table::mail("new", "5:9")]);
    table.answer(&held, &page);
    let more = table.expect(Command::Sync);
    table.reply(&more, 200, Vec::new());
    assert_eq!(table.ended().end, End::Finished);
    assert_eq!(table.phone.owner().items[0].subject, "new");
    assert_eq!(table.phone.sync_key(&"5".into()), Some(&SyncKey::from("s3")));
}

#[test]
fn a_held_sync_that_brings_nothing_in_time_is_cancelled() {
    let mut table = Table::with_inbox("wp7.5", Version::V14_1, &[]);
    table.begin(Habit::Ping { within: Duration::from_secs(5) });
    let held = table.expect(Command::Sync);
    let (timer, time) = table.timer();
    assert_eq!(time, Duration::from_secs(5));
    table.step(Input::TimerFired(timer));
    assert!(matches!(table.outputs.pop_front(), Some(Output::Cancel(id)) if id == held.id));
    assert!(matches!(table.ended().end, End::GaveUp(_)));
    table.reply(&held, 200, Vec::new());
    assert!(table.outputs.is_empty(), "an answer to a cancelled request changes nothing");
}
