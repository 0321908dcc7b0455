use proptest::prelude::*;

use super::*;

const VECTORS: &str = include_str!("../../tests/data/base64-query-vectors.tsv");

/// The column `decoded` of the vectors, from our own fields.
fn summary(line: &QueryLine) -> String {
    let version = line.version.expect("a base64 query has one");
    let command = match line.command.known() {
        Some(Command::Find) => "code 23 (Find)".to_owned(),
        _ => line.command.to_string(),
    };
    let locale = match line.locale {
        Some(0) => "0".to_owned(),
        locale => format!("0x{:04x}", locale.expect("a base64 query has one")),
    };
    let id = match &line.device_id {
        DeviceIdForm::Guid(_) => format!("hex {}", line.device_id),
        id => id.to_string(),
    };
    let key = match line.policy_key {
        None => "none".to_owned(),
        Some(PolicyKey(0)) => "0 (present)".to_owned(),
        Some(key) => key.to_string(),
    };
    let mut text =
        format!("{version} {command} locale={locale} DeviceId={id} key={key} DeviceType={}", line.device_type);
    let options = match (line.save_in_sent, line.accept_multipart) {
        (Some(true), None) => Some("0x01".to_owned()),
        (None, Some(true)) => Some("0x02".to_owned()),
        _ => None,
    };
    let fields = [
        ("AttachmentName", &line.attachment_name),
        ("CollectionId", &line.collection_id),
        ("ItemId", &line.item_id),
        ("LongId", &line.long_id),
        ("Occurrence", &line.occurrence),
        ("Options", &options),
        ("User", &line.user),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            text.push_str(&format!(" {name}={value}"));
        }
    }
    text
}

#[test]
fn all_ten_vectors_read_and_write_alike() {
    let rows: Vec<Vec<&str>> = VECTORS.lines().skip(1).map(|row| row.split('\t').collect()).collect();
    assert_eq!(rows.len(), 10);
    for row in rows {
        let [name, base64, hex, decoded, ..] = row[..] else { panic!("short row") };
        let line = QueryLine::parse(base64).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(summary(&line), decoded, "{name}");
        assert_eq!(line.to_base64().as_deref(), Ok(base64), "{name}");
        assert_eq!(line.form, QueryForm::Base64);
        let bytes: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        assert_eq!(QueryLine::from_bytes(&bytes), Ok(line), "{name}");
    }
}

#[test]
fn every_cut_of_a_vector_is_an_error_or_a_shorter_query_but_never_a_panic() {
    let whole = binary::bytes_of("eQMJBARERVYxBAcAAAACU1ABATUDBDU6NDIHAQEIEGFubmFAZXhhbXBsZS5jb20=").unwrap();
    for end in 0..17 {
        assert!(QueryLine::from_bytes(&whole[..end]).is_err(), "{end}");
    }
    assert_eq!(QueryLine::from_bytes(&whole[..5]), Err(QueryError::EndsInside { field: "the device id", offset: 5 }));
    assert_eq!(
        QueryLine::from_bytes(&whole[..16]).unwrap_err().to_string(),
        "the base64 query ends inside the device type at byte 15"
    );
}

#[test]
fn a_plain_query_is_read_by_name_and_written_in_the_devices_order() {
    let line = QueryLine::parse("User=anna%40example.com&DeviceId=ApplDX3&DeviceType=iPhone&Cmd=Sync").unwrap();
    assert_eq!(line.command, CommandName::Known(Command::Sync));
    assert_eq!(line.user.as_deref(), Some("anna@example.com"));
    use PlainField::*;
    assert_eq!(
        line.to_plain(&[User, DeviceId, DeviceType, Cmd], Escape::All),
        "User=anna%40example.com&DeviceId=ApplDX3&DeviceType=iPhone&Cmd=Sync"
    );
    assert_eq!(
        line.to_plain(&PlainField::STANDARD, Escape::Lenient),
        "Cmd=Sync&User=anna@example.com&DeviceId=ApplDX3&DeviceType=iPhone"
    );
}

#[test]
fn parameters_of_a_command_survive_the_plain_form() {
    let query = "Cmd=SmartReply&User=u&DeviceId=d&DeviceType=t&CollectionId=5&ItemId=5%3A42&SaveInSent=T";
    let line = QueryLine::parse(query).unwrap();
    assert_eq!((line.item_id.as_deref(), line.save_in_sent), (Some("5:42"), Some(true)));
    assert_eq!(line.to_plain(&PlainField::STANDARD, Escape::All), query);
}

#[test]
fn a_plus_in_a_base64_query_is_not_a_space() {
    let mut line = QueryLine::new(Command::Sync, "D", "T");
    line.version = Some(Version::V14_1);
    line.user = Some("\u{fb}~>>???".to_owned());
    let base64 = line.to_base64().unwrap();
    assert!(base64.contains('+') || base64.contains('/'), "{base64}");
    assert_eq!(QueryLine::parse(&base64).unwrap().user, line.user);
    let escaped = base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    assert_eq!(QueryLine::parse(&escaped).unwrap().user, line.user);
}

#[test]
fn strange_queries_are_kept() {
    let line = QueryLine::parse("User=u&DeviceId=d&DeviceType=WP8").unwrap();
    assert_eq!(line.command, CommandName::Absent);
    let line = QueryLine::parse("Cmd=_Sync&User=a&User=b&Foo=1").unwrap();
    assert_eq!(line.command, CommandName::Unknown("_Sync".to_owned()));
    assert_eq!(line.user.as_deref(), Some("a"));
    assert_eq!(line.extra.len(), 2);
    let line = QueryLine::from_bytes(&[141, 5, 9, 4, 1, b'D', 0, 0, 9, 2, 1, 2, 7, 1, 0x80, 7, 1, 0]).unwrap();
    assert_eq!(line.command, CommandName::UnknownCode(5));
    assert_eq!(line.extra.len(), 2);
    assert_eq!((line.save_in_sent, line.accept_multipart), (Some(false), Some(false)));
}

#[test]
fn what_is_no_query_is_refused() {
    assert_eq!(QueryLine::parse(""), Err(QueryError::Empty));
    assert_eq!(QueryLine::parse("%%%"), Err(QueryError::NeitherForm));
    assert_eq!(QueryLine::parse(&"A".repeat(MAX_QUERY + 1)), Err(QueryError::TooLong(MAX_QUERY + 1)));
    assert_eq!(QueryLine::parse(&format!("Cmd=Sync{}", "&a=b".repeat(64))), Err(QueryError::TooManyParameters));
    assert_eq!(QueryLine::from_bytes(&[141, 0, 9, 4, 1, b'D', 3, 1, 2, 3, 0]), Err(QueryError::PolicyKeyLength(3)));
}

#[test]
fn what_does_not_fit_is_not_written() {
    let mut line = QueryLine::new(Command::Sync, "D", "T");
    assert_eq!(line.to_base64(), Err(QueryEncodeError::NoVersion));
    line.version = Some(Version::V14_1);
    line.user = Some("x".repeat(256));
    assert_eq!(line.to_base64(), Err(QueryEncodeError::TooLong { field: "User", length: 256 }));
    line.command = CommandName::Unknown("Hello".to_owned());
    assert_eq!(line.to_base64().unwrap_err().to_string(), "command `Hello` has no code for the base64 query");
}

#[test]
fn a_description_has_a_line_per_field() {
    let text = QueryLine::parse("jRIJBBAAAQIDBAUGBwgJCgsMDQ4PBAEAAAADV1A4").unwrap().describe();
    for line in [
        "protocol version   14.1",
        "command            Ping (code 18)",
        "device id          000102030405060708090a0b0c0d0e0f (16 bytes)",
        "locale             0x0409",
        "policy key         1",
    ] {
        assert!(text.contains(line), "{text}");
    }
}

/// The fixed fields of a query, then parameters with tags that are mostly known and lengths that are mostly right.
fn query_bytes() -> impl Strategy<Value = Vec<u8>> {
    let parameters = proptest::collection::vec((0u8..10, proptest::collection::vec(any::<u8>(), 0..4)), 0..8);
    (any::<[u8; 4]>(), proptest::collection::vec(any::<u8>(), 0..18), parameters, any::<[u8; 2]>()).prop_map(
        |(head, id, parameters, tail)| {
            let mut bytes = head.to_vec();
            bytes.push(u8::try_from(id.len()).unwrap());
            bytes.extend(id);
            bytes.extend([0, 1, b'T']);
            for (tag, value) in parameters {
                bytes.extend([tag, u8::try_from(value.len()).unwrap()]);
                bytes.extend(value);
            }
            if tail[0] < 32 {
                bytes.push(tail[1]);
            }
            bytes
        },
    )
}

proptest! {
    #[test]
    fn no_text_panics(query in "\\PC{0,80}") {
        let _ = QueryLine::parse(&query).map(|line| line.describe());
    }

    #[test]
    fn bytes_that_read_write_back_to_the_same_query(bytes in query_bytes()) {
        if let Ok(line) = QueryLine::from_bytes(&bytes) {
            let again = QueryLine::parse(&line.to_base64().unwrap()).unwrap();
            prop_assert_eq!(again, line);
        }
    }
}
