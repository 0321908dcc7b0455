use easrig_eas::DeviceId;
use easrig_exchange::Secret;
use futures_util::future::BoxFuture;

/// A server that can be told to change: the reference server, or whatever stands behind an administrator's own hook.
///
/// Every change holds for one account only, so that cells beside it notice nothing.
pub trait Control: Send + Sync {
    /// Makes a change for `user`, or for this one device of theirs.
    ///
    /// # Errors
    /// Why the server could not be changed, in words.
    fn change<'c>(&'c self, user: &'c str, device: &'c DeviceId, change: Change) -> BoxFuture<'c, Result<(), String>>;

    /// Takes back every change made for `user`, its password among them.
    ///
    /// # Errors
    /// Why the server could not be changed back, in words.
    fn undo<'c>(&'c self, user: &'c str) -> BoxFuture<'c, Result<(), String>>;
}

/// A change on the server's side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// These policy settings are in force: name as in MS-ASPROV (or `AllowNonProvisionableDevices`), value as on the wire.
    Policy(Vec<(String, String)>),
    /// Devices that cannot be provisioned are refused (true), or let in.
    Strict(bool),
    /// Requests are refused as too many.
    Throttle {
        /// 503 (HTTP) or 111 (Status).
        status: u16,
        /// Seconds in Retry-After.
        retry_after: Option<u32>,
        /// How many requests; all of them when `None`.
        times: Option<u32>,
    },
    /// The mailbox is at another URL of the same server (451).
    Moved,
    /// The device is blocked.
    Block,
    /// The device is in quarantine.
    Quarantine,
    /// The account has this password now.
    Password(Secret),
    /// This message arrives from outside.
    Deliver {
        /// The message, RFC 5322.
        mime: Vec<u8>,
    },
    /// The device is asked for a policy refresh.
    ExpirePolicyKey,
}
