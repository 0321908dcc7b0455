use std::collections::BTreeMap;

use easrig_scenario::Role;

use super::Entry;
use crate::Account;

/// Which account of the replay plays which account of the recording.
#[derive(Debug)]
pub(super) struct Cast {
    /// The pair of each persona, and the account of each user that a request line names.
    pairs: BTreeMap<String, usize>,
    users: BTreeMap<String, usize>,
    accounts: usize,
}

impl Cast {
    /// Accounts of the same name play themselves; the others are taken in the order in which they appear.
    pub(super) fn new(entries: &[Entry], accounts: &[Account]) -> Self {
        let mut cast = Self { pairs: BTreeMap::new(), users: BTreeMap::new(), accounts: accounts.len() };
        for entry in entries {
            let Some(user) = &entry.user else { continue };
            if let Some(index) = accounts.iter().position(|account| is_same(user, account)) {
                cast.users.insert(user.to_lowercase(), index);
                if !entry.sender.persona.is_empty() {
                    cast.pairs.insert(entry.sender.persona.clone(), index / 2);
                }
            }
        }
        for entry in entries {
            if !entry.sender.persona.is_empty() && !cast.pairs.contains_key(&entry.sender.persona) {
                let pair = cast.free_pair();
                cast.pairs.insert(entry.sender.persona.clone(), pair);
            } else if let Some(user) = entry.user.as_ref().filter(|_| entry.sender.persona.is_empty())
                && !cast.users.contains_key(&user.to_lowercase())
            {
                let next = (0..).find(|index| !cast.users.values().any(|taken| taken == index)).unwrap_or(0);
                cast.users.insert(user.to_lowercase(), next);
            }
        }
        cast
    }

    /// The account that plays the sender of a request.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn account(&self, entry: &Entry) -> Result<usize, String> {
        let index = match self.pairs.get(&entry.sender.persona) {
            Some(pair) => pair * 2 + usize::from(entry.sender.role == Role::Partner.name()),
            // A recording that does not name its user is taken for one of the first account.
            None => entry.user.as_ref().and_then(|user| self.users.get(&user.to_lowercase())).copied().unwrap_or(0),
        };
        if index < self.accounts {
            return Ok(index);
        }
        Err(match entry.sender.role == Role::Partner.name() {
            true => "it needs a second account".to_owned(),
            false => format!("the recording has more mailboxes than the {} given accounts", self.accounts),
        })
    }

    fn free_pair(&self) -> usize {
        let pairs = self.accounts.div_ceil(2).max(1);
        let taken = |pair: &usize| self.pairs.values().any(|other| other == pair);
        // With fewer pairs than phones they take turns, as in the run.
        (0..pairs).find(|pair| !taken(pair)).unwrap_or(self.pairs.len() % pairs)
    }
}

/// Whether a user of the recording goes by the name of an account, whatever stands before `\` or behind `@`.
fn is_same(user: &str, account: &Account) -> bool {
    let bare = user.rsplit('\\').next().unwrap_or(user);
    let same = |name: &str| bare.eq_ignore_ascii_case(name) || user.eq_ignore_ascii_case(name);
    let local = |name: &str| name.split('@').next().unwrap_or_default().to_lowercase();
    same(&account.user)
        || account.address.as_deref().is_some_and(same)
        || !bare.contains('@') && local(bare) == local(&account.user)
}
