use std::time::Duration;

use easrig_persona::{Confidence, End, Ending, Phone, Task};
use easrig_scenario::{
    Decoded, Evidence, Finding, Judgement, Level, OwnerView, Role, Step, StepKind, judge,
    model::{Arrangement, Attachment, Body, LoginKind, Send},
};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::{Stage, Stop, missing, said};
use crate::{
    clock::now,
    deed::{DeedError, Fill, file, wrong_login},
    folder::FolderError,
    heed::Login,
    owner::{Seen, device_error},
    rack::Report,
    reach::on_the_wire,
};

impl Stage<'_> {
    pub(super) async fn step(&mut self, step: &Step) -> Result<(), Stop> {
        if let Some(pause) = step.pause {
            self.rack.pause(pause).await?;
        }
        self.vars.set_now(now());
        self.vars.set_common("unique", self.shared.unique());
        if let Some(template) = step.subject() {
            let subject = self.vars.substitute(step.role, template).map_err(|unknown| missing(&unknown))?;
            self.vars.set_common("subject", subject);
        }
        if let Some(attachment) = attachment(step) {
            let hash = Sha256::digest(&file(attachment).content);
            self.vars.set_common("attachment", hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        }
        match &step.kind {
            StepKind::Arrange(arrangement) => self.arrange(step, arrangement).await,
            StepKind::Await(name) => {
                let Some((errand, role)) = self.background.remove(name) else {
                    return Err(Stop::Unclear(format!("nothing runs in the background as `{name}`")));
                };
                let report = self.rack.wait_for(errand).await?;
                self.judged(step, role, report).await
            }
            StepKind::Send(_) | StepKind::Do(_) => self.act(step).await,
        }
    }

    /// A step that sends; again and again until it holds, when it polls.
    pub(super) async fn act(&mut self, step: &Step) -> Result<(), Stop> {
        let deadline = step.poll.map(|time| Instant::now() + time);
        let mut pause = POLL_PAUSES.0;
        loop {
            let task = self.task(step)?;
            if let Some(name) = &step.background {
                let errand = self.rack.begin(step.role, task)?;
                self.background.insert(name.clone(), (errand, step.role));
                // The others go on when its request is on the wire, not before.
                self.rack.pause(Duration::from_millis(200)).await?;
                return Ok(());
            }
            let report = self.rack.run(step.role, task).await?;
            let (judgement, stop) = self.judge(step, step.role, &report)?;
            // A password that was refused is not sent again, however long the step may poll.
            let over = stop.is_none() && judgement.findings.is_empty() || self.login == Login::Refused;
            if over || deadline.is_none_or(|deadline| Instant::now() + pause > deadline) {
                return self.settle(step, judgement, stop);
            }
            self.rack.pause(pause).await?;
            pause = (pause * 2).min(POLL_PAUSES.1);
            self.vars.set_now(now());
            self.vars.set_common("unique", self.shared.unique());
        }
    }

    pub(super) fn task(&self, step: &Step) -> Result<Task, Stop> {
        let fill = Fill { vars: &self.vars, role: step.role };
        match &step.kind {
            StepKind::Send(send) => {
                let user = &self.account(step.role).user;
                let lockout = |kind| {
                    kind == LoginKind::WrongPassword && self.shared.orders.allowed.lockout && self.shared.lockout_left()
                };
                let wrong = |kind| wrong_login(kind, user, &self.tag, lockout(kind));
                fill.explicit(send, wrong).map_err(|error| match error {
                    DeedError::Variable(unknown) => missing(&unknown),
                    DeedError::Xml(error) => Stop::Unclear(format!("step `{}`: {error}", step.title)),
                })
            }
            StepKind::Do(habit) => fill.habit(habit.name, &habit.params).map_err(|unknown| missing(&unknown)),
            StepKind::Arrange(_) | StepKind::Await(_) => unreachable!("only steps that send become tasks"),
        }
    }

    pub(super) async fn judged(&mut self, step: &Step, role: Role, report: Report) -> Result<(), Stop> {
        let (judgement, stop) = self.judge(step, role, &report)?;
        self.settle(step, judgement, stop)
    }

    /// Holds what came of a step against what the file expects.
    pub(super) fn judge(
        &mut self,
        step: &Step,
        role: Role,
        report: &Report,
    ) -> Result<(Judgement, Option<Stop>), FolderError> {
        self.watch(&report.exchanges)?;
        let Ending { end, rests } = &report.ending;
        self.tally.assumed.extend(rests.assumed.iter().cloned());
        let last = report.exchanges.last();
        let decoded = last.map(Decoded::of);
        let error = match end {
            End::OwnerSees(error) => Some(device_error(error)),
            End::Finished | End::GaveUp(_) | End::CannotDo(_) => None,
        };
        let seen = self.rack.phone(role).map(Seen::of);
        let evidence = Evidence {
            exchange: last.zip(decoded.as_ref()),
            owner: seen.as_ref().map(|seen| seen as &dyn OwnerView),
            device_error: error.as_ref(),
        };
        let mut judgement = judge(&self.planned.scenario, step, &evidence, &mut self.vars);
        let habits = self.rack.phone(role).map(Phone::confidence_of_folders);
        if judgement.losses.iter().any(|loss| loss.by_habit) && habits.is_some_and(|habits| habits <= Confidence::Low) {
            judgement.notes.push("nobody has verified which folders this device synchronises".to_owned());
        }
        let unclear = judgement.inconclusive.take().or_else(|| judgement.skipped.take());
        let unheard = self.unclear(report).filter(|_| *end != End::Finished || !judgement.findings.is_empty());
        let stop = match end {
            _ if unheard.is_some() => {
                judgement = Judgement::default();
                unheard.map(Stop::Unclear)
            }
            End::OwnerSees(_) if judgement.expected_error => {
                self.tally.expected_error = error;
                None
            }
            End::OwnerSees(_) => {
                judgement.findings.clear();
                judgement.notes.extend(on_the_wire(&report.exchanges));
                error.map(Stop::Blocked)
            }
            End::CannotDo(why) => Some(Stop::Unclear(format!("this device cannot do it: {why}"))),
            End::GaveUp(why) => {
                if judgement.findings.is_empty() {
                    judgement.findings.push(self.gave_up(step, why, report));
                }
                None
            }
            End::Finished => unclear.map(Stop::Unclear),
        };
        if let Some(last) = last {
            self.shared.journal.mask(&mut judgement.findings, last);
        }
        let wrong = stop.is_some() || !judgement.findings.is_empty();
        // An explicit request is the file's own; only what the device does of itself rests on the persona's values.
        if wrong && matches!(step.kind, StepKind::Do(_) | StepKind::Await(_)) {
            self.tally.rest_on(rests.lowest);
        }
        Ok((judgement, stop))
    }

    pub(super) fn gave_up(&self, step: &Step, why: &str, report: &Report) -> Finding {
        Finding {
            requirement: self.planned.scenario.requirements.first().cloned().unwrap_or_default(),
            level: step.level,
            expected: step.title.clone(),
            actual: why.to_owned(),
            exchange: report.exchanges.last().map(|exchange| exchange.number),
        }
    }

    /// Takes a judgement into the tally; a step that does not hold ends the cell, since later steps stand on it.
    pub(super) fn settle(&mut self, step: &Step, judgement: Judgement, stop: Option<Stop>) -> Result<(), Stop> {
        let broken = judgement.findings.iter().any(|finding| finding.level == Level::Must);
        if step.setup && (broken || stop.is_some()) {
            let why = match stop {
                Some(stop @ Stop::Unwritten(_)) => return Err(stop),
                Some(Stop::Unclear(why)) => why,
                Some(Stop::Blocked(error)) => said(&error),
                Some(Stop::Found) | None => {
                    let found = |f: &Finding| format!("expected {}, found {}", f.expected, f.actual);
                    judgement.findings.first().map(found).unwrap_or_default()
                }
            };
            return Err(Stop::Unclear(format!("the preparation `{}` did not succeed: {why}", step.title)));
        }
        self.tally.notes.extend(judgement.notes);
        self.tally.findings.extend(judgement.findings);
        self.tally.losses.extend(judgement.losses.into_iter().map(|loss| loss.what));
        match stop {
            Some(stop) => Err(stop),
            None if broken => Err(Stop::Found),
            None => Ok(()),
        }
    }
}

/// The file that a step sends; its hash is the variable `{attachment}` from then on.
fn attachment(step: &Step) -> Option<&Attachment> {
    match &step.kind {
        StepKind::Send(Send { body: Body::Mail(mail), .. }) => mail.attachment.as_ref(),
        StepKind::Do(habit) => habit.params.attachment.as_ref(),
        StepKind::Arrange(Arrangement::Deliver(mail)) => mail.attachment.as_ref(),
        _ => None,
    }
}

/// The pauses between two tries of a step that polls: the first, and the longest.
const POLL_PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(1500));
