//! What each phone did with each setting of the policy.

use std::collections::BTreeSet;

use easrig_scenario::{
    Confidence,
    event::{SettingMet, Treatment},
};

use crate::html::Maker;

/// Settings by phones.
pub(in crate::html) struct Policies {
    pub(in crate::html) phones: Vec<String>,
    pub(in crate::html) rows: Vec<Row>,
}

/// A setting.
pub(in crate::html) struct Row {
    pub(in crate::html) name: String,
    /// Its value; several where phones met several.
    pub(in crate::html) value: String,
    /// By phone; `None` where its policy did not have the setting, or did not bind with it.
    pub(in crate::html) spots: Vec<Option<Spot>>,
}

/// What a phone did with a setting.
pub(in crate::html) struct Spot {
    pub(in crate::html) class: &'static str,
    pub(in crate::html) key: &'static str,
    /// Whether that is not well known of the device.
    pub(in crate::html) doubt: bool,
}

impl Policies {
    /// `None` when no phone met a policy that binds.
    pub(super) fn of(maker: &Maker<'_>) -> Option<Self> {
        let policies = &maker.run.policies;
        let order = maker.run.started.persona_ids().filter(|id| policies.contains_key(*id));
        let strange =
            policies.keys().map(String::as_str).filter(|id| !maker.run.started.persona_ids().any(|own| own == *id));
        let phones: Vec<&str> = order.chain(strange).collect();
        let mut names: Vec<&str> = Vec::new();
        for setting in phones.iter().filter_map(|id| policies.get(*id)).flatten() {
            if !names.contains(&setting.name.as_str()) {
                names.push(&setting.name);
            }
        }
        let find = |id: &str, name: &str| policies.get(id)?.iter().find(|setting| setting.name == name);
        let row = |name: &str| {
            let values: BTreeSet<&str> = phones.iter().filter_map(|id| Some(find(id, name)?.value.as_str())).collect();
            Row {
                name: name.to_owned(),
                value: values.into_iter().collect::<Vec<_>>().join(", "),
                spots: phones.iter().map(|id| find(id, name).map(Spot::of)).collect(),
            }
        };
        (!names.is_empty()).then(|| Self {
            rows: names.into_iter().map(row).collect(),
            phones: phones.iter().map(|id| maker.phone(id).to_owned()).collect(),
        })
    }
}

impl Spot {
    fn of(setting: &SettingMet) -> Self {
        let (class, key) = match setting.treatment {
            Treatment::Enforced => ("p", "policy.enforced"),
            Treatment::Ignored => ("d", "policy.ignored"),
            Treatment::Refused => ("b", "policy.refused"),
        };
        Self { class, key, doubt: matches!(setting.confidence, Confidence::Low | Confidence::Unverified) }
    }
}
