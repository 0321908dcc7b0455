use easrig_exchange::{Phase, Timestamp};

use super::*;
use crate::{
    Confidence,
    decoded::tests::{answer, exchange},
    model::OwnerKind,
    owner::{OwnerFolder, OwnerItem},
};

fn scenario(expect: &str) -> Scenario {
    let text = format!(
        "id = \"a/b\"\ntitle = \"t\"\nreq = [\"MS-ASCMD_R4771\"]\neffects = \"reads\"\n\
         [[step]]\nsend = \"Sync\"\nempty = true\n{expect}"
    );
    Scenario::parse("a/b", &text).map_err(|e| format!("{e:?}")).expect("a good file")
}

fn judged(expect: &str, exchange: &Exchange) -> (Judgement, Variables) {
    let scenario = scenario(expect);
    let decoded = Decoded::of(exchange);
    let mut variables = Variables::new("easrig-1", Timestamp(0));
    let evidence = Evidence { exchange: Some((exchange, &decoded)), ..Evidence::default() };
    let judgement = judge(&scenario, &scenario.steps[0], &evidence, &mut variables);
    (judgement, variables)
}

fn words(expect: &str, exchange: &Exchange) -> Vec<String> {
    let (judgement, _) = judged(expect, exchange);
    assert_eq!(judgement.inconclusive, None);
    judgement.findings.into_iter().map(|finding| format!("{} | {}", finding.expected, finding.actual)).collect()
}

fn sync(collection: &str) -> Exchange {
    let xml =
        format!(r#"<Sync xmlns="AirSync"><Collections><Collection>{collection}</Collection></Collections></Sync>"#);
    exchange("Sync", "14.1", "", &xml)
}

fn http(status: u16) -> Exchange {
    let mut exchange = exchange("Sync", "14.1", "", "");
    answer(&mut exchange).status = status;
    exchange
}

#[test]
fn what_is_as_expected_leaves_no_finding_and_saves() {
    let exchange = sync("<SyncKey>k2</SyncKey><CollectionId>5</CollectionId><Status>1</Status>");
    let expect = "[step.expect]\nhttp = 200\nstatus = 1\nroot = \"Sync\"\nempty = false\nelement = [\n\
        { at = \"**/SyncKey\", not = 0, save = \"key\" },\n\
        { at = \"**/Collection[SyncKey={key}]/CollectionId\", equals = 5, type = \"integer\", max = 5 },\n\
        { at = \"**/MoreAvailable\", absent = true }, ]";
    let (judgement, variables) = judged(expect, &exchange);
    assert!(judgement.holds(), "{judgement:?}");
    assert_eq!(variables.get(Role::Phone, "key"), Some("k2"));
}

#[test]
fn bytes_are_saved_in_hex_and_fit_into_an_opaque_part() {
    let exchange = sync(
        "<Commands><Add><ApplicationData><ConversationId xmlns=\"Email2\"><?opaque ff00a1?></ConversationId>\
         </ApplicationData></Add></Commands>",
    );
    let (_, variables) =
        judged("[step.expect]\nelement = [{ at = \"**/ConversationId\", save = \"talk\" }]", &exchange);
    let body = "<ConversationId xmlns=\"Email2\"><?opaque {talk}?></ConversationId>";
    let filled = variables.substitute_xml(Role::Phone, body).expect("it is saved");
    let document = easrig_wbxml::Document::from_xml(&filled).expect("a document");
    assert_eq!(document.root().bytes().as_ref(), [0xff, 0x00, 0xa1]);
}

#[test]
fn a_finding_says_both_sides_in_words() {
    let exchange = sync("<SyncKey>0</SyncKey><Status>3</Status>");
    assert_eq!(
        words("[step.expect]\nstatus = 1\nelement = [{ at = \"**/SyncKey\", not = 0 }]", &exchange),
        [
            "Status 1 (Collection processed) | HTTP 200 with Status 3 (Collection key wrong or state lost)",
            "`**/SyncKey` to be other than `0` | `0`"
        ]
    );
    assert_eq!(
        words("[step.expect]\nelement = [{ at = \"**/MoreAvailable\" }]", &exchange),
        [
            "`**/MoreAvailable` in the answer | it is not there: HTTP 200 with Status 3 (Collection key wrong or state lost)"
        ]
    );
    let (judgement, _) = judged("[step.expect]\nstatus = 1", &exchange);
    assert_eq!(judgement.findings[0].requirement, "MS-ASCMD_R4771");
    assert_eq!(judgement.findings[0].exchange, Some(ExchangeNumber(7)));
}

#[test]
fn both_forms_of_a_status_pass_and_the_one_seen_is_noted() {
    let expect = "[step.expect]\nstatus = [142, 144]\nelement = [{ at = \"**/Status\", equals = 142 }]";
    let (judgement, _) = judged(expect, &http(449));
    assert!(judgement.holds(), "{judgement:?}");
    assert_eq!(judgement.notes.len(), 1);
    assert!(judgement.notes[0].starts_with("HTTP 449 seen, which stands for Status 142"));

    let in_band = exchange("Sync", "14.1", "", r#"<Sync xmlns="AirSync"><Status>142</Status></Sync>"#);
    let (judgement, _) = judged("[step.expect]\nhttp = 449", &in_band);
    assert!(judgement.holds() && judgement.notes.len() == 1, "{judgement:?}");

    assert_eq!(words("[step.expect]\nstatus = 1", &http(449)).len(), 1);
    assert_eq!(words("[step.expect]\nhttp = 200", &http(449)), ["HTTP 200 | HTTP 449 without a body"]);
}

#[test]
fn a_server_that_cannot_answer_is_inconclusive_unless_that_is_expected() {
    for status in [401, 502, 503, 504] {
        let (judgement, _) = judged("[step.expect]\nstatus = 1", &http(status));
        assert!(judgement.inconclusive.is_some(), "{status}");
    }
    assert!(judged("[step.expect]\nhttp = 503", &http(503)).0.holds());
    assert!(judged("[step.expect]\nstatus = 111", &http(503)).0.holds());
    let busy = exchange("Sync", "14.1", "", r#"<Sync xmlns="AirSync"><Status>111</Status></Sync>"#);
    assert!(judged("[step.expect]\nhttp = 503", &busy).0.holds());
    assert!(judged("[step.expect]\nstatus = 1", &busy).0.inconclusive.is_some());
    assert!(judged("login = \"wrong-user\"\n[step.expect]\nhttp = 200", &http(401)).0.inconclusive.is_none());
    assert_eq!(words("[step.expect]\nstatus = 1", &http(500)).len(), 1);
}

#[test]
fn no_answer_is_inconclusive_but_late_is_late() {
    let mut exchange = http(200);
    exchange.outcome = Outcome::Failed(Failure::Closed);
    let (judgement, _) = judged("[step.expect]\nstatus = 1", &exchange);
    assert_eq!(judgement.inconclusive.as_deref(), Some("the connection was closed before an answer"));
    exchange.outcome = Outcome::Failed(Failure::Timeout { phase: Phase::FirstByte, seconds: 60 });
    exchange.times.done = 60_000_000;
    assert_eq!(words("[step.expect]\nwithin_s = 30", &exchange), ["an answer within 30 s | no answer after 60.0 s"]);
    let mut cut = sync("<Status>1</Status>");
    answer(&mut cut).cut = Some("connection closed".to_owned());
    assert!(judged("[step.expect]\nstatus = 1", &cut).0.inconclusive.is_some());
}

#[test]
fn one_alternative_in_full_is_enough_and_none_is_one_finding() {
    let any = "[[step.any]]\nname = \"refused\"\nstatus = 3\n[[step.any]]\nname = \"again\"\nstatus = 1\n\
        element = [{ at = \"**/SyncKey\", save = \"key\" }]";
    let (judgement, variables) = judged(any, &sync("<SyncKey>9</SyncKey><Status>1</Status>"));
    assert_eq!(judgement.alternative_seen.as_deref(), Some("again"));
    assert_eq!(variables.get(Role::Phone, "key"), Some("9"));
    let (judgement, variables) = judged(any, &sync("<Status>1</Status>"));
    assert_eq!(judgement.findings.len(), 1);
    assert_eq!(judgement.findings[0].expected, "one of: refused; again");
    assert_eq!(variables.get(Role::Phone, "key"), None);
}

#[test]
fn counts_and_types_are_judged() {
    let exchange = sync("<SyncKey>x</SyncKey><Status>1</Status>");
    let broken =
        |test: &str| words(&format!("[step.expect]\nelement = [{{ at = \"**/SyncKey\", {test} }}]"), &exchange);
    assert!(
        broken("count = 1, matches = \"^[a-z]$\", one_of = [\"x\", \"y\"], bytes = 1, contains = \"x\"").is_empty()
    );
    for test in [
        "count = 2",
        "max_count = 0",
        "min_count = 2",
        "type = \"integer\"",
        "type = \"boolean\"",
        "type = \"datetime\"",
        "type = \"base64\"",
        "type = \"opaque\"",
        "min = 1",
        "max = 1",
        "bytes = 0",
        "contains = \"z\"",
        "equals = \"y\"",
    ] {
        assert_eq!(broken(test).len(), 1, "{test}");
    }
}

#[test]
fn an_error_page_lacks_nothing_and_is_still_no_answer() {
    let absent = "[step.expect]\nelement = [{ at = \"**/MoreAvailable\", absent = true }]";
    assert!(words(absent, &http(200)).is_empty());
    assert_eq!(words(absent, &http(500)).len(), 1);
    assert!(words(&format!("{absent}\nhttp = 500"), &http(500)).is_empty());
}

#[test]
fn headers_are_judged_whatever_their_case() {
    let mut exchange = sync("<Status>1</Status>");
    answer(&mut exchange).headers.push("ms-asprotocolversions", "12.1,14.1");
    let header = |test: &str| words(&format!("[step.expect]\nheader = [{{ {test} }}]"), &exchange);
    assert!(header("name = \"MS-ASProtocolVersions\", contains = \"14.1\", matches = \"^12\"").is_empty());
    assert_eq!(header("name = \"MS-ASProtocolVersions\", contains = \"16.1\"").len(), 1);
    assert_eq!(header("name = \"MS-ASProtocolVersions\", absent = true").len(), 1);
    assert_eq!(header("name = \"X-MS-RP\"").len(), 1);
    assert!(header("name = \"X-MS-RP\", absent = true").is_empty());
}

struct Screen(Vec<OwnerItem>);

impl OwnerView for Screen {
    fn items(&self) -> Vec<OwnerItem> {
        self.0.clone()
    }

    fn folders(&self) -> Vec<OwnerFolder> {
        vec![
            OwnerFolder { id: "5".to_owned(), name: "Posteingang".to_owned(), kind: 2 },
            OwnerFolder { id: "6".to_owned(), name: "Gesendet".to_owned(), kind: 5 },
        ]
    }

    fn synchronises(&self, word: &str) -> bool {
        word != "notes"
    }
}

fn screen() -> Screen {
    Screen(vec![OwnerItem {
        kind: OwnerKind::Mail,
        folder: "5".to_owned(),
        subject: "easrig-1 hi".to_owned(),
        from: "Bob <bob@easrig.test>".to_owned(),
        read: false,
        flagged: false,
        body: "hello".to_owned(),
        formatted: Some(false),
        attachments: vec!["a.bin".to_owned()],
        enclosed: vec!["the minutes".to_owned()],
    }])
}

fn judged_on(screen: &Screen, steps: &str) -> Judgement {
    let scenario = scenario(steps);
    let evidence = Evidence { owner: Some(screen), ..Evidence::default() };
    judge(&scenario, &scenario.steps[0], &evidence, &mut Variables::new("easrig-1", Timestamp(0)))
}

#[test]
fn what_the_owner_should_have_besides_is_a_loss_and_no_finding() {
    let mail = "[step.expect]\nowner = [{ sees = \"mail\" }]\n";
    let loss = |owner: &str| format!("{mail}[[step.loss]]\nname = \"less\"\nowner = [{{ {owner} }}]");
    let lost = |owner: &str| {
        let judgement = judged_on(&screen(), &loss(owner));
        assert!(judgement.holds(), "{judgement:?}");
        judgement.losses.into_iter().map(|loss| loss.what).collect::<Vec<_>>()
    };
    assert_eq!(lost("sees = \"mail\", attachment = \"a.bin\""), [""; 0]);
    assert_eq!(lost("sees = \"mail\", attachment = \"b.bin\""), ["less (its attachments are a.bin)"]);
    assert_eq!(lost("sees = \"mail\", formatted = true"), ["less (it is plain text)"]);
    assert_eq!(lost("sees = \"folder\", folder = \"tasks\", if_synced = true"), ["less (it is not on the device)"]);
    assert_eq!(lost("sees = \"folder\", folder = \"notes\", if_synced = true"), [""; 0], "nobody misses it");
    let unasked = Screen(vec![OwnerItem { formatted: None, ..screen().0.remove(0) }]);
    assert!(judged_on(&unasked, &loss("sees = \"mail\", formatted = true")).losses.is_empty());
    let failed = judged_on(&Screen(Vec::new()), &loss("sees = \"mail\", attachment = \"a.bin\""));
    assert!(failed.losses.is_empty() && !failed.findings.is_empty(), "who got nothing has lost nothing besides");
}

fn seen(owner: &str) -> Vec<String> {
    let screen = screen();
    let scenario = scenario(&format!("[step.expect]\nowner = [{{ {owner} }}]"));
    let mut variables = Variables::new("easrig-1", Timestamp(0));
    let evidence = Evidence { owner: Some(&screen), ..Evidence::default() };
    let judgement = judge(&scenario, &scenario.steps[0], &evidence, &mut variables);
    judgement.findings.into_iter().map(|finding| format!("{} | {}", finding.expected, finding.actual)).collect()
}

#[test]
fn the_owners_screen_is_judged_in_the_owners_words() {
    assert!(
        seen("sees = \"mail\", subject = \"{tag} hi\", folder = \"inbox\", read = false, from = \"BOB\"").is_empty()
    );
    assert!(seen("sees = \"folder\", folder = \"sent\"").is_empty());
    assert!(seen("not_sees = \"mail\", subject = \"other\"").is_empty());
    assert!(seen("sees = \"mail\", attachment = \"a.bin\", body_contains = \"ell\", count = 1").is_empty());
    assert!(seen("sees = \"mail\", carries = \"ell\"").is_empty());
    assert!(seen("sees = \"mail\", carries = \"minutes\"").is_empty());
    assert_eq!(
        seen("sees = \"mail\", carries = \"hours\""),
        [
            "the owner sees mail, with `hours` in it or in a mail attached to it | neither its body nor a mail attached to \
             it has that text"
        ]
    );
    assert_eq!(
        seen("sees = \"mail\", subject = \"{tag} hi\", read = true"),
        ["the owner sees mail `easrig-1 hi`, read | it is unread"]
    );
    assert_eq!(
        seen("sees = \"mail\", subject = \"{tag} hi\", folder = \"sent\""),
        ["the owner sees mail `easrig-1 hi` in sent | it is in Posteingang"]
    );
    assert_eq!(
        seen("not_sees = \"mail\", folder = \"inbox\""),
        ["the owner sees no mail in inbox | the owner sees it once"]
    );
    assert_eq!(seen("sees = \"event\""), ["the owner sees event | it is not on the device"]);
}

#[test]
fn a_device_error_is_matched_by_its_code() {
    let error = |code: &str| DeviceError {
        code: code.to_owned(),
        message: "cannot sync".to_owned(),
        remedy: String::new(),
        confidence: Confidence::High,
    };
    let judged = |expect: &str, shown: Option<&DeviceError>| {
        let scenario = scenario(&format!("[step.expect]\nerror = \"{expect}\""));
        let evidence = Evidence { device_error: shown, ..Evidence::default() };
        judge(&scenario, &scenario.steps[0], &evidence, &mut Variables::new("t", Timestamp(0)))
    };
    assert!(judged("86000c2b", Some(&error("86000C2B"))).expected_error);
    assert!(judged("any", Some(&error(""))).expected_error);
    let wrong = judged("86000C2B", Some(&error("85010014")));
    assert!(!wrong.expected_error && wrong.findings[0].actual == "the device shows 85010014 `cannot sync`");
    assert_eq!(judged("any", None).findings[0].actual, "the device shows no error");
}

#[test]
fn an_unexpected_device_error_is_not_told_twice() {
    let error = DeviceError {
        code: "86000C2B".to_owned(),
        message: "cannot sync".to_owned(),
        remedy: String::new(),
        confidence: Confidence::High,
    };
    let scenario = scenario("[step.expect]\nowner = [{ sees = \"folder\", folder = \"inbox\" }]");
    let screen = Screen(Vec::new());
    let evidence = Evidence { owner: Some(&screen), device_error: Some(&error), ..Evidence::default() };
    let judgement = judge(&scenario, &scenario.steps[0], &evidence, &mut Variables::new("t", Timestamp(0)));
    assert_eq!(judgement, Judgement::default());
}
