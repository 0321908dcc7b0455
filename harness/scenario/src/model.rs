//! A scenario after every check: what the runner follows and the judge reads.

use std::{fmt, time::Duration};

use easrig_eas::{Command, Version};
use regex_lite::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Level, path::Path};

/// One checked scenario file.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its path under `scenarios/` without `.toml`; never renumbered, never reused.
    pub id: String,
    /// What the server does when it is right, in one line.
    pub title: String,
    /// What happens to the phone's owner when it breaks.
    pub why: Option<String>,
    /// What to change on the server.
    pub fix: Option<String>,
    /// Requirement ids; the first names the findings.
    pub requirements: Vec<String>,
    /// How binding it is.
    pub level: Level,
    /// Protocol versions it applies to, oldest first.
    pub versions: Vec<Version>,
    /// How far the phone has come before step one.
    pub start: Start,
    /// What it does to the mailbox.
    pub effects: Effects,
    /// What it cannot run without.
    pub needs: Vec<Need>,
    /// The commands it is about; `OPTIONS` is none of them.
    pub commands: Vec<Command>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Steps that always run at the end.
    pub cleanup: Vec<Step>,
    /// The folders that its texts name by variables (`{notes}`), with the role whose folder it is: where the server
    /// does not have one, the cell is skipped before anything is sent.
    pub folders: Vec<(Role, &'static str)>,
    pub(crate) hash: String,
}

impl Scenario {
    /// SHA-256 of the file's text, in hex: `--resume` goes on only when it is unchanged.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Whether it cannot run without `need`.
    pub fn needs(&self, need: Need) -> bool {
        self.needs.contains(&need)
    }

    /// The roles that act in it, cleanup included; `phone` is always one.
    pub fn roles(&self) -> Vec<Role> {
        Role::ALL
            .into_iter()
            .filter(|role| *role == Role::Phone || self.steps.iter().chain(&self.cleanup).any(|s| s.role == *role))
            .collect()
    }
}

/// The ladder that the phone climbs before step one; each rung holds those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// Nothing was sent.
    #[default]
    None,
    /// Versions and commands are known.
    Options,
    /// The policy is acknowledged.
    Provisioned,
    /// The folder list is there.
    Foldered,
    /// The inbox is synchronised to its end.
    Synced,
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::None => "none",
            Self::Options => "options",
            Self::Provisioned => "provisioned",
            Self::Foldered => "foldered",
            Self::Synced => "synced",
        })
    }
}

/// What a scenario does to the mailbox; each above `reads` has to be allowed on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effects {
    /// Leaves no trace; does not even mark a mail read.
    Reads,
    /// Makes, changes and removes things of its own.
    Writes,
    /// May cost what it did not make; only on a disposable server.
    Destroys,
}

impl fmt::Display for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Destroys => "destroys",
        })
    }
}

/// What a scenario cannot run without; a run that lacks it skips the cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// A second account.
    Partner,
    /// A second device of the same owner.
    Tablet,
    /// A target given as an address, so that discovery has work to do.
    Address,
    /// A server that can be told to change (`arrange`).
    Control,
    /// Time: it waits out a long Ping and is left out of quick runs.
    Heartbeat,
    /// The reference server itself.
    Reference,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Partner => "partner",
            Self::Tablet => "tablet",
            Self::Address => "address",
            Self::Control => "control",
            Self::Heartbeat => "heartbeat",
            Self::Reference => "reference",
        })
    }
}

/// Who acts in a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The device under test.
    #[default]
    Phone,
    /// A second device of the same owner.
    Tablet,
    /// The other account's device.
    Partner,
}

impl Role {
    /// Every role, the default first.
    pub const ALL: [Self; 3] = [Self::Phone, Self::Tablet, Self::Partner];

    /// The word used in files and in `{partner.inbox}`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Tablet => "tablet",
            Self::Partner => "partner",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it is for, in a few words; made from its content when the file gives none.
    pub title: String,
    /// Who acts.
    pub role: Role,
    /// What happens.
    pub kind: StepKind,
    /// The name under which it goes on in the background.
    pub background: Option<String>,
    /// For how long it is repeated until its expectations hold.
    pub poll: Option<Duration>,
    /// How much time passes first.
    pub pause: Option<Duration>,
    /// A failure here makes the cell inconclusive instead of failed.
    pub setup: bool,
    /// How binding its expectations are.
    pub level: Level,
    /// What has to be seen.
    pub expect: Option<Expect>,
    /// Conforming answers of which one has to hold, when there are any.
    pub alternatives: Vec<Alternative>,
    /// What the owner should have besides; whatever does not hold is a loss.
    pub losses: Vec<Alternative>,
}

impl Step {
    /// The subject this step names, as a template; from then on it is the variable `{subject}`.
    pub fn subject(&self) -> Option<&str> {
        match &self.kind {
            StepKind::Send(Send { body: Body::Mail(mail), .. }) => mail.subject.as_deref(),
            StepKind::Do(habit) => habit.params.subject.as_deref(),
            StepKind::Arrange(Arrangement::Deliver(mail)) => mail.subject.as_deref(),
            _ => None,
        }
    }

    /// Whether the file expects the device to end in an error.
    pub fn expects_error(&self) -> bool {
        let asks = |expect: &Expect| expect.error.is_some();
        self.expect.as_ref().is_some_and(asks) || self.alternatives.iter().any(|a| asks(&a.expect))
    }
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum StepKind {
    /// Sends one request as written.
    Send(Send),
    /// Lets the persona do something its own way.
    Do(Habit),
    /// Changes the server.
    Arrange(Arrangement),
    /// Waits for the background step of this name.
    Await(String),
}

/// One request, as far as the file fixes it; the persona decides the rest. Texts are templates.
#[derive(Clone, Debug)]
pub struct Send {
    /// Which command.
    pub command: Verb,
    /// The body.
    pub body: Body,
    /// Parameters of the request line.
    pub params: Vec<(String, String)>,
    /// Headers to set; an empty value removes the header.
    pub headers: Vec<(String, String)>,
    /// Other credentials than the account's.
    pub login: Option<LoginKind>,
    /// The form of the request line, against the persona's habit.
    pub query: Option<QueryForm>,
    /// How long to wait for the answer, against the persona's patience.
    pub timeout: Option<Duration>,
}

/// What `send` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// The HTTP method OPTIONS.
    Options,
    /// A command, by POST.
    Command(Command),
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Options => f.pad("OPTIONS"),
            Self::Command(command) => f.pad(command.name()),
        }
    }
}

/// The body of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a scenario has a handful of these")]
pub enum Body {
    /// None.
    Empty,
    /// A document in the standard's XML notation, with variables.
    Xml(String),
    /// These bytes.
    Raw(Vec<u8>),
    /// A message, in the form of the version: message/rfc822 up to 12.1, WBXML from 14.0.
    Mail(Mail),
}

/// A message. Texts are templates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mail {
    /// The recipient's address.
    pub to: Option<String>,
    /// The sender, when it is not the account (`deliver`).
    pub from: Option<String>,
    /// The subject.
    pub subject: Option<String>,
    /// The plain text.
    pub text: Option<String>,
    /// The HTML text.
    pub html: Option<String>,
    /// An attachment of generated bytes.
    pub attachment: Option<Attachment>,
    /// An iCalendar object.
    pub calendar: Option<String>,
    /// Size of the whole message in bytes, at least (`deliver`).
    pub size: Option<u64>,
    /// ClientId (14.0 and later); a fresh one when `None`.
    pub client_id: Option<String>,
    /// Whether the server keeps a copy in Sent Items.
    pub save_in_sent: Option<bool>,
    /// The original, for SmartReply and SmartForward.
    pub source: Option<Source>,
    /// Whether it is sent as it is, without what the server would add of the original (14.0 and later).
    pub replace_mime: bool,
}

/// An attachment of generated bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// File name.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
}

/// The message that is answered or forwarded: by folder and item, or by a hit of a search. Texts are templates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its folder's id.
    pub folder: Option<String>,
    /// Its own id.
    pub item: Option<String>,
    /// The LongId of a search.
    pub long_id: Option<String>,
    /// The occurrence of a series.
    pub instance: Option<String>,
}

/// Other credentials than the account's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LoginKind {
    /// A user that does not exist.
    WrongUser,
    /// A wrong password: for a user that does not exist unless lockout is allowed.
    WrongPassword,
}

/// The form of the request line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueryForm {
    /// `Cmd=…&User=…`.
    Plain,
    /// The packed form.
    Base64,
}

/// A habit of the persona, by its name in [`crate::HABITS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Habit {
    /// The name.
    pub name: &'static str,
    /// Its parameters, checked against the list.
    pub params: HabitParams,
}

/// The parameters of habits. Texts are templates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HabitParams {
    /// A subject.
    pub subject: Option<String>,
    /// A folder, by its variable's name or its id.
    pub folder: Option<String>,
    /// Folders, by name or id.
    pub folders: Vec<String>,
    /// How long to wait at most.
    pub within: Option<Duration>,
    /// An address, or for `move` a folder.
    pub to: Option<String>,
    /// Plain text.
    pub text: Option<String>,
    /// HTML text.
    pub html: Option<String>,
    /// An attachment of generated bytes.
    pub attachment: Option<Attachment>,
    /// Read or unread.
    pub read: Option<bool>,
    /// The answer to an invitation.
    pub answer: Option<Answer>,
    /// A name.
    pub name: Option<String>,
}

/// The answer to an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Yes.
    Accept,
    /// Perhaps.
    Tentative,
    /// No.
    Decline,
}

/// A change on the server's side, undone at the end of the cell. Texts are templates.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a scenario has a handful of these")]
pub enum Arrangement {
    /// These policy settings are in force.
    Policy {
        /// Setting by its name in the standard, value as on the wire.
        set: Vec<(String, String)>,
    },
    /// Devices that cannot be provisioned are refused, or not.
    Strict {
        /// Refused.
        on: bool,
    },
    /// Requests are refused as too many.
    Throttle {
        /// 503 (HTTP) or 111 (Status).
        status: u16,
        /// Seconds in Retry-After.
        retry_after: Option<u32>,
        /// How many requests are refused; until the end of the cell when `None`.
        times: Option<u32>,
    },
    /// The phone is sent to another URL of the same server (451).
    Moved,
    /// This device is blocked.
    Block,
    /// This device is in quarantine.
    Quarantine,
    /// The account has a new password.
    Password {
        /// The phone's owner has typed it in.
        told: bool,
    },
    /// A mail arrives from outside.
    Deliver(Mail),
    /// The phone is asked for a policy refresh.
    ExpirePolicyKey,
}

/// What has to be seen; every field that is given has to hold.
#[derive(Clone, Debug, Default)]
pub struct Expect {
    /// Allowed HTTP status codes; any when empty.
    pub http: Vec<u16>,
    /// Allowed main Status values; any when empty.
    pub status: Vec<u16>,
    /// The answer has no body (true), or has one (false).
    pub empty: Option<bool>,
    /// Local name of the root element.
    pub root: Option<String>,
    /// Elements.
    pub elements: Vec<ElementExpect>,
    /// Headers.
    pub headers: Vec<HeaderExpect>,
    /// Number of parts of a multipart answer.
    pub parts: Option<usize>,
    /// Contents of single parts.
    pub part: Vec<PartExpect>,
    /// The answer is there inside this time.
    pub within: Option<Duration>,
    /// What the owner sees.
    pub owner: Vec<OwnerExpect>,
    /// The device error the step ends in; `any` for some error.
    pub error: Option<String>,
}

/// One of several conforming answers, or something whose lack is a loss.
#[derive(Clone, Debug)]
pub struct Alternative {
    /// What it is called in the report; of a loss, what the owner is without.
    pub name: String,
    /// All of this holds.
    pub expect: Expect,
}

/// One element of the answer.
#[derive(Clone, Debug)]
pub struct ElementExpect {
    /// Where.
    pub at: Path,
    /// How many matches there may be.
    pub count: Count,
    /// What the text of the first match (or of each) has to be.
    pub tests: Vec<Test>,
    /// The tests hold for every match.
    pub each: bool,
    /// The name under which the first match's text is kept.
    pub save: Option<String>,
    /// Another requirement than the scenario's first.
    pub requirement: Option<String>,
    /// Another level than the step's.
    pub level: Option<Level>,
    /// What is expected, in plain words.
    pub say: Option<String>,
}

/// How many matches there may be; both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// At least.
    pub least: usize,
    /// At most; `None` is without end.
    pub most: Option<usize>,
}

/// A test on a text. Texts are templates.
#[derive(Clone, Debug)]
pub enum Test {
    /// Is this.
    Equals(String),
    /// Is anything else than this.
    Not(String),
    /// Is one of these.
    OneOf(Vec<String>),
    /// Matches.
    Matches(Regex),
    /// Contains this.
    Contains(String),
    /// Is a number of at least this.
    Min(i64),
    /// Is a number of at most this.
    Max(i64),
    /// Has this form.
    Type(ElementType),
    /// Has at most so many bytes.
    Bytes(u64),
}

/// The form of an element's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ElementType {
    /// A whole number.
    Integer,
    /// `0` or `1`.
    Boolean,
    /// `20260101T090000Z` or `2026-01-01T09:00:00.000Z`.
    Datetime,
    /// Base64.
    Base64,
    /// OPAQUE data, not a text.
    Opaque,
}

/// One header of the answer.
#[derive(Clone, Debug)]
pub struct HeaderExpect {
    /// Its name; case does not matter.
    pub name: String,
    /// It must not be there.
    pub absent: bool,
    /// What its value has to be.
    pub tests: Vec<Test>,
    /// The name under which its value is kept.
    pub save: Option<String>,
    /// Another requirement than the scenario's first.
    pub requirement: Option<String>,
    /// Another level than the step's.
    pub level: Option<Level>,
}

/// One part of a multipart answer.
#[derive(Clone, Debug)]
pub struct PartExpect {
    /// Which one; 0 is the WBXML answer itself.
    pub index: usize,
    /// Its size.
    pub bytes: Option<u64>,
    /// Its SHA-256 in hex, or the name of the variable that holds it.
    pub sha256_of: Option<String>,
    /// A text in it, as a template.
    pub contains: Option<String>,
}

/// One thing the owner sees, or must not see. Texts are templates.
#[derive(Clone, Debug)]
pub struct OwnerExpect {
    /// What kind of thing.
    pub kind: OwnerKind,
    /// There must be none.
    pub absent: bool,
    /// In this folder.
    pub folder: Option<String>,
    /// With this subject or name.
    pub subject: Option<String>,
    /// From somebody whose name or address contains this.
    pub from: Option<String>,
    /// Read or unread.
    pub read: Option<bool>,
    /// Flagged or not.
    pub flagged: Option<bool>,
    /// Whose body contains this.
    pub body_contains: Option<String>,
    /// Whose body, or a mail attached to it, has this text.
    pub carries: Option<String>,
    /// With an attachment of this name.
    pub attachment: Option<String>,
    /// Which shows its formatting, on a device that asks for formatted mail.
    pub formatted: Option<bool>,
    /// On a device that synchronises this folder; any other fits.
    pub if_synced: bool,
    /// Exactly so many.
    pub count: Option<usize>,
}

/// What an owner can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OwnerKind {
    /// A message.
    Mail,
    /// A folder.
    Folder,
    /// A calendar entry.
    Event,
    /// A contact.
    Contact,
    /// A task.
    Task,
    /// A note.
    Note,
}

impl fmt::Display for OwnerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Mail => "mail",
            Self::Folder => "folder",
            Self::Event => "event",
            Self::Contact => "contact",
            Self::Task => "task",
            Self::Note => "note",
        })
    }
}
