use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use easrig_eas::date::EasDate;
use easrig_exchange::{Masking, is_plain, masking};
use easrig_wbxml::{Element, Tag};

use super::walk::Walk;
use super::{Comparison, Contents, Difference, Filler, Kind, Owned, Pair, Rule, Terms, owned, owned_value};

/// The most characters of a text that a difference quotes.
const MAX_QUOTED: usize = 80;

/// Shorter fillers are equal by chance: their digits are all that is left of a hash.
const SHORTEST_FILLER: usize = 8;

/// Seconds of a day: what a server dates by the day moves by whole ones.
const DAY: i64 = 86_400;

/// Fields of a message that are made anew whenever it is sent.
const MADE_ANEW: [&str; 5] = ["date", "message-id", "received", "thread-index", "x-ms-exchange-organization-authas"];

/// Compares two elements without children.
pub(super) fn compare(walk: &mut Walk<'_, '_>, path: &str, before: Element<'_>, after: Element<'_>) {
    let tag = before.tag();
    if let Some(owned) = owned(tag) {
        return owned_values(walk, path, owned, before, after);
    }
    let (one, two) = (before.bytes(), after.bytes());
    if one == two {
        return;
    }
    let (said, now) = (before.text(), after.text());
    let renamed = walk.terms.renamed.people(&said);
    let allowed = if tag.name() == Some("ConversationIndex") {
        // It holds the moment at which the server saw the message first.
        Some(Rule::Ids)
    } else if *renamed == *now || said.trim() == now.trim() {
        Some(Rule::Forms)
    } else if walk.sent_as_filler && (is_content(tag, &said) || is_made_of_contents(tag)) {
        Some(Rule::SentAsFiller)
    } else if is_filler(walk.terms, tag, &said) {
        let length = renamed.len();
        let same = is_name(tag) && walk.terms.renamed.has_other_people()
            || if said == *renamed { one.len() == two.len() } else { length == now.len() };
        if same {
            if one.len() >= SHORTEST_FILLER {
                let (before, after) = (hash(tag, &one), hash(tag, now.to_lowercase().as_bytes()));
                walk.out.fillers.push(Filler { path: path.to_owned(), before, after });
            }
            Some(Rule::Filler)
        } else {
            None
        }
    } else {
        dates(&said, &now, walk.terms.later).or_else(|| messages(&said, &now))
    };
    match allowed {
        Some(rule) => {
            walk.out.allowed.count(rule);
            if rule == Rule::Dates {
                let pair = |before: &str, after: &str| Pair {
                    path: path.to_owned(),
                    owned: Owned::Date,
                    folder: String::new(),
                    before: before.trim().to_owned(),
                    after: after.trim().to_owned(),
                };
                walk.out.pairs.push(pair(&said, &now));
            }
        }
        None => {
            let kind = kind(path, tag, said.len() != now.len());
            let (before, after) =
                (quote(walk.terms, tag, &said, Side::Known), quote(walk.terms, tag, &now, Side::Judged));
            let after = if before == after { format!("another {after}") } else { after };
            walk.out.differences.push(Difference { kind, path: path.to_owned(), before, after });
        }
    }
}

/// Compares two bodies that are no documents.
pub(super) fn bodies(before: &[u8], after: &[u8], terms: Terms<'_>, out: &mut Comparison) {
    if before == after {
        return;
    }
    if terms.contents == Contents::Filler && before.len() == after.len() {
        out.allowed.count(Rule::Filler);
        return;
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if let Some(rule) = messages(&text(before), &text(after)) {
        out.allowed.count(rule);
        return;
    }
    let words = |bytes: &[u8]| format!("{} bytes", bytes.len());
    let after = if before.len() == after.len() { "other bytes".to_owned() } else { words(after) };
    out.differences.push(Difference { kind: Kind::ItemChanged, path: "body".to_owned(), before: words(before), after });
}

/// Whether the text of `tag` is somebody's own, as far as the tap knows.
pub(super) fn is_content(tag: Tag, text: &str) -> bool {
    match masking(tag) {
        Masking::Filler => true,
        Masking::StandsWhenPlain => !is_plain(text),
        Masking::Stands | Masking::Pseudonym | Masking::Removed => false,
    }
}

/// Whether the known text is not what was on the wire.
pub(super) fn is_filler(terms: Terms<'_>, tag: Tag, text: &str) -> bool {
    match masking(tag) {
        Masking::Pseudonym | Masking::Removed => true,
        _ => terms.contents == Contents::Filler && is_content(tag, text),
    }
}

/// Whose text is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Known,
    Judged,
}

/// A text as a difference tells it: contents only where they may be quoted.
pub(super) fn quote(terms: Terms<'_>, tag: Tag, text: &str, side: Side) -> String {
    let secret = matches!(masking(tag), Masking::Pseudonym | Masking::Removed);
    if secret || terms.contents != Contents::Quoted && is_content(tag, text) {
        return match side {
            _ if text.is_empty() => "an empty text".to_owned(),
            Side::Known | Side::Judged => format!("text of {} bytes", text.len()),
        };
    }
    match text.char_indices().nth(MAX_QUOTED) {
        Some((at, _)) => format!("`{}…` ({} bytes)", text.get(..at).unwrap_or_default(), text.len()),
        None => format!("`{text}`"),
    }
}

/// What a difference at this place is about.
pub(super) fn kind(path: &str, tag: Tag, lengths_differ: bool) -> Kind {
    match (tag.namespace().unwrap_or_default(), tag.name().unwrap_or_default()) {
        (namespace, "Status") if namespace != "Email" => Kind::StatusChanged,
        ("FolderHierarchy", "Type") => Kind::FolderTypeChanged,
        ("AirSync", "MoreAvailable") => Kind::MoreAvailableChanged,
        ("AirSyncBase", "NativeBodyType") => Kind::BodyType,
        ("AirSyncBase", "Type") if path.contains("Body") => Kind::BodyType,
        (_, "Truncated" | "BodyTruncated" | "MIMETruncated") => Kind::Truncation,
        ("AirSyncBase", "Data") | (_, "Body" | "MIMEData") if lengths_differ => Kind::Truncation,
        ("Provision", _) if path.contains("EASProvisionDoc") => Kind::PolicyChanged,
        _ if path.split('/').any(is_of_item) => Kind::ItemChanged,
        _ => Kind::DocumentDiffers,
    }
}

/// Whether what lies below this part of a path belongs to an item.
fn is_of_item(part: &str) -> bool {
    let name = part.split('[').next().unwrap_or_default();
    matches!(name.rsplit(':').next(), Some("ApplicationData" | "Properties" | "Add" | "Change"))
}

/// Whether the text says how long something is, or that it is cut.
fn is_size(tag: Tag) -> bool {
    matches!(
        tag.name(),
        Some(
            "EstimatedDataSize" | "Truncated" | "BodySize" | "BodyTruncated" | "MIMESize" | "MIMETruncated" | "AttSize"
        )
    )
}

/// Whether the text names people.
pub(super) fn is_name(tag: Tag) -> bool {
    const NAMES: [&str; 8] = ["To", "From", "Cc", "ReplyTo", "DisplayTo", "Sender", "OrganizerName", "OrganizerEmail"];
    const FOUND: [&str; 5] = ["DisplayName", "FirstName", "LastName", "Alias", "EmailAddress"];
    let is_directory = matches!(tag.namespace(), Some("GAL" | "ResolveRecipients"));
    tag.name().is_some_and(|name| NAMES.contains(&name) || is_directory && FOUND.contains(&name))
}

/// Whether a server reads the text off the contents.
fn is_made_of_contents(tag: Tag) -> bool {
    is_size(tag)
        || matches!(tag.name(), Some("MessageClass" | "ContentClass" | "NativeBodyType" | "InternetCPID" | "Type"))
}

fn owned_values(walk: &mut Walk<'_, '_>, path: &str, owned: Owned, before: Element<'_>, after: Element<'_>) {
    let (one, two) = (owned_value(before), owned_value(after));
    let (one, two) = (one.as_str(), two.as_str());
    let folder = if owned.is_in_folder() { walk.folder.clone() } else { String::new() };
    let known = walk.terms.renamed.now(owned, &folder, one);
    let is_key = matches!(owned, Owned::SyncKey | Owned::HierarchyKey | Owned::PolicyKey);
    let moved = before.tag().name() == Some("DstMsgId");
    let mut tell = |kind: Kind, before: &str, after: &str| {
        let (before, after) = (before.to_owned(), after.to_owned());
        walk.out.differences.push(Difference { kind, path: path.to_owned(), before, after });
    };
    if owned.is_fixed(one) != owned.is_fixed(two) {
        let words =
            |value: &str| if owned.is_fixed(value) { format!("`{value}`") } else { "one of its own".to_owned() };
        let kind = if is_key { Kind::KeyNotAdvanced } else { Kind::IdChanged };
        tell(kind, &words(one), &words(two));
    } else if is_key && walk.asked.1.contains(two) && !walk.asked.0.contains(one) {
        tell(Kind::KeyNotAdvanced, "a new key", "the key of the request again");
    } else if owned.lasts() && !moved && known.as_deref().is_some_and(|known| known != two) {
        match path.starts_with("Ping/") {
            true => tell(Kind::DocumentDiffers, "the folder that changed", "another folder"),
            false => tell(Kind::IdChanged, "the id it had before", "another id: devices load it again"),
        }
    } else if one != two {
        walk.out.allowed.count(match owned {
            _ if is_key => Rule::Keys,
            Owned::Client => Rule::ClientIds,
            _ => Rule::Ids,
        });
    }
    // What is known by another name keeps it, but for keys: a wrong name in one answer must not spoil what follows.
    let is_news = !owned.lasts() || known.is_none() || path.contains("/Add/");
    if !owned.is_fixed(one) && is_news {
        walk.out.pairs.push(Pair {
            path: path.to_owned(),
            owned,
            folder,
            before: one.to_owned(),
            after: two.to_owned(),
        });
    }
}

/// The rule by which two dates are the same.
fn dates(before: &str, after: &str, later: (i64, i64)) -> Option<Rule> {
    let date = |text: &str| text.trim().parse::<EasDate>().ok();
    let moved = date(after)?.at.as_second().saturating_sub(date(before)?.at.as_second());
    if moved == 0 {
        return Some(Rule::Forms);
    }
    let (least, most) = later;
    let by_days = moved % DAY == 0 && moved >= least.saturating_sub(DAY) && moved <= most.saturating_add(DAY);
    (by_days || (least..=most).contains(&moved)).then_some(Rule::Dates)
}

/// The rule by which two messages are the same: but for the fields that are made anew.
fn messages(before: &str, after: &str) -> Option<Rule> {
    let is_message = |text: &str| {
        let first = text.lines().next().unwrap_or_default();
        first.split_once(':').is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_graphic()))
    };
    (is_message(before) && is_message(after) && lasting(before) == lasting(after)).then_some(Rule::Dates)
}

/// The lines of a message without the fields that are made anew.
fn lasting(message: &str) -> Vec<Cow<'_, str>> {
    let mut in_head = true;
    let mut leave_out = false;
    let mut lines = Vec::new();
    for line in message.lines() {
        if in_head && line.is_empty() {
            in_head = false;
        }
        if in_head {
            if !line.starts_with([' ', '\t']) {
                let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
                leave_out = MADE_ANEW.contains(&name.as_str());
            }
            if leave_out {
                continue;
            }
        }
        lines.push(Cow::Borrowed(line));
    }
    lines
}

fn hash(tag: Tag, bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (tag, bytes).hash(&mut hasher);
    hasher.finish()
}
