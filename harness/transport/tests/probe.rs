//! The handshake probe against servers that agree, refuse, or are no TLS servers.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use easrig_transport::{Act, Authority, BadServer, HelloSpec, ProbeFailure, ProbeSeen, Validity, probe};

const PATIENCE: Duration = Duration::from_secs(5);

fn modern() -> HelloSpec {
    HelloSpec { legacy_version: 0x0303, suites: vec![0xC02B], sig_algs: vec![0x0403], groups: vec![0x0017], sni: true }
}

fn of_2010() -> HelloSpec {
    let suites = vec![0x002F, 0x0035, 0x0005, 0x000A];
    HelloSpec { legacy_version: 0x0301, suites, sig_algs: Vec::new(), groups: Vec::new(), sni: false }
}

async fn against(acts: Vec<Act>) -> Result<ProbeSeen, ProbeFailure> {
    let server = BadServer::start(acts).await.unwrap();
    probe(server.address(), "mail.easrig.test", &modern(), PATIENCE).await
}

#[tokio::test]
async fn a_server_that_agrees_shows_its_chain() {
    let tls = Authority::new().unwrap().certify(&["mail.easrig.test"], Validity::Current).unwrap();
    let chain: Vec<Vec<u8>> = tls.chain().iter().map(|certificate| certificate.to_vec()).collect();
    let server = BadServer::start_tls(vec![Act::Hang], tls).await.unwrap();
    let seen = probe(server.address(), "mail.easrig.test", &modern(), PATIENCE).await;
    assert_eq!(seen, Ok(ProbeSeen { version: 0x0303, suite: 0xC02B, chain }));
}

#[tokio::test]
async fn a_server_of_today_refuses_a_phone_of_2010() {
    let tls = Authority::new().unwrap().certify(&["mail.easrig.test"], Validity::Current).unwrap();
    let server = BadServer::start_tls(vec![Act::Hang], tls).await.unwrap();
    let refused = probe(server.address(), "mail.easrig.test", &of_2010(), PATIENCE).await;
    // Which of the two depends on what the server looks at first.
    assert!(matches!(refused, Err(ProbeFailure::Alert { number: 40 | 70 })), "{refused:?}");
}

#[tokio::test]
async fn what_is_no_answer_has_a_name() {
    assert_eq!(against(vec![Act::Send(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())]).await, Err(ProbeFailure::NotTls));
    assert_eq!(against(vec![Act::Send(vec![21, 3, 1, 0, 2, 2, 40])]).await, Err(ProbeFailure::Alert { number: 40 }));
    assert_eq!(against(vec![Act::Wait(Duration::from_millis(20)), Act::Reset]).await, Err(ProbeFailure::Closed));
    let endless = vec![Act::Repeat([22, 3, 3, 0x40, 0].into_iter().chain([0xEE; 0x4000]).collect())];
    assert!(matches!(against(endless).await, Err(ProbeFailure::Malformed(_))));
    let server = BadServer::start(vec![Act::Hang]).await.unwrap();
    let silent = probe(server.address(), "h", &modern(), Duration::from_millis(100)).await;
    assert_eq!(silent, Err(ProbeFailure::Timeout { seconds: 1 }));
}
