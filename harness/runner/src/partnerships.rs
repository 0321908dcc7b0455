use std::collections::{BTreeMap, BTreeSet};

use easrig_exchange::Exchange;
use easrig_scenario::Decoded;

/// The devices that this run has registered with the server, as persona and role, by account.
#[derive(Debug, Default)]
pub(crate) struct Partnerships(BTreeMap<String, BTreeSet<(String, String)>>);

impl Partnerships {
    /// Learns from an exchange made in the name of `user`.
    pub(crate) fn learn(&mut self, user: &str, exchange: &Exchange) {
        let served = exchange.response().is_some_and(|response| response.status == 200);
        if served && exchange.request.method == "POST" && !is_one_too_many(exchange) {
            let device = (exchange.sender.persona.clone(), exchange.sender.role.clone());
            self.0.entry(user.to_owned()).or_default().insert(device);
        }
    }

    /// Why an answer that there are too many devices is this run's own doing; `None` when no other device of it is there.
    pub(crate) fn own_doing(&self, user: &str, exchange: &Exchange) -> Option<String> {
        let me = (&exchange.sender.persona, &exchange.sender.role);
        let others = self.0.get(user)?.iter().filter(|(persona, role)| (persona, role) != me);
        let names: Vec<_> = others.map(|(persona, role)| format!("{persona} ({role})")).collect();
        (!names.is_empty()).then(|| {
            format!(
                "the server takes no more devices for `{user}` (Status {TOO_MANY_DEVICES}), and this run itself has \
                 registered {}: {}; remove old partnerships of the mailbox, or give the run more accounts",
                names.len(),
                names.join(", ")
            )
        })
    }
}

/// Whether the server says that there is a device too many.
pub(crate) fn is_one_too_many(exchange: &Exchange) -> bool {
    Decoded::of(exchange).status.is_some_and(|(_, status)| status.0 == TOO_MANY_DEVICES)
}

/// The Status of a device too many (MS-ASCMD 2.2.2).
const TOO_MANY_DEVICES: u16 = 177;
