//! Who is let in: the rules that every command passes before it runs (MS-ASPROV 3.1.5.1 and 3.1.5.2).
//!
//! What an administrator says stands in [`Standing`], per account; what is known of a device stands in [`Dossier`], per
//! partnership. Nothing here answers a command: it only says why one is not served.

mod dossier;
mod policy;
mod standing;
#[cfg(test)]
mod tests;

use easrig_eas::{Command, PolicyKey, Version, headers, status::Status};
use jiff::Timestamp;

pub(crate) use dossier::{Dossier, Held, Wipe};
pub use policy::{BadValue, Policy, PolicyFileError, UnknownName};
pub(crate) use standing::{Site, Standing, Throttle};

use crate::{Account, Answer, Call, Caller, DeviceKey, State, Switch};

/// Why a command of a caller is not served; `None` lets it in.
pub(crate) fn refusal(state: &mut State, caller: &Caller, call: &Call) -> Option<Answer> {
    let State { site, switches, accounts, .. } = state;
    let account = accounts.get_mut(&caller.user)?;
    let key = policy_key(call);
    if let Some(answer) = barred(account, site, caller, switches) {
        return Some(answer);
    }
    let policy = account.standing.policy(site).cloned();
    let revision = account.standing.revision;
    let dossier = &mut account.partnerships.get_mut(&caller.device)?.dossier;
    if caller.command == Command::Provision {
        return None;
    }
    if switches.has(Switch::PolicyKeyLate) && dossier.arrival.asks(key) {
        return Some(site.signal(caller, Status::NOT_PROVISIONED));
    }
    if dossier.wipe.is_pending(caller.version) {
        return Some(wipe_pending(site, caller, key));
    }
    if switches.has(Switch::PolicyKeyNotChecked) {
        return None;
    }
    let gate = Gate { policy: policy?, revision, command: caller.command, now: caller.now, switches };
    gate.check(dossier, key).err().map(|status| site.signal(caller, status))
}

/// Whether one more device of this account would be too many.
pub(crate) fn is_one_too_many(account: &Account, site: &Site, device: &DeviceKey) -> bool {
    let most = account.standing.partnerships_most.or(site.profile.partnerships);
    !account.partnerships.contains_key(device) && most.is_some_and(|most| account.partnerships.len() >= most)
}

/// The answer to a device too many.
pub(crate) fn one_too_many(site: &Site, caller: &Caller) -> Answer {
    site.signal(caller, Status::MAXIMUM_DEVICES_REACHED)
}

/// The key of a call: from its header, or from its query in the base64 form. `None` is none at all.
pub(crate) fn policy_key(call: &Call) -> Option<PolicyKey> {
    let header = || call.headers.get(headers::POLICY_KEY).and_then(|text| text.trim().parse().ok()).map(PolicyKey);
    call.query.policy_key.or_else(header)
}

fn barred(account: &mut Account, site: &Site, caller: &Caller, switches: &crate::Switches) -> Option<Answer> {
    let standing = &mut account.standing;
    if standing.blocked.contains(&caller.device) && !switches.has(Switch::BlockNotEnforced) {
        return Some(site.signal(caller, Status::DEVICE_BLOCKED));
    }
    if standing.quarantined.contains(&caller.device) {
        return Some(site.signal(caller, QUARANTINED));
    }
    let throttled = standing.throttle.as_ref().is_some_and(|throttle| throttle.status == RETRY_LATER);
    throttled.then(|| standing.take_throttle()).flatten().map(|_| caller.refuse(Status::SERVER_ERROR_RETRY_LATER))
}

/// Before 14.0 a device that sends no key is refused outright, since it could not learn of the wipe (MS-ASCMD 140).
fn wipe_pending(site: &Site, caller: &Caller, key: Option<PolicyKey>) -> Answer {
    if caller.version < Version::V14_0 && key.is_none() {
        return Answer::http(403);
    }
    site.signal(caller, Status::REMOTE_WIPE_REQUESTED)
}

/// The status a device in quarantine meets: it may not perform this request until somebody lets it in.
const QUARANTINED: Status = Status(130);

/// The status of a throttle that is told in-band.
const RETRY_LATER: u16 = 111;

struct Gate<'s> {
    policy: Policy,
    revision: u64,
    command: Command,
    now: Timestamp,
    switches: &'s crate::Switches,
}

impl Gate<'_> {
    /// The table of who is let in, row by row.
    fn check(&self, dossier: &mut Dossier, key: Option<PolicyKey>) -> Result<(), Status> {
        match (key, dossier.held) {
            (Some(sent), Held::Final { key, .. }) if sent == key => self.check_age(dossier),
            // Ping never carries a key.
            (None, Held::Final { .. }) if self.command == Command::Ping => self.check_age(dossier),
            // A device that was let in without a key stays in, whatever the switch says later.
            _ if dossier.served && !matches!(dossier.held, Held::Final { .. }) => Ok(()),
            (None, _) => self.let_in_after(dossier, Reason::NoKey),
            (Some(PolicyKey(0)), _) => self.let_in_after(dossier, Reason::KeyZero),
            (Some(_), _) => self.let_in_after(dossier, Reason::WrongKey),
        }
    }

    fn check_age(&self, dossier: &Dossier) -> Result<(), Status> {
        let Held::Final { revision, since, .. } = dossier.held else { return Ok(()) };
        let old = self.policy.refresh.is_some_and(|refresh| self.now.duration_since(since) >= refresh);
        let stale = revision != self.revision || old;
        if stale && !self.switches.has(Switch::PolicyRefreshNeverAsked) {
            return Err(Status::POLICY_REFRESH);
        }
        Ok(())
    }

    fn let_in_after(&self, dossier: &mut Dossier, reason: Reason) -> Result<(), Status> {
        if !self.policy.allow_non_provisionable {
            return Err(reason.status_when_strict());
        }
        let told = match reason {
            Reason::WrongKey => std::mem::replace(&mut dossier.corrected, true),
            Reason::NoKey | Reason::KeyZero => std::mem::replace(&mut dossier.offered, true),
        };
        if !told {
            dossier.offered = true;
            return Err(reason.status_when_lenient());
        }
        dossier.served = true;
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Reason {
    NoKey,
    KeyZero,
    WrongKey,
}

impl Reason {
    fn status_when_strict(self) -> Status {
        match self {
            Self::NoKey => Status::LEGACY_DEVICE,
            Self::KeyZero => Status::NOT_PROVISIONED,
            Self::WrongKey => Status::INVALID_POLICY_KEY,
        }
    }

    fn status_when_lenient(self) -> Status {
        match self {
            Self::NoKey | Self::KeyZero => Status::NOT_PROVISIONED,
            Self::WrongKey => Status::INVALID_POLICY_KEY,
        }
    }
}
