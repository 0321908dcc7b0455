use std::collections::{BTreeMap, BTreeSet};

use easrig_eas::{
    Command, DeviceId, Version,
    query::{CommandName, DeviceIdForm, QueryForm, QueryLine},
    status::Status,
};
use easrig_exchange::{Headers, Secret};
use jiff::{SignedDuration, Timestamp};

use crate::{
    Account, Answer, Behaviour, DeviceKey, Mailbox, Partnership, Switch, Switches, UserName,
    admission::{self, Site},
    answer::status_document,
    command::{self, Waiting},
};

/// The most requests that wait at the same time.
const WAITERS_MOST: usize = 4096;

/// The most devices of one account.
const DEVICES_MOST: usize = 4096;

/// Everything the server knows.
#[derive(Clone, Debug)]
pub struct State {
    /// What keys and ids are drawn from: the same seed and calls give the same answers.
    pub seed: u64,
    /// The domain of the local addresses, in lower case.
    pub domain: String,
    /// What differs from product to product.
    pub behaviour: Behaviour,
    /// The dishonest switches that are on.
    pub switches: Switches,
    pub(crate) site: Site,
    pub(crate) accounts: BTreeMap<UserName, Account>,
    pub(crate) waiters: BTreeMap<WaiterId, Waiter>,
    next_waiter: u64,
    announced: BTreeMap<UserName, u64>,
    disturbed: BTreeSet<UserName>,
}

/// One request after the front has taken HTTP apart.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who says they call.
    pub credentials: Option<Credentials>,
    /// The request line.
    pub query: QueryLine,
    /// The protocol version, from the header or the query.
    pub version: Version,
    /// Every header.
    pub headers: Headers,
    /// The body, decompressed.
    pub body: Vec<u8>,
}

/// What a caller shows to prove who they are.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Basic authentication.
    Basic {
        /// The name as sent.
        user: String,
        /// The password.
        secret: Secret,
    },
    /// A token.
    Bearer(Secret),
}

/// What to do about a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Answer it.
    Now(Answer),
    /// Keep it open: ask [`wake`] when the mailbox of `user` changes (see [`State::take_changed`]) and at `until`.
    Wait {
        /// The waiting request.
        waiter: WaiterId,
        /// Whose mailbox it waits for.
        user: UserName,
        /// When it is over at the latest.
        until: Timestamp,
    },
}

/// A request that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WaiterId(u64);

/// An authenticated caller with their device and command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub user: UserName,
    /// On which device.
    pub device: DeviceKey,
    /// What they want.
    pub command: Command,
    /// In which version.
    pub version: Version,
    /// When.
    pub now: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) struct Waiter {
    pub(crate) caller: Caller,
    pub(crate) until: Timestamp,
    pub(crate) what: Waiting,
}

/// What a command works with: one mailbox and one device of it.
pub(crate) struct Desk<'a> {
    pub(crate) mailbox: &'a mut Mailbox,
    pub(crate) device: &'a mut Partnership,
    pub(crate) behaviour: &'a Behaviour,
    pub(crate) switches: &'a Switches,
    pub(crate) name: &'a str,
    pub(crate) address: &'a str,
}

/// Takes one call.
pub fn handle(state: &mut State, call: Call, now: Timestamp) -> Reply {
    let Some(user) = state.authenticate(call.credentials.as_ref()) else {
        return Reply::Now(Answer::http(401));
    };
    let command = match &call.query.command {
        CommandName::Known(command) => *command,
        _ => return Reply::Now(Answer::http(501)),
    };
    let device = DeviceKey::from(&call.query.device_id);
    let caller = Caller { user, device, command, version: call.version, now };
    if let Err(status) = check_device(&call.query) {
        return Reply::Now(caller.refuse(status));
    }
    if !command.exists_in(caller.version) {
        return Reply::Now(caller.refuse(Status::VERSION_NOT_SUPPORTED));
    }
    if !state.site.profile.serves(command) {
        return Reply::Now(caller.refuse(Status::COMMAND_NOT_SUPPORTED));
    }
    let site = &state.site;
    if state.accounts.get(&caller.user).is_some_and(|one| admission::is_one_too_many(one, site, &caller.device)) {
        return Reply::Now(admission::one_too_many(site, &caller));
    }
    state.meet(&caller, &call);
    if let Some(answer) = admission::refusal(state, &caller, &call) {
        return Reply::Now(answer);
    }
    command::run(state, &caller, &call)
}

/// A device names itself and its type; the base64 form may leave the type empty.
fn check_device(query: &QueryLine) -> Result<(), Status> {
    let named = match &query.device_id {
        DeviceIdForm::Text(text) => DeviceId::try_from(text.as_str()).is_ok(),
        DeviceIdForm::Guid(_) => true,
        DeviceIdForm::Bytes(_) => false,
    };
    match (named, query.form, query.device_type.is_empty()) {
        (false, _, _) => Err(Status(108)),
        (true, QueryForm::Plain, true) => Err(Status(109)),
        _ => Ok(()),
    }
}

/// Asks whether a waiting request can be answered; a waiter nobody knows is answered empty.
pub fn wake(state: &mut State, waiter: WaiterId, now: Timestamp) -> Option<Answer> {
    let Some(mut waiting) = state.waiters.remove(&waiter) else { return Some(Answer::empty()) };
    waiting.caller.now = now;
    let over = now >= waiting.until;
    let answer = command::wake(state, &waiting, waiter, over);
    if answer.is_none() {
        state.waiters.insert(waiter, waiting);
    }
    answer
}

/// Forgets a waiting request whose caller has hung up.
pub fn cancel(state: &mut State, waiter: WaiterId) {
    state.waiters.remove(&waiter);
}

impl State {
    /// A server without accounts; keys and ids are drawn from `seed`.
    pub fn new(seed: u64, domain: &str) -> Self {
        Self {
            seed,
            domain: domain.to_lowercase(),
            behaviour: Behaviour::default(),
            switches: Switches::default(),
            site: Site::default(),
            accounts: BTreeMap::new(),
            waiters: BTreeMap::new(),
            next_waiter: 0,
            announced: BTreeMap::new(),
            disturbed: BTreeSet::new(),
        }
    }

    /// Adds an account, in the place of an earlier one with its name.
    pub fn add_account(&mut self, account: Account) {
        self.accounts.insert(account.user.clone(), account);
    }

    /// An account by its log-on name.
    pub fn account(&self, user: &UserName) -> Option<&Account> {
        self.accounts.get(user)
    }

    /// An account by its log-on name, to change.
    pub fn account_mut(&mut self, user: &UserName) -> Option<&mut Account> {
        self.accounts.get_mut(user)
    }

    /// Every account.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// The account with this mail address, in any case.
    pub fn account_by_address(&self, address: &str) -> Option<&Account> {
        let address = address.trim().to_lowercase();
        self.accounts.values().find(|account| account.address == address)
    }

    /// Whose mailboxes changed since the last time this was asked, or whose waiting requests should be looked at.
    pub fn take_changed(&mut self) -> Vec<UserName> {
        let mut changed = std::mem::take(&mut self.disturbed);
        for account in self.accounts.values() {
            let sequence = account.mailbox.sequence();
            if self.announced.insert(account.user.clone(), sequence) != Some(sequence) {
                changed.insert(account.user.clone());
            }
        }
        changed.into_iter().collect()
    }

    pub(crate) fn desk(&mut self, caller: &Caller) -> Option<Desk<'_>> {
        let account = self.accounts.get_mut(&caller.user)?;
        Some(Desk {
            mailbox: &mut account.mailbox,
            device: account.partnerships.get_mut(&caller.device)?,
            behaviour: &self.behaviour,
            switches: &self.switches,
            name: &account.display_name,
            address: &account.address,
        })
    }

    /// Keeps a call open for at most `seconds`; a server with too many open calls asks to come back later.
    pub(crate) fn park(&mut self, caller: &Caller, seconds: u32, what: Waiting) -> Reply {
        if self.waiters.len() >= WAITERS_MOST {
            return Reply::Now(caller.refuse(Status::SERVER_ERROR_RETRY_LATER));
        }
        self.next_waiter += 1;
        let waiter = WaiterId(self.next_waiter);
        let until = caller.now.checked_add(SignedDuration::from_secs(seconds.into())).unwrap_or(Timestamp::MAX);
        self.waiters.insert(waiter, Waiter { caller: caller.clone(), until, what });
        Reply::Wait { waiter, user: caller.user.clone(), until }
    }

    /// Has the waiting requests of `user` looked at although the mailbox may not have changed.
    pub(crate) fn disturb(&mut self, user: &UserName) {
        self.disturbed.insert(user.clone());
    }

    pub(crate) fn authenticate(&self, credentials: Option<&Credentials>) -> Option<UserName> {
        match credentials? {
            Credentials::Basic { user, secret } => {
                let name = UserName::from(user.as_str());
                let account = self.accounts.get(&name).or_else(|| self.account_by_address(user))?;
                let unchecked = self.switches.has(Switch::PasswordNotChecked);
                (unchecked || account.secret == *secret).then(|| account.user.clone())
            }
            Credentials::Bearer(token) => {
                self.accounts.values().find(|account| account.secret == *token).map(|account| account.user.clone())
            }
        }
    }

    /// Notes that a device spoke.
    fn meet(&mut self, caller: &Caller, call: &Call) {
        let seed = self.seed;
        let Some(account) = self.accounts.get_mut(&caller.user) else { return };
        if account.partnerships.len() >= DEVICES_MOST && !account.partnerships.contains_key(&caller.device) {
            return;
        }
        let device = account
            .partnerships
            .entry(caller.device.clone())
            .or_insert_with(|| Partnership::new(seed, &caller.user, caller.device.clone(), caller.now));
        device.last_seen = caller.now;
        device.device_type.clone_from(&call.query.device_type);
        device.user_agent = call.headers.get("User-Agent").map(str::to_owned);
    }
}

impl Caller {
    /// Refuses the whole request with a common status.
    pub(crate) fn refuse(&self, status: Status) -> Answer {
        Answer::refusal(self.command, self.version, status)
    }

    /// Answers with a status of the command itself, in-band in every version.
    pub(crate) fn status(&self, status: u16) -> Answer {
        match status_document(self.command, Status(status)) {
            Some(document) => Answer::wbxml(&document),
            None => Answer::http(500),
        }
    }
}
