use std::net::Ipv4Addr;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

use super::*;

#[test]
fn a_resolve_entry_is_read_and_a_wrong_one_says_why() {
    let entry: Resolve = "Mail.example.com:443=[::1]:8443".parse().unwrap();
    assert_eq!((entry.host.as_str(), entry.port, entry.addr.port()), ("mail.example.com", 443, 8443));
    let wrong = [
        ("mail:443", "no `=`"),
        ("mail=1.2.3.4:5", "no port"),
        ("mail:443=host:5", "numeric"),
        (":443=1.2.3.4:5", "empty"),
        ("mail:x=1.2.3.4:5", "number"),
    ];
    for (text, why) in wrong {
        assert!(text.parse::<Resolve>().unwrap_err().to_string().contains(why), "{text}");
    }
}

#[tokio::test]
async fn without_the_system_only_the_tables_answer() {
    let names = Names {
        table: vec!["a.test:443=127.0.0.1:1".parse().unwrap()],
        srv: [(20, 0), (10, 1), (10, 9)]
            .map(|(priority, weight)| SrvEntry {
                domain: "a.test".to_owned(),
                priority,
                weight,
                target: format!("t{priority}{weight}.a.test"),
                port: 443,
            })
            .to_vec(),
        system: false,
    };
    assert_eq!(names.addresses("A.test", 443).await.unwrap(), ["127.0.0.1:1".parse().unwrap()]);
    assert!(matches!(names.addresses("a.test", 80).await, Err(Failure::Dns { .. })));
    let second = Duration::from_secs(1);
    let found = names.autodiscover_srv("A.TEST", second).await.unwrap();
    assert_eq!(
        found.iter().map(|e| e.target.as_str()).collect::<Vec<_>>(),
        ["t109.a.test", "t101.a.test", "t200.a.test"]
    );
    assert_eq!(names.autodiscover_srv("b.test", second).await.unwrap(), []);
}

#[tokio::test]
async fn srv_records_of_a_name_server_are_read_as_it_sends_them() {
    let resolver = name_server().await;
    let found = lookup(&resolver, "Two.test", LONG).await.unwrap();
    let told: Vec<_> = found.iter().map(|e| (e.priority, e.weight, e.port, e.target.as_str())).collect();
    assert_eq!(told.len(), 2);
    assert!(
        told.contains(&(10, 5, 443, "mail.two.test")) && told.contains(&(20, 0, 8443, "spare.two.test")),
        "{told:?}"
    );
    assert!(found.iter().all(|entry| entry.domain == "Two.test"));
    // A domain may be written with its dot.
    assert_eq!(lookup(&resolver, "two.test.", LONG).await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_asked_for_again_over_tcp() {
    let found = lookup(&name_server().await, "long.test", LONG).await.unwrap();
    assert_eq!(found.len(), 40, "all that came are there; those that are used are fewer");
}

#[tokio::test]
async fn a_domain_without_the_record_has_no_targets_and_that_is_an_answer() {
    let resolver = name_server().await;
    for domain in ["nothing.test", "unknown.test", "not-offered.test"] {
        assert_eq!(lookup(&resolver, domain, LONG).await, Ok(Vec::new()), "{domain}");
    }
}

#[tokio::test]
async fn a_name_server_that_fails_or_is_silent_is_no_answer() {
    let resolver = name_server().await;
    let failed = lookup(&resolver, "broken.test", LONG).await;
    assert!(matches!(&failed, Err(SrvError::Lookup { domain, .. }) if domain == "broken.test"), "{failed:?}");
    let silent = lookup(&resolver, "silent.test", Duration::from_millis(300)).await;
    assert_eq!(silent, Err(SrvError::Timeout { domain: "silent.test".to_owned(), seconds: 1 }));
}

const LONG: Duration = Duration::from_secs(20);

/// A port that is free for UDP and TCP: what is free for the one may be taken by any connection for the other.
async fn port_of_both() -> (UdpSocket, TcpListener) {
    loop {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
}

/// A resolver that asks a name server of the test's own, on loopback.
async fn name_server() -> TokioResolver {
    let (udp, tcp) = port_of_both().await;
    let address = udp.local_addr().unwrap();
    tokio::spawn(async move {
        let mut query = [0; 1500];
        while let Ok((length, from)) = udp.recv_from(&mut query).await {
            if let Some(answer) = answer(&query[..length], true) {
                udp.send_to(&answer, from).await.unwrap();
            }
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = tcp.accept().await {
            let length = stream.read_u16().await.unwrap();
            let mut query = vec![0; usize::from(length)];
            stream.read_exact(&mut query).await.unwrap();
            let answer = answer(&query, false).unwrap();
            stream.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
            stream.write_all(&answer).await.unwrap();
        }
    });
    let [mut over_udp, mut over_tcp] = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
    (over_udp.port, over_tcp.port) = (address.port(), address.port());
    let server = NameServerConfig::new(address.ip(), true, vec![over_udp, over_tcp]);
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()).build().unwrap()
}

/// What the name server says, byte by byte (RFC 1035 4.1, RFC 2782); `None` when it says nothing.
fn answer(query: &[u8], over_udp: bool) -> Option<Vec<u8>> {
    let labels = labels(&query[12..]);
    let question = &query[12..12 + labels.iter().map(|label| label.len() + 1).sum::<usize>() + 5];
    let name = labels.join(".").to_ascii_lowercase();
    let domain = name.strip_prefix("_autodiscover._tcp.").expect("nothing else is asked");
    assert_eq!(question[question.len() - 4..], [0, 33, 0, 1], "an SRV record of the internet");
    let own =
        |(priority, weight, port, host): (u16, u16, u16, &str)| (priority, weight, port, format!("{host}.{domain}"));
    let (code, records): (u8, Vec<(u16, u16, u16, String)>) = match domain {
        "two.test" => (0, [(20, 0, 8443, "spare"), (10, 5, 443, "mail")].map(own).to_vec()),
        "long.test" if over_udp => (0, Vec::new()),
        "long.test" => (0, (0..40).map(|n| (n, 0, 443, format!("node-with-a-long-name-{n}.{domain}"))).collect()),
        "not-offered.test" => (0, vec![(0, 0, 0, String::new())]),
        "nothing.test" => (0, Vec::new()),
        "broken.test" => (2, Vec::new()),
        "silent.test" => return None,
        _ => (3, Vec::new()),
    };
    let truncated = if domain == "long.test" && over_udp { 0x02 } else { 0 };
    let count = u8::try_from(records.len()).unwrap();
    let mut answer = query[..2].to_vec();
    answer.extend([0x85 | truncated, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0]);
    answer.extend_from_slice(question);
    for (priority, weight, port, target) in records {
        let mut data: Vec<u8> = [priority, weight, port].iter().flat_map(|number| number.to_be_bytes()).collect();
        for label in target.split('.').filter(|label| !label.is_empty()) {
            data.push(u8::try_from(label.len()).unwrap());
            data.extend_from_slice(label.as_bytes());
        }
        data.push(0);
        answer.extend([0xC0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, u8::try_from(data.len()).unwrap()]);
        answer.extend(data);
    }
    Some(answer)
}

/// The labels of a name, up to its end.
fn labels(mut bytes: &[u8]) -> Vec<String> {
    let mut labels = Vec::new();
    while let [length, rest @ ..] = bytes
        && *length > 0
    {
        let (label, rest) = rest.split_at(usize::from(*length));
        labels.push(String::from_utf8(label.to_vec()).unwrap());
        bytes = rest;
    }
    labels
}
