use std::fmt::Write as _;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use easrig_exchange::{Headers, Origin, Outcome, Request, Response, Sender, Times, Timestamp, TlsSession};
use easrig_scenario::{
    CellId,
    event::{PersonaCard, ScenarioCard},
};
use easrig_wbxml::Document;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::run::tests::{cell, finding, run_of, sample};

fn english<'h>() -> Html<'h> {
    let language = Language::find("en").unwrap();
    Html { language, embed: Embed::NotPassing, content: Contents::Hidden, folder: "reports/x" }
}

fn none(_: ExchangeNumber) -> Option<Exchange> {
    None
}

/// An exchange of any number, with a subject in its answer and a large body.
pub(crate) fn found(number: ExchangeNumber) -> Option<Exchange> {
    let document = |xml: &str| Document::from_xml(xml).unwrap().encode();
    let headers = || Headers::from_iter([("Content-Type", "application/vnd.ms-sync.wbxml")]);
    let mails: String = (0..300).fold(String::new(), |mut all, number| {
        let _ = write!(all, "<Add><ServerId>5:{number}</ServerId><ApplicationData><Subject xmlns=\"Email\">canary &amp; co</Subject></ApplicationData></Add>");
        all
    });
    let answer = format!(
        "<Sync xmlns=\"AirSync\"><Collections><Collection><SyncKey>2</SyncKey><CollectionId>5</CollectionId><Status>1</Status>\
         <Commands>{mails}</Commands></Collection></Collections></Sync>"
    );
    Some(Exchange {
        number,
        origin: Origin::Live,
        sender: Sender { persona: "wp7".into(), role: "phone".into() },
        started: Timestamp(0),
        request: Request {
            method: "POST".into(),
            url: "https://mail.example.test/Microsoft-Server-ActiveSync?Cmd=Sync&User=a&DeviceId=b&DeviceType=c"
                .parse()
                .unwrap(),
            headers: headers(),
            body: document(
                "<Sync xmlns=\"AirSync\"><Collections><Collection><SyncKey>1</SyncKey></Collection></Collections></Sync>",
            ),
        },
        outcome: Outcome::Answered(Response {
            status: 200,
            reason: "OK".into(),
            headers: headers(),
            body: document(&answer),
            cut: None,
        }),
        times: Times { connected: Some(900), secured: Some(4_000), first_byte: Some(11_000), done: 12_345 },
        tls: Some(TlsSession {
            version: "TLSv1.3".into(),
            cipher_suite: "TLS_AES_256_GCM_SHA384".into(),
            ..TlsSession::default()
        }),
    })
}

#[test]
fn every_text_of_the_page_is_in_the_catalogue() {
    for language in Language::all() {
        let page = html(&described(sample()), Html { language, ..english() }, &found);
        assert!(!page.contains('⟦'), "{:?}", page.split('⟦').nth(1).map(|rest| &rest[..40.min(rest.len())]));
    }
    assert!(!html(&run_of(Vec::new()), english(), &none).contains('⟦'));
}

#[test]
fn the_page_says_first_what_owners_see_and_what_to_change() {
    let page = html(&described(sample()), english(), &found);
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is not there"));
    assert!(at("On 1 of 4 phones the owner would see an error.") < at("What to change"));
    assert!(at("What to change<") < at("What the owner sees<"));
    assert!(at("drop RequireDeviceEncryption from the policy") < at("id=\"matrix\""));
}

#[test]
fn a_phone_without_an_error_on_its_screen_has_what_its_owner_suffers_from() {
    let mut run = described(run_of(vec![cell("sync/a", "wp7", Verdict::Fail)]));
    let card = run.scenarios.values_mut().next().unwrap();
    card.why = Some("Mail never comes.".into());
    let page = html(&run, english(), &none);
    let row = page.split("<table class=\"phones\">").nth(1).unwrap().split("</table>").next().unwrap();
    assert!(row.contains("Mail never comes."), "{row}");
}

#[test]
fn the_language_of_the_page_is_the_one_asked_for() {
    let page = html(&sample(), Html { language: Language::find("fr").unwrap(), ..english() }, &none);
    assert!(page.contains("<html lang=\"fr\""));
    assert!(
        page.contains("Sur 1 des 4 téléphones, le propriétaire verrait une erreur."),
        "French is what a reader sees"
    );
    assert!(page.contains("On {n} of {all} phones"), "and English is there for the script");
}

#[test]
fn what_a_server_says_cannot_become_part_of_the_page() {
    let hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\" onload=\"x\u{202e}\u{1b}[0m";
    let mut odd = cell(&format!("sync/{hostile}"), hostile, Verdict::Fail);
    odd.reason = hostile.into();
    odd.notes = vec![hostile.into()];
    odd.findings.push(easrig_scenario::Finding { actual: hostile.into(), ..finding(easrig_scenario::Level::Must) });
    let mut run = run_of(vec![odd, cell("sync/a", hostile, Verdict::Skipped)]);
    run.started.target = hostile.into();
    run.seen.push(easrig_scenario::event::TargetSeen {
        software: vec![(hostile.into(), hostile.into())],
        ..Default::default()
    });
    for embed in [Embed::NotPassing, Embed::All] {
        let page = html(&run, Html { embed, folder: hostile, ..english() }, &none);
        assert_eq!(page.matches("<script").count(), 2, "the data and the script");
        assert_eq!(page.matches("</script").count(), 2);
        assert!(!page.contains("<img"));
        assert!(!page.contains(['\u{202e}', '\u{1b}']));
        let data = page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
        let _: serde_json::Value = serde_json::from_str(data).unwrap();
    }
}

#[test]
fn the_page_allows_itself_its_own_script_and_nothing_else() {
    let page = html(&sample(), english(), &none);
    let policy = page.split("Content-Security-Policy\" content=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    let body = |name: &str| {
        page.split(&format!("<{name}>")).nth(1).unwrap().split(&format!("</{name}>")).next().unwrap().to_owned()
    };
    for part in [body("style"), body("script")] {
        let hash = BASE64_STANDARD.encode(Sha256::digest(part));
        assert!(policy.contains(&format!("'sha256-{hash}'")), "a browser would refuse it");
    }
    assert!(!page.contains(" style=\""), "the policy forbids it");
    assert!(!page.contains("http-equiv=\"refresh\"") && !page.contains("src=\""));
}

#[test]
fn contents_are_shown_only_when_they_are_asked_for() {
    let mut run = sample();
    run.started.keep_content = true;
    assert!(!html(&run, english(), &found).contains("canary"));
    assert!(html(&run, Html { content: Contents::Shown, ..english() }, &found).contains("canary"));
}

#[test]
fn an_exchange_that_is_too_long_is_cut_where_everybody_sees_it() {
    let page = html(&sample(), english(), &found);
    assert!(page.contains("more bytes</span>"));
    assert!(page.contains("easrig show reports/x --cell sync/more-available-is-true,ios-17"));
}

#[test]
fn everything_can_be_embedded() {
    let page = html(&sample(), Html { embed: Embed::All, ..english() }, &found);
    assert!(page.contains("id=\"cell=ping/limit~wp7~14.1\""));
    assert!(!html(&sample(), english(), &found).contains("id=\"cell=ping/limit~wp7~14.1\""));
}

#[test]
fn a_run_cut_short_says_so_in_the_first_lines() {
    let mut run = sample();
    run.finished = None;
    run.missing = 3;
    let page = html(&run, english(), &none);
    assert!(page.contains("The run was cut short: 3 cells were never run."));
}

#[test]
fn forty_phones_in_five_hundred_scenarios_stay_below_eight_megabytes() {
    let page = html(&large(), english(), &found);
    assert!(page.len() < 8_000_000, "{} bytes", page.len());
    assert!(page.matches("class=\"exchange\"").count() > 200, "with the exchanges of the cells that do not pass");
}

/// 20,000 cells, 200 of which do not pass.
fn large() -> Run {
    let mut cells = Vec::new();
    for persona in 0..40 {
        for scenario in 0..500 {
            let verdict = match persona * 500 + scenario {
                place if place % 100 != 0 => Verdict::Pass,
                place if place % 300 == 0 => Verdict::Inconclusive,
                _ => Verdict::Fail,
            };
            let mut cell = cell(
                &format!("command-{}/what-the-server-does-when-{scenario}", scenario / 20),
                &format!("persona-{persona}"),
                verdict,
            );
            cell.exchanges = (1..20).map(ExchangeNumber).collect();
            cells.push(cell);
        }
    }
    described(run_of(cells))
}

/// With cards for everything in it.
fn described(mut run: Run) -> Run {
    let ids: Vec<CellId> = run.cells.iter().map(|cell| cell.id.clone()).collect();
    for id in ids {
        let card = ScenarioCard {
            id: id.scenario.clone(),
            title: "What the server does when it is right, in one line of this length".into(),
            level: easrig_scenario::Level::Must,
            requirements: vec!["MS-ASCMD_R3836".into(), "MS-ASCMD_R113".into()],
            commands: vec!["Sync".into()],
            why: Some("What happens to the owner of the phone when it is not, in one line of this length.".into()),
            fix: None,
        };
        run.scenarios.entry(id.scenario).or_insert(card);
        let family = id.persona.split('-').next().unwrap_or_default().to_owned();
        let card = PersonaCard {
            title: format!("Phone {}", id.persona),
            family,
            id: id.persona.clone(),
            versions: Vec::new(),
            tokens: None,
        };
        run.personas.entry(id.persona).or_insert(card);
    }
    run
}

#[test]
fn what_phones_do_with_the_policy_is_drawn_where_a_run_knows_it() {
    use easrig_scenario::{
        Confidence,
        event::{SettingMet, Treatment},
    };
    let mut run = described(sample());
    assert!(!html(&run, english(), &none).contains("<table class=\"policy\">"));
    let met =
        |name: &str, treatment, confidence| SettingMet { name: name.into(), value: "1".into(), treatment, confidence };
    let refused = met("RequireDeviceEncryption", Treatment::Refused, Confidence::High);
    run.policies.insert("wp7".into(), vec![refused]);
    let ignored = met("<b>AllowCamera", Treatment::Ignored, Confidence::Low);
    run.policies.insert("ios-17".into(), vec![ignored]);
    let page = html(&run, english(), &none);
    let table = page.split("<table class=\"policy\">").nth(1).unwrap().split("</table>").next().unwrap();
    assert!(table.contains("RequireDeviceEncryption") && table.contains(">refused</span>"), "{table}");
    assert!(table.contains(">ignored</span>") && table.contains("(assumed)") && !table.contains("<b>"), "{table}");
    assert_eq!(table.matches("class=\"none\"").count(), 2, "each phone met one of the two");
}

#[test]
fn a_run_file_of_an_older_build_is_told_in_every_language() {
    // Cards without versions and tokens, exchanges without limits, reasons without keys.
    let lines = concat!(
        r#"{"event":"run_started","format":1,"easrig":"0.1.0","at":0,"target":"https://mail.example","allowed":["--allow writes"],"#,
        r#""seed":1,"repeat":1,"scenarios":[["sync/a",""],["sync/b",""]],"personas":[["wp7",""]],"keep_content":false}"#,
        "\n",
        r#"{"event":"described","scenarios":[],"personas":[{"id":"wp7","title":"Windows Phone 7","family":"Windows Phone"}]}"#,
        "\n",
        r#"{"event":"cell_finished","scenario":"sync/a","persona":"wp7","version":"14.0","verdict":"inconclusive","#,
        r#""reason":"the server was busy (Status 111)","blocked_by":null,"device_error":null,"findings":[],"#,
        r#""notes":["nobody has verified which folders this device synchronises"],"exchanges":[]}"#,
        "\n",
        r#"{"event":"cell_finished","scenario":"sync/b","persona":"wp7","version":null,"verdict":"skipped","#,
        r#""reason":"an older build said it otherwise","blocked_by":null,"device_error":null,"findings":[],"notes":[],"exchanges":[]}"#,
        "\n",
    );
    let run = Run::fold(crate::read_events(lines.as_bytes())).unwrap();
    let page = html(&run, Html { language: Language::find("fr").unwrap(), ..english() }, &none);
    assert!(page.contains(">le serveur était occupé (Status 111)</span>"));
    assert!(page.contains(">personne n’a vérifié quels dossiers cet appareil synchronise</span>"));
    assert!(page.contains("<span lang=\"en\">an older build said it otherwise</span>"));
}
