//! A device that has acknowledged a policy sends its key with every command (MS-ASHTTP 2.2.1.1.2.7).

use easrig_eas::{
    Command, PolicyKey, Version,
    command::{folder_sync, provision},
    headers,
    query::QueryForm,
};
use easrig_exchange::Timestamp;

use super::{Conduct, Remark, Seen, Watch};
use crate::{Decoded, Level};

pub(super) const CONDUCT: Conduct = Conduct {
    name: "policy-key",
    title: "A device that has applied a policy sends its key with every command",
    why: "The server takes the phone for one without a policy and sends it to Provision, again and again.",
    watch: || Box::new(Keys::default()),
};

#[derive(Debug, Default)]
struct Keys {
    /// The final keys, oldest first, with the time they came.
    given: Vec<(PolicyKey, Timestamp)>,
}

/// The most keys that are remembered; older ones are as good as unknown.
const MOST_KEYS: usize = 64;

impl Watch for Keys {
    fn look(&mut self, seen: &Seen<'_>, out: &mut Vec<Remark>) {
        let Some(command) = seen.decoded.command() else {
            // OPTIONS without a key: the account is being set up anew.
            if sent(seen).is_none_or(|key| key.0 == 0) {
                self.given.clear();
            }
            return;
        };
        match command {
            Command::Provision => self.learn(seen),
            Command::Ping => {}
            _ => out.extend(self.judge(seen, command)),
        }
    }
}

impl Keys {
    fn judge(&mut self, seen: &Seen<'_>, command: Command) -> Option<Remark> {
        let sent = sent(seen).filter(|key| key.0 != 0);
        if sent.is_none() && command == Command::FolderSync && is_first(seen.decoded) {
            self.given.clear();
        }
        let current = self.given.iter().rfind(|(_, at)| *at <= seen.sent()).map(|(key, _)| *key)?;
        let later = |key: PolicyKey| self.given.iter().any(|(known, at)| *known == key && *at > seen.sent());
        let excuse = seen.gap.map(|gap| format!("exchange {} is not whole", gap.0));
        Some(match (sent, excuse) {
            (Some(key), _) if key == current || later(key) => Remark::Kept,
            (_, Some(why)) => Remark::Unclear(format!("{why}: another key may have been given there")),
            (None, None) => {
                Remark::broken(Level::Must, "the policy key that the server gave", format!("{command} without a key"))
            }
            (Some(_), None) => {
                let actual = format!("{command} with another key");
                Remark::broken(Level::Should, "the policy key that the server gave last", actual)
            }
        })
    }

    fn learn(&mut self, seen: &Seen<'_>) {
        let decoded = seen.decoded;
        let read = |document| provision::Request::from_document(document, Version::V14_1).ok();
        let asked = decoded.request.document().and_then(read);
        let acknowledges = asked.is_some_and(|asked| asked.policies.iter().any(|policy| policy.status.is_some()));
        if !acknowledges {
            // A device that asks for its policy anew has no key until it is done.
            self.given.clear();
            return;
        }
        let read = |document| provision::Response::from_document(document, Version::V14_1).ok();
        let said = decoded.answer.document().filter(|_| seen.whole).and_then(read);
        let policy = said.as_ref().and_then(|said| said.policies.first());
        let fine = policy.filter(|policy| policy.status.is_none_or(|status| status.0 == 1));
        if let Some(key) = fine.and_then(|policy| policy.policy_key)
            && self.given.len() < MOST_KEYS
        {
            self.given.push((key, seen.done()));
        }
    }
}

/// The key of a request, in its query or header.
fn sent(seen: &Seen<'_>) -> Option<PolicyKey> {
    let query = seen.decoded.query.as_ref();
    match query.filter(|query| query.form == QueryForm::Base64) {
        Some(query) => query.policy_key,
        None => seen.exchange.request.headers.get(headers::POLICY_KEY)?.trim().parse().ok().map(PolicyKey),
    }
}

fn is_first(decoded: &Decoded) -> bool {
    let read = |document| folder_sync::Request::from_document(document, Version::V14_1).ok();
    decoded.request.document().and_then(read).is_some_and(|request| request.sync_key.is_initial())
}
