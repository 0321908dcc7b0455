//! Every row of the table of who is let in, for a version that hears of it by HTTP and one that hears of it in-band.

use easrig_eas::{
    Command, PolicyKey, SyncKey, Version,
    command::{
        folder_sync,
        provision::{PolicyRequest, PolicyType, Request, Response},
        settings::DeviceInformation,
    },
    policy::Setting,
    query::QueryLine,
    status::Status,
};
use easrig_exchange::{Headers, Secret};
use easrig_wbxml::Document;
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::{Arrangement, Credentials, Reply, UserName, handle};

/// A server with one account and one phone.
struct Rig {
    state: State,
    now: Timestamp,
    version: Version,
}

/// What a command met.
#[derive(Debug, PartialEq, Eq)]
enum Met {
    Served,
    Status(u16),
    Http(u16),
}

/// The status in-band from 14.0 on, 449 before.
fn refused(version: Version, status: u16) -> Met {
    if version < Version::V14_0 { Met::Http(449) } else { Met::Status(status) }
}

impl Rig {
    fn new(version: Version, strict: bool) -> Self {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let mut state = State::new(7, "easrig.test");
        state.add_account(Account::new("alice", "alice@easrig.test", Secret::new("pw"), now));
        state.site.policy = Some(Policy { allow_non_provisionable: !strict, ..Policy::default() });
        Self { state, now, version }
    }

    fn call(&mut self, command: Command, key: Option<u32>, body: Vec<u8>) -> Answer {
        let mut headers = Headers::new();
        if let Some(key) = key {
            headers.push("X-MS-PolicyKey", key.to_string());
        }
        let call = Call {
            credentials: Some(Credentials::Basic { user: "alice".into(), secret: Secret::new("pw") }),
            query: QueryLine::new(command, "PHONE1", "Phone"),
            version: self.version,
            headers,
            body,
        };
        match handle(&mut self.state, call, self.now) {
            Reply::Now(answer) => answer,
            Reply::Wait { .. } => panic!("nothing here waits"),
        }
    }

    fn folders(&mut self, key: Option<u32>) -> Met {
        let body = folder_sync::Request { sync_key: SyncKey::initial() }.to_document(self.version).encode();
        let answer = self.call(Command::FolderSync, key, body);
        if answer.status != 200 {
            return Met::Http(answer.status);
        }
        let document = Document::decode(&answer.body).unwrap();
        let status = folder_sync::Response::from_document(&document, self.version).unwrap().status;
        if status == Status(1) { Met::Served } else { Met::Status(status.0) }
    }

    fn provision(&mut self, request: &Request) -> Response {
        let answer = self.call(Command::Provision, None, request.to_document(self.version).encode());
        Response::from_document(&Document::decode(&answer.body).unwrap(), self.version).unwrap()
    }

    /// The first phase; gives the temporary key.
    fn fetch(&mut self) -> u32 {
        let mut request = policy(self.version, None, None);
        request.device_information = Some(DeviceInformation::default());
        self.provision(&request).policies[0].policy_key.unwrap().0
    }

    fn acknowledge(&mut self, key: u32, status: u16) -> (Option<Status>, Option<u32>) {
        let response = self.provision(&policy(self.version, Some(key), Some(status)));
        (response.status, response.policies.first().and_then(|policy| policy.policy_key).map(|key| key.0))
    }

    fn provisioned(&mut self) -> u32 {
        let key = self.fetch();
        self.acknowledge(key, 1).1.unwrap()
    }

    fn arrange(&mut self, arrangement: Arrangement) {
        self.state.arrange(&UserName::from("alice"), Some(&DeviceKey::from("phone1")), arrangement, self.now).unwrap();
    }
}

fn policy(version: Version, key: Option<u32>, status: Option<u16>) -> Request {
    let policy = PolicyRequest {
        policy_type: PolicyType::of(version),
        policy_key: key.map(PolicyKey),
        status: status.map(Status),
    };
    Request { policies: vec![policy], ..Request::default() }
}

const VERSIONS: [Version; 3] = [Version::V2_5, Version::V12_1, Version::V14_1];

#[test]
fn a_device_without_any_key_is_a_legacy_device_to_a_strict_server() {
    for version in VERSIONS {
        let mut rig = Rig::new(version, true);
        for _ in 0..3 {
            assert_eq!(rig.folders(None), refused(version, 141), "{version}");
        }
    }
}

#[test]
fn a_lenient_server_offers_the_policy_once_and_serves() {
    for version in VERSIONS {
        for key in [None, Some(0)] {
            let mut rig = Rig::new(version, false);
            assert_eq!(rig.folders(key), refused(version, 142), "{version}");
            assert_eq!(rig.folders(key), Met::Served, "{version}");
        }
    }
}

#[test]
fn key_zero_is_not_provisioned_to_a_strict_server() {
    for version in VERSIONS {
        let mut rig = Rig::new(version, true);
        for _ in 0..3 {
            assert_eq!(rig.folders(Some(0)), refused(version, 142), "{version}");
        }
    }
}

#[test]
fn a_wrong_or_temporary_key_is_refused_and_a_lenient_server_then_serves() {
    for version in VERSIONS {
        for temporary in [false, true] {
            let mut strict = Rig::new(version, true);
            let key = if temporary { strict.fetch() } else { 4711 };
            for _ in 0..3 {
                assert_eq!(strict.folders(Some(key)), refused(version, 144), "{version}");
            }
            let mut lenient = Rig::new(version, false);
            let key = if temporary { lenient.fetch() } else { 4711 };
            assert_eq!(lenient.folders(Some(key)), refused(version, 144), "{version}");
            assert_eq!(lenient.folders(Some(key)), Met::Served, "{version}");
        }
    }
}

#[test]
fn a_whole_acknowledgement_earns_a_final_key_that_opens() {
    for version in VERSIONS {
        for strict in [false, true] {
            let mut rig = Rig::new(version, strict);
            let temporary = rig.fetch();
            let (status, key) = rig.acknowledge(temporary, 1);
            assert_eq!(status, Some(Status(1)));
            assert!(key.is_some_and(|key| key != temporary && key != 0));
            assert_eq!(rig.folders(key), Met::Served, "{version}");
        }
    }
}

#[test]
fn a_partial_acknowledgement_is_enough_for_a_lenient_server_only() {
    for version in VERSIONS {
        let mut rig = Rig::new(version, true);
        let key = rig.fetch();
        let told = if version < Version::V14_0 { 1 } else { 139 };
        assert_eq!(rig.acknowledge(key, 2), (Some(Status(told)), None), "{version}");
        let mut rig = Rig::new(version, false);
        let key = rig.fetch();
        let (status, key) = rig.acknowledge(key, 2);
        assert_eq!(status, Some(Status(1)));
        assert_eq!(rig.folders(key), Met::Served, "{version}");
    }
}

#[test]
fn a_policy_not_applied_at_all_earns_a_key_from_a_lenient_server_only() {
    for version in VERSIONS {
        for strict in [false, true] {
            let mut rig = Rig::new(version, strict);
            let key = rig.fetch();
            let (status, key) = rig.acknowledge(key, 3);
            assert_eq!((status, key.is_some()), (Some(Status(1)), !strict), "{version}");
        }
    }
}

#[test]
fn a_device_managed_elsewhere_needs_leave() {
    for strict in [false, true] {
        let mut rig = Rig::new(Version::V14_1, strict);
        let key = rig.fetch();
        assert_eq!(rig.acknowledge(key, 4), (Some(Status(145)), None));
        rig.state.site.policy.as_mut().unwrap().allow_external_management = true;
        let key = rig.fetch();
        let (_, key) = rig.acknowledge(key, 4);
        assert_eq!(rig.folders(key), Met::Served);
    }
}

#[test]
fn from_14_1_on_the_first_request_describes_the_device() {
    let mut rig = Rig::new(Version::V14_1, false);
    let first = policy(rig.version, None, None);
    assert_eq!(rig.provision(&first).status, Some(Status(165)));
    rig.fetch();
    assert_eq!(rig.provision(&first).status, Some(Status(1)), "it is known by now");
    let mut rig = Rig::new(Version::V14_0, false);
    assert_eq!(rig.provision(&policy(rig.version, None, None)).status, Some(Status(1)));
}

#[test]
fn a_changed_policy_wants_a_refresh_and_the_old_key_never_opens_again() {
    for version in VERSIONS {
        for strict in [false, true] {
            let mut rig = Rig::new(version, strict);
            let old = rig.provisioned();
            rig.arrange(Arrangement::Policy(vec![("RequireDeviceEncryption".into(), "1".into())]));
            assert_eq!(rig.folders(Some(old)), refused(version, 143), "{version}");
            let new = rig.provisioned();
            assert_eq!(rig.folders(Some(new)), Met::Served, "{version}");
            if strict {
                assert_eq!(rig.folders(Some(old)), refused(version, 144), "{version}");
            }
        }
    }
}

#[test]
fn a_key_grows_old() {
    let mut rig = Rig::new(Version::V14_1, true);
    rig.state.site.policy.as_mut().unwrap().refresh = Some(SignedDuration::from_hours(24));
    let key = rig.provisioned();
    assert_eq!(rig.folders(Some(key)), Met::Served);
    rig.now = rig.now.checked_add(SignedDuration::from_hours(24)).unwrap();
    assert_eq!(rig.folders(Some(key)), Met::Status(143));
}

#[test]
fn a_phone_that_is_in_stays_in_when_the_switch_is_turned_off() {
    for version in VERSIONS {
        let mut rig = Rig::new(version, false);
        rig.folders(None);
        assert_eq!(rig.folders(None), Met::Served);
        rig.arrange(Arrangement::Strict(true));
        assert_eq!(rig.folders(None), Met::Served, "{version}");
        rig.arrange(Arrangement::ExpirePolicyKey);
        assert_eq!(rig.folders(None), refused(version, 141), "{version}");
    }
}

#[test]
fn a_silent_phone_is_shut_out_by_a_strict_server_and_let_in_by_a_lenient_one() {
    for (strict, met) in [(true, Met::Status(141)), (false, Met::Served)] {
        let mut rig = Rig::new(Version::V14_1, strict);
        rig.folders(None);
        rig.fetch();
        assert_eq!(rig.folders(None), met);
    }
}

#[test]
fn a_pending_wipe_comes_before_everything() {
    let mut rig = Rig::new(Version::V14_1, true);
    let key = rig.provisioned();
    rig.arrange(Arrangement::Wipe { account_only: false });
    assert_eq!(rig.folders(Some(key)), Met::Status(140));
    let told = rig.provision(&policy(rig.version, None, None));
    assert!(told.remote_wipe && told.policies.is_empty());
    rig.provision(&Request { remote_wipe: Some(Status(2)), ..Request::default() });
    assert_eq!(rig.folders(Some(key)), Met::Status(140), "a wipe that failed is still wanted");
    rig.provision(&Request { remote_wipe: Some(Status(1)), ..Request::default() });
    assert_eq!(rig.folders(Some(key)), Met::Status(144), "the phone is a stranger now");
    rig.version = Version::V12_1;
    rig.arrange(Arrangement::Wipe { account_only: false });
    assert_eq!((rig.folders(None), rig.folders(Some(1))), (Met::Http(403), Met::Http(449)));
}

#[test]
fn an_account_only_wipe_is_for_those_who_know_it() {
    let mut rig = Rig::new(Version::V16_1, false);
    let key = rig.provisioned();
    rig.arrange(Arrangement::Wipe { account_only: true });
    assert_eq!(rig.folders(Some(key)), Met::Status(140));
    let told = rig.provision(&policy(rig.version, None, None));
    assert!(told.account_only_remote_wipe && !told.remote_wipe);
    rig.version = Version::V14_1;
    assert_eq!(rig.folders(Some(key)), Met::Served);
}

#[test]
fn an_unknown_policy_type_and_a_wrong_acknowledgement_are_told_so() {
    let mut rig = Rig::new(Version::V14_1, true);
    let mut request = policy(rig.version, None, None);
    request.device_information = Some(DeviceInformation::default());
    request.policies[0].policy_type = PolicyType::Wap;
    assert_eq!(rig.provision(&request).policies[0].status, Some(Status(3)));
    rig.fetch();
    let wrong = rig.provision(&policy(rig.version, Some(1), Some(1)));
    assert_eq!((wrong.policies[0].status, wrong.policies[0].policy_key), (Some(Status(5)), None));
}

#[test]
fn the_policy_is_handed_out_in_the_form_of_the_version() {
    for version in VERSIONS {
        let mut rig = Rig::new(version, true);
        rig.arrange(Arrangement::Policy(vec![("DevicePasswordEnabled".into(), "1".into())]));
        let mut request = policy(version, None, None);
        request.device_information = Some(DeviceInformation::default());
        let document = match rig.provision(&request).policies.remove(0).data.unwrap() {
            easrig_eas::command::provision::PolicyData::Wap(text) => {
                easrig_eas::policy::PolicyDocument::from_wap_xml(&text).unwrap()
            }
            easrig_eas::command::provision::PolicyData::Wbxml(settings) => {
                easrig_eas::policy::PolicyDocument::from_element(settings.root())
            }
        };
        assert_eq!(document.get(Setting::DevicePasswordEnabled), Some("1"), "{version}");
    }
}

#[test]
fn blocked_devices_and_devices_too_many_stay_out() {
    for (version, block, quarantine, limit) in [
        (Version::V12_1, Met::Http(403), Met::Http(403), Met::Http(403)),
        (Version::V14_1, Met::Status(129), Met::Status(130), Met::Status(177)),
    ] {
        let mut rig = Rig::new(version, false);
        rig.arrange(Arrangement::PartnershipLimit(0));
        assert_eq!(rig.folders(None), limit);
        rig.arrange(Arrangement::PartnershipLimit(1));
        let key = rig.provisioned();
        assert_eq!(rig.folders(Some(key)), Met::Served);
        rig.arrange(Arrangement::Quarantine);
        assert_eq!(rig.folders(Some(key)), quarantine);
        rig.arrange(Arrangement::Block);
        assert_eq!(rig.folders(Some(key)), block);
        rig.state.reset(&UserName::from("alice"));
        let key = rig.provisioned();
        assert_eq!(rig.folders(Some(key)), Met::Served);
    }
}

#[test]
fn a_throttle_in_band_ends_after_its_times() {
    let mut rig = Rig::new(Version::V14_1, false);
    let key = rig.provisioned();
    rig.arrange(Arrangement::Throttle { status: 111, retry_after: None, times: Some(2) });
    let met: Vec<Met> = (0..3).map(|_| rig.folders(Some(key))).collect();
    assert_eq!(met, [Met::Status(111), Met::Status(111), Met::Served]);
}

#[test]
fn without_a_policy_everybody_is_in_and_provision_says_so() {
    let mut rig = Rig::new(Version::V14_1, true);
    rig.state.site.policy = None;
    assert_eq!(rig.folders(None), Met::Served);
    let mut request = policy(rig.version, None, None);
    request.device_information = Some(DeviceInformation::default());
    assert_eq!(rig.provision(&request).policies[0].status, Some(Status(2)));
}
