//! Arrangements: what an administrator, or the world outside, does to one account while devices are connected.
//!
//! Each holds for one account only, so that tests beside it notice nothing, and is taken back by [`State::reset`].

mod seed;

use easrig_exchange::Secret;
use jiff::Timestamp;
use thiserror::Error;

use crate::{
    Account, Content, DeviceKey, Kind, Mail, Policy, State, UserName,
    admission::{Held, Throttle, Wipe},
};

pub(crate) use seed::furnish;

/// A change on the server's side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrangement {
    /// These settings are in force, over what was before: names of MS-ASPROV or `AllowNonProvisionableDevices`, values as
    /// on the wire. Every device has to fetch the policy anew.
    Policy(Vec<(String, String)>),
    /// This whole policy is in force. Every device has to fetch it anew.
    WholePolicy(Box<Policy>),
    /// `AllowNonProvisionableDevices` is off (true) or on. The policy itself stays, and so do devices that are in.
    Strict(bool),
    /// Requests are refused as too many.
    Throttle {
        /// 503 (HTTP) or 111 (Status).
        status: u16,
        /// Seconds in `Retry-After`.
        retry_after: Option<u32>,
        /// How many requests; all of them when `None`.
        times: Option<u32>,
    },
    /// The mailbox is at the server's other address (451).
    Moved,
    /// The device is shut out.
    Block,
    /// The device waits to be let in.
    Quarantine,
    /// The password is another one.
    Password(Secret),
    /// This message arrives from outside.
    Deliver(Vec<u8>),
    /// The device, or every device, is asked to fetch the policy anew.
    ExpirePolicyKey,
    /// The device is to be wiped: all of it, or this account only.
    Wipe {
        /// Leaves the rest of the device alone (16.1).
        account_only: bool,
    },
    /// The most devices.
    PartnershipLimit(usize),
    /// Basic authentication is refused.
    BasicBlocked,
}

/// Why an arrangement cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ArrangementError {
    /// No such account.
    #[error("there is no account `{0}`")]
    NoAccount(UserName),
    /// It is about one device, and none was named.
    #[error("the arrangement is about one device, and none was named")]
    NoDevice,
    /// The device has never spoken.
    #[error("`{0}` has never spoken to this server")]
    UnknownDevice(DeviceKey),
    /// A setting or its value.
    #[error("{0}")]
    Setting(String),
    /// Neither 503 nor 111.
    #[error("requests are refused with 503 or 111, not {0}")]
    ThrottleStatus(u16),
    /// The inbox takes no more.
    #[error("the inbox is full")]
    MailboxFull,
}

impl State {
    /// Makes a change for `user`, or for this one device of theirs.
    ///
    /// # Errors
    /// See [`ArrangementError`]; nothing was changed then.
    pub fn arrange(
        &mut self,
        user: &UserName,
        device: Option<&DeviceKey>,
        arrangement: Arrangement,
        now: Timestamp,
    ) -> Result<(), ArrangementError> {
        let Self { site, accounts, .. } = self;
        let account = accounts.get_mut(user).ok_or_else(|| ArrangementError::NoAccount(user.clone()))?;
        let current = || account.standing.policy(site).cloned().unwrap_or_default();
        let named = || device.cloned().ok_or(ArrangementError::NoDevice);
        match arrangement {
            Arrangement::Policy(settings) => {
                let mut policy = current();
                for (name, value) in &settings {
                    policy.set(name, value).map_err(ArrangementError::Setting)?;
                }
                account.put_in_force(policy);
            }
            Arrangement::WholePolicy(policy) => account.put_in_force(*policy),
            Arrangement::Strict(on) => {
                let policy = Policy { allow_non_provisionable: !on, ..current() };
                account.standing.own_policy = Some(policy);
            }
            Arrangement::Throttle { status, retry_after, times } => {
                if !matches!(status, 503 | 111) {
                    return Err(ArrangementError::ThrottleStatus(status));
                }
                account.standing.throttle = Some(Throttle { status, retry_after, left: times });
            }
            Arrangement::Moved => account.standing.moved = true,
            Arrangement::Block => {
                account.standing.blocked.insert(named()?);
            }
            Arrangement::Quarantine => {
                account.standing.quarantined.insert(named()?);
            }
            Arrangement::Password(secret) => {
                let before = std::mem::replace(&mut account.secret, secret);
                account.standing.first_secret.get_or_insert(before);
            }
            Arrangement::Deliver(mime) => account.deliver(mime, now)?,
            Arrangement::ExpirePolicyKey => account.expire_keys(device),
            Arrangement::Wipe { account_only } => {
                let device = named()?;
                let partnership =
                    account.partnerships.get_mut(&device).ok_or(ArrangementError::UnknownDevice(device))?;
                partnership.dossier.wipe = if account_only { Wipe::AccountOnly } else { Wipe::Device };
            }
            Arrangement::PartnershipLimit(most) => account.standing.partnerships_most = Some(most),
            Arrangement::BasicBlocked => account.standing.basic_blocked = true,
        }
        Ok(())
    }

    /// Takes back every arrangement made for `user` but delivered mail, and forgets how their devices were let in.
    pub fn reset(&mut self, user: &UserName) {
        let Some(account) = self.account_mut(user) else { return };
        let standing = std::mem::take(&mut account.standing);
        if let Some(secret) = standing.first_secret {
            account.secret = secret;
        }
        account.standing.revision = standing.revision.saturating_add(1);
        account.standing.oof = standing.oof;
        account.partnerships.values_mut().for_each(|device| device.dossier.forget_admission());
    }
}

impl Account {
    /// A new policy: keys of the last one want a refresh, and nobody is in without one.
    fn put_in_force(&mut self, policy: Policy) {
        self.standing.own_policy = Some(policy);
        self.standing.revision = self.standing.revision.saturating_add(1);
        self.partnerships.values_mut().for_each(|device| device.dossier.forget_lenience());
    }

    fn expire_keys(&mut self, only: Option<&DeviceKey>) {
        let meant = self.partnerships.values_mut().filter(|one| only.is_none_or(|only| one.device == *only));
        for device in meant {
            if let Held::Final { revision, .. } = &mut device.dossier.held {
                *revision = u64::MAX;
            }
            device.dossier.forget_lenience();
        }
    }

    fn deliver(&mut self, mime: Vec<u8>, now: Timestamp) -> Result<(), ArrangementError> {
        let inbox = self.mailbox.built_in(Kind::Inbox).cloned().ok_or(ArrangementError::MailboxFull)?;
        let mail = Content::Mail(Box::new(Mail::new(mime, now)));
        self.mailbox.add(&inbox, mail).map(drop).ok_or(ArrangementError::MailboxFull)
    }
}
