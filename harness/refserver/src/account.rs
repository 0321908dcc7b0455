use std::{collections::BTreeMap, fmt};

use easrig_exchange::Secret;
use jiff::Timestamp;

use crate::{DeviceKey, Mailbox, Partnership, admission::Standing};

/// The name an account logs on with, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserName(String);

impl UserName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for UserName {
    /// Takes `user`, `DOMAIN\user` and `user@domain`; the domain part of the second form is dropped.
    fn from(text: &str) -> Self {
        Self(text.rsplit('\\').next().unwrap_or(text).to_lowercase())
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One user: how they log on, their mailbox and their devices.
#[derive(Clone, Debug)]
pub struct Account {
    /// The name they log on with.
    pub user: UserName,
    /// Their mail address, in lower case.
    pub address: String,
    /// The name people see.
    pub display_name: String,
    /// Their password or token.
    pub secret: Secret,
    /// What they have.
    pub mailbox: Mailbox,
    /// Their devices.
    pub partnerships: BTreeMap<DeviceKey, Partnership>,
    pub(crate) standing: Standing,
}

impl Account {
    /// An account with an empty mailbox.
    pub fn new(user: &str, address: &str, secret: Secret, now: Timestamp) -> Self {
        let user = UserName::from(user);
        let display_name = capitalised(user.as_str().split('@').next().unwrap_or_default());
        Self {
            mailbox: Mailbox::new(now),
            address: address.to_lowercase(),
            display_name,
            secret,
            user,
            partnerships: BTreeMap::new(),
            standing: Standing::default(),
        }
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_before_the_name_is_dropped() {
        assert_eq!(UserName::from("EASRIG\\Alice").as_str(), "alice");
        assert_eq!(UserName::from("alice@easrig.test").as_str(), "alice@easrig.test");
    }
}
