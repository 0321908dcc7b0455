use easrig_persona::{End, Ending, Habit, Task};
use easrig_scenario::{Role, model::Start};

use super::{Stage, Stop, said};
use crate::{
    owner::{device_error, word},
    reach::on_the_wire,
};

impl Stage<'_> {
    /// Brings one phone as far as the scenario starts.
    pub(super) async fn climb(&mut self, role: Role) -> Result<(), Stop> {
        let start = self.planned.scenario.start;
        let mut rungs = Vec::new();
        if start >= Start::Options {
            if self.discovers() {
                rungs.push(("finding its server", Habit::Discover));
            }
            rungs.push(("asking for versions", Habit::Options));
        }
        // A phone provisions when its habits or the server say so; whether it was let in shows when it asks for folders.
        if start >= Start::Provisioned {
            rungs.push(("setting up", Habit::FolderSync));
        }
        if start >= Start::Synced {
            rungs.push(("reading the inbox", Habit::FirstSync { folders: vec!["inbox".into()] }));
        }
        for (what, habit) in rungs {
            self.journal.step(0, &format!("the {role}: {what}"))?;
            let report = self.rack.run(role, Task::Habit(habit)).await?;
            self.watch(&report.exchanges)?;
            let unclear = self.unclear(&report);
            let Ending { end, rests } = report.ending;
            self.tally.assumed.extend(rests.assumed);
            if let Some(why) = unclear.filter(|_| end != End::Finished) {
                return Err(Stop::Unclear(format!("the {role} did not get through {what}: {why}")));
            }
            match end {
                End::Finished => {}
                End::OwnerSees(error) => {
                    let error = device_error(&error);
                    return Err(match role {
                        Role::Partner => {
                            Stop::Unclear(format!("the partner's phone cannot be set up: {}", said(&error)))
                        }
                        _ => {
                            self.tally.rest_on(rests.lowest);
                            self.tally.notes.extend(on_the_wire(&report.exchanges));
                            Stop::Blocked(error)
                        }
                    });
                }
                End::GaveUp(why) | End::CannotDo(why) => {
                    return Err(Stop::Unclear(format!("the {role} did not get through {what}: {why}")));
                }
            }
        }
        self.learn(role);
        Ok(())
    }

    /// Makes what the phone knows known to the steps: folders, keys, the policy key.
    pub(super) fn learn(&mut self, role: Role) {
        let Some(phone) = self.rack.phone(role) else { return };
        let key = phone.policy_key().map_or_else(|| "0".to_owned(), |key| key.to_string());
        self.vars.set(role, "policy_key", key);
        self.vars.set(role, "folder_key", phone.folder_key().as_str());
        for folder in phone.folders() {
            let Some(name) = word(folder.kind) else { continue };
            self.vars.set(role, name, folder.id.as_str());
            if let Some(key) = phone.sync_key(&folder.id) {
                self.vars.set(role, format!("{name}_key"), key.as_str());
            }
        }
    }
}
