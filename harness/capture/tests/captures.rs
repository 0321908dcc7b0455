//! The committed captures give what is known to be in them.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::PathBuf;

use easrig_capture::{KeyLog, Options, ServerKey, Skip, Tally, Undecryptable, import, import_packets};
use easrig_exchange::{Exchange, Failure, Outcome};
use easrig_wbxml::Document;

fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../../captures", name].iter().collect()
}

fn file(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    File::open(path(name)).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

fn server_key() -> Options {
    let key = ServerKey::from_pem(&String::from_utf8(file("server-key.pem")).unwrap()).unwrap();
    Options { server_keys: vec![key], ..Options::default() }
}

fn key_log() -> Options {
    let key_log = KeyLog::read(BufReader::new(File::open(path("tls12.keys")).unwrap())).unwrap();
    Options { key_log, ..Options::default() }
}

fn read(bytes: &[u8], options: &Options) -> (Vec<Exchange>, Tally) {
    let mut found = Vec::new();
    let tally = import(Cursor::new(bytes), options, &mut |exchange| {
        found.push(exchange);
        Ok(())
    });
    (found, tally.unwrap())
}

/// WBXML bodies in requests and answers.
fn documents(exchanges: &[Exchange]) -> usize {
    let bodies = exchanges.iter().flat_map(|exchange| {
        let answer = exchange.response().map(|response| response.body.as_slice()).unwrap_or_default();
        [exchange.request.body.as_slice(), answer]
    });
    bodies.filter(|body| Document::decode(body).is_ok()).count()
}

/// Checks that all messages are found and nothing is noted as missing.
fn complete(name: &str, options: &Options, truth: usize) -> Vec<Exchange> {
    let (exchanges, tally) = read(&file(name), options);
    assert_eq!(documents(&exchanges), truth, "{name}: {tally}");
    assert_eq!(exchanges.len(), truth / 10 * 6, "{name}: {tally}");
    assert!(tally.is_complete(), "{name}: {tally}");
    exchanges
}

#[test]
fn plain_captures_of_every_link_are_complete() {
    let options = Options::default();
    complete("plain-disordered.pcapng", &options, 30);
    complete("ipv6-loopback.pcap", &options, 20);
    complete("cooked.pcapng", &options, 20);
}

#[test]
fn exchanges_carry_their_url_times_and_numbers() {
    let exchanges = complete("cooked.pcapng", &Options::default(), 20);
    let numbers: Vec<u64> = exchanges.iter().map(|exchange| exchange.number.0).collect();
    assert_eq!(numbers, (1..=12).collect::<Vec<_>>());
    let ping = exchanges.iter().find(|exchange| exchange.request.query().starts_with("Cmd=Ping")).unwrap();
    assert_eq!(ping.request.url.host_str(), Some("mail.contoso.example"));
    assert_eq!(ping.started.0 / 1_000_000, 1_790_000_000);
    assert!(ping.times.first_byte.is_some_and(|first| first <= ping.times.done));
}

#[test]
fn a_torn_capture_gives_everything_before_the_tear() {
    let (exchanges, tally) = read(&file("vlan-cut.pcap"), &Options::default());
    assert_eq!((documents(&exchanges), exchanges.len()), (28, 17), "{tally}");
    let damage = tally.damage.unwrap();
    assert_eq!((damage.offset, damage.what.as_str()), (37_255, "the file ends inside a frame"));
}

#[test]
fn tls_opens_with_keys_inside_beside_or_of_the_server() {
    for (name, options, truth, version, suite) in [
        ("tls13-keys-inside.pcapng", Options::default(), 20, "TLSv1.3", "TLS_AES_256_GCM_SHA384"),
        ("tls13-retry.pcapng", Options::default(), 20, "TLSv1.3", "TLS_AES_256_GCM_SHA384"),
        ("tls12.pcapng", key_log(), 30, "TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
        ("tls12-rsa-gcm.pcapng", server_key(), 30, "TLSv1.2", "TLS_RSA_WITH_AES_256_GCM_SHA384"),
        ("tls12-rsa-cbc.pcapng", server_key(), 20, "TLSv1.2", "TLS_RSA_WITH_AES_128_CBC_SHA256"),
        ("tls10-rsa-cbc.pcap", server_key(), 20, "TLSv1.0", "TLS_RSA_WITH_AES_256_CBC_SHA"),
    ] {
        let exchanges = complete(name, &options, truth);
        let tls = exchanges.first().unwrap().tls.clone().unwrap();
        assert_eq!((tls.version.as_str(), tls.cipher_suite.as_str()), (version, suite), "{name}");
        assert_eq!(exchanges.first().unwrap().request.url.scheme(), "https");
        assert_eq!(tls.chain.len(), 1, "{name}");
    }
}

#[test]
fn keys_inside_a_pipe_count_too() {
    let mut count = 0;
    let bytes = file("tls13-keys-inside.pcapng");
    let tally = import_packets(bytes.as_slice(), &Options::default(), &mut |_| {
        count += 1;
        Ok(())
    });
    assert!(tally.unwrap().is_complete());
    assert_eq!(count, 12);
}

#[test]
fn tls_without_keys_is_counted_with_the_reason() {
    for (name, options) in
        [("tls13-no-keys.pcapng", server_key()), ("tls12.pcapng", server_key()), ("tls12-rsa-gcm.pcapng", key_log())]
    {
        let (exchanges, tally) = read(&file(name), &options);
        assert!(exchanges.is_empty(), "{name}");
        assert_eq!(tally.undecryptable.get(&Undecryptable::NoKeys), Some(&tally.streams), "{name}: {tally}");
    }
}

#[test]
fn http2_is_read_with_all_that_it_may_hold() {
    for name in ["h2-cleartext.pcapng", "h2-tls13.pcapng"] {
        let (exchanges, tally) = read(&file(name), &Options::default());
        assert_eq!((documents(&exchanges), exchanges.len(), tally.gap_count), (20, 11, 0), "{name}: {tally}");
        assert_eq!(tally.skipped.iter().collect::<Vec<_>>(), [(&Skip::Pushed, &1)]);
        let scheme = if name.contains("tls") { "https" } else { "http" };
        for exchange in &exchanges {
            let url = &exchange.request.url;
            assert_eq!((url.scheme(), url.host_str()), (scheme, Some("mail.contoso.example")));
            assert_eq!(exchange.request.headers.get("ms-asprotocolversion"), Some("14.1"));
            assert!(exchange.request.headers.iter().all(|(name, _)| !name.starts_with(':')));
            assert!(Document::decode(&exchange.request.body).is_ok());
        }
        let failed = exchanges.iter().filter_map(|exchange| match &exchange.outcome {
            Outcome::Failed(failure) => Some(failure.clone()),
            Outcome::Answered(_) => None,
        });
        assert_eq!(failed.collect::<Vec<_>>(), [Failure::Cancelled, Failure::Closed], "{name}");
        let answers: Vec<_> = exchanges.iter().filter_map(Exchange::response).collect();
        for answer in &answers {
            assert_eq!((answer.status, answer.cut.as_deref()), (200, None), "{name}");
            assert_eq!(answer.headers.get("server"), Some("Microsoft-IIS/10.0"));
            assert_eq!((answer.headers.get("x-trailer"), answer.headers.get("x-pushed")), (None, None));
        }
        let trailers = answers.iter().flat_map(|answer| answer.headers.trailers());
        assert_eq!(trailers.collect::<Vec<_>>(), [("x-trailer", "over")], "{name}");
        let long = exchanges.iter().filter_map(|exchange| exchange.request.headers.get("x-long"));
        assert_eq!(long.map(|value| value.chars().count()).collect::<Vec<_>>(), [20_000]);
    }
}

#[test]
fn http2_by_upgrade_begins_with_the_request_that_asked_for_it() {
    let (exchanges, tally) = read(&file("h2c-upgrade.pcapng"), &Options::default());
    assert_eq!((documents(&exchanges), exchanges.len(), tally.gap_count), (22, 12, 0), "{tally}");
    let first = &exchanges[0];
    assert_eq!(
        (first.request.query().split('&').next(), first.response().unwrap().status),
        (Some("Cmd=FolderSync"), 200)
    );
}

#[test]
fn any_packet_of_http2_may_be_missing_and_headers_are_never_guessed() {
    for name in ["h2-cleartext.pcapng", "h2-tls13.pcapng"] {
        let whole = file(name);
        let (all, _) = read(&whole, &Options::default());
        for missing in 0..80 {
            let (exchanges, tally) = read(&without(&whole, |number| number != missing), &Options::default());
            let is_true = |exchange: &&Exchange| {
                all.iter().any(|known| known.request == exchange.request && known.outcome == exchange.outcome)
            };
            let found = exchanges.iter().filter(is_true).count();
            let said = tally.gap_count > 0 || !tally.undecryptable.is_empty();
            assert!(found == all.len() || said, "{name} without {missing}: {found} of {}, {tally}", all.len());
            for exchange in exchanges.iter().filter(|exchange| !is_true(exchange)) {
                // What is there is true as far as it goes, and the gap is named.
                let known = all.iter().find(|known| {
                    known.request.url == exchange.request.url && known.request.headers == exchange.request.headers
                });
                assert!(known.is_some(), "{name} without {missing}: {exchange:?}");
                let number = Some(exchange.number);
                assert!(tally.gaps.iter().any(|gap| gap.exchange == number), "{name} without {missing}: {exchange:?}");
            }
        }
    }
}

#[test]
fn a_capture_that_begins_inside_of_http2_tells_no_header_that_was_not_there() {
    let whole = file("h2-cleartext.pcapng");
    let (all, _) = read(&whole, &Options::default());
    let mut most = 0;
    for first in 5..65 {
        let (exchanges, tally) = read(&without(&whole, |number| number >= first), &Options::default());
        let said = tally.gap_count > 0 || tally.skipped.contains_key(&Skip::NotHttp);
        assert!(exchanges.len() == all.len() || said, "from {first}: {tally}");
        for exchange in &exchanges {
            let known = all.iter().any(|known| known.request == exchange.request && known.outcome == exchange.outcome);
            let number = Some(exchange.number);
            assert!(known || tally.gaps.iter().any(|gap| gap.exchange == number), "from {first}: {exchange:?}");
        }
        most = most.max(exchanges.len());
    }
    assert_eq!(most, all.len(), "without the preface all is there");
}

/// Cuts the packets of a pcapng out that `keep` refuses, by their number.
fn without(bytes: &[u8], keep: impl Fn(usize) -> bool) -> Vec<u8> {
    let (mut rest, mut out, mut number) = (bytes, Vec::new(), 0);
    while rest.len() >= 12 {
        let length = u32::from_le_bytes(rest[4..8].try_into().unwrap()) as usize;
        let (block, behind) = rest.split_at(length);
        let is_packet = block[0] == 6;
        if !is_packet || keep(number) {
            out.extend_from_slice(block);
        }
        number += usize::from(is_packet);
        rest = behind;
    }
    out
}

#[test]
fn any_packet_may_be_missing_and_nothing_is_lost_in_silence() {
    for (name, options) in [
        ("plain-disordered.pcapng", Options::default()),
        ("tls12.pcapng", key_log()),
        ("tls12-rsa-cbc.pcapng", server_key()),
        ("tls13-keys-inside.pcapng", Options::default()),
    ] {
        let whole = file(name);
        let (all, _) = read(&whole, &options);
        for missing in 0..100 {
            let (exchanges, tally) = read(&without(&whole, |number| number != missing), &options);
            let true_ones = exchanges.iter().filter(|exchange| {
                all.iter().any(|known| known.request == exchange.request && known.outcome == exchange.outcome)
            });
            let lost = all.len() - true_ones.count();
            assert!(lost == 0 || !tally.is_complete(), "{name} without {missing}: {lost} lost, {tally}");
            // What is not true must be marked as cut or unanswered.
            let wrong = exchanges.iter().filter(|exchange| {
                !all.iter().any(|known| known.request == exchange.request && known.outcome == exchange.outcome)
            });
            for exchange in wrong {
                let number = Some(exchange.number);
                assert!(tally.gaps.iter().any(|gap| gap.exchange == number), "{name} without {missing}: {exchange:?}");
            }
        }
    }
}

#[test]
fn a_capture_that_begins_in_the_middle_gives_what_follows() {
    let whole = file("cooked.pcapng");
    let (exchanges, tally) = read(&without(&whole, |number| number >= 20), &Options::default());
    assert_eq!(tally.tcp.mid_stream, tally.streams);
    assert!((5..12).contains(&exchanges.len()), "{tally}");
}

#[test]
fn every_beginning_of_a_capture_can_be_read() {
    for name in ["plain-disordered.pcapng", "tls12-rsa-cbc.pcapng", "tls13-keys-inside.pcapng", "h2-cleartext.pcapng"] {
        let (whole, options) = (file(name), server_key());
        for end in (64..whole.len()).step_by(997) {
            let (exchanges, tally) = read(&whole[..end], &options);
            assert_eq!(exchanges.len() as u64, tally.exchanges);
        }
    }
}

#[test]
fn a_changed_byte_anywhere_does_no_harm() {
    for name in ["plain-disordered.pcapng", "tls13-keys-inside.pcapng", "vlan-cut.pcap", "h2-cleartext.pcapng"] {
        let whole = file(name);
        for at in (24..whole.len()).step_by(101) {
            let mut changed = whole.clone();
            changed[at] ^= 0xFF;
            let _ = import(Cursor::new(changed), &Options::default(), &mut |_| Ok(()));
        }
    }
}
