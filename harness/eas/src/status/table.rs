//! Reads `data/status-codes.tsv`, which is compiled in.

use super::{Meaning, Status, StatusLevel, StatusScope};
use crate::Version;

const TABLE: &str = include_str!("../../data/status-codes.tsv");

pub(super) fn read() -> Vec<Meaning> {
    TABLE.lines().filter(|line| !line.starts_with('#')).skip(1).filter_map(row).collect()
}

/// The first and last version of a column such as `14.0, 14.1, 16.0 ?`, `2.5 to 16.1` or `12.1 and older`.
pub(super) fn range(versions: &str) -> Option<(Version, Version)> {
    let found = || versions.split([',', ' ']).filter_map(|word| word.parse::<Version>().ok());
    let (first, last) = (found().min()?, found().max()?);
    match versions {
        older if older.ends_with("and older") => Some((Version::V2_5, last)),
        _ if first == Version::V12_1 => Some((Version::V12_0, last)),
        _ => Some((first, last)),
    }
}

fn row(line: &'static str) -> Option<Meaning> {
    let columns: Vec<&'static str> = line.split('\t').collect();
    let &[scope, value, name, level, versions, meaning, client_action, http_equivalent, verified, requirements] =
        columns.as_slice()
    else {
        return None;
    };
    Some(Meaning {
        scope: StatusScope::from_name(scope)?,
        value: match value {
            "(none)" => None,
            number => Some(Status(number.parse().ok()?)),
        },
        name: name.trim_end_matches(" *"),
        name_is_ours: name.ends_with(" *"),
        level: match level {
            "G" => StatusLevel::Request,
            "I" => StatusLevel::Item,
            "G/I" => StatusLevel::RequestOrItem,
            "P" => StatusLevel::Policy,
            "L" => StatusLevel::Local,
            _ => return None,
        },
        versions,
        meaning,
        client_action,
        http_equivalent,
        verified,
        requirements: requirements.split_whitespace().map(|id| format!("MS-{id}")).collect(),
    })
}
