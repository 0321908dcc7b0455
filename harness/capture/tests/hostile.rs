//! Hostile files: what is torn, lies about lengths, unpacks to more than there is, opens connections without end or refers
//! to itself costs bounded time and memory, and what was readable before it is kept. Each importer, each limit that applies
//! to it; `harness/fuzz` has a target for each of them.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Cursor, Read, Write as _};
use std::path::PathBuf;

use easrig_capture::census::Census;
use easrig_capture::{ImportError, KeyLog, Limits, Options, ServerKey, Skip, Tally, import, import_packets};
use easrig_exchange::Exchange;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

fn file(name: &str) -> Vec<u8> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../captures", name].iter().collect();
    fs::read(path).unwrap()
}

fn try_read(bytes: &[u8], options: &Options) -> Result<(Vec<Exchange>, Tally), ImportError> {
    let mut found = Vec::new();
    let tally = import(Cursor::new(bytes), options, &mut |exchange| {
        found.push(exchange);
        Ok(())
    })?;
    Ok((found, tally))
}

fn read(bytes: &[u8]) -> (Vec<Exchange>, Tally) {
    try_read(bytes, &Options::default()).unwrap()
}

const LOG: &[u8] = include_bytes!("data/mailbox-log.txt");

const HAR_ENTRY: &str = r#"{"startedDateTime":"2026-01-02T03:04:05Z","request":{"method":"GET","url":"https://x/?Cmd=Ping"},
    "response":{"status":200,"content":{"size":3,"text":"AwFq","encoding":"base64"}}}"#;

fn har(entries: usize) -> Vec<u8> {
    format!(r#"{{"log":{{"entries":[{}]}}}}"#, vec![HAR_ENTRY; entries].join(",")).into_bytes()
}

/// An archive of sessions whose answers have a body of so many zeros.
fn saz(sessions: usize, zeros: usize) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for number in 1..=sessions {
        zip.start_file(format!("raw/{number}_c.txt"), SimpleFileOptions::default()).unwrap();
        zip.write_all(b"GET https://mail.test/?Cmd=Ping HTTP/1.1\r\n\r\n").unwrap();
        zip.start_file(format!("raw/{number}_s.txt"), SimpleFileOptions::default()).unwrap();
        zip.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        zip.write_all(&vec![0; zeros]).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Classic pcap, raw IP, from packets.
fn pcap(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Vec::new();
    for number in [0xA1B2_C3D4_u32, 0x0004_0002, 0, 0, 262_144, 101] {
        file.extend(number.to_le_bytes());
    }
    for (at, packet) in packets.iter().enumerate() {
        for number in [at as u32, 0, packet.len() as u32, packet.len() as u32] {
            file.extend(number.to_le_bytes());
        }
        file.extend(packet);
    }
    file
}

/// A segment of connection `number`, from its client.
fn segment(number: u32, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend(((40 + payload.len()) as u16).to_be_bytes());
    packet.extend([0, 1, 0x40, 0, 64, 6, 0, 0, 10, 1]);
    packet.extend(((number >> 14) as u16).to_be_bytes());
    packet.extend([10, 0, 0, 5]);
    packet.extend((40_000 + (number & 0x3FFF) as u16).to_be_bytes());
    packet.extend(80_u16.to_be_bytes());
    packet.extend(sequence.to_be_bytes());
    packet.extend([0, 0, 0, 0, 0x50, 0x18, 0xFF, 0xFF, 0, 0, 0, 0]);
    packet.extend(payload);
    packet
}

#[test]
fn a_torn_file_of_any_kind_gives_what_stands_before_the_tear() {
    let whole = [
        ("pcap", file("vlan-cut.pcap")),
        ("pcapng", file("cooked.pcapng")),
        ("HAR", har(40)),
        ("mailbox log", LOG.to_vec()),
    ];
    for (name, bytes) in whole {
        let all = read(&bytes).0.len();
        let mut before = 0;
        for end in (bytes.len() / 8..bytes.len()).step_by(bytes.len() / 90) {
            let Ok((found, tally)) = try_read(&bytes[..end], &Options::default()) else { continue };
            assert!((before..=all).contains(&found.len()), "{name} up to {end}: {} behind {before}", found.len());
            assert!(found.len() == all || !tally.is_complete() || name == "mailbox log", "{name} up to {end}: {tally}");
            before = found.len();
        }
        assert!(before + 1 >= all, "{name}: {before} of {all}");
    }
}

#[test]
fn a_torn_archive_of_fiddler_is_refused_with_a_reason() {
    // Its list of files stands at the end: without that there is nothing to go by.
    let bytes = saz(3, 10);
    for end in 4..bytes.len() {
        match try_read(&bytes[..end], &Options::default()) {
            Ok((found, _)) => assert!(found.len() <= 3),
            Err(error) => assert!(error.to_string().starts_with("the capture cannot be read at byte"), "{error}"),
        }
    }
}

#[test]
fn lengths_that_lie_in_any_place_of_a_packet_capture_do_no_harm() {
    for name in ["cooked.pcapng", "vlan-cut.pcap", "tls13-keys-inside.pcapng"] {
        let whole = file(name);
        for at in (0..whole.len().min(3000)).step_by(2) {
            for lie in [0_u32, 1, 7, 0x7FFF_FFFF, u32::MAX] {
                let mut bytes = whole.clone();
                let end = (at + 4).min(bytes.len());
                bytes[at..end].copy_from_slice(&lie.to_le_bytes()[..end - at]);
                if let Ok((found, tally)) = try_read(&bytes[..4000], &Options::default()) {
                    assert_eq!(found.len() as u64, tally.exchanges, "{name}, {lie:X} at {at}");
                }
            }
        }
    }
}

#[test]
fn a_packet_that_promises_gigabytes_ends_the_file_with_a_reason() {
    let mut bytes = pcap(&[segment(0, 1, b"GET /?Cmd=Ping HTTP/1.1\r\n\r\n")]);
    for number in [9_u32, 0, 0xFFFF_FFF0, 0xFFFF_FFF0] {
        bytes.extend(number.to_le_bytes());
    }
    let (found, tally) = read(&bytes);
    assert_eq!(found.len(), 1);
    assert!(tally.damage.is_some(), "{tally}");
    // From a pipe as well, where the length of the file is not known.
    let piped = import_packets(bytes.as_slice(), &Options::default(), &mut |_| Ok(())).unwrap();
    assert_eq!(piped.damage, tally.damage);
}

#[test]
fn lengths_that_lie_in_an_archive_of_fiddler_do_no_harm() {
    let whole = saz(2, 2000);
    for at in 0..whole.len() {
        for lie in [0, 1, 0x7F, 0xFF] {
            let mut bytes = whole.clone();
            bytes[at] = lie;
            if let Ok((found, _)) = try_read(&bytes, &Options::default()) {
                assert!(found.len() <= 2, "{lie:X} at {at}");
            }
        }
    }
}

#[test]
fn sizes_that_lie_in_texts_do_no_harm() {
    // An archive may say any size; what is there counts.
    let (found, tally) =
        read(&String::from_utf8(har(1)).unwrap().replace(r#""size":3"#, r#""size":99999999999"#).into_bytes());
    assert_eq!(found[0].response().unwrap().body, b"\x03\x01j");
    assert!(tally.is_complete(), "{tally}");
    // A log may say that any number of bytes was left out.
    let text = String::from_utf8(LOG.to_vec()).unwrap();
    let lie = text.replacen("bytes=\"", "bytes=\"99999999999", 1);
    assert_ne!(text, lie);
    let (found, tally) = read(lie.as_bytes());
    assert_eq!(found.len(), read(LOG).0.len());
    assert_eq!(tally.skipped.get(&Skip::BadBody), Some(&1), "{tally}");
}

#[test]
fn archives_that_inflate_without_end_are_given_up() {
    let limits = Limits { body_bytes: 1000, ..Limits::default() };
    let options = Options { limits, ..Options::default() };
    let (found, tally) = try_read(&saz(400, 1 << 20), &options).unwrap();
    assert!((100..200).contains(&found.len()), "{}", found.len());
    assert!(found.iter().all(|exchange| exchange.response().unwrap().body.len() <= 1000));
    assert!(tally.damage.unwrap().what.contains("inflates to more than"));
}

#[test]
fn entries_that_share_their_bytes_inflate_no_further_than_the_limit() {
    // Every entry of the list points to the same file: a small archive with any number of answers in it.
    let bytes = saz(1, 200_000);
    let find = |needle: &[u8]| bytes.windows(needle.len()).rposition(|text| text == needle).unwrap();
    let (list, end) = (find(b"PK\x01\x02"), find(b"PK\x05\x06"));
    let answer = bytes[list..end].to_vec();
    let mut zip = bytes[..list].to_vec();
    let start = find(b"raw/1_c.txt") - 46;
    zip.truncate(start);
    let mut count = 0_u16;
    for number in 1..=900_u32 {
        for kind in ["c.txt", "s.txt"] {
            let mut entry = if kind == "c.txt" { bytes[start..list].to_vec() } else { answer.clone() };
            let name = format!("raw/{number}_{kind}");
            entry[28..30].copy_from_slice(&(name.len() as u16).to_le_bytes());
            entry.splice(46..46 + 11, name.bytes());
            zip.extend(entry);
            count += 1;
        }
    }
    let size = (zip.len() - start) as u32;
    let mut tail = bytes[end..].to_vec();
    tail[8..10].copy_from_slice(&count.to_le_bytes());
    tail[10..12].copy_from_slice(&count.to_le_bytes());
    tail[12..16].copy_from_slice(&size.to_le_bytes());
    tail[16..20].copy_from_slice(&(start as u32).to_le_bytes());
    zip.extend(tail);
    let limits = Limits { body_bytes: 1000, ..Limits::default() };
    match try_read(&zip, &Options { limits, ..Options::default() }) {
        Ok((found, tally)) => assert!(found.len() < 200 && tally.damage.is_some(), "{} {tally}", found.len()),
        Err(error) => assert!(matches!(error, ImportError::Unreadable { .. }), "{error}"),
    }
}

#[test]
fn very_many_connections_are_followed_up_to_the_limit_and_the_rest_is_said() {
    let limits = Limits { streams: 100, held_bytes: 1 << 20, ..Limits::default() };
    let options = Options { limits, ..Options::default() };
    let open = |number| segment(number, 1, b"POST /?Cmd=Sync HTTP/1.1\r\nContent-Length: 9000\r\n\r\nbegun");
    let capture = pcap(&(0..20_000).map(open).collect::<Vec<_>>());
    let (found, tally) = try_read(&capture, &options).unwrap();
    assert_eq!((found.len(), tally.streams), (20_000, 20_000), "what was begun is kept");
    assert!(tally.skipped.get(&Skip::TooMuch).is_some_and(|count| *count >= 19_800), "{tally}");
    // Few connections, each with much behind a hole.
    let limits = Limits { held_bytes: 1 << 20, ..Limits::default() };
    let behind = |number: u32| (0..100).map(move |at| segment(number, 5000 + at * 1000, &[b'x'; 1000]));
    let capture = pcap(&(0..60).flat_map(behind).collect::<Vec<_>>());
    let (_, tally) = try_read(&capture, &Options { limits, ..Options::default() }).unwrap();
    assert!(tally.packets == 6000 && tally.exchanges == 0, "{tally}");
}

#[test]
fn very_many_streams_of_one_http2_connection_are_given_up_and_said() {
    let mut client = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    for number in 0..3000_u32 {
        client.extend([0, 0, 3, 1, 4]);
        client.extend((2 * number + 1).to_be_bytes());
        client.extend([0x83, 0x86, 0x84]);
    }
    let packets: Vec<_> =
        client.chunks(1000).enumerate().map(|(at, part)| segment(0, 1 + 1000 * at as u32, part)).collect();
    let (_, tally) = read(&pcap(&packets));
    assert_eq!(tally.skipped.get(&Skip::TooMuch), Some(&1), "{tally}");
}

#[test]
fn very_many_entries_of_an_archive_or_a_log_come_one_after_the_other() {
    let (found, tally) = read(&har(20_000));
    assert_eq!((found.len(), tally.is_complete()), (20_000, true));
    let log: String = String::from_utf8(LOG.to_vec()).unwrap();
    let (found, _) = read(log.repeat(300).as_bytes());
    assert_eq!(found.len(), read(LOG).0.len() * 300);
}

#[test]
fn an_entry_without_end_is_cut_and_says_so() {
    let limits = Limits { body_bytes: 10_000, ..Limits::default() };
    let options = Options { limits, ..Options::default() };
    let log = String::from_utf8(LOG.to_vec()).unwrap();
    let all = read(LOG).0.len();
    let (found, tally) =
        try_read(format!("{log}\n{}", "RequestBody line\n".repeat(10_000)).as_bytes(), &options).unwrap();
    assert_eq!(found.len(), all);
    assert!(tally.gaps.iter().any(|gap| gap.exchange == Some(found.last().unwrap().number)), "{tally}");
    // A body of an archive, of the request and of the answer.
    let long = format!(r#""text":"{}""#, "AAAA".repeat(10_000));
    let sent = r#""url":"https://x/?Cmd=Ping","postData":{"mimeType":"x","text":"hi"}"#;
    let text = String::from_utf8(har(1)).unwrap().replace(r#""text":"AwFq""#, &long);
    let text =
        text.replace(r#""url":"https://x/?Cmd=Ping""#, &sent.replace("\"hi\"", &format!("\"{}\"", "h".repeat(20_000))));
    let (found, tally) = try_read(text.as_bytes(), &options).unwrap();
    assert_eq!((found[0].request.body.len(), found[0].response().unwrap().body.len()), (10_000, 10_000));
    assert_eq!(tally.gap_count, 2, "{tally}");
}

#[test]
fn a_list_of_files_without_end_is_refused() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for number in 0..300 {
        zip.start_file(format!("{number}{}", "x".repeat(60_000)), SimpleFileOptions::default()).unwrap();
    }
    let error = try_read(&zip.finish().unwrap().into_inner(), &Options::default()).unwrap_err();
    assert!(error.to_string().contains("the list of its files is longer than 16777216 bytes"), "{error}");
}

#[test]
fn an_entry_of_values_without_end_costs_no_more_than_its_text() {
    let many = format!(r#"{HAR_ENTRY},{{"x":[{}0]}},{HAR_ENTRY}"#, "[],".repeat(3_000_000));
    let (found, tally) = read(format!(r#"{{"log":{{"entries":[{many}]}}}}"#).as_bytes());
    assert_eq!((found.len(), tally.skipped.get(&Skip::TooMuch)), (2, Some(&1)), "{tally}");
}

#[test]
fn what_refers_to_itself_or_nests_without_end_ends() {
    // Entities of XML that hold each other are not resolved at all.
    let log = String::from_utf8(LOG.to_vec()).unwrap();
    let (head, body) = log.split_once("<?xml").unwrap();
    let bomb = format!(r#"{head}<!DOCTYPE a [<!ENTITY b "&b;&b;">]><?xml{body}"#).replace("</", "&b;</");
    assert_eq!(read(bomb.as_bytes()).0.len(), read(LOG).0.len());
    let nested = log.replacen("<Deleted", &"<a>".repeat(100_000), 1);
    assert_eq!(read(nested.as_bytes()).0.len(), read(LOG).0.len());
    let deep =
        String::from_utf8(har(1)).unwrap().replace(r#""size":3"#, &format!(r#""size":3,"x":{}"#, "[".repeat(200_000)));
    assert!(read(deep.as_bytes()).1.damage.is_some());
}

#[test]
fn web_server_logs_may_be_torn_endless_and_full_of_devices() {
    let log = "#Fields: date time cs-method cs-uri-stem cs-uri-query sc-status\n\
        2026-01-02 03:04:05 POST /Microsoft-Server-ActiveSync/default.eas Cmd=Sync&DeviceId=a&DeviceType=b 200\n";
    for end in 8..log.len() {
        let mut census = Census::default();
        let _ = census.add(&log.as_bytes()[..end]);
        assert!(census.devices.len() <= 1);
    }
    // A line of many words, a name without end, and an id without end.
    let mut census = Census::default();
    let words = "w ".repeat(1 << 20);
    let agent = "x".repeat(1 << 20);
    let text = format!(
        "{log}{words}\n{}{}",
        log.replace("DeviceId=a", &format!("DeviceId={agent}")),
        log.replace("Cmd=Sync", &format!("Cmd={agent}"))
    );
    census.add(text.as_bytes()).unwrap();
    assert!((1..=2).contains(&census.devices.len()));
    for device in &census.devices {
        assert!(device.id.len() <= 512 && device.commands.keys().all(|name| name.len() <= 512));
    }
    // More devices than are kept.
    let mut many = "#Fields: cs-method cs-uri-stem cs-uri-query\n".to_owned();
    for number in 0..110_000 {
        writeln!(many, "POST /Microsoft-Server-ActiveSync Cmd=Sync&User=u&DeviceId={number}&DeviceType=b").unwrap();
    }
    let mut census = Census::default();
    census.add(many.as_bytes()).unwrap();
    assert_eq!((census.devices.len(), census.beyond), (100_000, 10_000));
}

#[test]
fn tables_may_be_torn_and_their_rows_endless() {
    let table = "\"DeviceId\",\"DeviceType\",\"DeviceOS\"\r\n\"a\",\"b\",\"c\"\r\n";
    for end in 12..table.len() {
        let mut census = Census::default();
        let _ = census.add(&table.as_bytes()[..end]);
        assert!(census.devices.len() <= 1);
    }
    // A quote that is never closed, in a file that never ends.
    let endless = table.as_bytes().chain(b"\"".as_slice()).chain(io::repeat(b'x'));
    let mut census = Census::default();
    census.add(endless).unwrap();
    assert_eq!((census.devices.len(), census.unreadable), (1, 1));
    let long = format!("{table}\"d\",\"b\",\"{}\"\r\n", "ü".repeat(1000));
    let mut census = Census::default();
    census.add(long.as_bytes()).unwrap();
    assert!(census.devices[1].systems.iter().all(|system| system.len() <= 512));
}

#[test]
fn key_logs_may_be_torn_lie_and_never_end_a_line() {
    let text = file("tls12.keys");
    for end in 0..text.len() {
        let _ = KeyLog::read(&text[..end]);
    }
    let random = "11".repeat(32);
    for secret in ["", "0", "00", &"00".repeat(31), &"00".repeat(65), &"zz".repeat(48), &"0é".repeat(32)] {
        assert!(KeyLog::read(format!("CLIENT_RANDOM {random} {secret}\n").as_bytes()).is_err(), "{secret}");
    }
    let endless = io::repeat(b'x').take(64 << 20).chain(b"\n".as_slice()).chain(text.as_slice());
    assert!(KeyLog::read(io::BufReader::new(endless)).is_ok());
}

#[test]
fn server_keys_may_be_torn_and_their_lengths_lie() {
    let text = String::from_utf8(file("server-key.pem")).unwrap();
    for end in 0..text.find("-----END").unwrap() {
        assert!(ServerKey::from_pem(&text[..end]).is_err(), "up to {end}");
    }
    let (head, rest) = text.split_once('\n').unwrap();
    // The first letters hold the lengths of the outermost parts.
    for (at, letter) in (0..200).flat_map(|at| ['A', '/', 'g', 'w'].map(|letter| (at, letter))) {
        let mut lie: Vec<char> = rest.chars().collect();
        if lie[at] == '\n' {
            continue;
        }
        lie[at] = letter;
        let _ = ServerKey::from_pem(&format!("{head}\n{}", lie.into_iter().collect::<String>()));
    }
}
