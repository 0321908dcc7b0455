//! Provision: policies, their acknowledgement, and the wipe (MS-ASPROV 2.2.2.1).

use easrig_wbxml::Document;

use super::settings::DeviceInformation;
use crate::{PolicyKey, status::Status};

/// What a device asks for, or acknowledges.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// The description of the device; required in the first request from 14.1 on (Status 165 without).
    pub device_information: Option<DeviceInformation>,
    /// The policy asked for (no key, no status) or acknowledged (both).
    pub policies: Vec<PolicyRequest>,
    /// The acknowledgement of a wipe: 1 done, 2 failed.
    pub remote_wipe: Option<Status>,
    /// The acknowledgement of an account-only wipe (16.1).
    pub account_only_remote_wipe: Option<Status>,
}

/// One policy of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRequest {
    /// The form of the policy document.
    pub policy_type: PolicyType,
    /// The temporary key that is acknowledged.
    pub policy_key: Option<PolicyKey>,
    /// 1 applied, 2 partly applied, 3 not applied, 4 managed by a third party.
    pub status: Option<Status>,
}

/// The form of a policy document (MS-ASPROV 2.2.2.43 PolicyType).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyType {
    /// `MS-WAP-Provisioning-XML`, 2.5.
    Wap,
    /// `MS-EAS-Provisioning-WBXML`, 12.0 and later.
    Wbxml,
    /// Anything else, as on the wire.
    Other(String),
}

/// What the server answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response {
    /// The status of the device information.
    pub device_information: Option<Status>,
    /// The status of the command.
    pub status: Option<Status>,
    /// The policies.
    pub policies: Vec<PolicyResponse>,
    /// Whether the device is told to wipe itself.
    pub remote_wipe: bool,
    /// Whether the device is told to remove this account only (16.1).
    pub account_only_remote_wipe: bool,
}

/// One policy of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyResponse {
    /// The form of the policy document.
    pub policy_type: PolicyType,
    /// The status of the policy; 2 is "there is no policy".
    pub status: Option<Status>,
    /// The temporary key in the first answer, the final one in the second.
    pub policy_key: Option<PolicyKey>,
    /// The settings, in the first answer.
    pub data: Option<PolicyData>,
}

/// The settings of a policy.
#[derive(Clone, Debug, PartialEq)]
pub enum PolicyData {
    /// The subtree with root `Provision:EASProvisionDoc`.
    Wbxml(Document),
    /// The XML text of `MS-WAP-Provisioning-XML`.
    Wap(String),
}
