//! A persona: the checked contents of a persona file.

use std::time::Duration;

use easrig_eas::{Version, query::PlainField};
use easrig_exchange::TlsVersion;
use sha2::{Digest, Sha256};
use toml::de::DeTable;

pub(crate) use section::PersonaError as FileError;
pub use section::PersonaError;

use crate::{
    Confidence, Habit, Sourced,
    device_error::{ErrorRow, When},
};
use word::{
    AttachmentFetch, ByVersion, Candidate, Cannot, Charset, EmptyKey, Escaping, FullBody, HeaderLine, IdForm, OnLimit,
    Onboarding, OptionsQuery, Pick, Placement, Push, Query, Replies, Scheme, SearchBy, SettingsPart, Situation,
    Spelling, Treatment, Which,
};

mod assumed;
pub(crate) use assumed::CHALLENGES;
mod error_for;
mod identity;
pub(crate) use identity::pattern_length;
mod policy;
pub(crate) use policy::binding_settings;
mod read;
mod section;
pub(crate) mod word;

/// A device family and version: everything in which it differs from others.
#[derive(Clone, Debug)]
pub struct Persona {
    pub(crate) id: String,
    pub(crate) hash: String,
    pub(crate) title: String,
    pub(crate) family: String,
    pub(crate) identity: Identity,
    pub(crate) protocol: Protocol,
    pub(crate) headers: HeaderHabits,
    pub(crate) onboarding: OnboardingHabits,
    pub(crate) provisioning: Provisioning,
    pub(crate) sync: SyncHabits,
    pub(crate) mail: MailHabits,
    pub(crate) push: PushHabits,
    pub(crate) timeouts: Timeouts,
    pub(crate) autodiscover: Discovery,
    pub(crate) auth: Auth,
    pub(crate) redirects: Redirects,
    pub(crate) tls: Tls,
    pub(crate) search: SearchHabits,
    pub(crate) abilities: Vec<(&'static str, Sourced<bool>)>,
    pub(crate) errors: Vec<ErrorRow>,
}

/// Who the device says it is.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) device_type: Sourced<String>,
    pub(crate) device_id: Sourced<String>,
    pub(crate) user_agent: Sourced<String>,
    pub(crate) user_agent_on: Sourced<Vec<Situation>>,
    pub(crate) device_information: DeviceDescription,
}

/// The fields of DeviceInformation the device fills.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeviceDescription {
    pub(crate) model: Option<Sourced<String>>,
    pub(crate) imei: Option<Sourced<String>>,
    pub(crate) friendly_name: Option<Sourced<String>>,
    pub(crate) os: Option<Sourced<String>>,
    pub(crate) os_language: Option<Sourced<String>>,
    pub(crate) phone_number: Option<Sourced<String>>,
    pub(crate) user_agent: Option<Sourced<String>>,
    pub(crate) enable_outbound_sms: Option<Sourced<bool>>,
    pub(crate) mobile_operator: Option<Sourced<String>>,
}

/// How the device speaks.
#[derive(Clone, Debug)]
pub(crate) struct Protocol {
    pub(crate) versions: Sourced<Vec<Version>>,
    pub(crate) pick: Sourced<Pick>,
    pub(crate) fallback: Option<Sourced<Version>>,
    pub(crate) query: Sourced<Query>,
    pub(crate) base64_device_id: Sourced<IdForm>,
    pub(crate) query_order: Sourced<Vec<PlainField>>,
    pub(crate) escape: Sourced<Escaping>,
    pub(crate) locale: Sourced<u32>,
    pub(crate) empty_key: Sourced<EmptyKey>,
    pub(crate) policy_key_not_on: Sourced<Vec<Which>>,
    pub(crate) content_type: Sourced<String>,
    pub(crate) options_query: Sourced<OptionsQuery>,
    pub(crate) multipart: Sourced<bool>,
}

/// The headers, in order and spelling.
#[derive(Clone, Debug)]
pub(crate) struct HeaderHabits {
    pub(crate) options: Sourced<Vec<HeaderLine>>,
    pub(crate) post: Sourced<Vec<HeaderLine>>,
    pub(crate) ping: Sourced<Vec<HeaderLine>>,
    pub(crate) autodiscover: Sourced<Vec<HeaderLine>>,
}

/// How the account is set up, and what sends the device to Provision.
#[derive(Clone, Debug)]
pub(crate) struct OnboardingHabits {
    pub(crate) order: Sourced<Vec<Onboarding>>,
    pub(crate) settings: Sourced<Vec<SettingsPart>>,
    pub(crate) challenges: Sourced<Vec<When>>,
    pub(crate) challenges_later: Sourced<Vec<When>>,
}

/// What the device does with policies.
#[derive(Clone, Debug)]
pub(crate) struct Provisioning {
    pub(crate) device_information: Sourced<ByVersion<Placement>>,
    pub(crate) enforces: Sourced<Vec<String>>,
    pub(crate) ignores: Sourced<Vec<String>>,
    pub(crate) refuses: Sourced<Vec<String>>,
    pub(crate) others: Sourced<Treatment>,
    pub(crate) cannot: Sourced<Cannot>,
    pub(crate) key_required: Sourced<bool>,
    pub(crate) rounds: Sourced<u32>,
}

/// How the device synchronises.
#[derive(Clone, Debug)]
pub(crate) struct SyncHabits {
    pub(crate) folders: Sourced<Vec<String>>,
    pub(crate) multi_collection: Sourced<bool>,
    pub(crate) class_up_to: Sourced<Version>,
    pub(crate) deletes_as_moves: Sourced<Spelling>,
    pub(crate) get_changes: Sourced<Spelling>,
    pub(crate) first_with_options: Sourced<bool>,
    pub(crate) window_size: Option<Sourced<u32>>,
    pub(crate) classes: Vec<(&'static str, ClassHabits)>,
}

/// How the device wants the items of one class.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClassHabits {
    pub(crate) window_size: Option<Sourced<u32>>,
    pub(crate) filter_type: Option<Sourced<u32>>,
    pub(crate) body_type: Option<Sourced<u32>>,
    pub(crate) truncation_size: Option<Sourced<u32>>,
    pub(crate) all_or_none: Option<Sourced<bool>>,
    pub(crate) preview: Option<Sourced<u32>>,
    pub(crate) mime_support: Option<Sourced<u32>>,
    pub(crate) old_mime_support: Option<Sourced<u32>>,
    pub(crate) mime_truncation: Option<Sourced<u32>>,
    pub(crate) truncation: Option<Sourced<u32>>,
    pub(crate) conflict: Option<Sourced<u32>>,
}

/// How the device reads and sends messages.
#[derive(Clone, Debug)]
pub(crate) struct MailHabits {
    pub(crate) full_body: Sourced<FullBody>,
    pub(crate) full_body_type: Option<Sourced<u32>>,
    pub(crate) full_body_truncation: Option<Sourced<u32>>,
    pub(crate) attachments: Sourced<ByVersion<AttachmentFetch>>,
    pub(crate) save_in_sent: Sourced<bool>,
    pub(crate) mailer: Option<Sourced<String>>,
    pub(crate) meeting_replies: Sourced<ByVersion<Replies>>,
    pub(crate) invitations: Sourced<ByVersion<Replies>>,
}

/// How the device waits for changes.
#[derive(Clone, Debug)]
pub(crate) struct PushHabits {
    pub(crate) mode: Sourced<Push>,
    pub(crate) start: Sourced<u32>,
    pub(crate) min: Sourced<u32>,
    pub(crate) max: Sourced<u32>,
    pub(crate) step: Sourced<u32>,
    pub(crate) on_limit: Sourced<OnLimit>,
}

/// How long the device waits.
#[derive(Clone, Debug)]
pub(crate) struct Timeouts {
    pub(crate) connect: Sourced<Duration>,
    pub(crate) command: Sourced<Duration>,
    pub(crate) first_sync: Sourced<Duration>,
    pub(crate) push_extra: Sourced<Duration>,
    pub(crate) busy_retries: Sourced<u32>,
    pub(crate) busy_wait: Sourced<Duration>,
}

/// Where the device looks for its server.
#[derive(Clone, Debug)]
pub(crate) struct Discovery {
    pub(crate) candidates: Sourced<Vec<Candidate>>,
}

/// How the device proves who its owner is.
#[derive(Clone, Debug)]
pub(crate) struct Auth {
    pub(crate) schemes: Sourced<Vec<Scheme>>,
    pub(crate) charset: Sourced<Charset>,
}

/// Which requests follow which redirect.
#[derive(Clone, Debug)]
pub(crate) struct Redirects {
    pub(crate) http: Sourced<Vec<Which>>,
    pub(crate) moved: Sourced<Vec<Which>>,
}

/// What the device's TLS is like.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    pub(crate) versions: Option<Sourced<Vec<TlsVersion>>>,
    pub(crate) roots: Option<Sourced<Vec<String>>>,
}

/// How the device searches.
#[derive(Clone, Debug)]
pub(crate) struct SearchHabits {
    pub(crate) by: Sourced<ByVersion<SearchBy>>,
    pub(crate) collection: Option<Sourced<String>>,
    pub(crate) last: Sourced<u32>,
    pub(crate) truncation_size: Option<Sourced<u32>>,
}

impl Persona {
    /// Reads a persona file; `name` is shown in complaints.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its place and, where there is one, a suggestion.
    pub fn parse(name: &str, text: &str) -> Result<Self, PersonaError> {
        let mut file = section::File::new(name, text);
        let table = DeTable::parse(text).map_err(|error| file.syntax(&error))?;
        read::defaults(&mut file, &table)?;
        let digest = Sha256::digest(text.as_bytes());
        read::persona(&file, &table, digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Every key that is looked for in a file.
    #[cfg(test)]
    pub(crate) fn keys(text: &str) -> std::collections::BTreeSet<String> {
        let mut file = section::File::new("keys", text);
        let table = DeTable::parse(text).unwrap();
        read::defaults(&mut file, &table).unwrap();
        read::persona(&file, &table, String::new()).unwrap();
        file.asked()
    }

    /// The name of its file, without ending: `wp7.5`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// SHA-256 of the file's text, in hex: `--resume` compares it.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Its name for people: `Windows Phone 7.5`.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The family it belongs to, as an administrator groups phones: `Windows Phone`.
    pub fn family(&self) -> &str {
        &self.family
    }

    /// The versions it speaks, as it prefers them.
    pub fn versions(&self) -> &[Version] {
        &self.protocol.versions.value
    }

    /// Whether it can sign in with a token in place of a password.
    pub fn has_tokens(&self) -> bool {
        self.auth.schemes.value.contains(&Scheme::Bearer)
    }

    /// Whether its requests name what they are about in plain text.
    pub fn has_plain_query(&self) -> bool {
        self.protocol.query.value == Query::Plain
    }

    /// The DeviceType of its requests.
    pub fn device_type(&self) -> &str {
        &self.identity.device_type.value
    }

    /// The text of its User-Agent.
    pub fn user_agent(&self) -> &str {
        &self.identity.user_agent.value
    }

    /// Whether it has this habit; what the file does not say is assumed and unverified.
    pub fn ability(&self, habit: &str) -> Sourced<bool> {
        let listed = self.abilities.iter().find(|(name, _)| *name == habit);
        listed.map_or_else(|| Sourced::assumed(format!("abilities.{habit}"), true), |(_, known)| known.clone())
    }

    /// Whether it would do this habit at all.
    pub fn can(&self, habit: &Habit) -> bool {
        self.ability(habit.name()).value
    }

    /// The companies whose roots it trusts, by name; `None` when the facts do not tell.
    pub fn trusted_companies(&self) -> Option<&Sourced<Vec<String>>> {
        self.tls.roots.as_ref()
    }

    /// The TLS versions it speaks, where the facts tell.
    pub fn tls_versions(&self) -> Option<&Sourced<Vec<TlsVersion>>> {
        self.tls.versions.as_ref()
    }

    /// Its whole error vocabulary, as the file lists it.
    pub fn errors(&self) -> &[ErrorRow] {
        &self.errors
    }

    /// Code, text, remedy and confidence of every row; placeholders are not filled.
    pub fn error_rows(&self) -> impl Iterator<Item = (&str, &str, &str, Confidence)> {
        self.errors.iter().map(|row| (row.code.as_str(), row.message.as_str(), row.remedy.as_str(), row.confidence))
    }
}

#[cfg(test)]
mod tests;
