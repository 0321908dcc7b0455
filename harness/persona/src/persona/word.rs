//! The words a persona file may use.

use std::time::Duration;

use easrig_eas::{Command, Version, query::PlainField, status::Status};
use easrig_exchange::TlsVersion;
use toml::de::DeValue;

use super::section::{FromToml, Wrong};
use crate::device_error::When;

macro_rules! words {
    ($($(#[$doc:meta])* enum $name:ident { $($(#[$about:meta])* $variant:ident = $word:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum $name { $($(#[$about])* $variant,)+ }

        impl FromToml for $name {
            fn from_toml(value: &DeValue<'_>) -> Result<Self, Wrong> {
                match value.as_str() {
                    $(Some($word) => Ok(Self::$variant),)+
                    _ => Err(Wrong::one_of(&[$($word),+])),
                }
            }
        }

        impl Word for $name {
            fn word(text: &str) -> Option<Self> {
                match text {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }

            const WORDS: &'static [&'static str] = &[$($word),+];
        }
    )+};
}

/// Something a single word says.
pub(crate) trait Word: Copy + 'static {
    /// What the word says.
    fn word(text: &str) -> Option<Self>;
    /// Every word.
    const WORDS: &'static [&'static str];
}

words! {
    /// How a device picks a version from the server's list.
    enum Pick {
        /// The highest that both know.
        HighestCommon = "highest-common",
        /// The last of the server's list that the device knows, letter for letter.
        LastExactToken = "last-exact-token",
        /// The first of the device's own list that the server knows.
        FirstPreferred = "first-preferred",
    }
    /// The form of the request line.
    enum Query {
        /// Names and values.
        Plain = "plain",
        /// One base64 value.
        Base64 = "base64",
    }
    /// How a device id of 32 hexadecimal digits stands in a base64 query.
    enum IdForm {
        /// As text.
        Text = "text",
        /// As the 16 bytes the digits mean.
        Bytes = "bytes",
    }
    /// How much of a value is percent-encoded.
    enum Escaping {
        /// All but letters, digits and a few marks.
        All = "all",
        /// Only what would break the line.
        Lenient = "lenient",
    }
    /// What stands for the policy key before there is one.
    enum EmptyKey {
        /// The number 0.
        Zero = "zero",
        /// Nothing.
        Absent = "absent",
    }
    /// A kind of request.
    enum Situation {
        /// The OPTIONS method.
        Options = "options",
        /// A command with a plain query.
        PlainPost = "plain-post",
        /// A command with a base64 query.
        Base64Post = "base64-post",
        /// Autodiscover.
        Autodiscover = "autodiscover",
    }
    /// The query of an OPTIONS request.
    enum OptionsQuery {
        /// None.
        Absent = "absent",
        /// User, DeviceId and DeviceType.
        Device = "device",
        /// `Cmd=Options` and the same.
        CmdOptions = "cmd-options",
    }
    /// A step of setting up the account.
    enum Onboarding {
        /// OPTIONS.
        Options = "options",
        /// Settings.
        Settings = "settings",
        /// Provision without being asked.
        Provision = "provision",
        /// FolderSync.
        FolderSync = "folder-sync",
        /// The first Sync of the folders the device follows.
        FirstSync = "first-sync",
    }
    /// A part of the Settings request of setting up.
    enum SettingsPart {
        /// The description of the device.
        DeviceInformation = "device-information",
        /// The owner's addresses.
        UserInformation = "user-information",
    }
    /// Where the device describes itself when it provisions.
    enum Placement {
        /// Nowhere.
        Nowhere = "nowhere",
        /// In the first Provision.
        Provision = "provision",
        /// In a Settings after the last Provision.
        SettingsAfter = "settings-after",
    }
    /// What a device does with a policy it cannot apply in full.
    enum Cannot {
        /// It does not acknowledge.
        Silent = "silent",
        /// It acknowledges with Status 2.
        Partial = "status:2",
        /// It acknowledges with Status 3.
        NotApplied = "status:3",
        /// It acknowledges with Status 1 all the same.
        Pretends = "status:1",
    }
    /// What a device does with a setting.
    enum Treatment {
        /// It applies it.
        Enforce = "enforce",
        /// It takes no notice.
        Ignore = "ignore",
        /// It cannot apply it.
        Refuse = "refuse",
    }
    /// How a switch of Sync is written.
    enum Spelling {
        /// Not at all.
        Absent = "absent",
        /// As the empty element.
        Empty = "empty",
        /// As 1.
        On = "1",
        /// As 0.
        Off = "0",
    }
    /// How the whole text of a message is fetched when it is opened.
    enum FullBody {
        /// Not at all: what Sync brought is what there is.
        Never = "never",
        /// By ItemOperations.
        ItemOperations = "item-operations",
        /// By Fetch in Sync.
        SyncFetch = "sync-fetch",
    }
    /// How an attachment is fetched.
    enum AttachmentFetch {
        /// By GetAttachment.
        GetAttachment = "get-attachment",
        /// By ItemOperations.
        ItemOperations = "item-operations",
    }
    /// How changes are waited for.
    enum Push {
        /// By Ping.
        Ping = "ping",
        /// By a Sync that the server holds back.
        HangingSync = "hanging-sync",
    }
    /// What a device does when the server names another heartbeat.
    enum OnLimit {
        /// It takes the server's value.
        TakeServerValue = "take-server-value",
        /// It gives up.
        GiveUp = "give-up",
    }
    /// A place where Autodiscover is tried.
    enum Candidate {
        /// POST at the address's domain.
        Domain = "https-domain",
        /// POST at `autodiscover.` and the domain.
        Subdomain = "https-autodiscover",
        /// GET over plain HTTP, for a redirect.
        HttpRedirect = "http-redirect",
        /// The name service.
        Srv = "srv",
        /// The JSON document at the domain.
        JsonDomain = "json-domain",
        /// The JSON document at `autodiscover.` and the domain.
        JsonSubdomain = "json-autodiscover",
    }
    /// How a device proves who its owner is.
    enum Scheme {
        /// User and password.
        Basic = "basic",
        /// A token.
        Bearer = "bearer",
    }
    /// The character set of user and password.
    enum Charset {
        /// UTF-8.
        Utf8 = "utf-8",
        /// ISO-8859-1.
        Latin1 = "latin-1",
    }
    /// The command of a search.
    enum SearchBy {
        /// Search.
        Search = "search",
        /// Find.
        Find = "find",
    }
    /// Who tells the organiser of a meeting.
    enum Replies {
        /// The device, by a message.
        Device = "device",
        /// The server.
        Server = "server",
        /// The server, asked to by SendResponse.
        SendResponse = "send-response",
    }
}

impl Cannot {
    /// The status that the device acknowledges with; `None` when it keeps silent.
    pub(crate) fn status(self) -> Option<Status> {
        match self {
            Self::Silent => None,
            Self::Partial => Some(Status(2)),
            Self::NotApplied => Some(Status(3)),
            Self::Pretends => Some(Status(1)),
        }
    }
}

/// A word for each range of versions: `["2.5 search", "16.1 find"]` holds from the named version on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ByVersion<T>(Vec<(Version, T)>);

impl<T: Copy> ByVersion<T> {
    /// The word that holds at `version`.
    pub(crate) fn at(&self, version: Version) -> Option<T> {
        self.0.iter().rev().find(|(from, _)| *from <= version).map(|(_, word)| *word)
    }

    pub(crate) fn always(word: T) -> Self {
        Self(vec![(Version::from_byte(0), word)])
    }

    /// Words from these versions on, oldest first.
    pub(crate) fn new(rows: Vec<(Version, T)>) -> Self {
        Self(rows)
    }
}

impl<T: Word> FromToml for ByVersion<T> {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Wrong> {
        let wrong = || {
            let words = T::WORDS.join("|");
            Wrong::expected(&format!("a list such as [\"2.5 {}\"], of `VERSION {words}`, oldest first", T::WORDS[0]))
        };
        let rows = Vec::<String>::from_toml(value).map_err(|_| wrong())?;
        let read = |row: &String| {
            let (version, word) = row.split_once(' ')?;
            Some((version.parse::<Version>().ok()?, T::word(word)?))
        };
        let rows = rows.iter().map(read).collect::<Option<Vec<_>>>().ok_or_else(wrong)?;
        if rows.is_empty() || !rows.is_sorted_by_key(|(version, _)| *version) {
            return Err(wrong());
        }
        Ok(Self(rows))
    }
}

/// A request that a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Which {
    /// Every one.
    Any,
    /// The OPTIONS method.
    Options,
    /// Autodiscover.
    Autodiscover,
    /// A command.
    Command(Command),
}

impl Which {
    /// Whether a rule about these requests holds for `this`.
    pub(crate) fn covers(rules: &[Self], this: Self) -> bool {
        rules.iter().any(|rule| *rule == Self::Any && this != Self::Autodiscover || *rule == this)
    }
}

impl FromToml for Which {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Wrong> {
        match value.as_str() {
            Some("*") => Ok(Self::Any),
            Some("OPTIONS") => Ok(Self::Options),
            Some("Autodiscover") => Ok(Self::Autodiscover),
            name => name.and_then(|name| name.parse().ok()).map(Self::Command).ok_or_else(|| {
                let words: Vec<_> =
                    ["*", "OPTIONS", "Autodiscover"].into_iter().chain(Command::all().map(Command::name)).collect();
                Wrong::one_of(&words)
            }),
        }
    }
}

impl FromToml for Command {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Wrong> {
        let words: Vec<_> = Command::all().map(Command::name).collect();
        value.as_str().and_then(|name| name.parse().ok()).ok_or_else(|| Wrong::one_of(&words))
    }
}

impl FromToml for Version {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Wrong> {
        value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| Wrong::expected("a version such as \"14.1\""))
    }
}

impl FromToml for TlsVersion {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Wrong> {
        value.as_str().and_then(|word| word.parse().ok()).ok_or_else(|| Wrong::one_of(&Self::ALL.map(Self::name)))
    }
}

impl FromToml for PlainField {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Wrong> {
        match value.as_str() {
            Some("Cmd") => Ok(Self::Cmd),
            Some("User") => Ok(Self::User),
            Some("DeviceId") => Ok(Self::DeviceId),
            Some("DeviceType") => Ok(Self::DeviceType),
            _ => Err(Wrong::one_of(&["Cmd", "User", "DeviceId", "DeviceType"])),
        }
    }
}

impl FromToml for When {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Wrong> {
        value.as_str().and_then(When::parse).ok_or_else(|| {
            Wrong::one_of(&{
                let mut words = vec!["http:N", "http:N..M", "status:N", "status:N..M"];
                words.extend(When::WORDS);
                words
            })
        })
    }
}

/// Whole seconds.
impl FromToml for Duration {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Wrong> {
        let seconds = u32::from_toml(value).ok().filter(|seconds| (1..=7200).contains(seconds));
        seconds
            .map(|seconds| Duration::from_secs(seconds.into()))
            .ok_or_else(|| Wrong::expected("a number of seconds from 1 to 7200"))
    }
}

/// A header as a device writes it: a name and a value with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeaderLine {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl HeaderLine {
    /// What a value may hold in braces.
    pub(crate) const PLACEHOLDERS: [&'static str; 8] = [
        "{host}",
        "{authorization}",
        "{user_agent}",
        "{version}",
        "{policy_key}",
        "{content_type}",
        "{content_length}",
        "{multipart}",
    ];
}

impl FromToml for HeaderLine {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Wrong> {
        let wrong = || {
            let known = Self::PLACEHOLDERS.join(", ");
            Wrong::expected(&format!("a header `Name: value`, where the value may be one of {known}"))
        };
        let (name, value) = value.as_str().and_then(|text| text.split_once(": ")).ok_or_else(wrong)?;
        let token = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let known = !value.starts_with('{') || Self::PLACEHOLDERS.contains(&value);
        if name.is_empty() || !name.chars().all(token) || value.chars().any(char::is_control) || !known {
            return Err(wrong());
        }
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}
