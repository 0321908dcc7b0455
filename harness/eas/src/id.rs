use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

macro_rules! opaque_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The text as on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

opaque_id!(
    /// A synchronisation key: opaque, chosen by the server; `0` starts over (MS-ASCMD SyncKey).
    SyncKey
);
opaque_id!(
    /// A folder, as the server names it (MS-ASCMD CollectionId, at most 64 characters).
    CollectionId
);
opaque_id!(
    /// An item or folder, as the server names it (MS-ASCMD ServerId, at most 64 characters).
    ServerId
);
opaque_id!(
    /// An item the client has just made, as the client names it (MS-ASCMD ClientId, at most 40 characters).
    ClientId
);

impl SyncKey {
    /// The key that starts over.
    pub fn initial() -> Self {
        Self("0".to_owned())
    }

    /// Whether this key starts over.
    pub fn is_initial(&self) -> bool {
        self.0 == "0"
    }
}

/// The key of `X-MS-PolicyKey` and of the base64 query: an unsigned 32-bit number (MS-ASPROV PolicyKey).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyKey(pub u32);

impl fmt::Display for PolicyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of a device, constant for its life: 1 to 32 ASCII letters and digits (MS-ASHTTP 2.2.1.1.1.2.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceId(String);

impl DeviceId {
    /// The text as on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is no device id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DeviceIdError {
    /// Nothing there.
    #[error("a device id cannot be empty")]
    Empty,
    /// Longer than 32 characters.
    #[error("a device id has at most 32 characters, this one has {0}")]
    TooLong(usize),
    /// Something else than an ASCII letter or digit.
    #[error("character `{0}` is not a letter or digit")]
    BadChar(char),
}

impl TryFrom<&str> for DeviceId {
    type Error = DeviceIdError;

    fn try_from(text: &str) -> Result<Self, DeviceIdError> {
        match (text.chars().find(|c| !c.is_ascii_alphanumeric()), text.len()) {
            (_, 0) => Err(DeviceIdError::Empty),
            (Some(c), _) => Err(DeviceIdError::BadChar(c)),
            (None, n) if n > 32 => Err(DeviceIdError::TooLong(n)),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl TryFrom<String> for DeviceId {
    type Error = DeviceIdError;

    fn try_from(text: String) -> Result<Self, DeviceIdError> {
        Self::try_from(text.as_str())
    }
}

impl From<DeviceId> for String {
    fn from(id: DeviceId) -> Self {
        id.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
