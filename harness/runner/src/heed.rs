use easrig_eas::headers::challenges;
use easrig_exchange::Exchange;
use easrig_scenario::{CellId, Role};

use crate::{Account, folder::FolderError, lease::Pair, partnerships::is_one_too_many, shared::Shared};

/// Whether the accounts' own passwords should be good at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passwords {
    /// Yes: whoever refuses one ends its use.
    Good,
    /// A scenario has changed one on the server's side.
    Changed,
}

/// Whether the server goes on taking the accounts' passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    /// As far as can be seen.
    Taken,
    /// One was refused and is not sent again.
    Refused,
}

impl Shared {
    /// Takes from the exchanges of an errand what concerns the whole run: an outage, a refused password, the devices that
    /// the server knows now.
    pub(crate) fn heed(
        &self,
        exchanges: &[Exchange],
        pair: &Pair,
        passwords: Passwords,
        cell: &CellId,
    ) -> Result<Login, FolderError> {
        let mut login = Login::Taken;
        for (index, exchange) in exchanges.iter().enumerate() {
            self.watch.heed(exchange, &self.journal)?;
            self.partnerships().learn(&pair.of(exchange).user, exchange);
            let later = exchanges.get(index + 1..).unwrap_or_default();
            if passwords == Passwords::Good && is_refused(exchange, later) && has_own_password(exchange, pair) {
                self.stop_account(exchange, cell);
                login = Login::Refused;
            }
        }
        Ok(login)
    }

    /// Why a refusal that stands in `exchanges` is this run's own doing.
    pub(crate) fn own_limit(&self, exchanges: &[Exchange], pair: &Pair) -> Option<String> {
        let refused = exchanges.iter().rev().find(|exchange| is_one_too_many(exchange))?;
        self.partnerships().own_doing(&pair.of(refused).user, refused)
    }
}

impl Pair {
    /// Why a refusal at the end of `exchanges` is no news: the phone signs in with a password, and was given a token only.
    /// A server that takes no passwords has said something.
    pub(crate) fn lacks_password(&self, exchanges: &[Exchange]) -> Option<String> {
        let last = exchanges.last()?;
        let account = self.of(last);
        let response = last.response().filter(|response| response.status == 401)?;
        let offered: Vec<_> = response.headers.all("WWW-Authenticate").flat_map(challenges).collect();
        let basic = offered.is_empty() || offered.iter().any(|challenge| challenge.is("Basic"));
        let without = account.secret.is_none() && last.request.headers.get("Authorization").is_none();
        (basic && without).then(|| {
            format!(
                "this phone signs in with a password, and the account `{}` was given with a token only",
                account.user
            )
        })
    }

    /// The account in whose name the exchange was made.
    fn of(&self, exchange: &Exchange) -> &Account {
        match &self.partner {
            Some(partner) if exchange.sender.role == Role::Partner.name() => partner,
            _ => &self.owner,
        }
    }
}

/// Whether a password was tried and found wrong. A server that offers only other schemes has not tried it; one that takes
/// it `later` elsewhere, as with the several places of Autodiscover, was not the one to ask.
fn is_refused(exchange: &Exchange, later: &[Exchange]) -> bool {
    let Some(response) = exchange.response().filter(|response| response.status == 401) else { return false };
    let offered: Vec<_> = response.headers.all("WWW-Authenticate").flat_map(challenges).collect();
    let sent = exchange.request.headers.get("Authorization").unwrap_or_default();
    let scheme = sent.split(' ').next().unwrap_or_default();
    let tried = offered.is_empty() || offered.iter().any(|challenge| challenge.is(scheme));
    let same = |e: &&Exchange| e.request.headers.get("Authorization") == exchange.request.headers.get("Authorization");
    let taken = later.iter().filter(same).any(|e| e.response().is_some_and(|response| response.status == 200));
    tried && !taken
}

/// Whether the request carried an account's own password or token, which should have been good.
fn has_own_password(exchange: &Exchange, pair: &Pair) -> bool {
    let sent = exchange.request.headers.get("Authorization").unwrap_or_default();
    let accounts = [Some(&pair.owner), pair.partner.as_ref()].into_iter().flatten();
    accounts.flat_map(Account::authorizations).any(|good| good == sent)
}
