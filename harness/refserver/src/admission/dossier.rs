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
    /// Whether a wipe is pending.
    pub(crate) wipe: Wipe,
    /// Its description.
    pub(crate) information: Option<DeviceInformation>,
    /// The password that unlocks it.
    pub(crate) recovery_password: Option<Secret>,
    /// The name of its last Find.
    pub(crate) last_find: Option<String>,
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
