//! The `.eascap` format: what was written is read, whatever happened to the end of the file.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Cursor;

use easrig_exchange::{
    ClientHello, EascapError, EascapFile, EascapReader, EascapWriter, Exchange, ExchangeNumber, Failure, Headers,
    Origin, Outcome, Phase, Request, Response, Sender, Times, Timestamp, TlsSession, TlsVersion,
};

const FIXTURE: &[u8] = include_bytes!("data/v1.eascap");

fn answered(number: u64) -> Exchange {
    Exchange {
        number: ExchangeNumber(number),
        origin: Origin::Live,
        sender: Sender { persona: "wp7".to_owned(), role: "phone".to_owned() },
        started: Timestamp(1_700_000_000_000_000),
        request: Request {
            method: "POST".to_owned(),
            url: "https://mail.easrig.test/Microsoft-Server-ActiveSync?jQkJBA==".parse().unwrap(),
            headers: Headers::from_iter([("Host", "mail.easrig.test"), ("x-ODD", "1"), ("X-Odd", "2")]),
            body: vec![3, 1, 0x6A, 0, 0xFF, 0],
        },
        outcome: Outcome::Answered(Response {
            status: 200,
            reason: "OK".to_owned(),
            headers: Headers::from_iter([("Content-Type", "application/vnd.ms-sync.wbxml")]),
            body: (0..=255).collect(),
            cut: Some("the body is longer than 256 bytes".to_owned()),
        }),
        times: Times { connected: Some(1), secured: None, first_byte: Some(3), done: 4 },
        tls: Some(TlsSession {
            version: "TLSv1.2".to_owned(),
            cipher_suite: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256".to_owned(),
            chain: vec![vec![0x30, 1], vec![], vec![0x30, 2, 9]],
            verified: true,
            hello: None,
        }),
    }
}

fn failed(number: u64) -> Exchange {
    let outcome = Outcome::Failed(Failure::Timeout { phase: Phase::FirstByte, seconds: 30 });
    Exchange { outcome, tls: None, ..answered(number) }
}

fn file() -> Vec<u8> {
    let mut writer = EascapWriter::new(Vec::new()).unwrap();
    writer.write(&answered(1)).unwrap();
    writer.write(&failed(2)).unwrap();
    writer.into_inner()
}

fn read(bytes: &[u8]) -> Result<Vec<Exchange>, EascapError> {
    EascapReader::new(bytes)?.collect()
}

#[test]
fn what_was_written_is_read() {
    assert_eq!(read(&file()).unwrap(), [answered(1), failed(2)]);
    assert_eq!(read(&EascapWriter::new(Vec::new()).unwrap().into_inner()).unwrap(), []);
}

#[test]
fn what_a_client_offered_is_kept() {
    let mut exchange = answered(1);
    let hello = ClientHello { versions: vec![TlsVersion::V1_2], cipher_suites: vec![0xC02F, 0x2F], names_server: true };
    exchange.tls.as_mut().unwrap().hello = Some(Box::new(hello));
    let mut writer = EascapWriter::new(Vec::new()).unwrap();
    writer.write(&exchange).unwrap();
    let bytes = writer.into_inner();
    let read: Result<Vec<_>, _> = EascapReader::new(bytes.as_slice()).unwrap().collect();
    assert_eq!(read.unwrap(), [exchange]);
}

#[test]
fn the_fixture_of_format_1_is_read_and_still_written_the_same() {
    assert_eq!(read(FIXTURE).unwrap(), [answered(1), failed(2)]);
    assert_eq!(file(), FIXTURE);
}

#[test]
fn a_torn_tail_is_ignored_at_every_byte() {
    let whole = file();
    let second = *EascapFile::open(Cursor::new(&whole)).unwrap().offsets().get(&ExchangeNumber(2)).unwrap();
    for cut in 12..whole.len() {
        let bytes = &whole[..cut];
        let mut reader = EascapReader::new(bytes).unwrap();
        let kept: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
        let expected = usize::from(cut as u64 >= second);
        assert_eq!(kept.len(), expected, "cut at {cut}");
        assert_eq!(reader.torn().is_some(), cut as u64 != second && cut != 12, "cut at {cut}");
        let file = EascapFile::open(Cursor::new(bytes)).unwrap();
        assert_eq!((file.offsets().len(), file.end()), (expected, if expected == 1 { second } else { 12 }));
    }
}

#[test]
fn a_run_goes_on_behind_a_torn_record() {
    let mut bytes = file();
    bytes.truncate(bytes.len() - 3);
    let end = EascapFile::open(Cursor::new(&bytes)).unwrap().end();
    bytes.truncate(usize::try_from(end).unwrap());
    let mut writer = EascapWriter::append(bytes);
    writer.write(&failed(2)).unwrap();
    assert_eq!(writer.into_inner(), file());
}

#[test]
fn zeros_behind_the_last_record_are_a_torn_tail() {
    let mut bytes = file();
    bytes.extend([0; 100]);
    assert_eq!(read(&bytes).unwrap().len(), 2);
    assert_eq!(EascapFile::open(Cursor::new(&bytes)).unwrap().offsets().len(), 2);
}

#[test]
fn damage_in_the_middle_is_an_error_and_at_the_end_a_tear() {
    let mut bytes = file();
    bytes[40] ^= 1;
    let found: Vec<_> = EascapReader::new(&bytes[..]).unwrap().collect();
    assert!(matches!(found[..], [Err(EascapError::Damaged { at: 12, .. })]), "{found:?}");
    let mut bytes = file();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    assert_eq!(read(&bytes).unwrap(), [answered(1)]);
    assert_eq!(EascapFile::open(Cursor::new(&bytes)).unwrap().offsets().len(), 1);
}

#[test]
fn exchanges_are_found_by_number() {
    let mut file = EascapFile::open(Cursor::new(file())).unwrap();
    assert_eq!(file.get(ExchangeNumber(2)).unwrap(), Some(failed(2)));
    assert_eq!(file.get(ExchangeNumber(1)).unwrap(), Some(answered(1)));
    assert_eq!(file.get(ExchangeNumber(3)).unwrap(), None);
}

#[test]
fn newer_files_and_other_files_are_refused_by_name() {
    let mut newer = file();
    newer[8] = 2;
    assert!(read(&newer).unwrap_err().to_string().contains("made by a newer version"));
    for other in [&b""[..], b"EASCAP\r\n", b"EASCAP\n\x01\0\0\0\0", b"{\"log\":{}}....."] {
        assert!(matches!(read(other), Err(EascapError::NotEascap)));
    }
}

#[test]
fn an_impossible_length_is_refused_before_memory_is_asked_for() {
    let mut bytes = EascapWriter::new(Vec::new()).unwrap().into_inner();
    bytes.extend([0xFF; 30]);
    assert!(matches!(read(&bytes), Err(EascapError::Damaged { at: 12, .. })));
}
