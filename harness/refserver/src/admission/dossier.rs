use easrig_eas::{PolicyKey, Version, command::settings::DeviceInformation};
use easrig_exchange::Secret;
use jiff::Timestamp;

/// What the server keeps about one device beside its mailbox state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dossier {
    /// The policy key it holds.
    pub(crate) held: Held,
    /// The key it has yet to acknowledge.
    pub(crate) temporary: Option<PolicyKey>,
    /// Whether provisioning was offered to it.
    pub(crate) offered: bool,
    /// Whether it was told that its key is wrong.
    pub(crate) corrected: bool,
    /// Whether it was let in without a key, so that it stays in.
    pub(crate) served: bool,
    /// How far it has come since it was set up.
    pub(crate) arrival: Arrival,
    /// Whether a wipe is pending.
    pub(crate) wipe: Wipe,
    /// Its description.
    pub(crate) information: Option<DeviceInformation>,
    /// The password that unlocks it.
    pub(crate) recovery_password: Option<Secret>,
    /// The name of its last Find.
    pub(crate) last_find: Option<String>,
}

/// How far a device has come that is let in at its second key only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It has no key yet.
    #[default]
    New,
    /// It has its first final key.
    Provisioned,
    /// It was refused with it.
    Refused,
    /// It has its second one.
    Trusted,
}

impl Arrival {
    /// It is given a final key.
    pub(crate) fn provisions(&mut self) {
        *self = match self {
            Self::Refused => Self::Trusted,
            Self::New | Self::Provisioned | Self::Trusted => Self::Provisioned,
        };
    }

    /// It asks for something; whether it is refused. Without a key it begins anew.
    pub(crate) fn asks(&mut self, key: Option<PolicyKey>) -> bool {
        let refused = *self == Self::Provisioned;
        *self = match (key, *self) {
            (None | Some(PolicyKey(0)), _) => Self::New,
            (_, Self::Provisioned) => Self::Refused,
            (_, arrival) => arrival,
        };
        refused && *self == Self::Refused
    }
}

/// The policy key a device holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Held {
    /// None, or a temporary one.
    #[default]
    Nothing,
    /// A final key.
    Final {
        /// The key.
        key: PolicyKey,
        /// Which policy of the account it acknowledges.
        revision: u64,
        /// When it was given.
        since: Timestamp,
    },
}

/// Whether a device is to be wiped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Wipe {
    /// No.
    #[default]
    None,
    /// All of it.
    Device,
    /// This account only; devices before 16.1 know no such thing and are left alone.
    AccountOnly,
}

impl Wipe {
    /// Whether a device that speaks `version` is to be told.
    pub(crate) fn is_pending(self, version: Version) -> bool {
        match self {
            Self::None => false,
            Self::Device => true,
            Self::AccountOnly => version >= Version::V16_1,
        }
    }
}

impl Dossier {
    /// Forgets how the device was let in; what it said about itself stays.
    pub(crate) fn forget_admission(&mut self) {
        self.held = Held::Nothing;
        self.temporary = None;
        self.forget_lenience();
        self.wipe = Wipe::None;
    }

    /// Forgets that the device was let in without a key.
    pub(crate) fn forget_lenience(&mut self) {
        self.offered = false;
        self.corrected = false;
        self.served = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_that_comes_late_is_refused_at_its_first_key_and_served_at_its_second() {
        let (mut arrival, key) = (Arrival::New, Some(PolicyKey(7)));
        assert!(!arrival.asks(None));
        arrival.provisions();
        assert!(arrival.asks(key) && !arrival.asks(key));
        arrival.provisions();
        assert!(!arrival.asks(key));
        // Without a key it is a new phone.
        assert!(!arrival.asks(Some(PolicyKey(0))));
        arrival.provisions();
        assert!(arrival.asks(key));
    }
}
