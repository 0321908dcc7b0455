use easrig_eas::{Version, encoding::gunzip, headers::bearer, query::QueryLine};
use easrig_refserver::{Arrangement, Switch};

use crate::phone::{FOLDERS, Phone, server};

fn folders() -> Vec<u8> {
    easrig_wbxml::Document::from_xml(FOLDERS).unwrap().encode()
}

#[tokio::test]
async fn options_offers_what_the_profile_says() {
    let server = server(|config| config.profile = "exchange-2010-sp1".parse().unwrap()).await;
    let answer = Phone::alice(&server).options().await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers.get("MS-ASProtocolVersions"), Some("2.5,12.0,12.1,14.0,14.1"));
    assert_eq!(answer.headers.get("Server"), Some("Microsoft-IIS/7.5"));
    let commands = answer.headers.get("MS-ASProtocolCommands").unwrap();
    assert!(commands.contains("Provision") && !commands.contains("Find"));
    server.stop().await;
}

#[tokio::test]
async fn who_proves_nothing_is_told_how() {
    let server = server(|_| {}).await;
    for authorization in [None, Some("Bearer".to_owned()), Some("Basic YWxpY2U6d3Jvbmc=".to_owned())] {
        let phone = Phone { authorization, ..Phone::alice(&server) };
        for answer in [phone.options().await, phone.post("FolderSync", &folders()).await] {
            assert_eq!(answer.status, 401);
            let ways: Vec<&str> = answer.headers.all("WWW-Authenticate").collect();
            assert!(ways[0].starts_with("Bearer client_id=") && ways[1].starts_with("Basic realm="), "{ways:?}");
        }
    }
}

#[tokio::test]
async fn the_online_service_takes_tokens_and_one_version_only() {
    let server = server(|config| config.profile = "exchange-online".parse().unwrap()).await;
    let mut phone = Phone::alice(&server);
    let answer = phone.options().await;
    assert_eq!((answer.status, answer.headers.all("WWW-Authenticate").count()), (401, 1));
    phone.authorization = Some(bearer("wonderland"));
    assert_eq!(phone.options().await.headers.get("MS-ASProtocolVersions"), Some("16.1"));
    assert_eq!(phone.folders().await, (200, Some("138".into())));
    phone.version = Version::V12_1;
    assert_eq!(phone.folders().await, (400, None));
    phone.version = Version::V16_1;
    assert_eq!(phone.folders().await, (200, Some("1".into())));
}

#[tokio::test]
async fn an_account_without_basic_is_sent_to_tokens() {
    let server = server(|_| {}).await;
    let phone = Phone::alice(&server);
    server.arrange("alice", None, Arrangement::BasicBlocked).unwrap();
    assert_eq!(phone.folders().await.0, 401);
    assert_eq!(Phone::of(&server, "bob", "builder").folders().await.0, 200, "bob notices nothing");
    server.reset("alice");
    assert_eq!(phone.folders().await.0, 200);
}

#[tokio::test]
async fn path_and_query_come_in_any_form() {
    let server = server(|_| {}).await;
    let mut phone = Phone::alice(&server);
    phone.path = "/MICROSOFT-server-activesync";
    assert_eq!(phone.folders().await, (200, Some("1".into())));
    let mut line = QueryLine::new(easrig_eas::Command::FolderSync, "PHONE1", "Phone");
    line.version = Some(Version::V14_1);
    let path = format!("/Microsoft-Server-ActiveSync?{}", line.to_base64().unwrap());
    let answer = phone.http("POST", &path, &[("Content-Type", "application/vnd.ms-sync")], &folders()).await;
    assert_eq!(answer.status, 200);
    assert!(answer.headers.get("MS-ASProtocolVersions").is_some(), "told again with the first folder list");
    assert_eq!(phone.http("POST", "/owa", &[], b"").await.status, 404);
    assert_eq!(phone.http("GET", "/Microsoft-Server-ActiveSync", &[], b"").await.status, 405);
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_in_the_way_of_the_version() {
    let server = server(|_| {}).await;
    let mut phone = Phone::alice(&server);
    for (version, junk, wrong_type) in
        [(Version::V14_1, (200, "102"), (200, "101")), (Version::V12_1, (400, ""), (400, ""))]
    {
        phone.version = version;
        let answer = phone.post("FolderSync", b"\x03\x01\x6a\x00junk").await;
        assert_eq!(told(&answer), (junk.0, junk.1.to_owned()), "{version}");
        let text = version.to_string();
        let headers = [("MS-ASProtocolVersion", text.as_str()), ("Content-Type", "text/plain")];
        let path = "/Microsoft-Server-ActiveSync?Cmd=FolderSync&User=alice&DeviceId=PHONE1&DeviceType=Phone";
        let answer = phone.http("POST", path, &headers, &folders()).await;
        assert_eq!(told(&answer), (wrong_type.0, wrong_type.1.to_owned()), "{version}");
        assert_eq!(phone.post("GetHierarchy", b"").await.status, 501);
    }
    assert_eq!(phone.http("POST", "/Microsoft-Server-ActiveSync", &[], b"").await.status, 400);
}

fn told(answer: &easrig_exchange::Response) -> (u16, String) {
    let document = easrig_wbxml::Document::decode(&answer.body).ok();
    let status = document.and_then(|document| crate::phone::text(&document.to_xml(), "Status"));
    (answer.status, status.unwrap_or_default())
}

#[tokio::test]
async fn answers_are_packed_for_those_who_can_unpack() {
    let server = server(|_| {}).await;
    let phone = Phone::alice(&server);
    let headers = [
        ("MS-ASProtocolVersion", "14.1"),
        ("Content-Type", "application/vnd.ms-sync.wbxml"),
        ("Accept-Encoding", "deflate, gzip"),
    ];
    let path = "/Microsoft-Server-ActiveSync?Cmd=FolderSync&User=alice&DeviceId=PHONE1&DeviceType=Phone";
    let answer = phone.http("POST", path, &headers, &folders()).await;
    assert_eq!(answer.headers.get("Content-Encoding"), Some("gzip"));
    assert!(easrig_wbxml::Document::decode(&gunzip(&answer.body, 1 << 20).unwrap()).is_ok());
}

#[tokio::test]
async fn a_busy_server_says_when_to_come_back() {
    let server = server(|_| {}).await;
    let phone = Phone::alice(&server);
    let busy = Arrangement::Throttle { status: 503, retry_after: Some(7), times: Some(1) };
    server.arrange("alice", None, busy).unwrap();
    let answer = phone.options().await;
    assert_eq!((answer.status, answer.headers.get("Retry-After")), (503, Some("7")));
    assert_eq!(phone.options().await.status, 200);
}

#[tokio::test]
async fn a_moved_mailbox_is_at_the_address_it_names() {
    let server = server(|_| {}).await;
    let mut phone = Phone::alice(&server);
    server.arrange("alice", None, Arrangement::Moved).unwrap();
    let answer = phone.options().await;
    let location = answer.headers.get("X-MS-Location").unwrap();
    assert_eq!(
        (answer.status, location),
        (451, format!("{}/moved/Microsoft-Server-ActiveSync", server.url()).as_str())
    );
    phone.path = "/moved/Microsoft-Server-ActiveSync";
    assert_eq!(phone.folders().await, (200, Some("1".into())));
}

#[tokio::test]
async fn a_changed_password_ends_the_old_one_until_it_is_taken_back() {
    let server = server(|_| {}).await;
    let phone = Phone::alice(&server);
    server.arrange("alice", None, Arrangement::Password(easrig_exchange::Secret::new("looking-glass"))).unwrap();
    assert_eq!(phone.options().await.status, 401);
    assert_eq!(Phone::of(&server, "alice", "looking-glass").options().await.status, 200);
    server.reset("alice");
    assert_eq!(phone.options().await.status, 200);
}

#[tokio::test]
async fn each_dishonest_front_shows() {
    let with = |switch: Switch| server(move |config| config.switches.turn_on(switch));
    let lying = with(Switch::OptionsVersionsOverstated).await;
    assert!(Phone::alice(&lying).options().await.headers.get("MS-ASProtocolVersions").unwrap().ends_with("17.0"));
    let lying = with(Switch::OptionsCommandMissing).await;
    assert!(!Phone::alice(&lying).options().await.headers.get("MS-ASProtocolCommands").unwrap().contains("FolderSync"));
    let lying = with(Switch::WrongContentType).await;
    let answer = Phone::alice(&lying).post("FolderSync", &folders()).await;
    assert_eq!(answer.headers.get("Content-Type"), Some("text/html"));
    let lying = with(Switch::HtmlErrorPage).await;
    assert_eq!(Phone::of(&lying, "alice", "wrong").options().await.status, 200);
    let lying = with(Switch::PasswordNotChecked).await;
    assert_eq!(Phone::of(&lying, "alice", "wrong").folders().await, (200, Some("1".into())));
}
