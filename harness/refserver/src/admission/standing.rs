use std::collections::{BTreeMap, BTreeSet};

use easrig_eas::{Version, command::settings::OofSettings, status::Status};
use easrig_exchange::Secret;

use super::Policy;
use crate::{Answer, Caller, DeviceKey, Profile, profile::Signals};

/// What holds for the whole server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Site {
    /// The product.
    pub(crate) profile: Profile,
    /// The policy of accounts that have none of their own; `None` is no policy at all.
    pub(crate) policy: Option<Policy>,
    /// Addresses that Autodiscover sends on to other addresses, in lower case.
    pub(crate) redirects: BTreeMap<String, String>,
    /// The roots that S/MIME certificates are trusted by, DER.
    pub(crate) roots: Vec<Vec<u8>>,
}

impl Site {
    /// Refuses in the way of the product: in-band from 14.0 on, or by an HTTP status throughout.
    pub(crate) fn signal(&self, caller: &Caller, status: Status) -> Answer {
        match self.profile.signals {
            Signals::InBand => caller.refuse(status),
            Signals::Http => Answer::refusal(caller.command, Version::V12_1, status),
        }
    }
}

/// What an administrator, or the owner, has settled for one account.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    /// A policy of its own.
    pub(crate) own_policy: Option<Policy>,
    /// Counts the policies that were in force: a key of an earlier one wants a refresh.
    pub(crate) revision: u64,
    /// How requests are refused as too many.
    pub(crate) throttle: Option<Throttle>,
    /// Whether the mailbox is at the server's other address.
    pub(crate) moved: bool,
    /// Devices that are shut out.
    pub(crate) blocked: BTreeSet<DeviceKey>,
    /// Devices that wait to be let in.
    pub(crate) quarantined: BTreeSet<DeviceKey>,
    /// The most devices, if other than the product's.
    pub(crate) partnerships_most: Option<usize>,
    /// Whether Basic authentication is refused.
    pub(crate) basic_blocked: bool,
    /// The password as it was before it was changed by an arrangement.
    pub(crate) first_secret: Option<Secret>,
    /// Out of office.
    pub(crate) oof: OofSettings,
}

/// How requests are refused as too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Throttle {
    /// 503 (HTTP) or 111 (Status).
    pub(crate) status: u16,
    /// Seconds.
    pub(crate) retry_after: Option<u32>,
    /// How many more; `None` is all.
    pub(crate) left: Option<u32>,
}

impl Standing {
    /// The policy in force.
    pub(crate) fn policy<'a>(&'a self, site: &'a Site) -> Option<&'a Policy> {
        self.own_policy.as_ref().or(site.policy.as_ref())
    }

    /// Counts one refused request.
    pub(crate) fn take_throttle(&mut self) -> Option<Throttle> {
        let throttle = self.throttle?;
        match throttle.left {
            Some(0) => {
                self.throttle = None;
                return None;
            }
            Some(left) => self.throttle = Some(Throttle { left: Some(left - 1), ..throttle }),
            None => {}
        }
        Some(throttle)
    }
}
