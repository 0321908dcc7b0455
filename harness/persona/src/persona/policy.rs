//! Policy settings by name: which of them bind, and what undoes them.

use easrig_eas::{
    command::provision::PolicyData,
    policy::{Cmdlets, PolicyDocument, Setting},
};

/// The name of the policy in the commands shown to administrators.
const POLICY_NAME: &str = "Default";

/// Whether EASProvisionDoc has a setting of this name (MS-ASPROV 2.2.2).
pub(super) fn is_setting(name: &str) -> bool {
    setting(name).is_some()
}

/// The setting whose name is nearest to `name`.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    Setting::all()
        .map(|setting| (strsim::damerau_levenshtein(name, setting.name()), setting.name()))
        .filter(|(distance, known)| *distance <= known.len() / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// The settings that bind a device, by name and value; a document nobody can read binds nobody.
pub(crate) fn binding_settings(data: &PolicyData) -> Vec<(String, String)> {
    let document = match data {
        PolicyData::Wbxml(document) => PolicyDocument::from_element(document.root()),
        PolicyData::Wap(text) => PolicyDocument::from_wap_xml(text).unwrap_or_default(),
    };
    document.binding().into_iter().map(|binding| (binding.setting.name().to_owned(), binding.value)).collect()
}

/// The commands that make these settings bind nobody, for both generations of Exchange, one per line.
pub(super) fn remedies(settings: &[String]) -> String {
    let commands = [Cmdlets::ActiveSync, Cmdlets::MobileDevice].into_iter().flat_map(|cmdlets| {
        settings.iter().filter_map(|name| setting(name)).map(move |setting| setting.remedy(cmdlets, POLICY_NAME))
    });
    commands.collect::<Vec<_>>().join("\n")
}

fn setting(name: &str) -> Option<Setting> {
    Setting::all().find(|setting| setting.name() == name)
}
