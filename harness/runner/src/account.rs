use std::str::FromStr;

use easrig_eas::headers::{self, BasicCharset};
use easrig_exchange::{Content, Redactor, Secret};
use serde::Deserialize;
use thiserror::Error;

/// A mailbox easrig may use: with a password, a token, or both.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Row")]
pub struct Account {
    /// The name to log in with.
    pub user: String,
    /// Its mail address; when missing, Settings UserInformation is asked for it.
    pub address: Option<String>,
    /// Its password.
    pub secret: Option<Secret>,
    /// Its OAuth token. Phones that can sign in with one do, the others use the password.
    pub token: Option<Secret>,
}

/// An account as files write it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    user: String,
    address: Option<String>,
    secret: Option<Secret>,
    token: Option<Secret>,
}

impl TryFrom<Row> for Account {
    type Error = AccountError;

    fn try_from(Row { user, address, secret, token }: Row) -> Result<Self, AccountError> {
        match (&secret, &token) {
            (None, None) => Err(AccountError::NoProof),
            _ => Ok(Self { user, address, secret, token }),
        }
    }
}

impl Account {
    /// The same account with its secret as a token (`--bearer`).
    pub fn with_token(self) -> Self {
        let token = self.token.or(self.secret);
        Self { secret: None, token, ..self }
    }

    /// Everything about it that nobody may read.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        [&self.secret, &self.token].into_iter().flatten()
    }

    /// The values of `Authorization` that say who this is, in every charset a phone may use.
    pub(crate) fn authorizations(&self) -> impl Iterator<Item = String> {
        let basic = self.secret.iter().flat_map(|secret| {
            let charsets = [BasicCharset::Utf8, BasicCharset::Latin1].into_iter();
            charsets.filter_map(|charset| headers::basic(&self.user, secret.expose(), charset).ok())
        });
        basic.chain(self.token.as_ref().map(|token| headers::bearer(token.expose())))
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
    /// Neither password nor token.
    #[error("an account has a `secret` (its password), a `token`, or both, and this one has neither")]
    NoProof,
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
            _ => Ok(Self {
                user: user.into(),
                address: address.map(Into::into),
                secret: Some(Secret::new(secret)),
                token: None,
            }),
        }
    }
}

/// The rules of the tap for what these accounts do, with a salt that is never written.
pub(crate) fn redactor(accounts: &[Account], content: Content) -> Redactor {
    let mut salt = [0; 32];
    getrandom::fill(&mut salt).expect("the operating system gives random bytes");
    accounts.iter().fold(Redactor::new(salt, content), |redactor, account| {
        let address = account.address.as_deref().unwrap_or_default();
        let tokens = account.authorizations().filter_map(|sent| Some(Secret::new(sent.split_once(' ')?.1)));
        let redactor = tokens.fold(redactor, Redactor::forget);
        account.secrets().cloned().fold(redactor.keep_name(&account.user).keep_name(address), Redactor::forget)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, Option<String>, String) {
        let account: Account = text.parse().unwrap();
        (account.user, account.address, account.secret.unwrap().expose().to_owned())
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
