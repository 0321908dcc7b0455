//! Which settings of a policy bind a device: those whose value a device must do something about. Exchange sends every
//! element, most of them permissive; only a binding one can stop a device that does not know it.
//!
//! Both rules are a reading of the types and defaults of MS-ASPROV, not a quotation.

use super::{PolicyDocument, Setting, SettingKind};

/// The values of a setting that bind no device. An absent element never binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permissive {
    /// This number alone.
    Is(i64),
    /// An empty element (or list) alone.
    Empty,
    /// An empty element, or a number up to this one.
    EmptyOrAtMost(i64),
    /// An empty element, or a number from this one on.
    EmptyOrAtLeast(i64),
}

/// A setting that binds, with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The setting.
    pub setting: Setting,
    /// Its value as on the wire; for a list, how many entries it has.
    pub value: String,
}

impl Permissive {
    /// Whether `value` binds no device. What is no number where one belongs does bind: nobody can apply it.
    pub fn holds(self, value: &str) -> bool {
        let value = value.trim();
        match (self, value.parse::<i64>()) {
            (Self::Is(number), Ok(found)) => found == number,
            (Self::EmptyOrAtMost(most), Ok(found)) => found <= most,
            (Self::EmptyOrAtLeast(least), Ok(found)) => found >= least,
            (Self::Empty, Ok(_)) | (Self::Is(_), Err(_)) => false,
            (Self::Empty | Self::EmptyOrAtMost(_) | Self::EmptyOrAtLeast(_), Err(_)) => value.is_empty(),
        }
    }
}

impl PolicyDocument {
    /// Every setting that binds a device, in the order of the tokens.
    pub fn binding(&self) -> Vec<Binding> {
        Setting::all()
            .filter(|setting| !self.is_moot(*setting))
            .filter_map(|setting| self.value_that_binds(setting).map(|value| Binding { setting, value }))
            .collect()
    }

    /// Whether another setting takes the meaning from this one. An absent setting counts as permissive, so that
    /// "passwords" is off where nobody speaks of it, and "attachments" on.
    fn is_moot(&self, setting: Setting) -> bool {
        let value = |of: Setting| self.values.get(&of).cloned().unwrap_or_else(|| of.permissive_value());
        setting.moot_unless().iter().any(|on| value(*on).trim() == "0")
    }

    fn value_that_binds(&self, setting: Setting) -> Option<String> {
        let entries = match setting {
            Setting::UnapprovedInRomApplicationList => self.unapproved_in_rom.len(),
            Setting::ApprovedApplicationList => self.approved.len(),
            value => {
                debug_assert!(value.kind() != SettingKind::List);
                return self.values.get(&value).filter(|text| !value.permissive().holds(text)).cloned();
            }
        };
        (entries > 0).then(|| match entries {
            1 => "1 entry".to_owned(),
            more => format!("{more} entries"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(values: &[(Setting, &str)]) -> PolicyDocument {
        let mut document = PolicyDocument::default();
        values.iter().for_each(|(setting, value)| document.set(*setting, value));
        document
    }

    fn bound(document: &PolicyDocument) -> Vec<Setting> {
        document.binding().into_iter().map(|binding| binding.setting).collect()
    }

    /// The column `permissive_when` of the table, word by word: whether it lists `value`.
    fn listed(column: &str, value: &str) -> bool {
        column.replace(" or ", ", ").split(", ").any(|word| match word {
            "absent" => false,
            "empty" => value.is_empty(),
            word => match word.strip_prefix(">=") {
                Some(least) => value.parse::<i64>().is_ok_and(|value| value >= least.parse().unwrap()),
                None => word == value,
            },
        })
    }

    fn rows() -> Vec<(Setting, &'static str, &'static str)> {
        include_str!("../../data/provision-policy.tsv")
            .lines()
            .map(|line| line.split('\t').collect::<Vec<_>>())
            .filter(|row| row.get(3) == Some(&"EASProvisionDoc"))
            .map(|row| (row[0].parse().unwrap(), row[14], row.get(15).copied().unwrap_or_default()))
            .collect()
    }

    #[test]
    fn the_permissive_values_of_every_row_bind_nobody_and_the_others_do() {
        let rows = rows();
        assert_eq!(rows.len(), 42);
        for (setting, permissive_when, _) in rows.into_iter().filter(|row| row.0.kind() != SettingKind::List) {
            let values = ["", "-1", "0", "1", "2", "3", "4", "5", "8", "16", "900", "9998", "9999", "10000"];
            let allowed = values.into_iter().filter(|value| setting.check(value).is_ok());
            let mut both = [0, 0];
            for value in allowed {
                let listed = listed(permissive_when, value);
                assert_eq!(setting.permissive().holds(value), listed, "{setting} = `{value}`");
                both[usize::from(listed)] += 1;
            }
            assert!(both[0] > 0 && both[1] > 0, "{setting}");
        }
    }

    #[test]
    fn a_moot_setting_of_every_row_binds_nobody() {
        for (setting, _, moot_when) in rows() {
            let switches: Vec<Setting> =
                moot_when.split(" or ").filter_map(|rule| rule.strip_suffix("=0")?.parse().ok()).collect();
            assert_eq!(setting.moot_unless(), switches, "{setting}");
            if setting.kind() == SettingKind::List {
                continue;
            }
            let hard = ["0", "1", "3", "5", "-1"]
                .into_iter()
                .find(|value| setting.check(value).is_ok() && !setting.permissive().holds(value));
            let mut document = document(&[(setting, hard.expect("every setting has a value that binds"))]);
            switches.iter().for_each(|switch| document.set(*switch, "1"));
            // The switches that are needed for this one may themselves depend on others.
            document.set(Setting::DevicePasswordEnabled, "1");
            assert!(bound(&document).contains(&setting), "{setting}");
            for switch in switches {
                let mut moot = document.clone();
                moot.set(switch, "0");
                assert!(!bound(&moot).contains(&setting), "{setting} while {switch} is 0");
            }
        }
    }

    #[test]
    fn an_absent_switch_counts_as_permissive() {
        assert_eq!(bound(&document(&[(Setting::MinDevicePasswordLength, "6")])), []);
        assert_eq!(bound(&document(&[(Setting::MaxAttachmentSize, "1000")])), [Setting::MaxAttachmentSize]);
    }

    #[test]
    fn lists_bind_when_they_have_entries() {
        let mut document = PolicyDocument::default();
        assert_eq!(document.binding(), []);
        document.approved.push("00".to_owned());
        document.unapproved_in_rom.extend(["a.exe".to_owned(), "b.exe".to_owned()]);
        let values: Vec<String> = document.binding().into_iter().map(|binding| binding.value).collect();
        assert_eq!(values, ["2 entries", "1 entry"]);
    }

    #[test]
    fn a_value_nobody_can_read_binds() {
        assert_eq!(bound(&document(&[(Setting::AllowCamera, "yes")])), [Setting::AllowCamera]);
        assert_eq!(bound(&document(&[(Setting::AllowCamera, " 1 ")])), []);
    }

    #[test]
    fn the_permissive_policy_binds_nobody() {
        let document = PolicyDocument::permissive();
        assert_eq!(document.values.len(), 40);
        assert_eq!(document.binding(), []);
    }
}
