use easrig_persona::{End, Habit, Task};
use easrig_scenario::{
    Role,
    model::{Effects, Need},
};

use super::Stage;
use crate::{folder::FolderError, heed::Login, watch::Presence};

impl Stage<'_> {
    /// Cleanup steps, then everything that carries the tag; failures are noted and change nothing.
    pub(super) async fn clean_up(&mut self, went_through: bool) -> Result<(), FolderError> {
        for (_, (errand, _)) in std::mem::take(&mut self.background) {
            self.rack.abandon(errand)?;
        }
        let scenario = &self.planned.scenario;
        let left = self.climbed && scenario.effects > Effects::Reads;
        let there = !left
            || self.shared.watch.ready(&self.shared.orders.client, &self.shared.journal).await? == Presence::There;
        if !there {
            self.tally.notes.push("what the scenario made may be left behind: the target does not answer".to_owned());
        }
        if there && self.login == Login::Taken && (self.climbed || went_through) {
            for step in &scenario.cleanup {
                if let Ok(task) = self.task(step) {
                    self.journal.step(scenario.steps.len() + 1, &step.title)?;
                    let report = self.rack.run(step.role, task).await?;
                    self.watch(&report.exchanges)?;
                }
            }
            if scenario.effects > Effects::Reads && !self.shared.orders.allowed.leave {
                for role in self.journal.roles() {
                    self.tidy(role).await?;
                }
            }
        }
        if scenario.needs(Need::Control)
            && let Some(control) = self.shared.orders.server.control()
        {
            for account in [Some(&self.pair.owner), self.pair.partner.as_ref()].into_iter().flatten() {
                if let Err(why) = control.undo(&account.user).await {
                    self.tally.notes.push(format!("the server could not be changed back: {why}"));
                }
            }
        }
        Ok(())
    }

    pub(super) async fn tidy(&mut self, role: Role) -> Result<(), FolderError> {
        if role == Role::Tablet {
            return Ok(());
        }
        self.journal
            .step(self.planned.scenario.steps.len() + 1, &format!("the {role} removes what the scenario made"))?;
        let report = self.rack.run(role, Task::Habit(Habit::Tidy { tag: self.tag.clone() })).await?;
        self.watch(&report.exchanges)?;
        if let End::GaveUp(why) | End::CannotDo(why) = report.ending.end {
            self.tally.notes.push(format!("what the scenario made may be left behind: {why}"));
        }
        Ok(())
    }
}
