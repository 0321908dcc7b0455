//! Status values: a number for whatever came, and the table of what each means where (MS-ASCMD, MS-ASPROV, MS-ASHTTP).
//!
//! The table is `data/status-codes.tsv`; its head says how well each row is founded.

use std::{fmt, sync::LazyLock};

use serde::{Deserialize, Serialize};

use crate::Version;

mod scope;
mod table;

pub use scope::StatusScope;

/// A Status as on the wire, named or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Status(pub u16);

impl Status {
    /// Success in every scope but MoveItems (3 there) and Ping (where 1 is "nothing new").
    pub const SUCCESS: Self = Self(1);
    /// An id of the request is malformed.
    pub const INVALID_IDS: Self = Self(106);
    /// Unexpected failure, not worth a retry.
    pub const SERVER_ERROR: Self = Self(110);
    /// Unexpected failure that may pass.
    pub const SERVER_ERROR_RETRY_LATER: Self = Self(111);
    /// The account may not use ActiveSync.
    pub const USER_DISABLED_FOR_SYNC: Self = Self(126);
    /// This device may not sync for this user.
    pub const DEVICE_BLOCKED: Self = Self(129);
    /// The command is not offered.
    pub const COMMAND_NOT_SUPPORTED: Self = Self(137);
    /// The command does not exist in the version.
    pub const VERSION_NOT_SUPPORTED: Self = Self(138);
    /// The device cannot apply the whole policy.
    pub const NOT_FULLY_PROVISIONABLE: Self = Self(139);
    /// A wipe is pending.
    pub const REMOTE_WIPE_REQUESTED: Self = Self(140);
    /// A policy is in force and the device sent no key.
    pub const LEGACY_DEVICE: Self = Self(141);
    /// A policy is in force and the device has not provisioned.
    pub const NOT_PROVISIONED: Self = Self(142);
    /// The policy is to be fetched again.
    pub const POLICY_REFRESH: Self = Self(143);
    /// The policy key is not the current one.
    pub const INVALID_POLICY_KEY: Self = Self(144);
    /// A device managed elsewhere is not accepted.
    pub const EXTERNALLY_MANAGED: Self = Self(145);
    /// Provision came without DeviceInformation.
    pub const DEVICE_INFORMATION_REQUIRED: Self = Self(165);
    /// The account has the most partnerships allowed.
    pub const MAXIMUM_DEVICES_REACHED: Self = Self(177);

    /// Reads the text of a Status element; white space around it does not count. `None` if it is no number below 65536.
    pub fn parse(text: &str) -> Option<Self> {
        text.trim().parse().ok().map(Self)
    }

    /// Whether the device must provision before it goes on: 142, 143, 144, and 140, 141 whose cause is the same
    /// handshake (MS-ASPROV 3.1.5.1).
    pub fn asks_for_provisioning(self) -> bool {
        (140..=144).contains(&self.0)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a Status concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StatusLevel {
    /// The whole request (`G`).
    Request,
    /// One item or collection (`I`).
    Item,
    /// Either, depending on where it stands (`G/I`).
    RequestOrItem,
    /// The policy (`P`).
    Policy,
    /// The device alone; nothing to tell the server (`L`).
    Local,
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// Where the value stands.
    pub scope: StatusScope,
    /// The value; `None` for "no Status is sent at all".
    pub value: Option<Status>,
    /// A short name: the standard's own in the common scope, else see `name_is_ours`.
    pub name: &'static str,
    /// Whether the name was coined here, since the standard has none.
    pub name_is_ours: bool,
    /// What it concerns.
    pub level: StatusLevel,
    /// The versions as the table writes them; a trailing `?` marks a range that no public text gives.
    pub versions: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What a client should do about it.
    pub client_action: &'static str,
    /// What servers answer instead up to 12.1, as the table writes it; empty where there is no such form.
    pub http_equivalent: &'static str,
    /// Where it is stated and tested: `RS+suite`, `RS` or `?`.
    pub verified: &'static str,
    /// Requirement ids, as `MS-ASCMD_R4812`.
    pub requirements: Vec<String>,
}

impl Meaning {
    /// The HTTP status codes of `http_equivalent`, the usual one first.
    pub fn http_statuses(&self) -> Vec<u16> {
        self.http_equivalent
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|number| number.parse().ok())
            .filter(|number| (400..600).contains(number))
            .collect()
    }

    /// Whether the value may be sent in `version`. Rows that are only known for 12.1 and later say nothing of 12.0,
    /// where it is taken to be the same.
    pub fn exists_in(&self, version: Version) -> bool {
        table::range(self.versions).is_some_and(|(first, last)| (first..=last).contains(&version))
    }
}

/// Every row of the table, in its order.
pub fn all() -> &'static [Meaning] {
    static ALL: LazyLock<Vec<Meaning>> = LazyLock::new(table::read);
    &ALL
}

/// What `value` means at `scope`. Where the scope has no row of its own, the common values (101 and above) answer, but
/// not for HTTP codes and Autodiscover error codes.
pub fn meaning(scope: StatusScope, value: Status) -> Option<&'static Meaning> {
    let row = |scope| all().iter().find(|row| row.scope == scope && row.value == Some(value));
    row(scope).or_else(|| if scope.has_common_values() { row(StatusScope::Common) } else { None })
}

/// The HTTP status that up to 12.1 stands for a common value of 14.0 and later, `None` where the value is sent in band
/// in every version. For 140 this is 449, the answer to a device that sent a policy key (403 to one that did not).
pub fn http_equivalent(value: Status) -> Option<u16> {
    let statuses = meaning(StatusScope::Common, value)?.http_statuses();
    if value == Status::REMOTE_WIPE_REQUESTED { statuses.last().copied() } else { statuses.first().copied() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_is_read() {
        let rows = include_str!("../data/status-codes.tsv").lines().filter(|line| !line.starts_with('#')).count() - 1;
        assert_eq!(all().len(), rows);
        assert_eq!(rows, 276);
        for (scope, count) in [
            (StatusScope::Common, 78),
            (StatusScope::Sync, 13),
            (StatusScope::FolderSync, 6),
            (StatusScope::Ping, 8),
            (StatusScope::ItemOperations, 19),
            (StatusScope::ValidateCert, 17),
            (StatusScope::SearchStore, 14),
            (StatusScope::Provision, 6),
            (StatusScope::ProvisionPolicy, 5),
            (StatusScope::Http, 15),
        ] {
            assert_eq!(all().iter().filter(|row| row.scope == scope).count(), count, "{scope}");
        }
        for scope in StatusScope::all() {
            assert!(all().iter().any(|row| row.scope == scope), "{scope}");
        }
    }

    #[test]
    fn no_row_is_empty_and_none_comes_twice() {
        for (index, row) in all().iter().enumerate() {
            assert!(!row.name.is_empty() && !row.meaning.is_empty() && !row.client_action.is_empty(), "{row:?}");
            assert!(row.requirements.iter().all(|id| id.starts_with("MS-AS") && id.contains("_R")), "{row:?}");
            assert!(table::range(row.versions).is_some(), "{row:?}");
            assert!(all()[index + 1..].iter().all(|other| (other.scope, other.value) != (row.scope, row.value)));
        }
    }

    #[test]
    fn a_value_means_what_its_scope_says_and_falls_back_to_the_common_ones() {
        assert_eq!(meaning(StatusScope::Sync, Status(3)).unwrap().name, "InvalidSyncKey");
        assert_eq!(meaning(StatusScope::MoveItems, Status(3)).unwrap().name, "Success");
        assert_eq!(meaning(StatusScope::Sync, Status(142)).unwrap().name, "DeviceNotProvisioned");
        assert_eq!(meaning(StatusScope::Provision, Status(141)).unwrap().scope, StatusScope::Provision);
        assert_eq!(meaning(StatusScope::SearchStore, Status(110)).unwrap().name, "ServerError");
        assert_eq!(meaning(StatusScope::Http, Status(142)), None);
        assert_eq!(meaning(StatusScope::Sync, Status(2)), None);
        assert_eq!(meaning(StatusScope::Common, Status(60_000)), None);
    }

    #[test]
    fn the_older_versions_answer_with_http() {
        for (status, http) in [
            (101, 400),
            (103, 400),
            (106, 400),
            (110, 500),
            (111, 503),
            (112, 403),
            (113, 507),
            (125, 403),
            (126, 403),
            (132, 403),
            (137, 501),
            (138, 400),
            (140, 449),
            (141, 449),
            (142, 449),
            (143, 449),
            (144, 449),
            (147, 400),
        ] {
            assert_eq!(http_equivalent(Status(status)), Some(http), "{status}");
        }
        assert_eq!(http_equivalent(Status(102)), None);
        assert_eq!(meaning(StatusScope::Common, Status(140)).unwrap().http_statuses(), [403, 449]);
        assert_eq!(all().iter().filter(|row| !row.http_equivalent.is_empty()).count(), 18);
    }

    #[test]
    fn versions_bound_a_value() {
        let common = meaning(StatusScope::Common, Status(165)).unwrap();
        assert!(!common.exists_in(Version::V14_0) && common.exists_in(Version::V14_1));
        assert!(meaning(StatusScope::Http, Status(449)).unwrap().exists_in(Version::V2_5));
        assert!(!meaning(StatusScope::Http, Status(449)).unwrap().exists_in(Version::V14_0));
        assert!(meaning(StatusScope::Sync, Status(1)).unwrap().exists_in(Version::V12_0));
        assert!(!meaning(StatusScope::Find, Status(1)).unwrap().exists_in(Version::V16_0));
    }

    #[test]
    fn a_status_is_a_number() {
        assert_eq!(Status::parse(" 142\n"), Some(Status::NOT_PROVISIONED));
        for text in ["", "-1", "1.0", "65536", "one"] {
            assert_eq!(Status::parse(text), None, "{text}");
        }
        assert!(Status::NOT_PROVISIONED.asks_for_provisioning() && !Status::EXTERNALLY_MANAGED.asks_for_provisioning());
    }
}
