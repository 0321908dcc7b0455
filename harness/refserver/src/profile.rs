//! Profiles: what one product does and another does not, as data.

use std::{fmt, str::FromStr};

use easrig_eas::{Command, Version};
use serde::Deserialize;
use thiserror::Error;

use crate::Behaviour;

/// The behaviour of one product. The profiles that come with the program are in `scenarios/profiles/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name on the command line.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// The versions it offers, oldest first.
    pub versions: Vec<Version>,
    /// The commands it offers, in its order, with names that nobody serves any more.
    pub commands: Vec<String>,
    /// How users prove who they are.
    pub authentication: Vec<Scheme>,
    /// Whether Autodiscover answers in its JSON form.
    pub json_autodiscover: bool,
    /// How a refusal is told from 14.0 on.
    pub signals: Signals,
    /// The value of `MS-Server-ActiveSync`.
    pub server_version: String,
    /// What every answer carries besides.
    pub headers: Vec<(String, String)>,
    /// The most devices of one account; `None` is no limit.
    pub partnerships: Option<usize>,
    /// What differs in the mailbox commands.
    pub behaviour: Behaviour,
}

/// How users prove who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Name and password.
    Basic,
    /// A token.
    Bearer,
}

/// How a refusal is told from 14.0 on; before, it is always an HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signals {
    /// As a Status.
    InBand,
    /// As an HTTP status, as several open servers do.
    Http,
}

/// Why a text is no profile.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProfileError {
    /// No profile of that name comes with the program.
    #[error("unknown profile `{found}` (there are {})", names())]
    Unknown {
        /// The name.
        found: String,
    },
    /// Not TOML, or not in the form of a profile.
    #[error("the profile cannot be read: {0}")]
    Unreadable(String),
    /// A profile without versions, or with limits that leave nothing.
    #[error("the profile makes no sense: {0}")]
    Senseless(&'static str),
}

const BUILT_IN: &[(&str, &str)] = &[
    ("exchange-2010-sp1", include_str!("../../../scenarios/profiles/exchange-2010-sp1.toml")),
    ("exchange-2013", include_str!("../../../scenarios/profiles/exchange-2013.toml")),
    ("exchange-2016", include_str!("../../../scenarios/profiles/exchange-2016.toml")),
    ("exchange-2019", include_str!("../../../scenarios/profiles/exchange-2019.toml")),
    ("exchange-online", include_str!("../../../scenarios/profiles/exchange-online.toml")),
    ("generic", include_str!("../../../scenarios/profiles/generic.toml")),
];

fn names() -> String {
    BUILT_IN.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

impl Profile {
    /// The names of the profiles that come with the program.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// Reads a profile file.
    ///
    /// # Errors
    /// A text that is no profile, or one that offers nothing.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let file: File = toml::from_str(text).map_err(|error| ProfileError::Unreadable(error.to_string()))?;
        if file.versions.is_empty() {
            return Err(ProfileError::Senseless("it offers no version"));
        }
        if file.authentication.is_empty() {
            return Err(ProfileError::Senseless("nobody can log on"));
        }
        let limits = file.limits;
        let interval = |[least, most]: [u32; 2]| {
            (least <= most).then_some(least..=most).ok_or(ProfileError::Senseless("an interval ends before it begins"))
        };
        let behaviour = Behaviour {
            move_keeps_id: file.move_keeps_id,
            ping_heartbeat: interval(limits.ping_heartbeat)?,
            ping_folders: limits.ping_folders,
            sync_heartbeat: interval(limits.sync_heartbeat)?,
            sync_wait: interval(limits.sync_wait)?,
            sync_collections: limits.sync_collections,
            window_default: limits.window_default,
            window_most: limits.window_most,
            message_most: limits.message_most,
        };
        Ok(Self {
            id: file.id,
            title: file.title,
            versions: file.versions,
            commands: file.commands,
            authentication: file.authentication,
            json_autodiscover: file.json_autodiscover,
            signals: file.signals,
            server_version: file.server_version,
            headers: file.headers,
            partnerships: limits.partnerships,
            behaviour,
        })
    }

    /// Whether users may prove who they are in this way.
    pub fn takes(&self, scheme: Scheme) -> bool {
        self.authentication.contains(&scheme)
    }

    /// Whether the command is on offer.
    pub fn serves(&self, command: Command) -> bool {
        self.commands.iter().any(|name| name == command.name())
    }
}

impl FromStr for Profile {
    type Err = ProfileError;

    /// The profile of that name that comes with the program.
    fn from_str(name: &str) -> Result<Self, ProfileError> {
        let (_, text) = BUILT_IN
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| ProfileError::Unknown { found: name.to_owned() })?;
        Self::parse(text)
    }
}

impl Default for Profile {
    /// Every version and command, Basic and Bearer, refusals in-band, no limit on devices.
    fn default() -> Self {
        Self {
            id: "reference".to_owned(),
            title: "easrig reference server".to_owned(),
            versions: Version::ALL.to_vec(),
            commands: Command::all().map(|command| command.name().to_owned()).collect(),
            authentication: vec![Scheme::Basic, Scheme::Bearer],
            json_autodiscover: true,
            signals: Signals::InBand,
            server_version: "16.1".to_owned(),
            headers: vec![("Server".to_owned(), "easrig".to_owned())],
            partnerships: None,
            behaviour: Behaviour::default(),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    title: String,
    versions: Vec<Version>,
    commands: Vec<String>,
    authentication: Vec<Scheme>,
    json_autodiscover: bool,
    signals: Signals,
    server_version: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    move_keeps_id: bool,
    limits: Limits,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    ping_heartbeat: [u32; 2],
    ping_folders: usize,
    sync_heartbeat: [u32; 2],
    sync_wait: [u32; 2],
    sync_collections: usize,
    window_default: u32,
    window_most: u32,
    message_most: usize,
    partnerships: Option<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_profile_is_read_under_its_own_name() {
        for name in Profile::names() {
            let profile: Profile = name.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(profile.id, name);
            assert!(profile.versions.is_sorted() && profile.serves(Command::FolderSync), "{name}");
            assert_eq!(
                profile.serves(Command::Find),
                profile.versions.contains(&Version::V16_1),
                "{name} offers Find with 16.1 and only then"
            );
        }
    }

    #[test]
    fn the_online_service_takes_no_passwords() {
        let online: Profile = "exchange-online".parse().unwrap();
        assert!(!online.takes(Scheme::Basic) && online.takes(Scheme::Bearer) && online.json_autodiscover);
        assert_eq!(online.versions, [Version::V16_1]);
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = "exchange-2012".parse::<Profile>().unwrap_err().to_string();
        assert!(error.contains("exchange-2012") && error.contains("exchange-2013"), "{error}");
    }
}
