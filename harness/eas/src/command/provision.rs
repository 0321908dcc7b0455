//! Provision: policies, their acknowledgement, and the wipe (MS-ASPROV 2.2.2.1).

use std::fmt;

use easrig_wbxml::{
    Builder, Document,
    tags::{provision as tag, settings},
};

use super::{
    ShapeError,
    settings::DeviceInformation,
    shape::{Reader, Write},
};
use crate::{PolicyKey, Version, status::Status};

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
    /// The form of the policy document. The standard asks for it in every answer; one without is read all the same, as phones
    /// have no use for it (Horde leaves it out of "there is no policy").
    pub policy_type: Option<PolicyType>,
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

impl Request {
    /// The document; the device information is left out before 14.1 (there Settings carries it).
    pub fn to_document(&self, version: Version) -> Document {
        let mut out = Builder::new(tag::PROVISION);
        if let Some(device) = self.device_information.as_ref().filter(|_| version >= Version::V14_1) {
            device.write(&mut out);
        }
        if !self.policies.is_empty() {
            out.open(tag::POLICIES);
            for policy in &self.policies {
                out.open(tag::POLICY)
                    .value(tag::POLICY_TYPE, &policy.policy_type)
                    .maybe(tag::POLICY_KEY, policy.policy_key)
                    .maybe(tag::STATUS, policy.status)
                    .close();
            }
            out.close();
        }
        if let Some(status) = self.remote_wipe {
            out.open(tag::REMOTE_WIPE).value(tag::STATUS, status).close();
        }
        if let Some(status) = self.account_only_remote_wipe {
            out.open(tag::ACCOUNT_ONLY_REMOTE_WIPE).value(tag::STATUS, status).close();
        }
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another, a policy has no type or a number is none.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::PROVISION, "Provision:Provision")?;
        let wipe = |wanted| root.child(wanted).map(|at| at.need_status(tag::STATUS)).transpose();
        Ok(Self {
            device_information: DeviceInformation::read(&root)?,
            policies: read_policies(&root, PolicyRequest::read)?,
            remote_wipe: wipe(tag::REMOTE_WIPE)?,
            account_only_remote_wipe: wipe(tag::ACCOUNT_ONLY_REMOTE_WIPE)?,
        })
    }
}

impl PolicyRequest {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self {
            policy_type: at.need_text(tag::POLICY_TYPE)?,
            policy_key: at.number(tag::POLICY_KEY)?.map(PolicyKey),
            status: at.status(tag::STATUS)?,
        })
    }
}

impl Response {
    /// The document.
    pub fn to_document(&self, version: Version) -> Document {
        let mut out = Builder::new(tag::PROVISION);
        if let Some(status) = self.device_information.filter(|_| version >= Version::V14_1) {
            out.open(settings::DEVICE_INFORMATION).value(settings::STATUS, status).close();
        }
        out.maybe(tag::STATUS, self.status);
        if !self.policies.is_empty() {
            out.open(tag::POLICIES);
            self.policies.iter().for_each(|policy| policy.write(&mut out));
            out.close();
        }
        out.present(tag::REMOTE_WIPE, self.remote_wipe);
        out.present(tag::ACCOUNT_ONLY_REMOTE_WIPE, self.account_only_remote_wipe);
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another, a policy has no type or a number is none.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::PROVISION, "Provision:Provision")?;
        let device = root.child(settings::DEVICE_INFORMATION);
        Ok(Self {
            device_information: device.map(|at| at.status(settings::STATUS)).transpose()?.flatten(),
            status: root.status(tag::STATUS)?,
            policies: read_policies(&root, PolicyResponse::read)?,
            remote_wipe: root.has(tag::REMOTE_WIPE),
            account_only_remote_wipe: root.has(tag::ACCOUNT_ONLY_REMOTE_WIPE),
        })
    }
}

impl PolicyResponse {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        let data = at.child(tag::DATA).map(|data| match data.child(tag::EAS_PROVISION_DOC) {
            Some(settings) => PolicyData::Wbxml(settings.element().to_document()),
            None => PolicyData::Wap(data.own_text().into_owned()),
        });
        Ok(Self {
            policy_type: at.text(tag::POLICY_TYPE),
            status: at.status(tag::STATUS)?,
            policy_key: at.number(tag::POLICY_KEY)?.map(PolicyKey),
            data,
        })
    }

    fn write(&self, out: &mut Builder) {
        out.open(tag::POLICY)
            .maybe(tag::POLICY_TYPE, self.policy_type.as_ref())
            .maybe(tag::STATUS, self.status)
            .maybe(tag::POLICY_KEY, self.policy_key);
        match &self.data {
            Some(PolicyData::Wbxml(settings)) => {
                out.open(tag::DATA).append(settings.root()).close();
            }
            Some(PolicyData::Wap(text)) => {
                out.leaf(tag::DATA, text);
            }
            None => {}
        }
        out.close();
    }
}

fn read_policies<T>(
    root: &Reader<'_, '_>,
    read: impl Fn(&Reader<'_, '_>) -> Result<T, ShapeError>,
) -> Result<Vec<T>, ShapeError> {
    let Some(policies) = root.child(tag::POLICIES) else { return Ok(Vec::new()) };
    policies.all(tag::POLICY).map(|policy| read(&policy)).collect()
}

impl From<String> for PolicyType {
    fn from(text: String) -> Self {
        match text.as_str() {
            WAP => Self::Wap,
            WBXML => Self::Wbxml,
            _ => Self::Other(text),
        }
    }
}

impl PolicyType {
    /// The form that belongs to a version.
    pub fn of(version: Version) -> Self {
        if version < Version::V12_0 { Self::Wap } else { Self::Wbxml }
    }
}

impl fmt::Display for PolicyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wap => WAP,
            Self::Wbxml => WBXML,
            Self::Other(text) => text,
        })
    }
}

const WAP: &str = "MS-WAP-Provisioning-XML";
const WBXML: &str = "MS-EAS-Provisioning-WBXML";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::ShapeErrorKind;

    const ACKNOWLEDGED: &str = "<Provision xmlns=\"Provision\"><Policies><Policy>\
        <PolicyType>MS-EAS-Provisioning-WBXML</PolicyType><PolicyKey>1307199584</PolicyKey><Status>1</Status>\
        </Policy></Policies></Provision>";

    const ANSWER: &str = "<Provision xmlns=\"Provision\"><DeviceInformation xmlns=\"Settings\"><Status>1</Status>\
        </DeviceInformation><Status>1</Status><Policies><Policy><PolicyType>MS-EAS-Provisioning-WBXML</PolicyType>\
        <Status>1</Status><PolicyKey>4294967295</PolicyKey><Data><EASProvisionDoc>\
        <DevicePasswordEnabled>1</DevicePasswordEnabled><MinDevicePasswordLength/></EASProvisionDoc></Data></Policy>\
        </Policies></Provision>";

    #[test]
    fn an_acknowledgement_is_read_and_written() {
        let document = Document::from_xml(ACKNOWLEDGED).unwrap();
        let request = Request::from_document(&document, Version::V14_1).unwrap();
        assert_eq!(request.policies[0].policy_key, Some(PolicyKey(1_307_199_584)));
        assert_eq!(request.policies[0].status, Some(Status(1)));
        assert_eq!(request.to_document(Version::V14_1), document);
    }

    #[test]
    fn device_information_travels_with_provision_from_14_1_on() {
        let device_information = Some(DeviceInformation { model: Some("WP7".into()), ..Default::default() });
        let request = Request { device_information, ..Default::default() };
        assert_eq!(
            request.to_document(Version::V14_1).to_xml(),
            "<Provision xmlns=\"Provision\"><DeviceInformation xmlns=\"Settings\"><Set><Model>WP7</Model></Set>\
             </DeviceInformation></Provision>"
        );
        let older = request.to_document(Version::V14_0);
        assert!(older.root().children().next().is_none());
    }

    #[test]
    fn an_answer_keeps_the_settings_as_they_are() {
        let document = Document::from_xml(ANSWER).unwrap();
        let response = Response::from_document(&document, Version::V14_1).unwrap();
        let Some(PolicyData::Wbxml(settings)) = &response.policies[0].data else { panic!("{response:?}") };
        assert_eq!(settings.root().child_text(tag::DEVICE_PASSWORD_ENABLED).as_deref(), Some("1"));
        assert_eq!(response.to_document(Version::V14_1), document);
    }

    #[test]
    fn an_old_policy_is_text() {
        let xml = "<Provision xmlns=\"Provision\"><Status>1</Status><Policies><Policy>\
            <PolicyType>MS-WAP-Provisioning-XML</PolicyType><Status>1</Status><PolicyKey>1</PolicyKey>\
            <Data>&lt;wap-provisioningdoc/&gt;</Data></Policy></Policies></Provision>";
        let document = Document::from_xml(xml).unwrap();
        let response = Response::from_document(&document, Version::V2_5).unwrap();
        assert_eq!(response.policies[0].policy_type, Some(PolicyType::of(Version::V2_5)));
        assert_eq!(response.policies[0].data, Some(PolicyData::Wap("<wap-provisioningdoc/>".into())));
        assert_eq!(response.to_document(Version::V2_5), document);
    }

    #[test]
    fn both_wipes_are_told_and_acknowledged() {
        let told = Response { account_only_remote_wipe: true, remote_wipe: true, ..Default::default() };
        let document = told.to_document(Version::V16_1);
        assert_eq!(Response::from_document(&document, Version::V16_1).unwrap(), told);
        let done = Request { remote_wipe: Some(Status(1)), ..Default::default() };
        let document = done.to_document(Version::V16_1);
        assert_eq!(
            document.to_xml(),
            "<Provision xmlns=\"Provision\"><RemoteWipe><Status>1</Status></RemoteWipe></Provision>"
        );
        assert_eq!(Request::from_document(&document, Version::V16_1).unwrap(), done);
    }

    #[test]
    fn a_key_that_is_no_number_is_named_with_its_path() {
        let document = Document::from_xml(&ACKNOWLEDGED.replace("1307199584", "none")).unwrap();
        let error = Request::from_document(&document, Version::V14_1).unwrap_err();
        assert_eq!(error.path, "Provision/Policies/Policy/PolicyKey");
        assert_eq!(error.kind, ShapeErrorKind::NotANumber("none".into()));
    }

    #[test]
    fn an_answer_that_leaves_the_type_out_is_read() {
        let xml = "<Provision xmlns=\"Provision\"><Status>1</Status><Policies><Policy><Status>2</Status></Policy></Policies></Provision>";
        let response = Response::from_document(&Document::from_xml(xml).unwrap(), Version::V14_1).unwrap();
        assert_eq!((&response.policies[0].policy_type, response.policies[0].status), (&None, Some(Status(2))));
        assert_eq!(response.to_document(Version::V14_1).to_xml(), xml);
    }
}
