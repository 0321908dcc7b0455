//! The settings of EASProvisionDoc as code: name, token, first version, values, and which values bind a device. The
//! texts for people stay in `data/provision-policy.tsv`; a test holds both together, row by row.

use std::{fmt, ops::RangeInclusive, str::FromStr, sync::LazyLock};

use easrig_wbxml::Tag;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::binding::Permissive::{self, Empty, EmptyOrAtLeast, EmptyOrAtMost, Is};
use crate::Version;

/// The code page of Provision.
const PAGE: u8 = 14;
/// The largest number of an `unsignedInt`.
const MOST: i64 = 0xFFFF_FFFF;
const V12_0: Version = Version::V12_0;
const V12_1: Version = Version::V12_1;

macro_rules! settings {
    ($($setting:ident = $token:literal, $name:literal, $since:ident, $kind:ident($($range:expr),+), $permissive:expr,
       [$($moot:ident),*], $param:literal, $value:literal;)*) => {
        /// A setting of a policy: 40 values and two lists of applications (MS-ASPROV 2.2.2, children of EASProvisionDoc).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum Setting {
            $(
                #[doc = concat!("`", $name, "`")]
                $setting,
            )*
        }

        const TABLE: &[Row] = &[$(
            Row {
                setting: Setting::$setting,
                name: $name,
                token: $token,
                since: $since,
                kind: SettingKind::$kind,
                allowed: &[$($range),+],
                permissive: $permissive,
                moot_unless: &[$(Setting::$moot),*],
                param_2013: $param,
                permissive_param: $value,
            },
        )*];
    };
}

settings! {
    DevicePasswordEnabled = 0x0E, "DevicePasswordEnabled", V12_0, Boolean(0..=1), Is(0), [], "PasswordEnabled", "$false";
    AlphanumericDevicePasswordRequired = 0x0F, "AlphanumericDevicePasswordRequired", V12_0, Boolean(0..=1), Is(0), [DevicePasswordEnabled], "AlphanumericPasswordRequired", "$false";
    RequireStorageCardEncryption = 0x10, "RequireStorageCardEncryption", V12_1, Boolean(0..=1), Is(0), [], "RequireStorageCardEncryption", "$false";
    PasswordRecoveryEnabled = 0x11, "PasswordRecoveryEnabled", V12_0, Boolean(0..=1), Is(0), [DevicePasswordEnabled], "PasswordRecoveryEnabled", "$false";
    AttachmentsEnabled = 0x13, "AttachmentsEnabled", V12_0, Boolean(0..=1), Is(1), [], "AttachmentsEnabled", "$true";
    MinDevicePasswordLength = 0x14, "MinDevicePasswordLength", V12_0, ByteOrEmpty(1..=16), EmptyOrAtMost(1), [DevicePasswordEnabled], "MinPasswordLength", "$null";
    MaxInactivityTimeDeviceLock = 0x15, "MaxInactivityTimeDeviceLock", V12_0, UnsignedIntOrEmpty(0..=MOST), EmptyOrAtLeast(9999), [DevicePasswordEnabled], "MaxInactivityTimeLock", "Unlimited";
    MaxDevicePasswordFailedAttempts = 0x16, "MaxDevicePasswordFailedAttempts", V12_0, ByteOrEmpty(4..=16), Empty, [DevicePasswordEnabled], "MaxPasswordFailedAttempts", "Unlimited";
    MaxAttachmentSize = 0x17, "MaxAttachmentSize", V12_0, UnsignedIntOrEmpty(0..=MOST), Empty, [AttachmentsEnabled], "MaxAttachmentSize", "Unlimited";
    AllowSimpleDevicePassword = 0x18, "AllowSimpleDevicePassword", V12_0, Boolean(0..=1), Is(1), [DevicePasswordEnabled], "AllowSimplePassword", "$true";
    DevicePasswordExpiration = 0x19, "DevicePasswordExpiration", V12_0, UnsignedIntOrEmpty(0..=MOST), EmptyOrAtMost(0), [DevicePasswordEnabled], "PasswordExpiration", "Unlimited";
    DevicePasswordHistory = 0x1A, "DevicePasswordHistory", V12_0, UnsignedInt(0..=MOST), Is(0), [DevicePasswordEnabled], "PasswordHistory", "0";
    AllowStorageCard = 0x1B, "AllowStorageCard", V12_1, Boolean(0..=1), Is(1), [], "AllowStorageCard", "$true";
    AllowCamera = 0x1C, "AllowCamera", V12_1, Boolean(0..=1), Is(1), [], "AllowCamera", "$true";
    RequireDeviceEncryption = 0x1D, "RequireDeviceEncryption", V12_1, Boolean(0..=1), Is(0), [], "RequireDeviceEncryption", "$false";
    AllowUnsignedApplications = 0x1E, "AllowUnsignedApplications", V12_1, Boolean(0..=1), Is(1), [], "AllowUnsignedApplications", "$true";
    AllowUnsignedInstallationPackages = 0x1F, "AllowUnsignedInstallationPackages", V12_1, Boolean(0..=1), Is(1), [], "AllowUnsignedInstallationPackages", "$true";
    MinDevicePasswordComplexCharacters = 0x20, "MinDevicePasswordComplexCharacters", V12_1, Byte(1..=4), Is(1), [DevicePasswordEnabled, AlphanumericDevicePasswordRequired], "MinPasswordComplexCharacters", "1";
    AllowWiFi = 0x21, "AllowWiFi", V12_1, Boolean(0..=1), Is(1), [], "AllowWiFi", "$true";
    AllowTextMessaging = 0x22, "AllowTextMessaging", V12_1, Boolean(0..=1), Is(1), [], "AllowTextMessaging", "$true";
    AllowPopImapEmail = 0x23, "AllowPOPIMAPEmail", V12_1, Boolean(0..=1), Is(1), [], "AllowPOPIMAPEmail", "$true";
    AllowBluetooth = 0x24, "AllowBluetooth", V12_1, Byte(0..=2), Is(2), [], "AllowBluetooth", "Allow";
    AllowIrDA = 0x25, "AllowIrDA", V12_1, Boolean(0..=1), Is(1), [], "AllowIrDA", "$true";
    RequireManualSyncWhenRoaming = 0x26, "RequireManualSyncWhenRoaming", V12_1, Boolean(0..=1), Is(0), [], "RequireManualSyncWhenRoaming", "$false";
    AllowDesktopSync = 0x27, "AllowDesktopSync", V12_1, Boolean(0..=1), Is(1), [], "AllowDesktopSync", "$true";
    MaxCalendarAgeFilter = 0x28, "MaxCalendarAgeFilter", V12_1, UnsignedInt(0..=0, 4..=7), Is(0), [], "MaxCalendarAgeFilter", "All";
    AllowHtmlEmail = 0x29, "AllowHTMLEmail", V12_1, Boolean(0..=1), Is(1), [], "AllowHTMLEmail", "$true";
    MaxEmailAgeFilter = 0x2A, "MaxEmailAgeFilter", V12_1, UnsignedInt(0..=5), Is(0), [], "MaxEmailAgeFilter", "All";
    MaxEmailBodyTruncationSize = 0x2B, "MaxEmailBodyTruncationSize", V12_1, Integer(-1..=MOST), Is(-1), [], "MaxEmailBodyTruncationSize", "Unlimited";
    MaxEmailHtmlBodyTruncationSize = 0x2C, "MaxEmailHTMLBodyTruncationSize", V12_1, Integer(-1..=MOST), Is(-1), [], "MaxEmailHTMLBodyTruncationSize", "Unlimited";
    RequireSignedSmimeMessages = 0x2D, "RequireSignedSMIMEMessages", V12_1, Boolean(0..=1), Is(0), [], "RequireSignedSMIMEMessages", "$false";
    RequireEncryptedSmimeMessages = 0x2E, "RequireEncryptedSMIMEMessages", V12_1, Boolean(0..=1), Is(0), [], "RequireEncryptedSMIMEMessages", "$false";
    RequireSignedSmimeAlgorithm = 0x2F, "RequireSignedSMIMEAlgorithm", V12_1, Integer(0..=1), Is(0), [RequireSignedSmimeMessages], "RequireSignedSMIMEAlgorithm", "SHA1";
    RequireEncryptionSmimeAlgorithm = 0x30, "RequireEncryptionSMIMEAlgorithm", V12_1, Integer(0..=4), Is(0), [RequireEncryptedSmimeMessages], "RequireEncryptionSMIMEAlgorithm", "TripleDES";
    AllowSmimeEncryptionAlgorithmNegotiation = 0x31, "AllowSMIMEEncryptionAlgorithmNegotiation", V12_1, Integer(0..=2), Is(2), [], "AllowSMIMEEncryptionAlgorithmNegotiation", "AllowAnyAlgorithmNegotiation";
    AllowSmimeSoftCerts = 0x32, "AllowSMIMESoftCerts", V12_1, Boolean(0..=1), Is(1), [], "AllowSMIMESoftCerts", "$true";
    AllowBrowser = 0x33, "AllowBrowser", V12_1, Boolean(0..=1), Is(1), [], "AllowBrowser", "$true";
    AllowConsumerEmail = 0x34, "AllowConsumerEmail", V12_1, Boolean(0..=1), Is(1), [], "AllowConsumerEmail", "$true";
    AllowRemoteDesktop = 0x35, "AllowRemoteDesktop", V12_1, Boolean(0..=1), Is(1), [], "AllowRemoteDesktop", "$true";
    AllowInternetSharing = 0x36, "AllowInternetSharing", V12_1, Boolean(0..=1), Is(1), [], "AllowInternetSharing", "$true";
    UnapprovedInRomApplicationList = 0x37, "UnapprovedInROMApplicationList", V12_1, List(0..=MOST), Empty, [], "UnapprovedInROMApplicationList", "$null";
    ApprovedApplicationList = 0x39, "ApprovedApplicationList", V12_1, List(0..=MOST), Empty, [], "ApprovedApplicationList", "$null";
}

struct Row {
    setting: Setting,
    name: &'static str,
    token: u8,
    since: Version,
    kind: SettingKind,
    allowed: &'static [RangeInclusive<i64>],
    permissive: Permissive,
    moot_unless: &'static [Setting],
    param_2013: &'static str,
    permissive_param: &'static str,
}

/// The type of a setting's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SettingKind {
    /// 0 or 1.
    Boolean,
    /// 0 to 255.
    Byte,
    /// 0 to 255, or an empty element.
    ByteOrEmpty,
    /// 0 to 4,294,967,295.
    UnsignedInt,
    /// 0 to 4,294,967,295, or an empty element.
    UnsignedIntOrEmpty,
    /// A whole number, also below zero.
    Integer,
    /// A list of applications; see [`PolicyDocument`](super::PolicyDocument).
    List,
}

/// The two generations of cmdlets that change a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cmdlets {
    /// `Set-ActiveSyncMailboxPolicy`: Exchange 2007 and 2010.
    ActiveSync,
    /// `Set-MobileDeviceMailboxPolicy`: Exchange 2013 and later.
    MobileDevice,
}

/// What the table says of a setting in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingText {
    /// The allowed values.
    pub allowed: &'static str,
    /// What an absent element means.
    pub absent: &'static str,
    /// What the cmdlets take.
    pub cmdlet_values: &'static str,
    /// The default of Exchange 2007 and 2010; `?` marks what is not verified.
    pub default_2010: &'static str,
    /// The default of Exchange 2013 and later.
    pub default_2013: &'static str,
    /// What else is known.
    pub notes: &'static str,
}

/// A value that a setting cannot have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{value}` is no value of {setting} (expected {expected})")]
pub struct SettingValueError {
    /// The setting.
    pub setting: Setting,
    /// The value.
    pub value: String,
    /// The allowed values in words.
    pub expected: &'static str,
}

/// A name that is no setting.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown policy setting `{0}`")]
pub struct UnknownSetting(pub String);

impl Setting {
    /// Every setting, in the order of its token.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.setting)
    }

    /// The element's name, which is also the parameter of the cmdlets of Exchange 2010.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The element's tag.
    pub fn tag(self) -> Tag {
        Tag::new(PAGE, self.row().token)
    }

    /// The setting of a tag.
    pub fn from_tag(tag: Tag) -> Option<Self> {
        TABLE.iter().find(|row| tag.page() == PAGE && row.token == tag.token()).map(|row| row.setting)
    }

    /// The setting of a cmdlet's parameter, of either generation and in any letter case.
    pub fn from_parameter(name: &str) -> Option<Self> {
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        TABLE.iter().find(|row| is(row.name) || is(row.param_2013)).map(|row| row.setting)
    }

    /// The first version that has it; all have it up to 16.1.
    pub fn since(self) -> Version {
        self.row().since
    }

    /// Whether the setting exists in `version`.
    pub fn exists_in(self, version: Version) -> bool {
        version >= self.since()
    }

    /// The type of its value.
    pub fn kind(self) -> SettingKind {
        self.row().kind
    }

    /// The name of the cmdlet's parameter.
    pub fn parameter(self, cmdlets: Cmdlets) -> &'static str {
        match cmdlets {
            Cmdlets::ActiveSync => self.row().name,
            Cmdlets::MobileDevice => self.row().param_2013,
        }
    }

    /// Which values bind no device.
    pub fn permissive(self) -> Permissive {
        self.row().permissive
    }

    /// The setting binds nobody while one of these is 0 (or absent and not required).
    pub fn moot_unless(self) -> &'static [Self] {
        self.row().moot_unless
    }

    /// A value on the wire that binds no device; empty for "no limit" and for lists.
    pub fn permissive_value(self) -> String {
        match self.permissive() {
            Is(number) | EmptyOrAtMost(number) | EmptyOrAtLeast(number) => number.to_string(),
            Empty => String::new(),
        }
    }

    /// The command that makes an administrator's policy permissive in this setting.
    ///
    /// The policy's name is quoted for PowerShell.
    pub fn remedy(self, cmdlets: Cmdlets, policy: &str) -> String {
        cmdlets.set(policy, self.parameter(cmdlets), self.row().permissive_param)
    }

    /// Checks a value against type and allowed range; lists have none.
    ///
    /// # Errors
    ///
    /// The value, with what was expected.
    pub fn check(self, value: &str) -> Result<(), SettingValueError> {
        let row = self.row();
        let may_be_empty = matches!(row.kind, SettingKind::ByteOrEmpty | SettingKind::UnsignedIntOrEmpty);
        let fits = match value.parse::<i64>() {
            Ok(number) => row.kind != SettingKind::List && row.allowed.iter().any(|range| range.contains(&number)),
            Err(_) => value.is_empty() && may_be_empty,
        };
        if fits {
            return Ok(());
        }
        Err(SettingValueError { setting: self, value: value.to_owned(), expected: self.text().allowed })
    }

    /// What the table says in words.
    pub fn text(self) -> SettingText {
        texts().iter().find(|(name, _)| *name == self.name()).map(|(_, text)| *text).expect("every setting: tested")
    }

    fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.setting == self).expect("the table is made with the settings")
    }
}

impl Cmdlets {
    /// The command that lets devices in which cannot apply the whole policy (AllowNonProvisionableDevices).
    pub fn allow_non_provisionable_devices(self, policy: &str) -> String {
        self.set(policy, "AllowNonProvisionableDevices", "$true")
    }

    fn set(self, policy: &str, parameter: &str, value: &str) -> String {
        let cmdlet = match self {
            Self::ActiveSync => "Set-ActiveSyncMailboxPolicy",
            Self::MobileDevice => "Set-MobileDeviceMailboxPolicy",
        };
        format!("{cmdlet} '{}' -{parameter} {value}", policy.replace('\'', "''"))
    }
}

fn texts() -> &'static [(&'static str, SettingText)] {
    static TEXTS: LazyLock<Vec<(&str, SettingText)>> = LazyLock::new(|| {
        include_str!("../../data/provision-policy.tsv")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(text)
            .collect()
    });
    &TEXTS
}

fn text(line: &'static str) -> Option<(&'static str, SettingText)> {
    let mut columns = line.split('\t');
    let mut at = |skipped: usize| columns.nth(skipped);
    let name = at(0)?;
    let allowed = at(4)?;
    let absent = at(0)?;
    let cmdlet_values = at(3)?;
    Some((
        name,
        SettingText { allowed, absent, cmdlet_values, default_2010: at(0)?, default_2013: at(0)?, notes: at(0)? },
    ))
}

impl FromStr for Setting {
    type Err = UnknownSetting;

    fn from_str(name: &str) -> Result<Self, UnknownSetting> {
        TABLE.iter().find(|row| row.name == name).map(|row| row.setting).ok_or_else(|| UnknownSetting(name.to_owned()))
    }
}

impl TryFrom<String> for Setting {
    type Error = UnknownSetting;

    fn try_from(name: String) -> Result<Self, UnknownSetting> {
        name.parse()
    }
}

impl From<Setting> for String {
    fn from(setting: Setting) -> Self {
        setting.name().to_owned()
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// The rows of the table that are children of EASProvisionDoc, by column name.
    fn rows() -> Vec<HashMap<&'static str, &'static str>> {
        let mut lines = include_str!("../../data/provision-policy.tsv").lines().filter(|line| !line.starts_with('#'));
        let names: Vec<&str> = lines.next().unwrap().split('\t').collect();
        lines
            .map(|line| names.iter().copied().zip(line.split('\t').chain(std::iter::repeat(""))).collect())
            .filter(|row: &HashMap<&str, &str>| row["parent"] == "EASProvisionDoc")
            .collect()
    }

    #[test]
    fn code_and_table_agree_in_every_row() {
        let rows = rows();
        assert_eq!((rows.len(), TABLE.len()), (42, 42));
        for (row, setting) in rows.iter().zip(Setting::all()) {
            assert_eq!(row["element"], setting.name());
            assert_eq!(row["tag"], format!("0x{:02X}", setting.tag().token()), "{setting}");
            assert_eq!(setting.tag().name(), Some(setting.name()));
            assert_eq!(row["param_New-ActiveSyncMailboxPolicy"], setting.parameter(Cmdlets::ActiveSync));
            assert_eq!(row["param_New-MobileDeviceMailboxPolicy"], setting.parameter(Cmdlets::MobileDevice));
            let kind = match setting.kind() {
                SettingKind::Boolean => "boolean",
                SettingKind::Byte => "unsignedByte",
                SettingKind::ByteOrEmpty => "unsignedByteOrEmpty",
                SettingKind::UnsignedInt => "unsignedInt",
                SettingKind::UnsignedIntOrEmpty => "unsignedIntOrEmpty",
                SettingKind::Integer => "integer",
                SettingKind::List => row["type"],
            };
            assert_eq!(row["type"], kind, "{setting}");
            assert_eq!(row["type"].starts_with("container"), setting.kind() == SettingKind::List);
            for version in Version::ALL {
                let listed = row["protocol_versions"].split(", ").any(|listed| listed == version.to_string());
                assert_eq!(setting.exists_in(version), listed, "{setting} {version}");
            }
            assert_eq!(setting.text().allowed, row["allowed_values"]);
            assert_eq!(setting.text().default_2010, row["default_2007_2010_docs"]);
            assert_eq!(setting.text().notes, row["notes"]);
            assert_eq!(setting.text().cmdlet_values, row["cmdlet_values"]);
            assert_eq!(Setting::from_tag(setting.tag()), Some(setting));
            assert_eq!(setting.name().parse(), Ok(setting));
        }
    }

    #[test]
    fn a_remedy_is_a_command_of_the_right_generation() {
        assert_eq!(
            Setting::RequireDeviceEncryption.remedy(Cmdlets::ActiveSync, "Default"),
            "Set-ActiveSyncMailboxPolicy 'Default' -RequireDeviceEncryption $false"
        );
        assert_eq!(
            Setting::MaxInactivityTimeDeviceLock.remedy(Cmdlets::MobileDevice, "Anna's"),
            "Set-MobileDeviceMailboxPolicy 'Anna''s' -MaxInactivityTimeLock Unlimited"
        );
        assert_eq!(
            Cmdlets::ActiveSync.allow_non_provisionable_devices("Default"),
            "Set-ActiveSyncMailboxPolicy 'Default' -AllowNonProvisionableDevices $true"
        );
    }

    #[test]
    fn values_outside_the_allowed_ones_are_refused() {
        for (setting, good, bad) in [
            (Setting::AllowCamera, "0", "2"),
            (Setting::AllowBluetooth, "2", "3"),
            (Setting::MinDevicePasswordLength, "", "17"),
            (Setting::MaxCalendarAgeFilter, "4", "3"),
            (Setting::MaxEmailBodyTruncationSize, "-1", "-2"),
            (Setting::MaxAttachmentSize, "4294967295", "4294967296"),
            (Setting::DevicePasswordHistory, "0", ""),
        ] {
            assert_eq!(setting.check(good), Ok(()), "{setting}");
            assert!(setting.check(bad).is_err(), "{setting}");
        }
        assert_eq!(
            Setting::AllowCamera.check("yes").unwrap_err().to_string(),
            "`yes` is no value of AllowCamera (expected 0=no, 1=yes)"
        );
        for setting in Setting::all().filter(|setting| setting.kind() != SettingKind::List) {
            assert_eq!(setting.check(&setting.permissive_value()), Ok(()), "{setting}");
        }
    }
}
