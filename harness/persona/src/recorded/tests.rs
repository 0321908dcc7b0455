use std::sync::Arc;

use easrig_exchange::{
    Exchange, ExchangeNumber, Failure, Headers, Origin, Outcome, Request, Response, Sender, Times, Timestamp,
};
use easrig_wbxml::Document;

use super::{DeviceName, Onlooker, Sight, Sorter};
use crate::{Condition, Persona};

const ASKED: &str = r#"<Provision xmlns="Provision"><Policies><Policy><PolicyType>MS-EAS-Provisioning-WBXML</PolicyType></Policy></Policies></Provision>"#;

/// A policy that asks for encryption, as Exchange sends it.
const ENCRYPT: &str = r#"<Provision xmlns="Provision"><Status>1</Status><Policies><Policy><PolicyType>MS-EAS-Provisioning-WBXML</PolicyType><Status>1</Status><PolicyKey>111</PolicyKey><Data><EASProvisionDoc><RequireDeviceEncryption>1</RequireDeviceEncryption></EASProvisionDoc></Data></Policy></Policies></Provision>"#;

const WP: &str = "MSFT-WP/7.0.7390";

/// A request of a recorded Windows Phone.
fn request(number: u64, agent: &str, command: &str, body: &str) -> Exchange {
    let query = format!("Cmd={command}&User=u&DeviceId=0123456789abcdef0123456789abcdef&DeviceType=WP");
    let url = format!("https://mail.easrig.test/Microsoft-Server-ActiveSync?{query}").parse().unwrap();
    let headers: Headers =
        [("User-Agent", agent), ("MS-ASProtocolVersion", "14.0"), ("Authorization", "Basic [removed]")]
            .into_iter()
            .collect();
    Exchange {
        number: ExchangeNumber(number),
        origin: Origin::Imported,
        sender: Sender::default(),
        started: Timestamp(0),
        request: Request { method: "POST".to_owned(), url, headers, body: wbxml(body) },
        outcome: Outcome::Failed(Failure::Closed),
        times: Times::default(),
        tls: None,
    }
}

fn answered(mut exchange: Exchange, status: u16, body: &str) -> Exchange {
    let headers = [("Content-Type", "application/vnd.ms-sync.wbxml")].into_iter().collect();
    let reason = String::new();
    exchange.outcome = Outcome::Answered(Response { status, reason, headers, body: wbxml(body), cut: None });
    exchange
}

fn wbxml(xml: &str) -> Vec<u8> {
    if xml.is_empty() { Vec::new() } else { Document::from_xml(xml).unwrap().encode() }
}

fn onlooker() -> Onlooker {
    let personas = ["android-4", "wp7", "wp7.5", "ios-17"].map(|id| {
        let path = format!("{}/../../scenarios/personas/{id}.toml", env!("CARGO_MANIFEST_DIR"));
        Arc::new(Persona::parse(id, &std::fs::read_to_string(path).unwrap()).unwrap())
    });
    Onlooker::new(personas.to_vec())
}

fn seen(exchanges: &[Exchange]) -> Vec<Sight> {
    let mut onlooker = onlooker();
    let device = DeviceName::of(&exchanges[0]).unwrap();
    let mut sights: Vec<Sight> = exchanges.iter().filter_map(|one| onlooker.watch(&device, "", one)).collect();
    sights.extend(onlooker.finish().into_iter().map(|(_, sight)| sight));
    sights
}

fn codes(sights: &[Sight]) -> Vec<&str> {
    sights.iter().filter_map(|sight| sight.error.as_ref()).map(|error| error.code.as_str()).collect()
}

#[test]
fn a_policy_that_the_phone_cannot_apply_is_86000c2b_when_it_is_refused_again() {
    let challenged = |number| answered(request(number, WP, "FolderSync", ""), 449, "");
    let policy = answered(request(2, WP, "Provision", ASKED), 200, ENCRYPT);
    let sights = seen(&[challenged(1), policy.clone(), challenged(3)]);
    assert_eq!(codes(&sights), ["86000C2B"]);
    assert_eq!((sights[0].exchange.0, sights[0].because.as_slice()), (3, &[ExchangeNumber(2)][..]));
    assert_eq!((sights[0].persona.as_deref(), &sights[0].doubt), (Some("wp7"), &None));

    // A server that lets it in all the same (AllowNonProvisionableDevices) shows its owner nothing.
    let folders = r#"<FolderSync xmlns="FolderHierarchy"><Status>1</Status><SyncKey>1</SyncKey></FolderSync>"#;
    let served = answered(request(3, WP, "FolderSync", ""), 200, folders);
    assert_eq!(seen(&[challenged(1), policy.clone(), served]), []);

    // At the end of a recording it is likely, and said to be so.
    let sights = seen(&[challenged(1), policy]);
    assert_eq!((codes(&sights), sights[0].exchange.0), (vec!["86000C2B"], 2));
    assert!(sights[0].doubt.as_ref().unwrap().contains("ends before"), "{sights:?}");
}

#[test]
fn a_recording_that_is_not_whole_says_nothing() {
    assert_eq!(seen(&[request(1, WP, "FolderSync", "")]), []);
    let mut cut = answered(request(1, WP, "FolderSync", ""), 200, ENCRYPT);
    if let Outcome::Answered(response) = &mut cut.outcome {
        response.cut = Some("the rest is missing".to_owned());
    }
    assert_eq!(seen(&[cut]), []);
    let mut first_leg = answered(request(1, WP, "FolderSync", ""), 401, "");
    first_leg.request.headers = Headers::new();
    assert_eq!(seen(&[first_leg]), []);
}

#[test]
fn a_strange_device_is_not_guessed_at() {
    let mut refused = answered(request(1, "Nokia/1", "FolderSync", ""), 403, "");
    refused.request.url.set_query(Some("Cmd=FolderSync&User=u&DeviceId=abc&DeviceType=Nokia"));
    let sights = seen(&[refused]);
    assert_eq!((&sights[0].error, &sights[0].persona, &sights[0].condition), (&None, &None, &Condition::Http(403)));
    assert!(sights[0].doubt.as_ref().unwrap().starts_with("no persona fits DeviceType `Nokia`"), "{sights:?}");
}

#[test]
fn the_nearest_version_of_a_family_is_chosen() {
    let refused = |agent: &str| answered(request(1, agent, "FolderSync", ""), 403, "");
    assert_eq!(seen(&[refused("MSFT-WP/7.10.8107")])[0].persona.as_deref(), Some("wp7.5"));
    assert_eq!(seen(&[refused("MSFT-WP/7.0.7008")])[0].persona.as_deref(), Some("wp7"));
}

#[test]
fn a_request_without_a_name_belongs_to_the_device_of_its_user_agent() {
    let mut options = answered(request(1, WP, "", ""), 200, "");
    options.request.method = "OPTIONS".to_owned();
    options.request.url.set_query(None);
    let mut stranger = options.clone();
    stranger.request.headers = [("User-Agent", "other")].into_iter().collect();
    let mut sorter = Sorter::default();
    assert_eq!(sorter.push(options.clone()).len() + sorter.push(stranger).len(), 0);
    let named = request(3, WP, "FolderSync", "");
    let device = DeviceName::of(&named);
    let sorted = sorter.push(named);
    assert_eq!(sorted.iter().map(|(name, one)| (name, one.number.0)).collect::<Vec<_>>(), [(&device, 1), (&device, 3)]);
    assert_eq!(sorter.push(options).first().map(|(name, _)| name), Some(&device));
    assert_eq!(sorter.finish().first().map(|(name, _)| name), Some(&None));
}
