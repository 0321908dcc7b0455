use std::fmt;

use easrig_exchange::{Failure, TlsFailure};

use crate::Confidence;

/// What the device's owner sees when it does not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceError {
    /// The code on the screen (`86000C2B`); empty when the device shows only text.
    pub code: String,
    /// The text on the screen.
    pub message: String,
    /// What to change on the server, in the administrator's words.
    pub remedy: String,
    /// How well the facts support code and text.
    pub confidence: Confidence,
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code.as_str() {
            "" => f.write_str(&self.message),
            code => write!(f, "{code}: {}", self.message),
        }
    }
}

/// Something that went wrong, before a device gives it a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// An HTTP status other than 200.
    Http(u16),
    /// A status of the common list, 101 and above.
    Status(u16),
    /// The device cannot apply these settings of the policy, sent no acknowledgement, and is not served.
    PolicyNotApplicable {
        /// The settings.
        settings: Vec<String>,
    },
    /// The device said that it applies the policy in part, and was given no key.
    PolicyRefused {
        /// The settings it does not apply.
        settings: Vec<String>,
    },
    /// TLS did not come about.
    Tls(TlsTrouble),
    /// The server's name does not resolve.
    Dns,
    /// The port is closed.
    Refused,
    /// No connection for another reason.
    Unreachable,
    /// No answer in the device's time.
    Timeout,
    /// The connection was closed, or the answer cut, before its end.
    Closed,
    /// The answer is not what the command demands.
    BadAnswer,
    /// No server was found for the address.
    AutodiscoverFailed,
    /// More redirects than the device follows.
    TooManyRedirects,
    /// The server orders the device to delete what it holds (MS-ASPROV 2.2.2).
    Wipe(Wipe, Obeyed),
    /// A mail of the server says that this device is in quarantine.
    Quarantined,
}

/// What the server orders a device to delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wipe {
    /// Everything (RemoteWipe).
    Device,
    /// The account and what came by it (AccountOnlyRemoteWipe, 16.1).
    Account,
}

/// What the device said to the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Obeyed {
    /// Nothing yet.
    NotYet,
    /// That it is done (Status 1).
    Done,
    /// That it cannot (another status).
    Failed,
}

/// Why TLS did not come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TlsTrouble {
    /// The chain ends in no root the device has.
    UnknownCa,
    /// The certificate's time is over or has not begun.
    Date,
    /// The certificate is for another name.
    WrongName,
    /// The certificate is not acceptable for another reason.
    BadCertificate,
    /// No common version or suite, or no TLS at all.
    Handshake,
}

/// Whether the wire or the device itself decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ErrorKind {
    /// The device itself: wins over the wire.
    Local,
    /// The server's answer, or its absence.
    Wire,
}

/// One row of a persona's error vocabulary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorRow {
    /// Who decided.
    pub kind: ErrorKind,
    /// When the row holds.
    pub when: When,
    /// The code, empty for text only; may hold `{status-101:hex2}`.
    pub code: String,
    /// The text on the screen.
    pub message: String,
    /// The remedy; may hold `{settings}`, `{cmdlets}`, `{status}` and `{http}`.
    pub remedy: String,
    /// Where the row was seen.
    pub evidence: String,
    /// How far to trust it.
    pub confidence: Confidence,
}

/// The condition of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// HTTP statuses, both ends included.
    Http(u16, u16),
    /// Common statuses, both ends included.
    Status(u16, u16),
    /// A condition without number, by its word.
    Word(&'static str),
}

impl Condition {
    /// The condition that a failed request is for the device.
    pub fn of_failure(failure: &Failure) -> Self {
        match failure {
            Failure::Dns { .. } => Self::Dns,
            Failure::Refused { .. } => Self::Refused,
            Failure::Unreachable { .. } => Self::Unreachable,
            Failure::Timeout { .. } => Self::Timeout,
            Failure::Closed | Failure::Cancelled => Self::Closed,
            Failure::NotHttp { .. } => Self::BadAnswer,
            Failure::Tls { kind, .. } => Self::Tls(match kind {
                TlsFailure::UnknownIssuer => TlsTrouble::UnknownCa,
                TlsFailure::Expired | TlsFailure::NotYetValid => TlsTrouble::Date,
                TlsFailure::WrongName { .. } => TlsTrouble::WrongName,
                TlsFailure::BadCertificate(_) => TlsTrouble::BadCertificate,
                TlsFailure::Alert(_) | TlsFailure::Handshake(_) => TlsTrouble::Handshake,
            }),
        }
    }

    /// The word of persona files, for conditions without number.
    pub fn word(&self) -> Option<&'static str> {
        Some(match self {
            Self::Http(_) | Self::Status(_) => return None,
            Self::PolicyNotApplicable { .. } => "policy-not-applicable",
            Self::PolicyRefused { .. } => "policy-refused",
            Self::Tls(TlsTrouble::UnknownCa) => "tls:unknown-ca",
            Self::Tls(TlsTrouble::Date) => "tls:date",
            Self::Tls(TlsTrouble::WrongName) => "tls:wrong-name",
            Self::Tls(TlsTrouble::BadCertificate) => "tls:bad-certificate",
            Self::Tls(TlsTrouble::Handshake) => "tls:handshake",
            Self::Dns => "dns",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::BadAnswer => "bad-answer",
            Self::AutodiscoverFailed => "autodiscover-failed",
            Self::TooManyRedirects => "too-many-redirects",
            Self::Wipe(Wipe::Device, _) => "remote-wipe",
            Self::Wipe(Wipe::Account, _) => "account-wipe",
            Self::Quarantined => "quarantined",
        })
    }
}

impl Condition {
    /// What the owner of any device meets, where the server itself decides it: whatever stands on the screen, this is lost.
    pub(crate) fn by_itself(&self) -> Option<DeviceError> {
        let (message, remedy) = match self {
            Self::Wipe(what, obeyed) => {
                let message = match (what, obeyed) {
                    (Wipe::Device, Obeyed::NotYet) => "Everything on the device is to be deleted.",
                    (Wipe::Device, Obeyed::Done) => "Everything on the device was deleted.",
                    (Wipe::Device, Obeyed::Failed) => "Everything on the device was to be deleted, which failed.",
                    (Wipe::Account, Obeyed::NotYet) => "The account and its mail are to be deleted from the device.",
                    (Wipe::Account, Obeyed::Done) => "The account and its mail were deleted from the device.",
                    (Wipe::Account, Obeyed::Failed) => "The account was to be deleted from the device, which failed.",
                };
                (message, CANCEL_WIPE)
            }
            Self::Quarantined => {
                ("A mail of the server says that the device is in quarantine; no other comes.", LET_IN)
            }
            _ => return None,
        };
        let (message, remedy) = (message.to_owned(), remedy.to_owned());
        Some(DeviceError { code: String::new(), message, remedy, confidence: Confidence::Med })
    }
}

const CANCEL_WIPE: &str = "As long as the device has not done it, take the order back: Clear-ActiveSyncDevice -Identity \
    DEVICE -Cancel (Exchange 2010), Clear-MobileDevice -Identity DEVICE -Cancel (Exchange 2013 and later).";

const LET_IN: &str = "Let the device in: Set-CASMailbox USER -ActiveSyncAllowedDeviceIDs @{Add='DEVICE ID'}, or change the \
    rule or the default access level that put it into quarantine (Get-ActiveSyncDeviceAccessRule, \
    Get-ActiveSyncOrganizationSettings).";

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(status) => write!(f, "HTTP {status}"),
            Self::Status(status) => write!(f, "Status {status}"),
            Self::PolicyNotApplicable { settings } => {
                write!(f, "the policy asks for what the device cannot apply: {}", settings.join(", "))
            }
            Self::PolicyRefused { settings } => {
                write!(f, "the server insists on what the device cannot apply: {}", settings.join(", "))
            }
            Self::Tls(TlsTrouble::UnknownCa) => f.write_str("the certificate's issuer is not trusted"),
            Self::Tls(TlsTrouble::Date) => f.write_str("the certificate is not valid at this time"),
            Self::Tls(TlsTrouble::WrongName) => f.write_str("the certificate is for another name"),
            Self::Tls(TlsTrouble::BadCertificate) => f.write_str("the certificate is not acceptable"),
            Self::Tls(TlsTrouble::Handshake) => f.write_str("the TLS handshake failed"),
            Self::Dns => f.write_str("the server's name could not be resolved"),
            Self::Refused => f.write_str("the server refused the connection"),
            Self::Unreachable => f.write_str("the server could not be reached"),
            Self::Timeout => f.write_str("the server did not answer in the device's time"),
            Self::Closed => f.write_str("the connection was closed before the answer was complete"),
            Self::BadAnswer => f.write_str("the answer is not what the command demands"),
            Self::AutodiscoverFailed => f.write_str("no server was found for the address"),
            Self::TooManyRedirects => f.write_str("more redirects than the device follows"),
            Self::Wipe(what, obeyed) => {
                let what = match what {
                    Wipe::Device => "everything on it (RemoteWipe)",
                    Wipe::Account => "this account and all that came by it (AccountOnlyRemoteWipe)",
                };
                let obeyed = match obeyed {
                    Obeyed::NotYet => "the device has not acknowledged it",
                    Obeyed::Done => "the device said that it is done",
                    Obeyed::Failed => "the device said that it failed",
                };
                write!(f, "the server orders the device to delete {what}; {obeyed}")
            }
            Self::Quarantined => f.write_str("the server holds the device in quarantine and says so in a mail"),
        }
    }
}

impl When {
    /// Every word a row may stand under, besides `http:N`, `http:N..M`, `status:N` and `status:N..M`.
    pub const WORDS: [&'static str; 19] = [
        "policy-not-applicable",
        "policy-refused",
        "tls:unknown-ca",
        "tls:date",
        "tls:wrong-name",
        "tls:bad-certificate",
        "tls:handshake",
        "dns",
        "refused",
        "unreachable",
        "timeout",
        "closed",
        "bad-answer",
        "autodiscover-failed",
        "too-many-redirects",
        "remote-wipe",
        "account-wipe",
        "quarantined",
        "any",
    ];

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let numbers = |text: &str| {
            let (first, last) = text.split_once("..").unwrap_or((text, text));
            Some((first.parse::<u16>().ok()?, last.parse::<u16>().ok()?)).filter(|(first, last)| first <= last)
        };
        match text.split_once(':') {
            Some(("http", rest)) => numbers(rest).map(|(first, last)| Self::Http(first, last)),
            Some(("status", rest)) => numbers(rest).map(|(first, last)| Self::Status(first, last)),
            _ => Self::WORDS.iter().find(|word| **word == text).map(|word| Self::Word(word)),
        }
    }

    /// How narrowly the row names the condition, 0 best; `None` when it does not.
    fn distance(&self, condition: &Condition) -> Option<u32> {
        let within =
            |first: u16, last: u16, number: u16| (first..=last).contains(&number).then(|| u32::from(last - first));
        match (self, condition) {
            (Self::Http(first, last), Condition::Http(number)) => within(*first, *last, *number),
            (Self::Status(first, last), Condition::Status(number)) => within(*first, *last, *number),
            // What a device shows when anything fails says nothing about an order of the server.
            (Self::Word("any"), condition) => condition.by_itself().is_none().then_some(u32::MAX),
            (Self::Word(word), condition) => (condition.word() == Some(*word)).then_some(0),
            _ => None,
        }
    }
}

/// The row that holds for `condition`: local rows first, then the narrowest.
pub(crate) fn find<'r>(rows: &'r [ErrorRow], condition: &Condition) -> Option<&'r ErrorRow> {
    rows.iter()
        .filter_map(|row| Some(((row.kind, row.when.distance(condition)?), row)))
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, row)| row)
}

impl ErrorRow {
    /// The row's error for `condition`; `cmdlets` are the commands that undo the settings it names.
    pub(crate) fn error(&self, condition: &Condition, cmdlets: &str) -> DeviceError {
        let (number, settings) = match condition {
            Condition::Http(number) | Condition::Status(number) => (*number, String::new()),
            Condition::PolicyNotApplicable { settings } | Condition::PolicyRefused { settings } => {
                (0, settings.join(", "))
            }
            _ => (0, String::new()),
        };
        let fill = |text: &str| {
            text.replace("{status-101:hex2}", &format!("{:02X}", number.saturating_sub(101)))
                .replace("{status}", &number.to_string())
                .replace("{http}", &number.to_string())
                .replace("{settings}", &settings)
                .replace("{cmdlets}", cmdlets)
        };
        DeviceError {
            code: fill(&self.code),
            message: fill(&self.message),
            remedy: fill(&self.remedy),
            confidence: self.confidence,
        }
    }
}
