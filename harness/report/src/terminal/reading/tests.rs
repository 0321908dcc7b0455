use easrig_exchange::{
    Exchange, ExchangeNumber, Headers, Origin, Outcome, Request, Response, Sender, Times, Timestamp,
};

use super::*;

fn exchange(command: &str, request: &str, answer: &str) -> Exchange {
    let document = |xml: &str| Document::from_xml(xml).unwrap().encode();
    let headers = || Headers::from_iter([("Content-Type", "application/vnd.ms-sync.wbxml")]);
    let url =
        format!("https://mail.example.test/Microsoft-Server-ActiveSync?Cmd={command}&User=a&DeviceId=b&DeviceType=c");
    Exchange {
        number: ExchangeNumber(1),
        origin: Origin::Live,
        sender: Sender::default(),
        started: Timestamp(0),
        request: Request {
            method: "POST".into(),
            url: url.parse().unwrap(),
            headers: headers(),
            body: document(request),
        },
        outcome: Outcome::Answered(Response {
            status: 200,
            reason: "OK".into(),
            headers: headers(),
            body: document(answer),
            cut: None,
        }),
        times: Times::default(),
        tls: None,
    }
}

fn read(command: &str, request: &str, answer: &str) -> Reading {
    Reading::of(&Decoded::of(&exchange(command, request, answer)))
}

fn names(reading: &Reading) -> Vec<(Side, &str, &str, Option<&str>)> {
    reading.statuses.iter().map(|status| (status.side, status.path.as_str(), status.scope, status.name)).collect()
}

#[test]
fn the_same_number_means_another_thing_at_another_place() {
    let request = "<Provision xmlns=\"Provision\"><Policies><Policy><PolicyType>MS-EAS-Provisioning-WBXML</PolicyType>\
                   <PolicyKey>1</PolicyKey><Status>2</Status></Policy></Policies></Provision>";
    let answer = "<Provision xmlns=\"Provision\"><Status>1</Status><Policies><Policy>\
                  <PolicyType>MS-EAS-Provisioning-WBXML</PolicyType><Status>2</Status></Policy></Policies></Provision>";
    let reading = read("Provision", request, answer);
    let policy = "Provision/Policies/Policy/Status";
    let found = names(&reading);
    assert_eq!(found[0].2, "Provision.Policy(request)");
    assert_eq!((found[1].1, found[1].2, found[1].3), ("HTTP", "HTTP", Some("OK")));
    assert_eq!((found[2].1, found[2].2), ("Provision/Status", "Provision"));
    assert_eq!((found[3].0, found[3].1, found[3].2), (Side::Answer, policy, "Provision.Policy"));
    assert_ne!(found[0].3, found[3].3, "partly applied is not the same as there is no policy");
    assert_eq!(reading.policies, []);
}

#[test]
fn equal_statuses_are_counted_and_a_flag_on_a_mail_is_none() {
    let mail = "<Add><ClientId>1</ClientId><Status>1</Status><ApplicationData><Flag xmlns=\"Email\"><Status>2</Status>\
                </Flag></ApplicationData></Add>";
    let answer = format!(
        "<Sync xmlns=\"AirSync\"><Collections><Collection><Status>3</Status><Responses>{mail}{mail}</Responses>\
         </Collection></Collections></Sync>"
    );
    let reading = read("Sync", "<Sync xmlns=\"AirSync\"/>", &answer);
    let counts: Vec<_> = reading.statuses.iter().map(|status| (status.value.as_str(), status.count)).collect();
    assert_eq!(counts, [("200", 1), ("3", 1), ("1", 2)]);
    assert_eq!(reading.statuses[1].name, Some("InvalidSyncKey"));
}

#[test]
fn a_status_nobody_knows_keeps_its_text() {
    let reading = read(
        "FolderSync",
        "<FolderSync xmlns=\"FolderHierarchy\"/>",
        "<FolderSync xmlns=\"FolderHierarchy\"><Status>-7x</Status></FolderSync>",
    );
    let last = reading.statuses.last().unwrap();
    assert_eq!((last.value.as_str(), last.name), ("-7x", None));
}

#[test]
fn a_policy_is_its_binding_settings() {
    let answer = "<Provision xmlns=\"Provision\"><Status>1</Status><Policies><Policy>\
                  <PolicyType>MS-EAS-Provisioning-WBXML</PolicyType><Status>1</Status><PolicyKey>5</PolicyKey><Data>\
                  <EASProvisionDoc><AllowCamera>0</AllowCamera><AllowWiFi>1</AllowWiFi></EASProvisionDoc></Data>\
                  </Policy></Policies></Provision>";
    let reading = read("Provision", "<Provision xmlns=\"Provision\"/>", answer);
    let policy = &reading.policies[0];
    assert_eq!((policy.settings, policy.binding.len()), (2, 1));
    assert_eq!((policy.binding[0].setting.as_str(), policy.binding[0].value.as_str()), ("AllowCamera", "0"));
}
