use easrig_eas::{Command, Version, query::QueryLine};
use easrig_refserver::{Arrangement, Policy, Switch};

use crate::phone::{FOLDERS, Phone, lenient, server, strict, text};

const TYPE: &str = "<PolicyType>MS-EAS-Provisioning-WBXML</PolicyType>";

async fn fetch(phone: &Phone) -> u32 {
    let xml = format!(
        "<Provision xmlns=\"Provision\"><DeviceInformation xmlns=\"Settings\"><Set><Model>x</Model></Set>\
         </DeviceInformation><Policies><Policy>{TYPE}</Policy></Policies></Provision>"
    );
    let answer = phone.say(Command::Provision, &xml).await;
    text(&answer, "PolicyKey").unwrap().parse().unwrap()
}

/// The final key.
async fn acknowledge(phone: &Phone, key: u32, status: u8) -> Option<u32> {
    let xml = format!(
        "<Provision xmlns=\"Provision\"><Policies><Policy>{TYPE}<PolicyKey>{key}</PolicyKey><Status>{status}</Status>\
         </Policy></Policies></Provision>"
    );
    let answer = phone.say(Command::Provision, &xml).await;
    text(&answer, "PolicyKey").map(|key| key.parse().unwrap())
}

/// What the first command meets: 449 before 14.0, the Status after.
fn refused(version: Version, status: &str) -> (u16, Option<String>) {
    if version < Version::V14_0 { (449, None) } else { (200, Some(status.to_owned())) }
}

fn served() -> (u16, Option<String>) {
    (200, Some("1".to_owned()))
}

#[tokio::test]
async fn the_table_of_who_is_let_in_holds_over_http() {
    for version in [Version::V12_1, Version::V14_1] {
        for is_strict in [true, false] {
            let server = server(if is_strict { strict } else { lenient }).await;
            let on = |device| Phone { version, device, ..Phone::alice(&server) };
            let rows =
                [("NOKEY", None, "141", "142"), ("ZERO", Some(0), "142", "142"), ("FOREIGN", Some(99), "144", "144")];
            for (device, policy_key, when_strict, when_lenient) in rows {
                let phone = Phone { policy_key, ..on(device) };
                let first = refused(version, if is_strict { when_strict } else { when_lenient });
                assert_eq!(phone.folders().await, first, "{version} {device}");
                let second = if is_strict { first } else { served() };
                assert_eq!(phone.folders().await, second, "{version} {device}");
            }
            let mut phone = on("TEMPORARY");
            phone.policy_key = Some(fetch(&phone).await);
            assert_eq!(phone.folders().await, refused(version, "144"), "{version}");
            for (device, status, keyed) in
                [("DONE", 1, true), ("PARTLY", 2, !is_strict), ("NOT", 3, !is_strict), ("ELSEWHERE", 4, false)]
            {
                let mut phone = on(device);
                let temporary = fetch(&phone).await;
                phone.policy_key = acknowledge(&phone, temporary, status).await;
                assert_eq!(phone.policy_key.is_some(), keyed, "{version} {device} {is_strict}");
                if keyed {
                    assert_eq!(phone.folders().await, served(), "{version} {device}");
                    let change = Arrangement::Policy(vec![("AllowCamera".into(), "0".into())]);
                    server.arrange("alice", None, change).unwrap();
                    assert_eq!(phone.folders().await, refused(version, "143"), "{version} {device}");
                    server.reset("alice");
                }
            }
        }
    }
}

#[tokio::test]
async fn the_key_counts_in_the_packed_request_line() {
    let server = server(strict).await;
    let phone = Phone::alice(&server);
    let temporary = fetch(&phone).await;
    let key = acknowledge(&phone, temporary, 1).await;
    let mut line = QueryLine::new(Command::FolderSync, "PHONE1", "Phone");
    line.version = Some(Version::V14_1);
    line.policy_key = key.map(easrig_eas::PolicyKey);
    let path = format!("/Microsoft-Server-ActiveSync?{}", line.to_base64().unwrap());
    let body = easrig_wbxml::Document::from_xml(FOLDERS).unwrap().encode();
    let answer = phone.http("POST", &path, &[("Content-Type", "application/vnd.ms-sync.wbxml")], &body).await;
    let xml = easrig_wbxml::Document::decode(&answer.body).unwrap().to_xml();
    assert_eq!(text(&xml, "Status").as_deref(), Some("1"));
}

#[tokio::test]
async fn an_open_server_says_449_in_every_version() {
    let server = server(|config| {
        strict(config);
        config.profile = "generic".parse().unwrap();
    })
    .await;
    assert_eq!(Phone::alice(&server).folders().await, (449, None));
}

#[tokio::test]
async fn a_policy_file_reaches_the_phone() {
    let policy = Policy::parse("p.toml", "[policy]\nRequireDeviceEncryption = true\n").unwrap();
    let server = server(|config| config.policy = Some(policy)).await;
    let phone = Phone::alice(&server);
    assert_eq!(phone.folders().await, (200, Some("141".into())), "a file without the switch is strict");
    let xml = format!(
        "<Provision xmlns=\"Provision\"><DeviceInformation xmlns=\"Settings\"><Set><Model>x</Model></Set>\
         </DeviceInformation><Policies><Policy>{TYPE}</Policy></Policies></Provision>"
    );
    let answer = phone.say(Command::Provision, &xml).await;
    assert_eq!(text(&answer, "RequireDeviceEncryption").as_deref(), Some("1"));
}

#[tokio::test]
async fn dishonest_counters_show() {
    let with = |switch: Switch| {
        server(move |config| {
            strict(config);
            config.switches.turn_on(switch);
        })
    };
    let lying = with(Switch::PolicyKeyZero).await;
    let phone = Phone::alice(&lying);
    let temporary = fetch(&phone).await;
    assert_eq!(acknowledge(&phone, temporary, 1).await, Some(0));
    let lying = with(Switch::PolicyKeyNotChecked).await;
    assert_eq!(Phone::alice(&lying).folders().await, served());
    let lying = with(Switch::PolicyRefreshNeverAsked).await;
    let mut phone = Phone::alice(&lying);
    let temporary = fetch(&phone).await;
    phone.policy_key = acknowledge(&phone, temporary, 1).await;
    lying.arrange("alice", None, Arrangement::ExpirePolicyKey).unwrap();
    assert_eq!(phone.folders().await, served());
    let lying = with(Switch::UnknownPolicyTypeAccepted).await;
    let xml = "<Provision xmlns=\"Provision\"><DeviceInformation xmlns=\"Settings\"><Set><Model>x</Model></Set>\
        </DeviceInformation><Policies><Policy><PolicyType>other</PolicyType></Policy></Policies></Provision>";
    assert!(Phone::alice(&lying).say(Command::Provision, xml).await.contains("<PolicyKey>"));
}
