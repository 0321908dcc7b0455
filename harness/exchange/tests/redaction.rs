//! The canary: marked secrets and contents go through the tap and the file, and leave no trace.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use easrig_eas::Version;
use easrig_eas::encoding::{gunzip, gzip};
use easrig_eas::multipart::Multipart;
use easrig_eas::query::QueryLine;
use easrig_exchange::{
    Content, EascapWriter, Exchange, ExchangeNumber, Headers, Origin, Outcome, Redactor, Request, Response, Secret,
    Sender, Times, Timestamp,
};
use easrig_wbxml::{Builder, Document, tags};

const WBXML: &str = "application/vnd.ms-sync.wbxml";
const SECRET: &str = "C4n4ry-S3cret";
const CONTENT: &str = "Kanarienvogel";
const DEVICE: &str = "CANARYDEVICE01";
const KEY: &str = "3141592653";

fn redactor(content: Content) -> Redactor {
    Redactor::new([9; 32], content).keep_name("alice@easrig.test").keep_name("alice").forget(Secret::new(SECRET))
}

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

fn with_body(kind: &str, body: &[u8]) -> Exchange {
    exchange("https://mail.easrig.test/x", &[], kind, body.to_vec())
}

fn masked_body(kind: &str, body: &[u8]) -> Vec<u8> {
    redactor(Content::Masked).redact(with_body(kind, body)).request.body
}

fn saved(exchange: &Exchange) -> Vec<u8> {
    let mut writer = EascapWriter::new(Vec::new()).unwrap();
    writer.write(exchange).unwrap();
    writer.into_inner()
}

fn holds(bytes: &[u8], canary: &str) -> bool {
    let lower = bytes.to_ascii_lowercase();
    memchr::memmem::find(&lower, canary.to_ascii_lowercase().as_bytes()).is_some()
}

fn settings() -> Document {
    Builder::new(tags::settings::SETTINGS)
        .open(tags::settings::DEVICE_PASSWORD)
        .open(tags::settings::SET)
        .leaf(tags::settings::PASSWORD, "W3lcome-P1n")
        .close()
        .close()
        .open(tags::settings::DEVICE_INFORMATION)
        .leaf(tags::settings::MODEL, "Nokia 800")
        .leaf(tags::settings::IMEI, DEVICE)
        .leaf(tags::settings::PHONE_NUMBER, "+49 151 2345678")
        .finish()
}

fn sync() -> Document {
    Builder::new(tags::air_sync::SYNC)
        .open(tags::air_sync::COLLECTIONS)
        .open(tags::air_sync::COLLECTION)
        .leaf(tags::air_sync::SYNC_KEY, "{4b7d}42")
        .leaf(tags::air_sync::COLLECTION_ID, "5")
        .leaf(tags::air_sync::STATUS, "1")
        .open(tags::air_sync::COMMANDS)
        .open(tags::air_sync::ADD)
        .leaf(tags::air_sync::SERVER_ID, "5:17")
        .open(tags::air_sync::APPLICATION_DATA)
        .leaf(tags::email::SUBJECT, CONTENT)
        .leaf(tags::email::FROM, "\"Bob\" <bob@corp.example>")
        .leaf(tags::email::TO, "alice@easrig.test")
        .leaf(tags::email::DATE_RECEIVED, "2024-01-01T00:00:00.000Z")
        .open(tags::air_sync_base::BODY)
        .leaf(tags::air_sync_base::TYPE, "1")
        .leaf(tags::air_sync_base::DATA, &format!("Dear Alice,\r\n{CONTENT}"))
        .finish()
}

#[test]
fn headers_lose_credentials_and_keep_their_order() {
    let basic = STANDARD.encode(format!("alice:{SECRET}"));
    let headers = [
        ("authorization", format!("Basic {basic}")),
        ("Cookie", format!("a={SECRET}")),
        ("Set-Cookie", "X-BackEndCookie=opaque-session".to_owned()),
        ("X-MS-PolicyKey", KEY.to_owned()),
        ("x-user-identity", "bob@corp.example".to_owned()),
        ("X-Access-Token", "opaque-token".to_owned()),
        ("X-Echo", format!("you said {SECRET}")),
        ("WWW-Authenticate", "Basic realm=\"\"".to_owned()),
        ("Location", format!("https://bob:pw@h.test/x?access_token=abc&User=bob&DeviceId={DEVICE}")),
    ];
    let pairs: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    for content in [Content::Masked, Content::Kept] {
        let out = redactor(content).redact(exchange("https://bob:pw@h.test/", &pairs, "text/plain", Vec::new()));
        let bytes = saved(&out);
        for lost in [SECRET, &basic, KEY, "opaque-session", "opaque-token", "pw@", "abc", DEVICE] {
            assert!(!holds(&bytes, lost), "{lost} is left");
        }
        let names: Vec<&str> = out.request.headers.iter().map(|(name, _)| name).collect();
        assert_eq!(names[..9], headers.each_ref().map(|(name, _)| *name));
        assert_eq!(out.request.headers.get("Authorization"), Some("Basic [removed]"));
        assert_eq!(out.request.headers.get("WWW-Authenticate"), Some("Basic realm=\"\""));
        assert_eq!(out.request.headers.get("x-user-identity") == Some("bob@corp.example"), content == Content::Kept);
    }
}

#[test]
fn both_forms_of_the_query_give_one_device_and_one_policy_key() {
    let mut bytes = vec![141, 0, 9, 4, u8::try_from(DEVICE.len()).unwrap()];
    bytes.extend_from_slice(DEVICE.as_bytes());
    bytes.push(4);
    bytes.extend(KEY.parse::<u32>().unwrap().to_le_bytes());
    bytes.extend_from_slice(b"\x02SP\x08\x03bob\x07\x01\x01");
    let packed = format!("https://h.test/Microsoft-Server-ActiveSync?{}", STANDARD.encode(&bytes));
    let plain = format!("https://h.test/m?Cmd=Sync&User=DOM%5Calice&DeviceId={DEVICE}&DeviceType=SP&Zusatz=bob");
    let redactor = redactor(Content::Masked);
    let out = redactor.redact(exchange(&packed, &[], WBXML, Vec::new()));
    let after = STANDARD.decode(out.request.query()).unwrap();
    assert_eq!(after.len(), bytes.len());
    assert_eq!(after[..5], bytes[..5]);
    assert_eq!(after[5..19], *redactor.device_id(DEVICE).as_bytes());
    assert_eq!(after[20..24], redactor.policy_key(KEY.parse().unwrap()).to_le_bytes());
    assert!(after.ends_with(b"\x07\x01\x01") && !holds(&after, "bob"));

    let out = redactor.redact(exchange(&plain, &[("X-MS-PolicyKey", KEY)], WBXML, Vec::new()));
    let query = out.request.query();
    assert!(query.starts_with("Cmd=Sync&User="), "{query}");
    assert!(
        query.contains(&format!("%5Calice&DeviceId={}&DeviceType=SP&Zusatz=", redactor.device_id(DEVICE))),
        "{query}"
    );
    assert!(!query.contains("DOM") && !query.contains("bob"));
    let key = redactor.policy_key(KEY.parse().unwrap()).to_string();
    assert_eq!(out.request.headers.get("x-ms-policykey"), Some(key.as_str()));
    assert_eq!(key.len(), KEY.len());
}

#[test]
fn a_document_keeps_its_protocol_and_loses_its_words() {
    let before = sync().encode();
    let after = masked_body(WBXML, &before);
    assert_eq!(after.len(), before.len());
    let xml = Document::decode(&after).unwrap().to_xml();
    for lost in [CONTENT, "Bob", "corp", "Dear"] {
        assert!(!xml.contains(lost), "{lost} in {xml}");
    }
    for stands in ["{4b7d}42", "5:17", ">alice@easrig.test<", "2024-01-01T00:00:00.000Z"] {
        assert!(xml.contains(stands), "{stands} not in {xml}");
    }
    assert_eq!(redactor(Content::Kept).redact(with_body(WBXML, &before)).request.body, before);
    let again = masked_body(WBXML, &before);
    assert_eq!(after, again, "equal contents have equal filler");
}

#[test]
fn device_passwords_go_even_when_contents_are_kept() {
    for content in [Content::Masked, Content::Kept] {
        let out = redactor(content).redact(with_body(WBXML, &settings().encode()));
        let xml = Document::decode(&out.request.body).unwrap().to_xml();
        assert!(!xml.contains("W3lcome-P1n") && !xml.contains(DEVICE), "{xml}");
        assert!(xml.contains("Nokia 800") && xml.contains(&redactor(content).device_id(DEVICE)), "{xml}");
        assert_eq!(xml.contains("+49 151"), content == Content::Kept);
    }
}

#[test]
fn policy_keys_in_bodies_match_those_in_headers() {
    let document = |key: &str| {
        let mut out = Builder::new(tags::provision::PROVISION);
        out.open(tags::provision::POLICIES).open(tags::provision::POLICY).leaf(tags::provision::POLICY_KEY, key);
        out.finish().encode()
    };
    let pseudonym = redactor(Content::Masked).policy_key(KEY.parse().unwrap()).to_string();
    assert_eq!(masked_body(WBXML, &document(KEY)), document(&pseudonym));
    assert_eq!(masked_body(WBXML, &document("0")), document("0"));
    let odd = masked_body(WBXML, &document("not-a-number"));
    assert!(!holds(&odd, "not-a-number"));
}

#[test]
fn a_broken_document_is_masked_from_the_break_on() {
    let whole = sync().encode();
    for cut in 0..whole.len() {
        let mut body = whole[..cut].to_vec();
        body.extend_from_slice(b"\xFF\xFF");
        body.extend_from_slice(CONTENT.as_bytes());
        let after = masked_body(WBXML, &body);
        assert_eq!(after.len(), body.len());
        assert!(!holds(&after, CONTENT), "cut at {cut}");
    }
}

#[test]
fn packed_multipart_xml_json_and_unknown_bodies_are_masked() {
    let part = format!("Subject: {CONTENT}\r\n\r\n{CONTENT}");
    let parts = Multipart::build(&[&sync().encode(), part.as_bytes(), CONTENT.as_bytes()]).unwrap();
    let masked = masked_body("application/vnd.ms-sync.multipart", &parts);
    assert!(masked.len() == parts.len() && !holds(&masked, CONTENT) && holds(&masked, "Subject: "));
    assert_eq!(Multipart::parse(&masked).unwrap().answer().len(), sync().encode().len());

    let xml = format!(
        "<?xml version=\"1.0\"?><A><!-- {CONTENT} --><EMailAddress>alice@easrig.test</EMailAddress><DisplayName>{CONTENT}\
         </DisplayName><Url>https://h.test/</Url><x:Password>W3lcome</x:Password><B><![CDATA[{CONTENT}]]></B></A>"
    );
    let masked = masked_body("text/xml; charset=utf-8", xml.as_bytes());
    let text = std::str::from_utf8(&masked).unwrap();
    assert!(text.len() == xml.len() && !text.contains(CONTENT) && !text.contains("W3lcome"), "{text}");
    assert!(text.contains(">alice@easrig.test</EMailAddress><DisplayName>") && text.contains("<Url>https://h.test/<"));

    let json =
        format!(r#"{{"access_token" : "ey{SECRET}","expires_in":3600,"name":"{CONTENT}\"x","Protocol":"ActiveSync"}}"#);
    for content in [Content::Masked, Content::Kept] {
        let out = redactor(content).redact(with_body("application/json", json.as_bytes())).request.body;
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains(r#""access_token" : "****"#) && text.contains(r#","expires_in":3600,"name":""#),
            "{text}"
        );
        assert!(text.ends_with(r#","Protocol":"ActiveSync"}"#) && text.contains(CONTENT) == (content == Content::Kept));
    }

    assert!(!holds(&masked_body("text/html", CONTENT.as_bytes()), CONTENT));
    assert!(!holds(&masked_body("message/rfc822", part.as_bytes()), CONTENT));

    let mut packed = with_body(WBXML, &gzip(&sync().encode()));
    packed.request.headers.push("Content-Encoding", "gzip");
    let unpacked = gunzip(&redactor(Content::Masked).redact(packed).request.body, 1 << 20).unwrap();
    assert!(Document::decode(&unpacked).is_ok() && !holds(&unpacked, CONTENT));
}

#[test]
fn a_known_secret_goes_wherever_it_stands() {
    let echo = format!("you sent {SECRET} twice: {SECRET}");
    for kind in ["text/plain", "application/json", "text/xml", WBXML, "message/rfc822"] {
        let out = redactor(Content::Kept).redact(with_body(kind, echo.as_bytes()));
        assert!(!holds(&saved(&out), SECRET), "{kind}");
    }
}

#[test]
fn a_body_that_nobody_can_look_into_is_masked_whatever_is_kept() {
    for coding in ["gzip", "deflate", "br"] {
        let mut packed = with_body(WBXML, format!("no {coding}: {SECRET}").as_bytes());
        packed.request.headers.push("Content-Encoding", coding);
        let out = redactor(Content::Kept).redact(packed.clone()).request.body;
        assert!(!holds(&out, SECRET) && out.len() == packed.request.body.len(), "{coding}");
    }
}

#[test]
fn a_message_inside_a_document_keeps_its_fields() {
    let message = format!("From: bob@corp.example\r\nTo: alice@easrig.test\r\nSubject: {CONTENT}\r\n\r\n{CONTENT}\r\n");
    let sent = Builder::new(tags::compose_mail::SEND_MAIL)
        .leaf(tags::compose_mail::CLIENT_ID, "c-1")
        .opaque(tags::compose_mail::MIME, message.as_bytes())
        .finish();
    let after = Document::decode(&masked_body(WBXML, &sent.encode())).unwrap();
    let mime = after.root().child(tags::compose_mail::MIME).unwrap().bytes().into_owned();
    assert_eq!(mime.len(), message.len());
    assert!(holds(&mime, "\r\nTo: alice@easrig.test\r\nSubject: ") && !holds(&mime, CONTENT) && !holds(&mime, "bob"));
    assert_eq!(after.root().child_text(tags::compose_mail::CLIENT_ID).unwrap(), "c-1");
}

#[test]
fn damaged_bodies_of_every_kind_are_masked_without_a_panic() {
    let json = format!(r#"{{"a":"{CONTENT}","b":["\"","x\\"],"c":{{"d":1}}}}"#);
    let xml = format!("<a x='1'><b>{CONTENT}</b><!-- x --><![CDATA[y]]></a>");
    let mime = format!("Content-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\nSubject: {CONTENT}\r\n\r\n--q--\r\n");
    let parts = Multipart::build(&[&sync().encode(), mime.as_bytes()]).unwrap();
    let bodies: [(&str, Vec<u8>); 5] = [
        (WBXML, sync().encode()),
        ("application/json", json.into_bytes()),
        ("text/xml", xml.into_bytes()),
        ("message/rfc822", mime.into_bytes()),
        ("application/vnd.ms-sync.multipart", parts),
    ];
    for (kind, body) in bodies {
        for at in 0..body.len() {
            for flip in [0x01, 0x80, 0xFF] {
                let mut damaged = body.clone();
                damaged[at] ^= flip;
                assert_eq!(masked_body(kind, &damaged).len(), body.len(), "{kind} at {at}");
            }
            masked_body(kind, &body[..at]);
        }
    }
}

#[test]
fn an_attachments_name_is_masked_alike_in_the_mail_and_in_the_query() {
    let name = "Inbox/Käse 1%3a0.EML/plan (2).doc";
    let mail = Builder::new(tags::air_sync::SYNC).leaf(tags::email::ATT_NAME, name).finish();
    let plain = "Cmd=GetAttachment&AttachmentName=Inbox%2FK%C3%A4se%201%253a0.EML/plan%20(2).doc";
    let mut packed = QueryLine::parse(plain).unwrap();
    packed.version = Some(Version::V12_1);
    assert_eq!(packed.attachment_name.as_deref(), Some(name));
    for query in [plain.to_owned(), packed.to_base64().unwrap()] {
        let url = format!("https://mail.easrig.test/Microsoft-Server-ActiveSync?{query}");
        let masked = redactor(Content::Masked).redact(exchange(&url, &[], WBXML, mail.encode()));
        let document = Document::decode(&masked.request.body).unwrap();
        let told = document.root().child_text(tags::email::ATT_NAME).unwrap().into_owned();
        let asked = QueryLine::parse(masked.request.query()).unwrap().attachment_name.unwrap();
        assert_eq!((asked.as_str(), asked.len()), (told.as_str(), name.len()), "{query}");
        assert!(!told.contains("plan") && !masked.request.query().contains("plan"), "{told}");
    }
}
