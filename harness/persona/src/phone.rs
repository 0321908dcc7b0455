//! A phone: a persona with an account, as a machine without I/O.
//!
//! What a device does one step after another is written as one step after another: each task is a future that waits for
//! answers and timers. [`Phone::step`] hands an answer in and polls; nothing else ever wakes a task.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use easrig_eas::{CollectionId, PolicyKey, SyncKey, Version};
use easrig_exchange::{Secret, Timestamp};
use url::Url;

use crate::persona::word::Scheme;
use crate::{Confidence, End, Ending, Folder, Input, Machine, Output, OwnerView, PolicySetting, Setup, Task, TaskId};
use line::{Line, Stop};
use memory::{Core, Reply};

mod command;

mod habit;
mod line;
mod memory;
mod request;

/// A phone in somebody's hand.
///
/// Explicit requests ([`crate::ExplicitSend`]) travel as the device's own would, but the phone does not learn from their
/// answers: its folder list and synchronisation keys belong to its habits alone. The one exception is a policy key: a
/// final key that an explicit Provision brings is the device's key from then on.
pub struct Phone {
    core: Arc<Mutex<Core>>,
    tasks: BTreeMap<TaskId, Running>,
    shown: Shown,
}

type Running = Pin<Box<dyn Future<Output = Result<(), Stop>> + Send>>;

/// What can be seen from outside, brought up to date after every step.
#[derive(Default)]
struct Shown {
    owner: Arc<OwnerView>,
    endpoint: Option<Url>,
    version: Option<Version>,
    policy_key: Option<PolicyKey>,
    policy: Vec<PolicySetting>,
    folder_key: SyncKey,
    sync_keys: BTreeMap<CollectionId, SyncKey>,
}

impl Phone {
    /// A phone out of its box.
    pub fn new(setup: Setup) -> Self {
        let mut phone =
            Self { core: Arc::new(Mutex::new(Core::new(setup))), tasks: BTreeMap::new(), shown: Shown::default() };
        phone.show();
        phone
    }

    /// Begins a task; several may run at once.
    pub fn begin(&mut self, task: Task, now: Timestamp, out: &mut Vec<Output>) -> TaskId {
        let id = memory::lock(&self.core).begin(now);
        let line = Line::new(Arc::clone(&self.core), id);
        self.tasks.insert(id, Box::pin(habit::run(line, task)));
        self.poll(out);
        id
    }

    /// Gives up a task; its requests are cancelled and it reports no end.
    pub fn abandon(&mut self, task: TaskId, out: &mut Vec<Output>) {
        drop(self.tasks.remove(&task));
        memory::lock(&self.core).forget(task);
        self.poll(out);
    }

    /// Whether a task is still running.
    pub fn is_running(&self, task: TaskId) -> bool {
        self.tasks.contains_key(&task)
    }

    /// The version it speaks, once it has chosen.
    pub fn version(&self) -> Option<Version> {
        self.shown.version
    }

    /// Its policy key, once it has one.
    pub fn policy_key(&self) -> Option<PolicyKey> {
        self.shown.policy_key
    }

    /// The settings that bound in the policy that came last, and what it did with each; empty before one came. An
    /// explicit Provision is the scenario's doing, and does not count.
    pub fn policy(&self) -> &[PolicySetting] {
        &self.shown.policy
    }

    /// Where its server is, once it knows.
    pub fn endpoint(&self) -> Option<&Url> {
        self.shown.endpoint.as_ref()
    }

    /// The key of its folder list, `0` before it has one.
    pub fn folder_key(&self) -> &SyncKey {
        &self.shown.folder_key
    }

    /// The folders it knows.
    pub fn folders(&self) -> &[Folder] {
        &self.shown.owner.folders
    }

    /// The key of a folder it has synchronised.
    pub fn sync_key(&self, folder: &CollectionId) -> Option<&SyncKey> {
        self.shown.sync_keys.get(folder)
    }

    /// What its owner sees.
    pub fn owner(&self) -> &OwnerView {
        &self.shown.owner
    }

    /// Tells the phone its owner's new password.
    pub fn change_secret(&mut self, secret: Secret) {
        memory::lock(&self.core).change_secret(secret);
    }

    /// Whether the phone signs in with a token: it can, it has one, and the server has not asked for a password instead.
    pub fn signs_in_by_token(&self) -> bool {
        memory::lock(&self.core).sign_in == Scheme::Bearer
    }

    /// Whether the phone asks for formatted mail: from 12.0 on, if it is a device that does.
    pub fn asks_for_html(&self) -> bool {
        memory::lock(&self.core).asks_for_html()
    }

    /// Whether the device synchronises the built-in folder of this word: `inbox`, `tasks` …
    pub fn synchronises(&self, word: &str) -> bool {
        memory::lock(&self.core).persona.sync.folders.value.iter().any(|known| known == word)
    }

    /// How well it is known which folders the device synchronises.
    pub fn confidence_of_folders(&self) -> Confidence {
        memory::lock(&self.core).persona.sync.folders.confidence
    }

    /// Whether the phone could sign in with a token.
    pub fn can_sign_in_by_token(&self) -> bool {
        memory::lock(&self.core).can_sign_in(Scheme::Bearer)
    }

    /// Lets the phone acknowledge a remote wipe: only for a target that is named disposable.
    pub fn allow_wipe(&mut self) {
        memory::lock(&self.core).wipe_allowed = true;
    }

    fn poll(&mut self, out: &mut Vec<Output>) {
        let mut context = Context::from_waker(Waker::noop());
        loop {
            memory::lock(&self.core).released = false;
            let mut ended = Vec::new();
            for (id, task) in &mut self.tasks {
                if let Poll::Ready(end) = task.as_mut().poll(&mut context) {
                    ended.push((*id, end));
                }
            }
            for (id, end) in ended {
                self.tasks.remove(&id);
                self.end(id, end);
            }
            if !memory::lock(&self.core).released {
                break;
            }
        }
        out.append(&mut memory::lock(&self.core).out);
        self.show();
    }

    fn end(&mut self, task: TaskId, end: Result<(), Stop>) {
        let mut core = memory::lock(&self.core);
        core.forget(task);
        let end = match end {
            Ok(()) => End::Finished,
            Err(Stop::Owner(error)) => {
                core.owner().error = Some(error.clone());
                core.out.push(Output::ShowOwner(error.clone()));
                End::OwnerSees(error)
            }
            Err(Stop::GaveUp(why)) => End::GaveUp(why),
            Err(Stop::Cannot(what)) => End::CannotDo(what),
        };
        let rests = core.rests_of(task);
        core.out.push(Output::Done(task, Ending { end, rests }));
        core.released = true;
    }

    fn show(&mut self) {
        let core = memory::lock(&self.core);
        self.shown.owner = Arc::clone(&core.owner);
        self.shown.endpoint.clone_from(&core.endpoint);
        self.shown.version = core.version;
        self.shown.policy_key = core.policy_key;
        self.shown.policy.clone_from(&core.policy);
        self.shown.folder_key.clone_from(&core.folder_key);
        self.shown.sync_keys = core.collections.iter().map(|(id, folder)| (id.clone(), folder.key.clone())).collect();
    }
}

impl Machine for Phone {
    fn step(&mut self, input: Input, now: Timestamp, out: &mut Vec<Output>) {
        {
            let mut core = memory::lock(&self.core);
            core.now = now;
            match input {
                Input::Answered(id, response) => core.deliver(id, Reply::Answered(response)),
                Input::Failed(id, failure) => core.deliver(id, Reply::Failed(failure)),
                Input::SrvFound(id, targets) => core.deliver(id, Reply::Srv(targets)),
                Input::TimerFired(id) => core.fire(id),
            }
        }
        self.poll(out);
    }
}

#[cfg(test)]
mod tests;
