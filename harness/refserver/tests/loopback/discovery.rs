use easrig_eas::autodiscover::{
    INVALID_REQUEST, JsonAnswer, JsonForm, JsonRequest, NO_PROVIDER, PoxAction, PoxRequest, PoxResponse,
    RESPONSE_SCHEMA,
};
use easrig_refserver::{Arrangement, Switch};

use crate::phone::{Phone, server};

async fn ask(phone: &Phone, path: &str, body: &str) -> PoxResponse {
    let answer = phone.http("POST", path, &[("Content-Type", "text/xml")], body.as_bytes()).await;
    assert_eq!(answer.status, 200);
    PoxResponse::parse(&answer.body).unwrap()
}

#[tokio::test]
async fn the_xml_form_names_the_endpoint_in_any_letter_case() {
    let server = server(|_| {}).await;
    let phone = Phone::alice(&server);
    let request = PoxRequest::mobile_sync("Alice@easrig.test").to_string();
    let endpoint = format!("{}/Microsoft-Server-ActiveSync", server.url());
    for (path, body) in [("/autodiscover/autodiscover.xml", request.as_str()), ("/Autodiscover/AutoDiscover.XML", "")] {
        let answer = ask(&phone, path, body).await;
        assert_eq!(answer.mobile_sync_url(), Some(endpoint.as_str()));
        assert_eq!(answer.email.as_deref(), Some("alice@easrig.test"));
        assert!(answer.oddities.is_empty(), "{:?}", answer.oddities);
    }
    server.arrange("alice", None, Arrangement::Moved).unwrap();
    let moved = ask(&phone, "/autodiscover/autodiscover.xml", "").await;
    assert!(moved.mobile_sync_url().unwrap().contains("/moved/"));
    let stranger = Phone { authorization: None, ..phone };
    assert_eq!(stranger.http("POST", "/autodiscover/autodiscover.xml", &[], b"").await.status, 401);
}

#[tokio::test]
async fn requests_that_cannot_be_served_have_their_codes() {
    let server =
        server(|config| drop(config.redirects.insert("Old@easrig.test".into(), "alice@easrig.test".into()))).await;
    let phone = Phone::alice(&server);
    let path = "/autodiscover/autodiscover.xml";
    let code = |answer: PoxResponse| match answer.action {
        PoxAction::Framework(error) => error.error_code,
        _ => None,
    };
    let good = PoxRequest::mobile_sync("alice@easrig.test").to_string();
    assert_eq!(code(ask(&phone, path, "<Autodiscover/>").await), Some(INVALID_REQUEST));
    assert_eq!(code(ask(&phone, path, &good.replace(RESPONSE_SCHEMA, "urn:other")).await), Some(NO_PROVIDER));
    let moved_on = ask(&phone, path, &good.replace("alice@", "old@")).await;
    assert_eq!(moved_on.action, PoxAction::Redirect("alice@easrig.test".into()));
    let other = ask(&phone, path, &good.replace("alice@", "bob@")).await;
    assert!(matches!(other.action, PoxAction::Error(_)), "alice learns nothing about bob");
}

#[tokio::test]
async fn the_json_form_needs_no_password() {
    let server = server(|_| {}).await;
    let phone = Phone { authorization: None, ..Phone::alice(&server) };
    let endpoint = format!("{}/Microsoft-Server-ActiveSync", server.url());
    let request = JsonRequest::active_sync("alice@easrig.test");
    for form in [JsonForm::Query, JsonForm::Path] {
        let answer = phone.http("GET", &request.path_and_query(form), &[], b"").await;
        let found = JsonAnswer::Found { protocol: "ActiveSync".into(), url: endpoint.clone() };
        assert_eq!(JsonAnswer::parse(&answer.body), Ok(found));
    }
    let odd = JsonRequest { protocol: "Telex".into(), ..request };
    let answer = phone.http("GET", &odd.path_and_query(JsonForm::Query), &[], b"").await;
    assert_eq!(answer.status, 400);
    assert!(
        matches!(JsonAnswer::parse(&answer.body), Ok(JsonAnswer::Refused { code, .. }) if code == "InvalidProtocol")
    );
}

#[tokio::test]
async fn an_old_product_has_no_json_form() {
    let server = server(|config| config.profile = "exchange-2010-sp1".parse().unwrap()).await;
    let path = JsonRequest::active_sync("alice@easrig.test").path_and_query(JsonForm::Query);
    assert_eq!(Phone::alice(&server).http("GET", &path, &[], b"").await.status, 404);
}

#[tokio::test]
async fn dishonest_documents_show() {
    let path = "/autodiscover/autodiscover.xml";
    let lying = server(|config| config.switches.turn_on(Switch::AutodiscoverWrongNamespace)).await;
    assert!(!ask(&Phone::alice(&lying), path, "").await.oddities.is_empty());
    let lying = server(|config| config.switches.turn_on(Switch::AutodiscoverHttpUrl)).await;
    assert!(ask(&Phone::alice(&lying), path, "").await.mobile_sync_url().unwrap().starts_with("http://"));
}
