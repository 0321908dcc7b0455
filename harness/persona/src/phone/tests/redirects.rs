use super::rig::*;

#[test]
fn redirects_in_a_circle_end_after_ten() {
    let mut table = Table::new("blackberry-10", Version::V14_1);
    table.begin(Habit::FolderSync);
    for _ in 0..11 {
        let sent = table.expect(Command::FolderSync);
        let headers = Headers::from_iter([("X-MS-Location", "https://other.easrig.test/Microsoft-Server-ActiveSync")]);
        table.reply_with(&sent, 451, headers, Vec::new());
    }
    assert!(!matches!(table.ended().end, End::Finished));
}

#[test]
fn a_moved_mailbox_is_found_at_its_new_place_and_stays_there() {
    let mut table = Table::new("android-4", Version::V14_1);
    table.begin(Habit::FolderSync);
    let sent = table.expect(Command::FolderSync);
    let headers = Headers::from_iter([("X-MS-Location", "https://new.easrig.test/Microsoft-Server-ActiveSync")]);
    table.reply_with(&sent, 451, headers, Vec::new());
    let again = table.expect(Command::FolderSync);
    assert_eq!(again.request.url.host_str(), Some("new.easrig.test"));
    assert_eq!(again.request.headers.get("Host"), Some("new.easrig.test"));
    assert_eq!(table.phone.endpoint().unwrap().host_str(), Some("new.easrig.test"));
}

#[test]
fn no_redirect_leads_from_https_to_plain_http() {
    let mut table = Table::new("blackberry-10", Version::V14_1);
    table.begin(Habit::FolderSync);
    let sent = table.expect(Command::FolderSync);
    let headers = Headers::from_iter([("X-MS-Location", "http://new.easrig.test/Microsoft-Server-ActiveSync")]);
    table.reply_with(&sent, 451, headers, Vec::new());
    assert!(matches!(table.ended().end, End::OwnerSees(_)));
}
