use std::collections::BTreeSet;

use easrig_eas::{
    Status, StatusScope,
    headers::{self, challenges},
    status,
};
use easrig_exchange::{Exchange, Headers, Outcome};

use super::{Comparison, Difference, Kind, Rule};
use crate::Decoded;

/// Headers whose value means something to devices, and that a server must not drop or change.
const READ_BY_DEVICES: [&str; 8] = [
    headers::POLICY_KEY,
    headers::RP,
    headers::LOCATION,
    headers::CREDENTIAL_SERVICE_URL,
    headers::THROTTLE,
    headers::RETRY_AFTER,
    "Allow",
    "Public",
];

/// Headers about how a body travels.
const TRANSFER: [&str; 7] =
    ["content-length", "transfer-encoding", "content-encoding", "connection", "keep-alive", "vary", "trailer"];

/// Compares what stands before the body.
pub(super) fn compare(before: (&Exchange, &Decoded), after: (&Exchange, &Decoded), out: &mut Comparison) {
    let (one, two) = match (&before.0.outcome, &after.0.outcome) {
        (Outcome::Answered(one), Outcome::Answered(two)) => (one, two),
        (one, two) => {
            if words(one) != words(two) {
                out.differences.push(difference(Kind::AnswerMissing, "HTTP", words(one), words(two)));
            }
            return;
        }
    };
    if one.status != two.status {
        let named = |status: u16| match status::meaning(StatusScope::Http, Status(status)) {
            Some(meaning) => format!("{status} ({})", meaning.meaning),
            None => status.to_string(),
        };
        out.differences.push(difference(Kind::HttpChanged, "HTTP", named(one.status), named(two.status)));
    }
    login(before.0, &two.headers, two.status, out);
    if one.status != two.status {
        // Another status has headers of its own; only what tells devices what to do next is news.
        for name in [headers::LOCATION, headers::CREDENTIAL_SERVICE_URL, headers::THROTTLE, headers::RETRY_AFTER] {
            single(name, &one.headers, &two.headers, out);
        }
        return machine(&one.headers, &two.headers, out);
    }
    list(headers::PROTOCOL_VERSIONS, Kind::VersionGone, &one.headers, &two.headers, out);
    list(headers::PROTOCOL_COMMANDS, Kind::CommandGone, &one.headers, &two.headers, out);
    if !one.body.is_empty() && !two.body.is_empty() {
        kinds(before.1, after.1, out);
    }
    for name in READ_BY_DEVICES {
        single(name, &one.headers, &two.headers, out);
    }
    machine(&one.headers, &two.headers, out);
}

fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answered(response) => format!("HTTP {}", response.status),
        Outcome::Failed(failure) => failure.to_string(),
    }
}

/// A refused login says which ways in there are; the device's own may not be among them.
fn login(before: &Exchange, now: &Headers, status: u16, out: &mut Comparison) {
    let sent = before.request.headers.get("Authorization").and_then(|value| value.split_once(' '));
    let Some((scheme, _)) = sent.filter(|_| status == 401) else { return };
    let offered: Vec<_> = now.all(headers::WWW_AUTHENTICATE).flat_map(challenges).collect();
    if offered.is_empty() || offered.iter().any(|challenge| challenge.is(scheme)) {
        return;
    }
    let mut names: Vec<String> = offered.iter().map(|challenge| challenge.scheme.clone()).collect();
    names.dedup();
    let after = format!("{scheme} is refused, the server takes {}", names.join(", "));
    out.differences.push(difference(
        Kind::LoginRefused,
        headers::WWW_AUTHENTICATE,
        format!("{scheme} is taken"),
        after,
    ));
}

/// A comma list of which nothing may vanish. The whole header may only vanish where nobody looks for it.
fn list(name: &str, gone: Kind, before: &Headers, after: &Headers, out: &mut Comparison) {
    let entries = |headers: &Headers| -> BTreeSet<String> {
        headers.all(name).flat_map(headers::list).map(str::to_owned).collect()
    };
    let (one, two) = (entries(before), entries(after));
    if one.is_empty() && two.is_empty() {
        return;
    }
    if two.is_empty() {
        out.differences.push(difference(Kind::HeaderVanished, name, joined(&one), "nothing".to_owned()));
        return;
    }
    let lost: BTreeSet<String> = one.difference(&two).cloned().collect();
    if !lost.is_empty() {
        out.differences.push(difference(
            gone,
            name,
            format!("{} offered", joined(&lost)),
            format!("only {}", joined(&two)),
        ));
    }
    if two.difference(&one).next().is_some() {
        out.allowed.count(Rule::MoreOffered);
    }
}

fn joined(entries: &BTreeSet<String>) -> String {
    entries.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn kinds(before: &Decoded, after: &Decoded, out: &mut Comparison) {
    let name =
        |decoded: &Decoded| decoded.content_type.as_ref().map_or("none".to_owned(), |kind| kind.as_str().to_owned());
    if before.content_type != after.content_type {
        out.differences.push(difference(Kind::ContentTypeChanged, "Content-Type", name(before), name(after)));
    }
}

fn single(name: &str, before: &Headers, after: &Headers, out: &mut Comparison) {
    match (before.get(name), after.get(name)) {
        (None, None) => {}
        (Some(one), Some(two)) if one == two => {}
        // Keys are the server's to choose, and addresses name the server.
        (Some(_), Some(_)) if name == headers::POLICY_KEY => out.allowed.count(Rule::Keys),
        (Some(_), Some(_)) if name == headers::LOCATION || name == headers::CREDENTIAL_SERVICE_URL => {
            out.allowed.count(Rule::MachineHeaders);
        }
        (Some(one), Some(two)) => {
            let sorted = |value: &str| headers::list(value).map(str::to_owned).collect::<BTreeSet<_>>();
            match sorted(one) == sorted(two) {
                true => out.allowed.count(Rule::Order),
                false => out.differences.push(difference(Kind::HeaderChanged, name, one.to_owned(), two.to_owned())),
            }
        }
        (Some(one), None) => {
            out.differences.push(difference(Kind::HeaderVanished, name, one.to_owned(), "nothing".to_owned()));
        }
        // `MS-ASThrottle` and the like: news, where there were none.
        (None, Some(two)) => {
            out.differences.push(difference(Kind::HeaderChanged, name, "nothing".to_owned(), two.to_owned()));
        }
    }
}

/// What is left says something about machines and transfer.
fn machine(before: &Headers, after: &Headers, out: &mut Comparison) {
    let told = |name: &str| {
        let known = [headers::PROTOCOL_VERSIONS, headers::PROTOCOL_COMMANDS, headers::WWW_AUTHENTICATE, "Content-Type"];
        known.iter().chain(&READ_BY_DEVICES).any(|known| known.eq_ignore_ascii_case(name))
    };
    let names = |headers: &Headers| -> Vec<String> {
        headers.iter().map(|(name, _)| name.to_ascii_lowercase()).filter(|name| !told(name)).collect()
    };
    let (one, two) = (names(before), names(after));
    let all: BTreeSet<&String> = one.iter().chain(&two).collect();
    for name in &all {
        if !before.all(name).eq(after.all(name)) {
            let rule = if TRANSFER.contains(&name.as_str()) { Rule::Transfer } else { Rule::MachineHeaders };
            out.allowed.count(rule);
        }
    }
    let common = |list: &[String], other: &[String]| -> Vec<String> {
        list.iter().filter(|name| other.contains(name)).cloned().collect()
    };
    if common(&one, &two) != common(&two, &one) {
        out.allowed.count(Rule::Order);
    }
}

fn difference(kind: Kind, path: &str, before: String, after: String) -> Difference {
    Difference { kind, path: path.to_owned(), before, after }
}
