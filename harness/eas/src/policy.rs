//! Policies: the settings of EASProvisionDoc, the document that carries them in both of its forms (WBXML from 12.0,
//! WAP provisioning XML in 2.5), which of them bind a device, and what an administrator can do about it (MS-ASPROV).

use std::collections::BTreeMap;

use easrig_wbxml::{Builder, Element, Tag, tags::provision as tag};

use crate::Version;

mod binding;
mod setting;
mod wap;

pub use binding::{Binding, Permissive};
pub use setting::{Cmdlets, Setting, SettingKind, SettingText, SettingValueError, UnknownSetting};
pub use wap::WapError;

/// PolicyType of the WBXML form (12.0 and later).
pub const POLICY_TYPE_WBXML: &str = "MS-EAS-Provisioning-WBXML";
/// PolicyType of the WAP form (2.5).
pub const POLICY_TYPE_WAP: &str = "MS-WAP-Provisioning-XML";

/// A policy as it is handed to a device.
///
/// Values are kept as they came, also those that are not allowed; a setting that is absent has no entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyDocument {
    /// The 40 settings that are values.
    pub values: BTreeMap<Setting, String>,
    /// ApplicationName entries of UnapprovedInROMApplicationList.
    pub unapproved_in_rom: Vec<String>,
    /// Hash entries of ApprovedApplicationList.
    pub approved: Vec<String>,
    /// Elements that are no setting, and repeated ones, with their text.
    pub unknown: Vec<(Tag, String)>,
    /// Parameters of the WAP form that are no setting, by name.
    pub unknown_parameters: Vec<(String, String)>,
}

impl PolicyDocument {
    /// The policy that binds nobody, with every value set, as Exchange sends it for a policy of which nothing is
    /// required.
    pub fn permissive() -> Self {
        let mut document = Self::default();
        Setting::all()
            .filter(|setting| setting.kind() != SettingKind::List)
            .for_each(|setting| document.set(setting, &setting.permissive_value()));
        document
    }

    /// The value of a setting; `None` if it is absent, and for the two lists.
    pub fn get(&self, setting: Setting) -> Option<&str> {
        self.values.get(&setting).map(String::as_str)
    }

    /// Sets a value, unchecked; see [`Setting::check`]. A list is not a value and stays as it is.
    pub fn set(&mut self, setting: Setting, value: &str) {
        if setting.kind() != SettingKind::List {
            self.values.insert(setting, value.to_owned());
        }
    }

    /// Reads an EASProvisionDoc element. Never fails: what is not known is kept.
    pub fn from_element(element: Element<'_>) -> Self {
        let mut document = Self::default();
        for child in element.children() {
            let text = || child.text().into_owned();
            let texts = |tag| child.all(tag).map(|entry| entry.text().into_owned());
            match Setting::from_tag(child.tag()) {
                Some(Setting::UnapprovedInRomApplicationList) => {
                    document.unapproved_in_rom.extend(texts(tag::APPLICATION_NAME));
                }
                Some(Setting::ApprovedApplicationList) => document.approved.extend(texts(tag::HASH)),
                Some(setting) if !document.values.contains_key(&setting) => {
                    document.values.insert(setting, text());
                }
                _ => document.unknown.push((child.tag(), text())),
            }
        }
        document
    }

    /// Writes an EASProvisionDoc element into the element that is open: the settings that exist in `version`, in the
    /// order of their tokens, empty values as elements without content. Unknown elements are not written.
    pub fn to_builder(&self, builder: &mut Builder, version: Version) {
        builder.open(tag::EAS_PROVISION_DOC);
        for setting in Setting::all().filter(|setting| setting.exists_in(version)) {
            match setting {
                Setting::UnapprovedInRomApplicationList => {
                    write_list(builder, setting.tag(), tag::APPLICATION_NAME, &self.unapproved_in_rom);
                }
                Setting::ApprovedApplicationList => write_list(builder, setting.tag(), tag::HASH, &self.approved),
                _ => match self.get(setting) {
                    Some("") => {
                        builder.empty(setting.tag());
                    }
                    Some(value) => {
                        builder.leaf(setting.tag(), value);
                    }
                    None => {}
                },
            }
        }
        builder.close();
    }
}

fn write_list(builder: &mut Builder, list: Tag, entry: Tag, entries: &[String]) {
    if entries.is_empty() {
        return;
    }
    builder.open(list);
    entries.iter().for_each(|text| {
        builder.leaf(entry, text);
    });
    builder.close();
}

#[cfg(test)]
mod tests {
    use easrig_wbxml::Document;

    use super::*;

    const XML: &str = "<Data xmlns=\"Provision\"><EASProvisionDoc><DevicePasswordEnabled>1</DevicePasswordEnabled>\
        <MinDevicePasswordLength/><RequireDeviceEncryption>1</RequireDeviceEncryption>\
        <UnapprovedInROMApplicationList><ApplicationName>a.exe</ApplicationName></UnapprovedInROMApplicationList>\
        <ApprovedApplicationList><Hash>AB</Hash><Hash>CD</Hash></ApprovedApplicationList></EASProvisionDoc></Data>";

    fn read(xml: &str) -> PolicyDocument {
        let document = Document::from_xml(xml).unwrap();
        PolicyDocument::from_element(document.root().child(tag::EAS_PROVISION_DOC).unwrap())
    }

    fn write(policy: &PolicyDocument, version: Version) -> String {
        let mut builder = Builder::new(tag::DATA);
        policy.to_builder(&mut builder, version);
        builder.finish().to_xml()
    }

    #[test]
    fn a_document_reads_and_writes_alike() {
        let policy = read(XML);
        assert_eq!(policy.get(Setting::RequireDeviceEncryption), Some("1"));
        assert_eq!(policy.get(Setting::MinDevicePasswordLength), Some(""));
        assert_eq!(policy.approved, ["AB", "CD"]);
        assert_eq!(write(&policy, Version::V14_1), XML);
        let bound: Vec<Setting> = policy.binding().into_iter().map(|binding| binding.setting).collect();
        assert_eq!(
            bound,
            [
                Setting::DevicePasswordEnabled,
                Setting::RequireDeviceEncryption,
                Setting::UnapprovedInRomApplicationList,
                Setting::ApprovedApplicationList
            ]
        );
    }

    #[test]
    fn an_older_version_gets_only_what_it_knows() {
        let xml = write(&PolicyDocument::permissive(), Version::V12_0);
        let settings = Setting::all().filter(|setting| xml.contains(setting.name()));
        assert_eq!(settings.count(), 11);
        assert!(!xml.contains("AllowCamera") && xml.contains("AllowSimpleDevicePassword"));
        assert_eq!(read(&write(&PolicyDocument::permissive(), Version::V16_1)), PolicyDocument::permissive());
    }

    #[test]
    fn what_is_unknown_or_repeated_is_kept() {
        let policy = read(
            "<Data xmlns=\"Provision\"><EASProvisionDoc><AllowCamera>0</AllowCamera><AllowCamera>1</AllowCamera>\
             <token-3E>x</token-3E><Status>1</Status></EASProvisionDoc></Data>",
        );
        assert_eq!(policy.get(Setting::AllowCamera), Some("0"));
        let kept: Vec<&str> = policy.unknown.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(kept, ["1", "x", "1"]);
    }
}
