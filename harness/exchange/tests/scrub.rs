//! Scrubbing: marked contents leave no trace, the same stays the same, and everything can be decoded afterwards.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use easrig_eas::encoding::{gunzip, gzip};
use easrig_eas::query::QueryLine;
use easrig_exchange::{
    Exchange, ExchangeNumber, Failure, Headers, Kind, Origin, Outcome, Request, Response, Scrubber, Sender, Times,
    Timestamp, TlsSession,
};
use easrig_wbxml::{Builder, Document, tags};

const WBXML: &str = "application/vnd.ms-sync.wbxml";

fn exchange(url: &str, headers: &[(&str, &str)], kind: &str, body: Vec<u8>) -> Exchange {
    let mut all = Headers::from_iter(headers.iter().copied());
    all.push("Content-Type", kind);
    Exchange {
        number: ExchangeNumber(1),
        origin: Origin::Live,
        sender: Sender::default(),
        started: Timestamp(0),
        request: Request {
            method: "POST".to_owned(),
            url: url.parse().unwrap(),
            headers: all.clone(),
            body: body.clone(),
        },
        outcome: Outcome::Answered(Response { status: 200, reason: "OK".to_owned(), headers: all, body, cut: None }),
        times: Times::default(),
        tls: None,
    }
}

fn scrubbed(exchange: &Exchange) -> Exchange {
    let mut scrubber = Scrubber::new([9; 32]);
    scrubber.learn(exchange).unwrap();
    let new = scrubber.scrub(exchange.clone()).unwrap();
    assert_eq!(scrubber.scrub(exchange.clone()).unwrap(), new);
    new
}

fn body(kind: &str, bytes: &[u8]) -> Vec<u8> {
    let new = scrubbed(&exchange("https://mail.corp.example/x", &[], kind, bytes.to_vec())).request.body;
    assert_eq!(new.len(), bytes.len(), "{}", String::from_utf8_lossy(&new));
    new
}

fn text(kind: &str, text: &str) -> String {
    String::from_utf8(body(kind, text.as_bytes())).unwrap()
}

fn word(word: &str) -> String {
    text("text/plain", word)
}

#[track_caller]
fn without(text: &str, lost: &[&str]) {
    for lost in lost {
        assert!(!text.to_lowercase().contains(&lost.to_lowercase()), "{lost} in {text}");
    }
}

#[test]
fn a_person_is_one_person_everywhere() {
    let message = format!(
        "From: Bob Miller <bob.miller@corp.example>\r\nTo: =?utf-8?B?{}?= <al@corp.example>\r\n\
         Subject: =?iso-8859-1?Q?F=FCr_Bob?=\r\nMIME-Version: 1.0\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\n\
         Content-Type: multipart/mixed; boundary=\"b-Kanarie\"\r\n\r\n--b-Kanarie\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--b-Kanarie\r\n\
         Content-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
         <p class=3D\"x\">F=FCr B=\r\nob &amp; M&uuml;ller</p>\r\n--b-Kanarie\r\n\
         Content-Type: application/pdf; name=\"Bob.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--b-Kanarie--\r\n",
        STANDARD.encode("Bob Müller"),
        STANDARD.encode("Dear Bob, call +49 151 2345678\r\n"),
        STANDARD.encode(b"%PDF\x01\x02Bob\x00"),
    );
    let document = Builder::new(tags::air_sync::SYNC)
        .leaf(tags::email::FROM, "\"BOB Miller\" <bob.miller@corp.example>")
        .leaf(tags::gal::DISPLAY_NAME, "Bob Miller")
        .open(tags::air_sync_base::BODY)
        .leaf(tags::air_sync_base::TYPE, "4")
        .opaque(tags::air_sync_base::DATA, message.as_bytes())
        .finish();
    let plain = exchange(
        "https://mail.corp.example/Microsoft-Server-ActiveSync?Cmd=Sync&User=CORP%5Cbob.miller&DeviceId=ApplBob17&DeviceType=iPhone",
        &[("User-Agent", "Apple-iPhone/ApplBob17 (corp)"), ("Host", "mail.corp.example:444"), ("X-Odd", "für Bob")],
        WBXML,
        document.encode(),
    );
    let after = scrubbed(&plain);
    let bob = word("bob");
    let miller = word("miller");
    let corp = word("corp");
    assert!(bob != "bob" && miller.len() == 6);

    let new = Document::decode(&after.request.body).unwrap();
    let xml = new.to_xml().to_lowercase();
    assert!(xml.contains(&format!("{bob}.{miller}@{corp}.")), "{xml}");
    assert!(
        xml.contains(&format!("<displayname>{bob} {miller}<")) || xml.contains(&format!(">{bob} {miller}<")),
        "{xml}"
    );
    let url = after.request.url.as_str();
    assert!(url.contains(&format!("%5C{bob}.{miller}&")) && url.contains(&format!(".{corp}.")), "{url}");
    assert!(
        url.contains("/Microsoft-Server-ActiveSync?Cmd=Sync&User=") && url.ends_with("&DeviceType=iPhone"),
        "{url}"
    );
    let line = QueryLine::parse(after.request.query()).unwrap();
    let agent = after.request.headers.get("User-Agent").unwrap();
    assert_eq!(agent, format!("Apple-iPhone/{} ({corp})", line.device_id));
    let host = after.request.headers.get("Host").unwrap();
    assert_eq!(host, format!("{}:444", after.request.url.host_str().unwrap()));
    assert!(after.request.headers.get("X-Odd").unwrap().to_lowercase().ends_with(&format!(" {bob}")));

    let body = new.root().descendants().find(|e| e.tag() == tags::air_sync_base::DATA).unwrap();
    let mail = String::from_utf8(body.bytes().into_owned()).unwrap();
    without(&mail, &["Bob", "Miller", "corp", "Kanarie", "F=FCr", "QmI", &STANDARD.encode("Bob Müller"), "uuml"]);
    let parts: Vec<&str> = mail.split("\r\n").collect();
    assert!(parts.contains(&"Date: Mon, 1 Jan 2024 00:00:00 +0000") && parts.contains(&"MIME-Version: 1.0"), "{mail}");
    let boundary = mail.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(parts.iter().filter(|line| line.starts_with(&format!("--{boundary}"))).count(), 4, "{mail}");
    let encoded = parts.iter().find(|line| line.len() == 44 && STANDARD.decode(line).is_ok()).unwrap();
    let letter = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap().to_lowercase();
    assert!(letter.contains(&format!(" {bob}, ")) && letter.ends_with("\r\n"), "{letter}");
    let encoded = mail.split("=?utf-8?B?").nth(1).unwrap().split('?').next().unwrap();
    let name = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap().to_lowercase();
    assert!(name.starts_with(&format!("{bob} ")) && name.len() == "Bob Müller".len(), "{name}");
    assert!(mail.contains("<p class=3D\"") && mail.contains("</p>"), "{mail}");
}

#[test]
fn documents_keep_their_protocol_ids_and_dates() {
    let document = Builder::new(tags::air_sync::SYNC)
        .open(tags::air_sync::COLLECTIONS)
        .open(tags::air_sync::COLLECTION)
        .leaf(tags::air_sync::SYNC_KEY, "{4b7d90aa-1111-2222-3333-444455556666}42")
        .leaf(tags::air_sync::COLLECTION_ID, "mail/Kanarie")
        .leaf(tags::air_sync::STATUS, "1")
        .open(tags::air_sync::COMMANDS)
        .open(tags::air_sync::ADD)
        .leaf(tags::air_sync::SERVER_ID, "5:17")
        .open(tags::air_sync::APPLICATION_DATA)
        .leaf(tags::email::SUBJECT, "Kanarienvogel")
        .leaf(tags::email::MESSAGE_CLASS, "IPM.Note")
        .leaf(tags::email::DATE_RECEIVED, "2024-01-01T00:00:00.000Z")
        .open(tags::air_sync_base::ATTACHMENTS)
        .open(tags::air_sync_base::ATTACHMENT)
        .leaf(tags::air_sync_base::FILE_REFERENCE, "mail%2fKanarie%3a5%3a17")
        .leaf(tags::air_sync_base::DISPLAY_NAME, "Gehälter 2024.xlsx")
        .finish();
    let before = document.encode();
    let after = Document::decode(&body(WBXML, &before)).unwrap();
    let tags_of = |document: &Document| document.root().descendants().map(|e| e.tag()).collect::<Vec<_>>();
    assert_eq!(tags_of(&after), tags_of(&document));
    let xml = after.to_xml();
    without(&xml, &["4b7d90aa", "Kanarie", "Gehälter", "xlsx"]);
    for stands in ["}42<", ">1<", ">5:17<", ">IPM.Note<", ">2024-01-01T00:00:00.000Z<"] {
        assert!(xml.contains(stands), "{stands} not in {xml}");
    }
    // An id stays a part of those that are made from it.
    let id = xml.split("CollectionId>").nth(1).unwrap().split('<').next().unwrap();
    assert!(xml.contains(&format!("{}%3a5%3a17", id.replace('/', "%2f"))), "{xml}");
}

#[test]
fn a_packed_query_names_the_same_device_as_a_plain_one() {
    let device = [0xAB_u8; 16];
    let mut bytes = vec![141, 0, 9, 4, 16];
    bytes.extend(device);
    bytes.push(4);
    bytes.extend(3_141_592_653_u32.to_le_bytes());
    bytes.extend_from_slice(b"\x02SP\x08\x03bob\x07\x01\x01");
    let packed = format!("https://h.test/Microsoft-Server-ActiveSync?{}", STANDARD.encode(&bytes));
    let plain = format!(
        "https://h.test/Microsoft-Server-ActiveSync?Cmd=Sync&User=bob&DeviceId={}&DeviceType=SP",
        "ab".repeat(16)
    );
    let headers = [("X-MS-PolicyKey", "3141592653")];
    let packed = scrubbed(&exchange(&packed, &headers, WBXML, Vec::new()));
    let plain = scrubbed(&exchange(&plain, &headers, WBXML, Vec::new()));
    let (packed_line, plain_line) =
        (QueryLine::parse(packed.request.query()).unwrap(), QueryLine::parse(plain.request.query()).unwrap());
    assert_eq!(packed_line.device_id.to_string().to_lowercase(), plain_line.device_id.to_string().to_lowercase());
    assert_ne!(plain_line.device_id.to_string(), "ab".repeat(16));
    let after = STANDARD.decode(packed.request.query()).unwrap();
    assert!(after.ends_with(b"\x07\x01\x01") && !after.windows(3).any(|window| window == b"bob"));
    let key = packed.request.headers.get("X-MS-PolicyKey").unwrap();
    assert_ne!(key, "3141592653");
    assert_eq!(after[22..26], key.parse::<u32>().unwrap().to_le_bytes());
}

#[test]
fn headers_are_content_unless_they_are_known() {
    let basic = STANDARD.encode("CORP\\bob:C4n4ry-S3cret");
    let headers = [
        ("Authorization", format!("Basic {basic}")),
        ("Cookie", "a=C4n4ry".to_owned()),
        ("X-FEServer", "KANARIE01".to_owned()),
        ("X-Forwarded-For", "10.1.2.3, 2001:db8::1".to_owned()),
        ("Via", "1.1 proxy.kanarie.example".to_owned()),
        ("WWW-Authenticate", "Basic realm=\"kanarie.example\"".to_owned()),
        ("Location", "https://bob:pw12345@kanarie.example/owa/?access_token=abcdefgh&User=bob#x".to_owned()),
        ("MS-ASProtocolVersions", "2.5,12.0,12.1,14.0,14.1,16.1".to_owned()),
        ("Server", "Microsoft-IIS/10.0".to_owned()),
        ("Date", "Mon, 01 Jan 2024 00:00:00 GMT".to_owned()),
        ("MS-ASProtocolCommands", "Sync,SendMail".to_owned()),
    ];
    let pairs: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let after = scrubbed(&exchange("https://bob:pw12345@h.test/", &pairs, "text/plain", Vec::new()));
    let value = |name: &str| after.request.headers.get(name).unwrap().to_owned();
    let all: String = after.request.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    without(&all, &[&basic, "C4n4ry", "KANARIE", "10.1.2.3", "2001:db8", "pw12345", "abcdefgh", "bob"]);
    assert_eq!(value("Authorization"), "Basic [removed]");
    assert!(value("Location").contains("access_token=[removed]"), "{all}");
    for name in ["MS-ASProtocolVersions", "Server", "Date", "MS-ASProtocolCommands"] {
        let before = headers.iter().find(|(header, _)| *header == name).unwrap();
        assert_eq!(value(name), before.1);
    }
    assert!(value("WWW-Authenticate").starts_with("Basic realm=\""));
    assert!(!after.request.url.as_str().contains("pw12345"));
}

#[test]
fn autodiscover_json_and_pages_keep_their_structure() {
    let xml = text(
        "text/xml",
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/\
         responseschema/2006\"><!-- Kanarie --><Response><User><DisplayName>B&#246;b Kanarie</DisplayName>\
         <EMailAddress>bob@kanarie.example</EMailAddress></User><Action><Settings><Server><Type>MobileSync</Type>\
         <Url>https://mail.kanarie.example/Microsoft-Server-ActiveSync</Url><Note x=\"Kanarie\">+49 151 2345678</Note>\
         <Password>C4n4ry</Password></Server></Settings></Action></Response></Autodiscover>",
    );
    without(&xml, &["Kanarie", "2345678", "C4n4ry", "bob@", "&#246;"]);
    let host = scrubbed(&exchange("https://mail.kanarie.example/", &[], "text/plain", Vec::new()));
    let host = host.request.url.host_str().unwrap();
    assert!(xml.contains(&format!("<Url>https://{host}/Microsoft-Server-ActiveSync</Url>")), "{host} {xml}");
    assert!(xml.contains("<Type>MobileSync</Type>") && xml.contains("responseschema/2006\">"), "{xml}");
    assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"utf-8\"?>"), "{xml}");

    let json = text(
        "application/json",
        r#"{"Protocol":"ActiveSync","Url":"https://kanarie.example/Microsoft-Server-ActiveSync","access_token":"eyCanary","n":{"Kanarie\nvogel":"a\u00e4\\b","tel":4915123456789,"ok":true}}"#,
    );
    without(&json, &["Kanarie", "vogel", "canary", "00e4", "4915123456789"]);
    serde_json::from_str::<serde_json::Value>(&json).unwrap();
    assert!(json.contains(r#""Protocol":"ActiveSync""#) && json.contains(r#""ok":true"#), "{json}");

    let page = text("text/html", "<html><body class=\"Kanarie\"><p>Kanarie &amp; Co</p><kanarie></body></html>");
    without(&page, &["Kanarie"]);
    assert!(page.starts_with("<html><body class=\"") && page.contains("<p>") && page.contains(" &amp; "), "{page}");
    let form = text("application/x-www-form-urlencoded", "username=bob%40kanarie.example&password=C4n4ry&grant_type=x");
    without(&form, &["kanarie", "c4n4ry", "bob"]);
}

#[test]
fn packed_bodies_failures_and_certificates_are_scrubbed_too() {
    let document = Builder::new(tags::air_sync::SYNC).leaf(tags::email::SUBJECT, "Kanarienvogel").finish().encode();
    let packed = gzip(&document);
    let length = packed.len().to_string();
    let before =
        exchange("https://h.test/", &[("Content-Encoding", "gzip"), ("Content-Length", &length)], WBXML, packed);
    let after = scrubbed(&before);
    assert_eq!(after.request.headers.get("Content-Length").unwrap(), after.request.body.len().to_string());
    let unpacked = gunzip(&after.request.body, 1 << 20).unwrap();
    without(&Document::decode(&unpacked).unwrap().to_xml(), &["Kanarie"]);

    // SEQUENCE { OID 2.5.4.3, UTF8String "Kanarie Inc" }, [2] "mail.kanarie.example", INTEGER 65537.
    let mut der = vec![0x30, 42, 0x06, 3, 0x55, 4, 3, 0x0C, 11];
    der.extend_from_slice(b"Kanarie Inc\x82\x14mail.kanarie.example");
    der[1] = u8::try_from(der.len() - 2).unwrap();
    let mut failed = exchange("https://mail.kanarie.example/", &[], "text/plain", Vec::new());
    failed.outcome = Outcome::Failed(Failure::Unreachable {
        host: "mail.kanarie.example".to_owned(),
        port: 443,
        detail: "no route to `mail.kanarie.example` (10.9.8.7), kanarie said".to_owned(),
    });
    failed.tls = Some(TlsSession { chain: vec![der.clone()], ..TlsSession::default() });
    let after = scrubbed(&failed);
    let host = after.request.url.host_str().unwrap();
    let Outcome::Failed(Failure::Unreachable { host: there, detail, .. }) = &after.outcome else { panic!() };
    assert_eq!(there, host);
    assert!(detail.starts_with(&format!("no route to `{host}` (")), "{detail}");
    without(detail, &["kanarie", "10.9.8.7"]);
    let chain = &after.tls.unwrap().chain[0];
    assert_eq!((chain.len(), &chain[..9]), (der.len(), &der[..9]));
    assert!(chain.ends_with(host.as_bytes()), "{}", String::from_utf8_lossy(chain));
    without(&String::from_utf8_lossy(chain), &["kanarie"]);
}

/// An element of DER.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let value = parts.concat();
    let length = u8::try_from(value.len()).map(|length| match length {
        0..0x80 => vec![length],
        _ => vec![0x81, length],
    });
    [vec![tag], length.unwrap_or_else(|_| vec![0x82, (value.len() >> 8) as u8, value.len() as u8]), value].concat()
}

/// A name of organisation and common name.
fn distinguished(organisation: &str, common: &str) -> Vec<u8> {
    let part = |kind: u8, text: &str| {
        let pair = der(0x30, &[&der(0x06, &[&[0x55, 4, kind]]), &der(0x0C, &[text.as_bytes()])]);
        der(0x31, &[&pair])
    };
    der(0x30, &[&part(10, organisation), &part(3, common)])
}

fn certificate(issuer: &[u8], subject: &[u8]) -> Vec<u8> {
    let algorithm = der(0x30, &[&der(0x06, &[&[0x2A, 3]])]);
    let times = der(0x30, &[&der(0x17, &[b"240101000000Z"]), &der(0x17, &[b"340101000000Z"])]);
    let version = der(0xA0, &[&der(0x02, &[&[2]])]);
    let serial = der(0x02, &[&[0x11; 12]]);
    let key = der(0x30, &[&algorithm, &der(0x03, &[&[0; 40]])]);
    let body = der(0x30, &[&version, &serial, &algorithm, issuer, &times, subject, &key]);
    der(0x30, &[&body, &algorithm, &der(0x03, &[&[0x55; 40]])])
}

#[test]
fn issuers_that_everybody_knows_stand_and_their_customers_do_not() {
    let root = distinguished("VeriSign, Inc.", "VeriSign Class 3 Root");
    let middle = distinguished("DigiCert Inc", "Kanarie Managed CA 7");
    let leaf = distinguished("Kanarie GmbH", "mail.kanarie.example");
    let known = vec![certificate(&middle, &leaf), certificate(&root, &middle), certificate(&root, &root)];
    let mut before = exchange("https://mail.kanarie.example/", &[], "text/plain", Vec::new());
    before.tls = Some(TlsSession { chain: known.clone(), ..TlsSession::default() });
    let mut scrubber = Scrubber::new([9; 32]).keep_issuer("Nordstern Trust");
    scrubber.learn(&before).unwrap();
    let chain = scrubber.scrub(before.clone()).unwrap().tls.unwrap().chain;
    let text = |der: &[u8]| String::from_utf8_lossy(der).into_owned();
    for (before, after) in known.iter().zip(&chain) {
        assert_eq!((before.len(), &before[..4]), (after.len(), &after[..4]));
        without(&text(after), &["kanarie"]);
    }
    assert!(
        text(&chain[0]).contains("DigiCert Inc") && text(&chain[1]).contains("DigiCert Inc"),
        "{}",
        text(&chain[1])
    );
    assert!(text(&chain[2]).matches("VeriSign Class 3 Root").count() == 2);
    let issuers: Vec<&str> = scrubber.issuers().collect();
    assert!(issuers.contains(&"VeriSign, Inc., VeriSign Class 3 Root") && issuers.len() == 2, "{issuers:?}");
    without(&issuers.join(" "), &["kanarie"]);

    // A company's own authority, and one whose name only contains a known one.
    for own in ["Kanarie Root Authority", "Kanarie DigiCert Test", "DigiCertified Kanarie"] {
        let own = distinguished(own, "Kanarie CA");
        before.tls = Some(TlsSession { chain: vec![certificate(&own, &leaf)], ..TlsSession::default() });
        let after = scrubbed(&before).tls.unwrap().chain;
        without(&text(&after[0]), &["kanarie", "digicert"]);
    }
    // One that a persona's file names.
    let own = distinguished("Nordstern Trust AG", "Nordstern 1");
    before.tls = Some(TlsSession { chain: vec![certificate(&own, &leaf)], ..TlsSession::default() });
    assert!(text(&scrubber.scrub(before).unwrap().tls.unwrap().chain[0]).contains("Nordstern Trust AG"));
}

#[test]
fn a_document_that_breaks_off_is_scrubbed_up_to_its_end() {
    let whole = Builder::new(tags::air_sync::SYNC).leaf(tags::email::SUBJECT, "Kanarienvogel").finish().encode();
    for cut in 0..whole.len() {
        let mut bytes = whole[..cut].to_vec();
        bytes.extend_from_slice(b"\xFF\xFFKanarienvogel");
        without(&String::from_utf8_lossy(&body(WBXML, &bytes)), &["Kanarienvogel"]);
    }
}

#[test]
fn what_was_replaced_is_counted_and_never_named() {
    let mut scrubber = Scrubber::new([9; 32]).keep_domain("kept.example").keep_map();
    let before = exchange(
        "https://mail.kept.example/x?Cmd=Sync&User=bob&DeviceId=ApplBob17&DeviceType=iPhone",
        &[],
        "text/plain",
        b"bob@kept.example, al@corp.example, bob@kept.example".to_vec(),
    );
    scrubber.learn(&before).unwrap();
    assert_eq!(scrubber.tally().replaced().count(), 0);
    let after = scrubber.scrub(before).unwrap();
    assert!(after.request.url.as_str().contains(".kept.example/"));
    let counts: Vec<_> = scrubber.tally().replaced().map(|line| (line.kind, line.distinct, line.occurrences)).collect();
    assert!(counts.contains(&(Kind::Device, 1, 1)), "{counts:?}");
    assert!(counts.contains(&(Kind::Address, 3, 7)), "{counts:?}");
    let map: Vec<(Kind, String)> =
        scrubber.pseudonyms().map(|name| (name.kind, format!("{}={}", name.original, name.pseudonym))).collect();
    let bob = map.iter().find(|(_, line)| line.starts_with("bob@kept.example=")).unwrap();
    assert!(
        bob.1.ends_with("@kept.example")
            && String::from_utf8_lossy(&after.request.body).contains(bob.1.split('=').nth(1).unwrap())
    );
    assert!(map.iter().any(|(kind, line)| *kind == Kind::Device && line.starts_with("applbob17=")), "{map:?}");
}
