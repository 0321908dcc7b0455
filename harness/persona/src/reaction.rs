//! What a device makes of an answer before it looks at what the command itself says.
//!
//! A live phone and a reader of recorded traffic decide by the same functions, and by nothing else.

use easrig_eas::{
    Command,
    command::provision::{PolicyData, Response},
    headers,
};

use crate::{
    Condition, Confidence, Persona, Sourced, Wipe,
    answer::Answer,
    device_error::When,
    persona::{
        binding_settings,
        word::{Treatment, Which},
    },
};

/// The most redirects of one request.
pub(crate) const MOST_REDIRECTS: u32 = 10;

/// A setting of the policy that binds, as a phone met it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicySetting {
    /// Its name (MS-ASPROV 2.2.2).
    pub name: String,
    /// Its value as on the wire; for a list, how many entries it has.
    pub value: String,
    /// What the device did with it.
    pub ability: Ability,
    /// How far to trust that.
    pub confidence: Confidence,
}

/// What a device does with a setting of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ability {
    /// It applies it.
    Enforces,
    /// It takes no notice, and says that it has applied the policy.
    Ignores,
    /// It cannot apply it, and does not say that it has.
    Refuses,
}

/// A binding setting, and what the device does with it.
pub(crate) struct Treated {
    pub(crate) setting: String,
    pub(crate) value: String,
    pub(crate) treatment: Sourced<Treatment>,
}

impl From<&Treated> for PolicySetting {
    fn from(treated: &Treated) -> Self {
        Self {
            name: treated.setting.clone(),
            value: treated.value.clone(),
            ability: match treated.treatment.value {
                Treatment::Enforce => Ability::Enforces,
                Treatment::Ignore => Ability::Ignores,
                Treatment::Refuse => Ability::Refuses,
            },
            confidence: treated.treatment.confidence,
        }
    }
}

/// The settings that the device cannot apply.
pub(crate) fn unable(treated: Vec<Treated>) -> Vec<String> {
    let refused = treated.into_iter().filter(|setting| setting.treatment.value == Treatment::Refuse);
    refused.map(|setting| setting.setting).collect()
}

/// What an answer to Provision orders the device to delete.
pub(crate) fn wipe(said: &Response) -> Option<Wipe> {
    let account = said.account_only_remote_wipe.then_some(Wipe::Account);
    said.remote_wipe.then_some(Wipe::Device).or(account)
}

/// Statuses of the common list that a command reads itself: its state is lost, and it starts over.
pub(crate) fn own_statuses(command: Command) -> &'static [u16] {
    match command {
        Command::Sync | Command::FolderSync => &[132, 134, 135, 136],
        _ => &[],
    }
}

impl Persona {
    /// Whether the device answers this with Provision. `set_up`: the account has been set up before.
    pub(crate) fn is_challenge(&self, condition: &Condition, set_up: bool) -> bool {
        let habits = &self.onboarding;
        let later = set_up.then_some(&habits.challenges_later.value);
        habits.challenges.value.iter().chain(later.into_iter().flatten()).any(|when| names(when, condition))
    }

    /// The place an answer sends the device to, if it is one that it follows with such a request.
    pub(crate) fn elsewhere<'a>(&self, answer: &'a Answer, which: Which) -> Option<&'a str> {
        let (rules, header) = match answer.http {
            301 | 302 | 307 | 308 => (&self.redirects.http.value, "Location"),
            451 => (&self.redirects.moved.value, headers::LOCATION),
            _ => return None,
        };
        answer.headers.get(header).filter(|_| Which::covers(rules, which))
    }

    /// What the device does with each setting of a policy that binds.
    pub(crate) fn treated(&self, data: &PolicyData) -> Vec<Treated> {
        let treated =
            |(setting, value): (String, String)| Treated { treatment: self.treatment(&setting), setting, value };
        binding_settings(data).into_iter().map(treated).collect()
    }

    fn treatment(&self, setting: &str) -> Sourced<Treatment> {
        let habits = &self.provisioning;
        let lists = [
            (&habits.refuses, Treatment::Refuse),
            (&habits.enforces, Treatment::Enforce),
            (&habits.ignores, Treatment::Ignore),
        ];
        let listed = lists.into_iter().find(|(list, _)| list.value.iter().any(|name| name == setting));
        listed.map_or_else(|| habits.others.clone(), |(list, treatment)| list.with(treatment))
    }
}

fn names(when: &When, condition: &Condition) -> bool {
    match (when, condition) {
        (When::Http(first, last), Condition::Http(number)) | (When::Status(first, last), Condition::Status(number)) => {
            (first..=last).contains(&number)
        }
        _ => false,
    }
}
