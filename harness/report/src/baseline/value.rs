//! Which values mean the same in every run. Everything that is not known to do so is named by its kind only.

use easrig_wbxml::Tag;

/// A value as it stands in a snapshot: itself when it is the protocol's own word, else what kind of thing it is.
pub(super) fn stable(tag: Tag, text: &str) -> String {
    let text = text.trim();
    if text.is_empty() {
        return String::new();
    }
    let name = tag.name().unwrap_or_default();
    let stands = match (tag.namespace(), name) {
        (Some("Provision"), name) => name != "PolicyKey",
        // The name of a store to search, not that of an attendee.
        (Some("Search"), "Name") => true,
        (_, name) => OWN_WORDS.contains(&name),
    };
    if NUMBERS.contains(&name) {
        return if text == "0" { "0".to_owned() } else { "{n}".to_owned() };
    }
    if KEYS.contains(&name) {
        return if text == "0" { "0".to_owned() } else { "{key}".to_owned() };
    }
    if IDS.contains(&name) {
        return if text == "0" { "0".to_owned() } else { "{id}".to_owned() };
    }
    if is_date(text) {
        return "{date}".to_owned();
    }
    if stands && is_word(text) { text.to_owned() } else { "{text}".to_owned() }
}

/// A text of ours without how often something was seen.
pub(super) fn without_counts(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after, counted)) = next_count(rest) {
        out.push_str(before);
        out.push_str(counted);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// What stands before the next count, what stands behind it, and what is said instead of it.
fn next_count(text: &str) -> Option<(&str, &str, &'static str)> {
    let one = |begin: &str, end: &str, instead| {
        text.match_indices(begin).find_map(|(at, _)| {
            let behind = text.get(at.checked_add(begin.len())?..)?;
            let digits = behind.find(|c: char| !c.is_ascii_digit()).filter(|digits| *digits > 0)?;
            Some((text.get(..at)?, behind.get(digits..)?.strip_prefix(end)?, instead))
        })
    };
    let found = [one(" (seen ", " times)", ""), one("broken by ", " exchanges", "broken by exchanges")];
    found.into_iter().flatten().min_by_key(|(before, ..)| before.len())
}

/// Elements whose values the standard gives, and that a server answers alike from run to run.
const OWN_WORDS: [&str; 62] = [
    "AllDayEvent",
    "AllOrNone",
    "AttendeeStatus",
    "AttendeeType",
    "BodyType",
    "BusyStatus",
    "CalendarType",
    "CertificateRetrieval",
    "Class",
    "Complete",
    "Conflict",
    "ContentClass",
    "ConversationMode",
    "DayOfMonth",
    "DayOfWeek",
    "DeletesAsMoves",
    "DisallowNewTimeProposal",
    "Enabled",
    "FilterType",
    "FirstDayOfWeek",
    "GetChanges",
    "HeartbeatInterval",
    "Importance",
    "InstanceType",
    "InternetCPID",
    "Interval",
    "IsDraft",
    "IsInline",
    "IsLeapMonth",
    "LastVerbExecuted",
    "Limit",
    "MIMESupport",
    "MIMETruncated",
    "MIMETruncation",
    "MaxFolders",
    "MaxItems",
    "MeetingMessageType",
    "MeetingStatus",
    "MessageClass",
    "Method",
    "MonthOfYear",
    "NativeBodyType",
    "Occurrences",
    "OofState",
    "PolicyType",
    "Read",
    "Regenerate",
    "Reminder",
    "ReminderSet",
    "ResponseRequested",
    "ResponseType",
    "Schema",
    "SendDisabled",
    "Sensitivity",
    "Status",
    "Store",
    "Truncated",
    "Truncation",
    "Type",
    "UserResponse",
    "WeekOfMonth",
    "WindowSize",
];

/// Elements that count what a mailbox happens to hold, or how long something is.
const NUMBERS: [&str; 13] = [
    "AttSize",
    "BodySize",
    "ContentLength",
    "Count",
    "Estimate",
    "EstimatedDataSize",
    "MIMESize",
    "Part",
    "Range",
    "RecipientCount",
    "Total",
    "UmAttDuration",
    "WeightedRank",
];

/// Keys that a server hands out.
const KEYS: [&str; 2] = ["PolicyKey", "SyncKey"];

/// Names that a server or a device gives to things.
const IDS: [&str; 25] = [
    "AccountId",
    "AttName",
    "CalendarId",
    "ClientId",
    "ClientUid",
    "CollectionId",
    "ContentId",
    "ConversationId",
    "ConversationIndex",
    "DstFldId",
    "DstMsgId",
    "FileReference",
    "Folder",
    "FolderId",
    "GlobalObjId",
    "Id",
    "InstanceId",
    "ItemId",
    "LongId",
    "ParentId",
    "RequestId",
    "ServerId",
    "SrcFldId",
    "SrcMsgId",
    "UID",
];

/// A word of a protocol: a short number, or letters with dots, dashes and colons.
fn is_word(text: &str) -> bool {
    let number = text.len() <= 6 && text.strip_prefix('-').unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':' | b'_');
    number || (text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(plain))
}

/// `20261122T052806Z`, `2026-11-22T05:28:06.123Z`.
fn is_date(text: &str) -> bool {
    let shape = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'.' | b'T' | b'Z'));
    shape && text.contains('T') && text.len() >= 15
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(namespace: &str, name: &str, text: &str) -> String {
        stable(Tag::lookup(namespace, name).unwrap(), text)
    }

    #[test]
    fn what_differs_from_run_to_run_is_named_by_kind() {
        for (namespace, name, text, expected) in [
            ("AirSync", "SyncKey", "{4a7b}3", "{key}"),
            ("AirSync", "SyncKey", "0", "0"),
            ("AirSync", "ServerId", "5:12", "{id}"),
            ("AirSync", "Status", "3", "3"),
            ("AirSync", "Class", "Email", "Email"),
            ("Email", "DateReceived", "2026-11-22T05:28:06.123Z", "{date}"),
            ("Email", "Subject", "5", "{text}"),
            ("Email", "Read", "1", "1"),
            ("Email", "MessageClass", "IPM.Note", "IPM.Note"),
            ("Email", "MessageClass", "a name of somebody", "{text}"),
            ("AirSyncBase", "EstimatedDataSize", "1234", "{n}"),
            ("Provision", "PolicyKey", "1234567890", "{key}"),
            ("Provision", "DevicePasswordEnabled", "1", "1"),
            ("FolderHierarchy", "ParentId", "0", "0"),
            ("FolderHierarchy", "DisplayName", "Inbox", "{text}"),
        ] {
            assert_eq!(value(namespace, name, text), expected, "{name} {text}");
        }
    }

    #[test]
    fn how_often_something_was_seen_does_not_count() {
        assert_eq!(without_counts("a (seen 3 times) b (seen 12 times)"), "a b");
        assert_eq!(without_counts("broken by 3 exchanges; the first: x"), "broken by exchanges; the first: x");
        assert_eq!(without_counts("a (seen by (seen 2 times)"), "a (seen by");
    }

    #[test]
    fn the_lists_are_in_order_and_do_not_overlap() {
        let all: Vec<&str> = OWN_WORDS.iter().chain(&NUMBERS).chain(&KEYS).chain(&IDS).copied().collect();
        let distinct: std::collections::BTreeSet<&str> = all.iter().copied().collect();
        assert_eq!(all.len(), distinct.len());
        assert!(OWN_WORDS.is_sorted() && NUMBERS.is_sorted() && IDS.is_sorted());
    }
}
