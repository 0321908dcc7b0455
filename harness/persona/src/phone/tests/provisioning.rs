use super::rig::*;
use crate::{Ability, PolicySetting};

#[test]
fn a_phone_answers_449_with_provision_and_asks_again() {
    let mut table = Table::new("ios-11", Version::V14_1);
    table.begin(Habit::FolderSync);
    let first = table.expect(Command::FolderSync);
    assert_eq!(first.request.headers.get("X-MS-PolicyKey"), Some("0"));
    table.reply(&first, 449, Vec::new());
    let ask = table.expect(Command::Provision);
    let policy = table.policy(&[]);
    table.answer(&ask, &policy);
    let acknowledge = table.expect(Command::Provision);
    assert_eq!(acknowledge.request.headers.get("X-MS-PolicyKey"), Some("111"));
    assert_eq!(request_of(&acknowledge, Version::V14_1).policies[0].status, Some(Status(1)));
    let done = table.provisioned(222, None);
    table.answer(&acknowledge, &done);
    let again = table.expect(Command::FolderSync);
    assert_eq!(again.request.headers.get("X-MS-PolicyKey"), Some("222"));
    let folders = table.folders();
    table.answer(&again, &folders);
    assert_eq!(table.ended().end, End::Finished);
    assert_eq!(table.phone.policy_key(), Some(PolicyKey(222)));
    assert_eq!(table.phone.folders().len(), 2);
}

#[test]
fn windows_phone_keeps_silent_and_shows_2b_whatever_the_server_answers() {
    for challenge in [0, 141, 142, 144] {
        let mut table = Table::new("wp7", Version::V14_0);
        table.begin(Habit::FolderSync);
        for round in 0..2 {
            let sent = table.expect(Command::FolderSync);
            match challenge {
                0 => table.reply(&sent, 449, Vec::new()),
                status => table.answer(&sent, &folder_status(status)),
            }
            if round == 0 {
                let ask = table.expect(Command::Provision);
                let policy = table.policy(&[Setting::RequireDeviceEncryption]);
                table.answer(&ask, &policy);
            }
        }
        let ending = table.ended();
        let End::OwnerSees(error) = ending.end else { panic!("{ending:?}") };
        assert_eq!(error.code, "86000C2B", "challenge {challenge}");
        assert!(error.remedy.contains("RequireDeviceEncryption"), "{}", error.remedy);
        assert_eq!(ending.rests.lowest, crate::Confidence::High, "{:?}", ending.rests);
        assert_eq!(table.phone.owner().error.as_ref(), Some(&error));
        assert_eq!(table.phone.policy_key(), None);
        let [PolicySetting { name, ability, .. }] = table.phone.policy() else { panic!("one setting binds") };
        assert_eq!((name.as_str(), *ability), ("RequireDeviceEncryption", Ability::Refuses));
    }
}

#[test]
fn windows_phone_works_where_a_lenient_server_serves_it_after_its_silence() {
    let mut table = Table::new("wp7.5", Version::V14_1);
    table.begin(Habit::FolderSync);
    let sent = table.expect(Command::FolderSync);
    table.answer(&sent, &folder_status(142));
    let ask = table.expect(Command::Provision);
    let policy = table.policy(&[Setting::RequireDeviceEncryption]);
    table.answer(&ask, &policy);
    let again = table.expect(Command::FolderSync);
    let folders = table.folders();
    table.answer(&again, &folders);
    assert_eq!(table.ended().end, End::Finished);
}

#[test]
fn windows_phone_acknowledges_a_policy_within_its_twelve() {
    let mut table = Table::new("wp7", Version::V14_0);
    table.begin(Habit::Provision);
    let ask = table.expect(Command::Provision);
    let policy = table.policy(&[Setting::DevicePasswordEnabled]);
    table.answer(&ask, &policy);
    let acknowledge = table.expect(Command::Provision);
    assert_eq!(request_of(&acknowledge, Version::V14_0).policies[0].status, Some(Status(1)));
}

#[test]
fn android_acknowledges_in_part_and_goes_on_with_the_key_it_gets() {
    let mut table = Table::new("android-4", Version::V14_1);
    table.begin(Habit::Provision);
    let ask = table.expect(Command::Provision);
    assert!(request_of(&ask, Version::V14_1).device_information.is_some());
    let policy = table.policy(&[Setting::RequireSignedSmimeMessages]);
    table.answer(&ask, &policy);
    let acknowledge = table.expect(Command::Provision);
    assert_eq!(request_of(&acknowledge, Version::V14_1).policies[0].status, Some(Status(2)));
    let done = table.provisioned(9, None);
    table.answer(&acknowledge, &done);
    assert_eq!(table.ended().end, End::Finished);
    assert_eq!(table.phone.policy_key(), Some(PolicyKey(9)));
}

#[test]
fn android_refuses_the_account_when_its_partial_acknowledgement_brings_no_key() {
    let mut table = Table::new("android-4", Version::V14_1);
    table.begin(Habit::Provision);
    let ask = table.expect(Command::Provision);
    let policy = table.policy(&[Setting::RequireSignedSmimeMessages]);
    table.answer(&ask, &policy);
    let acknowledge = table.expect(Command::Provision);
    table.answer(&acknowledge, &status_only(tags::provision::PROVISION, tags::provision::STATUS, 139));
    let End::OwnerSees(error) = table.ended().end else { panic!("no error") };
    assert!(error.code.is_empty() && error.message.contains("RequireSignedSMIMEMessages"), "{error:?}");
}

#[test]
fn android_describes_itself_by_settings_after_provisioning_at_12_1() {
    let mut table = Table::new("android-4", Version::V12_1);
    table.begin(Habit::Provision);
    let ask = table.expect(Command::Provision);
    assert!(request_of(&ask, Version::V12_1).device_information.is_none());
    let policy = table.policy(&[]);
    table.answer(&ask, &policy);
    let acknowledge = table.expect(Command::Provision);
    let done = table.provisioned(9, None);
    table.answer(&acknowledge, &done);
    let described = table.expect(Command::Settings);
    let document = Document::decode(&described.request.body).unwrap();
    let said = settings::Request::from_document(&document, Version::V12_1).unwrap();
    assert!(said.device_information.is_some());
}

#[test]
fn a_server_that_challenges_for_ever_ends_in_an_error_and_not_in_a_circle() {
    let mut table = Table::new("ios-17", Version::V16_1);
    table.begin(Habit::FolderSync);
    for _ in 0..3 {
        let sent = table.expect(Command::FolderSync);
        table.answer(&sent, &folder_status(144));
        let ask = table.expect(Command::Provision);
        let policy = table.policy(&[]);
        table.answer(&ask, &policy);
        let acknowledge = table.expect(Command::Provision);
        let done = table.provisioned(222, None);
        table.answer(&acknowledge, &done);
    }
    let sent = table.expect(Command::FolderSync);
    table.answer(&sent, &folder_status(144));
    assert!(matches!(table.ended().end, End::OwnerSees(_)));
}

#[test]
fn a_wipe_is_acknowledged_only_where_that_was_allowed() {
    let wipe = provision::Response { status: Some(Status(1)), remote_wipe: true, ..Default::default() };
    for allowed in [false, true] {
        let mut table = Table::new("android-4", Version::V14_1);
        if allowed {
            table.phone.allow_wipe();
        }
        table.begin(Habit::Provision);
        let ask = table.expect(Command::Provision);
        table.answer(&ask, &wipe.to_document(Version::V14_1));
        if allowed {
            let acknowledge = table.expect(Command::Provision);
            assert_eq!(request_of(&acknowledge, Version::V14_1).remote_wipe, Some(Status(1)));
            table.answer(&acknowledge, &status_only(tags::provision::PROVISION, tags::provision::STATUS, 1));
        }
        let End::OwnerSees(error) = table.ended().end else { panic!("a wipe costs the owner everything") };
        let was = if allowed { "Everything on the device was deleted." } else { "Everything on the device is to be" };
        assert!(error.message.starts_with(was) && error.remedy.contains("Clear-MobileDevice"), "{error:?}");
    }
}
