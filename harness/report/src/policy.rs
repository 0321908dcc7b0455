//! What phones made of the policy, in a line for each setting that not every one of them applies.

use std::collections::BTreeMap;

use easrig_scenario::{
    Confidence,
    event::{SettingMet, Treatment},
};

use crate::Run;

/// The most settings that are named; the page has them all.
const SETTINGS_MOST: usize = 12;

/// `RequireDeviceEncryption = 1: refused by wp7; ignored by android-4 (assumed)`. A setting that every phone applies is no
/// news.
pub(crate) fn lines(run: &Run) -> Vec<String> {
    let order = run.started.persona_ids();
    let met = order.filter_map(|id| Some((id, run.policies.get(id)?)));
    let mut settings: Vec<(&str, &str)> = Vec::new();
    let mut phones: BTreeMap<(&str, &str), Vec<(&str, &SettingMet)>> = BTreeMap::new();
    for (id, setting) in met.flat_map(|(id, settings)| settings.iter().map(move |setting| (id, setting))) {
        let key = (setting.name.as_str(), setting.value.as_str());
        phones.entry(key).or_insert_with(|| {
            settings.push(key);
            Vec::new()
        });
        phones.entry(key).and_modify(|phones| phones.push((id, setting)));
    }
    let mut lines: Vec<String> = settings.into_iter().filter_map(|key| line(key, phones.get(&key)?)).collect();
    let more = lines.len().saturating_sub(SETTINGS_MOST);
    lines.truncate(SETTINGS_MOST);
    if more > 0 {
        lines.push(format!("{more} more settings that not every phone applies"));
    }
    lines
}

fn line((name, value): (&str, &str), phones: &[(&str, &SettingMet)]) -> Option<String> {
    let of = |treatment: Treatment, word: &str| {
        let those = phones.iter().filter(|(_, setting)| setting.treatment == treatment);
        let names: Vec<String> = those.map(|(id, setting)| format!("{id}{}", doubt(setting))).collect();
        (!names.is_empty()).then(|| format!("{word} by {}", names.join(", ")))
    };
    let parts: Vec<String> =
        [of(Treatment::Refused, "refused"), of(Treatment::Ignored, "ignored")].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("{name} = {value}: {}", parts.join("; ")))
}

fn doubt(setting: &SettingMet) -> &'static str {
    match setting.confidence {
        Confidence::High | Confidence::Med => "",
        Confidence::Low | Confidence::Unverified => " (assumed)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::run_of;

    fn setting(name: &str, treatment: Treatment, confidence: Confidence) -> SettingMet {
        SettingMet { name: name.into(), value: "1".into(), treatment, confidence }
    }

    #[test]
    fn a_setting_is_named_with_the_phones_that_do_not_apply_it() {
        let mut run = run_of(Vec::new());
        run.started.personas = vec![("wp7".into(), String::new()), ("ios-11".into(), String::new())];
        let wp7 = vec![
            setting("RequireDeviceEncryption", Treatment::Refused, Confidence::High),
            setting("AllowCamera", Treatment::Ignored, Confidence::Unverified),
            setting("DevicePasswordEnabled", Treatment::Enforced, Confidence::High),
        ];
        run.policies.insert("wp7".into(), wp7);
        let ios = vec![setting("RequireDeviceEncryption", Treatment::Enforced, Confidence::High)];
        run.policies.insert("ios-11".into(), ios);
        assert_eq!(
            lines(&run),
            ["RequireDeviceEncryption = 1: refused by wp7", "AllowCamera = 1: ignored by wp7 (assumed)"]
        );
        assert!(crate::markdown(&run).contains("- RequireDeviceEncryption = 1: refused by wp7\n"));
    }
}
