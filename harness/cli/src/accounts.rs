//! The mailboxes a user gives: flags, a file, the environment.

use std::{env, path::Path};

use easrig_runner::Account;
use miette::{Diagnostic, miette};
use serde::Deserialize;
use thiserror::Error;

use crate::{args::AccountArgs, input};

/// The variable that holds the name of an accounts file, or its text.
const VARIABLE: &str = "EASRIG_ACCOUNTS";

/// An accounts file that cannot be read. Its text is never shown: it holds passwords.
#[derive(Debug, Error, Diagnostic)]
#[error("{name} is no list of accounts: {why} (line {line})")]
#[diagnostic(
    code(accounts::file),
    help(
        "write a table `[[account]]` with `user`, `secret` (or `token`) and, if it differs, `address` for each mailbox"
    )
)]
struct AccountsError {
    name: String,
    why: String,
    line: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountsFile {
    account: Vec<Account>,
}

/// Every account given: those of `--account`, then the file's; the environment is asked when neither is there.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn gather(args: &AccountArgs) -> miette::Result<Vec<Account>> {
    let mut accounts = args.account.clone();
    if let Some(path) = &args.accounts {
        accounts.extend(from_file(path)?);
    }
    if accounts.is_empty()
        && let Ok(value) = env::var(VARIABLE)
        && !value.is_empty()
    {
        // A table header cannot be the name of a file that anybody has.
        accounts = if value.contains("[[") { parse(VARIABLE, &value)? } else { from_file(Path::new(&value))? };
    }
    Ok(accounts)
}

/// For a target that makes its own mailboxes: flags that name others would be passed over without a word.
///
/// # Errors
/// When a flag names an account.
pub(crate) fn refuse(args: &AccountArgs) -> miette::Result<()> {
    if args.account.is_empty() && args.accounts.is_none() {
        return Ok(());
    }
    Err(miette!(
        help = "leave them out, or start `easrig serve --account …` and name its URL as the target",
        "--account and --accounts are for other targets: `embedded:PROFILE` makes mailboxes of its own"
    ))
}

fn from_file(path: &Path) -> miette::Result<Vec<Account>> {
    parse(&format!("`{}`", path.display()), &input::read_text(Some(path))?)
}

fn parse(name: &str, text: &str) -> miette::Result<Vec<Account>> {
    let file: AccountsFile = toml::from_str(text).map_err(|error| AccountsError {
        name: name.to_owned(),
        why: error.message().to_owned(),
        line: error.span().map_or(1, |span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1),
    })?;
    Ok(file.account.into_iter().map(with_address).collect())
}

/// A user name that is an address is its own address, as in `--account`.
fn with_address(account: Account) -> Account {
    let address = account.address.or_else(|| account.user.contains('@').then(|| account.user.clone()));
    Account { address, ..account }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_several_mailboxes() {
        let text =
            "[[account]]\nuser = \"alice\"\nsecret = \"a:b\"\n\n[[account]]\nuser = \"bob@x.test\"\nsecret = \"c\"\n";
        let accounts = parse("it", text).unwrap();
        assert_eq!(accounts.len(), 2);
        assert_eq!(accounts[0].secret.as_ref().unwrap().expose(), "a:b");
        assert_eq!(accounts[1].address.as_deref(), Some("bob@x.test"));
    }

    #[test]
    fn a_mailbox_has_a_password_a_token_or_both_and_never_neither() {
        let text = "[[account]]\nuser = \"alice\"\ntoken = \"ey\"\n[[account]]\nuser = \"bob\"\nsecret = \"c\"\ntoken = \"ey\"\n";
        let accounts = parse("it", text).unwrap();
        assert!(accounts[0].secret.is_none() && accounts[0].token.is_some());
        assert!(accounts[1].secret.is_some() && accounts[1].token.is_some());
        let error = parse("it", "[[account]]\nuser = \"carol\"\n").unwrap_err().to_string();
        assert!(error.contains("has neither"), "{error}");
    }

    #[test]
    fn a_complaint_never_shows_a_secret() {
        let text = "[[account]]\nuser = \"alice\"\nsecret = \"sesame\"\npasword = \"sesame\"\n";
        let error = parse("it", text).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("line 4") && !shown.contains("sesame"), "{shown}");
    }
}
