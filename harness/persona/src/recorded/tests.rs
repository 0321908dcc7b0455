use std::sync::Arc;

use easrig_exchange::{
    Exchange, ExchangeNumber, Failure, Headers, Origin, Outcome, Request, Response, Sender, Times, Timestamp,
};
use easrig_wbxml::Document;

use super::{DeviceName, Onlooker, Sight, Sorter};
use crate::{Condition, Obeyed, Persona, Wipe};

const ASKED: &str = r#"<Provision xmlns="Provision"><Policies><Policy><PolicyType>MS-EAS-Provisioning-WBXML</PolicyType></Policy></Policies></Provision>"#;

/// A policy that asks for encryption, as Exchange sends it.
const ENCRYPT: &str = r#"<Provision xmlns="Provision"><Status>1</Status><Policies><Policy><PolicyType>MS-EAS-Provisioning-WBXML</PolicyType><Status>1</Status><PolicyKey>111</PolicyKey><Data><EASProvisionDoc><RequireDeviceEncryption>1</RequireDeviceEncryption></EASProvisionDoc></Data></Policy></Policies></Provision>"#;

const FOLDERS: &str = r#"<FolderSync xmlns="FolderHierarchy"><Status>1</Status><SyncKey>1</SyncKey></FolderSync>"#;

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
    let served = answered(request(3, WP, "FolderSync", ""), 200, FOLDERS);
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

const IPHONE: &str = "Apple-iPhone12C1/1501.99";

/// A request of Autodiscover, which names no device.
fn asked(number: u64, agent: &str, url: &str) -> Exchange {
    let mut exchange = request(number, agent, "", "");
    exchange.request.method = if url.starts_with("http:") { "GET" } else { "POST" }.to_owned();
    exchange.request.url = url.parse().unwrap();
    exchange.request.body = easrig_eas::autodiscover::PoxRequest::mobile_sync("bob@corp.test").to_string().into_bytes();
    exchange
}

fn said(mut exchange: Exchange, status: u16, headers: &[(&str, &str)], body: &str) -> Exchange {
    let headers = headers.iter().copied().collect();
    let body = body.as_bytes().to_vec();
    exchange.outcome = Outcome::Answered(Response { status, reason: String::new(), headers, body, cut: None });
    exchange
}

fn searched(exchanges: &[Exchange]) -> Vec<Sight> {
    let mut onlooker = onlooker();
    let watched = |one: &Exchange| {
        let device = DeviceName::of(one).or_else(|| DeviceName::of_agent(one)).unwrap();
        onlooker.watch(&device, "", one)
    };
    let mut sights: Vec<Sight> = exchanges.iter().filter_map(watched).collect();
    sights.extend(onlooker.finish().into_iter().map(|(_, sight)| sight));
    sights
}

const DOMAIN: &str = "https://corp.test/autodiscover/autodiscover.xml";
const SUBDOMAIN: &str = "https://autodiscover.corp.test/autodiscover/autodiscover.xml";
const PLAIN: &str = "http://autodiscover.corp.test/autodiscover/autodiscover.xml";

#[test]
fn a_search_that_found_no_server_anywhere_is_what_its_owner_sees() {
    let page = said(asked(1, WP, DOMAIN), 200, &[], "<html>a shop</html>");
    let error = easrig_eas::autodiscover::PoxResponse::framework_error(600, "Invalid Request").to_string();
    let refused = said(asked(2, WP, SUBDOMAIN), 200, &[], &error);
    let nothing = said(asked(3, WP, PLAIN), 404, &[], "");
    let sights = searched(&[page.clone(), refused.clone(), nothing.clone()]);
    assert_eq!(codes(&sights), ["80004005"]);
    assert_eq!((sights[0].condition.clone(), &sights[0].doubt), (Condition::AutodiscoverFailed, &None));
    assert_eq!((sights[0].exchange.0, sights[0].because.len()), (3, 2));
    assert_eq!(sights[0].persona.as_deref(), Some("wp7"));

    // The password tells more than an empty place.
    let wrong = said(asked(2, WP, SUBDOMAIN), 401, &[], "");
    assert_eq!(codes(&searched(&[page.clone(), wrong, nothing.clone()])), ["85010002"]);

    // A recording that began in the middle, or where a place did not answer at all, does not say it for sure.
    let sights = searched(&[refused.clone(), nothing.clone()]);
    assert!(sights[0].doubt.as_ref().unwrap().contains("https at the domain is missing"), "{sights:?}");
    let sights = searched(&[asked(1, WP, DOMAIN), refused, nothing.clone()]);
    assert!(sights[0].doubt.as_ref().unwrap().contains("not in the recording"), "{sights:?}");
    // No place that answered, no word.
    assert_eq!(searched(&[asked(1, WP, DOMAIN)]), []);

    // Whoever asks a server for something has one, from wherever.
    let served = answered(request(4, WP, "FolderSync", ""), 200, FOLDERS);
    let mut onlooker = onlooker();
    let device = DeviceName::of(&served).unwrap();
    for one in [page, nothing, served] {
        assert_eq!(onlooker.watch(&device, "", &one), None);
    }
    assert_eq!(onlooker.finish(), []);
}

#[test]
fn redirects_are_followed_to_their_end() {
    let to = |number, from: &str, to: &str| said(asked(number, IPHONE, from), 302, &[("Location", to)], "");
    let other = "https://other.test/autodiscover/autodiscover.xml";
    let nothing = said(asked(9, IPHONE, SUBDOMAIN), 404, &[], "");
    // In a circle, to a place that has nothing, and to one that the recording does not hold.
    let sights = searched(&[to(1, DOMAIN, other), to(2, other, DOMAIN), nothing.clone()]);
    assert_eq!((&sights[0].condition, &sights[0].doubt), (&Condition::AutodiscoverFailed, &None));
    let sights = searched(&[to(1, DOMAIN, other), said(asked(2, IPHONE, other), 401, &[], ""), nothing.clone()]);
    assert_eq!(sights[0].condition, Condition::Http(401));
    let sights = searched(&[to(1, DOMAIN, other), nothing.clone()]);
    assert!(sights[0].doubt.as_ref().unwrap().contains("`other.test`, which is not in the recording"), "{sights:?}");
    let found = easrig_eas::autodiscover::PoxResponse::mobile_sync("b", "b", "https://eas.test/x").to_string();
    assert_eq!(searched(&[to(1, DOMAIN, other), said(asked(2, IPHONE, other), 200, &[], &found)]), []);

    // Two addresses that point at each other.
    let address = |number, from: &str, to: &str| {
        let mut one = asked(number, IPHONE, DOMAIN);
        one.request.body = easrig_eas::autodiscover::PoxRequest::mobile_sync(from).to_string().into_bytes();
        let action = easrig_eas::autodiscover::PoxAction::Redirect(to.to_owned());
        let body = easrig_eas::autodiscover::PoxResponse { action, ..Default::default() }.to_string();
        said(one, 200, &[], &body)
    };
    let sights = searched(&[address(1, "a@a.test", "b@b.test"), address(2, "b@b.test", "a@a.test")]);
    assert_eq!(sights[0].condition, Condition::TooManyRedirects);
}

#[test]
fn a_password_that_was_asked_for_first_is_no_failure() {
    let mut first = said(asked(1, IPHONE, DOMAIN), 401, &[], "");
    first.request.headers = [("User-Agent", IPHONE)].into_iter().collect();
    let nothing = said(asked(3, IPHONE, SUBDOMAIN), 404, &[], "");
    let sights = searched(&[first.clone(), said(asked(2, IPHONE, DOMAIN), 404, &[], ""), nothing.clone()]);
    assert_eq!((&sights[0].condition, &sights[0].doubt), (&Condition::AutodiscoverFailed, &None));
    let sights = searched(&[first, nothing]);
    assert!(sights[0].doubt.as_ref().unwrap().contains("asked to sign in"), "{sights:?}");
}

#[test]
fn a_certificate_that_was_rejected_counts_where_the_recording_shows_it() {
    let rejected = |number, url: &str| {
        let mut one = asked(number, WP, url);
        one.origin = Origin::Live;
        let kind = easrig_exchange::TlsFailure::UnknownIssuer;
        one.outcome = Outcome::Failed(Failure::Tls { host: "corp.test".to_owned(), kind });
        one
    };
    let nothing = said(asked(3, WP, PLAIN), 404, &[], "");
    assert_eq!(codes(&searched(&[rejected(1, DOMAIN), rejected(2, SUBDOMAIN), nothing])), ["80072F0D"]);
}

#[test]
fn the_document_of_another_program_is_no_search_of_a_phone() {
    let mut outlook = said(asked(1, WP, DOMAIN), 404, &[], "");
    let body = String::from_utf8(outlook.request.body.clone()).unwrap();
    outlook.request.body = body.replace("mobilesync/responseschema", "outlook/responseschema").into_bytes();
    assert_eq!(searched(&[outlook]), []);
}

#[test]
fn a_wipe_costs_the_owner_what_the_device_holds() {
    const ORDER: &str = r#"<Provision xmlns="Provision"><Status>1</Status><RemoteWipe/></Provision>"#;
    const DONE: &str = r#"<Provision xmlns="Provision"><RemoteWipe><Status>1</Status></RemoteWipe></Provision>"#;
    const SERVED: &str = r#"<Provision xmlns="Provision"><Status>1</Status></Provision>"#;
    let order = answered(request(1, WP, "Provision", ASKED), 200, ORDER);
    let sights = seen(std::slice::from_ref(&order));
    assert_eq!(sights[0].condition, Condition::Wipe(Wipe::Device, Obeyed::NotYet));
    assert!(sights[0].condition.to_string().contains("has not acknowledged"));
    let done = answered(request(2, WP, "Provision", DONE), 200, SERVED);
    let sights = seen(&[order.clone(), done]);
    assert_eq!((sights.len(), sights[1].because.as_slice()), (2, &[ExchangeNumber(1)][..]));
    assert_eq!(sights[1].error.as_ref().unwrap().message, "Everything on the device was deleted.");
    // Whatever the device is: it is the server that decides.
    let mut strange = order;
    strange.request.headers = [("User-Agent", "Nokia/1")].into_iter().collect();
    strange.request.url.set_query(Some("Cmd=Provision&User=u&DeviceId=abc&DeviceType=Nokia"));
    let sights = seen(&[strange]);
    assert!(sights[0].persona.is_none() && sights[0].error.is_some() && sights[0].doubt.is_none(), "{sights:?}");
}

#[test]
fn the_mail_about_quarantine_counts_for_the_device_that_it_names() {
    let mail = |id: &str| {
        let text = format!("Access over Exchange ActiveSync waits: the device is in quarantine. Device ID: {id}");
        let body = format!(r#"<Body xmlns="AirSyncBase"><Type>1</Type><Data>{text}</Data></Body>"#);
        let item = format!("<Add><ServerId>1:1</ServerId><ApplicationData>{body}</ApplicationData></Add>");
        let folder = format!("<Collection><SyncKey>2</SyncKey><Commands>{item}</Commands></Collection>");
        let sync = format!(r#"<Sync xmlns="AirSync"><Collections>{folder}</Collections></Sync>"#);
        seen(&[answered(request(1, WP, "Sync", ""), 200, &sync)])
    };
    let sights = mail("0123456789ABCDEF0123456789ABCDEF");
    assert_eq!((sights[0].condition.clone(), &sights[0].doubt), (Condition::Quarantined, &None));
    assert!(sights[0].error.as_ref().unwrap().remedy.contains("ActiveSyncAllowedDeviceIDs"));
    // Its owner's other device reads it as well, and is let in.
    assert_eq!(mail("FEDCBA98765432100123456789ABCDEF"), []);
}

#[test]
fn an_account_that_is_shut_out_is_seen_by_its_owner() {
    let status = |number: u16| {
        let body = format!(r#"<FolderSync xmlns="FolderHierarchy"><Status>{number}</Status></FolderSync>"#);
        codes(&seen(&[answered(request(1, WP, "FolderSync", ""), 200, &body)])).join(" ")
    };
    assert_eq!([126, 127, 128, 129, 130].map(status), ["86000C19", "86000C1A", "86000C1B", "86000C1C", "86000C1D"]);
    let sights = seen(&[answered(request(1, WP, "FolderSync", ""), 403, "")]);
    assert_eq!((codes(&sights), &sights[0].doubt), (vec!["85010004"], &None));
}
