use easrig_eas::policy::{PolicyDocument, Setting, SettingValueError};
use jiff::SignedDuration;
use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;
use toml::Spanned;

/// A policy with what the server makes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What devices are handed.
    pub document: PolicyDocument,
    /// Whether devices that cannot apply it are let in (`AllowNonProvisionableDevices`).
    pub allow_non_provisionable: bool,
    /// Whether devices managed by somebody else are let in (acknowledgement Status 4).
    pub allow_external_management: bool,
    /// How long a final key is good; `None` is for ever.
    pub refresh: Option<SignedDuration>,
}

impl Default for Policy {
    /// Binds nobody and lets everybody in.
    fn default() -> Self {
        Self {
            document: PolicyDocument::permissive(),
            allow_non_provisionable: true,
            allow_external_management: false,
            refresh: None,
        }
    }
}

/// Why a policy, or a change of one, is not taken.
#[derive(Debug, Error, Diagnostic)]
pub enum PolicyFileError {
    /// Not TOML.
    #[error("the policy is no TOML: {detail}")]
    #[diagnostic(code(policy::not_toml))]
    NotToml {
        /// What the reader says.
        detail: String,
        /// The file.
        #[source_code]
        file: NamedSource<String>,
        /// Where.
        #[label("here")]
        at: SourceSpan,
    },
    /// No `[policy]`.
    #[error("the file has no `[policy]` table")]
    #[diagnostic(code(policy::missing), help("begin it with `[policy]`, then one setting a line"))]
    NoTable,
    /// A name that is no setting.
    #[error(transparent)]
    #[diagnostic(transparent)]
    UnknownSetting(#[from] Box<UnknownName>),
    /// A value the setting cannot have.
    #[error(transparent)]
    #[diagnostic(transparent)]
    BadValue(#[from] Box<BadValue>),
}

/// A name that is no setting.
#[derive(Debug, Error, Diagnostic)]
#[error("unknown policy setting `{found}`")]
#[diagnostic(code(policy::unknown_setting))]
pub struct UnknownName {
    found: String,
    #[source_code]
    file: NamedSource<String>,
    #[label("neither a setting of MS-ASPROV nor a parameter of the Exchange cmdlets")]
    at: SourceSpan,
    #[help]
    help: Option<String>,
}

/// A value that a setting cannot have.
#[derive(Debug, Error, Diagnostic)]
#[error("`{found}` is no value of {setting}")]
#[diagnostic(code(policy::bad_value))]
pub struct BadValue {
    setting: String,
    found: String,
    #[source_code]
    file: NamedSource<String>,
    #[label("expected {expected}")]
    at: SourceSpan,
    expected: String,
}

impl Policy {
    /// Reads a policy file: a TOML table `policy` of settings, over a policy that binds nobody.
    ///
    /// Names are those of MS-ASPROV or of the Exchange cmdlets, in any letter case; values are numbers, booleans, texts
    /// as on the wire, and lists of texts for the two lists of applications. Without `AllowNonProvisionableDevices` the
    /// policy is strict.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place and what was probably meant.
    pub fn parse(name: &str, text: &str) -> Result<Self, PolicyFileError> {
        let file = || NamedSource::new(name, text.to_owned());
        let table: toml::map::Map<String, toml::Value> =
            toml::from_str(text).map_err(|error| PolicyFileError::NotToml {
                detail: error.message().to_owned(),
                file: file(),
                at: error.span().unwrap_or_default().into(),
            })?;
        let settings = table.get("policy").and_then(toml::Value::as_table).ok_or(PolicyFileError::NoTable)?;
        let spans = Spans::read(text);
        let mut policy = Self { allow_non_provisionable: false, ..Self::default() };
        for (key, value) in settings {
            let (at_key, at_value) = spans.of(key);
            policy.take(key, value).map_err(|wrong| match wrong {
                Wrong::Name => PolicyFileError::UnknownSetting(Box::new(UnknownName {
                    found: key.clone(),
                    file: file(),
                    at: at_key,
                    help: nearest(key).map(|name| format!("did you mean `{name}`?")),
                })),
                Wrong::Value(expected) => PolicyFileError::BadValue(Box::new(BadValue {
                    setting: key.clone(),
                    found: value.to_string(),
                    file: file(),
                    at: at_value,
                    expected,
                })),
            })?;
        }
        Ok(policy)
    }

    /// Changes one setting: a name of MS-ASPROV or `AllowNonProvisionableDevices`, and a value as on the wire.
    ///
    /// # Errors
    /// A name nobody knows, or a value the setting cannot have, in words.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        self.take(name, &toml::Value::String(value.to_owned())).map_err(|wrong| match wrong {
            Wrong::Name => format!("unknown policy setting `{name}`"),
            Wrong::Value(expected) => format!("`{value}` is no value of {name} (expected {expected})"),
        })
    }

    fn take(&mut self, name: &str, value: &toml::Value) -> Result<(), Wrong> {
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        if is("AllowNonProvisionableDevices") {
            self.allow_non_provisionable = truth(value)?;
            return Ok(());
        }
        if is("AllowExternalDeviceManagement") {
            self.allow_external_management = truth(value)?;
            return Ok(());
        }
        if is("DevicePolicyRefreshInterval") {
            self.refresh = Some(hours(value)?);
            return Ok(());
        }
        let setting = Setting::from_parameter(name).ok_or(Wrong::Name)?;
        match setting {
            Setting::UnapprovedInRomApplicationList => self.document.unapproved_in_rom = texts(value)?,
            Setting::ApprovedApplicationList => self.document.approved = texts(value)?,
            _ => {
                let value = wire(value)?;
                setting
                    .check(&value)
                    .map_err(|SettingValueError { expected, .. }| Wrong::Value(expected.to_owned()))?;
                self.document.set(setting, &value);
            }
        }
        Ok(())
    }
}

enum Wrong {
    Name,
    Value(String),
}

impl Wrong {
    fn expected(what: &str) -> Self {
        Self::Value(what.to_owned())
    }
}

fn truth(value: &toml::Value) -> Result<bool, Wrong> {
    match wire(value)?.as_str() {
        "1" => Ok(true),
        "0" => Ok(false),
        _ => Err(Wrong::expected("true or false")),
    }
}

fn hours(value: &toml::Value) -> Result<SignedDuration, Wrong> {
    let hours = wire(value)?.parse::<u16>().ok().filter(|hours| *hours > 0);
    hours.map(|hours| SignedDuration::from_hours(hours.into())).ok_or(Wrong::expected("a number of hours, 1 to 65535"))
}

fn wire(value: &toml::Value) -> Result<String, Wrong> {
    match value {
        toml::Value::Boolean(value) => Ok(u8::from(*value).to_string()),
        toml::Value::Integer(value) => Ok(value.to_string()),
        toml::Value::String(value) => Ok(value.clone()),
        _ => Err(Wrong::expected("a number, a boolean or a text")),
    }
}

fn texts(value: &toml::Value) -> Result<Vec<String>, Wrong> {
    let list = value.as_array().ok_or(Wrong::expected("a list of texts"))?;
    list.iter().map(|one| one.as_str().map(str::to_owned).ok_or(Wrong::expected("a list of texts"))).collect()
}

/// The known name that is nearest to `name`, if one is near.
fn nearest(name: &str) -> Option<&'static str> {
    const OURS: [&str; 3] =
        ["AllowNonProvisionableDevices", "AllowExternalDeviceManagement", "DevicePolicyRefreshInterval"];
    let near = |known: &str| strsim::jaro_winkler(&known.to_lowercase(), &name.to_lowercase());
    let known = Setting::all().map(Setting::name).chain(OURS);
    known.max_by(|a, b| near(a).total_cmp(&near(b))).filter(|best| near(best) > 0.8)
}

/// Where the keys and values of `[policy]` stand.
struct Spans(Vec<(Spanned<String>, Spanned<toml::Value>)>);

impl Spans {
    fn read(text: &str) -> Self {
        #[derive(serde::Deserialize)]
        struct File {
            policy: std::collections::BTreeMap<Spanned<String>, Spanned<toml::Value>>,
        }
        Self(toml::from_str::<File>(text).map(|file| file.policy.into_iter().collect()).unwrap_or_default())
    }

    fn of(&self, key: &str) -> (SourceSpan, SourceSpan) {
        let found = self.0.iter().find(|(known, _)| known.get_ref() == key);
        found.map_or(((0, 0).into(), (0, 0).into()), |(key, value)| (key.span().into(), value.span().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_over_a_policy_that_binds_nobody() {
        let text = "[policy]\nRequireDeviceEncryption = true\nMinPasswordLength = 6\nallownonprovisionabledevices = false\nApprovedApplicationList = [\"ab\"]\n";
        let policy = Policy::parse("p.toml", text).unwrap();
        assert_eq!(policy.document.get(Setting::RequireDeviceEncryption), Some("1"));
        assert_eq!(policy.document.get(Setting::MinDevicePasswordLength), Some("6"));
        assert_eq!(policy.document.get(Setting::AllowCamera), Some("1"));
        assert_eq!(policy.document.approved, ["ab"]);
        assert!(!policy.allow_non_provisionable);
    }

    #[test]
    fn a_misspelt_setting_is_shown_with_what_was_meant() {
        let text = "[policy]\nRequireDeviceEncription = true\n";
        let Err(PolicyFileError::UnknownSetting(wrong)) = Policy::parse("p.toml", text) else { panic!() };
        let (at, help) = (wrong.at, wrong.help);
        assert_eq!(&text[at.offset()..at.offset() + at.len()], "RequireDeviceEncription");
        assert_eq!(help.as_deref(), Some("did you mean `RequireDeviceEncryption`?"));
    }

    #[test]
    fn a_value_out_of_range_is_shown_where_it_stands() {
        let text = "[policy]\nMinDevicePasswordLength = 99\n";
        let Err(PolicyFileError::BadValue(bad)) = Policy::parse("p.toml", text) else { panic!() };
        assert_eq!(&text[bad.at.offset()..bad.at.offset() + bad.at.len()], "99");
        assert!(matches!(Policy::parse("p.toml", "x = 1"), Err(PolicyFileError::NoTable)));
        assert!(matches!(Policy::parse("p.toml", "x ="), Err(PolicyFileError::NotToml { .. })));
    }
}
