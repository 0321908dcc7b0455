//! The hellos that ask for TLS versions, against servers that agree, refuse, or are no TLS servers.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use easrig_exchange::{OfferAnswer, TlsOffer, TlsVersion};
use easrig_transport::{Act, Authority, BadServer, ServerTls, Validity, tls_offers};

const PATIENCE: Duration = Duration::from_secs(10);

fn certified(floor: TlsVersion) -> ServerTls {
    let tls = Authority::new().unwrap().certify(&["mail.easrig.test"], Validity::Current).unwrap();
    tls.with_floor(floor).unwrap()
}

async fn asked(address: SocketAddr) -> Vec<TlsOffer> {
    tls_offers(&[address], "mail.easrig.test", PATIENCE).await
}

async fn against(acts: Vec<Act>, patience: Duration) -> Vec<(OfferAnswer, String)> {
    let server = BadServer::start(acts).await.unwrap();
    let offers = tls_offers(&[server.address()], "mail.easrig.test", patience).await;
    offers.into_iter().map(|offer| (offer.answer, offer.how)).collect()
}

fn accepted(offers: &[TlsOffer]) -> Vec<&'static str> {
    let accepted = offers.iter().filter(|offer| offer.answer == OfferAnswer::Accepted);
    accepted.map(|offer| offer.version.name()).collect()
}

#[tokio::test]
async fn a_server_of_today_takes_what_is_of_today_and_refuses_the_rest() {
    let server = BadServer::start_tls(vec![Act::Hang], certified(TlsVersion::V1_2)).await.unwrap();
    let offers = asked(server.address()).await;
    assert_eq!(accepted(&offers), ["TLSv1.2", "TLSv1.3"], "{offers:?}");
    assert!(offers[..2].iter().all(|offer| offer.answer == OfferAnswer::Refused), "{offers:?}");
}

#[tokio::test]
async fn a_server_with_a_floor_refuses_what_lies_below() {
    let server = BadServer::start_tls(vec![Act::Hang], certified(TlsVersion::V1_3)).await.unwrap();
    let offers = asked(server.address()).await;
    assert_eq!(accepted(&offers), ["TLSv1.3"], "{offers:?}");
    assert!(offers[2].how.starts_with("alert "), "{offers:?}");
}

#[tokio::test]
async fn what_is_no_answer_is_unclear_and_has_a_name() {
    let all = |answers: Vec<(OfferAnswer, String)>| {
        assert!(answers.iter().all(|answer| answer == &answers[0]), "{answers:?}");
        answers[0].clone()
    };
    let unclear = |how: &str| (OfferAnswer::Unclear, how.to_owned());
    let http = vec![Act::Send(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())];
    assert_eq!(all(against(http, PATIENCE).await), unclear("what came is not TLS"));
    let reset = vec![Act::Wait(Duration::from_millis(20)), Act::Reset];
    assert_eq!(all(against(reset, PATIENCE).await), unclear("closed the connection at the hello"));
    let endless = vec![Act::Repeat([22, 3, 3, 0x40, 0].into_iter().chain([0xEE; 0x4000]).collect())];
    assert_eq!(all(against(endless, PATIENCE).await).0, OfferAnswer::Unclear);
    let silent = against(vec![Act::Hang], Duration::from_millis(100)).await;
    assert_eq!(all(silent), unclear("no answer to the hello within 1 s"));
    let failure = against(vec![Act::Send(vec![21, 3, 1, 0, 2, 2, 40])], PATIENCE).await;
    assert_eq!(all(failure), (OfferAnswer::Refused, "alert 40 (handshake_failure)".to_owned()));
}

/// A real server with the versions that no library of ours speaks.
#[tokio::test]
#[ignore = "needs openssl: `just foreign`"]
async fn openssl_is_found_to_take_what_it_was_told_to() {
    let rows: [(&[&str], &[&str]); 3] = [
        (&["-tls1"], &["TLSv1.0"]),
        (&["-no_tls1", "-no_tls1_2", "-no_tls1_3"], &["TLSv1.1"]),
        (&[], &["TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"]),
    ];
    for (options, expected) in rows {
        let server = OpenSsl::start(options);
        let offers = asked(server.address).await;
        assert_eq!(accepted(&offers), expected, "{options:?}: {offers:?}");
    }
}

/// Above its lowest security level OpenSSL 3 names TLS 1.0 in its hello and then cannot sign in it.
#[tokio::test]
async fn a_server_that_names_a_version_and_breaks_off_does_not_take_it() {
    let hello = [vec![22, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1], vec![7; 32], vec![0, 0xC0, 0x13, 0]].concat();
    let answers = against(vec![Act::Send(hello), Act::Send(vec![21, 3, 1, 0, 2, 2, 80])], PATIENCE).await;
    assert_eq!(answers[0], (OfferAnswer::Unclear, "alert 80 (internal_error)".to_owned()));
    assert_eq!(answers[2], (OfferAnswer::Refused, "chose TLS 1.0 instead".to_owned()));
}

/// `openssl s_server`, with every cipher suite it has; ended with the test.
struct OpenSsl {
    child: Child,
    address: SocketAddr,
    _files: tempfile::TempDir,
}

impl OpenSsl {
    fn start(options: &[&str]) -> Self {
        let files = tempfile::tempdir().unwrap();
        let [key, certificate] = ["key.pem", "certificate.pem"].map(|name| files.path().join(name));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=mail.easrig.test"])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .stderr(Stdio::null())
            .status();
        assert!(made.unwrap().success());
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", &free.to_string(), "-cipher", "ALL:@SECLEVEL=0"])
            .args(options)
            .arg("-key")
            .arg(&key)
            .arg("-cert")
            .arg(&certificate)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().starts_with("ACCEPT")), "openssl does not listen");
        // What it says of its connections must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address: free, _files: files }
    }
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        if let Some(mut input) = self.child.stdin.take() {
            let _ = input.write_all(b"Q\n");
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
