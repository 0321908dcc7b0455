//! What a task can ask for: requests, waits, and the phone's memory.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex},
    task::Poll,
    time::Duration,
};

use easrig_exchange::{Failure, Request, Response};

use super::memory::{self, Core, MOST_REQUESTS, Reply};
use crate::{Condition, DeviceError, Patience, RequestId, Sourced, SrvTarget, TaskId, TimerId};

/// Why a task ends before its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// The owner sees an error.
    Owner(DeviceError),
    /// Without an error the facts give.
    GaveUp(String),
    /// The device cannot do this.
    Cannot(String),
}

/// A task's hold on its phone.
#[derive(Clone)]
pub(super) struct Line {
    core: Arc<Mutex<Core>>,
    task: TaskId,
}

/// The hold on the mailbox, until dropped.
pub(super) struct Hold(Line);

impl Drop for Hold {
    fn drop(&mut self) {
        let task = self.0.task;
        self.0.with(|core| core.let_go(task));
    }
}

impl Line {
    pub(super) fn new(core: Arc<Mutex<Core>>, task: TaskId) -> Self {
        Self { core, task }
    }

    /// Looks at or changes the memory; never across an `await`.
    pub(super) fn with<T>(&self, f: impl FnOnce(&mut Core) -> T) -> T {
        f(&mut memory::lock(&self.core))
    }

    /// A value of the persona that decides what happens, noted as what this task rests on.
    pub(super) fn rest<T: Clone>(&self, value: impl FnOnce(&Core) -> &Sourced<T>) -> T {
        self.with(|core| {
            let value = value(core).clone();
            core.rest(self.task, &value);
            value.value
        })
    }

    /// The same for a value that was looked up.
    pub(super) fn rest_on<T: Clone>(&self, value: &Sourced<T>) -> T {
        self.with(|core| core.rest(self.task, value));
        value.value.clone()
    }

    /// The end that `condition` means for this device.
    pub(super) fn stop(&self, condition: &Condition) -> Stop {
        self.with(|core| match core.persona.error_for(condition) {
            Some(error) => {
                core.rest_on(self.task, error.confidence, &format!("error `{error}`"));
                Stop::Owner(error)
            }
            None => Stop::GaveUp(condition.to_string()),
        })
    }

    /// Sends a request and waits for what comes.
    pub(super) async fn http(&self, request: Request, patience: Patience) -> Result<Result<Response, Failure>, Stop> {
        let id = self.send(request, patience)?;
        Ok(self.outcome(id).await)
    }

    /// The same, given up after `within`; then `None`.
    pub(super) async fn http_within(
        &self,
        request: Request,
        patience: Patience,
        within: Duration,
    ) -> Result<Option<Result<Response, Failure>>, Stop> {
        let id = self.send(request, patience)?;
        let timer = self.with(|core| core.wait(self.task, within));
        Ok(match self.first_of(id, timer).await {
            Some(reply) => {
                self.with(|core| core.ignore(timer));
                Some(outcome(reply))
            }
            None => {
                self.with(|core| core.cancel(id));
                None
            }
        })
    }

    /// The targets the name service has.
    pub(super) async fn srv(&self, domain: &str) -> Vec<SrvTarget> {
        let id = self.with(|core| core.look_up(self.task, domain.to_owned()));
        match self.reply(id).await {
            Reply::Srv(targets) => targets,
            Reply::Answered(_) | Reply::Failed(_) => Vec::new(),
        }
    }

    /// Lets time pass.
    pub(super) async fn pause(&self, time: Duration) {
        let timer = self.with(|core| core.wait(self.task, time));
        poll_fn(|_| match self.with(|core| core.has_fired(timer)) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }

    /// Waits until no other task changes the mailbox, and keeps others from it.
    pub(super) async fn hold(&self) -> Hold {
        poll_fn(|_| match self.with(|core| core.take(self.task)) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
        Hold(self.clone())
    }

    fn send(&self, request: Request, patience: Patience) -> Result<RequestId, Stop> {
        let sent = self.with(|core| core.send(self.task, request, patience));
        sent.ok_or_else(|| {
            Stop::GaveUp(format!("the phone and the server went in circles for {MOST_REQUESTS} requests"))
        })
    }

    async fn outcome(&self, id: RequestId) -> Result<Response, Failure> {
        outcome(self.reply(id).await)
    }

    async fn reply(&self, id: RequestId) -> Reply {
        poll_fn(|_| self.with(|core| core.reply(id)).map_or(Poll::Pending, Poll::Ready)).await
    }

    async fn first_of(&self, id: RequestId, timer: TimerId) -> Option<Reply> {
        poll_fn(|_| {
            self.with(|core| match core.reply(id) {
                Some(reply) => Poll::Ready(Some(reply)),
                None if core.has_fired(timer) => Poll::Ready(None),
                None => Poll::Pending,
            })
        })
        .await
    }
}

fn outcome(reply: Reply) -> Result<Response, Failure> {
    match reply {
        Reply::Answered(response) => Ok(*response),
        Reply::Failed(failure) => Err(failure),
        Reply::Srv(_) => Err(Failure::Cancelled),
    }
}
