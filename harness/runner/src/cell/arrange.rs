use easrig_exchange::Secret;
use easrig_scenario::{Step, UnknownVariable, model::Arrangement};

use super::{Stage, Stop, missing};
use crate::{control::Change, deed::Fill};

impl Stage<'_> {
    pub(super) async fn arrange(&mut self, step: &Step, arrangement: &Arrangement) -> Result<(), Stop> {
        let Some(control) = self.shared.orders.server.control().cloned() else {
            return Err(Stop::Unclear("this server cannot be told to change".into()));
        };
        let account = self.account(step.role);
        let Some(change) = self.change(step, arrangement).map_err(|unknown| missing(&unknown))? else {
            return Ok(());
        };
        let id = self.planned.persona.device_id(step.role.name(), &account.user);
        control.change(&account.user, &id, change).await.map_err(Stop::Unclear)
    }

    /// The change an arrangement asks for; none when only the phone has something to learn.
    pub(super) fn change(&mut self, step: &Step, arrangement: &Arrangement) -> Result<Option<Change>, UnknownVariable> {
        let fill = Fill { vars: &self.vars, role: step.role };
        Ok(Some(match arrangement {
            Arrangement::Policy { set } => {
                Change::Policy(set.iter().map(|(n, v)| Ok((n.clone(), fill.text(v)?))).collect::<Result<_, _>>()?)
            }
            Arrangement::Strict { on } => Change::Strict(*on),
            Arrangement::Throttle { status, retry_after, times } => {
                Change::Throttle { status: *status, retry_after: *retry_after, times: *times }
            }
            Arrangement::Moved => Change::Moved,
            Arrangement::Block => Change::Block,
            Arrangement::Quarantine => Change::Quarantine,
            Arrangement::ExpirePolicyKey => Change::ExpirePolicyKey,
            Arrangement::Deliver(mail) => Change::Deliver { mime: fill.outside_mail(mail)? },
            Arrangement::Password { told } => {
                let secret = self
                    .new_secret
                    .get_or_insert_with(|| Secret::new(format!("changed-{:016x}", fastrand::u64(..))))
                    .clone();
                if *told {
                    if let Some(phone) = self.rack.phone_mut(step.role) {
                        phone.change_secret(secret);
                    }
                    return Ok(None);
                }
                Change::Password(secret)
            }
        }))
    }
}
