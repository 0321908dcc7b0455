mod registry;

use std::{collections::BTreeSet, fmt, str::FromStr};

use thiserror::Error;

pub use registry::Risk;

macro_rules! switches {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// One way to be dishonest, named after what a user would suffer.
        ///
        /// Each is asked at the one place where the honest code decides.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Switch {
            $($(#[$doc])* $variant,)*
        }

        impl Switch {
            /// Every switch.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name on the command line.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

switches! {
    /// Sync answers with the key of the request.
    SyncKeyNotAdvanced = "sync-key-not-advanced",
    /// A full window does not say that there is more.
    MoreAvailableDropped = "more-available-dropped",
    /// The first item of the next window never comes.
    ItemLostBetweenWindows = "item-lost-between-windows",
    /// The last item of a window comes again in the next.
    ItemDoubledBetweenWindows = "item-doubled-between-windows",
    /// A read mark set by a device is taken and forgotten.
    ReadFlagLost = "read-flag-lost",
    /// A follow-up flag set by a device is taken and forgotten.
    FlagLost = "flag-lost",
    /// A deleted item is never announced to other devices.
    DeleteNotPropagated = "delete-not-propagated",
    /// A deleted item goes for good although it should go to Deleted Items.
    DeleteIgnoresDeletesAsMoves = "delete-ignores-deletes-as-moves",
    /// A changed item is never announced to other devices.
    ChangeNotPropagated = "change-not-propagated",
    /// Any key of a folder is taken as the current one.
    StaleSyncKeyAccepted = "stale-sync-key-accepted",
    /// Any key of the folder list is taken as the current one.
    StaleFolderKeyAccepted = "stale-folder-key-accepted",
    /// Folders get new ids when the list is asked for anew.
    FolderIdsChangeOnResync = "folder-ids-change-on-resync",
    /// Ping sleeps through every change.
    PingNeverWakes = "ping-never-wakes",
    /// Ping names another folder than the one that changed.
    PingWrongFolder = "ping-wrong-folder",
    /// Ping takes any interval.
    PingHeartbeatLimitIgnored = "ping-heartbeat-limit-ignored",
    /// Bodies come whole whatever size was asked for.
    TruncationIgnored = "truncation-ignored",
    /// A cut body does not say that it was cut.
    TruncatedFlagMissing = "truncated-flag-missing",
    /// Bodies come in their native type whatever was asked for.
    BodyTypeIgnored = "body-type-ignored",
    /// Bodies come as MIME to devices that did not ask for it.
    MimeAlways = "mime-always",
    /// Formatted bodies come as plain text.
    HtmlFlattened = "html-flattened",
    /// Mail does not say that it has attachments.
    AttachmentsHidden = "attachments-hidden",
    /// There is no folder for tasks.
    TasksFolderMissing = "tasks-folder-missing",
    /// Attachments lose their last byte.
    AttachmentCorrupted = "attachment-corrupted",
    /// A fetch gives the neighbour of the item asked for.
    FetchWrongItem = "fetch-wrong-item",
    /// Sent mail arrives nowhere.
    SentMailLost = "sent-mail-lost",
    /// A repeated ClientId is sent again.
    SentMailDoubled = "sent-mail-doubled",
    /// Replies and forwards come without the original.
    ReplyWithoutOriginal = "reply-without-original",
    /// A moved item leaves its folder and arrives nowhere.
    MoveLosesItem = "move-loses-item",
    /// A second folder of the same name is made.
    FolderCreateDuplicate = "folder-create-duplicate",
    /// A built-in folder is said to be deleted, and stays.
    FolderDeleteBuiltin = "folder-delete-builtin",
    /// A new name of a folder is taken and forgotten.
    FolderRenameLost = "folder-rename-lost",
    /// A blocked device is served like any other.
    BlockNotEnforced = "block-not-enforced",
    /// A new contact loses its mobile number.
    ContactNumberLost = "contact-number-lost",
    /// A new event loses its reminder.
    EventReminderLost = "event-reminder-lost",
    /// A new series is kept as its first event alone.
    SeriesFlattened = "series-flattened",
    /// What a device left out of a contact is wiped, ghosted or not.
    ContactGhostWiped = "contact-ghost-wiped",
    /// An unrelated change of a series drops its exceptions.
    EventExceptionLost = "event-exception-lost",
    /// All-day events begin an hour late.
    AllDayShifted = "all-day-shifted",
    /// Old mail comes although a filter was set.
    FilterIgnored = "filter-ignored",
    /// The estimate is one too high.
    EstimateWrong = "estimate-wrong",
    /// A device gets its own changes back.
    OwnChangeEchoed = "own-change-echoed",
    /// A change that lost a conflict is answered as success.
    ConflictUnreported = "conflict-unreported",
    /// Accepting a meeting puts nothing into the calendar.
    AcceptedMeetingMissing = "accepted-meeting-missing",
    /// Sent mail is not kept although the device asked for it.
    SentItemsEmpty = "sent-items-empty",
    /// The final policy key is 0.
    PolicyKeyZero = "policy-key-zero",
    /// A phone is let in at its second policy key only.
    PolicyKeyLate = "policy-key-late",
    /// Devices are served whatever policy key they send.
    PolicyKeyNotChecked = "policy-key-not-checked",
    /// A changed policy never asks devices to fetch it.
    PolicyRefreshNeverAsked = "policy-refresh-never-asked",
    /// A policy type nobody knows is answered with the policy.
    UnknownPolicyTypeAccepted = "unknown-policy-type-accepted",
    /// OPTIONS offers a version that is refused when used.
    OptionsVersionsOverstated = "options-versions-overstated",
    /// OPTIONS leaves out a command that is served.
    OptionsCommandMissing = "options-command-missing",
    /// Documents are called web pages.
    WrongContentType = "wrong-content-type",
    /// Who may not in is sent a web page and HTTP 200, as by a gateway with a login form.
    HtmlErrorPage = "html-error-page",
    /// The address list never has anybody.
    GalSearchEmpty = "gal-search-empty",
    /// Mailbox search leaves out the newest match.
    MailboxSearchMisses = "mailbox-search-misses",
    /// Out of office is taken and forgotten.
    OofNotStored = "oof-not-stored",
    /// The owner has no addresses.
    UserInformationEmpty = "user-information-empty",
    /// Autodiscover answers in the namespace of the request.
    AutodiscoverWrongNamespace = "autodiscover-wrong-namespace",
    /// Autodiscover names an address without TLS.
    AutodiscoverHttpUrl = "autodiscover-http-url",
    /// An ambiguous name is answered with the first match as if it were the only one.
    ResolveAmbiguousHidden = "resolve-ambiguous-hidden",
    /// Any password is right.
    PasswordNotChecked = "password-not-checked",
    /// Settings answers without a status.
    StatusMissing = "status-missing",
}

/// The switches that are on; none is honest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Switches(BTreeSet<Switch>);

impl Switches {
    /// Whether `switch` is on.
    pub fn has(&self, switch: Switch) -> bool {
        self.0.contains(&switch)
    }

    /// Turns `switch` on.
    pub fn turn_on(&mut self, switch: Switch) {
        self.0.insert(switch);
    }

    /// Turns `switch` off.
    pub fn turn_off(&mut self, switch: Switch) {
        self.0.remove(&switch);
    }

    /// The switches that are on.
    pub fn iter(&self) -> impl Iterator<Item = Switch> {
        self.0.iter().copied()
    }
}

impl FromIterator<Switch> for Switches {
    fn from_iter<I: IntoIterator<Item = Switch>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}

/// A name that is no switch.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown dishonest switch `{0}`")]
pub struct UnknownSwitch(pub String);

impl FromStr for Switch {
    type Err = UnknownSwitch;

    fn from_str(name: &str) -> Result<Self, UnknownSwitch> {
        Self::ALL.iter().copied().find(|switch| switch.name() == name).ok_or_else(|| UnknownSwitch(name.to_owned()))
    }
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_switch_is_found_by_its_own_name() {
        for switch in Switch::ALL {
            assert_eq!(switch.name().parse(), Ok(*switch));
        }
    }
}
