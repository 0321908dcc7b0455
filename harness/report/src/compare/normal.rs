//! What differs from run to run without meaning anything.

use std::borrow::Cow;

/// The text with everything named by kind that changes from run to run: tags, ids, keys, dates, ports, amounts.
///
/// Statuses, versions, requirement ids and codes on a screen stay: `HTTP 503`, `16.1`, `MS-ASCMD_R115`, `86000C2B`.
pub(crate) fn normal(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte.is_ascii_digit()) && !text.contains(TAG) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (word, behind) = rest.split_at(rest.find(|c| !in_word(c)).unwrap_or(rest.len()));
        if word.is_empty() {
            let (between, behind) = behind.split_at(behind.find(in_word).unwrap_or(behind.len()));
            out.push_str(between);
            rest = behind;
            if names_an_id(&out)
                && let Some(end) = rest.find(']')
            {
                out.push_str("ID");
                rest = rest.split_at(end).1;
            }
            continue;
        }
        // What ends a sentence or stands before a word is no part of it.
        let core = word.trim_end_matches(['.', ':', '-', '+']);
        out.push_str(kind(core, behind.trim_start_matches(' ')).unwrap_or(core));
        out.push_str(word.get(core.len()..).unwrap_or_default());
        rest = behind;
    }
    Cow::Owned(out)
}

/// Whether what follows is an id or a key, however short: `Change[ServerId=`. In `Add[Type=2]` the number means something.
fn names_an_id(text: &str) -> bool {
    text.ends_with("Id=") || text.ends_with("Key=")
}

/// How everything that a run makes is named.
const TAG: &str = "easrig-";

/// What amounts are counted in.
const UNITS: &[&str] = &["bytes", "byte", "ms", "s", "seconds", "second", "minutes", "KB", "MB", "kB", "times"];

fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '+' | '{' | '}')
}

/// What stands for the word; `None` when it has to stay. `behind` is what follows it.
fn kind(word: &str, behind: &str) -> Option<&'static str> {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let of = |legal: fn(&u8) -> bool| word.bytes().all(|byte| legal(&byte));
    if word.starts_with(TAG) {
        Some("TAG")
    } else if digits == 0 || is_name(word) {
        None
    } else if is_date(word) {
        Some("DATE")
    } else if of(|byte| byte.is_ascii_digit()) {
        let unit = behind.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
        (word.len() >= 4 || UNITS.contains(&unit)).then_some("#")
    } else if of(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'-')) {
        // Ids of items (`5:12`), keys (`69-144`) and times of day.
        Some("ID")
    } else if word.rsplit_once(':').is_some_and(|(host, port)| host.contains('.') && port.parse::<u16>().is_ok()) {
        Some("HOST")
    } else {
        // Names of hosts and files have dots as well, but few digits.
        let is_long = word.len() >= 8 && digits >= if word.contains('.') { 8 } else { 2 };
        let is_uuid =
            word.len() >= 32 && of(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'-' | b':' | b'{' | b'}'));
        (is_uuid || is_long).then_some("ID")
    }
}

/// Requirement ids, which hold numbers that mean something, and the codes that phones show.
fn is_name(word: &str) -> bool {
    let code = word.len() == 8 && word.starts_with('8') && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    code || word.starts_with("MS-")
}

/// `2026-11-22`, `2026-11-22T05:28:06.123Z`, `20261122T052806Z`.
fn is_date(word: &str) -> bool {
    let (day, _) = word.split_once('T').unwrap_or((word, ""));
    let digits = day.bytes().filter(u8::is_ascii_digit).count();
    let dashes = day.bytes().filter(|byte| *byte == b'-').count();
    digits == 8 && digits + dashes == day.len() && matches!(dashes, 0 | 2) && (dashes == 2 || word.len() > 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_from_run_to_run_is_named_by_kind() {
        for (text, expected) in [
            ("a mail with the subject `easrig-1f3a9c hello`", "a mail with the subject `TAG hello`"),
            ("SyncKey `{4a7b2c1d-0001-4f3e-9a8b-000000000012}3`", "SyncKey `ID`"),
            ("Change[ServerId=5601-6B02AA00-23-1ACDF4A0.vcf]/Status", "Change[ServerId=ID]/Status"),
            ("ServerId 5:12 at 2026-11-22T05:28:06.123Z.", "ServerId ID at DATE."),
            ("20261122T052806Z", "DATE"),
            ("https://127.0.0.1:36621/x", "https://HOST/x"),
            ("after 12 s and 345 bytes", "after # s and # bytes"),
            ("the key 1700000042", "the key #"),
            ("SyncKey `69-144`", "SyncKey `ID`"),
            (
                "no `**/Change[ServerId=59]/ApplicationData/Subject`",
                "no `**/Change[ServerId=ID]/ApplicationData/Subject`",
            ),
            ("collection[CollectionId=mail%2F28ebb139]/Status", "collection[CollectionId=ID]/Status"),
        ] {
            assert_eq!(normal(text), expected);
        }
    }

    #[test]
    fn what_means_something_stays() {
        for text in [
            "HTTP 503",
            "Status 12 instead of 1",
            "version 16.1, not 14.1",
            "MS-ASCMD_R115",
            "86000C2B",
            "3 of 40 items",
            "one `FolderSync/Changes/Add[Type=2]/ServerId`",
            "é without digits",
        ] {
            assert_eq!(normal(text), text);
        }
    }
}
