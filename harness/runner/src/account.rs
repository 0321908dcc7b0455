use std::str::FromStr;

use easrig_eas::headers::{self, BasicCharset};
use easrig_exchange::Secret;
use serde::Deserialize;
use thiserror::Error;

/// A mailbox easrig may use.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The name to log in with.
    pub user: String,
    /// Its mail address; when missing, Settings UserInformation is asked for it.
    pub address: Option<String>,
    /// Its password.
    pub secret: Secret,
}

impl Account {
    /// The values of `Authorization` that say who this is, in every charset a phone may use.
    pub(crate) fn authorizations(&self) -> impl Iterator<Item = String> {
        [BasicCharset::Utf8, BasicCharset::Latin1]
            .into_iter()
            .filter_map(|charset| headers::basic(&self.user, self.secret.expose(), charset).ok())
    }
}

/// A text that is no `USER[=ADDRESS]:SECRET`. It never repeats what was given: that may hold the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AccountError {
    /// No colon.
    #[error("an account is written USER[=ADDRESS]:SECRET, and this one has no colon")]
    NoSecret,
    /// Nothing before the colon.
    #[error("an account is written USER[=ADDRESS]:SECRET, and this one has no user")]
    NoUser,
    /// The address has no `@`.
    #[error("the part between `=` and `:` of an account is a mail address, and this one has no `@`")]
    BadAddress,
}

/// Reads `USER[=ADDRESS]:SECRET`, split at the first colon after the user part. A user name that is itself an address
/// (`user@domain`) is its own address.
impl FromStr for Account {
    type Err = AccountError;

    fn from_str(text: &str) -> Result<Self, AccountError> {
        let (name, secret) = text.split_once(':').ok_or(AccountError::NoSecret)?;
        let (user, address) = match name.split_once('=') {
            Some((user, address)) => (user, Some(address)),
            None => (name, name.contains('@').then_some(name)),
        };
        match (user, address) {
            ("", _) => Err(AccountError::NoUser),
            (_, Some(address)) if !address.contains('@') => Err(AccountError::BadAddress),
            _ => Ok(Self { user: user.into(), address: address.map(Into::into), secret: Secret::new(secret) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, Option<String>, String) {
        let account: Account = text.parse().unwrap();
        (account.user, account.address, account.secret.expose().to_owned())
    }

    #[test]
    fn the_first_colon_ends_the_user_part() {
        assert_eq!(read("alice:a:b"), ("alice".into(), None, "a:b".into()));
        assert_eq!(read("alice=a@x.test:s=1"), ("alice".into(), Some("a@x.test".into()), "s=1".into()));
        assert_eq!(read("a@x.test:"), ("a@x.test".into(), Some("a@x.test".into()), String::new()));
    }

    #[test]
    fn errors_never_repeat_the_secret() {
        for text in ["sesame", ":sesame", "alice=nowhere:sesame"] {
            let error = text.parse::<Account>().unwrap_err();
            assert!(!error.to_string().contains("sesame"), "{error}");
        }
    }
}
