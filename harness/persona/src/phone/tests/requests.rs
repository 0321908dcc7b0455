use super::rig::*;

#[test]
fn an_explicit_request_is_one_exchange_and_teaches_the_phone_nothing() {
    let mut table = Table::with_inbox("android-4", Version::V14_1, &[]);
    let body = Document::from_xml(r#"<FolderSync xmlns="FolderHierarchy"><SyncKey>0</SyncKey></FolderSync>"#).unwrap();
    let send = ExplicitSend {
        command: Some(Command::FolderSync),
        body: crate::Body::Wbxml(body),
        headers: vec![("X-MS-PolicyKey".to_owned(), Some("5".to_owned())), ("Accept-Encoding".to_owned(), None)],
        ..ExplicitSend::default()
    };
    table.start(Task::Send(Box::new(send)));
    let sent = table.expect(Command::FolderSync);
    assert_eq!(sent.request.headers.get("X-MS-PolicyKey"), Some("5"));
    assert_eq!(sent.request.headers.get("Accept-Encoding"), None);
    table.reply(&sent, 449, Vec::new());
    assert_eq!(table.ended().end, End::Finished);
    assert_eq!(table.phone.folder_key(), &SyncKey::from("f1"));
}

#[test]
fn an_ability_the_facts_deny_is_not_tried() {
    let mut table = Table::new("android-4", Version::V14_1);
    table.begin(Habit::SetOof { text: "away".to_owned() });
    assert_eq!(table.ended().end, End::CannotDo("set_oof".to_owned()));
}

#[test]
fn an_assumed_ability_is_named_at_the_end() {
    let mut table = Table::new("blackberry-10", Version::V14_1);
    table.begin(Habit::SetOof { text: "away".to_owned() });
    let sent = table.expect(Command::Settings);
    table.answer(&sent, &status_only(tags::settings::SETTINGS, tags::settings::STATUS, 1));
    let ending = table.ended();
    assert_eq!(ending.end, End::Finished);
    assert_eq!(ending.rests.assumed, ["abilities.set_oof"]);
}

#[test]
fn a_plain_query_carries_in_headers_what_base64_carries_itself() {
    let mut table = Table::new("wp7", Version::V14_0);
    let send = ExplicitSend {
        command: Some(Command::Ping),
        query: Some(crate::QueryHabit::Plain),
        body: crate::Body::Raw(vec![3, 1, 106, 0]),
        ..ExplicitSend::default()
    };
    table.start(Task::Send(Box::new(send)));
    let sent = table.expect(Command::Ping);
    assert!(sent.request.query().starts_with("Cmd=Ping&User=alice&DeviceId="), "{}", sent.request.query());
    assert_eq!(sent.request.headers.get("MS-ASProtocolVersion"), Some("14.0"));
    assert_eq!(sent.request.headers.get("User-Agent"), Some("MSFT-WP/7.0.7390"));
    assert_eq!(sent.request.body, [3, 1, 106, 0]);
}
