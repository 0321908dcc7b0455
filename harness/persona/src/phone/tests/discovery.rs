use super::rig::*;

/// A phone that has to find its server.
fn lost(persona: &str) -> Table {
    let mut table = Table::new(persona, Version::V14_1);
    let setup = Setup {
        server: Server::Discover { address: "alice@easrig.test".to_owned() },
        ..memory::lock(&table.phone.core).setup.clone()
    };
    table.phone = Phone::new(setup);
    table
}

#[test]
fn a_phone_finds_its_server_by_the_address() {
    let mut table = lost("ios-17");
    table.begin(Habit::Discover);
    let first = table.sent_raw();
    assert_eq!(first.request.url.as_str(), "https://easrig.test/autodiscover/autodiscover.xml");
    assert!(first.request.headers.get("Authorization").is_some());
    table.reply(&first, 404, Vec::new());
    let second = table.sent_raw();
    assert_eq!(second.request.url.host_str(), Some("autodiscover.easrig.test"));
    let said = easrig_eas::autodiscover::PoxResponse::mobile_sync(
        "alice@easrig.test",
        "Alice",
        " https://eas.easrig.test/Microsoft-Server-ActiveSync ",
    );
    table.reply(&second, 200, said.to_string().into_bytes());
    assert_eq!(table.ended().end, End::Finished);
    assert_eq!(table.phone.endpoint().unwrap().as_str(), "https://eas.easrig.test/Microsoft-Server-ActiveSync");
}

#[test]
fn no_password_goes_over_plain_http_while_a_server_is_looked_for() {
    let mut table = lost("blackberry-10");
    table.begin(Habit::Discover);
    for _ in 0..2 {
        let sent = table.sent_raw();
        table.step(Input::Failed(sent.id, Failure::Closed));
    }
    let plain = table.sent_raw();
    assert_eq!((plain.request.method.as_str(), plain.request.url.scheme()), ("GET", "http"));
    assert_eq!(plain.request.headers.get("Authorization"), None);
    table.reply_with(&plain, 302, Headers::from_iter([("Location", "http://other.easrig.test/")]), Vec::new());
    let Some(Output::LookUpSrv { id, domain }) = table.outputs.pop_front() else { panic!("no look-up") };
    assert_eq!(domain, "easrig.test");
    let target = crate::SrvTarget { priority: 0, weight: 0, port: 443, host: "srv.easrig.test".to_owned() };
    table.step(Input::SrvFound(id, vec![target]));
    let by_name = table.sent_raw();
    assert_eq!(by_name.request.url.host_str(), Some("srv.easrig.test"));
    table.reply(&by_name, 401, Vec::new());
    assert!(matches!(table.ended().end, End::OwnerSees(_)));
}

#[test]
fn two_addresses_that_point_at_each_other_are_not_followed_for_ever() {
    let mut table = lost("ios-11");
    table.begin(Habit::Discover);
    for (from, to) in [("alice@easrig.test", "a@b.test"), ("a@b.test", "alice@easrig.test")] {
        let sent = table.sent_raw();
        assert!(String::from_utf8_lossy(&sent.request.body).contains(from));
        let said = easrig_eas::autodiscover::PoxResponse {
            action: easrig_eas::autodiscover::PoxAction::Redirect(to.to_owned()),
            ..Default::default()
        };
        table.reply(&sent, 200, said.to_string().into_bytes());
    }
    assert!(!matches!(table.ended().end, End::Finished));
}
