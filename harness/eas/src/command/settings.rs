//! Settings: out of office, the device's password and description, the owner's addresses (MS-ASCMD 2.2.1.18, 12.0+).

mod request;
mod response;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::status::Status;

/// What a device asks for or sets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// Whether rights policy templates are asked for (14.1+).
    pub rights_management_information: bool,
    /// Out of office.
    pub oof: Option<OofRequest>,
    /// The recovery password.
    pub device_password: Option<DevicePassword>,
    /// The description of the device; from 14.1 on part of Provision as well.
    pub device_information: Option<DeviceInformation>,
    /// Whether the owner's addresses are asked for.
    pub user_information: bool,
}

/// Out of office, asked for or set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OofRequest {
    /// Asked for, with texts as `Text` or `HTML`.
    Get {
        /// The form of the texts.
        body_type: String,
    },
    /// Set.
    Set(OofSettings),
}

/// Out of office.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OofSettings {
    /// Whether it is on.
    pub state: Option<OofState>,
    /// When it begins, if time-based.
    pub start_time: Option<String>,
    /// When it ends, if time-based.
    pub end_time: Option<String>,
    /// The texts, at most one per audience.
    pub messages: Vec<OofMessage>,
}

/// Whether out of office is on (MS-ASCMD 2.2.3.124 OofState); a number without name is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OofState(pub u16);

impl OofState {
    /// Off.
    pub const DISABLED: Self = Self(0);
    /// On until it is switched off.
    pub const GLOBAL: Self = Self(1);
    /// On between two times.
    pub const TIME_BASED: Self = Self(2);
}

/// The text for one audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OofMessage {
    /// Who receives it; a server may leave it out wrongly.
    pub audience: Option<Audience>,
    /// Whether this audience receives one.
    pub enabled: Option<bool>,
    /// The text.
    pub reply_message: Option<String>,
    /// `Text` or `HTML`.
    pub body_type: Option<String>,
}

/// Who receives a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    /// The same organisation.
    Internal,
    /// Outside, among the owner's contacts.
    ExternalKnown,
    /// Outside, unknown to the owner.
    ExternalUnknown,
}

/// The recovery password of the device.
#[derive(Clone, PartialEq, Eq)]
pub enum DevicePassword {
    /// Stored on the server.
    Set(String),
    /// Removed from the server.
    Clear,
}

impl fmt::Debug for DevicePassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Set(_) => "Set([redacted])",
            Self::Clear => "Clear",
        })
    }
}

/// The description of a device (MS-ASCMD 2.2.3.45 DeviceInformation).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceInformation {
    /// The model.
    pub model: Option<String>,
    /// The hardware number.
    pub imei: Option<String>,
    /// The name the owner gave it.
    pub friendly_name: Option<String>,
    /// The operating system.
    pub os: Option<String>,
    /// The language of the operating system.
    pub os_language: Option<String>,
    /// The telephone number.
    pub phone_number: Option<String>,
    /// The user agent (12.1+).
    pub user_agent: Option<String>,
    /// Whether text messages are sent through the device (14.0+).
    pub enable_outbound_sms: Option<bool>,
    /// The mobile operator (14.0+).
    pub mobile_operator: Option<String>,
}

/// What the server answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response {
    /// The status of the command.
    pub status: Option<Status>,
    /// Out of office.
    pub oof: Option<OofResponse>,
    /// The outcome of setting the recovery password.
    pub device_password: Option<Status>,
    /// The outcome of setting the description.
    pub device_information: Option<Status>,
    /// The owner's addresses.
    pub user_information: Option<UserInformation>,
    /// Rights policy templates (14.1+).
    pub rights_management_information: Option<RightsManagementInformation>,
}

/// Out of office in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OofResponse {
    /// The outcome.
    pub status: Option<Status>,
    /// The settings, when they were asked for.
    pub settings: Option<OofSettings>,
}

/// The owner's addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserInformation {
    /// The outcome.
    pub status: Option<Status>,
    /// The accounts. Up to 14.0 the wire has addresses only: then there is one account that holds nothing else.
    pub accounts: Vec<Account>,
}

/// One account of the owner's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The account's number, missing for the main one (14.1+).
    pub account_id: Option<String>,
    /// The account's name (14.1+).
    pub account_name: Option<String>,
    /// The owner's name (14.1+).
    pub user_display_name: Option<String>,
    /// Whether sending from it is forbidden (14.1+).
    pub send_disabled: Option<bool>,
    /// The addresses.
    pub smtp_addresses: Vec<String>,
    /// The main address (14.1+).
    pub primary_smtp_address: Option<String>,
}

/// Rights policy templates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RightsManagementInformation {
    /// The outcome.
    pub status: Option<Status>,
    /// The templates.
    pub templates: Vec<RightsManagementTemplate>,
}

/// One rights policy template (MS-ASRM 2.2.2.20).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RightsManagementTemplate {
    /// Its id.
    pub template_id: String,
    /// Its name.
    pub template_name: Option<String>,
    /// What it does.
    pub template_description: Option<String>,
}
