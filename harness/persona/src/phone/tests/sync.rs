use super::rig::*;

#[test]
fn sync_pages_until_nothing_more_is_available() {
    let mut table = Table::with_inbox("android-4", Version::V14_1, &[]);
    table.begin(Habit::Sync { folder: FolderRef::from("inbox") });
    let sent = table.expect(Command::Sync);
    let page = table.synced("s3", true, vec![Table::mail("one", "5:1")]);
    table.answer(&sent, &page);
    let sent = table.expect(Command::Sync);
    let page = table.synced("s4", false, vec![Table::mail("two", "5:2")]);
    table.answer(&sent, &page);
    assert_eq!(table.ended().end, End::Finished);
    let subjects: Vec<_> = table.phone.owner().items.iter().map(|item| item.subject.as_str()).collect();
    assert_eq!(subjects, ["one", "two"]);
    assert_eq!(table.phone.sync_key(&"5".into()), Some(&SyncKey::from("s4")));
}

#[test]
fn more_available_for_ever_without_anything_is_given_up() {
    let mut table = Table::with_inbox("android-4", Version::V14_1, &[]);
    table.begin(Habit::Sync { folder: FolderRef::from("inbox") });
    for _ in 0..6 {
        let sent = table.expect(Command::Sync);
        let page = table.synced("s2", true, Vec::new());
        table.answer(&sent, &page);
    }
    assert!(matches!(table.ended().end, End::GaveUp(_)));
}

#[test]
fn a_refused_key_starts_the_folder_over_once_and_not_for_ever() {
    let mut table = Table::with_inbox("android-4", Version::V14_1, &[("old", "5:1")]);
    table.begin(Habit::Sync { folder: FolderRef::from("inbox") });
    let refused = status_only(tags::air_sync::SYNC, tags::air_sync::STATUS, 3);
    for round in 0..4 {
        let sent = table.expect(Command::Sync);
        let document = Document::decode(&sent.request.body).unwrap();
        let asked = sync::Request::from_document(&document, Version::V14_1).unwrap();
        assert_eq!(asked.collections[0].sync_key.is_initial(), round > 0);
        table.answer(&sent, &refused);
    }
    assert!(matches!(table.ended().end, End::GaveUp(_)));
    assert!(table.phone.owner().items.is_empty());
}

#[test]
fn an_empty_answer_to_sync_means_that_nothing_changed() {
    let mut table = Table::with_inbox("ios-11", Version::V14_1, &[("kept", "5:1")]);
    table.begin(Habit::Sync { folder: FolderRef::from("inbox") });
    let sent = table.expect(Command::Sync);
    table.reply(&sent, 200, Vec::new());
    assert_eq!(table.ended().end, End::Finished);
    assert_eq!(table.phone.owner().items.len(), 1);
}
