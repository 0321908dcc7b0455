use std::{convert::Infallible, fmt, str::FromStr};

/// The class of an item or folder (MS-ASCMD 2.2.3.27 Class).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Mail.
    Email,
    /// People.
    Contacts,
    /// Appointments.
    Calendar,
    /// Tasks.
    Tasks,
    /// Notes (14.0+).
    Notes,
    /// Text messages (14.0+).
    Sms,
    /// A class that the standard does not name, as on the wire.
    Other(String),
}

impl Class {
    /// The name as on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email => "Email",
            Self::Contacts => "Contacts",
            Self::Calendar => "Calendar",
            Self::Tasks => "Tasks",
            Self::Notes => "Notes",
            Self::Sms => "SMS",
            Self::Other(name) => name,
        }
    }
}

impl From<String> for Class {
    fn from(name: String) -> Self {
        match name.as_str() {
            "Email" => Self::Email,
            "Contacts" => Self::Contacts,
            "Calendar" => Self::Calendar,
            "Tasks" => Self::Tasks,
            "Notes" => Self::Notes,
            "SMS" => Self::Sms,
            _ => Self::Other(name),
        }
    }
}

impl From<&str> for Class {
    fn from(name: &str) -> Self {
        name.to_owned().into()
    }
}

impl FromStr for Class {
    type Err = Infallible;

    fn from_str(name: &str) -> Result<Self, Infallible> {
        Ok(name.into())
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
