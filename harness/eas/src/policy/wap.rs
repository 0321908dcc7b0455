//! MS-WAP-Provisioning-XML, the policy of 2.5: `parm` elements inside `characteristic` elements that name branches of
//! a Windows Mobile registry (MS-ASPROV 2.2.2.24.2, Data as a string). It can say six things:
//!
//! | parm | values | setting |
//! |---|---|---|
//! | 4131 | 0 = a password is required, 1 = not | DevicePasswordEnabled |
//! | AEFrequencyType | 0 = no lock, 1 = lock after AEFrequencyValue | MaxInactivityTimeDeviceLock |
//! | AEFrequencyValue | minutes | MaxInactivityTimeDeviceLock, there in seconds |
//! | DeviceWipeThreshold | attempts; 0, −1 and 2³²−1 = no wipe | MaxDevicePasswordFailedAttempts |
//! | MinimumPasswordLength | characters | MinDevicePasswordLength |
//! | PasswordComplexity | 0 = letters and digits, 1 = a number, 2 = either | AlphanumericDevicePasswordRequired |
//!
//! Names and paths are the ones of the public syntax block. The reading of CodewordFrequency (attempts before a code
//! word must be typed) has no setting of its own, and 4133 is seen from servers without a public text: both are kept as
//! parameters. That the "no wipe" numbers are these three is not verified.

use std::fmt::Write as _;

use thiserror::Error;

use super::{PolicyDocument, Setting};
use crate::markup::{MarkupError, Node, escaped};

const LASSD: &str = r"HKLM\Comm\Security\Policy\LASSD";
const LOCK: &str = r"HKLM\Comm\Security\Policy\LASSD\AE\{50C13377-C66D-400C-889E-C316FC4AB374}";
const PASSWORD: &str = r"HKLM\Comm\Security\Policy\LASSD\LAP\lap_pw";
/// "Passwords are not required".
const NO_PASSWORD: &str = "4131";

/// Why a text is no WAP provisioning document.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WapError {
    /// Not XML.
    #[error("the policy cannot be read")]
    Markup(#[from] MarkupError),
    /// Another root element.
    #[error("the policy's root is `{0}`, expected `wap-provisioningdoc`")]
    Root(String),
}

impl PolicyDocument {
    /// Reads the text of a `Data` element of 2.5. Parameters that are no setting are kept.
    ///
    /// # Errors
    ///
    /// No XML within bounds, or another document.
    pub fn from_wap_xml(text: &str) -> Result<Self, WapError> {
        let root = Node::parse(text)?;
        if root.name != "wap-provisioningdoc" {
            return Err(WapError::Root(root.name));
        }
        let mut parameters = Vec::new();
        collect(&root, &mut parameters);
        let mut document = Self::default();
        let locks = !parameters.iter().any(|(name, value)| *name == "AEFrequencyType" && value.trim() == "0");
        for (name, value) in parameters {
            match read(name, value, locks) {
                Some((setting, value)) => document.set(setting, &value),
                None => document.unknown_parameters.push((name.to_owned(), value.to_owned())),
            }
        }
        Ok(document)
    }

    /// The text of a `Data` element of 2.5. What the WAP form cannot say is left out.
    pub fn to_wap_xml(&self) -> String {
        let mut out = Writer(String::from("<wap-provisioningdoc>"));
        let required = self.get(Setting::DevicePasswordEnabled).is_some_and(|value| value.trim() == "1");
        out.open("SecurityPolicy");
        out.parm(NO_PASSWORD, if required { "0" } else { "1" });
        out.close();
        if required {
            self.write_registry(&mut out);
        }
        out.0.push_str("</wap-provisioningdoc>");
        out.0
    }

    fn write_registry(&self, out: &mut Writer) {
        let number = |setting: Setting| {
            self.get(setting)
                .filter(|value| !setting.permissive().holds(value))
                .and_then(|v| v.trim().parse::<u32>().ok())
        };
        let minutes = number(Setting::MaxInactivityTimeDeviceLock).map(|seconds| seconds.div_ceil(60));
        out.open("Registry");
        out.open(LOCK);
        out.parm("AEFrequencyType", if minutes.is_some() { "1" } else { "0" });
        out.parm("AEFrequencyValue", &minutes.unwrap_or(0).to_string());
        out.close();
        out.open(LASSD);
        out.parm("DeviceWipeThreshold", &number(Setting::MaxDevicePasswordFailedAttempts).unwrap_or(0).to_string());
        out.close();
        out.open(PASSWORD);
        out.parm("MinimumPasswordLength", &number(Setting::MinDevicePasswordLength).unwrap_or(1).to_string());
        out.close();
        out.open(PASSWORD);
        let strong = number(Setting::AlphanumericDevicePasswordRequired).is_some();
        out.parm("PasswordComplexity", if strong { "0" } else { "2" });
        out.close();
        out.close();
    }
}

fn collect<'n>(node: &'n Node, parameters: &mut Vec<(&'n str, &'n str)>) {
    for child in &node.children {
        if let ("parm", Some(name)) = (child.name.as_str(), child.attribute("name")) {
            parameters.push((name, child.attribute("value").unwrap_or_default()));
        }
        collect(child, parameters);
    }
}

fn read(name: &str, value: &str, locks: bool) -> Option<(Setting, String)> {
    let number = value.trim().parse::<i64>();
    let (setting, value) = match (name, number) {
        (NO_PASSWORD, Ok(no @ 0..=1)) => (Setting::DevicePasswordEnabled, (1 - no).to_string()),
        ("AEFrequencyValue", Ok(minutes @ 0..=71_582_788)) if locks => {
            (Setting::MaxInactivityTimeDeviceLock, (minutes * 60).to_string())
        }
        ("AEFrequencyValue", Ok(_)) if !locks => (Setting::MaxInactivityTimeDeviceLock, String::new()),
        ("DeviceWipeThreshold", Ok(-1 | 0 | 4_294_967_295)) => {
            (Setting::MaxDevicePasswordFailedAttempts, String::new())
        }
        ("DeviceWipeThreshold", Ok(attempts)) => (Setting::MaxDevicePasswordFailedAttempts, attempts.to_string()),
        ("MinimumPasswordLength", Ok(length)) => (Setting::MinDevicePasswordLength, length.to_string()),
        ("PasswordComplexity", Ok(rule @ 0..=2)) => {
            (Setting::AlphanumericDevicePasswordRequired, i64::from(rule == 0).to_string())
        }
        _ => return None,
    };
    Some((setting, value))
}

struct Writer(String);

impl Writer {
    fn open(&mut self, kind: &str) {
        let _ = write!(self.0, "<characteristic type=\"{}\">", escaped(kind));
    }

    fn close(&mut self) {
        self.0.push_str("</characteristic>");
    }

    fn parm(&mut self, name: &str, value: &str) {
        let _ = write!(self.0, "<parm name=\"{name}\" value=\"{}\"/>", escaped(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strict() -> PolicyDocument {
        let mut policy = PolicyDocument::default();
        for (setting, value) in [
            (Setting::DevicePasswordEnabled, "1"),
            (Setting::AlphanumericDevicePasswordRequired, "1"),
            (Setting::MinDevicePasswordLength, "8"),
            (Setting::MaxInactivityTimeDeviceLock, "300"),
            (Setting::MaxDevicePasswordFailedAttempts, "12"),
        ] {
            policy.set(setting, value);
        }
        policy
    }

    #[test]
    fn a_password_policy_reads_and_writes_alike() {
        let text = strict().to_wap_xml();
        assert!(
            text.starts_with(
                "<wap-provisioningdoc><characteristic type=\"SecurityPolicy\"><parm name=\"4131\" value=\"0\"/>\
             </characteristic><characteristic type=\"Registry\"><characteristic type=\"HKLM\\Comm\\Security\\Policy\\\
             LASSD\\AE\\{50C13377-C66D-400C-889E-C316FC4AB374}\"><parm name=\"AEFrequencyType\" value=\"1\"/>\
             <parm name=\"AEFrequencyValue\" value=\"5\"/></characteristic>"
            ),
            "{text}"
        );
        let again = PolicyDocument::from_wap_xml(&text).unwrap();
        assert_eq!(again.binding(), strict().binding());
        assert_eq!(again.binding().len(), 5);
        assert_eq!(again.unknown_parameters, [("AEFrequencyType".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn no_password_is_the_number_one() {
        let text = PolicyDocument::permissive().to_wap_xml();
        assert_eq!(
            text,
            "<wap-provisioningdoc><characteristic type=\"SecurityPolicy\"><parm name=\"4131\" value=\"1\"/>\
             </characteristic></wap-provisioningdoc>"
        );
        let policy = PolicyDocument::from_wap_xml(&text).unwrap();
        assert_eq!(policy.get(Setting::DevicePasswordEnabled), Some("0"));
        assert_eq!(policy.binding(), []);
    }

    #[test]
    fn a_required_password_without_more_binds_only_that() {
        let mut policy = PolicyDocument::permissive();
        policy.set(Setting::DevicePasswordEnabled, "1");
        let again = PolicyDocument::from_wap_xml(&policy.to_wap_xml()).unwrap();
        let bound: Vec<Setting> = again.binding().into_iter().map(|binding| binding.setting).collect();
        assert_eq!(bound, [Setting::DevicePasswordEnabled]);
    }

    #[test]
    fn other_documents_and_parameters_do_not_get_lost() {
        let text = "<wap-provisioningdoc><characteristic type=\"SecurityPolicy\"><parm name=\"4133\" value=\"1\"/>\
                    <parm name=\"4131\" value=\"7\"/><parm name=\"PasswordComplexity\"/></characteristic>\
                    </wap-provisioningdoc>";
        let policy = PolicyDocument::from_wap_xml(text).unwrap();
        assert_eq!((policy.values.len(), policy.unknown_parameters.len()), (0, 3));
        assert_eq!(PolicyDocument::from_wap_xml("<html/>"), Err(WapError::Root("html".to_owned())));
        assert!(matches!(PolicyDocument::from_wap_xml("x"), Err(WapError::Markup(_))));
    }
}
