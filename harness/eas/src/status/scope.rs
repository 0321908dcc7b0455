use std::fmt;

macro_rules! scopes {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// Where a Status stands: the command, and the element inside it where values differ.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum StatusScope {
            $(
                #[doc = concat!("`", $name, "`")]
                $variant,
            )*
        }

        const NAMES: &[(StatusScope, &str)] = &[$((StatusScope::$variant, $name)),*];
    };
}

scopes! {
    Common = "common",
    Autodiscover = "Autodiscover",
    AutodiscoverErrorCode = "Autodiscover.ErrorCode",
    FolderSync = "FolderSync",
    FolderCreate = "FolderCreate",
    FolderDelete = "FolderDelete",
    FolderUpdate = "FolderUpdate",
    Sync = "Sync",
    GetItemEstimate = "GetItemEstimate",
    Ping = "Ping",
    ItemOperations = "ItemOperations",
    MeetingResponse = "MeetingResponse",
    MoveItems = "MoveItems",
    ResolveRecipients = "ResolveRecipients",
    ResolveRecipientsResponse = "ResolveRecipients.Response",
    ResolveRecipientsAvailability = "ResolveRecipients.Availability",
    ResolveRecipientsCertificates = "ResolveRecipients.Certificates",
    ResolveRecipientsPicture = "ResolveRecipients.Picture",
    Search = "Search",
    SearchStore = "Search.Store",
    SearchPicture = "Search.Picture",
    Find = "Find",
    SendMail = "SendMail",
    SmartForward = "SmartForward",
    SmartReply = "SmartReply",
    Settings = "Settings",
    SettingsDevicePassword = "Settings.DevicePassword",
    ValidateCert = "ValidateCert",
    Provision = "Provision",
    ProvisionPolicy = "Provision.Policy",
    ProvisionPolicyRequest = "Provision.Policy(request)",
    ProvisionRemoteWipeRequest = "Provision.RemoteWipe(request)",
    ProvisionDeviceInformation = "Provision.DeviceInformation",
    BodyPart = "AirSyncBase.BodyPart",
    Http = "HTTP",
}

impl StatusScope {
    /// Every scope, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(scope, _)| *scope)
    }

    /// The name of the table.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(scope, _)| *scope == self).map_or("", |(_, name)| name)
    }

    /// The scope of that name, in any letter case.
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(scope, _)| *scope)
    }

    pub(super) fn has_common_values(self) -> bool {
        !matches!(self, Self::Http | Self::AutodiscoverErrorCode | Self::Autodiscover)
    }
}

impl From<crate::Command> for StatusScope {
    /// The scope of the command's own, topmost Status; GetAttachment has none and gets the common values.
    fn from(command: crate::Command) -> Self {
        Self::from_name(command.name()).unwrap_or(Self::Common)
    }
}

impl fmt::Display for StatusScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Command;

    #[test]
    fn every_command_has_its_scope() {
        for command in Command::all().filter(|command| *command != Command::GetAttachment) {
            assert_eq!(StatusScope::from(command).name(), command.name());
        }
        assert_eq!(StatusScope::from(Command::GetAttachment), StatusScope::Common);
    }
}
