//! What Exchange writes behind the query of a request in the IIS log: `&Log=V141_Hb1680_S3_Error:PingCollisionDetected_As:AllowedG_…`.
//!
//! Words parted by `_`, each a name and a value; readers skip the words they do not know. The forms differ by release:
//! `V141` and `S142` up to Exchange 2010, `Ver1:141` and `SC1:142` from 2013 on.

use easrig_eas::status::Status;

/// The words that tell something about a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Logged {
    /// Protocol version, as `14.1`.
    pub(super) version: Option<String>,
    /// Status of the command.
    pub(super) status: Option<Status>,
    /// What Exchange itself calls the failure: `DeviceNotProvisioned`.
    pub(super) error: Option<String>,
    /// Access state: `Allowed`, `Blocked`, `Quarantined`.
    pub(super) access: Option<String>,
    /// What the access state comes from: `Global`, `Individual`, `DeviceRule`, `Policy`.
    pub(super) access_reason: Option<&'static str>,
    /// The operating system, as the device gave it in DeviceInformation.
    pub(super) system: Option<String>,
}

impl Logged {
    /// Parts what the phone sent from what the server added.
    pub(super) fn split(query: &str) -> (&str, Self) {
        match query.split_once("&Log=") {
            Some((sent, added)) => (sent.trim_end_matches('&'), Self::read(added)),
            None => (query, Self::default()),
        }
    }

    fn read(added: &str) -> Self {
        let mut logged = Self::default();
        for word in added.split('_') {
            let (name, value) = named(word);
            match name {
                "V" | "Ver1" if logged.version.is_none() => logged.version = version(value),
                "S" | "SC1" if logged.status.is_none() => logged.status = Status::parse(value),
                "Error" => logged.error = filled(unescaped(value)),
                "As" => (logged.access, logged.access_reason) = access(value),
                "DevOS" => logged.system = filled(unescaped(value)),
                _ => {}
            }
        }
        logged
    }
}

/// `Hb1680` and `Hb:1680` are the same.
fn named(word: &str) -> (&str, &str) {
    word.split_once(':').unwrap_or_else(|| {
        let name = word.trim_end_matches(|c: char| c.is_ascii_digit());
        (name, word.strip_prefix(name).unwrap_or_default())
    })
}

/// `141` is 14.1, `25` is 2.5.
fn version(digits: &str) -> Option<String> {
    let split = digits.len().checked_sub(1).filter(|split| (1..=2).contains(split))?;
    let (major, minor) = digits.split_at_checked(split)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| format!("{major}.{minor}"))
}

/// The state, and the first letter of its reason. `U` stands for two reasons, so it names none.
fn access(value: &str) -> (Option<String>, Option<&'static str>) {
    let (state, reason) = match value.char_indices().next_back() {
        Some((at, 'G')) => (value.get(..at), Some("Global")),
        Some((at, 'I')) => (value.get(..at), Some("Individual")),
        Some((at, 'D')) => (value.get(..at), Some("DeviceRule")),
        Some((at, 'P')) => (value.get(..at), Some("Policy")),
        Some((at, last)) if last.is_ascii_uppercase() => (value.get(..at), None),
        _ => (Some(value), None),
    };
    (state.and_then(|state| filled(state.to_owned())), reason)
}

fn unescaped(value: &str) -> String {
    url::form_urlencoded::parse(format!("v={value}").as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn filled(value: String) -> Option<String> {
    Some(value).filter(|value| !value.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_exchange_2010_are_known() {
        let (sent, logged) = Logged::split(
            "Cmd=Ping&User=a&DeviceId=b&DeviceType=c&Log=V141_LdapC1_Hb1680_S3_Error:PingCollisionDetected_Mbx:M_As:BlockedP_Throttle0",
        );
        assert_eq!(sent, "Cmd=Ping&User=a&DeviceId=b&DeviceType=c");
        assert_eq!((logged.version.as_deref(), logged.status), (Some("14.1"), Some(Status(3))));
        assert_eq!(logged.error.as_deref(), Some("PingCollisionDetected"));
        assert_eq!((logged.access.as_deref(), logged.access_reason), (Some("Blocked"), Some("Policy")));
    }

    #[test]
    fn the_words_of_exchange_2013_and_later_are_known() {
        let (sent, logged) =
            Logged::split("Cmd=Sync&&Log=SC1:142_PrxFrom:10.0.0.1_Ver1:160_DevOS:iOS+9.2+13C71_As:AllowedG");
        assert_eq!(sent, "Cmd=Sync");
        assert_eq!((logged.version.as_deref(), logged.status), (Some("16.0"), Some(Status(142))));
        assert_eq!((logged.system.as_deref(), logged.access.as_deref()), (Some("iOS 9.2 13C71"), Some("Allowed")));
    }

    #[test]
    fn words_that_nobody_knows_say_nothing() {
        for added in
            ["V2TCoSSC:0A0C0D0FS:1A0C0D0SP:1C2I105992S109982R", "", "____", "V_S_As:_Error:_DevOS:", "S999999", "é_Vé"]
        {
            assert_eq!(Logged::split(&format!("Cmd=Sync&Log={added}")).1, Logged::default(), "{added}");
        }
        assert_eq!(Logged::split("Cmd=Sync").0, "Cmd=Sync");
    }

    #[test]
    fn a_reason_that_can_be_two_names_none() {
        assert_eq!(access("DeviceDiscoveryU"), (Some("DeviceDiscovery".into()), None));
    }
}
