//! The structure of an answer: its elements, and of their values those that mean the same in every run.

use std::collections::BTreeSet;

use easrig_exchange::Headers;
use easrig_scenario::model::Verb;
use easrig_wbxml::Element;

use super::{flat, value};

/// The most lines of one document.
const LINES_MOST: usize = 500;

/// The headers in which a server says what it is able to do: told where a phone asks for it.
const ABILITIES: [&str; 4] = ["Allow", "MS-ASProtocolCommands", "MS-ASProtocolVersions", "MS-Server-ActiveSync"];

/// The headers that phones act on wherever they come.
const ORDERS: [&str; 4] = ["Retry-After", "WWW-Authenticate", "X-MS-Location", "X-MS-RP"];

/// The headers that are told of an answer to `verb`, in the order of their names.
pub(super) fn headers(verb: Option<Verb>, headers: &Headers) -> String {
    let abilities: &[&str] = if verb == Some(Verb::Options) { &ABILITIES } else { &[] };
    let told = abilities.iter().chain(&ORDERS).filter(|name| headers.get(name).is_some());
    told.map(|name| format!("    {name}: {}\n", header(name, headers))).collect()
}

fn header(name: &str, headers: &Headers) -> String {
    let values: Vec<&str> = headers.all(name).collect();
    match name {
        "Retry-After" => "{seconds}".to_owned(),
        "X-MS-Location" => "{url}".to_owned(),
        // Behind the scheme stand realms and nonces.
        "WWW-Authenticate" => {
            let schemes: BTreeSet<&str> = values.iter().filter_map(|value| value.split_whitespace().next()).collect();
            schemes.into_iter().map(flat).collect::<Vec<_>>().join(", ")
        }
        "MS-Server-ActiveSync" => values.iter().map(|value| flat(value)).collect::<Vec<_>>().join(", "),
        // Their order says nothing.
        _ => {
            let entries: BTreeSet<&str> = values
                .iter()
                .flat_map(|value| value.split(','))
                .map(str::trim)
                .filter(|entry| !entry.is_empty())
                .collect();
            entries.into_iter().map(flat).collect::<Vec<_>>().join(", ")
        }
    }
}

/// A document as a tree.
pub(super) fn document(root: Element<'_>) -> String {
    let lines = element(root);
    let shown: String = lines.iter().take(LINES_MOST).map(|line| format!("    {line}\n")).collect();
    match lines.len().checked_sub(LINES_MOST) {
        Some(more) if more > 0 => format!("{shown}    … and more lines\n"),
        _ => shown,
    }
}

/// An element in its line and those below it. Depth is bounded by the decoder.
fn element(element: Element<'_>) -> Vec<String> {
    let name = element.tag().to_string();
    let name = name.rsplit(':').next().unwrap_or_default();
    let children: Vec<Element<'_>> = element.children().collect();
    if children.is_empty() {
        let value = value::stable(element.tag(), &element.text());
        return vec![if value.is_empty() { name.to_owned() } else { format!("{name} {value}") }];
    }
    let mut lines = vec![name.to_owned()];
    let below: Vec<Vec<String>> = if is_bag(name) {
        // Which items there are and in which order differs; what kinds of items there are does not.
        children.into_iter().map(self::element).collect::<BTreeSet<_>>().into_iter().collect()
    } else {
        let mut below: Vec<Vec<String>> = children.into_iter().map(self::element).collect();
        below.dedup();
        below
    };
    lines.extend(below.into_iter().flatten().take(LINES_MOST).map(|line| format!("  {line}")));
    lines
}

/// Elements whose children have no order that means anything.
fn is_bag(name: &str) -> bool {
    matches!(
        name,
        "Commands"
            | "Responses"
            | "Changes"
            | "Collections"
            | "ApplicationData"
            | "Properties"
            | "Folders"
            | "Store"
            | "Attachments"
            | "Attendees"
            | "Categories"
            | "MoveItems"
            | "GetItemEstimate"
            | "EASProvisionDoc"
    )
}
