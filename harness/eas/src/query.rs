//! The request line after `?`, in both of its forms: names and values as a browser would write them, or one base64
//! value (MS-ASHTTP 2.2.1.1.1). What neither form names is kept, so that a strange device is shown as it is.

use std::fmt;

use thiserror::Error;

use crate::{Command, PolicyKey, Version};

mod binary;
mod describe;
mod plain;

pub use plain::{Escape, PlainField};

/// The longest query that is read, in bytes; nothing a device sends comes near it.
pub const MAX_QUERY: usize = 16 * 1024;

/// The most parameters that are read from one query.
pub const MAX_PARAMETERS: usize = 64;

/// The query of one request, whichever form it came in.
///
/// `save_in_sent` and `accept_multipart` are `None` where the query does not speak of them. In the plain form
/// `accept_multipart`, `version`, `locale` and `policy_key` travel as headers and are always `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryLine {
    /// Which form it was read from; a query made by [`QueryLine::new`] is plain.
    pub form: QueryForm,
    /// The command.
    pub command: CommandName,
    /// The user, where the query names one (always in the plain form, optional in the other).
    pub user: Option<String>,
    /// The device, in the form it was sent; empty text where the query names none.
    pub device_id: DeviceIdForm,
    /// The device type; may be empty.
    pub device_type: String,
    /// Protocol version (base64 form only).
    pub version: Option<Version>,
    /// Language as MS-LCID (base64 form only).
    pub locale: Option<u16>,
    /// The policy key; `None` is "length 0", which is not the key 0 (base64 form only).
    pub policy_key: Option<PolicyKey>,
    /// AttachmentName of GetAttachment, as sent.
    pub attachment_name: Option<String>,
    /// CollectionId of SmartForward and SmartReply.
    pub collection_id: Option<String>,
    /// ItemId of SmartForward and SmartReply.
    pub item_id: Option<String>,
    /// LongId of SmartForward and SmartReply.
    pub long_id: Option<String>,
    /// Occurrence of SmartForward and SmartReply.
    pub occurrence: Option<String>,
    /// Whether the sent message is to be kept in Sent Items.
    pub save_in_sent: Option<bool>,
    /// Whether the answer may be multipart.
    pub accept_multipart: Option<bool>,
    /// Everything else, in the order it came; repeated parameters land here as well.
    pub extra: Vec<Extra>,
}

/// The two forms of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueryForm {
    /// `Cmd=…&User=…&DeviceId=…&DeviceType=…`
    Plain,
    /// One base64 value.
    Base64,
}

/// The command of a query: known, or kept as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandName {
    /// A command of MS-ASCMD.
    Known(Command),
    /// A name nobody knows (`GetHierarchy`, `_Sync`, `Options`).
    Unknown(String),
    /// A code of the base64 form that is not assigned.
    UnknownCode(u8),
    /// The query names no command: some phones send their OPTIONS so.
    Absent,
}

/// A device id as it stood in the query.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DeviceIdForm {
    /// Text.
    Text(String),
    /// The 16-byte form; its text form is 32 hexadecimal digits.
    Guid([u8; 16]),
    /// Neither text nor 16 bytes long: against the standard, and kept.
    Bytes(Vec<u8>),
}

/// A parameter that has no field of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extra {
    /// From the plain form.
    Named {
        /// The decoded name.
        name: String,
        /// The decoded value.
        value: String,
    },
    /// From the base64 form.
    Tagged {
        /// The parameter tag.
        tag: u8,
        /// The bytes.
        value: Vec<u8>,
    },
}

/// Why a query cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum QueryError {
    /// There is none.
    #[error("the query is empty")]
    Empty,
    /// Longer than [`MAX_QUERY`].
    #[error("the query has {0} bytes, at most {MAX_QUERY} are read")]
    TooLong(usize),
    /// More than [`MAX_PARAMETERS`].
    #[error("the query has more than {MAX_PARAMETERS} parameters")]
    TooManyParameters,
    /// No `Cmd=` or other parameter, and not base64 either.
    #[error("the query is neither `name=value` pairs nor base64")]
    NeitherForm,
    /// The bytes of the base64 form end inside a field.
    #[error("the base64 query ends inside {field} at byte {offset}")]
    EndsInside {
        /// The field.
        field: &'static str,
        /// Where the field's missing bytes would start.
        offset: usize,
    },
    /// The policy key is there with a length that is neither 0 nor 4.
    #[error("the policy key has length {0}, expected 0 or 4")]
    PolicyKeyLength(u8),
    /// A text of the base64 form is not UTF-8.
    #[error("{0} is not UTF-8 text")]
    NotText(&'static str),
}

/// Why a query cannot be written in the base64 form.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum QueryEncodeError {
    /// The command has no code.
    #[error("command `{0}` has no code for the base64 query")]
    NoCode(CommandName),
    /// No protocol version is set.
    #[error("the base64 query needs a protocol version")]
    NoVersion,
    /// A field is longer than its length byte can say.
    #[error("{field} has {length} bytes, at most 255 fit into the base64 query")]
    TooLong {
        /// The field.
        field: &'static str,
        /// Its length in bytes.
        length: usize,
    },
}

impl QueryLine {
    /// A plain query of `command` from a device; every other field is empty.
    pub fn new(command: impl Into<CommandName>, device_id: &str, device_type: &str) -> Self {
        Self {
            form: QueryForm::Plain,
            command: command.into(),
            user: None,
            device_id: DeviceIdForm::Text(device_id.to_owned()),
            device_type: device_type.to_owned(),
            version: None,
            locale: None,
            policy_key: None,
            attachment_name: None,
            collection_id: None,
            item_id: None,
            long_id: None,
            occurrence: None,
            save_in_sent: None,
            accept_multipart: None,
            extra: Vec::new(),
        }
    }

    /// Reads what stands after `?`.
    ///
    /// A query with a `Cmd` parameter is plain; without one it is base64 if all of it decodes as such, else plain
    /// with an absent command (MS-ASHTTP 2.2.1.1.1; known servers tell the forms apart in the same way).
    ///
    /// # Errors
    ///
    /// The first rule of the form that is broken; hostile input is bounded by [`MAX_QUERY`] and [`MAX_PARAMETERS`].
    pub fn parse(query: &str) -> Result<Self, QueryError> {
        let query = query.strip_prefix('?').unwrap_or(query);
        match query.len() {
            0 => return Err(QueryError::Empty),
            n if n > MAX_QUERY => return Err(QueryError::TooLong(n)),
            _ => {}
        }
        if plain::names_a_command(query) {
            return plain::read(query);
        }
        match binary::bytes_of(query) {
            Some(bytes) => binary::read(&bytes),
            None if query.contains('=') => plain::read(query),
            None => Err(QueryError::NeitherForm),
        }
    }

    /// Reads the bytes that a base64 query stands for.
    ///
    /// # Errors
    ///
    /// The field in which the bytes end, or that breaks its own rule.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, QueryError> {
        match bytes.len() {
            0 => Err(QueryError::Empty),
            n if n > MAX_QUERY => Err(QueryError::TooLong(n)),
            _ => binary::read(bytes),
        }
    }

    /// The base64 form: standard alphabet with padding, parameters in the order of their tags.
    ///
    /// # Errors
    ///
    /// A command without code, no version, or a field of more than 255 bytes.
    pub fn to_base64(&self) -> Result<String, QueryEncodeError> {
        binary::write(self)
    }

    /// The plain form, its four fields in the device's own order, then the command's parameters. What the plain form
    /// carries in headers (version, locale, policy key, multipart) is left out.
    pub fn to_plain(&self, order: &[PlainField], escape: Escape) -> String {
        plain::write(self, order, escape)
    }

    /// An explanation for people, one field per line.
    pub fn describe(&self) -> String {
        describe::describe(self)
    }
}

impl CommandName {
    /// The command, if it is known.
    pub fn known(&self) -> Option<Command> {
        match self {
            Self::Known(command) => Some(*command),
            _ => None,
        }
    }

    fn from_name(name: &str) -> Self {
        name.parse().map_or_else(|_| Self::Unknown(name.to_owned()), Self::Known)
    }

    fn from_code(code: u8) -> Self {
        Command::from_code(code).map_or(Self::UnknownCode(code), Self::Known)
    }
}

impl From<Command> for CommandName {
    fn from(command: Command) -> Self {
        Self::Known(command)
    }
}

impl fmt::Display for CommandName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(command) => command.fmt(f),
            Self::Unknown(name) => f.write_str(name),
            Self::UnknownCode(code) => write!(f, "code {code}"),
            Self::Absent => f.write_str("(none)"),
        }
    }
}

impl DeviceIdForm {
    fn from_bytes(bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control));
        match (text, <[u8; 16]>::try_from(bytes)) {
            (Some(text), Ok(_)) if text.is_ascii() => Self::Text(text.to_owned()),
            (_, Ok(guid)) => Self::Guid(guid),
            (Some(text), Err(_)) => Self::Text(text.to_owned()),
            (None, Err(_)) => Self::Bytes(bytes.to_owned()),
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Guid(guid) => guid,
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl fmt::Display for DeviceIdForm {
    /// The form of the plain query: text as it is, bytes as hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Guid(_) | Self::Bytes(_) => self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

#[cfg(test)]
mod tests;
