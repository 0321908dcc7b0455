//! The phone's memory, shared by its tasks.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use easrig_eas::{
    CollectionId, PolicyKey, SyncKey, Version,
    headers::{self, Offer, challenges},
};
use easrig_exchange::{Failure, Headers, Request, Response, Secret, Timestamp};
use url::Url;

use crate::{
    Confidence, Output, OwnerView, Patience, Persona, PolicySetting, RequestId, Rests, Server, Setup, Sourced,
    SrvTarget, TaskId, TimerId, persona::word::Scheme,
};

/// Everything the phone remembers.
pub(super) struct Core {
    pub(super) setup: Setup,
    pub(super) persona: Arc<Persona>,
    pub(super) now: Timestamp,
    pub(super) out: Vec<Output>,
    /// A lock was released or a task ended: others may go on.
    pub(super) released: bool,
    pub(super) wipe_allowed: bool,

    pub(super) endpoint: Option<Url>,
    pub(super) version: Option<Version>,
    pub(super) offer: Option<Offer>,
    pub(super) policy_key: Option<PolicyKey>,
    /// The settings that bound in the policy that came last.
    pub(super) policy: Vec<PolicySetting>,
    pub(super) set_up: bool,
    pub(super) folder_key: SyncKey,
    pub(super) collections: BTreeMap<CollectionId, Collection>,
    pub(super) heartbeat: Option<u32>,
    pub(super) cookies: Vec<(String, String)>,
    pub(super) owner: Arc<OwnerView>,
    pub(super) made: u64,
    /// How the phone signs in.
    pub(super) sign_in: Scheme,

    count: u64,
    waiting: BTreeMap<RequestId, TaskId>,
    timers: BTreeMap<TimerId, TaskId>,
    replies: BTreeMap<RequestId, Reply>,
    fired: BTreeSet<TimerId>,
    rests: BTreeMap<TaskId, Rests>,
    spent: BTreeMap<TaskId, u32>,
    busy: Option<TaskId>,
}

/// A folder the phone synchronises.
#[derive(Clone, Debug, Default)]
pub(super) struct Collection {
    pub(super) key: SyncKey,
}

/// What came back for a request.
pub(super) enum Reply {
    Answered(Box<Response>),
    Failed(Failure),
    Srv(Vec<SrvTarget>),
}

/// Whether device and account have what it takes to sign in like this.
fn can_sign_in(setup: &Setup, scheme: Scheme) -> bool {
    let proof = match scheme {
        Scheme::Basic => &setup.secret,
        Scheme::Bearer => &setup.bearer,
    };
    proof.is_some() && setup.persona.auth.schemes.value.contains(&scheme)
}

/// The memory, whatever happened to other tasks.
pub(super) fn lock(core: &Mutex<Core>) -> MutexGuard<'_, Core> {
    core.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The most requests a task may send: beyond it, server and phone turn in circles.
pub(super) const MOST_REQUESTS: u32 = 2_000;

impl Core {
    pub(super) fn new(setup: Setup) -> Self {
        let endpoint = match &setup.server {
            Server::Url(url) => Some(with_path(url.clone())),
            Server::Discover { .. } => None,
        };
        Self {
            persona: Arc::clone(&setup.persona),
            version: setup.version,
            endpoint,
            now: Timestamp(0),
            out: Vec::new(),
            released: false,
            wipe_allowed: false,
            offer: None,
            policy_key: None,
            policy: Vec::new(),
            set_up: false,
            folder_key: SyncKey::initial(),
            collections: BTreeMap::new(),
            heartbeat: None,
            cookies: Vec::new(),
            owner: Arc::new(OwnerView::default()),
            made: 0,
            sign_in: if can_sign_in(&setup, Scheme::Bearer) { Scheme::Bearer } else { Scheme::Basic },
            setup,
            count: 0,
            waiting: BTreeMap::new(),
            timers: BTreeMap::new(),
            replies: BTreeMap::new(),
            fired: BTreeSet::new(),
            rests: BTreeMap::new(),
            spent: BTreeMap::new(),
            busy: None,
        }
    }

    pub(super) fn begin(&mut self, now: Timestamp) -> TaskId {
        self.now = now;
        let id = TaskId(self.next());
        self.rests.insert(id, Rests { lowest: Confidence::High, assumed: Vec::new() });
        id
    }

    /// The owner's view, to be changed.
    pub(super) fn owner(&mut self) -> &mut OwnerView {
        Arc::make_mut(&mut self.owner)
    }

    pub(super) fn asks_for_html(&self) -> bool {
        let mail = self.persona.sync.classes.iter().find(|(class, _)| *class == "email").map(|(_, habits)| habits);
        let wants = |kind: &Option<Sourced<u32>>| {
            // What nobody is sure that the device asks for cannot be missed.
            kind.as_ref().is_some_and(|kind| matches!(kind.value, 2 | 4) && kind.confidence > Confidence::Low)
        };
        let asks = wants(&self.persona.mail.full_body_type) || mail.is_some_and(|mail| wants(&mail.body_type));
        asks && self.version.is_some_and(|version| version >= Version::V12_0)
    }

    pub(super) fn can_sign_in(&self, scheme: Scheme) -> bool {
        can_sign_in(&self.setup, scheme)
    }

    /// Whether the phone has another way to sign in that the server, which has just refused, offers in place of the one
    /// it used; then it is used from now on.
    pub(super) fn sign_in_otherwise(&mut self, answer: &Headers) -> bool {
        let other = match self.sign_in {
            Scheme::Basic => Scheme::Bearer,
            Scheme::Bearer => Scheme::Basic,
        };
        let offered: Vec<_> = answer.all(headers::WWW_AUTHENTICATE).flat_map(challenges).collect();
        let offers = |scheme: Scheme| {
            let name = match scheme {
                Scheme::Basic => "Basic",
                Scheme::Bearer => "Bearer",
            };
            offered.iter().any(|challenge| challenge.is(name))
        };
        let turns = offers(other) && !offers(self.sign_in) && can_sign_in(&self.setup, other);
        if turns {
            self.sign_in = other;
        }
        turns
    }

    pub(super) fn change_secret(&mut self, secret: Secret) {
        if self.setup.bearer.is_some() {
            self.setup.bearer = Some(secret.clone());
        }
        self.setup.secret = Some(secret);
    }

    pub(super) fn rest<T>(&mut self, task: TaskId, value: &Sourced<T>) {
        self.rest_on(task, value.confidence, &value.key);
    }

    pub(super) fn rest_on(&mut self, task: TaskId, confidence: Confidence, key: &str) {
        let Some(rests) = self.rests.get_mut(&task) else { return };
        rests.lowest = rests.lowest.min(confidence);
        if confidence == Confidence::Unverified && !rests.assumed.iter().any(|known| known == key) {
            rests.assumed.push(key.to_owned());
        }
    }

    pub(super) fn rests_of(&mut self, task: TaskId) -> Rests {
        self.rests.remove(&task).unwrap_or(Rests { lowest: Confidence::High, assumed: Vec::new() })
    }

    /// Sends a request; `None` when the task has sent too many.
    pub(super) fn send(&mut self, task: TaskId, request: Request, patience: Patience) -> Option<RequestId> {
        let spent = self.spent.entry(task).or_default();
        *spent += 1;
        if *spent > MOST_REQUESTS {
            return None;
        }
        let id = RequestId(self.next());
        self.waiting.insert(id, task);
        self.out.push(Output::Send { id, request: Box::new(request), patience, task });
        Some(id)
    }

    pub(super) fn look_up(&mut self, task: TaskId, domain: String) -> RequestId {
        let id = RequestId(self.next());
        self.waiting.insert(id, task);
        self.out.push(Output::LookUpSrv { id, domain });
        id
    }

    pub(super) fn wait(&mut self, task: TaskId, time: Duration) -> TimerId {
        let id = TimerId(self.next());
        self.timers.insert(id, task);
        self.out.push(Output::Wait(id, time));
        id
    }

    /// What a request brought, once.
    pub(super) fn reply(&mut self, id: RequestId) -> Option<Reply> {
        self.replies.remove(&id)
    }

    /// Whether a timer has fired; it says so once.
    pub(super) fn has_fired(&mut self, id: TimerId) -> bool {
        self.fired.remove(&id)
    }

    pub(super) fn deliver(&mut self, id: RequestId, reply: Reply) {
        if self.waiting.remove(&id).is_some() {
            self.replies.insert(id, reply);
        }
    }

    pub(super) fn fire(&mut self, id: TimerId) {
        if self.timers.remove(&id).is_some() {
            self.fired.insert(id);
        }
    }

    /// Gives up a request that has no answer yet.
    pub(super) fn cancel(&mut self, id: RequestId) {
        if self.waiting.remove(&id).is_some() {
            self.out.push(Output::Cancel(id));
        }
        self.replies.remove(&id);
    }

    /// Forgets a timer that no longer matters.
    pub(super) fn ignore(&mut self, id: TimerId) {
        self.timers.remove(&id);
        self.fired.remove(&id);
    }

    pub(super) fn forget(&mut self, task: TaskId) {
        let open: Vec<_> = self.waiting.iter().filter(|(_, owner)| **owner == task).map(|(id, _)| *id).collect();
        open.into_iter().for_each(|id| self.cancel(id));
        self.timers.retain(|_, owner| *owner != task);
        self.spent.remove(&task);
        self.let_go(task);
    }

    /// Takes the mailbox for itself: two Syncs of one folder at once would spoil each other's key.
    pub(super) fn take(&mut self, task: TaskId) -> bool {
        match self.busy {
            Some(other) => other == task,
            None => {
                self.busy = Some(task);
                true
            }
        }
    }

    pub(super) fn let_go(&mut self, task: TaskId) {
        if self.busy == Some(task) {
            self.busy = None;
            self.released = true;
        }
    }

    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }
}

/// The standard path where a URL has none (MS-ASHTTP 2.2.1.1.1).
pub(super) fn with_path(mut url: Url) -> Url {
    if url.path() == "/" {
        url.set_path("/Microsoft-Server-ActiveSync");
    }
    url.set_query(None);
    url.set_fragment(None);
    url
}
